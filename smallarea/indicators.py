"""What is published per area, defined once: four component counts and what follows from them.

A component is a hidden group of the survey; every other indicator is recomputed from component
draws, never averaged from other indicators, so that totals, rates and the ratio always agree.
"""

from __future__ import annotations

COMPONENTS: tuple[str, ...] = (
    "victims_live",
    "victims_nonlive",
    "traffickers_live",
    "traffickers_nonlive",
)

#: The reference population of each component: a column of the frame's table.
REFERENCE: dict[str, str] = {
    "victims_live": "children",
    "victims_nonlive": "children",
    "traffickers_live": "adults",
    "traffickers_nonlive": "adults",
}

#: Sums of components. The live + non-live sum counts a person in both twice: an upper bound.
SUMS: dict[str, tuple[str, str]] = {
    "victims": ("victims_live", "victims_nonlive"),
    "traffickers": ("traffickers_live", "traffickers_nonlive"),
}

#: Counts whose rate per 1,000 of the reference population is published as `<name>_rate`.
COUNTS: tuple[str, ...] = (*SUMS, *COMPONENTS)

#: Every published indicator with its unit, in the order of the tables.
UNITS: dict[str, str] = (
    dict.fromkeys(("victims", "victims_live", "victims_nonlive"), "children")
    | dict.fromkeys(("traffickers", "traffickers_live", "traffickers_nonlive"), "adults")
    | {f"{name}_rate": "per 1,000 children" for name in COUNTS if name.startswith("victims")}
    | {f"{name}_rate": "per 1,000 adults" for name in COUNTS if name.startswith("traffickers")}
    | {"ratio": "victims per trafficker"}
)
