"""One number to be maximised: of one pursued goal, or of several, weighed or mixed anew for every pick."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

import numpy as np

from ..surrogates.base import FloatArray
from ..surrogates.scales import LINEAR
from .features import Alloys
from .goals import Match
from .improvement import log_expected_approach, log_expected_improvement
from .outlook import Outlook, Sought
from .weighing import spread, weighed

# Of the augmented Chebyshev mixture: how much the sum counts beside the worst, so that no design is only weakly best.
_AUGMENTED = 0.05
# An improvement smaller than this share of a property's spread is smoothed: designs that improve in no draw still rank.
_SMOOTH = 1e-3


@dataclass(frozen=True, eq=False)
class Utility:
    """One number of each alloy, larger is better; its moments are those of its draws, where nothing better is known.

    Parameters
    ----------
    outlook : what is known before the pick

    Attributes
    ----------
    linear : whether the number is normal where the properties are; then `about` is exact and there is a `covariance`
    """

    outlook: Outlook
    linear: ClassVar[bool] = False

    def _of(self, values: list[FloatArray]) -> FloatArray:
        """The number, from values of each pursued property."""
        raise NotImplementedError

    @cached_property
    def best(self) -> FloatArray:
        """(n_draws,) of the best allowed alloy known so far, in each draw.

        Where a draw has no alloy that keeps the limits, anything that does is a gain over the worst there is.
        """
        allowed = self.outlook.allowed
        values = self._of([self.outlook.draws(k).values for k in range(len(self.outlook.sought))])
        best = np.where(allowed, values, -np.inf).max(axis=1)
        return np.asarray(np.where(allowed.any(axis=1), best, values.min(axis=1)))

    def drawn(self, alloys: Alloys) -> FloatArray:
        """One value in each draw, the alloy itself drawn too. (n, n_draws)"""
        parts = [self.outlook.draws(k).given(alloys) for k in range(len(self.outlook.sought))]
        return self._of([mean + std[:, None] * self.outlook.next_normals(k) for k, (mean, std) in enumerate(parts)])

    def about(self, alloys: Alloys) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation. (n,) each"""
        drawn = self.drawn(alloys)
        return drawn.mean(axis=1), drawn.std(axis=1)

    def log_improvement(self, alloys: Alloys) -> FloatArray:
        """Log of the expected improvement on the best known so far. (n,)"""
        raise NotImplementedError


def utility(outlook: Outlook) -> Utility:
    """The one number that an outlook is judged by.

    Of one pursued goal, its objective. Of several, the weighted sum where there are weights; else a mixture of them
    that is drawn anew for every pick, so that a batch spreads over the front (ParEGO).
    """
    linear = not any(isinstance(each.goal, Match) for each in outlook.sought)
    if linear and outlook.is_by_one:
        return Linear(outlook)
    return Matched(outlook) if len(outlook.sought) == 1 else Mixed(outlook)


def as_modelled(outlook: Outlook) -> Outlook:
    """The same with its one property on the scale that it was modelled on, where the belief is normal.

    That is only where nothing is pursued but the lowest or the highest of one property: on a rising scale the best
    stays the best.
    """
    (each, *others) = outlook.sought
    belief, scale = each.belief.on_scale()
    if others or isinstance(each.goal, Match) or scale == LINEAR:
        return outlook
    matters = spread(belief.about(outlook.baseline).mean)
    return replace(outlook, sought=(replace(each, belief=belief, scale=matters, reference=None),), _draws={})


@dataclass(frozen=True, eq=False)
class Linear(Utility):
    """A sum of properties, each minimised or maximised: normal where they are; or one property alone, in its own unit.

    Properties are believed independently of each other.
    """

    linear: ClassVar[bool] = True

    @cached_property
    def _shares(self) -> list[float]:
        """What each property counts, with its sign."""
        if len(self.outlook.sought) == 1:
            return [_sign(each) for each in self.outlook.sought]
        return [_sign(each) * each.weight / each.scale for each in self.outlook.sought]

    def _of(self, values: list[FloatArray]) -> FloatArray:
        return np.asarray(sum(c * of for c, of in zip(self._shares, values, strict=True)))

    def given(self, alloys: Alloys) -> tuple[FloatArray, FloatArray]:
        """Mean (n, n_draws) and standard deviation (n,) given each draw of what is known so far."""
        parts = [self.outlook.draws(k).given(alloys) for k in range(len(self._shares))]
        mean = sum(c * mean for c, (mean, _) in zip(self._shares, parts, strict=True))
        variance = sum(c**2 * std**2 for c, (_, std) in zip(self._shares, parts, strict=True))
        return np.asarray(mean), np.sqrt(np.asarray(variance))

    def about(self, alloys: Alloys) -> tuple[FloatArray, FloatArray]:
        """See `Utility`."""
        beliefs = [each.belief.about(alloys) for each in self.outlook.sought]
        mean = sum(c * belief.mean for c, belief in zip(self._shares, beliefs, strict=True))
        variance = sum(c**2 * belief.std**2 for c, belief in zip(self._shares, beliefs, strict=True))
        return np.asarray(mean), np.sqrt(np.asarray(variance))

    def noise(self, alloys: Alloys) -> FloatArray:
        """Standard deviation of one measurement of it. (n,)"""
        beliefs = [each.belief.about(alloys) for each in self.outlook.sought]
        return np.asarray(np.sqrt(sum(c**2 * b.noise**2 for c, b in zip(self._shares, beliefs, strict=True))))

    def covariance(self, some: Alloys, others: Alloys) -> FloatArray:
        """Posterior covariance of it between alloys. (n_some, n_others)"""
        pairs = zip(self._shares, self.outlook.sought, strict=True)
        return np.asarray(sum(c**2 * each.belief.covariance(some, others) for c, each in pairs))

    def log_improvement(self, alloys: Alloys) -> FloatArray:
        """See `Utility`: in closed form given each draw."""
        mean, std = self.given(alloys)
        hoped = self.outlook.eagerness * std
        return log_mean(log_expected_improvement(mean, hoped[:, None], self.best[None, :]))


def _sign(each: Sought) -> float:
    assert not isinstance(each.goal, Match)  # `utility` asks
    return each.goal.sign


@dataclass(frozen=True, eq=False)
class Matched(Utility):
    """How near one property is to its target, in its unit: 0 on target, less elsewhere."""

    def _of(self, values: list[FloatArray]) -> FloatArray:
        return np.asarray(self.outlook.sought[0].goal.objective(values[0]))

    def log_improvement(self, alloys: Alloys) -> FloatArray:
        """See `Utility`: in closed form given each draw."""
        mean, std = self.outlook.draws(0).given(alloys)
        goal = self.outlook.sought[0].goal
        assert isinstance(goal, Match)
        hoped = self.outlook.eagerness * std
        return log_mean(log_expected_approach(mean - goal.target, hoped[:, None], -self.best[None, :]))


@dataclass(frozen=True, eq=False)
class Mixed(Utility):
    """Several goals as one number, in units of their spreads: weighed, or the worst of them in a mixture of this pick.

    References
    ----------
    Knowles, IEEE Trans. Evol. Comput. 10 (2006) 50: the augmented Chebyshev function of randomly drawn weights.
    """

    @cached_property
    def _ideals(self) -> FloatArray:
        """(n_sought,) the best that is believed of any known alloy."""
        known, sought = self.outlook.known_so_far, self.outlook.sought
        return np.array([each.goal.objective(each.belief.about(known).mean).max() for each in sought])

    def _of(self, values: list[FloatArray]) -> FloatArray:
        sought = self.outlook.sought
        objectives = np.stack([each.goal.objective(v) for each, v in zip(sought, values, strict=True)], axis=-1)
        spreads = np.array([each.scale for each in sought])
        if self.outlook.weighted:
            return weighed(objectives, np.array([each.weight for each in sought]), spreads)
        mix = self.outlook.mixes[min(self.outlook.n_picked, len(self.outlook.mixes) - 1)]
        short = mix * (objectives - self._ideals) / spreads
        return np.asarray(short.min(axis=-1) + _AUGMENTED * short.sum(axis=-1))

    def log_improvement(self, alloys: Alloys) -> FloatArray:
        """See `Utility`: over draws of the alloy itself, smoothed."""
        ahead = (self.drawn(alloys) - self.best[None, :]) / _SMOOTH
        smooth = np.logaddexp(0.0, ahead)  # softplus: where it is far below, its log goes on falling in a line
        with np.errstate(divide="ignore"):
            return np.asarray(log_mean(np.where(ahead > -30.0, np.log(smooth), ahead)) + np.log(_SMOOTH))


def log_mean(logs: FloatArray) -> FloatArray:
    """Log of the mean over draws. (n, n_draws) -> (n,)"""
    top = np.maximum(logs.max(axis=1), -1e300)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(logs - top[:, None]).mean(axis=1)) + top)
