"""Columns' names as a person writes them, with their units."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .headers import unit_of

_RATE = re.compile(r"(?P<words>.+)_(?P<unit>[A-Za-z][A-Za-z0-9]*_per_\w+)")
_OWN_SIGNS = {"C": "°C", "F": "°F", "pct": "%", "wt_pct": "wt.%", "at_pct": "at.%", "vol_pct": "vol.%", "um": "µm"}
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def words_and_unit(name: str) -> tuple[str, str]:
    """A column's name as a person writes it, and its unit; "" where the name holds none.

    Examples
    --------
    >>> words_and_unit("youngs_modulus_GPa"), words_and_unit("corrosion_rate_mm_per_y"), words_and_unit("phases")
    (("Young's modulus", 'GPa'), ('corrosion rate', 'mm/y'), ('phases', ''))
    >>> words_and_unit("solution_temperature_C"), words_and_unit("wear_rate_mm3_per_N_m")
    (('solution temperature', '°C'), ('wear rate', 'mm³/(N m)'))
    """
    parts = name.split("_")
    for cut in range(1, len(parts)):
        unit = "_".join(parts[cut:])
        if unit_of(unit) == unit:
            return _words("_".join(parts[:cut])), _unit_sign(unit)
    if match := _RATE.fullmatch(name):
        return _words(match["words"]), _unit_sign(match["unit"])
    return _words(name), ""


def label(name: str) -> str:
    """A column's name as the label of an axis or a column, with its unit in brackets.

    Examples
    --------
    >>> label("youngs_modulus_GPa"), label("elongation_pct"), label("phases")
    ("Young's modulus [GPa]", 'Elongation [%]', 'Phases')
    """
    words, unit = words_and_unit(name)
    return words[:1].upper() + words[1:] + (f" [{unit}]" if unit else "")


def product_unit(names: Iterable[str]) -> str:
    """The unit of a product of properties, such as a hypervolume; "" where none has one.

    Examples
    --------
    >>> product_unit(["youngs_modulus_GPa", "elongation_pct", "vec"])
    'GPa·%'
    """
    return "·".join(unit for name in names if (unit := words_and_unit(name)[1]))


def rounded(digits: int, *numbers: float) -> list[str]:
    """Numbers with so many decimals; with two figures where these would make a zero of what is surely none.

    Parameters
    ----------
    digits : decimals
    numbers : that belong together: the ends of an interval, and what lies between. Where 0 does, it is shown as 0

    Examples
    --------
    >>> rounded(0, 5.2, 0.0312, 21.4), rounded(0, 5.2, -0.0312, 21.4), rounded(2, 3.4e-8)
    (['5', '0.031', '21'], ['5', '0', '21'], ['3.4e-08'])
    """
    is_one_sided = min(numbers) > 0 or max(numbers) < 0
    short = [f"{number:.{digits}f}" for number in numbers]
    return [
        text if float(text) else f"{number:.2g}" if is_one_sided else f"{0:.{digits}f}"
        for number, text in zip(numbers, short, strict=True)
    ]


def _words(name: str) -> str:
    return " ".join("Young's" if word == "youngs" else word for word in name.split("_") if word)


def _unit_sign(unit: str) -> str:
    if unit in _OWN_SIGNS:
        return _OWN_SIGNS[unit]
    above, *below = (_power(part) for part in unit.removeprefix("per_").split("_per_"))
    if unit.startswith("per_"):
        above, below = "1", [above, *below]
    if not below:
        return above
    under = " ".join(below)
    return f"{above}/({under})" if " " in under else f"{above}/{under}"


def _power(unit: str) -> str:
    """The factors of a unit, their exponents raised; `um` is a micrometre.

    >>> _power("mm3"), _power("N_m"), _power("C"), _power("um2")
    ('mm³', 'N m', '°C', 'µm²')
    """
    factors = []
    for factor in unit.split("_"):
        letters = factor.rstrip("0123456789")
        sign = _OWN_SIGNS.get(letters, letters)
        factors.append(sign + factor[len(letters) :].translate(_SUPERSCRIPTS))
    return " ".join(factors)
