"""The adapter: any scikit-learn regressor, tuned and judged on rows that it had not seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from alloyloop.surrogates.cross_fitted import CrossFitted
from alloyloop.surrogates.left_out import groups_of

pytestmark = pytest.mark.torch

RNG = np.random.default_rng(0)
X = RNG.random((60, 3))
Y = 60 + 40 * X[:, 0] + RNG.normal(0, 5, 60)
NEW = RNG.random((20, 3))


def test_what_it_expects_is_what_the_regressor_expects_that_saw_all_rows() -> None:
    model = CrossFitted(make_pipeline(StandardScaler(), Ridge(alpha=3.0))).fit(X, Y)
    theirs = make_pipeline(StandardScaler(), Ridge(alpha=3.0)).fit(X, Y)
    assert model.predict(NEW) == pytest.approx(theirs.predict(NEW))


def test_of_several_settings_it_takes_the_one_that_errs_least_on_rows_left_out() -> None:
    grid: list[dict[str, Any]] = [{"n_neighbors": k} for k in (25, 12, 6, 3, 1)]
    model = CrossFitted(KNeighborsRegressor(), grid).fit(X, Y)
    folds = list(GroupKFold(10, shuffle=True, random_state=0).split(X, groups=groups_of(X)))
    errors = [np.mean((Y - cross_val_predict(KNeighborsRegressor(**one), X, Y, cv=folds)) ** 2) for one in grid]
    assert model.tuned_ == grid[int(np.argmin(errors))]
    assert model.n_tried_ == 5


def test_of_settings_that_err_alike_it_takes_the_first() -> None:
    grid = [{"fit_intercept": True}, {"copy_X": False}]
    assert CrossFitted(LinearRegression(), grid).fit(X, Y).tuned_ == grid[0]


def test_without_time_the_first_setting_is_taken() -> None:
    grid = [{"n_neighbors": k} for k in (25, 6)]
    model = CrossFitted(KNeighborsRegressor(), grid, tune_seconds=0.0).fit(X, Y)
    assert (model.tuned_, model.n_tried_) == ({"n_neighbors": 25}, 1)


def test_a_setting_that_so_few_rows_do_not_allow_is_passed_over() -> None:
    grid = [{"n_neighbors": 40}, {"n_neighbors": 2}]
    assert CrossFitted(KNeighborsRegressor(), grid).fit(X[:12], Y[:12]).tuned_ == {"n_neighbors": 2}


def test_of_fewer_than_fifteen_different_rows_the_first_setting_is_taken() -> None:
    grid = [{"alpha": 1e6}, {"alpha": 1e-6}]
    fourteen, fifteen = (CrossFitted(Ridge(), grid).fit(X[:n], 100 * X[:n, 0]).tuned_ for n in (14, 15))
    repeated = CrossFitted(Ridge(), grid).fit(np.repeat(X[:14], 3, axis=0), np.repeat(100 * X[:14, 0], 3)).tuned_
    assert (fourteen, repeated, fifteen) == (grid[0], grid[0], grid[1])


def test_where_no_setting_can_be_fitted_the_regressors_own_words_are_heard() -> None:
    with pytest.raises(ValueError, match="n_neighbors"):
        CrossFitted(KNeighborsRegressor(n_neighbors=40)).fit(X[:12], Y[:12])


def test_the_variance_between_members_is_that_of_a_mean() -> None:
    """Of n values of scatter s, a mean is known to s²/n, and so says the jackknife that leaves each out."""
    model = CrossFitted(DummyRegressor()).fit(X[:9], Y[:9])  # nine rows: each is a part of its own
    variance = float(np.sum(model._said(NEW[:1])[1] ** 2)) * model.scale_**2
    assert variance == pytest.approx(np.var(Y[:9], ddof=1) / 9)


def test_rows_of_one_source_are_left_out_together() -> None:
    """A tree knows the other rows of a source again; what it says of one held out must not come from them."""
    sources = np.repeat([f"paper {i}" for i in range(12)], 5)
    offsets = np.repeat(RNG.normal(0, 30, 12), 5)
    rows, y = np.repeat(np.arange(12.0), 5)[:, None] + 0.01 * RNG.random((60, 1)), 100 + offsets
    alone, together = (
        CrossFitted(DecisionTreeRegressor()).fit(rows, y, source=told).held_out_ for told in (None, sources)
    )
    assert alone is not None
    assert together is not None
    assert np.sqrt(np.mean((alone.mean - y) ** 2)) < 1
    assert np.sqrt(np.mean((together.mean - y) ** 2)) > 20
    assert together.measured_std.mean() > 3 * alone.measured_std.mean()


def test_equal_rows_are_left_out_together_and_few_sources_are_not() -> None:
    rows = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])
    assert groups_of(rows).tolist() == [0, 1, 0]
    assert groups_of(rows, ["a", "a", "b"]).tolist() == [0, 1, 0]
    five = np.arange(7.0)[:, None]
    assert len(np.unique(groups_of(five, ["a", "a", "b", "c", "d", "e", ""]))) == 6
    assert len(np.unique(groups_of(five, [""] * 7))) == 7


def test_what_it_says_of_rows_held_out_comes_from_members_that_had_not_seen_them() -> None:
    """One wrong value: whoever had seen it would follow it."""
    y = Y.copy()
    y[7] += 200
    held = CrossFitted(KNeighborsRegressor(n_neighbors=1)).fit(X, y).held_out_
    assert held is not None
    assert held.mean[7] < 110


def test_ninety_per_cent_intervals_of_rows_held_out_hold_about_ninety_per_cent() -> None:
    held = CrossFitted(Ridge(alpha=0.1)).fit(X, Y).held_out_
    assert held is not None
    low, high = held.interval(0.9)
    assert 0.8 <= np.mean((low <= Y) & (high >= Y)) <= 0.98


def test_what_a_row_counts_for_reaches_the_last_step_of_a_pipeline() -> None:
    noise = np.where(np.arange(60) < 30, 1.0, 40.0)
    y = np.where(np.arange(60) < 30, 50.0, 90.0) + RNG.normal(0, 1, 60)
    plain: Any = CrossFitted(make_pipeline(StandardScaler(), Ridge())).fit(X, y)
    told: Any = CrossFitted(make_pipeline(StandardScaler(), Ridge())).fit(X, y, noise=noise)
    assert told.predict(NEW).mean() < plain.predict(NEW).mean() - 5


def test_of_fewer_than_four_different_rows_the_mean_is_learned() -> None:
    model = CrossFitted(KNeighborsRegressor(n_neighbors=5)).fit(X[[0, 0, 1, 2]], Y[:4])
    assert model.predict(NEW) == pytest.approx(np.full(20, np.mean(Y[:4])))
    assert model.held_out_ is None


def test_fitted_again_it_holds_nothing_out_that_it_cannot() -> None:
    assert CrossFitted(Ridge()).fit(X, Y).fit(X[:2], Y[:2]).held_out_ is None


def test_the_seed_reaches_a_regressor_that_takes_one() -> None:
    forest = make_pipeline(StandardScaler(), DecisionTreeRegressor(max_features=1))
    first, second, third = (CrossFitted(forest, seed=seed).fit(X, Y).predict(NEW) for seed in (1, 1, 2))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)
