"""The national posterior: weights, clusters, dependence between components."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from study import COMPONENTS, INDICATORS

from smallarea.errors import InputError
from smallarea.nsum import killworth
from smallarea.nsum.bayesian.predictive import check_fits
from smallarea.nsum.bayesian.weighting import likelihood_weights
from smallarea.nsum.national import national_draws, national_fits, paired
from smallarea.survey import ARD, make_ard

POPULATION = {"adults": 900_000.0, "children": 400_000.0}


def clustered(seed: int = 0, psus: int = 40, spread: float = 0.8) -> ARD:
    """Twelve respondents in each PSU, two strata; a PSU's rates of all components move together."""
    rng = np.random.default_rng(seed)
    n = psus * 12
    psu = np.repeat(np.arange(psus), 12)
    boost = np.exp(spread * rng.normal(size=psus) - spread**2 / 2)[psu]
    adults, children = rng.lognormal(5, 0.5, n), rng.poisson(rng.lognormal(3.5, 0.5, n))
    shares = [0.004, 0.01, 0.03]
    table = pd.DataFrame({f"known {k}": rng.poisson(adults * s) for k, s in enumerate(shares)})
    table["children"] = children
    for component in COMPONENTS:
        people = children if component.startswith("victims") else adults
        table[component] = rng.poisson(people * 0.004 * boost)
    table = table.assign(psu=psu.astype(str), stratum=np.where(psu % 2, "a", "b"))
    table["weight"] = rng.uniform(0.5, 1.5, n)
    child = [c == "children" or c.startswith("victims") for c in table.columns[:8]]
    groups = pd.DataFrame(
        {
            "group": table.columns[:8],
            "kind": ["known"] * 4 + ["hidden"] * 4,
            "size": [*np.array(shares) * 1e6, 450_000, *[np.nan] * 4],
            "population": np.where(child, 450_000, 1_000_000),
            "network": np.where(child, "child", "adult"),
        }
    )
    return make_ard(table, groups, weight="weight", psu="psu", stratum="stratum")


@pytest.fixture(scope="module")
def fitted():
    return national_fits(
        clustered(), POPULATION, INDICATORS, draws=600, seed=1, allow_unconverged=True
    )


@pytest.fixture(scope="module")
def draws(fitted):
    return fitted[0]


def test_draws_have_the_agreed_form(draws):
    assert draws.dims == ("component", "draw")
    assert list(draws["component"].values) == list(COMPONENTS)
    assert draws.sizes["draw"] == 600
    assert (draws > 0).all()
    assert all(isinstance(v, int | float | str) for v in draws.attrs.values())


def test_levels_are_rate_times_covered_population(draws):
    truth = xr_series(draws, 0.004)
    middle = draws.median("draw").to_series()
    assert ((middle / truth) - 1).abs().max() < 0.35


@pytest.mark.slow
def test_the_power_posterior_follows_the_design_and_keeps_the_dependence():
    survey = clustered()
    drawn = national_draws(
        survey, POPULATION, INDICATORS, draws=600, seed=1, posterior="power",
        allow_unconverged=True,
    )  # fmt: skip
    closed = killworth(survey, groups=list(COMPONENTS))
    people = [POPULATION[INDICATORS.reference[c]] for c in COMPONENTS]
    ratio = (closed.estimate / closed.scale) * people
    error = closed.standard_error() / closed.scale * people
    assert np.abs(drawn.mean("draw").to_series() / ratio - 1).max() < 0.04
    assert np.abs(drawn.std("draw").to_series() / error - 1).max() < 0.15
    correlation = drawn.to_pandas().T.corr(method="spearman").to_numpy()
    assert correlation[np.triu_indices(4, 1)].min() > 0.3


def xr_series(draws, rate: float) -> pd.Series:
    people = ["children" if c.startswith("victims") else "adults" for c in COMPONENTS]
    return pd.Series([rate * POPULATION[p] for p in people], index=draws["component"].to_series())


def test_clusters_widen_and_correlate_the_components(draws):
    assert all(draws.attrs[f"deff_{c}"] > 1.3 for c in COMPONENTS)
    correlation = draws.to_pandas().T.corr(method="spearman").to_numpy()
    assert correlation[np.triu_indices(4, 1)].min() > 0.3


def test_the_fits_behind_the_draws_can_be_checked(fitted):
    checks, left_out = check_fits(fitted[1], seed=1)
    assert set(checks["fit"]) == {"children", "adults"}
    hidden = checks[checks["group"].isin(COMPONENTS) & (checks["kind"] == "posterior")]
    assert len(hidden) == 4 * len(COMPONENTS)
    assert hidden.query("statistic == 'mean'")["tail"].between(0.02, 0.98).all()
    assert (left_out["elpd"] < 0).all()
    assert left_out.set_index("group").loc[list(COMPONENTS), "ess"].notna().all()


def test_draws_survive_netcdf(draws, tmp_path):
    import xarray as xr

    draws.to_netcdf(tmp_path / "national.nc", engine="h5netcdf")
    again = xr.load_dataarray(tmp_path / "national.nc", engine="h5netcdf")
    xr.testing.assert_identical(again, draws)


@pytest.mark.slow
def test_a_fit_that_never_converges_is_refused(monkeypatch):
    from smallarea.nsum import national

    monkeypatch.setitem(national.EFFORT, "fast", national.Effort(2, 10, 10))
    ard = clustered(psus=8)
    counts = ard.counts.assign(traffickers_live=0.0, traffickers_nonlive=0.0)  # one network to fit
    with pytest.raises(InputError, match="national figure"):
        national_draws(
            ARD(counts, ard.groups, ard.design), POPULATION, INDICATORS, draws=20, seed=1
        )


def test_a_survey_without_a_component_is_refused():
    ard = clustered(psus=4)
    ard = ard.only([g for g in ard.groups.index if g != "victims_live"])
    with pytest.raises(InputError, match="victims_live"):
        national_draws(ard, POPULATION, INDICATORS, draws=10, seed=0)


def test_a_survey_that_found_nobody_is_refused():
    ard = clustered(psus=4)
    counts = ard.counts.assign(**dict.fromkeys(COMPONENTS, 0.0))
    with pytest.raises(InputError, match="nobody reported anyone"):
        national_draws(
            ARD(counts, ard.groups, ard.design), POPULATION, INDICATORS, draws=10, seed=0
        )


def test_an_unknown_profile_is_refused():
    with pytest.raises(InputError, match="fast or full"):
        national_draws(clustered(psus=4), POPULATION, INDICATORS, draws=10, seed=0, profile="quick")


def test_pairing_keeps_marginals_and_gives_the_wanted_correlation():
    rng = np.random.default_rng(0)
    draws = rng.lognormal(size=(4000, 2))
    common = rng.normal(size=(200, 1))
    scores = common + 0.5 * rng.normal(size=(200, 2))
    out = paired(draws, scores, rng)
    np.testing.assert_array_equal(np.sort(out, axis=0), np.sort(draws, axis=0))
    wanted = (scores**2).sum(axis=0)
    wanted = (scores[:, 0] @ scores[:, 1]) / np.sqrt(wanted[0] * wanted[1])
    assert stats.spearmanr(out)[0] == pytest.approx(wanted, abs=0.06)


def test_pairing_leaves_a_component_without_reports_independent():
    rng = np.random.default_rng(0)
    scores = np.column_stack([rng.normal(size=50), np.zeros(50)])
    out = paired(rng.normal(size=(2000, 2)), scores, rng)
    assert abs(stats.spearmanr(out)[0]) < 0.1


def test_design_effect_is_one_for_a_simple_random_sample():
    """Poisson answers of independent respondents: the model's variance is the right one."""
    effects = []
    for seed in range(20):
        ard = clustered(seed, spread=0.0)
        ard = ARD(ard.counts, ard.groups, ard.design.assign(weight=1.0))
        children = ard.counts["children"]
        part = ard.respondents(children > 0)
        weights = likelihood_weights(part, np.log(children[children > 0].to_numpy()), True)
        effects.append(weights.deff["victims_live"])
    assert np.mean(effects) == pytest.approx(1.1, abs=0.15)  # at least 1 by definition


def test_design_effect_of_clusters_matches_the_known_one():
    """Equal PSUs of rate variance s^2: 1 + reports per PSU * s^2, for Poisson answers."""
    spread, effects, expected = 0.6, [], []
    for seed in range(20):
        ard = clustered(seed, psus=150, spread=spread)
        ard = ARD(ard.counts, ard.groups, ard.design.assign(weight=1.0))
        children = ard.counts["children"]
        part = ard.respondents(children > 0)
        weights = likelihood_weights(part, np.log(children[children > 0].to_numpy()), True)
        effects.append(weights.deff["victims_live"])
        expected.append(1 + (np.exp(spread**2) - 1) * ard.counts["victims_live"].sum() / 150)
    assert np.mean(effects) == pytest.approx(np.mean(expected), rel=0.12)


def test_scaled_weights_make_the_likelihood_worth_its_design_effect():
    ard = clustered()
    ard = ard.only([*ard.known("adult"), *ard.hidden("adult")])
    weights = likelihood_weights(ard, None, True)
    total = weights.table[ard.hidden()].sum()
    pd.testing.assert_series_equal(total, len(ard) / weights.deff, check_names=False)
    assert (weights.table[ard.known()] == 1).all().all()
