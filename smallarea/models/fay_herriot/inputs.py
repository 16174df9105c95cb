"""What a caller gives, checked once: arrays of the same areas, finite, with identifiers."""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smallarea.errors import InputError

Array = NDArray[np.float64]
Places = NDArray[np.intp]


def fail(what: str, remedy: str) -> NoReturn:
    """Raise the package's one error, located at the model."""
    raise InputError(what, where="Fay-Herriot model", remedy=remedy)


def as_floats(values: Any, name: str, like: pd.Index | None = None) -> Array:
    """Return `values` as floats; a table or series must have the rows of `like`, in its order.

    Raises
    ------
    InputError : values that are no numbers, or rows labelled otherwise than those of X.
    """
    labels = getattr(values, "index", None)
    if like is not None and isinstance(labels, pd.Index) and not labels.equals(like):
        fail(f"the rows of {name} are labelled otherwise than those of X", "align them by label")
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        fail(f"{name} holds values that are no numbers", "encode or convert them first")


def design(X: Any, names: pd.Index | None = None) -> Array:
    """Return covariates (rows, columns); a table's columns are put in the order of `names`."""
    if isinstance(X, pd.DataFrame) and names is not None:
        if set(X.columns) != set(names) or len(X.columns) != len(names):
            other = sorted(map(str, set(X.columns).symmetric_difference(names)))
            fail(f"columns differ from those of the fit: {', '.join(other[:5])}", "give the same")
        X = X[names]
    values = as_floats(X, "X")
    if values.ndim != 2:
        fail(f"X has {values.ndim} dimensions", "give one row per area, one column per covariate")
    if names is not None and values.shape[1] != len(names):
        fail(f"{values.shape[1]} covariates, fitted with {len(names)}", "give the same columns")
    if not np.isfinite(values).all():
        fail("covariates are missing or infinite", "impute them")
    return values


def identifiers(areas: Any, rows: int) -> pd.Index:
    """Return the areas' identifiers: one for each row, none missing, no two alike."""
    index: pd.Index = pd.Index(areas)
    if len(index) != rows:
        fail(f"{len(index)} areas for {rows} rows", "give one identifier per row")
    if index.hasnans:
        fail(f"{int(np.sum(index.isna()))} areas have no identifier", "name every area")
    if not index.is_unique:
        twice = index[index.duplicated()].unique()[:3]
        fail(f"areas appear twice: {', '.join(map(str, twice))}", "give each area one row")
    return index


def places(known: pd.Index, areas: pd.Index) -> Places:
    """Return the position in `known` of each of `areas`, -1 for those not in it, by identifier."""
    kinds = {pd.api.types.is_numeric_dtype(index) for index in (known, areas) if len(index)}
    if len(kinds) == 2:
        fail("identifiers are text in one place and numbers in another", "use the same type")
    return np.asarray(known.get_indexer(areas), dtype=np.intp)


def check_arrays(y: Array, X: Array, psi: Array) -> None:
    """Raise unless y (m,), X (m, p) and psi (m,) are finite, psi positive and m > p."""
    if X.ndim != 2 or y.shape != (len(X),) or psi.shape != y.shape:
        fail(
            f"shapes disagree: y {y.shape}, X {X.shape}, variance {psi.shape}",
            "give y (m,), X (m, p) and variance (m,) of the same areas",
        )
    if not (np.isfinite(y).all() and np.isfinite(X).all() and np.isfinite(psi).all()):
        fail("values are missing or infinite", "impute covariates, leave out areas without data")
    if (psi <= 0).any():
        fail("a sampling variance is not positive", "smooth the variances first")
    if len(y) <= X.shape[1]:
        fail(f"{len(y)} areas for {X.shape[1]} coefficients", "use fewer covariates")


def check_rank(X: Array) -> None:
    """Raise if columns of X are linearly dependent."""
    check_triangle(np.linalg.qr(X)[1])


def check_triangle(R: Array) -> None:
    """Raise if columns of X = Q R, Q orthonormal, are linearly dependent."""
    if (np.abs(np.diag(R)) <= 1e-10 * np.linalg.norm(R, axis=0)).any():
        fail("covariates are linearly dependent", "leave one of them out")
