"""Weighted neighbours, by hand. What every surrogate promises is tested by the common suite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.neighbors import KNeighborsRegressor

from alloyloop.surrogates import surrogate
from alloyloop.surrogates.neighbours import FadingNeighbours

pytestmark = pytest.mark.torch

ROWS, VALUES = np.array([[0.0], [1.0], [3.0], [6.0]]), np.array([0.0, 10.0, 40.0, 90.0])

numbers = st.integers(-50, 50).map(float)
tables = st.integers(1, 12).flatmap(
    lambda n: st.tuples(arrays(np.float64, (n, 2), elements=numbers), arrays(np.float64, n, elements=numbers))
)


@pytest.mark.parametrize(
    ("k", "at", "expected"),
    [
        (1, 0.2, 0.0),  # 1 lies as far as weights reach
        (2, 0.0, (1 * 0 + 2 / 3 * 10) / (1 + 2 / 3)),  # weights fall to 0 at 3
        (3, 1.0, (1 * 10 + 4 / 5 * 0 + 3 / 5 * 40) / (1 + 4 / 5 + 3 / 5)),  # and to 0 at 6
        (9, 1.0, (1 * 10 + 4 / 5 * 0 + 3 / 5 * 40) / (1 + 4 / 5 + 3 / 5)),  # there are no more
    ],
)
def test_weights_fall_straight_to_zero_at_the_next_row_after(k: int, at: float, expected: float) -> None:
    assert FadingNeighbours(k).fit(ROWS, VALUES).predict([[at]]) == pytest.approx([expected], abs=1e-3)


def test_distances_are_as_the_crow_flies_or_along_the_features() -> None:
    """From the origin, (3, 3) is nearer than (0, 5) as the crow flies, and farther along the features."""
    rows, values = [[3.0, 3.0], [0.0, 5.0], [100.0, 0.0]], [1.0, 2.0, 3.0]
    said = [FadingNeighbours(1, p=p).fit(rows, values).predict([[0.0, 0.0]])[0] for p in (2.0, 1.0)]
    assert said == pytest.approx([1.0, 2.0], rel=1e-3)


def test_rows_equally_far_count_equally_whatever_rounding_makes_of_it() -> None:
    corners = 0.1 * np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]]) + 0.3
    said = FadingNeighbours(3).fit(corners, [1.0, 2.0, 3.0, 4.0]).predict([[0.3, 0.3]])
    assert said == pytest.approx([2.5])


def test_repeats_of_the_alloy_asked_for_are_averaged() -> None:
    model = FadingNeighbours(2).fit([[1.0], [1.0], [1.0], [5.0]], [10.0, 20.0, 30.0, 0.0])
    assert model.predict([[1.0]]) == pytest.approx([20.0])


def test_a_row_of_half_the_weight_counts_half() -> None:
    model = FadingNeighbours(2).fit([[-1.0], [1.0], [9.0]], [0.0, 30.0, 0.0], sample_weight=[1.0, 0.5, 1.0])
    assert model.predict([[0.0]]) == pytest.approx([10.0])


@given(table=tables, asked=arrays(np.float64, (3, 2), elements=numbers), k=st.integers(1, 15))
def test_nothing_beyond_what_was_measured_is_ever_expected(
    table: tuple[np.ndarray, np.ndarray], asked: np.ndarray, k: int
) -> None:
    said = FadingNeighbours(k).fit(*table).predict(asked)
    assert (said >= table[1].min() - 1e-9).all()
    assert (said <= table[1].max() + 1e-9).all()


def test_on_the_way_from_alloy_to_alloy_nothing_jumps_as_plain_neighbours_do() -> None:
    rng = np.random.default_rng(0)
    rows, values, way = rng.random((40, 2)), rng.random(40), np.linspace([0.0, 0.0], [1.0, 1.0], 2000)
    ours, theirs = (one(5).fit(rows, values).predict(way) for one in (FadingNeighbours, KNeighborsRegressor))
    assert np.abs(np.diff(ours)).max() < 0.02 < 0.1 < np.abs(np.diff(theirs)).max()


def test_features_are_in_units_of_their_spread() -> None:
    rng = np.random.default_rng(0)
    X, y, new = rng.random((40, 3)), rng.random(40), rng.random((5, 3))
    model: Any = surrogate("nearest-neighbours", n_repeats=1)
    plain = model.fit(X, y).predict(new)
    assert model.fit(X * [1, 100, 1e-3] + 7, y).predict(new * [1, 100, 1e-3] + 7) == pytest.approx(plain)


def test_the_fewer_rows_agree_the_more_of_them_are_asked() -> None:
    rng = np.random.default_rng(0)
    X = rng.random((80, 2))
    taken = []
    for scatter in (0.0, 3.0):
        model: Any = surrogate("nearest-neighbours", n_repeats=1)
        model.fit(X, np.sin(5 * X[:, 0]) + X[:, 1] + rng.normal(0, scatter, 80))
        taken.append(model.tuned_["fadingneighbours__n_neighbors"])
    assert taken[0] <= 5 < taken[1]
