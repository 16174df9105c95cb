"""Network scale-up: from reports about others to the size of a hidden group."""

from smallarea.nsum.classical import ScaleUp, degrees, killworth, killworth_table
from smallarea.nsum.generalized import Adjustment, adjusted, generalized, modified_basic, visibility
from smallarea.nsum.known_groups import (
    back_estimates,
    leave_one_out,
    overlap,
    recall,
    side_by_side,
    trim,
)
from smallarea.nsum.measures import killworth_indicators
from smallarea.nsum.municipal import Direct, direct_estimates, load_direct, save_direct

__all__ = [
    "Adjustment",
    "Direct",
    "ScaleUp",
    "adjusted",
    "back_estimates",
    "degrees",
    "direct_estimates",
    "generalized",
    "killworth",
    "killworth_indicators",
    "killworth_table",
    "leave_one_out",
    "load_direct",
    "modified_basic",
    "overlap",
    "recall",
    "save_direct",
    "side_by_side",
    "trim",
    "visibility",
]
