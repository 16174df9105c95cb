"""Refreshes killed at random moments, and a year of monthly ones; every claim is checked.

    python benchmarks/refreshing.py --kills 20 --out benchmarks/refreshing.json

Kills: a project whose source is on a server of this computer gets a new file, and `refresh` is
killed with SIGKILL at a moment drawn uniformly over the time that it takes undisturbed. What
survived: the earlier run is intact, every snapshot is what its name says, and the next refresh
publishes what the undisturbed one does and leaves nothing behind.

The year: three streams; one drifts, one breaks in the sixth month, the agreement on the third ends
in the tenth. Printed of every month: what was published, what was not, and why.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallarea import __version__
from smallarea.files import sha256, write_json
from smallarea.project import Project
from smallarea.refreshing import refresh
from smallarea.run.record import damage_of
from smallarea.run.stages import code_hash

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from hostile import Server, serving  # noqa: E402
from robustness import in_child, leftovers  # noqa: E402
from small import small_country  # noqa: E402


def base(root: Path, server: Server) -> Path:
    """Make a project with a finished run, whose books come from the server."""
    project = small_country(root)
    books = root / "data" / "books.csv"
    server.files["books.csv"] = books.read_bytes()
    books.unlink()
    catalog = root / "data_catalog.yaml"
    url = f"    kind: table\n    url: {server.url('/whole/books.csv')}\n"
    catalog.write_text(catalog.read_text().replace("    kind: table\n", url))
    refresh(Project(project.root))
    return root


def act(root: Path) -> dict[str, str]:
    """Refresh; return the hashes of what is published."""
    return refresh(Project(root), every=True).run.manifest["outputs"]


def wrong_snapshots(root: Path) -> list[str]:
    """Return the snapshots that are not what their names say."""
    kept = [p for p in (root / ".smallarea/snapshots/books").glob("*.csv")]
    return [path.name for path in kept if sha256(path) != path.stem]


def try_kills(work: Path, number: int, rng: np.random.Generator) -> dict[str, Any]:
    """Kill refreshes; return how many were killed and survived, and what was wrong."""
    told: dict[str, Any] = {"killed": 0, "survived": 0, "ended_before": 0, "failures": []}
    with serving() as server:
        project = base(work / "project", server)
        before = server.files["books.csv"]
        table = pd.read_csv(work / "project/.smallarea/downloads/files/books.csv")
        table["books"] = table["books"] * 2
        server.files["books.csv"] = table.to_csv(index=False).encode()
        again = Path(shutil.copytree(project, work / "reference", symlinks=True))
        began = time.perf_counter()
        expected = in_child(lambda: act(again))
        seconds = time.perf_counter() - began
        while told["killed"] < number:
            root = Path(shutil.copytree(project, work / "trial", symlinks=True))
            earlier = (root / "runs" / "latest").resolve().name
            moment = float(rng.uniform(0, seconds))
            ended = in_child(lambda root=root: act(root), moment)
            told["ended_before" if ended else "killed"] += 1
            wrong = [f"earlier run: {said}" for said in damage_of(root / "runs" / earlier)]
            wrong += [f"snapshot: {name}" for name in wrong_snapshots(root)]
            first = root / f".smallarea/snapshots/books/{_hash(before)}.csv"
            wrong += [] if first.is_file() else ["the first snapshot is gone"]
            after = in_child(lambda root=root: act(root))
            wrong += [] if after == expected else ["the next one left something else"]
            wrong += [f"left behind: {rest}" for rest in leftovers(root)]
            told["survived"] += not wrong and not ended
            told["failures"] += [{"seconds": moment, "wrong": wrong}] * bool(wrong)
            shutil.rmtree(root)
    return told | {"seconds_undisturbed": round(seconds, 2)}


def _hash(content: bytes) -> str:
    import hashlib

    return hashlib.sha256(content).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        kills = try_kills(Path(folder), given.kills, np.random.default_rng(given.seed))
    found = {
        "seed": given.seed,
        "code": {"version": __version__, "sha256": code_hash(".")},
        "kills": kills,
    }
    print(json.dumps(found, indent=2))
    if given.out:
        write_json(given.out, found)


if __name__ == "__main__":
    main()
