"""A Gaussian process for few, noisy measurements: a scikit-learn regressor and a BoTorch model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import lru_cache
from math import exp, hypot, log, sqrt
from typing import Any, Literal, Self, cast, overload

import numpy as np
import torch
from botorch.models.gp_regression import SingleTaskGP
from botorch.models.model import Model
from botorch.models.transforms.input import Normalize
from botorch.models.transforms.outcome import Standardize
from gpytorch.kernels import LinearKernel, MaternKernel
from numpy.typing import ArrayLike
from scipy.linalg import cho_solve, solve_triangular
from scipy.optimize import Bounds, minimize
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import ThreadpoolController
from torch import Tensor

from .base import FloatArray, Prediction
from .errors import AlloyloopError
from .measurements import (
    SCATTER_BOUNDS,
    asked_rows,
    check_resolvable,
    scatter_prior,
    spread,
    stated_noise,
    training_arrays,
)

# Log-normal prior, for inputs scaled to [0, 1]: mean and standard deviation of the logarithm. Chosen, together with the
# scatter's, by held-out likelihood and coverage at 3 to 100 rows of thirteen tables of alloys and processes; BoTorch's
# (√2 + log(d)/2, √3) and (-4, 1) give errors 3 to 6 % larger, and their 90 % intervals hold 75 % at 10 and 30 rows.
LENGTHSCALE_PRIOR = (-1.0, 0.5)  # the mean gains log(d)/2, since distances grow as √d
LENGTHSCALE_BOUNDS = (0.025, 1e4)
# Prior variance of the linear trend, for outputs of unit spread, shared among the features that vary. On ten tables of
# alloys and processes, 10 to 100 rows of each, it lowers the error by 3 % and worsens none by more than 1 %.
TREND_VARIANCE = 2.0

BLOCK = 4096  # rows predicted at a time


class GaussianProcess(RegressorMixin, BaseEstimator, Model):  # type: ignore[misc]  # these come without types
    """Gaussian process: a linear trend and, about it, a Matérn-5/2 kernel of one lengthscale a feature.

    Fitted to the mode of its posterior. The trend is a part of the kernel, a Bayesian linear regression about the mean
    of the data; beyond the range that a feature has in them it stays where it is at the end of that range, since a
    slope learned from a trace of an element says nothing of ten percent. Inputs are scaled by their ranges and outputs
    to unit spread inside; everything that goes in or comes out is in the units of X and y. A scatter common to all rows
    is learned, and the `noise` stated of a row is added to it.

    Parameters
    ----------
    bounds : (2, n_features) lowest and highest value of each feature, to scale by; the ranges of the data if not given
    noise_prior : usual standard deviation of one measurement, in the unit of y; a good guess matters with few rows

    Attributes
    ----------
    lengthscales_ : (n_features,) in the unit of each feature
    noise_ : standard deviation of a new measurement about the property, in the unit of y
    scale_ : prior standard deviation of the property at the mean of the data, in the unit of y

    Examples
    --------
    >>> X, y = np.array([[0.0], [20.0], [40.0]]), np.array([110.0, 70.0, 65.0])
    >>> gp = GaussianProcess(bounds=[[0], [50]], noise_prior=5.0).fit(X, y)
    >>> mean, std = gp.predict([[20.0], [50.0]], return_std=True)
    >>> bool(std[0] < std[1])
    True

    References
    ----------
    Rasmussen and Williams, Gaussian Processes for Machine Learning, MIT Press 2006, ch. 2 and 5.
    """

    def __init__(self, *, bounds: ArrayLike | None = None, noise_prior: float | None = None) -> None:
        super().__init__()
        self.bounds = bounds
        self.noise_prior = noise_prior

    def fit(self, X: ArrayLike, y: ArrayLike, *, noise: ArrayLike | None = None) -> Self:
        """Learn from measurements; see `Surrogate.fit`."""
        X, y = training_arrays(self, X, y)
        stated = stated_noise(noise, len(y))
        typical = sqrt(float(np.mean(stated**2)))
        self._botorch: SingleTaskGP | None = None
        self._range, n_varying = _scaling(X, self.bounds)
        self._origin, self._centre = X.mean(axis=0), float(np.mean(y))
        self._slope_variance = TREND_VARIANCE / n_varying
        self.scale_ = spread(y, fallback=self.noise_prior or typical)
        noise_prior = scatter_prior(self.noise_prior, self.scale_)
        U, z = (X - self._origin) / self._range, (y - self._centre) / self.scale_
        variances = (stated / self.scale_) ** 2
        self._lowest, self._highest = U.min(axis=0), U.max(axis=0)
        with _threads(len(y)):
            trend = self._slope_variance * (U @ U.T)
            theta = _posterior_mode(U, z, trend, variances, LENGTHSCALE_PRIOR[0] + log(n_varying) / 2, noise_prior)
            self._lengthscales = np.exp(theta[:-1])
            self._train_X, self._train_z, self._train_U = X, z, U
            self._variances = variances + exp(theta[-1])
            self._cholesky = np.linalg.cholesky(self._kernel(U) + np.diag(self._variances))
            self._weights = cho_solve((self._cholesky, True), z)
        self.lengthscales_ = self._lengthscales * self._range
        self.noise_ = hypot(exp(theta[-1] / 2) * self.scale_, typical)
        return self

    @overload
    def predict(self, X: ArrayLike, return_std: Literal[False] = False) -> FloatArray: ...
    @overload
    def predict(self, X: ArrayLike, return_std: Literal[True]) -> tuple[FloatArray, FloatArray]: ...
    def predict(self, X: ArrayLike, return_std: bool = False) -> FloatArray | tuple[FloatArray, FloatArray]:
        """Expected values (n,), and with `return_std` the standard deviations (n,) of a new measurement."""
        if return_std:
            belief = self.believe(X)
            return belief.mean, belief.measured_std
        return np.concatenate([self._mean(self._kernel(U, self._train_U)) for U in self._blocks(X)])

    def believe(self, X: ArrayLike) -> Prediction:
        """What is believed of the property at each row, and of a measurement of it."""
        means, stds = [], []
        for U in self._blocks(X):
            k = self._kernel(U, self._train_U)
            means.append(self._mean(k))
            explained = self._explained(k)
            inside = self._inside(U)
            prior = 1 + self._slope_variance * np.einsum("ij,ij->i", inside, inside)
            stds.append(self.scale_ * np.sqrt(np.clip(prior - np.einsum("ij,ij->j", explained, explained), 0, None)))
        mean = np.concatenate(means)
        return Prediction(mean=mean, std=np.concatenate(stds), noise=np.full(len(mean), self.noise_))

    def covariance(self, A: ArrayLike, B: ArrayLike) -> FloatArray:
        """Posterior covariance (n_a, n_b) of the property itself between rows of A and rows of B."""
        U_a, U_b = self._scaled(A), self._scaled(B)
        explained_a, explained_b = (self._explained(self._kernel(U, self._train_U)) for U in (U_a, U_b))
        return np.asarray(self.scale_**2 * (self._kernel(U_a, U_b) - explained_a.T @ explained_b))

    def sample(self, X: ArrayLike, n_samples: int, rng: np.random.Generator) -> FloatArray:
        """Joint draws (n_samples, n) of the property itself, noise free."""
        return rng.multivariate_normal(self.predict(X), self.covariance(X, X), n_samples, "ignore", method="eigh")

    def _scaled(self, X: ArrayLike) -> FloatArray:
        """Rows about the mean of the data, in units of the features' ranges."""
        return np.asarray((asked_rows(self, X) - self._origin) / self._range)

    def _blocks(self, X: ArrayLike) -> Iterator[FloatArray]:
        """Scaled rows, block by block: many rows need no more memory than some thousands."""
        U = self._scaled(X)
        for start in range(0, len(U), BLOCK):
            yield U[start : start + BLOCK]

    def _kernel(self, A: FloatArray, B: FloatArray | None = None) -> FloatArray:
        """Prior covariance (n_a, n_b) of scaled rows, for outputs of unit spread: the Matérn kernel and the trend."""
        V_b = None if B is None else B / self._lengthscales
        trend = self._slope_variance * (self._inside(A) @ self._inside(A if B is None else B).T)
        return np.asarray(_matern(A / self._lengthscales, V_b)[0] + trend)

    def _inside(self, U: FloatArray) -> FloatArray:
        """Scaled rows drawn in to the range of the training rows, feature by feature: what the trend sees."""
        return np.clip(U, self._lowest, self._highest)

    def _mean(self, k: FloatArray) -> FloatArray:
        return np.asarray(self._centre + self.scale_ * (k @ self._weights))

    def _explained(self, k: FloatArray) -> FloatArray:
        """(n_train, n) whose columns' products are the prior covariance that the data explain."""
        return cast(FloatArray, solve_triangular(self._cholesky, k.T, lower=True))

    def as_single_task_gp(self) -> SingleTaskGP:
        """The same posterior as a BoTorch `SingleTaskGP`, in the units of X and y; made when first asked for."""
        check_is_fitted(self)
        check_resolvable(self.scale_)
        if self._botorch is None:
            self._botorch = self._single_task_gp()
        return self._botorch

    def _single_task_gp(self) -> SingleTaskGP:
        def column(values: FloatArray) -> Tensor:
            return torch.from_numpy(values).unsqueeze(-1)

        matern = MaternKernel(nu=2.5, ard_num_dims=len(self._lengthscales)).double()
        matern.lengthscale = torch.from_numpy(self._lengthscales)
        trend = _BoundedTrend(torch.from_numpy(self._lowest), torch.from_numpy(self._highest)).double()
        trend.variance = self._slope_variance
        limits = torch.from_numpy(np.stack([self._origin, self._origin + self._range]))
        model = SingleTaskGP(
            torch.from_numpy(self._train_X),
            column(self._train_z),
            column(self._variances),
            covar_module=matern + trend,
            outcome_transform=None,
            input_transform=Normalize(len(self._origin), bounds=limits),
        )
        # Set and not learned: our spread is widened for few rows, and SingleTaskGP would learn it anew.
        outcome = Standardize(m=1).double()
        outcome.means.fill_(self._centre)
        outcome.stdvs.fill_(self.scale_)
        outcome._stdvs_sq.fill_(self.scale_**2)
        outcome._is_trained.fill_(True)
        model.outcome_transform = outcome
        return model.requires_grad_(False).eval()

    @property
    def num_outputs(self) -> int:
        """One property."""
        return 1

    @property
    def batch_shape(self) -> torch.Size:
        """Not batched."""
        return torch.Size()

    def posterior(self, X: Tensor, *args: Any, **kwargs: Any) -> Any:
        """BoTorch's joint posterior at X (..., q, n_features), differentiable, in the units of X and y."""
        return self.as_single_task_gp().posterior(X.double(), *args, **kwargs)

    def condition_on_observations(self, X: Tensor, Y: Tensor, **kwargs: Any) -> Model:
        """BoTorch model (a `SingleTaskGP`) that has seen Y (..., q, 1) at X (..., q, n_features) as well."""
        model = self.as_single_task_gp()
        with torch.no_grad():
            model.posterior(X.double())  # fills the caches that a fantasy model starts from
        kwargs.setdefault("noise", torch.full_like(Y, float(np.mean(self._variances))))
        return model.condition_on_observations(X.double(), Y.double(), **kwargs)

    def fantasize(self, X: Tensor, *args: Any, **kwargs: Any) -> Model:
        """BoTorch's fantasy models at X; see `SingleTaskGP.fantasize`."""
        return self.as_single_task_gp().fantasize(X.double(), *args, **kwargs)


class _BoundedTrend(LinearKernel):  # type: ignore[misc]  # gpytorch comes without types
    """Linear kernel of inputs drawn in to a range, feature by feature."""

    lowest: Tensor
    highest: Tensor

    def __init__(self, lowest: Tensor, highest: Tensor) -> None:
        super().__init__()
        self.register_buffer("lowest", lowest)
        self.register_buffer("highest", highest)

    def forward(
        self, x1: Tensor, x2: Tensor, diag: bool = False, last_dim_is_batch: bool | None = False, **params: Any
    ) -> Any:
        """GPyTorch's covariance of two sets of rows."""
        inside = (x.clamp(self.lowest, self.highest) for x in (x1, x2))
        return super().forward(*inside, diag=diag, last_dim_is_batch=last_dim_is_batch, **params)


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


def _matern(A: FloatArray, B: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
    """Matérn-5/2 kernel (n_a, n_b) of rows divided by their lengthscales, and its slope with respect to -r²/2."""
    r2 = np.einsum("ij,ij->i", A, A)[:, None] - 2 * A @ (A if B is None else B).T
    r2 += np.einsum("ij,ij->i", A, A) if B is None else np.einsum("ij,ij->i", B, B)
    if B is None:
        np.fill_diagonal(r2, 0)
    root = np.sqrt(5 * np.clip(r2, 0, None))
    slope = 5 / 3 * (1 + root) * np.exp(-root)
    return (1 + root + root**2 / 3) * np.exp(-root), slope


def _posterior_mode(
    U: FloatArray,
    z: FloatArray,
    trend: FloatArray,  # (n, n) prior covariance of the linear trend
    variances: FloatArray,
    log_lengthscale: float,
    noise_prior: tuple[float, float],
) -> FloatArray:
    """Most probable log lengthscales (n_features,) and, last, log variance of the common scatter.

    Written out in NumPy with its gradient, since GPyTorch's modules cost 10 to 40 times as much at these sizes, and a
    backtest fits thousands. The sums over pairs of (u_i - u_j)² become products of matrices: no (n, n, d) array.
    """
    n, d = U.shape
    centre = np.append(np.full(d, log_lengthscale), noise_prior[0])
    width = np.append(np.full(d, LENGTHSCALE_PRIOR[1]), noise_prior[1])

    def loss(theta: FloatArray) -> tuple[float, FloatArray]:
        V, tau2 = U / np.exp(theta[:-1]), exp(theta[-1])
        kernel, slope = _matern(V)
        kernel += trend
        kernel[np.diag_indices(n)] += variances + tau2
        cholesky = np.linalg.cholesky(kernel)  # never fails: the scatter's bound keeps it positive definite
        inverse = cho_solve((cholesky, True), np.eye(n))
        weights = inverse @ z
        pull = np.outer(weights, weights) - inverse  # twice the derivative of the likelihood by the kernel
        along = pull * slope
        gradient = np.append(
            np.einsum("ij,ij->j", V, along @ V) - along.sum(axis=1) @ V**2,  # -½ Σ along_ij (v_i - v_j)²
            -tau2 * np.trace(pull) / 2,
        )
        deviation = (theta - centre) / width
        value = z @ weights / 2 + np.log(np.diag(cholesky)).sum() + deviation @ deviation / 2
        return float(value), gradient + deviation / width

    # From the prior, from a smooth and noisy world, and from a rough and exact one: few data often explain all three.
    starts = [centre, centre + np.append(np.ones(d), 1.0), centre - np.append(np.ones(d), 2.0)]
    lower, upper = np.log([*[LENGTHSCALE_BOUNDS] * d, SCATTER_BOUNDS]).T
    limits = Bounds(lower, upper)
    found = [minimize(loss, np.clip(at, lower, upper), jac=True, method="L-BFGS-B", bounds=limits) for at in starts]
    return cast(FloatArray, min(found, key=lambda result: float(result.fun)).x)


@lru_cache(maxsize=1)
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def _threads(n: int) -> AbstractContextManager[object]:
    """One linear-algebra thread while matrices are small: there, more threads only wait for each other."""
    if n >= 500:
        return nullcontext()
    return cast(AbstractContextManager[object], _controller().limit(limits=1, user_api="blas"))
