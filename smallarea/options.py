"""What commands have in common: options, the two consoles, bars of progress."""

from __future__ import annotations

import unicodedata
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
#: Signs that turn the direction of the text after them.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
#: How the first word of a line is shown.
STYLES = {
    "error": "bold red",
    "damaged": "yellow",
    "warning": "yellow",
    "note": "yellow",
    "SYNTHETIC": "bold",
}
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


def plain(*, stderr: bool = False) -> Console:
    """Return a console that prints text as it is: names of files and places are never markup."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)


console = plain()
notes = plain(stderr=True)


def show(text: str, to: Console | None = None) -> None:
    """Print lines as they are; the first word of one is coloured if it says how grave the rest is.

    Signs that steer a terminal are written as what they are.
    """
    to = to or console
    for line in text.split("\n"):
        word, space, rest = line.partition(" ")
        style = STYLES.get(word)
        if style:
            to.print(word, style=style, end=space)
        to.print(_harmless(rest if style else line))


def _harmless(text: str) -> str:
    return "".join(
        repr(sign)[1:-1] if unicodedata.category(sign) in ("Cc", "Cs") or sign in _TURNS else sign
        for sign in text
    )


@contextmanager
def showing(quiet: bool) -> Iterator[Any]:
    """Show a bar per stage on standard error; yield the callback the engine reports to."""
    if quiet:
        yield lambda what, share=None: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=notes) as bars:
        tasks: dict[str, Any] = {}

        def report(what: str, share: float | None = None) -> None:
            stage = what.split(":", 1)[0]
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=1.0)
            bars.update(tasks[stage], description=f"{_harmless(what):<46.46}", completed=share)

        yield report
