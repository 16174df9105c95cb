"""The unit-level probit: its posterior, its coverage, what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.special import log_ndtr, logsumexp, ndtr

from smallarea.errors import InputError
from smallarea.models.unit_probit import UnitProbit
from smallarea.nsum.direct.estimates import Direct


def survey(yes: np.ndarray, asked: np.ndarray, ids: pd.Index) -> Direct:
    """Answers to one question, or to several (areas, questions), without a design effect."""
    names = [f"q{k}" for k in range(np.atleast_2d(yes.T).shape[0])]
    frames = [
        pd.DataFrame(v.astype(float).reshape(len(ids), -1), ids, names) for v in (yes, asked, asked)
    ]
    return Direct(frames[0], frames[1], 1 / frames[2], pd.Series(1.0, names))


def district(n: int, groups: int, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.Index]:
    ids = pd.Index([f"a{i:03d}" for i in range(n)], name="area_id")
    codes = np.sort(rng.integers(0, groups, n))
    return pd.DataFrame({"district_id": [f"d{g:02d}" for g in codes]}, ids), ids


def test_posterior_equals_quadrature():
    """Without covariates and with too few groups for an effect of theirs, two parameters are left.

    Chains are worth some 400 draws: means are known to 0.05 of their standard deviation.
    """
    rng = np.random.default_rng(2)
    areas, ids = district(25, 2, rng)
    asked = rng.integers(20, 60, 25)
    yes = rng.binomial(asked, ndtr(-1.3 + 0.4 * rng.normal(size=25)))
    model = UnitProbit().fit(pd.DataFrame(index=ids), survey(yes, asked, ids), areas)

    node, weight = np.polynomial.hermite_e.hermegauss(31)
    level, sd = np.linspace(-2, -0.6, 71)[:, None, None, None], np.linspace(0.01, 1.5, 75)
    eta = level + sd[:, None, None] * node
    given = yes[:, None] * log_ndtr(eta) + (asked - yes)[:, None] * log_ndtr(-eta)
    log_density = logsumexp(given + np.log(weight), axis=-1).sum(axis=-1)
    density = np.exp(log_density - log_density.max())
    density /= density.sum()
    for name, values, grid, axis in (
        ("beta", model.posterior_["beta"][0, :, 0], level.ravel(), 1),
        ("sd_area", model.posterior_["sd_area"][0], sd, 0),
    ):
        mean = density.sum(axis=axis) @ grid
        spread = np.sqrt(density.sum(axis=axis) @ (grid - mean) ** 2)
        assert abs(values.mean() - mean) < 0.2 * spread, name
        assert_allclose(values.std(), spread, rtol=0.15)
    assert model.diagnostics_["weak"] == 0


def test_intervals_cover_with_and_without_data():
    """Twenty worlds drawn from the model, each a question of its own, half of the areas asked.

    Standard errors between worlds are .015 with data and, groups and coefficients being shared by
    areas, .028 without; four seeds gave .79 and .80 on average.
    """
    rng, worlds = np.random.default_rng(4), 20
    areas, ids = district(80, 12, rng)
    X = pd.DataFrame(rng.normal(size=(80, 3)), ids, list("xyz"))
    u = 0.3 * rng.normal(size=(12, worlds))[areas["district_id"].str[1:].astype(int)]
    v = 0.3 * rng.normal(size=(80, worlds))
    truth = ndtr(-1.5 + 0.4 * X[["x"]].to_numpy() + u + v)
    known = np.isin(np.arange(80), rng.choice(80, 40, replace=False))
    asked = np.full((40, worlds), 40)
    direct = survey(rng.binomial(asked, truth[known]), asked, ids[known])
    model = UnitProbit(3, chains=2, tune=100, draws_per_chain=200).fit(X, direct, areas)
    low, high = np.quantile(model.draws(X, areas, 400, 1).to_numpy(), [0.1, 0.9], axis=2)
    inside = (truth >= low.T) & (truth <= high.T)
    assert_allclose(inside[known].mean(), 0.8, atol=0.06)
    assert_allclose(inside[~known].mean(), 0.8, atol=0.1)


def test_ranks_and_groups_travel_with_the_draws():
    """Areas of a new group share its effect; areas in any order have the same draws."""
    rng = np.random.default_rng(5)
    areas, ids = district(60, 10, rng)
    X = pd.DataFrame(rng.normal(size=(60, 2)), ids, list("xy"))
    seen = ids[areas["district_id"] < "d08"]
    asked = np.full(len(seen), 50)
    rate = ndtr(-1 + 0.8 * rng.normal(size=10))[areas.loc[seen, "district_id"].str[1:].astype(int)]
    model = UnitProbit(2, tune=100, draws_per_chain=200)
    model.fit(X, survey(rng.binomial(asked, rate), asked, seen), areas)
    draws = model.draws(X, areas, 400, 1).sel(component="q0")
    backward = model.draws(X.iloc[::-1], areas, 400, 1).sel(component="q0")
    assert_allclose(draws, backward.sel(area_id=draws["area_id"]))
    new = ids[areas["district_id"] == "d09"][:2]
    together = np.corrcoef(draws.sel(area_id=new))[0, 1]
    apart = np.corrcoef(draws.sel(area_id=[new[0], ids[areas["district_id"] == "d08"][0]]))[0, 1]
    assert together > apart + 0.3
    ranks = draws.to_numpy().argsort(axis=0).argsort(axis=0)
    highest = pd.Series((ranks == 59).mean(axis=1), ids)
    assert highest.idxmax() in seen
    assert_allclose(highest.sum(), 1)


def test_more_yes_than_asked_and_too_few_areas_are_refused():
    rng = np.random.default_rng(6)
    areas, ids = district(8, 2, rng)
    X = pd.DataFrame(rng.normal(size=(8, 9)), ids)
    with pytest.raises(InputError, match="more said yes than were asked"):
        UnitProbit().fit(X, survey(np.full(8, 3), np.full(8, 2), ids), areas)
    with pytest.raises(InputError, match="8 areas for 9 coefficients"):
        UnitProbit(8).fit(X, survey(np.full(8, 1), np.full(8, 9), ids), areas)
