"""Campaigns of every released format still open, answer and go on. Their folders are never edited once released."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pytest

from alloyloop.campaigns import learning
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.journal import digest, read_journal
from alloyloop.design.beliefs import Choice

from .folders import contents

FOLDERS = sorted((Path(__file__).parent / "golden").glob("v*/*"))


@pytest.fixture(params=FOLDERS, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy, which tests may write into."""
    return Path(shutil.copytree(request.param, tmp_path / "copy"))


def test_there_is_one_of_each_format() -> None:
    assert {folder.parent.name for folder in FOLDERS} == {"v1"}


def test_it_opens_without_a_mistake(folder: Path) -> None:
    assert Campaign.open(folder).check()[0] == ()


def test_its_status_is_what_it_was(folder: Path) -> None:
    status = Campaign(folder).status()
    assert (status.rounds, status.pending) == (2, ("R001-4", "R002-1", "R002-2", "R002-3"))
    assert (status.measured["measured"], status.measured["failed"]) == (2, 1)
    assert status.stop["round"] == 2
    assert status.best is not None


def test_its_journal_is_whole_and_its_rounds_hold_the_inputs_they_name(folder: Path) -> None:
    events = read_journal(folder / "journal")
    assert [event.content["what"] for event in events] == ["new", "suggest", *["record"] * 4, "suggest"]
    for earlier, later in itertools.pairwise(events):
        assert later.content["after"] == [earlier.digest]
    files = contents(folder)
    for before, number in ((events[0], "001"), (events[5], "002")):
        for name, told in before.content["digests"].items():
            assert digest(files[f"rounds/{number}/inputs/{name}"]) == told
    for name, told in events[-1].content["digests"].items():
        assert digest(files[name]) == told


def test_what_was_invented_in_it_says_so(folder: Path) -> None:
    table = Campaign(folder).snapshot().table
    for row, id in enumerate(table.ids):
        if id.startswith("R001-"):
            assert "SYNTHETIC" in table.sheet.cell(row, "note")


@pytest.mark.torch
def test_it_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = Choice("gaussian-process on composition", "for the test")
    monkeypatch.setattr(learning, "choose", lambda found, options, *_: chosen)
    before = contents(folder)
    answers = Campaign(folder).suggest(1)
    assert [alloy.id for alloy in answers] == ["R003-1"]
    after = contents(folder)
    assert {name for name, data in before.items() if after[name] != data} == {"experiments.csv"}
    assert after["experiments.csv"].startswith(before["experiments.csv"])
