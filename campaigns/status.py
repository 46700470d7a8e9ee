"""Where a campaign stands: what is pending, what is best, and what the last round said of going on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from ..design.space import Count, DesignSpace
from .answers import Json
from .budgeting import Budget, budget
from .reading import counted, listed
from .rounds import past_round
from .snapshot import Snapshot
from .standing import Reference, Standing, standing
from .wording import words_and_unit


@dataclass(frozen=True, slots=True)
class Best:
    """A measured alloy that keeps every limit and is of every class asked for.

    Parameters
    ----------
    id, alloy : of its row, and its name
    values : what was measured of each property that is pursued
    stds : standard deviations of their replicates, of those that are known
    """

    id: str
    alloy: str
    values: Mapping[str, float]
    stds: Mapping[str, float]

    def measured(self, name: str) -> str:
        """The value of a property with its scatter, as text."""
        return f"{self.values[name]:g}" + (f" ± {self.stds[name]:g}" if name in self.stds else "")

    @property
    def words(self) -> str:
        """All that is pursued, as text."""
        return listed([f"{name} = {self.measured(name)}" for name in self.values])

    def json(self) -> Json:
        """As in `--json`."""
        std = {"std": self.stds.get(next(iter(self.values)))} if len(self.values) == 1 else {"std": dict(self.stds)}
        return {"id": self.id, "alloy": self.alloy, **self.values, **std}


@dataclass(frozen=True, slots=True)
class Front:
    """The Pareto front: measured alloys that no other one equals in every goal and surpasses in one.

    Parameters
    ----------
    alloys : in the order of the first goal, at least one
    hypervolume : what they dominate beyond the reference
    unit : of the hypervolume
    reference : from where it is counted
    """

    alloys: tuple[Best, ...]
    hypervolume: float
    unit: str
    reference: Reference

    @property
    def words(self) -> str:
        """How large it is, from where it is counted, and why from there."""
        parts = [(words_and_unit(name), value) for name, value in self.reference.point.items()]
        point = listed([f"{words} {value:.4g} {unit}".rstrip() for (words, unit), value in parts])
        volume = f"{float(f'{self.hypervolume:.4g}'):.12g} {self.unit}".strip()  # 64730, and not 6.473e+04
        return f"{counted(len(self.alloys), 'alloy')}, hypervolume {volume} beyond {point} ({self.reference.why})"

    def place(self, id: str) -> str:
        """Whether an alloy is on it, in words."""
        on = any(each.id == id for each in self.alloys)
        return "On the Pareto front." if on else "Not on the Pareto front: another is no worse in any goal."

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Column names and rows of text."""
        names = list(self.reference.point)
        rows = [[each.id, each.alloy, *map(each.measured, names)] for each in self.alloys]
        return ["id", "name", *names], rows

    def json(self) -> Json:
        """As in `--json`."""
        return {
            "front": [each.json() for each in self.alloys],
            "hypervolume": self.hypervolume,
            "unit": self.unit,
            "reference": dict(self.reference.point),
            "reference_why": self.reference.why,
        }


@dataclass(frozen=True, slots=True)
class Status:
    """Where a campaign stands, from its files alone: nothing is fitted.

    Parameters
    ----------
    rounds : how many there were
    pending : ids of alloys proposed or made and not yet measured
    measured : how many alloys have a result, by status `known`, `measured` and `failed`
    best : by one number; None where nothing keeps the limits, or several goals are pursued that nothing weighs
    front : of these; None where nothing keeps the limits, or one number says what is best
    weights : of the goals that are weighed; empty where they are not
    stop : what the last round expected of going on, with the `round` it is of; empty before the first
    budget : what has been used up of it; None where campaign.yaml gives none
    designs : how many there are in the space, as far as can be said without asking any of them
    ranking : rows that keep the limits, best first
    """

    rounds: int
    pending: tuple[str, ...]
    measured: dict[str, int]
    best: Best | None
    front: Front | None
    weights: Mapping[str, float]
    stop: Json
    budget: Budget | None
    designs: Count
    ranking: tuple[int, ...]

    def json(self) -> Json:
        """As in `--json`."""
        best = self.best or self.front
        return {
            "rounds": self.rounds,
            "pending": list(self.pending),
            "measured": self.measured,
            "best": None if best is None else best.json(),
            "stop": self.stop,
            **({} if self.budget is None else {"budget": self.budget.json()}),
            "designs": count_json(self.designs),
        }


def status(snapshot: Snapshot) -> Status:
    """Read a campaign's status off its files."""
    table = snapshot.table
    rounds = {number for number in table.round if number is not None}
    stands = standing(snapshot)
    best, front = _foremost(snapshot, stands) if stands is not None and len(stands.rows) else (None, None)
    return Status(
        rounds=len(rounds),
        pending=tuple(id for id, waits in zip(table.ids, table.pending, strict=True) if waits),
        measured={name: int(table.is_row(name).sum()) for name in ("known", "measured", "failed")},
        best=best,
        front=front,
        weights={} if stands is None else stands.weights,
        stop=_stop(snapshot, max(rounds, default=0)),
        budget=budget(snapshot),
        designs=_quick_count(snapshot.space),
        ranking=() if stands is None else tuple(stands.rows.tolist()),
    )


def _foremost(snapshot: Snapshot, stands: Standing) -> tuple[Best | None, Front | None]:
    """The best, or the Pareto front where no one number says what is best."""
    foremost = tuple(_best(snapshot, row, stands.goals) for row in stands.first.rows.tolist())
    if stands.is_by_one:
        return foremost[0], None
    reference = stands.reference
    return None, Front(foremost, stands.hypervolume(reference), stands.unit, reference)


def _best(snapshot: Snapshot, row: int, names: Iterable[str]) -> Best:
    table = snapshot.table
    values = {name: float(snapshot.values(name)[row]) for name in names}
    stds = {name: float(snapshot.std(name)[row]) for name in names if np.isfinite(snapshot.std(name)[row])}
    return Best(table.ids[row], snapshot.name(row), values, stds)


def count_json(count: Count) -> Json:
    """How many designs there are, as in `--json`."""
    return {"number": count.number, "exact": count.exact, "low": count.low, "high": count.high, "how": count.how}


def _quick_count(space: DesignSpace) -> Count:
    """How many designs there are, exactly, or at most so many where some rules can only be asked of each of them."""
    if not space.asked:
        return space.counted()
    rules = counted(len(space.asked), "rule")
    return Count(space.count, 0, space.count, f"before {rules} that can only be asked; `alloyloop check` asks")


def _stop(snapshot: Snapshot, last: int) -> Json:
    stop = past_round(snapshot, last).decision.get("stop") if last else None
    return {"round": last, **stop} if isinstance(stop, dict) else {}
