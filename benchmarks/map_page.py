"""The map as a browser has it: bytes, first paint, redraw, a plan; at full and at a quarter speed.

    python benchmarks/map_page.py PAGE.html [PAGE.html ...]

Prints one JSON object per page. Needs chromium and the extra `test`.
"""

from __future__ import annotations

import gzip
import json
import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import Any

PAINT = "performance.getEntriesByType('paint').slice(-1)[0]?.startTime"
READY = "performance.getEntriesByType('navigation')[0].domInteractive"
REDRAW = "(() => { const t = performance.now(); draw(); return performance.now() - t; })()"
CHANGE = "(() => { const t = performance.now(); update(); return performance.now() - t; })()"


def measure(driver: Any, page: Path, slower: int) -> dict[str, float]:
    """Return milliseconds: medians of 5 loads."""
    found: dict[str, list[float]] = {}
    for _ in range(5):
        context = driver.new_context(viewport={"width": 1360, "height": 800})
        tab = context.new_page()
        context.new_cdp_session(tab).send("Emulation.setCPUThrottlingRate", {"rate": slower})
        tab.goto(page.resolve().as_uri())
        while tab.evaluate(PAINT) is None:  # the page's policy forbids waiting for a script
            tab.wait_for_timeout(50)
        for name, said in (
            ("first_paint", PAINT), ("interactive", READY), ("redraw", REDRAW), ("change", CHANGE)
        ):  # fmt: skip
            found.setdefault(name, []).append(tab.evaluate(said))
        start = time.perf_counter()
        tab.click("#tab-plan")
        tab.wait_for_selector("#found ol")
        found.setdefault("plan", []).append(1000 * (time.perf_counter() - start))
        context.close()
    return {name: round(statistics.median(values), 1) for name, values in found.items()}


def main() -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        driver = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for page in map(Path, sys.argv[1:]):
            whole = page.read_bytes()
            facts: dict[str, Any] = {"page": page.name, "bytes": len(whole)}
            facts["gzipped"] = len(gzip.compress(whole, 9))
            facts |= {f"ms_at_{n}x": measure(driver, page, n) for n in (1, 4)}
            print(json.dumps(facts))
        driver.close()


if __name__ == "__main__":
    main()
