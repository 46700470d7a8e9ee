"""What a campaign says of given alloys: predictions, chances, the nearest known alloy, and warnings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

import numpy as np

from ..design.alloy_names import BASIS_SIGN
from ..design.beliefs import Belief
from ..design.classes import ClassBelief
from ..design.composition import Composition
from ..design.distances import distances, far
from ..design.features import Alloys, Features
from ..design.goals import classes_wanted, limits
from ..design.process import Process
from ..design.unseen import unseen
from ..surrogates.base import FloatArray, Prediction
from .answers import Answer, Nearest, Predicted, PredictedClasses
from .learning import Beliefs
from .snapshot import Snapshot, plain

NO_VALUE = "its features need a value of one of the alloy's elements that the element table lacks"


def judge(
    snapshot: Snapshot,
    beliefs: Beliefs,
    ids: Sequence[str],
    compositions: Sequence[Composition | None],
    process: Process,
    why: Sequence[str] = (),
    measured: Sequence[Mapping[str, float | str]] = (),
) -> tuple[Answer, ...]:
    """Answer for each alloy.

    Parameters
    ----------
    snapshot, beliefs : the campaign and what it believes
    ids, compositions : of the n alloys; None each where the campaign has no composition
    process : process values, n of each, unknown where they are not given
    why : reasons of choice, n of them or none
    measured : what was measured, n of them or none
    """
    if not compositions:
        return ()
    alloys = _alloys(snapshot, compositions, process)
    predictions = {name: _prediction(belief, alloys) for name, belief in beliefs.of.items()}
    bounds = {name: prediction.interval() for name, prediction in predictions.items()}
    chances = {
        name: np.exp(predictions[name].log_probability(limit.low, limit.high))
        for name, limit in limits(snapshot.goals).items()
        if name in predictions
    }
    classes = {name: _class_prediction(belief, alloys) for name, belief in beliefs.classes.items()}
    for name, goal in classes_wanted(snapshot.class_goals).items():
        if name in classes:
            chances[name] = classes[name][:, beliefs.classes[name].labels.index(goal.label)]
    known_ids = [snapshot.table.ids[row] for row in np.flatnonzero(snapshot.known)]
    known = snapshot.alloys().rows(snapshot.known)
    apart, farthest = distances(snapshot.space, alloys, known), far(snapshot.space, known)
    tested = (*snapshot.space.process, *snapshot.space.conditions)
    strange = unseen(tested, known, alloys) if len(known) else [[] for _ in ids]
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
        chance = {name: float(of[i]) for name, of in chances.items() if name in predicted or name in of_class}
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
                ),
                why=why[i] if why else "",
                measured=measured[i] if measured else None,
                classes=of_class,
            )
        )
    return tuple(answers)


def _prediction(belief: Belief, alloys: Alloys) -> Prediction:
    """What is believed of each alloy; NaN where its features are not known."""
    known = belief.features.known(alloys)
    if known.all():
        return belief.about(alloys)
    if not known.any():
        nothing = np.full(len(alloys), np.nan)
        return Prediction(nothing, nothing, nothing)
    return belief.about(alloys.rows(known)).among(known)


def _class_prediction(belief: ClassBelief, alloys: Alloys) -> FloatArray:
    """Probabilities of the classes of each alloy (n, k); NaN where its features are not known."""
    known = belief.features.known(alloys)
    chances = np.full((len(alloys), len(belief.labels)), np.nan)
    if known.any():
        chances[known] = belief.about(alloys.rows(known))
    return chances


def _why_unknown(features: Features, alloy: Alloys) -> str:
    """Why a feature of one alloy is not known."""
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
    if distance > farthest:
        unit, what = ("at.%", "alloy") if composition is not None else ("% of the process ranges", "design")
        near = f"{distance:.1f} {unit} from the nearest known {what}, where known ones are {farthest:.1f} or less apart"
        flags.append(f"outside the data: {near}")
    flags += strange
    if composition is None:
        return tuple(flags)
    flags += _beyond(snapshot, composition)
    if snapshot.space.policy is not None:
        flags += snapshot.space.policy.flags(composition.wt_pct)
    return tuple(flags)


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
