"""What respondents were told results would be published at, and what a tier may therefore show."""

from __future__ import annotations

from collections.abc import Sequence

from smallarea.errors import InputError
from smallarea.release.audit import Check
from smallarea.settings import Approval, Settings

AREA, NATION = "area", "nation"
RULE = (
    "Nothing that rests on the answers is finer than the level respondents were told of, unless an "
    "ethics approval covers it."
)


def require_levels(settings: Settings, levels: Sequence[str]) -> None:
    """Raise InputError if the promise or its approval names a level that the frame has not.

    levels : the frame's, the lowest first.
    """
    known = (AREA, *levels, NATION)
    named = {"promised_level": settings.promised_level}
    if settings.approval is not None:
        named["approval.level"] = settings.approval.level
    for entry, level in named.items():
        if level is not None and level not in known:
            raise InputError(
                f"no level {level!r}",
                where=f"data_catalog.yaml, settings.{entry}",
                remedy=f"choose one of {', '.join(known)}",
            )


def check_promise(settings: Settings, levels: Sequence[str], finest: str) -> Check:
    """Hold the finest level that a tier shows to the promise and to the approval.

    levels : the frame's, the lowest first. finest : `area`, one of them, or `nation`.
    """
    promised, approval = settings.promised_level, settings.approval
    if promised is None:
        found = "the catalog says nothing of what respondents were told (settings.promised_level)"
        return Check("promise", RULE, None, f"to be judged by people: {found}")
    known = (AREA, *levels, NATION)
    told = f"respondents were told of results by {promised}; the finest here are by {finest}"
    if known.index(finest) >= known.index(promised):
        return Check("promise", RULE, True, told)
    if approval is None:
        return Check("promise", RULE, False, f"{told}, and no approval of finer results is given")
    covers = known.index(finest) >= known.index(approval.level)
    return Check("promise", RULE, covers, f"{told}; {_spoken(approval)}")


def require_promise(checks: Sequence[Check], tier: str) -> None:
    """Raise InputError, with what can be done, if a tier would show more than was promised."""
    for check in checks:
        if check.name == "promise" and check.holds is False:
            raise InputError(
                f"the {tier} tier does not pass its audit: promise: {check.found}",
                where="smallarea publish",
                remedy="publish a coarser public tier (--level LEVEL), or obtain an ethics "
                "approval and declare it under settings.approval of data_catalog.yaml",
            )


def _spoken(approval: Approval) -> str:
    return (
        f"approved down to {approval.level} by {approval.body}, reference {approval.reference}, "
        f"{approval.date}"
    )
