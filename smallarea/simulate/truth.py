"""The truth of the twin: how many people each area hides, and how much of it is reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.simulate.groups import COMPONENTS, REFERENCE, local_groups, whole_numbers
from smallarea.simulate.settings import TwinSettings, generator
from smallarea.simulate.surfaces import (
    invented_surfaces,
    smooth_field,
    standardise,
    surfaces_of_features,
)

if TYPE_CHECKING:
    from smallarea.areas import Frame


@dataclass(frozen=True)
class Truth:
    """What estimation must never see.

    Attributes
    ----------
    surfaces : area_id x latent surface, standardised.
    counts : area_id x COMPONENTS, true numbers of people; sums are the national totals.
    tau : the national reporting rate of this world.
    tau_areas : area_id x COMPONENTS, mean reporting rate of the area's adults; weighted by
        `counts`, its mean over the survey's frame is `tau`.
    known : area_id x known group, true numbers of members.
    """

    surfaces: pd.DataFrame
    counts: pd.DataFrame
    tau: float
    tau_areas: pd.DataFrame
    known: pd.DataFrame


def grow_truth(frame: Frame, settings: TwinSettings, features: pd.DataFrame | None = None) -> Truth:
    """Grow a world on the frame.

    The log rate of a component is area_sd x (sqrt(signal) G + sqrt(1 - signal) U) plus the
    intercept that gives the national total. G is a linear and a non-linear function of the
    surfaces; U is partly smooth in space and orthogonal to the surfaces, so that `signal` is
    exactly the share of the variance between areas that they explain.

    Parameters
    ----------
    features : area_id x real feature, NaN where missing; the surfaces are then functions of
        them. Without it they are invented.

    Raises
    ------
    InputError : fewer than five features vary, or areas are absent from them.
    """
    table = frame.table
    surfaces = invented_surfaces(table, generator(settings, "surfaces"))
    if features is not None:
        surfaces = surfaces_of_features(features, surfaces)
    log_rates = _log_rates(table, surfaces, settings)
    counts = pd.DataFrame(
        {
            name: whole_numbers(table[REFERENCE[name]].to_numpy() * np.exp(log_rates[name]), total)
            for name, total in settings.totals.items()
        },
        index=table.index,
    )
    tau = settings.tau_mean
    if settings.tau_cv > 0:
        tau = float(generator(settings, "tau").beta(*settings.tau_prior))
    known = local_groups(table, surfaces["urbanicity"], generator(settings, "known groups"))
    return Truth(surfaces, counts, tau, _tau_areas(table, counts, tau, settings), known)


def component_correlation(settings: TwinSettings) -> np.ndarray:
    """Correlation of the components' log rates, (4, 4), in the order of COMPONENTS."""
    pair, mode = settings.pair_correlation, settings.mode_correlation
    return np.kron([[1, pair], [pair, 1]], [[1, mode], [mode, 1]])


def _log_rates(
    table: pd.DataFrame, surfaces: pd.DataFrame, settings: TwinSettings
) -> dict[str, np.ndarray]:
    rng = generator(settings, "log rates")
    explained = _explained(surfaces, settings.nonlinear, rng)
    unexplained = _unexplained(table, settings.spatial, rng)
    unexplained = _orthonormal(unexplained, after=np.column_stack([surfaces, explained]))
    mix = np.linalg.cholesky(component_correlation(settings)).T
    signal = settings.signal
    log_rates = np.sqrt(signal) * explained @ mix + np.sqrt(1 - signal) * unexplained @ mix
    return dict(zip(COMPONENTS, settings.area_sd * log_rates.T, strict=True))


def _explained(surfaces: pd.DataFrame, nonlinear: float, rng: np.random.Generator) -> np.ndarray:
    """Four uncorrelated functions of the surfaces, (areas, 4); all components share the first."""
    s = surfaces
    direction = rng.normal(size=(s.shape[1], len(COMPONENTS)))
    direction[:, 0] = [0.5, 0.5, 0.6, -0.2, 0.0]  # urban, poor and connected
    bends = np.column_stack(
        [
            s["urbanicity"] * s["deprivation"],
            s["connectivity"].clip(lower=0.5),
            s["remoteness"] * s["conflict"],
            s["deprivation"].clip(lower=0.5),
        ]
    )
    linear = _orthonormal(s.to_numpy() @ direction)
    curved = _orthonormal(bends, after=s.to_numpy())
    return np.sqrt(1 - nonlinear) * linear + np.sqrt(nonlinear) * curved


def _unexplained(table: pd.DataFrame, spatial: float, rng: np.random.Generator) -> np.ndarray:
    """Four independent surfaces, (areas, 4): a field, provinces, regions, and each area's own."""
    columns = []
    for _ in COMPONENTS:
        smooth = smooth_field(table, rng)
        for level in ("province_id", "region_id"):
            codes, names = pd.factorize(table[level])
            smooth = smooth + 0.5 * rng.normal(size=len(names))[codes]
        own = rng.normal(size=len(table))
        columns.append(np.sqrt(spatial) * standardise(smooth) + np.sqrt(1 - spatial) * own)
    return np.column_stack(columns)


def _orthonormal(columns: np.ndarray, after: np.ndarray | None = None) -> np.ndarray:
    """Gram-Schmidt: mean 0, sd 1, uncorrelated with each other and with the columns `after`."""
    before = np.ones((len(columns), 1))
    if after is not None:
        before = np.column_stack([before, after])
    q, r = np.linalg.qr(np.column_stack([before, columns]))
    start = before.shape[1]
    return q[:, start:] * np.sign(np.diag(r)[start:]) * np.sqrt(len(columns))


def _tau_areas(
    table: pd.DataFrame, counts: pd.DataFrame, tau: float, settings: TwinSettings
) -> pd.DataFrame:
    """Reporting rates per area, scaled so that the covered people are reported at rate tau."""
    spread = generator(settings, "tau by area").normal(0, settings.tau_area_sd, len(table))
    relative = np.exp(spread) * urban_mix(table["urban_share"], settings)
    inside = table["covered"].to_numpy(bool)
    expected = counts[inside].mul(relative[inside], axis=0).sum()
    scale = tau * counts[inside].sum() / expected
    return pd.DataFrame(np.outer(relative, scale), counts.index, counts.columns)


def urban_mix(urban_share: pd.Series, settings: TwinSettings) -> pd.Series:
    """Reporting rate of an area's people relative to urban people, given their urban share."""
    return urban_share + (1 - urban_share) * settings.tau_rural
