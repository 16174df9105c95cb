"""Read a snapshot by the kind of its source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smallarea.catalog.declare import Source
from smallarea.catalog.report import ReadReport
from smallarea.catalog.snapshots import Snapshot

if TYPE_CHECKING:
    from smallarea.areas import Frame


def read(source: Source, snapshot: Snapshot, frame: Frame) -> tuple[Any, ReadReport]:
    """Read one source's data and the account of its rows."""
    raise NotImplementedError(source.kind)
