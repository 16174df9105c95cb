"""The truth: exact totals, the stated variation between areas, and what streams explain of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from study import CATALOG, COMPONENTS, INDICATORS, REFERENCE, overlapping, twin_settings

from smallarea.errors import InputError
from smallarea.simulate import TwinSettings, grow_truth
from smallarea.simulate.groups import Groups, loadings, whole_numbers
from smallarea.simulate.surfaces import normal_scores, smooth_field

#: So many that rounding to whole people does not matter.
MANY = {"victims": 30_000_000, "traffickers": 30_000_000}


def log_rates(frame, truth):
    base = frame.table[[REFERENCE[k] for k in COMPONENTS]].to_numpy()
    return np.log((truth.counts + 0.5) / base)


def explained(y, x):
    """R2 of y on the columns of x."""
    design = np.column_stack([np.ones(len(y)), x])
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    return 1 - residual.var() / y.var()


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=50).filter(lambda w: sum(w) > 1e-3),
    st.integers(0, 10**7),
)
def test_whole_numbers_keep_the_total_and_stay_within_one_of_the_exact_share(weights, total):
    share = np.array(weights)
    whole = whole_numbers(share, total)
    assert whole.sum() == total
    assert np.all(np.abs(whole - total * share / share.sum()) < 1 + 1e-6)


def test_totals_are_the_published_ones(truth):
    assert truth.counts[["victims_live", "victims_nonlive"]].sum().sum() == 471_416
    assert truth.counts[["traffickers_live", "traffickers_nonlive"]].sum().sum() == 232_444
    assert (truth.counts >= 0).all().all()


def test_a_sum_counts_people_once_and_components_may_have_totals_of_their_own(corner):
    settings = twin_settings(totals={"victims": 1_500, "traffickers_live": 200})
    counts = grow_truth(corner, overlapping(0.5), settings).counts.sum()
    live, other = counts["victims_live"], counts["victims_nonlive"]
    assert (live, other) == (1_000, 1_000)
    assert counts["traffickers_live"] == 200
    adults = corner.table["adults"].sum()
    assert counts["traffickers_nonlive"] == round(0.005 * adults)


@pytest.mark.parametrize(
    ("totals", "said"),
    [
        ({"crimes": 10}, "'crimes' is no component or sum"),
        ({"victims": 10, "victims_live": 10}, "'victims_live' is given twice"),
        ({"victims": 10**9}, "more than half of its people"),
    ],
)
def test_impossible_totals_are_refused(corner, totals, said):
    with pytest.raises(InputError, match=said):
        grow_truth(corner, INDICATORS, twin_settings(totals=totals))


@given(st.integers(1, 8), st.integers(1, 8), st.floats(0, 0.95), st.floats(0, 0.95))
def test_loadings_have_length_1_and_give_the_correlations_back(n, factors, within, between):
    blocks = np.kron(np.eye(n), np.ones((2, 2)))
    correlation = np.where(blocks > 0, max(within, between), min(within, between))
    np.fill_diagonal(correlation, 1.0)
    rows = loadings(correlation, 2 * n)
    np.testing.assert_allclose(rows @ rows.T, correlation, atol=1e-9)
    few = loadings(correlation, min(factors, 2 * n))
    np.testing.assert_allclose((few**2).sum(axis=1), 1.0)


def test_components_of_one_sum_are_more_alike():
    correlation = Groups.of(INDICATORS, twin_settings()).correlation(twin_settings())
    expected = [[1, 0.8, 0.7, 0.7], [0.8, 1, 0.7, 0.7], [0.7, 0.7, 1, 0.8], [0.7, 0.7, 0.8, 1]]
    np.testing.assert_array_equal(correlation, expected)


def test_log_rates_vary_and_correlate_as_set(frame):
    many = twin_settings(totals=MANY, area_sd=0.3)  # little rounding
    rates = log_rates(frame, grow_truth(frame, INDICATORS, many))
    assert rates.std(ddof=0).to_numpy() == pytest.approx(0.3, abs=0.002)
    correlation = rates.corr()
    assert correlation.loc["victims_live", "victims_nonlive"] == pytest.approx(0.8, abs=0.01)
    assert correlation.loc["victims_live", "traffickers_live"] == pytest.approx(0.7, abs=0.01)


@pytest.mark.parametrize("signal", [0.0, 0.6, 1.0])
def test_surfaces_explain_the_share_that_signal_says(frame, signal):
    settings = twin_settings(totals=MANY, area_sd=0.3, signal=signal, nonlinear=0.0)
    world = grow_truth(frame, INDICATORS, settings)
    for component in COMPONENTS:
        y = log_rates(frame, world)[component].to_numpy()
        assert explained(y, world.surfaces) == pytest.approx(signal, abs=0.02)


def test_without_signal_no_surface_correlates_with_the_truth(frame):
    world = grow_truth(frame, INDICATORS, twin_settings(signal=0.0, totals=MANY, area_sd=0.3))
    correlation = world.surfaces.corrwith(log_rates(frame, world)["victims_live"])
    assert correlation.abs().max() < 0.02


def test_tau_averages_to_the_national_rate_over_the_covered_people(frame, truth):
    inside = frame.table["covered"]
    reported = (truth.counts * truth.tau_areas)[inside].sum()
    assert (reported / truth.counts[inside].sum()).to_numpy() == pytest.approx(truth.tau)
    urban = frame.table["urban_share"] > 0.9
    rural = frame.table["urban_share"] < 0.1
    ratio = truth.tau_areas[rural].mean() / truth.tau_areas[urban].mean()
    assert ratio.to_numpy() == pytest.approx(twin_settings().tau_rural, rel=0.15)


def test_tau_is_drawn_from_the_documented_prior(corner, corner_settings):
    prior = stats.beta(*corner_settings.tau_prior)
    assert prior.mean() == pytest.approx(0.05)
    assert prior.std() / prior.mean() == pytest.approx(0.25)
    taus = [
        grow_truth(corner, INDICATORS, corner_settings.model_copy(update={"seed": seed})).tau
        for seed in range(100)
    ]
    assert stats.kstest(taus, prior.cdf).pvalue > 0.001
    known = twin_settings(tau_cv=0, totals={"victims": 100, "traffickers": 100})
    assert grow_truth(corner, INDICATORS, known).tau == 0.05


def test_known_groups_add_up_and_crowd_into_towns(frame, truth):
    children = truth.known[list(CATALOG.twin["ages"])].sum().sum()
    assert children == round(frame.table["children"].sum())
    share = truth.known["bpo_workers"] / frame.table["adults"]
    assert stats.spearmanr(share, frame.table["urban_share"]).statistic > 0.5
    assert (truth.known.drop(columns="students").sum(axis=1) < frame.table["population"]).all()


def test_a_smooth_field_is_smooth(frame):
    field = smooth_field(frame.table, np.random.default_rng(1))
    neighbour_mean = frame.neighbours @ field / frame.neighbours.sum(axis=1)
    assert np.corrcoef(field, neighbour_mean)[0, 1] > 0.9


@given(st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), min_size=3, max_size=40))
def test_normal_scores_keep_order_and_missing(values):
    column = pd.Series(values, dtype=float)
    scores = normal_scores(column.to_frame("x"))["x"]
    assert scores.isna().equals(column.isna())
    order = column.dropna().rank()
    assert order.equals(scores.dropna().round(12).rank())


class TestRealFeatures:
    """The truth grows out of the features it is given."""

    @pytest.fixture
    def features(self, frame):
        rng = np.random.default_rng(3)
        latent = rng.normal(size=(len(frame.table), 8)) @ rng.normal(size=(8, 12))
        latent = np.exp(latent / 3)  # skewed, as real streams are
        features = pd.DataFrame(latent, frame.table.index).add_prefix("x")
        return features.mask(rng.random(features.shape) < 0.05)

    def test_truth_is_a_function_of_them(self, frame, features):
        settings = twin_settings(totals=MANY, area_sd=0.3, signal=1.0, nonlinear=0.0)
        scores = normal_scores(features).fillna(0)
        y = log_rates(frame, grow_truth(frame, INDICATORS, settings, features))[
            "victims_live"
        ].to_numpy()
        assert explained(y, scores) > 0.98
        y = log_rates(frame, grow_truth(frame, INDICATORS, settings))["victims_live"].to_numpy()
        assert explained(y, scores) < 0.1

    def test_the_order_of_their_rows_is_irrelevant(self, frame, features):
        shuffled = features.sample(frac=1, random_state=1)
        settings = twin_settings()
        one, other = (grow_truth(frame, INDICATORS, settings, f) for f in (features, shuffled))
        pd.testing.assert_frame_equal(one.counts, other.counts)

    def test_too_few_or_absent_rows_are_refused(self, frame, features):
        constant = features.assign(**dict.fromkeys(features.columns[4:], 1.0))
        with pytest.raises(InputError, match="only 4 features vary"):
            grow_truth(frame, INDICATORS, twin_settings(), constant)
        with pytest.raises(InputError, match="1 areas are absent"):
            grow_truth(frame, INDICATORS, twin_settings(), features.iloc[1:])


def test_a_knob_out_of_bounds_is_one_clear_sentence():
    with pytest.raises(InputError, match="twin setting 'signal'"):
        TwinSettings(signal=2)
    with pytest.raises(InputError, match="twin setting 'sginal'"):
        TwinSettings(sginal=0.5)
