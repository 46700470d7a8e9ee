from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.surrogates import AlloyloopError
from alloyloop.surrogates.measurements import bounds_stated, check_values, spread, stated_noise, student_factor


def test_a_value_without_a_stated_noise_is_taken_to_be_as_noisy_as_the_others() -> None:
    assert stated_noise([3.0, np.nan, 4.0], 3) == pytest.approx([3.0, np.sqrt(12.5), 4.0])  # √((9 + 16) / 2)


def test_where_no_noise_is_stated_none_is_claimed() -> None:
    assert stated_noise([np.nan, np.nan], 2).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("noise", [[1.0, -1.0], [1.0, np.inf]])
def test_a_negative_or_infinite_noise_is_refused(noise: list[float]) -> None:
    with pytest.raises(AlloyloopError, match="negative or infinite"):
        stated_noise(noise, 2)


def test_noise_is_stated_of_every_row_or_of_none() -> None:
    with pytest.raises(AlloyloopError, match="3 measured values but 2"):
        stated_noise([1.0, 1.0], 3)


@pytest.mark.parametrize(("n", "t95"), [(2, 6.3138), (3, 2.9200), (10, 1.8331), (31, 1.6973)])
def test_few_values_widen_the_spread_as_students_t_does(n: int, t95: float) -> None:  # Student's table, one-sided 5 %
    assert student_factor(n) == pytest.approx(t95 / 1.64485, rel=1e-4)


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=20), st.sampled_from([1e-250, 1e-9, 1.0, 1e9, 1e250]))
def test_the_spread_follows_the_unit_and_is_never_zero(values: list[int], unit: float) -> None:
    y = np.array(values, dtype=np.float64)
    if y.any():
        assert spread(y * unit) == pytest.approx(spread(y) * unit, rel=1e-9)
    assert spread(y * unit) > 0


def test_values_that_are_all_equal_spread_like_their_usual_scatter() -> None:
    assert spread(np.full(9, 60.0), fallback=2.5) == 2.5


@pytest.mark.parametrize(
    ("y", "said"),
    [
        ([1.0, np.nan], "value 2 of y is NaN"),
        ([-np.inf, 1.0], "value 1 of y is infinity"),
        (["1.5", "soft"], "value 2 of y is 'soft'"),
        (np.array([1, None, 3], dtype=object), "value 2 of y is NaN"),
    ],
)
def test_a_value_that_is_no_number_is_told_by_its_place(y: Any, said: str) -> None:
    with pytest.raises(AlloyloopError, match=said):
        check_values(y)


def test_numbers_of_any_kind_are_values() -> None:
    for y in ([1, 2], [1.5, 2.0], ["1.5", "2"], [True, False], np.array([1, 2.5], dtype=object), None):
        check_values(y)


@given(st.lists(st.sampled_from([-1, 0, 1, 2]), max_size=4))
def test_a_bound_is_an_upper_one_a_lower_one_or_none(sign: list[int]) -> None:
    if len(sign) == 3 and 2 not in sign:
        assert bounds_stated(sign, 3).tolist() == sign
    else:
        with pytest.raises(AlloyloopError, match="does not fit 3 measured values"):
            bounds_stated(sign, 3)


def test_without_a_word_no_value_is_a_bound() -> None:
    assert bounds_stated(None, 2).tolist() == [0, 0]
