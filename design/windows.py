"""Windows: the widest ranges of elements and process variables inside which wants hold with a probability.

A window is a box: a range of every element but the balance, of every numeric process variable, and the choices that are
left of the others. All designs of the space inside it, its rules kept, are its designs. It *holds* with a probability p
where the mean chance of its designs is at least p, and where a range that is used to its end costs no more than as much
again: over the designs with the least of an element, or the most, or with one of the choices, the chance to fail is at
most 2 (1 - p). Were the mean all that is asked, a window would be widened by layers in which nothing holds until its
good middle is used up. Single designs may do worse, those in corners, where several ranges end, above all: the worst is
told.

A space of some thousand designs is asked for whole. Of a larger one a sample is asked, and another one around what was
found as long as little of it is inside; what a window is said to hold comes from a sample of its own, or from all of
its designs where these are no more than some thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from ..surrogates.html_tables import html_table
from .boxes import Box, Boxes
from .diagram import IntArray
from .features import Alloys, alloys_at
from .held import Range, held, range_in_words
from .lattice import exact
from .process import Choice, Process
from .rules import TOLERANCE
from .space import Count, DesignSpace

Chance = Callable[[Alloys], FloatArray]
"""The probability (n,) that each alloy meets what is wanted; NaN where that is not known, which is as good as 0."""

# At the end of a range the chance to fail may be so many times that in the mean.
MORE_AT_ENDS = 2.0
# A space, or a window, of no more designs is asked for whole; of a larger one so many are drawn.
N_LISTED = 16_384
# With so many of the sample inside, a window is not looked at any closer.
_ENOUGH_INSIDE = 2048
# With so many good designs in the sample, none has to be climbed to.
_FEW_GOOD = 32
# Designs around each of which a window is sought, climbs side by side, and steps of them.
_SEEDS, _CLIMBS, _MOST_STEPS = 4, 8, 40
# Rounds of looking closer, and of taking back what a window's own sample does not bear out.
_MOST_ROUNDS = 12
# A drift is walked in steps of this [%] where the space has none.
_STEP = 0.1
# Steps of a drift that are asked about at once.
_AT_ONCE = 64


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Ranges inside which wants hold.

    Parameters
    ----------
    ranges : what its designs have: (lowest, highest) of every element, the balance last, in the space's basis [%], and
        of every numeric process variable; of the others the choices that are left. Where an element may be absent or
        else has a least amount, a range from 0 holds both
    probability_mean : that the wants hold, over its designs
    probability_worst : of the worst design found in it; of all where they could be listed
    worst : (1, d) that design, a point of the space
    count : how many designs of the space are inside
    volume_share : of all designs of the space, 0 to 1
    slack : (n_elements,) how far a measured amount may be outside and still belong to a design inside: half a step [%]
    """

    ranges: dict[str, Range]
    probability_mean: float
    probability_worst: float
    worst: IntArray
    count: Count
    volume_share: float
    slack: FloatArray

    @property
    def n_designs(self) -> int:
        """How many designs of the space are inside."""
        return self.count.number

    def _repr_html_(self) -> str:
        rows = [[name, range_in_words(kept)] for name, kept in self.ranges.items()]
        mean, worst = f"{self.probability_mean:.0%}", f"{self.probability_worst:.0%}"
        said = f"{self.n_designs} designs, of which each holds with {mean} in the mean, the worst with {worst}"
        return html_table(["", "range"], rows, said)

    def points(self, space: DesignSpace, n: int, rng: np.random.Generator) -> IntArray:
        """Up to n different designs inside, uniform. (m, d), m <= n"""
        return held(space, self.ranges).sample(n, rng)

    def inside(self, percent: FloatArray, process: Process) -> NDArray[np.bool_]:
        """Which alloys, on the step or not, lie in the ranges; not those of which a process value is not known.

        Parameters
        ----------
        percent : (n, n_elements) amounts in the space's basis [%]
        process : values of every process variable, n of each

        Returns
        -------
        (n,)
        """
        inside = np.ones(len(percent), dtype=bool)
        for i, (name, kept) in enumerate(self.ranges.items()):
            is_amount = i < percent.shape[1]
            values, slack = (percent[:, i], float(self.slack[i])) if is_amount else (process[name], 0.0)
            if isinstance(kept[0], str):
                inside &= np.array([value in kept for value in values], dtype=bool)
            else:
                low, high = float(kept[0]), float(kept[1])
                numbers = np.asarray(values, dtype=np.float64)
                inside &= (numbers >= low - slack - TOLERANCE) & (numbers <= high + slack + TOLERANCE)
        return inside


def windows(
    space: DesignSpace,
    chance: Chance,
    elements: tuple[str, ...],
    probability: float,
    rng: np.random.Generator,
    *,
    n: int = 3,
    mean_only: bool = False,
) -> tuple[Window, ...]:
    """The widest windows that hold with a probability, widest first; no design is in two of them.

    Parameters
    ----------
    space : what may be made
    chance : the probability that an alloy meets what is wanted
    elements : the elements that `chance` knows, the space's own first
    probability : that is asked for, above 0 and up to 1
    rng : for samples of the space
    n : how many windows at most
    mean_only : ask it of the mean over a window alone, and not at the ends of its ranges: wider, and less sure there

    Returns
    -------
    fewer than n where no further design reaches the probability; none where no design does

    Raises
    ------
    AlloyloopError
        for a probability that is none, and where the space has no design

    Examples
    --------
    >>> from .lattice import Element, Lattice
    >>> space = DesignSpace(Lattice((Element("Nb", 0, 40, 1), Element("Zr", 0, 10, 1)), "Ti"), "at_pct")
    >>> def chance(alloys: Alloys) -> FloatArray:
    ...     return np.where(abs(alloys.fractions[:, 0] - 0.25) < 0.055, 0.95, 0.1)
    >>> (window,) = windows(space, chance, space.elements, 0.8, np.random.default_rng(0))
    >>> window.ranges["Nb"], window.ranges["Zr"], window.n_designs, round(window.probability_mean, 2)
    ((20.0, 30.0), (0.0, 10.0), 121, 0.95)
    """
    if not 0 < probability <= 1:
        raise AlloyloopError(f"{probability:g} is not a probability", "Give one above 0 and up to 1, such as 0.8.")
    search = _Search(_Asked(space, chance, elements), probability, rng, mean_only)
    found: list[Box] = []
    while len(found) < n and (box := search.widest(found)) is not None:
        found.append(box)
    return tuple(sorted(map(search.window, found), key=lambda window: (-window.n_designs, -window.probability_mean)))


def tolerance(
    space: DesignSpace, chance: Chance, point: IntArray, elements: tuple[str, ...], probability: float
) -> dict[str, Range]:
    """How far each element and each process variable may drift before the chance is too low.

    One drifts at a time and step by step, all others as they are, but that an element is exchanged for the balance.
    What drifts asks for no rules: amounts are walked beyond the bounds of the space, down to 0 and until nothing of the
    balance is left, process variables through their levels.

    Parameters
    ----------
    space : of the design
    chance : the probability that an alloy meets what is wanted
    point : (d,) or (1, d) the design
    elements : the elements that `chance` knows, the space's own first
    probability : that must be kept

    Returns
    -------
    (lowest, highest) amount of each element but the balance [%] and of each numeric process variable, and the choices
    that keep the probability, all of them with the chance everywhere between; nothing where the design itself does not

    Examples
    --------
    >>> from .lattice import Element, Lattice
    >>> space = DesignSpace(Lattice((Element("Nb", 0, 40, 0.5), Element("Zr", 0, 10, 1)), "Ti"), "at_pct")
    >>> def chance(alloys: Alloys) -> FloatArray:
    ...     return np.where(abs(alloys.fractions[:, 0] - 0.25) < 0.0251, 0.95, 0.1)
    >>> point = space.snap(np.array([[24.0, 10.0, 66.0]]), {})[0]
    >>> tolerance(space, chance, point, space.elements, 0.8)
    {'Nb': (22.5, 27.5), 'Zr': (0.0, 76.0)}
    """
    walk = _Walk(space, chance, np.atleast_2d(point), elements, probability)
    if not walk.keeps(walk.point)[0]:
        return {}
    drifts: dict[str, Range] = {name: walk.amount(i) for i, name in enumerate(space.elements[:-1])}
    return drifts | {variable.name: walk.treatment(i) for i, variable in enumerate(space.process)}


@dataclass(eq=False)
class _Asked:
    """Designs of a space and their chances, each asked for once.

    Parameters
    ----------
    space, chance, elements : see `windows`
    points : (n, d) that have been asked about
    chances : (n,) of them, 0 where not known
    """

    space: DesignSpace
    chance: Chance
    elements: tuple[str, ...]
    points: IntArray = field(init=False)
    chances: FloatArray = field(init=False)
    _places: dict[bytes, int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.points = np.empty((0, self.space.diagram.n_columns), dtype=np.int64)
        self.chances = np.empty(0)

    def of(self, points: IntArray) -> FloatArray:
        """Chances of points. (n, d) -> (n,)"""
        names = [point.tobytes() for point in np.ascontiguousarray(points, dtype=np.int64)]
        first = {name: i for i, name in reversed([*enumerate(names)]) if name not in self._places}
        if first:
            new = points[list(first.values())]
            told = np.asarray(self.chance(alloys_at(self.space, new, self.elements)), dtype=np.float64)
            self._places |= {name: len(self.points) + i for i, name in enumerate(first)}
            self.points = np.vstack([self.points, new])
            self.chances = np.append(self.chances, np.nan_to_num(told, nan=0.0))
        return self.chances[[self._places[name] for name in names]]


@dataclass(eq=False)
class _Search:
    """How windows are sought; see `windows`. A choice is a column of a box for each level, 1 where it is that one."""

    asked: _Asked
    probability: float
    rng: np.random.Generator
    mean_only: bool

    @property
    def space(self) -> DesignSpace:
        return self.asked.space

    @cached_property
    def columns(self) -> list[tuple[str, int, int | None]]:
        """What each column of a box is: the name, the column of a point and, of a choice, the level."""
        columns: list[tuple[str, int, int | None]] = [
            (name, i, None) for i, name in enumerate(self.space.elements[:-1])
        ]
        for i, variable in enumerate(self.space.process, start=self.space.n_elements):
            levels = range(variable.n_levels) if isinstance(variable, Choice) else [None]
            columns += [(variable.name, i, level) for level in levels]
        return columns

    def numbers(self, points: IntArray) -> IntArray:
        """Points as boxes see them. (n, d) -> (n, k)"""
        told = [points[:, i] if level is None else points[:, i] == level for _, i, level in self.columns]
        return np.column_stack([np.empty((len(points), 0), dtype=np.int64), *told]).astype(np.int64)

    @cached_property
    def whole(self) -> Box:
        low, high = self.space.diagram.ranges
        ends = [(low[i], high[i]) if level is None else (0, 1) for _, i, level in self.columns]
        return Box(*np.array(ends, dtype=np.int64).reshape(-1, 2).T)

    def part(self, box: Box) -> DesignSpace:
        """The designs in a box, as a space."""
        ranges: dict[str, Range] = {}
        variables = {variable.name: variable for variable in self.space.process}
        for (name, i, level), low, high in zip(self.columns, box.low.tolist(), box.high.tolist(), strict=True):
            if level is not None:
                ranges[name] = self._choices(box, i)
            elif i < self.space.n_elements:
                unit = self.space.columns[name].unit
                assert unit is not None  # it is an element's
                ranges[name] = float(low * unit), float(high * unit)
            else:
                lowest, highest = variables[name].values(np.array([low, high]))
                ranges[name] = float(lowest), float(highest)
        return held(self.space, ranges)

    def _choices(self, box: Box, column: int) -> tuple[str, ...]:
        """The choices that a box leaves: the one that it asks for, or all that it does not bar."""
        levels = [(k, level) for k, (_, i, level) in enumerate(self.columns) if i == column and level is not None]
        asked = [level for k, level in levels if box.low[k] == 1]
        left = asked or [level for k, level in levels if box.high[k] == 1]
        variable = self.space.process[column - self.space.n_elements]
        return tuple(map(str, variable.values(np.array(left, dtype=np.int64))))

    def drawn(self, part: DesignSpace) -> IntArray:
        """All designs of a part, or a sample of them."""
        return part.sample(N_LISTED, self.rng)

    def boxes(self, points: IntArray, apart: Sequence[Box]) -> Boxes:
        at_ends = -inf if self.mean_only else 1 - MORE_AT_ENDS * (1 - self.probability)
        return Boxes(self.numbers(points), self.asked.of(points), self.probability, at_ends, tuple(apart))

    # -- looking ------------------------------------------------------------------------------------------------------

    @cached_property
    def _first_sample(self) -> IntArray:
        points = self.drawn(self.space)
        good = self.asked.of(points) >= self.probability
        if good.sum() < _FEW_GOOD and len(points) < self.space.count:
            self._climb(self.space, points, 1.0)
        return points

    def widest(self, apart: Sequence[Box]) -> Box | None:
        """The widest box that meets none of some others."""
        region, sample = self.whole, self._first_sample
        if self._n_good(sample, apart) < _FEW_GOOD and len(sample) < self.space.count:
            if (nearer := self._around_the_best(apart)) is None:
                return None
            region, sample = nearer
        found = self._found(sample, region, apart)
        for _ in range(_MOST_ROUNDS):
            if found is None or not (self._touches(found, region) or self._is_thin(found, region, sample)):
                break
            region = self._widened(found)
            sample = self.drawn(self.part(region))
            found = self._found(sample, region, apart)
        return None if found is None else self._borne_out(found, apart)

    def _borne_out(self, box: Box, apart: Sequence[Box]) -> Box | None:
        """What of a box holds by designs of its own."""
        left: Box | None = box
        for _ in range(_MOST_ROUNDS):
            if left is None:
                return None
            boxes = self.boxes(self.drawn(self.part(left)), apart)
            if boxes.is_enough(left):
                return left
            left = boxes.peeled(left)
        return left

    def _n_good(self, points: IntArray, apart: Sequence[Box]) -> int:
        return int(self._is_good(points, self.asked.of(points), apart).sum())

    def _is_good(self, points: IntArray, chances: FloatArray, apart: Sequence[Box]) -> NDArray[np.bool_]:
        """Which points reach the probability and are in no other box."""
        good, numbers = chances >= self.probability, self.numbers(points)
        for other in apart:
            good &= ~other.holds(numbers)
        return good

    def _found(self, points: IntArray, region: Box, apart: Sequence[Box]) -> Box | None:
        """The widest box around some good designs: the best, then those that lie farthest from the ones before."""
        numbers, chances = self.numbers(points), self.asked.of(points)
        good = np.flatnonzero(self._is_good(points, chances, apart))
        if len(good) == 0:
            return None
        scaled = numbers[good] / np.maximum(region.high - region.low, 1)
        seeds = [int(chances[good].argmax())]
        away = np.full(len(good), np.inf)
        while len(seeds) < min(_SEEDS, len(good)):
            away = np.minimum(away, np.abs(scaled - scaled[seeds[-1]]).sum(axis=1))
            seeds.append(int(away.argmax()))
        return self.boxes(points, apart).widest([int(good[i]) for i in seeds], region)

    def _around_the_best(self, apart: Sequence[Box]) -> tuple[Box, IntArray] | None:
        """A region around the best design known of which a quarter or more is good, and its designs or a sample."""
        good = np.flatnonzero(self._is_good(self.asked.points, self.asked.chances, apart))
        if len(good) == 0:
            return None
        seed = self.numbers(self.asked.points[good[self.asked.chances[good].argmax()]][None])[0]
        region = Box(seed, seed)
        sample = self.drawn(self.part(region))
        while True:
            wider = self._widened(region)
            points = self.drawn(self.part(wider))
            share = self._n_good(points, apart) / len(points)
            if (wider.low == region.low).all() and (wider.high == region.high).all():
                return region, sample
            region, sample = wider, points
            if share < 0.25 and len(points) > _FEW_GOOD:
                return region, sample

    def _widened(self, box: Box) -> Box:
        """By half its width, and at least a step, to every side, as far as the space goes."""
        steps = np.ones(len(box.low), dtype=np.int64)
        if self.space.lattice is not None:
            strides = self.space.lattice.strides[:-1]
            steps[: len(strides)] = strides
        more = np.maximum((box.high - box.low + 1) // 2, steps)
        return Box(np.maximum(box.low - more, self.whole.low), np.minimum(box.high + more, self.whole.high))

    def _touches(self, box: Box, region: Box) -> bool:
        """Whether a box ends where a region does and the space goes on."""
        below = (box.low == region.low) & (region.low > self.whole.low)
        return bool((below | ((box.high == region.high) & (region.high < self.whole.high))).any())

    def _is_thin(self, box: Box, region: Box, sample: IntArray) -> bool:
        """Whether little of a sample of a region is in a box, and another one around it would have clearly more."""
        n_inside, n_region = int(box.holds(self.numbers(sample)).sum()), self.part(region).count
        if n_inside >= _ENOUGH_INSIDE or len(sample) == n_region:
            return False
        return 2 * self.part(self._widened(box)).count <= n_region

    def _climb(self, part: DesignSpace, points: IntArray, sign: float) -> None:
        """Ask of the neighbours of the best points (sign 1) or the worst (-1), side by side, until none is better."""
        heights = sign * self.asked.of(points)
        order = np.argsort(-heights, kind="stable")[:_CLIMBS]
        points, heights = points[order], heights[order]
        for _ in range(_MOST_STEPS):
            others, which = part.around(points)
            values = sign * self.asked.of(others)
            order = np.lexsort((-values, which))
            climbing, first = np.unique(which[order], return_index=True)
            better = values[order[first]] > heights[climbing]
            points, heights = others[order[first]][better], values[order[first]][better]
            if len(points) == 0:
                return

    # -- telling ------------------------------------------------------------------------------------------------------

    def window(self, box: Box) -> Window:
        """A box as it is told."""
        part = self.part(box)
        points = self.drawn(part)
        mean = float(self.asked.of(points).mean())
        if len(points) < part.count:
            self._climb(part, points, -1.0)
        known = np.flatnonzero(box.holds(self.numbers(self.asked.points)))
        worst = known[self.asked.chances[known].argmin()]
        count = part.counted()
        return Window(
            self._ranges(part, points),
            mean,
            float(self.asked.chances[worst]),
            self.asked.points[[worst]],
            count,
            count.number / self.space.counted().number,
            _half_steps(self.space),
        )

    def _ranges(self, part: DesignSpace, points: IntArray) -> dict[str, Range]:
        """What the designs of a part have, of which some points are known."""
        ends = part.diagram.ranges
        amounts = zip(part.elements, *part.percent(ends), strict=True)
        ranges: dict[str, Range] = {element: (float(low), float(high)) for element, low, high in amounts}
        for i, variable in enumerate(part.process, start=part.n_elements):
            if isinstance(variable, Choice):
                ranges[variable.name] = tuple(map(str, variable.values(np.unique(points[:, i]))))
            else:
                low, high = variable.values(ends[:, i])
                ranges[variable.name] = float(low), float(high)
        return ranges


def _half_steps(space: DesignSpace) -> FloatArray:
    """Half a step of each element [%], the balance answering for all the others; 0 where there are no steps."""
    if space.lattice is None:
        return np.zeros(space.n_elements)
    half = np.array(space.lattice.strides) * float(space.lattice.unit) / 2
    half[-1] = half[:-1].sum()
    return half


@dataclass(frozen=True, slots=True, eq=False)
class _Walk:
    """A walk from one design; see `tolerance`."""

    space: DesignSpace
    chance: Chance
    point: IntArray
    elements: tuple[str, ...]
    probability: float

    def keeps(self, points: IntArray) -> NDArray[np.bool_]:
        """Whether designs, inside the bounds of the space or not, have the chance. (n, d) -> (n,)"""
        told = np.asarray(self.chance(alloys_at(self.space, points, self.elements)), dtype=np.float64)
        return np.asarray(np.nan_to_num(told, nan=0.0) >= self.probability)

    def amount(self, i: int) -> tuple[float, float]:
        """The lowest and the highest amount of an element [%]."""
        unit = self.space.columns[self.space.elements[i]].unit
        assert unit is not None  # it is an element's
        stride = self.space.lattice.strides[i] if self.space.lattice is not None else int(exact(_STEP) / unit)
        exchange = np.zeros(self.point.shape[1], dtype=np.int64)
        exchange[[i, self.space.n_elements - 1]] = stride, -stride
        own, balance = int(self.point[0, i]), int(self.point[0, self.space.n_elements - 1])
        down, up = self._far(-exchange, own // stride), self._far(exchange, balance // stride)
        return float((own - down * stride) * unit), float((own + up * stride) * unit)

    def treatment(self, i: int) -> Range:
        """The range, or the choices, of a process variable."""
        variable, column = self.space.process[i], self.space.n_elements + i
        if isinstance(variable, Choice):
            others = np.repeat(self.point, variable.n_levels, axis=0)
            others[:, column] = np.arange(variable.n_levels)
            return tuple(map(str, variable.values(np.flatnonzero(self.keeps(others)))))
        own, step = int(self.point[0, column]), np.zeros(self.point.shape[1], dtype=np.int64)
        step[column] = 1
        ends = [own - self._far(-step, own), own + self._far(step, variable.n_levels - 1 - own)]
        low, high = variable.values(np.array(ends))
        return float(low), float(high)

    def _far(self, step: IntArray, most: int) -> int:
        """How many steps one can go, up to a number, so that each keeps the chance."""
        for first in range(1, most + 1, _AT_ONCE):
            steps = np.arange(first, min(first + _AT_ONCE, most + 1))
            lost = np.flatnonzero(~self.keeps(self.point + steps[:, None] * step))
            if len(lost):
                return int(steps[lost[0]]) - 1
        return most
