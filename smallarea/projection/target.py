"""Where to go: a set of areas, what it would reach, and how sure it is that it is the right one.

Everything is computed within joint draws and summarised last: ends of intervals do not add up, nor
do chances. A set is chosen on the reported scale, before the reporting rate tau is divided by:
being common to all areas, tau changes how many people a set holds and not which set is best, and
counts may have no mean (E[1/tau]).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.errors import InputError
from smallarea.indicators import Indicators
from smallarea.nsum.reporting.tau import totals_given_tau
from smallarea.projection.choosing import best_set
from smallarea.projection.conditions import Conditions, read_conditions
from smallarea.projection.decisions import probability_above, probability_greater
from smallarea.projection.indicators import count_draws
from smallarea.projection.rank_sets import LEVEL, rank_sets, top_sets
from smallarea.projection.reach import (
    ENDS,
    Aim,
    AreaDraws,
    By,
    best_of_draws,
    quantiles,
    random_sets,
    reach_table,
)
from smallarea.projection.summaries import RANK_INTERVAL, ranks


@dataclass(frozen=True)
class Target:
    """A set of areas, and how sure it is.

    Attributes
    ----------
    indicator, by, aim, level, above, seed : as given to :func:`target`.
    given : whether the set was given and not chosen.
    top : the k of every chance of being among the k largest.
    areas : index area_id, every area that could be chosen, the chosen first, then by chance of
        being in the best set. `chosen`; `mean` (where it exists) and quantiles of the count or
        rate; `rank_mean`, `rank_low`, `rank_high` (90 % interval); `joint_low`, `joint_high` (ranks
        of all areas together, whatever the truth, with a chance of `level`); `could_top`,
        `surely_top`: these ranks reach `top`, or do not go beyond; `list_top`, `within_top`: in a
        short list that holds the whole true top k, in a list that lies within it, each with a
        chance of `level` by the draws; `chance_top`, `chance_best`; with a threshold
        `chance_above`; with costs `cost`.
    sets : index chosen, random, largest (most people), best (knowing the truth, draw by draw);
        `areas`; `mean` and quantiles of the people reached; `members`, the expected number of
        the true top k; `share` of the nation's and `share_*`; `of_best` and `of_best_*`: count, or
        sum of rates, as a share of the best set's. What it costs the chosen set not to know is
        1 - `of_best`.
    overlap : expected number of chosen areas in the best set of the draw.
    by_tau : people in the chosen set at other reporting rates; None where none is in force.
    scenarios : index scenario: `kept`, how many of the set are in the best one were reporting to
        differ so between areas; quantiles of the people reached then; `of_best`, their expected
        count, or sum of rates, as a share of that set's. None without any.
    against : of the comparison with other areas: `chance` that the set's count or rate exceeds
        theirs, `ratio_*` quantiles of the two; None without any.
    left_out : why areas cannot be chosen -> how many.
    draws : draws of which the best set is known.
    relaxed : whether best sets hold areas in part: what they reach is then an upper bound.
    """

    indicator: str
    by: By
    aim: Aim
    given: bool
    top: int
    level: float
    above: float | None
    seed: int
    areas: pd.DataFrame
    sets: pd.DataFrame
    overlap: float
    by_tau: pd.DataFrame | None
    scenarios: pd.DataFrame | None
    against: dict[str, float] | None
    left_out: dict[str, int]
    draws: int
    relaxed: bool

    @property
    def chosen(self) -> list[str]:
        """Codes of the chosen areas, surest first."""
        return list(self.areas.index[self.areas["chosen"]])


def target(
    counts: xr.DataArray,
    table: pd.DataFrame,
    indicators: Indicators,
    *,
    indicator: str | None = None,
    by: By = "count",
    aim: Aim = "largest",
    k: int | None = None,
    budget: float | None = None,
    costs: pd.Series | None = None,
    min_per: Mapping[str, int] | None = None,
    places: Sequence[str] = (),
    against: Sequence[str] = (),
    above: float | None = None,
    withheld: Collection[str] = (),
    excluded: Mapping[str, Collection[str]] | None = None,
    tau: np.ndarray | None = None,
    scenarios: Mapping[str, pd.Series] | None = None,
    mean: bool = True,
    level: float = LEVEL,
    seed: int = 0,
) -> Target:
    """Choose the best set of areas, or judge a given one.

    Parameters
    ----------
    counts : people by component, joint draws, dims (component, area_id, draw).
    table : the frame's table, index area_id: reference populations, levels above.
    indicator : a count (sum or component); by default the headline.
    by : what areas are ranked and chosen by: the `count`, or its `rate` per 1,000.
    aim : `largest`, the largest expected count (or sum of rates) altogether; `top`, the largest
        expected number of areas that truly are among the k largest.
    k : number of areas; under a budget, at most so many.
    budget, costs : what the areas may cost together, and the cost of each by area_id; without
        costs one per area.
    min_per : level -> areas of every unit of it, at least.
    places : a set to judge in place of choosing one. against : areas to compare the set with.
    above : a threshold of the count or rate.
    withheld : areas whose numbers are not shown. They count in ranks, as in the published chances,
        and in the nation, but cannot be chosen; nor can areas without reference population.
    excluded : why -> areas that are not to be chosen though their numbers are shown.
    tau : draws of the reporting rate common to all areas, (draw,); None where there is none.
    scenarios : name -> reporting rate of each area relative to the nation's, by area_id.
    mean : whether counts have a mean under the prior of tau.
    level : of the joint rank sets. seed : of the random sets.

    Raises
    ------
    InputError : unknown indicator, level or area, conditions that no set can meet, costs that are
        missing or negative.

    Besides `counts`, about six arrays (areas, draws) of 8 bytes are held at a time. The same draws
    choose and judge: measured with 500 draws of 1,642 areas, that flatters a set chosen by count by
    less than 0.5 %, one chosen by rate by 2 %.
    """
    name = _count(indicator, indicators)
    _one_of(by, ("count", "rate"), "by")
    _one_of(aim, ("largest", "top"), "aim")
    people = count_draws(counts, name, indicators).transpose("area_id", "draw")
    area_ids = people.get_index("area_id")
    size = table.loc[area_ids, indicators.reference[name]].to_numpy(dtype=float)
    lived, hidden = size > 0, area_ids.isin(list(withheld))
    barred = {why: area_ids.isin(list(some)) for why, some in (excluded or {}).items()}
    shown = ~hidden
    for out in barred.values():
        hidden = hidden | out
    free_ids = area_ids[lived & ~hidden]
    own, other = (_listed(some, area_ids, free_ids) for some in (places, against))
    conditions = read_conditions(table.loc[free_ids], k, budget, costs, min_per, own)
    top = k or len(own) or (conditions.number if conditions.cost is None else None)
    if aim == "top" and top is None:
        raise InputError("the top how many is not said", where="k", remedy="give k too")

    nation = people.to_numpy().sum(axis=0)
    at = AreaDraws(people[lived], size[lived], ~hidden[lived], by)
    rank = ranks(at.measure).to_numpy()
    weight = np.ones(len(nation)) if tau is None else np.asarray(tau, dtype=float)
    chosen = free_ids.isin(own) if own else at.best(conditions, aim, top, weight, rank)[0]
    top = top or int(chosen.sum())
    best = best_of_draws(at.measure.to_numpy()[at.free], conditions)
    sets = {"chosen": chosen, "largest": best_set(at.size[at.free], conditions)}
    masks = {key: mask[:, None] for key, mask in sets.items()}
    reached = at.people.to_numpy()[at.free][chosen].sum(axis=0)

    areas = _areas(at.measure[at.free], rank[at.free], top, mean, above)
    areas.insert(0, "chosen", chosen)
    areas = areas.join(_together(at, rank, top, level))
    areas["chance_best"] = best.sets.mean(axis=1)
    if costs is not None:
        areas["cost"] = costs.reindex(areas.index).astype(float)
    order = ["chosen", "chance_best", "chance_top", "q50"]
    left_out = {
        "numbers withheld: too few live there": ~shown,
        "nobody to refer to": ~lived & shown,
        **{why: out & lived & shown for why, out in barred.items()},
    }
    return Target(
        indicator=name,
        by=by,
        aim=aim,
        given=bool(own),
        top=top,
        level=level,
        above=above,
        seed=seed,
        areas=areas.sort_values(order, ascending=False, kind="stable"),
        sets=reach_table(
            at.people.to_numpy()[at.free],
            at.measure.to_numpy()[at.free],
            nation,
            rank[at.free] <= top,
            masks | {"random": random_sets(conditions, seed)},
            best,
            mean=mean,
        ),
        overlap=float(best.sets[chosen].sum(axis=0).mean()),
        by_tau=None if tau is None else totals_given_tau(reached * weight),
        scenarios=_elsewhere(at, conditions, aim, top, weight, chosen, scenarios or {}),
        against=_against(at, free_ids[chosen], other) if other else None,
        left_out={why: int(out.sum()) for why, out in left_out.items() if out.any()},
        draws=len(best.used),
        relaxed=best.relaxed,
    )


def _areas(
    measure: xr.DataArray, rank: np.ndarray, top: int, mean: bool, above: float | None
) -> pd.DataFrame:
    """Describe each area on its own: quantiles, ranks, chances."""
    values = measure.to_numpy()
    low, high = np.quantile(rank, RANK_INTERVAL, axis=1)
    columns = {
        "mean": values.mean(axis=1) if mean else np.nan,
        **dict(zip(ENDS, np.quantile(values, list(ENDS.values()), axis=1), strict=True)),
        "rank_mean": rank.mean(axis=1),
        "rank_low": np.floor(low).astype(int),
        "rank_high": np.ceil(high).astype(int),
        "chance_top": (rank <= top).mean(axis=1),
    }
    areas = pd.DataFrame(columns, index=measure.get_index("area_id"))
    if above is not None:
        areas["chance_above"] = probability_above(measure, above)
    return areas


def _together(at: AreaDraws, rank: np.ndarray, top: int, level: float) -> pd.DataFrame:
    """Describe the areas jointly: see the columns of `Target.areas`."""
    joint = rank_sets(at.logarithms(), level=level)
    listed, within = top_sets(rank, top, level=level)
    return joint.assign(
        could_top=(joint["joint_low"] <= top).astype(bool),
        surely_top=(joint["joint_high"] <= top).astype(bool),
        list_top=listed,
        within_top=within,
    )


def _elsewhere(
    at: AreaDraws,
    conditions: Conditions,
    aim: Aim,
    top: int,
    weight: np.ndarray,
    chosen: np.ndarray,
    scenarios: Mapping[str, pd.Series],
) -> pd.DataFrame | None:
    """Judge the chosen set were reporting to differ between areas: see `Target.scenarios`."""
    rows = {}
    for scenario, rates in scenarios.items():
        relative = rates.loc[at.ids].to_numpy(dtype=float)
        then, worth = at.best(conditions, aim, top, weight, relative=relative)
        reached = at.people.to_numpy()[at.free][chosen] / relative[at.free][chosen][:, None]
        rows[scenario] = {
            "kept": int((then & chosen).sum()),
            **quantiles(reached.sum(axis=0)),
            "of_best": float(worth[chosen].sum() / max(worth[then].sum(), 1e-300)),
        }
    return pd.DataFrame(rows).T.rename_axis("scenario") if rows else None


def _against(at: AreaDraws, own: Sequence[str], other: Sequence[str]) -> dict[str, float]:
    """Compare two baskets of areas that share none."""
    if both := sorted(set(own) & set(other)):
        raise InputError(
            f"{both[0]} is on both sides",
            where="places, against",
            remedy="compare sets that share no area",
        )
    first, second = at.basket(own), at.basket(other)
    ratio = np.divide(first, second, out=np.full_like(first, np.inf), where=second > 0)
    chance = probability_greater(first, second)
    return {"chance": chance} | {f"ratio_{end}": q for end, q in quantiles(ratio).items()}


def _listed(some: Sequence[str], area_ids: pd.Index, free_ids: pd.Index) -> list[str]:
    """Return given areas once each; complain about those that are unknown or left out."""
    for what, known in (("is not an area", area_ids), ("cannot be shown", free_ids)):
        if absent := [area for area in some if area not in known]:
            raise InputError(
                f"{absent[0]} {what}",
                where="places, against",
                remedy="give codes of areas that are not withheld and not excluded",
            )
    return list(dict.fromkeys(some))


def _count(indicator: str | None, indicators: Indicators) -> str:
    name = indicator or indicators.headline
    if name not in indicators.counts:
        raise InputError(
            f"{name!r} is not a count of people",
            where="indicator",
            remedy=f"choose one of {', '.join(indicators.counts)}; `by` ranks by its rate",
        )
    return name


def _one_of(word: str, words: Sequence[str], where: str) -> None:
    if word not in words:
        raise InputError(f"unknown {word!r}", where=where, remedy=f"choose {' or '.join(words)}")
