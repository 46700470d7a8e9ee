"""What a batch, and all that is left, may still gain and teach: reasons to go on, or to stop."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from .features import Alloys
from .hypervolume import has_volume, reference_of
from .outlook import Believed, Outlook, variance_to_come
from .pareto import hypervolume, non_dominated
from .weighing import weighed

# Joint draws; of volumes fewer, since each is cut up on its own.
N_DRAWS, N_DRAWS_OF_VOLUMES = 4096, 64
# Less likely than this, what is left is not worth a melt.
HARDLY = 0.05


@dataclass(frozen=True, slots=True)
class Prospects:
    """Gains on the best known, in the unit of one pursued property, in spreads of weighed ones, or in hypervolume.

    Parameters
    ----------
    gains : what each alloy of the batch is expected to gain beside those before it
    chance : that it gains more than the scatter of one measurement
    left : what the best of all that is left would gain, in expectation
    left_low, left_high : with probability 0.9 it would gain between these: the bounds of the regret of stopping now
    left_chance : that something is left that gains more than the scatter
    scatter : of one measurement; of a hypervolume, what it gains where the whole front is better by that
    """

    gains: tuple[float, ...]
    chance: float
    left: float
    left_low: float
    left_high: float
    left_chance: float
    scatter: float

    @property
    def gain(self) -> float:
        """What the batch is expected to gain."""
        return sum(self.gains)

    @property
    def worth_going_on(self) -> bool:
        """Whether what is left has a chance worth a melt."""
        return self.left_chance >= HARDLY


def prospects(outlook: Outlook, batch: Alloys, pool: Alloys, rng: np.random.Generator) -> Prospects:
    """What a batch and what is left may gain, from joint draws of them and of the alloys known.

    Parameters
    ----------
    outlook : before the batch
    batch : what is to be made
    pool : of what is left, the designs that promise most; the batch belongs to them
    rng : for the draws

    Notes
    -----
    Limits and classes are drawn with the rest. Where no alloy known keeps them in a draw, anything that does is a gain
    on the worst known. The best of a pool is no better than that of the space: the regret is, if anything, more.
    """
    every = outlook.baseline + batch + pool
    n_known, n_batch = len(outlook.baseline), len(batch)
    is_volume = has_volume(outlook)
    n_draws = N_DRAWS_OF_VOLUMES if is_volume else N_DRAWS
    drawn = [each.goal.objective(each.belief.sample(every, n_draws, rng)) for each in outlook.sought]
    objectives = np.stack(drawn, axis=-1)  # (n_draws, n, n_sought)
    allowed = _allowed(outlook, every, n_draws, rng)
    noise = np.array([float(np.median(each.belief.about(batch).noise)) for each in outlook.sought])
    # With the alloys known, and then with one more of the batch after the other, and with all.
    stages = [*range(n_known, n_known + n_batch + 1), len(every)]
    if is_volume:
        worst = reference_of(outlook).point
        means = np.stack([each.goal.objective(each.belief.about(outlook.baseline).mean) for each in outlook.sought], 1)
        scatter = hypervolume(means + noise, worst) - hypervolume(means, worst)
        reached = [[_volume(v[:n][may[:n]], worst) for n in stages] for v, may in zip(objectives, allowed, strict=True)]
        best = np.array(reached)
    else:
        weights, spreads = _shares(outlook)
        values = weighed(objectives, weights, spreads)
        scatter = float(np.sqrt(((weights * noise / spreads) ** 2).sum()))
        floor = values[:, :n_known].min(axis=1, keepdims=True)
        best = np.maximum.accumulate(np.where(allowed, values, floor), axis=1)[:, [n - 1 for n in stages]]
    gains, left = np.diff(best[:, :-1], axis=1), best[:, -1] - best[:, 0]
    low, high = (float(end) for end in np.quantile(left, [0.05, 0.95]))
    return Prospects(
        gains=tuple(gains.mean(axis=0).tolist()),
        chance=float((gains.sum(axis=1) > scatter).mean()),
        left=float(left.mean()),
        left_low=low,
        left_high=high,
        left_chance=float((left > scatter).mean()),
        scatter=scatter,
    )


def _shares(outlook: Outlook) -> tuple[FloatArray, FloatArray]:
    """Weights and spreads of what is pursued; of one property it stays in its own unit."""
    if len(outlook.sought) == 1:
        return np.ones(1), np.ones(1)
    weights = np.array([each.weight if outlook.weighted else 1.0 for each in outlook.sought])
    return weights, np.array([each.scale for each in outlook.sought])


def _volume(values: FloatArray, worst: FloatArray) -> float:
    return hypervolume(values[non_dominated(values)], worst) if len(values) else 0.0


def _allowed(outlook: Outlook, alloys: Alloys, n_draws: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(n_draws, n) in which draws which alloys keep limits and classes, and come out.

    Of a class one number is drawn for all alloys, so that those likelier to be of it are so in more draws: alloys that
    resemble each other are of one class together.
    """
    allowed = np.ones((n_draws, len(alloys)), dtype=bool)
    for limited in outlook.limits:
        allowed &= limited.limit.allows(limited.belief.sample(alloys, n_draws, rng))
    for wanted in outlook.classes_asked:
        n_known = len(outlook.baseline)
        found = wanted.rows(np.arange(n_known)).joined_by(alloys.rows(np.arange(n_known, len(alloys))))
        allowed &= rng.random((n_draws, 1)) < found.chances(alloys)
    return allowed


def taught(outlook: Outlook, batch: Alloys) -> FloatArray:
    """By which share measuring each alloy of a batch narrows what is believed over the space, beside those before it.

    Returns
    -------
    (n,) between 0 and 1: of the variance of the pursued and the limited properties over `reference`, on average
    """
    beliefs = [*(each.belief for each in outlook.sought), *(each.belief for each in outlook.limits)]
    shares = [_taught(belief, outlook, batch) for belief in beliefs]
    told = [share for share in shares if share is not None]
    return np.asarray(np.mean(told, axis=0)) if told else np.zeros(len(batch))


def _taught(belief: Believed, outlook: Outlook, batch: Alloys) -> FloatArray | None:
    """The same of one property; None of one that is computed."""
    left = []
    for n in range(len(batch) + 1):
        to_come = outlook.to_come + batch.rows(np.arange(n))
        left.append(float(variance_to_come(belief, outlook.reference, to_come).mean()))
    if left[0] == 0:
        return None
    return 1 - np.array(left[1:]) / np.maximum(left[:-1], 1e-300)
