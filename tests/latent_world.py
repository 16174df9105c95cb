"""Small countries drawn from the latent Gaussian model's own prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from smallarea.models.components import principal_components
from smallarea.models.kernels import Kernel, Places, kernels, places, scaled_scores
from smallarea.nsum.direct.estimates import Direct

NAMES = ["first", "second"]
LEVELS = ["province_id"]
BASE = 0.003


@dataclass(frozen=True)
class Drawn:
    X: pd.DataFrame
    areas: pd.DataFrame
    direct: Direct
    latent: pd.DataFrame  # log rate over BASE, area_id x component
    kernels: list[Kernel]
    every: Places

    @property
    def new(self) -> pd.Index:
        return self.areas.index.difference(self.direct.reports.index)


def drawn(
    seed: int,
    sds: dict[str, float],
    rho: float = 0.7,
    level: float = 0.0,
    areas: int = 60,
    surveyed: int = 40,
    expected: float = 8.0,
) -> Drawn:
    """Draw areas, features, log rates with these standard deviations, and Poisson reports.

    `expected` : reports of an area and component at a log rate of 0.
    """
    rng = np.random.default_rng(seed)
    ids = pd.Index([f"a{i:04d}" for i in range(areas)], name="area_id")
    X = pd.DataFrame(rng.normal(size=(areas, 3)), ids, ["x", "y", "z"])
    table = pd.DataFrame(
        {
            "province_id": [f"p{g}" for g in rng.integers(0, areas // 5, areas)],
            "lon": 10 + rng.uniform(0, 4, areas),
            "lat": 45 + rng.uniform(0, 4, areas),
        },
        ids,
    )
    every = places(scaled_scores(principal_components(X, 3), X), table, LEVELS)
    sample = np.sort(rng.choice(areas, surveyed, replace=False))
    chosen = kernels(every.take(sample), 100.0)
    shared = sum(sds.get(k.name, 0.0) ** 2 * k.between(every, every) for k in chosen)
    whole = np.kron([[1, rho], [rho, 1]], shared + np.zeros((areas, areas)))
    whole += sds.get("own", 0.0) ** 2 * np.eye(2 * areas)
    values, vectors = np.linalg.eigh(whole)
    latent = vectors @ (np.sqrt(np.maximum(values, 0)) * rng.normal(size=2 * areas))
    latent = latent.reshape(2, areas).T + level * rng.normal(size=2)
    exposure = expected / BASE * rng.uniform(0.5, 1.5, (surveyed, 2))
    reports = rng.poisson(exposure * BASE * np.exp(latent[sample])).astype(float)

    def table_of(values: np.ndarray, index: pd.Index) -> pd.DataFrame:
        return pd.DataFrame(values, index, NAMES)

    index = ids[sample]
    direct = Direct(
        table_of(reports, index),
        table_of(exposure, index),
        table_of(BASE / exposure, index),
        pd.Series(1.0, NAMES),
    )
    return Drawn(X, table, direct, table_of(latent, ids), chosen, every)
