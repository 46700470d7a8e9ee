"""By what designs are ranked and kept: criteria of a belief, and of a belief of which only bounds are known.

A criterion is asked of brackets. The highest value that a bracket allows bounds all designs that it holds for, and a
bracket that has shrunk to a point is a belief, so that bound and value are one formula. Larger is better everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol

import numpy as np
from scipy.special import log_ndtr

from ..surrogates.base import FloatArray, Prediction
from .goals import Is, Limit, Within, in_words
from .improvement import log_expected_approach, log_expected_improvement

# Stands for "anything": finite, so that no difference of two of them is not a number.
ANYTHING = 1e300
# A value that is known exactly; its tails are then steeper than any other's.
_KNOWN = 1e-300
# Above this the log of a probability says 1 - P to all digits itself; between it and 0 the tails are added up.
_NEARLY_ONE = -1e-200


@dataclass(frozen=True, slots=True, eq=False)
class Bracket:
    """Bounds on the belief about one property, at n designs or in n cells of them.

    Parameters
    ----------
    mean_low, mean_high : (n,) between them lies the expected value, in the property's unit
    std_low, std_high : (n,) between them lies the standard deviation of the property itself
    noise : (n,) standard deviation of one measurement about it, or a lower bound where `std_high` is `ANYTHING`
    """

    mean_low: FloatArray
    mean_high: FloatArray
    std_low: FloatArray
    std_high: FloatArray
    noise: FloatArray

    @classmethod
    def unknown(cls, n: int) -> Bracket:
        """Of a property that could be anything."""
        anything, nothing = np.full(n, ANYTHING), np.zeros(n)
        return cls(-anything, anything, nothing, anything, nothing)

    @classmethod
    def of(cls, belief: Prediction) -> Bracket:
        """Of a property that has been predicted."""
        return cls(belief.mean, belief.mean, belief.std, belief.std, belief.noise)

    def measured(self) -> Bracket:
        """Of a measurement of the property: its standard deviations hold the noise as well."""
        low, high = (np.hypot(std, self.noise) for std in (self.std_low, self.std_high))
        return Bracket(self.mean_low, self.mean_high, low, high, self.noise)


Brackets = Mapping[str, Bracket]
"""Brackets by property, n of each."""


def class_of(name: str, label: str) -> str:
    """What a bracket of the odds of a class against the likeliest other is called."""
    return in_words(name, Is(label))


def chance_of(name: str, label: str) -> str:
    """What a bracket of the odds of a class against all others is called."""
    return f"P({class_of(name, label)})"


def _bracket_of(name: str, limit: Limit) -> str:
    """What the bracket is called that a limit of a property is asked of."""
    return chance_of(name, limit.label) if isinstance(limit, Is) else name


def _asked(limits: Sequence[tuple[str, Limit]], brackets: Brackets) -> list[tuple[Limit, Bracket]]:
    """Each limit with the bracket that it is asked of."""
    return [(limit, brackets[_bracket_of(name, limit)]) for name, limit in limits]


class Criterion(Protocol):
    """What designs are ranked by. Larger is better, and nothing saturates, so that the best do not tie.

    `means` and `stds` are the properties of which it needs the expected value, and the standard deviation as well;
    `scale` is a difference that matters, against which rounding errors are judged; `words` say what it is.
    """

    @property
    def means(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def stds(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def scale(self) -> float: ...  # noqa: D102
    @property
    def words(self) -> str: ...  # noqa: D102

    def highest(self, brackets: Brackets) -> FloatArray:
        """The highest value that brackets allow; the value itself where they have shrunk to points. (n,)"""
        ...


class Bounded(Criterion, Protocol):
    """A criterion that can be bounded from below as well, and so decides whether designs pass a gate."""

    def lowest(self, brackets: Brackets) -> FloatArray:
        """The lowest value that brackets allow; equal to `highest` where they have shrunk to points. (n,)"""
        ...


@dataclass(frozen=True, slots=True)
class PredictedMean:
    """The expected value of a property, or the value of one that is computed.

    Parameters
    ----------
    of : the property's name, with its unit
    sign : +1 where it is maximised, -1 where it is minimised
    scale : how much it varies over the data, in its unit
    """

    of: str
    sign: float
    scale: float
    stds = ()

    @property
    def means(self) -> tuple[str, ...]:
        """The property."""
        return (self.of,)

    @property
    def words(self) -> str:
        """Such as `minimize youngs_modulus_GPa`."""
        return f"{'maximize' if self.sign > 0 else 'minimize'} {self.of}"

    def highest(self, brackets: Brackets) -> FloatArray:
        """See `Criterion`."""
        bracket = brackets[self.of]
        return self.sign * (bracket.mean_high if self.sign > 0 else bracket.mean_low)

    def lowest(self, brackets: Brackets) -> FloatArray:
        """See `Bounded`."""
        bracket = brackets[self.of]
        return self.sign * (bracket.mean_low if self.sign > 0 else bracket.mean_high)


@dataclass(frozen=True, slots=True)
class PredictedNearness:
    """How near the expected value of a property is to a target, with a minus: 0 on target.

    Parameters
    ----------
    of : the property's name, with its unit
    target : in its unit
    scale : how much it varies over the data, in its unit
    """

    of: str
    target: float
    scale: float
    stds = ()

    @property
    def means(self) -> tuple[str, ...]:
        """The property."""
        return (self.of,)

    @property
    def words(self) -> str:
        """Such as `youngs_modulus_GPa near 50`."""
        return f"{self.of} near {self.target:g}"

    def highest(self, brackets: Brackets) -> FloatArray:
        """See `Criterion`."""
        bracket = brackets[self.of]
        return -np.maximum(np.maximum(bracket.mean_low - self.target, self.target - bracket.mean_high), 0.0)


@dataclass(frozen=True, slots=True)
class LogOdds:
    """Log of P / (1 - P), where P is the probability that a new measurement of every property keeps its limits.

    Unlike P itself it tells designs apart that are all but certain: both of its tails are exact.

    Parameters
    ----------
    limits : (property, limits) pairs, taken as independent; a class is a limit too

    Examples
    --------
    >>> sure = Bracket.of(Prediction(np.array([50.0, 40.0]), np.array([1.0, 1.0]), np.array([0.0, 0.0])))
    >>> LogOdds((("youngs_modulus_GPa", Within(high=60.0)),)).highest({"youngs_modulus_GPa": sure}).round(1)
    array([ 53.2, 203.9])
    """

    limits: tuple[tuple[str, Limit], ...]
    scale = 1.0

    @property
    def means(self) -> tuple[str, ...]:
        """The properties that have limits, and the classes that are asked for."""
        return tuple(_bracket_of(*pair) for pair in self.limits)

    @property
    def stds(self) -> tuple[str, ...]:
        """The same."""
        return self.means

    @property
    def words(self) -> str:
        """Names the limits."""
        return f"probability that {' and '.join(in_words(name, limit) for name, limit in self.limits)}"

    def highest(self, brackets: Brackets) -> FloatArray:
        """See `Criterion`."""
        return self._odds([_kindest(limit, of.measured()) for limit, of in _asked(self.limits, brackets)])

    def lowest(self, brackets: Brackets) -> FloatArray:
        """See `Bounded`."""
        return self._odds([_harshest(limit, of.measured()) for limit, of in _asked(self.limits, brackets)])

    def _odds(self, normals: Sequence[tuple[FloatArray, FloatArray]]) -> FloatArray:
        """From the mean and the standard deviation of a measurement of each property, in the order of the limits."""
        pairs = [(limit, *normal) for (_, limit), normal in zip(self.limits, normals, strict=True)]
        log_p = np.sum([_log_inside(*pair) for pair in pairs], axis=0)
        tails = [_log_outside(*pair) for pair in pairs]
        with np.errstate(divide="ignore"):
            log_q = np.log(-np.expm1(log_p))
        return np.asarray(log_p - np.where(log_p > _NEARLY_ONE, np.logaddexp.reduce(tails, axis=0), log_q))


@dataclass(frozen=True, slots=True)
class ExpectedImprovement:
    """Log of the expected improvement over a known alloy, times the probability that the limits hold.

    That of the property itself and not of a measurement, as in `acquisition.Acquisition`, but over one number.

    Parameters
    ----------
    of : the property that is pursued
    sign : +1 where it is maximised, -1 where it is minimised
    best : what is to be improved on, in the property's unit
    limits : (property, limits) pairs, taken as independent; a class is a limit too
    """

    of: str
    sign: float
    best: float
    limits: tuple[tuple[str, Limit], ...] = ()
    scale = 1.0

    @property
    def means(self) -> tuple[str, ...]:
        """The pursued property, those that have limits, and the classes that are asked for."""
        return (self.of, *(_bracket_of(*pair) for pair in self.limits))

    @property
    def stds(self) -> tuple[str, ...]:
        """The same."""
        return self.means

    @property
    def words(self) -> str:
        """Names what is to be improved on."""
        return f"expected improvement of {self.of} on {self.best:.4g}{_where(self.limits)}"

    def highest(self, brackets: Brackets) -> FloatArray:
        """See `Criterion`."""
        bracket = brackets[self.of]
        mean = self.sign * (bracket.mean_high if self.sign > 0 else bracket.mean_low)
        value = log_expected_improvement(mean, bracket.std_high, np.asarray(self.sign * self.best))
        return value + _log_kept(self.limits, brackets)


@dataclass(frozen=True, slots=True)
class ExpectedWeighedImprovement:
    """The same of a sum of properties that are weighed, believed independently of each other.

    Parameters
    ----------
    shares : by property what a unit of it counts in the sum: negative where it is minimised
    best : what is to be improved on: the sum
    limits : as in `ExpectedImprovement`
    """

    shares: tuple[tuple[str, float], ...]
    best: float
    limits: tuple[tuple[str, Limit], ...] = ()
    scale = 1.0

    @property
    def means(self) -> tuple[str, ...]:
        """The pursued properties, those that have limits, and the classes that are asked for."""
        return tuple(dict.fromkeys([*(name for name, _ in self.shares), *(_bracket_of(*pair) for pair in self.limits)]))

    @property
    def stds(self) -> tuple[str, ...]:
        """The same."""
        return self.means

    @property
    def words(self) -> str:
        """Names what is weighed."""
        weighed = " and ".join(name for name, _ in self.shares)
        return f"expected improvement of {weighed} together, as weighed{_where(self.limits)}"

    def highest(self, brackets: Brackets) -> FloatArray:
        """See `Criterion`."""
        mean, std = np.zeros(()), np.zeros(())
        for name, share in self.shares:
            bracket = brackets[name]
            mean = mean + share * (bracket.mean_high if share > 0 else bracket.mean_low)
            std = np.hypot(std, share * bracket.std_high)
        return log_expected_improvement(mean, std, np.asarray(self.best)) + _log_kept(self.limits, brackets)


@dataclass(frozen=True, slots=True)
class ExpectedApproach:
    """Log of how much nearer to a target a property is expected to come, times the probability that the limits hold.

    Parameters
    ----------
    of : the property that is brought to the target
    target : in its unit
    nearest : how far off it the best known alloy is, above 0
    limits : as in `ExpectedImprovement`
    """

    of: str
    target: float
    nearest: float
    limits: tuple[tuple[str, Limit], ...] = ()
    scale = 1.0

    @property
    def means(self) -> tuple[str, ...]:
        """The pursued property, those that have limits, and the classes that are asked for."""
        return (self.of, *(_bracket_of(*pair) for pair in self.limits))

    @property
    def stds(self) -> tuple[str, ...]:
        """The same."""
        return self.means

    @property
    def words(self) -> str:
        """Names the target, and what is to be improved on."""
        known = f"the best known is {self.nearest:.4g} off"
        return f"expected approach of {self.of} to {self.target:g} ({known}){_where(self.limits)}"

    def highest(self, brackets: Brackets) -> FloatArray:
        """See `Criterion`.

        What may be gained is a tent over the target. Smoothed with a normal it stays symmetric and falls to both sides,
        so that the mean nearest to the target gains most; and it peaks at one standard deviation, see `_widest_gain`.
        """
        bracket = brackets[self.of]
        off = np.maximum(np.maximum(bracket.mean_low - self.target, self.target - bracket.mean_high), 0.0)
        std = np.array(bracket.std_high, dtype=np.float64)
        open_ = bracket.std_low < bracket.std_high
        peak = _widest_gain(off[open_] / self.nearest) * self.nearest
        std[open_] = np.clip(peak, bracket.std_low[open_], bracket.std_high[open_])
        return log_expected_approach(off, std, np.asarray(self.nearest)) + _log_kept(self.limits, brackets)


def _where(limits: Sequence[tuple[str, Limit]]) -> str:
    """The limits, in words, after what is ranked by."""
    return f", where {' and '.join(in_words(name, limit) for name, limit in limits)}" if limits else ""


def _log_kept(limits: Sequence[tuple[str, Limit]], brackets: Brackets) -> FloatArray:
    """Log of the highest probability that brackets allow that all limits hold; of the properties themselves. (n,)"""
    kept = np.zeros(())
    for limit, of in _asked(limits, brackets):
        kept = kept + _log_inside(limit, *_kindest(limit, of))
    return kept


def _widest_gain(off: FloatArray) -> FloatArray:
    """The standard deviation at which a normal value `off` a target is expected to gain most, in units of `nearest`.

    By the heat equation the mean of the tent over [-1, 1] changes with the variance s² as its second derivative does,
    as φ((off - 1) / s) + φ((off + 1) / s) - 2 φ(off / s): for off ≤ 1/2 it only falls. Beyond, it rises up to where
    ln cosh(off x) = x / 2 with x = 1 / s², and falls from there. Newton's method comes down to that root from
    ln 2 / (off - 1/2), which is no smaller since ln cosh(z) ≥ z - ln 2, along a convex function.
    """
    std = np.zeros(np.shape(off))
    beyond = off > 0.5
    a = np.minimum(off[beyond], 1e9)
    x = np.log(2.0) / (a - 0.5)
    for _ in range(64):
        step = (np.logaddexp(a * x, -a * x) - np.log(2.0) - x / 2) / (a * np.tanh(a * x) - 0.5)
        x = np.maximum(x - np.maximum(step, 0.0), 1 / a**2)  # ln cosh(z) ≤ z² / 2: the root is no smaller
        if (step <= 1e-12 * x).all():
            break
    std[beyond] = 1 / np.sqrt(x)
    return std


def _kindest(limit: Limit, bracket: Bracket) -> tuple[FloatArray, FloatArray]:
    """Of all normal distributions in a bracket, mean and standard deviation of the one most likely inside limits.

    The mean nearest to their middle. Where that is inside, the narrowest distribution; where it is outside, the one
    whose standard deviation is nearest to that at which the probability peaks (its derivative is zero there). Of a
    class, whose odds have no standard deviation, the highest.
    """
    if isinstance(limit, Is):
        return bracket.mean_high, bracket.std_low
    mean = np.clip(_middle(limit), bracket.mean_low, bracket.mean_high)
    gap, width = np.maximum(np.maximum(limit.low - mean, mean - limit.high), 0.0), limit.high - limit.low
    if width == inf:
        peak = np.where(gap > 0, inf, 0.0)
    else:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            peak = np.where(gap > 0, np.sqrt(width * (gap + width / 2) / np.log1p(width / gap)), 0.0)
    return mean, np.maximum(np.clip(peak, bracket.std_low, bracket.std_high), _KNOWN)


def _harshest(limit: Limit, bracket: Bracket) -> tuple[FloatArray, FloatArray]:
    """The one least likely inside: its mean furthest from their middle, its deviation the least or the largest."""
    if isinstance(limit, Is):
        return bracket.mean_low, bracket.std_low
    low, high, middle = bracket.mean_low, bracket.mean_high, _middle(limit)
    if middle == inf:
        mean = low
    elif middle == -inf:
        mean = high
    else:
        mean = np.where(middle - low > high - middle, low, high)
    narrow, wide = (np.maximum(std, _KNOWN) for std in (bracket.std_low, bracket.std_high))
    odds = [_log_inside(limit, mean, std) - _log_outside(limit, mean, std) for std in (narrow, wide)]
    return mean, np.where(odds[0] < odds[1], narrow, wide)


def _middle(limit: Within) -> float:
    """Of the limits; infinitely far inside where there is only one."""
    if limit.high == inf:
        return inf
    return -inf if limit.low == -inf else (limit.low + limit.high) / 2


def _log_inside(limit: Limit, mean: FloatArray, std: FloatArray) -> FloatArray:
    """Log of the probability that a normal value lies inside limits, or of a class by its log odds. (n,)"""
    if isinstance(limit, Is):
        return -np.logaddexp(0.0, -mean)
    with np.errstate(over="ignore"):
        return limit.log_probability(mean, std)


def _log_outside(limit: Limit, mean: FloatArray, std: FloatArray) -> FloatArray:
    """Log of the probability that a normal value lies outside limits, or of any other class; exact where tiny. (n,)"""
    if isinstance(limit, Is):
        return -np.logaddexp(0.0, mean)
    with np.errstate(over="ignore"):
        below, above = (limit.low - mean) / std, (mean - limit.high) / std
    return np.logaddexp(log_ndtr(below), log_ndtr(above))
