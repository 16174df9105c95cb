"""How often a source comes out, in words, and when it is therefore due again."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

#: Words -> days.
DAYS = {
    "continuous": 1, "daily": 1, "weekly": 7, "fortnightly": 14, "monthly": 30, "quarterly": 91,
    "half-yearly": 182, "yearly": 365, "annual": 365, "annually": 365,
}  # fmt: skip
UNITS = {"day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}
NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10,
}  # fmt: skip
EVERY = re.compile(r"every (?:(\w+) )?(day|week|month|quarter|year)s?")


def days_of(cadence: str) -> int | None:
    """Return the days between two issues; None where the words name none (`once`).

    >>> days_of("yearly"), days_of("every two months"), days_of("every 5 years"), days_of("once")
    (365, 60, 1825, None)
    """
    words = cadence.strip().lower()
    if words in DAYS:
        return DAYS[words]
    if found := EVERY.fullmatch(words):
        said, unit = found.groups()
        number = 1 if said is None else int(said) if said.isdigit() else NUMBERS.get(said)
        return None if not number else number * UNITS[unit]
    return None


def due(cadence: str, last: datetime | None) -> datetime | None:
    """Return when a source is due, given when its file last came; None if never by itself.

    Without a `last` it has been due since the beginning of time.
    """
    if last is None:
        return datetime.min
    days = days_of(cadence)
    return None if days is None else last + timedelta(days=days)
