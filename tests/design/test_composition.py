"""What a composition is, and that at.% and wt.% are turned into each other as the literature and other libraries do."""

from __future__ import annotations

import pickle

import hea_bench
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from periodictable.formulas import formula, mix_by_weight

from alloyloop.design.alloy_names import other_basis
from alloyloop.design.composition import Composition, at_to_wt, wt_to_at
from alloyloop.design.elements import SYMBOLS, atomic_masses
from alloyloop.surrogates.errors import AlloyloopError

from ..strategies import alloys, amounts

# DOMAIN §2.1, calculated there with IUPAC masses; the first is also Table 1 of Raabe et al. 2007 (69.7/23.7/4.8/1.7).
CONVERSIONS = {
    "Ti-35Nb-7Zr-5Ta wt": {"Ti": 69.711, "Nb": 23.718, "Zr": 4.831, "Ta": 1.740},
    "Ti-12Nb-12Zr-12Sn wt": {"Ti": 78.703, "Nb": 7.603, "Zr": 7.743, "Sn": 5.950},
    "Ti-12Nb-12Zr-12Sn at": {"Ti": 45.740, "Nb": 16.646, "Zr": 16.345, "Sn": 21.269},
    "Ti-13Nb-13Zr wt": {"Ti": 84.553, "Nb": 7.653, "Zr": 7.794},
    "Mg-1Zn-1Mn wt": {"Mg": 99.1761, "Zn": 0.3762, "Mn": 0.4477},
    "AlCoCrFeNi": {"Al": 10.688, "Co": 23.345, "Cr": 20.597, "Fe": 22.121, "Ni": 23.250},
}


@pytest.mark.parametrize(("name", "expected"), CONVERSIONS.items())
def test_the_other_basis_is_the_one_of_the_literature(name: str, expected: dict[str, float]) -> None:
    alloy = Composition.parse(name)
    assert alloy.amounts(other_basis(alloy.basis)) == pytest.approx(expected, abs=6e-4)


@given(amounts())
def test_at_pct_is_what_periodictable_makes_of_the_same_wt_pct(wt_pct: dict[str, float]) -> None:
    mixture = mix_by_weight(*(part for element in wt_pct for part in (element, wt_pct[element])))
    total = sum(mixture.atoms.values())
    theirs = {str(element): 100 * count / total for element, count in mixture.atoms.items()}
    # Both use IUPAC masses, of different years: Zn, Yb and Zr differ in the fifth digit.
    assert Composition(wt_pct, "wt_pct").at_pct == pytest.approx(theirs, abs=2e-3, rel=1e-4)


@given(amounts())
def test_wt_pct_is_what_periodictable_says_of_the_same_atoms(at_pct: dict[str, float]) -> None:
    theirs = formula("".join(f"{element}{count}" for element, count in at_pct.items()))
    expected = {str(element): 100 * fraction for element, fraction in theirs.mass_fraction.items()}
    assert Composition(at_pct, "at_pct").wt_pct == pytest.approx(expected, abs=2e-3, rel=1e-4)


@given(alloys(basis="at_pct"))
def test_a_formula_written_by_us_is_read_alike_by_hea_bench(alloy: Composition) -> None:
    theirs = hea_bench.parse_formula(alloy.formula())
    assert {element: 100 * c for element, c in theirs.items()} == pytest.approx(alloy.at_pct, abs=0.05)


@given(alloys())
def test_there_and_back_again_is_the_same_alloy(alloy: Composition) -> None:
    other = Composition(alloy.amounts(other_basis(alloy.basis)), other_basis(alloy.basis))
    assert other.amounts(alloy.basis) == pytest.approx(alloy.amounts(alloy.basis), abs=1e-9)


@given(alloys())
def test_either_basis_sums_to_100(alloy: Composition) -> None:
    assert sum(alloy.at_pct.values()) == pytest.approx(100, abs=1e-9)
    assert sum(alloy.wt_pct.values()) == pytest.approx(100, abs=1e-9)
    assert alloy.fractions.sum() == pytest.approx(1, abs=1e-12)


@given(st.lists(amounts(("Ti", "Nb", "Zr", "Sn")), min_size=1, max_size=5))
def test_converting_a_table_converts_each_of_its_rows(rows: list[dict[str, float]]) -> None:
    elements = ("Sn", "Ti", "Nb", "Zr")
    at_pct = np.array([[row.get(element, 0.0) for element in elements] for row in rows])
    each = np.array([Composition(row, "at_pct").vector(elements, "wt_pct") for row in rows])
    np.testing.assert_allclose(at_to_wt(at_pct, elements), each, atol=1e-12)
    np.testing.assert_allclose(wt_to_at(each, elements), at_pct, atol=1e-12)


def test_amounts_are_kept_exactly_as_given() -> None:
    assert Composition.parse("Ti-35Nb-7Zr-5Ta wt").wt_pct == {"Ti": 53.0, "Nb": 35.0, "Zr": 7.0, "Ta": 5.0}
    assert Composition.parse("Ti-24Nb-4Zr-7.9Sn wt").wt_pct["Ti"] == 64.1  # in floats 100 - 24 - 4 - 7.9 is not
    almost = {"Ti": 66.6666666667, "Nb": 33.3333333334}  # 100.0000000001
    assert Composition(almost, "at_pct").at_pct == almost


def test_a_sum_within_half_a_per_cent_is_scaled_to_100() -> None:
    assert Composition({"Ti": 49.8, "Nb": 49.8}, "at_pct").at_pct == {"Ti": 50.0, "Nb": 50.0}


def test_an_element_of_amount_zero_is_not_in_the_alloy() -> None:
    assert Composition({"Ti": 100, "Nb": 0}, "wt_pct").elements == ("Ti",)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"Ti": 60, "Nb": 30}, "Ti-Nb adds up to 90 at.%, not 100. Name one element as the balance"),
        ({"Ti": 60, "Nb": 37}, "adds up to 97 at.%, not 100"),
        ({"Ti": 110, "Nb": -10}, "-10 at.% Nb is not an amount"),
        ({"Ti": float("nan")}, "nan at.% Ti is not an amount"),
        ({"Ti": 50, "Nm": 50}, "'Nm' is not an element we know. Did you mean"),
        ({}, "empty"),
        ({"Ti": 0.0}, "empty"),
    ],
    ids=str,
)
def test_what_is_no_composition_says_why(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(AlloyloopError) as error:
        Composition(wrong, "at_pct")
    assert message in str(error.value)


def test_a_basis_that_is_none_is_refused() -> None:
    with pytest.raises(AlloyloopError, match="'vol_pct' is not a basis"):
        Composition({"Ti": 100}, "vol_pct")  # type: ignore[arg-type]  # the mistake is the test


@given(alloys())
def test_an_alloy_equals_itself_whatever_its_basis_order_and_text(alloy: Composition) -> None:
    basis = other_basis(alloy.basis)
    turned = Composition(dict(reversed(alloy.amounts(basis).items())), basis, text="as I call it")
    assert turned == alloy
    assert hash(turned) == hash(alloy)


def test_alloys_that_a_balance_can_tell_apart_are_not_equal() -> None:
    assert Composition.parse("Ti-24Nb at") != Composition.parse("Ti-24.001Nb at")
    assert Composition.parse("Ti-24Nb at") != Composition.parse("Ti-24Nb wt")
    assert Composition.parse("Ti-24Nb at") != "Ti-24Nb at"


def test_a_composition_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Composition.parse("Ti-24Nb at").basis = "wt_pct"  # type: ignore[misc]  # the mistake is the test


@given(alloys())
def test_a_composition_survives_pickling(alloy: Composition) -> None:
    again = pickle.loads(pickle.dumps(alloy))
    assert (again.elements, again.given, again.basis, again.text) == (
        alloy.elements,
        alloy.given,
        alloy.basis,
        alloy.text,
    )


def test_the_text_is_kept_as_typed() -> None:
    assert Composition.parse("  Ti–35Nb wt.% ").text == "  Ti–35Nb wt.% "


@given(alloys(), alloys(), alloys())
def test_distance_is_a_metric_from_0_to_100(a: Composition, b: Composition, c: Composition) -> None:
    assert a.distance(a) == 0
    assert a.distance(b) == b.distance(a)
    assert 0 <= a.distance(b) <= 100 + 1e-9
    assert a.distance(c) <= a.distance(b) + b.distance(c) + 1e-9


def test_alloys_without_a_common_element_are_100_apart() -> None:
    assert Composition.parse("Ti-24Nb at").distance(Composition.parse("CoCrMo at"), "wt_pct") == pytest.approx(100)


def test_exchanging_four_per_cent_is_a_distance_of_four() -> None:
    a, b = Composition.parse("Ti-24Nb wt"), Composition.parse("Ti-22Nb-2Zr wt")
    assert a.distance(b, "wt_pct") == pytest.approx(2)


def test_a_vector_is_in_the_order_asked_for_with_zeros_for_absent_elements() -> None:
    assert Composition.parse("Ti-24Nb at").vector(("Nb", "Zr", "Ti"), "at_pct").tolist() == [24, 0, 76]


def test_a_vector_never_drops_an_element_silently() -> None:
    with pytest.raises(AlloyloopError, match=r"contains Nb\. The elements here are Ti, Zr"):
        Composition.parse("Ti-24Nb at").vector(("Ti", "Zr"), "at_pct")


def test_every_element_of_the_table_has_a_mass() -> None:
    assert (atomic_masses(SYMBOLS) > 0).all()  # NaN is not


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("AlCoCrFeNi", "AlCoCrFeNi"),
        ("Al0.3CoCrFeNi", "Al0.3CoCrFeNi"),
        ("Al2CoCrFeNi", "Al2CoCrFeNi"),
        ("NiTi", "NiTi"),
        ("Ti-40Nb-20Zr at", "TiNbZr0.5"),
        ("Ti-35Nb-7Zr-5Ta wt", "Ti69.71Nb23.72Zr4.83Ta1.74"),
        ("Ti-10Nb-10Zr at", "Ti80Nb10Zr10"),
        ("Ti-20Nb-20Zr-15Ta-10Fe at", "Ti35Nb20Zr20Ta15Fe10"),
        ("Mg-1Zn-20ppmFe wt", "Mg99.63Zn0.37Fe0.00088"),
        ("Ti", "Ti"),
    ],
)
def test_a_formula_is_written_as_the_field_writes_it(name: str, formula: str) -> None:
    assert Composition.parse(name).formula() == formula


def test_a_name_has_impurities_in_ppm() -> None:
    assert Composition({"Mg": 98.9995, "Zn": 1, "Ni": 0.0005}, "wt_pct").name() == "Mg-1Zn-5ppmNi wt"


def test_a_name_starts_with_the_largest_amount_or_the_balance_asked_for() -> None:
    alloy = Composition({"Nb": 60, "Ti": 40}, "wt_pct")
    assert alloy.name() == "Nb-40Ti wt"
    assert alloy.name(balance="Ti") == "Ti-60Nb wt"
    with pytest.raises(AlloyloopError, match="Zr cannot be the balance"):
        alloy.name(balance="Zr")


# 24/92.906 and 76/47.867 mol: 13.993 % of the atoms are Nb.
def test_a_notebook_shows_both_bases() -> None:
    assert Composition.parse("Ti-24Nb wt")._repr_html_() == "<b>Ti-24Nb wt</b> <small>= Ti-13.993Nb at</small>"
