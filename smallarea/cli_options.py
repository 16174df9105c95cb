"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ProjectDir = Annotated[
    Path, typer.Option("--project", help="The project's folder (with data_catalog.yaml).")
]
Data = Annotated[
    Path | None,
    typer.Option(help="Folder with real files; they take the place of the twin's of that name."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
