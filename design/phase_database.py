"""A thermodynamic database (TDB) as a value: its text, and what pycalphad reads in it.

Reading runs no code of the file: pycalphad hands each expression to SymEngine's own parser of arithmetic, which knows
no attribute, no string and no Python.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

from ..surrogates.errors import AlloyloopError
from .corrosion import ZERO_CELSIUS_K

# What decides which phases are stable; mobilities and volumes may have ranges of their own.
THERMODYNAMIC = frozenset({"G", "L", "TC", "BMAG", "BMAGN", "NT", "THETA"})
NOT_ELEMENTS = frozenset({"/-", "VA"})


@dataclass(frozen=True, slots=True)
class PhaseDatabase:
    """A thermodynamic database that a user has, in Thermo-Calc's TDB format.

    Parameters
    ----------
    file : its name, for messages
    text : all of it

    Examples
    --------
    >>> PhaseDatabase("my.tdb", "ELEMENT AL FCC_A1 26.98 4577.3 28.32 !").digest[:8]
    '4670c868'
    """

    file: str
    text: str

    def __repr__(self) -> str:
        """By its digest, by which what was worked out with it is known again."""
        return f"PhaseDatabase({self.file!r}, {self.digest[:16]})"

    @property
    def digest(self) -> str:
        """SHA-256 of the text: by it results are known again."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def elements(self) -> tuple[str, ...]:
        """Symbols of its elements, sorted."""
        return tuple(sorted(str(name).capitalize() for name in parsed(self).elements - NOT_ELEMENTS))

    @property
    def phases(self) -> tuple[str, ...]:
        """Names of its phases, sorted."""
        return tuple(sorted(parsed(self).phases))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What pycalphad passed over on reading it, each a sentence."""
        return tuple(f"{self.file}: {said}" for said in _read(self)[1])

    def formable(self, elements: Iterable[str]) -> tuple[str, ...]:
        """Names of the phases that alloys of these elements can form, sorted.

        The disordered part of an ordered phase is among them, but not where the phase never disorders: that part is no
        phase then.
        """
        held, phases = _held(elements), parsed(self).phases
        no_phase = {
            phase.model_hints["disordered_phase"] for phase in phases.values() if "never_disorder" in phase.model_hints
        }
        return tuple(
            name
            for name in self.phases
            if name not in no_phase
            and all(any(held >= set(species.constituents) for species in place) for place in phases[name].constituents)
        )

    def refuse(
        self,
        elements: tuple[str, ...],
        asked: Iterable[str],
        suspended: Iterable[str],
        temperatures_C: Iterable[float],
    ) -> None:
        """Refuse a question that the database cannot answer.

        Parameters
        ----------
        elements : that alloys may hold
        asked, suspended : names of phases
        temperatures_C : of equilibria

        Raises
        ------
        AlloyloopError
            where it lacks an element or a phase, the elements cannot form a phase, or a temperature is outside what it
            describes, where pycalphad would take energies as zero
        """
        if lacking := set(elements) - set(self.elements):
            raise AlloyloopError(
                f"{self.file} has no {', '.join(sorted(lacking))}: it describes {', '.join(self.elements)}",
                "Give a database of all elements of the campaign, or take the key calphad out.",
            )
        formable = self.formable(elements)
        for phase in (*asked, *suspended):
            if phase not in self.phases:
                alike = get_close_matches(phase.upper(), self.phases, n=3)
                few = f"It has {', '.join(formable[:12])}{' …' if len(formable) > 12 else ''}."
                remedy = f"Did you mean {' or '.join(alike)}?" if alike else few
                raise AlloyloopError(f"{self.file} has no phase {phase}", remedy)
        for phase in asked:
            if phase not in formable:
                raise AlloyloopError(
                    f"{phase} of {self.file} cannot be formed by {', '.join(elements)}", "Take it out of the list."
                )
        for temperature in temperatures_C:
            kelvin = temperature + ZERO_CELSIUS_K
            for name, described in _undescribed(self, set(formable), _held(elements), kelvin):
                raise AlloyloopError(
                    f"{self.file} does not reach {temperature:g} °C ({kelvin:g} K): {name} is given for {described}",
                    "Choose a temperature that all its data of these elements hold.",
                )


def _held(elements: Iterable[str]) -> set[str]:
    """The elements as a database writes them, and the vacancy."""
    return {*(element.upper() for element in elements), "VA"}


def parsed(database: PhaseDatabase) -> Any:
    """The database as pycalphad's `Database`.

    Raises
    ------
    AlloyloopError
        where pycalphad is not installed, or the text is not a TDB; with the line
    """
    return _read(database)[0]


@lru_cache(maxsize=2)
def _read(database: PhaseDatabase) -> tuple[Any, tuple[str, ...]]:
    if find_spec("pycalphad") is None:
        raise AlloyloopError(
            "The key calphad needs pycalphad, which is not installed",
            'Install it with `pip install "alloyloop[calphad]"`, or leave the key out.',
        )
    try:
        read, remarks = _parse(database.text)
    except Exception as error:  # of the parser, of SymEngine or of Python's own, by what is wrong with the text
        place = f"{database.file}, line {_line_of(database.text, error)}"
        said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise AlloyloopError(f"This is not a TDB that can be read: {said}", place=place) from error
    if not read.phases:
        raise AlloyloopError(
            "It describes no phase", "Give a thermodynamic database in TDB format.", place=database.file
        )
    return read, remarks


def _parse(text: str) -> tuple[Any, tuple[str, ...]]:
    """The database in a text, and what pycalphad warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        from pycalphad import Database

        read = Database.from_string(text, fmt="tdb")
    said = dict.fromkeys(str(warning.message) for warning in caught if warning.category is UserWarning)
    return read, tuple(said)


def _line_of(text: str, error: Exception) -> int:
    """The line on which the command ends that cannot be read: the first with which the text fails in the same way."""
    ends = [sign.end() for sign in re.finditer("!", text)] + [len(text)]

    def fails(end: int) -> bool:
        try:
            _parse(text[:end])
        except Exception as other:
            return type(other) is type(error) and str(other) == str(error)
        return False

    first = bisect_left(ends, True, key=fails)
    return text.count("\n", 0, ends[min(first, len(ends) - 1)]) + 1


def _undescribed(
    database: PhaseDatabase, phases: set[str], held: set[str], temperature_K: float
) -> Iterator[tuple[str, str]]:
    """Parameters and functions of these phases and elements that are not given at a temperature, and where they are."""
    from pycalphad import variables as v

    read = parsed(database)
    ahead = [
        (_in_tdb(parameter), parameter["parameter"])
        for parameter in read._parameters.all()
        if parameter["phase_name"] in phases
        and parameter["parameter_type"] in THERMODYNAMIC
        and all(held >= set(species.constituents) for place in parameter["constituent_array"] for species in place)
    ]
    seen: set[str] = set()
    while ahead:
        name, expression = ahead.pop()
        # Pairs of an expression and its range; the last pair is the zero that holds everywhere else.
        ranges = expression.args[1:-2:2] if type(expression).__name__ == "Piecewise" else ()
        if ranges and not any(str(condition.subs({v.T: temperature_K})) == "True" for condition in ranges):
            yield name, " and ".join(_in_words(condition) for condition in ranges)
        new = {str(symbol) for symbol in expression.free_symbols} & set(read.symbols) - seen
        seen |= new
        ahead += [(symbol, read.symbols[symbol]) for symbol in sorted(new)]


def _in_tdb(parameter: dict[str, Any]) -> str:
    """A parameter as the database names it, such as L(HCP_A3,AL,MG:VA;1)."""
    places = [",".join(species.name for species in place) for place in parameter["constituent_array"]]
    return f"{parameter['parameter_type']}({parameter['phase_name']},{':'.join(places)};{parameter['parameter_order']})"


def _in_words(condition: Any) -> str:
    """A range of temperature such as `298.15 to 700 K`."""
    numbers = sorted(float(number) for number in re.findall(r"-?\d+\.?\d*(?:[eE][+-]?\d+)?", str(condition)))
    return " to ".join(f"{number:g}" for number in numbers) + " K"
