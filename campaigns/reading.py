"""Reading a sheet's cells while noting, with its place, whatever is wrong or had to be assumed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from .cells import NotANumberError, Reading, read_numbers
from .problems import Problem
from .sheet import Sheet, rows_named

BoolArray = NDArray[np.bool_]


class SheetReader:
    """Gives a sheet's columns as numbers, and holds the mistakes and remarks made on the way.

    Parameters
    ----------
    sheet : what is read; the problems of its form are the first ones noted
    """

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.n = len(sheet.rows)
        self.problems = list(sheet.problems)
        self.remarks = list(sheet.remarks)
        self.not_known: Counter[str] = Counter()
        place_of = {number: row for row, number in enumerate(sheet.row_numbers)}
        self.has_problem = np.zeros(self.n, dtype=np.bool_)  # (n,)
        self.has_problem[[place_of[problem.row] for problem in sheet.problems if problem.row in place_of]] = True

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


def counted(count: int, noun: str) -> str:
    """Write a number of things.

    Examples
    --------
    >>> counted(1, "row"), counted(3, "row")
    ('1 row', '3 rows')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def listed(names: Sequence[str], last: str = "and") -> str:
    """Write several names as a sentence lists them.

    Examples
    --------
    >>> listed(["Nb", "Zr", "Sn"]), listed(["Nb"])
    ('Nb, Zr and Sn', 'Nb')
    """
    return f" {last} ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
