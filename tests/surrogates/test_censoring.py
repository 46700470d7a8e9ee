from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import log_ndtr, ndtr
from scipy.stats import truncnorm

from alloyloop.surrogates.censoring import WIDEST, censored_sites

PLACES = np.array([0.0, 0.3, 0.35, 0.9, 1.4, 2.0])
PRIOR = np.exp(-((PLACES[:, None] - PLACES) ** 2) / 2)
NOISE = np.array([0.05, 0.2, 0.1, 0.01, 0.3, 0.1])


def posterior(
    prior: np.ndarray, z: np.ndarray, variances: np.ndarray, sign: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean (n,) and covariance (n, n) of the property with what stands for the bounds: R&W eq. 2.25 and 2.26."""
    at, noise = censored_sites(prior, z, variances, sign)
    gain = prior @ np.linalg.inv(prior + np.diag(noise))
    return gain @ at, prior - gain @ prior


def by_quadrature(
    prior: np.ndarray, z: np.ndarray, variances: np.ndarray, sign: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Exact means and variances of two or three rows, by summing prior times likelihood over a fine grid."""
    axis = np.linspace(-7, 7, {2: 701, 3: 99}[len(z)])
    grid = np.stack(np.meshgrid(*[axis] * len(z), indexing="ij"), axis=-1).reshape(-1, len(z))
    density = np.exp(-np.sum(grid @ np.linalg.inv(prior) * grid, axis=1) / 2)
    for f, bound, noise, side in zip(grid.T, z, np.sqrt(variances), sign, strict=True):
        density *= ndtr(side * (f - bound) / noise) if side else np.exp(-(((f - bound) / noise) ** 2) / 2)
    mean = density @ grid / density.sum()
    return mean, density @ (grid - mean) ** 2 / density.sum()


signs: Any = arrays(np.int64, 6, elements=st.sampled_from([-1, 0, 1]))
values: Any = arrays(np.float64, 6, elements=st.floats(-3, 3))


def test_measured_values_stay_as_they_are() -> None:
    z = np.array([0.5, -1.0, 2.0, 0.0, 1.0, 1.0])
    at, noise = censored_sites(PRIOR, z, NOISE, np.zeros(6, dtype=int))
    assert at.tolist() == z.tolist()
    assert noise.tolist() == NOISE.tolist()


@pytest.mark.parametrize("bound", [-4.0, -0.5, 0.0, 0.7, 3.0, 30.0])
def test_one_lower_bound_gives_the_moments_of_rasmussen_and_williams(bound: float) -> None:
    # Eq. 3.58 for a prior of mean 0 and variance 2, a bound with noise of variance 0.5, and their density over Φ.
    a = -bound / np.sqrt(2.5)
    hazard = truncnorm(-a, np.inf).mean()  # φ(a) / Φ(a): the mean of a standard normal above -a
    mean, variance = posterior(np.array([[2.0]]), np.array([bound]), np.array([0.5]), np.array([1]))
    assert mean[0] == pytest.approx(2 * hazard / np.sqrt(2.5), rel=1e-7)
    assert variance[0, 0] == pytest.approx(2 - 4 * hazard / 2.5 * (a + hazard), rel=1e-6)


@pytest.mark.parametrize(("bound", "side"), [(0.4, 1), (-2.5, -1), (2.0, 1)])
def test_a_bound_without_noise_gives_the_truncated_normal(bound: float, side: int) -> None:
    low, high = (bound, np.inf) if side > 0 else (-np.inf, bound)
    mean, variance = posterior(np.eye(1), np.array([bound]), np.array([1e-12]), np.array([side]))
    assert mean[0] == pytest.approx(truncnorm(low, high).mean(), rel=1e-6)
    assert variance[0, 0] == pytest.approx(truncnorm(low, high).var(), rel=1e-6)


def test_a_bound_that_is_missed_by_very_far_is_a_measurement_at_the_bound() -> None:
    for bound in (-1e3, 1e3, -1e6, 1e6):
        at, noise = censored_sites(np.eye(1), np.array([bound]), np.array([0.01]), np.array([np.sign(bound)]))
        assert at[0] == pytest.approx(bound, rel=1e-5)  # the property stays |bound| / 1.01 off: a gap of 1.01 / bound²
        assert noise[0] == pytest.approx(0.01, rel=1e-3)
        assert noise[0] >= 0.01


@pytest.mark.parametrize("sign", [(0, 1), (-1, 0), (1, -1), (-1, -1)])
def test_a_bound_beside_a_value_or_an_unrelated_bound_is_exact(sign: tuple[int, int]) -> None:
    related = 0.9 if 0 in sign else 0.0
    case = np.array([[1.0, related], [related, 1.0]]), np.array([0.5, 0.2]), np.array([0.1, 0.05]), np.array(sign)
    mean, variance = by_quadrature(*case)
    found, covariance = posterior(*case)
    assert found == pytest.approx(mean, abs=1e-6)
    assert np.diag(covariance) == pytest.approx(variance, rel=1e-5)


@pytest.mark.parametrize("sign", [(1, -1), (1, 1), (1, 1, -1), (1, 0, 1), (-1, -1, -1)])
def test_bounds_on_related_alloys_come_as_near_as_expectation_propagation_does(sign: tuple[int, ...]) -> None:
    n = len(sign)
    prior, variances = PRIOR[:n, :n] + 0.1 * np.eye(n), np.array([0.1, 0.05, 0.2])[:n]
    case = prior, np.array([0.5, -0.4, 0.3])[:n], variances, np.array(sign)
    mean, variance = by_quadrature(*case)
    found, covariance = posterior(*case)
    assert found == pytest.approx(mean, abs=0.03)
    assert np.sqrt(np.diag(covariance)) == pytest.approx(np.sqrt(variance), rel=0.06)


def test_bounds_that_contradict_each_other_meet_half_way() -> None:
    mean, covariance = posterior(np.ones((2, 2)), np.array([3.0, -3.0]), np.array([0.1, 0.1]), np.array([1, -1]))
    assert mean == pytest.approx([0, 0], abs=1e-9)
    assert (np.diag(covariance) < 0.1).all()


def test_bounds_that_contradict_a_measurement_are_weighed_against_its_noise() -> None:
    # Missed by far, both bounds are measurements at 4: 0 and 4, 4 of one variance have their mean at 8/3.
    prior, z = np.full((3, 3), 1e4), np.array([0.0, 4.0, 4.0])
    assert posterior(prior, z, np.full(3, 1e-4), np.array([0, 1, 1]))[0] == pytest.approx(np.full(3, 8 / 3), rel=1e-3)


@pytest.mark.parametrize(("n", "times"), [(2, 0.89), (5, 0.79), (20, 0.68)])
def test_a_bound_repeated_on_one_alloy_is_taken_for_too_sure_a_word(n: int, times: float) -> None:
    # What the docstring admits, so that nobody is surprised: exact moments by a sum over a line.
    f = np.linspace(-8, 8, 16001)
    density = np.exp(n * log_ndtr((f - 1.5) / np.sqrt(0.05)) - f**2 / 2)
    mean = density @ f / density.sum()
    std = np.sqrt(density @ (f - mean) ** 2 / density.sum())
    found, covariance = posterior(np.ones((n, n)), np.full(n, 1.5), np.full(n, 0.05), np.ones(n, dtype=int))
    assert found[0] == pytest.approx(mean, abs=0.1 * std)
    assert np.sqrt(covariance[0, 0]) == pytest.approx(times * std, rel=0.01)


@settings(max_examples=40)
@given(signs, values, st.permutations(range(6)))
def test_the_order_of_rows_does_not_matter(sign: np.ndarray, z: np.ndarray, order: list[int]) -> None:
    mean, covariance = posterior(PRIOR, z, NOISE, sign)
    again, its = posterior(PRIOR[np.ix_(order, order)], z[order], NOISE[order], sign[order])
    assert again == pytest.approx(mean[order], abs=1e-6)
    assert np.diag(its) == pytest.approx(np.diag(covariance)[order], abs=1e-6)


@settings(max_examples=40)
@given(signs, values)
def test_upper_bounds_are_lower_bounds_of_the_negative(sign: np.ndarray, z: np.ndarray) -> None:
    at, noise = censored_sites(PRIOR, z, NOISE, sign)
    mirrored, its = censored_sites(PRIOR, -z, NOISE, -sign)
    assert mirrored == pytest.approx(-at, rel=1e-9, abs=1e-9)
    assert its == pytest.approx(noise, rel=1e-9)


@settings(max_examples=40)
@given(signs, values, st.floats(40, 1e6))
def test_a_bound_that_is_met_by_far_says_nothing(sign: np.ndarray, z: np.ndarray, far: float) -> None:
    sign[0], z[0] = 1, -far
    with_it, without = posterior(PRIOR, z, NOISE, sign), posterior(PRIOR[1:, 1:], z[1:], NOISE[1:], sign[1:])
    assert with_it[0][1:] == pytest.approx(without[0], abs=1e-6)
    assert np.diag(with_it[1])[1:] == pytest.approx(np.diag(without[1]), abs=1e-6)


@settings(max_examples=40)
@given(
    signs,
    arrays(np.float64, 6, elements=st.floats(-1e6, 1e6)),
    arrays(np.float64, 6, elements=st.floats(1e-4, 10)),
    st.sampled_from([PRIOR, np.ones((6, 6)), np.eye(6), 100 * PRIOR]),
)
def test_what_stands_for_a_bound_is_finite_and_no_surer_than_a_measurement(
    sign: np.ndarray, z: np.ndarray, variances: np.ndarray, prior: np.ndarray
) -> None:
    at, noise = censored_sites(prior, z, variances, sign)
    assert np.isfinite(at).all()
    assert (noise >= variances).all()
    assert (noise <= WIDEST).all()


def test_bounds_move_the_belief_their_way() -> None:
    above, below = (posterior(PRIOR, np.zeros(6), NOISE, np.full(6, side))[0] for side in (1, -1))
    assert (above > 0).all()
    assert (below < 0).all()
