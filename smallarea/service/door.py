"""Who comes in: a token or nobody, how often, and what is written down of it. ASGI, no routes."""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import b64decode
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from smallarea.service.diary import Diary
from smallarea.service.pace import Pace
from smallarea.service.paper import NOTHING, SECURE
from smallarea.service.tokens import Token, read_tokens, tier_of

#: Who has no token, and what they may read where anybody may read what is public.
NOBODY, OPEN = "anonymous", "public"


@dataclass
class Door:
    """What decides who may read.

    tokens : file of tokens, read again when it changes: a token that is revoked is so at once.
    open : whether the public tier needs no token.
    """

    tokens: Path
    pace: Pace
    diary: Diary
    open: bool = True
    _read: tuple[float, list[Token]] = (-1.0, [])
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))

    def who(self, authorization: str | None) -> tuple[str, str] | None:
        """Return name and tier of who asks, ("", "") where nothing is open; None: a wrong token."""
        if authorization is None:
            return (NOBODY, OPEN if self.open else "")
        text = _token_in(authorization)
        return tier_of(self._tokens(), text) if text else None

    def reader(self, name: str | None, address: str) -> str:
        """Return what requests are counted by: a token's name, or an address nobody can read."""
        if name not in (None, NOBODY):
            return f"token {name}"
        return hmac.new(self._secret, address.encode(), "sha256").hexdigest()

    def _tokens(self) -> list[Token]:
        changed = self.tokens.stat().st_mtime if self.tokens.exists() else 0.0
        if changed != self._read[0]:
            self._read = changed, read_tokens(self.tokens)
        return self._read[1]


class Guard:
    """ASGI middleware: lets requests through a door and sends all answers out safely."""

    def __init__(self, app: Any, door: Door) -> None:
        self.app, self.door = app, door

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begin, asked = perf_counter(), dict(scope["headers"])
        said = asked.get(b"authorization")
        granted = self.door.who(None if said is None else said.decode("latin-1"))
        address = (scope.get("client") or ("",))[0]
        wait = self.door.pace.wait(self.door.reader(granted[0] if granted else None, address))
        status, headless = [500], scope["method"] == "HEAD"

        async def out(message: Any) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
                given = {name.lower() for name, _ in message["headers"]}
                more = SECURE | {"Content-Security-Policy": NOTHING, "Cache-Control": "no-store"}
                message["headers"] = list(message["headers"]) + [
                    (name.encode(), value.encode())
                    for name, value in more.items()
                    if name.lower().encode() not in given
                ]
            elif headless:
                message = message | {"body": b""}
            await send(message)

        if wait:
            await _refuse(out, 429, "too many requests", {"Retry-After": str(int(wait) + 1)})
        elif granted is None:
            how = {"WWW-Authenticate": 'Bearer realm="smallarea", Basic realm="smallarea"'}
            await _refuse(out, 401, "no such token", how)
        elif scope["method"] not in ("GET", "HEAD"):
            await _refuse(out, 405, "this service can only be read", {"Allow": "GET, HEAD"})
        else:
            scope["method"] = "GET"
            scope.setdefault("state", {})["granted"] = granted
            await self.app(scope, receive, out)
        route = getattr(scope.get("route"), "path", "")
        name, tier = granted or ("wrong token", "")
        self.door.diary.write(name, tier, route, status[0], perf_counter() - begin)


async def _refuse(send: Any, status: int, what: str, headers: dict[str, str]) -> None:
    body = json.dumps({"error": what}).encode()
    kept = {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    pairs = [(name.encode(), value.encode()) for name, value in kept.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


def _token_in(authorization: str) -> str:
    """Return the token of a header: `Bearer TOKEN`, or a browser's `Basic` with it as password."""
    kind, _, rest = authorization.partition(" ")
    if kind.lower() == "bearer":
        return rest.strip()
    if kind.lower() == "basic":
        try:
            return b64decode(rest, validate=True).decode().partition(":")[2]
        except ValueError:
            return ""
    return ""
