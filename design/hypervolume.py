"""Several goals pursued at once: by how much one more alloy is expected to raise the hypervolume of the front.

Given a joint draw of what is known so far, the front is known, and what lies above it is cut into boxes. The goals of
the next alloy are independent and normal given the draw, so that the volume it adds in one box is a product of
differences of expected improvements, one for each goal: exact, and smooth in the mean over draws. It is the noisy
expected hypervolume improvement of Daulton et al., NeurIPS 34 (2021) 2187, with the next alloy integrated exactly as
Yang et al., J. Global Optim. 75 (2019) 3, do where the front is known; logarithms as Ament et al., NeurIPS 36 (2023)
20577, have them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import logsumexp, ndtr

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .acquisition import Gain, register_acquisition
from .diagram import IntArray
from .features import Alloys
from .goals import Match, Pursued
from .improvement import log_expected_approach, log_expected_improvement
from .outlook import Draws, Outlook
from .pareto import boxes, inferred_reference

# With more, a front of few alloys leaves thousands of boxes, and nearly all alloys are on it.
MOST_GOALS = 4
# Of the outlook's: with the next alloy integrated exactly, batches are no better for more.
N_DRAWS = 64
# Numbers of a box and an alloy that are held at a time: few enough for a processor's cache.
_AT_ONCE = 1 << 17
# Where volumes are so small, some of their parts were too small for a number: there logarithms are taken throughout.
_TINY = 1e-250
# The standard deviation of what is known; its inverse to the power of the goals is still a number.
_KNOWN = 1e-50


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """The worst that counts in each goal: hypervolumes are counted from it.

    Parameters
    ----------
    point : (m,) as objectives, larger is better
    words : the same in the properties' own units, and why, in one sentence
    """

    point: FloatArray
    words: str


def has_volume(outlook: Outlook) -> bool:
    """Whether alloys are better or worse by the volume above a front: goals are several, not weighed, and not many."""
    return not outlook.is_by_one and len(outlook.sought) <= MOST_GOALS


def reference_of(outlook: Outlook) -> Reference:
    """Where hypervolumes are counted from: as given, or else from the front of the measured alloys as believed.

    It is the same for every pick of a batch.
    """
    sought, baseline = outlook.sought, outlook.baseline
    beliefs = [each.belief.about(baseline) for each in sought]
    values = np.column_stack([each.goal.objective(b.mean) for each, b in zip(sought, beliefs, strict=True)])
    allowed = outlook.allowed[:, : len(baseline)].mean(axis=0) > 0.5
    scatter = np.array([np.median(belief.noise) for belief in beliefs])
    point, spanned = inferred_reference(values[allowed] if allowed.any() else values, scatter)
    told = []
    for k, each in enumerate(sought):
        if each.reference is not None:
            point[k] = each.goal.objective(np.array([each.reference]))[0]
            why = "as given"
        elif spanned[k]:
            why = "a tenth of the front's range beyond its worst"
        else:
            why = "beyond the front's worst by the range of the middle half of the measured, since the front has none"
        told.append(f"{each.name} {_in_words(each.goal, point[k])} ({why})")
    return Reference(point, f"Hypervolume is counted from {', '.join(told)}.")


def _in_words(goal: Pursued, objective: float) -> str:
    """A value of an objective in the property's own unit."""
    if isinstance(goal, Match):
        return f"{-objective:.4g} off {goal.target:g}"
    return f"{goal.sign * objective:.4g}"


@register_acquisition(
    "log-expected-hypervolume-improvement",
    "how much more of all pursued goals together the best alloys are expected to reach with one more",
    several=True,
)
def log_expected_hypervolume_improvement(outlook: Outlook) -> Gain:
    """Noisy, batch expected hypervolume improvement in closed form given joint draws of what is known so far.

    Raises
    ------
    AlloyloopError
        where more goals are pursued than `MOST_GOALS`
    """
    if len(outlook.sought) > MOST_GOALS:
        raise AlloyloopError(
            f"{len(outlook.sought)} goals are pursued, and the volume above a front is had for {MOST_GOALS} at most",
            "Write `acquisition: parego`, give the goals weights, or make limits of some.",
        )
    return _Growth.over(outlook, reference_of(outlook).point).log_expected


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """What boxes are in one goal: between two of some cuts, each of which belongs to a draw.

    Parameters
    ----------
    goal : of the property
    cuts : (n_cuts, 1) values of the objective; beyond an infinite one there is nothing
    of : (n_cuts,) the draw of each
    lower, upper : (n_boxes,) between which cuts each box lies
    """

    goal: Pursued
    cuts: FloatArray
    of: IntArray
    lower: IntArray
    upper: IntArray

    @staticmethod
    def between(goal: Pursued, lower: FloatArray, upper: FloatArray, of: IntArray) -> _Sides:
        """Of boxes from lower to upper values (n_boxes,), of draws (n_boxes,)."""
        ends = np.column_stack([np.tile(of, 2).astype(np.float64), np.append(lower, upper)])
        cuts, which = np.unique(ends, axis=0, return_inverse=True)
        low, high = np.split(which.ravel(), 2)
        return _Sides(goal, cuts[:, 1:], cuts[:, 0].astype(np.int64), low, high)

    def covered(self, mean: FloatArray, std: FloatArray) -> FloatArray:
        """How much of each is expected to lie below alloys, in their standard deviations.

        Parameters
        ----------
        mean : (n_draws, n) of the property of n alloys
        std : (n,)

        Returns
        -------
        (n_boxes, n)
        """
        if isinstance(self.goal, Match):
            off = -np.abs(mean - self.goal.target)[self.of] / std
            reach = np.maximum(-self.cuts, 0.0) / std
            above = _tail(off + reach) - 2 * _tail(off) + _tail(off - reach)  # as in `log_expected_approach`
        else:
            above = _tail((self.goal.sign * mean[self.of] - self.cuts) / std)
        return np.maximum(above[self.lower] - above[self.upper], 0.0)

    def log_covered(self, mean: FloatArray, std: FloatArray) -> FloatArray:
        """The same as a logarithm, however little it is, and in the property's unit."""
        cuts = np.where(np.isinf(self.cuts), 0.0, self.cuts)
        if isinstance(self.goal, Match):
            above = log_expected_approach(mean[self.of] - self.goal.target, std, np.maximum(-cuts, 0.0))
        else:
            above = log_expected_improvement(self.goal.sign * mean[self.of], std, cuts)
        above = np.where(np.isinf(self.cuts), -np.inf, above)
        low, high = above[self.lower], above[self.upper]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(high < low, low + np.log(-np.expm1(high - low)), -np.inf)


@dataclass(frozen=True, eq=False)
class _Growth:
    """By how much an alloy is expected to raise the hypervolume of the fronts that draws have.

    Parameters
    ----------
    draws : of each pursued property
    sides : of the boxes above all the draws' fronts, in each goal
    eagerness : see `Outlook`
    """

    draws: tuple[Draws, ...]
    sides: tuple[_Sides, ...]
    eagerness: float

    @staticmethod
    def over(outlook: Outlook, reference: FloatArray) -> _Growth:
        """Over what an outlook says is known, from a reference point (m,) on."""
        drawn = (outlook.draws(k) for k in range(len(outlook.sought)))
        draws = tuple(replace(each, normals=each.normals[:N_DRAWS]) for each in drawn)
        values = np.stack([each.goal.objective(d.values) for each, d in zip(outlook.sought, draws, strict=True)], -1)
        allowed = outlook.allowed[: len(values)]
        above = [boxes(front[kept], reference) for front, kept in zip(values, allowed, strict=True)]
        of = np.repeat(np.arange(len(above)), [len(each) for each in above])
        lower, upper = (np.concatenate([getattr(each, end) for each in above]) for end in ("lower", "upper"))
        sides = (
            _Sides.between(each.goal, low, high, of)
            for each, low, high in zip(outlook.sought, lower.T, upper.T, strict=True)
        )
        return _Growth(draws, tuple(sides), outlook.eagerness)

    def log_expected(self, alloys: Alloys) -> FloatArray:
        """Log of the expected improvement of each alloy, in the product of the properties' units. (n,)"""
        given = [draws.given(alloys) for draws in self.draws]
        means = [mean.T for mean, _ in given]
        stds = [np.maximum(self.eagerness * std, _KNOWN) for _, std in given]
        at_once = max(_AT_ONCE // len(self.sides[0].lower), 1)
        volumes = np.empty(len(alloys))
        for start in range(0, len(alloys), at_once):
            some = slice(start, start + at_once)
            volumes[some] = self._volume([mean[:, some] for mean in means], [std[some] for std in stds])
        tiny = volumes < _TINY
        logs = np.log(np.where(tiny, 1.0, volumes)) + np.log(stds).sum(axis=0)
        for start in range(0, int(tiny.sum()), at_once):
            rows = np.flatnonzero(tiny)[start : start + at_once]
            logs[rows] = self._log_volume([mean[:, rows] for mean in means], [std[rows] for std in stds])
        return np.asarray(logs - np.log(len(means[0])))

    def _volume(self, means: list[FloatArray], stds: list[FloatArray]) -> FloatArray:
        """Sum over draws, in standard deviations of each property. (n,)"""
        volume = self.sides[0].covered(means[0], stds[0])
        for side, mean, std in zip(self.sides[1:], means[1:], stds[1:], strict=True):
            volume *= side.covered(mean, std)
        return np.asarray(volume.sum(axis=0))

    def _log_volume(self, means: list[FloatArray], stds: list[FloatArray]) -> FloatArray:
        """Log of the sum over draws, in the properties' units. (n,)"""
        logs = sum(side.log_covered(mean, std) for side, mean, std in zip(self.sides, means, stds, strict=True))
        return np.asarray(logsumexp(np.asarray(logs), axis=0))


def _tail(u: FloatArray) -> FloatArray:
    """E[max(0, u + Z)] for standard normal Z, to ten digits where it is a number at all; 0 below."""
    u = np.maximum(u, -39.0)
    return np.asarray(np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi) + u * ndtr(u))
