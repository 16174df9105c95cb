"""The report of a tier: two pages to decide by, then what stands behind them; HTML, and PDF of it.

It is made of the tier's own tables and draws and of what a run says of its models as a whole, so it
tells nothing that the tier's other files do not.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.files import writing
from smallarea.projection.indicators import count_draws
from smallarea.publish.estimates import levels_in
from smallarea.publish.figures import ranges_figure, reach_figure, top_map
from smallarea.publish.pages import template
from smallarea.publish.words import (
    FLAG_WORDS,
    NOT_SAID,
    TAU_MEANING,
    TAU_NOT_SAID,
    TIER_MEANING,
    highest,
    number,
)

if TYPE_CHECKING:
    from smallarea.release.estimates import Measured
    from smallarea.release.tables import Tables
    from smallarea.release.tiers import Tier

SHOWN = 20  # places in the figure of ranges
NAMED = 40  # likely places, at most, that are named
LISTED = 120  # places, at most, that the report lists one by one
LIKELY, HARDLY = 0.8, 0.05
METHOD = (
    "Interviewed households said how many people they know in certain groups. Models learned how "
    "what was reported goes with other data about every place, were fitted again without each "
    "group of places in turn, so that no place's number here rests on what was answered there or "
    "near it, and were made to add up to the national estimate in every draw."
)


@dataclass(frozen=True)
class Behind:
    """What a run says of its models as a whole.

    evidence : one sentence on what covariates add. weights : of models in the published numbers.
    trace : where the tier comes from.
    """

    evidence: str
    weights: Mapping[str, float]
    trace: Mapping[str, Any]


def tier_report(tier: Tier, tables: Tables, made: Measured, behind: Behind, reporting: bool) -> str:
    """Return the report as one page of HTML that asks for nothing else."""
    named, estimates = made.indicators, tables.estimates
    notice = max(estimates["notice"])
    nation = tables.levels[tables.levels["level"] == "nation"].set_index("indicator")
    rows = estimates[estimates["indicator"] == named.headline].set_index("area_id")
    place, k = tables.labels["area"], tables.k
    chances = rows["p_top"].dropna()
    first = chances.sort_values(ascending=False, kind="stable").index[:SHOWN]
    likely = rows[rows["p_top"] >= LIKELY].sort_values("name")["name"].astype(str)
    return template("tier.html.j2").render(
        title=named.title,
        notice=notice,
        standing_short=f"{tier.name} tier",
        reader=tier.reader,
        five=five_sentences(tables, made, rows, nation, behind, reporting),
        reporting=reporting,
        nation=[
            {"label": named.labels[name], **nation.loc[name].to_dict()} for name in named.headlines
        ],
        place=place,
        places=tables.labels.get("areas", place),
        highest=highest(k),
        where=where_words(rows, tables),
        likely="; ".join(likely) if len(likely) <= NAMED else "",
        map=top_map(rows["p_top"], tables.geometry, k, notice, width=3.2, dpi=190),
        shown=len(first),
        caterpillar=_picture(
            ranges_figure(
                rows.loc[first], float(rows["q50"].median()), named.labels[named.headline], k
            )
        ),
        listed=rows.sort_values("name").to_dict("records") if len(rows) <= LISTED else [],
        headline=named.labels[named.headline],
        reach=_reach(tables, made, chances),
        does_not=[*NOT_SAID, *([TAU_NOT_SAID] if reporting else [])],
        method=METHOD,
        evidence=behind.evidence,
        meaning=[*TIER_MEANING, *([TAU_MEANING] if reporting else []), *named.meaning],
        trust=_trust(tables),
        weights=behind.weights,
        trace=behind.trace,
    )


def five_sentences(
    tables: Tables,
    made: Measured,
    rows: pd.DataFrame,
    nation: pd.DataFrame,
    behind: Behind,
    reporting: bool,
) -> list[str]:
    """Return what somebody with two minutes should take away: five sentences of these results."""
    named = made.indicators
    low, high = (number(float(nation[end][named.headline])) for end in ("q10", "q90"))
    likely = int((rows["p_top"] >= LIKELY).sum())
    wide = float((rows["q90"] / rows["q10"]).median())
    n, k = len(rows), tables.k
    told = (
        f"{likely} of {n:,} places are among the {k} highest with a chance of 80 % or more"
        if likely
        else f"no place of {n:,} is surely among the {k} highest"
    )
    flagged = int(rows["flags"].str.contains("extrapolated|not_covered").sum())
    return [
        f"{named.labels[named.headline]}: between {low} and {high} in the whole country, eight "
        "times in ten.",
        "Everything scales with how often people tell an interviewer of cases they know: if that "
        "is half of what was assumed, all numbers double."
        if reporting
        else "Numbers are as reported: cases that nobody tells of are in none of them.",
        f"Where: {told}; the map and the figure of ranges say how likely each is.",
        f"A typical place's range is wide: its upper end is {wide:.1f} times its lower end. Choose "
        "by chances, and spread work over places that cannot be told apart.",
        f"{flagged:,} of {n:,} places are unlike those learned from, or outside of the survey: "
        "their numbers are extrapolated."
        if flagged
        else behind.evidence.split(". ", 1)[0].rstrip(".") + ".",
    ]


def where_words(rows: pd.DataFrame, tables: Tables) -> str:
    """Say how many places are likely, possibly and hardly among the highest, by count."""
    chance = rows["p_top"]
    maybe = int(chance.between(0.2, LIKELY, inclusive="left").sum())
    return (
        f"By counts, not rates. Chance of {highest(tables.k)}: 80 % or more for "
        f"{int((chance >= LIKELY).sum())} places; 20 to 80 %, so that nobody can tell, for "
        f"{maybe}; under 5 % for {int((chance < HARDLY).sum()):,}."
    )


def _reach(tables: Tables, made: Measured, chances: pd.Series) -> str:
    """Draw what share of all a choice of the likeliest places would reach, from joint draws.

    Of places that are equally likely the one with the larger median comes first. Of all in places
    that are published: what is left at the end would be the withheld ones.
    """
    named = made.indicators
    drawn = count_draws(tables.counts, named.headline, named)
    keys = pd.DataFrame({"chance": chances, "median": drawn.median("draw").to_series()})
    order = keys.loc[chances.index].sort_values(["chance", "median"], ascending=False).index
    values = drawn.sel(area_id=order.to_numpy(object)).transpose("area_id", "draw").to_numpy()
    share = np.cumsum(values, axis=0) / values.sum(axis=0)
    people = tables.places["population"].loc[order]
    largest = people.cumsum() / people.sum()
    return _picture(reach_figure(share, largest.to_numpy(), named.labels[named.headline]))


def _trust(tables: Tables) -> list[tuple[str, int]]:
    areas = tables.estimates.drop_duplicates("area_id")
    count = areas["flags"].str.split(";").explode().value_counts()
    found = [("in all", len(areas))]
    found += [(words, int(count[flag])) for flag, words in FLAG_WORDS.items() if flag in count]
    if tables.classes is not None:
        found.append(("smaller areas that stand in classes.csv", len(tables.classes)))
    for level in levels_in(tables.estimates):
        name = tables.labels.get(level, level)
        found.append((f"{name}: how many there are", areas[level].nunique()))
    return found


def _picture(figure: Any) -> str:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=190, metadata={"Software": None})
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def write_pdf(page: Path, path: Path) -> None:
    """Write a report as PDF, by WeasyPrint; raise InputError where the extra `pdf` is absent."""
    try:
        from weasyprint import HTML
    except (ImportError, OSError) as error:
        raise InputError(
            f"no PDF can be made here ({error})",
            where=str(page),
            remedy="pip install 'smallarea[pdf]' (it needs Pango), or print the page in a browser",
        ) from None
    with writing(path) as temporary:
        HTML(string=page.read_text(encoding="utf-8")).write_pdf(temporary)
