"""From one survey about a hidden harm to honest numbers for every small area.

>>> import smallarea as sa
>>> run = sa.Project(".").run()
>>> estimates = run.estimates()  # a GeoDataFrame of the headline, one row per area
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Project", "Run", "__version__"]

if TYPE_CHECKING:
    from smallarea.project import Project
    from smallarea.run.record import Run


def __getattr__(name: str) -> Any:
    """Load the project only when it is asked for: `import smallarea` stays light."""
    if name in ("Project", "Run"):
        from smallarea import project

        return getattr(project, name)
    raise AttributeError(name)
