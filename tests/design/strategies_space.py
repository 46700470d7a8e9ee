"""Small lattices and spaces that nobody thought of, and the slow, plain way to list what they hold.

Nothing here asks the code it tests: compositions are found by trying every combination, exactly, and each rule stands
beside its meaning in plain Python.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import product
from typing import Any, Final

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from numpy.typing import NDArray

from alloyloop.design.candidates import Candidates
from alloyloop.design.composition import Basis, Composition
from alloyloop.design.diagram import IntArray
from alloyloop.design.lattice import CountLimit, Element, Lattice
from alloyloop.design.policies import Policy, PolicyRule
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.rules import parse_rule
from alloyloop.design.space import DesignSpace
from alloyloop.surrogates.errors import AlloyloopError

SYMBOLS: Final = ("Nb", "Zr", "Sn")
STEPS: Final = (2.5, 4.0, 5.0, 7.5, 10.0, 12.5)  # their units differ, and not all divide 100
BASES: Final[tuple[Basis, ...]] = ("at_pct", "wt_pct")
MOST = 2000  # points, so that every one can be looked at
MOST_TRIED = 10_000  # combinations

Point = tuple[int, ...]


@lru_cache(maxsize=1000)
def exactly(number: float) -> Fraction:
    """The decimal that is written."""
    return Fraction(str(number))


# -- compositions -----------------------------------------------------------------------------------------------------


@st.composite
def count_limits(draw: st.DrawFn, symbols: Sequence[str]) -> tuple[CountLimit, ...]:
    """Draw up to two limits on how many elements, or elements of a group, are present."""
    limits = []
    for name in draw(st.lists(st.sampled_from(["elements", "group"]), unique=True, max_size=2)):
        of = tuple(symbols) if name == "elements" else tuple(draw(st.sets(st.sampled_from(symbols), min_size=1)))
        least = draw(st.sampled_from([0, 0, 0, 1, 2, 3]))
        assume(least <= len(of))
        most = draw(st.integers(max(least, 1), len(of)))
        limits.append(CountLimit(name, of, least, most))
    return tuple(limits)


@st.composite
def lattices(draw: st.DrawFn, *, min_elements: int = 1) -> Lattice:
    """Draw a lattice of up to three elements in titanium: bounds on and off their steps, and limits on presence."""

    def between(low: float, high: float) -> float:
        return draw(st.integers(int(2 * low), int(2 * high))) / 2

    chosen = []
    for symbol in draw(st.lists(st.sampled_from(SYMBOLS), min_size=min_elements, max_size=3, unique=True)):
        step = draw(st.sampled_from(STEPS))
        low = between(0, 25)
        chosen.append(Element(symbol, low, between(-(-low // step) * step, 100), step))
    least, most = sum(element.low for element in chosen), sum(element.high for element in chosen)
    low = between(0, 100 - least)
    high = between(max(low, 100 - most), 100)
    present_above = draw(st.sampled_from([0.0, 0.0, 1.0, 6.0, 11.3]))
    limits = draw(count_limits((*(element.symbol for element in chosen), "Ti")))
    try:
        lattice = Lattice(tuple(chosen), "Ti", low, high, present_above, limits)
    except AlloyloopError:
        assume(False)
        raise
    assume(tried(lattice) <= MOST_TRIED)
    assume(0 < lattice.count <= MOST)
    return lattice


def multiples(element: Element) -> list[Fraction]:
    """The multiples of an element's step inside its bounds [%]."""
    step, low, high = exactly(element.step), exactly(element.low), exactly(element.high)
    return [n * step for n in range(int(high / step) + 1) if n * step >= low]


def tried(lattice: Lattice) -> int:
    """How many combinations `every_composition` tries."""
    return int(np.prod([len(multiples(element)) for element in lattice.elements]))


def every_composition(lattice: Lattice) -> Iterator[tuple[Fraction, ...]]:
    """All compositions [%] in order, by trying each multiple of each step: nothing of the lattice's own counting."""
    symbols = [*(element.symbol for element in lattice.elements), lattice.balance]
    low, high = exactly(lattice.balance_low), exactly(lattice.balance_high)
    enough = exactly(lattice.present_above)
    for chosen in product(*map(multiples, lattice.elements)):
        rest = 100 - sum(chosen, Fraction(0))
        if not (rest >= 0 and low <= rest <= high):
            continue
        amounts = (*chosen, rest)
        present = {symbol for symbol, amount in zip(symbols, amounts, strict=True) if amount}
        if all(amount >= enough for amount in amounts if amount) and all(
            limit.least <= len(present & set(limit.of)) <= limit.most for limit in lattice.limits
        ):
            yield amounts


# -- rules ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Design:
    """One design as its maker reads it: exact amounts [%] and process values by name."""

    values: dict[str, Any]
    elements: tuple[str, ...]
    basis: Basis

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def at(self, element: str) -> Any:
        """Its amount of an element [at.%]."""
        return self._amount(element, "at_pct")

    def wt(self, element: str) -> Any:
        """Its amount of an element [wt.%]."""
        return self._amount(element, "wt_pct")

    def _amount(self, element: str, basis: Basis) -> Any:
        if basis == self.basis:
            return self[element]
        return (self._alloy.at_pct if basis == "at_pct" else self._alloy.wt_pct).get(element, 0.0)

    @cached_property
    def _alloy(self) -> Composition:
        return Composition({each: float(self[each]) for each in self.elements}, self.basis)


Meaning = Callable[[Design], bool]

# Bounds in the other basis and on descriptors are such that no design of these steps lies within rounding of them.
RULES: Final[dict[str, Meaning]] = {
    "Nb + Zr >= 10": lambda x: x["Nb"] + x["Zr"] >= 10,
    "Nb + Zr < 30": lambda x: x["Nb"] + x["Zr"] < 30,
    "0.5 Nb - Zr <= 4": lambda x: x["Nb"] / 2 - x["Zr"] <= 4,
    "Nb > 0.3": lambda x: x["Nb"] > Fraction(3, 10),
    "0 Nb <= 4": lambda x: True,
    "Nb >= 2 Zr": lambda x: x["Nb"] >= 2 * x["Zr"],
    "Ti between 40 and 95": lambda x: 40 <= x["Ti"] <= 95,
    "5 < Nb + Sn <= 25": lambda x: 5 < x["Nb"] + x["Sn"] <= 25,
    "Zr / Nb <= 2": lambda x: x["Zr"] <= 2 * x["Nb"],
    "(Zr + Sn) / (Nb + 0.1 Ti) < 1.25": lambda x: x["Zr"] + x["Sn"] < (x["Nb"] + x["Ti"] / 10) * 5 / 4,
    "Nb / (Zr + Sn) between 0.5 and 3": lambda x: (x["Zr"] + x["Sn"]) / 2 <= x["Nb"] <= 3 * (x["Zr"] + x["Sn"]),
    "Sn >= 5 if Nb > 10": lambda x: x["Sn"] >= 5 or x["Nb"] <= 10,
    "Sn >= 5 if Zr / Nb > 2": lambda x: x["Sn"] >= 5 or x["Zr"] <= 2 * x["Nb"],
    "Zr between 5 and 10 if Nb between 5 and 15 and Sn > 0": lambda x: (
        5 <= x["Zr"] <= 10 or not 5 <= x["Nb"] <= 15 or x["Sn"] == 0
    ),
    "Nb <= 22.7 wt.%": lambda x: x.wt("Nb") <= 22.7,
    "Zr + Sn >= 6.3 at.%": lambda x: x.at("Zr") + x.at("Sn") >= 6.3,
    "Sn <= 3.9 wt.% if Nb >= 7.1 at.%": lambda x: x.wt("Sn") <= 3.9 or x.at("Nb") < 7.1,
    # Five valence electrons of niobium, four of each of the others.
    "vec <= 4.153": lambda x: x.at("Nb") <= 15.3,
    "mo_equivalent_wang between 2.7 and 19": lambda x: (
        2.7 <= 0.33 * float(x.wt("Nb")) + 0.30 * float(x.wt("Sn")) + 0.47 * float(x.wt("Zr")) <= 19
    ),
    "temperature_C > 750": lambda x: x["temperature_C"] > 750,
    "temperature_C + 10 Nb >= 850": lambda x: x["temperature_C"] + 10 * x["Nb"] >= 850,
    "temperature_C >= 850 if Zr > 5": lambda x: x["temperature_C"] >= 850 or x["Zr"] <= 5,
    "temperature_C + 100 hold_h <= 1000": lambda x: x["temperature_C"] + 100 * x["hold_h"] <= 1000,
    "quench is not air": lambda x: x["quench"] != "air",
    "quench is water if Nb > 10": lambda x: x["quench"] == "water" or x["Nb"] <= 10,
    "hold_h <= 1 if quench is water and temperature_C > 800": lambda x: (
        x["hold_h"] <= 1 or x["quench"] != "water" or x["temperature_C"] <= 800
    ),
}
PROCESS: Final[tuple[Numeric | Choice, ...]] = (
    Numeric("temperature_C", 750, 1000, 100),
    Choice("quench", ("water", "air", "furnace")),
    Numeric.of_values("hold_h", np.array([0.5, 1, 4])),
)


def named_in(text: str) -> set[str]:
    """The elements and process variables that a rule speaks of."""
    ours = {*SYMBOLS, "Ti", *(variable.name for variable in PROCESS)}
    return set(re.findall(r"[A-Za-z_]\w*", text)) & ours


# -- spaces -----------------------------------------------------------------------------------------------------------

BOUNDS: Final = ((0, 30, 5), (0, 10, 2.5), (0, 20, 4), (0, 30, 10), (5, 20, 5), (0, 0.5, 0.05), (0, 2, 0.3), (0, 0, 5))


def limited(element: str, wt_pct: float) -> Policy:
    """A policy with one limit."""
    rule = PolicyRule(element, "limited", wt_pct, "a test", "none", verified=False)
    return Policy(name="cautious", title="Little of it", base="Ti", rules=(rule,))


@st.composite
def _small_lattices(draw: st.DrawFn) -> Lattice:
    chosen = tuple(Element(symbol, *draw(st.sampled_from(BOUNDS))) for symbol in SYMBOLS)
    present_above = draw(st.sampled_from([0.0, 0.0, 0.2, 5.0, 6.0]))
    limits = draw(count_limits((*SYMBOLS, "Ti")))
    try:
        return Lattice(chosen, "Ti", 30, 100, present_above, limits)
    except AlloyloopError:
        assume(False)
        raise


@st.composite
def _tables(draw: st.DrawFn, *, elements: bool, said: Sequence[Numeric | Choice]) -> Candidates:
    """Draw up to twelve rows, some of them alike."""
    rows = draw(st.lists(st.tuples(*[st.integers(0, 120)] * 3, st.integers(0, 99)), min_size=3, max_size=12))
    percent = np.array([[*(n / 4 for n in row[:3]), 100 - sum(row[:3]) / 4] for row in rows])
    process: dict[str, NDArray[Any]] = {}
    for i, variable in enumerate(said):
        process[variable.name] = variable.values(np.array([(row[3] + i * row[0]) % variable.n_levels for row in rows]))
    return Candidates((*SYMBOLS, "Ti"), percent, process) if elements else Candidates((), percent[:, :0], process)


KINDS: Final = ("lattice", "lattice", "lattice", "process", "table of alloys", "table of treatments", "table of both")


@st.composite
def spaces(draw: st.DrawFn, kinds: Sequence[str] = KINDS) -> DesignSpace:
    """Draw a space of at least one allowed point: compositions, process, rules, policy and candidates of any kind."""
    kind = draw(st.sampled_from(kinds))
    process: tuple[Numeric | Choice, ...] = tuple(draw(st.lists(st.sampled_from(PROCESS), unique=True, max_size=2)))
    lattice = draw(_small_lattices()) if kind in ("lattice", "table of treatments") else None
    candidates = None
    if kind.startswith("table"):
        treated = kind != "table of alloys"
        said = process[: draw(st.integers(1, len(process)))] if treated and process else ()
        assume(said or not treated)
        candidates = draw(_tables(elements=kind != "table of treatments", said=said))
    assume(process or kind != "process")
    policy = draw(st.sampled_from([None, None, limited("Nb", 25.3), limited("Sn", 0.0)]))
    space = DesignSpace(lattice, draw(st.sampled_from(BASES)), process, (), policy, (), candidates)
    names = {*space.elements, *(variable.name for variable in process)}
    possible = [text for text in RULES if named_in(text) <= names and (space.elements or named_in(text))]
    few = st.lists(st.sampled_from(possible), unique=True, min_size=min(1, len(possible)), max_size=4)
    chosen = draw(few) if possible else []
    space = replace(space, rules=tuple(parse_rule(text, space.names) for text in chosen))
    assume(lattice is None or tried(lattice) <= MOST_TRIED)
    assume(len(every_point(space)) <= MOST)
    assume(allowed(space))
    return space


def every_point(space: DesignSpace) -> IntArray:
    """All points before rules and policy, each once: any composition, any row of a table, any level. (n, d)"""
    compositions: list[Point] = [()]
    if space.lattice is not None:
        compositions = [tuple(int(a / space.lattice.unit) for a in row) for row in every_composition(space.lattice)]
    rows = rows_of(space.candidates, space.process) if space.candidates is not None else [((), {})]
    free = [variable for variable in space.process if variable.name not in rows[0][1]]
    points = set()
    for units, (own, said), levels in product(compositions, rows, product(*(range(v.n_levels) for v in free))):
        chosen = said | {variable.name: level for variable, level in zip(free, levels, strict=True)}
        points.add((*units, *own, *(chosen[variable.name] for variable in space.process)))
    return np.array(sorted(points), dtype=np.int64).reshape(len(points), space.n_elements + len(space.process))


def rows_of(table: Candidates, process: Sequence[Numeric | Choice]) -> list[tuple[Point, dict[str, int]]]:
    """The rows of a table: millionths of a percent of each element, and levels by name."""
    return [
        (
            tuple(int(exactly(amount) * 10**6) for amount in amounts),
            {v.name: level_of(v, table.process[v.name][i]) for v in process if v.name in table.process},
        )
        for i, amounts in enumerate(table.percent.tolist())
    ]


def level_of(variable: Numeric | Choice, value: Any) -> int:
    """Which level of a variable a value is, by comparing it with each."""
    (level,) = (i for i in range(variable.n_levels) if value_at(variable, i) == value)
    return level


def value_at(variable: Numeric | Choice, level: int) -> Any:
    """The exact value of a level."""
    if isinstance(variable, Choice):
        return variable.choices[level]
    if variable.listed:
        return exactly(variable.listed[level])
    assert variable.step is not None
    return exactly(variable.low) + level * exactly(variable.step)


def design(space: DesignSpace, point: Sequence[int] | IntArray) -> Design:
    """A point as its maker reads it."""
    units = [int(number) for number in point[: space.n_elements]]
    values: dict[str, Any] = {
        element: Fraction(100 * n, sum(units)) for element, n in zip(space.elements, units, strict=True)
    }
    for variable, level in zip(space.process, point[space.n_elements :], strict=True):
        values[variable.name] = value_at(variable, int(level))
    return Design(values, space.elements, space.basis)


def is_allowed(space: DesignSpace, point: Sequence[int] | IntArray) -> bool:
    """Whether a point of `every_point` keeps rules and policy, by what they mean."""
    made = design(space, point)
    return all(RULES[rule.text](made) for rule in space.rules) and all(
        said.element not in space.elements or float(made.wt(said.element)) <= (said.limit_wt_pct or 0) + 1e-9
        for said in (space.policy.rules if space.policy is not None else ())
    )


@lru_cache(maxsize=4)
def allowed(space: DesignSpace) -> frozenset[Point]:
    """All points that keep rules and policy, by what they mean."""
    return frozenset(tuple(point) for point in every_point(space).tolist() if is_allowed(space, point))


def as_set(points: IntArray) -> set[Point]:
    """Points as a set of tuples."""
    return {tuple(point) for point in points.tolist()}
