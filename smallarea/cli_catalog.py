"""The commands `smallarea catalog list`, `show`, `check`, `schema` and `assess`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

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
        console.print(name, style="bold", end="  ")
        console.print(", ".join(fields.values()))


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
            console.print(row.state, style=colour[str(row.state)], end=" ")
            console.print(f"{row.source}: {row.said}")
    if (checked["state"] == "broken").any():
        raise typer.Exit(3)


@catalog.command()
def schema(project: ProjectDir = Path(), quiet: Quiet = False) -> None:
    """Write data_catalog.schema.json, by which an editor completes and checks the catalog."""
    from smallarea.files import write_json
    from smallarea.run.catalog_schema import SCHEMA, catalog_schema

    path = project / SCHEMA
    write_json(path, catalog_schema())
    if not quiet:
        console.print(f"Written: {path}. data_catalog.yaml may begin with")
        console.print(f"# yaml-language-server: $schema={SCHEMA}")


@catalog.command()
def assess(project: ProjectDir = Path(), as_json: Json = False) -> None:
    """Say what each source was worth in the newest run: coverage, age, level, access, gain.

    What a stream added is known after `smallarea compare --without stream`.
    """
    from smallarea.project import Project

    table = Project(project).assess()
    if as_json:
        print(table.reset_index().to_json(orient="records", date_format="iso", indent=2))
        return
    shown = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    words = ("Source", "Access", "Level")
    for head in (*words, "Age", "Rows", "Made", "Areas", "Least", "Hidden", "Gain"):
        shown.add_column(head, justify="left" if head in words else "right", no_wrap=True)
    for name, row in table.astype(object).where(table.notna(), None).iterrows():
        rows, areas, least = (_told(row[k], ".0%") for k in ("matched", "coverage", "least"))
        shown.add_row(
            str(name), row["access"], row["level"], _told(row["age"], ".0f"), rows,
            str(row["features"]), areas, least, f"{row['withheld']:,}", _told(row["loss"], "+.1f"),
        )  # fmt: skip
    console.print(shown)
    console.print(
        "Age: years before what is estimated. Rows: of them found an area. Made: features. Areas: "
        "with a value, of all its features and of the one with fewest. Hidden: suppressed cells. "
        "Gain: log score of held-out reports lost without its stream (smallarea compare --without "
        "stream); the error of that and more is in --json."
    )


def _told(value: float | None, style: str) -> str:
    return "-" if value is None else format(value, style)
