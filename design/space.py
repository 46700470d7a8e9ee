"""The design space: a composition lattice, process variables and the rules that bind them.

A point of a space is a row of whole numbers: the units of each element (the balance last), then the level of each
process variable. Sum, bounds and steps hold by construction; only rules on descriptors have to be asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .composition import Basis, at_to_wt, atomic_fractions
from .lattice import IntArray, Lattice, exact
from .policies import Policy
from .rules import TOLERANCE, Rule

# Draws made before a space is called empty: with less than one feasible point in as many, the question is wrong.
MOST_DRAWS = 400_000
# A space of no more than so many times the points wanted is listed whole: quicker than to draw until none is new.
MOST_LISTED = 8

Process = Mapping[str, NDArray[Any]]
"""Process values by name, n of each: numbers (NaN where not known) or choices (objects, None where not known)."""


@dataclass(frozen=True, slots=True)
class Numeric:
    """A process variable on a step, such as a solution temperature.

    Parameters
    ----------
    name : with its unit, such as `solution_temperature_C`
    low, high, step : in that unit; levels run from `low` upwards
    """

    name: str
    low: float
    high: float
    step: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise AlloyloopError(f"{self.name} runs from {self.low:g} to {self.high:g}", "Swap the two numbers.")
        if not self.step > 0:
            raise AlloyloopError(f"The step of {self.name} is {self.step:g}", "Give a step above 0.")

    @property
    def middle(self) -> float:
        """What stands where it is not known."""
        return (self.low + self.high) / 2

    @property
    def n_levels(self) -> int:
        """How many values it takes."""
        return int((exact(self.high) - exact(self.low)) // exact(self.step)) + 1

    def unknown(self, n: int) -> NDArray[Any]:
        """n values that are not known."""
        return np.full(n, np.nan)

    def values(self, levels: IntArray) -> NDArray[Any]:
        """Levels as values in its unit."""
        different, which = np.unique(levels, return_inverse=True)
        low, step = exact(self.low), exact(self.step)
        return np.array([float(low + int(level) * step) for level in different])[which]

    def levels(self, values: NDArray[Any]) -> IntArray:
        """Values as their nearest levels; -1 where not known or further than half a step from every level."""
        numbers = np.asarray(values, dtype=np.float64)
        nearest = np.rint((numbers - self.low) / self.step)
        inside = (nearest >= 0) & (nearest < self.n_levels)
        return np.where(inside, nearest, -1).astype(np.int64)

    def takes(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Whether values are its levels, not merely near them; those not known are not."""
        numbers, levels = np.asarray(values, dtype=np.float64), self.levels(values)
        return np.asarray((levels >= 0) & (np.abs(self.values(levels) - numbers) <= TOLERANCE * self.step))


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


@dataclass(frozen=True)
class DesignSpace:
    """What may be made: composition, process and rules together.

    Parameters
    ----------
    lattice : the compositions on their steps
    basis : what the lattice's % are, `at_pct` or `wt_pct`
    process : process variables, in the order of the campaign file
    rules : bounds on sums of elements, process variables and descriptors
    policy : which elements are barred, limited or flagged, and why; or None
    conditions : what rows of data may differ in and designs do not; every design is predicted at their `at`

    Raises
    ------
    AlloyloopError
        where a rule bounds a choice, or the policy bars an element of the space
    """

    lattice: Lattice
    basis: Basis
    process: tuple[Numeric | Choice, ...] = ()
    rules: tuple[Rule, ...] = ()
    policy: Policy | None = None
    conditions: tuple[Condition, ...] = ()

    def __post_init__(self) -> None:
        for rule in self.rules:
            for variable in self.process:
                if isinstance(variable, Choice) and variable.name in dict(rule.terms):
                    raise AlloyloopError(
                        f"The rule '{rule.text}' bounds {variable.name}, whose values are names and not numbers",
                        f"Take out of {variable.name} the choices that are not wanted.",
                    )
        if self.policy is None:
            return
        for said in self.policy.rules:
            if said.verdict == "barred" and said.element in self.elements:
                raise AlloyloopError(
                    f"{said.element} is barred by the policy {self.policy.name}: {said.reason}",
                    f"Take {said.element} out of the space, or choose another policy.",
                )

    @property
    def elements(self) -> tuple[str, ...]:
        """The elements, the balance last."""
        return self.lattice.symbols

    @property
    def n_elements(self) -> int:
        """How many elements there are."""
        return len(self.elements)

    @cached_property
    def count(self) -> int:
        """How many designs there are before rules and limits of the policy are asked, exactly."""
        count = self.lattice.count
        for variable in self.process:
            count *= variable.n_levels
        return count

    # -- what a point is ------------------------------------------------------------------------------------------

    def percent(self, points: IntArray) -> FloatArray:
        """Amounts in the space's basis [%], summing to 100. (n, n_elements)"""
        return self.lattice.percent(points[:, : self.n_elements])

    def fractions(self, points: IntArray) -> FloatArray:
        """Atomic fractions. (n, n_elements)"""
        return atomic_fractions(self.percent(points), self.elements, self.basis)

    def process_values(self, points: IntArray) -> dict[str, NDArray[Any]]:
        """Process values of each point, by name, and the conditions at which it is predicted."""
        levels = points[:, self.n_elements :]
        values = {variable.name: variable.values(levels[:, i]) for i, variable in enumerate(self.process)}
        return values | {condition.name: np.full(len(points), condition.at) for condition in self.conditions}

    def unknown_process(self, n: int) -> dict[str, NDArray[Any]]:
        """Process values of n alloys of which nobody has said how they are treated, at the wanted conditions."""
        values = {variable.name: variable.unknown(n) for variable in self.process}
        return values | {condition.name: np.full(n, condition.at) for condition in self.conditions}

    def snap(self, percent: FloatArray, process: Process) -> tuple[IntArray, NDArray[np.bool_]]:
        """The points nearest to given alloys, and whether each is within half a step and inside the bounds.

        Parameters
        ----------
        percent : (n, n_elements) amounts in the space's basis [%]
        process : values of every process variable, n of each

        Returns
        -------
        points : (n, n_elements + n_process)
        near : (n,) False where the alloy, or a process value, is not one of this space's
        """
        units = self.lattice.nearest(np.nan_to_num(percent))
        levels = [variable.levels(process[variable.name]) for variable in self.process]
        points = np.column_stack([units, *levels])
        off = np.abs(self.lattice.percent(units) - percent)
        half = np.array(self.lattice.strides) * float(self.lattice.unit) / 2
        half[-1] = half.sum()  # the balance answers for all the others
        near = self.lattice.holds(units) & (off <= half + TOLERANCE).all(axis=1)
        for level in levels:
            near &= level >= 0
        return points, near

    @cached_property
    def _bounds(self) -> FloatArray:
        """(2, n_elements) lowest and highest amounts on the step [%]."""
        return self.lattice.percent(np.array([self.lattice.lows, self.lattice.highs]))

    @cached_property
    def _exchanges(self) -> IntArray:
        """(n_moves, n_elements) exchanges of units between two elements; a search asks for them at every step."""
        return self.lattice.moves()

    # -- what is allowed ------------------------------------------------------------------------------------------

    def _checks(self, percent: FloatArray, process: Process) -> Iterator[tuple[str, NDArray[np.bool_], FloatArray]]:
        """Each rule and limit of the policy in turn: its text, where it holds, and the quantity it bounds."""
        fractions = atomic_fractions(percent, self.elements, self.basis)
        columns = {element: percent[:, i] for i, element in enumerate(self.elements)}
        columns |= {name: values for name, values in process.items() if values.dtype != object}
        for rule in self.rules:
            quantity = rule.quantity(columns, fractions, self.elements)
            yield rule.text, rule.holds(quantity), quantity
        if self.policy is not None:
            wt_pct = percent if self.basis == "wt_pct" else at_to_wt(percent, self.elements)
            for limit in self.policy.rules:
                if limit.verdict == "limited" and limit.limit_wt_pct is not None and limit.element in self.elements:
                    amount = wt_pct[:, self.elements.index(limit.element)]
                    text = f"{limit.element} at most {limit.limit_wt_pct:g} wt.% (policy {self.policy.name})"
                    yield text, amount <= limit.limit_wt_pct + TOLERANCE, amount

    def keeps_rules(self, percent: FloatArray, process: Process) -> NDArray[np.bool_]:
        """Whether alloys, on the step or not, keep every rule and every limit of the policy.

        Parameters
        ----------
        percent : (n, n_elements) amounts in the space's basis [%]
        process : values of every process variable, n of each

        Returns
        -------
        (n,) False too where a rule asks for something that is not known
        """
        kept = np.ones(len(percent), dtype=bool)
        for _, holds, _ in self._checks(percent, process):
            kept &= holds
        return kept

    def allows(self, points: IntArray) -> NDArray[np.bool_]:
        """Whether points keep every rule and every limit of the policy. (n, d) -> (n,)"""
        return self.keeps_rules(self.percent(points), self.process_values(points))

    def contains(self, percent: FloatArray, process: Process) -> NDArray[np.bool_]:
        """Whether alloys are inside the bounds and keep every rule, be they on the step or not. As `keeps_rules`."""
        low, high = self._bounds
        inside = ((percent >= low - TOLERANCE) & (percent <= high + TOLERANCE)).all(axis=1)
        return np.asarray(inside & self.keeps_rules(percent, process))

    def why_not(self, percent: FloatArray, process: Process) -> list[str]:
        """Every bound and rule that one alloy breaks, in words with numbers; empty where it could be proposed.

        Parameters
        ----------
        percent : (n_elements,) amounts in the space's basis [%]
        process : values of every process variable, one of each
        """
        reasons = []
        for element, amount, low, high in zip(self.elements, percent, *self._bounds, strict=True):
            if not low - TOLERANCE <= amount <= high + TOLERANCE:
                reasons.append(f"{element} is {amount:g} %, outside {low:g} to {high:g} %")
        if np.abs(self.lattice.percent(self.lattice.nearest(percent[None]))[0] - percent).max() > TOLERANCE:
            reasons.append("it does not lie on the step")
        reasons += [
            f"{variable.name} is {_said(process[variable.name][0])}, not one of its levels"
            for variable in self.process
            if not variable.takes(process[variable.name])[0]
        ]
        for text, holds, quantity in self._checks(percent[None], process):
            if not holds[0]:
                reasons.append(f"'{text}' is not met: it is {_said(quantity[0])}")
        return reasons

    # -- points ---------------------------------------------------------------------------------------------------

    def sample(self, n: int, rng: np.random.Generator) -> IntArray:
        """Up to n different allowed points, uniform over the space. (m, d), m <= n

        Fewer come back where the space holds fewer, or where rules leave so few that `MOST_DRAWS` draws miss them.

        Raises
        ------
        AlloyloopError
            where there is no allowed point, or none in `MOST_DRAWS` draws; names how often each rule alone was kept
        """
        if self.count <= MOST_LISTED * n:
            points = self._everything()
            allowed = points[self.allows(points)]
            if len(allowed) == 0:
                raise self._empty(len(points), rng)
            return rng.permutation(allowed)[:n]
        found = np.empty((0, self.n_elements + len(self.process)), dtype=np.int64)
        drawn = 0
        while len(found) < n and drawn < min(MOST_DRAWS, 40 * self.count):
            points = self._draw(min(max(4 * n, 1024), 65_536), rng)
            drawn += len(points)
            found = np.vstack([found, points[self.allows(points)]])
            _, first = np.unique(found, axis=0, return_index=True)
            found = found[np.sort(first)]  # in the order drawn, so that the first n are a fair sample
        if len(found) == 0:
            raise self._empty(drawn, rng)
        return found[:n]

    def _everything(self) -> IntArray:
        levels = np.array(list(product(*(range(variable.n_levels) for variable in self.process))), dtype=np.int64)
        units = self.lattice.at(range(self.lattice.count))
        return np.column_stack([np.repeat(units, len(levels), axis=0), np.tile(levels, (len(units), 1))])

    def _draw(self, n: int, rng: np.random.Generator) -> IntArray:
        levels = [rng.integers(variable.n_levels, size=n) for variable in self.process]
        return np.column_stack([self.lattice.sample(n, rng), *levels])

    def _empty(self, looked_at: int, rng: np.random.Generator) -> AlloyloopError:
        points = self._draw(20_000, rng)
        checks = self._checks(self.percent(points), self.process_values(points))
        shares = [f"'{text}' holds for {holds.mean():.1%}" for text, holds, _ in checks]
        return AlloyloopError(
            f"None of {looked_at} designs looked at keeps every rule; alone, {', '.join(shares)} of them",
            "Widen the bounds or relax the rule that holds least often.",
        )

    def neighbours(self, point: IntArray) -> IntArray:
        """The allowed points one exchange of units, or one process level, away from a point (d,). (m, d)"""
        units = point[: self.n_elements] + self._exchanges
        units = units[self.lattice.holds(units)]
        points = [np.column_stack([units, np.tile(point[self.n_elements :], (len(units), 1))])]
        for i, variable in enumerate(self.process, start=self.n_elements):
            others = [point[i] - 1, point[i] + 1] if isinstance(variable, Numeric) else range(variable.n_levels)
            for level in others:
                if 0 <= level < variable.n_levels and level != point[i]:
                    moved = point.copy()
                    moved[i] = level
                    points.append(moved[None])
        every = np.vstack(points)
        return every[self.allows(every)]

    def spread(self, n: int, rng: np.random.Generator, taken: IntArray | None = None) -> IntArray:
        """n allowed points far from each other and from those taken: a space-filling first design. (m, d), m <= n

        Points are taken one by one from a uniform sample, each the farthest (in at.% exchanged, and in shares of each
        process range) from its nearest neighbour among those chosen: greedy maximin, within a factor of two of the best
        [Gonzalez, Theor. Comput. Sci. 38 (1985) 293].
        """
        pool = self.sample(max(2048, 16 * n) + (0 if taken is None else len(taken)), rng)
        if taken is not None and len(taken):
            pool = pool[~rows_in(pool, taken)]
        places = self._places(pool)
        if taken is not None and len(taken):
            chosen: list[int] = []
            gap = np.min([_gaps(places, place) for place in self._places(taken)], axis=0)
        else:
            chosen = [int(np.argmin(_gaps(places, places.mean(axis=0))))]  # start in the middle
            gap = _gaps(places, places[chosen[0]])
        while len(chosen) < min(n, len(pool)):
            chosen.append(int(np.argmax(gap)))
            gap = np.minimum(gap, _gaps(places, places[chosen[-1]]))
        return pool[chosen]

    def _places(self, points: IntArray) -> FloatArray:
        """Points as coordinates in which distance means difference: fractions, and process levels from 0 to 1."""
        levels: list[FloatArray] = []
        for i, variable in enumerate(self.process, start=self.n_elements):
            if isinstance(variable, Numeric):
                levels.append(points[:, [i]] / max(variable.n_levels - 1, 1))
            else:
                levels.append((points[:, [i]] == np.arange(variable.n_levels)).astype(np.float64))
        return np.column_stack([self.fractions(points), *levels])


def _said(value: object) -> str:
    """A quantity or a process value in a sentence."""
    if value is None or value != value:
        return "not known"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _gaps(places: FloatArray, place: FloatArray) -> FloatArray:
    """Half the sum of absolute differences: for compositions, the share of atoms exchanged. (n, d), (d,) -> (n,)"""
    return np.asarray(np.abs(places - place).sum(axis=1) / 2)


def nothing_left() -> AlloyloopError:
    """What is said where every design that the space allows has been made or proposed."""
    return AlloyloopError(
        "Every design of the space is taken: measured, pending or withdrawn", "Widen the bounds or make the step finer."
    )


def rows_in(points: IntArray, others: IntArray) -> NDArray[np.bool_]:
    """Which rows of `points` are among the rows of `others`. (n, d), (m, d) -> (n,)"""
    known = {row.tobytes() for row in np.ascontiguousarray(others, dtype=np.int64)}
    return np.array([row.tobytes() in known for row in np.ascontiguousarray(points, dtype=np.int64)], dtype=bool)
