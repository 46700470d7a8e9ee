"""Expected improvement, and the expected approach to a target, exact as logarithms: held to mpmath and to draws."""

from __future__ import annotations

from typing import Any

import mpmath  # type: ignore[import-untyped]  # comes with torch
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.improvement import log_expected_approach, log_expected_improvement

pytestmark = pytest.mark.torch


def exact_log_ei(mean: float, std: float, best: float) -> float:
    """Log of φ(u) + u Φ(u), times std, with 60 digits."""
    with mpmath.workdps(60):
        u = (mpmath.mpf(mean) - mpmath.mpf(best)) / mpmath.mpf(std)
        # φ(u) + u Φ(u) loses as many digits as u² has before it: below -10, its continued fraction's integral instead.
        if u > -10:
            improvement = mpmath.npdf(u) + u * mpmath.ncdf(u)
            return float(mpmath.log(improvement) + mpmath.log(std))
        # ∫₀^∞ t φ(t - u) dt = φ(u) ∫₀^∞ t exp(u t - t²/2) dt, scaled by s = -u t.
        scaled = mpmath.quad(lambda s: s * mpmath.exp(-s - s**2 / (2 * u**2)), [0, 5, 20, 60, 150])
        return float(-(u**2) / 2 - mpmath.log(2 * mpmath.pi) / 2 + mpmath.log(scaled / u**2) + mpmath.log(std))


def log_ei(mean: float, std: float, best: float) -> float:
    return float(log_expected_improvement(np.array([mean]), np.array([std]), np.array([best]))[0])


@pytest.mark.parametrize(
    "u", [1e6, 300, 30, 3, 0, -0.999, -1, -1.001, -3, -9, -30, -100, -1e3, -9.99e3, -1.001e4, -1e5, -1e6]
)
def test_log_expected_improvement_is_exact_to_a_million_standard_deviations(u: float) -> None:
    assert log_ei(u, 1.0, 0.0) == pytest.approx(exact_log_ei(u, 1.0, 0.0), rel=1e-9, abs=1e-12)


@given(st.floats(-50, 50), st.floats(0.1, 20), st.floats(-50, 50))
def test_log_expected_improvement_is_that_of_mpmath(mean: float, std: float, best: float) -> None:
    assert log_ei(mean, std, best) == pytest.approx(exact_log_ei(mean, std, best), rel=1e-8, abs=1e-9)


def test_log_expected_improvement_is_the_mean_gain_of_draws() -> None:
    gains = np.maximum(np.random.default_rng(0).normal(48, 5, 1_000_000) - 52, 0)
    assert np.exp(log_ei(48, 5, 52)) == pytest.approx(gains.mean(), abs=4 * gains.std() / 1000)


def test_a_known_value_gains_what_it_is_above_the_best_and_nothing_below() -> None:
    assert log_ei(55, 0.0, 52) == pytest.approx(np.log(3))
    assert log_ei(50, 0.0, 52) < -1e100
    assert log_ei(52, 0.0, 52) < -200


def test_expected_improvement_is_monotone_from_one_formula_to_the_next() -> None:
    u = np.concatenate([-np.logspace(7, -3, 4000), np.logspace(-3, 3, 1000)])
    assert (np.diff(log_expected_improvement(u, np.ones(1), np.zeros(1))) > 0).all()


def exact_log_approach(off: float, std: float, nearest: float) -> float:
    """Log of the integral of the tent over the density, with 40 digits."""
    with mpmath.workdps(40):
        off, std, nearest = mpmath.mpf(off), mpmath.mpf(std), mpmath.mpf(nearest)
        peak = min(max(off, -nearest), nearest)  # the density is scaled to 1 at its highest point inside
        highest = -((peak - off) ** 2) / (2 * std**2)

        def scaled(d: Any) -> Any:
            return (nearest - abs(d)) * mpmath.exp(-((d - off) ** 2) / (2 * std**2) - highest)

        near = [peak - k * std * s for k in (0.1, 1, 4, 12) for s in (-1, 1)]
        cuts = sorted({-nearest, nearest, mpmath.mpf(0), *(d for d in near if -nearest < d < nearest)})
        area = mpmath.quad(scaled, cuts)
        return float(mpmath.log(area) + highest - mpmath.log(std) - mpmath.log(2 * mpmath.pi) / 2)


def log_approach(off: float, std: float, nearest: float) -> float:
    return float(log_expected_approach(np.array([off]), np.array([std]), np.array([nearest]))[0])


@pytest.mark.parametrize(
    ("off", "std", "nearest"),
    [
        (0, 1, 1),
        (0, 1, 1e-6),
        (3, 1, 1e-4),
        (3, 1, 2e-3),
        (-5, 1, 2),
        (30, 1, 2),
        (300, 1, 1e-3),
        (2, 0.1, 50),
        (8, 1, 8),
    ],
)
def test_the_approach_is_exact_for_wide_and_narrow_tents_near_and_far(off: float, std: float, nearest: float) -> None:
    assert log_approach(off, std, nearest) == pytest.approx(exact_log_approach(off, std, nearest), rel=1e-6, abs=1e-6)


@given(st.floats(-20, 20), st.floats(0.2, 10), st.floats(0.01, 20))
def test_the_approach_is_that_of_mpmath(off: float, std: float, nearest: float) -> None:
    assert log_approach(off, std, nearest) == pytest.approx(exact_log_approach(off, std, nearest), rel=1e-6, abs=1e-6)


@given(st.floats(-20, 20), st.floats(0.2, 10), st.floats(0.01, 20))
def test_a_value_as_far_below_the_target_as_above_approaches_as_much(off: float, std: float, nearest: float) -> None:
    assert log_approach(off, std, nearest) == pytest.approx(log_approach(-off, std, nearest), rel=1e-12)
    assert log_approach(off, std, nearest) <= log_approach(off, std, nearest + 1)


def test_from_the_target_itself_there_is_no_way_nearer() -> None:
    assert log_approach(0.0, 1.0, 0.0) == -np.inf
