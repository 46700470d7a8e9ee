"""What is computed of an alloy and not modelled, a descriptor or the cost of a melt, asked as beliefs are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray, Prediction
from ..surrogates.errors import AlloyloopError
from ..surrogates.scales import LINEAR, Scale
from .cost import Cost
from .descriptors import DESCRIPTORS, Function, descriptor
from .features import Alloys
from .goals import Within

MELT_COST = "melt_cost"
"""The property that is what a melt costs."""


@dataclass(frozen=True, slots=True, eq=False)
class Computable:
    """What stands for the features of a number that is computed.

    Parameters
    ----------
    of : the number of each alloy, NaN where there is none
    """

    of: Callable[[Alloys], FloatArray]
    calphad: None = None

    def known(self, alloys: Alloys) -> NDArray[np.bool_]:
        """(n,) Of which alloys it can be computed."""
        return np.isfinite(self.of(alloys))


@dataclass(frozen=True, slots=True, eq=False)
class ComputedBelief:
    """A belief without a doubt: of a number that an alloy's composition and treatment settle.

    Parameters
    ----------
    name : of the property
    of : the number of each alloy in the property's unit, (n,); NaN where there is none
    """

    name: str
    of: Callable[[Alloys], FloatArray]

    @property
    def features(self) -> Computable:
        """What has to be known of an alloy."""
        return Computable(self.of)

    def about(self, alloys: Alloys) -> Prediction:
        """The numbers, without uncertainty and without noise."""
        numbers, nothing = self.of(alloys), np.zeros(len(alloys))
        return Prediction(numbers, nothing, nothing)

    def on_scale(self) -> tuple[ComputedBelief, Scale]:
        """It is on no scale but its own."""
        return self, LINEAR

    def log_inside(self, limit: Within, alloys: Alloys) -> FloatArray:
        """0 where a limit is kept, and -inf where it is not. (n,)"""
        return limit.log_probability(self.of(alloys), np.zeros(len(alloys)))

    def covariance(self, some: Alloys, others: Alloys) -> FloatArray:
        """Nothing varies. (n_some, n_others)"""
        return np.zeros((len(some), len(others)))

    def sample(self, alloys: Alloys, n_samples: int, rng: np.random.Generator) -> FloatArray:
        """The numbers, as often as asked for. (n_samples, n)"""
        return np.tile(self.of(alloys), (n_samples, 1))


def is_computed(name: str) -> bool:
    """Whether a property of this name is computed: a descriptor, or the cost of a melt."""
    return name in DESCRIPTORS or name == MELT_COST


def computed(name: str, cost: Cost | None = None) -> ComputedBelief:
    """The belief about a property that is computed.

    Parameters
    ----------
    name : of a descriptor, or `melt_cost`
    cost : what melts cost, for `melt_cost`

    Raises
    ------
    AlloyloopError
        where there is no such descriptor, or nothing is known of what melts cost

    Examples
    --------
    >>> alloys = Alloys(("Nb", "Ti"), np.array([[0.25, 0.75]]), {})
    >>> computed("vec").about(alloys).mean
    array([4.25])
    """
    if name != MELT_COST:
        return ComputedBelief(name, partial(_described, descriptor(name).function))
    if cost is None:
        raise AlloyloopError(
            f"{MELT_COST} is computed, and campaign.yaml does not say what a melt costs",
            "Write it under cost, such as 'cost: {per_melt: 40, mass_g: 40}'.",
        )
    return ComputedBelief(name, cost.of)


def _described(function: Function, alloys: Alloys) -> FloatArray:
    """A descriptor of each alloy, NaN also where its composition is not known. (n,)"""
    numbers = np.full(len(alloys), np.nan)
    known = np.isfinite(alloys.fractions).all(axis=1)
    if known.any():
        numbers[known] = function(alloys.fractions[known], alloys.elements)
    return numbers


def lacking(name: str, elements: Sequence[str]) -> tuple[str, ...]:
    """The elements, or pairs of elements, for which a descriptor of alloys that hold all of `elements` is not known.

    Examples
    --------
    >>> lacking("melting_point_K", ["Ti", "Nb"]), lacking("mixing_enthalpy_kJ_per_mol", ["Ti", "Nb", "O"])
    ((), ('Ti-O', 'Nb-O'))
    """
    function = descriptor(name).function

    def is_unknown(some: Sequence[str]) -> bool:
        return bool(np.isnan(function(np.full((1, len(some)), 1 / len(some)), tuple(some)))[0])

    if not is_unknown(elements):
        return ()
    alone = tuple(element for element in elements if is_unknown([element]))
    return alone or tuple("-".join(pair) for pair in combinations(elements, 2) if is_unknown(pair))
