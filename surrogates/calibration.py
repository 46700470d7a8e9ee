"""Are beliefs as sure as they should be? The factor that makes them so, and the curve that shows it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .base import FloatArray
from .errors import AlloyloopError
from .scores import Fold, Maker, held_out

# What is thought of a factor before any row is seen: 1, as firmly as if by this many rows. From n honest rows its
# logarithm is known to 0.89/√n, which for 9 rows is 0.3: models judged on other tables were right within a third.
PRIOR_ROWS = 9
FACTOR_BOUNDS = (0.5, 3.0)  # a model that errs by more is wrong in its mean, and no factor mends it

Groups = Sequence[Hashable] | NDArray[Any]


def coverage(errors: FloatArray, stds: FloatArray, level: float = 0.9) -> float:
    """Share of measurements inside the central intervals of a level; equal to it where beliefs are honest.

    Examples
    --------
    >>> coverage(np.array([1.0, -1.6, 3.0, 0.2]), np.ones(4))
    0.75
    """
    return float(np.mean(np.abs(errors) <= _half(level) * stds))


def scale_factor(errors: FloatArray, stds: FloatArray, level: float = 0.9, sources: Groups | None = None) -> float:
    """The factor on standard deviations with which central intervals hold this share of new measurements.

    The quantile of |error| / std at `level`, over that of a normal. The n rows cut n + 1 equal parts, so that the next
    row is held with this probability, whatever the distribution; of K sources, the next one is as many rows as the
    others have on average, and takes n / K parts for itself. Then the factor's logarithm is drawn towards 0, as if
    there were `PRIOR_ROWS` more rows that say 1.

    Parameters
    ----------
    errors : (n,) measured minus expected values of rows that the model had not seen
    stds : (n,) standard deviations that were believed of them, in the same unit
    level : share to be held
    sources : (n,) source of each row; where given, rows of a source err together: the next is a source of its own, and
        the factor is drawn in as if each source were one row; in the quantile every row counts

    Examples
    --------
    >>> many, few = np.linspace(-3.7, 3.7, 1000), np.linspace(-3.7, 3.7, 5)
    >>> round(scale_factor(many, np.ones(1000)), 1)  # nine in ten err by less than 3.3, and not by less than 1.6
    2.0
    >>> round(scale_factor(few, np.ones(5)), 1)  # five rows hardly say so
    1.3

    Notes
    -----
    Found inside forests' training parts, on five tables with whole papers or compositions left out, it takes the share
    that 90 % intervals hold from 81, 86, 88, 94 and 96 % to 84, 91, 91, 90 and 93 %. Were every source to count once in
    the quantile, it would be 80, 97, 93, 92 and 92 %.

    References
    ----------
    Vovk, Gammerman and Shafer, Algorithmic Learning in a Random World, Springer 2005, ch. 2, on the n + 1 parts.
    """
    if not len(errors):
        return 1.0
    n, n_said = len(errors), len(errors) if sources is None else len(np.unique(np.asarray(sources)))
    ratio = np.sort(np.abs(errors) / stds)
    factor = float(np.interp(level, np.arange(1, n + 1) / (n + n / n_said), ratio)) / _half(level)
    low, high = FACTOR_BOUNDS
    return float(np.clip(factor, low, high) ** (n_said / (n_said + PRIOR_ROWS)))


def calibrated_held_out(
    make: Maker,
    X: ArrayLike,
    y: ArrayLike,
    folds: Sequence[Fold],
    inner_folds: Callable[[NDArray[np.intp]], Sequence[Fold]],
    noise: ArrayLike | None = None,
    sources: Groups | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Mean (n,) and calibrated std (n,) of a measurement at every row, by a model that did not see its fold.

    Nor did the factor: it is found inside the rows that each model learns from, by holding out parts of these in turn.

    Parameters
    ----------
    make, X, y, folds, noise : as for `held_out`
    inner_folds : folds of some rows, given by index; what it returns counts within them
    sources : (n,) as for `scale_factor`
    """
    rows, values = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
    stated = None if noise is None else np.asarray(noise, dtype=np.float64)
    mean, std = held_out(make, rows, values, folds, stated)
    for train, test in folds:
        known = None if stated is None else stated[train]
        inner_mean, inner_std = held_out(make, rows[train], values[train], inner_folds(train), known)
        groups = None if sources is None else np.asarray(sources)[train]
        std[test] *= scale_factor(values[train] - inner_mean, inner_std, sources=groups)
    return mean, std


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """How many measurements intervals held, level by level, and how many honest ones would have.

    Parameters
    ----------
    levels : (n_levels,) shares that central intervals should hold
    held : (n_levels,) shares that they held
    low, high : (n_levels,) band about `levels` in which honest ones lie in 95 of 100 tables of this size
    """

    levels: FloatArray
    held: FloatArray
    low: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, rank: FloatArray, levels: ArrayLike | None = None, sources: Groups | None = None) -> Self:
        """The curve of n measurements.

        Parameters
        ----------
        rank : (n,) probability that was believed of all values up to the one measured
        levels : (n_levels,) 0.05, 0.10 … 0.95 if not given
        sources : (n,) source of each row; where given, the rows of a source are held or not held together, and the band
            is that of as many trials as there are sources: the widest that it can be

        Examples
        --------
        >>> curve = Reliability.of(np.array([0.02, 0.3, 0.5, 0.7]), levels=[0.5, 0.9])
        >>> curve.held
        array([0.75, 0.75])
        """
        from scipy.stats import binom

        asked = np.arange(1, 20) / 20 if levels is None else np.asarray(levels, dtype=np.float64)
        n_trials = len(rank) if sources is None else len(np.unique(np.asarray(sources)))
        held = np.mean(np.abs(2 * rank - 1)[:, None] <= asked, axis=0)
        low, high = (np.asarray(binom.ppf(tail, n_trials, asked)) / n_trials for tail in (0.025, 0.975))
        return cls(asked, held, low, high)


def _half(level: float) -> float:
    """Half the width of a normal's central interval, in standard deviations."""
    if not 0 < level < 1:
        raise AlloyloopError(f"an interval cannot hold a share of {level}", "Give a level between 0 and 1.")
    return NormalDist().inv_cdf((1 + level) / 2)
