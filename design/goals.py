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


@dataclass(frozen=True, slots=True)
class Minimize:
    """As low as possible."""

    sign = -1.0
    words = "as low as possible"


@dataclass(frozen=True, slots=True)
class Maximize:
    """As high as possible."""

    sign = 1.0
    words = "as high as possible"


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


Pursued = Minimize | Maximize
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


def pursued(goals: Mapping[str, Goal]) -> tuple[str, Pursued]:
    """The one property that is minimised or maximised.

    Raises
    ------
    AlloyloopError
        where none or several are
    """
    found = [(name, goal) for name, goal in goals.items() if isinstance(goal, Minimize | Maximize)]
    if len(found) != 1:
        names = ", ".join(name for name, _ in found) or "none"
        raise AlloyloopError(
            f"One property must be minimised or maximised, and here it is {names}",
            "Give one property the goal minimize or maximize and the others a limit or report; "
            "several pursued goals come in a later version.",
        )
    return found[0]


def limits(goals: Mapping[str, Goal]) -> dict[str, Within]:
    """The properties that must stay inside limits."""
    return {name: goal for name, goal in goals.items() if isinstance(goal, Within)}


def classes_wanted(goals: Mapping[str, Goal]) -> dict[str, Is]:
    """The properties that must be of a class."""
    return {name: goal for name, goal in goals.items() if isinstance(goal, Is)}
