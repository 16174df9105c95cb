"""Agreement from the top down: the nation, units of the levels above the areas, areas.

A total given for a unit is evidence on what its areas add up to, beside what models and nation say
of it: the two are weighed by their variances, in draws. Then the units of a level are shifted
together, so that they add up to the unit above them (in the end the nation), most where least is
known; units without a total have what models and nation say of them, and take their part of what
is left by the same rule. Last, the areas of each unit are shifted onto it (`sharing`).

Bell, Datta & Ghosh 2013 (benchmarks that are themselves uncertain); Matheron's rule for draws, as
in Evensen 1994.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import expit, logit

from smallarea.indicators import Indicators
from smallarea.projection.bounds import CEILING
from smallarea.projection.consistency import Agreement, agree, discrepancy
from smallarea.projection.indicators import add_up, count_draws
from smallarea.projection.sharing import Shared
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

    A sum's total moves its components in the unit by one factor. A unit that the survey covers in
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
    areas, names = met["area_id"].values, met["component"].values
    inside = covered.loc[areas].to_numpy()
    people = sizes.transpose("component", "area_id").sel(component=names, area_id=areas).values
    before = rates.transpose(*met.dims).sel(component=names, area_id=areas)
    spread = logit(before.values).std(axis=2)
    v = np.stack([uncertainty(s**2, inside, weight) for s in spread])
    shared = Shared(met.values.copy(), people, v, inside, np.full(len(areas), "nation"))
    found = []
    for level, rows in given.table.groupby("level", sort=False):
        unit = table.loc[areas, f"{level}_id"].to_numpy(dtype=str)
        drawn = given.drawn[given.table.index.isin(rows.index)]
        found.append(_evidence(shared, unit, rows, drawn, list(names), indicators))
        shared = shared.within(unit, found[-1].targets)
    agreed = met.copy(data=shared.rates)
    nation = (agreed[:, inside] * people[:, inside, None]).sum("area_id")
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.abs((logit(agreed.values) - logit(before.values)).mean(axis=2)) / spread
    movement = pd.DataFrame(moved.T, first.movement.index, first.movement.columns)
    units = _units_after(
        pd.concat([f.rows for f in found]), shared, areas, table, names, indicators
    )
    prevalence, last = agree(agreed, sizes, nation, covered, weight=weight, tau=tau)
    components = first.components.assign(
        movement_median=np.nanmedian(moved, axis=1),
        movement_max=np.nanmax(moved, axis=1),
        **last.components[["bounded_draws", "bounded_values"]],
    )
    warnings = (*first.warnings, *last.warnings, *_far(units, indicators))
    held = np.where(shared.held, shared.block, "")
    agreement = replace(first, components=components, movement=movement, warnings=warnings)
    return TopDown(prevalence, agreement, units, pd.Series(held, areas))


@dataclass(frozen=True)
class _Found:
    """Evidence on units: rows of the table, and (component, unit) -> totals to be met first."""

    rows: pd.DataFrame
    targets: Mapping[tuple[int, str], np.ndarray]


def _evidence(
    shared: Shared,
    unit: np.ndarray,
    rows: pd.DataFrame,
    drawn: np.ndarray,
    names: list[str],
    indicators: Indicators,
) -> _Found:
    """Weigh what is given with what the draws say; components first, then sums."""
    targets: dict[tuple[int, str], np.ndarray] = {}
    told = {}
    order = {name: number for number, name in enumerate([*names, *indicators.sums])}
    numbered = list(zip(rows.index, rows["unit_id"], rows["component"], drawn, strict=True))
    for row, code, component, total in sorted(numbered, key=lambda entry: order[entry[2]]):
        parts = [names.index(part) for part in indicators.parts(component)]
        own = unit == code
        for c in parts:
            targets.setdefault((c, code), shared.sums(c, own))
        size = shared.people[parts[0], own].sum()
        said = xr.DataArray(
            np.stack([targets[c, code] for c in parts])[:, None],
            dims=("component", "area_id", "draw"),
            coords={"component": list(indicators.parts(component))},
        )
        model = count_draws(said, component, indicators).values[0]
        total = np.minimum(total, CEILING * size)
        told[row] = {
            "given": total.mean(), "given_sd": total.std(),
            "before": model.mean(), "before_sd": model.std(), "z": discrepancy(model, total),
        }  # fmt: skip
        factor = size * weighed(model / size, total / size) / model
        for c in parts:
            targets[c, code] = np.minimum(targets[c, code] * factor, CEILING * size)
    return _Found(rows.join(pd.DataFrame.from_dict(told, orient="index")), targets)


def weighed(model: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return draws of a rate that two independent sources tell of, each by draws, below 1.

    On the logit scale, where both are taken as normal: the model's draws move towards the other's
    by the share of their variance in the sum of both (Matheron's rule).
    """
    ends = np.nextafter(0, 1), CEILING
    x, d = (logit(np.clip(draws, *ends)) for draws in (model, given))
    both = x.var() + d.var()
    return np.asarray(expit(x + (x.var() / both if both > 0 else 0.0) * (d - x)))


def _units_after(
    rows: pd.DataFrame,
    shared: Shared,
    areas: np.ndarray,
    table: pd.DataFrame,
    names: np.ndarray,
    indicators: Indicators,
) -> pd.DataFrame:
    """Add `after` and `after_sd`: what the areas of each unit add up to."""
    counts = xr.DataArray(
        shared.rates * shared.people[:, :, None],
        dims=("component", "area_id", "draw"),
        coords={"component": names},
    )
    after = {}
    for (level, component), own in rows.groupby(["level", "component"]):
        drawn = count_draws(counts, str(component), indicators)
        unit = table.loc[areas, f"{level}_id"].to_numpy(dtype=object)
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
