"""Writing the twin: streams and survey as a user would receive them, the truth apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.catalog import Catalog
from smallarea.catalog.declare import PROGRAMME
from smallarea.errors import InputError
from smallarea.files import sha256, write_json, writing
from smallarea.indicators import Indicators
from smallarea.simulate.direct import simulate_direct
from smallarea.simulate.formats import write_stream
from smallarea.simulate.settings import LABEL, TwinSettings
from smallarea.simulate.survey import Survey, simulate_survey
from smallarea.simulate.truth import Truth, grow_truth
from smallarea.simulate.world import World

if TYPE_CHECKING:
    from smallarea.areas import Frame


def simulate(
    frame: Frame,
    indicators: Indicators,
    catalog: Catalog,
    settings: TwinSettings,
    out: Path,
    features: pd.DataFrame | None = None,
    *,
    progress: Callable[[str, float | None], None] | None = None,
) -> None:
    """Write a digital twin: an invented survey and invented streams on the real frame.

    `out` receives `streams/` (the file of every source, in its format), `survey/`
    (respondents.csv, groups.csv, roster.csv, casework.csv; or direct.csv, if the catalog's settings
    name direct estimates), apart from both `truth/` (areas.parquet, known_groups.parquet,
    national.json, respondents.parquet), and `twin.json`, which says that all of it is synthetic.
    It appears all at once when everything is written; an earlier twin there is replaced. The
    same frame, catalog, settings and features give the same bytes.

    Parameters
    ----------
    features : area_id x real feature, NaN where missing. The truth then grows out of them, and
        so do the invented streams; without it, out of invented surfaces.
    progress : told `(what is being done, share done)`.

    Raises
    ------
    InputError : `out` holds something that is not a twin, the design cannot be drawn, or the twin
        cannot write a source's format.
    """
    if out.exists() and not (out / "twin.json").is_file() and any(out.iterdir()):
        raise InputError(
            "the folder holds something that is not a twin",
            where=str(out),
            remedy="choose an empty or new folder",
        )
    _one_file_each(catalog)
    tell = progress or (lambda _what, _share: None)
    tell("truth", 0.0)
    truth = grow_truth(frame, indicators, settings, features)
    tell("survey", 0.05)
    with writing(out) as folder:
        for part in ("streams", "survey", "truth"):
            (folder / part).mkdir(parents=True)
        _write_truth(folder / "truth", frame, indicators, truth, settings)
        if catalog.settings.get("direct"):
            reported = bool(catalog.settings.get("tau_prior"))
            direct = simulate_direct(frame, indicators, truth, settings, reported=reported)
            direct.to_csv(folder / "survey" / "direct.csv", index=False)
        else:
            _write_survey(folder, simulate_survey(frame, indicators, truth, settings))
        streams = [s for s in catalog.sources.values() if s.kind != PROGRAMME]
        for done, source in enumerate(streams):
            tell(source.file, 0.1 + 0.9 * done / len(streams))
            world = World.seen_by(source, frame, truth.surfaces, settings)
            path = folder / "streams" / source.file
            path.parent.mkdir(parents=True, exist_ok=True)
            write_stream(world, path)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        write_json(
            folder / "twin.json",
            {
                "label": LABEL,
                "truth_grown_from": "invented surfaces" if features is None else "real features",
                "seed": settings.seed,
                "settings": settings.model_dump(),
                "files": {path.relative_to(folder).as_posix(): sha256(path) for path in files},
            },
        )
    tell("twin", 1.0)


def _one_file_each(catalog: Catalog) -> None:
    seen: dict[str, str] = {}
    for name, source in catalog.sources.items():
        if source.file in seen:
            raise InputError(
                f"{seen[source.file]} and {name} share the file {source.file}",
                where="data_catalog.yaml, sources",
                remedy="the twin writes one file per source: split it, or make them one source",
            )
        seen[source.file] = name


def _write_survey(folder: Path, survey: Survey) -> None:
    survey.respondents.to_csv(folder / "survey" / "respondents.csv")
    survey.groups.to_csv(folder / "survey" / "groups.csv")
    survey.roster.to_csv(folder / "survey" / "roster.csv", index=False)
    survey.casework.to_csv(folder / "survey" / "casework.csv")
    survey.hidden.to_parquet(folder / "truth" / "respondents.parquet")


def _write_truth(
    folder: Path, frame: Frame, indicators: Indicators, truth: Truth, settings: TwinSettings
) -> None:
    truth.counts.join(truth.tau_areas.add_prefix("tau_")).to_parquet(folder / "areas.parquet")
    truth.known.to_parquet(folder / "known_groups.parquet")
    covered = truth.counts[frame.table["covered"].to_numpy(bool)]
    write_json(
        folder / "national.json",
        {
            "label": LABEL,
            "tau": truth.tau,
            "totals": {name: int(n) for name, n in truth.counts.sum().items()},
            "totals_covered": {name: int(n) for name, n in covered.sum().items()},
            "overlap": {name: added.overlap for name, added in indicators.sums.items()},
            "decline": settings.decline,
        },
    )
