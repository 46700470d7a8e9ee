"""All acquisitions that come with alloyloop, and which of them is taken where nobody named one."""

from __future__ import annotations

from ..surrogates.errors import AlloyloopError
from . import exploration, hopes, hypervolume, knowledge_gradient, thompson  # noqa: F401  # they register theirs
from .acquisition import ACQUISITIONS, Rule
from .goals import Match
from .hopes import hope
from .hypervolume import MOST_GOALS
from .outlook import Outlook
from .space import spaced

# The one that `explore` turns.
HOPEFUL = "upper-confidence-bound"


def acquisition_names() -> tuple[str, ...]:
    """Every name that `acquisition_rule` knows, sorted."""
    return tuple(sorted(ACQUISITIONS))


def acquisition_rule(name: str) -> Rule:
    """The acquisition of this name.

    Raises
    ------
    AlloyloopError
        where there is none
    """
    if name not in ACQUISITIONS:
        raise AlloyloopError(
            f"There is no acquisition named '{name}'", f"Write auto or one of {', '.join(acquisition_names())}."
        )
    return ACQUISITIONS[name]


def refuse(name: str, explore: float | None) -> None:
    """Raise where there is no such acquisition, or it has no use for `explore`; `auto` and every name are judged.

    Raises
    ------
    AlloyloopError
        which says what to write instead
    """
    if name == "auto":
        return
    acquisition_rule(name)
    if explore is not None and name != HOPEFUL:
        raise AlloyloopError(
            f"explore says how hopeful {HOPEFUL} is, and {name} has no use for it",
            "Take explore out, or write acquisition: auto.",
        )


def automatic(outlook: Outlook) -> tuple[Rule, str]:
    """The acquisition that is taken where nobody named one, and why."""
    n, explore = len(outlook.sought), outlook.explore
    known = f"{len(outlook.baseline)} known alloys to beat, {len(outlook.to_come)} still to come"
    if outlook.eagerness < 1:
        known += f", and a budget that runs out, so that hopes count {outlook.eagerness:.0%}"
    if explore is not None:
        return acquisition_rule(HOPEFUL), (
            f"explore is {explore:g}: each alloy is judged by the hopeful end of its central {explore:.0%} interval"
        )
    if outlook.is_by_one and any(isinstance(each.goal, Match) for each in outlook.sought):
        # Whatever is uncertain enough may be on target: hopes would not tell such alloys apart.
        return acquisition_rule("log-expected-improvement"), f"a target is to be approached, with {known}"
    if outlook.is_by_one:
        one = "one property is pursued" if n == 1 else f"weights make one number of {n} goals"
        return acquisition_rule(HOPEFUL), (
            f"{one}: each alloy is judged by what it may be, {hope(outlook):.2g} standard deviations better than "
            f"expected, as many as {spaced(outlook.n_designs)} designs to choose from warrant; {known}"
        )
    if n <= MOST_GOALS:
        name, why = "log-expected-hypervolume-improvement", f"{n} goals are pursued, none weighed"
    else:
        name, why = "parego", f"{n} goals are pursued, too many for the volume that a front dominates"
    return acquisition_rule(name), f"{why}, with {known}"
