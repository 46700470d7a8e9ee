"""The table of candidates that a campaign may choose from: a film library, the powders on a shelf."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..design.candidates import Candidates
from ..design.process import Choice, Numeric
from ..surrogates.errors import AlloyloopError
from .amounts import COMPOSITION_COLUMN, read_amounts
from .problems import CampaignFileError
from .reading import SheetReader, counted
from .sheet import Sheet, read_sheet
from .spec import CompositionSpec
from .table import class_finder


@dataclass(frozen=True, slots=True, eq=False)
class CandidateTable:
    """What a table of candidates says.

    Parameters
    ----------
    candidates : its rows
    remarks : what had to be assumed, and columns that were not read
    """

    candidates: Candidates
    remarks: tuple[str, ...]

    def narrowed(self, variable: Numeric | Choice) -> Numeric | Choice:
        """A process variable as the table leaves it: a number takes only the values that some row has.

        A choice stays as it is, since rows of experiments.csv may have the words that no candidate has.
        """
        values = self.candidates.process.get(variable.name)
        if values is None or isinstance(variable, Choice):
            return variable
        return Numeric.of_values(variable.name, values)


def read_candidates(
    folder: Path, name: str, made: CompositionSpec | None, process: tuple[Numeric | Choice, ...]
) -> CandidateTable:
    """Read a table of candidates, written in any dialect that experiments.csv may have.

    Parameters
    ----------
    folder : of the campaign
    name : of the file in it
    made : the basis and the balance, where the campaign has a composition
    process : the process variables of the campaign; columns of other names are the user's own

    Raises
    ------
    AlloyloopError
        where there is no such file, or it says neither compositions nor process values
    CampaignFileError
        where rows are mistakes; names every one
    """
    if not (folder / name).is_file():
        raise AlloyloopError(f"There is no {name} beside campaign.yaml", "Correct the name, or put the table there.")
    reader = SheetReader(read_sheet(folder / name))
    sheet = reader.sheet
    variables = {variable.name: variable for variable in process if variable.name in sheet.positions}
    has_amounts = any(COMPOSITION_COLUMN.fullmatch(column) for column in sheet.columns if column not in variables)
    if has_amounts and made is None:
        raise AlloyloopError(
            f"{name} has amounts of elements, and campaign.yaml has no composition",
            "Add 'composition: {basis: at_pct, balance: Fe}', say, with your basis and element.",
        )
    if not has_amounts and not variables:
        raise AlloyloopError(
            f"{name} has neither composition columns nor one of the process variables",
            "Name them like Nb_wt_pct, or like the variables under process.",
        )
    elements, percent = _amounts(reader, made, tuple(variables)) if made and has_amounts else ((), _no_amounts(reader))
    values = {name: _values(reader, variable) for name, variable in variables.items()}
    if not sheet.rows:
        reader.problem(None, None, "There is no candidate in it", "Add a row for each.")
    if reader.problems:
        raise CampaignFileError(sorted(reader.problems, key=lambda problem: problem.row or 0))
    column = _name_column(sheet, variables)
    names = reader.cells(column) if column else ()
    remarks = (*reader.remarks, *_not_read(sheet, {*variables, column}))
    return CandidateTable(Candidates(elements, percent, values, names), remarks)


def _no_amounts(reader: SheetReader) -> NDArray[np.float64]:
    return np.empty((reader.n, 0))


def _amounts(
    reader: SheetReader, made: CompositionSpec, others: tuple[str, ...]
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """The elements that any candidate has, the balance last, and the nominal amounts of every row."""
    found, nominal, measured = read_amounts(reader, made.basis, (), made.balance, others)
    if np.isfinite(measured).any():
        reader.remark("analysed amounts are not read: a candidate is what it is nominally.")
    order = sorted(range(len(found)), key=lambda i: found[i] == made.balance)
    elements = tuple(found[i] for i in order)
    if made.balance not in elements and not reader.problems:
        reader.problem(
            None,
            None,
            f"No candidate has any {made.balance}, the balance",
            f"Add a column {made.balance}_{made.basis}, or name another balance in campaign.yaml.",
        )
    return elements, nominal[:, order]


def _values(reader: SheetReader, variable: Numeric | Choice) -> NDArray[Any]:
    """(n,) the values of one process variable; a candidate without one, or with one out of bounds, is a mistake."""
    values: NDArray[Any]
    if isinstance(variable, Choice):
        class_of = class_finder({choice: (choice,) for choice in variable.choices})
        values = np.array([class_of(cell) if cell else None for cell in reader.cells(variable.name)], dtype=object)
        wrong = np.array([value is None for value in values], dtype=np.bool_)
        allowed = f"one of {', '.join(variable.choices)}"
    else:
        values = reader.plain_numbers(variable.name)
        wrong = np.asarray(~((values >= variable.low) & (values <= variable.high)) & ~reader.has_problem)
        allowed = f"a number from {variable.low:g} to {variable.high:g}"
    for row in np.flatnonzero(wrong).tolist():
        cell = reader.cells(variable.name)[row]
        said = f"{cell!r} is not what {variable.name} may be" if cell else f"This candidate has no {variable.name}"
        reader.problem(row, variable.name, said, f"Write {allowed}, or take the row out.")
    return values


def _name_column(sheet: Sheet, variables: Collection[str]) -> str:
    """The column of what the user calls the candidates: `id`, `name` or else the first; "" where none tells them apart.

    The first is taken only where it means nothing else and every row has another word there.
    """
    for column in ("id", "name"):
        if column in sheet.positions and column not in variables and any(sheet.column(column)):
            return column
    first = sheet.columns[0]
    if first in (*variables, "note", "source", "") or COMPOSITION_COLUMN.fullmatch(first):
        return ""
    cells = sheet.column(first)
    return first if all(cells) and len(set(cells)) == len(cells) else ""


def _not_read(sheet: Sheet, read: Collection[str]) -> tuple[str, ...]:
    """Say which columns mean nothing here: one of them may be a process variable that was forgotten."""
    others = [name for name in sheet.columns if name not in read and not COMPOSITION_COLUMN.fullmatch(name)]
    others = [name for name in others if name and name not in ("id", "note", "source")]
    if not others:
        return ()
    return (f"{sheet.file}: {counted(len(others), 'column')} not read: {', '.join(others)}.",)
