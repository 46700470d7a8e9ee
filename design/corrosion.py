"""Corrosion rates from what a laboratory measures: lost mass, current, hydrogen.

The three kinds of rate may differ by a factor of two or more for the same magnesium alloy, so a campaign keeps them as
separate properties, each with its medium.
"""

from __future__ import annotations

ZERO_CELSIUS_K = 273.15


def rate_from_mass_loss(mass_loss_mg: float, area_cm2: float, time_h: float, density_g_per_cm3: float) -> float:
    """Corrosion rate by lost mass, 87.6 W/(A t D).

    Parameters
    ----------
    mass_loss_mg : W, after cleaning
    area_cm2 : A, of the exposed surface
    time_h : t, of exposure
    density_g_per_cm3 : D, of the alloy

    Returns
    -------
    rate [mm/y]

    References
    ----------
    ASTM G31; the factor is 10 mm/cm × 8760 h/y / 1000 mg/g.

    Examples
    --------
    >>> round(rate_from_mass_loss(12.0, 5.0, 168.0, 1.76), 3)
    0.711
    """
    return 87.6 * mass_loss_mg / (area_cm2 * time_h * density_g_per_cm3)


def magnesium_rate_from_mass_loss(loss_mg_per_cm2_d: float) -> float:
    """Corrosion rate of magnesium by lost mass, P_W = 2.10 ΔW [mm/y].

    References
    ----------
    Atrens et al. for pure magnesium, 1.74 g/cm3; `rate_from_mass_loss` says it for any density.

    Examples
    --------
    >>> magnesium_rate_from_mass_loss(1.0)
    2.1
    """
    return 2.10 * loss_mg_per_cm2_d


def magnesium_rate_from_current(current_density_mA_per_cm2: float) -> float:
    """Corrosion rate of magnesium by corrosion current, P_i = 22.85 i [mm/y].

    References
    ----------
    Atrens et al.; Faraday's law with two electrons, 24.305 g/mol and 1.738 g/cm3 gives 22.87.

    Examples
    --------
    >>> round(magnesium_rate_from_current(0.01), 4)
    0.2285
    """
    return 22.85 * current_density_mA_per_cm2


def magnesium_rate_from_hydrogen(volume_mL_per_cm2_d: float, gas_temperature_C: float) -> float:
    """Corrosion rate of magnesium by evolved hydrogen, P_H = 2.279 V_H2 for a gas at 0 °C and 1 atm [mm/y].

    Parameters
    ----------
    volume_mL_per_cm2_d : hydrogen collected, at the pressure of 1 atm
    gas_temperature_C : of the hydrogen as its volume was read; at 37 °C the same volume holds 12 % less than at 0 °C

    References
    ----------
    Atrens et al.; one molecule of hydrogen an atom of magnesium, ideal gas.

    Examples
    --------
    >>> magnesium_rate_from_hydrogen(1.0, 0.0), round(magnesium_rate_from_hydrogen(1.0, 37.0), 2)
    (2.279, 2.01)
    """
    return 2.279 * volume_mL_per_cm2_d * ZERO_CELSIUS_K / (ZERO_CELSIUS_K + gas_temperature_C)
