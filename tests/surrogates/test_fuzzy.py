"""Neuro-fuzzy rules: what they learn, how they read, and that they stay where the data are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad
from sklearn.linear_model import LinearRegression

from alloyloop.surrogates import FloatArray
from alloyloop.surrogates.fuzzy import FuzzyRules, _Hybrid, neuro_fuzzy

pytestmark = pytest.mark.torch

RNG = np.random.default_rng(0)
X = RNG.uniform(0, 40, (80, 3))
KINK = np.abs(X[:, 0] - 20)


def test_of_one_weighted_sum_every_rule_says_that_sum() -> None:
    """As least squares has it."""
    y = 5 + X @ [1.0, -2.0, 0.5]
    model, plain = FuzzyRules(n_rules=3, shrinkage=1.0).fit(X, y), LinearRegression().fit(X, y)
    assert model.predict(X) == pytest.approx(plain.predict(X), abs=0.1)
    assert model.sums_ == pytest.approx(np.tile(model.sums_[0], (3, 1)), abs=1e-2)


def test_a_kink_that_no_sum_can_follow_takes_two_rules() -> None:
    straight, two = (FuzzyRules(n_rules=n, shrinkage=1e-3).fit(X, KINK) for n in (1, 2))
    assert np.std(KINK - straight.predict(X)) > 0.9 * np.std(KINK)
    assert np.std(KINK - two.predict(X)) < 0.2 * np.std(KINK)


def test_bells_that_learn_fit_better_than_the_clusters_they_began_as() -> None:
    begun, learned = (FuzzyRules(n_rules=2, shrinkage=1e-3, n_steps=n).fit(X, KINK) for n in (0, 10))
    assert np.std(KINK - learned.predict(X)) < 0.7 * np.std(KINK - begun.predict(X))


def test_slopes_are_those_of_finite_differences() -> None:
    """By scipy's check_grad: the network's slopes, through sums that are fitted anew at each point."""
    scaled = (X - X.mean(axis=0)) / X.std(axis=0)
    centres, widths = RNG.normal(size=(3, 2)), RNG.uniform(0.5, 2, (3, 2))
    weights = RNG.uniform(0.2, 1, 80)
    hybrid = _Hybrid(scaled, scaled[:, :2], KINK / 10, weights, 0.01, centres, widths)
    at = hybrid.start + RNG.normal(0, 0.3, hybrid.start.size)

    def loss(bells: FloatArray) -> float:
        return hybrid(bells)[0]

    def slopes(bells: FloatArray) -> FloatArray:
        return hybrid(bells)[1]

    assert check_grad(loss, slopes, at) < 1e-4 * np.linalg.norm(slopes(at))


def test_conditions_are_about_the_features_that_matter() -> None:
    many = RNG.random((120, 8))
    y = np.abs(many[:, 5] - 0.5) + np.abs(many[:, 2] - 0.5)
    assert {2, 5} <= set(FuzzyRules(n_features_told=3).fit(many, y).told_)


def test_rules_read_as_conditions_values_and_shares() -> None:
    only = X[:, :1]
    rules = FuzzyRules(n_rules=2, shrinkage=1e-4, n_steps=30).fit(only, KINK / 10).rules(["Nb_at_pct"], 100.0, 10.0)
    assert len(rules) == 2
    low = next(rule for rule in rules if "Nb_at_pct is low" in rule)
    high = next(rule for rule in rules if "Nb_at_pct is high" in rule)
    assert "less for each 1 of Nb_at_pct" in low
    assert "more for each 1 of Nb_at_pct" in high
    shares = [int(rule.split("(")[-1].split(" %")[0]) for rule in rules]
    assert sum(shares) == pytest.approx(100, abs=1)
    assert shares == sorted(shares, reverse=True)


def test_a_rule_tells_its_value_and_slope_in_the_unit_of_the_property() -> None:
    """By hand: of y = 3 Nb about a mean of 100, in units of 10, the slope is 30 in the property's unit."""
    rows = np.arange(5.0)[:, None]
    (rule,) = FuzzyRules(n_rules=1, shrinkage=1.0).fit(rows, 3 * (rows[:, 0] - 2)).rules(["Nb"], 100.0, 10.0)
    assert rule == "in the middle of the data: 100, 30 more for each 1 of Nb (100 % of the rows)"


def test_a_row_that_counts_less_moves_the_rules_less() -> None:
    y, counts = X[:, 0].copy(), np.ones(80)
    y[0] += 200
    errors = []
    for counts[0] in (1.0, 0.01):
        errors.append(np.abs(FuzzyRules().fit(X, y, sample_weight=counts).predict(X[1:]) - y[1:]).mean())
    assert errors[1] < 0.3 * errors[0]


def test_there_are_no_more_rules_than_unlike_rows() -> None:
    rows = np.repeat([[0.0], [1.0]], 3, axis=0)
    assert len(FuzzyRules(n_rules=5).fit(rows, rows[:, 0]).centres_) == 2
    assert FuzzyRules(n_rules=5).fit(rows[:3], [1.0, 2.0, 3.0]).predict([[9.0]]) == pytest.approx([2.0])


def test_fitting_leaves_the_global_generator_alone() -> None:
    np.random.seed(3)  # noqa: NPY002  # that others draw from it is the point
    expected = np.random.random()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    FuzzyRules().fit(X, KINK)
    assert np.random.random() == expected  # noqa: NPY002


@settings(max_examples=20, deadline=None)
@given(far=st.lists(st.floats(-1e9, 1e9), min_size=3, max_size=3))
def test_far_from_the_data_nothing_grows(far: list[float]) -> None:
    """What is expected beyond a quarter of the range is what is expected there."""
    assert np.abs(FAR.predict([far])[0]) < 10 * np.abs(KINK).max()


FAR = FuzzyRules(n_rules=3).fit(X, KINK)


def test_the_family_takes_the_setting_that_errs_least_on_rows_left_out() -> None:
    model = neuro_fuzzy(n_repeats=1).fit(X, KINK)
    assert model.n_tried_ == 6
    assert model.tuned_["shrinkage"] < 0.1  # a kink wants rules that differ
