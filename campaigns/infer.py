"""What the columns of an unknown table are: `new --from` reads any lab's spreadsheet, and says why it read it so."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median_low, mode

import numpy as np

from ..design.alloy_names import Basis
from ..design.composition import Composition
from ..design.descriptors import DESCRIPTORS
from ..surrogates.base import FloatArray
from .cells import read_numbers
from .columns import Column, Columns, InferredColumn, Role, name_key
from .found_amounts import FoundAmounts
from .headers import Goal, Kind, count_header, quantity_header, std_header
from .problems import CampaignFileError
from .sheet import Sheet, new_sheet
from .table import FIRST_COLUMNS, LAST_COLUMNS, STATUSES, Classes, Layout

MOST_CHOICES = 8  # a text column with more levels is a description, not a choice
MOST_CLASSES = 6  # likewise of classes
_RARE = 0.02  # an element in a smaller share of the rows is data, not a design variable
_FEW_ELEMENTS = 8  # up to so many elements, none is rare
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)

_IDS = ("id", "row_id", "sample_id", "sample", "specimen", "alloy_id", "no", "nr", "number", "name", "alloy", "label")
_SOURCES = (
    *("source", "source_doi", "doi", "source_doi_or_url", "source_url", "url", "link"),
    *("reference", "references", "ref", "citation", "paper", "publication", "literature"),
    *("authors", "author", "reference_no", "laboratory", "lab"),
)
_NOTES = ("note", "notes", "remark", "remarks", "comment", "comments", "bemerkung")
# Bookkeeping, whatever its cells hold.
_BOOKKEEPING = re.compile(
    r"(^|_)(code|flag|flags|group|index|no|nr|number|year|date|method|kind|source|evidence|file|page|place|title|url|doi|link"
    r"|by|batch|loop|campaign|also_in|only|designation|id)(_|$)"
)


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
    conditions : condition that is a number → its most frequent value
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
    properties: Mapping[str, Goal]
    classes: Mapping[str, Classes]
    remarks: tuple[str, ...]

    _compositions: tuple[Composition | None, ...] = ()  # of every row, where they were read from alloys' names

    @property
    def layout(self) -> Layout:
        """What the columns of the new experiments.csv mean."""
        numeric = [name for name, values in self.process.items() if isinstance(values, Range)]
        return Layout(
            self.basis,
            tuple(self.elements),
            self.balance,
            (*numeric, *self.conditions),
            {name: values for name, values in self.process.items() if not isinstance(values, Range)},
            tuple(self.properties),
            self.classes,
        )

    def experiments(self, file: str = "experiments.csv") -> Sheet:
        """Write the table as experiments.csv: our columns first, then all else; every row and every word is kept."""
        return _converted(self, file)


def infer(sheet: Sheet, *, basis: Basis | None = None, balance: str | None = None) -> Inference:
    """Find out what the columns of a table are.

    Parameters
    ----------
    sheet : any table with a header
    basis : of the amounts, where the table does not say it
    balance : the element that takes the remainder, where the table does not list it

    Raises
    ------
    CampaignFileError : where the form of the table is broken, it has no rows, or its amounts may mean two things

    Examples
    --------
    >>> from alloyloop.campaigns.sheet import parse_sheet
    >>> inference = infer(parse_sheet("Alloy;Ti (wt%);Nb (wt%);E / GPa\\nA;60;40;61,2\\nB;58;42;58,9\\n", "my.csv"))
    >>> [column.new for column in inference.columns], inference.balance, dict(inference.properties)
    (['id', 'Ti_wt_pct', 'Nb_wt_pct', 'youngs_modulus_GPa'], 'Ti', {'youngs_modulus_GPa': 'minimize'})
    """
    if sheet.problems:
        raise CampaignFileError(sheet.problems)
    if not sheet.rows:
        raise CampaignFileError.whole_file(
            sheet.file, "The table has a header but no rows", "Add a row for each alloy."
        )
    return Guesser(sheet, basis, balance).inference()


class Guesser:
    """Goes through the roles one by one; each takes its columns from those that are left."""

    def __init__(self, sheet: Sheet, basis: Basis | None, balance: str | None) -> None:
        self.sheet = sheet
        self.columns = Columns(sheet)
        self.found = FoundAmounts(self.columns, basis, balance)

    def inference(self) -> Inference:
        """Give every column a role."""
        amounts = self.found.of_columns()
        self._bookkeeping()
        if not amounts:
            amounts = self.found.of_names()
        self._quantities()
        self._spreads()
        for place in self.columns.left:
            self.columns.keep(place, "nothing in its name or its cells says more")
        elements, balance = self._elements(amounts)
        columns = tuple(self.columns.given[place] for place in range(len(self.sheet.columns)))
        by_role: dict[Role, list[tuple[InferredColumn, Column]]] = {}
        for guess, column in zip(columns, self.columns.columns, strict=True):
            by_role.setdefault(guess.role, []).append((guess, column))
        conditions = by_role.get("condition", [])
        properties: dict[str, Goal] = {
            guess.new: quantity_header(guess.old).goal for guess, _ in by_role.get("property", [])
        }
        if not properties:
            self.columns.remarks.append(
                "No property was found: name what was measured under `properties` in campaign.yaml."
            )
        return Inference(
            self.sheet,
            columns,
            self.found.basis if elements else None,
            elements,
            balance,
            median_low([range_.step for name, range_ in elements.items() if name != balance] or [1.0]),
            {guess.new: _levels_or_range(column) for guess, column in by_role.get("process", [])},
            {
                guess.new: mode(sorted(column.numbers[np.isfinite(column.numbers)].tolist()))
                for guess, column in conditions
            },
            properties,
            {guess.new: {level: (level,) for level in column.levels} for guess, column in by_role.get("class", [])},
            tuple(self.columns.remarks),
            self.found.compositions,
        )

    def _bookkeeping(self) -> None:
        """Find id, status, round, parent, source and note."""
        by_name = self.columns.by_name()
        named: tuple[tuple[Role, tuple[str, ...], str], ...] = (
            ("id", _IDS, "every row has a name of its own in it"),
            ("source", _SOURCES, "rows of one source are told apart from the others by it"),
            ("note", _NOTES, "it is free text"),
        )
        for role, names, reason in named:
            places = [by_name[name] for name in names if by_name.get(name) in self.columns.left]
            fitting = [p for p in places if self.columns[p].is_unique or (role != "id" and self._says(p, role))]
            if fitting:
                self.columns.take(fitting[0], role, role, reason)
        if (place := by_name.get("status")) is not None and place not in self.columns.given:
            words = {word.casefold() for word in self.columns[place].known}
            if words and words <= set(STATUSES):
                self.columns.take(place, "status", "status", "its words are our statuses")
        ours: tuple[Role, ...] = ("round", "parent", "reason")
        for own in ours:
            place = by_name.get(own)
            if place is not None and place not in self.columns.given and self.columns[place].name == own:
                self.columns.take(place, own, own, "it has our name for it")

    def _says(self, place: int, role: Role) -> bool:
        return bool(self.columns[place].known) or self.columns[place].name == role

    def _quantities(self) -> None:
        """Find properties, classes, process variables and conditions by their names and units."""
        with_spread = {std_header(column.name) for column in self.columns.columns}
        for place in self.columns.left:
            column, header = self.columns[place], quantity_header(self.columns[place].name)
            if std_header(column.name) is not None or count_header(column.name) is not None:
                continue
            if name_key(column.name) in _IDS and (twice := column.twice):
                self.columns.keep(place, f"it says {twice!r} more than once, so it cannot be the id")
            elif _BOOKKEEPING.search(name_key(column.name)) and not header.unit:
                self.columns.keep(place, "its name says that it keeps the books")
            elif not column.known:
                self.columns.keep(place, "it is empty")
            elif header.kind is not None:
                self._take_quantity(place, header.name, header.kind, header.reason)
            elif column.is_numeric and column.name in with_spread:
                self._take_quantity(place, header.name, "property", "its standard deviation is beside it")
        has_property = any(guess.role == "property" for guess in self.columns.given.values())
        varying = [p for p in self.columns.left if self.columns[p].is_numeric and len(self.columns[p].levels) > 1]
        if not has_property and varying:
            place = varying[-1]
            name = quantity_header(self.columns[place].name).name or f"property_{place + 1}"
            self.columns.take(place, name, "property", "it is the last column of numbers, where results usually stand")

    def _take_quantity(self, place: int, name: str, kind: Kind, reason: str) -> None:
        """Take a column as a quantity if its cells are of the kind that its name promises; else keep it."""
        column = self.columns[place]
        n_levels = len(column.levels)
        if name in DESCRIPTORS:
            said = "alloyloop computes it from the composition"
        elif column.is_numeric:
            said = "" if kind != "class" else "its cells are numbers"
        elif n_levels < 2:
            said = "it says the same in every row"
        elif kind == "class":
            said = "" if n_levels <= MOST_CLASSES else f"it has {n_levels} different words: group them into classes"
        elif kind == "process" and n_levels <= MOST_CHOICES and n_levels < len(column.known):
            said = ""
            reason += f", and it says one of {n_levels} words"
        else:
            said = f"its cells are free text, such as {column.words[0]!r}"
        if said:
            self.columns.keep(place, f"{reason}, but {said}")
        elif not self.columns.take(place, name, kind, reason):
            self.columns.keep(place, f"another column is {name} already")

    def _spreads(self) -> None:
        """Find standard deviations and counts of replicates, by their names or by the column before them."""
        for place in self.columns.left:
            name = self.columns[place].name
            if (of := std_header(name)) is not None and (target := self._property_named(of, place)):
                self.columns.take(place, f"{target}_std", "std", f"it is the spread between replicates of {target}")
            elif (of := count_header(name)) is not None and (target := self._property_named(of, place)):
                self.columns.take(place, f"{target}_n", "count", f"it is the number of replicates of {target}")

    def _property_named(self, name: str, place: int) -> str | None:
        """Return our name of the property that a spread at this place belongs to; "" is the column before it."""
        named = {guess.old: guess.new for guess in self.columns.given.values() if guess.role == "property"}
        if not name:
            before = self.columns.given.get(place - 1)
            return before.new if before and before.role == "property" else None
        ours = named.get(name, quantity_header(name).name)
        return ours if ours in named.values() else None

    def _elements(self, amounts: Mapping[str, FloatArray]) -> tuple[dict[str, Range], str | None]:
        """Choose the design elements, with ranges, and the balance."""
        present = {element: values for element, values in amounts.items() if (values > 0).any()}
        if not present:
            return {}, None
        balance = self.found.balance or max(present, key=lambda element: float(np.median(present[element])))
        at_least = max(3, _RARE * len(self.sheet.rows)) if len(present) > _FEW_ELEMENTS else 1
        counts = {element: int((values > 0).sum()) for element, values in present.items()}
        chosen = {e: values for e, values in present.items() if counts[e] >= at_least or e == balance}
        rare = [element for element in present if element not in chosen]
        if rare:
            few = f"in fewer than {math.ceil(at_least)} rows"
            self.columns.remarks.append(f"{', '.join(rare)}: {few}, so kept as data and left out of the design space.")
        ranges = {element: _range(values, _STEPS) for element, values in chosen.items()}
        if balance not in ranges:
            self.columns.remarks.append(f"{balance} has no column and takes the remainder.")
            rest = 100 - np.sum(list(present.values()), axis=0)
            ranges = {balance: _range(rest, _STEPS), **ranges}
        return ranges, balance


def _levels_or_range(column: Column) -> Range | tuple[str, ...]:
    return _range(column.numbers) if column.is_numeric else column.levels


def _range(values: FloatArray, steps: Sequence[float] = ()) -> Range:
    """Round the range of some numbers outward to a step that divides it into about twenty.

    Examples
    --------
    >>> _range(np.array([0.0, 7.9, 35.2]), (0.1, 0.5, 1.0)), _range(np.array([751.0, 1049.0]))
    (Range(low=0.0, high=36.0, step=1.0), Range(low=750.0, high=1050.0, step=10.0))
    """
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    wanted = ((high if steps else high - low) or abs(high) or 1.0) / 20
    step = max((s for s in steps if s <= wanted), default=steps[0]) if steps else _nice(wanted)
    bottom, top = round(math.floor(low / step + 1e-9) * step, 9), round(math.ceil(high / step - 1e-9) * step, 9)
    is_never_zero = low > 0 and not steps  # no laser scans at 0 mm/s
    return Range(max(bottom, step) if is_never_zero else bottom, top, step)


def _nice(wanted: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is not above what is wanted."""
    wanted = min(max(wanted, 1e-9), 1e9)  # beyond, a cell is a slip and no range
    power = 10.0 ** math.floor(math.log10(wanted))
    return float(f"{max(factor * power for factor in (1, 2, 5) if factor * power <= wanted * (1 + 1e-9)):.6g}")


def _converted(inference: Inference, file: str) -> Sheet:
    """Write a table in our columns: see :meth:`Inference.experiments`."""
    sheet, basis = inference.sheet, inference.basis
    order: tuple[Role, ...] = ("composition", "measured composition", "process", "condition", "property", "class")
    order += ("std", "count", "alloy name", "kept")
    new = {role: [c.new for c in inference.columns if c.role == role] for role in order}
    results = [name for of in new["property"] for name in (of, f"{of}_std", f"{of}_n")]
    taken = set(new["std"]) | set(new["count"]) | set(new["property"])
    amounts = [alloy.amounts(basis) if alloy and basis else {} for alloy in inference._compositions]
    computed = dict.fromkeys(f"{element}_{basis}" for row in amounts for element in row)
    columns = [
        *FIRST_COLUMNS,
        *dict.fromkeys([*computed, *new["composition"]]),
        *new["measured composition"],
        *new["process"],
        *new["condition"],
        *(name for name in results if name in taken),
        *new["class"],
        *new["alloy name"],
        *new["kept"],
        *LAST_COLUMNS,
    ]
    number = sheet.dialect.number
    width = max(3, len(str(len(sheet.rows))))
    rows: list[dict[str, str]] = []
    for place, cells in enumerate(sheet.rows):
        row = {"id": f"D{place + 1:0{width}}", "status": "known"}
        if inference._compositions and (alloy := inference._compositions[place]) and basis:
            row |= {f"{e}_{basis}": number(amount) for e, amount in _rounded(alloy.amounts(basis)).items()}
        for column, cell in zip(inference.columns, cells, strict=True):
            row[column.new] = cell if column.scale == 1 else _scaled(cell, column.scale, sheet.dialect.decimal, number)
        rows.append(row)
    is_windows = sheet.dialect.bom or sheet.dialect.encoding != "utf-8"
    dialect = replace(sheet.dialect, encoding="utf-8", bom=is_windows)
    return new_sheet(columns, rows, file=file, dialect=dialect)


def _scaled(cell: str, scale: float, decimal: str, number: Callable[[float], str]) -> str:
    values, _ = read_numbers([cell], decimal)
    return number(float(values[0]) * scale) if np.isfinite(values[0]) else cell


def _rounded(amounts: Mapping[str, float]) -> dict[str, float]:
    """Round amounts to four decimals so that they still sum to 100: the largest takes up the difference."""
    rounded = {element: round(amount, 4) for element, amount in amounts.items()}
    largest = max(rounded, key=rounded.__getitem__)
    rounded[largest] = round(100 - sum(amount for element, amount in rounded.items() if element != largest), 4)
    return rounded
