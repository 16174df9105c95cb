"""What a finished run knows of programmes: written for it once, read when areas are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from smallarea.catalog.declare import PROGRAMME
from smallarea.errors import InputError

FILE = "programmes.csv"


def kept_programmes(folder: Path) -> pd.DataFrame:
    """Return programme, area_id, start of a run; empty if its project declares none."""
    if not (folder / FILE).is_file():
        return pd.DataFrame(columns=["programme", "area_id", "start"], dtype="str")
    return pd.read_csv(folder / FILE, dtype=str)


def areas_of(folder: Path, names: Sequence[str]) -> pd.DataFrame:
    """Return the rows of the programmes named; `programme` is all of them.

    Raises
    ------
    InputError : a programme that the run does not know; those that it knows are named.
    """
    kept = kept_programmes(folder)
    known = list(kept["programme"].unique())
    for name in names:
        if name not in known and not (name == PROGRAMME and known):
            there = "declare a source of kind programme in data_catalog.yaml and run again"
            if known:
                there = f"choose {PROGRAMME} (any), {', '.join(known)}"
            raise InputError(f"no programme {name!r} here", where=str(folder), remedy=there)
    return kept if PROGRAMME in names else kept[kept["programme"].isin(names)]
