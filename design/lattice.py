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

IntArray = NDArray[np.int64]
_LARGEST_INT64 = 2**62  # counts beyond this are kept as Python integers
# Counting takes time and memory for each unit; a step of one ppm is the finest that anybody weighs.
MOST_UNITS = 1_000_000


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


@dataclass(frozen=True)
class Lattice:
    """All compositions of some elements on their steps that sum to exactly 100 %.

    Parameters
    ----------
    elements : the elements that are chosen, each with its bounds and step
    balance : the element that takes the remainder, on whatever the others leave
    balance_low, balance_high : its bounds [%]

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
        if self.count == 0:
            least = sum(float(element.lowest * exact(element.step)) for element in self.elements)
            most = sum(float(element.highest * exact(element.step)) for element in self.elements)
            raise AlloyloopError(
                f"No composition is left: the others take {least:g} to {most:g} %, and {self.balance} may be "
                f"{self.balance_low:g} to {self.balance_high:g} %",
                f"Change the bounds so that {self.balance} can make up 100 %.",
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
    def _ways(self) -> tuple[list[int], ...]:
        """ways[i][s]: in how many ways the elements from i on share s units; Python integers of any size."""
        last = [int(self.lows[-1] <= s <= self.highs[-1]) for s in range(self.total + 1)]
        ways = [last]
        for low, high, stride in reversed(list(zip(self.lows, self.highs, self.strides, strict=True))[:-1]):
            sums = _strided_sums(ways[0], stride)
            beyond = high + stride
            ways.insert(
                0,
                [
                    (sums[s - low] if s >= low else 0) - (sums[s - beyond] if s >= beyond else 0)
                    for s in range(self.total + 1)
                ],
            )
        return tuple(ways)

    @cached_property
    def _sums(self) -> tuple[NDArray[Any], ...]:
        sums = [_strided_sums(way, stride) for way, stride in zip(self._ways[1:], self.strides, strict=False)]
        # Not by the count: bounds may leave few compositions of elements that could share another amount in many ways.
        dtype = np.int64 if max(map(max, sums), default=0) < _LARGEST_INT64 else object
        return tuple(np.array(each, dtype=dtype) for each in sums)

    @cached_property
    def count(self) -> int:
        """How many compositions there are, exactly."""
        return self._ways[0][self.total]

    def at(self, index: Sequence[int] | NDArray[Any]) -> IntArray:
        """The compositions with these indices, in units.

        Parameters
        ----------
        index : (n,) whole numbers from 0 to count - 1, in the order of the first element, then the second, …

        Returns
        -------
        (n, n_elements) units, the balance last
        """
        rest: NDArray[Any] = np.array(index, dtype=object if self.count >= _LARGEST_INT64 else np.int64)
        if rest.size and not (rest.min() >= 0 and rest.max() < self.count):
            raise IndexError(f"indices run from 0 to {self.count - 1}")
        points = np.zeros((len(rest), len(self.symbols)), dtype=np.int64)
        left = np.full(len(rest), self.total, dtype=np.int64)
        for i, sums in enumerate(self._sums):
            low, high, stride = self.lows[i], self.highs[i], self.strides[i]

            fewest, most = np.zeros(len(rest), np.int64), np.full(len(rest), (high - low) // stride)
            while (fewest < most).any():  # bisection, all rows at once
                middle = (fewest + most + 1) // 2
                fits = _before(sums, left - low, middle * stride) <= rest
                fewest, most = np.where(fits, middle, fewest), np.where(fits, most, middle - 1)
            rest = rest - _before(sums, left - low, fewest * stride)
            points[:, i] = low + fewest * stride
            left = left - points[:, i]
        points[:, -1] = left
        return points

    def index(self, points: IntArray) -> list[int]:
        """The indices of compositions given in units; the inverse of `at`."""
        indices = []
        for point in np.atleast_2d(points):
            index, left = 0, self.total
            for i, sums in enumerate(self._sums):
                spare = np.array([left - self.lows[i]])
                index += int(_before(sums, spare, np.array([point[i] - self.lows[i]]))[0])
                left -= int(point[i])
            indices.append(index)
        return indices

    def holds(self, points: IntArray) -> NDArray[np.bool_]:
        """Whether rows of units are compositions of this lattice. (n, n_elements) -> (n,)"""
        low, high, stride = (np.array(bound) for bound in (self.lows, self.highs, self.strides))
        on_step = (points - low) % stride == 0
        inside = (points >= low) & (points <= high) & on_step
        return np.asarray(inside.all(axis=1) & (points.sum(axis=1) == self.total))

    def sample(self, n: int, rng: np.random.Generator) -> IntArray:
        """n compositions, uniform over the lattice, with repeats. (n, n_elements)"""
        if self.count < _LARGEST_INT64:
            return self.at(rng.integers(self.count, size=n))
        bits = self.count.bit_length()
        indices: list[int] = []
        while len(indices) < n:
            drawn = int.from_bytes(rng.bytes(bits // 8 + 1), "big") >> (8 - bits % 8)
            if drawn < self.count:
                indices.append(drawn)
        return self.at(np.array(indices, dtype=object))

    def moves(self, reach: Sequence[int] = (1, 2, 4, 8)) -> IntArray:
        """Exchanges between two elements, `reach` of their shared steps at a time. (n_moves, n_elements)"""
        size = len(self.symbols)
        moves = []
        for i in range(size):
            for j in range(size):
                if i != j:
                    shared = lcm(self.strides[i], self.strides[j])
                    for steps in reach:
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


def _before(sums: NDArray[Any], spare: IntArray, above: IntArray) -> NDArray[Any]:
    """How many compositions come before those whose next element stands `above` units over its bound. (n,)

    Parameters
    ----------
    sums : strided sums of the ways in which the elements after it share what is left
    spare : (n,) units left for it and them, less its bound
    above : (n,) whole strides
    """
    now = spare - above
    return np.asarray(np.where(spare >= 0, sums[spare], 0) - np.where(now >= 0, sums[now], 0))


def _strided_sums(values: Sequence[int], stride: int) -> list[int]:
    """sums[s] = values[s] + values[s - stride] + values[s - 2 stride] + …"""
    sums = list(values)
    for s in range(stride, len(sums)):
        sums[s] += sums[s - stride]
    return sums
