"""What the columns of an unknown table are: `new --from` reads any lab's spreadsheet, and says why it read it so."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import median_low
from typing import Literal

import numpy as np

from ..design.alloy_names import BASIS_SIGN, Basis
from ..design.composition import SUM_TOLERANCE, Composition
from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .amounts import BALANCE_WORDS, COMPOSITION_COLUMN
from .cells import is_not_known, read_numbers
from .headers import AmountHeader, Goal, Kind, amount_header, count_header, quantity_header, std_header
from .problems import CampaignFileError
from .reading import BoolArray
from .sheet import Sheet, new_sheet, rows_named
from .table import (
    FIRST_COLUMNS,
    LAST_COLUMNS,
    STATUSES,
    Classes,
    Layout,
)

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

MOST_CHOICES = 8  # a text column with more levels is a description, not a choice
_MOST_CLASSES = 6
_RARE = 0.02  # an element in a smaller share of the rows is data, not a design variable
_FEW_ELEMENTS = 8  # up to so many elements, none is rare
_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)

_IDS = ("id", "row_id", "sample_id", "sample", "specimen", "alloy_id", "no", "nr", "number", "name", "alloy", "label")
_SOURCES = (
    *(
        "source",
        "source_doi",
        "doi",
        "source_doi_or_url",
        "source_url",
        "url",
        "link",
        "reference",
        "ref",
        "references",
    ),
    *(
        "citation",
        "paper",
        "publication",
        "literature",
        "authors",
        "author",
        "reference_no",
        "laboratory",
        "lab",
        "heat",
    ),
)
_NOTES = ("note", "notes", "remark", "remarks", "comment", "comments", "bemerkung")
_ALLOYS = (
    "alloy",
    "formula",
    "composition",
    "alloy_name",
    "nominal_composition",
    "chemical_formula",
    "composition_as_given",
)
# Bookkeeping, whatever its cells hold.
_BOOKKEEPING = re.compile(
    r"(^|_)(code|flag|flags|group|index|no|nr|number|year|date|method|kind|source|evidence|file|page|place|title|url|doi|link"
    r"|by|batch|loop|campaign|also_in|only|designation|id)(_|$)"
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
    conditions : condition that is a number → its median
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
    return _Guesser(sheet, basis, balance).inference()


class _Column:
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

    @property
    def is_amounts(self) -> bool:
        """Whether its cells can be amounts: numbers, "bal." or nothing."""
        said = len(self.known) - int(self.takes_rest.sum())
        return int(np.isfinite(self.numbers).sum()) >= 0.8 * said

    @cached_property
    def levels(self) -> tuple[str, ...]:
        """Its different words, the most frequent first."""
        return tuple(word for word, _ in Counter(self.known).most_common())

    @property
    def is_unique(self) -> bool:
        """Whether every row says something, and no two the same."""
        return len(set(self.known)) == len(self.cells)


class _Guesser:
    """Goes through the roles one by one; each takes its columns from those that are left."""

    def __init__(self, sheet: Sheet, basis: Basis | None, balance: str | None) -> None:
        self.sheet = sheet
        self.basis: Basis | None = basis
        self.balance = balance
        cells = zip(*sheet.rows, strict=True)
        self.columns = [_Column(*pair, sheet.dialect.decimal) for pair in zip(sheet.columns, cells, strict=True)]
        self.guesses: dict[int, InferredColumn] = {}
        self.names: set[str] = set()
        self.remarks = list(sheet.remarks)
        self.compositions: tuple[Composition | None, ...] = ()

    def inference(self) -> Inference:
        """Give every column a role."""
        amounts = self._amounts()
        self._bookkeeping()
        if not amounts:
            amounts = self._amounts_of_names()
        self._quantities()
        self._spreads()
        for place in self._left():
            self._keep(place, "nothing in its name or its cells says more")
        elements, balance = self._elements(amounts)
        columns = tuple(self.guesses[place] for place in range(len(self.columns)))
        by_role: dict[Role, list[tuple[InferredColumn, _Column]]] = {}
        for guess, column in zip(columns, self.columns, strict=True):
            by_role.setdefault(guess.role, []).append((guess, column))
        conditions = by_role.get("condition", [])
        properties: dict[str, Goal] = {
            guess.new: quantity_header(guess.old).goal for guess, _ in by_role.get("property", [])
        }
        if not properties:
            self.remarks.append("No property was found: name what was measured under `properties` in campaign.yaml.")
        return Inference(
            self.sheet,
            columns,
            self.basis if elements else None,
            elements,
            balance,
            median_low([range_.step for name, range_ in elements.items() if name != balance] or [1.0]),
            {guess.new: _levels_or_range(column) for guess, column in by_role.get("process", [])},
            {guess.new: float(np.nanmedian(column.numbers)) for guess, column in conditions},
            properties,
            {guess.new: {level: (level,) for level in column.levels} for guess, column in by_role.get("class", [])},
            tuple(self.remarks),
            self.compositions,
        )

    def _left(self) -> list[int]:
        return [place for place in range(len(self.columns)) if place not in self.guesses]

    def _take(self, place: int, new: str, role: Role, reason: str, scale: float = 1.0) -> bool:
        """Give a column a role under a new name, unless another column has that name already."""
        if new in self.names:
            return False
        self.names.add(new)
        self.guesses[place] = InferredColumn(self.columns[place].name, new, role, reason, scale)
        return True

    def _keep(self, place: int, reason: str) -> None:
        """Keep a column as the user's own, under its own name if that is free."""
        name = self.columns[place].name or f"column_{place + 1}"
        candidates = [name, *(f"{name}_given{number}" for number in ("", *range(2, len(self.columns) + 2)))]
        is_ours = name in {*FIRST_COLUMNS, *LAST_COLUMNS} or COMPOSITION_COLUMN.fullmatch(name)
        free = [candidate for candidate in candidates[1 if is_ours else 0 :] if candidate not in self.names]
        self._take(place, free[0], "kept", reason)

    def _amounts(self) -> dict[str, FloatArray]:
        """Find the columns of amounts; return element → (n,) amounts [%]."""
        found = {
            place: header
            for place, column in enumerate(self.columns)
            if (header := amount_header(column.name)) and column.is_amounts
        }
        stated: list[Basis] = [h.basis for h in found.values() if h.basis and not h.is_measured]
        bare = {place: header for place, header in found.items() if header.basis is None and not header.is_measured}
        scale = 1.0
        if stated:
            own = stated[0]
        else:
            scale, bare = self._bare_scale(bare)
            if not bare:
                return {}
            own = self.basis or self._ask_for_basis(bare)
        if self.basis and stated and self.basis not in stated:
            raise CampaignFileError.whole_file(
                self.sheet.file,
                f"The amounts are in {BASIS_SIGN[own]} by their names, not in {BASIS_SIGN[self.basis]}",
                f"Leave the basis out, or say {own}.",
            )
        self.basis = own = self.basis or own
        nominal = {p: h for p, h in found.items() if not h.is_measured and (h.basis == own or p in bare)}
        if stated:
            scale = self._scale(nominal)
        amounts: dict[str, FloatArray] = {}
        for place, header in nominal.items():
            column = self.columns[place]
            said = f"it names the element {header.element}" + (f" and {BASIS_SIGN[own]}" if header.basis else "")
            reason = said + (", as fractions that sum to 1" if scale != 1 else "")
            if self._take(place, f"{header.element}_{own}", "composition", reason, scale):
                amounts[header.element] = np.where(column.takes_rest, np.nan, np.nan_to_num(column.numbers * scale))
        rest = 100 - np.nansum(list(amounts.values()), axis=0)
        takes_rest = np.isnan(list(amounts.values())).any(axis=0)
        amounts = {element: np.where(np.isnan(values), rest, values) for element, values in amounts.items()}
        if not self.balance and amounts and float(np.mean(takes_rest | (rest <= SUM_TOLERANCE))) < 0.5:
            raise CampaignFileError.whole_file(
                self.sheet.file,
                f"The amounts of most rows sum to less than 100 {BASIS_SIGN[own]}",
                "Say which element takes the remainder, such as --balance Ti.",
            )
        measured = {
            place: header for place, header in found.items() if header.is_measured and header.basis in {own, None}
        }
        for place in found.keys() - nominal.keys() - measured.keys():
            self._keep(place, f"the amounts in {BASIS_SIGN[own]} beside it are used")
        measured_scale = self._scale(measured)
        for place, header in measured.items():
            reason = f"it names {header.element} as analysed"
            self._take(place, f"{header.element}_{own}_measured", "measured composition", reason, measured_scale)
        return amounts

    def _sums(self, places: Iterable[int]) -> FloatArray:
        """(n,) sums of the rows that have amounts."""
        numbers = np.array([self.columns[place].numbers for place in places])
        sums = np.nansum(numbers, axis=0) if numbers.size else np.empty(0)
        return np.asarray(sums[sums > 0], dtype=np.float64)

    def _scale(self, places: Mapping[int, AmountHeader]) -> float:
        """Return 100 where the amounts of most rows sum to 1, else 1."""
        sums = self._sums(places)
        is_fraction = sums.size > 0 and float(np.mean(np.abs(sums - 1) <= SUM_TOLERANCE / 100)) >= 0.9
        return 100.0 if is_fraction else 1.0

    def _bare_scale(self, bare: Mapping[int, AmountHeader]) -> tuple[float, dict[int, AmountHeader]]:
        """Decide whether columns named by a symbol alone are amounts: those of one letter may be volts or carbon."""
        long = {place: header for place, header in bare.items() if len(header.element) > 1}
        for chosen in (bare, long):
            sums = self._sums(chosen)
            if len(chosen) < 2 or not sums.size:
                continue
            for whole, scale in ((100.0, 1.0), (1.0, 100.0)):
                if float(np.mean(np.abs(sums - whole) <= SUM_TOLERANCE / scale)) >= 0.9:
                    return scale, dict(chosen)
        if self.basis and self.balance and bare:
            return 1.0, dict(bare)
        is_all_but_the_balance = len(long) > 1 and bool((self._sums(long) <= 100 + SUM_TOLERANCE).all())
        return 1.0, dict(long) if is_all_but_the_balance else {}

    def _ask_for_basis(self, bare: Mapping[int, AmountHeader]) -> Basis:
        names = [self.columns[place].name for place in bare]
        shown = ", ".join(names[:4]) + (" …" if len(names) > 4 else "")
        raise CampaignFileError.whole_file(
            self.sheet.file,
            f"The columns {shown} give amounts, but not whether in at.% or wt.%",
            "Say which: --basis at_pct or --basis wt_pct.",
        )

    def _bookkeeping(self) -> None:
        """Find id, status, round, parent, source and note."""
        by_name = {_key(self.columns[place].name): place for place in reversed(self._left())}
        for role, names in (("id", _IDS), ("source", _SOURCES), ("note", _NOTES)):
            for name in names:
                place = by_name.get(name)
                if place is None or place in self.guesses:
                    continue
                if not self.columns[place].known and self.columns[place].name != role:
                    continue
                if role == "id" and not self.columns[place].is_unique:
                    continue
                if role == "source":
                    self._take(place, "source", "source", "rows of one source are told apart from the others by it")
                elif role == "id":
                    self._take(place, "id", "id", "every row has a name of its own in it")
                else:
                    self._take(place, "note", "note", "it is free text")
                break
        if (place := by_name.get("status")) is not None and place not in self.guesses:
            words = {word.casefold() for word in self.columns[place].known}
            if words and words <= set(STATUSES):
                self._take(place, "status", "status", "its words are our statuses")
        ours: tuple[Role, ...] = ("round", "parent", "reason")
        for own in ours:
            place = by_name.get(own)
            if place is not None and place not in self.guesses and self.columns[place].name == own:
                self._take(place, own, own, "it has our name for it")

    def _amounts_of_names(self) -> dict[str, FloatArray]:
        """Read compositions from a column of alloys' names; return element → (n,) amounts [%]."""
        by_name = {_key(column.name): place for place, column in reversed(list(enumerate(self.columns)))}
        for name in _ALLOYS:
            place = by_name.get(name)
            if place is None or self.columns[place].is_numeric or not self.columns[place].known:
                continue
            read = self._compositions_of(self.columns[place])
            alloys = [alloy for alloy in read if alloy and len(alloy.elements) > 1]  # labels such as C1 are no carbon
            if len(alloys) < max(1, 0.5 * len(self.columns[place].known)):
                continue
            bases: Counter[Basis] = Counter(alloy.basis for alloy in alloys)
            own = self.basis or bases.most_common(1)[0][0]
            self.basis = own
            self.compositions = read
            reason = f"it names the alloys, from which the amounts in {BASIS_SIGN[own]} were computed"
            if place in self.guesses:
                self.guesses[place] = replace(self.guesses[place], reason=f"{self.guesses[place].reason}; {reason}")
            else:
                self._take(place, self.columns[place].name, "alloy name", reason)
            unread = [self.sheet.row_numbers[row] for row, alloy in enumerate(read) if alloy is None]
            if unread:
                self.remarks.append(f"The alloys of {rows_named(unread)} could not be read: fill in their amounts.")
            amounts = [alloy.amounts(own) if alloy else {} for alloy in read]
            names = dict.fromkeys(element for row in amounts for element in row)
            self.names |= {f"{element}_{own}" for element in names}
            return {element: np.array([row.get(element, 0.0) for row in amounts]) for element in names}
        return {}

    def _compositions_of(self, column: _Column) -> tuple[Composition | None, ...]:
        """Read every cell as an alloy; names that need a basis, with none given, are a question to the user."""
        alloys: dict[str, Composition | None] = {}
        unclear: list[str] = []
        for cell in column.levels:
            alloys[cell] = _alloy(cell, None) or _alloy(cell, self.basis)
            if alloys[cell] is None and self.basis is None and _alloy(cell, "wt_pct"):
                unclear.append(cell)
        if unclear and len(unclear) >= 0.5 * sum(1 for alloy in alloys.values() if alloy):
            raise CampaignFileError.whole_file(
                self.sheet.file,
                f"{unclear[0]!r} in column {column.name} may be in at.% or wt.%",
                "Say which: --basis at_pct or --basis wt_pct.",
            )
        return tuple(alloys.get(cell) for cell in column.cells)

    def _quantities(self) -> None:
        """Find properties, classes, process variables and conditions by their names and units."""
        with_spread = {std_header(column.name) for column in self.columns}
        for place in self._left():
            column, header = self.columns[place], quantity_header(self.columns[place].name)
            if std_header(column.name) is not None or count_header(column.name) is not None:
                continue
            if _BOOKKEEPING.search(_key(column.name)) and not header.unit:
                self._keep(place, "its name says that it keeps the books")
            elif not column.known:
                self._keep(place, "it is empty")
            elif header.kind is not None:
                self._take_quantity(place, header.name, header.kind, header.reason)
            elif column.is_numeric and column.name in with_spread:
                self._take_quantity(place, header.name, "property", "its standard deviation is beside it")
        has_property = any(guess.role == "property" for guess in self.guesses.values())
        varying = [p for p in self._left() if self.columns[p].is_numeric and len(self.columns[p].levels) > 1]
        if not has_property and varying:
            place = varying[-1]
            name = quantity_header(self.columns[place].name).name or f"property_{place + 1}"
            self._take(place, name, "property", "it is the last column of numbers, where results usually stand")

    def _take_quantity(self, place: int, name: str, kind: Kind, reason: str) -> None:
        column = self.columns[place]
        few = len(column.levels) <= (MOST_CHOICES if kind != "class" else _MOST_CLASSES)
        if kind == "class" and not column.is_numeric:
            if not few or len(column.levels) < 2:
                self._keep(place, f"{reason}, but it has {len(column.levels)} different words: group them into classes")
            elif not self._take(place, name, "class", reason):
                self._keep(place, f"another column is {name} already")
        elif column.is_numeric and kind != "class":
            if not self._take(place, name, kind, reason):
                self._keep(place, f"another column is {name} already")
        elif kind == "process" and few and 2 <= len(column.levels) < len(column.known):
            if not self._take(place, name, "process", f"{reason}, and it says one of {len(column.levels)} words"):
                self._keep(place, f"another column is {name} already")
        else:
            said = "its cells are free text" if len(column.levels) > 1 else "it says the same in every row"
            self._keep(place, f"{reason}, but {said}")

    def _spreads(self) -> None:
        """Find standard deviations and counts of replicates, by their names or by the column before them."""
        for place in self._left():
            name = self.columns[place].name
            if (of := std_header(name)) is not None and (target := self._property_named(of, place)):
                self._take(place, f"{target}_std", "std", f"it is the spread between replicates of {target}")
            elif (of := count_header(name)) is not None and (target := self._property_named(of, place)):
                self._take(place, f"{target}_n", "count", f"it is the number of replicates of {target}")

    def _property_named(self, name: str, place: int) -> str | None:
        """Return our name of the property that a spread at this place belongs to; "" is the column before it."""
        named = {guess.old: guess.new for guess in self.guesses.values() if guess.role == "property"}
        if not name:
            before = self.guesses.get(place - 1)
            return before.new if before and before.role == "property" else None
        ours = named.get(name, quantity_header(name).name)
        return ours if ours in named.values() else None

    def _elements(self, amounts: Mapping[str, FloatArray]) -> tuple[dict[str, Range], str | None]:
        """Choose the design elements, with ranges, and the balance."""
        present = {element: values for element, values in amounts.items() if (values > 0).any()}
        if not present:
            return {}, None
        balance = self.balance or max(present, key=lambda element: float(np.median(present[element])))
        at_least = max(3, _RARE * len(self.sheet.rows)) if len(present) > _FEW_ELEMENTS else 1
        counts = {element: int((values > 0).sum()) for element, values in present.items()}
        chosen = {e: values for e, values in present.items() if counts[e] >= at_least or e == balance}
        rare = [element for element in present if element not in chosen]
        if rare:
            few = f"in fewer than {math.ceil(at_least)} rows"
            self.remarks.append(f"{', '.join(rare)}: {few}, so kept as data and left out of the design space.")
        ranges = {element: _range(values, _STEPS) for element, values in chosen.items()}
        if balance not in ranges:
            self.remarks.append(f"{balance} has no column and takes the remainder.")
            rest = 100 - np.sum(list(present.values()), axis=0)
            ranges = {balance: _range(rest, _STEPS), **ranges}
        return ranges, balance


def _alloy(name: str, basis: Basis | None) -> Composition | None:
    try:
        return Composition.parse(name, basis)
    except AlloyloopError:
        return None


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")


def _levels_or_range(column: _Column) -> Range | tuple[str, ...]:
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
    power = 10.0 ** math.floor(math.log10(wanted))
    return float(f"{max(factor * power for factor in (1, 2, 5) if factor * power <= wanted * (1 + 1e-9)):.6g}")


def _converted(inference: Inference, file: str) -> Sheet:
    """Write a table in our columns: see :meth:`Inference.experiments`."""
    sheet, basis = inference.sheet, inference.basis
    order: list[Role] = [
        *(
            "composition",
            "measured composition",
            "process",
            "condition",
            "property",
            "std",
            "count",
            "class",
            "alloy name",
            "kept",
        ),
        *("reason", "note"),
    ]
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
