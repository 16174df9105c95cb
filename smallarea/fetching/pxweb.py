"""PXWeb tables: a declared query, the answer as JSON-stat 2 (json-stat.org), kept as CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from itertools import product
from typing import Any

from smallarea.errors import InputError
from smallarea.limits import require


def request_of(query: Sequence[dict[str, Any]]) -> bytes:
    """Return the body to POST for a query."""
    asked = {"query": list(query), "response": {"format": "json-stat2"}}
    return json.dumps(asked, sort_keys=True).encode()


def table_of(answer: bytes, where: str) -> bytes:
    """Return a JSON-stat 2 answer as CSV (UTF-8, LF): the same answer gives the same bytes.

    A column with the codes and one with the labels (`<name>_label`) for every dimension, and a
    column `value`; where one dimension says what is measured (role `metric`), a column for each of
    its codes in place of the three. What has no value is an empty cell.

    Raises
    ------
    InputError : it is no JSON-stat 2, its parts do not fit, or it has too many cells.
    """
    try:
        data = json.loads(answer)
        names, sizes = list(data["id"]), [int(size) for size in data["size"]]
        codes = [_codes(data["dimension"][name]["category"]) for name in names]
        metric = next(iter(data.get("role", {}).get("metric", [])), None)
        values = data["value"]
        number = 1
        for size in sizes:
            number *= size
        require("cells", number, where)
        if [len(own) for own in codes] != sizes or len(names) != len(sizes):
            raise ValueError
        cells = _dense(values, number)
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        raise InputError(
            "the answer is no JSON-stat 2 table",
            where=where,
            remedy="see that the address is a table's of a PXWeb API, version 1",
        ) from None
    rows = [name for name in names if name != metric]
    measured = [code for code, _ in codes[names.index(metric)]] if metric in names else ["value"]
    lines: dict[tuple[str, ...], dict[str, Any]] = {}
    for chosen, value in zip(product(*codes), cells, strict=True):
        by = dict(zip(names, chosen, strict=True))
        key = tuple(text for name in rows for text in by[name])
        what = by[metric][0] if metric in names else "value"
        lines.setdefault(key, {})[what] = value
    text = io.StringIO()
    write = csv.writer(text, lineterminator="\n")
    write.writerow([*(head for name in rows for head in (name, f"{name}_label")), *measured])
    for key, found in lines.items():
        write.writerow([*key, *("" if found.get(m) is None else found[m] for m in measured)])
    return text.getvalue().encode()


def _codes(category: dict[str, Any]) -> list[tuple[str, str]]:
    """Return code and label of each category, in order."""
    labels = category.get("label", {})
    index = category.get("index", list(labels))
    ordered = sorted(index, key=index.__getitem__) if isinstance(index, dict) else list(index)
    return [(str(code), str(labels.get(code, code))) for code in ordered]


def _dense(values: Any, number: int) -> list[Any]:
    if isinstance(values, dict):
        found = {int(place): value for place, value in values.items()}
        values = [found.get(place) for place in range(number)]
    if len(values) != number:
        raise ValueError
    return list(values)
