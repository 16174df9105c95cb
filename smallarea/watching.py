"""What somebody who keeps a project running wants to see: due, tried, good, ending; older runs."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from smallarea.catalog import Source
from smallarea.catalog.quarantine import last_good
from smallarea.fetching.state import read_state
from smallarea.files import read_object
from smallarea.project import Project
from smallarea.run.drifting import page
from smallarea.run.inputs import STORE
from smallarea.run.record import MANIFEST


def watch_source(project: Project, source: Source, now: datetime | None = None) -> dict[str, Any]:
    """Return of a source: `due` (a time, `now`, or None: never by itself or not fetched),
    `last_tried`, `last_good`, `failed` (what the last try met), `agreement_ends`,
    `retention_until`, `forbidden` (why it must not be used today).
    """
    store = project.root / STORE
    now = now or datetime.now(UTC).replace(tzinfo=None)
    state, good = read_state(store, source.name), last_good(source.name, store)
    due = state.due(source) if source.url else None
    return {
        "due": None if due is None else "now" if due <= now else f"{due:%Y-%m-%d}",
        "last_tried": state.tried,
        "last_good": good.since if good else state.came,
        "failed": state.failed,
        "agreement_ends": _day(source.agreement_ends),
        "retention_until": _day(source.retention_until),
        "forbidden": source.forbidden(project.settings.purpose, now.date()),
    }


def watch_runs(project: Project, sources: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return of every finished run, the newest first: `run`, `started`, `older_than` (the sources
    whose file is another one now), `purged` (those whose data were taken out of it).

    sources : `source` and `sha256` of the files at hand, None where there is none.
    """
    now = {entry["source"]: entry["sha256"] for entry in sources}
    found = []
    for path in sorted((project.root / "runs").glob(f"2*/{MANIFEST}"), reverse=True):
        made = read_object(path) or {}
        if "run" not in made or path.parent.is_symlink():
            continue
        used = {e["source"]: e["sha256"] for e in made.get("inputs", []) if "source" in e}
        changed = [n for n, digest in used.items() if now.get(n) not in (None, digest)]
        purged = [one["source"] for one in made.get("purged", [])]
        facts = {"run": path.parent.name, "started": made.get("started")}
        found.append(facts | {"older_than": changed, "purged": purged})
    return found


def source_lines(entry: Mapping[str, Any]) -> list[str]:
    """Return what a person reads of a watched source below its name."""
    said = [f"must not be used: {entry['forbidden']}"] if entry["forbidden"] else []
    if entry["failed"]:
        said.append(f"the last try ({entry['last_tried']}) failed: {entry['failed']}")
    if entry["due"]:
        said.append(f"due {entry['due']}; last good {entry['last_good'] or 'never'}")
    for what in ("agreement_ends", "retention_until"):
        if entry[what]:
            said.append(f"{what.replace('_', ' ')} {entry[what]}")
    return [f"    {one}" for one in said]


def watch_page(facts: Mapping[str, Any]) -> str:
    """Return :func:`smallarea.summary.project_status` as one HTML page that loads itself anew."""
    columns = ("source", "at", "due", "last_tried", "last_good", "agreement_ends",
               "retention_until")  # fmt: skip
    rows = []
    for entry in facts["sources"]:
        bad = [entry["forbidden"], entry["failed"], entry["quarantine"] and "in quarantine"]
        if entry["at"] == "missing":
            bad.append("missing")
        cells = [_cell(entry[name]) for name in columns]
        cells.append(f'<td class="bad">{html.escape("; ".join(filter(None, bad)))}</td>')
        rows.append("".join(cells))
    heads = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in (*columns, "to look at"))
    runs = "".join(
        f"<tr>{_cell(one['run'])}{_cell(', '.join(one['older_than']) or 'none')}"
        f"{_cell(', '.join(one['purged']))}</tr>\n"
        for one in facts["runs"]
    )
    body = (
        '<meta http-equiv="refresh" content="300">'
        f"<h1>{html.escape(facts['project'])}</h1>"
        f"<p>As of {datetime.now(UTC):%Y-%m-%d %H:%M} UTC</p>"
        f"<table><tr>{heads}</tr>" + "".join(f"<tr>{row}</tr>\n" for row in rows) + "</table>"
        "<h2>Runs</h2><table><tr><th>run</th><th>older than its sources</th><th>purged</th></tr>"
        f"{runs}</table>"
    )
    return page("Sources and runs", body)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _cell(value: object) -> str:
    return f"<td>{html.escape('' if value is None else str(value))}</td>"
