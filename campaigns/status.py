"""Where a campaign stands: what is pending, what is best, and what the last round said of going on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..design.goals import classes_wanted, limits, pursued
from ..design.space import Count, DesignSpace
from ..surrogates.errors import AlloyloopError
from .answers import Json
from .reading import counted
from .rounds import past_round
from .snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Best:
    """The best alloy measured so far that keeps every limit and is of every class asked for.

    Parameters
    ----------
    id, alloy : of its row, and its name
    wanted, value : the property that is pursued, and what was measured of it
    std : standard deviation of its replicates; None where it is not known
    """

    id: str
    alloy: str
    wanted: str
    value: float
    std: float | None

    @property
    def measured(self) -> str:
        """The value with its scatter, as text."""
        return f"{self.value:g}" if self.std is None else f"{self.value:g} ± {self.std:g}"


@dataclass(frozen=True, slots=True)
class Status:
    """Where a campaign stands, from its files alone: nothing is fitted.

    Parameters
    ----------
    rounds : how many there were
    pending : ids of alloys proposed or made and not yet measured
    measured : how many alloys have a result, by status `known`, `measured` and `failed`
    best : None where nothing keeps the limits
    stop : what the last round expected of going on, with the `round` it is of; empty before the first
    designs : how many there are in the space, as far as can be said without asking any of them
    ranking : rows that keep the limits, best first
    """

    rounds: int
    pending: tuple[str, ...]
    measured: dict[str, int]
    best: Best | None
    stop: Json
    designs: Count
    ranking: tuple[int, ...]

    def json(self) -> Json:
        """As in `--json`."""
        best = None
        if self.best is not None:
            best = {
                "id": self.best.id,
                "alloy": self.best.alloy,
                self.best.wanted: self.best.value,
                "std": self.best.std,
            }
        return {
            "rounds": self.rounds,
            "pending": list(self.pending),
            "measured": self.measured,
            "best": best,
            "stop": self.stop,
            "designs": count_json(self.designs),
        }


def status(snapshot: Snapshot) -> Status:
    """Read a campaign's status off its files."""
    table = snapshot.table
    rounds = {number for number in table.round if number is not None}
    ranking = _ranking(snapshot)
    best = None
    if ranking:
        wanted, _ = pursued(snapshot.goals)
        row = ranking[0]
        std = float(table.std(wanted)[row])
        best = Best(
            table.ids[row],
            snapshot.name(row),
            wanted,
            float(table.values(wanted)[row]),
            std if np.isfinite(std) else None,
        )
    return Status(
        rounds=len(rounds),
        pending=tuple(id for id, waits in zip(table.ids, table.pending, strict=True) if waits),
        measured={name: int(table.is_row(name).sum()) for name in ("known", "measured", "failed")},
        best=best,
        stop=_stop(snapshot, max(rounds, default=0)),
        designs=_quick_count(snapshot.space),
        ranking=ranking,
    )


def count_json(count: Count) -> Json:
    """How many designs there are, as in `--json`."""
    return {"number": count.number, "exact": count.exact, "low": count.low, "high": count.high, "how": count.how}


def _quick_count(space: DesignSpace) -> Count:
    """How many designs there are, exactly, or at most so many where some rules can only be asked of each of them."""
    if not space.asked:
        return space.counted()
    rules = counted(len(space.asked), "rule")
    return Count(space.count, 0, space.count, f"before {rules} that can only be asked; `alloyloop check` asks")


def _ranking(snapshot: Snapshot) -> tuple[int, ...]:
    """Rows inside the space whose measured values keep every limit, best first; what is not measured is not kept."""
    try:
        wanted, goal = pursued(snapshot.goals)
    except AlloyloopError:  # nothing is best where nothing, or more than one property, is pursued
        return ()
    values = snapshot.table.values(wanted)
    kept = snapshot.with_value(wanted) & snapshot.in_space() & snapshot.near_conditions()
    for name, limit in limits(snapshot.goals).items():
        kept &= limit.allows(snapshot.table.values(name))
    for name, asked in classes_wanted(snapshot.class_goals).items():
        kept &= snapshot.is_of(name, asked.label) == 1
    rows = np.flatnonzero(kept)
    return tuple(int(row) for row in rows[np.argsort(-goal.sign * values[rows], kind="stable")])


def _stop(snapshot: Snapshot, last: int) -> Json:
    stop = past_round(snapshot, last).decision.get("stop") if last else None
    return {"round": last, **stop} if isinstance(stop, dict) else {}
