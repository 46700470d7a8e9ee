"""Acquisitions that look at one alloy by itself: what it is expected to be, may be, and its chance to be best."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from ..surrogates.base import FloatArray
from ..surrogates.scales import LINEAR, Normal
from .acquisition import Gain, register_acquisition
from .features import Alloys
from .goals import Match
from .hypervolume import has_volume, reference_of
from .outlook import Outlook, Sought, variance_to_come
from .pareto import boxes
from .utility import Linear, as_modelled, log_mean, utility

# How much is hoped for of the lead that the luckiest design would have if designs did not resemble each other: `hope`.
SHARE_HOPED = 0.23
# In scatters of one measurement: by how much more than the best a probability of improvement asks for.
MARGIN = 1.0
# Of a difference that matters: within so much of the floor, a height above it goes over into a falling line.
_NEAR_FLOOR = 0.1
# Added to a hypervolume, in spreads of the properties: what adds nothing is told apart by how far it falls short.
_LEAST_VOLUME = 1e-6
_KNOWN = 1e-100  # the standard deviation of what is known


def log_height(values: FloatArray, floor: float, scale: float) -> FloatArray:
    """Log of how far values lie above a floor: a probability may multiply it, where failing is worth the floor.

    Near the floor and below, the height is smoothed to `w log(1 + exp((values - floor) / w))` with w a tenth of the
    scale: positive everywhere and rising, its logarithm a line far below.

    Parameters
    ----------
    values : (n,) larger is better
    floor : what is worth nothing
    scale : a difference that matters

    Examples
    --------
    >>> log_height(np.array([53.0, 50.0, 49.0, 47.0]), floor=50.0, scale=10.0).round(3)
    array([ 1.115, -0.367, -1.161, -3.024])
    """
    width = _NEAR_FLOOR * scale
    above = (values - floor) / width
    near = np.log(np.logaddexp(0.0, np.maximum(above, -30.0)))
    return np.asarray(np.where(above > -30.0, near, above) + np.log(width))


@register_acquisition("greedy", "what is expected to be best, however little is known of it", several=True)
def greedy(outlook: Outlook) -> Gain:
    """The expected value: nothing is risked, and nothing is learned on purpose."""
    return _hoped(outlook, 0.0)


@register_acquisition(
    "upper-confidence-bound",
    "what may be best: the hopeful end of what an alloy is believed to be, the wider the more designs there are",
    several=True,
)
def upper_confidence_bound(outlook: Outlook) -> Gain:
    """The hopeful end of what is believed, `hope` standard deviations better than what is expected.

    A standard deviation is what it will be when the alloys to come have been measured, so that a batch spreads
    [Desautels et al., J. Mach. Learn. Res. 15 (2014) 4053]. With `explore` 1 it is where least is known.

    References
    ----------
    Srinivas et al., IEEE Trans. Inf. Theory 58 (2012) 3250. Of several goals, the hypervolume that the hopeful ends
    would add: Ponweiser et al., PPSN X (2008) 784.
    """
    return _hoped(outlook, hope(outlook))


def hope(outlook: Outlook) -> float:
    """How many standard deviations above what is expected the hopeful end of an alloy lies.

    Where `explore` says so, those of the central interval that holds this share. Else 0.23 ln(N/2)/√2 for N designs to
    choose from: where beliefs err as alloys do, now and then widely (a Laplace distribution), one design in N is better
    than expected by ln(N/2)/√2 standard deviations; since designs resemble each other, not all of that is taken. How
    much is ours, by measurement: on published lists of 150 to 900 alloys and in synthetic spaces of 10⁷ to 10⁹ designs
    (`benchmarks/backtests.py`, `closed_loop.py`). In a list of 200 alloys it is 0.75, in a space of 10⁸ designs 2.9:
    what little may be found is soon found, and much takes daring.

    Examples
    --------
    >>> from types import SimpleNamespace as Told
    >>> [round(hope(Told(explore=None, eagerness=1.0, n_designs=n)), 2) for n in (1, 200, 10**8)]
    [0.0, 0.75, 2.88]
    >>> round(hope(Told(explore=0.9, eagerness=1.0, n_designs=200)), 3)
    1.645
    """
    if outlook.explore is None:
        return outlook.eagerness * SHARE_HOPED * log(max(outlook.n_designs, 2) / 2) / sqrt(2)
    return outlook.eagerness * float(ndtri((1 + outlook.explore) / 2))


def _hoped(outlook: Outlook, z: float) -> Gain:
    """The gain of what lies z standard deviations above what is expected."""
    if not has_volume(outlook) or z == np.inf:
        return _hoped_height(outlook, z)
    return _hoped_volume(outlook, z)


def _hoped_height(outlook: Outlook, z: float) -> Gain:
    """Of one number: how far above the worst that one would be content with."""
    if z > 0:
        outlook = as_modelled(outlook)
    sought, shares = outlook.sought, shares_of(outlook)

    def ends(alloys: Alloys, z: float) -> FloatArray:
        mean, variance = np.zeros(len(alloys)), np.zeros(len(alloys))
        for each, share in zip(sought, shares, strict=True):
            expected, std = objective_to_come(each, alloys, outlook.to_come)
            mean, variance = mean + share * expected, variance + (share * std) ** 2
        if z == np.inf:
            return np.sqrt(variance)
        return np.asarray(mean + z * np.sqrt(variance))

    if z == np.inf:
        return lambda alloys: np.log(np.maximum(ends(alloys, z), _KNOWN))
    floor, scale = float(ends(outlook.baseline, 0.0).min()), sought[0].scale if len(sought) == 1 else 1.0
    return lambda alloys: log_height(ends(alloys, z), floor, scale)


def _hoped_volume(outlook: Outlook, z: float) -> Gain:
    """Of several goals: the hypervolume that hopeful ends would add to the front that is expected of known alloys."""
    sought, known = outlook.sought, outlook.known_so_far
    scales = np.array([each.scale for each in sought])

    def ends(alloys: Alloys, z: float) -> FloatArray:
        pairs = [objective_to_come(each, alloys, outlook.to_come) for each in sought]
        return np.asarray(np.column_stack([mean + z * std for mean, std in pairs]) / scales)

    allowed = outlook.allowed.mean(axis=0) > 0.5
    reference = reference_of(outlook).point / scales
    front = np.vstack([ends(known, 0.0)[allowed], reference])
    above = boxes(front, reference)

    def gain(alloys: Alloys) -> FloatArray:
        hoped = ends(alloys, z)
        short = (front[None] - hoped[:, None]).min(axis=2).max(axis=1)  # how far it must rise so that none beats it
        beyond = (reference - hoped).max(axis=1)
        missing = np.maximum(np.maximum(short, beyond), 0.0)
        return np.asarray(np.log(above.volume_below(hoped) + _LEAST_VOLUME) - missing)

    return gain


def shares_of(outlook: Outlook) -> FloatArray:
    """(n_sought,) what a unit of each objective counts where they are summed: 1 where there is one, else by weights.

    Without weights, by a mixture that is drawn anew for every pick.
    """
    if len(outlook.sought) == 1:
        return np.ones(1)
    scales = np.array([each.scale for each in outlook.sought])
    if outlook.weighted:
        return np.asarray(np.array([each.weight for each in outlook.sought]) / scales)
    return np.asarray(outlook.mixes[min(outlook.n_picked, len(outlook.mixes) - 1)] / scales)


def objective_to_come(sought: Sought, alloys: Alloys, to_come: Alloys) -> tuple[FloatArray, FloatArray]:
    """Mean of a pursued objective, and its std once the alloys to come have been measured. (n,) each"""
    mean, std = sought.belief.about(alloys).mean, np.sqrt(variance_to_come(sought.belief, alloys, to_come))
    if not isinstance(sought.goal, Match):
        return sought.goal.objective(mean), std
    off = mean - sought.goal.target
    return -distance_expected(off, sought.belief.about(alloys).std), distance_spread(off, std)


def distance_expected(off: FloatArray, std: FloatArray) -> FloatArray:
    """Mean of |D| for normal D of mean `off`: the folded normal distribution. Arguments broadcast.

    References
    ----------
    Leone, Nelson and Nottingham, Technometrics 3 (1961) 543.

    Examples
    --------
    >>> distance_expected(np.array([0.0, -3.0]), np.array([1.0, 0.0])).round(3)
    array([0.798, 3.   ])
    """
    u = off / np.maximum(std, _KNOWN)
    density = np.exp(-0.5 * np.clip(u, -40.0, 40.0) ** 2) / np.sqrt(2 * np.pi)
    return np.asarray(2 * std * density + off * (2 * ndtr(u) - 1))


def distance_spread(off: FloatArray, std: FloatArray) -> FloatArray:
    """Standard deviation of |D| for normal D of mean `off`. Arguments broadcast.

    Examples
    --------
    >>> distance_spread(np.array([0.0, 30.0]), np.array([1.0, 2.0])).round(3)
    array([0.603, 2.   ])
    """
    return np.sqrt(np.maximum(off**2 + std**2 - distance_expected(off, std) ** 2, 0.0))


@register_acquisition(
    "probability-of-improvement",
    "how likely an alloy is to beat the best known by more than the scatter of one measurement",
)
def probability_of_improvement(outlook: Outlook) -> Gain:
    """Noisy: the mean over draws of what is known so far, in closed form given each.

    An improvement is one by more than the scatter of one measurement: without a margin, the alloys beside the best are
    always as likely as not to be better, by nothing that matters. To be nearer to a target, or better in a mixture of
    goals, none is asked for.

    References
    ----------
    Kushner, J. Basic Eng. 86 (1964) 97.
    """
    outlook = as_modelled(outlook)
    judged = utility(outlook)
    if isinstance(judged, Linear):
        return _chance_beyond(outlook, judged)
    (each, *others) = outlook.sought
    if isinstance(each.goal, Match) and not others:
        return _chance_nearer(outlook, each.goal.target, judged.best)

    def gain(alloys: Alloys) -> FloatArray:
        ahead = judged.drawn(alloys) - judged.best
        # A kernel estimate of the distribution [Silverman, Density Estimation, 1986, eq. 3.28]: no share of draws is 0.
        width = 1.06 * ahead.std(axis=1) * ahead.shape[1] ** -0.2
        return log_mean(log_ndtr(_in_widths(ahead, width)))

    return gain


def _chance_beyond(outlook: Outlook, judged: Linear) -> Gain:
    def gain(alloys: Alloys) -> FloatArray:
        mean, std = judged.given(alloys)
        ahead = mean - judged.best - MARGIN * judged.noise(alloys)[:, None]
        return log_mean(log_ndtr(_in_widths(ahead, outlook.eagerness * std)))

    return gain


def _chance_nearer(outlook: Outlook, target: float, best: FloatArray) -> Gain:
    def gain(alloys: Alloys) -> FloatArray:
        mean, std = outlook.draws(0).given(alloys)
        given = Normal(LINEAR, mean, np.broadcast_to(outlook.eagerness * std[:, None], mean.shape))
        # The best is 0 on target, and less beside it.
        return log_mean(given.log_probability(target + best, target - best))

    return gain


def _in_widths(ahead: FloatArray, width: FloatArray) -> FloatArray:
    """Differences (n, n_draws) in units of widths (n,)."""
    return np.asarray(np.clip(ahead / np.maximum(width, _KNOWN)[:, None], -1e150, 1e150))
