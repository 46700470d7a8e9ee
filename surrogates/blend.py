"""Several surrogates as one: a mixture of their beliefs, each weighed by how likely it made rows that were held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Self, cast

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from .base import FloatArray, Prediction, Surrogate
from .errors import AlloyloopError
from .measurements import asked_rows, training_arrays
from .model import SurrogateModel, normal_posterior
from .scales import Normal

if TYPE_CHECKING:
    from torch import Tensor

# Rows that the equal shares of all members are worth, for each hundred rows judged: with few rows weights stay near.
PRIOR_SHARE = 0.05
LEAST_WEIGHT = 0.1  # a member with less costs more than it adds


@dataclass(frozen=True)
class Member:
    """One surrogate of a blend.

    Parameters
    ----------
    surrogate : unfitted
    columns : of the features, that it sees
    weight : its share in the blend
    """

    surrogate: Surrogate
    columns: tuple[int, ...]
    weight: float


def weights_of(log_densities: FloatArray) -> FloatArray:
    """The shares (k,) of k members under whose mixture held-out rows are most likely; 0 for a member of little use.

    Parameters
    ----------
    log_densities : (n, k) log density of each row by each member that had not seen it

    References
    ----------
    By expectation maximisation; Yao et al., Bayesian Anal. 13 (2018) 917, on stacking of predictive densities.

    Examples
    --------
    >>> weights_of(np.log([[0.9, 0.1]] * 50)).round(2)
    array([1., 0.])
    """
    n, k = log_densities.shape
    used = np.ones(k, dtype=bool)
    while True:
        weights = np.where(used, 1 / used.sum(), 0.0)
        relative = np.exp(log_densities - log_densities.max(axis=1, keepdims=True))
        for _ in range(200):
            shares = weights * relative
            shares /= shares.sum(axis=1, keepdims=True)
            weights = (shares.sum(axis=0) + PRIOR_SHARE * n * used / used.sum()) / (n * (1 + PRIOR_SHARE))
        small = used & (weights < LEAST_WEIGHT)
        if not small.any() or used.sum() == 1:
            return weights
        used[np.where(used, weights, np.inf).argmin()] = False


def mixture(parts: Sequence[Prediction], weights: Sequence[float]) -> Prediction:
    """Mean and standard deviations of a mixture of beliefs about the same points, all on one scale.

    Where members disagree, nobody knows: their disagreement is a part of the property's standard deviation.
    """
    shares = np.asarray(weights)
    means = np.stack([part.mean for part in parts])
    mean = shares @ means
    variance = shares @ (np.stack([part.std for part in parts]) ** 2 + (means - mean) ** 2)
    noise = shares @ np.stack([part.noise for part in parts]) ** 2
    behind = None
    if parts[0].behind is not None:
        normals = [part.measurement for part in parts]
        centres = np.stack([normal.mean for normal in normals])
        centre = shares @ centres
        spread = shares @ (np.stack([normal.std for normal in normals]) ** 2 + (centres - centre) ** 2)
        behind = Normal(normals[0].scale, centre, np.sqrt(spread))
    return Prediction(mean, np.sqrt(variance), np.sqrt(noise), behind)


class MixtureModel(SurrogateModel):
    """A surrogate that is a mixture of fitted ones, each seeing features of its own.

    Moments of the mixture, taken as normal. A draw is one of a single member, so that joint draws keep to one view.

    Attributes
    ----------
    members_ : the fitted surrogates, in order
    noise_ : standard deviation of a new measurement about the property, in the unit of y
    scale_ : spread of the property over the data, in the unit of y
    outliers_ : training rows that all members disagree with that look for such
    """

    def _mix(self, fitted: Sequence[Any], columns: Sequence[Sequence[int]], weights: ArrayLike) -> None:
        """Be the mixture of these, which see these columns of the features and have these shares."""
        self.members_ = list(fitted)
        self._columns = [list(seen) for seen in columns]
        self._weights = np.asarray(weights, dtype=np.float64)
        self.noise_ = float(np.sqrt(self._weights @ np.array([one.noise_ for one in self.members_]) ** 2))
        self.scale_ = max(one.scale_ for one in self.members_)
        self.outliers_ = self._agreed_outliers()

    def _blanks(self) -> list[int]:
        """Features that may be NaN."""
        return []

    def _agreed_outliers(self) -> np.ndarray[Any, Any]:
        """Training rows that every member that looks for such found to disagree."""
        found = [set(one.outliers_.tolist()) for one in self.members_ if hasattr(one, "outliers_")]
        return np.array(sorted(set.intersection(*found)) if found else [], dtype=np.intp)

    def _expected(self, X: ArrayLike) -> FloatArray:
        return np.asarray(self._weights @ _means(self._seen(X)))

    def believe(self, X: ArrayLike) -> Prediction:
        """What is believed of the property at each row, and of a measurement of it."""
        return mixture([one.believe(rows) for one, rows in self._seen(X)], self._weights.tolist())

    def covariance(self, A: ArrayLike, B: ArrayLike) -> FloatArray:
        """Covariance (n_a, n_b) of the property itself between rows of A and rows of B, under the mixture."""
        seen_a, seen_b = self._seen(A), self._seen(B)
        of_a, of_b = _means(seen_a), _means(seen_b)
        apart_a, apart_b = of_a - self._weights @ of_a, of_b - self._weights @ of_b
        own = [
            weight * one.covariance(a, b)
            for weight, (one, a), (_, b) in zip(self._weights, seen_a, seen_b, strict=True)
        ]
        return np.asarray(np.sum(own, axis=0) + (self._weights[:, None] * apart_a).T @ apart_b)

    def sample(self, X: ArrayLike, n_samples: int, rng: np.random.Generator) -> FloatArray:
        """Joint draws (n_samples, n) of the property itself, noise free: each of one member, as often as it weighs."""
        choosing, *drawing = rng.spawn(1 + len(self.members_))
        counts = choosing.multinomial(n_samples, self._weights)
        drawn = [
            one.sample(rows, int(count), rng)
            for (one, rows), count, rng in zip(self._seen(X), counts, drawing, strict=True)
            if count
        ]
        return np.asarray(choosing.permutation(np.concatenate(drawn)))

    def _seen(self, X: ArrayLike) -> list[tuple[Any, FloatArray]]:
        """Each fitted surrogate with what it sees of the rows."""
        check_is_fitted(self)
        rows = asked_rows(self, X, self._blanks())
        return [(one, rows[:, seen]) for one, seen in zip(self.members_, self._columns, strict=True)]

    def posterior(
        self,
        X: Tensor,
        output_indices: list[int] | None = None,
        observation_noise: bool | Tensor = False,
        posterior_transform: Any = None,
    ) -> Any:
        """Joint normal posterior at X (..., q, n_features) of the mixture's moments, differentiable as members are."""
        import torch

        check_is_fitted(self)
        joints = [
            one.posterior(X[..., seen], observation_noise=observation_noise).distribution
            for one, seen in zip(self.members_, self._columns, strict=True)
        ]
        weights = torch.from_numpy(self._weights)
        means = torch.stack([joint.mean for joint in joints], dim=-1)  # (..., q, k)
        mean = means @ weights
        apart = means - mean.unsqueeze(-1)
        covariance = sum(weight * joint.covariance_matrix for weight, joint in zip(weights, joints, strict=True))
        covariance = covariance + (apart * weights) @ apart.mT
        return normal_posterior(mean, covariance, posterior_transform)

    def condition_on_observations(self, X: Tensor, Y: Tensor, **kwargs: Any) -> NoReturn:
        """Not possible: members would need new weights, and some of them new fits."""
        raise AlloyloopError(
            "a blend of models cannot be conditioned on further measurements",
            "Fit it again with them, or use an acquisition that needs no fantasies.",
        )


class Blend(MixtureModel):
    """A mixture of surrogates, each seeing features of its own, with shares that are given.

    Parameters
    ----------
    members : what is blended; weights that add up to 1

    Attributes
    ----------
    members_, noise_, scale_, outliers_ : see `MixtureModel`

    Examples
    --------
    >>> from alloyloop.surrogates import GaussianProcess
    >>> X, y = np.arange(8.0)[:, None], np.array([1.0, 3.0, 2.0, 5.0, 4.0, 6.0, 7.0, 7.5])
    >>> halves = tuple(Member(GaussianProcess(noise_prior=n), (0,), 0.5) for n in (0.1, 2.0))
    >>> Blend(halves).fit(X, y).predict([[3.5]]).round(0)
    array([4.])
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = members

    def fit(self, X: ArrayLike, y: ArrayLike, **told: Any) -> Self:
        """Learn from measurements; see `Surrogate.fit`."""
        weights = [member.weight for member in self.members]
        if not weights or min(weights) <= 0 or abs(sum(weights) - 1) > 1e-9:
            raise AlloyloopError(f"the weights of a blend are {weights}", "Give shares above 0 that add up to 1.")
        rows, _ = training_arrays(self, X, y, self._blanks())
        fresh: list[Any] = [clone(cast(Any, member.surrogate)) for member in self.members]
        columns = [list(member.columns) for member in self.members]
        fitted = [one.fit(rows[:, seen], y, **told) for one, seen in zip(fresh, columns, strict=True)]
        self._mix(fitted, columns, weights)
        return self

    def _blanks(self) -> list[int]:
        """Features that may be NaN: those that some member, or a surrogate inside it, was told of."""
        return [
            member.columns[i]
            for member in self.members
            for name, blanks in cast(Any, member.surrogate).get_params().items()
            if name.rpartition("__")[2] == "blanks"
            for i in blanks
        ]


def _means(seen: Sequence[tuple[Any, FloatArray]]) -> FloatArray:
    """Expected values (k, n) of what each of k surrogates sees."""
    return np.stack([one.predict(rows) for one, rows in seen])
