"""How good beliefs are on rows they were not made from, what they must beat, and which model to choose."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score, roc_auc_score
from sklearn.model_selection import GroupKFold, KFold, LeaveOneGroupOut

from .base import FloatArray, Prediction
from .errors import AlloyloopError
from .measurements import Z90, asked_rows, training_arrays

Fold: TypeAlias = tuple[NDArray[np.intp], NDArray[np.intp]]  # rows to learn from, rows to be judged by
Maker: TypeAlias = Callable[[], Any]  # makes an unfitted regressor whose predict takes return_std


def rmse(y: FloatArray, mean: FloatArray) -> float:
    """Root mean square error, in the unit of y."""
    return float(np.sqrt(np.mean((y - mean) ** 2)))


def mae(y: FloatArray, mean: FloatArray) -> float:
    """Mean absolute error, in the unit of y."""
    return float(np.mean(np.abs(y - mean)))


def mape(y: FloatArray, mean: FloatArray) -> float:
    """Mean absolute error as a share of the value, 0.1 for 10 %; NaN where a value is 0, of which it says nothing."""
    return float(np.mean(np.abs((y - mean) / y))) if np.all(y != 0) else float("nan")


def r2(y: FloatArray, mean: FloatArray) -> float:
    """Share of the variance of y that is explained: 1 at best, 0 for its mean, NaN where y does not vary."""
    total = float(np.sum((y - np.mean(y)) ** 2))
    return 1 - float(np.sum((y - mean) ** 2)) / total if total > 0 else float("nan")


def nll(y: FloatArray, mean: FloatArray, std: FloatArray) -> float:
    """Mean negative log density of y under normal beliefs: lower is better, and depends on the unit of y."""
    return float(np.mean(np.log(std) + ((y - mean) / std) ** 2 / 2 + np.log(2 * np.pi) / 2))


def crps(y: FloatArray, mean: FloatArray, std: FloatArray) -> float:
    """Mean continuous ranked probability score of normal beliefs, in the unit of y: lower is better.

    The mean absolute error of a belief that may be vague: it rewards a good mean and an honest spread as the likelihood
    does, but an outlier costs its distance and not the square of it.

    References
    ----------
    Gneiting and Raftery, J. Am. Stat. Assoc. 102 (2007) 359, doi:10.1198/016214506000001437, eq. 21.
    """
    z = (y - mean) / std
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return float(np.mean(std * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi))))


def coverage90(y: FloatArray, mean: FloatArray, std: FloatArray) -> float:
    """Share of y inside the 90 % intervals; 0.9 where they are honest."""
    return float(np.mean(np.abs(y - mean) <= Z90 * std))


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of the beliefs about n measured values; `sharpness` is the mean width of the 90 % intervals."""

    rmse: float
    mae: float
    r2: float
    nll: float
    crps: float
    coverage90: float
    sharpness: float

    @classmethod
    def of(cls, y: FloatArray, mean: FloatArray, std: FloatArray) -> Self:
        """Score beliefs, `std` being that of a measurement.

        Examples
        --------
        >>> Scores.of(np.array([1.0, 2.0]), np.array([1.0, 4.0]), np.array([1.0, 1.0])).coverage90
        0.5
        """
        return cls(
            rmse=rmse(y, mean),
            mae=mae(y, mean),
            r2=r2(y, mean),
            nll=nll(y, mean, std),
            crps=crps(y, mean, std),
            coverage90=coverage90(y, mean, std),
            sharpness=float(2 * Z90 * np.mean(std)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Forecasts:
    """Beliefs about n measurements beside the measurements themselves; several models, on several scales, may share it.

    Parameters
    ----------
    y : (n,) measured values
    mean : (n,) what was expected
    low, high : (n,) ends of the 90 % intervals
    log_density : (n,) logarithm of the density that was given to y, in one over its unit
    rank : (n,) the probability that was given to all values up to y; uniform from 0 to 1 where beliefs are honest
    """

    y: FloatArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray
    log_density: FloatArray
    rank: FloatArray

    @classmethod
    def of(cls, y: FloatArray, belief: Prediction) -> Self:
        """Lay measured values (n,) beside what was believed of them.

        Examples
        --------
        >>> belief = Prediction(mean=np.array([60.0]), std=np.array([3.0]), noise=np.array([4.0]))
        >>> Forecasts.of(np.array([60.0]), belief).rank
        array([0.5])
        """
        low, high = belief.interval(0.9)
        rank = np.exp(belief.log_probability(-inf, y))
        return cls(y, belief.mean, low, high, belief.log_density(y), rank)

    def __len__(self) -> int:
        return len(self.y)

    @classmethod
    def joined(cls, parts: Sequence[Forecasts]) -> Forecasts:
        """Several, one after the other."""
        names = ("y", "mean", "low", "high", "log_density", "rank")
        return Forecasts(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def rows(self, chosen: NDArray[np.intp]) -> Forecasts:
        """Some of them, by index."""
        names = ("y", "mean", "low", "high", "log_density", "rank")
        return Forecasts(*(getattr(self, name)[chosen] for name in names))

    @property
    def scores(self) -> dict[str, float]:
        """Scores by name; `sharpness` is the mean width of the 90 % intervals, and NaN what is not defined."""
        return {
            "rmse": rmse(self.y, self.mean),
            "mae": mae(self.y, self.mean),
            "mape": mape(self.y, self.mean),
            "r2": r2(self.y, self.mean),
            "nll": float(-np.mean(self.log_density)),
            "coverage90": self.held(0.9),
            "sharpness": float(np.mean(self.high - self.low)),
        }

    def held(self, level: float) -> float:
        """Share of the measurements inside central intervals of this level; equal to it where beliefs are honest."""
        return float(np.mean(np.abs(2 * self.rank - 1) <= level))


def advantage(
    errors: FloatArray,
    others: FloatArray,
    groups: Sequence[Hashable] | NDArray[Any],
    rng: np.random.Generator,
    n_samples: int = 1000,
) -> tuple[float, float]:
    """How much larger the RMSE of others is, and the standard deviation of that, had other groups been measured.

    Parameters
    ----------
    errors, others : (n,) squared errors of two models at the same rows
    groups : (n,) rows of one group, such as a paper, err together: groups and not rows are drawn again

    Returns
    -------
    the difference, and its standard deviation over draws of as many groups with replacement

    References
    ----------
    Efron and Tibshirani, An Introduction to the Bootstrap, Chapman and Hall 1993, ch. 6 and 8.

    Examples
    --------
    >>> more, spread = advantage(np.ones(4), np.full(4, 4.0), ["a", "a", "b", "c"], np.random.default_rng(0))
    >>> more, spread
    (1.0, 0.0)
    """
    codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    n_groups = int(codes.max()) + 1
    sums = np.stack([np.bincount(codes, of, n_groups) for of in (np.ones(len(errors)), errors, others)], axis=1)
    drawn = rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), n_samples) @ sums
    roots = np.sqrt(drawn[:, 1:] / drawn[:, :1])
    difference = float(np.sqrt(np.mean(others)) - np.sqrt(np.mean(errors)))
    return difference, float(np.std(roots[:, 1] - roots[:, 0]))


# A class that was held for impossible and came costs no more than this probability.
LEAST_PROBABILITY = 1e-6


def class_scores(truth: NDArray[np.intp], probabilities: FloatArray) -> dict[str, float]:
    """Scores of n beliefs about which of k classes each row is, by name.

    Parameters
    ----------
    truth : (n,) the class of each row, from 0
    probabilities : (n, k) of each class; rows sum to 1

    Returns
    -------
    `accuracy`; `recall`, the mean over the classes that are there of the share of each that was recognised; `log_loss`,
    the mean negative logarithm of the probability of what came
    """
    likeliest = probabilities.argmax(axis=1)
    of_truth = probabilities[np.arange(len(truth)), truth]
    return {
        "accuracy": float(accuracy_score(truth, likeliest)),
        "recall": float(recall_score(truth, likeliest, labels=np.unique(truth), average="macro")),
        "log_loss": float(-np.mean(np.log(np.maximum(of_truth, LEAST_PROBABILITY)))),
    }


def auc(truth: NDArray[np.intp], probabilities: FloatArray) -> float:
    """Area under the receiver operating curve: each class against the rest, and their mean; 0.5 for a guess.

    Only classes count that some rows are and others are not; NaN where there are none. To be taken within one fold:
    what different models say is not ranked by one threshold.
    """
    asked = [code for code in range(probabilities.shape[1]) if 0 < np.mean(truth == code) < 1]
    each = [float(roc_auc_score(truth == code, probabilities[:, code])) for code in asked]
    return float(np.mean(each)) if each else float("nan")


def confusion(truth: NDArray[np.intp], probabilities: FloatArray) -> FloatArray:
    """(k, k) counts: row i, column j is how many rows of class i were taken for class j."""
    k = probabilities.shape[1]
    return np.asarray(confusion_matrix(truth, probabilities.argmax(axis=1), labels=range(k)), dtype=np.float64)


def shuffled_folds(n: int, k: int = 10, seed: int = 0) -> list[Fold]:
    """Split n rows into k random parts of nearly equal size; each part is judged by the others."""
    return list(KFold(k, shuffle=True, random_state=seed).split(np.empty((n, 1))))


def group_folds(groups: Sequence[Hashable] | NDArray[Any], k: int | None = None, seed: int | None = None) -> list[Fold]:
    """Leave out whole groups, such as papers: one at a time, or in k parts.

    Parameters
    ----------
    groups : (n,) the group of each row
    k : number of parts; as many as groups where it is not given
    seed : of parts with nearly equal numbers of groups, chosen by lot; without it, of nearly equal numbers of rows

    Examples
    --------
    >>> [test.tolist() for _, test in group_folds(["a", "b", "a"])]
    [[0, 2], [1]]
    """
    codes = np.unique(np.asarray(groups), return_inverse=True)[1]
    lots = {} if seed is None else {"shuffle": True, "random_state": seed}
    splitter = LeaveOneGroupOut() if k is None else GroupKFold(k, **lots)
    return list(splitter.split(np.empty((len(codes), 1)), groups=codes))


def held_out(
    make: Maker, X: ArrayLike, y: ArrayLike, folds: Sequence[Fold], noise: ArrayLike | None = None
) -> tuple[FloatArray, FloatArray]:
    """Mean (n,) and std (n,) of a measurement at every row, believed by a model that did not see its fold.

    Parameters
    ----------
    make : makes a new unfitted model, one for each fold
    X, y, noise : as for `Surrogate.fit`
    folds : every row is judged in exactly one of them
    """
    rows, values = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
    judged = np.sort(np.concatenate([test for _, test in folds]))
    if not np.array_equal(judged, np.arange(len(values))):
        raise AlloyloopError("the folds do not judge every row exactly once")
    mean, std = np.empty(len(values)), np.empty(len(values))
    for train, test in folds:
        stated = {} if noise is None else {"noise": np.asarray(noise, dtype=np.float64)[train]}
        model = make().fit(rows[train], values[train], **stated)
        mean[test], std[test] = model.predict(rows[test], return_std=True)
    return mean, std


class MeanBaseline(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn comes without types
    """What is predicted by someone who never looks at X: the mean, give or take the spread."""

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Remember the mean and the spread of y."""
        X, y = training_arrays(self, X, y)
        self.mean_, self.std_ = float(np.mean(y)), float(np.std(y, ddof=1)) if len(y) > 1 else 0.0
        return self

    def predict(self, X: ArrayLike, return_std: bool = False) -> FloatArray | tuple[FloatArray, FloatArray]:
        """The mean (n,), and with `return_std` the spread (n,)."""
        n = len(asked_rows(self, X))
        return (np.full(n, self.mean_), np.full(n, self.std_)) if return_std else np.full(n, self.mean_)


class LinearMixture(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn comes without types
    """A weighted mean of what the pure components have: the rule of mixtures, y = Σ x_i y_i.

    Parameters
    ----------
    pure : (n_features,) property of each pure component; fitted to the data by least squares if not given
    """

    def __init__(self, *, pure: ArrayLike | None = None) -> None:
        self.pure = pure

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Learn the components' values, if they are not given, and the scatter about the rule."""
        X, y = training_arrays(self, X, y)
        given = self.pure is not None
        self.pure_ = np.asarray(self.pure, dtype=np.float64) if given else np.linalg.lstsq(X, y, rcond=None)[0]
        free = max(1, len(y) - (0 if given else int(np.linalg.matrix_rank(X))))
        self.std_ = float(np.sqrt(np.sum((y - X @ self.pure_) ** 2) / free))
        return self

    def predict(self, X: ArrayLike, return_std: bool = False) -> FloatArray | tuple[FloatArray, FloatArray]:
        """The mixture (n,), and with `return_std` the scatter (n,) about it."""
        mean = np.asarray(asked_rows(self, X) @ self.pure_)
        return (mean, np.full(len(mean), self.std_)) if return_std else mean
