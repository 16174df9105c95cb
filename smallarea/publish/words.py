"""The words of tables, map and report, so that all three say the same thing the same way."""

from __future__ import annotations

#: Every flag, in words that complete "Note: ...".
FLAG_WORDS: dict[str, str] = {
    "not_covered_by_survey": "it lies where the survey did not go: this is extrapolation",
    "extrapolated": "its covariates lie outside what the surveyed areas show",
    "approximate_geometry": "its position or shape is approximate",
    "small_population": "few live here: read only with its neighbours",
    "suppressed_small_population": "numbers withheld: too few live here",
    "no_mean": "the mean does not exist under this reporting prior: read the median",
    "synthetic": "made from invented answers or data, not from a real survey",
}

MEANING: tuple[str, ...] = (
    "Each number is a range of plausible values, not a count of known people. The median is as "
    "likely too high as too low; if the models and what they assume are right, what is to be "
    "expected there lies between q10 and q90 in four cases of five. What is there at a given time "
    "varies about that by chance: by about the root of the number, so most where few are expected.",
    "Areas differ less surely than their medians suggest: compare ranges, and use p_top (the "
    "chance of being among the highest) or the rank interval in place of a rank.",
    "Where nobody was interviewed, the number is what places like it show. Flags say where even "
    "that is a stretch.",
    "Whatever is made of counts, rates too, was computed within each draw; it cannot be recomputed "
    "from medians.",
)

#: The same in a tier, which does not tell where anybody was interviewed.
TIER_MEANING: tuple[str, ...] = (
    MEANING[0],
    MEANING[1],
    "What makes one place differ from its neighbours was learned from other parts of the country, "
    "never from answers given there or near it; whether anybody was asked in a place is not told. "
    "Flags say where even what others show is a stretch.",
    MEANING[3],
)

#: Stands in the map, the report, the findings and the command's summary.
INTERNAL = (
    "This run is internal: do not pass it on or post it until a public tier has been made from it, "
    "because the numbers of an interviewed place move with its own interviews and can give away "
    "what was answered there."
)


def highest(k: int) -> str:
    """Return the words that follow "chance of".

    >>> highest(1), highest(20)
    ('being the highest', 'being among the 20 highest')
    """
    return "being the highest" if k == 1 else f"being among the {k} highest"


def cells(drawn: int, areas: int) -> str:
    """Say that shapes are cells drawn around points; '' if none is."""
    if not drawn:
        return ""
    which = "Shapes" if drawn == areas else f"{drawn:,} of {areas:,} shapes"
    return f"{which} are cells drawn around points, not the borders of places."


#: What is said beside MEANING and NOT_SAID where a reporting rate is divided by.
TAU_MEANING = (
    "The level of all numbers rests on the reporting rate tau, which the survey cannot tell."
)
TAU_NOT_SAID = (
    "How high all numbers are together depends on how often people report what they know, which "
    "the survey alone cannot tell; differences between areas may be differences in reporting."
)

NOT_SAID: tuple[str, ...] = (
    "They are not counts of known cases, and say nothing about a person, a household or a "
    "neighbourhood.",
    "A low number is no evidence that nobody needs help there, and no reason to stop looking.",
    "They do not put areas in an order: most ranges overlap, and most ranks could be almost "
    "anywhere.",
)
