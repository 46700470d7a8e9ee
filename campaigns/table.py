"""The meaning of experiments.csv: alloys, what was done to them, and what was measured."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..design.alloy_names import BASIS_SIGN, Basis, other_basis, unknown_element
from ..design.composition import EXACT, SUM_TOLERANCE, at_to_wt, wt_to_at
from ..design.elements import SYMBOLS
from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .cells import NotANumberError, Reading, is_not_known, read_numbers
from .problems import Problem
from .sheet import Sheet, read_sheet, rows_named

BoolArray = NDArray[np.bool_]
Classes = Mapping[str, tuple[str, ...]]

STATUSES = ("known", "proposed", "made", "measured", "failed", "withdrawn")
FIRST_COLUMNS = ("id", "status", "round", "parent", "source")
LAST_COLUMNS = ("reason", "note")

COMPOSITION_COLUMN = re.compile(r"([A-Za-z]{1,3})_(at_pct|wt_pct)(_measured)?")
BALANCE_WORDS = {"bal", "bal.", "balance", "base", "rest", "rem", "rem.", "remainder"}
_TRACE = 0.5  # %; a "<0.01" below this in a composition is an element that was looked for and not found


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

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a new table of this campaign, in the order of the manual."""
        amounts = [f"{element}_{self.basis}{measured}" for measured in ("", "_measured") for element in self.elements]
        results = [f"{name}{part}" for name in self.properties for part in ("", "_std", "_n")]
        return (*FIRST_COLUMNS, *amounts, *self.numeric, *self.choices, *results, *self.classes, *LAST_COLUMNS)


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
        return _Reader(source if isinstance(source, Sheet) else read_sheet(source), layout).table()

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
        row = self.row(id)
        return self.read(self.sheet.with_cells({(row, name): text for name, text in cells.items()}), self.layout)


@dataclass(frozen=True, slots=True, eq=False)
class _Result:
    """One property's columns: (n,) each."""

    values: FloatArray
    std: FloatArray
    counts: FloatArray
    censored: NDArray[np.str_]


class _Reader:
    """Reads one sheet into a table, and holds what is found wrong on the way."""

    def __init__(self, sheet: Sheet, layout: Layout) -> None:
        self.sheet = sheet
        self.layout = layout
        self.n = len(sheet.rows)
        self.problems = list(sheet.problems)
        self.remarks = list(sheet.remarks)
        number_to_row = {number: row for row, number in enumerate(sheet.row_numbers)}
        self.has_problem = np.zeros(self.n, dtype=np.bool_)
        self.has_problem[[number_to_row[p.row] for p in sheet.problems if p.row in number_to_row]] = True
        self.not_known: Counter[str] = Counter()

    def table(self) -> ExperimentTable:
        """Read everything, in the order in which a reader of the problems would look."""
        layout = self.layout
        self._check_names()
        ids = self._ids()
        round_ = self._rounds()
        elements, nominal, measured = _CompositionReader(self).read()
        process = self._process()
        results = {name: self._result(name) for name in layout.properties}
        classes = {name: self._words(name, patterns) for name, patterns in layout.classes.items()}
        status = self._status(results, classes)
        if self.not_known:
            words = " or ".join(f"'{word}'" for word in sorted(self.not_known))
            self.remark(f"{_counted(self.not_known.total(), 'cell')} saying {words}: read as not known.")
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
            self.has_problem,
            tuple(sorted(self.problems, key=lambda p: p.row or 0)),
            tuple(self.remarks),
            results,
            classes,
        )

    def problem(self, row: int | None, column: str | None, problem: str, remedy: str = "") -> None:
        """Note a mistake; `row` counts from 0, None is the header."""
        if row is None:
            self.problems.append(Problem(self.sheet.file, self.sheet.header_number, column, problem, remedy))
        else:
            self.problems.append(self.sheet.problem(row, column, problem, remedy))
            self.has_problem[row] = True

    def remark(self, sentence: str) -> None:
        """Note what had to be assumed."""
        self.remarks.append(f"{self.sheet.file}: {sentence}" if self.sheet.file else sentence)

    def rows_named(self, rows: Iterable[int]) -> str:
        """Name rows as a spreadsheet numbers them."""
        return rows_named([self.sheet.row_numbers[row] for row in rows])

    def cells(self, name: str) -> tuple[str, ...]:
        """Return the cells of a column, blank where it is not there."""
        return self.sheet.column(name) if name in self.sheet.positions else ("",) * self.n

    def numbers(self, column: str) -> tuple[FloatArray, dict[int, Reading]]:
        """Read a number column: (n,) values, and what is more than a plain number, by row."""
        cells = self.cells(column)
        values, others = read_numbers(cells, self.sheet.dialect.decimal)
        readings = {}
        for row, other in others.items():
            if isinstance(other, NotANumberError):
                self.problem(row, column, other.problem, other.remedy)
            elif np.isnan(other.value):
                self.not_known[cells[row]] += 1
            else:
                readings[row] = other
        return values, readings

    def plain_numbers(self, column: str) -> FloatArray:
        """Read a number column in which bounds and spreads mean nothing."""
        values, readings = self.numbers(column)
        for row, reading in readings.items():
            if reading.censored or not np.isnan(reading.std):
                self.problem(row, column, f"{self.cells(column)[row]!r} is not one number", "Write the number alone.")
                values[row] = np.nan
        return values

    def _check_names(self) -> None:
        """Point out columns that are missing, above all those that are there under nearly the same name."""
        layout = self.layout
        wanted = (*layout.numeric, *layout.choices, *layout.properties, *layout.classes)
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
                if guess or name in layout.numeric or name in layout.choices:
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

    def _process(self) -> dict[str, FloatArray | list[str | None]]:
        process: dict[str, FloatArray | list[str | None]] = {}
        for name in self.layout.numeric:
            process[name] = self.plain_numbers(name)
        for name, choices in self.layout.choices.items():
            process[name] = self._words(name, {choice: (choice,) for choice in choices})
        return process

    def _words(self, name: str, classes: Classes) -> list[str | None]:
        """Turn the words of a column into classes."""
        class_of = _class_finder(classes)
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


class _CompositionReader:
    """Reads the composition columns into the campaign's basis."""

    def __init__(self, reader: _Reader) -> None:
        self.reader = reader
        self.layout = reader.layout
        self.columns: dict[tuple[bool, Basis], dict[str, str]] = {}  # (is measured, basis) → element → column
        self.scaled: list[int] = []
        self.remainders: list[int] = []
        self.converted: list[int] = []
        self.traces: list[int] = []

    def read(self) -> tuple[tuple[str, ...], FloatArray, FloatArray]:
        """Return the elements, and nominal and measured amounts, (n, n_elements) each."""
        reader, layout = self.reader, self.layout
        if layout.basis is None:
            none = np.empty((reader.n, 0))
            return (), none, none
        self._find_columns(layout.basis)
        found = [element for by_element in self.columns.values() for element in by_element]
        elements = tuple(dict.fromkeys((*layout.elements, *found)))
        nominal = self._amounts(layout.basis, elements, None)
        measured = self._amounts(layout.basis, elements, nominal)
        self._say_what_was_assumed(layout.basis)
        is_present = np.asarray(((nominal > 0) | (measured > 0)).any(axis=0), dtype=np.bool_)
        is_present[: len(layout.elements)] = True
        kept = np.flatnonzero(is_present)
        return tuple(elements[i] for i in kept), nominal[:, kept], measured[:, kept]

    def _find_columns(self, basis: Basis) -> None:
        layout = self.layout
        taken = {*layout.numeric, *layout.choices, *layout.properties, *layout.classes}
        for name in self.reader.sheet.columns:
            match = COMPOSITION_COLUMN.fullmatch(name)
            if not match or name in taken:
                continue
            if match[1] not in SYMBOLS:
                error = unknown_element(match[1])
                self.reader.problem(None, name, error.problem, error.remedy or "Correct the name of the column.")
                continue
            column_basis: Basis = "wt_pct" if match[2] == "wt_pct" else "at_pct"
            self.columns.setdefault((bool(match[3]), column_basis), {})[match[1]] = name
        if not self.columns:
            example = ", ".join(f"{element}_{basis}" for element in layout.elements[:2])
            self.reader.problem(
                None,
                None,
                "There are no composition columns",
                f"Name them {example} and so on, amounts in {BASIS_SIGN[basis]}.",
            )

    def _amounts(self, own: Basis, elements: tuple[str, ...], nominal: FloatArray | None) -> FloatArray:
        """Read nominal amounts, or measured ones beside the nominal: (n, n_elements) in the campaign's basis."""
        reader = self.reader
        is_measured = nominal is not None
        amounts = np.full((reader.n, len(elements)), np.nan)
        is_given: list[BoolArray] = []
        for basis in (own, other_basis(own)):
            columns = self.columns.get((is_measured, basis), {})
            if not columns:
                continue
            cells = self._cells(columns, elements)
            is_given.append(cells.is_given)
            read = self._completed(cells, columns, elements, basis, nominal)
            if basis != own:
                rows = np.flatnonzero(np.isfinite(read).all(axis=1))
                read[rows] = (at_to_wt if basis == "at_pct" else wt_to_at)(read[rows], elements)
                self.converted += rows.tolist()
            amounts = np.where(np.isfinite(read), read, amounts)
        for row in np.flatnonzero(np.sum(is_given, axis=0) > 1).tolist():
            what = "measured amounts" if is_measured else "amounts"
            reader.problem(
                row, None, f"This row has {what} in both at.% and wt.%", "Keep those of one, and clear the others."
            )
            amounts[row] = np.nan
        if not is_measured and self.columns:
            without = (np.sum(is_given, axis=0) == 0) & ~self._has_measured()
            for row in np.flatnonzero(without).tolist():
                reader.problem(row, None, "This row has no composition", "Fill in the amounts of its elements.")
        return amounts

    def _has_measured(self) -> BoolArray:
        has = np.zeros(self.reader.n, dtype=np.bool_)
        for (is_measured, _), columns in self.columns.items():
            for column in columns.values() if is_measured else ():
                has |= np.array([cell != "" for cell in self.reader.cells(column)], dtype=np.bool_)
        return has

    def _cells(self, columns: Mapping[str, str], elements: tuple[str, ...]) -> _AmountCells:
        """Read the amounts as they are written, and note cells that are no amount."""
        reader, decimal = self.reader, self.reader.sheet.dialect.decimal
        amounts = np.full((reader.n, len(elements)), np.nan)
        takes_rest = np.zeros((reader.n, len(elements)), dtype=np.bool_)
        is_wrong = np.zeros(reader.n, dtype=np.bool_)
        for element, column in columns.items():
            place = elements.index(element)
            cells = reader.cells(column)
            amounts[:, place], others = read_numbers(cells, decimal)
            for row, other in others.items():
                if cells[row].casefold() in BALANCE_WORDS:
                    takes_rest[row, place] = True
                elif isinstance(other, NotANumberError):
                    reader.problem(row, column, other.problem, other.remedy)
                    is_wrong[row] = True
                elif other.censored == "<" and other.value <= _TRACE:
                    amounts[row, place] = 0
                    self.traces.append(row)
                elif other.censored or not np.isnan(other.std):
                    reader.problem(row, column, f"{cells[row]!r} is not one amount", "Write the amount alone.")
                    is_wrong[row] = True
            for row in np.flatnonzero(amounts[:, place] < 0).tolist():
                said = f"An amount of {amounts[row, place]:g} is negative"
                reader.problem(row, column, said, "Correct it, or leave the cell empty.")
                is_wrong[row] = True
        return _AmountCells(amounts, takes_rest, is_wrong)

    def _completed(
        self,
        cells: _AmountCells,
        columns: Mapping[str, str],
        elements: tuple[str, ...],
        basis: Basis,
        nominal: FloatArray | None,
    ) -> FloatArray:
        """Let the balance take the rest, blanks be zero, and rounded rows sum to 100: (n, n_elements), else NaN."""
        balance = self.layout.balance
        amounts = np.nan_to_num(cells.amounts, nan=0.0)
        total = np.where(cells.is_wrong | ~cells.is_given, np.nan, amounts.sum(axis=1))
        rests = cells.takes_rest.sum(axis=1)
        is_near = np.abs(total - 100) <= SUM_TOLERANCE + EXACT
        is_done = is_near & (rests == 0)

        takes_rest = cells.takes_rest
        if balance in elements:
            place = elements.index(balance)
            is_blank = ~is_done & (rests == 0) & np.isnan(cells.amounts[:, place]) & (total > 0) & (total < 100)
            is_blank &= ~_looks_like_fractions(total)
            if nominal is not None:
                not_analysed = np.isnan(cells.amounts) & (nominal > 0)
                not_analysed[:, place] = False
                self._ask_for_the_rest(
                    np.flatnonzero(is_blank & not_analysed.any(axis=1)), not_analysed, elements, basis
                )
                total[is_blank & not_analysed.any(axis=1)] = np.nan
                is_blank &= ~not_analysed.any(axis=1)
            takes_rest = takes_rest.copy()
            takes_rest[is_blank, place] = True
            self.remainders += np.flatnonzero(is_blank).tolist()
        can_rest = (takes_rest.sum(axis=1) == 1) & (total <= 100 + SUM_TOLERANCE)
        rows = np.flatnonzero(can_rest)
        amounts[rows, takes_rest[rows].argmax(axis=1)] = np.maximum(0, np.round(100 - total[rows], 9))
        is_done |= can_rest

        for row in np.flatnonzero(~is_done & np.isfinite(total)).tolist():
            self._refuse(row, float(total[row]), int(rests[row]), basis, columns)
        sums = amounts.sum(axis=1)
        is_off = is_done & (np.abs(sums - 100) > EXACT)
        self.scaled += np.flatnonzero(is_off).tolist()
        amounts[is_off] *= 100 / sums[is_off, None]
        amounts[~is_done] = np.nan
        return amounts

    def _ask_for_the_rest(
        self, rows: NDArray[np.intp], missing: BoolArray, elements: tuple[str, ...], basis: Basis
    ) -> None:
        for row in rows.tolist():
            names = " and ".join(elements[place] for place in np.flatnonzero(missing[row]))
            self.reader.problem(
                row,
                f"{elements[int(missing[row].argmax())]}_{basis}_measured",
                f"The measured composition lacks {names}, so the balance cannot take the remainder",
                "Fill in what was measured or else the nominal amount, or clear the measured amounts of this row.",
            )

    def _refuse(self, row: int, total: float, rests: int, basis: Basis, columns: Mapping[str, str]) -> None:
        """Say why a row's amounts make no composition."""
        sign, balance = BASIS_SIGN[basis], self.layout.balance
        if rests > 1:
            self.reader.problem(row, None, "Two elements are to take the remainder", "Write the amount of all but one.")
        elif _looks_like_fractions(total):
            self.reader.problem(
                row,
                None,
                f"The amounts sum to {total:.6g}, not 100 {sign}",
                "They look like fractions: multiply them by 100.",
            )
        else:
            empty = (
                f", or leave that of {balance} empty to let it take the remainder" if balance and total < 100 else ""
            )
            self.reader.problem(row, None, f"The amounts sum to {total:.6g} {sign}, not 100", f"Correct them{empty}.")

    def _say_what_was_assumed(self, own: Basis) -> None:
        reader, other = self.reader, other_basis(own)
        if self.converted:
            rows = reader.rows_named(sorted(set(self.converted)))
            reader.remark(
                f"amounts of {rows} in {BASIS_SIGN[other]} were converted to {BASIS_SIGN[own]}, the campaign's basis."
            )
        if self.remainders:
            count = len(set(self.remainders))
            reader.remark(
                f"{self.layout.balance} takes the remainder in {_counted(count, 'row')} where its cell is empty."
            )
        if self.scaled:
            rows = reader.rows_named(sorted(set(self.scaled)))
            reader.remark(f"amounts of {rows} sum to 100 ± {SUM_TOLERANCE:g} and were scaled to 100.")
        if self.traces:
            rows = reader.rows_named(sorted(set(self.traces)))
            reader.remark(f"amounts below a limit of detection in {rows} were read as 0.")


@dataclass(frozen=True, slots=True, eq=False)
class _AmountCells:
    """Amounts as written: (n, n_elements), NaN where blank; where a cell says "bal."; rows that hold a wrong cell."""

    amounts: FloatArray
    takes_rest: BoolArray
    is_wrong: BoolArray

    @property
    def is_given(self) -> BoolArray:
        """(n,) whether a row says anything about its composition."""
        return np.asarray((np.isfinite(self.amounts) | self.takes_rest).any(axis=1) | self.is_wrong, dtype=np.bool_)


def _looks_like_fractions(total: FloatArray | float) -> BoolArray:
    return np.asarray(np.abs(np.asarray(total) - 1) <= SUM_TOLERANCE / 100)


def _class_finder(classes: Classes) -> Callable[[str], str | None]:
    """Return what finds a cell's class: its very words first, then patterns in order, "*" last; case is ignored."""
    words: dict[str, str] = {}
    patterns: list[tuple[re.Pattern[str], str]] = []
    for name, said in classes.items():
        for word in said:
            words.setdefault(word.casefold(), name)
            pattern = re.escape(word.casefold()).replace(r"\*", ".*").replace(r"\?", ".")
            patterns.append((re.compile(pattern, re.DOTALL), name))
    patterns.sort(key=lambda pattern: pattern[0].pattern == ".*")

    @cache
    def class_of(cell: str) -> str | None:
        word = cell.casefold()
        if word in words or is_not_known(cell):
            return words.get(word)
        return next((name for pattern, name in patterns if pattern.fullmatch(word)), None)

    return class_of


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
