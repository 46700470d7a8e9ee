"""Measurements that all others contradict: found by leaving each out, and given a noise of their own."""

from __future__ import annotations

from math import log

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import ndtri

from .base import FloatArray

MOST = 5  # one row in so many, at most, is called an outlier
LEAST_SURPRISE = 3.0  # standard deviations that a measurement may always be off
# How much likelier it must be that this row is wrong, and not another one that would no longer surprise without it.
ODDS = 3.0
LEAST_USUAL = 0.1  # where most rows agree better than that, they were rounded or copied


def leave_one_out(inverse: FloatArray, weights: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What is believed of each measurement by the others, hyperparameters kept.

    Parameters
    ----------
    inverse : (n, n) inverse of the prior covariance of the measurements, their noise on its diagonal
    weights : (n,) `inverse` times z
    z : (n,) measurements, about a prior mean of 0

    Returns
    -------
    (n,) means and (n,) variances of the measurements

    References
    ----------
    Rasmussen and Williams, Gaussian Processes for Machine Learning, MIT Press 2006, eq. 5.12.

    Examples
    --------
    >>> covariance, z = np.array([[1.0, 0.8], [0.8, 1.0]]), np.array([1.0, 2.0])
    >>> inverse = np.linalg.inv(covariance)
    >>> mean, variance = leave_one_out(inverse, inverse @ z, z)
    >>> mean.round(2), variance.round(2)
    (array([1.6, 0.8]), array([0.36, 0.36]))
    """
    variance = 1 / np.diag(inverse)
    return z - weights * variance, variance


def extra_variances(
    covariance: FloatArray, z: FloatArray, noise: FloatArray | None = None, level: float = 0.01
) -> FloatArray:
    """Variances to add to the noise of measurements that all others contradict; 0 for most.

    The most surprising row, by its residual over the standard deviation that the others give it, gets the variance that
    makes it most likely, and the search goes on without its pull. That row is also the one whose extra variance raises
    the marginal likelihood most. Where one of two rows must be wrong and nothing says which, such as two repeats far
    apart, both are left: the scatter common to all rows has to explain them.

    A scatter that was learned from outliers as well is too wide and hides them. So where `noise` is given and most rows
    surprise less than it says, a row's own noise counts only as large as makes them usual. Learn the scatter again with
    what is returned, and ask again, until the same rows are named.

    Parameters
    ----------
    covariance : (n, n) prior covariance of the measurements, their noise on its diagonal; positive definite
    z : (n,) measurements, about a prior mean of 0
    noise : (n,) the part of each variance that is noise, and that may be too large; none of it if not given
    level : probability that a row is called an outlier where there is none; it is shared among the n rows

    Returns
    -------
    (n,) extra variances, above 0 for a fifth of the rows at most

    References
    ----------
    Rasmussen and Williams, Gaussian Processes for Machine Learning, MIT Press 2006, sec. 5.4.2. Of the same kind, with
    the number of outliers learned: Ament et al., Robust Gaussian processes via relevance pursuit, NeurIPS 2024.

    Examples
    --------
    >>> place = np.arange(6.0)
    >>> smooth = np.exp(-((place[:, None] - place) ** 2) / 18) + 0.01 * np.eye(6)
    >>> extra_variances(smooth, np.array([0.0, 0.1, 0.2, 2.3, 0.4, 0.5])).round(1)
    array([0. , 0. , 0. , 3.9, 0. , 0. ])
    """
    n = len(z)
    threshold = max(LEAST_SURPRISE, float(ndtri(1 - level / (2 * n)))) ** 2
    extra = np.zeros(n)
    inverse = cho_solve(cho_factor(covariance), np.eye(n))
    for _ in range(n // MOST):
        weights = inverse @ z
        excess = np.zeros(n) if noise is None else noise * (1 - _usual(inverse, weights) ** 2)
        found = _most_surprising(inverse, weights, excess, threshold)
        if found is None:
            break
        row, variance = found
        extra[row] += variance
        inverse -= np.outer(inverse[row] * variance / (1 + variance * inverse[row, row]), inverse[row])
    return extra


def _usual(inverse: FloatArray, weights: FloatArray) -> float:
    """How far off most measurements are, over what the model says; 1 where it says enough.

    A robust standard deviation by the median, widened for few rows, in which a small median is often chance.
    """
    median = float(np.median(np.abs(weights) / np.sqrt(np.diag(inverse))))
    return float(np.clip(median / ndtri(0.75) * (1 + 1 / np.sqrt(len(weights))), LEAST_USUAL, 1))


def _most_surprising(
    inverse: FloatArray, weights: FloatArray, excess: FloatArray, threshold: float
) -> tuple[int, float] | None:
    """The row to call an outlier next, and its extra variance; none where no row, or none beyond dispute, surprises.

    All surprises here are squared residuals over variances, and `excess` (n,) is what to take off a row's own variance.
    """
    diagonal = np.diag(inverse)
    variance = 1 / diagonal - excess
    surprise = (weights / diagonal) ** 2 / variance
    beyond = np.maximum(surprise, 1)
    gain = (beyond - 1 - np.log(beyond)) / 2  # of log marginal likelihood, if this row had the best extra variance
    best = (beyond - 1) * variance
    taken = best / (1 + best * diagonal)  # what that takes, times the outer product of its column, off the inverse
    for row in np.argsort(-surprise, kind="stable"):
        if surprise[row] <= threshold:
            break
        left = diagonal[row] - taken * inverse[row] ** 2
        without = ((weights[row] - taken * inverse[row] * weights) / left) ** 2 / (1 / left - excess[row])
        rival = (without <= threshold) & (gain > gain[row] - log(ODDS))
        rival[row] = False
        if not rival.any():
            return int(row), float(best[row])
    return None
