"""What past rounds foresaw: their decision.json, read back without fitting anything again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..surrogates.errors import AlloyloopError
from .answers import Answer, Json
from .files import read_text
from .snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class PastRound:
    """What a round's decision.json says.

    Parameters
    ----------
    number : of the round
    decision : all of it; empty where there is none that can be read
    proposals : its alloys with what was expected of them, by id
    """

    number: int
    decision: Json = field(default_factory=dict)
    proposals: Mapping[str, Answer] = field(default_factory=dict)

    @property
    def acquisition(self) -> str:
        """By what it was chosen, in words; empty where that is not said.

        >>> PastRound(1, {"acquisition": {"name": "greedy", "about": "the best mean", "why": "as asked"}}).acquisition
        'greedy: the best mean (as asked)'
        """
        said = self.decision.get("acquisition")
        if not isinstance(said, Mapping):
            return said if isinstance(said, str) else ""
        name, about, why = (str(said[key]) if said.get(key) else "" for key in ("name", "about", "why"))
        return name + (f": {about}" if about else "") + (f" ({why})" if why else "")


def past_rounds(snapshot: Snapshot) -> tuple[PastRound, ...]:
    """Every round that a row of the table names, in order."""
    numbers = sorted({number for number in snapshot.table.round if number is not None})
    return tuple(past_round(snapshot, number) for number in numbers)


def past_round(snapshot: Snapshot, number: int) -> PastRound:
    """One round; empty where it was made by hand, was removed, or is damaged."""
    try:
        decision = json.loads(read_text(snapshot.folder.round(number) / "decision.json").text)
        proposals = [Answer.from_json(alloy) for alloy in decision["proposals"]]
    except (AlloyloopError, ValueError, KeyError, TypeError, AttributeError):
        return PastRound(number)
    return PastRound(number, decision, {alloy.id: alloy for alloy in proposals})
