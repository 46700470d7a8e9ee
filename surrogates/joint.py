"""Surrogates whose beliefs are jointly normal, as BoTorch asks them: posteriors, new observations and fantasies."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, cast

from .model import OneOutput, normal_posterior

if TYPE_CHECKING:
    import torch
    from torch import Tensor

# Of the mean variance, added to a covariance's diagonal: rows asked twice stay positive definite.
JITTER = 1e-9


class NormalModel(OneOutput):
    """What BoTorch asks of a model of one output, made of a mean and a covariance.

    All else follows from those two and the scatter of one measurement: what new observations teach, with everything
    that was learned of the model itself kept, is the textbook's conditioning of a normal distribution.
    """

    @abstractmethod
    def _mean_at(self, X: Tensor) -> Tensor:
        """Expected values (..., q) at X (..., q, n_features), differentiable."""

    @abstractmethod
    def _covariance_of(self, A: Tensor, B: Tensor) -> Tensor:
        """Covariance (..., q_a, q_b) between A (..., q_a, n_features) and B (..., q_b, n_features)."""

    @property
    @abstractmethod
    def _noise_variance(self) -> float:
        """Variance of one measurement about the property."""

    def posterior(
        self,
        X: Tensor,
        output_indices: list[int] | None = None,
        observation_noise: bool | Tensor = False,
        posterior_transform: Any = None,
    ) -> Any:
        """BoTorch's joint posterior at X (..., q, n_features), differentiable, in the units of X and y."""
        import torch

        X = X.double()
        mean, covariance = self._mean_at(X), self._covariance_of(X, X)
        variance = covariance.diagonal(dim1=-2, dim2=-1)
        covariance = covariance + torch.diag_embed((JITTER * variance.mean(-1, keepdim=True)).expand(mean.shape))
        if observation_noise is not False:
            learned = isinstance(observation_noise, bool)
            noise = self._noise_variance if learned else cast("Tensor", observation_noise).squeeze(-1)
            covariance = covariance + torch.diag_embed(torch.as_tensor(noise, dtype=mean.dtype).expand(mean.shape))
        return normal_posterior(mean, covariance, posterior_transform)

    def condition_on_observations(self, X: Tensor, Y: Tensor, **kwargs: Any) -> NormalModel:
        """The model that has seen Y (..., q, 1) at X (..., q, n_features) as well.

        `noise` (..., q, 1) is the variance of each; that of one measurement where it is not given.
        """
        import torch

        noise = kwargs.get("noise")
        variance = torch.full_like(Y, self._noise_variance) if noise is None else noise.expand_as(Y)
        return _Updated(self, X.double(), Y.double(), variance.double())

    def fantasize(self, X: Tensor, sampler: Any, observation_noise: Tensor | None = None, **kwargs: Any) -> NormalModel:
        """Models that have seen measurements drawn at X (..., q, n_features) by a BoTorch sampler, one a draw."""
        noise = {} if observation_noise is None else {"noise": observation_noise}
        drawn = sampler(self.posterior(X, observation_noise=True if observation_noise is None else observation_noise))
        return self.condition_on_observations(X, drawn, **noise, **kwargs)


class _Updated(NormalModel):
    """A model and what some observations added to it, for each of a batch of them."""

    def __init__(self, before: NormalModel, X: Tensor, Y: Tensor, noise: Tensor) -> None:
        import torch

        self._before = before
        self._X = X.expand(*Y.shape[:-1], X.shape[-1])
        covariance = before._covariance_of(self._X, self._X) + torch.diag_embed(noise.squeeze(-1))
        self._root = torch.linalg.cholesky(covariance)
        self._weights = torch.cholesky_solve(Y - before._mean_at(self._X).unsqueeze(-1), self._root)

    @property
    def batch_shape(self) -> torch.Size:
        return self._X.shape[:-2]

    @property
    def _noise_variance(self) -> float:
        return self._before._noise_variance

    def _mean_at(self, X: Tensor) -> Tensor:
        cross = self._before._covariance_of(X, self._X)
        return self._before._mean_at(X) + (cross @ self._weights).squeeze(-1)

    def _covariance_of(self, A: Tensor, B: Tensor) -> Tensor:
        import torch

        explained = [
            torch.linalg.solve_triangular(self._root, self._before._covariance_of(self._X, rows), upper=False)
            for rows in (A, B)
        ]
        return self._before._covariance_of(A, B).sub(explained[0].mT @ explained[1])
