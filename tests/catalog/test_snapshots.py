"""Snapshots: the same bytes once, every version kept, never changed by what happens outside."""

from __future__ import annotations

import json

import pytest

from smallarea.catalog import Source, locate, snapshot
from smallarea.errors import InputError

SOURCE = Source(
    name="rates", title="Rates", publisher="PSA", licence="CC BY", access="open", file="rates.csv",
    kind="table", cadence="yearly", vintage="2020", key={"code": "psgc"},
)  # fmt: skip


def test_a_snapshot_keeps_the_bytes_and_its_papers(tmp_path):
    data, store = tmp_path / "data", tmp_path / "store"
    data.mkdir()
    (data / "rates.csv").write_text("psgc,rate\n")
    first = snapshot(SOURCE, [data], store)
    (data / "rates.csv").write_text("psgc,rate\n1,2\n")
    second = snapshot(SOURCE, [data], store)
    assert first.path != second.path
    assert first.path.read_text() == "psgc,rate\n"
    papers = json.loads(first.papers.read_text())
    assert papers["sha256"] == first.sha256
    assert (papers["size"], papers["licence"], papers["publisher"]) == (10, "CC BY", "PSA")
    assert papers["original_name"] == "rates.csv"
    fetched = second.papers.read_text()
    assert snapshot(SOURCE, [data], store) == second
    assert second.papers.read_text() == fetched


def test_the_first_folder_that_has_the_file_wins(tmp_path):
    for name in ("real", "twin"):
        (tmp_path / name).mkdir()
    (tmp_path / "twin" / "rates.csv").write_text("twin")
    folders = [tmp_path / "real", tmp_path / "twin"]
    assert locate(SOURCE, folders) == tmp_path / "twin" / "rates.csv"
    (tmp_path / "real" / "rates.csv").write_text("real")
    assert snapshot(SOURCE, folders, tmp_path / "store").path.read_text() == "real"


def test_a_missing_file_is_named_with_the_folders_searched(tmp_path):
    with pytest.raises(InputError) as caught:
        snapshot(SOURCE, [tmp_path / "here", tmp_path / "there"], tmp_path / "store")
    for words in ("rates.csv", "'rates'", "here", "there"):
        assert words in str(caught.value)
