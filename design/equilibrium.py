"""Phase equilibria of alloys by pycalphad, checked: what does not add up, or passes over a phase, is no equilibrium."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ..surrogates.base import FloatArray
from .phase_database import PhaseDatabase, parsed

PRESSURE_PA = 101325.0
# Points a sublattice that the solver starts from; the more are tried where it did not converge from the fewer.
DENSITIES = (60, 120)
# An equilibrium whose phases do not add up to the alloy within this, in atomic fractions, is not one.
MOST_LOST = 1e-5
# No phase may be below the common tangent by more than this [J/mol]: the equilibrium would have missed it.
MOST_MISSED = 1.0
# Where the site fractions of all its sublattices differ by less, an ordered phase is disordered.
LEAST_ORDER = 1e-3
# Each takes some ten megabytes, and some seconds to make.
SYSTEMS_KEPT = 16


@dataclass(frozen=True, slots=True)
class Equilibrium:
    """One equilibrium.

    Parameters
    ----------
    fractions : of the stable phases [mol of atoms per mol of atoms], by name; they sum to 1
    driving_forces : of the phases asked for [J per mol of atoms], at most 0; NaN where the elements cannot form one
    """

    fractions: Mapping[str, float]
    driving_forces: Mapping[str, float]


@lru_cache(maxsize=SYSTEMS_KEPT)
def system(database: PhaseDatabase, elements: tuple[str, ...], suspended: tuple[str, ...] = ()) -> System:
    """The phases of some elements, but for the suspended ones; made once."""
    return System(database, elements, suspended)


class System:
    """The phases of one set of elements, ready to be solved at any composition that holds all of them.

    An element in no amount would leave the solver without a chemical potential: such an alloy is of another system.
    """

    def __init__(self, database: PhaseDatabase, elements: tuple[str, ...], suspended: tuple[str, ...]) -> None:
        from pycalphad import Workspace

        self._read = parsed(database)
        self._elements = tuple(element.upper() for element in elements)
        components = [*self._elements, *({"VA"} & set(self._read.elements))]
        entered = sorted(set(self._read.phases) - set(suspended))
        anywhere = self._conditions(np.full(len(elements), 1 / len(elements)), 1000.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of phases left out, which `PhaseDatabase.formable` says too
            self._space: Any = Workspace(self._read, components, entered, anywhere)  # whose types are not all told

    def equilibrium(
        self, fractions: FloatArray, temperature_K: float, driving_forces: tuple[str, ...] = ()
    ) -> Equilibrium | None:
        """The equilibrium of an alloy; None where the solver did not converge, or to what is shown to be none.

        Parameters
        ----------
        fractions : (n_elements,) atomic fractions of the system's elements, none of them 0
        temperature_K : of the equilibrium, at 101325 Pa
        driving_forces : of which phases they are wanted
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of starts that lead nowhere: their ends are checked below
            for density in DENSITIES:
                self._space.calc_opts = {"pdens": density}
                self._space.conditions.update(self._conditions(fractions, temperature_K))
                found = self._found(fractions, temperature_K, driving_forces)
                if found is not None:
                    return found
        return None

    def _conditions(self, fractions: FloatArray, temperature_K: float) -> dict[Any, float]:
        from pycalphad import variables as v

        amounts = zip(self._elements[1:], fractions[1:], strict=True)
        return {v.T: temperature_K, v.P: PRESSURE_PA, v.N: 1.0} | {v.X(element): float(x) for element, x in amounts}

    def _found(self, alloy: FloatArray, temperature_K: float, driving_forces: tuple[str, ...]) -> Equilibrium | None:
        parts = self._space.get_composition_sets()
        order = np.argsort(self._elements)  # as pycalphad has them
        made = sum((part.NP * np.asarray(part.X) for part in parts), np.zeros(len(alloy)))
        if not parts or not np.abs(made - alloy[order]).max() <= MOST_LOST:  # nor where it is NaN
            return None
        fractions: dict[str, float] = {}
        for part in parts:
            name = self._name(part)
            fractions[name] = fractions.get(name, 0.0) + float(part.NP)
        forces = {phase: self._driving_force(phase, temperature_K) for phase in driving_forces}
        if any(force > MOST_MISSED for force in forces.values()):
            return None
        return Equilibrium(fractions, {phase: 0.0 if force > 0 else force for phase, force in forces.items()})

    def _name(self, part: Any) -> str:
        """The phase of a part; of an ordered phase whose sublattices are alike its disordered part."""
        name = str(part.phase_record.phase_name)
        hints = self._read.phases[name].model_hints
        if hints.get("ordered_phase") != name or hints.get("never_disorder"):
            return name
        variables = part.phase_record.variables
        sites: dict[int, dict[str, float]] = {}
        for variable, fraction in zip(variables, np.asarray(part.dof)[-len(variables) :], strict=True):
            sites.setdefault(variable.sublattice_index, {})[str(variable.species)] = float(fraction)
        first = sites[0]
        substitutional = [site for site in sites.values() if site.keys() == first.keys()]
        alike = all(abs(site[species] - first[species]) < LEAST_ORDER for site in substitutional for species in first)
        return str(hints["disordered_phase"]) if alike else name

    def _driving_force(self, phase: str, temperature_K: float) -> float:
        """How far a phase is above the common tangent at the best of its compositions; by a sample, then a descent.

        Hillert, Phase Equilibria, Phase Diagrams and Phase Transformations, 2nd ed. (2008), ch. 4.
        """
        from pycalphad import calculate
        from pycalphad.core.composition_set import CompositionSet
        from pycalphad.property_framework.metaproperties import DormantPhase, DrivingForce

        name = phase
        if name not in self._space.phases:  # the ordered phase describes its disordered part too
            name = self._read.phases[phase].model_hints.get("ordered_phase", phase)
        if name not in self._space.phases:
            return float("nan")
        records = self._space.phase_record_factory
        models = self._space.models.unwrap()
        state: dict[str, Any] = {"N": 1.0, "P": PRESSURE_PA, "T": temperature_K}
        told: dict[str, Any] = {
            "model": models,
            "phase_records": records,
            "output": "GM",
            "to_xarray": False,
            "pdens": DENSITIES[0],
        }
        sampled: Any = calculate(self._read, self._space.components, [name], **told, **state)
        potentials = np.reshape(self._space.eq.MU, -1)
        forces = np.reshape(sampled.X, (-1, len(potentials))) @ potentials - np.reshape(sampled.GM, -1)
        best = int(np.nanargmax(forces))
        sites = np.reshape(sampled.Y, (len(forces), -1))[best, : records[name].phase_dof]
        start = CompositionSet(records[name])
        start.update(np.array(sites), 1.0, np.array(list(state.values())))
        force: Any = DrivingForce(name)
        descent = DormantPhase(start, None)(force)
        refined = descent.compute_property(self._space.get_composition_sets(), {}, potentials)
        return float(np.fmax(forces[best], refined))
