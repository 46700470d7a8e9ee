"""The element table: every value with its unit and its source, and the mixing enthalpies of pairs.

The numbers live beside this file, to be read and edited there:

- `elements.csv`, one row a value: `element, property, value, unit, source, verified`. *verified* is `yes` where the
  value was read in the source named, or in a copy of it that is named, or agrees with a second source that is named;
  `no` where it is only quoted, or is a stand-in. What the table does not have is missing, never guessed: `values` gives
  NaN for it.
- `pair_enthalpies.csv`, one row a pair: Miedema's enthalpy of mixing of the equiatomic liquid.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Property:
    """What a column of the element table means."""

    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Value:
    """One number of the element table and where it comes from."""

    value: float
    unit: str
    source: str
    verified: bool


PROPERTIES: dict[str, Property] = {
    "atomic_mass": Property("g/mol", "standard atomic weight"),
    "metallic_radius_pm": Property("pm", "metallic radius for twelve neighbours (Goldschmidt)"),
    "miracle_radius_pm": Property("pm", "radius in metallic glasses (Miracle)"),
    "pauling_electronegativity": Property("-", "electronegativity on Pauling's scale"),
    "valence_electrons": Property("-", "electrons outside the noble-gas core, all d electrons counted (VEC)"),
    "melting_point_K": Property("K", "melting point at 1 atm"),
    "density_g_per_cm3": Property("g/cm3", "density of the solid at room temperature"),
    "bond_order": Property("-", "Bo, bond order with bcc titanium (Morinaga)"),
    "d_orbital_energy_eV": Property("eV", "Md, energy of the d level in bcc titanium (Morinaga)"),
    "bulk_modulus_GPa": Property("GPa", "bulk modulus"),
    "youngs_modulus_GPa": Property("GPa", "Young's modulus"),
    "first_ionisation_eV": Property("eV", "first ionisation energy of the free atom"),
    "work_function_eV": Property("eV", "electron work function, polycrystalline"),
    "price_usd_per_kg": Property(
        "USD/kg", "indicative price of the raw material, of the date and form its source names"
    ),
    "mass_attenuation_60keV_cm2_per_g": Property("cm2/g", "X-ray mass attenuation coefficient at 60 keV"),
    "solubility_in_Mg_wt_pct": Property("wt.%", "maximum solid solubility in magnesium"),
}


def _read(name: str) -> list[dict[str, str]]:
    """Rows of one of our own tables, comment lines left out."""
    with (HERE / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def _element_table() -> dict[str, dict[str, Value]]:
    table: dict[str, dict[str, Value]] = {}
    for row in _read("elements.csv"):
        number = Value(float(row["value"]), row["unit"], row["source"], row["verified"] == "yes")
        table.setdefault(row["element"], {})[row["property"]] = number
    return table


_TABLE = _element_table()

SYMBOLS: tuple[str, ...] = tuple(_TABLE)
"""Every element of the table, in the order of the periodic table."""


def value(property: str, element: str) -> Value:
    """One number of the table with its unit and source.

    Raises
    ------
    AlloyloopError
        if there is no such property or element, or the table has no value of it

    Examples
    --------
    >>> value("melting_point_K", "Nb").value
    2750.0
    """
    _check([property], PROPERTIES, "a property of the element table")
    _check([element], _TABLE, "an element of the table")
    try:
        return _TABLE[element][property]
    except KeyError:
        raise AlloyloopError(
            f"the element table has no {property} of {element}", "Add it to design/elements.csv with its source."
        ) from None


def values(property: str, elements: Sequence[str]) -> FloatArray:
    """One property of several elements.

    Returns
    -------
    (n_elements,) in the property's unit; NaN where the table has no value

    Raises
    ------
    AlloyloopError
        if there is no such property or element

    Examples
    --------
    >>> values("metallic_radius_pm", ["Ti", "Nb", "Zr"])
    array([147., 147., 160.])
    >>> values("metallic_radius_pm", ["Ti", "O"])
    array([147.,  nan])
    """
    _check([property], PROPERTIES, "a property of the element table")
    _check(elements, _TABLE, "an element of the table")
    known = (_TABLE[element].get(property) for element in elements)
    return np.array([np.nan if number is None else number.value for number in known], dtype=np.float64)


def atomic_masses(elements: Sequence[str]) -> FloatArray:
    """Standard atomic weights, (n_elements,) [g/mol].

    Examples
    --------
    >>> atomic_masses(["Ti", "Mg"])
    array([47.867, 24.305])
    """
    return values("atomic_mass", elements)


def pair_enthalpies(elements: Sequence[str]) -> FloatArray:
    """Miedema's enthalpies of mixing of equiatomic liquid pairs, H_ij.

    Returns
    -------
    (n_elements, n_elements) symmetric [kJ/mol]; 0 on the diagonal, NaN where no value is known

    References
    ----------
    de Boer et al., Cohesion in Metals, North-Holland (1988), as tabulated in matminer 0.10.1; of the same origin as
    Takeuchi & Inoue, Mater. Trans. 46 (2005) 2817, doi:10.2320/matertrans.46.2817.

    Examples
    --------
    >>> pair_enthalpies(["Ti", "Zr", "Sn"])
    array([[  0.,   0., -21.],
           [  0.,   0., -43.],
           [-21., -43.,   0.]])
    """
    _check(elements, _TABLE, "an element of the table")
    return np.array([[_pair(a, b) for b in elements] for a in elements], dtype=np.float64).reshape(2 * (len(elements),))


def pair_enthalpy(a: str, b: str) -> float:
    """Miedema's enthalpy of mixing of one pair [kJ/mol]; NaN where unknown (see `pair_enthalpies`)."""
    return float(pair_enthalpies([a, b])[0, 1])


def _pair(a: str, b: str) -> float:
    return 0.0 if a == b else _pairs().get(frozenset((a, b)), np.nan)


@cache
def _pairs() -> dict[frozenset[str], float]:
    return {frozenset((row["a"], row["b"])): float(row["enthalpy_kJ_per_mol"]) for row in _read("pair_enthalpies.csv")}


def _check(names: Sequence[str], known: dict[str, Property] | dict[str, dict[str, Value]], kind: str) -> None:
    unknown = [name for name in names if name not in known]
    if unknown:
        raise AlloyloopError(f"{unknown[0]!r} is not {kind}", f"Known: {', '.join(known)}.")
