"""How often two surveys of a twin find a decline of the truth, and how often they invent one.

    python benchmarks/change.py --seeds 60 --out benchmarks/results/change.json

Each seed is a world of its own. Two waves are interviewed and scaled up in closed form, with
bootstrap draws in place of a posterior, so that many worlds can be afforded; `smallarea change`
compares posterior draws in the same way.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.areas import Frame, build_frame, load_frame, save_frame
from smallarea.catalog import load_catalog
from smallarea.files import write_json
from smallarea.findings.comparison import survey_correlation
from smallarea.indicators import read_indicators
from smallarea.nsum import killworth
from smallarea.run.stages import code_hash
from smallarea.simulate import TwinSettings, grow_truth, simulate_survey
from smallarea.survey import ARD, make_ard
from smallarea.survey.waves import change

ROOT = Path(__file__).parents[1]
CATALOG = load_catalog(ROOT / "data_catalog.yaml")
INDICATORS = read_indicators(CATALOG.indicators)
DESIGNS = {
    "decline of 30 %, other barangays": {"decline": 0.3},
    "decline of 30 %, the same barangays": {"decline": 0.3, "revisit": True},
    "no decline, other barangays": {},
}

SUMS = {name: added.of for name, added in INDICATORS.sums.items()}


def wave(frame: Frame, **knobs: Any) -> ARD:
    """Interview one wave; the truth stays behind."""
    settings = TwinSettings(**CATALOG.twin | knobs)
    truth = grow_truth(frame, INDICATORS, settings)
    survey = simulate_survey(frame, INDICATORS, truth, settings)
    return make_ard(
        survey.respondents.reset_index(), survey.groups.reset_index(),
        respondent="respondent_id", weight="weight", psu="psu", stratum="stratum", area="area_id",
    )  # fmt: skip


def sums(ard: ARD, seed: int) -> xr.DataArray:
    """Bootstrap draws of reported victims and traffickers, dims (indicator, draw)."""
    draws = killworth(ard).bootstrap(replicates=1000, seed=seed)
    return xr.DataArray(
        np.stack([draws[list(parts)].sum(axis=1) for parts in SUMS.values()]),
        dims=("indicator", "draw"),
        coords={"indicator": list(SUMS)},
    )


def compare(frame: Frame, seed: int) -> pd.DataFrame:
    """One world: each design's change of victims and traffickers."""
    first = wave(frame, seed=seed)
    rows = {}
    for name, knobs in DESIGNS.items():
        second = wave(frame, seed=seed, wave=2, **knobs)
        correlation = 0.0
        if knobs.get("revisit"):
            correlation = float(survey_correlation(first, second).mean())
        rows[name] = change(
            sums(first, seed), sums(second, seed + 1), correlation=correlation, seed=seed
        ).assign(correlation=correlation, truth=1 - knobs.get("decline", 0.0))
    return pd.concat(rows, names=["design"])


def summarise(worlds: pd.DataFrame) -> pd.DataFrame:
    """Per design and indicator: coverage, and how often a decrease has a given probability."""
    inside_95 = worlds["truth"].between(worlds["q025"], worlds["q975"])
    inside_80 = worlds["truth"].between(worlds["q10"], worlds["q90"])
    return (
        pd.DataFrame(
            {
                "median ratio": worlds["ratio"],
                "95 % intervals that hold the truth": inside_95,
                "80 % intervals that hold the truth": inside_80,
                "mean chance of a decrease": worlds["p_decrease"],
                "chance above 0.80": worlds["p_decrease"] > 0.8,
                "chance above 0.95": worlds["p_decrease"] > 0.95,
                "correlation": worlds["correlation"],
            }
        )
        .astype(float)
        .groupby(level=["design", "indicator"], sort=False)
        .mean()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        save_frame(build_frame(CATALOG, []), Path(folder) / "f")
        frame = load_frame(Path(folder) / "f")
    worlds = pd.concat(
        {seed: compare(frame, seed) for seed in range(1, options.seeds + 1)}, names=["seed"]
    )
    table = summarise(worlds)
    print(table.T.round(2).to_string())
    if options.out:
        rows = table.reset_index().to_dict("records")
        write_json(
            options.out, {"seeds": options.seeds, "code_sha256": code_hash("."), "results": rows}
        )


if __name__ == "__main__":
    main()
