"""The stream files on the real data, against counts and shares derived independently of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from smallarea.areas import Frame
from smallarea.catalog import Catalog, load_catalog, take_snapshots
from smallarea.errors import InputError
from smallarea.features import Features, build_features, load_streams

PROJECT = Path(__file__).parents[2]
REAL = {"conflict", "demography", "housing", "land_cover", "population_2015", "poverty"}


@pytest.fixture(scope="module")
def real_frame(frame: Frame, real_data: Path) -> Frame:
    """The frame with the real polygons in place of the drawn ones."""
    polygons = gpd.read_parquet(real_data / "municipal_boundaries_2023.parquet")
    return dataclasses.replace(
        frame, geometry=polygons.set_index("psgc").geometry.reindex(frame.table.index)
    )


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(PROJECT / "data_catalog.yaml")


@pytest.fixture(scope="module")
def features(catalog, real_frame, real_data, tmp_path_factory) -> Features:
    """All streams that the real files allow; the others are left out."""
    sources = {k: s.model_copy(update={"optional": True}) for k, s in catalog.sources.items()}
    lenient = catalog.model_copy(update={"sources": sources})
    kept = take_snapshots(lenient.sources, [real_data], tmp_path_factory.mktemp("store"))
    return build_features(lenient, real_frame, PROJECT / "features", kept)


def derived(real_data: Path, file: str) -> pd.DataFrame:
    return pd.read_csv(real_data / file, dtype={"psgc": str}).set_index("psgc").sort_index()


def test_the_real_files_serve_their_streams_and_no_row_is_lost(features):
    assert set(features.info["stream"]) == REAL
    reports = {r.source: r for r in features.reports}
    for source, rows in (("poverty_sae", 4865), ("housing_2010", 1633), ("population_2015", 1634)):
        assert (reports[source].rows, reports[source].matched) == (rows, rows)
    assert reports["conflict_events"].rows == 4035
    left_out = [r for r in features.reports if "left out" in str(r)]
    assert len(left_out) == len(load_streams(PROJECT / "features")) - len(REAL)


def test_land_cover_agrees_with_shares_derived_elsewhere(features, real_data):
    shares = derived(real_data, "landcover_shares_2019.csv")
    for ours, theirs in {
        "forest_share": "lc_forest", "savanna_share": "lc_savanna", "crop_share": "lc_crop",
        "grass_share": "lc_grass", "wetland_share": "lc_wetland", "urban_land_share": "lc_urban",
        "water_share": "lc_water",
    }.items():  # fmt: skip
        difference = (features.values[ours] - shares[theirs]).abs()
        assert difference.max() < 1e-3, ours


def test_the_area_west_of_the_land_cover_is_missing_and_named(features, frame):
    missing = features.values.index[features.values["forest_share"].isna()]
    assert frame.table.loc[missing, "name"].tolist() == ["Kalayaan"]
    report = next(r for r in features.reports if r.source == "land_cover")
    assert "Kalayaan" in report.notes[0]


def test_conflict_counts_only_events_placed_at_a_municipality(features, frame, real_data):
    counts = derived(real_data, "ucdp_conflict_by_municipality.csv")
    per_100k = 100_000 / frame.table["population"]
    for ours, theirs in {
        "conflict_events_5y": "events_2017_2021",
        "conflict_deaths_5y": "deaths_best_2017_2021",
        "conflict_events_10y": "events_2012_2021",
    }.items():
        np.testing.assert_allclose(features.values[ours], counts[theirs] * per_100k, rtol=1e-12)


def test_housing_agrees_with_the_publishers_shares(features, real_data):
    shares = derived(real_data, "housing_materials_2010.csv")
    shares = shares.drop(index="1381500000")  # Taguig has got land of Makati's since
    values = features.values.reindex(shares.index)
    np.testing.assert_allclose(
        values[["strong_housing_share", "weak_wall_share"]],
        shares[["share_strong_strong", "share_light_or_salvaged_wall"]],
        atol=1e-4,
    )
    np.testing.assert_allclose(
        values["salvaged_housing_share"], shares["share_any_salvaged"], atol=1e-4
    )


def test_poverty_is_that_of_the_last_year(features, real_data):
    table = derived(real_data, "poverty_sae_2003_2009.csv")
    last = table.loc[table["year"] == 2009, "poverty_incidence_pct"]
    last = last.drop(index="1381500000")  # Taguig has got land of Makati's since
    found = features.values["poverty_incidence"]
    pd.testing.assert_series_equal(found[last.index], last, check_names=False, check_index=False)
    made_since = found.index[found.notna()].difference(last.index)
    assert len(made_since) == 9
    assert np.isnan(features.values.loc["1380600000", "poverty_incidence"])


def test_municipalities_younger_than_the_tables_have_what_their_parents_had(features, real_data):
    parents = pd.read_csv(real_data / "barmm_new_municipality_parents.csv", dtype=str)
    alone = parents[~parents["psgc"].duplicated(keep=False)]
    columns = ["population_growth", "poverty_incidence", "strong_housing_share"]
    assert features.values.loc[parents["psgc"], columns].notna().all(axis=None)
    of_parents = features.values.loc[alone["parent_psgc"], columns]
    np.testing.assert_allclose(features.values.loc[alone["psgc"], columns], of_parents, rtol=1e-9)
    named = next(r for r in features.reports if r.source == "housing_2010")
    assert "areas of 2010 carried to those of now" in str(named)


def test_without_the_rest_of_the_files_the_first_absent_one_is_named(
    catalog, real_frame, real_data, tmp_path
):
    kept = take_snapshots(catalog.sources, [real_data], tmp_path)
    with pytest.raises(
        InputError, match=r"file 'civil_registration_2021\.csv': its file is in none"
    ):
        build_features(catalog, real_frame, PROJECT / "features", kept)


def test_every_stream_says_what_it_means_and_its_trap():
    for path, stream in load_streams(PROJECT / "features").items():
        assert "Trap:" in stream.about, path.name
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 60, path.name
