"""How long work tells what it is doing: a callback that whoever started the work provides."""

from __future__ import annotations

from collections.abc import Callable

#: Told `(what is being done, share done or None)`.
Progress = Callable[[str, float | None], None]


def silent(_what: str, _share: float | None = None) -> None:
    """Show no progress."""
