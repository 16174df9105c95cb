"""What the known groups say about the method: back-estimates, trimming, recall, overlap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from smallarea.errors import InputError
from smallarea.nsum.classical.scale_up import ScaleUp, degrees, killworth
from smallarea.survey.ard import ARD


def leave_one_out(ard: ARD, network: str = "adult") -> ScaleUp:
    """Estimate each known group as if hidden, its own answers left out of the degrees.

    Returns
    -------
    ScaleUp of the network's known groups: d_ik = N sum_{j != k} y_ij / sum_{j != k} N_j over
    the answered groups.

    Raises
    ------
    InputError : fewer than two known groups in the network.
    """
    known = ard.known(network)
    if len(known) < 2:
        raise InputError(
            f"{len(known)} known group in the {network} network, two are needed to leave one out",
            where="groups",
            remedy="give the sizes of more groups",
        )
    y, size = ard.counts[known], ard.groups.loc[known, "size"]
    asked = y.notna() * size
    others = pd.DataFrame(-asked.to_numpy(), y.index, known).add(asked.sum(axis=1), axis=0)
    d = (
        ard.population(network)
        * (-y.fillna(0.0)).add(y.sum(axis=1), axis=0)
        / others.where(others > 0)
    )
    used = y.notna() & d.notna()
    return ScaleUp(y.where(used), d.where(used), ard.groups.loc[known, "population"], ard.design)


def back_estimates(ard: ARD, network: str = "adult") -> pd.DataFrame:
    """Compare leave-one-out estimates with the sizes on record.

    Where the degree was asked (`make_ard`), known groups are estimated from it.

    Returns
    -------
    DataFrame by known group: size, estimate, se (linearised), ratio = estimate / size.
    """
    result = _from_asked(ard, network) if checkable(ard, network) == "asked" else None
    result = result or leave_one_out(ard, network)
    table = pd.DataFrame(
        {
            "size": ard.groups.loc[result.scale.index, "size"],
            "estimate": result.estimate,
            "se": result.standard_error(),
        }
    )
    return table.assign(ratio=table["estimate"] / table["size"])


def checkable(ard: ARD, network: str) -> str | None:
    """Return by what known groups can be checked: each `other`, an `asked` degree, or nothing."""
    known = ard.known(network)
    if len(known) >= 2:
        return "other"
    if len(known) == 1 and ard.groups.loc[known[0], "size"] == ard.population(network):
        return "asked" if ard.known("both") else None
    return None


def _from_asked(ard: ARD, network: str) -> ScaleUp:
    """Estimate known groups from the degree that was asked, as if hidden."""
    (asked,) = ard.known(network)
    y = ard.counts[ard.known("both")]
    d = pd.DataFrame(dict.fromkeys(y.columns, ard.counts[asked]))
    used = y.notna() & (d > 0)
    people = pd.Series(ard.population(network), index=y.columns)
    return ScaleUp(y.where(used), d.where(used), people, ard.design)


@dataclass(frozen=True)
class Trimming:
    """Known groups removed one by one until every back-estimate is near its truth.

    path : index step (0 = nothing removed); `groups` left, `removed` at this step and its
    `ratio`, mean relative `error` of those left, then the estimate of every hidden group.
    ard : the survey without the removed groups. converged : all ratios ended within the band.
    """

    path: pd.DataFrame
    removed: tuple[str, ...]
    ard: ARD
    converged: bool


def trim(ard: ARD, network: str = "adult", *, band: float = 2.0, minimum: int = 3) -> Trimming:
    """Trim known groups by recursive back-estimation (Habecker, Dombrowski & Khan 2015).

    At each step every known group is estimated from the others; the one furthest from its size,
    as a ratio either way, is removed, and all are estimated anew: one bad group distorts the
    back-estimates of the rest.

    Parameters
    ----------
    band : stop when every estimate is between size / band and size * band.
    minimum : stop with this many known groups left, whatever their ratios.
    """
    hidden = ard.hidden(network)
    removed: list[str] = []
    rows = []
    last: tuple[str | None, float] = (None, np.nan)
    while True:
        ratio = back_estimates(ard, network)["ratio"]
        now = killworth(ard, degree="known", groups=hidden).estimate if hidden else pd.Series()
        rows.append(
            {"groups": len(ratio), "removed": last[0], "ratio": last[1]}
            | {"error": (ratio - 1).abs().mean()}
            | now.to_dict()
        )
        distance = ratio.map(lambda r: np.inf if r == 0 else abs(np.log(r)))
        worst = str(distance.idxmax())
        converged = bool(distance[worst] <= np.log(band))
        if converged or len(ratio) <= minimum:
            path = pd.DataFrame(rows).rename_axis("step")
            return Trimming(path, tuple(removed), ard, converged)
        last = (worst, float(ratio[worst]))
        removed.append(worst)
        ard = ard.only([g for g in ard.groups.index if g != worst])


@dataclass(frozen=True)
class Recall:
    """Log-linear recall: log(back-estimate) = intercept + slope log(size) + error.

    A slope below 1 says that large groups are under-recalled and small ones over-recalled
    (Killworth et al. 2003; McCormick, Salganik & Zheng 2010). scatter : residual sd of the log,
    degrees of freedom n - 2. log_mean, log_spread : mean and sum of squares of log(size).
    smallest, largest : sizes of the known groups, beyond which the line is extrapolated.
    """

    intercept: float
    slope: float
    slope_se: float
    scatter: float
    n: int
    log_mean: float
    log_spread: float
    smallest: float
    largest: float

    def sizes(self, estimates: pd.Series, level: float = 0.95) -> pd.DataFrame:
        """Read sizes off the line, as if hidden groups were recalled as known ones are.

        Returns
        -------
        DataFrame by group: estimate, size, low, high (the scatter of the known groups about
        the line; sampling error of the estimate not included), extrapolated (bool).
        """
        x = (np.log(estimates.where(estimates > 0)) - self.intercept) / self.slope
        spread = 1 + 1 / self.n + (x - self.log_mean) ** 2 / self.log_spread
        half = (
            special.stdtrit(self.n - 2, (1 + level) / 2) * self.scatter * spread**0.5 / self.slope
        )
        size = np.exp(x)
        return pd.DataFrame(
            {
                "estimate": estimates,
                "size": size,
                "low": np.exp(x - half),
                "high": np.exp(x + half),
                "extrapolated": ~size.between(self.smallest, self.largest),
            }
        )


def recall(table: pd.DataFrame) -> Recall:
    """Fit the recall line to back-estimates by least squares; groups never reported are left out.

    Raises
    ------
    InputError : fewer than three groups, or a line that does not rise: then sizes cannot be
        read off it.
    """
    used = table[table["estimate"] > 0]
    if len(used) < 3:
        raise InputError(
            f"{len(used)} known groups were reported, three are needed for a line",
            where="recall adjustment",
            remedy="give the sizes of more groups",
        )
    x, y = np.log(used["size"]), np.log(used["estimate"])
    spread = float(((x - x.mean()) ** 2).sum())
    slope = float(((x - x.mean()) * y).sum()) / spread if spread > 0 else 0.0
    if not slope > 0:
        raise InputError(
            f"back-estimates do not grow with size (slope {slope:.2f})",
            where="recall adjustment",
            remedy="check the known groups' sizes; without a rising line no adjustment exists",
        )
    intercept = float(y.mean() - slope * x.mean())
    scatter = float(np.sqrt(((y - intercept - slope * x) ** 2).sum() / (len(x) - 2)))
    return Recall(
        intercept=intercept,
        slope=slope,
        slope_se=scatter / spread**0.5,
        scatter=scatter,
        n=len(x),
        log_mean=float(x.mean()),
        log_spread=spread,
        smallest=float(used["size"].min()),
        largest=float(used["size"].max()),
    )


def overlap(ard: ARD, network: str = "adult") -> pd.DataFrame:
    """Correlate respondents' answers to pairs of known groups, beyond what degrees explain.

    People who are in two groups, and groups that live in the same circles, make answers move
    together: the groups then count for fewer than they are, and a summation degree counts
    people twice.

    Returns
    -------
    DataFrame by pair, largest excess first: group, other, `correlation` of Pearson residuals
    (y - d q) / sqrt(d q) over respondents who know anyone; `expected`, what it would be had each
    acquaintance been in one group at random, negative because the residuals of a respondent
    sum to zero: -sqrt(p_j p_k / ((1 - p_j)(1 - p_k))), p the groups' shares of all known sizes;
    `excess` over it and `z`, the excess in standard errors (Fisher's transformation).
    """
    known = ard.known(network)
    size = ard.groups.loc[known, "size"]
    d = degrees(ard, network, "known")
    expected = pd.DataFrame(np.outer(d, size / ard.population(network)), d.index, known)
    residual = ((ard.counts[known] - expected) / expected.where(expected > 0) ** 0.5).dropna()
    first, second = np.triu_indices(len(known), k=1)
    odds = (size / size.sum()).to_numpy()
    odds = np.sqrt(odds / (1 - odds))
    found = residual.corr().to_numpy()[first, second].clip(-0.999999, 0.999999)
    random = (-odds[first] * odds[second]).clip(-0.999999, 0.999999)
    table = pd.DataFrame(
        {
            "group": np.array(known)[first],
            "other": np.array(known)[second],
            "correlation": found,
            "expected": random,
            "excess": found - random,
            "z": (np.arctanh(found) - np.arctanh(random)) * np.sqrt(max(len(residual) - 3, 1)),
        }
    )
    return table.sort_values("excess", ascending=False, ignore_index=True)


def coverage(ard: ARD) -> pd.Series:
    """Sizes of a network's known groups over its population, by network: 1 when exhaustive."""
    known = ard.groups[ard.groups["kind"] == "known"]
    return known.groupby("network")["size"].sum() / known.groupby("network")["population"].first()


def side_by_side(ard: ARD, network: str = "adult", *, band: float = 2.0) -> pd.DataFrame:
    """Every classical figure for each hidden group beside the others.

    Returns
    -------
    DataFrame by hidden group: `untrimmed` (all known groups), `leave_one_out_low` and `_high`
    (the range when any one known group is left out), `trimmed`, `mean_of_ratios`, `pimle`,
    `summation` (NaN unless the known groups add up to 90-110 % of the population) and
    `recall_adjusted` (NaN where no recall line exists or it would be extrapolated).
    """
    hidden = ard.hidden(network)
    keep = ard.known(network)
    left_out = pd.DataFrame(
        {
            out: killworth(
                ard.only([g for g in ard.groups.index if g != out]), degree="known", groups=hidden
            ).estimate
            for out in keep
        }
    )
    untrimmed = killworth(ard, degree="known", groups=hidden).estimate
    exhaustive = 0.9 <= coverage(ard)[network] <= 1.1
    try:
        read = recall(back_estimates(ard, network)).sizes(untrimmed)
        adjusted = read["size"].where(~read["extrapolated"])
    except InputError:
        adjusted = untrimmed * np.nan
    trimmed = trim(ard, network, band=band).ard

    def estimate(method: str, degree: str) -> pd.Series:
        return killworth(ard, method=method, degree=degree, groups=hidden).estimate

    return pd.DataFrame(
        {
            "untrimmed": untrimmed,
            "leave_one_out_low": left_out.min(axis=1),
            "leave_one_out_high": left_out.max(axis=1),
            "trimmed": killworth(trimmed, degree="known", groups=hidden).estimate,
            "mean_of_ratios": estimate("mle", "mean_of_ratios"),
            "pimle": estimate("pimle", "known"),
            "summation": estimate("mle", "summation") if exhaustive else untrimmed * np.nan,
            "recall_adjusted": adjusted,
        }
    )
