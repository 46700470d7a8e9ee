"""What `check` says: every mistake, and what is odd about the space: no design, hardly any, an idle rule, rows outside.

It counts, and may draw designs and ask them for their descriptors: `check`, `suggest` and `screen` have the time for
that, `status` and `record` do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..design.goals import pursued
from ..design.space import Count
from ..surrogates.errors import AlloyloopError
from .features import undefined_designs
from .folder import Folder
from .problems import CampaignFileError, Problem
from .reading import counted, listed
from .snapshot import Snapshot, read_with_problems, why_not_planned
from .spaces import keys_of_rule
from .spec import FILE, Keys
from .stock_file import read_stock
from .unlike import unlike
from .verifying import history_problems

if TYPE_CHECKING:
    from ..design.conflicts import Part

# A space that does not hold so many batches is nearly empty.
FEW_BATCHES = 10


@dataclass(frozen=True, slots=True)
class Checked:
    """What `check` found.

    Parameters
    ----------
    problems : every mistake in the campaign's files
    remarks : what was rounded, scaled, assumed or may not be meant
    designs : how many there are; None where campaign.yaml has a mistake
    """

    problems: tuple[Problem, ...]
    remarks: tuple[str, ...] = ()
    designs: Count | None = None


def check(folder: Folder) -> Checked:
    """Look for every mistake in a campaign's files, and for what is odd about its space."""
    of_history = history_problems(folder.checked())
    try:
        snapshot, problems = read_with_problems(folder)
    except CampaignFileError as error:
        return Checked((*error.problems, *of_history))
    problems = (*problems, *of_history)
    remarks = [*snapshot.remarks, *unlike(snapshot.table)]
    try:
        remarks += snapshot.calphad.database.remarks if snapshot.calphad is not None else ()
    except CampaignFileError as error:
        return Checked((*problems, *error.problems), tuple(remarks))
    if (melting := snapshot.spec.melting) is not None and melting.stock is not None:
        try:
            remarks += read_stock(folder.path, melting.stock)[1]
        except CampaignFileError as error:
            problems = (*problems, *error.problems)
    try:
        pursued(snapshot.goals)
    except AlloyloopError as error:
        remarks.append(f"{FILE}: nothing can be suggested yet. {error}")
    designs, of_space, few = examine(snapshot)
    if not of_space:
        remarks += [*few, *_idle(snapshot), *rows_outside(snapshot)]
    return Checked((*problems, *of_space), tuple(remarks), designs)


def examine(snapshot: Snapshot) -> tuple[Count, tuple[Problem, ...], tuple[str, ...]]:
    """Count the designs of a space that campaign.yaml describes without a mistake.

    Returns
    -------
    designs : how many there are
    problems : one where there are none; it names bounds and rules that exclude each other, with their lines. One where
        a feature that is named has no value for some
    remarks : where there are few
    """
    designs, batch = snapshot.space.counted(), snapshot.spec.batch
    if designs.number == 0:
        from ..design.conflicts import conflicts

        parts = conflicts(snapshot.space)
        if parts or designs.exact:
            return designs, (_empty(snapshot, designs, parts),), ()
    if snapshot.named is not None and (found := undefined_designs(snapshot.written, snapshot.named, snapshot.space)):
        return designs, found, ()
    if designs.number < FEW_BATCHES * batch:
        few = f"{FILE}: the space holds only {designs}: fewer than {FEW_BATCHES} batches of {batch}."
        return designs, (), (few,)
    return designs, (), ()


def _idle(snapshot: Snapshot) -> list[str]:
    """Remarks on what campaign.yaml says in vain."""
    from ..design.conflicts import always_true

    remarks = []
    for part in always_true(snapshot.space):
        said = "excludes nothing that the rest allows" if part.proved else "excluded none of many designs drawn"
        remarks.append(str(snapshot.written.problem(_keys(snapshot, part.keys), f"'{part.text}' {said}")))
    return remarks


def _empty(snapshot: Snapshot, count: Count, parts: Sequence[Part]) -> Problem:
    """The mistake of a space without a design, at the first of the parts that exclude each other."""
    if not parts:
        return snapshot.written.problem(("composition",), f"The space is empty: {count.how}", "Widen the bounds.")
    is_sure = count.exact or all(part.proved for part in parts)
    kept = listed([_said(snapshot, part) for part in parts])
    found = (
        f"there is no design that keeps {kept}" if is_sure else f"no design was found that keeps {kept}; {count.how}"
    )
    remedy = "Relax any one of these." if len(parts) > 1 else "Relax it."
    return snapshot.written.problem(_keys(snapshot, parts[0].keys), f"The space is empty: {found}", remedy)


def refuse_if_empty(snapshot: Snapshot) -> tuple[str, ...]:
    """The remarks on a space that designs are to be chosen from.

    Raises
    ------
    CampaignFileError
        where it holds no design
    """
    _, problems, remarks = examine(snapshot)
    if problems:
        raise CampaignFileError(problems)
    return remarks


def rows_outside(snapshot: Snapshot) -> tuple[str, ...]:
    """Remarks on rows that the space does not allow: pending ones with every reason, known ones by their number."""
    table = snapshot.table
    remarks = []
    for row in np.flatnonzero(table.pending & table.has_composition & ~table.has_problem).tolist():
        if reasons := why_not_planned(snapshot, row):
            said = f"{table.ids[row]} ({table.status[row]}) would not be proposed as the space is now"
            remarks.append(f"experiments.csv, row {table.sheet.row_numbers[row]}: {said}: {'; '.join(reasons)}.")
    known = snapshot.known
    if outside := int((known & ~snapshot.in_space()).sum()):
        rows, lie = counted(int(known.sum()), "known or measured row"), "lies" if outside == 1 else "lie"
        remarks.append(
            f"experiments.csv: of {rows}, {outside} {lie} outside the space or its rules: learned from all the same, "
            "and never the best."
        )
    return tuple(remarks)


def _keys(snapshot: Snapshot, hint: Sequence[str | int]) -> Keys:
    """Where in campaign.yaml a part of the space stands, by the hint of the floor below."""
    if hint and hint[0] == "rules":
        return keys_of_rule(snapshot.written, int(hint[1]))
    if hint and hint[0] in ("process", "conditions", "candidates"):
        return tuple(hint)
    return ("composition", *hint)


def _said(snapshot: Snapshot, part: Part) -> str:
    line = snapshot.written.line_of(_keys(snapshot, part.keys))
    return f"'{part.text}'" if line is None else f"'{part.text}' (line {line})"
