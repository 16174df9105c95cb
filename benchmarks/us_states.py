"""Surveys of the US states drawn around their census truth: error and coverage of Fay-Herriot.

    python benchmarks/us_states.py

Direct estimates of 50 states and the District of Columbia are drawn anew, normal about the census
figure with the published sampling variances, and smoothed with the three published covariates.
Root mean squared error over states and surveys, beside the direct estimate's and the synthetic
one's; coverage of 95 % intervals of the census figures; and what the mean squared errors claim.
Data: $SMALLAREA_SHARED/data/world/us_acs (US federal, see its README).
"""

from __future__ import annotations

import argparse
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from smallarea.files import write_json
from smallarea.models import FayHerriot

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
    for seed in range(surveys):
        rng = np.random.default_rng(seed)
        y = truth + rng.normal(size=len(d)) * np.sqrt(d)
        seen = rng.permutation(len(d)) >= held_out
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--surveys", type=int, default=500)
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    table, truth = load(SHARED / "data/world/us_acs")
    result: dict = {"surveys": options.surveys, "subset": SUBSET, "methods": {}}
    for method in METHODS:
        result["methods"][method] = {
            "all": study(table, truth, method, options.surveys),
            "ten held out": study(table, truth, method, options.surveys, held_out=10),
            "subset": study(table, truth, method, SUBSET),
        }
        print(method, {k: round(v, 3) for k, v in result["methods"][method]["all"].items()})
    write_json(options.out, result)


if __name__ == "__main__":
    main()
