"""The command `smallarea target`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from smallarea.errors import InputError
from smallarea.options import Json, ProjectDir, show

#: Folder of a run's target, beside the run: the run itself is never changed.
FOLDER = "{run}-target"


def target(
    project: ProjectDir = Path(),
    k: Annotated[int | None, typer.Option(help="How many areas.")] = None,
    budget: Annotated[float | None, typer.Option(help="What they may cost together.")] = None,
    costs: Annotated[
        Path | None, typer.Option(help="Table area,cost by code; without it an area costs 1.")
    ] = None,
    min_per: Annotated[
        list[str] | None, typer.Option(help="LEVEL=N: at least N areas of every unit. Repeatable.")
    ] = None,
    place: Annotated[
        list[str] | None, typer.Option(help="Judge a set of these areas. Repeatable.")
    ] = None,
    against: Annotated[
        list[str] | None, typer.Option(help="Compare the set with these areas. Repeatable.")
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="Not where this programme is at work; `programme`: any. Repeatable."),
    ] = None,
    indicator: Annotated[
        str | None, typer.Option(help="Which count; by default the headline.")
    ] = None,
    by: Annotated[str, typer.Option(help="Rank and choose by count or rate.")] = "count",
    aim: Annotated[
        str, typer.Option(help="largest: most expected altogether; top: most of the true top k.")
    ] = "largest",
    above: Annotated[
        float | None, typer.Option(help="Show the chance that the count or rate is above this.")
    ] = None,
    level: Annotated[float, typer.Option(help="Chance of all joint ranks together.")] = 0.95,
    run: Annotated[
        Path | None, typer.Option(help="Folder of a run; by default the newest.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the random sets.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder to write to.")] = None,
    as_json: Json = False,
) -> None:
    """Choose the areas to go to, and say what they would reach and how sure the choice is.

    By default the k areas with the largest expected count; beside them stand the best set were the
    truth known, the most populous places, and a random set. Writes target.csv and target.json
    beside the run: like the run, they are internal.
    """
    from smallarea.files import sha256
    from smallarea.project import Project
    from smallarea.publish.target import target_facts, target_text, write_target
    from smallarea.run.record import Run

    at = Project(project) if run is None else None
    opened = at.latest() if at is not None else Run(Path(str(run)).resolve())
    wanted = {"budget": budget, "min_per": _minimums(min_per or []), "indicator": indicator}
    wanted |= {"by": by, "aim": aim, "above": above, "level": level, "seed": seed}
    found = opened.target(
        k,
        costs=costs,
        places=place or [],
        against=against or [],
        exclude=exclude or [],
        spelling=at.catalog.frame.get("spelling") if at is not None else None,
        **wanted,
    )
    trace = {
        "run": opened.manifest["run"],
        "manifest_sha256": sha256(opened.folder / "manifest.json"),
        "inputs": opened.manifest["inputs"],
        "costs": costs and {"file": costs.name, "sha256": sha256(costs)},
        "settings": {"k": k, **wanted, "places": place, "against": against} | {"exclude": exclude},
    }
    folder = out or opened.folder.parent / FOLDER.format(run=opened.folder.name)
    written = write_target(found, folder, synthetic=opened.synthetic, trace=trace)
    if as_json:
        facts = target_facts(found) | {"synthetic": opened.synthetic, "made_of": trace}
        print(json.dumps(facts | {"written": [str(path) for path in written]}))
        return
    text = target_text(found, opened.indicators, synthetic=opened.synthetic)
    show(text)
    show("Written: " + ", ".join(map(str, written)))


def _minimums(given: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for text in given:
        level, _, number = text.partition("=")
        if not number.strip().isdigit() or level.strip() in found:
            raise InputError(
                f"{text!r} is not a level with one number",
                where="--min-per",
                remedy="write LEVEL=N once per level, with a level's name and a whole number",
            )
        found[level.strip()] = int(number)
    return found
