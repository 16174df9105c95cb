"""Latent surfaces: what an area is like (urban, poor, connected, ...), as standardised columns."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtri

from smallarea.errors import InputError

SURFACES = ("urbanicity", "deprivation", "connectivity", "remoteness", "conflict")


def standardise(values: np.ndarray) -> np.ndarray:
    """Return columns (or a vector) with mean 0 and standard deviation 1."""
    centred = values - values.mean(axis=0)
    return centred / centred.std(axis=0)


def normal_scores(values: pd.DataFrame) -> pd.DataFrame:
    """Return the normal scores of each column's ranks; NaN stays NaN."""
    return (
        values.rank()
        .sub(0.5)
        .div(values.notna().sum())
        .apply(lambda share: pd.Series(ndtri(share), share.index))
    )


def smooth_field(table: pd.DataFrame, rng: np.random.Generator, *, waves: int = 256) -> np.ndarray:
    """Return a standardised Gaussian random field at the areas' points, shape (areas,).

    Random Fourier features of a squared-exponential kernel with a scale of a twentieth of the
    country's diagonal (Rahimi & Recht 2007).
    """
    north = 111.2 * table["lat"].to_numpy(float)
    east = 111.2 * np.cos(np.radians(table["lat"].mean())) * table["lon"].to_numpy(float)
    length = max(1.0, float(np.hypot(np.ptp(east), np.ptp(north))) / 20)
    angle = np.column_stack([east, north]) @ rng.normal(0, 1 / length, (2, waves))
    return standardise(np.cos(angle + rng.uniform(0, 2 * np.pi, waves)).sum(axis=1))


def invented_surfaces(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the surfaces grown from the frame (density, urban share) and chance.

    Parameters
    ----------
    table : a frame's table.

    Returns
    -------
    area_id x SURFACES, each standardised over the areas.
    """
    rank = pd.DataFrame(
        {"density": table["population"] / table["area_km2"].where(table["area_km2"] > 0)}
    )
    rank["urban"] = table["urban_share"] if "urban_share" in table else rank["density"]
    # In an invention a missing value may count as the middle; estimation never does that.
    given = {name: column.fillna(0).to_numpy() for name, column in normal_scores(rank).items()}

    def chance() -> np.ndarray:
        return 0.6 * smooth_field(table, rng) + 0.3 * rng.normal(size=len(table))

    urbanicity = standardise(given["urban"] + given["density"] + chance())
    deprivation = standardise(-0.4 * urbanicity + chance())
    connectivity = standardise(0.6 * urbanicity - 0.3 * deprivation + chance())
    remoteness = standardise(-0.6 * urbanicity + chance())
    conflict = standardise(0.2 * remoteness + 0.2 * deprivation + chance())
    columns = (urbanicity, deprivation, connectivity, remoteness, conflict)
    return pd.DataFrame(dict(zip(SURFACES, columns, strict=True)), index=table.index)


def surfaces_of_features(features: pd.DataFrame, invented: pd.DataFrame) -> pd.DataFrame:
    """Return surfaces that are functions of real features, as near as can be to the invented.

    Each surface is the projection of its invented namesake on the leading principal components
    of the features' normal scores, so that it means what its name says where the features allow.

    Parameters
    ----------
    features : area_id x feature; a missing value counts as the feature's median.
    invented : area_id x SURFACES.

    Raises
    ------
    InputError : areas are absent, or fewer than five features vary.
    """
    if absent := sorted(set(invented.index) - set(features.index)):
        raise InputError(
            f"{len(absent)} areas are absent, first {absent[0]}",
            where="features",
            remedy="give one row for every area of the frame, NaN where a value is missing",
        )
    numeric = features.loc[invented.index].astype(float)
    numeric = numeric.loc[:, numeric.max() > numeric.min()]
    scores = standardise(normal_scores(numeric).fillna(0).to_numpy())
    left, spread, _ = np.linalg.svd(scores, full_matrices=False)  # (areas, p), (p,)
    components = left[:, spread > 1e-6 * spread.max(initial=0)][:, :12]
    if components.shape[1] < len(SURFACES):
        raise InputError(
            f"only {components.shape[1]} features vary independently between areas",
            where="features",
            remedy=f"give at least {len(SURFACES)}, or none to let the twin invent its own",
        )
    projected = components @ (components.T @ invented.to_numpy())
    return pd.DataFrame(standardise(projected), invented.index, invented.columns)
