"""Values of which only a bound is known, such as "<12", as measurements that a Gaussian process can learn from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.special import erfcx

from .base import FloatArray

SWEEPS = 100  # 5 to 40 are usual; 300 equal bounds on one alloy need 80
TOLERANCE = 1e-8  # how far the property's mean and variance may still move in a sweep
WIDEST = 1e10  # variance of what says nothing


def censored_sites(
    prior: FloatArray, z: FloatArray, variances: FloatArray, sign: NDArray[np.integer]
) -> tuple[FloatArray, FloatArray]:
    """Measurements, and variances of their noise, that say of the property what measurements and bounds say.

    A bound says that sign (f + noise - z) > 0. A Gaussian process that takes what is returned for ordinary measurements
    has the posterior that expectation propagation finds for the bounds. A bound that the other rows contradict becomes
    a measurement at the bound, and one that is met by far becomes a measurement without weight. Bounds that repeat each
    other on one alloy leave too small a standard deviation: by about a tenth if there are two, a fifth if five.

    Parameters
    ----------
    prior : (n, n) prior covariance of the property, of mean 0 and in units of its spread
    z : (n,) measured values or bounds
    variances : (n,) variances of their noise, above 0
    sign : (n,) 0 where z is a measured value, 1 where it is a lower bound (">12"), -1 where it is an upper one ("<12")

    Returns
    -------
    (n,) measurements and (n,) variances: those given where sign is 0

    References
    ----------
    Minka, Expectation propagation for approximate Bayesian inference, UAI 2001; as in Rasmussen and Williams (R&W),
    Gaussian Processes for Machine Learning, MIT Press 2006, sec. 3.6 and 3.9.

    Examples
    --------
    >>> at, variances = censored_sites(np.eye(2), np.array([0.5, 0.5]), np.array([0.1, 0.1]), np.array([0, 1]))
    >>> at.round(2), variances.round(2)
    (array([0.5 , 1.62]), array([0.1 , 0.51]))
    """
    exact, bounds = np.flatnonzero(sign == 0), np.flatnonzero(sign)
    pseudo_z, pseudo_variances = np.array(z, dtype=np.float64), np.array(variances, dtype=np.float64)
    if len(bounds):
        mean, covariance = _given(prior, z, variances, exact, bounds)
        pseudo_z[bounds], pseudo_variances[bounds] = _propagate(
            mean, covariance, pseudo_z[bounds], pseudo_variances[bounds], np.sign(sign[bounds]).astype(np.float64)
        )
    return pseudo_z, pseudo_variances


def _given(
    prior: FloatArray,
    z: FloatArray,
    variances: FloatArray,
    exact: NDArray[np.intp],
    bounds: NDArray[np.intp],
) -> tuple[FloatArray, FloatArray]:
    """Mean (m,) and covariance (m, m) of the property at the bounds, given the exact rows."""
    covariance = prior[np.ix_(bounds, bounds)]
    if not len(exact):
        return np.zeros(len(bounds)), covariance
    factor = cho_factor(prior[np.ix_(exact, exact)] + np.diag(variances[exact]), lower=True)
    cross = prior[np.ix_(exact, bounds)]
    gain = cho_solve(factor, cross)
    return gain.T @ z[exact], covariance - gain.T @ cross


def _propagate(
    mean: FloatArray, covariance: FloatArray, bound: FloatArray, noise: FloatArray, sign: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Measurements (m,) and variances (m,) that stand for bounds on a normal of this mean (m,) and covariance (m, m).

    One bound at a time, each told what the others say by now: where alloys hardly differ, bounds that answer all at
    once each correct for all of them, and swing for ever.
    """
    bound = bound - mean
    precision, shift = np.zeros((2, len(bound)))
    at, spread = _posterior(covariance, precision, shift)
    for _ in range(SWEEPS):
        before = np.append(at, np.diag(spread))
        for i in range(len(bound)):
            rest, free = _without(at[i], spread[i, i], precision[i], shift[i])
            slope, bend = _likelihood(rest, free, bound[i], noise[i], sign[i])
            told = 1 - free * bend
            more, push = bend / told - precision[i], (slope + bend * rest) / told - shift[i]
            precision[i] += more
            shift[i] += push
            column = spread[:, i] / (1 + more * spread[i, i])
            at += (push - more * at[i]) * column
            spread -= np.outer(more * column, spread[:, i])
        at, spread = _posterior(covariance, precision, shift)  # rank-one updates wear out
        if np.abs(np.append(at, np.diag(spread)) - before).max() <= TOLERANCE * max(1.0, np.abs(at).max()):
            break
    rest, free = _without(at, np.diag(spread), precision, shift)
    slope, bend = _likelihood(rest, free, bound, noise, sign)
    bend = np.maximum(bend, 1 / WIDEST)
    return mean + rest + slope / bend, np.maximum(1 / bend - free, noise)  # no bound says more than its measurement


def _posterior(covariance: FloatArray, precision: FloatArray, shift: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean (m,) and covariance (m, m) of a normal of mean 0 after sites of these natural parameters; R&W eq. 3.53."""
    root = np.sqrt(precision)
    cholesky = np.linalg.cholesky(np.eye(len(root)) + root[:, None] * covariance * root)
    explained = solve_triangular(cholesky, root[:, None] * covariance, lower=True)
    spread = covariance - explained.T @ explained
    return spread @ shift, spread


def _without(
    at: FloatArray, variance: FloatArray, precision: FloatArray, shift: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of the property at a bound, as the other rows alone tell them; R&W eq. 3.56."""
    left = 1 - precision * variance
    return (at - shift * variance) / left, variance / left


def _likelihood(
    at: FloatArray, variance: FloatArray, bound: FloatArray, noise: FloatArray, sign: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Slope, and curvature turned positive, of the log probability of a bound in the mean of a normal property."""
    std = np.sqrt(variance + noise)
    a = sign * (at - bound) / std
    hazard = np.sqrt(2 / np.pi) / erfcx(-a / np.sqrt(2))  # φ(a) / Φ(a), without overflow
    t = np.maximum(-a, 200.0)
    excess = np.where(a < -200, 1 / t - 2 / t**3 + 10 / t**5, hazard + a)  # hazard + a loses digits where it is small
    return sign * hazard / std, hazard * excess / std**2
