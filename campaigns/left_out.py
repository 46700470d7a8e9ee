"""How a campaign's own models do on rows, and on whole sources, that they had not seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ..design.beliefs import Belief, Evidence
from ..design.comparing import (
    Judged,
    Learned,
    judged,
    random_folds,
    source_folds,
    why_not_by_source,
    why_not_random,
)
from ..surrogates.errors import AlloyloopError
from .comparison import BY_SOURCE, RANDOM, WORDS
from .learning import believe
from .reading import counted
from .snapshot import Snapshot

LEVEL = 0.9  # of the intervals that are counted


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """What the models that a campaign chose believe of rows that were left out.

    The choice of model and features was made with all rows at hand: `compare` makes it anew without those left out.

    Parameters
    ----------
    snapshot : the campaign
    of : by property, and by way of leaving out (`random`, `by_source`)
    remarks : what could not be judged, and why
    """

    snapshot: Snapshot
    of: Mapping[str, Mapping[str, Judged]]
    remarks: tuple[str, ...]

    def held(self, name: str, way: str) -> tuple[int, int]:
        """How many values of a property lie inside their 90 % intervals, and of how many."""
        one = self.of[name][way].held_out
        return round(one.held(LEVEL) * len(one)), len(one)


def left_out(snapshot: Snapshot, progress: Callable[[int, int], None] = lambda done, of: None) -> LeftOut:
    """Fit the models of a campaign again without some rows, in turn, and ask them of these.

    Parameters
    ----------
    progress : told how many properties and ways are done, and of how many

    Raises
    ------
    AlloyloopError
        where no property has rows enough to leave some out
    """
    beliefs = believe(snapshot)
    remarks, found = list(beliefs.remarks), dict[str, dict[str, Judged]]()
    asked = [(name, way) for name in beliefs.of for way in (RANDOM, BY_SOURCE)]
    for i, (name, way) in enumerate(asked):
        progress(i, len(asked))
        belief = beliefs.of[name]
        if why := _why_not(belief.evidence, way):
            remarks.append(f"{name}, {WORDS[way]}: not judged, since {why}.")
            continue
        evidence = replace(belief.evidence, whole_sources=way == BY_SOURCE)
        folds = source_folds if way == BY_SOURCE else random_folds
        found.setdefault(name, {})[way] = judged(evidence, _learner(belief), folds(evidence, snapshot.spec.seed))
    progress(len(asked), len(asked))
    if not found:
        few = f" ({counted(int(snapshot.known.sum()), 'row')} can teach)"
        raise AlloyloopError(
            f"No property has rows enough to leave some out{few}", "`alloyloop record` enters results."
        )
    return LeftOut(snapshot, found, tuple(dict.fromkeys(remarks)))


def _why_not(evidence: Evidence, way: str) -> str:
    why = why_not_random(evidence)
    return why or (why_not_by_source(evidence) if way == BY_SOURCE else "")


def _learner(belief: Belief) -> Callable[[Evidence], Learned]:
    """Learns in the way that was chosen, from other evidence."""
    return lambda known: Learned("as chosen", belief.again(known).about)
