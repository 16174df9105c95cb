"""Findings as a run keeps them: a folder of tables with a README."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from smallarea.files import writing
from smallarea.findings import FILES
from smallarea.publish import SYNTHETIC
from smallarea.publish.words import INTERNAL
from smallarea.spreadsheets import harmless_table


class Told(NamedTuple):
    """Findings: tables by name, what could not be told, and the figure's SVG."""

    tables: dict[str, pd.DataFrame]
    notes: list[str]
    drawn: str


def keep_findings(folders: Sequence[Path], target: Path, synthetic: bool, asked: bool) -> Told:
    """Copy the findings of stages into a folder of the run, with a README."""
    kind = "interviews" if asked else "direct estimates"
    kept = {path.name: path for folder in folders for path in folder.iterdir()}
    notes = json.loads(kept["notes.json"].read_text()) if "notes.json" in kept else []
    tables, lines = {}, [f"# What the {kind} say", "", INTERNAL, ""]
    if synthetic:
        lines += [f"**{SYNTHETIC}**: these {kind} were invented.", ""]
    target.mkdir()
    for name, words in FILES.items():
        path = kept.get(f"{name}.csv")
        if path is not None:
            tables[name] = pd.read_csv(path, dtype={"area_id": str, "level": str})
            if "note" in tables[name]:
                tables[name]["note"] = tables[name]["note"].astype("str").fillna("")
            shown = tables[name].assign(notice=SYNTHETIC) if synthetic else tables[name]
            with writing(target / path.name) as temporary:
                harmless_table(shown).to_csv(temporary, index=False, float_format="%.6g")
            lines.append(f"- `{path.name}`: {words}")
    figure = kept.get("known_groups.svg")
    drawn = figure.read_text(encoding="utf-8") if figure else ""
    if drawn and synthetic:
        mark = f'<text x="97%" y="86%" text-anchor="end" fill="#9c1c1c">{SYNTHETIC}</text></svg>'
        drawn = drawn.replace("</svg>", mark)
    if drawn:
        with writing(target / "known_groups.svg") as temporary:
            temporary.write_text(drawn, encoding="utf-8")
        lines.append("- `known_groups.svg`: known groups, estimated from the others, by size")
    lines += ["", *(f"Note: {note}." for note in notes)]
    with writing(target / "README.md") as temporary:
        temporary.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return Told(tables, notes, drawn)
