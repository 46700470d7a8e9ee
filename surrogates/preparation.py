"""A surrogate behind steps of preparation that are learned with it, so that no row held out has a say in them."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA, FastICA
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import SelectKBest, r_regression
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from .base import FloatArray, Prediction, Surrogate
from .measurements import asked_rows, bounds_stated, training_arrays
from .model import SurrogateModel
from .steps import Step as Step  # both are looked for here, where they are learned
from .steps import steps as steps

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Rows: TypeAlias = Any  # an array, or a tensor of torch

# A feature whose spread is a smaller part of its size than this never varied; an axis along which rows spread less than
# this part of the widest is none: fractions that add up to 1 have one axis fewer than elements.
NEGLIGIBLE = 1e-9


def _can_leave_out(prepared: Prepared) -> bool:
    """Whether a value can be left out afterwards, the steps being kept.

    Axes and kinds know no values, and may stay as hyperparameters do. Features were selected by the very values
    that would be left out.
    """
    return hasattr(prepared.surrogate_, "leave_one_out") and all(one.kind != "select" for one in steps(prepared.steps))


class Prepared(SurrogateModel):
    """A surrogate that sees features as steps of preparation leave them, the steps being learned as it is.

    Parameters
    ----------
    surrogate : the surrogate, which is cloned and not changed; what it is told of single features is of prepared ones
    steps : in their order, such as `("select 8", "pca 3")`; see `Step`

    Attributes
    ----------
    surrogate_ : the fitted surrogate, which is asked in prepared features
    noise_, scale_ : those of the surrogate

    Examples
    --------
    >>> from alloyloop.surrogates import GaussianProcess
    >>> X = np.random.default_rng(0).random((20, 9))
    >>> model = Prepared(GaussianProcess(), ("select 1",)).fit(X, X[:, 4])
    >>> model.relevances_.round(2).tolist()
    [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]

    Notes
    -----
    Features count in units of their spread over the training rows; one that never varied there makes no axis and tells
    no kinds apart. A step that asks for more than there is takes all there is, and where all rows are alike there are
    no axes and the features stay as they are.

    `select` goes by the size of the correlation with the property, which ranks features as the F-test of a straight
    line does. Estimated mutual information found fewer of the features that matter on tables of up to 150 rows, also
    where these are bent. Only values of the property itself guide it, and neither bounds nor other properties learned
    together with it. Axes and kinds come from all rows, whatever their values. A kind is told by distances and not as a
    word, so that beliefs stay smooth where two kinds meet.

    A direction in which no training row differs from another is lost with `pca` and `ica`: of an alloy that differs
    there the surrogate is as sure as of its shadow on the axes.
    """

    def __init__(self, surrogate: Surrogate, steps: Sequence[str] = ()) -> None:
        self.surrogate = surrogate
        self.steps = steps

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        noise: ArrayLike | None = None,
        censored: ArrayLike | None = None,
        source: ArrayLike | None = None,
        task: ArrayLike | None = None,
        **more: Any,
    ) -> Self:
        """Learn the steps, and then from measurements; see `Surrogate.fit`; of `task` and more, the surrogate's own."""
        asked = steps(self.steps)
        rows, values = training_arrays(self, X, y)
        guides = bounds_stated(censored, len(values)) == 0
        told: dict[str, Any] = {"noise": noise, "censored": censored, "source": source, **more}
        if task is not None:
            guides &= np.asarray(task).reshape(values.shape) == 0
            told["task"] = task
        self._maps: list[_Map] = []
        seen = rows
        for step in asked:
            self._maps.append(_learn(step, seen, values, guides))
            seen = _mapped(self._maps[-1:], seen)
        inner: Any = clone(cast(Any, self.surrogate))
        self.surrogate_ = inner.fit(seen, values, **told)
        self.noise_, self.scale_ = inner.noise_, inner.scale_
        return self

    def _expected(self, X: ArrayLike) -> FloatArray:
        rows = self._prepared(X)
        return cast(FloatArray, self.surrogate_.predict(rows))

    def believe(self, X: ArrayLike) -> Prediction:
        """What is believed of the property at each row, and of a measurement of it."""
        rows = self._prepared(X)
        return cast(Prediction, self.surrogate_.believe(rows))

    def covariance(self, A: ArrayLike, B: ArrayLike) -> FloatArray:
        """Posterior covariance (n_a, n_b) of the property itself between rows of A and rows of B."""
        rows_a, rows_b = self._prepared(A), self._prepared(B)
        return cast(FloatArray, self.surrogate_.covariance(rows_a, rows_b))

    def sample(self, X: ArrayLike, n_samples: int, rng: np.random.Generator) -> FloatArray:
        """Joint draws (n_samples, n) of the property itself, noise free."""
        rows = self._prepared(X)
        return cast(FloatArray, self.surrogate_.sample(rows, n_samples, rng))

    @property
    def relevances_(self) -> FloatArray:
        """(n_features,) relevances of what the surrogate sees, where it tells them, as those of the features given.

        Each prepared feature hands its own to the features that it is made of, by their shares in its variance.
        """
        shares = [learned.shares for learned in self._maps]
        return cast(FloatArray, reduce(lambda told, of: of @ told, shares[::-1], self.surrogate_.relevances_))

    @property
    def outliers_(self) -> NDArray[np.intp]:
        """Indices of the rows that disagree with all others, where the surrogate looks for them."""
        return cast("NDArray[np.intp]", self.surrogate_.outliers_)

    @property
    def tuned_(self) -> Mapping[str, Any]:
        """The setting that the surrogate chose, where it chooses one."""
        return cast("Mapping[str, Any]", self.surrogate_.tuned_)

    @available_if(_can_leave_out)  # type: ignore[untyped-decorator]  # scikit-learn comes without types
    def leave_one_out(self) -> Prediction:
        """What is believed of each training value by all others, with the steps as they are; not where any selects."""
        return cast(Prediction, self.surrogate_.leave_one_out())

    def _prepared(self, X: ArrayLike) -> FloatArray:
        return _mapped(self._fitted(), asked_rows(self, X))

    def _fitted(self) -> list[_Map]:
        check_is_fitted(self)
        return self._maps

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "surrogate_")  # scikit-learn looks for numbers; one conditioned on more has none

    @property
    def batch_shape(self) -> torch.Size:
        """That of the surrogate, which has one where it was conditioned on batches of observations."""
        return cast("torch.Size", self.surrogate_.batch_shape) if hasattr(self, "surrogate_") else super().batch_shape

    def posterior(self, X: Tensor, *args: Any, **kwargs: Any) -> Any:
        """BoTorch's joint posterior at X (..., q, n_features), differentiable where the surrogate's is."""
        maps = self._fitted()
        return self.surrogate_.posterior(_through(maps, X), *args, **kwargs)

    def condition_on_observations(self, X: Tensor, Y: Tensor, **kwargs: Any) -> Prepared:
        """One that has seen Y (..., q, 1) at X (..., q, n_features) as well, prepared by the same steps."""
        knows_more = Prepared(self.surrogate, self.steps)
        knows_more._maps = self._fitted()
        knows_more.surrogate_ = self.surrogate_.condition_on_observations(_through(knows_more._maps, X), Y, **kwargs)
        return knows_more


class _Map(Protocol):
    """A step that was learned."""

    @property
    def shares(self) -> FloatArray:
        """(n_features, n_prepared) share of each feature in the variance of each prepared one; columns add up to 1."""
        ...

    def __call__(self, X: Rows) -> Rows:
        """Rows (..., n_features) as rows (..., n_prepared); of tensors differentiable."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """Some of the features.

    Parameters
    ----------
    features : (n_prepared,) their indices
    among : number of features
    """

    features: NDArray[np.intp]
    among: int

    @property
    def shares(self) -> FloatArray:
        return np.asarray(np.eye(self.among)[:, self.features])

    def __call__(self, X: Rows) -> Rows:
        return X[..., self.features.tolist()]


@dataclass(frozen=True, slots=True, eq=False)
class _Axes:
    """Sums of features.

    Parameters
    ----------
    origin : (n_features,) where all sums are 0
    per_spread : (n_features,) 1 over the spread of each feature; 0 where it never varied
    weights : (n_features, n_prepared) of features of unit spread
    """

    origin: FloatArray
    per_spread: FloatArray
    weights: FloatArray

    @property
    def shares(self) -> FloatArray:
        return np.asarray(self.weights**2 / (self.weights**2).sum(axis=0))

    def __call__(self, X: Rows) -> Rows:
        return (X - _beside(X, self.origin)) @ _beside(X, self.per_spread[:, None] * self.weights)


@dataclass(frozen=True, slots=True, eq=False)
class _Distances:
    """All features, and the distance to the middle of each kind.

    Parameters
    ----------
    origin, per_spread : (n_features,) as of axes
    middles : (n_kinds, n_features) of features of unit spread about the origin
    """

    origin: FloatArray
    per_spread: FloatArray
    middles: FloatArray

    @property
    def shares(self) -> FloatArray:
        apart = np.var(self.middles, axis=0), self.per_spread > 0, np.ones(len(self.origin))
        told = next(of for of in apart if of.any())  # a single kind, and all rows alike, tell no feature from another
        return np.column_stack([np.eye(len(self.origin)), *[told / told.sum()] * len(self.middles)])

    def __call__(self, X: Rows) -> Rows:
        U = (X - _beside(X, self.origin)) * _beside(X, self.per_spread)
        if isinstance(X, np.ndarray):
            return np.concatenate([X, cdist(U, self.middles)], axis=-1)
        import torch

        # Not by |u|² - 2uv + |v|², which loses half of the digits near a middle.
        far = torch.cdist(U, _beside(X, self.middles), compute_mode="donot_use_mm_for_euclid_dist")
        return torch.cat([X, far], dim=-1)


def _beside(X: Rows, constants: FloatArray) -> Any:
    """Constants as what the rows are: an array, or a tensor."""
    if isinstance(X, np.ndarray):
        return constants
    import torch

    return torch.from_numpy(constants)


def _through(maps: Iterable[_Map], X: Rows) -> Rows:
    return reduce(lambda rows, learned: learned(rows), maps, X)


def _mapped(maps: Sequence[_Map], X: FloatArray) -> FloatArray:
    return cast(FloatArray, _through(maps, X))


def _learn(step: Step, X: FloatArray, y: FloatArray, guides: NDArray[np.bool_]) -> _Map:
    """Learn a step from rows (n, n_features) and, where it goes by values, from those (n,) that may guide it."""
    origin, per_spread = _unit_spread(X)
    U = (X - origin) * per_spread
    if step.kind == "select":
        return _Kept(_telling(U[guides], y[guides], step.count), X.shape[1])
    if step.kind == "clusters":
        return _Distances(origin, per_spread, _middles(U, step.count))
    n_axes = min(step.count, int(np.linalg.matrix_rank(U, rtol=NEGLIGIBLE)))
    if not n_axes:
        return _Kept(np.arange(X.shape[1]), X.shape[1])
    return _Axes(origin, per_spread, (_principal if step.kind == "pca" else _independent)(U, n_axes))


def _unit_spread(X: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean (n_features,) of each feature, and 1 over its standard deviation; 0 for a feature that never varied."""
    std = X.std(axis=0)
    varies = std > NEGLIGIBLE * np.abs(X).max(axis=0)
    return X.mean(axis=0), np.divide(1.0, std, out=np.zeros_like(std), where=varies)


def _telling(U: FloatArray, y: FloatArray, count: int) -> NDArray[np.intp]:
    """Indices of the features that tell most of y; of all where there is nothing to go by."""
    if count >= U.shape[1] or len(y) < 3 or np.ptp(y) == 0:
        return np.arange(U.shape[1])
    best = SelectKBest(_strength, k=count).fit(U, y)
    return cast("NDArray[np.intp]", best.get_support(indices=True))


def _strength(U: FloatArray, y: FloatArray) -> FloatArray:
    """Size (n_features,) of each feature's correlation with y; the F-test ranks the same, but fails where it is 1."""
    return cast(FloatArray, np.abs(r_regression(U, y)))


def _principal(U: FloatArray, n_axes: int) -> FloatArray:
    return np.asarray(PCA(n_axes, svd_solver="full").fit(U).components_).T


def _independent(U: FloatArray, n_axes: int) -> FloatArray:
    # Whitened by PCA and not by FastICA, which divides by the spread along axes that it then leaves out.
    whitened = PCA(n_axes, svd_solver="full", whiten=True).fit(U)
    rotated = FastICA(whiten=cast(Any, False), max_iter=1000, random_state=0)
    with warnings.catch_warnings():
        # Where rows are normal one rotation is as independent as another, and the last that was tried is as good.
        warnings.simplefilter("ignore", ConvergenceWarning)
        rotated.fit(whitened.transform(U))
    unit = np.asarray(whitened.components_).T / np.sqrt(whitened.explained_variance_)
    return np.asarray(unit @ np.asarray(rotated.components_).T)


def _middles(U: FloatArray, count: int) -> FloatArray:
    n_kinds = min(count, len(np.unique(U, axis=0)))
    # One thread: several add up their shares in any order, and the same data would give another belief.
    with warnings.catch_warnings(), threadpool_limits(limits=1, user_api="openmp"):
        warnings.simplefilter("ignore", ConvergenceWarning)  # rows so close that they make fewer kinds
        return cast(FloatArray, KMeans(n_kinds, n_init=cast(Any, 10), random_state=0).fit(U).cluster_centers_)
