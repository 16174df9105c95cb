"""The catalog: what may be said in it, and how a slip is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallarea.catalog import load_catalog
from smallarea.errors import InputError

ENTRY = """
sources:
  poverty:
    title: Poverty
    publisher: PSA
    licence: CC BY 4.0
    access: open
    file: poverty.csv
    kind: table
    cadence: yearly
    vintage: 2009
    key: {code: psgc}
    columns:
      rate: {min: 0, max: 100}
frame: {anything: [1, 2]}
settings: {seed: 1}
"""


def load(tmp_path: Path, text: str):
    path = tmp_path / "data_catalog.yaml"
    path.write_text(text, encoding="utf-8")
    return load_catalog(path)


def test_an_entry_is_read_and_the_blocks_of_others_pass_through(tmp_path):
    catalog = load(tmp_path, ENTRY)
    source = catalog.sources["poverty"]
    assert (source.name, source.vintage, source.columns["rate"].max) == ("poverty", "2009", 100)
    assert catalog.frame == {"anything": [1, 2]}
    assert catalog.settings == {"seed": 1}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("kind: table", "kind: tabel", ["sources > poverty > kind"]),
        ("    publisher: PSA\n", "", ["sources > poverty > publisher", "required"]),
        ("cadence:", "cadenze:", ["sources > poverty > cadenze"]),
        (
            "key: {code: psgc}",
            "key: {psgc: psgc}",
            ["psgc", "no level of the frame"],
        ),
        ("rate: {min: 0", "rate: {min: low", ["columns > rate > min"]),
        ("rate: {min: 0", 'rate: {expected: "+", min: 0', ["columns > rate", "say in `why`"]),
        ("key: {code", "per: [year]\n    key: {code", ["'per'", "year"]),
        ("rate: {min: 0, max: 100}", "rate: {type: text}\n    aggregate: sum", ["rate", "text"]),
        ("frame:", "farme:", ["farme"]),
        ("settings:", "sources: {}\nsettings:", ["line 16", "'sources' is declared twice"]),
        ("{code: psgc}", "{code: psgc", ["line 1"]),
    ],
)
def test_a_slip_names_file_entry_and_field(tmp_path, old, new, said):
    with pytest.raises(InputError) as caught:
        load(tmp_path, ENTRY.replace(old, new))
    for words in ["data_catalog.yaml", *said]:
        assert words in str(caught.value)


@pytest.mark.parametrize("text", ["", "- a list", "just words"])
def test_a_file_without_entries_is_refused(tmp_path, text):
    with pytest.raises(InputError, match="no mapping"):
        load(tmp_path, text)


def test_a_missing_catalog_is_said_to_be_missing(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_catalog(tmp_path / "data_catalog.yaml")


def test_the_repository_catalog_declares_one_source_of_each_kind_and_every_licence():
    sources = load_catalog(Path(__file__).parents[2] / "data_catalog.yaml").sources.values()
    assert {s.kind for s in sources} == {"table", "raster", "points", "lines", "flows"}
    assert all(s.licence and s.publisher for s in sources)
    assert all(s.access == "open" or s.optional for s in sources)
