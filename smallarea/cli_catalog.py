"""The commands `smallarea catalog list`, `show` and `check`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from smallarea.errors import InputError
from smallarea.options import Data, Json, ProjectDir, Quiet, Wait, console, showing

catalog = typer.Typer(no_args_is_help=True, help="The sources that the project declares.")


@catalog.command("list")
def list_sources(project: ProjectDir = Path(), as_json: Json = False) -> None:
    """List every source: its kind, vintage, whose it is, who may see it."""
    from smallarea.project import Project

    sources = Project(project).catalog.sources
    told = {
        name: {"kind": s.kind, "vintage": s.vintage, "access": s.access, "title": s.title}
        for name, s in sources.items()
    }
    if as_json:
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for name, fields in told.items():
        console.print(f"[bold]{name}[/bold]  " + ", ".join(fields.values()), highlight=False)


@catalog.command()
def show(
    source: Annotated[str, typer.Argument(help="The source's name in data_catalog.yaml.")],
    project: ProjectDir = Path(),
) -> None:
    """Show all that is declared of one source, as JSON."""
    from smallarea.project import Project

    sources = Project(project).catalog.sources
    if source not in sources:
        raise InputError(
            f"there is no source '{source}'",
            where="data_catalog.yaml, sources",
            remedy=f"use {', '.join(sources)}",
        )
    print(sources[source].model_dump_json(indent=2, exclude_defaults=True))


@catalog.command()
def check(
    project: ProjectDir = Path(),
    data: Data = None,
    wait: Wait = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Hold every file at hand to its entry, without a run. Exit code 3 if one breaks it."""
    from smallarea.project import Project

    with showing(quiet or as_json) as progress:
        checked = Project(project).check(data=data, wait=wait, progress=progress)
    if as_json:
        print(checked.to_json(orient="records", indent=2, force_ascii=False))
    elif not quiet:
        colour = {"sound": "green", "broken": "red", "absent": "yellow"}
        for row in checked.itertuples():
            console.print(f"[{colour[str(row.state)]}]{row.state}[/] {row.source}", end=": ")
            console.print(row.said, markup=False, highlight=False)
    if (checked["state"] == "broken").any():
        raise typer.Exit(3)
