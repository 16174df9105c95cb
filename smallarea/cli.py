"""The command line: parses, calls the project, shows progress. Nothing is computed here.

Exit codes: 0 done; 1 a defect of the engine, or damage found by `verify`; 2 wrong usage; 3 bad
input, or a disk that is full or closed, said in one sentence; 4 done, but a source failed or is in
quarantine; 130 interrupted (finished stages are kept), see `smallarea.__main__`.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from smallarea import __version__
from smallarea.cli_catalog import catalog
from smallarea.cli_change import change
from smallarea.cli_compare import compare
from smallarea.cli_design import design
from smallarea.cli_features import features
from smallarea.cli_fieldwork import fieldwork
from smallarea.cli_nsum import nsum
from smallarea.cli_publish import pdf, publish, review
from smallarea.cli_refresh import fetch, purge, refresh
from smallarea.cli_serve import serve, token
from smallarea.cli_target import target
from smallarea.errors import InputError, InputWarning
from smallarea.executors import executing
from smallarea.files import refusal
from smallarea.options import Data, Json, ProjectDir, Quiet, Wait, Where, notes, show, showing
from smallarea.upkeep import clean, pull, push, verify

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="""From one household survey about a hidden harm to honest numbers for every small area.

A first run: `smallarea init my-project`, `cd my-project`, `smallarea run`, then open
`runs/latest/map.html`. Without a real survey the engine works on its digital twin, and everything
it makes says SYNTHETIC SURVEY.
""",
)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="The new project's folder.")],
    minimal: Annotated[
        bool, typer.Option("--minimal", help="The smallest project, to make your own country of.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Write a new project: data_catalog.yaml, features/ and models/, ready to run and to edit."""
    from smallarea.project import Project

    project = Project.init(folder, minimal=minimal)
    if not quiet:
        show(
            f"Wrote {project.root}. Next: `cd {folder}`, `smallarea run`, "
            "open runs/latest/map.html."
        )


@app.command()
def simulate(
    project: ProjectDir = Path(),
    data: Data = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the twin; the same gives the same.")] = (
        None
    ),
    signal: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Share of the differences between areas that the streams explain; 0: none.",
        ),
    ] = None,
    wave: Annotated[
        int | None, typer.Option(min=1, help="2 and above: a later survey, of other people.")
    ] = None,
    decline: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Share by which every true count fell since wave 1."),
    ] = None,
    revisit: Annotated[
        bool, typer.Option(help="A later wave goes back to the places of wave 1.")
    ] = False,
    wait: Wait = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Make the digital twin: an invented survey and invented streams on the real frame.

    With `--data` its truth grows out of the real streams found there; the survey stays invented.
    The truth is stored apart, in data/twin/truth, and never read by estimation. The world of a
    later wave is that of wave 1 but for its decline; it takes the place of the twin there was.
    """
    from smallarea.project import Project

    given = {"seed": seed, "signal": signal, "wave": wave, "decline": decline}
    knobs = {k: v for k, v in given.items() if v is not None} | {"revisit": revisit}
    at = Project(project)
    with showing(quiet or as_json) as progress:
        twin = at.simulate(data, wait=wait, progress=progress, **knobs)
    if as_json:
        used = {"twin": str(twin), "used": at.takes_the_twin}
        print(json.dumps(used | json.loads((twin / "twin.json").read_text())))
    elif not quiet:
        show(f"SYNTHETIC SURVEY written to {twin}; its truth is apart, in {twin}/truth.")
        if not at.takes_the_twin:
            direct = at.settings.direct is not None
            named = "settings.direct.file" if direct else "settings.survey"
            show(
                f"note No run of this project uses it: {named} names another "
                f"place. `data/twin/survey{'/direct.csv' if direct else ''}` there would."
            )


@app.command()
def run(
    project: ProjectDir = Path(),
    data: Data = None,
    profile: Annotated[
        str,
        typer.Option(help="fast, full (every model) or another of the catalog's settings.draws."),
    ] = "fast",
    seed: Annotated[int | None, typer.Option(help="Overrides the seed in the catalog.")] = None,
    accept: Annotated[
        list[str] | None,
        typer.Option(help="SOURCE: its file is right, however little it covers. Repeatable."),
    ] = None,
    executor: Where = "serial",
    wait: Wait = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Run the main job: from survey and streams to estimates, map and report for every area.

    Finished stages are reused when their inputs, settings and code have not changed and their files
    are what was written. The newest finished run is at runs/latest. A source's file that lost much
    since the last good one is set aside and that one is used, with a warning.
    """
    from smallarea.project import Project

    with showing(quiet or as_json) as progress, executing(executor):
        made = Project(project).run(
            data, profile=profile, seed=seed, accept=accept or (), wait=wait, progress=progress
        )
    if as_json:
        print(json.dumps(made.manifest | {"folder": str(made.folder)}, default=str))
    elif not quiet:
        from smallarea.summary import run_summary

        show(run_summary(made))


@app.command()
def status(
    project: ProjectDir = Path(),
    data: Data = None,
    page: Annotated[
        Path | None, typer.Option("--html", help="Write the same as one HTML page, too.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say which sources are at hand, due, in quarantine or not to be used, and how old runs are."""
    from smallarea.files import writing
    from smallarea.project import Project
    from smallarea.summary import project_status, status_text
    from smallarea.watching import watch_page

    facts = project_status(Project(project), data)
    if page is not None:
        with writing(page) as temporary:
            temporary.write_text(watch_page(facts), encoding="utf-8")
    if as_json:
        print(json.dumps(facts, default=str))
    else:
        show(status_text(facts))


@app.command()
def explain(
    area: Annotated[str, typer.Argument(help="An area's code (any vintage) or its name.")],
    project: ProjectDir = Path(),
    indicator: Annotated[
        str | None, typer.Option(help="Which indicator to explain; by default the first.")
    ] = None,
    tier: Annotated[
        str | None, typer.Option(help="Explain what the newest run's tier says, and no more.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say in words what the newest run knows about one area, and how little that may be.

    With `--tier`, what that tier's card of the place shows: what its number rests on by model and
    stream, then pooling and agreement.
    """
    from smallarea.project import Project
    from smallarea.summary import explain_area, explain_tier, explanation_text, tier_text

    at = Project(project)
    if tier is not None:
        spelling = at.catalog.frame.get("spelling") or {}
        told = explain_tier(at.latest(), at.release(tier), area, indicator, spelling)
        print(json.dumps(told, default=str) if as_json else tier_text(told))
        return
    facts = explain_area(at.latest(), area, indicator, at.catalog.frame.get("spelling"))
    if as_json:
        print(json.dumps(facts, default=str))
    else:
        show(explanation_text(facts))


app.add_typer(catalog, name="catalog")
app.add_typer(features, name="features")
app.command()(target)
app.command()(compare)
app.command()(publish)
app.command()(review)
app.command()(pdf)
app.command()(serve)
app.add_typer(token, name="token")
app.command()(fetch)
app.command()(refresh)
app.command()(purge)
app.command()(change)
app.command()(design)
app.command()(fieldwork)
app.command()(nsum)
app.command()(verify)
app.command()(clean)
app.command()(push)
app.command()(pull)


@app.callback(invoke_without_command=True)
def _begin(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    _hush_full_disks()  # here, since typer has set its own hook by now
    if version:
        print(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line; turn bad input and a disk that refuses into one sentence and a code."""
    # Models are compiled by numba, which brings its own linear algebra.
    warnings.filterwarnings("ignore", message="PyTensor could not link to a BLAS")
    _say_warnings()
    try:
        app()
    except Exception as error:
        named = error.filename if isinstance(error, OSError) else None
        said = error if isinstance(error, InputError) else refusal(error, Path(named or "."))
        if said is None:
            raise
        show(f"error {said}".replace("\n", " "), notes)
        sys.stdout.flush()
        os._exit(3)  # a library that could not write would try once more, loudly, in the end


def _say_warnings() -> None:
    """Print what is to be known of an input as a note, without the line of code that said so."""
    shown = warnings.showwarning

    def told(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
        if issubclass(category, InputWarning):
            show(f"note {message}", notes)
        else:
            shown(message, category, *where, **more)

    warnings.showwarning = told


def _hush_full_disks() -> None:
    """Keep libraries that cannot close a file on a full disk from saying so: main does."""
    shown, ignored = sys.excepthook, sys.unraisablehook

    def full(error: BaseException | None) -> bool:
        return isinstance(error, Exception) and refusal(error, Path()) is not None

    sys.excepthook = lambda kind, error, trace: full(error) or shown(kind, error, trace)
    sys.unraisablehook = lambda told: full(told.exc_value) or ignored(told)
