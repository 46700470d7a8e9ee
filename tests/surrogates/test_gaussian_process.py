from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from botorch.models import SingleTaskGP
from botorch.sampling.normal import SobolQMCNormalSampler
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal
from sklearn import gaussian_process as theirs
from torch.autograd import gradcheck

from alloyloop.surrogates import AlloyloopError, GaussianProcess
from alloyloop.surrogates import gaussian_process as module

pytestmark = pytest.mark.torch

Matern: Any = theirs.kernels.Matern  # published without types

RNG = np.random.default_rng(0)
LOW, HIGH = np.array([0.0, 800.0, -1.0]), np.array([40.0, 1100.0, 1.0])
X = LOW + (HIGH - LOW) * RNG.random((30, 3))
Y = 70 - X[:, 0] + 0.05 * (X[:, 1] - 900) + RNG.normal(0, 2, 30)
NOISE = np.where(np.arange(30) % 3, np.nan, 3.0)
NEW = LOW + (HIGH - LOW) * RNG.random((12, 3))


def prior(lengthscales: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Our kernel put together independently, for unit spread: scikit-learn's Matérn, and a linear regression about the
    mean of the data on features divided by their ranges, their slopes of variance 2/3, none beyond the data."""
    matern = Matern(lengthscales, nu=2.5)
    ranges = X.max(axis=0) - X.min(axis=0)

    def trend(rows: np.ndarray) -> np.ndarray:
        return np.asarray((np.clip(rows, X.min(axis=0), X.max(axis=0)) - X.mean(axis=0)) / ranges)

    return lambda A, B: np.asarray(matern(A, B) + 2 / 3 * trend(A) @ trend(B).T)


def textbook(gp: GaussianProcess, rows: np.ndarray, y: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance at NEW in closed form, Rasmussen and Williams eq. 2.25 and 2.26."""
    kernel = prior(gp.lengthscales_)
    gain = kernel(NEW, rows) @ np.linalg.inv(kernel(rows, rows) + np.diag((noise / gp.scale_) ** 2))
    return Y.mean() + gain @ (y - Y.mean()), gp.scale_**2 * (kernel(NEW, NEW) - gain @ kernel(rows, NEW))


@pytest.mark.parametrize("noise", [None, np.full(30, 3.0), NOISE], ids=["learned", "stated", "some stated"])
def test_the_posterior_is_the_textbooks_at_the_same_hyperparameters(noise: np.ndarray | None) -> None:
    gp = GaussianProcess().fit(X, Y, noise=noise)  # a NaN among threes is a three: every row has the new row's noise
    mean, covariance = textbook(gp, X, Y, np.full(30, gp.noise_))
    assert gp.predict(NEW) == pytest.approx(mean, rel=1e-8)
    assert gp.covariance(NEW, NEW) == pytest.approx(covariance, rel=1e-6, abs=1e-8)


def test_the_fit_is_a_mode_of_likelihood_times_priors() -> None:
    gp = GaussianProcess().fit(X, Y)
    z, ranges = (Y - Y.mean()) / gp.scale_, X.max(axis=0) - X.min(axis=0)

    def log_density(theta: np.ndarray) -> float:  # SciPy's normal density and the textbook's log-normal priors
        covariance = prior(np.exp(theta[:3]) * ranges)(X, X) + np.exp(theta[3]) * np.eye(30)
        location = np.append(np.full(3, -1 + np.log(3) / 2), -1.5)
        likelihood = multivariate_normal.logpdf(z, cov=covariance)
        return float(likelihood - np.sum(((theta - location) / [0.5, 0.5, 0.5, 1]) ** 2) / 2)

    theta = np.log(np.append(gp.lengthscales_ / ranges, (gp.noise_ / gp.scale_) ** 2))
    assert approx_fprime(theta, log_density, 1e-5) == pytest.approx(np.zeros(4), abs=2e-3)
    for other in theta + 0.3 * np.random.default_rng(1).normal(size=(20, 4)):
        assert log_density(other) < log_density(theta)


def test_stated_noise_is_added_to_the_learned_scatter() -> None:
    gp = GaussianProcess().fit(X, Y, noise=np.full(30, 3.0))
    assert gp.noise_ > 3.0
    assert gp.noise_ < 3.0 + GaussianProcess().fit(X, Y).noise_  # as variances add, and not as standard deviations


def test_bounds_replace_the_range_of_the_data() -> None:
    narrow = GaussianProcess(bounds=[LOW, HIGH]).fit(X[:3], Y[:3])
    wide = GaussianProcess(bounds=[LOW, LOW + 10 * (HIGH - LOW)]).fit(X[:3], Y[:3])
    assert (wide.lengthscales_ > 5 * narrow.lengthscales_).all()


@pytest.mark.parametrize("bounds", [[[0.0], [1.0]], [HIGH, LOW], [LOW, HIGH * np.inf]])
def test_bounds_that_do_not_fit_are_refused(bounds: object) -> None:
    with pytest.raises(AlloyloopError, match="3 features"):
        GaussianProcess(bounds=bounds).fit(X, Y)  # type: ignore[arg-type]


def test_far_from_the_data_the_trend_stays_where_the_data_end_and_nothing_else_is_known() -> None:
    gp = GaussianProcess().fit(X, Y)
    edge = np.array([[X[:, 0].max(), X[:, 1].min(), X[:, 2].max()]])
    outward = np.array([1.0, -1.0, 1.0]) * (HIGH - LOW)
    far, farther = gp.believe(edge + 100 * outward), gp.believe(edge + 1000 * outward)
    assert (far.mean[0], far.std[0]) == pytest.approx((farther.mean[0], farther.std[0]))
    assert far.mean[0] < Y.mean() - 10  # the first feature lowers it by one a unit, the second by a little
    assert far.std[0] > gp.scale_


def test_a_trend_is_followed_where_no_row_is_near() -> None:
    slope = np.linspace(0, 1, 12)[:, None]
    y = 100 - 50 * slope[:, 0]
    gp = GaussianProcess(bounds=[[0], [1]]).fit(slope[[0, 1, 2, 11]], y[[0, 1, 2, 11]])
    assert gp.predict([[0.6]])[0] == pytest.approx(70, abs=4)


def test_the_posterior_has_the_right_gradients() -> None:
    gp = GaussianProcess().fit((X - LOW) / (HIGH - LOW), Y)
    rows = torch.from_numpy((NEW[:2] - LOW) / (HIGH - LOW)).requires_grad_()
    assert gradcheck(lambda at: gp.posterior(at).mean, rows)
    assert gradcheck(lambda at: gp.posterior(at).variance, rows)


def test_new_observations_are_taken_in_as_by_a_textbook() -> None:
    gp = GaussianProcess().fit(X, Y)
    seen = gp.condition_on_observations(torch.from_numpy(NEW[:2]), torch.tensor([[50.0], [70.0]]).double())
    assert isinstance(seen, SingleTaskGP)
    rows, values = np.vstack([X, NEW[:2]]), np.append(Y, [50.0, 70.0])
    mean, covariance = textbook(gp, rows, values, np.full(32, gp.noise_))
    posterior: Any = seen.posterior(torch.from_numpy(NEW))
    assert posterior.mean.squeeze(-1).detach().numpy() == pytest.approx(mean, rel=1e-6)
    assert posterior.variance.squeeze(-1).detach().numpy() == pytest.approx(np.diag(covariance), rel=1e-4)
    assert gp.predict(NEW[:1])[0] == pytest.approx(GaussianProcess().fit(X, Y).predict(NEW[:1])[0])  # itself unchanged


def test_fantasies_come_one_for_each_draw() -> None:
    gp = GaussianProcess().fit(X, Y)
    fantasies = gp.fantasize(torch.from_numpy(NEW[:2]), SobolQMCNormalSampler(torch.Size([4]), seed=0))
    posterior: Any = fantasies.posterior(torch.from_numpy(NEW))
    assert posterior.mean.shape == (4, 12, 1)


def test_it_can_be_fitted_again() -> None:
    gp = GaussianProcess().fit(X, Y)
    gp.posterior(torch.from_numpy(NEW))
    gp.fit(X, -Y)
    assert gp.posterior(torch.from_numpy(NEW)).mean.squeeze(-1).numpy() == pytest.approx(gp.predict(NEW))


def test_blocks_meet_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    gp = GaussianProcess().fit(X, Y)
    whole = gp.believe(NEW)
    monkeypatch.setattr(module, "BLOCK", 5)
    assert gp.believe(NEW).mean == pytest.approx(whole.mean)
    assert gp.believe(NEW).std == pytest.approx(whole.std)


def test_fitting_leaves_settings_as_they_were() -> None:
    code = """
import random, warnings
import botorch, numpy as np, sklearn.ensemble, sympy, threadpoolctl, torch  # sympy: torch loads it late
def state():
    threads = {library["filepath"]: library["num_threads"] for library in threadpoolctl.threadpool_info()}
    seeds = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    return threads, torch.get_num_threads(), torch.get_default_dtype(), warnings.filters[:], seeds
before = state()
from alloyloop.surrogates import GaussianProcess
GaussianProcess().fit(np.eye(3), np.arange(3.0)).posterior(torch.eye(3))
after = state()
assert before[0].items() <= after[0].items()
assert before[1:] == after[1:]
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
