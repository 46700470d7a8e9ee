"""The next batch: chosen by what each melt is expected to gain, or spread out where nothing is known yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from math import exp

import numpy as np

from ..design.acquisition import acquisition
from ..design.beliefs import Belief
from ..design.composition import Composition
from ..design.features import Alloys, alloys_at
from ..design.goals import Pursued, limits, pursued
from ..design.lattice import IntArray
from ..design.propose import Batch, propose
from .answers import Answer, Json
from .judging import judge
from .learning import believe
from .snapshot import Snapshot

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


def suggest(snapshot: Snapshot, n: int, round_number: int, own: Sequence[Composition] = ()) -> Suggestion:
    """Choose the next n alloys.

    Parameters
    ----------
    snapshot : the campaign
    n : how many
    round_number : of the round they will be; names them and, with the campaign's seed, settles every random draw
    own : alloys of the user's, judged beside

    Raises
    ------
    AlloyloopError
        where no property is pursued, or the space has no design left
    """
    wanted, goal = pursued(snapshot.goals)
    searching, drawing, stopping = np.random.default_rng([snapshot.spec.seed, round_number]).spawn(3)
    beliefs = believe(snapshot)
    ids = [f"R{round_number:03d}-{i}" for i in range(1, n + 1)]
    remarks = [*snapshot.remarks, *beliefs.remarks]
    decision: Json = {
        "seed": snapshot.spec.seed,
        "versions": {name: version(name) for name in PACKAGES},
        "models": {name: {"name": choice.name, "why": choice.why} for name, choice in beliefs.choices.items()},
    }
    if wanted not in beliefs.of:
        points = snapshot.space.spread(n, searching, np.vstack([snapshot.taken()]))
        why = [f"{wanted} has not been measured yet: chosen to spread over the space."] * len(points)
        remarks.append(f"No measurement of {wanted} yet: this round is space-filling, not a search for the best.")
        decision |= {"acquisition": "space-filling (greedy maximin)", "stop": {}, "runner_ups": []}
    else:
        belief = beliefs.of[wanted]
        baseline, remark = _baseline(snapshot, wanted)
        remarks += remark
        constraints = []
        for name, limit in limits(snapshot.goals).items():
            if name in beliefs.of:
                constraints.append((beliefs.of[name], limit))
            else:
                remarks.append(f"{name} has no measurement yet: its limit is not part of this choice.")
        pending = snapshot.alloys().rows(snapshot.pending() & np.isfinite(snapshot.table.amounts).all(axis=1))
        value = acquisition(goal, belief, tuple(constraints), baseline, pending, n, drawing)
        batch = propose(snapshot.space, value, belief.evidence.alloys.elements, snapshot.taken(), n, searching)
        points = batch.points
        chosen = alloys_at(snapshot.space, points, belief.evidence.alloys.elements)
        why = _reasons(snapshot, wanted, goal, belief, baseline, chosen, batch)
        decision |= {
            "acquisition": "log noisy expected improvement, batch by conditioning",
            "expected_gains": [exp(gain) for gain in batch.log_gains],
            "runner_ups": [composition.name() for composition in _compositions(snapshot, batch.runner_ups)],
            "stop": _stop(snapshot, wanted, goal, belief, baseline, chosen, batch, stopping),
        }
    if len(points) < n:
        remarks.append(f"Only {len(points)} designs are left in the space.")
    alloys = judge(
        snapshot,
        beliefs,
        ids[: len(points)],
        _compositions(snapshot, points),
        snapshot.space.process_values(points),
        why,
    )
    unknown = {variable.name: variable.unknown(len(own)) for variable in snapshot.space.process}
    beside = judge(snapshot, beliefs, [composition.name() for composition in own], own, unknown) if own else ()
    return Suggestion(points, alloys, beside, decision, tuple(remarks))


def _compositions(snapshot: Snapshot, points: IntArray) -> list[Composition]:
    space = snapshot.space
    balance_first = [space.n_elements - 1, *range(space.n_elements - 1)]
    return [
        Composition({space.elements[i]: amounts[i] for i in balance_first if amounts[i] > 0}, space.basis)
        for amounts in space.percent(points).tolist()
    ]


def _baseline(snapshot: Snapshot, wanted: str) -> tuple[Alloys, list[str]]:
    """The measured alloys that a new one must beat: those the space and its rules allow, or else all."""
    table = snapshot.table
    measured = snapshot.known & np.isfinite(table.values(wanted)) & (table.censored(wanted) == "")
    allowed = measured & snapshot.in_space()
    if allowed.any():
        return snapshot.alloys().rows(allowed), []
    return snapshot.alloys().rows(measured), [
        "No measured alloy lies inside the space and its rules: gains are counted over the best of all measured alloys."
    ]


def _reasons(
    snapshot: Snapshot, wanted: str, goal: Pursued, belief: Belief, baseline: Alloys, chosen: Alloys, batch: Batch
) -> list[str]:
    known = belief.about(baseline)
    best = float((goal.sign * known.mean).max()) * goal.sign
    unit = wanted.rpartition("_")[2]
    reasons = []
    for mean, std, gain in zip(belief.about(chosen).mean, belief.about(chosen).std, batch.log_gains, strict=True):
        chance = _phi(goal.sign * (mean - best) / std)
        lower = "lower" if goal.sign < 0 else "higher"
        if goal.sign * (mean - best) > 0:
            lead = f"expected {lower} than the best known is believed to be ({mean:.4g} against {best:.4g} {unit})"
        else:
            lead = (
                f"not expected to beat the best known ({mean:.4g} against {best:.4g} {unit}), but little is known there"
            )
        reasons.append(f"{lead}; {chance:.0%} chance to be {lower}, and {exp(gain):.2g} {unit} expected gain.")
    return reasons


def _phi(u: float) -> float:
    from scipy.special import ndtr

    return float(ndtr(u))


def _stop(
    snapshot: Snapshot,
    wanted: str,
    goal: Pursued,
    belief: Belief,
    baseline: Alloys,
    chosen: Alloys,
    batch: Batch,
    rng: np.random.Generator,
) -> Json:
    """Is it worth going on: what the batch is expected to gain, beside the scatter of one measurement."""
    everything = baseline + chosen
    draws = goal.sign * belief.surrogate.sample(belief.features.encode(everything), N_DRAWS, rng)
    gains = draws[:, len(baseline) :].max(axis=1) - draws[:, : len(baseline)].max(axis=1)
    noise = float(np.median(belief.about(chosen).noise))
    gain = float(np.exp(batch.log_gains).sum())
    unit = wanted.rpartition("_")[2]
    chance = float((gains > noise).mean())
    return {
        "property": wanted,
        "expected_gain": gain,
        "measurement_noise": noise,
        "chance_to_gain_more_than_noise": chance,
        "words": f"The batch is expected to gain {gain:.2g} {unit} on the best known, with a {chance:.0%} chance to gain "
        f"more than the scatter of one measurement ({noise:.2g} {unit}).",
    }
