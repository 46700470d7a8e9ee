"""How long a Gaussian process takes to fit and to predict 1 000 rows, beside BoTorch's own, and how likely both find it.

    python benchmarks/fitting.py --largest 2000

A SYNTHETIC property of six elements, with scatter: no alloy has it. Ours is `GaussianProcess`, as anybody gets it, and
theirs is `SingleTaskGP` with its outcomes standardised, fitted by `fit_gpytorch_mll`: both with a scatter that is
learned, both fitted to the mode of their posterior. Each fits and then says mean and standard deviation of 1 000 rows.
One process, one thread, its processor's time, after one fit that is not counted; the median of the repeats, of which
there is one from 1 000 rows on. The log marginal likelihood is that of the values in their own unit, each under its own
kernel and the hyperparameters that it found, without their priors.

The rules: no slower at 100 rows, a third of the time at most at 1 000, a tenth at 2 000, and nowhere less likely.
BoTorch takes minutes at 2 000 rows, so that they are left out unless asked for.
"""

from __future__ import annotations

import os

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):  # read as the libraries are loaded
    os.environ[threads] = "1"

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from statistics import median
from time import process_time
from warnings import catch_warnings, simplefilter

import numpy as np
import torch
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from gpytorch.mlls import ExactMarginalLogLikelihood
from reference_space import ran_on, reference_space, synthetic_modulus

from alloyloop.surrogates import FloatArray, GaussianProcess

SIZES = (100, 500, 1000, 2000)
N_ASKED = 1000
REPEATS = 5
MOST = {100: 1.0, 500: inf, 1000: 1 / 3, 2000: 1 / 10}  # of the time that BoTorch takes

SPACE = reference_space(1)


@dataclass(frozen=True, slots=True)
class Fit:
    """What one fit and its predictions took [s], and the log marginal likelihood that it found."""

    seconds: float
    log_likelihood: float


Fitter = Callable[[FloatArray, FloatArray, FloatArray], Fit]


def ours(X: FloatArray, y: FloatArray, asked: FloatArray) -> Fit:
    """`GaussianProcess`."""
    start = process_time()
    gp = GaussianProcess().fit(X, y)
    gp.predict(asked, return_std=True)
    return Fit(process_time() - start, gp.log_likelihood_)


def theirs(X: FloatArray, y: FloatArray, asked: FloatArray) -> Fit:
    """`SingleTaskGP`, told the ranges of its inputs."""
    rows, values = torch.from_numpy(X), torch.from_numpy(y[:, None])
    low, span = rows.min(dim=0).values, rows.max(dim=0).values - rows.min(dim=0).values
    start = process_time()
    with catch_warnings():
        simplefilter("ignore")
        gp = SingleTaskGP((rows - low) / span, values)
        fit_gpytorch_mll(ExactMarginalLogLikelihood(gp.likelihood, gp))
        with torch.no_grad():
            posterior = gp.posterior((torch.from_numpy(asked) - low) / span)
            _ = posterior.mean, posterior.variance
        seconds = process_time() - start
        return Fit(seconds, log_likelihood(gp, y))


def log_likelihood(gp: SingleTaskGP, y: FloatArray) -> float:
    """Log marginal likelihood of the values in their own unit: that of the standardised, less their scale's logarithm.

    By a Cholesky factorisation in NumPy: GPyTorch estimates determinants of more than 800 rows at random.
    """
    gp.train()
    with torch.no_grad():
        prior = gp.likelihood(gp(*gp.train_inputs))
        mean, covariance = prior.mean.numpy(), prior.covariance_matrix.numpy()
    z, scale = (y - y.mean()) / y.std(ddof=1), y.std(ddof=1)
    cholesky = np.linalg.cholesky(covariance)
    fit = np.sum(np.linalg.solve(cholesky, z - mean) ** 2)
    return float(-fit / 2 - np.log(np.diag(cholesky)).sum() - len(y) / 2 * np.log(2 * np.pi) - len(y) * np.log(scale))


def timed(fitter: Fitter, n: int) -> Fit:
    """Medians over repeats, each of other rows."""
    found = []
    for seed in range(REPEATS if n < 1000 else 1):
        rng = np.random.default_rng(seed)
        rows = SPACE.fractions(SPACE.sample(n, rng))
        found.append(fitter(rows, synthetic_modulus(100 * rows, rng), SPACE.fractions(SPACE.sample(N_ASKED, rng))))
    return Fit(median(fit.seconds for fit in found), median(fit.log_likelihood for fit in found))


def main() -> None:
    """Print the table; exit 1 where a rule is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=int, default=1000, help="rows")
    largest = parser.parse_args().largest
    torch.set_num_threads(1)
    print(ran_on("alloyloop", "numpy", "scipy", "torch", "botorch", "gpytorch"))
    print(f"\n{'':>6} {'CPU time [s]':>22} {'':>8} {'log marginal likelihood':>26}")
    print(f"{'rows':>6} {'alloyloop':>11} {'BoTorch':>10} {'ratio':>8} {'alloyloop':>15} {'BoTorch':>10}")
    kept = True
    for fitter in (ours, theirs):
        timed(fitter, 20)
    for n in (size for size in SIZES if size <= largest):
        own, other = timed(ours, n), timed(theirs, n)
        ratio = own.seconds / other.seconds
        print(
            f"{n:>6} {own.seconds:>11.3f} {other.seconds:>10.3f} {ratio:>8.3f} "
            f"{own.log_likelihood:>15.1f} {other.log_likelihood:>10.1f}",
            flush=True,
        )
        kept &= ratio <= MOST[n] and own.log_likelihood >= other.log_likelihood
    if not kept:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
