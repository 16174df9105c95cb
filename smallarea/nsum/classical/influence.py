"""How much of a total one respondent, sampling unit or area carries, and what remains without it.

A scale-up is a ratio of two sums, so leaving a unit out is subtracting its share of both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from smallarea.nsum.classical.scale_up import ScaleUp

#: Level -> change of an estimate, relative, above which one unit is said to carry it.
MOST = {"respondent": 0.25, "psu": 0.5, "area_id": 0.5}
FEWEST = 5  # units below which each of them must carry much


def influence(result: ScaleUp, units: pd.Series) -> pd.DataFrame:
    """Leave each unit out of every total.

    Parameters
    ----------
    units : respondent_id -> unit (respondent, PSU, area).

    Returns
    -------
    Index (group, unit): `share` of the weighted reports, `estimate` with all units, `without` the
    unit (NaN where nothing is left), `change` = without / estimate - 1.
    """
    weight = result.design["weight"]
    by = units.to_numpy()
    reports = result.reports.mul(weight, axis=0).fillna(0.0).groupby(by).sum()
    exposure = result.exposure.mul(weight, axis=0).fillna(0.0).groupby(by).sum()
    all_reports, all_exposure = reports.sum(), exposure.sum()
    left = all_exposure - exposure
    left = left.where(left > 1e-12 * all_exposure)
    without = result.scale * (all_reports - reports).clip(lower=0) / left
    estimate = result.estimate
    tables = {
        "share": reports / all_reports.where(all_reports > 0),
        "estimate": reports * 0 + estimate,
        "without": without,
        "change": without / estimate.where(estimate > 0) - 1,
    }
    long = {name: table.T.stack(future_stack=True) for name, table in tables.items()}  # noqa: PD013
    return pd.DataFrame(long).rename_axis(["group", "unit"])


@dataclass(frozen=True)
class Carrier:
    """The unit that moves a group's estimate most."""

    group: str
    level: str
    unit: str
    row: int
    share: float
    estimate: float
    without: float

    @property
    def change(self) -> float:
        """Relative change of the estimate when the unit is left out."""
        return self.without / self.estimate - 1

    @property
    def much(self) -> bool:
        """Whether that is more than one unit should carry (`MOST`), or leaves nothing."""
        return not abs(self.change) <= MOST[self.level]

    def sentence(self) -> str:
        """Say how much the unit carries."""
        what = {"respondent": "respondent", "psu": "PSU", "area_id": "area"}[self.level]
        named = f"row {self.row}" if self.level == "respondent" else self.unit
        if not np.isfinite(self.without):
            left = "nothing is left to estimate from"
        else:
            left = f"the estimate is {self.without:,.0f} in place of {self.estimate:,.0f}"
        return (
            f"{self.group}: one {what} ({named}) gives {self.share:.1%} of all reports; without "
            f"it {left}"
        )


def carriers(result: ScaleUp) -> list[Carrier]:
    """Return, per group that was reported and level of the design, the unit that carries most."""
    found = []
    index = result.reports.index
    ids = pd.Series(index.astype(str), index=index)
    for level in MOST:
        units = ids if level == "respondent" else result.design[level]
        # Numbered per area, one PSU each: areas and PSUs are the same units.
        if units.isna().any() or (level == "area_id" and _same(units, result.design["psu"])):
            continue
        if level != "respondent" and units.nunique() < FEWEST:
            continue
        table = influence(result, units)
        for group in result.reports.columns:
            of_group = table.loc[group]
            if not of_group["estimate"].iloc[0] > 0:
                continue
            moved = np.abs(np.log((of_group["change"] + 1).clip(lower=1e-300))).fillna(np.inf)
            at = int(moved.to_numpy().argmax())
            unit, row = of_group.index[at], of_group.iloc[at]
            found.append(
                Carrier(
                    str(group), level, str(unit), int((units == unit).to_numpy().argmax()) + 1,
                    float(row["share"]), float(row["estimate"]), float(row["without"]),
                )
            )  # fmt: skip
    return found


def _same(one: pd.Series, other: pd.Series) -> bool:
    if other.isna().any():
        return False
    pairs = pd.DataFrame({"a": one.to_numpy(), "b": other.to_numpy()}).drop_duplicates()
    return len(pairs) == one.nunique() == other.nunique()
