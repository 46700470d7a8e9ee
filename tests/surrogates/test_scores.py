from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from alloyloop.surrogates import AlloyloopError
from alloyloop.surrogates.scores import (
    LinearMixture,
    MeanBaseline,
    Scores,
    group_folds,
    held_out,
    shuffled_folds,
)

RNG = np.random.default_rng(0)
Y, MEAN, STD = RNG.normal(60, 10, 40), RNG.normal(60, 8, 40), RNG.uniform(1, 20, 40)
X = RNG.dirichlet(np.ones(3), 40)


def distance_of_distributions(y: float, mean: float, std: float) -> float:
    """∫ (F(x) - [x ≥ y])² dx, the definition of the ranked probability score."""
    below = quad(lambda x: norm.cdf(x, mean, std) ** 2, min(y, mean) - 12 * std, y)[0]
    return float(below + quad(lambda x: norm.sf(x, mean, std) ** 2, y, max(y, mean) + 12 * std)[0])


def test_scores_are_those_of_scikit_learn_and_scipy() -> None:
    scores = Scores.of(Y, MEAN, STD)
    assert scores.rmse == pytest.approx(root_mean_squared_error(Y, MEAN))
    assert scores.mae == pytest.approx(mean_absolute_error(Y, MEAN))
    assert scores.r2 == pytest.approx(r2_score(Y, MEAN))
    assert scores.nll == pytest.approx(-np.mean(norm.logpdf(Y, MEAN, STD)))
    distances = [distance_of_distributions(*row) for row in zip(Y, MEAN, STD, strict=True)]
    assert scores.crps == pytest.approx(np.mean(distances), rel=1e-6)
    low, high = norm.interval(0.9, MEAN, STD)
    assert scores.coverage90 == np.mean((low <= Y) & (high >= Y))
    assert scores.sharpness == pytest.approx(np.mean(high - low))


def test_nothing_is_explained_where_nothing_varies() -> None:
    assert np.isnan(Scores.of(np.ones(3), np.ones(3), np.ones(3)).r2)


@given(st.integers(2, 60), st.integers(2, 10), st.integers(0, 5))
def test_shuffled_folds_judge_every_row_once_by_all_others(n: int, k: int, seed: int) -> None:
    folds = shuffled_folds(n, min(k, n), seed)
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(n))
    assert all(sorted([*train, *test]) == list(range(n)) for train, test in folds)


@given(st.lists(st.sampled_from("abcdefg"), min_size=2, max_size=30).filter(lambda groups: len(set(groups)) > 1))
def test_no_paper_is_judged_by_its_own_rows(groups: list[str]) -> None:
    for folds in (group_folds(groups), group_folds(groups, 2)):
        for train, test in folds:
            assert not {groups[i] for i in train} & {groups[i] for i in test}


class Lookup(MeanBaseline):
    """Knows by heart what it has seen, and says nan of the rest: a leak shows."""

    def fit(self, X: object, y: object) -> Lookup:
        self.seen = {tuple(row): value for row, value in zip(np.asarray(X), np.asarray(y), strict=True)}
        return self

    def predict(self, X: object, return_std: bool = False) -> tuple[np.ndarray, np.ndarray]:
        known = np.array([self.seen.get(tuple(row), np.nan) for row in np.asarray(X)])
        return known, np.ones(len(known))


def test_rows_are_judged_by_models_that_did_not_see_them() -> None:
    mean, _ = held_out(Lookup, X, Y, shuffled_folds(len(Y)))
    assert np.isnan(mean).all()


def test_folds_that_forget_a_row_are_refused() -> None:
    with pytest.raises(AlloyloopError, match="every row exactly once"):
        held_out(MeanBaseline, X, Y, shuffled_folds(len(Y))[1:])


def test_the_noise_of_the_training_rows_reaches_the_model() -> None:
    class Noisy(MeanBaseline):
        def fit(self, X: object, y: object, noise: object = None) -> Noisy:
            assert np.array_equal(np.asarray(noise), np.asarray(y))
            return super().fit(X, y)  # type: ignore[arg-type]

    held_out(Noisy, X, Y, shuffled_folds(len(Y)), noise=Y)


def linear_data() -> tuple[np.ndarray, np.ndarray]:
    return X, X @ [100.0, 60.0, 80.0] + np.random.default_rng(1).normal(0, 1, len(X))


def test_a_fitted_mixture_is_least_squares_without_intercept() -> None:
    expected = LinearRegression(fit_intercept=False).fit(X, Y).predict(X)
    assert LinearMixture().fit(X, Y).predict(X) == pytest.approx(expected)


def test_a_mixture_of_given_values_is_their_weighted_mean() -> None:
    model = LinearMixture(pure=[116.0, 105.0, 68.0]).fit([[1.0, 0, 0]], [110.0])
    mean, std = model.predict([[0.5, 0.25, 0.25]], return_std=True)
    assert (mean[0], std[0]) == pytest.approx((101.25, 6.0))  # by hand; the one row was 6 off its rule
