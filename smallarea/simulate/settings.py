"""Every knob of the digital twin in one small, frozen object; the defaults are the study's."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from smallarea.errors import InputError

#: Carried by everything that is made from the twin.
LABEL = "SYNTHETIC SURVEY"


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
                remedy="see smallarea.simulate.TwinSettings for the knobs and their bounds",
            ) from None

    seed: int = Field(1, ge=0)

    # Truth: counts per area
    victims: int = Field(471_416, gt=0, description="children, all areas")
    traffickers: int = Field(232_444, gt=0, description="adults, all areas")
    live_share: float = Field(0.5, gt=0, lt=1, description="live among live plus non-live")
    overlap: float = Field(
        0.0, ge=0, le=1, description="share of the smaller of live and non-live victims in both"
    )
    area_sd: float = Field(0.8, ge=0, description="sd between areas of the log rate")
    signal: float = Field(
        0.6, ge=0, le=1, description="share of the variance of log rates that streams explain"
    )
    nonlinear: float = Field(0.25, ge=0, le=1, description="share of it that is not linear")
    spatial: float = Field(0.5, ge=0, le=1, description="spatially smooth share of the rest")
    pair_correlation: float = Field(
        0.7, ge=0, lt=1, description="log rates of victims and of traffickers, between areas"
    )
    mode_correlation: float = Field(0.8, ge=0, lt=1, description="log rates, live and non-live")
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
    barangay_sd: float = Field(0.3, ge=0, description="sd of log rates between an area's barangays")
    recall_slope: float = Field(
        0.8, gt=0, description="of log recalled on log true prevalence of known groups; 1: perfect"
    )
    recall_pivot: float = Field(0.03, gt=0, lt=1, description="prevalence that is recalled right")

    # Networks
    adult_degree: float = Field(230, gt=0, description="median of adults known, lognormal")
    child_degree: float = Field(45, gt=0, description="median of children known, lognormal")
    degree_sd: float = Field(0.6, ge=0, description="sd of both log degrees")
    degree_correlation: float = Field(0.5, ge=0, le=1, description="of the two log degrees")
    degree_urban: float = Field(1.1, gt=0, description="adult degree relative to rural")
    no_children: float = Field(0.02, ge=0, lt=1, description="respondents who know no child")

    # Survey
    areas: int = Field(150, ge=2)
    households: int = Field(24, ge=1, description="interviews in the one barangay of each area")
    replicate_areas: int = Field(4, ge=0, description="sampled areas with a second barangay")
    replicate_households: int = Field(25, ge=1, description="interviews in a second barangay")
    replicate_region: str = Field("1300000000", description="region_id where these areas lie")
    household_size: float = Field(4.5, ge=1.5, description="mean number of household members")
    missing: float = Field(0.005, ge=0, lt=1, description="share of counts not answered")

    # Later waves: the same world, other people asked
    wave: int = Field(1, ge=1, description="which survey of this world")
    decline: float = Field(
        0.0, ge=0, lt=1, description="share by which every true count fell since the first wave"
    )
    revisit: bool = Field(
        False,
        description="whether a later wave goes to the first one's barangays, or draws its own",
    )

    # Casework
    operations: int = Field(348, ge=0)
    victims_per_operation: float = Field(1_181 / 348, ge=0)
    suspects_per_operation: float = Field(359 / 348, ge=0)

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

    @property
    def totals(self) -> dict[str, int]:
        """National count of each component in this wave; victims in both are counted in each."""
        once = 1 - self.overlap * min(self.live_share, 1 - self.live_share)
        victims = round(self.victims * (1 - self.decline) / once)
        traffickers = round(self.traffickers * (1 - self.decline))
        victims_live = round(victims * self.live_share)
        traffickers_live = round(traffickers * self.live_share)
        return {
            "victims_live": victims_live,
            "victims_nonlive": victims - victims_live,
            "traffickers_live": traffickers_live,
            "traffickers_nonlive": traffickers - traffickers_live,
        }


def generator(settings: TwinSettings, part: str) -> np.random.Generator:
    """Return the generator of one named part of the twin, independent of the other parts'."""
    return np.random.default_rng([settings.seed, zlib.crc32(part.encode())])


def wave_generator(settings: TwinSettings, part: str) -> np.random.Generator:
    """Return the generator of a part that every wave draws anew."""
    wave = "" if settings.wave == 1 else f", wave {settings.wave}"
    return generator(settings, part + wave)
