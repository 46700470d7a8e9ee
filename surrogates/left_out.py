"""What is left out together, where a model is to be judged by rows that it has not seen, and how a member is fitted."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from .base import FloatArray

# Below this many groups of rows nothing can be left out: the mean is all that is learned.
LEAST_GROUPS = 4
# Fewer sources than this are not left out whole: one of them may be most of the table.
LEAST_SOURCES = 5
# Of few rows a tenth is left out at a time, of many a fifth: what four fifths of 100 rows teach is too far from what
# all of them do.
FEW_ROWS, N_FOLDS_OF_FEW, N_FOLDS = 200, 10, 5


def groups_of(
    rows: FloatArray,
    source: Sequence[Hashable] | NDArray[Any] | None = None,
    groups: Sequence[Hashable] | NDArray[Any] | None = None,
) -> NDArray[np.intp]:
    """(n,) a number for what must be left out together: whole sources, where there are some, else rows that are equal.

    Parameters
    ----------
    rows : (n, n_features)
    source : (n,) where each row comes from, "" where not known: it is then a source of its own
    groups : (n,) what must be left out together, where somebody knows better

    Examples
    --------
    >>> groups_of(np.array([[1.0], [2.0], [1.0]])).tolist()
    [0, 1, 0]
    """
    if groups is not None:
        return np.asarray(np.unique(np.asarray(groups), return_inverse=True)[1].ravel(), dtype=np.intp)
    if source is not None:
        names = np.asarray(source, dtype=np.str_)
        if len(np.unique(names[names != ""])) > 0:
            own = np.array([f"row {i}" for i in range(len(names))])
            codes = np.unique(np.where(names != "", names, own), return_inverse=True)[1].ravel()
            if codes.max() + 1 >= LEAST_SOURCES:
                return np.asarray(codes, dtype=np.intp)
    size = np.maximum(np.abs(rows).max(axis=0), np.finfo(float).tiny)
    return np.asarray(np.unique((rows / size).round(9), axis=0, return_inverse=True)[1].ravel(), dtype=np.intp)


def freshly_fitted(
    estimator: Any, setting: Mapping[str, Any], X: FloatArray, y: ArrayLike, weights: ArrayLike | None, seed: int
) -> Any:
    """A copy of a scikit-learn estimator with a setting, fitted to rows.

    Parameters
    ----------
    estimator : it or a pipeline that ends in it; not changed
    setting : of its parameters
    X, y : (n, n_features) and (n,)
    weights : (n,) what each row counts for, which the last step is told where it can take it
    seed : of every step that takes one
    """
    fresh: Any = clone(estimator)
    fresh.set_params(**setting)
    seeds = [name for name in fresh.get_params() if name.rpartition("__")[2] == "random_state"]
    fresh.set_params(**dict.fromkeys(seeds, seed))
    name = weights_name(fresh)
    told = {} if weights is None or name is None else {name: weights}
    return fresh.fit(X, y, **told)


def weights_name(estimator: Any) -> str | None:
    """What `fit` of an estimator, or of a pipeline, calls the weights of rows; None where it takes none."""
    name, last = estimator.steps[-1] if isinstance(estimator, Pipeline) else ("", estimator)
    if not has_fit_parameter(last, "sample_weight"):
        return None
    return f"{name}__sample_weight" if name else "sample_weight"
