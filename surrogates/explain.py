"""Reasons for a belief, as numbers: what shuffling costs, what each part contributes, which rows disagree."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import factorial, sqrt
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from .base import FloatArray, Prediction
from .errors import AlloyloopError

BoolArray: TypeAlias = NDArray[np.bool_]
Asker: TypeAlias = Callable[[BoolArray, NDArray[np.intp]], FloatArray]

# With at most so many groups every subset of them is tried; each more doubles the number.
MOST_ENUMERATED = 8
# Predictions that a sampled explanation is made of, or a few more: each background row is used equally often.
N_SAMPLED = 32_768


@dataclass(frozen=True, slots=True)
class Rise:
    """How much larger the error becomes, in the unit of y: its mean over repeats, and their standard deviation."""

    mean: float
    std: float


def rise_of_error(y: FloatArray, mean: FloatArray, shuffled: FloatArray) -> Rise:
    """What the root mean square error gains where one thing is shuffled among the rows.

    Parameters
    ----------
    y, mean : (n,) measured and predicted
    shuffled : (n_repeats, n) predicted of the same rows, that one thing shuffled anew each time

    References
    ----------
    Fisher, Rudin and Dominici, J. Mach. Learn. Res. 20 (2019) 177; Breiman, Machine Learning 45 (2001) 5.

    Examples
    --------
    >>> rise_of_error(np.array([1.0, 2.0]), np.array([1.0, 2.0]), np.array([[2.0, 1.0], [1.0, 2.0]]))
    Rise(mean=0.5, std=0.7071067811865476)
    """
    rises = np.sqrt(np.mean((shuffled - y) ** 2, axis=1)) - sqrt(np.mean((mean - y) ** 2))
    return Rise(float(rises.mean()), float(rises.std(ddof=1)) if len(rises) > 1 else 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """How a difference is shared among groups.

    Parameters
    ----------
    base : what the difference is from
    of : (n_groups,) the share of each; with `base` they sum to the whole
    errors : (n_groups,) standard error of each, from sampling; 0 where every subset was tried
    """

    base: float
    of: FloatArray
    errors: FloatArray


def shapley(ask: Asker, n_groups: int, n_background: int, rng: np.random.Generator) -> Shares:
    """Share the difference between one point and the mean of background rows among groups of features.

    The Shapley value: what a group changes when it goes over from a background row to the point, averaged over every
    order in which the groups may do so and over the background rows. It is exact for few groups; for more, orders are
    drawn, each with its reverse, equally many from each background row.

    Parameters
    ----------
    ask : given (m, n_groups) which groups have gone over, and (m,) of which background row the others are, the mean
        (m,) that is predicted
    n_groups, n_background : how many there are
    rng : draws the orders

    References
    ----------
    Shapley, Contributions to the Theory of Games II, Princeton 1953, 307; Štrumbelj and Kononenko, Knowl. Inf. Syst. 41
    (2014) 647, doi:10.1007/s10115-013-0679-x; Mitchell et al., J. Mach. Learn. Res. 23 (2022) 43 (reversed orders).

    Examples
    --------
    Of 10 a and 2 b, where the background is a = 0 and b = 0 or 1, and the point is a = b = 1:

    >>> background = np.array([[0.0, 0.0], [0.0, 1.0]])
    >>> told = shapley(
    ...     lambda taken, row: np.where(taken, 1.0, background[row]) @ [10.0, 2.0], 2, 2, np.random.default_rng(0)
    ... )
    >>> told.base, told.of
    (1.0, array([10.,  1.]))
    """
    if n_groups <= MOST_ENUMERATED:
        return _enumerated(ask, n_groups, n_background)
    return _sampled(ask, n_groups, n_background, rng)


def _enumerated(ask: Asker, n: int, n_background: int) -> Shares:
    subsets = (
        np.arange(2**n)[:, None] >> np.arange(n)
    ) % 2 == 1  # (2^n, n); number i holds group j if its bit j is set
    taken = np.repeat(subsets, n_background, axis=0)
    worth = ask(taken, np.tile(np.arange(n_background), 2**n)).reshape(2**n, n_background).mean(axis=1)
    size = subsets.sum(axis=1)
    weights = np.array([factorial(s) * factorial(n - s - 1) / factorial(n) for s in range(n)])
    shares = np.empty(n)
    for j in range(n):
        without = np.flatnonzero(~subsets[:, j])
        shares[j] = weights[size[without]] @ (worth[without + 2**j] - worth[without])
    return Shares(float(worth[0]), shares, np.zeros(n))


def _sampled(ask: Asker, n: int, n_background: int, rng: np.random.Generator) -> Shares:
    rounds = max(1, round(N_SAMPLED / (2 * (n + 1) * n_background)))
    rows = np.tile(np.arange(n_background), rounds)
    orders = rng.permuted(np.tile(np.arange(n), (len(rows), 1)), axis=1)  # (n_orders, n) which group goes over when
    gains = np.zeros((len(rows), n))
    base = 0.0
    for each in (orders, orders[:, ::-1]):
        turn = np.argsort(each, axis=1)  # (n_orders, n) when each group goes over
        taken = turn[:, None, :] < np.arange(n + 1)[:, None]  # (n_orders, n + 1, n)
        worth = ask(taken.reshape(-1, n), np.repeat(rows, n + 1)).reshape(len(rows), n + 1)
        gains += np.take_along_axis(np.diff(worth, axis=1), turn, axis=1) / 2
        base += float(worth[:, 0].mean()) / 2
    errors = gains.std(axis=0, ddof=1) / sqrt(len(rows)) if len(rows) > 1 else np.full(n, np.nan)
    return Shares(base, gains.mean(axis=0), errors)


def layers(model: Any) -> Iterator[Any]:
    """A fitted surrogate, the one inside it, as that on a scale, and so on inward."""
    while model is not None:
        yield model
        model = getattr(model, "surrogate_", None)


def relevances_of(model: Any, n_features: int) -> FloatArray | None:
    """The share of attention (n_features,) that a surrogate says it gives each feature; None where it does not say."""
    told = next((layer.relevances_ for layer in layers(model) if hasattr(layer, "relevances_")), None)
    return None if told is None or len(told) != n_features else np.asarray(told, dtype=np.float64)


def discounted_by(model: Any) -> frozenset[int]:
    """The training rows that a surrogate gave less weight, since they disagree with all others."""
    told = next((layer.outliers_ for layer in layers(model) if hasattr(layer, "outliers_")), ())
    return frozenset(int(row) for row in told)


def left_out_one_by_one(model: Any) -> Prediction | None:
    """What a surrogate believes of each training row by all others; None where it, or one inside it, cannot say."""
    if not all(hasattr(layer, "leave_one_out") for layer in layers(model)):
        return None
    try:
        return cast(Prediction, model.leave_one_out())
    except AlloyloopError:  # it could of fewer rows
        return None


def deviations(prediction: Prediction, y: FloatArray) -> FloatArray:
    """By how many standard deviations measurements lie above what was predicted, on the scale of the model. (n,)

    0 where no uncertainty is left at all, as of equal values without any noise.

    Examples
    --------
    >>> belief = Prediction(mean=np.array([60.0]), std=np.array([3.0]), noise=np.array([4.0]))
    >>> deviations(belief, np.array([75.0]))
    array([3.])
    """
    belief = prediction.measurement
    error = belief.scale.forward(y) - belief.mean
    return np.asarray(np.divide(error, belief.std, out=np.zeros_like(error), where=belief.std > 0))
