"""The command `smallarea change`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from smallarea.errors import InputError
from smallarea.options import Json, show

#: Folder of a series, beside its last run: the run itself is never changed.
FOLDER = "{run}-series"


def change(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of runs of two surveys or more, earliest first.")
    ],
    tau_drift: Annotated[
        float,
        typer.Option(
            min=0,
            help="Sd of the reporting rate's drift; 0.1: a tenth or so. Of a series: a year (or, "
            "where runs do not say years, from wave to wave), as a random walk.",
        ),
    ] = 0.0,
    correlation: Annotated[
        float, typer.Option(help="Of the two surveys' errors, from sampling units in both.")
    ] = 0.0,
    by: Annotated[
        str | None,
        typer.Option(help="Compare areas with this programme and without; `programme`: any."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the pairing of draws.")] = 0,
    out: Annotated[
        Path | None, typer.Option(help="Folder for table and picture of a series.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say whether reported prevalence changed between surveys, and how sure that is.

    Change is better known than level: the reporting rate cancels, as long as it stayed what it was.
    Three runs or more are a series: series.csv, steps.csv, series.json and series.png are written
    beside the last run and, like it, are internal.
    """
    from smallarea.findings.change_words import change_text
    from smallarea.run.record import Run

    if len(runs) < 2:
        raise InputError(
            "one run cannot have changed", where="RUNS", remedy="give the runs of two surveys"
        )
    how: dict[str, Any] = {"tau_drift": tau_drift, "correlation": correlation, "seed": seed}
    opened = [Run(folder) for folder in runs]
    if by is not None and len(runs) > 2:
        raise InputError(
            "it compares two surveys", where="--by", remedy="give two runs, before and after"
        )
    if len(runs) > 2:
        _series(opened, how, out, as_json)
        return
    found = opened[1].change_since(opened[0], **how)
    facts, text = found.to_dict(), change_text(found)
    if by is not None:
        from smallarea.findings.by_programme import by_programme_text
        from smallarea.run.by_programme import change_by_programme

        sides = change_by_programme(opened[0], opened[1], by, tau_drift=tau_drift)
        facts, text = facts | {"by": sides.to_dict()}, f"{text}\n{by_programme_text(sides)}"
    _tell(facts, text, as_json)


def _tell(facts: dict[str, Any], text: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps(facts))
    else:
        show(text)


def _series(opened: list[Any], how: dict[str, Any], out: Path | None, as_json: bool) -> None:
    from smallarea.files import sha256
    from smallarea.findings.series import compare_series
    from smallarea.findings.series_words import series_text
    from smallarea.publish.series import write_series

    for run in opened:
        run.require_intact()
    found = compare_series(opened, **how)
    last = opened[-1].folder.resolve()
    trace = {
        "runs": {run.folder.name: sha256(run.folder / "manifest.json") for run in opened},
        "settings": how,
    }
    written = write_series(found, out or last.parent / FOLDER.format(run=last.name), trace)
    facts = found.to_dict() | {"written": [str(path) for path in written]}
    text = series_text(found) + "\nWritten: " + ", ".join(map(str, written))
    _tell(facts, text, as_json)
