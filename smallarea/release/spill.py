"""Looking for what must not be there: every file of a tier is opened and read to the last cell."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection
from pathlib import Path
from zipfile import ZipFile

from smallarea.publish.words import FLAG_WORDS

WORD = re.compile(r"[\w.-]+")
SCRIPT = re.compile(
    r'<script>.*?</script>|<style>.*?</style>|data:image/png;base64,[^"]*', re.DOTALL
)
#: Names of columns and entries that no file of a tier has.
FORBIDDEN = ("surveyed", "psu", "respondent_id", "respondents", "exposure", "deff", "seed", "fold")


def contents(path: Path) -> str:
    """Return all that a file says as text: cells, names of columns, notes.

    The page's script and style are left out, which are the same in every map, and pictures.
    """
    if path.suffix == ".xlsx":
        with ZipFile(path) as book:
            return "\n".join(book.read(name).decode("utf-8") for name in book.namelist())
    if path.suffix == ".gpkg":
        return _database(path)
    if path.suffix == ".parquet":
        return _columns(path)
    text = path.read_text(encoding="utf-8")
    return SCRIPT.sub("", text) if path.suffix == ".html" else text


def _columns(path: Path) -> str:
    """Return cells, names of columns and notes of a Parquet file; shapes are numbers, not words."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    notes = table.schema.metadata or {}
    words = [f"{key.decode()} {value.decode(errors='replace')}" for key, value in notes.items()]
    shapes = [field.name for field in table.schema if str(field.type) in ("binary", "large_binary")]
    cells = table.drop_columns(shapes).to_pandas().to_csv(index=False)
    return "\n".join([cells, *shapes, *words])


def _database(path: Path) -> str:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as base:
        names = [
            row[0] for row in base.execute("select name from sqlite_master where type='table'")
        ]
        parts = []
        for name in names:
            rows = base.execute(f'select * from "{name}"')
            parts.append(" ".join(column[0] for column in rows.description))
            parts += [
                " ".join(str(cell) for cell in row if not isinstance(cell, bytes)) for row in rows
            ]
    base.close()
    return "\n".join(parts)


def spilled(folder: Path, secret: Collection[str]) -> list[str]:
    """Say which file of a folder holds a forbidden name, or one of the secret words.

    secret : words such as codes of sampling units. Those of fewer than six letters are passed over:
        they could be anything.
    """
    wanted = {word.lower() for word in secret if len(word) >= 6} | set(FORBIDDEN)
    said = []
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".md":
            text = contents(path)
            for words in FLAG_WORDS.values():  # they speak of surveyed areas, of none by name
                text = text.replace(words, "")
            found = wanted & {word.lower() for word in WORD.findall(text)}
            said += [f"{path.name} holds {word!r}" for word in sorted(found)]
    return said
