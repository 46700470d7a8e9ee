"""Rules read off a tree: every row meets one, thresholds are round and move no row, and rows left out judge them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier

from alloyloop.surrogates.base import FloatArray
from alloyloop.surrogates.rules import (
    LEAST_ROWS,
    MOST_DEEP,
    Condition,
    Rule,
    read_rules,
    round_between,
    within,
)


def rows_that_meet(rule: Rule, X: FloatArray) -> list[int]:
    """By the conditions as they are written, and not by the tree."""
    met = np.ones(len(X), dtype=bool)
    for feature, condition in rule.conditions.items():
        met &= condition.holds(X[:, feature])
    return np.flatnonzero(met).tolist()


def table(n: int, seed: int, *, unknown: float = 0.0) -> tuple[FloatArray, FloatArray]:
    """Two numbers with a decimal each and one level; y is a step in the first, deeper where the second is small."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(0, [40, 10, 1], (n, 3)).round(1)
    X[:, 2] = X[:, 2] > 0.5
    y = np.where(X[:, 0] >= 22, 58.0, np.where(X[:, 1] < 4, 68.0, 83.0)) + rng.normal(0, 1.5, n)
    X[rng.uniform(size=X.shape) < unknown] = np.nan
    return X, y


def test_the_steps_that_a_table_was_made_of_are_read_off_it() -> None:
    X, y = table(120, 0)
    told = read_rules(X, y[:, None], np.arange(120), steps=[0.5, 0.5, 0.0])
    cut = told.rules[-1].conditions[0].low
    assert X[X[:, 0] < 22, 0].max() < cut <= X[X[:, 0] >= 22, 0].min()
    assert cut % 0.5 == 0
    assert [dict(rule.conditions) for rule in told.rules] == [
        {0: Condition(high=cut), 1: Condition(high=4.0)},
        {0: Condition(high=cut), 1: Condition(low=4.0)},
        {0: Condition(low=cut)},
    ]
    assert [round(float(y[rule.rows].mean())) for rule in told.rules] == [68, 83, 58]


@settings(deadline=None, max_examples=8)
@given(st.integers(12, 80), st.integers(0, 1000), st.sampled_from([0.0, 0.2]))
def test_every_row_meets_the_conditions_of_its_rule_and_of_no_other(n: int, seed: int, unknown: float) -> None:
    X, y = table(n, seed, unknown=unknown)
    rules = read_rules(X, y[:, None], np.arange(n), steps=[0.5, 0.5, 0.0]).rules
    for rule in rules:
        assert rows_that_meet(rule, X) == sorted(rule.rows.tolist())
        assert len(rule.conditions) <= MOST_DEEP
    assert sorted(row for rule in rules for row in rule.rows.tolist()) == list(range(n))


@settings(deadline=None, max_examples=5)
@given(st.integers(20, 150), st.integers(0, 1000))
def test_no_rule_speaks_for_a_handful_or_less_than_a_twentieth(n: int, seed: int) -> None:
    X, y = table(n, seed)
    told = read_rules(X, y[:, None], np.arange(n))
    assert min(len(rule.rows) for rule in told.rules) >= max(LEAST_ROWS, n / 20)


@pytest.mark.parametrize("seed", range(5))
def test_of_noise_there_is_no_rule(seed: int) -> None:
    rng = np.random.default_rng(seed)
    told = read_rules(rng.uniform(size=(60, 4)), rng.normal(size=(60, 1)), np.arange(60))
    assert [dict(rule.conditions) for rule in told.rules] == [{}]


@pytest.mark.parametrize("seed", [0, 4, 8])  # of the last two, trees of six leaves err a little less on rows left out
def test_of_one_step_in_noise_there_are_two_rules(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.uniform(size=(100, 6))
    y = np.where(X[:, 0] > 0.5, 3.0, 0.0) + rng.normal(0, 2, 100)
    assert [list(rule.conditions) for rule in read_rules(X, y[:, None], np.arange(100)).rules] == [[0], [0]]


def test_what_is_said_of_rows_left_out_does_not_hang_on_their_values() -> None:
    X, y = table(60, 1)
    groups = np.arange(60) % 12
    there = groups == 3
    told, other = (read_rules(X, values[:, None], groups) for values in (y, np.where(there, 1000 - y, y)))
    assert told.held_out is not None
    assert other.held_out is not None
    np.testing.assert_array_equal(told.held_out[there], other.held_out[there])
    assert (told.held_out[~there] != other.held_out[~there]).any()


def test_rules_for_classes_part_them_as_gini_does() -> None:
    """scikit-learn's own classification tree, of one cut."""
    rng = np.random.default_rng(0)
    X = rng.uniform(size=(90, 3))
    classes = np.where(X[:, 1] > 0.6, 2, rng.integers(0, 2, 90))
    told = read_rules(X, np.eye(3)[classes], np.arange(90))
    grown = DecisionTreeClassifier(max_depth=1, random_state=0).fit(X, classes)
    left = [row for rule in told.rules for row in rule.rows if rule.conditions[1].high < 1]
    assert sorted(left) == np.flatnonzero(grown.apply(X) == 1).tolist()
    assert told.held_out is not None
    np.testing.assert_allclose(told.held_out.sum(axis=1), 1)


def test_thresholds_are_sought_on_a_scale_and_values_told_in_the_unit() -> None:
    """Of 1, 2, 4 … the logarithm is cut in the middle; the values themselves would be cut at the largest."""
    X = np.repeat(np.arange(10.0), 6)[:, None]
    y = (2 ** X[:, 0])[:, None]
    by_value, by_log = (read_rules(X, y, np.arange(60), seen=seen).rules for seen in (None, np.log(y)))
    first = min(rule.conditions[0].high for rule in by_log)
    assert first < min(rule.conditions[0].high for rule in by_value)


def test_what_is_not_known_can_be_a_condition_itself() -> None:
    y = np.repeat([50.0, 80.0], 20) + np.tile([-0.5, 0.5], 20)
    X = np.where(y < 65, np.nan, 3.0)[:, None]
    rules = read_rules(X, y[:, None], np.arange(40)).rules
    assert {rule.conditions[0].holds(np.array([np.nan, 3.0])).tolist() == [True, False] for rule in rules} == {
        True,
        False,
    }


@pytest.mark.parametrize("n", [1, 2, 2 * LEAST_ROWS - 1])
def test_of_a_few_rows_nothing_is_read(n: int) -> None:
    told = read_rules(np.arange(float(n))[:, None], np.arange(float(n))[:, None], np.arange(n))
    assert (len(told.rules), told.held_out, told.means) == (1, None, None)


def test_nothing_that_rules_may_name_is_no_rule() -> None:
    told = read_rules(np.empty((20, 0)), np.arange(20.0)[:, None], np.arange(20))
    assert [dict(rule.conditions) for rule in told.rules] == [{}]


def test_rows_of_one_group_cannot_judge_a_rule() -> None:
    X, y = table(40, 0)
    assert read_rules(X, y[:, None], np.zeros(40)).held_out is None


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.sampled_from([0.0, 0.25, 0.5, 50.0]))
def test_a_round_threshold_lies_between(low: float, gap: float, step: float) -> None:
    high = low + gap
    assert low < round_between(low, high, step) <= high


@pytest.mark.parametrize(
    ("low", "high", "step", "wanted"),
    [
        (22.1, 23.0, 0.5, 22.5),
        (0, 4, 0.5, 2),
        (0, 1, 1, 1),
        (820, 880, 0, 850),
        (0.03, 0.04, 0, 0.04),
        (7, 7.2, 0.5, 7.1),
    ],
)
def test_a_threshold_is_one_that_a_person_would_write(low: float, high: float, step: float, wanted: float) -> None:
    assert round_between(low, high, step) == wanted


def test_four_in_five_errors_are_counted_and_not_interpolated() -> None:
    assert within(np.array([5.0, -1, 2, -3, 4])) == 4  # the fourth of five in size
    assert within(np.arange(1.0, 11)) == 8
    assert within(np.array([7.0])) == 7
