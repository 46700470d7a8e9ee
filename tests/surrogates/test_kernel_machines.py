"""Kernel machines, against their kernels written out. What every surrogate promises is tested by the common suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.svm import SVR

from alloyloop.surrogates import surrogate
from alloyloop.surrogates.kernel_machines import InWidths, laplacian

pytestmark = pytest.mark.torch

RNG = np.random.default_rng(0)
X = RNG.random((50, 3)) * [1, 100, 10_000]
Y = 60 + 30 * np.sin(4 * X[:, 0]) - 0.2 * X[:, 1] + RNG.normal(0, 2, 50)
NEW = RNG.random((9, 3)) * [1, 100, 10_000]

Kernel = Callable[[np.ndarray, np.ndarray, Any], np.ndarray]

# Of rows in units of the features' spread, and of the settings that were taken.
KERNELS: dict[str, Kernel] = {
    "support-vector": lambda A, B, of: np.exp(-cdist(A, B, "sqeuclidean") / 3 / of["inwidths__width"] ** 2),
    "support-vector-laplacian": lambda A, B, of: np.exp(-cdist(A, B, "cityblock") / 3 / of["inwidths__width"]),
    "support-vector-polynomial": lambda A, B, of: (1 + A @ B.T / 3) ** of["svr__degree"],
    "support-vector-linear": lambda A, B, of: A @ B.T,
}
WIDE = ["kernel-ridge", "support-vector", "support-vector-laplacian"]


def fitted(name: str, X: np.ndarray = X, y: np.ndarray = Y) -> Any:
    model: Any = surrogate(name, n_repeats=1)
    return model.fit(X, y)


def standardised(rows: np.ndarray) -> np.ndarray:
    return np.asarray((rows - X.mean(axis=0)) / X.std(axis=0))


@pytest.mark.parametrize("name", KERNELS)
def test_support_vectors_see_the_kernel_of_their_name(name: str) -> None:
    model, kernel = fitted(name), KERNELS[name]
    z, U = (Y - Y.mean()) / model.scale_, standardised(X)
    oracle = SVR(kernel="precomputed", C=model.tuned_["svr__C"]).fit(kernel(U, U, model.tuned_), z)
    expected = oracle.predict(kernel(standardised(NEW), U, model.tuned_))
    assert model.predict(NEW) == pytest.approx(Y.mean() + model.scale_ * expected, abs=0.01 * model.scale_)


def test_kernel_ridge_is_the_mean_of_a_gaussian_process_of_known_noise() -> None:
    """Its closed form, k (K + alpha I)^-1 z."""
    model = fitted("kernel-ridge")
    z, U, squares = (Y - Y.mean()) / model.scale_, standardised(X), 3 * model.tuned_["inwidths__width"] ** 2
    K, k = (np.exp(-cdist(A, U, "sqeuclidean") / squares) for A in (U, standardised(NEW)))
    expected = k @ np.linalg.solve(K + model.tuned_["kernelridge__alpha"] * np.eye(50), z)
    assert model.predict(NEW) == pytest.approx(Y.mean() + model.scale_ * expected)


def test_a_width_of_one_is_the_one_that_scikit_learn_takes_by_itself() -> None:
    U, z = standardised(X), (Y - Y.mean()) / Y.std()
    in_widths, theirs, one = InWidths().fit_transform(U), SVR(gamma="scale").fit(U, z), {"gamma": 1.0}
    assert SVR().set_params(**one).fit(in_widths, z).predict(in_widths) == pytest.approx(theirs.predict(U))


def test_the_laplacian_kernel_falls_by_e_in_one_width() -> None:
    rows = InWidths(width=2.0, norm=1).fit(standardised(X)).transform(np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]))
    assert laplacian(rows[:1], rows[1:]) == pytest.approx(np.exp(-6 / 3 / 2))


@pytest.mark.parametrize("norm", [1, 2])
def test_a_feature_that_never_varied_does_not_count_in_the_width(norm: int) -> None:
    U = standardised(X)
    still = InWidths(norm=norm).fit(np.column_stack([U, np.full(50, 1e-16)]))
    assert still.n_varying_ == 3
    assert InWidths(norm=norm).fit(np.zeros((4, 2))).transform(np.zeros((4, 2))) == pytest.approx(0.0)


@pytest.mark.parametrize("name", [*WIDE, "support-vector-polynomial"])
def test_features_told_twice_make_no_difference(name: str) -> None:
    """A width means the same however many features there are."""
    twice = fitted(name, np.hstack([X, X])).predict(np.hstack([NEW, NEW]))
    assert twice == pytest.approx(fitted(name).predict(NEW), abs=0.01 * float(np.std(Y)))


@pytest.mark.parametrize("name", WIDE)
def test_far_from_all_rows_it_no_longer_matters_where(name: str) -> None:
    far = fitted(name).predict(X.mean(axis=0) + 1e3 * X.std(axis=0) * np.array([[1, 0, 0], [0, -1, 1]]))
    assert far[0] == pytest.approx(far[1])
    if name == "kernel-ridge":
        assert far[0] == pytest.approx(Y.mean())


def test_a_gross_error_pulls_less_at_support_vectors_than_at_least_squares() -> None:
    wrong = Y.copy()
    wrong[np.argmax(X[:, 0])] += 1000
    pulls = [
        np.abs(fitted(name, y=wrong).predict(NEW) - fitted(name).predict(NEW)).max()
        for name in ("support-vector-linear", "linear")
    ]
    assert pulls[0] < 0.2 * pulls[1]


@pytest.mark.parametrize("name", ["kernel-ridge", "support-vector", "support-vector-polynomial"])
def test_a_bent_property_is_learned_where_a_line_is_not_enough(name: str) -> None:
    bent = 100 * (X[:, 0] - 0.5) ** 2 + RNG.normal(0, 0.5, 50)
    truth = 100 * (NEW[:, 0] - 0.5) ** 2
    errors = [np.sqrt(np.mean((fitted(one, y=bent).predict(NEW) - truth) ** 2)) for one in (name, "linear")]
    assert errors[0] < 0.5 * errors[1]
