"""The journal: events that are never changed, each naming those before it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path

import pytest

from alloyloop.campaigns.journal import digest, read_journal, write_event
from alloyloop.campaigns.problems import CampaignFileError

NOON = datetime(2026, 7, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def test_an_empty_journal_has_no_events(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "journal") == []


def test_a_digest_is_sha_256() -> None:
    # of "abc": FIPS 180-2, appendix B.1
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest(b"abc") == digest("abc")


def test_each_event_names_the_one_before_it(tmp_path: Path) -> None:
    made = [write_event(tmp_path, "record", {"n": n}, NOON + timedelta(seconds=n)) for n in range(3)]
    assert [event.content["after"] for event in made] == [[], [made[0].digest], [made[1].digest]]
    assert [event.digest for event in read_journal(tmp_path)] == [event.digest for event in made]


def test_an_event_says_what_when_and_who_and_what_belongs_to_it(tmp_path: Path) -> None:
    content = write_event(tmp_path, "suggest", {"round": 2}, NOON).content
    assert (content["what"], content["round"]) == ("suggest", 2)
    assert content["when"] == "2026-07-01T12:00:00.250+00:00"
    assert content["who"]


def test_the_name_of_an_event_is_its_time_in_utc_what_it_was_and_its_digest(tmp_path: Path) -> None:
    write_event(tmp_path, "record", {}, NOON.astimezone(timezone(timedelta(hours=9))))
    (file,) = tmp_path.iterdir()
    assert file.name == f"20260701T120000250Z-record-{sha256(file.read_bytes()).hexdigest()[:12]}.json"


def test_events_of_two_people_are_joined_by_the_next(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    first = write_event(ours, "new", {}, NOON)
    theirs.mkdir()
    for file in ours.iterdir():
        (theirs / file.name).write_bytes(file.read_bytes())
    mine = write_event(ours, "record", {"id": "R001-1"}, NOON + timedelta(seconds=1))
    yours = write_event(theirs, "record", {"id": "R001-2"}, NOON + timedelta(seconds=2))
    for file in theirs.iterdir():  # as git merges them: files side by side
        (ours / file.name).write_bytes(file.read_bytes())
    assert mine.content["after"] == yours.content["after"] == [first.digest]
    assert set(write_event(ours, "suggest", {}, NOON + timedelta(seconds=3)).content["after"]) == {
        mine.digest,
        yours.digest,
    }


@pytest.mark.parametrize("damage", ["not json", "[]", '{"what": "new"}\n'])
def test_an_event_that_was_edited_is_noticed_and_named(damage: str, tmp_path: Path) -> None:
    write_event(tmp_path, "new", {}, NOON)
    (file,) = tmp_path.iterdir()
    file.write_text(damage, encoding="utf-8")
    with pytest.raises(CampaignFileError, match=f"journal/{file.name}: This event is damaged"):
        read_journal(tmp_path)


def test_letters_of_every_alphabet_stay_readable(tmp_path: Path) -> None:
    write_event(tmp_path, "record", {"note": "α″ gefunden, 軟らかい"}, NOON)
    (file,) = tmp_path.iterdir()
    assert "α″ gefunden, 軟らかい" in file.read_text(encoding="utf-8")
    assert json.loads(file.read_text(encoding="utf-8"))["note"] == "α″ gefunden, 軟らかい"
