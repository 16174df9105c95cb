"""Interviewers who bring nothing but zeros, with the chance of that where they worked.

Few people report anyone, so an honest interviewer often brings none. What is asked is how likely so
few reporters are, given what others found in the same units and strata. The smallest of many such
chances is small by itself: Holm's (1979) adjustment keeps the chance of naming any honest
interviewer, among all of them, below the level stated.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import optimize, special

LEVEL = 0.05
#: Interviewers with only zeros where so many reporters were expected say nothing of their places.
DOUBT = 3.0
#: Sds of honest interviewers' log reporting that are tried.
SPREADS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
#: Log likelihood that the largest spread still believed may fall short of the best: one-sided 95 %.
WITHIN = 1.35
NODES, MASS = np.polynomial.hermite_e.hermegauss(7)


def few_reports(
    told: pd.Series,
    enumerator: pd.Series,
    psu: pd.Series,
    stratum: pd.Series | None = None,
    *,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Judge each interviewer by how many of the interviewed reported anyone.

    Honest interviewers differ too: their rates are taken as log-normal around that of the place,
    with the largest spread (of `SPREADS`) that agrees with all who brought any report, so that
    those who bring none do not hide each other, and a spread not known well is not taken as small.

    Parameters
    ----------
    told : 1 where a respondent reported anyone, 0 where not, NaN where not answered.
    enumerator, psu, stratum : by respondent. level : chance of naming anybody wrongly.

    Returns
    -------
    Index enumerator, the least likely first: interviews, units, reporters, expected, `p` (chance
    of so few or fewer, beta-binomial within units given the others' answers there and the rate of
    the stratum without this interviewer), `p_adjusted` (Holm), `only_zeros`, `named` (p_adjusted
    below the level), `could_be_named` (whether bringing zeros only would be enough for that).
    `attrs["spread"]` is the spread taken.
    """
    layer = pd.Series("all", told.index) if stratum is None else stratum
    frame = pd.DataFrame({"y": told, "e": enumerator, "u": psu, "s": layer})
    frame = frame.dropna(subset=["y", "e", "u"])
    cells = frame.groupby(["e", "u"]).agg(y=("y", "sum"), n=("y", "size"), s=("s", "first"))
    cells = cells.reset_index()
    seen = cells.groupby("e")["y"].sum().astype(int)
    odd = (seen == 0) & (cells.groupby("e")["n"].sum() * frame["y"].mean() >= DOUBT)
    plain = cells[~cells["e"].map(odd)]
    mean = float(plain["y"].sum() / max(plain["n"].sum(), 1))
    tight = precision(plain.groupby("u")[["y", "n"]].sum(), mean)
    between = precision(plain.groupby("s")[["y", "n"]].sum(), mean)
    places = {name: _places(own, plain, between) for name, own in cells.groupby("e", sort=True)}

    def chances(spread: float) -> dict[str, np.ndarray]:
        return {str(e): reporters(where, tight, spread) for e, where in places.items()}

    def likelihood(spread: float) -> float:
        parts = chances(spread)
        some = [(parts[str(e)], r) for e, r in seen.items() if r > 0]
        return sum(float(np.log(max(c[r], 1e-300) / max(1 - c[0], 1e-300))) for c, r in some)

    likely = {spread: likelihood(spread) for spread in SPREADS}
    spread = max(s for s, value in likely.items() if value >= max(likely.values()) - WITHIN)
    found = chances(spread)
    rows = {}
    for name, where in places.items():
        c, r = found[str(name)], int(seen[name])
        rows[name] = {
            "interviews": int(where["n"].sum()),
            "units": len(where),
            "reporters": r,
            "expected": float(c @ np.arange(len(c))),
            "p": float(min(c[: r + 1].sum(), 1.0)),
            "p_zero": float(c[0]),
            "only_zeros": r == 0,
        }
    table = pd.DataFrame(rows).T.rename_axis("enumerator")
    table = table.astype({"interviews": int, "units": int, "reporters": int, "only_zeros": bool})
    table[["expected", "p", "p_zero"]] = table[["expected", "p", "p_zero"]].astype(float)
    table = table.sort_values("p", kind="stable")
    table["p_adjusted"] = holm(table["p"].to_numpy())
    table["named"] = table["p_adjusted"] < level
    table["could_be_named"] = table.pop("p_zero") < level / len(table)
    table.attrs["spread"] = spread
    return table


def _places(own: pd.DataFrame, plain: pd.DataFrame, between: float) -> pd.DataFrame:
    """Per unit of an interviewer: n, the others' y and n there, and the rate to be expected.

    plain : the cells that say something of their places.
    """
    theirs = plain["e"].to_numpy() != own["e"].iloc[0]
    y, n = plain["y"].to_numpy(float)[theirs], plain["n"].to_numpy(float)[theirs]
    overall = (y.sum() + 0.5) / (n.sum() + 1)

    def of(column: str) -> tuple[np.ndarray, np.ndarray]:
        labels, where = pd.factorize(own[column])
        at = where.get_indexer(plain[column].to_numpy()[theirs])
        known = at >= 0
        sums = [np.bincount(at[known], v[known], len(where))[labels] for v in (y, n)]
        return sums[0], sums[1]

    (stratum_y, stratum_n), (unit_y, unit_n) = of("s"), of("u")
    rate = (stratum_y + between * overall) / (stratum_n + between)
    return pd.DataFrame(
        {"n": own["n"].to_numpy(int), "rate": rate, "others_y": unit_y, "others_n": unit_n}
    )


def reporters(where: pd.DataFrame, tight: float, spread: float) -> np.ndarray:
    """Chances of 0 to n reporters for an honest interviewer, n all his interviews.

    where : from `_places`. tight : precision of rates within strata. What the others found in a
    unit counts the less the more interviewers differ.
    """
    factors, mass = np.exp(spread * NODES - spread**2 / 2), MASS / MASS.sum()
    if spread == 0:
        factors, mass = np.ones(1), np.ones(1)
    n, rate = where["n"].to_numpy(), where["rate"].to_numpy()
    y, of = where["others_y"].to_numpy(), where["others_n"].to_numpy()
    worth = 1 / (1 + of * rate * np.expm1(spread**2) / (1 - rate))
    a, size = rate * tight + worth * y, tight + worth * of
    p = np.minimum(factors[:, None] * (a / size), 0.999)  # node x unit
    parts = beta_binomial(n, p * size, (1 - p) * size)  # node x unit x reporters
    length = int(n.sum()) + 1
    together = np.fft.irfft(np.fft.rfft(parts, length).prod(axis=1), length)
    return np.clip(mass @ together, 0.0, 1.0)


def holm(p: np.ndarray) -> np.ndarray:
    """Adjust chances in rising order for their number (Holm 1979)."""
    m = len(p)
    return np.minimum(np.maximum.accumulate(p * (m - np.arange(m))), 1.0)


def beta_binomial(n: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Chances of 0, 1, ... reporters among n (..., the largest n + 1); 0 beyond n."""
    n, a, b = (np.asarray(v, float)[..., None] for v in (n, a, b))
    k = np.arange(n.max() + 1)
    left = np.maximum(n - k, 0)
    log = (
        special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(left + 1)
        + special.betaln(k + a, left + b) - special.betaln(a, b)
    )  # fmt: skip
    return np.where(k <= n, np.exp(log), 0.0)


def precision(groups: pd.DataFrame, mean: float) -> float:
    """Interviews that a group's own are worth against the mean: a + b of the beta between groups.

    By maximum likelihood of the beta-binomial at this mean, between 2 and 10,000.
    """
    y, n = groups["y"].to_numpy(float), groups["n"].to_numpy(float)
    mean = min(max(mean, 1e-6), 1 - 1e-6)
    if len(y) < 3:
        return 1e4

    def loss(log_size: float) -> float:
        a, b = mean * np.exp(log_size), (1 - mean) * np.exp(log_size)
        return -float((special.betaln(y + a, n - y + b) - special.betaln(a, b)).sum())

    found = optimize.minimize_scalar(loss, bounds=(np.log(2), np.log(1e4)), method="bounded")
    return float(np.exp(found.x))


def short_answers(
    known: pd.DataFrame,
    enumerator: pd.Series,
    psu: pd.Series,
    stratum: pd.Series | None = None,
    *,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Judge each interviewer by zeros to questions that nearly everybody can answer with more.

    known : respondents x known groups. The outcome is the share of them answered with zero. An
    interviewer's mean is compared with his strata's, in units of its standard error from
    respondents, units and the usual differences between interviewers (by median and MAD, so that a
    few bad ones do not hide each other).

    Returns
    -------
    Index enumerator: interviews, zeros (share), z, `p` (of so many zeros), `p_adjusted`, `named`.
    """
    share = known.eq(0).where(known.notna()).astype(float).mean(axis=1)
    layer = pd.Series("all", share.index) if stratum is None else stratum
    frame = pd.DataFrame({"y": share, "e": enumerator, "u": psu, "s": layer}).dropna()
    middle = frame.groupby(["s", "u"])["y"].mean().groupby("s").median()
    frame["r"] = frame["y"] - middle.reindex(frame["s"]).to_numpy()
    cells = frame.groupby(["e", "u"])["r"].agg(["mean", "size", "var"]).reset_index()
    within = float(np.nanmedian(cells["var"]))
    by_unit = frame.groupby("u")["r"].agg(["mean", "size"])
    place = max(_robust_variance(by_unit["mean"]) - within / by_unit["size"].mean(), 0.0)
    rows = {}
    for name, own in cells.groupby("e"):
        n = own["size"].sum()
        weight = own["size"] / n
        variance = within / n + place * float((weight**2).sum())
        rows[name] = {"interviews": n, "mean": float((weight * own["mean"]).sum()), "v": variance}
    table = pd.DataFrame(rows).T.rename_axis("enumerator")
    table["zeros"] = frame.groupby("e")["y"].mean()
    centre = float(table["mean"].median())
    habit = max(_robust_variance(table["mean"]) - float(table["v"].median()), 0.0)
    table["z"] = (table["mean"] - centre) / np.sqrt(table.pop("v") + habit)
    table["p"] = special.ndtr(-table["z"])
    table = table.drop(columns="mean").astype({"interviews": int}).sort_values("p", kind="stable")
    table["p_adjusted"] = holm(table["p"].to_numpy())
    table["named"] = table["p_adjusted"] < level
    return table


def _robust_variance(values: pd.Series) -> float:
    return float((1.4826 * (values - values.median()).abs().median()) ** 2)
