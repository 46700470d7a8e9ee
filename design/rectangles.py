"""How likely correlated normals are inside limits, all of them at once, and draws of them where they are.

The variables are taken one after the other, each given those before it and inside its own limits, so that what is left
is the mean of a product over points of a unit cube: the separation of variables of Genz, J. Comput. Graph. Stat. 1
(1992) 141. It is done in logarithms here, so that a probability of 1e-300 is told as exactly as one of a half.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import log_ndtr, logsumexp, ndtri_exp

from ..surrogates.base import FloatArray

# Gauss and Legendre's points along each of up to three dimensions; in more, points that are spread evenly.
N_GAUSS = {1: 24, 2: 12, 3: 8}
N_EVEN = 512
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71)
# Rows are worked on in blocks of so many numbers.
_MOST_NUMBERS = 1_000_000


@lru_cache(maxsize=64)
def nodes(n_variables: int, *, drawn: bool = False) -> tuple[FloatArray, FloatArray]:
    """Points of the unit cube (m, n_variables), and the log of the weight of each (m,); the same at every call.

    Parameters
    ----------
    n_variables : that are normal
    drawn : whether the last of them is drawn too, for something that is computed from all, and not integrated exactly
    """
    dimensions = n_variables if drawn else n_variables - 1
    if dimensions == 0:
        return np.full((1, n_variables), 0.5), np.zeros(1)
    if dimensions in N_GAUSS:
        at, weights = np.polynomial.legendre.leggauss(N_GAUSS[dimensions])
        points = (np.stack(np.meshgrid(*[at] * dimensions), axis=-1).reshape(-1, dimensions) + 1) / 2
        logs = np.stack(np.meshgrid(*[np.log(weights / 2)] * dimensions), axis=-1).reshape(-1, dimensions).sum(axis=1)
    else:  # Richtmyer's: multiples of the roots of primes, folded so that the cube has no edge
        steps = np.sqrt(np.array(_PRIMES[:dimensions]))
        points = np.abs(2 * ((np.arange(1, N_EVEN + 1)[:, None] * steps) % 1) - 1)
        logs = np.full(N_EVEN, -np.log(N_EVEN))
    rest = np.full((len(points), n_variables - dimensions), 0.5)
    return np.clip(np.column_stack([points, rest]), 1e-12, 1 - 1e-12), logs


def log_rectangle(low: FloatArray, high: FloatArray, correlation: FloatArray) -> FloatArray:
    """Log of the probability that standard normals are all inside limits.

    Parameters
    ----------
    low, high : (n, k) limits, infinite where there is none
    correlation : (k, k) between them

    Returns
    -------
    (n,) logs, exact far in the tails

    Examples
    --------
    Of two with a correlation of 0.5 both are positive with a probability of 1/4 + asin(0.5) / 2π, which is a third:

    >>> zero, none = np.zeros((1, 2)), np.full((1, 2), np.inf)
    >>> np.exp(log_rectangle(zero, none, np.array([[1.0, 0.5], [0.5, 1.0]]))).round(4)
    array([0.3333])
    """
    points, weights = nodes(low.shape[1])
    return np.asarray(logsumexp(weights + _separated(low, high, correlation, points, draws=False)[1], axis=1))


def drawn_inside(low: FloatArray, high: FloatArray, correlation: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Draws of standard normals that are inside limits, and how much each counts.

    Parameters
    ----------
    low, high, correlation : as those of `log_rectangle`

    Returns
    -------
    draws : (n, m, k) of the normals, 0 where the limits leave nothing
    logs : (n, m) log of the weight of each; those of a row sum up to the probability that all are inside
    """
    points, weights = nodes(low.shape[1], drawn=True)
    draws, logs = _separated(low, high, correlation, points, draws=True)
    return draws, weights + logs


def _separated(
    low: FloatArray, high: FloatArray, correlation: FloatArray, points: FloatArray, *, draws: bool
) -> tuple[FloatArray, FloatArray]:
    """Draws (n, m, k), without the last variable unless asked for, and the log of what they are worth (n, m)."""
    (n, k), m = low.shape, len(points)
    lower = np.linalg.cholesky(correlation)
    own, logs = np.zeros((n, m, k)), np.zeros((n, m))  # own: what each adds to those before it
    at_a_time = max(1, _MOST_NUMBERS // m)
    for start in range(0, n, at_a_time):
        rows = slice(start, start + at_a_time)
        for i in range(k):
            centre = own[rows, :, :i] @ lower[i, :i]
            a, b = ((ends[rows, i, None] - centre) / lower[i, i] for ends in (low, high))
            inside, value = _inside(a, b, points[:, i] if draws or i < k - 1 else None)
            logs[rows] += inside
            if value is not None:
                own[rows, :, i] = value
    return own @ lower.T, logs


def _inside(a: FloatArray, b: FloatArray, share: FloatArray | None) -> tuple[FloatArray, FloatArray | None]:
    """Log of the probability that a normal is between a and b (n, m); and its value below which a share (m,) of it is.

    Where the normal is more often above both than below, it is mirrored: its tails there are small and exact.
    """
    with np.errstate(invalid="ignore"):  # between -inf and inf there is no side
        mirror = a + b > 0
    a, b = np.where(mirror, -b, a), np.where(mirror, -a, b)
    log_a, log_b = log_ndtr(a), log_ndtr(b)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(log_a < log_b, log_b + np.log1p(-np.exp(log_a - log_b)), -np.inf)
        if share is None:
            return logs, None
        part = np.log(np.where(mirror, 1 - share, share))
        value = ndtri_exp(np.logaddexp(log_a, part + logs))
    value = np.where(np.isfinite(value), value, 0.0)
    return logs, np.where(mirror, -value, value)
