"""From the files of an evening to the folder a supervisor opens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from smallarea.fieldwork.gather import Picture, Wanted, gather
from smallarea.fieldwork.page import as_json, write_page
from smallarea.fieldwork.reading import Field, read_field
from smallarea.fieldwork.words import to_do
from smallarea.files import keep_private, private_folder, write_json, writing

SYNTHETIC = "SYNTHETIC SURVEY"


def evening(
    sample: Path,
    respondents: Path,
    out: Path,
    *,
    wanted: Wanted | None = None,
    **files: Path | None,
) -> dict[str, Any]:
    """Read, gather and write `fieldwork.html`, `fieldwork.json`, `weights.csv`, `respondents.csv`.

    files : see `reading.read_field`. Returns `json` (what the JSON file holds), `said` (sentences
    for the screen), `written` (paths). The folder is closed to everybody but its owner.
    """
    field = read_field(sample, respondents, **files)
    picture = gather(field, wanted)
    synthetic = bool(field.respondents.index.astype(str).str.startswith("SYNTHETIC").any())
    notice = SYNTHETIC if synthetic else ""
    private_folder(out)
    facts = {"synthetic": synthetic} | as_json(picture) | {"to_do": to_do(picture, field.sample)}
    write_page(picture, field, out / "fieldwork.html", notice=notice)
    write_json(out / "fieldwork.json", facts)
    written = [out / "fieldwork.html", out / "fieldwork.json"]
    if picture.weights is not None:
        for name, table in {
            "weights.csv": picture.weights.steps, "respondents.csv": _weighted(field, picture),
        }.items():  # fmt: skip
            with writing(out / name) as temporary:
                table.to_csv(temporary)
            written.append(out / name)
    keep_private(out)
    progress = picture.facts["progress"]
    said = [
        f"{progress['done']} of {progress['target']} interviews, {progress['left']} left.",
        *to_do(picture, field.sample),
    ]
    return {"json": facts, "said": said, "written": [str(path) for path in written]}


def _weighted(field: Field, picture: Picture) -> pd.DataFrame:
    """The respondents with the sample's strata, areas and the last step's weights."""
    assert picture.weights is not None
    people = field.respondents.drop(columns=["weight", "stratum", "area_id"], errors="ignore")
    if field.ard is not None:
        people = people.join(field.ard.counts.astype("Int64"))
    if "date" in people:
        people["date"] = people["date"].dt.date
    places = field.sample[[c for c in ("area_id", "stratum") if c in field.sample]]
    return people.join(places, on="psu").assign(weight=picture.weights.final.round(4))
