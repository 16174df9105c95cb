"""Writing the twin: streams and survey as a user would receive them, the truth apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from smallarea.errors import InputError
from smallarea.files import sha256, write_json, writing
from smallarea.simulate import rasters, tables, vectors, workbooks
from smallarea.simulate.groups import COMPONENTS
from smallarea.simulate.settings import LABEL, TwinSettings
from smallarea.simulate.survey import Survey, simulate_survey
from smallarea.simulate.truth import Truth, grow_truth
from smallarea.simulate.world import World

if TYPE_CHECKING:
    from smallarea.areas import Frame

#: Every stream's file and what writes it.
STREAMS: dict[str, Callable[[World, Path], None]] = {
    "population_2015.csv": tables.population_2015,
    "poverty_sae_2003_2009.csv": tables.poverty,
    "housing_materials_2010.csv": tables.housing,
    "ucdp_ged_phl_1989_2021_events.csv": vectors.conflict_events,
    "landcover_mcd12c1_2019_phl.tif": rasters.land_cover,
    "viirs_2022.tif": rasters.night_lights,
    "roads.gpkg": vectors.roads,
    "commuting_od_2022.csv": tables.commuting,
    "pantawid_households_2022.xlsx": workbooks.pantawid,
    "municipal_finance_2022.xlsx": workbooks.municipal_finance,
    "telco_monthly_2022.csv": tables.telco,
    "suspicious_transactions_2022.csv": tables.suspicious_transactions,
    "money_service_businesses_2023.csv": vectors.money_service_businesses,
    "health_facilities_2022.geojson": vectors.health_facilities,
    "schools_2022.xlsx": workbooks.schools,
    "relative_wealth_index.csv": vectors.relative_wealth,
    "civil_registration_2021.csv": tables.civil_registration,
    "ict_household_survey_2019.csv": tables.ict_household_survey,
    "social_amelioration_2020.csv": tables.social_amelioration,
}


def simulate(
    frame: Frame,
    settings: TwinSettings,
    out: Path,
    features: pd.DataFrame | None = None,
    *,
    progress: Callable[[str, float | None], None] | None = None,
) -> None:
    """Write a digital twin: an invented survey and invented streams on the real frame.

    `out` receives `streams/` (native formats), `survey/` (respondents.csv, groups.csv,
    roster.csv, casework.csv), apart from both `truth/` (areas.parquet, known_groups.parquet,
    respondents.parquet, national.json), and `twin.json`, which says that all of it is synthetic.
    It appears all at once when everything is written; an earlier twin there is replaced. The
    same frame, settings and features give the same bytes.

    Parameters
    ----------
    features : area_id x real feature, NaN where missing. The truth then grows out of them, and
        so do the invented streams; without it, out of invented surfaces.
    progress : told `(what is being done, share done)`.

    Raises
    ------
    InputError : `out` holds something that is not a twin, or the design cannot be drawn.
    """
    if out.exists() and not (out / "twin.json").is_file() and any(out.iterdir()):
        raise InputError(
            "the folder holds something that is not a twin",
            where=str(out),
            remedy="choose an empty or new folder",
        )
    tell = progress or (lambda _what, _share: None)
    tell("truth", 0.0)
    truth = grow_truth(frame, settings, features)
    tell("survey", 0.05)
    survey = simulate_survey(frame, truth, settings)
    with writing(out) as folder:
        (folder / "streams").mkdir(parents=True)
        _write_survey(folder / "survey", survey)
        _write_truth(folder / "truth", frame, truth, survey, settings)
        for done, (name, write) in enumerate(STREAMS.items()):
            tell(name, 0.1 + 0.9 * done / len(STREAMS))
            write(World.seen_by(name, frame, truth.surfaces, settings), folder / "streams" / name)
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


def _write_survey(folder: Path, survey: Survey) -> None:
    folder.mkdir()
    survey.respondents.to_csv(folder / "respondents.csv")
    survey.groups.to_csv(folder / "groups.csv")
    survey.roster.to_csv(folder / "roster.csv", index=False)
    survey.casework.to_csv(folder / "casework.csv")


def _write_truth(
    folder: Path, frame: Frame, truth: Truth, survey: Survey, settings: TwinSettings
) -> None:
    folder.mkdir()
    truth.counts.join(truth.tau_areas.add_prefix("tau_")).to_parquet(folder / "areas.parquet")
    truth.known.to_parquet(folder / "known_groups.parquet")
    survey.hidden.to_parquet(folder / "respondents.parquet")
    covered = truth.counts[frame.table["covered"].to_numpy(bool)]
    write_json(
        folder / "national.json",
        {
            "label": LABEL,
            "tau": truth.tau,
            "totals": {name: int(truth.counts[name].sum()) for name in COMPONENTS},
            "totals_covered": {name: int(covered[name].sum()) for name in COMPONENTS},
            "victims": round(settings.victims * (1 - settings.decline)),
            "traffickers": round(settings.traffickers * (1 - settings.decline)),
            "overlap": settings.overlap,
        },
    )
