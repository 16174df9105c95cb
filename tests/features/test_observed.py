"""What was not observed is missing, and what is there twice counts once."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from smallarea.catalog import Catalog, take_snapshots
from smallarea.errors import InputError
from smallarea.features import build_features, flows, lines, load_features, save_features

A, B, C, D, E, F = (f"01{p:03d}{n:02d}000" for p in (1, 2) for n in (1, 2, 3))
PAPERS = dict.fromkeys(("title", "publisher", "licence", "cadence", "vintage"), "x")
STREAMS = {
    "points": "points.count(data, areas).to_frame('n')",
    "lines": "lines.length_km(data, areas).set_axis(['n'], axis=1)",
    "raster": "zonal(data, areas, {'n': 'mean'})",
}


@pytest.fixture
def building(tmp_path, squares):
    """Build one feature, `n`, of one source in the test's folder."""

    def build(file: str, kind: str, **fields):
        source = {**PAPERS, "file": file, "kind": kind, "access": "open", **fields}
        catalog = Catalog.model_validate({"sources": {"s": source}})
        folder = tmp_path / "features"
        folder.mkdir(exist_ok=True)
        (folder / "s.py").write_text(
            "from smallarea.features import lines, points, stream, zonal\n\n\n"
            '@stream(source="s", unit={"n": "things"})\n'
            f"def s(data, areas):\n    return {STREAMS[kind]}\n"
        )
        kept = take_snapshots(catalog.sources, [tmp_path], tmp_path / "store")
        return build_features(catalog, squares, folder, kept)

    return build


PLACE = {"lat": "lat", "lon": "lon"}


@pytest.mark.parametrize(
    ("extent", "seen"),
    [
        (None, "ABC"),  # no point in the Capital Region: it was not observed
        ("all", "ABCDEF"),
        ({"region": ["CR"]}, "DEF"),
        ({"province": ["Alpha"], "region": ["Capital Region (CR)"]}, "ABCDEF"),
        ([120.0, 10.0, 120.2, 10.2], "ABDE"),
        ([120.0, 10.0, 120.295, 10.1], "ABC"),  # 95 % of the third
        ([120.0, 10.0, 120.285, 10.1], "AB"),
    ],
)
def test_no_point_is_zero_only_where_the_file_looks(tmp_path, building, extent, seen):
    (tmp_path / "p.csv").write_text("lat,lon\n10.05,120.05\n")
    built = building("p.csv", "points", key=PLACE, extent=extent)
    found = built.values["n"]
    assert found.dropna().index.tolist() == [found.index["ABCDEF".index(s)] for s in seen]
    assert found.dropna().sum() == ("A" in seen)
    assert built.observed["n"].tolist() == found.notna().tolist()
    (report,) = built.reports
    assert set(report.missing) == set(found.index[found.isna()])
    assert ("declare `extent: all`" in str(report)) == (extent is None)


def test_an_extent_names_what_there_is(tmp_path, building):
    (tmp_path / "p.csv").write_text("lat,lon\n10.05,120.05\n")
    with pytest.raises(InputError, match="source s, extent: 'Gamma' is no province"):
        building("p.csv", "points", key=PLACE, extent={"province": ["Gamma"]})
    with pytest.raises(InputError, match="there is no level 'county'"):
        building("p.csv", "points", key=PLACE, extent={"county": ["Gamma"]})


def test_no_road_is_zero_only_where_the_file_looks(tmp_path, building):
    line = shapely.LineString([(120.01, 10.05), (120.09, 10.05)])
    gpd.GeoDataFrame(geometry=[line], crs=4326).to_file(tmp_path / "r.gpkg")
    assert building("r.gpkg", "lines").values["n"].notna().tolist() == [True] * 3 + [False] * 3
    everywhere = building("r.gpkg", "lines", extent="all").values["n"]
    assert (everywhere > 0).tolist() == [True] + [False] * 5
    assert everywhere.notna().all()


def write(path, bands, *, nodata=None, mask=None, **said) -> None:
    """Write bands of 4 x 6 pixels over the six squares, 0.05 degree each."""
    bands = np.atleast_3d(np.array(bands)).reshape(-1, 4, 6)
    with rasterio.open(
        path, "w", driver="GTiff", width=6, height=4, count=len(bands), dtype=bands.dtype,
        crs="EPSG:4326", transform=from_origin(120, 10.2, 0.05, 0.05), nodata=nodata,
    ) as file:  # fmt: skip
        file.write(bands)
        for name, value in said.items():
            setattr(file, name, value)
        if mask is not None:
            file.write_mask(np.array(mask).reshape(4, 6))


def test_scale_and_offset_are_applied(tmp_path, building):
    write(tmp_path / "r.tif", np.full(24, 500, "int16"), scales=(0.01,), offsets=(2.0,))
    built = building("r.tif", "raster", columns={"value": {"min": 6, "max": 8}})
    assert built.values["n"].tolist() == pytest.approx([7] * 6)
    assert built.observed["n"].tolist() == [1] * 6


def test_a_mask_counts_as_missing_and_coverage_is_kept(tmp_path, building):
    seen = np.full((4, 6), True)
    seen[2, 0] = seen[2:, 2:4] = False  # a quarter of A, all of B
    write(tmp_path / "r.tif", np.full(24, 3.0, "float32"), mask=seen)
    built = building("r.tif", "raster")
    assert built.values["n"].isna().tolist() == [True, True] + [False] * 4
    assert built.observed["n"].tolist() == pytest.approx([0.75, 0, 1, 1, 1, 1])
    (report,) = built.reports
    assert report.missing == {A: "75.0% of it has values"}
    assert "1 areas of which less than 90% has values are missing: San Jose" in str(report)
    save_features(built, tmp_path)
    kept = load_features(tmp_path)
    pd.testing.assert_frame_equal(kept.observed, built.observed)
    assert kept.reports[0].missing == report.missing
    assert building("r.tif", "raster", least_observed=0.7).values["n"][A] == pytest.approx(3)


def test_nodata_that_the_file_does_not_say(tmp_path, building):
    values = np.full(24, 5.0, "float32")
    values[[0, 23]] = -99999
    write(tmp_path / "r.tif", values)
    columns = {"value": {"min": 0}}
    said = r"2 pixels of areas are below 0, the first -99999.*`nodata: -99999`"
    with pytest.raises(InputError, match=said):
        building("r.tif", "raster", columns=columns)
    built = building("r.tif", "raster", columns=columns, nodata=-99999, least_observed=0.5)
    assert built.values["n"].tolist() == pytest.approx([5] * 6)
    with pytest.raises(InputError, match="above 4, the first 5"):
        building("r.tif", "raster", columns={"value": {"max": 4}}, nodata=-99999)


def test_of_several_bands_one_is_declared(tmp_path, building):
    bands = np.repeat(np.array([1.0, 2.0], "float32"), 24)
    write(tmp_path / "r.tif", bands, descriptions=("day", "night"))
    with pytest.raises(InputError, match=r"it has 2 bands: 1 \(day\), 2 \(night\).*`band: 1`"):
        building("r.tif", "raster")
    assert building("r.tif", "raster", band=2).values["n"].tolist() == [2] * 6
    with pytest.raises(InputError, match="no band 3"):
        building("r.tif", "raster", band=3)


def test_a_flow_that_is_withheld_is_not_zero(squares):
    """Outflow of A and B is unknown, C has one within it that is."""
    pairs = [(A, A, 100), (A, B, None), (A, C, None), (B, B, 80), (B, A, None), (C, C, None),
             (C, A, 40), (D, D, 5), (D, E, 15), (E, D, 1)]  # fmt: skip
    trips = pd.DataFrame(pairs, columns=["origin", "destination", "n"]).astype({"n": float})
    balance = flows.balance(trips, squares, "n")
    assert balance["outflow"].fillna(-1).tolist() == [-1, -1, 40, 15, 1, -1]
    assert balance["inflow"].fillna(-1).tolist() == [-1, -1, -1, 1, 15, -1]
    assert balance["within"].fillna(-1).tolist() == [100, 80, -1, 5, 0, -1]
    assert balance["self_containment"].fillna(-1).tolist() == [-1, -1, -1, 0.25, 0, -1]
    assert flows.centrality(trips, squares, "n").isna().tolist()[:5] == [True] * 3 + [False] * 2


def test_a_road_along_a_boundary_counts_once(squares):
    along = shapely.LineString([(120.1, 10.02), (120.1, 10.08)])
    over = shapely.LineString([(120.05, 10.1), (120.15, 10.1), (120.15, 10.05)])
    roads = gpd.GeoDataFrame(geometry=[along, over], crs=4326)
    km = lines.length_km(roads, squares)["total"]
    whole = lines.geodesic_km(roads.geometry.to_numpy())
    assert km.sum() == pytest.approx(whole.sum(), rel=1e-8)
    corner = shapely.LineString([(120.05, 10.1), (120.1, 10.1)])
    assert km[A] == pytest.approx(whole[0] + lines.geodesic_km(np.array([corner]))[0], rel=1e-8)
    assert km[[D, E, F]].tolist() == [0, 0, 0]
    overlapping = squares.geometry.copy()
    overlapping[B] = shapely.box(120.08, 10, 120.2, 10.1)
    line = shapely.LineString([(120.01, 10.05), (120.19, 10.05)])
    across = gpd.GeoDataFrame(geometry=[line], crs=4326)
    km = lines.length_km(across, replace(squares, geometry=overlapping))["total"]
    assert km.sum() == pytest.approx(lines.geodesic_km(across.geometry.to_numpy())[0], rel=1e-8)
