"""Raw readings as a laboratory writes them, `mass_loss(12.3 mg, 5.2 cm2, 168 h)`, and the property that they give."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..design.composition import Composition
from ..design.corrosion import ZERO_CELSIUS_K, equivalent_weight
from ..design.derived import Input, Method, method
from ..design.descriptors import evaluate
from ..surrogates.errors import AlloyloopError
from .cells import read_number
from .units import converted, split_unit

# Of each unit what it measures, and how it becomes that dimension's base: factor times value, plus offset.
_UNITS: dict[str, tuple[str, float, float]] = {
    name: (dimension, factor, 0.0)
    for dimension, units in {
        "mass": {"ug": 1e-3, "mg": 1.0, "g": 1e3, "kg": 1e6},
        "area": {"mm2": 1e-2, "cm2": 1.0, "m2": 1e4},
        "time": {"s": 1 / 3600, "min": 1 / 60, "h": 1.0, "d": 24.0, "week": 168.0},
        "density": {"g/cm3": 1.0, "kg/m3": 1e-3},
        "current": {"A/cm2": 1e3, "mA/cm2": 1.0, "uA/cm2": 1e-3, "nA/cm2": 1e-6, "A/m2": 0.1},
        "volume": {"uL": 1e-3, "mL": 1.0, "L": 1e3},
        "pressure": {"Pa": 1e-3, "hPa": 0.1, "mbar": 0.1, "kPa": 1.0, "bar": 100.0, "atm": 101.325},
        "speed": {"m/s": 1.0, "km/s": 1e3, "mm/us": 1e3},
        "length": {"um": 1e-3, "mm": 1.0, "cm": 10.0, "m": 1e3},
        "frequency": {"Hz": 1.0, "kHz": 1e3},
        "force": {"gf": 1e-3, "kgf": 1.0, "mN": 1e-3 / 9.80665, "N": 1 / 9.80665},
        "equivalent": {"g/mol": 1.0},
        "": {"": 1.0},
    }.items()
    for name, factor in units.items()
} | {"C": ("temperature", 1.0, 0.0), "K": ("temperature", 1.0, -ZERO_CELSIUS_K)}
_SPELT = {
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("sec", "seconds"), "s"),
    **dict.fromkeys(("weeks",), "week"),
    **dict.fromkeys(("ml", "cm3", "cc"), "mL"),
    **dict.fromkeys(("l", "dm3"), "L"),
    **dict.fromkeys(("ul", "mm3"), "uL"),
    **dict.fromkeys(("g/cc", "g/mL", "g/ml"), "g/cm3"),
    **dict.fromkeys(("degC", "celsius"), "C"),
    **dict.fromkeys(("p", "pond"), "gf"),
    **dict.fromkeys(("kp",), "kgf"),
}
# A load is often told by the mass that makes it.
_LOADS = {"g": "gf", "kg": "kgf"}
# An alloy's density is computed without elements that the table has no density of, up to this much together [wt.%].
_WITHOUT_DENSITY = 0.5

_NUMBER = r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?"
_CALL = re.compile(r"\s*([A-Za-z_]\w*)\s*\(([^()]*)\)\s*")
_ARGUMENT = re.compile(rf"\s*(?:([A-Za-z_]\w*)\s*[=:]?\s*)?({_NUMBER})\s*([^\d\s=].*?)?\s*")


@dataclass(frozen=True, slots=True)
class Derived:
    """A property that was computed from raw readings.

    Parameters
    ----------
    name : of the property
    method : by which
    values : of each repetition, in the property's unit
    readings : of each repetition, input -> reading with its unit, as given or "… (computed)"
    """

    name: str
    method: Method
    values: tuple[float, ...]
    readings: tuple[Mapping[str, str], ...]

    @property
    def note(self) -> str:
        """The raw readings, as they stand in the column note."""
        repetitions = (", ".join(f"{name} {reading}" for name, reading in each.items()) for each in self.readings)
        return f"{self.name} by {self.method.name} ({self.method.source}): {' and '.join(repetitions)}"

    def json(self) -> dict[str, Any]:
        """As the journal keeps it: nothing is rounded."""
        return {
            "method": self.method.name,
            "source": self.method.source,
            "values": list(self.values),
            "readings": [dict(each) for each in self.readings],
        }


def is_derived(text: str) -> bool:
    """Whether a value is written as raw readings.

    >>> is_derived("vickers(1 kgf, 61 um)"), is_derived("58.2 ± 1.1 (n=5)"), is_derived("57.7")
    (True, False, False)
    """
    return _CALL.match(text) is not None


def derived(name: str, text: str, alloy: Composition | None = None) -> Derived:
    """Compute a property from raw readings.

    Parameters
    ----------
    name : of the property; its unit must be one that the method gives, or measure the same
    text : `METHOD(READING, …)`, or several of these with commas or semicolons between them: repetitions. A reading is
        a number with its unit, after its name where its unit does not tell what it is; readings are separated by
        semicolons where commas are decimal marks
    alloy : of which density and equivalent weight are computed where they are not given

    Raises
    ------
    AlloyloopError
        for a method that there is not, and a reading that is missing, given twice, or in a unit of something else

    Examples
    --------
    >>> rate = derived("corrosion_rate_mm_per_y", "mass_loss(12 mg, 5 cm2, 7 d, 1.76 g/cm3)")
    >>> round(rate.values[0], 3), rate.note
    (0.711, 'corrosion_rate_mm_per_y by mass_loss (ASTM G31): mass 12 mg, area 5 cm2, time 7 d, density 1.76 g/cm3')
    """
    values, readings, asked = [], [], None
    for called, arguments in _calls(name, text):
        if asked is not None and called != asked:
            raise AlloyloopError(
                f"{name} is given by {asked.name} and by {called.name} at once", "They are two properties: name both."
            )
        asked = called
        told = _readings(called, arguments) | _of_alloy(called, arguments, alloy)
        value = called.of(*(told[each.name][0] for each in called.inputs))
        values.append(_in_unit_of(name, value, called))
        readings.append({each.name: told[each.name][1] for each in called.inputs if told[each.name][1]})
    assert asked is not None  # `_calls` gives at least one
    return Derived(name, asked, tuple(values), tuple(readings))


def with_columns(text: str, cells: Mapping[str, str], decimal: str = ".") -> str:
    """Put the cells of a row in the place of the names of columns in `METHOD(INPUT=COLUMN, …)`, each with its unit.

    Parameters
    ----------
    text : as for `derived`; what is no column stays as it is
    cells : column -> text; the unit is read from the column's name
    decimal : the decimal mark of the cells

    Returns
    -------
    what `derived` reads; empty where a column that is named is blank

    Examples
    --------
    >>> with_columns("mass_loss(mass=loss_mg, area=A (cm2), 168 h)", {"loss_mg": "12,3", "A (cm2)": "5"}, ",")
    'mass_loss(mass=12.3 mg; area=5 cm2; 168 h)'
    """
    opening, _, inside = text.partition("(")
    arguments = []
    for argument in re.split(r"[;,]", inside.strip().removesuffix(")")):
        input, sign, column = (part.strip() for part in argument.partition("="))
        if column not in cells:
            arguments.append(argument.strip())
            continue
        if not cells[column]:
            return ""
        reading = read_number(cells[column], decimal).value
        arguments.append(f"{input}{sign}{reading:.12g} {_unit_of_column(column)}".rstrip())
    return f"{opening.strip()}({'; '.join(arguments)})"


def columns_named(text: str) -> tuple[str, ...]:
    """What stands behind `=` in `METHOD(INPUT=COLUMN, …)` and is no number.

    >>> columns_named("mass_loss(mass=loss_mg, area=A (cm2), time=168 h)")
    ('loss_mg', 'A (cm2)')
    """
    inside = text.partition("(")[2].strip().removesuffix(")")
    named = (argument.partition("=")[2].strip() for argument in re.split(r"[;,]", inside))
    return tuple(name for name in named if name and not re.match(_NUMBER, name))


def _calls(name: str, text: str) -> Iterator[tuple[Method, list[tuple[str, float, str]]]]:
    """Each `METHOD(READING, …)` of a text: the method, and name, number and unit of every reading as written."""
    position = 0
    while position < len(text):
        call = _CALL.match(text, position)
        if call is None:
            raise AlloyloopError(
                f"'{text}' cannot be read as readings of {name}", "Write it like mass_loss(12.3 mg, 5.2 cm2, 168 h)."
            )
        separator = ";" if ";" in call[2] else ","
        yield method(call[1]), [_argument(each, text, separator) for each in call[2].split(separator) if each.strip()]
        position = call.end()
        if position < len(text) and text[position] in ",;":
            position += 1


def _argument(argument: str, text: str, separator: str) -> tuple[str, float, str]:
    read = _ARGUMENT.fullmatch(argument)
    if read is None:
        raise AlloyloopError(
            f"'{argument.strip()}' is no reading in '{text}'",
            "Write a name, a number and its unit, as in area=5.2 cm2, with commas between readings; where commas are "
            "decimal marks, semicolons.",
        )
    number = read_number(read[2], "," if separator == ";" and "," in read[2] else ".").value
    return read[1] or "", number, read[3] or ""


def _readings(asked: Method, arguments: Sequence[tuple[str, float, str]]) -> dict[str, tuple[float, str]]:
    """Input -> its number in the formula's unit, and how it was written; defaults where they were not."""
    by_name = {each.name: each for each in asked.inputs}
    found: dict[str, tuple[float, str]] = {}
    for name, number, unit in arguments:
        if name and name not in by_name:
            raise AlloyloopError(f"{asked.name} takes no {name}", f"It is {asked}.")
        wanted = by_name[name] if name else _meant(asked, unit, [each for each in by_name if each not in found])
        if wanted.name in found:
            said = f"{wanted.name} is given twice to {asked.name}"
            raise AlloyloopError(said, f"Write repetitions as {asked.name}(…), {asked.name}(…).")
        written = f"{number:.12g} {unit}".rstrip()
        found[wanted.name] = (_in_formula_unit(asked, wanted, number, unit), written)
    for each in asked.inputs:
        if each.name not in found and each.default is not None:
            shown = f"{each.default:g} {_spelt(each.unit)}".rstrip() + " (taken)"
            found[each.name] = (each.default, shown if each.default else "")
        elif each.name not in found and not each.of_alloy:
            raise AlloyloopError(f"{asked.name} lacks {each.name}: {each.about}", f"It is {asked}.")
    return found


def _meant(asked: Method, unit: str, left: Sequence[str]) -> Input:
    """The input that a reading without a name can only be, by its unit."""
    dimensions = {_dimension(each) for each in (unit, _LOADS.get(_spelt(unit), unit))} - {None}
    same = [each for each in asked.inputs if _dimension(each.unit) in dimensions]
    if len(same) == 1:
        return same[0]
    could = ", ".join(each.name for each in same) or ", ".join(left)
    raise AlloyloopError(
        f"A reading in '{unit}' may be any of {could} of {asked.name}"
        if same
        else f"{asked.name} takes no reading in '{unit}'",
        f"Name it: one of {could}." if same else f"It is {asked}.",
    )


def _of_alloy(
    asked: Method, arguments: Sequence[tuple[str, float, str]], alloy: Composition | None
) -> dict[str, tuple[float, str]]:
    """What is computed of the alloy, of the inputs that were not given."""
    given = {name or _meant(asked, unit, ()).name for name, _, unit in arguments}
    found: dict[str, tuple[float, str]] = {}
    for each in asked.inputs:
        if not each.of_alloy or each.name in given:
            continue
        if alloy is None:
            raise AlloyloopError(
                f"{asked.name} lacks {each.name}, and it is not known what the alloy consists of", f"It is {asked}."
            )
        try:
            value = _density(alloy) if each.of_alloy == "density" else equivalent_weight(alloy.wt_pct)
        except AlloyloopError as error:
            raise AlloyloopError(error.problem, f"Add {each.name}=… {_spelt(each.unit)} to {asked.name}.") from error
        found[each.name] = (value, f"{value:.4g} {_spelt(each.unit)} (computed)")
    return found


def _density(alloy: Composition) -> float:
    """Density of an alloy by that of its elements [g/cm3]."""
    amounts = alloy.wt_pct
    known = {element: amount for element, amount in amounts.items() if np.isfinite(_density_of(element))}
    if sum(amounts.values()) - sum(known.values()) > _WITHOUT_DENSITY:
        lacking = next(element for element in amounts if element not in known)
        raise AlloyloopError(f"The element table has no density of {lacking}")
    total = sum(known.values())
    kept = Composition({element: 100 * amount / total for element, amount in known.items()}, "wt_pct")
    return float(evaluate(["density_g_per_cm3"], kept.fractions[None], kept.elements)[0, 0])


@cache
def _density_of(element: str) -> float:
    return float(evaluate(["density_g_per_cm3"], np.ones((1, 1)), (element,))[0, 0])


def _in_formula_unit(asked: Method, wanted: Input, number: float, unit: str) -> float:
    spelt, target = _spelt(unit), _spelt(wanted.unit)
    if _UNITS[target][0] == "force":
        spelt = _LOADS.get(spelt, spelt)
    if _dimension(spelt) != _UNITS[target][0]:
        said = f"in '{unit}'" if unit else "without a unit"
        raise AlloyloopError(
            f"{wanted.name} of {asked.name} is given {said}: {wanted.about}",
            f"Give it in {target}, say." if target else "It has no unit.",
        )
    (_, factor, offset), (_, its_factor, its_offset) = _UNITS[spelt], _UNITS[target]
    return (factor * number + offset - its_offset) / its_factor


def _dimension(unit: str) -> str | None:
    known = _UNITS.get(_spelt(unit))
    return None if known is None else known[0]


def _spelt(unit: str) -> str:
    """A unit in our spelling, be it known or not.

    >>> _spelt("mg"), _spelt("cm²"), _spelt("µm"), _spelt("g_per_cm3"), _spelt("mA cm-2"), _spelt("° C")
    ('mg', 'cm2', 'um', 'g/cm3', 'mA/cm2', 'C')
    """
    plain = unicodedata.normalize("NFKC", unit).replace("μ", "u").replace("−", "-").replace("°", "").replace("^", "")
    plain = re.sub(r"\s+|\.$", " ", plain.replace("_per_", "/")).strip()
    if power := re.fullmatch(r"(\w+)[ ·*](\w+?)-(\d)", plain):
        plain = f"{power[1]}/{power[2]}{power[3] if power[3] != '1' else ''}"
    plain = plain.replace(" ", "")
    return _SPELT.get(plain, plain)


def _unit_of_column(column: str) -> str:
    """The unit that a column's name tells: `loss_mg`, `area (cm2)`, `t / h`; "" where it tells none."""
    if bracket := re.search(r"[(\[]([^()\[\]]+)[)\]]\s*$", column):
        return bracket[1]
    parts = re.split(r"_|\s*/\s+|\s+", column)
    for cut in range(1, len(parts)):
        unit = "_".join(parts[cut:])
        if _dimension(unit):
            return _spelt(unit)
    return ""


def _in_unit_of(name: str, value: float, by: Method) -> float:
    """What a method gives, in the unit that the property's name tells; where it tells none, in the method's own."""
    unit = split_unit(name)[1]
    told = converted(value, by.unit, unit) if unit else value
    if told is None:
        raise AlloyloopError(f"{by.name} gives {_spelt(by.unit)}, and {name} is in {_spelt(unit)}", f"It is {by}.")
    return told
