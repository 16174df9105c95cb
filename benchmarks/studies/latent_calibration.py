"""Is the latent Gaussian model calibrated? Simulation-based calibration of its closed form.

    python benchmarks/studies/latent_calibration.py [--surveys N] [--json FILE]

Talts, Betancourt, Simpson, Vehtari & Gelman (2018): standard deviations and correlation from their
priors, log rates from the model, reports from the rates; where the model is right, the rank of the
truth among posterior draws is uniform. 60 areas in 12 groups, 40 surveyed, two components, 8
reports of each expected in an area at the base rate. Printed: by quantity, ranks in ten bins, their
chi-square's p-value, and the share of truths inside 80 % intervals. Ranked are the log rates of one
surveyed and one other area, the mean of all unsurveyed log rates, each standard deviation and the
correlation. Those hang on some ten weighted points, so their ranks are coarse and their
p-values judge the design of points as much as the model.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import chi2

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from latent_world import BASE, drawn

from smallarea.models import LatentGaussian

Array = NDArray[np.float64]

NAMES = ("linear", "features", "space", "province", "area", "own")
BINS, DRAWS, SCALE = 10, 199, 0.5


def ranks(seed: int, points: int) -> dict[str, float]:
    """Return shares of posterior draws below the truth in one simulated survey, by quantity."""
    rng = np.random.default_rng(100_000 + seed)
    sds = dict(zip(NAMES, rng.exponential(SCALE, len(NAMES)), strict=True))
    rho = rng.uniform()
    world = drawn(seed, sds, rho=rho, level=1.0)
    model = LatentGaussian(components=3, points=points).fit(world.X, world.direct, world.areas)
    values = np.log(model.draws(world.X, world.areas, DRAWS, seed).to_numpy() / BASE)
    truth = world.latent.to_numpy().T
    new = world.areas.index.get_indexer(world.new)
    seen = world.areas.index.get_indexer(world.direct.reports.index)
    found = {
        "surveyed area": _rank(values[0, seen[7]], truth[0, seen[7]]),
        "unsurveyed area": _rank(values[0, new[7]], truth[0, new[7]]),
        "mean of unsurveyed": _rank(values[:, new].mean(axis=(0, 1)), truth[:, new].mean()),
    }
    posterior = model.posterior_
    sampled = np.column_stack([posterior.thetas[:, :-1] ** 3, expit(posterior.thetas[:, -1])])
    for name, truth_of, points_of in zip(
        (*(f"sd {n}" for n in NAMES), "correlation"), (*sds.values(), rho), sampled.T, strict=True
    ):
        below = posterior.weights @ (points_of < truth_of)
        found[name] = float(below)
    return found


def _rank(draws: Array, truth: float) -> float:
    return float((draws < truth).mean())


def summary(found: list[dict[str, float]]) -> dict[str, dict[str, object]]:
    """Return by quantity the ranks in bins, the p-value of their being uniform, and coverage."""
    out: dict[str, dict[str, object]] = {}
    for name in found[0]:
        share = np.array([each[name] for each in found])
        counts = np.bincount(np.minimum((BINS * share).astype(int), BINS - 1), minlength=BINS)
        expected = len(share) / BINS
        statistic = ((counts - expected) ** 2 / expected).sum()
        out[name] = {
            "ranks": counts.tolist(),
            "p": round(float(chi2.sf(statistic, BINS - 1)), 4),
            "inside_80": round(float(((share > 0.1) & (share < 0.9)).mean()), 3),
        }
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--surveys", type=int, default=200)
    parser.add_argument("--points", type=int, default=16)
    parser.add_argument("--json", type=Path, default=None)
    chosen = parser.parse_args()
    found = [ranks(seed, chosen.points) for seed in range(chosen.surveys)]
    about = {"surveys": chosen.surveys, "points": chosen.points, "draws": DRAWS, "first_seed": 0}
    text = json.dumps({**about, "quantities": summary(found)}, indent=1)
    print(text)
    if chosen.json:
        chosen.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
