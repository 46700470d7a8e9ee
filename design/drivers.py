"""What drives the chance of a design: what a step of each thing does, and rules of thumb for where it is high."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..surrogates.base import FloatArray
from .beliefs import Evidence
from .diagram import IntArray, distinct
from .features import Alloys, Features, alloys_at
from .process import Choice
from .readable import Tallies, tallies
from .space import DesignSpace

# A step of a variable that takes any value in its range is so much of it.
SHARE_OF_A_RANGE = 20
# Designs that rules of thumb are read off: of the whole space, and on walks from each answer.
N_ANYWHERE, N_WALKED, N_NEAR = 1024, 6, 32
ENOUGH, TOO_LITTLE = "reaches it", "does not"

Chances = Callable[[Alloys], FloatArray]
"""The chance of each of n alloys, (n,); NaN where it is not known."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of one thing does to the chance of a design, all else equal; the balance takes what it leaves.

    Parameters
    ----------
    name : of an element or process variable
    was, to : its amount [% of the space's basis], level or choice, before and after
    chance : after it
    """

    name: str
    was: float | str
    to: float | str
    chance: float


def steps(space: DesignSpace, point: IntArray, elements: tuple[str, ...], chances: Chances) -> tuple[Step, ...]:
    """What one step up and one step down of each element and process variable does, what costs most first.

    Where the next step is not allowed (of 2 % and more, or none), the step goes to the next amount that is.

    Parameters
    ----------
    point : (d,) the design
    elements : those of the table, the space's first
    """
    moved = [(column, other) for column, others in _stepped(space, point) for other in others]
    if not moved:
        return ()
    points = np.array([other for _, other in moved])
    after = chances(alloys_at(space, points, elements))
    found = [
        Step(_name(space, column), _value(space, column, point), _value(space, column, other), float(chance))
        for (column, other), chance in zip(moved, after, strict=True)
        if np.isfinite(chance)
    ]
    return tuple(sorted(found, key=lambda step: step.chance))


def _stepped(space: DesignSpace, point: IntArray) -> Iterator[tuple[int, list[IntArray]]]:
    """By column, the nearest allowed designs in which it alone, and the balance, is another."""
    n = space.n_elements
    if space.lattice is not None:
        for column, stride in enumerate(space.lattice.strides[: n - 1]):
            low, high = space.lattice.lows[column], space.lattice.highs[column]
            yield column, [*_first_allowed(space, point, column, np.arange(point[column] + stride, high + 1, stride))]
            yield column, [*_first_allowed(space, point, column, np.arange(point[column] - stride, low - 1, -stride))]
    tabled = () if space.candidates is None else space.candidates.process
    for column, variable in enumerate(space.process, start=n):
        if variable.name in tabled:
            continue
        level = int(point[column])
        if isinstance(variable, Choice):
            for other in range(variable.n_levels):
                yield column, [*_first_allowed(space, point, column, np.array([other] if other != level else []))]
            continue
        step = max(1, variable.n_levels // SHARE_OF_A_RANGE) if variable.continuous else 1
        yield column, [*_first_allowed(space, point, column, np.arange(level + step, variable.n_levels, step))]
        yield column, [*_first_allowed(space, point, column, np.arange(level - step, -1, -step))]


def _first_allowed(space: DesignSpace, point: IntArray, column: int, values: IntArray) -> Iterator[IntArray]:
    """The design with the first of some values in a column that the space allows; the balance pays for an element."""
    if not len(values):
        return
    others = np.tile(point, (len(values), 1))
    others[:, column] = values
    if column < space.n_elements:
        others[:, space.n_elements - 1] -= values - point[column]
    allowed = np.flatnonzero(space.allows(others))
    if len(allowed):
        yield others[allowed[0]]


def _name(space: DesignSpace, column: int) -> str:
    return space.elements[column] if column < space.n_elements else space.process[column - space.n_elements].name


def _value(space: DesignSpace, column: int, point: IntArray) -> float | str:
    if column < space.n_elements:
        return float(space.percent(point[None])[0, column])
    value = space.process_values(point[None])[space.process[column - space.n_elements].name][0]
    return value if isinstance(value, str) else float(value)


def cloud(space: DesignSpace, points: IntArray, rng: np.random.Generator) -> IntArray:
    """Different designs, uniform over the space and on short walks from given ones. (n, d)

    Parameters
    ----------
    points : (m, d) from which walks set out
    """
    found = [space.sample(N_ANYWHERE, rng), points]
    here = np.repeat(points, N_NEAR, axis=0)[: N_NEAR * len(points)]
    for _ in range(N_WALKED if len(points) else 0):
        others = space.around(np.unique(here, axis=0))[0]
        if not len(others):
            break
        here = others[rng.permutation(len(others))[: N_NEAR * len(points)]]
        found.append(here)
    every = np.vstack(found)
    return every[distinct(list(every.T))[0]]


def where_enough(
    space: DesignSpace, points: IntArray, elements: tuple[str, ...], chances: FloatArray, probability: float
) -> Tallies | None:
    """Rules of thumb for which designs have at least some chance; None where all or none of them have.

    Parameters
    ----------
    points : (n, d) designs that they are read off, such as a `cloud`
    elements : those of the table, the space's first
    chances : (n,) of them; those not known are passed over
    probability : the chance that is enough
    """
    known = np.isfinite(chances)
    points, chances = points[known], chances[known]
    short = (chances < probability).astype(np.float64)
    if not 0 < short.sum() < len(short):
        return None
    alloys, n = alloys_at(space, points, elements), len(points)
    seen = Evidence("chance", alloys, short, np.full(n, np.nan), np.full(n, ""), ids=np.full(n, ""))
    return tallies(space, seen, (ENOUGH, TOO_LITTLE), Features(elements, process=space.process))
