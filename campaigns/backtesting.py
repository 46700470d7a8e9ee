"""`alloyloop backtest`: had this been used from the start, how many melts would it have saved."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypeAlias

import numpy as np

from ..design.replay import Replayed, replay, starts
from ..surrogates.errors import AlloyloopError
from .backtested import Backtested, Plan
from .engines import each_done, hired
from .files import read_text, write_cache
from .journal import digest
from .pool_oracle import SYNTHETIC, oracle_pools
from .pools import Fixed, Pool, pool_of, travelling
from .reading import counted
from .screening import StoppedError
from .snapshot import Snapshot
from .strategies import RANDOM, strategy
from .wanting import Held, fixed_of

STRATEGIES = ("auto", "gaussian-process", "forest", "greedy", "random")
BUDGET = 60
# Of fewer candidates the top 5 % is one alloy, and half of it is found by a budget that any laboratory has.
LEAST_CANDIDATES = 30
# From fewer rows no model is learned that could stand in for the table.
LEAST_LEARNED = 8
MOST_SEEDS = 10_000
# What a run of another version may not be taken for.
PACKAGES = ("alloyloop", "numpy", "scipy", "scikit-learn")

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how many runs are done, and of how many."""
_Task: TypeAlias = tuple[str, int]
"""A strategy by name, and a seed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user asks.

    Parameters
    ----------
    strategies : names; see `strategy`
    start : how many random alloys each run begins with
    batch : how many are chosen at a time; as campaign.yaml says where None
    budget : how many are made in all, those of the start counted; `BUDGET`, or all there are, where None
    seeds : how many runs of each strategy
    noisy : whether strategies see one random measurement of each alloy, and not the mean of its repeats
    oracle : whether a model stands in for the table although it has candidates enough
    fix : what is held, see `fixed_of`: only rows that fit are candidates
    """

    strategies: tuple[str, ...] = STRATEGIES
    start: int = 5
    batch: int | None = None
    budget: int | None = None
    seeds: int = 20
    noisy: bool = False
    oracle: bool = False
    fix: Held = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Question:
    """What all runs have in common.

    Parameters
    ----------
    pools : one for each seed
    plan : what every strategy is given
    """

    pools: tuple[Pool, ...]
    plan: Plan


def backtest(
    snapshot: Snapshot,
    asked: Asked | None = None,
    *,
    whole_table: bool = False,
    cache: Path | None = None,
    resume: bool = False,
    workers: int | None = None,
    cluster: str | None = None,
    progress: Progress = lambda done, of: None,
) -> Backtested:
    """Replay a table as a laboratory, and see how soon each strategy would have found what is good in it.

    Parameters
    ----------
    snapshot : a campaign, or a table as one
    asked : the question
    whole_table : see `pool_of`
    cache : a folder in which finished runs are kept until all are; the campaign's where None
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
    asked = asked or Asked()
    crew, snapshot = hired(workers, cluster), travelling(snapshot)
    question, synthetic, remarks = _question(snapshot, asked, whole_table=whole_table)
    plan = question.plan
    kept = _Kept((cache or snapshot.folder.cache) / "backtests" / f"{_digest(question)[:16]}.json")
    tasks = [(name, seed) for seed in range(plan.seeds) for name in plan.strategies]
    found = kept.read(question) if resume else {}
    done = {task: found[task] for task in tasks if task in found}
    left, n_tasks = [task for task in tasks if task not in done], len(tasks)
    kept.write(done)
    try:
        if left and set(plan.strategies) != {RANDOM}:
            _compute_phases(question)
        with crew as client:
            progress(len(done), n_tasks)
            for task, run in each_done(client, _run, question, left):
                done[task] = run
                kept.write(done)
                progress(len(done), n_tasks)
    except KeyboardInterrupt:
        how = "The same command with --resume goes on." if kept.path.exists() else "Nothing could be kept on the disk."
        raise StoppedError(f"Stopped after {len(done)} of {counted(n_tasks, 'run')}", how) from None
    kept.forget()
    runs = {name: tuple(done[name, seed] for seed in range(plan.seeds)) for name in plan.strategies}
    return Backtested(question.pools, plan, runs, synthetic, remarks)


# -- the question -----------------------------------------------------------------------------------------------------


def _question(snapshot: Snapshot, asked: Asked, *, whole_table: bool) -> tuple[_Question, bool, tuple[str, ...]]:
    """The question, whether a model stands in for the table, and remarks."""
    _refuse_odd(asked)
    fixed = Fixed.of(snapshot, fixed_of(snapshot.space, asked.fix))
    pool, remarks = _pool(snapshot, fixed, whole_table=whole_table)
    _refuse_nothing_to_find(pool)
    for name in asked.strategies:
        strategy(name, pool)  # what is wrong with a name is said before anything is run
    remarks, pools = (*snapshot.remarks, *remarks, *pool.remarks), (pool,) * asked.seeds
    synthetic = asked.oracle or len(pool) < LEAST_CANDIDATES
    if synthetic and not asked.oracle:
        remarks += (f"{len(pool)} candidates are too few to choose from: {LEAST_CANDIDATES} are needed.",)
    if synthetic:
        if asked.noisy:
            raise AlloyloopError(f"--noisy takes a random repeat, and here {SYNTHETIC}", "Leave one of the two out.")
        with snapshot.asking():
            pools = oracle_pools(snapshot, range(asked.seeds), fixed.space(snapshot.space))
        remarks += pools[0].remarks
    batch = snapshot.spec.batch if asked.batch is None else asked.batch
    budget = min(BUDGET, len(pools[0])) if asked.budget is None else asked.budget
    if budget > len(pools[0]):
        raise AlloyloopError(
            f"A budget of {budget} melts is more than the {len(pools[0])} candidates of the table",
            f"Give --budget {len(pools[0])} or less, or --oracle to let a model stand in for the table.",
        )
    if asked.start >= budget:
        raise AlloyloopError(
            f"A start of {asked.start} alloys leaves nothing of a budget of {budget}", "Give a smaller --start."
        )
    if asked.noisy and not any(len(repeats.of) > len(pool) for repeats in pool.repeats.values()):
        remarks += ("No alloy was measured twice, so that --noisy changes nothing.",)
    plan = Plan(tuple(dict.fromkeys(asked.strategies)), asked.start, batch, budget, asked.seeds, asked.noisy)
    return _Question(pools, plan), synthetic, tuple(dict.fromkeys(remarks))


def _pool(snapshot: Snapshot, fixed: Fixed, *, whole_table: bool) -> tuple[Pool, tuple[str, ...]]:
    """The candidates, and a remark where those inside a campaign's space are too few, so that all of the table are."""
    n_inside = 0
    if not whole_table:
        with suppress(AlloyloopError):  # what else is wrong is said of the whole table as well
            inside = pool_of(snapshot, fixed=fixed)
            if len(inside) >= LEAST_CANDIDATES:
                return inside, ()
            n_inside = len(inside)
    whole = pool_of(snapshot, whole_table=True, fixed=fixed)
    if whole_table or len(whole) < LEAST_CANDIDATES:
        return whole, ()
    lies = "candidate lies" if n_inside == 1 else "candidates lie"
    said = f"Only {n_inside} {lies} inside the space and its rules: the whole table is replayed, the rules left aside."
    return whole, (said,)


def _refuse_odd(asked: Asked) -> None:
    """Refuse numbers that no backtest can have."""
    if not asked.strategies:
        raise AlloyloopError("No strategy is named", f"Write --strategies {','.join(STRATEGIES)}.")
    for said, number, most in (
        ("--start", asked.start, None),
        ("--batch", asked.batch, None),
        ("--budget", asked.budget, None),
        ("--seeds", asked.seeds, MOST_SEEDS),
    ):
        if number is not None and (number < 1 or (most is not None and number > most)):
            room = "1 or more" if most is None else f"1 to {most}"
            raise AlloyloopError(f"{said} {number} cannot be", f"Give {room}.")


def _refuse_nothing_to_find(pool: Pool) -> None:
    """Refuse a table in which no alloy is better than another, or that is too small for a model of it."""
    if len(pool) < LEAST_LEARNED:
        alone = "is one alloy" if len(pool) == 1 else f"has {len(pool)} different alloys"
        raise AlloyloopError(
            f"What can be replayed of the table {alone}, and {LEAST_LEARNED} are needed"
            + (f": {' '.join(pool.remarks)}" if pool.remarks else ""),
            "Add rows, name more columns with --inputs, or another goal.",
        )
    if (pool.objectives == pool.objectives[0]).all():
        named = " and ".join(pool.goals)
        raise AlloyloopError(f"{named} is the same in all rows, so that there is nothing to find", "Name another goal.")


# -- running it, and going on with it ---------------------------------------------------------------------------------


def _compute_phases(question: _Question) -> None:
    """Compute what models see of the phases of the candidates, once: it is kept on the disk, and sent to workers."""
    pool = question.pools[0]  # those of other seeds have the same designs
    with pool.snapshot.asking():
        if pool.snapshot.calphad is not None:
            pool.snapshot.calphad.compute(pool.alloys.fractions, pool.alloys.elements)


def _run(question: _Question, task: _Task) -> Replayed:
    """One run of one strategy, here or on a worker."""
    from threadpoolctl import threadpool_limits

    (name, seed), plan = task, question.plan
    pool = question.pools[seed]
    visiting, choosing = np.random.default_rng([seed, len(pool)]).spawn(2)
    seen = pool.visited(visiting) if plan.noisy else pool
    (start,) = starts(len(pool), plan.start, [seed])
    with threadpool_limits(limits=1):
        return replay(strategy(name, seen), len(pool), start, plan.batch, plan.budget, choosing)


@dataclass(frozen=True, slots=True)
class _Kept:
    """The file in which finished runs are kept while others are not: numbers, and nothing that is run."""

    path: Path

    def write(self, done: Mapping[_Task, Replayed]) -> None:
        """Keep what is done so far, where that can be written."""
        runs = [[name, seed, run.order.tolist(), run.stopped] for (name, seed), run in done.items()]
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            (self.path.parent / ".gitignore").write_text("*\n", encoding="utf-8")
        write_cache(self.path, json.dumps(runs).encode())

    def read(self, question: _Question) -> dict[_Task, Replayed]:
        """The runs that were finished.

        Raises
        ------
        AlloyloopError
            where there is no such file, or it is damaged
        """
        if not self.path.exists():
            raise AlloyloopError(
                "No backtest of this question was stopped: its goals, budget, batch, start or data are others",
                "Leave out --resume to begin.",
            )
        done: dict[_Task, Replayed] = {}
        try:
            for name, seed, order, stopped in json.loads(read_text(self.path).text):
                made = np.array(order, dtype=np.int64)
                if len(np.intersect1d(made, np.arange(len(question.pools[0])))) != question.plan.budget:
                    raise ValueError("not a run of this plan")
                done[str(name), int(seed)] = Replayed(made, None if stopped is None else int(stopped))
        except (ValueError, TypeError) as error:
            raise AlloyloopError(
                "What was kept of this backtest is damaged", "Leave out --resume to begin again.", place=self.path.name
            ) from error
        return done

    def forget(self) -> None:
        """All runs are done: nothing is left behind where there was nothing before."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
            if {file.name for file in self.path.parent.iterdir()} == {".gitignore"}:
                (self.path.parent / ".gitignore").unlink()
                self.path.parent.rmdir()
                self.path.parents[1].rmdir()  # where it holds nothing else


def _digest(question: _Question) -> str:
    """Of all that a run depends on but its strategy and its seed; pools of other seeds follow from the first."""
    plan, pool = question.plan, question.pools[0]
    tables: list[bytes] = [pool.alloys.fractions.tobytes(), pool.objectives.tobytes(), pool.allowed.tobytes()]
    tables += [repr(values.tolist()).encode() for values in pool.alloys.process.values()]
    for repeats in pool.repeats.values():
        tables += [repeats.values.tobytes(), repeats.noise.tobytes(), repeats.of.tobytes()]
    said = {
        "versions": [version(name) for name in PACKAGES],
        "plan": [plan.start, plan.batch, plan.budget, plan.noisy],
        "question": pool.snapshot.spec.model_dump(mode="json"),
        "tables": [digest(table) for table in tables],
    }
    return digest(json.dumps(said))
