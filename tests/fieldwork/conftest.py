"""The study's simulator, and one survey of it, for all tests of the fieldwork."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

STUDIES = Path(__file__).parents[2] / "benchmarks" / "studies"


def load(name: str) -> ModuleType:
    """Import a study as its own command would, with its folder on the path."""
    if str(STUDIES) not in sys.path:
        sys.path.insert(0, str(STUDIES))
    spec = importlib.util.spec_from_file_location(name, STUDIES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def world() -> ModuleType:
    return load("fieldwork_world")


@pytest.fixture(scope="session")
def study(world) -> ModuleType:
    return load("fieldwork")


@pytest.fixture(scope="session")
def made(world):
    """Sixty areas, closed and exhausted units, a fifth asked again."""
    trouble = world.Trouble(closed=0.15, small=0.15, told=0.7, recheck=0.2, rate=0.002)
    return world.fieldwork(trouble, [7])
