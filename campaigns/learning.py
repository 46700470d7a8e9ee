"""From the table to beliefs: what each property's rows teach, and which model and features to trust."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from ..design.beliefs import Belief, Choice, Evidence, Option, choose, learn
from ..design.features import FEATURE_SETS, Features, feature_set, known_for, telling_descriptors
from ..design.goals import Report
from ..surrogates.errors import AlloyloopError
from .files import read_text, write_atomically
from .journal import digest
from .snapshot import Snapshot

# A property that is only reported is not modelled on fewer rows than this; one that is wanted is modelled on any.
LEAST_REPORTED = 5
# What `model: auto` chooses from.
AUTO_MODELS = ("gaussian-process", "extra-trees")


@dataclass(frozen=True, slots=True, eq=False)
class Beliefs:
    """What a campaign believes.

    Parameters
    ----------
    of : beliefs by property; a property without enough measurements is not among them
    choices : by property, which model and features were chosen, and why
    remarks : rows that could not be used and properties that could not be modelled, in words
    """

    of: Mapping[str, Belief]
    choices: Mapping[str, Choice]
    remarks: tuple[str, ...]


def evidence(snapshot: Snapshot, name: str) -> Evidence:
    """The rows that say something of one property: known or measured, with a value that is not censored."""
    table, rows = snapshot.table, snapshot.with_value(name)
    # The value is the mean of its replicates; where their number is not told, it is taken as one.
    counts = np.nan_to_num(table.counts(name), nan=1.0)
    noise = table.std(name) / np.sqrt(np.maximum(counts, 1.0))
    sources = np.array(table.source)
    return Evidence(name, snapshot.alloys().rows(rows), table.values(name)[rows], noise[rows], sources[rows])


def believe(snapshot: Snapshot) -> Beliefs:
    """Fit what can be fitted, by the model and features that campaign.yaml names or, for auto, by evidence."""
    beliefs: dict[str, Belief] = {}
    choices: dict[str, Choice] = {}
    remarks: list[str] = []
    cache = _Cache(snapshot)
    for name in snapshot.goals:
        found = evidence(snapshot, name)
        censored = int((snapshot.known & (snapshot.table.censored(name) != "")).sum())
        if censored:
            remarks.append(f"{name}: {censored} censored values (< or >) are kept and not yet learned from.")
        only_reported = isinstance(snapshot.goals[name], Report)
        if len(found) < (LEAST_REPORTED if only_reported else 1):
            n_values = "no value" if not len(found) else f"only {len(found)} values"
            remarks.append(f"{name} has {n_values}: too few to model.")
            continue
        options, left_out = _options(snapshot, found)
        if left_out.any():
            remarks.append(
                f"{name}: {left_out.sum()} rows are left out: the element table lacks a value that their features need."
            )
            found = found.rows(~left_out)
        if len(found) == 0:
            continue
        choice = cache.get(found, options) or choose(found, options)
        cache.put(found, options, choice)
        choices[name] = choice
        beliefs[name] = learn(found, options[choice.name])
    cache.save()
    return Beliefs(beliefs, choices, tuple(remarks))


def _options(snapshot: Snapshot, found: Evidence) -> tuple[dict[str, Option], NDArray[np.bool_]]:
    """The options that campaign.yaml leaves open, by name, and the rows that none of them can take (True)."""
    features = _feature_sets(snapshot, found)
    models = AUTO_MODELS if snapshot.spec.model == "auto" else (snapshot.spec.model,)
    options = {f"{model} on {name}": Option(model, seen) for model in models for name, seen in features.items()}
    left_out = np.zeros(len(found), dtype=bool)
    for seen in features.values():
        left_out |= ~np.isfinite(seen.encode(found.alloys)).all(axis=1)
    return options, left_out


def _feature_sets(snapshot: Snapshot, found: Evidence) -> dict[str, Features]:
    """What a model may see, by name: of alloys their composition or descriptors; beside it the process."""
    elements, process = found.alloys.elements, (*snapshot.space.process, *snapshot.space.conditions)
    if not snapshot.space.elements:
        return {"process": Features(elements, composition=False, process=process)}
    own = snapshot.space.elements
    foreign = found.alloys.fractions[:, len(own) :].sum(axis=1) > 0
    telling = telling_descriptors(found.alloys.rows(~foreign) if (~foreign).any() else found.alloys)
    telling = known_for(telling, own)
    asked = snapshot.spec.features
    if isinstance(asked, tuple):
        if unknown := sorted(set(asked) - set(known_for(asked, own))):
            raise AlloyloopError(
                f"The feature {unknown[0]} is not known for every alloy of {', '.join(own)}",
                "Take it out of features: the element table lacks a value, or the formula is not for all of these.",
                place="campaign.yaml, features",
            )
        return {"the features named": Features(elements, False, asked, process)}
    names = FEATURE_SETS if asked == "auto" else (asked,)
    return {name: feature_set(name, telling, elements, process) for name in names}


class _Cache:
    """Choices made before, by the data and the version they were made with; may be deleted at any time."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._path = snapshot.folder.cache / "choices.json"
        self._kept: dict[str, dict[str, str]] = {}
        self._used: dict[str, dict[str, str]] = {}
        with suppress(AlloyloopError, ValueError, TypeError):
            self._kept = dict(json.loads(read_text(self._path).text))

    def get(self, found: Evidence, options: Mapping[str, Option]) -> Choice | None:
        kept = self._kept.get(self._key(found, options))
        return Choice(kept["name"], kept["why"]) if kept and kept.get("name") in options else None

    def put(self, found: Evidence, options: Mapping[str, Option], choice: Choice) -> None:
        self._used[self._key(found, options)] = {"name": choice.name, "why": choice.why}

    def save(self) -> None:
        if self._used.items() <= self._kept.items():
            return
        with suppress(AlloyloopError, OSError):  # a read-only folder is asked all the same
            self._path.parent.mkdir(exist_ok=True)
            write_atomically(self._path, json.dumps(self._kept | self._used, indent=1))

    @staticmethod
    def _key(found: Evidence, options: Mapping[str, Option]) -> str:
        process = b"".join(np.asarray(column).astype(str).tobytes() for column in found.alloys.process.values())
        numbers = (found.alloys.fractions, found.values, found.noise)
        data = b"".join(np.ascontiguousarray(part).tobytes() for part in numbers) + process
        return digest(data + repr((version("alloyloop"), found.property, found.sources.tolist(), options)).encode())
