"""The same amount in another unit, for sentences that say what a number would be in the unit of a column."""

from __future__ import annotations

from .headers import unit_of

# Of each unit what it measures, and how it becomes that dimension's base: factor times value, plus offset.
_BASES: dict[str, tuple[str, float, float]] = {
    "Pa": ("stress", 1.0, 0.0),
    "kPa": ("stress", 1e3, 0.0),
    "MPa": ("stress", 1e6, 0.0),
    "GPa": ("stress", 1e9, 0.0),
    "ksi": ("stress", 6.894757293168e6, 0.0),
    "K": ("temperature", 1.0, 0.0),
    "C": ("temperature", 1.0, 273.15),
    "F": ("temperature", 5 / 9, 273.15 - 32 * 5 / 9),
    "mm_per_y": ("corrosion", 1.0, 0.0),
    "um_per_y": ("corrosion", 1e-3, 0.0),
    "mpy": ("corrosion", 0.0254, 0.0),
    "g_per_cm3": ("density", 1.0, 0.0),
    "kg_per_m3": ("density", 1e-3, 0.0),
    "nm": ("length", 1e-9, 0.0),
    "um": ("length", 1e-6, 0.0),
    "mm": ("length", 1e-3, 0.0),
    "s": ("time", 1.0, 0.0),
    "min": ("time", 60.0, 0.0),
    "h": ("time", 3600.0, 0.0),
    "mV": ("potential", 1e-3, 0.0),
    "V": ("potential", 1.0, 0.0),
    "uA_per_cm2": ("current", 1e-6, 0.0),
    "mA_per_cm2": ("current", 1e-3, 0.0),
    "A_per_cm2": ("current", 1.0, 0.0),
}


def converted(value: float, unit: str, wanted: str) -> float | None:
    """A value in another unit; None where the two do not measure the same, or nothing is known of one.

    Units are spelt as column names do. Inches and pounds by their definitions of 1959: 1 ksi is 6.894757 MPa, and a mil
    a year is 0.0254 mm a year.

    Examples
    --------
    >>> converted(48_000, "MPa", "GPa"), converted(37, "C", "K"), converted(50, "K", "GPa")
    (48.0, 310.15, None)
    """
    if unit == wanted:
        return value
    if unit not in _BASES or wanted not in _BASES or _BASES[unit][0] != _BASES[wanted][0]:
        return None
    (_, factor, offset), (_, its_factor, its_offset) = _BASES[unit], _BASES[wanted]
    return float(f"{(factor * value + offset - its_offset) / its_factor:.12g}")


def split_unit(name: str) -> tuple[str, str]:
    """A column's name without its unit, and its unit; "" where it names none.

    Examples
    --------
    >>> split_unit("youngs_modulus_GPa"), split_unit("corrosion_rate_mm_per_y"), split_unit("phases")
    (('youngs_modulus', 'GPa'), ('corrosion_rate', 'mm_per_y'), ('phases', ''))
    """
    parts = name.split("_")
    for cut in range(1, len(parts)):
        unit = "_".join(parts[cut:])
        if unit_of(unit) == unit:
            return "_".join(parts[:cut]), unit
    return name, ""
