"""A space as a mixed-integer linear program: what it holds nearest to a target, and whether it holds anything at all.

Whole variables say how many steps of each element there are and which level each process variable has. Sums and ratios
in the space's basis are exact inequalities of whole numbers. A mean over atoms, mass or volume (an amount in the other
basis, a limit of a policy, a descriptor such as `vec`, `price_usd_per_kg` or `density_g_per_cm3`) is bounded linearly
after multiplying by its weights: Σ v_i c_i x_i / Σ c_i x_i <= b is Σ (v_i - b) c_i x_i <= 0. Other descriptors are
*curved*: the program leaves their rules out, and so holds at least what the space does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import pairwise
from math import isfinite, lcm

import numpy as np

from ..surrogates.base import FloatArray
from .candidates import UNITS_PER_PERCENT
from .composition import Basis
from .descriptors import DESCRIPTORS, Function, descriptor
from .diagram import IntArray
from .elements import atomic_masses, values
from .lattice import CountLimit, Lattice, exact
from .milp import Alternatives, Row, Segment, Variables
from .process import Choice, Numeric
from .rules import TOLERANCE, Computed, Is, Limits, Rule, Sum
from .space import DesignSpace

# HiGHS meets rows and whole numbers to 1e-6. Where its answer, made whole, breaks a bound on a mean by so little, it is
# asked again with these bounds tighter by so much of their size.
MARGINS = (0.0, 1e-6, 1e-4)
# Costs that differ by less than this are the same; HiGHS stops within 1e-6 of the least.
SAME_COST = 2e-6
# Slopes of a cost, per step, that differ by less than this are the same.
_SAME_SLOPE = 1e-9
# Rows of means are multiplied by this, so that the tolerance of rules is well above that of HiGHS.
_MEAN_SCALE = 1e4
# Whole factors beyond this lose their last digits in doubles.
_LARGEST = 2**40

Factors = Mapping[int, Fraction]


Cost = Callable[[int, IntArray], FloatArray]
"""What values (n,) of a column of points cost, a convex function of them where no table says the column. (n,)"""


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """What a program found.

    Parameters
    ----------
    point : (d,) a point of the space that keeps every rule but the curved ones; None where none was found
    proved : that no point costs less or, without a point, that there is none
    at_least : what any point costs at least
    """

    point: IntArray | None
    proved: bool
    at_least: float = 0.0


@dataclass(frozen=True, eq=False)
class Program:
    """The designs of a space, whatever its curved rules say of them, as whole variables under linear inequalities.

    Parameters
    ----------
    space : the space
    variables : the whole variables
    columns : (d, n_variables) a point is columns @ variables
    one_of : groups of variables of 0 or 1, of which exactly one is 1, with the columns of a point that each group says
    stepped : the one variable that says the number in each other column
    numbers : factors of each element [%] and each numeric process variable, and a constant, by name
    choices : factors of being a choice, 0 or 1, by the name of the variable and the choice
    present : the variable that is 1 where an element is present, by its symbol; empty where nobody asks

    Examples
    --------
    >>> from .lattice import Element
    >>> from .rules import Names, parse_rule
    >>> lattice = Lattice((Element("Nb", 0, 40, 1), Element("Zr", 0, 30, 1)), "Ti")
    >>> space = DesignSpace(lattice, "wt_pct", rules=(parse_rule("Ti <= 70 at%", Names(lattice.symbols)),))
    >>> found = Program.of(space).solve(lambda column, units: np.abs(units - [20, 10, 70][column]) / 2)
    >>> round(found.at_least, 6)
    16.0
    """

    space: DesignSpace
    variables: Variables
    columns: IntArray
    one_of: tuple[tuple[IntArray, tuple[int, ...]], ...]
    stepped: Mapping[int, int]
    numbers: Mapping[str, tuple[Factors, Fraction]]
    choices: Mapping[tuple[str, str], Factors]
    present: Mapping[str, int]

    @staticmethod
    def of(space: DesignSpace, *, with_presence: bool = False) -> Program:
        """The program of a space, with variables for the presence of elements even where its lattice needs none."""
        return _Writer(space, with_presence).program()

    @property
    def n_variables(self) -> int:
        """How many variables there are."""
        return len(self.variables)

    @cached_property
    def percent(self) -> FloatArray:
        """(n_elements, n_variables) factors of the amounts of the elements [%]."""
        rows = [self.number(element)[0] for element in self.space.elements]
        return np.array(rows).reshape(-1, self.n_variables)

    def number(self, name: str) -> tuple[FloatArray, float]:
        """Factors (n_variables,) of an element [%] or a numeric process variable, and a constant."""
        factors, constant = self.numbers[name]
        return self._dense(factors), float(constant)

    def choice(self, name: str, choice: str) -> FloatArray:
        """Factors (n_variables,) of being a choice, 0 or 1."""
        return self._dense(self.choices[name, choice])

    @cached_property
    def curved(self) -> tuple[Rule, ...]:
        """The rules that it leaves out."""
        return tuple(rule for rule in self.space.rules if self.said(rule) is None)

    # -- what is said in rows -------------------------------------------------------------------------------------

    def said(self, rule: Rule) -> Alternatives | None:
        """A rule as alternatives: it holds, or one of its conditions does not; None where it is curved."""
        wanted, given = self._rows(rule.wanted), [self._rows(test) for test in rule.given]
        if wanted is None or None in given:
            return None
        return (wanted, *((row.opposite,) for rows in given for row in rows or ()))

    def broken(self, rule: Rule) -> Alternatives | None:
        """That a rule does not hold, though its conditions do; None where it is curved."""
        wanted, given = self._rows(rule.wanted), [self._rows(test) for test in rule.given]
        if wanted is None or None in given:
            return None
        conditions = tuple(row for rows in given for row in rows or ())
        return tuple((*conditions, row.opposite) for row in wanted)

    def counted(self, limit: CountLimit) -> tuple[Row, Row]:
        """That at most, and at least, so many of some elements are present."""
        factors = np.zeros(self.n_variables)
        factors[[self.present[element] for element in limit.of]] = 1
        return Row(factors, limit.most), Row(-factors, -limit.least)

    def short_of(self, least: Sequence[int]) -> Alternatives:
        """That some element is present with fewer units than these, one number for each."""
        return tuple((Row(-row, -1.0), Row(row, units - 1.0)) for row, units in zip(self._units, least, strict=True))

    @property
    def _units(self) -> FloatArray:
        """(n_elements, n_variables) factors of the units of the elements."""
        return self.columns[: self.space.n_elements].astype(np.float64)

    def _rows(self, test: Sum | Computed | Is) -> tuple[Row, ...] | None:
        """Rows that together say a test."""
        elements, basis = self.space.elements, self.space.basis
        if isinstance(test, Is):
            row = Row(-self.choice(test.name, test.choice), -1.0)
            return (row,) if test.wanted else (row.opposite,)
        if isinstance(test, Computed):
            mean = _mean(descriptor(test.name).function, elements) if test.name in DESCRIPTORS else None
            if mean is None:
                return None
            weights = mean[1] * _atoms(elements, basis)
            return tuple(self._mean_row(mean[0], weights, *bound) for bound in _bounds(test.limits))
        if test.basis in (None, basis):
            return tuple(self._sum_row(*inequality) for inequality in test.at_most())
        to_other = 1 / atomic_masses(elements) if basis == "wt_pct" else atomic_masses(elements)
        rows = []
        for factors, most, is_open in test.at_most():
            beyond = {element: factors.get(element, Fraction(0)) - most / 100 for element in elements}
            if max(beyond.values()) <= 0 or min(beyond.values()) >= 0:
                # Met by equality if at all, where some elements are absent: they are so in both bases.
                rows.append(self._sum_row(beyond, Fraction(0), is_open))
            else:
                amounts = np.array([100 * float(factors.get(element, 0)) for element in elements])
                rows.append(self._mean_row(amounts, to_other, 1, float(most), is_open))
        return tuple(rows)

    def _sum_row(self, factors: Mapping[str, Fraction], most: Fraction, is_open: bool) -> Row:
        total: dict[int, Fraction] = {}
        for name, factor in factors.items():
            variables, constant = self.numbers[name]
            most -= factor * constant
            for variable, each in variables.items():
                total[variable] = total.get(variable, Fraction(0)) + factor * each
        scale = lcm(most.denominator, *(factor.denominator for factor in total.values()))
        low, high = self.variables.low, self.variables.high
        sizes = (abs(factor) * max(abs(int(low[i])), abs(int(high[i]))) for i, factor in total.items())
        whole = scale * max(abs(most), *sizes, Fraction(0)) <= _LARGEST
        if whole:
            return Row(self._dense({i: factor * scale for i, factor in total.items()}), float(most * scale) - is_open)
        slack = TOLERANCE * max(1.0, abs(float(most)))
        edge = float(most) + (-slack if is_open else slack)
        return Row(self._dense(total) * _MEAN_SCALE, edge * _MEAN_SCALE, whole=False)

    def _mean_row(self, of: FloatArray, weights: FloatArray, sign: int, bound: float, is_open: bool) -> Row:
        """That sign times the weighted mean of numbers is at most sign times a bound. (n_elements,) both"""
        slack = TOLERANCE * max(1.0, abs(bound))
        edge = sign * bound + (-slack if is_open else slack)
        scale = _MEAN_SCALE / max(1.0, abs(bound)) / (100 * weights.mean())
        return Row((sign * of - edge) * weights * scale @ self.percent, 0.0, whole=False)

    def _dense(self, factors: Factors) -> FloatArray:
        dense = np.zeros(self.n_variables)
        dense[list(factors)] = [float(factor) for factor in factors.values()]
        return dense

    @cached_property
    def _kept(self) -> tuple[Alternatives, ...]:
        """Everything that its points keep, one group after the other."""
        kept: list[Alternatives] = []
        lattice = self.space.lattice
        if lattice is not None:
            kept += [((row,),) for row in self._presence(lattice)]
            kept += [((row,),) for limit in lattice.limits for row in self.counted(limit)]
        for rule in (*self.space.rules, *self.space.policy_limits):
            said = self.said(rule)
            if said is not None:
                kept.append(said)
        return tuple(kept)

    def _presence(self, lattice: Lattice) -> Iterable[Row]:
        """That an element is present where its variable says so, with the least that it may have or more."""
        variables = self.present.values()
        for variable, units, possible in zip(variables, self._units, lattice.values, strict=False):  # none asked for
            for sign, bound in ((1, possible[-1]), (-1, possible[possible > 0].min(initial=lattice.total))):
                factors = sign * units
                factors[variable] = -sign * bound
                yield Row(factors, 0.0)

    # -- solving --------------------------------------------------------------------------------------------------

    def solve(self, cost: Cost | None = None, also: Sequence[Alternatives] = ()) -> Solution:
        """The cheapest point that keeps every rule that is not curved, and whatever else is asked.

        Parameters
        ----------
        cost : of the numbers in each column, summed over a point; None where any point will do
        also : what else it is to keep
        """
        told = (*self._kept, *also)
        costs, segments, constant = self._costs(cost)
        at_least = 0.0
        for margin in MARGINS:
            found = self.variables.cheapest(told, costs, segments, margin * _MEAN_SCALE)
            if margin == 0.0:
                if found.x is None:
                    return Solution(None, found.impossible)
                at_least = max(0.0, found.at_least + constant)
            if found.x is not None and self.variables.hold(found.x, told):
                point = np.rint(self.columns @ found.x).astype(np.int64)
                total = 0.0 if cost is None else sum(float(cost(i, point[[i]])[0]) for i in range(len(point)))
                return Solution(point, total <= at_least + SAME_COST, at_least)
        return Solution(None, False, at_least)

    def _costs(self, cost: Cost | None) -> tuple[FloatArray, list[Segment], float]:
        """What one of each variable costs, the segments of those that cost otherwise, and a constant."""
        costs = np.zeros(self.n_variables)
        segments: list[Segment] = []
        constant = 0.0
        if cost is None:
            return costs, segments, constant
        for group, columns in self.one_of:
            costs[group] = sum(cost(column, self.columns[column, group]) for column in columns)
        for column, variable in self.stepped.items():
            steps = np.arange(self.variables.low[variable], self.variables.high[variable] + 1)
            of_steps = cost(column, steps * self.columns[column, variable])
            constant += float(of_steps[0])
            kinks = np.flatnonzero(np.abs(np.diff(of_steps, n=2)) > _SAME_SLOPE) + 1
            for start, end in pairwise([0, *kinks.tolist(), len(steps) - 1]):
                if end > start:
                    slope = float(of_steps[end] - of_steps[start]) / (end - start)
                    segments.append(Segment(variable, end - start, slope))
        return costs, segments, constant


class _Writer:
    """Makes variables for the parts of a space one after the other."""

    def __init__(self, space: DesignSpace, with_presence: bool) -> None:
        self.space = space
        self.low: list[int] = []
        self.high: list[int] = []
        self.one_of: list[tuple[IntArray, tuple[int, ...]]] = []
        self.stepped: dict[int, int] = {}
        self.columns: list[dict[int, int]] = [{} for _ in range(space.n_elements + len(space.process))]
        self.numbers: dict[str, tuple[Factors, Fraction]] = {}
        self.choices: dict[tuple[str, str], Factors] = {}
        self.present: dict[str, int] = {}
        if space.lattice is not None:
            self._lattice(space.lattice, with_presence)
        tabled = self._candidates()
        for i, variable in enumerate(space.process, start=space.n_elements):
            if i not in tabled:
                self._levels(i, variable)

    def program(self) -> Program:
        """What was written."""
        columns = np.zeros((len(self.columns), len(self.low)), dtype=np.int64)
        for row, factors in zip(columns, self.columns, strict=True):
            row[list(factors)] = list(factors.values())
        lattice = self.space.lattice
        total = columns[: self.space.n_elements].sum(axis=0).astype(np.float64)
        variables = Variables(
            np.array(self.low, dtype=np.int64),
            np.array(self.high, dtype=np.int64),
            tuple(group for group, _ in self.one_of),
            ((total, float(lattice.total)),) if lattice is not None else (),
        )
        return Program(
            self.space,
            variables,
            columns,
            tuple(self.one_of),
            self.stepped,
            self.numbers,
            self.choices,
            self.present,
        )

    def _add(self, low: int, high: int) -> int:
        self.low.append(low)
        self.high.append(high)
        return len(self.low) - 1

    def _add_one_of(self, n: int, columns: tuple[int, ...]) -> IntArray:
        """n variables of which exactly one is 1, which say some columns."""
        group = np.array([self._add(0, 1) for _ in range(n)])
        self.one_of.append((group, columns))
        return group

    def _lattice(self, lattice: Lattice, with_presence: bool) -> None:
        for i, (element, possible) in enumerate(zip(lattice.symbols, lattice.values, strict=True)):
            stride = lattice.strides[i]
            steps = self._add(int(possible[0]) // stride, int(possible[-1]) // stride)
            self.columns[i], self.stepped[i] = {steps: stride}, steps
            self.numbers[element] = {steps: stride * lattice.unit}, Fraction(0)
        if with_presence or lattice.limits or lattice.present_above > 0:
            for element, possible in zip(lattice.symbols, lattice.values, strict=True):
                self.present[element] = self._add(int(possible[0] > 0), int(possible[-1] > 0))

    def _candidates(self) -> frozenset[int]:
        """Variables for the rows of a table; the columns of a point that these say."""
        space = self.space
        if space.candidates is None:
            return frozenset()
        tabled = {
            i: variable
            for i, variable in enumerate(space.process, start=space.n_elements)
            if variable.name in space.candidates.process
        }
        levels = {i: variable.levels(space.candidates.process[variable.name]) for i, variable in tabled.items()}
        axis = space.candidates.axis(levels)
        rows = self._add_one_of(len(axis.values), axis.columns)
        for number, column in enumerate(axis.columns):
            of_rows = axis.values[:, number]
            if column in tabled:
                self._listed(column, tabled[column], rows, of_rows)
            else:
                self.columns[column] = dict(zip(rows.tolist(), of_rows.tolist(), strict=True))
                unit = Fraction(1, UNITS_PER_PERCENT)
                amounts = {row: units * unit for row, units in self.columns[column].items()}
                self.numbers[space.elements[column]] = amounts, Fraction(0)
        return frozenset(axis.columns)

    def _levels(self, column: int, variable: Numeric | Choice) -> None:
        if isinstance(variable, Numeric) and not variable.listed:
            level = self._add(0, variable.n_levels - 1)
            self.columns[column], self.stepped[column] = {level: 1}, level
            self.numbers[variable.name] = {level: variable.spacing}, exact(variable.low)
        else:
            rows = self._add_one_of(variable.n_levels, (column,))
            self._listed(column, variable, rows, np.arange(variable.n_levels))

    def _listed(self, column: int, variable: Numeric | Choice, rows: IntArray, levels: IntArray) -> None:
        """A process variable of which each row of a table, or each of its own levels, says the level."""
        self.columns[column] = dict(zip(rows.tolist(), levels.tolist(), strict=True))
        if isinstance(variable, Numeric):
            numbers = [exact(number) for number in variable.values(levels).tolist()]
            self.numbers[variable.name] = dict(zip(rows.tolist(), numbers, strict=True)), Fraction(0)
        else:
            for level, choice in enumerate(variable.choices):
                self.choices[variable.name, choice] = {row: Fraction(1) for row in rows[levels == level].tolist()}


def _bounds(limits: Limits) -> list[tuple[int, float, bool]]:
    """Finite bounds, each with its sign and whether it is open: sign times a quantity is at most sign times it."""
    both = ((-1, limits.low, limits.low_open), (1, limits.high, limits.high_open))
    return [(sign, bound, is_open) for sign, bound, is_open in both if isfinite(bound)]


def _atoms(elements: tuple[str, ...], basis: Basis) -> FloatArray:
    """(n_elements,) atoms in one percent of each element, but for a factor that all share."""
    return np.ones(len(elements)) if basis == "at_pct" else 1 / atomic_masses(elements)


@lru_cache(maxsize=256)
def _mean(function: Function, elements: tuple[str, ...]) -> tuple[FloatArray, FloatArray] | None:
    """A descriptor as a mean of its values for the pure elements; None where it is no mean over atoms, mass or volume.

    It is recognised by asking it for mixtures.

    Returns
    -------
    of : (n_elements,) its values for the pure elements
    weights : (n_elements,) what an atom of each counts: 1, its mass or its volume
    """
    n = len(elements)
    if n == 0:
        return None
    of = function(np.eye(n), elements)
    if np.isnan(of).any():
        return None
    rng = np.random.default_rng(0)
    mixtures = np.vstack([rng.dirichlet(np.full(n, spread), size=100) for spread in (0.1, 0.3, 1.0, 10.0)])
    asked = function(mixtures, elements)
    masses = atomic_masses(elements)
    for weights in (np.ones(n), masses, masses / values("density_g_per_cm3", elements)):
        shares = mixtures * weights
        if np.allclose(shares @ of / shares.sum(axis=1), asked, rtol=1e-9, atol=1e-9 * np.abs(of).max()):
            return of, weights
    return None
