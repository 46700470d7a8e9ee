"""Where a table that is being understood says what its alloys consist of: columns of amounts, or the alloys' names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from ..design.alloy_names import BASIS_SIGN, Basis
from ..design.composition import SUM_TOLERANCE, Composition
from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .columns import Column, Columns
from .headers import AmountHeader, amount_header
from .problems import CampaignFileError
from .sheet import rows_named

_ALLOYS = (
    *("alloy", "formula", "composition", "alloy_name"),
    *("nominal_composition", "chemical_formula", "composition_as_given"),
)


class FoundAmounts:
    """Finds the amounts of a table, gives their columns their roles, and asks where they may mean two things.

    Parameters
    ----------
    columns : of the table
    basis : of the amounts, where it was said; afterwards that which was found
    balance : the element that takes the remainder, where it was said
    """

    def __init__(self, columns: Columns, basis: Basis | None, balance: str | None) -> None:
        self.columns = columns
        self.basis: Basis | None = basis
        self.balance = balance
        self.compositions: tuple[Composition | None, ...] = ()  # of every row, where they come from names

    def of_columns(self) -> dict[str, FloatArray]:
        """Find the columns of amounts; return element → (n,) amounts [%]."""
        found = {
            place: header
            for place, column in enumerate(self.columns.columns)
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
                self.columns.sheet.file,
                f"The amounts are in {BASIS_SIGN[own]} by their names, not in {BASIS_SIGN[self.basis]}",
                f"Leave the basis out, or say {own}.",
            )
        self.basis = own = self.basis or own
        nominal = {p: h for p, h in found.items() if not h.is_measured and (h.basis == own or p in bare)}
        self._refuse_two_bases(found, {header.element for header in nominal.values()}, own)
        if stated:
            scale = self._scale(nominal)
        amounts: dict[str, FloatArray] = {}
        for place, header in nominal.items():
            column = self.columns[place]
            said = f"it names the element {header.element}" + (f" and {BASIS_SIGN[own]}" if header.basis else "")
            reason = said + (", as fractions that sum to 1" if scale != 1 else "")
            if self.columns.take(place, f"{header.element}_{own}", "composition", reason, scale):
                amounts[header.element] = np.where(column.takes_rest, np.nan, np.nan_to_num(column.amounts * scale))
        rest = 100 - np.nansum(list(amounts.values()), axis=0)
        takes_rest = np.isnan(list(amounts.values())).any(axis=0)
        amounts = {element: np.where(np.isnan(values), rest, values) for element, values in amounts.items()}
        if not self.balance and amounts and float(np.mean(takes_rest | (rest <= SUM_TOLERANCE))) < 0.5:
            raise CampaignFileError.whole_file(
                self.columns.sheet.file,
                f"The amounts of most rows sum to less than 100 {BASIS_SIGN[own]}",
                "Say which element takes the remainder, such as --balance Ti.",
            )
        measured = {
            place: header for place, header in found.items() if header.is_measured and header.basis in {own, None}
        }
        for place in found.keys() - nominal.keys() - measured.keys():
            self.columns.keep(place, f"the amounts in {BASIS_SIGN[own]} beside it are used")
        measured_scale = self._scale(measured)
        for place, header in measured.items():
            reason = f"it names {header.element} as analysed"
            self.columns.take(place, f"{header.element}_{own}_measured", "measured composition", reason, measured_scale)
        return amounts

    def _refuse_two_bases(self, found: Mapping[int, AmountHeader], elements: set[str], own: Basis) -> None:
        """Refuse a table of which an element has amounts in the other basis alone: they would be left out."""
        others = [
            self.columns[place].name
            for place, header in found.items()
            if not header.is_measured and header.element not in elements and np.nansum(self.columns[place].amounts) > 0
        ]
        if others:
            raise CampaignFileError.whole_file(
                self.columns.sheet.file,
                f"Amounts are in {BASIS_SIGN[own]}, but not those of {', '.join(others)}",
                "Give all amounts of an alloy in one basis, or name the columns as they truly are.",
            )

    def _sums(self, places: Iterable[int]) -> FloatArray:
        """(n,) sums of the rows that have amounts."""
        numbers = np.array([self.columns[place].amounts for place in places])
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
            self.columns.sheet.file,
            f"The columns {shown} give amounts, but not whether in at.% or wt.%",
            "Say which: --basis at_pct or --basis wt_pct.",
        )

    def of_names(self) -> dict[str, FloatArray]:
        """Read compositions from a column of alloys' names; return element → (n,) amounts [%]."""
        by_name = self.columns.by_name()
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
            if place in self.columns.given:
                self.columns.given[place] = replace(
                    self.columns.given[place], reason=f"{self.columns.given[place].reason}; {reason}"
                )
            else:
                self.columns.take(place, self.columns[place].name, "alloy name", reason)
            unread = [self.columns.sheet.row_numbers[row] for row, alloy in enumerate(read) if alloy is None]
            if unread:
                self.columns.remarks.append(
                    f"The alloys of {rows_named(unread)} could not be read: fill in their amounts."
                )
            amounts = [alloy.amounts(own) if alloy else {} for alloy in read]
            names = dict.fromkeys(element for row in amounts for element in row)
            self.columns.names |= {f"{element}_{own}" for element in names}
            return {element: np.array([row.get(element, 0.0) for row in amounts]) for element in names}
        return {}

    def _compositions_of(self, column: Column) -> tuple[Composition | None, ...]:
        """Read every cell as an alloy; names that need a basis, with none given, are a question to the user."""
        alloys: dict[str, Composition | None] = {}
        unclear: list[str] = []
        for cell in column.levels:
            alloys[cell] = _alloy(cell, None) or _alloy(cell, self.basis)
            if alloys[cell] is None and self.basis is None and _alloy(cell, "wt_pct"):
                unclear.append(cell)
        if unclear and len(unclear) >= 0.5 * sum(1 for alloy in alloys.values() if alloy):
            raise CampaignFileError.whole_file(
                self.columns.sheet.file,
                f"{unclear[0]!r} in column {column.name} may be in at.% or wt.%",
                "Say which: --basis at_pct or --basis wt_pct.",
            )
        return tuple(alloys.get(cell) for cell in column.cells)


def _alloy(name: str, basis: Basis | None) -> Composition | None:
    try:
        return Composition.parse(name, basis)
    except AlloyloopError:
        return None
