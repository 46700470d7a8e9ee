"""A table replayed as a laboratory: which of its alloys a way of choosing would have made, and how soon the good ones.

Every row of the table is a melt that was made, so that what it would have said is known before anybody melts again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from .diagram import IntArray
from .pareto import hypervolume, non_dominated

BoolArray = NDArray[np.bool_]

# The share of a pool that counts as its top.
TOP = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """What a strategy would make next.

    Parameters
    ----------
    rows : (n,) designs of the pool, by their places in it
    enough : whether it would rather have stopped than made them
    """

    rows: IntArray
    enough: bool = False


class Strategy(Protocol):
    """A way of choosing what to make next of what a pool still holds."""

    def pick(self, made: IntArray, n: int, rng: np.random.Generator) -> Picked:
        """The next n designs of the pool, given those made so far, by their places in it; none of these again."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Replayed:
    """What a strategy would have made.

    Parameters
    ----------
    order : (n_made,) designs of the pool in the order in which they were made, those of the start first
    stopped : how many were made when the strategy first would have stopped; None where it never would. The replay goes
        on all the same, so that it can be seen what stopping would have cost
    """

    order: IntArray
    stopped: int | None = None


def replay(
    strategy: Strategy, n_pool: int, start: IntArray, batch: int, budget: int, rng: np.random.Generator
) -> Replayed:
    """Let a strategy choose from a pool until a budget is used up.

    Parameters
    ----------
    strategy : which chooses
    n_pool : how many designs the pool holds
    start : (n_start,) those that were made before anything was chosen
    batch : how many are chosen at a time
    budget : how many are made in all, those of the start counted
    rng : for the strategy
    """
    made, stopped = np.asarray(start, dtype=np.int64), None
    while len(made) < min(budget, n_pool):
        picked = strategy.pick(made, min(batch, budget - len(made), n_pool - len(made)), rng)
        if picked.enough and stopped is None:
            stopped = len(made)
        made = np.append(made, picked.rows)
    return Replayed(made, stopped)


def top(heights: FloatArray) -> BoolArray:
    """(n,) The designs that belong to the top of a pool: its best 5 %, and those that equal the last of these.

    Parameters
    ----------
    heights : (n,) how good each is, larger is better; -inf for one that breaks a limit

    Examples
    --------
    >>> top(np.arange(40.0)).nonzero()[0].tolist()
    [38, 39]
    """
    last = np.sort(heights)[-ceil(TOP * len(heights))]
    return np.asarray((heights >= last) & (heights > -np.inf))


@dataclass(frozen=True, slots=True)
class Score:
    """How soon a replay came upon what is good.

    Parameters
    ----------
    melts_to_best, melts_to_half, melts_to_top : how many melts, those of the start counted, until the pool's best, and
        50 % and 90 % of its top, were found; None where the budget did not do
    acceleration : melts that random choice needs in expectation for the share of the top that was reached at 50 %, over
        these melts; at the end of the budget where 50 % was not reached
    enhancement : share of the top that was found by then, over that which random choice finds with as many melts
    """

    melts_to_best: int | None
    melts_to_half: int | None
    melts_to_top: int | None
    acceleration: float
    enhancement: float


def score(order: IntArray, heights: FloatArray) -> Score:
    """Judge a replay.

    Of N designs, of which K are wanted, random choice without replacement needs k (N + 1) / (K + 1) melts in
    expectation until it has found k of them: the mean of the negative hypergeometric distribution [Johnson, Kemp and
    Kotz, Univariate Discrete Distributions, 3rd ed., 2005, section 6.2.2].

    Parameters
    ----------
    order : (n_made,) designs of the pool in the order in which they were made
    heights : (n_pool,) how good each design of the pool is, larger is better; -inf for one that breaks a limit

    Examples
    --------
    >>> score(np.array([3, 99, 98, 97, 7, 96]), np.arange(100.0))
    Score(melts_to_best=2, melts_to_half=4, melts_to_top=None, acceleration=12.625, enhancement=15.0)
    """
    wanted = top(heights)
    n, n_wanted = len(heights), int(wanted.sum())
    found = np.cumsum(wanted[order])
    half = _first(found >= 0.5 * n_wanted)
    melts = half or len(order)
    reached = int(found[melts - 1])
    by_chance = reached * (n + 1) / (n_wanted + 1)
    return Score(
        melts_to_best=_first(heights[order] >= heights.max()),
        melts_to_half=half,
        melts_to_top=_first(found >= 0.9 * n_wanted),
        acceleration=by_chance / melts,
        enhancement=(reached / n_wanted) / (melts / n),
    )


def _first(met: BoolArray) -> int | None:
    """The number of melts after which something is met for the first time; None where it never is."""
    return int(np.argmax(met)) + 1 if met.any() else None


def best_so_far(order: IntArray, heights: FloatArray) -> FloatArray:
    """The height of the best design made after each melt. (n_made,)"""
    return np.asarray(np.maximum.accumulate(heights[order]))


def hypervolumes(order: IntArray, objectives: FloatArray, allowed: BoolArray, reference: FloatArray) -> FloatArray:
    """What the designs made dominate after each melt, as a share of what the whole pool does. (n_made,)

    Parameters
    ----------
    order : (n_made,) designs of the pool in the order in which they were made
    objectives : (n_pool, m) larger is better
    allowed : (n_pool,) which keep every limit; others add nothing
    reference : (m,) the worst that counts, in each goal

    Examples
    --------
    >>> corners = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    >>> hypervolumes(np.array([0, 1, 2]), corners, np.ones(3, dtype=bool), np.full(2, -0.5)).round(3)
    array([0.5  , 0.833, 1.   ])
    """
    scale = np.ptp(objectives[allowed], axis=0)
    heights = (objectives - reference) / np.where(scale > 0, scale, 1.0)
    whole = _volume(heights[allowed])
    reached, volume, made = np.zeros(len(order)), 0.0, np.zeros((0, objectives.shape[1]))
    for i, design in enumerate(order):
        if allowed[design] and not (made >= heights[design]).all(axis=1).any():
            made = np.vstack([made, heights[design]])
            made = made[non_dominated(made)]
            volume = _volume(made)
        reached[i] = volume / whole if whole > 0 else 1.0
    return reached


def _volume(heights: FloatArray) -> float:
    return hypervolume(heights, np.zeros(heights.shape[1]))


def starts(n_pool: int, n_start: int, seeds: Sequence[int]) -> list[IntArray]:
    """The random designs that every strategy begins with, the same for the same seed: one (n_start,) for each seed."""
    return [np.random.default_rng([seed, n_pool]).permutation(n_pool)[:n_start] for seed in seeds]
