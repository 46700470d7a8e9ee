"""Several surrogates as one. That a blend keeps what every surrogate promises is tested by the common suite."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from alloyloop.surrogates import AlloyloopError, Forest, GaussianProcess, Prediction
from alloyloop.surrogates.blend import LEAST_WEIGHT, PRIOR_SHARE, Blend, Member, mixture, weights_of

pytestmark = pytest.mark.torch

RNG = np.random.default_rng(0)
X, NEW = RNG.random((30, 3)), RNG.random((8, 3))
Y = 60 + 30 * np.sin(3 * X[:, 0]) + RNG.normal(0, 2, 30)
MEMBERS = (Member(GaussianProcess(), (0, 2), 0.7), Member(Forest(n_trees=20), (0, 1), 0.3))


def test_each_member_sees_its_own_features() -> None:
    blend = Blend(MEMBERS).fit(X, Y)
    gp, forest = GaussianProcess().fit(X[:, [0, 2]], Y), Forest(n_trees=20).fit(X[:, [0, 1]], Y)
    expected = 0.7 * gp.predict(NEW[:, [0, 2]]) + 0.3 * forest.predict(NEW[:, [0, 1]])
    assert blend.predict(NEW) == pytest.approx(expected)
    assert blend.noise_ == pytest.approx(np.sqrt(0.7 * gp.noise_**2 + 0.3 * forest.noise_**2))


def test_the_moments_are_those_of_draws_from_one_member_or_the_other() -> None:
    parts = [
        Prediction(np.array([m]), np.array([s]), np.array([n])) for m, s, n in ((50.0, 2.0, 1.0), (60.0, 5.0, 3.0))
    ]
    found = mixture(parts, [0.7, 0.3])
    rng = np.random.default_rng(0)
    first = rng.random(400_000) < 0.7
    draws = np.where(first, rng.normal(50, 2, 400_000), rng.normal(60, 5, 400_000))
    measured = draws + np.where(first, rng.normal(0, 1, 400_000), rng.normal(0, 3, 400_000))
    assert found.mean[0] == pytest.approx(draws.mean(), abs=0.05)
    assert found.std[0] == pytest.approx(draws.std(), rel=0.01)
    assert found.measured_std[0] == pytest.approx(measured.std(), rel=0.01)


def test_a_draw_keeps_to_the_view_of_one_member() -> None:
    """Two members that are sure of different levels: no draw is between them."""
    low, high = GaussianProcess(noise_prior=0.1), GaussianProcess(noise_prior=0.1)
    blend = Blend((Member(low, (0,), 0.5), Member(high, (1,), 0.5))).fit(X, Y)
    first, second = (one.sample(NEW[:, [i]], 400, np.random.default_rng(i)) for i, one in enumerate(blend.members_))
    draws = blend.sample(NEW, 400, np.random.default_rng(3))
    apart = np.abs(first.mean(axis=0) - second.mean(axis=0)).argmax()
    near = [np.abs(draws[:, apart] - part[:, apart].mean()) < 4 * part[:, apart].std() for part in (first, second)]
    assert (near[0] | near[1]).mean() > 0.99


def best_weights(log_densities: np.ndarray) -> np.ndarray:
    """The mode of mixture likelihood and prior by a general optimiser; the prior is a Dirichlet's."""
    n, k = log_densities.shape

    def loss(free: np.ndarray) -> float:
        weights = np.exp(free - np.logaddexp.reduce(free))
        return float(-np.log(np.exp(log_densities) @ weights).sum() - PRIOR_SHARE * n / k * np.log(weights).sum())

    free = minimize(loss, np.zeros(k), tol=1e-10).x
    return np.asarray(np.exp(free - np.logaddexp.reduce(free)))


@pytest.mark.parametrize("seed", range(5))
def test_weights_make_held_out_rows_most_likely(seed: int) -> None:
    densities = np.random.default_rng(seed).normal(-1, 1, (60, 3))
    best = best_weights(densities)
    assert best.min() > LEAST_WEIGHT, "no member of these is of little use"
    assert weights_of(densities) == pytest.approx(best, abs=1e-3)


@given(st.integers(1, 5), st.integers(1, 30), st.floats(0.1, 200), st.integers(0, 2**32 - 1))
def test_weights_are_shares_none_of_them_small(k: int, n: int, spread: float, seed: int) -> None:
    weights = weights_of(np.random.default_rng(seed).normal(0, spread, (n, k)))
    assert weights.sum() == pytest.approx(1)
    assert ((weights == 0) | (weights >= LEAST_WEIGHT)).all()


def test_members_that_say_the_same_share_alike() -> None:
    assert weights_of(np.zeros((10, 4))) == pytest.approx(np.full(4, 0.25))


@pytest.mark.parametrize("weights", [(), (0.5, 0.6), (1.5, -0.5)])
def test_weights_that_are_no_shares_are_refused(weights: tuple[float, ...]) -> None:
    with pytest.raises(AlloyloopError, match="the weights of a blend"):
        Blend([Member(GaussianProcess(), (0,), weight) for weight in weights]).fit(X, Y)


def test_what_a_member_was_told_may_be_blank_may_be() -> None:
    told = X.copy()
    told[3, 2] = np.nan
    members = (Member(GaussianProcess(blanks=[1]), (0, 2), 0.5), Member(Forest(n_trees=5), (0, 1), 0.5))
    assert np.isfinite(Blend(members).fit(told, Y).predict(told)).all()
    with pytest.raises(AlloyloopError, match="feature 3 is NaN in row 4"):
        Blend(MEMBERS).fit(told, Y)


def test_outliers_are_those_that_all_who_look_agree_on() -> None:
    wrong = Y.copy()
    wrong[4] += 80
    assert Blend(MEMBERS).fit(X, wrong).outliers_.tolist() == [4]
    blind = (*MEMBERS[:1], Member(GaussianProcess(robust=False), (0, 1, 2), 0.3))
    assert Blend(blind).fit(X, wrong).outliers_.tolist() == []
    assert Blend([Member(Forest(n_trees=5), (0, 1, 2), 1.0)]).fit(X, wrong).outliers_.tolist() == []


def test_a_blend_takes_in_no_fantasies() -> None:
    with pytest.raises(AlloyloopError, match="Fit it again"):
        Blend(MEMBERS).fit(X, Y).condition_on_observations(None, None)  # type: ignore[arg-type]
