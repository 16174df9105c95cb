"""What the published pool would lose without one stream of features, or one domain of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from smallarea.models import skill
from smallarea.models.comparing import POOL, REPLICATES, Compared, refitted
from smallarea.models.counts import rows
from smallarea.models.pooling import pool
from smallarea.models.scores import by_area_and_component, clustered_sum, log_density

if TYPE_CHECKING:
    from smallarea.models.candidates import Candidate
    from smallarea.nsum.direct.estimates import Direct


def loss_without(
    compared: Compared,
    models: Mapping[str, Candidate],
    X: pd.DataFrame,
    direct: Direct,
    areas: pd.DataFrame,
    blocks: Mapping[str, Sequence[str]],
    *,
    without: Callable[[pd.Index], Direct] | None = None,
    n: int = 500,
    seed: int = 0,
    progress: Callable[[str, float], None] | None = None,
) -> pd.DataFrame:
    """Refit the pool without each block of features, and compare its held-out log scores.

    Parameters
    ----------
    compared : of all features, by the same parts, draws and seed.
    models : name -> candidate; those with ``stack`` are refitted.
    blocks : name -> columns of `X` taken away together.

    Returns
    -------
    Index block, the greatest loss first: `features`, their number; `loss` of the log score of all
    reports without them (negative: better without), `loss_se`, its error clustered by group, and
    `loss_low`, `loss_high` (95 %, groups drawn anew). Blocks that tell the same can each be done
    without: small losses do not add up.
    """
    direct = rows(direct, direct.reports.index.sort_values())
    without = without or (lambda left: rows(direct, direct.reports.index.difference(left)))
    whole = log_density(compared.draws[POOL], direct)
    weights = skill.group_weights(compared.parts.group, REPLICATES, seed)
    published = {name: model for name, model in models.items() if model.stack}
    found = {}
    for position, (name, columns) in enumerate(blocks.items()):
        if progress:
            progress(f"without {name}", position / len(blocks))
        fewer = {key: _without(model, columns) for key, model in published.items()}
        left = X.drop(columns=list(columns))
        parts = compared.parts.splits
        draws = refitted(fewer, left, direct, without, areas, parts, n, seed)
        loss = whole - log_density(pool(list(draws.values())), direct)
        replicates = skill.total(loss, weights)[1:].sum(axis=1)
        value, error = clustered_sum(by_area_and_component(loss), compared.parts.group)
        low, high = np.quantile(replicates, [0.025, 0.975])
        found[name] = (len(columns), value, error, low, high)
    names = ["features", "loss", "loss_se", "loss_low", "loss_high"]
    table = pd.DataFrame(found, index=names).T.astype({"features": int})
    return table.sort_values("loss", ascending=False, kind="stable")


def _without(model: Candidate, columns: Sequence[str]) -> Candidate:
    if model.features == "all":
        return model
    return replace(model, features=tuple(f for f in model.features if f not in set(columns)))
