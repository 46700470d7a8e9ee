"""What a writer that was cut off left behind, and experiments.csv as the journal says it should be.

A change has happened as soon as its event is in the journal. What experiments.csv becomes by it lies beside it by then,
whole, under a hidden name (:func:`~alloyloop.campaigns.files.stage`), and takes its place next. Whoever finds it there
with the event of which it is finishes that: readers in memory, the next writer on disk.
"""

from __future__ import annotations

from .files import put_in_place, read_bytes, remove, staged_name, write_atomically, write_cache
from .folder import Folder
from .journal import Event, change_of, digest, digests_after, digests_before, newest, staged_event
from .merging import settled
from .problems import CampaignFileError
from .sheet import Sheet, read_sheet, sheet_bytes


def experiments_now(folder: Folder) -> tuple[Sheet, tuple[str, ...]]:
    """experiments.csv with all that the journal says has happened to it, and a remark where the file lacks some.

    Raises
    ------
    CampaignFileError
        where it cannot be read
    """
    event = _cut_off(folder)  # before the table is read: a writer that is about to end must not end between
    sheet, merged = settled(folder, read_sheet(folder.experiments))
    change = None if event is None else change_of(event)
    due = None if change is None else change.rest(sheet)
    if event is None or not due:
        return sheet, merged
    what = event.content.get("what", "change")
    return due.apply(sheet), (
        f"{folder.experiments.name} lacks what the last `{what}` brought, as that was cut off: it is read as it should "
        "be, and the next command that writes completes it.",
    )


def recover(folder: Folder) -> None:
    """Finish the change that a writer was cut off in, if its event is there, and clear away what was not yet one.

    Cells that somebody has edited since stay as they are. To be called by whoever holds the folder.
    """
    experiments, staged = folder.experiments, staged_name(folder.experiments)
    event = _cut_off(folder)
    if event is not None:
        write_cache(folder.left, read_bytes(staged))
        if digest(read_bytes(experiments)) == digests_before(event).get(experiments.name):
            put_in_place(staged, experiments)
        elif (change := change_of(event)) is not None:
            sheet = read_sheet(experiments)
            if due := change.rest(sheet):
                write_atomically(experiments, sheet_bytes(due.apply(sheet)))
    remove(staged)
    remove(staged_event(folder.journal))


def _cut_off(folder: Folder) -> Event | None:
    """The event of which experiments.csv has not taken its new place; None where there is none."""
    staged = staged_name(folder.experiments)
    if not staged.is_file() or (event := newest(folder.journal)) is None:
        return None
    try:
        is_its = digest(read_bytes(staged)) == digests_after(event).get(folder.experiments.name)
    except CampaignFileError:  # taken away meanwhile: its writer was not cut off
        return None
    return event if is_its else None
