"""Neural networks. What every surrogate promises is tested by the common suite."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from sklearn.exceptions import ConvergenceWarning

from alloyloop.surrogates import surrogate
from alloyloop.surrogates.network import Networks

pytestmark = pytest.mark.torch

RNG = np.random.default_rng(0)
X = RNG.random((60, 3))
WAVE = 60 + 20 * np.sin(6 * X[:, 0]) * X[:, 1]  # in GPa
CHANCE = RNG.normal(0, 1, 60)


def fitted(X: np.ndarray, y: np.ndarray) -> Any:
    model: Any = surrogate("neural-network", n_repeats=1)
    return model.fit(X, y)


@pytest.fixture(scope="module")
def of_the_wave() -> Any:
    return fitted(X, WAVE)


def test_networks_learn_what_two_features_do_together(of_the_wave: Any) -> None:
    new = np.random.default_rng(1).random((200, 3))
    truth = 60 + 20 * np.sin(6 * new[:, 0]) * new[:, 1]
    assert np.mean((of_the_wave.predict(new) - truth) ** 2) < 0.1 * np.var(truth)


def test_weights_are_held_the_smaller_the_less_there_is_to_learn(of_the_wave: Any) -> None:
    nothing = fitted(X, CHANCE)
    assert nothing.tuned_["networks__alpha"] > of_the_wave.tuned_["networks__alpha"]
    assert np.std(nothing.predict(X)) < 0.3 * np.std(CHANCE)


def test_beyond_the_rows_the_edge_is_repeated_and_less_is_known(of_the_wave: Any) -> None:
    inside = np.array([[X[:, 0].max(), 0.5, X[:, 2].min()]])
    beyond = inside + np.array([3.0, 0.0, -40.0])
    assert of_the_wave.predict(beyond) == pytest.approx(of_the_wave.predict(inside))
    assert of_the_wave.believe(beyond).std[0] > of_the_wave.believe(inside).std[0]


def test_a_feature_that_never_varied_changes_no_prediction_wherever_it_is_asked() -> None:
    model = fitted(np.column_stack([X, np.full(60, 37.0)]), WAVE)
    at_body, cold = (model.predict(np.column_stack([X, np.full(60, celsius)])) for celsius in (37.0, -196.0))
    assert np.array_equal(at_body, cold)


def test_an_ensemble_says_the_mean_of_networks_that_started_apart() -> None:
    networks = Networks(n_networks=3, random_state=0).fit(X, CHANCE)
    said = np.array([network.predict(X) for network in networks.networks_])
    assert len({tuple(one) for one in said}) == 3
    assert networks.predict(X) == pytest.approx(said.sum(axis=0) / 3)


def test_the_starts_are_those_of_the_seed() -> None:
    first, again, other = (Networks(random_state=seed).fit(X, CHANCE).predict(X) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


def test_a_row_of_weight_two_counts_as_two_rows() -> None:
    """To what L-BFGS leaves open where it is given enough steps."""
    twice = np.r_[np.arange(60), np.arange(20)]
    networks = Networks(alpha=10.0, n_steps=2000, random_state=0)
    repeated = networks.fit(X[twice], CHANCE[twice]).predict(X)
    weighted = networks.fit(X, CHANCE, sample_weight=np.bincount(twice)).predict(X)
    assert weighted == pytest.approx(repeated, abs=1e-2)


def test_to_stop_training_early_is_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        networks = Networks(n_steps=3).fit(X, CHANCE)
    assert {network.n_iter_ for network in networks.networks_} == {3}


def test_an_optimiser_that_fails_for_another_reason_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    minimize = scipy.optimize.minimize

    def failing(*args: Any, **kwargs: Any) -> Any:
        found: Any = minimize(*args, **kwargs)
        found.status, found.message = 2, "ABNORMAL: "  # SciPy's of a line search that finds no lower point
        return found

    monkeypatch.setattr(scipy.optimize, "minimize", failing)
    with pytest.warns(ConvergenceWarning, match="ABNORMAL"):
        Networks(n_networks=1).fit(X, CHANCE)
