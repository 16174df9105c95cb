"""What a finished run was made of, as long as it is kept: its stages and its survey."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.errors import InputError
from smallarea.files import sha256
from smallarea.run.answers import modelled
from smallarea.run.records import damage
from smallarea.settings import Settings

if TYPE_CHECKING:
    from smallarea.areas import Frame
    from smallarea.nsum import Direct
    from smallarea.run.record import Run


def kept_stage(run: Run, root: Path, name: str) -> Path:
    """Return the folder of a run's stage; raise InputError if it is gone or was changed."""
    made = run.manifest["stages"].get(name, {}).get("folder")
    said = "the run has none" if made is None else damage(root / made)
    if said:
        raise InputError(
            f"the run's stage {name!r} cannot be used: {said}",
            where=str(root / made) if made else str(run.folder),
            remedy="run `smallarea run` first",
        )
    return root / made


def kept_answers(
    run: Run, root: Path, settings: Settings, frame: Frame
) -> tuple[Direct, Callable[[pd.Index], Direct] | None]:
    """Return the direct estimates, and a function that makes them anew without some areas."""
    from smallarea.nsum import load_direct

    if settings.survey is None:
        return load_direct(kept_stage(run, root, "direct")), None
    survey = root / settings.survey
    earlier = root / settings.earlier.survey if settings.earlier else None
    for entry in run.manifest["inputs"]:
        path = root / entry["file"]
        if "source" in entry or path.parent not in (survey, earlier):
            continue
        if not path.is_file() or sha256(path) != entry["sha256"]:
            raise InputError(
                "it is not what the run was made of",
                where=str(path),
                remedy="run `smallarea run` first",
            )
    return modelled(settings, survey, earlier, frame, run.indicators)
