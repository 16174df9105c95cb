"""The twin of an invented project, from its catalog alone: files of every kind."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import smallarea as sa
from smallarea.areas import Frame, build_frame
from smallarea.catalog import Catalog, load_catalog, read, snapshot, take_snapshots
from smallarea.errors import InputError
from smallarea.features import build_features
from smallarea.files import sha256
from smallarea.indicators import read_indicators
from smallarea.nsum.direct.elsewhere import read_direct
from smallarea.simulate import LABEL, TwinSettings, grow_truth, simulate, simulate_survey
from smallarea.survey import read_ard

ROOT = Path(__file__).parents[2]
ABOUT = dict.fromkeys(("title", "publisher", "licence", "cadence"), "x") | {"access": "open"}
ABOUT["vintage"] = "2020"


def source(file: str, kind: str, **fields) -> dict:
    return ABOUT | {"file": file, "kind": kind} | fields


CATALOG = {
    "frame": {
        "connector": "table",
        "publisher": "nobody",
        "licence": "none",
        "vintage": "2020",
        "crs": "EPSG:32632",
        "area_crs": "EPSG:6933",
        "file": "towns.csv",
        "code": "code",
        "name": "town",
        "population": "people",
        "lon": "x",
        "lat": "y",
        "coast": {"farthest_km": 30},
        "levels": [{"name": "shire"}, {"name": "realm"}],
    },
    "sources": {
        "wages": source(
            "wages.csv", "table", key={"code": "id"}, per=["year", "sex"],
            columns={
                "year": {"type": "integer", "min": 1990, "max": 2100},
                "sex": {"type": "text", "values": ["women", "men"]},
                "wage": {"header": "Mean wage", "min": 5},
                "paid": {"type": "integer", "min": 0, "withheld": 150},
            },
        ),
        "books": source(
            "books.xlsx", "table", key={"name": "Town", "shire": "Shire"}, layer="lent",
            columns={"books": {"type": "integer", "min": 0}, "late": {"min": 0, "max": 1}},
        ),
        "health": source(
            "health.csv", "table", key={"realm": "Realm"},
            columns={"ill": {"min": 0, "max": 100}, "beds": {"type": "integer", "min": 0}},
        ),
        "pubs": source(
            "pubs.csv", "points", key={"lat": "lat", "lon": "lon"}, snap_km=50,
            columns={"kind": {"type": "text", "values": ["inn", "bar"]}, "seats": {"min": 1}},
        ),
        "wells": source("wells.geojson", "points", snap_km=50, columns={"depth": {}}),
        "paths": source("paths.gpkg", "lines", columns={"width": {"min": 1, "max": 9}}),
        "moves": source(
            "moves.csv", "flows", key={"origin": "from", "destination": "to"},
            columns={"people": {"type": "integer", "min": 0}},
        ),
        "rain": source("rain.tif", "raster"),
        "soil": source("soil.tif", "raster", classes=[1, 2, 7]),
    },
    "indicators": {
        "title": "Smokers",
        "populations": {"population": {"label": "people"}},
        "components": {
            name: {
                "population": "population", "label": name, "definition": "x", "excludes": "y",
                "reference_period": "2020", **more,
            }
            for name, more in (("pipe", {}), ("cigar", {"group": "cigars"}))
        },
        "sums": {"smokers": {"of": ["pipe", "cigar"], "label": "Smokers", "overlap": 0.1}},
    },
    "settings": {
        "seed": 3, "survey": "data/twin/survey", "top_k": 5, "folds": 2, "draws": {"fast": 200},
        "describe_by": {}, "tau_prior": {"a": 15, "b": 285, "source": "assumed"},
    },
    "twin": {"totals": {"smokers": 9_500}, "typical": {"wages": {"wage": 20}}},
}  # fmt: skip

STREAM = '''"""One stream."""
import pandas as pd
from smallarea.features import flows, lines, points, stream, tables, zonal


@stream(source={sources!r}, unit=dict.fromkeys({names!r}, "x"))
def {name}({args}, areas):
    return pd.DataFrame({body})
'''
BODIES = {
    "wages": {"wage": "wages.groupby('area_id')['wage'].mean().reindex(areas.table.index)"},
    "books": {"books": "tables.per_capita(tables.align(books, areas)['books'], areas)"},
    "health": {"ill": "tables.join_down(health, areas)['ill']"},
    "pubs": {"pubs": "points.count(pubs, areas)", "seats": "points.mean(pubs, areas, 'seats')"},
    "wells": {"well_km": "points.nearest_km(wells, areas)"},
    "paths": {"path_km": "lines.length_km(paths, areas).iloc[:, 0]"},
    "moves": {"stay": "flows.balance(moves, areas, 'people')['self_containment']"},
    "rain": {"rain": "zonal(rain, areas, ['mean'])['mean']"},
    "soil": {"clay": "zonal(soil, areas, {'clay': 'share(2, 7)'})['clay']"},
}


def project(root: Path, n: int = 36, **blocks) -> sa.Project:
    """Write the project: n towns on a grid, in shires of six and two realms."""
    rng = np.random.default_rng(n)
    number = np.arange(n)
    for name in ("features", "models", "data"):
        (root / name).mkdir(parents=True)
    towns = pd.DataFrame(
        {
            "code": [f"t{i:02d}" for i in number],
            "town": [f"Town {i}" for i in number],
            "shire": [f"Shire {i // 6}" for i in number],
            "realm": np.where(number // 6 < n // 12, "North", "South"),
            "people": rng.integers(2_000, 90_000, n),
            "x": 10 + number % 6 / 10,
            "y": 50 + number // 6 / 10,
        }
    )
    towns.to_csv(root / "data" / "towns.csv", index=False)
    catalog = CATALOG | blocks
    (root / "data_catalog.yaml").write_text(yaml.safe_dump(catalog, sort_keys=False))
    for name, body in BODIES.items():
        written = "{" + ", ".join(f"{key!r}: {value}" for key, value in body.items()) + "}"
        text = STREAM.format(sources=name, names=list(body), name=name, args=name, body=written)
        (root / "features" / f"{name}.py").write_text(text)
    for model in ("national_rate", "poisson_ridge"):
        text = (ROOT / "models" / f"{model}.py").read_text()
        text = text.replace(', profiles=["full"], stack=False', "")
        (root / "models" / f"{model}.py").write_text(text)
    return sa.Project(root)


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> sa.Project:
    made = project(tmp_path_factory.mktemp("any") / "project")
    assert made.simulate() == made.twin
    return made


@pytest.fixture(scope="module")
def country(made) -> Frame:
    return build_frame(made.catalog, [made.root / "data"])


def test_every_source_has_its_file_and_every_row_its_area(made, country, tmp_path):
    streams = made.twin / "streams"
    assert {p.name for p in streams.iterdir()} == {s.file for s in made.catalog.sources.values()}
    for one in made.catalog.sources.values():
        data, report = read(one, snapshot(one, [streams], tmp_path), country)
        assert len(report.unmatched) == one.file.endswith(".xlsx"), one.name
        if one.kind != "raster":
            assert set(one.columns) <= set(data), one.name


def test_rows_columns_and_cells_are_as_declared(made, country):
    wages = pd.read_csv(made.twin / "streams" / "wages.csv", dtype=str)
    assert len(wages) == len(country.table) * 3 * 2
    assert sorted(set(wages["year"])) == ["2018", "2019", "2020"]
    assert set(wages["sex"]) == {"women", "men"}
    withheld = wages["paid"] == "<150"
    assert withheld.any()
    assert (wages.loc[withheld, "Mean wage"] == "<150").all()
    assert wages.loc[~withheld, "Mean wage"].astype(float).min() >= 5
    assert 10 < wages.loc[~withheld, "Mean wage"].astype(float).median() < 40
    health = pd.read_csv(made.twin / "streams" / "health.csv")
    assert sorted(health["Realm"]) == ["North", "South"]
    assert health["ill"].between(0, 100).all()


def test_streams_build_and_vary(made, country, tmp_path):
    kept = take_snapshots(made.catalog.sources, [made.twin / "streams"], tmp_path)
    features = build_features(made.catalog, country, made.root / "features", kept)
    assert len(features.values) == 36
    assert set(features.info["stream"]) == set(BODIES)
    assert features.info["coverage"].min() > 0.8
    assert (features.values.std() > 0).all()


def test_everything_says_synthetic(made):
    assert json.loads((made.twin / "twin.json").read_text())["label"] == LABEL
    streams = made.twin / "streams"
    for path in [*streams.glob("*.csv"), made.twin / "truth" / "national.json"]:
        assert LABEL in path.read_text()
    for name in ("wells.geojson", "paths.gpkg"):
        assert set(gpd.read_file(streams / name)["notice"]) == {LABEL}
    people = pd.read_csv(made.twin / "survey" / "respondents.csv")
    assert people["respondent_id"].str.startswith("SYNTHETIC").all()


def test_totals_are_met_and_groups_bear_their_survey_names(made, country):
    national = json.loads((made.twin / "truth" / "national.json").read_text())
    assert national["totals"] == {"pipe": 5_000, "cigar": 5_000}  # a tenth of either in both
    survey = made.twin / "survey"
    ard = read_ard(survey / "respondents.csv", survey / "groups.csv")
    assert ard.hidden() == ["pipe", "cigars"]
    assert len(ard.known()) == 9
    assert not [name for name in ard.counts if "child" in name]
    assert set(ard.design["area_id"]) <= set(country.table.index)


@pytest.mark.slow
def test_it_goes_the_whole_way_to_the_map(made):
    run = made.run()
    assert run.synthetic
    assert len(run.estimates("smokers")) == 36
    assert "SYNTHETIC" in (run.folder / "map.html").read_text()


def test_direct_estimates_take_the_place_of_answers(tmp_path):
    direct = {"direct": {"file": "data/twin/survey/direct.csv"}}
    asked = {k: v for k, v in CATALOG["settings"].items() if k not in ("survey", "tau_prior")}
    found = project(tmp_path / "p", settings=asked | direct)
    truth = found.truth(seed=3)
    table = pd.read_csv(truth)
    assert set(table["notice"]) == {LABEL}
    assert sorted(p.name for p in truth.parent.iterdir()) == ["direct.csv"]
    frame = build_frame(found.catalog, [found.root / "data"])
    estimates = read_direct(truth, frame, ["pipe", "cigar"])
    rate = estimates.reports.sum() / estimates.exposure.sum()
    share = 5_000 / frame.table["population"].sum()
    assert rate.to_numpy() == pytest.approx([share, share], rel=0.5)


def test_where_areas_are_the_units_replicates_go_there_again(country):
    indicators = read_indicators(CATALOG["indicators"])
    knobs = TwinSettings(replicate_areas=3, areas=12, replicate_in="North")
    people = simulate_survey(
        country, indicators, grow_truth(country, indicators, knobs), knobs
    ).respondents
    twice = people[people["replicate"] == 1]
    assert twice["area_id"].nunique() == 3
    assert (country.table.loc[twice["area_id"], "realm"] == "North").all()
    assert (twice["psu"] == twice["area_id"]).all()
    per_area = people.groupby("area_id")["weight"].sum() / 4.5
    plain = simulate_survey(
        country, indicators, grow_truth(country, indicators, knobs),
        knobs.model_copy(update={"replicate_areas": 0}),
    ).respondents  # fmt: skip
    assert per_area.sum() == pytest.approx(plain["weight"].sum() / 4.5, rel=0.2)


@settings(max_examples=15)
@given(
    st.integers(0, 50), st.integers(1, 7), st.sampled_from([0.0, 0.6, 1.0]),
    st.integers(10, 4_000),
)  # fmt: skip
def test_any_number_of_components_keeps_its_totals(country, seed, number, signal, total):
    one = CATALOG["indicators"]["components"]["pipe"]
    names = [f"c{i}" for i in range(number)]
    indicators = read_indicators(
        {
            "title": "x",
            "populations": CATALOG["indicators"]["populations"],
            "components": dict.fromkeys(names, one | {"group": ""}),
        }
    )
    knobs = TwinSettings(seed=seed, signal=signal, totals={"c0": total})
    truth, again = (grow_truth(country, indicators, knobs) for _ in range(2))
    pd.testing.assert_frame_equal(truth.counts, again.counts)
    assert truth.counts["c0"].sum() == total
    rest = round(0.005 * country.table["population"].sum())
    assert (truth.counts[names[1:]].sum() == rest).all()
    assert (truth.counts >= 0).all(axis=None)


def test_the_same_catalog_gives_the_same_bytes(made, country, tmp_path):
    knobs = TwinSettings(**CATALOG["twin"] | {"seed": 3})
    simulate(country, made.indicators, made.catalog, knobs, tmp_path / "again")
    for part in ("streams", "survey", "truth"):
        assert sha256(tmp_path / "again" / part) == sha256(made.twin / part)


def test_too_few_areas_are_refused(tmp_path):
    with pytest.raises(InputError, match="8 areas are too few for a twin of 2 components"):
        project(tmp_path / "p", n=8).simulate()


def test_a_wrong_knob_of_the_catalog_is_named(tmp_path):
    with pytest.raises(InputError, match="twin setting 'totls'"):
        project(tmp_path / "p", twin={"totls": {}}).simulate()


def test_the_block_is_optional():
    assert Catalog(frame={}).twin == {}
    assert load_catalog(ROOT / "examples" / "nepal" / "data_catalog.yaml").twin == {}
