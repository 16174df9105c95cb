"""The study of the attack, remade for its first twin."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.slow
def test_the_first_twin_gives_the_gains_that_were_kept():
    """Within .02: another type of processor moves medians, and with them a few pairs of places."""
    spec = importlib.util.spec_from_file_location("attack", ROOT / "studies" / "attack.py")
    assert spec is not None
    assert spec.loader is not None
    study = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(study)
    kept = json.loads((ROOT / "results" / "attack.json").read_text())
    first = kept["twins"][0]
    again = study.simple({first: study.places_of(first)})
    before = {(row["attack"], row["component"]): row["by_twin"][0] for row in kept["found"]}
    for row in again:
        assert np.isclose(row["by_twin"][0], before[row["attack"], row["component"]], atol=0.02)
