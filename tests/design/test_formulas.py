"""Formulas mean what they mean on paper, have no value rather than a wrong one, and can do nothing but arithmetic."""

from __future__ import annotations

import math
import pickle
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.descriptors import DESCRIPTORS
from alloyloop.design.formulas import MOST_SIGNS, Formula, parse_formula
from alloyloop.design.rules import Names
from alloyloop.surrogates.base import FloatArray
from alloyloop.surrogates.errors import AlloyloopError

NAMES = Names(("Nb", "Zr", "Ti"), ("laser_power_W", "scan_speed_mm_per_s"), {"quench": ("water", "air")})


def value(text: str, of: Mapping[str, float]) -> float:
    """The value of a formula for one alloy."""
    arrays: dict[str, FloatArray] = {name: np.array([number]) for name, number in of.items()}
    (number,) = Formula(text).values(arrays.__getitem__).tolist()
    return float(number)


AMOUNTS = {"Nb": 20.0, "Zr": 5.0}


@pytest.mark.parametrize(
    ("text", "by_hand"),
    [
        ("Zr / Nb", 0.25),
        ("Nb + 2 * Zr", 30),
        ("Nb - Zr - 1", 14),  # from the left
        ("(Nb - 1) * -Zr", -95),
        ("Nb ** 2", 400),
        ("-Zr ** 2", -25),  # as on paper: the power first
        ("Nb ** -0.5", 0.22360680),  # 1/√20
        ("log(Nb + 1)", 3.04452244),  # the natural logarithm of 21
        ("exp(Zr - 5)", 1),
        ("sqrt(Nb * Zr)", 10),
        ("abs(Zr - Nb)", 15),
        ("min(Nb, Zr, 7)", 5),
        ("max(Nb, Zr, 7)", 20),
    ],
)
def test_a_formula_means_what_it_means_on_paper(text: str, by_hand: float) -> None:
    assert value(text, AMOUNTS) == pytest.approx(by_hand, rel=1e-7)


def test_nothing_in_nothing_is_none() -> None:
    assert value("Zr / Nb", {"Zr": 0, "Nb": 0}) == 0
    assert value("Zr / (Zr + Nb)", {"Zr": 0, "Nb": 0}) == 0


@pytest.mark.parametrize(
    "text", ["Zr / Nb", "Zr * Nb ** -1", "log(Nb)", "sqrt(Nb - 1)", "(Nb - 1) ** 0.5", "exp(200 * Zr)"]
)
def test_what_has_no_finite_value_is_not_known(text: str) -> None:
    assert math.isnan(value(text, {"Zr": 5, "Nb": 0}))


@pytest.mark.parametrize("text", ["Zr / Nb", "Nb / Zr", "min(Zr, Nb)", "max(Nb, Zr)", "Zr * 0 + Nb * 0", "Zr / Nb * 0"])
def test_what_hangs_on_something_unknown_is_not_known(text: str) -> None:
    assert math.isnan(value(text, {"Zr": math.nan, "Nb": 0}))


trees = st.recursive(
    st.sampled_from(["Nb", "Zr", "2", "0.5"]),
    lambda parts: st.one_of(
        st.tuples(parts, st.sampled_from(["+", "-", "*"]), parts).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        parts.map(lambda part: f"abs({part})"),
        st.tuples(parts, parts).map(lambda t: f"min({t[0]}, {t[1]})"),
        parts.map(lambda part: f"-{part}"),
    ),
    max_leaves=8,
).filter(lambda text: ("Nb" in text or "Zr" in text) and len(text) <= MOST_SIGNS)


@given(trees, st.floats(0, 100), st.floats(0, 100))
def test_it_is_what_python_makes_of_the_same_signs(text: str, nb: float, zr: float) -> None:
    # Our own words, built above from nothing but these signs, so that it is safe to let Python run them.
    by_python = eval(text, {"abs": abs, "min": min, "Nb": nb, "Zr": zr})
    assert value(text, {"Nb": nb, "Zr": zr}) == pytest.approx(by_python, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("pasted", "plain"),
    [("Nb − 2·Zr", "Nb - 2*Zr"), ("Nb × Zr", "Nb * Zr"), ("Nb ^ 2", "Nb ** 2"), ("  Nb\n /  Zr ", "Nb / Zr")],
)
def test_signs_are_read_however_they_were_typed_or_pasted(pasted: str, plain: str) -> None:
    assert parse_formula(pasted, NAMES).text == plain


def test_it_may_name_elements_descriptors_process_and_columns() -> None:
    text = "mo_equivalent_wang * Nb + laser_power_W / grain_size_um"
    assert parse_formula(text, NAMES, {"grain_size_um"}).names == (
        "mo_equivalent_wang", "Nb", "laser_power_W", "grain_size_um",
    )  # fmt: skip


def test_of_two_signs_that_look_alike_either_may_be_typed() -> None:
    micro, greek = "d_\N{MICRO SIGN}m", "d_\N{GREEK SMALL LETTER MU}m"
    assert parse_formula(f"{greek} ** 2", NAMES, {micro}).names == parse_formula(f"{micro} ** 2", NAMES, {greek}).names


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "().__class__",
        "Nb.real",
        "Nb[0]",
        "[Nb]",
        "lambda: Nb",
        "(Nb := 1)",
        "Nb if Zr else Ti",
        "Nb and Zr",
        "not Nb",
        "Nb < Zr",
        "Nb // Zr",
        "Nb % Zr",
        "Nb @ Zr",
        "~Nb",
        "f'{Nb}'",
        "Nb + 'a'",
        "Nb + 1j",
        "Nb + True",
        "Nb + None",
        "Nb * 1e999",
        "open(Nb)",
        "log(Nb, 2)",
        "log(Nb, base=2)",
        "log(*Nb)",
        "min(Nb)",
        "log",
        "0.5 Nb",
        "Nb /",
        "(Nb",
        "min(Nb",  # what is left of [min(Nb, Zr)] in YAML
        "Nb; Zr",
        "",
        "\0",
    ],
)
def test_anything_but_arithmetic_is_refused_before_it_is_looked_at(text: str) -> None:
    with pytest.raises(AlloyloopError, match=r"cannot be read|neither a descriptor"):
        parse_formula(text, NAMES)


def test_a_formula_that_is_too_long_or_too_deep_is_refused() -> None:
    with pytest.raises(AlloyloopError, match="longer than 200 signs"):
        parse_formula("+".join(["Nb"] * 100), NAMES)
    deepest = "(" * 98 + "Nb" + ")" * 98
    assert Formula(deepest).names == ("Nb",)
    assert Formula("-" * 198 + "Nb").names == ("Nb",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "Nb / Zz",
            r"'Nb / Zz' names Zz, which is neither a descriptor, an element of this space.*\(Nb, Zr, Ti, laser",
        ),
        ("vecc", r"'vecc' is neither.*Did you mean vec\?"),
        ("quench * Nb", "counts with quench, whose values are names"),
        ("2 + 3", "'2 . 3' is the same number for every alloy"),
    ],
)
def test_a_name_that_there_is_not_is_said_with_what_there_is(text: str, says: str) -> None:
    with pytest.raises(AlloyloopError, match=says):
        parse_formula(text, NAMES)


def test_without_a_composition_there_are_no_descriptors() -> None:
    assert "vec" in DESCRIPTORS
    with pytest.raises(AlloyloopError, match="neither a descriptor"):
        parse_formula("vec", Names((), ("laser_power_W",)))


def test_a_formula_is_equal_by_value_and_can_be_sent_to_another_process() -> None:
    formula = parse_formula("log(Nb + 1)", NAMES, basis="wt_pct")
    assert pickle.loads(pickle.dumps(formula)) == formula
    assert len({formula, Formula("log(Nb + 1)", "wt_pct"), Formula("log(Nb + 1)")}) == 2
