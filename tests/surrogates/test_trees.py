"""Trees, averaged and boosted. What every surrogate promises is tested by the common suite."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from alloyloop.surrogates import AlloyloopError, base, surrogate
from alloyloop.surrogates.trees import bagging

pytestmark = pytest.mark.torch

RNG = np.random.default_rng(0)
X = RNG.random((90, 3))
STEP = np.where(X[:, 1] > 0.4, 300.0, 200.0) + RNG.normal(0, 5, 90)
VALUES = {
    "a step": STEP,
    "a product": 60 + 200 * (X[:, 0] - 0.5) * (X[:, 1] - 0.5) + RNG.normal(0, 1, 90),  # neither feature matters alone
    "chance": RNG.normal(0, 1, 90),
}

needs_xgboost = pytest.mark.skipif(
    not base.family("xgboost").is_installed, reason="xgboost is not installed: pip install 'alloyloop[xgboost]'"
)
XGBOOST = pytest.param("xgboost", marks=needs_xgboost)
every_mean_of_trees = pytest.mark.parametrize("name", ["decision-tree", "bagging", "adaboost"])
every_boosting = pytest.mark.parametrize("name", ["gradient-boosting", "adaboost", XGBOOST])
every_sum_of_trees = pytest.mark.parametrize("name", ["gradient-boosting", XGBOOST])


@cache
def fitted(name: str, values: str) -> Any:
    model: Any = surrogate(name, n_repeats=1)
    return model.fit(X, VALUES[values])


def test_a_tree_says_of_each_side_of_a_step_the_mean_of_it() -> None:
    above = X[:, 1] > 0.4
    expected = np.where(above, STEP[above].mean(), STEP[~above].mean())
    assert fitted("decision-tree", "a step").predict(X) == pytest.approx(expected, rel=1e-9)


def test_a_tree_is_pruned_the_more_the_less_there_is_to_learn() -> None:
    """To a handful of leaves where there is nothing; to two where all is one step; else as rows left out ask for."""
    leaves = {values: fitted("decision-tree", values).regressor_.get_n_leaves() for values in VALUES}
    assert leaves["a step"] == 2
    assert leaves["chance"] < 0.5 * leaves["a product"]


@every_mean_of_trees
def test_what_averages_values_never_goes_beyond_them(name: str) -> None:
    values = VALUES["a product"]
    said = fitted(name, "a product").predict(np.vstack([X, 10 * X - 5]))
    assert values.min() <= said.min() < said.max() <= values.max()


def test_bagging_takes_the_larger_leaves_the_less_there_is_to_learn() -> None:
    leaves = [fitted("bagging", values).tuned_["min_samples_leaf"] for values in ("chance", "a product")]
    assert leaves[0] > leaves[1]


def test_trees_are_bagged_that_may_cut_at_every_feature() -> None:
    """Else it were a random forest: Breiman (2001)."""
    bagged = bagging().regressor.fit(X, STEP)
    assert {tree.max_features_ for tree in bagged.estimators_} == {X.shape[1]}
    assert bagged.predict(X) == pytest.approx(np.mean([tree.predict(X) for tree in bagged.estimators_], axis=0))


@every_boosting
def test_boosting_learns_what_features_do_together(name: str) -> None:
    """Of a product whose factors are centred a weighted sum of them holds nothing."""
    new = np.random.default_rng(1).random((200, 3))
    truth = 60 + 200 * (new[:, 0] - 0.5) * (new[:, 1] - 0.5)
    errors = [np.mean((fitted(kind, "a product").predict(new) - truth) ** 2) for kind in (name, "linear")]
    assert errors[1] > 0.9 * np.var(truth)
    assert errors[0] < 0.4 * np.var(truth)


@every_sum_of_trees
def test_few_trees_are_taken_where_there_is_nothing_to_learn_and_many_where_there_is(name: str) -> None:
    n_trees = [fitted(name, values).tuned_["n_estimators"] for values in ("chance", "a product")]
    assert n_trees[0] < n_trees[1]


def test_adaboost_takes_the_shallower_trees_the_less_there_is_to_learn() -> None:
    depths = [fitted("adaboost", values).tuned_["estimator__max_depth"] for values in ("chance", "a product")]
    assert depths[0] < depths[1]


@needs_xgboost
def test_xgboost_learns_nothing_from_fewer_rows_than_two_leaves_hold() -> None:
    model: Any = surrogate("xgboost", n_repeats=1)
    said = model.fit(X[:7], STEP[:7]).predict(X)
    assert said == pytest.approx(np.full(90, said[0]))


@needs_xgboost
def test_xgboost_leaves_other_processors_alone() -> None:
    assert fitted("xgboost", "a product").regressor_.n_jobs == 1


def test_without_xgboost_the_other_trees_are_there_and_xgboost_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xgboost", None)  # to import it now fails
    monkeypatch.delitem(sys.modules, bagging.__module__)
    import_module(bagging.__module__)
    monkeypatch.setattr(base, "find_spec", lambda _: None)
    with pytest.raises(AlloyloopError, match=r"package xgboost.*not installed.*alloyloop\[xgboost\]"):
        surrogate("xgboost")
