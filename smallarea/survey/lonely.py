"""Strata with a single PSU, which show no variation: one rule for every standard error.

It is settled here, in the labels of the design, so that all that reads the design agrees.
"""

from __future__ import annotations

import pandas as pd

from smallarea.errors import InputError
from smallarea.survey.validation import listed

#: What becomes of such a stratum: it is joined with its neighbour in the order of the labels
#: (`nsum.classical.variance`); its unit was certain to be drawn, so that its respondents are the
#: sampling units; or it is refused.
LONELY = ("collapse", "certainty", "fail")


def settle_lonely(
    design: pd.DataFrame, rule: str, where: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Apply the rule to a survey's design; return it with what was done, in sentences.

    Raises
    ------
    InputError : there is such a stratum and the rule is `fail`, or there is no such rule.
    """
    if rule not in LONELY:
        raise InputError(
            f"no rule '{rule}'", where="lonely PSUs", remedy=f"choose one of {', '.join(LONELY)}"
        )
    if design["stratum"].isna().any():
        return design, ()
    of_psus = design["psu"].notna().all()  # else every respondent is one
    by_stratum = design.groupby("stratum", observed=True)
    units = by_stratum["psu"].nunique() if of_psus else by_stratum.size()
    single = units.index[units == 1]
    if single.empty:
        return design, ()
    unit = "PSU" if of_psus else "respondent"
    named = f"{len(single)} of {len(units)} strata have a single {unit} ({listed(single)})"
    if rule == "fail":
        raise InputError(
            named,
            where=where,
            remedy="choose what becomes of them (--lonely collapse or certainty)",
        )
    if rule == "certainty" and of_psus:
        lonely = design["stratum"].isin(single)
        own = design["psu"].astype(str) + "/" + design.index.astype(str)
        done = "taken as certain to be drawn, so their respondents are the sampling units"
        return design.assign(psu=design["psu"].mask(lonely, own)), (f"{named}: {done}",)
    done = f"each is joined with its neighbour, for a single {unit} shows no variation"
    return design, (f"{named}: {done}",)
