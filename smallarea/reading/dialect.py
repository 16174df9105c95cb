"""How a text file separates its cells and writes its letters, found out from the file itself."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from pathlib import Path

from smallarea.reading.sizes import within_limits

SEPARATORS = (",", ";", "\t", "|")
#: Lines that are looked at to tell the separator.
SAMPLE = 200


def read_text(path: Path, name: str) -> tuple[list[list[str]], str]:
    """Return the cells of a text file, row by row, and the separator between them.

    UTF-8 comes first, with or without a mark; UTF-16 is known by its mark, and what is neither is
    Windows-1252, which statistical offices write.

    Raises
    ------
    UnicodeDecodeError, csv.Error : it is no text file.
    InputError : it is larger than the limits; `name` is the file's in messages.
    """
    text = _decoded(path.read_bytes())
    separator = separator_of(text)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    return list(within_limits(rows, name)), separator


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        if b"\0" in content:
            raise
        return content.decode("cp1252")


def separator_of(text: str) -> str:
    """Return the sign that cuts most lines into equally many cells; a comma where none does.

    Title rows and footnotes do not vote: they are not cut, or not as most lines are.
    """
    lines = text.splitlines()[:SAMPLE]
    best, most = ",", 0
    for separator in SEPARATORS:
        try:
            widths = Counter(len(row) for row in csv.reader(lines, delimiter=separator))
        except csv.Error:
            continue
        cut = {width: number for width, number in widths.items() if width > 1}
        if cut and (number := max(cut.values())) > most:
            best, most = separator, number
    return best
