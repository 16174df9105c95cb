"""fieldwork.html: one page for the evening; and the same as JSON."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallarea.fieldwork.counting import STATUS
from smallarea.fieldwork.gather import Picture
from smallarea.fieldwork.reading import Field
from smallarea.fieldwork.weights import STEPS
from smallarea.fieldwork.words import on_drift, on_sexes, on_shares, place, to_do
from smallarea.files import writing

#: Outcomes of households as they are read.
OUTCOMES = {
    "completed": "interviewed", "partial": "interviewed in part", "refused": "refused",
    "not_home": "not at home", "unable": "not able to answer", "ineligible": "nobody to ask there",
    "unknown": "not known",
}  # fmt: skip
OTHER_STEPS = {
    "unweighted": "every interview alike",
    "interviewers": "the last step, answers of one interviewer being alike",
}
ANSWERS = {
    "first": "first answers only",
    "validated": "validated answers in place of first ones",
    "larger": "the larger of the two",
    "both": "both, by the measurement model",
}
PERIODS = {
    "before": "before the period began",
    "unfinished": "while the period was not over",
    "after": "after the period",
}


def write_page(picture: Picture, field: Field, path: Path, *, notice: str = "") -> None:
    """Write the page, self-contained, all or nothing. notice : a banner, e.g. of invented data."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    pages = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=StrictUndefined,
    )  # fmt: skip
    pages.filters |= {"people": people, "share": share, "day": day, "digits": digits}
    tables, facts = picture.tables, picture.facts
    units = tables["units"].copy()
    units["place"] = units.apply(place, axis=1)
    units["state"] = _states(units)
    if "last" in units:
        units["last"] = units.groupby("slot")["last"].transform("max")
    quotas = tables.get("quotas")
    if quotas is not None:
        sexes = [c for c in quotas.columns if c != "off"]
        units = units.join(quotas[sexes].add_prefix("of_"), on="slot")
    open_units = units[(units["left"] > 0)].sort_values(["left", "place"], ascending=[False, True])
    placed = units[units["status"].isin(["replaced", "expanded", "dropped"])].copy()
    placed["stood_in"] = placed["slot"] != placed.index.to_series()
    placed = placed.assign(home=units["place"].reindex(placed["slot"]).to_numpy())
    html = pages.get_template("fieldwork.html.j2").render(
        notice=notice,
        facts=facts,
        warnings=picture.warnings,
        to_do=to_do(picture, field.sample),
        open_units=_rows(open_units),
        placed=_rows(placed.sort_values(["slot", "stood_in"])),
        sexes=[] if quotas is None else [c for c in quotas.columns if c != "off"],
        tables=defaultdict(list, {n: _rows(t) for n, t in tables.items() if n != "units"}),
        complete=int(((units["left"] == 0) & (units["target"] > 0)).sum()),
        status={STATUS[s]: n for s, n in facts["progress"]["status"].items() if n},
        shares=on_shares(tables["shares"]) if len(tables.get("shares", [])) else [],
        sexes_said=on_sexes(facts.get("sexes")),
        drift=on_drift(facts.get("drift", {})),
        few=_worst(tables.get("enumerators"), tables.get("short")),
        steps=STEPS | OTHER_STEPS,
        outcomes=OUTCOMES, answers=ANSWERS, periods=PERIODS,
    )  # fmt: skip
    with writing(path) as temporary:
        temporary.write_text(html, encoding="utf-8")


def as_json(picture: Picture) -> dict[str, Any]:
    """Return every fact and table as values that JSON has; what does not exist is null."""
    tables = {name: _rows(table) for name, table in picture.tables.items()}
    return {"facts": _plain(picture.facts), "tables": _plain(tables),
            "warnings": list(picture.warnings)}  # fmt: skip


def people(value: Any) -> str:
    """A number with thousands separators, three significant digits: 1,234,567 is 1,230,000.

    >>> people(1_234_567), people(None), people(12)
    ('1,230,000', '–', '12')
    """
    if value is None or pd.isna(value):
        return "–"
    return f"{float(f'{value:.3g}'):,.0f}"


def share(value: Any) -> str:
    """A share as a percentage."""
    if value is None or pd.isna(value):
        return "–"
    return f"{100 * value:.1f}".removesuffix(".0") + "\u00a0%"


def digits(value: Any) -> str:
    """A number with two significant digits, small ones as a bound."""
    if value is None or pd.isna(value):
        return "–"
    return "< 0.0001" if 0 <= value < 1e-4 else f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def day(value: Any) -> str:
    """A date as 7 Nov 2022."""
    return "–" if value is None or pd.isna(value) else f"{value.day} {value:%b %Y}"


def _states(units: pd.DataFrame) -> pd.Series:
    """Say what became of each slot, naming where its interviews are made now."""
    stands_in = units["slot"] != units.index.to_series()
    now = units[stands_in].groupby("slot")["place"].agg(" and ".join)
    where = units["slot"].map(now).fillna("").astype(str)
    said = units["status"].map(STATUS)
    said = said.mask(units["status"] == "replaced", "replaced by " + where)
    return said.mask(units["status"] == "expanded", "exhausted, goes on in " + where)


def _worst(few: pd.DataFrame | None, short: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Interviewers, the most doubtful first: both judgements in one row."""
    if few is None:
        return []
    table = few.copy()
    table["short_zeros"], table["short_p"], table["short_named"] = np.nan, np.nan, False
    if short is not None:
        table["short_zeros"] = short["zeros"].reindex(table.index)
        table["short_p"] = short["p_adjusted"].reindex(table.index)
        table["short_named"] = short["named"].reindex(table.index).fillna(False)
    table["any"] = table["named"] | table["short_named"]
    order = table[["p_adjusted", "short_p"]].min(axis=1)
    return _rows(table.assign(order=order).sort_values(["order", "p"], kind="stable"))


def _rows(table: pd.DataFrame) -> list[dict[Any, Any]]:
    named = [name for name in table.index.names if name]
    flat = table.reset_index() if named else table
    return flat.astype(object).where(flat.notna(), None).to_dict("records")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, pd.Timestamp):
        return str(value.date())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
