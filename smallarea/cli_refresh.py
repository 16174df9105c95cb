"""The commands `smallarea fetch`, `refresh` and `purge`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from smallarea.options import Json, ProjectDir, Quiet, Wait, notes, show, showing

#: Done, but something has to be looked at: a source failed or is in quarantine.
LOOK = 4


def fetch(
    sources: Annotated[
        list[str] | None, typer.Argument(help="Names of sources; by default all with a `url`.")
    ] = None,
    project: ProjectDir = Path(),
    due: Annotated[bool, typer.Option("--due", help="Only what is due by its cadence.")] = False,
    wait: Wait = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Bring the files of sources that declare where they are, and hold them to the catalog.

    What broke off goes on; what has not changed is not sent again. A file that breaks its entry is
    kept but not used: the last good one stays. Exit code 4 if a source failed or is in quarantine.
    """
    from smallarea import refreshing
    from smallarea.project import Project

    with showing(quiet or as_json) as progress:
        found = refreshing.fetch(
            Project(project), sources or (), due=due, wait=wait, progress=progress
        )
    if as_json:
        print(json.dumps([asdict(one) for one in found]))
    elif not quiet:
        for one in found:
            word = "" if one.good else "warning "
            show(f"{word}{one.source}: {one.state}: {one.said}", None if one.good else notes)
        if not found:
            show("Nothing to fetch.")
    if not all(one.good for one in found):
        raise typer.Exit(LOOK)
