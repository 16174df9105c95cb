"""The latent Gaussian model in closed form against the same model sampled by NUTS.

    python benchmarks/studies/latent_sampled.py [--worlds N] [--json FILE]

The model of `smallarea.models.LatentGaussian` written out in PyMC, every effect sampled, by
nutpie's NUTS: 60 areas, 40 of them surveyed, two components, five kernels. With standard deviations
and correlation known, what differs is Laplace's approximation; with them free, also their integral
on a small design. Compared are posterior means and standard deviations of log rates, cell by cell:
differences of means in posterior standard deviations, and ratios of standard deviations. Their
Monte Carlo error, from the sampler's least effective sample size and the number of closed-form
draws, is printed beside.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from latent_world import BASE, Drawn, drawn

from smallarea.models import LatentGaussian
from smallarea.models.hyperparameters import Integrated, Marginal

Array = NDArray[np.float64]

SDS = {"linear": 0.3, "features": 0.4, "space": 0.4, "province": 0.2, "area": 0.3, "own": 0.2}
RHO, DRAWS, SCALE = 0.7, 4000, 0.5


def closed_form(world: Drawn, known: bool, points: int = 64, seed: int = 1) -> Array:
    """Return draws of log rates over the base rate, (components, areas, draws)."""
    model = LatentGaussian(components=3, points=1 if known else points, scale=SCALE)
    model.fit(world.X, world.direct, world.areas)
    if known:
        theta = np.array([*np.cbrt(list(SDS.values())), logit(RHO)])
        at = model.surveyed_
        matrices = np.stack([k.between(at, at) for k in model.kernels_])
        fit = Marginal(model.data_, matrices, 2, SCALE, 1.0).fit(theta)
        model.posterior_ = Integrated(theta[None], np.ones(1), theta, [fit], 1.0)
    draws = model.draws(world.X, world.areas, DRAWS, seed).to_numpy()
    return np.log(draws / BASE)


def sampled(world: Drawn, known: bool, seed: int = 1) -> tuple[Array, float]:
    """Return the sampler's draws, (components, areas, draws), and its least effective sample."""
    import arviz as az
    import nutpie
    import pymc as pm
    import pytensor.tensor as pt

    every, K = world.every, len(world.direct.reports.columns)
    at = world.areas.index.get_indexer(world.direct.reports.index)
    reports, exposure = world.direct.reports.to_numpy(), world.direct.exposure.to_numpy()
    centre = np.log((reports.sum(axis=0) + 0.5) / exposure.sum(axis=0))
    with pm.Model() as model:
        if known:
            sds, rho = np.array(list(SDS.values())), RHO
        else:
            sds, rho = pm.Exponential("sds", 1 / SCALE, shape=len(SDS)), pm.Uniform("rho")
        f = pm.Normal("level", 0, 1, shape=K) + pt.zeros((len(every.ids), K))
        for j, kernel in enumerate(world.kernels):
            values, vectors = np.linalg.eigh(kernel.between(every, every))
            kept = values > 1e-9 * values[-1]
            root = vectors[:, kept] * np.sqrt(values[kept])
            z = pm.Normal(f"z_{kernel.name}", shape=(root.shape[1], K + 1))
            f = f + sds[j] * pt.dot(root, np.sqrt(1 - rho) * z[:, :K] + np.sqrt(rho) * z[:, K:])
        f = pm.Deterministic("f", f + sds[-1] * pm.Normal("own", shape=(len(every.ids), K)))
        pm.Poisson("reports", exposure * pt.exp(centre + f[at]), observed=reports)
    trace = nutpie.sample(
        nutpie.compile_pymc_model(model),
        draws=1500,
        tune=500,
        chains=2,
        seed=seed,
        progress_bar=False,
    )
    least = float(az.ess(trace, var_names=["f"])["f"].min())
    values = az.extract(trace)["f"].transpose("f_dim_1", "f_dim_0", "sample").to_numpy()
    return values + (centre - np.log(BASE))[:, None, None], least


def compare(seed: int, known: bool, expected: float = 8.0) -> dict[str, Any]:
    """Compare both on one world."""
    world = drawn(seed, SDS, rho=RHO, level=0.5, expected=expected)
    started = time.process_time()
    ours = closed_form(world, known)
    seconds = time.process_time() - started
    theirs, least = sampled(world, known)
    sd = theirs.std(axis=2)
    shift = (ours.mean(axis=2) - theirs.mean(axis=2)) / sd
    ratio = ours.std(axis=2) / sd
    seen = world.areas.index.isin(world.direct.reports.index)
    out: dict[str, Any] = {
        "world": seed,
        "hyperparameters": "known" if known else "free",
        "reports": float(world.direct.reports.to_numpy().sum()),
        "closed_form_cpu_s": round(seconds, 2),
        "least_effective_sample": round(least),
        "mc_error_of_a_mean": round(float(np.sqrt(1 / least + 1 / DRAWS)), 3),
    }
    for name, which in {"surveyed": seen, "unsurveyed": ~seen}.items():
        out[name] = {
            "mean_shift": round(float(shift[:, which].mean()), 3),
            "largest_shift": round(float(np.abs(shift[:, which]).max()), 3),
            "mean_sd_ratio": round(float(ratio[:, which].mean()), 3),
            "least_sd_ratio": round(float(ratio[:, which].min()), 3),
            "largest_sd_ratio": round(float(ratio[:, which].max()), 3),
        }
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=1)
    parser.add_argument("--json", type=Path, default=None)
    chosen = parser.parse_args()
    found = []
    for seed in range(1, chosen.worlds + 1):
        for known in (True, False):
            found.append(compare(seed, known))
            print(json.dumps(found[-1]), flush=True)
    if chosen.json:
        about = {"areas": 60, "surveyed": 40, "components": 2, "points": 64, "draws": DRAWS}
        chosen.json.write_text(json.dumps({**about, "worlds": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
