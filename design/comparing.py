"""Which way to believe errs least on alloys not seen: options, the choice among them, and what they must beat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray, Prediction
from ..surrogates.explain import Tuned, tuned_of
from .beliefs import Belief, Evidence, Option, choose, learn_chosen, sources_of
from .classes import choose_classes, codes_of, learn_classes
from .diagram import IntArray
from .features import Alloys, designs
from .formulas import spelled
from .process import Condition

if TYPE_CHECKING:
    from ..surrogates.scores import Fold, Forecasts

# Fewer designs than this cannot be parted into folds that say anything.
LEAST_DESIGNS = 5
N_FOLDS = 5
# Up to so many sources, each is left out alone; more of them in N_FOLDS parts.
MOST_ALONE = 20
# Of the spread of the property: no baseline claims to err less, as no surrogate does.
LEAST_SCATTER = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What was learned from some evidence.

    Parameters
    ----------
    name : of the option that was taken
    about : what is believed of alloys
    tuned : what it chose for itself; None where it chooses nothing, and of a blend
    """

    name: str
    about: Callable[[Alloys], Prediction]
    tuned: Tuned | None = None


Learner: TypeAlias = Callable[[Evidence], Learned]
Variations: TypeAlias = Callable[[Evidence, str, Option], Mapping[str, Option]]


def choosing(options: Mapping[str, Option], variations: Variations = lambda known, name, option: {}) -> Learner:
    """A learner that does as a campaign does: it chooses an option, and the width of intervals, by its own evidence.

    Of a single option it finds only the width.

    Parameters
    ----------
    options : by name
    variations : further options, by name, that some evidence suggests of the best
    """

    def learner(known: Evidence) -> Learned:
        offered, fitted = dict(options), dict[str, Belief]()

        def more(name: str, option: Option) -> Mapping[str, Option]:
            varied = variations(known, name, option)
            offered.update(varied)
            return varied

        choice = choose(known, options, variations=more, fitted=fitted)
        # A blend is named by its parts alone: their weights differ from one training part to the next.
        name = " + ".join(sorted(part.name for part in choice.parts)) or choice.name
        belief = learn_chosen(known, offered, choice, fitted)
        return Learned(name, belief.about, tuned_of(belief.surrogate))

    return learner


def mean_baseline(known: Evidence) -> Learned:
    """Believe the mean of every alloy, give or take the spread: what a model must beat to have learned anything."""
    from ..surrogates.scores import MeanBaseline

    return _baseline("mean", MeanBaseline(), lambda alloys: np.zeros((len(alloys), 1)), known)


def mixture_baseline(known: Evidence) -> Learned:
    """Believe a mean of the elements weighted by their atomic fractions, their values fitted to the evidence."""
    from ..surrogates.scores import LinearMixture

    return _baseline("linear mixture", LinearMixture(), lambda alloys: alloys.fractions, known)


def _baseline(name: str, model: Any, encode: Callable[[Alloys], FloatArray], known: Evidence) -> Learned:
    from ..surrogates.measurements import spread

    exact = known.exact
    model.fit(encode(known.alloys)[exact], known.values[exact])
    least = LEAST_SCATTER * spread(known.values[exact])

    def about(alloys: Alloys) -> Prediction:
        mean, std = model.predict(encode(alloys), return_std=True)
        return Prediction(mean, np.zeros(len(mean)), np.maximum(std, least))

    return Learned(name, about)


def without_process(option: Option) -> Option | None:
    """The option without process variables and formulas of them (conditions of testing stay); None where it has none.

    None as well where it would see nothing else.
    """
    seen = option.features
    gone = {spelled(variable.name) for variable in seen.process if not isinstance(variable, Condition)}
    process = tuple(variable for variable in seen.process if isinstance(variable, Condition))
    formulas = tuple(formula for formula in seen.formulas if gone.isdisjoint(map(spelled, formula.names)))
    others = (seen.composition, seen.descriptors, seen.tables, seen.columns, seen.calphad, process, formulas)
    if not gone or not any(others):
        return None
    return replace(option, features=replace(seen, process=process, formulas=formulas))


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """How a learner did on rows that it had not seen, fold by fold.

    Parameters
    ----------
    rows : (n,) the rows judged, by index into the evidence: those whose value is not only a bound
    held_out : what was believed of each by the model that had not seen it
    train : scores of the same models on their own training rows, means over the folds
    taken : the option that was taken in each fold
    tuned : what it chose for itself in each; None where it chooses nothing
    """

    rows: IntArray
    held_out: Forecasts
    train: Mapping[str, float]
    taken: tuple[str, ...]
    tuned: tuple[Tuned | None, ...] = ()


def judged(evidence: Evidence, learner: Learner, folds: Sequence[Fold]) -> Judged:
    """Learn from each training part alone, and lay what is then believed of the rows left out beside their values.

    Parameters
    ----------
    evidence : of one property
    learner : sees nothing but the evidence of a training part, and so chooses nothing by the rows it is judged by
    folds : every row is left out at most once
    """
    from ..surrogates.scores import Forecasts

    rows, held_out, train, taken, tuned = [], [], [], [], []
    for seen, unseen in folds:
        known, asked = evidence.rows(seen), unseen[evidence.exact[unseen]]
        learned = learner(known)
        rows.append(asked)
        held_out.append(Forecasts.of(evidence.values[asked], learned.about(evidence.alloys.rows(asked))))
        own = known.rows(known.exact)
        train.append(Forecasts.of(own.values, learned.about(own.alloys)).scores)
        taken.append(learned.name)
        tuned.append(learned.tuned)
    order = np.argsort(np.concatenate(rows))
    means = {name: float(np.mean([scores[name] for scores in train])) for name in train[0]}
    told = Forecasts.joined(held_out).rows(order)
    return Judged(np.concatenate(rows)[order], told, means, tuple(taken), tuple(tuned))


ClassLearner: TypeAlias = Callable[[Evidence], Callable[[Alloys], FloatArray]]
"""Learns from evidence whose values are numbers of classes; what it made says their probabilities (n, k) of alloys."""


def frequencies(n_classes: int) -> ClassLearner:
    """Believe of every alloy that its class is as likely as it is frequent: what a classifier must beat."""

    def learner(known: Evidence) -> Callable[[Alloys], FloatArray]:
        shares = np.bincount(codes_of(known), minlength=n_classes) / len(known)
        return lambda alloys: np.tile(shares, (len(alloys), 1))

    return learner


def choosing_classes(labels: tuple[str, ...], options: Mapping[str, Option]) -> ClassLearner:
    """A learner that does as a campaign does: it chooses an option by its own evidence; a single one it only fits."""

    def learner(known: Evidence) -> Callable[[Alloys], FloatArray]:
        alone = len(options) == 1
        name = next(iter(options)) if alone else choose_classes(known, labels, options).name
        return learn_classes(known, labels, options[name]).about

    return learner


@dataclass(frozen=True, slots=True, eq=False)
class JudgedClasses:
    """How a learner of classes did on rows that it had not seen, and on its own.

    Parameters
    ----------
    scores, train : `accuracy`, `recall`, `auc` and `log_loss` on the rows left out, and on training rows; the area
        under the curve and all of `train` are means over the folds
    confusion, train_confusion : (k, k) how many rows of each class were taken for each; in training, the mean of folds
    rows : (n,) the rows judged, by index into the evidence
    losses : (n,) of each, minus the logarithm of the probability of what came
    """

    scores: Mapping[str, float]
    train: Mapping[str, float]
    confusion: FloatArray
    train_confusion: FloatArray
    rows: IntArray
    losses: FloatArray


def judged_classes(evidence: Evidence, n_classes: int, learner: ClassLearner, folds: Sequence[Fold]) -> JudgedClasses:
    """The same as `judged` for a property whose values are numbers of classes, from 0 to n_classes - 1."""
    from ..surrogates.scores import LEAST_PROBABILITY, auc, class_scores, confusion

    truth = codes_of(evidence)
    probabilities = np.full((len(evidence), n_classes), np.nan)
    areas, train, train_confusions = [], [], []
    for seen, unseen in folds:
        about = learner(evidence.rows(seen))
        probabilities[unseen], own = about(evidence.alloys.rows(unseen)), about(evidence.alloys.rows(seen))
        areas.append(auc(truth[unseen], probabilities[unseen]))
        train.append({**class_scores(truth[seen], own), "auc": auc(truth[seen], own)})
        train_confusions.append(confusion(truth[seen], own))
    rows = np.sort(np.concatenate([unseen for _, unseen in folds]))
    return JudgedClasses(
        {**class_scores(truth[rows], probabilities[rows]), "auc": _mean(areas)},
        {name: _mean([scores[name] for scores in train]) for name in train[0]},
        confusion(truth[rows], probabilities[rows]),
        np.mean(train_confusions, axis=0),
        rows,
        -np.log(np.maximum(probabilities[rows, truth[rows]], LEAST_PROBABILITY)),
    )


def mean_advantage(losses: FloatArray, others: FloatArray, groups: NDArray[Any]) -> tuple[float, float]:
    """How much larger the mean loss of others is, and the standard error of that, had other groups been measured.

    Parameters
    ----------
    losses, others : (n,) losses of two models at the same rows
    groups : (n,) rows of one group, such as a paper, err together: the error is that of a mean of clusters

    References
    ----------
    Liang and Zeger, Biometrika 73 (1986) 13, eq. 7 for a mean.

    Examples
    --------
    >>> more, error = mean_advantage(np.zeros(4), np.array([1.0, 1.0, 3.0, 3.0]), np.array(["a", "a", "b", "b"]))
    >>> more, round(error, 3)
    (2.0, 0.707)
    """
    difference = others - losses
    off = difference - difference.mean()
    sums = np.bincount(np.unique(groups, return_inverse=True)[1].ravel(), off)
    return float(difference.mean()), float(np.sqrt((sums**2).sum()) / len(off))


def _mean(values: Sequence[float]) -> float:
    """The mean of those that are defined; NaN where none is."""
    defined = [value for value in values if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")


def random_folds(evidence: Evidence, seed: int) -> list[Fold]:
    """Fifths chosen by lot; rows of one design stay together, or a repeat would be predicted from its twin."""
    from ..surrogates.scores import group_folds

    return group_folds(designs(evidence.alloys), N_FOLDS, seed)


def source_folds(evidence: Evidence, seed: int) -> list[Fold]:
    """Whole sources: each alone, or, of more than `MOST_ALONE`, fifths of them chosen by lot."""
    from ..surrogates.scores import group_folds

    sources = sources_of(evidence)
    return group_folds(sources, N_FOLDS, seed) if by_lot(evidence) else group_folds(sources)


def by_lot(evidence: Evidence) -> bool:
    """Whether lots decide which sources are left out together, so that a repeat can differ from the first."""
    return len(np.unique(sources_of(evidence))) > MOST_ALONE


def why_not_random(evidence: Evidence) -> str:
    """Why no rows can be held out, in words; empty where they can."""
    n_designs, values = len(np.unique(designs(evidence.alloys))), evidence.values[evidence.exact]
    if not len(values):
        return "no row has a value"
    if n_designs < LEAST_DESIGNS:
        return f"{n_designs} different designs are too few: {LEAST_DESIGNS} or more can be held out in turn"
    if np.ptp(values) == 0:
        return f"all its values are {values[0]:g}, so that there is nothing to predict"
    return ""


def why_not_by_source(evidence: Evidence) -> str:
    """Why no whole sources can be left out, in words; empty where they can."""
    if not np.any(evidence.sources != ""):
        return "no row names its source"
    if len(np.unique(sources_of(evidence))) == 1:
        return f"all rows are from one source, {evidence.sources[0]}"
    return ""
