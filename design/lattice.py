"""Integer compositions: whole units shared among elements, counted and reached by index without being stored.

With a step of 0.5 % a composition is 200 indivisible units; sum, bounds and step hold by construction. Steps that
differ between elements (Ca 0.05 beside Zn 0.5) share the largest unit that divides them all and 100, and each element
moves in its own stride.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .diagram import Atom, Axis, Clause, Diagram, IntArray, TooManyStatesError

# A step of one ppm is the finest that anybody weighs.
MOST_UNITS = 1_000_000
# Steps that two elements exchange at a time, in a search.
_REACH = (1, 2, 4, 8)


def exact(number: float) -> Fraction:
    """The decimal a person typed: 0.1 is one tenth, not the nearest binary number.

    >>> exact(0.1)
    Fraction(1, 10)
    """
    return Fraction(str(number))


@dataclass(frozen=True, slots=True)
class Element:
    """What one element may take, in % of the space's basis.

    Parameters
    ----------
    symbol : the element
    low, high : bounds [%]
    step : the smallest amount weighed on purpose [%]; amounts are whole multiples of it
    """

    symbol: str
    low: float
    high: float
    step: float

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 100:
            raise AlloyloopError(
                f"{self.symbol} has bounds {self.low:g} to {self.high:g} %",
                "Give a minimum and a maximum between 0 and 100, the minimum not above the maximum.",
            )
        if not 0 < self.step <= 100:
            raise AlloyloopError(
                f"The step of {self.symbol} is {self.step:g} %", "Give a step above 0 and up to 100, such as 0.5."
            )
        if self.lowest > self.highest:
            raise AlloyloopError(
                f"No multiple of {self.symbol}'s step {self.step:g} % lies between {self.low:g} and {self.high:g} %",
                "Widen the bounds or make the step finer.",
            )

    @property
    def lowest(self) -> int:
        """The lower bound in steps, rounded inward."""
        return -int(-exact(self.low) // exact(self.step))

    @property
    def highest(self) -> int:
        """The upper bound in steps, rounded inward."""
        return int(exact(self.high) // exact(self.step))

    @property
    def off_step(self) -> str:
        """A remark where a bound had to be rounded inward, else empty."""
        low, high = float(self.lowest * exact(self.step)), float(self.highest * exact(self.step))
        if low == self.low and high == self.high:
            return ""
        given = f"{self.symbol} {self.low:g} to {self.high:g} % is not on its step {self.step:g} %"
        return f"{given}: {low:g} to {high:g} % is used."


@dataclass(frozen=True, slots=True)
class CountLimit:
    """How many of some elements an alloy may hold.

    Parameters
    ----------
    name : of the limit, as campaign.yaml calls it
    of : the elements that are counted
    least, most : how many of them are present, at least and at most
    """

    name: str
    of: tuple[str, ...]
    least: int
    most: int

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.most:
            raise AlloyloopError(
                f"{self.name} asks for {self.least} to {self.most} elements", "Give the smaller number as the minimum."
            )
        if len(set(self.of)) < len(self.of):
            raise AlloyloopError(
                f"{self.name} counts {', '.join(self.of)}, one of them twice", "Name each element once."
            )
        if self.least > len(self.of):
            raise AlloyloopError(
                f"{self.name} asks for at least {self.least} of {len(self.of)} elements",
                "Ask for fewer, or name more elements.",
            )

    @property
    def text(self) -> str:
        """It in words."""
        which = f"of {', '.join(self.of)} are present"
        if self.least == 0:
            return f"at most {self.most} {which}"
        return f"at least {self.least} {which}" if self.most >= len(self.of) else f"{self.least} to {self.most} {which}"


@dataclass(frozen=True)
class Lattice:
    """All compositions of some elements on their steps that sum to exactly 100 %.

    Parameters
    ----------
    elements : the elements that are chosen, each with its bounds and step
    balance : the element that takes the remainder, on whatever the others leave
    balance_low, balance_high : its bounds [%]
    present_above : an element, the balance too, is absent or at least this much [%]
    limits : how many elements, or elements of a group, may be present; the balance counts

    A point is a row of whole `unit`s, the chosen elements in their order and the balance last; it sums to `total`.

    Examples
    --------
    >>> lattice = Lattice((Element("Nb", 0, 2, 1), Element("Zr", 0, 1, 0.5)), "Ti")
    >>> lattice.count, float(lattice.unit), lattice.total
    (9, 0.5, 200)
    >>> lattice.percent(lattice.at([0, 5, 8]))
    array([[  0.,   0., 100.],
           [  1.,   1.,  98.],
           [  2.,   1.,  97.]])
    """

    elements: tuple[Element, ...]
    balance: str
    balance_low: float = 0.0
    balance_high: float = 100.0
    present_above: float = 0.0
    limits: tuple[CountLimit, ...] = ()
    symbols: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        symbols = (*(element.symbol for element in self.elements), self.balance)
        twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
        if twice:
            raise AlloyloopError(
                f"{twice[0]} is named twice", "The balance takes the remainder and is not chosen as well."
            )
        object.__setattr__(self, "symbols", symbols)
        if self.total > MOST_UNITS:
            raise AlloyloopError(
                f"The steps of the elements share no more than {float(self.unit):g} %",
                "Make them coarser, or multiples of one another, such as 0.05 and 0.5.",
            )
        for element, values in zip(self.symbols, self.values, strict=True):
            if len(values) == 0:
                raise AlloyloopError(
                    f"No amount of {element} is left: what is present must be at least {self.present_above:g} %",
                    f"Lower present_above, or let {element} reach it.",
                )
        if not sum(self.lows) <= self.total <= sum(self.highs):
            least = sum(float(element.lowest * exact(element.step)) for element in self.elements)
            most = sum(float(element.highest * exact(element.step)) for element in self.elements)
            raise AlloyloopError(
                f"No composition is left: the others take {least:g} to {most:g} %, and {self.balance} may be "
                f"{self.balance_low:g} to {self.balance_high:g} %",
                f"Change the bounds so that {self.balance} can make up 100 %.",
            )
        for limit in self.limits:
            if unknown := [element for element in limit.of if element not in symbols]:
                raise AlloyloopError(
                    f"{limit.name} names {unknown[0]}, which is not an element of this space ({', '.join(symbols)})",
                    "Correct the name, or take it out.",
                )

    @cached_property
    def unit(self) -> Fraction:
        """The indivisible amount [%]: the largest that divides every step and 100."""
        numbers = [Fraction(100), *(exact(element.step) for element in self.elements)]
        denominator = lcm(*(number.denominator for number in numbers))
        return Fraction(gcd(*(int(number * denominator) for number in numbers)), denominator)

    @cached_property
    def total(self) -> int:
        """Units in 100 %."""
        return int(100 / self.unit)

    @cached_property
    def strides(self) -> tuple[int, ...]:
        """Units in one step of each element; the balance moves by single units."""
        return (*(int(exact(element.step) / self.unit) for element in self.elements), 1)

    @cached_property
    def lows(self) -> tuple[int, ...]:
        """Lower bounds in units, the balance last."""
        chosen = (element.lowest * stride for element, stride in zip(self.elements, self.strides, strict=False))
        return (*chosen, -int(-exact(self.balance_low) // self.unit))

    @cached_property
    def highs(self) -> tuple[int, ...]:
        """Upper bounds in units, the balance last."""
        chosen = (element.highest * stride for element, stride in zip(self.elements, self.strides, strict=False))
        return (*chosen, int(exact(self.balance_high) // self.unit))

    @cached_property
    def values(self) -> tuple[IntArray, ...]:
        """What each element may be, in units, ascending, the balance last."""
        on_step = map(_range, self.lows, self.highs, self.strides)
        return tuple(
            values[(values == 0) | (values >= least)] for values, least in zip(on_step, self.least_present, strict=True)
        )

    @cached_property
    def least_present(self) -> tuple[int, ...]:
        """The least of each element that counts as present, on its step and in units, the balance last."""
        return tuple(
            stride * max(1, -int(-exact(self.present_above) // (stride * self.unit))) for stride in self.strides
        )

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """An axis for each element, the balance last."""
        return tuple(Axis((i,), values[:, None], values) for i, values in enumerate(self.values))

    def clauses(self, axes: Sequence[Axis]) -> tuple[Clause, ...]:
        """The limits on how many elements are present, over axes whose columns begin with those of the elements."""
        clauses: list[Clause] = []
        for limit in self.limits:
            counted = [self.symbols.index(element) for element in limit.of]
            present = tuple(_present(axis, counted) for axis in axes)
            clauses.append((Atom(present, limit.most),))
            clauses.append((Atom(tuple(-numbers for numbers in present), -limit.least),))
        return tuple(clauses)

    @cached_property
    def diagram(self) -> Diagram:
        """Its compositions, numbered in the order of the first element, then the second, …

        Raises
        ------
        AlloyloopError
            where steps are so fine, beside wide bounds, that counting would take minutes
        """
        try:
            return Diagram(self.axes, self.total, self.clauses(self.axes))
        except TooManyStatesError as error:
            raise AlloyloopError(
                f"The steps are too fine for such wide bounds: {self.total} units of {float(self.unit):g} % are shared",
                "Make the steps coarser or the bounds narrower.",
            ) from error

    @property
    def count(self) -> int:
        """How many compositions there are, exactly."""
        return self.diagram.count

    def at(self, index: Sequence[int] | NDArray[Any]) -> IntArray:
        """The compositions with these numbers, in units, the balance last. (n,) -> (n, n_elements)"""
        return self.diagram.at(index)

    def index(self, points: IntArray) -> list[int]:
        """The numbers of compositions given in units, the inverse of `at`; -1 for what is not one."""
        return self.diagram.index(points)

    def holds(self, points: IntArray) -> NDArray[np.bool_]:
        """Whether rows of units are compositions of this lattice. (n, n_elements) -> (n,)"""
        return self.diagram.holds(points)

    def sample(self, n: int, rng: np.random.Generator) -> IntArray:
        """n compositions, uniform over the lattice, with repeats. (n, n_elements)"""
        return self.diagram.sample(n, rng)

    @cached_property
    def steps(self) -> IntArray:
        """Exchanges between two elements, some of their shared steps at a time. (n_moves, n_elements)"""
        size = len(self.symbols)
        moves = []
        for i in range(size):
            for j in range(size):
                if i != j:
                    shared = lcm(self.strides[i], self.strides[j])
                    for steps in _REACH:
                        move = np.zeros(size, dtype=np.int64)
                        move[i], move[j] = steps * shared, -steps * shared
                        moves.append(move)
        return np.array(moves, dtype=np.int64).reshape(-1, size)

    def percent(self, points: IntArray) -> FloatArray:
        """Units as %: the doubles nearest the exact decimals, so they print as they are weighed. (n, n_elements)"""
        return np.asarray(points * self.unit.numerator / self.unit.denominator, dtype=np.float64)

    def nearest(self, percent: FloatArray) -> IntArray:
        """Each amount on its nearest step, the balance taking the rest: not always inside the bounds (see `holds`).

        Parameters
        ----------
        percent : (n, n_elements) amounts [%], the balance last

        Returns
        -------
        (n, n_elements) units that sum to `total`
        """
        strides = np.array(self.strides[:-1])
        steps = np.rint(percent[:, :-1] / (strides * float(self.unit)))
        chosen = steps.astype(np.int64) * strides
        return np.column_stack([chosen, self.total - chosen.sum(axis=1)])


def _range(low: int, high: int, stride: int) -> IntArray:
    return np.arange(low, high + 1, stride, dtype=np.int64)


def _present(axis: Axis, counted: Sequence[int]) -> IntArray:
    """How many of the counted columns are above zero in each value of an axis. (n_values,)"""
    own = [i for i, column in enumerate(axis.columns) if column in counted]
    return np.asarray((axis.values[:, own] > 0).sum(axis=1), dtype=np.int64)
