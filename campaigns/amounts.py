"""The composition columns of a table: nominal and measured, in either basis, with a balance that may be left out."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..design.alloy_names import BASIS_SIGN, Basis, other_basis, unknown_element
from ..design.composition import EXACT, SUM_TOLERANCE, at_to_wt, wt_to_at
from ..design.elements import SYMBOLS
from ..surrogates.base import FloatArray
from .cells import NotANumberError, read_numbers
from .reading import BoolArray, SheetReader, counted

COMPOSITION_COLUMN = re.compile(r"([A-Za-z]{1,3})_(at_pct|wt_pct)(_measured)?")
BALANCE_WORDS = {"bal", "bal.", "balance", "base", "rest", "rem", "rem.", "remainder"}
_TRACE = 0.5  # %; a "<0.01" below this in a composition is an element that was looked for and not found


def read_amounts(
    reader: SheetReader, basis: Basis, space: tuple[str, ...], balance: str | None, other_columns: Collection[str]
) -> tuple[tuple[str, ...], FloatArray, FloatArray]:
    """Read every column named like ``Ti_wt_pct`` or ``Ti_wt_pct_measured``; mistakes and remarks go to the reader.

    Parameters
    ----------
    reader : gives the cells
    basis : in which amounts are returned; columns in the other one are converted
    space : elements that come first, whether the table has them or not
    balance : the element that takes the remainder where its cell is empty
    other_columns : columns that mean something else, whatever they are called

    Returns
    -------
    the elements; nominal and measured amounts, (n, n_elements) each, every row summing to 100 [% of `basis`], NaN where
    none is given or it is a mistake

    Examples
    --------
    >>> from alloyloop.campaigns.sheet import parse_sheet
    >>> reader = SheetReader(parse_sheet("id,Ti_wt_pct,Nb_wt_pct\\nA,bal.,40\\nB,60,45\\n", "my.csv"))
    >>> read_amounts(reader, "wt_pct", ("Ti", "Nb"), "Ti", ())[1].tolist()
    [[60.0, 40.0], [nan, nan]]
    >>> print(*reader.problems)
    my.csv, row 3: The amounts sum to 105 wt.%, not 100. Correct them.
    """
    return _AmountsReader(reader, basis, space, balance).read(other_columns)


class _AmountsReader:
    """Reads the composition columns into the campaign's basis."""

    def __init__(self, reader: SheetReader, basis: Basis, space: tuple[str, ...], balance: str | None) -> None:
        self.reader = reader
        self.basis: Basis = basis
        self.space = space
        self.balance = balance
        self.columns: dict[tuple[bool, Basis], dict[str, str]] = {}  # (is measured, basis) → element → column
        self.scaled: list[int] = []
        self.remainders: list[int] = []
        self.converted: list[int] = []
        self.traces: list[int] = []

    def read(self, other_columns: Collection[str]) -> tuple[tuple[str, ...], FloatArray, FloatArray]:
        """Return the elements, and nominal and measured amounts, (n, n_elements) each."""
        self._find_columns(other_columns)
        found = [element for by_element in self.columns.values() for element in by_element]
        elements = tuple(dict.fromkeys((*self.space, *found)))
        nominal = self._amounts(elements, None)
        measured = self._amounts(elements, nominal)
        self._say_what_was_assumed()
        is_present = np.asarray(((nominal > 0) | (measured > 0)).any(axis=0), dtype=np.bool_)
        is_present[: len(self.space)] = True
        kept = np.flatnonzero(is_present)
        return tuple(elements[i] for i in kept), nominal[:, kept], measured[:, kept]

    def _find_columns(self, other_columns: Collection[str]) -> None:
        for name in self.reader.sheet.columns:
            match = COMPOSITION_COLUMN.fullmatch(name)
            if not match or name in other_columns:
                continue
            if match[1] not in SYMBOLS:
                error = unknown_element(match[1])
                self.reader.problem(None, name, error.problem, error.remedy or "Correct the name of the column.")
                continue
            column_basis: Basis = "wt_pct" if match[2] == "wt_pct" else "at_pct"
            self.columns.setdefault((bool(match[3]), column_basis), {})[match[1]] = name
        if not self.columns:
            bare = [name for name in self.reader.sheet.columns if name in self.space and name not in other_columns]
            example = " and ".join(f"{element}_{self.basis}" for element in bare[:2] or self.space[:2])
            said = (
                f"{', '.join(bare)} do not say whether in at.% or wt.%" if bare else "There are no composition columns"
            )
            remedy = f"Name them {example} and so on if they are in {BASIS_SIGN[self.basis]}."
            self.reader.problem(None, None, said, remedy)

    def _amounts(self, elements: tuple[str, ...], nominal: FloatArray | None) -> FloatArray:
        """Read nominal amounts, or measured ones beside the nominal: (n, n_elements) in the campaign's basis."""
        reader = self.reader
        is_measured = nominal is not None
        amounts = np.full((reader.n, len(elements)), np.nan)
        is_given: list[BoolArray] = []
        for basis in (self.basis, other_basis(self.basis)):
            columns = self.columns.get((is_measured, basis), {})
            if not columns:
                continue
            cells = self._cells(columns, elements)
            is_given.append(cells.is_given)
            read = self._completed(cells, columns, elements, basis, nominal)
            if basis != self.basis:
                rows = np.flatnonzero(np.isfinite(read).all(axis=1))
                read[rows] = (at_to_wt if basis == "at_pct" else wt_to_at)(read[rows], elements)
                self.converted += rows.tolist()
            amounts = np.where(np.isfinite(read), read, amounts)
        for row in np.flatnonzero(np.sum(is_given, axis=0) > 1).tolist():
            what = f"This row has {'measured ' if is_measured else ''}amounts in both at.% and wt.%"
            reader.problem(row, None, what, "Keep those of one, and clear the others.")
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
            is_amount = (amounts[:, place] >= 0) & (amounts[:, place] <= 100 + SUM_TOLERANCE)
            for row in np.flatnonzero(~is_amount & np.isfinite(amounts[:, place])).tolist():
                what = "negative" if amounts[row, place] < 0 else "more than all"
                said = f"An amount of {amounts[row, place]:g} is {what}"
                reader.problem(row, column, said, "Correct it, or leave the cell empty.")
                amounts[row, place], is_wrong[row] = np.nan, True
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
        balance = self.balance
        amounts = np.nan_to_num(cells.amounts, nan=0.0)
        total = np.where(cells.is_wrong | ~cells.is_given, np.nan, amounts.sum(axis=1))
        rests = cells.takes_rest.sum(axis=1)
        is_near = np.abs(total - 100) <= SUM_TOLERANCE + EXACT
        is_done = is_near & (rests == 0)

        takes_rest = cells.takes_rest
        if balance in elements:
            place = elements.index(balance)
            is_blank = ~is_done & (rests == 0) & np.isnan(cells.amounts[:, place]) & (total >= 0) & (total < 100)
            if nominal is not None:
                not_analysed = np.isnan(cells.amounts) & (nominal > 0)
                not_analysed[:, place] = False
                is_lacking = is_blank & not_analysed.any(axis=1)
                self._ask_for_the_rest(np.flatnonzero(is_lacking), not_analysed, elements, basis)
                total[is_lacking] = np.nan
                is_blank &= ~is_lacking
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
        sign, balance = BASIS_SIGN[basis], self.balance
        if rests > 1:
            self.reader.problem(row, None, "Two elements are to take the remainder", "Write the amount of all but one.")
        elif abs(total - 1) <= SUM_TOLERANCE / 100:
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

    def _say_what_was_assumed(self) -> None:
        reader, own, other = self.reader, self.basis, other_basis(self.basis)
        if self.converted:
            rows = reader.rows_named(sorted(set(self.converted)))
            reader.remark(
                f"amounts of {rows} in {BASIS_SIGN[other]} were converted to {BASIS_SIGN[own]}, the campaign's basis."
            )
        if self.remainders:
            count = len(set(self.remainders))
            reader.remark(f"{self.balance} takes the remainder in {counted(count, 'row')} where its cell is empty.")
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
