"""How fast a Gaussian process is asked of every alloy of a space, beside what the machine's own arithmetic allows.

    python benchmarks/throughput.py

The reference space at 1 % (1 822 786 alloys), 300 of its alloys with a SYNTHETIC property as training rows. The limit
is what this machine takes for one product of matrices, 300 × 300 times 300 × 8192, and for the exponential of 300 ×
8192 numbers, for each of those 8192 rows. All others are rates over that of the limit, each timed between two of it;
medians of the repeats. With one thread the time is the processor's, which a busy machine changes little; with two it is
the clock's, and nothing else must run.

The rules, for one thread (a screen gives each process one): means and standard deviations of all rows at 0.8 of the
limit at least, and the best 100 by expected improvement, exactly, at 6 times the limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter, process_time
from warnings import catch_warnings, simplefilter

import numpy as np
import torch
from botorch.models import SingleTaskGP
from gpytorch.kernels import MaternKernel, ScaleKernel
from numpy.typing import NDArray
from reference_space import ran_on, reference_space, screened, synthetic_modulus
from threadpoolctl import threadpool_limits

from alloyloop.design.criteria import ExpectedImprovement
from alloyloop.design.features import Features
from alloyloop.design.improvement import log_expected_improvement
from alloyloop.design.predictors import Swept
from alloyloop.design.screen import Screening
from alloyloop.surrogates import FloatArray, GaussianProcess
from alloyloop.surrogates.sweep import Sweep

N_TRAIN = 300
N_BEST = 100
N_ROWS = 65_536  # timed where each row costs the same
N_ROWS_BOTORCH = 8_192
BLOCK_BOTORCH = 256  # rows by themselves, so many at a time: the fastest way of asking it that we found
SLICE = 262_144
REPEATS = 5
LEAST = {"Sweep.mean_and_std": 0.8, "best 100, with bounds": 6.0}

SPACE = reference_space(1)


def seconds(work: Callable[[], object], clock: Callable[[], float]) -> float:
    """Time of some work [s]."""
    start = clock()
    work()
    return clock() - start


@dataclass(frozen=True)
class Search:
    """The best alloys by expected improvement below an incumbent."""

    sweep: Sweep
    incumbent: float

    def value(self, mean: FloatArray, std: FloatArray) -> FloatArray:
        """Log expected improvement, larger for lower means and larger standard deviations. (n,)"""
        return log_expected_improvement(-mean, std, np.full(len(mean), -self.incumbent))

    def all(self) -> NDArray[np.int64]:
        """Indices of the best, by asking every alloy."""
        values = []
        for start in range(0, SPACE.count, SLICE):
            X = SPACE.fractions(SPACE.between(start, min(start + SLICE, SPACE.count)))
            values.append(self.value(*self.sweep.mean_and_std(X)))
        return np.argsort(-np.concatenate(values))[:N_BEST]

    def bounded(self) -> tuple[int, ...]:
        """Indices of the best, as `alloyloop screen` finds them in one process."""
        predictor = Swept("modulus_GPa", Features(SPACE.elements), self.sweep, noise=2.0)
        score = ExpectedImprovement("modulus_GPa", -1.0, self.incumbent)
        return screened(Screening(SPACE, SPACE.elements, (predictor,), (), score, (), N_BEST, 0, SPACE.count)).index


def machine(rng: np.random.Generator) -> Callable[[], object]:
    """The arithmetic that a row cannot do without, for 8192 rows."""
    matrix, rows = rng.random((N_TRAIN, N_TRAIN)), rng.random((N_TRAIN, 8192))
    out = np.empty_like(rows)

    def work() -> None:
        np.matmul(matrix, rows, out=out)
        np.exp(rows, out=out)

    return work


def as_botorch_has_it(gp: GaussianProcess, rows: FloatArray, y: FloatArray) -> SingleTaskGP:
    """BoTorch's model with a Matérn-5/2 kernel of the same lengthscales, amplitude and scatter.

    Without the trend, which BoTorch's kernels lack: adding one would cost it more.
    """
    found = gp.hyperparameters_
    kernel = ScaleKernel(MaternKernel(nu=2.5, ard_num_dims=rows.shape[1]))
    kernel.base_kernel.lengthscale, kernel.outputscale = torch.from_numpy(gp.lengthscales_), found.amplitude
    z = torch.from_numpy((y - y.mean()) / gp.scale_)[:, None]
    scatter = torch.full_like(z, float(found.scatter[0]))
    with catch_warnings():
        simplefilter("ignore")  # that inputs are not scaled to their ranges: the lengthscales are not, either
        return SingleTaskGP(torch.from_numpy(rows), z, scatter, covar_module=kernel, outcome_transform=None).eval()


def botorch(model: SingleTaskGP, X: FloatArray) -> None:
    """Means and variances from BoTorch's model."""
    with torch.no_grad():
        for start in range(0, len(X), BLOCK_BOTORCH):
            posterior = model.posterior(torch.from_numpy(X[start : start + BLOCK_BOTORCH, None]))
            _ = posterior.mean, posterior.variance


def rates(
    contenders: dict[str, tuple[int, Callable[[], object]]], limit: Callable[[], object], clock: Callable[[], float]
) -> dict[str, tuple[float, float]]:
    """Time a row [s] of each, and its rate over the limit's, which is timed before and after: medians of repeats."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    for _ in range(REPEATS):
        for name, (n, work) in contenders.items():
            before, own, after = (seconds(each, clock) for each in (limit, work, limit))
            found[name].append((own / n, (before + after) / 2 / 8192 / (own / n)))
    return {name: (median(own for own, _ in each), median(rate for _, rate in each)) for name, each in found.items()}


def main() -> None:
    """Print the table; exit 1 where a rule is broken or the bounded search finds others than the full one."""
    print(ran_on("alloyloop", "numpy", "scipy", "torch", "botorch"))
    rng = np.random.default_rng(0)
    rows = SPACE.fractions(SPACE.sample(N_TRAIN, rng))
    y = synthetic_modulus(100 * rows, rng)
    gp = GaussianProcess(bounds=SPACE.bounds / 100).fit(rows, y)
    theirs = as_botorch_has_it(gp, rows, y)
    X = SPACE.fractions(SPACE.sample(N_ROWS, rng))
    sweep, single = Sweep.of(gp), Sweep.of(gp, dtype="float32")
    search = Search(sweep, float(gp.predict(rows).min()))
    contenders: dict[str, tuple[int, Callable[[], object]]] = {
        "limit": (8192, machine(rng)),
        "BoTorch's posterior": (N_ROWS_BOTORCH, partial(botorch, theirs, X[:N_ROWS_BOTORCH])),
        "GaussianProcess.believe": (N_ROWS, partial(gp.believe, X)),
        "Sweep.mean_and_std": (N_ROWS, partial(sweep.mean_and_std, X)),
        "Sweep.mean_and_std, float32": (N_ROWS, partial(single.mean_and_std, X)),
        "Sweep.mean": (N_ROWS, partial(sweep.mean, X)),
        "best 100, with bounds": (SPACE.count, search.bounded),
    }
    kept = True
    for threads, clock in ((1, process_time), (2, perf_counter)):
        torch.set_num_threads(threads)
        with threadpool_limits(threads, user_api="blas"):
            found = rates(contenders, machine(rng), clock)
            same = set(search.all()) == set(search.bounded())
        print(f"\n{f'{threads} thread' + 's' * (threads > 1):<28} {'µs a row':>9} {'over the limit':>15}")
        for name, (own, rate) in found.items():
            print(f"{name:<28} {1e6 * own:>9.2f} {rate:>15.2f}")
        print(f"The {N_BEST} are {'those' if same else 'NOT those'} that all {SPACE.count:,} alloys, each asked, give.")
        kept &= same and (threads > 1 or all(found[name][1] >= least for name, least in LEAST.items()))
    if not kept:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
