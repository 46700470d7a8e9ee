from __future__ import annotations

import numpy as np
import pytest
import torch
from botorch.acquisition.objective import ScalarizedPosteriorTransform
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

from alloyloop.surrogates import AlloyloopError, Forest

pytestmark = pytest.mark.torch

RNG = np.random.default_rng(0)
X = RNG.random((60, 3))
Y = 60 + 40 * X[:, 0] + RNG.normal(0, 5, 60)
NEW = RNG.random((20, 3))


@pytest.mark.parametrize(
    ("kind", "theirs"), [("random-forest", RandomForestRegressor), ("extra-trees", ExtraTreesRegressor)]
)
def test_the_mean_is_that_of_scikit_learns_forest(kind: str, theirs: type) -> None:
    forest = Forest(kind=kind, n_trees=30, seed=5).fit(X, Y)  # type: ignore[arg-type]
    oracle = theirs(30, bootstrap=True, random_state=5).fit(X, (Y - Y.mean()) / forest.scale_)
    assert forest.predict(NEW) == pytest.approx(Y.mean() + forest.scale_ * oracle.predict(NEW))


def test_rows_out_of_bag_are_judged_as_scikit_learn_judges_them() -> None:
    forest = Forest(n_trees=100).fit(X, Y)
    z = (Y - Y.mean()) / forest.scale_
    errors, _, seen = forest._out_of_bag(X, z)
    oracle = RandomForestRegressor(100, bootstrap=True, oob_score=True, random_state=0).fit(X, z)
    assert seen.all()
    assert z - errors == pytest.approx(oracle.oob_prediction_)


def test_pure_noise_is_told_from_knowledge() -> None:
    """With nothing to learn, the errors out of bag are the scatter; no forest may hide it in its own variance."""
    y = np.random.default_rng(1).normal(60, 5, 60)
    belief = Forest().fit(X, y).believe(NEW)
    assert belief.measured_std.mean() == pytest.approx(5, rel=0.25)


def test_more_scatter_means_more_spread() -> None:
    quiet, loud = (
        Forest().fit(X, 40 * X[:, 0] + np.random.default_rng(1).normal(0, scatter, 60)).predict(NEW, return_std=True)[1]
        for scatter in (1, 10)
    )
    assert loud.mean() > 2 * quiet.mean()


def test_another_seed_is_another_forest() -> None:
    first, second = (Forest(seed=seed).fit(X, Y).predict(NEW) for seed in (0, 1))
    assert not np.array_equal(first, second)


def test_an_unknown_kind_is_told_with_those_there_are() -> None:
    with pytest.raises(AlloyloopError, match="random-forest, extra-trees"):
        Forest(kind="rain").fit(X, Y)  # type: ignore[arg-type]


def test_a_forest_cannot_be_conditioned_and_says_what_to_do() -> None:
    with pytest.raises(AlloyloopError, match="Fit it again"):
        Forest(n_trees=10).fit(X, Y).condition_on_observations(torch.zeros(1, 3), torch.zeros(1, 1))


def test_a_given_noise_is_added_to_the_posterior() -> None:
    forest, at = Forest(n_trees=20).fit(X, Y), torch.from_numpy(NEW)
    noise = torch.full((20, 1), 9.0, dtype=torch.float64)
    added = forest.posterior(at, observation_noise=noise).variance - forest.posterior(at).variance
    assert added.numpy() == pytest.approx(9.0)


def test_a_posterior_can_be_transformed() -> None:
    forest, at = Forest(n_trees=20).fit(X, Y), torch.from_numpy(NEW)
    turned = ScalarizedPosteriorTransform(torch.tensor([-1.0], dtype=torch.float64))
    assert forest.posterior(at, posterior_transform=turned).mean.squeeze(-1).numpy() == pytest.approx(
        -forest.predict(NEW)
    )


def test_a_flat_forest_has_a_gradient_of_zero() -> None:
    forest, at = Forest(n_trees=20).fit(X, Y), torch.from_numpy(NEW).requires_grad_()
    forest.posterior(at).mean.sum().backward()
    assert at.grad is not None
    assert (at.grad == 0).all()
