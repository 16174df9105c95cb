"""Areas in units of two levels, whose units differ in ways that the models do not know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import expit, logit

from smallarea.indicators import Indicators
from smallarea.projection import Given
from smallarea.projection.given_totals import draw_given

_WORDS = {"population": "population", "definition": "d", "excludes": "e", "reference_period": "t"}
INDICATORS = Indicators.model_validate(
    {
        "title": "People",
        "populations": {"population": {"label": "people"}},
        "components": {"live": {"label": "Live"} | _WORDS, "other": {"label": "Other"} | _WORDS},
        "sums": {"all": {"of": ["live", "other"], "label": "All", "overlap": 0.5}},
    }
)
COMPONENTS = list(INDICATORS.components)


@dataclass(frozen=True)
class World:
    """Truth (component, area) and what a run knows: draws, people, national draws, the frame."""

    truth: np.ndarray
    rates: xr.DataArray
    sizes: xr.DataArray
    totals: xr.DataArray
    table: pd.DataFrame

    @property
    def counts(self) -> np.ndarray:
        return self.truth * self.sizes.values

    def true_of(self, level: str) -> pd.DataFrame:
        """True people by component, and of their sum, in each unit."""
        counts = pd.DataFrame(self.counts.T, self.table.index, COMPONENTS)
        counts["all"] = counts.sum(axis=1) - 0.5 * counts.min(axis=1)
        return counts.groupby(self.table[f"{level}_id"]).sum()


def world(seed: int, areas: int = 36, draws: int = 60, uncovered: float = 0.15) -> World:
    """Three counties in each of four lands; draws are an honest posterior of the truth."""
    rng = np.random.default_rng(seed)
    county = rng.permutation(areas) % 12
    fitted = logit(0.02) + rng.normal(0, 0.4, (2, areas))

    def around(shape: int) -> np.ndarray:
        land, unit = rng.normal(0, 0.3, (2, 4, shape)), rng.normal(0, 0.3, (2, 12, shape))
        own = rng.normal(0, 0.35, (2, areas, shape))
        return fitted[:, :, None] + land[:, county // 3] + unit[:, county] + own

    truth = expit(around(1))[:, :, 0]
    ids = np.array([f"a{i:03d}" for i in range(areas)], dtype=object)
    coords = {"component": COMPONENTS, "area_id": ids}
    people = np.tile(rng.lognormal(9.5, 0.8, areas), (2, 1))
    covered = rng.random(areas) >= uncovered
    covered[:2] = True
    total = (truth * people)[:, covered].sum(axis=1)
    error = 0.08 * (rng.normal(size=(2, 1)) + rng.normal(size=(2, draws)))
    table = pd.DataFrame(
        {
            "name": ids,
            "county_id": [f"k{i:02d}" for i in county],
            "county": [f"County {i}" for i in county],
            "land_id": [f"l{i // 3}" for i in county],
            "land": [f"Land {i // 3}" for i in county],
            "population": people[0],
            "covered": covered,
        },
        index=pd.Index(ids, name="area_id"),
    )
    return World(
        truth,
        xr.DataArray(expit(around(draws)), dims=("component", "area_id", "draw"), coords=coords),
        xr.DataArray(people, dims=("component", "area_id"), coords=coords),
        xr.DataArray(
            total[:, None] * np.exp(error),
            dims=("component", "draw"),
            coords={"component": COMPONENTS},
        ),
        table,
    )


def totals_of(
    made: World,
    wanted: list[tuple[str, str, str]],
    seed: int = 0,
    error: float = 0.05,
    claimed: float | None = None,
) -> Given:
    """Totals of (level, unit, component), off by `error` on the log scale and said to be so."""
    rng = np.random.default_rng([seed, 1])
    rows = []
    for number, (level, unit, component) in enumerate(wanted):
        true = made.true_of(level).loc[unit, component]
        rows.append((number + 2, level, unit, unit, component, np.log(true) + error * rng.normal()))
    columns = ["row", "level", "unit_id", "unit", "component", "log_mean"]
    table = pd.DataFrame(rows, columns=columns).set_index("row")
    table["log_sd"] = error if claimed is None else claimed
    return Given(table, draw_given(table, made.rates.sizes["draw"], seed))
