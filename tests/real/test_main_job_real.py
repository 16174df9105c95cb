"""The main job on the real files: they take the twin's place, and every lost row is named."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

import smallarea as sa
from smallarea.files import sha256

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> sa.Project:
    project = sa.Project.init(tmp_path_factory.mktemp("real") / "project")
    catalog = project.root / "data_catalog.yaml"
    text = catalog.read_text()
    catalog.write_text(text.replace("fast: 1000", "fast: 200").replace("folds: 5", "folds: 3"))
    return sa.Project(project.root)


@pytest.fixture(scope="module")
def run(project: sa.Project, real_data: Path) -> sa.Run:
    """A run on the real streams, with a truth that has nothing to do with them."""
    project.simulate(real_data, seed=11, signal=0)
    shutil.rmtree(project.twin / "truth")
    return project.run(real_data)


def test_real_files_take_the_place_of_the_twins(run, real_data):
    used = {entry.get("source"): entry for entry in run.manifest["inputs"]}
    poverty = used["poverty_sae"]
    assert poverty["sha256"] == sha256(real_data / "poverty_sae_2003_2009.csv")
    assert not poverty["synthetic"]
    assert used["viirs_annual"]["synthetic"]
    features = pd.read_parquet(run.folder / "features.parquet")
    share = pd.read_csv(real_data / "housing_materials_2010.csv", dtype={"psgc": str})
    expected = share.set_index("psgc")["share_strong_strong"].reindex(features.index)
    off = (features["strong_housing_share"] - expected).abs()
    names = pd.read_parquet(run.folder / "areas.parquet").set_index("area_id")["name"]
    moved = set(names[off.index[off > 1e-3]])  # ten of the units counted then have changed hands
    assert moved == {"City of Taguig"}


def test_real_boundaries_are_mapped(run, real_data):
    geometry = run.estimates("victims").geometry
    assert len(geometry) == 1642
    assert geometry.total_bounds[0] == pytest.approx(114.278, abs=0.01)
    frame = [entry["file"] for entry in run.manifest["inputs"] if entry.get("source") == "frame"]
    assert "municipal_boundaries_2023.parquet" in frame
    assert "population_age_sex_2015_province.csv" in frame


def test_rows_that_match_no_area_are_counted_and_named(run):
    reads = " ".join(run.manifest["reads"])
    assert "4,865 of 4,865 rows matched" in reads
    assert "where_prec" in reads or "conflict_events" in reads
    assert "Kalayaan" in reads


def test_unrelated_truth_is_said_to_be_unrelated(run):
    covariates = run.manifest["covariates"]
    assert covariates["figures"]["chance"] < 0.977
    assert not covariates["sentence"].startswith("Covariates clearly help")


def test_the_survey_is_still_the_twins(run):
    assert run.synthetic
    assert "SYNTHETIC SURVEY" in (run.folder / "map.html").read_text()
