"""What is done to an alloy, and how it is tested: variables on levels, and conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import floor, inf, isfinite, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .diagram import IntArray
from .lattice import exact

# Of a level's distance to the next: values nearer to a level than this are on it.
ON_LEVEL = 1e-9
# A continuous variable is proposed on the finest round step that leaves its range at least so many.
LEAST_LEVELS = 200
# More levels than this are no step that anybody sets, and would not fit into memory.
MOST_LEVELS = 100_000

Process = Mapping[str, NDArray[Any]]
"""Process values by name, n of each: numbers (NaN where not known) or choices (objects, None where not known)."""


@dataclass(frozen=True, slots=True)
class Numeric:
    """A process variable that is a number, such as a solution temperature.

    Parameters
    ----------
    name : with its unit, such as `solution_temperature_C`
    low, high : in that unit
    step : levels run from `low` upwards by it; None for a continuous variable, which takes any value in its range
        and is proposed on a round step of at most a two-hundredth of it
    listed : the only values there are, ascending, where they lie on no step; `low` and `high` are its ends then

    Examples
    --------
    >>> Numeric("solution_temperature_C", 750, 1050, 50).grid
    array([ 750.,  800.,  850.,  900.,  950., 1000., 1050.])
    >>> Numeric("laser_power_W", 120, 370).grid[:3]
    array([120., 121., 122.])
    """

    name: str
    low: float
    high: float
    step: float | None = None
    listed: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise AlloyloopError(f"{self.name} runs from {self.low:g} to {self.high:g}", "Swap the two numbers.")
        if not (isfinite(self.low) and isfinite(self.high)):
            raise AlloyloopError(f"{self.name} runs from {self.low:g} to {self.high:g}", "Give it two finite bounds.")
        if self.step is not None:
            if not 0 < self.step < inf:
                raise AlloyloopError(f"The step of {self.name} is {self.step:g}", "Give a step above 0.")
            if (self.high - self.low) / self.step > MOST_LEVELS:
                raise AlloyloopError(
                    f"{self.name} has more than {MOST_LEVELS:,} levels", "Make its step coarser, or leave it out."
                )

    @classmethod
    def of_values(cls, name: str, values: FloatArray) -> Numeric:
        """The variable that takes only these values."""
        different = tuple(float(value) for value in np.unique(values))
        return cls(name, different[0], different[-1], listed=different)

    @property
    def continuous(self) -> bool:
        """Whether it takes any value in its range."""
        return self.step is None and not self.listed

    @property
    def spacing(self) -> Fraction:
        """The distance of its levels, exactly; for a continuous variable that on which it is proposed."""
        if self.step is not None:
            return exact(self.step)
        return _round_step(exact(self.high) - exact(self.low))

    @property
    def grid(self) -> FloatArray:
        """(n_levels,) its levels as values, ascending."""
        return _grid(self)

    @property
    def middle(self) -> float:
        """What stands where it is not known."""
        return (self.low + self.high) / 2

    @property
    def n_levels(self) -> int:
        """How many values it takes."""
        return len(self.grid)

    def unknown(self, n: int) -> NDArray[Any]:
        """n values that are not known."""
        return np.full(n, np.nan)

    def values(self, levels: IntArray) -> NDArray[Any]:
        """Levels as values in its unit."""
        return self.grid[levels]

    def levels(self, values: NDArray[Any]) -> IntArray:
        """Values as their nearest levels; -1 where not known, or more than half a step outside all that it takes."""
        numbers, grid = np.asarray(values, dtype=np.float64), self.grid
        gaps = np.diff(grid) if len(grid) > 1 else np.array([float(self.spacing)])
        slack = 1 + ON_LEVEL
        highest = self.high if self.continuous else grid[-1]  # its range may end between two round steps
        near = (numbers >= grid[0] - slack * gaps[0] / 2) & (numbers <= highest + slack * gaps[-1] / 2)
        nearest = np.searchsorted((grid[1:] + grid[:-1]) / 2, numbers)
        return np.where(near, nearest, -1).astype(np.int64)

    def takes(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether values are its levels, not merely near them; those not known are not.

        A continuous variable takes every value in its range.
        """
        if self.continuous:
            return self.holds(values)
        levels, off = self.levels(values), ON_LEVEL * float(self.spacing)
        return np.asarray((levels >= 0) & (np.abs(self.values(levels) - np.asarray(values, dtype=np.float64)) <= off))

    def holds(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether values are in its range, on a level or between two; those not known are not."""
        numbers, off = np.asarray(values, dtype=np.float64), ON_LEVEL * float(self.spacing)
        return np.asarray((numbers >= self.low - off) & (numbers <= self.high + off))


@lru_cache(maxsize=256)
def _grid(variable: Numeric) -> FloatArray:
    if variable.listed:
        grid = np.array(variable.listed)
    else:
        low, step = exact(variable.low), variable.spacing
        n = int((exact(variable.high) - low) // step) + 1
        grid = np.array([float(low + i * step) for i in range(n)])
    grid.setflags(write=False)
    return grid


def _round_step(span: Fraction) -> Fraction:
    """The largest of 1, 2 and 5 times a power of ten that is at most a two-hundredth of the span; 1 for no span."""
    if span <= 0:
        return Fraction(1)
    most = span / LEAST_LEVELS
    near = Fraction(10) ** floor(log10(float(most)))  # but for the last digit of the logarithm
    return max(step for step in (near / 10, near, 2 * near, 5 * near, 10 * near) if step <= most)


@dataclass(frozen=True, slots=True)
class Choice:
    """A process variable with named values, such as how an alloy is quenched."""

    name: str
    choices: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.choices)) < len(self.choices) or not self.choices:
            raise AlloyloopError(f"{self.name} needs different choices", "Name each choice once.")

    @property
    def n_levels(self) -> int:
        """How many values it takes."""
        return len(self.choices)

    def unknown(self, n: int) -> NDArray[Any]:
        """n choices that are not known."""
        return np.full(n, None, dtype=object)

    def values(self, levels: IntArray) -> NDArray[Any]:
        """Levels as choices."""
        return np.array(self.choices, dtype=object)[levels]

    def levels(self, values: NDArray[Any]) -> IntArray:
        """Choices as levels; -1 where not known, or none of them."""
        return np.array([self.choices.index(v) if v in self.choices else -1 for v in values], dtype=np.int64)

    def takes(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether values are its choices; those not known are not."""
        return self.levels(values) >= 0

    def holds(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """The same: nothing lies between choices."""
        return self.takes(values)


@dataclass(frozen=True, slots=True)
class Condition:
    """How a property was tested, or what was measured beside it: not designed, but set where a prediction is wanted.

    Parameters
    ----------
    name : with its unit, such as `test_temperature_C`
    at : its value where predictions are wanted
    """

    name: str
    at: float

    @property
    def middle(self) -> float:
        """What stands where it is not known."""
        return self.at
