"""Answers of different regions: as far apart as so many of them can be and still be likely enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from math import inf

import numpy as np

from ..surrogates.base import FloatArray
from .diagram import IntArray
from .features import Alloys, BoolArray
from .process import Choice, Numeric
from .space import DesignSpace

# Designs of which the usual distance in the space is known.
N_USUAL = 256
# Shares of the second of two alloys in the mixes of both that are asked.
MIXES = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875)
# Distances that are tried, as shares of the usual one, the largest first; below the last no two designs are alike.
SHARES = (1.0, 0.5, 0.25, 0.125, 0.0625, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Distance:
    """How far apart designs of a space are, in units of what is usual in it.

    The distance is the material to be exchanged plus the mean share of the process ranges, a choice counting 1 where it
    is another; either is divided by its mean over pairs of designs of the space, so that neither counts for nothing.

    Parameters
    ----------
    space : of the designs
    exchanged, treated : mean over pairs of designs, of the fractions to be exchanged and of the share of the process
        ranges; infinite where nothing differs
    """

    space: DesignSpace
    exchanged: float
    treated: float

    @staticmethod
    def usual(space: DesignSpace, rng: np.random.Generator) -> Distance:
        """By pairs of designs drawn uniformly over the space."""
        points = space.sample(N_USUAL, rng)
        half = len(points) // 2
        one, other = points[:half], points[half : 2 * half]
        plain = Distance(space, 1.0, 1.0)
        means = [float(part(one, other).mean()) if half else 0.0 for part in (plain._exchanged, plain._treated)]
        return Distance(space, means[0] or inf, means[1] or inf)

    def __call__(self, points: IntArray, others: IntArray) -> FloatArray:
        """Of points (n, d) from others, one of each or one for all (1, d). (n,)"""
        return self._exchanged(points, others) / self.exchanged + self._treated(points, others) / self.treated

    def _exchanged(self, points: IntArray, others: IntArray) -> FloatArray:
        """Atomic fractions to be exchanged. (n,)"""
        if not self.space.elements:
            return np.zeros(len(points))
        return np.asarray(np.abs(self.space.fractions(points) - self.space.fractions(others)).sum(axis=1) / 2)

    def _treated(self, points: IntArray, others: IntArray) -> FloatArray:
        """Mean share of the process ranges. (n,)"""
        apart = np.zeros(len(points))
        for i, variable in enumerate(self.space.process, start=self.space.n_elements):
            if isinstance(variable, Choice):
                apart += points[:, i] != others[:, i]
            else:
                gaps = np.abs(variable.values(points[:, i]) - variable.values(others[:, i]))
                apart += gaps / ((variable.high - variable.low) or 1.0)
        return apart / max(len(self.space.process), 1)

    def near(self, points: IntArray, picks: IntArray, share: float) -> BoolArray:
        """Which points are nearer to one of the picks than a share of the usual distance. (n, d), (m, d) -> (n,)"""
        near = np.zeros(len(points), dtype=bool)
        for pick in picks:
            near |= self(points, pick[None]) < share
        return near


def regions(
    alloys: Alloys, process: tuple[Numeric | Choice, ...], is_likely: Callable[[Alloys], BoolArray]
) -> IntArray:
    """Number the regions that alloys lie in, from 0 in their order.

    Two are of one region where every mix of them is likely enough too, so that no valley lies between them; and so are
    two that a third is of one region with. Alloys with different choices of a treatment are never mixed.

    Parameters
    ----------
    alloys : n of them
    process : the process variables, whose numbers are mixed as compositions are
    is_likely : which of some alloys are likely enough

    Returns
    -------
    (n,)
    """
    found = np.arange(len(alloys))
    choices = [alloys.process[each.name] for each in process if isinstance(each, Choice)]
    alike = [(i, j) for i, j in combinations(range(len(alloys)), 2) if all(of[i] == of[j] for of in choices)]
    if not alike:
        return found
    one, other = (np.repeat(np.array(ends), len(MIXES)) for ends in zip(*alike, strict=True))
    share = np.tile(MIXES, len(alike))
    mixed = {
        name: values[one] if values.dtype == object else (1 - share) * values[one] + share * values[other]
        for name, values in alloys.process.items()
    }
    fractions = (1 - share)[:, None] * alloys.fractions[one] + share[:, None] * alloys.fractions[other]
    likely = is_likely(Alloys(alloys.elements, fractions, mixed)).reshape(len(alike), len(MIXES))
    for (i, j), each in zip(alike, likely, strict=True):
        if each.all():
            found[found == found[j]] = found[i]
    return np.unique(found, return_inverse=True)[1].ravel()
