"""How fast a Gaussian process is asked of every alloy of a space, beside what the machine's own arithmetic allows.

    python benchmarks/throughput.py

Reference space: Ti 50 to 90, Nb 0 to 40, Zr 0 to 30, Sn 0 to 12, Mo 0 to 15, Ta 0 to 20 at.% in steps of 1, which are
1 822 786 alloys; 300 of them are training rows, their values a made-up function of the composition with noise. The
limit is the time that this machine takes for one product of matrices, 300 × 300 times 300 × 8192, and for the
exponential of 300 × 8192 numbers, for each of the 8192 rows: what a posterior costs that solves nothing. Everything is
a rate over that of the limit, timed in turn with it; medians of the repeats.

The rules: means and standard deviations of all rows at 0.8 of the limit at least, and the best 100 by expected
improvement, exactly, at 6 times the limit.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from statistics import median
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from alloyloop.design import DesignSpace
from alloyloop.design.acquisition import log_expected_improvement
from alloyloop.design.lattice import Element, Lattice
from alloyloop.surrogates import FloatArray, GaussianProcess
from alloyloop.surrogates.sweep import Sweep

N_TRAIN = 300
N_BEST = 100
N_ROWS = 65_536  # timed where each row costs the same
N_ROWS_BOTORCH = 8_192
BLOCK_BOTORCH = 512  # of 256 to 4096 the fastest
SLICE = 262_144
TOGETHER = 4_096  # rows looked at before the threshold is raised
REPEATS = 7
LEAST = {"mean and std": 0.8, "best 100": 6.0}

BOUNDS = {"Nb": (0, 40), "Zr": (0, 30), "Sn": (0, 12), "Mo": (0, 15), "Ta": (0, 20)}
LATTICE = Lattice(tuple(Element(symbol, low, high, 1) for symbol, (low, high) in BOUNDS.items()), "Ti", 50, 90)
SPACE = DesignSpace(LATTICE, "at_pct")


def seconds(work: Callable[[], object]) -> float:
    """Wall time of some work [s]."""
    start = perf_counter()
    work()
    return perf_counter() - start


def modulus(at_pct: FloatArray) -> FloatArray:
    """(n,) values of a made-up, smooth function of Nb, Zr, Sn, Mo, Ta and Ti [at.%], shaped like a modulus [GPa]."""
    nb, zr, sn, mo, ta, _ = at_pct.T / 100
    stability = nb + 2 * mo + 0.4 * ta + 0.5 * sn
    valley = 110 - 60 * np.tanh(4 * stability) + 25 * np.cos(9 * stability + 6 * zr) * np.exp(-20 * sn**2)
    return np.asarray(valley + 600 * zr * sn + 15 * np.sin(20 * mo) * np.cos(12 * ta))


@dataclass(frozen=True)
class Search:
    """The best alloys by expected improvement below an incumbent, found with or without looking at all of them."""

    sweep: Sweep
    incumbent: float

    def value(self, mean: FloatArray, std: FloatArray) -> FloatArray:
        """Log expected improvement, larger for lower means and larger standard deviations. (n,)"""
        return log_expected_improvement(-mean, std, np.full(len(mean), -self.incumbent))

    def all(self) -> NDArray[np.int64]:
        """Indices of the best, by asking every alloy."""
        values = []
        for start in range(0, SPACE.count, SLICE):
            X = SPACE.percent(SPACE.between(start, min(start + SLICE, SPACE.count)))
            values.append(self.value(*self.sweep.mean_and_std(X)))
        return np.argsort(-np.concatenate(values))[:N_BEST]

    def bounded(self) -> NDArray[np.int64]:
        """Indices of the best, leaving out what its bounds rule out; slices in random order, best cells first."""
        best, values = np.empty(0, dtype=np.int64), np.empty(0)
        starts = np.random.default_rng(0).permutation(np.arange(0, SPACE.count, SLICE))
        for start in map(int, starts):
            X = SPACE.percent(SPACE.between(start, min(start + SLICE, SPACE.count)))
            cells = self.sweep.cells(X)
            X = np.take(X, cells.order, axis=0)
            bounds = self.sweep.bounds(X, cells.starts)
            hope, sizes = self.value(bounds.mean_low, bounds.std_high), np.diff(cells.starts)
            waiting = np.argsort(-hope)
            while True:
                least = values[-1] if len(values) == N_BEST else -np.inf
                waiting = waiting[hope[waiting] >= least]
                if len(waiting) == 0:
                    break
                n = int(np.searchsorted(np.cumsum(sizes[waiting]), TOGETHER)) + 1
                now, waiting = waiting[:n], waiting[n:]
                rows = np.concatenate([np.arange(*cells.starts[cell : cell + 2]) for cell in now])
                std_high = np.repeat(bounds.std_high[now], sizes[now])
                rows = rows[self.value(self.sweep.mean(X[rows]), std_high) >= least]
                best = np.append(best, start + cells.order[rows])
                values = np.append(values, self.value(*self.sweep.mean_and_std(X[rows])))
                kept = np.argsort(-values)[:N_BEST]
                best, values = best[kept], values[kept]
        return best


def machine(rng: np.random.Generator) -> Callable[[], object]:
    """The arithmetic that a row cannot do without, for 8192 rows."""
    matrix, rows = rng.random((N_TRAIN, N_TRAIN)), rng.random((N_TRAIN, 8192))
    out = np.empty_like(rows)

    def work() -> None:
        np.matmul(matrix, rows, out=out)
        np.exp(rows, out=out)

    return work


def botorch(gp: GaussianProcess, X: FloatArray) -> None:
    """Means and variances from BoTorch's model of the same posterior."""
    model = gp.as_single_task_gp()
    with torch.no_grad():
        for rows in torch.from_numpy(X).split(BLOCK_BOTORCH):
            posterior = model.posterior(rows)
            _ = posterior.mean, posterior.variance


def rates(contenders: dict[str, tuple[int, Callable[[], object]]], limit: Callable[[], object]) -> dict[str, float]:
    """Rows a second of each, over those of the limit: medians of repeats, each timed between two of the limit."""
    found: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(REPEATS):
        for name, (n, work) in contenders.items():
            around = [seconds(limit) / 8192]
            each = seconds(work) / n
            around.append(seconds(limit) / 8192)
            found[name].append(median(around) / each)
    return {name: median(ratios) for name, ratios in found.items()}


def main() -> None:
    """Print the table; exit 1 where a rule is broken or the bounded search finds others than the full one."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("alloyloop", "numpy", "scipy", "torch", "botorch"))
    print(
        f"{date.today()}, {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {packages}"
    )
    rng = np.random.default_rng(0)
    rows = SPACE.percent(SPACE.sample(N_TRAIN, rng))
    every = SPACE.percent(SPACE.between(0, SPACE.count))
    gp = GaussianProcess(bounds=[every.min(axis=0), every.max(axis=0)])
    gp.fit(rows, modulus(rows) + rng.normal(0, 2, N_TRAIN))
    X = every[rng.choice(len(every), N_ROWS)]
    del every
    sweep, single = Sweep.of(gp), Sweep.of(gp, dtype="float32")
    search = Search(sweep, float(gp.predict(rows).min()))

    same = set(search.all()) == set(search.bounded())
    print(f"{SPACE.count:,} alloys, {N_TRAIN} training rows; the bounded search finds", end=" ")
    print(f"the same {N_BEST} as the full one" if same else "others than the full one")
    contenders: dict[str, tuple[int, Callable[[], object]]] = {
        "BoTorch's posterior": (N_ROWS_BOTORCH, lambda: botorch(gp, X[:N_ROWS_BOTORCH])),
        "GaussianProcess.believe": (N_ROWS, lambda: gp.believe(X)),
        "Sweep.mean_and_std": (N_ROWS, lambda: sweep.mean_and_std(X)),
        "Sweep.mean_and_std, float32": (N_ROWS, lambda: single.mean_and_std(X)),
        "Sweep.mean": (N_ROWS, lambda: sweep.mean(X)),
        f"exact best {N_BEST} with bounds": (SPACE.count, search.bounded),
    }
    kept = same
    for threads in (1, 2):
        torch.set_num_threads(threads)
        with threadpool_limits(threads, user_api="blas"):
            limit = machine(rng)
            each = median(seconds(limit) / 8192 for _ in range(REPEATS))
            found = rates(contenders, limit)
        print(f"\n{threads} thread{'s' * (threads > 1)}, limit {1e6 * each:.2f} µs a row     rate over the limit's")
        for name, rate in found.items():
            print(f"  {name:<34}{rate:>10.2f}")
        kept &= found["Sweep.mean_and_std"] >= LEAST["mean and std"]
        kept &= found[f"exact best {N_BEST} with bounds"] >= LEAST["best 100"]
    if not kept:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
