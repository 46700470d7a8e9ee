"""What a campaign's models say for its report: how good they are, and in which ranges the goals are met."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..design.goals import Match, Maximize, Minimize, Report
from ..surrogates.errors import AlloyloopError
from .asking import PROBABILITY
from .learning import believe
from .quality import Quality, qualities
from .snapshot import Snapshot
from .wanting import Value, WantedGoal
from .windowing import Windowed, find_windows

# Nothing tells whether what is to be as low or as high as possible is met. For the report it is met by the best quarter
# of what was measured, and asked for at even odds; of several such goals by the share each of which, were they
# independent, a quarter would meet all.
GOOD, EVEN = 0.25, 0.5
N_WINDOWS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """What the models say.

    Parameters
    ----------
    qualities : how each did on rows that it had not seen
    windowed : ranges in which the goals are met; None where that cannot be asked
    meaning : what was asked of them, or why it cannot be, in words
    remarks : what should be known about the models
    """

    qualities: tuple[Quality, ...]
    windowed: Windowed | None
    meaning: str
    remarks: tuple[str, ...] = ()


def opinion(snapshot: Snapshot) -> Opinion:
    """Ask the models; fits them."""
    with snapshot.asking():
        beliefs = believe(snapshot)
        told = qualities(beliefs)
        windowed, meaning = _windows(snapshot)
    return Opinion(told, windowed, meaning, beliefs.remarks)


def _windows(snapshot: Snapshot) -> tuple[Windowed | None, str]:
    """Windows of the goals, and what was asked of them; or why there are none."""
    every = {**snapshot.goals, **snapshot.class_goals}
    goals = {name: goal for name, goal in every.items() if not isinstance(goal, Report)}
    if not goals:
        return None, "Nothing is pursued or limited, so that there is no window to look for."
    n_extremes = sum(isinstance(goal, Minimize | Maximize) for goal in goals.values())
    share = GOOD ** (1 / n_extremes) if n_extremes else 1.0
    try:
        wanted = {name: _met(snapshot, name, goal, share) for name, goal in goals.items()}
        windowed = find_windows(snapshot, wanted, EVEN if n_extremes else PROBABILITY, n=N_WINDOWS)
    except AlloyloopError as error:
        return None, str(error)
    if not n_extremes:
        return windowed, "The goals are asked of a new measurement."
    return windowed, (
        "The goals are asked of a new measurement; what is to be as low or as high as possible counts as met by the "
        f"best {share:.0%} of what was measured."
    )


def _met(snapshot: Snapshot, name: str, goal: WantedGoal | Match, share: float) -> Value:
    """What an alloy that meets a goal has."""
    if not isinstance(goal, Minimize | Maximize):
        return goal
    values = snapshot.values(name)[snapshot.with_value(name)]
    if not len(values):
        raise AlloyloopError(f"Nothing is measured yet of {name}", "Then there is no window to look for.")
    good = float(f"{np.quantile(values, share if isinstance(goal, Minimize) else 1 - share):.3g}")
    return (None, good) if isinstance(goal, Minimize) else (good, None)
