"""Estimators of scikit-learn, fitted anew with a setting, a seed and weights wherever in a pipeline these are taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from .base import FloatArray


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
