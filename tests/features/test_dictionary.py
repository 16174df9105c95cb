"""Every column says whose it is and who may see it; every missing cell says why."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallarea.catalog import Catalog, ReadReport, take_snapshots
from smallarea.catalog.declare import ACCESS
from smallarea.features import build_features, load_features, save_features
from smallarea.features.dictionary import strictest
from smallarea.features.missing import reasons

A, B, C, D, E, F = (f"01{p:03d}{n:02d}000" for p in (1, 2) for n in (1, 2, 3))
PAPERS = dict.fromkeys(("title", "publisher", "licence", "cadence"), "x")
LEVELS = [{"name": "province"}, {"name": "region"}]


def source(access: str, **fields):
    own = {**PAPERS, "access": access, "kind": "table", "vintage": 2020, **fields}
    return Catalog.model_validate({"sources": {"s": {"file": "s.csv", **own}}}).sources["s"]


@given(st.lists(st.sampled_from(ACCESS), max_size=5))
def test_a_column_is_as_strict_as_its_strictest_source(tiers):
    found = strictest([source(tier, key={"code": "c"}) for tier in tiers])
    assert all(ACCESS.index(found) >= ACCESS.index(tier) for tier in tiers)
    assert found in (tiers or [ACCESS[0]])


@pytest.fixture
def built(tmp_path, squares):
    """One stream of a restricted table and a table by region, one of the frame alone."""
    (tmp_path / "own.csv").write_text(f"code,n\n{A},7\n{B},<5\n{C},\n{D},0\n")
    (tmp_path / "above.csv").write_text("region,m\nCapital Region (CR),2\n")
    count = {"n": {"type": "integer", "min": 0}}
    sources = {
        "own": {**PAPERS, "file": "own.csv", "kind": "table", "access": "restricted",
                "domain": "money", "vintage": 2021, "key": {"code": "code"}, "columns": count},
        "above": {**PAPERS, "file": "above.csv", "kind": "table", "access": "agreement",
                  "domain": "reach", "vintage": 2020, "key": {"region": "region"},
                  "columns": {"m": {}}},
    }  # fmt: skip
    catalog = Catalog.model_validate({"sources": sources, "frame": {"levels": LEVELS}})
    folder = tmp_path / "features"
    folder.mkdir()
    head = "import pandas as pd\nfrom smallarea.features import stream, tables\n\n\n"
    (folder / "both.py").write_text(
        head + '@stream(source=["own", "above"], unit={"n": "x", "nm": "x"})\n'
        "def both(own, above, areas):\n    n = tables.align(own, areas)['n']\n"
        "    m = tables.join_down(above, areas)['m']\n"
        "    return pd.DataFrame({'n': n, 'nm': n * m})\n"
    )
    (folder / "people.py").write_text(
        head + '@stream(unit={"people": "persons"}, domain="people")\n'
        "def people(areas):\n    return areas.table[['population']].set_axis(['people'], axis=1)\n"
    )
    kept = take_snapshots(catalog.sources, [tmp_path], tmp_path / "store")
    return build_features(catalog, squares, folder, kept)


def test_columns_inherit_the_strictest_tier_the_coarsest_level_and_all_domains(built):
    told = built.info[["domain", "level", "access", "vintage"]]
    assert told.loc["nm"].tolist() == ["money and reach", "region", "restricted", "2021, 2020"]
    assert told.loc["people"].tolist() == ["people", "area", "open", ""]
    assert built.info.loc["nm", "sha256"].count(",") == 1


def test_every_missing_cell_has_a_reason_and_no_other_cell_has_one(built):
    missing = built.missing.set_index(["feature", "area_id"])["reason"]
    cells = {(f, a) for f in built.values for a in built.values.index[built.values[f].isna()]}
    assert set(missing.index) == cells
    assert missing.notna().all()
    assert missing["n", B] == "a small count of it is withheld in own"
    assert missing["n", E] == "own has no row of it"
    assert missing["nm", A] == "above has no row of it"  # its region has none
    assert missing["n", C].startswith(("empty or undefined", "above has no row"))


def test_reasons_survive_saving(built, tmp_path):
    save_features(built, tmp_path)
    pd.testing.assert_frame_equal(load_features(tmp_path).missing, built.missing)


def test_an_area_without_points_has_a_count_but_no_mean(squares):
    ids = squares.table.index
    values = pd.DataFrame({"n": [1.0, 0.0], "mean": [2.0, None]}, index=ids[:2])
    points = pd.DataFrame({"area_id": ids[:1], "lat": 10.0, "lon": 120.0})
    (lost,) = reasons(values, [points], [ReadReport("p", "p.csv")]).to_dict("records")
    assert lost == {"feature": "mean", "area_id": ids[1], "reason": "p has no point in it"}
