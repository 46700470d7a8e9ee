"""Surrogates made of members that each saw a part of the rows, and how far the unseen rows say that they are off."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from math import exp, hypot, sqrt
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import Bounds, minimize
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist
from sklearn.utils.validation import check_is_fitted

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

if TYPE_CHECKING:
    from torch import Tensor

# Log-normal priors: mean and standard deviation of the logarithm. They decide where only a handful of rows were left
# out, and hardly matter from thirty on. Of the factor on the variance between members:
STRETCH_PRIOR = (0.0, 1.0)
STRETCH_BOUNDS = (1e-2, 1e2)
# and of the reach, over the root mean square distance of two rows. With papers left out, the log likelihood of a row
# gains 0.11 (modulus of beta titanium), 0.08 (its martensite start) and 0.03 (density of printed steel); with
# compositions left out it loses 0.02 (strength of refractory alloys). Growth as the square of the distance does worse.
REACH_PRIOR = (1.0, 1.0)
REACH_BOUNDS = (1e-2, 1e2)

BLOCK = 4096  # rows predicted at a time


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What an ensemble learns from: measurements without bounds, outputs of unit spread about zero.

    Parameters
    ----------
    rows : (n, n_features)
    z : (n,) values
    exact : (n_given,) which of the rows given these are; the others hold bounds
    variances : (n,) stated variances of the values
    weights : (n,) what each row counts for: half, where its stated noise is as large as the usual scatter; None where
        nothing is stated
    noise_prior : of the logarithm of the variance of the scatter common to all rows
    typical : standard deviation that is usually stated, in the unit of y
    """

    rows: FloatArray
    z: FloatArray
    exact: NDArray[np.bool_]
    variances: FloatArray
    weights: FloatArray | None
    noise_prior: tuple[float, float]
    typical: float


@dataclass(frozen=True, slots=True, eq=False)
class Unseen:
    """How members did on rows that they had not seen, outputs having unit spread.

    Parameters
    ----------
    errors, between, variances : (n,) of each row: its error, the variance between members, the variance stated of it
    nearest : (n,) distance to the nearest row that they had seen
    """

    errors: FloatArray
    between: FloatArray
    variances: FloatArray
    nearest: FloatArray


class EnsembleModel(SurrogateModel):
    """A surrogate whose spread is that between its members, stretched until it fits the errors on unseen rows.

    Three things make the uncertainty: the variance between members, stretched; what is unknown for want of a row
    nearby, which grows with the distance until all of the property's spread is unknown; and a scatter. How large each
    is, the errors on rows that members had not seen tell.

    Attributes
    ----------
    noise_ : standard deviation of a new measurement about the property, in the unit of y
    scale_ : spread of the property over the data, in the unit of y
    reach_ : distance from the nearest row at which 63 % of the variance is unknown, features divided by their ranges
    """

    noise_prior: float | None
    kind_words = "such a model"  # as an error message calls it

    @abstractmethod
    def _said(self, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What is expected of filled rows (n,), and what members deviate by (n_members, n), outputs of unit spread.

        The products of two rows' deviations, added up, are the covariance between members.
        """

    def _blank(self) -> list[int]:
        """Features that may be NaN."""
        return []

    def _filled(self, X: FloatArray) -> FloatArray:
        """Rows as the members take them."""
        return X

    def _lesson(self, X: ArrayLike, y: ArrayLike, noise: ArrayLike | None, censored: ArrayLike | None) -> Lesson:
        """Take in measurements, bounds left out."""
        all_rows, all_values = training_arrays(self, X, y, self._blank())
        exact = bounds_stated(censored, len(all_values)) == 0
        if not exact.any():
            raise AlloyloopError(
                f"all values are bounds, which {self.kind_words} cannot learn from", "Use a Gaussian process."
            )
        values, stated = all_values[exact], stated_noise(noise, len(exact))[exact]
        typical = float(np.median(stated))
        self._centre = float(np.mean(values))
        self.scale_ = spread(values, fallback=self.noise_prior or typical)
        prior, variances = scatter_prior(self.noise_prior, self.scale_), (stated / self.scale_) ** 2
        weights = 1 / (1 + variances / exp(prior[0])) if variances.any() else None
        z = (values - self._centre) / self.scale_  # scikit-learn takes a variance below 2e-16 for none
        return Lesson(all_rows[exact], z, exact, variances, weights, prior, typical)

    def _place(self, rows: FloatArray) -> FloatArray:
        """Rows in units of the features' ranges, to measure distances by."""
        size = np.maximum(np.abs(self._lowest), np.abs(self._highest))
        span = self._highest - self._lowest
        varies = span > 1e-9 * size
        other = np.abs(rows - self._lowest) > 1e-6 * np.where(size > 0, size, 1.0)
        return np.where(varies, rows / np.where(varies, span, 1.0), other)

    def _settle(self, rows: FloatArray) -> FloatArray:
        """Remember where filled rows lie (n, n_features), and return their places."""
        self._lowest, self._highest = rows.min(axis=0), rows.max(axis=0)
        places = self._place(rows)
        self._known = KDTree(places)
        return places

    def _learn_spread(self, lesson: Lesson, places: FloatArray, unseen: Unseen) -> None:
        """Learn how far members are to be trusted."""
        usual = sqrt(2 * float(places.var(axis=0).sum())) or 1.0  # root mean square distance of two rows
        self._stretch, reach, scatter = _spread_of_errors(unseen, usual, lesson.noise_prior)
        self.reach_ = reach * usual
        self.noise_ = hypot(sqrt(scatter) * self.scale_, lesson.typical)
        # What even a perfect mean of n scattered values would leave unknown: members that agree are not all-knowing.
        self._offset = (self.noise_ / self.scale_) ** 2 / len(lesson.z)

    def _belief(self, means: FloatArray, between: FloatArray, distances: FloatArray) -> Prediction:
        """The belief where members expect (n,), differ by a variance (n,), and are so far (n,) from what they saw."""
        stretched = self._stretch * between
        variances = stretched + _left(stretched) * _unknown(distances / self.reach_) + self._offset
        return Prediction(
            mean=self._centre + self.scale_ * means,
            std=self.scale_ * np.sqrt(variances),
            noise=np.full(len(means), self.noise_),
        )

    def believe(self, X: ArrayLike) -> Prediction:
        """What is believed of the property at each row, and of a measurement of it."""
        parts = [
            (means, (apart**2).sum(axis=0), np.asarray(self._known.query(places)[0]))
            for means, apart, places in self._blocks(X)
        ]
        means, between, distances = (np.concatenate(part) for part in zip(*parts, strict=True))
        return self._belief(means, between, distances)

    def covariance(self, A: ArrayLike, B: ArrayLike) -> FloatArray:
        """Posterior covariance (n_a, n_b) of the property itself between rows of A and rows of B."""
        a, b = (self._seen(asked_rows(self, rows, self._blank())) for rows in (A, B))
        return self.scale_**2 * self._joint(a, b)

    def _blocks(self, X: ArrayLike) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """What is seen of the rows, block by block: many rows need no more memory than some thousands."""
        rows = asked_rows(self, X, self._blank())
        for start in range(0, len(rows), BLOCK):
            yield self._seen(rows[start : start + BLOCK])

    def _seen(self, X: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """What is expected of rows (n,), what members deviate by (n_members, n), and the places (n, d) of the rows."""
        rows = self._filled(X)
        return *self._said(rows), self._place(rows)

    def _joint(self, a: tuple[FloatArray, ...], b: tuple[FloatArray, ...]) -> FloatArray:
        """Covariance (n_a, n_b) of what is seen of two sets of rows, outputs having unit spread.

        What the members share, and what is unknown for want of a row nearby: that of two rows is alike within the
        reach.
        """
        (_, apart_a, places_a), (_, apart_b, places_b) = a, b
        alike = 1 - _unknown(cdist(places_a, places_b) / self.reach_)
        strange_a, strange_b = (self._strangeness(apart, places) for _, apart, places in (a, b))
        strange = np.sqrt(np.outer(strange_a, strange_b))
        return np.asarray(self._stretch * apart_a.T @ apart_b + strange * alike + self._offset)

    def _strangeness(self, apart: FloatArray, places: FloatArray) -> FloatArray:
        """Variance (n,) that is unknown for want of a row nearby, beside that between members."""
        left = _left(self._stretch * (apart**2).sum(axis=0))
        return left * _unknown(np.asarray(self._known.query(places)[0]) / self.reach_)

    def posterior(
        self,
        X: Tensor,
        output_indices: list[int] | None = None,
        observation_noise: bool | Tensor = False,
        posterior_transform: Any = None,
    ) -> Any:
        """Joint normal posterior at X (..., q, n_features), with the mean and covariance of the members.

        Normal, and not a choice among the members, so that acquisitions see the same stretched spread as `believe`, and
        so that analytic ones work.
        """
        import torch

        check_is_fitted(self)
        check_resolvable(self.scale_)
        rows = X.detach().double().cpu().numpy()
        sets = [self._seen(one) for one in rows.reshape(-1, *rows.shape[-2:])]
        means = np.stack([expected for expected, *_ in sets]).reshape(rows.shape[:-1])
        covariance = np.stack([self._joint(seen, seen) for seen in sets]).reshape(*rows.shape[:-1], rows.shape[-2])
        covariance[..., np.arange(rows.shape[-2]), np.arange(rows.shape[-2])] += 1e-8  # rows that members cannot tell
        mean = torch.from_numpy(self._centre + self.scale_ * means) + 0 * X.double().nan_to_num().sum(dim=-1)
        joint = torch.from_numpy(self.scale_**2 * covariance)
        if observation_noise is not False:
            learned = torch.full((*mean.shape, 1), self.noise_**2, dtype=torch.float64)
            noise = (learned if isinstance(observation_noise, bool) else observation_noise).squeeze(-1)
            joint = joint + torch.diag_embed(noise.expand(mean.shape))
        return normal_posterior(mean, joint, posterior_transform)

    def condition_on_observations(self, X: Tensor, Y: Tensor, **kwargs: Any) -> NoReturn:
        """Not possible: members are fitted anew, not updated."""
        raise AlloyloopError(
            f"{self.kind_words} cannot be conditioned on further measurements",
            "Fit it again with them, or use an acquisition that needs no fantasies.",
        )


def _unknown(reaches: FloatArray) -> FloatArray:
    """Share of the variance that is unknown at so many reaches from the nearest row."""
    return np.asarray(-np.expm1(-reaches))


def _left(stretched: FloatArray) -> FloatArray:
    """What the variance between members leaves of the property's own, that may be unknown for want of a row nearby."""
    return np.maximum(1 - stretched, 0.0)


def _spread_of_errors(unseen: Unseen, usual: float, noise_prior: tuple[float, float]) -> tuple[float, float, float]:
    """What makes the errors on unseen rows most probable.

    Parameters
    ----------
    unseen : the errors and what may explain them
    usual : distance of two rows, in whose unit the reach is found
    noise_prior : of the logarithm of the common variance

    Returns
    -------
    the factor on the variance between members, the reach, the variance of the common scatter
    """
    centre, width = np.array([STRETCH_PRIOR, REACH_PRIOR, noise_prior]).T
    squares, nearest = unseen.errors**2, unseen.nearest / usual

    def loss(theta: FloatArray) -> tuple[float, FloatArray]:
        stretch, reach, scatter = np.exp(theta)
        stretched, strange = stretch * unseen.between, _unknown(nearest / reach)
        left = _left(stretched)
        total = stretched + left * strange + scatter + unseen.variances
        slopes = np.stack(
            [
                stretched * (1 - strange * (left > 0)),
                -left * nearest / reach * (1 - strange),
                np.full(len(squares), scatter),
            ]
        )
        deviation = (theta - centre) / width
        value = (np.log(total) + squares / total).sum() / 2 + deviation @ deviation / 2
        return float(value), slopes @ ((1 - squares / total) / total) / 2 + deviation / width

    lower, upper = np.log([STRETCH_BOUNDS, REACH_BOUNDS, SCATTER_BOUNDS]).T
    theta = minimize(loss, np.clip(centre, lower, upper), jac=True, method="L-BFGS-B", bounds=Bounds(lower, upper)).x
    return exp(theta[0]), exp(theta[1]), exp(theta[2])
