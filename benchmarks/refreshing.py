"""Refreshes killed at random moments, and a year of monthly ones; every claim is checked.

    python benchmarks/refreshing.py --kills 20 --out benchmarks/results/refreshing.json
    python benchmarks/refreshing.py --twin --out benchmarks/results/refreshing_twin.json

Kills: a project whose source is on a server of this computer gets a new file, and `refresh` is
killed with SIGKILL at a moment drawn uniformly over the time that it takes undisturbed. What
survived: the earlier run is intact, every snapshot is what its name says, and the next refresh
publishes what the undisturbed one does and leaves nothing behind.

The year: three streams; one drifts, one breaks in the sixth month, the agreement on the third ends
in the tenth, it is purged in the eleventh, and the models are fitted again in the twelfth. Printed
of every month: what was published, what was not, and why. With `--twin` it is a year of the default
project on its digital twin, whose other streams stay as they are (ten minutes), without kills.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallarea import __version__
from smallarea.errors import InputError
from smallarea.files import sha256, write_json
from smallarea.project import Project
from smallarea.refreshing import purge, refresh
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
    kept = (root / ".smallarea/snapshots/books").glob("*.csv")
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


STREAMS = ("books", "drifting", "agreed")


def year_project(root: Path, server: Server) -> Path:
    """Make a project of three streams, all of them from the server."""
    small_country(root)
    (root / "data" / "books.csv").unlink()
    catalog = root / "data_catalog.yaml"
    text = catalog.read_text()
    head, rest = text.split("sources:\n")
    entry = rest[: rest.index("indicators:")].replace("cadence: yearly", "cadence: monthly")
    sources = ""
    for name in STREAMS:
        one = entry.replace("books", name).replace("Books", name.title())
        sources += one.rstrip() + f"\n    url: {server.url(f'/whole/{name}.csv')}\n"
        stream = (root / "features" / "books.py").read_text()
        (root / "features" / f"{name}.py").write_text(stream.replace("books", name))
    catalog.write_text(head + "sources:\n" + sources + rest[rest.index("indicators:") :])
    return root


def small_year(root: Path, server: Server, rng: np.random.Generator) -> Iterator[dict[str, str]]:
    """Make the project of three streams; yield its files month by month."""
    year_project(root, server)
    codes = [f"t{i:02d}" for i in range(12)]
    level = {name: rng.uniform(1, 9, 12) for name in STREAMS}
    for month in count(1):
        level["books"] = level["books"] + rng.normal(0, 0.05, 12)
        level["drifting"] = level["drifting"] * 1.25
        tables = {
            name: pd.DataFrame({"code": codes, name: level[name].clip(0).round(3)})
            for name in STREAMS
        }
        if month == 6:
            tables["books"]["books"] = "n/a?"
        yield {name: table.to_csv(index=False) for name, table in tables.items()}


#: Streams of the twin that come from the server; the last is the one whose agreement ends.
SENT = {
    "money_service_businesses": "money_service_businesses_2023.csv",
    "remittances": "remittances_2020.csv",
    "suspicious_transactions": "suspicious_transactions_2022.csv",
}


def twin_year(root: Path, server: Server, rng: np.random.Generator) -> Iterator[dict[str, str]]:
    """Make the default project and its twin; yield the files of `SENT` month by month.

    Outlets grow by eight per cent a month, each new one beside an old one.
    """
    project = Project.init(root)
    project.simulate(seed=1)
    catalog = root / "data_catalog.yaml"
    text, tables = catalog.read_text(), {}
    for name, file in SENT.items():
        own = root / "data" / "twin" / "streams" / file
        tables[name] = pd.read_csv(own, dtype=str)
        own.unlink()
        line = f"\n  {name}:\n    title"
        assert text.count(line) == 1
        url = f"    url: {server.url(f'/whole/{name}.csv')}\n"
        text = text.replace(line, f"\n  {name}:\n{url}    title")
    catalog.write_text(text)
    outlets, sums, _ = SENT
    for month in count(1):
        opened = tables[outlets].sample(frac=0.08, random_state=int(rng.integers(2**31)))
        tables[outlets] = pd.concat([tables[outlets], opened], ignore_index=True)
        sent = dict(tables)
        if month == 6:
            sent[sums] = tables[sums].assign(cash_per_worker="n/a?")
        yield {name: table.to_csv(index=False) for name, table in sent.items()}


def live_a_year(
    root: Path, server: Server, months: Iterable[dict[str, str]], agreed: str
) -> list[dict[str, Any]]:
    """Refresh twelve times; return of every month what was published, and why not more.

    months : files by source, month by month; the first makes the project in `root`.
    agreed : the source whose agreement ends.
    """
    told = []
    for month, files in enumerate(islice(months, 12), 1):
        server.files |= {f"{name}.csv": text.encode() for name, text in files.items()}
        if month == 10:
            catalog = root / "data_catalog.yaml"
            end = f"{server.url(f'/whole/{agreed}.csv')}\n"
            text = catalog.read_text().replace(end, f"{end}    agreement_ends: 2020-01-01\n")
            catalog.write_text(text)
        before = _latest(root)
        facts: dict[str, Any] = {"month": month}
        began = time.process_time()
        try:
            made = refresh(Project(root), every=True, refit=month == 12)
            facts |= {
                "published": made.run.folder.name != before,
                "fetched": {one.source: one.state for one in made.fetched},
                "look": [said.split(";")[0][:160] for said in made.look],
                "refit": made.refit,
                "moved": sum(one["moved"] for one in (made.drift or {}).get("areas", [])),
            }
        except InputError as error:
            facts |= {"published": False, "refused": str(error)}
            if month == 11:  # what was asked for: the source goes, with all made of it
                facts["purged"] = len(purge(Project(root), agreed)["removed"])
                _forget(root, agreed)
        facts["cpu_seconds"] = round(time.process_time() - began, 1)
        facts["latest_intact"] = damage_of(root / "runs" / "latest") == []
        print(json.dumps(facts), file=sys.stderr, flush=True)
        told.append(facts)
    return told


def _latest(root: Path) -> str:
    return (root / "runs" / "latest").resolve().name


def _forget(root: Path, name: str) -> None:
    """Take a source and its stream out of the project."""
    catalog = root / "data_catalog.yaml"
    lines, kept, inside = catalog.read_text().splitlines(keepends=True), [], False
    for line in lines:
        if line.startswith("  ") and not line.startswith("   "):
            inside = line.strip() == f"{name}:"
        elif not line.startswith(" "):
            inside = False
        kept += [] if inside else [line]
    catalog.write_text("".join(kept))
    (root / "features" / f"{name}.py").unlink()


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--twin", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(given.seed)
    with tempfile.TemporaryDirectory() as folder, serving() as server:
        root, make = Path(folder) / "year", twin_year if given.twin else small_year
        agreed = [*SENT][-1] if given.twin else STREAMS[-1]
        found: dict[str, Any] = {
            "seed": given.seed,
            "code": {"version": __version__, "sha256": code_hash(".")},
            "year": live_a_year(root, server, make(root, server, rng), agreed),
        }
        if not given.twin:
            found["kills"] = try_kills(Path(folder), given.kills, rng)
    print(json.dumps(found, indent=2))
    if given.out:
        write_json(given.out, found)


if __name__ == "__main__":
    main()
