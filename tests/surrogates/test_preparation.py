"""Steps between features and a surrogate. What every surrogate promises is tested by the common suite."""

from __future__ import annotations

import copy
import json
import pickle
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from botorch.acquisition.analytic import LogExpectedImprovement
from botorch.optim.optimize import optimize_acqf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.linalg import subspace_angles
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from alloyloop.surrogates import AlloyloopError, Forest, GaussianProcess, Prediction
from alloyloop.surrogates.base import FloatArray
from alloyloop.surrogates.explain import left_out_one_by_one, relevances_of
from alloyloop.surrogates.preparation import Prepared, Step, steps
from alloyloop.surrogates.scales import LOG
from alloyloop.surrogates.scores import shuffled_folds
from alloyloop.surrogates.warped import Warped
from alloyloop.surrogates.widened import Widened

pytestmark = pytest.mark.torch

RNG = np.random.default_rng(0)
X = RNG.random((40, 5)) * [1, 10, 100, 1000, 1] + [0, 0, 0, 0, 7]
Y = 60 + 30 * X[:, 0] - 0.02 * X[:, 3] + RNG.normal(0, 1, 40)
NEW = RNG.random((9, 5)) * [1, 10, 100, 1000, 1] + [0, 0, 0, 0, 7]

WAYS = [("select 2",), ("pca 3",), ("ica 3",), ("clusters 3",), ("select 4", "pca 3", "clusters 2")]
every_way = pytest.mark.parametrize("way", WAYS, ids=" then ".join)


class Seer:
    """A surrogate that only remembers what it was shown."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {}

    def fit(self, X: FloatArray, y: FloatArray, **told: Any) -> Seer:
        self.X, self.y, self.told = X, y, told
        self.noise_, self.scale_ = 1.0, 2.0
        return self

    def believe(self, X: FloatArray) -> Prediction:
        self.asked = X
        return Prediction(np.zeros(len(X)), np.ones(len(X)), np.ones(len(X)))


def seen(way: tuple[str, ...], X: FloatArray = X, y: FloatArray = Y, **told: Any) -> FloatArray:
    """Training rows as steps leave them."""
    shown: FloatArray = prepared(Seer(), way).fit(X, y, **told).surrogate_.X
    return shown


def prepared(surrogate: Any, way: tuple[str, ...]) -> Any:
    return Prepared(surrogate, way)


def selected(X: FloatArray, y: FloatArray, count: int, **told: Any) -> list[int]:
    """Which features were kept."""
    kept = seen((f"select {count}",), X, y, **told)
    return [next(i for i in range(X.shape[1]) if np.array_equal(X[:, i], column)) for column in kept.T]


# -- how steps are written


@pytest.mark.parametrize("kind", ["select", "pca", "ica", "clusters"])
def test_a_step_is_read_as_it_is_written(kind: str) -> None:
    (step,) = steps([f"{kind} 12"])
    assert step == Step(kind, 12)
    assert str(step) == f"{kind} 12"


@pytest.mark.parametrize(
    "text", ["", "pca", "pca 0", "pca -1", "pca 2.5", "pca  2", "pca 2 ", "PCA 2", "pca 1000", "umap 2", "select all"]
)
def test_what_is_no_step_is_told_with_what_is(text: str) -> None:
    with pytest.raises(AlloyloopError, match=f"'{text}' is no step of preparation. Write select 8, pca 5"):
        Prepared(GaussianProcess(), ("pca 2", text)).fit(X, Y)


# -- what each step leaves


def test_select_keeps_the_features_that_tell_most_as_they_are_and_in_order() -> None:
    """A straight line explains the square of the correlation."""
    strongest = np.argsort(-np.abs([np.corrcoef(column, Y)[0, 1] for column in X.T]))
    for count in (1, 2, 3, 4):
        assert selected(X, Y, count) == sorted(strongest[:count].tolist())


def test_principal_axes_are_those_of_the_correlation_matrix() -> None:
    shown = seen(("pca 2",))
    values, vectors = np.linalg.eigh(np.corrcoef(X.T))
    assert np.cov(shown.T, ddof=0) == pytest.approx(np.diag(values[::-1][:2]), abs=1e-9)
    theirs = StandardScaler().fit_transform(X) @ vectors[:, ::-1][:, :2]
    assert np.abs(shown) == pytest.approx(np.abs(theirs))


def test_independent_axes_undo_a_mixture() -> None:
    """Three sources that are far from normal, mixed: each axis is one of them, whatever its sign and place."""
    rng = np.random.default_rng(1)
    sources = np.column_stack([rng.random(600), np.sign(rng.normal(size=600)), rng.exponential(size=600)])
    mixed = sources @ np.array([[1.0, 0.4, 0.2], [0.3, 1.0, 0.5], [0.6, 0.2, 1.0]])
    shown = seen(("ica 3",), mixed, sources[:, 0])
    assert shown.std(axis=0) == pytest.approx(np.ones(3), rel=0.01)
    assert np.abs(np.corrcoef(shown.T, sources.T)[:3, 3:]).max(axis=0) == pytest.approx(np.ones(3), abs=0.01)


def test_fewer_independent_axes_span_the_widest_principal_ones() -> None:
    assert np.cos(subspace_angles(seen(("pca 2",)), seen(("ica 2",)))) == pytest.approx(np.ones(2))


def test_clusters_add_the_distances_to_the_middles_of_kinds() -> None:
    rng = np.random.default_rng(2)
    kinds = np.repeat([[0, 0], [8, 0], [0, 90]], 20, axis=0) + rng.normal(0, [0.1, 1], (60, 2))
    shown = seen(("clusters 3",), kinds, kinds[:, 0])
    assert np.array_equal(shown[:, :2], kinds)
    unit = StandardScaler().fit_transform(kinds)
    middles = np.array([unit[20 * i : 20 * i + 20].mean(axis=0) for i in range(3)])  # the kinds that were made
    theirs = np.linalg.norm(unit[:, None] - middles, axis=2)
    assert np.array(sorted(shown[:, 2:].T.tolist())) == pytest.approx(np.array(sorted(theirs.T.tolist())))


def test_steps_go_in_the_order_in_which_they_are_written() -> None:
    first = seen(("select 2",))
    assert np.array_equal(seen(("select 2", "pca 1")), seen(("pca 1",), first))
    assert seen(("pca 3", "clusters 4")).shape == (40, 7)
    assert not np.allclose(np.abs(seen(("pca 2", "select 1"))), np.abs(seen(("select 1", "pca 2"))))


def test_without_steps_the_surrogate_sees_what_there_is() -> None:
    plain, ours = GaussianProcess().fit(X, Y).believe(NEW), Prepared(GaussianProcess()).fit(X, Y).believe(NEW)
    assert np.array_equal(ours.mean, plain.mean)
    assert np.array_equal(ours.std, plain.std)


@every_way
def test_rows_are_asked_as_they_were_learned(way: tuple[str, ...]) -> None:
    model = prepared(Seer(), way).fit(X, Y)
    model.believe(X)
    assert model.surrogate_.asked == pytest.approx(model.surrogate_.X, rel=1e-12, abs=1e-12)


@every_way
def test_units_of_the_features_do_not_matter(way: tuple[str, ...]) -> None:
    """Powers of two, so that nothing is rounded; what is not combined stays in its unit."""
    n_kept = {"select 2": 2, "clusters 3": 5}.get(way[0], 0)
    plain, scaled = seen(way), seen(way, X * 2.0 ** np.array([-20, -3, 0, 4, 30]))
    assert scaled[:, n_kept:] == pytest.approx(plain[:, n_kept:], rel=1e-6, abs=1e-9)


# -- what there is too little for


@pytest.mark.parametrize(("way", "n"), [("select 99", 5), ("pca 99", 5), ("ica 99", 5), ("clusters 99", 5 + 40)])
def test_a_step_that_asks_for_more_than_there_is_takes_all(way: str, n: int) -> None:
    assert seen((way,)).shape == (40, n)


def test_rows_that_are_alike_are_of_one_kind_at_no_distance() -> None:
    shown = seen(("clusters 99",), np.repeat(X[:4], 5, axis=0), np.repeat(Y[:4], 5))
    assert shown.shape == (20, 5 + 4)
    assert np.sort(shown[:, 5:], axis=1)[:, 0] == pytest.approx(np.zeros(20), abs=1e-14)


@pytest.mark.parametrize("way", ["pca 9", "ica 9"])
def test_fractions_that_add_up_to_one_have_an_axis_fewer_than_elements(way: str) -> None:
    fractions = X / X.sum(axis=1, keepdims=True)
    assert seen((way,), fractions).shape == (40, 4)


@pytest.mark.parametrize("way", ["pca 9", "ica 9", "clusters 3"])
def test_a_feature_that_never_varied_makes_no_axis_and_tells_no_kinds_apart(way: str) -> None:
    still = np.column_stack([X, np.full(40, 1e6 + 0.1)])
    plain, ours = prepared(Seer(), (way,)).fit(X, Y), prepared(Seer(), (way,)).fit(still, Y)
    n_kept = 5 if way.startswith("clusters") else 0
    assert ours.surrogate_.X[:, -3:] == pytest.approx(plain.surrogate_.X[:, -3:])
    ours.believe(np.column_stack([X, np.full(40, -3.0)]))
    assert ours.surrogate_.asked[:, n_kept and n_kept + 1 :] == pytest.approx(plain.surrogate_.X[:, n_kept:])


@pytest.mark.parametrize("way", ["pca 2", "ica 2"])
def test_where_all_rows_are_alike_features_stay_as_they_are(way: str) -> None:
    alike = np.repeat(X[:1], 3, axis=0)
    assert np.array_equal(seen((way,), alike, Y[:3]), alike)


@pytest.mark.parametrize("y", [[60.0, 70.0], [60.0, 60.0, 60.0, 60.0]], ids=str)
def test_where_nothing_tells_features_apart_all_are_kept(y: list[float]) -> None:
    assert np.array_equal(seen(("select 1",), X[: len(y)], np.array(y)), X[: len(y)])


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 6).flatmap(
        lambda n: arrays(np.float64, (n, 4), elements=st.sampled_from([-1.0, 0.0, 0.5, 1.0, 3.0]))
    ),
    unit=st.sampled_from([1e-9, 1.0, 1e9]),
    offset=st.sampled_from([0.0, 1e6]),
    way=st.lists(st.sampled_from(["select 2", "pca 2", "ica 2", "clusters 3"]), min_size=1, max_size=3).map(tuple),
)
def test_no_rows_are_too_few_and_none_too_alike(
    rows: FloatArray, unit: float, offset: float, way: tuple[str, ...]
) -> None:
    X = rows * unit + offset
    belief = Prepared(GaussianProcess(), way).fit(X[:, :3], X[:, 3]).believe(NEW[:, :3])
    assert np.isfinite(belief.mean).all()
    assert (belief.std > 0).all()


def test_a_cell_that_is_not_known_is_refused_with_its_feature() -> None:
    frame = pd.DataFrame(X, columns=list("abcde"))
    frame.loc[3, "b"] = np.nan
    with pytest.raises(AlloyloopError, match="b is NaN in row 4"):
        Prepared(GaussianProcess(), ("pca 2",)).fit(frame, Y)


# -- who may guide a selection


def test_a_selection_knows_nothing_of_rows_held_out() -> None:
    """Of 300 features of chance, the 5 best on all rows foretell rows that they were chosen by; nothing else does."""
    rng = np.random.default_rng(3)
    chance, y = rng.normal(size=(60, 300)), rng.normal(size=60)
    best = selected(chance, y, 5)
    inside, outside = np.empty(60), np.empty(60)
    for train, test in shuffled_folds(60, 5):
        inside[test] = Prepared(GaussianProcess(), ("select 5",)).fit(chance[train], y[train]).predict(chance[test])
        outside[test] = GaussianProcess().fit(chance[train][:, best], y[train]).predict(chance[test][:, best])
    assert 1 - np.mean((outside - y) ** 2) / np.var(y) > 0.2
    assert 1 - np.mean((inside - y) ** 2) / np.var(y) < 0


def test_bounds_do_not_guide_a_selection() -> None:
    y, sign = np.append(Y, [1e4, 2e4, 3e4]), np.append(np.zeros(40), [1, 1, 1])
    rows = np.vstack([X, NEW[:3]])
    rows[40:, 4] = [1e4, 2e4, 3e4]  # a feature that would follow the bounds
    assert selected(rows, y, 1) == [4]
    assert selected(rows, y, 1, censored=sign) == selected(X, Y, 1)


def test_other_properties_do_not_guide_a_selection() -> None:
    rows, other = np.vstack([X, X]), 1e3 * X[:, 1]
    assert selected(rows, np.append(Y - Y.mean(), other), 1) == [1]
    assert selected(rows, np.append(Y, other), 1, task=np.repeat([0, 1], 40)) == selected(X, Y, 1)


def test_all_that_is_told_of_rows_reaches_the_surrogate() -> None:
    told = {"noise": np.full(40, 2.0), "censored": np.zeros(40), "source": np.full(40, "here")}
    model = prepared(Seer(), ("pca 2",)).fit(X, Y, **told)
    assert np.array_equal(model.surrogate_.y, Y)
    assert all(model.surrogate_.told[name] is value for name, value in told.items())
    assert "task" not in model.surrogate_.told  # which not every surrogate knows


def test_several_properties_are_prepared_together() -> None:
    rows, y, task = np.vstack([X, X]), np.append(Y, 2 * Y + 5), np.repeat([0, 1], 40)
    model = Prepared(GaussianProcess(), ("select 3", "pca 3")).fit(rows, y, task=task)
    assert model.surrogate_.correlations_.shape == (2, 2)
    assert np.corrcoef(model.predict(X), Y)[0, 1] > 0.9


def test_steps_work_on_the_scale_of_the_property_and_inside_wider_intervals() -> None:
    rate = np.exp(8 * X[:, 0])  # its logarithm is one feature, to the last digit
    model = Warped(Widened(Prepared(GaussianProcess(), ("select 1",)), 2.0), LOG).fit(X, rate)
    assert relevances_of(model, 5) == pytest.approx([1, 0, 0, 0, 0])
    assert np.corrcoef(np.log(model.predict(NEW)), NEW[:, 0])[0, 1] > 0.99


# -- what the surrogate says, in the features that were given


def test_relevances_are_those_of_the_features_that_axes_are_made_of() -> None:
    """One principal axis of two equal features and one that is unlike: half and half."""
    rng = np.random.default_rng(4)
    one = rng.normal(size=200)
    rows = np.column_stack([one, 50 * one, np.tile([1.0, -1.0], 100) * np.abs(one)])
    rows[:, 2] -= one * (rows[:, 2] @ one) / (one @ one)
    model = Prepared(GaussianProcess(), ("pca 1",)).fit(rows, one)
    assert model.relevances_ == pytest.approx([0.5, 0.5, 0], abs=1e-3)


@every_way
def test_relevances_add_up_to_one_and_are_of_the_features_given(way: tuple[str, ...]) -> None:
    model = Prepared(GaussianProcess(), way).fit(X, Y)
    assert model.relevances_.shape == (5,)
    assert (model.relevances_ >= 0).all()
    assert model.relevances_.sum() == pytest.approx(1)
    if way in (("select 2",), ("clusters 3",)):
        assert model.relevances_[[0, 3]].min() > 0.2 > model.relevances_[[1, 2, 4]].max()


def test_a_distance_is_made_of_the_features_in_which_kinds_lie_apart() -> None:
    class Judge(Seer):
        relevances_ = np.array([0.0, 0.2, 0.5, 0.3])  # of the two features and the distances to two kinds

    rows = np.column_stack([np.tile([10.0, 20.0], 10), np.repeat(np.arange(10.0), 2)])
    assert prepared(Judge(), ("clusters 2",)).fit(rows, rows[:, 0]).relevances_ == pytest.approx([0.8, 0.2])


def test_what_the_surrogate_does_not_say_is_not_said() -> None:
    model = prepared(Forest(n_trees=5), ("pca 2",)).fit(X, Y)
    assert relevances_of(model, 5) is None
    assert left_out_one_by_one(model) is None
    assert (model.noise_, model.scale_) == (model.surrogate_.noise_, model.surrogate_.scale_)


def test_what_a_surrogate_said_before_another_took_its_place_is_forgotten() -> None:
    model = prepared(GaussianProcess(), ("pca 2",)).fit(X, Y)
    model.set_params(surrogate=Forest(n_trees=5)).fit(X, Y)
    assert relevances_of(model, 5) is None
    assert not hasattr(model, "outliers_")


def test_outliers_are_named_by_their_rows() -> None:
    wrong = Y.copy()
    wrong[7] += 100
    assert prepared(GaussianProcess(), ("pca 5",)).fit(X, wrong).outliers_.tolist() == [7]


@pytest.mark.parametrize("way", [("pca 2",), ("ica 2",), ("clusters 2",)], ids=" then ".join)
def test_steps_that_know_no_values_let_one_be_left_out(way: tuple[str, ...]) -> None:
    model = prepared(GaussianProcess(), way).fit(X, Y)
    told = left_out_one_by_one(model)
    assert told is not None
    assert np.array_equal(told.mean, GaussianProcess().fit(model.surrogate_._donors, Y).leave_one_out().mean)


def test_a_selection_by_all_values_leaves_none_out_afterwards() -> None:
    assert left_out_one_by_one(Prepared(GaussianProcess(), ("pca 3", "select 2")).fit(X, Y)) is None


# -- as a BoTorch model and a scikit-learn estimator


@every_way
def test_its_posterior_is_differentiable(way: tuple[str, ...]) -> None:
    model = prepared(GaussianProcess(), way).fit(X, Y)
    rows = torch.tensor(NEW[:2], requires_grad=True)

    def moments(rows: torch.Tensor) -> torch.Tensor:
        posterior = model.posterior(rows)
        return torch.cat([posterior.mean, posterior.variance])

    assert moments(rows).detach().squeeze(-1)[:2].numpy() == pytest.approx(model.predict(NEW[:2]))
    assert torch.autograd.gradcheck(moments, (rows,), eps=1e-5, atol=1e-4, rtol=1e-3)


def test_a_posterior_at_the_very_middle_of_a_kind_has_a_finite_slope() -> None:
    pairs = np.repeat(X[:4], 5, axis=0)  # kinds without any width
    rows = torch.tensor(X[:4], requires_grad=True)
    Prepared(GaussianProcess(), ("clusters 4",)).fit(pairs, np.repeat(Y[:4], 5)).posterior(rows).mean.sum().backward()
    assert rows.grad is not None
    assert torch.isfinite(rows.grad).all()


def test_an_acquisition_climbs_to_where_the_property_is_high() -> None:
    model = prepared(GaussianProcess(), ("select 2",)).fit(X, Y)
    torch.manual_seed(0)
    box = torch.tensor(np.array([X.min(axis=0), X.max(axis=0)]))
    found, _ = optimize_acqf(LogExpectedImprovement(model, best_f=Y.max()), box, q=1, num_restarts=2, raw_samples=32)
    share = (found.numpy()[0] - X.min(axis=0)) / np.ptp(X, axis=0)
    assert share[0] > 0.9
    assert share[3] < 0.1


@every_way
def test_more_observations_teach_it_what_they_teach_the_surrogate(way: tuple[str, ...]) -> None:
    model = prepared(GaussianProcess(), way).fit(X, Y)
    here = torch.tensor(NEW[:1])
    more = model.condition_on_observations(here, torch.tensor([[150.0]]), noise=torch.tensor([[1e-6]]))
    assert more.posterior(here).mean.item() == pytest.approx(150, abs=0.01)
    assert more.posterior(here).variance.item() < 0.01 * model.posterior(here).variance.item()
    assert model.condition_on_observations(here, torch.tensor([[[150.0]], [[160.0]]])).batch_shape == torch.Size([2])
    assert prepared(GaussianProcess(), way).batch_shape == model.batch_shape == torch.Size()


@every_way
def test_its_settings_as_text_make_the_same_model_and_so_does_a_copy(way: tuple[str, ...]) -> None:
    model = prepared(GaussianProcess(), way).fit(X, Y)
    told = json.loads(json.dumps({name: value for name, value in model.get_params().items() if name != "surrogate"}))
    again = prepared(GaussianProcess(), ()).set_params(**told).fit(X, Y)
    for twin in (again, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert np.array_equal(twin.predict(NEW), model.predict(NEW))


def test_settings_of_the_surrogate_are_reached_through_it() -> None:
    model = prepared(GaussianProcess(), ("pca 2",)).set_params(surrogate__noise_prior=3.0)
    assert model.fit(X[:3], Y[:3]).surrogate_.noise_prior == 3


@parametrize_with_checks(  # type: ignore[untyped-decorator]  # scikit-learn comes without types
    [
        Prepared(partial(Forest, n_trees=5)(), ("select 5", "ica 9")),
        Prepared(GaussianProcess(), ("pca 9", "clusters 2")),
    ],
)
def test_it_has_scikit_learns_manners(estimator: Any, check: Any) -> None:
    check(estimator)
