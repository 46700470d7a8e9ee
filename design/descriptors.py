"""Descriptors: what a composition alone says of an alloy, each one a pure function of atomic fractions.

Every descriptor takes fractions (n, n_elements), rows summing to 1, and the symbols of the columns in any order, and
gives (n,) numbers. Absent elements change nothing. Where an element that is present has no value in the element table,
the row is NaN, never a guess; where a formula by its definition gives other elements no weight, its `validity` says so.

A new descriptor is one function under `register_descriptor`; features, rules and the command line then know it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .composition import at_to_wt
from .elements import pair_enthalpies, value, values

BoolArray = NDArray[np.bool_]
Function = Callable[[FloatArray, Sequence[str]], FloatArray]
Range = Callable[[FloatArray, Sequence[str]], BoolArray]

R = 8.314463  # J/(mol K)
CAP = 100.0  # of Ω and Λ, which diverge at zero mixing enthalpy and zero size mismatch


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One descriptor with what a reader needs to trust it.

    Parameters
    ----------
    name : as in rules, features and tables; ends in the unit where there is one
    unit : "-" for a pure number
    function : (fractions (n, n_elements), elements) -> (n,)
    formula : as in the source; c is an atomic fraction, w an amount in wt.%
    validity : what it holds for, in words
    source : where the formula and its constants come from
    verified : whether formula and constants were checked against the source, or a second one
    properties : the properties of the element table that it uses
    valid : (fractions, elements) -> (n,), the part of `validity` that can be asked of an alloy
    """

    name: str
    unit: str
    function: Function
    formula: str
    validity: str
    source: str
    verified: bool
    properties: tuple[str, ...]
    valid: Range

    def verified_for(self, elements: Sequence[str]) -> bool:
        """Whether the formula and every value of the element table that it uses of these elements are verified.

        Examples
        --------
        >>> descriptor("bond_order").verified_for(["Ti", "Nb", "Zr"])
        True
        >>> descriptor("bond_order").verified_for(["Ti", "V"])
        False
        """
        return self.verified and all(
            value(name, element).verified
            for name in self.properties
            for element in elements
            if not np.isnan(values(name, [element])[0])
        )


DESCRIPTORS: dict[str, Descriptor] = {}
"""Every descriptor by its name."""


def anywhere(fractions: FloatArray, elements: Sequence[str]) -> BoolArray:
    """The range of a descriptor that holds for every alloy. (n,)"""
    return np.ones(len(fractions), dtype=bool)


def based_on(base: str, *, known: Sequence[str] = ()) -> Range:
    """The range of alloys with at least 50 wt.% of `base`; given `known`, with at most 1 wt.% of anything else."""

    def in_range(fractions: FloatArray, elements: Sequence[str]) -> BoolArray:
        wt_pct = _wt_pct(fractions, elements)
        unknown = [i for i, element in enumerate(elements) if known and element not in (base, *known)]
        return np.asarray((_amount(wt_pct, elements, base) >= 50) & (wt_pct[:, unknown].sum(axis=1) <= 1))

    return in_range


def register_descriptor(
    *,
    unit: str,
    formula: str,
    validity: str,
    source: str,
    verified: bool = True,
    properties: tuple[str, ...] = (),
    valid: Range = anywhere,
) -> Callable[[Function], Function]:
    """Enter a function into `DESCRIPTORS` under its own name; the parameters are those of `Descriptor`.

    Examples
    --------
    >>> @register_descriptor(unit="-", formula="max c", validity="any alloy", source="an example")
    ... def largest_fraction(fractions, elements):
    ...     return fractions.max(axis=1)
    >>> evaluate(["largest_fraction"], np.array([[0.7, 0.3]]), ["Ti", "Nb"])
    array([[0.7]])
    >>> del DESCRIPTORS["largest_fraction"]
    """

    def register(function: Function) -> Function:
        name = function.__name__
        if name in DESCRIPTORS:
            raise ValueError(f"there is a descriptor named {name!r} already")
        DESCRIPTORS[name] = Descriptor(
            name, unit, function, formula, validity, source, verified, properties=properties, valid=valid
        )
        return function

    return register


def descriptor(name: str) -> Descriptor:
    """Look up a descriptor.

    Raises
    ------
    AlloyloopError
        if there is none of that name

    Examples
    --------
    >>> descriptor("density_g_per_cm3").unit
    'g/cm3'
    """
    if name not in DESCRIPTORS:
        raise AlloyloopError(f"there is no descriptor named {name!r}", f"Known: {', '.join(sorted(DESCRIPTORS))}.")
    return DESCRIPTORS[name]


def evaluate(names: Sequence[str], fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Compute several descriptors.

    Parameters
    ----------
    names : of descriptors, n_names
    fractions : (n, n_elements) atomic fractions [-]; every row sums to 1
    elements : n_elements symbols

    Returns
    -------
    (n, n_names), each column in its descriptor's unit; NaN where a value is not known

    Examples
    --------
    >>> evaluate(["vec", "melting_point_K"], np.array([[0.75, 0.25]]), ["Ti", "Nb"])
    array([[   4.25, 2143.25]])
    """
    columns = [descriptor(name).function(fractions, elements) for name in names]
    return np.stack(columns, axis=1) if columns else np.empty((len(fractions), 0))


def _wt_pct(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    return at_to_wt(np.asarray(fractions, dtype=np.float64), elements)


def _amount(amounts: FloatArray, elements: Sequence[str], element: str) -> FloatArray:
    """One element's column, zeros where it is not among the elements. (n,)"""
    return amounts[:, list(elements).index(element)] if element in elements else np.zeros(len(amounts))


def _mean(weights: FloatArray, elements: Sequence[str], property: str) -> FloatArray:
    """Σ weight × value; NaN where a present element has no value. (n,)"""
    return _weighted_sum(weights, values(property, elements))


def _weighted_sum(weights: FloatArray, numbers: FloatArray) -> FloatArray:
    unknown = np.isnan(numbers)
    total = weights @ np.where(unknown, 0.0, numbers)
    return np.where((weights[:, unknown] > 0).any(axis=1), np.nan, total)


def _spread(fractions: FloatArray, numbers: FloatArray) -> FloatArray:
    """√(Σ c (v - v̄)²). (n,)"""
    mean = _weighted_sum(fractions, numbers)
    square = np.einsum("ij,ij->i", fractions, np.square(np.nan_to_num(numbers) - mean[:, None]))
    return np.asarray(np.sqrt(square))


def _equivalent(fractions: FloatArray, elements: Sequence[str], coefficients: Mapping[str, float]) -> FloatArray:
    """Σ coefficient × wt.%, where an element without a coefficient has no weight. (n,)"""
    weights = np.array([coefficients.get(element, 0.0) for element in elements], dtype=np.float64)
    return _wt_pct(fractions, elements) @ weights


def _nothing_but(allowed: Sequence[str], fractions: FloatArray, elements: Sequence[str]) -> BoolArray:
    others = [i for i, element in enumerate(elements) if element not in allowed]
    return np.asarray(~(fractions[:, others] > 0).any(axis=1))


SOLID_SOLUTIONS = "a guide for solid solutions of several principal metals"
HUME_ROTHERY = frozenset({"Cu", "Ag", "Au", "Zn", "Cd", "Hg"})  # their closed d shell holds ten electrons


@register_descriptor(
    unit="-",
    formula="Σ c_i VEC_i",
    validity="any alloy; all electrons outside the noble-gas core count, so Cu 11 and Zn 12",
    source="Guo & Liu, Prog. Nat. Sci. 21 (2011) 433, doi:10.1016/S1002-0071(12)60080-X",
    properties=("valence_electrons",),
)
def vec(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Valence electron concentration, d electrons counted also where the shell is full."""
    return _mean(fractions, elements, "valence_electrons")


@register_descriptor(
    unit="-",
    formula="Σ c_i (e/a)_i",
    validity="any alloy; Hume-Rothery's convention, a full d shell does not count, so Cu 1 and Zn 2. In Ti-Nb-Ta-Zr-Sn "
    "it equals vec, and elastic stability ends near 4.24 (Xing & Sun 2008)",
    source="Hume-Rothery's convention; open d shells as in vec",
    properties=("valence_electrons",),
)
def electrons_per_atom(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Electrons per atom, e/a, full d shells left out."""
    closed = np.array([10.0 * (element in HUME_ROTHERY) for element in elements])
    return _weighted_sum(fractions, values("valence_electrons", elements) - closed)


@register_descriptor(
    unit="J/(mol K)",
    formula="-R Σ c_i ln c_i",
    validity="ideal solution; says nothing of enthalpy: a high value does not mean a single phase",
    source="Yeh et al., Adv. Eng. Mater. 6 (2004) 299, doi:10.1002/adem.200300567",
)
def mixing_entropy_J_per_molK(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Ideal (configurational) entropy of mixing.

    Examples
    --------
    >>> mixing_entropy_J_per_molK(np.full((1, 5), 0.2), ["Al", "Co", "Cr", "Fe", "Ni"]).round(3)
    array([13.382])
    """
    logarithms = np.log(fractions, out=np.zeros_like(fractions), where=fractions > 0)
    return np.asarray(-R * np.einsum("ij,ij->i", fractions, logarithms))


@register_descriptor(
    unit="%",
    formula="100 √(Σ c_i (1 - r_i/r̄)²), r̄ = Σ c_i r_i; r metallic (Goldschmidt CN12)",
    validity=f"{SOLID_SOLUTIONS}; interstitial elements have no metallic radius",
    source="Zhang et al., Adv. Eng. Mater. 10 (2008) 534, doi:10.1002/adem.200700240",
    properties=("metallic_radius_pm",),
)
def size_mismatch_pct(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Atomic size mismatch δ, with metallic radii."""
    return _size_mismatch(fractions, values("metallic_radius_pm", elements))


@register_descriptor(
    unit="%",
    formula="100 √(Σ c_i (1 - r_i/r̄)²), r̄ = Σ c_i r_i; r of Miracle",
    validity=SOLID_SOLUTIONS,
    source="Zhang et al., Adv. Eng. Mater. 10 (2008) 534, doi:10.1002/adem.200700240",
    properties=("miracle_radius_pm",),
)
def size_mismatch_miracle_pct(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Atomic size mismatch δ, with Miracle's radii."""
    return _size_mismatch(fractions, values("miracle_radius_pm", elements))


def _size_mismatch(fractions: FloatArray, radii: FloatArray) -> FloatArray:
    return 100 * _spread(fractions, radii) / _weighted_sum(fractions, radii)


@register_descriptor(
    unit="-",
    formula="√(Σ c_i (χ_i - χ̄)²), χ of Pauling",
    validity=SOLID_SOLUTIONS,
    source="Guo & Liu, Prog. Nat. Sci. 21 (2011) 433, doi:10.1016/S1002-0071(12)60080-X",
    properties=("pauling_electronegativity",),
)
def electronegativity_mismatch(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Spread of Pauling's electronegativity, Δχ."""
    return _spread(fractions, values("pauling_electronegativity", elements))


@register_descriptor(
    unit="K",
    formula="Σ c_i T_i",
    validity="a rule of mixtures, no phase diagram: neither solidus nor liquidus",
    source="Yang & Zhang, Mater. Chem. Phys. 132 (2012) 233, doi:10.1016/j.matchemphys.2011.11.021",
    properties=("melting_point_K",),
)
def melting_point_K(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Mean of the elements' melting points."""
    return _mean(fractions, elements, "melting_point_K")


@register_descriptor(
    unit="kJ/mol",
    formula="Σ_{i<j} 4 H_ij c_i c_j, H_ij Miedema's of the liquid",
    validity=f"{SOLID_SOLUTIONS}; ± several kJ/mol between tables of H_ij; no value with O, S, Se, Te",
    source="Takeuchi & Inoue, Mater. Trans. 46 (2005) 2817, doi:10.2320/matertrans.46.2817; H_ij from matminer 0.10.1",
)
def mixing_enthalpy_kJ_per_mol(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Enthalpy of mixing of the regular solution."""
    pairs = pair_enthalpies(elements)
    unknown = np.isnan(pairs)
    total = 2 * np.einsum("ij,ij->i", fractions @ np.where(unknown, 0.0, pairs), fractions)
    if unknown.any():
        present = (fractions > 0).astype(np.float64)
        total[np.einsum("ij,ij->i", present @ unknown, present) > 0] = np.nan
    return np.asarray(total)


@register_descriptor(
    unit="-",
    formula=f"T_m ΔS_mix / |ΔH_mix|, at most {CAP:g}",
    validity=f"{SOLID_SOLUTIONS}; diverges where ΔH_mix is 0, so capped at {CAP:g}, which a pure element gets too",
    source="Yang & Zhang, Mater. Chem. Phys. 132 (2012) 233, doi:10.1016/j.matchemphys.2011.11.021",
    properties=("melting_point_K",),
)
def omega(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Entropy against enthalpy of mixing, Ω."""
    entropy_term = melting_point_K(fractions, elements) * mixing_entropy_J_per_molK(fractions, elements) / 1000
    return _capped_ratio(entropy_term, np.abs(mixing_enthalpy_kJ_per_mol(fractions, elements)))


@register_descriptor(
    unit="J/(mol K)",
    formula=f"ΔS_mix / δ², δ in % (metallic radii), at most {CAP:g}",
    validity=f"{SOLID_SOLUTIONS}; diverges where δ is 0, so capped at {CAP:g}, which a pure element gets too",
    source="Singh et al., Intermetallics 53 (2014) 112, doi:10.1016/j.intermet.2014.04.019",
    properties=("metallic_radius_pm",),
)
def lambda_singh(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Entropy of mixing against size mismatch, Λ."""
    return _capped_ratio(
        mixing_entropy_J_per_molK(fractions, elements), np.square(size_mismatch_pct(fractions, elements))
    )


def _capped_ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Ratio of numbers ≥ 0, at most CAP; 0/0 is CAP, the limit for a vanishing solute."""
    capped = numerator >= CAP * denominator
    return np.where(capped, CAP, numerator / np.where(capped, 1.0, denominator))


@register_descriptor(
    unit="-",
    formula="ω(r_min)/ω(r_max), ω(r) = 1 - √(((r + r̄)² - r̄²)/(r + r̄)²); r of Miracle",
    validity=f"{SOLID_SOLUTIONS}, which form below 1.175; it jumps where such an atom appears, however little of it",
    source="Wang et al., Scr. Mater. 94 (2015) 28, doi:10.1016/j.scriptamat.2014.09.010",
    properties=("miracle_radius_pm",),
)
def gamma_wang(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Packing round the smallest atom against that round the largest, γ."""
    radii = values("miracle_radius_pm", elements)
    mean = _weighted_sum(fractions, radii)
    present = fractions > 0
    smallest = np.where(present, np.nan_to_num(radii), np.inf).min(axis=1)
    largest = np.where(present, np.nan_to_num(radii), 0.0).max(axis=1)

    def solid_angle(radius: FloatArray) -> FloatArray:
        contact = np.square(radius + mean)
        return np.asarray(1 - np.sqrt((contact - np.square(mean)) / contact))

    return solid_angle(smallest) / solid_angle(largest)


@register_descriptor(
    unit="GPa",
    formula="Σ c_i K_i (Voigt)",
    validity="a rule of mixtures, an upper bound for a mixture of phases",
    source="Voigt's average over atomic fractions",
    properties=("bulk_modulus_GPa",),
)
def bulk_modulus_GPa(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Mean of the elements' bulk moduli."""
    return _mean(fractions, elements, "bulk_modulus_GPa")


@register_descriptor(
    unit="GPa",
    formula="Σ c_i E_i",
    validity="a baseline only: it fails for beta titanium, 112 GPa for Ti-35Nb-7Zr-5Ta where 55 is measured",
    source="rule of mixtures over atomic fractions",
    properties=("youngs_modulus_GPa",),
)
def youngs_modulus_rule_of_mixtures_GPa(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Mean of the elements' Young's moduli."""
    return _mean(fractions, elements, "youngs_modulus_GPa")


@register_descriptor(
    unit="eV",
    formula="Σ c_i I_i",
    validity="of free atoms; a crude proxy of reactivity",
    source="rule of mixtures over atomic fractions",
    properties=("first_ionisation_eV",),
)
def first_ionisation_eV(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Mean first ionisation energy."""
    return _mean(fractions, elements, "first_ionisation_eV")


@register_descriptor(
    unit="eV",
    formula="Σ c_i W_i",
    validity="a crude proxy of galvanic behaviour: it knows neither phases nor surfaces",
    source="rule of mixtures over atomic fractions",
    properties=("work_function_eV",),
)
def work_function_eV(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Mean electron work function."""
    return _mean(fractions, elements, "work_function_eV")


@register_descriptor(
    unit="g/cm3",
    formula="100 / Σ (w_i/ρ_i)",
    validity="volumes of the elements add up: within a few per cent for solid solutions; no value with O",
    source="additivity of volumes; Σ w ρ is wrong, 6.68 instead of 5.81 for Ti-35Nb-7Zr-5Ta",
    properties=("atomic_mass", "density_g_per_cm3"),
)
def density_g_per_cm3(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Density from the elements' volumes.

    Examples
    --------
    >>> density_g_per_cm3(np.array([[0.5, 0.5]]), ["Ti", "Al"]).round(3)
    array([3.631])
    """
    return 100 / _weighted_sum(_wt_pct(fractions, elements), 1 / values("density_g_per_cm3", elements))


@register_descriptor(
    unit="USD/kg",
    formula="Σ (w_i/100) price_i",
    validity="raw materials in bulk, of the dates and forms that the element table names; neither laboratory pieces "
    "nor melting",
    source="sum of the elements' prices",
    properties=("atomic_mass", "price_usd_per_kg"),
)
def price_usd_per_kg(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Price of the raw materials."""
    return _mean(_wt_pct(fractions, elements) / 100, elements, "price_usd_per_kg")


@register_descriptor(
    unit="1/cm",
    formula="ρ Σ (w_i/100) (μ/ρ)_i at 60 keV",
    validity="X-rays of 60 keV; the K edge of Ta lies above, at 67.4 keV",
    source="mixture rule, Elam, Ravel & Sieber, Radiat. Phys. Chem. 63 (2002) 121, as in xraydb 4.5.8",
    properties=("atomic_mass", "density_g_per_cm3", "mass_attenuation_60keV_cm2_per_g"),
)
def radiopacity_60keV_per_cm(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Linear X-ray attenuation coefficient μ: how well an implant is seen."""
    wt_pct = _wt_pct(fractions, elements)
    mass_attenuation = _mean(wt_pct / 100, elements, "mass_attenuation_60keV_cm2_per_g")
    return density_g_per_cm3(fractions, elements) * mass_attenuation


TITANIUM_RICH = "titanium alloys (at least 50 wt.% Ti)"
MORINAGA = "Morinaga et al., DV-Xα molecular orbitals in bcc Ti, Proc. 6th World Conf. Titanium (1988) 1601"


@register_descriptor(
    unit="-",
    formula="Σ c_i Bo_i",
    validity=TITANIUM_RICH,
    source=f"{MORINAGA}; averages printed in Rare Metals 33 (2014) 657 are reproduced",
    properties=("bond_order",),
    valid=based_on("Ti"),
)
def bond_order(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Mean bond order with titanium, Bo."""
    return _mean(fractions, elements, "bond_order")


@register_descriptor(
    unit="eV",
    formula="Σ c_i Md_i",
    validity=TITANIUM_RICH,
    source=f"{MORINAGA}; averages printed in Rare Metals 33 (2014) 657 are reproduced",
    properties=("d_orbital_energy_eV",),
    valid=based_on("Ti"),
)
def d_orbital_energy_eV(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Mean energy of the d level, Md."""
    return _mean(fractions, elements, "d_orbital_energy_eV")


# fmt: off
BANIA = {
    "Mo": 1.0, "V": 0.67, "W": 0.44, "Nb": 0.28, "Ta": 0.22, "Fe": 2.9,
    "Cr": 1.6, "Mn": 1.7, "Ni": 1.25, "Co": 1.25, "Al": -1.0,
}
WANG = {
    "Mo": 1.0, "V": 1.25, "W": 0.59, "Nb": 0.33, "Ta": 0.25, "Fe": 1.93, "Cr": 1.84, "Cu": 1.50,
    "Ni": 2.46, "Co": 2.67, "Mn": 2.26, "Sn": 0.30, "Zr": 0.47, "Si": 3.01, "Al": -1.47,
}
# fmt: on
CRITICAL_WT_PCT = {"Mo": 10, "V": 15, "Nb": 36, "Ta": 45, "W": 22.5, "Cr": 6.3, "Mn": 6.4, "Fe": 3.5, "Co": 7, "Ni": 9}


@register_descriptor(
    unit="wt.%",
    formula="1.0Mo + 0.67V + 0.44W + 0.28Nb + 0.22Ta + 2.9Fe + 1.6Cr + 1.7Mn + 1.25Ni + 1.25Co - 1.0Al (wt.%)",
    validity=f"{TITANIUM_RICH}; about 10 keeps beta on quenching. Other elements, Zr and Sn among them, have no "
    "weight, so it calls alloys with much of them less stable than they are",
    source="Bania, Beta Titanium Alloys in the 1990s, TMS (1993) 3; quoted, not yet compared with the paper",
    verified=False,
    properties=("atomic_mass",),
    valid=based_on("Ti", known=tuple(BANIA)),
)
def mo_equivalent_bania(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Molybdenum equivalent of Bania."""
    return _equivalent(fractions, elements, BANIA)


@register_descriptor(
    unit="wt.%",
    formula="1.0Mo + 1.25V + 0.59W + 0.33Nb + 0.25Ta + 1.93Fe + 1.84Cr + 1.50Cu + 2.46Ni + 2.67Co + 2.26Mn + 0.30Sn "
    "+ 0.47Zr + 3.01Si - 1.47Al (wt.%)",
    validity=f"{TITANIUM_RICH}; single beta from 11.8, where the modulus is lowest (npj Comput. Mater. 6 (2020), "
    "doi:10.1038/s41524-020-00372-w). Other elements have no weight",
    source="Wang, Dong & Liaw, Metall. Mater. Trans. A 46 (2015) 3440; quoted, not yet compared with the paper",
    verified=False,
    properties=("atomic_mass",),
    valid=based_on("Ti", known=tuple(WANG)),
)
def mo_equivalent_wang(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Molybdenum equivalent of Wang, Dong and Liaw."""
    return _equivalent(fractions, elements, WANG)


@register_descriptor(
    unit="wt.%",
    formula="0.238Nb + 0.11Zr + 0.97 (wt.%)",
    validity="Ti-Nb-Zr alloys only (at least 50 wt.% Ti); NaN with any other element",
    source="Mehjabeen, Xu, Qiu & Qian, JOM 70 (2018) 2254, doi:10.1007/s11837-018-3010-1",
    properties=("atomic_mass",),
    valid=based_on("Ti", known=("Nb", "Zr")),
)
def mo_equivalent_ti_nb_zr(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Molybdenum equivalent of Mehjabeen et al., for Ti-Nb-Zr."""
    equivalent = _equivalent(fractions, elements, {"Nb": 0.238, "Zr": 0.11}) + 0.97
    return np.where(_nothing_but(("Ti", "Nb", "Zr"), fractions, elements), equivalent, np.nan)


@register_descriptor(
    unit="-",
    formula="Σ w_i/w_crit,i; "
    + ", ".join(f"{element} {limit:g}" for element, limit in CRITICAL_WT_PCT.items())
    + " wt.%",
    validity=f"{TITANIUM_RICH}; beta is retained on quenching from 1. Tables of w_crit differ (Mo 10 or 11, Fe 3.5 to "
    "5). Other elements have no weight",
    source="critical contents of binary alloys as commonly tabulated; quoted, not yet compared with a paper",
    verified=False,
    properties=("atomic_mass",),
    valid=based_on("Ti", known=tuple(CRITICAL_WT_PCT)),
)
def k_beta(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Coefficient of beta stability, K_beta."""
    return _equivalent(fractions, elements, {element: 1 / limit for element, limit in CRITICAL_WT_PCT.items()})


HAO_ANCHOR = {"Nb": 24.0, "Zr": 4.0, "Sn": 7.9}  # wt.%, the rest Ti
HAO_SLOPES = {"Nb": -17.6, "Zr": -41.2, "Sn": -40.9}  # K per wt.%
HAO_RANGE = {"Nb": (20.0, 26.0), "Zr": (2.0, 8.0), "Sn": (3.5, 11.5)}  # wt.%
MIYAZAKI_ANCHOR = {"Nb": 22.0}  # at.%, the rest Ti
MIYAZAKI_SLOPES = {"Nb": -40.0, "Zr": -38.0, "Ta": -30.0}  # K per at.%


def _hao_range(fractions: FloatArray, elements: Sequence[str]) -> BoolArray:
    wt_pct = _wt_pct(fractions, elements)
    inside = _nothing_but(("Ti", *HAO_RANGE), fractions, elements)
    for element, (low, high) in HAO_RANGE.items():
        amount = _amount(wt_pct, elements, element)
        inside &= (amount >= low - 1e-9) & (amount <= high + 1e-9)
    return inside


def _near_miyazaki(fractions: FloatArray, elements: Sequence[str]) -> BoolArray:
    near = _nothing_but(("Ti", *MIYAZAKI_SLOPES), fractions, elements)
    for element in MIYAZAKI_SLOPES:
        shift = 100 * _amount(fractions, elements, element) - MIYAZAKI_ANCHOR.get(element, 0.0)
        near &= np.abs(shift) <= 5 + 1e-9
    return near


@register_descriptor(
    unit="K",
    formula="-17.6 (Nb - 24) - 41.2 (Zr - 4) - 40.9 (Sn - 7.9) (wt.%)",
    validity="a difference from Ti-24Nb-4Zr-7.9Sn (wt.%), for Ti-(20-26)Nb-(2-8)Zr-(3.5-11.5)Sn; NaN with any other "
    "element",
    source="Hao et al., Mater. Sci. Eng. A 441 (2006) 112",
    properties=("atomic_mass",),
    valid=_hao_range,
)
def martensite_shift_hao_K(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Shift of the martensite start from that of Ti-24Nb-4Zr-7.9Sn (wt.%)."""
    at_anchor = sum(slope * HAO_ANCHOR[element] for element, slope in HAO_SLOPES.items())
    shift = _equivalent(fractions, elements, HAO_SLOPES) - at_anchor
    return np.where(_nothing_but(("Ti", *HAO_SLOPES), fractions, elements), shift, np.nan)


@register_descriptor(
    unit="K",
    formula="-40 (Nb - 22) - 38 Zr - 30 Ta (at.%)",
    validity="a difference from Ti-22Nb (at.%), near it: taken as within 5 at.% of each; oxygen, far stronger, is "
    "not in it; NaN with any other element",
    source="Kim & Miyazaki, Mater. Trans. 56 (2015) 625; rounded, quoted, not yet compared with the paper",
    verified=False,
    valid=_near_miyazaki,
)
def martensite_shift_miyazaki_K(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Shift of the martensite start from that of Ti-22Nb (at.%)."""
    slopes = np.array([MIYAZAKI_SLOPES.get(element, 0.0) for element in elements])
    at_anchor = sum(MIYAZAKI_SLOPES[element] * amount for element, amount in MIYAZAKI_ANCHOR.items())
    shift = 100 * fractions @ slopes - at_anchor
    return np.where(_nothing_but(("Ti", *MIYAZAKI_SLOPES), fractions, elements), shift, np.nan)


def solubility_excess_in_Mg(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """How far each element exceeds its maximum solid solubility in magnesium.

    Returns
    -------
    (n, n_elements) max(0, w_i - S_i) [wt.%]; 0 for Mg; NaN where a present element's solubility is not in the table

    Examples
    --------
    >>> from alloyloop.design.composition import wt_to_at
    >>> alloy = wt_to_at(np.array([[98.4, 1.0, 0.6]]), ["Mg", "Zn", "Sr"]) / 100
    >>> solubility_excess_in_Mg(alloy, ["Mg", "Zn", "Sr"]).round(2)
    array([[0.  , 0.  , 0.49]])
    """
    limits = np.where([element == "Mg" for element in elements], 100.0, values("solubility_in_Mg_wt_pct", elements))
    excess = np.maximum(_wt_pct(fractions, elements) - limits, 0.0)
    return np.where(fractions > 0, excess, 0.0)


MAGNESIUM_RICH = "magnesium alloys (at least 50 wt.% Mg)"
STEEL = "iron-base alloys (at least 50 wt.% Fe)"


@register_descriptor(
    unit="wt.%",
    formula="max_i max(0, w_i - S_i), S the maximum solid solubility in Mg",
    validity=f"{MAGNESIUM_RICH}; S holds near the eutectic, at 20 to 37 °C it is far lower. Above 0, second phases are "
    "to be expected: a warning, not a bound",
    source="solubilities of the element table",
    properties=("atomic_mass", "solubility_in_Mg_wt_pct"),
    valid=based_on("Mg"),
)
def solubility_excess_in_Mg_wt_pct(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Worst excess over the solid solubility in magnesium (each element's: `solubility_excess_in_Mg`)."""
    return np.asarray(solubility_excess_in_Mg(fractions, elements).max(axis=1))


@register_descriptor(
    unit="-",
    formula="w_Fe / w_Mn",
    validity=f"{MAGNESIUM_RICH}; corrosion in chloride is slow below about 0.03; NaN without Mn",
    source="impurity rule of cast magnesium, as commonly quoted; not yet compared with a paper",
    verified=False,
    properties=("atomic_mass",),
    valid=based_on("Mg"),
)
def fe_mn_ratio(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Iron over manganese, by weight."""
    wt_pct = _wt_pct(fractions, elements)
    manganese = _amount(wt_pct, elements, "Mn")
    return np.where(manganese > 0, _amount(wt_pct, elements, "Fe") / np.where(manganese > 0, manganese, 1.0), np.nan)


@register_descriptor(
    unit="wt.%",
    formula="Cr + 3.3Mo + 16N (wt.%)",
    validity=f"{STEEL}: stainless; a ranking in chloride, other elements have no weight",
    source="pitting resistance equivalent number in its common form, without tungsten",
    properties=("atomic_mass",),
    valid=based_on("Fe"),
)
def pren(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Pitting resistance equivalent number, PREN."""
    return _equivalent(fractions, elements, {"Cr": 1.0, "Mo": 3.3, "N": 16.0})


@register_descriptor(
    unit="wt.%",
    formula="Cr + 3.3Mo (wt.%)",
    validity=f"{STEEL}: implant steels of ISO 5832-1 and ASTM F138, which ask for at least 26",
    source="ISO 5832-1; the limit quoted, not yet compared with the standard",
    verified=False,
    properties=("atomic_mass",),
    valid=based_on("Fe"),
)
def cr_plus_3_3_mo(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Chromium and molybdenum as implant-steel standards ask for them."""
    return _equivalent(fractions, elements, {"Cr": 1.0, "Mo": 3.3})


@register_descriptor(
    unit="wt.%",
    formula="Cr + Mo + 1.5Si + 0.5Nb (wt.%)",
    validity=f"{STEEL}: stainless, with nickel_equivalent on the Schaeffler-DeLong diagram",
    source="Schaeffler-DeLong; quoted, not yet compared with a paper",
    verified=False,
    properties=("atomic_mass",),
    valid=based_on("Fe"),
)
def chromium_equivalent(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Chromium equivalent: what favours ferrite."""
    return _equivalent(fractions, elements, {"Cr": 1.0, "Mo": 1.0, "Si": 1.5, "Nb": 0.5})


@register_descriptor(
    unit="wt.%",
    formula="Ni + 30(C + N) + 0.5Mn (wt.%)",
    validity=f"{STEEL}: stainless, with chromium_equivalent on the Schaeffler-DeLong diagram",
    source="Schaeffler-DeLong; quoted, not yet compared with a paper",
    verified=False,
    properties=("atomic_mass",),
    valid=based_on("Fe"),
)
def nickel_equivalent(fractions: FloatArray, elements: Sequence[str]) -> FloatArray:
    """Nickel equivalent: what favours austenite."""
    return _equivalent(fractions, elements, {"Ni": 1.0, "C": 30.0, "N": 30.0, "Mn": 0.5})


@dataclass(frozen=True, slots=True)
class PhaseRule:
    """An empirical rule that names the phases of an alloy from descriptors.

    Parameters
    ----------
    name : of the rule
    function : (fractions (n, n_elements), elements) -> (n,) of class names; "unknown" where a descriptor is not known
    rule : in words
    validity : what it holds for, in words
    source : where the rule comes from
    """

    name: str
    function: Callable[[FloatArray, Sequence[str]], NDArray[np.str_]]
    rule: str
    validity: str
    source: str


def fcc_or_bcc_guo_liu(fractions: FloatArray, elements: Sequence[str]) -> NDArray[np.str_]:
    """Crystal structure by the valence electron concentration: "fcc", "bcc", "mixed" or "unknown". (n,)

    Examples
    --------
    >>> fcc_or_bcc_guo_liu(np.full((1, 5), 0.2), ["Al", "Co", "Cr", "Fe", "Ni"])
    array(['mixed'], dtype='<U7')
    """
    electrons = vec(fractions, elements)
    return np.select([np.isnan(electrons), electrons >= 8, electrons < 6.87], ["unknown", "fcc", "bcc"], "mixed")


def solid_solution_yang_zhang(fractions: FloatArray, elements: Sequence[str]) -> NDArray[np.str_]:
    """Whether a solid solution forms: "solid solution", "compounds" or "unknown". (n,)"""
    ratio, mismatch = omega(fractions, elements), size_mismatch_pct(fractions, elements)
    unknown = np.isnan(ratio) | np.isnan(mismatch)
    return np.select([unknown, (ratio >= 1.1) & (mismatch <= 6.6)], ["unknown", "solid solution"], "compounds")


PHASE_RULES: dict[str, PhaseRule] = {
    rule.name: rule
    for rule in (
        PhaseRule(
            "fcc_or_bcc_guo_liu",
            fcc_or_bcc_guo_liu,
            "fcc if VEC >= 8, bcc if VEC < 6.87, mixed between",
            "cast alloys of several principal 3d metals; not titanium or magnesium alloys",
            "Guo et al., J. Appl. Phys. 109 (2011) 103505, doi:10.1063/1.3587228",
        ),
        PhaseRule(
            "solid_solution_yang_zhang",
            solid_solution_yang_zhang,
            "solid solution if Ω >= 1.1 and δ <= 6.6 %",
            "cast alloys of several principal metals; δ with metallic radii",
            "Yang & Zhang, Mater. Chem. Phys. 132 (2012) 233, doi:10.1016/j.matchemphys.2011.11.021",
        ),
    )
}
"""Rules that give a class, kept apart from the numeric descriptors."""
