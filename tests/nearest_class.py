"""A classifier for tests that need one and not a good one: quick, and worked out in three lines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
import pytest
from numpy.typing import ArrayLike

from alloyloop.surrogates.base import FloatArray

NAME = "nearest-class"


class NearestClass:
    """Votes of all rows, which fade as a normal density of the distance does, beside a tenth of one for each class.

    Parameters
    ----------
    n_classes : how many classes there are
    reach : the distance at which a vote has faded to 0.6
    """

    def __init__(self, n_classes: int | None = None, reach: float = 0.5) -> None:
        self.n_classes, self.reach = n_classes, reach

    def fit(self, X: ArrayLike, y: ArrayLike, *, source: ArrayLike | None = None) -> Self:
        self.source_ = source
        self.rows_, codes = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.int64)
        self.votes_ = np.eye(self.n_classes or int(codes.max()) + 1)[codes]
        self.spread_ = np.where(self.rows_.std(axis=0) > 0, self.rows_.std(axis=0), 1.0)
        return self

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        return self._shares(self._weights(np.asarray(X, dtype=np.float64)))

    @property
    def held_out_(self) -> FloatArray:
        """Of each row by the others."""
        weights = self._weights(self.rows_)
        np.fill_diagonal(weights, 0.0)
        return self._shares(weights)

    def _weights(self, X: FloatArray) -> FloatArray:
        apart = ((X[:, None] - self.rows_[None]) / self.spread_ / self.reach) ** 2
        return np.asarray(np.exp(-apart.sum(axis=2) / 2))

    def _shares(self, weights: FloatArray) -> FloatArray:
        counted = weights @ self.votes_ + 0.1
        return np.asarray(counted / counted.sum(axis=1, keepdims=True))


@contextmanager
def registered(**settings: Any) -> Iterator[None]:
    """While this lasts, campaigns may name the classifier, and `auto` chooses from it alone."""
    from alloyloop.campaigns import learning
    from alloyloop.surrogates.base import Family
    from alloyloop.surrogates.classifiers import CLASSIFIERS

    def build(**asked: Any) -> Any:
        return NearestClass(**{**settings, **asked})

    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(CLASSIFIERS, NAME, Family(build, "for tests"))
        patched.setattr(learning, "AUTO_CLASSIFIERS", (NAME,))
        yield
