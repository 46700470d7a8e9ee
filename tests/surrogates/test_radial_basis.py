"""Networks of radial basis functions, by hand. What every surrogate promises is tested by the common suite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.base import clone

from alloyloop.surrogates import surrogate
from alloyloop.surrogates.radial_basis import Bells

pytestmark = pytest.mark.torch

# Three clusters about the corners of a triangle of sides 3, 4 and 5.
CORNERS = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]])
ROWS = np.concatenate([corner + 0.1 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]]) for corner in CORNERS])


def in_order(bells: Bells) -> tuple[np.ndarray, np.ndarray]:
    """Middles and widths, the nearest to the origin first."""
    order = np.argsort(np.linalg.norm(bells.centres_, axis=1))
    return bells.centres_[order], bells.widths_[order]


def test_the_middles_are_those_of_clusters() -> None:
    assert in_order(Bells(3).fit(ROWS))[0] == pytest.approx(CORNERS, abs=1e-12)


def test_a_width_is_the_root_mean_square_distance_to_the_two_next_middles() -> None:
    sides = np.array([[3, 4], [3, 5], [4, 5]])
    assert in_order(Bells(3).fit(ROWS))[1] == pytest.approx(np.sqrt((sides**2).mean(axis=1)))


@pytest.mark.parametrize("overlap", [1.0, 2.0])
def test_a_bell_is_one_at_its_middle_and_falls_as_a_normal_density(overlap: float) -> None:
    bells = Bells(3, overlap).fit(ROWS)
    middle, width = bells.centres_[0], overlap * bells.widths_[0]
    near = bells.transform(middle + width * np.array([[0.0, 0.0], [1.0, 0.0], [0.0, -2.0]]))[:, 0]
    assert near == pytest.approx(np.exp([0.0, -0.5, -2.0]))


@settings(max_examples=30)
@given(
    rows=st.integers(1, 8).flatmap(lambda n: arrays(np.float64, (n, 2), elements=st.sampled_from([-1.0, 0.0, 2.0]))),
    n_centres=st.integers(1, 12),
)
def test_no_more_clusters_are_sought_than_rows_differ(rows: np.ndarray, n_centres: int) -> None:
    near = Bells(n_centres).fit(rows).transform(rows)
    assert near.shape == (len(rows), min(n_centres, len(np.unique(rows, axis=0))))
    assert (near > 0).all()
    assert (near <= 1).all()


def test_the_same_rows_give_the_same_bells() -> None:
    rows = np.random.default_rng(0).random((600, 4))  # so many that scikit-learn would share them among threads
    first, second = (Bells(20).fit(rows).transform(rows) for _ in range(2))
    assert np.array_equal(first, second)


def fitted(X: np.ndarray, y: np.ndarray) -> Any:
    model: Any = surrogate("radial-basis-network", n_repeats=1)
    return model.fit(X, y)


RNG = np.random.default_rng(0)
X = RNG.random((80, 2)) * [1, 1000]
Y = 60 + 30 * np.exp(-20 * (X[:, 0] - 0.5) ** 2) + RNG.normal(0, 1, 80)


def test_the_network_is_a_ridge_over_the_bells() -> None:
    model = fitted(X, Y)
    U, z = (X - X.mean(axis=0)) / X.std(axis=0), (Y - Y.mean()) / model.scale_
    bells = Bells(model.tuned_["bells__n_centres"], model.tuned_["bells__overlap"]).fit(U)
    seen = bells.transform(U)
    deviations = seen - seen.mean(axis=0)
    alpha = 0.1 * np.eye(seen.shape[1])
    expected = deviations @ np.linalg.solve(deviations.T @ deviations + alpha, deviations.T @ z)
    assert model.predict(X) == pytest.approx(Y.mean() + model.scale_ * expected)


def test_a_hill_is_learned() -> None:
    new = RNG.random((50, 2)) * [1, 1000]
    truth = 60 + 30 * np.exp(-20 * (new[:, 0] - 0.5) ** 2)
    assert np.sqrt(np.mean((fitted(X, Y).predict(new) - truth) ** 2)) < 0.25 * np.std(truth)


def test_far_from_all_clusters_it_no_longer_matters_where() -> None:
    far = fitted(X, Y).predict(np.array([[1e4, 0.0], [0.0, -1e7]]))
    assert far[0] == pytest.approx(far[1])


def test_bells_are_made_again_from_their_settings() -> None:
    again: Any = clone(Bells(7, 2.0, random_state=3))
    assert (again.n_centres, again.overlap, again.random_state) == (7, 2.0, 3)
    assert len(Bells(3).fit(ROWS).get_feature_names_out()) == 3
