"""Features described and sources assessed, of a finished run of twelve towns."""

from __future__ import annotations

import json
import stat

import numpy as np
import pandas as pd
import pytest
import shapely
from small import small_country
from typer.testing import CliRunner

import smallarea as sa
from smallarea.cli import app
from smallarea.publish.features_page import bars, classes, outlines


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    made = small_country(tmp_path_factory.mktemp("project"))
    catalog = made.root / "data_catalog.yaml"
    terms = "    agreement_ends: 2099-12-31\n    purposes: [teaching]\n    verified: 2026-01-31\n"
    text = catalog.read_text().replace("    file: books", terms + "    file: books")
    catalog.write_text(text.replace("settings:\n", "settings:\n  purpose: teaching\n"))
    made = sa.Project(made.root)
    made.run()
    return made


def called(*words: str):
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


def test_features_are_described_on_one_page_that_its_owner_alone_can_read(project, tmp_path):
    out = tmp_path / "told"
    result = called("features", "describe", "--project", str(project.root), "--out", str(out))
    assert result.exit_code == 0
    page = (out / "features.html").read_text()
    assert "books a year" in page
    assert "http" not in page.replace("http-equiv", "")
    data = json.loads(page.split('type="application/json">')[1].split("</script>")[0])
    assert len(data["shapes"]) == len(data["classes"]["books"]) == 12
    assert sorted(set(data["classes"]["books"])) == list("0123456")
    columns = pd.read_csv(out / "columns.csv", index_col="feature")
    assert columns.loc["books", ["access", "level"]].tolist() == ["open", "area"]
    assert len(columns.loc["books", "sha256"]) == 64
    assert len(pd.read_csv(out / "missing.csv")) == 0
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.iterdir()} == {0o600}


def test_sources_are_assessed_and_what_a_comparison_found_is_told(project):
    words = ("catalog", "assess", "--project", str(project.root))
    assert "books" in called(*words).stdout
    (books,) = json.loads(called(*words, "--json").stdout)
    assert (books["matched"], books["coverage"], books["features"]) == (1, 1, 1)
    assert (books["age"], books["level"], books["loss"]) == (0, "area", None)
    assert books["agreement_ends"].startswith("2099-12-31")
    project_words = ("--project", str(project.root), "--without", "stream", "--quiet")
    assert called("compare", "--by", "random", "--draws", "50", *project_words).exit_code == 0
    (again,) = json.loads(called(*words, "--json").stdout)
    beside = project.latest().folder
    told = pd.read_csv(beside.parent / f"{beside.name}-compare" / "without.csv")
    assert again["loss"] == pytest.approx(told["loss"].iloc[0])


def test_maps_show_ranks_and_holes_never_values():
    values = pd.DataFrame({"x": [3.25, np.nan, 1e9, -7.0]})
    assert classes(values) == {"x": "4-62"}
    assert bars(pd.Series([2.0, 2.0])) == []
    assert max(bars(pd.Series([1.0, 2.0, 2.0]))) == 1


def test_an_area_too_small_to_draw_is_still_there():
    import geopandas as gpd

    shapes = [shapely.box(0, 0, 9, 9), shapely.box(4, 4, 4.001, 4.001)]
    paths, (width, height) = outlines(gpd.GeoSeries(shapes, crs="EPSG:4326"))
    assert all(path.startswith("M") for path in paths)
    assert 0 < width <= 601
    assert 0 < height <= 601 * 1.4
