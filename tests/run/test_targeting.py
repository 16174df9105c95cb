"""`smallarea target` on a finished run: the table, the files, the errors."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from small import small_country
from typer.testing import CliRunner

import smallarea as sa
from smallarea.cli import app
from smallarea.errors import InputError
from smallarea.files import sha256
from smallarea.indicators import Indicators
from smallarea.publish.target import target_text
from smallarea.run.record import seal


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return small_country(tmp_path_factory.mktemp("target") / "project").run()


@pytest.fixture
def costs(run, tmp_path) -> Path:
    areas = run.table()["area_id"].unique()
    table = pd.DataFrame({"area": areas, "cost": np.arange(len(areas)) + 1.5})
    table.to_csv(tmp_path / "costs.csv", index=False)
    return tmp_path / "costs.csv"


def in_process(run, *words: object):
    project = str(run.folder.parents[1])
    return CliRunner().invoke(app, ["target", "--project", project, *map(str, words)])


def test_the_command_prints_a_table_and_keeps_it_beside_the_run(run):
    project = run.folder.parents[1]
    words = ["target", "--project", str(project), "--k", "5", "--min-per", "shire=1"]
    made = subprocess.run(
        [sys.executable, "-m", "smallarea", *words, "--above", "200"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    for said in ("Town 3, Shire 1", "80 % interval", "in best", "> 200", "a set drawn at random"):
        assert said in made.stdout
    assert "tau" not in made.stdout
    assert "This run is internal" in made.stdout
    folder = run.folder.parent / f"{run.folder.name}-target"
    assert {path.name for path in folder.iterdir()} == {"target.csv", "target.json"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    facts = json.loads((folder / "target.json").read_text())
    assert facts["made_of"]["manifest_sha256"] == sha256(run.folder / "manifest.json")
    assert facts["made_of"]["inputs"] == run.manifest["inputs"]
    table = pd.read_csv(folder / "target.csv", index_col="area_id")
    assert len(table) == 12
    assert table["chosen"].sum() == 5
    assert table[table["chosen"]]["shire"].nunique() == 4
    found = run.target(5, min_per={"shire": 1}, above=200.0)
    assert list(table.index[table["chosen"]]) == found.chosen
    assert [row["area_id"] for row in facts["chosen"]] == found.chosen
    expected = run.estimates().loc[table.index, ["q50", "rank_low"]].astype(float)
    np.testing.assert_allclose(table[["q50", "rank_low"]], expected, rtol=1e-5)
    files = {p.relative_to(run.folder).as_posix() for p in run.folder.rglob("*") if p.is_file()}
    assert files == {*run.manifest["outputs"], "manifest.json"}  # the run is as it was


def test_large_numbers_do_not_run_together(run):
    found = run.target(5)
    text = target_text(found, run.indicators, synthetic=False)
    columns = ["mean", "q10", "q50", "q90"]
    sets = found.sets.assign(**found.sets[columns] * 1e7 + 3_714_384_000)
    areas = found.areas.assign(**found.areas[["q10", "q90"]] * 1e7 + 3_714_384_000)
    wide = target_text(replace(found, sets=sets, areas=areas), run.indicators, synthetic=False)
    for line, short in zip(wide.splitlines(), text.splitlines(), strict=True):
        assert len(line.split()) == len(short.split()), line
    assert "  this set " in text
    assert max(map(len, text.splitlines()[1:7])) == 103


def test_a_budget_goes_through_as_one_json_object(run, costs, tmp_path):
    words = ("--budget", 20, "--costs", costs, "--out", tmp_path / "there", "--json")
    made = in_process(run, *words)
    assert made.exit_code == 0, made.output
    facts = json.loads(made.stdout)
    assert sum(row["cost"] for row in facts["chosen"]) <= 20 + 1e-6
    assert facts["made_of"]["costs"]["sha256"] == sha256(costs)
    assert (tmp_path / "there" / "target.csv").is_file()
    assert json.loads(in_process(run, *words).stdout) == facts


def test_named_places_are_compared(run, tmp_path):
    words = ("--place", "Town 3", "--place", "t04", "--against", "Town 0, Shire 0")
    made = in_process(run, *words, "--by", "rate", "--out", tmp_path, "--json")
    assert made.exit_code == 0, made.output
    facts = json.loads(made.stdout)
    assert sorted(row["area_id"] for row in facts["chosen"]) == ["t03", "t04"]
    assert 0 <= facts["against"]["chance"] <= 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--k", 13), "13 areas are wanted of 12"),
        (("--k", 3, "--min-per", "county=1"), "choose one of shire"),
        (("--k", 3, "--min-per", "shire=1"), "ask for 4 areas"),
        (("--k", 3, "--min-per", "shire"), "write LEVEL=N"),
        (("--place", "Town 77"), "no area is called 'Town 77'"),
        (("--k", 3, "--indicator", "right"), "choose one of left"),
        ((), "say how many areas"),
    ],
)
def test_what_is_wrong_is_said(run, words, said):
    made = in_process(run, *words)
    assert isinstance(made.exception, InputError)
    assert said in str(made.exception)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.assign(area=["x", *t["area"][1:]]), "row 2: 'x' is not an area's code"),
        (lambda t: pd.concat([t, t[:1]]), "row 14: 't00' has a cost already"),
        (lambda t: t.assign(cost=[*t["cost"][:11], -1]), "row 13: 't11' has a cost that is no"),
        (lambda t: t.assign(cost=[*t["cost"][:11], None]), "row 13: 't11' has a cost that is no"),
        (lambda t: t[1:], "1 areas have no cost, first t00"),
        (lambda t: t.rename(columns={"cost": "price"}), "no column 'cost'"),
    ],
)
def test_a_wrong_table_of_costs_is_named(run, costs, change, said):
    change(pd.read_csv(costs)).to_csv(costs, index=False)
    made = in_process(run, "--budget", 20, "--costs", costs)
    assert isinstance(made.exception, InputError)
    assert said in str(made.exception)


def test_whom_it_reaches_is_called_by_the_populations_label(run):
    named = run.indicators.model_dump()
    named["populations"]["population"]["label"] = "households"
    text = target_text(run.target(4), Indicators.model_validate(named), synthetic=False)
    assert "Reached (households)" in text
    assert "the places with most households" in text
    assert "people" not in text.replace("left-handed people", "")


def test_a_run_with_a_reporting_rate_says_what_it_changes(run, tmp_path):
    """The same run, were its counts divided by a reporting rate, and its survey invented."""
    folder = tmp_path / "runs" / "other"
    shutil.copytree(run.folder, folder)
    draws = run.draws()
    tau = np.random.default_rng(0).beta(2, 18, draws.sizes["draw"])
    told = draws.assign(counts=draws["counts"] / xr.DataArray(tau, dims="draw"), tau=("draw", tau))
    told.to_netcdf(folder / "draws.nc", engine="h5netcdf")
    areas = pd.read_parquet(folder / "areas.parquet")
    areas.assign(urban_share=np.arange(12) % 2).to_parquet(folder / "areas.parquet")
    manifest = run.manifest | {"tau_prior": {"a": 1.0, "b": 18.0, "source": "s"}, "synthetic": True}
    rewritten = {name: sha256(folder / name) for name in ("draws.nc", "areas.parquet")}
    manifest = seal(manifest | {"outputs": manifest["outputs"] | rewritten})
    (folder / "manifest.json").write_text(json.dumps(manifest))
    other = sa.Run(folder)
    found = other.target(4)
    assert set(found.chosen) == set(run.target(4).chosen)
    assert found.sets["mean"].isna().all()  # under Beta(1, 18) counts have none
    assert len(found.scenarios) == 2
    text = target_text(found, other.indicators, synthetic=other.synthetic)
    for said in ("SYNTHETIC SURVEY", "median", "neither the set nor its chances", "half as often"):
        assert said in text
    words = ("--run", folder, "--k", 4)
    assert in_process(run, *words).exit_code == 0
    table = pd.read_csv(folder.parent / "other-target" / "target.csv")
    assert set(table["notice"]) == {"SYNTHETIC SURVEY"}
