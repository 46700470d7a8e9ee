"""Whole numbers say exactly what a rule says, sums, ratios, strict signs and conditions; what they cannot say is told.

What is expected is worked out in exact fractions from the same parts of which the rule's text is put together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import product
from operator import ge, gt, le, lt
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.clauses import clauses, support
from alloyloop.design.composition import Basis
from alloyloop.design.diagram import Diagram
from alloyloop.design.lattice import Element, Lattice
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.rules import Rule, parse_rule
from alloyloop.design.space import DesignSpace

from .strategies_space import BASES, Design, as_set, design, every_point, exactly

SIGNS: Final[dict[str, Callable[[Any, Any], bool]]] = {"<=": le, "<": lt, ">=": ge, ">": gt}
QUENCH: Final = Choice("quench", ("water", "air"))
SPACE: Final = DesignSpace(
    Lattice((Element("Nb", 0, 30, 5), Element("Zr", 0, 10, 2.5), Element("Ca", 0, 0.1, 0.05)), "Ti", present_above=0.1),
    "wt_pct",
    (Numeric.of_values("hold_h", np.array([0.25, 1, 4])), QUENCH),
)
NUMBERS: Final = ("Nb", "Zr", "Ca", "Ti", "hold_h")

Meaning = Callable[[Design], bool]
Drawn = tuple[str, Meaning]

numbers = st.integers(-40, 400).map(lambda n: n / 4)
factors = st.sampled_from([-2, -0.25, 0, 0.5, 1, 1, 1.25, 3])


@st.composite
def sums(draw: st.DrawFn) -> tuple[str, Callable[[Design], Fraction]]:
    """Draw a sum and its value."""
    terms = draw(st.lists(st.tuples(factors, st.sampled_from(NUMBERS)), min_size=1, max_size=3))
    text = " ".join(f"{'-' if factor < 0 else '+'} {abs(factor):g} {name}" for factor, name in terms)
    return text, lambda x: sum((exactly(factor) * x[name] for factor, name in terms), Fraction(0))


@st.composite
def questions(draw: st.DrawFn) -> Drawn:
    """Draw a test of any form, with the question that it asks."""
    form = draw(st.sampled_from(["bound", "other way round", "sides", "between", "chain", "ratio", "choice"]))
    (left, a), (right, b) = draw(sums()), draw(sums())
    sign, number, more = draw(st.sampled_from(sorted(SIGNS))), draw(numbers), draw(numbers.filter(lambda n: n > 0))
    holds, one, other = SIGNS[sign], exactly(number), exactly(number) + exactly(more)
    if form == "bound":
        return f"{left} {sign} {number:g}", lambda x: holds(a(x), one)
    if form == "other way round":
        return f"{number:g} {sign} {left}", lambda x: holds(one, a(x))
    if form == "sides":
        return f"{left} {sign} {right}", lambda x: holds(a(x), b(x))
    if form == "between":
        return f"{left} between {number:g} and {number + more:g}", lambda x: one <= a(x) <= other
    if form == "chain":
        return f"{number:g} < {left} <= {number + more:g}", lambda x: one < a(x) <= other
    if form == "ratio":
        over = draw(st.sampled_from(["Zr", "0.5 Ti + Nb"]))
        return (
            f"({left}) / ({over}) {sign} {number:g}",
            lambda x: holds(a(x), one * (x["Zr"] if over == "Zr" else x["Ti"] / 2 + x["Nb"])),
        )
    choice, wanted = draw(st.sampled_from(QUENCH.choices)), draw(st.booleans())
    return f"quench is {'' if wanted else 'not '}{choice}", lambda x: (x["quench"] == choice) is wanted


@st.composite
def rules(draw: st.DrawFn) -> Drawn:
    """Draw a rule with up to two conditions."""
    (wanted, meant), given = draw(questions()), draw(st.lists(questions(), max_size=2))
    if not given:
        return wanted, meant
    text = f"{wanted} if {' and '.join(text for text, _ in given)}"
    return text, lambda x: meant(x) or not all(condition(x) for _, condition in given)


@given(st.lists(rules(), min_size=1, max_size=3))
def test_points_are_all_designs_that_keep_the_rules(drawn: list[Drawn]) -> None:
    space = replace(SPACE, rules=tuple(parse_rule(text, SPACE.names) for text, _ in drawn))
    expected = {
        tuple(point)
        for point in every_point(SPACE).tolist()
        if all(meaning(design(SPACE, point)) for _, meaning in drawn)
    }
    assert space.asked == ()
    assert space.count == len(expected)
    assert as_set(space.between(0, space.count)) == expected


@given(rules())
def test_a_rule_in_whole_numbers_says_what_it_says_of_amounts(drawn: Drawn) -> None:
    rule = parse_rule(drawn[0], SPACE.names)
    points = every_point(SPACE)
    space = replace(SPACE, rules=(rule,))
    assert space.diagram.holds(points).tolist() == rule.holds(SPACE.designs(points)).tolist()


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Nb >= 10", ("at_pct", "wt_pct")),
        ("Nb >= 10 at.%", ("at_pct",)),
        ("Nb >= 10 wt.%", ("wt_pct",)),
        ("Nb >= 10 if Zr > 5 at.%", ("at_pct",)),
        ("vec <= 4.2", ()),
        ("Nb >= 10 if vec <= 4.2", ()),
        ("0.123456789012345 Nb <= 1", ()),  # more digits than sums in 64 bits have room for
        ("Nb <= 1e20", ()),
        ("0.123456 Nb <= 1", ("at_pct", "wt_pct")),
    ],
)
def test_rules_on_descriptors_in_the_other_basis_or_of_many_digits_cannot_be_said(
    text: str, said: tuple[Basis, ...], basis: Basis
) -> None:
    rule = parse_rule(text, SPACE.names)
    found = clauses(rule, SPACE.diagram.axes, SPACE.columns, basis)
    assert (found is not None) == (basis in said)
    space = replace(SPACE, basis=basis, rules=(rule,))
    assert space.asked == (() if basis in said else (rule,))


def columns_of(rule: Rule) -> set[str]:
    names = {column.number: name for name, column in SPACE.columns.items()}
    return {names[number] for number in support(rule, SPACE.columns)}


def test_the_support_of_a_rule_is_what_it_names() -> None:
    rule = parse_rule("Nb / Zr <= 2 if quench is water and hold_h > 1 and vec < 4.2", SPACE.names)
    assert columns_of(rule) == {"Nb", "Zr", "quench", "hold_h"}
    assert columns_of(parse_rule("vec < 4.2", SPACE.names)) == set()


def test_a_rule_over_columns_that_are_chosen_together_is_said_too() -> None:
    rows = np.array(list(product(range(3), range(2))))
    table = replace(SPACE.diagram.axes[0], columns=(4, 5), values=rows, units=np.zeros(len(rows), dtype=np.int64))
    axes = (*SPACE.lattice.axes, table) if SPACE.lattice is not None else ()
    said = clauses(parse_rule("hold_h <= 1 if quench is air", SPACE.names), axes, SPACE.columns, "wt_pct")
    assert said is not None
    points = Diagram(axes, 2000, said).between(0, 10**6)
    assert {(hold, quench) for *_, hold, quench in as_set(points)} == {(0, 0), (1, 0), (2, 0), (0, 1), (1, 1)}
