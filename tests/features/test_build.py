"""From stream files to the feature matrix; every slip of a stream file names it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from smallarea.catalog import Catalog, take_snapshots
from smallarea.errors import InputError
from smallarea.features import build_features, load_streams

FIRST, SECOND = "0100101000", "0100102000"
HEAD = "import numpy as np\nimport pandas as pd\nfrom smallarea.features import stream, tables\n"
GOOD = (
    HEAD
    + """
@stream(source="rates", unit={"rate": "%"})
def wealth(rates, areas):
    "Wealth. Trap: none."
    return tables.align(rates, areas)[["rate"]]
"""
)


@pytest.fixture
def project(tmp_path):
    """Folders of a project: one source, one stream; `write(name, text)` adds a stream file."""
    for name in ("features", "real", "twin"):
        (tmp_path / name).mkdir()
    (tmp_path / "twin" / "rates.csv").write_text(f"psgc,rate\n{FIRST},1\n{SECOND},2\n77,3\n")
    (tmp_path / "features" / "wealth.py").write_text(GOOD)
    return tmp_path


def build(project: Path, squares, progress=None, **fields):
    papers = {
        "title": "Rates", "publisher": "P", "licence": "L", "access": "open", "cadence": "yearly",
        "vintage": 2020, "file": "rates.csv", "kind": "table", "key": {"code": "psgc"},
        "columns": {"rate": {"min": 0}},
    }  # fmt: skip
    catalog = Catalog.model_validate({"sources": {"rates": papers | fields}})
    folders = [project / "real", project / "twin"]
    kept = take_snapshots(catalog.sources, folders, project / "store")
    return build_features(catalog, squares, project / "features", kept, progress)


def write(project: Path, body: str, name: str = "other.py") -> None:
    (project / "features" / name).write_text(HEAD + body)


def test_features_carry_values_papers_and_reports(project, squares):
    seen = []
    features = build(project, squares, lambda name, share: seen.append((name, share)))
    assert features.values.index.equals(squares.table.index)
    assert features.values["rate"].dropna().to_dict() == {FIRST: 1, SECOND: 2}
    info = features.info.loc["rate"]
    assert info[["stream", "source", "unit", "vintage"]].tolist() == [
        "wealth",
        "rates",
        "%",
        "2020",
    ]
    assert info["coverage"] == pytest.approx(2 / 6)
    assert len(info["sha256"]) == 64
    assert features.reports[0].unmatched["key"].tolist() == ["77"]
    assert seen == [("wealth", 0.0), ("", 1.0)]


def test_a_real_file_takes_the_place_of_the_twins(project, squares):
    (project / "real" / "rates.csv").write_text(f"psgc,rate\n{FIRST},9\n")
    features = build(project, squares)
    assert features.values["rate"].dropna().to_dict() == {FIRST: 9}


def test_a_source_is_read_once_for_all_its_streams(project, squares):
    write(project, '@stream(source=["rates"], unit={"r": "%"})\ndef again(rates, areas):\n'
          '    return tables.align(rates, areas).rename(columns={"rate": "r"})\n')  # fmt: skip
    assert len(build(project, squares).reports) == 1


def test_a_stream_of_the_frame_alone_needs_no_source(project, squares):
    write(project, '@stream(unit={"population": "persons"})\ndef frame_only(areas):\n'
          '    return areas.table[["population"]]\n')  # fmt: skip
    info = build(project, squares).info.loc["population"]
    assert info[["source", "sha256"]].tolist() == ["frame", ""]


def test_an_absent_source_stops_unless_it_is_optional(project, squares):
    write(project, '@stream(unit={"one": "1"})\ndef one(areas):\n'
          '    return pd.DataFrame({"one": 1.0}, index=areas.table.index)\n')  # fmt: skip
    (project / "twin" / "rates.csv").unlink()
    with pytest.raises(InputError, match=r"'rates', file 'rates.csv': its file is in none of"):
        build(project, squares)
    features = build(project, squares, optional=True)
    assert list(features.values) == ["one"]
    assert "stream 'wealth' is left out" in str(features.reports[0])


BODY = '@stream(source="rates", unit={"x": "1"})\ndef other(rates, areas):\n    return '


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (BODY + 'pd.DataFrame({"x": [1.0]}, index=["0"])', "1 rows are not the frame's 6 areas"),
        (BODY + 'pd.DataFrame({"x": 1.0}, index=range(6))', "not the frame's 6 areas"),
        (BODY + 'pd.DataFrame({"y": 1.0}, index=areas.table.index)', "differ in: x, y"),
        (BODY + 'pd.DataFrame({"x": "a"}, index=areas.table.index)', "not numbers: x"),
        (BODY + 'pd.DataFrame({"x": np.inf}, index=areas.table.index)', "column 'x' is infinite"),
        (BODY + "rates.groupby('nothing')", "it fails: KeyError"),
        (BODY + "[1, 2]", "returns a list"),
        (BODY + "tables.annual(rates, areas, 'median', least=1)", "tables.annual: 'median'"),
        ("import nonsense", "does not load: ModuleNotFoundError"),
        ("x = 1", "holds 0 streams"),
        (BODY.replace(', unit={"x": "1"}', "") + "1", "says no unit of its columns. add unit={"),
        (BODY + "1\n" + BODY.replace("def other", "def two") + "2", "holds 2 streams"),
        (BODY.replace('"rates"', '"prices"') + "1", "'prices', which the catalog does not declare"),
    ],
)
def test_a_slip_in_a_stream_file_names_it(project, squares, body, said):
    write(project, body)
    with pytest.raises(InputError) as caught:
        build(project, squares)
    assert "stream file other.py" in str(caught.value)
    assert said in str(caught.value)


def test_two_streams_cannot_make_the_same_feature(project, squares):
    write(project, GOOD.replace(HEAD, "").replace("wealth", "copy"))
    with pytest.raises(InputError, match=r"'rate' is made by more than one stream: copy, wealth"):
        build(project, squares)


def test_a_project_without_stream_files_is_told_so(project, squares, tmp_path):
    (project / "features" / "wealth.py").unlink()
    with pytest.raises(InputError, match="no stream could be built"):
        build(project, squares)
    with pytest.raises(InputError, match="no such folder"):
        load_streams(tmp_path / "nowhere")


def test_shared_code_is_left_out_and_streams_say_what_they_mean(project):
    write(project, "raise RuntimeError", name="_shared.py")
    (stream,) = load_streams(project / "features").values()
    assert stream.about == "Wealth. Trap: none."


def test_the_order_of_areas_in_a_stream_is_irrelevant(project, squares):
    straight = build(project, squares).values
    (project / "features" / "wealth.py").write_text(GOOD.rstrip() + ".iloc[::-1]\n")
    turned = build(project, squares).values
    assert np.array_equal(straight.to_numpy(), turned.to_numpy(), equal_nan=True)
