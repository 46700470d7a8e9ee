"""Ways of choosing from a pool, by name: `auto` as `suggest` chooses, others to compare it with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from difflib import get_close_matches

import numpy as np

from ..design.acquisition import ACQUISITIONS, Acquisition, Rule
from ..design.acquisitions import acquisition_names, acquisition_rule, automatic
from ..design.beliefs import LEAST_COMPARED, Belief, Choice, Option, choose, learn_chosen
from ..design.classes import ClassBelief, choose_classes, learn_classes
from ..design.descriptors import DESCRIPTORS, descriptor
from ..design.diagram import IntArray
from ..design.features import Alloys, known_for
from ..design.goals import classes_wanted, limits, pursued
from ..design.outlook import ClassWanted, Limited, Outlook, Sought, outlook
from ..design.prospects import prospects
from ..design.replay import Picked, Strategy
from ..design.weighing import spread
from ..surrogates.base import SURROGATES, FloatArray, surrogate_names
from ..surrogates.errors import AlloyloopError
from .learning import class_options, options
from .pools import Pool
from .suggesting import N_POOL

RANDOM = "random"
# Between the name of a model and that of an acquisition.
WITH = "/"
# A map of what is left, for acquisitions that look at all of it.
N_REFERENCE = 64


@dataclass(frozen=True, slots=True)
class AtRandom:
    """Any alloy that is left, each as likely as the other.

    Parameters
    ----------
    n_pool : how many candidates there are
    """

    n_pool: int

    def pick(self, made: IntArray, n: int, rng: np.random.Generator) -> Picked:
        """See `Strategy`."""
        left = np.setdiff1d(np.arange(self.n_pool), made)
        return Picked(rng.choice(left, n, replace=False))


@dataclass(frozen=True, slots=True, eq=False)
class AsSuggested:
    """As `suggest` chooses, from a list: models and features by evidence, limits and classes learned, batches.

    Models are chosen anew whenever what is known has doubled, and fitted anew for every batch. What may be chosen from
    is asked for only then, where any of it could take every candidate; else for every batch, since a row may be left
    out.

    Parameters
    ----------
    pool : the candidates; its snapshot says which models and features may be chosen from
    rule : the acquisition; None for that of `auto`
    stopping : whether it is asked, before every batch, if it is worth going on
    """

    pool: Pool
    rule: Rule | None = None
    stopping: bool = True
    _choices: dict[tuple[str, int], tuple[dict[str, Option], Choice]] = field(default_factory=dict)
    _takes: list[bool] = field(default_factory=list)

    def pick(self, made: IntArray, n: int, rng: np.random.Generator) -> Picked:
        """See `Strategy`."""
        left = np.setdiff1d(np.arange(len(self.pool)), made)
        alloys = self.pool.alloys.rows(left)
        ahead = self._ahead(made, alloys, n, rng)
        worth = Acquisition(ahead, self.rule or automatic(ahead)[0])
        values = _ranked(worth, alloys)
        enough = self.stopping and self._is_enough(ahead, alloys, values, n, rng)
        chosen: list[int] = []
        for _ in range(n):
            values[chosen] = -np.inf
            chosen.append(int(np.argmax(values)))
            if len(chosen) < n:
                worth = worth.with_pick(alloys.rows(np.array(chosen[-1:])))
                values = _ranked(worth, alloys)
        return Picked(left[chosen], enough)

    def _ahead(self, made: IntArray, alloys: Alloys, n: int, rng: np.random.Generator) -> Outlook:
        """What is known before the next of n picks among the alloys that are left."""
        pool, spec, computed = self.pool, self.pool.snapshot.spec, self.pool.snapshot.computed
        baseline = pool.alloys.rows(made)
        wanted, bounds = pursued(pool.snapshot.goals), limits(pool.snapshot.goals)
        beliefs = {name: computed.get(name) or self._belief(name, made) for name in (*wanted, *bounds)}
        sought = [
            Sought(
                name,
                goal,
                beliefs[name],
                spread(pool.objectives[made, k]),
                spec.weights.get(name, 1.0),
                spec.references.get(name),
            )
            for k, (name, goal) in enumerate(wanted.items())
        ]
        classes = [
            ClassWanted(self._class_belief(name, made), goal.label, self._found(name, goal.label, made))
            for name, goal in classes_wanted(pool.snapshot.class_goals).items()
        ]
        looked = rng.permutation(len(alloys))[:N_REFERENCE]
        return outlook(
            sought,
            baseline,
            baseline.rows(np.zeros(0, dtype=np.int64)),
            alloys.rows(np.sort(looked)),
            n,
            rng,
            limits=[Limited(name, limit, beliefs[name], spec.weights.get(name, 1.0)) for name, limit in bounds.items()],
            classes=classes,
            weighted=len(sought) > 1 and any(each.name in spec.weights for each in sought),
            explore=spec.explore,
            n_designs=len(alloys),
        )

    def _belief(self, name: str, made: IntArray) -> Belief:
        """What is believed of a property that is a number."""
        found, fitted = self.pool.known(name, made), dict[str, Belief]()
        key = (name, _doublings(len(found)))
        if not (key in self._choices and self._takes_every()):
            offered, left_out = options(self.pool.snapshot, found)
            found = found.rows(~left_out)
            key = (name, _doublings(len(found)))
            if key not in self._choices:
                self._choices[key] = offered, choose(found, offered, fitted=fitted)
        return learn_chosen(found, *self._choices[key], fitted)

    def _takes_every(self) -> bool:
        """Whether every option can take every candidate, whichever of them were made.

        Which descriptors tell something changes with what was made: none may be unknown of any candidate.
        """
        if not self._takes:
            snapshot, alloys = self.pool.snapshot, self.pool.alloys
            known = known_for(tuple(DESCRIPTORS), snapshot.space.elements) if snapshot.space.elements else ()
            every = all(
                np.isfinite(descriptor(name).function(alloys.fractions, alloys.elements)).all() for name in known
            )
            named = snapshot.named is None and snapshot.calphad is None
            self._takes.append(every and named)
        return self._takes[0]

    def _class_belief(self, name: str, made: IntArray) -> ClassBelief:
        """What is believed of a property that has classes."""
        found, labels = self.pool.known(name, made), tuple(self.pool.snapshot.table.layout.classes[name])
        offered, left_out = class_options(self.pool.snapshot, found)
        found = found.rows(~left_out)
        # Where all were of one class, there was nothing to choose by.
        key = (f"{name} of {len(np.unique(found.values))}", _doublings(len(found)))
        if key not in self._choices:
            self._choices[key] = offered, choose_classes(found, labels, offered)
        kept, choice = self._choices[key]
        return learn_classes(found, labels, kept[choice.name])

    def _found(self, name: str, label: str, made: IntArray) -> FloatArray:
        """(n_made,) 1 where an alloy was found to be of a class, 0 where of another."""
        code = self.pool.snapshot.table.layout.classes[name]
        return np.asarray(self.pool.classes[name].values[made] == list(code).index(label), dtype=np.float64)

    def _is_enough(self, ahead: Outlook, alloys: Alloys, values: FloatArray, n: int, rng: np.random.Generator) -> bool:
        """Whether what is left has no chance that is worth a melt."""
        best = np.argsort(-values, kind="stable")
        may = prospects(ahead, alloys.rows(best[:n]), alloys.rows(best[n:N_POOL]), rng)
        return not may.worth_going_on


def _ranked(worth: Acquisition, alloys: Alloys) -> FloatArray:
    """(n,) What each alloy is worth; one of which a feature is not known is the last choice."""
    values = worth.value(alloys)
    return np.asarray(np.where(np.isnan(values), np.finfo(np.float64).min, values))


def _doublings(n: int) -> int:
    """How often what is known has doubled since models can be compared on it; -1 before."""
    return (n // LEAST_COMPARED).bit_length() - 1


def strategy_names() -> tuple[str, ...]:
    """Every name that `strategy` knows by itself; a model and an acquisition may be joined by `/`."""
    return ("auto", RANDOM, *surrogate_names(), *acquisition_names())


def strategy(name: str, pool: Pool, *, stopping: bool = True) -> Strategy:
    """A way of choosing from a pool.

    Parameters
    ----------
    name : `auto`, as campaign.yaml says and `suggest` does; `random`; a model, with the acquisition of `auto`; an
        acquisition, with the models of `auto`; or both, such as `forest/log-expected-improvement`
    pool : that is chosen from
    stopping : whether it says when it would stop

    Raises
    ------
    AlloyloopError
        where there is none of this name
    """
    if name == RANDOM:
        return AtRandom(len(pool))
    spec, rule = pool.snapshot.spec, None
    changed: dict[str, object] = {}
    if name == "auto":
        rule = None if spec.acquisition == "auto" else acquisition_rule(spec.acquisition)
    else:
        for part in name.split(WITH):
            if part in SURROGATES:
                changed["model"] = part
            elif part in ACQUISITIONS:
                rule = acquisition_rule(part)
            else:
                raise _unknown(part)
    asked = replace(pool.snapshot, written=replace(pool.snapshot.written, spec=spec.model_copy(update=changed)))
    return AsSuggested(replace(pool, snapshot=asked), rule, stopping)


def _unknown(name: str) -> AlloyloopError:
    meant = get_close_matches(name, strategy_names(), n=1)
    guess = f"Did you mean {meant[0]}? " if meant else ""
    return AlloyloopError(
        f"There is no strategy '{name}'",
        f"{guess}Write auto, random, a model of `alloyloop models`, an acquisition, or MODEL/ACQUISITION.",
        place="--strategies",
    )
