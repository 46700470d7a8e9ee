"""Taking back what happened last, and putting it back: an event of its own each, and nothing is ever deleted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..surrogates.errors import AlloyloopError
from .answers import Json
from .changes import Change
from .history import REDO, UNDO, UNDOES, History
from .journal import Event, change_of
from .reading import listed
from .sheet import Sheet

# What can be taken back, and what a sentence calls it.
_DEEDS = {
    "suggest": "the suggestion of round {round}",
    "record": "what was recorded",
    "withdraw": "the withdrawal",
    "edit": "what was edited by hand",
    UNDO: "an undo",
}


@dataclass(frozen=True, slots=True)
class Undoing:
    """An event that is taken back, or put back, and what that does to experiments.csv.

    Parameters
    ----------
    what : `undo` or `redo`
    of : the event that is taken back; of a redo the undo
    change : to the table
    deed : what is taken back or put back in the end
    """

    what: str
    of: Event
    change: Change
    deed: Event

    @property
    def details(self) -> Json:
        """What its own event says beside the change."""
        return {UNDOES: self.of.digest}

    @property
    def words(self) -> tuple[str, ...]:
        """What it does, one sentence for what is taken back and one for each alloy."""
        said = f"{deed(self.deed)} is {'put' if self.what == REDO else 'taken'} back."
        return (said[0].upper() + said[1:], *told(self.change))

    def json(self) -> Json:
        """As in `--json`."""
        return {"what": self.what, UNDOES: self.of.digest, "change": self.change.json(), "words": list(self.words)}


def undoing(history: History, sheet: Sheet) -> Undoing:
    """Take back the last event that is not taken back yet.

    Raises
    ------
    AlloyloopError
        where there is none, it is not known what it changed, or its cells were changed since
    """
    for event in reversed(history.events):
        if event.content.get("what") in {*_DEEDS} - {UNDO} and event.digest not in history.undone:
            change = _change(event)
            if change or event.content.get("what") == "suggest":
                return _checked(Undoing(UNDO, event, change.inverse(), event), sheet)
    raise AlloyloopError(
        "There is nothing to take back",
        "Nothing was suggested, recorded or withdrawn yet, or all of it was taken back.",
    )


def redoing(history: History, sheet: Sheet) -> Undoing:
    """Put back what the last undo took back, if nothing else was done since.

    Raises
    ------
    AlloyloopError
        as for `undoing`
    """
    standing = (event for event in reversed(history.events) if event.digest not in history.undone)
    last = next((event for event in standing if event.content.get("what") in _DEEDS), None)
    if last is None or last.content.get("what") != UNDO:
        raise AlloyloopError("There is nothing to put back", "Nothing was taken back since the last thing was done.")
    first = next((event for event in history.events if event.digest == last.content.get(UNDOES)), last)
    return _checked(Undoing(REDO, last, _change(last).inverse(), first), sheet)


def deed(event: Event) -> str:
    """What an event is, who did it and when: such as `what was recorded (anna, 2026-07-01 12:00 UTC)`."""
    what = str(event.content.get("what"))
    name = _DEEDS.get(what, what).format(round=event.content.get("round"))
    when = str(event.content.get("when"))[:16].replace("T", " ")
    return f"{name} ({event.content.get('who', 'somebody')}, {when} UTC)"


def told(change: Change) -> Iterator[str]:
    """A change in words, a sentence for each alloy.

    Examples
    --------
    >>> list(told(Change(cells={"R001-1": {"status": ("measured", "made"), "note": ("twin", "")}})))
    ['R001-1: status from measured to made, note from twin to blank.']
    """
    for id, changed in change.cells.items():
        cells = [f"{name} from {before or 'blank'} to {after or 'blank'}" for name, (before, after) in changed.items()]
        yield f"{id}: {', '.join(cells)}."
    if change.added:
        yield f"{listed([row['id'] for row in change.added])}: entered again."
    if change.removed:
        yield f"{listed([row['id'] for row in change.removed])}: taken out."


def _change(event: Event) -> Change:
    """What an event changed; suggestions of older versions, which do not say, entered rows that are proposed."""
    change = change_of(event)
    if change is None and event.content.get("what") == "suggest":
        return Change(added=tuple({"id": str(id), "status": "proposed"} for id in event.content.get("ids", ())))
    if change is None:
        raise AlloyloopError(
            f"It is not known what this changed: {deed(event)}", "Correct experiments.csv by hand, or with `record`."
        )
    return change


def _checked(undoing: Undoing, sheet: Sheet) -> Undoing:
    """Refuse where the table is no longer as the event left it."""
    for id, cells in undoing.change.unmet(sheet).items():
        name, (left, found) = next(iter(cells.items()))
        now = "it is no longer in the table"
        if name != "id":
            now = f"its {name} is {found or 'blank'} now, and was left as {left or 'blank'}"
        raise AlloyloopError(
            f"{id} was changed since {deed(undoing.deed)}: {now}",
            "Nothing was taken back; correct the cell with `record`, or by hand.",
        )
    return undoing
