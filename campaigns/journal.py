"""What happened: one small JSON file an event, named by time and digest, each naming the event(s) before it.

Events are never changed and never deleted. Two people's events made apart (on two git branches) are joined by the next.
"""

from __future__ import annotations

import getpass
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .files import read_text, write_atomically
from .problems import CampaignFileError

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a campaign.

    Parameters
    ----------
    digest : of its content
    content : `what`, `when`, `who`, `after` (digests of the events before it), and what belongs to the event
    """

    digest: str
    content: Mapping[str, Any]


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
    events = []
    for path in sorted(folder.glob("*.json")):
        text = read_text(path).text
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            raise _damaged(path, f"it is not JSON ({error.msg}, line {error.lineno})") from error
        if not isinstance(content, dict) or digest(text)[:12] != path.stem.rpartition("-")[2]:
            raise _damaged(path, "its content is not the one its name was made from")
        events.append(Event(digest(text), content))
    return events


def write_event(folder: Path, what: str, details: Mapping[str, Any], now: datetime | None = None) -> Event:
    """Add an event after all those that have none after them."""
    earlier = read_journal(folder)
    followed = {parent for event in earlier for parent in event.content.get("after", ())}
    when = (now or datetime.now(UTC)).astimezone(UTC)
    content: Json = {
        "what": what,
        "when": when.isoformat(timespec="milliseconds"),
        "who": _who(),
        "after": [event.digest for event in earlier if event.digest not in followed],
        **details,
    }
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    folder.mkdir(exist_ok=True)
    write_atomically(
        folder / f"{when:%Y%m%dT%H%M%S}{when.microsecond // 1000:03d}Z-{what}-{digest(text)[:12]}.json", text
    )
    return Event(digest(text), content)


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user in a container
        return "unknown"


def _damaged(path: Path, why: str) -> CampaignFileError:
    return CampaignFileError.whole_file(
        f"journal/{path.name}",
        f"This event is damaged: {why}",
        "Restore it from git or a backup; events are never edited.",
    )
