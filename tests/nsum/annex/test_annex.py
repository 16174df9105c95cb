"""The annex of a survey's estimates: complete, traceable, replaced only where it is one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smallarea.errors import InputError
from smallarea.files import sha256
from smallarea.nsum.annex.folder import residual_summary
from smallarea.nsum.shell import nsum_survey

SIZES = {"teachers": 20_000, "nurses": 10_000, "guards": 30_000, "clerks": 15_000}
CLOSED = {
    "estimates.csv", "known_groups.csv", "known_groups_adult.svg", "overlap.csv", "recall.csv",
    "run.json", "side_by_side.csv", "side_by_side_adult.svg", "trimming.csv", "trimming_adult.svg",
}  # fmt: skip
BAYESIAN = {
    "checks.csv", "loo.csv", "residuals.csv", "residuals_child.svg", "tau_curve.csv",
    "tau_curve.svg",
}  # fmt: skip


def write_survey(folder: Path, ids: str = "", network: str = "adult") -> tuple[Path, Path]:
    """Four known groups, clerks reported three times too often, and two hidden ones."""
    rng = np.random.default_rng(1)
    degree = rng.lognormal(4.5, 0.5, 200)
    shares = {g: n / 1e6 for g, n in SIZES.items()} | {"hidden": 0.004, "nobody": 0}
    shares["clerks"] *= 3
    survey = pd.DataFrame({g: rng.poisson(degree * s) for g, s in shares.items()})
    if ids:
        survey.insert(0, "respondent_id", [f"{ids}-{i}" for i in range(200)])
    survey.to_csv(folder / "survey.csv", index=False)
    groups = pd.DataFrame({"group": list(shares), "population": 1_000_000, "network": network})
    groups["size"] = groups["group"].map(SIZES)
    groups["kind"] = np.where(groups["size"].isna(), "hidden", "known")
    groups.to_csv(folder / "groups.csv", index=False)
    return folder / "survey.csv", folder / "groups.csv"


def test_the_annex_of_a_closed_form(tmp_path):
    files, out = write_survey(tmp_path), tmp_path / "annex"
    found = nsum_survey(*files, "killworth", out=out, seed=3)
    assert {path.name for path in out.iterdir()} == CLOSED
    estimates = pd.read_csv(out / "estimates.csv", index_col="group")
    assert estimates["mean"].to_dict() == {g["group"]: g["mean"] for g in found["groups"]}
    known = pd.read_csv(out / "known_groups.csv", index_col="group")
    assert list(known.index) == list(SIZES)
    assert known.index[known["trimmed"]].tolist() == ["clerks"]
    path = pd.read_csv(out / "trimming.csv")
    hidden = path[path["group"] == "hidden"]
    assert hidden["removed"].tolist()[1:] == ["clerks"]
    assert hidden["relative"].iloc[1] > 1.1  # degrees had been too large
    assert len(pd.read_csv(out / "overlap.csv")) == 6
    beside = pd.read_csv(out / "side_by_side.csv", index_col="group").loc["hidden"]
    assert beside["untrimmed"] == estimates.loc["hidden", "mean"]
    run = json.loads((out / "run.json").read_text())
    assert run["inputs"]["survey"]["sha256"] == sha256(files[0])
    assert (run["seed"], run["settings"]["model"], run["synthetic"]) == (3, "killworth", False)
    assert set(run["outputs"]) == CLOSED - {"run.json"}

    first = {name: (out / name).read_bytes() for name in CLOSED}
    nsum_survey(*files, "killworth", out=out, seed=3)
    assert {name: (out / name).read_bytes() for name in CLOSED} == first
    assert out.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    files, out = write_survey(tmp_path), tmp_path / "thesis"
    out.mkdir()
    (out / "run.json").write_text('{"command": "another"}')
    with pytest.raises(InputError, match="did not write"):
        nsum_survey(*files, "killworth", out=out)
    assert [path.name for path in out.iterdir()] == ["run.json"]


def test_the_annex_of_a_bayesian_model_is_labelled_synthetic(tmp_path):
    files = write_survey(tmp_path, ids="SYNTHETIC", network="child")
    out = tmp_path / "annex"
    found = nsum_survey(*files, "degree", seed=2, draws=250, allow_unconverged=True, out=out)
    assert found["warnings"][0].startswith("SYNTHETIC SURVEY")
    closed = {name.replace("adult", "child") for name in CLOSED}
    assert {path.name for path in out.iterdir()} == closed | BAYESIAN
    for path in out.glob("*.csv"):
        assert (pd.read_csv(path)["notice"] == "SYNTHETIC SURVEY").all()
    for path in out.glob("*.svg"):
        assert "SYNTHETIC SURVEY" in path.read_text()

    curve = pd.read_csv(out / "tau_curve.csv")
    assert set(curve["group"]) == {"hidden"}  # nobody was reported in the other one
    np.testing.assert_allclose(curve["median"] * curve["tau"], curve["median"].iloc[-1])
    hidden = found["groups"][0]
    assert curve["median"].iloc[-1] == pytest.approx(hidden["median"])
    checks = pd.read_csv(out / "checks.csv")
    assert set(checks["kind"]) == {"prior", "posterior"}
    posterior = checks[(checks["kind"] == "posterior") & (checks["statistic"] == "mean")]
    assert posterior["tail"].between(0.005, 0.995).all()
    residuals = pd.read_csv(out / "residuals.csv", index_col="group")
    assert list(residuals.index) == ["hidden"]
    assert (residuals["ks"] < 0.15).all()
    assert (pd.read_csv(out / "loo.csv")["elpd"] < 0).all()


def test_residuals_are_measured_against_the_normal():
    rng = np.random.default_rng(0)
    right = rng.normal(size=400)
    table = residual_summary(pd.DataFrame({"right": right, "off": right + 1, "none": np.nan}))
    assert table.loc["right", "ks"] < 1.63 / np.sqrt(400)
    assert table.loc["off", "ks"] > 0.3
    assert table.loc["off", "mean"] == pytest.approx(table.loc["right", "mean"] + 1)
    assert table.loc["none", "answers"] == 0
