"""The tiers that are served: which one a reader asks for and may read; answers, kept once made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import HTTPException, Request, Response

from smallarea.release.tiers import TIERS
from smallarea.service.answers import Answers
from smallarea.service.paper import Drawer, Paper, json_paper, tag_of
from smallarea.service.shelf import kind_of, read_shelves
from smallarea.service.tokens import may_read

VARY = "Accept, Accept-Encoding, Authorization"


class Library:
    """The tiers in a folder, read once.

    Raises InputError where there is no tier, or one was changed after it was published.
    """

    def __init__(self, folder: Path) -> None:
        self.shelves = {key: Answers(one) for key, one in read_shelves(folder).items()}
        for one in self.shelves.values():
            one.make_ready()
        self.drawer = Drawer()


def library(request: Request) -> Library:
    """Return what is served at the address that is asked."""
    served: Library = request.app.state.library
    return served


def chosen(request: Request, tier: str | None, run: str | None) -> Answers:
    """Return the tier that is asked for, if whoever asks may read it."""
    _, granted = request.state.granted
    if not granted:
        raise HTTPException(401, "a token is needed", {"WWW-Authenticate": "Bearer"})
    wanted, shelves = tier or granted, library(request).shelves
    if kind_of(wanted) not in TIERS:
        raise HTTPException(404, f"no such tier; there are {' and '.join(TIERS)}")
    if not may_read(granted, kind_of(wanted)):
        raise HTTPException(403, f"your access is to the {granted} tier")
    of_run = [one.shelf for (r, _), one in shelves.items() if run in (None, r)]
    kin = [one for one in of_run if wanted in (one.name, one.tier)]  # the finest first
    fits = [shelves[one.run, one.name] for one in kin]
    if not fits and tier is None and run is None:  # no tier of one's own is published yet
        fits = [one for one in shelves.values() if may_read(granted, one.shelf.tier)]
    if not fits:
        raise HTTPException(404, "this run has no such tier; /runs lists what there is")
    return fits[0]


def open_to(request: Request) -> list[Answers]:
    """Return all tiers that whoever asks may read, the newest first."""
    _, granted = request.state.granted
    return [s for s in library(request).shelves.values() if may_read(granted, s.shelf.tier)]


def said(request: Request, one: Answers, value: Callable[[], Any], kind: str = "") -> Response:
    """Send a value as JSON, or as another `kind` of it."""
    tag = tag_for(request, one)
    return answer(request, one, lambda: json_paper(value(), tag, kind or "application/json"))


def answer(request: Request, one: Answers, make: Callable[[], Paper]) -> Response:
    """Send what a tier says at a URL; the URL and the tier's seal are its tag."""
    tag = tag_for(request, one)
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers={"ETag": tag, "Vary": VARY})
    return sent(request, library(request).drawer.get(tag, make), one.shelf.tier == "public")


def tag_for(request: Request, one: Answers) -> str:
    """Return the tag of what a tier says to this question."""
    query = "json&" if "json" in request.headers.get("accept", "") else ""
    query += "&".join(sorted(f"{k}={v}" for k, v in request.query_params.multi_items()))
    of = request.state.granted[1], one.shelf.seal, str(request.base_url), request.url.path
    return tag_of(*of, query)


def sent(request: Request, one: Paper, shared: bool) -> Response:
    """Return an answer, compressed if that is wanted."""
    zipped = bool(one.squeezed) and "gzip" in request.headers.get("accept-encoding", "")
    headers = {
        "ETag": one.tag,
        "Vary": VARY,
        "Content-Security-Policy": one.policy,
        "Cache-Control": "public, max-age=300" if shared else "private, no-cache",
    }
    headers |= {"Content-Encoding": "gzip"} if zipped else {}
    body = one.squeezed if zipped else one.body
    return Response(body, media_type=one.kind, headers=headers)
