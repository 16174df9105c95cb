"""Which area of a run does a person mean?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from smallarea.areas.finding import find_area
from smallarea.run.records import damage


def find_run_area(
    folder: Path, manifest: Mapping[str, Any], area: str, spelling: Mapping[str, str]
) -> str:
    """Return the area_id that a code or name means in a run; InputError if not exactly one does.

    Other names, older codes and their spelling are those of the run's own frame, as long as that
    stage is kept; without it, the run's table and `spelling` are all that is known.

    folder, manifest : of the run.
    """
    table = pd.read_parquet(folder / "areas.parquet").set_index("area_id")
    frame = folder.parent.parent / manifest["stages"]["frame"]["folder"]
    if damage(frame):
        return find_area(area, table, spelling)
    return find_area(
        area,
        table,
        json.loads((frame / "frame.json").read_text(encoding="utf-8"))["spelling"],
        names=pd.read_parquet(frame / "names.parquet"),
        codes=pd.read_parquet(frame / "codes.parquet"),
    )
