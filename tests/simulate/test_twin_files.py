"""The written twin: native formats, truth apart, labelled, all or nothing, the same bytes again."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import rasterio
from study import COMPONENTS

from smallarea.catalog import load_catalog, read, snapshot
from smallarea.errors import InputError
from smallarea.files import sha256
from smallarea.simulate import LABEL, TwinSettings, simulate, writing
from smallarea.survey import read_ard

CATALOG = Path(__file__).parents[2] / "data_catalog.yaml"


@pytest.fixture(scope="module")
def twin(frame, tmp_path_factory):
    out = tmp_path_factory.mktemp("project") / "twin"
    told: list[tuple[str, float | None]] = []
    simulate(frame, TwinSettings(seed=7), out, progress=lambda *what: told.append(what))
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    return out


def text(twin: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(twin / "streams" / name, dtype=str)


def test_everything_is_labelled_and_accounted_for(twin):
    note = json.loads((twin / "twin.json").read_text())
    assert note["label"] == LABEL == "SYNTHETIC SURVEY"
    assert TwinSettings(**note["settings"]) == TwinSettings(seed=7)
    written = {p.relative_to(twin).as_posix() for p in twin.rglob("*") if p.is_file()}
    assert written == set(note["files"]) | {"twin.json"}
    assert all(sha256(twin / name) == digest for name, digest in note["files"].items())
    assert {p.name for p in (twin / "streams").iterdir()} == set(writing.STREAMS)


def test_the_truth_stays_apart(twin, truth):
    survey = sorted(p.name for p in (twin / "survey").iterdir())
    assert survey == ["casework.csv", "groups.csv", "respondents.csv", "roster.csv"]
    columns = pd.read_csv(twin / "survey" / "respondents.csv", nrows=0).columns
    assert not [c for c in columns if "degree" in c or "tau" in c]
    sizes = pd.read_csv(twin / "survey" / "groups.csv", index_col="group")["size"]
    assert sizes[list(COMPONENTS)].isna().all()
    assert "tau" not in (twin / "twin.json").read_text().split('"settings"')[0]

    areas = pd.read_parquet(twin / "truth" / "areas.parquet")
    pd.testing.assert_frame_equal(areas[list(COMPONENTS)], truth.counts)
    national = json.loads((twin / "truth" / "national.json").read_text())
    assert sum(national["totals"].values()) == 471_416 + 232_444
    assert national["tau"] == truth.tau


def test_the_survey_room_reads_the_survey(twin):
    ard = read_ard(twin / "survey" / "respondents.csv", twin / "survey" / "groups.csv")
    assert len(ard) == 3_700
    assert len(ard.known()) == 15
    assert ard.hidden() == list(COMPONENTS)


def test_the_catalog_reads_every_stream(twin, frame, tmp_path):
    """All rows of all files find their area, but for those that are meant not to."""
    unmatched = {}
    for source in load_catalog(CATALOG).sources.values():
        kept = snapshot(source, [twin / "streams"], tmp_path)
        data, report = read(source, kept, frame)
        assert data is not None
        unmatched[source.file] = len(report.unmatched)
    assert unmatched.pop("pantawid_households_2022.xlsx") > 80  # sub-totals and a footnote
    assert unmatched.pop("commuting_od_2022.csv") > 50  # trips abroad
    assert unmatched.pop("ucdp_ged_phl_1989_2021_events.csv") < 30  # a province's centre at sea
    assert max(unmatched.values()) < 5


def test_codes_are_of_the_vintage_of_each_file(twin, frame):
    old = text(twin, "commuting_od_2022.csv")["origin_psgc"]
    assert old.str.fullmatch(r"\d{9}").all()
    pantawid = pd.read_excel(
        twin / "streams" / "pantawid_households_2022.xlsx", header=3, dtype=str
    )
    assert set(pantawid["PSGC"].dropna().str.len()) == {8, 9}
    recoded = text(twin, "telco_monthly_2022.csv")["psgc"].drop_duplicates()
    outdated = ~recoded.isin(frame.table.index)
    assert 70 <= outdated.sum() <= 90  # Negros Island Region and Sulu
    assert frame.match(recoded, where="telco").notna().all()
    census = text(twin, "population_2015.csv")["psgc"]
    assert len(frame.table) - len(census) == 8  # created in 2024
    assert census.isin(frame.table.index).all()


def test_small_cells_are_withheld(twin):
    telco = text(twin, "telco_monthly_2022.csv")
    few = telco["subscribers"] == "<15"
    assert few.any()
    assert (telco.loc[few, "video_calls"] == "<15").all()
    assert telco.loc[~few, "subscribers"].astype(int).min() >= 15
    reports = text(twin, "suspicious_transactions_2022.csv")["reports"]
    assert reports[reports != "<5"].astype(int).min() >= 5


def test_night_lights_cover_the_grid_and_shine_where_people_live(twin, frame):
    with rasterio.open(twin / "streams" / "viirs_2022.tif") as raster:
        assert raster.crs.to_epsg() == 4326
        assert tuple(raster.bounds) == pytest.approx((114, 4, 127, 21.5))
        assert raster.res == pytest.approx((1 / 240, 1 / 240))
        assert raster.nodata == pytest.approx(-999.9)
        assert raster.dtypes == ("float32",)
        assert raster.tags()["description"] == LABEL
        pixels = raster.read(1)
        people = frame.psus["population"] > 3_000
        at = raster.sample(frame.psus.loc[people, ["lon", "lat"]].to_numpy())
        lit = np.array([value[0] for value in at])
    assert np.isfinite(pixels).all()
    assert pixels.min() >= 0
    assert (pixels > 0.05).mean() < 0.2
    assert (lit > 0.5).mean() > 0.95
    assert np.median(lit) > 20 * pixels.mean()


def test_land_cover_is_igbp_on_the_published_grid(twin):
    with rasterio.open(twin / "streams" / "landcover_mcd12c1_2019_phl.tif") as raster:
        assert raster.shape == (350, 230)
        assert raster.nodata == 255
        assert tuple(raster.bounds) == pytest.approx((116, 4, 127.5, 21.5))
        classes = raster.read(1)
    assert set(np.unique(classes)) <= set(range(17))
    assert 0.7 < (classes == 0).mean() < 0.9


def test_roads_join_neighbours_on_land(twin):
    roads = gpd.read_file(twin / "streams" / "roads.gpkg", layer="roads")
    assert roads.crs.to_epsg() == 4326
    assert set(roads["fclass"]) == {"primary", "secondary", "tertiary"}
    assert set(roads.geom_type) == {"LineString"}
    km = roads.to_crs(32651).length / 1_000
    assert km.quantile(0.99) < 60
    assert 20_000 < km.sum() < 200_000


def test_workbooks_look_as_offices_make_them(twin):
    book = openpyxl.load_workbook(twin / "streams" / "pantawid_households_2022.xlsx")
    rows = list(book["Sheet1"].iter_rows(values_only=True))
    assert rows[3][:5] == (
        *("Region", "Province", "City/Municipality", "PSGC"),
        "Active HH (as of Dec 2022)",
    )
    assert LABEL in rows[0][0]
    assert sum("Sub-total" in str(row[1]) for row in rows) > 80
    finance = pd.read_excel(twin / "streams" / "municipal_finance_2022.xlsx", dtype=str)
    names = finance["LGU Name"]
    for mess in ("CITY OF ", " CITY", "Sta. ", " (Capital)"):
        assert names.str.contains(mess, regex=False).any()
    assert finance["Total Income"].str.fullmatch(r"\d{1,3}(,\d{3})*\.\d\d").all()
    with pd.ExcelFile(twin / "streams" / "schools_2022.xlsx") as schools:
        assert schools.sheet_names == ["enrolment"]


def test_the_same_settings_give_the_same_bytes(corner, corner_settings, tmp_path, monkeypatch):
    chosen = [n for n in writing.STREAMS if not n.endswith(".tif")]  # the rasters take seconds
    monkeypatch.setattr(writing, "STREAMS", {n: writing.STREAMS[n] for n in chosen})
    for name in ("one", "same"):
        simulate(corner, corner_settings, tmp_path / name)
    other = corner_settings.model_copy(update={"seed": 6})
    simulate(corner, other, tmp_path / "other")
    assert sha256(tmp_path / "one") == sha256(tmp_path / "same")
    hashes = [
        json.loads((tmp_path / n / "twin.json").read_text())["files"] for n in ("one", "other")
    ]
    assert not set(hashes[0].items()) & set(hashes[1].items())


def test_a_failure_leaves_the_earlier_twin_untouched(
    corner, corner_settings, tmp_path, monkeypatch
):
    cheap = "civil_registration_2021.csv"
    monkeypatch.setattr(writing, "STREAMS", {cheap: writing.STREAMS[cheap]})
    out = tmp_path / "twin"
    simulate(corner, corner_settings, out)
    before = sha256(out)

    def broken(world, path):
        path.write_text("half")
        raise OSError("disk full")

    monkeypatch.setattr(writing, "STREAMS", {cheap: writing.STREAMS[cheap], "b.csv": broken})
    with pytest.raises(OSError, match="disk full"):
        simulate(corner, corner_settings.model_copy(update={"seed": 9}), out)
    assert sha256(out) == before
    assert [p.name for p in tmp_path.iterdir()] == ["twin"]


def test_a_folder_of_something_else_is_never_replaced(corner, corner_settings, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="not a twin"):
        simulate(corner, corner_settings, tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
