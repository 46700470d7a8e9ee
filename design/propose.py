"""From beliefs and goals to a batch on the lattice: a broad sample, then exchanges until no neighbour is better."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .acquisition import Acquisition
from .diagram import IntArray
from .features import alloys_at
from .space import DesignSpace, nothing_left, rows_in


@dataclass(frozen=True, slots=True)
class Effort:
    """How far a search looks, for each pick.

    Parameters
    ----------
    n_sampled : designs of the broad sample
    n_starts : of which climbs begin
    most_looked : designs after which no further step of a climb is taken
    """

    n_sampled: int
    n_starts: int
    most_looked: int = sys.maxsize


# With 6 starts, 2 in 100 searches of spaces with process choices ended below the best that there was; with 24, none in
# 90.
THOROUGH = Effort(2048, 24)
# Where a feature takes a twentieth of a second to compute, as phases do. Of 40 searches of Gaussian processes' smooth
# surfaces over some thousand designs, each found the best.
SPARING = Effort(192, 4, most_looked=384)
# A climb gains at every step and so ends; this only bounds how long it may take on a plateau of rounding errors.
_MOST_STEPS = 200
# In nats of the acquisition; a smaller gain is rounding.
_LEAST_GAIN = 1e-9


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


def propose(
    space: DesignSpace,
    acquisition: Acquisition,
    elements: tuple[str, ...],
    taken: IntArray,
    n: int,
    rng: np.random.Generator,
    effort: Effort = THOROUGH,
) -> Batch:
    """Pick n designs one after the other, each the best found given those before it; fewer where fewer are left.

    Parameters
    ----------
    space : what may be made
    acquisition : what a further melt is worth
    elements : the elements that the beliefs know, the space's own first
    taken : (m, d) points not to be proposed: measured, pending, withdrawn
    n : how many; no more than the `n_picks` that the acquisition was made for
    rng : for the broad sample
    effort : how far to look

    Raises
    ------
    AlloyloopError
        where the space has no allowed point left, or none of those looked at can be predicted
    """
    points: list[IntArray] = []
    gains: list[float] = []
    others: list[IntArray] = []
    for _ in range(n):
        ends, values = _climb(space, acquisition, elements, taken, rng, effort)
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


def _climb(
    space: DesignSpace,
    acquisition: Acquisition,
    elements: tuple[str, ...],
    taken: IntArray,
    rng: np.random.Generator,
    effort: Effort,
) -> tuple[IntArray, FloatArray]:
    """Where the climbs from the best of a broad sample end, best first, each end once; none where all is taken."""
    # So many that what is left of a small space is among them.
    sampled = space.sample(effort.n_sampled + len(taken), rng)
    sampled = sampled[~rows_in(sampled, taken)][: effort.most_looked // 2]  # the other half is for climbs
    known: dict[bytes, float] = {}

    def value(points: IntArray) -> FloatArray:
        new = np.array([point for point in points if point.tobytes() not in known], dtype=np.int64)
        if len(new):
            worth = acquisition.value(alloys_at(space, new, elements))
            known.update({point.tobytes(): float(v) for point, v in zip(new, worth, strict=True)})
        return np.array([known[point.tobytes()] for point in points])

    sampled_values = value(sampled)
    order = np.argsort(-sampled_values, kind="stable")[: effort.n_starts]
    order = order[~np.isnan(sampled_values[order])]
    if len(sampled) > 0 == len(order):
        raise AlloyloopError(
            f"None of {len(sampled)} designs can be predicted: features are not known of any",
            "Take the features that cannot be computed out of campaign.yaml.",
        )
    ends: dict[bytes, tuple[float, IntArray]] = {}
    for start in sampled[order]:
        here, height = start, float(value(start[None])[0])
        for _ in range(_MOST_STEPS):
            around = space.neighbours(here)
            around = around[~rows_in(around, taken)]
            if len(around) == 0 or len(known) >= effort.most_looked:
                break
            values = np.nan_to_num(value(around), nan=-np.inf, posinf=np.inf, neginf=-np.inf)
            best = int(np.argmax(values))
            if not values[best] > height + _LEAST_GAIN:
                break
            here, height = around[best], float(values[best])
        ends[here.tobytes()] = (height, here)
    ranked = sorted(ends.values(), key=lambda end: (-end[0], end[1].tolist()))
    return np.array([point for _, point in ranked]), np.array([height for height, _ in ranked])
