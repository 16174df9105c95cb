"""How large an input may be before it is refused: they protect the machine, whoever sent the file.

A project's files cannot raise them, since a project may come from anybody; whoever owns the machine
can, in the environment variable `SMALLAREA_LIMITS`, such as `pixels=4e9,draws=1e6`.
"""

from __future__ import annotations

import os

from smallarea.errors import InputError

VARIABLE = "SMALLAREA_LIMITS"

#: What is counted -> (the most there may be, what it is in words, what else helps).
DEFAULTS: dict[str, tuple[float, str, str]] = {
    "pixels": (1e9, "pixels over the country", "supply a coarser raster"),
    "cells": (2e7, "cells", "leave out rows and columns that nobody needs"),
    "columns": (2e4, "columns", "leave out columns that nobody needs"),
    "unzipped": (5e7, "bytes once unzipped", "save the table as CSV"),
    "points": (5e7, "points in its geometries", "simplify the geometries"),
    "text": (1e7, "bytes of YAML", "write a shorter file"),
    "draws": (1e5, "draws", "ask for fewer"),
    "download": (2e9, "bytes to fetch", "ask the publisher for an extract"),
}


def most(kind: str) -> float:
    """Return the limit of one of `DEFAULTS`, as raised or lowered by the environment.

    Raises
    ------
    InputError : the variable is not `name=number,...` with names of `DEFAULTS`.
    """
    return _stated().get(kind, DEFAULTS[kind][0])


def require(kind: str, found: float, where: str) -> None:
    """Raise InputError if `found` is more than the limit of its kind; `where` is file or option."""
    limit, (_, words, help_) = most(kind), DEFAULTS[kind]
    if found > limit:
        raise InputError(
            f"more than {limit:,.0f} {words}",
            where=where,
            remedy=f"{help_}, or, if this machine can bear it, set {VARIABLE}={kind}=NUMBER in the "
            "environment",
        )


def _stated() -> dict[str, float]:
    text = os.environ.get(VARIABLE, "")
    found = {}
    for part in text.split(",") if text.strip() else []:
        name, _, number = (piece.strip() for piece in part.partition("="))
        try:
            found[name] = float(number)
        except ValueError:
            found[name] = float("nan")
        if name not in DEFAULTS or not found[name] > 0:
            raise InputError(
                f"{part.strip()!r} is not a limit",
                where=f"environment variable {VARIABLE}",
                remedy=f"write NAME=NUMBER, separated by commas; names are {', '.join(DEFAULTS)}",
            )
    return found
