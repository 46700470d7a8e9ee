"""Corrosion rates are those of ASTM G31 and, for magnesium, of Faraday's law and the ideal gas."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.corrosion import (
    magnesium_rate_from_current,
    magnesium_rate_from_hydrogen,
    magnesium_rate_from_mass_loss,
    rate_from_mass_loss,
)

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
