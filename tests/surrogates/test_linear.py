"""Linear models, against the normal equations. What every surrogate promises is tested by the common suite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alloyloop.surrogates import surrogate

pytestmark = pytest.mark.torch

RNG = np.random.default_rng(0)
X = RNG.random((60, 5)) * [1, 10, 100, 1000, 1]
Y = 60 + 30 * X[:, 0] - 0.02 * X[:, 3] + RNG.normal(0, 1, 60)
NEW = RNG.random((9, 5)) * [1, 10, 100, 1000, 1]

every_linear_model = pytest.mark.parametrize("name", ["linear", "ridge", "lasso"])


def fitted(name: str, X: np.ndarray = X, y: np.ndarray = Y, **told: Any) -> Any:
    model: Any = surrogate(name, n_repeats=1)
    return model.fit(X, y, **told)


def weights(model: Any) -> np.ndarray:
    """Of features of unit spread, for values of unit spread."""
    return np.asarray(model.regressor_[-1].coef_)


def least_squares(X: np.ndarray, y: np.ndarray, new: np.ndarray) -> np.ndarray:
    with_one, new_with_one = (np.column_stack([np.ones(len(rows)), rows]) for rows in (X, new))
    return np.asarray(new_with_one @ np.linalg.lstsq(with_one, y)[0])


def test_linear_is_least_squares() -> None:
    assert fitted("linear").predict(NEW) == pytest.approx(least_squares(X, Y, NEW), rel=1e-5)


@pytest.mark.parametrize("rounding", [0.0, 0.05, 0.2])
def test_fractions_that_add_up_to_one_are_as_good_as_all_but_one_of_them(rounding: float) -> None:
    """Also where they add up to one but for rounding, which says nothing of the property."""
    exact, new = RNG.dirichlet(np.ones(5), 60), RNG.dirichlet(np.ones(5), 9)
    y = exact @ [110.0, 80.0, 70.0, 60.0, 120.0] + RNG.normal(0, 0.1, 60)
    rounded = 100 * exact + rounding * RNG.uniform(-1, 1, exact.shape)
    expected = least_squares(100 * exact[:, 1:], y, 100 * new[:, 1:])
    assert fitted("linear", rounded, y).predict(100 * new) == pytest.approx(expected, abs=0.1 + 2 * rounding)


def test_the_last_digits_of_fractions_say_nothing_of_an_alloy_that_was_rounded_sooner() -> None:
    """Where rows add up to 100 but for 1e-6, least squares alone would multiply the 0.1 that another is off by 1e5."""
    exact, new = RNG.dirichlet(np.ones(5), 60), RNG.dirichlet(np.ones(5), 9)
    y = exact @ [110.0, 80.0, 70.0, 60.0, 120.0] + RNG.normal(0, 0.1, 60)
    model = fitted("linear", 100 * exact + RNG.uniform(-1e-6, 1e-6, exact.shape), y)
    expected = least_squares(100 * exact[:, 1:], y, 100 * new[:, 1:])
    assert model.predict((100 * new).round(1)) == pytest.approx(expected, abs=0.5)


def test_ridge_solves_the_normal_equations_with_a_ridge() -> None:
    model = fitted("ridge")
    U, z = (X - X.mean(axis=0)) / X.std(axis=0), (Y - Y.mean()) / model.scale_
    theirs = np.linalg.solve(U.T @ U + model.tuned_["ridge__alpha"] * np.eye(5), U.T @ z)
    assert weights(model) == pytest.approx(theirs)


def test_ridge_holds_the_weights_the_smaller_the_less_there_is_to_learn() -> None:
    noisy = fitted("ridge", y=Y + RNG.normal(0, 100, 60))
    assert noisy.tuned_["ridge__alpha"] >= 100 > fitted("ridge").tuned_["ridge__alpha"]


def test_lasso_takes_from_each_weight_what_its_strength_says() -> None:
    """Of features at right angles the weights are those of least squares, drawn to zero by alpha."""
    signs = np.array([[a, b, c] for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)] * 5, dtype=np.float64)
    y = signs @ [5.0, 1.0, 0.0] + RNG.normal(0, 2, 40)
    model = fitted("lasso", signs, y)
    alone = signs.T @ ((y - y.mean()) / model.scale_) / 40
    drawn = np.sign(alone) * np.maximum(np.abs(alone) - model.tuned_["lasso__alpha"], 0)
    assert weights(model) == pytest.approx(drawn)


def test_lasso_leaves_out_most_of_what_says_nothing() -> None:
    rng = np.random.default_rng(0)
    many = rng.random((60, 30))
    kept = np.flatnonzero(weights(fitted("lasso", many, 30 * many[:, 0] - 20 * many[:, 3] + rng.normal(0, 2, 60))))
    assert {0, 3} <= set(kept.tolist())
    assert len(kept) - 2 < 28 / 2


@every_linear_model
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow])
@given(
    units=st.lists(st.sampled_from([1e-6, 1e-2, 1.0, 1e5]), min_size=5, max_size=5),
    zeros=st.lists(st.sampled_from([-273.15, 0.0, 1e3]), min_size=5, max_size=5),
)
def test_units_and_zeros_of_features_make_no_difference(name: str, units: list[float], zeros: list[float]) -> None:
    model: Any = surrogate(name, n_repeats=1, tune_seconds=0.0)
    plain = model.fit(X, Y).predict(NEW)
    other = model.fit(units * X + np.multiply(units, zeros), Y).predict(units * NEW + np.multiply(units, zeros))
    assert other == pytest.approx(plain, rel=1e-4)


@every_linear_model
def test_beyond_the_data_they_go_on_straight(name: str) -> None:
    way = X.mean(axis=0) + np.linspace(-3, 3, 5)[:, None] * np.eye(5)[0]
    said = fitted(name).predict(way)
    assert np.diff(said) == pytest.approx(np.full(4, 1.5 * 30), rel=0.1)
    assert np.diff(said, 2) == pytest.approx(np.zeros(3), abs=1e-9)
