"""Neuro-fuzzy regression: a few rules, each a weighted sum of the features, that pass softly into each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.cluster import KMeans
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from .base import FloatArray
from .cross_fitted import CrossFitted

# A rule that half belongs where it is least at home within the data says nothing about that feature.
SAYS_NOTHING = 0.5
# Low and high are so many standard deviations from the mean of the data; nearer to it, a rule mentions no feature.
APART = 0.5
# Beyond the data, a rule is followed for a quarter of their range and no further.
MARGIN = 0.25
# Bells at first, over the spread of their clusters; and the least variance of one, features of unit spread.
WIDTH, LEAST_VARIANCE = 0.7, 0.05
# What is learned by least squares (features of unit spread) and by slopes (sets of a rule) is held, per row:
HELD_COMMON, HELD_SETS = 1e-4, 0.02


def neuro_fuzzy(**settings: Any) -> CrossFitted:
    """Rules such as "where Nb is low and Sn is high", each with its own weighted sum; see `FuzzyRules`.

    Six settings are tried, and rows are left out twice: a network is slower to learn than a sum.

    Parameters
    ----------
    settings : those of `CrossFitted`

    Examples
    --------
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> model = neuro_fuzzy(n_repeats=1).fit(X, np.abs(X[:, 0]))  # a kink: two sums, each of which holds on one side
    >>> model.predict([[-0.6], [0.6]]).round(1)
    array([0.6, 0.6])
    """
    strengths = [(2, 0.1), (2, 0.01), (3, 0.01), (3, 0.001), (5, 0.01), (5, 0.001)]
    grid = [{"n_rules": n_rules, "shrinkage": shrinkage} for n_rules, shrinkage in strengths]
    return CrossFitted(FuzzyRules(), grid, **{"n_repeats": 2, **settings})


class FuzzyRules(RegressorMixin, BaseEstimator):  # type: ignore[misc]  # these come without types
    """An adaptive neuro-fuzzy inference system of the first order (Takagi, Sugeno, Kang), its rules found in the data.

    A rule belongs to each row to some degree, the product of bells over a few features, and says a weighted sum of all
    features; what is expected is the mean of what the rules say, weighted by how far they belong. The rules begin as
    clusters of the rows, so that there are as many as are asked for, however many features there are, and are
    learned as Jang's hybrid rule has it: their sums by least squares, their bells by slopes.

    Parameters
    ----------
    n_rules : how many, of which fewer are taken where there are fewer rows
    shrinkage : how strongly the sums of the rules are held to one common sum, per row
    n_features_told : how many features the conditions of a rule are about: those that trees find the most telling
    n_steps : of the bells, by L-BFGS
    random_state : of the trees and of the clusters

    Attributes
    ----------
    told_ : the features that conditions are about
    centres_, widths_ : (n_rules, n_told) of the bells, features of unit spread
    sums_ : (n_rules, n_features + 1) weights of what each rule says, features of unit spread; the last is a constant
    shares_ : (n_rules,) of the training rows that each rule speaks for

    Notes
    -----
    The network and its slopes are torch's, the clusters scikit-learn's, the steps SciPy's. anfis-toolbox 0.2.2 was
    tried and is not used: its Gaussian bells have the slope along their centres with the wrong sign, and with one rule
    for each combination of sets it errs five times as much as the mean does on 155 high-entropy alloys.

    The width of a bell is that of its cluster times the root of the number of conditions: a product of many bells
    would else belong to nothing.

    References
    ----------
    Jang, IEEE Trans. Syst. Man Cybern. 23 (1993) 665, doi:10.1109/21.256541; Takagi & Sugeno, ibid. 15 (1985) 116,
    doi:10.1109/TSMC.1985.6313399. On many conditions: Cui, Wu & Xu, Int. Joint Conf. Neural Networks (2021),
    doi:10.1109/IJCNN52387.2021.9534265.
    """

    def __init__(
        self,
        n_rules: int = 3,
        shrinkage: float = 0.01,
        n_features_told: int = 4,
        n_steps: int = 10,
        random_state: int = 0,
    ) -> None:
        self.n_rules = n_rules
        self.shrinkage = shrinkage
        self.n_features_told = n_features_told
        self.n_steps = n_steps
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Learn from features X (n, n_features) and values y (n,), which count by their weights (n,)."""
        checked: Any = validate_data(self, cast(Any, X), cast(Any, y), dtype=np.float64, y_numeric=True)
        rows, values = checked
        weights = np.ones(len(rows)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        self._lowest, self._highest = rows.min(axis=0), rows.max(axis=0)
        self._middle, self._spread = rows.mean(axis=0), rows.std(axis=0)
        size = np.maximum(np.abs(self._lowest), np.abs(self._highest))
        self._spread[self._spread <= 1e-9 * size] = np.inf  # a feature that never varied makes no difference
        scaled = self._scaled(rows)
        self.told_ = _telling(scaled, values, weights, self.n_features_told, self.random_state)
        told = scaled[:, self.told_]
        centres, widths = _clusters(told, self.n_rules, self.random_state)
        lesson = _Hybrid(scaled, told, values, weights, self.shrinkage, centres, widths)
        bells = lesson.learned(self.n_steps)
        self.centres_, self.widths_ = (one.numpy() for one in lesson.unpacked(torch.from_numpy(bells)))
        self.sums_ = lesson.sums(bells)
        belong = self._belonging(scaled)
        self.shares_ = belong.mean(axis=0)
        self._homes = (belong.T @ scaled) / belong.sum(axis=0)[:, None]
        degrees = np.exp(-0.5 * ((told[:, None] - self.centres_) / self.widths_) ** 2)
        self._says = np.quantile(degrees, 0.05, axis=0) < SAYS_NOTHING
        return self

    def predict(self, X: ArrayLike) -> FloatArray:
        """Expected values (n,)."""
        check_is_fitted(self)
        rows: Any = validate_data(self, cast(Any, X), dtype=np.float64, reset=False)
        beyond = MARGIN * (self._highest - self._lowest)
        scaled = self._scaled(np.clip(rows, self._lowest - beyond, self._highest + beyond))
        return np.asarray((self._belonging(scaled) * (_with_constant(scaled) @ self.sums_.T)).sum(axis=1))

    def rules(self, names: Sequence[str], centre: float = 0.0, unit: float = 1.0) -> list[str]:
        """The rules as sentences, the one that speaks for most rows first.

        Parameters
        ----------
        names : (n_features,) of the features
        centre, unit : a value of 1 here is `centre` plus one `unit`

        Examples
        --------
        >>> X = np.linspace(0, 40, 41)[:, None]
        >>> model = FuzzyRules(n_rules=2, shrinkage=1e-4, n_steps=50).fit(X, np.abs(X[:, 0] - 20) / 10)
        >>> for rule in model.rules(["Nb"]):
        ...     print(rule)  # doctest: +ELLIPSIS
        where Nb is high (about 30...): 1.0..., 0.09... more for each 1 of Nb (51 % of the rows)
        where Nb is low (about 9...): 1.0..., 0.09... less for each 1 of Nb (49 % of the rows)
        """
        check_is_fitted(self)
        return [self._sentence(rule, names, centre, unit) for rule in np.argsort(-self.shares_, kind="stable")]

    def _sentence(self, rule: int, names: Sequence[str], centre: float, unit: float) -> str:
        home = self._homes[rule]
        conditions = [
            f"{names[column]} is {'high' if home[column] > 0 else 'low'} (about {self._plain(home)[column]:.3g})"
            for place, column in enumerate(self.told_)
            if self._says[rule, place] and abs(home[column]) > APART
        ]
        where = f"where {' and '.join(conditions)}" if conditions else "in the middle of the data"
        said = centre + unit * float(np.append(home, 1.0) @ self.sums_[rule])
        steepness, slopes = np.abs(self.sums_[rule, :-1]), unit * self.sums_[rule, :-1] / self._spread
        changes = [
            f"{abs(slopes[column]):.3g} {'more' if slopes[column] > 0 else 'less'} for each 1 of {names[column]}"
            for column in np.argsort(-steepness, kind="stable")[:3]
            if steepness[column] > max(0.1 * steepness.max(), 1e-9)
        ]
        share = f"({self.shares_[rule]:.0%} of the rows)".replace("%", " %")
        return f"{where}: {', '.join([f'{said:.4g}', *changes])} {share}"

    def _scaled(self, rows: FloatArray) -> FloatArray:
        return np.asarray((rows - self._middle) / self._spread)

    def _belonging(self, scaled: FloatArray) -> FloatArray:
        parts = (torch.from_numpy(one) for one in (scaled[:, self.told_], self.centres_, self.widths_))
        return np.asarray(_belonging(*parts).numpy())

    def _plain(self, scaled: FloatArray) -> FloatArray:
        return np.asarray(self._middle + scaled * np.where(np.isfinite(self._spread), self._spread, 0.0))


class _Hybrid:
    """What is to be made small: errors of the sums that fit best, and how far bells have moved from their clusters.

    Parameters
    ----------
    scaled, told : (n, n_features) features of unit spread, and those (n, n_told) that conditions are about
    y, weights : (n,) values, and what each counts for
    shrinkage : see `FuzzyRules`
    centres, widths : (n_rules, n_told) of the clusters
    """

    def __init__(
        self,
        scaled: FloatArray,
        told: FloatArray,
        y: FloatArray,
        weights: FloatArray,
        shrinkage: float,
        centres: FloatArray,
        widths: FloatArray,
    ) -> None:
        self.terms, self.told, self.y, self.weights = map(torch.from_numpy, (_with_constant(scaled), told, y, weights))
        self.shape = centres.shape
        self.start = np.concatenate([centres.ravel(), np.log(widths).ravel()])
        n, n_terms = self.terms.shape
        common = np.append(np.full(n_terms - 1, HELD_COMMON), 1e-9)  # the constant is free
        self.held = torch.from_numpy(n * np.concatenate([common, np.full(len(centres) * n_terms, shrinkage)]))

    def features(self, bells: Tensor) -> Tensor:
        """What is summed (n, n_terms (1 + n_rules)): the terms as they are, and as far as each rule belongs."""
        belong = _belonging(self.told, *self.unpacked(bells))
        return torch.hstack([self.terms, (belong[:, :, None] * self.terms[:, None, :]).flatten(1)])

    def fitted(self, features: Tensor) -> Tensor:
        """Weights (n_terms (1 + n_rules),) that fit best."""
        weighted = features * self.weights[:, None]
        fitted: Tensor = torch.linalg.solve(weighted.T @ features + torch.diag(self.held), weighted.T @ self.y)
        return fitted

    def sums(self, bells: FloatArray) -> FloatArray:
        """Weights (n_rules, n_terms) of what each rule says."""
        fitted = self.fitted(self.features(torch.from_numpy(bells)))
        common, own = fitted[: self.terms.shape[1]], fitted[self.terms.shape[1] :]
        return np.asarray((common + own.reshape(self.shape[0], -1)).numpy())

    def __call__(self, bells: FloatArray) -> tuple[float, FloatArray]:
        """Half the squares, and their slopes along the centres and the logarithms of the widths of the bells."""
        at = torch.tensor(bells, requires_grad=True)
        features = self.features(at)
        fitted = self.fitted(features).detach()  # the best, so that its own change adds nothing to the slopes
        errors = features @ fitted - self.y
        moved = at - torch.from_numpy(self.start)
        loss = (self.weights @ errors**2 + self.held @ fitted**2 + HELD_SETS * len(self.y) * moved @ moved) / 2
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own has no types
        assert at.grad is not None
        return loss.item(), at.grad.numpy()

    def learned(self, n_steps: int) -> FloatArray:
        """The bells after so many steps."""
        if not n_steps:
            return self.start
        return np.asarray(minimize(self, self.start, jac=True, method="L-BFGS-B", options={"maxiter": n_steps}).x)

    def unpacked(self, bells: Tensor) -> tuple[Tensor, Tensor]:
        """Centres and widths (n_rules, n_told) of bells."""
        centres, logarithms = bells.reshape(2, *self.shape)
        return centres, logarithms.exp()


def _belonging(told: Tensor, centres: Tensor, widths: Tensor) -> Tensor:
    """How far each rule belongs to rows (n, n_rules): the product of its bells, over that of all rules.

    Examples
    --------
    >>> told, centres, widths = (torch.tensor(one) for one in ([[0.0], [2.0]], [[0.0], [2.0]], [[1.0], [1.0]]))
    >>> _belonging(told, centres, widths).numpy().round(3)  # exp(-2) beside 1
    array([[0.881, 0.119],
           [0.119, 0.881]], dtype=float32)
    """
    return torch.softmax(-0.5 * (((told[:, None] - centres) / widths) ** 2).sum(-1), dim=1)


def _with_constant(scaled: FloatArray) -> FloatArray:
    return np.column_stack([scaled, np.ones(len(scaled))])


def _telling(scaled: FloatArray, y: FloatArray, weights: FloatArray, n_told: int, seed: int) -> NDArray[np.intp]:
    """Columns of the features that trees find the most telling, in order; at least one."""
    if scaled.shape[1] <= n_told:
        return np.arange(scaled.shape[1], dtype=np.intp)
    trees = ExtraTreesRegressor(30, min_samples_leaf=3, random_state=seed).fit(scaled, y, sample_weight=weights)
    return np.sort(np.argsort(-trees.feature_importances_, kind="stable")[:n_told])


def _clusters(told: FloatArray, n_rules: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Centres and widths (n_clusters, n_told) of clusters of rows, at most as many as there are unlike rows."""
    n_clusters = min(n_rules, len(np.unique(told.round(9), axis=0)))
    if n_clusters < 2:
        return told.mean(axis=0, keepdims=True), np.ones((1, told.shape[1]))
    found = KMeans(n_clusters, n_init="auto", random_state=seed).fit(told)
    variances = np.stack([told[found.labels_ == i].var(axis=0) for i in range(n_clusters)])
    return found.cluster_centers_, WIDTH * np.sqrt(told.shape[1] * (variances + LEAST_VARIANCE))
