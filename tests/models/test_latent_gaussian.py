"""The latent Gaussian model as an estimator: honest about what it saw and what it did not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from latent_world import BASE, LEVELS, Drawn, drawn
from scipy import stats

from smallarea.errors import InputError
from smallarea.models import LatentGaussian
from smallarea.models.counts import rows
from smallarea.models.kernels import kernels, levels_above, places
from smallarea.models.observations import observed
from smallarea.models.scores import log_density
from smallarea.nsum.direct.estimates import Direct

SDS = {"linear": 0.3, "features": 0.4, "space": 0.4, "province": 0.2, "area": 0.3, "own": 0.2}


def fitted(world: Drawn, **settings) -> LatentGaussian:
    settings = {"components": 3, "points": 16} | settings
    return LatentGaussian(**settings).fit(world.X, world.direct, world.areas)


def latent_draws(model: LatentGaussian, world: Drawn, n: int, seed: int = 0) -> np.ndarray:
    """(component, area, draw) of log rates over the base rate."""
    return np.log(model.draws(world.X, world.areas, n, seed).to_numpy() / BASE)


@pytest.fixture(scope="module")
def simulated() -> list[tuple[Drawn, LatentGaussian]]:
    """Sixty worlds whose standard deviations and correlation come from the priors, and fits."""
    out = []
    for seed in range(60):
        rng = np.random.default_rng(1000 + seed)
        sds = dict(zip(SDS, rng.exponential(0.5, len(SDS)), strict=True))
        world = drawn(seed, sds, rho=rng.uniform(), level=1.0)
        out.append((world, fitted(world)))
    return out


def test_ranks_of_the_truth_are_uniform(simulated):
    """Simulation-based calibration (Talts et al. 2018), one area seen and one not of each world.

    Sixty ranks in five bins; a chi-square statistic beyond the 99.9 % point of four degrees of
    freedom, 18.5, would come once in a thousand such tests if ranks are uniform.
    """
    counts = {True: np.zeros(5), False: np.zeros(5)}
    for world, model in simulated:
        values = latent_draws(model, world, 199)
        for seen in counts:
            ids = world.direct.reports.index if seen else world.new
            at = world.areas.index.get_loc(ids[7])
            rank = (values[0, at] < world.latent.iloc[at, 0]).mean()
            counts[seen][min(int(5 * rank), 4)] += 1
    for seen, found in counts.items():
        statistic = ((found - 12) ** 2 / 12).sum()
        assert statistic < stats.chi2.ppf(0.999, 4), f"seen: {seen}, {found}"


def test_intervals_cover_areas_never_observed(simulated):
    """80 % intervals, 60 worlds x 20 areas x 2 components that depend on each other.

    The standard error is that over worlds, near 0.02; three of them are allowed.
    """
    shares = []
    for world, model in simulated:
        at = world.areas.index.get_indexer(world.new)
        low, high = np.quantile(latent_draws(model, world, 200)[:, at], [0.1, 0.9], axis=2)
        truth = world.latent.iloc[at].to_numpy().T
        shares.append(((low <= truth) & (truth <= high)).mean())
    error = np.std(shares) / np.sqrt(len(shares))
    assert error < 0.03
    assert abs(np.mean(shares) - 0.8) < 3 * error


def test_standard_deviations_are_calibrated(simulated):
    """80 % of the posterior covers the sd and correlation that the data came from.

    Of 60 x 7, with a binomial error of 0.02 were they independent. A tenth and nine tenths are
    looked up among a dozen points, whose error costs coverage; hence 0.15, which still
    tells from plugged-in ones.
    """
    inside = []
    for seed, (_, model) in enumerate(simulated):
        rng = np.random.default_rng(1000 + seed)
        truth = np.append(rng.exponential(0.5, len(SDS)), rng.uniform())
        posterior = model.posterior_
        values = posterior.thetas.copy()
        values[:, :-1] **= 3
        values[:, -1] = 1 / (1 + np.exp(-values[:, -1]))
        below = posterior.weights @ (values < truth)
        inside.append((below > 0.1) & (below < 0.9))
    assert abs(np.mean(inside) - 0.8) < 0.15


def test_draws_are_those_of_gaussian_process_regression():
    """With normal data and fixed hyperparameters: mean and covariance within Monte Carlo error."""
    world = drawn(5, SDS)
    direct = replace(
        world.direct,
        reports=world.latent.loc[world.direct.reports.index],
        exposure=1.0 + 0 * world.direct.exposure,
        variance=0.2 + 0 * world.direct.variance,
    )
    model = LatentGaussian(components=3, family="gaussian", points=1)
    model.fit(world.X, direct, world.areas)
    prior = model.posterior_.fits[0].prior
    sds = model.posterior_.thetas[0, :-2] ** 3
    every = np.tensordot(sds**2, [k.between(world.every, world.every) for k in model.kernels_], 1)
    between = np.array([[1, prior.correlation], [prior.correlation, 1]])
    size = len(every)
    covariance = np.kron(between, every) + prior.own * np.eye(2 * size)
    covariance += np.kron(np.eye(2), np.full((size, size), prior.level))
    at = world.areas.index.get_indexer(direct.reports.index)
    cells = np.concatenate([at, size + at])
    gain = np.linalg.solve(covariance[np.ix_(cells, cells)] + 0.2 * np.eye(80), covariance[cells]).T
    mean = gain @ (direct.reports - model.centre_).to_numpy().T.ravel()
    posterior = covariance - gain @ covariance[cells]
    n = 20_000
    draws = model.draws(world.X, world.areas, n, seed=2).to_numpy()
    found = (draws - model.centre_.to_numpy()[:, None, None]).reshape(2 * size, n)
    sd = np.sqrt(np.diag(posterior))
    # The largest of 120 standard normal errors, and of 7,260 correlations' errors.
    assert np.abs((found.mean(axis=1) - mean) / sd).max() < 4.5 / np.sqrt(n)
    error = (np.cov(found) - posterior) / np.outer(sd, sd)
    assert np.abs(error).max() < 5 * np.sqrt(2 / n)


def test_groups_left_out_as_by_refits():
    """Closed form against fits without the group, with all else estimated anew.

    Log densities of cells range over several units; what is allowed is how far data of a group
    of four areas move what is linearised, and Monte Carlo error near 0.02.
    """
    world = drawn(8, SDS, expected=4.0)
    model = fitted(world, points=64)
    groups = world.areas.loc[world.direct.reports.index, "province_id"]
    closed = model.leave_out(groups).cells
    refitted = []
    for _, members in groups.groupby(groups):
        kept = rows(world.direct, groups.index.difference(members.index))
        again = fitted(replace(world, direct=kept), points=64)
        left = rows(world.direct, members.index)
        draws = again.draws(world.X.loc[members.index], world.areas, 4000, seed=2)
        refitted.append(log_density(draws, left))
    difference = (closed - pd.concat(refitted).reindex(closed.index)).to_numpy()
    assert closed.to_numpy().std() > 0.5
    assert np.abs(difference).mean() < 0.06
    assert np.abs(difference).max() < 0.35
    assert abs(difference.mean()) < 0.02


def test_areas_left_out_one_by_one_are_groups_of_one():
    world = drawn(9, SDS)
    model = fitted(world)
    alone = model.leave_out()
    named = model.leave_out(world.areas.index.to_series())
    pd.testing.assert_frame_equal(alone.cells, named.cells)
    assert list(alone.joint.index) == list(world.direct.reports.index)
    assert np.isfinite(alone.cells.to_numpy()).all()


def test_uncertainty_grows_away_from_what_was_surveyed():
    world = drawn(10, {**SDS, "features": 0.8, "space": 0.8}, areas=200, surveyed=80)
    far = world.areas.copy()
    away = world.new[:10]
    far.loc[away, ["lon", "lat"]] = [40.0, -20.0]
    far.loc[away, "province_id"] = "elsewhere"
    spread = []
    for areas in (world.areas, far):
        model = LatentGaussian(components=3, points=16).fit(world.X, world.direct, areas)
        draws = np.log(model.draws(world.X.loc[away], areas, 800, seed=1))
        spread.append(float(draws.std("draw").mean()))
    assert spread[1] > 1.15 * spread[0]


def test_few_anchors_leave_each_areas_distribution_as_it_is():
    world = drawn(11, SDS, areas=300, surveyed=60)
    model = fitted(world)
    n = 4000
    joint = latent_draws(model, world, n)
    model.anchors = 80
    blocks = latent_draws(model, world, n)
    sd = joint.std(axis=2)
    # 600 differences of two Monte Carlo means; sds err by 1 / sqrt(2 n) each.
    assert np.abs((joint.mean(axis=2) - blocks.mean(axis=2)) / sd).max() < 4.5 * np.sqrt(2 / n)
    assert np.abs(blocks.std(axis=2) / sd - 1).max() < 4.5 / np.sqrt(n)


def test_draws_of_some_areas_need_only_those():
    world = drawn(12, SDS)
    model = fitted(world)
    some = world.X.index[[50, 3, 20]]
    part = model.draws(world.X.loc[some], world.areas, 4000, seed=1)
    whole = model.draws(world.X, world.areas, 4000, seed=2).sel(area_id=list(some))
    assert list(part["area_id"].values) == list(some)
    error = np.log(whole).std("draw") * np.sqrt(2 / 4000)
    assert float((abs(np.log(part).mean("draw") - np.log(whole).mean("draw")) / error).max()) < 4


def test_yes_among_asked():
    """A binomial of many asked and few yes is nearly a Poisson, and its draws are shares."""
    world = drawn(13, SDS)
    poisson, binomial = (fitted(world, family=f) for f in ("poisson", "binomial"))
    rates = [m.draws(world.X, world.areas, 500, seed=1) for m in (poisson, binomial)]
    assert float(rates[1].max()) < 1
    assert float(abs(np.log(rates[0].mean("draw") / rates[1].mean("draw"))).max()) < 0.1
    asked = replace(world.direct, exposure=world.direct.reports / 2)
    with pytest.raises(InputError, match="more said yes than were asked"):
        fitted(replace(world, direct=asked), family="binomial")


def test_estimates_without_variances_count_for_nothing():
    world = drawn(14, SDS)
    variance = world.direct.variance.copy()
    variance.iloc[0, 0] = np.nan
    direct = replace(world.direct, variance=variance)
    data, _ = observed(direct, "gaussian")
    assert data.derivatives(np.zeros((2, 40))).weight[0, 0] == 0
    model = fitted(replace(world, direct=direct), family="gaussian", scale=0.002, level_sd=0.01)
    assert np.isnan(model.leave_out().cells.iloc[0, 0])
    with pytest.raises(InputError, match="no estimate with a variance"):
        observed(replace(direct, variance=np.nan * variance), "gaussian")


def test_columns_decide_on_kernels():
    world = drawn(15, SDS)
    names = [k.name for k in fitted(world).kernels_]
    assert names == ["linear", "features", "space", "province", "area"]
    bare = world.areas[["province_id"]].assign(country_id="one", own_id=world.areas.index)
    assert levels_above(bare) == ["province_id"]
    model = LatentGaussian(points=1).fit(world.X[[]], world.direct, bare)
    assert [k.name for k in model.kernels_] == ["province", "area"]
    placeless = LatentGaussian(components=0, points=1, range_km=None)
    placeless.fit(world.X, world.direct, world.areas)
    assert [k.name for k in placeless.kernels_] == ["province", "area"]
    nowhere = world.areas.copy()
    nowhere.loc[world.new[0], "lon"] = np.nan
    model = fitted(world)
    with pytest.raises(InputError, match="1 areas lack coordinates or a group"):
        model.draws(world.X, nowhere, 10, seed=0)


def test_kernels_are_covariances_of_unit_size():
    world = drawn(16, SDS)
    every = places(world.every.features, world.areas, LEVELS)
    for kernel in kernels(every, 100.0):
        matrix = kernel.between(every, every)
        np.testing.assert_allclose(matrix, matrix.T)
        assert np.linalg.eigvalsh(matrix)[0] > -1e-9
        assert matrix.trace() / len(matrix) == pytest.approx(1)
        part = every.take(np.array([3, 1]))
        np.testing.assert_allclose(kernel.between(part, every), matrix[[3, 1]], rtol=1e-12)


def test_one_component_and_no_reports_at_all():
    world = drawn(17, SDS)
    first = only(world.direct, ["first"])
    draws = fitted(replace(world, direct=first)).draws(world.X, world.areas, 50, seed=0)
    assert draws.shape == (1, 60, 50)
    silent = replace(world.direct, reports=0 * world.direct.reports)
    draws = fitted(replace(world, direct=silent)).draws(world.X, world.areas, 200, seed=0)
    assert float(draws.median()) < 1 / float(world.direct.exposure.sum().min())


def only(direct: Direct, names: list[str]) -> Direct:
    tables = {t: getattr(direct, t)[names] for t in ("reports", "exposure", "variance", "deff")}
    return replace(direct, **tables)


def test_diagnostics_name_what_was_estimated():
    found = fitted(drawn(18, SDS)).diagnostics_
    assert {"sd linear", "sd space", "sd own", "correlation", "effective_points"} <= set(found)
    assert found["weak"] in (0.0, 1.0)
    assert 0 < found["correlation"] < 1
