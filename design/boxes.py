"""Boxes: ranges of several columns at once, made as wide as what is inside them allows.

Patient rule induction: from everything, the end of a range that does worst is peeled off, a value at a time, until what
is left holds; then ends are pasted on again as far as it still does [Friedman and Fisher, Stat. Comput. 9 (1999) 123].
Peeling is done again around each of some points that must stay inside, and the widest box is then improved by giving
up an end for others that bring more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from .diagram import IntArray

# The end of a range is its outermost value, or as many as hold this share of the points in the box.
END = 1 / 20
# So much of what is in a box is peeled off at once where values are finer than that.
PATIENCE = 1 / 100


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """Ranges of k columns of whole numbers, both ends inside.

    Parameters
    ----------
    low, high : (k,) the ends

    Examples
    --------
    >>> Box(np.array([0, 2]), np.array([1, 5])).holds(np.array([[1, 2], [1, 6]]))
    array([ True, False])
    """

    low: IntArray
    high: IntArray

    def holds(self, numbers: IntArray) -> NDArray[np.bool_]:
        """Which rows of whole numbers are inside. (n, k) -> (n,)"""
        return np.asarray(((numbers >= self.low) & (numbers <= self.high)).all(axis=1))

    def meets(self, other: Box) -> bool:
        """Whether some whole numbers are inside both."""
        return bool(((self.low <= other.high) & (other.low <= self.high)).all())

    def within(self, other: Box) -> Box:
        """What is inside both, of boxes that meet."""
        return Box(np.maximum(self.low, other.low), np.minimum(self.high, other.high))

    def without(self, other: Box) -> Iterator[Box]:
        """The widest boxes inside that do not meet another, and may meet each other."""
        if not self.meets(other):
            yield self
            return
        for i in range(len(self.low)):
            if other.low[i] > self.low[i]:
                yield self.moved(i, high=int(other.low[i]) - 1)
            if other.high[i] < self.high[i]:
                yield self.moved(i, low=int(other.high[i]) + 1)

    def moved(self, column: int, *, low: int | None = None, high: int | None = None) -> Box:
        """It with another end or two in one column."""
        lows, highs = self.low.copy(), self.high.copy()
        lows[column] = lows[column] if low is None else low
        highs[column] = highs[column] if high is None else high
        return Box(lows, highs)


@dataclass(frozen=True, slots=True, eq=False)
class _Ends:
    """How the points in a box do.

    Parameters
    ----------
    n, mean : how many there are, and their mean chance
    of : (2, k) mean chance at the lower and the upper end of each range
    next : (2, k) the end once that one has been peeled off; the end itself where nothing would be left
    """

    n: int
    mean: float
    of: FloatArray
    next: IntArray


@dataclass(frozen=True, eq=False)
class Boxes:
    """The boxes over some points.

    A box holds where the mean chance of its points is enough, and where at both ends of each range it is enough for an
    end: over the points with its outermost value, or values (see `END`).

    Parameters
    ----------
    numbers : (n, k) points in whole numbers, uniform over what is to be wide, or all of it
    chances : (n,) of them
    enough : the mean chance that is asked for
    at_ends : and that at the ends of ranges
    apart : boxes that none may meet

    Examples
    --------
    >>> numbers = np.array([[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [2, 1]])
    >>> chances = np.array([0.9, 0.9, 0.9, 0.2, 0.9, 0.9])
    >>> found = Boxes(numbers, chances, 0.8, 0.8).widest([4], Box(np.array([0, 0]), np.array([2, 1])))
    >>> found.low, found.high
    (array([1, 0]), array([2, 1]))
    """

    numbers: IntArray
    chances: FloatArray
    enough: float
    at_ends: float
    apart: tuple[Box, ...] = ()

    def widest(self, seeds: Sequence[int], within: Box) -> Box | None:
        """The box of most points, of several as wide the one of most mean chance, that holds; None where none does.

        Parameters
        ----------
        seeds : points (by number) around each of which a box is peeled
        within : which no box may leave
        """
        best: Box | None = None
        for seed in seeds:
            for start in self._starts(within, self.numbers[seed]):
                box = self._peeled(start, self.numbers[seed])
                if box is not None:
                    best = self._wider(best, self._pasted(box, within))
        return None if best is None else self._traded(best, within)

    def worth(self, box: Box) -> float:
        """How many points are in it, and as a tie-break their mean chance."""
        inside = self.chances[box.holds(self.numbers)]
        return len(inside) + float(inside.mean()) / 2 if len(inside) else 0.0

    def is_enough(self, box: Box) -> bool:
        """Whether it holds."""
        return self._does(self._ends(box))

    def peeled(self, box: Box) -> Box | None:
        """What is left of a box once ends are peeled off until it holds; None where nothing is."""
        return self._peeled(box, None)

    def _does(self, ends: _Ends) -> bool:
        return ends.n > 0 and ends.mean >= self.enough and bool((ends.of >= self.at_ends).all())

    def _wider(self, box: Box | None, other: Box) -> Box:
        return other if box is None or self.worth(other) > self.worth(box) else box

    def _starts(self, within: Box, seed: IntArray) -> list[Box]:
        """The widest boxes around a seed that meet none of those to be apart from; the fullest few of many."""
        starts = [within]
        for other in self.apart:
            starts = [part for box in starts for part in box.without(other) if part.holds(seed[None])[0]]
        good = self.numbers[self.chances >= self.enough]
        return sorted(starts, key=lambda box: -int(box.holds(good).sum()))[:4]

    @cached_property
    def _coded(self) -> tuple[list[IntArray], IntArray, IntArray]:
        """The values in each column; each point's among those of all columns, (n, k); and where each column's begin."""
        told = [np.unique(column, return_inverse=True) for column in self.numbers.T]
        first = np.cumsum([0, *(len(values) for values, _ in told)])
        codes = [rank.ravel() + start for (_, rank), start in zip(told, first[:-1], strict=True)]
        empty = np.empty((len(self.numbers), 0), dtype=np.int64)
        return [values for values, _ in told], np.column_stack([empty, *codes]).astype(np.int64), first

    def _ends(self, box: Box) -> _Ends:
        values, codes, first = self._coded
        inside = np.flatnonzero(box.holds(self.numbers))
        n, k = len(inside), len(values)
        of, after = np.full((2, k), np.nan), np.array([box.low, box.high])
        if n == 0:
            return _Ends(0, np.nan, of, after)
        flat = codes[inside].ravel()
        counts = np.bincount(flat, minlength=first[-1])
        sums = np.bincount(flat, np.repeat(self.chances[inside], k), minlength=first[-1])
        for i in range(k):
            own = slice(first[i], first[i + 1])
            held = np.flatnonzero(counts[own])
            for side, order in enumerate((held, held[::-1])):
                so_far = counts[own][order].cumsum()
                last = int(np.searchsorted(so_far, END * n))
                of[side, i] = sums[own][order][: last + 1].sum() / so_far[last]
                peel = int(np.searchsorted(so_far, PATIENCE * n, side="right"))
                after[side, i] = values[i][order[min(max(peel, 1), len(order) - 1)]]
        return _Ends(n, float(self.chances[inside].mean()), of, after)

    def _peeled(self, box: Box, seed: IntArray | None) -> Box | None:
        while not self._does(ends := self._ends(box)):
            can = ends.next != np.array([box.low, box.high])
            if seed is not None:
                can &= np.array([ends.next[0] <= seed, ends.next[1] >= seed])
            if ends.n == 0 or not can.any():
                return None
            side, i = np.unravel_index(np.where(can, ends.of, np.inf).argmin(), can.shape)
            end = int(ends.next[side, i])
            box = box.moved(int(i), low=end) if side == 0 else box.moved(int(i), high=end)
        return box

    def _pasted(self, box: Box, within: Box, frozen: tuple[int, int] | None = None) -> Box:
        """It with ends moved outward as long as it holds, each time the one that brings most points."""
        while True:
            wider = [
                other
                for side, other in self._one_out(box, within)
                if side != frozen and not any(other.meets(each) for each in self.apart)
            ]
            for other in sorted(wider, key=self.worth, reverse=True):
                if self.is_enough(other):
                    box = other
                    break
            else:
                return box

    def _one_out(self, box: Box, within: Box) -> Iterator[tuple[tuple[int, int], Box]]:
        """Which end, and the box with it moved to the next point further out."""
        out = (self.numbers < box.low) | (self.numbers > box.high)
        n_out = out.sum(axis=1)
        for i in range(len(box.low)):
            column = self.numbers[(n_out == 1) & out[:, i], i]
            below = column[(column < box.low[i]) & (column >= within.low[i])]
            above = column[(column > box.high[i]) & (column <= within.high[i])]
            if len(below):
                yield (0, i), box.moved(i, low=int(below.max()))
            if len(above):
                yield (1, i), box.moved(i, high=int(above.min()))

    def _traded(self, box: Box, within: Box) -> Box:
        """It with an end given up where others can then be moved outward by more, until no such trade is left."""
        while True:
            best = box
            ends = self._ends(box)
            for i in range(len(box.low)):
                for side, end in enumerate(ends.next[:, i].tolist()):
                    if end in (box.low[i], box.high[i]):
                        continue
                    smaller = box.moved(i, low=end) if side == 0 else box.moved(i, high=end)
                    best = self._wider(best, self._pasted(smaller, within, (side, i)))
            if best is box:
                return box
            # The end that was given up may go out again where the trade has made room.
            box = self._pasted(best, within)
