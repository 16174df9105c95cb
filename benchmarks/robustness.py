"""How many kills and how much damage a project survives.

    python benchmarks/robustness.py --kills 60 --environments --seed 1 --out FILE.json

A project of twelve towns is killed with SIGKILL at random moments of run, simulate and clean. It
has survived if `runs/latest` is whole, the twin is the old or the new one, and the same command,
given again, leaves what it leaves undisturbed, to the last bit, and nothing half-written. Then
files of stages, copies of inputs and runs are damaged, one kind and place at a time. Damage is
detected if it is named, and if the next run publishes what it had published before. Last, a run
from scratch in each of six environments is compared with this one's, file by file.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # children are forked: no other threads

import argparse
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallarea import __version__
from smallarea.errors import InputError
from smallarea.files import UNFINISHED, read_object, sha256, write_json
from smallarea.project import Project
from smallarea.run.record import damage_of
from smallarea.run.stages import code_hash
from smallarea.summary import explain_area

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from small import small_country  # noqa: E402

SEEDS = (11, 12, 13)
EARLIER = 5


def base(root: Path) -> Path:
    """Make the project: its survey is a twin's, and it has a finished run."""
    small_country(root)
    catalog = root / "data_catalog.yaml"
    catalog.write_text(
        catalog.read_text().replace("data/direct.csv", "data/twin/survey/direct.csv")
    )
    for name in ("direct.csv", "books.csv"):
        (root / "data" / name).unlink()
    Project(root).simulate()
    Project(root).run()
    return root


# What is done, and what it leaves.


def run_of(root: Path, seed: int) -> dict[str, str]:
    """Run; return the hashes of what was published."""
    return Project(root).run(seed=seed).manifest["outputs"]


def twin_of(root: Path, seed: int) -> dict[str, str]:
    """Make the twin; return the hashes of its files."""
    twin = Project(root).simulate(seed=seed)
    return (read_object(twin / "twin.json") or {})["files"]


def clean_of(root: Path, _seed: int) -> dict[str, str]:
    """Clean; return the names of what is left of runs and stages, and the newest run's files."""
    Project(root).clean(keep=1)
    left = [*(root / "runs").iterdir(), *(root / ".smallarea" / "stages").iterdir()]
    return {path.name: "" for path in left} | Project(root).latest().manifest["outputs"]


COMMANDS: dict[str, Callable[[Path, int], dict[str, str]]] = {
    "run": run_of,
    "simulate": twin_of,
    "clean": clean_of,
}


def in_child(act: Callable[[], Any], kill_after: float | None = None) -> Any:
    """Act in a forked process, killed after so many seconds; return its value, None if killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            with os.fdopen(writing, "w") as pipe:
                json.dump(act(), pipe)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    _, ended = os.waitpid(child, 0)
    if kill_after is None and ended:
        raise RuntimeError("what was not disturbed has failed")
    return json.loads(told) if told and not ended else None


def whole_twin(root: Path) -> bool:
    """Whether the twin is all there and as its own list says."""
    twin = root / "data" / "twin"
    files = (read_object(twin / "twin.json") or {"files": {"": ""}})["files"]
    return all((twin / f).is_file() and sha256(twin / f) == h for f, h in files.items())


def leftovers(root: Path) -> list[str]:
    return [path.name for path in root.rglob(f".*{UNFINISHED}")]


def try_kills(project: Path, work: Path, number: int, rng: np.random.Generator) -> dict[str, Any]:
    """Kill each command in turn; return how often, and what did not survive.

    A command that ended before its moment came is not counted; another takes its place.
    """
    references: dict[tuple[str, int], tuple[dict[str, str], float]] = {}
    told = {name: {"killed": 0, "ended_before": 0, "survived": 0} for name in COMMANDS}
    failures = []
    while (killed := sum(one["killed"] for one in told.values())) < number:
        name = list(COMMANDS)[killed % len(COMMANDS)]
        act, seed = COMMANDS[name], int(rng.choice(SEEDS))
        start = prepared(project, work, name)
        if (name, seed) not in references:
            again = Path(shutil.copytree(start, work / "reference", symlinks=True))
            began = time.perf_counter()
            left = in_child(lambda act=act, again=again, seed=seed: act(again, seed))
            references[name, seed] = (left, time.perf_counter() - began)
            shutil.rmtree(again)
        expected, seconds = references[name, seed]
        moment = float(rng.uniform(0, seconds))
        ended = in_child(lambda act=act, start=start, seed=seed: act(start, seed), moment)
        told[name]["ended_before" if ended else "killed"] += 1
        wrong = [f"latest: {said}" for said in damage_of(start / "runs" / "latest")]
        wrong += [] if whole_twin(start) else ["the twin is in pieces"]
        after = in_child(lambda act=act, start=start, seed=seed: act(start, seed))
        wrong += [] if after == expected else ["the next one left something else"]
        wrong += [f"left behind: {rest}" for rest in leftovers(start)]
        told[name]["survived"] += not wrong and not ended
        failures += [{"command": name, "seconds": moment, "wrong": wrong}] * bool(wrong)
        shutil.rmtree(start)
    return told | {"failures": failures}


def prepared(project: Path, work: Path, name: str) -> Path:
    """Copy the project; for cleaning it gets an earlier run and stages that nothing needs."""
    start = Path(shutil.copytree(project, work / "trial", symlinks=True))
    if name == "clean":
        runs = start / "runs"
        earlier = shutil.copytree(runs / "latest", runs / "20200101T000000Z-00000000")
        old = time.time() - 9 * 86_400
        os.utime(earlier / "manifest.json", (old, old))
        for stage in list((start / ".smallarea" / "stages").iterdir()):
            copy = shutil.copytree(stage, stage.with_name(stage.name[:-4] + "0000"))
            os.utime(copy, (old, old))
    return start


# Damage: each function changes something below a folder; `pick` chooses a file of it.


def pick(folder: Path, rng: np.random.Generator) -> Path:
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.stat().st_size > 40]
    files = [p for p in files if p.name not in ("stage.json", "manifest.json")]
    return files[int(rng.integers(len(files)))]


def flip(path: Path, rng: np.random.Generator) -> None:
    content = bytearray(path.read_bytes())
    content[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
    path.chmod(0o600)
    path.write_bytes(content)


def cut(path: Path, rng: np.random.Generator) -> None:
    path.chmod(0o600)
    os.truncate(path, int(rng.integers(1, path.stat().st_size)))


def blank(path: Path, _rng: np.random.Generator) -> None:
    path.chmod(0o600)
    path.write_bytes(b"")


def lose(path: Path, _rng: np.random.Generator) -> None:
    path.unlink()


def link(path: Path, _rng: np.random.Generator) -> None:
    content = path.read_bytes()
    aside = path.parents[3] / "aside"
    aside.write_bytes(content + b" ")
    path.unlink()
    path.symlink_to(aside)


def add(path: Path, _rng: np.random.Generator) -> None:
    path.with_name("another.csv").write_text("a,b\n1,2\n")


def empty_folder(path: Path, _rng: np.random.Generator) -> None:
    shutil.rmtree(path)
    path.mkdir()


def file_for_folder(path: Path, _rng: np.random.Generator) -> None:
    shutil.rmtree(path)
    path.write_text("")


def multiply(path: Path, _rng: np.random.Generator) -> None:
    """Multiply every number of a table that stays a table."""
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    for name in table.columns[[pd.api.types.is_numeric_dtype(t) for t in table.dtypes]]:
        table[name] = table[name] * 10
    if path.suffix == ".parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False)


def edit_json(path: Path, _rng: np.random.Generator) -> None:
    content = json.loads(path.read_text())
    content["seconds"] = [1]
    path.write_text(json.dumps(content))


def edit_total(path: Path, _rng: np.random.Generator) -> None:
    content = json.loads(path.read_text())
    content["national"]["left"]["q50"] *= 3
    path.write_text(json.dumps(content, indent=2))


def places(root: Path, rng: np.random.Generator) -> list[tuple[str, str, Callable, Path]]:
    """Return (where, kind, damage, path) of all that is tried."""
    stages = {p.name.split("-")[0]: p for p in (root / ".smallarea" / "stages").iterdir()}
    latest = (root / "runs" / "latest").resolve()
    some: list[tuple[str, str, Callable, Path]] = []
    for name, folder in sorted(stages.items()):
        damage = (flip, cut, blank, lose, link, add)[len(some) % 6]
        some.append(("stage", f"{name}: {damage.__name__}", damage, pick(folder, rng)))
    whole = list(stages.values())[int(rng.integers(len(stages)))]
    record = whole / "stage.json"
    some += [
        ("stage", f"{whole.name[:-17]}: {damage.__name__}", damage, path)
        for damage, path in (
            (empty_folder, whole), (file_for_folder, whole), (lose, record), (cut, record),
            (blank, record), (edit_json, record), (flip, pick(whole, rng)),
        )
    ]  # fmt: skip
    some += [
        ("stage", "direct: ten-fold", multiply, stages["direct"] / "direct.parquet"),
        ("stage", "publish: ten-fold", multiply, stages["publish"] / "estimates.parquet"),
        ("stage", "frame: ten-fold population", multiply, stages["frame"] / "table.parquet"),
        ("stage", "models: ten-fold", multiply, stages["models"] / "members.csv"),
    ]
    copies = sorted((root / ".smallarea" / "inputs").iterdir())
    copy = copies[int(rng.integers(len(copies)))]
    snapshot = next(
        p for p in (root / ".smallarea/snapshots/books").iterdir() if p.suffix == ".csv"
    )
    some += [
        ("input", f"{where}: {damage.__name__}", damage, path)
        for where, path in (("copy", copy), ("snapshot", snapshot))
        for damage in (flip, cut, blank, multiply if path.suffix == ".csv" else flip)
    ]
    some += [
        ("run", f"{path.name}: {damage.__name__}", damage, path)
        for damage, path in (
            (flip, latest / "estimates.parquet"), (multiply, latest / "estimates.parquet"),
            (multiply, latest / "areas.parquet"), (cut, latest / "map.html"),
            (flip, latest / "estimates.gpkg"), (flip, latest / "estimates.xlsx"),
            (lose, latest / "draws.nc"), (blank, latest / "report.html"),
            (add, latest / "estimates.csv"), (edit_total, latest / "manifest.json"),
            (cut, latest / "manifest.json"), (blank, latest / "manifest.json"),
        )
    ]  # fmt: skip
    return some


def try_damage(project: Path, work: Path, number: int, rng: np.random.Generator) -> list[dict]:
    """Damage one place at a time; return of each whether it was named and what came after."""
    expected = Project(project).latest().manifest["outputs"]
    order = rng.permutation(len(places(project, rng)))[:number]
    told = []
    for chosen in order:
        root = Path(shutil.copytree(project, work / "damaged", symlinks=True))
        where, kind, damage, path = places(root, rng)[chosen]
        damage(path, rng)
        after = in_child(lambda root=root, where=where: look(root, where))
        same = after["outputs"] == expected
        told.append({"where": where, "kind": kind, "named": after["named"], "same_after": same})
        shutil.rmtree(root)
    return told


def explain_refuses(root: Path) -> bool:
    try:
        explain_area(Project(root).latest(), "t00")
    except InputError:
        return True
    return False


def look(root: Path, where: str) -> dict[str, Any]:
    """Return whether the damage is named, and what the next run publishes."""
    named = False
    if where == "run":
        said = damage_of(root / "runs" / "latest")
        refused = explain_refuses(root) or all("does not belong" in one for one in said)
        named = bool(said) and refused
    made = Project(root).run()
    if where != "run":
        named = bool(made.manifest["mended"])
    whole = not damage_of(made.folder, added=False) and not leftovers(root)
    return {"named": named, "outputs": made.manifest["outputs"] if whole else {}}


#: Each differs from this script's environment, which has one thread, in one thing; the last in all.
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "two threads": {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2"},
    "one processor": {},
    "time zone": {"TZ": "Asia/Kathmandu"},
    "locale": {"LC_ALL": "C.UTF-8", "LANG": "C.UTF-8"},
    "hash seed": {"PYTHONHASHSEED": "77"},
    "all, in another folder": {
        "OMP_NUM_THREADS": "2", "TZ": "Pacific/Chatham", "LC_ALL": "POSIX", "PYTHONHASHSEED": "3",
    },
}  # fmt: skip


def try_environments(work: Path) -> dict[str, list[str]]:
    """Run from scratch in each environment; return the files whose bytes differ, by environment."""
    expected = in_child(lambda: run_of(small_country(work / "here").root, 3))
    told = {}
    for name, variables in ENVIRONMENTS.items():
        root = small_country(work / name).root
        words = [sys.executable, "-W", "ignore", "-m", "smallarea", "run", "--json", "--project"]
        alone = ["taskset", "-c", "0"] if name == "one processor" else []
        made = subprocess.run(
            [*alone, *words, str(root)], capture_output=True, check=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | variables,
        )  # fmt: skip
        outputs = json.loads(made.stdout)["outputs"]
        told[name] = sorted(
            file for file in {*expected, *outputs} if expected.get(file) != outputs.get(file)
        )
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--damage", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--environments", action="store_true")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(given.seed)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        project = base(work / "project")
        kills = try_kills(project, work, given.kills, rng)
        damage = try_damage(project, work, given.damage, rng)
        differing = try_environments(work) if given.environments else None
    found = {
        "seed": given.seed,
        "code": {"version": __version__, "sha256": code_hash(".")},
        "kills": kills,
        "damage": {
            "tried": len(damage),
            "detected": sum(one["named"] and one["same_after"] for one in damage),
            "each": damage,
        },
    }
    if differing is not None:
        found["files_that_differ"] = differing
    print(json.dumps(found, indent=2))
    if given.out:
        write_json(given.out, found)


if __name__ == "__main__":
    main()
