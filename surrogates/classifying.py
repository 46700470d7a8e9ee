"""The adapter: any scikit-learn classifier with honest probabilities, tuned and judged on rows that it had not seen."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from time import monotonic
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import Bounds, minimize
from scipy.spatial import KDTree
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

from .base import FloatArray
from .errors import AlloyloopError
from .estimators import freshly_fitted, weights_name
from .left_out import LEAST_GROUPS, groups_of
from .measurements import asked_rows, training_arrays
from .scores import Fold, group_folds

Codes = NDArray[np.intp]

N_FOLDS = 5
# Log-normal priors: mean and standard deviation of the logarithm. They decide where only a handful of rows were left
# out, and hardly matter from thirty on. Of the factor on what members say for and against a class:
STRENGTH_PRIOR = (0.0, 0.7)
# and of the reach, over the root mean square distance of two rows; see `EnsembleModel`.
REACH_PRIOR = (1.0, 1.0)
BOUNDS = (log(1e-2), log(1e2))
# A feature whose spread is a smaller part of its size than this tells no rows apart.
NEGLIGIBLE = 1e-9
# A setting must make the rows left out likelier by this share to be preferred to a simpler one.
CLEARLY = 1e-6

BLOCK = 4096  # rows predicted at a time


class CrossFittedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn comes without types
    """A classifier that knows how far it may be trusted: from what it said of rows that it had not seen.

    Whole sources, where there are some, else rows that are equal, are left out together, each once in every repeat, and
    a member is fitted to what remains. In a member all classes weigh the same, where the classifier takes weights, so
    that a rare one is not passed over. What members say for or against a class is then put on top of how frequent it
    is, times a strength that is fitted to the rows left out: none of it, and the frequencies remain. The strength fades
    with the distance to the nearest row, as fast as the same rows tell. At last each class gets half a row for itself:
    of n rows and k classes, no probability is below 1 / (2n + k).

    Parameters
    ----------
    classifier : an unfitted scikit-learn classifier or pipeline, which scales its own features
    grid : settings of it to choose from, each a mapping of parameters; the first of those that make the rows left out
        likeliest is taken
    n_classes : number of classes, of which some may not be there in training; one more than the largest number, if not
        given
    n_repeats : how often each row is left out
    tune_seconds : after which no further setting is tried
    seed : of what is left out together, and of the classifier where it takes one

    Attributes
    ----------
    classes_ : (k,) the numbers of the classes
    frequencies_ : (k,) share of each class, half a row more for each
    members_ : those that were fitted, each to a part of the rows; empty where there are too few to leave some out
    tuned_ : the setting that was taken
    n_tried_ : how many settings were tried
    strength_ : factor on what members say; below 1 where they were too sure of themselves
    reach_ : distance from the nearest row at which 63 % of the strength is gone, features divided by their spreads
    held_out_ : (n, k) probabilities of the training rows, each by members and with a strength and a reach that knew
        nothing of it

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> X, y = np.arange(12.0)[:, None], np.repeat([0, 1], 6)
    >>> CrossFittedClassifier(GaussianNB()).fit(X, y).predict_proba([[0.0], [5.5], [11.0]]).round(2)
    array([[0.95, 0.05],
           [0.5 , 0.5 ],
           [0.05, 0.95]])

    Notes
    -----
    What is said of a row is the mean of all members, which erred less than one classifier fitted to all rows on nearly
    all of eight tables. The setting is chosen by all rows, so that `held_out_` is kind to it: by 0.01 to 0.04 in log
    loss where rows are left out, and by nothing that shows where whole sources are. Classes that are not there in
    training are as likely as half a row makes them.

    On tables of several papers, parts are not stratified where whole papers are left out: stratified, they promise 0.06
    in log loss more than new papers keep. From paper to paper the frequencies of classes drift, which no calibration on
    the papers at hand foresees.

    References
    ----------
    Guo et al., Proc. 34th Int. Conf. Machine Learning (2017) 1321, on one strength for all classes; Krichevsky and
    Trofimov, IEEE Trans. Inf. Theory 27 (1981) 199, on half a row; Saerens et al., Neural Computation 14 (2002) 21, on
    classes weighed otherwise than they are frequent.
    """

    def __init__(
        self,
        classifier: Any,
        grid: Sequence[Mapping[str, Any]] = (),
        *,
        n_classes: int | None = None,
        n_repeats: int = 2,
        tune_seconds: float = 60.0,
        seed: int = 0,
    ) -> None:
        self.classifier = classifier
        self.grid = grid
        self.n_classes = n_classes
        self.n_repeats = n_repeats
        self.tune_seconds = tune_seconds
        self.seed = seed

    def fit(self, X: ArrayLike, y: ArrayLike, *, source: ArrayLike | None = None) -> Self:
        """Learn from rows whose class is known; see `Classifier.fit`."""
        rows, codes = self._taken_in(X, y)
        n, k = len(codes), len(self.classes_)
        alike, groups = groups_of(rows), groups_of(rows, _sources(source, n))
        places = self._settle(rows)
        self.frequencies_ = _frequencies(codes, k)
        usual = sqrt(2 * float(places.var(axis=0).sum())) or 1.0  # root mean square distance of two rows
        self.members_: list[_Member] = []
        self.tuned_: dict[str, Any] = {}
        self.n_tried_, self.strength_, self.reach_ = 0, 0.0, usual
        self.held_out_ = np.tile(self.frequencies_, (n, 1))
        n_groups = int(groups.max()) + 1
        if n_groups < LEAST_GROUPS:
            return self
        lesson = _Lesson(rows, codes, self.frequencies_, places, usual)
        n_folds = min(N_FOLDS, n_groups)
        # Where each group is a part, there is one way only to leave them out.
        seeds = range(self.seed, self.seed + (1 if n_folds == n_groups else self.n_repeats))
        if np.array_equal(groups, alike):
            repeats = [_stratified(codes, groups, n_folds, seed) for seed in seeds]
        else:  # a new source may hold classes as no other does: parts that are all alike would promise too much
            repeats = [group_folds(groups, n_folds, seed) for seed in seeds]
        parts = [self._tuned(lesson, repeats[0])]
        parts += [self._parted(lesson, folds, self.tuned_) for folds in repeats[1:]]
        self.members_ = [member for part in parts for member in part.members]
        unseen = _Unseen.mean([part.unseen for part in parts])
        trust = _fitted_trust(lesson, unseen, np.arange(n))
        self.strength_, self.reach_ = trust.strength, trust.reach * usual
        for seen, left_out in repeats[0]:
            by_others = _fitted_trust(lesson, unseen, seen)
            told = by_others.probabilities(_frequencies(codes[seen], k), unseen.rows(left_out), len(seen))
            self.held_out_[left_out] = told
        return self

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """Probabilities (n, k) of the classes of each row; rows sum to 1, and none of them is 0."""
        rows = asked_rows(self, X)
        return np.concatenate(
            [self._believed(rows[start : start + BLOCK]) for start in range(0, len(rows), BLOCK)]
            or [np.empty((0, len(self.classes_)))]
        )

    def predict(self, X: ArrayLike) -> Codes:
        """Number (n,) of the likeliest class of each row."""
        likeliest = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[likeliest])

    def _taken_in(self, X: ArrayLike, y: ArrayLike) -> tuple[FloatArray, Codes]:
        """Checked rows (n, n_features) and the numbers of their classes (n,); notes which classes there are."""
        rows, values = training_arrays(self, X, y)
        codes = _numbers(values, self.n_classes)
        if np.ptp(codes) == 0:
            raise AlloyloopError(
                f"all rows are of one class, number {codes[0]}, so that there is nothing to tell apart",
                "Add rows of another class.",
            )
        self.classes_ = np.arange(self.n_classes or int(codes.max()) + 1)
        return rows, codes

    def _settle(self, rows: FloatArray) -> FloatArray:
        """Remember where rows lie (n, n_features), and return their places, in units of the features' spreads."""
        self._n, self._scaler = len(rows), StandardScaler().fit(rows)
        places = self._place(rows)
        self._known = KDTree(places)
        return places

    def _place(self, rows: FloatArray) -> FloatArray:
        return np.asarray(self._scaler.transform(rows))

    def _tuned(self, lesson: _Lesson, folds: Sequence[Fold]) -> _Part:
        """Take the setting that makes the rows left out likeliest, and what its members say of them."""
        until = monotonic() + self.tune_seconds
        best: tuple[float, dict[str, Any], _Part] | None = None
        for setting in self.grid or ({},):
            if best is not None and monotonic() > until:
                break
            self.n_tried_ += 1
            part = self._parted(lesson, folds, setting)
            trust = _fitted_trust(lesson, part.unseen, np.arange(self._n))
            told = trust.probabilities(self.frequencies_, part.unseen, self._n)
            loss = float(-np.log(told[np.arange(self._n), lesson.codes]).mean())
            if best is None or loss < best[0] * (1 - CLEARLY):
                best = loss, dict(setting), part
        assert best is not None  # there is at least one setting
        self.tuned_ = best[1]
        return best[2]

    def _parted(self, lesson: _Lesson, folds: Sequence[Fold], setting: Mapping[str, Any]) -> _Part:
        """Fit a member to each part, and let it say what it thinks of the rows left out."""
        said, nearest, members = np.empty((self._n, len(self.classes_))), np.empty(self._n), []
        for seen, unseen in folds:
            member = self._fitted(lesson, seen, setting)
            said[unseen] = member.says(lesson.rows[unseen])
            nearest[unseen] = KDTree(lesson.places[seen]).query(lesson.places[unseen])[0] / lesson.usual
            members.append(member)
        return _Part(members, _Unseen(said, nearest))

    def _fitted(self, lesson: _Lesson, seen: Codes, setting: Mapping[str, Any]) -> _Member:
        """Fit a member to some of the rows; where these tell no classes apart, it is one that says nothing."""
        rows, codes, k = lesson.rows[seen], lesson.codes[seen], len(self.classes_)
        there, counts = np.unique(codes, return_counts=True)
        varies = (np.ptp(rows, axis=0) > NEGLIGIBLE * np.abs(rows).max(axis=0)).any()
        if len(there) < 2 or len(codes) <= len(there) or not varies:
            return _Member(None, there, np.empty(0), len(codes), k)
        if weights_name(self.classifier) is None:
            weights, expected = None, np.log(_with_half_a_row(counts / len(codes), len(codes)))
        else:
            weights, expected = compute_sample_weight("balanced", codes), np.full(len(there), -log(len(there)))
        fitted = freshly_fitted(self.classifier, setting, rows, codes, weights, self.seed)
        return _Member(fitted, there, expected, len(codes), k)

    def _believed(self, rows: FloatArray) -> FloatArray:
        """Probabilities (n, k) of checked rows."""
        if not self.members_:
            return np.tile(self.frequencies_, (len(rows), 1))
        said = np.mean([member.says(rows) for member in self.members_], axis=0)
        nearest = np.asarray(self._known.query(self._place(rows))[0])
        trust = _Trust(self.strength_, self.reach_)
        return trust.probabilities(self.frequencies_, _Unseen(said, nearest), self._n)


@dataclass(frozen=True, slots=True, eq=False)
class _Lesson:
    """What is learned from.

    Parameters
    ----------
    rows : (n, n_features)
    codes : (n,) their classes
    frequencies : (k,) of the classes
    places : (n, n_features) rows in units of the features' spreads
    usual : root mean square distance of two places
    """

    rows: FloatArray
    codes: Codes
    frequencies: FloatArray
    places: FloatArray
    usual: float


@dataclass(frozen=True, slots=True, eq=False)
class _Member:
    """A classifier fitted to a part of the rows.

    Parameters
    ----------
    classifier : None where the part told no classes apart
    there : (n_there,) the classes that the part holds
    expected : (n_there,) log probability that the classifier gives to each before it looks at a row
    n : number of rows of the part
    k : number of classes
    """

    classifier: Any
    there: Codes
    expected: FloatArray
    n: int
    k: int

    def says(self, rows: FloatArray) -> FloatArray:
        """How much each row speaks for each class (n, k): in logarithms, beyond how frequent it is; 0 for nothing."""
        said = np.zeros((len(rows), self.k))
        if self.classifier is None:
            return said
        if hasattr(self.classifier, "predict_proba"):
            told = np.asarray(self.classifier.predict_proba(rows))
            said[:, self.there] = np.log(_with_half_a_row(told, self.n)) - self.expected
        else:
            margins = np.asarray(self.classifier.decision_function(rows))
            said[:, self.there] = margins if margins.ndim == 2 else np.column_stack([-margins / 2, margins / 2])
        return said


@dataclass(frozen=True, slots=True, eq=False)
class _Unseen:
    """What is said of rows by members that have not seen them.

    Parameters
    ----------
    said : (n, k) see `_Member`
    nearest : (n,) distance to the nearest row that was seen, over that of two rows where a trust is fitted
    """

    said: FloatArray
    nearest: FloatArray

    def rows(self, chosen: Codes) -> _Unseen:
        """Some of them, by index."""
        return _Unseen(self.said[chosen], self.nearest[chosen])

    @staticmethod
    def mean(of: Sequence[_Unseen]) -> _Unseen:
        """The mean of what several say of the same rows."""
        return _Unseen(*(np.mean([getattr(one, name) for one in of], axis=0) for name in ("said", "nearest")))


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Members that each saw a part of the rows, and what they say of the others."""

    members: list[_Member]
    unseen: _Unseen


@dataclass(frozen=True, slots=True)
class _Trust:
    """How much of what members say is to be believed, at no distance; and where 63 % of that is gone."""

    strength: float
    reach: float

    def probabilities(self, frequencies: FloatArray, unseen: _Unseen, n: int) -> FloatArray:
        """Probabilities (n_rows, k) of classes, learned from n rows."""
        said = (self.strength * np.exp(-unseen.nearest / self.reach))[:, None] * unseen.said
        return _with_half_a_row(np.exp(log_softmax(np.log(frequencies) + said, axis=1)), n)


def _fitted_trust(lesson: _Lesson, unseen: _Unseen, judging: Codes) -> _Trust:
    """The trust that makes the classes of some rows likeliest; its reach is over the distance of two rows."""
    codes, said, nearest = lesson.codes[judging], unseen.said[judging], unseen.nearest[judging]
    at, by_frequency = np.arange(len(codes)), np.log(lesson.frequencies)
    centre, width = np.array([STRENGTH_PRIOR, REACH_PRIOR]).T

    def loss(theta: FloatArray) -> tuple[float, FloatArray]:
        trust = exp(theta[0]) * np.exp(-nearest * exp(-theta[1]))
        told = log_softmax(by_frequency + trust[:, None] * said, axis=1)
        steeper = ((np.exp(told) * said).sum(axis=1) - said[at, codes]) * trust  # with the logarithm of the trust
        slopes = np.array([steeper.sum(), (steeper * nearest).sum() * exp(-theta[1])])
        deviation = (theta - centre) / width
        return float(deviation @ deviation / 2 - told[at, codes].sum()), slopes + deviation / width

    found = minimize(loss, centre, jac=True, method="L-BFGS-B", bounds=Bounds(*BOUNDS)).x
    return _Trust(exp(found[0]), exp(found[1]))


def _stratified(codes: Codes, groups: Codes, n_folds: int, seed: int) -> list[Fold]:
    """Parts of whole groups, in which classes are as frequent as in all rows, as far as that can be."""
    if np.bincount(codes).max() < n_folds:
        return group_folds(groups, n_folds, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a class of fewer rows than parts is missing in some
        parts = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed).split(codes[:, None], codes, groups)
        return [(seen, unseen) for seen, unseen in parts if len(unseen)]


def _frequencies(codes: Codes, k: int) -> FloatArray:
    """Share (k,) of each class, half a row more for each."""
    return _with_half_a_row(np.bincount(codes, minlength=k) / len(codes), len(codes))


def _with_half_a_row(shares: FloatArray, n: int) -> FloatArray:
    """Shares (..., k) among n rows, as they are after half a row more for each class: none is 0."""
    return np.asarray((n * shares + 0.5) / (n + shares.shape[-1] / 2))


def _sources(source: ArrayLike | None, n: int) -> NDArray[Any] | None:
    """Names of the sources of n rows."""
    if source is None:
        return None
    names = np.asarray(source).ravel()
    if len(names) != n:
        raise AlloyloopError(f"there are {n} rows but {len(names)} sources of them", "Name one for each, or none.")
    return names


def _numbers(values: FloatArray, n_classes: int | None) -> Codes:
    """Values (n,) as numbers of classes."""
    wrong = (values < 0) | (values % 1 != 0)
    if wrong.any():
        i = int(np.argmax(wrong))
        raise AlloyloopError(
            f"value {i + 1} of y is {values[i]:g}, which is not the number of a class", "Number the classes 0, 1, 2 …"
        )
    if n_classes is not None and values.max() >= n_classes:
        i = int(np.argmax(values))
        raise AlloyloopError(
            f"value {i + 1} of y is class {values[i]:g}, but there are {n_classes} classes, numbered from 0",
            "Give n_classes as one more than the largest number.",
        )
    return values.astype(np.intp)
