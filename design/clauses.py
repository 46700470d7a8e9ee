"""Rules as clauses of whole numbers, which a diagram counts with; the rules that cannot be said so stay to be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import lcm

import numpy as np

from .composition import Basis
from .diagram import Atom, Axis, Clause, IntArray
from .rules import Computed, Is, Rule, Sum

# Larger whole numbers come from factors with many digits; sums of them might leave 64 bits.
_LARGEST = 2**40


@dataclass(frozen=True, slots=True)
class Column:
    """What the whole numbers in one column of a point stand for.

    Parameters
    ----------
    number : of the column
    unit : the amount [%] of one unit of an element; None for a process variable
    levels : the exact value of each level of a numeric process variable
    choices : the choice of each level of a choice
    """

    number: int
    unit: Fraction | None = None
    levels: tuple[Fraction, ...] = ()
    choices: tuple[str, ...] = ()

    @property
    def largest(self) -> Fraction:
        """The largest number that it may stand for."""
        return Fraction(100) if self.unit is not None else max(map(abs, self.levels))

    def scaled(self, factor: Fraction, scale: int, values: IntArray) -> IntArray:
        """Factor times what the whole numbers stand for, times `scale`. (n,)"""
        if self.unit is not None:
            return int(factor * self.unit * scale) * values
        return np.array([int(factor * level * scale) for level in self.levels], dtype=np.int64)[values]

    def denominators(self, factor: Fraction) -> list[int]:
        """Of the numbers that `scaled` has to make whole."""
        return [(factor * number).denominator for number in ([self.unit] if self.unit is not None else self.levels)]


def clauses(rule: Rule, axes: Sequence[Axis], columns: Mapping[str, Column], basis: Basis) -> tuple[Clause, ...] | None:
    """A rule as clauses over the axes, all of which must be kept; None where it cannot be said so.

    Parameters
    ----------
    columns : by the name of the element or process variable
    basis : of the elements' amounts
    """
    wanted = _all_of(rule.wanted, axes, columns, basis)
    given = [_all_of(test, axes, columns, basis) for test in rule.given]
    if wanted is None or None in given:
        return None
    # X if Y and Z: not Y, or not Z, or X. Where a test is two bounds, "not" is one or the other, and X is both in turn.
    unless = [_opposite(atom) for test in given for atom in (test or [])]
    return tuple((*unless, atom) for atom in wanted)


def support(rule: Rule, columns: Mapping[str, Column]) -> frozenset[int]:
    """The columns that a rule speaks of."""
    names: set[str] = set()
    for test in (rule.wanted, *rule.given):
        names |= test.names if isinstance(test, Sum) else {test.name}
    return frozenset(columns[name].number for name in names if name in columns)


def _opposite(atom: Atom) -> Atom:
    """Of whole numbers: more than `most` is at least `most` + 1."""
    return Atom(tuple(-numbers for numbers in atom.contributions), -atom.most - 1)


def _all_of(
    test: Sum | Computed | Is, axes: Sequence[Axis], columns: Mapping[str, Column], basis: Basis
) -> list[Atom] | None:
    """Atoms that together say the test."""
    if isinstance(test, Is):
        column = columns[test.name]
        level = column.choices.index(test.choice)
        chosen = tuple(
            (axis.values[:, axis.columns.index(column.number)] == level).astype(np.int64)
            if column.number in axis.columns
            else np.zeros(len(axis.values), dtype=np.int64)
            for axis in axes
        )
        is_it = Atom(tuple(-numbers for numbers in chosen), -1)
        return [is_it if test.wanted else _opposite(is_it)]
    if isinstance(test, Computed) or test.basis not in (None, basis):
        return None
    atoms = []
    for factors, most, is_open in test.at_most():
        atom = _atom(factors, most, is_open, axes, columns)
        if atom is None:
            return None
        atoms.append(atom)
    return atoms


def _atom(
    factors: Mapping[str, Fraction], most: Fraction, is_open: bool, axes: Sequence[Axis], columns: Mapping[str, Column]
) -> Atom | None:
    terms = [(columns[name], factor) for name, factor in factors.items() if factor]
    scale = lcm(most.denominator, *(d for column, factor in terms for d in column.denominators(factor)))
    if scale * max([abs(most), *(abs(factor) * column.largest for column, factor in terms)]) > _LARGEST:
        return None
    contributions = []
    for axis in axes:
        total = np.zeros(len(axis.values), dtype=np.int64)
        for (column, factor), (i, number) in product(terms, enumerate(axis.columns)):
            if column.number == number:
                total += column.scaled(factor, scale, axis.values[:, i])
        contributions.append(total)
    return Atom(tuple(contributions), int(most * scale) - is_open)
