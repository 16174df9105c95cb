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

#: Reporters elsewhere, as if so many more interviews were made, that a stratum's rate is drawn to.
LEVEL = 0.05


def few_reports(
    told: pd.Series,
    enumerator: pd.Series,
    psu: pd.Series,
    stratum: pd.Series | None = None,
    *,
    level: float = LEVEL,
) -> pd.DataFrame:
    """Judge each interviewer by how many of the interviewed reported anyone.

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
    """
    layer = pd.Series("all", told.index) if stratum is None else stratum
    frame = pd.DataFrame({"y": told, "e": enumerator, "u": psu, "s": layer})
    frame = frame.dropna(subset=["y", "e", "u"])
    cells = frame.groupby(["e", "u"]).agg(y=("y", "sum"), n=("y", "size"), s=("s", "first"))
    cells = cells.reset_index()
    tight = precision(cells.groupby("u")[["y", "n"]].sum(), float(frame["y"].mean()))
    between = precision(cells.groupby("s")[["y", "n"]].sum(), float(frame["y"].mean()))
    totals = {k: cells.groupby(k)[["y", "n"]].sum() for k in ("u", "s")}
    everyone = cells[["y", "n"]].sum()
    rows = {}
    for name, own in cells.groupby("e", sort=True):
        rest = everyone - own[["y", "n"]].sum()
        overall = (rest["y"] + 0.5) / (rest["n"] + 1)
        mine = own.groupby("s")[["y", "n"]].sum()
        chances = np.ones(1)
        expected = 0.0
        for _, cell in own.iterrows():
            there = totals["s"].loc[cell["s"]] - mine.loc[cell["s"]]
            rate = (there["y"] + between * overall) / (there["n"] + between)
            others = totals["u"].loc[cell["u"]] - cell[["y", "n"]].astype(float)
            a = rate * tight + others["y"]
            b = (1 - rate) * tight + others["n"] - others["y"]
            part = beta_binomial(int(cell["n"]), a, b)
            chances = np.convolve(chances, part)
            expected += cell["n"] * a / (a + b)
        reporters = int(own["y"].sum())
        rows[name] = {
            "interviews": int(own["n"].sum()),
            "units": len(own),
            "reporters": reporters,
            "expected": expected,
            "p": float(min(chances[: reporters + 1].sum(), 1.0)),
            "p_zero": float(chances[0]),
            "only_zeros": reporters == 0,
        }
    table = pd.DataFrame(rows).T.rename_axis("enumerator")
    table = table.astype({"interviews": int, "units": int, "reporters": int, "only_zeros": bool})
    table[["expected", "p", "p_zero"]] = table[["expected", "p", "p_zero"]].astype(float)
    table = table.sort_values("p", kind="stable")
    table["p_adjusted"] = holm(table["p"].to_numpy())
    table["named"] = table["p_adjusted"] < level
    table["could_be_named"] = table.pop("p_zero") < level / len(table)
    return table


def holm(p: np.ndarray) -> np.ndarray:
    """Adjust chances in rising order for their number (Holm 1979)."""
    m = len(p)
    return np.minimum(np.maximum.accumulate(p * (m - np.arange(m))), 1.0)


def beta_binomial(n: int, a: float, b: float) -> np.ndarray:
    """Chances of 0 to n reporters among n."""
    k = np.arange(n + 1)
    log = (
        special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
        + special.betaln(k + a, n - k + b) - special.betaln(a, b)
    )  # fmt: skip
    return np.exp(log)


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
        rows[name] = {"interviews": n, "mean": float(weight @ own["mean"]), "v": variance}
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
