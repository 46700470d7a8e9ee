"""Scales on which a property is close to normal: its own, its logarithm, the logit of a share; and beliefs on them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from math import factorial, inf
from statistics import NormalDist
from typing import ClassVar, TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import AlloyloopError

FloatArray: TypeAlias = NDArray[np.float64]

LARGEST_LOG = (
    300.0  # logarithms are cut off here: a belief from two values, 1e-9 and 1e9, has a mean beyond all numbers
)
N_NODES = 40  # of the quadrature of a logit
BLOCK = 4096  # normals that it takes at a time
MOST_MARGIN = 5e-3  # a value at a bound is never drawn in by more than this share of the range


class Scale(ABC):
    """A rising function of a property, on which a belief about it is taken to be normal.

    Scales are values: equal where they are the same function, and hashable. Below, z is a value on the scale, without
    unit, and y one of the property, in its unit.
    """

    __slots__ = ()
    name: ClassVar[str]

    @abstractmethod
    def forward(self, y: ArrayLike) -> FloatArray:
        """Values on the scale; NaN stays NaN."""

    @abstractmethod
    def backward(self, z: ArrayLike) -> FloatArray:
        """Values of the property: the inverse of `forward`."""

    @abstractmethod
    def slope(self, y: ArrayLike) -> FloatArray:
        """Derivative dz/dy: a small scatter in y times this is the scatter on the scale."""

    @abstractmethod
    def limits(self, low: ArrayLike, high: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Limits of the property on the scale; infinite where every value, or none, is within."""

    @abstractmethod
    def belief(self, mean: FloatArray, std: FloatArray, noise: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Beliefs (n,) on the scale, in the property's unit: its mean, its std, and the noise of a measurement.

        The property is what measurements of one alloy average to, in its own unit: where they scatter evenly on a
        logarithmic scale, that is more than their median. So the mean is that of the property and of a measurement
        alike, and the squares of std and noise add up to the variance of a measurement.
        """

    def moments(self, mean: FloatArray, std: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation (n,), in the property's unit, of normals (n,) on the scale."""
        return self.belief(mean, std, np.zeros_like(std))[:2]

    @abstractmethod
    def covariance(
        self, a: tuple[FloatArray, FloatArray], b: tuple[FloatArray, FloatArray], shared: FloatArray
    ) -> FloatArray:
        """Covariance (n_a, n_b) of the property, in its squared unit.

        Parameters
        ----------
        a, b : mean and std (n_a,) and (n_b,) of measurements on the scale
        shared : (n_a, n_b) covariance of the property on the scale
        """


@final
@dataclass(frozen=True, slots=True)
class Linear(Scale):
    """The property itself."""

    name: ClassVar[str] = "linear"

    def forward(self, y: ArrayLike) -> FloatArray:
        """The values themselves."""
        return np.asarray(y, dtype=np.float64)

    def backward(self, z: ArrayLike) -> FloatArray:
        """The values themselves."""
        return np.asarray(z, dtype=np.float64)

    def slope(self, y: ArrayLike) -> FloatArray:
        """One."""
        return np.ones_like(y, dtype=np.float64)

    def limits(self, low: ArrayLike, high: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """The limits themselves."""
        return self.forward(low), self.forward(high)

    def belief(self, mean: FloatArray, std: FloatArray, noise: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The beliefs themselves."""
        return mean, std, noise

    def covariance(
        self, a: tuple[FloatArray, FloatArray], b: tuple[FloatArray, FloatArray], shared: FloatArray
    ) -> FloatArray:
        """The covariance itself."""
        return shared


@final
@dataclass(frozen=True, slots=True)
class Log(Scale):
    """The natural logarithm, of a property that is positive: its scatter is a share of its value.

    Examples
    --------
    >>> mean, std = LOG.moments(np.log([2.0]), np.array([0.5]))
    >>> mean.round(3), std.round(3)
    (array([2.266]), array([1.208]))
    """

    name: ClassVar[str] = "log"

    def forward(self, y: ArrayLike) -> FloatArray:
        """Logarithms; a value of zero or less is an error."""
        values = np.asarray(y, dtype=np.float64)
        if (values <= 0).any():
            raise AlloyloopError(
                f"a value of {values[values <= 0].ravel()[0]:g} has no logarithm",
                "Correct the value, or model the property on the linear scale.",
            )
        return np.log(values)

    def backward(self, z: ArrayLike) -> FloatArray:
        """Exponentials, cut off before they overflow."""
        return np.exp(np.minimum(z, LARGEST_LOG))

    def slope(self, y: ArrayLike) -> FloatArray:
        """1/y."""
        return 1 / np.asarray(y, dtype=np.float64)

    def limits(self, low: ArrayLike, high: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Logarithms; minus infinity for zero and below."""
        with np.errstate(divide="ignore"):
            return np.log(np.maximum(low, 0.0)), np.log(np.maximum(high, 0.0))

    def belief(self, mean: FloatArray, std: FloatArray, noise: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Those of the log-normal distribution, exactly."""
        known, scattered = std**2, noise**2
        centre = mean + (known + scattered) / 2

        def spread(log_factor: FloatArray, variance: FloatArray) -> FloatArray:  # exp(factor) √(exp(variance) - 1)
            with np.errstate(divide="ignore"):
                return self.backward(centre + log_factor + (variance + np.log(-np.expm1(-variance))) / 2)

        return self.backward(centre), spread(np.zeros_like(known), known), spread(known / 2, scattered)

    def covariance(
        self, a: tuple[FloatArray, FloatArray], b: tuple[FloatArray, FloatArray], shared: FloatArray
    ) -> FloatArray:
        """That of the log-normal distribution, exactly."""
        centres = np.add.outer(*(mean + std**2 / 2 for mean, std in (a, b)))
        return self.backward(centres) * np.expm1(np.minimum(shared, LARGEST_LOG))


@final
@dataclass(frozen=True, slots=True)
class Logit(Scale):
    """The logit of a share, ln((y - low) / (high - y)), of a property that lies between two bounds.

    A value at a bound, such as 100 % dense, was rounded to it: one that is nearer to a bound than `margin` is taken to
    be this far from it. `Logit.of` finds a margin by what was measured.

    Parameters
    ----------
    low, high : bounds, in the property's unit
    margin : smallest distance from a bound, as a share of high - low

    Examples
    --------
    >>> Logit(0, 100).forward([50.0, 99.0, 100.0]).round(2)
    array([0.  , 4.6 , 6.91])
    """

    low: float
    high: float
    margin: float = 1e-3

    name: ClassVar[str] = "logit"

    def __post_init__(self) -> None:
        if not (-inf < self.low < self.high < inf and 0 < self.margin < 0.5):
            raise AlloyloopError(
                f"a logit cannot lie between {self.low:g} and {self.high:g} with a margin of {self.margin:g}",
                "Give two finite bounds, the lower first, and a margin between 0 and 0.5.",
            )

    @classmethod
    def of(cls, y: ArrayLike, low: float, high: float) -> Logit:
        """With half the smallest distance to a bound that `y` has, at most 0.5 % of the range, as its margin.

        Examples
        --------
        >>> scale = Logit.of([91.0, 99.8, 100.0], 0, 100)
        >>> scale.backward(scale.forward(100.0)).round(2)
        np.float64(99.9)
        """
        share = (np.asarray(y, dtype=np.float64) - low) / (high - low)
        distance = np.minimum(share, 1 - share)
        inside = distance[distance > 1e-9]  # not what rounding leaves between a value and the bound that it equals
        return cls(low, high, float(min(MOST_MARGIN, inside.min() / 2)) if len(inside) else MOST_MARGIN)

    def _share(self, y: ArrayLike) -> FloatArray:
        share = (np.asarray(y, dtype=np.float64) - self.low) / (self.high - self.low)
        return np.clip(share, self.margin, 1 - self.margin)

    def forward(self, y: ArrayLike) -> FloatArray:
        """Logits; a value nearer to a bound than the margin, or beyond it, is drawn in."""
        share = self._share(y)
        return np.asarray(np.log(share) - np.log1p(-share))

    def backward(self, z: ArrayLike) -> FloatArray:
        """Values between the bounds."""
        return np.asarray(self.low + (self.high - self.low) * _expit(np.asarray(z, dtype=np.float64)))

    def slope(self, y: ArrayLike) -> FloatArray:
        """Derivative at the values, drawn in."""
        share = self._share(y)
        return np.asarray(1 / (share * (1 - share) * (self.high - self.low)))

    def limits(self, low: ArrayLike, high: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Logits; every value is within a bound and none beyond it, and one as good as at the bound reaches it."""
        low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
        lower = np.where(low <= self.low, -inf, np.where(low > self.high, inf, self.forward(low)))
        upper = np.where(high >= self.high, inf, np.where(high < self.low, -inf, self.forward(high)))
        return lower, upper

    def belief(self, mean: FloatArray, std: FloatArray, noise: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """By Gauss-Hermite quadrature and Mehler's expansion."""
        total = np.hypot(std, noise)
        share = np.divide(std, total, out=np.zeros_like(total), where=total > 0) ** 2
        parts = np.empty((3, len(mean)))
        for start in range(0, len(mean), BLOCK):
            at = slice(start, start + BLOCK)
            terms = self._terms(mean[at], total[at])
            powers = share[at, None] ** np.arange(1, N_NODES)
            squares = terms[:, 1:] ** 2
            parts[0, at] = terms[:, 0]
            parts[1, at] = np.sqrt((squares * powers).sum(axis=1))
            parts[2, at] = np.sqrt((squares * (1 - powers)).sum(axis=1))
        return parts[0], parts[1], parts[2]

    def covariance(
        self, a: tuple[FloatArray, FloatArray], b: tuple[FloatArray, FloatArray], shared: FloatArray
    ) -> FloatArray:
        """By Mehler's expansion, Σ_k a_k b_k ρ^k with the correlation ρ and the terms a_k and b_k of the properties.

        It is positive semidefinite where ρ is, however many terms are taken.
        """
        some, others = self._terms(*a), self._terms(*b)
        scale = np.multiply.outer(a[1], b[1])
        correlation = np.divide(shared, scale, out=np.zeros_like(shared), where=scale > 0)
        total = np.zeros_like(shared)
        for k in range(N_NODES - 1, 0, -1):  # Horner's rule
            total = (total + np.multiply.outer(some[:, k], others[:, k])) * correlation
        return total

    def _terms(self, mean: FloatArray, std: FloatArray) -> FloatArray:
        """Property of normals (n,) as a sum (n, N_NODES) over Hermite polynomials of unit norm.

        The first is the mean of the property, and the sum of the squares of the others its variance.
        """
        nodes, project = hermite()
        return np.asarray(self.backward(mean[:, None] + std[:, None] * nodes) @ project)


LINEAR = Linear()
LOG = Log()


@dataclass(frozen=True, slots=True, eq=False)
class Normal:
    """Beliefs about n measurements of a property, normal on a scale.

    Parameters
    ----------
    scale : the scale
    mean, std : (n,) on the scale; a std of 0 is a value that is known

    Examples
    --------
    >>> rate = Normal(LOG, mean=np.log([0.5]), std=np.array([0.7]))  # corrosion, mm per year
    >>> low, high = rate.interval(0.9)
    >>> low.round(2), high.round(2)
    (array([0.16]), array([1.58]))
    >>> np.exp(rate.log_probability(-np.inf, 0.5))
    array([0.5])
    """

    scale: Scale
    mean: FloatArray
    std: FloatArray

    def residuals(self, y: ArrayLike) -> FloatArray:
        """How far measured values (n,) are above what was believed, on the scale, in standard deviations."""
        return np.asarray((self.scale.forward(y) - self.mean) / self.std)

    def interval(self, level: float) -> tuple[FloatArray, FloatArray]:
        """Lower and upper ends (n,), in the property's unit, that hold a measurement with probability `level`."""
        if not 0 < level < 1:
            raise AlloyloopError(f"an interval cannot hold a share of {level}", "Give a level between 0 and 1.")
        half = NormalDist().inv_cdf((1 + level) / 2) * self.std
        return self.scale.backward(self.mean - half), self.scale.backward(self.mean + half)

    def log_probability(self, low: ArrayLike, high: ArrayLike) -> FloatArray:
        """Log of the probability (n,) that a measurement lies between two values, exact far in the tails."""
        from scipy.special import log_ndtr

        lower, upper = self.scale.limits(low, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            known = self.std == 0
            a = np.where(known & (self.mean >= lower), -inf, (lower - self.mean) / self.std)
            b = np.where(known & (self.mean <= upper), inf, (upper - self.mean) / self.std)
            # Work on the side where both tails are small: P = Phi(b) - Phi(a) with a <= b, and a + b <= 0 by mirroring.
            mirror = a + b > 0
            a, b = np.where(mirror, -b, a), np.where(mirror, -a, b)
            log_a, log_b = log_ndtr(a), log_ndtr(b)
            return np.asarray(np.where(log_a == -inf, log_b, log_b + np.log1p(-np.exp(log_a - log_b))))

    def log_density(self, y: ArrayLike) -> FloatArray:
        """Log density (n,) of measured values, per unit of the property: comparable between scales."""
        return np.asarray(np.log(self.scale.slope(y) / self.std) - self.residuals(y) ** 2 / 2 - np.log(2 * np.pi) / 2)


def likely_scales(y: ArrayLike, bounded: tuple[float, float] | None = None) -> tuple[Scale, ...]:
    """The scales worth comparing for these values: the linear one first, and what their distribution suggests.

    A logarithm where all are positive and the upper half reaches further from the median than the lower, or they span
    a decade; a logit where two standard deviations about the mean reach beyond a bound.

    Parameters
    ----------
    y : (n,) measured values
    bounded : lowest and highest value that there can be, such as 0 and 100 of a percentage

    Examples
    --------
    >>> [scale.name for scale in likely_scales([0.2, 0.3, 0.3, 0.9, 4.0])]
    ['linear', 'log']
    >>> [scale.name for scale in likely_scales([93.0, 99.1, 99.6, 99.9], bounded=(0, 100))]
    ['linear', 'logit']
    """
    values = np.asarray(y, dtype=np.float64)
    scales: list[Scale] = [LINEAR]
    if not len(values):
        return tuple(scales)
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95])
    if values.min() > 0 and high > 1.5 * low and (high + low > 2.2 * middle or high > 10 * low):
        scales.append(LOG)
    if bounded is not None and bounded[0] <= values.min() < values.max() <= bounded[1]:
        reach = 2 * float(np.std(values))
        if not bounded[0] <= np.mean(values) - reach <= np.mean(values) + reach <= bounded[1]:
            scales.append(Logit.of(values, *bounded))
    return tuple(scales)


def _expit(z: FloatArray) -> FloatArray:
    """1 / (1 + exp(-z)), without overflow."""
    tail = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1.0, tail) / (1 + tail))


@lru_cache(maxsize=1)
def hermite() -> tuple[FloatArray, FloatArray]:
    """Nodes (N_NODES,) of a standard normal, and the matrix (N_NODES, N_NODES) from values at them to their terms."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(N_NODES)
    norms = np.sqrt([float(factorial(k)) for k in range(N_NODES)])
    polynomials = np.polynomial.hermite_e.hermevander(nodes, N_NODES - 1) / norms
    return nodes, (weights / weights.sum())[:, None] * polynomials
