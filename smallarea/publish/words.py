"""The words of tables, map and report, so that all three say the same thing the same way."""

from __future__ import annotations

import json
from math import isnan
from pathlib import Path
from typing import Any

LANGUAGES = Path(__file__).parent / "languages"


def words_in(language: str) -> dict[str, Any]:
    """Return what languages/<language>.json says: texts by key, with {names} to be filled in."""
    text = (LANGUAGES / f"{language}.json").read_text(encoding="utf-8")
    words: dict[str, Any] = json.loads(text)
    return words


def languages() -> dict[str, dict[str, Any]]:
    """Return the words of every language there is a file for, English first."""
    names = sorted((path.stem for path in LANGUAGES.glob("*.json")), key=lambda n: (n != "en", n))
    return {name: words_in(name) for name in names}


def spoken(reporting: bool) -> dict[str, dict[str, Any]]:
    """Return the words of every language that a page needs.

    reporting : whether numbers were divided by a reporting rate; if not, no word speaks of one.
    """
    silent = () if reporting else ("tau_", "urban_")
    every = languages()
    for words in every.values():
        for part in (words, words["page"]):
            for key in [key for key in part if f"{key}_".startswith(silent) and silent]:
                del part[key]
    return every


ENGLISH = words_in("en")

#: Every flag, in words that complete "Note: ...".
FLAG_WORDS: dict[str, str] = ENGLISH["flags"]
MEANING: tuple[str, ...] = tuple(ENGLISH["meaning"])
#: The same in a tier, which does not tell where anybody was interviewed.
TIER_MEANING: tuple[str, ...] = (*MEANING[:2], ENGLISH["tier_meaning"], MEANING[3])
#: For whom a page is; that of a run stands in the map, the report and the command's summary too.
STANDING: dict[str, str] = ENGLISH["standing"]
INTERNAL = STANDING["internal"]
#: What is said beside MEANING and NOT_SAID where a reporting rate is divided by.
TAU_MEANING: str = ENGLISH["tau_meaning"]
TAU_NOT_SAID: str = ENGLISH["tau_not_said"]
NOT_SAID: tuple[str, ...] = tuple(ENGLISH["not_said"])


def highest(k: int) -> str:
    """Return the words that follow "chance of".

    >>> highest(1), highest(20)
    ('being the highest', 'being among the 20 highest')
    """
    return "being the highest" if k == 1 else f"being among the {k} highest"


def cells(drawn: int, areas: int) -> str:
    """Say that shapes are cells drawn around points; '' if none is."""
    if not drawn:
        return ""
    if drawn == areas:
        return str(ENGLISH["page"]["cells_all"])
    return str(ENGLISH["page"]["cells_some"]).format(n=f"{drawn:,}", m=f"{areas:,}")


def number(value: float) -> str:
    """Two significant digits with thousands separators: as much as any of these ranges bears.

    >>> number(471_416.0), number(0.0123)
    ('470,000', '0.012')
    """
    if value is None or isnan(value):
        return "–"
    rounded = float(f"{value:.2g}")
    return f"{rounded:,.0f}" if rounded.is_integer() else f"{rounded:g}"
