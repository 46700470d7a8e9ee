"""Any surrogate with its standard deviations multiplied, so that its intervals hold what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from .base import FloatArray, Prediction, Surrogate
from .model import SurrogateModel, normal_posterior

if TYPE_CHECKING:
    import torch
    from torch import Tensor

# What is true of the surrogate inside is true of the widened one.
FORWARDED = (
    "n_features_in_",
    "feature_names_in_",
    "scale_",
    "relevances_",
    "outliers_",
    "lengthscales_",
    "tuned_",
    "n_tried_",
)


class Widened(SurrogateModel):
    """A surrogate that says the same means, with every standard deviation `factor` times as large.

    Parameters
    ----------
    surrogate : the surrogate, which is cloned and not changed
    factor : on all standard deviations; below 1 narrows; `calibration.scale_factor` finds it

    Attributes
    ----------
    surrogate_ : the fitted surrogate, as sure of itself as it was

    Examples
    --------
    >>> from alloyloop.surrogates import GaussianProcess
    >>> X, y = np.arange(6.0)[:, None], np.array([1.0, 3.0, 2.0, 5.0, 4.0, 6.0])
    >>> plain, wide = GaussianProcess().fit(X, y), Widened(GaussianProcess(), 2.0).fit(X, y)
    >>> bool(np.allclose(wide.believe(X).std, 2 * plain.believe(X).std))
    True
    """

    def __init__(self, surrogate: Surrogate, factor: float = 1.0) -> None:
        self.surrogate = surrogate
        self.factor = factor

    def fit(self, X: ArrayLike, y: ArrayLike, **told: Any) -> Self:
        """Learn from measurements; see `Surrogate.fit`."""
        inner: Any = clone(cast(Any, self.surrogate))
        self._take(inner.fit(X, y, **told))
        return self

    def _take(self, fitted: Any) -> None:
        self.surrogate_ = fitted
        self._forward(fitted, FORWARDED)
        self.noise_ = self.factor * fitted.noise_

    @classmethod
    def around(cls, fitted: Any, factor: float) -> Self:
        """A fitted surrogate with its standard deviations multiplied, without another fit."""
        wide = cls(cast(Surrogate, clone(fitted)), factor)
        wide._take(fitted)
        return wide

    def _expected(self, X: ArrayLike) -> FloatArray:
        return cast(FloatArray, self.surrogate_.predict(X))

    def believe(self, X: ArrayLike) -> Prediction:
        """What is believed of the property at each row, and of a measurement of it."""
        check_is_fitted(self)
        return cast(Prediction, self.surrogate_.believe(X)).widened(self.factor)

    def covariance(self, A: ArrayLike, B: ArrayLike) -> FloatArray:
        """Posterior covariance (n_a, n_b) of the property itself between rows of A and rows of B."""
        check_is_fitted(self)
        return np.asarray(self.factor**2 * self.surrogate_.covariance(A, B))

    def sample(self, X: ArrayLike, n_samples: int, rng: np.random.Generator) -> FloatArray:
        """Joint draws (n_samples, n) of the property itself, noise free."""
        mean = self.predict(X)
        return np.asarray(mean + self.factor * (self.surrogate_.sample(X, n_samples, rng) - mean))

    @available_if(lambda self: hasattr(self.surrogate_, "leave_one_out"))  # type: ignore[untyped-decorator]
    def leave_one_out(self) -> Prediction:
        """What is believed of each training value by all others; see the surrogate's own."""
        return cast(Prediction, self.surrogate_.leave_one_out()).widened(self.factor)

    @property
    def held_out_(self) -> Prediction | None:
        """What was believed of each row that holds a value by what had not seen it; see the surrogate's own."""
        held: Prediction | None = self.surrogate_.held_out_
        return held and held.widened(self.factor)

    @property
    def batch_shape(self) -> torch.Size:
        """That of the surrogate: not batched, but where it has seen a batch of further measurements."""
        return cast("torch.Size", self.surrogate_.batch_shape)

    def __sklearn_is_fitted__(self) -> bool:
        """Whether it is; scikit-learn looks for numbers, and one that has seen further measurements has none."""
        return hasattr(self, "surrogate_")

    def posterior(
        self,
        X: Tensor,
        output_indices: list[int] | None = None,
        observation_noise: bool | Tensor = False,
        posterior_transform: Any = None,
    ) -> Any:
        """BoTorch's joint posterior at X (..., q, n_features), differentiable where the surrogate's is."""
        check_is_fitted(self)
        given = observation_noise if isinstance(observation_noise, bool) else observation_noise / self.factor**2
        joint = self.surrogate_.posterior(X, observation_noise=given).distribution
        return normal_posterior(joint.mean, self.factor**2 * joint.covariance_matrix, posterior_transform)

    def condition_on_observations(self, X: Tensor, Y: Tensor, **kwargs: Any) -> Widened:
        """One that has seen Y (..., q, 1) at X (..., q, n_features) as well, widened as this one is."""
        if kwargs.get("noise") is not None:
            kwargs["noise"] = kwargs["noise"] / self.factor**2
        wide = Widened(self.surrogate, self.factor)
        wide.surrogate_ = self.surrogate_.condition_on_observations(X, Y, **kwargs)
        wide.noise_ = self.noise_
        return wide
