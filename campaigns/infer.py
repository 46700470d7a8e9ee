"""What the columns of an unknown table are: `new --from` reads any lab's spreadsheet, and says why it read it so."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np

from ..design.alloy_names import BASIS_SIGN, Basis, other_basis
from ..design.composition import SUM_TOLERANCE, Composition
from ..design.elements import SYMBOLS
from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .cells import is_not_known, read_numbers
from .problems import CampaignFileError
from .sheet import Dialect, Sheet, new_sheet, rows_named
from .table import FIRST_COLUMNS, LAST_COLUMNS, STATUSES, Classes, Layout

Role = Literal[
    "id", "status", "round", "parent", "source", "reason", "note",
    "composition", "measured composition", "alloy name",
    "process", "condition", "property", "std", "count", "class", "kept",
]  # fmt: skip
GoalWord = Literal["minimize", "maximize", "report"]

MOST_CHOICES = 8  # a text column with more levels is a description, not a choice
_MOST_CLASSES = 6
_RARE = 0.02  # an element in fewer rows than this share is data, not a design variable


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


@dataclass(frozen=True, slots=True)
class Range:
    """The range of the data, rounded outward to a step that suits it, in the column's unit."""

    low: float
    high: float
    step: float


@dataclass(frozen=True, eq=False)
class Inference:
    """A table understood as far as its names and numbers tell; all of it can be corrected in campaign.yaml.

    Parameters
    ----------
    sheet : the table that was read
    columns : what each of its columns was taken for, in its order
    basis : of the amounts; None where the table has no compositions
    elements : element → range of its amounts [%], the balance included; elements that are rare or absent are left out
    balance : the element with the largest median
    step : a step that suits most elements [%]; a range with a smaller step of its own belongs to a finer one
    process : process variable → range, or the words it may be
    conditions : condition → its median, or its most frequent word
    condition_choices : condition that is a word → the words
    properties : property → the goal that people usually mean
    classes : class property → class → what the cell may say
    remarks : what had to be assumed
    """

    sheet: Sheet
    columns: tuple[InferredColumn, ...]
    basis: Basis | None
    elements: Mapping[str, Range]
    balance: str | None
    step: float
    process: Mapping[str, Range | tuple[str, ...]]
    conditions: Mapping[str, float]
    properties: Mapping[str, GoalWord]
    classes: Mapping[str, Classes]
    remarks: tuple[str, ...]

    @property
    def layout(self) -> Layout: ...
    def experiments(self, file: str = "experiments.csv") -> Sheet: ...


def infer(sheet: Sheet, *, basis: Basis | None = None, balance: str | None = None) -> Inference:
    """Find out what the columns of a table are."""
    raise NotImplementedError
