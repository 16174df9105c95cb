"""The command `smallarea compare`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from smallarea.executors import executing
from smallarea.options import Json, ProjectDir, Quiet, Where, console, show, showing


def compare(
    project: ProjectDir = Path(),
    by: Annotated[
        str,
        typer.Option(
            help="level: whole groups; block: squares with a buffer; knn: as far apart as the "
            "places to be predicted; random; excluded: as the survey left groups out."
        ),
    ] = "level",
    folds: Annotated[
        int | None, typer.Option(help="Parts; by default as in the catalog's settings.")
    ] = None,
    level: Annotated[
        str | None, typer.Option(help="Level of the groups; by default the lowest.")
    ] = None,
    side: Annotated[float | None, typer.Option(help="Side of a block, km.")] = None,
    buffer: Annotated[
        float | None, typer.Option(help="Places nearer to a tested one do not teach, km.")
    ] = None,
    profile: Annotated[str, typer.Option(help="fast, or full (every model; slow).")] = "fast",
    models: Annotated[
        list[str] | None,
        typer.Option(help="Only this model beside the published and the baseline. Repeatable."),
    ] = None,
    without: Annotated[
        str | None, typer.Option(help="stream or domain: refit without each of them, too.")
    ] = None,
    draws: Annotated[int, typer.Option(help="Draws per model.")] = 500,
    seed: Annotated[
        int | None, typer.Option(help="Of parts and draws; by default the run's own.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write to.")] = None,
    executor: Where = "serial",
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Say how well each candidate model predicts places it has not seen, and how sure that is.

    Uses what the newest run was made of, and the model files as they are now. Every prediction is
    from a refit. Writes compare.csv, compare.json and compare.png beside the run, with
    --without also a report that shows what is lost: like the run, they are internal.
    """
    from smallarea.files import sha256
    from smallarea.project import Project
    from smallarea.publish.compare import (
        LEGEND,
        compare_facts,
        compare_table,
        conclusion,
        loss_conclusion,
        loss_table,
        write_compared,
    )
    from smallarea.publish.estimates import SYNTHETIC
    from smallarea.publish.words import INTERNAL
    from smallarea.run.assessing import COMPARED

    opened = Project(project)
    run = opened.latest()
    wanted: dict[str, Any] = {
        "by": by,
        "folds": folds,
        "level": level,
        "side": side,
        "buffer": buffer,
    }
    wanted |= {"profile": profile, "models": models or [], "without": without}
    wanted |= {"draws": draws, "seed": seed}
    with showing(quiet or as_json) as progress, executing(executor):
        found = opened.compare(progress=progress, **wanted)
    trace = {
        "run": run.manifest["run"],
        "manifest_sha256": sha256(run.folder / "manifest.json"),
        "models": {path.name: sha256(path) for path in sorted(opened.root.glob("models/*.py"))},
        "settings": wanted,
    }
    folder = out or run.folder.parent / COMPARED.format(run=run.folder.name)
    page = (run.folder / "report.html").read_text(encoding="utf-8")
    written = write_compared(found, folder, synthetic=run.synthetic, trace=trace, page=page)
    if as_json:
        facts = {"synthetic": run.synthetic, **compare_facts(found), "made_of": trace}
        print(json.dumps(facts | {"written": [str(path) for path in written]}))
        return
    if quiet:
        return
    if run.synthetic:
        show(f"{SYNTHETIC}: these numbers describe no real place")
    console.print(f"Held out by {found.parts.words}.")
    console.print(compare_table(found))
    console.print(conclusion(found), style="bold")
    if found.losses is not None:
        console.print(loss_table(found.losses))
        said = loss_conclusion(found.losses)
        console.print(said, style="bold")
    console.print(LEGEND)
    console.print(INTERNAL)
    console.print("Written: " + ", ".join(map(str, written)))
