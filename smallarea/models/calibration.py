"""Whether intervals hold what they promise, of the pool's predictions for groups left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.models import skill
from smallarea.models.comparing import BINS, REPLICATES, SHARES
from smallarea.models.scores import pit_bounds

if TYPE_CHECKING:
    import xarray as xr

    from smallarea.nsum.direct.estimates import Direct


def calibration(draws: xr.DataArray, direct: Direct, group: pd.Series, seed: int) -> pd.DataFrame:
    """Return how many reports fell into intervals, and where in what was predicted for them.

    Parameters
    ----------
    draws : held-out rates (component, area_id, draw). direct : the reports. group : of each area,
        all three of the same areas, sorted. seed : of the replicates behind the intervals.

    Returns
    -------
    index component, `all` last (the mean of the components that have reports). `cover_50`,
    `cover_80`, `cover_95`, the share of reports in such intervals; `bin_0` ..., the share whose
    transform fell into each tenth of the predictive distribution, a tenth if that is right; each
    with a 95 % interval `_low`, `_high` from groups drawn anew. `zeros`, the share of reports that
    are 0; `groups`, how many groups had been left out.
    """
    below, at = pit_bounds(draws, direct)
    weights = skill.group_weights(group, REPLICATES, seed)
    curve = skill.pit_curve(below, at, weights)
    found = {
        f"cover_{share}": skill.mean(skill.covered(below, at, share / 100), weights)
        for share in SHARES
    }
    bins = np.diff(curve[:, :, :: (curve.shape[2] - 1) // BINS], axis=2)
    found |= {f"bin_{number}": bins[:, :, number] for number in range(BINS)}
    columns: dict[str, np.ndarray] = {}
    for name, values in found.items():
        every = np.column_stack([values, skill.over_components(values)])
        low, high = pd.DataFrame(every[1:]).quantile([0.025, 0.975]).to_numpy()
        columns |= {name: every[0], f"{name}_low": low, f"{name}_high": high}
    known = direct.reports.where(direct.exposure > 0)
    zeros = (known == 0).sum() / known.notna().sum()
    every_zero = (known == 0).to_numpy().sum() / max(known.notna().to_numpy().sum(), 1)
    index = pd.Index([*map(str, direct.reports), "all"], name="component")
    table = pd.DataFrame(columns, index=index)
    return table.assign(zeros=[*zeros, every_zero], groups=group.nunique())
