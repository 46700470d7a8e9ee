"""Whole numbers under additive rules: counted, reached by index and listed in slices without being stored.

A point is chosen axis by axis. What the later axes may still do depends on the choices so far only through how much of
the total is left and how far each rule has come, so choices that agree in these share one *state*, and the few states
of each axis stand for all points: a layered decision diagram, counted from its end by dynamic programming
[Bergman et al., Decision Diagrams for Optimization, Springer 2016, ch. 2 to 4].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]

# Choices (a state and a value) of one axis; more of them than this cost seconds and hundreds of megabytes.
MOST_STEPS = 6_000_000
_LARGEST_INT64 = 2**62  # beyond this, counts are kept as Python integers


class TooManyStatesError(Exception):
    """The rules have more states than `MOST_STEPS` allows; never seen by users, who are asked rules one by one then."""


@dataclass(frozen=True, eq=False)
class Axis:
    """Columns of a point that are chosen together: one element, one process variable, or a row of a table.

    Parameters
    ----------
    columns : which columns of the point
    values : (n_values, n_columns) what they may be, each row once; a single column in ascending order
    units : (n_values,) how much of the total each takes, in ascending order
    """

    columns: tuple[int, ...]
    values: IntArray
    units: IntArray

    def find(self, points: IntArray) -> IntArray:
        """Which of the values each point has on this axis; -1 for none. (n, d) -> (n,)"""
        if len(self.columns) == 1:
            known, asked = self.values[:, 0], points[:, self.columns[0]]
            place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
            return np.where(known[place] == asked, place, -1)
        rows = np.ascontiguousarray(points[:, self.columns], dtype=np.int64)
        return np.array([self._numbers.get(row.tobytes(), -1) for row in rows], dtype=np.int64)

    @cached_property
    def _numbers(self) -> dict[bytes, int]:
        """The number of each row of values."""
        return {row.tobytes(): i for i, row in enumerate(np.ascontiguousarray(self.values, dtype=np.int64))}


@dataclass(frozen=True, slots=True, eq=False)
class Atom:
    """One additive inequality: the contributions of a point's values, summed over the axes, are at most `most`.

    Parameters
    ----------
    contributions : for each axis, (n_values,) whole numbers
    most : the bound, met by equality
    """

    contributions: tuple[IntArray, ...]
    most: int


Clause = tuple[Atom, ...]
"""At least one of the atoms holds."""


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """The choices of one axis: steps from its states to those of the next, those of one state side by side."""

    first: IntArray  # (n_states + 1,) where the steps of each state begin
    value: NDArray[np.int32]  # (n_steps,) which value of the axis, ascending within a state
    child: NDArray[np.int32]  # (n_steps,) the state of the next axis that it leads to
    before: NDArray[Any]  # (n_steps + 1,) how many points lie under all steps before; int64, or Python integers

    @property
    def forced(self) -> bool:
        """Whether no state leaves a choice, as where the balance takes the rest."""
        return bool((np.diff(self.first) <= 1).all())


@dataclass(frozen=True, eq=False)
class Diagram:
    """All points whose units sum to the total and whose values keep every clause.

    Parameters
    ----------
    axes : in the order in which points are numbered: by the first axis, then the second, …
    total : what the units of all axes sum to
    clauses : rules that every point keeps

    Raises
    ------
    TooManyStatesError
        where clauses remember so much that listing the states is no gain

    Examples
    --------
    >>> three = np.arange(3)
    >>> axes = tuple(Axis((i,), three[:, None], three) for i in range(3))
    >>> Diagram(axes, total=2).count
    6
    >>> at_most_one_above_zero = (Atom((three.clip(0, 1),) * 3, most=1),)
    >>> Diagram(axes, 2, (at_most_one_above_zero,)).at([0, 1, 2])
    array([[0, 0, 2],
           [0, 2, 0],
           [2, 0, 0]])
    """

    axes: tuple[Axis, ...]
    total: int
    clauses: tuple[Clause, ...] = ()
    _layers: tuple[_Layer, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_layers", self._counted(self._reached()))

    @cached_property
    def n_columns(self) -> int:
        """Columns of a point."""
        return sum(len(axis.columns) for axis in self.axes)

    @cached_property
    def count(self) -> int:
        """How many points there are, exactly."""
        return int(self._layers[0].before[-1]) if self._layers else int(self.total == 0)

    def at(self, index: Sequence[int] | NDArray[Any]) -> IntArray:
        """The points with these numbers, from 0 to count - 1. (n,) -> (n, n_columns)"""
        rest: NDArray[Any] = np.array(index, dtype=object if self.count >= _LARGEST_INT64 else np.int64)
        if rest.size and not (rest.min() >= 0 and rest.max() < self.count):
            raise IndexError(f"indices run from 0 to {self.count - 1}")
        points = np.empty((len(rest), self.n_columns), dtype=np.int64)
        state = np.zeros(len(rest), dtype=np.int64)
        for axis, layer in zip(self.axes, self._layers, strict=True):
            sought = layer.before[layer.first[state]] + rest.astype(layer.before.dtype)
            step = np.searchsorted(layer.before, sought, side="right") - 1
            rest = sought - layer.before[step]
            points[:, axis.columns] = axis.values[layer.value[step]]
            state = layer.child[step]
        return points

    def index(self, points: IntArray) -> list[int]:
        """The numbers of points, the inverse of `at`; -1 for a point that is not one. (n, n_columns)"""
        if self.count == 0:
            return [-1] * len(points)
        step_of, held = self._walk(points)
        numbers = np.zeros(len(points), dtype=object if self.count >= _LARGEST_INT64 else np.int64)
        for (state, step), layer in zip(step_of, self._layers, strict=True):
            numbers = numbers + (layer.before[step] - layer.before[layer.first[state]]).astype(numbers.dtype)
        return [int(number) if held[i] else -1 for i, number in enumerate(numbers)]

    def holds(self, points: IntArray) -> NDArray[np.bool_]:
        """Whether rows of whole numbers are points of the diagram. (n, n_columns) -> (n,)"""
        return self._walk(points)[1]

    def between(self, start: int, stop: int) -> IntArray:
        """The points numbered from `start` up to and without `stop`, in order; faster than `at`. (n, n_columns)"""
        start, stop = max(start, 0), min(stop, self.count)
        if stop <= start:
            return np.empty((0, self.n_columns), dtype=np.int64)
        state = np.zeros(1, dtype=np.int64)
        # Where the points under each state begin, counted from `start`.
        begins: NDArray[Any] = np.array([-start], dtype=object if self.count >= _LARGEST_INT64 else np.int64)
        # For each axis, whose choice before it each choice goes on (None: each its own), and which value it is.
        taken: list[tuple[IntArray | None, NDArray[np.int32]]] = []
        for layer in self._layers:
            if layer.forced:
                step = layer.first[state]
                taken.append((None, layer.value[step]))
                state = layer.child[step].astype(np.int64)
                continue
            parents, step = _expand(layer.first[state], layer.first[state + 1])
            into = (layer.before[step] - layer.before[layer.first[state]][parents]).astype(begins.dtype)
            begins = begins[parents] + into
            ends = begins + (layer.before[step + 1] - layer.before[step]).astype(begins.dtype)
            inside = np.asarray((ends > 0) & (begins < stop - start), dtype=bool)
            if not inside.all():
                parents, step, begins = parents[inside], step[inside], begins[inside]
            taken.append((parents, layer.value[step]))
            state = layer.child[step].astype(np.int64)
        points = np.empty((stop - start, self.n_columns), dtype=np.int64)
        here = np.arange(stop - start)
        for axis, (parent, value) in zip(reversed(self.axes), reversed(taken), strict=True):
            points[:, axis.columns] = axis.values[value[here]]
            here = here if parent is None else parent[here]
        return points

    def sample(self, n: int, rng: np.random.Generator) -> IntArray:
        """n points, uniform over all, with repeats. (n, n_columns)"""
        if self.count < _LARGEST_INT64:
            return self.at(rng.integers(self.count, size=n))
        bits = self.count.bit_length()
        indices: list[int] = []
        while len(indices) < n:
            drawn = int.from_bytes(rng.bytes(bits // 8 + 1), "big") >> (8 - bits % 8)
            if drawn < self.count:
                indices.append(drawn)
        return self.at(np.array(indices, dtype=object))

    @cached_property
    def ranges(self) -> IntArray:
        """The lowest and the highest number in each column, over all points. (2, n_columns)"""
        ranges = np.empty((2, self.n_columns), dtype=np.int64)
        for axis, layer in zip(self.axes, self._layers, strict=True):
            reached = axis.values[np.unique(layer.value)]
            ranges[:, axis.columns] = reached.min(axis=0), reached.max(axis=0)
        return ranges

    @cached_property
    def free(self) -> tuple[int, ...]:
        """The columns in which points differ, and which are chosen: the others follow from those chosen before."""
        low, high = self.ranges
        chosen = (axis.columns for axis, layer in zip(self.axes, self._layers, strict=True) if not layer.forced)
        return tuple(column for columns in chosen for column in columns if low[column] < high[column])

    def led(self, wishes: NDArray[np.floating[Any]]) -> IntArray:
        """The points that come of wishes, axis by axis: of the values that leave a point within reach, the nearest.

        A point is what comes of wishing for it. Of two values as near the lower one is taken; in a table, where columns
        are chosen together, a column counts by its range. There must be a point at all.

        Parameters
        ----------
        wishes : (n, n_columns) any numbers

        Returns
        -------
        (n, n_columns) points, those in an axis' columns not always the nearest to the wishes as a whole

        Examples
        --------
        >>> tenths = np.arange(11)
        >>> Diagram(tuple(Axis((i,), tenths[:, None], tenths) for i in range(3)), total=10).led(
        ...     np.array([[3.2, 4.9, 0.0], [8.0, 8.0, 8.0]])
        ... )
        array([[3, 5, 2],
               [8, 2, 0]])
        """
        points = np.empty(wishes.shape, dtype=np.int64)
        state = np.zeros(len(wishes), dtype=np.int64)
        for axis, layer, numbered in zip(self.axes, self._layers, self._numbered, strict=True):
            wished = wishes[:, axis.columns]
            if layer.forced:
                step = layer.first[state]
            elif len(axis.columns) == 1:
                step = _nearest_value(axis, layer, numbered, state, wished[:, 0])
            else:
                step = _nearest_row(axis, layer, state, wished)
            points[:, axis.columns] = axis.values[layer.value[step]]
            state = layer.child[step].astype(np.int64)
        return points

    def _walk(self, points: IntArray) -> tuple[list[tuple[IntArray, IntArray]], NDArray[np.bool_]]:
        """The state and the step of each point on each axis, and whether there is such a step on all of them."""
        points = np.atleast_2d(points)
        state, held = np.zeros(len(points), dtype=np.int64), np.ones(len(points), dtype=bool)
        if self.count == 0:
            return [], ~held
        path = []
        for axis, layer, steps in zip(self.axes, self._layers, self._numbered, strict=True):
            value = axis.find(points)
            sought = state * len(axis.values) + value
            step = np.minimum(np.searchsorted(steps, sought), len(steps) - 1)
            held &= (value >= 0) & (steps[step] == sought)
            path.append((state, step))
            state = layer.child[step].astype(np.int64)
        return path, held

    @cached_property
    def _numbered(self) -> tuple[IntArray, ...]:
        """For each axis, its steps as ascending numbers: state times number of values, plus value."""
        return tuple(
            np.repeat(np.arange(len(layer.first) - 1), np.diff(layer.first)) * len(axis.values) + layer.value
            for axis, layer in zip(self.axes, self._layers, strict=True)
        )

    def _reached(self) -> list[_Layer]:
        """Every state that can be reached, axis by axis, and the steps between; those that end nowhere among them."""
        rules = _Rules.of(self.axes, self.clauses)
        fewest = _from_each_on([int(axis.units[0]) for axis in self.axes])
        most = _from_each_on([int(axis.units[-1]) for axis in self.axes])
        left = np.array([self.total])
        alive, sums = rules.settled(np.zeros((1, rules.n_atoms), dtype=np.int64), 0)
        left, sums = left[alive], sums[alive]
        layers = []
        for i, axis in enumerate(self.axes):
            low = np.searchsorted(axis.units, left - most[i + 1], side="left")
            high = np.maximum(np.searchsorted(axis.units, left - fewest[i + 1], side="right"), low)
            if (high - low).sum() * (1 + rules.n_atoms) > 2 * MOST_STEPS:
                raise TooManyStatesError
            parent, value = _expand(low, high)
            alive, sums = rules.settled(sums[parent] + rules.contributions[i][value], i + 1)
            parent, value, sums = parent[alive], value[alive], sums[alive]
            after = left[parent] - axis.units[value]
            one_of_each, child = distinct([after, *sums.T])
            first = np.searchsorted(parent, np.arange(len(left) + 1))
            layers.append(_Layer(first, value.astype(np.int32), child.astype(np.int32), np.empty(0)))
            left, sums = after[one_of_each], sums[one_of_each]
        return layers

    def _counted(self, layers: list[_Layer]) -> tuple[_Layer, ...]:
        """The layers with the number of points before each step, from the last axis to the first; no step is empty."""
        counted: list[_Layer] = []
        ways: NDArray[Any] = np.ones(1, dtype=np.int64)
        for layer in reversed(layers):
            under = ways[layer.child] if len(layer.child) else np.empty(0, dtype=np.int64)
            if under.dtype != object and under.sum(dtype=np.float64) >= _LARGEST_INT64:
                under = under.astype(object)
            before = np.concatenate([np.zeros(1, dtype=under.dtype), np.cumsum(under, dtype=under.dtype)])
            ways = before[layer.first[1:]] - before[layer.first[:-1]]
            full = np.asarray(under > 0, dtype=bool)
            first = np.concatenate([[0], np.cumsum(full)])[layer.first]
            before = np.concatenate([before[:-1][full], before[-1:]])
            counted.append(_Layer(first, layer.value[full], layer.child[full], before))
        return tuple(reversed(counted))


@dataclass(frozen=True, slots=True, eq=False)
class _Rules:
    """Clauses as arrays: one column an atom, those of a clause side by side."""

    contributions: list[IntArray]  # for each axis, (n_values, n_atoms)
    # (n_axes + 1, n_atoms): with a sum so far of no more than this an atom is true, whatever follows; of more, false.
    holds_below: IntArray
    fails_above: IntArray
    starts: IntArray  # (n_clauses,) the first atom of each clause
    clause: IntArray  # (n_atoms,) the clause of each

    @property
    def n_atoms(self) -> int:
        return len(self.clause)

    @staticmethod
    def of(axes: tuple[Axis, ...], clauses: tuple[Clause, ...]) -> _Rules:
        atoms = [atom for clause in clauses for atom in clause]
        contributions = [
            np.array([atom.contributions[i] for atom in atoms], dtype=np.int64).reshape(len(atoms), len(axis.values)).T
            for i, axis in enumerate(axes)
        ]
        most = np.array([atom.most for atom in atoms], dtype=np.int64)
        least_to_come = np.array(_from_each_on([each.min(axis=0) for each in contributions]))
        most_to_come = np.array(_from_each_on([each.max(axis=0) for each in contributions]))
        sizes = np.array([len(clause) for clause in clauses], dtype=np.int64)
        return _Rules(
            contributions,
            most - most_to_come,
            most - least_to_come,
            np.cumsum(sizes) - sizes,
            np.repeat(np.arange(len(clauses)), sizes),
        )

    def settled(self, sums: IntArray, i: int) -> tuple[NDArray[np.bool_], IntArray]:
        """Sums before axis i, where those that decide alike are made the same, and which rows can still keep all rules.

        An atom that is sure to hold, or sure to fail, has one sum for all; so has every atom of a clause that is kept.
        """
        if self.n_atoms == 0:
            return np.ones(len(sums), dtype=bool), sums
        holds, fails = self.holds_below[i], self.fails_above[i] + 1
        sums = np.clip(sums, holds, fails)
        broken = np.logical_and.reduceat(sums == fails, self.starts, axis=1).any(axis=1)
        kept = np.logical_or.reduceat(sums == holds, self.starts, axis=1)[:, self.clause]
        return np.asarray(~broken), np.where(kept, holds, sums)


def _nearest_value(
    axis: Axis, layer: _Layer, numbered: IntArray, state: IntArray, wished: NDArray[np.floating[Any]]
) -> IntArray:
    """The step from each state to the nearest of its values of a single column. (n,), (n,) -> (n,)"""
    values = axis.values[:, 0]
    first, last = layer.first[state], layer.first[state + 1] - 1
    sought = state * len(values) + np.searchsorted(values, wished)
    above = np.clip(np.searchsorted(numbered, sought), first, last)
    below = np.maximum(above - 1, first)
    is_lower = np.abs(values[layer.value[below]] - wished) <= np.abs(values[layer.value[above]] - wished)
    return np.where(is_lower, below, above)


def _nearest_row(axis: Axis, layer: _Layer, state: IntArray, wished: NDArray[np.floating[Any]]) -> IntArray:
    """The step from each state to the nearest of its rows of several columns. (n,), (n, n_columns) -> (n,)"""
    span = np.maximum(np.ptp(axis.values, axis=0), 1)
    step = np.empty(len(state), dtype=np.int64)
    for here in np.unique(state):
        first, last = layer.first[here : here + 2]
        rows = axis.values[layer.value[first:last]] / span
        for i in np.flatnonzero(state == here):
            step[i] = first + np.abs(rows - wished[i] / span).sum(axis=1).argmin()
    return step


def _from_each_on(numbers: list[Any]) -> list[Any]:
    """Sums of a list from each place on, ending with that of nothing."""
    sums = [0 * numbers[0] if numbers else 0]
    for number in reversed(numbers):
        sums.append(sums[-1] + number)
    return sums[::-1]


def _expand(first: IntArray, last: IntArray) -> tuple[IntArray, IntArray]:
    """Ranges first[i] … last[i] - 1 one after the other: the number i of the range of each, and each itself."""
    sizes = last - first
    which = np.repeat(np.arange(len(sizes)), sizes)
    return which, np.arange(len(which)) + np.repeat(first - (np.cumsum(sizes) - sizes), sizes)


def distinct(columns: list[IntArray]) -> tuple[IntArray, IntArray]:
    """Of rows given by their columns: the first of each kind, kinds in ascending order; and each row's kind."""
    key, size = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        if len(column) == 0:
            break
        offset = column - column.min()
        span = int(offset.max()) + 1
        if size * span > _LARGEST_INT64:
            key, size = _ranked(key)
            offset, span = _ranked(offset)
        key = key * span + offset
        size *= span
    _, one_of_each, kind = np.unique(key, return_index=True, return_inverse=True)
    return one_of_each, kind


def _ranked(numbers: IntArray) -> tuple[IntArray, int]:
    different, rank = np.unique(numbers, return_inverse=True)
    return rank, len(different)
