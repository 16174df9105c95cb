"""What commands have in common: options, the two consoles, bars of progress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

ProjectDir = Annotated[
    Path, typer.Option("--project", help="The project's folder (with data_catalog.yaml).")
]
Data = Annotated[
    str | None,
    typer.Option(
        help="Folder with real files, or its URL (s3://...); they take the place of the twin's of "
        "that name."
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Wait = Annotated[
    bool, typer.Option("--wait", help="Wait for a run that is at work in the project.")
]
Where = Annotated[
    str,
    typer.Option(
        "--executor",
        help="Where parts are computed: serial, processes, processes:N, or tcp://HOST:PORT, a Dask "
        "scheduler. Numbers are the same.",
    ),
]

console = Console()
notes = Console(stderr=True)


@contextmanager
def showing(quiet: bool) -> Iterator[Any]:
    """Show a bar per stage on standard error; yield the callback the engine reports to."""
    if quiet:
        yield lambda what, share=None: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=notes) as bars:
        tasks: dict[str, Any] = {}

        def report(what: str, share: float | None = None) -> None:
            stage = what.split(":", 1)[0]
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=1.0)
            bars.update(tasks[stage], description=f"{what:<46.46}", completed=share)

        yield report
