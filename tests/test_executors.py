"""Work that splits gives the same bits wherever it is computed, and outlives its workers."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from small import small_country

import smallarea as sa
from smallarea import executors
from smallarea.errors import InputError
from smallarea.executors import cluster, executing, spread
from smallarea.executors.task import fingerprint, require_alike
from smallarea.files import sha256
from smallarea.models import FayHerriot
from smallarea.models.fay_herriot import bootstrap

#: A model of the project's own, in a file that no worker can import.
OWN = """
from smallarea.models import NationalRate, model

class Steady(NationalRate):
    def draws(self, X, areas, n, seed):
        return super().draws(X, areas, n, seed) ** 0.99

@model(features=[])
def steady():
    return Steady()
"""


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a real Dask cluster of two processes."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL
    ) as made:
        yield made.scheduler_address


@pytest.fixture(params=["processes:2", "dask"])
def where(request: pytest.FixtureRequest) -> str:
    return request.getfixturevalue("scheduler") if request.param == "dask" else request.param


def norm(seed: int, matrix: np.ndarray) -> list[float]:
    """Norms of products of matrices; inside, the work is split again and stays where it is."""
    draw = np.random.default_rng(seed).normal(size=matrix.shape)
    return spread(np.linalg.norm, [draw, matrix.T @ draw])


def test_results_and_progress_are_those_of_a_loop(where):
    matrix = np.random.default_rng(0).normal(size=(300, 40))
    told: dict[str, list[int]] = {"serial": [], where: []}
    found = {}
    for executor in told:
        with executing(executor):
            found[executor] = spread(norm, range(7), matrix, tell=told[executor].append)
    assert found[where] == found["serial"] == [norm(seed, matrix) for seed in range(7)]
    assert told[where] == told["serial"] == list(range(7))


@pytest.mark.slow
def test_a_run_has_the_same_bytes(where, tmp_path):
    """Fits, folds and refits of a whole run, one model of which is the project's own class."""
    made, told = {}, {}
    for executor in ("serial", where):
        project = small_country(tmp_path / executor.replace("/", "").replace(":", ""))
        (project.root / "models" / "steady.py").write_text(OWN)
        said: list[tuple] = []
        with executing(executor):
            run = project.run(progress=lambda *words, said=said: said.append(words))
        made[executor], told[executor] = run.manifest["outputs"], said
    assert made[where] == made["serial"]
    assert told[where] == told["serial"]
    assert any("without part" in words[0] for words in told[where])


def test_a_bootstrap_has_the_same_bits(where, monkeypatch):
    monkeypatch.setattr(bootstrap, "_CELLS", 400)  # blocks of ten worlds
    rng = np.random.default_rng(2)
    X = rng.normal(size=(40, 1))
    y, psi = 1 + X[:, 0] / 2 + rng.normal(size=40), np.full(40, 0.5)
    found = {}
    for executor in ("serial", where):
        with executing(executor):
            fit = FayHerriot(mse="bootstrap", worlds=50, random_state=3).fit(X, y, psi)
            found[executor] = fit.predict(X, return_mse=True)[1]
    np.testing.assert_array_equal(found["serial"], found[where])


def end_once(number: int, folder: Path) -> int:
    """End the worker that computes the third item, as a lack of memory would, the first time."""
    mark = folder / "ended"
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


@pytest.mark.slow
def test_a_worker_killed_in_the_middle_is_replaced(where, tmp_path):
    told: list[int] = []
    with executing(where):
        assert spread(end_once, range(8), tmp_path, tell=told.append) == [n**2 for n in range(8)]
        assert spread(end_once, range(8), tmp_path) == [n**2 for n in range(8)]
    assert (tmp_path / "ended").exists()
    assert told == list(range(8))


def always_end(number: int) -> int:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_work_that_ends_every_worker_is_given_up(monkeypatch):
    monkeypatch.setattr(executors, "ATTEMPTS", 2)
    with (
        executing("processes:1"),
        pytest.raises(InputError, match=r"ended 2 times .* take fewer processes"),
    ):
        spread(always_end, range(3))


def refuse(number: int) -> int:
    if number == 2:
        raise InputError("no", where="row 2", remedy="yes")
    return number


def test_what_a_function_raises_is_raised(where):
    with executing(where), pytest.raises(InputError, match=r"row 2: no\. yes\."):
        spread(refuse, range(4))


def twin(seed: int, folder: Path) -> str:
    """Make a small project and its twin; return the hash of what was written."""
    project: sa.Project = small_country(folder / str(seed))
    return sha256(project.simulate(seed=seed))


@pytest.mark.slow
def test_twenty_twins_at_once(scheduler, tmp_path):
    (tmp_path / "here").mkdir()
    with executing(scheduler):
        found = spread(twin, range(20), tmp_path / "there")
    assert found == [twin(seed, tmp_path / "here") for seed in range(20)]
    assert len(set(found)) == 20


def test_another_engine_is_refused():
    require_alike(fingerprint())
    with pytest.raises(InputError, match="its engine, Python or libraries are not those"):
        require_alike("another")


@pytest.mark.parametrize("wrong", ["threads", "processes:", "processes:0", "processes:x", ""])
def test_an_unknown_executor_is_refused(wrong):
    with pytest.raises(InputError, match="no executor"), executing(wrong):
        pass


def test_a_scheduler_that_does_not_answer_is_said(monkeypatch):
    monkeypatch.setattr(cluster, "_PATIENCE", 0.2)
    with (
        pytest.raises(InputError, match="no Dask scheduler answers"),
        executing("tcp://127.0.0.1:9"),
    ):
        pass
