"""Of which class an alloy is believed to be: features and a classifier together, chosen by evidence if asked to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..surrogates.base import FloatArray
from ..surrogates.classifiers import Classifier, classifier
from .beliefs import LEAST_COMPARED, Choice, Evidence, Option, left_out_together
from .features import Alloys, Features

Codes = NDArray[np.intp]

# Nothing is taken for likelier or less likely than this, whatever a classifier says: odds stay finite.
LEAST_PROBABILITY = 1e-12


class Judge(Protocol):
    """What is asked of a fitted classifier, or of what stands for one."""

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """Probabilities (n, k) of the classes of each row of X (n, n_features); rows sum to 1."""
        ...


@dataclass(frozen=True, slots=True)
class OneClass:
    """All that can be said where every row is of one class: how many rows there are that could have been of another.

    Parameters
    ----------
    code : of the class that was seen
    n_rows : how many rows were of it
    n_classes : how many classes there are

    Notes
    -----
    Of n rows that were all alike, the next is so too with probability (n + 1/2) / (n + 1): the mean of a share under
    Jeffreys's prior, a beta distribution of 1/2 and 1/2. What is left is shared among the others.

    References
    ----------
    Jeffreys, Proc. R. Soc. A 186 (1946) 453.

    Examples
    --------
    >>> OneClass(code=0, n_rows=9, n_classes=2).predict_proba(np.empty((1, 3)))
    array([[0.95, 0.05]])
    """

    code: int
    n_rows: int
    n_classes: int

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        """The same for every row. (n, k)"""
        others = 0.5 / (self.n_rows + 1) if self.n_classes > 1 else 0.0
        shares = np.full(self.n_classes, others / max(self.n_classes - 1, 1))
        shares[self.code] = 1 - others
        return np.tile(shares, (len(np.asarray(X)), 1))


@dataclass(frozen=True, slots=True, eq=False)
class ClassBelief:
    """A fitted classifier with the features it sees, asked in alloys.

    Parameters
    ----------
    evidence : what it learned from; its values are numbers of classes, from 0
    labels : the k classes
    features : how alloys become the classifier's numbers
    classifier : fitted on them
    """

    evidence: Evidence
    labels: tuple[str, ...]
    features: Features
    classifier: Judge

    def about(self, alloys: Alloys) -> FloatArray:
        """Probabilities of the classes of each alloy. (n, k)"""
        return np.asarray(self.classifier.predict_proba(self.features.encode(alloys)))

    def log_probability(self, alloys: Alloys, label: str) -> FloatArray:
        """Log of the probability that each alloy is of one class. (n,)"""
        return np.log(np.maximum(self.about(alloys)[:, self.labels.index(label)], LEAST_PROBABILITY))

    @property
    def seen(self) -> tuple[str, ...]:
        """The classes that rows are of."""
        return tuple(self.labels[code] for code in np.unique(codes_of(self.evidence)))


def codes_of(evidence: Evidence) -> Codes:
    """(n,) the number of the class of each row."""
    return evidence.values.astype(np.intp)


def log_odds(probabilities: FloatArray, code: int) -> FloatArray:
    """Log of how many times as likely one class is as all others together. (n, k) -> (n,)

    Examples
    --------
    >>> log_odds(np.array([[0.9, 0.1], [0.5, 0.5]]), 0).round(3)
    array([2.197, 0.   ])
    """
    return _log(probabilities[:, code]) - _log(np.delete(probabilities, code, axis=1).sum(axis=1))


def log_lead(probabilities: FloatArray, code: int) -> FloatArray:
    """Log of how many times as likely one class is as the likeliest other; 0 or more where none is likelier. (n,)

    Examples
    --------
    >>> log_lead(np.array([[0.4, 0.3, 0.3], [0.3, 0.3, 0.4]]), 0).round(3)
    array([ 0.288, -0.288])
    """
    return _log(probabilities[:, code]) - _log(np.delete(probabilities, code, axis=1).max(axis=1, initial=0.0))


def _log(probabilities: FloatArray) -> FloatArray:
    return np.log(np.maximum(probabilities, LEAST_PROBABILITY))


def learn_classes(evidence: Evidence, labels: tuple[str, ...], option: Option) -> ClassBelief:
    """Fit one option to the evidence; where its rows are all of one class, count them.

    Parameters
    ----------
    evidence : what there is to learn from, at least one row; values are numbers of classes
    labels : the classes
    option : a classifier by its name, and what it sees
    """
    codes = codes_of(evidence)
    if np.ptp(codes) == 0:
        return ClassBelief(evidence, labels, option.features, OneClass(int(codes[0]), len(codes), len(labels)))
    return ClassBelief(evidence, labels, option.features, _fitted(evidence, labels, option))


def _fitted(evidence: Evidence, labels: tuple[str, ...], option: Option) -> Classifier:
    X, (together, words) = option.features.encode(evidence.alloys), left_out_together(evidence)
    source = None if words == "rows" else together.astype(np.str_)  # equal rows it finds by itself
    return classifier(option.model, n_classes=len(labels)).fit(X, codes_of(evidence), source=source)


def choose_classes(
    evidence: Evidence,
    labels: tuple[str, ...],
    options: Mapping[str, Option],
    in_time: Callable[[], bool] = lambda: True,
    fitted: dict[str, ClassBelief] | None = None,
) -> Choice:
    """Choose the option that makes the classes of rows left out likeliest.

    Each option is fitted once: it says itself what it believes of its rows where it has not seen them.

    Parameters
    ----------
    evidence : what there is to learn from
    labels : the classes
    options : by name; where there are too few rows to compare, or all are of one class, the first is taken
    in_time : asked before each option but the first; where it says no, the options not yet tried are left out, and the
        reason says so
    fitted : where the fits are left, by option: what `learn_classes` would make again
    """
    names, codes, n = list(options), codes_of(evidence), len(evidence)
    if np.ptp(codes) == 0:
        return Choice(names[0], f"All {n} rows are {labels[codes[0]]}, so that there is nothing to tell apart.")
    if n < LEAST_COMPARED:
        few = f"{n} rows are too few to compare models on."
        return Choice(names[0], "campaign.yaml leaves no other." if len(names) == 1 else few)
    losses: dict[str, float] = {}
    untried = []
    for name, option in options.items():
        if losses and not in_time():
            untried.append(name)
        else:
            model = _fitted(evidence, labels, option)
            if fitted is not None:
                fitted[name] = ClassBelief(evidence, labels, option.features, model)
            held_out = model.held_out_
            losses[name] = float(-_log(held_out[np.arange(n), codes]).mean())
    ranked = sorted(losses, key=losses.__getitem__)
    told = "; ".join(f"{name} {losses[name]:.3f}" for name in ranked)
    by_count = f"class frequencies {_loss_of_frequencies(codes, len(labels)):.3f}"
    if len(losses) == 1 and not untried:
        why = f"campaign.yaml leaves no other. On rows left out its mean log loss was {told}; {by_count}."
    else:
        why = f"It had the least mean log loss on rows left out: {told}; {by_count}."
    if untried:
        why += f" Not tried, for want of time: {', '.join(untried)}."
    return Choice(ranked[0], why)


def _loss_of_frequencies(codes: Codes, n_classes: int) -> float:
    """Mean log loss of believing that the class of each row is as likely as it is frequent among the others.

    Each class counts half a row more than there are, so that none is impossible.
    """
    others = np.bincount(codes, minlength=n_classes)[codes] - 1
    return float(-np.log((others + 0.5) / (len(codes) - 1 + 0.5 * n_classes)).mean())
