"""A rule is read from what a metallurgist writes, or refused with the place that cannot be read; it holds as told."""

from __future__ import annotations

from fractions import Fraction
from math import inf
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from alloyloop.design.composition import Basis, at_to_wt
from alloyloop.design.descriptors import descriptor
from alloyloop.design.rules import Computed, Designs, Is, Limits, Names, Rule, Sum, parse_rule
from alloyloop.surrogates.errors import AlloyloopError

ELEMENTS = ("Nb", "Zr", "Ta", "Ti")
NAMES = Names(ELEMENTS, ("solution_temperature_C", "hold_h"), {"quench": ("water", "air", "hot oil")})
NOTHING = Names(())


def the_sum(text: str) -> Sum:
    """The sum or ratio that a rule without a condition bounds."""
    rule = parse_rule(text, NAMES)
    assert isinstance(rule.wanted, Sum)
    assert rule.given == ()
    return rule.wanted


Terms = tuple[tuple[str, float], ...]


def exactly(terms: Terms) -> tuple[tuple[str, Fraction], ...]:
    return tuple((name, Fraction(str(factor))) for name, factor in terms)


# -- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "terms", "low", "high"),
    [
        ("Nb + Ta >= 10", (("Nb", 1), ("Ta", 1)), 10, inf),
        ("Nb+Ta>=10", (("Nb", 1), ("Ta", 1)), 10, inf),
        ("Nb + Ta ≥ 10", (("Nb", 1), ("Ta", 1)), 10, inf),
        ("(Nb + Ta) >= 10", (("Nb", 1), ("Ta", 1)), 10, inf),
        ("10 <= Nb + Ta", (("Nb", 1), ("Ta", 1)), 10, inf),
        ("0.5 Nb - Zr <= 4", (("Nb", 0.5), ("Zr", -1)), -inf, 4),
        ("0.5*Nb - 2 * Zr ≤ −4.5", (("Nb", 0.5), ("Zr", -2)), -inf, -4.5),
        ("0.5·Nb – 2 × Zr <= 4", (("Nb", 0.5), ("Zr", -2)), -inf, 4),
        ("Nb - 2 <= 4", (("Nb", 1),), -inf, 6),
        ("Nb / 2 <= 4", (("Nb", 1),), -inf, 8),
        ("Nb + Nb <= 4", (("Nb", 2),), -inf, 4),
        ("Nb + Ta between 10 and 20", (("Nb", 1), ("Ta", 1)), 10, 20),
        ("Nb between 10 and 10", (("Nb", 1),), 10, 10),
        ("Nb between -1 and 1e1", (("Nb", 1),), -1, 10),
        ("5 <= Nb <= 10", (("Nb", 1),), 5, 10),
        ("solution_temperature_C + 10 Nb >= 850", (("solution_temperature_C", 1), ("Nb", 10)), 850, inf),
        ("0 Nb + Zr <= 4", (("Nb", 0), ("Zr", 1)), -inf, 4),
        ("Nb >= 2 Zr", (("Nb", 1), ("Zr", -2)), 0, inf),
        ("Nb + 3 <= 2 Zr - Ta + 1", (("Nb", 1), ("Zr", -2), ("Ta", 1)), -inf, -2),
        ("10 Nb >= solution_temperature_C - 700", (("Nb", 10), ("solution_temperature_C", -1)), -700, inf),
    ],
)
def test_bounds_on_sums_are_read(text: str, terms: Terms, low: float, high: float) -> None:
    read = the_sum(text)
    assert read == Sum(read.text, exactly(terms), (), Limits(low, high))


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("Nb < 5", Limits(high=5, high_open=True)),
        ("5 > Nb", Limits(high=5, high_open=True)),
        ("-Nb > 1e1", Limits(low=10, low_open=True)),
        ("Nb > Zr", Limits(low=0, low_open=True)),
        ("5 < Nb <= 10", Limits(5, 10, low_open=True)),
        ("5 <= Nb < 10", Limits(5, 10, high_open=True)),
        ("Nb / Zr < 2", Limits(high=2, high_open=True)),
        ("vec > 4.2", Limits(low=4.2, low_open=True)),
    ],
)
def test_less_and_more_than_are_read_as_bounds_that_equality_does_not_meet(text: str, limits: Limits) -> None:
    wanted = parse_rule(text, NAMES).wanted
    assert not isinstance(wanted, Is)
    assert wanted.limits == limits


@pytest.mark.parametrize(
    ("text", "terms", "over", "low", "high"),
    [
        ("Zr / Nb <= 2", (("Zr", 1),), (("Nb", 1),), -inf, 2),
        ("(Zr + Ta)/(Nb + 0.5 Ti) between 0.1 and 2", (("Zr", 1), ("Ta", 1)), (("Nb", 1), ("Ti", 0.5)), 0.1, 2),
        ("0.5 <= 2 Zr / Nb <= 2", (("Zr", 2),), (("Nb", 1),), 0.5, 2),
        ("solution_temperature_C / Nb >= 20", (("solution_temperature_C", 1),), (("Nb", 1),), 20, inf),
    ],
)
def test_bounds_on_ratios_are_read(text: str, terms: Terms, over: Terms, low: float, high: float) -> None:
    read = the_sum(text)
    assert read == Sum(read.text, exactly(terms), exactly(over), Limits(low, high))


@pytest.mark.parametrize(
    ("text", "name", "low", "high"),
    [
        ("mo_equivalent_wang between 8 and 25", "mo_equivalent_wang", 8, 25),
        ("8 <= mo_equivalent_wang <= 25", "mo_equivalent_wang", 8, 25),
        ("price_usd_per_kg <= 60", "price_usd_per_kg", -inf, 60),
        ("60 >= price_usd_per_kg", "price_usd_per_kg", -inf, 60),
        ("mixing_enthalpy_kJ_per_mol >= -15", "mixing_enthalpy_kJ_per_mol", -15, inf),
    ],
)
def test_bounds_on_descriptors_are_read(text: str, name: str, low: float, high: float) -> None:
    assert parse_rule(text, NAMES).wanted == Computed(text, name, Limits(low, high))


@pytest.mark.parametrize(
    ("text", "basis"),
    [
        ("Nb + Ta >= 10 at.%", "at_pct"),
        ("Nb + Ta >= 10 at%", "at_pct"),
        ("Nb + Ta >= 10at", "at_pct"),
        ("Nb + Ta >= 10 at_pct", "at_pct"),
        ("Nb + Ta between 8 and 10 wt. %", "wt_pct"),
        ("8 <= Nb + Ta <= 10 wt", "wt_pct"),
        ("Zr / Nb <= 2 wt.%", "wt_pct"),
        ("Nb >= 2 Zr wt.%", "wt_pct"),
        ("Nb + Ta >= 10 %", None),
    ],
)
def test_a_basis_at_the_end_is_that_of_the_amounts(text: str, basis: Basis | None) -> None:
    assert the_sum(text).basis == basis


@pytest.mark.parametrize(
    ("text", "choice", "wanted"),
    [("quench is water", "water", True), ("quench is not air", "air", False), ("quench  is hot oil", "hot oil", True)],
)
def test_choices_are_read(text: str, choice: str, wanted: bool) -> None:
    assert parse_rule(text, NAMES).wanted == Is(" ".join(text.split()), "quench", choice, wanted)


@pytest.mark.parametrize(
    ("text", "wanted", "given"),
    [
        ("Nb >= 5 if Zr > 5", "Nb >= 5", ["Zr > 5"]),
        ("Nb >= 5 if Zr > 5 and quench is water", "Nb >= 5", ["Zr > 5", "quench is water"]),
        ("Nb >= 5 if Zr between 1 and 5 and Ta > 2", "Nb >= 5", ["Zr between 1 and 5", "Ta > 2"]),
        ("Nb >= 5 if Zr > 5 and 2 Ta >= 1 and 3 <= Ti", "Nb >= 5", ["Zr > 5", "2 Ta >= 1", "3 <= Ti"]),
        (
            "Nb between 5 and 10 if 2 <= Zr <= 5 at.% and Ta between 1 and 2 wt.% and quench is not air",
            "Nb between 5 and 10",
            ["2 <= Zr <= 5 at.%", "Ta between 1 and 2 wt.%", "quench is not air"],
        ),
        ("quench is water if vec between 4 and 4.3 and Zr > 2", "quench is water", ["vec between 4 and 4.3", "Zr > 2"]),
    ],
)
def test_conditions_are_read(text: str, wanted: str, given: list[str]) -> None:
    rule = parse_rule(text, NAMES)
    assert (rule.text, rule.wanted.text, [test.text for test in rule.given]) == (text, wanted, given)
    assert rule.wanted == parse_rule(wanted, NAMES).wanted
    assert list(rule.given) == [parse_rule(each, NAMES).wanted for each in given]


def test_a_condition_on_a_variable_whose_name_begins_like_a_basis_is_read() -> None:
    names = Names(("Nb",), ("attritor_h", "wt_ratio"))
    rule = parse_rule("Nb >= 5 if Nb < 9 and 2 attritor_h > 3 and 2 wt_ratio < 4", names)
    assert [test.text for test in rule.given] == ["Nb < 9", "2 attritor_h > 3", "2 wt_ratio < 4"]


numbers = st.integers(-99, 99).map(lambda n: n / 4)
sums = st.lists(st.tuples(st.sampled_from(ELEMENTS), numbers), min_size=1, max_size=4)


def written(terms: list[tuple[str, float]]) -> str:
    return " ".join(f"{'-' if factor < 0 else '+'} {abs(factor):g} {name}" for name, factor in terms)


@given(sums, numbers, st.sampled_from(["<=", ">=", "<", ">"]), st.sampled_from(["", " at.%", " wt.%"]))
def test_a_rule_that_is_written_out_is_read_back(
    terms: list[tuple[str, float]], limit: float, sign: str, basis: str
) -> None:
    text = f"{written(terms)} {sign} {limit:g}{basis}"
    read = the_sum(text)
    total: dict[str, Fraction] = {}
    for name, factor in terms:
        total[name] = total.get(name, Fraction(0)) + Fraction(str(factor))
    assert dict(read.terms) == total
    ((factors, most, is_open),) = read.at_most()
    down = 1 if "<" in sign else -1
    assert (most, is_open) == (down * Fraction(str(limit)), len(sign) == 1)
    assert factors == {name: down * factor for name, factor in total.items()}
    assert parse_rule(read.text, NAMES).wanted == read
    assert parse_rule(f"Ti >= 0 if {text} and Nb <= 5", NAMES).given[0] == read


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Nb", "'Nb' cannot be read at 'Nb'. Write it like"),
        ("", "'' cannot be read"),
        ("Nb == 5", "'Nb == 5' cannot be read"),
        ("Nb => 5", "cannot be read at '='"),
        ("Nb >= ten", "names ten, which is neither"),
        ("Nb >= nan", "names nan, which is neither"),
        ("Nb >= 1e999", "cannot be read at '9'"),
        ("Nb >= " + 20 * "9", "cannot be read at '99999'"),
        ("1e123 Nb >= 5", "cannot be read at '3 Nb'"),
        ("Nb >= 5 >= 3", "cannot be read at 'Nb >= 5 >= 3'"),
        ("Nb >= 5 if Mo > 5", "names Mo, which is neither"),
        ("Nb >= 5 if Zr > 5 if Ta > 5", "more than one 'if'"),
        ("Nb >= 5 if", "'Nb >= 5 if' cannot be read"),
        ("if Nb >= 5", "'if Nb >= 5' cannot be read"),
        ("Nb >= 5 if Zr > 2 and", "cannot be read"),
        ("Nb / Zr / Ta <= 2", "divides twice"),
        ("Nb / Zr <= Ta / Ti", "compares a ratio with a sum. Compare a ratio with a number"),
        ("Nb / Zr <= Ta", "compares a ratio with a sum"),
        ("Nb / (Zr - Ta) <= 2", "divides by something that may be zero or less. Divide a sum of elements by"),
        ("Nb / (Zr + 2) <= 2", "divides by something that may be zero or less"),
        ("Nb / hold_h <= 2", "divides by something that may be zero or less"),
        ("(Nb + 2) / Zr <= 2", "divides by something that may be zero or less"),
        ("Nb / 0 <= 2", "cannot be read at 'Nb / 0'"),
        ("Nb / <= 2", "cannot be read"),
        ("Nb Zr <= 2", "cannot be read at 'Zr'"),
        ("Nb + <= 2", "cannot be read at '[+]'"),
        ("Nb - -Zr <= 2", "cannot be read at '- -Zr'"),
        ("Nb + 2 * <= 5", "cannot be read at '[*]'"),
        ("((Nb) <= 2", "cannot be read at '[(]"),
        ("2 (Nb + Zr) <= 2", "cannot be read at '[(]Nb"),
        ("2 <= 5", "cannot be read at '5'"),
        ("Nb between 20 and 10", "allows nothing: 20 is not below 10. Swap"),
        ("20 <= Nb <= 10", "allows nothing: 20 is not below 10"),
        ("5 < Nb <= 5", "allows nothing: 5 is not below 5"),
        ("Nb between 1 and 2 and 3", "cannot be read"),
        (
            "Xx <= 5",
            r"names Xx, which is neither a descriptor, an element of this space nor a process variable \(Nb, Z",
        ),
        ("Mo + Nb <= 5", "names Mo, which is neither"),
        ("nb <= 5", "names nb, which is neither"),
        ("2 vec <= 9", "counts with the descriptor vec, which must stand alone. Write it like 'vec >= 10'"),
        ("Nb + price_usd_per_kg <= 60", "counts with the descriptor price_usd_per_kg"),
        ("vec >= omega", "counts with the descriptor"),
        ("vec <= 4 at.%", "gives a basis to the descriptor vec, which has a unit of its own. Take out at or wt"),
        ("Nb + hold_h <= 4 wt.%", "gives a basis to hold_h, which is not an element. Take out at or wt"),
        ("quench <= 3", "bounds quench, whose values are names and not numbers. Write 'quench is water', or"),
        ("Nb + quench <= 3", "counts with quench, whose values are names and not numbers. Write it like 'quench is w"),
        ("quench is steam", "names 'steam', which is not a choice of quench. Its choices are water, air, hot oil"),
        ("Nb is water", "asks what Nb is, which is not a process variable with choices. There is quench"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(AlloyloopError, match=message):
        parse_rule(text, NAMES)


def test_where_there_is_no_choice_it_is_said() -> None:
    with pytest.raises(AlloyloopError, match="There are none"):
        parse_rule("quench is water", NOTHING)


PIECES = ("Nb", "Zr", "hold_h", "quench", "vec", "water", "is", "not", "if", "and", "between", "at.%", "wt", "(", ")",
          "+", "-", "*", "/", "<=", "<", ">=", "≥", ">", "0", "2", "1e9", "0.5", "%", ".", "e", "1e-400")  # fmt: skip


@given(st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join)))
def test_whatever_is_written_is_read_or_refused_in_words_and_then_holds_or_not(text: str) -> None:
    try:
        rule = parse_rule(text, NAMES)
    except AlloyloopError:
        return
    assert rule.holds(designs([[10, 5, 5, 80]], hold_h=[1.0], quench=["air"])).dtype == bool
    assert parse_rule(rule.text, NAMES) == rule


# -- what holds -------------------------------------------------------------------------------------------------------


def designs(percent: Any, basis: Basis = "at_pct", **process: list[Any]) -> Designs:
    """Some alloys of niobium, zirconium, tantalum and titanium."""
    values: dict[str, NDArray[Any]] = {
        name: np.array(given, dtype=np.float64 if name != "quench" else object) for name, given in process.items()
    }
    values.setdefault("solution_temperature_C", np.full(len(percent), 900.0))
    return Designs(ELEMENTS, basis, np.array(percent, dtype=np.float64), values)


def of_niobium(*amounts: float) -> Designs:
    return designs([[nb, 0, 0, 100 - nb] for nb in amounts])


def holds(text: str, where: Designs) -> list[bool]:
    return [bool(kept) for kept in parse_rule(text, NAMES).holds(where)]


def test_a_sum_is_taken_of_amounts_and_process_values() -> None:
    asked = designs([[10, 1, 0, 89], [20, 2, 0, 78]], solution_temperature_C=[850, 900])
    quantity = parse_rule("0.5 Nb - Zr + solution_temperature_C <= 4", NAMES).quantity(asked)
    assert quantity.tolist() == [854, 908]


def test_a_ratio_is_taken_of_sums_and_nothing_over_nothing_is_not_known() -> None:
    asked = designs([[10, 5, 5, 80], [0, 5, 0, 95], [0, 0, 0, 100]])
    assert parse_rule("(Zr + Ta) / Nb <= 2", NAMES).quantity(asked).tolist() == pytest.approx(
        [1, inf, np.nan], nan_ok=True
    )


def test_a_descriptor_is_asked_of_atomic_fractions_in_either_basis() -> None:
    alloys = of_niobium(30, 0)
    asked = parse_rule("vec <= 4.2", NAMES).quantity(alloys)
    assert asked.tolist() == descriptor("vec").function(alloys.fractions, ELEMENTS).tolist()
    assert asked == pytest.approx([4.3, 4.0])  # Nb has five valence electrons, Ti four
    by_weight = designs(at_to_wt(alloys.percent, ELEMENTS), "wt_pct")
    assert parse_rule("vec <= 4.2", NAMES).quantity(by_weight) == pytest.approx([4.3, 4.0])


def test_amounts_are_taken_in_the_basis_that_the_rule_names() -> None:
    # By hand: Ti-10Nb at.% holds 92.906 x 10 / (92.906 x 10 + 47.867 x 90) = 17.74 wt.% Nb.
    assert parse_rule("Nb <= 17 wt.%", NAMES).quantity(of_niobium(10)) == pytest.approx([17.74], abs=0.005)
    by_weight = designs([[17.74, 0, 0, 82.26]], "wt_pct")
    assert parse_rule("Nb <= 17 at.%", NAMES).quantity(by_weight) == pytest.approx([10], abs=0.005)
    for text in ("Nb <= 17", "Nb <= 17 wt.%"):
        assert parse_rule(text, NAMES).quantity(by_weight) == [17.74]


def test_bounds_are_met_by_equality_and_by_nothing_beyond() -> None:
    alloys = of_niobium(9.999, 10, 15, 20, 20.001)
    assert holds("Nb between 10 and 20", alloys) == [False, True, True, True, False]
    assert holds("10 < Nb <= 20", alloys) == [False, False, True, True, False]
    assert holds("10 <= Nb < 20", alloys) == [False, True, True, False, False]


def test_the_last_binary_digit_of_a_sum_breaks_no_rule() -> None:
    assert 0.1 + 0.2 > 0.3
    alloys = designs([[0.1, 0.2, 0, 99.7], [0.1, 0.2001, 0, 99.6999]])
    assert holds("Nb + Zr <= 0.3", alloys) == [True, False]
    assert holds("Nb + Zr < 0.3", alloys) == [False, False]
    assert holds("Nb + Zr > 0.3", alloys) == [False, True]
    assert holds("1e6 Nb >= 1e6", of_niobium(1 - 1e-10, 1 - 1e-6)) == [True, False]


def test_a_ratio_of_nothing_keeps_every_bound_but_one_that_equality_does_not_meet() -> None:
    pure = of_niobium(0)
    for text in ("Zr / Nb <= 2", "Zr / Nb >= 2", "Zr / Nb between 1 and 2"):
        assert holds(text, pure) == [True]
    assert holds("Zr / Nb < 2", pure) == [False]


def test_what_is_not_known_keeps_no_rule_and_excuses_from_none() -> None:
    unknown = designs([[np.nan, 0, 0, 90]], quench=[None], hold_h=[np.nan])
    for text in ("Nb <= 5", "Nb >= 5", "Nb between 1 and 5", "hold_h <= 5", "quench is water", "quench is not water"):
        assert holds(text, unknown) == [False]
    for test in ("Nb <= 5", "Nb >= 5", "hold_h < 5", "quench is water", "quench is not water", "Nb / Zr > 2"):
        assert holds(f"Ti >= 95 if {test}", unknown) == [False]
        assert holds(f"Ti >= 85 if {test}", unknown) == [True]


def test_a_rule_binds_where_all_its_conditions_hold() -> None:
    asked = designs([[5, 0, 0, 95]] * 4, quench=["water", "water", "air", "air"], hold_h=[1, 3, 1, 3])
    assert holds("Nb >= 10 if quench is water and hold_h > 2", asked) == [True, False, True, True]
    assert holds("Nb >= 10 if quench is not water", asked) == [True, True, False, False]
    assert holds("Nb >= 5 if hold_h > 2", asked) == [True] * 4


def test_a_ratio_of_nothing_over_nothing_is_no_condition_that_is_not_known() -> None:
    assert holds("Ta >= 5 if Zr / Nb > 2", of_niobium(0)) == [True]


def test_a_descriptor_that_is_not_known_excuses_from_nothing() -> None:
    magnesium = Designs(("Mg", "Ca"), "at_pct", np.array([[99.0, 1.0]]), {})  # of which no bond order is tabulated
    rule = parse_rule("Ca >= 5 if bond_order > 2", Names(("Mg", "Ca")))
    assert np.isnan(rule.given[0].quantity(magnesium)).all()
    assert rule.holds(magnesium).tolist() == [False]


@given(sums, st.lists(st.tuples(*[st.integers(0, 100)] * 3), min_size=1, max_size=5), numbers, st.booleans())
def test_inequalities_say_what_the_rule_says(
    terms: list[tuple[str, float]], rows: list[tuple[int, ...]], limit: float, ratio: bool
) -> None:
    alloys = [[*(n / 4 for n in row), 100 - sum(row) / 4] for row in rows]
    left = f"({written(terms)}) / (Zr + 0.5 Ta)" if ratio else written(terms)
    for sign in ("<=", "<", ">=", ">"):
        ((factors, most, is_open),) = the_sum(f"{left} {sign} {limit:g}").at_most()
        met = []
        for row in alloys:
            amounts: dict[str, Fraction] = dict(zip(ELEMENTS, map(Fraction, row), strict=True))
            total = sum((factor * amounts[name] for name, factor in factors.items()), Fraction(0))
            met.append(total < most if is_open else total <= most)
        assert holds(f"{left} {sign} {limit:g}", designs(alloys)) == met


def test_a_rule_is_a_value() -> None:
    first, again = (parse_rule("Nb >= 5 if quench is water", NAMES) for _ in range(2))
    assert first == again
    assert len({first, again}) == 1
    assert isinstance(first, Rule)
