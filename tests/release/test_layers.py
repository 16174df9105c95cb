"""A tier's GeoPackage says what its tables say: whatever else it held would stop the tier."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from shapely import box
from study import COMPONENTS, INDICATORS

from smallarea.publish import flag_areas, suppress
from smallarea.publish.geopackage import write_geopackage
from smallarea.publish.map_data import Beside
from smallarea.release.audit import check_tables
from smallarea.release.estimates import Measured, area_numbers, level_numbers
from smallarea.release.layers import odd_layers
from smallarea.release.tables import Tables
from smallarea.release.tiers import TIERS


@pytest.fixture(scope="module")
def tables() -> Tables:
    """Six areas in two provinces of one region."""
    index = pd.Index([f"a{i}" for i in range(6)], name="area_id")
    number = np.arange(6)
    places = pd.DataFrame(
        {
            "name": [f"Town {i}" for i in number],
            "province_id": [f"p{i // 3}" for i in number],
            "province": [f"Province {i // 3}" for i in number],
            "region_id": "r",
            "region": "Region",
            **dict.fromkeys(["population", *INDICATORS.populations], 9000),
            "covered": True,
            "geometry_note": "",
        },
        index=index,
    )
    counts = xr.DataArray(
        np.random.default_rng(0).gamma(3, 9, (len(COMPONENTS), 6, 50)),
        dims=("component", "area_id", "draw"),
        coords={"component": list(COMPONENTS), "area_id": index.to_numpy(object)},
    )
    made = Measured(counts, places, INDICATORS, True, True, False)
    estimates = area_numbers(made, flag_areas(places, synthetic=False), 2)
    shapes = gpd.GeoSeries([box(i, 0, i + 1, 1) for i in number], index=index, crs=4326)
    levels = level_numbers(made, 0)
    return Tables(estimates, places, shapes, levels, None, {}, {}, 2, counts, Beside())


@pytest.fixture
def path(tables, tmp_path) -> Path:
    own = (tables.geometry, tmp_path / "e.gpkg", INDICATORS, tables.places, tables.levels)
    write_geopackage(tables.estimates, *own)
    return own[1]


def changed(path: Path, statement: str) -> None:
    """Change the file as a slip of the writer would; its spatial triggers are not needed."""
    with sqlite3.connect(path) as book:
        triggers = book.execute("select name from sqlite_master where type = 'trigger'").fetchall()
        for (name,) in triggers:
            book.execute(f'drop trigger "{name}"')
        book.execute(statement)
    book.close()


def test_what_is_in_the_tables_is_not_odd(tables, path):
    assert odd_layers(path, tables) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("update region set victims_q50 = victims_q50 + 1e-6", "layer region, victims_q50 is not"),
        (
            "update areas set victims_rate_q10 = null where area_id = 'a3'",
            "victims_rate_q10 is not",
        ),
        ("update province set name = 'Elsewhere' where unit_id = 'p1'", "name is not what"),
        ("update province set unit_id = 'p9' where unit_id = 'p1'", "units that its table does"),
        ("update province set unit_id = 'p1'", "units that its table does not have"),
        ("alter table region add column interviews integer", "interviews is no column"),
    ],
)
def test_what_is_not_in_the_tables_is_told(tables, path, statement, said):
    changed(path, statement)
    (odd,) = odd_layers(path, tables)
    assert said in odd


def test_a_layer_of_no_table_is_told(tables, path):
    extra = gpd.GeoDataFrame({"unit_id": ["q"]}, geometry=[box(0, 0, 1, 1)], crs=4326)
    extra.to_file(path, layer="sampling")
    assert odd_layers(path, tables) == ["layer sampling is of no table"]
    extra.to_file(path, layer="nation")
    assert "layer nation, it has units" in odd_layers(path, tables)[1]


@pytest.mark.parametrize(("minimum", "holds"), [(0, False), (500, True)])
def test_a_unit_that_is_one_withheld_place_is_withheld_too(tables, minimum, holds):
    """Its numbers would be those of the place."""
    places = tables.places.assign(province_id=["p0", *["p1"] * 5])
    places.loc["a0", ["population", *INDICATORS.populations]] = 300
    made = Measured(tables.counts, places, INDICATORS, True, True, False)
    own = suppress(area_numbers(made, flag_areas(places, synthetic=False), 2), places, INDICATORS)
    told = replace(tables, estimates=own, places=places, levels=level_numbers(made, 0, minimum))
    checks = check_tables(TIERS["partner"], told, places, list(INDICATORS.populations), 500)
    assert {c.name: c.holds for c in checks}["threshold, people"] is holds
