"""Why the campaign believes what it believes: of its models, of one alloy, and of a choice that was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..design.alloy_names import BASIS_SIGN
from ..design.beliefs import Belief, Choice
from ..design.explaining import (
    Contributions,
    Effect,
    FeatureContributions,
    HeldOut,
    Importance,
    Moves,
    Neighbour,
    Outlier,
    Thing,
    contributions,
    effects,
    feature_contributions,
    held_out,
    importances,
    mean_alloy,
    moves,
    neighbours,
    outliers,
    percent,
    relevances,
)
from ..design.features import Alloys
from ..design.readable import Averages, Tallies, averages, tallies
from ..surrogates.errors import AlloyloopError
from ..surrogates.explain import check_shap
from .answers import Answer, Json
from .judging import judge
from .learning import Beliefs, believe
from .named import Named, named
from .printing import table_lines
from .readable import (
    Own,
    averages_json,
    averages_lines,
    finer,
    moves_rows,
    own,
    own_lines,
    tallies_json,
    tallies_lines,
)
from .rounds import PastRound, past_round
from .snapshot import Snapshot, plain
from .status import status
from .wording import rounded, words_and_unit

# How a value is written that is only a bound.
BOUNDS = {-1: "<", 0: "", 1: ">"}
# Of the features that a model attends to or is moved by, and of the neighbours of an alloy, the first are shown.
MOST_FEATURES = 8
N_NEIGHBOURS = 5


# -- the models -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """Why one property is believed to be what it is.

    Parameters
    ----------
    belief, choice : the model, and why it was chosen
    held : what models that did not see a row say of it; None where there are too few rows
    rmse : error of these, root mean square, in the property's unit; None likewise
    importances : how much that error rises where one thing is shuffled, most needed first
    relevances : how much the model attends to each feature; None of a model that does not say
    base : what is varied in `effects`, in words
    effects : of each thing that a design may differ in
    outliers : rows to check
    own : what it says of itself: what it chose, its formula or rules
    rules : rules of thumb of the same rows
    moves : how far things and features move what it expects; None where that was not asked for
    """

    belief: Belief
    choice: Choice
    held: HeldOut | None
    rmse: float | None
    importances: tuple[Importance, ...]
    relevances: Mapping[str, float] | None
    base: str
    effects: tuple[Effect, ...]
    outliers: tuple[Outlier, ...]
    own: tuple[Own, ...]
    rules: Averages
    moves: Moves | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ModelsExplained:
    """What drives the models of a campaign.

    Parameters
    ----------
    snapshot : the campaign
    models : by property
    remarks : what should be known about all of them
    classes : rules of thumb of properties that are classes
    """

    snapshot: Snapshot
    models: Mapping[str, Model]
    remarks: tuple[str, ...]
    classes: Mapping[str, Tallies] = field(default_factory=dict)

    def json(self) -> Json:
        """As in `--json`; see docs/explaining.md."""
        return {
            "properties": {name: _model_json(self.snapshot, name, model) for name, model in self.models.items()},
            "classes": {
                name: {"rules_of_thumb": tallies_json(self.snapshot, told)} for name, told in self.classes.items()
            },
            "remarks": list(self.remarks),
        }

    def lines(self, width: int | None = None) -> Iterator[str]:
        """The same for a person to read."""
        for name, model in self.models.items():
            yield from _model_lines(self.snapshot, name, model, width)
        for name, told in self.classes.items():
            yield from tallies_lines(self.snapshot, told, name)
            yield ""
        for remark in self.remarks:
            yield f"Remark: {remark}"


def explain_models(snapshot: Snapshot, *, shap: bool = False) -> ModelsExplained:
    """What drives the models: what they need to know, what each thing does, which rows disagree, and rules of thumb.

    Parameters
    ----------
    shap : whether to share what they expect of the rows among what they see, too

    Raises
    ------
    AlloyloopError
        where there is nothing to learn from yet, and for `shap` where that package is not installed
    """
    if shap:
        check_shap()
    beliefs = believe(snapshot)
    _refuse_if_nothing(beliefs)
    rngs = _generators(snapshot, len(beliefs.of))
    models = {
        name: _model(snapshot, belief, beliefs.choices[name], rng, shap=shap)
        for (name, belief), rng in zip(beliefs.of.items(), rngs, strict=True)
    }
    classes = {
        name: tallies(snapshot.space, told.evidence, told.labels, told.features)
        for name, told in beliefs.classes.items()
    }
    return ModelsExplained(snapshot, models, (*snapshot.remarks, *beliefs.remarks), classes)


def _model(snapshot: Snapshot, belief: Belief, choice: Choice, rng: np.random.Generator, *, shap: bool) -> Model:
    space, known = snapshot.space, belief.evidence
    of_rules, of_moves = rng.spawn(2)
    held = held_out(known, belief.again)
    rmse = None
    if held is not None:
        rmse = float(np.sqrt(np.mean((held.means(known.alloys) - known.values)[known.exact] ** 2)))
    base, said = _base(snapshot, belief)
    return Model(
        belief,
        choice,
        held,
        rmse,
        importances(space, held, rng) if held is not None else (),
        relevances(belief),
        said,
        effects(space, belief, base),
        outliers(belief, held),
        own(belief, choice),
        averages(space, known, belief.features, of_rules, belief.on_scale()[1]),
        moves(space, belief, of_moves) if shap else None,
    )


def _base(snapshot: Snapshot, belief: Belief) -> tuple[Alloys, str]:
    """The alloy from which things are varied, and what it is called: the best known, or the middle of the data."""
    best = status(snapshot).ranking[:1]
    if best:
        alloy = snapshot.at_conditions(snapshot.alloys().rows(np.array(best)))
        if belief.features.known(alloy).all():
            name, id = snapshot.name(best[0]), snapshot.table.ids[best[0]]
            return alloy, f"{name} ({id}, the best known)"
    return mean_alloy(snapshot.space, belief.evidence.alloys), "the mean of the data"


def _refuse_if_nothing(beliefs: Beliefs) -> None:
    if not beliefs.of and not beliefs.classes:
        raise AlloyloopError(
            "There is nothing to explain: no property has been measured often enough to model",
            "`alloyloop record` enters measurements.",
        )


def _generators(snapshot: Snapshot, n: int) -> list[np.random.Generator]:
    return np.random.default_rng(snapshot.spec.seed).spawn(n)


# -- one alloy --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """What the prediction of one property of one alloy is made of.

    Parameters
    ----------
    belief : the model
    expected : its mean, in the property's unit
    contributions : what the difference from the mean of the data is made of
    neighbours : the rows nearest to the alloy, and what each does to the mean
    features : what the difference is made of by what the model sees; None where that was not asked for
    """

    belief: Belief
    expected: float
    contributions: Contributions
    neighbours: tuple[Neighbour, ...]
    features: FeatureContributions | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AlloyExplained:
    """Why one alloy is believed to have what it has, and why it was proposed.

    Parameters
    ----------
    snapshot : the campaign
    row : of the table; None of an alloy that was named
    answer : what is predicted of it
    alloy : the same as numbers
    parts : by property
    past : the round that proposed it; None where none did
    remarks : what should be known about it
    """

    snapshot: Snapshot
    row: int | None
    answer: Answer
    alloy: Alloys
    parts: Mapping[str, Parts]
    past: PastRound | None
    remarks: tuple[str, ...]

    def json(self) -> Json:
        """As in `--json`; see docs/explaining.md."""
        return {
            "alloy": self.answer.json(),
            "properties": {name: self._parts_json(part) for name, part in self.parts.items()},
            "decision": _decision(self.past, self.answer.id),
            "remarks": list(self.remarks),
        }

    def _parts_json(self, part: Parts) -> Json:
        shared = part.contributions
        return {
            "expected": part.expected,
            "mean_of_data": shared.shares.base,
            "contributions": [
                {"name": thing.name, "of": thing.kind, "value": self.value(thing), "shift": shift, "error": error}
                for thing, shift, error in _shares(shared)
            ],
            "neighbours": [
                {
                    "id": str(part.belief.evidence.ids[near.row]),
                    "distance": near.distance,
                    "source": str(part.belief.evidence.sources[near.row]),
                    "measured": float(part.belief.evidence.values[near.row]),
                    "bound": BOUNDS[int(part.belief.evidence.censored[near.row])],
                    "expected_without": _said(near.without),
                    "shift": _said(part.expected - near.without),
                }
                for near in part.neighbours
            ],
            "shap": None
            if part.features is None
            else {
                "mean_of_data": part.features.shares[0].base,
                "features": [
                    {"name": name, "shift": shift, "error": error} for name, shift, error in _by_feature(part.features)
                ],
            },
        }

    def value(self, thing: Thing) -> float | str | None:
        """What the alloy has of something: an amount in the campaign's basis [%], or a process value."""
        if thing.kind == "element":
            amounts = percent(self.snapshot.space, self.alloy)[0]
            return float(amounts[self.alloy.elements.index(thing.name)])
        told = self.alloy.process.get(thing.name)
        return None if told is None else plain(told[0])

    def lines(self, width: int | None = None) -> Iterator[str]:
        """The same for a person to read."""
        yield self.title
        yield f"  Nearest known: {self.answer.nearest_known}."
        yield from (f"  {flag}" for flag in self.answer.flags)
        yield from _decision_lines(self.past, self.answer.id)
        for name, expected in self.answer.classes.items():
            found = (self.answer.measured or {}).get(name)
            chances = ", ".join(f"{label} {chance:.0%}" for label, chance in expected.classes.items())
            yield f"  {_capital(words_and_unit(name)[0])}: {chances}{'' if found is None else f'; found {found}'}."
        for name, part in self.parts.items():
            yield ""
            yield from self._part_lines(name, part, width)
        for remark in self.remarks:
            yield f"\nRemark: {remark}"

    def _part_lines(self, name: str, part: Parts, width: int | None) -> Iterator[str]:
        words, unit = words_and_unit(name)
        measured = (self.answer.measured or {}).get(name)
        told = f"; measured {measured:.6g}" if isinstance(measured, float) else ""
        yield f"{_capital(words)}: {self.answer.predicted[name]} {unit}{told}"
        shared, evidence = part.contributions, part.belief.evidence
        digits = finer(self.answer.predicted[name].std)
        start, end = rounded(digits, shared.shares.base, part.expected)
        yield f"\n  From the {start} {unit} that is expected on average of the data to these {end} {unit}:"
        steps = [
            (thing.name, self._has(thing), f"{shift:+.{digits}f}", f"± {error:.{digits}f}" if error else "")
            for thing, shift, error in _shares(shared)
            if abs(shift) >= 0.5 * 10**-digits
        ]
        columns: tuple[str, ...] = ("what", "has", f"changes it by [{unit}]", "")
        yield from _indented(table_lines(columns, steps, width))
        if part.features is not None:
            start = f"{part.features.shares[0].base:.{digits}f} {unit}"
            yield f"\n  The same by the features that the model sees (SHAP values), from {start}:"
            seen = [
                (name, f"{shift:+.{digits}f}", f"± {error:.{digits}f}" if error else "")
                for name, shift, error in _by_feature(part.features)[:MOST_FEATURES]
                if abs(shift) >= 0.5 * 10**-digits
            ]
            yield from _indented(table_lines(("feature", f"changes it by [{unit}]", ""), seen, width))
        apart = "at.%" if self.snapshot.space.elements else "% of the ranges"
        yield f"\n  The nearest rows, and what is expected without each ({part.expected:.{digits}f} with all):"
        rows = [
            (
                str(evidence.ids[near.row]),
                self.snapshot.name(self.snapshot.table.row(str(evidence.ids[near.row]))),
                f"{near.distance:.1f}",
                str(evidence.sources[near.row]),
                f"{BOUNDS[int(evidence.censored[near.row])]}{evidence.values[near.row]:.6g}",
                f"{near.without:.{digits}f}" if isfinite(near.without) else "",
            )
            for near in part.neighbours
        ]
        columns = ("row", "alloy", f"distance [{apart}]", "source", f"measured [{unit}]", "without it")
        yield from _indented(table_lines(columns, rows, width))

    @property
    def title(self) -> str:
        """The alloy's id and its name; the name alone where it has no row."""
        return self.answer.name if self.row is None else f"{self.answer.id}  {self.answer.name}"

    def had(self, thing: Thing) -> str:
        """The same with its name, in words."""
        return f"{thing.name} {self._has(thing)}"

    def _has(self, thing: Thing) -> str:
        value = self.value(thing)
        if thing.kind == "element":
            return f"{value:.3g} {BASIS_SIGN[self.snapshot.space.basis]}"
        return "not known" if value is None else _text(value)


def explain_alloy(
    snapshot: Snapshot, alloy: str, process: Mapping[str, float | str] | None = None, *, shap: bool = False
) -> AlloyExplained:
    """Why one alloy is believed to have what it has, and why it was proposed if it was.

    Parameters
    ----------
    alloy : the id of a row, or a name as for `predict`
    process : process values of an alloy that is named
    shap : whether to share the prediction among the features that the model sees, too

    Raises
    ------
    AlloyloopError
        for an id or name that cannot be read, where there is nothing to learn from yet, and for `shap` where that
        package is not installed
    """
    if shap:
        check_shap()
    row, asked = _asked(snapshot, alloy, process)
    beliefs = believe(snapshot)
    _refuse_if_nothing(beliefs)
    measured = () if row is None else (snapshot.measured(row),)
    (answer,) = judge(snapshot, beliefs, [alloy], asked.compositions, asked.process, measured=measured)
    made = _as_alloys(snapshot, asked)
    parts = {
        name: _parts(snapshot, beliefs.of[name], made, rng, shap=shap)
        for name, rng in zip(beliefs.of, _generators(snapshot, len(beliefs.of)), strict=True)
        if name in answer.predicted
    }
    number = None if row is None else snapshot.table.round[row]
    past = None if number is None else past_round(snapshot, number)
    return AlloyExplained(snapshot, row, answer, made, parts, past, (*snapshot.remarks, *beliefs.remarks))


def _asked(snapshot: Snapshot, alloy: str, process: Mapping[str, float | str] | None) -> tuple[int | None, Named]:
    """The row with this id and what it consists of, or None and the alloy of this name."""
    if alloy not in snapshot.table.ids:
        return None, named(snapshot, [alloy], process)
    if process:
        raise AlloyloopError(
            f"{alloy} is a row of experiments.csv, which says its process itself", "Name the alloy instead of the row."
        )
    row = snapshot.table.row(alloy)
    composition = snapshot.composition(row)
    if composition is None and snapshot.space.elements:
        raise AlloyloopError(f"{alloy} has no composition that could be explained", "Enter it in experiments.csv.")
    treatment = {name: values[[row]] for name, values in snapshot.process.items()}
    return row, Named((alloy,), (composition,), treatment)


def _as_alloys(snapshot: Snapshot, asked: Named) -> Alloys:
    elements = snapshot.table.elements
    fractions = np.zeros((1, len(elements)))
    if asked.compositions[0] is not None:
        fractions[0] = asked.compositions[0].vector(elements, "at_pct") / 100
    return Alloys(elements, fractions, asked.process)


def _parts(snapshot: Snapshot, belief: Belief, alloy: Alloys, rng: np.random.Generator, *, shap: bool) -> Parts:
    space = snapshot.space
    (of_features,) = rng.spawn(1)
    return Parts(
        belief,
        float(belief.about(alloy).mean[0]),
        contributions(space, belief, alloy, rng),
        neighbours(space, belief, alloy, belief.again, N_NEIGHBOURS),
        feature_contributions(belief, alloy, of_features) if shap else None,
    )


# -- as JSON ----------------------------------------------------------------------------------------------------------


def _model_json(snapshot: Snapshot, name: str, model: Model) -> Json:
    evidence = model.belief.evidence
    return {
        "choice": {"name": model.choice.name, "why": model.choice.why},
        "rows": len(evidence),
        "left_out": None if model.held is None else model.held.left_out,
        "rmse": model.rmse,
        "spread": float(np.std(evidence.values[evidence.exact])),
        "importances": [
            {
                "name": one.thing.name,
                "of": one.thing.kind,
                "rmse_rise": {"mean": one.rise.mean, "std": one.rise.std},
            }
            for one in model.importances
        ],
        "relevances": None if model.relevances is None else dict(model.relevances),
        "effects_from": model.base,
        "effects": [_effect_json(snapshot, effect) for effect in model.effects],
        "outliers": [
            {
                "id": str(evidence.ids[one.row]),
                "source": str(evidence.sources[one.row]),
                "measured": float(evidence.values[one.row]),
                "believed": one.believed,
                "std": one.std,
                "deviations": one.deviations,
                "discounted": one.is_discounted,
            }
            for one in model.outliers
        ],
        "models": [one.json() for one in model.own],
        "rules_of_thumb": averages_json(snapshot, model.rules, name),
        "shap": None if model.moves is None else _moves_json(model.moves),
    }


def _moves_json(moved: Moves) -> Json:
    return {
        "rows": moved.n_rows,
        "contributions": [
            {"name": thing.name, "of": thing.kind, "mean_size": size} for thing, size in moved.things.items()
        ],
        "features": [{"name": name, "mean_size": size} for name, size in moved.features.items()],
    }


def _effect_json(snapshot: Snapshot, effect: Effect) -> Json:
    low, high = effect.prediction.interval()
    return {
        "name": effect.thing.name,
        "of": effect.thing.kind,
        "unit": unit(snapshot, effect.thing),
        "values": effect.values.tolist(),
        "mean": effect.prediction.mean.tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
        "inside_data": effect.inside.tolist(),
        "data": effect.data.tolist(),
    }


def _decision(past: PastRound | None, id: str) -> Json | None:
    """What the round that proposed an alloy says of its choice; None where none did, or its record is gone."""
    if past is None or id not in past.proposals:
        return None
    gains = past.decision.get("expected_gains")
    at = list(past.proposals).index(id)
    return {
        "round": past.number,
        "why": past.proposals[id].why,
        "expected_gain": gains[at] if isinstance(gains, list) and at < len(gains) else None,
        "teaches": past.proposals[id].teaches,
        "runner_up": past.proposals[id].runner_up or None,
        "predicted": {name: expected.json() for name, expected in past.proposals[id].expected.items()},
        "acquisition": past.decision.get("acquisition"),
        "models": past.decision.get("models", {}),
        "runner_ups": past.decision.get("runner_ups", []),
    }


def _shares(shared: Contributions) -> list[tuple[Thing, float, float]]:
    """Things with what they contribute and its error, the largest first."""
    told = zip(shared.things, shared.shares.of.tolist(), shared.shares.errors.tolist(), strict=True)
    return sorted(told, key=lambda item: -abs(item[1]))


def _by_feature(shared: FeatureContributions) -> list[tuple[str, float, float]]:
    """Features with what they contribute to the one alloy and its error, the largest first."""
    (shares,) = shared.shares
    told = zip(shared.names, shares.of.tolist(), shares.errors.tolist(), strict=True)
    return sorted(told, key=lambda item: -abs(item[1]))


def _said(number: float) -> float | None:
    return number if isfinite(number) else None


# -- as text ----------------------------------------------------------------------------------------------------------


def unit(snapshot: Snapshot, thing: Thing) -> str:
    """The unit of an amount or a process value; empty of a choice."""
    return BASIS_SIGN[snapshot.space.basis] if thing.kind == "element" else words_and_unit(thing.name)[1]


def _model_lines(snapshot: Snapshot, name: str, model: Model, width: int | None) -> Iterator[str]:
    words, sign = words_and_unit(name)
    evidence = model.belief.evidence
    spread = float(np.std(evidence.values[evidence.exact]))
    digits = finer(model.rmse or spread)
    yield f"{_capital(words)}{f' [{sign}]' if sign else ''}: {model.choice.name}"
    yield f"  {model.choice.why}"
    n_rows = len(evidence)
    if model.held is None or model.rmse is None:
        yield f"  {n_rows} rows: too few to leave some out and see what the model needs."
    else:
        without = f"With {model.held.left_out} left out it errs by {model.rmse:.{digits}f} {sign} (root mean square)"
        yield f"  Learned from {n_rows} rows. {without}; the values themselves spread by {spread:.{digits}f}."
    yield from own_lines(model.own, name)
    if model.importances:
        yield "\n  What it needs to know: how much that error rises if one thing is mixed up among the alloys"
        needed = [
            (one.thing.name, f"{one.rise.mean:+.{digits}f} ± {one.rise.std:.{digits}f}") for one in model.importances
        ]
        yield from _indented(table_lines(("what", f"error rises by [{sign}]"), needed, width))
    if model.relevances:
        yield "\n  What it attends to, of all that it sees"
        told = list(model.relevances.items())
        seen = [(feature, f"{share:.0%}") for feature, share in told[:MOST_FEATURES]]
        if rest := told[MOST_FEATURES:]:
            seen.append((f"{len(rest)} others", f"{sum(share for _, share in rest):.0%}"))
        yield from _indented(table_lines(("feature", "share"), seen, width))
    if model.moves is not None:
        yield from _moves_lines(snapshot, model.moves, sign, digits, width)
    if model.effects:
        paying = f", {snapshot.space.elements[-1]} taking the remainder" if snapshot.space.elements else ""
        yield f"\n  What each does, one at a time, from {model.base}{paying}"
        rows = [_effect_row(snapshot, effect, digits) for effect in model.effects]
        columns = ("vary", "from", "to", f"expected [{sign}]", "lowest", "highest", "outside the data")
        yield from _indented(table_lines(columns, rows, width))
    yield from averages_lines(snapshot, model.rules, name)
    yield from _outlier_lines(snapshot, model, sign, digits, width)
    yield ""


def _moves_lines(snapshot: Snapshot, moved: Moves, sign: str, digits: int, width: int | None) -> Iterator[str]:
    head = f"moves it by [{sign}]"
    if moved.things:
        yield f"\n  How far each moves what is expected of {moved.n_rows} of the rows from their mean (Shapley values)"
        rows = moves_rows(snapshot, moved.things, MOST_FEATURES, digits)
        yield from _indented(table_lines(("what", head), rows, width))
    yield "\n  The same by the features that the model sees (SHAP values)"
    rows = moves_rows(snapshot, moved.features, MOST_FEATURES, digits)
    yield from _indented(table_lines(("feature", head), rows, width))


def _effect_row(snapshot: Snapshot, effect: Effect, digits: int) -> tuple[str, ...]:
    sign, mean = unit(snapshot, effect.thing), effect.prediction.mean
    values = [_text(value) for value in effect.values.tolist()]
    told = rounded(digits, *mean.tolist())
    at = [f"{told[i]} at {values[i]}" for i in (int(np.argmin(mean)), int(np.argmax(mean)))]
    name = words_and_unit(effect.thing.name)[0] if sign and effect.thing.kind != "element" else effect.thing.name
    return (
        f"{name} [{sign}]" if sign else name,
        values[0],
        values[-1],
        f"{told[0]} → {told[-1]}",
        *at,
        _stretches(values, ~effect.inside, numbers=effect.values.dtype != object),
    )


def _stretches(values: Sequence[str], chosen: NDArray[np.bool_], *, numbers: bool) -> str:
    """The stretches of a range that are chosen, in words."""
    if not chosen.any():
        return "nowhere"
    if chosen.all():
        return "everywhere"
    if not numbers:
        return ", ".join(value for value, is_chosen in zip(values, chosen, strict=True) if is_chosen)
    padded = np.concatenate([[False], chosen, [False]])
    edges: list[int] = np.flatnonzero(padded[1:] != padded[:-1]).tolist()
    stretches = zip(edges[::2], (stop - 1 for stop in edges[1::2]), strict=True)
    return ", ".join(values[a] if a == b else f"{values[a]} to {values[b]}" for a, b in stretches)


def _outlier_lines(snapshot: Snapshot, model: Model, sign: str, digits: int, width: int | None) -> Iterator[str]:
    evidence = model.belief.evidence
    if not model.outliers:
        yield "\n  No row disagrees with the others by more than measurements do."
        return
    yield "\n  Check these rows: each disagrees with what all others say of it"
    rows = []
    for one in model.outliers:
        id = str(evidence.ids[one.row])
        rows.append(
            (
                id,
                snapshot.name(snapshot.table.row(id)),
                str(evidence.sources[one.row]),
                f"{evidence.values[one.row]:.6g}",
                f"{one.believed:.{digits}f} ± {one.std:.{digits}f}",
                f"{abs(one.deviations):.1f} std {'above' if one.deviations > 0 else 'below'}"
                + (", discounted" if one.is_discounted else ""),
            )
        )
    columns = ("row", "alloy", "source", f"measured [{sign}]", "expected without it", "off by")
    yield from _indented(table_lines(columns, rows, width))


def _decision_lines(past: PastRound | None, id: str) -> Iterator[str]:
    if past is None:
        return
    told = _decision(past, id)
    if told is None:
        yield f"  Round {past.number} made it; nothing else is kept of that choice."
        return
    yield f"  Round {past.number} chose it: {told['why'] or 'no reason is kept.'}"
    if past.acquisition:
        yield f"  By {past.acquisition}."
    if past.proposals[id].beyond:
        yield f"  {past.proposals[id].beyond}"
    if told["runner_ups"]:
        yield f"  Next in line were {', '.join(map(str, told['runner_ups'][:N_NEIGHBOURS]))}."


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"    {line}".rstrip() for line in lines)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
