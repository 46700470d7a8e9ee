"""A surrogate as a module of torch, for what takes nothing else: BoTorch's lists of models, or its saving of states."""

from __future__ import annotations

from typing import Any

import torch
from botorch.models.model import Model
from torch import Tensor

from .model import SurrogateModel


class BotorchModel(Model):
    """A fitted surrogate as a BoTorch model.

    BoTorch's acquisitions can ask a surrogate as it is; this is for what insists on a module of torch, such as
    `ModelList`.

    Parameters
    ----------
    surrogate : fitted

    Examples
    --------
    >>> from alloyloop.surrogates import GaussianProcess
    >>> from botorch.models.model import ModelList
    >>> X = torch.linspace(0, 1, 5).double()[:, None]
    >>> soft, strong = (GaussianProcess().fit(X, y) for y in ([1, 2, 2, 3, 4], [9, 7, 5, 5, 4]))
    >>> ModelList(BotorchModel(soft), BotorchModel(strong)).posterior(X[:2]).mean.shape
    torch.Size([2, 2])
    """

    def __init__(self, surrogate: SurrogateModel) -> None:
        super().__init__()
        self.surrogate: Any = surrogate

    @property
    def num_outputs(self) -> int:
        """One property."""
        return 1

    @property
    def batch_shape(self) -> torch.Size:
        """That of the surrogate: not batched, but where it has seen a batch of further measurements."""
        shape: torch.Size = self.surrogate.batch_shape
        return shape

    def posterior(self, X: Tensor, *args: Any, **kwargs: Any) -> Any:
        """The surrogate's joint posterior at X (..., q, n_features)."""
        return self.surrogate.posterior(X, *args, **kwargs)

    def condition_on_observations(self, X: Tensor, Y: Tensor, **kwargs: Any) -> Model:
        """The model that has seen Y (..., q, 1) at X (..., q, n_features) as well, where the surrogate can tell."""
        return BotorchModel(self.surrogate.condition_on_observations(X, Y, **kwargs))
