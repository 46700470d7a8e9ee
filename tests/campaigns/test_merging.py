"""Tables that git joined by union, settled by what the events of two branches say; git itself is in test_git.py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.campaigns.changes import Change
from alloyloop.campaigns.folder import Folder
from alloyloop.campaigns.history import History, rebuilt
from alloyloop.campaigns.journal import Event
from alloyloop.campaigns.merging import Merged, merged
from alloyloop.campaigns.sheet import Sheet, new_sheet, parse_sheet, sheet_text

COLUMNS = ("id", "status", "E", "note")
IDS = ("R1", "R2", "R3", "R4")
BASE = new_sheet(COLUMNS, [{"id": id, "status": "proposed"} for id in IDS], file="experiments.csv")
Cells = Mapping[str, Mapping[str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A campaign whose first round froze the empty table."""
    folder = Folder(tmp_path_factory.mktemp("merging"))
    inputs = folder.round(1) / "inputs"
    inputs.mkdir(parents=True)
    (inputs / "experiments.csv").write_text("id,status,E,note\n", encoding="utf-8")
    return folder


FIRST = Event("first", {"what": "suggest", "round": 1, "after": [], "change": Change.between(
    new_sheet(COLUMNS, file="experiments.csv"), BASE).json()})  # fmt: skip


def changed(cells: Cells) -> Sheet:
    return BASE.with_cells({(IDS.index(id), name): text for id, row in cells.items() for name, text in row.items()})


def event(who: str, cells: Cells) -> Event:
    change = Change.between(BASE, changed(cells)).json()
    when = "2026-07-01T10:00:00.000+00:00"
    return Event(who, {"what": "record", "who": who, "when": when, "after": ["first"], "change": change})


def union(ours: Cells, theirs: Cells) -> Sheet:
    """What git's union leaves at its worst: one table below the other."""
    return parse_sheet(sheet_text(changed(ours)) + sheet_text(changed(theirs)), "experiments.csv")


def met(folder: Folder, ours: Cells, theirs: Cells) -> Merged:
    return merged(folder, union(ours, theirs), History.of([FIRST, event("ann", ours), event("ben", theirs)]))


def rows(sheet: Sheet) -> dict[str, dict[str, str]]:
    return {cells[0]: {n: c for n, c in zip(sheet.columns, cells, strict=True) if c} for cells in sheet.rows}


texts = st.sampled_from(["58.2", "61", "made", "cracked", "a, b"])
cell = st.tuples(st.sampled_from(IDS), st.sampled_from(["E", "note", "furnace", "made_by"]))


@given(ours=st.dictionaries(cell, texts), theirs=st.dictionaries(cell, texts))
def test_what_two_branches_recorded_of_different_cells_is_all_there(
    folder: Folder, ours: dict[tuple[str, str], str], theirs: dict[tuple[str, str], str]
) -> None:
    theirs = {place: text for place, text in theirs.items() if place not in ours}
    mine, yours = ({id: {n: t for (i, n), t in of.items() if i == id} for id in IDS} for of in (ours, theirs))
    found = met(folder, mine, yours)
    assert found.problems == ()
    assert rows(found.sheet) == {id: {"id": id, "status": "proposed", **mine[id], **yours[id]} for id in IDS}
    assert found.change.cells == {}  # the journal says all of it


@given(ours=st.dictionaries(cell, texts), theirs=st.dictionaries(cell, texts))
def test_a_person_is_asked_about_a_cell_if_and_only_if_the_branches_differ_in_it(
    folder: Folder, ours: dict[tuple[str, str], str], theirs: dict[tuple[str, str], str]
) -> None:
    mine, yours = ({id: {n: t for (i, n), t in of.items() if i == id} for id in IDS} for of in (ours, theirs))
    differ = {id for (id, name), text in ours.items() if theirs.get((id, name), text) != text}
    told = " ".join(problem.problem for problem in met(folder, mine, yours).problems)
    assert {id for id in IDS if f"{id} was changed on two branches" in told} == differ


@given(ours=st.dictionaries(cell, texts), theirs=st.dictionaries(cell, texts))
def test_settling_a_settled_table_changes_nothing(
    folder: Folder, ours: dict[tuple[str, str], str], theirs: dict[tuple[str, str], str]
) -> None:
    mine, yours = ({id: {n: t for (i, n), t in of.items() if i == id} for id in IDS} for of in (ours, theirs))
    once = met(folder, mine, yours).sheet
    again = merged(folder, once, History.of([FIRST, event("ann", mine), event("ben", yours)]))
    assert again.problems == ()
    assert sheet_text(again.sheet) == sheet_text(once)


@pytest.mark.parametrize(
    ("ours", "theirs", "settled"),
    [("made", "measured", "measured"), ("failed", "made", "failed"), ("measured", "measured", "measured")],
)
def test_of_two_statuses_on_the_way_to_a_result_the_further_one_counts(
    folder: Folder, ours: str, theirs: str, settled: str
) -> None:
    found = met(folder, {"R1": {"status": ours}}, {"R1": {"status": theirs}})
    assert found.problems == ()
    assert found.sheet.cell(0, "status") == settled


@pytest.mark.parametrize(("ours", "theirs"), [("failed", "measured"), ("withdrawn", "measured"), ("withdrawn", "made")])
def test_whether_it_was_measured_failed_or_withdrawn_is_for_a_person_to_say(
    folder: Folder, ours: str, theirs: str
) -> None:
    (problem,) = met(folder, {"R1": {"status": ours}}, {"R1": {"status": theirs}}).problems
    assert problem.column == "status"
    assert f"status {ours} (ann, 2026-07-01 10:00) or {theirs} (ben, 2026-07-01 10:00)" in problem.problem
    assert problem.row == 7  # of their table: its header is row 6


def test_a_row_entered_by_hand_under_an_id_that_is_taken_is_no_leftover(folder: Folder) -> None:
    """One head: somebody copied a row and changed it, and nothing says that git was here."""
    twice = parse_sheet(sheet_text(BASE) + "R2,measured,58.2,\n", "experiments.csv")
    assert merged(folder, twice, History.of([FIRST])).sheet.rows == twice.rows


def test_an_older_version_of_a_row_is_a_leftover(folder: Folder) -> None:
    """One head, and a row as it was before the event beside the row as it is now."""
    now = event("ann", {"R2": {"status": "measured", "E": "58.2"}})
    twice = parse_sheet(sheet_text(changed({"R2": {"status": "measured", "E": "58.2"}})) + "R2,proposed,,\n", "e.csv")
    found = merged(folder, twice, History.of([FIRST, now]))
    assert [row for row in found.sheet.rows if row[0] == "R2"] == [("R2", "measured", "58.2", "")]


def test_without_a_round_the_events_still_say_which_of_two_rows_is_right(tmp_path: Path) -> None:
    ours, theirs = {"R1": {"E": "58.2"}}, {"R2": {"E": "61"}}
    events = [Event("first", {"what": "new", "after": []}), event("ann", ours), event("ben", theirs)]
    found = merged(Folder(tmp_path), union(ours, theirs), History.of(events))
    assert found.problems == ()
    assert found.sheet.column("E") == ("58.2", "61", "", "")
    assert not found.is_known


def after(earlier: Event, name: str, was: Sheet, now: Sheet) -> Event:
    change = Change.between(was, now).json()
    return Event(name, {"what": "record", "after": [earlier.digest], "change": change})


def test_a_value_that_a_branch_corrected_itself_is_no_choice(folder: Folder) -> None:
    said, corrected = changed({"R1": {"E": "85.2"}}), changed({"R1": {"E": "58.2"}})
    ann = event("ann", {"R1": {"E": "85.2"}})
    history = History.of([FIRST, ann, after(ann, "ann 2", said, corrected), event("ben", {"R2": {"E": "61"}})])
    theirs = sheet_text(changed({"R2": {"E": "61"}}))
    found = merged(folder, parse_sheet(sheet_text(corrected) + theirs, "experiments.csv"), history)
    assert found.problems == ()
    assert found.sheet.column("E") == ("58.2", "61", "", "")


def test_a_row_that_was_taken_out_by_hand_on_a_branch_stays_out(folder: Folder) -> None:
    history = History.of([FIRST, event("ann", {"R1": {"E": "58.2"}}), event("ben", {"R2": {"E": "61"}})])
    without = changed({"R1": {"E": "58.2"}, "R2": {"E": "61"}}).without_rows([3])
    found = merged(folder, without, history)
    assert found.sheet.column("id") == ("R1", "R2", "R3")
    assert [row["id"] for row in found.change.removed] == ["R4"]


def test_rows_that_only_the_wider_of_two_tables_has_come_along_with_their_cells(folder: Folder) -> None:
    wider = BASE.with_columns(["furnace"]).with_rows([{"id": "R5", "status": "proposed", "furnace": "arc"}])
    history = History.of([FIRST, after(FIRST, "ann", BASE, wider), event("ben", {"R2": {"E": "61"}})])
    table = sheet_text(changed({"R2": {"E": "61"}})) + sheet_text(wider)
    found = merged(folder, parse_sheet(table, "experiments.csv"), history)
    assert found.problems == ()
    assert found.sheet.columns == (*COLUMNS, "furnace")
    assert found.sheet.rows[-1] == ("R5", "proposed", "", "", "arc")
    assert found.change.cells == {}


def test_a_table_is_not_rebuilt_from_inputs_that_were_changed_since(folder: Folder) -> None:
    digests = {"before": {"experiments.csv": "0" * 64}, "after": {}}
    falsified = Event("first", {**FIRST.content, "digests": digests})
    assert rebuilt(folder, History.of([FIRST])) is not None
    assert rebuilt(folder, History.of([falsified])) is None
