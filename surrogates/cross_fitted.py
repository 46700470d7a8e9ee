"""The adapter: any scikit-learn regressor as a surrogate, tuned and judged on rows that it had not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import KDTree
from sklearn.dummy import DummyRegressor

from .base import FloatArray, Prediction
from .ensemble import EnsembleModel, Lesson, Unseen
from .estimators import freshly_fitted
from .left_out import LEAST_GROUPS, groups_of, n_parts
from .measurements import asked_rows
from .scores import Fold, group_folds

# Below this many different rows, which setting errs least is chance: the first is taken. Of 8 rows of a smooth
# property, the 90 % intervals of three families tuned on them held 74 to 80 %, and untuned 85 to 87 %; of 24 rows, as
# many either way.
LEAST_TUNED = 15


class CrossFitted(EnsembleModel):
    """A regressor with an honest spread: what it would have said, had it not seen a part of the rows.

    Whole sources, where there are some, else rows that are equal, are left out together, each once in every repeat.
    What members say that did not see a row tells which of several settings errs least, how far the members' spread must
    be stretched to be the uncertainty of the property, how fast that grows with the distance to the nearest row, and
    how large a scatter remains. The expected value is that of one more regressor, fitted to all rows.

    Parameters
    ----------
    regressor : an unfitted scikit-learn regressor or pipeline, which scales its own features; values come to it with
        a mean of 0 and a standard deviation of about 1
    grid : settings of it to choose from, each a mapping of parameters; the first of those that err least is taken, and
        of few rows the first, which is to be sane on most tables
    noise_prior : usual standard deviation of one measurement, in the unit of y; a good guess matters with few rows
    n_repeats : how often each row is left out
    tune_seconds : after which no further setting is tried
    seed : of what is left out together, and of the regressor where it takes one

    Attributes
    ----------
    regressor_ : fitted to all rows; outputs have unit spread about zero
    members_ : those fitted to parts
    tuned_ : the setting that was taken
    n_tried_ : how many settings were tried
    held_out_ : Prediction of the rows that hold a value, each by members that had not seen it; None of too few rows
    noise_, scale_, reach_ : see `EnsembleModel`

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> X, y = np.arange(16.0)[:, None], np.arange(16.0) + np.tile([0.3, -0.3], 8)
    >>> model = CrossFitted(Ridge(), [{"alpha": 100.0}, {"alpha": 0.1}]).fit(X, y)
    >>> model.tuned_, model.predict([[5.0]]).round(1)
    ({'alpha': 0.1}, array([5.]))

    Notes
    -----
    The variance between members is the grouped jackknife's: of k parts left out in turn, (k - 1) times the mean square
    deviation. It is right for smooth regressors and only proportional to the truth for others, such as trees; the
    stretch makes up for it. Gradients are not followed through a regressor: BoTorch's optimisers see a slope of zero.

    `held_out_` is what members of the last repeat say; settings are compared on the first. One mean and three spreads
    are then still fitted to the errors that it shows.

    References
    ----------
    Efron and Tibshirani, An Introduction to the Bootstrap, Chapman and Hall 1993, ch. 11; Barber et al., Ann. Stat. 49
    (2021) 486, on what such members promise.
    """

    kind_words = "a regressor of parts of the rows"

    def __init__(
        self,
        regressor: Any,
        grid: Sequence[Mapping[str, Any]] = (),
        *,
        noise_prior: float | None = None,
        n_repeats: int = 3,
        tune_seconds: float = 60.0,
        seed: int = 0,
    ) -> None:
        self.regressor = regressor
        self.grid = grid
        self.noise_prior = noise_prior
        self.n_repeats = n_repeats
        self.tune_seconds = tune_seconds
        self.seed = seed

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        noise: ArrayLike | None = None,
        censored: ArrayLike | None = None,
        source: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Learn from measurements, bounds left out; see `Surrogate.fit`.

        `groups` (n,) says what is left out together, where that is neither sources nor equal rows.
        """
        lesson = self._lesson(X, y, noise, censored)
        named = (None if of is None else np.asarray(of).ravel()[lesson.exact] for of in (source, groups))
        alike = groups_of(lesson.rows, *named)
        n_groups = int(alike.max()) + 1
        places = self._settle(lesson.rows)
        if n_groups < LEAST_GROUPS:
            self._learn_the_mean(lesson, places)
            return self
        n, k = len(lesson.z), n_parts(len(lesson.z), n_groups)
        # Where each group is a part, there is one way only to leave them out.
        n_repeats = 1 if k == n_groups else self.n_repeats
        repeats = [group_folds(alike, k, self.seed + i) for i in range(n_repeats)]
        self.tuned_, first = self._tuned(lesson, repeats[0])
        parts = [first, *(self._parted(lesson, folds, self.tuned_) for folds in repeats[1:])]
        self.members_ = [member for part in parts for member in part.members]
        self.regressor_ = self._fitted(lesson, np.arange(n), self.tuned_)
        self._spreads = np.sqrt((k - 1) / len(self.members_))  # of the members' deviations, the jackknife's
        said = np.stack([part.said for part in parts])
        # Of members that had not seen the row, where there are several.
        between = (k - 1) * said.var(axis=0, ddof=1) if n_repeats > 1 else self._between(lesson.rows)
        errors = np.sqrt(np.mean((lesson.z - said) ** 2, axis=0))
        nearest = _nearest_left(places, repeats[-1])
        self._learn_spread(lesson, places, Unseen(errors, between, lesson.variances, nearest))
        self.held_out_: Prediction | None = self._belief(said[-1], between, nearest)
        return self

    def _learn_the_mean(self, lesson: Lesson, places: FloatArray) -> None:
        """Take the mean of rows that are too few to leave one out."""
        nothing = np.empty(0)
        self.regressor_ = DummyRegressor().fit(lesson.rows, lesson.z)
        self.members_, self._spreads, self.tuned_, self.n_tried_ = [self.regressor_], 0.0, {}, 0
        self._learn_spread(lesson, places, Unseen(nothing, nothing, nothing, nothing))
        self.held_out_ = None

    def _tuned(self, lesson: Lesson, folds: Sequence[Fold]) -> tuple[dict[str, Any], _Part]:
        """The setting that errs least on the rows left out, and what its members say of them."""
        until, tells = monotonic() + self.tune_seconds, len(np.unique(lesson.rows, axis=0)) >= LEAST_TUNED
        best: tuple[float, dict[str, Any], _Part] | None = None
        failed: ValueError | None = None
        self.n_tried_ = 0
        for setting in self.grid or ({},):
            if best is not None and (not tells or monotonic() > until):
                break
            self.n_tried_ += 1
            try:
                part = self._parted(lesson, folds, setting)
            except ValueError as error:  # such as more neighbours than there are rows
                failed = error
                continue
            error_squared = float(np.average((lesson.z - part.said) ** 2, weights=lesson.weights))
            if best is None or error_squared < best[0] * (1 - 1e-9):
                best = error_squared, dict(setting), part
        if best is None:
            assert failed is not None  # there is at least one setting
            raise failed
        return best[1:]

    def _parted(self, lesson: Lesson, folds: Sequence[Fold], setting: Mapping[str, Any]) -> _Part:
        """Fit a member to each part, and let it say what it expects of the rows left out."""
        said, members = np.empty(len(lesson.z)), []
        for seen, unseen in folds:
            member = self._fitted(lesson, seen, setting)
            said[unseen] = _said(member, lesson.rows[unseen])
            members.append(member)
        if not np.isfinite(said).all():
            raise ValueError("what is expected of rows left out is not a number")
        return _Part(members, said)

    def _fitted(self, lesson: Lesson, seen: NDArray[np.intp], setting: Mapping[str, Any]) -> Any:
        weights = None if lesson.weights is None else lesson.weights[seen]
        return freshly_fitted(self.regressor, setting, lesson.rows[seen], lesson.z[seen], weights, self.seed)

    def _said(self, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        members = np.stack([_said(member, rows) for member in self.members_])
        return _said(self.regressor_, rows), self._spreads * (members - members.mean(axis=0))

    def _between(self, rows: FloatArray) -> FloatArray:
        """Variance (n,) between members at rows, the jackknife's."""
        return np.asarray((self._said(rows)[1] ** 2).sum(axis=0))

    def _expected(self, X: ArrayLike) -> FloatArray:
        return np.asarray(self._centre + self.scale_ * _said(self.regressor_, asked_rows(self, X)))


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Members that each saw a part of the rows, and what those of them that did not see a row say of it (n,)."""

    members: list[Any]
    said: FloatArray


def _said(regressor: Any, rows: FloatArray) -> FloatArray:
    return np.asarray(regressor.predict(rows), dtype=np.float64).ravel()


def _nearest_left(places: FloatArray, folds: Sequence[Fold]) -> FloatArray:
    """Distance (n,) from each row to the nearest of those that were not left out with it."""
    nearest = np.empty(len(places))
    for seen, unseen in folds:
        nearest[unseen] = KDTree(places[seen]).query(places[unseen])[0]
    return nearest
