"""Corrosion rates are those of ASTM G31 and, for magnesium, of Faraday's law and the ideal gas."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.corrosion import (
    VALENCES,
    equivalent_weight,
    magnesium_rate_from_current,
    magnesium_rate_from_hydrogen,
    magnesium_rate_from_mass_loss,
    rate_from_current,
    rate_from_hydrogen,
    rate_from_mass_loss,
)
from alloyloop.design.derived import METHODS
from alloyloop.design.elements import value
from alloyloop.surrogates.errors import AlloyloopError

FARADAY = 96485.332  # C/mol
MG_G_PER_MOL, MG_G_PER_CM3 = 24.305, 1.738
SECONDS_PER_YEAR = 365.25 * 86400


def test_lost_mass_gives_the_rate_of_astm_g31() -> None:
    assert rate_from_mass_loss(12.0, 5.0, 168.0, 1.76) == pytest.approx(0.711, abs=5e-4)  # DOMAIN §2.4, by hand


def test_magnesium_by_lost_mass_is_g31_for_pure_magnesium_over_a_day() -> None:
    assert magnesium_rate_from_mass_loss(1.0) == pytest.approx(
        rate_from_mass_loss(1.0, 1.0, 24.0, MG_G_PER_CM3), rel=2e-3
    )


def test_magnesium_by_current_is_faradays_law_with_two_electrons() -> None:
    cm_per_second = 1e-3 * MG_G_PER_MOL / (2 * FARADAY) / MG_G_PER_CM3  # at 1 mA/cm²
    assert magnesium_rate_from_current(1.0) == pytest.approx(10 * cm_per_second * SECONDS_PER_YEAR, rel=2e-3)


@pytest.mark.parametrize(("temperature_C", "expected"), [(0.0, 2.279), (37.0, 2.007)])
def test_magnesium_by_hydrogen_is_one_molecule_an_atom_of_an_ideal_gas(temperature_C: float, expected: float) -> None:
    moles = 101325 * 1e-6 / (8.314463 * (273.15 + temperature_C))  # in 1 mL at 1 atm
    mm_per_year = 10 * moles * MG_G_PER_MOL / MG_G_PER_CM3 * 365.25
    assert magnesium_rate_from_hydrogen(1.0, temperature_C) == pytest.approx(mm_per_year, rel=2e-3)
    assert magnesium_rate_from_hydrogen(1.0, temperature_C) == pytest.approx(expected, abs=5e-4)


@given(st.floats(0.001, 1e3), st.floats(0.1, 100), st.floats(1, 1e4), st.floats(1, 20))
def test_twice_the_time_for_the_same_loss_is_half_the_rate(loss: float, area: float, time: float, rho: float) -> None:
    once, twice = rate_from_mass_loss(loss, area, time, rho), rate_from_mass_loss(loss, area, 2 * time, rho)
    assert twice == pytest.approx(once / 2)


def test_a_current_gives_the_rate_of_astm_g102() -> None:
    k_1 = 3.27e-3  # mm g/(µA cm y), of the standard
    assert rate_from_current(0.025, 25.12, 7.94) == pytest.approx(k_1 * 25 * 25.12 / 7.94, rel=1e-3)


def test_a_current_gives_the_same_rate_of_magnesium_as_atrens() -> None:
    assert rate_from_current(1.0, MG_G_PER_MOL / 2, MG_G_PER_CM3) == pytest.approx(
        magnesium_rate_from_current(1.0), rel=2e-3
    )


@pytest.mark.parametrize("temperature_C", [0.0, 37.0])
def test_hydrogen_gives_the_same_rate_of_magnesium_as_atrens(temperature_C: float) -> None:
    rate = rate_from_hydrogen(2.0, 1.0, 48.0, temperature_C, MG_G_PER_MOL / 2, MG_G_PER_CM3)
    assert rate == pytest.approx(magnesium_rate_from_hydrogen(1.0, temperature_C), rel=2e-3)


@given(st.floats(0.01, 100), st.floats(0.1, 100), st.floats(1, 1e4), st.floats(5, 50), st.floats(1, 20))
def test_the_hydrogen_and_the_current_of_one_dissolution_give_its_mass_loss(
    mass_mg: float, area: float, time: float, weight: float, rho: float
) -> None:
    electrons = 1e-3 * mass_mg / weight  # Faraday, mol
    volume_mL = 1e6 * electrons / 2 * 8.314462618 * 298.15 / 101325
    current_mA_per_cm2 = 1e3 * electrons * FARADAY / (3600 * time) / area
    lost = rate_from_mass_loss(mass_mg, area, time, rho)
    assert rate_from_hydrogen(volume_mL, area, time, 25.0, weight, rho) == pytest.approx(lost, rel=1e-6)
    assert rate_from_current(current_mA_per_cm2, weight, rho) == pytest.approx(lost, rel=1e-6)


def test_water_vapour_in_the_gas_is_no_hydrogen() -> None:
    dry = rate_from_hydrogen(1.0, 1.0, 24.0, 37.0, 12.15, 1.74, 101.325)
    wet = rate_from_hydrogen(1.0, 1.0, 24.0, 37.0, 12.15, 1.74, 101.325, 6.28)  # saturated at 37 °C, steam tables
    assert wet / dry == pytest.approx(1 - 6.28 / 101.325)
    with pytest.raises(AlloyloopError, match=r"Water vapour of 200 kPa cannot be in hydrogen of 101.325 kPa"):
        METHODS["hydrogen"].of(1.0, 1.0, 24.0, 37.0, 101.325, 200.0, 12.15, 1.74)


def test_the_equivalent_weight_of_a_stainless_steel_is_by_its_electrons() -> None:
    # By hand: 0.7175 × 2 / 55.845 + 0.19 × 3 / 51.9961 + 0.0925 × 2 / 58.6934 = 0.039810 mol/g
    assert equivalent_weight({"Fe": 71.75, "Cr": 19.0, "Ni": 9.25}) == pytest.approx(1 / 0.039810, rel=1e-4)


def test_elements_below_one_per_cent_are_passed_over() -> None:
    assert equivalent_weight({"Mg": 99.3, "Cu": 0.7}) == equivalent_weight({"Mg": 99.3})


def test_a_valence_that_is_not_known_is_asked_for() -> None:
    with pytest.raises(AlloyloopError, match=r"how many electrons an atom of Mo gives.* Give the equivalent weight"):
        equivalent_weight({"Ti": 85.0, "Mo": 15.0})
    assert equivalent_weight({"Mo": 100.0}, {"Mo": 3}) == pytest.approx(value("atomic_mass", "Mo").value / 3)
    assert not {"Mo", "Sn", "V", "W", "Cu"} & VALENCES.keys()
