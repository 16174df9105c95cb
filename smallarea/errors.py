"""The one error a user meets: what is wrong, where, and what to do about it."""

from __future__ import annotations


class InputError(ValueError):
    """Bad input, said in one clear sentence.

    Parameters
    ----------
    what : what is wrong, e.g. ``"3 codes are not in the frame: 0102801, ..."``.
    where : file, column, row or setting, e.g. ``"poverty.csv, column 'code'"``.
    remedy : what the user can do, e.g. ``"store codes as text"``.

    `source` names the catalog's source whose file is to blame, where one is.
    """

    source: str | None = None

    def __init__(self, what: str, *, where: str, remedy: str) -> None:
        self.what, self.where, self.remedy = what, where, remedy
        super().__init__(f"{where}: {what}. {remedy}.")

    def __reduce__(self) -> tuple:
        return _rebuild, (self.what, self.where, self.remedy, self.source)

    def at(self, where: str) -> InputError:
        """Return the same error under another name of its place."""
        return _rebuild(self.what, where, self.remedy, self.source)

    def of_source(self, source: str) -> InputError:
        """Return the same error with the source whose file is to blame."""
        return _rebuild(self.what, self.where, self.remedy, source)


class InputWarning(UserWarning):
    """Input that was understood, but in a way its author should know of."""


def _rebuild(what: str, where: str, remedy: str, source: str | None) -> InputError:
    error = InputError(what, where=where, remedy=remedy)
    error.source = source
    return error
