"""The numbers that a Gaussian process learns about itself: what they mean, what is likely of them, how they are found.

Everything here is for features scaled by their ranges and outputs of unit spread. Written out in NumPy with its
gradient, since GPyTorch's modules cost 10 to 40 times as much at these sizes, and a backtest fits thousands.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import log
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.optimize import Bounds, minimize

from .base import FloatArray
from .blanks import Scenarios, average, spread_back
from .measurements import SCATTER_BOUNDS

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# Log-normal priors, as mean and standard deviation of the logarithm. The lengthscales' mean gains log(d)/2, since
# distances grow as √d; they are drawn about a mean of their own, which is itself drawn about this one.
LENGTHSCALE = (-1.0, 0.5)
LENGTHSCALES_TOGETHER = 1.0
AMPLITUDE = (-1.0, 1.0)  # variance of what departs from the trend
TREND = (2.0, 1.0)  # variance of the slopes, shared among the features that vary
OFFSET = (-2.5, 1.5)  # variance of the offsets between sources
LENGTHSCALE_BOUNDS = (0.025, 1e4)
AMPLITUDE_BOUNDS = (1e-3, 1e1)
TREND_BOUNDS = (1e-3, 1e2)
OFFSET_BOUNDS = (1e-4, 1e1)
LEANING = (0.5, 1.0)  # of the numbers whose directions give the correlations between tasks; mean and std of each
LEANING_BOUNDS = (-10.0, 10.0)
# Half-Cauchy scale of 1/lengthscale² where few of many features are thought to matter; Eriksson and Jankowiak, UAI
# 2021, draw it from a half-Cauchy of scale 0.1.
SPARSITY = 0.01
SPARSE_TREND = (-2.0, 1.0)  # there, slopes along all features alike would explain by many what is due to few

# Where there are more rows than these, the search starts from the mode of as many, and ends where a step gains less
# than this share of the log density: some thousandths, of which the default buys more with as many steps again.
MANY = 400
LEAST_GAIN = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Training:
    """Training rows as the likelihood sees them.

    Parameters
    ----------
    U : (N, d) scaled rows; more than there are values where cells are blank
    scenarios : which of the rows stand for which value; None where no cell is blank
    z : (n,) values, or what stands for a bound
    variances : (n,) known variance of each
    source : (n,) code of the source of each, those not known having one of their own
    task : (n,) which property each is of, from 0
    """

    U: FloatArray
    scenarios: Scenarios | None
    z: FloatArray
    variances: FloatArray
    source: IntArray
    task: IntArray

    @property
    def owner_task(self) -> IntArray:
        """(N,) the task of each row of U."""
        return self.task if self.scenarios is None else self.task[self.scenarios.owner]

    @property
    def n_tasks(self) -> int:
        """How many properties there are."""
        return int(self.task.max()) + 1

    @property
    def shares_source(self) -> bool:
        """Whether two values of one property have the same source: only then can an offset be told from scatter."""
        return len(np.unique(np.stack([self.source, self.task]), axis=1).T) < len(self.z)

    def same_source(self) -> FloatArray:
        """(n, n) 1 where two values share their offset."""
        same = (self.source[:, None] == self.source) & (self.task[:, None] == self.task)
        return np.asarray(same, dtype=np.float64)

    def some(self, values: IntArray) -> Training:
        """Some of the values, by ascending index."""
        scenarios, rows = None, values
        if self.scenarios is not None:
            rows = np.flatnonzero(np.isin(self.scenarios.owner, values))
            owner = np.searchsorted(values, self.scenarios.owner[rows])
            scenarios = Scenarios(self.scenarios.rows[rows], owner, self.scenarios.weight[rows])
        return Training(
            self.U[rows], scenarios, self.z[values], self.variances[values], self.source[values], self.task[values]
        )


@dataclass(frozen=True, slots=True, eq=False)
class Hyperparameters:
    """What is learned, in units of scaled features and outputs of unit spread.

    Parameters
    ----------
    lengthscales : (d,) of the Matérn kernel
    amplitude : variance of the Matérn part
    slope : variance of the slope along each feature
    scatter : (n_tasks,) variance common to all measurements of a property
    offset : variance of the offsets between sources
    correlation : (n_tasks, n_tasks) between properties
    """

    lengthscales: FloatArray
    amplitude: float
    slope: float
    scatter: FloatArray
    offset: float
    correlation: FloatArray


def matern(A: FloatArray, B: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
    """Matérn-5/2 kernel (n_a, n_b) of rows divided by their lengthscales, and its slope with respect to -r²/2."""
    r2 = np.einsum("ij,ij->i", A, A)[:, None] - 2 * A @ (A if B is None else B).T
    r2 += np.einsum("ij,ij->i", A, A) if B is None else np.einsum("ij,ij->i", B, B)
    if B is None:
        np.fill_diagonal(r2, 0)
    root = np.sqrt(np.maximum(r2, 0, out=r2), out=r2)
    root *= np.sqrt(5)
    decay = np.exp(-root)
    slope = (1 + root) * decay
    kernel = slope + root**2 * decay / 3
    slope *= 5 / 3
    return kernel, slope


class Posterior:
    """Log density of hyperparameters given training rows, up to a constant, with its gradient.

    Parameters
    ----------
    training : the rows
    n_varying : how many features vary
    scatter_priors : (n_tasks, 2) mean and standard deviation of the logarithm of each property's scatter
    offsets : whether sources have offsets
    sparse : whether few features are thought to matter
    """

    def __init__(
        self,
        training: Training,
        n_varying: int,
        scatter_priors: list[tuple[float, float]],
        offsets: bool = False,
        sparse: bool = False,
    ) -> None:
        self.training, self._n_varying, self._scatter_priors = training, n_varying, scatter_priors
        self._offsets, self._sparse = offsets, sparse
        self._d, self._n_tasks = training.U.shape[1], len(scatter_priors)
        self._lower_half = np.tril_indices(self._n_tasks, -1)
        lengthscale = (LENGTHSCALE[0] + log(n_varying) / 2, LENGTHSCALE[1])
        table = [
            *[(lengthscale, LENGTHSCALE_BOUNDS)] * self._d,
            (AMPLITUDE, AMPLITUDE_BOUNDS),
            (SPARSE_TREND if sparse else TREND, TREND_BOUNDS),
            *[(prior, SCATTER_BOUNDS) for prior in scatter_priors],
            *[(OFFSET, OFFSET_BOUNDS)] * offsets,
        ]
        priors, bounds = zip(*table, strict=True)
        n_leanings = len(self._lower_half[0])
        self._centre, self._width = np.array([*priors, *[LEANING] * n_leanings]).T
        self.lower, self.upper = np.vstack([np.log(bounds), *[LEANING_BOUNDS] * n_leanings]).T

    @cached_property
    def _trend(self) -> FloatArray:
        return self.training.U @ self.training.U.T

    @cached_property
    def _same_source(self) -> FloatArray | None:
        return self.training.same_source() if self._offsets else None

    def on(self, training: Training) -> Posterior:
        """The same of other rows."""
        return Posterior(training, self._n_varying, self._scatter_priors, self._offsets, self._sparse)

    def read(self, theta: FloatArray) -> Hyperparameters:
        """What a vector of logarithms (and leanings) says."""
        d, t = self._d, self._n_tasks
        return Hyperparameters(
            lengthscales=np.exp(theta[:d]),
            amplitude=float(np.exp(theta[d])),
            slope=float(np.exp(theta[d + 1])) / self._n_varying,
            scatter=np.exp(theta[d + 2 : d + 2 + t]),
            offset=float(np.exp(theta[d + 2 + t])) if self._offsets else 0.0,
            correlation=self._directions(theta)[0] @ self._directions(theta)[0].T,
        )

    def _directions(self, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Unit vectors (n_tasks, n_tasks), whose products are the correlations, and the lengths they had before."""
        vectors = np.eye(self._n_tasks)
        if self._n_tasks > 1:
            vectors[self._lower_half] = theta[-len(self._lower_half[0]) :]
        lengths = np.linalg.norm(vectors, axis=1)
        return vectors / lengths[:, None], lengths

    def covariance(self, at: Hyperparameters) -> FloatArray:
        """(n, n) covariance of the property at the training rows: no scatter and no offsets."""
        training = self.training
        task = training.owner_task
        whole = at.amplitude * matern(training.U / at.lengthscales)[0] + at.slope * self._trend
        if self._n_tasks > 1:
            whole *= at.correlation[np.ix_(task, task)]
        return whole if training.scenarios is None else average(whole, training.scenarios.mixing)

    def noise(self, at: Hyperparameters) -> FloatArray:
        """(n, n) covariance of measurements about the property: offsets between sources, scatter, what was stated."""
        noise = np.diag(self.training.variances + at.scatter[self.training.task])
        return noise if self._same_source is None else noise + at.offset * self._same_source

    def loss(self, theta: FloatArray) -> tuple[float, FloatArray]:
        """Negative log density, and its gradient.

        The sums over pairs of (u_i - u_j)² become products of matrices: no (n, n, d) array is made.
        """
        training, d, n_tasks = self.training, self._d, self._n_tasks
        n, at = len(training.z), self.read(theta)
        V = training.U / at.lengthscales
        shape, slope = matern(V)
        task = training.owner_task
        whole = at.amplitude * shape + at.slope * self._trend
        between = at.correlation[np.ix_(task, task)] if n_tasks > 1 else None
        coupled = whole if between is None else whole * between
        scenarios = training.scenarios
        kernel = coupled.copy() if scenarios is None else average(coupled, scenarios.mixing)
        if self._same_source is not None:
            kernel += at.offset * self._same_source
        kernel[np.diag_indices(n)] += training.variances + at.scatter[training.task]

        cholesky, _ = dpotrf(kernel, lower=True, overwrite_a=True)  # never fails: the scatter's bound sees to it
        log_determinant = 2 * np.log(np.diag(cholesky)).sum()
        inverse, _ = dpotri(cholesky, lower=True, overwrite_c=True)
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        weights = inverse @ training.z
        pull = np.outer(weights, weights)
        pull -= inverse  # twice the derivative of the likelihood by the covariance
        of_rows = pull if scenarios is None else spread_back(pull, scenarios.mixing)
        gradient = np.zeros_like(theta)
        if between is not None:
            by_task = np.zeros((n_tasks, n_tasks))
            np.add.at(by_task, (task[:, None], task[None, :]), of_rows * whole)
            of_rows = of_rows * between
            units, lengths = self._directions(theta)
            by_direction = -(by_task @ units)  # the loss by the unit vectors
            by_vector = (by_direction - np.vecdot(by_direction, units)[:, None] * units) / lengths[:, None]
            gradient[-len(self._lower_half[0]) :] = by_vector[self._lower_half]
        along = of_rows * slope
        along_rows = np.einsum("ij,ij->j", V, along @ V) - along.sum(axis=1) @ V**2  # -½ Σ along_ij (v_i - v_j)²
        gradient[:d] = at.amplitude * along_rows
        gradient[d] = -at.amplitude * np.vdot(of_rows, shape) / 2
        gradient[d + 1] = -at.slope * np.vdot(of_rows, self._trend) / 2
        own = np.bincount(training.task, np.diag(pull), minlength=n_tasks)
        gradient[d + 2 : d + 2 + n_tasks] = -at.scatter * own / 2
        if self._same_source is not None:
            gradient[d + 2 + n_tasks] = -at.offset * np.vdot(pull, self._same_source) / 2
        prior, by_prior = self._log_prior(theta)
        return float(training.z @ weights + log_determinant) / 2 - prior, gradient - by_prior

    def _log_prior(self, theta: FloatArray) -> tuple[float, FloatArray]:
        deviation = (theta - self._centre) / self._width
        d, width = self._d, self._width[0]
        # Lengthscales vary together too: their covariance is width² 1 + together² 11ᵀ.
        shared = LENGTHSCALES_TOGETHER**2 / (width**2 + d * LENGTHSCALES_TOGETHER**2)
        pulled = deviation - np.append(np.full(d, shared * deviation[:d].sum()), np.zeros(len(theta) - d))
        each, slope = -(deviation * pulled) / 2, -pulled / self._width
        if self._sparse:
            inverse_square = np.exp(-2 * theta[:d]) / SPARSITY
            # Half-Cauchy density of 1/l², times the Jacobian 2/l² of log l.
            each[:d] = -np.log1p(inverse_square**2) - 2 * theta[:d]
            slope[:d] = 4 * inverse_square**2 / (1 + inverse_square**2) - 2
        return float(each.sum()), slope

    def mode(self) -> FloatArray:
        """Most probable vector, found from the middle of the prior; where there are many rows, by way of fewer."""
        n = len(self.training.z)
        start = self._centre
        if n > MANY:
            chosen = np.sort(np.random.default_rng(0).permutation(n)[:MANY])
            start = self.on(self.training.some(chosen)).mode()
        limits = Bounds(self.lower, self.upper)
        start = np.clip(start, self.lower, self.upper)
        tolerance = LEAST_GAIN if n > MANY else None
        found = minimize(self.loss, start, jac=True, method="L-BFGS-B", bounds=limits, tol=tolerance)
        return cast(FloatArray, found.x)
