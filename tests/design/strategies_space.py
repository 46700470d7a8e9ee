"""Small lattices and spaces that nobody thought of, and the slow, plain way to list what they hold."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import product
from typing import Final

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from alloyloop.design.composition import Basis
from alloyloop.design.lattice import Element, IntArray, Lattice
from alloyloop.design.policies import Policy, PolicyRule
from alloyloop.design.rules import Rule, parse_rule
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.space import DesignSpace
from alloyloop.surrogates.errors import AlloyloopError

SYMBOLS: Final = ("Nb", "Zr", "Sn")
STEPS: Final = (2.5, 4.0, 5.0, 7.5, 10.0, 12.5)  # their units differ, and not all divide 100
BASES: Final[tuple[Basis, ...]] = ("at_pct", "wt_pct")
MOST = 3000  # compositions, so that every one can be looked at

Point = tuple[int, ...]


@st.composite
def lattices(draw: st.DrawFn, *, min_elements: int = 1) -> Lattice:
    """Draw a lattice of up to three chosen elements in titanium, with bounds on and off their steps."""
    bound = st.integers(0, 200).map(lambda half: half / 2)
    chosen = []
    for symbol in draw(st.lists(st.sampled_from(SYMBOLS), min_size=min_elements, max_size=3, unique=True)):
        low, high = sorted([draw(bound), draw(bound)])
        step = draw(st.sampled_from(STEPS))
        assume(-(-low // step) <= high // step)
        chosen.append(Element(symbol, low, high, step))
    low, high = sorted([draw(bound), draw(bound)])
    try:
        lattice = Lattice(tuple(chosen), "Ti", low, high)
    except AlloyloopError:
        assume(False)
        raise
    assume(lattice.count <= MOST)
    return lattice


def every_composition(lattice: Lattice) -> Iterator[tuple[Fraction, ...]]:
    """All compositions [%] in order, by trying each multiple of each step: nothing of the lattice's own counting."""

    def multiples(element: Element) -> list[Fraction]:
        step = Fraction(str(element.step))
        all_of_them = [n * step for n in range(int(100 / step) + 1)]
        return [amount for amount in all_of_them if element.low <= amount <= element.high]

    for amounts in product(*map(multiples, lattice.elements)):
        rest = Fraction(100) - sum(amounts)
        if rest >= 0 and lattice.balance_low <= rest <= lattice.balance_high:
            yield (*amounts, rest)


RULES: Final = (
    "Nb + Zr >= 10",
    "0.5 Nb - Zr <= 4",
    "Ti between 40 and 95",
    "mo_equivalent_wang between 3 and 25",
    "vec <= 4.3",
    "temperature_C + 10 Nb >= 850",
)
PROCESS: Final[tuple[Numeric | Choice, ...]] = (
    Numeric("temperature_C", 750, 1000, 100),
    Choice("quench", ("water", "air", "furnace")),
)


def limited(element: str, wt_pct: float) -> Policy:
    """A policy with one limit."""
    rule = PolicyRule(element, "limited", wt_pct, "a test", "none", verified=False)
    return Policy(name="cautious", title="Little of it", base="Ti", rules=(rule,))


@st.composite
def spaces(draw: st.DrawFn) -> DesignSpace:
    """Draw a space of at least one allowed point: niobium, zirconium and tin in titanium, process, rules and policy."""
    tops = [draw(st.sampled_from([0, 10, 20, 30])) for _ in SYMBOLS]
    steps = [draw(st.sampled_from([2.5, 5.0, 10.0])) for _ in SYMBOLS]
    chosen = tuple(Element(*bounds) for bounds in zip(SYMBOLS, [0] * 3, tops, steps, strict=True))
    process: tuple[Numeric | Choice, ...] = tuple(draw(st.lists(st.sampled_from(PROCESS), unique=True, max_size=2)))
    names = (*SYMBOLS, "Ti", *(variable.name for variable in process))
    possible = [text for text in RULES if "temperature_C" in names or "temperature_C" not in text]
    rules: list[Rule] = [
        parse_rule(text, names) for text in draw(st.lists(st.sampled_from(possible), unique=True, max_size=2))
    ]
    policy = draw(st.sampled_from([None, limited("Nb", 25.0), limited("Sn", 0.0)]))
    space = DesignSpace(Lattice(chosen, "Ti"), draw(st.sampled_from(BASES)), process, tuple(rules), policy)
    assume(space.count <= MOST)
    assume(space.allows(every_point(space)).any())
    return space


def every_point(space: DesignSpace) -> IntArray:
    """All points, allowed or not, in order. (count, d)"""
    units = [[int(amount / space.lattice.unit) for amount in row] for row in every_composition(space.lattice)]
    levels = product(*(range(variable.n_levels) for variable in space.process))
    return np.array([(*row, *level) for level in levels for row in units], dtype=np.int64)


def as_set(points: IntArray) -> set[Point]:
    """Points as a set of tuples."""
    return {tuple(point) for point in points.tolist()}
