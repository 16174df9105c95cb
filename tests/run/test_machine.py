"""Machines that fail or differ: full disks, interrupts, kills, damage; other environments."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from small import small_country

from smallarea.errors import InputError
from smallarea.files import UNFINISHED

ROOT = Path(__file__).parents[2]

INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGINT))
from smallarea.__main__ import main
signal.setitimer(signal.ITIMER_REAL, float(sys.argv.pop(1)))
main()
"""


def leftovers(root: Path) -> list[Path]:
    return list(root.rglob(f"*{UNFINISHED}"))


@pytest.mark.parametrize("moment", [0.02, 0.4, 2.0])
def test_an_interrupt_ends_with_130_and_one_sentence(tmp_path, moment):
    """While importing, while resolving inputs, within a stage; on a slow machine all earlier."""
    root = small_country(tmp_path / "project").root
    words = [sys.executable, "-W", "ignore", "-c", INTERRUPTED, str(moment)]
    made = subprocess.run(
        [*words, "run", "--project", str(root), "-q"], capture_output=True, text=True, check=False
    )
    assert made.returncode == 130, made.stderr
    assert made.stderr.count("\n") <= 2, made.stderr
    assert "finished stages are kept" in made.stderr
    assert leftovers(root) == []


def small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000))


def test_a_refused_file_is_one_sentence(tmp_path):
    root = small_country(tmp_path / "project").root
    made = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "smallarea", "run", "--project", str(root), "-q"],
        capture_output=True, text=True, check=False, preexec_fn=small_files,
    )  # fmt: skip
    assert made.returncode == 3, made.stderr
    assert "a file became larger than is allowed here" in made.stderr
    assert "Traceback" not in made.stderr
    assert leftovers(root) == []


def test_a_read_only_project_is_one_sentence(copied, monkeypatch):
    project = copied()

    def read_only(*_args, **_kwargs):
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr(Path, "chmod", read_only)
    for act in (project.run, project.simulate, project.clean):
        with pytest.raises(InputError, match=r"\.smallarea: the disk is read-only"):
            act()


OTHER = {
    "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "TZ": "Asia/Kathmandu", "LC_ALL": "POSIX",
    "PYTHONHASHSEED": "77",
}  # fmt: skip


def test_the_same_bytes_in_another_environment(finished, tmp_path):
    """Threads, time zone, locale, order of hashes, path and hour are others; no byte is."""
    root = small_country(tmp_path / "another path").root
    words = [sys.executable, "-W", "ignore", "-m", "smallarea", "run", "--project", str(root)]
    made = subprocess.run(
        [*words, "--json"], capture_output=True, text=True, check=True, env=os.environ | OTHER
    )
    outputs = json.loads(made.stdout)["outputs"]
    assert {"estimates.xlsx", "estimates.gpkg", "map.html", "draws.nc"} < set(outputs)
    assert outputs == finished.manifest["outputs"]


@pytest.mark.slow
def test_kills_and_damage_are_survived(tmp_path):
    """A few of what benchmarks/robustness.py tries; benchmarks/results has a whole run of it."""
    script, out = ROOT / "benchmarks" / "robustness.py", tmp_path / "found.json"
    subprocess.run(
        [sys.executable, str(script), "--kills", "2", "--damage", "2", "--seed", "7",
         "--out", str(out)],
        check=True, capture_output=True,
    )  # fmt: skip
    found = json.loads(out.read_text())
    assert found["kills"]["failures"] == []
    killed = sum(found["kills"][name]["killed"] for name in ("run", "simulate", "clean"))
    survived = sum(found["kills"][name]["survived"] for name in ("run", "simulate", "clean"))
    assert survived == killed
    assert found["damage"]["detected"] == found["damage"]["tried"] == 2


def test_the_published_measure_is_whole():
    found = json.loads((ROOT / "benchmarks" / "results" / "robustness.json").read_text())
    killed = [found["kills"][name]["killed"] for name in ("run", "simulate", "clean")]
    assert sum(killed) >= 50
    assert killed == [found["kills"][name]["survived"] for name in ("run", "simulate", "clean")]
    assert found["damage"]["detected"] == found["damage"]["tried"] >= 20
    assert [differing for differing in found["files_that_differ"].values() if differing] == []
