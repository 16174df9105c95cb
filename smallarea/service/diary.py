"""Who read what, without a word on who they are: one JSON line per answer."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

BYTES, FILES = 10_000_000, 5


class Diary:
    """Writes lines to a file that its owner alone reads; of old lines a few files are kept.

    A line has the time, the tier, the name of the token or `anonymous`, the route (not the place
    that was asked about), the status and the milliseconds: no address, no query, no browser.
    """

    def __init__(self, path: Path | None) -> None:
        self._log = logging.Logger("smallarea.service")
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
            path.chmod(0o600)
            handler = RotatingFileHandler(path, maxBytes=BYTES, backupCount=FILES, encoding="utf-8")
            handler.setFormatter(logging.Formatter("%(message)s"))
            self._log.addHandler(handler)

    def write(self, who: str, tier: str, route: str, status: int, seconds: float) -> None:
        """Add a line."""
        entry = {
            "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "who": who,
            "tier": tier,
            "route": route,
            "status": status,
            "ms": round(1000 * seconds, 1),
        }
        self._log.info(json.dumps(entry, ensure_ascii=False))
