"""A table as a pool of alloys that were all made already: ways of choosing what to melt can be tried on it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..design.beliefs import Evidence
from ..design.diagram import IntArray
from ..design.features import Alloys, designs
from ..design.goals import Is, Maximize, Minimize, Pursued, Within, classes_wanted, limits
from ..design.held import Range, held, range_in_words
from ..design.pareto import inferred_reference, ranks
from ..design.process import Numeric
from ..design.rules import TOLERANCE, plainly
from ..design.space import DesignSpace
from ..design.usual_scatter import usual_scatter
from ..design.weighing import spread, weighed
from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .calphad_files import KeptCalphad
from .one_table import snapshot_of
from .reading import counted, listed
from .sheet import read_sheet
from .snapshot import IMPURITIES, NEAR, BoolArray, Snapshot
from .spec import PropertySpec
from .wanting import want_in_words

_HOW_GOAL = (
    "Write it like 'maximize hardness_HV', 'minimize youngs_modulus_GPa', 'match lattice_parameter_A = 3.3 +- 0.01', "
    "'elongation_pct above 10' or 'phases is beta'."
)


@dataclass(frozen=True, slots=True, eq=False)
class Repeats:
    """All measurements of one property of the candidates of a pool.

    Parameters
    ----------
    values, noise : (m,) of each measurement, and its standard error, NaN where not known
    of : (m,) the candidate that was measured; every candidate was, once or more
    """

    values: FloatArray
    noise: FloatArray
    of: IntArray

    @property
    def mean(self) -> FloatArray:
        """(n,) The mean of the measurements of each candidate."""
        return np.asarray(np.bincount(self.of, self.values) / np.bincount(self.of))

    @property
    def standard_error(self) -> FloatArray:
        """(n,) The standard error of these means; NaN where that of one measurement is not known."""
        return np.asarray(np.sqrt(np.bincount(self.of, self.noise**2)) / np.bincount(self.of))

    @property
    def most_frequent(self) -> FloatArray:
        """(n,) The value that each candidate has most often; of several the one that it had first."""
        found = np.empty(self.of.max() + 1)
        for candidate in range(len(found)):
            own = self.values[self.of == candidate].tolist()
            found[candidate] = max(own, key=own.count)
        return found

    def one_each(self, rng: np.random.Generator) -> IntArray:
        """(n,) A random measurement of each candidate."""
        shuffled = rng.permutation(len(self.of))
        _, first = np.unique(self.of[shuffled], return_index=True)
        return np.asarray(shuffled[first])


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """n candidates, of each of which it is known what it would have been measured to be.

    Parameters
    ----------
    snapshot : the question, as `suggest` sees it, and the table
    alloys : the candidates; rows of one composition, treatment and conditions are one
    evidence : what is measured of each numeric property that is pursued or has a limit: the mean of its repeats. It has
        neither sources nor companions
    classes : the same of each property that must be of a class; values are numbers of classes
    objectives : (n, n_pursued) how well each candidate serves what is pursued, larger is better
    allowed : (n,) whether it keeps every limit and is of every class
    names : of the candidates
    remarks : what should be known about them
    repeats : all measurements, by property
    """

    snapshot: Snapshot
    alloys: Alloys
    evidence: Mapping[str, Evidence]
    classes: Mapping[str, Evidence]
    objectives: FloatArray
    allowed: BoolArray
    names: tuple[str, ...]
    remarks: tuple[str, ...]
    repeats: Mapping[str, Repeats]

    def __len__(self) -> int:
        return len(self.alloys)

    @property
    def goals(self) -> dict[str, Pursued]:
        """What is pursued, by property."""
        return {name: goal for name, goal in self.snapshot.goals.items() if isinstance(goal, Pursued)}

    @property
    def is_by_one(self) -> bool:
        """Whether one number says which alloy is better: that of one goal, or of several that are weighed."""
        return len(self.goals) == 1 or self.snapshot.spec.weights.keys() >= self.goals.keys()

    @property
    def heights(self) -> FloatArray:
        """(n,) How good each candidate is, larger is better; -inf where it is not allowed.

        Of one goal its objective, of several that are weighed their sum. Where nothing weighs them, 0 on the Pareto
        front of the pool, -1 on what would be the front without it, and so on.
        """
        heights = np.full(len(self), -np.inf)
        if len(self.goals) == 1:
            heights[self.allowed] = self.objectives[self.allowed, 0]
        elif self.is_by_one:
            weights = np.array([self.snapshot.spec.weights[name] for name in self.goals])
            spreads = np.array([spread(of) for of in self.objectives.T])
            heights[self.allowed] = weighed(self.objectives[self.allowed], weights, spreads)
        else:
            heights[self.allowed] = -ranks(self.objectives[self.allowed])
        return heights

    @property
    def reference(self) -> FloatArray:
        """(n_pursued,) From where the hypervolume of several goals is counted: as given, or else from the front."""
        columns = zip(self.goals, self.objectives.T, strict=True)
        scatter = [usual_scatter(name, np.abs(of)) or 0.0 for name, of in columns]
        point, _ = inferred_reference(self.objectives[self.allowed], np.array(scatter))
        for k, (name, goal) in enumerate(self.goals.items()):
            if name in self.snapshot.spec.references:
                point[k] = goal.objective(np.array([self.snapshot.spec.references[name]]))[0]
        return point

    def known(self, name: str, made: IntArray) -> Evidence:
        """What the candidates made so far teach of a property, its usual scatter by their values alone."""
        if name in self.classes:
            return self.classes[name].rows(made)
        found = self.evidence[name].rows(made)
        return replace(found, usual_scatter=usual_scatter(name, found.values))

    def visited(self, rng: np.random.Generator) -> Pool:
        """The same with one random measurement of each candidate in place of the mean, for a strategy to learn from."""
        chosen = {name: self.repeats[name].one_each(rng) for name in (*self.evidence, *self.classes)}

        def once(name: str, found: Evidence) -> Evidence:
            repeats, rows = self.repeats[name], chosen[name]
            return replace(found, values=repeats.values[rows], noise=repeats.noise[rows])

        return replace(
            self,
            evidence={name: once(name, found) for name, found in self.evidence.items()},
            classes={name: once(name, found) for name, found in self.classes.items()},
        )


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """The rows of a table that fit what is fixed.

    Parameters
    ----------
    ranges : of elements [%], process variables and conditions, see `fixed_of`
    fits : (n_rows,) which rows lie in all of them; one of which a value is not known does not, but for a condition
        whose usual value does
    levels : treatments and conditions in which the rows that fit differ so little that it counts as one value, as where
        conditions are compared, by name
    """

    ranges: Mapping[str, Range]
    fits: BoolArray
    levels: Mapping[str, float]

    @staticmethod
    def of(snapshot: Snapshot, ranges: Mapping[str, Range]) -> Fixed:
        """The rows that fit.

        Raises
        ------
        AlloyloopError
            for a name that is not in the space, or where no known row fits
        """
        fits, levels = snapshot.known.copy(), {}
        for name, kept in ranges.items():
            column = _column(snapshot, name)
            within = _within(column, kept)
            if not (within & snapshot.known).any():
                has = _has(column[snapshot.known])
                raise AlloyloopError(f"No row has {name} {range_in_words(kept)}", f"Its rows have {has}.")
            fits &= within
        if ranges and not fits.any():
            raise AlloyloopError(f"No row has {_ranges_in_words(ranges)} together", "Widen a range, or leave one out.")
        for name in ranges:
            column = _column(snapshot, name)
            if name not in snapshot.process or column.dtype == object:
                continue
            if np.ptp(column[fits]) <= NEAR * np.ptp(column[snapshot.known & np.isfinite(column)]):
                levels[name] = float(np.median(column[fits]))
        return Fixed(ranges, fits, levels)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What counts as one value."""
        return tuple(f"{name} counts as {level:g} in all rows taken." for name, level in self.levels.items())

    def at_levels(self, alloys: Alloys) -> Alloys:
        """The same alloys with what counts as one value at that value."""
        level = {name: np.full(len(alloys), level) for name, level in self.levels.items()}
        return Alloys(alloys.elements, alloys.fractions, {**alloys.process, **level})

    def space(self, space: DesignSpace) -> DesignSpace:
        """The part of a space that fits.

        Raises
        ------
        AlloyloopError
            where it has no such design
        """
        process = tuple(
            Numeric.of_values(each.name, np.array([self.levels[each.name]])) if each.name in self.levels else each
            for each in space.process
        )
        conditions = tuple(replace(each, at=self._at(each.name, each.at)) for each in space.conditions)
        part = replace(space, process=process, conditions=conditions)
        known = {*self.levels, *(each.name for each in conditions)}
        others = {name: kept for name, kept in self.ranges.items() if name not in known}
        return held(part, others) if others else part

    def _at(self, name: str, usual: float) -> float:
        """Where a condition is asked for."""
        if name in self.levels or name not in self.ranges:
            return self.levels.get(name, usual)
        low, high = map(float, self.ranges[name])
        return min(max(usual, low), high)


def _column(snapshot: Snapshot, name: str) -> NDArray[Any]:
    """(n_rows,) What every row has of an element [%], a process variable or a condition."""
    table, conditions = snapshot.table, {each.name: each.at for each in snapshot.space.conditions}
    if name in table.elements:
        return table.amounts[:, table.elements.index(name)]
    if name not in snapshot.process:
        raise AlloyloopError(
            f"{name} is not in this space", f"It has {', '.join((*table.elements, *snapshot.process))}."
        )
    values = snapshot.process[name]
    return np.where(np.isfinite(values), values, conditions[name]) if name in conditions else values


def _within(column: NDArray[Any], kept: Range) -> BoolArray:
    if column.dtype == object:
        return np.array([value in kept for value in column.tolist()], dtype=np.bool_)
    low, high = float(kept[0]), float(kept[-1])
    slack = TOLERANCE * max(1.0, abs(low), abs(high))
    return np.asarray((column >= low - slack) & (column <= high + slack))


def _has(column: NDArray[Any]) -> str:
    """What there is in a column, in words."""
    if column.dtype == object:
        return ", ".join(sorted({value for value in column.tolist() if value is not None})) or "none that is known"
    values = column[np.isfinite(column)]
    return range_in_words((float(values.min()), float(values.max()))) if len(values) else "none that is known"


def _ranges_in_words(ranges: Mapping[str, Range]) -> str:
    return listed([f"{name} {range_in_words(kept)}" for name, kept in ranges.items()])


def pool_of(snapshot: Snapshot, *, whole_table: bool = False, fixed: Fixed | None = None) -> Pool:
    """The pool that a table makes: its known rows inside the space, at the conditions asked for, with what is wanted.

    Parameters
    ----------
    snapshot : a campaign, or a table as one; see `with_goals`
    whole_table : whether rows outside the space, which of a table is only a guess, are candidates too
    fixed : the rows that fit what is fixed; all where None

    Raises
    ------
    AlloyloopError
        where nothing is pursued, no row says what is, or none keeps the limits
    """
    _refuse_no_goal(snapshot)
    fixed = fixed or Fixed.of(snapshot, {})
    rows, remarks = _candidates(snapshot, fixed, whole_table=whole_table)
    every = fixed.at_levels(snapshot.alloys().rows(rows))
    treatments = {name: every.process[name] for name in snapshot.process}
    of = designs(Alloys(every.elements, every.fractions, treatments))
    measured = {name: snapshot.with_value(name)[rows] for name in numbers_wanted(snapshot)}
    measured |= {name: _has_class(snapshot, name)[rows] for name in classes_wanted(snapshot.class_goals)}
    complete, more = _complete(measured, of)
    first = np.array([np.flatnonzero(of == candidate)[0] for candidate in np.flatnonzero(complete)], dtype=np.int64)
    if not len(first):
        said = " ".join((*remarks, *more)) or "None has a composition or a treatment that is known."
        raise AlloyloopError(f"There is nothing to replay: {said.rstrip('.')}", "Name another goal, or other inputs.")
    number = np.cumsum(complete) - 1
    repeats = {
        name: _repeats(snapshot, name, rows[has & complete[of]], number[of[has & complete[of]]])
        for name, has in measured.items()
    }
    alloys = every.rows(first)
    ids = np.array(snapshot.table.ids, dtype=np.str_)[rows[first]]
    evidence = {
        name: _evidence(name, alloys, ids, repeats[name].mean, repeats[name].standard_error)
        for name in snapshot.learned
        if name in repeats
    }
    classes = {
        name: _evidence(name, alloys, ids, repeats[name].most_frequent, repeats[name].standard_error)
        for name in snapshot.class_goals
        if name in repeats
    }
    names = tuple(snapshot.name(row) for row in rows[first].tolist())
    remarks += [*more, *_merged(int(complete[of].sum()), len(first))]
    return judged(snapshot, alloys, evidence, classes, names, tuple(remarks), repeats)


def judged(
    snapshot: Snapshot,
    alloys: Alloys,
    evidence: Mapping[str, Evidence],
    classes: Mapping[str, Evidence],
    names: tuple[str, ...],
    remarks: tuple[str, ...],
    repeats: Mapping[str, Repeats],
) -> Pool:
    """A pool whose candidates are judged by what is measured and computed of them; the parameters are those of `Pool`.

    Raises
    ------
    AlloyloopError
        where no candidate keeps the limits
    """

    def values(name: str) -> FloatArray:
        return evidence[name].values if name in evidence else snapshot.computed[name].of(alloys)

    goals = {name: goal for name, goal in snapshot.goals.items() if isinstance(goal, Pursued)}
    objectives = np.column_stack([goal.objective(values(name)) for name, goal in goals.items()])
    allowed: BoolArray = np.asarray(np.isfinite(objectives).all(axis=1))
    for name, limit in limits(snapshot.goals).items():
        allowed &= limit.allows(values(name))
    for name, asked in classes_wanted(snapshot.class_goals).items():
        allowed &= classes[name].values == list(snapshot.table.layout.classes[name]).index(asked.label)
    if not allowed.any():
        broken = listed([*limits(snapshot.goals), *classes_wanted(snapshot.class_goals)])
        raise AlloyloopError(
            f"No candidate keeps what is asked of {broken}, so that there is none to find",
            "Widen the limits.",
        )
    if not allowed.all():
        n = int(allowed.sum())
        remarks = (*remarks, f"{n} of {len(alloys)} candidates keep every limit: only these count as found.")
    return Pool(travelling(snapshot), alloys, evidence, classes, objectives, allowed, names, remarks, repeats)


def travelling(snapshot: Snapshot) -> Snapshot:
    """The same, without the line numbers of campaign.yaml, which cannot travel to other processes."""
    if snapshot.written.line_of is _nowhere:
        return snapshot
    written, phases, asked = replace(snapshot.written, line_of=_nowhere), None, snapshot.spec.calphad
    if asked is not None:
        own = snapshot.space.elements
        phases = KeptCalphad(snapshot.folder, written, asked, own, snapshot.table.elements[len(own) :])
    return replace(snapshot, written=written, phases=phases)


def _nowhere(keys: object) -> None:
    """The line of no key is known."""


def with_goals(snapshot: Snapshot, words: Sequence[str]) -> Snapshot:
    """The same question with other goals; what none of them names is reported.

    Parameters
    ----------
    words : such as `maximize hardness_HV`, `elongation_pct above 10`, `phases is beta` and
        `match lattice_parameter_A = 3.3 +- 0.01`

    Raises
    ------
    AlloyloopError
        for words that cannot be read, or are about several properties at once
    """
    properties = {
        name: PropertySpec(goal="report", scale=old.scale, classes=old.classes, calculated=old.calculated)
        for name, old in snapshot.spec.properties.items()
    }
    named = [_goal_in_words(snapshot, each) for each in words]
    for name, said in named:
        if [other for other, _ in named].count(name) > 1:
            raise AlloyloopError(
                f"{name} is given two goals", "Give it one; two limits are written 'NAME between A and B'."
            )
        old = properties.get(name)
        kept = {} if old is None else {"scale": old.scale, "classes": old.classes, "calculated": old.calculated}
        properties[name] = PropertySpec.model_validate({**kept, **said})
    spec = snapshot.spec.model_copy(update={"properties": properties})
    return replace(snapshot, written=replace(snapshot.written, spec=spec))


def table_with_goals(path: Path, inputs: str = "", goals: Sequence[str] = ()) -> Snapshot:
    """Any table with what is wanted of it; see `snapshot_of`.

    Parameters
    ----------
    path, inputs : the table, and its inputs
    goals : see `with_goals`; what people usually mean where there is none
    """
    snapshot = snapshot_of(path, inputs, ",".join(columns_named(read_sheet(path).columns, goals)))
    return with_goals(snapshot, goals) if goals else snapshot


def columns_named(columns: Sequence[str], words: Sequence[str]) -> tuple[str, ...]:
    """The columns of a table that goals name.

    Examples
    --------
    >>> columns_named(["Ti_at_pct", "hardness_HV", "hardness"], ["maximize hardness_HV", "vec above 4"])
    ('hardness_HV',)
    """
    said = " ; ".join(words)
    return tuple(column for column in columns if re.search(rf"(?<!\w){re.escape(column)}(?!\w)", said))


def _goal_in_words(snapshot: Snapshot, words: str) -> tuple[str, dict[str, object]]:
    """The property that a goal is about, and the goal as campaign.yaml would say it."""
    plain = plainly(words).strip()
    brought = re.match(r"match\s+", plain, re.IGNORECASE)
    want = want_in_words(snapshot, plain[brought.end() :] if brought else plain)
    if want.formula is not None:
        raise AlloyloopError(f"'{words}' is about a formula, and a goal is about one property", _HOW_GOAL)
    return want.names[0], _as_written(want.goal, words, is_match=brought is not None)


def _as_written(goal: Within | Is | Minimize | Maximize, words: str, *, is_match: bool) -> dict[str, object]:
    if is_match:
        if not isinstance(goal, Within) or not np.isfinite(goal.high - goal.low):
            raise AlloyloopError(f"'{words}' names no target", _HOW_GOAL)
        return {"goal": "match", "target": (goal.low + goal.high) / 2, "tolerance": (goal.high - goal.low) / 2}
    match goal:
        case Is():
            return {"goal": "is", "value": goal.label}
        case Within() if goal.low == -np.inf:
            return {"goal": "below", "limit": goal.high}
        case Within() if goal.high == np.inf:
            return {"goal": "above", "limit": goal.low}
        case Within():
            return {"goal": "between", "low": goal.low, "high": goal.high}
    return {"goal": "maximize" if isinstance(goal, Maximize) else "minimize"}


def _refuse_no_goal(snapshot: Snapshot) -> None:
    if not any(isinstance(goal, Pursued) for goal in snapshot.goals.values()):
        raise AlloyloopError(
            "Nothing is minimised, maximised or brought to a target, so that no alloy is better than another",
            "Say it with --goal 'maximize NAME', or in campaign.yaml.",
        )


def numbers_wanted(snapshot: Snapshot) -> list[str]:
    """The properties that are measured, and pursued or limited."""
    return [name for name, goal in snapshot.learned.items() if isinstance(goal, Pursued | Within)]


def _has_class(snapshot: Snapshot, name: str) -> BoolArray:
    said = [label is not None for label in snapshot.table.class_of(name)]
    return np.asarray(snapshot.known & np.array(said, dtype=np.bool_))


def _candidates(snapshot: Snapshot, fixed: Fixed, *, whole_table: bool) -> tuple[IntArray, list[str]]:
    """The rows that might have been proposed, and remarks on those left out."""
    known, remarks = snapshot.known & fixed.fits, list[str]()
    if n := int((snapshot.known & ~fixed.fits).sum()):
        remarks.append(
            f"{counted(n, 'row')} without {_ranges_in_words(fixed.ranges)} {'is' if n == 1 else 'are'} left out."
        )
    remarks += fixed.remarks
    inside = known if whole_table else snapshot.in_space() | _on_a_design(snapshot)
    open_ = tuple(each for each in snapshot.space.conditions if each.name not in fixed.ranges)
    near = replace(snapshot, space=replace(snapshot.space, conditions=open_)).near_conditions()
    if n := int((known & ~inside).sum()):
        remarks.append(f"{counted(n, 'row')} outside the space or its rules {'is' if n == 1 else 'are'} left out.")
    if n := int((known & inside & ~near).sum()):
        asked = listed([f"{condition.name} = {condition.at:g}" for condition in open_])
        remarks.append(
            f"{counted(n, 'row')} tested under other conditions than {asked} {'is' if n == 1 else 'are'} left out."
        )
    return np.flatnonzero(known & inside & near), remarks


def _on_a_design(snapshot: Snapshot) -> BoolArray:
    """(n_rows,) The rows nearest to a design of the space, within half a step: such as one beyond a rounded bound."""
    space, amounts = snapshot.space, snapshot.table.amounts
    points, near = space.snap(amounts[:, : space.n_elements], snapshot.process)
    near &= np.nan_to_num(amounts[:, space.n_elements :]).sum(axis=1) <= IMPURITIES
    near[near] = space.diagram.holds(points[near])
    return near


def _complete(measured: Mapping[str, BoolArray], of: IntArray) -> tuple[BoolArray, list[str]]:
    """(n_designs,) Of which designs all that is wanted was measured, and remarks on the others."""
    n = int(of.max()) + 1 if len(of) else 0
    complete, remarks = np.ones(n, dtype=np.bool_), []
    for name, has in measured.items():
        lacking = np.bincount(of, has, minlength=n) == 0
        if lacking.any():
            remarks.append(
                f"{int(lacking.sum())} of {counted(n, 'alloy')} are left out, since {name} is not known of them."
            )
        complete &= ~lacking
    return complete, remarks


def _repeats(snapshot: Snapshot, name: str, rows: IntArray, of: IntArray) -> Repeats:
    """What some rows of the table say of a property, of candidates."""
    if name in snapshot.class_goals:
        labels, said = list(snapshot.table.layout.classes[name]), snapshot.table.class_of(name)
        codes = np.array([labels.index(str(said[row])) for row in rows.tolist()], dtype=np.float64)
        return Repeats(codes, np.full(len(rows), np.nan), of)
    counts = np.nan_to_num(snapshot.table.counts(name), nan=1.0)
    noise = snapshot.std(name) / np.sqrt(np.maximum(counts, 1.0))
    return Repeats(snapshot.values(name)[rows], noise[rows], of)


def _evidence(name: str, alloys: Alloys, ids: NDArray[np.str_], values: FloatArray, noise: FloatArray) -> Evidence:
    return Evidence(name, alloys, values, noise, np.full(len(alloys), "", dtype="<U1"), ids=ids)


def _merged(n_rows: int, n: int) -> list[str]:
    return [f"{n_rows} rows are {counted(n, 'candidate')}: of repeats the mean is taken."] if n_rows > n else []
