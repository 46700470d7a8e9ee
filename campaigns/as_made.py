"""What an alloy that is recorded was made of: its composition as analysed, or that of one that was never proposed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np

from ..design.alloy_names import read_name
from ..design.composition import Composition
from ..design.elements import SYMBOLS
from ..surrogates.errors import AlloyloopError
from .amounts import COMPOSITION_COLUMN
from .cells import NotANumberError, is_not_known, read_number, safe_cell
from .named import in_basis, named
from .reading import listed
from .sheet import new_sheet
from .snapshot import Snapshot, plain
from .table import ExperimentTable

# Ids that we give: of proposals, and of alloys that were never proposed.
_OURS = re.compile(r"R[0-9]{3,}-[0-9]+|X([0-9]{3,})")
_LONGEST_ID = 60  # signs


def is_amount(column: str) -> bool:
    """Whether a column holds amounts of an element.

    >>> is_amount("Nb_wt_pct"), is_amount("O_at_pct_measured"), is_amount("area_pct")
    (True, True, False)
    """
    match = COMPOSITION_COLUMN.fullmatch(column)
    return match is not None and match[1] in SYMBOLS


def composition_of(table: ExperimentTable, cells: Mapping[str, str]) -> Composition | None:
    """What the alloy of a row with these cells consists of: as analysed, or else as planned.

    None where they do not say it, or the campaign has no composition.
    """
    if table.layout.basis is None:
        return None
    row = {"id": "X", "status": "made"} | {name: text for name, text in cells.items() if is_amount(name)}
    read = table.read(new_sheet(list(row), [row], dialect=table.sheet.dialect), table.layout)
    amounts = read.amounts[0]
    if not np.isfinite(amounts).all():
        return None
    return Composition(dict(zip(read.elements, amounts.tolist(), strict=True)), table.layout.basis)


def analysed(snapshot: Snapshot, row: Mapping[str, str], text: str) -> dict[str, str]:
    """The cells of a composition as analysed, in the campaign's basis; an earlier one is cleared.

    Parameters
    ----------
    row : the alloy's cells as they stand
    text : such as `Ti-24.3Nb-4.1Zr wt`, by ICP or EDS

    Raises
    ------
    AlloyloopError
        where it cannot be read, or says nothing of an element that was planned
    """
    basis = snapshot.table.layout.basis
    if basis is None:
        raise AlloyloopError("This campaign has no composition that could be analysed", "Leave --measured out.")
    found = in_basis(snapshot, Composition.parse(text))
    planned = [element for element in snapshot.table.elements if _is_some(row.get(f"{element}_{basis}", ""))]
    if lacking := [element for element in planned if element not in read_name(text).amounts]:
        raise AlloyloopError(
            f"The measured composition says nothing of {listed(lacking)}, which was planned: the balance would take it",
            "Add it as it was measured, or else as it was planned.",
        )
    earlier = {name: "" for name, cell in row.items() if cell and name.endswith("_measured") and is_amount(name)}
    return earlier | _amounts(snapshot, found, "_measured")


def says_what_it_is(snapshot: Snapshot, said: Mapping[str, str]) -> dict[str, str]:
    """Of the columns that were said, those that say what an alloy is: its amounts; every process variable without."""
    if snapshot.space.elements:
        return {name: text for name, text in said.items() if is_amount(name) and not name.endswith("_measured")}
    process = [variable.name for variable in snapshot.space.process]
    return {name: said[name] for name in process} if set(process) <= said.keys() else {}


def unproposed(
    snapshot: Snapshot, name: str, said: Mapping[str, str], id: str = "", taken: Sequence[str] = ()
) -> tuple[str, dict[str, str]] | None:
    """The id and the cells of the row of an alloy that was never proposed; None where no alloy is named.

    Parameters
    ----------
    name : of the alloy, or its process values where the campaign has no composition; empty where the amounts are said
    said : columns with amounts, process values, a source, in our dialect
    id : that it is to have; X001 and so on where it is empty
    taken : ids that are not in the table yet

    Raises
    ------
    AlloyloopError
        where the id cannot be one, or the alloy is one that waits for its result and no source tells them apart
    """
    cells = says_what_it_is(snapshot, said) or _named(snapshot, name)
    if not cells or _OURS.fullmatch(id):
        return None
    if id and (safe_cell(id) != id or len(id) > _LONGEST_ID or not id.isprintable()):
        raise AlloyloopError(f"{id!r} cannot be an id", "Write letters, numbers and dashes.")
    ours = filter(None, map(_OURS.fullmatch, (*snapshot.table.ids, *taken)))
    id = id or f"X{max((int(found[1] or 0) for found in ours), default=0) + 1:03d}"
    if not said.get("source"):
        _refuse_a_pending_one(snapshot, {**said, **cells})
    return id, cells


def _named(snapshot: Snapshot, name: str) -> dict[str, str]:
    """The cells that a name says; none where it names no alloy of this campaign."""
    space, number = snapshot.space, snapshot.table.sheet.dialect.number
    if not space.elements:
        if "=" not in name:
            return {}
        values = {each: plain(column[0]) for each, column in named(snapshot, [name]).process.items()}
        return {
            each: value if isinstance(value, str) else number(value)
            for each, value in values.items()
            if value is not None and each not in {condition.name for condition in space.conditions}
        }
    try:
        elements = set(read_name(name).amounts)
    except AlloyloopError:
        return {}
    # An id that is mistyped may read as a formula: NB1 is nitrogen and boron.
    if not elements & set(space.elements):
        return {}
    none = dict.fromkeys((f"{element}_{space.basis}" for element in space.elements), "0")
    return none | _amounts(snapshot, in_basis(snapshot, Composition.parse(name)))


def _amounts(snapshot: Snapshot, alloy: Composition, end: str = "") -> dict[str, str]:
    """The cells of a composition, to four decimals; the largest amount is such that they sum to 100."""
    amounts = {element: round(amount, 4) for element, amount in alloy.amounts(alloy.basis).items()}
    largest = max(amounts, key=amounts.__getitem__)
    amounts[largest] = round(100 - sum(amount for element, amount in amounts.items() if element != largest), 4)
    number = snapshot.table.sheet.dialect.number
    return {f"{element}_{alloy.basis}{end}": number(amount) for element, amount in amounts.items()}


def _refuse_a_pending_one(snapshot: Snapshot, cells: Mapping[str, str]) -> None:
    """An alloy that waits for its result is rather meant than another melt of it."""
    table, alloy = snapshot.table, composition_of(snapshot.table, cells)
    treatment = [name for name in (*table.layout.numeric, *table.layout.choices) if name in table.sheet.positions]
    for row in np.flatnonzero(table.pending).tolist():
        planned = {name: table.sheet.cell(row, name) for name in treatment}
        same_treatment = all(_same(table, cells.get(name, cell), cell) for name, cell in planned.items() if cell)
        same_alloy = snapshot.composition(row) == alloy if snapshot.space.elements else any(planned.values())
        if same_alloy and same_treatment:
            raise AlloyloopError(
                f"This is {table.ids[row]}, which waits for its result",
                f"Record it as {table.ids[row]}; where it is another melt of the same, say its --source.",
            )


def _same(table: ExperimentTable, one: str, other: str) -> bool:
    """Whether two cells say the same number or the same word."""
    with suppress(NotANumberError):
        decimal = table.sheet.dialect.decimal
        return read_number(one, decimal).value == read_number(other, decimal).value
    return one.casefold() == other.casefold()


def _is_some(cell: str) -> bool:
    """Whether the cell of an amount says that there is some of the element.

    >>> _is_some("7,5"), _is_some("0.0"), _is_some("bal.")
    (True, False, True)
    """
    return bool(cell.strip("0.,")) and not is_not_known(cell)
