"""What a person can read off a table of alloys: rules of thumb, in amounts and process values, with counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from ..surrogates.left_out import LEAST_SOURCES
from ..surrogates.scales import LINEAR, Scale
from .beliefs import Evidence, sources_of
from .diagram import IntArray
from .explaining import Thing, percent, things
from .features import Alloys, Features, designs
from .process import Choice, Numeric
from .space import DesignSpace

if TYPE_CHECKING:
    from ..surrogates.rules import Condition

# An advantage of more than so many of its standard deviations is not taken for chance.
SURE = 2.0
# Decimals of an amount [%] that tell designs apart; those beyond are rounding.
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Clause:
    """What a rule of thumb asks of one thing.

    Parameters
    ----------
    thing : an element, whose amount is in the space's basis [%]; a process variable, condition or further column
    low, high : it is at least the one and below the other, infinite where there is none; `low` is inf where it is not
        known, and both are infinite where it is
    among : of a choice, the levels that it is one of
    or_unknown : whether alloys of which it is not known meet the clause too
    """

    thing: Thing
    low: float = -inf
    high: float = inf
    among: tuple[str, ...] = ()
    or_unknown: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Average:
    """Alloys that have some things in common, and what they have of a property.

    Parameters
    ----------
    clauses : what they have in common; nothing where no rule tells them apart
    rows : of the evidence
    mean, lowest, highest : of their values
    within : of four in five of them, by how much at most their value was missed when they were left out; None where
        nothing could be left out
    """

    clauses: tuple[Clause, ...]
    rows: IntArray
    mean: float
    lowest: float
    highest: float
    within: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Averages:
    """Rules of thumb for a number, of which every alloy meets one.

    Parameters
    ----------
    of : the rules
    left_out : what was left out together to judge them: `whole sources`, `whole designs` or `rows`
    rmse, mean_rmse : root mean square error of rules learned without an alloy, and of the mean of the same other
        alloys; None where nothing could be left out
    is_sure : whether the difference is more than chance
    """

    of: tuple[Average, ...]
    left_out: str
    rmse: float | None = None
    mean_rmse: float | None = None
    is_sure: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Alloys that have some things in common, and of which classes they are.

    Parameters
    ----------
    clauses, rows : as of `Average`
    counts : (k,) how many of them are of each class
    right : how many were foretold when they were left out; None where nothing could be left out
    """

    clauses: tuple[Clause, ...]
    rows: IntArray
    counts: IntArray
    right: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Tallies:
    """Rules of thumb for a class, of which every alloy meets one.

    Parameters
    ----------
    labels : the k classes
    of : the rules
    left_out : as of `Averages`
    right, most_frequent_right : shares of the alloys left out whose class was foretold, by rules learned without them
        and by the most frequent class among the same others; None where nothing could be left out
    """

    labels: tuple[str, ...]
    of: tuple[Tally, ...]
    left_out: str
    right: float | None = None
    most_frequent_right: float | None = None


def averages(
    space: DesignSpace, evidence: Evidence, features: Features, rng: np.random.Generator, scale: Scale = LINEAR
) -> Averages:
    """Rules of thumb for a property that is a number.

    Parameters
    ----------
    evidence : bounds in it are passed over
    features : whose further columns may be named
    rng : draws the sources anew, to see whether the rules are better than the mean by chance
    scale : on which thresholds are sought; what is told is in the property's unit all the same
    """
    from ..surrogates.rules import read_rules, within
    from ..surrogates.scores import advantage, rmse

    exact = np.flatnonzero(evidence.exact)
    known = evidence.rows(exact)
    y, (groups, left_out) = known.values, _together(known)
    columns = _columns(space, known.alloys, features)
    told = read_rules(columns.values, y[:, None], groups, seen=scale.forward(y)[:, None], steps=columns.steps)
    off = None if told.held_out is None else told.held_out[:, 0] - y
    of = tuple(
        Average(
            columns.clauses(rule.conditions),
            exact[rule.rows],
            float(y[rule.rows].mean()),
            float(y[rule.rows].min()),
            float(y[rule.rows].max()),
            None if off is None else within(off[rule.rows]),
        )
        for rule in told.rules
    )
    if off is None or told.held_out is None or told.means is None:
        return Averages(of, left_out)
    more, spread = advantage(off**2, (told.means[:, 0] - y) ** 2, groups, rng)
    errors = rmse(y, told.held_out[:, 0]), rmse(y, told.means[:, 0])
    return Averages(of, left_out, *errors, more > SURE * spread)


def tallies(space: DesignSpace, evidence: Evidence, labels: tuple[str, ...], features: Features) -> Tallies:
    """Rules of thumb for a property that is a class; the values of the evidence are numbers of classes."""
    from ..surrogates.rules import read_rules

    codes, (groups, left_out) = evidence.values.astype(np.intp), _together(evidence)
    columns = _columns(space, evidence.alloys, features)
    told = read_rules(columns.values, np.eye(len(labels))[codes], groups, steps=columns.steps)
    is_right = None if told.held_out is None else told.held_out.argmax(axis=1) == codes
    of = tuple(
        Tally(
            columns.clauses(rule.conditions),
            rule.rows,
            np.bincount(codes[rule.rows], minlength=len(labels)),
            None if is_right is None else int(is_right[rule.rows].sum()),
        )
        for rule in told.rules
    )
    if is_right is None or told.means is None:
        return Tallies(labels, of, left_out)
    return Tallies(labels, of, left_out, float(is_right.mean()), float((told.means.argmax(axis=1) == codes).mean()))


def _together(evidence: Evidence) -> tuple[NDArray[Any], str]:
    """(n,) which rows are left out together: whole sources where there are some, else those of one design."""
    sources = sources_of(evidence)
    if evidence.whole_sources and (evidence.sources != "").any() and len(np.unique(sources)) >= LEAST_SOURCES:
        return sources, "whole sources"
    alike = designs(evidence.alloys)
    return alike, "rows" if len(np.unique(alike)) == len(alike) else "whole designs"


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """Things of alloys as columns of numbers.

    Parameters
    ----------
    of : the thing that each is of, and of a choice the level
    values : (n, n_columns) amounts [%] and numbers; 1 or 0 for a level; NaN where not known
    steps : what each is counted in, 0 where it is in nothing
    """

    of: tuple[tuple[Thing, str], ...]
    values: FloatArray
    steps: tuple[float, ...]

    def clauses(self, conditions: Mapping[int, Condition]) -> tuple[Clause, ...]:
        """Conditions on columns as what is asked of things, in the order of the columns."""
        of: dict[Thing, list[tuple[str, Condition]]] = {}
        for column in sorted(conditions):
            thing, level = self.of[column]
            of.setdefault(thing, []).append((level, conditions[column]))
        return tuple(self._clause(thing, asked) for thing, asked in of.items())

    def _clause(self, thing: Thing, asked: list[tuple[str, Condition]]) -> Clause:
        or_unknown = any(condition.or_unknown for _, condition in asked)
        if not asked[0][0]:
            return Clause(thing, asked[0][1].low, asked[0][1].high, or_unknown=or_unknown)
        if any(condition.low == inf for _, condition in asked):
            return Clause(thing, inf)
        among = [level for other, level in self.of if other == thing]
        for level, condition in asked:
            holds = condition.holds(np.array([0.0, 1.0]))
            among = [other for other in among if holds[int(other == level)]]
        return Clause(thing, among=tuple(among), or_unknown=or_unknown)


def _columns(space: DesignSpace, alloys: Alloys, features: Features) -> _Columns:
    """What rules may name: amounts of the elements but the balance, process values, conditions and further columns."""
    variables = {variable.name: variable for variable in space.process}
    # Amounts come back from fractions: the last digits would put a threshold between steps on either side.
    amounts = percent(space, alloys).round(_DIGITS)
    counted = {} if space.lattice is None else {each.symbol: each.step for each in space.lattice.elements}
    of: list[tuple[Thing, str]] = []
    values: list[FloatArray] = []
    steps: list[float] = []
    for thing in things(space, alloys, features, balance=False):
        variable = variables.get(thing.name)
        if isinstance(variable, Choice):
            told = list(_levels(variable, alloys))
            step = 1.0
        elif thing.kind == "element":
            told, step = [("", amounts[:, alloys.elements.index(thing.name)])], counted.get(thing.name, 0.0)
        else:
            told = [("", np.asarray(alloys.process[thing.name], dtype=np.float64))]
            step = float(variable.spacing) if isinstance(variable, Numeric) and not variable.listed else 0.0
        for level, column in told:
            of.append((thing, level))
            values.append(column)
            steps.append(step)
    return _Columns(tuple(of), np.column_stack(values) if values else np.empty((len(alloys), 0)), tuple(steps))


def _levels(variable: Choice, alloys: Alloys) -> Iterator[tuple[str, FloatArray]]:
    """Each choice, and which alloys have it (n,); NaN where that is not known."""
    words = np.asarray(alloys.process[variable.name], dtype=object)
    known = np.isin(words.astype(str), variable.choices)
    for choice in variable.choices:
        yield choice, np.where(known, (words == choice).astype(np.float64), np.nan)
