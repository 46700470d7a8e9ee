from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.optimize import approx_fprime, minimize
from scipy.stats import halfcauchy, multivariate_normal, norm
from sklearn.gaussian_process import kernels

from alloyloop.surrogates.blanks import average, scenarios
from alloyloop.surrogates.hyperparameters import (
    AMPLITUDE,
    LEANING,
    LENGTHSCALE,
    LENGTHSCALES_TOGETHER,
    MANY,
    OFFSET,
    SPARSE_TREND,
    SPARSITY,
    TREND,
    Posterior,
    Training,
    matern,
)
from alloyloop.surrogates.measurements import SCATTER_PRIOR

Matern: Any = kernels.Matern  # published without types

N, D = 24, 3


def training(n: int = N, *, n_tasks: int = 1, sources: bool = False, blanks: bool = False, seed: int = 0) -> Training:
    """Rows of all the kinds that there are."""
    rng = np.random.default_rng(seed)
    U = rng.uniform(-0.5, 0.5, (n, D))
    task, source = np.arange(n) % n_tasks, np.arange(n) // 4 if sources else np.arange(n)
    z, variances = np.sin(4 * U[:, 0]) + U[:, 1] + 0.2 * rng.normal(size=n), np.where(np.arange(n) % 2, 0.1, 0.0)
    filled = None
    if blanks:
        U[:, 2] = np.round(2 * U[:, 2])
        told = U.copy()
        told[[1, 8, 9], 2] = np.nan
        filled = scenarios(told, [2], told)
        U = filled.rows
    return Training(U, filled, z, variances, source, task)


def posterior(
    *, n_tasks: int = 1, sources: bool = False, blanks: bool = False, sparse: bool = False
) -> tuple[Posterior, np.ndarray]:
    """Of such rows, and a place to ask it at: vectors as likely as not, of each number that is learned."""
    rows = training(n_tasks=n_tasks, sources=sources, blanks=blanks)
    at = Posterior(rows, D, [SCATTER_PRIOR] * n_tasks, sources, sparse)
    n_leanings = n_tasks * (n_tasks - 1) // 2
    theta = np.concatenate(
        [[-0.3, 0.2, 0.7, 0.1, 0.4], np.linspace(-1.5, -1.0, n_tasks), [-1.2] * sources, [0.8, -0.4, 0.3][:n_leanings]]
    )
    return at, theta


def log_density(at: Posterior, theta: np.ndarray, *, sparse: bool) -> float:
    """Likelihood and priors by scikit-learn's kernel and SciPy's densities, one term after another."""
    rows, t = at.training, int(at.training.task.max()) + 1
    vectors = np.eye(t)
    vectors[np.tril_indices(t, -1)] = theta[len(theta) - t * (t - 1) // 2 :]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    task = rows.task if rows.scenarios is None else rows.task[rows.scenarios.owner]
    kernel = np.exp(theta[3]) * Matern(np.exp(theta[:3]), nu=2.5)(rows.U) + np.exp(theta[4]) / D * rows.U @ rows.U.T
    kernel *= (vectors @ vectors.T)[np.ix_(task, task)]
    if rows.scenarios is not None:
        kernel = average(kernel, rows.scenarios.mixing)
    kernel = kernel + np.diag(rows.variances + np.exp(theta[5 : 5 + t])[rows.task])
    numbers = [(theta[3], AMPLITUDE), (theta[4], SPARSE_TREND if sparse else TREND)]
    numbers += [(one, SCATTER_PRIOR) for one in theta[5 : 5 + t]]
    if len(theta) - t * (t - 1) // 2 > 5 + t:
        kernel += np.exp(theta[5 + t]) * np.equal.outer(rows.source, rows.source) * np.equal.outer(rows.task, rows.task)
        numbers.append((theta[5 + t], OFFSET))
    numbers += [(one, LEANING) for one in theta[len(theta) - t * (t - 1) // 2 :]]
    if sparse:  # of 1/l², times 2/l², what it changes by with log l
        inverse = np.exp(-2 * theta[:3])
        lengthscales = np.sum(halfcauchy.logpdf(inverse, scale=SPARSITY) + np.log(2 * inverse))
    else:
        together = LENGTHSCALE[1] ** 2 * np.eye(3) + LENGTHSCALES_TOGETHER**2
        lengthscales = multivariate_normal.logpdf(theta[:3], np.full(3, LENGTHSCALE[0] + np.log(D) / 2), together)
    others = sum(norm.logpdf(one, *prior) for one, prior in numbers)
    return float(multivariate_normal.logpdf(rows.z, cov=kernel) + lengthscales + others)


KINDS = list(product([1, 2, 3], [False, True], [False, True], [False, True]))
every_kind = pytest.mark.parametrize(("n_tasks", "sources", "blanks", "sparse"), KINDS)


@every_kind
def test_the_density_is_that_of_the_priors_and_the_values(
    n_tasks: int, sources: bool, blanks: bool, sparse: bool
) -> None:
    """But for a constant: differences between places are compared."""
    at, theta = posterior(n_tasks=n_tasks, sources=sources, blanks=blanks, sparse=sparse)
    for other in theta + 0.5 * np.random.default_rng(1).normal(size=(5, len(theta))):
        expected = log_density(at, theta, sparse=sparse) - log_density(at, other, sparse=sparse)
        assert at.loss(other)[0] - at.loss(theta)[0] == pytest.approx(expected, rel=1e-8)


@every_kind
def test_the_gradient_is_that_of_finite_differences(n_tasks: int, sources: bool, blanks: bool, sparse: bool) -> None:
    at, theta = posterior(n_tasks=n_tasks, sources=sources, blanks=blanks, sparse=sparse)

    def value(place: np.ndarray) -> float:
        return at.loss(place)[0]

    expected = approx_fprime(theta, value, 1e-6)
    assert at.loss(theta)[1] == pytest.approx(expected, rel=1e-4, abs=1e-4)


@every_kind
def test_what_is_read_off_a_vector_makes_the_covariance_of_the_density(
    n_tasks: int, sources: bool, blanks: bool, sparse: bool
) -> None:
    """The likelihood by SciPy from `covariance` and `noise`, so that predictions rest on what was found likely."""
    at, theta = posterior(n_tasks=n_tasks, sources=sources, blanks=blanks, sparse=sparse)
    other = theta.copy()
    other[4 : 5 + n_tasks] -= 0.5  # slopes and scatter: the priors' part is known

    def likelihood(place: np.ndarray) -> float:
        found = at.read(place)
        return float(multivariate_normal.logpdf(at.training.z, cov=at.covariance(found) + at.noise(found)))

    def priors(place: np.ndarray) -> float:
        trend = norm.logpdf(place[4], *(SPARSE_TREND if sparse else TREND))
        return float(trend + norm.logpdf(place[5 : 5 + n_tasks], *SCATTER_PRIOR).sum())

    expected = likelihood(theta) + priors(theta) - likelihood(other) - priors(other)
    assert at.loss(other)[0] - at.loss(theta)[0] == pytest.approx(expected, rel=1e-8)


def test_the_kernel_is_scikit_learns_and_its_slope_a_derivative() -> None:
    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
    kernel, slope = matern(A, B)
    assert kernel == pytest.approx(Matern(nu=2.5)(A, B))
    h = 1e-6
    longer = Matern(nu=2.5)(A * (1 + h), B * (1 + h))  # r² grows by 2h r²
    r2 = ((A[:, None] - B) ** 2).sum(axis=-1)
    assert (longer - kernel) / (-h * r2) == pytest.approx(slope, rel=1e-4)
    assert matern(A)[0] == pytest.approx(Matern(nu=2.5)(A))


def test_correlations_are_of_unit_variance_and_possible() -> None:
    at, theta = posterior(n_tasks=3)
    correlation = at.read(theta).correlation
    assert np.diag(correlation) == pytest.approx(np.ones(3))
    assert np.linalg.eigvalsh(correlation).min() > 0


def test_the_mode_is_within_its_bounds_and_nothing_near_is_likelier() -> None:
    at, _ = posterior(sources=True)
    theta = at.mode()
    assert (at.lower <= theta).all()
    assert (theta <= at.upper).all()
    best, gradient = at.loss(theta)
    assert np.abs(gradient).max() < 1e-2
    for other in theta + 0.2 * np.random.default_rng(0).normal(size=(30, len(theta))):
        assert at.loss(other)[0] > best


def test_the_mode_of_many_rows_by_way_of_fewer_is_their_mode() -> None:
    at = Posterior(training(MANY + 50, seed=3), D, [SCATTER_PRIOR])
    theta = at.mode()
    longer = minimize(at.loss, theta, jac=True, method="L-BFGS-B", tol=1e-12)
    assert at.loss(theta)[0] == pytest.approx(longer.fun, abs=0.01)


def test_some_of_the_values_keep_what_their_blank_cells_may_be() -> None:
    whole = training(blanks=True, sources=True)
    some = whole.some(np.array([0, 1, 5, 9]))
    assert some.scenarios is not None
    assert whole.scenarios is not None
    assert np.bincount(some.scenarios.owner).tolist() == [1, np.sum(whole.scenarios.owner == 1), 1,
                                                          np.sum(whole.scenarios.owner == 9)]  # fmt: skip
    assert np.array_equal(some.U[0], whole.U[0])
    assert np.array_equal(some.z, whole.z[[0, 1, 5, 9]])
    assert np.bincount(some.scenarios.owner, some.scenarios.weight) == pytest.approx(np.ones(4))


@pytest.mark.parametrize(
    ("source", "task", "shares"),
    [([0, 1, 2], [0, 0, 0], False), ([0, 1, 0], [0, 0, 0], True), ([0, 1, 0], [0, 0, 1], False)],
    ids=["all apart", "two of one", "two of one, of two properties"],
)
def test_only_values_of_one_property_and_one_source_share_an_offset(
    source: list[int], task: list[int], shares: bool
) -> None:
    rows = Training(np.zeros((3, 1)), None, np.zeros(3), np.zeros(3), np.array(source), np.array(task))
    assert rows.shares_source == shares
    assert (rows.same_source() - np.eye(3)).any() == shares
