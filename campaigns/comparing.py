"""`alloyloop compare`: every model on a table's own rows, those left out by lot and by whole sources, side by side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..design.beliefs import Evidence, Option
from ..design.comparing import (
    ClassLearner,
    Judged,
    JudgedClasses,
    Learner,
    by_lot,
    choosing,
    choosing_classes,
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
from ..surrogates.classifiers import classifier_names
from ..surrogates.errors import AlloyloopError
from .comparison import (
    AUTO,
    BY_SOURCE,
    FREQUENCIES,
    MEAN,
    NO_PROCESS,
    RANDOM,
    WORDS,
    ClassComparison,
    Compared,
    Comparison,
)
from .learning import (
    AUTO_CLASSIFIERS,
    AUTO_MODELS,
    class_evidence,
    class_options,
    evidence,
    options,
    variations,
    why_left_out,
)
from .snapshot import Snapshot

if TYPE_CHECKING:
    from ..surrogates.scores import Fold

MIXTURE = "linear mixture"
MOST_REPEATS = 100

Outcome: TypeAlias = "Judged | JudgedClasses"
Judge: TypeAlias = "Callable[[Evidence, Sequence[Fold]], Outcome]"
"""Lets one learner be judged on folds of some evidence."""
Kind = TypeVar("Kind", Judged, JudgedClasses)
_Sorted: TypeAlias = dict[str, dict[str, dict[str, list[Kind]]]]
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
        known = tuple(dict.fromkeys((AUTO, *surrogate_names(), *classifier_names())))
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
    judge: Judge


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
    known_classes, class_learners = _classes_to_compare(snapshot, asked, remarks)
    judges: dict[str, dict[str, Judge]] = {
        **{name: {model: _judging(one) for model, one in of.items()} for name, of in learners.items()},
        **{
            name: {model: _judging_classes(one, len(_labels(snapshot, name))) for model, one in of.items()}
            for name, of in class_learners.items()
        },
    }
    every = {**known, **known_classes}
    parts = _parts(every, judges, asked.repeats)
    if not parts:
        raise AlloyloopError(f"There is nothing to compare models by: {' '.join(remarks)}", "Enter more results.")
    done, left = _judged(parts, every, seeds, remarks, progress, lambda: clock() <= until)
    remarks += _left(left, parts, asked)
    comparisons = {
        name: Comparison(known[name], models, _takeable(learners[name]), snapshot.spec.seed)
        for name, models in _by_property(done, Judged).items()
    }
    classes = {
        name: ClassComparison(known_classes[name], _labels(snapshot, name), models)
        for name, models in _by_property(done, JudgedClasses).items()
    }
    return Compared(comparisons, classes, tuple(dict.fromkeys(remarks)))


def _judging(learner: Learner) -> Judge:
    return lambda found, folds: judged(found, learner, folds)


def _judging_classes(learner: ClassLearner, n_classes: int) -> Judge:
    return lambda found, folds: judged_classes(found, n_classes, learner, folds)


def _by_property(done: Sequence[tuple[_Part, Outcome]], kind: type[Kind]) -> _Sorted[Kind]:
    """What came of the parts of one kind, by property, model and way."""
    found: _Sorted[Kind] = {}
    for part, one in done:
        if isinstance(one, kind):
            found.setdefault(part.property, {}).setdefault(part.model, {}).setdefault(part.way, []).append(one)
    return found


def _judged(
    parts: Sequence[_Part],
    known: Mapping[str, Evidence],
    seeds: Sequence[int],
    remarks: list[str],
    progress: Progress,
    in_time: Callable[[], bool],
) -> tuple[list[tuple[_Part, Outcome]], Sequence[_Part]]:
    """What came of the parts, and those not begun in time."""
    done: list[tuple[_Part, Outcome]] = []
    for i, part in enumerate(parts):
        progress(i, len(parts))
        if not in_time():
            return done, parts[i:]
        found = replace(known[part.property], whole_sources=part.way == BY_SOURCE)
        try:
            one = part.judge(found, _folds(found, part.way, seeds[part.repeat]))
        except AlloyloopError as error:
            remarks.append(f"{part.property}, {part.model}, {WORDS[part.way]}: not judged. {error}")
        else:
            done.append((part, one))
    progress(len(parts), len(parts))
    return done, ()


def _what_to_compare(
    snapshot: Snapshot, asked: Asked, remarks: list[str]
) -> tuple[dict[str, Evidence], dict[str, dict[str, Learner]]]:
    """By property, the evidence and what is to learn from it; of those with too little, a remark."""
    known: dict[str, Evidence] = {}
    learners: dict[str, dict[str, Learner]] = {}
    if snapshot.learned and asked.models and set(asked.models).isdisjoint((AUTO, *surrogate_names())):
        remarks.append(f"Numbers are not compared: {', '.join(asked.models)} are for classes.")
        return known, learners
    for name in snapshot.learned:
        found = evidence(snapshot, name)
        why = why_not_random(found)
        if not why:
            models = tuple(model for model in asked.models if model in (AUTO, *surrogate_names()))
            learners[name], left_out = _learners(snapshot, found, models)
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


def _with(snapshot: Snapshot, **keys: object) -> Snapshot:
    """The campaign with other words in its campaign.yaml."""
    return replace(snapshot, written=replace(snapshot.written, spec=snapshot.spec.model_copy(update=keys)))


def _takeable(learners: Mapping[str, Learner]) -> frozenset[str]:
    return frozenset(name for name in learners if name not in (MEAN, MIXTURE) and not name.endswith(NO_PROCESS))


def _parts(known: Mapping[str, Evidence], judges: Mapping[str, Mapping[str, Judge]], repeats: int) -> list[_Part]:
    """All there is to do, in the order of doing: everything once, and then again."""
    return [
        _Part(repeat, name, way, model, judge)
        for repeat in range(repeats)
        for name, found in known.items()
        for way in _ways(found)
        if repeat == 0 or way == RANDOM or by_lot(found)
        for model, judge in judges[name].items()
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


def _labels(snapshot: Snapshot, name: str) -> tuple[str, ...]:
    return tuple(snapshot.table.layout.classes[name])


def _classes_to_compare(
    snapshot: Snapshot, asked: Asked, remarks: list[str]
) -> tuple[dict[str, Evidence], dict[str, dict[str, ClassLearner]]]:
    """The same as `_what_to_compare` for the properties that have classes."""
    known: dict[str, Evidence] = {}
    learners: dict[str, dict[str, ClassLearner]] = {}
    if snapshot.class_goals and asked.models and set(asked.models).isdisjoint((AUTO, *classifier_names())):
        remarks.append(f"Classes are not compared: {', '.join(asked.models)} are for numbers.")
        return known, learners
    for name in snapshot.class_goals:
        found, labels = class_evidence(snapshot, name), _labels(snapshot, name)
        why = _why_no_classes(found, labels)
        if not why:
            models = tuple(model for model in asked.models if model in (AUTO, *classifier_names()))
            learners[name], left_out = _class_learners(snapshot, found, labels, models)
            if left_out.any():
                remarks += why_left_out(snapshot, found.rows(left_out))
                found = found.rows(~left_out)
            why = _why_no_classes(found, labels)
        if why:
            learners.pop(name, None)
            remarks.append(f"{name} is not compared: {why}.")
            continue
        known[name] = found
        if why := why_not_by_source(found):
            remarks.append(f"{name}: whole sources are not left out, since {why}.")
    return known, learners


def _why_no_classes(found: Evidence, labels: tuple[str, ...]) -> str:
    """Why no rows can be held out, in words; empty where they can."""
    if len(found) and np.ptp(found.values) == 0:
        return f"all rows are {labels[int(found.values[0])]}"
    return why_not_random(found)


def _class_learners(
    snapshot: Snapshot, found: Evidence, labels: tuple[str, ...], models: Sequence[str]
) -> tuple[dict[str, ClassLearner], NDArray[np.bool_]]:
    """What is compared on one property that has classes, by name, and the rows (True) that some option cannot take.

    The frequencies, every classifier, and `auto`. Where none is named, those that `auto` does not choose from see the
    widest set of features alone: there are many, and they cost their time.
    """
    wide = snapshot if snapshot.named is not None else _with(snapshot, features="auto")
    learners: dict[str, ClassLearner] = {FREQUENCIES: frequencies(len(labels))}
    left_out = np.zeros(len(found), dtype=bool)
    for model in dict.fromkeys(models or classifier_names()):
        if model != AUTO:
            offered, cannot = class_options(_with(wide, model={found.property: model}), found)
            left_out |= cannot
            names = list(offered) if models or model in AUTO_CLASSIFIERS else list(offered)[-1:]
            learners |= {name: choosing_classes(labels, {name: offered[name]}) for name in names}
    if not models or AUTO in models:
        choices, cannot = class_options(_with(wide, model=AUTO), found)
        left_out |= cannot
        learners[AUTO] = choosing_classes(labels, choices)
    return learners, left_out
