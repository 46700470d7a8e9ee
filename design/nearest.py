"""The design of a space that is nearest to one that may lie outside it, or on no step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import inf

import numpy as np

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .diagram import IntArray
from .process import Choice, Numeric
from .program import SAME_DISTANCE, Gap, Program
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
    process : values of process variables by name; those that are left out may become anything
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
    aim = _Aim(space, percent, process or {})
    if space.candidates is not None and space.count <= MOST_LISTED:
        return _listed(aim)
    program = Program.of(space)
    solution = program.solve(near=aim.gaps(program))
    if solution.point is None and solution.proved:
        raise _none()
    if solution.point is not None and space.allows(solution.point[None])[0]:
        return aim.found(solution.point, exact=solution.proved, at_least=solution.at_least)
    if space.count <= MOST_LISTED:
        return _listed(aim)
    return aim.found(_searched(aim, rng), exact=False, at_least=solution.at_least)


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

    def _numbers(self) -> Iterator[tuple[int, Numeric, float]]:
        """Numeric process variables that are given, with their columns and what they should be."""
        for i, variable in enumerate(self.space.process, start=self.space.n_elements):
            if isinstance(variable, Numeric) and variable.name in self.process and variable.high > variable.low:
                yield i, variable, float(self.process[variable.name])

    def _choices(self) -> Iterator[tuple[int, Choice, str]]:
        """Choices that are given, with their columns."""
        for i, variable in enumerate(self.space.process, start=self.space.n_elements):
            if isinstance(variable, Choice) and variable.name in self.process:
                yield i, variable, str(self.process[variable.name])

    def distances(self, points: IntArray) -> FloatArray:
        """How far points are [%]. (n, d) -> (n,)"""
        far = np.abs(self.space.percent(points) - self.percent).sum(axis=1) / 2
        for i, variable, wanted in self._numbers():
            share = np.abs(variable.values(points[:, i]) - wanted) / (variable.high - variable.low)
            far += 100 * share
        for i, choice, said in self._choices():
            far += 100.0 * (points[:, i] != choice.choices.index(said))
        return np.asarray(far)

    def gaps(self, program: Program) -> list[Gap]:
        """The same for a program."""
        gaps = [Gap(row, float(amount), 0.5) for row, amount in zip(program.percent, self.percent, strict=True)]
        for _, variable, wanted in self._numbers():
            factors, constant = program.number(variable.name)
            gaps.append(Gap(factors, wanted - constant, 100 / (variable.high - variable.low)))
        gaps += [Gap(program.choice(choice.name, said), 1.0, 100.0) for _, choice, said in self._choices()]
        return gaps

    def found(self, point: IntArray, *, exact: bool, at_least: float = 0.0) -> Nearest:
        """A design with its distance, and how sure it is that none is nearer."""
        distance = float(self.distances(point[None])[0])
        if exact or distance <= at_least + SAME_DISTANCE:
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
    return ends[aim.distances(ends).argmin()]


def _followed(aim: _Aim, point: IntArray) -> IntArray:
    """A point's nearest neighbour, that one's, and so on while they come nearer. (d,) -> (d,)"""
    distance = aim.distances(point[None])[0]
    while len(around := aim.space.neighbours(point)):
        distances = aim.distances(around)
        closest: IntArray = around[distances.argmin()]
        if distances.min() >= distance - SAME_DISTANCE:
            break
        point, distance = closest, distances.min()
    return point


def _none() -> AlloyloopError:
    return AlloyloopError("No design keeps every bound and rule", "`alloyloop check` says which conflict.")
