"""What is known, and what is still to come, before the next pick: all that an acquisition is a function of.

The alloys measured, those pending and those already picked for this batch are drawn jointly from the posterior. Given
one draw, the value of the next alloy is normal, so that what it may improve is known in closed form; the mean over
draws is smooth, needs no gradients, and costs one matrix product for thousands of alloys at once. It is the batch noisy
expected improvement of Letham et al., Bayesian Anal. 14 (2019) 495 and Balandat et al., NeurIPS 33 (2020) 21524, with
the last alloy integrated exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.special import ndtr, ndtri

from ..surrogates.base import FloatArray, Prediction
from ..surrogates.scales import Scale
from .classes import ClassBelief
from .features import Alloys
from .goals import Pursued, Within

N_DRAWS = 256
# Measured alloys that have a chance to be the best are few; the others need no draw.
MOST_BASELINE = 48
# Measured alloys less likely than this to keep the limits are drawn only where there is room.
_HARDLY_ALLOWED = 1e-3
# Relative to the largest variance: keeps a baseline with near repeats invertible and changes no draw visibly.
_JITTER = 1e-8


class Seen(Protocol):
    """What is seen of an alloy, as far as it matters whether all of it is known; `features.Features` is one."""

    def known(self, alloys: Alloys) -> NDArray[np.bool_]:
        """(n,) the alloys of which everything is known that is needed."""
        ...


def see_phases(seen: Iterable[Seen]) -> bool:
    """Whether phases have to be computed of an alloy before all of these are known."""
    return any(getattr(each, "calphad", None) is not None for each in seen)


class Believed(Protocol):
    """A belief about a property, or what stands for one; `beliefs.Belief` is one."""

    @property
    def features(self) -> Seen:
        """What is seen of an alloy."""
        ...

    def about(self, alloys: Alloys) -> Prediction:
        """What is believed of the property of each alloy, and of a measurement of it."""
        ...

    def on_scale(self) -> tuple[Believed, Scale]:
        """The normal belief on the scale that the property was modelled on, and that scale."""
        ...

    def log_inside(self, limit: Within, alloys: Alloys) -> FloatArray:
        """Log of the probability that the property of each alloy keeps a limit. (n,)"""
        ...

    def covariance(self, some: Alloys, others: Alloys) -> FloatArray:
        """Posterior covariance of the property between alloys. (n_some, n_others)"""
        ...

    def sample(self, alloys: Alloys, n_samples: int, rng: np.random.Generator) -> FloatArray:
        """Joint draws of the property itself, noise free. (n_samples, n)"""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Sought:
    """A property that is pursued.

    Parameters
    ----------
    name : of the property, with its unit
    goal, belief : what is pursued, and what is believed of it
    scale : a difference that matters, in its unit: its spread over the measured alloys
    weight : its share where several make one number
    reference : what it is to be better than where several are pursued, in its unit; None where that is inferred
    """

    name: str
    goal: Pursued
    belief: Believed
    scale: float = 1.0
    weight: float = 1.0
    reference: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Limited:
    """A property that must stay inside limits.

    Parameters
    ----------
    name : of the property, with its unit
    limit, belief : the limits, and what is believed of it
    weight : power of its probability
    """

    name: str
    limit: Within
    belief: Believed
    weight: float = 1.0

    def log_probability(self, alloys: Alloys) -> FloatArray:
        """Log of the probability that each alloy keeps it, to its power. (n,)"""
        return self.weight * self.belief.log_inside(self.limit, alloys)


@dataclass(frozen=True, slots=True, eq=False)
class ClassWanted:
    """A class that an alloy must be of.

    Parameters
    ----------
    belief : about the property that has classes
    label : of the class
    found : (n_baseline,) 1 where an alloy of the baseline was found to be of it, 0 where of another, NaN where that is
        not known
    weight : power of its probability
    """

    belief: ClassBelief
    label: str
    found: FloatArray
    weight: float = 1.0

    def rows(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> ClassWanted:
        """The same over some of the baseline."""
        return replace(self, found=self.found[chosen])

    def joined_by(self, alloys: Alloys) -> ClassWanted:
        """The same with more alloys in the baseline, of which no class is known."""
        return replace(self, found=np.append(self.found, np.full(len(alloys), np.nan)))

    def chances(self, baseline: Alloys) -> FloatArray:
        """Probabilities (n_baseline,) that alloys of the baseline are of it: as found, or else as believed."""
        chances, open_ = self.found.copy(), np.isnan(self.found)
        if open_.any():
            chances[open_] = np.exp(self.belief.log_probability(baseline.rows(open_), self.label))
        return chances

    def log_probability(self, alloys: Alloys) -> FloatArray:
        """Log of the probability that each alloy is of it, to its power. (n,)"""
        return self.weight * self.belief.log_probability(alloys, self.label)


@dataclass(frozen=True, eq=False)
class Draws:
    """Joint draws of one property at m alloys, and what they say of any other.

    Parameters
    ----------
    belief : about the property
    alloys : the m
    normals : (n_draws, m) standard normals that the draws are made of
    mean : (m,) as believed
    lower : (m, m) Cholesky factor of the covariance
    """

    belief: Believed
    alloys: Alloys
    normals: FloatArray
    mean: FloatArray
    lower: FloatArray

    @staticmethod
    def of(belief: Believed, alloys: Alloys, normals: FloatArray) -> Draws:
        """Draw from standard normals (n_draws, m)."""
        lower = _lower(belief.covariance(alloys, alloys))
        return Draws(belief, alloys, normals, belief.about(alloys).mean, lower)

    def joined_by(self, alloy: Alloys, normals: FloatArray) -> Draws:
        """The same draws at one alloy more; `normals` are (n_draws,)."""
        row = solve_triangular(self.lower, self.belief.covariance(self.alloys, alloy), lower=True)[:, 0]
        own = self.belief.covariance(alloy, alloy)[0, 0]
        left = max(own - float(row @ row), _JITTER * max(float(own), 1e-300))
        lower = np.zeros((len(row) + 1, len(row) + 1))
        lower[:-1, :-1], lower[-1, :-1], lower[-1, -1] = self.lower, row, np.sqrt(left)
        mean = np.append(self.mean, self.belief.about(alloy).mean)
        return Draws(self.belief, self.alloys + alloy, np.column_stack([self.normals, normals]), mean, lower)

    @cached_property
    def values(self) -> FloatArray:
        """(n_draws, m) of the property."""
        return np.asarray(self.mean + self.normals @ self.lower.T)

    def given(self, alloys: Alloys) -> tuple[FloatArray, FloatArray]:
        """Mean (n, n_draws) and standard deviation (n,) of the property at alloys, given each draw."""
        belief = self.belief.about(alloys)
        across = solve_triangular(self.lower, self.belief.covariance(self.alloys, alloys), lower=True)  # (m, n)
        variance = belief.std**2 - (across**2).sum(axis=0)
        return belief.mean[:, None] + across.T @ self.normals.T, np.sqrt(np.maximum(variance, 0.0))


@dataclass(frozen=True, eq=False)
class Outlook:
    """What is known before the next pick; built by `outlook`.

    Parameters
    ----------
    sought : what is pursued, at least one property
    limits, classes : what must hold
    success : that the melt succeeds, where failed ones have taught something of that
    baseline : the measured alloys that one would be content with, at most `MOST_BASELINE`
    to_come : alloys pending, then those picked so far: they will be measured
    reference : a uniform sample of the space: the map that may be learned
    normals : (n_drawn, n_draws, m) standard normals of all that is drawn, the last of them for the next alloy
    mixes : (n_picks, n_sought) how much each pursued goal counts at each pick where no weights say so
    n_picked : how many of `to_come` are picks
    weighted : whether weights make one number of several pursued goals
    explore : between 0 and 1, how much; None where nobody said
    eagerness : factor on the standard deviations that improvement is hoped from: below 1 is greedier
    n_designs : how many there are to choose from; the more, the further the luckiest of them is from what is expected
    """

    sought: tuple[Sought, ...]
    limits: tuple[Limited, ...]
    classes: tuple[ClassWanted, ...]
    success: ClassWanted | None
    baseline: Alloys
    to_come: Alloys
    reference: Alloys
    normals: FloatArray
    mixes: FloatArray
    n_picked: int = 0
    weighted: bool = False
    explore: float | None = None
    eagerness: float = 1.0
    n_designs: int = 1
    _draws: dict[int, Draws] = field(default_factory=dict, repr=False)  # as far as they have been asked for

    @property
    def is_by_one(self) -> bool:
        """Whether one number says which alloy is better: that of one goal, or of several that are weighed."""
        return len(self.sought) == 1 or self.weighted

    @property
    def known_so_far(self) -> Alloys:
        """The baseline, then what is to come: m alloys."""
        return self.baseline + self.to_come

    def known(self, alloys: Alloys) -> NDArray[np.bool_]:
        """(n,) the alloys of which everything can be predicted."""
        known = np.ones(len(alloys), dtype=bool)
        for seen in self.seen:
            known &= seen.known(alloys)
        return known

    @property
    def seen(self) -> tuple[Seen, ...]:
        """What its beliefs see of an alloy."""
        numbers = (*(each.belief for each in self.sought), *(each.belief for each in self.limits))
        return (*(belief.features for belief in numbers), *(each.belief.features for each in self.classes_asked))

    @property
    def classes_asked(self) -> tuple[ClassWanted, ...]:
        """The classes that are wanted, and that the melt succeeds."""
        return self.classes if self.success is None else (*self.classes, self.success)

    def with_pick(self, alloy: Alloys) -> Outlook:
        """What it becomes once one alloy (a single row) has been picked."""
        m = len(self.baseline) + len(self.to_come)
        joined = {k: drawn.joined_by(alloy, self.normals[k, :, m]) for k, drawn in self._draws.items()}
        return replace(
            self,
            classes=tuple(each.joined_by(alloy) for each in self.classes),
            success=None if self.success is None else self.success.joined_by(alloy),
            to_come=self.to_come + alloy,
            n_picked=self.n_picked + 1,
            _draws=joined,
        )

    def _drawn(self, k: int, belief: Believed) -> Draws:
        if k not in self._draws:
            known = self.known_so_far
            self._draws[k] = Draws.of(belief, known, self.normals[k, :, : len(known)])
        return self._draws[k]

    def draws(self, k: int) -> Draws:
        """Joint draws of the k-th pursued property at `known_so_far`."""
        return self._drawn(k, self.sought[k].belief)

    def next_normals(self, k: int) -> FloatArray:
        """(n_draws,) of the k-th pursued property, for the next alloy: the same whichever it is."""
        return np.asarray(self.normals[k, :, -1])

    @cached_property
    def allowed(self) -> NDArray[np.bool_]:
        """(n_draws, m) in which draws which of `known_so_far` keep limits and classes."""
        known = self.known_so_far
        allowed = np.ones((self.normals.shape[1], len(known)), dtype=bool)
        for k, limited in enumerate(self.limits, start=len(self.sought)):
            normal, scale = limited.belief.on_scale()
            limit = limited.limit.on(scale)
            drawn = self._drawn(k, limited.belief if limit is None else normal)
            allowed &= (limit or limited.limit).allows(drawn.values)
        for k, wanted in enumerate(self.classes_asked, start=len(self.sought) + len(self.limits)):
            allowed &= ndtr(self.normals[k, :, : len(known)]) < wanted.chances(known)
        return allowed

    def log_allowed(self, alloys: Alloys) -> FloatArray:
        """Log of the probability that limits and classes hold and the melt succeeds, with their powers. (n,)"""
        value = self.log_success(alloys)
        for limited in self.limits:
            value = value + limited.log_probability(alloys)
        for wanted in self.classes:
            value = value + wanted.log_probability(alloys)
        return value

    def log_success(self, alloys: Alloys) -> FloatArray:
        """Log of the probability that the melt succeeds. (n,)"""
        return np.zeros(len(alloys)) if self.success is None else self.success.log_probability(alloys)


def outlook(
    sought: Sequence[Sought],
    baseline: Alloys,
    pending: Alloys,
    reference: Alloys,
    n_picks: int,
    rng: np.random.Generator,
    *,
    limits: Sequence[Limited] = (),
    classes: Sequence[ClassWanted] = (),
    success: ClassWanted | None = None,
    weighted: bool = False,
    explore: float | None = None,
    eagerness: float = 1.0,
    n_designs: int | None = None,
    n_draws: int = N_DRAWS,
) -> Outlook:
    """What is known before the first pick of a batch.

    Parameters
    ----------
    sought : what is pursued, at least one property
    baseline : the measured alloys that one would be content with: in the space and its rules, at least one
    pending : alloys proposed or made and not yet measured; they count as known to come
    reference : a uniform sample of the space; alloys of which something cannot be predicted are left out of it
    n_picks : how many alloys the batch will have
    rng : for the draws
    limits, classes, success, weighted, explore, eagerness : see `Outlook`; classes are over the whole baseline
    n_designs : how many there are to choose from; those of `reference` where that is not said
    n_draws : of the known alloys, a power of 2
    """
    from scipy.stats import qmc  # a third of a second to import

    asked = tuple(classes) if success is None else (*classes, success)
    kept = _hopeful(sought, limits, asked, baseline)
    known = baseline.rows(kept)
    n_drawn = len(sought) + len(limits) + len(asked)
    n_columns = len(known) + len(pending) + n_picks + 1
    uniform = np.clip(qmc.Sobol(n_columns * n_drawn, rng=rng).random(n_draws), 1e-12, 1 - 1e-12)
    seen = Outlook(
        tuple(sought),
        tuple(limits),
        tuple(each.rows(kept).joined_by(pending) for each in classes),
        None if success is None else success.rows(kept).joined_by(pending),
        known,
        pending,
        reference,
        ndtri(uniform).reshape(n_draws, n_drawn, -1).swapaxes(0, 1),
        rng.dirichlet(np.ones(len(sought)), size=n_picks + 1),
        weighted=weighted,
        explore=explore,
        eagerness=eagerness,
        n_designs=len(reference) if n_designs is None else n_designs,
    )
    return replace(seen, reference=reference.rows(seen.known(reference)))


def _hopeful(
    sought: Sequence[Sought], limits: Sequence[Limited], classes: Sequence[ClassWanted], baseline: Alloys
) -> NDArray[np.intp]:
    """Which of the baseline may be the best of something: those that may be allowed first, then the most promising."""
    if len(baseline) <= MOST_BASELINE:
        return np.arange(len(baseline))
    places = []
    for each in sought:
        belief = each.belief.about(baseline)
        hope = each.goal.objective(belief.mean) + belief.std
        places.append(np.argsort(np.argsort(-hope, kind="stable"), kind="stable"))
    place = np.min(places, axis=0)
    log_allowed = np.zeros(len(baseline))
    for limited in limits:
        log_allowed += limited.log_probability(baseline)
    with np.errstate(divide="ignore"):
        for wanted in classes:
            log_allowed += np.log(wanted.chances(baseline))
    place = place + len(baseline) * (log_allowed < np.log(_HARDLY_ALLOWED))
    return np.sort(np.argsort(place, kind="stable")[:MOST_BASELINE])


def covariance_to_come(belief: Believed, some: Alloys, others: Alloys, to_come: Alloys) -> FloatArray:
    """Covariance of a property between alloys once those to come have been measured. (n_some, n_others)

    A measurement teaches as much whatever it says, where the belief is normal: its noise is counted.
    """
    prior = belief.covariance(some, others)
    if len(to_come) == 0:
        return prior
    left, right = (told(belief, alloys, to_come) for alloys in (some, others))
    return np.asarray(prior - left.T @ right)


def variance_to_come(belief: Believed, alloys: Alloys, to_come: Alloys) -> FloatArray:
    """Variance of a property at each alloy once those to come have been measured, with their noise. (n,)"""
    variance = belief.about(alloys).std ** 2
    if len(to_come):
        variance = variance - (told(belief, alloys, to_come) ** 2).sum(axis=0)
    return np.maximum(variance, 0.0)


def told(belief: Believed, alloys: Alloys, to_come: Alloys) -> FloatArray:
    """What each measurement to come tells of alloys beside those before it, in its own deviation. (n_to_come, n)"""
    lower = _lower(belief.covariance(to_come, to_come), belief.about(to_come).noise ** 2)
    return np.asarray(solve_triangular(lower, belief.covariance(to_come, alloys), lower=True))


def _lower(covariance: FloatArray, noise: FloatArray | float = 0.0) -> FloatArray:
    """Cholesky factor (m, m) of a covariance with the variances of noise (m,) added."""
    jitter = _JITTER * max(float(np.diag(covariance).max(initial=0.0)), 1e-300)
    added = np.full(len(covariance), jitter) + noise
    return np.asarray(np.linalg.cholesky(covariance + np.diag(added)), dtype=np.float64)
