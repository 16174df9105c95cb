"""What a stream's writer sees of the twin: the frame, the latent surfaces, its own randomness."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.catalog import Source
from smallarea.simulate.settings import TwinSettings, generator
from smallarea.simulate.surfaces import standardise

if TYPE_CHECKING:
    from smallarea.areas import Frame


@dataclass(frozen=True)
class World:
    """The twin as one source measures it: with error."""

    frame: Frame
    surfaces: pd.DataFrame
    settings: TwinSettings
    source: Source
    rng: np.random.Generator

    @classmethod
    def seen_by(
        cls, source: Source, frame: Frame, surfaces: pd.DataFrame, settings: TwinSettings
    ) -> World:
        """Return the world for one source, whose errors are independent of all others'."""
        return cls(frame, surfaces, settings, source, generator(settings, f"stream {source.name}"))

    @property
    def people(self) -> np.ndarray:
        """Population per area."""
        return self.frame.table["population"].to_numpy(float)

    def measure(self, what: str) -> np.ndarray:
        """Return a standardised mixture of surfaces plus the stream's error, shape (areas,).

        The mixture hangs on the names of source and column alone: it is the same in every twin, so
        that a column means the same in all of them. Columns of one source are alike.
        """
        weight = self.names("").normal(size=self.surfaces.shape[1])
        weight = weight + self.names(what).normal(size=len(weight))
        mixture = standardise(self.surfaces.to_numpy() @ weight)
        return mixture + self.rng.normal(0, self.settings.stream_noise, len(mixture))

    def names(self, what: str) -> np.random.Generator:
        """Return a generator that hangs on nothing but the source's name and `what`."""
        return np.random.default_rng(zlib.crc32(f"{self.source.name}.{what}".encode()))

    def typical(self, column: str, default: float) -> float:
        """Return the middle value that the settings state for a column."""
        return self.settings.typical.get(self.source.name, {}).get(column, default)

    def places(self) -> pd.DataFrame:
        """Return points near sampling units, more where there are more people.

        Columns `lat`, `lon` (degrees), `at` (position of the area whose unit it is near).
        """
        psus, table, rng = self.frame.psus, self.frame.table, self.rng
        at = table.index.get_indexer(pd.Index(psus["area_id"]))
        pull = (self.people / self.people.mean()) ** 0.5 * np.exp(0.5 * self.measure("places"))
        inside = np.maximum(psus["population"].to_numpy(float), 1e-9)
        share = inside / np.bincount(at, inside, len(table))[at]
        number = rng.poisson(self.settings.points * (pull / pull.mean())[at] * share)
        unit = np.repeat(np.arange(len(psus)), number)
        units = np.maximum(np.bincount(at, minlength=len(table)), 1)
        side = np.sqrt(table["area_km2"].fillna(1).to_numpy(float) / units) / 111.2  # degrees
        spread = np.clip(0.2 * side, 1e-4, 0.1)[at[unit]]
        found = psus[["lat", "lon"]].to_numpy(float)[unit]
        found += rng.normal(size=found.shape) * spread[:, None]
        lat, lon = np.clip(found, [-90, -180], [90, 180]).round(5).T
        return pd.DataFrame({"lat": lat, "lon": lon, "at": at[unit]})
