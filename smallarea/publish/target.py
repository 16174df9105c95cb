"""Where to go, in words and in files only their owner can read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from smallarea.files import writing
from smallarea.indicators import Indicators
from smallarea.projection.target import Target
from smallarea.publish.estimates import SYNTHETIC
from smallarea.publish.words import FLAG_WORDS, INTERNAL, TAU_MEANING
from smallarea.spreadsheets import harmless_table

SETS = {
    "chosen": "this set",
    "best": "the best, were the truth known",
    "largest": "the places with most {people}",
    "random": "a set drawn at random",
}
#: Of how many areas it is said: see `smallarea.projection.target.Target.areas`.
JOINT = ("could_top", "surely_top", "list_top", "within_top")
#: Flags that say how an area's number came about; the others are of all areas or of its shape.
_TOLD = ("not_covered_by_survey", "extrapolated", "small_population")


def target_facts(found: Target) -> dict[str, Any]:
    """Return everything as JSON-able values; of the areas, those that are chosen."""
    areas = found.areas
    return {
        "indicator": found.indicator,
        "by": found.by,
        "aim": found.aim,
        "given": found.given,
        "top": found.top,
        "level": found.level,
        "above": found.above,
        "seed": found.seed,
        "chosen": _records(areas[areas["chosen"]].reset_index()),
        "sets": _records(found.sets.reset_index()),
        "overlap": found.overlap,
        **{column: int(areas[column].sum()) for column in JOINT},
        "areas": len(areas),
        "by_tau": None if found.by_tau is None else _records(found.by_tau.reset_index()),
        "scenarios": None if found.scenarios is None else _records(found.scenarios.reset_index()),
        "against": found.against,
        "left_out": found.left_out,
        "draws": found.draws,
        "relaxed": found.relaxed,
    }


def write_target(
    found: Target, folder: Path, *, synthetic: bool, trace: Mapping[str, Any]
) -> list[Path]:
    """Write target.csv (every area that could be chosen) and target.json (mode 0600).

    trace : what the files were made of: run, hashes, settings.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    areas = found.areas.assign(notice=SYNTHETIC) if synthetic else found.areas
    facts = {
        "notice": SYNTHETIC if synthetic else "",
        **target_facts(found),
        "made_of": dict(trace),
    }
    texts = {
        "target.csv": harmless_table(areas).to_csv(float_format="%.6g"),
        "target.json": json.dumps(facts, indent=2) + "\n",
    }
    for name, text in texts.items():
        with writing(folder / name) as temporary:
            temporary.write_text(text, encoding="utf-8")
            temporary.chmod(0o600)
    return [folder / name for name in texts]


def target_text(found: Target, indicators: Indicators, *, synthetic: bool) -> str:
    """Write a :class:`Target` for a person."""
    chosen = found.areas[found.areas["chosen"]]
    shown = found.indicator if found.by == "count" else f"{found.indicator}_rate"
    people = indicators.units[found.indicator]
    label = f"{indicators.spoken(shown)} ({indicators.units[shown]})"
    aim = {
        "largest": f"with the largest expected {'count' if found.by == 'count' else 'rates'}",
        "top": f"expected to hold most of the true top {found.top}",
    }[found.aim]
    lines = [f"{SYNTHETIC}: these numbers describe no real place"] * synthetic
    lines.append(
        f"{'Given' if found.given else 'Chosen'}: {len(chosen)} areas"
        + ("" if found.given else f" {aim}")
        + f"; {label}"
    )
    lines += [*_area_lines(found, chosen), "", *_set_lines(found, people)]
    lines += ["", *_sure_lines(found)]
    if found.against:
        a = found.against
        lines.append(
            "More than the areas it is compared with, with a chance of "
            f"{chance(a['chance'])}: {_span(a['ratio_q10'], a['ratio_q90'], 2)} times theirs "
            "(80 %)."
        )
    if found.by_tau is not None:
        lines += ["", *_tau_lines(found.by_tau, found.scenarios, people)]
    told = chosen["flags"].str.split(";").explode()
    lines += [
        f"Note on {int((told == flag).sum())} of them: {FLAG_WORDS[flag]}."
        for flag in _TOLD
        if (told == flag).any()
    ]
    lines += [
        f"Not to be chosen: {number:,} areas ({why})." for why, number in found.left_out.items()
    ]
    return "\n".join([*lines, INTERNAL])


def _area_lines(found: Target, chosen: pd.DataFrame) -> list[str]:
    above = [] if found.above is None else [f"> {found.above:,g}"]
    ranks = f"ranks, all {_level(found)}"
    rows = [["", "80 % interval", "in best", f"in top {found.top}", *above, ranks]]
    lowest = chosen.columns[list(chosen.columns).index("name") + 1]
    for _, row in chosen.iterrows():
        rows.append(
            [
                f"{row['name']}, {row[lowest]}"[:39],
                _span(row["q10"], row["q90"]),
                chance(row["chance_best"]),
                chance(row["chance_top"]),
                *(chance(row["chance_above"]) for _ in above),
                f"{row['joint_low']:,} to {row['joint_high']:,}",
            ]
        )
    return _lines(rows, (40, 20, 9, 12, *(10 for _ in above), 20))


def _set_lines(found: Target, people: str) -> list[str]:
    centre = "mean" if found.sets["mean"].notna().all() else "q50"
    rows = [
        [f"Reached ({people})", "median" if centre == "q50" else "mean"]
        + ["80 % interval", "of the nation", "true top", "of the best"]
    ]
    sets = found.sets.to_dict("index")
    for row, words in ((sets[key], text.format(people=people)) for key, text in SETS.items()):
        rows.append(
            [
                words,
                f"{row[centre]:,.0f}",
                _span(row["q10"], row["q90"]),
                _percent(row["share_q10"], row["share_q90"]),
                f"{row['members']:.1f}",
                _percent(row["of_best_q10"], row["of_best_q90"]),
            ]
        )
    return _lines(rows, (34, 10, 20, 16, 10, 14))


def _lines(rows: list[list[str]], least: tuple[int, ...]) -> list[str]:
    """Write a table: the first column to the left, others to the right, as wide as they must be."""
    longest = [max(map(len, column)) for column in zip(*rows, strict=True)]
    first, *others = [max(wide, long + 1) for wide, long in zip(least, longest, strict=True)]
    return [
        f"  {row[0]:<{first}}" + "".join(f"{c:>{w}}" for c, w in zip(row[1:], others, strict=True))
        for row in rows
    ]


def _sure_lines(found: Target) -> list[str]:
    row, areas = found.sets.to_dict("index")["chosen"], found.areas
    size = int(areas["chosen"].sum())
    could, surely, listed, within = (f"{int(areas[column].sum()):,}" for column in JOINT)
    most = "at most " if found.relaxed else ""
    return [
        f"Of the {size}, {found.overlap:.1f} are expected to be in the best set. Not knowing that "
        f"set costs {most}{100 - 100 * row['of_best']:.0f} % of what it holds (80 %: "
        f"{_percent(1 - row['of_best_q90'], 1 - row['of_best_q10'])}).",
        f"With a chance of {_level(found)} and if the models are right, the whole true top "
        f"{found.top} is among {listed} of {len(areas):,} areas, and the surest {within} of them "
        "all belong to it. Ranks that hold for all areas at once whatever the truth let "
        f"{could} be in it and put {surely} there.",
    ]


def _tau_lines(by_tau: pd.DataFrame, scenarios: pd.DataFrame | None, people: str) -> list[str]:
    rows = by_tau.to_dict("index")
    cells = "; ".join(f"{tau}: {_span(row['q10'], row['q90'])}" for tau, row in rows.items())
    lines = [
        f"{TAU_MEANING} {people.capitalize()} in this set (80 %), were tau exactly {cells}.",
        "A tau common to all areas changes these counts, and neither the set nor its chances. One "
        "that differs between areas is another matter" + (":" if scenarios is not None else "."),
    ]
    other = {} if scenarios is None else scenarios.to_dict("index")
    for words, row in other.items():
        lines.append(
            f"  if {words}, the best set then has {row['kept']:.0f} of these areas, which reach "
            f"{_span(row['q10'], row['q90'])} {people} (80 %), {100 * row['of_best']:.0f} % of "
            "what it holds"
        )
    return lines


def chance(p: float) -> str:
    """Write a chance as far as draws tell it."""
    return "> 0.99" if p > 0.99 else "< 0.01" if p < 0.01 else f"{p:.2f}"


def _level(found: Target) -> str:
    return f"{100 * found.level:g} %"


def _span(low: float, high: float, digits: int | None = None) -> str:
    if digits is None:
        wide = max(abs(low), abs(high))
        digits = 0 if wide >= 100 else 1 if wide >= 10 else 2
    return f"{low:,.{digits}f} to {high:,.{digits}f}"


def _percent(low: float, high: float) -> str:
    return f"{100 * low:.0f} to {100 * high:.0f} %"


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return json.loads(table.to_json(orient="records", double_precision=10))
