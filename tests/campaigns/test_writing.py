"""How a campaign changes: edits by hand are told first, the event appears, the table follows; crashes are completed."""

from __future__ import annotations

from pathlib import Path

import pytest

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.changes import Change
from alloyloop.campaigns.files import Disk, staged_name
from alloyloop.campaigns.folder import Folder
from alloyloop.campaigns.journal import digest
from alloyloop.campaigns.recovering import experiments_now, recover
from alloyloop.campaigns.writing import changing
from alloyloop.surrogates.errors import AlloyloopError

from .folders import EXPERIMENTS, QUESTION, cells, contents, events, make

E_GPa = "youngs_modulus_GPa"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make(tmp_path / "ti")


def edit(folder: Path, old: str, new: str) -> None:
    """Change experiments.csv as somebody with an editor does."""
    path = folder / "experiments.csv"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


class NoTable(Disk):
    """A disk on which experiments.csv does not take its new place."""

    def rename(self, old: Path, new: Path) -> None:
        if new.name == "experiments.csv" and old.name.endswith(".staged"):
            raise PermissionError(13, "Permission denied")
        super().rename(old, new)


@pytest.fixture
def cut_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A campaign whose last result is in the journal, and not yet in the table."""
    Campaign(folder).record("A", f"{E_GPa}=84")
    with monkeypatch.context() as patch:
        patch.setattr("alloyloop.campaigns.files.DISK", NoTable())
        with pytest.raises(AlloyloopError, match=r"The journal has it, but experiments\.csv could not be replaced"):
            Campaign(folder).record("B", f"{E_GPa}=71", "note=soft")
    return folder


def test_an_event_holds_its_change_and_how_it_found_and_left_the_files(folder: Path) -> None:
    before = contents(folder)
    Campaign(folder).record("A", f"{E_GPa}=84")
    (event,) = events(folder)
    assert event["change"] == {"cells": {"A": {E_GPa: ["85", "84"]}}}
    assert event["digests"] == {
        "before": {name: digest(before[name]) for name in ("campaign.yaml", "experiments.csv")},
        "after": {name: digest(contents(folder)[name]) for name in ("campaign.yaml", "experiments.csv")},
    }


def test_what_was_edited_by_hand_is_told_before_the_next_event(folder: Path) -> None:
    campaign = Campaign(folder)
    campaign.record("A", f"{E_GPa}=84")
    edit(folder, "B,known,,70,30,0,72", "B,known,,70,30,0,73")
    campaign.record("C", f"{E_GPa}=62")
    first, edited, last = events(folder)
    assert (first["what"], edited["what"], last["what"]) == ("record", "edit", "record")
    assert edited["change"] == {"cells": {"B": {E_GPa: ["72", "73"]}}}
    assert edited["files"] == ["experiments.csv"]
    assert edited["digests"]["before"] == first["digests"]["after"]
    assert edited["digests"]["after"] == last["digests"]["before"]
    assert len(last["after"]) == len(edited["after"]) == 1


def test_rows_put_in_and_taken_out_by_hand_are_told(folder: Path) -> None:
    campaign = Campaign(folder)
    campaign.record("A", f"{E_GPa}=84")
    edit(folder, "E,known,,60,30,10,61,,,,\n", "F,known,,75,25,0,78,,,,hard\n")
    campaign.record("A", f"{E_GPa}=85")
    change = Change.from_json(events(folder)[1]["change"])
    assert [row["id"] for row in change.added] == ["F"]
    assert [row["id"] for row in change.removed] == ["E"]


def test_an_edit_of_the_question_is_told_too(folder: Path) -> None:
    campaign = Campaign(folder)
    campaign.record("A", f"{E_GPa}=84")
    (folder / "campaign.yaml").write_text(QUESTION.replace("seed: 3", "seed: 4"), encoding="utf-8")
    campaign.record("A", f"{E_GPa}=85")
    edited = events(folder)[1]
    assert (edited["what"], edited["files"], edited["change"]) == ("edit", ["campaign.yaml"], {})


def test_an_edit_whose_before_is_not_known_says_so(folder: Path) -> None:
    campaign = Campaign(folder)
    campaign.record("A", f"{E_GPa}=84")
    edit(folder, "72", "73")
    campaign.folder.left.unlink()  # as on another machine: caches do not travel
    campaign.record("A", f"{E_GPa}=85")
    assert (events(folder)[1]["known"], events(folder)[1]["change"]) == (False, {})


def test_nothing_is_told_of_a_folder_that_has_no_journal_or_was_not_edited(folder: Path) -> None:
    campaign = Campaign(folder)
    for value in (84, 85, 86):
        campaign.record("A", f"{E_GPa}={value}")
    assert [event["what"] for event in events(folder)] == ["record"] * 3


def test_a_mistake_of_the_user_writes_no_event_of_an_edit(folder: Path) -> None:
    campaign = Campaign(folder)
    campaign.record("A", f"{E_GPa}=84")
    edit(folder, "72", "73")
    before = contents(folder)
    with pytest.raises(AlloyloopError, match="no alloy Z"):
        campaign.record("Z", f"{E_GPa}=84")
    assert contents(folder) == before


def test_what_an_editor_saved_meanwhile_is_not_written_over(folder: Path) -> None:
    with changing(Folder(folder), "record") as writer:
        edit(folder, "72", "73")
        with pytest.raises(AlloyloopError, match=r"experiments\.csv: It was changed by somebody else meanwhile"):
            writer.commit("record", Change(cells={"A": {E_GPa: ("85", "84")}}))
    assert (folder / "experiments.csv").read_text(encoding="utf-8") == EXPERIMENTS.replace("72", "73")
    assert events(folder) == []
    assert not staged_name(folder / "experiments.csv").exists()


def test_a_failed_change_deletes_no_round_but_its_own(folder: Path) -> None:
    mine = folder / "rounds" / "001" / "decision.json"
    mine.parent.mkdir(parents=True)
    mine.write_text("{}", encoding="utf-8")
    with changing(Folder(folder), "withdraw") as writer:
        edit(folder, "72", "73")
        with pytest.raises(AlloyloopError, match="changed by somebody else meanwhile"):
            writer.commit("withdraw", Change(cells={"A": {"note": ("", "x")}}), {"round": 1})
    assert mine.exists()


def test_what_is_in_the_journal_is_seen_before_the_table_has_it(cut_off: Path) -> None:
    assert cells(cut_off, "B")[E_GPa] == "72"
    campaign = Campaign(cut_off)
    before = contents(cut_off)
    assert campaign.snapshot().table.values(E_GPa).tolist()[:2] == [84, 71]
    assert any("lacks what the last `record` brought" in remark for remark in campaign.check()[1])
    assert contents(cut_off) == before


def test_an_interruption_after_the_event_undoes_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupted(Disk):
        def rename(self, old: Path, new: Path) -> None:
            super().rename(old, new)
            if new.suffix == ".json" and new.parent.name == "journal":
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("alloyloop.campaigns.files.DISK", Interrupted())
        with pytest.raises(KeyboardInterrupt):
            Campaign(folder).record("A", f"{E_GPa}=84")
    assert Campaign(folder).snapshot().table.values(E_GPa)[0] == 84
    Campaign(folder).record("B", f"{E_GPa}=71")
    assert cells(folder, "A")[E_GPa] == "84"


def test_the_next_writer_completes_what_was_cut_off(cut_off: Path) -> None:
    Campaign(cut_off).record("C", f"{E_GPa}=62")
    assert (cells(cut_off, "B")[E_GPa], cells(cut_off, "B")["note"], cells(cut_off, "C")[E_GPa]) == ("71", "soft", "62")
    assert [event["what"] for event in events(cut_off)] == ["record"] * 3
    assert not staged_name(cut_off / "experiments.csv").exists()
    assert Campaign(cut_off).check()[1] == ()


def test_what_was_edited_after_a_crash_stays_and_is_told(cut_off: Path) -> None:
    edit(cut_off, "B,known,,70,30,0,72,,,,", "B,known,,70,30,0,73,,,,")  # by somebody who does not see 71
    edit(cut_off, "E,known", "E,failed")
    assert experiments_now(Folder(cut_off))[0].column("note")[1] == "soft"
    Campaign(cut_off).record("C", f"{E_GPa}=62")
    assert (cells(cut_off, "B")[E_GPa], cells(cut_off, "B")["note"], cells(cut_off, "E")["status"]) == (
        "73",
        "soft",
        "failed",
    )
    edited = events(cut_off)[2]
    assert edited["change"] == {"cells": {"B": {E_GPa: ["71", "73"]}, "E": {"status": ["known", "failed"]}}}


def test_finishing_twice_is_finishing_once(cut_off: Path) -> None:
    edit(cut_off, "E,known", "E,failed")
    recover(Folder(cut_off))
    once = contents(cut_off)
    recover(Folder(cut_off))
    assert contents(cut_off) == once


def test_what_was_put_back_by_hand_after_a_whole_change_stays_so(folder: Path) -> None:
    """Only a change that was cut off is completed; a table that somebody set back is an edit like any other."""
    Campaign(folder).record("A", f"{E_GPa}=84")
    (folder / "experiments.csv").write_text(EXPERIMENTS, encoding="utf-8")
    assert Campaign(folder).snapshot().table.values(E_GPa)[0] == 85
    Campaign(folder).record("B", f"{E_GPa}=71")
    assert cells(folder, "A")[E_GPa] == "85"
    assert events(folder)[1]["change"]["cells"]["A"][E_GPa] == ["84", "85"]


def test_what_waits_without_an_event_never_happened(folder: Path) -> None:
    Campaign(folder).record("A", f"{E_GPa}=84")
    before = contents(folder)
    staged_name(folder / "experiments.csv").write_text("id\nnever\n", encoding="utf-8")
    assert Campaign(folder).snapshot().table.ids == ("A", "B", "C", "D", "E")
    recover(Folder(folder))
    assert contents(folder) == before


def test_a_table_that_somebody_set_back_is_not_completed_by_what_another_change_left_waiting(folder: Path) -> None:
    Campaign(folder).record("A", f"{E_GPa}=84")
    (folder / "experiments.csv").write_text(EXPERIMENTS, encoding="utf-8")
    staged_name(folder / "experiments.csv").write_text("id\nnever\n", encoding="utf-8")
    recover(Folder(folder))
    assert (folder / "experiments.csv").read_text(encoding="utf-8") == EXPERIMENTS


def test_the_cache_may_be_deleted_at_any_time(cut_off: Path) -> None:
    for file in sorted((cut_off / ".alloyloop").rglob("*"), reverse=True):
        file.unlink()
    Campaign(cut_off).record("C", f"{E_GPa}=62")
    assert (cells(cut_off, "B")[E_GPa], cells(cut_off, "C")[E_GPa]) == ("71", "62")


def test_a_table_with_decimal_commas_is_completed_to_the_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = "\ufeff" + EXPERIMENTS.replace(",", ";").replace("85;", "85,5;").replace("\n", "\r\n")
    folder, whole = (make(tmp_path / name, experiments=theirs.encode()) for name in ("cut", "whole"))
    Campaign(whole).record("B", f"{E_GPa}=71.25")
    with monkeypatch.context() as patch:
        patch.setattr("alloyloop.campaigns.files.DISK", NoTable())
        with pytest.raises(AlloyloopError, match="The journal has it"):
            Campaign(folder).record("B", f"{E_GPa}=71.25")
    recover(Folder(folder))
    assert (folder / "experiments.csv").read_bytes() == (whole / "experiments.csv").read_bytes()
    assert events(folder)[0]["change"] == {"cells": {"B": {E_GPa: ["72", "71,25"]}}, "decimal": ","}
