"""Headers in the forms people really use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.campaigns.headers import AmountHeader, amount_header, count_header, quantity_header, std_header, unit_of


@pytest.mark.parametrize(
    ("header", "element", "basis"),
    [
        ("Ti_wt_pct", "Ti", "wt_pct"),
        ("Ti (at.%)", "Ti", "at_pct"),
        ("Nb wt%", "Nb", "wt_pct"),
        ("at% Al", "Al", "at_pct"),
        ("wt.%Nb", "Nb", "wt_pct"),
        ("Nb [wt.-%]", "Nb", "wt_pct"),
        ("Nb (wt. %)", "Nb", "wt_pct"),
        ("Sn, mass%", "Sn", "wt_pct"),
        ("Gew.-% Sn", "Sn", "wt_pct"),
        ("Zr [mol%]", "Zr", "at_pct"),
        ("Ti_by_balance_wt_pct", "Ti", "wt_pct"),
        ("Mg_wt_pct_by_balance", "Mg", "wt_pct"),
        ("Ti", "Ti", None),
        ("Ti (%)", "Ti", None),
        ("x_Ti", "Ti", None),
    ],
)
def test_an_amount_is_recognised_by_its_element_and_basis(header: str, element: str, basis: str | None) -> None:
    assert amount_header(header) == AmountHeader(element, basis)  # type: ignore[arg-type]


@pytest.mark.parametrize("header", ["Al_eds_measured_at_pct", "Al_at_pct_measured", "Al [at.%] ICP", "at% Al (EDS)"])
def test_an_analysed_amount_is_recognised(header: str) -> None:
    assert amount_header(header) == AmountHeader("Al", "at_pct", is_measured=True)


def test_an_amount_may_be_named_a_fraction() -> None:
    assert amount_header("Nb (mass fraction)") == AmountHeader("Nb", "wt_pct", is_fraction=True)


@pytest.mark.parametrize(
    "header",
    ["oxygen_wt_pct", "E / GPa", "Co-Cr", "inclusion_dA_area_pct", "Ti heat", "As (K)", "No", "Ti2", "", "%", "wt%"],
)
def test_other_headers_are_no_amounts(header: str) -> None:
    assert amount_header(header) is None


@pytest.mark.parametrize(
    ("header", "name", "goal"),
    [
        ("E / GPa", "youngs_modulus_GPa", "minimize"),
        ("Young's modulus (GPa)", "youngs_modulus_GPa", "minimize"),
        ("Young’s Modulus [MPa]", "youngs_modulus_MPa", "minimize"),
        ("E-Modul [GPa]", "youngs_modulus_GPa", "minimize"),
        ("HV", "hardness_HV", "maximize"),
        ("Hardness HV0.5", "hardness_HV", "maximize"),
        ("Hardness (HV 0.2)", "hardness_HV", "maximize"),
        ("Härte HV10", "hardness_HV", "maximize"),
        ("UTS [MPa]", "ultimate_tensile_strength_MPa", "maximize"),
        ("Rm N/mm²", "ultimate_tensile_strength_MPa", "maximize"),
        ("YS", "yield_strength_MPa", "maximize"),
        ("Rp0.2 (MPa)", "yield_strength_MPa", "maximize"),
        ("R 0,2 [MPa]", "yield_strength_MPa", "maximize"),
        ("σy (MPa)", "yield_strength_MPa", "maximize"),
        ("Ms (K)", "martensite_start_K", "report"),
        ("Ms (°C)", "martensite_start_C", "report"),
        ("elongation %", "elongation_pct", "report"),
        ("A5 [%]", "elongation_pct", "report"),
        ("corrosion rate mm/y", "corrosion_rate_mm_per_y", "minimize"),
        ("Corrosion rate (mm·y−1)", "corrosion_rate_mm_per_y", "minimize"),
        ("Density (g/cm3)", "measured_density_g_per_cm3", "report"),  # density_g_per_cm3 is the computed one
    ],
)
def test_a_property_gets_our_name_with_its_unit_and_the_usual_goal(header: str, name: str, goal: str) -> None:
    quantity = quantity_header(header)
    assert (quantity.name, quantity.kind, quantity.goal) == (name, "property", goal)


@pytest.mark.parametrize(
    ("header", "name", "kind"),
    [
        ("Solution temp. (°C)", "solution_temperature_C", "process"),
        ("Ageing time [h]", "ageing_time_h", "process"),
        ("laser power (W)", "laser_power_W", "process"),
        ("scan_speed_mm_per_s", "scan_speed_mm_per_s", "process"),
        ("T (°C)", "temperature_C", "process"),
        ("test temperature, °C", "test_temperature_C", "condition"),
        ("grain size (µm)", "grain_size_um", "condition"),
        ("Kerr rotation (mrad)", "kerr_rotation_mrad", "property"),
        ("xrd_phase", "xrd_phase", "class"),
        ("Phases", "phases", "class"),
    ],
)
def test_other_quantities_are_told_by_their_words_and_units(header: str, name: str, kind: str) -> None:
    quantity = quantity_header(header)
    assert (quantity.name, quantity.kind) == (name, kind)


@pytest.mark.parametrize("header", ["Ms_K", "nanoindent_modulus_GPa", "hardness_HV30", "fatigue_strength_1e7_MPa"])
def test_a_name_that_has_its_unit_our_way_stays(header: str) -> None:
    assert quantity_header(header).name == header


@pytest.mark.parametrize("header", ["colour", "C", "a", "t", "V", "year"])
def test_a_word_that_may_be_anything_is_nothing(header: str) -> None:
    assert quantity_header(header).kind is None


def test_an_assumed_unit_is_said() -> None:
    assert quantity_header("YS").reason == "'YS' is how people name it; without a unit it is taken as MPa"


@pytest.mark.parametrize(
    ("header", "of"),
    [
        ("hardness_HV_std", "hardness_HV"),
        ("UTS SD (MPa)", "UTS (MPa)"),
        ("SD of E", "E"),
        ("E (GPa) ±", "E (GPa)"),
        ("E stdev", "E"),
        ("±", ""),
        ("SD", ""),
        ("± GPa", ""),
        ("hardness_HV", None),
        ("SDSS", None),
        ("understood", None),
    ],
)
def test_a_spread_is_recognised_with_what_it_belongs_to(header: str, of: str | None) -> None:
    assert std_header(header) == of


def test_a_count_is_recognised_with_what_it_belongs_to() -> None:
    assert [count_header(header) for header in ("hardness_HV_n", "E n", "Mn", "number")] == [
        "hardness_HV",
        "E",
        None,
        None,
    ]


@pytest.mark.parametrize(("text", "unit"), [("N/mm²", "MPa"), ("°C", "C"), ("c", None), ("HV0.5", "HV"), ("μm", "um")])
def test_units_are_read_in_their_usual_forms(text: str, unit: str | None) -> None:
    assert unit_of(text) == unit


@given(st.text(max_size=20))
def test_every_header_gets_a_name_that_can_stand_in_a_rule_or_none(header: str) -> None:
    amount_header(header)
    std_header(header)
    count_header(header)
    name = quantity_header(header).name
    assert name.isascii()
    assert not name[:1].isdigit()
    assert all(letter.isalnum() or letter == "_" for letter in name)
