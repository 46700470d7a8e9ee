"""Screening: every design of a range passes gates and is scored; the best and a Pareto front are kept.

Designs come in slices of the range, and those of a slice are near each other in composition. Where a surrogate knows
bounds over a cell of near designs, whole cells are decided at once; of the rest first the mean is computed, and the
standard deviation only of designs that could still matter. What is ruled out is ruled out for certain: the answer is
that of brute force, whatever the slices and their order.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from .criteria import Bracket, Brackets, Criterion
from .diagram import IntArray
from .features import Features, alloys_at
from .gates import Gate, Predicted
from .keeping import Bar, Found, Keeper, pareto, slack
from .predictors import Predictor, Swept
from .rules import Rule
from .space import DesignSpace

# Designs looked at before the first slice, drawn at random: they say what is good, so that most need not be asked.
N_OPENING = 4096
# Of the best of them and of their neighbours so many at a time are climbed from, no more than so many times. On a
# million alloys this takes the bar to where it will be in the end, for the price of a thousandth of them.
N_CLIMBING, MOST_CLIMBS = 8, 24
# Designs whose rules are asked and that are encoded at a time: their columns stay in a core's cache.
BLOCK = 16_384
# Designs asked for all that is to be known, the most promising first, before the bar is set anew: few at first.
FEWEST_ASKED, MOST_ASKED = 128, 4096
# What designs must have beside passing the rules, where a predictor sees phases: an equilibrium may fail.
PHASES_KNOWN = "their phases are known"
# Cells of fewer designs than this on average cost more than they save.
LEAST_IN_CELL = 3


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """The outcome of a screen.

    Parameters
    ----------
    points : (n, d) of the space: the best, best first
    index : (n,) their indices in the space
    scores : (n,) larger is better
    front : (m, d) designs that no other passes in one respect without falling behind in another
    front_index : (m,) their indices in the space
    front_values : (m, n_axes) their places on each axis
    """

    points: IntArray
    index: tuple[int, ...]
    scores: FloatArray
    front: IntArray
    front_index: tuple[int, ...]
    front_values: FloatArray


@dataclass(frozen=True, eq=False)
class Screening:
    """A question to a range of a space: a value that other processes can be asked.

    Parameters
    ----------
    space : the designs
    elements : the elements that the predictors know, the space's own first
    predictors : of every property that gates, score and axes name
    gates : what designs must pass, in this order; those on predictions last
    score : what they are ranked by
    axes : the axes of a Pareto front; none, or two and more
    k : how many of the best to keep
    start, stop : the range of indices
    """

    space: DesignSpace
    elements: tuple[str, ...]
    predictors: tuple[Predictor, ...]
    gates: tuple[Gate, ...]
    score: Criterion
    axes: tuple[Criterion, ...]
    k: int
    start: int
    stop: int

    @property
    def keeper(self) -> Keeper:
        """What is kept."""
        return Keeper(self.k, (self.score.scale, *(axis.scale for axis in self.axes)))

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What designs are asked before anything is predicted: rules of the space that have to be asked, then gates."""
        return (*self.space.asked, *(gate for gate in self.gates if isinstance(gate, Rule)))

    @property
    def predicted(self) -> tuple[Predicted, ...]:
        """The gates on what is predicted."""
        return tuple(gate for gate in self.gates if isinstance(gate, Predicted))

    @property
    def stages(self) -> tuple[str, ...]:
        """The gates by name, in the order in which `Found.left` counts what they leave."""
        known = (PHASES_KNOWN,) if self.sees_phases else ()
        return (*(rule.text for rule in self.rules), *known, *(gate.text for gate in self.predicted))

    @property
    def sees_phases(self) -> bool:
        """Whether equilibria are computed of every design that passes the rules."""
        return any(_phases_among(each.sees) for each in self.predictors)

    @property
    def nothing(self) -> Found:
        """Of no designs at all."""
        return Found((0,) * (1 + len(self.stages)), np.empty(0, np.int64), np.empty((0, 1 + len(self.axes))))

    def opening(self, rng: np.random.Generator) -> Bar:
        """A bar to begin with, from a random sample of the range and climbs from its best.

        It rules out much, and nothing that could be kept: those that it is made of are met again, and counted, later.
        """
        n, keeper = self.stop - self.start, self.keeper
        if n <= N_OPENING:
            return keeper.bar(self.nothing)
        drawn = np.unique(rng.integers(n, size=N_OPENING))
        found = self._look(self._points(drawn), drawn, keeper.bar(self.nothing))
        climbed: set[int] = set()
        for _ in range(MOST_CLIMBS):
            best_first = found.index[np.argsort(-found.values[:, 0], kind="stable")].tolist()
            here = [i for i in best_first if i not in climbed][:N_CLIMBING]
            if not here:
                break
            climbed.update(here)
            bar = keeper.bar(found)
            near = self._around(here, set(found.index.tolist()))
            found = keeper.kept([found, self._look(self._points(near), near, bar)])
            if keeper.bar(found).score <= bar.score:
                break
        return keeper.bar(found)

    def _points(self, index: IntArray) -> IntArray:
        """Designs by their indices, counted from the start of the range. (n,) -> (n, d)"""
        return self.space.at([self.start + int(i) for i in index])

    def _around(self, index: Sequence[int], known: set[int]) -> IntArray:
        """The neighbours in the range of some designs, but for those that are known."""
        around = [self.space.neighbours(point) for point in self._points(np.array(index))]
        indices = {i - self.start for i in self.space.index(np.vstack(around))} - known
        return np.array(sorted(i for i in indices if 0 <= i < self.stop - self.start), dtype=np.int64)

    def find(self, start: int, stop: int, bar: Bar) -> Found:
        """What may be kept of a slice of the range; `bar` comes from designs of the range looked at before."""
        points = self.space.between(start, stop)
        return self._look(points, np.arange(start - self.start, start - self.start + len(points)), bar)

    def _look(self, points: IntArray, index: IntArray, bar: Bar) -> Found:
        left = np.zeros(1 + len(self.stages), dtype=np.int64)
        passed, seen = [], []
        for first in range(0, len(points), BLOCK):
            block = np.arange(first, min(first + BLOCK, len(points)))
            left[0] += len(block)
            for i, rule in enumerate(self.rules, start=1):
                block = block[rule.holds(self.space.designs(np.take(points, block, axis=0)))]
                left[i] += len(block)
            X = self._encoded(np.take(points, block, axis=0))
            if self.sees_phases:
                known = _with_phases(X, len(block))
                block, X = block[known], {sees: values[known] for sees, values in X.items()}
                left[1 + len(self.rules)] += len(block)
            passed.append(block)
            seen.append(X)
        rows = np.concatenate(passed) if passed else np.empty(0, np.int64)
        if len(rows) == 0:
            return replace(self.nothing, left=tuple(left.tolist()))
        slice_ = _Rows(
            self,
            np.take(points, rows, axis=0),
            index[rows],
            {sees: np.concatenate([X[sees] for X in seen]) for sees in seen[0]},
        )
        alive = np.arange(len(rows))
        for i, gate in enumerate(self.predicted, start=len(left) - len(self.predicted)):
            alive = slice_.passing(gate, alive)
            left[i] = len(alive)
        return replace(slice_.best(alive, bar), left=tuple(left.tolist()))

    def _encoded(self, points: IntArray) -> dict[Hashable, FloatArray]:
        """Points as the predictors see them."""
        alloys = alloys_at(self.space, points, self.elements)
        return {each.sees: each.encode(alloys) for each in self.predictors}

    def alone(self, point: IntArray, criteria: Sequence[Criterion]) -> FloatArray:
        """Values of criteria at one point (d,), asked by itself: they depend on nothing else. (n_criteria,)"""
        alloys = alloys_at(self.space, point[None], self.elements)
        named = {name for criterion in criteria for name in criterion.means}
        brackets = {
            each.name: Bracket.of(each.believe(each.encode(alloys))) for each in self.predictors if each.name in named
        }
        return np.array([criterion.highest(brackets)[0] for criterion in criteria])

    def ranking(self, found: Found) -> Ranking:
        """Who wins, settled by values that each finalist gets alone; of equals the first in the space goes first."""
        indices, points = [self.start + int(i) for i in found.index], self._points(found.index)
        criteria = (self.score, *self.axes)
        values = np.array([self.alone(point, criteria) for point in points]).reshape(len(points), len(criteria))
        best = np.argsort(-values[:, 0], kind="stable")[: self.k]
        on_front = np.empty(0, dtype=np.int64)
        if self.axes and not found.crowded:
            on_front = np.flatnonzero(pareto(values[:, 1:]))
            on_front = on_front[np.argsort(-values[on_front, 1], kind="stable")]
        return Ranking(
            points[best],
            tuple(indices[i] for i in best),
            values[best, 0],
            points[on_front],
            tuple(indices[i] for i in on_front),
            values[on_front, 1:],
        )


def _phases_among(sees: Hashable) -> bool:
    """Whether phases are among what a predictor sees."""
    return isinstance(sees, Features) and sees.calphad is not None


def _with_phases(X: Mapping[Hashable, FloatArray], n: int) -> NDArray[np.bool_]:
    """(n,) Of which designs, as they are seen, every equilibrium is known."""
    known = np.ones(n, dtype=bool)
    for sees, values in X.items():
        if isinstance(sees, Features) and sees.calphad is not None:
            known &= np.isfinite(np.delete(values, sees.blanks, axis=1)).all(axis=1)
    return known


class _Known:
    """What is known of one property at the designs of a slice: bounds of their cells, then the mean, then all.

    Parameters
    ----------
    predictor : of the property
    X : (n, n_features) what it sees, cell by cell
    starts : (n_cells + 1,) where each cell begins; the last is n
    cell : (n,) the cell of each design
    """

    def __init__(self, predictor: Predictor, X: FloatArray, starts: IntArray, cell: IntArray) -> None:
        self._predictor, self._X, self._cell = predictor, X, cell
        self.cells = predictor.bounds(X, starts)
        self._mean, self._std, self._noise = (np.full(len(X), np.nan) for _ in range(3))
        self._has_mean, self._has_all = np.zeros(len(X), dtype=bool), np.zeros(len(X), dtype=bool)

    def bracket(self, rows: IntArray) -> Bracket:
        """As narrow as it is known of some rows."""
        cells, cell, has_mean, has_all = self.cells, self._cell[rows], self._has_mean[rows], self._has_all[rows]
        mean, std, noise = self._mean[rows], self._std[rows], self._noise[rows]
        return Bracket(
            np.where(has_mean, mean, cells.mean_low[cell]),
            np.where(has_mean, mean, cells.mean_high[cell]),
            np.where(has_all, std, cells.std_low[cell]),
            np.where(has_all, std, cells.std_high[cell]),
            np.where(has_all, noise, cells.noise[cell]),
        )

    def ask_mean(self, rows: IntArray) -> None:
        """Ask for the mean where it is not known, and for all where there is no cheaper way to it."""
        rows = rows[~self._has_mean[rows]]
        mean = self._predictor.mean(self._X[rows]) if len(rows) else None
        if mean is None:
            self.ask(rows)
        else:
            self._mean[rows], self._has_mean[rows] = mean, True

    def ask(self, rows: IntArray) -> None:
        """Ask for all that is to be known, where it is not."""
        rows = rows[~self._has_all[rows]]
        if len(rows):
            belief = self._predictor.believe(self._X[rows])
            self._mean[rows], self._std[rows], self._noise[rows] = belief.mean, belief.std, belief.noise
            self._has_mean[rows] = self._has_all[rows] = True


class _Rows:
    """The designs of a slice that passed every rule, cell by cell: row numbers count in that order.

    Parameters
    ----------
    screening : the question
    points : (n, d) of the space
    index : (n,) their indices, counted from the start of the range
    seen : (n, n_features) of what predictors see
    """

    def __init__(
        self, screening: Screening, points: IntArray, index: IntArray, seen: Mapping[Hashable, FloatArray]
    ) -> None:
        self._order, starts = _cells(screening, seen, len(points))
        self._screening, self._points, self._index = screening, points, index
        self._cell = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
        seen = {sees: np.take(X, self._order, axis=0) for sees, X in seen.items()}
        self._known = {each.name: _Known(each, seen[each.sees], starts, self._cell) for each in screening.predictors}

    def passing(self, gate: Predicted, rows: IntArray) -> IntArray:
        """Of some rows those that pass: told by the bounds of their cells, by their mean, by all, or one by one."""
        criterion, passed = gate.criterion, []
        verdict = _verdict(gate, {name: self._known[name].cells for name in criterion.means})[self._cell[rows]]
        for ask, names in ((_Known.ask_mean, criterion.means), (_Known.ask, criterion.stds), (None, ())):
            passed.append(rows[verdict > 0])
            rows = rows[verdict == 0]
            if ask is not None:
                for name in names:
                    ask(self._known[name], rows)
                verdict = _verdict(gate, {name: self._known[name].bracket(rows) for name in criterion.means})
        alone = [self._screening.alone(point, (criterion,))[0] for point in self._points[self._order[rows]]]
        passed.append(rows[[gate.least <= value <= gate.most for value in alone]])
        return np.sort(np.concatenate(passed))

    def best(self, rows: IntArray, bar: Bar) -> Found:
        """What may be kept of some rows, the most promising asked first."""
        keeper, criteria = self._screening.keeper, (self._screening.score, *self._screening.axes)
        means = {name for criterion in criteria for name in criterion.means}
        stds = {name for criterion in criteria for name in criterion.stds}

        def values(brackets: Brackets) -> FloatArray:
            return np.column_stack([criterion.highest(brackets) for criterion in criteria])

        def of_rows(rows: IntArray) -> FloatArray:
            return values({name: self._known[name].bracket(rows) for name in means})

        hopes = values({name: self._known[name].cells for name in means})
        rows = rows[np.argsort(-hopes[self._cell[rows], 0], kind="stable")]
        found, now, n_asked = self._screening.nothing, bar, FEWEST_ASKED
        while len(rows := rows[now.lets_in(hopes)[self._cell[rows]]]):
            block, rows = rows[:n_asked], rows[n_asked:]
            n_asked = min(2 * n_asked, MOST_ASKED)
            for name in means:
                self._known[name].ask_mean(block)
            if stds:
                block = block[now.lets_in(of_rows(block))]
                for name in stds:
                    self._known[name].ask(block)
            found = keeper.kept([found, replace(found, index=self._index[self._order[block]], values=of_rows(block))])
            now = bar.raised(keeper.bar(found))
        return found


def _cells(screening: Screening, seen: Mapping[Hashable, FloatArray], n: int) -> tuple[IntArray, IntArray]:
    """Rows in cells of near ones, as the score's surrogate sees them; all in one cell where that would not pay."""
    by_importance = sorted(screening.predictors, key=lambda each: each.name not in screening.score.means)
    for each in by_importance:
        if isinstance(each, Swept):
            cells = each.sweep.cells(seen[each.sees])
            if len(cells.starts) * LEAST_IN_CELL <= n:
                return cells.order, cells.starts
            break
    return np.arange(n), np.array([0, n])


def _verdict(gate: Predicted, brackets: Brackets) -> NDArray[np.int8]:
    """1 where designs are sure to pass, -1 where they are sure not to, 0 where rounding or more could decide."""
    lowest, highest = gate.criterion.lowest(brackets), gate.criterion.highest(brackets)
    verdict = np.ones(len(lowest), dtype=np.int8)
    for low, high, bound in ((lowest, highest, gate.least), (-highest, -lowest, -gate.most)):
        if np.isfinite(bound):
            margin = slack(np.asarray(bound), gate.criterion.scale)
            verdict[(low < bound + margin) & (verdict > 0)] = 0
            verdict[~(high >= bound - margin)] = -1  # one that is not known neither
    return verdict
