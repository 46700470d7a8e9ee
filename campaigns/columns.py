"""The columns of a table that is being understood, and the roles given to them so far."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from ..design.composition import SUM_TOLERANCE
from ..surrogates.base import FloatArray
from .amounts import BALANCE_WORDS, COMPOSITION_COLUMN
from .cells import is_not_known, read_numbers
from .reading import BoolArray
from .sheet import Sheet
from .table import FIRST_COLUMNS, LAST_COLUMNS

Role = (
    Literal["id", "status", "round", "parent", "source", "reason", "note"]
    | Literal[
        "composition",
        "measured composition",
        "alloy name",
        "process",
        "condition",
        "property",
        "std",
        "count",
        "class",
        "kept",
    ]
)


@dataclass(frozen=True, slots=True)
class InferredColumn:
    """What one column was taken for.

    Parameters
    ----------
    old, new : its name in the table that was read, and in experiments.csv
    role : what it is
    reason : why, in words
    scale : by what its numbers are multiplied (100 for amounts given as fractions)
    """

    old: str
    new: str
    role: Role
    reason: str
    scale: float = 1.0

    def __str__(self) -> str:
        arrow = f"{self.old} → {self.new}" if self.new != self.old else self.old
        return f"{arrow}: {self.role}, because {self.reason}"


class Column:
    """One column's cells, read as far as its role asks."""

    def __init__(self, name: str, cells: tuple[str, ...], decimal: str) -> None:
        self.name = name
        self.cells = cells
        self.known = [cell for cell in cells if not is_not_known(cell)]
        self._decimal = decimal

    @cached_property
    def numbers(self) -> FloatArray:
        """(n,) numbers, NaN where a cell holds none."""
        return read_numbers(self.cells, self._decimal)[0]

    @cached_property
    def is_numeric(self) -> bool:
        """Whether at least four of five cells that say something say a number."""
        return bool(self.known) and int(np.isfinite(self.numbers).sum()) >= 0.8 * len(self.known)

    @cached_property
    def takes_rest(self) -> BoolArray:
        """(n,) whether a cell says "bal."."""
        return np.array([cell.casefold() in BALANCE_WORDS for cell in self.cells], dtype=np.bool_)

    @cached_property
    def amounts(self) -> FloatArray:
        """(n,) numbers that can be amounts, from 0 to 100 within rounding; NaN elsewhere."""
        return np.where((self.numbers >= 0) & (self.numbers <= 100 + SUM_TOLERANCE), self.numbers, np.nan)

    @property
    def is_amounts(self) -> bool:
        """Whether its cells can be amounts: numbers, "bal." or nothing."""
        said = len(self.known) - int(self.takes_rest.sum())
        return int(np.isfinite(self.amounts).sum()) >= 0.8 * said

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """Its different words, the most frequent first."""
        return tuple(word for word, _ in Counter(self.known).most_common())

    @property
    def words(self) -> list[str]:
        """Its cells that say something and no number."""
        return [
            cell
            for cell, number in zip(self.cells, self.numbers, strict=True)
            if not np.isfinite(number) and not is_not_known(cell)
        ]

    @property
    def twice(self) -> str:
        """What it says most often, where that is more than once; else ""."""
        word, count = next(iter(Counter(self.known).most_common(1)), ("", 0))
        return word if count > 1 else ""

    @property
    def is_unique(self) -> bool:
        """Whether every row says something, and no two the same."""
        return len(set(self.known)) == len(self.cells)


class Columns:
    """The columns of one table; each is given one role, under a name that no other has."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        cells = zip(*sheet.rows, strict=True)
        self.columns = [Column(*pair, sheet.dialect.decimal) for pair in zip(sheet.columns, cells, strict=True)]
        self.given: dict[int, InferredColumn] = {}  # by place
        self.names: set[str] = set()
        self.remarks = list(sheet.remarks)

    def __getitem__(self, place: int) -> Column:
        return self.columns[place]

    @property
    def left(self) -> list[int]:
        """Places of the columns that have no role yet."""
        return [place for place in range(len(self.columns)) if place not in self.given]

    def by_name(self) -> dict[str, int]:
        """Return where each column is, by its name in small letters; of several with one name the first."""
        return {name_key(column.name): place for place, column in reversed(list(enumerate(self.columns)))}

    def take(self, place: int, new: str, role: Role, reason: str, scale: float = 1.0) -> bool:
        """Give a column a role under a new name, unless another column has that name already."""
        if new in self.names:
            return False
        self.names.add(new)
        self.given[place] = InferredColumn(self.columns[place].name, new, role, reason, scale)
        return True

    def keep(self, place: int, reason: str) -> None:
        """Keep a column as the user's own, under its own name if that is free."""
        name = self.columns[place].name or f"column_{place + 1}"
        candidates = [name, *(f"{name}_given{number}" for number in ("", *range(2, len(self.columns) + 2)))]
        is_ours = name in {*FIRST_COLUMNS, *LAST_COLUMNS} or COMPOSITION_COLUMN.fullmatch(name)
        free = [candidate for candidate in candidates[1 if is_ours else 0 :] if candidate not in self.names]
        self.take(place, free[0], "kept", reason)


def name_key(name: str) -> str:
    """Return a name in small letters, digits and underlines.

    Examples
    --------
    >>> name_key("Sample ID")
    'sample_id'
    """
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")
