from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.linear_model import LinearRegression
from sklearn.metrics import (
    balanced_accuracy_score,
    log_loss,
    mean_absolute_error,
    mean_absolute_percentage_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)

from alloyloop.surrogates import AlloyloopError, Prediction
from alloyloop.surrogates.scores import (
    Forecasts,
    LinearMixture,
    MeanBaseline,
    Scores,
    advantage,
    auc,
    class_scores,
    confusion,
    group_folds,
    held_out,
    mape,
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


def test_forecasts_are_scored_as_normal_beliefs_are() -> None:
    scores, of_normals = Forecasts.of(Y, Prediction(MEAN, np.zeros(40), STD)).scores, Scores.of(Y, MEAN, STD)
    for name in ("rmse", "mae", "r2", "nll", "coverage90", "sharpness"):
        assert scores[name] == pytest.approx(getattr(of_normals, name))
    assert scores["mape"] == pytest.approx(mean_absolute_percentage_error(Y, MEAN))


def test_a_share_of_nothing_is_not_a_number() -> None:
    assert np.isnan(mape(np.array([0.0, 1.0]), np.ones(2)))


def test_intervals_of_honest_beliefs_hold_what_they_say_at_every_level() -> None:
    rng = np.random.default_rng(1)
    mean, std = rng.normal(60, 10, 4000), rng.uniform(1, 20, 4000)
    honest = Forecasts.of(rng.normal(mean, std), Prediction(mean, np.zeros(4000), std))
    for level in (0.1, 0.5, 0.9):
        assert honest.held(level) == pytest.approx(level, abs=3 * np.sqrt(level * (1 - level) / 4000))
    assert honest.held(0.9) == Scores.of(honest.y, mean, std).coverage90


def test_forecasts_of_several_models_are_joined_in_order() -> None:
    parts = [Forecasts.of(Y[i : i + 20], Prediction(MEAN[i : i + 20], np.zeros(20), STD[i : i + 20])) for i in (0, 20)]
    joined = Forecasts.joined(parts)
    assert joined.scores == Forecasts.of(Y, Prediction(MEAN, np.zeros(40), STD)).scores
    assert joined.rows(np.array([3, 1])).y.tolist() == [Y[3], Y[1]]


def test_the_spread_of_an_advantage_is_that_of_drawing_rows_again() -> None:
    # For the mean square of n errors that is the standard error of their mean; for small differences the root of it
    # has a derivative of 1 / (2 RMSE).
    rng = np.random.default_rng(2)
    errors = rng.uniform(0.9, 1.1, 400)
    others = np.ones(400)
    more, spread = advantage(errors, others, np.arange(400), rng, 4000)
    assert more == pytest.approx(1 - np.sqrt(errors.mean()))
    assert spread == pytest.approx(np.std(errors) / np.sqrt(400) / 2, rel=0.05)


def test_rows_that_err_together_count_as_one() -> None:
    rng = np.random.default_rng(3)
    errors = rng.uniform(0.5, 1.5, 40)
    repeated = np.repeat(errors, 5)
    once = advantage(errors, np.ones(40), np.arange(40), np.random.default_rng(0))
    grouped = advantage(repeated, np.ones(200), np.repeat(np.arange(40), 5), np.random.default_rng(0))
    assert grouped == pytest.approx(once)


def test_lots_decide_which_groups_are_left_out_together() -> None:
    groups = np.repeat(np.arange(30), 2)
    parts = [[test.tolist() for _, test in group_folds(groups, 5, seed)] for seed in (0, 0, 1)]
    assert parts[0] == parts[1] != parts[2]


TRUTH = np.array([0, 0, 1, 2, 2, 2, 1, 0])
LIKELY = np.random.default_rng(4).dirichlet(np.ones(3), 8)


def test_scores_of_classes_are_those_of_scikit_learn() -> None:
    scores = class_scores(TRUTH, LIKELY)
    assert scores["recall"] == pytest.approx(balanced_accuracy_score(TRUTH, LIKELY.argmax(axis=1)))
    assert scores["log_loss"] == pytest.approx(log_loss(TRUTH, LIKELY))
    assert auc(TRUTH, LIKELY) == pytest.approx(roc_auc_score(TRUTH, LIKELY, multi_class="ovr"))
    assert scores["accuracy"] == np.mean(LIKELY.argmax(axis=1) == TRUTH)


def test_a_class_that_is_not_there_counts_in_no_score() -> None:
    two, more = LIKELY[:, :2] / LIKELY[:, :2].sum(axis=1, keepdims=True), np.zeros((8, 1))
    truth = np.minimum(TRUTH, 1)
    assert class_scores(truth, np.hstack([two, more])) == pytest.approx(class_scores(truth, two))
    assert auc(truth, np.hstack([two, more])) == pytest.approx(auc(truth, two))
    assert np.isnan(auc(np.zeros(8, dtype=np.intp), two))


def test_a_class_held_for_impossible_costs_much_and_not_everything() -> None:
    sure = np.array([[1.0, 0.0]])
    assert class_scores(np.array([1]), sure)["log_loss"] == pytest.approx(6 * np.log(10))


def test_a_confusion_counts_what_was_taken_for_what() -> None:
    taken = np.eye(3)[[0, 1, 1, 2, 2, 0, 1, 0]]
    assert confusion(TRUTH, taken).tolist() == [[2, 1, 0], [0, 2, 0], [1, 0, 2]]  # by hand
