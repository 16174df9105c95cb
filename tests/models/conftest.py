"""Small invented worlds of known truth, in which models can be judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from study import COMPONENTS

from smallarea.nsum.direct.estimates import Direct


@dataclass(frozen=True)
class World:
    X: pd.DataFrame
    areas: pd.DataFrame
    direct: Direct
    truth: pd.DataFrame  # reported rates, area_id x component


def _make_world(
    seed: int,
    *,
    signal: float = 0.6,
    sd: float = 0.8,
    linear: bool = True,
    n_areas: int = 600,
    surveyed: int = 150,
    n_features: int = 40,
    reports: float = 120.0,
    deff: float = 1.4,
) -> World:
    """Areas in provinces and regions, features of 6 latent factors, sparse overdispersed reports.

    `signal` is the share of the variance (`sd` squared) of log rates that features explain.
    """
    rng = np.random.default_rng(seed)
    ids = pd.Index([f"{10 * i + 1000000000:010d}" for i in range(n_areas)], name="area_id")
    province = np.sort(rng.integers(0, max(n_areas // 18, 2), n_areas))
    areas = pd.DataFrame(
        {
            "province_id": [f"p{p:03d}" for p in province],
            "region_id": [f"r{p // 5:02d}" for p in province],
        },
        index=ids,
    )
    latent = (
        rng.normal(size=(n_areas, 6)) + 0.7 * rng.normal(size=(province.max() + 1, 6))[province]
    )
    features = latent @ rng.normal(size=(6, n_features)) + rng.normal(size=(n_areas, n_features))
    features[rng.uniform(size=features.shape) < 0.05] = np.nan
    X = pd.DataFrame(features, ids, [f"f{j:02d}" for j in range(n_features)])

    z = latent / latent.std(0)
    surface = (
        z[:, 0] + 0.6 * z[:, 1]
        if linear
        else 1.5 * (z[:, 0] > 0.5) * (z[:, 1] > 0) + np.abs(z[:, 2])
    )
    surface = (surface - surface.mean()) / surface.std()
    noise = 0.4 * rng.normal(size=province.max() + 1)[province] + rng.normal(size=n_areas)
    noise = (noise - noise.mean()) / noise.std()
    common = np.sqrt(signal) * surface + np.sqrt(1 - signal) * noise
    log_rate = 0.9 * sd * common[:, None] + np.sqrt(1 - 0.81) * sd * rng.normal(size=(n_areas, 4))
    exposure = pd.DataFrame(
        np.repeat(rng.lognormal(np.log(3000), 0.3, (n_areas, 2)), 2, axis=1), ids, list(COMPONENTS)
    )
    sample = ids[np.sort(rng.choice(n_areas, surveyed, replace=False))]

    truth = pd.DataFrame(np.exp(log_rate), ids, list(COMPONENTS))
    truth *= reports / (truth * exposure).loc[sample].sum()
    mu = (truth * exposure).loc[sample]
    counts = rng.negative_binomial(mu / (deff - 1), 1 / deff) if deff > 1 else rng.poisson(mu)
    y = pd.DataFrame(counts.astype(float), sample, list(COMPONENTS))
    e = exposure.loc[sample]
    factor = pd.Series(deff, list(COMPONENTS))
    national = y.sum() / e.sum()
    return World(X, areas, Direct(y, e, factor * national / e, factor), truth)


@pytest.fixture(scope="session")
def make_world() -> Callable[..., World]:
    """The maker of worlds, for tests that need several."""
    return _make_world


@pytest.fixture(scope="session")
def world() -> World:
    """A world in which features explain most of the variance between areas."""
    return _make_world(1, n_areas=300, surveyed=120)
