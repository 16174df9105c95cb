"""`smallarea design`: a sample, and what it can tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from smallarea.errors import InputError
from smallarea.options import Data, Json, ProjectDir, Quiet, show, showing


def design(
    out: Annotated[Path, typer.Argument(help="CSV file of the sample to write.")],
    project: ProjectDir = Path(),
    data: Data = None,
    areas: Annotated[int, typer.Option(help="Areas, one sampling unit each.")] = 150,
    take: Annotated[int, typer.Option(help="Interviews per sampling unit.")] = 24,
    expansion: Annotated[int, typer.Option(help="Further areas, to be used all or none.")] = 0,
    replacements: Annotated[int, typer.Option(help="Units that may take a unit's place.")] = 2,
    replicates: Annotated[
        int, typer.Option(help="Areas with a second unit: without any, variation within is unseen.")
    ] = 0,
    prevalence: Annotated[
        float, typer.Option(help="Expected prevalence of a hidden group.")
    ] = 0.01,
    tau: Annotated[float, typer.Option(help="Expected share of cases that people report.")] = 0.05,
    groups: Annotated[
        Path | None,
        typer.Option(help="Table group,kind,network[,prevalence]; by default the components."),
    ] = None,
    degrees: Annotated[
        str, typer.Option(help="Median number of people known, of each network.")
    ] = "adult=230,child=45",
    barrier: Annotated[
        float, typer.Option(help="Correlation of a respondent's acquaintances.")
    ] = 0.02,
    weight_effect: Annotated[
        float, typer.Option(help="Variance from unequal weights, relative to equal ones.")
    ] = 1.5,
    decrease: Annotated[float, typer.Option(help="Fall that a second survey is to show.")] = 0.3,
    margins: Annotated[
        Path | None, typer.Option(help="CSV file to write the population by level to.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Overrides the seed in the catalog.")] = None,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Draw a stratified sample with probability proportional to size, and say what it can tell.

    Margins of error of ordinary shares hide two things: clustering, and that a hidden group is
    seen only through the few reports about it. Both are shown; the second only where the project
    has a survey of acquaintances.
    """
    from smallarea.files import writing
    from smallarea.project import Project
    from smallarea.spreadsheets import harmless_table
    from smallarea.survey.change_power import plan_power, power_text
    from smallarea.survey.design import margin_of_error, margin_table
    from smallarea.survey.power import Plan

    base = Plan(prevalence, tau, areas=areas, take=take, weight_effect=weight_effect)
    told = _named_numbers(degrees, "--degrees")
    opened = Project(project)
    seed = opened.settings.seed if seed is None else seed
    power = None
    if opened.settings.direct is None:  # else nobody is asked whom they know
        hidden = opened.indicators.hidden() if groups is None else groups
        power = plan_power(base, hidden, told, barrier=barrier, decrease=decrease, seed=seed)
    with showing(quiet or as_json) as progress:
        sample = opened.design(
            areas=areas, take=take, expansion=expansion, replacements=replacements,
            replicates=replicates, seed=seed, data=data, progress=progress,
        )  # fmt: skip
    with writing(out) as temporary:
        harmless_table(sample).to_csv(temporary)
    if margins is not None:
        people = opened.margins(data=data)
        with writing(margins) as temporary:
            harmless_table(people).to_csv(temporary, index=False)
    simple = margin_of_error(areas * take, confidence=0.99)
    errors = margin_table(areas * take, take, confidence=0.99)
    if as_json:
        facts = {"sample": str(out), "seed": seed, "margin_99_simple": simple}
        tables = {"margins": errors}
        if power is not None:
            tables["components"] = power.reset_index()
        print(json.dumps(facts | {name: t.to_dict("records") for name, t in tables.items()}))
    elif not quiet:
        show(
            f"Wrote {len(sample)} sampling units to {out} (seed {seed}).\n"
            f"{areas * take:,} interviews: a share of 50 % is known to within {simple:.2%} at 99 % "
            f"confidence if clustering is ignored, {errors['margin'].iloc[2]:.2%} with an "
            "intra-cluster correlation of 0.05."
            + (f"\n{power_text(power)}" if power is not None else "")
        )


def _named_numbers(text: str, option: str) -> dict[str, float]:
    try:
        pairs = [part.split("=") for part in text.split(",")]
        return {name.strip(): float(number) for name, number in pairs}
    except ValueError:
        raise InputError(
            f"{text!r} is not names with numbers",
            where=option,
            remedy="write name=number, separated by commas, for example adult=230,child=45",
        ) from None
