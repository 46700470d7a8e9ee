"""Tables of element properties that a user brings: beside campaign.yaml, a row for each element."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

import numpy as np

from ..design.alloy_names import unknown_element
from ..design.element_properties import ElementProperty
from ..design.elements import SYMBOLS
from ..surrogates.errors import AlloyloopError
from .cells import read_numbers
from .problems import CampaignFileError
from .reading import SheetReader, listed
from .sheet import read_sheet

# Endings by which an entry of `features` is known as the name of a table.
TABLES = (".csv", ".tsv", ".txt", ".xlsx")


def is_element_table(text: str) -> bool:
    """Whether an entry of `features` is the name of a table beside campaign.yaml.

    >>> is_element_table("elastic.csv"), is_element_table("../elastic.csv"), is_element_table("Nb / Zr")
    (True, False, False)
    """
    # Opening a stranger's folder must not read what lies elsewhere.
    return PurePath(text).suffix.lower() in TABLES and PurePath(text).name == text and "\\" not in text


def read_element_table(
    folder: Path, name: str, needed: Sequence[str]
) -> tuple[tuple[ElementProperty, ...], tuple[str, ...]]:
    """Read a table of element properties, written in any dialect that experiments.csv may have.

    Parameters
    ----------
    folder : of the campaign
    name : of the file in it; its first column holds symbols of elements, each further column of numbers a property
    needed : elements of which every property must be known

    Returns
    -------
    properties : in the order of their columns
    remarks : what had to be assumed, and columns that hold no numbers

    Raises
    ------
    AlloyloopError
        where there is no such file, or it holds no numbers
    CampaignFileError
        where cells are mistakes, or values of the elements needed are missing; names every one
    """
    if not is_element_table(name):
        raise AlloyloopError(f"'{name}' is not the name of a file beside campaign.yaml", "Put the table there.")
    if not (folder / name).is_file():
        raise AlloyloopError(f"There is no {name} beside campaign.yaml", "Correct the name, or put the table there.")
    reader = SheetReader(read_sheet(folder / name))
    symbol, *columns = reader.sheet.columns
    symbols = reader.cells(symbol)
    _check_symbols(reader, symbol, symbols)
    properties, not_read = [], []
    for column in filter(None, columns):
        if not np.isfinite(read_numbers(reader.cells(column), reader.sheet.dialect.decimal)[0]).any():
            not_read.append(column)
            continue
        values = reader.plain_numbers(column)
        known = {element: value for element, value in zip(symbols, values.tolist(), strict=True) if np.isfinite(value)}
        if lacking := [element for element in needed if element not in known]:
            remedy = "Fill it in, or take the column out of the table."
            reader.problem(None, column, f"There is no value of {listed(lacking)}", remedy)
        properties.append(ElementProperty(column, tuple(known), tuple(known.values()), name))
    if reader.problems:
        raise CampaignFileError(sorted(reader.problems, key=lambda problem: problem.row or 0))
    if not properties:
        raise AlloyloopError(
            f"{name} has no column of numbers beside {symbol}", "Give each property of the elements a column."
        )
    if not_read:
        reader.remark(f"not read, since it holds no number: {', '.join(not_read)}.")
    return tuple(properties), tuple(reader.remarks)


def _check_symbols(reader: SheetReader, column: str, symbols: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for row, element in enumerate(symbols):
        if element not in SYMBOLS:
            error = unknown_element(element)
            reader.problem(row, column, error.problem, error.remedy or "Write symbols of elements in the first column.")
        elif first.setdefault(element, row) != row:
            earlier = reader.sheet.row_numbers[first[element]]
            reader.problem(row, column, f"Row {earlier} is of {element} too", "Take one of them out.")
