"""No cell that we write for a spreadsheet is computed by it, and numbers stay numbers; the user's own cells stay."""

from __future__ import annotations

import csv
import re
from io import StringIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alloyloop.campaigns.answers import Answer, Answers
from alloyloop.campaigns.melting import proposals_table
from alloyloop.campaigns.sheet import Dialect, Sheet, new_sheet, sheet_bytes
from alloyloop.design.composition import Composition

# What Excel and LibreOffice take for a formula, full-width signs among them, after blanks; a sign alone is text.
FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]\s*\S")
NUMBER = re.compile(r"[+-]?[0-9.,]+(?:[eE][+-]?[0-9]+)?|[+-]?")
TEXTS = st.text("=+-@＝12.,;e \t\"'ab\n", max_size=8)
DIALECTS = st.sampled_from([Dialect(","), Dialect(";", ","), Dialect("\t")])


def computed(sheet: Sheet) -> list[str]:
    """The cells of the file, read by another reader, that a spreadsheet would compute."""
    text = sheet_bytes(sheet).decode("utf-8")
    rows = csv.reader(StringIO(text, newline=""), delimiter=sheet.dialect.delimiter)
    return [cell for row in rows for cell in row if FORMULA.match(cell) and not NUMBER.fullmatch(cell.strip())]


@given(DIALECTS, st.lists(TEXTS, min_size=2, max_size=2), TEXTS)
@example(Dialect(","), ["=1+1", "\t@SUM(A1)"], "-cracked")
@example(Dialect(";", ","), ["＝1+1", '"=1"'], " =1")
def test_no_cell_that_is_written_is_computed(dialect: Dialect, row: list[str], changed: str) -> None:
    sheet = new_sheet(["id", "note"], [{"id": "A", "note": row[0]}, {"id": "B", "note": row[1]}], dialect=dialect)
    assert computed(sheet) == []
    assert computed(sheet.with_cell(0, "note", changed)) == []
    assert computed(sheet.with_rows([{"id": changed, "=new": changed}])) == []


@given(DIALECTS, st.floats(-1e12, 1e12))
def test_numbers_stay_numbers(dialect: Dialect, number: float) -> None:
    written = dialect.number(number)
    assert new_sheet(["id", "E"], [{"id": "A", "E": written}], dialect=dialect).cell(0, "E") == written


@pytest.mark.parametrize("evil", ["=cmd|' /C calc'!A0", "@SUM(A1)", "-cracked", "+1+1"])
def test_a_proposal_holds_no_formula(evil: str) -> None:
    alloy = Composition.parse("Ti-24Nb wt")
    answer = Answer("R001-1", alloy, {"quench": evil}, {}, {"all": 1.0}, None, flags=(evil,), why=evil, runner_up=evil)
    sheet = proposals_table(Answers((answer,), (), 1))
    assert computed(sheet) == []
    assert any(evil in cell for cell in sheet.rows[0])
