"""An earlier wave's answers beside the present ones, as many of them as is declared.

An earlier wave tells less of the present than a present one, so only a share of its interviews
counts, drawn within areas. A power prior (Ibrahim & Chen 2000) would count all of them at that
share: places differ as much as all interviews show while the likelihood expects the noise of a
few, so models find less variation between places than there is, and 80 % intervals held 70 % of
truths where those of drawn interviews hold 78 (benchmarks/waves.py). Only what tells areas apart is
taken over: the level is the present wave's, so earlier exposures are first rescaled until both
waves have the same rate as a whole.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd

from smallarea.errors import InputError
from smallarea.nsum.direct.estimates import Direct, Units


def drawn_share(area: pd.Series, share: float, seed: int) -> np.ndarray:
    """Draw a share of the respondents of each area, at least one; return who counts, (n,) bool.

    Parameters
    ----------
    area : of each respondent, index respondent_id. Who is drawn hangs on the ids, the seed and who
        else was interviewed in the area, not on the order of rows.
    """
    key = pd.Series(
        [sha256(f"{seed}:{name}".encode()).hexdigest() for name in area.index], area.index
    )
    place = key.groupby(area.to_numpy()).rank(method="first")
    kept = place <= (share * key.groupby(area.to_numpy()).transform("size")).round().clip(lower=1)
    return kept.to_numpy(bool)


def with_earlier(now: Direct, earlier: Direct) -> Direct:
    """Return the present wave's direct estimates with an earlier wave's added to them.

    Parameters
    ----------
    now, earlier : by the same area codes and components; areas of either wave.

    Returns
    -------
    Areas of both, sorted. `deff` and `components` are the present wave's; variances are those of
    the two estimates weighed by their precisions.

    Raises
    ------
    InputError : the waves count different components.
    """
    names = now.reports.columns
    if set(earlier.reports.columns) != set(names):
        raise InputError(
            f"it counts {', '.join(earlier.reports.columns)}, the present one {', '.join(names)}",
            where="earlier wave",
            remedy="pool waves that asked about the same groups",
        )
    areas = now.reports.index.union(earlier.reports.index).sort_values()

    def spread(table: pd.DataFrame, fill: float = 0.0) -> pd.DataFrame:
        return table[names].reindex(areas).fillna(fill)

    level = _rate(earlier, names) / _rate(now, names)
    counted = now.deff[names] / earlier.deff[names]  # effective counts are divided by the first
    precisions = [spread(1 / now.variance), spread(level**2 / earlier.variance[names])]
    whole = (precisions[0] + precisions[1]).where(lambda both: both > 0)
    covariance = None
    if now.covariance is not None and earlier.covariance is not None:
        weights = precisions[0] / whole, precisions[1] / whole / level
        covariance = _weighed(now.covariance, weights[0]) + _weighed(earlier.covariance, weights[1])
    return replace(
        now,
        reports=spread(now.reports) + counted * spread(earlier.reports),
        exposure=spread(now.exposure) + counted * level * spread(earlier.exposure),
        variance=1 / whole,
        raw=None,
        covariance=covariance,
        units=_both(now.units, earlier.units),
    )


def _both(now: Units | None, earlier: Units | None) -> Units | None:
    """Return the respondents of both waves, so that a release still knows every sampling unit."""
    if now is None or earlier is None:
        return None
    parts = {"now": now, "earlier": earlier}

    def joined(name: str) -> Any:
        return pd.concat({wave: getattr(part, name) for wave, part in parts.items()})

    names = now.reports.columns
    return Units(
        joined("reports")[names], joined("exposure")[names], joined("area_id"), joined("psu")
    )


def _rate(direct: Direct, names: pd.Index) -> pd.Series:
    """Return the rate of a wave as a whole, half a report added: there may be none."""
    return (direct.reports[names].sum() + 0.5) / direct.exposure[names].sum()


def _weighed(covariance: pd.DataFrame, weight: pd.DataFrame) -> pd.DataFrame:
    """Return each area's covariance of estimates that are multiplied by weights."""
    areas, names = weight.index, weight.columns
    order = pd.MultiIndex.from_product([areas, names], names=["area_id", "component"])
    blocks = covariance[names].reindex(order).fillna(0.0).to_numpy()
    by = weight.fillna(0.0).to_numpy()
    made = blocks.reshape(len(areas), len(names), -1) * by[:, :, None] * by[:, None, :]
    return pd.DataFrame(made.reshape(len(order), -1), order, names)
