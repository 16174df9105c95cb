"""What would fill a machine is refused in one sentence, and who owns the machine can allow it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import geopandas as gpd
import pandas as pd
import pytest
import rasterio
import shapely
from parsers import ANSWERS, GROUPS, parsers, source, workbook
from rasterio.transform import from_origin
from small import CATALOG
from typer.testing import CliRunner

from smallarea import limits
from smallarea.catalog import load_catalog
from smallarea.cli import app
from smallarea.errors import InputError
from smallarea.settings import read_settings
from smallarea.survey.tables import read_labelled

CODE = {"key": {"code": "code"}, "columns": {"books": {"min": 0}}}


def sparse(path: Path, side: int, degrees: float) -> None:
    """Write a raster of side x side pixels, none of which is on disk."""
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=1, dtype="float32",
        crs="EPSG:4326", transform=from_origin(120, 10.2, degrees, degrees),
        sparse_ok=True, tiled=True,
    ):  # fmt: skip
        pass


def test_a_sparse_raster_of_3_600_million_pixels(tmp_path, squares):
    sparse(tmp_path / "s.tif", 60_000, 0.3 / 60_000)
    with pytest.raises(InputError, match=r"s.tif: more than 1,000,000,000 pixels.*coarser"):
        source("raster", squares)(tmp_path / "s.tif")
    # the country is a corner of it: no more than that is ever read
    sparse(tmp_path / "s.tif", 60_000, 0.002)
    source("raster", squares)(tmp_path / "s.tif")


def test_a_workbook_that_unzips_to_much(tmp_path, squares):
    book = workbook("code,books\n")
    row = "<row>" + '<c t="n"><v>1</v></c>' * 10_000 + "</row>"
    with ZipFile(io.BytesIO(book)) as parts, ZipFile(tmp_path / "s.xlsx", "w", ZIP_DEFLATED) as out:
        for name in parts.namelist():
            content = parts.read(name)
            if name.endswith("sheet1.xml"):
                content = content.replace(b"</sheetData>", row.encode() * 300 + b"</sheetData>")
            out.writestr(name, content)
    assert (tmp_path / "s.xlsx").stat().st_size < 1_600_000
    for read in (source("table", squares, **CODE), read_labelled):
        with pytest.raises(InputError, match=r"s.xlsx: more than 50,000,000 bytes once unzipped"):
            read(tmp_path / "s.xlsx")


@pytest.mark.parametrize("file", ["s.csv", "s.xlsx"])
@pytest.mark.parametrize(("limit", "said"), [("cells=8", "8 cells"), ("columns=1", "1 columns")])
def test_cells_and_columns_are_counted(tmp_path, squares, monkeypatch, file, limit, said):
    text = "code,books\n" + "".join(f"{i},{n}\n" for n, i in enumerate(squares.table.index))
    (tmp_path / file).write_bytes(text.encode() if file.endswith("csv") else workbook(text))
    source("table", squares, **CODE)(tmp_path / file)
    monkeypatch.setenv(limits.VARIABLE, limit)
    for read in (source("table", squares, **CODE), read_labelled):
        with pytest.raises(InputError, match=f"{file}: more than {said}.*{limits.VARIABLE}"):
            read(tmp_path / file)


def test_cells_of_a_stata_file_are_counted_before_they_are_read(tmp_path, monkeypatch):
    pd.DataFrame({"a": range(9), "b": 1}).to_stata(tmp_path / "s.dta", write_index=False)
    read_labelled(tmp_path / "s.dta")
    monkeypatch.setenv(limits.VARIABLE, "cells=17")
    with pytest.raises(InputError, match=r"s.dta: more than 17 cells"):
        read_labelled(tmp_path / "s.dta")


def test_points_of_geometries_are_counted(tmp_path, squares, monkeypatch):
    line = shapely.LineString([(120 + i / 1000, 10.05) for i in range(200)])
    gpd.GeoDataFrame({"n": [1]}, geometry=[line], crs="EPSG:4326").to_file(tmp_path / "s.gpkg")
    read = source("lines", squares, columns={"n": {}})
    read(tmp_path / "s.gpkg")
    monkeypatch.setenv(limits.VARIABLE, "points=199")
    with pytest.raises(InputError, match=r"s.gpkg: more than 199 points in its geometries"):
        read(tmp_path / "s.gpkg")


def test_a_catalog_is_no_place_for_data(tmp_path, monkeypatch):
    (tmp_path / "data_catalog.yaml").write_text(CATALOG)
    monkeypatch.setenv(limits.VARIABLE, "text=100")
    with pytest.raises(InputError, match=r"data_catalog.yaml: more than 100 bytes of YAML"):
        load_catalog(tmp_path / "data_catalog.yaml")


def test_draws(tmp_path, monkeypatch):
    settings = {"seed": 1, "survey": "x", "draws": {"fast": 10**12}}
    with pytest.raises(InputError, match=r"settings.draws.fast: more than 100,000 draws"):
        read_settings(settings).draws_of("fast")
    (tmp_path / "a.csv").write_text(ANSWERS)
    (tmp_path / "g.csv").write_text(GROUPS)
    command = ["nsum", str(tmp_path / "a.csv"), "--groups", str(tmp_path / "g.csv"), "--draws"]
    for draws in ("1000000000000", "0"):
        refused = CliRunner().invoke(app, [*command, draws, "--model", "killworth"])
        assert isinstance(refused.exception, InputError)
        assert refused.exception.where == "--draws"
    monkeypatch.setenv(limits.VARIABLE, "draws=100")
    plain = CliRunner().invoke(app, [*command, "101", "--model", "killworth"])
    assert "more than 100 draws" in str(plain.exception)
    monkeypatch.setenv(limits.VARIABLE, "draws=101")
    found = CliRunner().invoke(app, [*command, "101", "--model", "killworth", "--json"])
    assert json.loads(found.stdout)["model"] == "killworth"


@pytest.mark.parametrize("text", ["pixels", "pixels=many", "pixel=3", "cells=-1", "cells=nan", ","])
def test_a_limit_that_is_none_is_refused(monkeypatch, text):
    monkeypatch.setenv(limits.VARIABLE, text)
    with pytest.raises(InputError, match=limits.VARIABLE):
        limits.most("pixels")


def test_a_raster_that_points_to_other_files_is_refused(tmp_path, squares):
    sparse(tmp_path / "real.tif", 10, 0.03)
    (tmp_path / "s.tif").write_text(
        '<VRTDataset rasterXSize="10" rasterYSize="10"><SRS>EPSG:4326</SRS>'
        "<GeoTransform>120, 0.03, 0, 10.2, 0, -0.03</GeoTransform>"
        '<VRTRasterBand dataType="Float32" band="1"><SimpleSource><SourceFilename>'
        f"{tmp_path}/real.tif</SourceFilename><SourceBand>1</SourceBand></SimpleSource>"
        "</VRTRasterBand></VRTDataset>"
    )
    with pytest.raises(InputError, match="only points to other files"):
        source("raster", squares)(tmp_path / "s.tif")


def test_layers_that_point_to_other_files_are_refused(tmp_path, squares):
    (tmp_path / "real.geojson").write_bytes(parsers(squares)["lines"][1])
    (tmp_path / "s.geojson").write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="real"><SrcDataSource>{tmp_path}/real.geojson'
        "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    )
    with pytest.raises(InputError, match=r"s.geojson: its format is OGR_VRT"):
        source("lines", squares, columns={"n": {}})(tmp_path / "s.geojson")


def test_the_shared_table_of_limits_is_told_in_the_readme():
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    for name, (number, _, _) in limits.DEFAULTS.items():
        assert f"| `{name}` | {number:,.0f} |" in readme
