"""The map of a run, of what the stages before left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.projection import reference_sizes
from smallarea.publish import write_map
from smallarea.publish.basis import basis_table
from smallarea.publish.map_data import Beside
from smallarea.run.mapping import Mapped, mapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from smallarea.release.estimates import Measured
    from smallarea.run.outputs import Outputs
    from smallarea.settings import Settings


def show_map(
    path: Path,
    estimates: pd.DataFrame,
    outputs: Outputs,
    made: Measured,
    settings: Settings,
    basis: pd.DataFrame,
    *,
    k: int,
) -> None:
    """Write the map of areas, or of the units above where there are too many of them.

    estimates : of areas, after disclosure control. basis : what they rest on. k : of `p_top`.
    """
    frame, indicators = outputs.frame, made.indicators
    areas = Mapped(estimates, outputs.counts, frame.table, frame.geometry, frame.words, k)
    shown = mapped(areas, made, settings)
    plan = next_areas(outputs.findings)
    if shown.unit is not None:
        sizes = reference_sizes(frame.table, indicators)
        basis = basis_table(
            outputs.parts, outputs.rates, shown.estimates, sizes, indicators, place=shown.unit
        )
        plan = None
    write_map(
        shown.estimates,
        shown.counts,
        shown.table,
        shown.geometry,
        path,
        indicators,
        k=shown.k,
        spelling=frame.spelling,
        labels=shown.labels,
        reporting=outputs.prior is not None,
        beside=Beside(outputs.tau, basis, plan, links={"report": "report.html"}),
    )


def next_areas(findings: Sequence[Path]) -> pd.DataFrame | None:
    """Read where to interview next for the sake of all areas' rates; None if nobody planned it."""
    for folder in findings:
        if (folder / "next_places.csv").is_file():
            plan = pd.read_csv(folder / "next_places.csv", dtype={"area_id": str})
            return plan[plan["target"] == "areas"]
    return None
