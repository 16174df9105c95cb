"""The hierarchy of levels: one scale-up model of respondents in PSUs, areas, fine, coarse.

A respondent's report is overdispersed about degree x rate (Zheng, Salganik & Gelman 2006),

    y_ik ~ NegBin(mean d_i w_jk, variance (1 + kappa_k) x mean),
    log w_jk = level_k + Z_a . (b + d_k) + coarse + fine + loading_k s_a + own_ak + psu_j,

with a spatial effect s shared by the components (BYM2) and a PSU effect of mean one, without which
the one unit visited would pass for its area. With variance proportional to the mean
the likelihood collapses: it needs a PSU's exposure, its number of reporters, and one term for
every person reported beyond the first, instead of a gamma function for each respondent.
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
from smallarea.errors import InputError
from smallarea.models.bym2 import Icar, SpatialField, nearest_neighbours
from smallarea.models.components import principal_components, usable
from smallarea.models.counts import as_draws, check_areas, check_features
from smallarea.models.units import Collapsed, collapse, log_likelihood, of_areas

if TYPE_CHECKING:
    from smallarea.nsum.direct.estimates import Direct

Array = NDArray[np.float64]

_HYPER = (
    *("level", "kappa", "scale_b", "scale_d", "scale_coarse", "scale_fine"),
    *("loading", "rho", "scale_own", "scale_psu"),
)


class AreaHierarchy(BaseEstimator):
    """Unit-level hierarchical scale-up model with draws for all areas from one fit.

    Parameters
    ----------
    components : number of principal components of the features.
    chains, tune, draws_per_chain : of the sampler. random_state : its seed.

    Attributes
    ----------
    posterior_ : name -> draws (draw, ...). diagnostics_ : largest R-hat and smallest effective
        sample size of levels and scales, divergent share, E-BFMI, posterior means, and `weak`
        (1: do not trust this fit).
    """

    def __init__(
        self,
        components: int = 8,
        chains: int = 4,
        tune: int = 600,
        draws_per_chain: int = 1000,
        random_state: int = 0,
    ) -> None:
        self.components = components
        self.chains = chains
        self.tune = tune
        self.draws_per_chain = draws_per_chain
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, direct: Direct, areas: pd.DataFrame) -> Self:
        """Sample the posterior.

        Parameters
        ----------
        X : features of all areas, area_id x feature.
        direct : direct estimates with the respondents behind them (`units`; without them an
            area's totals stand for its respondents). Their variance components centre the
            priors of kappa and of the variation between an area's PSUs.
        areas : the frame's table: codes of its two lowest levels, `lon`, `lat`.
        """
        import arviz as az
        import nutpie

        check_areas(X, direct, areas)
        data = collapse(direct.units or of_areas(direct), areas.index)
        self.names_ = list(direct.reports.columns)
        self.areas_ = areas.index
        self.observed_ = data.areas
        icar = Icar(nearest_neighbours(areas))
        self.field_ = SpatialField.at(icar, areas.index.get_indexer(data.areas))
        self.features_ = X.columns
        self.pipeline_ = (
            principal_components(X.sort_index(), self.components) if len(usable(X)) else None
        )
        here = areas.loc[data.areas]
        self.coarse_ = pd.Index(level_ids(here, 1).unique()).sort_values()
        self.fine_ = pd.Index(level_ids(here).unique()).sort_values()
        self.centre_ = np.log((data.reports.sum(axis=0) + 0.5) / data.exposure.sum(axis=0))
        sizes = {
            "psus": _padded(len(data.exposure), 50),
            "areas": _padded(len(data.areas), 50),
            "coarse_units": _padded(len(self.coarse_), 20),
            "fine_units": _padded(len(self.fine_), 25),
            "extras": _padded(len(data.extra_m), 200),
            "scores": self.components,
            "components": len(self.names_),
        }
        compiled = _compiled(**sizes).with_data(
            **_padded_data(data, self.field_, sizes),
            Z=_pad(self._scores(X.loc[data.areas]), (sizes["areas"], sizes["scores"])),
            coarse_of=_pad(self.coarse_.get_indexer(level_ids(here, 1)), (sizes["areas"],)),
            fine_of=_pad(self.fine_.get_indexer(level_ids(here)), (sizes["areas"],)),
            centre=self.centre_,
            **_prior_centres(direct),
        )
        trace = nutpie.sample(
            compiled,
            draws=self.draws_per_chain,
            tune=self.tune,
            chains=self.chains,
            seed=self.random_state,
            progress_bar=False,
        )
        stacked = az.extract(trace).transpose("sample", ...)
        self.posterior_ = {name: stacked[name].to_numpy() for name in stacked.data_vars}
        self.diagnostics_ = _diagnostics(trace)
        return self

    def draws(self, X: pd.DataFrame, areas: pd.DataFrame, n: int, seed: int) -> xr.DataArray:
        """Return draws of reported rates (component, area_id, draw) for the areas of `X`.

        Areas without respondents get coarse, fine, spatial and own effects from their
        distributions given those of the areas with respondents.
        """
        rng = np.random.default_rng(seed)
        index = X.index.sort_values()
        where = self.areas_.get_indexer(index)
        if (where < 0).any():
            raise InputError(
                f"{(where < 0).sum()} areas were not part of the frame at fitting",
                where="hierarchy",
                remedy="fit with the table of all areas",
            )
        Z = self._scores(check_features(X, self.features_).loc[index])
        size = len(self.posterior_["level"])
        chosen = rng.choice(size, n, replace=n > size)
        at = {name: values[chosen] for name, values in self.posterior_.items()}
        m = len(self.observed_)
        root = np.sqrt(at["rho"][:, None] * self.field_.values + 1 - at["rho"][:, None])
        s = (root * at["z"][:, :m]) @ self.field_.vectors.T
        spatial = self.field_.draw_given(s, at["rho"], rng)[:, where]

        def effect(name: str, labels: pd.Series, fitted: pd.Index) -> Array:
            """Standardised effects of the areas' groups, (n, areas); new groups are drawn."""
            groups = pd.Index(labels.unique()).sort_values()
            values = rng.standard_normal((n, len(groups)))
            known = groups.isin(fitted)
            values[:, known] = at[name][:, fitted.get_indexer(groups[known])]
            return at[f"scale_{name}"][:, None] * values[:, groups.get_indexer(labels)]

        group = effect("coarse", level_ids(areas, 1)[index], self.coarse_)
        group = group + effect("fine", level_ids(areas)[index], self.fine_)
        position = self.observed_.get_indexer(index)
        values = []
        for k in range(len(self.names_)):
            beta = at["b"][..., 0] + at["d"][..., k]
            own = rng.standard_normal((n, len(index)))
            own[:, position >= 0] = at["own"][:, position[position >= 0], k]
            eta = self.centre_[k] + at["level"][:, k, None] + beta[:, : Z.shape[1]] @ Z.T + group
            eta = eta + at["loading"][:, k, None] * spatial + at["scale_own"][:, k, None] * own
            values.append(np.exp(eta).T)
        return as_draws(values, pd.Index(self.names_), X.index)

    def _scores(self, X: pd.DataFrame) -> Array:
        return np.zeros((len(X), 0)) if self.pipeline_ is None else self.pipeline_.transform(X)


def _prior_centres(direct: Direct) -> dict[str, Any]:
    """Medians of kappa (per component) and of the PSU effect's sd, from the moment estimates."""
    parts = direct.components
    phi = direct.deff if parts is None else parts["phi"].reindex(direct.deff.index)
    between = 0.1 if parts is None else float(parts["between"].mean())
    return {
        "kappa_centre": np.log(np.maximum(phi.to_numpy(float) - 1, 0.1)),
        "psu_centre": np.log(np.sqrt(between)),
    }


def _padded(size: int, step: int) -> int:
    """Round up, so that folds of different sizes share one compiled model."""
    return step * max(1, -(-size // step))


def _pad(values: Any, shape: tuple[int, ...], fill: float = 0) -> Any:
    widths = [(0, target - size) for target, size in zip(shape, values.shape, strict=True)]
    return np.pad(values, widths, constant_values=fill)


def _padded_data(data: Collapsed, field: SpatialField, sizes: dict[str, int]) -> dict[str, Any]:
    cells = (sizes["psus"], sizes["components"])
    extras = (sizes["extras"],)
    return {
        "area_of": _pad(data.area_of, cells[:1]),
        "exposure": _pad(data.exposure, cells),
        "reporters": _pad(data.reporters, cells),
        "reports": data.reports.sum(axis=0),
        "extra_psu": _pad(data.extra_psu, extras),
        "extra_component": _pad(data.extra_component, extras),
        "extra_degree": _pad(data.extra_degree, extras),
        "extra_m": _pad(data.extra_m, extras),
        "real": _pad(np.ones(len(data.extra_m)), extras),
        "values": _pad(field.values, (sizes["areas"],), 1.0),
        "vectors": _pad(field.vectors, (sizes["areas"], sizes["areas"])),
    }


@lru_cache(maxsize=4)
def _compiled(
    psus: int,
    areas: int,
    coarse_units: int,
    fine_units: int,
    extras: int,
    scores: int,
    components: int,
) -> Any:
    """Compile the model for these sizes; what is beyond the data only draws its prior."""
    import nutpie
    import pymc as pm
    import pytensor.tensor as pt

    def whole(name: str, size: int) -> Any:
        return pm.Data(name, np.zeros(size, int))

    with pm.Model() as model:
        area_of, coarse_of = whole("area_of", psus), whole("coarse_of", areas)
        fine_of, extra_psu = whole("fine_of", areas), whole("extra_psu", extras)
        extra_component = whole("extra_component", extras)
        exposure = pm.Data("exposure", np.ones((psus, components)))
        reporters = pm.Data("reporters", np.zeros((psus, components)))
        reports = pm.Data("reports", np.zeros(components))
        extra_degree = pm.Data("extra_degree", np.ones(extras))
        extra_m, real = pm.Data("extra_m", np.ones(extras)), pm.Data("real", np.zeros(extras))
        values = pm.Data("values", np.ones(areas))
        vectors = pm.Data("vectors", np.eye(areas))
        Z = pm.Data("Z", np.zeros((areas, scores)))
        centre = pm.Data("centre", np.zeros(components))
        kappa_centre = pm.Data("kappa_centre", np.zeros(components))
        psu_centre = pm.Data("psu_centre", 0.0)

        level = pm.Normal("level", 0, 1.5, shape=components)
        kappa = pm.LogNormal("kappa", kappa_centre, 0.7, shape=components)
        scale_b, scale_d = pm.HalfNormal("scale_b", 0.3), pm.HalfNormal("scale_d", 0.15)
        b = pm.Deterministic("b", scale_b * pm.Normal("b_raw", shape=(scores, 1)))
        d = pm.Deterministic("d", scale_d * pm.Normal("d_raw", shape=(scores, components)))
        coarse = pm.HalfNormal("scale_coarse", 0.3) * pm.Normal("coarse", shape=coarse_units)
        fine = pm.HalfNormal("scale_fine", 0.3) * pm.Normal("fine", shape=fine_units)
        rho = pm.Uniform("rho", 0, 1)
        spatial = vectors @ (pt.sqrt(rho * values + 1 - rho) * pm.Normal("z", shape=areas))
        loading = pm.HalfNormal("loading", 1.0, shape=components)
        own = pm.HalfNormal("scale_own", 0.5, shape=components) * pm.Normal(
            "own", shape=(areas, components)
        )
        scale_psu = pm.LogNormal("scale_psu", psu_centre, 0.3)
        psu = scale_psu * pm.Normal("psu", shape=psus) - scale_psu**2 / 2

        group = (coarse[coarse_of] + fine[fine_of])[:, None]
        eta = centre + level + Z @ (b + d) + group + spatial[:, None] * loading + own
        log_w = eta[area_of] + psu[:, None]
        cell = (extra_psu, extra_component)
        extra = (extra_degree, extra_m, real)
        pm.Potential(
            "likelihood", log_likelihood(log_w, kappa, exposure, reporters, reports, cell, extra)
        )
    return nutpie.compile_pymc_model(model)


def _diagnostics(trace: Any) -> dict[str, float]:
    import arviz as az

    hyper = trace.posterior[list(_HYPER)]
    rhat, ess = az.rhat(hyper), az.ess(hyper)
    worst = float(max(rhat[name].max() for name in _HYPER))
    fewest = float(min(ess[name].min() for name in _HYPER))
    divergent = float(trace.sample_stats["diverging"].mean())
    energy = trace.sample_stats["energy"].to_numpy()
    bfmi = float((np.diff(energy, axis=1) ** 2).mean(axis=1).min() / energy.var(axis=1).max())
    means = hyper.mean(("chain", "draw"))
    return {
        "rhat": worst,
        "ess": fewest,
        "divergent_share": divergent,
        "bfmi": bfmi,
        "weak": float(worst > 1.05 or divergent > 0.01 or bfmi < 0.2),
        **{name: float(means[name].mean()) for name in _HYPER if name != "level"},
    }
