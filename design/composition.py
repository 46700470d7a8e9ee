"""An alloy by what it consists of, in at.% and wt.%, and the conversion between the two."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from ..surrogates.errors import AlloyloopError
from .alloy_names import BASIS_SIGN, BASIS_SUFFIX, SUM_TOLERANCE, Basis, other_basis, read_name, unknown_element
from .elements import SYMBOLS, atomic_masses

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..surrogates.base import FloatArray

__all__ = ["SUM_TOLERANCE", "Basis", "Composition", "at_to_wt", "atomic_fractions", "wt_to_at"]

EXACT = 1e-9  # %; amounts this near to 100 stay exactly as given
EQUAL_DECIMALS = 6  # of at.%; far below what a balance or an ICP can tell, far above float noise


@dataclass(frozen=True, slots=True, init=False, eq=False, repr=False)
class Composition:
    """What an alloy consists of, immutable, with the basis and the text it was given in.

    Two compositions are equal if every element agrees to six decimals of at.%; neither order, basis nor text counts,
    so that `Ti-35Nb-7Zr-5Ta wt` equals its own at.% form. Elements of amount zero are left out.

    Parameters
    ----------
    amounts : element symbol -> amount [% of `basis`]; kept exactly if they sum to 100, scaled if within 0.5 of it
    basis : "at_pct" or "wt_pct"
    text : the name as typed, if there was one

    Raises
    ------
    AlloyloopError
        An unknown element, a negative amount, no amount at all, or a sum further than 0.5 from 100.

    Examples
    --------
    >>> alloy = Composition({"Ti": 53, "Nb": 35, "Zr": 7, "Ta": 5}, "wt_pct")
    >>> alloy.name(), alloy.name("at_pct")
    ('Ti-35Nb-7Zr-5Ta wt', 'Ti-23.718Nb-4.831Zr-1.74Ta at')
    """

    elements: tuple[str, ...]
    given: tuple[float, ...]
    basis: Basis
    text: str

    def __init__(self, amounts: Mapping[str, float], basis: Basis, text: str = "") -> None:
        if basis not in BASIS_SIGN:
            raise AlloyloopError(f"{basis!r} is not a basis", "Use at_pct or wt_pct.")
        for element, amount in amounts.items():
            if element not in SYMBOLS:
                raise unknown_element(element)
            if not math.isfinite(amount) or amount < 0:
                raise AlloyloopError(f"{amount:g} {BASIS_SIGN[basis]} {element} is not an amount")
        present = {element: float(amount) for element, amount in amounts.items() if amount > 0}
        if not present:
            raise AlloyloopError("the composition is empty", "Give at least one element an amount.")
        total = math.fsum(present.values())
        if abs(total - 100) > SUM_TOLERANCE:
            raise AlloyloopError(
                f"{'-'.join(present)} adds up to {total:g} {BASIS_SIGN[basis]}, not 100",
                "Name one element as the balance, or correct the amounts.",
            )
        scale = 1.0 if abs(total - 100) <= EXACT else 100 / total
        object.__setattr__(self, "elements", tuple(present))
        object.__setattr__(self, "given", tuple(amount * scale for amount in present.values()))
        object.__setattr__(self, "basis", basis)
        object.__setattr__(self, "text", text)

    @classmethod
    def parse(cls, text: str, basis: Basis | None = None) -> Self:
        """Read an alloy's name.

        Four forms are read, with Unicode dashes, spaces and subscripts put right, a comma between digits as a decimal
        mark, "bal." for the element that takes the remainder and ppm for small amounts:

        - dashed, `Ti-35Nb-7Zr-5Ta wt`: the first element is the balance; the basis must be given;
        - a list, `Ti 64.5 Nb 24 Zr 4 Sn 7.5 wt%` or `Nb 35, Zr 7, Ti bal. wt%`: likewise;
        - a formula, `Al0.3CoCrFeNi` or `(CoCrNi)94Al3Ti3`: atomic by its form;
        - a grade of alloys.csv, `316L`, `WE43` or `TNTZ`: nominal wt.%. `Ti-6Al-4V` is one, so it needs no basis.

        Parameters
        ----------
        text : the name; a suffix such as wt, wt.%, mass%, at, at.% or mol% gives the basis
        basis : the basis, where the text does not say it; to say it twice differently is an error

        Raises
        ------
        AlloyloopError
            The text is no alloy's name, or one whose basis is nowhere given; the message names both readings.

        Examples
        --------
        >>> Composition.parse("Ti–35Nb–7Zr–5Ta (wt.%)").wt_pct
        {'Ti': 53.0, 'Nb': 35.0, 'Zr': 7.0, 'Ta': 5.0}
        >>> Composition.parse("Al0.3CoCrFeNi").name("at_pct")
        'Co-6.977Al-23.256Cr-23.256Fe-23.256Ni at'
        """
        reading = read_name(text, basis)
        if reading.basis is None:
            raise _basis_is_missing(reading.name, reading.amounts)
        return cls(reading.amounts, reading.basis, text)

    @property
    def at_pct(self) -> dict[str, float]:
        """Element -> at.%, in the order given."""
        return self.amounts("at_pct")

    @property
    def wt_pct(self) -> dict[str, float]:
        """Element -> wt.%, in the order given."""
        return self.amounts("wt_pct")

    @property
    def fractions(self) -> FloatArray:
        """(n_elements,) atomic fractions of `elements` [-]."""
        return self.vector(self.elements, "at_pct") / 100

    def amounts(self, basis: Basis) -> dict[str, float]:
        """Element -> amount in `basis` [%]; exactly the amounts given if it is the composition's own basis."""
        if basis == self.basis:
            return dict(zip(self.elements, self.given, strict=True))
        convert = at_to_wt if basis == "wt_pct" else wt_to_at
        converted: list[float] = convert(np.array(self.given), self.elements).tolist()
        return dict(zip(self.elements, converted, strict=True))

    def vector(self, elements: Sequence[str], basis: Basis) -> FloatArray:
        """(n_elements,) amounts of `elements` in `basis` [%]; an element of the alloy not among them is an error."""
        missing = [element for element in self.elements if element not in elements]
        if missing:
            raise AlloyloopError(
                f"{self} contains {', '.join(missing)}", f"The elements here are {', '.join(elements)}."
            )
        amounts = self.amounts(basis)
        return np.array([amounts.get(element, 0.0) for element in elements], dtype=np.float64)

    def name(self, basis: Basis | None = None, *, balance: str | None = None) -> str:
        """The dashed name with its basis, solutes in the order given, to three decimals; below 0.01 % in ppm.

        Parameters
        ----------
        basis : default the composition's own
        balance : the element that comes first and takes the remainder; default the one with the largest amount

        Examples
        --------
        >>> Composition.parse("1.0 Zn, 0.002 Fe, Mg balance, wt%").name()
        'Mg-1Zn-20ppmFe wt'
        """
        basis = basis or self.basis
        amounts = self.amounts(basis)
        first = balance or max(amounts, key=amounts.__getitem__)
        if first not in amounts:
            raise AlloyloopError(f"{first} cannot be the balance of {self}", "It contains none.")
        if len(amounts) == 1:
            return first
        solutes = [f"{_amount(amount)}{element}" for element, amount in amounts.items() if element != first]
        return f"{'-'.join([first, *solutes])} {BASIS_SUFFIX[basis]}"

    def formula(self) -> str:
        """The atomic formula, elements in the order given.

        Where elements of one and the same amount make up half of the atoms, that amount is 1, as the high-entropy
        literature writes it, unless a ratio then has more than two decimals; else the subscripts are at.%, to two.

        Examples
        --------
        >>> Composition.parse("Co-6.97674Al-23.25581Cr-23.25581Fe-23.25581Ni at").formula()
        'CoAl0.3CrFeNi'
        >>> Composition.parse("(CoCrNi)94Al3Ti3").formula()
        'Co31.33Cr31.33Ni31.33Al3Ti3'
        """
        at_pct = self.at_pct
        unit = _shared_amount(list(at_pct.values()))
        subscripts = {element: _subscript(amount / unit) for element, amount in at_pct.items()}
        return "".join(element + ("" if number == "1" else number) for element, number in subscripts.items())

    def distance(self, other: Composition, basis: Basis = "at_pct") -> float:
        """How much of the one must be exchanged to get the other: half the sum of the differences [% of `basis`].

        From 0 (the same alloy) to 100 (no element in common).

        Examples
        --------
        >>> Composition.parse("Ti-24Nb at").distance(Composition.parse("Ti-20Nb-4Zr at"))
        4.0
        """
        mine, theirs = self.amounts(basis), other.amounts(basis)
        return math.fsum(abs(mine.get(e, 0.0) - theirs.get(e, 0.0)) for e in {*mine, *theirs}) / 2

    @property
    def _key(self) -> frozenset[tuple[str, float]]:
        return frozenset((element, round(amount, EQUAL_DECIMALS)) for element, amount in self.at_pct.items())

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Composition) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        return self.name()

    def __repr__(self) -> str:
        return f"Composition.parse({self.name()!r})"

    def _repr_html_(self) -> str:
        other = self.name(other_basis(self.basis))
        return f"<b>{html.escape(self.name())}</b> <small>= {html.escape(other)}</small>"


def at_to_wt(at_pct: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Turn at.% into wt.%, w_i = 100 c_i A_i / Σ c A.

    Parameters
    ----------
    at_pct : (..., n_elements) amounts, in at.% or as fractions; rows need not be normalised
    elements : n_elements symbols

    Returns
    -------
    (..., n_elements) wt.%; every row sums to 100

    Examples
    --------
    >>> at_to_wt(np.array([[50.0, 50.0]]), ("Ni", "Ti")).round(2)
    array([[55.08, 44.92]])
    """
    masses = at_pct * atomic_masses(elements)
    return np.asarray(100 * masses / masses.sum(axis=-1, keepdims=True))


def atomic_fractions(percent: FloatArray, elements: Sequence[str], basis: Basis) -> FloatArray:
    """Turn amounts in either basis [%] into atomic fractions. (..., n_elements)"""
    return (wt_to_at(percent, elements) if basis == "wt_pct" else percent) / 100


def amounts_in(fractions: FloatArray, elements: Sequence[str], basis: Basis) -> FloatArray:
    """Turn atomic fractions into amounts in either basis [%]: the inverse of `atomic_fractions`. (..., n_elements)"""
    return at_to_wt(fractions, elements) if basis == "wt_pct" else 100 * fractions


def wt_to_at(wt_pct: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Turn wt.% into at.%, c_i = 100 (w_i / A_i) / Σ (w / A).

    Parameters
    ----------
    wt_pct : (..., n_elements) amounts, in wt.% or grams; rows need not be normalised
    elements : n_elements symbols

    Returns
    -------
    (..., n_elements) at.%; every row sums to 100

    Examples
    --------
    >>> wt_to_at(np.array([[53.0, 35.0, 7.0, 5.0]]), ("Ti", "Nb", "Zr", "Ta")).round(1)
    array([[69.7, 23.7,  4.8,  1.7]])
    """
    moles = wt_pct / atomic_masses(elements)
    return np.asarray(100 * moles / moles.sum(axis=-1, keepdims=True))


def _basis_is_missing(name: str, amounts: Mapping[str, float]) -> AlloyloopError:
    as_wt, as_at = Composition(amounts, "wt_pct"), Composition(amounts, "at_pct")
    balance = as_wt.elements[0]
    return AlloyloopError(
        f"{name!r} does not say whether its amounts are wt.% or at.%: in wt.% it is "
        f"{as_wt.name('at_pct', balance=balance)}, in at.% it is {as_at.name('wt_pct', balance=balance)}",
        f"Write '{name} wt' or '{name} at'.",
    )


def _shared_amount(at_pct: list[float]) -> float:
    """The at.% that counts as 1 in a formula; 1 where the subscripts are at.% themselves."""
    rounded = [round(amount, 3) for amount in at_pct]
    unit = max(rounded, key=lambda amount: amount * rounded.count(amount))
    count = rounded.count(unit)
    shared = math.fsum(amount for amount, r in zip(at_pct, rounded, strict=True) if r == unit) / count
    ratios = [amount / shared for amount in at_pct]
    is_plain = all(abs(ratio - round(ratio, 2)) < 1e-4 and round(ratio, 2) > 0 for ratio in ratios)
    has_many = count == len(at_pct) or (count > 1 and shared * count >= 50)
    return shared if has_many and is_plain else 1.0


def _amount(amount: float) -> str:
    return _decimal(amount, 3) if amount >= 0.01 else f"{_decimal(amount * 1e4, 3)}ppm"


def _subscript(ratio: float) -> str:
    """Two decimals; for an impurity as many as show two digits of it."""
    return _decimal(ratio, max(2, 1 - math.floor(math.log10(ratio))))


def _decimal(number: float, decimals: int) -> str:
    """Write a number without trailing zeros.

    >>> _decimal(35.0, 3), _decimal(7.90049, 3)
    ('35', '7.9')
    """
    text = f"{number:.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
