"""A surrogate made less sure. That it keeps what every surrogate promises is tested by the common suite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from alloyloop.surrogates import Forest, GaussianProcess
from alloyloop.surrogates.scales import LOG
from alloyloop.surrogates.warped import Warped
from alloyloop.surrogates.widened import Widened

pytestmark = pytest.mark.torch

RNG = np.random.default_rng(0)
X, NEW = RNG.random((30, 3)), RNG.random((8, 3))
Y = 60 + 30 * np.sin(3 * X[:, 0]) + RNG.normal(0, 2, 30)


@pytest.mark.parametrize("factor", [0.5, 1.0, 3.0])
def test_means_stay_and_every_standard_deviation_is_multiplied(factor: float) -> None:
    plain, wide = GaussianProcess().fit(X, Y), Widened(GaussianProcess(), factor).fit(X, Y)
    was, is_now = plain.believe(NEW), wide.believe(NEW)
    assert is_now.mean == pytest.approx(was.mean)
    assert is_now.std == pytest.approx(factor * was.std)
    assert is_now.noise == pytest.approx(factor * was.noise)
    assert wide.noise_ == pytest.approx(factor * plain.noise_)
    assert wide.covariance(NEW, NEW) == pytest.approx(factor**2 * plain.covariance(NEW, NEW))
    assert wide.leave_one_out().measured_std == pytest.approx(factor * plain.leave_one_out().measured_std)


def test_an_interval_on_a_scale_is_widened_there() -> None:
    plain, wide = Warped(GaussianProcess(), LOG).fit(X, Y), Widened(Warped(GaussianProcess(), LOG), 2.0).fit(X, Y)
    (low, high), (lowest, highest) = plain.believe(NEW).interval(), wide.believe(NEW).interval()
    assert highest / lowest == pytest.approx((high / low) ** 2)


def test_a_stated_noise_of_an_observation_is_taken_as_it_is() -> None:
    """Of the widened belief: the covariance conditioned by hand."""
    wide = Widened(GaussianProcess(), 2.0).fit(X, Y)
    at, noise = torch.from_numpy(NEW[:1]), torch.tensor([[9.0]]).double()
    seen = wide.condition_on_observations(at, torch.tensor([[80.0]]).double(), noise=noise)
    covariance = wide.covariance(NEW, NEW)
    gain = covariance[:, 0] / (covariance[0, 0] + 9.0)
    posterior: Any = seen.posterior(torch.from_numpy(NEW))
    expected = wide.predict(NEW) + gain * (80 - wide.predict(NEW[:1]))
    assert posterior.mean.squeeze(-1).detach().numpy() == pytest.approx(expected)
    assert posterior.variance.squeeze(-1).detach().numpy() == pytest.approx(
        np.diag(covariance) - gain * covariance[0], rel=1e-6
    )
    ask: Any = wide.posterior
    variances = [ask(at, observation_noise=given).variance.item() for given in (False, noise)]
    assert variances[1] - variances[0] == pytest.approx(9.0)


def test_what_was_learned_of_features_and_rows_is_passed_on() -> None:
    wrong = Y.copy()
    wrong[4] += 80
    wide: Any = Widened(GaussianProcess(), 2.0).fit(X, wrong)
    assert wide.outliers_.tolist() == [4]
    assert wide.relevances_.argmax() == 0


def test_only_what_can_leave_rows_out_offers_it() -> None:
    assert hasattr(Widened(GaussianProcess()).fit(X, Y), "leave_one_out")
    assert not hasattr(Widened(Forest(n_trees=5)).fit(X, Y), "leave_one_out")
    assert not hasattr(Widened(GaussianProcess()), "leave_one_out")
