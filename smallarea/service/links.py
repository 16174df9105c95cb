"""What answers say of where more is: pages, boxes, the landing page, collections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import HTTPException, Request

if TYPE_CHECKING:
    from smallarea.service.answers import Answers

GEOJSON = "application/geo+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.1"


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
