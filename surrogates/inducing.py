"""A Gaussian process of very many rows, resting on some of them: the inducing points."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from scipy.linalg import cho_solve, solve_triangular

from .base import FloatArray
from .hyperparameters import Hyperparameters, IntArray, Training, matern

MOST_EXACT = 2000  # rows that are taken in exactly
MOST_INDUCING = 800
MOST_SEARCHED = 5000  # rows that inducing points are chosen from
# Inducing points are added until the largest variance that they leave is below this share of the amplitude.
LEAST_LEFT = 1e-6
JITTER = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Inducing:
    """What a process says of any row, by its values at the inducing points.

    Parameters
    ----------
    rows : (m,) indices of the training rows that are inducing points
    weights : (m,) of their covariances with a row, in that row's mean
    here : (m,) of them, in what that row's value has in common with the offset of the source that is meant, negative
    root : (m, m) lower triangular, whose product with those covariances is as long as what is explained of the variance
    log_determinant, fit : the two parts of the log likelihood of the training values
    here_mean, here_explained : mean, and explained part of the variance, of the offset of the source that is meant

    Notes
    -----
    The projected process of Rasmussen and Williams (ch. 8.3.4), also called DTC: exact where the inducing points
    explain every training row. Offsets between sources are kept whole, as blocks of the noise.
    """

    rows: IntArray
    weights: FloatArray
    here: FloatArray
    root: FloatArray
    log_determinant: float
    fit: float
    here_mean: float
    here_explained: float

    @staticmethod
    def of(training: Training, found: Hyperparameters, here: FloatArray) -> Inducing:
        """Choose inducing points, take in all values; `here` (n,) is 1 where a value has the offset that is meant."""
        rows = _spread_out(training, found)
        task, scenarios = training.owner_task, training.scenarios
        among = _prior(training, found, rows, rows)
        among[np.diag_indices(len(rows))] += JITTER * found.amplitude
        to_rows = _prior(training, found, np.arange(len(task)), rows)
        to_values = to_rows if scenarios is None else scenarios.mixing @ to_rows
        noise = _Blocks(training, found)

        cholesky = np.linalg.cholesky(among)
        half = solve_triangular(cholesky, to_values.T, lower=True)  # (m, n)
        inner = np.linalg.cholesky(np.eye(len(rows)) + half @ noise.solve(half.T))
        asked = np.stack([training.z, found.offset * here], axis=1)
        through = noise.solve(asked)
        seen = solve_triangular(inner, half @ through, lower=True)
        weights = solve_triangular(cholesky.T, solve_triangular(inner.T, seen, lower=False), lower=False)
        (fit, here_mean), (_, here_explained) = asked.T @ through - seen.T @ seen
        # K⁻¹ - (L B Lᵀ)⁻¹ = L⁻ᵀ (1 - B⁻¹) L⁻¹ with B = 1 + A A ᵀ: what the values explain at the inducing points.
        left = np.eye(len(rows)) - cho_solve((inner, True), np.eye(len(rows)))
        values, vectors = np.linalg.eigh(left)
        root = (np.sqrt(np.clip(values, 0, None))[:, None] * vectors.T) @ solve_triangular(
            cholesky, np.eye(len(rows)), lower=True
        )
        return Inducing(
            rows=rows,
            weights=weights[:, 0],
            here=weights[:, 1],
            root=lower_root(root),
            log_determinant=noise.log_determinant + 2 * float(np.log(np.diag(inner)).sum()),
            fit=float(fit),
            here_mean=float(here_mean),
            here_explained=float(here_explained),
        )


class _Blocks:
    """The noise of training values: scatter of each, and an offset shared by those of one source and property."""

    def __init__(self, training: Training, found: Hyperparameters) -> None:
        self._diagonal = training.variances + found.scatter[training.task]
        _, self._group = np.unique(np.stack([training.source, training.task]), axis=1, return_inverse=True)
        precision = np.bincount(self._group, 1 / self._diagonal)
        self._shrink = found.offset / (1 + found.offset * precision)
        self.log_determinant = float(np.log(self._diagonal).sum() + np.log1p(found.offset * precision).sum())

    def solve(self, B: FloatArray) -> FloatArray:
        """The inverse of the noise times B (n,) or (n, k)."""
        scaled = B / (self._diagonal if B.ndim == 1 else self._diagonal[:, None])
        sums = np.zeros((len(self._shrink), *B.shape[1:]))
        np.add.at(sums, self._group, scaled)
        shared = (self._shrink if B.ndim == 1 else self._shrink[:, None]) * sums
        return np.asarray(scaled - shared[self._group] / (self._diagonal if B.ndim == 1 else self._diagonal[:, None]))


def _prior(training: Training, found: Hyperparameters, a: IntArray, b: IntArray) -> FloatArray:
    """Prior covariance (n_a, n_b) of the property between some training rows and others."""
    U, task = training.U, training.owner_task
    V = U / found.lengthscales
    covariance = found.amplitude * matern(V[a], V[b])[0] + found.slope * (U[a] @ U[b].T)
    return np.asarray(covariance * found.correlation[np.ix_(task[a], task[b])])


def _spread_out(training: Training, found: Hyperparameters) -> IntArray:
    """Training rows of which each was the least explained by those before: a pivoted Cholesky factorisation."""
    n = len(training.U)
    searched = np.sort(np.random.default_rng(0).permutation(n)[:MOST_SEARCHED])
    U, V = training.U[searched], training.U[searched] / found.lengthscales
    task = training.owner_task[searched]
    left = found.amplitude + found.slope * np.einsum("ij,ij->i", U, U)
    factor = np.zeros((min(MOST_INDUCING, len(searched)), len(searched)))
    chosen: list[int] = []
    for step in range(len(factor)):
        pivot = int(np.argmax(left))
        if left[pivot] < LEAST_LEFT * found.amplitude:
            break
        chosen.append(pivot)
        kernel = found.amplitude * matern(V[pivot : pivot + 1], V)[0][0] + found.slope * (U @ U[pivot])
        kernel *= found.correlation[task[pivot], task]
        factor[step] = (kernel - factor[:step, pivot] @ factor[:step]) / sqrt(left[pivot])
        left = np.maximum(left - factor[step] ** 2, 0)
        left[pivot] = 0
    return np.sort(searched[chosen])


def lower_root(root: FloatArray) -> FloatArray:
    """The lower triangular L (n, n) with LᵀL = RᵀR for any R (m, n)."""
    n = root.shape[1]
    padded = np.vstack([root[:, ::-1], np.zeros((max(0, n - len(root)), n))])
    upper = np.asarray(np.linalg.qr(padded, mode="r"))
    return np.ascontiguousarray(upper[::-1, ::-1])
