"""What a backtest answers: how soon each strategy found what is good, as a table, a sentence and the manual's keys."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil, inf, isfinite
from typing import TypeAlias

import numpy as np

from ..design.chance import best_by_chance, chance_to_find, mean_best_by_chance, melts_by_chance
from ..design.diagram import IntArray
from ..design.goals import Is, Match, Within, in_words
from ..design.replay import Replayed, Score, best_so_far, hypervolumes, score, top
from ..surrogates.base import FloatArray
from .answers import Json
from .pool_oracle import SYNTHETIC
from .pools import Pool
from .printing import table_lines
from .reading import counted, listed
from .wording import words_and_unit

# The shares of the top of a pool that are counted.
HALF, MOST = 0.5, 0.9
QUARTILES = (0.25, 0.5, 0.75)
# Random orders by which random choice is judged where there is no closed form: of the hypervolume of several goals.
N_ORDERS = 50
WORDS = {
    "melts_to_best": "melts to the best",
    "melts_to_half": "to half of the top",
    "melts_to_top": "to 90 % of it",
    "acceleration": "acceleration",
    "enhancement": "enhancement",
    "hypervolume": "hypervolume",
    "stopped": "would stop after",
}
MELTS = ("melts_to_best", "melts_to_half", "melts_to_top", "stopped")

Name: TypeAlias = str
"""Of a strategy."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What every strategy was given.

    Parameters
    ----------
    strategies : their names
    start : how many random alloys each run begins with, the same for every strategy
    batch : how many are chosen at a time
    budget : how many are made in all, those of the start counted
    seeds : how many runs
    noisy : whether strategies saw one random measurement of each alloy, and not the mean
    """

    strategies: tuple[Name, ...]
    start: int
    batch: int
    budget: int
    seeds: int
    noisy: bool = False

    @property
    def words(self) -> str:
        """The plan in a sentence."""
        each = "one at a time" if self.batch == 1 else f"{self.batch} at a time"
        seen = ", each seen as one random measurement of it" if self.noisy else ""
        return (
            f"{counted(self.seeds, 'run')} of each strategy: {counted(self.start, 'random alloy')} to start, then "
            f"{each} up to {self.budget} melts{seen}."
        )


@dataclass(frozen=True, slots=True)
class Spread:
    """A number over the runs of a strategy.

    Parameters
    ----------
    median, q25, q75 : infinite where so many runs never got there
    reached : share of the runs that got there
    """

    median: float
    q25: float
    q75: float
    reached: float

    @staticmethod
    def of_melts(melts: Sequence[int | None]) -> Spread:
        """Of numbers of melts, None where a run never got there.

        A quantile is the least number of melts that did for so many of the runs.
        """
        values = np.array([inf if each is None else each for each in melts], dtype=np.float64)
        low, middle, high = np.quantile(values, QUARTILES, method="inverted_cdf").tolist()
        return Spread(middle, low, high, float(np.isfinite(values).mean()))

    @staticmethod
    def of_figures(values: FloatArray, reached: float) -> Spread:
        """Of numbers that every run has."""
        low, middle, high = np.quantile(values, QUARTILES).tolist()
        return Spread(middle, low, high, reached)

    def json(self) -> Json:
        """As in `--json`; null where it is infinite."""
        numbers = {"median": self.median, "q25": self.q25, "q75": self.q75}
        return {name: value if isfinite(value) else None for name, value in numbers.items()} | {"reached": self.reached}


@dataclass(frozen=True, eq=False)
class Backtested:
    """What a backtest answers.

    Parameters
    ----------
    pools : one for each seed; the same for all where a table was replayed
    plan : what every strategy was given
    runs : by strategy, what it would have made in each run
    synthetic : whether a model stands in for the table
    remarks : what should be known about it
    """

    pools: tuple[Pool, ...]
    plan: Plan
    runs: Mapping[Name, tuple[Replayed, ...]]
    synthetic: bool
    remarks: tuple[str, ...]

    @property
    def pool(self) -> Pool:
        """The candidates of the first run."""
        return self.pools[0]

    @property
    def has_volume(self) -> bool:
        """Whether several goals are pursued that nothing weighs, so that it is the hypervolume that counts."""
        return not self.pool.is_by_one

    @cached_property
    def spreads(self) -> dict[Name, dict[str, Spread]]:
        """By strategy, its figures by the manual's keys."""
        return {name: self._spreads(name, runs) for name, runs in self.runs.items()}

    @cached_property
    def traces(self) -> dict[Name, FloatArray]:
        """By strategy, (n_runs, budget) what was reached after each melt; see `reached_by`."""
        return {
            name: np.array([reached_by(pool, run.order) for pool, run in zip(self.pools, runs, strict=True)])
            for name, runs in self.runs.items()
        }

    @cached_property
    def chance(self) -> Chance:
        """What random choice finds of the pool; of the first, where each run has its own."""
        return Chance.of(self.pool, self.plan.budget)

    def _spreads(self, name: Name, runs: Sequence[Replayed]) -> dict[str, Spread]:
        scores = [score(run.order, pool.heights) for pool, run in zip(self.pools, runs, strict=True)]
        got_to_half = float(np.mean([each.melts_to_half is not None for each in scores]))

        def figures(of: str) -> Spread:
            return Spread.of_figures(np.array([getattr(each, of) for each in scores]), got_to_half)

        spreads = {of: Spread.of_melts([_melts(each, of) for each in scores]) for of in MELTS[:3]}
        spreads |= {of: figures(of) for of in ("acceleration", "enhancement")}
        if self.has_volume:
            reached = self.traces[name][:, -1]
            spreads["hypervolume"] = Spread.of_figures(reached, float(np.mean(reached > 1 - 1e-9)))
        return {**spreads, "stopped": Spread.of_melts([run.stopped for run in runs])}

    @property
    def goal(self) -> str:
        """What was wanted, in words."""
        snapshot = self.pool.snapshot
        limited = {**snapshot.goals, **snapshot.class_goals}
        wanted = [f"{name} {goal.words}" for name, goal in self.pool.goals.items()]
        return listed([*wanted, *(in_words(n, goal) for n, goal in limited.items() if isinstance(goal, Within | Is))])

    @property
    def best(self) -> str:
        """The best alloy of the pool with what is pursued of it, or how many share the Pareto front."""
        heights, pool = self.pool.heights, self.pool
        if self.has_volume:
            return f"{counted(int((heights == 0).sum()), 'alloy')} on the Pareto front"
        row = int(np.argmax(heights))
        values = [_said(pool, name, row) for name in pool.goals]
        return f"{pool.names[row]} ({', '.join(values)})"

    @property
    def sentence(self) -> str:
        """What the first strategy would have saved."""
        name, seeds, budget = self.plan.strategies[0], self.plan.seeds, self.plan.budget
        data = f"With a model of this data ({SYNTHETIC})" if self.synthetic else "With this data"
        if self.has_volume:
            share, by_chance = self.spreads[name]["hypervolume"].median, self.chance.median[-1]
            what = f"{counted(len(self.pool), 'design' if self.synthetic else 'alloy')}"
            return (
                f"{data}, {name} would have had {share:.0%} of the hypervolume of all {what} after {budget} melts "
                f"(median; random: {by_chance:.0%})."
            )
        best = "the best design" if self.synthetic else "an alloy at least as good as your best"
        found = self.spreads[name]["melts_to_best"]
        if isfinite(found.median):
            return (
                f"{data}, {name} would have found {best} after {found.median:.0f} melts (median; random: "
                f"{self.chance.melts_to_best.median:.0f})."
            )
        return (
            f"{data}, {name} would have found {best} within {budget} melts in {round(found.reached * seeds)} of "
            f"{counted(seeds, 'run')} (random: in {self.chance.found_best:.0%} of them)."
        )

    def json(self) -> Json:
        """As in `--json` (the manual's keys)."""
        pool, plan, chance = self.pool, self.plan, self.chance
        return {
            "sentence": self.sentence,
            "synthetic": self.synthetic,
            "pool": {
                "candidates": len(pool),
                "allowed": int(pool.allowed.sum()),
                "top": int(top(pool.heights).sum()),
                "best": self.best,
                "goals": self.goal,
            },
            "start": plan.start,
            "batch": plan.batch,
            "budget": plan.budget,
            "seeds": plan.seeds,
            "noisy": plan.noisy,
            "strategies": {
                name: {of: spread.json() for of, spread in spreads.items()}
                | {"traces": [_told(self.in_unit(trace)) for trace in self.traces[name]]}
                for name, spreads in self.spreads.items()
            },
            "random": {
                **{of: getattr(chance, of).json() for of in MELTS[:3]},
                "median": _told(self.in_unit(chance.median)),
                "mean": None if chance.mean is None else _told(self.in_unit(chance.mean)),
            },
            "remarks": list(self.remarks),
        }

    def lines(self, width: int | None = None) -> Iterator[str]:
        """As a person wants to see it on a terminal of some width."""
        pool = self.pool
        what = counted(len(pool), "candidate") if not self.synthetic else f"{len(pool)} SYNTHETIC candidates"
        yield f"{what}, of which {int(top(pool.heights).sum())} are the top: {self.goal}."
        yield f"The best: {self.best}."
        yield f"{self.plan.words}\n"
        keys = list(next(iter(self.spreads.values())))
        yield from table_lines(("strategy", *(WORDS[key] for key in keys)), list(self._rows(keys)), width)
        yield f"\nMedians over the runs, and between what half of them lie. {self._about_top}"
        if any(spreads["acceleration"].reached < 1 for spreads in self.spreads.values()):
            yield "* Some runs had not found half of the top in the end: counted there."
        yield f"\n{self.sentence}"
        yield from (f"\nRemark: {remark}" for remark in self.remarks)

    @property
    def _about_top(self) -> str:
        fronts = ", by Pareto fronts; the best is any alloy on the first" if self.has_volume else ""
        return f"The top is the best 5 %{fronts}."

    def _rows(self, keys: Sequence[str]) -> Iterator[tuple[str, ...]]:
        for name, spreads in self.spreads.items():
            yield (name, *(_cell(key, spreads[key], self.plan) for key in keys))
        chance = {key: _cell(key, getattr(self.chance, key), self.plan) for key in MELTS[:3]}
        chance |= {"acceleration": "1", "enhancement": "1", "hypervolume": f"{self.chance.median[-1]:.0%}"}
        yield ("chance, exact", *(chance.get(key, "") for key in keys))

    def in_unit(self, reached: FloatArray) -> FloatArray:
        """What was reached, in the property's own unit where it is one property."""
        if len(self.pool.goals) > 1:
            return reached
        (goal,) = self.pool.goals.values()
        return -reached if isinstance(goal, Match) else goal.sign * reached

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.sentence)}</p><pre>{html.escape(chr(10).join(self.lines()))}</pre>"


@dataclass(frozen=True, slots=True, eq=False)
class Chance:
    """What choosing at random finds of a pool.

    Parameters
    ----------
    melts_to_best, melts_to_half, melts_to_top : in closed form, by quantiles of what chance does; it always gets there
    found_best : probability that the best is found within the budget
    median : (budget,) of what is reached after each melt, see `reached_by`
    mean : (budget,) likewise; None where some candidates are not allowed, and of several goals
    """

    melts_to_best: Spread
    melts_to_half: Spread
    melts_to_top: Spread
    found_best: float
    median: FloatArray
    mean: FloatArray | None

    @staticmethod
    def of(pool: Pool, budget: int) -> Chance:
        """What it finds of a pool within a budget."""
        heights = pool.heights
        n, n_top, n_best = len(pool), int(top(heights).sum()), int((heights == heights.max()).sum())

        def melts(n_wanted: int, found: int) -> Spread:
            low, middle, high = (melts_by_chance(n, n_wanted, found, share) for share in QUARTILES)
            return Spread(middle, low, high, 1.0)

        mean = None
        if pool.is_by_one:
            median = best_by_chance(heights, budget)
            mean = mean_best_by_chance(heights, budget) if pool.allowed.all() else None
        else:
            rng = np.random.default_rng(0)
            median = np.median([reached_by(pool, rng.permutation(n)[:budget]) for _ in range(N_ORDERS)], axis=0)
        return Chance(
            melts(n_best, 1),
            melts(n_top, ceil(HALF * n_top)),
            melts(n_top, ceil(MOST * n_top)),
            float(chance_to_find(n, n_best, 1)[budget]),
            median,
            mean,
        )


def reached_by(pool: Pool, order: IntArray) -> FloatArray:
    """What is reached after each melt: the best height so far; of several goals the share of the hypervolume. (n_made,)

    The height is -inf as long as nothing that is allowed was made.
    """
    if pool.is_by_one:
        return best_so_far(order, pool.heights)
    return hypervolumes(order, pool.objectives, pool.allowed, pool.reference)


def _melts(one: Score, of: str) -> int | None:
    melts: int | None = getattr(one, of)
    return melts


def _said(pool: Pool, name: str, row: int) -> str:
    """A property of a candidate with its unit."""
    found = pool.evidence.get(name)
    value = found.values[row] if found is not None else pool.snapshot.computed[name].of(pool.alloys)[row]
    words, unit = words_and_unit(name)
    return f"{words} {value:.5g}{f' {unit}' if unit else ''}"


def _cell(key: str, spread: Spread, plan: Plan) -> str:
    """A number over runs as a cell: `14 (9 to >60), 14 of 20`."""
    if key in MELTS:
        if not spread.reached:
            return "never"
        low, middle, high = (
            f"{value:.0f}" if isfinite(value) else f">{plan.budget}"
            for value in (spread.q25, spread.median, spread.q75)
        )
        some = f", {round(spread.reached * plan.seeds)} of {plan.seeds}" if spread.reached < 1 else ""
        return f"{middle} ({low} to {high}){some}"
    if key == "hypervolume":
        return f"{spread.median:.0%} ({spread.q25:.0%} to {spread.q75:.0%})"
    mark = "*" if spread.reached < 1 else ""
    return f"{spread.median:.3g} ({spread.q25:.3g} to {spread.q75:.3g}){mark}"


def _told(values: FloatArray) -> list[float | None]:
    """Numbers as JSON has them, to ten digits; null where there is none yet."""
    return [float(f"{value:.10g}") if isfinite(value) else None for value in values.tolist()]
