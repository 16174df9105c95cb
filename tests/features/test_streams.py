"""Every stream file on the digital twin's files: complete, and true to what the files say."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from smallarea.areas import Frame
from smallarea.catalog import Catalog, load_catalog
from smallarea.features import Features, build_features, load_streams
from smallarea.simulate import TwinSettings, simulate

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(PROJECT / "data_catalog.yaml")


@pytest.fixture(scope="module")
def folder(frame: Frame, tmp_path_factory) -> Path:
    """The twin's streams, in a folder of their own."""
    twin = tmp_path_factory.mktemp("twin") / "twin"
    simulate(frame, TwinSettings(), twin)
    return twin / "streams"


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def features(catalog, frame, folder, store) -> Features:
    return build_features(catalog, frame, PROJECT / "features", [folder], store)


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
    withheld = ["suspicious_reports", "suspicious_amount"]  # most cells are below five
    assert features.info["coverage"].drop(withheld).min() > 0.8
    assert features.info.loc[withheld, "coverage"].min() > 0.2
    varying = features.values.drop(columns="children_share").std()  # one share for the country
    assert (varying > 0).all()


def test_a_second_build_from_the_store_is_the_same(features, catalog, frame, folder, store):
    again = build_features(catalog, frame, PROJECT / "features", [folder], store)
    pd.testing.assert_frame_equal(again.values, features.values)
    pd.testing.assert_frame_equal(again.info, features.info)


def test_subtotals_and_footnotes_are_not_counted_as_households(features, frame, folder):
    book = openpyxl.load_workbook(folder / "pantawid_households_2022.xlsx")
    rows = [row for row in book.active.iter_rows(min_row=5, values_only=True) if row[3]]
    households = sum(int(str(row[4]).replace(",", "")) for row in rows)
    assert total(features, frame, "pantawid_households", 1000) == pytest.approx(households)
    skipped = report(features, "pantawid").unmatched
    assert skipped["reason"].str.contains("sub-total").all()
    assert skipped["key"].str.contains("total", case=False).sum() > 50


def test_conflict_leaves_out_events_that_are_not_placed(features, frame, folder):
    events = pd.read_csv(folder / "ucdp_ged_phl_1989_2021_events.csv")
    lost = report(features, "conflict_events").unmatched["row"]
    placed = events.drop(index=lost - 2).query("where_prec <= 3 and year > year.max() - 10")
    assert len(placed) < len(events)
    assert total(features, frame, "conflict_events_10y", 1e5) == pytest.approx(len(placed))


def test_every_withheld_cell_is_counted_as_such(features, folder):
    for source, file in (
        ("telco", "telco_monthly_2022.csv"),
        ("suspicious_transactions", "suspicious_transactions_2022.csv"),
    ):
        cells = pd.read_csv(folder / file, dtype=str)
        withheld = cells.apply(lambda column: column.str.startswith("<").sum())
        assert withheld.sum() > 0
        assert report(features, source).suppressed == withheld[withheld > 0].to_dict()


def test_names_without_codes_find_their_area(features, frame, folder):
    accounts = pd.read_excel(folder / "municipal_finance_2022.xlsx", header=None)
    named = report(features, "municipal_finance")
    assert named.matched > 0.9 * len(accounts)
    found = features.values["municipal_income"].notna().sum()
    assert found == named.matched


def test_nine_digit_flows_arrive(features, frame, folder):
    trips = pd.read_csv(folder / "commuting_od_2022.csv", dtype=str)
    lost = report(features, "commuting").unmatched["row"]
    kept = trips.drop(index=lost - 2)
    between = kept[kept["origin_psgc"] != kept["destination_psgc"]]["trips"].astype(float).sum()
    assert total(features, frame, "commuters_in", 1000) == pytest.approx(between)
    assert total(features, frame, "commuters_out", 1000) == pytest.approx(between)


def test_streams_show_the_same_country(features):
    rank = features.values.rank().corr()
    assert rank.loc["lights_mean", "population_density"] > 0.5
    assert rank.loc["poverty_incidence", "relative_wealth"] < -0.3
    assert rank.loc["poverty_incidence", "pantawid_households"] > 0.3
