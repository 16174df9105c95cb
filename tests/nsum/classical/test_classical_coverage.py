"""The coverage study of the closed forms: its conclusions, and a seeded part of it run again."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("classical", BENCHMARKS / "nsum_classical.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["classical"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def results() -> dict:
    return json.loads((BENCHMARKS / "results" / "nsum_classical.json").read_text())


@pytest.mark.parametrize("name", ["well specified", "barrier and clusters", "recall"])
def test_a_part_of_the_study_runs_again_to_the_same_figures(
    benchmark: ModuleType, results: dict, name: str
) -> None:
    found = benchmark.study(benchmark.SCENARIOS[name], results["subset"])
    assert found == pytest.approx(results["scenarios"][name]["subset"], rel=1e-9)


def test_bootstrap_intervals_cover_where_binomial_ones_do_not(results: dict) -> None:
    assert results["surveys"] >= 100
    scenarios = {name: entry["all"] for name, entry in results["scenarios"].items()}
    for name in ("well specified", "barrier", "barrier and clusters"):
        found = scenarios[name]
        assert abs(found["mle"] - 1) < 4 * found["mle_se"]
        assert 0.89 < found["bootstrap_psu"] < 0.98
        assert 0.89 < found["linearised_psu"] < 0.98
    assert scenarios["well specified"]["binomial"] > 0.92
    assert scenarios["barrier"]["binomial"] < 0.65
    # Respondents are not independent within a PSU: only the PSU bootstrap knows.
    clustered = scenarios["barrier and clusters"]
    assert clustered["bootstrap_respondent"] < clustered["bootstrap_psu"] - 0.02


def test_each_broken_assumption_shows_as_bias(results: dict) -> None:
    bias = {name: entry["all"]["mle"] for name, entry in results["scenarios"].items()}
    pimle = {name: entry["all"]["pimle"] for name, entry in results["scenarios"].items()}
    trimmed = {name: entry["all"]["trimmed"] for name, entry in results["scenarios"].items()}
    assert bias["transmission"] == pytest.approx(0.5, abs=0.02)
    assert pimle["well specified"] > 1.03
    assert pimle["barrier"] > 1.15
    assert abs(bias["wrong known size"] - 1) > 3 * abs(trimmed["wrong known size"] - 1)
