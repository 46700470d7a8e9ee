"""Giving up alloys: the row stays, with its reason, and nobody waits for it or learns from it any more."""

from __future__ import annotations

from collections.abc import Sequence

from ..surrogates.errors import AlloyloopError
from .changes import Change
from .snapshot import Snapshot


def withdrawal(snapshot: Snapshot, ids: Sequence[str], because: str) -> Change:
    """What withdrawing some alloys does to experiments.csv.

    A withdrawn alloy is not pending, costs nothing of the budget, and is not proposed again. One that was measured is
    no longer learned from.

    Parameters
    ----------
    snapshot : the campaign
    ids : of the alloys
    because : why

    Raises
    ------
    AlloyloopError
        for an id that is not there or is withdrawn already, or without a reason
    """
    because = " ".join(because.split())
    if not ids:
        raise AlloyloopError("Nothing is named that could be withdrawn", "Name it by its id, such as R002-3.")
    if not because:
        raise AlloyloopError("A withdrawn alloy needs its reason", 'Add --because "no tantalum left", say.')
    table = snapshot.table
    changes: dict[tuple[int, str], str] = {}
    for id in ids:
        row = table.row(id)
        if table.status[row] == "withdrawn":
            raise AlloyloopError(f"{id} is withdrawn already", "`alloyloop undo` takes the last withdrawal back.")
        changes |= {(row, "status"): "withdrawn", (row, "reason"): because}
    return Change.between(table.sheet, table.sheet.with_cells(changes))
