"""From beliefs and goals to a batch on the lattice: the best design that a search finds, given those before it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .acquisition import Acquisition
from .diagram import IntArray
from .features import alloys_at
from .population import evolve
from .space import DesignSpace, nothing_left
from .worth import LEAST_GAIN, Worth


@dataclass(frozen=True, slots=True)
class Effort:
    """How far a search looks, for each pick.

    Parameters
    ----------
    n_sampled : designs of the broad sample
    n_starts : of which climbs begin
    n_members : of a population
    most_looked : designs after which no further step of a climb is taken, and no further generation begun
    """

    n_sampled: int
    n_starts: int
    n_members: int
    most_looked: int = sys.maxsize


# With 6 starts, 2 in 100 searches of spaces with process choices ended below the best that there was; with 24, none in
# 90.
THOROUGH = Effort(2048, 24, n_members=96)
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
    log_gains : (n,) log of the expected improvement each adds to those before it, in the unit of the pursued property
    runner_ups : (n, d) for each, the best other point at which the search ended (the point itself where there was none)
    """

    points: IntArray
    log_gains: FloatArray
    runner_ups: IntArray


Search = Callable[[Worth, Effort, np.random.Generator], tuple[IntArray, FloatArray]]
"""Where a search for what is worth most ends: different points, best first, and their worth; none where all is taken.

It raises an `AlloyloopError` where there is no allowed point at all, or none of those looked at can be predicted.
"""


def exchange(worth: Worth, effort: Effort, rng: np.random.Generator) -> tuple[IntArray, FloatArray]:
    """A `Search`: a broad sample, then exchanges from the best of it until no neighbour is better."""
    # So many that what is left of a small space is among them.
    sampled, values = worth.drawn(effort.n_sampled, effort.most_looked // 2, rng)  # the other half is for climbs
    order = np.argsort(-values, kind="stable")[: effort.n_starts]
    ends: dict[bytes, tuple[float, IntArray]] = {}
    for here, height in zip(sampled[order], values[order].tolist(), strict=True):
        for _ in range(_MOST_STEPS):
            around = worth.space.neighbours(here)
            if len(around) == 0 or worth.n_looked >= effort.most_looked:
                break
            heights = worth.of(around)
            best = int(np.argmax(heights))
            if not heights[best] > height + LEAST_GAIN:
                break
            here, height = around[best], float(heights[best])
        ends[here.tobytes()] = (height, here)
    ranked = sorted(ends.values(), key=lambda end: (-end[0], end[1].tolist()))
    return np.array([point for _, point in ranked]), np.array([height for height, _ in ranked])


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

    Raises
    ------
    AlloyloopError
        where there is no such search, the space has no allowed point left, or none of those looked at can be predicted
    """
    if search not in SEARCHES:
        raise AlloyloopError(f"There is no search '{search}'", f"Write one of {', '.join(SEARCHES)}.")
    points: list[IntArray] = []
    gains: list[float] = []
    others: list[IntArray] = []
    for _ in range(n):
        ends, values = SEARCHES[search](Worth(space, acquisition.value, elements, taken), effort, rng)
        if len(ends) == 0:
            break
        best = ends[0]
        points.append(best)
        gains.append(float(values[0]))
        others.append(ends[1] if len(ends) > 1 else best)
        taken = np.vstack([taken, best])
        acquisition = acquisition.with_pick(alloys_at(space, best[None], elements))
    if not points:
        raise nothing_left()
    return Batch(np.array(points), np.array(gains), np.array(others))
