"""What a column's header says: an element and its basis, or a quantity and its unit, in the forms people really use."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Literal

from ..design.alloy_names import Basis
from ..design.elements import SYMBOLS

Goal = Literal["minimize", "maximize", "report"]
Kind = Literal["property", "class", "process", "condition"]


@dataclass(frozen=True, slots=True)
class AmountHeader:
    """A header that names an element's amount.

    Parameters
    ----------
    element : its symbol
    basis : None where the header does not say it
    is_measured : whether it is as analysed
    is_fraction : whether it is named a fraction, which runs to 1
    """

    element: str
    basis: Basis | None
    is_measured: bool = False
    is_fraction: bool = False


@dataclass(frozen=True, slots=True)
class QuantityHeader:
    """A header that names a quantity.

    Parameters
    ----------
    name : our name for it, with its unit, such as ``youngs_modulus_GPa``
    kind : what it is for an alloy; None where its words do not tell
    goal : what people usually want of a property
    unit : as our names write it, such as ``mm_per_y``; "" where there is none
    reason : how it was recognised, in words
    """

    name: str
    kind: Kind | None
    goal: Goal
    unit: str
    reason: str


_PERCENT = r"[.\s_-]*(?:%|(?:pct|per ?cent|proz(?:ent)?|(?P<{0}>frac(?:tion)?))(?![A-Za-z]))"
_BASIS = re.compile(
    rf"(?<![A-Za-z])(?:(?P<wt>wt|weight|mass|gew|ma){_PERCENT.format('wt_fraction')}"
    rf"|(?P<at>at|atomic|atom|mol|mole){_PERCENT.format('at_fraction')})",
    re.IGNORECASE,
)
_MEASURED = {"measured", "meas", "eds", "edx", "icp", "oes", "xrf", "epma", "actual", "analysed", "analyzed", "real"}
_FILLERS = {
    *("by", "balance", "bal", "content", "nominal", "target", "composition", "comp", "concentration", "amount", "in"),
    *("of", "c", "x", "w", "pct", "percent", "%"),
}


def amount_header(header: str) -> AmountHeader | None:
    """Read a header as an element's amount; None where it is none.

    Examples
    --------
    >>> amount_header("Ti (at.%)"), amount_header("Mg_wt_pct_by_balance").basis, amount_header("Ti").basis
    (AmountHeader(element='Ti', basis='at_pct', is_measured=False, is_fraction=False), 'wt_pct', None)
    >>> amount_header("oxygen_wt_pct"), amount_header("E / GPa")
    (None, None)
    """
    basis: Basis | None = None
    is_fraction = False
    rest = unicodedata.normalize("NFKC", header)
    if match := _BASIS.search(re.sub(r"_", " ", rest)):
        basis = "wt_pct" if match["wt"] else "at_pct"
        is_fraction = bool(match["wt_fraction"] or match["at_fraction"])
        rest = f"{rest[: match.start()]} {rest[match.end() :]}"
    words = re.sub(r"[^A-Za-z%]+", " ", rest).split()
    elements = [word for word in words if word in SYMBOLS]
    others = {word.lower() for word in words if word not in SYMBOLS}
    if len(elements) != 1 or not others <= _FILLERS | _MEASURED or re.search(r"[0-9]", rest):
        return None
    return AmountHeader(elements[0], basis, bool(others & _MEASURED), is_fraction)


# Unit as our names write it → other ways to write it. Those of one letter are read with their case.
_UNITS: dict[str, tuple[str, ...]] = {
    "GPa": (),
    "MPa": ("n/mm2", "n/mm^2", "n mm-2"),
    "kPa": (),
    "ksi": (),
    "Pa": (),
    "HV": (),
    "HRB": (),
    "HRC": (),
    "HB": ("hbw",),
    "K": ("kelvin",),
    "C": ("°c", "degc", "deg c", "deg. c", "celsius", "oc", "º c", "ºc"),
    "F": ("°f", "degf"),
    "wt_pct": ("wt%", "wt.%", "wt. %", "mass%", "mass pct"),
    "at_pct": ("at%", "at.%", "at. %"),
    "area_pct": ("area%", "area %"),
    "vol_pct": ("vol%", "vol.%", "vol. %"),
    "pct": ("%", "percent"),
    "mm_per_y": (
        "mm/y",
        "mm/yr",
        "mm/year",
        "mm/a",
        "mmpy",
        "mm y-1",
        "mm yr-1",
        "mm·y-1",
        "mm a-1",
        "mm per year",
        "mm y^-1",
    ),
    "um_per_y": ("um/y", "um/yr", "um/year"),
    "mpy": (),
    "mm_per_s": ("mm/s", "mm s-1", "mm·s-1"),
    "m_per_s": ("m/s", "m s-1"),
    "mm_per_min": ("mm/min",),
    "m_per_min": ("m/min",),
    "C_per_min": ("°c/min", "c/min"),
    "C_per_s": ("°c/s", "c/s"),
    "K_per_min": ("k/min",),
    "K_per_s": ("k/s",),
    "per_s": ("1/s", "s-1", "s^-1", "/s"),
    "J_per_mm3": ("j/mm3", "j/mm^3", "j mm-3"),
    "g_per_cm3": ("g/cm3", "g/cm^3", "g/cc", "g cm-3", "g·cm-3"),
    "kg_per_m3": ("kg/m3", "kg/m^3"),
    "mA_per_cm2": ("ma/cm2", "ma/cm^2", "ma cm-2"),
    "uA_per_cm2": ("ua/cm2", "ua/cm^2", "ua cm-2"),
    "A_per_cm2": ("a/cm2", "a/cm^2", "a cm-2"),
    "mol_per_L": ("mol/l",),
    "mg_per_cm2_per_d": ("mg/cm2/d", "mg/cm2/day"),
    "mL_per_cm2_per_d": ("ml/cm2/d", "ml/cm2/day"),
    "USD_per_kg": ("usd/kg", "$/kg"),
    "ppm": (),
    "mT": (),
    "T": (),
    "Oe": (),
    "mrad": (),
    "mV": (),
    "um": ("micron", "microns", "micrometer"),
    "nm": (),
    "mm": (),
    "min": ("mins", "minutes"),
    "h": ("hr", "hrs", "hour", "hours"),
    "s": ("sec", "seconds"),
    "W": ("watt",),
    "V": (),
    "J": (),
}
_BY_FORM = {form: unit for unit, forms in _UNITS.items() for form in forms} | {
    unit.casefold(): unit for unit in _UNITS if len(unit) > 1
}


def unit_of(text: str) -> str | None:
    """Return a unit as our names write it, or None where the text is none.

    Examples
    --------
    >>> unit_of("N/mm²"), unit_of("°C"), unit_of("HV0.5"), unit_of("my alloy")
    ('MPa', 'C', 'HV', None)
    """
    text = unicodedata.normalize("NFKC", text).replace("μ", "u").replace("−", "-").strip(" .")
    if text in _UNITS:
        return text
    if re.fullmatch(r"(?i:HV) ?[0-9][0-9./ ]*(?:gf|kgf|g|kg)?", text):
        return "HV"
    return _BY_FORM.get(text.casefold())


@cache
def _split(header: str) -> tuple[str, str]:
    """Cut a header into its words and its unit: ``E / GPa``, ``UTS [MPa]``, ``Ms, K``, ``hatch_mm``."""
    header = header.strip()
    bracket = max(header.rfind("("), header.rfind("["))
    if header.endswith((")", "]")) and bracket >= 0 and (unit := unit_of(header[bracket + 1 : -1])):
        return header[:bracket].strip(" /,_-"), unit
    for cut in range(1, len(header)):
        if header[cut] in " /,_:" and cut + 1 < len(header) and (unit := unit_of(header[cut + 1 :].replace("_", " "))):
            return header[:cut].strip(" /,_-:"), unit
        if header[cut] == "_" and header[cut + 1 :] in _UNITS:
            return header[:cut], header[cut + 1 :]
    if header.endswith("%"):
        return header[:-1].strip(" /,_-"), "pct"
    return header, unit_of(header) or "" if len(header) > 1 else ""


def _key(words: str) -> str:
    """Write words in one way: small letters and single blanks, Greek letters by name."""
    words = (
        unicodedata.normalize("NFKC", words).replace("σ", " sigma ").replace("ε", " epsilon ").replace("δ", " delta ")
    )
    words = unicodedata.normalize("NFKD", re.sub(r"['’`´]", "", words))
    words = "".join(letter for letter in words if not unicodedata.combining(letter))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", words.lower()).split())


_TEMPERATURE, _TIME = r"( temp(erature)?| t)", r" (time|duration)"
_SOLUTION = r"(solution|solutioni[sz](ing|ation)|st|solution treat(ment|ing|ed)?)"
_MODULUS = r"(youngs?|elastic|tensile|e)( elastic)? ?mod(ul(us)?)?|modulus( of elasticity)?|elastizitatsmodul"
_HARDNESS = r"(vickers )?(micro ?)?(hardness|harte)( vickers)?( hv ?[0-9 ]*)?|vickers( micro ?hardness)?"
_YIELD = r"(tensile )?yield (strength|stress|point)|t?ys|rp? ?0 ?2|sigma (y|0 2|ys)|(0 2 )?proof (stress|strength)"
_TENSILE = r"uts|rm|(ultimate )?tensile (strength|stress)|sigma (uts|b|u)|zugfestigkeit"
_BREAK = r"(break|fracture|failure)"
_ELONGATION = rf"el|elong(ation)?( (at|to) {_BREAK})?|a ?5?|ductility|strain (at|to) {_BREAK}|{_BREAK} strain"

# Name, unit where the header gives none, kind, goal that people usually mean, the whole words.
_QUANTITIES: tuple[tuple[str, str, Kind, Goal, str], ...] = (
    ("youngs_modulus", "GPa", "property", "minimize", f"e|{_MODULUS}"),
    ("hardness", "HV", "property", "maximize", f"hv ?[0-9 ]*|{_HARDNESS}"),
    ("yield_strength", "MPa", "property", "maximize", f"{_YIELD}|streckgrenze|dehngrenze"),
    ("ultimate_tensile_strength", "MPa", "property", "maximize", _TENSILE),
    ("compressive_yield_strength", "MPa", "property", "maximize", "cys|compressi(ve|on) yield (strength|stress)"),
    ("ultimate_compressive_strength", "MPa", "property", "maximize", "ucs|(ultimate )?compressi(ve|on) strength"),
    ("elongation", "pct", "property", "report", f"{_ELONGATION}|bruchdehnung"),
    ("martensite_start", "K", "property", "report", r"ms|m s|martensite start( temp(erature)?)?"),
    ("corrosion_rate", "mm_per_y", "property", "minimize", "cr|corrosion( rate)?|degradation rate"),
    ("measured_density", "g_per_cm3", "property", "report", "(measured )?density|rho"),
    ("relative_density", "pct", "property", "report", r"(rel(ative)?|archimedes) density"),
    ("surface_roughness", "um", "property", "report", r"ra|sa|(surface )?roughness( ra)?"),
    ("phases", "", "class", "report", r"(xrd |main )?phases?( xrd)?|(crystal )?structure|phase s"),
    ("test_temperature", "C", "condition", "report", r"(test(ing)?|deformation|measuring) temp(erature)?|t test"),
    ("strain_rate", "per_s", "condition", "report", r"(initial )?strain rate|epsilon dot"),
    ("grain_size", "um", "condition", "report", r"(mean |average )?grain (size|diameter)|gs"),
    ("oxygen", "wt_pct", "condition", "report", r"oxygen( content)?|o content"),
    ("solution_temperature", "C", "process", "report", _SOLUTION + _TEMPERATURE),
    ("solution_time", "h", "process", "report", _SOLUTION + _TIME),
    ("ageing_temperature", "C", "process", "report", "age?ing" + _TEMPERATURE),
    ("ageing_time", "h", "process", "report", "age?ing" + _TIME),
    ("annealing_temperature", "C", "process", "report", f"(anneal(ing)?|ht|heat treatment){_TEMPERATURE}"),
    ("annealing_time", "h", "process", "report", f"(anneal(ing)?|ht|heat treatment){_TIME}"),
    ("temperature", "C", "process", "report", r"t|temp(erature)?"),
)
_MATCHERS: tuple[tuple[re.Pattern[str], str, str, Kind, Goal], ...] = tuple(
    (re.compile(words), name, unit, kind, goal) for name, unit, kind, goal, words in _QUANTITIES
)

_NEEDS_A_UNIT = re.compile(r"a ?5?|cr|ra|sa|gs|t|rho|modulus|fracture|failure")  # too short, or too much, to tell

# Kind, goal, and words that speak for them wherever they stand; the first that is found decides.
_TELLING: tuple[tuple[Kind, Goal, str], ...] = (
    ("condition", "report", r"\btest(ing)? temp|strain rate|grain size|\bph\b|chloride|sulf?ph?ate|oxygen|nitrogen"),
    ("condition", "report", r"impurit|inclusion|medium"),
    ("property", "minimize", r"corrosion rate|degradation rate|mass loss rate"),
    ("property", "maximize", r"strength|hardness|yield stress"),
    ("property", "minimize", r"modulus"),
    ("property", "report", r"elongation|strain|ductility|density|roughness|martensite|toughness|plasticity|coercivity"),
    ("property", "report", r"magneti[sz]ation|potential|ecorr|icorr|conductivity|resistivity|hysteresis|corrosion"),
    ("property", "report", r"penetration|rotation|expansion"),
    ("process", "report", r"temp|time|duration|power|speed|velocity|hatch|layer|spot|cooling|heating rate|reduction"),
    ("process", "report", r"ratio|pressure|feed|energy density|powder|pass(es)?|quench|atmosphere|process|condition"),
    ("process", "report", r"treatment|route|temper\b|geometry"),
    ("class", "report", r"\bphases?\b"),
)
_UNITS_OF_A_PROCESS = ("C", "h", "min", "s", "W", "mm", "mm_per_s", "m_per_s", "J_per_mm3", "C_per_min", "C_per_s")
_KIND_OF_UNIT: dict[str, Kind] = {
    **dict.fromkeys(_UNITS_OF_A_PROCESS, "process"),
    **dict.fromkeys(("mol_per_L", "ppm", "wt_pct", "at_pct"), "condition"),
}


def quantity_header(header: str) -> QuantityHeader:
    """Read a header as a quantity with a unit; its ``kind`` is None where nothing in it says what it is.

    Names that are ours already, such as ``Ms_K`` or ``nanoindent_modulus_GPa``, stay as they are.

    Examples
    --------
    >>> quantity_header("E / GPa").name, quantity_header("Young's modulus (MPa)").name, quantity_header("YS").name
    ('youngs_modulus_GPa', 'youngs_modulus_MPa', 'yield_strength_MPa')
    >>> quantity_header("corrosion rate mm/y").name, quantity_header("Ageing temp. (°C)").name
    ('corrosion_rate_mm_per_y', 'ageing_temperature_C')
    >>> quantity_header("reduction_ratio").kind, quantity_header("sample colour").kind
    ('process', None)
    """
    words, unit = _split(header)
    key = _key(words)
    is_ours = bool(re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+", header))
    for pattern, name, usual_unit, kind, goal in _MATCHERS:
        if not pattern.fullmatch(key) or not _fits(name, unit) or (not unit and _NEEDS_A_UNIT.fullmatch(key)):
            continue
        reason = f"'{words}' is how people name it"
        if kind != "class" and not unit:
            reason += f"; without a unit it is taken as {usual_unit.replace('_', ' ')}"
        own_name = "_".join(part for part in (name, "" if kind == "class" else unit or usual_unit) if part)
        keeps = is_ours and (bool(unit) or kind == "class") and not name.startswith("measured_")
        return QuantityHeader(header if keeps else own_name, kind, goal, unit or usual_unit, reason)
    name = header if is_ours else "_".join(part for part in (key.replace(" ", "_"), unit) if part)
    name = f"x{name}" if name[:1].isdigit() else name  # a name that rules can use begins with a letter
    for kind, goal, telling in _TELLING:
        if found := re.search(telling, key):
            return QuantityHeader(name, kind, goal, unit, f"'{found[0].strip()}' is in its name")
    if unit:
        return QuantityHeader(
            name, _KIND_OF_UNIT.get(unit, "property"), "report", unit, f"its unit is {unit.replace('_', ' ')}"
        )
    return QuantityHeader(name, None, "report", "", "nothing in its name says what it is")


def _fits(name: str, unit: str) -> bool:
    """Tell whether a short name and the unit beside it can mean this quantity."""
    kinds = {
        "youngs_modulus": {"GPa", "MPa", "ksi"},
        "hardness": {"HV", "HRB", "HRC", "HB", "GPa", "MPa"},
        "elongation": {"pct"},
        "martensite_start": {"K", "C"},
        "corrosion_rate": {"mm_per_y", "um_per_y", "mpy", "mg_per_cm2_per_d", "mL_per_cm2_per_d"},
        "measured_density": {"g_per_cm3", "kg_per_m3"},
        "relative_density": {"pct"},
        "surface_roughness": {"um", "nm", "mm"},
        "temperature": {"C", "K"},
        "phases": set(),
    }
    if name in kinds:
        return not unit or unit in kinds[name]
    return not unit or not name.endswith("_strength") or unit in {"MPa", "GPa", "ksi", "kPa", "Pa"}


_SPREAD = r"(?:std(?:ev)?|sd|s\.d\.|standard deviation|error|err|uncertainty)"
_STD = re.compile(
    rf"^(?:{_SPREAD}(?![A-Za-z])|±|\+/-)(?:\s+(?:of|in)\s+|[\s_.:]*)"
    rf"|[\s_.,(\[]*(?:±|\+/-|(?<![A-Za-z]){_SPREAD}(?![A-Za-z]))[\])\s]*",
    re.IGNORECASE,
)
_COUNT = re.compile(r"_n$|(?<=[\s_])(?:n|replicates|no\. of tests|number of tests)$", re.IGNORECASE)


def std_header(header: str) -> str | None:
    """Return what a header is the standard deviation of ("" for the column before it); None where it is of nothing.

    Examples
    --------
    >>> std_header("hardness_HV_std"), std_header("UTS SD (MPa)"), std_header("±"), std_header("E / GPa")
    ('hardness_HV', 'UTS (MPa)', '', None)
    """
    match = _STD.search(header.replace("_", " "))
    if not match:
        return None
    rest = " ".join(f"{header[: match.start()]} {header[match.end() :]}".split())
    return "" if unit_of(rest.strip(" ()[]/,")) else rest


def count_header(header: str) -> str | None:
    """Return what a header counts the replicates of; None where it counts none."""
    match = _COUNT.search(header)
    return header[: match.start()].strip(" _") if match else None
