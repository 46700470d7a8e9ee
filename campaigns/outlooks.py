"""From what a campaign believes to what is known before the next pick: goals, limits, the alloys to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..design.features import Alloys, alloys_at
from ..design.goals import classes_wanted, limits, pursued
from ..design.made import Made, MadeClasses, side
from ..design.outlook import Believed, ClassWanted, Limited, Outlook, Sought, outlook
from ..design.scatter import Scatter, as_made
from ..design.weighing import spread, weighed
from .learning import SUCCESS, Beliefs, classes_to_be
from .reading import listed
from .snapshot import BoolArray, Snapshot

# Designs drawn over the space: the map that melts may teach; and where phases take their time to compute.
N_REFERENCE, N_REFERENCE_OF_PHASES = 256, 48


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    """What a new alloy must beat: the measured alloys that the space and its rules allow, or else all of them.

    Parameters
    ----------
    outlook : what is known before the first pick
    best_id : of the row that is believed best in the one number that is pursued; empty where there are several
    best : what is believed of it, by pursued property
    remarks : what should be known about the choice
    """

    outlook: Outlook
    best_id: str
    best: dict[str, float]
    remarks: tuple[str, ...]


def is_measured(snapshot: Snapshot, beliefs: Beliefs) -> bool:
    """Whether anything is known of what is pursued: of what is measured of it, if any of it is."""
    wanted = pursued(snapshot.goals)
    learned = [name for name in wanted if name not in beliefs.computed]
    return any(name in beliefs.of for name in learned) or (not learned and bool(snapshot.known.any()))


def look_ahead(
    snapshot: Snapshot,
    beliefs: Beliefs,
    n: int,
    rng: np.random.Generator,
    scatter: Scatter | None = None,
    explore: float | None = None,
    eagerness: float = 1.0,
) -> Ahead:
    """What is known before the first of n picks.

    Parameters
    ----------
    snapshot, beliefs : the campaign and what it believes; something that is pursued is known, see `is_measured`
    n : how many picks there will be
    rng : for the draws
    scatter : of what is really made; None where it is made as aimed at
    explore, eagerness : see `Outlook`
    """
    spec, remarks = snapshot.spec, []
    share = None if spec.composition is None else spec.composition.made_within_share
    wanted, bounds = pursued(snapshot.goals), limits(snapshot.goals)
    for names, what in ((wanted, "it"), (bounds, "its limit")):
        unknown = [name for name in names if name not in beliefs.numbers]
        remarks += [f"{name} has no measurement yet: {what} is not part of this choice." for name in unknown]

    def of(name: str, goal: object = None) -> Believed:
        belief: Believed = beliefs.numbers[name]
        return belief if scatter is None else Made(belief, scatter, share, goal)  # type: ignore[arg-type]

    sought = [
        Sought(
            name,
            goal,
            of(name, goal),
            spread(snapshot.values(name)[snapshot.with_value(name)]),
            spec.weights.get(name, 1.0),
            spec.references.get(name),
        )
        for name, goal in wanted.items()
        if name in beliefs.numbers
    ]
    limited = [
        Limited(name, limit, of(name, side(limit)), spec.weights.get(name, 1.0))
        for name, limit in bounds.items()
        if name in beliefs.numbers
    ]
    every = snapshot.at_conditions(snapshot.alloys())
    believable = _believable(every, beliefs)
    rows = np.zeros(len(every), dtype=bool)
    for each in sought:
        rows |= snapshot.with_value(each.name)
    rows &= believable
    inside = rows & snapshot.in_space()
    if inside.any():
        rows = inside
    else:
        remarks.append(
            "No measured alloy lies inside the space and its rules: gains are counted over all measured alloys."
        )
    baseline = as_made(every.rows(rows))
    classes = classes_to_be(snapshot, beliefs, rows)
    unseen = [name for name in classes_wanted(snapshot.class_goals) if name not in classes]
    remarks += [f"{name} has not been looked at yet: its class is not part of this choice." for name in unseen]
    known = np.column_stack([each.belief.about(baseline).mean for each in sought])
    kept, more = _kept(limited, list(classes.values()), baseline)
    remarks += more
    weights = np.array([each.weight for each in sought])
    objectives = np.column_stack([each.goal.objective(known[:, k]) for k, each in enumerate(sought)])
    height = weighed(objectives, weights, np.array([each.scale for each in sought]))
    best = int(np.argmax(np.where(kept, height, -np.inf)))
    success = None
    if beliefs.success is not None:
        success = ClassWanted(beliefs.success, SUCCESS, np.ones(len(baseline)))
    if scatter is not None:
        classes = {name: _made(each, scatter, share) for name, each in classes.items()}
        success = None if success is None else _made(success, scatter, share)
    points = snapshot.space.sample(N_REFERENCE if snapshot.calphad is None else N_REFERENCE_OF_PHASES, rng)
    weighted = len(sought) > 1 and any(each.name in spec.weights for each in sought)
    seen = outlook(
        sought,
        baseline,
        every.rows(snapshot.table.pending & believable),
        alloys_at(snapshot.space, points, snapshot.table.elements),
        n,
        rng,
        limits=limited,
        classes=tuple(classes.values()),
        success=success,
        weighted=weighted,
        explore=explore,
        eagerness=eagerness,
        n_designs=snapshot.space.count,
    )
    best_id = snapshot.table.ids[int(np.flatnonzero(rows)[best])]
    told = {each.name: float(known[best, k]) for k, each in enumerate(sought)}
    return Ahead(seen, best_id if seen.is_by_one else "", told, tuple(remarks))


def _made(wanted: ClassWanted, scatter: Scatter, share: float | None) -> ClassWanted:
    """The same of what will really be made."""
    return ClassWanted(MadeClasses.of(wanted.belief, scatter, share), wanted.label, wanted.found, wanted.weight)


def _believable(alloys: Alloys, beliefs: Beliefs) -> BoolArray:
    """(n,) Of which alloys everything can be predicted: with a composition, and all their features known."""
    believable: BoolArray = np.asarray(np.isfinite(alloys.fractions).all(axis=1))
    seen = [belief.features for belief in beliefs.every.values()]
    for features in seen if beliefs.success is None else (*seen, beliefs.success.features):
        believable[believable] = features.known(alloys.rows(believable))
    return believable


def _kept(limited: list[Limited], classes: list[ClassWanted], baseline: Alloys) -> tuple[BoolArray, list[str]]:
    """(n,) Which known alloys are believed to keep every limit and to be of every class, and a remark where none is."""
    kept = np.ones(len(baseline), dtype=bool)
    for each in limited:
        kept &= each.belief.log_inside(each.limit, baseline) > np.log(0.5)
    names = [each.name for each in limited]
    for wanted in classes:
        kept &= wanted.chances(baseline) > 0.5
        names.append(wanted.belief.evidence.property)
    if kept.any():
        return kept, []
    what = f"what is asked of {listed(names)}"
    return np.ones(len(baseline), dtype=bool), [
        f"No measured alloy is believed to keep {what}: the best known is one that does not."
    ]
