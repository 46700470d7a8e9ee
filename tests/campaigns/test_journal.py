"""The journal: events that are never changed, each naming those before it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path

import pytest

from alloyloop.campaigns.changes import Change
from alloyloop.campaigns.journal import (
    Event,
    change_of,
    digest,
    digests_after,
    digests_before,
    keep_heads,
    newest,
    read_heads,
    read_journal,
    write_event,
)
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


def test_the_name_of_an_event_is_later_than_those_before_it_whatever_the_clock_says(tmp_path: Path) -> None:
    clock = [NOON, NOON, NOON - timedelta(hours=1), NOON + timedelta(seconds=1)]
    made = [write_event(tmp_path, "record", {"n": n}, now) for n, now in enumerate(clock)]
    assert [event.name[9:19] for event in made] == ["120000250Z", "120000251Z", "120000252Z", "120001250Z"]
    assert made[2].content["when"] == "2026-07-01T11:00:00.250+00:00"  # which is what the clock said
    assert newest(tmp_path) == made[3]


def test_an_empty_journal_has_no_newest_event(tmp_path: Path) -> None:
    assert newest(tmp_path / "journal") is None
    assert read_heads(tmp_path / "journal").events == ()


def test_where_the_journal_stands_is_told_without_reading_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, cache = tmp_path / "journal", tmp_path / "heads.json"
    for n in range(5):
        write_event(journal, "suggest", {"round": n + 1}, NOON + timedelta(seconds=n))
    once = read_heads(journal, cache)
    assert ([event.round for event in once.events], once.last_round) == ([5], 5)
    read: list[str] = []
    real = Path.read_bytes

    def told(path: Path) -> bytes:
        read.append(path.name)
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", told)
    assert read_heads(journal, cache) == once
    assert read == [once.events[0].name]


@pytest.mark.parametrize("damage", ["", "{}", "[]", '{"listing": 3}', '{"listing": "x", "heads": 3}'])
def test_a_damaged_cache_is_not_believed(damage: str, tmp_path: Path) -> None:
    journal, cache = tmp_path / "journal", tmp_path / "heads.json"
    event = write_event(journal, "new", {}, NOON)
    cache.write_text(damage, encoding="utf-8")
    assert read_heads(journal, cache).events == (event,)


@pytest.mark.parametrize("what", ["comes", "goes", "is edited"])
def test_a_cache_is_not_believed_once_any_event_comes_goes_or_is_edited(what: str, tmp_path: Path) -> None:
    journal, cache = tmp_path / "journal", tmp_path / "heads.json"
    made = [write_event(journal, "record", {"n": n}, NOON + timedelta(seconds=n)) for n in range(3)]
    keep_heads(journal, read_heads(journal, cache), cache)
    if what == "comes":
        later = write_event(journal, "record", {"n": 3}, NOON + timedelta(seconds=3))
        assert read_heads(journal, cache).events == (later,)
    elif what == "goes":
        (journal / made[2].name).unlink()
        assert read_heads(journal, cache).events == (made[1],)
    else:
        (journal / made[0].name).write_text("{}", encoding="utf-8")
        with pytest.raises(CampaignFileError, match="This event is damaged"):
            read_heads(journal, cache)


def test_a_cache_names_no_file_outside_the_journal(tmp_path: Path) -> None:
    journal, cache = tmp_path / "journal", tmp_path / "heads.json"
    event = write_event(journal, "new", {}, NOON)
    read_heads(journal, cache)
    kept = json.loads(cache.read_text(encoding="utf-8"))
    other = write_event(tmp_path / "other", "new", {}, NOON + timedelta(seconds=1))
    cache.write_text(json.dumps(kept | {"heads": [f"../other/{other.name}"]}), encoding="utf-8")
    assert read_heads(journal, cache).events == (event,)


def test_events_of_older_versions_say_what_they_can() -> None:
    digests = {"campaign.yaml": "a", "experiments.csv": "b"}
    old = {"what": "record", "results": {"A": {"E": "61", "note": ""}}, "before": {"A": {"E": "85", "note": "x"}}}
    recorded = Event("d", {**old, "digests": digests})
    assert (dict(digests_after(recorded)), dict(digests_before(recorded))) == (digests, {})
    assert change_of(recorded) == Change(cells={"A": {"E": ("85", "61"), "note": ("x", "")}})
    assert change_of(Event("d", {"what": "suggest", "round": 1, "ids": ["R001-1"]})) is None
    assert change_of(Event("d", {"what": "new"})) == Change()


def test_an_event_says_how_it_found_the_files_and_how_it_left_them() -> None:
    event = Event("d", {"what": "edit", "digests": {"before": {"a": "1"}, "after": {"a": "2"}}, "change": {}})
    assert (dict(digests_before(event)), dict(digests_after(event))) == ({"a": "1"}, {"a": "2"})
    assert change_of(event) == Change()
    assert change_of(Event("d", {**event.content, "known": False})) is None


@pytest.mark.parametrize("damage", ["not json", "[]", '{"what": "new"}\n', "[" * 100_000, "1" * 5000])
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
