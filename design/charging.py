"""In which order metals go into the furnace, and where they lie: what boils off goes last, or underneath.

The order is practice, and our own judgement where no source is named: an arc strikes what lies on top, and its pool
covers what lies below; in a crucible the balance melts first, and what would evaporate or burn spends the least time in
it at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Literal

from .composition import Composition
from .elements import value, values

Charging = Literal["arc", "crucible"]
"""How a furnace is charged: everything on a cold hearth before the arc is struck, or one after the other."""

# Boiling points at 1 atm [K] of the metals that boil below 2900 K: they evaporate in a furnace that melts titanium, and
# some burn. Handbook values as quoted by pymatgen and by Periodic-Table-JSON, which agree to 100 K but for Cu and Ga
# (there the nearer to other handbooks). Nb, Ta, Mo, Zr and Ti boil above 3500 K.
BOILING_POINT_K = {
    "Li": 1615, "Be": 2742, "Na": 1156, "Mg": 1363, "Al": 2792, "K": 1032, "Ca": 1757, "Mn": 2334, "Cu": 2835,
    "Zn": 1180, "Ga": 2477, "Sr": 1655, "Ag": 2435, "Cd": 1040, "In": 2345, "Sn": 2875, "Sb": 1860, "Sm": 2076,
    "Eu": 1800, "Dy": 2840, "Tm": 2223, "Yb": 1469, "Hg": 630, "Pb": 2022, "Bi": 1837,
}  # fmt: skip
METAL = 98.0  # wt.%; what holds more than that of one element is this metal, and no master alloy
FLOATS = 0.8  # of the density of the balance; what is lighter than that swims on the melt

_CRUCIBLES = ("induction", "resistance", "crucible", "pot", "muffle")


def charging_of(furnace: str) -> Charging | None:
    """How a furnace is charged, by its name; None where the name does not tell.

    >>> charging_of("vacuum arc"), charging_of("induction"), charging_of("the big one")
    ('arc', 'crucible', None)
    """
    name = furnace.casefold()
    if "arc" in name.replace("-", " ").split():
        return "arc"
    return "crucible" if any(word in name for word in _CRUCIBLES) else None


def is_volatile(element: str, balance: str) -> bool:
    """Whether a solute evaporates from its balance: it boils below 2900 K, and below what the balance boils at.

    >>> is_volatile("Sn", "Ti"), is_volatile("Nb", "Ti"), is_volatile("Zn", "Mg"), is_volatile("Mn", "Mg")
    (True, False, True, False)
    """
    return element != balance and BOILING_POINT_K.get(element, inf) < BOILING_POINT_K.get(balance, inf)


def in_order(materials: Sequence[Composition], balance: str, charging: Charging | None = None) -> list[int]:
    """The order in which to charge metals and master alloys, as positions in what is given.

    Parameters
    ----------
    materials : what each consists of
    balance : the element that the alloy holds most of; masters dissolve in it
    charging : `arc`: from the bottom of the hearth to its top, the highest melting on top. `crucible`: the balance
        first, then masters, then the others, the highest melting first. None: as they melt, the highest melting first,
        masters after the balance. What evaporates is at the bottom, or last

    Examples
    --------
    >>> metals = [Composition({element: 100}, "wt_pct") for element in ("Ti", "Nb", "Sn")]
    >>> in_order(metals, "Ti"), in_order(metals, "Ti", "arc"), in_order(metals, "Ti", "crucible")
    ([1, 0, 2], [2, 0, 1], [0, 1, 2])
    """

    def rank(position: int) -> tuple[float, ...]:
        metal = _metal(materials[position])
        if metal is not None and is_volatile(metal, balance):
            return (2, -BOILING_POINT_K[metal], 0)
        first = charging == "crucible" and metal in (balance, None)
        return (0 if first else 1, -_melting_point_K(metal or balance), 0 if metal else 1)

    order = sorted(range(len(materials)), key=rank)
    return order[::-1] if charging == "arc" else order


def places(materials: Sequence[Composition], balance: str, charging: Charging | None = None) -> list[str]:
    """Where each of the materials goes, which are given in the order to charge them; may be empty.

    Examples
    --------
    >>> places([Composition({element: 100}, "wt_pct") for element in ("Sn", "Ti", "Nb")], "Ti", "arc")
    ['at the bottom, covered by the rest', 'in between', 'on top, under the arc']
    """
    last = len(materials) - 1
    return [_place(_metal(each), balance, charging, i == last) for i, each in enumerate(materials)] if last else [""]


def _place(metal: str | None, balance: str, charging: Charging | None, is_last: bool) -> str:
    volatile = metal is not None and is_volatile(metal, balance)
    if charging == "arc":
        if is_last:
            return "on top, under the arc"
        return "at the bottom, covered by the rest" if volatile else "in between"
    if charging is None:
        return "last, wrapped or covered" if volatile else ""
    if metal == balance:
        return "first"
    if metal is not None and (volatile or _floats(metal, balance)):
        return "last, wrapped and held under" if volatile else "wrapped and held under: it floats"
    if metal is not None and _melting_point_K(metal) > _melting_point_K(balance):
        return "into the melt, in small pieces: it has to dissolve"
    return "into the melt"


def boils_off(materials: Sequence[Composition], balance: str) -> list[str]:
    """A sentence on each pure metal that boils before another one melts.

    Examples
    --------
    >>> boils_off([Composition({element: 100}, "wt_pct") for element in ("Ti", "Nb", "Mn")], "Ti")
    ['Mn boils at 2334 K, before Nb melts (2750 K): use a master alloy of one of them, or melt Nb with Ti first.']
    """
    metals = [metal for metal in map(_metal, materials) if metal is not None]
    hottest = max(metals, key=_melting_point_K, default=balance)
    melts_K = _melting_point_K(hottest)
    other = f"melt {hottest} with {balance} first" if hottest != balance else f"melt {balance} first"
    return [
        f"{metal} boils at {BOILING_POINT_K[metal]} K, before {hottest} melts ({melts_K:g} K): use a master alloy of "
        f"{'one of them' if hottest != balance else metal}, or {other}."
        for metal in metals
        if metal != balance and BOILING_POINT_K.get(metal, inf) < melts_K
    ]


def _metal(composition: Composition) -> str | None:
    """The element that a material is but for its impurities; None of a master alloy."""
    element, most = max(composition.wt_pct.items(), key=lambda amount: amount[1])
    return element if most > METAL else None


def _melting_point_K(element: str) -> float:
    return value("melting_point_K", element).value


def _floats(metal: str, balance: str) -> bool:
    light, heavy = values("density_g_per_cm3", [metal, balance])
    return bool(light < FLOATS * heavy)  # what has no density does not tell
