"""What the groups of known size say about the method, in both networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.nsum.annex.plots import plot_back_estimates, plot_side_by_side, plot_trimming
from smallarea.nsum.classical.known_groups import (
    Recall,
    Trimming,
    back_estimates,
    overlap,
    recall,
    side_by_side,
    trim,
)
from smallarea.survey.ard import ARD

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NETWORKS = ("adult", "child")


def known_group_tables(ard: ARD) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Judge the scale-up by groups whose size is on record.

    Returns
    -------
    Flat tables: `known_groups` (`back_estimates`, and whether trimming removes the group), `recall`
    (slope of recall; NaN where no line exists), `overlap`, `side_by_side` (every classical figure
    of each hidden group, people reported) and `trimming` (per step and hidden group the estimate,
    and `relative` to the untrimmed one). A network with fewer than two known groups has no rows.
    And notes: networks that cannot be judged.
    """
    found: dict[str, list[pd.DataFrame]] = {}
    notes = []
    for network in _judged(ard):
        try:
            tables = _network(ard, network)
        except InputError as error:
            notes.append(f"the known groups of the {network} network cannot be judged ({error})")
            continue
        for name, table in tables.items():
            table.insert(0, "network", network)
            found.setdefault(name, []).append(table)
    return {name: pd.concat(tables) for name, tables in found.items()}, notes


def known_group_figures(ard: ARD) -> dict[str, Figure]:
    """Draw, per network that can be judged, back-estimates, methods side by side, and trimming."""
    figures = {}
    for network in _judged(ard):
        try:
            back, trimming = back_estimates(ard, network), trim(ard, network)
        except InputError:
            continue
        figures[f"known_groups_{network}"] = plot_back_estimates(back, _line(back))
        if ard.hidden(network):
            figures[f"side_by_side_{network}"] = plot_side_by_side(side_by_side(ard, network))
            if trimming.removed:
                figures[f"trimming_{network}"] = plot_trimming(trimming)
    return figures


def largest_figure(ard: ARD) -> Figure | None:
    """Draw the back-estimates of the network with most known groups; None where none can be."""
    networks = _judged(ard)
    if not networks:
        return None
    back = back_estimates(ard, max(networks, key=lambda network: len(ard.known(network))))
    return plot_back_estimates(back, _line(back))


def _judged(ard: ARD) -> list[str]:
    return [network for network in NETWORKS if len(ard.known(network)) >= 2]


def _line(back: pd.DataFrame) -> Recall | None:
    try:
        return recall(back)
    except InputError:
        return None


def _network(ard: ARD, network: str) -> dict[str, pd.DataFrame]:
    back, trimming = back_estimates(ard, network), trim(ard, network)
    line = _line(back)
    slope, error = (np.nan, np.nan) if line is None else (line.slope, line.slope_se)
    trimmed = back.index.isin(trimming.removed)
    tables = {
        "known_groups": back.assign(trimmed=trimmed).reset_index(),
        "recall": pd.DataFrame([{"groups": len(back), "slope": slope, "slope_se": error}]),
        "overlap": overlap(ard, network),
    }
    if ard.hidden(network):
        tables["side_by_side"] = side_by_side(ard, network).rename_axis("group").reset_index()
        tables["trimming"] = _path(trimming, ard.hidden(network))
    return tables


def _path(trimming: Trimming, hidden: list[str]) -> pd.DataFrame:
    about = trimming.path.drop(columns=hidden).rename(
        columns={"groups": "groups_left", "ratio": "removed_ratio", "error": "error_left"}
    )
    estimates = trimming.path[hidden].rename_axis(columns="group")
    both = {"estimate": estimates, "relative": estimates / estimates.iloc[0]}
    long = pd.DataFrame({name: table.stack() for name, table in both.items()})  # noqa: PD013
    return about.join(long.reset_index("group")).reset_index()
