"""Random choice, counted out: every order of a small pool, and the exact formulas beside them."""

from __future__ import annotations

from itertools import permutations
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.chance import best_by_chance, chance_to_find, mean_best_by_chance, melts_by_chance
from alloyloop.design.replay import best_so_far

pools = st.lists(st.sampled_from([-inf, 0.0, 1.0, 2.0, 3.5, 7.0]), min_size=1, max_size=6).map(np.array)


def every_order(n: int) -> np.ndarray:
    return np.array(list(permutations(range(n))))


@pytest.mark.parametrize(("n", "wanted", "found"), [(5, 1, 1), (5, 2, 1), (6, 3, 2), (6, 3, 3), (4, 4, 2)])
def test_the_chance_to_find_so_many_is_that_of_all_orders(n: int, wanted: int, found: int) -> None:
    got = np.cumsum(every_order(n) < wanted, axis=1) >= found  # the wanted designs are the first by number
    assert chance_to_find(n, wanted, found) == pytest.approx([0.0, *got.mean(axis=0)])


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_quantile_of_the_melts_is_the_least_number_that_does_for_so_many_orders(share: float) -> None:
    for n, wanted, found in [(5, 1, 1), (6, 2, 2), (6, 3, 2)]:
        got = np.cumsum(every_order(n) < wanted, axis=1) >= found
        melts = 1 + np.argmax(got, axis=1)
        assert melts_by_chance(n, wanted, found, share) == np.quantile(melts, share, method="inverted_cdf")


def test_the_only_best_is_found_half_way_through() -> None:
    assert [melts_by_chance(n, 1, 1) for n in (1, 2, 3, 100, 101)] == [1, 1, 2, 50, 51]


@given(pools, st.sampled_from([0.25, 0.5, 0.75]))
def test_a_quantile_of_the_best_so_far_is_that_of_all_orders(heights: np.ndarray, share: float) -> None:
    best = [best_so_far(order, heights) for order in every_order(len(heights))]
    expected = np.quantile(best, share, axis=0, method="inverted_cdf")
    assert best_by_chance(heights, len(heights), share).tolist() == expected.tolist()


@given(pools)
def test_the_mean_best_so_far_is_that_of_all_orders(heights: np.ndarray) -> None:
    best = np.array([best_so_far(order, heights) for order in every_order(len(heights))])
    assert mean_best_by_chance(heights, len(heights)) == pytest.approx(best.mean(axis=0))


def test_a_large_pool_has_no_overflow() -> None:
    heights = np.arange(5000.0)
    mean = mean_best_by_chance(heights, 60)
    assert mean == pytest.approx(np.arange(1, 61) * 5001 / np.arange(2, 62) - 1)  # of the largest of m of 1 … n
    assert best_by_chance(heights, 60)[0] == 2499
