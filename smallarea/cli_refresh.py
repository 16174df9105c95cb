"""The commands `smallarea fetch`, `refresh` and `purge`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from smallarea.executors import executing
from smallarea.options import Data, Json, ProjectDir, Quiet, Wait, Where, notes, show, showing

#: Done, but something has to be looked at: a source failed or is in quarantine.
LOOK = 4
#: Done, but the models had better be fitted again.
REFIT = 5


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


def refresh(
    project: ProjectDir = Path(),
    data: Data = None,
    refit: Annotated[bool, typer.Option("--refit", help="Fit the models again.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Fetch all sources, due or not.")] = False,
    executor: Where = "serial",
    wait: Wait = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Fetch what is due, make anew what depends on it, and report what moved since the last run.

    Models are not fitted again without `--refit`: what they learned of features stays as it was.
    Exit codes: 0 done, or nothing had changed; 3 nothing was published; 4 done, but a source failed
    or is in quarantine; 5 done, but the models had better be fitted again.
    """
    from smallarea import refreshing
    from smallarea.project import Project

    with showing(quiet or as_json) as progress, executing(executor):
        made = refreshing.refresh(
            Project(project), refit=refit, every=every, data=data, wait=wait, progress=progress
        )
    report = None if made.report is None else str(made.report)
    if as_json:
        facts = {
            "run": str(made.run.folder),
            "changed": made.changed,
            "fetched": [asdict(one) for one in made.fetched],
            "look": made.look,
            "refit": made.refit,
            "report": report,
        }
        print(json.dumps(facts))
    elif not quiet:
        came = ", ".join(f"{one.source} {one.state}" for one in made.fetched)
        show(f"fetched: {came or 'nothing was due'}")
        show(f"{'new run' if made.changed else 'nothing changed since'} {made.run.folder}")
        for said in made.look:
            show(f"warning {said}", notes)
        for said in made.refit:
            show(f"note refit: {said}", notes)
        if report:
            show(f"what moved: {report}/drift.html")
    if made.look or made.refit:
        raise typer.Exit(LOOK if made.look else REFIT)


def purge(
    source: Annotated[str, typer.Argument(help="The source's name.")],
    project: ProjectDir = Path(),
    wait: Wait = False,
    as_json: Json = False,
) -> None:
    """Remove a source's snapshots and all that was made of them; write a receipt.

    Runs that used it stay, marked, without its features. Files that you put into data/ are yours to
    delete; they are named. Copies elsewhere (releases, storage, backups) are not looked for.
    """
    from smallarea import refreshing
    from smallarea.project import Project

    receipt = refreshing.purge(Project(project), source, wait=wait)
    if as_json:
        print(json.dumps(receipt))
        return
    show(
        f"Removed {len(receipt['removed'])} files and folders, marked {len(receipt['runs'])} runs; "
        f"the receipt is {receipt['receipt']}"
    )
    for path in receipt["still_there"]:
        show(f"note {path} is still there: delete it if you have to", notes)
