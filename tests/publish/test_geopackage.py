"""The GeoPackage: a layer per level, placed, coloured, and in words that other programmes read."""

from __future__ import annotations

import sqlite3
from functools import partial
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
from study import INDICATORS

from smallarea.areas.boundaries import EMBEDDED
from smallarea.files import sha256
from smallarea.indicators import Indicators
from smallarea.projection import indicator_draws
from smallarea.publish.estimates import SYNTHETIC
from smallarea.publish.geopackage import WIDE, wide_units, write_geopackage
from smallarea.publish.styles import COLOURS, GREY, qml
from smallarea.publish.tables import write_geoparquet
from smallarea.release.estimates import Measured, level_numbers


@pytest.fixture(scope="module")
def write(toy):
    """Writes the toy country: three areas of two provinces and one region are cells."""
    levels = level_numbers(Measured(toy.counts, toy.table, INDICATORS, True, True, True), 0, 500)
    source = [EMBEDDED] * 3 + [""] * 2 + [EMBEDDED] + [""] * 18
    places = toy.table.assign(geometry_source=source)
    return partial(
        write_geopackage, toy.public, indicators=INDICATORS, places=places, levels=levels
    )


@pytest.fixture(scope="module")
def path(toy, write, tmp_path_factory):
    path = tmp_path_factory.mktemp("gpkg") / "e.gpkg"
    write(geometry=toy.geometry.sample(frac=1, random_state=1), path=path)
    return path


def test_it_has_a_layer_of_areas_and_one_of_each_level(path):
    with_shapes = {name: kind for name, kind in pyogrio.list_layers(path) if kind}
    assert list(with_shapes) == ["areas", "province", "region"]
    assert all(kind.endswith("Polygon") for kind in with_shapes.values())


def test_the_layer_of_areas_is_wide_and_placed(toy, path):
    layer = gpd.read_file(path, layer="areas").set_index("area_id")
    assert len(layer) == len(toy.table)
    assert layer.crs == "EPSG:4326"
    assert layer.geometry.geom_equals(toy.geometry.loc[layer.index]).all()
    victims = toy.public[toy.public["indicator"] == "victims"].set_index("area_id")
    np.testing.assert_allclose(layer["victims_q90"], victims["q90"].loc[layer.index])
    assert (layer["notice"] == SYNTHETIC).all()


@pytest.mark.parametrize("level", ["province", "region"])
def test_a_levels_numbers_are_of_sums_and_its_shapes_are_its_areas(toy, path, level):
    layer = gpd.read_file(path, layer=level).set_index("unit_id")
    assert set(layer.index) == set(toy.table[f"{level}_id"])
    draws = dict(indicator_draws(toy.counts, toy.table, INDICATORS, by=f"{level}_id"))
    for indicator in ("victims", "victims_rate", "ratio"):
        own = draws[indicator].sel({f"{level}_id": layer.index.to_numpy()}).values
        for column, share in (("q50", 0.5), ("q975", 0.975)):
            found = layer[f"{indicator}_{column}"]
            np.testing.assert_allclose(found, np.quantile(own, share, axis=1))
    unit = next(iter(layer.index))
    inside = toy.geometry[toy.table[f"{level}_id"] == unit].union_all()
    assert layer.geometry[unit].equals(inside)
    assert not {"victims_p_top", "surveyed", "flags", "victims_mean"} & set(layer)


def test_a_unit_with_too_few_people_has_no_numbers(toy):
    counts = Measured(toy.counts, toy.table, INDICATORS, True, True, False)
    people = toy.table.groupby("province_id")[list(INDICATORS.populations)].sum().min(axis=1)
    fewest = people.idxmin()
    told = level_numbers(counts, 0, people.min() + 1)
    numbers = wide_units(told, "province").filter(regex="_(q|rank_l|rank_h)")
    assert numbers.loc[fewest].isna().all()
    assert numbers.drop(index=fewest).notna().all(axis=None)
    assert told[["mean", "sd"]].isna().all(axis=None)  # with the others' it would be known
    assert wide_units(level_numbers(counts, 0, people.min()), "province").notna().all(axis=None)


def test_every_layer_says_what_it_is(path):
    told = {
        layer: pyogrio.read_info(path, layer=layer)["layer_metadata"]
        for layer in ("areas", "province", "region")
    }
    cells = "shapes are cells drawn around points, not the borders of places."
    assert told["areas"]["BOUNDARIES"] == f"4 of 24 {cells}"
    assert "2 of 6 enclose cells" in told["province"]["BOUNDARIES"]
    assert "1 of 3 enclose cells" in told["region"]["DESCRIPTION"]
    for layer, about in told.items():
        assert about["NOTICE"] == SYNTHETIC
        assert about["DESCRIPTION"].startswith(f"{SYNTHETIC}. ")
        assert ("added up within every draw" in about["DESCRIPTION"]) == (layer != "areas")
        assert about["BOUNDARIES"] in about["DESCRIPTION"]
        assert f"victims: {INDICATORS.units['victims']}" in about["UNITS"]


def test_borders_that_are_borders_are_not_called_approximate(toy, write, tmp_path):
    write(geometry=toy.geometry, path=tmp_path / "e.gpkg", places=toy.table)
    for layer in ("areas", "region"):
        about = pyogrio.read_info(tmp_path / "e.gpkg", layer=layer)["layer_metadata"]
        assert "cells" not in about["DESCRIPTION"] + about["BOUNDARIES"]


def test_columns_are_described_as_the_schema_extension_does(path):
    with sqlite3.connect(path) as book:
        rows = pd.read_sql("select * from gpkg_data_columns", book)
        kinds = dict(book.execute("select table_name, extension_name from gpkg_extensions"))
        assert book.execute("pragma integrity_check").fetchone() == ("ok",)
        assert book.execute("pragma foreign_key_check").fetchall() == []
    book.close()
    assert kinds["gpkg_data_columns"] == "gpkg_schema"
    for layer in ("areas", "province", "region"):
        own = rows[rows["table_name"] == layer].set_index("column_name")["title"]
        assert set(own.index) == set(pyogrio.read_info(path, layer=layer)["fields"])
        unit = INDICATORS.units["victims"]
        assert f"({unit}): median" in own["victims_q50"]
    provinces = rows[rows["table_name"] == "province"].set_index("column_name")["title"]
    assert "area" not in provinces["name"] + provinces["victims_rank_low"]


def test_labels_that_are_alike_do_not_stop_the_file(toy, write, tmp_path):
    told = INDICATORS.model_dump()
    for part in told["components"].values():
        part["label"] = "People"
    write(geometry=toy.geometry, path=tmp_path / "e.gpkg",
          indicators=Indicators.model_validate(told))  # fmt: skip
    with sqlite3.connect(tmp_path / "e.gpkg") as book:
        titles = pd.read_sql("select title from gpkg_data_columns", book)["title"]
    book.close()
    assert titles.str.startswith("People (").sum() > 3 * len(WIDE)


def test_it_opens_coloured(path):
    with sqlite3.connect(path) as book:
        styles = book.execute("select f_table_name, styleQML, useAsDefault from layer_styles")
        styles = {name: (text, default) for name, text, default in styles}
    book.close()
    assert set(styles) == {"areas", "province", "region"}
    for name, (text, default) in styles.items():
        assert default == 1
        style = ElementTree.fromstring(text)
        layer = gpd.read_file(path, layer=name)
        aliases = {one.get("field"): one.get("name") for one in style.iter("alias")}
        assert set(aliases) == set(layer.columns) - {"geometry"}
        assert aliases["victims_q50"].endswith("median: as likely above as below")
        rules = [one.get("filter") for one in style.iter("rule")]
        assert rules[-1] == "ELSE"
        classes = [layer.query(_as_query(rule)).iloc[:, 0] for rule in rules[:-1]]
        assert all(len(own) for own in classes)
        assert set(pd.concat(classes)) == set(
            layer.loc[layer["victims_rate_q50"].notna()].iloc[:, 0]
        )
        symbols = {one.get("name") for one in style.iter("symbol")}
        assert {one.get("symbol") for one in style.iter("rule")} <= symbols


@pytest.mark.parametrize(("values", "classes"), [([0.3] * 3, 1), ([1, 2, None], 2), ([], 0)])
def test_a_layer_of_few_units_has_few_classes_and_the_lightest_and_darkest(values, classes):
    style = ElementTree.fromstring(qml("x", pd.Series(values, dtype=float), {}))
    rules = [one.get("filter") for one in style.iter("rule")]
    assert len(rules) == classes + 1
    inside = [pd.DataFrame({"x": values}, dtype=float).query(_as_query(r)) for r in rules[:-1]]
    assert all(len(own) for own in inside)
    told = [one.get("value") for one in style.iter("Option") if one.get("name") == "color"]
    if classes == 2:
        assert told == [f"{colour},255" for colour in (COLOURS[0], COLOURS[-1], GREY)]


def _as_query(rule: str) -> str:
    return rule.replace('"', "`").replace("AND", "and")


def test_written_again_it_is_the_same_to_the_last_byte(toy, write, path, tmp_path):
    write(geometry=toy.geometry.sample(frac=1, random_state=1), path=tmp_path / "e.gpkg")
    assert sha256(tmp_path / "e.gpkg") == sha256(path)


def test_geoparquet_says_what_the_layer_of_areas_says(toy, path, tmp_path):
    write_geoparquet(toy.public, toy.geometry, tmp_path / "places.parquet")
    one = gpd.read_file(path, layer="areas").sort_values("area_id", ignore_index=True)
    two = gpd.read_parquet(tmp_path / "places.parquet").sort_values("area_id", ignore_index=True)
    assert two.crs == one.crs
    assert list(one.columns) == list(two.columns)
    np.testing.assert_array_equal(one["victims_q50"], two["victims_q50"])
    assert one.geometry.geom_equals(two.geometry).all()
