"""The dictionary of feature columns: where each comes from, what it is, who may see it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from smallarea.catalog import Catalog, Snapshot, Source
from smallarea.catalog.declare import ACCESS
from smallarea.features.stream import Stream

#: What rows are about where no key names a level.
AREA = "area"
FRAME = "frame"


def info_of(
    values: pd.DataFrame, stream: Stream, catalog: Catalog, snapshots: Sequence[Snapshot]
) -> pd.DataFrame:
    """Return what is to be known of a stream's columns; see :class:`smallarea.features.Features`.

    Whatever is made of several sources may be seen by those who may see all of them: its access
    is the strictest of theirs. Likewise it tells apart no more than its coarsest source does.
    """
    sources = [catalog.sources[name] for name in stream.sources]
    return pd.DataFrame(
        {
            "stream": stream.name,
            "source": ", ".join(stream.sources) or FRAME,
            "domain": " and ".join(sorted({s.domain for s in sources} - {""})) or stream.domain,
            "unit": pd.Series(dict(stream.unit)),
            "level": _coarsest(sources, catalog),
            "vintage": ", ".join(source.vintage for source in sources),
            "access": strictest(sources),
            "coverage": values.notna().mean(),
            "sha256": ", ".join(snapshot.sha256 for snapshot in snapshots),
        },
        index=values.columns.rename("feature"),
    )


def strictest(sources: Sequence[Source]) -> str:
    """Return the strictest access tier of several sources; of none, the loosest."""
    return max((source.access for source in sources), key=ACCESS.index, default=ACCESS[0])


def level_of(source: Source) -> str:
    """Return the level that a source's rows are about: that of its key, or `area`."""
    levels = set(source.key) - {"code", "name"} if source.kind == "table" else set()
    return levels.pop() if levels and "name" not in source.key else AREA


def _coarsest(sources: Sequence[Source], catalog: Catalog) -> str:
    order = [AREA, *(level["name"] for level in catalog.frame.get("levels", ()))]
    return max(map(level_of, sources), key=order.index, default=AREA)
