"""Forests of decision trees with an honest spread: a scikit-learn regressor and a BoTorch model."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp, hypot, sqrt
from typing import Any, Literal, NoReturn, Self, overload

import numpy as np
import torch
from botorch.models.model import Model
from botorch.posteriors.gpytorch import GPyTorchPosterior
from gpytorch.distributions import MultivariateNormal
from numpy.typing import ArrayLike
from scipy.optimize import Bounds, minimize
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.utils.validation import check_is_fitted
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

KINDS = {"random-forest": RandomForestRegressor, "extra-trees": ExtraTreesRegressor}

# Log-normal prior of the factor on the variance between trees: mean and standard deviation of its logarithm. It decides
# where only a handful of rows are left out of bag, and hardly matters from thirty on.
STRETCH_PRIOR = (0.0, 1.0)
STRETCH_BOUNDS = (1e-2, 1e2)

BLOCK = 4096  # rows predicted at a time


class Forest(RegressorMixin, BaseEstimator, Model):  # type: ignore[misc]  # these come without types
    """Random forest or extremely randomised trees, whose spread is fitted to the errors on rows left out of bag.

    Every tree sees a bootstrap sample. The rows that it did not see judge it: their errors tell how far the variance
    between trees must be stretched to be the uncertainty of the property, and how large a scatter remains beside it.

    Parameters
    ----------
    kind : "random-forest" (best cuts) or "extra-trees" (random cuts: smoother, often better on few rows)
    n_trees : number of trees; more is steadier, never worse, and slower
    min_samples_leaf : fewest rows at the end of a branch
    max_features : share of the features that each cut may choose from
    noise_prior : usual standard deviation of one measurement, in the unit of y; a good guess matters with few rows
    seed : of the bootstrap samples and the cuts; the same seed and data give the same forest
    n_jobs : processor cores to grow on

    Attributes
    ----------
    noise_ : standard deviation of a new measurement about the property, in the unit of y
    scale_ : spread of the property over the data, in the unit of y

    Examples
    --------
    >>> X, y = np.arange(12.0)[:, None], np.repeat([110.0, 70.0, 65.0], 4)
    >>> Forest(kind="extra-trees").fit(X, y).predict([[1.0], [10.0]]).round(-1)
    array([110.,  70.])

    Notes
    -----
    The mean is flat between the cuts and beyond the data, and so is the spread: BoTorch's optimisers get a gradient of
    zero, and keep the best of their starting points. Acquisitions on a forest are better searched over candidates.

    References
    ----------
    Breiman, Machine Learning 45 (2001) 5, doi:10.1023/A:1010933404324;
    Geurts et al., Machine Learning 63 (2006) 3, doi:10.1007/s10994-006-6226-1.
    """

    def __init__(
        self,
        *,
        kind: Literal["random-forest", "extra-trees"] = "random-forest",
        n_trees: int = 200,
        min_samples_leaf: int = 1,
        max_features: float = 1.0,
        noise_prior: float | None = None,
        seed: int = 0,
        n_jobs: int = 1,
    ) -> None:
        super().__init__()
        self.kind = kind
        self.n_trees = n_trees
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.noise_prior = noise_prior
        self.seed = seed
        self.n_jobs = n_jobs

    def fit(self, X: ArrayLike, y: ArrayLike, *, noise: ArrayLike | None = None) -> Self:
        """Learn from measurements; see `Surrogate.fit`."""
        if self.kind not in KINDS:
            raise AlloyloopError(f"there is no forest of kind {self.kind!r}", f"Choose one of {', '.join(KINDS)}.")
        X, y = training_arrays(self, X, y)
        stated = stated_noise(noise, len(y))
        typical = sqrt(float(np.mean(stated**2)))
        self._centre = float(np.mean(y))
        self.scale_ = spread(y, fallback=self.noise_prior or typical)
        noise_prior, variances = scatter_prior(self.noise_prior, self.scale_), (stated / self.scale_) ** 2
        # A row counts by what its stated noise adds to the usual scatter: one half where it is as large again.
        weights = 1 / (1 + variances / exp(noise_prior[0])) if variances.any() else None
        z = (y - self._centre) / self.scale_  # scikit-learn takes a variance below 2e-16 for none, and would not split
        self.forest_ = KINDS[self.kind](
            n_estimators=self.n_trees,
            min_samples_leaf=self.min_samples_leaf,
            max_features=self.max_features,
            bootstrap=True,
            random_state=self.seed,
            n_jobs=self.n_jobs,
        ).fit(X, z, sample_weight=weights)
        self._leaves = [tree.tree_.value[:, 0, 0].copy() for tree in self.forest_.estimators_]
        errors, between, seen = self._out_of_bag(X, z)
        self._stretch, scatter = _spread_of_errors(errors, between, variances[seen], noise_prior)
        self.noise_ = hypot(sqrt(scatter) * self.scale_, typical)
        # What even a perfect mean of n scattered values would leave unknown: trees that all agree are not all-knowing.
        self._offset = (self.noise_ / self.scale_) ** 2 / len(y)
        return self

    def _out_of_bag(self, X: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray, np.ndarray[Any, Any]]:
        """Error and variance between trees of each row, by those that did not see it; and which rows have two such."""
        values, unseen = self._trees(X), np.ones((self.n_trees, len(z)), dtype=bool)
        for row, drawn in zip(unseen, self.forest_.estimators_samples_, strict=True):
            row[drawn] = False
        n_unseen = unseen.sum(axis=0)
        seen = n_unseen >= 2
        values, unseen, n_unseen = values[:, seen], unseen[:, seen], n_unseen[seen]
        means = (values * unseen).sum(axis=0) / n_unseen
        variances = ((values - means) ** 2 * unseen).sum(axis=0) / (n_unseen - 1)
        return z[seen] - means, variances, seen

    def _trees(self, X: FloatArray) -> FloatArray:
        """What each tree says of each row (n_trees, n), outputs having unit spread."""
        rows = X.astype(np.float32)
        trees = zip(self.forest_.estimators_, self._leaves, strict=True)
        return np.stack([leaves[tree.tree_.apply(rows)] for tree, leaves in trees])

    @overload
    def predict(self, X: ArrayLike, return_std: Literal[False] = False) -> FloatArray: ...
    @overload
    def predict(self, X: ArrayLike, return_std: Literal[True]) -> tuple[FloatArray, FloatArray]: ...
    def predict(self, X: ArrayLike, return_std: bool = False) -> FloatArray | tuple[FloatArray, FloatArray]:
        """Expected values (n,), and with `return_std` the standard deviations (n,) of a new measurement."""
        belief = self.believe(X)
        return (belief.mean, belief.measured_std) if return_std else belief.mean

    def believe(self, X: ArrayLike) -> Prediction:
        """What is believed of the property at each row, and of a measurement of it."""
        blocks = [(trees.mean(axis=0), trees.var(axis=0, ddof=1)) for trees in self._blocks(X)]
        means, variances = (np.concatenate(part) for part in zip(*blocks, strict=True))
        return Prediction(
            mean=self._centre + self.scale_ * means,
            std=self.scale_ * np.sqrt(self._stretch * variances + self._offset),
            noise=np.full(len(means), self.noise_),
        )

    def covariance(self, A: ArrayLike, B: ArrayLike) -> FloatArray:
        """Posterior covariance (n_a, n_b) of the property itself between rows of A and rows of B."""
        a, b = (np.concatenate(list(self._blocks(rows)), axis=1) for rows in (A, B))
        return self.scale_**2 * self._joint(a, b)

    def sample(self, X: ArrayLike, n_samples: int, rng: np.random.Generator) -> FloatArray:
        """Joint draws (n_samples, n) of the property itself, noise free."""
        return rng.multivariate_normal(self.predict(X), self.covariance(X, X), n_samples, "ignore", method="eigh")

    def _blocks(self, X: ArrayLike) -> Iterator[FloatArray]:
        rows = asked_rows(self, X)
        for start in range(0, len(rows), BLOCK):
            yield self._trees(rows[start : start + BLOCK])

    def _joint(self, a: FloatArray, b: FloatArray) -> FloatArray:
        """Covariance (..., n_a, n_b) of what the trees (n_trees, ..., n) say, outputs having unit spread."""
        a, b = a - a.mean(axis=0), b - b.mean(axis=0)
        shared = np.einsum("t...i,t...j->...ij", a, b, optimize=True) / (self.n_trees - 1)
        return np.asarray(self._stretch * shared + self._offset)

    @property
    def num_outputs(self) -> int:
        """One property."""
        return 1

    @property
    def batch_shape(self) -> torch.Size:
        """Not batched."""
        return torch.Size()

    def posterior(
        self,
        X: Tensor,
        output_indices: list[int] | None = None,
        observation_noise: bool | Tensor = False,
        posterior_transform: Any = None,
    ) -> Any:
        """Joint normal posterior at X (..., q, n_features), with the mean and covariance of the trees.

        Normal, and not a choice among the trees, so that acquisitions see the same stretched spread as `believe`, and
        so that analytic ones work.
        """
        check_is_fitted(self)
        check_resolvable(self.scale_)
        rows = X.detach().double().cpu().numpy()
        trees = self._trees(rows.reshape(-1, rows.shape[-1])).reshape(self.n_trees, *rows.shape[:-1])
        covariance = self._joint(trees, trees)
        covariance[..., np.arange(rows.shape[-2]), np.arange(rows.shape[-2])] += 1e-8  # rows in the same leaves
        mean = torch.from_numpy(self._centre + self.scale_ * trees.mean(axis=0)) + 0 * X.double().sum(dim=-1)
        joint = MultivariateNormal(mean, torch.from_numpy(self.scale_**2 * covariance))
        if observation_noise is not False:
            learned = torch.full((*mean.shape, 1), self.noise_**2, dtype=torch.float64)
            noise = (learned if isinstance(observation_noise, bool) else observation_noise).squeeze(-1)
            joint = MultivariateNormal(mean, joint.covariance_matrix + torch.diag_embed(noise.expand(mean.shape)))
        posterior = GPyTorchPosterior(joint)
        return posterior if posterior_transform is None else posterior_transform(posterior)

    def condition_on_observations(self, X: Tensor, Y: Tensor, **kwargs: Any) -> NoReturn:
        """Not possible: trees are grown anew, not updated."""
        raise AlloyloopError(
            "a forest cannot be conditioned on further measurements",
            "Fit it again with them, or use an acquisition that needs no fantasies.",
        )


def _spread_of_errors(
    errors: FloatArray, between: FloatArray, stated: FloatArray, noise_prior: tuple[float, float]
) -> tuple[float, float]:
    """Factor on the variance between trees, and variance of the common scatter, that make the errors most probable."""
    centre, width = np.array([STRETCH_PRIOR, noise_prior]).T

    def loss(theta: FloatArray) -> tuple[float, FloatArray]:
        parts = np.stack([exp(theta[0]) * between, np.full(len(errors), exp(theta[1]))])
        total = parts.sum(axis=0) + stated
        deviation = (theta - centre) / width
        value = (np.log(total) + errors**2 / total).sum() / 2 + deviation @ deviation / 2
        return float(value), parts @ ((1 - errors**2 / total) / total) / 2 + deviation / width

    lower, upper = np.log([STRETCH_BOUNDS, SCATTER_BOUNDS]).T
    theta = minimize(loss, np.clip(centre, lower, upper), jac=True, method="L-BFGS-B", bounds=Bounds(lower, upper)).x
    return exp(theta[0]), exp(theta[1])
