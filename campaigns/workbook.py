"""Tables as Excel workbooks: numbers as numbers, and text as text whatever it begins with."""

from __future__ import annotations

import io
import re
from pathlib import Path

from .cells import read_numbers
from .problems import CampaignFileError
from .sheet import Sheet, sheet_bytes

# In these columns 007 and 1e5 are names.
_NAMES = {"id", "parent", "source", "reason", "note"}
# Excel keeps fifteen digits, and no zero before the first.
_WRITTEN_AS_IS = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,14})(?:[.,][0-9]*)?(?:[eE][+-]?[0-9]+)?|[+-]?[.,][0-9]+")
_MOST_DIGITS = 15


def table_bytes(path: Path, sheet: Sheet) -> bytes:
    """The bytes of a table for a file of this name: a workbook where it ends in .xlsx, else text as it is written down.

    Raises
    ------
    CampaignFileError
        where the name ends in .xlsx and openpyxl is not installed
    """
    return workbook(sheet, path.name) if path.suffix.lower() == ".xlsx" else sheet_bytes(sheet)


def workbook(sheet: Sheet, file: str = "") -> bytes:
    """A workbook of one sheet, whose cells say what those of a table say; none of them is computed.

    Parameters
    ----------
    sheet : the table, with decimal points or commas
    file : the name for messages
    """
    try:
        from openpyxl import Workbook
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell, WriteOnlyCell
    except ImportError as error:
        remedy = 'Install it with `pip install "alloyloop[excel]"`, or write a .csv file.'
        raise CampaignFileError.whole_file(file, "Writing Excel workbooks needs openpyxl", remedy) from error
    book = Workbook(write_only=True)
    page = book.create_sheet("Table")
    page.freeze_panes = "A2"

    def cell(said: str | float) -> Cell:
        if not isinstance(said, str):
            return WriteOnlyCell(page, said)
        made = WriteOnlyCell(page, ILLEGAL_CHARACTERS_RE.sub("\ufffd", said) or None)
        if said:
            made.data_type = "s"  # or "=1+1" would be computed, and "#N/A" be an error
            made.quotePrefix = True  # as if typed with an apostrophe: it stays text where somebody edits it
        return made

    page.append([cell(name) for name in sheet.columns])
    columns = [_column(sheet, position) for position in range(len(sheet.columns))]
    for row in zip(*columns, strict=True):
        page.append([cell(said) for said in row])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _column(sheet: Sheet, position: int) -> list[str | float]:
    """The cells of a column: numbers where they are nothing else, and their text elsewhere."""
    cells = [row[position] for row in sheet.rows]
    if sheet.columns[position] in _NAMES:
        return list(cells)
    numbers, others = read_numbers(cells, sheet.dialect.decimal)
    return [
        number if text and i not in others and _is_as_written(text) else text
        for i, (text, number) in enumerate(zip(cells, numbers.tolist(), strict=True))
    ]


def _is_as_written(text: str) -> bool:
    """Whether a workbook keeps all that the text of a number says."""
    return bool(_WRITTEN_AS_IS.fullmatch(text)) and sum(sign.isdigit() for sign in text) <= _MOST_DIGITS
