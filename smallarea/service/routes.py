"""The routes: each asks for a tier, and answers from what was read at the start."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query, Request, Response

from smallarea.service.answers import CONFORMS, Answers
from smallarea.service.library import answer, chosen, open_to, said, tag_for
from smallarea.service.links import GEOJSON, box_of, collection_of, landing_of, paged
from smallarea.service.paper import json_paper, page_policy, paper
from smallarea.service.shelf import runs

MOST, PAGE = 2_000, 100
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

router = APIRouter()


def _types(*kinds: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {kind: {} for kind in kinds}, "description": "As asked."}}


def _page(request: Request, one: Answers, page: bytes) -> Response:
    """Send a page that may run its own scripts and ask for nothing."""
    tag = tag_for(request, one)
    kind = "text/html; charset=utf-8"
    return answer(request, one, lambda: paper(page, kind, tag, page_policy(page)))


@router.get("/", response_class=Response,
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
    return _page(request, one, one.shelf.page)


@router.get("/report.html", response_class=Response, responses=_types("text/html"))
async def report(request: Request, tier: TierName = None, run: RunName = None) -> Response:
    """The report of a tier: two pages to decide by, and what stands behind them."""
    one = chosen(request, tier, run)
    return _page(request, one, one.shelf.report)


@router.get("/README.md", response_class=Response, responses=_types("text/markdown"))
async def readme(request: Request, tier: TierName = None, run: RunName = None) -> Response:
    """What a tier holds, what its numbers mean and do not say."""
    one = chosen(request, tier, run)
    tag = tag_for(request, one)
    return answer(request, one, lambda: paper(one.shelf.readme, "text/markdown", tag))


@router.get("/conformance")
async def conformance(request: Request) -> Response:
    """The parts of OGC API Features that are followed."""
    one = chosen(request, None, None)
    return said(request, one, lambda: {"conformsTo": CONFORMS})


@router.get("/landing")
async def landing(request: Request) -> Response:
    """Where everything is."""
    one = chosen(request, None, None)
    return said(request, one, lambda: landing_of(one, str(request.base_url)))


@router.get("/runs")
async def all_runs(request: Request) -> Response:
    """The runs that have a tier you may read, newest first."""
    one, mine = chosen(request, None, None), open_to(request)
    return said(request, one, lambda: {"runs": runs([each.shelf for each in mine])})


@router.get("/indicators")
async def indicators(request: Request, tier: TierName = None, run: RunName = None) -> Response:
    """What is estimated, in which unit, and what the numbers mean and do not say."""
    one = chosen(request, tier, run)
    return said(request, one, lambda: {"indicators": one.indicators_said()} | one.meaning())


@router.get("/areas")
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


@router.get("/areas/{area_id}")
async def area(
    request: Request, area_id: str, tier: TierName = None, run: RunName = None
) -> Response:
    """All that a tier says of one place; or why it gives no numbers of it."""
    one = chosen(request, tier, run)
    found = one.place(area_id)
    if found is None:
        raise HTTPException(404, "not released: this tier has no place of that code")
    return said(request, one, lambda: found)


@router.get("/estimates")
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


@router.get("/collections")
async def collections(request: Request) -> Response:
    """A collection of places per tier that you may read."""
    one, base = chosen(request, None, None), str(request.base_url)
    newest = {each.shelf.name: each for each in reversed(open_to(request))}
    listed = [collection_of(each, base) for each in newest.values()]
    return said(request, one, lambda: {"links": [], "collections": listed})


@router.get("/collections/{tier}")
async def collection(request: Request, tier: str) -> Response:
    """What one collection holds."""
    one = chosen(request, tier, None)
    return said(request, one, lambda: collection_of(one, str(request.base_url)))


@router.get("/collections/{tier}/items", response_class=Response, responses=_types(GEOJSON))
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


@router.get("/collections/{tier}/items/{area_id}", response_class=Response,
         responses=_types(GEOJSON))  # fmt: skip
async def item(request: Request, tier: str, area_id: str, run: RunName = None) -> Response:
    """One place as a GeoJSON feature."""
    one = chosen(request, tier, run)
    if area_id not in one.places.index:
        raise HTTPException(404, "not released: this tier has no numbers of that place")
    at = one.places.index.get_loc(area_id)
    return said(request, one, lambda: one.features[at], GEOJSON)
