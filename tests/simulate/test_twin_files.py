"""The written twin: native formats, truth apart, labelled, all or nothing, the same bytes again."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import rasterio
from study import CATALOG, COMPONENTS, INDICATORS, twin_settings

from smallarea.catalog import Catalog, read, snapshot
from smallarea.errors import InputError
from smallarea.files import sha256
from smallarea.simulate import LABEL, TwinSettings, simulate, writing
from smallarea.survey import read_ard


@pytest.fixture(scope="module")
def twin(frame, tmp_path_factory):
    out = tmp_path_factory.mktemp("project") / "twin"
    told: list[tuple[str, float | None]] = []
    settings = twin_settings(seed=7)
    simulate(frame, INDICATORS, CATALOG, settings, out, progress=lambda *what: told.append(what))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    return out


def only(*names: str) -> Catalog:
    """The catalog with some of its sources."""
    return CATALOG.model_copy(update={"sources": {n: CATALOG.sources[n] for n in names}})


def text(twin: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(twin / "streams" / name, dtype=str)


def test_everything_is_labelled_and_accounted_for(twin):
    note = json.loads((twin / "twin.json").read_text())
    assert note["label"] == LABEL == "SYNTHETIC SURVEY"
    assert TwinSettings(**note["settings"]) == twin_settings(seed=7)
    written = {p.relative_to(twin).as_posix() for p in twin.rglob("*") if p.is_file()}
    assert written == set(note["files"]) | {"twin.json"}
    assert all(sha256(twin / name) == digest for name, digest in note["files"].items())
    assert {p.name for p in (twin / "streams").iterdir()} == {
        s.file for s in CATALOG.sources.values()
    }


def test_the_truth_stays_apart(twin, truth):
    survey = sorted(p.name for p in (twin / "survey").iterdir())
    assert survey == ["casework.csv", "groups.csv", "respondents.csv", "roster.csv"]
    columns = pd.read_csv(twin / "survey" / "respondents.csv", nrows=0).columns
    assert not [c for c in columns if "degree" in c or "tau" in c]
    sizes = pd.read_csv(twin / "survey" / "groups.csv", index_col="group")["size"]
    assert sizes[list(COMPONENTS)].isna().all()
    assert "tau" not in (twin / "twin.json").read_text().split('"settings"')[0]

    areas = pd.read_parquet(twin / "truth" / "areas.parquet")
    pd.testing.assert_frame_equal(areas[list(COMPONENTS)], truth.counts)
    national = json.loads((twin / "truth" / "national.json").read_text())
    assert sum(national["totals"].values()) == 471_416 + 232_444
    assert national["tau"] == truth.tau


def test_every_file_says_that_it_is_synthetic(twin):
    for path in (twin / "streams").iterdir():
        match path.suffix:
            case ".csv":
                assert (pd.read_csv(path)["notice"] == LABEL).all()
            case ".xlsx":
                book = openpyxl.load_workbook(path, read_only=True)
                assert LABEL in next(book.worksheets[0].iter_rows(values_only=True))[0]
            case ".tif":
                with rasterio.open(path) as raster:
                    assert raster.tags()["description"] == LABEL
            case _:
                assert (gpd.read_file(path)["notice"] == LABEL).all()


def test_the_survey_room_reads_the_survey(twin):
    ard = read_ard(twin / "survey" / "respondents.csv", twin / "survey" / "groups.csv")
    assert len(ard) == 3_700
    assert len(ard.known()) == 15
    assert ard.hidden() == list(COMPONENTS)


@pytest.mark.slow
def test_the_catalog_reads_every_stream(twin, frame, tmp_path):
    """All rows of all files find their area, but for the footnotes of workbooks."""
    for source in CATALOG.sources.values():
        kept = snapshot(source, [twin / "streams"], tmp_path)
        data, report = read(source, kept, frame)
        assert data is not None
        assert len(report.unmatched) == source.file.endswith(".xlsx"), source.name
        for name, column in source.columns.items():
            if column.values:
                assert set(data[name]) == set(column.values), (source.name, name)


def test_small_cells_are_withheld(twin):
    table = text(twin, "suspicious_transactions_2022.csv")
    few = table["reports"] == "<5"
    assert few.any()
    assert (table.loc[few, "amount_php"] == "<5").all()
    assert table.loc[~few, "reports"].astype(int).min() >= 5


def test_rows_go_through_months_years_and_schools(twin, frame):
    n = len(frame.table) - 8  # areas made since have no row
    assert len(text(twin, "telco_monthly_2022.csv")) == 12 * n
    years = text(twin, "poverty_sae_2003_2009.csv")["year"].value_counts()
    assert years.to_dict() == {"2007": n, "2008": n, "2009": n}
    with pd.ExcelFile(twin / "streams" / "schools_2022.xlsx") as book:
        assert book.sheet_names == ["enrolment"]
        schools = book.parse(header=2, dtype=str).iloc[:-1]
    assert schools["school_id"].is_unique
    assert schools["psgc"].nunique() == n
    told = set(text(twin, "ict_household_survey_2019.csv")["region"])
    assert told == set(frame.units_then("region", 2019)) != set(frame.table["region"])


def test_counts_grow_with_people(twin, frame):
    births = pd.read_csv(twin / "streams" / "civil_registration_2021.csv", dtype={"psgc": str})
    births = births.set_index("psgc")["births"]
    assert births.sum() == pytest.approx(0.013 * frame.table["population"].sum(), rel=0.3)
    assert births.corr(frame.table["population"], method="spearman") > 0.8


def test_rasters_cover_every_area(twin, frame):
    for name in ("viirs_2022.tif", "landcover_mcd12c1_2019_phl.tif"):
        with rasterio.open(twin / "streams" / name) as raster:
            assert raster.crs.to_epsg() == 4326
            west, south, east, north = frame.geometry.total_bounds
            assert (raster.bounds.left < west) & (raster.bounds.right > east)
            assert (raster.bounds.bottom < south) & (raster.bounds.top > north)
            pixels = raster.read(1)
            land = pixels != np.asarray(raster.nodata).astype(pixels.dtype)
        assert 0.05 < land.mean() < 0.6
        if name.startswith("land"):
            assert set(np.unique(pixels[land])) == set(CATALOG.sources["land_cover"].classes)
        else:
            assert pixels[land].min() >= 0


def test_roads_join_neighbours(twin):
    roads = gpd.read_file(twin / "streams" / "roads.gpkg", layer="roads")
    assert roads.crs.to_epsg() == 4326
    assert set(roads.geom_type) == {"LineString"}
    km = roads.to_crs(32651).length / 1_000
    assert km.quantile(0.99) < 100


def test_the_same_settings_give_the_same_bytes(corner, corner_settings, tmp_path):
    chosen = only("civil_registration", "municipal_finance", "roads", "health_facilities")
    for name in ("one", "same"):
        simulate(corner, INDICATORS, chosen, corner_settings, tmp_path / name)
    other = corner_settings.model_copy(update={"seed": 6})
    simulate(corner, INDICATORS, chosen, other, tmp_path / "other")
    assert sha256(tmp_path / "one") == sha256(tmp_path / "same")
    hashes = [
        json.loads((tmp_path / n / "twin.json").read_text())["files"] for n in ("one", "other")
    ]
    assert not set(hashes[0].items()) & set(hashes[1].items())


def test_a_failure_leaves_the_earlier_twin_untouched(
    corner, corner_settings, tmp_path, monkeypatch
):
    cheap, out = only("civil_registration"), tmp_path / "twin"
    simulate(corner, INDICATORS, cheap, corner_settings, out)
    before = sha256(out)

    def broken(world, path):
        path.write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr(writing, "write_stream", broken)
    other = corner_settings.model_copy(update={"seed": 9})
    with pytest.raises(OSError, match="disk full"):
        simulate(corner, INDICATORS, cheap, other, out)
    assert sha256(out) == before
    assert [p.name for p in tmp_path.iterdir()] == ["twin"]


def test_what_the_twin_cannot_write_is_said(corner, corner_settings, tmp_path):
    source = CATALOG.sources["civil_registration"]
    odd = source.model_copy(update={"file": "births.sav"})
    shared = source.model_copy(update={"file": CATALOG.sources["pantawid"].file})
    for changed, said in (
        ({"odd": odd}, r"cannot write a \.sav file.*\.csv and \.xlsx"),
        ({"pantawid": CATALOG.sources["pantawid"], "also": shared}, "share"),
    ):
        catalog = CATALOG.model_copy(update={"sources": changed})
        with pytest.raises(InputError, match=said):
            simulate(corner, INDICATORS, catalog, corner_settings, tmp_path / "twin")
        assert not (tmp_path / "twin").exists()


def test_a_folder_of_something_else_is_never_replaced(corner, corner_settings, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="not a twin"):
        simulate(corner, INDICATORS, CATALOG, corner_settings, tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
