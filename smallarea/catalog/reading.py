"""Read a snapshot by the kind of its source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smallarea.catalog.declare import Source
from smallarea.catalog.layers import read_lines
from smallarea.catalog.rasters import read_raster
from smallarea.catalog.report import ReadReport
from smallarea.catalog.snapshots import Snapshot
from smallarea.catalog.tables import read_rows

if TYPE_CHECKING:
    from smallarea.areas import Frame


def read(source: Source, snapshot: Snapshot, frame: Frame) -> tuple[Any, ReadReport]:
    """Read one source's data, held to its declaration, and the account of its rows.

    Returns
    -------
    data : by the source's kind: a DataFrame (table, flows, points; see `read_rows`), a `Raster`,
        or a GeoDataFrame of lines.
    report : rows read, matched and unmatched, suppressed cells, areas not covered.

    Raises
    ------
    InputError : the file breaks its declaration; file, column and row are named.
    """
    match source.kind:
        case "raster":
            return read_raster(source, snapshot, frame)
        case "lines":
            return read_lines(source, snapshot, frame)
        case _:
            return read_rows(source, snapshot, frame)
