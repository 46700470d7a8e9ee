"""What a surrogate sees of a design: atomic fractions, descriptors, both, and the process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .descriptors import DESCRIPTORS, descriptor
from .diagram import IntArray
from .process import Choice, Condition, Numeric, Process
from .space import DesignSpace

Treatment = Numeric | Choice | Condition

FEATURE_SETS = ("composition", "descriptors", "both")


@dataclass(frozen=True, slots=True, eq=False)
class Alloys:
    """n designs as numbers: what is in them and how they are treated.

    Parameters
    ----------
    elements : the elements, absent ones included
    fractions : (n, n_elements) atomic fractions, rows summing to 1
    process : values of each process variable, n of each
    """

    elements: tuple[str, ...]
    fractions: FloatArray
    process: Process

    def __len__(self) -> int:
        return len(self.fractions)

    def __add__(self, others: Alloys) -> Alloys:
        process = {name: np.concatenate([values, others.process[name]]) for name, values in self.process.items()}
        return Alloys(self.elements, np.vstack([self.fractions, others.fractions]), process)

    def rows(self, chosen: NDArray[np.bool_] | IntArray) -> Alloys:
        """Some of them, by mask or by index."""
        process = {name: values[chosen] for name, values in self.process.items()}
        return Alloys(self.elements, self.fractions[chosen], process)


def alloys_at(space: DesignSpace, points: IntArray, elements: tuple[str, ...]) -> Alloys:
    """Points of a space as alloys over `elements`, which hold the space's own first."""
    absent = np.zeros((len(points), len(elements) - space.n_elements))
    return Alloys(elements, np.column_stack([space.fractions(points), absent]), space.process_values(points))


@dataclass(frozen=True)
class Features:
    """A map from designs to the numbers a surrogate is fitted on.

    Parameters
    ----------
    elements : the elements whose atomic fractions are seen
    composition : whether the atomic fractions themselves are features
    descriptors : names of the descriptors that are features
    process : process variables and conditions that are features; a choice is one column a level, all 0 where it is not
        known; a number that is not known stands at the middle of its range (a condition: at its `at`), beside a column
        that says so
    """

    elements: tuple[str, ...]
    composition: bool = True
    descriptors: tuple[str, ...] = ()
    process: tuple[Treatment, ...] = ()

    def __post_init__(self) -> None:
        if not (self.composition or self.descriptors or self.process):
            raise AlloyloopError("There is no feature to learn from", "Name a descriptor, or write features: auto.")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns that `encode` makes."""
        names = [f"{element}_fraction" for element in self.elements] if self.composition else []
        names += self.descriptors
        for variable in self.process:
            if isinstance(variable, Choice):
                names += [f"{variable.name}={choice}" for choice in variable.choices]
            else:
                names += [variable.name, f"{variable.name} known"]
        return tuple(names)

    def encode(self, alloys: Alloys) -> FloatArray:
        """Alloys as features.

        Returns
        -------
        (n, n_features), NaN where a descriptor needs an element's value that is not in the element table
        """
        columns = [alloys.fractions] if self.composition else []
        columns += [descriptor(name).function(alloys.fractions, alloys.elements)[:, None] for name in self.descriptors]
        for variable in self.process:
            values = alloys.process[variable.name]
            if isinstance(variable, Choice):
                columns.append((variable.levels(values)[:, None] == np.arange(variable.n_levels)).astype(np.float64))
            else:
                numbers = np.asarray(values, dtype=np.float64)
                known = np.isfinite(numbers)
                columns += [np.where(known, numbers, variable.middle)[:, None], known[:, None]]
        return np.column_stack(columns).astype(np.float64)


def telling_descriptors(alloys: Alloys) -> tuple[str, ...]:
    """The descriptors that can teach something: known for every alloy, meant for most, and not the same for all."""
    names = []
    for name in DESCRIPTORS:
        asked = descriptor(name)
        values = asked.function(alloys.fractions, alloys.elements)
        meant = asked.valid(alloys.fractions, alloys.elements).mean() >= 0.5
        if meant and np.isfinite(values).all() and np.ptp(values) > 1e-9 * max(1.0, float(np.abs(values).max())):
            names.append(name)
    return tuple(names)


def known_for(names: Sequence[str], elements: tuple[str, ...]) -> tuple[str, ...]:
    """The descriptors that are known for any alloy of these elements, by one that holds them all."""
    fractions = np.full((1, len(elements)), 1 / len(elements))
    return tuple(name for name in names if np.isfinite(descriptor(name).function(fractions, elements)).all())


def feature_set(
    name: str, descriptors: tuple[str, ...], elements: tuple[str, ...], process: tuple[Treatment, ...]
) -> Features:
    """The features of a name, `composition`, `descriptors` or `both`, where `descriptors` are those that can tell.

    Where none can, as of a single alloy, there is the composition.
    """
    if name not in FEATURE_SETS:
        raise AlloyloopError(
            f"There is no feature set named {name!r}",
            f"Write auto, {', '.join(FEATURE_SETS)}, or a list of descriptors.",
        )
    composition = name != "descriptors" or not descriptors
    return Features(elements, composition, () if name == "composition" else descriptors, process)
