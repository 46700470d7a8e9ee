"""Networks of radial basis functions: bells about the middles of clusters of rows, summed with ridge weights."""

from __future__ import annotations

from functools import cache
from itertools import product
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.cluster import KMeans
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import ThreadpoolController

from .base import FloatArray
from .cross_fitted import CrossFitted

# The width of a bell goes by the distances to so many nearest middles: the authors' choice.
N_NEAR = 2


class Bells(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]  # without types
    """How near rows are to the middles of clusters: exp(-d²/2w²) of each, w being how far the next middles are.

    Parameters
    ----------
    n_centres : clusters, found by k-means; as many as there are different rows, where those are fewer
    overlap : factor on all widths
    random_state : of the search for the clusters

    References
    ----------
    Moody & Darken, Neural Computation 1 (1989) 281, doi:10.1162/neco.1989.1.2.281.
    """

    def __init__(self, n_centres: int = 10, overlap: float = 1.0, random_state: int = 0) -> None:
        self.n_centres = n_centres
        self.overlap = overlap
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Find the middles and widths of clusters of rows (n, n_features)."""
        rows: Any = validate_data(self, cast(Any, X), dtype=np.float64)
        n_centres = min(self.n_centres, len(np.unique(rows, axis=0)))
        # One thread: several add up their shares in any order, and the same data would give other middles.
        with _threads().limit(limits=1, user_api="openmp"):
            found = KMeans(n_centres, random_state=self.random_state).fit(rows)
        self.centres_ = np.asarray(found.cluster_centers_)
        between = np.sort(cdist(self.centres_, self.centres_), axis=1)[:, 1 : 1 + N_NEAR]
        self.widths_ = np.sqrt((between**2).mean(axis=1)) if between.size else np.ones(1)
        self._n_features_out = n_centres
        return self

    def transform(self, X: ArrayLike) -> FloatArray:
        """Nearness (n, n_centres) of rows (n, n_features) to each middle, from 0 to 1."""
        check_is_fitted(self)
        rows: Any = validate_data(self, cast(Any, X), dtype=np.float64, reset=False)
        return np.asarray(np.exp(-((cdist(rows, self.centres_) / (self.overlap * self.widths_)) ** 2) / 2))


@cache
def _threads() -> ThreadpoolController:
    """What sets the number of threads; looking for the libraries that make them takes longer than most fits."""
    return ThreadpoolController()


def radial_basis_network(**settings: Any) -> CrossFitted:
    """A network with one layer of radial basis functions; far from all clusters it says one and the same value.

    Parameters
    ----------
    settings : those of `CrossFitted`
    """
    grid = [{"bells__n_centres": n, "bells__overlap": w} for n, w in product((40, 20, 10, 80), (1.0, 2.0))]
    return CrossFitted(make_pipeline(StandardScaler(), Bells(), Ridge(alpha=0.1)), grid, **settings)
