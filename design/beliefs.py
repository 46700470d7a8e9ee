"""What is believed of each property of an alloy: features and a surrogate together, chosen by evidence where asked to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray, Prediction, Surrogate, surrogate
from .features import Alloys, Features


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The measurements of one property.

    Parameters
    ----------
    property : its name, with its unit
    alloys : the n alloys measured
    values : (n,) measured values, means of replicates where there were several
    noise : (n,) standard error of each value, NaN where not known
    sources : (n,) the paper, laboratory or heat each row came from, empty where not known
    """

    property: str
    alloys: Alloys
    values: FloatArray
    noise: FloatArray
    sources: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.values)

    def rows(self, chosen: NDArray[np.bool_]) -> Evidence:
        """Some of the measurements."""
        return Evidence(
            self.property, self.alloys.rows(chosen), self.values[chosen], self.noise[chosen], self.sources[chosen]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Belief:
    """A fitted surrogate with the features it sees, asked in alloys.

    Parameters
    ----------
    evidence : what it learned from
    features : how alloys become the surrogate's numbers
    surrogate : fitted on them
    """

    evidence: Evidence
    features: Features
    surrogate: Surrogate

    def about(self, alloys: Alloys) -> Prediction:
        """What is believed of the property of each alloy, and of a measurement of it."""
        return self.surrogate.believe(self.features.encode(alloys))

    def covariance(self, some: Alloys, others: Alloys) -> FloatArray:
        """Posterior covariance of the property between alloys. (n_some, n_others)"""
        return self.surrogate.covariance(self.features.encode(some), self.features.encode(others))


@dataclass(frozen=True, slots=True)
class Option:
    """A model and the features it would see.

    Parameters
    ----------
    model : a name that `alloyloop.surrogates.surrogate` knows
    features : what it sees
    """

    model: str
    features: Features


@dataclass(frozen=True, slots=True)
class Choice:
    """Which option was chosen for a property, and why.

    Parameters
    ----------
    name : of the option
    why : one sentence
    """

    name: str
    why: str


def learn(evidence: Evidence, option: Option) -> Belief:
    """Fit one option to the evidence."""
    model = surrogate(option.model).fit(
        option.features.encode(evidence.alloys), evidence.values, noise=evidence.noise
    )
    return Belief(evidence, option.features, model)
