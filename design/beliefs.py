"""What is believed of a property of an alloy: features and a surrogate together, chosen by evidence if asked to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

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
    model = surrogate(option.model).fit(option.features.encode(evidence.alloys), evidence.values, noise=evidence.noise)
    return Belief(evidence, option.features, model)


# Below this many rows a comparison is a draw of lots: the first option is taken.
LEAST_COMPARED = 12
# Below this many sources, rows are held out by lot and not by source.
LEAST_SOURCES = 5
N_FOLDS = 5
# An option whose 90 % intervals hold fewer held-out rows than this is taken only where no other is more honest: what is
# melted next hangs on the spread as much as on the mean.
LEAST_HELD = 0.7


def choose(evidence: Evidence, options: Mapping[str, Option]) -> Choice:
    """Choose the option that errs least on held-out rows, of those that know how much they err.

    Whole sources are held out together, since rows of one paper resemble each other more than the next alloy will. By
    the error and not by likelihood, in which one misprinted row can weigh more than all that models differ in.

    Parameters
    ----------
    evidence : what there is to learn from; a row without a source is a source of its own
    options : by name; where there are too few rows to compare, the first is taken
    """
    names = list(options)
    if len(names) == 1:
        return Choice(names[0], "campaign.yaml leaves no other.")
    if len(evidence) < LEAST_COMPARED:
        return Choice(names[0], f"{len(evidence)} rows are too few to compare models on.")
    from ..surrogates.scores import Scores, group_folds, held_out, shuffled_folds

    named = evidence.sources != ""
    sources = np.where(named, evidence.sources, [f"row {i}" for i in range(len(evidence))])
    by_source = bool(named.any()) and len(np.unique(sources)) >= LEAST_SOURCES
    folds = group_folds(sources, N_FOLDS) if by_source else shuffled_folds(len(evidence), N_FOLDS)
    scores: dict[str, Scores] = {}
    for name, option in options.items():
        X = option.features.encode(evidence.alloys)
        beliefs = held_out(partial(surrogate, option.model), X, evidence.values, folds, evidence.noise)
        scores[name] = Scores.of(evidence.values, *beliefs)
    ranked = sorted(names, key=lambda name: (scores[name].coverage90 < LEAST_HELD, scores[name].rmse))
    told = "; ".join(
        f"{name} {scores[name].rmse:.3g} (90 % intervals held {scores[name].coverage90:.0%})" for name in ranked
    )
    how = "whole sources" if by_source else "rows"
    return Choice(ranked[0], f"With {how} left out it erred least. RMSE: {told}.")
