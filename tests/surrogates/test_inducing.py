from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.gaussian_process import kernels

from alloyloop.surrogates import inducing as module
from alloyloop.surrogates.blanks import Scenarios, average
from alloyloop.surrogates.hyperparameters import Hyperparameters, Training
from alloyloop.surrogates.inducing import Inducing, lower_root

Matern: Any = kernels.Matern  # published without types

N = 60
RNG = np.random.default_rng(0)
U = RNG.uniform(-0.5, 0.5, (N, 2))
Z = np.sin(4 * U[:, 0]) + U[:, 1] + 0.2 * RNG.normal(size=N)
ASKED = RNG.uniform(-0.5, 0.5, (7, 2))
HERE = np.where(np.arange(N) < 6, 1.0, 0.0)


def found(lengthscale: float = 0.8, offset: float = 0.0, correlation: float = 1.0) -> Hyperparameters:
    """Hyperparameters as if learned."""
    between = np.array([[1.0, correlation], [correlation, 1.0]])
    return Hyperparameters(np.full(2, lengthscale), 1.3, 0.7, np.array([0.05, 0.02]), offset, between)


def rows(*, sources: bool = False, tasks: bool = False) -> Training:
    """Sixty values, of ten sources or of two properties where asked for."""
    order = np.arange(N)
    source, task = order // 6 if sources else order, order % 2 if tasks else np.zeros(N, dtype=int)
    return Training(U, None, Z, np.full(N, 0.01), source, task)


def kernel(at: Hyperparameters, A: np.ndarray, B: np.ndarray) -> np.ndarray:
    return np.asarray(at.amplitude * Matern(at.lengthscales, nu=2.5)(A, B) + at.slope * A @ B.T)


def believed(at: Hyperparameters, training: Training, sparse: Inducing) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, variance, and covariance with the offset that is meant, of the first property at what is asked."""
    k = kernel(at, ASKED, training.U[sparse.rows]) * at.correlation[0, training.owner_task[sparse.rows]]
    variance = np.diag(kernel(at, ASKED, ASKED)) - np.sum((k @ sparse.root.T) ** 2, axis=1)
    return k @ sparse.weights, variance, -k @ sparse.here


def check_exact(at: Hyperparameters, training: Training, sparse: Inducing, rel: float) -> None:
    """As the textbook has it of all rows, Rasmussen and Williams eq. 2.25, 2.26 and 2.30."""
    task, owner = training.task, training.owner_task
    among = kernel(at, training.U, training.U) * at.correlation[np.ix_(owner, owner)]
    cross = kernel(at, ASKED, training.U) * at.correlation[0, owner]
    if training.scenarios is not None:
        among, cross = average(among, training.scenarios.mixing), cross @ training.scenarios.mixing.T
    same = np.equal.outer(training.source, training.source) & np.equal.outer(task, task)
    among = among + at.offset * same + np.diag(training.variances + at.scatter[task])
    offsets = at.offset * HERE
    mean, variance, with_here = believed(at, training, sparse)
    assert mean == pytest.approx(cross @ np.linalg.solve(among, training.z), abs=rel)
    explained = np.diag(cross @ np.linalg.solve(among, cross.T))
    assert variance == pytest.approx(np.diag(kernel(at, ASKED, ASKED)) - explained, abs=rel)
    assert with_here == pytest.approx(-cross @ np.linalg.solve(among, offsets), abs=rel)
    assert sparse.here_mean == pytest.approx(offsets @ np.linalg.solve(among, training.z), abs=rel)
    assert sparse.here_explained == pytest.approx(offsets @ np.linalg.solve(among, offsets), abs=rel)
    likelihood = -(sparse.fit + sparse.log_determinant + N * np.log(2 * np.pi)) / 2
    assert likelihood == pytest.approx(multivariate_normal.logpdf(training.z, cov=among), abs=N * rel)


@pytest.mark.parametrize("sources", [False, True])
@pytest.mark.parametrize("tasks", [False, True])
def test_resting_on_all_rows_it_is_the_exact_process(
    sources: bool, tasks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEAST_LEFT", 0.0)
    at = found(offset=0.3 * sources, correlation=0.6 if tasks else 1.0)
    training = rows(sources=sources, tasks=tasks)
    sparse = Inducing.of(training, at, HERE)
    assert sparse.rows.tolist() == list(range(N))
    check_exact(at, training, sparse, rel=1e-5)


def test_a_smooth_property_rests_on_few_rows() -> None:
    at = found(lengthscale=30.0, offset=0.3)
    sparse = Inducing.of(rows(sources=True), at, HERE)
    assert len(sparse.rows) < N / 2
    check_exact(at, rows(sources=True), sparse, rel=1e-3)


def test_more_inducing_points_are_nearer_to_the_exact_process(monkeypatch: pytest.MonkeyPatch) -> None:
    at, training = found(), rows()
    among = kernel(at, U, U) + np.diag(training.variances + at.scatter[0])
    exact = kernel(at, ASKED, U) @ np.linalg.solve(among, Z)
    off = []
    for most in (5, 15, 45):
        monkeypatch.setattr(module, "MOST_INDUCING", most)
        sparse = Inducing.of(training, at, HERE)
        assert len(sparse.rows) == most
        off.append(np.abs(believed(at, training, sparse)[0] - exact).max())
    assert off[0] > 3 * off[1] > 9 * off[2]


def test_rows_that_may_be_one_of_several_are_averaged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exact but for what the levels of a row differ by, which inducing points leave out of its own variance."""
    monkeypatch.setattr(module, "LEAST_LEFT", 0.0)
    near = 1e-3
    doubled = np.repeat(U, 2, axis=0) + near * np.tile([[1.0, 0.0], [-1.0, 0.0]], (N, 1))
    may_be = Scenarios(doubled, np.repeat(np.arange(N), 2), np.full(2 * N, 0.5))
    training = Training(doubled, may_be, Z, np.full(N, 0.01), np.arange(N), np.zeros(N, dtype=int))
    at = found()
    check_exact(at, training, Inducing.of(training, at, HERE), rel=1e-4)


@pytest.mark.parametrize("m", [2, 5, 9])
def test_the_lower_root_has_the_same_square(m: int) -> None:
    root = np.random.default_rng(0).normal(size=(m, 5))
    lower = lower_root(root)
    assert np.array_equal(lower, np.tril(lower))
    assert lower.T @ lower == pytest.approx(root.T @ root)
