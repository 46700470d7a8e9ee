"""The meaning of experiments.csv: alloys, what was done to them, and what was measured."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..design.alloy_names import Basis
from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .amounts import read_amounts
from .cells import is_not_known
from .problems import Problem
from .reading import BoolArray, SheetReader, counted
from .sheet import Sheet, read_sheet

Classes = Mapping[str, tuple[str, ...]]

STATUSES = ("known", "proposed", "made", "measured", "failed", "withdrawn")
FIRST_COLUMNS = ("id", "status", "round", "parent", "source")
LAST_COLUMNS = ("reason", "note")


@dataclass(frozen=True)
class Layout:
    """What the columns of experiments.csv mean in one campaign.

    Parameters
    ----------
    basis : of the campaign's compositions; None where it has none (a pure process study)
    elements : of the design space, the balance included
    balance : the element that takes the remainder
    numeric : process variables and conditions that are numbers
    choices : process variables and conditions that are one of some words
    properties : measured numbers
    classes : measured classes: property → class → what the cell may say; "*" stands for anything, "?" for a sign
    extra : the user's own columns of numbers that models see: features, and calculated values of a property

    Examples
    --------
    >>> layout = Layout("wt_pct", ("Ti", "Nb"), "Ti", properties=("youngs_modulus_GPa",))
    >>> layout.columns[5:9]
    ('Ti_wt_pct', 'Nb_wt_pct', 'Ti_wt_pct_measured', 'Nb_wt_pct_measured')
    """

    basis: Basis | None = None
    elements: tuple[str, ...] = ()
    balance: str | None = None
    numeric: tuple[str, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    properties: tuple[str, ...] = ()
    classes: Mapping[str, Classes] = field(default_factory=dict)
    extra: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a new table of this campaign, in the order of the manual."""
        amounts = [f"{element}_{self.basis}{measured}" for measured in ("", "_measured") for element in self.elements]
        results = [f"{name}{part}" for name in self.properties for part in ("", "_std", "_n")]
        treated = (*self.numeric, *self.choices, *self.extra)
        return (*FIRST_COLUMNS, *amounts, *treated, *results, *self.classes, *LAST_COLUMNS)


@dataclass(frozen=True, eq=False)
class ExperimentTable:
    """experiments.csv, understood: every row kept, every mistake named, nothing assumed without a remark.

    Rows with a problem stay in the table, with NaN where a cell could not be read, and are not ``usable``.

    Parameters
    ----------
    sheet : the table as it was read
    layout : what its columns mean
    ids, status, round, parent, source : (n,) of every row; a status is one of ``STATUSES``, or "" where it is a problem
    elements : the design space's, then the others of which any row has some
    nominal : (n, n_elements) amounts [% of the campaign's basis], every row sums to 100; NaN where none is given
    measured : (n, n_elements) likewise, as analysed
    process : process variable or condition → (n,) numbers, NaN where not known, or words, None where not known
    extra : column of the user's own → (n,) numbers, NaN where not known
    has_problem : (n,) whether the row holds a mistake
    problems, remarks : every mistake, and what had to be assumed
    """

    sheet: Sheet
    layout: Layout
    ids: tuple[str, ...]
    status: tuple[str, ...]
    round: tuple[int | None, ...]
    parent: tuple[str, ...]
    source: tuple[str, ...]
    elements: tuple[str, ...]
    nominal: FloatArray
    measured: FloatArray
    process: Mapping[str, FloatArray | list[str | None]]
    extra: Mapping[str, FloatArray]
    has_problem: BoolArray
    problems: tuple[Problem, ...]
    remarks: tuple[str, ...]
    _results: Mapping[str, _Result]
    _classes: Mapping[str, list[str | None]]

    @classmethod
    def read(cls, source: Sheet | Path | str, layout: Layout) -> ExperimentTable:
        """Understand a table; mistakes in its content are collected in ``problems``.

        Raises
        ------
        CampaignFileError : where there is no such file, it is empty, or it is not a table
        """
        return _TableReader(source if isinstance(source, Sheet) else read_sheet(source), layout).table()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def amounts(self) -> FloatArray:
        """(n, n_elements) what each alloy is taken to be: as measured where it was, else nominal [%]."""
        return np.where(np.isfinite(self.measured), self.measured, self.nominal)

    @property
    def has_composition(self) -> BoolArray:
        """(n,) whether it is known what the alloy is; true where the campaign has no composition."""
        if self.layout.basis is None:
            return np.ones(len(self), dtype=np.bool_)
        return np.asarray(np.isfinite(self.amounts).all(axis=1), dtype=np.bool_)

    @property
    def usable(self) -> BoolArray:
        """(n,) rows that models may learn from: known or measured, composition known, no mistake in the row."""
        return self.is_row("known", "measured") & self.has_composition & ~self.has_problem

    @property
    def pending(self) -> BoolArray:
        """(n,) rows whose result is awaited: proposed or made."""
        return self.is_row("proposed", "made")

    @property
    def outside(self) -> BoolArray:
        """(n,) whether the alloy has some of an element that is not in the design space."""
        others = self.amounts[:, len(self.layout.elements) :]
        return np.asarray((others > 0).any(axis=1), dtype=np.bool_)

    def is_row(self, *statuses: str) -> BoolArray:
        """(n,) whether a row's status is one of these."""
        return np.fromiter((status in statuses for status in self.status), dtype=np.bool_, count=len(self))

    def row(self, id: str) -> int:
        """Return the position of a row, from 0; an id that is not there is an :class:`AlloyloopError`."""
        try:
            return self.ids.index(id)
        except ValueError:
            alike = get_close_matches(id, self.ids, n=1)
            remedy = f"Did you mean {alike[0]}?" if alike else ""
            raise AlloyloopError(f"There is no row {id!r}", remedy, place=self.sheet.file) from None

    def values(self, name: str) -> FloatArray:
        """(n,) what was measured of a property [its unit]; NaN where it is not known."""
        return self._results[name].values

    def std(self, name: str) -> FloatArray:
        """(n,) standard deviation between replicates [the property's unit]; NaN where it is not known."""
        return self._results[name].std

    def counts(self, name: str) -> FloatArray:
        """(n,) number of replicates; NaN where it is not known."""
        return self._results[name].counts

    def censored(self, name: str) -> NDArray[np.str_]:
        """(n,) "<" or ">" where the value is only a bound, else ""."""
        return self._results[name].censored

    def class_of(self, name: str) -> list[str | None]:
        """(n,) the class of a class property; None where it is not known."""
        return self._classes[name]

    def with_rows(self, rows: Iterable[Mapping[str, str]]) -> ExperimentTable:
        """Return the table with rows added at its end, given as column → text; order and extra columns stay."""
        return self.read(self.sheet.with_rows(rows), self.layout)

    def with_cells(self, id: str, cells: Mapping[str, str]) -> ExperimentTable:
        """Return the table with some cells of one row changed, given as column → text."""
        return self.with_changes({id: cells})

    def with_changes(self, changes: Mapping[str, Mapping[str, str]]) -> ExperimentTable:
        """Return the table with some cells of some rows changed, given as id → column → text; it is read once."""
        cells = {(self.row(id), name): text for id, row in changes.items() for name, text in row.items()}
        return self.read(self.sheet.with_cells(cells), self.layout)


@dataclass(frozen=True, slots=True, eq=False)
class _Result:
    """One property's columns: (n,) each."""

    values: FloatArray
    std: FloatArray
    counts: FloatArray
    censored: NDArray[np.str_]


class _TableReader(SheetReader):
    """Reads one sheet into a table."""

    def __init__(self, sheet: Sheet, layout: Layout) -> None:
        super().__init__(sheet)
        self.layout = layout

    def table(self) -> ExperimentTable:
        """Read everything, in the order in which a reader of the problems would look."""
        layout = self.layout
        self._check_names()
        ids = self._ids()
        round_ = self._rounds()
        elements, nominal, measured = self._amounts()
        process = self._process()
        extra = {name: self.plain_numbers(name) for name in layout.extra}
        results = {name: self._result(name) for name in layout.properties}
        classes = {name: self._words(name, patterns) for name, patterns in layout.classes.items()}
        status = self._status(results, classes)
        if self.not_known:
            words = " or ".join(f"'{word}'" for word in sorted(self.not_known))
            self.remark(f"{counted(self.not_known.total(), 'cell')} saying {words}: read as not known.")
        return ExperimentTable(
            self.sheet,
            layout,
            ids,
            status,
            round_,
            self.cells("parent"),
            self.cells("source"),
            elements,
            nominal,
            measured,
            process,
            extra,
            self.has_problem,
            tuple(sorted(self.problems, key=lambda p: p.row or 0)),
            tuple(self.remarks),
            results,
            classes,
        )

    def _check_names(self) -> None:
        """Point out columns that are missing, above all those that are there under nearly the same name."""
        layout = self.layout
        given = (*layout.numeric, *layout.choices, *layout.extra)
        wanted = (*given, *layout.properties, *layout.classes)
        present = [name for name in self.sheet.columns if name and name not in wanted]
        by_casefold = {name.casefold(): name for name in present}
        for name in (*FIRST_COLUMNS, *LAST_COLUMNS, *wanted):
            if name in self.sheet.positions:
                continue
            if other := by_casefold.get(name.casefold()):
                self.problem(None, other, f"This column is nearly named {name}", f"Rename it {name}, letter by letter.")
            elif name == "id":
                self.problem(None, None, "There is no column id", "Add one, with a name of its own for every row.")
            elif name in wanted:
                alike = get_close_matches(name, present, n=1, cutoff=0.9)
                guess = f" (is {alike[0]} meant for it?)" if alike else ""
                if guess or name in given:
                    self.remark(f"there is no column {name}{guess}; it is not known of any row.")

    def _ids(self) -> tuple[str, ...]:
        ids = self.cells("id")
        if "id" in self.sheet.positions:
            first: dict[str, int] = {}
            for row, id in enumerate(ids):
                if not id:
                    self.problem(row, "id", "This row has no id", "Give it a name that no other row has.")
                elif first.setdefault(id, row) != row:
                    earlier = self.sheet.row_numbers[first[id]]
                    self.problem(row, "id", f"Row {earlier} has the id {id!r} too", "Give one of them another id.")
        return ids

    def _rounds(self) -> tuple[int | None, ...]:
        values = self.plain_numbers("round")
        for row in np.flatnonzero(~np.isnan(values) & ((values < 0) | (values != np.floor(values)))).tolist():
            self.problem(
                row, "round", f"{values[row]:g} is not the number of a round", "Write 1, 2, 3 …, or leave it empty."
            )
            values[row] = np.nan
        return tuple(None if np.isnan(value) else int(value) for value in values.tolist())

    def _status(self, results: Mapping[str, _Result], classes: Mapping[str, list[str | None]]) -> tuple[str, ...]:
        has_result = np.zeros(self.n, dtype=np.bool_)
        for result in results.values():
            has_result |= np.isfinite(result.values)
        for words in classes.values():
            has_result |= np.array([word is not None for word in words], dtype=np.bool_)
        statuses: list[str] = []
        taken_as_known: list[int] = []
        for row, cell in enumerate(self.cells("status")):
            status = cell.casefold()
            if status not in STATUSES:
                if not status and has_result[row]:
                    status = "known"
                    taken_as_known.append(row)
                else:
                    said = f"{cell!r} is not a status" if cell else "This row has neither a status nor a result"
                    self.problem(row, "status", said, f"Write {', '.join(STATUSES[:-1])} or {STATUSES[-1]}.")
                    status = ""
            statuses.append(status)
        if taken_as_known:
            self.remark(f"{self.rows_named(taken_as_known)} without a status but with a result: read as known.")
        early = [row for row, status in enumerate(statuses) if status in {"proposed", "made"} and has_result[row]]
        if early:
            self.remark(
                f"{self.rows_named(early)} with a result but not `measured`: not learned from until the status says so."
            )
        without = [row for row, status in enumerate(statuses) if status == "measured" and not has_result[row]]
        if without and (results or classes):
            self.remark(
                f"{self.rows_named(without)} `measured`, yet without a value of any of the campaign's properties."
            )
        return tuple(statuses)

    def _amounts(self) -> tuple[tuple[str, ...], FloatArray, FloatArray]:
        layout = self.layout
        if layout.basis is None:
            return (), np.empty((self.n, 0)), np.empty((self.n, 0))
        others = {*layout.numeric, *layout.choices, *layout.extra, *layout.properties, *layout.classes}
        return read_amounts(self, layout.basis, layout.elements, layout.balance, others)

    def _process(self) -> dict[str, FloatArray | list[str | None]]:
        process: dict[str, FloatArray | list[str | None]] = {}
        for name in self.layout.numeric:
            process[name] = self.plain_numbers(name)
        for name, choices in self.layout.choices.items():
            process[name] = self._words(name, {choice: (choice,) for choice in choices})
        return process

    def _words(self, name: str, classes: Classes) -> list[str | None]:
        """Turn the words of a column into classes."""
        class_of = class_finder(classes)
        words: list[str | None] = []
        for row, cell in enumerate(self.cells(name)):
            word = class_of(cell) if cell else None
            if cell and word is None and is_not_known(cell):
                self.not_known[cell] += 1
            elif cell and word is None:
                remedy = "Correct it, name it in campaign.yaml, or leave the cell empty if it is not known."
                self.problem(row, name, f"{cell!r} is none of the words of {name}: {', '.join(classes)}", remedy)
            words.append(word)
        return words

    def _result(self, name: str) -> _Result:
        values, readings = self.numbers(name)
        std = self.plain_numbers(f"{name}_std")
        counts = self.plain_numbers(f"{name}_n")
        censored = np.full(self.n, "", dtype="<U1")
        for row, reading in readings.items():
            censored[row] = reading.censored
            if np.isnan(reading.std):
                continue
            if np.isnan(std[row]):
                std[row] = reading.std
            elif std[row] != reading.std:
                said = f"The cell says ± {reading.std:g}, the column {name}_std says {std[row]:g}"
                self.problem(row, name, said, "Keep one of the two.")
        for row in np.flatnonzero(std < 0).tolist():
            self.problem(row, f"{name}_std", f"A standard deviation of {std[row]:g} is negative", "Correct it.")
            std[row] = np.nan
        for row in np.flatnonzero((counts < 1) | (counts != np.floor(counts)) & ~np.isnan(counts)).tolist():
            said = f"{counts[row]:g} is not a number of replicates"
            self.problem(row, f"{name}_n", said, "Write 1, 2, 3 …, or leave it empty.")
            counts[row] = np.nan
        return _Result(values, std, counts, censored)


def class_finder(classes: Classes) -> Callable[[str], str | None]:
    """Return what finds a cell's class: its very words first, then patterns in order, "*" last; case is ignored."""
    words: dict[str, str] = {}
    patterns: list[tuple[re.Pattern[str], str]] = []
    for name, said in classes.items():
        for word in said:
            words.setdefault(word.casefold(), name)
            patterns.append((_pattern(word.casefold()), name))
    patterns.sort(key=lambda pattern: pattern[0].pattern == _pattern("*").pattern)

    @cache
    def class_of(cell: str) -> str | None:
        word = cell.casefold()
        if word in words or is_not_known(cell):
            return words.get(word)
        return next((name for pattern, name in patterns if pattern.fullmatch(word)), None)

    return class_of


def _pattern(word: str) -> re.Pattern[str]:
    """What matches a word in which * stands for anything and ? for a sign.

    What lies between two * is looked for where it comes first, and nowhere else if the rest then does not match: many *
    in a word would else take forever.
    """
    first, *others = [re.escape(part).replace(r"\?", ".") for part in re.sub(r"\*+", "*", word).split("*")]
    if not others:
        return re.compile(first, re.DOTALL)
    between = "".join(f"(?>.*?{part})" for part in others[:-1])
    return re.compile(f"{first}{between}.*{others[-1]}", re.DOTALL)
