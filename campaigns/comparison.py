"""What `alloyloop compare` answers: scores of every model, what to take, how sure that is, and what not to believe."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, isnan
from typing import TypeAlias

import numpy as np

from ..design.beliefs import Evidence, sources_of
from ..design.comparing import Judged, JudgedClasses, mean_advantage
from ..surrogates.base import FloatArray
from ..surrogates.explain import Tuned
from ..surrogates.html_tables import html_notes, html_table
from .answers import Json
from .printing import table_lines
from .wording import words_and_unit

BY_SOURCE, RANDOM = "by_source", "random"
WORDS = {BY_SOURCE: "whole sources left out", RANDOM: "rows left out by lot"}
AUTO, MEAN, FREQUENCIES = "auto", "mean", "class frequencies"
NO_PROCESS = ", no process"
# A difference of more than so many of its standard deviations is not taken for chance.
SURE = 2.0
# Intervals that are to hold 90 % and hold fewer held-out rows than this are said to be too narrow.
LEAST_HELD = 0.8

Repeats: TypeAlias = Mapping[str, Sequence[Judged]]  # way → what came of each repeat


@dataclass(frozen=True, slots=True)
class Score:
    """One score of one model.

    Parameters
    ----------
    mean : over the repeats, on rows that the model had not seen; NaN where it is not defined
    std : over the repeats; NaN where there is only one
    train : of the same models on their own training rows, the mean over repeats and folds
    """

    mean: float
    std: float
    train: float

    @classmethod
    def of(cls, held_out: Sequence[float], train: Sequence[float]) -> Score:
        """Sum up the repeats.

        Examples
        --------
        >>> Score.of([9.0, 11.0], [3.0, 4.0])
        Score(mean=10.0, std=1.4142135623730951, train=3.5)
        """
        std = float(np.std(held_out, ddof=1)) if len(held_out) > 1 else float("nan")
        return cls(float(np.mean(held_out)), std, float(np.mean(train)))

    def json(self) -> Json:
        """As in `--json`; what is not defined is null."""
        numbers = {"mean": self.mean, "std": self.std, "train": self.train}
        return {name: value if isfinite(value) else None for name, value in numbers.items()}

    def __str__(self) -> str:
        return f"{self.mean:.4g}" + ("" if isnan(self.std) else f" ± {self.std:.2g}")


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """How all models did on one property.

    Parameters
    ----------
    evidence : what there was to learn from
    repeats : model → way of leaving out → what came of each repeat
    takeable : the models that campaign.yaml could name; the others are baselines and ablations
    seed : of the draws by which a difference is judged
    """

    evidence: Evidence
    repeats: Mapping[str, Repeats]
    takeable: frozenset[str]
    seed: int = 0

    @property
    def unit(self) -> str:
        """Of the property, with a space before it; empty where its name holds none."""
        unit = words_and_unit(self.evidence.property)[1]
        return f" {unit}" if unit else ""

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways in which rows were left out, the one to decide by first."""
        done = {way for ways in self.repeats.values() for way in ways}
        return tuple(way for way in WORDS if way in done)

    def scores(self, name: str, way: str) -> dict[str, Score]:
        """Scores of one model by their names; none where it was not judged in this way."""
        done = self.repeats[name].get(way, ())
        held_out = [one.held_out.scores for one in done]
        keys = held_out[0] if held_out else ()
        return {key: Score.of([one[key] for one in held_out], [one.train[key] for one in done]) for key in keys}

    @property
    def ranked(self) -> tuple[str, ...]:
        """The models by their error in the way to decide by, the best first."""
        way = self.ways[0]
        errors = {name: self.scores(name, way)["rmse"].mean for name, ways in self.repeats.items() if way in ways}
        return tuple(sorted(errors, key=errors.__getitem__))

    @property
    def best(self) -> str | None:
        """The model that errs least; None where nothing that could be taken was judged."""
        return next((name for name in self.ranked if name in self.takeable), None)

    def advantage(self, name: str, other: str) -> tuple[float, float]:
        """How much larger the error of another model is, and the standard deviation of that, were other data measured.

        On the repeats that both have; sources are drawn again where there are any, and else rows.
        """
        from ..surrogates.scores import advantage

        way = self.ways[0]
        pairs = list(zip(self.repeats[name][way], self.repeats[other][way], strict=False))
        errors, others = (np.mean([_squares(pair[i]) for pair in pairs], axis=0) for i in (0, 1))
        groups = sources_of(self.evidence)[pairs[0][0].rows]
        return advantage(errors, others, groups, np.random.default_rng(self.seed))

    def tuned(self, name: str) -> tuple[Tuned, int, int] | None:
        """What one model chose for itself most often, in how many folds, and of how many; in the way to decide by."""
        done = [tuned for one in self.repeats[name].get(self.ways[0], ()) for tuned in one.tuned if tuned is not None]
        if not done:
            return None
        ((words, n),) = Counter(tuned.words for tuned in done).most_common(1)
        return next(tuned for tuned in done if tuned.words == words), n, len(done)

    def sentences(self) -> Iterator[str]:
        """What to take and how sure that is; how far training scores flatter it; what else may mislead."""
        best = self.best
        if best is None:
            return
        yield self._verdict(best)
        yield from self._doubts(best)

    def _verdict(self, best: str) -> str:
        way, unit = self.ways[0], self.unit
        drawn = "sources" if way == BY_SOURCE else "rows"
        error = f"{self.scores(best, way)['rmse'].mean:.3g}{unit} (RMSE, {WORDS[way]})"
        if MEAN in self.ranked:
            more, spread = self.advantage(best, MEAN)
            if more <= SURE * spread:
                mean = self.scores(MEAN, way)["rmse"].mean
                return (
                    f"No model is surely better than the mean of all rows, which errs {mean:.3g}{unit}: "
                    f"the best, {best}, errs {error}."
                )
        other = next((name for name in self.ranked if name in self.takeable - {best}), None)
        if other is None:
            return f"{best} errs {error}, and no other model was compared."
        more, spread = self.advantage(best, other)
        sure = "that is more than chance" if more > SURE * spread else "that may be chance"
        return (
            f"Take {best}: it errs {error}. The next, {other}, errs {more:.2g} ± {spread:.2g}{unit} more, had other "
            f"{drawn} been measured: {sure}."
        )

    def _doubts(self, best: str) -> Iterator[str]:
        way, unit = self.ways[0], self.unit
        scores = self.scores(best, way)
        train, held = scores["rmse"].train, scores["coverage90"].mean
        for name in self.ranked[: self.ranked.index(best)]:
            if name != MEAN and not name.endswith(NO_PROCESS):
                yield f"A {name} errs less, {self.scores(name, way)['rmse'].mean:.3g}{unit}."
        share = train / scores["rmse"].mean if scores["rmse"].mean > 0 else 1.0
        yield f"On its own training rows it errs {train:.3g}{unit}, {share:.0%} of that: do not report such a number."
        surprise = {name: self.scores(name, way)["nll"].mean for name in self.ranked if name in self.takeable}
        likeliest = min(surprise, key=surprise.__getitem__)
        if likeliest != best:
            yield (
                f"{likeliest} makes the values left out likeliest (NLL {surprise[likeliest]:.3g} against "
                f"{surprise[best]:.3g}), by which auto chooses."
            )
        by_lot = self.scores(best, RANDOM).get("rmse")
        if way == BY_SOURCE and by_lot is not None:
            yield f"With rows left out by lot, as most papers do, it errs {by_lot.mean:.3g}{unit}."
        without = self.scores(best + NO_PROCESS, way) if best + NO_PROCESS in self.repeats else {}
        if without:
            yield f"Without the process columns it errs {without['rmse'].mean:.3g}{unit}."
        if held < LEAST_HELD:
            yield f"Its 90 % intervals hold only {held:.0%} of the values left out: take them as too narrow."
        if chosen := self.tuned(best):
            tuned, n, of = chosen
            yield f"It chose {tuned.words} in {n} of {of} folds."
        if best == AUTO:
            taken = Counter(option for one in self.repeats[best][way] for option in one.taken)
            yield "It took " + ", ".join(f"{name} {n}×" for name, n in taken.most_common()) + "."

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Column names and rows of text, the best first: scores in the way to decide by, and the error in the other."""
        way, other = self.ways[0], self.ways[-1]
        columns = ["model", f"RMSE [{self.unit.strip()}]" if self.unit else "RMSE", "in training"]
        columns += ["MAE", "R²", "NLL", "in 90 %", "width"]
        columns += ["RMSE by lot"] if other != way else []
        rows = []
        for name in self.ranked:
            of = self.scores(name, way)
            row = [name, str(of["rmse"]), f"{of['rmse'].train:.4g}", f"{of['mae'].mean:.4g}", f"{of['r2'].mean:.2f}"]
            row += [f"{of['nll'].mean:.3g}", f"{of['coverage90'].mean:.0%}", f"{of['sharpness'].mean:.4g}"]
            if other != way:
                by_lot = self.scores(name, other).get("rmse")
                row.append("" if by_lot is None else str(by_lot))
            rows.append(row)
        return columns, rows

    def lines(self, width: int | None = None) -> Iterator[str]:
        """As a person wants to see it on a terminal of some width: the table, and what follows from it."""
        sources = np.unique(self.evidence.sources[self.evidence.sources != ""])
        of = f" of {len(sources)} sources" if len(sources) else ""
        yield f"{self.evidence.property}: {self.evidence.exact.sum()} values{of}, {WORDS[self.ways[0]]}"
        yield from table_lines(*self.table(), width)
        yield from self.sentences()

    def json(self) -> dict[str, Json]:
        """Scores by model and way, as in `--json`."""
        return {
            name: {way: {key: of.json() for key, of in self.scores(name, way).items()} for way in ways}
            for name, ways in self.repeats.items()
        }


def _squares(one: Judged) -> FloatArray:
    """Squared errors (n,)."""
    return np.asarray((one.held_out.y - one.held_out.mean) ** 2)


@dataclass(frozen=True, slots=True, eq=False)
class ClassComparison:
    """How all classifiers did on one property that has classes.

    Parameters
    ----------
    evidence : what there was to learn from
    labels : the k classes
    repeats : model → way of leaving out → what came of each repeat
    """

    evidence: Evidence
    labels: tuple[str, ...]
    repeats: Mapping[str, Mapping[str, Sequence[JudgedClasses]]]

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways in which rows were left out, the one to decide by first."""
        done = {way for ways in self.repeats.values() for way in ways}
        return tuple(way for way in WORDS if way in done)

    def scores(self, name: str, way: str) -> dict[str, Score]:
        """Scores of one model by their names; none where it was not judged in this way."""
        done = self.repeats[name].get(way, ())
        keys = done[0].scores if done else ()
        return {key: Score.of([one.scores[key] for one in done], [one.train[key] for one in done]) for key in keys}

    @property
    def ranked(self) -> tuple[str, ...]:
        """The models by their log loss in the way to decide by, the best first."""
        way = self.ways[0]
        losses = {name: self.scores(name, way)["log_loss"].mean for name, ways in self.repeats.items() if way in ways}
        return tuple(sorted(losses, key=losses.__getitem__))

    @property
    def best(self) -> str | None:
        """The model that makes the classes of rows left out likeliest; None where only frequencies were judged."""
        return next((name for name in self.ranked if name != FREQUENCIES), None)

    def advantage(self, name: str, other: str) -> tuple[float, float]:
        """How much larger the log loss of another model is, and the standard error of that, were other data measured.

        On the repeats that both have; rows of one source err together.
        """
        way = self.ways[0]
        pairs = list(zip(self.repeats[name][way], self.repeats[other][way], strict=False))
        losses, others = (np.mean([pair[i].losses for pair in pairs], axis=0) for i in (0, 1))
        return mean_advantage(losses, others, sources_of(self.evidence)[pairs[0][0].rows])

    def sentences(self) -> Iterator[str]:
        """What to take and how sure that is, and how far training scores flatter it."""
        best, way = self.best, self.ways[0]
        if best is None:
            return
        of = self.scores(best, way)
        told = f"log loss {of['log_loss'].mean:.3g}, right for {of['accuracy'].mean:.0%} of the rows, {WORDS[way]}"
        if FREQUENCIES in self.ranked:
            more, error = self.advantage(best, FREQUENCIES)
            by_count = self.scores(FREQUENCIES, way)
            count = f"log loss {by_count['log_loss'].mean:.3g}, right for {by_count['accuracy'].mean:.0%}"
            if more <= SURE * error:
                yield f"No classifier is surely better than class frequencies ({count}): the best, {best}, has {told}."
                return
            told += f"; by their frequencies alone {count}"
        yield f"Take {best}: {told}."
        other = next((name for name in self.ranked if name not in (best, FREQUENCIES)), None)
        if other is not None:
            more, error = self.advantage(best, other)
            sure = "that is more than chance" if more > SURE * error else "that may be chance"
            yield f"The log loss of the next, {other}, is {more:.2g} ± {error:.2g} larger: {sure}."
        yield (
            f"Its log loss is {of['log_loss'].train:.3g} on its own training rows, where it is right for "
            f"{of['accuracy'].train:.0%} of them: do not report such numbers."
        )

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Column names and rows of text, the best first: scores in the way to decide by, and the loss in the other."""
        way, other = self.ways[0], self.ways[-1]
        columns = ["model", "log loss", "in training", "right", "in training", "recall", "AUC"]
        columns += ["log loss by lot"] if other != way else []
        rows = []
        for name in self.ranked:
            of = self.scores(name, way)
            row = [name, str(of["log_loss"]), f"{of['log_loss'].train:.4g}", f"{of['accuracy'].mean:.0%}"]
            row += [f"{of['accuracy'].train:.0%}", f"{of['recall'].mean:.0%}", f"{of['auc'].mean:.2f}"]
            if other != way:
                by_lot = self.scores(name, other).get("log_loss")
                row.append("" if by_lot is None else str(by_lot))
            rows.append(row)
        return columns, rows

    def json(self) -> dict[str, Json]:
        """Scores by model and way, as in `--json`; a confusion is {class: {taken for: number of rows}}."""
        return {
            name: {way: self._way_json(name, way, done) for way, done in ways.items()}
            for name, ways in self.repeats.items()
        }

    def _way_json(self, name: str, way: str, done: Sequence[JudgedClasses]) -> Json:
        confusions = np.array([one.confusion for one in done])
        told: Json = {key: of.json() for key, of in self.scores(name, way).items()}
        told["confusion"] = {
            "mean": self._counts(confusions.mean(axis=0)),
            "std": self._counts(confusions.std(axis=0, ddof=1)) if len(done) > 1 else None,
            "train": self._counts(np.mean([one.train_confusion for one in done], axis=0)),
        }
        return told

    def _counts(self, confusion: FloatArray) -> Json:
        rows = (dict(zip(self.labels, row, strict=True)) for row in confusion.tolist())
        return dict(zip(self.labels, rows, strict=True))

    def lines(self, width: int | None = None) -> Iterator[str]:
        """As a person wants to see it on a terminal of some width: the table, and what follows from it."""
        sources = np.unique(self.evidence.sources[self.evidence.sources != ""])
        of = f" of {len(sources)} sources" if len(sources) else ""
        yield f"{self.evidence.property}: {len(self.evidence)} rows{of}, {WORDS[self.ways[0]]}"
        yield from table_lines(*self.table(), width)
        yield from self.sentences()


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """How all models did on all properties; shows itself as tables in a notebook.

    Parameters
    ----------
    of : by property
    classes : by property of classes
    remarks : what was left out, and why
    """

    of: Mapping[str, Comparison]
    classes: Mapping[str, ClassComparison] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def _every(self) -> dict[str, Comparison | ClassComparison]:
        return {**self.of, **self.classes}

    def json(self) -> Json:
        """As in `--json` (the manual's keys)."""
        models: dict[str, Json] = {}
        for name, comparison in self._every.items():
            for model, ways in comparison.json().items():
                models.setdefault(model, {})[name] = ways
        tuned: dict[str, dict[str, Json]] = {}
        for name, comparison in self.of.items():
            for model in comparison.repeats:
                if chosen := comparison.tuned(model):
                    told, n, of = chosen
                    tuned.setdefault(model, {})[name] = {"settings": dict(told.settings), "folds": n, "of": of}
        return {
            "models": models,
            "tuned": tuned,
            "best": {name: comparison.best for name, comparison in self._every.items()},
            "verdict": {name: " ".join(comparison.sentences()) for name, comparison in self._every.items()},
            "remarks": list(self.remarks),
        }

    def lines(self, width: int | None = None) -> Iterator[str]:
        """As a person wants to see it on a terminal of some width."""
        for comparison in self._every.values():
            yield from comparison.lines(width)
            yield ""
        yield from (f"Remark: {remark}" for remark in self.remarks)

    def _repr_html_(self) -> str:
        parts = []
        for name, comparison in self._every.items():
            said = html.escape(" ".join(comparison.sentences()))
            parts.append(f"{html_table(*comparison.table(), name)}<p>{said}</p>")
        return "".join(parts) + html_notes(self.remarks)
