"""Read a file written in a test as a source of the catalog."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smallarea.areas import Frame
from smallarea.catalog import ReadReport, Source, read, snapshot

Reader = Callable[..., tuple[Any, ReadReport]]


@pytest.fixture
def reading(tmp_path: Path, squares: Frame) -> Reader:
    """Read `file` in the test's folder as a source of the kind and fields given."""

    def read_file(file: str, kind: str, **fields: Any) -> tuple[Any, ReadReport]:
        papers = dict.fromkeys(("title", "publisher", "licence", "cadence", "vintage"), "x")
        source = Source(name="s", file=file, kind=kind, access="open", **papers, **fields)
        return read(source, snapshot(source, [tmp_path], tmp_path / "store"), squares)

    return read_file
