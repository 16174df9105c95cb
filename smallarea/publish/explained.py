"""What a tier says of one place, in facts and words: its card, from the tier's own tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.publish.basis import BASIS, STEPS
from smallarea.publish.estimates import levels_in
from smallarea.publish.words import ENGLISH, FLAG_WORDS


def basis_of(basis: pd.DataFrame, place: str, total: str) -> dict[str, Any] | None:
    """Return what a place's rate rests on; None if the table does not say.

    basis : see `smallarea.publish.basis.basis_table`. `models`: name -> part -> hundredths of the
    logarithm of the rate; `parts`: their means over the models; `pooling`, `agreement`, `number`.
    """
    rows = basis[(basis["area_id"] == place) & (basis["indicator"] == total)]
    if rows.empty:
        return None
    steps = rows[rows["model"] == ""].set_index("part")["effect"]
    own = rows[rows["model"] != ""].pivot_table("effect", "part", "model", sort=False)
    return {
        "models": {str(m): own[m].dropna().astype(int).to_dict() for m in own},
        "parts": own.fillna(0).mean(axis=1).to_dict(),
        **{step: int(steps[step]) for step in STEPS},
    }


def tier_facts(folder: Path, place: str, indicator: str, total: str) -> dict[str, Any]:
    """Return what a tier's tables say of a place.

    place : its code in the tier. total : the count behind the indicator.
    Raises InputError if the tier has no such place or indicator.
    """
    estimates = pd.read_parquet(folder / "estimates.parquet")
    own = estimates[(estimates["area_id"] == place) & (estimates["indicator"] == indicator)]
    if own.empty:
        raise InputError(
            f"nothing about {indicator!r} of {place}",
            where=str(folder),
            remedy="choose an indicator of the tier's estimates, and a place that it shows",
        )
    row = own.iloc[0]
    ends = ("q025", "q10", "q25", "q50", "q75", "q90", "q975")
    return {
        "area_id": place,
        "name": row["name"],
        "levels": {level: row[level] for level in levels_in(estimates)},
        "indicator": indicator,
        "estimate": {q: None if pd.isna(row[q]) else float(row[q]) for q in ends},
        "p_top": None if pd.isna(row["p_top"]) else float(row["p_top"]),
        "rank": None if pd.isna(row["rank_low"]) else [int(row["rank_low"]), int(row["rank_high"])],
        "places": int(estimates["area_id"].nunique()),
        "flags": [flag for flag in str(row["flags"]).split(";") if flag],
        "notice": row["notice"],
        "basis": basis_of(pd.read_parquet(folder / BASIS), place, total),
        "of": total,
    }


def basis_lines(facts: dict[str, Any]) -> list[str]:
    """Write what a place rests on: a column per model, their mean, pooling and agreement."""
    basis, words = facts["basis"], ENGLISH["page"]
    if basis is None:
        return []
    models = list(basis["models"])
    wide = max([9, *(len(m) for m in models)]) + 2
    lines = [
        f"What its rate of {facts['of']} rests on, as factors beside a typical place:",
        f"  {'':<34}" + "".join(f"{m:>{wide}}" for m in [*models, "pooled"]),
    ]
    parts = sorted(basis["parts"], key=lambda p: (-abs(basis["parts"][p]), p))
    for part in parts:
        each = [basis["models"][m].get(part) for m in models]
        cells = [*each, basis["parts"][part]]
        name = words.get(part, part.replace("_", " "))
        lines.append(f"  {name:<34}" + "".join(f"{_factor(x):>{wide}}" for x in cells))
    blank = " " * (wide * len(models))
    lines += [f"  {words[s]:<34}{blank}{_factor(basis[s]):>{wide}}" for s in STEPS]
    return lines


def _factor(hundredths: float | None) -> str:
    return "" if hundredths is None else f"{np.exp(hundredths / 100):.2f}"


def flag_lines(flags: list[str]) -> list[str]:
    """Write a place's flags as notes."""
    return [f"Note: {FLAG_WORDS.get(flag, flag)}." for flag in flags]
