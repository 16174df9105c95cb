"""The frame stage: areas with codes, names, populations, polygons and neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from smallarea.areas import build_frame, frame_inputs, save_frame
from smallarea.run.code import source_hash

if TYPE_CHECKING:
    from smallarea.catalog import Catalog
    from smallarea.run.stages import Stage, StageStore


def frame_stage(store: StageStore, catalog: Catalog, dirs: Sequence[Path]) -> Stage:
    """Areas: codes, names, populations, polygons, neighbours. It needs no survey."""

    def compute(out: Path) -> None:
        save_frame(build_frame(catalog, dirs), out)

    return store.stage(
        "frame",
        compute,
        settings={"frame": catalog.frame, "inputs": frame_inputs(catalog, dirs)},
        code=source_hash([Path(__file__)]),
    )
