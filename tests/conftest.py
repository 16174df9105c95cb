"""Shared fixtures. Real and golden data live outside the repository; without them tests skip."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from smallarea.areas import Frame, build_frame
from smallarea.catalog import load_catalog

SHARED = Path(os.environ.get("SMALLAREA_SHARED", Path(__file__).parents[2] / "shared"))


def _shared(part: str) -> Path:
    path = SHARED / part
    if not path.exists():
        pytest.skip(f"REAL DATA ABSENT: {part} not found; set SMALLAREA_SHARED to its folder")
    return path


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real Philippine data files."""
    return _shared("data")


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of reference results from trusted peers."""
    return _shared("golden")


@pytest.fixture(scope="session")
def frame() -> Frame:
    """The frame of the repository's own catalog, without any data file (embedded default)."""
    return build_frame(load_catalog(Path(__file__).parents[1] / "data_catalog.yaml"), [])
