"""The truth of the twin: how many people each area hides, and how much of it is reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.areas.levels import levels_of
from smallarea.errors import InputError
from smallarea.indicators import Indicators
from smallarea.simulate.groups import Groups, loadings, local_groups, whole_numbers
from smallarea.simulate.settings import TwinSettings, generator
from smallarea.simulate.surfaces import (
    SURFACES,
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
    counts : area_id x component, true numbers of people; sums are the national totals.
    tau : the national reporting rate of this world.
    tau_areas : area_id x component, mean reporting rate of the area's adults; weighted by
        `counts`, its mean over the survey's frame is `tau`.
    known : area_id x known group, true numbers of members.
    """

    surfaces: pd.DataFrame
    counts: pd.DataFrame
    tau: float
    tau_areas: pd.DataFrame
    known: pd.DataFrame


def grow_truth(
    frame: Frame,
    indicators: Indicators,
    settings: TwinSettings,
    features: pd.DataFrame | None = None,
) -> Truth:
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
    InputError : there are too few areas; the totals cannot be; fewer than five features vary, or
        areas are absent from them.
    """
    table, groups = frame.table, Groups.of(indicators, settings)
    least = 1 + len(SURFACES) + len(groups.components) + _factors(groups)
    if len(table) < least:
        raise InputError(
            f"{len(table)} areas are too few for a twin of {len(groups.components)} components",
            where="the frame",
            remedy=f"a twin needs {least} areas",
        )
    surfaces = invented_surfaces(table, generator(settings, "surfaces"))
    if features is not None:
        surfaces = surfaces_of_features(features, surfaces)
    log_rates = _log_rates(table, groups, surfaces, settings)
    weight = groups.base(table) * np.exp(log_rates)
    sizes = groups.totals(table, settings)
    counts = pd.DataFrame(
        {name: whole_numbers(weight[:, k], size) for k, (name, size) in enumerate(sizes.items())},
        index=table.index,
    )
    tau = settings.tau_mean
    if settings.tau_cv > 0:
        tau = float(generator(settings, "tau").beta(*settings.tau_prior))
    known = local_groups(table, groups, surfaces["urbanicity"], generator(settings, "known groups"))
    return Truth(surfaces, counts, tau, _tau_areas(table, counts, tau, settings), known)


def _factors(groups: Groups) -> int:
    """How many uncorrelated functions of the surfaces the components share."""
    return min(len(groups.components), len(SURFACES))


def _log_rates(
    table: pd.DataFrame, groups: Groups, surfaces: pd.DataFrame, settings: TwinSettings
) -> np.ndarray:
    """Log rates but for their level, (areas, components), with sd `area_sd`."""
    rng, signal = generator(settings, "log rates"), settings.signal
    explained = _explained(surfaces, _factors(groups), settings.nonlinear, rng)
    unexplained = _unexplained(table, len(groups.components), settings.spatial, rng)
    unexplained = _orthonormal(unexplained, after=np.column_stack([surfaces, explained]))
    correlation = groups.correlation(settings)
    known = explained @ loadings(correlation, explained.shape[1]).T
    own = unexplained @ loadings(correlation, unexplained.shape[1]).T
    return settings.area_sd * (np.sqrt(signal) * known + np.sqrt(1 - signal) * own)


def _explained(
    surfaces: pd.DataFrame, factors: int, nonlinear: float, rng: np.random.Generator
) -> np.ndarray:
    """Uncorrelated functions of the surfaces, (areas, factors); all components share the first."""
    s = surfaces
    direction = rng.normal(size=(s.shape[1], factors))
    direction[:, 0] = [0.5, 0.5, 0.6, -0.2, 0.0]  # urban, poor and connected
    bends = np.column_stack(
        [
            s["urbanicity"] * s["deprivation"],
            s["connectivity"].clip(lower=0.5),
            s["remoteness"] * s["conflict"],
            s["deprivation"].clip(lower=0.5),
            s["urbanicity"] * s["connectivity"],
        ]
    )
    linear = _orthonormal(s.to_numpy() @ direction)
    curved = _orthonormal(bends[:, :factors], after=s.to_numpy())
    return np.sqrt(1 - nonlinear) * linear + np.sqrt(nonlinear) * curved


def _unexplained(
    table: pd.DataFrame, number: int, spatial: float, rng: np.random.Generator
) -> np.ndarray:
    """Independent surfaces, (areas, number): a field, two levels' units, and each area's own."""
    columns = []
    for _ in range(number):
        smooth = smooth_field(table, rng)
        for level in levels_of(table)[:2]:
            codes, names = pd.factorize(table[f"{level}_id"])
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
    relative = np.exp(spread) * urban_mix(urban_share(table), settings)
    inside = table["covered"].to_numpy(bool)
    expected = counts[inside].mul(relative[inside], axis=0).sum()
    scale = tau * counts[inside].sum() / expected
    return pd.DataFrame(np.outer(relative, scale), counts.index, counts.columns)


def urban_share(table: pd.DataFrame) -> pd.Series:
    """Share of each area's people who live in towns; half where the frame does not know."""
    if "urban_share" in table:
        return table["urban_share"].fillna(0.5)
    return pd.Series(0.5, index=table.index)


def urban_mix(share: pd.Series, settings: TwinSettings) -> pd.Series:
    """Reporting rate of an area's people relative to urban people, given their urban share."""
    return share + (1 - share) * settings.tau_rural
