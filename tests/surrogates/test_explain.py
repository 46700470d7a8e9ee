"""Reasons as numbers: shares that sum to what they explain, and errors that rise where something is mixed up."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from math import log
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.surrogates import explain
from alloyloop.surrogates.base import FloatArray, Prediction
from alloyloop.surrogates.explain import (
    MOST_ENUMERATED,
    Asker,
    deviations,
    discounted_by,
    left_out_one_by_one,
    relevances_of,
    rise_of_error,
    shapley,
)
from alloyloop.surrogates.scales import LOG, Normal


def asker(function: object, point: FloatArray, background: FloatArray) -> Asker:
    """Ask a function of rows for points of which some groups have gone over from a background row."""
    return lambda taken, row: function(np.where(taken, point, background[row]))  # type: ignore[operator]


def curved(X: FloatArray) -> FloatArray:
    """Something with interactions of every order."""
    return np.asarray(X[:, 0] * X[:, 1] + np.exp(X.prod(axis=1)) - X[:, -1] ** 2)


def rows(n: int, d: int, seed: int) -> FloatArray:
    return np.random.default_rng(seed).uniform(-1, 1, (n, d))


def test_the_rise_is_that_of_the_root_mean_square_error() -> None:
    # By hand: errors (3, 4) make sqrt(12.5); mixed up (0, 0) and (6, 8) make 0 and sqrt(50).
    y, mean = np.array([0.0, 0.0]), np.array([3.0, 4.0])
    rise = rise_of_error(y, mean, np.array([[0.0, 0.0], [6.0, 8.0]]))
    assert rise.mean == pytest.approx(50**0.5 / 2 - 12.5**0.5)
    assert rise.std == pytest.approx(50**0.5 / 2**0.5)


def test_shares_are_the_mean_over_every_order_and_every_background_row() -> None:
    """Shapley's own definition, all 24 orders written out."""
    point, background = rows(1, 4, 0)[0], rows(3, 4, 1)
    wanted = np.zeros(4)
    for row in background:
        for order in permutations(range(4)):
            at = row.copy()
            for group in order:
                before = curved(at[None])[0]
                at[group] = point[group]
                wanted[group] += (curved(at[None])[0] - before) / (24 * 3)
    told = shapley(asker(curved, point, background), 4, 3, np.random.default_rng(0))
    np.testing.assert_allclose(told.of, wanted, atol=1e-12)
    assert (told.errors == 0).all()


@given(st.integers(1, MOST_ENUMERATED + 3), st.integers(1, 5), st.integers(0, 100))
def test_shares_and_the_mean_of_the_background_sum_to_the_prediction(d: int, n: int, seed: int) -> None:
    point, background = rows(1, d + 1, seed)[0], rows(n, d + 1, seed + 1)
    told = shapley(asker(curved, point, background), d + 1, n, np.random.default_rng(0))
    assert told.base == pytest.approx(curved(background).mean())
    assert told.base + told.of.sum() == pytest.approx(curved(point[None])[0])


@pytest.mark.parametrize("d", [3, MOST_ENUMERATED + 2])
def test_a_sum_is_shared_as_its_terms_and_what_is_not_asked_for_gets_nothing(d: int) -> None:
    point, background = rows(1, d, 2)[0], rows(4, d, 3)
    weights = np.arange(d, dtype=np.float64)  # the first group is not asked for
    told = shapley(asker(lambda X: X @ weights, point, background), d, 4, np.random.default_rng(0))
    np.testing.assert_allclose(told.of, weights * (point - background.mean(axis=0)), atol=1e-12)
    assert told.of[0] == 0


def test_drawn_orders_come_as_near_to_all_of_them_as_their_error_says(monkeypatch: pytest.MonkeyPatch) -> None:
    d = 7
    ask = asker(curved, rows(1, d, 4)[0], rows(6, d, 5))
    exact = shapley(ask, d, 6, np.random.default_rng(0))
    monkeypatch.setattr(explain, "MOST_ENUMERATED", 0)
    drawn = shapley(ask, d, 6, np.random.default_rng(0))
    assert (drawn.errors > 0).all()
    assert drawn.errors.max() < 0.02
    assert (np.abs(drawn.of - exact.of) < 4 * drawn.errors).all()


def test_deviations_are_counted_on_the_scale_of_the_model() -> None:
    plain = Prediction(np.array([60.0]), np.array([3.0]), np.array([4.0]))
    assert deviations(plain, np.array([50.0])) == pytest.approx([-2])
    behind = Normal(LOG, np.array([0.0]), np.array([log(2)]))
    skewed = Prediction(np.array([1.3]), np.array([1.0]), np.array([0.5]), behind)
    assert deviations(skewed, np.array([8.0])) == pytest.approx([3])  # three doublings


def test_where_nothing_is_uncertain_nothing_deviates() -> None:
    sure = Prediction(np.array([60.0]), np.array([0.0]), np.array([0.0]))
    assert deviations(sure, np.array([60.0])) == [0]


@dataclass(frozen=True)
class Plain:
    relevances_: FloatArray
    outliers_: tuple[int, ...] = (4,)

    def leave_one_out(self) -> Prediction:
        return Prediction(np.array([60.0]), np.array([3.0]), np.array([4.0]))


@dataclass(frozen=True)
class Wrapped:
    """A surrogate on a scale: it doubles what the one inside it says."""

    surrogate_: object

    def leave_one_out(self) -> Prediction:
        inside = cast(Plain, self.surrogate_).leave_one_out()
        return Prediction(2 * inside.mean, 2 * inside.std, 2 * inside.noise)


def test_what_a_surrogate_says_of_itself_is_found_inside_another() -> None:
    model = Wrapped(Plain(np.array([0.25, 0.75])))
    told = relevances_of(model, 2)
    assert told is not None
    assert told.tolist() == [0.25, 0.75]
    assert relevances_of(model, 3) is None  # of features that it made itself, such as principal components
    assert discounted_by(model) == {4}
    left_out = left_out_one_by_one(model)
    assert left_out is not None
    assert left_out.mean.tolist() == [120]  # as the outermost says it: in the property's unit


def test_what_a_surrogate_cannot_say_it_does_not_say() -> None:
    for model in (object(), Wrapped(object())):
        assert relevances_of(model, 2) is None
        assert discounted_by(model) == frozenset()
        assert left_out_one_by_one(model) is None
