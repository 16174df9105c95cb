"""The map: shapes that stay together, one page that needs nothing else, numbers that are right."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from study import INDICATORS, UNITS

from smallarea.areas.boundaries import EMBEDDED
from smallarea.areas.names import LETTERS
from smallarea.errors import InputError
from smallarea.publish.estimates import SYNTHETIC
from smallarea.publish.map import TEMPLATES, write_map
from smallarea.publish.map_data import Beside
from smallarea.publish.topology import Topology, build_topology, encode
from smallarea.publish.words import INTERNAL

WORDS = {"area": "Town", "areas": "towns", "province": "Province", "region": "Region"}
NAMED = INDICATORS.model_copy(update={"title": "Toy <country>"})


def decode(text: str) -> list[int]:
    numbers, number, shift = [], 0, 0
    for letter in text:
        five = ord(letter) - 63
        number |= (five & 31) << shift
        shift += 5
        if five < 32:
            numbers.append(~(number >> 1) if number & 1 else number >> 1)
            number = shift = 0
    return numbers


def polygons(topology: Topology) -> list[shapely.Geometry]:
    """Build the shapes back from what the page receives."""
    packed = topology.packed()
    steps = [np.array(decode(text)).reshape(-1, 2) for text in packed["arcs"]]
    arcs = np.split(np.cumsum(np.concatenate(steps), axis=0), np.cumsum([len(s) for s in steps]))
    shapes = []
    for rings in packed["rings"]:
        shape = shapely.Polygon()
        for ring in rings:
            numbers = np.cumsum(decode(ring))
            outline = np.concatenate([arcs[n] if n >= 0 else arcs[~n][::-1] for n in numbers])
            shape = shape.symmetric_difference(shapely.Polygon(outline).buffer(0))
        shapes.append(shape)
    return shapes


@given(numbers=st.lists(st.integers(-(2**28), 2**28)))
def test_numbers_survive_as_text(numbers):
    assert decode(encode(numbers)) == numbers


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_neighbours_stay_neighbours_when_simplified(seed):
    rng = np.random.default_rng(seed)
    points = shapely.MultiPoint(rng.uniform(0, 1, (12, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=shapely.box(0, 0, 1, 1)))
    # Many more vertices than needed, as official boundaries have.
    dense = shapely.segmentize(cells, 0.01)
    topology = build_topology(gpd.GeoSeries(dense, crs=4326), grid=0.0001, tolerance=0.001)
    shapes = polygons(topology)
    assert topology.markers == [None] * len(cells)
    whole = shapely.union_all(shapes)
    assert whole.area == pytest.approx(sum(s.area for s in shapes), rel=1e-9)
    # (10,000 grid steps a degree) squared
    np.testing.assert_allclose(
        np.array([s.area for s in shapes]) / 1e8, shapely.area(dense), rtol=0.05
    )
    assert sum(map(len, topology.arcs)) < shapely.get_num_coordinates(dense).sum() / 4


def test_holes_enclaves_islands_and_specks():
    town = shapely.box(0.4, 0.4, 0.6, 0.6)
    ring = shapely.box(0, 0, 1, 1).difference(town)
    islands = shapely.MultiPolygon([shapely.box(2, 0, 2.3, 0.3), shapely.box(3, 0, 3.0005, 0.0005)])
    speck = shapely.box(4, 0, 4.001, 0.001)
    topology = build_topology(gpd.GeoSeries([ring, town, islands, speck], crs=4326))
    assert len(topology.rings[0]) == 2  # with its hole
    assert {abs(n) for n in topology.rings[1][0]} <= {abs(n) for r in topology.rings[0] for n in r}
    assert len(topology.rings[2]) == 1  # without its smallest island
    assert topology.markers[:3] == [None] * 3
    x, y = topology.markers[3]
    assert (x * topology.grid, y * topology.grid) == pytest.approx((4.0005, 0.0005), abs=0.001)


@pytest.fixture(scope="module")
def page(toy, tmp_path_factory):
    path = tmp_path_factory.mktemp("map") / "map.html"
    table = toy.table.assign(geometry_source=EMBEDDED)
    beside = Beside(toy.tau, links={"report": "report.html"})
    write_map(
        toy.public, toy.counts, table, toy.geometry, path, NAMED, k=5, labels=WORDS, beside=beside
    )
    return path


def data_of(html: str) -> dict:
    return json.loads(re.search(r'type="application/json">(.*?)</script>', html, re.S)[1])


def test_page_needs_nothing_from_outside(page):
    html = page.read_text(encoding="utf-8")
    assert not re.search(r"(?:https?:)?//[\w.-]+\.\w+/|<link|<img|\bimport\s|@import|url\(", html)
    assert "default-src 'none'" in html
    assert "Toy &lt;country&gt;" in html


def test_page_carries_the_banner_and_what_numbers_do_not_say(page):
    html = page.read_text(encoding="utf-8")
    assert f'<div class="banner" role="note">{SYNTHETIC}' in html
    assert "What they do not say" in html
    assert INTERNAL in html
    assert "<noscript>" in html


def test_page_holds_the_published_numbers_and_withholds_the_others(page, toy):
    data = data_of(page.read_text(encoding="utf-8"))
    assert list(data["indicators"]) == list(UNITS)
    small = data["areas"]["id"].index("0000000105")
    victims = toy.public[toy.public["indicator"] == "victims"].set_index("area_id")
    expected = victims["q90"].loc[data["areas"]["id"]]
    found = [np.nan if x is None else x for x in data["numbers"]["victims"][5]]
    np.testing.assert_allclose(found, expected, rtol=0.006)
    assert all(quantiles[small] is None for quantiles in data["numbers"]["ratio"])
    assert data["ranks"]["victims_rate"][0][small] is None
    assert data["top"]["victims_rate"][small] is None
    # A rate is made on the page from the count: it must be the published one.
    rates = toy.public[toy.public["indicator"] == "traffickers_rate"].set_index("area_id")
    made = 1000 * np.array(data["numbers"]["traffickers"][3], dtype=float) / data["areas"]["adults"]
    np.testing.assert_allclose(made, rates["q50"].loc[data["areas"]["id"]], rtol=0.006)


def test_page_says_that_cells_are_cells_and_a_unit_once(page):
    html = page.read_text(encoding="utf-8")
    data = data_of(html)
    assert data["cells"] == [24, 24]
    node = shutil.which("node")
    if node is None:
        pytest.skip("NO NODE: node not found")
    (titled,) = re.findall(r"^const titled = .*$", html, re.MULTILINE)
    rate = {"label": "Ill, per 1,000 people", "unit": "per 1,000 people"}
    script = (
        f"{titled}\nconsole.log(titled({json.dumps(rate)}), titled({{label: 'Ill', unit: 'x'}}))"
    )
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True)
    assert done.stdout == "Ill, per 1,000 people Ill (x)\n"


def test_chances_are_of_all_draws_and_levels_add_up(page, toy):
    data = data_of(page.read_text(encoding="utf-8"))
    victims = toy.counts.sel(component=["victims_live", "victims_nonlive"]).sum("component")
    children = toy.table["children"].to_numpy()
    nation = victims.sum("area_id").to_numpy() / children.sum()
    chance = 100 * (victims.to_numpy() / children[:, None] > nation).mean(axis=1)
    found = data["above"]["victims"]["nation"]
    assert found[4] is None  # withheld
    for i in (0, 7, 23):
        assert found[i] == pytest.approx(chance[i], abs=0.51)
    unit = victims.to_numpy()[:4].sum(axis=0)
    level = data["levels"][0]
    assert level["names"][0] == "Province 0"
    assert level["numbers"]["victims"]["q90"][0] == pytest.approx(np.quantile(unit, 0.9), rel=0.006)
    assert not {"mean", "sd"} & set(level["numbers"]["victims"])


def test_no_draw_of_a_withheld_place_is_on_the_page_nor_can_it_be_had(page, toy):
    html = page.read_text(encoding="utf-8")
    data = data_of(html)
    text = re.search(r'<script id="draws" type="text/plain">(.*?)</script>', html, re.S)[1]
    lines = text.split("\n")
    assert list(data["draws"]["totals"]) == list(INDICATORS.totals)
    second = int(toy.table["population"].iloc[5:8].argmin()) + 5  # else it could be had from sums
    assert not {4, second} & set(data["draws"]["places"])
    assert {len(line) for line in lines} == {22 * data["draws"]["n"]}
    for total in data["draws"]["totals"].values():
        assert len(total["low"]) == len(total["step"]) == 22


def test_undeclared_columns_stay_off_the_page(toy, tmp_path):
    with pytest.raises(InputError, match="respondents"):
        write_map(
            toy.public.assign(respondents=1), toy.counts, toy.table, toy.geometry,
            tmp_path / "map.html", INDICATORS, labels=WORDS,
        )  # fmt: skip
    assert not (tmp_path / "map.html").exists()


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("alba city", "City of Alba"),
        ("City of Alba", "City of Alba"),
        ("alba", "City of Alba"),
        ("port", "City of Port"),  # cities first: most who type the bare name mean them
        ("port city", "City of Port"),
        ("sta pena", "Santa Peña"),
        ("penarr", "Peñarrubia"),
        ("ma", "Malo"),
        ("city of", "City of Aa"),
        ("del norte", "City of Aa"),
        ("zzz", None),
    ],
)
def test_search_puts_the_name_itself_first(asked, first):
    places = {
        "City of Aa": "Alba del Norte", "City of Alba": "Norte", "Port": "Norte",
        "City of Port": "Norte", "Santa Peña": "Norte", "Peñarrubia": "Norte", "Malo": "Norte",
    }  # fmt: skip
    spelling = {"city": "*", "of": "", "sta": "santa", "ma": "maria"}
    assert next(iter(found_by_page(asked, places, spelling)), None) == first


def found_by_page(asked: str, places: dict[str, str], spelling: dict[str, str]) -> list[str]:
    """Return the names that the page's search finds, the first one first."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("NO NODE: node not found")
    arguments = [list(places), list(places.values()), spelling]
    script = (TEMPLATES / "map_find.js").read_text(encoding="utf-8")
    script += f"const names = {json.dumps(arguments[0])};"
    call = ", ".join(json.dumps(argument) for argument in arguments)
    script += f"console.log(JSON.stringify(finder({call})({json.dumps(asked)}).map(i => names[i])))"
    done = subprocess.run([node, "-e", script], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


#: Names of many scripts and alphabets.
SCRIPTS = [
    "Київ", "Харків", "Łódź", "Tromsø", "Đà Nẵng", "Ærø", "Gießen", "Αθήνα", "किला", "काला",
    "กรุงเทพ", "서울", "東京", "القاهرة", "İzmir", "Diyarbakır",
]  # fmt: skip


def test_search_reads_every_script_as_the_frame_does():
    places = dict.fromkeys(SCRIPTS, "Norte")
    typed = ["київ", "харків", "lodz", "tromso", "da nang", "aeroe", "GIESSEN", "αθηνα", "किला"]
    wanted = [*SCRIPTS[:5], None, *SCRIPTS[6:9]]
    for asked, name in zip([*typed, *SCRIPTS], [*wanted, *SCRIPTS], strict=True):
        found = found_by_page(asked, places, {})
        assert found == ([name] if name else []), asked
    assert found_by_page("?!", places, {}) == []


def test_the_page_spells_letters_out_as_the_frame_does():
    script = (TEMPLATES / "map_find.js").read_text(encoding="utf-8")
    assert json.loads(re.search(r"letters = (\{.*?\});", script)[1]) == LETTERS


def test_real_boundaries_fit_the_page_and_nothing_vanishes(real_data):
    areas = gpd.read_parquet(real_data / "municipal_boundaries_2023.parquet").set_index("psgc")
    topology = build_topology(areas.geometry)
    drawn = [
        bool(r) or m is not None for r, m in zip(topology.rings, topology.markers, strict=True)
    ]
    assert all(drawn)
    place = {key: i for i, key in enumerate(zip(areas["name"], areas["province"], strict=True))}
    assert topology.rings[place["Peñarrubia", "Abra"]]
    x, _ = topology.markers[place["Kalayaan", "Palawan"]]
    assert topology.west + topology.grid * x < 116
    packed = topology.packed()
    assert len(json.dumps(packed, separators=(",", ":"))) < 350_000
