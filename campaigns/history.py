"""What the events of a journal add up to: their order, the branches they were made on, what is undone, the table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import groupby

from .changes import Change, Row
from .folder import Folder
from .journal import Event, change_of, digest, digests_before
from .problems import CampaignFileError
from .sheet import Sheet, read_sheet

# What an event that takes another one back says about itself, and under which key it names the other.
UNDO, REDO, UNDOES = "undo", "redo", "undoes"


@dataclass(frozen=True)
class History:
    """The events of a campaign, parents before children, else in the order of their times.

    Parameters
    ----------
    events : in that order

    Examples
    --------
    >>> new = Event("a", {"what": "new", "after": []})
    >>> mine, yours = (Event(name, {"what": "record", "after": ["a"]}) for name in "bc")
    >>> history = History.of([mine, new, yours])
    >>> [event.digest for event in history.events], [event.digest for event in history.heads]
    (['a', 'b', 'c'], ['b', 'c'])
    """

    events: tuple[Event, ...]

    @classmethod
    def of(cls, events: Iterable[Event]) -> History:
        """Put events in order; parents that are missing are passed over (`verify` names them)."""
        named = {event.digest: event for event in events}
        place = {name: i for i, name in enumerate(named)}
        sorter = TopologicalSorter({name: [p for p in parents(event) if p in named] for name, event in named.items()})
        try:
            sorter.prepare()
        except CycleError:  # only where a digest was broken
            return cls(tuple(named.values()))
        ordered: list[Event] = []
        waiting: list[str] = []
        while sorter.is_active():
            waiting = sorted((*waiting, *sorter.get_ready()), key=place.__getitem__)
            first = waiting.pop(0)
            ordered.append(named[first])
            sorter.done(first)
        return cls(tuple(ordered))

    @cached_property
    def heads(self) -> tuple[Event, ...]:
        """The events that none is after: one, or one a branch where git merged some and nothing was written since."""
        followed = {parent for event in self.events for parent in parents(event)}
        return tuple(event for event in self.events if event.digest not in followed)

    @cached_property
    def undone(self) -> frozenset[str]:
        """Digests of the events that are taken back: by an undo that is not itself taken back."""
        taken_back: set[str] = set()
        for event in reversed(self.events):
            other = event.content.get(UNDOES)
            if isinstance(other, str) and event.digest not in taken_back:
                taken_back.add(other)
        return frozenset(taken_back)

    @cached_property
    def _before(self) -> Mapping[str, int]:
        """Of every event those before it, and itself, as the bits of a number."""
        before: dict[str, int] = {}
        for i, event in enumerate(self.events):
            bits = 1 << i
            for parent in parents(event):
                bits |= before.get(parent, 0)
            before[event.digest] = bits
        return before

    def is_before(self, earlier: Event, later: Event) -> bool:
        """Whether whoever made one event knew of the other; an event is before itself."""
        return not ~self._before[later.digest] & self._before[earlier.digest]

    def since(self, anchor: Event) -> tuple[Event, ...]:
        """One event, and all that were not known when it was made."""
        return tuple(event for event in self.events if event is anchor or not self.is_before(event, anchor))

    @cached_property
    def forked(self) -> tuple[Event, ...]:
        """The events that are on some branches and not on all: none where there is one head."""
        return tuple(event for event in self.events if not all(self.is_before(event, head) for head in self.heads))


def parents(event: Event) -> list[str]:
    """Digests of the events that one event names before it."""
    named = event.content.get("after", ())
    return [parent for parent in named if isinstance(parent, str)] if isinstance(named, list) else []


def together(changes: Iterable[Change]) -> list[Change]:
    """Several changes as few: one, or more where the decimal mark of the table changed between them.

    Examples
    --------
    >>> made = Change(added=({"id": "R001-1", "status": "proposed"},))
    >>> melted = Change(cells={"R001-1": {"status": ("proposed", "made")}})
    >>> together([made, melted])[0].added
    ({'id': 'R001-1', 'status': 'made'},)
    """
    return [_together(list(group)) for _, group in groupby(changes, key=lambda change: change.decimal)]


def _together(changes: Sequence[Change]) -> Change:
    columns: dict[str, None] = {}
    added: dict[str, dict[str, str]] = {}
    cells: dict[str, dict[str, tuple[str, str]]] = {}
    removed: dict[str, Row] = {}
    for change in changes:
        columns |= dict.fromkeys(change.columns)
        for row in change.removed:
            cells.pop(row["id"], None)
            if added.pop(row["id"], None) is None:
                removed[row["id"]] = row
        for row in change.added:
            if (gone := removed.pop(row["id"], None)) is not None:  # it is in the table that all this is applied to
                names = dict.fromkeys((*gone, *row))
                cells[row["id"]] = {name: (gone.get(name, ""), row.get(name, "")) for name in names if name != "id"}
            else:
                added.setdefault(row["id"], dict(row))
        for id, changed in change.cells.items():
            if id in added:
                added[id] |= {name: after for name, (_, after) in changed.items()}
                continue
            own = cells.setdefault(id, {})
            for name, (before, after) in changed.items():
                own[name] = (own[name][0] if name in own else before, after)
    return Change(tuple(columns), tuple(added.values()), cells, tuple(removed.values()), changes[0].decimal)


@dataclass(frozen=True, slots=True, eq=False)
class Frozen:
    """A table that a round froze, and the event of the round.

    Parameters
    ----------
    event : the suggestion
    sheet : experiments.csv as it was before it
    """

    event: Event
    sheet: Sheet


def last_frozen(folder: Folder, history: History) -> Frozen | None:
    """The table before the last round whose frozen inputs are there and as they were; None where there is none."""
    for event in reversed(history.events):
        number = event.content.get("round")
        if event.content.get("what") != "suggest" or not isinstance(number, int):
            continue
        path = folder.round(number) / "inputs" / folder.experiments.name
        try:
            sheet = read_sheet(path)
            told = digests_before(event).get(folder.experiments.name)
            if told is None or told == digest(path.read_bytes()):
                return Frozen(event, replace(sheet, file=folder.experiments.name))
        except (CampaignFileError, OSError):
            continue
    return None


def rebuilt(folder: Folder, history: History) -> Sheet | None:
    """experiments.csv as the journal says it is: the last frozen table, and all that happened since.

    Returns
    -------
    the table; None where no round froze one, or an event does not say what it changed (those of older versions)
    """
    frozen = last_frozen(folder, history)
    if frozen is None:
        return None
    changes = [change_of(event) for event in history.since(frozen.event)]
    if any(change is None for change in changes):
        return None
    sheet = frozen.sheet
    for change in together([change for change in changes if change is not None]):
        sheet = change.apply(sheet)
    return sheet
