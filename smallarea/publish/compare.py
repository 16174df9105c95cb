"""How well models predict held-out places: a table, a sentence, files only their owner can read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich.table import Table

from smallarea.files import private_folder, writing
from smallarea.models.comparing import POOL, SHARES, Compared
from smallarea.publish.compare_figure import compare_figure
from smallarea.publish.estimates import SYNTHETIC
from smallarea.publish.pages import template
from smallarea.spreadsheets import harmless_table

#: Where the run's report has room for the table of losses.
MARK = "<!-- without -->"
_FEW = 20  # groups; of fewer, intervals are too narrow
#: What the columns of the table mean.
LEGEND = (
    "Gain: log score of the reports of held-out places, over the first model (95 %); 1 is a factor "
    "of e in the probability given to what people told. CRPS: in reports, 0 is best. Error: root "
    "mean square beyond sampling, in national rates (below zero: none seen). 50/80/95: percent of "
    "the reports within such intervals. Top fifth: share of the reports in the fifth of places "
    "predicted highest (in brackets what a random fifth would hold). Rank: correlation of "
    "predicted with true ranks, the survey's noise taken out (-: it shows no differences beyond "
    "noise). Every prediction is from a refit without the place. Intervals of all scores are in "
    "compare.csv."
)


def compare_facts(found: Compared) -> dict[str, Any]:
    """Return everything as JSON-able values."""
    losses = found.losses
    return {
        "held_out_by": found.parts.words,
        **found.parts.figures,
        "baseline": found.baseline,
        "conclusion": conclusion(found),
        "scores": _records(found.scores.reset_index()),
        "transforms": {model: list(row) for model, row in zip(*_rows(found), strict=True)},
        "without": None if losses is None else losses.index.name,
        "losses": None if losses is None else _records(losses.reset_index()),
    }


def write_compared(
    found: Compared, folder: Path, *, synthetic: bool, trace: Mapping[str, Any], page: str = ""
) -> list[Path]:
    """Write compare.csv, compare.json, compare.png (mode 0600).

    Of refits without streams or domains, also without.csv and report.html: the run's report with a
    table of them.

    trace : what the files were made of: run, hashes, settings. page : the run's report.
    """
    private_folder(folder)
    notice = SYNTHETIC if synthetic else ""
    facts = {"notice": notice, **compare_facts(found), "made_of": dict(trace)}
    contents: dict[str, bytes] = {
        "compare.csv": _csv(found.scores, notice),
        "compare.json": (json.dumps(facts, indent=2) + "\n").encode(),
        "compare.png": compare_figure(found, conclusion(found), notice),
    }
    if found.losses is not None:
        contents["without.csv"] = _csv(found.losses, notice)
        if MARK in page:
            contents["report.html"] = with_losses(page, found).encode()
    for name, content in contents.items():
        with writing(folder / name) as temporary:
            temporary.write_bytes(content)
            temporary.chmod(0o600)
    return [folder / name for name in contents]


def with_losses(page: str, found: Compared) -> str:
    """Return a report's page with a table of what is lost without each stream or domain."""
    assert found.losses is not None
    section = template("without.html.j2").render(
        kind=found.losses.index.name,
        held_out=found.parts.words.split(";")[0],
        conclusion=loss_conclusion(found.losses),
        rows=list(found.losses.iterrows()),
    )
    return page.replace(MARK, section, 1)


def conclusion(found: Compared) -> str:
    """Say in one sentence what can be concluded."""
    rows = _of_all(found)
    groups = found.parts.figures["groups"]
    if POOL not in rows.index:
        return "No model here takes part in what is published, so there is no pool to judge."
    own = rows.loc[POOL]
    clear = "better" if own["gain_low"] > 0 else "worse" if own["gain_high"] < 0 else ""
    said = f"log score {own['gain']:+.1f}, 95 % {own['gain_low']:+.1f} to {own['gain_high']:+.1f}"
    first = (
        f"On places that no model had seen ({groups:,.0f} groups), the published pool predicts "
        f"reports {clear} than {found.baseline} ({said})"
        if clear
        else f"On places that no model had seen ({groups:,.0f} groups), it cannot be told whether "
        f"the published pool predicts reports better than {found.baseline} ({said})"
    )
    others = rows.drop(index=[POOL])
    better = list(others.index[others["over_pool_low"] > 0])
    worse = list(others.index[others["over_pool_high"] < 0])
    second = (
        f"{_and(better)} clearly better than the pool"
        if better
        else "no model is clearly better than the pool"
    )
    second += f", {_and(worse)} clearly worse" if worse else ""
    third = f"its 80 % intervals held {100 * own['cover_80']:.0f} % of the reports"
    few = "; so few groups make intervals too narrow" if groups < _FEW else ""
    return f"{first}; {second}; {third}{few}."


def compare_table(found: Compared) -> Table:
    """Lay the scores of all components together out for a screen."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("Model", no_wrap=True)
    shares = "/".join(map(str, SHARES))
    for head in ("Gain", "CRPS", "Error", shares, "Top fifth", "Rank"):
        table.add_column(head, justify="right", no_wrap=True)
    for model, row in _of_all(found).iterrows():
        low, high = row["gain_low"], row["gain_high"]
        gain = f"{row['gain']:+.1f} ({low:+.1f} to {high:+.1f})"
        table.add_row(
            str(model),
            "-" if model == found.baseline else gain,
            f"{row['crps']:.3f}",
            f"{row['error']:.2f}",
            "/".join(f"{100 * row[f'cover_{share}']:.0f}" for share in SHARES),
            f"{100 * row['top']:.0f} % ({100 * row['top_exposure']:.0f} %)",
            "-" if pd.isna(row["rank"]) else f"{row['rank']:.2f}",
            style="bold" if model == POOL else None,
        )
    return table


def loss_table(losses: pd.DataFrame) -> Table:
    """Lay out what the pool loses without each stream or domain."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(f"Without {losses.index.name}", no_wrap=True)
    for head in ("Features", "Loss", "Error", "95 %"):
        table.add_column(head, justify="right")
    for name, row in losses.iterrows():
        span = f"{row['loss_low']:+.1f} to {row['loss_high']:+.1f}"
        numbers = (f"{row['features']:.0f}", f"{row['loss']:+.1f}", f"{row['loss_se']:.1f}", span)
        table.add_row(str(name), *numbers)
    return table


def loss_conclusion(losses: pd.DataFrame) -> str:
    """Say in one sentence what the losses show."""
    kind = losses.index.name
    needed = list(losses.index[losses["loss_low"] > 0])
    harmful = list(losses.index[losses["loss_high"] < 0])
    said = [f"clearly missed: {', '.join(needed)}"] if needed else []
    said += [f"better left out: {', '.join(harmful)}"] if harmful else []
    if not said:
        return (
            f"No {kind} is clearly missed or harmful on its own; what several tell alike can each "
            "be done without."
        )
    chance = f" (of {len(losses)} looked at, about {0.05 * len(losses):.1f} would by chance alone)"
    return (
        f"By its 95 % interval, {'; '.join(said)}{chance if len(losses) > 1 else ''}. What several "
        "tell alike can each be done without."
    )


def _and(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]} are" if len(names) > 1 else f"{names[0]} is"


def _of_all(found: Compared) -> pd.DataFrame:
    return found.scores.loc[(slice(None), "all"), :].droplevel("component")


def _rows(found: Compared) -> tuple[list[str], list[list[float]]]:
    return list(found.transforms.index), found.transforms.round(4).to_numpy().tolist()


def _csv(table: pd.DataFrame, notice: str) -> bytes:
    shown = harmless_table(table.assign(notice=notice) if notice else table)
    return shown.to_csv(float_format="%.6g").encode()


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return json.loads(table.to_json(orient="records", double_precision=10))
