"""The command `smallarea features describe`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from smallarea.options import ProjectDir, Quiet, show

features = typer.Typer(no_args_is_help=True, help="What is known of every area.")


@features.callback()
def _features() -> None:
    """What is known of every area."""


@features.command()
def describe(
    project: ProjectDir = Path(),
    out: Annotated[Path | None, typer.Option(help="Folder to write to.")] = None,
    quiet: Quiet = False,
) -> None:
    """Write features.html (per feature a map, distribution, coverage, correlations, trap) and
    columns.csv, missing.csv (a reason per missing cell) beside the newest run. They are internal.
    """
    from smallarea.project import Project

    written = Project(project).describe_features(out)
    if not quiet:
        show("Written: " + ", ".join(map(str, written)))
