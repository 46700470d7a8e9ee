"""Acquisitions that learn rather than gain: where least is known, the whole map, or where a limit is crossed."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .acquisition import Gain, register_acquisition
from .features import Alloys
from .goals import Match, Within
from .outlook import Believed, ClassWanted, Outlook, covariance_to_come, variance_to_come

# Of the std of a property, at the least, is the scatter of a measurement: one without any would teach without end.
_LEAST_NOISE = 1e-3
# Nodes of the integral over correlations; with 8, what a measurement teaches is right to 1e-5 of the most it can.
_N_NODES = 8


def _numbers(outlook: Outlook) -> list[Believed]:
    """The normal beliefs about all properties that are numbers and wanted."""
    beliefs = (*(each.belief for each in outlook.sought), *(each.belief for each in outlook.limits))
    return [belief.on_scale()[0] for belief in beliefs]


@register_acquisition(
    "posterior-variance", "where least is known of what is pursued or limited", weighs="success", several=True
)
def posterior_variance(outlook: Outlook) -> Gain:
    """What a measurement tells of the properties at the alloy itself, in nats: Σ ½ log(1 + variance / noise²).

    The variance is that which is left when the alloys to come have been measured; of one property with an even scatter
    the order is that of the standard deviation.

    References
    ----------
    The information gained: MacKay, Neural Comput. 4 (1992) 590.
    """
    beliefs = _numbers(outlook)

    def gain(alloys: Alloys) -> FloatArray:
        told = np.zeros(len(alloys))
        for belief in beliefs:
            now = belief.about(alloys)
            noise = np.maximum(now.noise, _LEAST_NOISE * now.std) ** 2
            told += 0.5 * np.log1p(_ratio(variance_to_come(belief, alloys, outlook.to_come), noise))
        return _log(told)

    return gain


@register_acquisition(
    "integrated-variance",
    "what teaches most about the whole space: where the variance falls most over all of it",
    weighs="success",
    several=True,
)
def integrated_variance(outlook: Outlook) -> Gain:
    """By what share of itself a measurement lessens the mean variance over the space, summed over properties.

    References
    ----------
    Cohn, Ghahramani and Jordan, J. Artif. Intell. Res. 4 (1996) 129; as a criterion of designs, Sacks et al., Stat.
    Sci. 4 (1989) 409.
    """
    maps = [_Map.of(belief, outlook) for belief in _numbers(outlook)]

    def gain(alloys: Alloys) -> FloatArray:
        shares = [_ratio(each.explained(alloys).sum(axis=0), each.total) for each in maps]
        return _log(np.sum(shares, axis=0))

    return gain


@dataclass(frozen=True, slots=True, eq=False)
class _Map:
    """What is believed of one property over a sample of the space once the alloys to come have been measured.

    Parameters
    ----------
    belief : normal
    reference, to_come : the sample, and the alloys to come
    mean, variance : (n_reference,)
    total : variance over the sample before those to come are measured
    """

    belief: Believed
    reference: Alloys
    to_come: Alloys
    mean: FloatArray
    variance: FloatArray
    total: FloatArray  # ()

    @staticmethod
    def of(belief: Believed, outlook: Outlook) -> _Map:
        reference = outlook.reference.rows(outlook.known(outlook.reference))
        now = belief.about(reference)
        variance = variance_to_come(belief, reference, outlook.to_come)
        return _Map(belief, reference, outlook.to_come, now.mean, variance, np.asarray((now.std**2).sum()))

    def explained(self, alloys: Alloys) -> FloatArray:
        """By how much measuring an alloy lessens the variance at each of the sample. (n_reference, n)"""
        shared = covariance_to_come(self.belief, self.reference, alloys, self.to_come)
        own = variance_to_come(self.belief, alloys, self.to_come) + self.belief.about(alloys).noise ** 2
        return np.minimum(_ratio(shared**2, own), self.variance[:, None])


@register_acquisition(
    "level-set", "the boundary: where a measurement settles most of which alloys keep a limit", weighs="success"
)
def level_set(outlook: Outlook) -> Gain:
    """How much less doubt a measurement leaves over the space about the side on which alloys lie of each limit.

    The doubt about an alloy that is inside with probability p is p (1 - p). Each end of a limit is a boundary of its
    own, and so are the ends of a tolerance about a target, and each class that is wanted. A classifier has no
    covariance: an alloy is taken to tell of those near it, as much as its own class is open.

    References
    ----------
    Bect et al., Stat. Comput. 22 (2012) 773; Chevalier et al., Technometrics 56 (2014) 455.

    Raises
    ------
    AlloyloopError
        where there is no limit, no class and no target
    """
    parts: list[Gain] = []
    for belief, limit in _boundaries(outlook):
        normal, scale = belief.on_scale()
        levels = [float(scale.limits(end, end)[0]) for end in (limit.low, limit.high)]
        parts += [_settled(_Map.of(normal, outlook), level) for level in levels if isfinite(level)]
    parts += [_told_apart(wanted, outlook) for wanted in outlook.classes]
    if not parts:
        raise AlloyloopError(
            "There is no boundary to find: no property has a limit, a class that is wanted, or a target",
            "Give one a limit, or choose another acquisition, such as integrated-variance to learn the whole map.",
        )
    return lambda alloys: np.logaddexp.reduce([part(alloys) for part in parts])


def _boundaries(outlook: Outlook) -> list[tuple[Believed, Within]]:
    found = [(each.belief, each.limit) for each in outlook.limits]
    return found + [(each.belief, each.goal.limit) for each in outlook.sought if isinstance(each.goal, Match)]


def _settled(believed: _Map, level: float) -> Gain:
    """How much doubt about one level a measurement is expected to take away, a mean over the sample."""
    open_ = believed.variance > 0
    off = np.where(open_, (believed.mean - level) / np.sqrt(np.where(open_, believed.variance, 1.0)), np.inf)

    def gain(alloys: Alloys) -> FloatArray:
        share = _ratio(believed.explained(alloys), believed.variance[:, None])
        return np.asarray(log_doubt_settled(off[open_, None], share[open_]) - np.log(len(off)))

    return gain


def log_doubt_settled(off: FloatArray, share: FloatArray) -> FloatArray:
    """Log of the expected fall of p (1 - p), summed over normal beliefs of which p is the probability to be above 0.

    Parameters
    ----------
    off : (m, 1) mean over standard deviation of each belief
    share : (m, n) of its variance that each of n measurements explains, 0 to 1

    Returns
    -------
    (n,) logarithms

    Notes
    -----
    p' after the measurement has E[p'²] = Φ₂(h, h; share), and p = Φ₂(h, h; 0)^½, so that the fall is the integral of
    the bivariate density up to the share [Plackett, Biometrika 41 (1954) 351]; taken over the arc sine of the
    correlation by Gauss and Legendre, as Drezner and Wesolowsky do, J. Stat. Comput. Simul. 35 (1990) 101.

    Examples
    --------
    A measurement that settles everything takes away all doubt, p (1 - p) = ¼ and 0.16 × 0.84:

    >>> np.exp(log_doubt_settled(np.array([[0.0]]), np.ones((1, 1)))).round(4)
    array([0.25])
    >>> np.exp(log_doubt_settled(np.array([[1.0]]), np.array([[1.0, 0.5, 0.0]]))).round(4)
    array([0.1335, 0.0373, 0.    ])
    """
    with np.errstate(divide="ignore"):
        width = np.arcsin(np.clip(share, 0.0, 1.0))
        top = -(off**2) / (1 + np.sin(width))
        most = np.where(width > 0, top, -np.inf).max(axis=0, initial=-np.inf)
        shift = np.where(np.isfinite(most), most, 0.0)
        total = np.zeros(share.shape[1])
        for node, weight in zip(*np.polynomial.legendre.leggauss(_N_NODES), strict=True):
            fall = width * np.exp(-(off**2) / (1 + np.sin(width * (1 + node) / 2)) - shift)
            total += weight / 2 * fall.sum(axis=0)
        return np.asarray(np.log(total / (2 * np.pi)) + shift)


def _told_apart(wanted: ClassWanted, outlook: Outlook) -> Gain:
    """How much doubt about a class a measurement takes away, a mean over the sample.

    It tells of alloys that are no further from it than those of the sample usually are from the nearest known one.
    """
    from scipy.spatial.distance import cdist

    features = wanted.belief.features
    reference = outlook.reference.rows(outlook.known(outlook.reference))
    spread = np.nan_to_num(features.encode(reference)).std(axis=0)
    varied = spread > 0

    def place(alloys: Alloys) -> FloatArray:
        return np.asarray(np.nan_to_num(features.encode(alloys))[:, varied] / spread[varied])

    places, coming = place(reference), place(outlook.to_come)
    reach = float(np.median(cdist(places, place(wanted.belief.evidence.alloys)).min(axis=1))) or 1.0

    def alike(some: FloatArray, others: FloatArray) -> FloatArray:
        return np.asarray(np.exp(-((cdist(some, others) / reach) ** 2)))

    def doubt(alloys: Alloys) -> FloatArray:
        """What is left when the alloys to come have been looked at. (n,)"""
        chance = np.exp(wanted.belief.log_probability(alloys, wanted.label))
        return np.asarray(chance * (1 - chance) * (1 - alike(place(alloys), coming)).prod(axis=1))

    doubts = doubt(reference)

    def gain(alloys: Alloys) -> FloatArray:
        told = doubts @ alike(places, place(alloys)) / len(doubts)
        return _log(4 * doubt(alloys) * told)

    return gain


def _ratio(over: FloatArray, under: FloatArray) -> FloatArray:
    """Their ratio; 0 where there is nothing under it, as where all is known already."""
    over, under = np.broadcast_arrays(over, under)
    return np.divide(over, under, out=np.zeros(over.shape), where=under > 0)


def _log(values: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(values))
