"""What was done last can be taken back and put back; nothing is ever deleted."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.changes import Change
from alloyloop.campaigns.history import History, together
from alloyloop.campaigns.journal import Event
from alloyloop.campaigns.sheet import new_sheet, sheet_text
from alloyloop.campaigns.undoing import redoing, undoing
from alloyloop.surrogates.errors import AlloyloopError

from .branches import FOUR, enter, propose, with_round
from .folders import alloyloop, cells, contents, events, make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return with_round(tmp_path / "ti")


def table(folder: Path) -> str:
    return (folder / "experiments.csv").read_text(encoding="utf-8")


def test_a_result_is_taken_back_and_put_back(folder: Path) -> None:
    before = table(folder)
    enter(folder, "R001-1", youngs_modulus_GPa="58.2")
    recorded = table(folder)
    Campaign(folder).undo()
    assert table(folder) == before
    Campaign(folder).redo()
    assert table(folder) == recorded


def test_each_is_an_event_of_its_own_that_names_what_it_takes_back(folder: Path) -> None:
    enter(folder, "R001-1", youngs_modulus_GPa="58.2")
    earlier = contents(folder / "journal")
    undone, redone = Campaign(folder).undo(), Campaign(folder).redo()
    assert [event["what"] for event in events(folder)] == ["suggest", "record", "undo", "redo"]
    assert contents(folder / "journal").items() > earlier.items()
    assert events(folder)[2]["undoes"] == undone.of.digest == events(folder)[2]["after"][0]
    assert events(folder)[3]["undoes"] == redone.of.digest == events(folder)[3]["after"][0]


def test_undoing_goes_back_step_by_step_and_redoing_forward(folder: Path) -> None:
    states = [table(folder)]
    for i, value in ((1, "58.2"), (2, "71"), (3, "66")):
        enter(folder, f"R001-{i}", youngs_modulus_GPa=value)
        states.append(table(folder))
    campaign = Campaign(folder)
    for state in reversed(states[:-1]):
        campaign.undo()
        assert table(folder) == state
    for state in states[1:]:
        campaign.redo()
        assert table(folder) == state
    with pytest.raises(AlloyloopError, match="There is nothing to put back"):
        campaign.redo()


def test_a_suggestion_taken_back_leaves_its_round_and_its_rows_which_nobody_waits_for(folder: Path) -> None:
    frozen = contents(folder / "rounds")
    words = Campaign(folder).undo().words
    assert words[0].startswith("The suggestion of round 1 (")
    assert contents(folder / "rounds") == frozen
    for id in FOUR:
        assert (cells(folder, id)["status"], cells(folder, id)["reason"]) == ("withdrawn", "undone")
    assert Campaign(folder).status().pending == ()


def test_designs_of_a_suggestion_that_was_taken_back_may_be_proposed_again(folder: Path) -> None:
    campaign = Campaign(folder)
    taken = len(campaign.snapshot().taken())
    campaign.undo()
    assert len(campaign.snapshot().taken()) == taken - len(FOUR)
    campaign.redo()
    assert len(campaign.snapshot().taken()) == taken


def test_a_round_after_one_that_was_taken_back_has_a_number_of_its_own(folder: Path) -> None:
    Campaign(folder).undo()
    propose(folder, 2, {"R002-1": FOUR["R001-1"]})
    Campaign(folder).undo()
    with pytest.raises(AlloyloopError, match="There is nothing to take back"):
        Campaign(folder).undo()


def test_a_dry_run_says_what_undo_would_do_and_writes_nothing(folder: Path) -> None:
    enter(folder, "R001-1", youngs_modulus_GPa="58.2")
    before = contents(folder)
    told = alloyloop("undo", folder, "--dry-run")
    assert contents(folder) == before
    first, second, last = told.out.splitlines()
    assert first.startswith("What was recorded (")
    assert "R001-1: status from measured to proposed, youngs_modulus_GPa from 58.2 to blank." in second
    assert last == "Nothing was written (--dry-run)."
    assert alloyloop("undo", folder).out.splitlines() == [first, second]


def test_a_cell_that_somebody_changed_since_is_not_overwritten(folder: Path) -> None:
    enter(folder, "R001-1", youngs_modulus_GPa="58.2")
    (folder / "experiments.csv").write_text(table(folder).replace("58.2", "58.7"), encoding="utf-8")
    before = contents(folder)
    told = alloyloop("undo", folder)
    assert (told.code, contents(folder)) == (1, before)
    assert "R001-1 was changed since what was recorded (" in told.err
    assert "its youngs_modulus_GPa is 58.7 now, and was left as 58.2" in told.err


def test_what_was_edited_by_hand_is_taken_back_like_anything_else_once_it_is_in_the_journal(folder: Path) -> None:
    (folder / "experiments.csv").write_text(table(folder).replace("A,known", "A,withdrawn"), encoding="utf-8")
    edited = table(folder)
    enter(folder, "R001-1", youngs_modulus_GPa="58.2")
    Campaign(folder).undo()
    assert table(folder) == edited
    assert Campaign(folder).undo().words[0].startswith("What was edited by hand (")
    assert cells(folder, "A")["status"] == "known"


def test_there_is_nothing_to_take_back_in_a_new_campaign(tmp_path: Path) -> None:
    campaign = Campaign(make(tmp_path / "ti"))
    with pytest.raises(AlloyloopError, match="There is nothing to take back"):
        campaign.undo()
    with pytest.raises(AlloyloopError, match="There is nothing to put back"):
        campaign.redo()


def test_events_of_the_first_format_are_taken_back_too() -> None:
    """They named the ids of a suggestion, and the cells of a record before and after it, but no change."""
    sheet = new_sheet(
        ("id", "status", "E", "reason"),
        [{"id": "R1", "status": "measured", "E": "58"}, {"id": "R2", "status": "proposed"}],
    )
    suggested = Event("s", {"what": "suggest", "round": 1, "ids": ["R1", "R2"], "after": []})
    cells, before = {"E": "58", "status": "measured"}, {"E": "", "status": "proposed"}
    recorded = Event("r", {"what": "record", "results": {"R1": cells}, "before": {"R1": before}, "after": ["s"]})
    undone = undoing(History.of([suggested, recorded]), sheet)
    assert undone.of is recorded
    sheet = undone.change.apply(sheet)
    assert sheet.rows[0] == ("R1", "proposed", "", "")
    took_back = Event("u", {"what": "undo", "after": ["r"], **undone.details})
    again = undoing(History.of([suggested, recorded, took_back]), sheet)
    assert again.change.apply(sheet).column("status") == ("withdrawn", "withdrawn")


def test_an_edit_that_is_not_known_is_not_taken_back() -> None:
    edit = Event("e", {"what": "edit", "change": {}, "known": False, "who": "ann", "when": "2026-07-01T10:00"})
    with pytest.raises(AlloyloopError, match=r"not known what this changed: what was edited by hand \(ann, 2026-07-01"):
        undoing(History.of([edit]), new_sheet(("id",)))


BASE = new_sheet(("id", "status", "E"), [{"id": id, "status": "proposed"} for id in ("R1", "R2")])
values = st.sampled_from(["", "58", "61", "made"])
steps = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.sampled_from(["R1", "R2"]), st.sampled_from(["status", "E"]), values),
        st.tuples(st.just("undo")),
        st.tuples(st.just("redo")),
    ),
    max_size=12,
)


@given(steps)
def test_undo_and_redo_walk_along_what_was_done_as_in_any_editor(done: list[tuple[str, ...]]) -> None:
    """Against a line of states, of which something new cuts off what was taken back."""
    sheet, history, states, at = BASE, History(()), [sheet_text(BASE)], 0
    for n, (what, *how) in enumerate(done):
        details: dict[str, str] = {}
        if what == "set":
            id, name, text = how
            change = Change.between(sheet, sheet.with_cells({(("R1", "R2").index(id), name): text}))
            if not change:
                continue
            at += 1
            states[at:] = [sheet_text(change.apply(sheet))]
            what = "record"
        else:
            choose, to = (undoing, at - 1) if what == "undo" else (redoing, at + 1)
            if not 0 <= to < len(states):
                with pytest.raises(AlloyloopError, match="There is nothing to"):
                    choose(history, sheet)
                continue
            chosen = choose(history, sheet)
            at, change, details = to, chosen.change, chosen.details
        sheet = change.apply(sheet)
        after = [event.digest for event in history.heads]
        event = Event(str(n), {"what": what, "after": after, "change": change.json(), **details})
        history = History.of([*history.events, event])
        assert sheet_text(sheet) == states[at]


def test_a_sum_of_changes_does_what_they_do_one_after_the_other() -> None:
    one = Change(added=({"id": "R3", "status": "proposed"},), columns=("note",))
    two = Change(cells={"R3": {"status": ("proposed", "made")}, "R1": {"E": ("", "58")}})
    three = Change(removed=({"id": "R2", "status": "proposed"},), cells={"R1": {"E": ("58", "59")}})
    back = three.inverse()
    sheet = BASE
    for change in (one, two, three, back):
        sheet = change.apply(sheet)
    (sum_,) = together([one, two, three, back])
    rows = {row[0]: row for row in sum_.apply(BASE).rows}
    assert rows == {row[0]: row for row in sheet.rows}
    assert sum_.cells["R1"] == {"E": ("", "58")}


@given(st.data())
def test_history_puts_parents_before_children_whatever_their_order(data: st.DataObject) -> None:
    events: list[Event] = []
    for n in range(data.draw(st.integers(1, 8))):
        after = data.draw(st.lists(st.sampled_from([each.digest for each in events]), unique=True)) if events else []
        events.append(Event(str(n), {"what": "record", "after": after}))
    shuffled = data.draw(st.permutations(events))
    ordered = [event.digest for event in History.of(shuffled).events]
    for event in events:
        for parent in event.content["after"]:
            assert ordered.index(parent) < ordered.index(event.digest)
    history = History.of(events)
    assert {event.digest for event in history.heads} == {
        event.digest for event in events if all(event.digest not in other.content["after"] for other in events)
    }
