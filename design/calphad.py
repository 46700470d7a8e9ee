"""Phase fractions and driving forces as features of alloys, computed from the user's own thermodynamic database.

What cannot be computed is not known (NaN), and never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from math import ceil, isnan, nan

import numpy as np

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .corrosion import ZERO_CELSIUS_K
from .equilibrium import system
from .phase_database import PhaseDatabase

Key = tuple[tuple[str, float], ...]
"""A composition: its elements in alphabetical order, each with its atomic fraction."""

# Compositions are told apart to this many digits of an atomic fraction.
DIGITS = 9
# Of an equilibrium of two to six elements in COST 507, on one core [s]; `benchmarks/calphad.py` measures it.
USUAL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Calphad:
    """What is asked of a thermodynamic database of each alloy, in equilibrium at 101325 Pa.

    Parameters
    ----------
    database : the user's
    elements : that alloys may hold
    temperatures_C : of the equilibria
    phases : whose fractions are features; 0 where a phase is not stable. An ordered phase counts under its own name
        where it is ordered, and under the name of its disordered part where it is not
    driving_forces : phases whose driving forces are features: how far a phase is from being stable, 0 where it is and
        the more negative the further
    suspended : phases that take no part
    most_alloys : new ones computed at a time; for more there is an error that says how long they would take
    known : what was computed before, by composition; grows

    Raises
    ------
    AlloyloopError
        where nothing is asked, or something that the database does not know
    """

    database: PhaseDatabase
    elements: tuple[str, ...]
    temperatures_C: tuple[float, ...]
    phases: tuple[str, ...] = ()
    driving_forces: tuple[str, ...] = ()
    suspended: tuple[str, ...] = ()
    most_alloys: int = field(default=10_000, repr=False)
    known: dict[Key, tuple[float, ...]] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        asked = (*self.phases, *self.driving_forces)
        if not self.temperatures_C or not asked:
            raise AlloyloopError(
                "The key calphad asks for nothing", "Give it temperature_C, and phases or driving_forces."
            )
        if both := sorted(set(asked) & set(self.suspended)):
            raise AlloyloopError(f"{both[0]} is asked for and suspended at once", "Take it out of one of the two.")
        self.database.refuse(self.elements, asked, self.suspended, self.temperatures_C)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns, with their units."""
        return tuple(self.meanings)

    @property
    def meanings(self) -> dict[str, str]:
        """What each column is, in a line, by its name."""
        return meanings(self.database.file, self.temperatures_C, self.phases, self.driving_forces)

    def compute(self, fractions: FloatArray, elements: tuple[str, ...]) -> FloatArray:
        """Features of alloys; of equal ones, and of those of earlier calls, once.

        Parameters
        ----------
        fractions : (n, n_elements) atomic fractions, rows summing to 1
        elements : of the columns

        Returns
        -------
        (n, n_columns), by `names`; NaN for reasons that `whys_unknown` says

        Raises
        ------
        AlloyloopError
            where more new ones are asked for than `most_alloys`, before anything is computed
        """
        keys = _keys(fractions, elements)
        new = self._new(keys)
        self.afford(len(new))
        for held, alloys in groupby(sorted(new, key=_elements_of), key=_elements_of):
            for key in alloys:
                self.known[key] = self._solved(held, np.array([amount for _, amount in key]))
        unknown = (nan,) * len(self.names)
        return np.array([self.known.get(key, unknown) for key in keys]).reshape(len(keys), len(unknown))

    def count_new(self, fractions: FloatArray, elements: tuple[str, ...]) -> int:
        """How many different alloys of these `compute` would have to compute."""
        return len(self._new(_keys(fractions, elements)))

    def whys_unknown(self, fractions: FloatArray, elements: tuple[str, ...]) -> list[str]:
        """Why a column of each of these alloys, computed already, is not known; empty where all are.

        Words that go on after `alloys that`.
        """
        return [self._why_unknown(key) for key in _keys(fractions, elements)]

    def afford(self, n_alloys: int) -> None:
        """Refuse to compute more new alloys than `most_alloys`."""
        if n_alloys > self.most_alloys:
            seconds = n_alloys * len(self.temperatures_C) * USUAL_SECONDS
            long = f"{seconds / 3600:.2g} h" if seconds > 5400 else f"{ceil(seconds / 60)} min"
            raise AlloyloopError(
                f"The phases of {n_alloys} alloys that are not known yet would take about {long}",
                "Ask for fewer (by a range, a table of candidates or coarser steps), or raise calphad.most_alloys from "
                f"{self.most_alloys}.",
            )

    def _new(self, keys: list[Key]) -> list[Key]:
        own = set(self.elements)
        told = (key for key in dict.fromkeys(keys) if key and key not in self.known)
        return [key for key in told if own.issuperset(_elements_of(key))]

    def _solved(self, held: tuple[str, ...], amounts: FloatArray) -> tuple[float, ...]:
        ready = system(self.database, held, self.suspended)
        values: list[float] = []
        for temperature in self.temperatures_C:
            found = ready.equilibrium(amounts, temperature + ZERO_CELSIUS_K, self.driving_forces)
            if found is None:
                values += [nan] * (len(self.phases) + len(self.driving_forces))
            else:
                # What the last digits say differs between processes: of a stable phase 0 or -1e-13 J/mol.
                values += [round(found.fractions.get(phase, 0.0), 9) for phase in self.phases]
                values += [round(found.driving_forces[phase], 6) + 0.0 for phase in self.driving_forces]
        return tuple(values)

    def _why_unknown(self, key: Key) -> str:
        """See `whys_unknown`."""
        file, values = self.database.file, self.known.get(key)
        if values is None:
            return f"hold elements that {file} was not asked about: it was about {', '.join(self.elements)}"
        formable = set(self.database.formable(_elements_of(key)))
        expected = [True] * len(self.phases) + [phase in formable for phase in self.driving_forces]
        pairs = zip(values, expected * len(self.temperatures_C), strict=True)
        if any(isnan(value) and is_expected for value, is_expected in pairs):
            return f"have an equilibrium that did not converge with {file}"
        if any(map(isnan, values)):
            return f"cannot form a phase of {file} whose driving force is a feature"
        return ""


def meanings(
    file: str, temperatures_C: tuple[float, ...], phases: tuple[str, ...], driving_forces: tuple[str, ...]
) -> dict[str, str]:
    """What each column of a question is, in a line, by its name, without reading the database.

    Parameters
    ----------
    file : name of the database
    temperatures_C, phases, driving_forces : see `Calphad`; of each temperature fractions come before driving forces

    Examples
    --------
    >>> list(meanings("my.tdb", (600.0,), ("BCC_A2",), ("LIQUID",)))
    ['fraction_BCC_A2_600C', 'driving_force_LIQUID_600C_J_per_mol']
    """
    said = {}
    for temperature in temperatures_C:
        at = f"at {temperature:g} °C, by {file}"
        for phase in phases:
            said[f"fraction_{phase}_{temperature:g}C"] = f"Share of the atoms in {phase} in equilibrium {at} [-]"
        for phase in driving_forces:
            name = f"driving_force_{phase}_{temperature:g}C_J_per_mol"
            said[name] = f"Driving force for {phase} {at}; 0 where it is stable, else negative [J per mol of atoms]"
    return said


def _keys(fractions: FloatArray, elements: tuple[str, ...]) -> list[Key]:
    order = np.argsort(elements)
    rounded = np.round(np.asarray(fractions, dtype=np.float64)[:, order], DIGITS).tolist()
    named = [elements[i] for i in order]
    return [tuple((name, x) for name, x in zip(named, row, strict=True) if x > 0) for row in rounded]


def _elements_of(key: Key) -> tuple[str, ...]:
    return tuple(element for element, _ in key)
