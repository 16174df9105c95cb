"""Fitted models on disk, with the features they were fitted on, and draws for later features."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import pandas as pd

from smallarea.errors import InputError
from smallarea.models.explaining import centred, parts_of
from smallarea.models.pooling import pool

if TYPE_CHECKING:
    import xarray as xr

    from smallarea.models.candidates import Candidate


@dataclass(frozen=True)
class Fits:
    """The pool's members as they were fitted.

    Attributes
    ----------
    features : area_id x feature, all areas, as they were at the fit. surveyed : areas with answers.
    members : by name, the candidate and its fit.
    """

    features: pd.DataFrame
    surveyed: pd.Index
    members: dict[str, tuple[Candidate, Any]]

    def seen(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return features as the fit may be asked for them: of surveyed areas those of the fit.

        Answers speak of their time: a posterior given them is not that of a place that has changed.

        Raises
        ------
        InputError : features or areas of the fit are missing.
        """
        lost = self.features.columns.difference(X.columns)
        if len(lost) or not X.index.sort_values().equals(self.features.index.sort_values()):
            what = f"features {', '.join(lost)}" if len(lost) else "areas that are those of the fit"
            raise InputError(
                f"the models were fitted on {what}, and there are none any more",
                where="features",
                remedy="fit them again: `smallarea refresh --refit`",
            )
        X = X[self.features.columns].copy()
        X.loc[self.surveyed] = self.features.loc[self.surveyed]
        return X

    def draws(self, X: pd.DataFrame, areas: pd.DataFrame, n: int, seed: int) -> xr.DataArray:
        """Return pooled draws (component, area_id, draw) for features of a later time.

        All that the fit has learned of features (medians, ranks, components) stays as it was. The
        features of the fit give the draws of the fit.
        """
        X = self.seen(X)
        return pool(
            [
                fit.draws(model.select(X), areas, n, model.seed(seed))
                for model, fit in self.members.values()
            ]
        )

    def parts(
        self, X: pd.DataFrame, areas: pd.DataFrame, stream: Mapping[str, str]
    ) -> pd.DataFrame:
        """Return what each area's rate is made of then, as `fitting.FittedModels.parts`."""
        X = self.seen(X)
        return pd.concat(
            {
                name: centred(parts_of(fit, model.select(X), areas, stream))
                for name, (model, fit) in self.members.items()
            },
            names=["model"],
        )


def save_fits(fits: Fits, path: Path) -> None:
    """Write fits to a file that only this version of the engine and its libraries may read."""
    path.write_bytes(zlib.compress(cloudpickle.dumps(fits), level=1))


def load_fits(path: Path) -> Fits:
    """Read what `save_fits` wrote. Only of files that this project's own run has written: reading
    one runs code that is in it.
    """
    fits = pickle.loads(zlib.decompress(path.read_bytes()))
    if not isinstance(fits, Fits):
        raise TypeError(f"{path} holds no fits")
    return fits
