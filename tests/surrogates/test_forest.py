from __future__ import annotations

import numpy as np
import pytest
import torch
from botorch.acquisition.objective import ScalarizedPosteriorTransform
from scipy.optimize import minimize
from scipy.stats import norm
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

from alloyloop.surrogates import AlloyloopError, Forest
from alloyloop.surrogates.ensemble import Unseen, _spread_of_errors

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
    lesson = forest._lesson(X, Y, None, None)
    errors = forest._out_of_bag(lesson, X, forest._settle(X)).errors
    oracle = RandomForestRegressor(100, bootstrap=True, oob_score=True, random_state=0).fit(X, lesson.z)
    assert lesson.z - errors == pytest.approx(oracle.oob_prediction_)


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


def test_bounds_are_left_out() -> None:
    sign = np.where(np.arange(60) % 3, 0, -1)
    ours = Forest(n_trees=20).fit(X, np.where(sign, 1e6, Y), noise=np.ones(60), censored=sign).believe(NEW)
    theirs = Forest(n_trees=20).fit(X[sign == 0], Y[sign == 0], noise=np.ones(40)).believe(NEW)
    assert np.array_equal(ours.mean, theirs.mean)
    assert np.array_equal(ours.measured_std, theirs.measured_std)


def test_bounds_alone_teach_a_forest_nothing_and_it_says_so() -> None:
    with pytest.raises(AlloyloopError, match="all values are bounds"):
        Forest().fit(X, Y, censored=np.ones(60))


def test_what_is_not_known_of_a_row_stands_at_the_mean_and_is_said() -> None:
    blank = np.where(np.arange(60)[:, None] % 4 == 0, [np.nan, 0, 0], 0) + X
    ours = Forest(n_trees=20, blanks=(0,)).fit(blank, Y)
    mean = float(np.nanmean(blank[:, 0]))
    full = np.column_stack([np.nan_to_num(blank[:, :1], nan=mean), X[:, 1:], np.isnan(blank[:, 0])])
    theirs = Forest(n_trees=20).fit(full, Y)
    asked = np.array([[np.nan, 0.5, 0.5], [0.2, 0.5, 0.5]])
    assert ours.believe(asked).mean == pytest.approx(
        theirs.predict(np.array([[mean, 0.5, 0.5, 1], [0.2, 0.5, 0.5, 0]]))
    )
    assert ours.posterior(torch.from_numpy(asked)).mean.squeeze(-1).numpy() == pytest.approx(ours.predict(asked))


def test_a_value_that_nobody_knew_is_still_no_number_to_fail_on() -> None:
    never = np.column_stack([X[:, :2], np.full(60, np.nan)])
    belief = Forest(n_trees=20, blanks=(2,)).fit(never, Y).believe([[0.5, 0.5, np.nan], [0.5, 0.5, 3.0]])
    assert np.isfinite(belief.measured_std).all()
    assert belief.std[1] > belief.std[0]  # the second is like nothing seen


@pytest.mark.parametrize("blanks", [(), (0,)])
def test_a_value_missing_elsewhere_is_told_by_row_and_feature(blanks: tuple[int, ...]) -> None:
    wrong = X.copy()
    wrong[4, 2] = np.nan
    with pytest.raises(AlloyloopError, match="feature 3 is NaN in row 5"):
        Forest(blanks=blanks).fit(wrong, Y)
    with pytest.raises(AlloyloopError, match="feature 3 is NaN in row 5"):
        Forest(n_trees=2, blanks=blanks).fit(X, Y).believe(wrong)


def test_away_from_all_rows_nothing_is_known_but_the_spread_of_the_property() -> None:
    forest = Forest().fit(X, Y)
    away = np.array([[0.5, 0.5, 0.5 + step] for step in (0, 1, 3, 1000)])
    std = forest.believe(away).std
    assert (np.diff(std) > 0).all()
    assert std[-1] >= forest.scale_


@pytest.mark.parametrize("still", [0.0, 37.0])
def test_a_value_of_a_feature_that_never_varied_is_one_range_away(still: float) -> None:
    forest = Forest().fit(np.column_stack([X, np.full(60, still)]), Y)
    near, changed, more = forest.believe(np.column_stack([X[:3], still + np.array([0.0, 0.1, 10.0])])).std
    assert near < changed
    distance = forest._known.query(forest._place(np.append(X[2], still + 10)[None]))[0]
    assert distance == pytest.approx(1)
    assert more > near


def test_a_smooth_property_is_known_further_from_the_rows() -> None:
    wavy, smooth = (
        Forest(kind="extra-trees").fit(X, 10 * np.sin(times * X[:, 0]) + 10 * np.sin(times * X[:, 1])).reach_
        for times in (12, 1)
    )
    assert smooth > 2 * wavy


def test_rows_far_away_and_near_each_other_are_unknown_together() -> None:
    forest = Forest().fit(X, Y)
    far = np.array([[50.0, 0, 0], [50.1, 0, 0], [-50.0, 0, 0]])
    covariance = forest.covariance(far, far)
    std = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(std, std)
    assert correlation[0, 1] > 0.9
    assert correlation[0, 2] < 0.5


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


def test_its_spread_is_the_most_probable_one() -> None:
    rng = np.random.default_rng(0)
    errors, between, nearest, stated = rng.normal(size=20), *rng.random((2, 20)), np.full(20, 0.1)
    prior = (-1.5, 1.0)

    def loss(theta: np.ndarray) -> float:
        stretch, reach, scatter = np.exp(theta)
        strange = np.maximum(1 - stretch * between, 0) * (1 - np.exp(-nearest / reach))
        total = stretch * between + strange + scatter + stated
        priors = [(0.0, 1.0), (1.0, 1.0), prior]
        likelihood = np.sum(norm.logpdf(errors, 0, np.sqrt(total)))
        return float(-likelihood - sum(norm.logpdf(at, *centre) for at, centre in zip(theta, priors, strict=True)))

    best = minimize(loss, np.zeros(3), method="L-BFGS-B", tol=1e-10).x  # by differences, and not by our gradient
    unseen = Unseen(errors, between, stated, 2.0 * nearest)
    assert np.log(_spread_of_errors(unseen, 2.0, prior)) == pytest.approx(best, abs=1e-2)


def test_a_flat_forest_has_a_gradient_of_zero() -> None:
    forest, at = Forest(n_trees=20).fit(X, Y), torch.from_numpy(NEW).requires_grad_()
    forest.posterior(at).mean.sum().backward()
    assert at.grad is not None
    assert (at.grad == 0).all()
