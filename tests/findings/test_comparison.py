"""Two runs compared: the ratio is that of the reported rates, whatever each believes of tau."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from study import overlapping
from wave_runs import CV, made_run

from smallarea.errors import InputError
from smallarea.files import sha256, write_json
from smallarea.findings.change_words import change_text
from smallarea.run.record import Run, seal


@pytest.fixture
def earlier(tmp_path: Path) -> Run:
    return made_run(tmp_path / "earlier", 0.0005, "a1")


@pytest.fixture
def later(tmp_path: Path) -> Run:
    return made_run(tmp_path / "later", 0.00035, "b2")


def test_a_decline_is_found_with_the_chance_it_has(earlier, later):
    found = later.change_since(earlier)
    sd = CV * np.sqrt(2)
    one = found.nation.loc["victims_live"]
    assert one["ratio"] == pytest.approx(0.7, rel=0.03)
    assert one["p_decrease"] == pytest.approx(stats.norm.cdf(-np.log(0.7) / sd), abs=0.02)
    both = found.nation.loc["victims"]  # two independent components of the same size
    assert both["q975"] / both["q025"] == pytest.approx(np.exp(2 * 1.96 * CV), rel=0.08)
    assert set(found.units.index.get_level_values("unit")) == {"North", "South"}
    assert (found.areas["areas"] == 4).all()  # covered, and with people
    assert (found.areas["fell"] <= 4).all()
    assert found.areas.loc["victims", "fell"] == 4
    assert found.warnings == ()
    assert not found.synthetic
    assert (found.drift[0.3] < found.drift[0.0]).all()
    drifting = later.change_since(earlier, tau_drift=0.3)
    assert drifting.nation["p_decrease"].to_numpy() == pytest.approx(found.drift[0.3], abs=0.02)
    assert "reporting rate drifted by 30%" in change_text(drifting)


def test_other_beliefs_about_tau_do_not_move_the_change(tmp_path, earlier):
    lower = made_run(tmp_path / "lower", 0.00035, "b2", tau=0.02)
    found = lower.change_since(earlier)
    assert found.nation["ratio"].to_numpy() == pytest.approx(0.7, rel=0.03)
    (warning,) = found.warnings
    assert "other reporting rates, Beta(20, 380) and Beta(8, 392)" in warning


def test_what_else_differs_is_said(tmp_path, earlier):
    inputs = [
        {"file": "respondents.csv", "sha256": "b2"},
        {"file": "groups.csv", "sha256": "other"},
        {"file": "roads.gpkg", "source": "roads", "sha256": "other"},
    ]
    twin = made_run(
        tmp_path / "twin", 0.0005, "b2", synthetic=True, inputs=inputs, profile="full",
        indicators=overlapping(0.5).model_dump(),
    )  # fmt: skip
    found = twin.change_since(earlier)
    said = " ".join(found.warnings)
    for words in ("only twin is SYNTHETIC", "tables of groups", "covariates (roads)", "profile",
                  "declare other indicators"):  # fmt: skip
        assert words in said
    assert found.synthetic
    assert "SYNTHETIC SURVEY" in change_text(found)


def test_a_component_nobody_reported_is_left_out_and_said(tmp_path, earlier, later):
    path = later.folder / "draws.nc"
    draws = xr.load_dataset(path, engine="h5netcdf")
    draws["counts"].loc[{"component": "traffickers_live", "draw": slice(0, 5)}] = 0.0
    draws.to_netcdf(path, engine="h5netcdf")
    outputs = later.manifest["outputs"] | {"draws.nc": sha256(path)}
    write_json(later.folder / "manifest.json", seal(later.manifest | {"outputs": outputs}))
    found = Run(later.folder).change_since(earlier)
    assert "traffickers_live" not in found.nation.index
    assert "traffickers" in found.nation.index
    assert any("traffickers_live: nobody reported" in warning for warning in found.warnings)
    assert "traffickers" in change_text(found)


def test_other_settings_are_said(tmp_path, earlier):
    later = made_run(tmp_path / "later", 0.0005, "b2", settings={"degrees": "roster"})
    assert any("other settings (degrees)" in w for w in later.change_since(earlier).warnings)


def test_one_survey_has_not_changed(earlier):
    with pytest.raises(InputError, match="same survey"):
        earlier.change_since(earlier)


DIRECT = {"direct": {"file": "data/direct.csv", "deff": 1.0, "national": {}}}


def of_direct_estimates(folder: Path, rate: float, survey: str, **direct) -> Run:
    """A run like the others, but of direct estimates and without a reporting rate."""
    inputs = [
        {"file": "data/direct.csv", "sha256": survey},
        {"file": "direct.csv", "source": "of the same name", "sha256": "r"},
    ]
    made = made_run(
        folder, rate, survey, inputs=inputs, tau_prior=None,
        settings={"direct": DIRECT["direct"] | direct},
    )  # fmt: skip
    path = folder / "draws.nc"
    draws = xr.load_dataset(path, engine="h5netcdf")
    draws.assign(counts=draws["counts"] * draws["tau"]).drop_vars("tau").to_netcdf(
        path, engine="h5netcdf"
    )
    outputs = made.manifest["outputs"] | {"draws.nc": sha256(path)}
    write_json(folder / "manifest.json", seal(made.manifest | {"outputs": outputs}))
    return Run(folder)


def test_two_runs_of_direct_estimates_are_compared(tmp_path):
    first = of_direct_estimates(tmp_path / "first", 0.0005, "a1")
    second = of_direct_estimates(tmp_path / "second", 0.00035, "b2", deff=1.5)
    found = second.change_since(first)
    assert found.nation["ratio"].to_numpy() == pytest.approx(0.7, rel=0.03)
    assert found.warnings == ()
    told = change_text(found)
    assert told.startswith("Prevalence, ")
    assert "report" not in told
    with pytest.raises(InputError, match="same direct estimates"):
        second.change_since(of_direct_estimates(tmp_path / "again", 0.0005, "b2"))
    total = {"victims_live": {"total": 90, "se": 9, "source": "a census"}}
    stated = of_direct_estimates(tmp_path / "stated", 0.0004, "c3", national=total)
    (warning,) = stated.change_since(first).warnings
    assert "given some national total" in warning


def test_a_survey_of_acquaintances_is_not_compared_with_direct_estimates(tmp_path, earlier):
    later = of_direct_estimates(tmp_path / "direct", 0.0004, "b2")
    with pytest.raises(InputError, match="two runs of the same kind"):
        later.change_since(earlier)


def test_the_shell_says_what_is_assumed(earlier, later):
    words = ("change", earlier.folder, later.folder, "--tau-drift", 0.1, "--json")
    made = subprocess.run(
        [sys.executable, "-m", "smallarea", *map(str, words)],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    found = json.loads(made.stdout)
    assert found["assumed"] == {"tau_drift": 0.1, "correlation": 0.0}
    assert len(found["nation"]) == 6
    assert len(found["units"]) == 12
    told = change_text(later.change_since(earlier))
    assert "people report as large a share" in told
    assert "Nothing here puts areas in an order" in told
    with pytest.raises(InputError, match="no finished run here"):
        Run(earlier.folder.parent)
