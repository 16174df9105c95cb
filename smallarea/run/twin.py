"""The digital twin of a project, its truth grown out of the project's real streams if asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from smallarea.catalog import Catalog, locate
from smallarea.errors import InputError
from smallarea.features import build_features
from smallarea.indicators import Indicators
from smallarea.run.threads import one_thread

if TYPE_CHECKING:
    from smallarea.areas import Frame
    from smallarea.progress import Progress
    from smallarea.run.inputs import Desk


def simulate_twin(
    root: Path,
    catalog: Catalog,
    indicators: Indicators,
    frame: Frame,
    target: Path,
    data: str | Path | None,
    knobs: dict[str, Any],
    progress: Progress,
    desk: Desk,
) -> Path:
    """Write the digital twin; with `data`, its truth grows out of the real streams found there.

    Parameters
    ----------
    root : the project's folder; its streams read the files of `data`.
    target : the twin's folder.
    desk : takes the snapshots of the streams' files.
    knobs : fields of :class:`smallarea.simulate.TwinSettings`, over those of the catalog's `twin:`.
    """
    from smallarea.simulate import TwinSettings, simulate

    settings = TwinSettings(**catalog.twin | knobs)
    with_progress = {"progress": lambda what, share: progress(f"twin: {what}", share)}
    with one_thread():
        features = None
        if data is not None:
            dirs = [Path(data).resolve()]
            at_hand = available(catalog, dirs)
            kept = desk.take_sources(at_hand, dirs)
            features = build_features(at_hand, frame, root / "features", kept).values
        simulate(frame, indicators, catalog, settings, target, features, **with_progress)
    return target


def available(catalog: Catalog, dirs: list[Path]) -> Catalog:
    """Return the catalog with every source that has no file in `dirs` made optional."""
    sources = {
        name: source.model_copy(update={"optional": True}) for name, source in
        catalog.sources.items()
    }  # fmt: skip
    if not any(locate(source, dirs) for source in sources.values()):
        raise InputError(
            "it holds none of the files that the catalog declares",
            where=str(dirs[0]),
            remedy="see `smallarea status` for the files looked for",
        )
    return catalog.model_copy(update={"sources": sources})
