"""What surrogates share as scikit-learn regressors and towards BoTorch: written once, for each of them to inherit.

A suggestion is made without torch, whose import alone takes longer than the fits: what speaks BoTorch's language
imports it where it is called.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from .base import FloatArray, Prediction

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class OneOutput:
    """What BoTorch asks of a model of one property, not batched; see `BotorchModel`."""

    @property
    def num_outputs(self) -> int:
        """One property."""
        return 1

    @property
    def batch_shape(self) -> torch.Size:
        """Not batched."""
        import torch

        return torch.Size()


class SurrogateModel(RegressorMixin, BaseEstimator, OneOutput):  # type: ignore[misc]  # these come without types
    """A surrogate that says what it believes: a scikit-learn regressor, whom BoTorch's acquisitions can ask too."""

    @abstractmethod
    def believe(self, X: ArrayLike) -> Prediction:
        """What is believed of the property at each row, and of a measurement of it."""

    @abstractmethod
    def covariance(self, A: ArrayLike, B: ArrayLike) -> FloatArray:
        """Posterior covariance (n_a, n_b) of the property itself between rows of A and rows of B."""

    def _expected(self, X: ArrayLike) -> FloatArray:
        """Expected values (n,), where they cost less than the whole belief."""
        return self.believe(X).mean

    @overload
    def predict(self, X: ArrayLike, return_std: Literal[False] = False) -> FloatArray: ...
    @overload
    def predict(self, X: ArrayLike, return_std: Literal[True]) -> tuple[FloatArray, FloatArray]: ...
    def predict(self, X: ArrayLike, return_std: bool = False) -> FloatArray | tuple[FloatArray, FloatArray]:
        """Expected values (n,), and with `return_std` the standard deviations (n,) of a new measurement."""
        check_is_fitted(self)
        if not return_std:
            return self._expected(X)
        belief = self.believe(X)
        return belief.mean, belief.measured_std

    def sample(self, X: ArrayLike, n_samples: int, rng: np.random.Generator) -> FloatArray:
        """Joint draws (n_samples, n) of the property itself, noise free."""
        return rng.multivariate_normal(self.predict(X), self.covariance(X, X), n_samples, "ignore", method="eigh")

    def _forward(self, inner: Any, names: Iterable[str]) -> None:
        """Take over, of a surrogate inside this one, what it learned and has."""
        for name in names:
            if hasattr(inner, name):
                setattr(self, name, getattr(inner, name))


def normal_posterior(mean: Tensor, covariance: Tensor, transform: Any) -> Any:
    """BoTorch's posterior of a joint normal belief: mean (..., q), covariance (..., q, q)."""
    from botorch.posteriors.gpytorch import GPyTorchPosterior
    from gpytorch.distributions import MultivariateNormal

    posterior = GPyTorchPosterior(MultivariateNormal(mean, covariance))
    return posterior if transform is None else transform(posterior)
