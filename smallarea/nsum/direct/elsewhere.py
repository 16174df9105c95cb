"""Direct estimates that were made elsewhere: by another tool, or from a survey of another kind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from smallarea.areas.finding import find_areas, nearest_areas
from smallarea.errors import InputError
from smallarea.nsum.direct.estimates import Direct
from smallarea.reading.cells import as_text, as_values, find_columns, read_cells, refuse_rows
from smallarea.reading.column import Column

if TYPE_CHECKING:
    from smallarea.areas import Frame

#: What a row may hold, one of these pairs; `deff` may stand beside the first two.
FORMS = (("reports", "exposure"), ("yes", "asked"), ("estimate", "variance"))
_NUMBER = Column(min=0)

Array = NDArray[np.float64]


def read_direct(path: Path, frame: Frame, components: list[str], deff: float = 1.0) -> Direct:
    """Read direct.csv: columns area, component, and one pair of `FORMS` (others left empty).

    `yes` of `asked` people are taken as reports and exposure. An `estimate` (a rate) with its
    `variance` is taken as reports over an exposure of r / variance, r the component's mean weighted
    by precision: a count of that mean has the variance given, and an area's own estimate does not
    set its weight. Where variances depend on the estimates (p (1 - p) / n at each area's own p),
    low ones weigh too much whatever is done here: give smoothed variances.

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
    _refuse_unknown(table, frame, where.format("area"))
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


def about_direct(path: Path, deff: float = 1.0) -> str:
    """Say in a few words what a file that `read_direct` has read rests on."""
    table = _cells(path)
    said = [f"{table['area'].nunique():,} areas"]
    if table["asked"].notna().any():
        asked = table["asked"].groupby(table["component"]).sum()
        said.append(f"{_range(asked[asked > 0])} people asked")
    if table["exposure"].notna().any():
        exposure = table["exposure"].groupby(table["component"]).sum()
        said.append(f"cases among {_range(exposure[exposure > 0])} people")
    if table["estimate"].notna().any():
        said.append(f"{int(table['estimate'].notna().sum()):,} rates with their variances")
    counted = table["estimate"].isna()
    if counted.any():
        said.append(f"design effect {_range(table.loc[counted, 'deff'].fillna(deff))}")
    return ", ".join(said)


def _range(values: pd.Series) -> str:
    """Write one number, or the lowest and the highest of several."""
    low, high = (f"{end:,.3f}".rstrip("0").rstrip(".") for end in (values.min(), values.max()))
    return low if low == high else f"{low} to {high}"


def national_from_direct(
    direct: Direct,
    people: pd.DataFrame,
    draws: int,
    seed: int,
    totals: Mapping[str, tuple[float, float]],
) -> xr.DataArray:
    """Draw national counts: from stated totals, else from the direct estimates themselves.

    A stated total with its standard error is drawn from the gamma distribution that has both: it is
    positive. Without one, where every area has an estimate, each counts by its people and the
    gamma distribution has the sampling variances' sum. Else a row is the sampling unit, as if
    areas were drawn in proportion to their people: they are weighted anew in every draw (the
    Bayesian bootstrap, Rubin 1981), and the ratio of sums times the population is the count. Rows
    that are more alike than their sampling variances allow get these instead.

    Parameters
    ----------
    people : area_id x component, of the areas that the estimates stand for.
    totals : component -> (total, standard error), as reported.

    Returns
    -------
    Dims (component, draw); attrs `silent` (components without a single report), `as_drawn` (those
    whose level rests on how areas were drawn) and `converged`.

    Raises
    ------
    InputError : a total of no component.
    """
    names = list(direct.reports.columns)
    if unknown := sorted(set(totals) - set(names)):
        raise InputError(
            f"there is no component {unknown[0]!r}",
            where=f"data_catalog.yaml, settings.direct.national.{unknown[0]}",
            remedy=f"use one of {', '.join(names)}",
        )
    rng = np.random.default_rng(seed)
    values = np.empty((len(names), draws))
    silent, as_drawn = [], []
    for k, name in enumerate(names):
        if not direct.reports[name].sum() > 0:
            silent.append(name)
        if name in totals:
            values[k] = _gamma(*totals[name], draws, rng)
        elif name in silent:  # Jeffreys' posterior: how large the group may be unseen
            effective = direct.exposure[name].sum() / direct.deff[name]
            values[k] = people[name].sum() * rng.gamma(0.5, 1 / effective, draws)
        else:
            seen = direct.exposure[name] > 0
            every = people.index.isin(direct.exposure.index[seen]).all()
            values[k] = (_of_all if every else _of_sample)(direct, name, people[name], draws, rng)
            as_drawn += [] if every else [name]
    return xr.DataArray(
        np.minimum(values, people[names].sum().to_numpy()[:, None]),
        coords={"component": names, "draw": np.arange(draws)},
        name="reported",
        attrs={"silent": ", ".join(silent), "as_drawn": ", ".join(as_drawn)}
        | {"converged": 1, "reasons": ""},
    )


def _of_all(
    direct: Direct, name: str, people: pd.Series, draws: int, rng: np.random.Generator
) -> Array:
    """Draw the count of areas that all have an estimate."""
    own = people.index
    rate, variance = direct.rate.loc[own, name], direct.variance.loc[own, name]
    return _gamma(float(people @ rate), float(np.sqrt(people**2 @ variance)), draws, rng)


def _of_sample(
    direct: Direct, name: str, people: pd.Series, draws: int, rng: np.random.Generator
) -> Array:
    """Draw the count of areas of which the rows are a sample."""
    seen = direct.exposure[name] > 0
    y, n = direct.reports.loc[seen, name].to_numpy(), direct.exposure.loc[seen, name].to_numpy()
    weight = rng.dirichlet(np.ones(len(y)), draws)  # (draws, areas)
    rate = (weight @ y) / (weight @ n)
    sampling = np.sqrt(n**2 @ direct.variance.loc[seen, name].to_numpy()) / n.sum()
    if rate.std() < sampling:
        rate = _gamma(y.sum() / n.sum(), sampling, draws, rng)
    return np.asarray(people.sum() * rate)


def _gamma(mean: float, sd: float, draws: int, rng: np.random.Generator) -> Array:
    return rng.gamma((mean / sd) ** 2, sd**2 / mean, draws)


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
        level = table["component"].map(pooled)
        _refuse(
            rates & ~(level > 0), "all estimates of the component are 0", where.format("estimate")
        )
        out["exposure"] = out["exposure"].fillna(level * precision)
        out["reports"] = out["reports"].fillna(table["estimate"] * out["exposure"])
        out.loc[rates, "deff"] = 1.0  # the variance says it all
    return out


def _refuse_unknown(table: pd.DataFrame, frame: Frame, where: str) -> None:
    """Refuse codes that the frame lacks, quoting the first and suggesting whose name it is."""
    _refuse(table["area"].isna(), "the cell is empty", where)
    unknown = table["area_id"].isna()
    if unknown.any():
        cell = table.loc[unknown, "area"].iloc[0]
        known = {"names": frame.names if len(frame.names) else None}
        alike = find_areas(cell, frame.table, frame.spelling, **known)
        alike = alike or nearest_areas(cell, frame.table, frame.spelling, **known)
        hint = f"; did you mean {alike[0]}, {frame.table['name'][alike[0]]}" if alike else ""
        codes = f"{frame.table.index[0]} to {frame.table.index[-1]}"
        _refuse(unknown, f"{cell!r} is no code of the frame's areas ({codes}){hint}", where)


def _refuse(wrong: pd.Series, why: str, where: str) -> None:
    refuse_rows(wrong, why, where, "correct the row")
