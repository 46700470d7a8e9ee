"""What is on the shelf: metals and master alloys, how pure they are, what they cost, and how much of them is left."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..surrogates.errors import AlloyloopError
from .alloy_names import read_name, unknown_element
from .composition import Composition
from .elements import SYMBOLS


class Material(NamedTuple):
    """A metal or a master alloy that could be charged.

    Parameters
    ----------
    name : an element, or what a master is called
    composition : of the share that is what its name says
    purity : that share [-]
    """

    name: str
    composition: Composition
    purity: float

    @property
    def is_metal(self) -> bool:
        """Whether it is one metal, and no master alloy."""
        return len(self.composition.elements) == 1


@dataclass(frozen=True, slots=True)
class Stock:
    """What is on the shelf, and what the furnace does to it.

    Parameters
    ----------
    masters : names of master alloys, such as "Mg-30Ca"; wt.% by convention unless the name says at.%
    purity : element or master -> share of it that is what its name says [-], in (0, 1]; default 1
    loss : element -> share of it that this furnace takes away [-], in [0, 1); default 0
    pure : the elements at hand as pure metal; None for all of them
    compositions : masters whose name does not say it, a sponge by its certificate say -> what they consist of
    impurities : element -> how much of it an alloy may hold that is to hold none [wt.%]; default 0
    price_per_kg : element or master -> money; a master without a price costs what its elements do
    in_stock_g : element or master -> what is left of it [g]

    Raises
    ------
    AlloyloopError
        A name that cannot be read, or a number out of its range.

    Examples
    --------
    >>> stock = Stock(masters=["Mg-30Ca"], price_per_kg={"Mg": 4.0, "Ca": 10.0})
    >>> round(stock.price("Mg-30Ca"), 2)
    5.8
    """

    masters: Sequence[str] = ()
    purity: Mapping[str, float] = field(default_factory=dict)
    loss: Mapping[str, float] = field(default_factory=dict)
    pure: frozenset[str] | None = None
    compositions: Mapping[str, Composition] = field(default_factory=dict)
    impurities: Mapping[str, float] = field(default_factory=dict)
    price_per_kg: Mapping[str, float] = field(default_factory=dict)
    in_stock_g: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.masters:
            if len(self.composition(name).elements) == 1 and name not in self.compositions:
                raise AlloyloopError(f"{name!r} is a pure metal, not a master alloy", "Leave it out of the masters.")
        for material, share in self.purity.items():
            self._check_material(material)
            if not 0 < share <= 1:
                raise AlloyloopError(f"a purity of {share:g} ({material}) is not in (0, 1]", "Write 99.5 % as 0.995.")
        for element, share in self.loss.items():
            _check_element(element)
            if not 0 <= share < 1:
                raise AlloyloopError(f"a loss of {share:g} ({element}) is not in [0, 1)", "Write 1 % as 0.01.")
        for element, most in self.impurities.items():
            _check_element(element)
            if not 0 <= most < 100:
                raise AlloyloopError(f"an impurity of {most:g} wt.% ({element}) is not in [0, 100)", "Write wt.%.")
        for what, amounts in (("price", self.price_per_kg), ("amount in stock", self.in_stock_g)):
            for material, amount in amounts.items():
                self._check_material(material)
                if not (math.isfinite(amount) and amount >= 0):
                    raise AlloyloopError(f"{amount:g} is no {what} ({material})", "Write a number from 0 up.")

    def joined(self, other: Stock) -> Stock:
        """What either of two says; where both say something of one material, the other's word counts.

        Examples
        --------
        >>> Stock(purity={"Ti": 0.99, "Nb": 0.998}).joined(Stock(purity={"Ti": 0.997})).purity
        {'Ti': 0.997, 'Nb': 0.998}
        """
        pures = [stock.pure for stock in (self, other) if stock.pure is not None]
        return Stock(
            masters=tuple(dict.fromkeys((*self.masters, *other.masters))),
            purity={**self.purity, **other.purity},
            loss={**self.loss, **other.loss},
            pure=frozenset().union(*pures) if pures else None,
            compositions={**self.compositions, **other.compositions},
            impurities={**self.impurities, **other.impurities},
            price_per_kg={**self.price_per_kg, **other.price_per_kg},
            in_stock_g={**self.in_stock_g, **other.in_stock_g},
        )

    def composition(self, name: str) -> Composition:
        """What a material consists of, by its certificate or else by its name."""
        return self.compositions[name] if name in self.compositions else _named(name)

    def materials(self, composition: Composition) -> tuple[Material, ...]:
        """Every pure metal of an alloy that is at hand, then every master.

        Raises
        ------
        AlloyloopError
            where there is none
        """
        metals = [element for element in composition.elements if self.pure is None or element in self.pure]
        names = [*metals, *dict.fromkeys(self.masters)]
        if not names:
            raise AlloyloopError(
                f"nothing is on the shelf to make {composition} of", "Name pure metals or master alloys."
            )
        return tuple(Material(name, self.composition(name), self.purity.get(name, 1.0)) for name in names)

    def price(self, name: str) -> float:
        """What a kilogram of a material costs: as it was paid, or as its elements are; NaN where one is not known."""
        if name in self.price_per_kg:
            return self.price_per_kg[name]
        shares = self.composition(name).wt_pct
        return math.fsum(w / 100 * self.price_per_kg.get(element, math.nan) for element, w in shares.items())

    def _check_material(self, name: str) -> None:
        if name not in self.masters:
            _check_element(name)


class Need(NamedTuple):
    """What a batch takes of one material.

    Parameters
    ----------
    material : an element or a master
    each_g : of every alloy in turn [g]
    in_stock_g : what is left of it [g]; None where that is not known
    cost : of all of it [money]; NaN where its price is not known
    """

    material: str
    each_g: tuple[float, ...]
    in_stock_g: float | None
    cost: float

    @property
    def total_g(self) -> float:
        """What all alloys take [g]."""
        return round(math.fsum(self.each_g), 9)

    @property
    def short_g(self) -> float:
        """What is lacking of it [g]; 0 where there is enough, or it is not known."""
        return 0.0 if self.in_stock_g is None else max(round(self.total_g - self.in_stock_g, 9), 0.0)


def needs(weighed: Iterable[Mapping[str, float]], stock: Stock) -> tuple[Need, ...]:
    """What a batch takes from the shelf, in the order in which materials are first weighed.

    Parameters
    ----------
    weighed : of each alloy, material -> what is weighed in of it [g]
    stock : the shelf

    Examples
    --------
    >>> stock = Stock(in_stock_g={"Nb": 20}, price_per_kg={"Ti": 12, "Nb": 80})
    >>> titanium, niobium = needs([{"Ti": 30, "Nb": 10}, {"Ti": 24, "Nb": 16}], stock)
    >>> niobium.total_g, niobium.short_g, niobium.cost
    (26.0, 6.0, 2.08)
    """
    alloys = list(weighed)
    found = []
    for material in dict.fromkeys(name for alloy in alloys for name in alloy):
        each = tuple(alloy.get(material, 0.0) for alloy in alloys)
        cost = math.fsum(each) * stock.price(material) / 1000
        found.append(Need(material, each, stock.in_stock_g.get(material), cost))
    return tuple(found)


def _named(name: str) -> Composition:
    """An element, or a master alloy by its name."""
    if name in SYMBOLS:
        return Composition({name: 100}, "wt_pct")
    reading = read_name(name)
    return Composition(reading.amounts, reading.basis or "wt_pct", name)


def _check_element(symbol: str) -> None:
    if symbol not in SYMBOLS:
        raise unknown_element(symbol)
