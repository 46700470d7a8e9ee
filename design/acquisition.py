"""What a further melt is worth: noisy expected improvement in closed form, given joint draws of what is known so far.

The alloys measured, those pending and those already picked for this batch (the *baseline*) are drawn jointly from the
posterior. Given one draw, the value of the next alloy is normal and its expected improvement over the best of the
baseline is known in closed form; the mean over draws is smooth, needs no gradients, and costs one matrix product for
thousands of alloys at once. It is the batch noisy expected improvement of Letham et al., Bayesian Anal. 14 (2019) 495
and Balandat et al., NeurIPS 33 (2020) 21524, with the last alloy integrated exactly; logarithms after Ament et al.,
NeurIPS 36 (2023) 20577.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import erfcx, logsumexp, ndtr, ndtri
from scipy.stats import qmc

from ..surrogates.base import FloatArray
from .beliefs import Belief
from .classes import ClassBelief
from .features import Alloys
from .goals import Pursued, Within

N_DRAWS = 256
# Measured alloys that have a chance to be the best are few; the others need no draw.
MOST_BASELINE = 48
# Relative to the largest variance: keeps a baseline with near repeats invertible and changes no draw visibly.
_JITTER = 1e-8


def log_expected_improvement(mean: FloatArray, std: FloatArray, best: FloatArray) -> FloatArray:
    """Log of E[max(0, Y - best)] for normal Y, exact far below the best. Arguments broadcast.

    References
    ----------
    Jones et al., J. Global Optim. 13 (1998) 455, eq. 15; its logarithm through the scaled complementary error function.

    Examples
    --------
    >>> log_expected_improvement(np.array([0.0, -40.0]), np.array([1.0, 1.0]), np.array([0.0, 0.0])).round(3)
    array([  -0.919, -808.299])
    """
    std = np.maximum(std, 1e-100)  # a value that is known; neither u nor its square overflows
    u = (mean - best) / std
    near, far = np.maximum(u, -1.0), np.clip(u, -1e150, -1.0)
    log_near = np.log(np.exp(-0.5 * near**2) / np.sqrt(2 * np.pi) + near * ndtr(near))
    # phi(u) + u Phi(u) = phi(u) (1 + u m(u)) with the Mills ratio m; below -1e4 the bracket is 1 / u² to all digits.
    bracket = np.where(far > -1e4, 1 + far * np.sqrt(np.pi / 2) * erfcx(-far / np.sqrt(2)), far**-2.0)
    log_far = -0.5 * far**2 - 0.5 * np.log(2 * np.pi) + np.log(bracket)
    return np.asarray(np.where(u > -1, log_near, log_far) + np.log(std))


@dataclass(frozen=True, slots=True, eq=False)
class _Draws:
    """Joint draws of one property at the baseline, and what they say of any other alloy."""

    belief: Belief
    baseline: Alloys
    values: FloatArray  # (n_draws, n_baseline)
    mean: FloatArray  # (n_baseline,)
    factor: tuple[FloatArray, bool]  # Cholesky factor of the baseline's covariance

    @staticmethod
    def of(belief: Belief, baseline: Alloys, normals: FloatArray) -> _Draws:
        """Draw from (n_draws, n_baseline) standard normals."""
        mean = belief.about(baseline).mean
        covariance = belief.covariance(baseline, baseline)
        covariance = covariance + _JITTER * max(float(np.diag(covariance).max()), 1e-300) * np.eye(len(mean))
        lower, _ = cho_factor(covariance, lower=True)
        return _Draws(belief, baseline, mean + normals @ np.tril(lower).T, mean, (lower, True))

    def given(self, alloys: Alloys) -> tuple[FloatArray, FloatArray]:
        """Mean (n, n_draws) and std (n,) of the property at alloys, given each draw of the baseline."""
        belief = self.belief.about(alloys)
        cross = self.belief.covariance(alloys, self.baseline)
        weights = cho_solve(self.factor, cross.T).T  # (n, n_baseline)
        variance = belief.std**2 - (weights * cross).sum(axis=1)
        return belief.mean[:, None] + weights @ (self.values - self.mean).T, np.sqrt(np.maximum(variance, 0.0))


@dataclass(frozen=True, slots=True, eq=False)
class ClassWanted:
    """A class that an alloy must be of.

    Parameters
    ----------
    belief : about the property that has classes
    label : of the class
    found : (n_baseline,) 1 where an alloy of the baseline was found to be of it, 0 where of another, NaN where that is
        not known
    """

    belief: ClassBelief
    label: str
    found: FloatArray

    def joined_by(self, alloys: Alloys) -> ClassWanted:
        """The same with more alloys in the baseline, of which no class is known."""
        return replace(self, found=np.append(self.found, np.full(len(alloys), np.nan)))

    def chances(self, baseline: Alloys) -> FloatArray:
        """Probabilities (n_baseline,) that alloys of the baseline are of it: as found, or else as believed."""
        chances, open_ = self.found.copy(), np.isnan(self.found)
        if open_.any():
            chances[open_] = np.exp(self.log_probability(baseline.rows(open_)))
        return chances

    def log_probability(self, alloys: Alloys) -> FloatArray:
        """Log of the probability that each alloy is of it. (n,)"""
        return self.belief.log_probability(alloys, self.label)


@dataclass(frozen=True, slots=True, eq=False)
class Acquisition:
    """Log noisy expected improvement of one more alloy, times the probability that its limits hold.

    Built by `acquisition`; `value` asks it of many alloys, `with_pick` says what it becomes once one is to be made.
    """

    sign: float
    objective: _Draws
    constraints: tuple[tuple[_Draws, Within], ...]
    normals: FloatArray  # (1 + n_limits, n_draws, n) standard normals, of which the baseline has used the first
    best: FloatArray  # (n_draws,) best of the baseline in each draw, larger is better
    classes: tuple[ClassWanted, ...] = ()

    def value(self, alloys: Alloys) -> FloatArray:
        """Log of the expected improvement over the baseline, where limits hold; NaN without a feature. (n,)"""
        known = np.ones(len(alloys), dtype=bool)
        numbers = (self.objective, *(draws for draws, _ in self.constraints))
        for features in (
            *(draws.belief.features for draws in numbers),
            *(wanted.belief.features for wanted in self.classes),
        ):
            known &= features.known(alloys)
        value = np.full(len(alloys), np.nan)
        if known.any():
            value[known] = self._value(alloys.rows(known))
        return value

    def _value(self, alloys: Alloys) -> FloatArray:
        mean, std = self.objective.given(alloys)
        improvement = log_expected_improvement(self.sign * mean, std[:, None], self.best[None, :])
        value = logsumexp(improvement, axis=1) - np.log(len(self.best))
        for draws, limit in self.constraints:
            belief = draws.belief.about(alloys)
            value = value + limit.log_probability(belief.mean, belief.std)
        for wanted in self.classes:
            value = value + wanted.log_probability(alloys)
        return np.asarray(value)

    def with_pick(self, alloy: Alloys) -> Acquisition:
        """The acquisition after one alloy (a single row) has been picked: it joins the baseline."""
        return _acquisition(
            self.sign,
            self.objective.belief,
            tuple((draws.belief, limit) for draws, limit in self.constraints),
            self.objective.baseline + alloy,
            self.normals,
            tuple(wanted.joined_by(alloy) for wanted in self.classes),
        )


def acquisition(
    goal: Pursued,
    belief: Belief,
    constraints: tuple[tuple[Belief, Within], ...],
    baseline: Alloys,
    pending: Alloys,
    n_picks: int,
    rng: np.random.Generator,
    classes: tuple[ClassWanted, ...] = (),
) -> Acquisition:
    """The acquisition of the first alloy of a batch.

    Parameters
    ----------
    goal, belief : what is pursued, and what is believed of that property
    constraints : beliefs about the properties that have limits, with those limits
    baseline : the measured alloys that one would be content with: in the space and its rules
    pending : alloys proposed or made and not yet measured; they count as known to come
    n_picks : how many alloys the batch will have
    rng : for the draws
    classes : that alloys must be of
    """
    hopes = belief.about(baseline)
    optimism = goal.sign * hopes.mean + hopes.std
    kept = np.sort(np.argsort(-optimism, kind="stable")[:MOST_BASELINE])
    alloys = baseline.rows(kept) + pending
    n_drawn = 1 + len(constraints) + len(classes)
    sobol = qmc.Sobol((len(alloys) + n_picks) * n_drawn, rng=rng)
    uniform = np.clip(sobol.random(N_DRAWS), 1e-12, 1 - 1e-12)
    normals = ndtri(uniform).reshape(N_DRAWS, n_drawn, -1).swapaxes(0, 1)
    pairs = tuple(_on_scale(*pair) for pair in constraints)
    wanted = tuple(replace(each, found=each.found[kept]).joined_by(pending) for each in classes)
    return _acquisition(goal.sign, belief, pairs, alloys, normals, wanted)


def _on_scale(belief: Belief, limit: Within) -> tuple[Belief, Within]:
    """A limit, and the belief it is about, on the scale that the property was modelled on: there a belief is normal."""
    on, scale = belief.on_scale()
    low, high = (float(end) for end in scale.limits(limit.low, limit.high))
    return (on, Within(low, high)) if low < high else (belief, limit)


def _acquisition(
    sign: float,
    belief: Belief,
    pairs: tuple[tuple[Belief, Within], ...],
    alloys: Alloys,
    normals: FloatArray,
    classes: tuple[ClassWanted, ...],
) -> Acquisition:
    objective = _Draws.of(belief, alloys, normals[0, :, : len(alloys)])
    constraints = tuple(
        (_Draws.of(believed, alloys, normals[i, :, : len(alloys)]), limit)
        for i, (believed, limit) in enumerate(pairs, 1)
    )
    values = sign * objective.values
    allowed = np.ones(values.shape, dtype=bool)
    for draws, limit in constraints:
        allowed &= limit.allows(draws.values)
    for i, wanted in enumerate(classes, 1 + len(constraints)):
        allowed &= ndtr(normals[i, :, : len(alloys)]) < wanted.chances(alloys)
    # Where a draw has no alloy that keeps the limits, anything that does is a gain over the worst there is.
    best = np.where(allowed.any(axis=1), np.where(allowed, values, -np.inf).max(axis=1), values.min(axis=1))
    return Acquisition(sign, objective, constraints, normals, best, classes)
