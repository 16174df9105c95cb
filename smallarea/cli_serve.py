"""The commands `smallarea serve` and `smallarea token`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from smallarea.errors import InputError
from smallarea.options import Json, ProjectDir, show

token = typer.Typer(no_args_is_help=True, help="Who may read which tier of the service.")
Folder = Annotated[
    Path | None, typer.Option(help="Folder of published tiers; by default releases/.")
]


def serve(
    project: ProjectDir = Path(),
    folder: Folder = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 8000,
    rate: Annotated[int, typer.Option(min=1, help="Requests a minute of one reader.")] = 600,
    closed: Annotated[
        bool, typer.Option("--closed", help="Ask for a token for the public tier too.")
    ] = False,
) -> None:
    """Serve published tiers, to be read only: JSON, GeoJSON and the map. Needs the extra `api`.

    Only tiers are served, each compared with its manifest first; a run's own folder never. Without
    a token one reads what is public. Who read which route is kept in `.smallarea/service.log`,
    without addresses.
    """
    try:
        import uvicorn

        from smallarea.service.app import create_app
    except ImportError as error:
        raise InputError(
            f"{error.name} is not installed",
            where="smallarea serve",
            remedy="pip install 'smallarea[api]'",
        ) from None
    from smallarea.service.diary import Diary
    from smallarea.service.door import Door
    from smallarea.service.pace import Pace

    store = project / ".smallarea"
    diary = Diary(store / "service.log")
    door = Door(_tokens(project), Pace(rate), diary, open=not closed)
    app = create_app(project / "releases" if folder is None else folder, door)
    uvicorn.run(app, host=host, port=port, log_level="warning", access_log=False,
                server_header=False)  # fmt: skip


@token.command()
def add(
    name: Annotated[str, typer.Argument(help="Of whom it is for; it stands in the log.")],
    tier: Annotated[str, typer.Option(help="public or partner.")] = "partner",
    project: ProjectDir = Path(),
) -> None:
    """Make a token and print it, once: only its salted hash is kept."""
    from smallarea.service.tokens import add_token

    show(add_token(_tokens(project), name, tier))


@token.command("list")
def list_(project: ProjectDir = Path(), as_json: Json = False) -> None:
    """Say who has a token of which tier, and since when."""
    from smallarea.service.tokens import read_tokens

    kept = [
        {"name": one.name, "tier": one.tier, "made": one.made}
        for one in read_tokens(_tokens(project))
    ]
    if as_json:
        print(json.dumps(kept))
    for one in [] if as_json else kept:
        show(f"{one['name']:<24} {one['tier']:<10} since {one['made']}")


@token.command()
def revoke(
    name: Annotated[str, typer.Argument(help="Whose token is to end.")],
    project: ProjectDir = Path(),
) -> None:
    """End a token; a service that is running refuses it from then on."""
    from smallarea.service.tokens import revoke_token

    revoke_token(_tokens(project), name)
    show(f"The token of {name} has ended.")


def _tokens(project: Path) -> Path:
    from smallarea.service.tokens import TOKENS

    return project / ".smallarea" / TOKENS
