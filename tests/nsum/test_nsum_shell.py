"""One survey from the shell: the JSON it prints, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smallarea.errors import InputError
from smallarea.nsum import killworth
from smallarea.nsum.shell import nsum_survey
from smallarea.survey import ARD

KEYS = {"group", "mean", "sd", "q025", "median", "q975", "ess", "rhat"}


@pytest.fixture
def rwanda_files(
    rwanda_tables: tuple[pd.DataFrame, pd.DataFrame], tmp_path: Path
) -> tuple[Path, Path]:
    survey, groups = rwanda_tables
    survey.to_csv(tmp_path / "survey.csv", index=False)
    groups[["group", "kind", "size", "population"]].to_csv(tmp_path / "groups.csv", index=False)
    return tmp_path / "survey.csv", tmp_path / "groups.csv"


def two_networks(folder: Path, n: int = 300, seed: int = 0) -> tuple[Path, Path]:
    rng = np.random.default_rng(seed)
    d = rng.lognormal(4.5, 0.5, n)
    child = rng.poisson(rng.lognormal(3.5, 0.5, n))
    child[:7] = 0
    survey = pd.DataFrame(
        {f"job{i}": rng.poisson(d * s) for i, s in enumerate((0.02, 0.01, 0.03, 0.005))}
    )
    survey["young"] = rng.binomial(child, 0.4)
    survey["old"] = child - survey["young"]
    survey["victims"] = rng.poisson(child * 0.02)
    survey["traffickers"] = rng.poisson(d * 0.004)
    survey["nobody"] = 0
    survey.to_csv(folder / "survey.csv", index=False)
    (folder / "groups.csv").write_text(
        "group,kind,size,population,network\n"
        + "".join(
            f"job{i},known,{int(s * 1e6)},1000000,adult\n"
            for i, s in enumerate((0.02, 0.01, 0.03, 0.005))
        )
        + "young,known,240000,600000,child\nold,known,360000,600000,child\n"
        + "victims,hidden,,600000,child\ntraffickers,hidden,,1000000,adult\n"
        + "nobody,hidden,,600000,child\n"
    )
    return folder / "survey.csv", folder / "groups.csv"


def test_killworth_prints_the_design_based_estimate(
    rwanda_files: tuple[Path, Path], rwanda: ARD
) -> None:
    design = {"weights": "indweight", "psu": "cluster", "strata": "region"}
    out = nsum_survey(*rwanda_files, "killworth", seed=5, **design)
    assert set(out) == {"model", "groups", "diagnostics", "warnings"}
    assert all(set(group) == KEYS for group in out["groups"])
    assert [group["group"] for group in out["groups"]] == rwanda.hidden()
    json.dumps(out, allow_nan=False)

    (columns := rwanda_files[0].with_name("columns.yaml")).write_text("top_code: 30\n")
    capped = nsum_survey(*rwanda_files, "killworth", seed=5, columns=columns, **design)
    expected = killworth(rwanda).summary(seed=5)
    for group in capped["groups"]:
        row = expected.loc[group["group"]]
        assert group["mean"] == pytest.approx(row["mean"], rel=1e-12)
        assert group["sd"] == pytest.approx(row["sd"], rel=1e-12)
        assert group["q025"] < group["median"] < group["q975"]
        assert group["ess"] is None
    assert any("above the top code" in warning for warning in capped["warnings"])
    assert capped["diagnostics"]["bootstrap"]["of"] == "PSUs within strata"
    assert capped["diagnostics"]["known_groups"]["adult"]["recall_slope"] < 0.5


def test_the_seed_decides_the_bootstrap(rwanda_files: tuple[Path, Path]) -> None:
    first = nsum_survey(*rwanda_files, "killworth", seed=1)
    assert first == nsum_survey(*rwanda_files, "killworth", seed=1)
    assert first != nsum_survey(*rwanda_files, "killworth", seed=2)


def test_each_network_has_its_own_degree(tmp_path: Path) -> None:
    files = two_networks(tmp_path)
    survey = pd.read_csv(files[0])
    out = nsum_survey(*files, "killworth")
    mean = {group["group"]: group["mean"] for group in out["groups"]}
    exposed = (survey["young"] + survey["old"]) > 0
    sums = survey["victims"][exposed].sum() / (survey["young"] + survey["old"]).sum()
    assert mean["victims"] == pytest.approx(600_000 * sums)
    jobs = survey.filter(like="job").sum().sum() / 65_000
    assert mean["traffickers"] == pytest.approx(survey["traffickers"].sum() / jobs)
    assert any("know nobody" in warning for warning in out["warnings"])


def test_a_group_nobody_reports_is_flagged_not_fatal(tmp_path: Path) -> None:
    out = nsum_survey(*two_networks(tmp_path), "killworth")
    nobody = next(group for group in out["groups"] if group["group"] == "nobody")
    assert (nobody["mean"], nobody["sd"], nobody["q025"]) == (0, None, 0)
    assert nobody["q975"] > 0
    assert any("nobody reported anyone in nobody" in warning for warning in out["warnings"])


def test_pimle_warns_of_its_bias(rwanda_files: tuple[Path, Path]) -> None:
    out = nsum_survey(*rwanda_files, "pimle")
    assert any("biased up" in warning for warning in out["warnings"])


def test_summation_over_adult_groups_says_what_it_assumes(rwanda_files: tuple[Path, Path]) -> None:
    out = nsum_survey(*rwanda_files, "killworth", degree="summation")
    assert any("add up to 11%" in warning for warning in out["warnings"])


def test_a_bayesian_model_agrees_with_the_closed_form(tmp_path: Path) -> None:
    survey, groups = two_networks(tmp_path)
    table = pd.read_csv(groups)
    table[table["network"] == "child"].to_csv(groups, index=False)
    closed = {g["group"]: g["mean"] for g in nsum_survey(survey, groups, "killworth")["groups"]}
    out = nsum_survey(survey, groups, "degree", seed=3, draws=400, allow_unconverged=True)
    json.dumps(out, allow_nan=False)
    victims, nobody = out["groups"]
    assert victims["q025"] < closed["victims"] < victims["q975"]
    assert victims["ess"] > 50
    assert (nobody["mean"], nobody["sd"], nobody["rhat"]) == (0, None, None)
    assert set(out["diagnostics"]) >= {"child", "known_groups", "implausible", "carriers"}
    assert any("zero sum" in warning for warning in out["warnings"])
    assert any("nobody reported anyone in nobody" in warning for warning in out["warnings"])


@pytest.mark.slow
def test_sizes_freed_of_recall_have_no_mean(tmp_path: Path) -> None:
    survey, groups = two_networks(tmp_path)
    table = pd.read_csv(groups)
    table[table["network"] == "adult"].to_csv(groups, index=False)
    out = nsum_survey(survey, groups, "degree", recall=True, draws=100, allow_unconverged=True)
    (group,) = out["groups"]
    assert (group["mean"], group["sd"]) == (None, None)
    assert 0 < group["q025"] < group["median"] < group["q975"] <= 1_000_000
    assert any("no mean" in warning for warning in out["warnings"])


def test_a_bound_on_reports_is_wider_on_people(tmp_path: Path) -> None:
    survey, groups = two_networks(tmp_path)
    table = pd.read_csv(groups)
    table[~table["group"].isin(["victims", "traffickers"])].to_csv(groups, index=False)
    with_tau = nsum_survey(survey, groups, "transmission", tau_prior=(20, 380))
    closed = nsum_survey(survey, groups, "killworth")
    ratio = with_tau["groups"][0]["q975"] / closed["groups"][0]["q975"]
    assert 20 < ratio < 30  # 1 / 0.05, and tau's own spread


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"model": "magic"}, "no model 'magic'"),
        ({"model": "killworth", "tau_prior": (5, 95)}, "no transmission rate"),
        ({"model": "killworth", "weights": "wt"}, "missing columns: wt"),
        ({"model": "killworth", "degree": "guess"}, "'guess' is no way to a degree"),
        ({"model": "killworth", "recall": True}, "does not adjust for recall"),
        ({"model": "full", "covariates": ["age"]}, "takes no covariates"),
        ({"model": "correlated", "covariates": ["age"]}, "missing columns: age"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    rwanda_files: tuple[Path, Path], settings: dict, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        nsum_survey(*rwanda_files, **settings)
