"""Boxes over points: apart from each other, peeled until they hold, and as wide as that allows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.boxes import Box, Boxes

NUMBERS = np.stack(np.meshgrid(np.arange(7), np.arange(7), indexing="ij"), axis=-1).reshape(-1, 2)
WHOLE = Box(np.zeros(2, dtype=np.int64), np.full(2, 6))


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    ends = [sorted(draw(st.tuples(st.integers(0, 6), st.integers(0, 6)))) for _ in range(2)]
    return Box(*np.array(ends).T)


@given(boxes(), boxes())
def test_what_is_left_of_a_box_without_another_is_all_that_is_not_in_both(one: Box, other: Box) -> None:
    parts = [*one.without(other)]
    left = np.any([part.holds(NUMBERS) for part in parts], axis=0) if parts else np.zeros(len(NUMBERS), dtype=bool)
    assert (left == (one.holds(NUMBERS) & ~other.holds(NUMBERS))).all()
    assert not any(part.meets(other) for part in parts)
    assert one.meets(other) == (one.holds(NUMBERS) & other.holds(NUMBERS)).any()


@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.7]), boxes())
def test_a_box_holds_stays_inside_and_cannot_have_any_end_moved_outward(seed: int, enough: float, other: Box) -> None:
    rng = np.random.default_rng(seed)
    far = np.abs(NUMBERS - rng.uniform(0, 6, 2)).sum(axis=1) / 4
    chances = np.clip(1.2 - far + rng.uniform(-0.1, 0.1, len(NUMBERS)), 0, 1)
    seeds = [i for i in np.flatnonzero(chances >= enough).tolist() if not other.holds(NUMBERS[[i]])[0]]
    over = Boxes(NUMBERS, chances, enough, 2 * enough - 1, (other,))
    box = over.widest(seeds[:1], WHOLE)
    assert (box is None) == (not seeds)
    if box is None:
        return
    assert holds(box, chances, enough)
    assert not box.meets(other)
    assert (box.low >= 0).all()
    assert (box.high <= 6).all()
    for i in range(2):
        for wider in (box.moved(i, low=int(box.low[i]) - 1), box.moved(i, high=int(box.high[i]) + 1)):
            leaves = wider.low.min() < 0 or wider.high.max() > 6
            assert leaves or wider.meets(other) or not holds(wider, chances, enough)


def holds(box: Box, chances: np.ndarray, enough: float) -> bool:
    """By the grid: the mean, and that of each outermost row and column."""
    own = chances.reshape(7, 7)[box.low[0] : box.high[0] + 1, box.low[1] : box.high[1] + 1]
    ends = [own[0].mean(), own[-1].mean(), own[:, 0].mean(), own[:, -1].mean()]
    return bool(own.mean() >= enough and min(ends) >= 2 * enough - 1)


def test_of_fine_values_an_end_is_a_twentieth_of_the_points() -> None:
    """By hand: of 100 values the five lowest count together, and their mean is 0.7."""
    numbers, chances = np.arange(100)[:, None], np.ones(100)
    chances[:5] = 0.0, 0.5, 1.0, 1.0, 1.0
    box = Box(np.array([0]), np.array([99]))
    assert Boxes(numbers, chances, 0.9, 0.7).is_enough(box)
    assert not Boxes(numbers, chances, 0.9, 0.71).is_enough(box)


def test_a_trade_gives_up_an_end_where_that_brings_more() -> None:
    """By hand: a row of seven that nothing can be pasted to, or three rows of six."""
    chances = np.zeros((7, 7))
    chances[0:3, 0:6] = chances[1, 6] = 1.0
    box = Boxes(NUMBERS, chances.ravel(), 1.0, 1.0).widest([7 + 6], WHOLE)
    assert box is not None
    assert (box.low.tolist(), box.high.tolist()) == ([0, 0], [2, 5])


@pytest.mark.parametrize("seeds", [[], [0]], ids=["no seed", "a bad seed"])
def test_without_a_good_point_to_begin_at_there_is_no_box(seeds: list[int]) -> None:
    assert Boxes(NUMBERS, np.zeros(len(NUMBERS)), 0.5, 0.0).widest(seeds, WHOLE) is None
