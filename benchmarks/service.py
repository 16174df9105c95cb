"""How fast published tiers are served, beside the same page as a plain file.

    python benchmarks/service.py RELEASES [--seconds 5] [--json FILE]

RELEASES is a folder of published tiers. The service and the peer (Starlette's static files, one
uvicorn process each) run as processes of their own; readers are one process that asks by 1, 10 and
50 connections at once, each sending its next question when the last is answered: a partner's pages
of 100 places (GeoJSON), estimates of a place, the list of places, in turn; and the map, which the
peer serves too, uncompressed. Printed: requests a second, median and 99th percentile in ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from smallarea.files import write_json
from smallarea.run.code import source_hash
from smallarea.service.tokens import add_token

RESULT = Path(__file__).parent / "results" / "service.json"
PEER = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.staticfiles import StaticFiles
app = Starlette()
app.mount("/", StaticFiles(directory=sys.argv[1]))
uvicorn.run(app, port=int(sys.argv[2]), log_level="error", access_log=False)
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def reader(port: int, paths: list[str], header: str, until: float, took: list[float]) -> None:
    """Ask for the paths in turn over one connection, noting how long each answer took."""
    source, sink = await asyncio.open_connection("127.0.0.1", port)
    turn = len(took)
    while time.perf_counter() < until:
        path = paths[turn % len(paths)]
        turn += 1
        begin = time.perf_counter()
        sink.write(f"GET {path} HTTP/1.1\r\nHost: here\r\n{header}\r\n".encode())
        head = await source.readuntil(b"\r\n\r\n")
        lines = dict(
            line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:] if ": " in line
        )
        if "content-length" in lines:
            await source.readexactly(int(lines["content-length"]))
        else:  # in chunks
            while size := int(await source.readline(), 16):
                await source.readexactly(size + 2)
            await source.readline()
        took.append(time.perf_counter() - begin)
        assert head.startswith(b"HTTP/1.1 200"), head
    sink.close()


def asked(port: int, paths: list[str], header: str, readers: int, seconds: float) -> dict:
    """Return requests a second and percentiles of so many readers at once."""
    took: list[float] = []

    async def all_of_them() -> None:
        until = time.perf_counter() + seconds
        await asyncio.gather(*(reader(port, paths, header, until, took) for _ in range(readers)))

    begin = time.perf_counter()
    asyncio.run(all_of_them())
    p50, p99 = (1000 * np.quantile(took, q) for q in (0.5, 0.99))
    whole = time.perf_counter() - begin
    return {"a_second": round(len(took) / whole), "p50_ms": round(p50, 1), "p99_ms": round(p99, 1)}


def started(command: list[str], port: int) -> subprocess.Popen:
    process = subprocess.Popen(command)
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process
        time.sleep(0.1)
    raise RuntimeError("the server did not start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("releases", type=Path)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--json", type=Path, default=RESULT)
    chosen = parser.parse_args()
    tier = sorted(chosen.releases.glob("*-partner"))[-1]
    ids = [str(n) for n in sorted(set(places(tier)))]
    found: dict[str, dict] = {}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / ".smallarea").mkdir()
        token = add_token(Path(folder) / ".smallarea" / "tokens.json", "benchmark", "partner")
        ours, theirs = free_port(), free_port()
        serve = [sys.executable, "-m", "smallarea", "serve", "--project", folder]
        serve += ["--folder", str(chosen.releases), "--port", str(ours), "--rate", "100000000"]
        both = [
            started(serve, ours),
            started([sys.executable, "-c", PEER, str(tier), str(theirs)], theirs),
        ]
        header = f"Authorization: Bearer {token}\r\nAccept-Encoding: gzip\r\n"
        pages = [f"/collections/partner/items?offset={n}" for n in range(0, len(ids), 100)]
        mixed = []
        for page, one in zip(pages, ids[:: -(-len(ids) // len(pages))], strict=True):
            mixed += [page, f"/estimates?place={one}", f"/areas/{one}", "/areas"]
        try:
            for name, port, paths in (
                ("questions", ours, mixed), ("map", ours, ["/?tier=partner"]),
                ("map_as_a_file", theirs, ["/map.html"]),
            ):  # fmt: skip
                for readers in (1, 10, 50):
                    row = asked(port, paths, header, readers, chosen.seconds)
                    found.setdefault(name, {})[str(readers)] = row
                    print(f"{name:<14} {readers:>3} readers {json.dumps(row)}", flush=True)
        finally:
            for process in both:
                process.terminate()
    code = source_hash([Path(__file__)])
    write_json(chosen.json, {"places": len(ids), "code": code, "readers": found})


def places(tier: Path) -> list[str]:
    import pandas as pd

    return list(pd.read_parquet(tier / "estimates.parquet")["area_id"])


if __name__ == "__main__":
    main()
