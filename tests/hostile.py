"""A server of this computer that behaves as the web does: each path has its own vice."""

from __future__ import annotations

import gzip
import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    """`files`: path -> bytes. `asked`: path -> requests. `sent`: headers and bytes of each."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.answer: dict[str, Any] = {}
        self.asked: Counter[str] = Counter()
        self.sent: list[tuple[str, dict[str, str], bytes]] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are no news."""


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        pass

    def _give(self, status: int, body: bytes, sends: int | None = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:sends])
        if sends is not None:
            self.wfile.flush()
            self.close_connection = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked[self.path] += 1
        self.server.sent.append((self.path, dict(self.headers), body))
        self._give(200, json.dumps(self.server.answer).encode(), Content_Type="application/json")

    def do_GET(self) -> None:
        self.server.asked[self.path] += 1
        number = self.server.asked[self.path]
        self.server.sent.append((self.path, dict(self.headers), b""))
        vice, _, name = self.path.lstrip("/").partition("/")
        content = self.server.files.get(name, b"")
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        match vice:
            case "whole" if self.headers.get("If-None-Match") == etag:
                self._give(304, b"")
            case "whole":
                self._give(200, content, ETag=etag)
            case "cut" | "cut_unmarked":
                marked = {"ETag": etag} if vice == "cut" else {}
                wanted = self.headers.get("Range")
                start = int(wanted[6:-1]) if wanted and self.headers.get("If-Range") == etag else 0
                rest = content[start:]
                ranged = {"Content_Range": f"bytes {start}-{len(content) - 1}/{len(content)}"}
                if number < 3:
                    half = len(rest) // 2
                    self._give(
                        206 if start else 200, rest, half, **marked, **(ranged if start else {})
                    )
                else:
                    self._give(206 if start else 200, rest, **marked, **(ranged if start else {}))
            case "ill":  # gets well at the third try
                if number < 3:
                    self._give(500, b"<html>sorry</html>", Content_Type="text/html")
                else:
                    self._give(200, content)
            case "dead":
                self._give(500, b"no")
            case "silent":
                time.sleep(2)
            case "slow":
                self.send_response(200)
                self.end_headers()
                for _ in range(100):
                    self.wfile.write(b"1")
                    time.sleep(0.05)
                self.close_connection = True
            case "page":
                self._give(
                    200, b"<!-- hi -->\n<!DOCTYPE html><html>log in</html>", Content_Type="text/csv"
                )
            case "typed_page":
                self._give(200, b"code,books", Content_Type="text/html; charset=utf-8")
            case "moved":
                self._give(302, b"", Location=f"/whole/{name}")
            case "round":
                self._give(302, b"", Location=self.path)
            case "out":
                self._give(302, b"", Location="file:///etc/hostname")
            case "endless":
                self.send_response(200)
                self.end_headers()
                for _ in range(1000):
                    self.wfile.write(b"1" * 10_000)
            case "closed" if self.headers.get("Authorization") == "Bearer open-sesame":
                self._give(200, content)
            case "closed":
                self._give(401, b"who are you")
            case "packed":  # though nobody asked for that
                self._give(200, gzip.compress(content), Content_Encoding="gzip")
            case "nothing":
                self._give(200, b"")
            case _:
                self._give(404, b"")


@contextmanager
def serving() -> Iterator[Server]:
    """Serve for the block."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
