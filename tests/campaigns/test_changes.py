"""What an event did to the table: read off two tables, done, taken back, and written down."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.campaigns.changes import Change, in_decimal
from alloyloop.campaigns.sheet import Dialect, Sheet, new_sheet, parse_sheet, sheet_text
from alloyloop.surrogates.errors import AlloyloopError

WAS = parse_sheet("id,status,E\nA,known,85\nB,proposed,\n", "experiments.csv")


def cells(sheet: Sheet) -> dict[str, dict[str, str]]:
    """id → column → what the cell says, blank ones left out."""
    rows = [dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows]
    return {row.pop("id"): {name: text for name, text in row.items() if text} for row in rows}


def test_a_change_names_cells_with_what_they_said_before() -> None:
    now = parse_sheet("id,status,E\nA,known,85\nB,measured,61\n")
    assert Change.between(WAS, now) == Change(cells={"B": {"status": ("proposed", "measured"), "E": ("", "61")}})


def test_a_change_names_rows_and_columns_that_came() -> None:
    now = parse_sheet("id,status,E,note\nA,known,85,\nB,proposed,,\nC,known,70,hard\n")
    change = Change.between(WAS, now)
    assert change.columns == ("note",)
    assert change.added == ({"id": "C", "status": "known", "E": "70", "note": "hard"},)
    assert not change.cells


def test_a_change_names_rows_that_were_taken_out() -> None:
    change = Change.between(WAS, parse_sheet("id,status,E\nB,proposed,\n"))
    assert change == Change(removed=({"id": "A", "status": "known", "E": "85"},))
    assert cells(change.apply(WAS)) == {"B": {"status": "proposed"}}


def test_only_what_is_said_counts_not_its_order_nor_its_form() -> None:
    now = parse_sheet('E;id;status\n;B;proposed\n"85";A;known\n')
    assert not Change.between(WAS, now)


def test_a_column_that_is_taken_out_leaves_blank_cells() -> None:
    assert Change.between(WAS, parse_sheet("id,status\nA,known\nB,proposed\n")).cells == {"A": {"E": ("85", "")}}


def test_a_table_saved_with_decimal_commas_says_the_same() -> None:
    point = parse_sheet("id,E,note\nA,85.5,4.2 K\nB,61.25 ± 0.5,\nC,<12.5,\n")
    comma = parse_sheet("id;E;note\nA;85,5;4.2 K\nB;61,25 ± 0,5;\nC;<12,5;\n")
    assert comma.dialect.decimal == ","
    assert not Change.between(point, comma)
    change = Change(cells={"A": {"E": ("85.5", "58.25"), "note": ("4.2 K", "twice, 4.2 K")}})
    assert cells(change.apply(comma))["A"] == {"E": "58,25", "note": "twice, 4.2 K"}


@pytest.mark.parametrize(
    ("text", "ours"),
    [("58.2", "58,2"), ("-0.3e-4", "-0,3e-4"), ("<12.5", "<12,5"), ("61.2 ± 0.8", "61,2 ± 0,8"), (".5", ",5")]
    + [(text, text) for text in ("58", "", "cracked, 2.5 mm", "1,234.5", "10.1016/j.jmrt", "v1.2.3", "<12")],
)
def test_only_numbers_change_their_mark(text: str, ours: str) -> None:
    assert in_decimal(text, ".", ",") == ours


def test_what_already_stands_there_is_not_done_twice() -> None:
    change = Change(("note",), ({"id": "C", "status": "known"},), {"B": {"E": ("", "61")}}, ({"id": "A"},))
    once = change.apply(WAS)
    assert sheet_text(change.apply(once)) == sheet_text(once)
    assert not change.rest(once)


def test_the_rest_of_a_change_leaves_alone_what_somebody_changed_since() -> None:
    change = Change(
        (), ({"id": "C"},), {"A": {"E": ("85", "86")}, "B": {"E": ("", "61"), "status": ("proposed", "made")}}
    )
    since = WAS.with_cells({(1, "E"): "62"})
    assert change.unmet(since) == {"B": {"E": ("", "62")}}
    assert change.rest(since) == Change(
        (), ({"id": "C"},), {"A": {"E": ("85", "86")}, "B": {"status": ("proposed", "made")}}
    )


def test_a_row_that_is_gone_is_said() -> None:
    assert Change(cells={"Z": {"E": ("1", "2")}}).unmet(WAS) == {"Z": {"id": ("Z", "")}}
    assert sheet_text(Change(cells={"Z": {"E": ("1", "2")}}).apply(WAS)) == sheet_text(WAS)


def test_taking_back_deletes_nothing() -> None:
    suggested = Change(added=({"id": "R001-1", "status": "proposed"},), columns=("note",))
    back = suggested.inverse().apply(suggested.apply(WAS))
    assert cells(back)["R001-1"] == {"status": "withdrawn", "reason": "undone"}
    again = suggested.inverse().inverse().apply(back)
    assert cells(again)["R001-1"] == {"status": "proposed"}


def test_text_that_a_spreadsheet_would_compute_is_made_safe_and_stays_the_same() -> None:
    change = Change(cells={"A": {"E": ("85", "=1+1")}})
    once = change.apply(WAS)
    assert once.cell(0, "E") == "'=1+1"
    assert Change.between(WAS, once).apply(WAS).rows == once.rows


@pytest.mark.parametrize(
    "damage",
    [
        *("soft", 3, None, ["id"], {"columns": "E"}, {"decimal": ";"}),
        *({"cells": cells} for cells in (["A"], {"A": {"E": "85"}}, {"A": {"E": ["85"]}}, {"A": {"E": [1, 2]}})),
        *({"added": rows} for rows in (["A"], [{"E": "1"}], [{"id": ""}], {"id": "A"})),
    ],
    ids=repr,
)
def test_what_is_no_change_is_refused(damage: object) -> None:
    with pytest.raises(AlloyloopError, match="cannot be understood"):
        Change.from_json(damage)


texts = st.text(st.sampled_from("aZ19 ,;.\"='±<é\n"), max_size=6).map(str.strip)
numbers = st.decimals(0, 100, places=2).map(str)
NAMES = ("id", "status", "E", "note")


@st.composite
def tables(draw: st.DrawFn, decimal: str = ".") -> Sheet:
    """Tables of a few rows, each with an id of its own."""
    ids = draw(st.lists(st.sampled_from("ABCDEF"), unique=True, max_size=6))
    columns = ("id", *draw(st.lists(st.sampled_from(NAMES[1:]), unique=True)))
    rows = [{"id": id} | {name: draw(texts | numbers) for name in columns[1:]} for id in ids]
    return new_sheet(columns, rows, dialect=Dialect(";" if decimal == "," else ",", decimal))


@given(tables(), tables())
def test_doing_the_change_between_two_tables_gives_the_second(was: Sheet, now: Sheet) -> None:
    change = Change.from_json(json.loads(json.dumps(Change.between(was, now).json())))
    assert cells(change.apply(was)) == cells(now)
    assert not change.unmet(was)


@given(tables(), tables())
def test_the_change_between_equal_tables_is_none(was: Sheet, now: Sheet) -> None:
    assert not Change.between(was, was)
    assert bool(Change.between(was, now)) == (cells(was) != cells(now) or not {*now.columns} <= {*was.columns})


@given(tables(), tables())
def test_what_was_changed_and_taken_back_says_what_it_said(was: Sheet, now: Sheet) -> None:
    change = Change.between(was, now)
    back = cells(change.inverse().apply(change.apply(was)))
    came = {row["id"] for row in change.added}
    assert {id: row for id, row in back.items() if id not in came} == cells(was)
    assert all(back[id]["status"] == "withdrawn" for id in came)
