"""The command `smallarea fieldwork`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from smallarea.errors import InputError
from smallarea.options import Json, Quiet, console


def fieldwork(
    sample: Annotated[Path, typer.Argument(help="The sample, as `smallarea design` wrote it.")],
    respondents: Annotated[
        Path, typer.Argument(help="Answers so far, one row per respondent, with column psu.")
    ],
    visits: Annotated[
        Path | None,
        typer.Option(
            help="Table psu,household,visit,date,outcome[,reason]; no household: the unit."
        ),
    ] = None,
    groups: Annotated[
        Path | None, typer.Option(help="Table group,kind,size,population[,network], as for nsum.")
    ] = None,
    recheck: Annotated[
        Path | None, typer.Option(help="Table respondent,group,first,validated[,mode].")
    ] = None,
    population: Annotated[
        Path | None,
        typer.Option(help="Table variable,category,people, to calibrate to (age: 18-29, 60+)."),
    ] = None,
    columns: Annotated[
        Path | None, typer.Option(help="YAML that says what the columns mean, as for nsum.")
    ] = None,
    period: Annotated[
        str | None, typer.Option(help="Reference period: a year, or FIRST:LAST (YYYY-MM-DD).")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Last day of the fieldwork, YYYY-MM-DD.")
    ] = None,
    quota: Annotated[
        str | None, typer.Option(help="Shares of the sexes, for example F=0.5,M=0.5.")
    ] = None,
    visits_most: Annotated[
        int, typer.Option(min=1, help="Visits to a household, callbacks included.")
    ] = 3,
    calibration: Annotated[str, typer.Option(help="raking or greg.")] = "raking",
    trim: Annotated[
        float, typer.Option(help="Weights beyond so many times the median are brought to it.")
    ] = 5.0,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path("fieldwork"),
    seed: Annotated[int, typer.Option(help="Seed of the permutations.")] = 0,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Set what came back from the field against what was drawn: a page for every evening.

    Writes fieldwork.html, fieldwork.json and, if the sample has probabilities, respondents.csv with
    weights and weights.csv with every step of them. All of it is internal.
    """
    from smallarea.fieldwork.evening import evening
    from smallarea.fieldwork.gather import Wanted
    from smallarea.fieldwork.periods import parse_period

    wanted = Wanted(
        period=None if period is None else parse_period(period),
        until=None if until is None else parse_period(f"{until}:{until}")[0],
        quota=None if quota is None else _shares(quota),
        most_visits=visits_most, calibration=calibration, trim=trim, seed=seed,
    )  # fmt: skip
    made = evening(
        sample, respondents, out, visits=visits, groups=groups, recheck=recheck,
        population=population, columns=columns, wanted=wanted,
    )  # fmt: skip
    if as_json:
        print(json.dumps(made["json"] | {"written": made["written"]}))
    elif not quiet:
        for sentence in made["said"]:
            console.print(sentence, highlight=False, soft_wrap=True)
        console.print(
            "Written, internal: " + ", ".join(made["written"]), highlight=False, soft_wrap=True
        )


def _shares(text: str) -> dict[str, float]:
    try:
        pairs = [part.split("=") for part in text.split(",")]
        found = {name.strip(): float(number) for name, number in pairs}
        if min(found.values()) <= 0:
            raise ValueError(text)
    except ValueError:
        raise InputError(
            f"{text!r} is not shares of sexes",
            where="--quota",
            remedy="write VALUE=SHARE with the values of column sex, for example F=0.5,M=0.5",
        ) from None
    return found
