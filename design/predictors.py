"""What a screen asks of very many designs: fitted surrogates and descriptors, with bounds where there are any.

A predictor is small and holds no more than it needs, since it is sent to other processes.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from ..surrogates.base import FloatArray, Prediction, Surrogate
from ..surrogates.sweep import Sweep
from .beliefs import Belief
from .classes import ClassBelief, Judge, log_lead, log_odds
from .criteria import Bracket, chance_of, class_of
from .descriptors import descriptor
from .diagram import IntArray
from .features import Alloys, Features


class Predictor(Protocol):
    """One property of very many alloys, asked in numbers that `encode` makes of them; the same for equal `sees`."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def sees(self) -> Hashable: ...  # noqa: D102

    def encode(self, alloys: Alloys) -> FloatArray:
        """Alloys as the predictor sees them. (n, n_features)"""
        ...

    def bounds(self, X: FloatArray, starts: IntArray) -> Bracket:
        """Bounds that hold for every row of each cell; row i of X is in cell j where starts[j] <= i < starts[j + 1]."""
        ...

    def mean(self, X: FloatArray) -> FloatArray | None:
        """Expected values (n,), where they cost less than the whole belief."""
        ...

    def believe(self, X: FloatArray) -> Prediction:
        """What is believed of each row."""
        ...


class _OnFeatures:
    """A predictor that asks a model in the features that it sees."""

    __slots__ = ()
    features: Features

    @property
    def sees(self) -> Features:
        """The features."""
        return self.features

    def encode(self, alloys: Alloys) -> FloatArray:
        """See `Predictor`."""
        return self.features.encode(alloys)


class _OneByOne(_OnFeatures):
    """One of whose model nothing is known of an alloy before it is asked."""

    __slots__ = ()

    def bounds(self, X: FloatArray, starts: IntArray) -> Bracket:
        """See `Predictor`."""
        return Bracket.unknown(len(starts) - 1)

    def mean(self, X: FloatArray) -> None:
        """See `Predictor`."""


@dataclass(frozen=True, slots=True, eq=False)
class Swept(_OnFeatures):
    """A Gaussian process, as a `Sweep`.

    Parameters
    ----------
    name : of the property, with its unit
    features : what the process sees
    sweep : the process
    noise : standard deviation of one measurement about the property, in its unit
    factor : on the standard deviations that the process states, `noise` being stated with it
    """

    name: str
    features: Features
    sweep: Sweep
    noise: float
    factor: float = 1.0

    def bounds(self, X: FloatArray, starts: IntArray) -> Bracket:
        """See `Predictor`."""
        bounds = self.sweep.bounds(X, starts)
        n = len(bounds.mean_low)
        nothing, noise = np.zeros(n), np.full(n, self.noise)
        return Bracket(bounds.mean_low, bounds.mean_high, nothing, self.factor * bounds.std_high, noise)

    def mean(self, X: FloatArray) -> FloatArray:
        """See `Predictor`."""
        return self.sweep.mean(X)

    def believe(self, X: FloatArray) -> Prediction:
        """See `Predictor`."""
        mean, std = self.sweep.mean_and_std(X)
        return Prediction(mean, self.factor * std, np.full(len(mean), self.noise))


@dataclass(frozen=True, slots=True, eq=False)
class Asked(_OneByOne):
    """Any other surrogate: nothing is known of an alloy before it is asked.

    Parameters
    ----------
    name : of the property, with its unit
    features : what the surrogate sees
    surrogate : fitted
    """

    name: str
    features: Features
    surrogate: Surrogate

    def believe(self, X: FloatArray) -> Prediction:
        """See `Predictor`."""
        return self.surrogate.believe(X)


@dataclass(frozen=True, slots=True)
class Described:
    """A descriptor: known without error.

    Parameters
    ----------
    name : of the descriptor
    """

    name: str

    @property
    def sees(self) -> str:
        """The descriptor."""
        return self.name

    def encode(self, alloys: Alloys) -> FloatArray:
        """The value itself. (n, 1)"""
        return descriptor(self.name).function(alloys.fractions, alloys.elements)[:, None]

    def bounds(self, X: FloatArray, starts: IntArray) -> Bracket:
        """See `Predictor`."""
        low, high = (extreme.reduceat(X[:, 0], starts[:-1]) for extreme in (np.fmin, np.fmax))
        nothing = np.zeros(len(low))
        return Bracket(low, high, nothing, nothing, nothing)

    def mean(self, X: FloatArray) -> FloatArray:
        """See `Predictor`."""
        return X[:, 0]

    def believe(self, X: FloatArray) -> Prediction:
        """See `Predictor`."""
        nothing = np.zeros(len(X))
        return Prediction(X[:, 0], nothing, nothing)


@dataclass(frozen=True, slots=True, eq=False)
class Classed(_OneByOne):
    """How likely one class of a property is: a logarithm of odds, known without error once an alloy is asked.

    Parameters
    ----------
    of : name of the property
    label, code : of the class, and its number
    features : what the classifier sees
    classifier : fitted
    against : the odds are those against all other classes together, or against the likeliest of them
    """

    of: str
    label: str
    code: int
    features: Features
    classifier: Judge
    against: Literal["all", "likeliest"] = "all"

    @property
    def name(self) -> str:
        """As criteria ask for it."""
        return (chance_of if self.against == "all" else class_of)(self.of, self.label)

    def believe(self, X: FloatArray) -> Prediction:
        """See `Predictor`."""
        odds, nothing = log_odds if self.against == "all" else log_lead, np.zeros(len(X))
        return Prediction(odds(self.classifier.predict_proba(X), self.code), nothing, nothing)


def class_predictors(belief: ClassBelief) -> dict[str, Classed]:
    """Predictors of each class of a property, by the names that criteria ask for."""
    name, seen, fitted = belief.evidence.property, belief.features, belief.classifier
    found: dict[str, Classed] = {}
    for code, label in enumerate(belief.labels):
        found[chance_of(name, label)] = Classed(name, label, code, seen, fitted)
        found[class_of(name, label)] = Classed(name, label, code, seen, fitted, "likeliest")
    return found


def predictor(belief: Belief) -> Predictor:
    """The quickest predictor of what is believed of a property."""
    from ..surrogates.gaussian_process import GaussianProcess
    from ..surrogates.widened import Widened

    name, fitted, factor = belief.evidence.property, belief.surrogate, 1.0
    if isinstance(fitted, Widened):
        fitted, factor = fitted.surrogate_, fitted.factor
    if isinstance(fitted, GaussianProcess) and not belief.features.columns:  # which no design knows
        return Swept(name, belief.features, Sweep.of(fitted), factor * fitted.noise_, factor)
    return Asked(name, belief.features, belief.surrogate)
