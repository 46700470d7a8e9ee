"""What one event did to experiments.csv, written into the event: the journal alone can redo, undo and explain it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ..surrogates.errors import AlloyloopError
from .sheet import Sheet

# What becomes of a row whose adding is undone: nothing is ever deleted.
UNDONE = {"status": "withdrawn", "reason": "undone"}

Row = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to a table: columns and rows that came, cells that changed, rows that went.

    Parameters
    ----------
    columns : names added to the header, in order
    added : rows that came, as column → text with the id among them; blank cells are left out
    cells : id → column → (text before, text after); a column that is not there counts as blank
    removed : rows that somebody took out by hand, like `added`
    decimal : the decimal mark of all these texts, the one of the table at that time

    Examples
    --------
    >>> from alloyloop.campaigns.sheet import parse_sheet, sheet_text
    >>> was, now = parse_sheet("id;E\\nA;85,5\\nB;\\n"), parse_sheet("id;E\\nA;85,5\\nB;61,2\\n")
    >>> change = Change.between(was, now)
    >>> change.cells
    {'B': {'E': ('', '61,2')}}
    >>> sheet_text(change.apply(parse_sheet("id,E\\nA,85.5\\nB,\\n")))
    'id,E\\nA,85.5\\nB,61.2\\n'
    """

    columns: tuple[str, ...] = ()
    added: tuple[Row, ...] = ()
    cells: Mapping[str, Mapping[str, tuple[str, str]]] = field(default_factory=dict)
    removed: tuple[Row, ...] = ()
    decimal: str = "."

    def __bool__(self) -> bool:
        return bool(self.columns or self.added or self.cells or self.removed)

    @classmethod
    def between(cls, old: Sheet, new: Sheet) -> Change:
        """What makes the new table of the old one: rows are matched by their id, in whatever order they stand.

        Texts are as the new table writes them; a number that is only written with another decimal mark is the same.
        """
        theirs, ours = old.dialect.decimal, new.dialect.decimal
        was, now = dict(_by_id(old)), dict(_by_id(new))
        cells: dict[str, Mapping[str, tuple[str, str]]] = {}
        added = [_row(new, row, ours, ours) for key, row in now.items() if key not in was]
        removed = [_row(old, row, theirs, ours) for key, row in was.items() if key not in now]
        same_form = old.columns == new.columns and theirs == ours
        names = [name for name in dict.fromkeys((*new.columns, *old.columns)) if name and name != "id"]
        for key in was.keys() & now.keys() if not same_form else _unequal(old, was, new, now):
            before, after = _row(old, was[key], theirs, ours), _row(new, now[key], ours, ours)
            differ = {
                name: (before.get(name, ""), after.get(name, ""))
                for name in names
                if before.get(name, "") != after.get(name, "")
            }
            if differ and key[1] == 0:
                cells[key[0]] = differ
            elif differ:  # a second row of one id, which is a mistake in the table: it has no name of its own
                added, removed = [*added, after], [*removed, before]
        ordered = {id: cells[id] for id, _ in now if id in cells}
        columns = [name for name in new.columns if name and name not in old.positions]
        return cls(tuple(columns), tuple(added), ordered, tuple(removed), ours)

    def apply(self, sheet: Sheet) -> Sheet:
        """The table after the change; cells are set whatever they say now, rows that are there or gone are passed over.

        Texts are written with the table's own decimal mark.
        """
        theirs, ours = self.decimal, sheet.dialect.decimal
        gone = {row["id"] for row in self.removed}
        sheet = sheet.without_rows([row for (id, _), row in _by_id(sheet) if id in gone])
        rows = {id: row for (id, count), row in _by_id(sheet) if count == 0}
        changes = {
            (rows[id], name): in_decimal(after, theirs, ours)
            for id, changed in self.cells.items()
            if id in rows
            for name, (_, after) in changed.items()
        }
        new = [
            {name: in_decimal(text, theirs, ours) for name, text in row.items()}
            for row in self.added
            if row["id"] not in rows
        ]
        # All columns first, so that they come in the same order whichever rows use them.
        if missing := [name for name in self.columns if name not in sheet.positions]:
            sheet = sheet.with_columns(missing)
        sheet = sheet.with_cells(changes) if changes else sheet
        return sheet.with_rows(new) if new else sheet

    def inverse(self) -> Change:
        """What takes the change back: cells as they were, rows that came withdrawn as "undone", rows that went again.

        Columns that came stay: nothing is ever deleted.

        Examples
        --------
        >>> Change(added=({"id": "R001-1", "status": "proposed"},)).inverse().cells
        {'R001-1': {'status': ('proposed', 'withdrawn'), 'reason': ('', 'undone')}}
        """
        cells = {id: {name: (b, a) for name, (a, b) in changed.items()} for id, changed in self.cells.items()}
        cells |= {row["id"]: {name: (row.get(name, ""), text) for name, text in UNDONE.items()} for row in self.added}
        return Change(added=self.removed, cells=cells, decimal=self.decimal)

    def unmet(self, sheet: Sheet) -> dict[str, dict[str, tuple[str, str]]]:
        """Where the table is not what the change was made on: id → column → (text before the change, text found).

        A row that is missing has the whole row under the column `id`.
        """
        theirs, ours = self.decimal, sheet.dialect.decimal
        rows = {id: row for (id, count), row in _by_id(sheet) if count == 0}
        found: dict[str, dict[str, tuple[str, str]]] = {}
        for id, changed in self.cells.items():
            if id not in rows:
                found[id] = {"id": (id, "")}
                continue
            stands = _row(sheet, rows[id], ours, ours)
            expected = {name: in_decimal(before, theirs, ours) for name, (before, _) in changed.items()}
            differ = {
                name: (text, stands.get(name, "")) for name, text in expected.items() if text != stands.get(name, "")
            }
            if differ:
                found[id] = differ
        return found

    def rest(self, sheet: Sheet) -> Change:
        """What of the change a table still lacks: columns and rows that are not there, cells that are as they were."""
        unmet = self.unmet(sheet)
        due = {
            id: {name: pair for name, pair in changed.items() if name not in unmet.get(id, {})}
            for id, changed in self.cells.items()
            if "id" not in unmet.get(id, {})
        }
        ids = set(sheet.column("id")) if "id" in sheet.positions else set()
        return replace(
            self,
            columns=tuple(name for name in self.columns if name not in sheet.positions),
            added=tuple(row for row in self.added if row["id"] not in ids),
            cells={id: changed for id, changed in due.items() if changed},
            removed=tuple(row for row in self.removed if row["id"] in ids),
        )

    def json(self) -> dict[str, Any]:
        """The change as it stands in an event; what is empty, and the decimal point, are left out."""
        content: dict[str, Any] = {
            "columns": list(self.columns),
            "added": [dict(row) for row in self.added],
            "cells": {id: {name: list(pair) for name, pair in changed.items()} for id, changed in self.cells.items()},
            "removed": [dict(row) for row in self.removed],
            "decimal": self.decimal if self.decimal != "." else "",
        }
        return {key: value for key, value in content.items() if value}

    @classmethod
    def from_json(cls, content: object) -> Change:
        """Read a change out of an event.

        Raises
        ------
        AlloyloopError
            where it is none
        """
        try:
            said = _checked(content, dict)
            cells = {
                _checked(id, str): {_checked(name, str): _pair(pair) for name, pair in _checked(changed, dict).items()}
                for id, changed in _checked(said.get("cells", {}), dict).items()
            }
            columns = tuple(_checked(name, str) for name in _checked(said.get("columns", []), list))
            added, removed = (tuple(map(_said_row, _checked(said.get(k, []), list))) for k in ("added", "removed"))
            return cls(columns, added, cells, removed, {".": ".", ",": ","}[said.get("decimal", ".")])
        except (TypeError, KeyError) as error:
            raise AlloyloopError(
                "What an event says it changed cannot be understood", "Restore the event from git or a backup."
            ) from error


_T = TypeVar("_T")


def _checked(said: object, kind: type[_T]) -> _T:
    if not isinstance(said, kind):
        raise TypeError
    return said


def _pair(said: object) -> tuple[str, str]:
    pair = _checked(said, list)
    if len(pair) != 2:
        raise TypeError
    return _checked(pair[0], str), _checked(pair[1], str)


def _said_row(said: object) -> dict[str, str]:
    row = {_checked(name, str): _checked(text, str) for name, text in _checked(said, dict).items()}
    if not row["id"]:
        raise TypeError
    return row


# A number as a table may hold it, with either mark: 58.2, <12.5, -0.3e-4, 61.2 ± 0.8
_NUMBER = r"(?:[<>≤≥]=?\s*)?[+\-−]?[0-9]*{0}[0-9]+(?:[eE][+\-]?[0-9]+)?"
_NUMBERS = {
    mark: re.compile(rf"{(n := _NUMBER.format(re.escape(mark)))}(?:\s*(?:±|\+/?-)\s*(?:{n}|[0-9]+))?") for mark in ".,"
}


def in_decimal(text: str, theirs: str, ours: str) -> str:
    """A number written with their decimal mark as one with ours; any other text as it is.

    Examples
    --------
    >>> in_decimal("<12,5", ",", "."), in_decimal("cracked, twice", ",", "."), in_decimal("1.234,5", ",", ".")
    ('<12.5', 'cracked, twice', '1.234,5')
    """
    if theirs == ours or not _NUMBERS[theirs].fullmatch(text):
        return text
    return text.replace(theirs, ours)


def _by_id(sheet: Sheet) -> Iterator[tuple[tuple[str, int], int]]:
    """Every row's id with how often it came before, and the row; rows without an id have no name and are left out."""
    seen: Counter[str] = Counter()
    for row, id in enumerate(sheet.column("id") if "id" in sheet.positions else ()):
        if id:
            yield (id, seen[id]), row
            seen[id] += 1


def _row(sheet: Sheet, row: int, theirs: str, ours: str) -> dict[str, str]:
    """The cells of one row that say something."""
    return {
        name: in_decimal(text, theirs, ours)
        for name, text in zip(sheet.columns, sheet.rows[row], strict=True)
        if name and text
    }


def _unequal(
    old: Sheet, was: Mapping[tuple[str, int], int], new: Sheet, now: Mapping[tuple[str, int], int]
) -> list[tuple[str, int]]:
    return [key for key, row in now.items() if key in was and old.rows[was[key]] != new.rows[row]]
