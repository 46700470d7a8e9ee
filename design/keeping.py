"""What a screen keeps of very many designs: the best by a score and a Pareto front, in bounded memory and in any order.

The same design gets values that differ in their last digits, by which others stand beside it in a call. So more is kept
than is asked for, whatever rounding could still bring in (`SLACK`), and who wins is settled at the end, on values that
each finalist got alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from .diagram import IntArray

BoolArray = NDArray[np.bool_]

# Two values nearer than this, in units of a scale that matters, may be equal: far above what rounding does.
SLACK = 1e-7
# So many designs are kept beside the k best though they may tie with the last of them; and so many on a front.
MOST_TIED = 100_000
MOST_ON_FRONT = 20_000
# Comparisons made at a time.
_BLOCK = 1 << 22


def slack(values: FloatArray, scale: float | FloatArray) -> FloatArray:
    """By how much values may be off for rounding, and more."""
    return SLACK * (scale + np.minimum(np.abs(values), 1e30))


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What is kept of the designs looked at so far.

    Parameters
    ----------
    left : how many designs were looked at, and how many were left after each gate
    index : (m,) of the designs kept, counted from the start of the range, ascending
    values : (m, 1 + n_axes) their score and their place on each axis of the front; larger is better
    tied : whether more designs tie with the last of the best than are kept
    crowded : whether a front of more than `MOST_ON_FRONT` designs was given up
    """

    left: tuple[int, ...]
    index: IntArray
    values: FloatArray
    tied: bool = False
    crowded: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Bar:
    """What a design must reach to be kept.

    Parameters
    ----------
    score : the least score
    front : (m, n_axes) no design that is nowhere better than one of these is on the front; None where none is sought
    """

    score: float
    front: FloatArray | None

    def lets_in(self, values: FloatArray) -> BoolArray:
        """Whether designs with these values, or with values up to these, may still be kept. (n, 1 + n_axes) -> (n,)"""
        reaches = values[:, 0] >= self.score
        if self.front is not None:
            known = ~np.isnan(values[:, 1:]).any(axis=1)
            reaches[known] |= ~dominated(values[known, 1:], self.front)
        return np.asarray(reaches)

    def raised(self, other: Bar) -> Bar:
        """What must be reached to pass both."""
        fronts = [bar.front for bar in (self, other) if bar.front is not None]
        return Bar(max(self.score, other.score), np.vstack(fronts) if len(fronts) == 2 else None)


@dataclass(frozen=True, slots=True)
class Keeper:
    """How many of the best to keep, and a front over which axes.

    Parameters
    ----------
    k : how many
    scales : a difference that matters, of the score and of each axis of the front; a front needs two axes
    """

    k: int
    scales: tuple[float, ...]

    @property
    def n_axes(self) -> int:
        """Of the front; 0 where none is kept."""
        return len(self.scales) - 1

    def kept(self, parts: Sequence[Found]) -> Found:
        """Of all that was found in different parts of the range, what may be among the best or on the front."""
        index = np.concatenate([part.index for part in parts])
        values = np.concatenate([part.values for part in parts])
        order = np.argsort(index)
        index, values = index[order], values[order]
        best, tied = self._may_be_best(values[:, 0])
        crowded = any(part.crowded for part in parts)
        if self.n_axes and not crowded:
            on_front = np.flatnonzero(~np.isnan(values[:, 1:]).any(axis=1))
            on_front = on_front[~dominated(values[on_front, 1:], self._just_below(values[on_front, 1:]))]
            crowded = len(on_front) > MOST_ON_FRONT
            best[on_front] |= not crowded
        left = tuple(int(n) for n in np.sum([part.left for part in parts], axis=0))
        return Found(left, index[best], values[best], tied or any(part.tied for part in parts), crowded)

    def bar(self, found: Found) -> Bar:
        """What a further design must reach, given what is kept."""
        scores = found.values[:, 0]
        score = -np.inf
        if len(scores) >= self.k:
            kth = np.partition(scores, -self.k)[-self.k]
            score = float(kth - slack(kth, self.scales[0]))
        front = self._just_below(found.values[:, 1:]) if self.n_axes and not found.crowded else None
        return Bar(score, None if front is None else front[~np.isnan(front).any(axis=1)])

    def _may_be_best(self, scores: FloatArray) -> tuple[BoolArray, bool]:
        """Which may be among the k best, and whether too many may."""
        if len(scores) <= self.k:
            return ~np.isnan(scores), False
        kth = np.partition(np.nan_to_num(scores, nan=-np.inf), -self.k)[-self.k]
        may = scores >= kth - slack(kth, self.scales[0])
        if tied := int(may.sum()) > self.k + MOST_TIED:
            surely = scores > kth + slack(kth, self.scales[0])
            perhaps = np.flatnonzero(may & ~surely)[: self.k + MOST_TIED - int(surely.sum())]
            may = surely
            may[perhaps] = True
        return may, tied

    def _just_below(self, values: FloatArray) -> FloatArray:
        """Places on the axes that are surely passed by designs with these values."""
        return values - slack(values, np.array(self.scales[1:]))


def dominated(values: FloatArray, by: FloatArray) -> BoolArray:
    """Whether a row of `by` is nowhere below each row of values. (n, n_axes), (m, n_axes) -> (n,)

    Examples
    --------
    >>> dominated(np.array([[1.0, 1.0], [3.0, 0.0]]), np.array([[2.0, 1.0], [1.0, 2.0]]))
    array([ True, False])
    """
    if len(by) == 0:
        return np.zeros(len(values), dtype=bool)
    by = by[np.argsort(-by[:, 0], kind="stable")]
    n_reaching = np.searchsorted(-by[:, 0], -values[:, 0], side="right")  # rows of `by` that reach the first axis
    best = np.maximum.accumulate(by[:, 1:], axis=0)
    last = np.maximum(n_reaching - 1, 0)
    # On two axes this settles it; on more, it is what must hold of the other axes one by one.
    may = (n_reaching > 0) & (best[last] >= values[:, 1:]).all(axis=1)
    if by.shape[1] > 2:
        rows = np.flatnonzero(may)
        for part in np.array_split(rows, max(1, -(-len(rows) * by.size // _BLOCK))):
            reaches = (by[None] >= values[part, None]).all(axis=2)  # (n_part, m)
            may[part] = np.any(reaches, axis=1)
    return may


def pareto(values: FloatArray) -> BoolArray:
    """Which rows no other row dominates: is nowhere below and somewhere above. Equal rows stand or fall together.

    Examples
    --------
    >>> pareto(np.array([[2.0, 1.0], [1.0, 2.0], [1.0, 1.0], [2.0, 1.0]]))
    array([ True,  True, False,  True])
    """
    different, which = np.unique(values, axis=0, return_inverse=True)
    on_front = np.ones(len(different), dtype=bool)
    for part in np.array_split(np.arange(len(different)), max(1, -(-different.size * len(different) // _BLOCK))):
        nowhere_below = (different[None] >= different[part, None]).all(axis=2)
        on_front[part] = nowhere_below.sum(axis=1) == 1  # itself
    return on_front[which.ravel()]
