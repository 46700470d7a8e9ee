"""Any surrogate on a scale: on the logarithm of a positive property, on the logit of a bounded one."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, NoReturn, Self, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted, column_or_1d

from .base import FloatArray, Prediction, Surrogate
from .errors import AlloyloopError
from .measurements import check_length, check_resolvable, check_values, spread
from .model import SurrogateModel, normal_posterior
from .scales import LARGEST_LOG, LOG, Linear, Log, Logit, Normal, Scale, hermite
from .widened import Widened

if TYPE_CHECKING:
    from torch import Tensor


class Warped(SurrogateModel):
    """A surrogate that learns and believes on a scale, asked and answering in the property's own unit.

    Parameters
    ----------
    surrogate : the surrogate, which is cloned and not changed; its `noise_prior`, where it has one, is in the unit of y
    scale : the scale on which it works

    Attributes
    ----------
    surrogate_ : the fitted surrogate; whatever it says is on the scale
    noise_ : standard deviation of a new measurement about the property, root mean square over the alloys learned from
    scale_ : spread of the property over the data, in the unit of y

    Examples
    --------
    >>> from alloyloop.surrogates import GaussianProcess
    >>> X, rate = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0.1, 1.0, 10.0, 100.0])
    >>> low, high = Warped(GaussianProcess(), LOG).fit(X, rate).believe([[0.5]]).interval()
    >>> bool(0 < low[0] < 0.3 < high[0])
    True

    Notes
    -----
    A stated noise becomes noise on the scale by the slope at its value, the usual scatter by the median slope. Both are
    first-order: exact enough up to a third of the value. Means, spreads and covariances are exact for a logarithm, and
    by quadrature for a logit; draws are those of the surrogate, bent.
    """

    def __init__(self, surrogate: Surrogate, scale: Scale = LOG) -> None:
        self.surrogate = surrogate
        self.scale = scale

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        noise: ArrayLike | None = None,
        task: ArrayLike | None = None,
        **told: Any,
    ) -> Self:
        """Learn from measurements; see `Surrogate.fit`.

        Of several properties, which `task` numbers, the first is on the scale, and the others are taken as they are.
        """
        inner: Any = clone(cast(Any, self.surrogate))
        check_values(y)
        y = np.asarray(column_or_1d(y, dtype=np.float64, warn=True))
        own = np.ones(y.shape, dtype=bool) if task is None else np.asarray(task).reshape(y.shape) == 0
        z, slope = y.copy(), np.ones(y.shape)
        z[own], slope[own] = self.scale.forward(y[own]), self.scale.slope(y[own])
        for name, usual in inner.get_params().items():  # its own, or that of a surrogate inside it
            if name.rpartition("__")[2] == "noise_prior" and usual is not None:
                inner.set_params(**{name: usual * float(np.median(slope[own]))})
        check_length(noise, len(y))
        stated = None if noise is None else np.asarray(noise, dtype=np.float64).ravel() * slope.ravel()
        self.surrogate_ = inner.fit(X, z, noise=stated, **(told if task is None else {**told, "task": task}))
        self._forward(inner, ("n_features_in_", "feature_names_in_", "tuned_", "n_tried_"))
        self.scale_ = spread(y[own])
        self.noise_ = inner.noise_ * float(np.sqrt(np.mean(1 / slope[own] ** 2)))
        return self

    def widened(self, factor: float) -> Warped:
        """The same with every standard deviation on the scale multiplied, without another fit."""
        wide = copy(self)
        wide.surrogate = Widened(self.surrogate, factor)
        wide.surrogate_ = Widened.around(self.surrogate_, factor)
        wide.noise_ = factor * self.noise_
        return wide

    def believe(self, X: ArrayLike) -> Prediction:
        """What is believed of the property at each row, and of a measurement of it."""
        return self._in_the_unit(self._fitted().believe(X))

    def leave_one_out(self) -> Prediction:
        """What is believed of each row learned from without it, where the surrogate can tell."""
        return self._in_the_unit(cast(Any, self._fitted()).leave_one_out())

    @property
    def held_out_(self) -> Prediction | None:
        """What was believed of each row that holds a value by what had not seen it, where the surrogate can tell."""
        held: Prediction | None = cast(Any, self._fitted()).held_out_
        return held and self._in_the_unit(held)

    def covariance(self, A: ArrayLike, B: ArrayLike) -> FloatArray:
        """Posterior covariance (n_a, n_b) of the property itself between rows of A and rows of B."""
        inner = self._fitted()
        a, b = ((belief.mean, belief.measured_std) for belief in (inner.believe(A), inner.believe(B)))
        return self.scale.covariance(a, b, inner.covariance(A, B))

    def sample(self, X: ArrayLike, n_samples: int, rng: np.random.Generator) -> FloatArray:
        """Joint draws (n_samples, n) of the property itself, noise free."""
        inner = self._fitted()
        draws = inner.sample(X, n_samples, rng)
        noise = np.tile(inner.believe(X).noise, n_samples)
        return self.scale.moments(draws.ravel(), noise)[0].reshape(draws.shape)

    def _fitted(self) -> Surrogate:
        check_is_fitted(self)
        return cast(Surrogate, self.surrogate_)

    def _in_the_unit(self, belief: Prediction) -> Prediction:
        behind = Normal(self.scale, belief.mean, belief.measured_std)
        return Prediction(*self.scale.belief(belief.mean, belief.std, belief.noise), behind)

    def posterior(
        self,
        X: Tensor,
        output_indices: list[int] | None = None,
        observation_noise: bool | Tensor = False,
        posterior_transform: Any = None,
    ) -> Any:
        """Joint normal posterior at X (..., q, n_features) with the mean and covariance of the property, in its unit.

        Normal, and not the surrogate's own posterior pushed through the scale (BoTorch's `TransformedPosterior`), since
        analytic acquisitions, posterior transforms and cached root decompositions ask for a normal one. It has the same
        first two moments, and is differentiable; `sample` keeps the shape too.
        """
        import torch

        inner = cast(Any, self._fitted())
        check_resolvable(self.scale_)
        known, measured = inner.posterior(X), inner.posterior(X, observation_noise=True)
        centre, variance = known.mean.squeeze(-1), measured.variance.squeeze(-1)
        mean, covariance = _moments(self.scale, centre, variance, known.distribution.covariance_matrix)
        # So that repeated rows have a root, in any unit; a std gains at most 0.01 % of the spread of the data.
        added = torch.full_like(mean, 1e-8 * self.scale_**2)
        if isinstance(observation_noise, torch.Tensor):
            added = added + observation_noise.squeeze(-1)
        elif observation_noise:
            one = _moments(self.scale, centre[..., None], variance[..., None], variance[..., None, None])[1]
            added = added + one[..., 0, 0] - covariance.diagonal(dim1=-2, dim2=-1)
        return normal_posterior(mean, covariance + torch.diag_embed(added), posterior_transform)

    def condition_on_observations(self, X: Tensor, Y: Tensor, **kwargs: Any) -> NoReturn:
        """Not possible: the moments of a bent belief are not updated like those of a normal one."""
        raise AlloyloopError(
            "a surrogate on a scale cannot be conditioned on further measurements",
            "Fit it again with them, or use an acquisition that needs no fantasies.",
        )


def _moments(scale: Scale, mean: Tensor, variance: Tensor, shared: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (..., q) and covariance (..., q, q) of the property, as `Scale.belief` and `Scale.covariance` give them.

    Parameters
    ----------
    scale : the scale
    mean, variance : (..., q) of measurements on the scale
    shared : (..., q, q) covariance of the property on the scale
    """
    if isinstance(scale, Linear):
        return mean, shared
    if isinstance(scale, Log):
        expected = (mean + variance / 2).clamp(max=LARGEST_LOG).exp()
        return expected, expected[..., :, None] * expected[..., None, :] * shared.clamp(max=LARGEST_LOG).expm1()
    if not isinstance(scale, Logit):
        raise AlloyloopError(
            f"a BoTorch posterior cannot be made on the scale {scale.name}",
            "Ask `believe`, `covariance` and `sample`, or use one of linear, log and logit.",
        )
    import torch

    nodes, project = (torch.from_numpy(part) for part in hermite())
    std = variance.sqrt()
    bent = scale.low + (scale.high - scale.low) * torch.sigmoid(mean[..., None] + std[..., None] * nodes)
    terms = bent @ project
    correlation = shared / (std[..., :, None] * std[..., None, :])
    total = torch.zeros_like(shared)
    for k in range(terms.shape[-1] - 1, 0, -1):
        total = (total + terms[..., :, None, k] * terms[..., None, :, k]) * correlation
    return terms[..., 0], total
