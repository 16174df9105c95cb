"""Direct estimates that were made elsewhere: by another tool, or from a survey of another kind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.errors import InputError
from smallarea.nsum.direct.estimates import Direct
from smallarea.reading.cells import as_text, as_values, find_columns, read_cells, refuse_rows
from smallarea.reading.column import Column

if TYPE_CHECKING:
    from smallarea.areas import Frame

#: What a row may hold, one of these pairs; `deff` may stand beside the first two.
FORMS = (("reports", "exposure"), ("yes", "asked"), ("estimate", "variance"))
_NUMBER = Column(min=0)


def read_direct(path: Path, frame: Frame, components: list[str], deff: float = 1.0) -> Direct:
    """Read direct.csv: columns area, component, and one pair of `FORMS` (others left empty).

    `yes` of `asked` people are taken as reports and exposure. An `estimate` (a rate) with its
    `variance` is taken as the count that has both, y / n with n = r / variance: r is the estimate,
    or, where that is 0, the component's pooled rate, so that a zero keeps a finite weight.

    Parameters
    ----------
    components : all that must be there.
    deff : design effect of reports and yes/asked where the file has no column `deff`.

    Returns
    -------
    Estimates by area_id and component; areas without a row of a component have no exposure there.

    Raises
    ------
    InputError : the file, a column or a cell is not as it should be; row and column are named.
    """
    table = _cells(path)
    where = f"{path.name}, column '{{}}'"
    table["area_id"] = frame.match(table["area"], where=where.format("area")).to_numpy(object)
    _refuse(table["area_id"].isna(), "the area is not in the frame", where.format("area"))
    unknown = ~table["component"].isin(components)
    _refuse(
        unknown, f"no such component; there are {', '.join(components)}", where.format("component")
    )
    _refuse(
        table.duplicated(["area_id", "component"]),
        "the area has another row for this component",
        where.format("area"),
    )
    if absent := [name for name in components if not table["component"].eq(name).any()]:
        raise InputError(
            f"no row for {', '.join(absent)}",
            where=path.name,
            remedy="give every component that the catalog declares at least one estimate",
        )
    table = _as_counts(table, deff, where)
    by = table.set_index(["area_id", "component"])
    areas = pd.Index(sorted(table["area_id"].unique()), name="area_id")
    cells = pd.MultiIndex.from_product([areas, components], names=by.index.names)
    reports, exposure, effect = (
        pd.DataFrame(
            by[name].reindex(cells).to_numpy().reshape(len(areas), -1), areas, list(components)
        )
        for name in ("reports", "exposure", "deff")
    )
    exposure = exposure.fillna(0.0)
    common: pd.Series = (effect * exposure).sum() / exposure.sum()
    # Counts of one design effect per component, as models take them; the information is the row's.
    scale = common / effect
    reports, exposure = reports * scale, (exposure * scale).fillna(0.0)
    rate = reports.sum() / exposure.sum()
    variance = common * rate / exposure.where(exposure > 0)
    parts = pd.DataFrame({"rate": rate, "phi": common, "areas": 0.0, "between": 0.0})
    return Direct(reports, exposure, variance, common.rename("deff"), components=parts)


def national_from_direct(
    direct: Direct,
    population: Mapping[str, float],
    draws: int,
    seed: int,
    totals: Mapping[str, tuple[float, float]],
) -> xr.DataArray:
    """Draw national counts: from stated totals, else from the direct estimates themselves.

    A stated total with its standard error is drawn from the gamma distribution that has both: it is
    positive. Without one, a row is the sampling unit: areas are weighted anew in every draw (the
    Bayesian bootstrap, Rubin 1981), the ratio of sums times the population is the count.

    Parameters
    ----------
    population : people of each component in the part of the country that the estimates stand for.
    totals : component -> (total, standard error).

    Returns
    -------
    Dims (component, draw); attrs `silent` (components without a single report) and `converged`.
    """
    rng = np.random.default_rng(seed)
    names = list(direct.reports.columns)
    weight = rng.dirichlet(np.ones(len(direct.reports)), draws)  # (draws, areas)
    y, n = direct.reports.fillna(0.0).to_numpy(), direct.exposure.to_numpy()
    values = np.empty((len(names), draws))
    for k, name in enumerate(names):
        if name in totals:
            total, error = totals[name]
            values[k] = rng.gamma((total / error) ** 2, error**2 / total, draws)
        elif y[:, k].sum() > 0:
            values[k] = population[name] * (weight @ y[:, k]) / (weight @ n[:, k])
        else:  # Jeffreys' posterior: how large the group may be unseen
            effective = n[:, k].sum() / direct.deff[name]
            values[k] = population[name] * rng.gamma(0.5, 1 / effective, draws)
    silent = [name for name in names if not direct.reports[name].sum() > 0]
    return xr.DataArray(
        np.minimum(values, np.array([population[name] for name in names])[:, None]),
        coords={"component": names, "draw": np.arange(draws)},
        name="reported",
        attrs={"silent": ", ".join(silent), "converged": 1, "reasons": ""},
    )


def _cells(path: Path) -> pd.DataFrame:
    cells = read_cells(path, None, path.name)
    every = ["area", "component", *(name for form in FORMS for name in form), "deff"]
    optional = set(every) - {"area", "component"}
    body = find_columns(cells, {name: name for name in every}, optional, path.name)
    table = pd.DataFrame({name: as_text(body[name]) for name in ("area", "component")})
    for name in sorted(optional):
        table[name], _ = as_values(body[name], _NUMBER, f"{path.name}, column '{name}'")
    return table


def _as_counts(table: pd.DataFrame, deff: float, where: str) -> pd.DataFrame:
    """Return reports, exposure and deff of every row, whatever pair it holds."""
    filled = pd.DataFrame({form: table[list(form)].notna().all(axis=1) for form in FORMS})
    half = pd.concat([table[list(f)].notna().sum(axis=1) == 1 for f in FORMS], axis=1).any(axis=1)
    forms = " or ".join(" and ".join(form) for form in FORMS)
    _refuse(half | (filled.sum(axis=1) != 1), f"a row holds {forms}, one pair", where.format("..."))
    for size in ("exposure", "asked", "variance"):
        _refuse(table[size] == 0, "it is 0; leave such a row out", where.format(size))
    _refuse(table["yes"] > table["asked"], "more said yes than were asked", where.format("yes"))
    _refuse(table["deff"] == 0, "a design effect is positive", where.format("deff"))
    _refuse(table["estimate"] > 1, "an estimate is a rate from 0 to 1", where.format("estimate"))
    out = table[["area_id", "component"]].copy()
    out["reports"] = table["reports"].fillna(table["yes"])
    out["exposure"] = table["exposure"].fillna(table["asked"])
    out["deff"] = table["deff"].fillna(deff)
    rates = table["estimate"].notna()
    if rates.any():
        precision = 1 / table["variance"]
        pooled = (table["estimate"] * precision).groupby(table["component"]).sum()
        pooled = pooled / precision.groupby(table["component"]).sum()
        level = table["estimate"].where(table["estimate"] > 0, table["component"].map(pooled))
        _refuse(
            rates & ~(level > 0), "all estimates of the component are 0", where.format("estimate")
        )
        out["exposure"] = out["exposure"].fillna(level * precision)
        out["reports"] = out["reports"].fillna(table["estimate"] * out["exposure"])
        out.loc[rates, "deff"] = 1.0  # the variance says it all
    return out


def _refuse(wrong: pd.Series, why: str, where: str) -> None:
    refuse_rows(wrong, why, where, "correct the row")
