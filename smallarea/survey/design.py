"""Drawing a stratified multistage sample: areas, then PSUs in them, with PPS (by size).

Every probability is exact, for the main sample alone and together with its expansion: the larger
sample is drawn first and the main one from it, systematically with the ratio of the probabilities.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import optimize, stats

from smallarea.areas.levels import levels_of
from smallarea.errors import InputError


def draw_sample(
    areas: pd.DataFrame,
    psus: pd.DataFrame,
    *,
    n_areas: int,
    take: int,
    expansion: int = 0,
    replacements: int = 0,
    replicates: int = 0,
    seed: int,
) -> pd.DataFrame:
    """Draw areas within strata and PSUs within areas, both systematically with PPS.

    Parameters
    ----------
    areas : index area_id; `stratum`, `size` (people to be represented). Their order within a
        stratum is the implicit stratification; leave out what the survey does not cover.
    psus : index psu_id; `area_id`, `population`.
    n_areas : areas in the main sample, one PSU each. take : interviews per PSU.
    expansion : further areas, to be used all together or not at all.
    replacements : PSUs per sampled one that may take its place, in their order.
    replicates : main areas that get a second PSU, without which variation between the PSUs of
        one area cannot be told from variation between areas.

    Returns
    -------
    DataFrame by PSU, sorted by role and stratum: area_id, stratum, `role` (main, replicate,
    expansion, replacement), `replaces` (psu_id) and `order` of a replacement, population,
    `p_area` and `p_area_expanded` (inclusion of the area without and with the expansion),
    `p_psu` (of the PSU in its area), `interviews`, and `weight`: the people one interview stands
    for in the main sample. Replacements have those of the PSU they replace.

    Raises
    ------
    InputError : more areas than exist or fewer than two per stratum; areas without a PSU.
    """
    usable = psus[(psus["population"] > 0) & psus["area_id"].isin(areas.index)]
    _check(areas, usable, n_areas + expansion)
    rng = np.random.default_rng(seed)
    members = areas.groupby("stratum", sort=True)
    size, capacity = members["size"].sum(), members.size()
    main = allocate(size, capacity, n_areas)
    extra = allocate(size, capacity, n_areas + expansion, least=main) - main
    stages = [
        _draw_areas(
            members.get_group(stratum), int(main.loc[stratum]), int(extra.loc[stratum]), rng
        )
        for stratum in main.index
    ]
    drawn = pd.concat(stages)
    several = usable["area_id"].value_counts().reindex(drawn.index) > 1
    possible = drawn.index[(drawn["role"] == "main") & several]
    if replicates > len(possible):
        raise InputError(
            f"{replicates} replicates wanted, {len(possible)} main areas have a second PSU",
            where="sampling design",
            remedy="ask for fewer replicates",
        )
    twice = set(rng.choice(possible.to_numpy(object), replicates, replace=False))
    positions = usable.groupby("area_id").indices
    population = usable["population"].to_numpy(float)
    rows = [
        row
        for area, role in drawn["role"].items()
        for row in _draw_psus(
            population, np.asarray(positions[area]), role, 1 + (area in twice), replacements, rng
        )
    ]
    columns = ["psu_id", "role", "replaces", "order", "p_psu"]
    out = pd.DataFrame(rows, columns=columns).astype({"replaces": "Int64"})
    out["replaces"] = out["replaces"].map(lambda i: usable.index[i], na_action="ignore")
    out.index = usable.index[out.pop("psu_id")].rename("psu_id")
    out.insert(0, "area_id", usable["area_id"].loc[out.index])
    out = out.join(drawn.drop(columns="role"), on="area_id").join(usable["population"])
    out["interviews"] = take
    replaced = out["replaces"].astype(object)
    stands_for = replaced.where(replaced.notna(), out.index.to_series())
    people = usable["population"].reindex(stands_for).to_numpy()
    out["weight"] = people / out["p_area"] / out["p_psu"] / take
    rank = out["role"].map({r: i for i, r in enumerate(ROLES)})
    return out.assign(rank=rank).sort_values(["rank", "stratum", "area_id"]).drop(columns="rank")


ROLES = ("main", "replicate", "expansion", "replacement")


def strata(table: pd.DataFrame) -> pd.Series:
    """Return each area's stratum: unit of the second lowest level (or the lowest, if it is the only
    one) x mostly urban or not, thin strata joined.

    A unit in which either kind has fewer than two areas is one stratum, as is every unit where the
    frame does not know what is urban.
    """
    levels = levels_of(table)
    above = table[levels[min(1, len(levels) - 1)]]
    if "urban_share" not in table:
        return above.rename("stratum")
    kind = np.where(table["urban_share"] >= 0.5, "urban", "rural")
    label: pd.Series = above + ", " + kind
    areas: pd.Series = label.groupby(label).transform("size")
    thin = areas.groupby(above).transform("min") < 2
    return label.mask(thin, above).rename("stratum")


def allocate(size: pd.Series, capacity: pd.Series, n: int, least: pd.Series | int = 2) -> pd.Series:
    """Share n areas among strata in proportion to size, within bounds, whole numbers.

    Parameters
    ----------
    size, capacity : people and areas in each stratum.
    least : fewest areas per stratum (as far as it has them); two give a variance.
    """
    low = np.minimum(capacity, least)
    if not low.sum() <= n <= capacity.sum():
        raise InputError(
            f"{n} areas cannot be shared among {len(size)} strata with {capacity.sum()} areas",
            where="sampling design",
            remedy=f"choose from {low.sum()} to {capacity.sum()} areas, or join strata",
        )

    def share(rate: float) -> pd.Series:
        return (rate * size).clip(low, capacity)

    top = float(n * (capacity / size).max())
    exact = share(optimize.brentq(lambda rate: share(rate).sum() - n, 0.0, top, xtol=1e-15))
    whole = np.floor(exact + 1e-9).astype(int)
    largest = (exact - whole).sort_values(ascending=False, kind="stable").index
    whole.loc[largest[: n - whole.sum()]] += 1
    return whole


def inclusion_probabilities(size: np.ndarray, n: int) -> np.ndarray:
    """Probabilities proportional to size that sum to n; what would exceed one is taken for sure.

    Saerndal, Swensson & Wretman 1992, section 3.6.
    """
    certain = np.zeros(len(size), bool)
    while True:
        rest = size[~certain].sum()
        scaled = (n - certain.sum()) * size / rest if rest > 0 else np.zeros(len(size))
        over = ~certain & (scaled >= 1)
        if not over.any():
            return np.where(certain, 1.0, scaled)
        certain |= over


def systematic(probability: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Positions of a systematic sample with these inclusion probabilities, which sum to n."""
    n = int(np.rint(probability.sum()))
    ends = np.cumsum(probability) * (n / probability.sum() if n else 1.0)
    return np.minimum(np.searchsorted(ends, np.arange(n) + rng.random()), len(probability) - 1)


def nested_sample(
    size: np.ndarray, n: int, more: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Draw n units and `more` beyond them so that both n and n + more are exactly PPS.

    Returns the positions of the n, those of the others, and every unit's inclusion probability
    in the smaller and in the larger sample.
    """
    p_small, p_large = (inclusion_probabilities(size, k) for k in (n, n + more))
    large = systematic(p_large, rng)
    small = large[systematic(p_small[large] / p_large[large], rng)]
    return small, rng.permutation(np.setdiff1d(large, small)), p_small, p_large


def design_effect(icc: float, take: float, weights: Sequence[float] | None = None) -> float:
    """Kish's design effect: clusters of `take` interviews, times unequal weights (1 + cv^2)."""
    unequal = 1.0
    if weights is not None:
        w = np.asarray(weights, float)
        unequal = len(w) * (w**2).sum() / w.sum() ** 2
    return unequal * (1 + (take - 1) * icc)


def margin_of_error(
    n: int, *, confidence: float = 0.95, share: float = 0.5, deff: float = 1.0
) -> float:
    """Half-width of the normal interval of a share from n interviews."""
    return float(stats.norm.ppf((1 + confidence) / 2) * np.sqrt(deff * share * (1 - share) / n))


def margin_table(
    n: int,
    take: int,
    *,
    confidence: float = 0.95,
    shares: Sequence[float] = (0.5, 0.1, 0.02),
    iccs: Sequence[float] = (0.0, 0.02, 0.05, 0.1),
) -> pd.DataFrame:
    """Margins of error of shares under intra-cluster correlations: what the headline leaves out.

    One row per share and icc: `deff`, `effective_n`, `margin`, `relative_margin`.
    """
    table = pd.MultiIndex.from_product([shares, iccs], names=["share", "icc"]).to_frame(index=False)
    table["deff"] = [design_effect(icc, take) for icc in table["icc"]]
    table["effective_n"] = n / table["deff"]
    table["margin"] = [
        margin_of_error(n, confidence=confidence, share=share, deff=deff)
        for share, deff in zip(table["share"], table["deff"], strict=True)
    ]
    table["relative_margin"] = table["margin"] / table["share"]
    return table


def _draw_areas(members: pd.DataFrame, n: int, more: int, rng: np.random.Generator) -> pd.DataFrame:
    main, extra, p_main, p_all = nested_sample(members["size"].to_numpy(float), n, more, rng)
    drawn = np.concatenate([main, extra]).astype(int)
    return (
        members[["stratum"]]
        .iloc[drawn]
        .assign(
            role=["main"] * len(main) + ["expansion"] * len(extra),
            p_area=p_main[drawn],
            p_area_expanded=p_all[drawn],
        )
    )


def _draw_psus(
    population: np.ndarray,
    here: np.ndarray,
    role: str,
    n: int,
    replacements: int,
    rng: np.random.Generator,
) -> list[tuple[int, str, int | None, int, float]]:
    """Draw n PSUs among the positions `here` and, as far as there are, replacements for each.

    The second is the replicate. Rows: position, role, position replaced, order, probability.
    """
    more = min(n * replacements, len(here) - n)
    chosen, others, p, _ = nested_sample(population[here], n, more, rng)
    chosen = rng.permutation(chosen)
    roles = [role, *["replicate"] * (n - 1)]
    rows = [(here[c], r, None, 0, p[c]) for c, r in zip(chosen, roles, strict=True)]
    return rows + [
        (here[o], "replacement", here[chosen[i % n]], 1 + i // n, p[chosen[i % n]])
        for i, o in enumerate(others)
    ]


def _check(areas: pd.DataFrame, psus: pd.DataFrame, n: int) -> None:
    without = areas.index.difference(pd.Index(psus["area_id"]))
    if len(without) or not (areas["size"] > 0).all():
        raise InputError(
            f"{len(without)} areas have no populated PSU, first {', '.join(without[:3])}"
            if len(without)
            else "an area without people",
            where="sampling frame",
            remedy="leave these areas out of the frame, or complete the list of PSUs",
        )
    if n > len(areas):
        raise InputError(
            f"{n} areas wanted, {len(areas)} in the frame",
            where="sampling design",
            remedy="ask for fewer",
        )
