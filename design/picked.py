"""How often answers hold that were picked for their probability: what is claimed of them, corrected by rows left out.

Who picks the alloys that are said to be likeliest picks those of which too much is said too. A belief that is right on
average does not mind: under its own posterior a probability stays one however an alloy came to be looked at [Dawid,
IMS Lecture Notes 24 (1994) 211]. So what there is to correct is only where a belief is wrong, and what that amounts to
is asked of the table itself: wants like those asked are made up around rows that were measured, the likeliest rows are
picked by beliefs that had not seen them, and it is counted how many of them meet what was wanted. A replay whose truth
is drawn from the belief itself would show nothing, whatever the belief.

From claims to what held leads a straight line between log odds, drawn towards the claims as they are: some tens of rows
say little, and nothing is made surer than rows left out were seen to be.

Rows lie where somebody has melted. A search goes to the edges of a space and on, and what it finds there to be likelier
than not holds less often than rows tell: of that a table alone knows nothing, and a share that was measured once in
laboratories whose truth is known stands for it, `SEARCHED`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce
from math import exp, inf, log
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, logit

from ..surrogates.base import FloatArray
from ..surrogates.scales import Normal
from .beliefs import Belief, left_out_together
from .classes import LEAST_PROBABILITY, ClassBelief, OneClass, codes_of
from .features import Alloys
from .goals import Is, Within
from .left_out import learned, left_out
from .outlook import Believed
from .wants import Foreseen, Want, Wanted

IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]

# Wants that are made up, rows that are picked of each, and from how much narrower to how much wider than those asked.
N_REPLAYS = 128
N_PICKED = 5
N_CONSIDERED = 10  # rows of which the joint probability is worked out
WIDTHS = (0.5, 4.0)
# Of fewer rows no line is drawn: to learn two numbers from them would be to learn the prior.
LEAST_ROWS = 12
# What is thought of the line before any row is seen: standard deviations of its shift, in log odds, and of the
# logarithm of its slope.
SHIFT, SLOPE = 0.25, 0.25
# Of the log odds above even that are claimed of what a whole space was searched for, so much is left. Measured in six
# synthetic laboratories (benchmarks/inverse.py, seed 0; shares of 0.7 to 0.85 are as likely), and tried on other seeds.
SEARCHED = 0.8
_LARGEST = 20.0  # of log odds: no claim is taken for surer than one in 5e8


@dataclass(frozen=True, slots=True)
class Correction:
    """A straight line between the log odds that are claimed and those that hold: rising, and 0 and 1 stay.

    Parameters
    ----------
    shift : of the log odds
    slope : above 0; below 1 draws claims towards a half
    n_rows : how many rows, or sources, it was learned from
    left : what is left of the log odds above even, after that

    Examples
    --------
    >>> Correction()(np.array([0.0, 0.8, 1.0]))
    array([0. , 0.8, 1. ])
    >>> Correction(shift=-0.2, slope=0.7)(np.array([0.0, 0.8, 1.0])).round(2)
    array([0.  , 0.68, 1.  ])
    >>> Correction(left=0.8)(np.array([0.2, 0.8, 0.95])).round(2)
    array([0.2 , 0.75, 0.91])
    """

    shift: float = 0.0
    slope: float = 1.0
    n_rows: int = 0
    left: float = 1.0

    def __call__(self, claimed: FloatArray) -> FloatArray:
        """Honest probabilities (n,) from those claimed (n,); NaN stays."""
        if (self.shift, self.slope, self.left) == (0.0, 1.0, 1.0):
            return np.asarray(claimed, dtype=np.float64)
        with np.errstate(divide="ignore"):
            odds = self.shift + self.slope * logit(np.clip(claimed, 0.0, 1.0))
        return np.asarray(expit(np.where(odds > 0, self.left * odds, odds)))


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """Rows that were picked for made-up wants by beliefs that had not seen them.

    Parameters
    ----------
    claimed : (m,) probability that was claimed of each pick
    met : (m,) whether it met all that was wanted
    groups : (m,) number of the row that was picked, or of the source or composition that was left out with it
    """

    claimed: FloatArray
    met: BoolArray
    groups: IntArray

    @property
    def n_rows(self) -> int:
        """How many different rows, or sources, were picked: what they say is not said anew at every pick."""
        return len(np.unique(self.groups))


def correction(wanted: Wanted, rng: np.random.Generator, *, searched: bool = True) -> Correction:
    """How claims about alloys that are picked for these wants are to be corrected.

    Parameters
    ----------
    wanted : the wants and the beliefs, whose evidence is replayed; where too little is told, rows correct nothing
    rng : for the made-up wants
    searched : whether a whole space is searched for answers, and not some alloys like those that were measured

    Notes
    -----
    The line maximises the likelihood of what the picks met, with every row counting as one however often it was picked,
    times a normal prior about the claims as they are. It takes a tenth of a second, and the rows left out of each
    belief, which `left_out` tells.
    """
    is_learned = [learned(wanted.numbers[name]) is not None for name in wanted.names]
    if not any(is_learned) and not any(isinstance(want.goal, Is) for want in wanted.wants):
        return Correction()
    seen = replay(wanted, rng)
    by_rows = Correction() if seen is None or seen.n_rows < LEAST_ROWS else fitted(seen)
    return replace(by_rows, left=SEARCHED) if searched else by_rows


def fitted(seen: Replay) -> Correction:
    """The likeliest line.

    Examples
    --------
    >>> claimed = np.full(1000, 0.9)
    >>> met = np.arange(1000) < 700
    >>> fitted(Replay(claimed, met, np.arange(1000)))(np.array([0.9])).round(1)
    array([0.7])
    """
    from scipy.optimize import minimize

    odds = np.clip(logit(np.clip(seen.claimed, 0, 1)), -_LARGEST, _LARGEST)
    sign = np.where(seen.met, 1.0, -1.0)
    weight = seen.n_rows / len(odds)
    prior = np.array([SHIFT, SLOPE])

    def loss(at: FloatArray) -> tuple[float, FloatArray]:
        steep = exp(at[1]) * odds
        lines = sign * (at[0] + steep)
        pull = -weight * sign * expit(-lines)
        gradient = np.array([pull.sum(), (pull * steep).sum()]) + at / prior**2
        return float(-weight * log_expit(lines).sum() + ((at / prior) ** 2).sum() / 2), gradient

    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B").x
    return Correction(float(found[0]), exp(float(found[1])), seen.n_rows)


def replay(wanted: Wanted, rng: np.random.Generator) -> Replay | None:
    """Pick measured rows for wants like these; None where there are no rows of which all that is wanted was measured.

    Each made-up want leaves what one row measured inside: limits on both sides as far apart as those asked, times
    `WIDTHS`, and one limit where that row is. Classes stay. That row itself is not picked.
    """
    rows = _Rows.of(wanted)
    if rows is None or len(rows.ids) <= N_CONSIDERED:
        return None
    n, n_wants = len(rows.ids), len(wanted.wants)
    about = rng.integers(n, size=N_REPLAYS)
    limits = np.tile([-inf, inf], (N_REPLAYS, n_wants, 1))
    is_number = [isinstance(want.goal, Within) for want in wanted.wants]
    met = np.ones((N_REPLAYS, n), dtype=bool)
    widths = np.exp(rng.uniform(log(WIDTHS[0]), log(WIDTHS[1]), N_REPLAYS))
    for i, want in enumerate(wanted.wants):
        values = rows.values[i]
        if isinstance(want.goal, Within):
            limits[:, i] = _around(values[about], want.goal, widths, rng)
            met &= (limits[:, i, :1] <= values) & (values <= limits[:, i, 1:])
        elif isinstance(want.goal, Is):
            met &= values == 1
    if wanted.success is not None:
        met &= rows.succeeded
    foreseen = rows.foreseen(wanted)
    # Each want alone tells which rows come into question.
    alone = [foreseen.alone(np.tile(at, (n, 1, 1)))[:, is_number].sum(axis=1) for at in limits]
    logs = np.array(alone) + foreseen.log_classes.sum(axis=0)
    logs[np.arange(N_REPLAYS), about] = -inf
    picked = _highest(logs, N_CONSIDERED)
    asked = np.repeat(limits, picked.shape[1], axis=0)
    logs = foreseen.rows(picked.ravel()).together(asked).reshape(picked.shape)
    chosen = _highest(logs, N_PICKED)
    picked, claimed = np.take_along_axis(picked, chosen, axis=1), np.exp(np.take_along_axis(logs, chosen, axis=1))
    return Replay(claimed.ravel(), np.take_along_axis(met, picked, axis=1).ravel(), rows.groups[picked].ravel())


def _highest(values: FloatArray, n: int) -> IntArray:
    """Places of the n highest of each row (m, k), falling. (m, n)"""
    return np.asarray(np.argsort(-values, axis=1, kind="stable")[:, :n])


def _around(values: FloatArray, goal: Within, widths: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Limits (n, 2) like those of a goal that leave values (n,) inside."""
    low, high = np.full(len(values), goal.low), np.full(len(values), goal.high)
    if np.isfinite(goal.low) and np.isfinite(goal.high):
        wide = widths * (goal.high - goal.low)
        low = values - rng.uniform(size=len(values)) * wide
        high = low + wide
    elif np.isfinite(goal.low):
        low = values
    else:
        high = values
    return np.column_stack([low, high])


@dataclass(frozen=True, eq=False)
class _Rows:
    """Measured rows, what they were believed to be by what had not seen them, and what they were.

    Parameters
    ----------
    ids : (n,) of rows of which all that is wanted was measured
    alloys : the n
    groups : (n,) what was left out together
    normals : by name of a number, on the scale on which it is normal
    log_classes : (n_classes, n) log of the probability of each wanted class, and last that the melt succeeds
    values : (n_wants, n) of what each want is about; of a class 1 where a row is of it, and 0 else
    succeeded : (n,) whether the melt did
    """

    ids: NDArray[np.str_]
    alloys: Alloys
    groups: IntArray
    normals: Mapping[str, Normal]
    log_classes: FloatArray
    values: FloatArray
    succeeded: BoolArray

    @staticmethod
    def of(wanted: Wanted) -> _Rows | None:
        """The rows; None where nothing that is wanted was learned, or no row tells of all of it."""
        numbers = {name: learned(wanted.numbers[name]) for name in wanted.names}
        asked = [(wanted.classes[want.names[0]], want.goal.label) for want in wanted.wants if isinstance(want.goal, Is)]
        told = [*(belief.evidence for belief in numbers.values() if belief), *(belief.evidence for belief, _ in asked)]
        if not told:
            return None
        if wanted.success is not None:
            asked.append((wanted.success, wanted.success.labels[0]))
            told.append(wanted.success.evidence)
        ids = reduce(np.intersect1d, [one.ids[one.exact] for one in told])
        if not len(ids):
            return None
        at = _places(told[0].ids, ids)
        alloys, groups = told[0].alloys.rows(at), left_out_together(told[0])[0][at]
        normals, values = dict[str, Normal](), dict[str, FloatArray]()
        for name, belief in numbers.items():
            found = _computed(wanted.numbers[name], alloys) if belief is None else _number_left_out(belief, ids)
            if found is None:
                return None
            normals[name], values[name] = found
        classes = [_class_left_out(belief, label, ids) for belief, label in asked]
        is_of = iter([found for _, found in classes])
        about = [next(is_of) if isinstance(want.goal, Is) else _value(want, values) for want in wanted.wants]
        succeeded = next(is_of, np.ones(len(ids)))
        log_classes = np.array([log for log, _ in classes]).reshape(-1, len(ids))
        return _Rows(ids, alloys, groups, normals, log_classes, np.array(about), succeeded == 1)

    def foreseen(self, wanted: Wanted) -> Foreseen:
        """What was believed of the rows."""
        return Foreseen(wanted, self.alloys, True, self.normals, self.log_classes)


def _places(ids: NDArray[np.str_], of: NDArray[np.str_]) -> IntArray:
    """Where each of some ids (m,) is among others."""
    order = np.argsort(ids, kind="stable")
    return np.asarray(order[np.searchsorted(ids, of, sorter=order)])


def _computed(belief: Believed, alloys: Alloys) -> tuple[Normal, FloatArray]:
    """A number of alloys that is computed, and the same as a belief without a doubt. (n,)"""
    told = belief.about(alloys)
    return told.measurement, told.mean


def _number_left_out(belief: Belief, ids: NDArray[np.str_]) -> tuple[Normal, FloatArray] | None:
    """What is believed of rows (n,) by what has not seen them, and their values; None where none could be left out."""
    held, exact = left_out(belief), belief.evidence.exact
    if held is None:
        return None
    place = _places(belief.evidence.ids[exact], ids)
    return held.rows(place).measurement, belief.evidence.values[exact][place]


def _class_left_out(belief: ClassBelief, label: str, ids: NDArray[np.str_]) -> tuple[FloatArray, FloatArray]:
    """Log of the probability that rows (n,) are of a class, by what has not seen them; and 1 where they are, else 0."""
    at, code = _places(belief.evidence.ids, ids), belief.labels.index(label)
    judge: Any = belief.classifier
    every = belief.about(belief.evidence.alloys) if isinstance(judge, OneClass) else judge.held_out_
    is_of = (codes_of(belief.evidence)[at] == code).astype(np.float64)
    return np.log(np.maximum(every[at, code], LEAST_PROBABILITY)), is_of


def _value(want: Want, values: Mapping[str, FloatArray]) -> FloatArray:
    """What a want is about, of rows whose numbers are known. (n,)"""
    return np.asarray(values[want.names[0]] if want.formula is None else want.formula.values(values.__getitem__))
