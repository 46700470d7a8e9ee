"""Why a belief is what it is, asked in alloys: what matters, what each thing does, which data speak, which disagree.

An amount cannot change alone, since amounts sum to 100. Where one element is shuffled among alloys, its others are
scaled to leave it room; where one is varied or gone over to, the balance pays, as it does in a furnace.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray, Prediction
from ..surrogates.explain import (
    BoolArray,
    Rise,
    Shares,
    deviations,
    discounted_by,
    left_out_one_by_one,
    relevances_of,
    rise_of_error,
    shap_shares,
    shapley,
)
from ..surrogates.left_out import N_FOLDS
from .beliefs import Belief, Evidence, held_out_folds
from .composition import amounts_in, atomic_fractions
from .diagram import IntArray
from .distances import distances, far
from .features import Alloys, Column, Features, Treatment
from .process import Choice, Condition, Numeric
from .space import DesignSpace

Learner: TypeAlias = Callable[[Evidence], Belief]
# What is expected where some things (n, n_things) of rows have gone over to alloys: (n,) which rows, (n,) which alloys.
Mixtures: TypeAlias = Callable[[BoolArray, NDArray[np.intp], NDArray[np.intp]], FloatArray]
Kind: TypeAlias = Literal["element", "process", "condition", "column"]

Name = TypeVar("Name")

N_SHUFFLES = 20
# Background rows of a sharing: more say little more of the mean of the data, and each costs 2^8 predictions.
MOST_BACKGROUND = 128
# The same where phases are seen, which take a twentieth of a second for each alloy.
FEW_SHUFFLES, FEW_BACKGROUND = 3, 16
# Background rows of SHAP values of one alloy; and, of those of a whole table, of its rows and of background rows.
SHAP_BACKGROUND = 50
MOST_MOVED, MOVED_BACKGROUND = 40, 25
# Points of an effect curve.
N_POINTS = 25
# A row that lies further than this many standard deviations from what the others say of it is worth a look.
SUSPECT = 3.0


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that can differ: an element's amount, a process variable, a condition, a further column of the table.

    Parameters
    ----------
    name : `Nb`, `solution_temperature_C`
    kind : what it is
    """

    name: str
    kind: Kind


def things(space: DesignSpace, alloys: Alloys, features: Features, *, balance: bool = True) -> tuple[Thing, ...]:
    """What differs among alloys: elements, foreign ones too, then process variables, conditions and further columns.

    Parameters
    ----------
    features : whose further columns of the table are meant
    balance : whether the balance is among the elements; where it pays for the others it is not
    """
    last = space.elements[-1] if space.elements and not balance else ""
    varied = np.ptp(alloys.fractions, axis=0) > 0 if len(alloys) else np.zeros(len(alloys.elements), dtype=bool)
    found = [
        Thing(element, "element")
        for element, varies in zip(alloys.elements, varied, strict=True)
        if varies and element != last
    ]
    for name, kind in _named(space, features).items():
        if name in alloys.process and len({str(value) for value in alloys.process[name].tolist()}) > 1:
            found.append(Thing(name, kind))
    return tuple(found)


def _named(space: DesignSpace, features: Features) -> dict[str, Kind]:
    """What process values are, by name."""
    kinds: dict[str, Kind] = {variable.name: "process" for variable in space.process}
    kinds.update({condition.name: "condition" for condition in space.conditions})
    kinds.update({column.name: "column" for column in features.columns})
    return kinds


# -- what matters -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """What is believed of every row by models that did not see it.

    Parameters
    ----------
    evidence : the rows
    beliefs : one of each fold
    fold : (n,) which of them did not see the row
    left_out : what was left out together: `whole sources`, or `rows` by lot
    """

    evidence: Evidence
    beliefs: tuple[Belief, ...]
    fold: IntArray
    left_out: str

    def means(self, alloys: Alloys) -> FloatArray:
        """What is expected of alloys that stand where the rows stand, each by the model that did not see its row.

        Parameters
        ----------
        alloys : as many as there are rows, or that many several times over

        Returns
        -------
        of each; NaN where its features cannot be computed
        """
        fold = np.tile(self.fold, len(alloys) // len(self.evidence))
        means = np.empty(len(alloys))
        for i, belief in enumerate(self.beliefs):
            means[fold == i] = _means(belief, alloys.rows(fold == i))
        return means

    def residuals(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Of each row: what was expected, the standard deviation of that, and how many of them it was missed by."""
        told = np.empty((3, len(self.evidence)))
        for i, belief in enumerate(self.beliefs):
            rows = self.evidence.rows(self.fold == i)
            told[:, self.fold == i] = _residuals(belief.about(rows.alloys), rows.values)
        return told[0], told[1], told[2]


def _means(belief: Belief, alloys: Alloys) -> FloatArray:
    """Expected values (n,), NaN of alloys whose features cannot be computed."""
    known = belief.features.known(alloys)
    means = np.full(len(alloys), np.nan)
    if known.any():
        means[known] = belief.about(alloys.rows(known)).mean
    return means


def _residuals(prediction: Prediction, values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    return prediction.mean, prediction.measured_std, deviations(prediction, values)


def held_out(evidence: Evidence, learner: Learner) -> HeldOut | None:
    """Learn in folds: whole sources left out where there are enough, else rows by lot.

    The folds are those by which a model is chosen; a row without a source is a source of its own.

    Returns
    -------
    None for fewer measured values than folds, or where one fold holds them all
    """
    if evidence.exact.sum() < N_FOLDS:
        return None
    folds, left_out = held_out_folds(evidence)
    fold = np.empty(len(evidence), dtype=np.int64)
    for i, (_, judged) in enumerate(folds):
        fold[judged] = i
    if not all(evidence.exact[fold != i].any() for i in range(len(folds))):
        return None
    beliefs = tuple(learner(evidence.rows(fold != i)) for i in range(len(folds)))
    return HeldOut(evidence, beliefs, fold, left_out)


@dataclass(frozen=True, slots=True)
class Importance:
    """How much a model's error on rows that it did not see rises where one thing is shuffled among them."""

    thing: Thing
    rise: Rise


def importances(space: DesignSpace, held: HeldOut, rng: np.random.Generator) -> tuple[Importance, ...]:
    """What the model needs to know, most needed first.

    Each thing of the design is shuffled among all rows, `N_SHUFFLES` times (`FEW_SHUFFLES` where phases are seen); of
    every alloy the model that did not see its row is asked. Two things that tell the same are each needed little: the
    other one stands in. An alloy whose features cannot be computed once something of it is shuffled keeps its own.
    """
    known = held.evidence
    exact = known.exact
    mean = held.means(known.alloys)
    n_shuffles = FEW_SHUFFLES if held.beliefs[0].features.calphad is not None else N_SHUFFLES
    again = np.tile(np.arange(len(known)), n_shuffles)
    found = []
    for thing in things(space, known.alloys, held.beliefs[0].features):
        order = rng.permuted(again.reshape(n_shuffles, -1), axis=1).ravel()
        asked = held.means(with_shuffled(known.alloys.rows(again), thing, order)).reshape(n_shuffles, -1)
        shuffled = np.where(np.isfinite(asked), asked, mean)
        found.append(Importance(thing, rise_of_error(known.values[exact], mean[exact], shuffled[:, exact])))
    return tuple(sorted(found, key=lambda importance: -importance.rise.mean))


def with_shuffled(alloys: Alloys, thing: Thing, order: IntArray) -> Alloys:
    """Alloys of which each has one thing of another.

    An element comes with its atomic fraction, and the alloy's other elements keep their proportions; a pure element,
    which has no others, stays as it is.

    Parameters
    ----------
    order : (n,) the alloy that each takes it from
    """
    if thing.kind != "element":
        return Alloys(
            alloys.elements, alloys.fractions, {**alloys.process, thing.name: alloys.process[thing.name][order]}
        )
    column = alloys.elements.index(thing.name)
    old = alloys.fractions[:, column]
    others = 1 - old
    new = np.where(others > 1e-12, old[order], old)
    scale = np.divide(1 - new, others, out=np.ones_like(others), where=others > 1e-12)
    fractions = alloys.fractions * scale[:, None]
    fractions[:, column] = new
    return Alloys(alloys.elements, fractions / fractions.sum(axis=1, keepdims=True), alloys.process)


def relevances(belief: Belief) -> dict[str, float] | None:
    """How much a Gaussian process attends to each feature, summing to 1; None of a model that does not say.

    The columns of a choice, and of a number with what says that it is known, are one feature.
    """
    told = relevances_of(belief.surrogate, len(belief.features.names))
    if told is None:
        return None
    summed: dict[str, float] = {}
    for name, share in zip(belief.features.names, told.tolist(), strict=True):
        feature = _feature(belief.features, name)
        summed[feature] = summed.get(feature, 0.0) + share
    return dict(sorted(summed.items(), key=lambda item: -item[1]))


def _feature(features: Features, column: str) -> str:
    """The process variable, element or descriptor that a column of the features belongs to."""
    for variable in features.process:
        if column in (variable.name, f"{variable.name} known"):
            return variable.name
        if isinstance(variable, Choice) and column in {f"{variable.name}={choice}" for choice in variable.choices}:
            return variable.name
    return column.removesuffix("_fraction")


# -- what each thing does ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """What is expected of one alloy when one thing of it is varied.

    Parameters
    ----------
    thing : an element, whose amounts are in the space's basis [%] and are paid for by the balance; or a process
        variable or condition, in its unit
    values : (n,) numbers, or choices
    prediction : (n,) at each
    inside : (n,) whether the data support it: near a row, and within what the rows have of the thing
    data : what the rows that were learned from have of it, ascending, the unknown left out
    """

    thing: Thing
    values: NDArray[Any]
    prediction: Prediction
    inside: BoolArray
    data: NDArray[Any]


def effects(space: DesignSpace, belief: Belief, base: Alloys) -> tuple[Effect, ...]:
    """Vary each element of the space, process variable, condition and further column of one alloy over its range.

    Parameters
    ----------
    base : the one alloy, over the elements of the evidence
    """
    known = belief.evidence.alloys
    limit = far(space, known)
    asked: list[tuple[Thing, NDArray[Any], Alloys, NDArray[Any]]] = []
    for column, element in enumerate(space.elements[:-1]):
        amounts, made = _varied_element(space, base, column)
        in_data = percent(space, known)[:, column]
        asked.append((Thing(element, "element"), amounts, made, in_data))
    kinds = _named(space, belief.features)
    for variable in (*space.process, *space.conditions, *belief.features.columns):
        in_data = known.process[variable.name]
        values = _range(variable, in_data)
        many = base.rows(np.zeros(len(values), dtype=np.int64))
        made = Alloys(base.elements, many.fractions, {**many.process, variable.name: values})
        asked.append((Thing(variable.name, kinds[variable.name]), values, made, in_data))
    found = []
    for thing, values, made, in_data in asked:
        had = np.array(sorted(value for value in in_data.tolist() if value is not None and value == value))
        told = belief.features.known(made)
        if told.sum() < 2:
            continue  # nothing to draw a curve through
        made, values = made.rows(told), values[told]
        near = distances(space, made, known).min(axis=1) <= limit
        found.append(Effect(thing, values, belief.about(made), near & _within(values, had), had))
    return tuple(found)


def percent(space: DesignSpace, alloys: Alloys) -> FloatArray:
    """Amounts in the space's basis [%]. (n, n_elements)"""
    return amounts_in(alloys.fractions, alloys.elements, space.basis)


def _varied_element(space: DesignSpace, base: Alloys, column: int) -> tuple[FloatArray, Alloys]:
    """Amounts of an element over its bounds, as far as the balance can pay, and the alloys with them."""
    own = percent(space, base)[0]
    balance = space.n_elements - 1
    (low, high), least = space.bounds[:, column], space.bounds[0, balance]
    paying = own[column] + own[balance] - min(least, own[balance])
    amounts = np.linspace(low, max(low, min(high, paying)), N_POINTS)
    made = np.tile(own, (len(amounts), 1))
    made[:, balance] = np.maximum(own[balance] + own[column] - amounts, 0)
    made[:, column] = amounts
    keep = amounts <= own[column] + own[balance] + 1e-9
    made, amounts = made[keep], amounts[keep]
    process = base.rows(np.zeros(len(amounts), dtype=np.int64)).process
    return amounts, Alloys(base.elements, atomic_fractions(made, base.elements, space.basis), process)


def _range(variable: Treatment | Column, data: NDArray[Any]) -> NDArray[Any]:
    """The values that a variable is varied over: its choices, its levels where they are few, or its range."""
    if isinstance(variable, Choice):
        return np.array(variable.choices, dtype=object)
    if not isinstance(variable, Numeric):  # no range but that of the data, and where predictions are wanted
        wanted = [variable.at] if isinstance(variable, Condition) else []
        ends = np.append(data[np.isfinite(data)], wanted)
        return np.linspace(ends.min(), ends.max(), N_POINTS) if len(ends) and np.ptp(ends) > 0 else ends[:1]
    if variable.n_levels <= N_POINTS:
        return np.asarray(variable.grid)
    return np.linspace(variable.low, variable.high, N_POINTS)


def _within(values: NDArray[Any], data: NDArray[Any]) -> BoolArray:
    if len(data) == 0:
        return np.zeros(len(values), dtype=bool)
    if values.dtype == object:
        return np.isin(values.astype(str), data.astype(str))
    slack = 1e-9 * max(1.0, float(np.abs(data).max()))
    return np.asarray((values >= data[0] - slack) & (values <= data[-1] + slack))


def mean_alloy(space: DesignSpace, known: Alloys) -> Alloys:
    """The one alloy in the middle of the data: mean amounts and numbers, the most frequent choice.

    Under the conditions at which predictions are wanted.
    """
    process: dict[str, NDArray[Any]] = {}
    at = {condition.name: condition.at for condition in space.conditions}
    for name, values in known.process.items():
        told = [value for value in values.tolist() if value is not None and value == value]
        if values.dtype == object:
            process[name] = np.array([max(sorted(set(told)), key=told.count) if told else None], dtype=object)
        else:
            process[name] = np.array([at.get(name, np.mean(told) if told else np.nan)])
    amounts = percent(space, known).mean(axis=0, keepdims=True)
    return Alloys(known.elements, atomic_fractions(amounts, known.elements, space.basis), process)


# -- one alloy --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """What the difference between one alloy and the mean of the data is made of.

    Parameters
    ----------
    things : what differs
    shares : of each, from the mean of what is predicted of the rows
    """

    things: tuple[Thing, ...]
    shares: Shares


def contributions(space: DesignSpace, belief: Belief, alloy: Alloys, rng: np.random.Generator) -> Contributions:
    """Share what is predicted of an alloy among its elements, process values and conditions (Shapley values).

    An alloy that has some things of the asked one has the others of a row; amounts are those of the asked alloy or of
    the row, and the balance takes the remainder. Where there is none left, the others are scaled to 100. A mixture
    whose features cannot be computed counts as the row that it began as.

    Parameters
    ----------
    alloy : the one alloy
    rng : draws the rows, where they are more than `MOST_BACKGROUND` (or, where phases are seen, `FEW_BACKGROUND`), and
        orders, where the things are many
    """
    most = FEW_BACKGROUND if belief.features.calphad is not None else MOST_BACKGROUND
    known = _some(belief.evidence.alloys, most, rng)
    differing, ask = _mixed(space, belief, known, alloy)

    def ask_of_one(taken: BoolArray, row: NDArray[np.intp]) -> FloatArray:
        return ask(taken, row, np.zeros_like(row))

    return Contributions(differing, shapley(ask_of_one, len(differing), len(known), rng))


def _some(alloys: Alloys, most: int, rng: np.random.Generator) -> Alloys:
    """So many alloys at most, in their order."""
    return alloys if len(alloys) <= most else alloys.rows(np.sort(rng.choice(len(alloys), most, replace=False)))


def _mixed(space: DesignSpace, belief: Belief, known: Alloys, alloys: Alloys) -> tuple[tuple[Thing, ...], Mixtures]:
    """What differs among rows and alloys, and what is expected of mixtures of them."""
    together = known + alloys  # with the same process values
    known, alloys = together.rows(np.arange(len(known))), together.rows(np.arange(len(known), len(together)))
    differing = things(space, together, belief.features, balance=False)
    columns = [known.elements.index(thing.name) for thing in differing if thing.kind == "element"]
    own, others, of_rows = percent(space, alloys), percent(space, known), _means(belief, known)

    def ask(taken: BoolArray, row: NDArray[np.intp], of: NDArray[np.intp]) -> FloatArray:
        n = len(columns)
        amounts = others[row]
        amounts[:, columns] = np.where(taken[:, :n], own[of][:, columns], amounts[:, columns])
        if columns:
            amounts = _balanced(amounts, space.n_elements - 1)
        process = {name: values[row] for name, values in known.process.items()}
        for i, thing in enumerate(differing[n:], start=n):
            process[thing.name] = np.where(taken[:, i], alloys.process[thing.name][of], process[thing.name])
        fractions = atomic_fractions(amounts, known.elements, space.basis) if columns else known.fractions[row]
        means = _means(belief, Alloys(known.elements, fractions, process))
        return np.where(np.isfinite(means), means, of_rows[row])

    return differing, ask


def _balanced(amounts: FloatArray, balance: int) -> FloatArray:
    """Amounts [%] with what they lack to 100 given to the balance, and scaled down where they are more."""
    amounts[:, balance] = 0
    total = amounts.sum(axis=1)
    amounts[:, balance] = np.maximum(100 - total, 0)
    return np.asarray(amounts * (100 / amounts.sum(axis=1))[:, None])


@dataclass(frozen=True, slots=True, eq=False)
class FeatureContributions:
    """What the difference between alloys and the mean of the data is made of, by what the model sees.

    Parameters
    ----------
    names : of the n features; the columns of a choice, and of a number with what says that it is known, are one
    shares : of each alloy
    """

    names: tuple[str, ...]
    shares: tuple[Shares, ...]


def feature_contributions(
    belief: Belief, alloys: Alloys, rng: np.random.Generator, n_background: int = SHAP_BACKGROUND
) -> FeatureContributions:
    """SHAP values: what is predicted of alloys shared among the features that the model sees, by the package shap.

    Features go over from a row to an alloy one by one, and so meet in mixtures that are no alloys: amounts that do not
    sum to 100, descriptors that no alloy has together. See `contributions` for mixtures that are alloys.

    Parameters
    ----------
    rng : draws the rows, where they are more than `n_background`, and orders, where the features are many

    Raises
    ------
    AlloyloopError
        where shap is not installed
    """
    features = belief.features
    X, rows = (features.encode(of) for of in (alloys, _some(belief.evidence.alloys, n_background, rng)))
    names = [_feature(features, name) for name in features.names]
    shown = list(dict.fromkeys(names))
    group = np.array([shown.index(name) for name in names])

    def ask(taken: BoolArray, row: NDArray[np.intp], of: NDArray[np.intp]) -> FloatArray:
        return belief.surrogate.predict(np.where(taken[:, group], X[of], rows[row]))

    seed = int(rng.integers(2**31))
    return FeatureContributions(tuple(shown), shap_shares(ask, len(X), len(shown), len(rows), seed))


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """How far things move what a model expects of its rows, and how far the features that it sees do.

    Parameters
    ----------
    things : mean size of the contributions of each, in the property's unit, the largest first; none where phases are
        seen, which would have to be computed of every mixture
    features : the same of each feature, SHAP values
    n_rows : of which the mean was taken
    """

    things: Mapping[Thing, float]
    features: Mapping[str, float]
    n_rows: int


def moves(space: DesignSpace, belief: Belief, rng: np.random.Generator) -> Moves:
    """Share what is predicted of the rows themselves among things and among features, and take the mean sizes.

    Parameters
    ----------
    rng : draws rows, where they are more than `MOST_MOVED`, background rows of `MOVED_BACKGROUND`, and orders

    Raises
    ------
    AlloyloopError
        where shap is not installed
    """
    alloys = _some(belief.evidence.alloys, MOST_MOVED, rng)
    seen = feature_contributions(belief, alloys, rng, MOVED_BACKGROUND)
    of_things: dict[Thing, float] = {}
    if belief.features.calphad is None:
        known = _some(belief.evidence.alloys, MOVED_BACKGROUND, rng)
        differing, ask = _mixed(space, belief, known, alloys)
        seed = int(rng.integers(2**31))
        of_things = _mean_sizes(differing, shap_shares(ask, len(alloys), len(differing), len(known), seed))
    return Moves(of_things, _mean_sizes(seen.names, seen.shares), len(alloys))


def _mean_sizes(names: Sequence[Name], shares: Sequence[Shares]) -> dict[Name, float]:
    sizes = np.mean([np.abs(one.of) for one in shares], axis=0)
    return {names[i]: float(sizes[i]) for i in np.argsort(-sizes, kind="stable").tolist()}


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A row near an alloy, and what it does to the prediction.

    Parameters
    ----------
    row : of the evidence
    distance : from the alloy; see `distances`
    without : what would be expected of the alloy had this row not been there, all else learned anew
    """

    row: int
    distance: float
    without: float


def neighbours(
    space: DesignSpace, belief: Belief, alloy: Alloys, learner: Learner, n: int = 5
) -> tuple[Neighbour, ...]:
    """The n rows nearest to an alloy, nearest first, each left out in turn.

    That is a row's weight for any model: those of a kernel or of leaves say what a value pulls at settings that
    themselves were learned from it.
    """
    known = belief.evidence
    apart = distances(space, alloy, known.alloys)[0]
    found = []
    for row in np.argsort(apart, kind="stable")[:n].tolist():
        others = np.arange(len(known)) != row
        without = float(learner(known.rows(others)).about(alloy).mean[0]) if others.any() else float("nan")
        found.append(Neighbour(row, float(apart[row]), without))
    return tuple(found)


# -- rows that disagree -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Outlier:
    """A row that disagrees with all others, by what the model makes of them.

    Parameters
    ----------
    row : of the evidence
    believed, std : what a measurement of it was expected to be without it, in the property's unit
    deviations : by how many standard deviations the measurement lies above that, on the scale of the model
    is_discounted : whether the model itself gave the row less weight for it
    """

    row: int
    believed: float
    std: float
    deviations: float
    is_discounted: bool


def outliers(belief: Belief, held: HeldOut | None) -> tuple[Outlier, ...]:
    """Rows to check, most surprising first: more than `SUSPECT` standard deviations off, or discounted by the model.

    A model that can say what it would believe of each row without that row is asked for it; of another, folds are.
    """
    known = belief.evidence
    one_by_one = left_out_one_by_one(belief.surrogate)
    if one_by_one is not None:
        mean, std, off = _residuals(one_by_one, known.values)
    elif held is not None:
        mean, std, off = held.residuals()
    else:
        return ()
    off = np.where(known.exact, off, 0.0)
    discounted = discounted_by(belief.surrogate)
    return tuple(
        Outlier(row, float(mean[row]), float(std[row]), float(off[row]), row in discounted)
        for row in np.argsort(-np.abs(off), kind="stable").tolist()
        if abs(off[row]) > SUSPECT or row in discounted
    )
