"""`alloyloop compare`: every model on a table's own rows, those left out by lot and by whole sources, side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..design.beliefs import Evidence, Option
from ..design.comparing import (
    Judged,
    Learner,
    by_lot,
    choosing,
    frequencies,
    judged,
    judged_classes,
    mean_baseline,
    mixture_baseline,
    random_folds,
    source_folds,
    why_not_by_source,
    why_not_random,
    without_process,
)
from ..surrogates.base import surrogate_names
from ..surrogates.errors import AlloyloopError
from .comparison import AUTO, BY_SOURCE, MEAN, NO_PROCESS, RANDOM, WORDS, ClassComparison, Compared, Comparison
from .learning import AUTO_MODELS, evidence, options, variations, why_left_out
from .snapshot import Snapshot

if TYPE_CHECKING:
    from ..surrogates.scores import Fold

MIXTURE = "linear mixture"
MOST_REPEATS = 100

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how many parts of the comparison are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user asks.

    Parameters
    ----------
    repeats : how often leaving out by lot is repeated with other lots
    models : names of models, or `auto`; where empty those that `auto` chooses from, `auto`, and the campaign's own
    minutes : after which nothing more is begun
    """

    repeats: int = 3
    models: tuple[str, ...] = ()
    minutes: float = 10.0

    def __post_init__(self) -> None:
        if not 1 <= self.repeats <= MOST_REPEATS:
            raise AlloyloopError(f"{self.repeats} repeats cannot be made", f"Ask for 1 to {MOST_REPEATS}.")
        if not self.minutes > 0:
            raise AlloyloopError(f"Nothing can be compared in {self.minutes:g} minutes", "Give a number above 0.")
        known = (AUTO, *surrogate_names())
        for name in self.models:
            if name not in known:
                raise AlloyloopError(f"There is no model named '{name}'", f"Name some of {', '.join(known)}.")


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """One thing to do: let a learner of a property be judged in one way, once."""

    repeat: int
    property: str
    way: str
    model: str
    learner: Learner


def compare(
    snapshot: Snapshot,
    asked: Asked,
    *,
    progress: Progress = lambda done, of: None,
    clock: Callable[[], float] = time.monotonic,
) -> Compared:
    """Compare models on a campaign's rows.

    Parameters
    ----------
    snapshot : the campaign
    asked : the question
    progress : told of it
    clock : seconds; looked at between two parts, so that the last one begun ends a little late

    Raises
    ------
    AlloyloopError
        where no property has rows to judge by; says why of each
    """
    until = clock() + 60 * asked.minutes
    seeds: list[int] = np.random.SeedSequence(snapshot.spec.seed).generate_state(asked.repeats).tolist()
    remarks = list(snapshot.remarks)
    known, learners = _what_to_compare(snapshot, asked, remarks)
    classes = _classes(snapshot, seeds, remarks)
    parts = _parts(known, learners, asked.repeats)
    if not parts and not classes:
        raise AlloyloopError(f"There is nothing to compare models by: {' '.join(remarks)}", "Enter more results.")
    done, left = _judged(parts, known, seeds, remarks, progress, lambda: clock() <= until)
    remarks += _left(left, parts, asked)
    comparisons = {
        name: Comparison(known[name], models, _takeable(learners[name]), snapshot.spec.seed)
        for name, models in done.items()
        if models
    }
    return Compared(comparisons, classes, tuple(dict.fromkeys(remarks)))


def _judged(
    parts: Sequence[_Part],
    known: Mapping[str, Evidence],
    seeds: Sequence[int],
    remarks: list[str],
    progress: Progress,
    in_time: Callable[[], bool],
) -> tuple[dict[str, dict[str, dict[str, list[Judged]]]], Sequence[_Part]]:
    """What came of the parts, by property, model and way, and those not begun in time."""
    from threadpoolctl import threadpool_limits

    done: dict[str, dict[str, dict[str, list[Judged]]]] = {name: {} for name in known}
    with threadpool_limits(limits=1, user_api="blas"):  # matrices here are small: threads would wait for each other
        for i, part in enumerate(parts):
            progress(i, len(parts))
            if not in_time():
                return done, parts[i:]
            found = replace(known[part.property], whole_sources=part.way == BY_SOURCE)
            try:
                one = judged(found, part.learner, _folds(found, part.way, seeds[part.repeat]))
            except AlloyloopError as error:
                remarks.append(f"{part.property}, {part.model}, {WORDS[part.way]}: not judged. {error}")
            else:
                done[part.property].setdefault(part.model, {}).setdefault(part.way, []).append(one)
    progress(len(parts), len(parts))
    return done, ()


def _what_to_compare(
    snapshot: Snapshot, asked: Asked, remarks: list[str]
) -> tuple[dict[str, Evidence], dict[str, dict[str, Learner]]]:
    """By property, the evidence and what is to learn from it; of those with too little, a remark."""
    known: dict[str, Evidence] = {}
    learners: dict[str, dict[str, Learner]] = {}
    for name in snapshot.goals:
        found = evidence(snapshot, name)
        why = why_not_random(found)
        if not why:
            learners[name], left_out = _learners(snapshot, found, asked.models)
            if left_out.any():
                remarks += why_left_out(snapshot, found.rows(left_out))
                found = found.rows(~left_out)
            why = why_not_random(found)
        if why:
            remarks.append(f"{name} is not compared: {why}.")
            continue
        known[name] = found
        if why := why_not_by_source(found):
            remarks.append(f"{name}: whole sources are not left out, since {why}.")
    return known, learners


def _learners(
    snapshot: Snapshot, found: Evidence, models: Sequence[str]
) -> tuple[dict[str, Learner], NDArray[np.bool_]]:
    """What is compared on one property, by name, and the rows (True) that some option cannot take.

    The baselines, every model on every set of features, `auto`, and what campaign.yaml could not name: every model with
    the process columns taken away.
    """
    # Features that the campaign names stay; of the sets, all are compared.
    wide = snapshot if snapshot.named is not None else _with(snapshot, features="auto")
    own = snapshot.spec.model_of(found.property)
    offered: dict[str, Option] = {}
    left_out = np.zeros(len(found), dtype=bool)
    for model in dict.fromkeys(models or (*AUTO_MODELS, own)):
        if model != AUTO:
            more, cannot = options(_with(wide, model=model), found)
            offered |= more
            left_out |= cannot
    learners: dict[str, Learner] = {MEAN: mean_baseline}
    if snapshot.space.elements:
        learners[MIXTURE] = mixture_baseline
    learners |= {name: choosing({name: option}) for name, option in offered.items()}
    if not models or AUTO in models:
        choices, cannot = options(_with(wide, model=AUTO), found)
        left_out |= cannot
        learners[AUTO] = choosing(choices, variations)
    for name, option in offered.items():
        if (ablated := without_process(option)) is not None:
            learners[name + NO_PROCESS] = choosing({name + NO_PROCESS: ablated})
    return learners, left_out


def _with(snapshot: Snapshot, **keys: str) -> Snapshot:
    """The campaign with other words in its campaign.yaml."""
    return replace(snapshot, written=replace(snapshot.written, spec=snapshot.spec.model_copy(update=keys)))


def _takeable(learners: Mapping[str, Learner]) -> frozenset[str]:
    return frozenset(name for name in learners if name not in (MEAN, MIXTURE) and not name.endswith(NO_PROCESS))


def _parts(known: Mapping[str, Evidence], learners: Mapping[str, Mapping[str, Learner]], repeats: int) -> list[_Part]:
    """All there is to do, in the order of doing: everything once, and then again."""
    return [
        _Part(repeat, name, way, model, learner)
        for repeat in range(repeats)
        for name, found in known.items()
        for way in _ways(found)
        if repeat == 0 or way == RANDOM or by_lot(found)
        for model, learner in learners[name].items()
    ]


def _ways(found: Evidence) -> tuple[str, ...]:
    return (RANDOM,) if why_not_by_source(found) else (BY_SOURCE, RANDOM)


def _folds(found: Evidence, way: str, seed: int) -> list[Fold]:
    return random_folds(found, seed) if way == RANDOM else source_folds(found, seed)


def _left(left: Sequence[_Part], parts: Sequence[_Part], asked: Asked) -> Iterator[str]:
    """What was not begun in the time allowed, in words."""
    if not left:
        return
    over = f"The {asked.minutes:g} minutes were over after {len(parts) - len(left)} of {len(parts)} parts"
    never = [f"{part.model} on {part.property}, {WORDS[part.way]}" for part in left if part.repeat == 0]
    if never:
        yield f"{over}. Never judged: {'; '.join(never)}. --minutes gives more time, --models asks less."
    else:
        yield f"{over}: {left[0].repeat} of {asked.repeats} repeats are whole. --minutes gives more time."


def _classes(snapshot: Snapshot, seeds: Sequence[int], remarks: list[str]) -> dict[str, ClassComparison]:
    """What the frequencies of classes foretell of each property of classes."""
    compared: dict[str, ClassComparison] = {}
    for name, patterns in snapshot.table.layout.classes.items():
        labels = tuple(patterns)
        said = snapshot.table.class_of(name)
        rows = snapshot.known & np.array([label is not None for label in said], dtype=bool)
        codes = np.array([labels.index(label) for label in said if label is not None], dtype=np.float64)
        codes = codes[rows[[label is not None for label in said]]]
        noise, sources = np.full(len(codes), np.nan), np.array(snapshot.table.source)[rows]
        found = Evidence(name, snapshot.alloys().rows(rows), codes, noise, sources)
        if why := why_not_random(found):
            why = f"all rows are {labels[int(codes[0])]}" if len(codes) and np.ptp(codes) == 0 else why
            remarks.append(f"{name} is not compared: {why}.")
            continue
        remarks.append(f"{name}: this version has no models of classes yet; only their frequencies are judged.")
        compared[name] = ClassComparison(
            name,
            labels,
            {
                way: [
                    judged_classes(found, len(labels), frequencies(len(labels)), _folds(found, way, seed))
                    for seed in (seeds if way == RANDOM or by_lot(found) else seeds[:1])
                ]
                for way in _ways(found)
            },
        )
    return compared
