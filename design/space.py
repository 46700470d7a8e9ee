"""The design space: compositions on their steps, process variables and the rules that bind them.

A point of a space is a row of whole numbers: the units of each element (the balance last), then the level of each
process variable. Sum, bounds, steps, element counts and every rule that whole numbers can say hold by construction,
since points come from a `Diagram` that knows no others; rules on descriptors and in the other basis are asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .candidates import UNITS_PER_PERCENT, Candidates
from .clauses import Column, clauses, support
from .composition import Basis, Composition, atomic_fractions
from .diagram import Axis, Clause, Diagram, IntArray, TooManyStatesError, distinct
from .lattice import Lattice, exact
from .policies import Policy
from .process import Choice, Condition, Numeric, Process
from .rules import TOLERANCE, Computed, Designs, Is, Limits, Names, Rule, Sum

# Draws made before a space is called empty: with less than one feasible point in as many, the question is wrong.
MOST_DRAWS = 400_000
# A space of no more than so many times the points wanted is listed whole: quicker than to draw until none is new.
MOST_LISTED = 8
# Up to so many points every one is asked whether it keeps the rules that are asked; of more, so many are drawn.
MOST_ASKED = 200_000
# Rows of a table of candidates, or levels, around one that count as its neighbours.
N_NEAREST = 24
# A measured amount may differ so much from a candidate's and still be that candidate [%].
SAME_CANDIDATE = 0.01
_OFF_STEP, _NO_CANDIDATE = "it does not lie on the step", "it is not one of the candidates"


@dataclass(frozen=True, slots=True)
class Count:
    """How many designs there are.

    Parameters
    ----------
    number : the count, or the estimate, rounded to a whole number
    low, high : the number itself if exact; else it lies between them with 95 % confidence
    how : in words
    """

    number: int
    low: int
    high: int
    how: str

    @property
    def exact(self) -> bool:
        """Whether it was counted and not estimated."""
        return self.low == self.high

    def __str__(self) -> str:
        if self.exact:
            return f"{spaced(self.number)} designs ({self.how})"
        unit = 10 ** max(0, len(str(self.high)) - 3)  # the interval is rounded outward, so that it holds what it held
        number, low, high = ((self.number + unit // 2) // unit, self.low // unit, -(-self.high // unit))
        return f"about {spaced(number * unit)} designs ({spaced(low * unit)} to {spaced(high * unit)}; {self.how})"


@dataclass(frozen=True)
class DesignSpace:
    """What may be made: composition, process and rules together.

    Parameters
    ----------
    lattice : the compositions on their steps; None in a pure process space, or where candidates say the compositions
    basis : what the lattice's, or the candidates', % are, `at_pct` or `wt_pct`
    process : process variables, in the order of the campaign file
    rules : what every design keeps
    policy : which elements are barred, limited or flagged, and why; or None
    conditions : what rows of data may differ in and designs do not; every design is predicted at their `at`
    candidates : rows to choose from, instead of the lattice or of the levels of some process variables; or None

    Raises
    ------
    AlloyloopError
        where the policy bars an element of the space, nothing can be chosen, or lattice and candidates both say the
        compositions
    """

    lattice: Lattice | None
    basis: Basis
    process: tuple[Numeric | Choice, ...] = ()
    rules: tuple[Rule, ...] = ()
    policy: Policy | None = None
    conditions: tuple[Condition, ...] = ()
    candidates: Candidates | None = None

    def __post_init__(self) -> None:
        if self.candidates is not None:
            if self.candidates.elements and self.lattice is not None:
                raise AlloyloopError(
                    "The candidates say compositions, and so does the lattice", "Take the elements out of one of them."
                )
            self._check_levels(self.candidates)
        if not self.elements and not self.process:
            raise AlloyloopError("There is nothing to choose", "Name elements, process variables or candidates.")
        for rule in self.rules if not self.elements else ():
            if any(isinstance(test, Computed) for test in (rule.wanted, *rule.given)):
                raise AlloyloopError(
                    f"The rule '{rule.text}' bounds a descriptor, and this space has no elements to compute it from",
                    "Take it out, or name the elements.",
                )
        for said in self.policy.rules if self.policy is not None else ():
            if said.verdict == "barred" and said.element in self.elements:
                raise AlloyloopError(
                    f"{said.element} is barred by the policy {self.policy.name if self.policy else ''}: {said.reason}",
                    f"Take {said.element} out of the space, or choose another policy.",
                )

    def _check_levels(self, candidates: Candidates) -> None:
        variables = {variable.name: variable for variable in self.process}
        for name, values in candidates.process.items():
            if name not in variables:
                raise AlloyloopError(
                    f"The candidates have values of {name}, which is not a process variable", "Add it to process."
                )
            off = ~variables[name].takes(values)
            if off.any():
                row = int(np.flatnonzero(off)[0])
                raise AlloyloopError(
                    f"Candidate {row + 1} has {name} {_said(values[row])}, which is not one of its levels",
                    f"Correct the row, or the levels of {name}.",
                )

    @property
    def elements(self) -> tuple[str, ...]:
        """The elements, the balance last; none in a pure process space."""
        if self.lattice is not None:
            return self.lattice.symbols
        return self.candidates.elements if self.candidates is not None else ()

    @property
    def n_elements(self) -> int:
        """How many elements there are."""
        return len(self.elements)

    @property
    def names(self) -> Names:
        """What a rule of this space may name."""
        numbers = tuple(variable.name for variable in self.process if isinstance(variable, Numeric))
        choices = {variable.name: variable.choices for variable in self.process if isinstance(variable, Choice)}
        return Names(self.elements, numbers, choices)

    # -- its points, numbered -------------------------------------------------------------------------------------

    @cached_property
    def _unit(self) -> Fraction:
        """What one unit of an element is [%]."""
        return self.lattice.unit if self.lattice is not None else Fraction(1, UNITS_PER_PERCENT)

    @cached_property
    def columns(self) -> dict[str, Column]:
        """What the columns of a point stand for, by the name of the element or process variable."""
        columns = {element: Column(i, unit=self._unit) for i, element in enumerate(self.elements)}
        for i, variable in enumerate(self.process, start=self.n_elements):
            if isinstance(variable, Numeric):
                columns[variable.name] = Column(i, levels=tuple(exact(value) for value in variable.grid.tolist()))
            else:
                columns[variable.name] = Column(i, choices=variable.choices)
        return columns

    @cached_property
    def _axes(self) -> tuple[Axis, ...]:
        """In the order in which a diagram with all the rules has few states: what a rule ties together is close."""
        axes = self._axes_as_named
        where = {column: number for number, axis in enumerate(axes) for column in axis.columns}
        tied = [frozenset(where[column] for column in support(rule, self.columns)) for rule in self.rules]
        return tuple(axes[number] for number in _close_together(len(axes), tied))

    @cached_property
    def _axes_as_named(self) -> tuple[Axis, ...]:
        """Elements, the rows of candidates, then the process variables that these do not say."""
        axes = list(self.lattice.axes) if self.lattice is not None else []
        tabled: set[str] = set()
        if self.candidates is not None:
            tabled = set(self.candidates.process)
            levels = {
                i: variable.levels(self.candidates.process[variable.name])
                for i, variable in enumerate(self.process, start=self.n_elements)
                if variable.name in tabled
            }
            axes.append(self.candidates.axis(levels))
        for i, variable in enumerate(self.process, start=self.n_elements):
            if variable.name not in tabled:
                values = np.arange(variable.n_levels)
                axes.append(Axis((i,), values[:, None], np.zeros_like(values)))
        return tuple(axes)

    @cached_property
    def _diagram_and_asked(self) -> tuple[Diagram, tuple[Rule, ...]]:
        """The diagram with every rule that it can take in, and the rules that it cannot."""
        axes = self._axes
        base = self.lattice.clauses(axes) if self.lattice is not None else ()
        total = int(100 / self._unit) if self.elements else 0
        rules = (*self.rules, *self.policy_limits)
        said = {i: found for i, rule in enumerate(rules) if (found := clauses(rule, axes, self.columns, self.basis))}
        try:
            diagram = Diagram(axes, total, (*base, *(clause for found in said.values() for clause in found)))
        except TooManyStatesError:
            diagram, said = self._with_what_fits(total, base, said)
        return diagram, tuple(rule for i, rule in enumerate(rules) if i not in said)

    def _with_what_fits(
        self, total: int, base: tuple[Clause, ...], said: Mapping[int, tuple[Clause, ...]]
    ) -> tuple[Diagram, dict[int, tuple[Clause, ...]]]:
        """As many rules as a diagram can hold, those with the fewest values first."""

        def width(found: tuple[Clause, ...]) -> int:
            return sum(
                int(sum(np.ptp(numbers) for numbers in atom.contributions)) for clause in found for atom in clause
            )

        if self.lattice is not None:
            _ = self.lattice.diagram  # refused in words where even this is too large
        kept: dict[int, tuple[Clause, ...]] = {}
        try:
            diagram = Diagram(self._axes, total, base)
        except TooManyStatesError:  # in this order; levels that come between the elements multiply their states
            axes = self._axes_as_named
            return Diagram(axes, total, self.lattice.clauses(axes) if self.lattice is not None else ()), kept
        for i in sorted(said, key=lambda i: width(said[i])):
            held = (clause for found in (*kept.values(), said[i]) for clause in found)
            try:
                diagram = Diagram(self._axes, total, (*base, *held))
                kept[i] = said[i]
            except TooManyStatesError:
                continue
        return diagram, kept

    @property
    def diagram(self) -> Diagram:
        """Its points, with all that is not asked built in."""
        return self._diagram_and_asked[0]

    @property
    def asked(self) -> tuple[Rule, ...]:
        """The rules, limits of the policy among them, that are not built into the points and have to be asked."""
        return self._diagram_and_asked[1]

    @cached_property
    def policy_limits(self) -> tuple[Rule, ...]:
        """The limits of the policy on the elements of the space, as rules."""
        if self.policy is None:
            return ()
        limits = []
        for said in self.policy.rules:
            if said.verdict == "limited" and said.limit_wt_pct is not None and said.element in self.elements:
                text = f"{said.element} at most {said.limit_wt_pct:g} wt.% (policy {self.policy.name})"
                most = Sum(text, ((said.element, Fraction(1)),), (), Limits(high=said.limit_wt_pct), "wt_pct")
                limits.append(Rule(text, most))
        return tuple(limits)

    @property
    def count(self) -> int:
        """How many points there are before the `asked` rules are, exactly."""
        return self.diagram.count

    def held_at(self, levels: Mapping[str, int]) -> DesignSpace:
        """The part of the space in which process variables, by name, are at one of their levels.

        Its points are points of this space: they are made of the same columns, and by construction at these levels.
        """
        variables = {variable.name: variable for variable in self.process}
        held = []
        for name, level in levels.items():
            variable, text = variables[name], f"{name} is held"
            if isinstance(variable, Choice):
                held.append(Rule(text, Is(text, name, variable.choices[level])))
            else:
                value = float(variable.grid[level])
                held.append(Rule(text, Sum(text, ((name, Fraction(1)),), (), Limits(value, value))))
        return replace(self, rules=(*self.rules, *held))

    def counted(self) -> Count:
        """How many designs there are: exactly by dynamic programming, or by asking each, or estimated by asking many.

        The estimate is the share of uniform draws that keep the asked rules, with its Jeffreys interval [Brown et al.,
        Statist. Sci. 16 (2001) 101]; the draws are the same at every call.
        """
        if self.count == 0 or not self.asked:
            return Count(self.count, self.count, self.count, "counted exactly")
        rules = f"{len(self.asked)} rule{'s' * (len(self.asked) > 1)} that can only be asked"
        if self.count <= MOST_ASKED:
            number = int(self._keep_asked(self.between(0, self.count)).sum())
            return Count(number, number, number, f"counted exactly, each of {spaced(self.count)} asked for {rules}")
        from scipy.special import betaincinv

        points = self.diagram.sample(MOST_ASKED // 4, np.random.default_rng(0))
        kept, n = int(self._keep_asked(points).sum()), len(points)
        low, high = (betaincinv(kept + 0.5, n - kept + 0.5, q) for q in (0.025, 0.975))
        return Count(
            round(self.count * kept / n),
            0 if kept == 0 else int(self.count * float(low)),
            self.count if kept == n else int(self.count * float(high)) + 1,
            f"estimated: of {spaced(self.count)} points, {spaced(n)} were drawn and asked for {rules}",
        )

    def at(self, index: Sequence[int] | NDArray[Any]) -> IntArray:
        """The points with these numbers, from 0 to count - 1. (n,) -> (n, d)

        Points are numbered axis by axis, in an order of the space's own in which its rules are quickly counted.
        """
        return self.diagram.at(index)

    def index(self, points: IntArray) -> list[int]:
        """The numbers of points, the inverse of `at`; -1 for what is not a point of the space."""
        return self.diagram.index(points)

    def between(self, start: int, stop: int) -> IntArray:
        """The points numbered from `start` up to and without `stop`. (n, d)"""
        return self.diagram.between(start, stop)

    # -- what a point is ------------------------------------------------------------------------------------------

    def percent(self, points: IntArray) -> FloatArray:
        """Amounts in the space's basis [%]: the doubles nearest the exact decimals, summing to 100. (n, n_elements)"""
        units = points[:, : self.n_elements]
        return np.asarray(units * self._unit.numerator / self._unit.denominator, dtype=np.float64)

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

    def compositions(self, points: IntArray) -> list[Composition | None]:
        """What points consist of, the balance first; None each in a pure process space."""
        if not self.elements:
            return [None] * len(points)
        balance_first = [self.n_elements - 1, *range(self.n_elements - 1)]
        return [
            Composition({self.elements[i]: amounts[i] for i in balance_first if amounts[i] > 0}, self.basis)
            for amounts in self.percent(points).tolist()
        ]

    def designs(self, points: IntArray) -> Designs:
        """Points as rules see them."""
        return self._as_designs(self.percent(points), self.process_values(points))

    def _as_designs(self, percent: FloatArray, process: Process) -> Designs:
        return Designs(self.elements, self.basis, percent, process)

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
        percent = np.nan_to_num(percent)
        near = np.ones(len(percent), dtype=bool)
        levels = [variable.levels(process[variable.name]) for variable in self.process]
        for level in levels:
            near &= level >= 0
        if self.lattice is not None:
            units = self.lattice.nearest(percent)
            off = np.abs(self.lattice.percent(units) - percent)
            near &= self.lattice.holds(units) & (off <= self._half_step + TOLERANCE).all(axis=1)
        elif self.candidates is not None and self.elements:
            units, off = self._nearest_candidates(percent)
            near &= off <= SAME_CANDIDATE
        else:
            units = np.empty((len(percent), 0), dtype=np.int64)
        return np.column_stack([units, *levels]), near

    def _nearest_candidates(self, percent: FloatArray) -> tuple[IntArray, FloatArray]:
        """Units of the candidate nearest to each alloy, and the largest difference of an amount [%]."""
        assert self.candidates is not None  # its callers ask
        off, which = self.candidates.tree.query(percent, p=inf)
        return self.candidates.units[which], np.asarray(off)

    def called(self, percent: FloatArray, process: Process) -> list[str]:
        """What the user's table calls the candidates that given alloys are.

        Parameters
        ----------
        percent : (n, n_elements) amounts in the space's basis [%]
        process : values of every process variable, n of each

        Returns
        -------
        n names, several rows of one design as "a or b"; "" of what is no candidate, or has no name
        """
        table = self.candidates
        if table is None or not table.names:
            return [""] * len(percent)
        said = [variable for variable in self.process if variable.name in table.process]
        rows = np.column_stack([table.units, *(each.levels(table.process[each.name]) for each in said)])
        names: dict[tuple[int, ...], list[str]] = {}
        for row, name in zip(rows.tolist(), table.names, strict=True):
            names.setdefault(tuple(row), []).append(name)
        near, units = np.ones(len(percent), dtype=bool), np.empty((len(percent), 0), dtype=np.int64)
        if table.elements:
            units, off = self._nearest_candidates(np.nan_to_num(percent))
            near = off <= SAME_CANDIDATE
        here = np.column_stack([units, *(each.levels(process[each.name]) for each in said)])
        return [
            " or ".join(names.get(tuple(row), ())) if is_near else ""
            for row, is_near in zip(here.tolist(), near.tolist(), strict=True)
        ]

    @cached_property
    def _half_step(self) -> FloatArray:
        """(n_elements,) half a step of each element [%]; the balance answers for all the others."""
        if self.lattice is None:
            return np.zeros(self.n_elements)
        half = np.array(self.lattice.strides) * float(self.lattice.unit) / 2
        half[-1] = half.sum() - half[-1]
        return half

    @cached_property
    def bounds(self) -> FloatArray:
        """(2, n_elements) lowest and highest amounts of each element, on the step or among the candidates [%]."""
        if self.lattice is not None:
            return self.lattice.percent(np.array([self.lattice.lows, self.lattice.highs]))
        rows = self.candidates.percent if self.candidates is not None else np.empty((1, 0))
        return np.array([rows.min(axis=0), rows.max(axis=0)])

    # -- what is allowed ------------------------------------------------------------------------------------------

    def _all_keep(self, rules: Sequence[Rule], designs: Designs) -> NDArray[np.bool_]:
        kept = np.ones(len(designs), dtype=bool)
        for rule in rules:
            kept &= rule.holds(designs)
        return kept

    def _keep_asked(self, points: IntArray) -> NDArray[np.bool_]:
        return self._all_keep(self.asked, self.designs(points))

    def keeps_rules(self, percent: FloatArray, process: Process) -> NDArray[np.bool_]:
        """Whether alloys, on the step or not, keep every rule, every limit of the policy and on the elements present.

        Parameters
        ----------
        percent : (n, n_elements) amounts in the space's basis [%]
        process : values of every process variable, n of each

        Returns
        -------
        (n,) False too where a rule asks for something that is not known
        """
        kept = self._all_keep((*self.rules, *self.policy_limits), self._as_designs(percent, process))
        for _, holds, _ in self._presence(percent):
            kept &= holds
        return kept

    def _presence(self, percent: FloatArray) -> Iterator[tuple[str, NDArray[np.bool_], list[str]]]:
        """Limits on which elements are present: each in words, where it holds, and what is so instead.

        An element is present from half its step on, so that a trace in a measured alloy is none, and one that was to
        reach `present_above` may have come out half a step below.
        """
        if self.lattice is None:
            return
        half = np.array(self.lattice.strides) * float(self.lattice.unit) / 2
        present = percent > half
        if self.lattice.present_above > 0:
            short = present & (percent < self.lattice.percent(np.array(self.lattice.least_present)) - half)
            said = [
                ", ".join(f"{self.elements[i]} {row[i]:g}" for i in np.flatnonzero(lacks))
                for row, lacks in zip(percent, short, strict=True)
            ]
            yield f"what is present is at least {self.lattice.present_above:g} %", np.asarray(~short.any(axis=1)), said
        for limit in self.lattice.limits:
            counted = [self.elements.index(element) for element in limit.of]
            n = present[:, counted].sum(axis=1)
            yield f"{limit.name}: {limit.text}", (n >= limit.least) & (n <= limit.most), [str(number) for number in n]

    def allows(self, points: IntArray) -> NDArray[np.bool_]:
        """Whether rows of whole numbers are points of the space that keep every rule. (n, d) -> (n,)"""
        held = self.diagram.holds(points)
        if self.asked and held.any():
            held[held] = self._keep_asked(points[held])
        return held

    def contains(self, percent: FloatArray, process: Process) -> NDArray[np.bool_]:
        """Whether alloys are inside the bounds and keep every rule, be they on the step or not. As `keeps_rules`."""
        low, high = self.bounds
        inside = ((percent >= low - TOLERANCE) & (percent <= high + TOLERANCE)).all(axis=1)
        return np.asarray(inside & self.keeps_rules(percent, process))

    def why_not(self, percent: FloatArray, process: Process, *, made: bool = False) -> list[str]:
        """Every bound and rule that one alloy breaks, in words with numbers; empty where it could be proposed.

        Parameters
        ----------
        percent : (n_elements,) amounts in the space's basis [%]
        process : values of process variables, one of each
        made : the alloy is as it came out and not as it was planned: that it lies between steps, or off a candidate, is
            nothing to blame it for
        """
        reasons = []
        for element, amount, low, high in zip(self.elements, percent, *self.bounds, strict=True):
            if not low - TOLERANCE <= amount <= high + TOLERANCE:
                reasons.append(f"{element} is {amount:g} %, outside {low:g} to {high:g} %")
        if not made and not self._on_step(percent):
            reasons.append(_OFF_STEP if self.lattice is not None else _NO_CANDIDATE)
        for variable in self.process:
            value = process[variable.name]
            if not (variable.holds(value) if made else variable.takes(value))[0]:
                reasons.append(f"{variable.name} is {_said(value[0])}, not one of its levels")
        reasons += [
            f"'{text}' is not met: it is {said[0]}"
            for text, holds, said in self._presence(percent[None])
            if not holds[0]
        ]
        designs = self._as_designs(percent[None], process)
        for rule in (*self.rules, *self.policy_limits):
            if not rule.holds(designs)[0]:
                reasons.append(f"'{rule.text}' is not met: it is {_said(rule.quantity(designs)[0])}")
        if not reasons and not made and self.candidates is not None:
            points, near = self.snap(percent[None], process)
            if near[0] and not self.diagram.holds(points)[0]:
                reasons.append(_NO_CANDIDATE)
        return reasons

    def _on_step(self, percent: FloatArray) -> bool:
        """Whether the amounts of one alloy (n_elements,) are whole steps, or a candidate's."""
        if self.lattice is not None:
            off = np.abs(self.lattice.percent(self.lattice.nearest(percent[None]))[0] - percent)
            return bool(off.max() <= TOLERANCE)
        return not self.elements or bool(self._nearest_candidates(percent[None])[1][0] <= SAME_CANDIDATE)

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
            points = self.between(0, self.count)
            allowed = points[self._keep_asked(points)]
            if len(allowed) == 0:
                raise self._empty(points)
            return rng.permutation(allowed)[:n]
        found = points = np.empty((0, self.diagram.n_columns), dtype=np.int64)
        drawn = 0
        while len(found) < n and drawn < min(MOST_DRAWS, 40 * self.count):
            points = self.diagram.sample(min(max(4 * n, 1024), 65_536), rng)
            drawn += len(points)
            found = np.vstack([found, points[self._keep_asked(points)]])
            found = found[np.sort(distinct(list(found.T))[0])]  # in the order drawn: the first n are a fair sample
        if len(found) == 0 < n:
            raise self._empty(points)
        return found[:n]

    def _empty(self, points: IntArray) -> AlloyloopError:
        """What is said where none of some points is allowed."""
        if len(points) == 0:
            return AlloyloopError("No design keeps every bound and rule", "`alloyloop check` says which conflict.")
        designs = self.designs(points)
        shares = [f"'{rule.text}' holds for {rule.holds(designs).mean():.1%}" for rule in self.asked]
        return AlloyloopError(
            f"None of the designs looked at keeps every rule; alone, {', '.join(shares)} of {spaced(len(points))}",
            "Widen the bounds or relax the rule that holds least often.",
        )

    def neighbours(self, point: IntArray) -> IntArray:
        """The allowed points one exchange between elements, or one process level, away from a point (d,). (m, d)

        An exchange moves some steps of one element to another, all of one to another, or so much that another comes in
        with the least it may have, or takes one out and brings another in with its least, the balance taking what does
        not divide: so element counts and `present_above` hold no point captive.
        """
        return self.around(point[None])[0]

    def around(self, points: IntArray) -> tuple[IntArray, IntArray]:
        """The neighbours of several points, those of one side by side, and which point each is a neighbour of.

        Parameters
        ----------
        points : (n, d)

        Returns
        -------
        others : (m, d) allowed points; those of one point each once, in ascending order
        which : (m,) from 0 to n - 1, ascending
        """
        moved = [*self._moved(points)]
        others, which = np.vstack([rows for rows, _ in moved]), np.concatenate([owner for _, owner in moved])
        is_other = (others != points[which]).any(axis=1)
        others, which = others[is_other], which[is_other]
        if len(others):
            once = distinct([which, *others.T])[0]
            others, which = others[once], which[once]
        allowed = self.allows(others)
        return others[allowed], which[allowed]

    def _moved(self, points: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
        """Points with other amounts, another row or another level, not all of them of the space, and which each was."""
        numbers = np.arange(len(points))
        if self.lattice is not None:
            yield self._exchanged(points)
        tabled: Collection[str] = ()
        if self.candidates is not None:
            tabled = self.candidates.process
            axis = self._axes_as_named[0 if self.lattice is None else self.n_elements]
            rows = [self._nearest_rows(axis, point) for point in points]
            which = np.repeat(numbers, [len(each) for each in rows])
            yield _with(points[which], axis.columns, np.vstack([axis.values[:0], *rows])), which
        for i, variable in enumerate(self.process, start=self.n_elements):
            if variable.name in tabled:
                continue
            if isinstance(variable, Choice):
                levels = np.tile(np.arange(variable.n_levels), (len(points), 1))
            else:
                n = max(variable.n_levels - 1, 1)  # far steps as well where levels are fine
                levels = points[:, [i]] + np.unique([s * max(1, n // f) for f in (n, 64, 16, 4) for s in (-1, 1)])
            which, place = np.nonzero((levels >= 0) & (levels < variable.n_levels))
            yield _with(points[which], (i,), levels[which, place][:, None]), which

    def _exchanged(self, points: IntArray) -> tuple[IntArray, IntArray]:
        """Points with some of one element exchanged for another, not all of them of the space, and which each was."""
        lattice = self.lattice
        assert lattice is not None  # its only caller asks
        n, strides = self.n_elements, np.array(lattice.strides)
        units = points[:, :n]
        some = units[:, None] + lattice.steps  # (n_points, n_moves, n_elements)
        gives, takes = np.nonzero(~np.eye(n, dtype=bool))  # (n_pairs,)
        least = np.array([values[values > 0].min(initial=lattice.total) for values in lattice.values])
        # Of each pair all that one has, what brings the other in, and one out for the other. (n_points, n_pairs, 3)
        had, brings = units[:, gives], np.where(units[:, takes] == 0, least[takes], 0)
        given = np.stack([had, -(-brings // strides[gives]) * strides[gives], np.where(brings > 0, had, 0)], axis=2)
        taken = np.stack([had // strides[takes] * strides[takes], brings, brings], axis=2)
        given[had == 0] = 0
        which, pair, kind = np.nonzero(given)
        moved, row = units[which], np.arange(len(which))
        moved[row, takes[pair]] += taken[which, pair, kind]
        moved[row, gives[pair]] -= given[which, pair, kind]
        moved[:, n - 1] += lattice.total - moved.sum(axis=1)
        which = np.append(np.repeat(np.arange(len(points)), len(lattice.steps)), which)
        return _with(points[which], range(n), np.vstack([some.reshape(-1, n), moved])), which

    def _nearest_rows(self, axis: Axis, point: IntArray) -> IntArray:
        """The rows of a table around the one that a point has, nearest first. (m, n_columns)"""
        span = np.maximum(np.ptp(axis.values, axis=0), 1)
        gaps = np.abs((axis.values - point[list(axis.columns)]) / span).sum(axis=1)
        return axis.values[np.argsort(gaps, kind="stable")[: N_NEAREST + 1]]


def spaced(number: int) -> str:
    """A count as it is read.

    >>> spaced(1822786)
    '1 822 786'
    """
    return f"{number:,}".replace(",", " ")


def _said(value: object) -> str:
    """A quantity or a process value in a sentence."""
    if value is None or value != value:
        return "not known"
    return f"{value:g}" if isinstance(value, float) else str(value)


def nothing_left() -> AlloyloopError:
    """What is said where every design that the space allows has been made or proposed."""
    return AlloyloopError(
        "Every design of the space is taken: measured, pending or withdrawn", "Widen the bounds or make the step finer."
    )


def _with(points: IntArray, columns: Sequence[int], values: IntArray) -> IntArray:
    """Points with other values in some columns. (n, d), (n, n_columns) -> (n, d)"""
    changed = points.copy()
    changed[:, list(columns)] = values
    return changed


def _close_together(n: int, tied: Sequence[frozenset[int]]) -> list[int]:
    """An order of n things in which those that are tied come soon after each other; as it is where none are."""
    order: list[int] = []
    while len(order) < n:
        to_come = [rest for rest in (each - set(order) for each in tied) if rest]
        chosen = min(to_come, key=lambda rest: (len(rest), min(rest))) if to_come else {*range(n)} - set(order)
        order.append(min(chosen))
    return order


def rows_in(points: IntArray, others: IntArray) -> NDArray[np.bool_]:
    """Which rows of `points` are among the rows of `others`. (n, d), (m, d) -> (n,)"""
    known = {row.tobytes() for row in np.ascontiguousarray(others, dtype=np.int64)}
    return np.array([row.tobytes() in known for row in np.ascontiguousarray(points, dtype=np.int64)], dtype=bool)
