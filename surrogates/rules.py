"""Rules read off a shallow tree: where features lie between two thresholds, rows have about the same values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil, floor, inf, isfinite, log10
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeRegressor

from .base import FloatArray
from .scores import group_folds

IntArray: TypeAlias = NDArray[np.intp]

# More conditions than this are not kept in mind.
MOST_DEEP = 3
# A rule speaks for at least so many rows, and for at least this share of them.
LEAST_ROWS, LEAST_SHARE = 5, 0.05
N_FOLDS = 5
# The cost of a leaf at which a tree is pruned to its root.
ALL = float(np.finfo(np.float64).max)


@dataclass(frozen=True, slots=True)
class Condition:
    """One feature between two thresholds.

    Parameters
    ----------
    low, high : it is at least the one and below the other; infinite where there is none. Both infinite: it is known;
        a `low` above all numbers: it is not known
    or_unknown : whether rows in which it is not known meet the condition too
    """

    low: float = -inf
    high: float = inf
    or_unknown: bool = False

    def holds(self, values: FloatArray) -> NDArray[np.bool_]:
        """Of which values (n,) it holds.

        Examples
        --------
        >>> Condition(10, 22.5, or_unknown=True).holds(np.array([9.0, 10.0, 22.5, np.nan])).tolist()
        [False, True, False, True]
        """
        return np.asarray(((values >= self.low) & (values < self.high)) | (self.or_unknown & np.isnan(values)))


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """What rows that meet some conditions have in common.

    Parameters
    ----------
    conditions : by the index of the feature; none where nothing tells rows apart
    rows : those that meet them all
    """

    conditions: Mapping[int, Condition]
    rows: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """A shallow tree as rules, of which every row meets exactly one.

    Parameters
    ----------
    rules : in the order of the tree, from low thresholds to high ones
    held_out : (n, k) what rules say of each row that were learned without it and all that goes with it; None where
        nothing could be left out
    means : (n, k) what the mean of the same other rows says
    """

    rules: tuple[Rule, ...]
    held_out: FloatArray | None = None
    means: FloatArray | None = None


def read_rules(
    X: FloatArray,
    Y: FloatArray,
    groups: NDArray[Any],
    *,
    seen: FloatArray | None = None,
    steps: Sequence[float] = (),
) -> Rules:
    """Learn a tree of at most `MOST_DEEP` conditions to a rule, pruned on rows left out, and read the rules off it.

    Trees are pruned to the smallest that does not err more, by one standard error, than the best on rows left out.
    Rows by which rules are judged are left out of the pruning too.

    Parameters
    ----------
    X : (n, n_features) what rules may name; NaN where not known
    Y : (n, k) what they tell: one number, or 1 for the class of a row and 0 for every other class (the squared error of
        these is the Gini impurity of classes)
    groups : (n,) rows of one group are left out together
    seen : (n, k) Y on the scale on which thresholds are sought, where it is another
    steps : what each feature is counted in, 0 where it is in nothing; thresholds are multiples of it where that moves
        no row

    References
    ----------
    Breiman, Friedman, Olshen and Stone, Classification and Regression Trees, Wadsworth 1984, ch. 3.4 (pruning).

    Examples
    --------
    >>> X = np.linspace(0, 40, 30)[:, None]
    >>> told = read_rules(X, np.where(X >= 22.2, 58.0, 83.0), np.arange(30), steps=[0.5])
    >>> [dict(rule.conditions) for rule in told.rules]
    [{0: Condition(low=-inf, high=23.0, or_unknown=False)}, {0: Condition(low=23.0, high=inf, or_unknown=False)}]
    """
    told = Y if seen is None else seen
    rows = np.arange(len(X))
    if (folds := _folds(groups)) is None or X.shape[1] == 0:
        return Rules((Rule({}, rows),))
    held_out, means = np.empty(Y.shape), np.empty(Y.shape)
    for known, asked in folds:
        grown = _pruned(X[known], told[known], groups[known])
        there, leaf = grown.apply(X[known]), grown.apply(X[asked])
        held_out[asked] = [Y[known][there == one].mean(axis=0) for one in leaf]
        means[asked] = Y[known].mean(axis=0)
    counted = list(steps) or [0.0] * X.shape[1]
    branches = _Branches(_pruned(X, told, groups).tree_, X, counted)
    return Rules(tuple(branches.rules(0, rows, {})), held_out, means)


def within(errors: FloatArray, share: float = 0.8) -> float:
    """What this share of errors does not exceed in size.

    Examples
    --------
    >>> within(np.array([-1.0, 2.0, -3.0, 4.0, 50.0]))
    4.0
    """
    return float(np.sort(np.abs(errors))[ceil(share * len(errors) - 1e-9) - 1])


def round_between(low: float, high: float, step: float = 0.0) -> float:
    """The roundest threshold above one value and not above another: a multiple of the step, or else of 10, 5, 2 or 1.

    Examples
    --------
    >>> round_between(22.1, 23.0, 0.5), round_between(22.1, 22.3, 0.5), round_between(0.173, 0.261)
    (22.5, 22.2, 0.2)
    """
    middle = low / 2 + high / 2
    for each in _steps(high - low, step):
        near = floor(middle / each + 0.5) * each
        # As a person would write it: 22.200000000000003 is 22.2.
        near = float(f"{near:.12g}")
        if low < near <= high:
            return near
    return high


def _steps(gap: float, step: float) -> Iterator[float]:
    if step > 0:
        yield step
    if not (gap > 0 and isfinite(gap)):
        return
    largest = floor(log10(gap)) + 1
    for power in range(largest, largest - 4, -1):
        yield from (10.0**power, 5 * 10.0 ** (power - 1), 2 * 10.0 ** (power - 1))


def _folds(groups: NDArray[Any]) -> list[tuple[IntArray, IntArray]] | None:
    """Parts to leave out; None where rows or groups are too few for two rules of a part."""
    k = min(N_FOLDS, len(np.unique(groups)))
    return group_folds(groups, k) if k > 1 and len(groups) >= 2 * LEAST_ROWS else None


def _tree(n: int) -> partial[Any]:
    least = max(LEAST_ROWS, ceil(LEAST_SHARE * n))
    return partial(DecisionTreeRegressor, max_depth=MOST_DEEP, min_samples_leaf=least, random_state=0)


def _pruned(X: FloatArray, Y: FloatArray, groups: NDArray[Any]) -> Any:
    """A tree, pruned as rows left out want it; to its root where none can be left out."""
    make = _tree(len(X))
    costs = make().cost_complexity_pruning_path(X, Y).ccp_alphas
    costs = np.unique(np.maximum(costs, 0))
    # Between two costs the same tree is the best: one in the middle stands for both.
    tried = [*np.sqrt(costs[:-1] * costs[1:]).tolist(), ALL]
    folds = _folds(groups)
    if folds is None or len(tried) == 1:
        return make(ccp_alpha=ALL).fit(X, Y)
    errors = np.empty((len(tried), len(X)))
    for known, asked in folds:
        for one, cost in enumerate(tried):
            grown = make(ccp_alpha=cost).fit(X[known], Y[known])
            said = grown.predict(X[asked]).reshape(len(asked), -1)
            errors[one, asked] = ((said - Y[asked]) ** 2).sum(axis=1)
    more = errors - errors[errors.mean(axis=1).argmin()]
    as_good = more.mean(axis=1) <= more.std(axis=1, ddof=1) / np.sqrt(len(X)) + 1e-12
    return make(ccp_alpha=tried[int(np.flatnonzero(as_good)[-1])]).fit(X, Y)


@dataclass(frozen=True, slots=True, eq=False)
class _Branches:
    """A fitted tree with its rows, walked from the root to the rules."""

    tree: Any
    X: FloatArray
    steps: Sequence[float]

    def rules(self, node: int, rows: IntArray, so_far: Mapping[int, Condition]) -> Iterator[Rule]:
        """The rules below a node that these rows came to on these conditions."""
        tree = self.tree
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left == right:  # a leaf has neither
            yield Rule({feature: self._seen(feature, condition, rows) for feature, condition in so_far.items()}, rows)
            return
        feature = int(tree.feature[node])
        values = self.X[rows, feature]
        unknown = np.isnan(values)
        # The tree itself sees single precision.
        at_most = values.astype(np.float32) <= tree.threshold[node]
        goes_left = np.where(unknown, bool(tree.missing_go_to_left[node]), at_most)
        known_left, known_right = values[goes_left & ~unknown], values[~goes_left & ~unknown]
        old = so_far.get(feature, Condition())
        if len(known_right) and len(known_left):
            cut = round_between(float(known_left.max()), float(known_right.min()), self.steps[feature])
            below, above = Condition(old.low, cut), Condition(cut, old.high)
        else:  # parted by whether it is known
            is_known, is_not = old, Condition(inf, inf)
            below, above = (is_known, is_not) if len(known_left) else (is_not, is_known)
        yield from self.rules(left, rows[goes_left], {**so_far, feature: below})
        yield from self.rules(right, rows[~goes_left], {**so_far, feature: above})

    def _seen(self, feature: int, condition: Condition, rows: IntArray) -> Condition:
        """The condition, and whether rows that meet it do not say the feature."""
        return Condition(condition.low, condition.high, bool(np.isnan(self.X[rows, feature]).any()))
