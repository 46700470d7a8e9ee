"""How soon the good alloys of six published tables are found: alloyloop beside a plain Gaussian process and a forest.

    nice python benchmarks/backtests.py                      # finished replays are kept in results/backtests.jsonl
    nice python benchmarks/backtests.py --again auto         # after a change of ours: drops its kept replays first
    python benchmarks/backtests.py --told                    # only what is kept

Each table is a pool of alloys that were made. A replay starts from five of them at random, the same for every side, and
chooses 55 more, one at a time or by fours. Its acceleration is the number of melts that random choice needs in
expectation for half of the pool's top 5 %, over the number that it needed itself.

auto: what `alloyloop backtest` calls so, as `suggest` chooses: models and features by evidence.
botorch: the belief of BoTorch's `SingleTaskGP` with its default priors, found by NumPy at the same mode (`suggest.py`),
on atomic fractions and treatments scaled to [0, 1]; the analytic log expected improvement on the best value measured.
forest: scikit-learn's `RandomForestRegressor` as it comes, the spread between its trees for a standard deviation, and
the same acquisition. greedy: the belief of botorch, and the best mean. our-forest: the `forest` of alloyloop with that
acquisition, which stands beside: it is ours.

The rule: the geometric mean over pools of the median acceleration of auto, one at a time, is at least 5.5 and at least
1.3 times that of botorch; on no pool it is more than a tenth below the best of the three others; the pool's best is
found within 60 melts in at least as many replays; by fours it is at least 0.85 of one at a time. A step takes 0.5 s
at most.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
from beliefs import shared_data
from numpy.typing import ArrayLike
from pools import BUDGET, N_START, POOLS, Candidates, Run, kept, missing, pool
from reference_space import ran_on
from scipy.special import log_ndtr
from sklearn.ensemble import RandomForestRegressor
from suggest import Plain
from threadpoolctl import threadpool_limits

from alloyloop.campaigns.one_table import snapshot_of
from alloyloop.campaigns.pools import Pool, judged, with_goals
from alloyloop.campaigns.strategies import strategy
from alloyloop.design.beliefs import Option, learn
from alloyloop.design.diagram import IntArray
from alloyloop.design.replay import Picked, Strategy, replay, starts
from alloyloop.surrogates.base import FloatArray, Prediction, register_surrogate

RESULTS = Path(__file__).parent / "results" / "backtests.jsonl"
SIDES = ("auto", "botorch", "forest", "greedy")
BESIDE = ("our-forest",)
BATCHES = (1, 4)
LEAST, LEAST_TIMES, MOST_WORSE, LEAST_BY_FOURS, MOST_SECONDS = 5.5, 1.3, 0.1, 0.85, 0.5
N_RESAMPLED = 4000


@dataclass(frozen=True, slots=True, eq=False)
class OneModel:
    """A model with its defaults, on compositions and treatments, and one alloy at a time.

    Parameters
    ----------
    candidates : that are chosen from
    model : a name that `surrogate` knows
    greedy : whether the best mean is taken; else the largest expected improvement on the best value measured
    """

    candidates: Candidates
    model: str
    greedy: bool = False

    def pick(self, made: IntArray, n: int, rng: np.random.Generator) -> Picked:
        """See `Strategy`; of several the n best, since neither knows of batches."""
        known = self.candidates.evidence.rows(made)
        left = np.setdiff1d(np.arange(len(self.candidates)), made)
        sign = 1.0 if self.candidates.source.wanted == "maximize" else -1.0
        told = learn(known, Option(self.model, self.candidates.features)).about(self.candidates.alloys.rows(left))
        worth = sign * told.mean
        if not self.greedy:
            worth = log_improvement(worth - (sign * known.values).max(), told.std)
        return Picked(left[np.argsort(-worth, kind="stable")[:n]])


def log_improvement(ahead: FloatArray, std: FloatArray) -> FloatArray:
    """Log of the expected improvement of normal numbers so far ahead of the best, on average. (n,)"""
    std = np.maximum(std, 1e-12)
    u = ahead / std
    log_density = -0.5 * u**2 - 0.5 * np.log(2 * np.pi)
    with np.errstate(divide="ignore", invalid="ignore"):
        near = np.log(np.exp(log_density) + u * np.exp(log_ndtr(u)))
    far = log_density - 2 * np.log(np.maximum(np.abs(u), 1.0))  # of the normal tail, to first order
    return np.asarray(np.log(std) + np.where(u > -8, near, far))


def as_pool(candidates: Candidates) -> Pool:
    """The same as `alloyloop backtest` has it."""
    source, rows = candidates.source, candidates.evidence
    folder = cast(Path, shared_data())  # the candidates came from there
    snapshot = snapshot_of(folder / f"{source.file}.csv", source.inputs, source.property)
    snapshot = with_goals(snapshot, [f"{source.wanted} {source.property}"])
    if source.between is not None:  # all at one level, which says nothing
        process = {**rows.alloys.process, source.between[0]: np.full(len(rows), source.between[2])}
        rows = replace(rows, alloys=replace(rows.alloys, process=process))
    return judged(snapshot, rows.alloys, {source.property: rows}, {}, tuple(rows.ids.tolist()), (), {})


def contender(side: str, candidates: Candidates) -> Strategy:
    """A side of the comparison on a pool."""
    if side in ("botorch", "greedy"):
        X = candidates.features.encode(candidates.alloys)
        spread = np.ptp(X, axis=0)
        low, high = X.min(axis=0), X.min(axis=0) + np.where(spread > 0, spread, 1.0)
        name = f"botorch on {candidates.name}"

        def plain(**_: Any) -> Any:
            made = Plain()
            made.low, made.high = low, high
            return made

        register_surrogate(name, "BoTorch's SingleTaskGP, written out")(cast(Any, plain))
        return OneModel(candidates, name, greedy=side == "greedy")
    if side in ("forest", "our-forest"):
        return OneModel(candidates, "scikit-learn forest" if side == "forest" else "forest")
    return strategy(side, as_pool(candidates), stopping=False)


class TreesApart:
    """scikit-learn's random forest as it comes; what its trees differ by is taken for what is not known."""

    def __init__(self, **_: object) -> None:
        self._forest = RandomForestRegressor(random_state=0)

    def fit(self, X: ArrayLike, y: ArrayLike, **_: object) -> Self:
        """Grow it."""
        self._forest.fit(X, y)
        return self

    def believe(self, X: ArrayLike) -> Prediction:
        """The mean of its trees, and their standard deviation."""
        told = np.array([tree.predict(np.asarray(X)) for tree in self._forest.estimators_])
        return Prediction(told.mean(axis=0), told.std(axis=0), np.zeros(told.shape[1]))


register_surrogate("scikit-learn forest", "as it comes")(cast(Any, TreesApart))


def run(side: str, name: str, batch: int, seed: int) -> Run:
    """Replay one side on one pool."""
    candidates = cast(Candidates, pool(name))
    (start,) = starts(len(candidates), N_START, [seed])
    began = time.process_time()
    chooser = contender(side, candidates)
    done = replay(chooser, len(candidates), start, batch, BUDGET, np.random.default_rng([seed, 1]))
    seconds = (time.process_time() - began) / np.ceil((BUDGET - N_START) / batch)
    return Run(side, name, batch, seed, tuple(done.order.tolist()), round(float(seconds), 4))


def told(runs: dict[tuple[str, str, int, int], Run], names: list[str]) -> Iterator[str]:
    """All that is kept, in lines."""
    seeds = sorted({key[3] for key in runs})
    sides = list(dict.fromkeys((*SIDES, *(key[0] for key in runs))))
    medians: dict[tuple[str, int], list[float]] = {}
    for batch in BATCHES:
        yield f"{'one at a time' if batch == 1 else f'{batch} at a time'}: {N_START} alloys at random, {BUDGET} in all"
        header = "  acceleration (quartiles)".ljust(30) + "best found".rjust(12) + "melts to half of the top".rjust(26)
        yield header + "CPU [s] a step".rjust(16)
        for name in names:
            candidates = cast(Candidates, pool(name))
            yield f"  {name}: {len(candidates)} candidates, {candidates.source.said}"
            for side in sides:
                done = [runs[key] for seed in seeds if (key := (side, name, batch, seed)) in runs]
                if not done:
                    continue
                scores = [each.score for each in done]
                low, middle, high = np.quantile([each.acceleration for each in scores], [0.25, 0.5, 0.75])
                medians.setdefault((side, batch), []).append(float(middle))
                found = sum(each.melts_to_best is not None for each in scores)
                half = np.median([each.melts_to_half or np.inf for each in scores])
                seconds = np.median([each.seconds for each in done])
                yield (
                    f"    {side:<22}{middle:6.2f} ({low:.1f} to {high:.1f})".ljust(46)
                    + f"{found:>3} of {len(done)}".ljust(14)
                    + f"{half:8.1f}{seconds:18.3f}"
                )
        whole = {side: of for (side, n), of in medians.items() if n == batch and len(of) == len(names)}
        means = {side: float(np.exp(np.log(of).mean())) for side, of in whole.items()}
        yield "  geometric mean of the medians: " + ", ".join(f"{side} {mean:.2f}" for side, mean in means.items())
        yield ""
    yield from _judged(runs, names, medians)


def _judged(
    runs: dict[tuple[str, str, int, int], Run], names: list[str], medians: dict[tuple[str, int], list[float]]
) -> Iterator[str]:
    """The rule, line by line."""
    if not names or any(len(medians.get((side, 1), ())) < len(names) for side in SIDES):
        return
    ours, theirs = (np.array(medians[side, 1]) for side in ("auto", "botorch"))
    ratio = float(np.exp(np.log(ours / theirs).mean()))
    low, high = resampled(runs, names)
    yield _line(
        "acceleration of auto", f"{np.exp(np.log(ours).mean()):.2f}", LEAST, np.exp(np.log(ours).mean()) >= LEAST
    )
    said = f"{ratio:.2f} times botorch's (90 % of resampled pools and seeds: {low:.2f} to {high:.2f})"
    yield _line("the same start by start", said, LEAST_TIMES, ratio >= LEAST_TIMES)
    rivals = np.array([medians[side, 1] for side in SIDES[1:]]).max(axis=0)
    worst = int(np.argmin(ours / rivals))
    said = f"{ours[worst] / rivals[worst]:.2f} of the best other, on {names[worst]}"
    yield _line("worst pool", said, 1 - MOST_WORSE, (ours / rivals).min() >= 1 - MOST_WORSE)
    found = {
        (side, name): sum(r.score.melts_to_best is not None for k, r in runs.items() if k[:3] == (side, name, 1))
        for side in SIDES
        for name in names
    }
    total = {side: sum(found[side, name] for name in names) for side in SIDES}
    fewer = [name for name in names if found["auto", name] < max(found[side, name] for side in SIDES[1:])]
    said = ", ".join(f"{side} {n}" for side, n in total.items()) + (f"; fewer on {', '.join(fewer)}" if fewer else "")
    yield _line("replays that found the best", said, "as many", not fewer)
    if len(fours := medians.get(("auto", 4), [])) == len(names):
        share = float(np.exp(np.log(np.array(fours) / ours).mean()))
        yield _line("by fours", f"{share:.2f} of one at a time", LEAST_BY_FOURS, share >= LEAST_BY_FOURS)
    seconds = max(r.seconds for k, r in runs.items() if k[0] == "auto" and k[2] == 1)
    yield _line("CPU a step, at most", f"{seconds:.3f} s", MOST_SECONDS, seconds <= MOST_SECONDS)


def _line(what: str, said: str, wanted: float | str, reached: bool | np.bool_) -> str:
    return f"{what}: {said} (wanted: {wanted}){'' if reached else ' MISSED'}"


def resampled(runs: dict[tuple[str, str, int, int], Run], names: list[str]) -> tuple[float, float]:
    """The central 90 % of our acceleration over botorch's, pools and, within them, the common seeds drawn again."""
    rng, ratios = np.random.default_rng(0), []
    pairs = {}
    for name in names:
        seeds = [s for side, n, b, s in runs if (side, n, b) == ("auto", name, 1) and ("botorch", name, 1, s) in runs]
        pairs[name] = np.array(
            [[runs[side, name, 1, seed].score.acceleration for side in ("auto", "botorch")] for seed in seeds]
        )
    for _ in range(N_RESAMPLED):
        logs = []
        for name in rng.choice(names, len(names)):
            drawn = pairs[name][rng.integers(len(pairs[name]), size=len(pairs[name]))]
            ours, theirs = np.median(drawn, axis=0)
            logs.append(np.log(ours / theirs))
        ratios.append(np.exp(np.mean(logs)))
    low, high = np.quantile(ratios, [0.05, 0.95])
    return float(low), float(high)


def main() -> None:
    """Replay what is asked for, and print all that is kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--pool", choices=POOLS, nargs="*", default=list(POOLS))
    parser.add_argument("--side", nargs="*", default=[*SIDES, *BESIDE], help="also a strategy of `alloyloop`")
    parser.add_argument("--batch", type=int, nargs="*", default=list(BATCHES))
    parser.add_argument("--results", type=Path, default=RESULTS, help="replays are read from it and appended to it")
    parser.add_argument("--again", nargs="*", default=[], help="drop the kept replays of these sides first")
    parser.add_argument("--told", action="store_true", help="run nothing")
    asked = parser.parse_args()
    names = [name for name in asked.pool if pool(name) is not None]
    for name in asked.pool:
        if name not in names:
            print(missing(name))
    runs = {key: each for key, each in kept(asked.results).items() if key[0] not in asked.again}
    if asked.again:
        asked.results.write_text("".join(json.dumps(asdict(each)) + "\n" for each in runs.values()), encoding="utf-8")
    if not asked.told:
        wanted = [
            (side, name, batch, seed)
            for seed in range(asked.seeds)
            for name in names
            for side in asked.side
            for batch in (asked.batch if side not in (*SIDES[1:], *BESIDE) else [n for n in asked.batch if n == 1])
        ]
        with asked.results.open("a", encoding="utf-8") as file, threadpool_limits(limits=1):
            for key in wanted:
                if key not in runs:
                    runs[key] = run(*key)
                    print(json.dumps(asdict(runs[key])), file=file, flush=True)
    print(ran_on("alloyloop", "numpy", "scipy", "scikit-learn"))
    for line in told({key: each for key, each in runs.items() if key[1] in names}, names):
        print(line)


if __name__ == "__main__":
    main()
