"""Joint partial pooling of all components through one factor of coarse, fine and areas.

One Bayesian model of the reports of all components at once, fitted by PyMC and nutpie:

    reports_ak ~ Poisson(exposure_ak exp(eta_ak) u_ak)      u_ak ~ Gamma(mean 1, cv_k)
    eta_ak = level_k + Z_a' (b + d_k) + loading_k factor_a
    factor_a = sqrt(share_1) coarse_a + sqrt(share_2) fine_a + sqrt(share_3) area_a

with effective counts (reports and exposure over the design effect), Z principal components of
the features, and standard normal coarse, fine and areas. The effects u, each component's
own, are integrated out in closed form for sampling and drawn exactly afterwards.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from smallarea.areas.levels import level_ids
from smallarea.models.components import principal_components, usable
from smallarea.models.counts import (
    as_draws,
    at_areas,
    check_areas,
    check_features,
    effective_counts,
)

if TYPE_CHECKING:
    from smallarea.nsum.direct.estimates import Direct

Array = NDArray[np.float64]

_LEAST_CV = 0.03
_HYPER = ("level", "scale_b", "scale_d", "share", "loading", "cv")


class PartialPooling(BaseEstimator):
    """Hierarchical gamma-Poisson model of all components jointly.

    Coefficients of the principal components are shrunk by common scales, and components share
    coefficients and the factor: with so few reports each borrows from the others. Given no
    features it pools without covariates.

    Parameters
    ----------
    components : number of principal components of the features.
    chains, tune, draws : of the sampler. random_state : its seed.

    Attributes
    ----------
    posterior_ : name -> draws (draw, ...).
    diagnostics_ : largest R-hat of levels and scales, divergent share, posterior means of scales,
        and ``weak``: 1 where R-hat or divergences say not to trust the fit.
    """

    def __init__(
        self,
        components: int = 8,
        chains: int = 2,
        tune: int = 500,
        draws_per_chain: int = 750,
        random_state: int = 0,
    ) -> None:
        self.components = components
        self.chains = chains
        self.tune = tune
        self.draws_per_chain = draws_per_chain
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, direct: Direct, areas: pd.DataFrame) -> Self:
        """Sample the posterior given the surveyed areas; `X` has all areas."""
        import nutpie

        check_areas(X, direct, areas)
        self.reports_, self.exposure_ = effective_counts(direct)
        national = (self.reports_.sum() + 0.5) / self.exposure_.sum()
        self.centre_ = pd.Series(np.log(national), national.index)
        index = self.reports_.index
        self.features_ = X.columns
        self.pipeline_ = (
            principal_components(X.sort_index(), self.components) if len(usable(X)) else None
        )
        self.coarse_ = pd.Index(level_ids(areas, 1).unique()).sort_values()
        self.fine_ = pd.Index(level_ids(areas).unique()).sort_values()
        Z = self._scores(X.loc[index])
        rows = 50 * -(-len(index) // 50)  # so that folds of like sizes share a compiled model
        pad = rows - len(index)
        sizes = rows, self.components, len(self.centre_), len(self.coarse_), len(self.fine_)
        compiled = _compiled(*sizes).with_data(
            y=np.pad(self.reports_.to_numpy(), ((0, pad), (0, 0))),
            e=np.pad(self.exposure_.to_numpy(), ((0, pad), (0, 0))),
            Z=np.pad(Z, ((0, pad), (0, self.components - Z.shape[1]))),
            coarse_of=np.pad(self.coarse_.get_indexer(level_ids(areas, 1)[index]), (0, pad)),
            fine_of=np.pad(self.fine_.get_indexer(level_ids(areas)[index]), (0, pad)),
            centre=self.centre_.to_numpy(),
        )
        trace = nutpie.sample(
            compiled,
            draws=self.draws_per_chain,
            tune=self.tune,
            chains=self.chains,
            cores=self.chains,
            seed=self.random_state,
            progress_bar=False,
        )
        self.posterior_ = {
            str(name): values.to_numpy().reshape(-1, *values.shape[2:])
            for name, values in trace.posterior.items()
            if not str(name).endswith("__")
        }
        self.diagnostics_ = _diagnostics(trace)
        return self

    def draws(self, X: pd.DataFrame, areas: pd.DataFrame, n: int, seed: int) -> xr.DataArray:
        """Return draws of reported rates (component, area_id, draw) for the areas of `X`.

        Effects of coarse, fine and areas without respondents come from their priors, given
        the scales of the same draw; a new fine's effect is shared by its areas.
        """
        rng = np.random.default_rng(seed)
        index = X.index.sort_values()
        Z = self._scores(check_features(X, self.features_).loc[index])
        size = len(self.posterior_["level"])
        chosen = rng.choice(size, n, replace=n > size)
        at = {name: values[chosen] for name, values in self.posterior_.items()}

        def effect(name: str, labels: pd.Series, fitted: pd.Index) -> Array:
            """Return standardised effects of the areas' groups, (n, areas), new ones drawn."""
            groups = pd.Index(labels.unique()).sort_values()
            z = rng.standard_normal((n, len(groups)))
            known = groups.isin(fitted)
            z[:, known] = at[name].reshape(n, -1)[:, fitted.get_indexer(groups[known])]
            return z[:, groups.get_indexer(labels)]

        share = np.sqrt(at["share"])[:, :, None]
        factor = (
            share[:, 0] * effect("coarse", level_ids(areas, 1)[index], self.coarse_)
            + share[:, 1] * effect("fine", level_ids(areas)[index], self.fine_)
            + share[:, 2] * effect("area", index.to_series(), self.reports_.index)
        )
        reports, exposure = at_areas(self.reports_, index), at_areas(self.exposure_, index)
        values = []
        for j, k in enumerate(self.reports_):
            beta = at["scale_b"] * at["b"][..., 0].T + at["scale_d"] * at["d"][..., j].T
            eta = self.centre_.iloc[j] + at["level"][:, j, None] + (Z @ beta[: Z.shape[1]]).T
            eta += at["loading"][:, j, None] * factor
            shape = 1 / (at["cv"][:, j, None] ** 2 + _LEAST_CV**2)
            own = rng.gamma(shape + reports[k].to_numpy())
            values.append((own / (shape * np.exp(-eta) + exposure[k].to_numpy())).T)
        return as_draws(values, self.reports_.columns, X.index)

    def _scores(self, X: pd.DataFrame) -> Array:
        return np.zeros((len(X), 0)) if self.pipeline_ is None else self.pipeline_.transform(X)


@lru_cache(maxsize=4)
def _compiled(rows: int, scores: int, components: int, coarse: int, fine: int) -> Any:
    """Compile the model for these sizes. Rows and groups without data only draw their priors."""
    import nutpie
    import pymc as pm
    import pytensor.tensor as pt

    with pm.Model() as model:
        y = pm.Data("y", np.zeros((rows, components)))
        e = pm.Data("e", np.ones((rows, components)))
        Z = pm.Data("Z", np.zeros((rows, scores)))
        coarse_of = pm.Data("coarse_of", np.zeros(rows, int))
        fine_of = pm.Data("fine_of", np.zeros(rows, int))
        centre = pm.Data("centre", np.zeros(components))

        level = pm.Normal("level", 0, 1.5, shape=components)
        b = pm.HalfNormal("scale_b", 0.3) * pm.Normal("b", shape=(scores, 1))
        d = pm.HalfNormal("scale_d", 0.15) * pm.Normal("d", shape=(scores, components))
        share = pm.Dirichlet("share", np.ones(3))
        factor = (
            pt.sqrt(share[0]) * pm.Normal("coarse", shape=coarse)[coarse_of]
            + pt.sqrt(share[1]) * pm.Normal("fine", shape=fine)[fine_of]
            + pt.sqrt(share[2]) * pm.Normal("area", shape=rows)
        )
        loading = pm.HalfNormal("loading", 0.7, shape=components)
        eta = centre + level + Z @ (b + d) + factor[:, None] * loading
        # A floor under cv: gammaln(k + y) - gammaln(k) loses all digits as k grows without bound.
        k = 1 / (pm.HalfNormal("cv", 0.7, shape=components) ** 2 + _LEAST_CV**2)
        pm.Potential(
            "reports",
            pt.gammaln(k + y)
            - pt.gammaln(k)
            + k * pt.log(k)
            + y * eta
            - (k + y) * pt.log(k + e * pt.exp(eta)),
        )
    return nutpie.compile_pymc_model(model)


def _diagnostics(trace: Any) -> dict[str, float]:
    import arviz as az

    parameters = trace.posterior[list(_HYPER)]
    worst = float(az.rhat(parameters).to_array().max())
    divergent = float(trace.sample_stats["diverging"].mean())
    scales = ("scale_b", "scale_d", "loading", "cv")
    means = {name: float(parameters[name].mean()) for name in scales}
    weak = float(worst > 1.05 or divergent > 0.01)
    return {"rhat": worst, "divergent_share": divergent, "weak": weak} | means
