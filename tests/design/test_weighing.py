"""Several goals as one number: what weights say does not hang on units."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from alloyloop.design.weighing import spread, weighed

numbers = st.floats(-1e3, 1e3, allow_subnormal=False)


def test_a_spread_is_the_standard_deviation_of_what_is_known() -> None:
    # By hand: 1, 2 and 6 lie 2, 1 and 3 from their mean 3; (4 + 1 + 9) / 3.
    assert spread(np.array([1.0, np.nan, 2.0, 6.0])) == pytest.approx(np.sqrt(14 / 3), rel=1e-12)


@pytest.mark.parametrize(("values", "said"), [([5.0, 5.0], 5.0), ([-4.0], 4.0), ([0.0, 0.0], 1.0), ([np.nan], 1.0)])
def test_values_that_do_not_differ_have_a_spread_all_the_same(values: list[float], said: float) -> None:
    assert spread(np.array(values)) == said


@given(arrays(float, (5, 2), elements=numbers), st.floats(1e-3, 1e3), st.floats(0.1, 10))
def test_in_another_unit_the_number_is_the_same(objectives: np.ndarray, factor: float, weight: float) -> None:
    weights, spreads = np.array([weight, 1.0]), np.array([3.0, 7.0])
    units = np.array([factor, 1.0])
    same = weighed(objectives * units, weights, spreads * units)
    assert same == pytest.approx(weighed(objectives, weights, spreads), rel=1e-9, abs=1e-6)


@given(arrays(float, (2,), elements=numbers), st.integers(0, 1), st.floats(1e-3, 1e3))
def test_an_alloy_that_serves_one_goal_better_and_the_others_as_well_has_the_larger_number(
    objectives: np.ndarray, k: int, more: float
) -> None:
    better = objectives.copy()
    better[k] += more
    number = weighed(np.array([objectives, better]), np.array([2.0, 0.5]), np.array([3.0, 7.0]))
    assert number[1] > number[0]


def test_a_weight_of_two_counts_twice_the_share_of_what_is_usual() -> None:
    # By hand: 2 · 1/10 of the modulus' spread makes up for 1/5 of the strength's.
    numbers = weighed(np.array([[-60.0, 500.0], [-61.0, 520.0]]), np.array([2.0, 1.0]), np.array([10.0, 100.0]))
    assert numbers[0] == pytest.approx(numbers[1], abs=1e-12)
