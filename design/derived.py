"""Properties computed from what an instrument reads: moduli from sound and resonance, hardness, corrosion rates.

`METHODS` lists what can be computed, from which readings in which units, and by which source. Corrosion rates are
computed in `corrosion.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite, radians, sin
from typing import Literal

from ..surrogates.errors import AlloyloopError
from .corrosion import ATMOSPHERE_KPA, ZERO_CELSIUS_K, rate_from_current, rate_from_hydrogen, rate_from_mass_loss

# Of metals; where a bar is bent it hardly matters: 0.03 more makes the modulus of one ten times as long 0.1 % larger.
USUAL_POISSON = 0.33
# The correction of ASTM E1876 agrees with Timoshenko's beam within 1.2 % where a specimen is at least so many times as
# long as thick (tests/design/test_derived.py).
LEAST_SLENDER = 5.0


def youngs_modulus_from_velocities(
    longitudinal_m_per_s: float, shear_m_per_s: float, density_g_per_cm3: float
) -> float:
    """Young's modulus by the velocities of sound, E = ρ c_T² (3 c_L² - 4 c_T²) / (c_L² - c_T²).

    Parameters
    ----------
    longitudinal_m_per_s, shear_m_per_s : c_L and c_T, in an isotropic body much thicker than a wave is long
    density_g_per_cm3 : ρ

    Returns
    -------
    E [GPa]

    Raises
    ------
    AlloyloopError
        where the two give a Poisson's ratio below 0, which no alloy has

    References
    ----------
    ASTM E494. A texture makes it differ from the modulus of a tensile test.

    Examples
    --------
    >>> round(youngs_modulus_from_velocities(5900, 3230, 7.7), 1)
    206.6
    """
    poisson = poisson_from_velocities(longitudinal_m_per_s, shear_m_per_s)
    shear_modulus_GPa = 1e-6 * density_g_per_cm3 * shear_m_per_s**2
    return 2 * shear_modulus_GPa * (1 + poisson)


def poisson_from_velocities(longitudinal_m_per_s: float, shear_m_per_s: float) -> float:
    """Poisson's ratio by the velocities of sound, ν = (c_L² - 2 c_T²) / (2 (c_L² - c_T²)) (ASTM E494).

    >>> round(poisson_from_velocities(5900, 3230), 3)
    0.286
    """
    ratio = (longitudinal_m_per_s / shear_m_per_s) ** 2
    if ratio < 2:
        raise AlloyloopError(
            f"Longitudinal {longitudinal_m_per_s:g} m/s and shear {shear_m_per_s:g} m/s fit no alloy: Poisson's ratio "
            "would be negative",
            "Check which is which: in metals the longitudinal wave is about twice as fast.",
        )
    return (ratio - 2) / (2 * (ratio - 1))


def youngs_modulus_from_bar_resonance(
    mass_g: float,
    length_mm: float,
    width_mm: float,
    thickness_mm: float,
    frequency_Hz: float,
    poisson: float = USUAL_POISSON,
) -> float:
    """Young's modulus by the first bending resonance of a free rectangular bar, E = 0.9465 (m f² / b) (L³ / t³) T₁.

    Parameters
    ----------
    mass_g, length_mm, width_mm, thickness_mm : m, L, b and t; it bends in the direction of t
    frequency_Hz : f
    poisson : μ

    Returns
    -------
    E [GPa]

    Raises
    ------
    AlloyloopError
        where the bar is less than five times as long as thick

    References
    ----------
    ASTM E1876, quoted from memory; with its factors Timoshenko's beam comes out within 1.2 %, a slender one exactly.

    Examples
    --------
    >>> round(youngs_modulus_from_bar_resonance(8.1, 60, 10, 3, 3280), 1)
    67.2
    """
    _refuse_stout(length_mm, thickness_mm, "thickness")
    q = thickness_mm / length_mm
    correction = (
        1
        + 6.585 * (1 + 0.0752 * poisson + 0.8109 * poisson**2) * q**2
        - 0.868 * q**4
        - 8.340
        * (1 + 0.2023 * poisson + 2.173 * poisson**2)
        * q**4
        / (1 + 6.338 * (1 + 0.1408 * poisson + 1.536 * poisson**2) * q**2)
    )
    # Grams, millimetres and hertz make pascals.
    return 1e-9 * 0.9465 * (mass_g * frequency_Hz**2 / width_mm) / q**3 * correction


def youngs_modulus_from_rod_resonance(
    mass_g: float, length_mm: float, diameter_mm: float, frequency_Hz: float, poisson: float = USUAL_POISSON
) -> float:
    """Young's modulus by the first bending resonance of a free round rod, E = 1.6067 (L³ / D⁴) m f² T₁'.

    Parameters
    ----------
    mass_g, length_mm, diameter_mm : m, L and D
    frequency_Hz : f
    poisson : μ

    Returns
    -------
    E [GPa]

    Raises
    ------
    AlloyloopError
        where the rod is less than five times as long as thick

    References
    ----------
    ASTM E1876, quoted from memory; with its factors Timoshenko's beam comes out within 1.2 %, a slender one exactly.

    Examples
    --------
    >>> round(youngs_modulus_from_rod_resonance(11.3, 80, 6, 4100), 1)
    124.3
    """
    _refuse_stout(length_mm, diameter_mm, "diameter")
    q = diameter_mm / length_mm
    correction = (
        1
        + 4.939 * (1 + 0.0752 * poisson + 0.8109 * poisson**2) * q**2
        - 0.4883 * q**4
        - 4.691
        * (1 + 0.2023 * poisson + 2.173 * poisson**2)
        * q**4
        / (1 + 4.754 * (1 + 0.1408 * poisson + 1.536 * poisson**2) * q**2)
    )
    return 1e-9 * 1.6067 * mass_g * frequency_Hz**2 / (q**3 * diameter_mm) * correction


def _refuse_stout(length_mm: float, across_mm: float, what: str) -> None:
    if length_mm < LEAST_SLENDER * across_mm:
        raise AlloyloopError(
            f"A length of {length_mm:g} mm and a {what} of {across_mm:g} mm: the formula is for specimens at least "
            f"{LEAST_SLENDER:g} times as long",
            "Check which is which, or take another method.",
        )


def vickers_hardness(load_kgf: float, diagonal_mm: float) -> float:
    """Vickers hardness, HV = 2 F sin(136°/2) / d², which is 1.8544 F / d².

    Parameters
    ----------
    load_kgf : F
    diagonal_mm : d, mean of the two

    References
    ----------
    ISO 6507-1, ASTM E384.

    Examples
    --------
    >>> round(vickers_hardness(10, 0.2), 1)
    463.6
    """
    return 2 * load_kgf * sin(radians(136 / 2)) / diagonal_mm**2


@dataclass(frozen=True, slots=True)
class Input:
    """One number that a method needs.

    Parameters
    ----------
    name : as it is written
    unit : in which the formula takes it, as names of columns say units; "" where it has none
    about : what it is
    default : taken where it is not given; None where it must be
    of_alloy : what it is of the alloy, which is computed where it is not given; "" where it is not of the alloy
    above : what it must be above, in the formula's unit
    """

    name: str
    unit: str
    about: str
    default: float | None = None
    of_alloy: Literal["", "density", "equivalent weight"] = ""
    above: float = 0.0


@dataclass(frozen=True, slots=True)
class Method:
    """A way to compute a property from readings.

    Parameters
    ----------
    name : as it is written
    unit : of what it gives, as names of columns say units
    inputs : what it needs, in the order of the formula's arguments
    formula : of the inputs, in their units
    source : the standard
    verified : whether the source was read, or its worked values are met; else it is quoted from memory

    Examples
    --------
    >>> print(METHODS["mass_loss"])
    mass_loss(mass, area, time[, density]), ASTM G31
    """

    name: str
    unit: str
    inputs: tuple[Input, ...]
    formula: Callable[..., float]
    source: str
    verified: bool

    def of(self, *readings: float) -> float:
        """Compute the property; a reading that cannot be one is an :class:`AlloyloopError`."""
        for asked, reading in zip(self.inputs, readings, strict=True):
            if not isfinite(reading) or reading <= asked.above:
                said = f"{asked.name} {reading:g} {asked.unit.replace('_per_', '/')}".rstrip()
                raise AlloyloopError(f"{said} cannot be ({asked.about})", "Correct it.")
        try:
            found = self.formula(*readings)
        except ArithmeticError:
            found = inf
        if not isfinite(found):
            raise AlloyloopError(f"What {self.name} gives of these readings is no number", "Check their units.")
        return found

    def __str__(self) -> str:
        needed = ", ".join(asked.name for asked in self.inputs if asked.default is None and not asked.of_alloy)
        others = "".join(f", {asked.name}" for asked in self.inputs if asked.default is not None or asked.of_alloy)
        return f"{self.name}({needed}{others and f'[{others}]'}), {self.source}"


_AREA = Input("area", "cm2", "the exposed surface")
_TIME = Input("time", "h", "how long it was exposed")
_DENSITY = Input("density", "g_per_cm3", "density of the alloy", of_alloy="density")
_EQUIVALENT = Input(
    "equivalent_weight", "g_per_mol", "mass of the alloy a mole of electrons dissolves", of_alloy="equivalent weight"
)
_MASS = Input("mass", "g", "mass of the specimen")
_LENGTH = Input("length", "mm", "length of the specimen")
_FREQUENCY = Input("frequency", "Hz", "first bending resonance")
_POISSON = Input("poisson", "", "Poisson's ratio", USUAL_POISSON)


def _hydrogen(
    volume: float,
    area: float,
    time: float,
    temperature: float,
    pressure: float,
    vapour: float,
    weight: float,
    rho: float,
) -> float:
    if not 0 <= vapour < pressure:
        raise AlloyloopError(
            f"Water vapour of {vapour:g} kPa cannot be in hydrogen of {pressure:g} kPa",
            "Correct one of them.",
        )
    return rate_from_hydrogen(volume, area, time, temperature, weight, rho, pressure, vapour)


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            "mass_loss",
            "mm_per_y",
            (Input("mass", "mg", "mass lost, after cleaning"), _AREA, _TIME, _DENSITY),
            rate_from_mass_loss,
            "ASTM G31",
            verified=True,
        ),
        Method(
            "corrosion_current",
            "mm_per_y",
            (Input("current", "mA_per_cm2", "density of the corrosion current"), _EQUIVALENT, _DENSITY),
            rate_from_current,
            "ASTM G102",
            verified=True,
        ),
        Method(
            "hydrogen",
            "mm_per_y",
            (
                Input("volume", "mL", "hydrogen collected"),
                _AREA,
                _TIME,
                Input("temperature", "C", "of the gas as its volume was read", above=-ZERO_CELSIUS_K),
                Input("pressure", "kPa", "of the gas", ATMOSPHERE_KPA),
                Input("vapour", "kPa", "water vapour in the gas", 0.0, above=-inf),
                _EQUIVALENT,
                _DENSITY,
            ),
            _hydrogen,
            "ideal gas and Faraday's law",
            verified=True,
        ),
        Method(
            "ultrasonic",
            "GPa",
            (
                Input("longitudinal", "m_per_s", "velocity of the longitudinal wave"),
                Input("shear", "m_per_s", "velocity of the shear wave"),
                _DENSITY,
            ),
            youngs_modulus_from_velocities,
            "ASTM E494",
            verified=True,
        ),
        Method(
            "resonance_bar",
            "GPa",
            (
                _MASS,
                _LENGTH,
                Input("width", "mm", "width of the bar"),
                Input("thickness", "mm", "thickness of the bar, in the direction in which it bends"),
                _FREQUENCY,
                _POISSON,
            ),
            youngs_modulus_from_bar_resonance,
            "ASTM E1876",
            verified=False,
        ),
        Method(
            "resonance_rod",
            "GPa",
            (_MASS, _LENGTH, Input("diameter", "mm", "diameter of the rod"), _FREQUENCY, _POISSON),
            youngs_modulus_from_rod_resonance,
            "ASTM E1876",
            verified=False,
        ),
        Method(
            "vickers",
            "HV",
            (Input("load", "kgf", "test load"), Input("diagonal", "mm", "mean diagonal of the indent")),
            vickers_hardness,
            "ISO 6507-1",
            verified=True,
        ),
    )
}


def method(name: str) -> Method:
    """The method of that name; any other is an :class:`AlloyloopError` that lists them.

    Examples
    --------
    >>> method("vickers").unit
    'HV'
    """
    if name not in METHODS:
        raise AlloyloopError(f"There is no method '{name}'", f"Those are {'; '.join(map(str, METHODS.values()))}.")
    return METHODS[name]
