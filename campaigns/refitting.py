"""What results changed in what is believed: of the alloys they are of, of those that wait, and of the best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..surrogates.errors import AlloyloopError
from .answers import Answer, Json, Predicted, PredictedClasses
from .judging import judge
from .learning import believe
from .printing import table_lines
from .snapshot import Snapshot
from .status import status

Expected = Mapping[str, Predicted | PredictedClasses]


@dataclass(frozen=True, slots=True)
class Shift:
    """What is believed of one alloy, before and after.

    Parameters
    ----------
    id, name : of its row, and what it is called
    role : `recorded`, `pending` or `best`
    before, after : what is expected of it, by property; empty where it could not be predicted
    """

    id: str
    name: str
    role: str
    before: Expected
    after: Expected

    def json(self) -> Json:
        """As in `--json`."""
        before, after = ({name: said.json() for name, said in of.items()} for of in (self.before, self.after))
        return {"id": self.id, "name": self.name, "role": self.role, "before": before, "after": after}


@dataclass(frozen=True, slots=True)
class Refitted:
    """What results changed.

    Parameters
    ----------
    alloys : those recorded, those that wait for their result, and the best
    remarks : what was found of the models, or why there are none
    """

    alloys: tuple[Shift, ...]
    remarks: tuple[str, ...] = ()

    def json(self) -> Json:
        """As in `--json`."""
        return {"alloys": [alloy.json() for alloy in self.alloys], "remarks": list(self.remarks)}

    def lines(self, width: int | None = None) -> Iterator[str]:
        """As text, a row for each alloy and property."""
        rows = [
            (alloy.id, alloy.role, name, str(alloy.before.get(name, "-")), str(alloy.after.get(name, "-")))
            for alloy in self.alloys
            for name in dict.fromkeys((*alloy.before, *alloy.after))
        ]
        if rows:
            yield ""
            yield from table_lines(("id", "", "property", "believed before", "believed now"), rows, width)
        yield from (f"Remark: {remark}" for remark in self.remarks)


def refitted(before: Snapshot, after: Snapshot, recorded: Sequence[str]) -> Refitted:
    """Fit what is believed without and with the results, and compare.

    Parameters
    ----------
    before, after : the campaign without the results and with them
    recorded : ids of the rows that they are of
    """
    table = after.table
    best, pending = status(after).ranking[:1], np.flatnonzero(table.pending).tolist()
    asked = [*((table.row(id), "recorded") for id in recorded), *((row, "pending") for row in pending)]
    roles: dict[int, str] = {}
    for row, role in (*asked, *((row, "best") for row in best)):
        roles.setdefault(row, role)
    rows = [row for row in roles if after.name(row)]
    try:
        now = _believed(after, after, rows)
    except AlloyloopError as error:
        return Refitted((), (f"The results are recorded, and nothing can be believed yet: {error}",))
    then: dict[str, Answer] = {}
    remarks = []
    try:
        then = _believed(before, after, rows)
    except AlloyloopError as error:
        remarks.append(f"Nothing could be believed before: {error}")
    shifts = []
    for row in rows:
        id = table.ids[row]
        shifts.append(Shift(id, after.name(row), roles[row], then[id].expected if id in then else {}, now[id].expected))
    return Refitted(tuple(shifts), tuple(remarks))


def _believed(snapshot: Snapshot, of: Snapshot, rows: Sequence[int]) -> dict[str, Answer]:
    """What one state of a campaign believes of rows of another; rows with elements it has never seen are left out."""
    compositions = {row: of.composition(row) for row in rows}
    known = [
        row for row, made in compositions.items() if made is None or set(made.elements) <= set(snapshot.table.elements)
    ]
    process = {name: values[known] for name, values in of.process.items()}
    with snapshot.asking():
        beliefs = believe(snapshot)
        answers = judge(
            snapshot, beliefs, [of.table.ids[row] for row in known], [compositions[r] for r in known], process
        )
    return {answer.id: answer for answer in answers}
