"""Corrosion rates from what a laboratory measures: lost mass, current, hydrogen.

The three kinds of rate may differ by a factor of two or more for the same magnesium alloy, so a campaign keeps them as
separate properties, each with its medium.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..surrogates.errors import AlloyloopError
from .elements import value

ZERO_CELSIUS_K = 273.15
ATMOSPHERE_KPA = 101.325
GAS_CONSTANT = 8.314462618  # J/(mol K), CODATA 2018
FARADAY = 96485.33212  # C/mol, CODATA 2018
SECONDS_PER_YEAR = 365 * 86400.0  # the year of ASTM G31 and G102: 8760 h
# Below this an element is passed over in an equivalent weight [wt.%].
LEAST_DISSOLVED = 1.0

# Electrons that an atom gives as it dissolves, of elements that leave no choice in water near pH 7 or, of iron and the
# metals beside it, as in the usual equivalent weights of stainless steels. Mo, Sn, V, W and Cu have several.
VALENCES: dict[str, int] = {
    **dict.fromkeys(("Li", "Ag"), 1),
    **dict.fromkeys(("Mg", "Ca", "Sr", "Zn", "Mn", "Fe", "Co", "Ni"), 2),
    **dict.fromkeys(("Al", "Cr", "Sc", "Y", "La", "Ce", "Nd", "Gd", "Dy"), 3),
    **dict.fromkeys(("Ti", "Zr", "Hf"), 4),
    **dict.fromkeys(("Nb", "Ta"), 5),
}


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


def equivalent_weight(wt_pct: Mapping[str, float], valences: Mapping[str, int] = VALENCES) -> float:
    """Mass of an alloy that one mole of electrons dissolves, EW = 1 / Σ(n_i f_i / W_i) [g/mol].

    Parameters
    ----------
    wt_pct : element -> amount [wt.%]; elements below 1 wt.% are passed over, and the rest taken as they are
    valences : element -> n, electrons that an atom gives

    Raises
    ------
    AlloyloopError
        where the valence of an element is not known

    References
    ----------
    ASTM G102; f is a mass fraction, W an atomic mass. The alloy is taken to dissolve evenly. Which valence holds is for
    the user to know: the defaults are not from the standard's table, which was not at hand.

    Examples
    --------
    >>> round(equivalent_weight({"Mg": 100}), 4), round(equivalent_weight({"Fe": 71.75, "Cr": 19, "Ni": 9.25}), 2)
    (12.1525, 25.12)
    """
    counted = {element: amount for element, amount in wt_pct.items() if amount >= LEAST_DISSOLVED}
    if unknown := [element for element in counted if element not in valences]:
        raise AlloyloopError(
            f"It is not known how many electrons an atom of {unknown[0]} gives as it dissolves",
            "Give the equivalent weight of the alloy [g/mol] (ASTM G102).",
        )
    electrons = sum(
        valences[element] * amount / 100 / value("atomic_mass", element).value for element, amount in counted.items()
    )
    return 1 / electrons


def rate_from_current(current_mA_per_cm2: float, equivalent_weight_g: float, density_g_per_cm3: float) -> float:
    """Corrosion rate by the density of the corrosion current, K i EW / ρ.

    Parameters
    ----------
    current_mA_per_cm2 : i, by Tafel extrapolation or polarisation resistance
    equivalent_weight_g : EW, of the alloy [g/mol], see `equivalent_weight`
    density_g_per_cm3 : ρ, of the alloy

    Returns
    -------
    rate [mm/y]

    References
    ----------
    ASTM G102, whose factor of 3.27e-3 mm g/(µA cm y) is Faraday's law over a year of 8760 h.

    Examples
    --------
    >>> round(rate_from_current(1e-3, 25.12, 7.94), 5)
    0.01034
    """
    cm_per_s = 1e-3 * current_mA_per_cm2 * equivalent_weight_g / (FARADAY * density_g_per_cm3)
    return 10 * cm_per_s * SECONDS_PER_YEAR


def rate_from_hydrogen(
    volume_mL: float,
    area_cm2: float,
    time_h: float,
    gas_temperature_C: float,
    equivalent_weight_g: float,
    density_g_per_cm3: float,
    pressure_kPa: float = ATMOSPHERE_KPA,
    water_vapour_kPa: float = 0.0,
) -> float:
    """Corrosion rate by evolved hydrogen, an ideal gas: two electrons a molecule.

    Parameters
    ----------
    volume_mL : of the gas collected over the whole time
    area_cm2 : of the exposed surface
    time_h : of exposure
    gas_temperature_C : of the gas as its volume was read: at 37 °C it holds 12 % less hydrogen than at 0 °C
    equivalent_weight_g : of the alloy [g/mol], see `equivalent_weight`
    density_g_per_cm3 : of the alloy
    pressure_kPa : of the gas
    water_vapour_kPa : the part of it that is water vapour, where the gas stands over water: 6.3 kPa at 37 °C

    Returns
    -------
    rate [mm/y]; hydrogen that dissolves in the medium or the metal is not in it

    References
    ----------
    The ideal gas and Faraday's law. For pure magnesium it is the P_H of Atrens et al.

    Examples
    --------
    >>> round(rate_from_hydrogen(1.0, 1.0, 24.0, 0.0, 24.305 / 2, 1.738), 3)
    2.277
    """
    pascals_times_m3 = 1e3 * (pressure_kPa - water_vapour_kPa) * 1e-6 * volume_mL
    moles = pascals_times_m3 / (GAS_CONSTANT * (ZERO_CELSIUS_K + gas_temperature_C))
    dissolved_g = 2 * moles * equivalent_weight_g
    return rate_from_mass_loss(1e3 * dissolved_g, area_cm2, time_h, density_g_per_cm3)


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
