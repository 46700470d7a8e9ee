"""A Gaussian process for few, noisy measurements: a scikit-learn regressor that BoTorch can ask too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import lru_cache
from math import hypot, log, pi, sqrt
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import cho_solve
from scipy.linalg.lapack import dpotrf, dtrtri
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import ThreadpoolController

from .base import HERE, FloatArray, Prediction
from .blanks import MOST, Scenarios, scenarios
from .censoring import censored_sites
from .errors import AlloyloopError
from .hyperparameters import BoolArray, Hyperparameters, IntArray, Posterior, Training, matern
from .inducing import MOST_EXACT, Inducing, lower_root
from .joint import NormalModel
from .measurements import (
    asked_rows,
    bounds_stated,
    check_resolvable,
    scatter_prior,
    spread,
    stated_noise,
    training_arrays,
)
from .model import SurrogateModel
from .outliers import extra_variances, leave_one_out
from .sweep import Sweep

if TYPE_CHECKING:
    from torch import Tensor

ROUNDS_OF_BOUNDS = 2  # of finding what stands for bounds, each followed by a new fit
MOST_ROUNDS = 3  # of looking for outliers, each followed by a new fit
MOST_AGAIN = 25.0  # usual variances that one that disagrees is taken to have, at most, when the next is foreseen
MOST_SCENARIOS = 2000  # rows that stand for rows with blanks, roughly
MOST_LEARNED = 1000  # values that hyperparameters are learned from, where there are more than can be taken in exactly


class GaussianProcess(SurrogateModel, NormalModel):
    """Gaussian process: a linear trend and, about it, a Matérn-5/2 kernel of one lengthscale a feature.

    Fitted to the mode of its posterior. The trend is a part of the kernel, a Bayesian linear regression about the mean
    of the data; beyond the range that a feature has in them it stays where it is at the end of that range, since a
    slope learned from a trace of an element says nothing of ten percent. Inputs are scaled by their ranges and outputs
    to unit spread inside; everything that goes in or comes out is in the units of X and y.

    A scatter common to all rows is learned, and the `noise` stated of a row is added to it. Rows of one source (a
    paper, a laboratory) share a random offset, whose size is learned where several rows do. What is predicted has the
    offset of `HERE`, if rows come from there; else an unknown one scatters. Bounds ("<12") are learned from by
    expectation propagation. A row that disagrees with all others together is given the extra variance that makes it
    likely, and named in `outliers_`. Several properties may be learned together, by tasks whose correlation is learned.
    Beyond 2 000 rows the posterior rests on inducing points.

    Parameters
    ----------
    bounds : (2, n_features) lowest and highest value of each feature, to scale by; the ranges of the data if not given
    noise_prior : usual standard deviation of one measurement, in the unit of y; a good guess matters with few rows
    blanks : indices of features that may be NaN, a value that is not known, which is integrated out
    sparse : whether few of many features are thought to matter (half-Cauchy priors on inverse squared lengthscales)
    robust : whether measurements that disagree are found and given extra variance

    Attributes
    ----------
    lengthscales_ : (n_features,) in the unit of each feature
    relevances_ : (n_features,) share of each feature in what the property varies by over the data; they sum to 1
    noise_ : standard deviation of a new measurement about the property, in the unit of y
    source_std_ : standard deviation of the offsets between sources, in the unit of y
    scale_ : spread of the property over the data, in the unit of y
    correlations_ : (n_tasks, n_tasks) between the properties learned together
    hyperparameters_ : all that was learned, for scaled features and outputs of unit spread
    outliers_ : indices of the rows that disagree with all others
    log_likelihood_ : log marginal likelihood of y; of the sites that stand for bounds, where there are bounds

    Examples
    --------
    >>> X, y = np.array([[0.0], [20.0], [40.0]]), np.array([110.0, 70.0, 65.0])
    >>> gp = GaussianProcess(bounds=[[0], [50]], noise_prior=5.0).fit(X, y)
    >>> mean, std = gp.predict([[20.0], [50.0]], return_std=True)
    >>> bool(std[0] < std[1])
    True

    References
    ----------
    Rasmussen and Williams, Gaussian Processes for Machine Learning, MIT Press 2006, ch. 2, 3 and 5;
    Bonilla et al., NeurIPS 20 (2008) 153, of tasks; Eriksson and Jankowiak, UAI 2021, of sparse axes.
    """

    def __init__(
        self,
        *,
        bounds: ArrayLike | None = None,
        noise_prior: float | None = None,
        blanks: Sequence[int] = (),
        sparse: bool = False,
        robust: bool = True,
    ) -> None:
        self.bounds = bounds
        self.noise_prior = noise_prior
        self.blanks = blanks
        self.sparse = sparse
        self.robust = robust

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        noise: ArrayLike | None = None,
        censored: ArrayLike | None = None,
        source: ArrayLike | None = None,
        task: ArrayLike | None = None,
    ) -> Self:
        """Learn from measurements; see `Surrogate.fit`.

        Parameters
        ----------
        X, y, noise, censored, source : as for every surrogate
        task : (n,) which property each value is of; 0, the first, is the one that is predicted
        """
        X, y = training_arrays(self, X, y, self.blanks)
        tasks = _tasks(task, len(y))
        sign = bounds_stated(censored, len(y))
        stated = stated_noise(noise, len(y))
        self._set_scales(y, stated, tasks, sign == 0)
        self._donors, self._never_known = X, np.isnan(X).all(axis=0)
        filled = self._filled(X) if np.isnan(X).any() else None
        rows = X if filled is None else filled.rows
        self._range, n_varying = _scaling(rows, self.bounds)
        self._origin = rows.mean(axis=0)
        U = (rows - self._origin) / self._range
        self._lowest, self._highest = U.min(axis=0), U.max(axis=0)
        z, variances = (y - self._centres[tasks]) / self._scales[tasks], (stated / self._scales[tasks]) ** 2
        training = Training(U, filled, z, variances, _source_codes(source, len(y)), tasks)
        priors = [scatter_prior(self.noise_prior if i == 0 else None, s) for i, s in enumerate(self._scales)]
        offsets = training.shares_source
        with _threads(len(y)):
            self._learn(
                training,
                sign,
                lambda rows: Posterior(rows, n_varying, priors, offsets, self.sparse),
                _here(source, tasks),
            )
        return self

    def _set_scales(self, y: FloatArray, stated: FloatArray, tasks: IntArray, exact: BoolArray) -> None:
        """Mean and spread of each property, by its exact values where it has some."""
        self._centres, self._scales = np.empty((2, int(tasks.max()) + 1))
        self._typical = float(np.median(stated[tasks == 0]))
        for i in range(len(self._scales)):
            of = tasks == i
            if not of.any():
                raise AlloyloopError(f"there is no value of task {i}", "Number the properties from 0 without a gap.")
            usual = self.noise_prior if i == 0 else None
            told = of & exact if (of & exact).any() else of
            self._centres[i] = np.mean(y[told])
            self._scales[i] = spread(y[told], fallback=usual or sqrt(float(np.mean(stated[of] ** 2))))
        self.scale_ = float(self._scales[0])

    def _learn(
        self, training: Training, sign: IntArray, posterior: Callable[[Training], Posterior], here: FloatArray
    ) -> None:
        """Learn the hyperparameters, and on the way what stands for bounds and which values disagree."""
        few = _evenly(len(training.z))
        told, exact = training, few[sign[few] == 0]
        theta = posterior(told.some(exact if len(exact) else few)).mode()
        for _ in range(ROUNDS_OF_BOUNDS if sign.any() else 0):
            training = _with_sites(told, sign, posterior, theta, few)
            theta = posterior(training.some(few)).mode()
        self.outliers_ = np.empty(0, dtype=np.intp)
        given = training.variances
        for _ in range(MOST_ROUNDS if self.robust and len(few) == len(given) else 0):
            extra = np.where(sign == 0, _disagreeing(posterior(replace(training, variances=given)), theta), 0.0)
            if np.array_equal(extra > 0, training.variances > given):
                break
            training = replace(training, variances=given + extra)
            theta = posterior(training).mode()
            self.outliers_ = np.flatnonzero(extra)
        self._extra = training.variances - given
        if sign.any():  # so that what stands for bounds is what they say under the hyperparameters that were found
            training = _with_sites(replace(told, variances=told.variances + self._extra), sign, posterior, theta, few)
        self._training = training
        learned = posterior(training)
        self._take(learned, learned.read(theta), here)

    def _take(self, learned: Posterior, found: Hyperparameters, here: FloatArray) -> None:
        """Work out what predicting needs.

        The prior covariances k of a row with those of `_U` give its mean as k · weights, what is explained of its
        variance as |root k|², and its covariance with the offset of the source that is meant as -k · of_here.
        """
        training = self._training
        task = training.owner_task
        if len(training.z) > MOST_EXACT:
            sparse = Inducing.of(training, found, here)
            self._U, task, weights, root = training.U[sparse.rows], task[sparse.rows], sparse.weights, sparse.root
            fit, log_determinant = sparse.fit, sparse.log_determinant
            of_here, here_mean, here_explained = sparse.here, sparse.here_mean, sparse.here_explained
        else:
            self._cholesky, _ = dpotrf(learned.covariance(found) + learned.noise(found), lower=True, clean=True)
            offsets = found.offset * here
            weights, of_here = cho_solve((self._cholesky, True), np.stack([training.z, offsets], axis=1)).T
            root, _ = dtrtri(self._cholesky, lower=True)
            fit, log_determinant = float(training.z @ weights), 2 * float(np.log(np.diag(self._cholesky)).sum())
            here_mean, here_explained = float(offsets @ weights), float(offsets @ of_here)
            self._U = training.U
            if training.scenarios is not None:
                mixing = training.scenarios.mixing
                weights, of_here, root = mixing.T @ weights, mixing.T @ of_here, lower_root(root @ mixing)
        with_first = found.correlation[0, task]
        self._weights, self._of_here, self._root = with_first * weights, with_first * of_here, root * with_first
        self._centre = float(self._centres[0] + self.scale_ * here_mean)
        # The offset of a source that rows come from is a part of what is believed; that of any other one scatters.
        meant = bool(here.any())
        self._here_variance = max(found.offset - here_explained, 0.0) if meant else 0.0
        scatter = found.scatter[0] + (0.0 if meant else found.offset) + self._again(found)
        self.noise_ = hypot(sqrt(scatter) * self.scale_, self._typical)
        self.source_std_ = sqrt(found.offset) * self.scale_
        self.correlations_ = found.correlation
        self.hyperparameters_ = found
        self.lengthscales_ = found.lengthscales * self._range
        log_scales = float(np.log(self._scales[training.task]).sum())
        self.log_likelihood_ = -(fit + log_determinant + len(training.z) * log(2 * pi)) / 2 - log_scales
        self.relevances_ = self._relevances(found)
        self._sweep = Sweep.of(self)

    def _again(self, found: Hyperparameters) -> float:
        """What measurements that disagree add to the variance of the next: they come again, misprints less often."""
        usual = self._training.variances - self._extra + found.scatter[self._training.task]
        return float(np.mean(np.minimum(self._extra, MOST_AGAIN * usual)[self._training.task == 0]))

    def _relevances(self, found: Hyperparameters) -> FloatArray:
        """What the property varies by between two rows that differ in one feature alone, as shares of all features.

        By the departures from the trend that its lengthscale allows, and by the slope that was learned.
        """
        away = np.std(self._U, axis=0)
        root = np.sqrt(10) * away / found.lengthscales
        slopes = found.slope * (self._weights @ self._U)
        moved = found.amplitude * (1 - (1 + root + root**2 / 3) * np.exp(-root)) + (slopes * away) ** 2
        total = float(moved.sum())
        return np.asarray(moved / total if total > 0 else np.full(len(moved), 1 / len(moved)))

    def _expected(self, X: ArrayLike) -> FloatArray:
        rows, filled = self._asked(X)
        mean = self._sweep.mean(rows)
        return mean if filled is None else np.asarray(filled.mixing @ mean)

    def believe(self, X: ArrayLike) -> Prediction:
        """What is believed of the property at each row, and of a measurement of it."""
        rows, filled = self._asked(X)
        mean, std = self._sweep.mean_and_std(rows)
        if filled is not None:  # the unknown level is a part of what is not known
            each, mean = mean, filled.mixing @ mean
            std = np.sqrt(filled.mixing @ (std**2 + (each - mean[filled.owner]) ** 2))
        return Prediction(mean=mean, std=std, noise=np.full(len(mean), self.noise_))

    def covariance(self, A: ArrayLike, B: ArrayLike) -> FloatArray:
        """Posterior covariance (n_a, n_b) of the property itself between rows of A and rows of B."""
        (rows_a, filled_a), (rows_b, filled_b) = self._asked(A), self._asked(B)
        U_a, U_b = self._scaled(rows_a), self._scaled(rows_b)
        k_a, k_b = (self._kernel(U, self._U) for U in (U_a, U_b))
        covariance = self._kernel(U_a, U_b) - k_a @ self._root.T @ (k_b @ self._root.T).T
        covariance += self._here_variance - (k_a @ self._of_here)[:, None] - k_b @ self._of_here
        if filled_a is not None:
            covariance = filled_a.mixing @ covariance
        if filled_b is not None:
            covariance = covariance @ filled_b.mixing.T
        covariance = np.asarray(self.scale_**2 * covariance)
        if filled_a is not None and np.array_equal(np.asarray(A), np.asarray(B), equal_nan=True):
            # What is not known of a row varies with it alone: its variance is the whole one.
            np.fill_diagonal(covariance, self.believe(A).std ** 2)
        return covariance

    def leave_one_out(self) -> Prediction:
        """What is believed of each training value (n,) of the property by all others, with the fit as it is.

        Its `measured_std` is that of the value: it holds the noise stated of it and the offset of its source, and not
        what an outlier was given beside.
        """
        check_is_fitted(self)
        training = self._training
        if len(training.z) > MOST_EXACT:
            raise AlloyloopError(
                f"each of {len(training.z)} values cannot be left out of a process that rests on inducing points"
            )
        inverse = cho_solve((self._cholesky, True), np.eye(len(training.z)))
        mean, variance = leave_one_out(inverse, inverse @ training.z, training.z)
        own = training.task == 0
        variance -= self._extra  # of the rest of a value that was given a variance of its own
        noise = np.minimum(training.variances - self._extra + self.hyperparameters_.scatter[0], variance)[own]
        return Prediction(
            mean=self._centres[0] + self.scale_ * mean[own],
            std=self.scale_ * np.sqrt(variance[own] - noise),
            noise=self.scale_ * np.sqrt(noise),
        )

    def _asked(self, X: ArrayLike) -> tuple[FloatArray, Scenarios | None]:
        """Rows without blanks, and whose they are where some had blanks."""
        rows = asked_rows(self, X, self.blanks)
        if self._never_known.any():
            rows = np.where(self._never_known, 0.0, rows)  # where training has 0 too: nothing is known of its effect
        if not np.isnan(rows).any():
            return rows, None
        filled = self._filled(rows)
        return filled.rows, filled

    def _filled(self, rows: FloatArray) -> Scenarios:
        """What rows with blanks may be; the more there are, the fewer levels stand for each."""
        n_blank = int(np.isnan(rows).any(axis=1).sum())
        return scenarios(rows, self.blanks, self._donors, most=int(np.clip(MOST_SCENARIOS // n_blank, 2, MOST)))

    def _scaled(self, X: FloatArray) -> FloatArray:
        """Rows about the mean of the data, in units of the features' ranges."""
        return np.asarray((X - self._origin) / self._range)

    def _kernel(self, A: FloatArray, B: FloatArray) -> FloatArray:
        """Prior covariance (n_a, n_b) of scaled rows, for outputs of unit spread: the Matérn kernel and the trend."""
        inside = [np.clip(U, self._lowest, self._highest) for U in (A, B)]
        shape = matern(A / self.hyperparameters_.lengthscales, B / self.hyperparameters_.lengthscales)[0]
        trend = inside[0] @ inside[1].T
        return np.asarray(self.hyperparameters_.amplitude * shape + self.hyperparameters_.slope * trend)

    @property
    def _noise_variance(self) -> float:
        return float(self.noise_**2)

    def _mean_at(self, X: Tensor) -> Tensor:
        import torch

        kernel = self._torch_kernel(X, torch.from_numpy(self._train_rows()))
        return self._centre + self.scale_ * (kernel @ torch.from_numpy(self._weights))

    def _covariance_of(self, A: Tensor, B: Tensor) -> Tensor:
        import torch

        train, of_here = torch.from_numpy(self._train_rows()), torch.from_numpy(self._of_here)
        root = torch.from_numpy(np.ascontiguousarray(self._root.T))
        k_a, k_b = (self._torch_kernel(rows, train) for rows in (A, B))
        covariance = self._torch_kernel(A, B) - (k_a @ root) @ (k_b @ root).mT
        covariance = covariance + self._here_variance - (k_a @ of_here).unsqueeze(-1) - (k_b @ of_here).unsqueeze(-2)
        return self.scale_**2 * covariance

    def _train_rows(self) -> FloatArray:
        """Training rows (N, n_features) in the units of X."""
        return np.asarray(self._U * self._range + self._origin)

    def _torch_kernel(self, A: Tensor, B: Tensor) -> Tensor:
        """As `_kernel`, of rows in the units of X."""
        import torch

        check_is_fitted(self)
        check_resolvable(self.scale_)
        origin, size, lowest, highest, lengthscales = (
            torch.from_numpy(part)
            for part in (self._origin, self._range, self._lowest, self._highest, self.hyperparameters_.lengthscales)
        )
        A, B = (A - origin) / size, (B - origin) / size
        r2 = ((A / lengthscales).unsqueeze(-2) - (B / lengthscales).unsqueeze(-3)).square().sum(-1)
        root = (5 * r2.clamp_min(1e-20)).sqrt()  # never 0, where the square root has no slope
        shape = (1 + root + root.square() / 3) * (-root).exp()
        inside = A.clamp(lowest, highest) @ B.clamp(lowest, highest).mT
        return self.hyperparameters_.amplitude * shape + self.hyperparameters_.slope * inside

    def posterior(self, X: Tensor, *args: Any, **kwargs: Any) -> Any:
        """BoTorch's joint posterior at X (..., q, n_features), differentiable, in the units of X and y."""
        check_is_fitted(self)
        return super().posterior(X, *args, **kwargs)


def _tasks(task: ArrayLike | None, n: int) -> IntArray:
    tasks = np.zeros(n, dtype=np.int64) if task is None else np.asarray(task, dtype=np.int64).ravel()
    if len(tasks) != n:
        raise AlloyloopError(f"there are {n} measured values but {len(tasks)} tasks")
    return tasks


def _source_codes(source: ArrayLike | None, n: int) -> IntArray:
    """A whole number (n,) for each source; a row whose source is not known has one of its own."""
    if source is None:
        return np.arange(n)
    names = np.asarray(source, dtype=np.str_).ravel()
    if len(names) != n:
        raise AlloyloopError(f"there are {n} measured values but {len(names)} sources")
    codes = np.unique(names, return_inverse=True)[1].astype(np.int64)
    own = names == ""
    codes[own] = n + np.flatnonzero(own)
    return codes


def _here(source: ArrayLike | None, task: IntArray) -> FloatArray:
    """(n,) 1 where a value of the first property was measured here, where predictions are wanted."""
    names = np.full(len(task), "") if source is None else np.asarray(source, dtype=np.str_).ravel()
    return np.asarray((names == HERE) & (task == 0), dtype=np.float64)


def _evenly(n: int) -> IntArray:
    """Indices of so many of n values as hyperparameters are learned from, drawn evenly."""
    few = np.random.default_rng(0).permutation(n)[:MOST_LEARNED] if n > MOST_EXACT else np.arange(n)
    return np.sort(few)


def _with_sites(
    training: Training, sign: IntArray, posterior: Callable[[Training], Posterior], theta: FloatArray, few: IntArray
) -> Training:
    """Normal measurements in the place of bounds: those that teach the same beside `few` of the values."""
    among = np.union1d(few, np.flatnonzero(sign))
    at = posterior(training.some(among))
    found = at.read(theta)
    scatter = found.scatter[at.training.task]
    own = at.training.variances + scatter
    shared = at.covariance(found) + at.noise(found) - np.diag(own)  # with the offset that rows of one source share
    z, variances = training.z.copy(), training.variances.copy()
    z[among], sites = censored_sites(shared, at.training.z, own, sign[among])
    variances[among] = np.maximum(sites - scatter, 0)
    return replace(training, z=z, variances=np.where(sign == 0, training.variances, variances))


def _disagreeing(at: Posterior, theta: FloatArray) -> FloatArray:
    """Extra variance (n,) of the values that disagree with all others."""
    found, training = at.read(theta), at.training
    scatter = training.variances + found.scatter[training.task]
    return extra_variances(at.covariance(found) + at.noise(found), training.z, scatter)


def _scaling(X: FloatArray, bounds: ArrayLike | None) -> tuple[FloatArray, int]:
    """Range (n_features,) of each feature, and how many features vary (at least 1)."""
    if bounds is None:
        low, high = X.min(axis=0), X.max(axis=0)
    else:
        limits = np.asarray(bounds, dtype=np.float64)
        if limits.shape != (2, X.shape[1]) or not np.isfinite(limits).all() or (limits[0] > limits[1]).any():
            raise AlloyloopError(
                f"bounds of shape {limits.shape} do not give {X.shape[1]} features a lowest and a highest value",
                "Give two rows of finite numbers, lowest values first.",
            )
        low, high = limits
    size = np.maximum(np.abs(low), np.abs(high))
    varies = high - low > 1e-12 * size
    # A feature that never varied has no range to learn from; its own size is the only yardstick there is.
    return np.where(varies, high - low, np.where(size > 0, size, 1.0)), max(1, int(varies.sum()))


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def _threads(n: int) -> AbstractContextManager[object]:
    """One linear-algebra thread while matrices are small: there, more threads only wait for each other."""
    if n >= 500:
        return nullcontext()
    return cast(AbstractContextManager[object], _controller().limit(limits=1, user_api="blas"))
