"""The next batch: chosen by what each melt is expected to gain, or spread out where nothing is known yet."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from math import exp

import numpy as np
from scipy.special import ndtr

from ..design.acquisition import ClassWanted, acquisition
from ..design.beliefs import Belief
from ..design.diagram import IntArray
from ..design.features import Alloys, alloys_at
from ..design.first_designs import FIRST_DESIGNS, first_designs
from ..design.goals import Pursued, Within, classes_wanted, limits, pursued
from ..design.propose import SPARING, THOROUGH, Batch, propose
from ..design.space import nothing_left
from ..surrogates.errors import AlloyloopError
from .answers import Answer, Json, design_name
from .judging import judge
from .learning import Beliefs, believe, classes_to_be
from .named import Named
from .snapshot import BoolArray, Snapshot, plain

# What each kind of first designs is for.
STARTS = {
    "space-filling": "spread over the space",
    "d-optimal": "settle the coefficients of a quadratic model (D-optimal)",
    "i-optimal": "predict well over the whole space with a quadratic model (I-optimal)",
}
# Joint draws for the stop figures.
N_DRAWS = 4096
PACKAGES = ("alloyloop", "numpy", "scipy", "scikit-learn", "torch", "gpytorch", "botorch")


@dataclass(frozen=True, slots=True, eq=False)
class Suggestion:
    """A batch before it is written down.

    Parameters
    ----------
    points : (n, d) of the space
    alloys : the same as answers, in the order they were picked
    beside : the user's own candidates, judged in the same way
    decision : how it came about: models, settings, runner-ups, expected gain, stop figures
    remarks : what should be known about it
    """

    points: IntArray
    alloys: tuple[Answer, ...]
    beside: tuple[Answer, ...]
    decision: Json
    remarks: tuple[str, ...]


def suggest(
    snapshot: Snapshot, n: int, round_number: int, own: Named, start: str | None = None, search: str | None = None
) -> Suggestion:
    """Choose the next n alloys.

    Parameters
    ----------
    snapshot : the campaign
    n : how many
    round_number : of the round they will be; names them and, with the campaign's seed, settles every random draw
    own : designs of the user's, judged beside
    start : how the first designs are chosen, one of `FIRST_DESIGNS`; `space-filling` where not given
    search : how the best designs are looked for, one of `SEARCHES`; the campaign's `search` where not given

    Raises
    ------
    AlloyloopError
        where no property is pursued, or the space has no design left
    """
    wanted, goal = pursued(snapshot.goals)
    searching, drawing, stopping = np.random.default_rng([snapshot.spec.seed, round_number]).spawn(3)
    beliefs = believe(snapshot)
    remarks = [*snapshot.remarks, *beliefs.remarks]
    decision: Json = {
        "seed": snapshot.spec.seed,
        "versions": {name: version(name) for name in PACKAGES},
        "models": {name: {"name": choice.name, "why": choice.why} for name, choice in beliefs.choices.items()},
    }
    if start is not None and start not in FIRST_DESIGNS:
        raise AlloyloopError(f"There is no start '{start}'", f"Write one of {', '.join(FIRST_DESIGNS)}.")
    if wanted in beliefs.of:
        if start is not None:
            raise AlloyloopError(
                f"{wanted} has been measured already, so this round is chosen by what it is expected to gain",
                f"Leave {start} out: it is for the first designs.",
            )
        every = snapshot.at_conditions(snapshot.alloys())
        believable = _believable(every, beliefs)
        standing = _standing(snapshot, wanted, goal, beliefs, every, believable)
        remarks += standing.remarks
        constraints, more = _constraints(snapshot, beliefs)
        remarks += more
        pending = every.rows(snapshot.table.pending & believable)
        value = acquisition(goal, standing.belief, constraints, standing.alloys, pending, n, drawing, standing.classes)
        effort = THOROUGH
        sees = (standing.belief.features, *(each.features for each, _ in constraints))
        if any(seen.calphad is not None for seen in (*sees, *(each.belief.features for each in standing.classes))):
            effort = SPARING
            remarks.append(
                f"Phases take time to compute: for each pick about {effort.most_looked} designs were looked at, and "
                "not thousands."
            )
            decision["versions"]["pycalphad"] = version("pycalphad")
        search = search or snapshot.spec.search
        batch = propose(snapshot.space, value, snapshot.table.elements, snapshot.taken(), n, searching, effort, search)
        points = batch.points
        chosen = alloys_at(snapshot.space, points, snapshot.table.elements)
        why = _reasons(standing, chosen, batch)
        decision |= {
            "acquisition": "log noisy expected improvement, batch by conditioning",
            "search": search,
            "expected_gains": [exp(gain) for gain in batch.log_gains],
            "runner_ups": list(dict.fromkeys(_names(snapshot, batch.runner_ups))),
            "stop": _stop(standing, chosen, batch, stopping),
        }
    else:
        kind = start or "space-filling"
        points = first_designs(snapshot.space, n, kind, searching, snapshot.taken())
        why = [f"{wanted} has not been measured yet: chosen to {STARTS[kind]}."] * len(points)
        remarks.append(f"No measurement of {wanted} yet: this round is {kind}, not a search for the best.")
        decision |= {"start": kind, "acquisition": f"{kind}: to {STARTS[kind]}", "stop": {}, "runner_ups": []}
    if len(points) == 0:
        raise nothing_left()
    if len(points) < n:
        remarks.append(f"Only {len(points)} designs are left in the space.")
    ids = [f"R{round_number:03d}-{i}" for i in range(1, len(points) + 1)]
    process = snapshot.space.process_values(points)
    alloys = judge(snapshot, beliefs, ids, snapshot.space.compositions(points), process, why)
    names = [made.name() if made else name for name, made in zip(own.names, own.compositions, strict=True)]
    beside = judge(snapshot, beliefs, names, own.compositions, own.process)
    return Suggestion(points, alloys, beside, decision, tuple(remarks))


def _names(snapshot: Snapshot, points: IntArray) -> list[str]:
    """What points of the space are called."""
    process = snapshot.space.process_values(points)
    return [
        design_name(composition, {name: plain(values[i]) for name, values in process.items()})
        for i, composition in enumerate(snapshot.space.compositions(points))
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Standing:
    """What a new alloy must beat: the measured alloys that the space and its rules allow, or else all of them.

    `classes` are those that are asked for; `kept` says which alloys are of them, as found or else as believed.
    """

    wanted: str
    goal: Pursued
    belief: Belief
    alloys: Alloys
    classes: tuple[ClassWanted, ...]
    kept: BoolArray
    best_id: str
    best: float  # as believed, in the property's unit
    remarks: tuple[str, ...]

    @property
    def unit(self) -> str:
        stem, _, per = self.wanted.partition("_per_")  # of corrosion_rate_mm_per_y: mm/y
        unit = stem.rpartition("_")[2]
        return f"{unit}/{per}" if per else unit

    @property
    def better(self) -> str:
        return "lower" if self.goal.sign < 0 else "higher"


def _believable(alloys: Alloys, beliefs: Beliefs) -> BoolArray:
    """(n,) Of which alloys every property can be predicted: with a composition, and all their features known."""
    believable: BoolArray = np.asarray(np.isfinite(alloys.fractions).all(axis=1))
    for belief in beliefs.every.values():
        believable[believable] = belief.features.known(alloys.rows(believable))
    return believable


def _standing(
    snapshot: Snapshot, wanted: str, goal: Pursued, beliefs: Beliefs, alloys: Alloys, believable: BoolArray
) -> _Standing:
    rows = snapshot.with_value(wanted) & believable
    inside = rows & snapshot.in_space()
    remarks: tuple[str, ...] = ()
    if inside.any():
        rows = inside
    else:
        remarks = (
            "No measured alloy lies inside the space and its rules: gains are counted over all measured alloys.",
        )
    baseline, belief = alloys.rows(rows), beliefs.of[wanted]
    means = belief.about(baseline).mean
    classes = classes_to_be(snapshot, beliefs, rows)
    kept = np.ones(len(means), dtype=bool)
    for each in classes.values():
        kept &= each.chances(baseline) > 0.5
    if not kept.any():
        remarks += ("No measured alloy is of the class that is asked for: the best known is one of another.",)
        kept[:] = True
    best = int(np.argmax(np.where(kept, goal.sign * means, -np.inf)))
    best_id = snapshot.table.ids[int(np.flatnonzero(rows)[best])]
    unknown = [name for name in classes_wanted(snapshot.class_goals) if name not in classes]
    remarks += tuple(f"{name} has not been looked at yet: its class is not part of this choice." for name in unknown)
    wanted_classes = tuple(classes.values())
    return _Standing(wanted, goal, belief, baseline, wanted_classes, kept, best_id, float(means[best]), remarks)


def _constraints(snapshot: Snapshot, beliefs: Beliefs) -> tuple[tuple[tuple[Belief, Within], ...], list[str]]:
    """Beliefs about the properties that have limits, and remarks on those that nothing is known of."""
    wanted = limits(snapshot.goals)
    unknown = [name for name in wanted if name not in beliefs.of]
    remarks = [f"{name} has no measurement yet: its limit is not part of this choice." for name in unknown]
    return tuple((beliefs.of[name], limit) for name, limit in wanted.items() if name in beliefs.of), remarks


def _reasons(standing: _Standing, chosen: Alloys, batch: Batch) -> list[str]:
    belief = standing.belief.about(chosen)
    best, unit, better = standing.best, standing.unit, standing.better
    reasons = []
    for mean, std, gain in zip(belief.mean, belief.std, batch.log_gains, strict=True):
        ahead = standing.goal.sign * (mean - best)
        chance = float(ndtr(ahead / std)) if std > 0 else float(ahead > 0)
        rival = f"{standing.best_id}, the best known, is believed to have {best:.4g} {unit}"
        lead = f"expected {better}: {mean:.4g} where {rival}" if ahead > 0 else f"little is known there: {rival}"
        reasons.append(f"{lead}; {chance:.0%} chance to be {better}, {exp(gain):.2g} {unit} expected gain.")
    return reasons


def _stop(standing: _Standing, chosen: Alloys, batch: Batch, rng: np.random.Generator) -> Json:
    """Is it worth going on: what the batch is expected to gain, beside the scatter of one measurement."""
    belief, unit = standing.belief, standing.unit
    draws = standing.goal.sign * belief.sample(standing.alloys.rows(standing.kept) + chosen, N_DRAWS, rng)
    n_known = int(standing.kept.sum())
    gains = draws[:, n_known:].max(axis=1) - draws[:, :n_known].max(axis=1)
    noise = float(np.median(belief.about(chosen).noise))
    gain = float(np.exp(batch.log_gains).sum())
    chance = float((gains > noise).mean())
    return {
        "property": standing.wanted,
        "best_known": {"id": standing.best_id, "believed": standing.best},
        "expected_gain": gain,
        "measurement_noise": noise,
        "chance_to_gain_more_than_noise": chance,
        "words": f"The batch is expected to gain {gain:.2g} {unit} on the best known ({standing.best_id}, believed to "
        f"have {standing.best:.4g}), with a {chance:.0%} chance to gain more than the scatter of one measurement "
        f"({noise:.2g} {unit}).",
    }
