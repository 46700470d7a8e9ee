"""Beliefs about what is really made: who aims at one alloy gets one near it, and is judged by what that may be.

Where a property is flat the scatter of what is made is no matter; on the edge of a phase field it is all that matters.
The beliefs here are those about the property of what comes out, over a fixed set of scatters that is the same for every
alloy: so they are smooth, and the same every time.

One thing is simplified: what is not known of an alloy is taken to be common to all that may be made of it, since that
lies so near together. Then means, limits, classes and shares are asked of what may be made, one by one, and how much is
not known, of the aim alone. With a scatter of a tenth of a Gaussian process's lengthscale, the standard deviation is
5 % above the exact one of the mean.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from ..surrogates.base import FloatArray, Prediction
from ..surrogates.scales import Normal, Scale
from .classes import LEAST_PROBABILITY, ClassBelief
from .features import Alloys
from .goals import Match, Maximize, Minimize, Pursued, Within
from .scatter import Scatter, scatters

if TYPE_CHECKING:
    from .outlook import Believed, Seen

# Pairs of opposite scatters: at least these, and as many as elements scatter, which is exact for a curved property.
# With eight the share of what is made that lies beyond an edge is right to 0.12 at worst in a usual direction, with 16
# to 0.08.
N_PAIRS = 8
# What a share of them reaches needs more than their mean.
N_PAIRS_OF_A_SHARE = 16
_NEVER = -1e300  # log of a probability of 0: between it and another a quantile is a number


@dataclass(frozen=True, slots=True, eq=False)
class _Melts:
    """What may be made of n alloys.

    Parameters
    ----------
    rows : of the first alloy, then of the second, and so on
    n_each : rows of each alloy
    """

    rows: Alloys
    n_each: int

    @staticmethod
    def of(alloys: Alloys, scatter: Scatter, share: float | None = None) -> _Melts:
        """As many as a mean over them needs, or what a share of them reaches."""
        n = scatter.n_scattering
        normals = scatters(n, max(n, N_PAIRS if share is None else N_PAIRS_OF_A_SHARE))
        return _Melts(scatter.made(alloys, normals), len(normals))

    def by_alloy(self, values: FloatArray) -> FloatArray:
        """Values of rows (n_rows, ...) by alloy. (n, n_each, ...)"""
        return values.reshape(-1, self.n_each, *values.shape[1:])

    def average(self, values: FloatArray) -> FloatArray:
        """Mean over what may be made, from values of rows (n_rows, ...). (n, ...)"""
        return np.asarray(self.by_alloy(values).mean(axis=1))

    def log_average(self, logs: FloatArray) -> FloatArray:
        """Log of the mean over what may be made, from logs of rows (n_rows,). (n,)"""
        return np.asarray(logsumexp(self.by_alloy(logs), axis=1) - np.log(self.n_each))

    def variance(self, values: FloatArray) -> FloatArray:
        """Variance over what may be made, from values of rows (n_rows,). (n,)"""
        return np.asarray(self.by_alloy(values).var(axis=1))

    def reached(self, values: FloatArray, share: float) -> FloatArray:
        """What a share of what may be made reaches or passes, from values of rows (n_rows,). (n,)"""
        # Of few values the lowest is no quantile 0: each stands for the middle of its part (Hazen).
        return np.asarray(np.quantile(self.by_alloy(values), 1 - share, axis=1, method="hazen"))


def _aimed(alloys: Alloys, scatter: Scatter) -> Alloys:
    """What alloys become on average: with losses, and without a scatter."""
    return scatter.made(alloys, np.zeros((1, scatter.n_scattering))) if scatter.is_shifted else alloys


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A belief about what comes out where alloys are aimed at, those that were made before too: they are made again.

    Its mean is that over what may be made, or with `share` and a goal of one direction what so large a share of it
    reaches at least: the value that nine of ten of what is made are as good as, say. A limit is kept with the mean of
    the probabilities with which what is made keeps it, and not with that of a mean; with `share`, with the probability
    that so large a share keeps it.

    Parameters
    ----------
    belief : about a property of alloys that are exactly known
    scatter : of what is made
    share : of what is made, that is to be as good; None for the expectation
    goal : of the property, by which it is known what is good; None where it has limits alone. What is to match a target
        is taken by its mean

    Examples
    --------
    A density is computed, and that of what is made scatters:

    >>> from .computed import computed
    >>> from .scatter import Off
    >>> aimed = Alloys(("Nb", "Ti"), np.array([[0.25, 0.75]]), {})
    >>> made = Made(computed("vec"), Scatter("at_pct", "Ti", {"Nb": Off(2.0)}))
    >>> told = made.about(aimed)  # an atom of Nb has one valence electron more than one of Ti
    >>> told.mean.round(4), told.std, told.noise.round(4)
    (array([4.25]), array([0.]), array([0.02]))

    Notes
    -----
    `noise` of a prediction is that of one measurement of one melt: its composition scatters too.
    """

    belief: Believed
    scatter: Scatter
    share: float | None = None
    goal: Pursued | None = None

    @property
    def features(self) -> Seen:
        """What is seen of an alloy; what is made of it holds the same elements."""
        return self.belief.features

    def on_scale(self) -> tuple[Made, Scale]:
        """The same about the normal belief on the scale that the property was modelled on, and that scale."""
        inner, scale = self.belief.on_scale()
        return replace(self, belief=inner), scale

    def about(self, alloys: Alloys) -> Prediction:
        """What is believed of the property of what is made, and of a measurement of it."""
        melts = _Melts.of(alloys, self.scatter, self.share)
        told, std = self.belief.about(melts.rows), self.belief.about(_aimed(alloys, self.scatter)).std
        # All that varies over what may be made, less the doubt common to all of it: so melts differ.
        among = melts.average(told.std**2) + melts.variance(told.mean) - std**2
        noise = np.sqrt(melts.average(told.noise**2) + np.maximum(among, 0.0))
        behind = told.behind
        if behind is not None:
            variance = melts.average(behind.std**2) + melts.variance(behind.mean)
            behind = Normal(behind.scale, melts.average(behind.mean), np.sqrt(variance))
        return Prediction(self._of_the_share(melts, told.mean), std, noise, behind)

    def _of_the_share(self, melts: _Melts, means: FloatArray) -> FloatArray:
        """The mean over what may be made, or what the share reaches. (n,)"""
        if self.share is None or self.goal is None or isinstance(self.goal, Match):
            return melts.average(means)
        return self.goal.sign * melts.reached(self.goal.sign * means, self.share)

    def log_inside(self, limit: Within, alloys: Alloys) -> FloatArray:
        """Log of the probability that what is made keeps a limit, or that the share of it does. (n,)"""
        melts = _Melts.of(alloys, self.scatter, self.share)
        inside = self.belief.log_inside(limit, melts.rows)
        if self.share is None:
            return melts.log_average(inside)
        # With a doubt common to all, what is likelier inside is so wherever what is less likely is: then the share is
        # inside with the probability that it reaches.
        return melts.reached(np.maximum(inside, _NEVER), self.share)

    def log_measured_inside(self, limit: Within, alloys: Alloys) -> FloatArray:
        """Log of the probability that a measurement of what is made lies inside limits. (n,)

        By the mean over what may be made: that of `about` is normal, and what is made on an edge is not.
        """
        melts = _Melts.of(alloys, self.scatter)
        inside = self.belief.about(melts.rows).log_probability(limit.low, limit.high)
        return melts.log_average(inside)

    def covariance(self, some: Alloys, others: Alloys) -> FloatArray:
        """Posterior covariance of the property between what is made of alloys. (n_some, n_others)"""
        left = _aimed(some, self.scatter)
        return self.belief.covariance(left, left if some is others else _aimed(others, self.scatter))

    def sample(self, alloys: Alloys, n_samples: int, rng: np.random.Generator) -> FloatArray:
        """Joint draws of the property of what is made. (n_samples, n)"""
        aimed = _aimed(alloys, self.scatter)
        return self.belief.sample(aimed, n_samples, rng) + self.about(alloys).mean - self.belief.about(aimed).mean


@dataclass(frozen=True, slots=True, eq=False)
class MadeClasses(ClassBelief):
    """A belief of which class comes out where alloys are aimed at; built by `MadeClasses.of`.

    Parameters
    ----------
    scatter : of what is made
    share : of what is made, that is to be of a class; None for the expectation
    """

    scatter: Scatter
    share: float | None

    @staticmethod
    def of(belief: ClassBelief, scatter: Scatter, share: float | None = None) -> MadeClasses:
        """The same belief, asked about what is made."""
        return MadeClasses(belief.evidence, belief.labels, belief.features, belief.classifier, scatter, share)

    def about(self, alloys: Alloys) -> FloatArray:
        """Probabilities of the classes of what is made of each alloy. (n, k)"""
        melts = _Melts.of(alloys, self.scatter)
        return melts.average(ClassBelief.about(self, melts.rows))

    def log_probability(self, alloys: Alloys, label: str) -> FloatArray:
        """Log of the probability that what is made is of a class, or that the share of it is. (n,)"""
        if self.share is None:
            return ClassBelief.log_probability(self, alloys, label)
        melts = _Melts.of(alloys, self.scatter, self.share)
        chances = ClassBelief.about(self, melts.rows)[:, self.labels.index(label)]
        return np.log(np.maximum(melts.reached(chances, self.share), LEAST_PROBABILITY))


def side(limit: Within) -> Pursued | None:
    """The goal that goes with a limit of one side, away from it; None where it has two."""
    if limit.low == -np.inf:
        return Minimize()
    return Maximize() if limit.high == np.inf else None
