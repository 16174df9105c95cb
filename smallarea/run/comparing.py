"""A project's candidate models compared: what its newest run was made of, and its model files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from smallarea.areas import load_frame
from smallarea.errors import InputError
from smallarea.features import load_features
from smallarea.limits import require
from smallarea.progress import Progress, silent
from smallarea.run.kept import kept_answers, kept_stage
from smallarea.run.stages import seed_of
from smallarea.run.threads import one_thread
from smallarea.settings import Settings

if TYPE_CHECKING:
    from smallarea.models.candidates import Candidate
    from smallarea.models.comparing import Compared
    from smallarea.run.record import Run

BASELINE = "national_rate"


def compare_run(
    run: Run,
    root: Path,
    by: str = "level",
    *,
    folds: int | None = None,
    level: str | None = None,
    side: float | None = None,
    buffer: float | None = None,
    profile: str = "fast",
    models: Sequence[str] = (),
    without: str | None = None,
    draws: int = 500,
    seed: int | None = None,
    progress: Progress = silent,
) -> Compared:
    """Predict held-out places by every candidate, on a finished run's frame, features and survey.

    Parameters
    ----------
    run, root : the run and the project's folder. Model files are read as they are now: edit one and
        compare.
    by, level, side, buffer : the way of holding out, see :func:`smallarea.models.parts.make_parts`.
    folds : by default the project's `settings.folds`.
    profile : `full` also brings the models that are only compared, with their full settings.
    models : names of the models to look at besides the pool's members and the baseline; all if
        empty. The baseline is the project's model `national_rate`, or the engine's.
    without : `stream` or `domain`: refit the pool without each, too.
    draws : of every model. seed : of parts and draws; by default that of the run's own comparison.

    Raises
    ------
    InputError : the run's stages are gone, its survey has changed, an unknown model or way, domains
        that are not declared.
    """
    from smallarea.models.comparing import compare
    from smallarea.models.losing import loss_without
    from smallarea.models.parts import make_parts

    run.require_intact()
    settings = Settings.model_validate(run.manifest["settings"])
    frame = load_frame(kept_stage(run, root, "frame"))
    features = load_features(kept_stage(run, root, "features"))
    direct, refit = kept_answers(run, root, settings, frame)
    chosen = candidates(root / "models", profile, models)
    blocks = {} if without is None else feature_blocks(features.info, without)
    if draws < 2:
        raise InputError(f"{draws} draws", where="draws", remedy="take some hundreds")
    require("draws", draws, "draws")
    seed = seed_of(run.manifest["seed"], "models") if seed is None else seed
    parts = make_parts(
        frame.table, direct.reports.index, by,
        folds=folds or settings.folds, key=str(seed), level=level, side=side, buffer=buffer,
    )  # fmt: skip
    data = (features.values, direct, frame.table)
    shared: dict[str, Any] = {"without": refit, "n": draws, "seed": seed}
    first = 1 / (1 + len(blocks))
    with one_thread():
        found = compare(
            chosen, *data, parts, **shared,
            progress=lambda what, share: progress(f"compare: {what}", first * share),
        )  # fmt: skip
        if blocks:
            losses = loss_without(
                found, chosen, *data, blocks, **shared,
                progress=lambda w, share: progress(f"compare: {w}", first + (1 - first) * share),
            )  # fmt: skip
            found = replace(found, losses=losses.rename_axis(without))
    progress("compare", 1.0)
    return found


def candidates(folder: Path, profile: str, names: Sequence[str]) -> dict[str, Candidate]:
    """Return the baseline, the pool's members and the models asked for, the baseline first."""
    from smallarea.models import Candidate, NationalRate, load_models

    loaded = load_models(folder, profile)
    if unknown := [name for name in names if name not in loaded and name != BASELINE]:
        raise InputError(
            f"no model {unknown[0]!r} in profile {profile}",
            where="models",
            remedy=f"choose of {', '.join(loaded)}, or another profile",
        )
    plain = Candidate(BASELINE, NationalRate(), (), stack=False)
    found = {BASELINE: loaded.get(BASELINE, plain)} | loaded
    return {k: m for k, m in found.items() if not names or k in (BASELINE, *names) or m.stack}


def feature_blocks(info: pd.DataFrame, kind: str) -> dict[str, list[str]]:
    """Return the features of each stream, or of each domain that sources declare.

    Features of sources without a domain are together in `no domain`.
    """
    if kind not in ("stream", "domain"):
        raise InputError(f"{kind!r}", where="without", remedy="choose stream or domain")
    labels = info["stream"]
    if kind == "domain":
        labels = info["domain"].fillna("")
        if (labels == "").all():
            raise InputError(
                "no source of a feature declares a domain",
                where="data_catalog.yaml, sources",
                remedy="say what each source is about in its `domain:`, or leave out one stream at "
                "a time (--without stream)",
            )
        labels = labels.replace("", "no domain")
    return {str(label): list(own.index) for label, own in info.groupby(labels, sort=True)}
