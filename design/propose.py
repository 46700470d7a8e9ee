"""From what alloys are worth to a batch on the lattice: the best design that a search finds, given those before it.

How `exchange` looks for one, of every space, acquisition and surrogate alike: it asks of a broad uniform sample, of the
designs taken and of where the searches for the picks before have ended; from the best of these it climbs, all climbs
side by side and each to the best of its neighbours, until none is better; then it asks of neighbours' neighbours of the
best end, and climbs on from there while that finds any better. All that is asked lies on the step and keeps the rules,
so that nothing is rounded at the end, and no gradient is needed: one product of matrices values the neighbours of all
climbs at once. A space of a few thousand designs is asked for whole.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import inf, log

import numpy as np
from scipy.special import logsumexp

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .acquisition import Acquisition
from .diagram import IntArray
from .features import alloys_at
from .population import evolve
from .space import DesignSpace, nothing_left, rows_in
from .telling_apart import Apart
from .worth import LEAST_GAIN, Worth


@dataclass(frozen=True, slots=True)
class Effort:
    """How far a search looks, for each pick.

    Parameters
    ----------
    n_sampled : designs of the broad sample
    n_starts : of which climbs begin
    n_members : of a population
    n_listed : a space of no more designs is asked for whole
    n_hints : designs taken that are asked as well, near which the best may be
    n_hinted : of which further climbs begin
    n_beyond : neighbours of the best end whose neighbours are asked too
    n_shared : levels, or combinations of them, at which a batch is tried that has to share them
    n_together : climbs that take their steps side by side
    most_looked : designs after which no further step of a climb is taken, and no further generation begun
    """

    n_sampled: int
    n_starts: int
    n_members: int
    n_listed: int = 0
    n_hints: int = 0
    n_hinted: int = 0
    n_beyond: int = 0
    n_shared: int = 4
    n_together: int = 1
    most_looked: int = sys.maxsize


# Of 260 random spaces and beliefs of two kinds, twice the sample and half as many more climbs found no better.
THOROUGH = Effort(1024, 8, n_members=96, n_listed=4096, n_hints=256, n_hinted=3, n_beyond=8, n_shared=24, n_together=11)
# Where a feature takes a twentieth of a second to compute, as phases do. Of 40 searches of Gaussian processes' smooth
# surfaces over some thousand designs, each found the best.
SPARING = Effort(192, 4, n_members=32, most_looked=384)
# A climb gains at every step and so ends; this only bounds how long it may take on a plateau of rounding errors.
_MOST_STEPS = 200


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The designs to make next.

    Parameters
    ----------
    points : (n, d) points of the space, in the order they were picked
    log_gains : (n,) log of what each is worth, those before it counted
    runner_ups : (n, d) for each, the best other point found, and not a neighbour of it where there is one (the point
        itself where there was no other)
    """

    points: IntArray
    log_gains: FloatArray
    runner_ups: IntArray

    @property
    def log_gain(self) -> float:
        """Log of what the batch is worth as a whole; -inf where it is empty."""
        return float(logsumexp(self.log_gains)) if len(self.points) else -inf


Search = Callable[[Worth, Effort, np.random.Generator], tuple[IntArray, FloatArray]]
"""Where a search for what is worth most ends: different points, best first, and their worth; none where all is taken.

It raises an `AlloyloopError` where there is no allowed point at all, or none of those looked at can be predicted.
"""


def exchange(worth: Worth, effort: Effort, rng: np.random.Generator) -> tuple[IntArray, FloatArray]:
    """A `Search`: a broad sample, then exchanges from the best of it until no neighbour is better."""
    is_small = worth.space.count <= effort.n_listed
    n = worth.space.count if is_small else effort.n_sampled
    # So many that what is left of a small space is among them.
    points, values = worth.drawn(n, effort.most_looked // 2, rng)  # the other half is for climbs
    if is_small or len(points) == 0:
        return _ranked(points, values)
    starts = np.vstack([_best(points, values, effort.n_starts), _best(*worth.hinted(), effort.n_hinted)])
    ends: dict[bytes, float] = {}
    for first in range(0, len(starts), effort.n_together):
        ends |= _climbed(worth, starts[first : first + effort.n_together], effort.most_looked)
    while effort.n_beyond:
        best = _best(*_told(ends), 1)
        near = rng.permutation(worth.space.neighbours(best[0]))[: effort.n_beyond]
        far = worth.space.around(near)[0]
        values = worth.of(far)
        if len(far) == 0 or not values.max() > max(ends.values()) + LEAST_GAIN:
            break
        ends |= _climbed(worth, _best(far, values, 1), effort.most_looked)
    return _ranked(*_told(ends))


def _climbed(worth: Worth, points: IntArray, most_looked: int) -> dict[bytes, float]:
    """Where climbs from points (n, d) end, side by side, each step to the best neighbour; and what that is worth."""
    ends: dict[bytes, float] = {}
    passed: set[bytes] = set()  # two climbs that meet go on as one
    for _ in range(_MOST_STEPS):
        points = points[_first_time(points, passed)]
        if len(points) == 0:
            break
        heights = worth.of(points)  # of a hint that is taken, less than that of any neighbour
        others, which = worth.space.around(points if worth.n_looked < most_looked else points[:0])
        values = worth.of(others)
        order = np.lexsort((-values, which))
        climbing, first = np.unique(which[order], return_index=True)
        highest = np.full(len(points), -inf)
        highest[climbing] = values[order[first]]
        gains = highest > heights + LEAST_GAIN
        ended = ~gains & (heights > -inf)
        ends |= {point.tobytes(): height for point, height in zip(points[ended], heights[ended].tolist(), strict=True)}
        points = others[order[first]][gains[climbing]]
    return ends


def _first_time(points: IntArray, passed: set[bytes]) -> list[int]:
    """Which of points (n, d) have not been passed before; now they have."""
    first = []
    for i, point in enumerate(points):
        if (name := point.tobytes()) not in passed:
            passed.add(name)
            first.append(i)
    return first


def _told(ends: dict[bytes, float]) -> tuple[IntArray, FloatArray]:
    """Points (n, d) and their worth (n,), from their names."""
    points = np.frombuffer(b"".join(ends), dtype=np.int64).reshape(len(ends), -1)
    return points, np.array(list(ends.values()))


def _ranked(points: IntArray, values: FloatArray) -> tuple[IntArray, FloatArray]:
    """Points (n, d) best first, those of equal worth in ascending order, and their worth."""
    order = np.lexsort((*points.T[::-1], -values))
    return points[order], values[order]


def _best(points: IntArray, values: FloatArray, n: int) -> IntArray:
    """The n points of most worth. (m, d), m <= n"""
    return _ranked(points, values)[0][:n]


def population(worth: Worth, effort: Effort, rng: np.random.Generator) -> tuple[IntArray, FloatArray]:
    """A `Search`: differential evolution."""
    return evolve(worth, effort.n_members, effort.most_looked, rng)


SEARCHES: dict[str, Search] = {"exchange": exchange, "population": population}


def propose(
    space: DesignSpace,
    acquisition: Acquisition,
    elements: tuple[str, ...],
    taken: IntArray,
    n: int,
    rng: np.random.Generator,
    effort: Effort = THOROUGH,
    search: str = "exchange",
    *,
    shares: tuple[str, ...] = (),
    apart: Apart | None = None,
    pending: IntArray | None = None,
) -> Batch:
    """Pick n designs one after the other, each the best found given those before it; fewer where fewer are left.

    Parameters
    ----------
    space : what may be made
    acquisition : what a further melt is worth
    elements : the elements that the beliefs know, the space's own first
    taken : (m, d) points not to be proposed: measured, pending, withdrawn
    n : how many; no more than the `n_picks` that the acquisition was made for
    rng : for the search
    effort : how far to look
    search : by which way, one of `SEARCHES`
    shares : process variables of which the whole batch has the same level: at each level, or combination of levels,
        that looks best (at most `Effort.n_shared`) a batch is picked, and of these the one that is worth most is taken
    apart : what cannot be told apart once it is made: of two such designs, a batch holds no more than one
    pending : (k, d) points that are being made: no pick is one that could not be told from them

    Raises
    ------
    AlloyloopError
        where there is no such search, the space has no allowed point left, or none of those looked at can be predicted
    """
    if search not in SEARCHES:
        raise AlloyloopError(f"There is no search '{search}'", f"Write one of {', '.join(SEARCHES)}.")
    made = taken[:0] if pending is None else pending
    looking = _Looking(elements, taken, made, shares, apart, effort, SEARCHES[search])
    batch = (looking.alike if shares else looking.batch)(space, acquisition, n, rng)
    if len(batch.points) == 0:
        raise nothing_left()
    return batch


@dataclass(frozen=True, slots=True, eq=False)
class _Looking:
    """How batches are picked; see `propose`."""

    elements: tuple[str, ...]
    taken: IntArray
    made: IntArray
    shares: tuple[str, ...]
    apart: Apart | None
    effort: Effort
    search: Search

    def worth(self, space: DesignSpace, acquisition: Acquisition, picks: IntArray, hints: IntArray) -> Worth:
        """What designs are worth once some have been picked."""
        taken, made = np.vstack([self.taken, picks]), np.vstack([self.made, picks])
        too_close = None
        if self.apart is not None and len(made):
            too_close = partial(self.apart.too_close, picks=made)
        return Worth(space, acquisition.value, self.elements, taken, too_close, hints)

    def batch(
        self, space: DesignSpace, acquisition: Acquisition, n: int, rng: np.random.Generator, least: float = -inf
    ) -> Batch:
        """A batch of a space; no more than its first pick where n such would not be worth more than `least` (a log)."""
        picks, gains, others = self.taken[:0], list[float](), self.taken[:0]
        known = rng.permutation(self.taken)[: self.effort.n_hints]
        hints = known[space.allows(known)]
        for _ in range(n):
            worth = self.worth(space, acquisition, picks, hints)
            ends, values = self.search(worth, self.effort, rng)
            if len(ends) == 0:
                break
            picks, others = np.vstack([picks, ends[:1]]), np.vstack([others, _runner_up(worth, ends)])
            gains.append(float(values[0]))
            if gains[0] + log(n) <= least:
                break
            hints = np.vstack([hints, ends[1 : 1 + self.effort.n_hints]])
            acquisition = acquisition.with_pick(alloys_at(space, ends[:1], self.elements))
        return Batch(picks, np.array(gains), others)

    def alike(self, space: DesignSpace, acquisition: Acquisition, n: int, rng: np.random.Generator) -> Batch:
        """The batch that is worth most of those whose designs share the levels of some process variables.

        A batch gains the sum of what its picks gain, each given those before it. Since none gains more than the first,
        levels at which n times that is not enough are left after one pick.
        """
        columns = [space.columns[name].number for name in self.shares]
        worth = self.worth(space, acquisition, self.taken[:0], self.taken[:0])
        self.search(worth, self.effort, rng)
        looked, _ = worth.looked
        tried = dict.fromkeys(map(tuple, looked[:, columns].tolist()))  # best first
        best = Batch(self.taken[:0], np.empty(0), self.taken[:0])
        for levels in list(tried)[: self.effort.n_shared]:
            part = space.held_at(dict(zip(self.shares, levels, strict=True)))
            batch = self.batch(part, acquisition, n, rng, best.log_gain)
            best = max(best, batch, key=lambda each: each.log_gain)
        return best


def _runner_up(worth: Worth, ends: IntArray) -> IntArray:
    """The best other point (d,) than the first end: an end that is no neighbour, or else any point that is none."""
    best = ends[0]
    near = np.vstack([best, worth.space.neighbours(best)])
    apart = ends[~rows_in(ends, near)]
    if len(apart) == 0:
        looked = worth.looked[0]
        apart = np.vstack([looked[~rows_in(looked, near)], ends[1:], looked[~rows_in(looked, best[None])], best])
    return np.asarray(apart[0])
