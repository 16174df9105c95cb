"""What numbers rest on, as tables of the report: reported sizes, answers, sources."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

if TYPE_CHECKING:
    from smallarea.catalog import Catalog
    from smallarea.features import Features
    from smallarea.indicators import Indicators
    from smallarea.settings import Settings


def reported_sizes(ground: Path, table: pd.DataFrame, indicators: Indicators) -> pd.DataFrame:
    """Return the reported national sizes tau x N side by side, before any reporting rate.

    Rows components, both for the areas that the survey covers; `killworth_*` scale-up in closed
    form with its bootstrap errors (of a scale-up survey), `bayes_*` the draws that the estimates
    agree with.
    """
    posterior = xr.load_dataarray(ground / "national.nc", engine="h5netcdf")
    draws = posterior.transpose("component", "draw").to_numpy()
    low, high = np.quantile(draws, [0.025, 0.975], axis=1)
    bayes = {"mean": draws.mean(1), "sd": draws.std(1), "q025": low, "q975": high}
    drawn = pd.DataFrame(bayes, index=posterior["component"].values).add_prefix("bayes_")
    if not (ground / "killworth.csv").is_file():
        return drawn.rename_axis("component")
    numbers = ["mean", "sd", "q025", "q975"]
    classical = pd.read_csv(ground / "killworth.csv", index_col="group")[numbers]
    people = table[list(indicators.populations)]
    covered = people[table["covered"]].sum() / people.sum()
    classical = classical.loc[list(indicators.components)]
    classical = classical.mul([covered[indicators.reference[c]] for c in classical.index], axis=0)
    return pd.concat([classical.add_prefix("killworth_"), drawn], axis=1).rename_axis("component")


def answer_table(
    settings: Settings, indicators: Indicators, about: str, units: int = 0
) -> pd.DataFrame:
    """Return the rows of `source_table` for what the estimates rest on, and for stated totals.

    about : how many were asked, and where. units : how many totals of units are given.
    """
    direct = settings.direct
    if direct is None:
        named: dict[str, Any] = {"source": "Survey of people known", "file": f"{settings.survey}/"}
    else:
        named = {"source": direct.title, "file": direct.file} | {
            "publisher": direct.publisher,
            "vintage": None if direct.vintage is None else str(direct.vintage),
            "licence": direct.licence,
        }
    rows = [named | {"columns": len(indicators.components), "rows matched": about}]
    for name, stated in (direct.national if direct else {}).items():
        label = f"National total: {indicators.spoken(name)}"
        size = f"{stated.total:,.0f}, standard error {stated.se:,.0f}"
        rows.append(
            {"source": label, "publisher": stated.source, "columns": 1, "rows matched": size}
        )
    if given := settings.totals:
        named = given.model_dump(exclude={"title"}) | {"source": given.title}
        named["vintage"] = None if given.vintage is None else str(given.vintage)
        rows.append(named | {"rows matched": f"{units:,} totals of units"})
    every = ["source", "publisher", "vintage", "licence", "file", "columns", "rows matched"]
    table = pd.DataFrame(rows).reindex(columns=every).astype(object)
    return table.where(table.notna(), None)


def source_table(catalog: Catalog, features: Features, table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per source that gave a feature: whose it is, its licence, its hash."""
    rows = []
    for report in features.reports:
        source = catalog.sources[report.source]
        used = features.info[features.info["source"].str.contains(report.source, regex=False)]
        rows.append(
            {
                "source": source.title,
                "publisher": source.publisher,
                "vintage": source.vintage,
                "licence": source.licence,
                "file": report.file,
                "columns": len(used),
                "rows matched": f"{report.matched:,} of {report.rows:,}" if report.rows else "–",
            }
        )
    about = str(catalog.frame.get("file", ""))
    if "age_source" in table:
        about = ", ".join(sorted(set(table["age_source"].str.split(",").str[-1].str.strip())))
    frame = {key: catalog.frame.get(key) for key in ("publisher", "vintage", "licence")}
    rows.append(
        {"source": "Frame: areas and populations", **frame, "file": about, "columns": 5}
        | {"rows matched": f"{len(table):,} areas"}
    )
    return pd.DataFrame(rows)
