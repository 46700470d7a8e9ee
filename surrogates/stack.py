"""A stack: unlike families on the same features, weighed by how likely they make rows that were left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from .base import FloatArray, Prediction, family, surrogate
from .blend import MixtureModel, mixture
from .errors import AlloyloopError
from .left_out import LEAST_GROUPS, groups_of, n_parts
from .measurements import bounds_stated, check_length, spread, training_arrays
from .scores import group_folds

# Unlike in what they take a property for: a smooth function, a mean of steps, a network that is flat beyond the rows.
# On thirteen tables, whole sources or compositions left out, no further family lowered the error by 1 %.
MEMBERS = ("gaussian-process", "extra-trees", "neural-network")
# Equal shares are worth as much as this many groups of rows: with few, shares stay near.
PRIOR_GROUPS = 2.0
LEAST_SHARE = 0.02  # a member with less costs its time and changes nothing


class Stack(MixtureModel):
    """Several families, each fitted to all rows, with the shares under which rows left out are likeliest.

    Whole sources, where there are some, else rows that are equal, are left out together, whatever the member. Shares
    make the values left out likeliest as normal ones about the pooled expectation; they are drawn towards equal shares,
    the more the fewer sources (or different rows) there are. The belief is the mixture: where members disagree, nobody
    knows.

    Parameters
    ----------
    members : names that `alloyloop.surrogates.surrogate` knows
    noise_prior : usual standard deviation of one measurement, in the unit of y; a good guess matters with few rows
    n_repeats, tune_seconds : of the members that take them, see `CrossFitted`; each its own where None
    seed : of what is left out together, and of the members that take one

    Attributes
    ----------
    weights_ : the share of each member by name, the largest first; one of little use is not among them
    members_ : those members, fitted to all rows, in the same order
    held_out_ : Prediction of the rows that hold a value, with these shares, each by members that had not seen it; None
        of too few rows
    noise_, scale_, outliers_ : see `MixtureModel`

    Examples
    --------
    >>> X = np.arange(12.0)[:, None]
    >>> model = Stack(members=("ridge", "nearest-neighbours")).fit(X, 3 * X.ravel())
    >>> next(iter(model.weights_)), model.predict([[5.0]]).round(0)
    ('ridge', array([15.]))

    References
    ----------
    Wolpert, Neural Networks 5 (1992) 241; Yao et al., Bayesian Anal. 13 (2018) 917, on the scores to weigh by.
    """

    def __init__(
        self,
        *,
        members: Sequence[str] = MEMBERS,
        noise_prior: float | None = None,
        n_repeats: int | None = None,
        tune_seconds: float | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.members = members
        self.noise_prior = noise_prior
        self.n_repeats = n_repeats
        self.tune_seconds = tune_seconds
        self.seed = seed

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        noise: ArrayLike | None = None,
        censored: ArrayLike | None = None,
        source: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Learn from measurements, bounds left out by most members; see `Surrogate.fit`.

        `groups` (n,) says what is left out together, where that is neither sources nor equal rows.
        """
        if not self.members or len(set(self.members)) < len(self.members):
            raise AlloyloopError(
                f"a stack cannot be made of {', '.join(self.members) or 'nothing'}",
                "Name one model or more, each once.",
            )
        rows, values = training_arrays(self, X, y)
        check_length(noise, len(values))
        told = {"noise": noise, "censored": bounds_stated(censored, len(values)), "source": source, "groups": groups}
        lesson = _Lesson(rows, values, {name: np.asarray(of).ravel() for name, of in told.items() if of is not None})
        exact = lesson.rows(lesson.told["censored"] == 0)
        if not len(exact.values):
            raise AlloyloopError("all values are bounds, which a stack cannot learn from", "Use a Gaussian process.")
        fitted = [self._taught(name, lesson) for name in self.members]
        held = self._held_out(fitted, exact)
        shares = np.full(len(fitted), 1 / len(fitted))
        if held:
            errors = exact.values[:, None] - np.stack([one.mean for one in held], axis=1)
            shares = likeliest_shares(errors / spread(exact.values), exact.groups)
        order: list[int] = [i for i in np.argsort(-shares, kind="stable").tolist() if shares[i] > 0]
        self.weights_ = {self.members[i]: float(shares[i]) for i in order}
        self._mix([fitted[i] for i in order], [range(rows.shape[1])] * len(order), shares[order])
        self.held_out_ = mixture([held[i] for i in order], shares[order].tolist()) if held else None
        return self

    def _taught(self, name: str, lesson: _Lesson) -> Any:
        """A member that has learned."""
        model: Any = surrogate(name, noise_prior=self.noise_prior)
        asked = {"seed": self.seed, "n_repeats": self.n_repeats, "tune_seconds": self.tune_seconds}
        taken = model.get_params()
        model.set_params(**{key: value for key, value in asked.items() if value is not None and key in taken})
        leaves_out = family(name).leaves_out
        told = {key: value for key, value in lesson.told.items() if key != "groups" or leaves_out}
        return model.fit(lesson.X, lesson.values, **told)

    def _held_out(self, fitted: Sequence[Any], exact: _Lesson) -> list[Prediction]:
        """What each member believes of rows that it has not seen; nothing, where they are too few to leave some out."""
        n_groups = len(np.unique(exact.groups))
        if n_groups < LEAST_GROUPS:
            return []
        folds = group_folds(exact.groups, n_parts(len(exact.values), n_groups), self.seed)
        back = np.argsort(np.concatenate([unseen for _, unseen in folds]))

        def of(name: str, model: Any) -> Prediction:
            own: Prediction | None = getattr(model, "held_out_", None)
            if own is not None:
                return own
            parts = [self._taught(name, exact.rows(seen)).believe(exact.X[unseen]) for seen, unseen in folds]
            return Prediction.together(parts).rows(back)

        return [of(name, model) for name, model in zip(self.members, fitted, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class _Lesson:
    """What members learn from: X (n, n_features), values (n,), and what else `fit` is told, by name (n,)."""

    X: FloatArray
    values: FloatArray
    told: Mapping[str, NDArray[Any]]

    def rows(self, chosen: NDArray[Any]) -> _Lesson:
        """Some of the rows, by mask or by index."""
        told = {name: of[chosen] for name, of in self.told.items()}
        return _Lesson(self.X[chosen], self.values[chosen], told)

    @property
    def groups(self) -> NDArray[np.intp]:
        """(n,) a number for what is left out together."""
        return groups_of(self.X, self.told.get("source"), self.told.get("groups"))


def likeliest_shares(errors: FloatArray, groups: NDArray[Any]) -> FloatArray:
    """Shares (k,) of k members under which what they had not seen is likeliest, normal about the pooled expectation.

    The standard deviation of that normal is the one that fits. Rows of a group err together: all rows say as much as
    there are groups, and equal shares are worth `PRIOR_GROUPS` more. A member with less than `LEAST_SHARE` gets none.

    Parameters
    ----------
    errors : (n, k) measured minus expected values of rows that the members had not seen
    groups : (n,) what was left out together

    Examples
    --------
    >>> two = np.tile([[1.0, -1.0], [-1.0, 1.0]], (20, 1))  # each errs where the other errs the other way
    >>> likeliest_shares(two, np.arange(40))
    array([0.5, 0.5])
    >>> likeliest_shares(two * [0.1, 3.0], np.arange(40)).round(2)
    array([0.97, 0.03])
    """
    n, k = errors.shape
    n_groups = len(np.unique(groups))
    squares = errors.T @ errors / n
    # An error of nothing has no logarithm.
    squares += 1e-9 * max(float(np.trace(squares)), np.finfo(float).tiny) * np.eye(k)

    def loss(free: FloatArray) -> tuple[float, FloatArray]:
        shares = softmax(free)
        pooled = squares @ shares
        mean_square = float(shares @ pooled)
        value = n_groups / 2 * np.log(mean_square) - PRIOR_GROUPS / k * log_softmax(free).sum()
        slope = n_groups * shares * (pooled / mean_square - 1) - PRIOR_GROUPS * (1 / k - shares)
        return float(value), slope

    shares = softmax(minimize(loss, np.zeros(k), jac=True, method="L-BFGS-B").x)
    kept = np.where(shares >= min(LEAST_SHARE, 1 / k), shares, 0.0)
    return np.asarray(kept / kept.sum())
