"""Every way in which writing may be cut short, and what must be true of a campaign after each.

All changes to a campaign's files go through `files.DISK`. The disks here die, lose their current or are full at a given
call; `Deed` is something that changes a campaign, and `judged` says what is wrong with the folder it left. Used by
`kills.py` and by tests/campaigns/test_kills.py.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch

from typing_extensions import override

from alloyloop.campaigns import files
from alloyloop.campaigns.answers import Answer
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.files import Disk
from alloyloop.campaigns.named import Named
from alloyloop.campaigns.snapshot import Snapshot
from alloyloop.campaigns.suggesting import Manner, Suggestion
from alloyloop.surrogates.errors import AlloyloopError

QUESTION = """\
alloyloop: 1
name: To be cut short
composition:
  basis: wt_pct
  balance: Ti
  step: 1
  elements:
    Nb: {min: 10, max: 40}
    Zr: {min: 0, max: 10}
properties:
  youngs_modulus_GPa: {goal: minimize}
features: composition
model: gaussian-process
batch: 2
"""
EXPERIMENTS = """\
id;status;round;Ti_wt_pct;Nb_wt_pct;Zr_wt_pct;youngs_modulus_GPa;my own column
A;known;;80;20;0;85,5;kept
B;known;;70;30;0;72,25;"kept; too"
"""


class Killed(BaseException):
    """The process ended here; nothing that it would have done since reaches the disk."""


class CountingDisk(Disk):
    """Counts calls, and does something to one of them.

    Parameters
    ----------
    at : which call, from 1; 0 for none
    """

    def __init__(self, at: int = 0) -> None:
        self.at = at
        self.calls: list[str] = []

    def before(self, call: str) -> None:
        """What happens before the call that is meant."""

    def after(self, call: str) -> None:
        """What happens after it."""

    def _do(self, call: str, act: Callable[[], Any]) -> Any:
        self.calls.append(call)
        meant = len(self.calls) == self.at
        if meant:
            self.before(call)
        done = act()
        if meant:
            self.after(call)
        return done

    @override
    def create(self, path: Path) -> int:
        return int(self._do("create", lambda: Disk.create(self, path)))

    @override
    def write(self, descriptor: int, data: bytes) -> None:
        self._do("write", lambda: Disk.write(self, descriptor, data))

    @override
    def sync(self, descriptor: int) -> None:
        self._do("sync", lambda: Disk.sync(self, descriptor))

    @override
    def allow(self, path: Path, mode: int) -> None:
        self._do("allow", lambda: Disk.allow(self, path, mode))

    @override
    def rename(self, old: Path, new: Path) -> None:
        self._do("rename", lambda: Disk.rename(self, old, new))

    @override
    def make_folder(self, path: Path) -> None:
        self._do("make_folder", lambda: Disk.make_folder(self, path))

    @override
    def unlink(self, path: Path) -> None:
        self._do("unlink", lambda: Disk.unlink(self, path))

    @override
    def remove_folder(self, path: Path) -> None:
        self._do("remove_folder", lambda: Disk.remove_folder(self, path))


class DyingDisk(CountingDisk):
    """The process ends before or after a call, or in the middle of it where it writes.

    Parameters
    ----------
    at : which call
    how : `before`, `after` or `within`
    die : what ends it; where that comes back, every later call fails
    """

    def __init__(self, at: int, how: str = "before", die: Callable[[], None] = lambda: None) -> None:
        super().__init__(at)
        self.how, self._die = how, die
        self.is_dead = False

    @override
    def _do(self, call: str, act: Callable[[], Any]) -> Any:
        if self.is_dead:
            raise Killed
        return super()._do(call, act)

    def die(self) -> None:
        """End here."""
        self._die()
        self.is_dead = True
        raise Killed

    @override
    def before(self, call: str) -> None:
        if self.how == "before":
            self.die()

    @override
    def after(self, call: str) -> None:
        self.die()

    @override
    def write(self, descriptor: int, data: bytes) -> None:
        def half() -> None:
            within = self.how == "within" and len(self.calls) == self.at
            Disk.write(self, descriptor, data[: len(data) // 2] if within else data)

        self._do("write", half)


class CurrentlessDisk(DyingDisk):
    """The current fails: what was not synced is gone, files and names alike, but for what was deleted.

    A file that was written and not synced is empty, one whose folder was not synced is not there, and a name that was
    given and whose folder was not synced is the old one.
    """

    def __init__(self, at: int, how: str = "before", die: Callable[[], None] = lambda: None) -> None:
        super().__init__(at, how, die)
        self._unwritten: list[Path] = []
        self._unnamed: list[tuple[Path | None, Path, bytes | None]] = []  # old name, new name, what was there

    @override
    def create(self, path: Path) -> int:
        made = super().create(path)
        self._unwritten.append(path)
        self._unnamed.append((None, path, None))
        return made

    @override
    def make_folder(self, path: Path) -> None:
        super().make_folder(path)
        self._unnamed.append((None, path, None))

    @override
    def rename(self, old: Path, new: Path) -> None:
        was = new.read_bytes() if new.is_file() else None
        super().rename(old, new)
        self._unwritten = [new if path == old else path for path in self._unwritten]
        self._unnamed = [entry for entry in self._unnamed if entry[1] != old or old.parent != new.parent]
        self._unnamed.append((old, new, was))

    @override
    def sync(self, descriptor: int) -> None:
        super().sync(descriptor)
        synced = os.fstat(descriptor)
        if stat.S_ISDIR(synced.st_mode):
            self._unnamed = [
                entry
                for entry in self._unnamed
                if entry[1].parent.exists() and not os.path.samestat(entry[1].parent.stat(), synced)
            ]
        else:
            self._unwritten = [
                path for path in self._unwritten if path.exists() and not os.path.samestat(path.stat(), synced)
            ]

    @override
    def die(self) -> None:
        for path in self._unwritten:
            if path.is_file():
                path.write_bytes(b"")
        for old, new, was in reversed(self._unnamed):
            if old is not None and new.exists() and old.parent.is_dir():
                new.replace(old)
            elif old is None and new.is_dir():
                shutil.rmtree(new)
            elif old is None and new.is_file():
                new.unlink()
            if was is not None:
                new.write_bytes(was)
        super().die()


class FullDisk(CountingDisk):
    """From one call on nothing new finds room; names can still be given and files deleted.

    Parameters
    ----------
    at : from which call on
    error : what the system says: full, or an error of the drive
    """

    def __init__(self, at: int, error: int = errno.ENOSPC) -> None:
        super().__init__(at)
        self.error = error

    @override
    def _do(self, call: str, act: Callable[[], Any]) -> Any:
        if len(self.calls) + 1 >= self.at and call in {"create", "write", "sync", "make_folder"}:
            self.calls.append(call)
            raise OSError(self.error, os.strerror(self.error))
        return super()._do(call, act)


class RefusingDisk(CountingDisk):
    """One call, whatever it does, is refused once."""

    @override
    def before(self, call: str) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))


def outcome_of(deed: Deed, folder: Path, disk: Disk) -> str:
    """Do a deed on a disk, and how it ended: `done`, `refused` or `killed`."""
    try:
        with on(disk):
            deed.act(Campaign(folder))
    except Killed:
        return "killed"
    except AlloyloopError as error:
        return "killed" if "The journal has it" in str(error) else "refused"
    return "done"


@contextmanager
def on(disk: Disk) -> Iterator[None]:
    """Let all changes go through a disk."""
    with patch.object(files, "DISK", disk):
        yield


def quick_suggestion(
    snapshot: Snapshot, n: int, round_number: int, own: Named, manner: Manner | None = None
) -> Suggestion:
    """Alloys by their place in the space, in the place of a search: what is written is as it would be."""
    import numpy as np

    points = snapshot.space.sample(n, np.random.default_rng(round_number))
    alloys = []
    for i, composition in enumerate(snapshot.space.compositions(points), 1):
        expected = {"youngs_modulus_GPa": {"mean": 60.0, "std": 2.0, "low": 56.7, "high": 63.3}}
        said: dict[str, Any] = {
            "id": f"R{round_number:03d}-{i}",
            "composition": dict(composition.wt_pct) if composition else {},
            "basis": "wt_pct",
            "process": {},
            "predicted": expected,
            "probability": {"all": 1.0},
            "nearest": None,
            "flags": [],
            "why": "",
        }
        alloys.append(Answer.from_json(said))
    return Suggestion(points, tuple(alloys), (), {"seed": 0}, ())


@dataclass(frozen=True)
class Deed:
    """Something that changes a campaign.

    Parameters
    ----------
    name : of it
    prepare : makes the campaign that it is done to
    act : does it
    """

    name: str
    prepare: Callable[[Path], None]
    act: Callable[[Campaign], object]


def _new(path: Path) -> None:
    path.mkdir(parents=True)
    (path / "campaign.yaml").write_text(QUESTION, encoding="utf-8")
    (path / "experiments.csv").write_text(EXPERIMENTS, encoding="utf-8")


def _with_round(path: Path) -> None:
    _new(path)
    campaign = Campaign(path)
    campaign.suggest(2)
    campaign.record("R001-1", "youngs_modulus_GPa=61.5,62.5")


def _edited(path: Path) -> None:
    _with_round(path)
    table = path / "experiments.csv"
    text = table.read_text(encoding="utf-8").replace("85,5", "86,5")
    table.write_text(text + "C;known;;60;30;10;61;by hand\n", encoding="utf-8")


def _results(campaign: Campaign) -> object:
    import pandas as pd

    rows = {"id": ["R001-1", "R001-2"], "youngs_modulus_GPa": [58.25, 61.75], "note": ["soft", "=SUM(A1)"]}
    return campaign.record(pd.DataFrame(rows))


DEEDS = (
    Deed("record the first result of a folder made by hand", _new, lambda c: c.record("A", "youngs_modulus_GPa=84.5")),
    Deed("record one result", _with_round, lambda c: c.record("R001-2", "youngs_modulus_GPa=58.2,59.1", "note=soft")),
    Deed("record a table", _with_round, _results),
    Deed("record after edits by hand", _edited, lambda c: c.record("R001-2", status="failed", because="cracked")),
    Deed("suggest the first round", _new, lambda c: c.suggest(2)),
    Deed("suggest another round", _with_round, lambda c: c.suggest(2)),
    Deed("suggest after edits by hand", _edited, lambda c: c.suggest(1)),
    Deed("undo", _with_round, lambda c: c.undo()),
    Deed("withdraw", _with_round, lambda c: c.withdraw("R001-2", because="no Zr on the shelf")),
)


def events(folder: Path) -> dict[str, dict[str, Any]]:
    """Every event by the name of its file, read without our own reader."""
    paths = sorted((folder / "journal").glob("*.json"))
    return {path.name: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def deeds(told: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """The events but for those that tell what was done by hand."""
    return [event for event in told.values() if event["what"] != "edit"]


def visible(folder: Path) -> tuple[tuple[str, ...], ...]:
    """The table as a reader of the campaign sees it."""
    sheet = Campaign(folder).snapshot().table.sheet
    return (sheet.columns, *sheet.rows)


@dataclass(frozen=True)
class States:
    """A campaign before and after a deed that nothing cut short.

    Parameters
    ----------
    old, new : the table
    old_bytes, new_bytes : the same as it stands on disk
    calls : what was done to the disk on the way
    n_deeds : how many there were before
    """

    old: tuple[tuple[str, ...], ...]
    new: tuple[tuple[str, ...], ...]
    old_bytes: bytes
    new_bytes: bytes
    calls: tuple[str, ...]
    n_deeds: int


def states(deed: Deed, base: Path, scratch: Path) -> States:
    """Do a deed once in a copy of the prepared campaign."""
    shutil.copytree(base, scratch)
    old, old_bytes, n_deeds = visible(scratch), (scratch / "experiments.csv").read_bytes(), len(deeds(events(scratch)))
    disk = CountingDisk()
    with on(disk):
        deed.act(Campaign(scratch))
    new, new_bytes = visible(scratch), (scratch / "experiments.csv").read_bytes()
    shutil.rmtree(scratch)
    return States(old, new, old_bytes, new_bytes, tuple(disk.calls), n_deeds)


def judged(folder: Path, deed: Deed, known: States, outcome: str) -> list[str]:
    """What is wrong with a campaign in which a deed was cut short.

    Parameters
    ----------
    folder : it is changed: after it was looked at, another result is recorded in it
    outcome : `done` where the deed came back, `refused` where it raised a sentence for the user that says that nothing
        was changed, else `killed`
    """
    wrong: list[str] = []
    before = events(folder)
    try:
        campaign = Campaign(folder)
        seen = visible(folder)
    except (AlloyloopError, OSError) as error:
        return [f"it does not open: {error}"]
    on_disk = (folder / "experiments.csv").read_bytes()
    if on_disk not in (known.old_bytes, known.new_bytes):
        wrong.append("experiments.csv is neither as it was nor as it should be")
    if seen not in (known.old, known.new):
        wrong.append("the table that is seen is neither the old nor the new")
    is_new = seen == known.new
    happened = deeds(before)
    if len(happened) != known.n_deeds + is_new:
        wrong.append("the table does not say what the journal says")
    if outcome == "done" and not is_new:
        wrong.append("it came back, and what it did is gone")
    if outcome == "refused" and is_new:
        wrong.append("it was refused, and happened")
    try:  # and the campaign goes on
        campaign.record("B", "youngs_modulus_GPa=71")
    except (AlloyloopError, OSError) as error:
        return [*wrong, f"nothing can be recorded any more: {error}"]
    state = known.new if is_new else known.old
    header, *rows = state
    place = header.index("youngs_modulus_GPa")
    expected = (
        header,
        *(tuple("71" if row[0] == "B" and i == place else c for i, c in enumerate(row)) for row in rows),
    )
    if visible(folder) != expected:
        wrong.append("after the next result the table is another")
    after = events(folder)
    if len(deeds(after)) != len(happened) + 1:
        wrong.append("events are missing or doubled")
    if not before.items() <= after.items():
        wrong.append("an event was changed")
    wrong += broken(folder)
    return wrong


def broken(folder: Path) -> list[str]:
    """What is wrong with a campaign's journal, rounds and names at rest, found without our own readers."""
    wrong, told = [], events(folder)
    digests = {name: sha256((folder / "journal" / name).read_bytes()).hexdigest() for name in told}
    named = {parent for event in told.values() for parent in event["after"]}
    if not named <= set(digests.values()):
        wrong.append("an event's parent is missing")
    if len([digest for digest in digests.values() if digest not in named]) != 1:
        wrong.append("the journal has not one end")
    if any(digest[:12] not in name for name, digest in digests.items()):
        wrong.append("an event's name is not its content's")
    if told:
        left = told[max(told)]["digests"]["after"]["experiments.csv"]
        if left != sha256((folder / "experiments.csv").read_bytes()).hexdigest():
            wrong.append("experiments.csv is not what the last event left")
    for event in told.values():
        if event["what"] == "suggest":
            for name, digest in event["frozen"].items():
                file = folder / "rounds" / f"{event['round']:03d}" / name
                if not file.is_file() or sha256(file.read_bytes()).hexdigest() != digest:
                    wrong.append(f"round {event['round']} lacks {name}")
    if litter := [path.name for path in folder.rglob("*") if path.suffix in {".tmp", ".staged"}]:
        wrong.append(f"left behind: {', '.join(litter)}")
    return wrong
