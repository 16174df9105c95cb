"""Every parser of what people bring, with a valid file of it: for tests that spoil such files."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import rasterio
import shapely
from rasterio.transform import from_origin
from small import CATALOG

from smallarea.areas import Frame
from smallarea.areas.registers.psgc import read_part
from smallarea.areas.registers.psgc_ages import children_share
from smallarea.areas.registers.psgc_spec import AgeFile, Ages
from smallarea.areas.registers.table import table_frame
from smallarea.catalog import Source, load_catalog, read, snapshot
from smallarea.indicators import read_indicators
from smallarea.nsum.direct.elsewhere import about_direct, read_direct
from smallarea.nsum.reporting.cases import read_cases
from smallarea.run.record import Run
from smallarea.run.targeting import read_costs
from smallarea.settings import read_settings
from smallarea.survey import Columns, read_ard
from smallarea.survey.household import read_roster
from smallarea.survey.tables import read_labelled

Parser = Callable[[Path], Any]

FRAME = {
    "connector": "table", "publisher": "x", "licence": "x", "vintage": "2020", "code": "code",
    "crs": "EPSG:32632", "area_crs": "EPSG:6933", "file": "table.csv", "name": "town",
    "population": "people", "lon": "x", "lat": "y", "levels": [{"name": "shire"}],
}  # fmt: skip
TOWNS = "code,town,shire,people,x,y\n" + "".join(
    f"t{i},Town {i},Shire {i // 3},{900 + i},{10 + i / 10},{50 + i % 2 / 10}\n" for i in range(6)
)
GROUPS = "group,kind,size,population\nteachers,known,1000,50000\nvictims,hidden,,50000\n"
ANSWERS = "respondent_id,teachers,victims,psu,area_id\na,4,0,1,x\nb,7,1,2,x\nc,3,0,1,y\n"
ROSTER = "respondent_id,age_group,occupation\na,18-29,teachers\na,0-12,\nb,60+,None\n"


def parsers(frame: Frame) -> dict[str, tuple[str, bytes, Parser]]:
    """Return name -> name of its file, a valid content, what reads it."""
    ids = list(frame.table.index)
    by_code = "code,books\n" + "".join(f"{i},{n}\n" for n, i in enumerate(ids))
    cases = "area_id,known\n" + "".join(f"{i},{n}\n" for n, i in enumerate(ids))
    direct = "area,component,yes,asked\n" + "".join(
        f"{i},left,{n},100\n" for n, i in enumerate(ids)
    )
    costs = "area,cost\n" + "".join(f"{i},{n}\n" for n, i in enumerate(ids))
    answers = pd.read_csv(io.StringIO(ANSWERS))
    stata, stata_at = io.BytesIO(), answers.assign(respondent_id=[1, 2, 3], area_id=[1, 1, 2])
    stata_at.to_stata(stata, write_index=False)
    code = {"key": {"code": "code"}, "columns": {"books": {"min": 0}}}
    made: dict[str, tuple[str, str | bytes, Parser]] = {
        "catalog": ("data_catalog.yaml", CATALOG, read_whole_catalog),
        "table": ("s.csv", by_code, source("table", frame, **code)),
        "table of names": (
            "s.csv",
            "town,books\nSan Jose,1\nCapas,2\nDagat,3\nErmita,4\n",
            source("table", frame, key={"name": "town"}, columns={"books": {"type": "text"}}),
        ),
        "workbook": ("s.xlsx", workbook(by_code), source("table", frame, **code)),
        "sheet": (
            "s.xlsx",
            sheet_of(workbook(by_code)),
            in_workbook(workbook(by_code), source("table", frame, **code)),
        ),
        "flows": (
            "s.csv",
            "a,b,n\n" + "".join(f"{a},{b},1\n" for a in ids for b in ids),
            source("flows", frame, key={"origin": "a", "destination": "b"}, columns={"n": {}}),
        ),
        "points": (
            "s.csv",
            "x,y,n\n120.05,10.05,1\n120.15,10.05,2\n",
            source("points", frame, key={"lon": "x", "lat": "y"}, columns={"n": {}}),
        ),
        "points of GeoJSON": ("s.geojson", geojson(shapely.Point(120.05, 10.05)),
                              source("points", frame, columns={"n": {}})),
        "lines": ("s.geojson", geojson(shapely.LineString([(120.05, 10.05), (120.2, 10.1)])),
                  source("lines", frame, columns={"n": {}})),
        "raster": ("s.tif", raster(), source("raster", frame)),
        "table register": ("table.csv", TOWNS, lambda path: table_frame(FRAME, [path.parent])),
        "ages": ("ages.csv", "area,age,n\nalpha,0-17,3\nalpha,18+,7\n", read_ages(frame)),
        "psgc register": ("cities.json", json.dumps([PLACE, PLACE]),
                          lambda path: read_part(path.read_bytes(), "cities")),
        "roster": ("roster.csv", ROSTER, read_roster),
        "casework": ("casework.csv", cases, lambda path: read_cases(path, "known", frame)),
        "direct": ("direct.csv", direct, lambda path: read_both(path, frame)),
        "costs": ("costs.csv", costs, lambda path: read_costs(path, frame.table.index)),
        "survey": ("survey.csv", ANSWERS, read_survey),
        "survey workbook": ("survey.xlsx", workbook(ANSWERS), read_survey),
        "survey sheet": (
            "survey.xlsx",
            sheet_of(workbook(ANSWERS)),
            in_workbook(workbook(ANSWERS), read_survey),
        ),
        "survey of Stata": ("survey.dta", stata.getvalue(), read_labelled),
        "survey of SPSS": ("survey.sav", spss(), read_labelled),
        "groups": ("groups.csv", GROUPS, read_groups),
        "columns": ("columns.yaml", "weight: w\nmissing: [98, DK]\nremove: {mad: 10}\n",
                    Columns.from_yaml),
        "manifest": ("manifest.json", '{"outputs": {}, "synthetic": false, "indicators": {}}',
                     read_run),
    }  # fmt: skip
    return {
        name: (file, content.encode() if isinstance(content, str) else content, parser)
        for name, (file, content, parser) in made.items()
    }


PLACE = dict.fromkeys(
    ("psgc_code", "name", "correspondence_code", "geographic_level", "income_classification",
     "province_code", "region_code", "old_names"), "x",
) | {"population": 1}  # fmt: skip


def source(kind: str, frame: Frame, **fields: Any) -> Parser:
    papers = dict.fromkeys(("title", "publisher", "licence", "cadence", "vintage"), "x")

    def parse(path: Path) -> Any:
        declared = Source(
            name="s", file=path.name, kind=kind, access="open", aggregate=None, **papers, **fields
        )
        return read(declared, snapshot(declared, [path.parent], path.parent / "store"), frame)

    return parse


def read_whole_catalog(path: Path) -> None:
    catalog = load_catalog(path)
    read_settings(catalog.settings)
    read_indicators(catalog.indicators)


def read_both(path: Path, frame: Frame) -> None:
    read_direct(path, frame, ["left"])
    about_direct(path)


def read_survey(path: Path) -> Any:
    (path.parent / "g.csv").write_text(GROUPS)
    return read_ard(path, path.parent / "g.csv")


def read_groups(path: Path) -> Any:
    (path.parent / "a.csv").write_text(ANSWERS)
    return read_ard(path.parent / "a.csv", path)


def read_ages(frame: Frame) -> Parser:
    file = AgeFile(
        file="ages.csv", source="x", area="area", age="age", population="n", children={"0-17": 1}
    )
    ages = Ages(children=0.3, source="x", file=file)
    return lambda path: children_share(frame.table, ages, [path.parent])


def read_run(path: Path) -> None:
    run = Run(path.parent)
    run.require_intact()


def workbook(text: str) -> bytes:
    book = openpyxl.Workbook()
    for line in text.splitlines():
        book.active.append([int(c) if c.isdigit() and len(c) < 4 else c for c in line.split(",")])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def sheet_of(book: bytes) -> bytes:
    """Return the sheet inside a workbook."""
    with ZipFile(io.BytesIO(book)) as parts:
        return parts.read(SHEET)


def in_workbook(book: bytes, parse: Parser) -> Parser:
    """Return a parser of the sheet: it is put into the workbook in place of its own."""

    def parse_sheet(path: Path) -> Any:
        content = path.read_bytes()
        with ZipFile(io.BytesIO(book)) as parts, ZipFile(path, "w") as target:
            for name in parts.namelist():
                target.writestr(name, content if name == SHEET else parts.read(name))
        return parse(path)

    return parse_sheet


def geojson(shape: shapely.Geometry) -> str:
    return gpd.GeoDataFrame({"n": [1, 2]}, geometry=[shape, shape], crs="EPSG:4326").to_json()


def raster() -> bytes:
    with rasterio.MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=6, height=4, count=1, dtype="float32", crs="EPSG:4326",
            transform=from_origin(119.95, 10.3, 0.1, 0.1),
        ) as file:  # fmt: skip
            file.write(np.arange(24, dtype="float32").reshape(1, 4, 6))
        return memory.read()


def spss() -> bytes:
    """Return answers as SPSS keeps them, with labels."""
    import tempfile

    import pyreadstat

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "survey.sav"
        labels = {"doctors": {98.0: "Don't know"}}
        table = pd.DataFrame({"doctors": [1.0, 98.0, 0.0], "nurses": [2.0, 3.0, 4.0]})
        pyreadstat.write_sav(table, path, variable_value_labels=labels)
        return path.read_bytes()
