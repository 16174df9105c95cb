"""The annex of a survey's estimates: the checks behind them, as tables and figures in a folder.

It is written for whoever judges the survey, not for publication, and only its owner can read it:
`checks.csv` holds the largest answer to each question.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from smallarea import __version__
from smallarea.errors import InputError
from smallarea.files import keep_private, sha256, write_json, writing
from smallarea.nsum.annex import plots
from smallarea.nsum.annex.group_tables import known_group_figures, known_group_tables
from smallarea.spreadsheets import harmless_table
from smallarea.survey.ard import ARD

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from smallarea.nsum.bayesian.posterior import NsumFit

COMMAND = "smallarea nsum"
SYNTHETIC = "SYNTHETIC SURVEY"


def check_folder(out: Path) -> None:
    """Raise InputError if `out` holds anything but an earlier annex, which may be replaced."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        ours = json.loads((out / "run.json").read_text(encoding="utf-8"))["command"] == COMMAND
    except (OSError, ValueError, KeyError, TypeError):
        ours = False
    if not ours:
        raise InputError(
            "it holds something that `smallarea nsum` did not write",
            where=str(out),
            remedy="choose an empty or new folder; only an earlier annex is replaced",
        )


def write_annex(
    out: Path,
    found: Mapping[str, Any],
    ard: ARD,
    fits: Mapping[str, NsumFit],
    *,
    inputs: Mapping[str, Path | None],
    settings: Mapping[str, Any],
    seed: int,
) -> None:
    """Write every table and figure into `out`, all or nothing.

    `estimates.csv`; of the known groups of each network with two or more, `known_groups.csv`
    (each estimated from the others, and whether trimming removes it), `recall.csv`,
    `side_by_side.csv`, `trimming.csv`, `overlap.csv`, with figures; of Bayesian models
    `tau_curve.csv`, `checks.csv`, `residuals.csv`, `loo.csv`, with figures; and `run.json`.

    Parameters
    ----------
    found : what `nsum_survey` returns. fits : by network; empty for a closed form.
    inputs : files by role, hashed into `run.json`; None where there is none.

    Raises
    ------
    InputError : see `check_folder`.
    """
    check_folder(out)
    synthetic = is_synthetic(ard)
    tables, notes = known_group_tables(ard)
    figures = known_group_figures(ard)
    tables["estimates"] = pd.DataFrame(found["groups"])
    if fits:
        more_tables, more_figures = _of_fits(fits, seed)
        tables |= more_tables
        figures |= more_figures
    with writing(out) as folder:
        folder.mkdir()
        for name, table in tables.items():
            shown = table.assign(notice=SYNTHETIC) if synthetic else table
            harmless_table(shown).to_csv(folder / f"{name}.csv", index=False)
        for name, figure in figures.items():
            drawn = plots.svg_text(figure, SYNTHETIC if synthetic else "")
            (folder / f"{name}.svg").write_text(drawn, encoding="utf-8")
        write_json(
            folder / "run.json",
            {
                "command": COMMAND,
                "version": __version__,
                "synthetic": synthetic,
                "seed": seed,
                "settings": dict(settings),
                "inputs": {
                    role: {"file": path.name, "sha256": sha256(path)}
                    for role, path in inputs.items()
                    if path is not None
                },
                "model": found["model"],
                "diagnostics": found["diagnostics"],
                "warnings": [*found["warnings"], *notes],
                "outputs": {path.name: sha256(path) for path in sorted(folder.iterdir())},
            },
        )
        keep_private(folder)


def is_synthetic(ard: ARD) -> bool:
    """Whether the respondents are the digital twin's."""
    return bool(ard.counts.index.str.startswith("SYNTHETIC").any())


def _of_fits(
    fits: Mapping[str, NsumFit], seed: int
) -> tuple[dict[str, pd.DataFrame], dict[str, Figure]]:
    """Totals over a fixed reporting rate, predictive checks, residuals, leave-one-out.

    Reporting rates so low that the group would outnumber its population are left out of the curve.
    """
    from smallarea.nsum.bayesian.predictive import check_fits, surrogate_residuals

    curves, residuals = {}, {}
    figures: dict[str, Figure] = {}
    for network, fit in fits.items():
        hidden = [str(group) for group in fit.reported["group"].values]
        for group in hidden:
            curve = fit.curve(group)
            curves[network, group] = curve[curve["median"] <= fit.answers.population]
        surrogate = surrogate_residuals(fit, seed)
        residuals[network] = residual_summary(surrogate)
        figures[f"residuals_{network}"] = plots.plot_residuals(surrogate, hidden)
    curve = pd.concat(curves, names=["network", "group"])
    prior = next(iter(fits.values())).tau_prior
    figures["tau_curve"] = plots.plot_tau_curves(curve.droplevel("network"), prior)
    checks, left_out = check_fits(fits, seed)
    tables = {
        "tau_curve": curve.reset_index(),
        "residuals": pd.concat(residuals, names=["network"]).reset_index(),
        "checks": checks.rename(columns={"fit": "network"}),
        "loo": left_out.rename(columns={"fit": "network"}),
    }
    return tables, figures


def residual_summary(residuals: pd.DataFrame) -> pd.DataFrame:
    """Summarise surrogate residuals (respondent x group) against the standard normal.

    Returns
    -------
    Index group; `answers`, `mean`, `sd`, and `ks`, the Kolmogorov-Smirnov distance: about
    1.36 / sqrt(answers) is exceeded once in twenty if the model is right.
    """
    return pd.DataFrame(
        {
            "answers": residuals.notna().sum(),
            "mean": residuals.mean(),
            "sd": residuals.std(),
            "ks": residuals.apply(
                lambda r: stats.kstest(r.dropna(), "norm").statistic if r.notna().any() else np.nan
            ),
        }
    ).rename_axis("group")
