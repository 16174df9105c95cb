"""How far people who live together answer alike: dispersion and between-PSU variance of rates.

With one PSU per area the variation between an area's PSUs cannot be told from that between
areas. Areas with several PSUs (replicate interviews) show it, but a rare group is hardly
reported there; so a hidden group borrows it from the known groups, under an explicit prior.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from smallarea.nsum.classical.known_groups import leave_one_out
from smallarea.nsum.classical.scale_up import ScaleUp
from smallarea.nsum.direct.sums import sums
from smallarea.survey.ard import ARD


@dataclass(frozen=True)
class ClusterPrior:
    """Belief about the relative variance of a group's rate between the PSUs of one area.

    Scaled inverse chi-squared: `variance` (0.1 is a standard deviation of about 30 %) worth
    `df` degrees of freedom. What known groups show counts for `most_borrowed` degrees of
    freedom at most: a hidden group need not cluster as they do.
    """

    variance: float = 0.1
    df: float = 4.0
    most_borrowed: float = 10.0


def dispersion(reports: pd.DataFrame, exposure: pd.DataFrame, unit: pd.Series) -> pd.Series:
    """Variance of respondents' reports over a Poisson's, within units, per group; at least 1.

    Moment estimator: squared residuals from the unit's own ratio of sums, over their
    expectation sum_u Y_u (1 - sum_i d_i^2 / D_u^2) at dispersion 1.

    Parameters
    ----------
    reports, exposure : respondent_id x group, NaN where not used. unit : PSU (or area).
    """
    y, d = reports.fillna(0.0), exposure.fillna(0.0)
    total_y, total_d = sums(y, unit), sums(d, unit)
    rate = total_y / total_d.where(total_d > 0)
    squares = [sums(a, unit) for a in (y * y, y * d, d * d)]
    residual = squares[0] - 2 * rate * squares[1] + rate**2 * squares[2]
    expected = total_y * (1 - squares[2] / (total_d**2).where(total_d > 0))
    return (residual.sum() / expected.sum().where(expected.sum() > 0)).fillna(1.0).clip(lower=1.0)


def variation(
    reports: pd.DataFrame, exposure: pd.DataFrame, phi: pd.Series, within: pd.Series | None = None
) -> pd.DataFrame:
    """Relative variance of rates between units, beyond respondents' own dispersion.

    Analysis of variance with unequal sizes: sum_u D_u (r_u - r)^2 has expectation
    phi r (m - 1) + r^2 s^2 (D - sum_u D_u^2 / D); solved for s^2 and pooled over the blocks.

    Parameters
    ----------
    reports, exposure : unit x group totals. phi : dispersion per group. within : block of each
        unit (the area of a PSU); None compares all units with each other.

    Returns
    -------
    DataFrame by group: `variance` (can be negative), `df` (units less blocks) and `noise`, the
    relative variance phi / (r D) that a unit's report count has at the mean exposure.
    """
    block = pd.Series(0, reports.index) if within is None else within.reindex(reports.index)
    several = block.map(block.value_counts()) > 1
    y, d, block = reports[several], exposure[several], block[several]
    n = sums(d > 0, block)
    block_y, block_d = sums(y, block), sums(d, block)
    squares = sums(y**2 / d.where(d > 0), block) - block_y**2 / block_d.where(block_d > 0)
    rate = block_y / block_d.where(block_d > 0)
    excess = (squares - phi * rate * (n - 1)).sum()
    spread = block_d - sums(d**2, block) / block_d.where(block_d > 0)
    square_of_rate = (rate**2 - phi * rate / block_d.where(block_d > 0)).clip(lower=0.0)
    scale = (square_of_rate * spread).sum()
    seen = block_y.sum() / (d > 0).sum()
    return pd.DataFrame(
        {
            "variance": excess / scale.where(scale > 0),
            "df": (n - 1).clip(lower=0).sum().astype(float),
            "noise": phi / seen.where(seen > 0),
        }
    )


@dataclass(frozen=True)
class Clustering:
    """Variance components of hidden groups' rates.

    table : per hidden group `phi` (dispersion within PSUs), `between` (relative variance
    between an area's PSUs: posterior mean), `between_low`, `between_high` (10 % and 90 %),
    `df` (weight of the evidence, prior included) and `areas` (relative variance between areas).
    known : the known groups that lent their variation, as returned by `variation`.
    """

    table: pd.DataFrame
    known: pd.DataFrame


def clustering(
    ard: ARD, result: ScaleUp, area: pd.Series, prior: ClusterPrior | None = None
) -> Clustering:
    """Estimate dispersion and between-PSU variance of hidden groups, borrowing from known ones.

    The posterior mean weights the prior, the adult known groups' pooled estimate (each from its
    leave-one-out degrees, so the noise of the degrees is in it) and the group's own, each by
    its degrees of freedom at the prior's variance s: 2 s^2 over the variance
    2 (s + noise)^2 / df of a moment estimate. Ages of children say nothing about how a hidden
    group clusters and lend nothing.

    Parameters
    ----------
    result : hidden groups' reports and exposures. area : area_id by respondent.
    """
    prior = prior or ClusterPrior()
    psu = area if ard.design["psu"].isna().all() else area + "/" + ard.design["psu"]
    area_of_psu = area.groupby(psu).first()
    known = _known_variation(ard, psu, area_of_psu)
    information = _information(known, prior)
    pooled = float(np.average(known["variance"], weights=information)) if len(known) else 0.0
    borrowed = min(float(information.sum()), prior.most_borrowed)

    phi = dispersion(result.reports, result.exposure, psu)
    y, d = (sums(t, psu) for t in (result.reports, result.exposure))
    own = variation(y, d, phi, area_of_psu)
    weight = _information(own, prior)
    df = prior.df + borrowed + weight
    between = (
        prior.df * prior.variance + borrowed * pooled + weight * own["variance"].fillna(0.0)
    ) / df
    between = between.clip(lower=prior.variance / 10)
    y, d = (sums(t, area) for t in (result.reports, result.exposure))
    areas = variation(y, d, phi)["variance"].fillna(0.0)
    table = pd.DataFrame(
        {
            "phi": phi,
            "between": between,
            "between_low": between * df / special.chdtri(df, 0.1),
            "between_high": between * df / special.chdtri(df, 0.9),
            "df": df,
            "areas": (areas - between).clip(lower=0.0),
        }
    )
    return Clustering(table.rename_axis("component"), known)


def _known_variation(ard: ARD, psu: pd.Series, area_of_psu: pd.Series) -> pd.DataFrame:
    if len(ard.known("adult")) < 2:
        return pd.DataFrame(columns=["variance", "df", "noise"], dtype=float)
    known = leave_one_out(ard, "adult")
    phi = dispersion(known.reports, known.exposure, psu)
    y, d = (sums(t, psu) for t in (known.reports, known.exposure))
    return variation(y, d, phi, area_of_psu).dropna()


def _information(table: pd.DataFrame, prior: ClusterPrior) -> pd.Series:
    """Degrees of freedom that a moment estimate is worth; 0 where nothing was seen."""
    signal = prior.variance / (prior.variance + table["noise"])
    return (table["df"] * signal**2).where(table["variance"].notna(), 0.0).fillna(0.0)
