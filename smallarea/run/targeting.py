"""A finished run's areas to go to: its draws, names and flags handed to the projection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from smallarea.areas.levels import levels_of
from smallarea.findings.reporting import URBAN_SCENARIOS
from smallarea.indicators import Indicators
from smallarea.nsum.reporting.sensitivity import area_multipliers
from smallarea.projection.indicators import count_draws
from smallarea.projection.target import Target, target
from smallarea.publish.disclosure import SUPPRESSED
from smallarea.reading.cells import as_text, find_columns, read_cells, refuse_rows
from smallarea.run.places import find_run_area
from smallarea.run.programmes import areas_of

if TYPE_CHECKING:
    import xarray as xr


def target_run(
    folder: Path,
    manifest: Mapping[str, Any],
    estimates: pd.DataFrame,
    draws: xr.Dataset,
    indicators: Indicators,
    k: int | None = None,
    *,
    costs: str | Path | pd.Series | None = None,
    places: Sequence[str] = (),
    against: Sequence[str] = (),
    exclude: Sequence[str] = (),
    spelling: Mapping[str, str] | None = None,
    **wanted: Any,
) -> Target:
    """Choose the best set of a run's areas, or judge a given one.

    folder, manifest, estimates, draws, indicators : the run's, see `smallarea.run.record.Run`.
    costs : a table with columns area and cost, or costs by area_id. places, against : codes or
    names, as `smallarea explain` understands them; `spelling` as there. exclude : programmes
    (sources of that kind; `programme` is all of them) in whose areas nobody is to be sent. For the
    other parameters see :func:`smallarea.projection.target.target`; `areas` of the result has,
    besides, each area's name, levels, `surveyed` and `flags`.
    """
    table = pd.read_parquet(folder / "areas.parquet").set_index("area_id")
    named = [
        [find_run_area(folder, manifest, place, spelling or {}) for place in some]
        for some in (places, against)
    ]
    published = estimates.drop_duplicates("area_id").set_index("area_id")
    held = published["flags"].str.split(";").map(lambda flags: SUPPRESSED in flags)
    prior = manifest.get("tau_prior")
    found = target(
        draws["counts"],
        table,
        indicators,
        k=k,
        costs=read_costs(costs, table.index) if isinstance(costs, str | Path) else costs,
        places=named[0],
        against=named[1],
        withheld=published.index[held],
        excluded={
            f"{name} is at work there": set(areas_of(folder, [name])["area_id"]) for name in exclude
        },
        tau=draws["tau"].to_numpy() if "tau" in draws else None,
        scenarios=_urban(table, draws, indicators, wanted.get("indicator")),
        mean=prior is None or prior["a"] > 1,
        **wanted,
    )
    about = table[["name", *levels_of(table)]].join(published[["surveyed", "flags"]])
    return replace(found, areas=about.loc[found.areas.index].join(found.areas))


def _urban(
    table: pd.DataFrame, draws: xr.Dataset, indicators: Indicators, indicator: str | None
) -> dict[str, pd.Series]:
    """Return relative reporting rates of areas, had people of towns told otherwise than others.

    None where numbers are not divided by a reporting rate, or nobody knows what is urban.
    """
    if "tau" not in draws or "urban_share" not in table or table["urban_share"].isna().any():
        return {}
    name = indicator if indicator in indicators.counts else indicators.headline
    expected = (count_draws(draws["counts"], name, indicators) * draws["tau"]).mean("draw")
    shares = pd.DataFrame({"urban": table["urban_share"], "rural": 1 - table["urban_share"]})
    return {
        words: area_multipliers(shares, relative, expected.to_series())
        for words, relative in URBAN_SCENARIOS.items()
    }


def read_costs(path: str | Path, area_ids: pd.Index) -> pd.Series:
    """Read a table of costs, columns `area` (code) and `cost`; return costs by area_id.

    Raises InputError naming the first row that is wrong.
    """
    path = Path(path)
    cells = read_cells(path, None, path.name)
    body = find_columns(cells, {"area": "area", "cost": "cost"}, set(), path.name)
    known = {str(area).upper(): area for area in area_ids}
    told, spelt = as_text(body["area"]), as_text(body["cost"])
    codes = told.str.upper().map(known)
    numbers = pd.to_numeric(spelt.astype(object), errors="coerce").astype(float)
    for wrong, what in (
        (codes.isna(), "is not an area's code"),
        (codes.duplicated(), "has a cost already"),
        (~((numbers >= 0) & (numbers < float("inf"))), "has a cost that is no number from 0 up"),
    ):
        first = told[wrong].fillna("an empty cell").iloc[0] if wrong.any() else ""
        refuse_rows(
            wrong,
            f"{first!r} {what}",
            path.name,
            "give every area that can be chosen one cost, 0 or more, by its code",
        )
    return pd.Series(numbers.to_numpy(), index=pd.Index(codes, name="area_id"), name="cost")
