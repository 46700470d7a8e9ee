"""The one way in which a campaign changes: everything is made ready, the event appears, the table follows.

1. The folder is held; what a crash left is finished (:mod:`~alloyloop.campaigns.recovering`).
2. What experiments.csv becomes is written beside it, the files of a round into the cache: whole and synced.
3. Where the files are not what the last event left, an event `edit` says what was done by hand.
4. The folder of the round takes its name, then the event: from here on the change has happened.
5. experiments.csv takes its new place.

Cut off before the event has its name, the campaign is as it was, but for a round that no event names, which the next
suggestion replaces. Cut off after that, what waits beside experiments.csv is the change that is still to be finished.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ..surrogates.errors import AlloyloopError
from .answers import Json
from .changes import Change
from .files import put_in_place, read_bytes, remove, stage, staged_name, write_cache
from .folder import Folder
from .history import History, rebuilt
from .journal import (
    Event,
    Heads,
    digest,
    digests_after,
    keep_heads,
    next_event,
    read_heads,
    read_journal,
    stage_event,
    staged_event,
)
from .merging import settle
from .recovering import recover
from .sheet import Sheet, read_sheet, sheet_bytes
from .snapshot import Snapshot, read_snapshot
from .spec import read_spec


@dataclass(frozen=True, eq=False)
class Writer:
    """A campaign that is held against all other writers, as it is now.

    Parameters
    ----------
    folder : the campaign's
    before : the files that a person edits, as they are now, by name
    snapshot : what they say
    heads : where the journal stands
    """

    folder: Folder
    before: Mapping[str, bytes]
    snapshot: Snapshot
    heads: Heads

    @property
    def sheet(self) -> Sheet:
        """experiments.csv as it is now."""
        return self.snapshot.table.sheet

    def events(self) -> list[Event]:
        """The whole journal."""
        return read_journal(self.folder.journal)

    def commit(
        self, what: str, change: Change, details: Json | None = None, round_files: Mapping[str, bytes] | None = None
    ) -> Sheet:
        """Let a change happen, wholly or not at all.

        Parameters
        ----------
        what : the event, such as `record`
        change : to experiments.csv
        details : what else the event says; its `round` is the number of a round that is written
        round_files : the files of that round

        Returns
        -------
        the changed table

        Raises
        ------
        AlloyloopError
            where somebody edited a file meanwhile, or it cannot be written; the campaign is then as it was
        """
        folder, details = self.folder, details or {}
        sheet = change.apply(self.sheet) if change else self.sheet
        now = {name: digest(content) for name, content in self.before.items()}
        table = sheet_bytes(sheet) if change else self.before[folder.experiments.name]
        digests = {"before": now, "after": now | {folder.experiments.name: digest(table)}}
        edit = self._edit(now)
        after = self.heads.events if edit is None else (edit,)
        event = next_event(what, {**details, "change": change.json(), "digests": digests}, after)
        rounds = () if round_files is None else (folder.staged_round(event.round), folder.round(event.round))
        with self._nothing_unless_all(event, *rounds):
            if change:
                stage(folder.experiments, table)
            if round_files is not None:
                folder.stage_round(event.round, round_files)
            self._refuse_if_changed_since()
            if edit is not None:
                put_in_place(stage_event(folder.journal, edit), folder.journal / edit.name)
            stage_event(folder.journal, event)
            if round_files is not None:
                folder.put_round(event.round)
            put_in_place(staged_event(folder.journal), folder.journal / event.name)
        if change:
            try:
                put_in_place(staged_name(folder.experiments), folder.experiments)
            except AlloyloopError as error:
                raise AlloyloopError(
                    f"The journal has it, but {folder.experiments.name} could not be replaced: {error.problem}",
                    "Do not enter it again: the next command that writes completes it.",
                ) from error
        keep_heads(folder.journal, Heads((event,), max(self.heads.last_round, event.round)), folder.heads)
        write_cache(folder.left, table)
        return sheet

    @contextmanager
    def _nothing_unless_all(self, event: Event, *rounds: Path) -> Iterator[None]:
        """Clear away what was made ready for an event that does not come."""
        folder = self.folder
        try:
            yield
        except BaseException:
            if not (folder.journal / event.name).exists():
                for path in (staged_name(folder.experiments), staged_event(folder.journal), *rounds):
                    with suppress(AlloyloopError):
                        remove(path)
            raise

    def _refuse_if_changed_since(self) -> None:
        """The lock holds off other commands, but no editor: what was saved meanwhile must not be written over."""
        for name, content in self.before.items():
            if read_bytes(self.folder.path / name) != content:
                raise AlloyloopError(
                    "It was changed by somebody else meanwhile", "Nothing was written; run it again.", place=name
                )

    def _edit(self, now: Mapping[str, str]) -> Event | None:
        """What was done by hand since the last event; None where the files are as that left them.

        Where two people's journals were joined, it is a `merge`.
        """
        heads, name = self.heads.events, self.folder.experiments.name
        left = [digests_after(event) for event in heads]
        edited = [file for file, told in now.items() if any(was.get(file, told) != told for was in left)]
        if not edited:
            return None
        change: Change | None = Change()
        if name in edited:
            was = self._table_left()
            change = None if was is None else Change.between(was, self.sheet)
        details: Json = {
            "files": edited,
            **({"known": False} if change is None else {}),
            "change": (change or Change()).json(),
            "digests": {"before": dict(left[0]) if len(left) == 1 else {}, "after": dict(now)},
        }
        return next_event("edit" if len(heads) == 1 else "merge", details, heads)

    def _table_left(self) -> Sheet | None:
        """experiments.csv as the last event left it; None where that cannot be found out."""
        kept, name = self.folder.left, self.folder.experiments.name
        heads = self.heads.events
        if len(heads) == 1 and kept.is_file() and digest(read_bytes(kept)) == digests_after(heads[0]).get(name):
            return read_sheet(kept)
        return rebuilt(self.folder, History.of(self.events()))


@contextmanager
def changing(folder: Folder, verb: str) -> Iterator[Writer]:
    """Hold a campaign against other writers, finish what a crash left, and read it as it is now.

    Parameters
    ----------
    verb : what others who wait are told that this one does

    Raises
    ------
    CampaignFileError
        where a file has a mistake; names every one
    AlloyloopError
        where the folder is not a campaign, cannot be written in, or is held by somebody else for too long
    """
    with folder.writing(verb):
        recover(folder)
        heads = read_heads(folder.journal, folder.heads)
        if len(heads.events) > 1:
            settle(folder)
        before = inputs(folder)
        yield Writer(folder, before, read_snapshot(folder), heads)


def inputs(folder: Folder) -> dict[str, bytes]:
    """The files that a person edits, as they are now, by name: the question, and the tables it is asked with."""
    beside = (folder.path / name for name in read_spec(folder.checked().question).tables)
    # What is not there is said where it is read.
    files = [folder.question, folder.experiments, *(table for table in beside if table.is_file())]
    return {file.name: read_bytes(file) for file in files}
