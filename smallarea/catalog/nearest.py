"""All rows without an area in one table, each with what in the frame looks most like its key.

A suggestion is for a person who mends the file or the catalog. No reader ever uses it.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.areas.levels import levels_of
from smallarea.catalog.declare import Source
from smallarea.catalog.matching import UNKNOWN, match_points
from smallarea.catalog.report import ReadReport
from smallarea.catalog.units import short, unit_labels, unit_names
from smallarea.files import writing
from smallarea.spreadsheets import harmless_table

if TYPE_CHECKING:
    from smallarea.areas import Frame

COLUMNS = ["source", "file", "row", "key", "reason", "nearest_name", "nearest_id", "similarity"]
#: The least similarity of a suggestion: two letters of a name of eight. For codes see `_code`.
NEAR_CODE, NEAR_NAME = 0.85, 0.75
#: In a code of this length or a longer one, a wrong character may always be put right.
SHORTEST = 4
#: The farthest that the area suggested for a point may be.
NEAR_KM = 50.0

#: An id and how similar its code or name is, or nothing.
Suggestion = tuple[str, float] | None
Candidates = Mapping[str, set[str]]


def unmatched_table(
    reports: Iterable[ReadReport], sources: Mapping[str, Source], frame: Frame
) -> pd.DataFrame:
    """Return one line per row without an area.

    Returns
    -------
    source, file, row, key, reason : as in the `ReadReport`.
    nearest_name, nearest_id : the one area (or unit of a level) whose code or name is nearest to
        the key; of a point, the nearest area. Missing where none is near or several are equally so.
    similarity : 0 to 1, of the codes, or of the names without case, accents and punctuation; where
        the place of the key counts, the lesser of both. Missing for points.
    """
    parts = []
    codes = frozenset(frame.codes["code"])
    for report in reports:
        rows = report.unmatched.assign(source=report.source, file=report.file)
        suggest = _suggester(list(sources[report.source].key), frame, codes)
        keys = rows.loc[rows["reason"] == UNKNOWN, "key"].unique()
        found = {key: near for key in keys if (near := suggest(key))}
        rows["nearest_id"] = [found.get(key, (None,))[0] for key in rows["key"]]
        rows["similarity"] = [found.get(key, (None, np.nan))[1] for key in rows["key"]]
        parts.append(rows)
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    return table.assign(nearest_name=table["nearest_id"].map(_names(frame)))[COLUMNS]


def write_unmatched(table: pd.DataFrame, path: Path) -> None:
    """Write the table as CSV, all text quoted; no cell of it runs in a spreadsheet."""
    with writing(path) as temporary:
        harmless_table(table).to_csv(
            temporary, index=False, float_format="%.2f", quoting=csv.QUOTE_NONNUMERIC
        )


def nearest(text: str, candidates: Candidates, least: float) -> Suggestion:
    """Return the id whose text is most similar and how much; None if none or several are."""
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(text)
    best, ids = least, set[str]()
    for candidate, own in candidates.items():
        matcher.set_seq1(candidate)
        if matcher.real_quick_ratio() < best or matcher.quick_ratio() < best:
            continue
        ratio = matcher.ratio()
        if ratio > best:
            best, ids = ratio, set(own)
        elif ratio == best:
            ids |= own
    return (ids.pop(), best) if len(ids) == 1 else None


def _suggester(
    roles: list[str], frame: Frame, known: frozenset[str]
) -> Callable[[str], Suggestion]:
    """Return what finds a suggestion for a key made of these roles, in the order given.

    known : every code that the frame understands.
    """
    match sorted(roles):
        case ["code"] | ["destination", "origin"]:
            present = {i: {i} for i in frame.table.index}
            flows = len(roles) == 2
            return lambda key: _code(key.split(" / ") if flows else [key], known, present)
        case _ if "name" in roles:
            return _named(frame, name_first=roles[0] == "name")
        case [level] if level in levels_of(frame.table):
            pairs = unit_names(frame, level)
            labels = unit_labels(frame, level)
            id_of = dict(zip(labels, frame.table[f"{level}_id"], strict=True))
            units = _grouped(pairs["alias"], pairs["unit"].map(id_of))
            return lambda key: nearest(short(key, level), units, NEAR_NAME)
        case [] | ["lat", "lon"]:
            return lambda key: _place(key, roles or ["lat", "lon"], frame)
    return lambda key: None


def _code(ends: list[str], known: frozenset[str], present: Candidates) -> Suggestion:
    """Suggest a present code for the first that is unknown; old spellings are too many to try.

    It is as similar as `NEAR_CODE` says, or differs in one character, which in a short code is
    more.
    """
    lost = next((code for code in ends if code not in known), None)
    if lost is None:
        return None
    size = len(lost)
    one_off = 2.0 * (size - 1) / (2 * size) if size >= SHORTEST else 1.0
    return nearest(lost, present, min(NEAR_CODE, one_off))


def _named(frame: Frame, name_first: bool) -> Callable[[str], Suggestion]:
    from smallarea.areas.names import CITY, canonical

    def plain(text: str) -> str:
        return canonical(text, frame.spelling).removeprefix(CITY)

    names, places = frame.names["name"].map(plain), frame.names["within"].map(plain)
    everywhere = _grouped(names, frame.names["area_id"])
    within = {
        place: _grouped(own, frame.names.loc[own.index, "area_id"])
        for place, own in names.groupby(places)
    }

    def suggest(key: str) -> Suggestion:
        first, _, second = key.rpartition(" / ") if name_first else key.partition(" / ")
        name, place = (first, second) if name_first else (second, first)
        if not (name and place):
            return nearest(plain(key), everywhere, NEAR_NAME)
        where = nearest(plain(place), {p: {p} for p in within}, NEAR_NAME)
        near = nearest(plain(name), within[where[0]], NEAR_NAME) if where else None
        if where and near:
            return near[0], min(near[1], where[1])
        return nearest(plain(name), everywhere, NEAR_NAME)

    return suggest


def _place(key: str, roles: list[str], frame: Frame) -> Suggestion:
    try:
        place = dict(zip(roles, map(float, key.split(" / ")), strict=True))
    except ValueError:  # no two numbers
        return None
    area = match_points(np.array([place["lon"]]), np.array([place["lat"]]), frame, NEAR_KM)[0]
    return None if pd.isna(area) else (str(area), np.nan)


def _grouped(texts: pd.Series, ids: pd.Series) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for text, own in zip(texts, ids, strict=True):
        if text:
            found.setdefault(text, set()).add(own)
    return found


def _names(frame: Frame) -> dict[str, str]:
    """Return the name of every area and every unit above."""
    named: dict[str, str] = {}
    for level in reversed(levels_of(frame.table)):
        named |= dict(zip(frame.table[f"{level}_id"], frame.table[level], strict=True))
    return named | dict(zip(frame.table.index, frame.table["name"], strict=True))
