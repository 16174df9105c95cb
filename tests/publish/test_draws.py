"""draws.nc: exact sums, names and units as CF asks for, and what ArviZ reads."""

from __future__ import annotations

import arviz as az
import numpy as np
import pytest
import xarray as xr
from study import INDICATORS

from smallarea.errors import InputError
from smallarea.files import sha256
from smallarea.publish.draws import draws_dataset, read_draws, write_draws
from smallarea.publish.estimates import SYNTHETIC


@pytest.fixture(scope="module")
def made(toy) -> xr.Dataset:
    return draws_dataset(toy.counts, toy.tau, toy.table, INDICATORS, synthetic=True, seed=7)


@pytest.fixture(scope="module")
def path(made, tmp_path_factory):
    path = tmp_path_factory.mktemp("draws") / "draws.nc"
    write_draws(made, path)
    return path


def test_draws_read_back_are_what_was_written_and_sum_to_the_nation_exactly(toy, made, path):
    back = read_draws(path)
    xr.testing.assert_identical(back, made.assign_coords(back.coords))
    assert set(back.coords) == set(made.coords)
    assert back.attrs["notice"] == SYNTHETIC
    assert back.attrs["seed"] == 7
    assert back["counts"].dtype == np.float64
    assert back["counts"].dims == ("component", "area_id", "draw")
    assert (back["counts"].sum("area_id") == back["national_total"]).all()
    inside = back["counts"].where(back["covered"], drop=True).sum("area_id")
    assert (inside == back["covered_total"]).all()
    assert (back["counts"] == toy.counts).all()


def test_arviz_reads_one_chain_of_draws(toy, path):
    found = az.InferenceData.from_netcdf(path)
    assert found.groups() == ["posterior"]
    counts = found.posterior["counts"]
    assert (counts.sizes["chain"], counts.sizes["draw"]) == (1, toy.counts.sizes["draw"])
    assert found.attrs["notice"] == SYNTHETIC
    known = az.extract(found, var_names="counts").sel(area_id="0000000103")
    assert (known.values == toy.counts.sel(area_id="0000000103").values).all()
    low, high = az.hdi(found.posterior["tau"], hdi_prob=0.9)["tau"].values
    assert np.mean((toy.tau >= low) & (toy.tau <= high)) == pytest.approx(0.9, abs=0.01)
    totals = az.summary(found, var_names="national_total", kind="stats")
    expected = toy.counts.sum("area_id").mean("draw")
    np.testing.assert_allclose(totals["mean"], expected, rtol=1e-3, atol=1e-3)
    found.close()


def test_names_units_and_coordinates_are_as_cf_asks_for(toy, path):
    with xr.open_dataset(path, engine="h5netcdf") as root:
        assert root.attrs["Conventions"].startswith("CF-1.")
        assert "restricted" in root.attrs["access"]
    with xr.open_dataset(path, engine="h5netcdf", group="posterior") as file:
        assert {"area_id", "name", "province", "region_id", "component"} <= set(file.coords)
        for name, values in file.variables.items():
            assert values.attrs["long_name"], name
            if values.dtype.kind in "if":
                assert values.attrs["units"] == "1", name
        place = file.sel(area_id="0000000105")
        told = toy.table.loc["0000000105"]
        assert place["name"].item() == told["name"]
        assert place["region"].item() == told["region"]
        victims = file["label"].sel(component="victims_live").item()
        assert victims == INDICATORS.labels["victims_live"]


def test_numbers_as_reported_have_no_rate(toy, tmp_path):
    plain = draws_dataset(toy.counts, None, toy.table, INDICATORS, synthetic=False)
    write_draws(plain, tmp_path / "draws.nc")
    assert "tau" not in read_draws(tmp_path / "draws.nc")


def test_written_again_it_is_the_same_to_the_last_byte(made, path, tmp_path):
    write_draws(made, tmp_path / "draws.nc")
    assert sha256(tmp_path / "draws.nc") == sha256(path)


def test_a_file_of_an_earlier_version_is_read(made, tmp_path):
    made.to_netcdf(tmp_path / "draws.nc", engine="h5netcdf")
    xr.testing.assert_equal(read_draws(tmp_path / "draws.nc"), made)


def test_no_level_has_the_name_of_what_is_in_the_file(made):
    from smallarea.areas.spec import free_name

    for name in {*made.variables, "chain"} - {"province", "province_id", "region", "region_id"}:
        with pytest.raises((ValueError, InputError)):
            free_name(name)
