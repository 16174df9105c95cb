"""The groups respondents are asked about: known ones with national and local sizes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

#: The twin's hidden groups and the column of the frame that each is a part of.
REFERENCE = {
    "victims_live": "children",
    "victims_nonlive": "children",
    "traffickers_live": "adults",
    "traffickers_nonlive": "adults",
}
COMPONENTS = tuple(REFERENCE)


class Occupation(NamedTuple):
    """A known group of adults."""

    share: float
    """of all adults"""
    urban: float
    """log ratio of its local share per standard deviation of urbanicity"""


OCCUPATIONS: dict[str, Occupation] = {
    "doctors": Occupation(0.0013, 0.6),
    "lawyers": Occupation(0.0008, 0.7),
    "teachers": Occupation(0.0135, 0.05),
    "drivers": Occupation(0.034, 0.1),
    "nurses": Occupation(0.0042, 0.4),
    "guards": Occupation(0.007, 0.4),
    "construction_workers": Occupation(0.06, 0.05),
    "bpo_workers": Occupation(0.02, 0.9),
    "store_owners": Occupation(0.018, 0.0),
    "social_workers": Occupation(0.0004, 0.1),
}

#: Share of all children, per known age group; their sum is a respondent's child degree.
CHILD_AGES: dict[str, float] = {
    "children_0_2": 0.160,
    "children_3_5": 0.165,
    "children_6_12": 0.400,
    "children_13_17": 0.275,
}

#: Students straddle both networks: children of school age, and some adults.
SCHOOL_AGES = ("children_6_12", "children_13_17")
ENROLLED = 0.93
ADULT_STUDENTS = 0.04

#: The questionnaire's order.
KNOWN: tuple[str, ...] = (
    *("doctors", "lawyers", "teachers", "drivers", "nurses", "guards", "students"),
    *("construction_workers", "bpo_workers", "store_owners", "social_workers"),
    *CHILD_AGES,
)


def whole_numbers(share: np.ndarray, total: int) -> np.ndarray:
    """Split `total` in proportion to `share` into integers that sum to it (largest remainder)."""
    exact = total * share / share.sum()
    whole = np.floor(exact).astype(int)
    largest = np.argsort(whole - exact, kind="stable")[: total - whole.sum()]
    whole[largest] += 1
    return whole


def local_groups(
    table: pd.DataFrame, urbanicity: pd.Series, rng: np.random.Generator
) -> pd.DataFrame:
    """Return how many members of each known group live in each area.

    Parameters
    ----------
    table : a frame's table, columns `adults` and `children`.
    urbanicity : standardised surface that draws some occupations to towns.

    Returns
    -------
    Whole numbers, area_id x KNOWN; the columns' sums are the groups' national sizes.
    """
    adults, children = table["adults"].to_numpy(float), table["children"].to_numpy(float)
    counts = {}
    for name, occupation in OCCUPATIONS.items():
        tilt = np.exp(occupation.urban * urbanicity + rng.normal(0, 0.2, len(table)))
        size = round(occupation.share * adults.sum())
        counts[name] = whole_numbers(adults * tilt.to_numpy(), size)
    sizes = whole_numbers(np.array(list(CHILD_AGES.values())), round(children.sum()))
    for name, size in zip(CHILD_AGES, sizes, strict=True):
        counts[name] = whole_numbers(children * np.exp(rng.normal(0, 0.05, len(table))), size)
    pupils = sum(counts[age] for age in SCHOOL_AGES)
    counts["students"] = np.rint(ENROLLED * pupils + ADULT_STUDENTS * adults).astype(int)
    return pd.DataFrame(counts, index=table.index)[list(KNOWN)]


def group_table(known: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return the groups as the survey documents them.

    Index `group`; columns `kind`, `size` (<NA> for hidden groups), `population` (people in the
    group's reference population, all areas) and `network`.
    """
    network = dict.fromkeys(CHILD_AGES, "child") | {"students": "both"}
    network |= {k: "child" if REFERENCE[k] == "children" else "adult" for k in COMPONENTS}
    adults, children = round(table["adults"].sum()), round(table["children"].sum())
    population = {"adult": adults, "child": children, "both": adults + children}
    groups = pd.DataFrame(index=pd.Index([*KNOWN, *COMPONENTS], name="group"))
    groups["kind"] = np.where(groups.index.isin(KNOWN), "known", "hidden")
    groups["size"] = known.sum().reindex(groups.index).astype("Int64")
    groups["network"] = [network.get(g, "adult") for g in groups.index]
    groups["population"] = groups["network"].map(population)
    return groups[["kind", "size", "population", "network"]]
