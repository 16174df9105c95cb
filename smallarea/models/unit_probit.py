"""A unit-level probit model with areas in groups: the peer that ranks areas by prevalence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtr
from sklearn.base import BaseEstimator

from smallarea.areas.levels import level_ids
from smallarea.errors import InputError
from smallarea.models.components import principal_components, usable
from smallarea.models.counts import as_draws, check_areas, check_features, effective_counts
from smallarea.models.probit_chains import Chains
from smallarea.nsum.bayesian.convergence import rhat

if TYPE_CHECKING:
    from smallarea.nsum.direct.estimates import Direct

Array = NDArray[np.float64]


class UnitProbit(BaseEstimator):
    """Bayesian probit regression of persons within areas within groups, each component alone.

    A person of area a has the trait with probability Phi(eta_a), eta_a = x_a' beta + u_g + v_a,
    u_g ~ N(0, s_u^2) of the lowest level above the area, v_a ~ N(0, s_v^2), flat priors on beta,
    s_u and s_v. As persons of an area share its covariates, they enter as yes among asked, both
    over the design effect; sampled by `probit_chains`. Draws of a component ranked over areas are
    draws of its areas' ranks.

    Counts of people known are read likewise: people known are the persons asked about. In a
    household survey their number is known, in a network survey estimated, and rates are reported
    ones, of which the model knows nothing.

    Parameters
    ----------
    components : number of principal components of the features, the covariates.
    chains, tune, draws_per_chain : of the sampler; a draw is four sweeps. random_state : its seed.

    Attributes
    ----------
    posterior_ : name -> draws (component, draw, ...).
    diagnostics_ : largest R-hat of levels and standard deviations, and posterior means of these.
    """

    def __init__(
        self,
        components: int = 8,
        chains: int = 4,
        tune: int = 250,
        draws_per_chain: int = 1000,
        random_state: int = 0,
    ) -> None:
        self.components = components
        self.chains = chains
        self.tune = tune
        self.draws_per_chain = draws_per_chain
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, direct: Direct, areas: pd.DataFrame) -> Self:
        """Sample the posterior given the surveyed areas; `X` has all areas.

        Raises
        ------
        InputError : as `check_areas` and `effective_counts`, more reports than people asked
            about, or no more areas than covariates and two.
        """
        check_areas(X, direct, areas)
        yes, asked = effective_counts(direct)
        if (yes > asked).any(axis=None):
            raise InputError(
                "more said yes than were asked", where="survey", remedy="correct the answers"
            )
        self.features_, self.columns_, self.index_ = X.columns, yes.columns, yes.index
        self.pipeline_ = (
            principal_components(X.sort_index(), self.components) if len(usable(X)) else None
        )
        Z = self._design(X.loc[self.index_])
        if len(Z) < Z.shape[1] + 3:
            raise InputError(
                f"{len(Z)} areas for {Z.shape[1]} coefficients",
                where="unit-level probit",
                remedy="use fewer components",
            )
        groups = level_ids(areas)[self.index_]
        self.groups_ = pd.Index(groups.unique()).sort_values()
        sampler = Chains(
            np.repeat(yes.to_numpy().T, self.chains, axis=0),
            np.repeat(asked.to_numpy().T, self.chains, axis=0),
            Z,
            self.groups_.get_indexer(groups),
            np.random.default_rng(self.random_state),
        )
        sampled = sampler.run(self.tune, self.draws_per_chain)
        shape = len(self.columns_), self.chains * self.draws_per_chain
        self.posterior_ = {
            name: values.reshape(*shape, *values.shape[2:]) for name, values in sampled.items()
        }
        self.diagnostics_ = self._diagnostics()
        return self

    def draws(self, X: pd.DataFrame, areas: pd.DataFrame, n: int, seed: int) -> xr.DataArray:
        """Return draws of rates (component, area_id, draw) for the areas of `X`.

        Areas and groups without data have effects drawn from their priors, those of a group's
        areas alike.
        """
        rng = np.random.default_rng(seed)
        index = X.index.sort_values()
        Z = self._design(check_features(X, self.features_).loc[index])
        size = self.posterior_["eta"].shape[1]
        chosen = rng.choice(size, n, replace=n > size)
        codes, labels = pd.factorize(level_ids(areas)[index], sort=True)
        known = self.groups_.get_indexer(pd.Index(labels))
        place = self.index_.get_indexer(index)
        values = []
        for k in range(len(self.columns_)):
            at = {name: each[k, chosen] for name, each in self.posterior_.items()}
            u = at["sd_group"][:, None] * rng.standard_normal((n, len(labels)))
            u[:, known >= 0] = at["u"][:, known[known >= 0]]
            v = at["sd_area"][:, None] * rng.standard_normal((n, len(index)))
            eta = at["beta"] @ Z.T + u[:, codes] + v
            eta[:, place >= 0] = at["eta"][:, place[place >= 0]]
            values.append(ndtr(eta).T)
        return as_draws(values, self.columns_, X.index)

    def _design(self, X: pd.DataFrame) -> Array:
        ones = np.ones((len(X), 1))
        return ones if self.pipeline_ is None else np.hstack([ones, self.pipeline_.transform(X)])

    def _diagnostics(self) -> dict[str, float]:
        split = self.chains, self.draws_per_chain
        watched = {
            "level": self.posterior_["beta"][..., 0],
            "sd area": self.posterior_["sd_area"],
            "sd group": self.posterior_["sd_group"],
        }
        worst = max(rhat(one.reshape(split)) for v in watched.values() for one in v)
        means = {name: float(v.mean()) for name, v in watched.items()}
        return {"rhat": float(worst), "weak": float(worst > 1.05), **means}
