"""A replay makes what a strategy picks, each design once, until the budget is gone; random choice is the measure."""

from __future__ import annotations

from itertools import permutations, product
from math import ceil, inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.diagram import IntArray
from alloyloop.design.replay import Picked, best_so_far, hypervolumes, replay, score, starts, top


class Last:
    """Picks the last designs that are left; has had enough at one number of melts."""

    def __init__(self, n_pool: int, enough_at: int = -1) -> None:
        self.n_pool, self.enough_at = n_pool, enough_at
        self.asked: list[tuple[int, int]] = []

    def pick(self, made: IntArray, n: int, rng: np.random.Generator) -> Picked:
        self.asked.append((len(made), n))
        left = np.setdiff1d(np.arange(self.n_pool), made)
        return Picked(left[::-1][:n], len(made) >= self.enough_at >= 0)


@given(n_pool=st.integers(2, 40), batch=st.integers(1, 7), data=st.data())
def test_every_design_is_made_once_the_start_first_and_no_more_than_the_budget(
    n_pool: int, batch: int, data: st.DataObject
) -> None:
    n_start = data.draw(st.integers(1, n_pool))
    budget = data.draw(st.integers(n_start, n_pool + 5))
    (start,) = starts(n_pool, n_start, [data.draw(st.integers(0, 99))])
    order = replay(Last(n_pool), n_pool, start, batch, budget, np.random.default_rng(0)).order
    assert order[:n_start].tolist() == start.tolist()
    assert len(order) == len(set(order.tolist())) == min(budget, n_pool)


def test_the_last_batch_is_cut_to_what_the_budget_leaves() -> None:
    chooser = Last(20)
    replay(chooser, 20, np.array([0, 1]), 4, 12, np.random.default_rng(0))
    assert chooser.asked == [(2, 4), (6, 4), (10, 2)]


def test_a_strategy_that_has_had_enough_is_noted_once_and_asked_on() -> None:
    done = replay(Last(20, enough_at=6), 20, np.array([0, 1]), 2, 12, np.random.default_rng(0))
    assert done.stopped == 6
    assert len(done.order) == 12
    assert replay(Last(20), 20, np.array([0]), 2, 12, np.random.default_rng(0)).stopped is None


def test_starts_are_the_same_for_a_seed_whatever_the_other_seeds_are() -> None:
    alone, (_, among) = starts(50, 5, [7]), starts(50, 5, [3, 7])
    assert alone[0].tolist() == among.tolist()
    assert starts(50, 5, [3])[0].tolist() != among.tolist()


def test_the_top_is_a_twentieth_and_whatever_equals_its_last() -> None:
    heights = np.array([9.0, 8.0, 8.0, *range(7), *([0.0] * 20)])  # 30 designs: a twentieth is 2, and two are 8.0
    assert top(heights).nonzero()[0].tolist() == [0, 1, 2]


def test_what_breaks_a_limit_is_never_of_the_top() -> None:
    heights = np.full(40, -inf)
    heights[3] = 1.0  # a twentieth of 40 is 2, and one keeps the limits
    assert top(heights).nonzero()[0].tolist() == [3]


@pytest.mark.parametrize(("n", "n_wanted"), [(6, 1), (6, 3), (7, 2)])
def test_random_choice_accelerates_by_the_mean_melts_of_all_orders_over_its_own(n: int, n_wanted: int) -> None:
    """The expectation in closed form is that of all orders, counted one by one."""
    heights = np.array([1.0] * n_wanted + [0.0] * (n - n_wanted))  # ties: the top is all that is 1
    half = ceil(n_wanted / 2)
    melts = []
    for order in permutations(range(n)):
        found = np.cumsum(heights[list(order)])
        melts.append(int(np.argmax(found >= half)) + 1)
    own = score(np.array(range(n)), heights)
    assert own.melts_to_half == half
    assert own.acceleration == pytest.approx(np.mean(melts) / half)


def test_a_run_that_never_gets_to_half_is_judged_at_its_end() -> None:
    heights = np.arange(100.0)  # the top is 95 to 99, half of it three of these
    got = score(np.array([0, 1, 99, 2, 98, 3, 4, 5]), heights)
    assert got.melts_to_half is None
    assert got.melts_to_best == 3
    assert got.acceleration == pytest.approx(2 * 101 / 6 / 8)
    assert got.enhancement == pytest.approx((2 / 5) / (8 / 100))


def test_nine_of_ten_of_the_top_are_nine_tenths_of_it() -> None:
    heights = np.arange(200.0)  # the top is 190 to 199
    assert score(np.array([*range(199, 190, -1), 0, 190]), heights).melts_to_top == 9


def test_any_of_the_equally_good_is_the_best() -> None:
    heights = np.array([0.0, 5.0, 5.0, 4.0])
    assert score(np.array([0, 3, 2, 1]), heights).melts_to_best == 3


def test_the_best_so_far_never_falls() -> None:
    assert best_so_far(np.array([2, 0, 3, 1]), np.array([5.0, 1.0, 3.0, 9.0])).tolist() == [3, 5, 9, 9]


@given(data=st.data())
def test_a_hypervolume_is_the_share_of_unit_cells_below_some_design(data: st.DataObject) -> None:
    """Counted cell by cell on whole numbers."""
    n = data.draw(st.integers(1, 7))
    values = np.array(data.draw(st.lists(st.tuples(*[st.integers(1, 5)] * 2), min_size=n, max_size=n)))
    allowed = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)))
    allowed[data.draw(st.integers(0, n - 1))] = True

    def cells(rows: list[int]) -> int:
        may = [values[i] for i in rows if allowed[i]]
        return sum(any(x < a and y < b for a, b in may) for x, y in product(range(5), range(5)))

    told = hypervolumes(np.arange(n), values.astype(float), allowed, np.zeros(2))
    expected = [cells(list(range(i + 1))) / cells(list(range(n))) for i in range(n)]
    np.testing.assert_allclose(told, expected)
