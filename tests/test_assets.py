"""A project's assets, materialised by a real Dagster instance."""

from __future__ import annotations

import dagster as dg
import pandas as pd
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest
from small import small_country, with_pens

from smallarea.assets import definitions


@pytest.fixture
def root(tmp_path):
    """The small project with a second stream of a second source."""
    return with_pens(small_country(tmp_path / "project").root)


def materialised(made: dg.Definitions, instance: dg.DagsterInstance, selection=None, **how):
    result = dg.materialize(
        made.assets, instance=instance, selection=selection, raise_on_error=False, **how
    )
    return result, {
        "/".join(event.asset_key.path): event.materialization.tags["dagster/data_version"]
        for event in result.get_asset_materialization_events()
    }


def test_what_is_made_of_a_changed_source_is_stale_and_made_anew(root):
    made = definitions(root)
    with dg.DagsterInstance.ephemeral() as instance:
        result, first = materialised(made, instance)
        assert result.success
        assert {"source/books", "source/pens", "stream/books", "stream/pens", "features", "answers",
                "rates", "model/poisson_ridge", "product/map.html"} <= set(first)  # fmt: skip
        assert all(check.passed for check in result.get_asset_check_evaluations())
        assert len(result.get_asset_check_evaluations()) == 4

        table = pd.read_csv(root / "data" / "pens.csv")
        table.assign(pens=table["pens"] + 1).to_csv(root / "data" / "pens.csv", index=False)
        _, seen = materialised(made, instance, dg.AssetSelection.key_prefixes("source"))
        assert seen["source/books"] == first["source/books"]
        assert seen["source/pens"] != first["source/pens"]
        graph = made.resolve_asset_graph()
        stale = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
        assert stale.get_status(dg.AssetKey(["stream", "pens"])) == StaleStatus.STALE
        assert stale.get_status(dg.AssetKey(["stream", "books"])) == StaleStatus.FRESH

        _, again = materialised(made, instance)
        kept = {name for name in first if again[name] == first[name]}
        assert {"source/books", "stream/books", "answers"} <= kept
        stale = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
        assert {stale.get_status(key) for key in graph.get_all_asset_keys()} == {StaleStatus.FRESH}
        assert not {"source/pens", "stream/pens", "features", "rates"} & kept


@pytest.mark.slow
def test_a_source_that_breaks_its_entry_fails_its_check(root):
    made = definitions(root)
    with dg.DagsterInstance.ephemeral() as instance:
        materialised(made, instance)
        (root / "data" / "pens.csv").write_text("code,pens\nt00,many\n")
        result, _ = materialised(made, instance)
        failed = {
            (check.check_name, "/".join(check.asset_key.path))
            for check in result.get_asset_check_evaluations()
            if not check.passed
        }
        assert failed == {("contract", "source/pens"), ("nothing_in_quarantine", "features")}


def test_sources_are_late_after_twice_their_cadence_and_all_has_a_schedule(root):
    made = definitions(root, cron="0 6 * * 1")
    graph = made.resolve_asset_graph()
    policy = graph.get(dg.AssetKey(["source", "books"])).freshness_policy
    assert policy.fail_window.to_timedelta().days == 2 * 365
    (schedule,) = made.schedules
    assert schedule.cron_schedule == "0 6 * * 1"
