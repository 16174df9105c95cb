"""Declared sources, their immutable snapshots, and readers that hold files to their declaration."""

from smallarea.catalog.declare import Catalog, Column, Source, load_catalog
from smallarea.catalog.nearest import unmatched_table, write_unmatched
from smallarea.catalog.reading import read
from smallarea.catalog.report import UNMATCHED, ReadReport
from smallarea.catalog.snapshots import (
    Snapshot,
    absent,
    kept_copy,
    locate,
    snapshot,
    take_snapshots,
)

__all__ = [
    "UNMATCHED",
    "Catalog",
    "Column",
    "ReadReport",
    "Snapshot",
    "Source",
    "absent",
    "kept_copy",
    "load_catalog",
    "locate",
    "read",
    "snapshot",
    "take_snapshots",
    "unmatched_table",
    "write_unmatched",
]
