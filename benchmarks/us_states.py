"""Surveys of the US states drawn around their census truth: error and coverage of two models.

    python benchmarks/us_states.py

Direct estimates of 50 states and the District of Columbia are drawn anew, normal about the census
figure with the published sampling variances, and smoothed with the three published covariates.
Root mean squared error over states and surveys, beside the direct estimate's and the synthetic
one's; coverage of 95 % intervals of the census figures; and what the mean squared errors claim.
The same of the latent Gaussian model, which sees normal scores of the covariates' ranks, and of it
given the covariates as they are.
Data: $SMALLAREA_SHARED/data/world/us_acs (US federal, see its README).
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from smallarea.files import write_json
from smallarea.models import FayHerriot, LatentGaussian
from smallarea.models.components import principal_components
from smallarea.nsum.direct.estimates import Direct
from smallarea.run.code import source_hash

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("SMALLAREA_SHARED", ROOT.parent / "shared"))
RESULT = ROOT / "benchmarks/results/us_states.json"
METHODS = ("reml", "ml", "amrl_yl", "amrl", "robust")
SUBSET = 40  # surveys that the test draws again


def load(folder: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the states' table (Y, X1-X3, d) and their census truth, (51,)."""
    table = pd.read_csv(folder / "data1.txt", sep=r"\s+")
    table.index = pd.Index([f"state {i}" for i in range(len(table))])
    return table, np.array((folder / "data1_theta0.txt").read_text().split(), dtype=float)


def study(
    table: pd.DataFrame, truth: np.ndarray, method: str, surveys: int, held_out: int = 0
) -> dict[str, float]:
    """Average over surveys of seeds 0 .. surveys - 1.

    With `held_out`, that many states, other ones in each survey, are predicted without data.
    """
    X, d = table[["X1", "X2", "X3"]], table["d"].to_numpy()
    rows = []
    for seed, y, seen in drawn(truth, d, surveys, held_out):
        model = FayHerriot(method, worlds=100, random_state=seed)
        model.fit(X[seen], y[seen], d[seen], areas=X.index[seen])
        judged = ~seen if held_out else seen
        at, theta = X[judged], truth[judged]
        estimate, mse = model.predict(at, at.index, return_mse=True)
        low, high = model.predict_interval(at, at.index).T
        rows.append(
            {
                "squared": np.mean((estimate - theta) ** 2),
                "direct": np.mean((y[judged] - theta) ** 2),
                "synthetic": np.mean((model.predict(at) - theta) ** 2),
                "claimed": mse.mean(),
                "coverage": np.mean((low <= theta) & (theta <= high)),
                "A": model.random_variance_,
                "A_zero": float(model.random_variance_ == 0),
            }
        )
    mean = pd.DataFrame(rows).mean()
    roots = {f"rmse_{k}": float(np.sqrt(mean[k])) for k in ("direct", "synthetic")}
    return {
        "rmse": float(np.sqrt(mean["squared"])),
        **roots,
        "claimed_over_true_mse": float(mean["claimed"] / mean["squared"]),
        **{k: float(mean[k]) for k in ("coverage", "A", "A_zero")},
    }


def drawn(
    truth: np.ndarray, d: np.ndarray, surveys: int, held_out: int
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield seed, direct estimates and which states have data, survey by survey."""
    for seed in range(surveys):
        rng = np.random.default_rng(seed)
        y = truth + rng.normal(size=len(d)) * np.sqrt(d)
        yield seed, y, rng.permutation(len(d)) >= held_out


def latent(
    table: pd.DataFrame, truth: np.ndarray, surveys: int, held_out: int = 0
) -> dict[str, float]:
    """Return error and coverage of the latent Gaussian model, as `study` does.

    Standard deviations are expected to be about one of the direct estimates, levels within four.
    """
    X, d = table[["X1", "X2", "X3"]].rename_axis("area_id"), table["d"].to_numpy()
    areas, rows = pd.DataFrame(index=X.index), []
    for seed, y, seen in drawn(truth, d, surveys, held_out):
        spread = float(y[seen].std())
        frames = (pd.DataFrame({"rate": v[seen]}, X.index[seen]) for v in (y, np.ones_like(y), d))
        model = LatentGaussian(3, "gaussian", scale=spread, level_sd=4 * spread, points=16)
        model.fit(X, Direct(*frames, pd.Series({"rate": 1.0})), areas)
        judged = ~seen if held_out else seen
        draws = model.draws(X[judged], areas, 1000, seed).sel(component="rate").to_numpy()
        low, high = np.quantile(draws, [0.025, 0.975], axis=1)
        theta = truth[judged]
        squared = np.mean((draws.mean(axis=1) - theta) ** 2)
        rows.append((squared, np.mean((low <= theta) & (theta <= high))))
    squared, coverage = np.mean(rows, axis=0)
    return {"rmse": float(np.sqrt(squared)), "coverage": float(coverage)}


def as_they_are(X: pd.DataFrame, number: int) -> Pipeline:
    """Return what `principal_components` does, without ranks."""
    steps = make_pipeline(StandardScaler(), PCA(number, svd_solver="full"), StandardScaler())
    steps.fit(X)
    return steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--surveys", type=int, default=500)
    parser.add_argument("--latent", type=int, default=20, help="surveys of the latent Gaussian")
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    table, truth = load(SHARED / "data/world/us_acs")
    result: dict = {"surveys": options.surveys, "subset": SUBSET, "methods": {}}
    code = sorted((ROOT / "smallarea" / "models").rglob("*.py"))
    result["code"] = source_hash(code)
    for method in METHODS:
        result["methods"][method] = {
            "all": study(table, truth, method, options.surveys),
            "ten held out": study(table, truth, method, options.surveys, held_out=10),
            "subset": study(table, truth, method, SUBSET),
        }
        print(method, {k: round(v, 3) for k, v in result["methods"][method]["all"].items()})
    few = options.latent
    told = result["latent Gaussian"] = {"surveys": few, "reml": study(table, truth, "reml", few)}
    ways = {"ranks": principal_components, "covariates as they are": as_they_are}
    for name, scores in ways.items():
        with mock.patch("smallarea.models.latent_gaussian.principal_components", scores):
            told[name] = {
                "all": latent(table, truth, few),
                "ten held out": latent(table, truth, few, held_out=10),
            }
        print("latent Gaussian,", name, told[name])
    write_json(options.out, result)


if __name__ == "__main__":
    main()
