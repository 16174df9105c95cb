"""How much of the answers is the interviewer's: variance shares, sexes, drift.

None of it proves anything about a person: interviewers are sent to different places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from smallarea.fieldwork.totals import contrast


@dataclass(frozen=True)
class Shares:
    """Parts of an outcome's variance.

    interviewer, place, rest : shares that sum to 1 (negative estimates are 0); NaN where place and
    interviewer cannot be told apart. high : the share of all that goes with interviewers, places
    included. p : chance of so large a difference between interviewers if there were none, by
    permutation. design : crossed (units with several interviewers), nested (each unit has one,
    interviewers have several units) or one (each unit has one, and most interviewers have one unit:
    place may be the interviewer). groups : interviewers. effect : design effect of interviewers,
    1 + (mean load - 1) x share.
    """

    interviewer: float
    place: float
    rest: float
    high: float
    p: float
    design: str
    groups: int
    effect: float


def variance_shares(
    outcome: pd.Series,
    enumerator: pd.Series,
    psu: pd.Series,
    stratum: pd.Series | None = None,
    *,
    permutations: int = 499,
    seed: int = 0,
) -> Shares:
    """Split the variance of an outcome into interviewers, sampling units and the rest.

    Two random effects within strata, by fitting constants (Henderson 1953, method 3): the sums of
    squares of either effect are set to what both are expected to bring. Permutation:
    interviewers are exchanged among the interviews of their unit where units have several (only
    they tell, O'Muircheartaigh & Campanelli 1998), else among the units of a stratum. All of the
    same index; missing values are left out.
    """
    frame = pd.DataFrame({"y": outcome, "e": enumerator, "u": psu}).dropna()
    layer = pd.Series("all", outcome.index) if stratum is None else stratum.fillna("none")
    y = frame["y"].to_numpy(float)
    s = pd.factorize(layer.reindex(frame.index))[0]
    e, u = pd.factorize(frame["e"])[0], pd.factorize(frame["u"])[0]
    n_e, n = int(e.max(initial=-1)) + 1, len(y)
    pairs = frame.drop_duplicates(["e", "u"])
    per_unit, per_enumerator = pairs.groupby("u").size(), pairs.groupby("e").size()
    crossed = float((per_unit > 1).mean()) >= 0.2
    design = "crossed" if crossed else "nested" if (per_enumerator > 1).mean() >= 0.5 else "one"
    nan = float("nan")
    if n_e < 2 or n - n_e < 2 or y.var() == 0:
        return Shares(nan, nan, nan, nan, nan, design, n_e, nan)
    high = _one_way(y, e, s)
    load = float(np.bincount(e).astype(float) @ np.bincount(e) / n)
    rng = np.random.default_rng(seed)
    if design == "one":
        seen, drawn = _between(y, e), [_between(y, rng.permutation(e)) for _ in range(permutations)]
        p = (1 + sum(d >= seen for d in drawn)) / (permutations + 1)
        return Shares(nan, nan, 1 - high, high, p, design, n_e, 1 + (load - 1) * high)
    interviewer, place, rest = _components(y, s, [e, u])
    whole = interviewer + place + rest
    if crossed:
        centred = y - _means(y, u)[u]
        seen = _between(centred, e)
        drawn = [_between(centred, _within(e, u, rng)) for _ in range(permutations)]
    else:
        means, size = _means(y, u), np.bincount(u)
        first = np.unique(u, return_index=True)[1]
        e_u, s_u = e[first], s[first]
        centred = means - _means(means, s_u, size)[s_u]
        seen = _between(centred, e_u, size)
        drawn = [_between(centred, _within(e_u, s_u, rng), size) for _ in range(permutations)]
    p = (1 + sum(d >= seen - 1e-12 for d in drawn)) / (permutations + 1)
    share = interviewer / whole
    return Shares(
        share, place / whole, rest / whole, max(high, share), p, design, n_e, 1 + (load - 1) * share
    )


def _means(y: np.ndarray, code: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    w = np.ones(len(y)) if weight is None else weight
    return np.bincount(code, w * y) / np.bincount(code, w)


def _between(y: np.ndarray, code: np.ndarray, weight: np.ndarray | None = None) -> float:
    """Sum of squares between groups, up to a constant."""
    w = np.ones(len(y)) if weight is None else weight
    size = np.bincount(code, w)
    return float((np.bincount(code, w * y) ** 2 / np.maximum(size, 1e-12)).sum())


def _within(code: np.ndarray, block: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Permute codes within blocks."""
    shuffled = rng.permutation(len(code))
    to, of = np.argsort(block, kind="stable"), shuffled[np.argsort(block[shuffled], kind="stable")]
    out = np.empty_like(code)
    out[to] = code[of]
    return out


def _one_way(y: np.ndarray, e: np.ndarray, s: np.ndarray) -> float:
    """Share of variance between interviewers, places ignored."""
    between, _, rest = _components(y, s, [e])
    return between / (between + rest) if between + rest > 0 else 0.0


def _components(
    y: np.ndarray, s: np.ndarray, factors: list[np.ndarray]
) -> tuple[float, float, float]:
    """Variance components of one or two random factors within strata, Henderson's method 3.

    The strata are fixed. What a factor adds to them is, in expectation, a known mixture of all
    components: as many equations as factors.
    """
    n = len(y)
    fixed = np.eye(int(s.max()) + 1)[s]
    z = [np.eye(int(f.max()) + 1)[f] for f in factors]
    base = _basis(fixed)
    full = _basis(np.hstack([fixed, *z]))
    r_full = full.shape[1]
    error = (y @ y - ((full.T @ y) ** 2).sum()) / max(n - r_full, 1)
    wholes = []
    for j in range(len(z)):
        one = _basis(np.hstack([fixed, z[j]]))
        gained = (
            ((one.T @ y) ** 2).sum()
            - ((base.T @ y) ** 2).sum()
            - error * (one.shape[1] - base.shape[1])
        )
        traces = [((one.T @ k) ** 2).sum() - ((base.T @ k) ** 2).sum() for k in z]
        wholes.append((gained, traces))
    if len(z) == 1:
        gained, traces = wholes[0]
        return max(gained / traces[0], 0.0), 0.0, max(error, 0.0)
    left = np.array([traces for _, traces in wholes])
    solved = np.linalg.lstsq(left, np.array([g for g, _ in wholes]), rcond=1e-10)[0]
    return max(solved[0], 0.0), max(solved[1], 0.0), max(error, 0.0)


def _basis(columns: np.ndarray) -> np.ndarray:
    """Orthonormal basis of the columns' span."""
    values, vectors = np.linalg.eigh(columns.T @ columns)
    kept = values > 1e-9 * values.max()
    return columns @ (vectors[:, kept] / np.sqrt(values[kept]))


def same_sex(
    outcome: pd.Series, people: pd.DataFrame, design: pd.DataFrame
) -> dict[str, float] | None:
    """Compare who was interviewed by their own sex with the others; None without both columns.

    people : `sex`, `enumerator_sex`, perhaps `enumerator`, who is then the cluster. See
    `totals.contrast` for what is returned.
    """
    if not {"sex", "enumerator_sex"} <= set(people):
        return None
    sex, theirs = (
        people[c].astype("string").str.strip().str.lower().str[:1]
        for c in ("sex", "enumerator_sex")
    )
    same = (sex == theirs).where(sex.notna() & theirs.notna()).astype(object)
    return contrast(outcome, pd.Series(1.0, outcome.index), clustered(people, design), same)


def clustered(people: pd.DataFrame, design: pd.DataFrame) -> pd.DataFrame:
    """Return a design whose clusters are interviewers, if there are, without strata."""
    if "enumerator" not in people:
        return design
    return design.assign(psu=people["enumerator"].fillna("none").astype(str), stratum=None)


def drift(outcome: pd.Series, people: pd.DataFrame, design: pd.DataFrame) -> dict[str, float]:
    """Say how the outcome moves over the field period, per 30 days.

    `over_time`: all interviews; teams move from place to place, so this may be the places.
    `within`: each interviewer's own interviews against his mean, which is closer to a habit. Each
    with `_low`, `_high` (95 %) and `_p`, clustered by interviewer, else by `psu`.
    """
    use = outcome.notna() & people["date"].notna()
    day = (people["date"][use] - people["date"].min()).dt.days.astype(float) / 30
    y = outcome[use].astype(float)
    who = clustered(people, design)["psu"][use].astype(str)
    found: dict[str, float] = {"weeks": float(day.max() - day.min()) * 30 / 7}
    for name, centre in (("over_time", False), ("within", True)):
        if centre and "enumerator" not in people:
            continue
        x_, y_ = (
            (v - v.groupby(who).transform("mean") if centre else v - v.mean()) for v in (day, y)
        )
        ss, g = float((x_**2).sum()), who.nunique()
        if ss <= 1e-9 or g < 3:
            continue
        slope = float((x_ * y_).sum() / ss)
        score = (x_ * (y_ - slope * x_)).groupby(who).sum()
        error = float(np.sqrt(g / (g - 1) * (score**2).sum()) / ss)
        reach = stats.t.ppf(0.975, g - 1) * error
        p = 2 * stats.t.sf(abs(slope) / error, g - 1) if error > 0 else 1.0
        found |= {name: slope, f"{name}_low": slope - reach, f"{name}_high": slope + reach}
        found[f"{name}_p"] = float(p)
    return found


def by_week(outcome: pd.Series, people: pd.DataFrame) -> pd.DataFrame:
    """Interviews and mean outcome by week of the field period, the first week being 1."""
    use = outcome.notna() & people["date"].notna()
    week = (people["date"][use] - people["date"].min()).dt.days // 7 + 1
    grouped = outcome[use].groupby(week)
    return pd.DataFrame({"interviews": grouped.size(), "mean": grouped.mean()}).rename_axis("week")
