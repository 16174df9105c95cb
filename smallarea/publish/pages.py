"""The templates of pages that people read, and how numbers stand in them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from smallarea.publish.words import number

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATES = Path(__file__).parent / "templates"


@cache
def template(name: str) -> Template:
    """Return a template, compiled once; all that is put into it is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pages = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    pages.filters |= {"number": number, "percent": percent, "share": fine_percent, "cell": cell}
    return pages.get_template(name)


def percent(share: float) -> str:
    """A share as a whole percentage; never 0 % or 100 % for what is only nearly so."""
    if share is None or np.isnan(share):
        return "–"
    return "under 1\u00a0%" if 0 < share < 0.005 else f"{share:.0%}".replace("%", "\u00a0%")


def fine_percent(share: float) -> str:
    """A share as a percentage with one decimal where it is small."""
    if share is None or np.isnan(share) or share >= 0.095:
        return percent(share)
    return f"{100 * share:.1f}".removesuffix(".0") + "\u00a0%"


def cell(value: Any) -> str:
    """Any value of a table: numbers to three significant digits, missing as a dash."""
    if isinstance(value, float):  # numpy's float64 is one
        return "–" if np.isnan(value) else f"{value:,.3g}" if abs(value) < 1e3 else f"{value:,.0f}"
    return "–" if value is None or value is pd.NA else str(value)
