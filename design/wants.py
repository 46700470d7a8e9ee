"""What is wanted of an alloy, and how likely a design meets all of it.

A want is about one property, or about a number computed from several. What is believed of different properties of one
alloy errs together: one that turns out softer than it was believed is often weaker too. So the probability that all
wants are met is that of a Gaussian copula over the scales that the properties are modelled on, with the correlation of
errors that held-out rows showed (`erring.together`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from math import inf

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from ..surrogates.scales import LINEAR, Normal
from .classes import ClassBelief
from .features import Alloys
from .formulas import Formula
from .goals import Is, Maximize, Minimize, Within
from .outlook import Believed
from .rectangles import drawn_inside, log_rectangle

# What a formula of uncertain numbers may be is known by draws, each smeared by this share of their standard deviation:
# so no probability is 0 for want of a draw, and one that climbs finds its way.
SMEARED = 0.2


@dataclass(frozen=True, slots=True)
class Want:
    """One wanted thing.

    Parameters
    ----------
    words : as a person says it, such as `youngs_modulus_GPa between 48 and 52`
    names : the properties, descriptors or `melt_cost` that it is about: one, or those of the formula
    goal : limits or a class must hold, with a probability; what is to be as low or as high as possible is traded for
        that, and ranks the alloys that are likely enough to meet the rest
    formula : of the number that the goal is about, such as `yield_strength_MPa / youngs_modulus_GPa`; None for a
        property itself
    scale : a difference that matters, in its unit, where several are to be as low or as high as possible: its spread
        over the measured alloys

    Raises
    ------
    AlloyloopError
        where a class is wanted of a formula, or without a formula not exactly one thing is named

    Examples
    --------
    >>> soft = Want("youngs_modulus_GPa between 48 and 52", ("youngs_modulus_GPa",), Within(48, 52))
    >>> soft.is_pursued
    False
    """

    words: str
    names: tuple[str, ...]
    goal: Within | Is | Minimize | Maximize
    formula: Formula | None = None
    scale: float = 1.0

    def __post_init__(self) -> None:
        if self.formula is not None and isinstance(self.goal, Is):
            raise AlloyloopError(f"'{self.words}' asks for a class of a computed number", "Give it limits.")
        if self.formula is None and len(self.names) != 1:
            raise AlloyloopError(f"'{self.words}' is about {len(self.names)} properties", "Name one, or a formula.")

    @property
    def is_pursued(self) -> bool:
        """Whether it is to be as low or as high as possible."""
        return isinstance(self.goal, Minimize | Maximize)


@dataclass(frozen=True, eq=False)
class Wanted:
    """Wants, with the beliefs about what they are about.

    Parameters
    ----------
    wants : at least one
    numbers : beliefs about properties that are numbers, modelled or computed, by name
    classes : beliefs about properties that have classes, by name
    success : that a melt succeeds, the first of its labels; None where nothing tells
    correlation : (k, k) of the errors of beliefs between `numbers`, in their order; None where they err on their own
    correct : from the probability that is claimed of an alloy that was picked for it, to the honest one; rising

    Raises
    ------
    AlloyloopError
        where there is no want, nothing is believed of what one is about, or two contradict each other
    """

    wants: tuple[Want, ...]
    numbers: Mapping[str, Believed] = field(default_factory=dict)
    classes: Mapping[str, ClassBelief] = field(default_factory=dict)
    success: ClassBelief | None = None
    correlation: FloatArray | None = None
    correct: Callable[[FloatArray], FloatArray] = np.asarray

    def __post_init__(self) -> None:
        if not self.wants:
            raise AlloyloopError(
                "Nothing is wanted", "Name a property and its limits, such as 'hardness_HV above 400'."
            )
        for want in self.wants:
            self._check(want)
        _check_together(self.wants)

    def _check(self, want: Want) -> None:
        if isinstance(want.goal, Is):
            (name,) = want.names
            if name not in self.classes:
                raise self._unknown(want, name, self.classes)
            labels = self.classes[name].labels
            if want.goal.label not in labels:
                raise AlloyloopError(
                    f"'{want.words}': {want.goal.label} is not one of the classes of {name}",
                    f"It is {' or '.join(labels)}.",
                )
            return
        for name in want.names:
            if name not in self.numbers:
                raise self._unknown(want, name, self.numbers)

    def _unknown(self, want: Want, name: str, known: Mapping[str, object]) -> AlloyloopError:
        if name in (*self.numbers, *self.classes):
            kind = "has classes and is no number" if name in self.classes else "is a number and has no classes"
            return AlloyloopError(f"'{want.words}' cannot be asked: {name} {kind}", "Correct the want.")
        there_is = f"There is {', '.join(known)}." if known else "Measure it first."
        return AlloyloopError(f"'{want.words}' cannot be asked: nothing is believed of {name}", there_is)

    # -- what it says of alloys -----------------------------------------------------------------------------------

    def known(self, alloys: Alloys) -> NDArray[np.bool_]:
        """(n,) the alloys of which all that is wanted can be predicted."""
        seen = [self.numbers[name].features for name in self.names]
        seen += [belief.features for belief, _ in self._labels]
        known = np.ones(len(alloys), dtype=bool)
        for features in seen:
            known &= features.known(alloys)
        return known

    def foresee(self, alloys: Alloys, *, measured: bool = True) -> Foreseen:
        """What is believed of alloys of which all is known; see `known`.

        Parameters
        ----------
        alloys : n of them
        measured : of a new measurement, with its noise, or else of the property itself
        """
        normals = {name: _normal(self.numbers[name], alloys, measured=measured) for name in self.names}
        logs = [belief.log_probability(alloys, label) for belief, label in self._labels]
        return Foreseen(self, alloys, measured, normals, np.array(logs).reshape(-1, len(alloys)))

    def log_chances(self, alloys: Alloys, *, measured: bool = True) -> FloatArray:
        """Log of the probability that each want alone is met; 0 of what is pursued. (n, n_wants)

        NaN where a feature of an alloy is not known. `measured`: as in `foresee`.
        """
        chances = np.full((len(alloys), len(self.wants)), np.nan)
        return self._tell(chances, alloys, lambda known: self.foresee(known, measured=measured).alone())

    def log_chance(self, alloys: Alloys, *, measured: bool = True) -> FloatArray:
        """Log of the probability that all wants are met and the melt succeeds, before `correct`. (n,)

        It never saturates, but where what is computed and not modelled breaks a limit. NaN as in `log_chances`.
        """
        nothing = np.full(len(alloys), np.nan)
        return self._tell(nothing, alloys, lambda known: self.foresee(known, measured=measured).together())

    def chance(self, alloys: Alloys, *, measured: bool = True) -> FloatArray:
        """Probability that all wants are met and the melt succeeds, as it is to be told of a picked alloy. (n,)"""
        return np.asarray(self.correct(np.exp(self.log_chance(alloys, measured=measured))))

    def value(self, alloys: Alloys) -> FloatArray:
        """What is pursued, expected: larger is better; a sum, in scales of each, where there are several. (n,)

        Zeros where nothing is pursued.
        """
        return self._tell(np.full(len(alloys), np.nan), alloys, lambda known: self.foresee(known).value())

    def _tell(self, nothing: FloatArray, alloys: Alloys, of: Callable[[Alloys], FloatArray]) -> FloatArray:
        """What is said of alloys of which all is known, written over nothing. (n, ...)"""
        known = self.known(alloys)
        if known.all():
            return of(alloys)
        if known.any():
            nothing[known] = of(alloys.rows(known))
        return nothing

    # -- how it is made up ----------------------------------------------------------------------------------------

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The numbers that wants are about, in the order of `numbers`."""
        asked = {name for want in self.wants if not isinstance(want.goal, Is) for name in want.names}
        return tuple(name for name in self.numbers if name in asked)

    @cached_property
    def _labels(self) -> tuple[tuple[ClassBelief, str], ...]:
        """Beliefs about classes, each with the one wanted, in the order of the wants; last that the melt succeeds."""
        asked = [(self.classes[want.names[0]], want.goal.label) for want in self.wants if isinstance(want.goal, Is)]
        return (*asked, *(((self.success, self.success.labels[0]),) if self.success is not None else ()))

    @property
    def is_pursuing(self) -> bool:
        """Whether something is to be as low or as high as possible."""
        return any(want.is_pursued for want in self.wants)

    def between(self, names: Sequence[str]) -> FloatArray:
        """Correlation of the errors of beliefs about some numbers. (k, k)"""
        if self.correlation is None:
            return np.eye(len(names))
        order = list(self.numbers)
        at = [order.index(name) for name in names]
        return np.asarray(self.correlation[np.ix_(at, at)])

    @cached_property
    def parts(self) -> tuple[tuple[str, ...], ...]:
        """The numbers that limits are about, those together that err together or that a formula ties."""
        limited = [want for want in self.wants if isinstance(want.goal, Within)]
        groups = [set(want.names) for want in limited]
        names = [name for name in self.names if any(name in group for group in groups)]
        linked = self.between(names) != 0
        groups += [{names[i], names[j]} for i, j in zip(*np.nonzero(linked), strict=True)]
        parts: list[set[str]] = []
        for group in groups:
            touched = [part for part in parts if part & group]
            parts = [part for part in parts if not part & group] + [group.union(*touched)]
        return tuple(tuple(name for name in names if name in part) for part in parts)


@dataclass(frozen=True, eq=False)
class Foreseen:
    """What is believed of n alloys, as far as wants ask; made by `Wanted.foresee`.

    Parameters
    ----------
    wanted : the wants
    alloys : the n
    measured : whether of a new measurement, or of the property itself
    normals : beliefs by name of a number, on the scale on which it is normal
    log_classes : (n_classes, n) log of the probability of each wanted class, and last that the melt succeeds
    """

    wanted: Wanted
    alloys: Alloys
    measured: bool
    normals: Mapping[str, Normal]
    log_classes: FloatArray

    def __len__(self) -> int:
        return len(self.alloys)

    def rows(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Foreseen:
        """The same of some of the alloys."""
        normals = {name: Normal(of.scale, of.mean[chosen], of.std[chosen]) for name, of in self.normals.items()}
        return Foreseen(self.wanted, self.alloys.rows(chosen), self.measured, normals, self.log_classes[:, chosen])

    @cached_property
    def limits(self) -> FloatArray:
        """(n, n_wants, 2) the limits of each want, infinite where there are none."""
        ends = [
            (want.goal.low, want.goal.high) if isinstance(want.goal, Within) else _FREE for want in self.wanted.wants
        ]
        return np.tile(np.array(ends, dtype=np.float64), (len(self), 1, 1))

    def alone(self, limits: FloatArray | None = None) -> FloatArray:
        """Log of the probability that each want alone is met; 0 of what is pursued. (n, n_wants)

        Parameters
        ----------
        limits : (n, n_wants, 2) in place of those of the wants
        """
        logs, of_class = np.zeros((len(self), len(self.wanted.wants))), iter(self.log_classes)
        at = self.limits if limits is None else limits
        for i, want in enumerate(self.wanted.wants):
            if isinstance(want.goal, Is):
                logs[:, i] = next(of_class)
            elif isinstance(want.goal, Within):
                logs[:, i] = self._part(want.names, at, (i,), as_said=limits is None)
        return logs

    def together(self, limits: FloatArray | None = None, without: int | None = None) -> FloatArray:
        """Log of the probability that all wants are met and the melt succeeds. (n,)

        Parameters
        ----------
        limits : (n, n_wants, 2) in place of those of the wants
        without : a want that need not be met
        """
        wants, at = self.wanted.wants, self.limits if limits is None else limits
        is_class = [i for i, want in enumerate(wants) if isinstance(want.goal, Is)]
        counted = [row for row, i in enumerate(is_class) if i != without]
        counted += range(len(is_class), len(self.log_classes))
        logs = self.log_classes[counted].sum(axis=0)
        for part in self.wanted.parts:
            asked = [i for i, want in enumerate(wants) if isinstance(want.goal, Within) and want.names[0] in part]
            if left := tuple(i for i in asked if i != without):
                logs = logs + self._part(part, at, left, as_said=limits is None)
        return np.asarray(logs)

    def value(self) -> FloatArray:
        """What is pursued, expected: larger is better. (n,)"""
        value = np.zeros(len(self))
        for want in self.wanted.wants:
            if isinstance(want.goal, Minimize | Maximize):
                value = value + want.goal.sign * self.expected(want) / want.scale
        return value

    def expected(self, want: Want) -> FloatArray:
        """Expected value of the number that a want is about. (n,)"""
        of = self.about(want)
        return of.scale.moments(of.mean, of.std)[0]

    def about(self, want: Want) -> Normal:
        """The belief about the number that a want is about: on its scale, or of a formula by its first two moments."""
        if want.formula is None:
            return self.normals[want.names[0]]
        values, logs = self._drawn(want.names, np.broadcast_to(_FREE, (len(self), len(want.names), 2)))
        return Normal(LINEAR, *_moments(want.formula.values(values.__getitem__), logs))

    def _part(self, names: Sequence[str], limits: FloatArray, asked: Sequence[int], *, as_said: bool) -> FloatArray:
        """Log of the probability that some limits are kept, all of them about numbers that err together. (n,)"""
        wants = self.wanted.wants
        names = [name for name in names if any(name in wants[i].names for i in asked)]
        computed = [i for i in asked if wants[i].formula is not None]
        if len(names) == 1 and not computed:
            (name,) = names
            low, high = limits[:, asked, 0].max(axis=1), limits[:, asked, 1].min(axis=1)
            return self._single(name, low, high, as_said=as_said)
        own = [[i for i in asked if wants[i].formula is None and wants[i].names[0] == name] for name in names]
        low = np.column_stack([limits[:, of, 0].max(axis=1, initial=-inf) for of in own])
        high = np.column_stack([limits[:, of, 1].min(axis=1, initial=inf) for of in own])
        if not computed:
            standard = [self._standard(name, low[:, k], high[:, k]) for k, name in enumerate(names)]
            a, b = (np.column_stack(ends) for ends in zip(*standard, strict=True))
            return log_rectangle(a, b, self.wanted.between(names))
        values, logs = self._drawn(names, np.stack([low, high], axis=2))
        for i in computed:
            formula = wants[i].formula
            assert formula is not None  # chosen so
            logs = logs + _log_smeared(formula.values(values.__getitem__), logs, limits[:, i])
        return np.asarray(logsumexp(logs, axis=1))

    def _single(self, name: str, low: FloatArray, high: FloatArray, *, as_said: bool) -> FloatArray:
        """Log of the probability that one number is inside limits (n,). (n,)"""
        if as_said and self.measured and len(self) and low[0] < high[0]:
            # What comes out where an alloy is aimed at is not quite normal.
            exact = getattr(self.wanted.numbers[name], "log_measured_inside", None)
            if exact is not None:
                return np.asarray(exact(Within(float(low[0]), float(high[0])), self.alloys))
        inside = self.normals[name].log_probability(low, np.maximum(low, high))
        return np.where(low < high, inside, -inf)

    def _standard(self, name: str, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Limits (n,) of a number in standard deviations from its mean, on its scale. (n,) each"""
        normal = self.normals[name]
        lower, upper = normal.scale.limits(low, high)
        with np.errstate(divide="ignore", invalid="ignore"):
            is_known = normal.std == 0
            a = np.where(is_known, np.where(normal.mean >= lower, -inf, inf), (lower - normal.mean) / normal.std)
            b = np.where(is_known, np.where(normal.mean <= upper, inf, -inf), (upper - normal.mean) / normal.std)
        return a, b

    def _drawn(self, names: Sequence[str], limits: FloatArray) -> tuple[dict[str, FloatArray], FloatArray]:
        """Draws (n, m) of numbers inside limits (n, k, 2), by name, and the log of the weight of each. (n, m)"""
        standard = [self._standard(name, limits[:, k, 0], limits[:, k, 1]) for k, name in enumerate(names)]
        a, b = (np.column_stack(ends) for ends in zip(*standard, strict=True))
        normals, logs = drawn_inside(a, b, self.wanted.between(names))
        values = {}
        for k, name in enumerate(names):
            of = self.normals[name]
            values[name] = of.scale.backward(of.mean[:, None] + of.std[:, None] * normals[:, :, k])
        return values, logs


_FREE = (-inf, inf)


def _normal(belief: Believed, alloys: Alloys, *, measured: bool) -> Normal:
    """The belief about a measurement, or the property itself, on the scale on which it is normal."""
    inner, scale = belief.on_scale()
    told = inner.about(alloys)
    return Normal(scale, told.mean, told.measured_std if measured else told.std)


def _moments(values: FloatArray, logs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of weighted draws (n, m), those without a value left out. (n,) each"""
    weights = np.where(np.isfinite(values), np.exp(logs - logs.max(axis=1, keepdims=True)), 0.0)
    with np.errstate(invalid="ignore"):  # of rows without any the moments are not known
        weights = weights / weights.sum(axis=1, keepdims=True)
        values = np.where(weights > 0, values, 0.0)
        mean = (weights * values).sum(axis=1)
        return mean, np.sqrt((weights * (values - mean[:, None]) ** 2).sum(axis=1))


def _log_smeared(values: FloatArray, logs: FloatArray, limits: FloatArray) -> FloatArray:
    """Log of the probability that each of weighted draws (n, m), smeared, is inside limits (n, 2). (n, m)

    They are drawn together by as much as they are smeared, so that mean and variance stay [West, J. R. Stat. Soc. B 55
    (1993) 409]: of a normal nothing changes.
    """
    mean, std = _moments(values, logs)
    near = mean[:, None] + np.sqrt(1 - SMEARED**2) * (values - mean[:, None])
    spread = np.broadcast_to(SMEARED * std[:, None], near.shape)
    told = Normal(LINEAR, near.ravel(), spread.ravel())
    low, high = (np.repeat(limits[:, end], near.shape[1]) for end in (0, 1))
    return np.where(np.isfinite(values), told.log_probability(low, high).reshape(near.shape), -inf)


def _check_together(wants: Sequence[Want]) -> None:
    """Refuse wants of which no alloy can meet two, whatever it is."""
    for want, other in combinations(wants, 2):
        if (want.names, want.formula) == (other.names, other.formula) and _contradict(want.goal, other.goal):
            raise AlloyloopError(
                f"No alloy meets both '{want.words}' and '{other.words}'", "Take one of them out, or widen it."
            )


def _contradict(one: object, other: object) -> bool:
    """Whether two goals of the same thing leave nothing."""
    match one, other:
        case Within(), Within():
            return max(one.low, other.low) >= min(one.high, other.high)
        case (Is(), Is()) | (Minimize() | Maximize(), Minimize() | Maximize()):
            return one != other
    return False
