"""What is wanted of a property: how good a value is, whether it is allowed, and how likely that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from ..surrogates.scales import Scale


@dataclass(frozen=True, slots=True)
class Minimize:
    """As low as possible."""

    sign = -1.0
    words = "as low as possible"
    better = "lower"

    def objective(self, values: FloatArray) -> FloatArray:
        """How good values are: larger is better."""
        return np.asarray(-values)


@dataclass(frozen=True, slots=True)
class Maximize:
    """As high as possible."""

    sign = 1.0
    words = "as high as possible"
    better = "higher"

    def objective(self, values: FloatArray) -> FloatArray:
        """How good values are: larger is better."""
        return np.asarray(values)


@dataclass(frozen=True, slots=True)
class Within:
    """Inside limits, with a probability: `between`, `below` and `above` are this with one or two finite limits.

    Parameters
    ----------
    low, high : limits in the property's unit, infinite where there is none
    """

    low: float = -inf
    high: float = inf

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise AlloyloopError(f"Nothing lies between {self.low:g} and {self.high:g}", "Give the lower limit first.")

    @property
    def words(self) -> str:
        """The limits in words."""
        if self.low == -inf:
            return f"below {self.high:g}"
        return f"above {self.low:g}" if self.high == inf else f"between {self.low:g} and {self.high:g}"

    def on(self, scale: Scale) -> Within | None:
        """The same limits on the scale that a property is modelled on; None where it has nothing between them."""
        low, high = (float(end) for end in scale.limits(self.low, self.high))
        return Within(low, high) if low < high else None

    def allows(self, values: FloatArray) -> NDArray[np.bool_]:
        """Whether values are inside the limits."""
        return np.asarray((values >= self.low) & (values <= self.high))

    def log_probability(self, mean: FloatArray, std: FloatArray) -> FloatArray:
        """Log of the probability that a normal value lies inside, exact far in the tails. (n,)

        A std of 0 stands for a value that is known.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            upper = np.where(std > 0, (self.high - mean) / std, np.where(mean <= self.high, inf, -inf))
            lower = np.where(std > 0, (self.low - mean) / std, np.where(mean >= self.low, -inf, inf))
            # Work on the side where both tails are small: P = Phi(b) - Phi(a) with a <= b <= 0 after mirroring.
            mirror = lower + upper > 0
        a, b = np.where(mirror, -upper, lower), np.where(mirror, -lower, upper)
        log_b, log_a = log_ndtr(b), log_ndtr(a)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(log_a == -inf, log_b, log_b + np.log1p(-np.exp(log_a - log_b))))


@dataclass(frozen=True, slots=True)
class Match:
    """As near to a target as possible.

    Parameters
    ----------
    target : in the property's unit
    tolerance : within which of it a value counts as met
    """

    target: float
    tolerance: float
    better = "nearer"

    def __post_init__(self) -> None:
        if not self.tolerance > 0:
            raise AlloyloopError(
                f"A tolerance of {self.tolerance:g} cannot be met", "Give one above 0, such as the scatter of a test."
            )

    @property
    def words(self) -> str:
        """The target in words."""
        return f"as near to {self.target:g} as possible (met within {self.tolerance:g})"

    @property
    def limit(self) -> Within:
        """When it counts as met."""
        return Within(self.target - self.tolerance, self.target + self.tolerance)

    def objective(self, values: FloatArray) -> FloatArray:
        """How good values are: larger is better, 0 on target."""
        return np.asarray(-np.abs(values - self.target))


@dataclass(frozen=True, slots=True)
class Is:
    """Of one class, with a probability.

    Parameters
    ----------
    label : of the class
    """

    label: str

    @property
    def words(self) -> str:
        """The class in words."""
        return f"is {self.label}"


@dataclass(frozen=True, slots=True)
class Report:
    """Modelled and shown, not pursued."""

    words = "reported"


Pursued = Minimize | Maximize | Match
Limit = Within | Is
Goal = Pursued | Limit | Report


def in_words(name: str, limit: Limit) -> str:
    """A limit of a property in words.

    Examples
    --------
    >>> in_words("youngs_modulus_GPa", Within(high=60)), in_words("phases", Is("beta"))
    ('youngs_modulus_GPa is below 60', 'phases is beta')
    """
    return f"{name} {limit.words}" if isinstance(limit, Is) else f"{name} is {limit.words}"


def pursued(goals: Mapping[str, Goal]) -> dict[str, Pursued]:
    """The properties that are minimised, maximised or brought to a target, at least one.

    Raises
    ------
    AlloyloopError
        where there is none
    """
    found = {name: goal for name, goal in goals.items() if isinstance(goal, Minimize | Maximize | Match)}
    if not found:
        raise AlloyloopError(
            "No property is minimised, maximised or brought to a target, so that no alloy is better than another",
            "Give one or more properties the goal minimize, maximize or match; the others may have limits or a report. "
            "Where only limits or a class are asked for, screen by probability for what is likeliest to meet them; to "
            "learn where the border runs, minimize price_usd_per_kg as well, which is computed, and write "
            "'acquisition: level-set'.",
        )
    return found


def limits(goals: Mapping[str, Goal]) -> dict[str, Within]:
    """The properties that must stay inside limits."""
    return {name: goal for name, goal in goals.items() if isinstance(goal, Within)}


def when_met(goals: Mapping[str, Goal]) -> dict[str, Within]:
    """When what is brought to a target counts as met."""
    return {name: goal.limit for name, goal in goals.items() if isinstance(goal, Match)}


def classes_wanted(goals: Mapping[str, Goal]) -> dict[str, Is]:
    """The properties that must be of a class."""
    return {name: goal for name, goal in goals.items() if isinstance(goal, Is)}
