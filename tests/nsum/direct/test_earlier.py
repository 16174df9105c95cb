"""An earlier wave at a discount: counts, levels, precisions are what a power prior makes them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallarea.errors import InputError
from smallarea.models.counts import effective_counts
from smallarea.nsum.direct.earlier import drawn_share, with_earlier
from smallarea.nsum.direct.estimates import Direct, Units

NAMES = ["live", "nonlive"]


def wave(areas: list[str], seed: int, level: float = 1.0, deff: float = 2.0) -> Direct:
    """Counts of some areas, with a covariance of the components' errors."""
    rng = np.random.default_rng(seed)
    at = pd.Index(areas, name="area_id")
    exposure = pd.DataFrame(rng.uniform(2000, 9000, (len(at), 2)).round(), at, NAMES)
    reports = pd.DataFrame(rng.poisson(0.004 * level * exposure).astype(float), at, NAMES)
    variance = deff * 0.004 * level / exposure
    order = pd.MultiIndex.from_product([at, NAMES], names=["area_id", "component"])
    root = np.sqrt(variance.to_numpy())
    blocks = root[:, :, None] * root[:, None, :] * np.array([[1, 0.3], [0.3, 1]])
    covariance = pd.DataFrame(blocks.reshape(-1, 2), order, NAMES)
    return Direct(reports, exposure, variance, pd.Series(deff, NAMES), covariance=covariance)


AREAS = [f"a{i:02d}" for i in range(30)]


def test_the_same_wave_again_counts_twice():
    one = wave(AREAS, 1)
    both = with_earlier(one, one)
    pd.testing.assert_frame_equal(both.reports, 2 * one.reports)
    pd.testing.assert_frame_equal(both.exposure, 2 * one.exposure)
    pd.testing.assert_frame_equal(both.variance, one.variance / 2)
    assert both.covariance is not None
    assert one.covariance is not None
    pd.testing.assert_frame_equal(both.covariance, one.covariance / 2)


@settings(deadline=None, max_examples=40)
@given(level=st.floats(0.2, 5.0), deff=st.floats(1.0, 8.0))
def test_effective_counts_add_up_at_the_present_level(level, deff):
    now, then = wave(AREAS[:20], 2), wave(AREAS[10:], 3, level=level, deff=deff)
    both = with_earlier(now, then)
    reports, exposure = effective_counts(both)
    y, e = effective_counts(now)
    y_then, e_then = effective_counts(then)
    ratio = (then.reports.sum() + 0.5) / then.exposure.sum()
    ratio /= (now.reports.sum() + 0.5) / now.exposure.sum()
    wanted = y.reindex(AREAS, fill_value=0) + y_then.reindex(AREAS, fill_value=0)
    pd.testing.assert_frame_equal(reports, wanted, check_names=False)
    wanted = e.reindex(AREAS, fill_value=0) + ratio * e_then.reindex(AREAS, fill_value=0)
    pd.testing.assert_frame_equal(exposure, wanted, check_names=False)
    assert (both.variance.loc[AREAS[:20]] <= now.variance * (1 + 1e-12)).all(axis=None)
    swapped = with_earlier(
        now, Direct(then.reports[::-1], then.exposure[::-1], then.variance[::-1], then.deff)
    )
    pd.testing.assert_frame_equal(swapped.exposure, both.exposure)  # order of rows is irrelevant


def test_an_earlier_wave_without_a_report_says_that_it_has_none():
    now, then = wave(AREAS, 4), wave(AREAS, 5)
    then.reports.loc[:] = 0.0
    both = with_earlier(now, then)
    assert np.isfinite(both.exposure).all(axis=None)
    assert (both.exposure >= now.exposure).all(axis=None)
    pd.testing.assert_frame_equal(both.reports, now.reports)


@settings(deadline=None, max_examples=30)
@given(share=st.floats(0.01, 1.0), seed=st.integers(0, 99))
def test_a_share_of_each_area_is_drawn_whatever_the_order(share, seed):
    area = pd.Series(np.repeat(["x", "y", "z"], [1, 20, 37]), [f"r{i}" for i in range(58)])
    kept = pd.Series(drawn_share(area, share, seed), area.index)
    wanted = (area.value_counts() * share).round().clip(lower=1)
    assert (kept.groupby(area).sum() == wanted.sort_index()).all()
    turned = pd.Series(drawn_share(area[::-1], share, seed), area.index[::-1])
    pd.testing.assert_series_equal(kept, turned.sort_index(key=lambda ids: ids.str[1:].astype(int)))


def test_waves_that_count_other_groups_are_refused():
    now, then = wave(AREAS, 1), wave(AREAS, 2)
    other = Direct(
        then.reports.rename(columns={"live": "x"}), then.exposure, then.variance, then.deff
    )
    with pytest.raises(InputError, match="it counts x, nonlive, the present one live, nonlive"):
        with_earlier(now, other)


def test_a_release_knows_the_sampling_units_of_both_waves():
    from smallarea.release.groups import sampling_units

    def asked(direct: Direct, psu: str) -> Direct:
        area = pd.Series(direct.reports.index, [f"r{i}" for i in range(len(direct.reports))])
        tables = (table.set_axis(area.index) for table in (direct.reports, direct.exposure))
        units = Units(*tables, area, psu + area)
        return replace(direct, units=units)

    now, then = asked(wave(AREAS[:20], 2), "now "), asked(wave(AREAS[10:], 3), "then ")
    both = with_earlier(now, then)
    units = sampling_units(both)
    wanted = {f"now {a}" for a in AREAS[:20]} | {f"then {a}" for a in AREAS[10:]}
    assert set(units["psu"]) == wanted
    total = now.reports.sum() + then.reports.sum()
    pd.testing.assert_series_equal(units[NAMES].sum(), total)
    assert both.units is not None
    assert set(both.units.within(pd.Index(AREAS[:1])).psu) == {f"now {AREAS[0]}"}
