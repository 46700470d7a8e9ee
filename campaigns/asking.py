"""A question of the inverse kind, made ready: what is wanted, what is believed of it, and the space it is asked of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from math import isfinite

import numpy as np

from ..design.diagram import IntArray
from ..design.erring import together
from ..design.features import Alloys, alloys_at
from ..design.goals import Is, Maximize, Within
from ..design.held import held
from ..design.made import Made, MadeClasses
from ..design.outlook import Believed, Seen, see_phases
from ..design.picked import correction
from ..design.scatter import Scatter
from ..design.space import DesignSpace
from ..design.wants import Want, Wanted
from ..design.weighing import spread
from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .answers import design_name
from .examining import refuse_if_empty
from .learning import Beliefs, believe
from .reading import listed
from .scatter import scatter
from .snapshot import Snapshot, plain
from .spec import PropertySpec
from .wanting import Held, Wishes, beyond_measured, fixed_of, measured_of, wants_of

# A chance that is enough where nobody says.
PROBABILITY = 0.8
# Beside the seed, which stream of random numbers the wants are drawn from by which claims are corrected.
_CORRECTING = 7


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked.

    Parameters
    ----------
    snapshot : the campaign, its goals those that are wanted
    wanted : what is wanted, with what is believed of it
    beliefs : about every property of the campaign
    space : the part of the campaign's that is left where something is fixed
    noise : whether a new measurement is to meet the wants, or the alloy itself
    scatter : of what is made where alloys are aimed at; None where that is not known
    remarks : what should be known about it
    """

    snapshot: Snapshot
    wanted: Wanted
    beliefs: Beliefs
    space: DesignSpace
    noise: bool
    scatter: Scatter | None
    remarks: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The wants, as a person says them."""
        return tuple(want.words for want in self.wanted.wants)

    @property
    def sees_phases(self) -> bool:
        """Whether phases have to be computed of a design before anything can be said of it."""
        seen: list[Seen] = [belief.features for belief in self.wanted.numbers.values()]
        seen += [belief.features for belief in self.wanted.classes.values()]
        return see_phases(seen)

    def alloys(self, points: IntArray) -> Alloys:
        """Points of the space as alloys over the table's elements."""
        return alloys_at(self.space, points, self.snapshot.table.elements)

    def chance(self, alloys: Alloys) -> FloatArray:
        """(n,) The probability that each alloy meets all wants; NaN where something it hangs on is not known."""
        return self.wanted.chance(alloys, measured=self.noise)


def question(snapshot: Snapshot, wishes: Wishes | None = None, fixed: Held = (), *, noise: bool = True) -> Question:
    """Make a question ready.

    Parameters
    ----------
    snapshot : the campaign, or a table read as one
    wishes : what is wanted, see `wants_of`; the campaign's own goals where it is None
    fixed : what is held, see `fixed_of`
    noise : whether a new measurement is to meet the wants, or the alloy itself

    Raises
    ------
    AlloyloopError
        where nothing was measured of what is wanted, wants contradict each other or cannot be read, or nothing is left
        of the space
    """
    remarks = [*snapshot.remarks, *refuse_if_empty(snapshot)]
    wants = wants_of(snapshot, wishes)
    ranges = fixed_of(snapshot.space, fixed)
    space = held(snapshot.space, ranges) if ranges else snapshot.space
    asked = asking_for(snapshot, wants)
    scattering, said = scatter(snapshot)
    beliefs = believe(asked)
    wanted = _wanted(asked, wants, beliefs, scattering)
    remarks += [*beliefs.remarks, *said, *beyond_measured(snapshot, wants)]
    return Question(asked, wanted, beliefs, space, noise, scattering, tuple(dict.fromkeys(remarks)))


def check_probability(probability: float) -> None:
    """Refuse a probability that is none."""
    if not 0 < probability < 1:
        raise AlloyloopError(f"A probability of {probability:g} cannot be asked for", "Give one between 0 and 1.")


def asking_for(snapshot: Snapshot, wants: Sequence[Want]) -> Snapshot:
    """The same campaign with what is wanted for its goals; other properties are reported.

    So it is learned as `suggest` learns it: what is wanted on however few rows, and numbers from alloys of the class
    that is wanted where those of others tell nothing of these.
    """
    reported = {"goal": "report", "weight": None, "reference": None, "value": None}
    nothing = dict.fromkeys(("limit", "low", "high", "target", "tolerance"))
    properties = {
        name: spec.model_copy(update={**reported, **nothing}) for name, spec in snapshot.spec.properties.items()
    }
    for want in wants:
        for name in want.names:
            told = properties.get(name, PropertySpec(goal="report"))
            properties[name] = told.model_copy(update=_goal(want))
    spec = snapshot.spec.model_copy(update={"properties": properties})
    return replace(snapshot, written=replace(snapshot.written, spec=spec))


def _goal(want: Want) -> dict[str, object]:
    """What campaign.yaml would say of a property that is wanted so."""
    goal = want.goal
    if isinstance(goal, Is):
        return {"goal": "is", "value": goal.label}
    if isinstance(goal, Within) and want.formula is None:
        if isfinite(goal.low) and isfinite(goal.high):
            return {"goal": "between", "low": goal.low, "high": goal.high}
        return {"goal": "above", "limit": goal.low} if isfinite(goal.low) else {"goal": "below", "limit": goal.high}
    return {"goal": "maximize" if isinstance(goal, Maximize) else "minimize"}  # of a formula: wanted, whichever way


def _wanted(snapshot: Snapshot, wants: Sequence[Want], beliefs: Beliefs, scattering: Scatter | None) -> Wanted:
    """The wants with the beliefs that they hang on."""
    names = dict.fromkeys(name for want in wants for name in want.names)
    if missing := [name for name in names if name not in beliefs.every]:
        raise AlloyloopError(
            f"Of {listed(missing)} nothing is measured yet that could be learned from",
            "Measure some alloys first, which `alloyloop suggest` names, or leave it out.",
        )
    numbers: dict[str, Believed] = {name: beliefs.numbers[name] for name in names if name in beliefs.numbers}
    classes = {name: beliefs.classes[name] for name in names if name in beliefs.classes}
    if scattering is not None:
        numbers |= {name: Made(beliefs.of[name], scattering) for name in numbers if name in beliefs.of}
        classes = {name: MadeClasses.of(belief, scattering) for name, belief in classes.items()}
    scaled = tuple(
        replace(want, scale=spread(measured_of(snapshot, want))) if want.is_pursued else want for want in wants
    )
    claimed = Wanted(scaled, numbers, classes, beliefs.success, together(numbers))
    return replace(claimed, correct=correction(claimed, np.random.default_rng([snapshot.spec.seed, _CORRECTING])))


def measured_words(snapshot: Snapshot, row: int, names: Collection[str] | None = None) -> str:
    """What was measured of a row, of some properties or of all, in words; empty where nothing was."""
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in snapshot.measured(row).items()
        if names is None or name in names
    )


def names_of(space: DesignSpace, points: IntArray) -> tuple[str, ...]:
    """What points (n, d) of a space are called: their compositions, and their treatments where there are some."""
    values = space.process_values(points)
    names = []
    for i, composition in enumerate(space.compositions(points)):
        treated = {variable.name: plain(values[variable.name][i]) for variable in space.process}
        said = [] if composition is None else [composition.name()]
        names.append(", ".join([*said, *([design_name(None, treated)] if treated else [])]))
    return tuple(names)
