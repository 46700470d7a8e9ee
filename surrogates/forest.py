"""Forests of decision trees with an honest spread: a scikit-learn regressor and a BoTorch model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import exp, hypot, sqrt
from typing import Any, Literal, NoReturn, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.optimize import Bounds, minimize
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from .base import FloatArray, Prediction
from .errors import AlloyloopError
from .measurements import (
    SCATTER_BOUNDS,
    asked_rows,
    bounds_stated,
    check_resolvable,
    scatter_prior,
    spread,
    stated_noise,
    training_arrays,
)
from .model import SurrogateModel, normal_posterior

KINDS = {"random-forest": RandomForestRegressor, "extra-trees": ExtraTreesRegressor}

# Log-normal priors: mean and standard deviation of the logarithm. They decide where only a handful of rows are left out
# of bag, and hardly matter from thirty on. Of the factor on the variance between trees:
STRETCH_PRIOR = (0.0, 1.0)
STRETCH_BOUNDS = (1e-2, 1e2)
# and of the reach, over the root mean square distance of two rows. With papers left out, the log likelihood of a row
# gains 0.11 (modulus of beta titanium), 0.08 (its martensite start) and 0.03 (density of printed steel); with
# compositions left out it loses 0.02 (strength of refractory alloys). Growth as the square of the distance does worse.
REACH_PRIOR = (1.0, 1.0)
REACH_BOUNDS = (1e-2, 1e2)

BLOCK = 4096  # rows predicted at a time


class Forest(SurrogateModel):
    """Random forest or extremely randomised trees, whose spread is fitted to the errors on rows left out of bag.

    Every tree sees a bootstrap sample. The rows that it did not see judge it: their errors tell how far the variance
    between trees must be stretched to be the uncertainty of the property, how fast that grows with the distance to the
    nearest row, and how large a scatter remains beside it. Far from all rows, where trees only repeat what they know
    from the edge, the uncertainty is the spread of the property over the data.

    Parameters
    ----------
    kind : "random-forest" (best cuts) or "extra-trees" (random cuts: smoother, often better on few rows)
    n_trees : number of trees; more is steadier, never worse, and slower
    min_samples_leaf : fewest rows at the end of a branch
    max_features : share of the features that each cut may choose from
    noise_prior : usual standard deviation of one measurement, in the unit of y; a good guess matters with few rows
    blanks : indices of features that may be NaN, not known: the mean of the known stands there, beside a feature that
        says so
    seed : of the bootstrap samples and the cuts; the same seed and data give the same forest
    n_jobs : processor cores to grow on

    Attributes
    ----------
    noise_ : standard deviation of a new measurement about the property, in the unit of y
    scale_ : spread of the property over the data, in the unit of y
    reach_ : distance from the nearest row at which 63 % of the variance is unknown, features divided by their ranges

    Examples
    --------
    >>> X, y = np.arange(12.0)[:, None], np.repeat([110.0, 70.0, 65.0], 4)
    >>> Forest(kind="extra-trees").fit(X, y).predict([[1.0], [10.0]]).round(-1)
    array([110.,  70.])

    Notes
    -----
    The mean is flat between the cuts and beyond the data: BoTorch's optimisers get a gradient of zero, and keep the
    best of their starting points. Acquisitions on a forest are better searched over candidates. A feature that never
    varied has no range: any other value of it counts as one range away.

    Rows are drawn one by one and not by source, so that errors out of bag are those of the next alloy of a known paper;
    a new paper's are larger, by a factor to be found on folds that leave whole sources out (`scale_factor`). Trees that
    draw whole sources were tried on five tables: they need no such factor, but err by up to a third more.

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
        blanks: Sequence[int] = (),
        seed: int = 0,
        n_jobs: int = 1,
    ) -> None:
        super().__init__()
        self.kind = kind
        self.n_trees = n_trees
        self.min_samples_leaf = min_samples_leaf
        self.max_features = max_features
        self.noise_prior = noise_prior
        self.blanks = blanks
        self.seed = seed
        self.n_jobs = n_jobs

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        noise: ArrayLike | None = None,
        censored: ArrayLike | None = None,
        source: ArrayLike | None = None,
    ) -> Self:
        """Learn from measurements, bounds left out, whatever their source; see `Surrogate.fit`."""
        if self.kind not in KINDS:
            raise AlloyloopError(f"there is no forest of kind {self.kind!r}", f"Choose one of {', '.join(KINDS)}.")
        all_rows, all_values = training_arrays(self, X, y, self.blanks)
        exact = bounds_stated(censored, len(all_values)) == 0
        if not exact.any():
            raise AlloyloopError("all values are bounds, which a forest cannot learn from", "Use a Gaussian process.")
        values, stated = all_values[exact], stated_noise(noise, len(exact))[exact]
        typical = float(np.median(stated))
        self._centre = float(np.mean(values))
        self.scale_ = spread(values, fallback=self.noise_prior or typical)
        noise_prior, variances = scatter_prior(self.noise_prior, self.scale_), (stated / self.scale_) ** 2
        # A row counts by what its stated noise adds to the usual scatter: one half where it is as large again.
        weights = 1 / (1 + variances / exp(noise_prior[0])) if variances.any() else None
        z = (values - self._centre) / self.scale_  # scikit-learn takes a variance below 2e-16 for none
        self._fill = _means(all_rows[exact][:, list(self.blanks)])
        rows = self._filled(all_rows[exact])
        self.forest_ = KINDS[self.kind](
            n_estimators=self.n_trees,
            min_samples_leaf=self.min_samples_leaf,
            max_features=self.max_features,
            bootstrap=True,
            random_state=self.seed,
            n_jobs=self.n_jobs,
        ).fit(rows, z, sample_weight=weights)
        self._leaves = [tree.tree_.value[:, 0, 0].copy() for tree in self.forest_.estimators_]
        self._lowest, self._highest = rows.min(axis=0), rows.max(axis=0)
        places = self._place(rows)
        self._known = KDTree(places)
        usual = sqrt(2 * float(places.var(axis=0).sum())) or 1.0  # root mean square distance of two rows
        nearest = np.asarray(self._known.query(places, k=[2])[0])[:, 0] / usual  # the first is the row itself
        errors, between, seen = self._out_of_bag(rows, z)
        self._stretch, self.reach_, scatter = _spread_of_errors(
            errors, between, nearest[seen], variances[seen], noise_prior
        )
        self.reach_ *= usual
        self.noise_ = hypot(sqrt(scatter) * self.scale_, typical)
        # What even a perfect mean of n scattered values would leave unknown: trees that all agree are not all-knowing.
        self._offset = (self.noise_ / self.scale_) ** 2 / len(z)
        return self

    def _filled(self, X: FloatArray) -> FloatArray:
        """Rows without NaN (n, n_features + n_blanks): what is not known is the mean, and the last columns say so."""
        if not len(self.blanks):
            return X
        blanks = X[:, list(self.blanks)]
        unknown, rows = np.isnan(blanks), X.copy()
        rows[:, list(self.blanks)] = np.where(unknown, self._fill, blanks)
        return np.column_stack([rows, unknown])

    def _place(self, rows: FloatArray) -> FloatArray:
        """Rows in units of the features' ranges, to measure distances by."""
        size = np.maximum(np.abs(self._lowest), np.abs(self._highest))
        span = self._highest - self._lowest
        varies = span > 1e-9 * size
        other = np.abs(rows - self._lowest) > 1e-6 * np.where(size > 0, size, 1.0)
        return np.where(varies, rows / np.where(varies, span, 1.0), other)

    def _strangeness(self, places: FloatArray) -> FloatArray:
        """Share (n,) of the property's variance that is unknown for want of a row nearby."""
        return _unknown(np.asarray(self._known.query(places)[0]) / self.reach_)

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

    def believe(self, X: ArrayLike) -> Prediction:
        """What is believed of the property at each row, and of a measurement of it."""
        blocks = [
            (trees.mean(axis=0), self._stretch * trees.var(axis=0, ddof=1) + self._strangeness(places))
            for trees, places in self._blocks(X)
        ]
        means, variances = (np.concatenate(part) for part in zip(*blocks, strict=True))
        return Prediction(
            mean=self._centre + self.scale_ * means,
            std=self.scale_ * np.sqrt(variances + self._offset),
            noise=np.full(len(means), self.noise_),
        )

    def covariance(self, A: ArrayLike, B: ArrayLike) -> FloatArray:
        """Posterior covariance (n_a, n_b) of the property itself between rows of A and rows of B."""
        a, b = (self._seen(asked_rows(self, rows, self.blanks)) for rows in (A, B))
        return self.scale_**2 * self._joint(a, b)

    def _blocks(self, X: ArrayLike) -> Iterator[tuple[FloatArray, FloatArray]]:
        """What is seen of the rows, block by block: many rows need no more memory than some thousands."""
        rows = asked_rows(self, X, self.blanks)
        for start in range(0, len(rows), BLOCK):
            yield self._seen(rows[start : start + BLOCK])

    def _seen(self, X: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What each tree says of rows (n_trees, n), and the places (n, d) of the rows."""
        rows = self._filled(X)
        return self._trees(rows), self._place(rows)

    def _joint(self, a: tuple[FloatArray, FloatArray], b: tuple[FloatArray, FloatArray]) -> FloatArray:
        """Covariance (n_a, n_b) of what is seen of two sets of rows, outputs having unit spread.

        What the trees share, and what is unknown for want of a row nearby: that of two rows is alike within the reach.
        """
        (trees_a, places_a), (trees_b, places_b) = a, b
        between = (trees_a - trees_a.mean(axis=0)).T @ (trees_b - trees_b.mean(axis=0)) / (self.n_trees - 1)
        alike = 1 - _unknown(cdist(places_a, places_b) / self.reach_)
        strange = np.sqrt(np.outer(self._strangeness(places_a), self._strangeness(places_b)))
        return np.asarray(self._stretch * between + strange * alike + self._offset)

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
        sets = [self._seen(one) for one in rows.reshape(-1, *rows.shape[-2:])]
        means = np.stack([trees.mean(axis=0) for trees, _ in sets]).reshape(rows.shape[:-1])
        covariance = np.stack([self._joint(seen, seen) for seen in sets]).reshape(*rows.shape[:-1], rows.shape[-2])
        covariance[..., np.arange(rows.shape[-2]), np.arange(rows.shape[-2])] += 1e-8  # rows in the same leaves
        mean = torch.from_numpy(self._centre + self.scale_ * means) + 0 * X.double().nan_to_num().sum(dim=-1)
        joint = torch.from_numpy(self.scale_**2 * covariance)
        if observation_noise is not False:
            learned = torch.full((*mean.shape, 1), self.noise_**2, dtype=torch.float64)
            noise = (learned if isinstance(observation_noise, bool) else observation_noise).squeeze(-1)
            joint = joint + torch.diag_embed(noise.expand(mean.shape))
        return normal_posterior(mean, joint, posterior_transform)

    def condition_on_observations(self, X: Tensor, Y: Tensor, **kwargs: Any) -> NoReturn:
        """Not possible: trees are grown anew, not updated."""
        raise AlloyloopError(
            "a forest cannot be conditioned on further measurements",
            "Fit it again with them, or use an acquisition that needs no fantasies.",
        )


def _means(columns: FloatArray) -> FloatArray:
    """Mean (d,) of what is known in each column; 0 where nothing is."""
    known = ~np.isnan(columns)
    return np.asarray(np.where(known, columns, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


def _unknown(reaches: FloatArray) -> FloatArray:
    """Share of the variance that is unknown at so many reaches from the nearest row."""
    return np.asarray(-np.expm1(-reaches))


def _spread_of_errors(
    errors: FloatArray,
    between: FloatArray,
    nearest: FloatArray,
    stated: FloatArray,
    noise_prior: tuple[float, float],
) -> tuple[float, float, float]:
    """What makes the errors on rows out of bag most probable, outputs having unit spread.

    Parameters
    ----------
    errors, between, nearest : (n,) of each row: its error, the variance between trees, the distance to the nearest row
    stated : (n,) variances stated of the rows
    noise_prior : of the logarithm of the common variance

    Returns
    -------
    the factor on the variance between trees, the reach in the unit of `nearest`, the variance of the common scatter
    """
    centre, width = np.array([STRETCH_PRIOR, REACH_PRIOR, noise_prior]).T

    def loss(theta: FloatArray) -> tuple[float, FloatArray]:
        stretch, reach, scatter = np.exp(theta)
        strange = _unknown(nearest / reach)
        total = stretch * between + strange + scatter + stated
        slopes = np.stack([stretch * between, -nearest / reach * (1 - strange), np.full(len(errors), scatter)])
        deviation = (theta - centre) / width
        value = (np.log(total) + errors**2 / total).sum() / 2 + deviation @ deviation / 2
        return float(value), slopes @ ((1 - errors**2 / total) / total) / 2 + deviation / width

    lower, upper = np.log([STRETCH_BOUNDS, REACH_BOUNDS, SCATTER_BOUNDS]).T
    theta = minimize(loss, np.clip(centre, lower, upper), jac=True, method="L-BFGS-B", bounds=Bounds(lower, upper)).x
    return exp(theta[0]), exp(theta[1]), exp(theta[2])
