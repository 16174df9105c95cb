"""Agreement with the nation: area rates shifted, draw by draw, onto the national posterior.

The survey identifies only the *reported* rate w = tau x prevalence. tau (the reporting rate) is
a factor common to every area, so it is applied first and flat; what then still separates the
areas from the nation is closed on the logit scale, by default in proportion to each area's
posterior variance, so that areas with their own interviews move least.

Datta, Ghosh, Steorts & Maples 2011 (benchmarking by posterior loss); Zhang & Bryant 2020 and
Okonek & Wakefield 2024 (benchmarking whole posteriors).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr
from scipy.special import logit

from smallarea.errors import InputError
from smallarea.projection.bounds import MANY_BOUNDED, apply_tau
from smallarea.projection.shift import close, uncertainty

_DIMS = ("component", "area_id", "draw")


@dataclass(frozen=True)
class Agreement:
    """What agreement with the nation did.

    components : index component; `projected` and `national` (mean totals of the covered areas on
        the reported scale), `z` (see :func:`discrepancy`), `shift` (median over draws of the
        logit shift of an area of median weight), `movement_median` and `movement_max` (over
        areas, posterior SDs), `bounded_draws` and `bounded_values` (share of draws with a
        bounded prevalence or total, share of all prevalences bounded because tau was so small).
    movement : area_id x component; |mean logit shift| in posterior SDs of the area's logit rate.
    warnings : sentences for the report, where |z| > 2 or over 1 % of draws had to be bounded.
    """

    components: pd.DataFrame
    movement: pd.DataFrame
    warnings: tuple[str, ...]


def discrepancy(projected: np.ndarray, national: np.ndarray) -> float:
    """Return z = (mean projected total - mean national total) / SD of their difference.

    Both are draws, shape (draw,), taken as independent for the SD. Where both came from the same
    interviews they are positively dependent and z is descriptive, not a test: it is then too
    close to zero rather than too far from it.
    """
    gap = projected.mean() - national.mean()
    spread = float(np.hypot(projected.std(), national.std()))
    return float(gap / spread) if spread > 0 else float(np.sign(gap) * np.inf if gap else 0.0)


def agree(
    rates: xr.DataArray,
    sizes: xr.DataArray,
    totals: xr.DataArray,
    covered: pd.Series,
    *,
    weight: Literal["variance", "flat"] = "variance",
    tau: np.ndarray | xr.DataArray | None = None,
) -> tuple[xr.DataArray, Agreement]:
    """Make area rates agree with the national total in every draw.

    Per component and draw s, with N_a the reference population, find lambda_s such that
    ``sum over covered areas of N_a * expit(logit(rate_as) + lambda_s * v_a) = T_s``.

    1. National draws, all components of a draw together, are paired with projection draws by the
       rank of their height: the mean over components of the standardised log totals (on the
       reported scale). Little then has to move; the dependence of the national totals stays
       theirs and that of the areas within a component the projection's.
    2. tau, when given, divides both rates and totals (:func:`apply_tau`).
    3. The shift: v_a is the posterior variance of the area's logit reported rate, or 1 everywhere
       with ``weight="flat"``, which suits an error common to all answers of the survey.

    Areas outside the survey's frame are not part of T_s and cannot displace surveyed areas. They
    are shifted by the same lambda_s * v_a, being exchangeable with the frame's unsurveyed areas
    under the model: what the nation teaches about those holds for them too (RMSE of their logit
    rates .44 against .67 unshifted where unsurveyed areas were truly lower, .44 both ways where
    not; simulated in the tests). v_a is capped at the largest of the covered areas, so that
    nothing is moved further than was learned. The published total of the country is T_s plus
    these projected counts.

    Parameters
    ----------
    rates : reported rates, dims (component, area_id, draw), in (0, 1).
    sizes : reference populations in persons, dims (component, area_id).
    totals : national reported totals of the covered areas in persons, dims (component, draw).
    covered : bool, index area_id: whether the area belongs to what `totals` count.
    weight, tau : see above. Without tau the result stays on the reported scale.

    Returns
    -------
    rates, agreement : the sum of size x rate over covered areas equals T_s (divided by tau) to
        1e-12 of it; prevalences lie in the open interval (0, 1).

    Raises
    ------
    InputError : areas, components or draws that do not match, rates outside (0, 1), totals that
        are not between 0 and the covered population.
    """
    rates, sizes, totals, inside = _aligned(rates, sizes, totals, covered)
    population = sizes[:, inside].sum("area_id")
    sums = (rates[:, inside] * sizes[:, inside]).sum("area_id")
    z = [discrepancy(a, t) for a, t in zip(sums.values, totals.values, strict=True)]
    paired = totals.copy(data=totals.values[:, np.argsort(_height(totals.values))])
    paired = paired.copy(data=paired.values[:, _rank(_height(sums.values))])

    prevalence, goal = rates, paired
    bounded_draws = bounded_values = np.zeros(rates.shape[0])
    if tau is not None:
        prevalence, many = apply_tau(rates, tau)
        share, over = apply_tau(paired / population, tau)
        goal = share * population
        bounded_draws = (many.any("area_id") | over).mean("draw").values
        bounded_values = many.mean(("area_id", "draw")).values

    result = np.empty(rates.shape)
    movement = np.empty(rates.shape[:2])
    shift = np.empty(rates.shape[0])
    for c in range(rates.shape[0]):
        spread = logit(rates.values[c]).std(axis=1)
        v = uncertainty(spread**2, inside, weight)
        lam, result[c] = close(prevalence.values[c].T, v, sizes.values[c], goal.values[c], inside)
        shift[c] = np.median(lam) * np.median(v)
        with np.errstate(divide="ignore", invalid="ignore"):
            movement[c] = np.abs(lam.mean() * v / spread)

    names = pd.Index(rates["component"].values, name="component")
    table = pd.DataFrame(
        {
            "projected": sums.values.mean(axis=1),
            "national": totals.values.mean(axis=1),
            "z": z,
            "shift": shift,
            "movement_median": np.nanmedian(movement, axis=1),
            "movement_max": np.nanmax(movement, axis=1),
            "bounded_draws": bounded_draws,
            "bounded_values": bounded_values,
        },
        index=names,
    )
    moved = pd.DataFrame(
        movement.T, index=pd.Index(rates["area_id"].values, name="area_id"), columns=names
    )
    return rates.copy(data=result), Agreement(table, moved, _warnings(table))


def _aligned(
    rates: xr.DataArray, sizes: xr.DataArray, totals: xr.DataArray, covered: pd.Series
) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray, np.ndarray]:
    """Everything in the order of `rates`, by label; complain where labels or values are wrong."""
    rates = rates.transpose(*_DIMS)
    areas, components = rates["area_id"].values, rates["component"].values
    for name, labels in (("sizes", sizes["area_id"].values), ("covered", covered.index)):
        if len(absent := pd.Index(areas).difference(pd.Index(labels))):
            raise InputError(
                f"{len(absent)} areas of the rates are absent: {', '.join(absent[:5])}",
                where=name,
                remedy="give every area of the rates",
            )
    if totals.sizes["draw"] != rates.sizes["draw"]:
        raise InputError(
            f"{totals.sizes['draw']} national draws for {rates.sizes['draw']} area draws",
            where="totals",
            remedy="draw both equally often",
        )
    sizes = sizes.transpose("component", "area_id").sel(component=components, area_id=areas)
    totals = totals.transpose("component", "draw").sel(component=components)
    inside = covered.loc[areas].to_numpy(dtype=bool)
    bad = ~((rates > 0) & (rates < 1)).all("draw")
    if bad.any():
        where = bad.values.nonzero()
        raise InputError(
            f"{where[0].size} areas have a rate outside (0, 1), first {areas[where[1][0]]}",
            where=f"rates, component {components[where[0][0]]}",
            remedy="use a model whose draws are rates",
        )
    if not bool((sizes >= 0).all()) or not inside.any():
        raise InputError(
            "a reference population is missing or negative, or no area is covered",
            where="sizes",
            remedy="check the frame's reference populations and its column of covered areas",
        )
    population = sizes[:, inside].sum("area_id")
    for c in components[~((totals > 0) & (totals < population)).all("draw").values]:
        raise InputError(
            f"a national total of {float(totals.sel(component=c).max()):,.0f} is not between 0 "
            f"and the {float(population.sel(component=c)):,.0f} people of the covered areas",
            where=f"totals, component {c}",
            remedy="check that total and reference population count the same people",
        )
    return rates, sizes, totals, inside


def _height(totals: np.ndarray) -> np.ndarray:
    """How high each draw's totals (component, draw) are altogether, in standard deviations."""
    logs = np.log(totals)
    spread = logs.std(axis=1, keepdims=True)
    return ((logs - logs.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)).mean(
        axis=0
    )


def _rank(values: np.ndarray) -> np.ndarray:
    """Ranks from 0 along the last axis; ties in order of appearance."""
    return np.argsort(np.argsort(values, axis=-1, kind="stable"), axis=-1, kind="stable")


def _warnings(table: pd.DataFrame) -> tuple[str, ...]:
    sentences = []
    for name, row in table.iterrows():
        if abs(row["z"]) > 2:
            sentences.append(
                f"{name}: the areas sum to {row['projected']:,.0f} and the nation to "
                f"{row['national']:,.0f}, as reported and before agreement (z = {row['z']:.1f}, "
                "beyond 2): the two disagree by more than their uncertainty"
            )
        if row["bounded_draws"] > MANY_BOUNDED:
            sentences.append(
                f"{name}: {row['bounded_draws']:.1%} of draws had a reporting rate so small that "
                f"a count was bounded by the reference population ({row['bounded_values']:.3%} "
                "of all values)"
            )
    return tuple(sentences)
