"""What happened: one small JSON file an event, named by time and digest, each naming the event(s) before it.

Events are never changed and never deleted. Two people's events made apart (on two git branches) are joined by the next.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from .changes import Change
from .files import make_folder, put_in_place, read_text, stage, staged_name, write_cache
from .locking import user
from .problems import CampaignFileError

Json = dict[str, Any]
_NEXT = "next"  # under this name an event is staged


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a campaign.

    Parameters
    ----------
    digest : of its content
    content : `what`, `when`, `who`, `after` (digests of the events before it), and what belongs to the event:
        `digests` of the files `before` and `after` it, the `change` to experiments.csv, and others
    name : of its file
    """

    digest: str
    content: Mapping[str, Any]
    name: str = ""

    @property
    def round(self) -> int:
        """The round that it made; 0 where it made none."""
        said = self.content.get("round")
        return said if isinstance(said, int) else 0


def digest(data: bytes | str) -> str:
    """SHA-256 of bytes or of text as UTF-8, in hexadecimal."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


def read_journal(folder: Path) -> list[Event]:
    """Every event of a campaign, in the order of their names, which begin with the time.

    Raises
    ------
    CampaignFileError
        where an event is not JSON, or is not the one its name says
    """
    return [read_event(path) for path in sorted(folder.glob("*.json"))]


@dataclass(frozen=True, slots=True)
class Heads:
    """Where a journal stands.

    Parameters
    ----------
    events : those that no event names as one before it: one, or several where two people's journals were joined
    last_round : the highest number of a round that any event names; 0 where none does
    """

    events: tuple[Event, ...] = ()
    last_round: int = 0


def read_heads(folder: Path, cache: Path | None = None) -> Heads:
    """Where a journal stands; only the last events are read, where `cache` knows all others as they are.

    Parameters
    ----------
    folder : the journal
    cache : a file that may be lost at any time
    """
    if (known := _kept_heads(folder, cache)) is not None:
        return known
    events = read_journal(folder)
    followed = {parent for event in events for parent in event.content.get("after", ())}
    heads = Heads(
        tuple(event for event in events if event.digest not in followed),
        max((event.round for event in events), default=0),
    )
    keep_heads(folder, heads, cache)
    return heads


def _kept_heads(folder: Path, cache: Path | None) -> Heads | None:
    """What the cache says, if it says anything of these very events."""
    if cache is None:
        return None
    try:
        kept = json.loads(cache.read_text(encoding="utf-8"))
        if kept["listing"] != _listing(folder):
            return None
        return Heads(tuple(read_event(folder / Path(name).name) for name in kept["heads"]), int(kept["last_round"]))
    except (OSError, ValueError, KeyError, TypeError):  # damaged, or none yet
        return None


def keep_heads(folder: Path, heads: Heads, cache: Path | None) -> None:
    """Let `read_heads` know where the journal stands now."""
    if cache is not None:
        names = [event.name for event in heads.events]
        kept = {"listing": _listing(folder), "heads": names, "last_round": heads.last_round}
        write_cache(cache, json.dumps(kept).encode())


def newest(folder: Path) -> Event | None:
    """The event that was written last; None where there is none."""
    names = sorted(path.name for path in folder.glob("*.json"))
    return read_event(folder / names[-1]) if names else None


def next_event(what: str, details: Mapping[str, Any], after: Sequence[Event], now: datetime | None = None) -> Event:
    """An event after some others, not yet written; its name is later than theirs, whatever the clock says."""
    when = (now or datetime.now(UTC)).astimezone(UTC)
    content: Json = {
        "what": what,
        "when": when.isoformat(timespec="milliseconds"),
        "who": user(),
        "after": [event.digest for event in after],
        **details,
    }
    text = _text(content)
    stamp = max([_stamp(when), *(_later(event.name) for event in after)])
    return Event(digest(text), content, f"{stamp}-{what}-{digest(text)[:12]}.json")


def stage_event(folder: Path, event: Event) -> Path:
    """Write an event where nobody sees it yet, whole and lasting; one that was left there is replaced."""
    make_folder(folder)
    return stage(folder / _NEXT, _text(event.content).encode())


def staged_event(folder: Path) -> Path:
    """Where an event waits that is about to happen."""
    return staged_name(folder / _NEXT)


def write_event(
    folder: Path,
    what: str,
    details: Mapping[str, Any],
    now: datetime | None = None,
    after: Sequence[Event] | None = None,
) -> Event:
    """Add an event after all those that have none after them, or after those given."""
    event = next_event(what, details, read_heads(folder).events if after is None else after, now)
    put_in_place(stage_event(folder, event), folder / event.name)
    return event


def digests_after(event: Event) -> Mapping[str, str]:
    """The digests of the files as an event left them, by name."""
    said = event.content.get("digests", {})
    return _mapping(said.get("after", said) if isinstance(said, Mapping) else {})


def digests_before(event: Event) -> Mapping[str, str]:
    """The digests of the files as an event found them, by name; empty where it does not say."""
    said = event.content.get("digests", {})
    return _mapping(said.get("before", {}) if isinstance(said, Mapping) else {})


def change_of(event: Event) -> Change | None:
    """What an event did to experiments.csv; None where that is not known.

    Raises
    ------
    AlloyloopError
        where what it says cannot be understood
    """
    content = event.content
    if "change" in content:
        return Change.from_json(content["change"]) if content.get("known", True) else None
    if content.get("what") == "new":
        return Change()
    if content.get("what") == "record":  # before events held their change
        results, before = (_mapping(content.get(key)) for key in ("results", "before"))
        cells = {
            id: {name: [_mapping(before.get(id)).get(name, ""), text] for name, text in _mapping(cells).items()}
            for id, cells in results.items()
        }
        return Change.from_json({"cells": cells})
    return None


def _mapping(said: object) -> Mapping[str, Any]:
    return said if isinstance(said, Mapping) else {}


def read_event(path: Path) -> Event:
    """Read one event.

    Raises
    ------
    CampaignFileError
        where it is not JSON, or is not the one its name says
    """
    text = read_text(path).text
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:  # brackets or digits without end are no JSON of ours either
        raise _damaged(path, f"it is not JSON ({error})") from error
    if not isinstance(content, dict) or digest(text)[:12] != path.stem.rpartition("-")[2]:
        raise _damaged(path, "its content is not the one its name was made from")
    return Event(digest(text), content, path.name)


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _listing(folder: Path) -> str:
    """A digest of which events there are, and of what would betray that one was changed."""
    try:
        with os.scandir(folder) as entries:
            events = [(entry.name, entry.stat()) for entry in entries if entry.name.endswith(".json")]
            found = sorted((name, said.st_size, said.st_mtime_ns) for name, said in events)
    except FileNotFoundError:
        found = []
    return digest(repr(found))


def _stamp(when: datetime) -> str:
    return f"{when:%Y%m%dT%H%M%S}{when.microsecond // 1000:03d}Z"


def _later(name: str) -> str:
    """A millisecond after the time of an event's name; empty where it has none."""
    try:
        return _stamp(datetime.strptime(name[:18] + "000", "%Y%m%dT%H%M%S%f") + timedelta(milliseconds=1))
    except (ValueError, OverflowError):
        return ""


def _damaged(path: Path, why: str) -> CampaignFileError:
    return CampaignFileError.whole_file(
        f"journal/{path.name}",
        f"This event is damaged: {why}",
        "Restore it from git or a backup; events are never edited.",
    )
