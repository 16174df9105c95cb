"""Addresses without secrets, cadences in words, agreements."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from pydantic import ValidationError

from smallarea.catalog import Source
from smallarea.fetching.cadence import days_of, due
from smallarea.fetching.state import State


def source(**more):
    return Source.model_validate(
        {
            "name": "books", "title": "b", "publisher": "p", "licence": "l", "access": "open",
            "file": "books.csv", "kind": "table", "cadence": "monthly", "vintage": "2020",
            "key": {"code": "code"},
        } | more
    )  # fmt: skip


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"url": "https://me:secret@host/x"}, "user or password"),
        ({"url": "https://host/x?api_key=1"}, "is a secret"),
        ({"url": "https://host/x?sig="}, "is a secret"),
        ({"url": "books.csv"}, "no address"),
        ({"url": "https://host/x", "file": "b_*.csv"}, "several files"),
        ({"url": "https://host/x", "file": "b.shp", "kind": "lines", "key": {}}, "several files"),
        ({"query": [{"code": "a"}]}, "with an address"),
        ({"sha256": "12"}, "pattern"),
        ({"agreement_ends": "soon"}, "date"),
    ],
)
def test_entries_that_are_refused(more, said):
    with pytest.raises(ValidationError, match=said) as error:
        source(**more)
    assert "me:secret" not in error.value.errors()[0]["msg"]


def test_terms():
    day = date(2026, 3, 1)
    assert source(agreement_ends=day).forbidden(None, day) is None
    assert "agreement ended on 2026-03-01" in source(agreement_ends=day).forbidden(
        None, date(2026, 3, 2)
    )
    assert "kept until" in source(retention_until=day).forbidden(None, date(2026, 3, 2))
    one = source(purposes=["research"])
    assert one.forbidden("research", day) is None
    assert "'press' is not allowed; it may be used for research" in one.forbidden("press", day)
    assert "no purpose is stated" in one.forbidden(None, day)


@pytest.mark.parametrize(
    ("words", "days"),
    [("daily", 1), ("Yearly", 365), ("every three years", 1095), ("every 2 weeks", 14),
     ("every month", 30), ("once", None), ("every few years", None), ("", None)],
)  # fmt: skip
def test_cadences(words, days):
    assert days_of(words) == days


def test_due():
    came = datetime(2026, 1, 1)
    assert due("monthly", came) == datetime(2026, 1, 31)
    assert due("once", came) is None
    assert due("once", None) == datetime.min
    state = State(url="https://a/b", came="2026-01-01T00:00:00+00:00")
    assert state.due(source(url="https://a/b")) == datetime(2026, 1, 31)
    assert state.due(source(url="https://a/c")) == datetime.min
