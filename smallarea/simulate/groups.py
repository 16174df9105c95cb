"""The groups respondents are asked about: hidden ones, and known ones with their sizes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.indicators import Indicators
from smallarea.simulate.settings import KnownGroup, TwinSettings


@dataclass(frozen=True)
class Groups:
    """The groups of one project's twin.

    Attributes
    ----------
    reference : component -> column of the frame that it is a part of.
    networks : component -> network, adult or child.
    columns : network -> column of the frame with its people; child only if a population is.
    parts : sum -> its components.
    jobs : known groups of adults alone.
    straddling : known groups of adults and children.
    ages : shares of all children by age; their answers sum to the child degree.
    """

    reference: Mapping[str, str]
    networks: Mapping[str, str]
    columns: Mapping[str, str]
    parts: Mapping[str, tuple[str, ...]]
    overlap: Mapping[str, float]
    jobs: Mapping[str, KnownGroup]
    straddling: Mapping[str, KnownGroup]
    ages: Mapping[str, float]
    known: tuple[str, ...]
    """The questionnaire's order."""

    @classmethod
    def of(cls, indicators: Indicators, settings: TwinSettings) -> Groups:
        """Take hidden groups from the indicators, known ones from the settings."""
        columns = {"adult": "population"}
        for name, population in reversed(indicators.populations.items()):
            columns[population.network] = name
        ages = settings.ages if "child" in columns else {}
        straddling = {name: g for name, g in settings.known.items() if set(g.of_ages) & set(ages)}
        components = {name: c.population for name, c in indicators.components.items()}
        return cls(
            reference=components,
            networks={n: indicators.populations[p].network for n, p in components.items()},
            columns=columns,
            parts={name: added.of for name, added in indicators.sums.items()},
            overlap={name: added.overlap for name, added in indicators.sums.items()},
            jobs={name: g for name, g in settings.known.items() if name not in straddling},
            straddling=straddling,
            ages=ages,
            known=(*settings.known, *ages),
        )

    @property
    def components(self) -> tuple[str, ...]:
        """The hidden groups, in the order of the tables."""
        return tuple(self.reference)

    def degree(self, group: str) -> str:
        """Return the name of the degree that a component's answers count among."""
        return f"{self.networks[group]}_degree"

    def base(self, table: pd.DataFrame) -> np.ndarray:
        """Return the components' reference populations, (areas, components)."""
        return table[list(self.reference.values())].to_numpy(float)

    def age_label(self, group: str) -> str:
        """Return the ages of a group of children as the roster spells them: 6-12."""
        years = re.search(r"(\d+)_(\d+)$", group)
        return f"{years[1]}-{years[2]}" if years else group

    def totals(self, table: pd.DataFrame, settings: TwinSettings) -> dict[str, int]:
        """Return each component's people in this wave; someone in several counts in each.

        Raises
        ------
        InputError : a total is of nothing declared, said twice, or more than there are people.
        """
        stated: dict[str, float] = {}
        for name, total in settings.totals.items():
            parts = self.parts.get(name, (name,))
            if unknown := set(parts) - set(self.reference):
                raise _refusal(f"{min(unknown)!r} is no component or sum", "name one of them")
            if twice := set(parts) & set(stated):
                raise _refusal(f"{min(twice)!r} is given twice", "give its own or its sum's total")
            counted = total * (1 - settings.decline)
            counted *= len(parts) / (len(parts) - self.overlap.get(name, 0.0))
            stated |= zip(parts, whole_numbers(np.ones(len(parts)), round(counted)), strict=True)
        people = {name: table[column].sum() for name, column in self.reference.items()}
        for name, size in people.items():
            stated.setdefault(name, round(settings.share * size * (1 - settings.decline)))
            if stated[name] > 0.5 * size:
                raise _refusal(f"{name} would be more than half of its people", "lower its total")
        return {name: int(stated[name]) for name in self.reference}

    def correlation(self, settings: TwinSettings) -> np.ndarray:
        """Correlation of the components' log rates: higher between those of one sum."""
        names = self.components
        together = np.array(
            [[any({a, b} <= set(p) for p in self.parts.values()) for b in names] for a in names]
        )
        between = np.where(together, settings.sum_correlation, settings.correlation)
        return np.where(np.eye(len(names), dtype=bool), 1.0, between)


def _refusal(what: str, remedy: str) -> InputError:
    return InputError(what, where="twin setting 'totals'", remedy=remedy)


def loadings(correlation: np.ndarray, factors: int) -> np.ndarray:
    """Return (groups, factors), rows of length 1, whose products are the correlations.

    With fewer factors than groups, or where the correlations contradict each other, as near as
    the leading eigenvectors come.
    """
    values, vectors = np.linalg.eigh(correlation)
    chosen = np.argsort(values)[::-1][:factors]
    rows = vectors[:, chosen] * np.sqrt(np.maximum(values[chosen], 0))
    rows = rows * np.where(rows.sum(axis=0) < 0, -1, 1)
    lost = np.flatnonzero(np.linalg.norm(rows, axis=1) < 1e-6)  # on no leading eigenvector
    rows[lost, lost % factors] = 1.0
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def whole_numbers(share: np.ndarray, total: int) -> np.ndarray:
    """Split `total` in proportion to `share` into integers that sum to it (largest remainder)."""
    exact = total * share / share.sum()
    whole = np.floor(exact).astype(int)
    largest = np.argsort(whole - exact, kind="stable")[: total - whole.sum()]
    whole[largest] += 1
    return whole


def local_groups(
    table: pd.DataFrame, groups: Groups, urbanicity: pd.Series, rng: np.random.Generator
) -> pd.DataFrame:
    """Return how many members of each known group live in each area.

    Parameters
    ----------
    table : a frame's table with the columns of the networks.
    urbanicity : standardised surface that draws some occupations to towns.

    Returns
    -------
    Whole numbers, area_id x known group; the columns' sums are the groups' national sizes.
    """
    adults = table[groups.columns["adult"]].to_numpy(float)
    counts = {}
    for name, job in groups.jobs.items():
        tilt = np.exp(job.urban * urbanicity + rng.normal(0, 0.2, len(table)))
        counts[name] = whole_numbers(adults * tilt.to_numpy(), round(job.share * adults.sum()))
    if groups.ages:
        children = table[groups.columns["child"]].to_numpy(float)
        sizes = whole_numbers(np.array(list(groups.ages.values())), round(children.sum()))
        for name, size in zip(groups.ages, sizes, strict=True):
            tilt = np.exp(rng.normal(0, 0.05, len(table)))
            counts[name] = whole_numbers(children * tilt, size)
    for name, group in groups.straddling.items():
        young = sum(share * counts[age] for age, share in group.of_ages.items())
        counts[name] = np.rint(young + group.share * adults).astype(int)
    return pd.DataFrame(counts, index=table.index)[list(groups.known)]


def group_table(known: pd.DataFrame, table: pd.DataFrame, groups: Groups) -> pd.DataFrame:
    """Return the groups as the survey documents them.

    Index `group`; columns `kind`, `size` (<NA> for hidden groups), `population` (people in the
    group's reference population, all areas) and `network`.
    """
    network = dict.fromkeys(groups.ages, "child") | dict.fromkeys(groups.straddling, "both")
    network |= groups.networks
    population = {net: round(table[column].sum()) for net, column in groups.columns.items()}
    population["both"] = sum(population.values())
    out = pd.DataFrame(index=pd.Index([*groups.known, *groups.components], name="group"))
    out["kind"] = np.where(out.index.isin(groups.known), "known", "hidden")
    out["size"] = known.sum().reindex(out.index).astype("Int64")
    out["network"] = [network.get(g, "adult") for g in out.index]
    out["population"] = out["network"].map(population)
    return out[["kind", "size", "population", "network"]]
