"""The nearest rows: a property as the mean of what was measured nearby, the nearer the more it counts.

K*, the instance-based learner with an entropic distance of Cleary & Trigg (1995), is not here: the one kept library of
it is WEKA, which needs Java.
"""

from __future__ import annotations

from itertools import product
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import KDTree
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from .base import FloatArray
from .cross_fitted import CrossFitted

# Rows all as far away as one another count alike, whatever the last digit of their distances.
TIE = 1e-6


class FadingNeighbours(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # these come without types
    """Mean of the nearest rows, whose weights fall straight from 1 at no distance to 0 at that of the next row after.

    Predictions so change without a jump, and a row does not simply repeat itself, as it would under weights of 1 over
    the distance.

    Parameters
    ----------
    n_neighbors : rows that count; all but the farthest, where there are no more
    p : of the Minkowski distance: 2 as the crow flies, 1 along the features

    Examples
    --------
    Of the rows at 0, 1 and 3, those at 0 and 1 count, by 1 and by 2/3.

    >>> rows, values = [[0.0], [1.0], [3.0]], [0.0, 10.0, 90.0]
    >>> FadingNeighbours(n_neighbors=2).fit(rows, values).predict([[0.0]]).round(3)
    array([4.])

    References
    ----------
    Hechenbichler & Schliep, SFB 386 discussion paper 399 (2004), doi:10.5282/ubm/epub.1769: the triangular kernel.
    """

    def __init__(self, n_neighbors: int = 5, p: float = 2.0) -> None:
        self.n_neighbors = n_neighbors
        self.p = p

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Keep rows (n, n_features), their values (n,) and how much each counts (n,)."""
        checked: Any = validate_data(self, cast(Any, X), cast(Any, y), dtype=np.float64, y_numeric=True)
        rows, values = checked
        self.rows_ = KDTree(rows)
        self.values_ = np.asarray(values, dtype=np.float64)
        self.weights_ = np.ones(len(values)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        return self

    def predict(self, X: ArrayLike) -> FloatArray:
        """Expected values (n,)."""
        check_is_fitted(self)
        asked: Any = validate_data(self, cast(Any, X), dtype=np.float64, reset=False)
        n_asked = min(self.n_neighbors + 1, len(self.values_))
        found: Any = self.rows_.query(asked, k=np.arange(1, n_asked + 1), p=self.p)
        distances, rows = found
        reach = (1 + TIE) * distances[:, -1:]
        weights = (1 - distances / np.where(reach > 0, reach, 1.0)) * self.weights_[rows]
        return np.asarray((weights * self.values_[rows]).sum(axis=1) / weights.sum(axis=1))


def nearest_neighbours(**settings: Any) -> CrossFitted:
    """The mean of the nearest rows, features in units of their spread; see `FadingNeighbours`.

    Parameters
    ----------
    settings : those of `CrossFitted`
    """
    grid = [
        {"fadingneighbours__n_neighbors": k, "fadingneighbours__p": p}
        for k, p in product((5, 7, 11, 16, 3), (2.0, 1.0))
    ]
    return CrossFitted(make_pipeline(StandardScaler(), FadingNeighbours()), grid, **settings)
