"""Time and memory of a whole run as a country grows: 1,642, 5,565 and 42,010 areas.

    python benchmarks/scale.py [--areas N ...] [--json FILE]

Places are those of a register: its municipalities, the places of examples/brazil, its barangays. Of
each there are twelve invented features that vary smoothly with place, and, where the shared data
are at hand, the barangays' age shares; invented yes/no answers come from 150 of them. All else is
the ordinary run in the profile `fast`: two levels above the areas (three for barangays), three
models, 500 draws of one component. Every run is a process of its own; printed are its seconds, CPU
seconds and peak memory, and the seconds of each stage.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallarea.areas import build_frame
from smallarea.catalog import load_catalog
from smallarea.files import write_json

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("SMALLAREA_SHARED", ROOT.parent / "shared"))
RESULT = Path(__file__).parent / "results" / "scale.json"
FEATURES = [f"f{number:02d}" for number in range(12)]


def places(areas: int) -> tuple[pd.DataFrame, list[str]]:
    """Return code, name, people, lon, lat and levels of places, and the levels, lowest first."""
    if areas == 5565:
        table = pd.read_csv(ROOT / "examples" / "brazil" / "data" / "municipalities.csv", dtype=str)
        table["macroregion"] = table["state_code"].str[0]
        return table.astype({"people": int, "lon": float, "lat": float}), ["state", "macroregion"]
    frame = build_frame(load_catalog(ROOT / "data_catalog.yaml"), [])
    above = frame.table[["province_id", "region_id"]].set_axis(["province", "region"], axis=1)
    above["region"] = above.groupby("province")["region"].transform("first")  # a unit in one only
    if areas == len(frame.table):
        kept, levels = frame.table, ["province", "region"]
        table = above
    else:
        kept, levels = frame.psus, ["municipality", "province", "region"]
        table = above.loc[kept["area_id"]].assign(municipality=kept["area_id"].to_numpy())
    table = table.set_axis(kept.index).assign(
        code=kept.index, name=kept["name"], people=kept["population"],
        lon=kept["lon"], lat=kept["lat"],
    )  # fmt: skip
    rng = np.random.default_rng(1)
    for axis in ("lon", "lat"):  # no two in one place
        table[axis] += rng.uniform(-5e-4, 5e-4, len(table))
    return table.reset_index(drop=True), levels


def features(table: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return waves of place with noise, and age shares where they are known."""
    at = table[["lon", "lat"]].to_numpy()
    waves = np.sin(at @ rng.normal(0, 0.6, (2, 12)) + rng.uniform(0, 6, 12))
    made = pd.DataFrame(waves + 0.5 * rng.normal(size=waves.shape), columns=FEATURES)
    made.insert(0, "code", table["code"].to_numpy())
    ages = SHARED / "data" / "world" / "philippines_extra" / "barangay_age_shares.csv.gz"
    if len(table) > 10_000 and ages.is_file():
        known = pd.read_csv(ages, sep=";", dtype=str)
        old = known.pop("pcode_level4").str.removeprefix("PH")  # 9 digits, two of the province
        shares = known.apply(pd.to_numeric, errors="coerce").set_axis(
            old.str[:2] + "0" + old.str[2:]
        )
        shares = shares[~shares.index.duplicated()]
        for column in shares:
            made[column] = made["code"].map(shares[column]).to_numpy()
    return made


CATALOG = """
frame:
  connector: table
  publisher: a register
  licence: open
  vintage: "2020"
  crs: {crs}
  area_crs: EPSG:6933
  file: places.csv
  code: code
  name: name
  population: people
  lon: lon
  lat: lat
  coast: {{farthest_km: 15}}
  levels: [{levels}]
sources:
  told:
    title: Invented features
    publisher: nobody
    licence: open
    access: open
    file: told.csv
    kind: table
    cadence: once
    vintage: 2020
    key: {{code: code}}
    columns: {{{columns}}}
indicators:
  title: "Invented people: estimates by place"
  populations: {{population: {{label: people}}}}
  components:
    some:
      population: population
      label: Some people
      definition: Invented.
      excludes: Nobody.
      reference_period: "2020"
settings:
  seed: 1
  direct: {{file: data/direct.csv, deff: 1.5}}
  draws: {{fast: 500}}
"""
STREAM = '''
"""What is told of places."""

from smallarea.features import stream, tables

COLUMNS = {columns}


@stream(source="told", unit=dict.fromkeys(COLUMNS, "1"))
def told(told, areas):
    return tables.align(told, areas)[COLUMNS]
'''


def write_project(root: Path, areas: int) -> None:
    """Write a project of so many places."""
    rng = np.random.default_rng(areas)
    table, levels = places(areas)
    told = features(table, rng)
    columns = list(told)[1:]
    rate = 0.2 * np.exp(0.4 * told["f00"] + 0.3 * told["f01"] + 0.2 * rng.normal(size=len(table)))
    chosen = rng.choice(
        len(table), 150, replace=False, p=(table["people"] / table["people"].sum()).to_numpy(float)
    )
    answers = pd.DataFrame({"area": table["code"].iloc[chosen], "component": "some"})
    answers["yes"] = rng.binomial(24, rate.clip(upper=0.9).iloc[chosen])
    for folder in ("data", "features", "models"):
        (root / folder).mkdir(parents=True)
    table.to_csv(root / "data" / "places.csv", index=False)
    told.to_csv(root / "data" / "told.csv", index=False)
    answers.assign(asked=24).to_csv(root / "data" / "direct.csv", index=False)
    (root / "data_catalog.yaml").write_text(
        CATALOG.format(
            crs="EPSG:5880" if areas == 5565 else "EPSG:32651",
            levels=", ".join(f"{{name: {level}}}" for level in levels),
            columns=", ".join(f"{name}: {{}}" for name in columns),
        )
    )
    (root / "features" / "told.py").write_text(STREAM.format(columns=columns).lstrip())
    for path in sorted((ROOT / "examples" / "brazil" / "models").glob("*.py")):
        (root / "models" / path.name).write_text(path.read_text())


def measured(root: Path) -> dict[str, Any]:
    """Run the project in a process of its own; return seconds, memory, stages and outputs."""
    begin = time.perf_counter()
    command = [sys.executable, "-m", "smallarea", "run", "--project", str(root), "--json"]
    with (root / "out.json").open("w") as out, (root / "err.txt").open("w") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err)
        _, status, used = os.wait4(process.pid, 0)
    took = time.perf_counter() - begin
    if status:
        said = (root / "err.txt").read_text()
        raise SystemExit(re.sub(r"\s+", " ", said[-2000:]) or f"ended with status {status}")
    made = json.loads((root / "out.json").read_text())
    folder = Path(made["folder"])
    sizes = {p.name: round(p.stat().st_size / 1e6, 1) for p in folder.iterdir() if p.is_file()}
    return {
        "seconds": round(took),
        "cpu_seconds": round(used.ru_utime + used.ru_stime),
        "peak_gb": round(used.ru_maxrss / 1e6, 2),
        "stages": {name: stage["computed_in"] for name, stage in made["stages"].items()},
        "megabytes": {name: size for name, size in sizes.items() if size >= 1},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--areas", type=int, nargs="*", default=[1642, 5565, 42010])
    parser.add_argument("--json", type=Path, default=RESULT)
    chosen = parser.parse_args()
    found = {}
    for areas in chosen.areas:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "project"
            write_project(root, areas)
            found[areas] = measured(root)
        print(areas, json.dumps(found[areas]), flush=True)
    write_json(chosen.json, found)


if __name__ == "__main__":
    main()
