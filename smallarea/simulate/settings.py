"""Every knob of the digital twin in one frozen object; a project sets its own in `twin:`."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from smallarea.errors import InputError

#: Carried by everything that is made from the twin.
LABEL = "SYNTHETIC SURVEY"


class KnownGroup(BaseModel):
    """A group of adults of known size."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    share: float = Field(gt=0, lt=1, description="of all adults")
    urban: float = Field(0.0, description="log ratio of its local share per sd of urbanicity")
    of_ages: dict[str, float] = Field(
        default_factory=dict, description="share of an age group of children who are in it too"
    )


class Cases(BaseModel):
    """What operations find, as casework counts it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    of: str = Field(description="the component or sum whose people are found")
    per_operation: float = Field(ge=0)


def _known() -> dict[str, KnownGroup]:
    """Return occupations that most countries count."""
    shares = {
        "doctors": (0.002, 0.6), "nurses": (0.005, 0.4), "teachers": (0.015, 0.05),
        "guards": (0.007, 0.4), "drivers": (0.03, 0.1), "tailors": (0.004, 0.2),
        "bakers": (0.003, 0.2), "shopkeepers": (0.02, 0.0), "builders": (0.05, 0.05),
    }  # fmt: skip
    return {name: KnownGroup(share=share, urban=urban) for name, (share, urban) in shares.items()}


class TwinSettings(BaseModel):
    """The invented world: its truth, how people report it, how it is surveyed.

    The one `seed` feeds an independent generator per part (see :func:`generator`), so that
    turning one knob leaves the random numbers of the other parts as they were.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **knobs: Any) -> None:
        try:
            super().__init__(**knobs)
        except ValidationError as error:
            first = error.errors()[0]
            raise InputError(
                first["msg"],
                where=f"twin setting {'.'.join(map(str, first['loc'])) or 'wave'!r}",
                remedy="correct the knob, or data_catalog.yaml, twin; smallarea.simulate."
                "TwinSettings has the knobs and their bounds",
            ) from None

    seed: int = Field(1, ge=0)

    # Truth: counts per area
    totals: dict[str, float] = Field(
        default_factory=dict,
        description="people of a component, all areas; of a sum, each once, in equal parts",
    )
    share: float = Field(
        0.005, gt=0, lt=1, description="of the reference population, for components without total"
    )
    area_sd: float = Field(0.8, ge=0, description="sd between areas of the log rate")
    signal: float = Field(
        0.6, ge=0, le=1, description="share of the variance of log rates that streams explain"
    )
    nonlinear: float = Field(0.25, ge=0, le=1, description="share of it that is not linear")
    spatial: float = Field(0.5, ge=0, le=1, description="spatially smooth share of the rest")
    correlation: float = Field(
        0.7, ge=0, lt=1, description="log rates of two components, between areas"
    )
    sum_correlation: float = Field(
        0.8, ge=0, lt=1, description="log rates of two components of one sum"
    )
    stream_noise: float = Field(
        0.35, ge=0, description="sd of each invented stream's error about its latent surface"
    )

    # Reporting
    tau_mean: float = Field(0.05, gt=0, lt=1, description="mean of the prior of tau, a Beta")
    tau_cv: float = Field(0.25, ge=0, description="its coefficient of variation; 0: tau is known")
    tau_rural: float = Field(0.5, gt=0, description="reporting rate relative to urban")
    tau_age60: float = Field(0.2, gt=0, description="ages 60 and above, relative to younger")
    tau_female: float = Field(1.15, gt=0, description="relative to men")
    tau_single: float = Field(1.3, gt=0, description="relative to the ever married")
    tau_area_sd: float = Field(0.2, ge=0, description="sd between areas of the log rate")
    spill: float = Field(0.1, ge=0, le=1, description="share of child reports from next areas")
    barrier: float = Field(
        0.02, ge=0, lt=1, description="rho: correlation of a respondent's acquaintances' groups"
    )
    unit_sd: float = Field(0.3, ge=0, description="sd of log rates between an area's units")
    recall_slope: float = Field(
        0.8, gt=0, description="of log recalled on log true prevalence of known groups; 1: perfect"
    )
    recall_pivot: float = Field(0.03, gt=0, lt=1, description="prevalence that is recalled right")

    # Known groups
    known: dict[str, KnownGroup] = Field(
        default_factory=_known, min_length=1, description="of adults, as they are asked about"
    )
    ages: dict[str, float] = Field(
        default={"children_0_5": 0.32, "children_6_12": 0.40, "children_13_17": 0.28},
        min_length=1,
        description="shares of all children by age; names end in the ages. Asked about last",
    )

    # Networks
    adult_degree: float = Field(230, gt=0, description="median of adults known, lognormal")
    child_degree: float = Field(45, gt=0, description="median of children known, lognormal")
    degree_sd: float = Field(0.6, ge=0, description="sd of both log degrees")
    degree_correlation: float = Field(0.5, ge=0, le=1, description="of the two log degrees")
    degree_urban: float = Field(1.1, gt=0, description="adult degree relative to rural")
    no_children: float = Field(0.02, ge=0, lt=1, description="respondents who know no child")

    # Survey
    areas: int | None = Field(None, ge=2, description="by default half of them, at most 150")
    households: int = Field(24, ge=1, description="interviews in the one unit of each area")
    replicate_areas: int = Field(0, ge=0, description="sampled areas with a second unit")
    replicate_households: int = Field(25, ge=1, description="interviews in a second unit")
    replicate_in: str = Field("", description="code of the unit of any level that they lie in")
    household_size: float = Field(4.5, ge=1.5, description="mean number of household members")
    missing: float = Field(0.005, ge=0, lt=1, description="share of counts not answered")

    # Later waves: the same world, other people asked
    wave: int = Field(1, ge=1, description="which survey of this world")
    decline: float = Field(
        0.0, ge=0, lt=1, description="share by which every true count fell since the first wave"
    )
    revisit: bool = Field(
        False,
        description="whether a later wave goes to the first one's units, or draws its own",
    )

    # Casework
    operations: int = Field(0, ge=0)
    casework: dict[str, Cases] = Field(default_factory=dict, description="column -> whom it counts")

    # Streams
    typical: dict[str, dict[str, float]] = Field(
        default_factory=dict,
        description="source -> column -> its middle value; per person for what grows with people",
    )
    points: float = Field(8.0, gt=0, description="mean number of points per area")
    pixels: float = Field(40.0, gt=0, description="pixels of a raster in an area of middle size")

    @model_validator(mode="after")
    def _first_wave_is_the_reference(self) -> TwinSettings:
        if self.wave == 1 and (self.decline or self.revisit):
            raise ValueError("the first wave has no earlier one to decline from or to revisit")
        return self

    @property
    def tau_prior(self) -> tuple[float, float]:
        """(a, b) of the Beta that tau is drawn from: the informed prior an analyst would hold.

        Raises ZeroDivisionError when `tau_cv` is 0: tau is then `tau_mean`, no Beta.
        """
        size = (1 - self.tau_mean) / (self.tau_mean * self.tau_cv**2) - 1
        return self.tau_mean * size, (1 - self.tau_mean) * size


def generator(settings: TwinSettings, part: str) -> np.random.Generator:
    """Return the generator of one named part of the twin, independent of the other parts'."""
    return np.random.default_rng([settings.seed, zlib.crc32(part.encode())])


def wave_generator(settings: TwinSettings, part: str) -> np.random.Generator:
    """Return the generator of a part that every wave draws anew."""
    wave = "" if settings.wave == 1 else f", wave {settings.wave}"
    return generator(settings, part + wave)
