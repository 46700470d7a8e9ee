"""Tables as workbooks, judged by openpyxl: numbers are numbers, nothing is computed, and a table comes back."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alloyloop.campaigns.problems import CampaignFileError
from alloyloop.campaigns.sheet import Dialect, new_sheet, parse_sheet, read_sheet
from alloyloop.campaigns.workbook import table_bytes, workbook

from .folders import alloyloop, make, make_with_round

openpyxl = pytest.importorskip("openpyxl")


def page(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]


def test_numbers_are_numbers_with_either_decimal_mark() -> None:
    cells = page(workbook(parse_sheet("id;E;T;n\nA;61,20;-1,5e3;7\n")))[2]
    assert [(cell.value, cell.data_type) for cell in cells] == [("A", "s"), (61.2, "n"), (-1500.0, "n"), (7, "n")]


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-x", "@SUM(A1)", "=HYPERLINK(A1)", "#N/A", "＝1"])
def test_text_is_never_a_formula(text: str) -> None:
    cell = page(workbook(parse_sheet(f'id,note,{text.replace(",", "")}\nA,"{text}",x\n')))["B2"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (text, "s", True)


@pytest.mark.parametrize("text", ["007", "<12", "61.2 ± 0.8", "1234567890123456", "12.0e", "n/a", "0,5"])
def test_what_a_number_would_not_say_stays_text(text: str) -> None:
    sheet = new_sheet(["id", "E"], [{"id": "A", "E": text}])
    assert page(workbook(sheet))["B2"].value == text


def test_a_name_that_looks_like_a_number_stays_a_name() -> None:
    assert page(workbook(parse_sheet("id,E\n1e5,61\n")))["A2"].value == "1e5"


def test_signs_that_a_workbook_cannot_hold_are_replaced() -> None:
    assert page(workbook(new_sheet(["id", "note"], [{"id": "A", "note": "a\x07b"}])))["B2"].value == "a\ufffdb"


@given(
    rows=st.lists(
        st.tuples(
            st.text("ab=-+@ µ'\"", max_size=5).map(lambda text: f"A{text.strip()}"),
            st.floats(-1e9, 1e9).map(lambda value: f"{value:.6g}") | st.sampled_from(["", "<12", "007"]),
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=25)
def test_a_table_written_and_read_again_says_the_same(rows: list[tuple[str, str]], tmp_path_factory: Any) -> None:
    sheet = new_sheet(["id", "E"], [{"id": id, "E": value} for id, value in rows], dialect=Dialect())
    path = tmp_path_factory.mktemp("a") / "a.xlsx"
    path.write_bytes(table_bytes(path, sheet))
    for (id, value), (read_id, read) in zip(sheet.rows, read_sheet(path).rows, strict=True):
        assert read_id == " ".join(id.split()) or read_id == id
        assert read == value or float(read) == float(value)


def test_another_name_gives_text_as_the_table_is_written_down() -> None:
    assert table_bytes(Path("a.csv"), parse_sheet("id;E\nA;61,2\n")) == b"id;E\nA;61,2\n"


def test_without_openpyxl_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(CampaignFileError, match=r'a\.xlsx: Writing .* openpyxl\. Install it with `pip install "alloyl'):
        workbook(parse_sheet("id\nA\n"), "a.xlsx")


def test_a_campaign_goes_to_excel_and_its_results_come_back(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti")
    told = alloyloop("export", str(folder), str(tmp_path / "table.xlsx"))
    assert (told.code, told.err) == (0, "")
    book = openpyxl.load_workbook(tmp_path / "table.xlsx")
    sheet = book.worksheets[0]
    columns = [cell.value for cell in sheet[1]]
    assert columns == list(read_sheet(folder / "experiments.csv").columns)
    sheet.cell(2, columns.index("youngs_modulus_GPa") + 1).value = 71.5
    book.save(tmp_path / "table.xlsx")
    before = (folder / "experiments.csv").read_text(encoding="utf-8").splitlines()
    told = alloyloop("record", str(folder), str(tmp_path / "table.xlsx"))
    assert (told.code, told.err) == (0, "")
    after = (folder / "experiments.csv").read_text(encoding="utf-8").splitlines()
    assert [i for i, (was, now) in enumerate(zip(before, after, strict=True)) if was != now] == [1]
    assert "71.5" in after[1]


def test_a_melt_sheet_is_written_as_a_workbook_with_numbers(tmp_path: Path) -> None:
    folder = make_with_round(tmp_path / "ti")
    told = alloyloop("melt-sheet", str(folder), "-o", str(tmp_path / "melts.xlsx"))
    assert (told.code, told.err) == (0, "")
    rows = list(page((tmp_path / "melts.xlsx").read_bytes()).iter_rows(values_only=True))
    place = rows[0].index("weigh_g")
    assert all(isinstance(row[place], int | float) for row in rows[1:] if row[place] is not None)
    assert sum(1 for row in rows[1:] if row[place] is not None) > 2


def test_only_a_workbook_is_exported(tmp_path: Path) -> None:
    assert alloyloop("export", str(make(tmp_path / "ti")), "table.csv").code == 2
