"""Joint posterior draws of latent values at any areas, surveyed or not.

Matheron's rule: a draw of the prior at all areas, corrected by the regression on what it misses of
the data (Wilson, Borovitskiy, Terenin, Mostowsky & Deisenroth 2021). It is exact given the Gaussian
approximation of the surveyed areas; nothing of the size of areas x areas is formed beyond the
anchors of `kernels.Smooth.field`, and memory is bounded by drawing in parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from smallarea.models.hyperparameters import Integrated
from smallarea.models.kernels import Draw, Kernel, Places, Rows

Array = NDArray[np.float64]

_CELLS = 4_000_000  # latent values drawn at once
_WEIGHTS = 15_000_000  # areas x anchors, of each smooth kernel
_BLOCK = 5_000  # areas corrected at once
_KEPT = 4  # parts of draws of surveyed areas that are kept for the next refit


class Everywhere:
    """All areas that may be asked for, and the fields at them: what hangs on no data."""

    def __init__(
        self, at: Places, kernels: Sequence[Kernel], surveyed: pd.Index, anchors: int
    ) -> None:
        self.at, self.kernels = at, kernels
        self.anchors = _anchors(len(at.ids), at.ids.get_indexer(surveyed), anchors)
        self._known: dict[tuple[Any, ...], list[Array]] = {}

    @cached_property
    def _fields(self) -> list[Draw]:
        return [kernel.field(self.at, self.anchors) for kernel in self.kernels]

    def standard(self, seed: Sequence[int], shape: tuple[int, int], rows: Rows) -> Iterable[Array]:
        """Yield draws of each kernel's field, last of own effects: (rows, components, draws).

        Those of some of the areas are kept: refits to parts of the survey ask for the same again.
        """
        if len(rows) == len(self.at.ids):
            return self._made(seed, shape, rows)
        key = (*seed, *shape, rows.tobytes())
        if key not in self._known:
            while len(self._known) >= _KEPT:
                self._known.pop(next(iter(self._known)))
            self._known[key] = list(self._made(seed, shape, rows))
        return self._known[key]

    def _made(self, seed: Sequence[int], shape: tuple[int, int], rows: Rows) -> Iterator[Array]:
        *streams, of_own = np.random.default_rng(seed).spawn(len(self.kernels) + 1)
        for field, stream in zip(self._fields, streams, strict=True):
            yield field(stream, shape[0] * shape[1], rows).reshape(len(rows), *shape)
        yield of_own.standard_normal((len(self.at.ids), *shape))[rows]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_fields"} | {
            "_known": {}
        }


class LatentDraws:
    """Draws at some of all areas: those asked for, and the surveyed ones.

    rows : positions of the areas asked for. Whichever they are, the draws are the same.
    """

    def __init__(
        self, posterior: Integrated, everywhere: Everywhere, surveyed: Places, rows: Rows
    ) -> None:
        self.posterior, self.everywhere = posterior, everywhere
        self.kernels, self.surveyed = everywhere.kernels, surveyed
        observed = everywhere.at.ids.get_indexer(surveyed.ids)
        self.kept = np.union1d(rows, observed)
        self.at = everywhere.at.take(self.kept)
        self.rows = np.searchsorted(self.kept, observed)
        self.wanted = np.searchsorted(self.kept, rows)

    def __call__(self, n: int, seed: int) -> Iterator[tuple[Rows, Array]]:
        """Yield numbers of draws, and these draws (components, areas, draws), until there are n.

        Each point of the posterior of standard deviations and correlation gets its share.
        """
        rng = np.random.default_rng(seed)
        points = systematic(self.posterior.weights, n, rng)
        order = rng.permutation(n)
        step = max(1, _CELLS // (len(self.everywhere.at.ids) * self._components))
        for start in range(0, n, step):
            part = slice(start, start + step)
            latent = self._prior(points[part], (seed, start), rng)
            self._correct(latent, points[part], rng)
            yield order[part], latent[:, self.wanted]

    @property
    def _components(self) -> int:
        return len(self.posterior.fits[0].mode)

    def _prior(self, points: Rows, seed: tuple[int, int], rng: np.random.Generator) -> Array:
        """Draw latent values from the prior under each of the points, (K, areas, draws)."""
        thetas, n, K = self.posterior.thetas[points], len(points), self._components
        sds, rho = thetas[:, :-1] ** 3, expit(thetas[:, -1])
        standard = iter(self.everywhere.standard(seed, (K, n), self.kept))
        latent = np.zeros((len(self.kept), K, n))
        for sd in sds.T[:-1]:
            latent += next(standard) * sd
        # The symmetric square root of an exchangeable correlation matrix.
        contrast, common = np.sqrt(1 - rho), np.sqrt(1 + (K - 1) * rho)
        total = latent.sum(axis=1, keepdims=True)
        latent = contrast * latent + (common - contrast) / K * total
        latent += sds[:, -1] * next(standard)
        level = np.array([np.sqrt(fit.prior.level) for fit in self.posterior.fits])[points]
        latent += level * rng.standard_normal((K, n))
        return np.ascontiguousarray(latent.transpose(1, 0, 2))

    def _correct(self, latent: Array, points: Rows, rng: np.random.Generator) -> None:
        """Turn draws of the prior into draws of the posterior, in place."""
        missed = np.empty((len(latent), len(self.rows), len(points)))
        groups = [(g, np.flatnonzero(points == g)) for g in np.unique(points)]
        for g, draws in groups:
            fit = self.posterior.fits[g]
            here = latent[:, self.rows][:, :, draws]
            noise = rng.standard_normal(here.shape)
            explained = fit.sites.solve_noisy(here, noise)
            missed[:, :, draws] = (fit.slope + fit.shift)[:, :, None] - explained
        for start in range(0, len(self.at.ids), _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, len(self.at.ids)))
            place = self.at.take(rows)
            between = np.stack([k.between(place, self.surveyed) for k in self.kernels])
            for g, draws in groups:
                fit, sd = self.posterior.fits[g], self.posterior.thetas[g, :-2] ** 3
                rho, w = fit.prior.correlation, missed[:, :, draws]
                shared = np.tensordot(sd**2, between, 1)
                change = shared @ ((1 - rho) * w + rho * w.sum(axis=0))
                change += fit.prior.level * w.sum(axis=1, keepdims=True)
                latent[:, rows[0] : rows[-1] + 1, draws] += change
        for g, draws in groups:
            own = self.posterior.fits[g].prior.own * missed[:, :, draws]
            latent[:, self.rows[:, None], draws] += own


def systematic(weights: Array, n: int, rng: np.random.Generator) -> Rows:
    """Return n positions, sorted, each as often as its weight says, up to one."""
    at = (np.arange(n) + rng.uniform()) / n
    return np.minimum(np.searchsorted(np.cumsum(weights), at), len(weights) - 1)


def _anchors(areas: int, surveyed: Rows, most: int) -> Rows:
    """Choose the areas drawn jointly: all if they are few, else the surveyed and some between."""
    if areas <= most:
        return np.arange(areas)
    number = max(len(surveyed), min(most, _WEIGHTS // areas))
    spread = np.setdiff1d(np.linspace(0, areas - 1, number).astype(int), surveyed)
    room = max(1, number - len(surveyed))
    return np.union1d(surveyed, spread[:: -(-len(spread) // room) or 1])
