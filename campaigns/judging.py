"""What a campaign says of given alloys: predictions, chances, the nearest known alloy, and warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, isfinite

import numpy as np

from ..design.alloy_names import BASIS_SIGN
from ..design.classes import ClassBelief
from ..design.composition import Composition
from ..design.computed import Computable
from ..design.descriptors import solubility_excess_in_Mg
from ..design.distances import distances, far
from ..design.features import Alloys, Features
from ..design.goals import Within, classes_wanted, limits, when_met
from ..design.made import Made, MadeClasses
from ..design.outlook import Believed
from ..design.process import Process
from ..design.scatter import Scatter
from ..design.unseen import unseen
from ..surrogates.base import FloatArray, Prediction
from .answers import Answer, Nearest, Predicted, PredictedClasses
from .learning import SUCCESS, Beliefs
from .snapshot import Snapshot, plain

NO_VALUE = "its features need a value of one of the alloy's elements that the element table lacks"
NOT_COMPUTED = "it needs a price or a value of one of the alloy's elements, or a process value, that is not known"
# Of money; less is no difference.
CENT = 0.01


def judge(
    snapshot: Snapshot,
    beliefs: Beliefs,
    ids: Sequence[str],
    compositions: Sequence[Composition | None],
    process: Process,
    why: Sequence[str] = (),
    measured: Sequence[Mapping[str, float | str]] = (),
    scatter: Scatter | None = None,
) -> tuple[Answer, ...]:
    """Answer for each alloy.

    Parameters
    ----------
    snapshot, beliefs : the campaign and what it believes
    ids, compositions : of the n alloys; None each where the campaign has no composition
    process : process values, n of each, unknown where they are not given
    why : reasons of choice, n of them or none
    measured : what was measured, n of them or none
    scatter : of what is made where alloys are aimed at; None where they are what they are
    """
    if not compositions:
        return ()
    alloys = _alloys(snapshot, compositions, process)
    numbers: dict[str, Believed] = dict(beliefs.numbers)
    of_classes = dict(beliefs.classes)
    if scatter is not None:
        numbers |= {name: Made(belief, scatter) for name, belief in beliefs.of.items()}
        of_classes = {name: MadeClasses.of(belief, scatter) for name, belief in beliefs.classes.items()}
    predictions = {name: _prediction(belief, alloys) for name, belief in numbers.items()}
    bounds = {name: prediction.interval() for name, prediction in predictions.items()}
    chances = {
        name: np.exp(_log_inside(numbers[name], predictions[name], limit, alloys))
        for name, limit in (limits(snapshot.goals) | when_met(snapshot.goals)).items()
        if name in predictions
    }
    costs, dearest = _costs(snapshot, alloys)
    classes = {name: _class_prediction(belief, alloys) for name, belief in of_classes.items()}
    for name, goal in classes_wanted(snapshot.class_goals).items():
        if name in classes:
            chances[name] = classes[name][:, beliefs.classes[name].labels.index(goal.label)]
    if beliefs.success is not None:
        succeeding = _class_prediction(beliefs.success, alloys)
        chances[SUCCESS] = succeeding[:, beliefs.success.labels.index(SUCCESS)]
    known_ids = [snapshot.table.ids[row] for row in np.flatnonzero(snapshot.known)]
    known = snapshot.alloys().rows(snapshot.known)
    apart, farthest = distances(snapshot.space, alloys, known), far(snapshot.space, known)
    tested = (*snapshot.space.process, *snapshot.space.conditions)
    strange = unseen(tested, known, alloys) if len(known) else [[] for _ in ids]
    called = _called(snapshot, compositions, process)
    answers = []
    for i, composition in enumerate(compositions):
        predicted = {
            name: Predicted(
                float(p.mean[i]), float(p.measured_std[i]), float(bounds[name][0][i]), float(bounds[name][1][i])
            )
            for name, p in predictions.items()
            if np.isfinite(p.mean[i])
        }
        of_class = {
            name: PredictedClasses(dict(zip(beliefs.classes[name].labels, shares[i].tolist(), strict=True)))
            for name, shares in classes.items()
            if np.isfinite(shares[i]).all()
        }
        chance = {name: float(of[i]) for name, of in chances.items() if np.isfinite(of[i])}
        chance["all"] = float(np.prod(list(chance.values())))
        nearest = _nearest(known_ids, apart[i])
        own = {name: values[i] for name, values in process.items()}
        answers.append(
            Answer(
                id=ids[i],
                composition=composition,
                process={name: plain(value) for name, value in own.items()},
                predicted=predicted,
                probability=chance,
                nearest=nearest,
                flags=(
                    *(
                        f"{name} cannot be predicted: {_why_unknown(belief.features, alloys.rows(np.array([i])))}"
                        for name, belief in beliefs.every.items()
                        if name not in predicted and name not in of_class
                    ),
                    *_flags(snapshot, composition, strange[i], inf if nearest is None else nearest.distance, farthest),
                    *_dear(float(costs[i]), dearest),
                ),
                why=why[i] if why else "",
                measured=measured[i] if measured else None,
                classes=of_class,
                cost=float(costs[i]) if np.isfinite(costs[i]) else None,
                candidate=called[i],
            )
        )
    return tuple(answers)


def _log_inside(belief: Believed, told: Prediction, limit: Within, alloys: Alloys) -> FloatArray:
    """Log of the probability that a measurement of each alloy keeps a limit; NaN where it cannot be predicted. (n,)"""
    if not isinstance(belief, Made):
        return told.log_probability(limit.low, limit.high)
    known, log_chance = np.isfinite(told.mean), np.full(len(alloys), np.nan)
    if known.any():
        log_chance[known] = belief.log_measured_inside(limit, alloys.rows(known))
    return log_chance


def _prediction(belief: Believed, alloys: Alloys) -> Prediction:
    """What is believed of each alloy; NaN where its features are not known."""
    known = belief.features.known(alloys)
    if known.all():
        return belief.about(alloys)
    if not known.any():
        nothing = np.full(len(alloys), np.nan)
        return Prediction(nothing, nothing, nothing)
    return belief.about(alloys.rows(known)).among(known)


def _costs(snapshot: Snapshot, alloys: Alloys) -> tuple[FloatArray, float]:
    """What a melt of each alloy costs (n,), NaN where that is not known, and what the dearest known alloy costs."""
    if snapshot.cost is None:
        return np.full(len(alloys), np.nan), inf
    of_known = snapshot.cost.of(snapshot.alloys().rows(snapshot.known))
    return snapshot.cost.of(alloys), float(np.max(of_known[np.isfinite(of_known)], initial=-inf))


def _dear(cost: float, dearest: float) -> list[str]:
    """A warning of an alloy that costs more than any that is known."""
    if not isfinite(dearest) or not cost > dearest + CENT:
        return []
    return [f"dear: a melt of it costs {cost:.2f}, where those of known alloys cost up to {dearest:.2f}"]


def _class_prediction(belief: ClassBelief, alloys: Alloys) -> FloatArray:
    """Probabilities of the classes of each alloy (n, k); NaN where its features are not known."""
    known = belief.features.known(alloys)
    chances = np.full((len(alloys), len(belief.labels)), np.nan)
    if known.any():
        chances[known] = belief.about(alloys.rows(known))
    return chances


def _why_unknown(features: Features | Computable, alloy: Alloys) -> str:
    """Why a feature of one alloy is not known."""
    if isinstance(features, Computable):
        return NOT_COMPUTED
    calphad = features.calphad
    if calphad is None or not features.without_phases(alloy)[0]:
        return NO_VALUE
    (why,) = calphad.whys_unknown(alloy.fractions, alloy.elements)
    return f"its features need phases, and those are not known of alloys that {why}"


def _alloys(snapshot: Snapshot, compositions: Sequence[Composition | None], process: Process) -> Alloys:
    """Compositions over the table's elements; the caller has seen to it that they have no others."""
    elements = snapshot.table.elements
    fractions = np.array([made.vector(elements, "at_pct") / 100 for made in compositions if made is not None])
    return Alloys(elements, fractions.reshape(len(compositions), len(elements)), process)


def _called(snapshot: Snapshot, compositions: Sequence[Composition | None], process: Process) -> list[str]:
    """What the user's table of candidates calls each alloy; "" of what is not in it, or where there is none."""
    space = snapshot.space
    amounts = [{} if made is None else made.amounts(space.basis) for made in compositions]
    percent = [[of.get(element, 0.0) for element in space.elements] for of in amounts]
    return space.called(np.array(percent, dtype=np.float64).reshape(len(compositions), -1), process)


def _nearest(ids: Sequence[str], apart: FloatArray) -> Nearest | None:
    """Of the known alloys the one nearest to an alloy, by how far each is from it (n,)."""
    if not len(apart):
        return None
    nearest = int(np.argmin(apart))
    return Nearest(ids[nearest], float(apart[nearest]))


def _flags(
    snapshot: Snapshot, composition: Composition | None, strange: Sequence[str], distance: float, farthest: float
) -> tuple[str, ...]:
    flags = []
    if round(distance, 1) > round(farthest, 1):  # what would be shown as no farther is none
        unit, what = ("at.%", "alloy") if composition is not None else ("% of the process ranges", "design")
        near = f"{distance:.1f} {unit} from the nearest known {what}, where known ones are {farthest:.1f} or less apart"
        flags.append(f"outside the data: {near}")
    flags += strange
    if composition is None:
        return tuple(flags)
    flags += _beyond(snapshot, composition)
    flags += _insoluble(composition)
    if snapshot.space.policy is not None:
        flags += snapshot.space.policy.flags(composition.wt_pct)
    return tuple(flags)


def _insoluble(composition: Composition) -> list[str]:
    """Elements of a magnesium alloy of which it holds more than magnesium dissolves at most: they precipitate."""
    amounts = composition.wt_pct
    if max(amounts, key=amounts.__getitem__) != "Mg":
        return []
    excess = solubility_excess_in_Mg(composition.vector(tuple(amounts), "at_pct")[None] / 100, tuple(amounts))[0]
    return [
        f"solubility exceeded: {element} {amounts[element]:.3g} wt.% is {over:.2g} more than magnesium dissolves"
        for element, over in zip(amounts, excess.tolist(), strict=True)
        if over > 0
    ]


def _beyond(snapshot: Snapshot, composition: Composition) -> list[str]:
    """Elements of which the alloy holds more than any known alloy that has some."""
    if not snapshot.known.any():
        return []
    sign = BASIS_SIGN[snapshot.space.basis]
    most = dict(zip(snapshot.table.elements, snapshot.table.amounts[snapshot.known].max(axis=0).tolist(), strict=True))
    return [
        f"{element} {amount:g} {sign} is more than any known alloy holds ({most[element]:g})"
        for element, amount in composition.amounts(snapshot.space.basis).items()
        if amount > most[element] + 1e-9 and most[element] > 0
    ]
