"""Population search: designs that are mixed and varied from generation to generation, the better ones kept.

Genetic algorithms and particle swarms are how the literature's loops look for the next alloy. Here it is differential
evolution [Storn and Price, J. Global Optim. 11 (1997) 341], as SciPy keeps it. It moves rows of numbers between 0 and
1, and each row is read as a design that the space allows, so that no generation is spent on alloys that cannot be made.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..surrogates.base import FloatArray
from .diagram import IntArray
from .process import Choice
from .space import DesignSpace
from .worth import LEAST_GAIN, Worth

# Two, so that one that has settled on a lesser peak is not all there is.
N_POPULATIONS = 2
# Designs that are drawn for each member with which a population begins; it begins with the best of them.
_DRAWN_A_MEMBER = 4
# Generations, and those without a gain after which a population has settled.
_MOST_GENERATIONS, _MOST_IDLE = 200, 15
# Numbers may be wished for beyond either end of a range, by so much of it: else an element would be absent only where
# less than half a step of it is wished for, and the best alloys often lack some, or have all they may of another.
_BEYOND = 0.1
# Halvings of the way to a design that is known to keep the rules.
_HALVINGS = 5


@dataclass(frozen=True, eq=False)
class Coding:
    """Designs of a space as rows of numbers between 0 and 1, and such rows as designs.

    Every row is read as a design: amounts and levels are chosen one after the other, each the nearest to what is wished
    that leaves a design within reach. Where rules have to be asked, and what comes out breaks one, the wishes are drawn
    towards the nearest of some known designs until what comes out keeps them all. Every design is what its own row is
    read as.

    Parameters
    ----------
    space : the space
    known : (m, d) allowed designs, at least one

    Examples
    --------
    >>> from .lattice import Element, Lattice
    >>> lattice = Lattice((Element("Nb", 0, 40, 5), Element("Zr", 0, 40, 5)), "Ti", balance_low=50)
    >>> space = DesignSpace(lattice, "at_pct")
    >>> coding = Coding(space, space.at([0]))
    >>> space.percent(coding.decode(np.array([[0.2, 0.5], [0.9, 0.9]])))  # the second wishes for too much
    array([[ 5., 20., 75.],
           [40., 10., 50.]])
    """

    space: DesignSpace
    known: IntArray

    @property
    def n_numbers(self) -> int:
        """How many numbers say what a design is; none where there is only one design."""
        return len(self.space.diagram.free)

    @cached_property
    def _ends(self) -> tuple[FloatArray, FloatArray]:
        """What 0 and 1 are read as, in each column of a point that is chosen. (n_numbers,) each"""
        columns = list(self.space.diagram.free)
        low, high = self.space.diagram.ranges[:, columns].astype(np.float64)
        choices = [i for i, v in enumerate(self.space.process, start=self.space.n_elements) if isinstance(v, Choice)]
        # Half a level more at either end gives every choice an equal share.
        beyond = np.where(np.isin(columns, choices), 0.5, _BEYOND * (high - low))
        return low - beyond, high + beyond

    @cached_property
    def _known_rows(self) -> FloatArray:
        return self.encode(self.known)

    def encode(self, points: IntArray) -> FloatArray:
        """The rows that are read as given points. (n, d) -> (n, n_numbers)"""
        low, high = self._ends
        return np.asarray((points[:, self.space.diagram.free] - low) / (high - low))

    def decode(self, rows: FloatArray) -> IntArray:
        """The allowed points that rows of numbers from 0 to 1 are read as. (n, n_numbers) -> (n, d)"""
        points = self._led(rows)
        if self.space.asked:
            broken = ~self.space.allows(points)
            if broken.any():
                points[broken] = self._drawn_back(rows[broken])
        return points

    def _led(self, rows: FloatArray) -> IntArray:
        """Points that keep every rule but those that are asked. (n, n_numbers) -> (n, d)"""
        low, high = self._ends
        wishes = np.zeros((len(rows), self.space.diagram.n_columns))
        wishes[:, self.space.diagram.free] = low + rows * (high - low)
        return self.space.diagram.led(wishes)

    def _drawn_back(self, rows: FloatArray) -> IntArray:
        """Allowed points on the way from each row to that of the nearest known design. (n, n_numbers) -> (n, d)"""
        nearest = ((rows[:, None] - self._known_rows) ** 2).sum(axis=2).argmin(axis=1)
        points: IntArray = self.known[nearest]
        goals = self._known_rows[nearest]
        too_little, enough = np.zeros(len(rows)), np.ones(len(rows))
        for _ in range(_HALVINGS):
            share = (too_little + enough) / 2
            found = self._led(rows + share[:, None] * (goals - rows))
            kept = self.space.allows(found)
            points[kept] = found[kept]
            too_little, enough = np.where(kept, too_little, share), np.where(kept, share, enough)
        return points


def evolve(worth: Worth, n_members: int, most_looked: int, rng: np.random.Generator) -> tuple[IntArray, FloatArray]:
    """The members with which populations end, best first, and their worth; none where every design is taken.

    Each population begins with the best of a uniform draw, and ends where its best has not become better for a while.

    Parameters
    ----------
    worth : what is sought for
    n_members : of each population
    most_looked : designs after which no generation is begun, and no further population
    rng : for all draws

    Returns
    -------
    points : (m, d) different points of the space, none of them taken
    values : (m,) descending

    Raises
    ------
    AlloyloopError
        as `Worth.drawn`
    """
    ends: dict[bytes, tuple[float, IntArray]] = {}
    for _ in range(N_POPULATIONS):
        if worth.n_looked >= most_looked:
            break
        n_drawn = min(_DRAWN_A_MEMBER * n_members, most_looked - worth.n_looked)
        drawn, values = worth.drawn(n_drawn, n_drawn, rng)
        if len(drawn) == 0:
            break
        points = _evolved(worth, drawn[np.argsort(-values, kind="stable")], n_members, most_looked, rng)
        values = worth.of(points)
        ends |= {point.tobytes(): (float(value), point) for point, value in zip(points, values, strict=True)}
    ranked = sorted(ends.values(), key=lambda end: (-end[0], end[1].tolist()))
    return np.array([point for _, point in ranked]), np.array([value for value, _ in ranked])


def _evolved(worth: Worth, drawn: IntArray, n_members: int, most_looked: int, rng: np.random.Generator) -> IntArray:
    """The members with which a population ends that begins with the first of the designs that were drawn. (m, d)"""
    from scipy.optimize import Bounds, differential_evolution

    coding = Coding(worth.space, drawn)
    n = coding.n_numbers
    if n == 0:
        return drawn
    best, idle = -np.inf, 0

    def cost(rows: FloatArray, /) -> Any:  # SciPy's types know of one design at a time, and this is asked of all
        return -worth.of(coding.decode(rows.T))

    def settled(intermediate_result: Any) -> None:
        nonlocal best, idle
        gained = -intermediate_result.fun > best + LEAST_GAIN
        best, idle = (-intermediate_result.fun, 0) if gained else (best, idle + 1)
        if idle >= _MOST_IDLE or worth.n_looked >= most_looked:
            raise StopIteration

    found = differential_evolution(
        cost,
        Bounds(np.zeros(n), np.ones(n)),
        init=coding.encode(np.resize(drawn, (n_members, drawn.shape[1]))),  # again and again where they are few
        maxiter=_MOST_GENERATIONS,
        tol=0.0,
        polish=False,
        updating="deferred",
        vectorized=True,
        callback=settled,
        rng=rng,
    )
    return coding.decode(np.asarray(found.population))
