"""A surrogate on a scale. That it keeps what every surrogate promises is tested by the common suite."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from botorch.acquisition.objective import ScalarizedPosteriorTransform
from sklearn.utils.estimator_checks import parametrize_with_checks

from alloyloop.surrogates import AlloyloopError, Forest, GaussianProcess
from alloyloop.surrogates.scales import LINEAR, LOG, Logit, Scale
from alloyloop.surrogates.warped import Warped

pytestmark = pytest.mark.torch

RNG = np.random.default_rng(0)
X = RNG.random((40, 3))
RATE = np.exp(2 * X[:, 0] - X[:, 1] + RNG.normal(0, 0.2, 40))  # corrosion: scatters by a fifth of its value
SHARE = 100 / (1 + np.exp(-3 * X[:, 0] - RNG.normal(0, 0.2, 40)))
NEW = RNG.random((8, 3))

LOGIT = Logit.of(SHARE, 0, 100)
CASES = [
    pytest.param(GaussianProcess, LOG, RATE, id="gaussian process, log"),
    pytest.param(GaussianProcess, LOGIT, SHARE, id="gaussian process, logit"),
    pytest.param(partial(Forest, n_trees=20), LOG, RATE, id="forest, log"),
    pytest.param(partial(Forest, n_trees=20), LOGIT, SHARE, id="forest, logit"),
    pytest.param(GaussianProcess, LINEAR, RATE, id="gaussian process, linear"),
]
every_case = pytest.mark.parametrize(("inner", "scale", "y"), CASES)


def test_it_believes_on_the_logarithm_what_the_surrogate_believes_of_logarithms() -> None:
    ours, theirs = Warped(GaussianProcess(), LOG).fit(X, RATE).believe(NEW), GaussianProcess().fit(X, np.log(RATE))
    assert ours.behind is not None
    assert ours.behind.mean == pytest.approx(theirs.predict(NEW))
    low, high = theirs.believe(NEW).interval(0.8)
    assert np.array(ours.interval(0.8)) == pytest.approx(np.exp([low, high]))


def test_on_the_linear_scale_nothing_changes() -> None:
    ours, theirs = Warped(GaussianProcess(), LINEAR).fit(X, RATE), GaussianProcess().fit(X, RATE)
    for part in ("mean", "std", "noise"):
        assert np.array_equal(getattr(ours.believe(NEW), part), getattr(theirs.believe(NEW), part))
    assert ours.noise_ == pytest.approx(theirs.noise_)


def test_a_rate_is_never_expected_to_be_negative_and_a_share_never_beyond_its_bounds() -> None:
    far = 3 * NEW - 1
    low, _ = Warped(GaussianProcess(), LOG).fit(X, RATE).believe(far).interval(0.999)
    assert (low > 0).all()
    low, high = Warped(GaussianProcess(), LOGIT).fit(X, SHARE).believe(far).interval(0.999)
    assert ((low > 0) & (high < 100)).all()


def test_scatter_that_is_a_share_of_the_value_is_learned_as_one() -> None:
    belief = Warped(GaussianProcess(), LOG).fit(X, RATE).believe(X)
    assert (belief.noise / belief.mean).mean() == pytest.approx(0.2, rel=0.35)


class Listener(Forest):
    """Remembers what it is told."""

    def fit(self, X: Any, y: Any, *, noise: Any = None, censored: Any = None, source: Any = None) -> Any:
        self.told_ = (y, noise, censored, source, self.noise_prior)
        return super().fit(X, y, noise=noise, censored=censored, source=source)


def test_what_is_stated_of_values_reaches_the_surrogate_on_its_scale() -> None:
    listener = Listener(n_trees=2, noise_prior=0.5)
    model = Warped(listener, LOG)
    sign = np.array([-1, 0, 1])
    model.fit(X[:3], [1.0, 2.0, 4.0], noise=[0.1, np.nan, 0.1], censored=sign, source=["a", "b", ""])
    y, noise, censored, source, prior = model.surrogate_.told_
    assert y == pytest.approx(np.log([1, 2, 4]))
    assert noise == pytest.approx([0.1, np.nan, 0.025], nan_ok=True)  # of 1 and of 4
    assert np.array_equal(censored, sign)
    assert source == ["a", "b", ""]
    assert prior == 0.25  # half of a typical 2
    assert listener.noise_prior == 0.5  # the one that was given is as it was


@every_case
def test_its_posterior_is_what_it_believes(inner: Any, scale: Scale, y: np.ndarray) -> None:
    model = Warped(inner(), scale).fit(X, y)
    belief, at = model.believe(NEW), torch.from_numpy(NEW)
    posterior, measured = model.posterior(at), model.posterior(at, observation_noise=True)
    assert posterior.mean.squeeze(-1).numpy() == pytest.approx(belief.mean)
    assert posterior.distribution.covariance_matrix.numpy() == pytest.approx(
        model.covariance(NEW, NEW), rel=1e-5, abs=1e-5 * belief.std.max() ** 2
    )
    assert measured.variance.sqrt().squeeze(-1).numpy() == pytest.approx(belief.measured_std, rel=1e-5)


@every_case
def test_its_draws_have_the_moments_that_it_believes(inner: Any, scale: Scale, y: np.ndarray) -> None:
    model = Warped(inner(), scale).fit(X, y)
    belief, draws = model.believe(NEW[:3]), model.sample(NEW[:3], 40_000, np.random.default_rng(0))
    assert draws.mean(axis=0) == pytest.approx(belief.mean, abs=5 * belief.std.max() / 200)  # 5 standard errors
    assert np.cov(draws.T) == pytest.approx(model.covariance(NEW[:3], NEW[:3]), abs=0.05 * belief.std.max() ** 2)


@pytest.mark.parametrize(("scale", "y"), [(LOG, RATE), (LOGIT, SHARE)])
@pytest.mark.parametrize("noisy", [False, True])
def test_gradients_of_its_posterior_are_right(scale: Scale, y: np.ndarray, noisy: bool) -> None:
    model = Warped(GaussianProcess(), scale).fit(X, y)

    def moments(at: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        posterior = model.posterior(at, observation_noise=noisy)
        return posterior.mean, posterior.variance

    assert torch.autograd.gradcheck(
        moments, torch.from_numpy(NEW[:2]).requires_grad_(), rtol=1e-3, atol=1e-4, fast_mode=True
    )


def test_a_given_noise_is_added_to_its_posterior() -> None:
    model, at = Warped(GaussianProcess(), LOG).fit(X, RATE), torch.from_numpy(NEW)
    noise = torch.full((8, 1), 9.0, dtype=torch.float64)
    added = model.posterior(at, observation_noise=noise).variance - model.posterior(at).variance
    assert added.numpy() == pytest.approx(9.0)


def test_its_posterior_can_be_transformed() -> None:
    model, at = Warped(GaussianProcess(), LOG).fit(X, RATE), torch.from_numpy(NEW)
    turned = ScalarizedPosteriorTransform(torch.tensor([-1.0], dtype=torch.float64))
    mean = model.posterior(at, posterior_transform=turned).mean.squeeze(-1).numpy()
    assert mean == pytest.approx(-model.predict(NEW))


def test_it_cannot_be_conditioned_and_says_what_to_do() -> None:
    model = Warped(Forest(n_trees=2), LOG).fit(X, RATE)
    with pytest.raises(AlloyloopError, match="Fit it again"):
        model.condition_on_observations(torch.zeros(1, 3), torch.zeros(1, 1))


def test_of_several_properties_only_its_own_is_on_the_scale() -> None:
    """The second, a calculated potential, has both signs."""
    task, y = np.arange(20) % 2, np.where(np.arange(20) % 2, X[:20, 0] - 0.5, RATE[:20])
    belief = Warped(GaussianProcess(), LOG).fit(X[:20], y, task=task).believe(X[:20])
    assert (belief.interval(0.99)[0] > 0).all()


def test_a_value_without_a_logarithm_is_named() -> None:
    with pytest.raises(AlloyloopError, match="value of -1 has no logarithm"):
        Warped(GaussianProcess(), LOG).fit(X[:2], [2.0, -1.0])


EXPECTED_TO_FAIL = {
    "check_parameters_default_constructible": "there is no surrogate to take where none is given",
}


@parametrize_with_checks(  # type: ignore[untyped-decorator]  # scikit-learn comes without types
    [Warped(Forest(n_trees=5), LINEAR)],  # its data are of both signs
    expected_failed_checks=lambda estimator: EXPECTED_TO_FAIL,
)
def test_it_has_scikit_learns_manners(estimator: Any, check: Any) -> None:
    check(estimator)
