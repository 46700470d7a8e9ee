"""Correlated normals inside limits: against closed forms, scipy's cubature, and draws."""

from __future__ import annotations

from functools import partial
from math import asin, inf, pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import log_ndtr
from scipy.stats import multivariate_normal

from alloyloop.design.rectangles import drawn_inside, log_rectangle
from alloyloop.surrogates.base import FloatArray


def alike(n: int, correlation: float) -> FloatArray:
    """One correlation between all of n."""
    return np.full((n, n), correlation) + (1 - correlation) * np.eye(n)


@pytest.mark.parametrize("r", [-0.9, -0.3, 0.0, 0.5, 0.95])
def test_two_are_positive_with_the_probability_of_sheppard(r: float) -> None:
    both = log_rectangle(np.zeros((1, 2)), np.full((1, 2), inf), alike(2, r))  # Phil. Trans. A 192 (1899) 101
    assert np.exp(both[0]) == pytest.approx(1 / 4 + asin(r) / (2 * pi), abs=2e-4)


def test_three_are_positive_with_the_closed_form_of_three() -> None:
    correlation = np.array([[1, 0.5, -0.2], [0.5, 1, 0.3], [-0.2, 0.3, 1]])
    expected = 1 / 8 + (asin(0.5) + asin(-0.2) + asin(0.3)) / (4 * pi)
    found = log_rectangle(np.zeros((1, 3)), np.full((1, 3), inf), correlation)
    assert np.exp(found[0]) == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize(("n", "off"), [(2, 3e-4), (3, 5e-4), (4, 5e-4), (5, 2e-3)])
@pytest.mark.parametrize("r", [0.3, 0.8])
def test_limits_hold_with_the_probability_of_scipys_cubature(n: int, off: float, r: float) -> None:
    rng = np.random.default_rng(0)
    low = rng.normal(-1, 1.5, (8, n))
    high = low + rng.exponential(2, (8, n))
    low[::3, 0], high[1::3, -1] = -inf, inf
    found = np.exp(log_rectangle(low, high, alike(n, r)))
    of = partial(multivariate_normal.cdf, mean=np.zeros(n), cov=alike(n, r), maxpts=200_000, abseps=1e-5, releps=1e-5)
    expected = [of(b, lower_limit=a) for a, b in zip(low, high, strict=True)]
    np.testing.assert_allclose(found, expected, atol=off)


def test_a_tail_is_told_far_beyond_what_a_double_holds() -> None:
    low = np.array([[40.0, -inf], [40.0, 40.0]])
    one, both = log_rectangle(low, np.full((2, 2), inf), alike(2, 0.5))
    assert one == pytest.approx(log_ndtr(-40.0), rel=1e-9)
    # Of two the nearest point is (40, 40), at a squared distance of 40² 2 / (1 + r) [Savage, J. Res. NBS 66B (1962)].
    assert both == pytest.approx(-(40**2) / 1.5, rel=0.01)


@given(st.floats(-0.95, 0.95), st.floats(-3, 3), st.floats(0.1, 5))
def test_whichever_is_taken_first_the_probability_is_the_same(r: float, low: float, width: float) -> None:
    a, b = np.array([[low, -1.0]]), np.array([[low + width, 0.5]])
    forward, backward = (log_rectangle(a[:, order], b[:, order], alike(2, r))[0] for order in ([0, 1], [1, 0]))
    assert np.exp(forward) == pytest.approx(np.exp(backward), abs=2e-3)


def test_nothing_lies_between_limits_that_are_crossed() -> None:
    assert log_rectangle(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]), np.eye(2))[0] == -inf


def test_draws_are_inside_and_their_weights_sum_up_to_the_probability() -> None:
    low, high = np.array([[-1.0, 0.5, -inf]]), np.array([[2.0, inf, 0.0]])
    draws, logs = drawn_inside(low, high, alike(3, 0.4))
    assert ((draws >= low - 1e-9) & (draws <= high + 1e-9)).all()
    assert np.exp(logs).sum() == pytest.approx(float(np.exp(log_rectangle(low, high, alike(3, 0.4))[0])), rel=1e-3)


def test_draws_have_the_moments_of_those_of_many_that_are_inside() -> None:
    low, high = np.array([[-1.0, 0.5, -inf]]), np.array([[2.0, inf, 0.0]])
    draws, logs = drawn_inside(low, high, alike(3, 0.4))
    weights = np.exp(logs[0]) / np.exp(logs[0]).sum()
    many = np.random.default_rng(0).multivariate_normal(np.zeros(3), alike(3, 0.4), size=400_000)
    many = many[((many >= low) & (many <= high)).all(axis=1)]
    np.testing.assert_allclose(weights @ draws[0], many.mean(axis=0), atol=0.01)
    np.testing.assert_allclose(weights @ draws[0] ** 2, (many**2).mean(axis=0), atol=0.03)
