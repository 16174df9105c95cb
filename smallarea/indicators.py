"""What a project publishes per area: counts of its components, and what follows from them.

A component is a hidden group of the survey; every other indicator is recomputed from component
draws, never averaged from other indicators, so that sums, rates and ratios always agree. Which
there are, what they count and how they are called is the project's: `indicators:` in its catalog.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import pandas as pd
from pydantic import Field, field_validator, model_validator

from smallarea.declared import Declared, Said, read_block

PER = 1000  # rates are per this many people of the reference population


class Population(Declared):
    """A reference population: a column of the frame, and the network in which it is known."""

    label: Said
    """What its people are called, as in "per 1,000 children"."""
    network: Literal["adult", "child"] = "adult"
    """The degree by which answers about its groups are scaled up: of adults or of children."""


class Component(Declared):
    """A hidden group of the survey."""

    population: str
    group: str = ""
    """The hidden group in the survey's table of groups; by default the component's name."""
    label: Said
    rate_label: str = ""
    """By default the label followed by "per 1,000" and the population's."""
    definition: Said
    excludes: Said
    reference_period: Said


class Detection(Declared):
    """What casework knows of a sum: the share of its true cases, where operations ran."""

    column: str
    """Column of casework.csv with the people known, by area (and `year`, if it has that column)."""
    window: tuple[int, int] | None = None
    """First and last year of the casework that counts; rows of other years are left out."""
    mean: float = Field(gt=0, lt=1)
    cv: float = Field(gt=0)
    source: Said
    """Who says so."""

    @field_validator("window")
    @classmethod
    def _in_order(cls, window: tuple[int, int] | None) -> tuple[int, int] | None:
        if window is not None and not 1900 <= window[0] <= window[1] <= 2100:
            raise ValueError("give the first and the last year, such as [2020, 2022]")
        return window


class Sum(Declared):
    """Components of one population added up; a person in several counts in each of them."""

    of: tuple[str, ...] = Field(min_length=2)
    label: Said
    rate_label: str = ""
    overlap: float = Field(0.0, ge=0, le=1)
    """Share of the smaller of two components who are in both."""
    detection: Detection | None = None
    """With it, casework updates the prior of the reporting rate; without it, it is not used."""


class Ratio(Declared):
    """One count over another, draw by draw."""

    of: tuple[str, str]
    label: Said
    unit: Said
    kind: Literal["ratio"] = "ratio"


class Indicators(Declared):
    """Everything that is published per area, in the order of the tables."""

    title: Said
    """Heading of map and report."""
    populations: dict[str, Population] = Field(min_length=1)
    components: dict[str, Component] = Field(min_length=1)
    sums: dict[str, Sum] = Field(default_factory=dict)
    ratios: dict[str, Ratio] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> Indicators:
        for name, component in self.components.items():
            _known(component.population, self.populations, f"components.{name}.population")
        for name, added in self.sums.items():
            for part in added.of:
                _known(part, self.components, f"sums.{name}.of")
            if len({self.components[part].population for part in added.of}) > 1:
                raise ValueError(f"sums.{name} adds components of different populations")
            if added.overlap and len(added.of) != 2:
                raise ValueError(f"sums.{name}: an overlap is defined for two components")
        if len([name for name, added in self.sums.items() if added.detection]) > 1:
            raise ValueError("only one sum can have a detection: there is one reporting rate")
        for name, ratio in self.ratios.items():
            for part in ratio.of:
                _known(part, {**self.sums, **self.components}, f"ratios.{name}.of")
        names = [*self.sums, *self.components, *self.ratios]
        rates = [f"{name}_rate" for name in (*self.sums, *self.components)]
        twice = {name for name in names if names.count(name) > 1} | (set(names) & set(rates))
        if twice:
            raise ValueError(f"two indicators are called {', '.join(sorted(twice))}")
        return self

    @cached_property
    def reference(self) -> dict[str, str]:
        """Component or sum -> its reference population, a column of the frame's table."""
        single = {name: component.population for name, component in self.components.items()}
        return {name: single[added.of[0]] for name, added in self.sums.items()} | single

    def hidden(self) -> pd.DataFrame:
        """Return the components as a table of hidden groups: columns group and network."""
        network = {
            name: self.populations[component.population].network
            for name, component in self.components.items()
        }
        return pd.DataFrame(network.items(), columns=["group", "network"])

    @cached_property
    def counts(self) -> tuple[str, ...]:
        """Sums and components: each has a rate, `<name>_rate`, per 1,000 of its population."""
        return (*self.sums, *self.components)

    @cached_property
    def rates(self) -> dict[str, str]:
        """Name of every rate -> the count it is of."""
        return {f"{name}_rate": name for name in self.counts}

    @property
    def headline(self) -> str:
        """The count that stands for the whole in a sentence: the first sum, else component."""
        return self.counts[0]

    @property
    def totals(self) -> tuple[str, ...]:
        """The counts that a summary names: the sums; without any, the components."""
        return tuple(self.sums) or tuple(self.components)

    def parts(self, name: str) -> tuple[str, ...]:
        """Return the components of a sum, or the component itself."""
        return self.sums[name].of if name in self.sums else (name,)

    def behind(self, indicator: str) -> tuple[str, ...]:
        """Return every component that an indicator is made of."""
        counts = self.ratios[indicator].of if indicator in self.ratios else (indicator,)
        return tuple(part for name in counts for part in self.parts(self.rates.get(name, name)))

    @property
    def headlines(self) -> tuple[str, ...]:
        """What a summary shows: the totals, their rates, the ratios."""
        return (*self.totals, *(f"{name}_rate" for name in self.totals), *self.ratios)

    @cached_property
    def units(self) -> dict[str, str]:
        """Every published indicator with its unit, in the order of the tables."""
        people = {name: self.populations[self.reference[name]].label for name in self.counts}
        rates = {rate: f"per {PER:,} {people[name]}" for rate, name in self.rates.items()}
        return people | rates | {name: ratio.unit for name, ratio in self.ratios.items()}

    @cached_property
    def labels(self) -> dict[str, str]:
        """Every published indicator in words."""
        counts: dict[str, Sum | Component] = {**self.sums, **self.components}
        words = {name: count.label for name, count in counts.items()}
        words |= {
            f"{name}_rate": count.rate_label or f"{count.label}, {self.units[f'{name}_rate']}"
            for name, count in counts.items()
        }
        return words | {name: ratio.label for name, ratio in self.ratios.items()}

    def spoken(self, name: str) -> str:
        """Return an indicator's label as it stands within a sentence."""
        label = self.labels[name]
        return label[:1].lower() + label[1:]

    def counted(self, component: str) -> str:
        """Return what a component counts, in sentences shown wherever its number stands."""
        c = self.components[component]
        period = c.reference_period.rstrip(".")
        return f"{c.label}: {c.definition} Not counted: {c.excludes} Period: {period}."

    @property
    def meaning(self) -> list[str]:
        """What each component counts, and what sums make of it."""
        told = [self.counted(name) for name in self.components]
        for added in self.sums.values():
            names = " + ".join(self.components[part].label for part in added.of)
            share = f"{added.overlap:.0%} of the smaller" if added.overlap else "nobody"
            told.append(
                f"{added.label} = {names}: a person in several counts in each; {share} is taken to "
                "be in both" + ("." if added.overlap else ", which makes it an upper bound.")
            )
        return told


def _known(name: str, among: dict[str, Any], where: str) -> None:
    if name not in among:
        raise ValueError(f"{where}: {name!r} is not declared; there are {', '.join(among)}")


def read_indicators(block: dict[str, Any]) -> Indicators:
    """Check an `indicators:` block; raise InputError naming the first field that is wrong."""
    remedy = "mend this entry; `smallarea init` writes a complete example"
    return read_block(block, Indicators, "indicators", remedy)
