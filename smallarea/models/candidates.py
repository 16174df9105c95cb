"""Candidate models: what a model file declares, and reading a directory of them."""

from __future__ import annotations

import importlib.util
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
from sklearn.base import BaseEstimator, clone

from smallarea.errors import InputError

if TYPE_CHECKING:
    from smallarea.nsum.direct.estimates import Direct


@dataclass(frozen=True)
class Candidate:
    """A model under comparison: an unfitted estimator and the features it may see."""

    name: str
    estimator: BaseEstimator
    features: Literal["all"] | tuple[str, ...]
    profiles: tuple[str, ...] = ("fast", "full")
    full: dict[str, Any] = field(default_factory=dict)
    stack: bool = True

    @property
    def has_covariates(self) -> bool:
        return self.features != ()

    def unfitted(self, seed: int) -> BaseEstimator:
        """Return a fresh estimator that takes its randomness, if it has any, from `seed`."""
        estimator = clone(self.estimator)
        if "random_state" in estimator.get_params():
            estimator.set_params(random_state=seed)
        return estimator

    def seed(self, seed: int) -> int:
        """Derive the model's own seed: no two models share random numbers, in whatever order."""
        return (seed + zlib.crc32(self.name.encode())) % 2**31

    def fit(self, X: pd.DataFrame, direct: Direct, areas: pd.DataFrame, seed: int) -> Any:
        """Return a fresh estimator fitted to its own columns of `X`.

        Raises
        ------
        InputError : the features do not fit the model, or its estimator fails; the model is named.
        """
        own = self.select(X)
        try:
            return self.unfitted(self.seed(seed)).fit(own, direct, areas)
        except InputError:
            raise
        except (ValueError, TypeError, ArithmeticError) as error:
            raise InputError(
                f"it cannot be fitted to {len(direct.reports)} areas: "
                f"{type(error).__name__}: {error}",
                where=f"model {self.name}",
                remedy="correct the model file; a model for many areas may need more than are left "
                "when a part of the survey is held out",
            ) from error

    def select(self, X: pd.DataFrame) -> pd.DataFrame:
        """Return this model's columns of `X`; raise InputError if one does not exist."""
        if self.features == "all":
            return X
        unknown = [name for name in self.features if name not in X.columns]
        if unknown:
            raise InputError(
                f"features that no stream gives: {', '.join(unknown)}",
                where=f"model {self.name}",
                remedy="correct the names in the model file, or add the stream",
            )
        return X[list(self.features)]


def model(
    features: Literal["all"] | Sequence[str] = "all",
    profiles: Sequence[str] = ("fast", "full"),
    full: Mapping[str, Any] | None = None,
    stack: bool = True,
) -> Callable[[Callable[[], Any]], Candidate]:
    """Declare a function that returns an unfitted estimator as a candidate model.

    Parameters
    ----------
    features : ``"all"``, or the names of the features the model may see; ``[]`` for a model
        without covariates, against which those with covariates have to prove themselves.
    profiles : the profiles that include the model.
    full : settings of the estimator that differ in the profile ``full``, e.g. longer chains.
    stack : whether the model may take part in the estimates, or is only compared with others.
    """

    def declare(build: Callable[[], Any]) -> Candidate:
        chosen: Literal["all"] | tuple[str, ...] = "all" if features == "all" else tuple(features)
        return Candidate(build.__name__, build(), chosen, tuple(profiles), dict(full or {}), stack)

    return declare


def load_models(models_dir: Path, profile: str) -> dict[str, Candidate]:
    """Read every model file of a directory and return the profile's candidates by name.

    Models without covariates come first, so that the first is the baseline of comparisons.

    Raises
    ------
    InputError : no such directory, a file that fails or declares no model, two models of one
        name, or no model without covariates.
    """
    files = sorted(p for p in models_dir.glob("*.py") if not p.name.startswith("_"))
    if not files:
        raise InputError("no model files", where=str(models_dir), remedy="add one, or run init")
    found: dict[str, Candidate] = {}
    for path in files:
        candidates = [c for c in vars(_load(path)).values() if isinstance(c, Candidate)]
        if not candidates:
            raise InputError(
                "declares no model",
                where=path.name,
                remedy="decorate a function that returns an estimator with @model(...)",
            )
        for candidate in candidates:
            if candidate.name in found:
                raise InputError(
                    f"a second model is called {candidate.name}",
                    where=path.name,
                    remedy="give its function another name",
                )
            found[candidate.name] = candidate
    chosen = [c for c in found.values() if profile in c.profiles]
    if profile == "full":
        for candidate in chosen:
            candidate.estimator.set_params(**candidate.full)
    if all(c.has_covariates for c in chosen):
        raise InputError(
            f"no model without covariates in profile {profile}",
            where=str(models_dir),
            remedy="keep one with @model(features=[]), such as the national rate",
        )
    return {c.name: c for c in sorted(chosen, key=lambda c: (c.has_covariates, c.name))}


def _load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"models_of_project.{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"{type(error).__name__}: {error}", where=path.name, remedy="correct the model file"
        ) from error
    return module
