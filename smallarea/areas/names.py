"""Finding areas by messy names: one canonical spelling, then only exact and unique matches."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

import pandas as pd

#: What `spelling` maps a word to that says "this is a city"; it comes first in a canonical name.
CITY = "*"
#: The key in `spelling` for a character that was lost in some earlier conversion.
LOST = "\ufffd"

#: Letters that are no letter with an accent, and what people type who lack them.
LETTERS = {
    "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "ŧ": "t",
    "þ": "th", "ß": "ss", "ς": "σ",
}  # fmt: skip

_PARENTHESES = re.compile(r"\([^)]*\)?")
_APOSTROPHES = "'’`ʼʻ"
_PLAIN = str.maketrans({**LETTERS, **dict.fromkeys(_APOSTROPHES, "")})
#: Scripts whose marks are accents; those of others (vowel signs, say) make other words.
_ACCENTED = ("LATIN", "GREEK", "CYRILLIC")


def canonical(name: str, spelling: Mapping[str, str]) -> str:
    """Return `name` without case, accents, punctuation, spaces and remarks in parentheses.

    Letters of every script count. Accents are dropped in Latin, Greek and Cyrillic, and letters of
    `LETTERS` are spelt out; nothing is transliterated. A name without any letter or digit is ''.

    `spelling` maps single words to the form that counts: `sta` to `santa`, a word to drop to the
    empty text, a word for "city" to `CITY`. UTF-8 that was read as Windows-1252 is repaired, and a
    lost character (U+FFFD, or '?' within a word) takes the form that `spelling` gives for `LOST`.
    """
    text = _PARENTHESES.sub(" ", _repaired(name).casefold())
    text = re.sub(r"(?<=\w)\?(?=\w)", LOST, text).replace(LOST, spelling.get(LOST, ""))
    words = [spelling.get(word, word) for word in _words(text)]
    mark = CITY if CITY in words else ""
    return unicodedata.normalize("NFC", mark + "".join(word for word in words if word != CITY))


def _words(text: str) -> list[str]:
    """Return the runs of letters and digits, in small letters and without accents."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    text = "".join(sign for sign in text if unicodedata.category(sign) != "Cf")  # of layout only
    kept, accents = [], True  # whether marks after the last letter are accents
    for sign in text.translate(_PLAIN):
        kind = _kind(sign)
        if kind != "mark":
            accents = kind != "letter"
        kept.append(" " if kind == "other" else "" if kind == "mark" and accents else sign)
    return "".join(kept).split(" ")


@cache
def _kind(sign: str) -> str:
    """Return `accented` (a letter whose marks are accents), `letter`, `mark` or `other`."""
    kind = unicodedata.category(sign)[0]
    if kind in "LN":
        accented = unicodedata.name(sign, "").startswith(_ACCENTED)
        return "accented" if accented else "letter"
    return "mark" if kind == "M" else "other"


def _repaired(name: str) -> str:
    if not any(mark in name for mark in "ÃÂ"):
        return name
    try:
        return name.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return name


def match_names(
    within: pd.Series, name: pd.Series, names: pd.DataFrame, spelling: Mapping[str, str]
) -> pd.Series:
    """Return the area of each row, <NA> where the names do not lead to exactly one.

    Names are compared within their unit of the lowest level in this order: present names; present
    names of cities, called just by name; former names. The first that finds any area decides.
    Without that ('' or missing), one area must answer to the name in the whole country, now or
    before. A name without letters and digits is no area's.

    Parameters
    ----------
    within, name : as written in some file, same length.
    names : area_id, within, name, former; see `Frame.names`.
    spelling : see `canonical`.
    """
    keys = names[["within", "name"]].map(lambda text: canonical(text, spelling))
    keys = keys.assign(area_id=names["area_id"], former=names["former"])
    present, former = keys[~keys["former"]], keys[keys["former"]]
    just_name = present.assign(name=present["name"].str.removeprefix(CITY))
    tiers = [_lookup(tier) for tier in (present, just_name, former)]
    anywhere = _lookup(pd.concat([present, just_name, former]).assign(within=""))

    def find(where: object, what: object) -> str | None:
        if not isinstance(what, str):
            return None
        within_key = canonical(where, spelling) if isinstance(where, str) else ""
        key = (within_key, canonical(what, spelling))
        if not key[1]:
            return None
        lookups = tiers if within_key else [anywhere]
        found = next((lookup[key] for lookup in lookups if key in lookup), set())
        return next(iter(found)) if len(found) == 1 else None

    found = [find(where, what) for where, what in zip(within, name, strict=True)]
    return pd.Series(found, index=name.index, dtype="string", name="area_id")


def _lookup(tier: pd.DataFrame) -> dict[tuple[str, str], set[str]]:
    """Return (within, name) -> areas."""
    found: dict[tuple[str, str], set[str]] = {}
    for where, what, area_id in tier[["within", "name", "area_id"]].to_numpy():
        found.setdefault((where, what), set()).add(area_id)
    return found
