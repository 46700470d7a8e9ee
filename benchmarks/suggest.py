"""What a batch of four costs in a six-element space, and what it is worth, beside plain BoTorch, turn by turn.

    python benchmarks/suggest.py                # four minutes of one idle core
    python benchmarks/suggest.py --reps 1       # to look at

The problem is fixed (../shared/bench/suggest, or where ALLOYLOOP_SHARED says): titanium with five solutes, a SYNTHETIC
modulus to be minimised, 30, 100 or 300 noisy rows. Plain BoTorch is `SingleTaskGP`, qLogNEI and `optimize_acqf` with 10
restarts and 256 raw samples, anywhere between the bounds; ours proposes alloys on the step of 0.5 at.%. CPU time of one
thread, warm, fit and batch together: medians. Every batch is scored by plain BoTorch's joint qLogNEI.

Ours stands twice. `same belief` is plain BoTorch's own Gaussian process, its hyperparameters found by NumPy at the same
mode (the fits are compared here), so that acquisition and search are judged by what they were told; `own belief` is our
`GaussianProcess`, as any user gets it. The score is under BoTorch's belief, and a batch chosen by another belief must
score less by it, be it as good or not: what it is worth in truth, the lowest modulus without noise, stands beside.

The rule, with the same belief: at most a fifteenth of BoTorch's time at 30 and 100 rows and a tenth at 300, scoring no
less, to 0.01.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from statistics import median
from time import process_time
from typing import Any, Self, cast

import numpy as np
from beliefs import shared_data
from numpy.typing import ArrayLike
from reference_space import ran_on, reference_space
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

from alloyloop.design.acquisition import Acquisition
from alloyloop.design.acquisitions import acquisition_rule
from alloyloop.design.beliefs import Evidence, Option, learn
from alloyloop.design.features import Alloys, Features
from alloyloop.design.goals import Minimize
from alloyloop.design.outlook import Sought, outlook
from alloyloop.design.propose import propose
from alloyloop.surrogates.base import FloatArray, Prediction, register_surrogate

SIZES = {30: 1 / 15, 100: 1 / 15, 300: 1 / 10}  # rows, and how much of BoTorch's time
N_PICKS = 4
LOSS = 0.01
SPACE = reference_space(0.5)
ELEMENTS = SPACE.elements  # Ti last, where the fixed problem has it first


class Plain:
    """`SingleTaskGP` as BoTorch 0.18 has it by default: a squared exponential kernel of unit variance, and its priors.

    Lengthscales have a log-normal prior (√2 + log(d)/2, √3), the noise one of (-4, 1); inputs are scaled to [0, 1] by
    the bounds of the problem, outputs to zero mean and unit variance [Hvarfner et al., ICML 2024].
    """

    low, high = (np.array(ends) / 100 for ends in ((0.0, 0, 0, 0, 0, 50), (40.0, 30, 12, 15, 20, 90)))

    def fit(self, X: ArrayLike, y: ArrayLike, **_: object) -> Self:
        """From the same start as BoTorch, over the hyperparameters themselves as it does, so to the same mode."""
        values = np.asarray(y, dtype=np.float64)
        self._centre, self._scale = float(values.mean()), float(values.std(ddof=1))
        self._U, z = self._scaled(X), (values - values.mean()) / values.std(ddof=1)
        d = self._U.shape[1]
        self._prior = 2**0.5 + np.log(d) / 2, 3**0.5
        start = np.array([*[np.exp(self._prior[0] - self._prior[1] ** 2)] * d, np.exp(-5.0), 0.0])
        bounds = [*[(0.025, None)] * d, (1e-4, None), (None, None)]
        self.found_ = minimize(self.loss, start, (z,), jac=True, method="L-BFGS-B", bounds=bounds).x
        self._lengthscales, noise, self._mean = self.found_[:d], self.found_[d], self.found_[d + 1]
        covariance = self._kernel(self._U, self._U) + noise * np.eye(len(z))
        self._lower = np.linalg.cholesky(covariance)
        self._whitened = solve_triangular(self._lower, z - self._mean, lower=True)
        self._noise = self._scale * float(np.sqrt(noise))
        return self

    def loss(self, at: FloatArray, z: FloatArray) -> tuple[float, FloatArray]:
        """Minus the log posterior density a row, up to a constant, of lengthscales, noise and mean; its gradient."""
        d, n = self._U.shape[1], len(z)
        lengthscales, noise, mean = at[:d], at[d], at[d + 1]
        V = self._U / lengthscales
        kernel = _squared_exponential(V, V)
        lower, _ = dpotrf(kernel + noise * np.eye(n), lower=True)
        half, _ = dpotri(lower, lower=True)
        inverse = np.tril(half) + np.tril(half, -1).T
        weights = inverse @ (z - mean)
        pull = np.outer(weights, weights) - inverse
        along = pull * kernel
        off, log_noise = np.log(lengthscales) - self._prior[0], np.log(noise)
        by_length = np.einsum("ij,ij->j", V, along @ V) - (V * V * along.sum(axis=1)[:, None]).sum(axis=0)
        gradient = np.array([*by_length / lengthscales, -np.trace(pull) / 2, -weights.sum()])
        gradient[:d] += (off / self._prior[1] ** 2 + 1) / lengthscales
        gradient[d] += (log_noise + 4 + 1) / noise
        likelihood = (z - mean) @ weights / 2 + np.log(np.diag(lower)).sum()
        prior = (off**2 / (2 * self._prior[1] ** 2) + off).sum() + (log_noise + 4) ** 2 / 2 + log_noise
        return float(likelihood + prior) / n, gradient / n

    def believe(self, X: ArrayLike) -> Prediction:
        """What is believed at each row."""
        across = self._explained(X)
        std = self._scale * np.sqrt(np.maximum(1 - (across**2).sum(axis=0), 1e-14))
        mean = self._centre + self._scale * (self._mean + self._whitened @ across)
        return Prediction(mean, std, np.full(len(mean), self._noise))

    def covariance(self, A: ArrayLike, B: ArrayLike) -> FloatArray:
        """Of the property, between rows of A and of B."""
        prior = self._kernel(self._scaled(A), self._scaled(B))
        return np.asarray(self._scale**2 * (prior - self._explained(A).T @ self._explained(B)))

    def _explained(self, X: ArrayLike) -> FloatArray:
        """(n_train, n) covariances with the training values, these made independent."""
        return np.asarray(solve_triangular(self._lower, self._kernel(self._U, self._scaled(X)), lower=True))

    def _scaled(self, X: ArrayLike) -> FloatArray:
        return np.asarray((np.asarray(X) - self.low) / (self.high - self.low))

    def _kernel(self, A: FloatArray, B: FloatArray) -> FloatArray:
        return _squared_exponential(A / self._lengthscales, B / self._lengthscales)


# It has all that is asked of a surrogate here, and not all that is promised of ours.
register_surrogate("plain-botorch", "BoTorch's SingleTaskGP, written out")(cast(Any, Plain))


def _squared_exponential(A: FloatArray, B: FloatArray) -> FloatArray:
    squared = (A * A).sum(axis=1)[:, None] + (B * B).sum(axis=1) - 2 * A @ B.T
    return np.asarray(np.exp(-0.5 * np.maximum(squared, 0.0)))


def ours(X: FloatArray, Y: FloatArray, seed: int, model: str) -> FloatArray:
    """(4, 6) at.%, Ti first."""
    fractions, nothing = np.roll(X, -1, axis=1) / 100, np.full(len(X), np.nan)
    alloys, none = Alloys(ELEMENTS, fractions, {}), Alloys(ELEMENTS, fractions[:0], {})
    measured = Evidence("youngs_modulus_GPa", alloys, Y[:, 0], nothing, np.array([""] * len(X)))
    belief = learn(measured, Option(model, Features(ELEMENTS)))
    rng = np.random.default_rng(seed)
    known = outlook([Sought("youngs_modulus_GPa", Minimize(), belief)], alloys, none, none, N_PICKS, rng)
    worth = Acquisition(known, acquisition_rule("log-expected-improvement"))
    batch = propose(SPACE, worth, ELEMENTS, np.empty((0, 6), dtype=np.int64), N_PICKS, rng)
    return np.roll(SPACE.percent(batch.points), 1, axis=1)


@dataclass(frozen=True, eq=False)
class Contender:
    """One way to choose a batch, from rows (n, 6) and (n, 3) and a seed, and what came of it so far."""

    name: str
    choose: Callable[[FloatArray, FloatArray, int], FloatArray]
    seconds: list[float]
    batches: list[FloatArray]

    def turn(self, X: FloatArray, Y: FloatArray, seed: int) -> None:
        """Choose once, and keep time."""
        start = process_time()
        self.batches.append(self.choose(X, Y, seed))
        self.seconds.append(process_time() - start)


def fixed_problem(*, several: bool) -> tuple[Any, Any, Callable[[FloatArray, FloatArray, int], FloatArray]] | None:
    """The problem, what scores it, and plain BoTorch's batch from rows and a seed; None where they are not here."""
    tables = shared_data()
    if tables is None or not (tables.parent / "bench" / "suggest").is_dir():
        return None
    sys.path.insert(0, str(tables.parent / "bench" / "suggest"))
    import torch

    problem, reference = import_module("problem"), import_module("reference")

    def theirs(X: FloatArray, Y: FloatArray, seed: int) -> FloatArray:
        torch.manual_seed(seed)
        return np.asarray(reference.suggest(X, Y, several, N_PICKS))

    return problem, reference, theirs


def main() -> None:
    """Take turns, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reps", type=int, default=5)
    reps = parser.parse_args().reps
    fixed = fixed_problem(several=False)
    if fixed is None:
        print("Skipped: the fixed problem is not here.")
        return
    problem, reference, theirs = fixed

    say = partial(print, flush=True)
    say(ran_on("alloyloop", "numpy", "scipy", "torch", "gpytorch", "botorch"))
    say(f"{reps} turns each; CPU seconds of one thread, medians; batches of {N_PICKS}\n")
    with threadpool_limits(limits=1):
        for n, most in SIZES.items():
            X, Y = problem.history(n)
            say(f"{n} rows; {_same_mode(reference, X, Y)}")
            contenders = [
                Contender("plain BoTorch", theirs, [], []),
                Contender("ours, same belief", partial(ours, model="plain-botorch"), [], []),
                Contender("ours, own belief", partial(ours, model="gaussian-process"), [], []),
            ]
            for one in contenders:
                one.choose(X, Y, reps)  # warm
            for seed in range(reps):
                for one in contenders:
                    one.turn(X, Y, seed)
            base, best = median(contenders[0].seconds), -np.inf
            for one in contenders:
                seconds, score = median(one.seconds), median(reference.scores(n, False, one.batches))
                truth = median(float(problem.modulus(batch).min()) for batch in one.batches)
                off = max(problem.violations(batch)["max_bound_err"] for batch in one.batches)
                line = f"  {one.name:<18} {seconds:7.2f} s, 1/{base / seconds:<5.1f} score {score:6.3f}"
                verdict = ""
                if one is contenders[0]:
                    best = score
                elif one is contenders[1]:
                    kept = seconds <= most * base and score >= best - LOSS and off < 1e-9
                    verdict = "" if kept else f"   MISSED: 1/{1 / most:.0f}, {best - LOSS:.3f}"
                say(f"{line}, lowest modulus in truth {truth:6.2f} GPa{verdict}")
            say("")


def _same_mode(reference: Any, X: FloatArray, Y: FloatArray) -> str:
    """How the two fits of one model compare."""
    model = Plain().fit(np.roll(X, -1, axis=1) / 100, Y[:, 0])
    theirs = reference.fit(X, Y[:, 0])
    lengthscales = np.roll(theirs.covar_module.lengthscale.detach().numpy().ravel(), -1)
    there = np.array([*lengthscales, float(theirs.likelihood.noise), float(theirs.mean_module.constant)])
    z = (Y[:, 0] - Y[:, 0].mean()) / Y[:, 0].std(ddof=1)
    gap = len(X) * (model.loss(there, z)[0] - model.loss(model.found_, z)[0])
    off = np.abs(np.log(lengthscales / model.found_[:-2])).max()
    return f"log posterior density of our fit over BoTorch's {gap:+.4f}, lengthscales within {off:.2%}"


if __name__ == "__main__":
    main()
