"""The names of alloys that people write, what they mean, and what is said of those that mean nothing or two things."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alloyloop.design.alloy_names import Basis, Grade, grade, grades
from alloyloop.design.composition import Composition
from alloyloop.surrogates.errors import AlloyloopError

from ..strategies import alloys

TNZT = {"Ti": 53.0, "Nb": 35.0, "Zr": 7.0, "Ta": 5.0}


# The six names of DOMAIN §3, which none of five libraries tried there reads; the first, third and last with a basis.
SIX = {
    "Ti-35Nb-7Zr-5Ta wt": ("wt_pct", TNZT),
    "Ti6Al4V": ("wt_pct", {"Ti": 90, "Al": 6, "V": 4}),
    "Ti–35Nb–7Zr–5Ta wt": ("wt_pct", TNZT),
    "Al0.3CoCrFeNi": ("at_pct", {"Al": 30 / 4.3, "Co": 100 / 4.3, "Cr": 100 / 4.3, "Fe": 100 / 4.3, "Ni": 100 / 4.3}),
    "(CoCrNi)94Al3Ti3": ("at_pct", {"Co": 94 / 3, "Cr": 94 / 3, "Ni": 94 / 3, "Al": 3, "Ti": 3}),
    "Mg-1Zn-1Mn wt": ("wt_pct", {"Mg": 98, "Zn": 1, "Mn": 1}),
}


@pytest.mark.parametrize(("text", "meaning"), SIX.items())
def test_the_six_names_of_the_domain_notes_are_read(text: str, meaning: tuple[Basis, dict[str, float]]) -> None:
    alloy = Composition.parse(text)
    basis, expected = meaning
    assert alloy.basis == basis
    assert alloy.amounts(basis) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text",
    [
        "Ti-35Nb-7Zr-5Ta wt",
        "Ti-35Nb-7Zr-5Ta wt%",
        "Ti-35Nb-7Zr-5Ta wt.%",
        "Ti-35Nb-7Zr-5Ta (wt. %)",
        "Ti-35Nb-7Zr-5Ta mass%",
        "Ti-35Nb-7Zr-5Ta, in wt.%",
        "Ti-35Nb-7Zr-5Ta wt_pct",
        "Ti-35 wt.% Nb-7 wt.% Zr-5 wt.% Ta",
        "Ti - 35 Nb - 7 Zr - 5 Ta wt",
        "Ti‐35Nb‑7Zr‒5Ta wt",  # hyphen, non-breaking hyphen, figure dash
        "Ti—35Nb―7Zr−5Ta wt",  # em dash, bar, minus sign
        "Ti\u00a0–\u200935Nb – 7Zr\u202f–\u20095Ta\u00a0wt.%",  # non-breaking and thin spaces
        "\ufeffTi-35\u200bNb-7Zr-5Ta wt",  # byte-order mark, zero-width space
        "Ti-Nb35-Zr7-Ta5 wt",
        "35Nb-7Zr-5Ta-Ti bal. wt",
        "Ti bal., 35Nb, 7Zr, 5Ta wt.%",
        "Ti-bal, 35Nb, 7Zr, 5Ta wt.%",
        "Nb 35, Zr 7, Ta 5, Ti bal. wt.%",
        "Nb: 35; Zr: 7; Ta: 5; Ti: balance (mass %)",
        "35 % Nb, 7 % Zr, 5 % Ta, remainder Ti, wt.%",
        "Ti 53 Nb 35 Zr 7 Ta 5 wt%",
        "Ti53Nb35Zr7Ta5 wt.%",
        "Ti35Nb7Zr5Ta wt.%",
        "TiNb35Zr7Ta5 wt.%",
        "Ti-350000ppmNb-7Zr-5Ta wt",
        "TNZT",
        "tnzt",
    ],
)
def test_one_alloy_may_be_written_in_many_ways(text: str) -> None:
    assert Composition.parse(text).wt_pct == TNZT


@pytest.mark.parametrize("suffix", ["at", "at%", "at.%", "At.%", "mol%", "(at. %)", "atomic percent", "at_pct"])
def test_atomic_per_cent_may_be_written_in_many_ways(suffix: str) -> None:
    assert Composition.parse(f"Ti-24Nb {suffix}").at_pct == {"Ti": 76, "Nb": 24}


@pytest.mark.parametrize(
    ("text", "wt_pct"),
    [
        ("Mg-1Zn-20ppmFe wt", {"Mg": 98.998, "Zn": 1, "Fe": 0.002}),
        ("Mg-1Zn-20 wppm Fe", {"Mg": 98.998, "Zn": 1, "Fe": 0.002}),
        ("Mg bal, Zn 1, Ni 5 ppm, Cu 100 ppm wt%", {"Mg": 98.9895, "Zn": 1, "Ni": 0.0005, "Cu": 0.01}),
        ("Ti-6Al-4V-1300ppmO wt", {"Ti": 89.87, "Al": 6, "V": 4, "O": 0.13}),
    ],
)
def test_impurities_may_be_given_in_ppm(text: str, wt_pct: dict[str, float]) -> None:
    assert Composition.parse(text).wt_pct == wt_pct


def test_a_comma_between_digits_is_a_decimal_mark() -> None:
    assert Composition.parse("Ti-7,5Mo wt").wt_pct == {"Ti": 92.5, "Mo": 7.5}
    assert Composition.parse("Ti 92,5, Mo 7,5 wt").wt_pct == {"Ti": 92.5, "Mo": 7.5}


def test_a_comma_that_may_part_thousands_is_refused() -> None:
    with pytest.raises(AlloyloopError, match=r"1,000 in .* may be 1000 or 1\.000"):
        Composition.parse("Mg-1,000ppmFe wt")


@pytest.mark.parametrize(
    ("formula", "atoms"),
    [
        ("Al₀.₃CoCrFeNi", {"Al": 0.3, "Co": 1, "Cr": 1, "Fe": 1, "Ni": 1}),
        ("Al0,3CoCrFeNi", {"Al": 0.3, "Co": 1, "Cr": 1, "Fe": 1, "Ni": 1}),
        ("Al0.25 Co1 Fe1 Ni1", {"Al": 0.25, "Co": 1, "Fe": 1, "Ni": 1}),  # as Borg et al.'s MPEA table writes
        ("Al0CoCrNi", {"Co": 1, "Cr": 1, "Ni": 1}),
        ("[(Mo0.5Sn0.5)-(Ti13Zr1)]Nb1", {"Mo": 0.5, "Sn": 0.5, "Ti": 13, "Zr": 1, "Nb": 1}),
        ("Mg(OH)2", {"Mg": 1, "O": 2, "H": 2}),
        ("(CoCrFeNi)95Al5", {"Co": 23.75, "Cr": 23.75, "Fe": 23.75, "Ni": 23.75, "Al": 5}),
        ("Fe49.5Mn29.7Co9.9Cr9.9C", {"Fe": 49.5, "Mn": 29.7, "Co": 9.9, "Cr": 9.9, "C": 1}),  # sums to 100 with its 1
        ("MoNb1.5Ti1.5C0.2", {"Mo": 1, "Nb": 1.5, "Ti": 1.5, "C": 0.2}),
        ("Mg17Al12", {"Mg": 17, "Al": 12}),
        ("LaNi5", {"La": 1, "Ni": 5}),
        ("Fe3Al", {"Fe": 3, "Al": 1}),
        ("Ti6Al4V1", {"Ti": 6, "Al": 4, "V": 1}),
        ("CoCrMo at", {"Co": 1, "Cr": 1, "Mo": 1}),
    ],
)
def test_a_formula_counts_atoms(formula: str, atoms: dict[str, float]) -> None:
    total = sum(atoms.values())
    assert Composition.parse(formula).at_pct == pytest.approx({e: 100 * n / total for e, n in atoms.items()})


@pytest.mark.parametrize("text", ["Ti15Mo", "Ti13Nb13Zr", "TiNb13Zr13", "TiNb24", "Ti35Nb7Zr5Ta", "Ti6Al7Nb2Zr"])
def test_a_name_run_together_is_not_taken_for_a_formula(text: str) -> None:
    with pytest.raises(AlloyloopError, match=r"may be the formula .*, which counts atoms, or the name Ti-"):
        Composition.parse(text)


@pytest.mark.parametrize("text", ["Ti555", "Al6061", "In718"])
def test_an_unknown_grade_is_not_taken_for_a_pure_metal(text: str) -> None:
    with pytest.raises(AlloyloopError, match="is not a grade we know"):
        Composition.parse(text)


@pytest.mark.parametrize(
    ("text", "dashed"),
    [
        ("Ti6Al4V", "Ti-6Al-4V"),
        ("Ti-6Al-4V", "Ti-6Al-4V"),
        ("Ti64", "Ti-6Al-4V"),
        ("TiAl6V4", "Ti-6Al-4V"),
        ("TNTZ", "Ti-29Nb-13Ta-4.6Zr"),
        ("TNZT", "Ti-35Nb-7Zr-5Ta"),
        ("Ti2448", "Ti-24Nb-4Zr-7.9Sn"),
        ("AZ31", "Mg-3Al-1Zn-0.2Mn"),
        ("AZ91D", "Mg-9Al-0.7Zn-0.13Mn"),
        ("ZK60", "Mg-5.5Zn-0.45Zr"),
        ("WE43", "Mg-4Y-2.25Nd-0.5Zr"),
        ("CoCrMo", "Co-28Cr-6Mo"),
        ("L605", "Co-20Cr-15W-10Ni-1.5Mn"),
        ("MP35N", "Co-35Ni-20Cr-10Mo"),
        ("316L", "Fe-17Cr-12Ni-2.5Mo"),
        ("AISI 316L", "Fe-17Cr-12Ni-2.5Mo"),
        ("Nitinol", "Ni-44.2Ti"),
    ],
)
def test_a_grade_has_its_nominal_wt_pct(text: str, dashed: str) -> None:
    alloy = Composition.parse(text)
    assert alloy.basis == "wt_pct"
    assert alloy == Composition.parse(dashed, basis="wt_pct")
    assert alloy == Composition.parse(text, basis="wt_pct")


@pytest.mark.parametrize("known", grades(), ids=lambda known: str(known.name))
def test_every_grade_can_be_read_and_says_where_it_comes_from(known: Grade) -> None:
    assert known.source
    for name in (known.name, *known.aliases):
        assert grade(name) is known, f"{name} names two grades"
        assert Composition.parse(name) == Composition.parse(known.composition, basis="wt_pct")


@pytest.mark.parametrize("text", ["316L at", "Ti6Al4V at.%", "TNZT at"])
def test_a_grade_is_not_to_be_had_in_at_pct(text: str) -> None:
    with pytest.raises(AlloyloopError, match=r"is a grade whose nominal composition, .*, is recorded in wt\.%"):
        Composition.parse(text)


def test_the_designation_of_a_grade_is_read_as_written_where_at_pct_is_said() -> None:
    assert Composition.parse("Ti-6Al-4V at").at_pct == {"Ti": 90, "Al": 6, "V": 4}


# DOMAIN §2.1 has both conversions.
def test_a_dashed_name_without_a_basis_names_both_readings() -> None:
    with pytest.raises(AlloyloopError) as error:
        Composition.parse("Ti-12Nb-12Zr-12Sn")
    assert str(error.value) == (
        "'Ti-12Nb-12Zr-12Sn' does not say whether its amounts are wt.% or at.%: in wt.% it is "
        "Ti-7.603Nb-7.743Zr-5.95Sn at, in at.% it is Ti-16.646Nb-16.345Zr-21.269Sn wt. "
        "Write 'Ti-12Nb-12Zr-12Sn wt' or 'Ti-12Nb-12Zr-12Sn at'."
    )


@pytest.mark.parametrize("text", ["Ti-15Mo", "Ti-13Nb-13Zr", "Ti 64.5 Nb 24 Zr 4 Sn 7.5", "Nb 35, Zr 7, Ti bal."])
def test_the_basis_is_never_guessed(text: str) -> None:
    with pytest.raises(AlloyloopError, match=r"does not say whether its amounts are wt\.% or at\.%"):
        Composition.parse(text)
    assert Composition.parse(text, basis="wt_pct") == Composition.parse(f"{text} wt")
    assert Composition.parse(text, basis="at_pct") == Composition.parse(f"{text} at")


@pytest.mark.parametrize(
    ("text", "basis"),
    [("Ti-24Nb at", "wt_pct"), ("Ti-24Nb wt", "at_pct"), ("Ti-24wt%Nb at%", None), ("Mg-20wppmFe at", None)],
)
def test_two_bases_at_once_are_refused(text: str, basis: Basis | None) -> None:
    with pytest.raises(AlloyloopError, match=r"both in wt\.% and in at\.%"):
        Composition.parse(text, basis=basis)


def test_a_formula_in_wt_pct_is_refused() -> None:
    with pytest.raises(AlloyloopError, match=r"'Al0\.3CoCrFeNi' is a formula, which counts atoms, but wt\.%"):
        Composition.parse("Al0.3CoCrFeNi", basis="wt_pct")


def test_a_pure_metal_needs_no_basis_and_takes_either() -> None:
    assert Composition.parse("Ti") == Composition.parse("Ti wt") == Composition.parse("Ti at")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the alloy's name is empty. Write it like Ti-35Nb-7Zr-5Ta wt"),
        (" wt.% ", "the alloy's name is empty"),
        ("Ti-5Nm wt", "'Nm' in 'Ti-5Nm' is not an element we know. Did you mean N"),
        ("ti-5Nb wt", "'ti' in 'ti-5Nb' is not an element we know. Did you mean Ti?"),
        ("Ti-5Nb-7Nb wt", "names Nb more than once"),
        ("TiNbTi", "names Ti more than once"),
        ("Ti-60Nb-45Zr wt", "leaves nothing for Ti: the other elements add up to 105"),
        ("Ti-100Nb wt", "leaves nothing for Ti"),
        ("Ti--5Nb wt", "a dash too many. An amount cannot be negative"),
        ("Ti 60 Nb 37 wt", "'Ti 60 Nb 37' adds up to 97, not 100. Name one element as the balance"),
        ("Ti-Nb-7Zr wt", "gives no amount of Nb"),
        ("Ti Nb Zr", "gives no amount of Ti"),
        ("Ti-35 wt", "35 in 'Ti-35' belongs to no element"),
        ("Ti bal, Nb bal, Zr 5 wt", "names two balances, Ti and Nb"),
        ("(CoCrNi94Al6", "the brackets of '(CoCrNi94Al6' do not match"),
        ("(CoCrNi]94Al6", "do not match"),
        ("Ti/5Nb wt", "is not an alloy's name we can read, from '/' on"),
        ("Ti-5Nb-" + "0" * 300, "is too long to be an alloy's name"),
        ("Al0Co0", "contains nothing"),
    ],
)
def test_what_cannot_be_read_says_why(text: str, message: str) -> None:
    with pytest.raises(AlloyloopError) as error:
        Composition.parse(text)
    assert message in str(error.value)


@given(alloys())
def test_a_name_written_by_us_is_read_as_the_same_alloy(alloy: Composition) -> None:
    again = Composition.parse(alloy.name())
    assert again == alloy
    assert again.name() == alloy.name()


@given(alloys())
def test_a_name_in_the_other_basis_is_the_same_alloy_to_its_last_digit(alloy: Composition) -> None:
    basis: Basis = "at_pct" if alloy.basis == "wt_pct" else "wt_pct"
    again = Composition.parse(alloy.name(basis))
    assert again.distance(alloy, basis) < 0.01
    assert again.name(basis) == alloy.name(basis)


ALLOYISH = st.lists(
    st.sampled_from(
        ["Ti", "Nb", "Al", "At", "35", "0.5", "7,5", "-", "–", " ", "(", ")94", "]", "bal", "wt", "at%", "ppm"]
    )
).map("".join)


@given(st.text() | ALLOYISH)
@example("9" * 199)
@example("(" * 199)
@example("Ti0" + "(Nb0)100")
@example("①½Ti")
@example("\ud800")
def test_any_text_is_an_alloy_or_a_mistake_that_is_explained(text: str) -> None:
    try:
        alloy = Composition.parse(text)
    except AlloyloopError as error:
        assert error.problem  # noqa: PT017  # either outcome is right, nothing else is
    else:
        assert sum(alloy.amounts(alloy.basis).values()) == pytest.approx(100)
