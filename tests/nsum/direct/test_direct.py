"""Direct estimates: sums by area, smoothed variances, and what between-barangay variation does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallarea.errors import InputError
from smallarea.nsum import degrees, direct_estimates, load_direct, save_direct
from smallarea.nsum.classical.scale_up import killworth
from smallarea.nsum.direct.clustering import ClusterPrior, clustering, dispersion, variation
from smallarea.survey import ARD, make_ard

KNOWN = ["a", "b", "c", "d", "e"]
GROUPS = pd.DataFrame(
    {
        "group": [*KNOWN, "young", "old", "victims", "traffickers"],
        "kind": ["known"] * 7 + ["hidden"] * 2,
        "size": [20_000, 30_000, 50_000, 10_000, 15_000, 300_000, 300_000, None, None],
        "population": [1e6] * 5 + [6e5] * 3 + [1e6],
        "network": ["adult"] * 5 + ["child"] * 3 + ["adult"],
    }
)


def world(
    areas: int = 120,
    psus_per_area: int = 1,
    replicated: int = 4,
    between: float = 0.3,
    spread: float = 0.6,
    phi: float = 1.5,
    households: int = 24,
    seed: int = 0,
) -> tuple[ARD, pd.DataFrame]:
    """A survey with lognormal areas and PSUs, and the areas' true reported rates."""
    rng = np.random.default_rng(seed)
    psus = np.full(areas, psus_per_area)
    psus[:replicated] = psus_per_area + 1
    area = np.repeat(np.arange(areas), psus)
    psu = np.repeat(np.arange(len(area)), households)
    of_area = area[psu]
    n, m = len(psu), len(area)
    rates = pd.DataFrame(
        {
            "victims": 0.01 * rng.lognormal(-(spread**2) / 2, spread, areas),
            "traffickers": 0.002 * rng.lognormal(-(spread**2) / 2, spread, areas),
        }
    )
    effect = pd.DataFrame(
        rng.lognormal(-(between**2) / 2, between, (m, 9)), columns=GROUPS["group"]
    ).iloc[psu]
    adult, child = rng.lognormal(5.2, 0.5, n), rng.poisson(rng.lognormal(3.7, 0.5, n))
    survey = pd.DataFrame({"area": [f"{a:03d}" for a in of_area], "psu": psu, "adults": adult})

    def overdispersed(mean: np.ndarray) -> np.ndarray:
        return rng.poisson(rng.gamma(np.maximum(mean, 1e-12) / (phi - 1), phi - 1))

    for group, size in zip(KNOWN, GROUPS["size"], strict=False):
        survey[group] = overdispersed(adult * size / 1e6 * effect[group].to_numpy())
    survey["young"] = rng.binomial(child, 0.5)
    survey["old"] = child - survey["young"]
    for group, degree in (("victims", child), ("traffickers", adult)):
        mean = degree * rates[group].to_numpy()[of_area] * effect[group].to_numpy()
        survey[group] = overdispersed(mean)
    rates.index = [f"{a:03d}" for a in range(areas)]
    return make_ard(survey, GROUPS, psu="psu", area="area"), rates


def test_reports_and_exposure_are_sums_over_an_areas_respondents() -> None:
    ard, _ = world(areas=8)
    direct = direct_estimates(ard)
    here = ard.design["area_id"] == "005"
    assert direct.reports.loc["005", "victims"] == ard.counts.loc[here, "victims"].sum()
    child = ard.counts.loc[here, ["young", "old"]].sum().sum()
    assert direct.exposure.loc["005", "victims"] == child
    adult = degrees(ard).loc[here].sum()
    assert direct.exposure.loc["005", "traffickers"] == pytest.approx(adult)
    assert direct.rate.index.is_monotonic_increasing
    both_barangays = ard.design["area_id"] == "001"
    assert both_barangays.sum() == 48
    assert (
        direct.reports.loc["001", "traffickers"]
        == ard.counts.loc[both_barangays, "traffickers"].sum()
    )


def test_a_missing_answer_leaves_reports_and_exposure() -> None:
    ard, _ = world(areas=8)
    first = ard.counts.index[0]
    counts = ard.counts.copy()
    counts.loc[first, ["victims", "a"]] = np.nan
    without = direct_estimates(replace(ard, counts=counts))
    full = direct_estimates(ard)
    area = ard.design.loc[first, "area_id"]
    gone = full.exposure.loc[area, "victims"] - without.exposure.loc[area, "victims"]
    assert gone == ard.counts.loc[first, ["young", "old"]].sum()
    one = full.exposure.loc[area, "traffickers"] - without.exposure.loc[area, "traffickers"]
    before, after = degrees(ard)[first], degrees(replace(ard, counts=counts))[first]
    assert one == pytest.approx(before - after)


def test_every_area_has_a_positive_variance_and_replicates_lower_it() -> None:
    ard, _ = world()
    direct = direct_estimates(ard)
    assert (direct.variance > 0).all(axis=None)
    assert (direct.reports["traffickers"] == 0).any()
    relative = direct.variance["victims"] * direct.exposure["victims"]
    assert relative.iloc[:4].mean() < relative.iloc[4:].mean()
    assert (direct.deff > 1).all()
    assert (direct.components["deff_low"] < direct.deff).all()
    assert (direct.components["deff_high"] > direct.deff).all()


def test_smoothed_variances_are_the_errors_that_occur() -> None:
    """Squared errors over variances average 1 over 24 surveys, for rare and for common reports."""
    ratios = []
    for seed in range(24):
        ard, truth = world(seed=seed)
        direct = direct_estimates(ard)
        error = direct.rate - truth
        ratios.append((error**2).sum() / direct.variance.sum())
    mean, spread = np.mean(ratios, axis=0), np.std(ratios, axis=0) / np.sqrt(len(ratios))
    assert (np.abs(mean - 1) < 3 * spread + 0.1).all()


def test_without_the_between_part_variances_are_too_small() -> None:
    error, without, with_it = [], [], []
    for seed in range(8):
        ard, truth = world(between=0.6, replicated=60, seed=seed)
        direct = direct_estimates(ard)
        error.append(((direct.rate - truth) ** 2).sum()["victims"])
        with_it.append(direct.variance.sum()["victims"])
        without.append(direct_estimates(ard, between=0.0).variance.sum()["victims"])
    assert np.mean(error) / np.mean(without) > 1.25
    assert 0.75 < np.mean(error) / np.mean(with_it) < 1.2


def test_a_variance_from_the_areas_own_rate_would_pull_the_mean_down() -> None:
    """Why the variance function uses one rate: low counts would seem precise."""
    own, one = [], []
    for seed in range(12):
        ard, truth = world(seed=seed)
        direct = direct_estimates(ard)
        rate, national = direct.rate["traffickers"], direct.components.loc["traffickers", "rate"]
        shrunk = (rate + national) / 2
        between_areas = truth["traffickers"].var()
        for variance, means in (
            (direct.variance["traffickers"] * shrunk / national, own),
            (direct.variance["traffickers"], one),
        ):
            weight = 1 / (variance + between_areas)
            means.append((weight * rate).sum() / weight.sum() / truth["traffickers"].mean())
    assert np.mean(own) < 0.9
    assert np.mean(one) == pytest.approx(1, abs=0.06)


def test_known_groups_lend_their_variation_between_psus() -> None:
    prior = ClusterPrior()
    found = []
    for between in (0.05, 0.9):
        ard, _ = world(replicated=30, between=between, seed=5)
        area = ard.design["area_id"]
        result = clustering(ard, killworth(ard), area, prior)
        assert set(result.known.index) == set(KNOWN)
        found.append(result.table["between"])
        assert (result.table["between_low"] < result.table["between"]).all()
        assert (result.table["between"] < result.table["between_high"]).all()
    assert (found[0] < prior.variance).all()
    assert (found[1] > 3 * prior.variance).all()


def test_with_one_psu_everywhere_only_the_prior_speaks() -> None:
    ard, _ = world(replicated=0)
    table = clustering(ard, killworth(ard), ard.design["area_id"]).table
    np.testing.assert_allclose(table["between"], ClusterPrior().variance)
    np.testing.assert_allclose(table["df"], ClusterPrior().df)


def test_dispersion_and_variation_are_recovered() -> None:
    ard, _ = world(areas=400, psus_per_area=2, replicated=0, between=0.5, spread=0.6, seed=1)
    result = killworth(ard)
    psu, area = ard.design["psu"], ard.design["area_id"]
    phi = dispersion(result.reports, result.exposure, psu)
    assert phi["traffickers"] == pytest.approx(
        1.5, abs=0.25
    )  # degrees are estimated: a little more
    assert phi["victims"] == pytest.approx(1.5, abs=0.15)
    y, d = result.reports.groupby(psu).sum(), result.exposure.groupby(psu).sum()
    within = variation(y, d, phi, area.groupby(psu).first())
    assert within.loc["victims", "variance"] == pytest.approx(np.expm1(0.5**2), abs=0.1)
    assert within.loc["victims", "df"] == 400
    y, d = result.reports.groupby(area).sum(), result.exposure.groupby(area).sum()
    between = variation(y, d, phi).loc["victims", "variance"]
    expected = np.exp(0.6**2) * (1 + np.expm1(0.5**2) / 2) - 1
    assert between == pytest.approx(expected, abs=0.15)


def test_respondents_who_know_nobody_carry_no_exposure() -> None:
    ard, _ = world(areas=8)
    counts = ard.counts.copy()
    lonely = ard.design["area_id"] == "005"
    counts.loc[lonely, ["young", "old"]] = 0.0
    direct = direct_estimates(replace(ard, counts=counts))
    assert direct.exposure.loc["005", "victims"] == 0
    assert np.isnan(direct.rate.loc["005", "victims"])
    assert np.isnan(direct.variance.loc["005", "victims"])
    assert np.isfinite(direct.variance.drop("005")).all(axis=None)


def test_a_component_nobody_reports_has_zero_rate_and_no_crash() -> None:
    ard, _ = world(areas=8)
    direct = direct_estimates(replace(ard, counts=ard.counts.assign(traffickers=0.0)))
    assert (direct.rate["traffickers"] == 0).all()
    assert direct.deff["traffickers"] == 1


def test_codes_are_matched_to_the_frame() -> None:
    ard, _ = world(areas=8)
    codes = pd.Series({f"{a:03d}": f"01280{a:05d}" for a in range(8)})
    frame = SimpleNamespace(match=lambda area, where: area.map(codes))
    assert direct_estimates(ard, frame).reports.index.tolist() == codes.tolist()
    partial = SimpleNamespace(match=lambda area, where: area.map(codes.drop("003")))
    with pytest.raises(InputError, match="1 areas are not in the frame: 003"):
        direct_estimates(ard, partial)
    with pytest.raises(InputError, match="does not say in which area"):
        direct_estimates(replace(ard, design=ard.design.assign(area_id=None)))


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000))
def test_the_order_of_respondents_is_irrelevant(seed: int) -> None:
    ard, _ = world(areas=10, replicated=2)
    order = np.random.default_rng(seed).permutation(len(ard))
    shuffled = ARD(ard.counts.iloc[order], ard.groups, ard.design.iloc[order])
    one, other = direct_estimates(ard), direct_estimates(shuffled)
    pd.testing.assert_frame_equal(one.reports, other.reports)
    pd.testing.assert_frame_equal(one.variance, other.variance)
    pd.testing.assert_frame_equal(one.components, other.components)


def test_degrees_can_be_given() -> None:
    ard, _ = world(areas=8)
    ten = direct_estimates(ard, degree={"adult": pd.Series(10.0, ard.counts.index)})
    assert ten.exposure.loc["005", "traffickers"] == 240
    assert (
        ten.exposure.loc["005", "victims"] == direct_estimates(ard).exposure.loc["005", "victims"]
    )


def test_saved_estimates_come_back_the_same(tmp_path: Path) -> None:
    ard, _ = world(areas=8)
    direct = direct_estimates(ard)
    save_direct(direct, tmp_path)
    loaded = load_direct(tmp_path)
    for name in ("reports", "exposure", "variance", "raw", "components"):
        pd.testing.assert_frame_equal(getattr(loaded, name), getattr(direct, name))
    pd.testing.assert_series_equal(loaded.deff, direct.deff)


def test_an_error_that_all_degrees_of_an_area_share_widens_its_rate() -> None:
    ard, _ = world(areas=8)
    direct = direct_estimates(ard)
    cv = pd.Series(0.2, direct.reports.index)
    wider = direct_estimates(ard, degree_cv={"adult": cv})
    rate = direct.reports.sum() / direct.exposure.sum()
    pd.testing.assert_series_equal(wider.variance["victims"], direct.variance["victims"])
    added = wider.variance["traffickers"] - direct.variance["traffickers"]
    assert added.to_numpy() == pytest.approx((0.2 * rate["traffickers"]) ** 2)
    assert wider.deff["traffickers"] > direct.deff["traffickers"]
