"""What goes out over HTTP: a body and its headers, compressed once, kept while it is asked for."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

#: Bytes of answers kept, compressed and not.
KEPT = 64_000_000
LEAST = 600  # bytes that are worth compressing

#: A script of a page that runs: data in it is none.
SCRIPT = rb"<script(?![^>]*application/json)[^>]*>(.*?)</script>"
#: Sent with every answer.
SECURE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Strict-Transport-Security": "max-age=31536000",
}
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@dataclass(frozen=True)
class Paper:
    """A body of some type, and what its page may do."""

    body: bytes
    squeezed: bytes
    kind: str
    policy: str
    tag: str


def paper(body: bytes, kind: str, tag: str, policy: str = NOTHING) -> Paper:
    """Compress a body. tag : what tells it from all others, for ETag."""
    short = len(body) < LEAST
    return Paper(body, b"" if short else gzip.compress(body, 6, mtime=0), kind, policy, tag)


def json_paper(value: Any, tag: str, kind: str = "application/json") -> Paper:
    """Write a value as JSON; a value that is text already is taken as JSON."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return paper(text.encode(), kind, tag)


def page_policy(page: bytes) -> str:
    """Return a policy that lets a page run its own scripts, by hash, and ask for nothing."""
    scripts = re.findall(SCRIPT, page, re.DOTALL)
    hashes = " ".join(f"'sha256-{b64encode(sha256(one).digest()).decode()}'" for one in scripts)
    return (
        f"{NOTHING}; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; "
        "font-src data:"
    )


def tag_of(*parts: str) -> str:
    """Return the ETag of what these parts decide."""
    return f'W/"{sha256(json.dumps(parts).encode()).hexdigest()[:32]}"'


class Drawer:
    """Answers kept by what they answer, the longest unasked leaving first."""

    def __init__(self, kept: int = KEPT) -> None:
        self.kept, self._size = kept, 0
        self._papers: OrderedDict[str, Paper] = OrderedDict()

    def get(self, tag: str, make: Callable[[], Paper]) -> Paper:
        """Return the answer of a tag, making it if it is not kept."""
        found = self._papers.get(tag)
        if found is not None:
            self._papers.move_to_end(tag)
            return found
        made = make()
        self._papers[tag] = made
        self._size += _weight(made)
        while self._size > self.kept and len(self._papers) > 1:
            _, gone = self._papers.popitem(last=False)
            self._size -= _weight(gone)
        return made


def _weight(one: Paper) -> int:
    return len(one.body) + len(one.squeezed)
