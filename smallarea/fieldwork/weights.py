"""From the design's weights to those to be used, each step with what it costs in precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from smallarea.fieldwork.calibration import Margins, calibrate, kish, trim

#: The steps, in order, in words of the page.
STEPS = {
    "drawn": "as drawn, every unit complete",
    "placed": "units that stood in have the people of the slot they took",
    "household": "times the people of the household among whom one was chosen",
    "response": "divided among those who answered; slots without any, by their stratum",
    "calibrated": "calibrated to the population",
    "trimmed": "trimmed, what was cut off given back",
}


@dataclass(frozen=True)
class Weights:
    """Weights of respondents after every step, and what was done.

    steps : respondents x step (the steps that could be made, see `STEPS`). table : by step
    `respondents`, `people` (sum), `deff` (Kish), `effective` (respondents / deff), `largest` and
    `smallest` (times the median). notes : sentences. cells : what was calibrated to, None if
    nothing.
    """

    steps: pd.DataFrame
    table: pd.DataFrame
    notes: tuple[str, ...] = ()
    margins: Margins | None = None

    @property
    def final(self) -> pd.Series:
        return self.steps.iloc[:, -1].rename("weight")


def make_weights(
    sample: pd.DataFrame,
    respondents: pd.DataFrame,
    table: pd.DataFrame,
    margins: Margins | None = None,
    *,
    method: str = "raking",
    times: float = 5.0,
) -> Weights:
    """Weigh respondents, step by step.

    Parameters
    ----------
    sample : `population`, `p_area`, `p_psu`, `interviews`. respondents : `psu`, perhaps
        `eligible` (people of the household who could have been chosen). table : from
        `counting.units`.
    margins : what to calibrate to. times : trim beyond this many times the median, either side.

    A slot stands for population / probability people, of the unit that was drawn, whoever
    answers in it: with PPS a unit that takes its place would bring the same. Non-response is
    adjusted by slot: those who answered carry those who did not. That is right where, within a
    slot, answering has nothing to do with what would have been answered; calibration mends what
    goes with the population's margins, nothing mends the rest.
    """
    slot = table["slot"].reindex(respondents["psu"]).to_numpy()
    expanded = "p_area_expanded" in sample and (table["role"] == "expansion").any()
    p_area = sample["p_area_expanded"] if expanded else sample["p_area"]
    people = sample["population"] / (p_area * sample["p_psu"])  # of slots
    target = sample["interviews"].astype(float)
    psu = respondents["psu"].to_numpy()
    drawn = sample["weight"] if "weight" in sample and not expanded else people / target
    steps = pd.DataFrame(index=respondents.index)
    steps["drawn"] = drawn.reindex(psu).to_numpy()
    steps["placed"] = (people / target).reindex(slot).to_numpy()
    share = pd.Series(1.0, respondents.index)
    if "eligible" in respondents:
        eligible = respondents["eligible"].fillna(respondents["eligible"].median()).clip(lower=1)
        share = eligible / eligible.groupby(slot).transform("mean")
        steps["household"] = steps["placed"] * share
    done = pd.Series(slot).value_counts()
    stratum = (sample["stratum"] if "stratum" in sample else pd.Series("all", sample.index)).astype(
        str
    )
    slots = table.index[table["target"] > 0]
    whole = people.reindex(slots).groupby(stratum.reindex(slots)).sum()
    met = slots[slots.isin(done.index)]
    reached = people.reindex(met).groupby(stratum.reindex(met)).sum()
    carried = (whole / reached).reindex(stratum.reindex(slot)).to_numpy()
    each = (people.reindex(done.index) / done).reindex(slot).to_numpy()
    steps["response"] = each * carried * share
    notes = [] if margins is None else list(margins.notes)
    empty = sorted(set(whole.index) - set(reached.index))
    if empty:
        notes.append(
            f"nobody was interviewed yet in {len(empty)} of {len(whole)} strata "
            f"({', '.join(empty[:3])}): totals leave them out unless calibrated"
        )
    if margins is None:
        everyone = steps["response"].sum()
        margins_used = Margins(
            pd.DataFrame({"all": 1.0}, steps.index), pd.Series({"all": float(everyone)})
        )
    else:
        margins_used = margins
        steps["calibrated"] = calibrate(
            steps["response"].to_numpy(),
            margins.cells.to_numpy(),
            margins.totals.to_numpy(),
            method,
        )
    cut = trim(
        steps.iloc[:, -1].to_numpy(), margins_used.cells.to_numpy(),
        margins_used.totals.to_numpy(), times=times, method=method,
    )  # fmt: skip
    steps["trimmed"] = cut.weight
    notes.append(
        f"{cut.trimmed} of {len(steps)} weights were outside 1/{times:g} to {times:g} times the "
        f"median ({cut.low:,.1f} to {cut.high:,.1f}) and brought to these bounds"
        + (f"; a margin is then off by up to {cut.off:.1%}" if cut.off > 1e-4 else "")
    )
    return Weights(steps, _costs(steps), tuple(notes), margins)


def _costs(steps: pd.DataFrame) -> pd.DataFrame:
    rows = {}
    for name, column in steps.items():
        weight = column.to_numpy(float)
        middle, deff = np.median(weight), kish(weight)
        rows[name] = {
            "respondents": len(weight),
            "people": float(weight.sum()),
            "deff": deff,
            "effective": len(weight) / deff,
            "largest": float(weight.max() / middle),
            "smallest": float(weight.min() / middle),
        }
    return pd.DataFrame(rows).T.rename_axis("step")
