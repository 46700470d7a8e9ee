"""A table as a spreadsheet saved it: its cells as text, and everything needed to write the rest back untouched."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, cached_property
from itertools import islice
from pathlib import Path
from zipfile import ZipFile

from ..surrogates.errors import AlloyloopError
from .cells import safe_cell
from .files import TextFile, decode, encode, read_bytes, write_atomically
from .problems import CampaignFileError, Problem


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table is written down.

    Parameters
    ----------
    delimiter : what separates cells: comma, semicolon, tab or bar
    decimal : the decimal mark, point or comma
    newline : what ends a row that is added
    encoding, bom : as in :class:`~alloyloop.campaigns.files.TextFile`
    """

    delimiter: str = ","
    decimal: str = "."
    newline: str = "\n"
    encoding: str = "utf-8"
    bom: bool = False

    def number(self, value: float) -> str:
        """Write a number as this file writes numbers, to twelve significant digits.

        Examples
        --------
        >>> Dialect(";", ",").number(58.3), Dialect().number(40.0)
        ('58,3', '40')
        """
        return f"{value + 0.0:.12g}".replace(".", self.decimal)  # + 0.0: never "-0"

    def cell(self, text: str) -> str:
        """Write one cell, quoted where its text would be taken for more than one."""
        if any(sign in text for sign in (self.delimiter, '"', "\n", "\r")) or text != text.strip():
            return '"' + text.replace('"', '""') + '"'
        return text


@dataclass(frozen=True, eq=False)
class Sheet:
    """A table of text cells with its dialect; a change gives a new sheet in which only the changed cells differ.

    Build one with :func:`read_sheet`, :func:`parse_sheet` or :func:`new_sheet`.

    Parameters
    ----------
    file : the name for messages
    columns : names of the columns, without surrounding blanks; nameless empty columns at the end are left out
    rows : text of the cells, without surrounding blanks, every row as wide as `columns`; empty rows are left out
    row_numbers : for every row the number that a spreadsheet shows (the header of a plain file is row 1)
    dialect : how it is written down
    problems : what is wrong with its form: ragged rows, duplicated or missing names, spreadsheet errors
    remarks : what had to be assumed

    Examples
    --------
    >>> sheet = parse_sheet("id;E\\r\\nA;61,2\\r\\n", "my.csv")
    >>> sheet.columns, sheet.rows, sheet.dialect.decimal
    (('id', 'E'), (('A', '61,2'),), ',')
    >>> sheet_text(sheet.with_cell(0, "E", sheet.dialect.number(58.3)))
    'id;E\\r\\nA;58,3\\r\\n'
    """

    file: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    row_numbers: tuple[int, ...]
    dialect: Dialect
    problems: tuple[Problem, ...]
    remarks: tuple[str, ...]
    _records: tuple[str, ...]  # the text of every record with its line end, header and empty rows included
    _header: int  # which record is the header
    _preface: str = ""  # Excel's first line "sep=;", which no spreadsheet shows

    @property
    def header_number(self) -> int:
        """The number that a spreadsheet shows beside the header."""
        return self._header + 1

    @cached_property
    def positions(self) -> dict[str, int]:
        """Where each column is; of two with one name (a problem by itself) the first."""
        return {name: position for position, name in reversed(list(enumerate(self.columns)))}

    def column(self, name: str) -> tuple[str, ...]:
        """Return the cells of one column, top to bottom."""
        position = self.positions[name]
        return tuple([row[position] for row in self.rows])

    def cell(self, row: int, column: str) -> str:
        """Return the text of one cell; `row` counts from 0 in ``rows``."""
        return self.rows[row][self.positions[column]]

    def problem(self, row: int | None, column: str | None, problem: str, remedy: str = "") -> Problem:
        """Place a problem at a row (counted from 0 in ``rows``) and a column of this sheet."""
        return Problem(self.file, None if row is None else self.row_numbers[row], column, problem, remedy)

    def with_cell(self, row: int, column: str, text: str) -> Sheet:
        """Return the sheet with one cell changed; a column that is not there is added at the end."""
        return self.with_cells({(row, column): text})

    def with_cells(self, changes: Mapping[tuple[int, str], str]) -> Sheet:
        """Return the sheet with some cells changed, by row (counted from 0) and column; new columns go to the end.

        Text that a spreadsheet would take for a formula is made safe (:func:`~alloyloop.campaigns.cells.safe_cell`).
        """
        wider = self.with_columns(column for _, column in changes)
        by_row: dict[int, dict[int, str]] = {}
        for (row, column), text in changes.items():
            by_row.setdefault(row, {})[wider.positions[self._name(column)]] = text
        records = list(wider._records)
        for row, cells in by_row.items():
            record = wider.row_numbers[row] - 1
            records[record] = wider._rewritten(records[record], cells)
        return wider._again(records)

    def with_rows(self, rows: Iterable[Mapping[str, str]]) -> Sheet:
        """Return the sheet with rows added below the last one, given as column → text; new columns go to the end."""
        rows = [{self._name(column): text for column, text in row.items()} for row in rows]
        wider = self.with_columns(column for row in rows for column in row)
        records = list(wider._records)
        last = wider.row_numbers[-1] - 1 if wider.row_numbers else wider._header
        if not records[last].endswith(("\n", "\r")):
            records[last] += self.dialect.newline
        width = len(wider._raw_cells(records[wider._header])[0])
        new = [[row.get(column, "") for column in wider.columns] for row in rows]
        lines = [self._line([*cells, *[""] * (width - len(cells))]) for cells in new]
        return wider._again([*records[: last + 1], *lines, *records[last + 1 :]])

    def without_rows(self, rows: Collection[int]) -> Sheet:
        """Return the sheet without some rows (counted from 0); the others stay as they are, to the byte."""
        gone = {self.row_numbers[row] - 1 for row in rows}
        return self._again([record for i, record in enumerate(self._records) if i not in gone]) if gone else self

    def part(self, header: int, stop: int) -> Sheet:
        """Return the rows from one up to another (counted from 0) as a table whose header is the first of them."""
        end = self.row_numbers[stop] - 1 if stop < len(self.rows) else len(self._records)
        return _sheet("".join(self._records[self.row_numbers[header] - 1 : end]), self.file, self.dialect, "", ())

    def with_columns(self, names: Iterable[str]) -> Sheet:
        """Return the sheet with blank columns added at the end; those that are there stay where they are."""
        new = [name for name in dict.fromkeys(map(self._name, names)) if name not in self.positions]
        if not new:
            return self
        if "" in new:
            raise AlloyloopError("A column that is to be added has no name", "Give it one.", place=self.file)
        start = len(self.columns)
        kept = {number - 1 for number in self.row_numbers}
        records = list(self._records)
        records[self._header] = self._rewritten(records[self._header], dict(enumerate(new, start)))
        for record in kept:
            records[record] = self._rewritten(records[record], dict.fromkeys(range(start, start + len(new)), ""))
        return self._again(records)

    def _name(self, column: str) -> str:
        """The name of a column as it is read again once it was written."""
        return column if column in self.positions else _name(safe_cell(column))

    def _raw_cells(self, record: str) -> tuple[list[str], str]:
        """Return the cells of a record as they are written, and its line end."""
        cells, end, _ = next(_records_of(record, self.dialect.delimiter))
        return cells, end

    def _rewritten(self, record: str, changes: Mapping[int, str]) -> str:
        cells, end = self._raw_cells(record)
        cells += [""] * (max(changes, default=0) + 1 - len(cells))
        for position, text in changes.items():
            cells[position] = self.dialect.cell(safe_cell(text))
        return self.dialect.delimiter.join(cells) + end

    def _line(self, cells: Sequence[str]) -> str:
        written = [self.dialect.cell(safe_cell(text)) for text in cells]
        return self.dialect.delimiter.join(written if written != [""] else ['""']) + self.dialect.newline

    def _again(self, records: Sequence[str]) -> Sheet:
        return _sheet("".join(records), self.file, self.dialect, self._preface, self.remarks)


def read_sheet(path: Path | str) -> Sheet:
    """Read a table: CSV of any common dialect and encoding, tab-separated text, or an Excel workbook's first sheet.

    Raises
    ------
    CampaignFileError : where there is no such file, it is empty, or it is not a table
    """
    path = Path(path)
    data = read_bytes(path)
    if data.startswith(b"PK\x03\x04"):
        return _excel_sheet(data, path.name)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise CampaignFileError.whole_file(
            path.name, "This is an old Excel workbook (.xls)", "Save it as .xlsx or as CSV (UTF-8)."
        )
    return _parsed(decode(data, path.name), path.name)


def parse_sheet(text: str, file: str = "") -> Sheet:
    """Read a table from text, as :func:`read_sheet` does from a file."""
    return _parsed(TextFile(text), file)


def new_sheet(
    columns: Sequence[str], rows: Iterable[Mapping[str, str]] = (), *, file: str = "", dialect: Dialect | None = None
) -> Sheet:
    """Make a sheet from names and rows of text, given as column → text.

    Examples
    --------
    >>> sheet_text(new_sheet(["id", "note"], [{"id": "A", "note": "cracked, twice"}]))
    'id,note\\nA,"cracked, twice"\\n'
    """
    dialect = dialect or Dialect()
    header = dialect.delimiter.join(dialect.cell(safe_cell(name)) for name in columns) + dialect.newline
    return _sheet(header, file, dialect, "", ()).with_rows(rows)


def sheet_text(sheet: Sheet) -> str:
    """Return the text of the file, as it was read but for what was changed."""
    return sheet._preface + "".join(sheet._records)


def sheet_bytes(sheet: Sheet) -> bytes:
    """Return the bytes of the file, in the encoding in which it was read."""
    return encode(TextFile(sheet_text(sheet), sheet.dialect.encoding, sheet.dialect.bom))


def write_sheet(path: Path | str, sheet: Sheet) -> None:
    """Write the sheet in one step (:func:`~alloyloop.campaigns.files.write_atomically`)."""
    write_atomically(path, sheet_bytes(sheet))


# In a line of text, and in an Excel workbook once it is unpacked.
MOST_SIGNS, MOST_UNPACKED = 1_000_000, 500_000_000
_LINE_END = re.compile(r"\r\n|\n|\r")
_QUOTED_TEXT = r'"[^"]*(?:""[^"]*)*"'
_QUOTED = re.compile(rf"({_QUOTED_TEXT})(.*)", re.DOTALL)
_DELIMITERS = ("\t", ";", ",", "|")  # in this order where two explain a header equally well


@cache
def _cell(delimiter: str) -> re.Pattern[str]:
    """Match one cell as it is written; a quotation mark that is never closed is a sign like any other."""
    rest = rf"[^{re.escape(delimiter)}\r\n]*"
    return re.compile(rf" *{_QUOTED_TEXT}{rest}|{rest}")


@cache
def _plain_line(delimiter: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Match a line in which every quotation mark is where it should be, and each of its cells with its delimiter."""
    cell = rf'{_QUOTED_TEXT}|[^"{re.escape(delimiter)}]*'
    return re.compile(rf"(?:(?:{cell}){re.escape(delimiter)})*+(?:{cell})"), re.compile(
        rf"({cell}){re.escape(delimiter)}"
    )


def _records_of(text: str, delimiter: str) -> Iterator[tuple[list[str], str, int]]:
    """Split text into records: their cells as written, their line end, and where the next one starts."""
    cell, (plain_line, cell_and_delimiter) = _cell(delimiter), _plain_line(delimiter)
    position = 0
    while position < len(text):
        line_end = _LINE_END.search(text, position)
        stop = line_end.start() if line_end else len(text)
        line = text[position:stop]
        if '"' not in line:
            cells = line.split(delimiter)
        elif plain_line.fullmatch(line):
            cells = cell_and_delimiter.findall(line + delimiter)
        else:
            cells = []
            while match := cell.match(text, position):
                cells.append(match[0])
                position = match.end()
                if not text.startswith(delimiter, position):
                    break
                position += len(delimiter)
            line_end = _LINE_END.match(text, position)
            stop = position
        position = line_end.end() if line_end else stop
        yield cells, line_end[0] if line_end else "", position


def _unquoted(cell: str) -> str:
    """Return what a cell says: without quotation marks and surrounding blanks."""
    cell = cell.strip()
    if cell.startswith('"') and (quoted := _QUOTED.match(cell)):
        cell = (quoted[1][1:-1].replace('""', '"') + quoted[2]).strip()
    return cell


def _parsed(source: TextFile, file: str) -> Sheet:
    """Find out how a table is written down, and read it."""
    if not source.text.strip(' \t\r\n\ufeff,;|"'):
        raise _empty(file)
    _refuse_endless_lines(source.text, file)
    text, preface, named = source.text, "", None
    if said := re.match(r'"?sep=([,;|\t])"?\s*?(?:\r\n|\n|\r)', text, re.IGNORECASE):
        text, preface, named = text[said.end() :], said[0], said[1]
    delimiter = named or _delimiter(text)
    decimal = _decimal(text, delimiter)
    newline = found[0] if (found := _LINE_END.search(source.text)) else "\n"
    remarks = source.remarks
    if delimiter == "," and decimal == ",":
        remarks = (*remarks, f"{file} writes numbers with a decimal comma inside quotation marks; they were read so.")
    dialect = Dialect(delimiter, decimal, newline, source.encoding, source.bom)
    return _sheet(text, file, dialect, preface, remarks)


def _refuse_endless_lines(text: str, file: str) -> None:
    longest = max(map(len, text.replace("\r", "\n").split("\n")))
    if longest > MOST_SIGNS:
        said = f"It has a line of {longest} signs, and no row of a table has more than {MOST_SIGNS}"
        raise CampaignFileError.whole_file(file, said, "Check that it is the file that was meant.")


def _empty(file: str) -> CampaignFileError:
    return CampaignFileError.whole_file(
        file, "The file is empty", "Save the table again: a header, then a row for each alloy."
    )


def _delimiter(text: str) -> str:
    """Choose the delimiter that leaves most of the first rows as wide as the header, then the one that cuts it most."""

    def explained(delimiter: str) -> tuple[int, int]:
        records = (
            cells for cells, _, _ in _records_of(text, delimiter) if any(cell.strip(' ";,|\t') for cell in cells)
        )
        widths = [len(cells) for cells in islice(records, 50)]
        return (widths.count(widths[0]), widths[0]) if widths and widths[0] > 1 else (0, 0)

    best = max(_DELIMITERS, key=explained)  # of equals the first
    return best if explained(best) > (0, 0) else ","


def _decimal(text: str, delimiter: str) -> str:
    """Decide the decimal mark from all numbers of the table.

    Semicolons speak for commas unless numbers with a point are the majority. Elsewhere commas must be the majority
    (between commas: all), and one of them must not be followed by just three digits, which may be thousands.
    """
    text = f"\n{text}"
    commas = _numbers_with(",", delimiter).findall(text) if "," in text else []
    points = _numbers_with(".", delimiter).findall(text) if "." in text else []
    if delimiter == ";":
        return "," if len(commas) >= len(points) else "."
    is_sure = any(len(decimals) != 3 for decimals in commas)
    is_majority = not points if delimiter == "," else len(commas) > len(points)
    return "," if is_sure and is_majority else "."


@cache
def _numbers_with(mark: str, delimiter: str) -> re.Pattern[str]:
    """Match cells that are numbers with this decimal mark, and what ends the cell before; catch their decimals."""
    edge = re.escape(delimiter)
    quote = '"' if mark == delimiter else '"?'
    groups = rf"[0-9][0-9 '\u00a0\u2009\u202f{'.' if mark == ',' else ','}]*"
    if mark != delimiter == ",":
        groups = groups.replace(",", "")
    return re.compile(
        rf"[{edge}\n\r] *{quote}(?:[<>≤≥]=? *)?[+\-−]?{groups}{re.escape(mark)}([0-9]+)"
        rf"(?:[eE][+-]?[0-9]+)?(?: *(?:±|\+/?-)[^{edge}\r\n\"]*)?{quote} *(?=[{edge}\r\n]|\Z)"
    )


def _sheet(text: str, file: str, dialect: Dialect, preface: str, remarks: Sequence[str]) -> Sheet:
    """Read records into a sheet and collect what is wrong with their form."""
    records: list[str] = []
    table: list[tuple[int, list[str]]] = []  # number a spreadsheet shows, cells; the header first
    start = 0
    for cells, _, stop in _records_of(text, dialect.delimiter):
        records.append(text[start:stop])
        start = stop
        said = list(map(_unquoted if '"' in records[-1] else str.strip, cells))
        if any(said):
            table.append((len(records), said))
    if not table:
        raise _empty(file)
    (header_number, header), *body = table
    names = list(map(_name, header))
    width = len(names)
    while width and not names[width - 1] and not any(len(cells) >= width and cells[width - 1] for _, cells in body):
        width -= 1
    columns = tuple(names[:width])

    problems, own_remarks = _form_of_header(file, header_number, columns), []
    if nameless := [_letters(position) for position, name in enumerate(columns) if not name]:
        own_remarks.append(f"{file}: column {' and '.join(nameless)} has no name and is kept as it is.")
    short: list[int] = []
    rows: list[tuple[str, ...]] = []
    for number, cells in body:
        if len(cells) != width:
            if any(cells[width:]):
                problems.append(_too_wide(file, number, cells, width, dialect))
            if len(cells) < width:
                short.append(number)
            cells = [*cells[:width], *[""] * (width - len(cells))]
        rows.append(tuple(cells))
        if '"' in records[number - 1]:
            problems += _open_quotes(file, number, columns, cells)
    if short:
        own_remarks.append(f"{file}: {rows_named(short)} ended early; what is missing at the end was taken as blank.")
    return Sheet(
        file,
        columns,
        tuple(rows),
        tuple(number for number, _ in body),
        dialect,
        tuple(problems),
        (*remarks, *(remark for remark in own_remarks if remark not in remarks)),
        tuple(records),
        header_number - 1,
        preface,
    )


def _name(cell: str) -> str:
    """What a cell of a header names."""
    return " ".join(cell.replace("\ufeff", "").split())


def _form_of_header(file: str, number: int, columns: Sequence[str]) -> list[Problem]:
    twice = [name for name, count in Counter(columns).items() if name and count > 1]
    remedy = "Rename one of them, or delete the one that is not needed."
    return [Problem(file, number, name, "Two columns have this name", remedy) for name in twice]


def _too_wide(file: str, number: int, cells: Sequence[str], width: int, dialect: Dialect) -> Problem:
    sign = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}[dialect.delimiter]
    advice = f"A {sign} inside a cell needs quotation marks round the cell"
    comma = "; a decimal comma needs a file with semicolons" if dialect.delimiter == "," else ""
    last = max(position for position, cell in enumerate(cells) if cell) + 1
    return Problem(file, number, None, f"This row has {last} cells, the header {width}", f"{advice}{comma}.")


def _open_quotes(file: str, number: int, columns: Sequence[str], cells: Sequence[str]) -> list[Problem]:
    remedy = "Close it, or delete it."
    return [
        Problem(file, number, name, "This cell opens a quotation mark that nothing closes", remedy)
        for name, cell in zip(columns, cells, strict=True)
        if cell.startswith('"') and cell.count('"') == 1
    ]


def rows_named(numbers: Sequence[int], most: int = 6) -> str:
    """Name rows for a remark.

    Examples
    --------
    >>> rows_named([3]), rows_named([3, 5, 9]), rows_named(range(2, 40), most=3)
    ('row 3', 'rows 3, 5 and 9', 'rows 2, 3, 4 and 35 more')
    """
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    if len(numbers) > most:
        return f"rows {', '.join(map(str, numbers[:most]))} and {len(numbers) - most} more"
    return f"rows {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"


def _letters(position: int) -> str:
    """Name a column as a spreadsheet does: A, B, …, Z, AA."""
    position, last = divmod(position, 26)
    return (_letters(position - 1) if position else "") + chr(ord("A") + last)


def _excel_sheet(data: bytes, file: str) -> Sheet:
    """Read the first sheet of an Excel workbook; what its formulas last gave counts, and dates stay dates."""
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        remedy = 'Install it with `pip install "alloyloop[excel]"`, or save the sheet as CSV (UTF-8).'
        raise CampaignFileError.whole_file(file, "Reading Excel workbooks needs openpyxl", remedy) from error
    try:
        with ZipFile(io.BytesIO(data)) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
        if unpacked > MOST_UNPACKED:
            raise ValueError(f"it has {unpacked / 1e6:.3g} MB when unpacked")
        values = load_workbook(io.BytesIO(data), data_only=True).worksheets[0].values
        formulas = load_workbook(io.BytesIO(data)).worksheets[0].values
        cells = list(zip(map(tuple, values), map(tuple, formulas), strict=True))
    except Exception as error:  # openpyxl raises whatever its XML and zip readers do
        raise CampaignFileError.whole_file(
            file, f"This workbook cannot be read ({error})", "Save the sheet as CSV (UTF-8)."
        ) from error
    dialect = Dialect()
    lines = [dialect.delimiter.join(dialect.cell(_excel_text(value)) for value in row) for row, _ in cells]
    text = "".join(f"{line}\n" for line in lines)
    if not text.strip(" ,\n"):
        raise CampaignFileError.whole_file(file, "Its first sheet is empty", "Put the table into the first sheet.")
    sheet = _sheet(text, file, dialect, "", ())
    never_computed = [
        Problem(
            file,
            number,
            _letters(position),
            f"The formula {formula} has no value",
            "Open the file once in Excel and save it.",
        )
        for number, (row, written) in enumerate(cells, 1)
        for position, (value, formula) in enumerate(zip(row, written, strict=True))
        if value is None and isinstance(formula, str) and formula.startswith("=")
    ]
    return replace(sheet, problems=(*sheet.problems, *never_computed))


def _excel_text(value: object) -> str:
    """Write an Excel cell as text: fifteen digits, as Excel shows; a date as a date, so that it is found out later."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case int() | float():
            return f"{value:.15g}"
        case datetime() if value.time() == datetime.min.time():
            return value.date().isoformat()
        case _:
            return str(value)
