"""What a melt costs, how its price weighs against what it is expected to gain, and how bold the last melts may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

import numpy as np

from ..surrogates.base import FloatArray
from .composition import amounts_in
from .elements import values
from .features import Alloys
from .rules import Computed, Designs

# A melt that costs less than this share of a usual one is weighed as one that costs so much: nothing is free.
LEAST_SHARE = 0.01
# The choice grows greedier once less than this share of the budget is left, and no greedier than this factor says.
PLENTY = 0.5
LEAST_EAGERNESS = 0.85

PRICE = "price_usd_per_kg"
"""The descriptor that is what raw material costs by the element table."""


@dataclass(frozen=True, slots=True, eq=False)
class Cost:
    """What one melt costs, in the user's money: what every melt costs, its charge, and what is done to it.

    Parameters
    ----------
    per_melt : of every melt, whatever is in it
    mass_g : of the charge [g]; None where the charge is not counted
    prices_per_kg : of elements; those not named have the price of the element table, in USD
    steps : of process variables: money for each choice, or money per unit of a number

    Examples
    --------
    >>> cost = Cost(40, mass_g=50, prices_per_kg={"Ti": 12, "Nb": 80}, steps={"quench": {"water": 0, "furnace": 20}})
    >>> alloy = Alloys(("Nb", "Ti"), np.array([[0.5, 0.5]]), {"quench": np.array(["furnace"], dtype=object)})
    >>> cost.of(alloy).round(3)
    array([62.844])
    """

    per_melt: float = 0.0
    mass_g: float | None = None
    prices_per_kg: Mapping[str, float] = field(default_factory=dict)
    steps: Mapping[str, float | Mapping[str, float]] = field(default_factory=dict)

    def of(self, alloys: Alloys) -> FloatArray:
        """What each melt costs; NaN where a price or a process value is not known. (n,) [money]"""
        return self.of_melting(alloys) + self.of_treating(alloys)

    def of_melting(self, alloys: Alloys) -> FloatArray:
        """The melt and its charge: what several heat treatments of one melt share. (n,) [money]"""
        cost = np.full(len(alloys), self.per_melt)
        if self.mass_g is None:
            return cost
        prices, shares = self._prices(alloys.elements), amounts_in(alloys.fractions, alloys.elements, "wt_pct") / 100
        per_kg = shares @ np.nan_to_num(prices)
        unknown = (shares[:, np.isnan(prices)] > 0).any(axis=1)
        return cost + np.where(unknown, np.nan, per_kg) * self.mass_g / 1000

    def of_treating(self, alloys: Alloys) -> FloatArray:
        """The process steps. (n,) [money]"""
        cost = np.zeros(len(alloys))
        for name, step in self.steps.items():
            told = alloys.process[name]
            if isinstance(step, Mapping):
                cost += np.array([step.get(choice, np.nan) for choice in told], dtype=np.float64)
            else:
                cost += step * told.astype(np.float64)
        return cost

    def from_table(self, elements: Sequence[str]) -> tuple[str, ...]:
        """The elements whose price is that of the element table; none where the charge is not counted."""
        if self.mass_g is None:
            return ()
        return tuple(element for element in elements if element not in self.prices_per_kg)

    def without_price(self, elements: Sequence[str]) -> tuple[str, ...]:
        """The elements that have a price neither here nor in the element table.

        >>> Cost(mass_g=40, prices_per_kg={"Ti": 12}).without_price(["Ti", "Nb", "H"])
        ('H',)
        """
        asked = self.from_table(elements)
        return tuple(element for element, each in zip(asked, values(PRICE, asked), strict=True) if np.isnan(each))

    def _prices(self, elements: Sequence[str]) -> FloatArray:
        """(n_elements,) [money per kg]; NaN where there is none."""
        table = values(PRICE, elements)
        return np.array(
            [self.prices_per_kg.get(element, price) for element, price in zip(elements, table, strict=True)]
        )


@dataclass(frozen=True, slots=True)
class CostLimit(Computed):
    """Bounds on what a melt costs, as a rule of a space with elements.

    Parameters
    ----------
    text : as it was written
    name : of the property
    limits : bounds [money]
    cost : of a melt
    """

    cost: Cost

    def quantity(self, designs: Designs) -> FloatArray:
        """What each melt costs, NaN where that is not known. (n,)"""
        return self.cost.of(Alloys(designs.elements, designs.fractions, designs.process))


def price(cost: Cost, usual: Alloys, share_left: float, left: float = inf) -> Callable[[Alloys], FloatArray]:
    """What a melt's cost takes off the log of what it is expected to gain.

    The gain is divided by the cost to the power of the share of the budget that is left: cheap alloys are learned from
    first, and at the end only the gain counts. A cost is counted in that of a usual melt: gains keep their unit.

    Parameters
    ----------
    cost : of melts
    usual : alloys, a uniform sample of the space say, whose mean cost is that of a usual melt
    share_left : of the budget, from 1 to 0
    left : of the budget [money]; what costs more is not to be had

    Returns
    -------
    alloys -> (n,), 0 for a usual melt; infinite for what is not to be had, NaN where the cost is not known

    References
    ----------
    Lee et al., Cost-aware Bayesian optimization, arXiv:2003.10870 (2020): EI-cool.

    Examples
    --------
    >>> alloys = Alloys(("Ti",), np.ones((2, 1)), {"anneal_h": np.array([1.0, 3.0])})
    >>> np.exp(price(Cost(steps={"anneal_h": 10.0}), alloys, share_left=1.0)(alloys))
    array([0.5, 1.5])
    """
    known = cost.of(usual)
    known = known[np.isfinite(known)]
    typical = float(known.mean()) if len(known) else 0.0

    def taken_off(alloys: Alloys) -> FloatArray:
        costs = cost.of(alloys)
        shares = costs / typical if typical > 0 else np.where(np.isnan(costs), np.nan, 1.0)
        return np.where(costs > left, inf, share_left * np.log(np.maximum(shares, LEAST_SHARE)))

    return taken_off


def eagerness(share_left: float) -> float:
    """Factor on the standard deviations that expected improvement hopes from, as a budget runs out.

    1 while `PLENTY` of it or more is left; from there it falls in proportion, to `LEAST_EAGERNESS` at the end: what is
    not known any better by the last melt is of no use to a later one.

    Parameters
    ----------
    share_left : of the budget, from 1 to 0; 1 where there is none

    Examples
    --------
    >>> [round(eagerness(share), 3) for share in (1.0, 0.5, 0.25, 0.0)]
    [1.0, 1.0, 0.925, 0.85]
    """
    return LEAST_EAGERNESS + (1 - LEAST_EAGERNESS) * min(share_left / PLENTY, 1.0)
