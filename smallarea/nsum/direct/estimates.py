"""Direct estimates: what each area's own respondents say, with smoothed sampling variances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.files import writing
from smallarea.nsum.classical.scale_up import killworth
from smallarea.nsum.direct.clustering import ClusterPrior, clustering
from smallarea.nsum.direct.sums import sums
from smallarea.survey.ard import ARD
from smallarea.survey.validation import listed

if TYPE_CHECKING:
    from smallarea.areas import Frame


@dataclass(frozen=True)
class Units:
    """The respondents behind direct estimates.

    reports, exposure : respondent_id x component, NaN where not used (as `ScaleUp` has them).
    area_id, psu : of each respondent.
    """

    reports: pd.DataFrame
    exposure: pd.DataFrame
    area_id: pd.Series
    psu: pd.Series

    def within(self, area_ids: pd.Index) -> Units:
        """Return the respondents of some of the areas."""
        here = self.area_id.isin(area_ids)
        return Units(self.reports[here], self.exposure[here], self.area_id[here], self.psu[here])


@dataclass(frozen=True)
class Direct:
    """Direct estimates; every frame is area_id x component, surveyed areas only.

    reports : people reported. exposure : people known, the sum of the respondents' degrees in
    the component's network. variance : smoothed sampling variance of `rate`; NaN where an area
    has no exposure. deff : per component, sampling variance over that of a Poisson count.
    raw : variance from the area's own respondents alone, NaN with fewer than two of them and
    blind to variation between PSUs: shown beside the smoothed one, not to be used.
    components : per component, `rate` (national) and the variance components of
    `clustering.Clustering`, with `deff_low` and `deff_high` at 10 % and 90 % of the variance
    between an area's PSUs.
    """

    reports: pd.DataFrame
    exposure: pd.DataFrame
    variance: pd.DataFrame
    deff: pd.Series
    raw: pd.DataFrame | None = None
    components: pd.DataFrame | None = None
    covariance: pd.DataFrame | None = None
    units: Units | None = None

    @property
    def rate(self) -> pd.DataFrame:
        """Reports per person known (the reported prevalence), area_id x component."""
        return self.reports / self.exposure.where(self.exposure > 0)


def direct_estimates(
    ard: ARD,
    frame: Frame | None = None,
    *,
    degree: Mapping[str, pd.Series] | None = None,
    degree_cv: Mapping[str, pd.Series] | None = None,
    between: float | None = None,
    prior: ClusterPrior | None = None,
) -> Direct:
    """Estimate each surveyed area's reported rate from its own respondents.

    Reports and degrees are summed over the respondents of an area who gave both, replicate
    interviews included: within an area the design gives every household nearly the same chance,
    and whole counts are what count models need, so weights are not used here.

    The variance is that of a generalised variance function with one rate for all areas,

        V_a = phi r / D_a + r^2 (1 + s_areas^2) s_between^2 sum_j (D_aj / D_a)^2,

    r the survey's ratio of sums, D_aj the exposure of the area's PSU j. An area without reports
    has a positive variance. The area's own rate must not enter, not even shrunk: a low count
    would give a small variance, hence a large weight, and pull a Fay-Herriot mean 25-35 % down.

    Parameters
    ----------
    ard : answers with `area_id` in the design.
    frame : the areas; with it, codes of any vintage are matched and unknown ones refused.
    degree : degrees by network in place of the usual ones (scaled up from the known groups for
        adults, summed for children), e.g. from roster shares.
    degree_cv : by network, coefficient of variation of the error that all degrees of an area share
        (known sizes that are estimates themselves), by area_id; its square times r^2 is added.
    between : s_between^2 for all components, in place of the estimate: to see what it does.
    prior : belief about it, see `clustering`.

    Raises
    ------
    InputError : respondents without an area, or areas that are not in the frame.
    """
    area = _areas(ard, frame)
    result = killworth(ard, degree=degree)
    parts = clustering(ard, result, area, prior).table
    if between is not None:
        parts[["between", "between_low", "between_high"]] = between
    y, d = sums(result.reports, area), sums(result.exposure, area)
    psu = (area if ard.design["psu"].isna().all() else ard.design["psu"]).rename("psu")
    by_psu = result.exposure.groupby([area, psu]).sum()
    known = d.where(d > 0)
    concentration = (by_psu**2).groupby("area_id").sum() / known**2  # 1 / number of equal PSUs

    rate = y.sum() / d.sum()
    poisson = rate / known
    degree_error = pd.DataFrame(0.0, y.index, y.columns)
    for network, cv in (degree_cv or {}).items():
        members = [k for k in y.columns if ard.groups.loc[k, "network"] == network]
        degree_error[members] = np.tile(cv.reindex(y.index).to_numpy()[:, None], len(members))

    def variance(between_psus: pd.Series) -> pd.DataFrame:
        relative = (1 + parts["areas"]) * between_psus
        of_degrees = degree_error**2 * rate**2
        return parts["phi"] * poisson + rate**2 * relative * concentration + of_degrees

    def deff(between_psus: pd.Series) -> pd.Series:
        return (variance(between_psus) * d**2).sum() / (poisson * d**2).sum().where(rate > 0)

    smooth = variance(parts["between"])
    components = parts.assign(
        deff_low=deff(parts["between_low"]), deff_high=deff(parts["between_high"])
    )
    components.insert(0, "rate", rate)
    return Direct(
        reports=y,
        exposure=d,
        variance=smooth,
        deff=deff(parts["between"]).fillna(1.0).rename("deff").rename_axis("component"),
        raw=_raw_variance(result.reports, result.exposure, area),
        components=components,
        covariance=_covariance(result.reports, result.exposure, area)
        + _psu_covariance(rate, parts["between"], concentration),
        units=Units(result.reports, result.exposure, area, psu),
    )


def save_direct(direct: Direct, folder: Path) -> None:
    """Write direct.parquet (one block of rows per table) and direct_components.parquet.

    Respondents (`units`) stay out: the survey's own file is where they are kept.
    """
    tables = {"reports": direct.reports, "exposure": direct.exposure, "variance": direct.variance}
    if direct.raw is not None:
        tables["raw"] = direct.raw
    components = pd.DataFrame({"deff": direct.deff})
    if direct.components is not None:
        components = components.join(direct.components)
    with writing(folder / "direct.parquet") as temporary:
        pd.concat(tables, names=["table", "area_id"]).to_parquet(temporary)
    with writing(folder / "direct_components.parquet") as temporary:
        components.rename_axis("component").to_parquet(temporary)


def load_direct(folder: Path) -> Direct:
    """Read what `save_direct` wrote."""
    tables = pd.read_parquet(folder / "direct.parquet")
    components = pd.read_parquet(folder / "direct_components.parquet")
    deff = components.pop("deff")
    return Direct(
        **{str(name): tables.loc[name] for name in tables.index.unique("table")},
        deff=deff,
        components=components if len(components.columns) else None,
    )


def _raw_variance(reports: pd.DataFrame, exposure: pd.DataFrame, area: pd.Series) -> pd.DataFrame:
    total = sums(exposure, area)
    rate = sums(reports, area) / total.where(total > 0)
    squares = [sums(t, area) for t in (reports**2, reports * exposure, exposure**2)]
    n = sums(reports.notna(), area)
    residual = squares[0] - 2 * rate * squares[1] + rate**2 * squares[2]
    return residual * n / (n - 1).where(n > 1) / total**2


def _covariance(reports: pd.DataFrame, exposure: pd.DataFrame, area: pd.Series) -> pd.DataFrame:
    """Sampling covariance of two components' rates between the respondents of an area."""
    total = sums(exposure, area)
    rate = (sums(reports, area) / total.where(total > 0)).reindex(area).to_numpy()
    error = (reports - rate * exposure).fillna(0.0)
    n = reports.groupby(area).size()
    names = reports.columns
    parts = {}
    for k in names:
        summed = sums(error.mul(error[k], axis=0), area)
        scaled = summed.div(total[k].where(total[k] > 0), axis=0) / total.where(total > 0)
        parts[k] = scaled.mul(n / (n - 1).where(n > 1), axis=0).fillna(0.0)
    table = pd.concat(parts, names=["component"]).swaplevel()
    order = pd.MultiIndex.from_product([total.index, names], names=["area_id", "component"])
    return table.reindex(order)


def _psu_covariance(
    rate: pd.Series, between: pd.Series, concentration: pd.DataFrame
) -> pd.DataFrame:
    """Covariance that an area's PSUs bring if all components of a PSU move together."""
    spread = (rate * between**0.5).loc[concentration.columns]
    shared = concentration.mean(axis=1).fillna(0.0).to_numpy()
    values = shared[:, None, None] * np.multiply.outer(spread.to_numpy(), spread.to_numpy())
    order = pd.MultiIndex.from_product([concentration.index, concentration.columns])
    order.names = ["area_id", "component"]
    return pd.DataFrame(values.reshape(len(order), -1), order, concentration.columns)


def _areas(ard: ARD, frame: Frame | None) -> pd.Series:
    area = ard.design["area_id"]
    if area.isna().any():
        raise InputError(
            "the survey does not say in which area its respondents live",
            where="survey",
            remedy="name the column of area codes",
        )
    if frame is None:
        return area.rename("area_id")
    where = "survey, column 'area_id'"
    matched = frame.match(area, where=where)
    if matched.isna().any():
        unknown = area[matched.isna().to_numpy()].unique()
        raise InputError(
            f"{len(unknown)} areas are not in the frame: {listed(list(unknown))}",
            where=where,
            remedy="correct the codes, or use the frame the survey was drawn from",
        )
    return pd.Series(matched.to_numpy(object), index=area.index, name="area_id")
