"""Hold the files at hand to the catalog, without a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.catalog import Catalog, Snapshot, read
from smallarea.errors import InputError

if TYPE_CHECKING:
    from smallarea.areas import Frame

SOUND, BROKEN, ABSENT = "sound", "broken", "absent"


def check_sources(
    catalog: Catalog, frame: Frame, snapshots: Mapping[str, Snapshot]
) -> pd.DataFrame:
    """Read every source that has a file and say what came of it.

    Of a raster what the file says of itself is checked, not its pixels.

    Returns
    -------
    source, state (`sound`, `broken`: the file breaks its entry, `absent`), required, said: the
    error, or the account of its rows; sha256 of the file, None where there is none.
    """
    rows = []
    for name, source in catalog.sources.items():
        state, said = ABSENT, f"{source.file} is in none of the folders"
        if name in snapshots:
            try:
                _, report = read(source, snapshots[name], frame)
                state, said = SOUND, str(report)
            except InputError as error:
                state, said = BROKEN, str(error)
        digest = snapshots[name].sha256 if name in snapshots else None
        rows.append((name, state, not source.optional, said, digest))
    return pd.DataFrame(rows, columns=["source", "state", "required", "said", "sha256"])
