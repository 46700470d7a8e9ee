"""Forests of decision trees with an honest spread: a scikit-learn regressor that BoTorch can ask too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

from .base import FloatArray
from .ensemble import EnsembleModel, Lesson, Unseen
from .errors import AlloyloopError

KINDS = {"random-forest": RandomForestRegressor, "extra-trees": ExtraTreesRegressor}


class Forest(EnsembleModel):
    """Random forest or extremely randomised trees, whose spread is fitted to the errors on rows left out of bag.

    Every tree sees a bootstrap sample. The rows that it did not see judge it: their errors tell how far the variance
    between trees must be stretched to be the uncertainty of the property, how fast that grows with the distance to the
    nearest row, and how large a scatter remains beside it. Far from all rows, where trees only repeat what they know
    from the edge, the uncertainty is the spread of the property over the data.

    Parameters
    ----------
    kind : "random-forest" (best cuts) or "extra-trees" (random cuts: smoother, often better on few rows)
    n_trees : number of trees; more is steadier, never worse, and slower
    min_samples_leaf : fewest rows at the end of a branch
    max_features : share of the features that each cut may choose from
    noise_prior : usual standard deviation of one measurement, in the unit of y; a good guess matters with few rows
    blanks : indices of features that may be NaN, not known: the mean of the known stands there, beside a feature that
        says so
    seed : of the bootstrap samples and the cuts; the same seed and data give the same forest
    n_jobs : processor cores to grow on

    Attributes
    ----------
    noise_ : standard deviation of a new measurement about the property, in the unit of y
    scale_ : spread of the property over the data, in the unit of y
    reach_ : distance from the nearest row at which 63 % of the variance is unknown, features divided by their ranges

    Examples
    --------
    >>> X, y = np.arange(12.0)[:, None], np.repeat([110.0, 70.0, 65.0], 4)
    >>> Forest(kind="extra-trees").fit(X, y).predict([[1.0], [10.0]]).round(-1)
    array([110.,  70.])

    Notes
    -----
    The mean is flat between the cuts and beyond the data: BoTorch's optimisers get a gradient of zero, and keep the
    best of their starting points. Acquisitions on a forest are better searched over candidates. A feature that never
    varied has no range: any other value of it counts as one range away.

    Rows are drawn one by one and not by source, so that errors out of bag are those of the next alloy of a known paper;
    a new paper's are larger, by a factor to be found on folds that leave whole sources out (`scale_factor`). Trees that
    draw whole sources were tried on five tables: they need no such factor, but err by up to a third more.

    References
    ----------
    Breiman, Machine Learning 45 (2001) 5, doi:10.1023/A:1010933404324;
    Geurts et al., Machine Learning 63 (2006) 3, doi:10.1007/s10994-006-6226-1.
    """

    kind_words = "a forest"

    def __init__(
        self,
        *,
        kind: Literal["random-forest", "extra-trees"] = "random-forest",
        n_trees: int = 200,
        min_samples_leaf: int = 1,
        max_features: float = 1.0,
        noise_prior: float | None = None,
        blanks: Sequence[int] = (),
        seed: int = 0,
        n_jobs: int = 1,
    ) -> None:
        self.kind = kind
        self.n_trees = n_trees
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.noise_prior = noise_prior
        self.blanks = blanks
        self.seed = seed
        self.n_jobs = n_jobs

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        noise: ArrayLike | None = None,
        censored: ArrayLike | None = None,
        source: ArrayLike | None = None,
    ) -> Self:
        """Learn from measurements, bounds left out, whatever their source; see `Surrogate.fit`."""
        if self.kind not in KINDS:
            raise AlloyloopError(f"there is no forest of kind {self.kind!r}", f"Choose one of {', '.join(KINDS)}.")
        lesson = self._lesson(X, y, noise, censored)
        self._fill = _means(lesson.rows[:, list(self.blanks)])
        rows = self._filled(lesson.rows)
        self.forest_ = KINDS[self.kind](
            n_estimators=self.n_trees,
            min_samples_leaf=self.min_samples_leaf,
            max_features=self.max_features,
            bootstrap=True,
            random_state=self.seed,
            n_jobs=self.n_jobs,
        ).fit(rows, lesson.z, sample_weight=lesson.weights)
        self._leaves = [tree.tree_.value[:, 0, 0].copy() for tree in self.forest_.estimators_]
        places = self._settle(rows)
        self._learn_spread(lesson, places, self._out_of_bag(lesson, rows, places))
        return self

    def _blank(self) -> list[int]:
        return list(self.blanks)

    def _filled(self, X: FloatArray) -> FloatArray:
        """Rows without NaN (n, n_features + n_blanks): what is not known is the mean, and the last columns say so."""
        if not len(self.blanks):
            return X
        blanks = X[:, list(self.blanks)]
        unknown, rows = np.isnan(blanks), X.copy()
        rows[:, list(self.blanks)] = np.where(unknown, self._fill, blanks)
        return np.column_stack([rows, unknown])

    def _out_of_bag(self, lesson: Lesson, rows: FloatArray, places: FloatArray) -> Unseen:
        """How each row that two trees or more did not see was predicted by them."""
        values, unseen = self._trees(rows), np.ones((self.n_trees, len(rows)), dtype=bool)
        for row, drawn in zip(unseen, self.forest_.estimators_samples_, strict=True):
            row[drawn] = False
        n_unseen = unseen.sum(axis=0)
        seen: NDArray[np.bool_] = n_unseen >= 2
        values, unseen, n_unseen = values[:, seen], unseen[:, seen], n_unseen[seen]
        means = (values * unseen).sum(axis=0) / n_unseen
        between = ((values - means) ** 2 * unseen).sum(axis=0) / (n_unseen - 1)
        nearest = np.asarray(self._known.query(places[seen], k=[2])[0])[:, 0]  # the first is the row itself
        return Unseen(lesson.z[seen] - means, between, lesson.variances[seen], nearest)

    def _trees(self, X: FloatArray) -> FloatArray:
        """What each tree says of each row (n_trees, n), outputs having unit spread."""
        rows = X.astype(np.float32)
        trees = zip(self.forest_.estimators_, self._leaves, strict=True)
        return np.stack([leaves[tree.tree_.apply(rows)] for tree, leaves in trees])

    def _said(self, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        trees = self._trees(rows)
        means = trees.mean(axis=0)
        return means, (trees - means) / np.sqrt(self.n_trees - 1)


def _means(columns: FloatArray) -> FloatArray:
    """Mean (d,) of what is known in each column; 0 where nothing is."""
    known = ~np.isnan(columns)
    return np.asarray(np.where(known, columns, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))
