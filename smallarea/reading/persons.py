"""Columns that look like persons, by their names and by what their cells say; neither alone.

The engine counts people and needs none of them. A column is told by its header *and* cells that fit
(a column `telephone` may be the share of homes with one), or by cells that can hardly be anything
else. Names of places are not persons: towns are called after people, so cells alone tell names only
where a large part of them end in, or hold, an initial.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.reading.cells import HEADER_WITHIN, as_text, normalise
from smallarea.reading.person_cells import (
    account,
    address,
    card,
    coordinates,
    degrees,
    email,
    full_name,
    handle,
    iban,
    large_network_address,
    network_address,
    number_of_phone,
    phone,
    some_email,
    some_phone,
    words,
)

#: Cells of a column that are looked at, at most: distinct ones, evenly over the file.
CELLS = 20_000
#: Longer cells head nothing.
LONGEST = 60


def _says(*phrases: str) -> re.Pattern[str]:
    return re.compile(r"(?:^| )(?:" + "|".join(phrases) + r")(?: |$)")


WHO = (
    "respondent|informant|interviewee|survivor|complainant|suspect|client|beneficiary|patient"
    "|child|mother|father|guardian|spouse|caretaker|contact|owner|proprietor"
    "|(?:(?:household|hh|family) )?(?:head|member)"
)
NAME = re.compile("^names?$")
NAMES = _says(
    r"(?:first|last|family|given|middle|full|maiden|nick|sur) ?names?",
    rf"(?:{WHO})(?: s)? names?", rf"names? of (?:the )?(?:{WHO})",
    "contact person", r"head of (?:the )?(?:household|hh|family)",
)  # fmt: skip
PHONE = _says(
    "(?:cell|tele|mobile)?phones?", "tel", "mobile", "cell", "msisdn", "whatsapp", "viber", "fax",
    "contact n(?:o|umber)",
)  # fmt: skip
EMAIL, IP = _says("e ?mails?(?: address)?"), _says("ip", "ip ?addr(?:ess)?", "ipv[46]")
ACCOUNT = _says(
    "(?:account|acct|card|wallet)(?: (?:n(?:o|r|um|umber)|id|#))?", "iban", "passport(?: no)?",
)  # fmt: skip
HANDLE = _says("user ?names?", "screen ?names?", "handle", "facebook", "messenger", "profile url")
PLACED = _says("lat", "latitude", "lon", "long", "lng", "longitude", "gps", "coord(?:inate)?s?")
HOME = _says("hh", "house", "household", "home", "dwelling", "respondent")
STREET = _says("address")
Cells = Callable[[pd.Series], pd.Series]


@dataclass(frozen=True)
class Looks:
    """A column that looks like persons: its header, what it looks like, in how many cells."""

    column: str
    what: str
    cells: int


def persons_in(table: pd.DataFrame, *, survey: bool, spared: Collection[str] = ()) -> list[Looks]:
    """Return the columns of a table that look like persons.

    Parameters
    ----------
    table : columns by header, cells as read.
    survey : a row is a respondent, a household or one of its people, so one cell is enough, and
        positions are of homes; else two cells are needed (a footnote may give an office's address).
    spared : headers that are not looked at: of places, or said to be no persons.
    """
    not_looked = {normalise(name) for name in spared}
    found = []
    for position, header in enumerate(map(str, table.columns)):
        if normalise(header) not in not_looked:
            found += _look([header], as_text(table.iloc[:, position]).dropna(), survey)
    return found


def persons_in_cells(cells: pd.DataFrame, *, spared: Collection[str] = ()) -> list[Looks]:
    """Return the same of a sheet of areas whose header may be in any of its first rows.

    cells : see :func:`smallarea.reading.cells.read_cells`.
    """
    not_looked, found = {normalise(name) for name in spared}, []
    for column in cells:
        text = as_text(cells[column]).dropna()
        top = [str(cell) for cell in text.head(HEADER_WITHIN) if len(str(cell)) <= LONGEST]
        if not not_looked & {normalise(name) for name in top}:
            found += _look(top, text, False)
    return found


def refuse_persons(found: list[Looks], name: str, *, declare: str = "") -> None:
    """Raise InputError naming the first column that looks like persons; no cell is quoted.

    declare : how to say that it is none of that, if that can be said.
    """
    if found:
        more = f" (and {len(found) - 1} more such columns)" if len(found) > 1 else ""
        cells = "1 cell" if found[0].cells == 1 else f"{found[0].cells:,} cells"
        raise InputError(
            f"it looks like {found[0].what} of persons, in {cells}{more}",
            where=f"{name}, column '{found[0].column}'",
            remedy="take it out of the file, and out of every copy that is passed on: no person is "
            f"needed here{declare}",
        )


def _look(headers: Sequence[str], text: pd.Series, survey: bool) -> list[Looks]:
    """Return what one column looks like, at most one thing.

    headers : what may be its header, all of it in a table. text : its filled cells.
    """
    if text.empty:
        return []
    said = {header: normalise(header.replace("_", " ")) for header in headers}

    def told(*heads: re.Pattern[str]) -> str | None:
        return next((h for h, s in said.items() if all(head.search(s) for head in heads)), None)

    values, times = _distinct(text)
    looked = int(times.sum())
    mostly = looked >= 2 and len(values) > looked / 2
    least, half = (1 if survey else 2), max(1.0, looked / 2)

    def look(what: str, header: str | None, test: Cells, enough: float) -> list[Looks]:
        if header is None:
            return []
        n = int(times[test(values).to_numpy(bool)].sum())
        return [Looks(header, what, n)] if n >= enough else []

    any_header = headers[0] if headers else ""
    one_by_one = any_header if mostly else None
    found = look("telephone numbers", told(PHONE), number_of_phone, half)
    found = found or look("account numbers", told(ACCOUNT), account, half)
    if looked >= 5:
        found = found or look("card numbers", any_header, card, 0.8 * looked)
    if one_by_one is not None and (home := told(PLACED) if survey else told(PLACED, HOME)):
        found = found or look("positions", home, degrees, half)
    if found or pd.to_numeric(values, errors="coerce").notna().all():
        return found
    found = look("telephone numbers", any_header, some_phone if survey else phone, least)
    mails = some_email if survey else email
    found = found or look("e-mail addresses", told(EMAIL), mails, 1)
    found = found or look("e-mail addresses", any_header, mails, least)
    found = found or look("IP addresses", told(IP), network_address, 1)
    found = found or look("IP addresses", any_header, large_network_address, least)
    found = found or look("account numbers", any_header, iban, least)
    found = found or look("names", told(NAMES), words, half)
    found = found or look("names", any_header, full_name, max(2.0, 0.3 * looked))
    pairs = any_header if survey else told(HOME)
    found = found or look("positions", pairs, coordinates, least)
    if one_by_one is not None:
        found = found or look("accounts", told(HANDLE), handle, half)
        found = found or (look("names", told(NAME), words, half) if survey else [])
        street = told(STREET) if survey else told(STREET, HOME)
        found = found or look("addresses", street, address, half)
    return found


def _distinct(text: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """Return at most `CELLS` distinct values, and how often each stands there."""
    counts = text.astype(str).str.removesuffix(".0").value_counts()
    if len(counts) > CELLS:
        counts = counts.iloc[np.linspace(0, len(counts) - 1, CELLS).astype(int)]
    return pd.Series(counts.index.astype(str)), counts.to_numpy()
