"""The design of a space that is nearest to one that may lie outside it, or on no step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import inf

import numpy as np

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .diagram import IntArray
from .process import Choice
from .program import SAME_COST, Program
from .space import DesignSpace

# Points from which the search for a design under curved rules starts: drawn, and followed.
N_DRAWN = 4096
N_FOLLOWED = 12
# A space of no more points than this is listed whole, in a second or two, where its rules are curved or it is a table.
MOST_LISTED = 2_000_000
# Points that are listed at a time, and of them asked for the rules.
_SLICE, _AT_A_TIME = 65_536, 4096


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """The design nearest to one that was asked for.

    Parameters
    ----------
    point : (d,) a point of the space that keeps every rule
    distance : from what was asked for [%]
    exact : whether it is proved that none is nearer
    words : the distance, and how sure it is, in words
    """

    point: IntArray
    distance: float
    exact: bool
    words: str


def nearest(
    space: DesignSpace,
    percent: FloatArray,
    process: Mapping[str, float | str] | None,
    rng: np.random.Generator,
) -> Nearest:
    """The design of a space nearest to a given one.

    The distance is what has to be exchanged, half the sum of the differences of all amounts [% in the space's basis],
    plus, for each process variable given, the difference as a share of its range [%]: a whole range, like another
    choice, weighs as much as another alloy. It is the least there is, proved by a mixed-integer linear program, where
    all rules are sums, ratios, counts, conditions and means such as `vec`; so too in a small space, and where that
    program's answer keeps the curved rules as well. Else it is the best that was found, and says so.

    Parameters
    ----------
    space : the space
    percent : (n_elements,) amounts in the space's basis [%]
    process : values of process variables by name; those left out, or not known (NaN), may become anything
    rng : for the search under curved rules

    Raises
    ------
    AlloyloopError
        where the space holds no design, or none was found; where a process value is not one

    Examples
    --------
    >>> from .lattice import Element, Lattice
    >>> from .rules import Names, parse_rule
    >>> lattice = Lattice((Element("Nb", 0, 40, 5), Element("Zr", 0, 10, 5)), "Ti")
    >>> space = DesignSpace(lattice, "wt_pct", rules=(parse_rule("Nb >= 2 Zr", Names(lattice.symbols)),))
    >>> found = nearest(space, np.array([12.0, 8.0, 80.0]), None, np.random.default_rng(0))
    >>> space.percent(found.point[None])[0], found.words
    (array([15.,  5., 80.]), '3 % away, the nearest there is')
    """
    known = {name: value for name, value in (process or {}).items() if value is not None and value == value}
    aim = _Aim(space, percent, known)
    if space.candidates is not None and space.count <= MOST_LISTED:
        return _listed(aim)
    program = Program.of(space)
    solution = program.solve(aim.far)
    if solution.point is None and solution.proved:
        raise _none()
    kept = solution.point is not None and bool(space.allows(solution.point[None])[0])
    if space.count <= MOST_LISTED and not (kept and solution.proved):
        return _listed(aim)
    best = solution.point if kept and solution.point is not None else _searched(aim, rng)
    return aim.found(best, exact=kept and solution.proved, at_least=solution.at_least)


@dataclass(frozen=True, eq=False)
class _Aim:
    """What the nearest design is sought to, and how far from it designs are."""

    space: DesignSpace
    percent: FloatArray
    process: Mapping[str, float | str]

    def __post_init__(self) -> None:
        variables = {variable.name: variable for variable in self.space.process}
        for name, value in self.process.items():
            if name not in variables:
                raise AlloyloopError(
                    f"{name} is not a process variable of this space", f"It has {', '.join(variables) or 'none'}."
                )
            variable = variables[name]
            if isinstance(variable, Choice) and value not in variable.choices:
                raise AlloyloopError(
                    f"{value!r} is not a choice of {name}", f"Its choices are {', '.join(variable.choices)}."
                )

    def far(self, column: int, values: IntArray) -> FloatArray:
        """How much the numbers in a column of points add to their distance [%]. (n,) -> (n,)"""
        if column < self.space.n_elements:
            return np.asarray(np.abs(values * self._unit - self.percent[column]) / 2)
        variable = self.space.process[column - self.space.n_elements]
        wanted = self.process.get(variable.name)
        if isinstance(variable, Choice):
            return 100.0 * np.array([wanted not in (None, said) for said in variable.values(values)])
        span = variable.high - variable.low
        if wanted is None or span == 0:
            return np.zeros(len(values))
        return np.asarray(100 / span * np.abs(variable.values(values) - float(wanted)))

    @cached_property
    def _unit(self) -> float:
        """What one unit of an element is [%]."""
        return float(self.space.percent(np.ones((1, self.space.n_elements), dtype=np.int64))[0, 0])

    def distances(self, points: IntArray) -> FloatArray:
        """How far points are [%]. (n, d) -> (n,)"""
        return np.asarray(np.sum([self.far(i, points[:, i]) for i in range(points.shape[1])], axis=0))

    def found(self, point: IntArray, *, exact: bool, at_least: float = 0.0) -> Nearest:
        """A design with its distance, and how sure it is that none is nearer."""
        distance = float(self.distances(point[None])[0])
        if exact or distance <= at_least + SAME_COST:
            return Nearest(point, distance, True, f"{distance:.4g} % away, the nearest there is")
        best = f"{distance:.4g} % away, the nearest that was found"
        return Nearest(point, distance, False, f"{best}; none is nearer than {at_least:.4g} %")


def _listed(aim: _Aim) -> Nearest:
    """All points in slices; those nearer than the best so far are asked for their rules, the nearest first."""
    best: IntArray | None = None
    nearer_than = inf
    for start in range(0, aim.space.count, _SLICE):
        points = aim.space.between(start, start + _SLICE)
        distances = aim.distances(points)
        nearer = np.flatnonzero(distances < nearer_than)
        nearer = nearer[np.argsort(distances[nearer], kind="stable")]
        for first in range(0, len(nearer), _AT_A_TIME):
            some = nearer[first : first + _AT_A_TIME]
            allowed = some[aim.space.allows(points[some])]
            if len(allowed):
                best, nearer_than = points[allowed[0]], distances[allowed[0]]
                break
    if best is None:
        raise _none()
    return aim.found(best, exact=True)


def _searched(aim: _Aim, rng: np.random.Generator) -> IntArray:
    """The best that is found from the nearest of many draws, each followed to where no neighbour is nearer. (d,)"""
    drawn = aim.space.sample(N_DRAWN, rng)
    best = drawn[np.argsort(aim.distances(drawn), kind="stable")[:N_FOLLOWED]]
    ends = np.array([_followed(aim, point) for point in best])
    closest: IntArray = ends[aim.distances(ends).argmin()]
    return closest


def _followed(aim: _Aim, point: IntArray) -> IntArray:
    """A point's nearest neighbour, that one's, and so on while they come nearer. (d,) -> (d,)"""
    distance = aim.distances(point[None])[0]
    while len(around := aim.space.neighbours(point)):
        distances = aim.distances(around)
        closest: IntArray = around[distances.argmin()]
        if distances.min() >= distance - SAME_COST:
            break
        point, distance = closest, distances.min()
    return point


def _none() -> AlloyloopError:
    return AlloyloopError("No design keeps every bound and rule", "`alloyloop check` says which conflict.")
