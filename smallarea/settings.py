"""A project's settings: the `settings:` block of data_catalog.yaml, checked before any work."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, model_validator

from smallarea.declared import Declared, Said, read_block
from smallarea.errors import InputError
from smallarea.limits import require


class TauSettings(Declared):
    """The informed prior of the reporting rate tau: Beta(a, b), and where it comes from."""

    a: float = Field(gt=0)
    b: float = Field(gt=0)
    source: str


class Approval(Declared):
    """Who approved results finer than respondents were told of, down to which level."""

    level: Said
    body: Said
    reference: Said
    date: Annotated[Said, BeforeValidator(str)]


class TotalSettings(Declared):
    """A national total that comes with the direct estimates: people as reported."""

    total: float = Field(gt=0)
    se: float = Field(gt=0)
    source: str


class DirectSettings(Declared):
    """Direct estimates from elsewhere, in place of a survey; see `nsum.direct.elsewhere`.

    title, publisher, vintage, licence : of the survey behind them, for the report.
    """

    file: str
    title: str = "Direct estimates"
    publisher: str | None = None
    vintage: str | int | None = None
    licence: str | None = None
    deff: float = Field(1.0, gt=0)
    national: dict[str, TotalSettings] = Field(default_factory=dict)


class EarlierSettings(Declared):
    """An earlier wave of the survey, of which a share counts; see `nsum.direct.earlier`.

    survey : its folder in the project. share : of its interviews in each area, above 0 and at most
    1, drawn with the seed.
    """

    survey: str
    share: float = Field(gt=0, le=1)


class GivenSettings(Declared):
    """Totals of units of the levels, from elsewhere; see `projection.given_totals`.

    title, publisher, vintage, licence : of where they come from, for the report.
    """

    file: str
    title: str = "Totals of units"
    publisher: str | None = None
    vintage: str | int | None = None
    licence: str | None = None


def _levels(value: Any) -> list[int] | dict[str, str] | None:
    """Check how a column becomes levels; names are keyed by text, as survey files spell values."""
    if isinstance(value, dict) and value:
        return {str(code): str(name) for code, name in value.items()}
    bands = isinstance(value, list) and all(type(edge) is int for edge in value)
    if value is None or (bands and value and value == sorted(set(value))):
        return value
    raise ValueError("give nothing, rising band edges such as [18, 30, 45], or names of values")


Levels = Annotated[list[int] | dict[str, str] | None, PlainValidator(_levels)]


class Settings(Declared):
    """Everything a run can be told that is not data.

    Attributes
    ----------
    seed : the one seed from which every random stage takes its own.
    survey : folder with respondents.csv, groups.csv, roster.csv, casework.csv, in the project; or
    direct : direct estimates made elsewhere, in the project. One of the two.
    totals : totals of units of the levels above the areas, in the project, from another source than
        the answers: areas are made to agree with them from the top down.
    earlier : an earlier wave, a share of whose answers helps to tell areas apart; the level stays
        the present wave's. None by default.
    promised_level : the finest level that respondents were told results would be published at:
        `area`, a level of the frame, or `nation`. A tier that shows finer results needs an
    approval : by whom, under which reference and date, and down to which level.
    tau_prior : informed prior of the reporting rate; totals scale with 1 / tau. Without it nothing
        is divided by a reporting rate: every number is as reported.
    degrees : sizes of the known groups behind adults' degrees in the surveyed areas: `national`, or
        the local ones that the household roster gives, shrunk (`survey.roster`). The latter
        is right if respondents counted people of their own area only; on the twin, who
        count everybody, it is no better.
    purpose : what the project's numbers are for, for sources that are open to some purposes only.
    top_k : the k of the probability of being among the k highest areas; by default a tenth of the
        areas, at most 100.
    small_population : below this population an area is flagged: read only with its neighbours.
    withhold_below : an area with fewer of any reference population than this has no numbers.
    posterior : of the national figure: `barrier`, or `power`, which keeps to the design where the
        reported rate goes with degree (`nsum.classical.power`).
    remove : rules that remove answers of the survey (quantile, mad, degree: see `survey.removal`);
        what they removed is among the run's warnings. None by default.
    describe_by : respondents' columns by which the findings tell who reported: with null as they
        are, with band edges for numbers, or with the names of their values.
    describe_numbers : respondents' columns of numbers that the findings describe: mean, quartiles.
    folds : cross-validation folds, of whole units of the lowest level.
    draws : profile (`fast`, `full`) -> number of draws in which every estimate travels.
    """

    seed: int = Field(ge=0)
    survey: str | None = None
    direct: DirectSettings | None = None
    totals: GivenSettings | None = None
    earlier: EarlierSettings | None = None
    promised_level: str | None = None
    approval: Approval | None = None
    tau_prior: TauSettings | None = None
    purpose: str | None = None
    degrees: Literal["national", "roster"] = "national"
    posterior: Literal["barrier", "power"] = "barrier"
    top_k: int | None = Field(None, ge=1)
    small_population: float = Field(5_000, ge=0)
    withhold_below: float = Field(500, ge=0)
    remove: dict[Literal["quantile", "mad", "degree"], Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict
    )
    describe_by: dict[str, Levels] = Field(default_factory=dict)
    describe_numbers: list[str] = Field(default_factory=list)
    folds: int = Field(5, ge=2)
    draws: dict[str, Annotated[int, Field(ge=100)]]

    @model_validator(mode="after")
    def _one_truth(self) -> Settings:
        if (self.survey is None) == (self.direct is None):
            raise ValueError("name a survey's folder, or a file of direct estimates, one of both")
        if self.earlier is not None and self.survey is None:
            raise ValueError("an earlier wave is pooled with a survey, not with direct estimates")
        if self.approval is not None and self.promised_level is None:
            raise ValueError("an approval of finer results needs a promised_level: finer than what")
        return self

    def top_of(self, areas: int) -> int:
        """Return k for a number of areas; raise InputError if the one stated is not below it."""
        if self.top_k is None:
            return min(max(round(areas / 10), 1), 100)
        if self.top_k >= areas:
            raise InputError(
                f"the {self.top_k} highest of {areas} areas would be all of them",
                where="data_catalog.yaml, settings.top_k",
                remedy="give a smaller number, or leave it out: a tenth of the areas, at most 100",
            )
        return self.top_k

    def draws_of(self, profile: str) -> int:
        """Return the number of draws of a profile; raise InputError naming those that exist."""
        if profile not in self.draws:
            raise InputError(
                f"no profile {profile!r}",
                where="data_catalog.yaml, settings.draws",
                remedy=f"choose one of {', '.join(self.draws)}",
            )
        require("draws", self.draws[profile], f"data_catalog.yaml, settings.draws.{profile}")
        return self.draws[profile]


def read_settings(block: dict[str, Any]) -> Settings:
    """Check a `settings:` block; raise InputError naming the first field that is wrong."""
    remedy = "mend this setting; `smallarea init` writes a complete example"
    return read_block(block, Settings, "settings", remedy)
