"""Network scale-up in closed form: personal degrees, and hidden sizes as ratios of totals.

Every classical estimator is a ratio of two weighted survey totals times a constant, so one
object, `ScaleUp`, carries them all with their design-based variance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.nsum.classical.variance import bootstrap_totals, clusters, total_covariance
from smallarea.survey.ard import ARD

DEGREES = ("known", "summation", "mean_of_ratios")


def degrees(ard: ARD, network: str = "adult", method: str | None = None) -> pd.Series:
    """Estimate how many people of a network's reference population each respondent knows.

    Parameters
    ----------
    network : adult or child; only known groups of this network are used.
    method : `known` scales the answers up to the population, d = N sum_k y_k / sum_k N_k over
        the groups a respondent answered (maximum likelihood, Killworth et al. 1998);
        `mean_of_ratios` averages N y_k / N_k over them, each group counting alike (Habecker et
        al. 2015); `summation` adds up the answers to exhaustive, exclusive groups,
        d = sum_k y_k (McCarty et al. 2001). None is `summation` for children and `known` for
        adults.

    Returns
    -------
    Series by respondent_id, people; NaN where nothing (for summation: not everything) was
    answered.
    """
    method = method or usual_degree(network)
    if method not in DEGREES:
        raise InputError(
            f"'{method}' is no way to a degree", where="degree", remedy=f"use {', '.join(DEGREES)}"
        )
    known = ard.known(network)
    if not known or network == "both":
        raise InputError(
            f"no known group in the {network} network, so no {network} degrees",
            where="groups",
            remedy="give the size of at least one group counted among adult or child acquaintances",
        )
    answers, size = ard.counts[known], ard.groups.loc[known, "size"]
    if method == "summation":
        return answers.sum(axis=1, skipna=False)
    if method == "mean_of_ratios":
        return ard.population(network) * (answers / size).mean(axis=1)
    asked = answers.notna().astype(float) @ size
    return ard.population(network) * answers.sum(axis=1) / asked.where(asked > 0)


@dataclass(frozen=True)
class ScaleUp:
    """Sizes of groups as ratios: scale x sum_i w_i reports_i / sum_i w_i exposure_i.

    reports, exposure : respondent_id x group; NaN in both where a respondent is not used.
    scale : per group, e.g. the reference population. scale_cv : its relative standard error
    where it was estimated elsewhere. design : weights, strata and PSUs of the respondents.
    notes : what the user should know of how the numbers came about.
    """

    reports: pd.DataFrame
    exposure: pd.DataFrame
    scale: pd.Series
    design: pd.DataFrame
    scale_cv: float = 0.0
    notes: tuple[str, ...] = ()

    @property
    def estimate(self) -> pd.Series:
        """Estimated number of people in each group."""
        reports, exposure = self._totals()
        return self.scale * reports / exposure

    def bootstrap(self, *, replicates: int = 1000, seed: int = 0) -> pd.DataFrame:
        """Replicates of the estimate by the rescaled bootstrap, replicate x group.

        A replicate without exposure is NaN. An estimated scale is drawn log-normally, one draw
        for all groups of a replicate.
        """
        values = np.hstack([self.reports.fillna(0.0), self.exposure.fillna(0.0)])
        totals = bootstrap_totals(values, self.design, replicates=replicates, seed=seed)
        reports, exposure = np.hsplit(totals, 2)
        ratio = np.divide(
            reports, exposure, out=np.full_like(reports, np.nan), where=exposure > 0
        ) * self.scale.to_numpy(float)
        if self.scale_cv:
            sigma = np.sqrt(np.log1p(self.scale_cv**2))
            rng = np.random.default_rng([seed, 1])
            ratio *= rng.lognormal(-(sigma**2) / 2, sigma, size=(replicates, 1))
        return pd.DataFrame(ratio, columns=self.reports.columns)

    def standard_error(self) -> pd.Series:
        """Standard error by linearisation (Taylor) of the ratio over strata and PSUs."""
        _, exposure = self._totals()
        ratio = self.estimate / self.scale
        residual = (self.reports - self.exposure * ratio).fillna(0.0).to_numpy()
        variance = pd.Series(np.diag(total_covariance(residual, self.design)), ratio.index)
        sampling = self.scale**2 * variance / exposure**2
        return (sampling + (self.estimate * self.scale_cv) ** 2) ** 0.5

    def binomial_error(self) -> pd.Series:
        """Standard error as if every acquaintance were an independent draw (Killworth 1998).

        Weights are taken as averaging 1. It ignores clustering and overdispersion: shown to be
        compared with, not to be published.
        """
        _, exposure = self._totals()
        exposure = exposure / self.design["weight"].mean()
        share = self.estimate / self.scale
        return self.scale * np.sqrt(share * (1 - share).clip(lower=0) / exposure)

    def upper_bound(self, level: float = 0.975) -> pd.Series:
        """One-sided upper bound for groups that nobody reported; NaN for the others.

        The rule of three at any level, -log(1 - level) reports where none was seen, times a
        design effect: the largest among the groups that were reported and at least 1; if none
        was, the mean number of respondents per PSU times Kish's effect of the weights, as if
        all answers of a PSU were one.
        """
        reports, exposure = self._totals()
        none = reports == 0
        weight = self.design["weight"].to_numpy(float)
        effect = (self.standard_error() / self.binomial_error())[~none].pow(2).max()
        if none.all():
            kish = len(weight) * (weight**2).sum() / weight.sum() ** 2
            effect = kish * len(weight) / len(clusters(self.design).stratum)
        bound = -np.log(1 - level) * max(float(effect), 1.0) / (exposure / weight.mean())
        return (self.scale * bound).clip(upper=self.scale).where(none)

    def summary(self, *, replicates: int = 1000, seed: int = 0) -> pd.DataFrame:
        """Estimate with bootstrap sd and quantiles: group x mean, sd, q025, median, q975.

        `mean` is the estimate itself. For a group nobody reported it is 0, sd is NaN and q975
        the bound of `upper_bound`.
        """
        draws = self.bootstrap(replicates=replicates, seed=seed)
        table = draws.quantile([0.025, 0.5, 0.975]).T.set_axis(["q025", "median", "q975"], axis=1)
        table.insert(0, "mean", self.estimate)
        table.insert(1, "sd", draws.std())
        none = table["mean"] == 0
        if none.any():
            table.loc[none, "sd"] = np.nan
            table.loc[none, "q975"] = self.upper_bound()[none]
        return table

    def _totals(self) -> tuple[pd.Series, pd.Series]:
        weight = self.design["weight"].to_numpy(float)
        return self.reports.mul(weight, axis=0).sum(), self.exposure.mul(weight, axis=0).sum()


def killworth(
    ard: ARD,
    *,
    method: str = "mle",
    degree: str | Mapping[str, pd.Series] | None = None,
    groups: list[str] | None = None,
) -> ScaleUp:
    """Basic scale-up of hidden groups from respondents' degrees, survey-weighted.

    Parameters
    ----------
    method : `mle`, N sum w y / sum w d (Killworth et al. 1998); `pimle`, N times the weighted
        mean of y / d over respondents with d > 0: biased up where degrees are small, shown to
        be compared with.
    degree : as in `degrees`, for all groups; None chooses by network. Degrees estimated
        elsewhere are given per network as Series by respondent_id.
    groups : hidden groups, all by default.

    Returns
    -------
    ScaleUp of the groups; respondents who left a group or every known group unanswered are not
    used for it, and neither are those whose summation degree is zero (counted in `notes`).

    Raises
    ------
    InputError : no hidden group, a hidden group outside the adult and child networks, a group
        nobody answered, or degrees that are all zero.
    """
    if method not in ("mle", "pimle"):
        raise InputError(f"'{method}' is no scale-up", where="method", remedy="use mle or pimle")
    groups = ard.hidden() if groups is None else groups
    if not groups:
        raise InputError(
            "no hidden group, so there is nothing to estimate",
            where="groups",
            remedy="mark the groups of unknown size as hidden",
        )
    reports, exposure, notes = {}, {}, list(ard.notes)
    for network in ard.groups.loc[groups, "network"].unique():
        given = degree.get(network) if isinstance(degree, Mapping) else None
        how = degree if isinstance(degree, str) else usual_degree(network)
        d = degrees(ard, network, how) if given is None else given.reindex(ard.counts.index)
        if not (d * ard.weights).sum() > 0:
            raise InputError(
                f"nobody knows anyone in the known groups of the {network} network",
                where="survey",
                remedy="check that the known groups' columns hold the answers",
            )
        if given is None and how == "summation":
            notes += _summation_notes(ard, network, d)
            d = d.where(d > 0)
        for group in ard.groups.loc[groups].query("network == @network").index:
            y = ard.counts[group]
            used = y.notna() & d.notna() & ((d > 0) | (method == "mle"))
            reports[group] = (y if method == "mle" else y / d).where(used)
            exposure[group] = (d if method == "mle" else d.where(d.isna(), 1.0)).where(used)
    silent = [g for g in groups if not exposure[g].sum() > 0]
    if silent:
        raise InputError(
            f"nobody who knows anyone answered the question on {', '.join(silent)}",
            where="survey",
            remedy="check the column, or leave the group out",
        )
    result = ScaleUp(
        pd.DataFrame(reports)[groups],
        pd.DataFrame(exposure)[groups],
        ard.groups.loc[groups, "population"],
        ard.design,
        notes=tuple(notes),
    )
    return replace(result, notes=result.notes + _zero_notes(result))


def killworth_table(ard: ARD, *, replicates: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Hidden sizes by the basic scale-up with every error the classical school offers.

    Returns
    -------
    DataFrame by hidden group: `respondents` used, `reports`; mean, sd, q025, median, q975 of
    `ScaleUp.summary`; `linearised_se`, `binomial_se`; `pimle`. Sizes on the reported scale:
    everyone who is reported, no transmission rate applied.
    """
    result = killworth(ard)
    table = result.summary(replicates=replicates, seed=seed)
    table.insert(0, "respondents", result.reports.notna().sum())
    table.insert(1, "reports", result.reports.sum())
    return table.assign(
        linearised_se=result.standard_error(),
        binomial_se=result.binomial_error(),
        pimle=killworth(ard, method="pimle").estimate,
    ).rename_axis("group")


def usual_degree(network: str) -> str:
    """Return how degrees of a network are found: `summation` for `child`, else `known`."""
    return "summation" if network == "child" else "known"


def _summation_notes(ard: ARD, network: str, d: pd.Series) -> list[str]:
    notes = []
    zero = int((d == 0).sum())
    if zero:
        notes.append(
            f"{zero} of {len(d)} respondents know nobody in the {network} groups: a zero sum "
            "carries no exposure and is left out"
        )
    covered = ard.groups.loc[ard.known(network), "size"].sum() / ard.population(network)
    if not 0.9 <= covered <= 1.1:
        notes.append(
            f"the {network} groups add up to {covered:.0%} of their population: summation takes "
            "them as exhaustive and exclusive, so its sizes are off by about that factor"
        )
    return notes


def _zero_notes(result: ScaleUp) -> tuple[str, ...]:
    none = [g for g, y in result.estimate.items() if y == 0]
    if not none:
        return ()
    return (
        f"nobody reported anyone in {', '.join(map(str, none))}: the estimate is 0 and only its "
        "upper bound (rule of three times the design effect) says anything",
    )
