"""Tables as spreadsheets save them: read rightly, and written back as they were."""

from __future__ import annotations

import csv
import io
import sys
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from alloyloop.campaigns.problems import CampaignFileError
from alloyloop.campaigns.sheet import (
    Dialect,
    Sheet,
    new_sheet,
    parse_sheet,
    read_sheet,
    sheet_bytes,
    sheet_text,
    write_sheet,
)


def problems_of(sheet: Sheet) -> list[str]:
    return [str(problem) for problem in sheet.problems]


@pytest.mark.parametrize(
    ("text", "delimiter", "decimal"),
    [
        ("id,E\nA,61.2\n", ",", "."),
        ("id;E\nA;61,2\n", ";", ","),
        ("id;E\nA;61.2\n", ";", "."),
        ("id;E\nA;61\n", ";", ","),  # nothing but the semicolon tells, and it is a sign of decimal commas
        ("id\tE\nA\t61.2\n", "\t", "."),
        ("id\tE\nA\t61,2\n", "\t", ","),
        ("id\tE\nA\t1,234\n", "\t", "."),  # may be a thousand
        ("id|E\nA|61.2\n", "|", "."),
        ('id,E\nA,"61,2"\n', ",", ","),  # what a European online spreadsheet exports
        ('id,E,T\nA,"61,2",20.5\n', ",", "."),
        ("sep=;\nid;E\nA;61,2\n", ";", ","),
        ("E, GPa;Rm, MPa\n61,2;500\n58,3;510\n", ";", ","),  # more commas than semicolons, yet only these fit the rows
        ('id,note\nA,"one; two; three"\n', ",", "."),
        ("id;doi;E\nA;10.1016/j.1;61,2\n1.1;x;60\n1.2;x;58\n", ";", "."),  # ids with points are the majority here
        ("E\n61.2\n", ",", "."),
    ],
)
def test_the_dialect_follows_from_the_table(text: str, delimiter: str, decimal: str) -> None:
    dialect = parse_sheet(text).dialect
    assert (dialect.delimiter, dialect.decimal) == (delimiter, decimal)


def test_decimal_commas_between_commas_are_said() -> None:
    (remark,) = parse_sheet('id,E\nA,"61,2"\n', "my.csv").remarks
    assert "my.csv writes numbers with a decimal comma inside quotation marks" in remark


def test_quoted_cells_may_hold_delimiters_quotation_marks_and_new_lines() -> None:
    sheet = parse_sheet('id,note\r\nA,"cracked, ""badly""\r\nat the rim"\r\nB,fine\r\n')
    assert sheet.rows == (("A", 'cracked, "badly"\r\nat the rim'), ("B", "fine"))
    assert sheet.row_numbers == (2, 3)


def test_a_header_of_two_lines_is_one_name() -> None:
    assert parse_sheet('id,"E\n(GPa)"\nA,61\n').columns == ("id", "E (GPa)")


def test_rows_are_numbered_as_a_spreadsheet_shows_them() -> None:
    sheet = parse_sheet("sep=,\n\nid,E\nA,61\n,\nB,58\n")
    assert (sheet.header_number, sheet.row_numbers) == (2, (3, 5))


def test_empty_rows_and_columns_at_the_end_are_no_part_of_the_table_and_stay_in_the_file() -> None:
    text = "id;E;;\r\nA;61;;\r\n;;;\r\n;;;\r\n"
    sheet = parse_sheet(text)
    assert (sheet.columns, sheet.rows, sheet.problems) == (("id", "E"), (("A", "61"),), ())
    assert sheet_text(sheet) == text


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b";;;\r\n;;;\r\n", b" \t\n", b'""', b"sep=;\n"])
def test_an_empty_file_is_said_to_be_empty(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(data)
    with pytest.raises(CampaignFileError, match=r"a\.csv: The file is empty"):
        read_sheet(tmp_path / "a.csv")


def test_a_header_alone_is_a_table_without_rows() -> None:
    assert parse_sheet("id,E").rows == ()


def test_a_row_with_more_cells_than_the_header_is_a_problem_with_its_place() -> None:
    (problem,) = problems_of(parse_sheet("id,E,note\nA,61,2,soft\nB,58,,\n", "a.csv"))
    assert problem.startswith("a.csv, row 2: This row has 4 cells, the header 3. A comma inside a cell needs quotation")


def test_a_row_that_ends_early_is_filled_with_blanks_and_said() -> None:
    sheet = parse_sheet("id,E,note\nA\nB,58,x\nC,61\n", "a.csv")
    assert sheet.rows == (("A", "", ""), ("B", "58", "x"), ("C", "61", ""))
    assert sheet.remarks == ("a.csv: rows 2 and 4 ended early; what is missing at the end was taken as blank.",)


def test_two_columns_of_one_name_are_a_problem() -> None:
    (problem,) = problems_of(parse_sheet("id,E,E\nA,61,62\n", "a.csv"))
    assert problem.startswith("a.csv, row 1, column E: Two columns have this name")


def test_a_column_without_a_name_is_kept_and_said() -> None:
    sheet = parse_sheet(",id\n0,A\n", "a.csv")
    assert sheet.rows == (("0", "A"),)
    assert sheet.remarks == ("a.csv: column A has no name and is kept as it is.",)


def test_a_quotation_mark_that_is_never_closed_swallows_no_rows() -> None:
    sheet = parse_sheet('id,note\nA,"oops\nB,fine\n', "a.csv")
    assert sheet.rows == (("A", '"oops'), ("B", "fine"))
    assert problems_of(sheet)[0].startswith("a.csv, row 2, column note: This cell opens a quotation mark")


def test_a_changed_cell_is_all_that_changes() -> None:
    text = 'sep=;\r\n"id" ;E; "note"\r\nA;61,20;"say ""a"""\r\n\r\nB; 58 ;x\n'
    sheet = parse_sheet(text)
    assert sheet_text(sheet.with_cell(1, "E", "57,5")) == text.replace(" 58 ", "57,5")
    assert sheet_text(sheet.with_cell(0, "note", "a;b")) == text.replace('"say ""a"""', '"a;b"')


def test_new_rows_stand_below_the_last_and_new_columns_at_the_end() -> None:
    sheet = parse_sheet("id;E;;\r\nA;61;;\r\n;;;\r\n")
    assert sheet_text(sheet.with_rows([{"id": "B", "HV": "200"}])) == "id;E;HV;\r\nA;61;;\r\nB;;200;\r\n;;;\r\n"


def test_a_row_is_added_to_a_file_that_does_not_end_its_last_line() -> None:
    assert sheet_text(parse_sheet("id,E\r\nA,61").with_rows([{"id": "B"}])) == "id,E\r\nA,61\r\nB,\r\n"


def test_what_we_write_is_never_a_formula_and_what_the_user_wrote_stays() -> None:
    sheet = parse_sheet("id,note\nA,=1+1\nB,\n").with_cell(1, "note", "=2+2")
    assert sheet.rows == (("A", "=1+1"), ("B", "'=2+2"))


def test_numbers_are_written_in_the_manner_of_the_file() -> None:
    # By hand: twelve significant digits, no exponent or trailing zero where none is needed.
    assert [Dialect(";", ",").number(x) for x in (58.3, 40.0, -0.0, 1 / 3, 0.1 + 0.2)] == [
        *("58,3", "40", "0", "0,333333333333", "0,3")
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_keeps_its_encoding(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    data = "id;T °C\r\nA;900\r\n".encode(encoding)
    path.write_bytes(data)
    write_sheet(path, read_sheet(path))
    assert path.read_bytes() == data
    changed = read_sheet(path).with_cell(0, "T °C", "950")
    assert sheet_bytes(changed) == data.replace("900".encode("utf-16-le"), "950".encode("utf-16-le")).replace(
        b"900", b"950"
    )


CELLS = st.text(alphabet='ab1.5, ;\t"\n\r=-°β', max_size=6)


@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), min_size=1, max_size=5), st.sampled_from(",;\t|"))
def test_any_text_is_read_or_refused_and_read_text_is_written_back_as_it_was(table: list[list[str]], sign: str) -> None:
    text = "\n".join(sign.join(row) for row in table)
    try:
        sheet = parse_sheet(text)
    except CampaignFileError:
        return
    assert sheet_text(sheet) == text
    assert all(len(row) == len(sheet.columns) for row in sheet.rows)


ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])
LINES = st.sampled_from(["\n", "\r\n", "\r"])
SAID = st.text("ab1,.; °µ", max_size=5)


@st.composite
def written_tables(draw: st.DrawFn) -> tuple[list[list[str]], str, str, str, str]:
    """Cells as somebody wrote them, quoted or not, blanks round them; delimiter, line ends, encoding, first line."""
    delimiter = draw(st.sampled_from(",;\t|"))

    def cell(text: str) -> str:
        must = delimiter in text
        quoted = f'"{text}"' if must or draw(st.booleans()) else text
        return quoted if must else draw(st.sampled_from(["", " "])) + quoted + draw(st.sampled_from(["", " "]))

    width = draw(st.integers(2, 4))
    header = [cell(f"{name}{i}") for i, name in enumerate(["id", "E (GPa)", "my own", "note °"][:width])]
    body = [
        [cell(f"A{row}"), *(cell(draw(SAID)) for _ in range(draw(st.integers(1, width)) - 1))]
        for row in range(draw(st.integers(1, 4)))
    ]
    return [header, *body], delimiter, draw(LINES), draw(ENCODINGS), draw(st.sampled_from(["", f"sep={delimiter}"]))


@given(written_tables(), st.data())
def test_a_file_comes_back_to_the_byte_and_one_changed_cell_changes_no_other_byte(
    written: tuple[list[list[str]], str, str, str, str], data: st.DataObject
) -> None:
    table, delimiter, end, encoding, first = written

    def bytes_of(cells: list[list[str]]) -> bytes:
        lines = [*([first] if first else []), *(delimiter.join(row) for row in cells)]
        return (end.join(lines) + end).encode(encoding)

    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(bytes_of(table))
        sheet = read_sheet(path)
    assert sheet_bytes(sheet) == bytes_of(table)
    assume(sheet.dialect.delimiter == delimiter and len(sheet.columns) == len(table[0]))
    row = data.draw(st.integers(1, len(table) - 1))
    place = data.draw(st.integers(0, len(table[row]) - 1))
    changed = [[*cells] for cells in table]
    changed[row][place] = "X9"
    assert sheet_bytes(sheet.with_cell(row - 1, sheet.columns[place], "X9")) == bytes_of(changed)


@given(
    st.lists(st.lists(st.text(max_size=6), min_size=3, max_size=3), min_size=1, max_size=5),
    st.sampled_from([Dialect(), Dialect(";", ","), Dialect("\t", newline="\r\n")]),
)
def test_every_cell_we_write_is_read_as_the_standard_library_reads_it(rows: list[list[str]], dialect: Dialect) -> None:
    columns = ("id", "E", "note")
    cells = [[" ".join(cell.split()) for cell in row] for row in rows]
    sheet = new_sheet(columns, [dict(zip(columns, ["x", *row[1:]], strict=True)) for row in cells], dialect=dialect)
    oracle = list(csv.reader(io.StringIO(sheet_text(sheet), newline=""), delimiter=dialect.delimiter))
    assert [list(row) for row in sheet.rows] == oracle[1:]


@given(st.text(alphabet='ab,;"\n\r=-°β', max_size=8), st.integers(0, 1), st.sampled_from(["id", "E", "new"]))
def test_a_changed_cell_says_what_was_written_and_no_other_cell_changes(text: str, row: int, column: str) -> None:
    sheet = parse_sheet('id;E;note\r\nA;61,2;"a;b"\r\nB;58,3;\r\n')
    changed = sheet.with_cell(row, column, text)
    said = changed.cell(row, column)
    assert said in {text.strip(), "'" + text.strip(), "'" + text.rstrip()}
    for other in range(2):
        for name in sheet.columns:
            if (other, name) != (row, column):
                assert changed.cell(other, name) == sheet.cell(other, name)


def test_an_excel_workbook_is_read_as_its_sheet_looks(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in [["id", "E", "made"], [], ["A", 61.2, date(2026, 5, 1)], ["B", 0.1 + 0.2, True]]:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    sheet = read_sheet(tmp_path / "a.xlsx")
    assert sheet.columns == ("id", "E", "made")
    assert sheet.rows == (("A", "61.2", "2026-05-01"), ("B", "0.3", "TRUE"))
    assert sheet.row_numbers == (3, 4)


def test_a_formula_that_excel_never_computed_is_a_problem(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["id", "E"])
    book.active.append(["A", "=60+1"])
    book.save(tmp_path / "a.xlsx")
    (problem,) = problems_of(read_sheet(tmp_path / "a.xlsx"))
    assert problem.startswith("a.xlsx, row 2, column B: The formula =60+1 has no value")


def test_without_openpyxl_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"PK\x03\x04")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(CampaignFileError, match=r'needs openpyxl\. Install it with `pip install "alloyloop\[excel\]"`'):
        read_sheet(tmp_path / "a.xlsx")


@pytest.mark.parametrize(
    ("data", "message"), [(b"PK\x03\x04junk", "cannot be read"), (b"\xd0\xcf\x11\xe0", "old Excel")]
)
def test_a_broken_or_old_workbook_is_said_plainly(data: bytes, message: str, tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    (tmp_path / "a.xlsx").write_bytes(data)
    with pytest.raises(CampaignFileError, match=message):
        read_sheet(tmp_path / "a.xlsx")
