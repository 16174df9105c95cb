"""How often one reader may ask: a bucket of requests that fills again at a steady rate."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

#: Readers remembered at once; of the others the longest absent is forgotten, its bucket full again.
READERS = 10_000


class Pace:
    """Allow each reader a number of requests a minute, and as many at once.

    a_minute : requests. clock : seconds, for tests.
    """

    def __init__(self, a_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self.size, self.clock = a_minute, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, reader: str) -> float:
        """Count a request; return 0, or the seconds until one is allowed."""
        now, rate = self.clock(), self.size / 60
        left, then = self._left.pop(reader, (float(self.size), now))
        left = min(self.size, left + (now - then) * rate)
        allowed = left >= 1
        self._left[reader] = (left - 1 if allowed else left), now
        if len(self._left) > READERS:
            self._left.popitem(last=False)
        return 0.0 if allowed else (1 - left) / rate
