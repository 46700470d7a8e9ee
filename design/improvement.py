"""Expected improvement in closed form, as logarithms that are exact far from the best."""

from __future__ import annotations

import numpy as np

from ..surrogates.base import FloatArray

# A value that is known; neither a standard score nor its square overflows.
_KNOWN = 1e-100
_LOG_ROOT = 0.5 * np.log(2 * np.pi)
_BLOCK = 16384  # of numbers: they fill an eighth of a megabyte
# (1 + a²) (1 - a m(a)) in powers of (a - 4) / (a + 4): interpolated at Chebyshev's points by mpmath, good to 2e-14.
_BRACKET = (
    0.9076379618778746,
    0.27668067797596085,
    -0.28478940578000644,
    0.039468522730690944,
    0.21153730460410836,
    -0.27471508203070727,
    0.1737244082043886,
    -0.05027831318059455,
    -0.007558959001462173,
    0.01030428763169207,
    -0.0007804465236770726,
    -0.0017296256339618512,
    0.00027164211078667,
    0.0003266720537785719,
    -4.646254667664285e-05,
    -6.964621505700754e-05,
    3.126038888572692e-06,
    1.4831280420638337e-05,
    1.3034334525257562e-06,
    -2.5769218207856597e-06,
    -5.517863320744949e-07,
    2.523096085641196e-07,
    7.936866083883735e-08,
)
# Relative to the width of what improves; below it the difference of three tails is taken for the curvature of one.
_NARROW = 1e-3


def log_expected_improvement(mean: FloatArray, std: FloatArray, best: FloatArray) -> FloatArray:
    """Log of E[max(0, Y - best)] for normal Y, exact far below the best. Arguments broadcast.

    References
    ----------
    Jones et al., J. Global Optim. 13 (1998) 455, eq. 15; its logarithm after Ament et al., NeurIPS 36 (2023) 20577,
    through the scaled complementary error function.

    Examples
    --------
    >>> log_expected_improvement(np.array([0.0, -40.0]), np.array([1.0, 1.0]), np.array([0.0, 0.0])).round(3)
    array([  -0.919, -808.299])
    """
    std = np.maximum(std, _KNOWN)
    return np.asarray(_log_tail((mean - best) / std) + np.log(std))


def _log_tail(u: FloatArray) -> FloatArray:
    """Log of E[max(0, u + Z)] for standard normal Z, in blocks that stay in a core's cache.

    Below 0 it is phi(a) (1 - a m(a)) with a = -u and the Mills ratio m, and the bracket is a polynomial of
    t = (a - 4) / (a + 4) over 1 + a²: arithmetic alone, where SciPy's functions cost ten times as much. Above, u more.
    """
    flat = np.ascontiguousarray(u, dtype=np.float64).ravel()
    found = np.empty_like(flat)
    for start in range(0, len(flat), _BLOCK):
        part = flat[start : start + _BLOCK]
        a = np.minimum(np.abs(part), 1e150)
        t = (a - 4) / (a + 4)
        bracket = np.full_like(t, _BRACKET[-1])
        for factor in _BRACKET[-2::-1]:
            bracket *= t
            bracket += factor
        a *= a
        bracket /= 1 + a
        a *= -0.5
        a -= _LOG_ROOT
        with np.errstate(under="ignore"):
            near = np.exp(a) * bracket + np.maximum(part, 0.0)
        found[start : start + _BLOCK] = np.where(part > -1, np.log(np.maximum(near, 1e-300)), a + np.log(bracket))
    return found.reshape(np.shape(u))


def log_expected_approach(off: FloatArray, std: FloatArray, nearest: FloatArray) -> FloatArray:
    """Log of E[max(0, nearest - abs(D))] for normal D: how much nearer to a target. Arguments broadcast.

    Parameters
    ----------
    off, std : mean and standard deviation of the distance D from the target, with its sign
    nearest : how near the best is, at least 0; from exactly 0 there is no way nearer (-inf)

    Notes
    -----
    The tent over [-nearest, nearest] is the second difference of max(0, D), so that its mean is that of three expected
    improvements; where it is narrow beside `std` they cancel, and it is the tent's area times the density there.

    Examples
    --------
    >>> log_expected_approach(np.array([0.0, 5.0]), np.array([1e-9, 1.0]), np.array([2.0, 2.0])).round(3)
    array([ 0.693, -7.87 ])
    """
    std = np.maximum(std, _KNOWN)
    u, w = np.broadcast_arrays(np.abs(off) / std, np.asarray(nearest / std))
    with np.errstate(divide="ignore", over="ignore", under="ignore", invalid="ignore"):
        edge, peak, beyond = _log_tail(w - u), _log_tail(-u), _log_tail(-w - u)
        wide = edge + np.log1p(np.minimum(np.exp(beyond - edge) - 2 * np.exp(peak - edge), 0.0).clip(-1.0))
        narrow = 2 * np.log(w) - 0.5 * u**2 - 0.5 * np.log(2 * np.pi)
    is_narrow = w * np.maximum(u, 1.0) < _NARROW
    return np.asarray(np.where(w > 0, np.where(is_narrow, narrow, wide), -np.inf) + np.log(std))
