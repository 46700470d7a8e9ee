"""The element table holds what its sources print, says where each value is from, and has no value it cannot name."""

from __future__ import annotations

import csv
from itertools import combinations
from pathlib import Path

import hea_bench.descriptors.data.elemental as oracle
import numpy as np
import periodictable
import pytest
from hea_bench.descriptors.data.pair_enthalpies import pair_enthalpy as oracle_pair_enthalpy
from hea_bench.properties.data.element_prices import PRICES_USD_PER_KG

from alloyloop.design import elements as elements_module
from alloyloop.design.elements import (
    PROPERTIES,
    SYMBOLS,
    atomic_masses,
    pair_enthalpies,
    pair_enthalpy,
    value,
    values,
)
from alloyloop.surrogates.errors import AlloyloopError

REQUIRED = (
    "Al Ag Au B Be Bi C Ca Ce Co Cr Cu Dy Er Fe Ga Gd Ge Hf H Ho In La Li Mg Mn Mo N Nb Nd Ni O P Pd Pr Pt Re "
    "Ru S Sb Sc Si Sm Sn Sr Ta Tb Th Ti V W Y Yb Zn Zr Cd Pb"
)

# Numbers listed in the design notes (DOMAIN §2.1 and §2.2), each with its source there.
LISTED = {
    "atomic_mass": "Ti 47.867 Nb 92.90637 Zr 91.224 Ta 180.94788 Sn 118.710 Mo 95.95 Mg 24.305 Zn 65.38 Mn 54.938 "
    "Al 26.98154 Co 58.93319 Cr 51.9961 Fe 55.845 Ni 58.6934",
    "metallic_radius_pm": "Ti 147 Nb 147 Zr 160 Ta 147 Sn 158 Mo 139 Al 143 Co 125 Cr 129 Fe 126 Ni 125 Mg 160 Zn 137 "
    "Mn 135.7 Sr 215.1 Ca 197 V 135 Cu 128 Hf 159",
    "miracle_radius_pm": "Al 141 Co 125 Cr 130 Fe 125 Ni 126",
    "pauling_electronegativity": "Ti 1.54 Nb 1.60 Zr 1.33 Ta 1.50 Sn 1.96 Mo 2.16 Al 1.61 Co 1.88 Cr 1.66 Fe 1.83 "
    "Ni 1.91 Mg 1.31 Zn 1.65 Mn 1.55 Sr 0.95 Ca 1.00",
    "melting_point_K": "Ti 1941 Nb 2750 Zr 2128 Ta 3290 Sn 505 Mo 2896 Al 933 Co 1768 Cr 2180 Fe 1811 Ni 1728 Mg 923 "
    "Zn 693 Mn 1519",
    "density_g_per_cm3": "Ti 4.506 Nb 8.57 Zr 6.52 Ta 16.65 Sn 7.287 Mo 10.28 Al 2.70 Co 8.86 Cr 7.15 Fe 7.874 "
    "Ni 8.908 Mg 1.738 Zn 7.134 Mn 7.21",
    "bulk_modulus_GPa": "Ti 110 Nb 170 Ta 200 Sn 58 Mo 230 Al 76 V 160 Co 180 Cr 160 Fe 170 Ni 180 Mg 45 Zn 70 Mn 120 "
    "Ca 17",
    "first_ionisation_eV": "Ti 6.828 Nb 6.759 Zr 6.634 Ta 7.550 Sn 7.344 Mo 7.092 Mg 7.646 Zn 9.394 Mn 7.434 Sr 5.695 "
    "Ca 6.113 Al 5.986 Y 6.217 La 5.577",
    "work_function_eV": "Mg 3.66 Zn 4.33 Mn 4.1 Sr 2.59 Ca 2.87 Al 4.28 Y 3.1 La 3.5 Ti 4.33 Nb 4.3 Zr 4.05 Ta 4.25 "
    "Mo 4.6 Sn 4.42 Co 5.0 Cr 4.5 Fe 4.5 Ni 5.15",
    "price_usd_per_kg": "Ti 12 Nb 40 Zr 22 Ta 500 Sn 55 Mo 51 Al 3.4 V 31 Mg 2.5 Zn 3.8 Mn 2.3 Sr 11 Ca 2.7 Co 56 "
    "Cr 13 Ni 16.6 Fe 0.5",
    "mass_attenuation_60keV_cm2_per_g": "Mg 0.257 Ti 0.766 Cr 0.964 Fe 1.205 Co 1.314 Ni 1.511 Zn 1.761 Ta 3.569 "
    "Zr 3.744 Nb 4.032 Mo 4.274 Pt 4.340 Sn 6.566",
    "solubility_in_Mg_wt_pct": "Zn 6.2 Mn 2.2 Ca 1.34 Sr 0.11 Al 12.7 Y 12.4 Zr 3.8 Sn 14.5 Gd 23.5 Nd 3.6 Ag 15 "
    "Li 5.5",
    "bond_order": "Ti 2.790 V 2.805 Cr 2.779 Mn 2.723 Fe 2.651 Co 2.529 Ni 2.412 Cu 2.114 Zr 3.086 Nb 3.099 Mo 3.063 "
    "Hf 3.110 Ta 3.144 W 3.125 Al 2.426 Si 2.561 Sn 2.283",
    "d_orbital_energy_eV": "Ti 2.447 V 1.872 Cr 1.478 Mn 1.194 Fe 0.969 Co 0.807 Ni 0.724 Cu 0.567 Zr 2.934 Nb 2.424 "
    "Mo 1.961 Hf 2.975 Ta 2.531 W 2.072 Al 2.200 Si 2.200 Sn 2.100",
}

# Miedema's H_ij in kJ/mol as printed in the design notes, DOMAIN §2.2.
LISTED_PAIRS = """
Ti-Nb 2 Ti-Zr 0 Ti-Ta 1 Ti-Sn -21 Ti-Mo -4 Ti-Fe -17 Ti-Al -30 Ti-V -2 Nb-Zr 4 Nb-Ta 0 Nb-Sn -1 Nb-Mo -6
Zr-Ta 3 Zr-Sn -43 Zr-Mo -6 Zr-Al -44 Ta-Sn -3 Ta-Mo -5 Sn-Mo 20 Al-Co -19 Al-Cr -10 Al-Fe -11 Al-Ni -22 Al-Cu -1
Co-Cr -4 Co-Fe -1 Co-Ni 0 Co-Cu 6 Cr-Fe -1 Cr-Ni -7 Cr-Cu 12 Fe-Ni -2 Fe-Cu 13 Ni-Cu 4 Co-Mo -5 Cr-Mo 0
Mg-Zn -4 Mg-Mn 10 Mg-Sr -4 Mg-Ca -6 Mg-Al -2 Mg-Y -6 Mg-Zr 6 Mg-Sn -9 Zn-Mn -6 Zn-Sr -21 Zn-Ca -22 Zn-Y -31
Mn-Sr 27 Mn-Ca 19 Sr-Ca 1 Al-Mn -19
"""


def listed(text: str) -> list[tuple[str, float]]:
    words = text.split()
    return [(element, float(number)) for element, number in zip(words[::2], words[1::2], strict=True)]


def table_rows() -> list[dict[str, str]]:
    with Path(elements_module.__file__).with_name("elements.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_element_a_campaign_may_name_has_a_mass() -> None:
    assert set(REQUIRED.split()) <= set(SYMBOLS)
    assert np.isfinite(atomic_masses(SYMBOLS)).all()


def test_every_value_of_the_file_has_the_unit_of_its_property_a_source_and_a_verdict() -> None:
    for row in table_rows():
        assert row["unit"] == PROPERTIES[row["property"]].unit, row
        assert len(row["source"]) > 10, row
        assert row["verified"] in {"yes", "no"}, row
        assert np.isfinite(float(row["value"])), row


def test_no_value_is_given_twice() -> None:
    given = [(row["element"], row["property"]) for row in table_rows()]
    assert len(given) == len(set(given))


def test_every_property_is_known_of_some_element() -> None:
    assert {row["property"] for row in table_rows()} == set(PROPERTIES)


@pytest.mark.parametrize("property", sorted(LISTED))
def test_values_are_those_of_the_design_notes(property: str) -> None:
    for element, number in listed(LISTED[property]):
        assert value(property, element).value == number, element


@pytest.mark.parametrize("element", SYMBOLS)
def test_masses_are_those_of_periodictable(element: str) -> None:
    expected = float(getattr(periodictable, element).mass)
    assert value("atomic_mass", element).value == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("element", sorted(oracle.ELEMENTAL_DATA.keys() & set(SYMBOLS)))
def test_radii_electrons_electronegativities_and_melting_points_are_those_of_hea_bench(element: str) -> None:
    expected = oracle.ELEMENTAL_DATA[element]
    assert value("metallic_radius_pm", element).value == expected.radius_pm
    assert value("valence_electrons", element).value == expected.valence
    assert value("pauling_electronegativity", element).value == expected.electronegativity
    assert value("melting_point_K", element).value == pytest.approx(expected.melting_K, abs=0.5)


@pytest.mark.parametrize("element", sorted(PRICES_USD_PER_KG.keys() & set(SYMBOLS)))
def test_a_price_names_its_date_and_its_form(element: str) -> None:
    price, form, date, _ = PRICES_USD_PER_KG[element]
    ours = value("price_usd_per_kg", element)
    assert ours.value == price
    assert form in ours.source
    assert date in ours.source


@pytest.mark.parametrize(
    ("property", "element"),
    [("bond_order", "V"), ("bond_order", "Ta"), ("work_function_eV", "Ti"), ("solubility_in_Mg_wt_pct", "Zn")],
)
def test_what_is_quoted_at_second_hand_is_not_called_verified(property: str, element: str) -> None:
    assert not value(property, element).verified


def test_a_value_comes_with_its_unit_and_source() -> None:
    titanium = value("first_ionisation_eV", "Ti")
    assert titanium.unit == "eV"
    assert "NIST" in titanium.source
    assert titanium.verified


def test_what_is_not_in_the_table_is_nan_never_zero() -> None:
    assert np.isnan(values("metallic_radius_pm", ["Ti", "O", "N"])).tolist() == [False, True, True]


def test_asking_for_one_value_that_is_missing_says_where_to_add_it() -> None:
    with pytest.raises(AlloyloopError, match=r"no metallic_radius_pm of O.*elements\.csv"):
        value("metallic_radius_pm", "O")


def test_an_unknown_element_or_property_is_named() -> None:
    with pytest.raises(AlloyloopError, match="'Xx' is not an element of the table"):
        values("atomic_mass", ["Ti", "Xx"])
    with pytest.raises(AlloyloopError, match="'colour' is not a property of the element table"):
        values("colour", ["Ti"])
    with pytest.raises(AlloyloopError, match="'Xx' is not an element of the table"):
        pair_enthalpies(["Ti", "Xx"])


@pytest.mark.parametrize(("pair", "enthalpy"), listed(LISTED_PAIRS))
def test_pair_enthalpies_are_those_of_the_design_notes(pair: str, enthalpy: float) -> None:
    a, b = pair.split("-")
    assert pair_enthalpy(a, b) == enthalpy
    assert pair_enthalpy(b, a) == enthalpy


def test_every_pair_enthalpy_is_that_of_hea_bench() -> None:
    matrix = pair_enthalpies(SYMBOLS)
    for (i, a), (j, b) in combinations(enumerate(SYMBOLS), 2):
        try:
            expected = oracle_pair_enthalpy(a, b)
        except KeyError:
            expected = np.nan
        np.testing.assert_equal(matrix[i, j], expected, err_msg=f"{a}-{b}")


def test_the_matrix_of_pair_enthalpies_is_symmetric_with_nothing_on_the_diagonal() -> None:
    matrix = pair_enthalpies(SYMBOLS)
    np.testing.assert_array_equal(matrix, matrix.T)
    np.testing.assert_array_equal(np.diag(matrix), 0.0)
    assert pair_enthalpies([]).shape == (0, 0)


def test_a_pair_nobody_tabulated_is_nan() -> None:
    assert np.isnan(pair_enthalpy("Ti", "O"))
