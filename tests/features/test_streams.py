"""Every stream file on the digital twin's files: complete, and true to what the files say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from study import CATALOG, COMPONENTS, INDICATORS, REFERENCE, twin_settings

from smallarea.areas import Frame
from smallarea.catalog import Catalog, take_snapshots
from smallarea.features import Features, build_features, load_streams
from smallarea.simulate import grow_truth, simulate
from smallarea.simulate.surfaces import normal_scores

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return CATALOG


@pytest.fixture(scope="module")
def folder(frame: Frame, tmp_path_factory) -> Path:
    """The twin's streams, in a folder of their own."""
    twin = tmp_path_factory.mktemp("twin") / "twin"
    simulate(frame, INDICATORS, CATALOG, twin_settings(), twin)
    return twin / "streams"


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def features(catalog, frame, folder, store) -> Features:
    kept = take_snapshots(catalog.sources, [folder], store)
    return build_features(catalog, frame, PROJECT / "features", kept)


def report(features: Features, source: str):
    return next(r for r in features.reports if r.source == source)


def total(features: Features, frame: Frame, feature: str, per: float) -> float:
    """Undo a rate per person and sum it over all areas."""
    return (features.values[feature] * frame.table["population"] / per).sum()


def test_every_stream_runs_and_covers_nearly_every_area(features, catalog, frame):
    assert set(features.info["stream"]) == {
        s.name for s in load_streams(PROJECT / "features").values()
    }
    assert {r.source for r in features.reports} == set(catalog.sources)
    withheld = [
        "suspicious_reports",
        "suspicious_amount",
        "implicated_share",
    ]  # most cells are below five
    assert features.info["coverage"].drop(withheld).min() > 0.8
    assert features.info.loc[withheld, "coverage"].min() > 0.2
    varying = features.values.drop(columns="children_share").std()  # one share for the country
    assert (varying > 0).all()


@pytest.mark.slow
def test_a_second_build_from_the_store_is_the_same(features, catalog, frame, folder, store):
    kept = take_snapshots(catalog.sources, [folder], store)
    again = build_features(catalog, frame, PROJECT / "features", kept)
    pd.testing.assert_frame_equal(again.values, features.values)
    pd.testing.assert_frame_equal(again.info, features.info)


def test_titles_and_footnotes_are_not_counted_as_households(features, frame, folder):
    book = openpyxl.load_workbook(folder / "pantawid_households_2022.xlsx")
    rows = [row for row in book.active.iter_rows(min_row=4, values_only=True) if row[1]]
    households = sum(int(row[2]) for row in rows)
    assert total(features, frame, "pantawid_households", 1000) == pytest.approx(households)
    skipped = report(features, "pantawid").unmatched
    assert skipped["reason"].str.contains("footnote").all()
    assert len(skipped) == 1


def test_conflict_leaves_out_events_that_are_not_placed(features, frame, folder):
    events = pd.read_csv(folder / "ucdp_ged_phl_1989_2021_events.csv")
    lost = report(features, "conflict_events").unmatched["row"]
    placed = events.drop(index=lost - 2).query("where_prec <= 3 and year > year.max() - 10")
    assert len(placed) < len(events)
    assert total(features, frame, "conflict_events_10y", 1e5) == pytest.approx(len(placed))


def test_every_withheld_cell_is_counted_as_such(features, folder):
    cells = pd.read_csv(folder / "suspicious_transactions_2022.csv", dtype=str)
    withheld = cells.apply(lambda column: column.str.startswith("<").sum())
    assert withheld.sum() > 0
    found = report(features, "suspicious_transactions").suppressed
    assert found == withheld[withheld > 0].to_dict()


def test_names_without_codes_find_their_area(features, frame, folder):
    accounts = pd.read_excel(folder / "municipal_finance_2022.xlsx", header=None)
    named = report(features, "municipal_finance")
    assert named.matched > 0.9 * len(accounts)
    found = features.values["municipal_income"].notna().sum()
    made_since = len(frame.transfers["area_id"].unique()) - 1  # one of them was there before
    assert found == named.matched + made_since


def test_flows_arrive(features, frame, folder):
    trips = pd.read_csv(folder / "commuting_od_2022.csv", dtype=str)
    lost = report(features, "commuting").unmatched["row"]
    kept = trips.drop(index=lost - 2)
    moving = kept["origin_psgc"] != kept["destination_psgc"]
    size = kept["trips"].astype(float)
    divided = kept["origin_psgc"].isin(frame.transfers["origin"]) & ~moving  # areas of now in one
    for end in ("commuters_in", "commuters_out"):
        found = total(features, frame, end, 1000)
        assert size[moving].sum() <= found <= size[moving | divided].sum()


def test_streams_explain_what_the_truth_hangs_on(features, frame):
    """As much of the log rates as the knob says, but for what is not linear and stream noise."""
    settings = twin_settings()
    truth = grow_truth(frame, INDICATORS, settings)
    varying = features.values.drop(columns="children_share")
    x = np.column_stack([np.ones(len(varying)), normal_scores(varying).fillna(0)])

    def explained(y: np.ndarray) -> float:
        residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
        return 1 - (residual @ residual / (len(y) - x.shape[1])) / y.var()

    for surface in truth.surfaces.to_numpy().T:
        assert explained(surface) > 0.9
    linear = settings.signal * (1 - settings.nonlinear)
    for k in COMPONENTS:
        rate = np.log((truth.counts[k] + 0.5) / frame.table[REFERENCE[k]]).to_numpy()
        assert linear - 0.1 < explained(rate) < settings.signal


def test_every_column_of_every_stream_stands_in_the_table_of_docs(features):
    rows = (PROJECT / "docs" / "streams.md").read_text().splitlines()
    for name, stream in load_streams(PROJECT / "features").items():
        (row,) = [r for r in rows if f"| `{stream.name}` |" in r]
        told = features.info[features.info["stream"] == stream.name].iloc[0]
        for column, unit in stream.unit.items():
            assert f"`{column}` {unit}" in row, name
        for fact in ("level", "vintage", "domain", "access"):
            assert f"| {told[fact] or '2024'} |" in row, (name, fact)
        assert "Trap:" in stream.about, name
    assert (
        sum(r.startswith("| ") and r[2].isdigit() for r in rows)
        == features.info["stream"].nunique()
    )


def test_every_source_has_a_domain_of_the_study(catalog):
    domains = {"financial", "telecommunications", "internet use", "socio-demographic", "geospatial",
               "administrative", "night lights"}  # fmt: skip
    assert {source.domain for source in catalog.sources.values()} == domains
