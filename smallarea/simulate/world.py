"""What a stream's writer sees of the twin: the frame, the latent surfaces, its own randomness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.simulate.settings import TwinSettings, generator
from smallarea.simulate.surfaces import standardise

if TYPE_CHECKING:
    from smallarea.areas import Frame

#: Region + province of a present code -> region it had in the 2023 vintage of the register.
REGION_IN_2023 = {"09066": "19", "18045": "06", "18302": "06", "18046": "07", "18061": "07"}


@dataclass(frozen=True)
class World:
    """The twin as one stream measures it: with error."""

    frame: Frame
    surfaces: pd.DataFrame
    noise: float
    rng: np.random.Generator

    @classmethod
    def seen_by(
        cls, stream: str, frame: Frame, surfaces: pd.DataFrame, settings: TwinSettings
    ) -> World:
        """Return the world for one stream, whose errors are independent of all others'."""
        return cls(frame, surfaces, settings.stream_noise, generator(settings, stream))

    @property
    def psu_areas(self) -> np.ndarray:
        """Position of each barangay's area in the frame's table, shape (psus,)."""
        return self.frame.table.index.get_indexer(pd.Index(self.frame.psus["area_id"]))

    @property
    def people(self) -> np.ndarray:
        """Population per area."""
        return self.frame.table["population"].to_numpy(float)

    def measure(self, **weights: float) -> np.ndarray:
        """Return a standardised mixture of surfaces plus the stream's error, shape (areas,)."""
        mixture = self.surfaces[list(weights)].to_numpy() @ np.array(list(weights.values()))
        return standardise(mixture) + self.rng.normal(0, self.noise, len(mixture))

    def codes(self, vintage: str) -> pd.Series:
        """Return each area's code, indexed by area_id: `10-digit`, `2023` or `9-digit`.

        Areas created since the vintage have none and are left out, as in files of that time.
        """
        area_ids = self.frame.table.index
        if vintage == "10-digit":
            return pd.Series(area_ids, area_ids)
        codes = self.frame.codes
        old = codes[codes["vintage"] == "9-digit"].groupby("area_id")["code"].min()
        if vintage == "9-digit":
            return old.reindex(area_ids).dropna()
        existed = pd.Series(area_ids, area_ids)[area_ids.isin(old.index)]
        region = existed.str[:5].map(REGION_IN_2023).fillna(existed.str[:2])
        return region + existed.str[2:]

    def table(self, vintage: str, **columns: np.ndarray) -> pd.DataFrame:
        """Return per-area columns as a table keyed by `psgc` of a vintage."""
        data = pd.DataFrame(columns, index=self.frame.table.index)
        codes = self.codes(vintage)
        data = data.loc[codes.index].reset_index(drop=True)
        data.insert(0, "psgc", codes.to_numpy())
        return data

    def places(self, pull: np.ndarray, n: int, spread: float = 0.003) -> pd.DataFrame:
        """Return n points near barangays, drawn by population x the area's pull.

        Columns `latitude`, `longitude`, `area_id`.
        """
        psus = self.frame.psus
        weight = psus["population"].to_numpy() * pull[self.psu_areas]
        drawn = psus.iloc[self.rng.choice(len(psus), n, p=weight / weight.sum())]
        return pd.DataFrame(
            {
                "latitude": (drawn["lat"] + self.rng.normal(0, spread, n)).round(5).to_numpy(),
                "longitude": (drawn["lon"] + self.rng.normal(0, spread, n)).round(5).to_numpy(),
                "area_id": drawn["area_id"].to_numpy(),
            }
        )


def expand(people: np.ndarray, rate: float, effect: np.ndarray) -> np.ndarray:
    """Return expected counts: people x rate x exp(effect)."""
    return people * rate * np.exp(effect)


def suppress(table: pd.DataFrame, columns: list[str], small: pd.Series, mark: str) -> pd.DataFrame:
    """Return the table with a mark in place of the columns of small cells."""
    return table.assign(**{name: table[name].astype(object).mask(small, mark) for name in columns})
