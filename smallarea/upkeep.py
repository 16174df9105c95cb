"""Commands that look after what was made: `verify`, `clean`, `push` and `pull`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from smallarea.options import Json, ProjectDir, Quiet, Wait, notes, show, showing


def verify(
    run: Annotated[
        Path | None,
        typer.Argument(help="Folder of a run, or any with a manifest; by default the newest run."),
    ] = None,
    project: ProjectDir = Path(),
    as_json: Json = False,
) -> None:
    """Compare every file of a finished run with its manifest.

    Exit code 1, and the names, if a file is missing, changed or was added.
    """
    from smallarea.run.record import damage_of

    folder = run or project / "runs" / "latest"
    said = damage_of(folder)
    if as_json:
        print(json.dumps({"folder": str(folder), "intact": not said, "damage": said}))
    elif said:
        for sentence in said:
            show(f"damaged {sentence}", notes)
    else:
        show(f"{folder}: every file is what its manifest says.")
    if said:
        raise typer.Exit(1)


def clean(
    project: ProjectDir = Path(),
    keep: Annotated[
        int | None, typer.Option(min=1, help="Keep this many runs, the newest; others go.")
    ] = None,
    older_than: Annotated[
        float | None, typer.Option(min=0, help="Only runs made more than so many days ago go.")
    ] = None,
    wait: Wait = False,
    as_json: Json = False,
) -> None:
    """Remove what no finished run needs: leftovers of killed runs, stages, copies of inputs.

    Runs go only with `--keep` or `--older-than`, and never the one at runs/latest.
    """
    from smallarea.project import Project

    gone = Project(project).clean(keep=keep, older_than=older_than, wait=wait)
    if as_json:
        print(json.dumps(gone))
    else:
        show(
            f"Removed {len(gone['runs'])} runs, {len(gone['stages'])} stages, "
            f"{len(gone['inputs'])} copies of inputs ({gone['bytes'] / 1e6:,.1f} MB) and what "
            f"{gone['unfinished']} interrupted writings had left."
        )


def push(
    url: Annotated[str, typer.Argument(help="Where runs are kept, for example s3://bucket/runs.")],
    run: Annotated[
        Path | None, typer.Option(help="Folder of a run; by default the newest.")
    ] = None,
    project: ProjectDir = Path(),
    quiet: Quiet = False,
) -> None:
    """Copy a finished run to storage behind a URL. It is internal there too.

    The manifest is written last: without it there is no run. That storage knows no file modes and
    no locks; who may read is what its owner says.
    """
    from smallarea.project import Project
    from smallarea.run import remote
    from smallarea.run.record import Run

    made = Project(project).latest() if run is None else Run(run)
    with showing(quiet) as progress:
        print(remote.push(made, url, progress))


def pull(
    url: Annotated[str, typer.Argument(help="A pushed run: s3://bucket/runs/RUN.")],
    folder: Annotated[Path, typer.Argument(help="Folder to put it into.")],
    quiet: Quiet = False,
) -> None:
    """Copy a run from storage behind a URL; every file is checked against its manifest."""
    from smallarea.run import remote

    with showing(quiet) as progress:
        print(remote.pull(url, folder, progress))
