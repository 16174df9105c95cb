"""PXWeb answers as CSV."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest

from smallarea.errors import InputError
from smallarea.fetching.pxweb import table_of


def answer(**more):
    return {
        "class": "dataset", "version": "2.0", "id": ["Area", "What", "Year"], "size": [2, 2, 1],
        "dimension": {
            "Area": {"category": {"index": {"01": 0, "02": 1}, "label": {"01": "A, B", "02": "C"}}},
            "What": {"category": {"index": ["a", "b"], "label": {"a": "apples", "b": "books"}}},
            "Year": {"category": {"label": {"2020": "2020"}}},
        },
        "value": [1, 2.5, None, 4],
    } | more  # fmt: skip


def table(value):
    return table_of(json.dumps(value).encode(), "there").decode()


def test_one_row_for_every_cell():
    assert table(answer()).splitlines() == [
        "Area,Area_label,What,What_label,Year,Year_label,value",
        '01,"A, B",a,apples,2020,2020,1',
        '01,"A, B",b,books,2020,2020,2.5',
        "02,C,a,apples,2020,2020,",
        "02,C,b,books,2020,2020,4",
    ]


def test_what_is_measured_becomes_columns():
    read = pd.read_csv(io.StringIO(table(answer(role={"metric": ["What"]}))), dtype={"Area": str})
    assert list(read.columns) == ["Area", "Area_label", "Year", "Year_label", "a", "b"]
    assert read["b"].tolist() == [2.5, 4]
    assert read["a"].isna().tolist() == [False, True]


def test_sparse_values_are_the_same():
    assert table(answer(value={"0": 1, "1": 2.5, "3": 4})) == table(answer())


@pytest.mark.parametrize(
    "wrong",
    [[], {}, {"id": 3}, answer(value=[1]), answer(size=[3, 2, 1]), answer(size=["x", 1, 1]),
     answer(dimension={}), answer(value={"9": 1, "x": 2}), answer(id=["Area"])],
)  # fmt: skip
def test_anything_else_is_refused(wrong):
    with pytest.raises(InputError, match=r"there: the answer is no JSON-stat"):
        table(wrong)


def test_too_many_cells_are_refused(monkeypatch):
    monkeypatch.setenv("SMALLAREA_LIMITS", "cells=3")
    with pytest.raises(InputError, match="more than 3 cells"):
        table(answer())
