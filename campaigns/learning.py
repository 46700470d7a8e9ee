"""From the table to beliefs: what each property's rows teach, and which model and features to trust."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from importlib.metadata import version
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..design.beliefs import Belief, Choice, Evidence, Option, Part, choose, learn_chosen, others_tell
from ..design.classes import ClassBelief, choose_classes, learn_classes
from ..design.computed import ComputedBelief
from ..design.features import FEATURE_SETS, Features, feature_set, known_for, telling_descriptors
from ..design.goals import Report, classes_wanted, in_words
from ..design.outlook import ClassWanted
from ..design.repeats import JOINED, merge_repeats, merged_words
from ..design.usual_scatter import usual_scatter
from ..surrogates.base import HERE, family
from ..surrogates.errors import AlloyloopError
from ..surrogates.scales import LINEAR, LOG, Logit, Scale, likely_scales
from .files import read_text, write_atomically
from .journal import digest
from .reading import counted, listed
from .snapshot import Snapshot
from .spec import MERGE_REPEATS

# A property that is only reported is not modelled on fewer rows than this; one that is wanted is modelled on any.
LEAST_REPORTED = 5
# What `model: auto` chooses from.
AUTO_MODELS = ("gaussian-process", "extra-trees")
# The same of a property that has classes.
AUTO_CLASSIFIERS = ("gaussian-process", "forest", "linear-discriminant", "logistic", "support-vector")
# What failed melts teach: asked as a class is, and named beside the goals in `probability`.
SUCCESS = "succeeds"
OUTCOMES = (SUCCESS, "fails")
# Fewer rows of the class that is asked for do not tell whether those of another would help: these are left out.
LEAST_OF_A_CLASS = 4
# A property is learned together with others only where each has as many values of its own.
LEAST_TOGETHER = 12
# Between the name of an option and those of the properties that it learns together with.
AND = ", together with "
# How long a choice may take for one property before options not yet tried are left out [s]: a bound that choices among
# those of `auto` stay far below, since what a slow machine leaves out a fast one would not.
CHOICE_SECONDS = 120.0
# What a property of this unit cannot pass.
BOUNDED = {"pct": (0.0, 100.0)}


@dataclass(frozen=True, slots=True, eq=False)
class Beliefs:
    """What a campaign believes.

    Parameters
    ----------
    of : beliefs by property that is a number; one without enough measurements is not among them
    choices : by property, which model and features were chosen, and why
    remarks : rows that could not be used and properties that could not be modelled, in words
    classes : beliefs by property that has classes
    computed : by property that is computed and not modelled
    success : whether a melt succeeds; None where none failed, or all did
    """

    of: Mapping[str, Belief]
    choices: Mapping[str, Choice]
    remarks: tuple[str, ...]
    classes: Mapping[str, ClassBelief] = field(default_factory=dict)
    computed: Mapping[str, ComputedBelief] = field(default_factory=dict)
    success: ClassBelief | None = None

    @property
    def learned(self) -> dict[str, Belief | ClassBelief]:
        """Those that were fitted, by property."""
        return {**self.of, **self.classes}

    @property
    def numbers(self) -> dict[str, Belief | ComputedBelief]:
        """Those about numbers, modelled or computed, by property."""
        return {**self.of, **self.computed}

    @property
    def every(self) -> dict[str, Belief | ComputedBelief | ClassBelief]:
        """All of them, by property."""
        return {**self.numbers, **self.classes}


def evidence(snapshot: Snapshot, name: str) -> Evidence:
    """The rows that say something of one property: known or measured, with a value or a bound.

    Its companions are the campaign's other properties, and the calculated values of this one where campaign.yaml names
    a column of them: each on the scale that its values suggest.
    """
    own = _measured(snapshot, name)
    others = [_companion(_measured(snapshot, other)) for other in snapshot.learned if other != name]
    calculated = snapshot.spec.properties[name].calculated
    if calculated is not None:
        others.append(_calculated(snapshot, name, calculated))
    whole = replace(own, companions=tuple(other for other in others if len(other) >= LEAST_TOGETHER))
    return merge_repeats(whole) if MERGE_REPEATS in snapshot.spec.prepare else whole


def _measured(snapshot: Snapshot, name: str) -> Evidence:
    table, rows = snapshot.table, snapshot.known & np.isfinite(snapshot.table.values(name))
    # The value is the mean of its replicates; where their number is not told, it is taken as one.
    counts = np.nan_to_num(table.counts(name), nan=1.0)
    noise = table.std(name) / np.sqrt(np.maximum(counts, 1.0))
    values, sign = table.values(name)[rows], table.censored(name)[rows]
    return Evidence(
        property=name,
        alloys=snapshot.alloys().rows(rows),
        values=values,
        noise=noise[rows],
        sources=_sources(snapshot)[rows],
        censored=np.where(sign == "<", -1, np.where(sign == ">", 1, 0)),
        ids=np.array(table.ids, dtype=np.str_)[rows],
        usual_scatter=usual_scatter(name, values),
    )


def _sources(snapshot: Snapshot) -> NDArray[np.str_]:
    """(n,) where each row comes from; what was measured in this campaign comes from here, if it says nothing else."""
    table = snapshot.table
    own = [status == "measured" or number is not None for status, number in zip(table.status, table.round, strict=True)]
    named = zip(table.source, own, strict=True)
    return np.array([source or (HERE if here else "") for source, here in named], dtype=np.str_)


def _calculated(snapshot: Snapshot, name: str, column: str) -> Evidence:
    values = snapshot.table.extra[column]
    rows = snapshot.table.has_composition & ~snapshot.table.has_problem & np.isfinite(values)
    n = int(rows.sum())
    found = Evidence(
        property=f"{name}, calculated",
        alloys=snapshot.alloys().rows(rows),
        values=values[rows],
        noise=np.full(n, np.nan),
        sources=np.full(n, ""),
        ids=np.array(snapshot.table.ids, dtype=np.str_)[rows],
    )
    return _companion(found)


def _companion(found: Evidence) -> Evidence:
    """The same on the scale that its values suggest, since it is learned from and never asked."""
    exact = found.rows(found.exact)
    scale = likely_scales(exact.values)[-1] if len(exact) else LINEAR
    return replace(exact, values=scale.forward(exact.values), noise=exact.noise * scale.slope(exact.values))


def believe(snapshot: Snapshot) -> Beliefs:
    """Fit what can be fitted, by the model and features that campaign.yaml names or, for auto, by evidence."""
    beliefs: dict[str, Belief] = {}
    choices: dict[str, Choice] = {}
    remarks: list[str] = []
    cache = _Cache(snapshot)
    for name in snapshot.learned:
        found = evidence(snapshot, name)
        if MERGE_REPEATS in snapshot.spec.prepare and (words := merged_words(_measured(snapshot, name), found)):
            remarks.append(words)
        only_reported = isinstance(snapshot.goals[name], Report)
        if found.exact.sum() < (LEAST_REPORTED if only_reported else 1):
            n_values = f"only {found.exact.sum()} values" if found.exact.any() else "no value"
            remarks.append(f"{name} has {n_values}: too few to model.")
            continue
        offered, left_out = options(snapshot, found)
        if left_out.any():
            remarks += why_left_out(snapshot, found.rows(left_out))
            found = found.rows(~left_out)
        if not found.exact.any():
            continue
        if not only_reported:
            found, said = _of_the_class(snapshot, found, next(iter(offered.values())))
            remarks += said
        choice, fitted = cache.get(found, offered), dict[str, Belief]()
        if choice is None:
            choice = choose(found, offered, _in_time(CHOICE_SECONDS), partial(variations, found), fitted)
        cache.put(found, offered, choice)
        choices[name] = choice
        known = {part: _named(part, offered, found) for part in _names(choice)}
        beliefs[name] = learn_chosen(found, known, choice, fitted)
        remarks += _unused_bounds(found, known.values())
    classes: dict[str, ClassBelief] = {}
    for name in snapshot.class_goals:
        belief = _believe_classes(snapshot, name, cache, choices, remarks)
        if belief is not None:
            classes[name] = belief
    success = _believe_success(snapshot, cache, choices, remarks)
    cache.save()
    believed = Beliefs(beliefs, choices, (), classes, snapshot.computed, success)
    if any(each.features.calphad is not None for each in believed.every.values()) and snapshot.calphad is not None:
        remarks += snapshot.calphad.database.remarks
    return replace(believed, remarks=tuple(remarks))


def _of_the_class(snapshot: Snapshot, found: Evidence, option: Option) -> tuple[Evidence, list[str]]:
    """The rows that may be of the class that is asked for, unless those of another clearly tell more of them; in words.

    What is pursued is only of use in such an alloy: what others owe to their own class would promise what is not to be
    had, most of all where there is no alloy of the class nearby.
    """
    wanted = classes_wanted(snapshot.class_goals)
    other = np.zeros(len(found), dtype=bool)
    row_of = {id: row for row, id in enumerate(snapshot.table.ids)}
    # A row that repeats were merged into is of the class of the first.
    rows = np.array([row_of[id if id in row_of else id.partition(JOINED)[0]] for id in found.ids.tolist()])
    for name, goal in wanted.items():
        other |= snapshot.is_of(name, goal.label)[rows] == 0
    n_own = int((found.exact & ~other).sum())
    if not other.any() or n_own == 0 or (n_own >= LEAST_OF_A_CLASS and others_tell(found, ~other, option)):
        return found, []
    asked = listed([in_words(name, goal) for name, goal in wanted.items()])
    return found.rows(~other), [
        f"{found.property} is learned from {counted(n_own, 'row')} of which it may be that {asked}: the "
        f"{int(other.sum())} others do not tell more of such alloys."
    ]


def _believe_classes(
    snapshot: Snapshot, name: str, cache: _Cache, choices: dict[str, Choice], remarks: list[str]
) -> ClassBelief | None:
    """What is believed of a property that has classes; None where too little is known of it."""
    found = class_evidence(snapshot, name)
    only_reported = isinstance(snapshot.class_goals[name], Report)
    if len(found) < (LEAST_REPORTED if only_reported else 1):
        remarks.append(f"{name} is known of {counted(len(found), 'row')}: too few to model.")
        return None
    offered, left_out = class_options(snapshot, found)
    if left_out.any():
        remarks += why_left_out(snapshot, found.rows(left_out))
        found = found.rows(~left_out)
    if not len(found):
        return None
    labels = tuple(snapshot.table.layout.classes[name])
    choices[name], belief = _chosen_classes(found, labels, offered, cache)
    if len(belief.seen) == 1:
        (seen,) = belief.seen
        chance = belief.about(found.alloys.rows(np.array([0])))[0, labels.index(seen)]
        remarks.append(
            f"{name}: all {len(found)} rows are {seen}, so that nothing tells when an alloy is not; each is taken to "
            f"be with a probability of {chance:.1%}, by that count alone."
        )
    elif snapshot.spec.prepare:
        remarks.append(f"{name}: the steps under prepare are for numbers; classifiers see the features as they are.")
    return belief


def _chosen_classes(
    found: Evidence, labels: tuple[str, ...], offered: Mapping[str, Option], cache: _Cache
) -> tuple[Choice, ClassBelief]:
    """Which option is chosen for a property that has classes, and what is believed by it."""
    choice, fitted = cache.get(found, offered), dict[str, ClassBelief]()
    if choice is None:
        choice = choose_classes(found, labels, offered, _in_time(CHOICE_SECONDS), fitted)
    cache.put(found, offered, choice)
    return choice, fitted.get(choice.name) or learn_classes(found, labels, offered[choice.name])


def _believe_success(
    snapshot: Snapshot, cache: _Cache, choices: dict[str, Choice], remarks: list[str]
) -> ClassBelief | None:
    """Whether a melt succeeds, learned from those that failed beside those that did not."""
    found = success_evidence(snapshot)
    n_failed = int((found.values > 0).sum())
    if n_failed == 0:
        return None
    if n_failed == len(found):
        remarks.append(f"All {counted(n_failed, 'melt')} failed so far: nothing tells yet which would succeed.")
        return None
    sets = _feature_sets(snapshot, found)
    offered = {f"{model} on {name}": Option(model, seen) for model in AUTO_CLASSIFIERS for name, seen in sets.items()}
    found = found.rows(~_unknown(sets, found))
    choices[SUCCESS], belief = _chosen_classes(found, OUTCOMES, offered, cache)
    remarks.append(f"{counted(n_failed, 'melt')} failed: alloys like them are chosen less.")
    return belief


def success_evidence(snapshot: Snapshot) -> Evidence:
    """Which melts succeeded (0) and which failed (1): of every row that was made, with a composition."""
    table = snapshot.table
    failed = table.is_row("failed")
    rows = snapshot.known | (failed & table.has_composition & ~table.has_problem)
    return Evidence(
        property=SUCCESS,
        alloys=snapshot.alloys().rows(rows),
        values=failed[rows].astype(np.float64),
        noise=np.full(int(rows.sum()), np.nan),
        sources=_sources(snapshot)[rows],
        ids=np.array(table.ids, dtype=np.str_)[rows],
    )


def _in_time(seconds: float) -> Callable[[], bool]:
    """Whether so many seconds have not yet passed."""
    until = process_time() + seconds
    return lambda: process_time() < until


def variations(found: Evidence, name: str, option: Option) -> dict[str, Option]:
    """An option that also learns from the companions, together and each alone."""
    if not family(option.model).together or option.prepare:
        return {}
    others = tuple(other.property for other in found.companions)
    sets = dict.fromkeys([others, *((other,) for other in others)]) if others else {}
    return {f"{name}{AND}{' and '.join(some)}": replace(option, together=some) for some in sets}


def _named(name: str, offered: Mapping[str, Option], found: Evidence) -> Option:
    """An option or a variation of one, by its name."""
    plain = name.partition(AND)[0]
    return offered[name] if name in offered else variations(found, plain, offered[plain])[name]


def _names(choice: Choice) -> tuple[str, ...]:
    """The options that a choice is made of."""
    return tuple(part.name for part in choice.parts) or (choice.name,)


def _unused_bounds(found: Evidence, learned: Collection[Option]) -> list[str]:
    n = int((~found.exact).sum())
    deaf = sorted({option.model for option in learned if not family(option.model).bounds})
    return [f"{found.property}: {n} bounds (< or >) are left out by {', '.join(deaf)}."] if n and deaf else []


def options(snapshot: Snapshot, found: Evidence) -> tuple[dict[str, Option], NDArray[np.bool_]]:
    """The options that campaign.yaml leaves open, by name, and the rows that none of them can take (True)."""
    sets = _feature_sets(snapshot, found)
    asked = snapshot.spec.model_of(found.property)
    prepare = tuple(step for step in snapshot.spec.prepare if step != MERGE_REPEATS)
    offered: dict[str, Option] = {}
    for model in AUTO_MODELS if asked == "auto" else (asked,):
        for name, seen in sets.items():
            # A process that is not known is integrated out where the model can, and flagged where it cannot.
            sees = replace(seen, unknown="integrated") if family(model).blanks and not prepare else seen
            for scale in _scales(snapshot, found):
                suffix = "" if scale == LINEAR else f", {scale.name}"
                offered[f"{model} on {name}{suffix}"] = Option(model, sees, scale, prepare)
    return offered, _unknown(sets, found)


def class_evidence(snapshot: Snapshot, name: str) -> Evidence:
    """The rows of which it is known which class of a property they are of; its values are numbers of classes."""
    table, labels = snapshot.table, tuple(snapshot.table.layout.classes[name])
    said = table.class_of(name)
    rows = snapshot.known & np.array([label is not None for label in said], dtype=np.bool_)
    codes = [float(labels.index(label)) for label, usable in zip(said, rows, strict=True) if usable and label]
    return Evidence(
        property=name,
        alloys=snapshot.alloys().rows(rows),
        values=np.array(codes, dtype=np.float64),
        noise=np.full(len(codes), np.nan),
        sources=_sources(snapshot)[rows],
        ids=np.array(table.ids, dtype=np.str_)[rows],
    )


def classes_to_be(snapshot: Snapshot, beliefs: Beliefs, rows: NDArray[np.bool_]) -> dict[str, ClassWanted]:
    """The classes that are asked for, by property that can be predicted, with what was found of some rows.

    What was found under other conditions than those asked for is not taken for known.
    """
    near = snapshot.near_conditions()
    return {
        name: ClassWanted(
            beliefs.classes[name], goal.label, np.where(near, snapshot.is_of(name, goal.label), np.nan)[rows]
        )
        for name, goal in classes_wanted(snapshot.class_goals).items()
        if name in beliefs.classes
    }


def class_options(snapshot: Snapshot, found: Evidence) -> tuple[dict[str, Option], NDArray[np.bool_]]:
    """The same as `options` for a property that has classes."""
    sets, asked = _feature_sets(snapshot, found), snapshot.spec.model_of(found.property)
    models = AUTO_CLASSIFIERS if asked == "auto" else (asked,)
    offered = {f"{model} on {name}": Option(model, seen) for model in models for name, seen in sets.items()}
    return offered, _unknown(sets, found)


def _unknown(sets: Mapping[str, Features], found: Evidence) -> NDArray[np.bool_]:
    """(n,) The rows of which some set of features is not known."""
    left_out = np.zeros(len(found), dtype=bool)
    for seen in sets.values():
        left_out |= ~seen.known(found.alloys)
    return left_out


def why_left_out(snapshot: Snapshot, left_out: Evidence) -> list[str]:
    """Remarks on rows that some option cannot take."""
    alloys, calphad = left_out.alloys, snapshot.calphad
    without, whys = np.zeros(len(alloys), dtype=bool), Counter[str]()
    if calphad is not None:
        columns = () if snapshot.named is None else snapshot.named.calphad
        seen = Features(alloys.elements, composition=False, calphad=calphad, calphad_columns=columns)
        without = seen.without_phases(alloys)
        told = calphad.whys_unknown(alloys.rows(without).fractions, alloys.elements)
        whys.update(f"phases are not known of alloys that {why}" for why in told)
    if n := int((~without).sum()):
        whys["the element table lacks a value that their features need"] = n
    return [
        f"{left_out.property}: {n} {'row is' if n == 1 else 'rows are'} left out: {why}." for why, n in whys.items()
    ]


def _scales(snapshot: Snapshot, found: Evidence) -> tuple[Scale, ...]:
    """The scales that campaign.yaml leaves open for a property."""
    asked, values = snapshot.spec.properties[found.property].scale, found.values[found.exact]
    bounded = BOUNDED.get(found.property.rpartition("_")[2])
    if asked == "auto":
        return likely_scales(values, bounded)
    if asked == "log":
        if (values <= 0).any():
            row = found.ids[found.exact][values <= 0][0]
            raise AlloyloopError(
                f"{found.property} of {row} is not above zero, and has no logarithm",
                "Write scale: linear, or correct the value.",
                place=f"campaign.yaml, properties.{found.property}.scale",
            )
        return (LOG,)
    if asked == "logit":
        low, high = bounded or (0.0, 1.0)
        if (values < low).any() or (values > high).any():
            raise AlloyloopError(
                f"{found.property} has values outside {low:g} to {high:g}, and a logit is for what lies between",
                "Write scale: linear, or correct the values.",
                place=f"campaign.yaml, properties.{found.property}.scale",
            )
        return (Logit.of(values, low, high),)
    return (LINEAR,)


def _feature_sets(snapshot: Snapshot, found: Evidence) -> dict[str, Features]:
    """What a model may see, by name: of alloys their composition or descriptors; beside it the process."""
    elements, process = found.alloys.elements, (*snapshot.space.process, *snapshot.space.conditions)
    if not snapshot.space.elements:
        if snapshot.named is not None:
            return {"the features named": snapshot.named.features(found.alloys, process)}
        return {"process": Features(elements, composition=False, process=process)}
    own = snapshot.space.elements
    foreign = found.alloys.fractions[:, len(own) :].sum(axis=1) > 0
    telling = telling_descriptors(found.alloys.rows(~foreign) if (~foreign).any() else found.alloys)
    telling = known_for(telling, own)
    calphad = snapshot.calphad
    if snapshot.named is not None:
        return {"the features named": snapshot.named.features(found.alloys, process, telling, calphad=calphad)}
    asked = str(snapshot.spec.features)
    names = FEATURE_SETS if asked == "auto" else (asked,)
    sets = {name: feature_set(name, telling, elements, process, calphad) for name in names}
    return {name if seen.calphad is None else f"{name} with calphad": seen for name, seen in sets.items()}


class _Cache:
    """Choices made before, by the data and the version they were made with; may be deleted at any time."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._path = snapshot.folder.cache / "choices.json"
        self._kept: dict[str, dict[str, Any]] = {}
        self._used: dict[str, dict[str, Any]] = {}
        with suppress(AlloyloopError, ValueError, TypeError):
            self._kept = dict(json.loads(read_text(self._path).text))

    def get(self, found: Evidence, options: Mapping[str, Option]) -> Choice | None:
        kept = self._kept.get(self._key(found, options), {})
        try:
            made = Choice(kept["name"], kept["why"], kept["factor"], tuple(Part(**part) for part in kept["parts"]))
        except (KeyError, TypeError):  # damaged, or none
            return None
        return made if all(name.partition(AND)[0] in options for name in _names(made)) else None

    def put(self, found: Evidence, options: Mapping[str, Option], choice: Choice) -> None:
        self._used[self._key(found, options)] = asdict(choice)

    def save(self) -> None:
        if self._used.items() <= self._kept.items():
            return
        with suppress(AlloyloopError, OSError):  # a read-only folder is asked all the same
            self._path.parent.mkdir(exist_ok=True)
            write_atomically(self._path, json.dumps(self._kept | self._used, indent=1))

    @staticmethod
    def _key(found: Evidence, options: Mapping[str, Option]) -> str:
        data = b""
        for part in (found, *found.companions):
            told = (part.alloys.fractions, part.values, part.noise, part.censored)
            ids = part.ids.tolist() if found.companions else []
            words = (part.property, part.sources.tolist(), part.usual_scatter, ids)
            data += b"".join(np.ascontiguousarray(numbers).tobytes() for numbers in told) + repr(words).encode()
            data += b"".join(np.asarray(column).astype(str).tobytes() for column in part.alloys.process.values())
        return digest(data + repr((version("alloyloop"), options)).encode())
