"""The one error a user meets: what is wrong, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any


class InputError(ValueError):
    """Bad input, said in one clear sentence.

    Parameters
    ----------
    what : what is wrong, e.g. ``"3 codes are not in the frame: 0102801, ..."``.
    where : file, column, row or setting, e.g. ``"poverty.csv, column 'code'"``.
    remedy : what the user can do, e.g. ``"store codes as text"``.
    """

    def __init__(self, what: str, *, where: str, remedy: str) -> None:
        self.what, self.where, self.remedy = what, where, remedy
        super().__init__(f"{where}: {what}. {remedy}.")

    def __reduce__(self) -> tuple:
        return _rebuild, (self.what, self.where, self.remedy)


def _rebuild(what: str, where: str, remedy: str) -> InputError:
    return InputError(what, where=where, remedy=remedy)


def wrong_entry(found: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return the entry to name first and what is wrong with it, of a validation's errors.

    An unknown entry comes first: one that is misspelt is missing too, and not where it was put.
    """
    unknown = [error for error in found if error["type"] == "extra_forbidden"]
    first = (unknown or list(found))[0]
    said = first["msg"].removeprefix("Value error, ")
    if unknown:
        inside = first["loc"][:-1]
        missing = [str(e["loc"][-1]) for e in found if e["type"] == "missing"
                   and e["loc"][:-1] == inside]  # fmt: skip
        meant = get_close_matches(str(first["loc"][-1]), missing, n=1)
        said = "there is no such entry" + (f"; did you mean {meant[0]}" if meant else "")
    elif first["type"] == "missing":
        said = "it is missing"
    return ".".join(str(part) for part in first["loc"]), said
