"""What choosing at random finds of a pool, exactly: what every other way of choosing is compared with.

Without replacement, so that how many of the wanted designs are among those made is hypergeometric.
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammaln

from ..surrogates.base import FloatArray

# Probabilities come from logarithms: one that is this near to another equals it.
_EQUAL = 1e-9


def chance_to_find(n_pool: int, n_wanted: int, found: int) -> FloatArray:
    """Probability that at least so many of the wanted designs are among the first 0, 1, 2 … n_pool made.

    Parameters
    ----------
    n_pool : how many designs there are
    n_wanted : how many of them are wanted
    found : how many of these are to be found, 1 … n_wanted

    Returns
    -------
    (n_pool + 1,) from 0 to 1

    Examples
    --------
    >>> chance_to_find(4, 1, 1)
    array([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    from scipy.stats import hypergeom

    return np.asarray(hypergeom.sf(found - 1, n_pool, n_wanted, np.arange(n_pool + 1)))


def melts_by_chance(n_pool: int, n_wanted: int, found: int, probability: float = 0.5) -> int:
    """After how many melts random choice has found so many of the wanted designs with a probability; by default median.

    Parameters
    ----------
    n_pool, n_wanted, found : as in `chance_to_find`
    probability : 0 … 1

    Examples
    --------
    The only best of 121 designs:

    >>> melts_by_chance(121, 1, 1)
    61
    """
    return int(np.argmax(chance_to_find(n_pool, n_wanted, found) >= probability - _EQUAL))


def best_by_chance(heights: FloatArray, n_made: int, probability: float = 0.5) -> FloatArray:
    """Quantile of the best height among 1, 2 … n_made designs chosen at random; by default the median. (n_made,)

    All of m designs are among the c lowest of n with probability C(c, m) / C(n, m).

    Parameters
    ----------
    heights : (n_pool,) how good each design is, larger is better; -inf for one that breaks a limit
    n_made : up to n_pool
    probability : 0 … 1, that the best is no higher

    Examples
    --------
    >>> best_by_chance(np.array([3.0, 1.0, 2.0]), 3)
    array([2., 3., 3.])
    """
    lowest_first = np.sort(heights)
    c, m, n = np.arange(1, len(heights) + 1)[:, None], np.arange(1, n_made + 1), len(heights)
    below = _log_binomial(c, m) - _log_binomial(np.array(n), m)
    at = np.argmax(below >= np.log(probability) - _EQUAL, axis=0)
    return np.asarray(lowest_first[at])


def mean_best_by_chance(heights: FloatArray, n_made: int) -> FloatArray:
    """Expectation of the best height among 1, 2 … n_made designs chosen at random. (n_made,)

    Parameters
    ----------
    heights : (n_pool,) how good each design is, larger is better; -inf for one that breaks a limit, and so is the
        expectation as long as all that are made may be such
    n_made : up to n_pool

    Examples
    --------
    >>> mean_best_by_chance(np.array([3.0, 1.0, 2.0]), 3).round(3)
    array([2.   , 2.667, 3.   ])
    """
    lowest_first = np.sort(heights)
    c, m, n = np.arange(len(heights) + 1)[:, None], np.arange(1, n_made + 1), len(heights)
    below = np.exp(_log_binomial(c, m) - _log_binomial(np.array(n), m))
    is_best = np.diff(below, axis=0)  # (n_pool, n_made) probability that the c-th lowest is the best that was made
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(is_best > 0, lowest_first[:, None] * is_best, 0.0).sum(axis=0))


def _log_binomial(n: np.ndarray, k: np.ndarray) -> FloatArray:
    """Log of n over k; -inf where k is larger than n."""
    out = np.maximum(n - k, 0)
    return np.asarray(np.where(k > n, -np.inf, gammaln(n + 1) - gammaln(k + 1) - gammaln(out + 1)))
