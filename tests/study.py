"""The indicators that the repository's own project declares, for tests that need a real set."""

from pathlib import Path

from smallarea.catalog import load_catalog
from smallarea.indicators import Indicators, read_indicators
from smallarea.simulate import TwinSettings

CATALOG = load_catalog(Path(__file__).parents[1] / "data_catalog.yaml")
INDICATORS = read_indicators(CATALOG.indicators)
COMPONENTS = tuple(INDICATORS.components)
REFERENCE = INDICATORS.reference
SUMS = {name: added.of for name, added in INDICATORS.sums.items()}
UNITS = INDICATORS.units


def overlapping(share: float) -> Indicators:
    """The same indicators with another overlap of every sum."""
    sums = {n: s.model_copy(update={"overlap": share}) for n, s in INDICATORS.sums.items()}
    declared = {name: getattr(INDICATORS, name) for name in Indicators.model_fields}
    return Indicators(**declared | {"sums": sums})


def twin_settings(**knobs: object) -> TwinSettings:
    """The knobs of the repository's own twin, some of them turned."""
    return TwinSettings(**CATALOG.twin | knobs)
