"""What to weigh in for a melt: grams of each metal and master alloy, and what the balance makes of the composition."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..surrogates.errors import AlloyloopError
from .alloy_names import read_name, unknown_element
from .composition import Composition
from .elements import SYMBOLS, values

if TYPE_CHECKING:
    from ..surrogates.base import FloatArray

__all__ = ["Charge", "ChargeLine", "Stock", "charge"]

VOLATILE = ("Mg", "Zn", "Mn", "Sn", "Al", "Ca", "Sr")  # they evaporate or burn; Nb, Ta and Mo do not
COARSE = 0.01  # of what is weighed; a balance step above it is worth a warning
MASTER_COST = 1e-4  # beside 1 for a pure solute: any master before pure metal, of two masters the richer one
RESIDUE = 1e-7  # of an element's amount; a mix that misses more of it is no solution
ZERO = 1e-12  # of the melt; less of a material is float noise


@dataclass(frozen=True, slots=True)
class Stock:
    """What is on the shelf, and what the furnace does to it.

    Parameters
    ----------
    masters : names of master alloys, such as "Mg-30Ca"; wt.% by convention unless the name says at.%
    purity : element or master -> share of it that is what its name says [-], in (0, 1]; default 1
    loss : element -> share of it that this furnace takes away [-], in [0, 1); default 0
    pure : the elements at hand as pure metal; None for all of them

    Raises
    ------
    AlloyloopError
        A name that cannot be read, or a share out of its range.
    """

    masters: Sequence[str] = ()
    purity: Mapping[str, float] = field(default_factory=dict)
    loss: Mapping[str, float] = field(default_factory=dict)
    pure: frozenset[str] | None = None

    def __post_init__(self) -> None:
        for name in self.masters:
            if len(_master(name).elements) == 1:
                raise AlloyloopError(f"{name!r} is a pure metal, not a master alloy", "Leave it out of the masters.")
        for material, share in self.purity.items():
            if material not in self.masters:
                _check_element(material)
            if not 0 < share <= 1:
                raise AlloyloopError(f"a purity of {share:g} ({material}) is not in (0, 1]", "Write 99.5 % as 0.995.")
        for element, share in self.loss.items():
            _check_element(element)
            if not 0 <= share < 1:
                raise AlloyloopError(f"a loss of {share:g} ({element}) is not in [0, 1)", "Write 1 % as 0.01.")


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """One thing to weigh in."""

    material: str  # an element or the name of a master alloy
    composition: Composition
    purity: float
    exact_g: float
    weigh_g: float  # `exact_g` to the step of the balance


@dataclass(frozen=True, slots=True)
class Charge:
    """What to weigh in for one melt.

    Attributes
    ----------
    composition : the alloy that is wanted
    mass_g : its mass after melting [g]
    lines : what to weigh in, in the order to melt it: the highest melting metal first, masters after the balance
    achieved : the alloy that results from the rounded masses
    warnings : what to know before weighing, as sentences
    """

    composition: Composition
    mass_g: float
    lines: tuple[ChargeLine, ...]
    achieved: Composition
    warnings: tuple[str, ...]

    @property
    def exact_g(self) -> float:
        """The total to weigh in, before rounding [g]."""
        return math.fsum(line.exact_g for line in self.lines)

    @property
    def weigh_g(self) -> float:
        """The total of the rounded masses [g]."""
        return math.fsum(line.weigh_g for line in self.lines)

    @property
    def error_wt_pct(self) -> dict[str, float]:
        """Element -> achieved minus wanted [wt.%], of every element wanted."""
        achieved = self.achieved.wt_pct
        return {element: achieved.get(element, 0.0) - wanted for element, wanted in self.composition.wt_pct.items()}

    def rows(self) -> list[dict[str, str | float]]:
        """One row a line, in the order to melt, for a CSV file or a table."""
        return [
            {
                "order": order,
                "material": line.material,
                "purity": line.purity,
                "exact_g": round(line.exact_g, 6),
                "weigh_g": line.weigh_g,
            }
            for order, line in enumerate(self.lines, start=1)
        ]


class Material(NamedTuple):
    """A metal or a master alloy that could be charged."""

    name: str
    composition: Composition
    purity: float


def charge(
    composition: Composition, mass_g: float, *, stock: Stock | None = None, balance_resolution_g: float = 0.001
) -> Charge:
    """Work out what to weigh in for a melt, m_i = M (w_i/100) / (purity_i (1 - loss_i)).

    Master alloys are used as far as they go, pure metal for the rest; of two masters for one element the richer.

    Parameters
    ----------
    composition : the alloy wanted, in either basis
    mass_g : its mass M after melting [g]
    stock : masters, purities and losses; default every element as a pure metal, without loss
    balance_resolution_g : the step of the balance [g]

    Raises
    ------
    AlloyloopError
        The mass or the step is not positive, or the stock cannot make the alloy; the message names the element.

    Examples
    --------
    >>> sheet = charge(Composition.parse("Mg-0.3Ca wt"), 100, stock=Stock(masters=["Mg-30Ca"]))
    >>> [(line.material, line.weigh_g) for line in sheet.lines]
    [('Mg', 99.0), ('Mg-30Ca', 1.0)]
    """
    stock = stock or Stock()
    for quantity, what in ((mass_g, "mass of the melt"), (balance_resolution_g, "step of the balance")):
        if not (math.isfinite(quantity) and quantity > 0):
            raise AlloyloopError(f"a {what} of {quantity:g} g cannot be weighed", "Give a positive number of grams.")
    materials = _materials(composition, stock)
    alloys = [composition, *(material.composition for material in materials)]
    elements = tuple(dict.fromkeys(element for alloy in alloys for element in alloy.elements))
    kept = 1 - np.array([stock.loss.get(element, 0.0) for element in elements])
    contents = np.array([m.purity * m.composition.vector(elements, "wt_pct") / 100 * kept for m in materials]).T
    wanted = composition.vector(elements, "wt_pct") / 100
    exact_g = mass_g * _mix(composition, materials, elements, contents, wanted)
    weigh_g = np.array([_to_step(grams, balance_resolution_g) for grams in exact_g])
    melted_g = contents @ weigh_g
    if not melted_g.any():
        raise AlloyloopError(f"{mass_g:g} g of {composition} is too little for this balance", "Melt more.")
    achieved = Composition(dict(zip(elements, (100 * melted_g / melted_g.sum()).tolist(), strict=True)), "wt_pct")
    lines = [
        ChargeLine(material.name, material.composition, material.purity, exact, weigh)
        for material, exact, weigh in zip(materials, exact_g.tolist(), weigh_g.tolist(), strict=True)
        if exact > 0
    ]
    return Charge(
        composition=composition,
        mass_g=mass_g,
        lines=tuple(_in_melting_order(lines, _balance(composition))),
        achieved=achieved,
        warnings=tuple(_warnings(composition, stock, lines, balance_resolution_g)),
    )


def _materials(composition: Composition, stock: Stock) -> list[Material]:
    """Every pure metal of the alloy that is at hand, then every master."""
    metals = [element for element in composition.elements if stock.pure is None or element in stock.pure]
    named = [(element, Composition({element: 100}, "wt_pct")) for element in metals]
    named += [(name, _master(name)) for name in dict.fromkeys(stock.masters)]
    if not named:
        raise AlloyloopError(f"nothing is on the shelf to make {composition} of", "Name pure metals or master alloys.")
    return [Material(name, alloy, stock.purity.get(name, 1.0)) for name, alloy in named]


def _mix(
    composition: Composition,
    materials: Sequence[Material],
    elements: Sequence[str],
    contents: FloatArray,  # (n_elements, n_materials), what of a gram of each material ends in the melt
    wanted: FloatArray,  # (n_elements,), sums to 1
) -> FloatArray:
    """(n_materials,) grams of each material for one gram of alloy: A x = b, x ≥ 0, with the least pure solute.

    Every element may miss its amount at a cost beyond all others, so that an impossible mix says what it misses.
    """
    from scipy.optimize import linprog

    balance = _balance(composition)
    n = len(elements)
    scale = np.where(wanted > 0, wanted, 1.0)[:, None]  # so that 5 ppm Ni count as much as 99 % Mg
    costs = [MASTER_COST if len(m.composition.elements) > 1 else float(m.name != balance) for m in materials]
    solution = linprog(
        c=[*costs, *[1e4] * (2 * n)],
        A_eq=np.hstack([contents / scale, np.eye(n), -np.eye(n)]),
        b_eq=wanted / scale[:, 0],
        bounds=(0, None),
    )
    shares, missing, surplus = np.split(np.asarray(solution.x), [len(materials), len(materials) + n])
    misses = [f"too little {e}" for e, share in zip(elements, missing, strict=True) if share > RESIDUE]
    misses += [f"too much {e}" for e, share in zip(elements, surplus, strict=True) if share > RESIDUE]
    if misses:
        raise AlloyloopError(
            f"{composition} cannot be made of {', '.join(m.name for m in materials)}: {', '.join(misses)}",
            "Add a master alloy or a pure metal that mends it.",
        )
    used = shares > ZERO
    exact = np.zeros_like(shares)
    exact[used] = np.linalg.lstsq(contents[:, used] / scale, wanted / scale[:, 0])[0]
    return exact


def _warnings(composition: Composition, stock: Stock, lines: Sequence[ChargeLine], step_g: float) -> list[str]:
    used = {line.material for line in lines}
    warnings = [f"{name} is not used." for name in dict.fromkeys(stock.masters) if name not in used]
    for line in lines:
        if line.weigh_g == 0:
            warnings.append(f"{line.exact_g * 1e3:.2g} mg {line.material} is too little for a balance of {step_g:g} g.")
        elif step_g > COARSE * line.exact_g:
            warnings.append(
                f"{step_g * 1e3:g} mg on {line.exact_g * 1e3:.3g} mg {line.material} is "
                f"{100 * step_g / line.exact_g:.2g} %: melt more, use a finer balance or a leaner master alloy."
            )
    unguarded = [e for e in composition.elements if e in VOLATILE and not stock.loss.get(e)]
    if unguarded:
        warnings.append(f"No loss is allowed for {', '.join(unguarded)}, which may evaporate or burn.")
    return warnings


def _in_melting_order(lines: Sequence[ChargeLine], balance: str) -> list[ChargeLine]:
    """Pure metals from the highest melting point down; masters, which dissolve in the balance, behind it."""

    def melting_point_K(line: ChargeLine) -> tuple[float, bool]:
        is_pure = len(line.composition.elements) == 1
        (melting_point,) = values("melting_point_K", line.composition.elements if is_pure else [balance])
        return float(np.nan_to_num(melting_point)), is_pure

    return sorted(lines, key=melting_point_K, reverse=True)


def _balance(composition: Composition) -> str:
    return max(composition.wt_pct, key=composition.wt_pct.__getitem__)


def _to_step(grams: float, step_g: float) -> float:
    return round(
        round(grams / step_g) * step_g, 9
    )  # 9 decimals: 25717 steps of 0.001 g are 25.717 g, not 25.717000000000002


def _master(name: str) -> Composition:
    reading = read_name(name)
    return Composition(reading.amounts, reading.basis or "wt_pct", name)


def _check_element(symbol: str) -> None:
    if symbol not in SYMBOLS:
        raise unknown_element(symbol)
