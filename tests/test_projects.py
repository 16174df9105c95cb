"""Any country, any harm: projects that are not the template go the whole way to map and report."""

import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small import small_country
from typer.testing import CliRunner

import smallarea as sa
from smallarea.cli import app
from smallarea.errors import InputError
from smallarea.summary import unmatched_lines

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return small_country(tmp_path_factory.mktemp("small") / "project").run()


def test_one_component_in_twelve_towns_goes_to_the_map(small):
    assert list(small.indicators.units) == ["left", "left_rate"]
    table = small.estimates()
    assert len(table) == 12
    assert list(small.table().columns[:4]) == ["area_id", "name", "shire", "indicator"]
    draws = small.draws()
    total = draws["counts"].sel(component="left").sum("area_id")
    np.testing.assert_array_equal(total, draws["covered_total"].sel(component="left"))
    assert float(total.mean()) == pytest.approx(3000, abs=4 * 300 / np.sqrt(200))
    assert not small.synthetic


def test_without_a_reporting_rate_nothing_speaks_of_it(small):
    assert "tau" not in small.draws()
    assert "tau_prior" not in small.manifest
    for page in ("map.html", "report.html"):
        text = (small.folder / page).read_text(encoding="utf-8")
        assert "reporting rate" not in text
        read = re.sub(r"<(script|style).*?</\1>", "", text, flags=re.DOTALL).lower()
        assert "tau" not in re.findall(r"[a-z]+", read)
        assert "Left-handed people" in text
        assert "Who can do both." in text
        for word in ("victim", "trafficker", "municipalit", "province", "child", "barangay"):
            assert word not in read


def test_what_is_small_is_a_setting(tmp_path, small):
    project = small_country(tmp_path / "project")
    catalog = project.root / "data_catalog.yaml"
    catalog.write_text(catalog.read_text() + "  withhold_below: 2500\n  small_population: 3000\n")
    found = sa.Project(project.root).run().estimates("left")
    people = pd.read_csv(project.root / "data/towns.csv").set_index("code")["people"]
    assert (found["q50"].isna() == (people < 2500)).all()
    assert (found["flags"].str.contains("small_population(?:;|$)") == (people < 3000)).all()
    assert small.estimates("left")["q50"].notna().all()


def test_the_summary_holds_nothing_that_the_project_has_not(small):
    text = (small.folder / "summary.json").read_text()
    assert "network" not in text
    assert "null" not in text
    assert (small.folder / "survey" / "README.md").read_text().startswith("# What the direct est")


def test_where_every_row_finds_its_area_nothing_is_said_of_it(small):
    assert unmatched_lines(small) == []


def test_the_report_names_what_it_rests_on(small):
    text = (small.folder / "report.html").read_text(encoding="utf-8")
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(<td>.*?)</tr>", text)]
    answers = next(row for row in rows if row[0] == "Answers to a test")
    assert answers[1:] == [
        "nobody", "2020", "–", "data/direct.csv", "1", "6 areas, 600 people asked, design effect 1",
    ]  # fmt: skip
    total = next(row for row in rows if row[0] == "National total: left-handed people")
    assert total[1] == "a census"
    assert total[-1] == "3,000, standard error 300"


def test_the_same_inputs_give_the_same_numbers(small, tmp_path):
    again = small_country(tmp_path / "again").run()
    pd.testing.assert_frame_equal(again.table(), small.table())


def test_a_row_without_an_area_is_said_where_the_run_ends(tmp_path):
    project = small_country(tmp_path / "project")
    with (project.root / "data" / "books.csv").open("a") as table:
        table.write("t99,3\n")
    (line,) = unmatched_lines(project.run())
    assert line == ("note 1 row found no area: books.csv row 14 't99'; see unmatched.csv")


@pytest.mark.parametrize("rows", [1, 2])
def test_estimates_in_one_unit_of_the_lowest_level_are_refused_in_one_sentence(tmp_path, rows):
    project = small_country(tmp_path / "one")
    path = project.root / "data" / "direct.csv"
    pd.read_csv(path).head(rows).to_csv(path, index=False)
    with pytest.raises(InputError, match=r"one unit of the lowest level \(Shire 0\)") as told:
        project.run()
    assert "let each area be its own unit" in str(told.value)


def test_areas_may_be_their_own_units(tmp_path):
    project = small_country(tmp_path / "own")
    catalog = project.root / "data_catalog.yaml"
    text = catalog.read_text().replace("{name: shire}", "{name: part, column: code}")
    catalog.write_text(text.replace("shire: Shire", "part: Part"))
    assert len(project.run().estimates()) == 12


def test_changed_answers_are_another_run(small):
    project = sa.Project(small.folder.parents[1])
    path = project.root / "data" / "direct.csv"
    path.write_text(path.read_text().replace(",9,", ",19,"))
    stages = project.run().manifest["stages"]
    assert stages["frame"]["reused"]
    assert stages["features"]["reused"]
    assert not stages["direct"]["reused"]


def run_of(name: str, tmp_path: Path) -> sa.Project:
    root = tmp_path / name
    skip = shutil.ignore_patterns("runs", ".smallarea", "__pycache__")
    shutil.copytree(ROOT / "examples" / name, root, ignore=skip)
    catalog = root / "data_catalog.yaml"  # fewer draws: the way is the same
    catalog.write_text(catalog.read_text().replace("fast: 500", "fast: 200"))
    return sa.Project(root)


@pytest.fixture(scope="module")
def brazil(tmp_path_factory):
    return run_of("brazil", tmp_path_factory.mktemp("brazil")).run()


@pytest.mark.slow
def test_brazil_goes_from_points_and_yes_or_no_to_the_map(brazil):
    run = brazil
    assert run.synthetic  # the answers are drawn from the census
    table = run.table()
    assert table["area_id"].nunique() == 5565
    assert table["state"].nunique() == 27
    truth = pd.read_csv(ROOT / "examples/brazil/data/truth_2010.csv", dtype={"code": str})
    truth = truth.set_index("code")["poor"]
    rate = run.estimates("poor_rate")
    new = ~rate["surveyed"]
    error = 0.001 * rate.loc[new, "mean"] - truth[rate.index[new]]
    flat = truth[rate.index[new]] - 0.152
    assert float((error**2).mean()) < 0.5 * float((flat**2).mean())
    national = json.loads((run.folder / "manifest.json").read_text())["national"]["poor_rate"]
    assert national["q025"] < 152 < national["q975"]


@pytest.mark.slow
def test_models_of_brazil_are_compared_where_distances_are_those_of_prediction(brazil, tmp_path):
    words = ["--project", brazil.folder.parents[1], "--by", "knn", "--folds", 3, "--draws", 200]
    words += ["--without", "domain", "--out", tmp_path, "--json"]
    made = CliRunner().invoke(app, ["compare", *map(str, words)])
    assert made.exit_code == 0, made.output
    facts = json.loads(made.stdout)
    assert facts["mismatch_km"] <= facts["mismatch_random_km"]
    scores = pd.DataFrame(facts["scores"]).set_index(["model", "component"]).xs("all", level=1)
    assert list(scores.index[:2]) == ["national_rate", "place_alone"]
    assert scores.loc["pool (published)", "gain_low"] > 0
    assert scores.loc["pool (published)", "rank"] > 0.7
    assert [row["domain"] for row in facts["losses"]] == ["living conditions"]
    assert facts["losses"][0]["loss_low"] > 0  # it is all that the models know
    assert (tmp_path / "compare.png").is_file()


@pytest.mark.slow
def test_nepal_goes_from_counts_of_four_groups_to_the_map(tmp_path):
    shared = Path(os.environ.get("SMALLAREA_SHARED", ROOT.parent / "shared"))
    census = shared / "data" / "world" / "nepal" / "census_2011.parquet"
    if not census.is_file():
        pytest.skip(f"NEPAL'S CENSUS ABSENT: {census} not found; set SMALLAREA_SHARED")
    project = run_of("nepal", tmp_path)
    prepare = project.root / "prepare.py"
    scope: dict = {"__file__": str(prepare), "__name__": "prepare"}
    exec(compile(prepare.read_text(), str(prepare), "exec"), scope)
    scope["main"](census)
    run = project.run()
    table = run.table()
    assert table["area_id"].nunique() == 3972
    assert table["district"].nunique() == 75
    assert len(run.indicators.units) == 10
    assert (run.folder / "map.html").stat().st_size < 5e6
    counts = run.draws()["counts"]
    shown = run.estimates("all")
    added = counts.sum("component").median("draw").to_series()
    np.testing.assert_allclose(shown["q50"].dropna(), added[shown["q50"].dropna().index], rtol=1e-9)
