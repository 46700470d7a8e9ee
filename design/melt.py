"""What to weigh in for a melt: grams of each metal and master alloy, and what the balance makes of the composition."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..surrogates.errors import AlloyloopError
from .charging import BOILING_POINT_K, Charging, boils_off, in_order, places
from .composition import Composition
from .stock import Material, Stock

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..surrogates.base import FloatArray

__all__ = ["Charge", "ChargeLine", "Stock", "charge"]

COARSE = 0.01  # of what is weighed; a balance step above it is worth a warning
MASTER_COST = 1e-4  # beside 1 for a pure solute: any master before pure metal, of two masters the richer one
RESIDUE = 1e-7  # of an element's amount; a mix that misses more of it is no solution
ZERO = 1e-12  # of the melt; less of a material is float noise


@dataclass(frozen=True, slots=True)
class ChargeLine:
    """One thing to weigh in."""

    material: str  # an element or the name of a master alloy
    composition: Composition
    purity: float
    exact_g: float
    weigh_g: float  # `exact_g` to the step of the balance
    place: str = ""  # where it goes in the furnace
    cost: float = math.nan  # of `weigh_g` [money]; NaN where the price is not known


@dataclass(frozen=True, slots=True)
class Charge:
    """What to weigh in for one melt.

    Attributes
    ----------
    composition : the alloy that is wanted
    mass_g : its mass after melting [g]
    lines : what to weigh in, in the order to charge it (see `alloyloop.design.charging.in_order`)
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
    def cost(self) -> float:
        """What is weighed in costs [money]; NaN where a price is not known."""
        return math.fsum(line.cost for line in self.lines)

    @property
    def error_wt_pct(self) -> dict[str, float]:
        """Element -> achieved minus wanted [wt.%], of every element wanted and of what came along as an impurity."""
        achieved, wanted = self.achieved.wt_pct, self.composition.wt_pct
        return {element: achieved.get(element, 0.0) - wanted.get(element, 0.0) for element in {**wanted, **achieved}}

    def rows(self) -> list[dict[str, str | float]]:
        """One row a line, in the order to charge, for a CSV file or a table."""
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


def charge(
    composition: Composition,
    mass_g: float,
    *,
    stock: Stock | None = None,
    balance_resolution_g: float = 0.001,
    charging: Charging | None = None,
) -> Charge:
    """Work out what to weigh in for a melt, m_i = M (w_i/100) / (purity_i (1 - loss_i)).

    Master alloys are used as far as they go, pure metal for the rest; of two masters for one element the richer.

    Parameters
    ----------
    composition : the alloy wanted, in either basis
    mass_g : its mass M after melting [g]; impurities that `stock` allows come on top
    stock : masters, purities and losses; default every element as a pure metal, without loss
    balance_resolution_g : the step of the balance [g]
    charging : how the furnace is charged, which settles the order of the lines

    Raises
    ------
    AlloyloopError
        The mass or the step is not positive, or the stock cannot make the alloy; the message names the element, and by
        how much it is missed.

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
    materials = stock.materials(composition)
    alloys = [composition, *(material.composition for material in materials)]
    elements = tuple(dict.fromkeys(element for alloy in alloys for element in alloy.elements))
    kept = 1 - np.array([stock.loss.get(element, 0.0) for element in elements])
    contents = np.array([m.purity * m.composition.vector(elements, "wt_pct") / 100 * kept for m in materials]).T
    exact_g = mass_g * _mix(composition, materials, elements, contents, stock)
    weigh_g = np.array([_to_step(grams, balance_resolution_g) for grams in exact_g])
    melted_g = contents @ weigh_g
    if not melted_g.any():
        raise AlloyloopError(f"{mass_g:g} g of {composition} is too little for this balance", "Melt more.")
    achieved = Composition(dict(zip(elements, (100 * melted_g / melted_g.sum()).tolist(), strict=True)), "wt_pct")
    used = [i for i, grams in enumerate(exact_g) if grams > 0]
    balance = _balance(composition)
    order = [used[i] for i in in_order([materials[i].composition for i in used], balance, charging)]
    charged = [materials[i].composition for i in order]
    lines = tuple(
        ChargeLine(
            *materials[i],
            exact_g=float(exact_g[i]),
            weigh_g=float(weigh_g[i]),
            place=place,
            cost=float(weigh_g[i]) * stock.price(materials[i].name) / 1000,
        )
        for i, place in zip(order, places(charged, balance, charging), strict=True)
    )
    warnings = [*_warnings(composition, stock, lines, balance_resolution_g), *boils_off(charged, balance)]
    return Charge(composition, mass_g, lines, achieved, tuple(warnings))


def _mix(
    composition: Composition,
    materials: Sequence[Material],
    elements: Sequence[str],
    contents: FloatArray,  # (n_elements, n_materials), what of a gram of each material ends in the melt
    stock: Stock,
) -> FloatArray:
    """(n_materials,) grams of each material for one gram of alloy: A x = b, x ≥ 0, with the least pure solute.

    Of what the alloy is to hold none of, impurities up to what the stock allows. It is asked twice: how little of all
    elements must be missed, so that an impossible mix says what it misses; and what takes the least pure solute then.
    """
    wanted = composition.vector(elements, "wt_pct") / 100
    is_wanted = wanted > 0
    allowed = np.where(is_wanted, wanted, [stock.impurities.get(element, 0.0) / 100 for element in elements])
    scale = np.where(is_wanted, wanted, 1.0)  # so that 5 ppm Ni count as much as 99 % Mg
    per_gram, bounds = contents / scale[:, None], allowed / scale
    balance = _balance(composition)
    costs = [MASTER_COST if not m.is_metal else float(m.name != balance) for m in materials]
    shares, missed = _least(per_gram, bounds, is_wanted, np.zeros(len(materials)), None)
    _refuse_misses(composition, materials, elements, missed * scale, np.abs(missed), shares)
    shares, _ = _least(per_gram, bounds, is_wanted, np.array(costs), np.abs(missed))
    used = shares > ZERO
    # At a vertex as many amounts are fixed as materials are used: solved once more, the last digits are right too.
    fixed = is_wanted | (per_gram @ shares >= bounds - RESIDUE)
    exact = np.zeros_like(shares)
    exact[used] = np.linalg.lstsq(per_gram[np.ix_(fixed, used)], bounds[fixed])[0]
    return exact


def _least(
    per_gram: FloatArray,  # (n_elements, n_materials), in units of what there is to be of each element
    bounds: FloatArray,  # (n_elements,), what there is to be; the most of it where it is not wanted
    is_wanted: NDArray[np.bool_],
    costs: FloatArray,  # (n_materials,)
    most: FloatArray | None,  # (n_elements,), how much may be missed; None: as much as must be, which is then the cost
) -> tuple[FloatArray, FloatArray]:
    """The cheapest mix (n_materials,), and what it holds too much of or, below 0, too little (n_elements,)."""
    from scipy.optimize import linprog

    n = len(bounds)
    missed = np.hstack([per_gram, np.eye(n), -np.eye(n)])
    ends = np.full(n, np.inf) if most is None else most
    lacking = np.where(is_wanted, ends, 0.0)  # of what is not wanted nothing lacks
    solution = linprog(
        c=[*costs, *[float(most is None)] * (2 * n)],
        A_eq=missed[is_wanted],
        b_eq=bounds[is_wanted],
        A_ub=missed[~is_wanted],
        b_ub=bounds[~is_wanted],
        bounds=[(0, end) for end in (*[np.inf] * len(costs), *lacking, *ends)],
    )
    shares, missing, surplus = np.split(np.asarray(solution.x), [len(costs), len(costs) + n])
    return shares, surplus - missing


def _refuse_misses(
    composition: Composition,
    materials: Sequence[Material],
    elements: Sequence[str],
    off: FloatArray,  # (n_elements,) more, or less, than there should be, for one gram of alloy [g]
    missed: FloatArray,  # (n_elements,) that as a share of what should be
    shares: FloatArray,
) -> None:
    """Say of which element the best mix holds too little, or too much of from which material."""
    misses, allow = [], []
    for element, grams, share in zip(elements, off.tolist(), missed.tolist(), strict=True):
        if share <= RESIDUE:
            continue
        if grams < 0:
            misses.append(f"too little {element}, by {-100 * grams:.3g} wt.%")
            continue
        bring = [
            material.name
            for material, used in zip(materials, shares.tolist(), strict=True)
            if used > ZERO and element in material.composition.elements
        ]
        misses.append(f"too much {element}, by {100 * grams:.3g} wt.%, from {' and '.join(bring)}")
        if element not in composition.elements:
            allow.append(element)
    if misses:
        remedy = "Add a master alloy or a pure metal that mends it"
        raise AlloyloopError(
            f"{composition} cannot be made of {', '.join(m.name for m in materials)}: {'; '.join(misses)}",
            f"{remedy}, or allow {' and '.join(allow)} as an impurity." if allow else f"{remedy}.",
        )


def _warnings(composition: Composition, stock: Stock, lines: Sequence[ChargeLine], step_g: float) -> list[str]:
    used = {line.material for line in lines}
    warnings = [
        f"{name} is not used."
        for name in dict.fromkeys(stock.masters)
        if name not in used and set(stock.composition(name).elements) <= set(composition.elements)
    ]
    for line in lines:
        if line.weigh_g == 0:
            warnings.append(f"{line.exact_g * 1e3:.2g} mg {line.material} is too little for a balance of {step_g:g} g.")
        elif step_g > COARSE * line.exact_g:
            warnings.append(
                f"{step_g * 1e3:g} mg on {line.exact_g * 1e3:.3g} mg {line.material} is "
                f"{100 * step_g / line.exact_g:.2g} %: melt more, use a finer balance or a leaner master alloy."
            )
    unguarded = [e for e in composition.elements if e in BOILING_POINT_K and e not in stock.loss]
    if unguarded:
        warnings.append(f"No loss is allowed for {', '.join(unguarded)}, which may evaporate or burn.")
    return warnings


def _balance(composition: Composition) -> str:
    return max(composition.wt_pct, key=composition.wt_pct.__getitem__)


def _to_step(grams: float, step_g: float) -> float:
    return round(
        round(grams / step_g) * step_g, 9
    )  # 9 decimals: 25717 steps of 0.001 g are 25.717 g, not 25.717000000000002
