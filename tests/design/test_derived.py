"""Moduli and hardness are what theory and tables say of the readings they are computed from."""

from __future__ import annotations

from inspect import signature
from math import atan, hypot, pi, radians, sqrt, tan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial import legendre
from scipy.linalg import eigh

from alloyloop.design.derived import (
    LEAST_SLENDER,
    METHODS,
    method,
    poisson_from_velocities,
    vickers_hardness,
    youngs_modulus_from_bar_resonance,
    youngs_modulus_from_rod_resonance,
    youngs_modulus_from_velocities,
)
from alloyloop.surrogates.errors import AlloyloopError


@pytest.mark.parametrize(
    ("longitudinal", "shear", "density", "modulus"),
    [
        # Velocities [m/s] and densities [g/cm3] of ASTM E494, Table X3.1; moduli [GPa] as handbooks give them.
        (5900, 3230, 7.70, 207),  # steel
        (5790, 3100, 7.91, 195),  # stainless steel 347
        (6300, 3130, 2.70, 70),  # aluminium
        (5740, 3080, 1.74, 45),  # magnesium
        (4310, 1960, 6.49, 68),  # zirconium
        (5630, 2960, 8.80, 200),  # nickel
        (12400, 8650, 1.85, 287),  # beryllium
    ],
)
def test_velocities_of_sound_give_the_modulus_of_the_handbooks(
    longitudinal: float, shear: float, density: float, modulus: float
) -> None:
    assert youngs_modulus_from_velocities(longitudinal, shear, density) == pytest.approx(modulus, rel=0.05)


@given(st.floats(10, 500), st.floats(0.01, 0.48), st.floats(1, 20))
def test_the_velocities_that_a_modulus_gives_give_it_back(modulus: float, poisson: float, density: float) -> None:
    pascal, kg_per_m3 = 1e9 * modulus, 1e3 * density
    # Lamé: the moduli of a plane longitudinal and of a shear wave in an infinite isotropic body.
    longitudinal = sqrt(pascal * (1 - poisson) / ((1 + poisson) * (1 - 2 * poisson)) / kg_per_m3)
    shear = sqrt(pascal / (2 * (1 + poisson)) / kg_per_m3)
    assert youngs_modulus_from_velocities(longitudinal, shear, density) == pytest.approx(modulus)
    assert poisson_from_velocities(longitudinal, shear) == pytest.approx(poisson)


@pytest.mark.parametrize(("longitudinal", "shear"), [(3230, 5900), (4500, 3230)])  # 4500 is below √2 × 3230
def test_velocities_that_fit_no_alloy_are_refused(longitudinal: float, shear: float) -> None:
    with pytest.raises(AlloyloopError, match=r"Poisson's ratio would be negative\. Check which is which"):
        youngs_modulus_from_velocities(longitudinal, shear, 7.7)


def resonance_Hz(
    modulus: float, poisson: float, kg: float, length: float, area: float, second: float, shear: float
) -> float:
    """First bending resonance of a free Timoshenko beam [SI], by Ritz with Legendre polynomials.

    Parameters
    ----------
    area, second : of the section, and its second moment
    shear : the shear coefficient of the section
    """
    n, (at, weights) = 14, legendre.leggauss(40)
    values = np.array([legendre.legval(at, row) for row in np.eye(n)])
    slopes = np.array([legendre.legval(at, legendre.legder(row)) for row in np.eye(n)]) * 2 / length
    weights = weights * length / 2
    rigidity, density = shear * modulus / (2 * (1 + poisson)) * area, kg / (length * area)
    pairs = ((slopes, slopes), (values, values), (slopes, values))
    of_slopes, of_values, mixed = ((a * weights) @ b.T for a, b in pairs)
    stiffness = np.block(
        [
            [rigidity * of_slopes, -rigidity * mixed],
            [-rigidity * mixed.T, modulus * second * of_slopes + rigidity * of_values],
        ]
    )
    nothing = np.zeros((n, n))
    inertia = np.block([[density * area * of_values, nothing], [nothing, density * second * of_values]])
    squares = np.sort(eigh(stiffness, inertia, eigvals_only=True))
    return float(sqrt(squares[2])) / (2 * pi)  # after the two motions of the rigid beam


# How far E1876 may be from Timoshenko's beam, whose shear coefficients (Cowper, J. Appl. Mech. 33 (1966) 335) are
# themselves approximate.
WITHIN = {100.0: 1e-3, 20.0: 2e-3, 10.0: 4e-3, LEAST_SLENDER: 1.2e-2}


@pytest.mark.parametrize("poisson", [0.25, 0.33, 0.4])
@pytest.mark.parametrize(("slenderness", "within"), WITHIN.items())
def test_the_resonance_of_a_beam_gives_its_modulus_back(slenderness: float, within: float, poisson: float) -> None:
    modulus, length, density = 80e9, 0.06, 5000.0
    thick = length / slenderness
    wide = 2 * thick
    kg = density * length * wide * thick
    cowper = 10 * (1 + poisson) / (12 + 11 * poisson)
    f = resonance_Hz(modulus, poisson, kg, length, wide * thick, wide * thick**3 / 12, cowper)
    bar = youngs_modulus_from_bar_resonance(1e3 * kg, 1e3 * length, 1e3 * wide, 1e3 * thick, f, poisson)
    assert bar == pytest.approx(80, rel=within)
    kg = density * length * pi * thick**2 / 4
    cowper = 6 * (1 + poisson) / (7 + 6 * poisson)
    f = resonance_Hz(modulus, poisson, kg, length, pi * thick**2 / 4, pi * thick**4 / 64, cowper)
    rod = youngs_modulus_from_rod_resonance(1e3 * kg, 1e3 * length, 1e3 * thick, f, poisson)
    assert rod == pytest.approx(80, rel=within)


def test_a_specimen_too_stout_to_bend_is_refused() -> None:
    with pytest.raises(AlloyloopError, match="length of 3 mm and a thickness of 60 mm"):
        youngs_modulus_from_bar_resonance(8.1, 3, 10, 60, 3280)
    with pytest.raises(AlloyloopError, match="length of 6 mm and a diameter of 60 mm"):
        youngs_modulus_from_rod_resonance(8.1, 6, 60, 3280)


@given(st.floats(0.01, 100), st.floats(0.005, 2))
def test_vickers_hardness_is_the_load_on_the_faces_of_the_pyramid(load_kgf: float, diagonal_mm: float) -> None:
    # Opposite faces meet at 136°: the depth follows from half a side, the area from four triangles.
    half_side = diagonal_mm / sqrt(2) / 2
    depth = half_side / tan(radians(68))
    area = 4 * (2 * half_side) * hypot(half_side, depth) / 2
    assert atan(half_side / depth) == pytest.approx(radians(68))
    assert vickers_hardness(load_kgf, diagonal_mm) == pytest.approx(load_kgf / area)


def test_vickers_hardness_is_that_of_iso_6507() -> None:
    # 0.1891 F/d² with F in newtons: 0.102 × 1.8544.
    assert vickers_hardness(98.07 / 9.80665, 0.2) == pytest.approx(0.1891 * 98.07 / 0.2**2, rel=1e-3)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_has_as_many_inputs_as_its_formula(name: str) -> None:
    assert len(METHODS[name].inputs) == len(signature(METHODS[name].formula).parameters)


def test_a_method_that_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(AlloyloopError, match=r"no method 'brinell'. Those are mass_loss\(mass, area, time"):
        method("brinell")


@pytest.mark.parametrize("reading", [0.0, -1.0, float("nan"), float("inf")])
def test_a_reading_that_cannot_be_is_refused(reading: float) -> None:
    with pytest.raises(AlloyloopError, match=r"diagonal .* mm cannot be"):
        METHODS["vickers"].of(1.0, reading)


def test_readings_beyond_all_numbers_are_refused() -> None:
    with pytest.raises(AlloyloopError, match=r"vickers gives of these readings is no number. Check their units"):
        METHODS["vickers"].of(1.0, 1e-200)
