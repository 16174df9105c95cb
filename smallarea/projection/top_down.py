"""Agreement from the top down: the nation, units of the levels above the areas, areas.

A total given for a unit is evidence on what its areas add up to, beside what models and nation say
of it: the two are weighed by their variances, in draws, lowest level first. Then the nation is
shared among the units of the highest level, a unit among those within it, and in the end among
areas (`sharing`). Units without a total have what models and nation say of them, and take their
part of what is left by the same rule.

Bell, Datta & Ghosh 2013 (benchmarks that are themselves uncertain); Matheron's rule for draws, as
in Evensen 1994.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import expit, logit

from smallarea.indicators import Indicators
from smallarea.projection.bounds import CEILING
from smallarea.projection.consistency import Agreement, agree, discrepancy
from smallarea.projection.indicators import add_up, count_draws
from smallarea.projection.sharing import Rates
from smallarea.projection.shift import uncertainty

#: A total so many SDs from what models and nation say of its unit is warned of.
FAR = 3.0


@dataclass(frozen=True)
class Given:
    """Totals given for units: the table of `read_given` and draws in people, (rows, draws)."""

    table: pd.DataFrame
    drawn: np.ndarray


@dataclass(frozen=True)
class TopDown:
    """What agreement made, and what became of the totals given.

    rates : see `agree`. agreement : of the nation; its movement is that of all levels together.
    units : the rows of `Given.table` with `given`, `before` and `after` (means of reported people:
        as given, by models and nation, as published), each with its `_sd`; `z` of the first two.
    held : of each area, the unit whose total (in `rates`, by component) it is held to; "" for those
        that no total holds.
    """

    rates: xr.DataArray
    agreement: Agreement
    units: pd.DataFrame
    held: pd.Series


def agree_top_down(
    rates: xr.DataArray,
    sizes: xr.DataArray,
    totals: xr.DataArray,
    table: pd.DataFrame,
    indicators: Indicators,
    given: Given | None = None,
    *,
    weight: Literal["variance", "flat"] = "variance",
    tau: np.ndarray | None = None,
) -> TopDown:
    """Make area rates agree with the nation and with totals given for units, in every draw.

    A sum's total moves its components in the unit by one factor (met as nearly as their overlap
    within areas allows). A unit that the survey covers in
    part has its total for all its areas, and only the covered ones add up to the nation; a unit
    outside of it meets its total and displaces nobody. Where a draw of tau is so small that a rate
    is bounded, the nation is met and a unit's total as far as the bound allows.

    Parameters
    ----------
    table : the frame's; `covered` says which areas `totals` count.
    rates, sizes, totals, weight, tau : see :func:`smallarea.projection.consistency.agree`. Between
        units the weight is always the variance.

    Raises
    ------
    InputError : see `agree`.
    """
    covered = table["covered"].astype(bool)
    if given is None:
        prevalence, agreement = agree(rates, sizes, totals, covered, weight=weight, tau=tau)
        areas = prevalence["area_id"].values
        held = pd.Series(np.where(covered.loc[areas], "nation", ""), areas)
        return TopDown(prevalence, agreement, pd.DataFrame(), held)
    met, first = agree(rates, sizes, totals, covered, weight=weight)
    areas, names = met["area_id"].values, list(met["component"].values)
    inside = covered.loc[areas].to_numpy()
    people = sizes.transpose("component", "area_id").sel(component=names, area_id=areas).values
    before = rates.transpose(*met.dims).sel(component=names, area_id=areas)
    spread = logit(before.values).std(axis=2)
    levels = list(dict.fromkeys(given.table["level"]))  # highest first
    units = [table.loc[areas, f"{level}_id"].to_numpy(dtype=str) for level in levels]
    parts = [
        Rates(values, size, uncertainty(sd**2, inside, weight), units)
        for values, size, sd in zip(met.values.copy(), people, spread, strict=True)
    ]
    found = _evidence(parts, given, levels, names, indicators)
    for c, part in enumerate(parts):
        part.settle(inside, people[c, inside] @ met.values[c, inside], ~inside)
    agreed = met.copy(data=np.stack([part.values for part in parts]))
    found = _units_after(found, agreed * people[:, :, None], table, indicators)
    nation = (agreed[:, inside] * people[:, inside, None]).sum("area_id")
    prevalence, last = agree(agreed, sizes, nation, covered, weight=weight, tau=tau)
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.abs((logit(agreed.values) - logit(before.values)).mean(axis=2)) / spread
    components = first.components.assign(
        movement_median=np.nanmedian(moved, axis=1),
        movement_max=np.nanmax(moved, axis=1),
        **last.components[["bounded_draws", "bounded_values"]],
    )
    agreement = Agreement(
        components,
        pd.DataFrame(moved.T, first.movement.index, first.movement.columns),
        (*first.warnings, *last.warnings, *_far(found, indicators)),
    )
    told = np.zeros(len(areas), dtype=bool)
    for level, unit in zip(levels, units, strict=True):
        told |= np.isin(unit, given.table.loc[given.table["level"] == level, "unit_id"])
    outside = np.where(told, np.char.add(units[-1], " (not covered)"), "")
    held = pd.Series(np.where(inside, units[-1], outside), areas)
    return TopDown(prevalence, agreement, found, held)


def _evidence(
    parts: list[Rates],
    given: Given,
    levels: list[str],
    names: list[str],
    indicators: Indicators,
) -> pd.DataFrame:
    """Move areas, in place, by what is given of their units, lowest level first; return the rows.

    Of a unit components come first, then sums. The order of rows does not matter.
    """
    told = {}
    order = {name: number for number, name in enumerate([*names, *indicators.sums])}
    rows = list(given.table[["level", "unit_id", "component"]].itertuples(name=None))
    numbered = sorted(
        zip(rows, given.drawn, strict=True),
        key=lambda entry: (-levels.index(entry[0][1]), order[entry[0][3]], entry[0][2]),
    )
    for (row, level, code, component), drawn in numbered:
        depth = levels.index(level)
        own = parts[0].units[depth] == code
        behind = [parts[names.index(part)] for part in indicators.parts(component)]
        size = behind[0].people[own].sum()
        said = _summed(behind, own, component, indicators)
        told[row] = {
            "given": drawn.mean(), "given_sd": drawn.std(),
            "before": said.mean(), "before_sd": said.std(), "z": discrepancy(said, drawn),
        }  # fmt: skip
        other = on_logits(drawn, given.table["log_mean"][row], size)
        factor = size * weighed(said / size, other) / said
        for part in behind:
            target = np.minimum(part.sum(own) * factor, CEILING * size)
            part.settle(own, target, np.zeros_like(own), below=depth + 1)
    told_of = given.table.drop(columns=["log_mean", "log_sd"])
    return told_of.join(pd.DataFrame.from_dict(told, orient="index")).rename_axis("row")


def _summed(
    parts: list[Rates], own: np.ndarray, component: str, indicators: Indicators
) -> np.ndarray:
    """Return people of a component or sum in some areas, (draw,)."""
    counts = xr.DataArray(
        np.stack([part.values[own] * part.people[own, None] for part in parts]),
        dims=("component", "area_id", "draw"),
        coords={"component": list(indicators.parts(component))},
    )
    return np.asarray(count_draws(counts, component, indicators).sum("area_id").values)


def on_logits(drawn: np.ndarray, log_mean: float, size: float) -> np.ndarray:
    """Return lognormal draws of people among `size` as draws of a logit rate, normal too.

    The median is kept, and the spread by the derivative there: no draw is of more than everybody.
    """
    middle = min(np.exp(log_mean) / size, CEILING)
    return np.asarray(logit(middle) + (np.log(drawn) - log_mean) / (1 - middle))


def weighed(model: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return draws of a rate of which two independent sources tell: rates, and logits of rates.

    On the logit scale, where both are taken as normal: the model's draws move towards the other's
    by the share of their variance in the sum of both (Matheron's rule).
    """
    x = logit(np.clip(model, np.finfo(float).tiny, CEILING))
    both = x.var() + given.var()
    return np.asarray(expit(x + (x.var() / both if both > 0 else 0.0) * (given - x)))


def _units_after(
    rows: pd.DataFrame, counts: xr.DataArray, table: pd.DataFrame, indicators: Indicators
) -> pd.DataFrame:
    """Add `after` and `after_sd`: what the areas of each unit add up to."""
    after = {}
    for (level, component), own in rows.groupby(["level", "component"]):
        drawn = count_draws(counts, str(component), indicators)
        unit = table.loc[counts["area_id"].values, f"{level}_id"].to_numpy(dtype=object)
        summed = add_up(drawn, unit, "unit").sel(unit=own["unit_id"].to_list()).values
        for row, draws in zip(own.index, summed, strict=True):
            after[row] = {"after": draws.mean(), "after_sd": draws.std()}
    return rows.join(pd.DataFrame.from_dict(after, orient="index"))


def _far(units: pd.DataFrame, indicators: Indicators) -> list[str]:
    """Say which totals are far from what models and nation say of their units."""
    return [
        f"{indicators.labels[row['component']]}, {row['unit']}: {row['given']:,.0f} people are "
        f"given and {row['before']:,.0f} are what models and nation say, as reported (z = "
        f"{row['z']:.1f}, beyond {FAR:g}): one of the two is wrong, or their errors are larger"
        for _, row in units[units["z"].abs() > FAR].iterrows()
    ]
