"""The one error a user meets: what is wrong, where, and what to do about it."""

from __future__ import annotations


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


class InputWarning(UserWarning):
    """Input that was understood, but in a way its author should know of."""


def _rebuild(what: str, where: str, remedy: str) -> InputError:
    return InputError(what, where=where, remedy=remedy)
