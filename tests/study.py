"""The indicators that the repository's own project declares, for tests that need a real set."""

from pathlib import Path

from smallarea.catalog import load_catalog
from smallarea.indicators import read_indicators

INDICATORS = read_indicators(
    load_catalog(Path(__file__).parents[1] / "data_catalog.yaml").indicators
)
COMPONENTS = tuple(INDICATORS.components)
REFERENCE = INDICATORS.reference
SUMS = {name: added.of for name, added in INDICATORS.sums.items()}
UNITS = INDICATORS.units


def overlapping(share: float):
    """The same indicators with another overlap of every sum."""
    sums = {n: s.model_copy(update={"overlap": share}) for n, s in INDICATORS.sums.items()}
    return INDICATORS.model_copy(update={"sums": sums})
