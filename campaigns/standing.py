"""How measured alloys stand in what is pursued: ranked by one number, or by fronts where nothing weighs the goals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..design.goals import Match, Pursued, classes_wanted, limits
from ..design.pareto import BEYOND, hypervolume, inferred_reference, ranks
from ..design.usual_scatter import usual_scatter
from ..design.weighing import spread, weighed
from ..surrogates.base import FloatArray
from .reading import listed
from .snapshot import BoolArray, Snapshot
from .wording import product_unit, words_and_unit

Rows = NDArray[np.intp]

# Why a reference lies where it does.
_GIVEN = "as campaign.yaml says"
_BEYOND_RANGE = f"{BEYOND:.0%} of the front's range beyond its worst"
_BEYOND_MIDDLE = "where the front hardly varies, beyond it by what the middle half of the alloys varies"


@dataclass(frozen=True, slots=True)
class Reference:
    """From where the hypervolume of a Pareto front is counted.

    Parameters
    ----------
    point : by pursued property, in its unit; of one brought to a target, a value that is as far from it
    why : where it comes from, in one sentence
    """

    point: Mapping[str, float]
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """The measured alloys that keep every limit and are of every class asked for, best first.

    Parameters
    ----------
    goals : what is pursued, by property
    weights : of each of them, where weights make one number of several; empty elsewhere
    references : of them, those that campaign.yaml gives a reference
    rows : (n,) of the table
    values : (n, n_goals) what was measured of them, in the properties' units
    ranks : (n,) by one number 0, 1, 2 …; else 0 on the Pareto front, 1 on what would be the front without it …
    """

    goals: Mapping[str, Pursued]
    weights: Mapping[str, float]
    references: Mapping[str, float]
    rows: Rows
    values: FloatArray
    ranks: Rows

    @property
    def is_by_one(self) -> bool:
        """Whether one number says which alloy is better: that of one goal, or of several that are weighed."""
        return len(self.goals) == 1 or bool(self.weights)

    @property
    def objectives(self) -> FloatArray:
        """(n, n_goals) how well each goal is served: larger is better."""
        return _objectives(self.goals, self.values)

    @property
    def first(self) -> Standing:
        """Those of the first rank: the best, or the Pareto front."""
        return self._among(self.ranks == 0)

    def until(self, rounds: FloatArray, last: float) -> Standing:
        """Those of some round or one before it, in their order and ranks among all.

        `rounds` (n_rows,) are those of the table's rows.
        """
        return self._among(rounds[self.rows] <= last)

    @property
    def reference(self) -> Reference:
        """From where a hypervolume of these, at least one, is counted."""
        scatter = [usual_scatter(name, of) or 0.0 for name, of in zip(self.goals, self.values.T, strict=True)]
        inferred, spanned = inferred_reference(self.objectives, np.array(scatter))
        point, whys = dict[str, float](), dict[str, list[str]]()
        for i, (name, goal) in enumerate(self.goals.items()):
            point[name] = self.references.get(name, _with_objective(goal, float(inferred[i])))
            why = _GIVEN if name in self.references else _BEYOND_RANGE if spanned[i] else _BEYOND_MIDDLE
            whys.setdefault(why, []).append(words_and_unit(name)[0])
        if len(whys) == 1:
            return Reference(point, next(iter(whys)))
        return Reference(point, "; ".join(f"{listed(names)}: {why}" for why, names in whys.items()))

    def corner(self, reference: Reference) -> FloatArray:
        """(n_goals,) How well a reference serves each goal."""
        values = np.array([[reference.point[name] for name in self.goals]])
        return np.asarray(_objectives(self.goals, values)[0])

    def hypervolume(self, reference: Reference) -> float:
        """What the front of these dominates beyond a reference, in the product of the properties' units."""
        return hypervolume(self.objectives, self.corner(reference))

    @property
    def unit(self) -> str:
        """Of a hypervolume."""
        return product_unit(self.goals)

    def _among(self, chosen: BoolArray) -> Standing:
        return replace(self, rows=self.rows[chosen], values=self.values[chosen], ranks=self.ranks[chosen])


def standing(snapshot: Snapshot) -> Standing | None:
    """Rank the measured alloys of a campaign: rows inside its space whose measured values keep every limit.

    What is not measured is not kept. Alloys of one rank are in the order of the first goal. None where no property is
    pursued, so that no alloy is better than another.
    """
    goals = {name: goal for name, goal in snapshot.goals.items() if isinstance(goal, Pursued)}
    if not goals:
        return None
    kept = snapshot.in_space() & snapshot.near_conditions()
    for name in goals:
        kept &= snapshot.with_value(name)
    for name, limit in limits(snapshot.goals).items():
        kept &= limit.allows(snapshot.values(name))
    for name, asked in classes_wanted(snapshot.class_goals).items():
        kept &= snapshot.is_of(name, asked.label) == 1
    rows, every = np.flatnonzero(kept), np.column_stack([snapshot.values(name) for name in goals])
    values = every[rows]
    objectives, weights = _objectives(goals, values), _weights(snapshot, goals)
    if len(goals) > 1 and not weights:
        place = ranks(objectives)
        order = np.lexsort((-objectives[:, 0], place))
    else:
        number = objectives[:, 0]
        if weights:
            spreads = [spread(of[snapshot.with_value(name)]) for name, of in zip(goals, every.T, strict=True)]
            number = weighed(objectives, np.array(list(weights.values())), np.array(spreads))
        order = np.argsort(-number, kind="stable")
        place = np.argsort(order)
    references = {name: snapshot.spec.references[name] for name in goals if name in snapshot.spec.references}
    return Standing(goals, weights, references, rows[order], values[order], place[order])


def _weights(snapshot: Snapshot, goals: Mapping[str, Pursued]) -> dict[str, float]:
    """The weights of what is pursued; campaign.yaml gives them to all of it or to none."""
    weights = snapshot.spec.weights
    return {name: weights[name] for name in goals if name in weights} if len(goals) > 1 else {}


def _objectives(goals: Mapping[str, Pursued], values: FloatArray) -> FloatArray:
    """How well each goal is served by values (n, n_goals): larger is better."""
    return np.column_stack([goal.objective(of) for goal, of in zip(goals.values(), values.T, strict=True)])


def _with_objective(goal: Pursued, objective: float) -> float:
    """A value that serves a goal so well."""
    return goal.target - objective if isinstance(goal, Match) else goal.sign * objective
