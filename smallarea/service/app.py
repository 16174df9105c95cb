"""The service: routes, a guard before them, and refusals in one form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from smallarea import __version__
from smallarea.service.door import Door, Guard
from smallarea.service.library import Library
from smallarea.service.routes import router

_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}}
REFUSALS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "Refused, and why.", "content": {"application/json": {"schema": _ERROR}}}
}


def create_app(folder: Path, door: Door) -> FastAPI:
    """Return the service over the tiers in a folder.

    Raises InputError where there is no tier, or one was changed after it was published.
    """
    app = FastAPI(
        title="smallarea",
        version=__version__,
        description="Published tiers of estimates for small areas, to be read and not changed.",
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(known_parameters)],
        responses=REFUSALS,
    )
    app.state.library = Library(folder)
    app.add_middleware(Guard, door=door)
    app.include_router(router)

    @app.exception_handler(RequestValidationError)
    def bad_parameter(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"][1:]))
        return JSONResponse({"error": f"{name}: {first['msg']}"}, 400)

    @app.exception_handler(HTTPException)
    def refused(_request: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)

    @app.exception_handler(404)
    def nothing_there(_request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": getattr(error, "detail", "there is nothing here")}, 404)

    return app


async def known_parameters(request: Request) -> None:
    """Refuse parameters that a route does not have: a misspelt one would be ignored in silence."""
    allowed = {one.alias for one in request.scope["route"].dependant.query_params}
    if unknown := set(request.query_params) - allowed:
        raise HTTPException(400, f"no parameter {min(unknown)[:40]!r} here")
