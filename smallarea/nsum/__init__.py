"""Network scale-up: from reports about others to the size of a hidden group."""

from smallarea.nsum.municipal import Direct, direct_estimates

__all__ = ["Direct", "direct_estimates"]
