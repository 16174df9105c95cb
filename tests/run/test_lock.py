"""One run at a time: who holds the lock is named, and a killed holder leaves none behind."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import pytest

from smallarea.errors import InputError
from smallarea.run.lock import locked

HOLDER = """
import sys, time
from pathlib import Path
from smallarea.run.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "store")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_run_is_told_who_is_at_work(holder, tmp_path):
    with pytest.raises(InputError) as caught, locked(tmp_path / "store"):
        pass
    for words in (f"process {holder.pid} on ", "since 20", "--wait"):
        assert words in str(caught.value)


def test_the_lock_of_a_killed_run_is_free(holder, tmp_path):
    holder.kill()
    holder.wait()
    with locked(tmp_path / "store"):
        assert str(os.getpid()) in (tmp_path / "store" / "lock").read_text()


def test_a_run_that_waits_goes_on_when_the_other_has_ended(holder, tmp_path):
    told, got = [], threading.Event()

    def wait():
        with locked(tmp_path / "store", wait=True, tell=told.append):
            got.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not told:
        time.sleep(0.01)
    assert not got.is_set()
    assert f"waiting for process {holder.pid}" in told[0]
    holder.kill()
    waiting.join(30)
    assert got.is_set()


def test_two_runs_of_one_process_exclude_each_other_too(tmp_path):
    with locked(tmp_path), pytest.raises(InputError, match="at work"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass
