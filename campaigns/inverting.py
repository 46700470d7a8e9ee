"""`alloyloop inverse`: from wanted properties to alloys, how likely each is, and what is in the way where none is."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, erf, floor, inf, isfinite, log10, sqrt
from typing import Any

import numpy as np

from ..design.alloy_names import BASIS_SIGN
from ..design.drivers import Step, cloud, steps, where_enough
from ..design.goals import Within
from ..design.inverse import Found, inverse
from ..design.process import Process
from ..design.propose import SPARING, THOROUGH
from ..design.reaching import Reach
from ..design.readable import Tallies
from ..design.surer import Surer
from ..surrogates.errors import AlloyloopError
from .answers import Answer, Answers, Json
from .asking import PROBABILITY, Question, check_probability, measured_words, names_of, question
from .judging import judge
from .learning import SUCCESS
from .printing import table_lines
from .readable import tallies_json
from .reading import counted, listed
from .scatter import apart
from .snapshot import Snapshot
from .wanting import Held, Wishes

MOST_ANSWERS = 50
# Of an answer so many steps are said, of those that move its chance by a percentage point or more.
MOST_STEPS, LEAST_MOVED = 4, 0.01
MOST_RULES = 4
# Limits that are widened by more of their spreads than this ask for nothing any more.
MOST_SPREADS = 3.0
# Where nothing reaches the probability, rules of thumb say where the chance is at least this share of the best.
SHARE_OF_THE_BEST = 0.8
# A known alloy that is no further away [at.%] is the answer itself.
SAME = 1e-6
# A chance below this, or a doubt that leaves no more than this to be wrong, is not worth a melt.
HARDLY = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """One alloy that may have what is wanted.

    Parameters
    ----------
    answer : the alloy, what is believed of it, and how likely each want and all of them are met
    region : number of the region of likely designs that it lies in, from 1
    steps : what one step of each element and process variable does to its chance, what costs most first
    surer : where the doubt about it lies, and what would take it away
    other : the name of a design that would teach clearly more of it than a melt of the alloy itself; or empty
    """

    answer: Answer
    region: int
    steps: tuple[Step, ...]
    surer: Surer
    other: str

    def json(self) -> Json:
        """As in `--json` (the manual's keys)."""
        doubt = self.surer
        surer = {
            "want": doubt.want,
            "measure": doubt.name,
            "share_of_doubt": doubt.share,
            "confirmed": doubt.confirmed,
            "doubt": doubt.doubt,
            "gain": doubt.gain,
            "other": self.other or None,
            "other_gain": doubt.other_gain,
        }
        drivers = [
            {"name": step.name, "from": step.was, "to": step.to, "probability": step.chance} for step in self.steps
        ]
        return {**self.answer.json(), "region": self.region, "surer": surer, "drivers": drivers}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Inverted(Sequence[Answer]):
    """What `inverse` answers: the alloys; shows itself as a table in a notebook.

    Parameters
    ----------
    asked : the question
    probability : that is enough
    solutions : the alloys, the likeliest first
    reach : whether the probability can be reached, and what would have to give way where it cannot
    where : names of designs to melt that could change the answer
    limits_of_testing : wants that even an alloy known exactly would be measured to meet too seldom, and how often
    rules : where designs are likely enough, read off many of them; None where all are, or none is, or phases would
        have to be computed for each
    likely : the chance that is enough for `rules`
    """

    asked: Question
    probability: float
    solutions: tuple[Solution, ...]
    reach: Reach
    where: tuple[str, ...]
    limits_of_testing: Mapping[str, float]
    rules: Tallies | None
    likely: float

    def __len__(self) -> int:
        return len(self.solutions)

    def __getitem__(self, index: Any) -> Any:
        return self.answers[index]

    @property
    def answers(self) -> Answers:
        """The alloys, as other questions answer with them."""
        return Answers(tuple(each.answer for each in self.solutions), self.asked.remarks)

    def json(self) -> Json:
        """As in `--json` (the manual's keys)."""
        reach = self.reach
        return {
            "wants": list(self.asked.words),
            "probability": self.probability,
            "noise": self.asked.noise,
            "answers": [each.json() for each in self.solutions],
            "reachable": reach.reachable,
            "best": reach.best,
            "bottleneck": reach.bottleneck or None,
            "relaxed": {words: list(map(_end, limits)) for words, limits in reach.relaxed.items()},
            "relaxed_together": {words: list(map(_end, limits)) for words, limits in reach.together.items()},
            "limits_of_testing": dict(self.limits_of_testing),
            "chance_left": reach.chance_left,
            "where": list(self.where),
            "rules": {"probability": self.likely, "words": list(self.rule_words)},
            "remarks": list(self.asked.remarks),
        }

    @property
    def rule_words(self) -> tuple[str, ...]:
        """Where designs are likely enough, as sentences that one can say aloud, those about most designs first."""
        if self.rules is None:
            return ()
        words = [said["words"] for said in tallies_json(self.asked.snapshot, self.rules)["of"]]
        told = sorted(zip(self.rules.of, words, strict=True), key=lambda each: -int(each[0].counts[0]))
        return tuple(
            f"{said.partition(':')[0]}: {rule.counts[0]} of {len(rule.rows)} designs."
            for rule, said in told
            if rule.clauses and 2 * rule.counts[0] > len(rule.rows)
        )[:MOST_RULES]

    def lines(self, width: int | None = None) -> Iterator[str]:
        """As a person wants to see it on a terminal of some width: the table, each alloy, what is in the way."""
        yield f"{counted(len(self.solutions), 'alloy')} for: {'; '.join(self.asked.words)}.\n"
        yield from table_lines(*self.answers.table(), width)
        for each in self.solutions:
            yield f"\n{each.answer.id}  {each.answer.name}"
            yield from (f"  {note}" for note in self._notes(each))
        yield ""
        yield from self.sentences()
        yield from (f"\nRemark: {remark}" for remark in self.asked.remarks)

    def sentences(self) -> Iterator[str]:
        """What follows: whether the probability can be reached, what would have to give way, and where it is likely."""
        yield from self._reach()
        yield from self._regions()
        yield from self._rules()

    def _notes(self, each: Solution) -> Iterator[str]:
        """What is said of one alloy below the table."""
        answer = each.answer
        chances = [f"{words} {_percent(chance)}" for words, chance in answer.probability.items() if words != "all"]
        if len(chances) > 1:
            yield f"Chance of each: {'; '.join(chances)}."
        if answer.nearest is not None and answer.nearest.distance <= SAME:
            snapshot = self.asked.snapshot
            said = measured_words(snapshot, snapshot.table.row(answer.nearest.id))
            yield f"It is the composition of {answer.nearest.id}{f', of which was measured: {said}' if said else ''}."
        yield self._doubt(each)
        yield self._stepping(each)
        if answer.cost is not None:
            yield f"A melt of it costs {answer.cost:.2f}."
        yield from answer.flags

    def _doubt(self, each: Solution) -> str:
        """What to measure to become sure of an alloy."""
        doubt = each.surer
        if doubt.doubt < HARDLY:
            return "There is little doubt what the alloy itself has."
        most = "" if len(self.asked.words) == 1 else f", which carries {doubt.share:.0%} of the doubt"
        sure = f"one melt confirms it with a chance of {_percent(doubt.confirmed)}"
        if doubt.confirmed < HARDLY:
            sure = f"one melt is too few to make it {self.probability:.0%} sure"
        said = f"To be surer, melt it and measure {doubt.name}{most}; {sure}."
        return f"{said} A melt of {each.other} would teach more of it." if each.other else said

    def _stepping(self, each: Solution) -> str:
        """What single steps do to its chance."""
        own = each.answer.probability["all"]
        moving = [step for step in each.steps if abs(step.chance - own) >= LEAST_MOVED][:MOST_STEPS]
        if not moving:
            return f"No single step of an element or a treatment moves its chance by {LEAST_MOVED:.0%}."
        return f"With one step its chance is: {'; '.join(self._step(step) for step in moving)}."

    def _step(self, step: Step) -> str:
        sign = f" {BASIS_SIGN[self.asked.space.basis]}" if step.name in self.asked.space.elements else ""
        was, to = (f"{value:.6g}" if isinstance(value, float) else value for value in (step.was, step.to))
        return f"{_percent(step.chance)} at {step.name} {to}{sign} instead of {was}"

    def _reach(self) -> Iterator[str]:
        reach, enough = self.reach, f"{self.probability:.0%}"
        if reach.reachable:
            yield f"The space reaches {enough}: the likeliest design found meets it with {_percent(reach.best)}."
            return
        yield f"Nothing in this space reaches {enough}: the likeliest design meets it with {_percent(reach.best)}."
        if reach.bottleneck and len(self.asked.words) > 1:
            yield f"The bottleneck is '{reach.bottleneck}'."
        for words, share in self.limits_of_testing.items():
            yield (
                f"Tests scatter: even an alloy that truly lies amid '{words}' would be measured there {share:.0%} of "
                "the time; --no-noise asks for the alloy itself."
            )
        if reach.relaxed:
            said = [f"'{words}' were {_limits(limits)}" for words, limits in reach.relaxed.items()]
            yield f"It would be reached if {listed(said, 'or')}."
        if len(reach.together) > 1 and reach.share <= MOST_SPREADS:
            said = [f"'{words}' {_limits(limits)}" for words, limits in reach.together.items()]
            yield f"Or, each widened by the same share of its spread, with {listed(said)}."
        elif not reach.relaxed:
            yield "No limits that were only somewhat wider would be reached either."
        if reach.chance_left < HARDLY:
            yield "That some design truly meets all of it is unlikely (below 1%): more data would hardly change this."
        elif self.where:
            chance = _percent(min(reach.chance_left, 0.999))
            yield (
                f"With {chance} some design truly meets all of it, and which is not known: to find out, melt "
                f"{listed(self.where)}."
            )

    def _regions(self) -> Iterator[str]:
        regions: dict[int, list[str]] = {}
        for each in self.solutions:
            regions.setdefault(each.region, []).append(each.answer.id)
        if len(regions) > 1:
            said = "; ".join(listed(ids) for ids in regions.values())
            yield f"They lie in {len(regions)} regions, with less likely designs between them: {said}."

    def _rules(self) -> Iterator[str]:
        if self.rules is None:
            return
        chance = _percent(self.likely)
        if self.likely != self.probability:
            chance += f", {SHARE_OF_THE_BEST:.0%} of the best"
        if not self.rule_words:
            yield f"\nNo rule of thumb tells where the chance reaches {chance}."
            return
        n = sum(len(rule.rows) for rule in self.rules.of)
        right = "" if self.rules.right is None else f", right of {self.rules.right:.0%} of {n} designs looked at"
        yield f"\nRules of thumb for where the chance reaches {chance}{right}:"
        yield from (f"  {words}" for words in self.rule_words)

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{html.escape(line)}</p>" for line in self.sentences())
        return f"{self.answers._repr_html_()}{said}"


def invert(
    snapshot: Snapshot,
    wishes: Wishes | None = None,
    n: int = 5,
    probability: float = PROBABILITY,
    *,
    fix: Held = (),
    noise: bool = True,
) -> Inverted:
    """The alloys that are likeliest to have what is wanted.

    Parameters
    ----------
    snapshot, wishes, fix, noise : as those of `question`
    n : how many, of different regions of the space where there are several
    probability : that is enough

    Raises
    ------
    AlloyloopError
        as `question`, and where the space holds nothing that can be predicted
    """
    check_probability(probability)
    if not 1 <= n <= MOST_ANSWERS:
        raise AlloyloopError(f"{n} alloys cannot be answered with", f"Ask for 1 to {MOST_ANSWERS}.")
    asked = question(snapshot, wishes, fix, noise=noise)
    elements, (searching, looking) = snapshot.table.elements, np.random.default_rng(snapshot.spec.seed).spawn(2)
    phases = asked.sees_phases
    found, reach = inverse(
        asked.space,
        asked.wanted,
        elements,
        n,
        searching,
        probability=probability,
        measured=noise,
        known=snapshot.alloys().rows(snapshot.known),
        cost=None if snapshot.cost is None else snapshot.cost.of,
        apart=apart(snapshot, asked.scatter),
        effort=SPARING if phases else THOROUGH,
    )
    likely = probability if reach.reachable else SHARE_OF_THE_BEST * reach.best
    rules = None
    if not phases:  # they take too long to compute for a picture of the whole space
        seen = cloud(asked.space, found.points, looking)
        rules = where_enough(asked.space, seen, elements, asked.chance(asked.alloys(seen)), likely)
    return Inverted(
        asked,
        probability,
        _solutions(asked, found),
        reach,
        names_of(asked.space, reach.where),
        _limits_of_testing(asked, found, probability) if noise else {},
        rules,
        likely,
    )


def _solutions(asked: Question, found: Found) -> tuple[Solution, ...]:
    """The answers with all that is said of them."""
    space, snapshot, n = asked.space, asked.snapshot, len(found)
    process: Process = space.process_values(found.points)
    ids = [f"A{i}" for i in range(1, n + 1)]
    alloys = judge(snapshot, asked.beliefs, ids, space.compositions(found.points), process, scatter=asked.scatter)
    held = [(k, want.words) for k, want in enumerate(asked.wanted.wants) if not want.is_pursued]
    solutions = []
    for i, alloy in enumerate(alloys):
        chances = {words: float(found.chances[i, k]) for k, words in held}
        if SUCCESS in alloy.probability:
            chances[SUCCESS] = alloy.probability[SUCCESS]
        every = float(found.chance[i])
        # Only that of all is corrected by what rows left out showed; where that is upward, each is as likely at least.
        chances = {words: max(chance, every) for words, chance in chances.items()} | {"all": every}
        told = found.surer[i]
        solutions.append(
            Solution(
                replace(alloy, probability=chances),
                int(found.regions[i]) + 1,
                steps(space, found.points[i], snapshot.table.elements, asked.chance),
                told,
                "" if told.other is None else names_of(asked.space, told.other[None])[0],
            )
        )
    return tuple(solutions)


def _limits_of_testing(asked: Question, found: Found, probability: float) -> dict[str, float]:
    """The wants between two limits that an alloy amid them would be measured to meet too seldom, and how often.

    By the scatter of one measurement of the first answer, on the scale on which it is normal: no data make it less.
    """
    alloy = asked.alloys(found.points[:1])
    itself, measured = (asked.wanted.foresee(alloy, measured=noise).normals for noise in (False, True))
    seldom = {}
    for want in asked.wanted.wants:
        if not isinstance(want.goal, Within) or want.formula is not None:
            continue
        (name,) = want.names
        low, high = measured[name].scale.limits(want.goal.low, want.goal.high)
        noise = sqrt(max(float(measured[name].std[0] ** 2 - itself[name].std[0] ** 2), 0.0))
        share = erf(float(high - low) / 2 / noise / sqrt(2)) if noise > 0 else 1.0
        if share < probability:
            seldom[want.words] = share
    return seldom


def _percent(chance: float) -> str:
    """A chance as it is read: whole percent, but none that is possible is 0 % and none that is in doubt 100 %.

    >>> _percent(0.8149), _percent(0.002), _percent(0.9996), _percent(0.0)
    ('81%', 'below 1%', 'above 99%', '0%')
    """
    if 0 < chance < 0.005:
        return "below 1%"
    return "above 99%" if 0.995 < chance < 1 else f"{chance:.0%}"


def _end(limit: float) -> float | None:
    return limit if isfinite(limit) else None


def _limits(limits: tuple[float, float]) -> str:
    """Wider limits in words, rounded outward to about three figures.

    >>> _limits((41.23456, 60.1)), _limits((-inf, 0.5123)), _limits((473.9, inf))
    ('41.2 to 60.1', 'below 0.513', 'above 473')
    """
    low, high = limits
    if low == -inf:
        return f"below {_rounded(high, ceil)}"
    return f"above {_rounded(low, floor)}" if high == inf else f"{_rounded(low, floor)} to {_rounded(high, ceil)}"


def _rounded(number: float, outward: Any) -> str:
    if number == 0:
        return "0"
    unit = 10.0 ** (floor(log10(abs(number))) - 2)
    return f"{outward(round(number / unit, 6)) * unit:.6g}"
