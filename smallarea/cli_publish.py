"""The commands `smallarea publish` and `smallarea review`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from smallarea.errors import InputError
from smallarea.executors import executing
from smallarea.options import Json, ProjectDir, Quiet, Where, show, showing


def publish(
    tier: Annotated[
        list[str], typer.Option(help="public or partner; repeat it to make both at once.")
    ],
    project: ProjectDir = Path(),
    run: Annotated[
        Path | None, typer.Option(help="Folder of a run; by default the newest.")
    ] = None,
    level: Annotated[
        str | None,
        typer.Option(
            help="Units of this level as the places of a public tier; by default the lowest."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to put tiers into; by default releases/.")
    ] = None,
    executor: Where = "serial",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make a tier that may leave, from a finished run, after an audit.

    A run is internal: its numbers can give away where somebody told. A tier is made of draws that
    have not seen the interviews of a place or its neighbours. If a check fails, nothing is written.
    The audit is kept beside the run and is internal.
    """
    from smallarea.project import Project
    from smallarea.run.record import Run
    from smallarea.run.releasing import publish_tiers

    opened = Project(project).latest() if run is None else Run(run.resolve())
    with showing(quiet or as_json) as progress, executing(executor):
        made = publish_tiers(opened, tier, level=level, out=out, progress=progress)
    if as_json:
        print(json.dumps({"run": opened.manifest["run"], "folders": list(map(str, made))}))
    elif not quiet:
        for folder in made:
            show(f"Wrote {folder}")
        show(
            f"The audits are in {opened.folder.parent}, internal like the run: have them signed "
            "before anything leaves."
        )


def pdf(
    report: Annotated[Path, typer.Argument(help="report.html of a tier or of a run.")],
    out: Annotated[
        Path | None, typer.Option(help="The PDF; by default beside the report's folder.")
    ] = None,
) -> None:
    """Write a report as PDF: the same text, on A4. Needs the extra `pdf`."""
    from smallarea.release.report import write_pdf

    if not report.is_file():
        raise InputError(
            "there is no such file",
            where=str(report),
            remedy="give the report.html of a tier's folder, or of a run's",
        )
    path = out or report.resolve().parent.with_suffix(".pdf")
    write_pdf(report, path)
    show(f"Wrote {path}")


def review(
    answers: Annotated[
        list[Path], typer.Argument(help="Filled-in copies of a tier's review.csv, one a person.")
    ],
    project: ProjectDir = Path(),
    run: Annotated[
        Path | None, typer.Option(help="Folder of a run; by default the newest.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Keep what people who know the places say of the numbers, and show it in the report.

    Writes answers.csv and report.html beside the run; they replace those kept before. Answers are
    shown as they were written and change no number. They are internal, and hold no persons.
    """
    from smallarea.project import Project
    from smallarea.run.record import Run
    from smallarea.run.reviewing import keep_review

    opened = Project(project).latest() if run is None else Run(run.resolve())
    folder = keep_review(opened, answers)
    if as_json:
        print(json.dumps({"run": opened.manifest["run"], "folder": str(folder)}))
    else:
        show(f"Wrote {folder}: answers.csv and report.html, which shows them.")
