"""A finished run of the small project, made once; tests change copies of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from small import small_country

import smallarea as sa


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> sa.Run:
    """The run, in a project that no test changes."""
    return small_country(tmp_path_factory.mktemp("finished") / "project").run()


@pytest.fixture
def copied(finished: sa.Run, tmp_path: Path) -> Callable[[], sa.Project]:
    """Copies the finished project to where it may be damaged."""

    def copy() -> sa.Project:
        root = finished.folder.parents[1]
        return sa.Project(shutil.copytree(root, tmp_path / "copied", symlinks=True))

    return copy
