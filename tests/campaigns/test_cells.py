"""What one cell says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.campaigns.cells import NotANumberError, Reading, is_not_known, read_number, read_numbers, safe_cell

MARKS = st.sampled_from([".", ","])


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [
        ("61.2", ".", 61.2),
        ("61,2", ",", 61.2),
        ("1,234", ",", 1.234),
        ("1 234,5", ",", 1234.5),
        ("1.234,5", ",", 1234.5),
        ("1,234.5", ".", 1234.5),
        ("1,234,567", ".", 1234567),
        ("1'234.5", ".", 1234.5),
        ("1\u202f234,5", ",", 1234.5),
        ("−12.5", ".", -12.5),
        (".5", ".", 0.5),
        ("5.", ".", 5),
        ("1.2e-3", ".", 0.0012),
        ("61.2", ",", 61.2),  # no thousands: in a file of decimal commas it can only be a decimal point
        ("0.125", ",", 0.125),
    ],
)
def test_a_number_is_read_as_people_write_it(cell: str, decimal: str, value: float) -> None:
    assert (
        read_number(cell, decimal) == pytest.approx(Reading(value).value) or read_number(cell, decimal).value == value
    )


@pytest.mark.parametrize("cell", ["", "-", "–", "n/a", "N/A", "NaN", "n.d.", "#N/A", "?", "none"])
def test_blank_and_its_kind_are_not_known(cell: str) -> None:
    assert is_not_known(cell)
    assert math.isnan(read_number(cell).value)


def test_bounds_and_spreads_are_read() -> None:
    assert (read_number("<12").value, read_number("<12").censored) == (12, "<")
    assert (read_number("≥ 12,5", ",").value, read_number("≥ 12,5", ",").censored) == (12.5, ">")
    assert (read_number("61.2 ± 0.8").value, read_number("61.2 ± 0.8").std) == (61.2, 0.8)
    assert read_number("61,2+/-0,8", ",").std == 0.8


DATES = [
    "12. Mrz",
    "2026-05-01",
    "2026-05-01 00:00:00",
    "1-May",
    "Jan 12",
    "12.03.2026",
    "1/5/2026",
    "01.Mai",
    "5/6",
    "déc-26",
]


@pytest.mark.parametrize("cell", DATES)
def test_a_date_where_a_number_belongs_is_named_a_date(cell: str) -> None:
    with pytest.raises(NotANumberError, match=r"is a date, not a number\. Format the column as numbers"):
        read_number(cell)


@pytest.mark.parametrize(
    ("cell", "decimal", "message"),
    [
        ("61,2", ".", r"decimal comma, the file is not\. Write 61\.2, or save the whole file with decimal commas"),
        ("1 234,5", ".", r"Write 1234\.5"),
        ("1,234", ".", r"may be 1234 or 1\.234"),
        ("1.234", ",", r"may be 1234 or 1,234"),
        ("58.2, 59.1", ".", r"is several numbers\. Write their mean"),
        ("40-50", ".", r"is a range"),
        ("61 GPa", ".", r"Write 61; units belong in the column's name"),
        ("12 %", ".", r"Write 12; units"),
        ("#DIV/0!", ".", r"is a spreadsheet's error"),
        ("6l.2", ".", r"'6l\.2' is not a number\. Write it like 61\.2"),
        ("±", ".", r"is not a number"),
        ("1_000", ".", r"is not a number"),
        ("inf", ".", r"is not a number"),
        ("1e999", ".", r"larger than any number"),
    ],
)
def test_what_is_no_number_is_explained(cell: str, decimal: str, message: str) -> None:
    with pytest.raises(NotANumberError, match=message):
        read_number(cell, decimal)


@given(st.floats(allow_nan=False, allow_infinity=False), MARKS)
def test_every_number_written_plainly_is_read_back_exactly(value: float, decimal: str) -> None:
    assert read_number(repr(value).replace(".", decimal), decimal).value == value


@given(st.lists(st.text(alphabet="0123456789.,-+eE <±/n a", max_size=8), max_size=20), MARKS)
def test_a_column_is_read_as_its_cells_are_one_by_one(cells: list[str], decimal: str) -> None:
    numbers, others = read_numbers(cells, decimal)
    for place, cell in enumerate(cells):
        try:
            expected = read_number(cell, decimal).value
        except NotANumberError:
            assert isinstance(others[place], NotANumberError)
            expected = math.nan
        np.testing.assert_equal(numbers[place], expected)


@given(st.text(max_size=12), MARKS)
def test_any_text_is_a_number_or_is_refused_with_a_reason(cell: str, decimal: str) -> None:
    _, others = read_numbers([cell], decimal)
    match others.get(0):
        case NotANumberError() as refusal:
            assert refusal.problem
            assert refusal.remedy
        case Reading(value=value):
            assert not math.isinf(value)


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-cracked", "@SUM(A1)", " =1+1", "＝1+1"])
def test_text_that_a_spreadsheet_would_compute_is_made_safe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-12.5", "-12,5", "+3", "-1e-3", "-", "", "Ti-35Nb", "a=b"])
def test_numbers_and_other_text_stay_as_they_are(text: str) -> None:
    assert safe_cell(text) == text
