"""The report's section on what the interviews say, in words and short tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from scipy import stats

from smallarea.indicators import Indicators

STATISTICS = {
    "zeros": "share who know none",
    "mean": "mean answer",
    "sd": "spread of the answers",
    "largest": "largest answer",
}


def interviews(tables: Mapping[str, pd.DataFrame], indicators: Indicators) -> dict[str, Any]:
    """Put findings into words for the template `interviews.html.j2`.

    tables : of `smallarea.findings.findings`; a part whose table is absent is None.
    """
    parts: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
        "told": (_told, ("who_reported", "relative_reporting")),
        "numbers": (_numbers, ("numbers",)),
        "known": (_known, ("known_groups", "recall")),
        "trimming": (_trimming, ("trimming",)),
        "methods": (_methods, ("side_by_side",)),
        "casework": (_casework, ("casework",)),
        "scenarios": (_scenarios, ("sensitivity_reporting",)),
        "overlap": (_overlap, ("sensitivity_overlap",)),
        "next": (_next, ("next_places",)),
        "checks": (_checks, ("checks",)),
    }
    return {
        part: make(indicators, *(tables[name] for name in names))
        if set(names) <= set(tables)
        else None
        for part, (make, names) in parts.items()
    }


def _told(named: Indicators, who: pd.DataFrame, relative: pd.DataFrame) -> dict[str, Any]:
    """Everybody, and one row per level with what people of the same place told beside it."""
    every, *levels = who.to_dict("records")
    beside = {
        (row["indicator"], row["variable"], row["level"]): row
        for row in relative.to_dict("records")
    }
    for row in levels:
        for indicator in named.totals:
            row[indicator] = beside.get((indicator, row["variable"], row["level"]))
    return {"all": every, "levels": levels, "compared": bool(beside)}


def _numbers(_named: Indicators, table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.assign(column=table["column"].map(_plain)).to_dict("records")


def _known(named: Indicators, back: pd.DataFrame, recall: pd.DataFrame) -> list[dict[str, Any]]:
    """Per network: how far off the known groups are, the furthest either way, and the recall
    line's slope with its 95 % interval (Student's t: known groups are few).
    """
    rows = []
    for network, table in back.groupby("network", sort=False):
        line = recall[recall["network"] == network].iloc[0]
        half = stats.t.ppf(0.975, (table["estimate"] > 0).sum() - 2) * line["slope_se"]
        low, *_, high = table.sort_values("ratio").to_dict("records")
        rows.append(
            {
                "people": _people(named, str(network)),
                "groups": len(table),
                "error": (table["ratio"] - 1).abs().mean(),
                "highest": (_plain(high["group"]), high["ratio"]),
                "lowest": (_plain(low["group"]), low["ratio"]),
                "slope": line["slope"],
                "slope_low": line["slope"] - half,
                "slope_high": line["slope"] + half,
            }
        )
    return rows


def _trimming(named: Indicators, path: pd.DataFrame) -> list[dict[str, Any]]:
    """Per network: what trimming would remove, and how each hidden group would move."""
    rows = []
    for network, table in path.groupby("network", sort=False):
        removed = table.dropna(subset="removed").drop_duplicates("step")
        last = table[table["step"] == table["step"].max()].set_index("group")["relative"]
        rows.append(
            {
                "people": _people(named, str(network)),
                "removed": [
                    (_plain(row.removed), row.removed_ratio) for row in removed.itertuples()
                ],
                "moves": [(_label(named, group), ratio) for group, ratio in last.items()],
            }
        )
    return rows


def _people(named: Indicators, network: str) -> str:
    """Return what the people of a network are called: the populations that are known in it."""
    labels = [p.label for p in named.populations.values() if p.network == network]
    return " and ".join(labels) or {"adult": "adults", "child": "children"}.get(network, "people")


def _methods(named: Indicators, table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.assign(group=table["group"].map(lambda g: _label(named, g))).to_dict("records")


def _casework(_named: Indicators, table: pd.DataFrame) -> dict[str, Any]:
    """`after` is None where too few places have casework to tell what it says."""
    value = table.set_index(["quantity", "statistic"])["value"]
    scaled = [q for q in table["quantity"].unique() if str(q).startswith("detection x ")]
    return {
        "used": int(value["areas with casework", "used"]),
        "left_out": int(value["areas with casework", "left out"]),
        "before": value["tau prior"].to_dict(),
        "after": value["tau posterior"].to_dict() if "tau posterior" in value else None,
        "scaled": [
            (float(q.removeprefix("detection x ")), value[q, "tau_q50"])
            for q in scaled
            if q != "detection x 1" and value[q, "tau_q50"] > 0
        ],
    }


def _scenarios(_named: Indicators, table: pd.DataFrame) -> list[dict[Any, Any]]:
    kept = (table["top_kept"] * table["top"]).round().astype(int)
    return table.assign(kept=kept).to_dict("records")


def _overlap(named: Indicators, table: pd.DataFrame) -> list[dict[str, Any]]:
    """Per sum of two: its median when none, a quarter, all of the smaller are in both."""
    return [
        {"name": named.labels[str(name)], "none": q50[0.0], "quarter": q50[0.25], "all": q50[1.0]}
        for name, rows in table.groupby("indicator", sort=False)
        for q50 in [rows.set_index("overlap")["q50"]]
    ]


def _next(_named: Indicators, table: pd.DataFrame) -> dict[str, Any]:
    """The list made for the areas' sake, and what is left after it."""
    chosen = table[table["target"] == "areas"]
    last = chosen.iloc[-1]
    place = list(chosen.columns).index("name") + 1  # the lowest level
    return {
        "number": len(chosen),
        "areas_sd": last["areas_sd"],
        "nation_sd": last["nation_sd"],
        "names": [f"{row['name']} ({row.iloc[place]})" for _, row in chosen.iterrows()],
    }


def _checks(named: Indicators, table: pd.DataFrame) -> dict[str, Any]:
    """How many features of the answers the fitted model gives back, and the worst miss."""
    fitted = table[table["kind"] == "posterior"]
    hidden = fitted["group"].isin(list(named.components))
    counts = {
        name: (int(rows["reproduced"].sum()), len(rows))
        for name, rows in (("hidden", fitted[hidden]), ("known", fitted[~hidden]))
    }
    middle, width = (fitted["q05"] + fitted["q95"]) / 2, fitted["q95"] - fitted["q05"]
    miss = ((fitted["observed"] - middle).abs() / width.where(width > 0)).dropna()
    miss = miss[~fitted["reproduced"]].sort_values()
    rows = fitted.assign(
        group=fitted["group"].map(lambda g: _label(named, g)),
        statistic=fitted["statistic"].map(STATISTICS),
    )
    return {
        **counts,
        "worst": rows.loc[miss.index[-1:]].to_dict("records"),
        "rows": rows.to_dict("records"),
    }


def _label(named: Indicators, group: object) -> str:
    return named.labels.get(str(group), _plain(group))


def _plain(group: object) -> str:
    return re.sub(r"(?<=\d)_(?=\d)", "–", str(group)).replace("_", " ")
