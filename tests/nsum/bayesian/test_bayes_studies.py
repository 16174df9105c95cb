"""The committed studies say what they should, and a part of each, rerun, says the same."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


def load(name: str):
    """Import a study as its own command would, with its folder on the path."""
    if str(BENCHMARKS / "studies") not in sys.path:
        sys.path.insert(0, str(BENCHMARKS / "studies"))
    spec = importlib.util.spec_from_file_location(name, BENCHMARKS / "studies" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def models():
    return load("nsum_models")


@pytest.fixture(scope="module")
def committed() -> dict:
    return json.loads((BENCHMARKS / "results" / "nsum_models.json").read_text())


def within(share: float, nominal: float, n: int) -> bool:
    """Is a coverage within Monte Carlo error (99.9 %) of nominal?"""
    low, high = stats.binom.ppf([0.0005, 0.9995], n, nominal) / n
    return low <= share <= high


def test_every_model_is_calibrated(committed, models):
    """Ranks uniform: no p-value below 0.01 after Bonferroni's correction over all parameters."""
    assert set(committed["calibration"]) == set(models.VARIANTS)
    p = [found["p"] for model in committed["calibration"].values() for found in model.values()]
    assert min(p) * len(p) > 0.01


def test_every_model_covers_when_it_is_right(committed, models):
    assert set(committed["coverage"]) == set(models.VARIANTS)
    for found in committed["coverage"].values():
        assert found["surveys"] >= 100
        assert within(found["cover80"], 0.80, found["surveys"])
        assert within(found["cover95"], 0.95, found["surveys"])


def test_ignoring_what_matters_shows(committed):
    wrong = committed["misspecification"]
    assert wrong["transmission, ignored"]["relative_bias_of_median"] < -0.6
    assert wrong["strong barrier (rho 0.1), ignored"]["cover95"] < 0.7
    too_large = wrong["known sizes 20 % too large"]
    error = 3 * too_large["its_standard_error"]
    assert too_large["relative_bias_of_median"] == pytest.approx(0.2, abs=error)


@pytest.mark.slow
def test_calibration_rerun(models, committed):
    """Twenty of the surveys: the sampler is seeded, so this is a part of what is committed."""
    found = models.calibration("full, summed degrees", 20, committed["seed"])
    for parameter, result in found.items():
        assert result["p"] > 1e-4, parameter
        assert sum(result["histogram"]) == 20


@pytest.mark.slow
def test_coverage_rerun(models, committed):
    found = models.interval_study(
        "transmission", models.WELL_SPECIFIED["transmission"], 20, committed["seed"]
    )
    assert within(found["cover80"], 0.80, 20)
    assert within(found["cover95"], 0.95, 20)


@pytest.mark.slow
def test_misspecification_rerun(models, committed):
    variant, world, _, tau = models.MISSPECIFIED["strong barrier (rho 0.1), ignored"]
    found = models.interval_study(variant, world, 20, committed["seed"], tau=tau)
    assert found["cover95"] < 0.8


def test_the_hierarchy_is_calibrated_and_covers():
    found = json.loads((BENCHMARKS / "results" / "municipal_hierarchy.json").read_text())
    assert found["surveys"] >= 100
    p = [result["p"] for result in found["calibration"].values()]
    assert min(p) * len(p) > 0.01
    for share in (80, 95):
        for which in ("surveyed", "other"):
            name = f"cover{share}_{which}"
            error = found["coverage"][f"{name}_se"]
            assert found["coverage"][name] == pytest.approx(share / 100, abs=3.3 * error)


@pytest.mark.slow
def test_the_hierarchy_rerun():
    """One of its surveys: 80 intervals of surveyed areas, which depend on each other."""
    found = load("municipal_hierarchy").study(1)
    assert 0.6 < found["coverage"]["cover80_surveyed"] < 1
    assert found["coverage"]["cover95_surveyed"] > 0.8


def test_the_design_scaled_posterior_is_the_honest_one():
    found = json.loads((BENCHMARKS / "results" / "nsum_national.json").read_text())
    assert found["surveys"] >= 100
    for level in found["results"].values():
        chosen = level["weighted, design"]
        assert within(chosen["cover80"], 0.80, found["surveys"])
        assert within(chosen["cover95"], 0.95, found["surveys"])
        assert abs(chosen["bias"]) < 0.05
    many = found["results"]["about 160 reports"]
    for method in ("unweighted", "weighted, Kish"):
        assert not within(many[method]["cover80"], 0.80, found["surveys"])


@pytest.mark.slow
def test_a_national_survey_can_be_compared_anew():
    national = load("nsum_national")
    rng = np.random.default_rng(4)
    ard = national.survey(national.country(1e-3, rng), rng)
    assert ard.design["psu"].nunique() == national.PSUS
    draws = national.Comparison()(ard, seed=0)
    spread = {method: np.log(d).std() for method, d in draws.items()}
    assert spread["weighted, design"] > spread["unweighted"]
