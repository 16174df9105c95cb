"""The routes: each asks for a tier, and answers from what was read at the start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from smallarea import __version__
from smallarea.release.tiers import TIERS
from smallarea.service.answers import CONFORMS, Answers
from smallarea.service.door import Door, Guard
from smallarea.service.paper import Drawer, Paper, json_paper, page_policy, paper, tag_of
from smallarea.service.shelf import kind_of, read_shelves, runs
from smallarea.service.tokens import may_read

GEOJSON = "application/geo+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.1"
MOST, PAGE = 2_000, 100

_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}}
REFUSALS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "Refused, and why.", "content": {"application/json": {"schema": _ERROR}}}
}
TierName = Annotated[
    str | None,
    Query(
        description="public, partner or, of larger units, public-LEVEL as /runs "
        "lists them; by default your token's."
    ),
]
RunName = Annotated[str | None, Query(description="One of /runs; by default the newest.")]
Limit = Annotated[int, Query(ge=1, le=MOST, description="Entries in one answer.")]
Offset = Annotated[int, Query(ge=0, le=10_000_000, description="Entries to skip.")]


def create_app(folder: Path, door: Door) -> FastAPI:
    """Return the service over the tiers in a folder.

    Raises InputError where there is no tier, or one was changed after it was published.
    """
    shelves = {key: Answers(one) for key, one in read_shelves(folder).items()}
    for one in shelves.values():
        one.make_ready()
    drawer = Drawer()
    app = FastAPI(
        title="smallarea",
        version=__version__,
        description="Published tiers of estimates for small areas, to be read and not changed.",
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(known_parameters)],
        responses=REFUSALS,
    )
    app.add_middleware(Guard, door=door)

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

    def chosen(request: Request, tier: str | None, run: str | None) -> Answers:
        """Return the tier that is asked for, if whoever asks may read it."""
        _, granted = request.state.granted
        if not granted:
            raise HTTPException(401, "a token is needed", {"WWW-Authenticate": "Bearer"})
        wanted = tier or granted
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

    def answer(request: Request, one: Answers, make: Callable[[], Paper]) -> Response:
        """Send what a tier says at a URL; the URL and the tier's seal are its tag."""
        tag = tag_for(request, one)
        if tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={"ETag": tag, "Vary": VARY})
        return sent(request, drawer.get(tag, make), one.shelf.tier == "public")

    def tag_for(request: Request, one: Answers) -> str:
        query = "json&" if "json" in request.headers.get("accept", "") else ""
        query += "&".join(sorted(f"{k}={v}" for k, v in request.query_params.multi_items()))
        of = request.state.granted[1], one.shelf.seal, str(request.base_url), request.url.path
        return tag_of(*of, query)

    @app.get("/", response_class=Response,
             responses=_types("text/html", "application/json"))  # fmt: skip
    async def map_page(
        request: Request,
        tier: TierName = None,
        run: RunName = None,
        f: Annotated[Literal["html", "json"] | None, Query(description="Which of both.")] = None,
    ) -> Response:
        """The map of a tier, one page that asks for nothing else; to a GIS where everything is."""
        one = chosen(request, tier, run)
        accepted = request.headers.get("accept", "")
        if f == "json" or (f is None and "json" in accepted and "html" not in accepted):
            return said(request, one, lambda: landing_of(one, str(request.base_url)))

        def make() -> Paper:
            page = one.shelf.page
            return paper(page, "text/html; charset=utf-8", tag_for(request, one), page_policy(page))

        return answer(request, one, make)

    def said(request: Request, one: Answers, value: Callable[[], Any], kind: str = "") -> Response:
        tag = tag_for(request, one)
        return answer(request, one, lambda: json_paper(value(), tag, kind or "application/json"))

    @app.get("/conformance")
    async def conformance(request: Request) -> Response:
        """The parts of OGC API Features that are followed."""
        one = chosen(request, None, None)
        return said(request, one, lambda: {"conformsTo": CONFORMS})

    @app.get("/landing")
    async def landing(request: Request) -> Response:
        """Where everything is."""
        one = chosen(request, None, None)
        return said(request, one, lambda: landing_of(one, str(request.base_url)))

    @app.get("/runs")
    async def all_runs(request: Request) -> Response:
        """The runs that have a tier you may read, newest first."""
        one, (_, granted) = chosen(request, None, None), request.state.granted
        mine = [s.shelf for s in shelves.values() if may_read(granted, s.shelf.tier)]
        return said(request, one, lambda: {"runs": runs(mine)})

    @app.get("/indicators")
    async def indicators(request: Request, tier: TierName = None, run: RunName = None) -> Response:
        """What is estimated, in which unit, and what the numbers mean and do not say."""
        one = chosen(request, tier, run)
        return said(request, one, lambda: {"indicators": one.indicators_said()} | one.meaning())

    @app.get("/areas")
    async def areas(
        request: Request, tier: TierName = None, run: RunName = None,
        limit: Limit = PAGE, offset: Offset = 0,
    ) -> Response:  # fmt: skip
        """The places of a tier: codes, names, the units they lie in, flags."""
        one = chosen(request, tier, run)

        def value() -> Any:
            rows = one.places.iloc[offset : offset + limit].reset_index().to_dict("records")
            return paged(request, len(one.places), limit, offset) | {"areas": rows}

        return said(request, one, value)

    @app.get("/areas/{area_id}")
    async def area(
        request: Request, area_id: str, tier: TierName = None, run: RunName = None
    ) -> Response:
        """All that a tier says of one place; or why it gives no numbers of it."""
        one = chosen(request, tier, run)
        found = one.place(area_id)
        if found is None:
            raise HTTPException(404, "not released: this tier has no place of that code")
        return said(request, one, lambda: found)

    @app.get("/estimates")
    async def estimates(
        request: Request, tier: TierName = None, run: RunName = None,
        indicator: Annotated[str | None, Query(description="One of /indicators.")] = None,
        place: Annotated[str | None, Query(description="A code; of a level, its unit's.")] = None,
        level: Annotated[str | None, Query(description="A level above the places.")] = None,
        limit: Limit = PAGE, offset: Offset = 0,
    ) -> Response:  # fmt: skip
        """Medians, means, intervals, chances and rank intervals: a row per place and indicator."""
        one = chosen(request, tier, run)
        if level is not None and level not in one.level_names:
            raise HTTPException(404, f"levels are {', '.join(one.level_names)}")

        def value() -> Any:
            rows = one.estimates_of(indicator, place, level)
            about = paged(request, len(rows), limit, offset)
            return about | {"estimates": rows[offset : offset + limit]}

        return said(request, one, value)

    @app.get("/collections")
    async def collections(request: Request) -> Response:
        """A collection of places per tier that you may read."""
        one, base = chosen(request, None, None), str(request.base_url)
        _, granted = request.state.granted
        open_to = [(t, s) for (_, t), s in shelves.items() if may_read(granted, s.shelf.tier)]
        mine = dict(reversed(open_to))
        listed = [collection_of(s, base) for s in mine.values()]
        return said(request, one, lambda: {"links": [], "collections": listed})

    @app.get("/collections/{tier}")
    async def collection(request: Request, tier: str) -> Response:
        """What one collection holds."""
        one = chosen(request, tier, None)
        return said(request, one, lambda: collection_of(one, str(request.base_url)))

    @app.get("/collections/{tier}/items", response_class=Response, responses=_types(GEOJSON))
    async def items(
        request: Request, tier: str, run: RunName = None,
        bbox: Annotated[str | None, Query(description="west,south,east,north in degrees.")] = None,
        limit: Limit = PAGE, offset: Offset = 0,
    ) -> Response:  # fmt: skip
        """Places as GeoJSON features, their numbers as `indicator_column`."""
        one, box = chosen(request, tier, run), box_of(bbox)

        def value() -> str:
            here = one.within(box)
            about = paged(request, len(here), limit, offset)
            shown = ",".join(one.features[i] for i in here[offset : offset + limit])
            head = json_paper(about, "").body.decode()[:-1]
            return f'{head},"type":"FeatureCollection","features":[{shown}]}}'

        return said(request, one, value, GEOJSON)

    @app.get("/collections/{tier}/items/{area_id}", response_class=Response,
             responses=_types(GEOJSON))  # fmt: skip
    async def item(request: Request, tier: str, area_id: str, run: RunName = None) -> Response:
        """One place as a GeoJSON feature."""
        one = chosen(request, tier, run)
        if area_id not in one.places.index:
            raise HTTPException(404, "not released: this tier has no numbers of that place")
        at = one.places.index.get_loc(area_id)
        return said(request, one, lambda: one.features[at], GEOJSON)

    return app


VARY = "Accept, Accept-Encoding, Authorization"


async def known_parameters(request: Request) -> None:
    """Refuse parameters that a route does not have: a misspelt one would be ignored in silence."""
    allowed = {one.alias for one in request.scope["route"].dependant.query_params}
    if unknown := set(request.query_params) - allowed:
        raise HTTPException(400, f"no parameter {min(unknown)[:40]!r} here")


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


def paged(request: Request, total: int, limit: int, offset: int) -> dict[str, Any]:
    """Return how many there are and links to this page, the next and the one before."""

    def link(rel: str, at: int) -> dict[str, str]:
        url = request.url.include_query_params(limit=limit, offset=at)
        return {"rel": rel, "href": str(url)}

    links = [link("self", offset)]
    links += [link("next", offset + limit)] if offset + limit < total else []
    links += [link("prev", max(0, offset - limit))] if offset else []
    shown = max(0, min(limit, total - offset))
    return {"numberMatched": total, "numberReturned": shown, "links": links}


def box_of(text: str | None) -> list[float] | None:
    """Read a bounding box; raise 400 if it is none."""
    if text is None:
        return None
    try:
        box = [float(part) for part in text.split(",")]
    except ValueError:
        box = []
    if len(box) == 6:  # with heights, which nothing here has
        box = [*box[:2], *box[3:5]]
    sound = len(box) == 4 and all(abs(v) <= 360 for v in box) and box[1] <= box[3]
    if not sound:
        raise HTTPException(400, "bbox: give west,south,east,north in degrees")
    return box


def landing_of(one: Answers, base: str) -> dict[str, Any]:
    """Say where everything is."""
    paths = {
        "self": ("landing", "This page", "application/json"),
        "service-desc": ("openapi.json", "Every path, with its parameters", OPENAPI),
        "conformance": ("conformance", "What standard is followed", "application/json"),
        "data": ("collections", "Collections of places", "application/json"),
        "alternate": ("", "The map", "text/html"),
    }
    links = [
        {"rel": rel, "href": base + path, "title": title, "type": kind}
        for rel, (path, title, kind) in paths.items()
    ]
    return {"title": one.shelf.manifest.get("title", "smallarea"), "links": links}


def collection_of(one: Answers, base: str) -> dict[str, Any]:
    """Describe a collection of places."""
    tier = one.shelf.name
    crs = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
    here = f"{base}collections/{tier}"
    return {
        "id": tier,
        "title": f"{one.shelf.manifest.get('title', 'Estimates')}: {tier} tier",
        "description": f"Places: {one.shelf.manifest.get('place', 'as published')}",
        "itemType": "feature",
        "extent": {"spatial": {"bbox": [one.extent()], "crs": crs}},
        "crs": [crs],
        "links": [
            {"rel": "self", "href": here},
            {"rel": "items", "href": f"{here}/items", "type": GEOJSON},
        ],
    }


def _types(*kinds: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {kind: {} for kind in kinds}, "description": "As asked."}}
