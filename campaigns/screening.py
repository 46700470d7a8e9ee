"""`alloyloop screen`: every design of the space, or of a range of it, asked; what is left of a stopped one is kept."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from math import exp
from pathlib import Path

import numpy as np

from ..design.criteria import (
    Criterion,
    ExpectedApproach,
    ExpectedImprovement,
    ExpectedWeighedImprovement,
    LogOdds,
    PredictedMean,
    PredictedNearness,
)
from ..design.descriptors import DESCRIPTORS
from ..design.features import alloys_at, known_for
from ..design.gates import Predicted, cheap_first, parse_gate
from ..design.goals import Limit, Match, Maximize, Minimize, Pursued, Within, classes_wanted, limits
from ..design.keeping import MOST_ON_FRONT, MOST_TIED, Found
from ..design.predictors import Described, Predictor, Swept, class_predictors, predictor
from ..design.screen import Ranking, Screening
from ..design.space import spaced
from ..design.weighing import spread
from ..surrogates.errors import AlloyloopError
from .answers import Answer, Answers, Json
from .engines import Cluster, Engine, OneProcess, Slice, hired
from .examining import refuse_if_empty
from .files import read_text, write_atomically
from .folder import Folder
from .journal import digest
from .judging import judge
from .learning import Beliefs, believe, classes_to_be
from .printing import table_lines
from .reading import listed
from .snapshot import Snapshot

EXPECTED_IMPROVEMENT, PROBABILITY = "expected-improvement", "probability"
# Designs in a slice: enough for cells of near ones, and few enough for a hundred megabytes. Surrogates that know no
# bounds are slower and gain nothing from more.
SLICE, SLICE_OF_SLOW = 131_072, 16_384
# Seconds between two savings of the state, where waves are shorter.
SAVE_EVERY = 5.0
MOST_TOP = 10_000
# An alloy this near to a target, as a share of its tolerance, is on it.
ON_TARGET = 1e-3
# Of a front in words; --json has all of it.
SHOWN_OF_FRONT = 20
# A range of more designs than fit an index of 64 bits would take a thousand machines ten thousand years.
MOST_SCREENED = 2**62

Progress = Callable[[int, int], None]
"""Is told how many designs have been looked at, and of how many."""


class StoppedError(AlloyloopError):
    """The user stopped it; what was found so far is kept."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user asks.

    Parameters
    ----------
    top : how many of the best
    by : `expected-improvement`, `probability`, or the name of a property or descriptor, perhaps after `minimize` or
        `maximize`; the first that the campaign's goals allow where it is empty
    stages : what designs must pass
    range : (start, stop) indices of the space; None for all
    front : whether to keep a Pareto front as well, where two axes can be made of the goals
    """

    top: int = 100
    by: str = ""
    stages: tuple[str, ...] = ()
    range: tuple[int | None, int | None] | None = None
    front: bool = True


@dataclass(frozen=True, slots=True)
class Screened:
    """What a screen answers.

    Parameters
    ----------
    alloys : the best, best first; their ids are their indices in the space
    scores : of each; larger is better
    front : designs that none passes in one of `axes` without falling behind in another
    axes : what the front is about, in words
    stages : the gates in the order they were applied, and how many designs each left
    looked : how many designs there were before them
    range : (start, stop) indices of the space
    scored_by : in words
    remarks : what should be known about it
    """

    alloys: tuple[Answer, ...]
    scores: tuple[float, ...]
    front: tuple[Answer, ...]
    axes: tuple[str, ...]
    stages: tuple[tuple[str, int], ...]
    looked: int
    range: tuple[int, int]
    scored_by: str
    remarks: tuple[str, ...]

    @property
    def counts(self) -> str:
        """How many designs each gate left, in a line such as `1 822 786 → 402 113 (price_usd_per_kg <= 60)`."""
        left = (f"{spaced(n)} ({gate})" for gate, n in self.stages)
        return " → ".join((f"{spaced(self.looked)} designs", *left))

    @property
    def answers(self) -> Answers:
        """The best as a table that shows itself in a notebook."""
        return Answers(self.alloys, self.remarks)

    def json(self) -> Json:
        """As in `--json` (the manual's keys)."""
        return {
            "alloys": [
                {**_indexed(alloy), "score": score} for alloy, score in zip(self.alloys, self.scores, strict=True)
            ],
            "scored_by": self.scored_by,
            "front": [_indexed(alloy) for alloy in self.front],
            "front_axes": list(self.axes),
            "range": list(self.range),
            "count": self.looked,
            "stages": [{"gate": gate, "left": n} for gate, n in self.stages],
            "remarks": list(self.remarks),
        }

    def lines(self, width: int | None = None) -> Iterator[str]:
        """As a person wants to see it on a terminal of some width: counts, the best, the front, the remarks."""
        yield self.counts
        if not self.alloys:
            yield "No design passes every stage." if self.stages else "No design can be predicted."
        else:
            yield f"\nThe best by {self.scored_by}:"
            yield from table_lines(*self.answers.table(), width)
        if self.front:
            shown = f", the first {SHOWN_OF_FRONT} of them" if len(self.front) > SHOWN_OF_FRONT else ""
            yield f"\nThe Pareto front of {spaced(len(self.front))} designs{shown} ({'; '.join(self.axes)}):"
            yield from table_lines(*Answers(self.front[:SHOWN_OF_FRONT]).table(), width)
        yield from (f"\nRemark: {remark}" for remark in self.remarks)

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.counts)}</p>{self.answers._repr_html_()}"


def screen(
    snapshot: Snapshot,
    asked: Asked,
    *,
    resume: bool = False,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress = lambda looked, of: None,
) -> Screened:
    """Screen a campaign's space.

    Parameters
    ----------
    snapshot : the campaign
    asked : the question
    resume : go on with one that was stopped
    workers : processes of this machine to use; this one where neither they nor a cluster are given
    cluster : address of a Dask scheduler
    progress : told of it

    Raises
    ------
    StoppedError
        on an interrupt from the keyboard; `resume` goes on
    AlloyloopError
        for a question that cannot be asked
    """
    crew = hired(workers, cluster)
    of_space = refuse_if_empty(snapshot)
    beliefs = believe(snapshot)
    question, remarks = _question(snapshot, beliefs, asked)
    _refuse_too_many_phases(snapshot, question)
    state = _State.of(snapshot.folder, _digest(question, beliefs))
    begun = state.read(question) if resume else (question.start, question.nothing)
    with crew as client:
        engine: Engine = OneProcess(question) if client is None else Cluster(question, client)
        found = _run(question, engine, begun, state, progress)
    ranking = question.ranking(found)
    state.forget()
    if found.tied:
        remarks.append(
            f"More than {MOST_TIED} designs tie with the last of the {asked.top} best: those that come first in the "
            "space are shown."
        )
    if found.crowded:
        remarks.append(f"The Pareto front of more than {MOST_ON_FRONT} designs is not kept: add a limit or a stage.")
    return _screened(
        snapshot, beliefs, question, found, ranking, (*snapshot.remarks, *of_space, *beliefs.remarks, *remarks)
    )


# -- the question -----------------------------------------------------------------------------------------------------


def _question(snapshot: Snapshot, beliefs: Beliefs, asked: Asked) -> tuple[Screening, list[str]]:
    """The question in the terms of the floor below, and remarks on it."""
    space = snapshot.space
    if not 1 <= asked.top <= MOST_TOP:
        raise AlloyloopError(f"The best {asked.top} cannot be shown", f"Ask for 1 to {MOST_TOP}.")
    start, stop = _range(space.count, asked.range)
    goals = {**snapshot.goals, **snapshot.class_goals}
    asked_for: dict[str, Limit] = {**limits(goals), **classes_wanted(goals)}
    limited = {name: limit for name, limit in asked_for.items() if name in beliefs.learned}
    remarks = [
        f"{name} has no measurement yet: its {'limit' if name in snapshot.goals else 'class'} is not part of this "
        "screen."
        for name in asked_for
        if name not in beliefs.every
    ]
    remarks += [
        f"{name} is neither measured nor a descriptor: it is not part of this screen."
        for name, goal in snapshot.goals.items()
        if isinstance(goal, Pursued) and name not in _pursued(snapshot, beliefs)
    ]
    scales = {name: spread(belief.evidence.values) for name, belief in beliefs.of.items()}
    score, more = _score(snapshot, beliefs, asked.by, scales, limited)
    classes = {name: belief.labels for name, belief in beliefs.classes.items()}
    gates = cheap_first([parse_gate(text, space.names, scales, goals, classes) for text in asked.stages])
    axes: tuple[Criterion, ...] = tuple(
        _mean(name, goal, scales[name] if name in scales else _scale_of_descriptor(snapshot, name))
        for name, goal in _pursued(snapshot, beliefs).items()
    )
    axes += (LogOdds(tuple(limited.items())),) if limited else ()
    if not asked.front or len(axes) < 2:
        axes = ()
    criteria = (score, *axes, *(gate.criterion for gate in gates if isinstance(gate, Predicted)))
    named = dict.fromkeys(name for criterion in criteria for name in criterion.means)
    of_classes = {name: each for of in beliefs.classes.values() for name, each in class_predictors(of).items()}

    def answering(name: str) -> Predictor:
        if name in beliefs.of:
            return predictor(beliefs.of[name])
        return of_classes[name] if name in of_classes else Described(name)

    predictors = tuple(map(answering, named))
    question = Screening(space, snapshot.table.elements, predictors, gates, score, axes, asked.top, start, stop)
    return question, [*remarks, *more]


def _refuse_too_many_phases(snapshot: Snapshot, question: Screening) -> None:
    """Refuse a range of which computing the phases would take too long, before any is computed."""
    calphad, space = snapshot.calphad if question.sees_phases else None, question.space
    if calphad is not None:
        compositions = space.lattice.count if space.lattice is not None else space.count
        calphad.afford(min(question.stop - question.start, compositions) - len(calphad.known))


def _range(count: int, asked: tuple[int | None, int | None] | None) -> Slice:
    start, stop = asked or (None, None)
    start, stop = 0 if start is None else start, count if stop is None else stop
    if not 0 <= start < stop <= count:
        raise AlloyloopError(
            f"There is no range {start}:{stop} of this space", f"Its designs are numbered from 0 to {count - 1}."
        )
    if stop - start > MOST_SCREENED:
        raise AlloyloopError(
            f"{stop - start} designs are more than can be looked at", "Give a --range, or make steps coarser."
        )
    return start, stop


def _pursued(snapshot: Snapshot, beliefs: Beliefs) -> dict[str, Pursued]:
    """The properties that are pursued and can be predicted of very many designs: learned, or descriptors."""
    goals = snapshot.goals.items()
    known = {*beliefs.of, *DESCRIPTORS}
    return {name: goal for name, goal in goals if isinstance(goal, Pursued) and name in known}


def _mean(name: str, goal: Pursued, scale: float) -> Criterion:
    """What is expected of one pursued property, as a criterion."""
    if isinstance(goal, Match):
        return PredictedNearness(name, goal.target, scale)
    return PredictedMean(name, goal.sign, scale)


def _score(
    snapshot: Snapshot, beliefs: Beliefs, by: str, scales: dict[str, float], limited: dict[str, Limit]
) -> tuple[Criterion, list[str]]:
    """What designs are ranked by, and remarks on it."""
    wanted = _pursued(snapshot, beliefs)
    word, _, rest = " ".join(by.split()).partition(" ")
    if not by:
        word = _usual(snapshot, wanted, limited)
    if word == EXPECTED_IMPROVEMENT and not rest:
        if why := _why_no_improvement(snapshot, wanted):
            raise AlloyloopError(why, f"Rank by another: {_names(snapshot, beliefs)}.", place="--by")
        return _improvement(snapshot, beliefs, wanted, limited)
    if word == PROBABILITY and not rest:
        if not limited:
            raise AlloyloopError(
                "There is no probability to rank by: no property that is measured has a limit, or a class that it must "
                "be of",
                f"Rank by another: {_names(snapshot, beliefs)}.",
                place="--by",
            )
        return LogOdds(tuple(limited.items())), []
    signs = {"minimize": -1.0, "minimise": -1.0, "maximize": 1.0, "maximise": 1.0}
    name, sign = (rest, signs.get(word)) if rest else (word, None)
    if (name not in beliefs.of and name not in DESCRIPTORS) or (rest and sign is None):
        raise AlloyloopError(
            f"Nothing is known by the name '{by}'", f"Write {_names(snapshot, beliefs)}.", place="--by"
        )
    scale = scales[name] if name in beliefs.of else _scale_of_descriptor(snapshot, name)
    if sign is None and name in wanted:
        return _mean(name, wanted[name], scale), []
    return PredictedMean(name, sign or _direction(snapshot, name), scale), []


def _usual(snapshot: Snapshot, wanted: Mapping[str, Pursued], limited: Mapping[str, Limit]) -> str:
    """By what designs are ranked where nobody says: gain, else chance, else what is pursued first."""
    if not _why_no_improvement(snapshot, wanted):
        return EXPECTED_IMPROVEMENT
    return PROBABILITY if limited or not wanted else next(iter(wanted))


def _why_no_improvement(snapshot: Snapshot, wanted: Mapping[str, Pursued]) -> str:
    """Why no one number that is pursued has an expected improvement in closed form; empty where one has."""
    named = ", ".join(wanted)
    if len(wanted) == 1:
        return ""
    if not wanted or not snapshot.spec.weights.keys() >= wanted.keys():
        return (
            "The expected improvement is of one pursued property that is measured, or of several that have weights, "
            f"and here {f'{named} have none' if wanted else 'it is none'}"
        )
    if any(isinstance(goal, Match) for goal in wanted.values()):
        return f"One of {named} is brought to a target: weighed, they have no expected improvement in one formula"
    return ""


def _names(snapshot: Snapshot, beliefs: Beliefs) -> str:
    known = (EXPECTED_IMPROVEMENT, PROBABILITY, *beliefs.of)
    return f"{', '.join(known)} or a descriptor, perhaps with minimize or maximize before it"


def _direction(snapshot: Snapshot, name: str) -> float:
    """Which way a property's own goal points."""
    goal = snapshot.goals.get(name)
    if isinstance(goal, Minimize | Maximize):
        return goal.sign
    if isinstance(goal, Within) and np.isinf(goal.low) != np.isinf(goal.high):
        return -1.0 if np.isinf(goal.low) else 1.0
    raise AlloyloopError(
        f"{name} has no goal that says which way is better",
        f"Write 'minimize {name}' or 'maximize {name}'.",
        place="--by",
    )


def _scale_of_descriptor(snapshot: Snapshot, name: str) -> float:
    """Of what size it is, by designs from all over the space."""
    space = snapshot.space
    if not space.elements or not known_for((name,), space.elements):
        raise AlloyloopError(
            f"{name} is not known for every alloy of {', '.join(space.elements) or 'no elements'}",
            "Rank by another, or take out the element whose value the element table lacks.",
            place="--by",
        )
    points = space.at(sorted({i * (space.count - 1) // 255 for i in range(256)}))
    return float(np.abs(Described(name).encode(alloys_at(space, points, space.elements))).max()) or 1.0


def _improvement(
    snapshot: Snapshot, beliefs: Beliefs, wanted: Mapping[str, Pursued], limited: Mapping[str, Limit]
) -> tuple[Criterion, list[str]]:
    """Expected improvement on the best known of the one number that is pursued, and remarks on that."""
    counts = dict.fromkeys(wanted, 1.0)
    if len(wanted) > 1:
        spreads = {name: spread(snapshot.values(name)[snapshot.with_value(name)]) for name in wanted}
        counts = {name: snapshot.spec.weights[name] / spreads[name] for name in wanted}
    best, remarks = _to_improve_on(snapshot, beliefs, wanted, counts, limited)
    limits_ = tuple(limited.items())
    if len(wanted) > 1:
        shares = {name: (-1 if isinstance(goal, Minimize) else 1) * counts[name] for name, goal in wanted.items()}
        return ExpectedWeighedImprovement(tuple(shares.items()), best, limits_), remarks
    ((name, goal),) = wanted.items()
    if isinstance(goal, Match):
        # On an alloy that is believed to be on target nothing could be gained, and nothing be ranked.
        return ExpectedApproach(name, goal.target, max(-best, ON_TARGET * goal.tolerance), limits_), remarks
    return ExpectedImprovement(name, goal.sign, goal.sign * best, limits_), remarks


def _to_improve_on(
    snapshot: Snapshot,
    beliefs: Beliefs,
    wanted: Mapping[str, Pursued],
    counts: Mapping[str, float],
    limited: Mapping[str, Limit],
) -> tuple[float, list[str]]:
    """The best that is believed of a measured alloy that the space allows and that is believed to keep the limits.

    It is the sum of the objectives of what is wanted, each as much as it counts. Where no alloy keeps the limits, the
    worst: whatever keeps them is a gain on it, as in the acquisition.

    Raises
    ------
    AlloyloopError
        where there is no alloy yet, which is so where all that is wanted is computed and the table is empty
    """
    every = snapshot.at_conditions(snapshot.alloys())
    rows = np.logical_or.reduce([snapshot.with_value(name) for name in wanted])
    for each in (*wanted, *limited):
        rows[rows] = beliefs.every[each].features.known(every.rows(rows))
    inside = rows & snapshot.in_space()
    remarks = []
    if inside.any():
        rows = inside
    else:
        remarks.append("No measured alloy lies inside the space and its rules: gains are counted over all of them.")
    if not rows.any():
        raise AlloyloopError(
            f"No alloy is known that one could improve on in {listed(list(wanted))}",
            f"Rank by 'minimize {next(iter(wanted))}' or the like, or record or add an alloy first.",
            place="--by",
        )
    known = every.rows(rows)
    hopes = np.zeros(len(known))
    for name, goal in wanted.items():
        hopes += counts[name] * goal.objective(beliefs.numbers[name].about(known).mean)
    allowed = np.ones(len(known), dtype=bool)
    for each, limit in limited.items():
        if isinstance(limit, Within):
            allowed &= limit.allows(beliefs.of[each].about(known).mean)
    for asked in classes_to_be(snapshot, beliefs, rows).values():
        allowed &= asked.chances(known) > 0.5
    if not allowed.any():
        remarks.append("No measured alloy is believed to keep the limits: gains are counted over the worst of them.")
    return float(hopes[allowed].max() if allowed.any() else hopes.min()), remarks


# -- running it, and going on with it ---------------------------------------------------------------------------------


def _run(question: Screening, engine: Engine, begun: tuple[int, Found], state: _State, progress: Progress) -> Found:
    """Look at what is left of the range, wave by wave; each is kept in case this ends before its time."""
    keeper, (done, found) = question.keeper, begun
    size = SLICE if all(isinstance(each, Swept | Described) for each in question.predictors) else SLICE_OF_SLOW
    total, saved = question.stop - question.start, time.monotonic()
    try:
        opening = question.opening(np.random.default_rng(0))
        while done < question.stop:
            progress(done - question.start, total)
            starts = range(done, question.stop, size)
            wave = starts[: engine.wave(len(starts))]
            slices = [(start, min(start + size, question.stop)) for start in wave]
            new = engine.find(slices, opening.raised(keeper.bar(found)))
            found, done = keeper.kept([found, new]), slices[-1][1]
            if time.monotonic() - saved > SAVE_EVERY or len(slices) > 1:
                state.write(done, found)
                saved = time.monotonic()
    except AlloyloopError:
        state.write(done, found)
        raise
    except KeyboardInterrupt:
        kept = state.write(done, found)
        how = "The same command with --resume goes on." if kept else "What was found could not be kept on the disk."
        raise StoppedError(f"Stopped at {(done - question.start) / total:.0%}", how) from None
    progress(total, total)
    return found


@dataclass(frozen=True, slots=True)
class _State:
    """The file in which a screen that was stopped is kept: one a question, and nothing but numbers in it."""

    path: Path

    @classmethod
    def of(cls, folder: Folder, question: str) -> _State:
        return cls(folder.cache / "screens" / f"{question[:16]}.json")

    def write(self, done: int, found: Found) -> bool:
        """Keep what was found up to an index; False where nothing can be written there."""
        kept = {
            "done": done,
            "left": found.left,
            "index": found.index.tolist(),
            "values": found.values.tolist(),
            "tied": found.tied,
            "crowded": found.crowded,
        }
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            (self.path.parents[1] / ".gitignore").write_text("*\n", encoding="utf-8")
            write_atomically(self.path, json.dumps(kept))
        except (AlloyloopError, OSError):
            return False
        return True

    def read(self, question: Screening) -> tuple[int, Found]:
        """Up to which index it came, and what it found.

        Raises
        ------
        AlloyloopError
            where there is none of this question, or its file is damaged
        """
        if not self.path.exists():
            raise AlloyloopError(
                "No screen of this question was stopped: its range, goals, stages, score or data are others",
                "Leave out --resume to begin.",
            )
        try:
            kept = json.loads(read_text(self.path).text)
            values = np.array(kept["values"], dtype=np.float64).reshape(-1, 1 + len(question.axes))
            index = np.array(kept["index"], dtype=np.int64)
            found = Found(tuple(kept["left"]), index, values, bool(kept["tied"]), bool(kept["crowded"]))
            done = int(kept["done"])
            if len(index) != len(values) or len(found.left) != 1 + len(question.stages):
                raise ValueError("parts of different lengths")
        except (ValueError, KeyError, TypeError) as error:
            raise AlloyloopError(
                "What was kept of this screen is damaged", "Leave out --resume to begin again.", place=self.path.name
            ) from error
        return done, found

    def forget(self) -> None:
        """It has been answered."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def _digest(question: Screening, beliefs: Beliefs) -> str:
    """Of all that the answer depends on."""
    space, candidates = question.space, question.space.candidates
    tables: list[bytes] = []
    if candidates is not None:
        tables += [candidates.percent.tobytes(), *(repr(v.tolist()).encode() for v in candidates.process.values())]
    for name in sorted(beliefs.learned):
        found = beliefs.learned[name].evidence
        arrays = (found.alloys.fractions, found.values, found.noise)
        tables += [np.ascontiguousarray(array).tobytes() for array in arrays]
        tables += [repr(values.tolist()).encode() for values in found.alloys.process.values()]
    said = {
        "versions": [version(name) for name in ("alloyloop", "numpy", "scipy")],
        "tables": [digest(table) for table in tables],
        "space": repr((space.lattice, space.basis, space.process, space.rules, space.policy, space.conditions)),
        "models": {
            name: (beliefs.choices[name].name, repr(belief.features)) for name, belief in beliefs.learned.items()
        },
        "asked": repr((question.score, question.axes, question.gates, question.k, question.start, question.stop)),
    }
    return digest(json.dumps(said))


# -- the answer -------------------------------------------------------------------------------------------------------


def _screened(
    snapshot: Snapshot, beliefs: Beliefs, question: Screening, found: Found, ranking: Ranking, remarks: Sequence[str]
) -> Screened:

    def answers(points: np.ndarray, index: Sequence[int], why: Sequence[str] = ()) -> tuple[Answer, ...]:
        process = snapshot.space.process_values(points)
        return judge(snapshot, beliefs, [str(i) for i in index], snapshot.space.compositions(points), process, why)

    why = []
    if isinstance(question.score, ExpectedImprovement | ExpectedWeighedImprovement | ExpectedApproach):
        why = [f"{question.score.words}: {exp(score):.2g}" for score in ranking.scores]
    return Screened(
        answers(ranking.points, ranking.index, why),
        tuple(ranking.scores.tolist()),
        answers(ranking.front, ranking.front_index),
        tuple(axis.words for axis in question.axes),
        tuple(zip(question.stages, found.left[1:], strict=True)),
        found.left[0],
        (question.start, question.stop),
        question.score.words,
        tuple(dict.fromkeys(remarks)),
    )


def parse_range(text: str) -> tuple[int | None, int | None]:
    """Read `A:B`, `A:` or `:B`.

    Examples
    --------
    >>> parse_range("1_000_000:"), parse_range("5:70")
    ((1000000, None), (5, 70))
    """
    match = re.fullmatch(r"\s*(\d[\d_ ]*)?:\s*(\d[\d_ ]*)?", text)
    if match is None:
        raise AlloyloopError(f"'{text}' is no range of indices", "Write it like 0:1000000, or 1000000: for the rest.")
    start, stop = (int(re.sub(r"\D", "", part)) if part else None for part in match.groups())
    return start, stop


def _indexed(alloy: Answer) -> Json:
    return {"index": int(alloy.id), **alloy.json()}
