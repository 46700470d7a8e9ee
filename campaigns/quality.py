"""What a campaign's models are worth on rows that they had not seen, in words a supervisor can weigh."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..design.beliefs import Belief, left_out_together
from ..design.classes import ClassBelief, codes_of
from ..design.comparing import mean_advantage
from ..design.left_out import left_out
from ..surrogates.base import FloatArray
from ..surrogates.left_out import LEAST_GROUPS
from .comparison import SURE
from .learning import Beliefs
from .reading import counted
from .wording import words_and_unit

if TYPE_CHECKING:
    from ..surrogates.scores import Forecasts

# The share of new measurements that an interval is to hold.
LEVEL = 0.9
# Of fewer values than this it cannot be told whether intervals are honest.
LEAST_TOLD = 10


@dataclass(frozen=True, slots=True)
class Quality:
    """How one model did on rows that it had not seen.

    Parameters
    ----------
    name, model : of the property, and of its model
    left_out : what was left out together, in words
    n : how many rows there were to be judged by
    held : how many lie inside their 90 % intervals; of a property with classes, how many are of the likeliest class
    off : how far the share that is held is above `LEVEL` in its standard errors, negative where it is below; 0 of
        classes
    error : root mean square, in the property's unit; of classes the share that is not of the likeliest class
    plain : the same error of what needs no model: the mean of the other rows, or their commonest class
    is_better : whether the model errs less than that, surely
    has_classes : whether the property has classes
    forecasts : of numbers, each value beside what was believed of it
    """

    name: str
    model: str
    left_out: str
    n: int
    held: int
    off: float
    error: float
    plain: float
    is_better: bool
    has_classes: bool = False
    forecasts: Forecasts | None = field(default=None, compare=False, repr=False)

    @property
    def honesty(self) -> str:
        """Whether its intervals hold what they promise; "" of classes, which have none.

        Examples
        --------
        >>> told = Quality("hardness_HV", "forest", "whole sources", 30, 27, 0.0, 20.0, 45.0, is_better=True)
        >>> told.honesty
        'Intervals are honest: 27 of 30 values that it had not seen lie inside their 90 % intervals.'
        """
        if self.has_classes:
            return ""
        inside = f"{self.held} of {counted(self.n, 'value')} that it had not seen lie inside their 90 % intervals"
        if self.n < LEAST_TOLD:
            return f"{inside[:1].upper()}{inside[1:]}: too few to tell whether these are honest."
        should = f"where {LEVEL * self.n:.0f} should"
        if self.off < -SURE:
            return f"Intervals are too narrow: only {inside}, {should}."
        if self.off > SURE:
            return f"Intervals are wider than they need be: {inside}, {should}."
        return f"Intervals are honest: {inside}."

    @property
    def telling(self) -> str:
        """How far it errs, beside what needs no model.

        Examples
        --------
        >>> Quality("hardness_HV", "forest", "whole sources", 30, 27, 0.0, 20.0, 45.0, is_better=True).telling
        'With whole sources left out it errs by 20 HV (root mean square), and the mean of the others by 45 HV.'
        """
        if self.has_classes:
            said = f"is right for {self.held} of {counted(self.n, 'row')}, and the commonest class of the others for "
            said += str(round(self.n * (1 - self.plain)))
        else:
            unit = words_and_unit(self.name)[1]
            error, plain = (f"{float(f'{value:.2g}'):.12g} {unit}".rstrip() for value in (self.error, self.plain))
            said = f"errs by {error} (root mean square), and the mean of the others by {plain}"
        said = f"With {self.left_out} left out it {said}"
        return f"{said}." if self.is_better else f"{said}: it is not surely better than that."

    @property
    def words(self) -> str:
        """Both."""
        return f"{self.honesty} {self.telling}".strip()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What somebody who trusts it should know."""
        name = words_and_unit(self.name)[0]
        too_narrow = not self.has_classes and self.n >= LEAST_TOLD and self.off < -SURE
        said = [f"The intervals of {name} are too narrow: results will surprise more often than they say."] * too_narrow
        if not self.is_better:
            what = "the commonest class" if self.has_classes else "the mean of all"
            said.append(f"On rows that it had not seen, the model of {name} is not surely better than {what}.")
        return tuple(said)


def qualities(beliefs: Beliefs) -> tuple[Quality, ...]:
    """How the models did, by rows that they had not seen; none of a property with too few rows to leave any out.

    What surrogates and classifiers held out as they were made is read off them; of others the model is learned again.
    """
    found = [
        *(_of_numbers(belief, beliefs.choices[name].name) for name, belief in beliefs.of.items()),
        *(_of_classes(belief, beliefs.choices[name].name) for name, belief in beliefs.classes.items()),
    ]
    return tuple(quality for quality in found if quality is not None)


def _of_numbers(belief: Belief, model: str) -> Quality | None:
    from ..surrogates.scores import Forecasts

    evidence = belief.evidence
    groups, words = left_out_together(evidence)
    groups, values = groups[evidence.exact], evidence.values[evidence.exact]
    told = left_out(belief)
    if told is None or np.ptp(groups) == 0:
        return None
    low, high = told.interval(LEVEL)
    inside = (low <= values) & (values <= high)
    squares, plain = (values - told.mean) ** 2, (values - _mean_of_others(values, groups)) ** 2
    more, doubt = mean_advantage(squares, plain, groups)
    return Quality(
        evidence.property,
        model,
        words,
        len(values),
        int(inside.sum()),
        _off(inside, groups),
        float(np.sqrt(squares.mean())),
        float(np.sqrt(plain.mean())),
        more > SURE * doubt,
        forecasts=Forecasts.of(values, told),
    )


def _off(inside: NDArray[np.bool_], groups: NDArray[np.intp]) -> float:
    """How far the share inside is above `LEVEL`, in standard errors: of groups that err together, at least of rows."""
    below, doubt = mean_advantage(inside.astype(np.float64), np.full(len(inside), LEVEL), groups)
    return -below / max(doubt, float(np.sqrt(LEVEL * (1 - LEVEL) / len(inside))))


def _mean_of_others(values: FloatArray, groups: NDArray[np.intp]) -> FloatArray:
    """Of each row the mean of those of other groups, of which there is one at least. (n,)

    >>> _mean_of_others(np.array([1.0, 3.0, 8.0]), np.array([0, 0, 1]))
    array([8., 8., 2.])
    """
    sums, counts = np.bincount(groups, values), np.bincount(groups)
    return np.asarray((values.sum() - sums[groups]) / (len(values) - counts[groups]))


def _of_classes(belief: ClassBelief, model: str) -> Quality | None:
    evidence = belief.evidence
    told = getattr(belief.classifier, "held_out_", None)
    groups, words = left_out_together(evidence)
    if told is None or groups.max() + 1 < LEAST_GROUPS:
        return None
    truth = codes_of(evidence)
    wrong = np.asarray(np.argmax(told, axis=1) != truth, dtype=np.float64)
    plain = np.asarray(_commonest_of_others(truth, groups) != truth, dtype=np.float64)
    more, doubt = mean_advantage(wrong, plain, groups)
    return Quality(
        evidence.property,
        model,
        words,
        len(truth),
        int((wrong == 0).sum()),
        0.0,
        float(wrong.mean()),
        float(plain.mean()),
        more > SURE * doubt,
        has_classes=True,
    )


def _commonest_of_others(codes: NDArray[np.intp], groups: NDArray[np.intp]) -> NDArray[np.intp]:
    """Of each row the commonest class among those of other groups; of equals the first. (n,)

    >>> _commonest_of_others(np.array([0, 0, 1, 1, 1]), np.array([0, 0, 1, 2, 2]))
    array([1, 1, 0, 0, 0])
    """
    counts = np.zeros((groups.max() + 1, codes.max() + 1), dtype=np.intp)
    np.add.at(counts, (groups, codes), 1)
    return np.asarray((counts.sum(axis=0) - counts).argmax(axis=1)[groups])
