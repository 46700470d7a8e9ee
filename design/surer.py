"""What to measure to become sure of an answer: where its doubt lies, and what one melt would do to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
from scipy.special import ndtri

from ..surrogates.base import FloatArray
from .diagram import IntArray
from .features import Alloys
from .goals import Within
from .outlook import Believed
from .rectangles import log_rectangle
from .wants import Foreseen, Want, Wanted

# Another design is named only where it explains so much more of the doubt than a melt of the answer itself.
CLEARLY_MORE = 1.05
# No measurement tells a property so well that nothing is left to see.
_MOST_EXPLAINED = 1 - 1e-9
_N_BISECTIONS = 60


@dataclass(frozen=True, slots=True, eq=False)
class Surer:
    """Where the doubt about an answer lies, and what would take it away.

    The doubt about a want is p (1 - p), of the probability p that the property itself keeps it, without noise.

    Parameters
    ----------
    want : the want that carries most of the doubt, in its words
    name : the property to be measured for it; of a formula, the one that it hangs on most
    share : of the doubts about all wants, that of this one [-]
    confirmed : the probability that, once one melt of this very answer has been measured, the want is kept with the
        probability that was asked for; of a class, that it is found
    doubt, gain : the doubt, and by how much one melt of the answer is expected to lessen it
    other, other_gain : another design (d,) that would teach clearly more, and by how much it is expected to lessen the
        doubt about this answer; None and 0 where there is none
    """

    want: str
    name: str
    share: float
    confirmed: float
    doubt: float
    gain: float
    other: IntArray | None = None
    other_gain: float = 0.0


def surer(wanted: Wanted, alloys: Alloys, others: Alloys, points: IntArray, probability: float) -> tuple[Surer, ...]:
    """What to measure to become sure of each of n alloys.

    Parameters
    ----------
    wanted : what is wanted of them
    alloys : the n answers
    others, points : m designs that could be melted instead, as alloys and as points (m, d)
    probability : with which a want is to be kept to count as confirmed
    """
    truth, measured = wanted.foresee(alloys, measured=False), wanted.foresee(alloys)
    chances = np.exp(truth.alone())
    doubts = chances * (1 - chances)
    told = []
    for i, k in enumerate(doubts.argmax(axis=1).tolist()):
        want, row = wanted.wants[k], np.array([i])
        chance, doubt = float(chances[i, k]), float(doubts[i, k])
        share = doubt / max(float(doubts[i].sum()), 1e-300)
        if not isinstance(want.goal, Within):  # a melt shows of which class it is
            told.append(Surer(want.words, want.names[0], share, chance, doubt, doubt))
            continue
        lesson = _Lesson.of(want, truth.rows(row), measured.rows(row))
        whole = Surer(
            want.words,
            _decisive(want, truth.rows(row)),
            share,
            lesson.confirmed(probability),
            doubt,
            lesson.gain(lesson.explained),
        )
        if want.formula is None and len(others):
            explained = _explained(wanted.numbers[want.names[0]], alloys.rows(row), others)
            best = int(explained.argmax())
            if explained[best] > CLEARLY_MORE * lesson.explained:
                whole = replace(whole, other=points[best], other_gain=lesson.gain(float(explained[best])))
        told.append(whole)
    return tuple(told)


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What a measurement would teach of a number that is to be inside limits, all on the scale on which it is normal.

    Parameters
    ----------
    limit : the limits; None where they hold every value there is, or none
    mean, std : of the number itself
    explained : the share of its variance that one measurement of it explains
    """

    limit: Within | None
    mean: float
    std: float
    explained: float

    @staticmethod
    def of(want: Want, truth: Foreseen, measured: Foreseen) -> _Lesson:
        """Of one alloy."""
        assert isinstance(want.goal, Within)  # its only caller asks
        itself, told = truth.about(want), measured.about(want)
        std, whole = float(itself.std[0]), float(told.std[0])
        explained = min((std / whole) ** 2, _MOST_EXPLAINED) if whole > 0 else 0.0
        return _Lesson(want.goal.on(itself.scale), float(itself.mean[0]), std, explained)

    def confirmed(self, probability: float) -> float:
        """The probability that the limits are kept with a probability once it is measured.

        What is expected of the number after the measurement is normal, and how little is known of it is not a matter of
        what was measured. So the expectations with which the limits are kept likely enough lie between two ends.
        """
        if self.limit is None:
            return 0.0
        left, moved = self.std * (1 - self.explained) ** 0.5, self.std * self.explained**0.5
        ends = [end for end in (self.limit.low, self.limit.high) if isfinite(end)]
        if not ends:
            return 1.0
        if len(ends) == 1:
            inward = float(ndtri(probability)) * left
            is_low = ends[0] == self.limit.low
            enough = Within(low=ends[0] + inward) if is_low else Within(high=ends[0] - inward)
            return _inside(enough, self.mean, moved)
        centre, off = sum(ends) / 2, 0.0
        if _inside(self.limit, centre, left) < probability:
            return 0.0
        too_far = ends[1] - centre + 10 * left
        for _ in range(_N_BISECTIONS):
            middle = (off + too_far) / 2
            if _inside(self.limit, centre + middle, left) >= probability:
                off = middle
            else:
                too_far = middle
        return _inside(Within(centre - off, centre + off), self.mean, moved) if off > 0 else 0.0

    def gain(self, explained: float) -> float:
        """By how much p (1 - p) is expected to fall by what explains a share of the variance.

        The mean square of what p becomes is the probability that two numbers are inside that are independent once it is
        known: before, they are correlated by that share.
        """
        if self.limit is None or self.std == 0:
            return 0.0
        low, high = ((end - self.mean) / self.std for end in (self.limit.low, self.limit.high))
        both = np.array([[1.0, explained], [explained, 1.0]])
        square = float(np.exp(log_rectangle(np.array([[low, low]]), np.array([[high, high]]), both)[0]))
        return max(square - _inside(self.limit, self.mean, self.std) ** 2, 0.0)


def _inside(limit: Within, mean: float, std: float) -> float:
    """The probability that a normal number is inside limits."""
    return float(np.exp(limit.log_probability(np.array([mean]), np.array([std]))[0]))


def _explained(belief: Believed, alloy: Alloys, others: Alloys) -> FloatArray:
    """Share of the variance of an alloy's property that one measurement of each of other alloys explains. (m,)"""
    normal, _ = belief.on_scale()
    shared = normal.covariance(alloy, others)[0]
    variance = normal.about(others).measured_std ** 2
    own = float(normal.about(alloy).std[0]) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        explained = np.where((variance > 0) & (own > 0), shared**2 / (own * variance), 0.0)
    return np.minimum(explained, _MOST_EXPLAINED)


def _decisive(want: Want, alloy: Foreseen) -> str:
    """The property that most of the doubt about a number comes from: by what a standard deviation of each moves it."""
    formula = want.formula
    if formula is None:
        return want.names[0]

    def at(name: str, side: float) -> float:
        moved = {
            each: of.scale.backward(of.mean + (side * of.std if each == name else 0.0))
            for each, of in alloy.normals.items()
        }
        return float(formula.values(moved.__getitem__)[0])

    return max(want.names, key=lambda name: np.nan_to_num(abs(at(name, 1.0) - at(name, -1.0))))
