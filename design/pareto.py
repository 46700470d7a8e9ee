"""Several goals at once: alloys that no other beats in all of them, and how much of what is wanted they reach together.

Everywhere here larger is better, as `objective` of a goal has it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from .diagram import IntArray

BoolArray = NDArray[np.bool_]

# Of the front's range, so far beyond its worst lies the reference point.
BEYOND = 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Disjoint boxes.

    Parameters
    ----------
    lower, upper : (n_boxes, m) corners; an upper one may be infinite
    """

    lower: FloatArray
    upper: FloatArray

    def __len__(self) -> int:
        return len(self.lower)

    def volume_below(self, points: FloatArray) -> FloatArray:
        """How much of them lies below each point in every coordinate. (n, m) -> (n,)"""
        volume = np.ones((len(points), len(self)))
        for k in range(points.shape[1]):
            volume *= np.maximum(np.minimum(points[:, k, None], self.upper[:, k]) - self.lower[:, k], 0.0)
        return np.asarray(volume.sum(axis=1))


def non_dominated(values: FloatArray) -> BoolArray:
    """Which rows no other row equals or beats in every goal and beats in one: the Pareto front. (n, m) -> (n,)

    Of equal rows all are on it, or none.

    Examples
    --------
    >>> non_dominated(np.array([[1.0, 3.0], [2.0, 2.0], [1.0, 2.0], [3.0, 1.0], [2.0, 2.0]]))
    array([ True,  True, False,  True,  True])
    """
    on_front = np.zeros(len(values), dtype=bool)
    left = np.lexsort(
        -values.T[::-1]
    )  # what beats a row comes before it, so that the first that is left is on the front
    while len(left):
        first = values[left[0]]
        on_front[left[(values[left] == first).all(axis=1)]] = True
        left = left[(values[left] > first).any(axis=1)]
    return on_front


def ranks(values: FloatArray) -> IntArray:
    """On which front each row lies: 0 for the Pareto front, 1 for that of the others, and so on. (n, m) -> (n,)

    References
    ----------
    Non-dominated sorting: Deb et al., IEEE Trans. Evol. Comput. 6 (2002) 182.

    Examples
    --------
    >>> ranks(np.array([[1.0, 3.0], [2.0, 2.0], [1.0, 2.0], [3.0, 1.0], [0.0, 0.0]]))
    array([0, 0, 1, 0, 2])
    """
    found, left, rank = np.zeros(len(values), dtype=np.int64), np.arange(len(values)), 0
    while len(left):
        on_front = non_dominated(values[left])
        found[left[on_front]] = rank
        left, rank = left[~on_front], rank + 1
    return found


def boxes(front: FloatArray, reference: FloatArray) -> Boxes:
    """All that lies above a reference point and that no alloy of a front reaches, as disjoint boxes.

    Parameters
    ----------
    front : (n, m) values; rows that others dominate, or that do not lie above the reference, change nothing
    reference : (m,) the worst that counts, in each goal

    Returns
    -------
    some n + 1 boxes for two goals, 2 n + 1 for three; for four some 60 of 10 alloys, 150 of 20

    Notes
    -----
    Each alloy, from the best in the first goal to the worst, is cut out of the boxes there are; boxes that lie side by
    side are joined in the end. As few boxes as there can be come from Lacour et al., Comput. Oper. Res. 79 (2017) 347;
    these are hardly more, and sooner had.

    Examples
    --------
    >>> found = boxes(np.array([[1.0, 3.0], [2.0, 2.0]]), np.zeros(2))
    >>> np.hstack([found.lower, found.upper])
    array([[ 0.,  3.,  1., inf],
           [ 1.,  2.,  2., inf],
           [ 2.,  0., inf, inf]])
    """
    open_ = _everything_above(reference)
    for point in _cut_out(front, reference):
        open_, _ = _carved(open_, point)
    return _joined(open_)


def hypervolume(front: FloatArray, reference: FloatArray) -> float:
    """How much lies above a reference point and below some alloy of a front, in the product of the goals' units.

    Parameters
    ----------
    front : (n, m) values; rows that others dominate, or that do not lie above the reference, change nothing
    reference : (m,) the worst that counts, in each goal

    References
    ----------
    Zitzler and Thiele, IEEE Trans. Evol. Comput. 3 (1999) 257.

    Examples
    --------
    >>> hypervolume(np.array([[1.0, 3.0], [2.0, 2.0]]), np.zeros(2))
    5.0
    """
    open_, volume = _everything_above(reference), 0.0
    for point in _cut_out(front, reference):
        open_, covered = _carved(open_, point)
        volume += float((covered.upper - covered.lower).prod(axis=1).sum())
    return volume


def hypervolume_improvement(points: FloatArray, front: FloatArray, reference: FloatArray) -> FloatArray:
    """By how much each of some points, alone, would raise a front's hypervolume. (n, m) -> (n,)

    Examples
    --------
    >>> hypervolume_improvement(np.array([[3.0, 1.0], [1.0, 1.0]]), np.array([[1.0, 3.0], [2.0, 2.0]]), np.zeros(2))
    array([1., 0.])
    """
    return boxes(front, reference).volume_below(points)


def inferred_reference(values: FloatArray, scatter: FloatArray) -> tuple[FloatArray, BoolArray]:
    """A point a little worse than the front in every goal, from which its hypervolume may be counted.

    Parameters
    ----------
    values : (n, m) of the alloys that are known, n ≥ 1
    scatter : (m,) of one measurement

    Returns
    -------
    point : (m,)
    spanned : (m,) where the front spans more than the scatter: there the point lies a tenth of the front's range beyond
        its worst value. Elsewhere there is no range to speak of, as with one alloy that is best in everything: it lies
        beyond by the range of the middle half of all values, and by no less than the scatter

    References
    ----------
    Slightly beyond the nadir, so that the ends of the front count: Ishibuchi et al., Evol. Comput. 26 (2018) 411.

    Examples
    --------
    >>> inferred_reference(np.array([[1.0, 3.0], [2.0, 2.0], [0.0, 0.0]]), np.array([0.5, 0.5]))
    (array([0.9, 1.9]), array([ True,  True]))
    """
    front = values[non_dominated(values)]
    worst, span = front.min(axis=0), np.ptp(front, axis=0)
    low, high = np.quantile(values, [0.25, 0.75], axis=0)
    middle = np.maximum(high - low, scatter)
    # Of a number that is computed, such as a price, and the same for all there is neither range nor scatter.
    middle = np.where(middle > 0, middle, np.where(worst == 0, 1.0, BEYOND * np.abs(worst)))
    spanned: BoolArray = np.asarray(span > scatter)
    return np.asarray(worst - np.where(spanned, BEYOND * span, middle)), spanned


def _everything_above(reference: FloatArray) -> Boxes:
    return Boxes(np.array(reference, dtype=np.float64)[None], np.full((1, len(reference)), np.inf))


def _cut_out(front: FloatArray, reference: FloatArray) -> FloatArray:
    """Different alloys of a front that lie above the reference, the best in the first goal first."""
    above = front[(front > reference).all(axis=1)]
    return np.unique(above[non_dominated(above)], axis=0)[::-1]


def _carved(whole: Boxes, point: FloatArray) -> tuple[Boxes, Boxes]:
    """What is left of boxes where no coordinate is above those of a point, and what is cut out of them."""
    hit = (whole.lower < point).all(axis=1)
    lower, upper = whole.lower[hit], whole.upper[hit]
    covered = np.minimum(upper, point)
    parts = [(whole.lower[~hit], whole.upper[~hit])]
    for k in range(len(point)):  # above the point in goal k, and not in those before it
        above = upper[:, k] > point[k]
        low, high = lower[above], upper[above]
        low[:, k], high[:, :k] = point[k], covered[above, :k]
        parts.append((low, high))
    lowers, uppers = zip(*parts, strict=True)
    return Boxes(np.concatenate(lowers), np.concatenate(uppers)), Boxes(lower, covered)


def _joined(parts: Boxes) -> Boxes:
    """The same with boxes joined that touch, and differ in one coordinate only; ordered by their lower corners."""
    lower, upper = parts.lower, parts.upper
    for k in range(lower.shape[1])[::-1]:
        others = np.delete(np.hstack([lower, upper]), [k, k + lower.shape[1]], axis=1)
        order = np.lexsort(np.column_stack([lower[:, k], others]).T)
        lower, upper, others = lower[order], upper[order], others[order]
        goes_on = (others[1:] == others[:-1]).all(axis=1) & (lower[1:, k] == upper[:-1, k])
        first = np.flatnonzero(np.append(True, ~goes_on))
        last = np.append(first[1:], len(lower)) - 1
        top = upper[last, k]
        lower, upper = lower[first], upper[first]
        upper[:, k] = top
    order = np.lexsort(lower.T[::-1])
    return Boxes(lower[order], upper[order])
