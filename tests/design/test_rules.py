"""A rule is read from what a metallurgist writes, or refused with the place that cannot be read."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.descriptors import descriptor
from alloyloop.design.rules import Rule, parse_rule
from alloyloop.surrogates.errors import AlloyloopError

NAMES = ("Nb", "Zr", "Ta", "Ti", "solution_temperature_C")


@pytest.mark.parametrize(
    ("text", "terms", "low", "high"),
    [
        ("Nb + Ta >= 10", (("Nb", 1), ("Ta", 1)), 10, inf),
        ("Nb+Ta>=10", (("Nb", 1), ("Ta", 1)), 10, inf),
        ("Nb + Ta ≥ 10", (("Nb", 1), ("Ta", 1)), 10, inf),
        ("0.5 Nb - Zr <= 4", (("Nb", 0.5), ("Zr", -1)), -inf, 4),
        ("0.5*Nb - 2 * Zr ≤ -4.5", (("Nb", 0.5), ("Zr", -2)), -inf, -4.5),
        ("-Nb + 2Zr > 1e1", (("Nb", -1), ("Zr", 2)), 10, inf),
        ("  Nb   <  5 ", (("Nb", 1),), -inf, 5),
        ("Nb + Ta between 10 and 20", (("Nb", 1), ("Ta", 1)), 10, 20),
        ("Nb between 10 and 10", (("Nb", 1),), 10, 10),
        ("solution_temperature_C + 10 Nb >= 850", (("solution_temperature_C", 1), ("Nb", 10)), 850, inf),
        ("0 Nb + Zr <= 4", (("Nb", 0), ("Zr", 1)), -inf, 4),
    ],
)
def test_bounds_on_sums_are_read(text: str, terms: tuple[tuple[str, float], ...], low: float, high: float) -> None:
    rule = parse_rule(text, NAMES)
    assert (rule.terms, rule.low, rule.high, rule.of_descriptor) == (terms, low, high, False)


@pytest.mark.parametrize(
    ("text", "name", "low", "high"),
    [
        ("mo_equivalent_wang between 8 and 25", "mo_equivalent_wang", 8, 25),
        ("price_usd_per_kg <= 60", "price_usd_per_kg", -inf, 60),
        ("mixing_enthalpy_kJ_per_mol >= -15", "mixing_enthalpy_kJ_per_mol", -15, inf),
    ],
)
def test_bounds_on_descriptors_are_read(text: str, name: str, low: float, high: float) -> None:
    rule = parse_rule(text, NAMES)
    assert (rule.terms, rule.low, rule.high, rule.of_descriptor) == (((name, 1),), low, high, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Nb", "'Nb' cannot be read. Write it like"),
        ("", "'' cannot be read"),
        ("10 <= Nb", "'10 <= Nb' cannot be read"),
        ("Nb == 5", "'Nb == 5' cannot be read"),
        ("Nb >= ten", "'Nb >= ten' cannot be read"),
        ("Nb >= nan", "'Nb >= nan' cannot be read"),
        ("Nb >= 5 if Mo > 5", "names Nb|cannot be read"),
        ("Zr / Nb <= 2", "cannot be read at '/ Nb'"),
        ("Nb Zr <= 2", "cannot be read at 'Zr'"),
        ("Nb + <= 2", "cannot be read at '[+]'"),
        ("Nb - -Zr <= 2", "cannot be read at '- -Zr'"),
        ("(Nb + Zr) <= 2", "cannot be read at '[(]Nb"),
        ("2 <= 5", "cannot be read at '2'"),
        ("5 <= Nb <= 10", "cannot be read at '5 <= Nb'"),
        ("Nb between 20 and 10", "allows nothing: 20 is above 10. Swap"),
        ("Xx <= 5", r"names Xx, which is neither a descriptor, an element of this space \(Nb, Zr, Ta, Ti, sol"),
        ("Mo + Nb <= 5", "names Mo, which is neither"),
        ("nb <= 5", "names nb, which is neither"),
        ("2 vec <= 9", "counts with the descriptor vec, which must stand alone. Write it like 'vec >= 10'"),
        ("Nb + price_usd_per_kg <= 60", "counts with the descriptor price_usd_per_kg"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(AlloyloopError, match=message):
        parse_rule(text, NAMES)


def quantity(rule: Rule, **columns: list[float]) -> list[float]:
    arrays = {name: np.array(values) for name, values in columns.items()}
    return [float(number) for number in rule.quantity(arrays, np.empty((2, 0)), ())]


def test_a_sum_is_taken_of_amounts_and_process_values() -> None:
    rule = parse_rule("0.5 Nb - Zr + solution_temperature_C <= 4", NAMES)
    assert quantity(rule, Nb=[10, 20], Zr=[1, 2], solution_temperature_C=[850, 900]) == [854, 908]


def test_a_descriptor_is_asked_of_atomic_fractions() -> None:
    fractions, elements = np.array([[0.3, 0.7], [0.0, 1.0]]), ("Nb", "Ti")
    asked = parse_rule("vec <= 4.2", NAMES).quantity({}, fractions, elements)
    assert asked.tolist() == descriptor("vec").function(fractions, elements).tolist()
    assert asked == pytest.approx([4.3, 4.0])  # Nb has five valence electrons, Ti four


def test_both_bounds_are_met_by_equality_and_by_nothing_beyond() -> None:
    rule = parse_rule("Nb between 10 and 20", NAMES)
    assert rule.holds(np.array([9.999, 10, 15, 20, 20.001])).tolist() == [False, True, True, True, False]


def test_the_last_binary_digit_of_a_sum_breaks_no_rule() -> None:
    assert 0.1 + 0.2 > 0.3
    assert parse_rule("Nb + Zr <= 0.3", NAMES).holds(np.array([0.1 + 0.2, 0.3001])).tolist() == [True, False]
    assert parse_rule("Nb >= 1e6", NAMES).holds(np.array([1e6 - 1e-4, 1e6 - 0.1])).tolist() == [True, False]


def test_a_quantity_that_is_not_known_keeps_no_rule() -> None:
    for text in ("Nb <= 5", "Nb >= 5", "Nb between 1 and 5"):
        assert not parse_rule(text, NAMES).holds(np.array([np.nan]))[0]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.integers(-9, 9)), min_size=1, max_size=4), st.integers(-50, 50))
def test_a_rule_that_is_written_out_is_read_back(terms: list[tuple[str, int]], limit: int) -> None:
    left = " ".join(f"{'-' if factor < 0 else '+'} {abs(factor)} {name}" for name, factor in terms)
    rule = parse_rule(f"{left} <= {limit}", NAMES)
    assert rule.terms == tuple(terms)
    assert parse_rule(rule.text, NAMES) == rule
