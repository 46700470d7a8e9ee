"""What BoTorch asks of a model, by a Bayesian linear regression, of which everything is known in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from botorch.acquisition.objective import ScalarizedPosteriorTransform
from botorch.sampling.normal import SobolQMCNormalSampler
from torch import Tensor

from alloyloop.surrogates import GaussianProcess
from alloyloop.surrogates.joint import NormalModel

pytestmark = pytest.mark.torch

SLOPES = np.array([[1.0, 0.3], [0.3, 0.5]])  # prior covariance of the two slopes
NOISE = 0.2
RNG = np.random.default_rng(0)
SEEN, ASKED = RNG.normal(size=(5, 2)), RNG.normal(size=(4, 2))
VALUES = SEEN @ [1.0, -2.0] + 0.4 * RNG.normal(size=5)


class Line(NormalModel):
    """Two slopes, of which the first is expected to be 1."""

    @property
    def _noise_variance(self) -> float:
        return NOISE

    def _mean_at(self, X: Tensor) -> Tensor:
        return X[..., 0]

    def _covariance_of(self, A: Tensor, B: Tensor) -> Tensor:
        return A @ torch.from_numpy(SLOPES) @ B.mT


def regression(X: np.ndarray, y: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance at ASKED by the slopes' posterior, Rasmussen and Williams eq. 2.8 with a mean."""
    precision = np.linalg.inv(SLOPES) + X.T @ (X / noise[:, None])
    slopes = np.array([1.0, 0.0]) + np.linalg.solve(precision, X.T @ ((y - X[:, 0]) / noise))
    return ASKED @ slopes, ASKED @ np.linalg.inv(precision) @ ASKED.T


def believed(model: NormalModel) -> tuple[np.ndarray, np.ndarray]:
    joint = model.posterior(torch.from_numpy(ASKED)).distribution
    return joint.mean.detach().numpy(), joint.covariance_matrix.detach().numpy()


def test_new_observations_are_taken_in_as_by_a_textbook() -> None:
    seen = Line().condition_on_observations(torch.from_numpy(SEEN), torch.from_numpy(VALUES[:, None]))
    assert isinstance(seen, NormalModel)
    mean, covariance = regression(SEEN, VALUES, np.full(5, NOISE))
    assert believed(seen)[0] == pytest.approx(mean)
    assert believed(seen)[1] == pytest.approx(covariance, abs=1e-8)


def test_an_observation_counts_by_its_own_noise() -> None:
    noise = np.linspace(0.01, 2, 5)
    seen = Line().condition_on_observations(
        torch.from_numpy(SEEN), torch.from_numpy(VALUES[:, None]), noise=torch.from_numpy(noise[:, None])
    )
    assert isinstance(seen, NormalModel)
    mean, covariance = regression(SEEN, VALUES, noise)
    assert believed(seen)[0] == pytest.approx(mean)
    assert believed(seen)[1] == pytest.approx(covariance, abs=1e-8)


def test_observations_one_after_the_other_teach_what_all_at_once_do() -> None:
    X, Y = torch.from_numpy(SEEN), torch.from_numpy(VALUES[:, None])
    first = Line().condition_on_observations(X[:2], Y[:2])
    both = first.condition_on_observations(X[2:], Y[2:])
    assert isinstance(both, NormalModel)
    mean, covariance = regression(SEEN, VALUES, np.full(5, NOISE))
    assert believed(both)[0] == pytest.approx(mean)
    assert believed(both)[1] == pytest.approx(covariance, abs=1e-8)


def test_a_batch_of_observations_makes_a_batch_of_models() -> None:
    X, Y = torch.from_numpy(SEEN), torch.from_numpy(np.stack([VALUES, -VALUES])[..., None])
    seen = Line().condition_on_observations(X, Y)
    assert seen.batch_shape == torch.Size([2])
    posterior: Any = seen.posterior(torch.from_numpy(ASKED))
    for mean, y in zip(posterior.mean.squeeze(-1), (VALUES, -VALUES), strict=True):
        assert mean.numpy() == pytest.approx(regression(SEEN, y, np.full(5, NOISE))[0])


def test_fantasies_come_one_for_each_draw_and_average_to_what_is_believed() -> None:
    """The law of total expectation: what is drawn from the belief does not move it on average."""
    sampler = SobolQMCNormalSampler(torch.Size([256]), seed=0)
    posterior: Any = Line().fantasize(torch.from_numpy(SEEN), sampler).posterior(torch.from_numpy(ASKED))
    means = posterior.mean
    assert means.shape == (256, 4, 1)
    assert means.mean(dim=0).squeeze(-1).numpy() == pytest.approx(ASKED[:, 0], abs=0.02)
    explained = believed(Line())[1] - regression(SEEN, VALUES, np.full(5, NOISE))[1]
    assert np.cov(means.squeeze(-1).T.numpy()) == pytest.approx(explained, abs=0.05 * np.abs(explained).max())


def test_a_measurement_scatters_about_the_property() -> None:
    at = torch.from_numpy(ASKED)
    known, measured = Line().posterior(at), Line().posterior(at, observation_noise=True)
    stated = Line().posterior(at, observation_noise=torch.full((4, 1), 0.7))
    assert (measured.variance - known.variance).numpy() == pytest.approx(np.full((4, 1), NOISE))
    assert (stated.variance - known.variance).numpy() == pytest.approx(np.full((4, 1), 0.7))


def test_a_posterior_may_be_transformed() -> None:
    twice = ScalarizedPosteriorTransform(torch.tensor([2.0]).double(), offset=1.0)
    posterior = Line().posterior(torch.from_numpy(ASKED), posterior_transform=twice)
    assert posterior.mean.squeeze(-1).numpy() == pytest.approx(1 + 2 * ASKED[:, 0])


def test_rows_asked_twice_can_be_drawn() -> None:
    draws = Line().posterior(torch.from_numpy(np.repeat(ASKED, 3, axis=0))).rsample(torch.Size([2]))
    assert draws[:, 0].numpy() == pytest.approx(draws[:, 1].numpy(), abs=1e-3)


def test_a_gaussian_process_has_seen_new_observations_and_is_itself_unchanged() -> None:
    """As by refitting: the covariance of new rows is conditioned on them, hyperparameters kept."""
    gp = GaussianProcess().fit(SEEN, VALUES)
    before = gp.predict(ASKED)
    seen = gp.condition_on_observations(torch.from_numpy(ASKED[:2]), torch.tensor([[1.0], [3.0]]).double())
    covariance = gp.covariance(ASKED, ASKED)
    gain = covariance[:, :2] @ np.linalg.inv(covariance[:2, :2] + gp.noise_**2 * np.eye(2))
    posterior: Any = seen.posterior(torch.from_numpy(ASKED))
    assert posterior.mean.squeeze(-1).detach().numpy() == pytest.approx(before + gain @ ([1, 3] - before[:2]))
    expected = np.diag(covariance - gain @ covariance[:2])
    assert posterior.variance.squeeze(-1).detach().numpy() == pytest.approx(expected, rel=1e-6)
    assert np.array_equal(gp.predict(ASKED), before)
