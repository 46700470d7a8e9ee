"""Spaces with every kind of rule, with a design or without, and the plain way to list their designs."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Final

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from alloyloop.design.composition import Basis
from alloyloop.design.diagram import IntArray
from alloyloop.design.lattice import CountLimit, Element, Lattice
from alloyloop.design.policies import Policy, PolicyRule
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.rules import Designs, parse_rule
from alloyloop.design.space import DesignSpace
from alloyloop.surrogates.errors import AlloyloopError

SYMBOLS: Final = ("Nb", "Zr", "Ta")
BASES: Final[tuple[Basis, ...]] = ("at_pct", "wt_pct")
PROCESS: Final[tuple[Numeric | Choice, ...]] = (
    Numeric("temperature_C", 700, 1000, 100),
    Choice("quench", ("water", "air", "furnace")),
)

# Each with a number to fill in, between 0 and 100.
SUMS: Final = (
    "Nb + Ta >= {}",
    "0.5 Nb - Zr <= {}",
    "Ti < {}",
    "Nb > {}",
    "Zr between 10 and {}",
    "Nb + Ta >= {} if Zr > 10",
    "Ti <= {} if Nb between 10 and 30 and Ta < 20",
)
RATIOS: Final = ("Zr / Nb <= 0.{}", "(Nb + Ta) / Ti >= 0.{}", "Nb >= 0.{} Zr", "Ti >= 50 if Nb / Ti >= 0.{}")
OTHER_BASIS: Final = (
    "Nb + Ta >= {} {basis}",
    "Ti < {} {basis}",
    "Ta > {} {basis}",
    "Zr / Nb <= 0.{} {basis}",
    "Ta >= 10 if Zr >= {} {basis}",
    "Nb <= {} {basis} if Ta between 5 and 30 {basis}",
)
MEANS: Final = (
    "vec between 4 and 4.{}",
    "price_usd_per_kg <= {}",
    "density_g_per_cm3 <= 5.{}",
    "vec >= 4.{} if Zr > 0",
)
OF_PROCESS: Final = (
    "temperature_C + 10 Nb >= 9{}",
    "temperature_C >= 850 if Nb > {}",
    "quench is water if Ta > {}",
    "Zr >= {} if quench is not air",
    "quench is not water",
    "quench is not air if temperature_C < 9{}",
)
CURVED: Final = (
    "mixing_enthalpy_kJ_per_mol >= 0.{}",
    "size_mismatch_pct <= 1.{}",
    "mixing_entropy_J_per_molK >= 5 if Nb > {}",
)
LINEAR: Final = (*SUMS, *RATIOS, *OTHER_BASIS, *MEANS, *OF_PROCESS)


def limited(element: str, wt_pct: float) -> Policy:
    """A policy with one limit."""
    rule = PolicyRule(element, "limited", wt_pct, "a test", "none", verified=False)
    return Policy("cautious", "Little of it", "Ti", (rule,))


@st.composite
def spaces(draw: st.DrawFn, *, rules: tuple[str, ...] = LINEAR, most_rules: int = 3) -> DesignSpace:
    """Draw a space of up to three elements in titanium, which need not hold any design."""
    elements = []
    for symbol in SYMBOLS:
        low, high = draw(st.sampled_from([(0, 100), (0, 60), (0, 30), (10, 40), (5, 25)]))
        elements.append(Element(symbol, low, high, draw(st.sampled_from([10.0, 12.5, 20.0]))))
    low, high = draw(st.sampled_from([(0, 100), (40, 90), (20, 65), (50, 100)]))
    limits = draw(
        st.lists(
            st.sampled_from(
                [
                    CountLimit("max_elements", (*SYMBOLS, "Ti"), 0, 3),
                    CountLimit("min_elements", (*SYMBOLS, "Ti"), 3, 4),
                    CountLimit("refractory", ("Nb", "Ta"), 1, 1),
                ]
            ),
            unique=True,
            max_size=2,
        )
    )
    try:
        lattice = Lattice(tuple(elements), "Ti", low, high, draw(st.sampled_from([0.0, 15.0])), tuple(limits))
    except AlloyloopError:
        assume(False)
        raise
    basis = draw(st.sampled_from(BASES))
    process = tuple(draw(st.lists(st.sampled_from(PROCESS), unique=True, max_size=2)))
    space = DesignSpace(lattice, basis, process, policy=draw(st.sampled_from([None, limited("Nb", 25.0)])))
    texts = draw(st.lists(st.sampled_from(rules), unique=True, max_size=most_rules))
    said = [
        text.format(draw(st.integers(10, 90)), basis="wt%" if basis == "at_pct" else "at%")
        for text in texts
        if all(variable.name in space.names.listed for variable in PROCESS if variable.name in text)
    ]
    return DesignSpace(lattice, basis, process, tuple(parse_rule(text, space.names) for text in said), space.policy)


def every_design(space: DesignSpace) -> IntArray:
    """All designs, by trying each multiple of each step and asking each rule, without diagrams. (n, d)"""
    lattice = space.lattice
    assert lattice is not None
    rows = [[int(amount / lattice.unit) for amount in row] for row in _compositions(lattice)]
    levels = list(product(*(range(variable.n_levels) for variable in space.process)))
    points = np.array([(*row, *level) for row in rows for level in levels], dtype=np.int64)
    points = points.reshape(-1, space.n_elements + len(space.process))
    return points[keep_rules(space, points)]


def keep_rules(space: DesignSpace, points: IntArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which points keep every rule and every limit of the policy. (n,)"""
    process = {
        variable.name: variable.values(points[:, i]) for i, variable in enumerate(space.process, start=space.n_elements)
    }
    designs = Designs(space.elements, space.basis, space.percent(points), process)
    kept = np.ones(len(points), dtype=np.bool_)
    for rule in (*space.rules, *space.policy_limits):
        kept &= rule.holds(designs)
    return kept


def _compositions(lattice: Lattice) -> Iterator[tuple[Fraction, ...]]:
    """Amounts [%] on their steps, inside all bounds, that keep `present_above` and the limits on their number."""

    def multiples(element: Element) -> list[Fraction]:
        step = Fraction(str(element.step))
        return [amount for n in range(int(100 / step) + 1) if element.low <= (amount := n * step) <= element.high]

    for amounts in product(*map(multiples, lattice.elements)):
        row = (*amounts, Fraction(100) - sum(amounts))
        present = {symbol for symbol, amount in zip(lattice.symbols, row, strict=True) if amount > 0}
        if (
            row[-1] >= 0
            and lattice.balance_low <= row[-1] <= lattice.balance_high
            and all(amount == 0 or amount >= lattice.present_above for amount in row)
            and all(limit.least <= len(present & set(limit.of)) <= limit.most for limit in lattice.limits)
        ):
            yield row
