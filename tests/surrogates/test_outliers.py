from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import multivariate_normal, norm
from sklearn import gaussian_process as theirs

from alloyloop.surrogates.outliers import MOST, extra_variances, leave_one_out

Regressor: Any = theirs.GaussianProcessRegressor  # published without types

NOISE = 0.01


def table(places: np.ndarray) -> np.ndarray:
    """Prior covariance of measurements of a smooth property, their noise of standard deviation 0.1 included."""
    return np.asarray(np.exp(-((places[:, None] - places) ** 2) / 2) + NOISE * np.eye(len(places)))


def draw(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Covariance and values of n measurements that hold no outlier."""
    rng = np.random.default_rng(seed)
    covariance = table(rng.uniform(0, 4, n))
    return covariance, rng.multivariate_normal(np.zeros(n), covariance, method="cholesky")


def refits(covariance: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Leave-one-out means and variances by conditioning on the others, row by row."""
    means, variances = np.empty((2, len(z)))
    for i in range(len(z)):
        others = np.arange(len(z)) != i
        gain = np.linalg.solve(covariance[np.ix_(others, others)], covariance[others, i])
        means[i], variances[i] = gain @ z[others], covariance[i, i] - gain @ covariance[others, i]
    return means, variances


@given(st.integers(1, 20), st.integers(0, 10**6))
def test_leaving_one_out_is_learning_again_without_it(n: int, seed: int) -> None:
    covariance, z = draw(n, seed)
    inverse = np.linalg.inv(covariance)
    mean, variance = leave_one_out(inverse, inverse @ z, z)
    means, variances = refits(covariance, z)
    assert mean == pytest.approx(means, abs=1e-8)
    assert variance == pytest.approx(variances, rel=1e-8)


def test_leaving_one_out_is_what_scikit_learn_predicts_without_it() -> None:
    places = np.linspace(0, 3, 8)[:, None]
    z = np.sin(places[:, 0])
    inverse = np.linalg.inv(table(places[:, 0]))
    mean, variance = leave_one_out(inverse, inverse @ z, z)
    model = Regressor(theirs.kernels.RBF(1.0), alpha=NOISE, optimizer=None).fit(places[1:], z[1:])
    expected, std = model.predict(places[:1], return_std=True)
    assert mean[0] == pytest.approx(expected[0])
    assert variance[0] == pytest.approx(std[0] ** 2 + NOISE)  # theirs is of the property, ours of a measurement


@pytest.mark.parametrize("wrong", [0, 7, 14])
@pytest.mark.parametrize("size", [-20.0, -1.5, 1.5, 1e6])
def test_a_misprint_is_found_and_no_other_row_blamed(wrong: int, size: float) -> None:
    places = np.linspace(0, 4, 15)
    z = np.sin(places)
    z[wrong] += size
    assert np.flatnonzero(extra_variances(table(places), z)).tolist() == [wrong]


def test_the_extra_variance_makes_the_measurement_as_likely_as_it_can_be() -> None:
    places = np.linspace(0, 4, 15)
    covariance, z = table(places), np.sin(places) + 0.1 * np.cos(7 * np.arange(15))
    z[4] += 2

    def loss(extra: float) -> float:  # of all measurements together, by SciPy, over the variance of one
        return -float(multivariate_normal(np.zeros(15), covariance + np.diag(extra * (np.arange(15) == 4))).logpdf(z))

    best = minimize_scalar(loss, bounds=(0, 20), method="bounded", options={"xatol": 1e-9})
    assert extra_variances(covariance, z)[4] == pytest.approx(best.x, rel=1e-5)


def test_several_misprints_are_found_one_after_the_other() -> None:
    places = np.linspace(0, 4, 30)
    z = np.sin(places)
    wrong = [3, 4, 11, 20, 28]
    z[wrong] += [1.5, 3, -2, 5, 2]  # 3 and 4 are neighbours, and each excuses the other
    assert np.flatnonzero(extra_variances(table(places), z)).tolist() == wrong


def test_measurements_without_outliers_are_seldom_blamed() -> None:
    # At a level of 1 % of tables, of 200 about 2; a learned scatter is not at play here.
    blamed = [extra_variances(*draw(30, seed)).any() for seed in range(200)]
    assert sum(blamed) <= 6  # Poisson of mean 2: more than 6 once in 200


def test_a_level_is_shared_among_the_rows() -> None:
    # Nothing is related, so that a row's surprise is its value. 3.2 is beyond the quantile of 5 rows, not that of 50.
    for n, found in ((5, True), (50, False)):
        z = norm.ppf((np.arange(n) + 0.5) / n)  # as a normal table lies
        z[-1] = 3.2
        assert norm.isf(0.005 / 5) < 3.2 < norm.isf(0.005 / 50)
        assert extra_variances(np.eye(n), z).any() == found


def test_a_bolder_level_names_more_rows() -> None:
    z = norm.ppf((np.arange(50) + 0.5) / 50)
    z[-1] = 3.2
    assert extra_variances(np.eye(50), z, level=0.2)[-1] > 0


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_of_fewer_than_five_rows_none_is_blamed(n: int) -> None:
    z = np.zeros(n)
    z[0] = 100
    assert not extra_variances(table(np.arange(n, dtype=float)), z).any()


@given(st.integers(1, 30), st.integers(0, 10**6), st.floats(0.1, 100))
def test_at_most_a_fifth_of_the_rows_is_blamed(n: int, seed: int, size: float) -> None:
    covariance, z = draw(n, seed)
    z[: n // 2] += size * (-1) ** np.arange(n // 2)
    extra = extra_variances(covariance, z)
    assert np.isfinite(extra).all()
    assert (extra >= 0).all()
    assert np.count_nonzero(extra) <= n // MOST


def test_two_repeats_that_disagree_are_both_left_when_nothing_says_which_is_wrong() -> None:
    places = np.append(np.zeros(2), 100 + np.linspace(0, 4, 20))  # the two lie far from all that is known
    z = np.append([1.5, -1.5], np.sin(np.linspace(0, 4, 20)))
    assert not extra_variances(table(places), z).any()


def test_of_two_repeats_that_disagree_the_one_further_from_the_rest_is_blamed() -> None:
    places = np.append(np.full(2, 2.0), np.linspace(0, 4, 20))
    z = np.append([np.sin(2.0), np.sin(2.0) + 3], np.sin(np.linspace(0, 4, 20)))
    assert np.flatnonzero(extra_variances(table(places), z)).tolist() == [1]
    order = [1, 0, *range(2, 22)]
    assert np.flatnonzero(extra_variances(table(places[order]), z[order])).tolist() == [0]


def test_one_of_three_repeats_is_outvoted() -> None:
    places = np.append(np.zeros(3), 100 + np.linspace(0, 4, 20))
    z = np.append([1.5, 1.55, -1.5], np.sin(np.linspace(0, 4, 20)))
    assert np.flatnonzero(extra_variances(table(places), z)).tolist() == [2]


def test_disputed_repeats_do_not_hide_a_misprint_elsewhere() -> None:
    places = np.append(np.zeros(2), 100 + np.linspace(0, 4, 20))
    z = np.append([1.5, -1.5], np.sin(np.linspace(0, 4, 20)))
    z[10] += 1  # less surprising than either of the two
    assert np.flatnonzero(extra_variances(table(places), z)).tolist() == [10]


def test_a_scatter_that_was_learned_too_wide_does_not_hide_a_misprint() -> None:
    places = np.linspace(0, 4, 30)
    z = np.sin(places) + 0.1 * np.random.default_rng(0).normal(size=30)
    z[9] += 1.2
    too_wide = table(places) + 0.15 * np.eye(30)  # a standard deviation of 0.4 in place of 0.1
    assert not extra_variances(too_wide, z).any()  # as the model sees it, nothing is amiss
    assert np.flatnonzero(extra_variances(too_wide, z, np.full(30, 0.16))).tolist() == [9]


def test_rows_that_agree_well_make_no_outlier_of_an_alloy_unlike_them() -> None:
    places = np.append(np.linspace(0, 4, 30), 100)
    z = np.append(np.sin(places[:30]), 2.5)  # 2.5 of its prior standard deviations, 25 of the noise's
    assert not extra_variances(table(places), z, np.full(31, NOISE)).any()


def test_two_misprints_far_apart_and_as_bad_are_not_taken_for_a_dispute() -> None:
    places, scatter = np.linspace(-4, 4, 60), np.random.default_rng(0).normal(size=60)
    z = np.cos(places) + 0.07 * (scatter + scatter[::-1])  # the same from either end, so that the two are exactly even
    z[[9, 50]] += 1.3
    too_wide = table(places) + 0.15 * np.eye(60)
    assert np.flatnonzero(extra_variances(too_wide, z, np.full(60, 0.16))).tolist() == [9, 50]


def test_values_that_were_copied_do_not_make_an_outlier_of_one_that_was_not() -> None:
    z = np.zeros(30)
    z[9] = 0.3  # less than a third of the stated noise
    assert not extra_variances(np.eye(30), z, np.ones(30)).any()


def test_a_scatter_that_is_too_small_for_most_rows_excuses_none() -> None:
    z = np.where(np.arange(30) % 2, 2.0, -2.0)
    z[9] = 4.0
    assert np.flatnonzero(extra_variances(np.eye(30), z, np.ones(30))).tolist() == [9]


def test_measurements_without_outliers_are_seldom_blamed_by_a_noise_that_is_right() -> None:
    blamed = [extra_variances(*draw(30, seed), np.full(30, NOISE)).any() for seed in range(200)]
    assert sum(blamed) <= 6


@given(st.integers(5, 25), st.integers(0, 10**6))
def test_neither_the_order_of_rows_nor_the_sign_of_the_property_matters(n: int, seed: int) -> None:
    covariance, z = draw(n, seed)
    z[:2] += [2.0, -5.0]
    order = np.random.default_rng(seed).permutation(n)
    extra = extra_variances(covariance, z)
    assert extra_variances(covariance[np.ix_(order, order)], -z[order]) == pytest.approx(extra[order], rel=1e-6)
