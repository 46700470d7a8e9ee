"""The knowledge gradient: how much better the best choice is expected to be once an alloy has been measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp, ndtri
from scipy.stats import qmc

from ..surrogates.base import FloatArray
from .acquisition import Gain, register_acquisition
from .features import Alloys
from .goals import Match
from .hopes import distance_expected, objective_to_come, shares_of
from .improvement import log_expected_improvement
from .outlook import Believed, Outlook, Sought, covariance_to_come, told, variance_to_come

# Of the sample of the space, so many of the most hopeful alloys may be chosen in the end.
MOST_CHOICES = 128
# Measurements of the alloys to come that are imagined where the rest is in closed form.
_N_IMAGINED = 8
# The same together with one of the alloy itself, where it is not: of one property, and of several.
_N_TOGETHER = (32, 64)
# By so much imagined measurements are drawn too far out, and weighed for it: rare ones teach most where little is left.
_STRETCH = 2.0
# Where it is looked up which of several straight lines is the highest: between them it is seldom another.
_NODES = (0.25, 0.6, 1.0, 1.5, 2.0, 2.75, 3.5, 5.0)


@register_acquisition(
    "knowledge-gradient",
    "whose measurement, wherever it lies, is expected to better the final choice most",
    weighs="success",
    several=True,
)
def knowledge_gradient(outlook: Outlook) -> Gain:
    """One step ahead, with noise, and joint with what is to come.

    The final choice is the best expected of the known alloys, the most hopeful of a sample of the space, and the alloy
    itself: its height above the worst measured alloy, times the probability that it keeps its limits. Of one property
    that is minimised or maximised it is known in closed form; else measurements are imagined.

    References
    ----------
    Frazier, Powell and Dayanik, INFORMS J. Comput. 21 (2009) 599: of finitely many choices; Wu and Frazier, NeurIPS 29
    (2016) 3126: of batches.
    """
    (each, *others) = outlook.sought
    choices = _Choices.of(outlook)
    if others or isinstance(each.goal, Match):
        return _imagined(outlook, choices)
    return _in_closed_form(outlook, choices, each)


@dataclass(frozen=True, slots=True, eq=False)
class _Choices:
    """What may be chosen in the end.

    Parameters
    ----------
    alloys : m of them
    chance : (m,) that each keeps its limits
    floor : what failing is worth: the least that is expected of a measured alloy
    """

    alloys: Alloys
    chance: FloatArray
    floor: float

    @staticmethod
    def of(outlook: Outlook) -> _Choices:
        shares, nothing = shares_of(outlook), outlook.to_come.rows(np.array([], dtype=np.intp))

        def expected(alloys: Alloys, z: float) -> FloatArray:
            pairs = [objective_to_come(each, alloys, nothing) for each in outlook.sought]
            return np.asarray(sum(share * (mean + z * std) for share, (mean, std) in zip(shares, pairs, strict=True)))

        floor = float(expected(outlook.baseline, 0.0).min())
        sample = outlook.reference.rows(outlook.known(outlook.reference))
        chance = np.exp(outlook.log_allowed(sample))
        hopeful = np.argsort(-chance * (expected(sample, 2.0) - floor), kind="stable")[:MOST_CHOICES]
        known_chance = outlook.allowed.mean(axis=0)
        alloys = outlook.known_so_far + sample.rows(hopeful)
        return _Choices(alloys, np.append(known_chance, chance[hopeful]), floor)


def _in_closed_form(outlook: Outlook, choices: _Choices, each: Sought) -> Gain:
    assert not isinstance(each.goal, Match)
    belief, sign, to_come = each.belief, each.goal.sign, outlook.to_come
    start = len(outlook.baseline)
    n_imagined = _N_IMAGINED if len(to_come) else 1
    learned = _Learned(belief, to_come, outlook.normals[0, :n_imagined, start : start + len(to_come)])
    heights = choices.chance * (sign * learned.means(choices.alloys) - choices.floor)  # (n_imagined, m)

    def gain(alloys: Alloys) -> FloatArray:
        chance = np.exp(outlook.log_allowed(alloys))
        move, own_move = _responses(belief, choices.alloys, alloys, to_come)
        slopes = np.column_stack([move.T * choices.chance, own_move * chance])
        own = chance * (sign * learned.means(alloys) - choices.floor)  # (n_imagined, n)
        rises = [log_expected_rise(_and_own(*pair), slopes) for pair in zip(heights, own, strict=True)]
        return np.asarray(logsumexp(rises, axis=0) - np.log(n_imagined))

    return gain


def log_expected_rise(heights: FloatArray, slopes: FloatArray) -> FloatArray:
    """Log of E[max_i (a_i + b_i Z)] - max_i a_i for standard normal Z. (n, m) each -> (n,)

    Parameters
    ----------
    heights, slopes : a and b of m straight lines, n times

    Notes
    -----
    Where lines follow one another as the highest, the rise is the sum over their crossings of the change of slope times
    E[max(0, Z - |crossing|)] [Frazier et al. 2009, eq. 14]. The lines taken are those highest at some nodes, and the
    first that cross the highest at 0 on either side: what is left out is highest only between two nodes, so that this
    is a close lower bound, and nearly exact where little can be gained.

    Examples
    --------
    Two choices, as good and known as well: half the time the one is better, by 0.8 on average.

    >>> np.exp(log_expected_rise(np.zeros((1, 2)), np.array([[1.0, -1.0]]))).round(3)
    array([0.798])
    """
    rows = np.arange(len(heights))
    at_zero = heights.argmax(axis=1)
    lines = [at_zero]
    a0, b0 = heights[rows, at_zero, None], slopes[rows, at_zero, None]
    for side in (1, -1):
        turns = side * (slopes - b0) > 0  # the lines that overtake the highest at 0, on this side of it
        crossing = np.divide(a0 - heights, side * (slopes - b0), out=np.full(heights.shape, np.inf), where=turns)
        lines.append(np.where(turns.any(axis=1), crossing.argmin(axis=1), at_zero))
        lines += [(heights + side * node * slopes).argmax(axis=1) for node in _NODES]
    chosen = np.column_stack(lines)
    a, b = np.take_along_axis(heights, chosen, axis=1), np.take_along_axis(slopes, chosen, axis=1)
    order = np.argsort(b, axis=1, kind="stable")
    a, b = np.take_along_axis(a, order, axis=1), np.take_along_axis(b, order, axis=1)
    turn, fall = np.diff(b, axis=1), np.abs(np.diff(a, axis=1))
    logs = log_expected_improvement(-fall, turn, np.zeros(1))
    return np.asarray(logsumexp(np.where(turn > 0, logs, -np.inf), axis=1))


def _responses(belief: Believed, choices: Alloys, alloys: Alloys, to_come: Alloys) -> tuple[FloatArray, FloatArray]:
    """By how much what is expected moves with one standard deviation of a measurement of each alloy.

    Returns
    -------
    (m, n) at the choices, and (n,) at the alloys themselves
    """
    own = variance_to_come(belief, alloys, to_come)
    measured = np.sqrt(own + belief.about(alloys).noise ** 2)
    per_unit = np.divide(1.0, measured, out=np.zeros_like(measured), where=measured > 0)
    return covariance_to_come(belief, choices, alloys, to_come) * per_unit, own * per_unit


@dataclass(frozen=True, slots=True, eq=False)
class _Learned:
    """What imagined measurements of the alloys to come teach.

    Parameters
    ----------
    belief : before
    to_come : k alloys
    normals : (n_imagined, k) standard normals that the measurements are imagined by
    """

    belief: Believed
    to_come: Alloys
    normals: FloatArray

    def means(self, alloys: Alloys) -> FloatArray:
        """What is then expected of alloys. (n_imagined, n)"""
        mean = self.belief.about(alloys).mean
        if len(self.to_come) == 0:
            return np.tile(mean, (len(self.normals), 1))
        return np.asarray(mean + self.normals @ told(self.belief, alloys, self.to_come))


def _imagined(outlook: Outlook, choices: _Choices) -> Gain:
    """Over measurements of the alloys to come and of the alloy itself, imagined together."""
    sought, to_come = outlook.sought, outlook.to_come
    n = _N_TOGETHER[min(len(sought), 2) - 1]
    uniform = qmc.Sobol(len(sought) * (len(to_come) + 1), rng=0).random(n)
    normals = ndtri(np.clip(uniform, 1e-12, 1 - 1e-12)).reshape(n, len(sought), -1)
    log_weights = ((1 - _STRETCH**2) * normals[:, :, 0] ** 2 / 2).sum(axis=1)
    weights = np.exp(log_weights - logsumexp(log_weights))
    parts = [
        _Part.of(each, share, choices.alloys, to_come, normals[:, k])
        for k, (each, share) in enumerate(zip(sought, shares_of(outlook), strict=True))
    ]

    def gain(alloys: Alloys) -> FloatArray:
        rows, chance = np.arange(len(alloys)), _and_own(choices.chance, np.exp(outlook.log_allowed(alloys)))
        asked = [_Asked.of(part, alloys) for part in parts]

        def height(of: Callable[[_Asked], FloatArray]) -> FloatArray:
            return np.asarray(chance * (np.sum([of(each) for each in asked], axis=0) - choices.floor))

        total = np.zeros(len(alloys))
        for q, weight in enumerate(weights):
            before, after = height(lambda each, q=q: each.before(q)), height(lambda each, q=q: each.after(q))  # type: ignore[misc]
            # Over all surprises, what was chosen before is as good as it was: only what is better now counts.
            total += weight * (after.max(axis=1) - after[rows, before.argmax(axis=1)])
        # Where no surprise that was imagined changes the choice, one large enough would, if all went in a line.
        slopes = chance * np.sum([each.part.share * each.moves for each in asked], axis=0)
        rare = log_expected_rise(height(lambda each: each.before(0)), slopes)
        return np.where(total > 0, np.log(np.where(total > 0, total, 1.0)), rare)

    return gain


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What imagined measurements say of one pursued property of the choices.

    Parameters
    ----------
    each, share : the property, and what a unit of its objective counts
    choices, to_come : m alloys that may be chosen, and those that will have been measured
    learned : from imagined measurements of those to come
    surprises : (n,) of the measurement of the alloy itself, in its standard deviation
    means : (n, m) of the property, and `variance` (m,), once those to come have been measured
    expected : (n, m) of the objective
    """

    each: Sought
    share: float
    choices: Alloys
    to_come: Alloys
    learned: _Learned
    surprises: FloatArray
    means: FloatArray
    variance: FloatArray
    expected: FloatArray

    @staticmethod
    def of(each: Sought, share: float, choices: Alloys, to_come: Alloys, normals: FloatArray) -> _Part:
        """Imagine by standard normals (n, 1 + n_to_come), the first of which is for the alloy itself."""
        learned = _Learned(each.belief, to_come, normals[:, 1:])
        means, variance = learned.means(choices), variance_to_come(each.belief, choices, to_come)
        expected = share * _expected(each, means, variance)
        return _Part(each, share, choices, to_come, learned, _STRETCH * normals[:, 0], means, variance, expected)


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """The same once one of n alloys has been measured too, at the choices and at the alloy itself.

    Parameters
    ----------
    part : of the choices
    means : (n_imagined, n) of the alloys themselves before
    expected : (n_imagined, n) of their objectives
    moves : (n, m + 1) of the expected property with one standard deviation of the measurement
    left : (n, m + 1) variance of the property afterwards
    """

    part: _Part
    means: FloatArray
    expected: FloatArray
    moves: FloatArray
    left: FloatArray

    @staticmethod
    def of(part: _Part, alloys: Alloys) -> _Asked:
        """Ask about alloys."""
        means = part.learned.means(alloys)
        variance = variance_to_come(part.each.belief, alloys, part.to_come)
        move, own_move = _responses(part.each.belief, part.choices, alloys, part.to_come)
        moves = np.column_stack([move.T, own_move])
        left = np.maximum(_and_own(part.variance, variance) - moves**2, 0.0)
        return _Asked(part, means, part.share * _expected(part.each, means, variance), moves, left)

    def before(self, q: int) -> FloatArray:
        """What is expected of the objective, times its share, before the alloy is measured. (n, m + 1)"""
        return _and_own(self.part.expected[q], self.expected[q])

    def after(self, q: int) -> FloatArray:
        """The same afterwards. (n, m + 1)"""
        mean = _and_own(self.part.means[q], self.means[q]) + self.part.surprises[q] * self.moves
        return self.part.share * _expected(self.part.each, mean, self.left)


def _and_own(of_choices: FloatArray, own: FloatArray) -> FloatArray:
    """(n, m + 1) what is the same (m,) for each of n alloys, then its own (n,)."""
    return np.column_stack([np.tile(of_choices, (len(own), 1)), own])


def _expected(each: Sought, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """What is expected of an objective whose property is normal."""
    if isinstance(each.goal, Match):
        return -distance_expected(mean - each.goal.target, np.sqrt(variance))
    return each.goal.objective(mean)
