"""What a place's number rests on: by how much each stream and step makes it another than most.

Effects are hundredths of a logarithm of the rate, over that of a typical place (the median of all
places' medians): 10 is a tenth more, -10 a tenth less. Of each place and total

    number = mean over models (sum of the model's parts) + pooling + agreement

exactly. `pooling` is what the pool's median has beyond the mean of the models' parts; `agreement`
what came after: agreement with the nation (and in a tier with the group's total).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from smallarea.indicators import Indicators
from smallarea.models.explaining import TOGETHER

#: Beside the columns of the models' parts. `model` is empty in rows of these two and of the number.
STEPS = ("pooling", "agreement", "number")
#: The table's file, in a run and in a tier.
BASIS = "basis.parquet"
COLUMNS = ("area_id", "indicator", "model", "part", "effect")


def basis_table(
    parts: pd.DataFrame,
    before: xr.DataArray,
    estimates: pd.DataFrame,
    sizes: xr.DataArray,
    indicators: Indicators,
    *,
    place: pd.Series | None = None,
    lumped: Collection[str] = (),
) -> pd.DataFrame:
    """Return the `COLUMNS`: effects of every part on every place's rate of every total.

    Parameters
    ----------
    parts : index model, component, area_id, see `smallarea.models.explaining.parts_of`.
    before : pooled rates before agreement (component, area_id, draw). estimates : the published
        long table of places; those without numbers get no rows.
    sizes : reference populations (component, area_id). place : the place of each area, if places
        are units of a level: a unit's part is the mean over its areas, weighted by cases.
    lumped : streams that must not be told apart from one another; they go under `together`.
    """
    parts = parts.fillna(0.0)
    hidden = [stream for stream in lumped if stream in parts]
    parts = parts.assign(
        **{TOGETHER: parts.reindex(columns=[TOGETHER, *hidden]).fillna(0.0).sum(axis=1)}
    ).drop(columns=hidden)
    ids = pd.Index(before["area_id"].values)
    key = (pd.Series(ids, ids) if place is None else place.loc[ids]).to_numpy(dtype=str)
    rows = []
    for total in indicators.totals:
        of = list(indicators.parts(total))
        people = sizes.sel(component=of, area_id=ids).transpose("component", "area_id").to_numpy()
        cases = before.sel(component=of).transpose("component", "area_id", "draw").to_numpy()
        weight = np.median(cases, axis=2) * people
        rate = _median_rate(cases * people[:, :, None], people[0], key)
        own = estimates[estimates["indicator"] == f"{total}_rate"].set_index("area_id")["q50"]
        number = _relative(own.loc[rate.index])
        pooled = _relative(rate)
        own_parts = parts[parts.index.isin(of, level="component")]
        models = {
            str(model): _weighted(each.droplevel("model"), of, ids, weight, key)
            for model, each in own_parts.groupby(level="model")
        }
        mean = pd.Series(0.0, rate.index)
        for each in models.values():
            mean += each.sum(axis=1) / len(models)
        steps = pd.DataFrame({"pooling": pooled - mean.round(), "agreement": number - pooled})
        steps["number"] = number
        told = (number.notna() & pooled.notna()).to_numpy()
        for name, table in (*models.items(), ("", steps)):
            shown = table[told].rename_axis("area_id").reset_index()
            long = shown.melt("area_id", var_name="part", value_name="effect")
            rows.append(long.assign(indicator=total, model=name))
    table = pd.concat(rows, ignore_index=True)[list(COLUMNS)]
    table["effect"] = table["effect"].round().astype(int)
    moved = table.groupby("part")["effect"].transform(lambda effect: (effect != 0).any())
    return table[moved | (table["model"] == "")].reset_index(drop=True)


def _median_rate(cases: np.ndarray, people: np.ndarray, key: np.ndarray) -> pd.Series:
    """Return the median over draws of the rate of each place."""
    names, code = np.unique(key, return_inverse=True)
    counts = np.zeros((len(names), cases.shape[2]))
    np.add.at(counts, code, cases.sum(axis=0))
    size = np.bincount(code, people)
    return pd.Series(np.median(counts, axis=1) / np.where(size > 0, size, np.nan), names)


def _relative(rate: pd.Series) -> pd.Series:
    logs = pd.Series(100 * np.log(rate.astype(float).where(rate > 0)), rate.index)
    return (logs - logs.median()).round()


def _weighted(
    parts: pd.DataFrame, of: list[str], ids: pd.Index, weight: np.ndarray, key: np.ndarray
) -> pd.DataFrame:
    """Return places x parts in whole hundredths: components' and areas' means by cases."""
    each = [
        parts.xs(component, level="component").loc[ids].mul(w, axis=0)
        for component, w in zip(of, weight, strict=True)
    ]
    summed = pd.concat(each).groupby(np.tile(key, len(of))).sum()
    whole = pd.Series(weight.sum(axis=0)).groupby(key).sum()
    return (100 * summed.div(whole.where(whole > 0, 1.0), axis=0)).round()


def closed_streams(info: pd.DataFrame, access: Mapping[str, str]) -> set[str]:
    """Return the streams with a source that is not known to be open.

    info : of features, columns stream and source. access : of each source.
    """
    return {
        str(stream)
        for stream, sources in zip(info["stream"], info["source"], strict=True)
        if any(access.get(source) != "open" for source in str(sources).split(", "))
    }
