"""What every surrogate promises, whatever it is made of.

Every family of the registry has to pass, those that take long among the slow tests; so has what holds other surrogates.
"""

from __future__ import annotations

import copy
import json
import pickle
import tracemalloc
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from botorch.acquisition.analytic import LogExpectedImprovement
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.models.model import Model
from botorch.optim.optimize import optimize_acqf, optimize_acqf_discrete
from botorch.sampling.normal import SobolQMCNormalSampler
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch.autograd import gradcheck

from alloyloop.surrogates import SURROGATES, AlloyloopError, Forest, GaussianProcess, Surrogate, surrogate
from alloyloop.surrogates.base import HERE, Family
from alloyloop.surrogates.blend import Blend, Member
from alloyloop.surrogates.botorch_model import BotorchModel
from alloyloop.surrogates.scales import LOG
from alloyloop.surrogates.warped import Warped
from alloyloop.surrogates.widened import Widened

pytestmark = pytest.mark.torch


def widened(**options: Any) -> Widened:
    return Widened(GaussianProcess(**options), 1.2)


def on_a_logarithm(**options: Any) -> Warped:
    return Warped(GaussianProcess(**options), LOG)


def blended(**options: Any) -> Blend:
    trees = Forest(kind="extra-trees", n_trees=options.pop("n_trees", 50), **options)
    return Blend((Member(GaussianProcess(**options), (0, 1, 2, 3), 0.6), Member(trees, (3, 1, 0), 0.4)))


DIFFERENTIABLE = [
    pytest.param(GaussianProcess, id="gaussian-process"),
    pytest.param(partial(GaussianProcess, sparse=True), id="sparse-gaussian-process"),
    pytest.param(widened, id="widened"),
    pytest.param(on_a_logarithm, id="on-a-logarithm"),
]
SETTABLE = [
    *DIFFERENTIABLE,
    pytest.param(partial(Forest, kind="random-forest", n_trees=50), id="random-forest"),
    pytest.param(partial(Forest, kind="extra-trees", n_trees=50), id="extra-trees"),
]
# Those that leave rows out themselves, with the first of their settings and fewer repeats: promises are not of skill.
QUICKLY = {"n_repeats": 2, "tune_seconds": 0.0}
# A fit of these takes longer than the whole of another's tests.
SLOW = ("adaboost", "bagging", "gradient-boosting", "neural-network", "neuro-fuzzy", "stack", "symbolic-regression")


def leaving_out(name: str, family: Family) -> Any:
    """A family of the registry, to be tested in its turn where it is installed."""
    marks = [pytest.mark.slow] if name in SLOW else []
    if not family.is_installed:
        marks.append(pytest.mark.skip(f"the package {family.needs} is not installed"))
    # Of a stack two members are enough, whose own promises are kept elsewhere.
    made_of = {"members": ("gaussian-process", "ridge")} if name == "stack" else {}
    return pytest.param(partial(surrogate, name, **QUICKLY, **made_of), id=name, marks=marks)


# What is believed of a line, and of nothing that bends.
STRAIGHT = ("linear", "ridge", "lasso", "support-vector-linear")
LEAVING_OUT = [leaving_out(name, family) for name, family in SURROGATES.items() if family.leaves_out]
SETTABLE += LEAVING_OUT
ALL_SURROGATES = [*SETTABLE, pytest.param(blended, id="blended")]
every_surrogate = pytest.mark.parametrize("make", ALL_SURROGATES)
every_one_that_bends = pytest.mark.parametrize("make", [one for one in ALL_SURROGATES if one.id not in STRAIGHT])
every_straight_one = pytest.mark.parametrize("make", [one for one in ALL_SURROGATES if one.id in STRAIGHT])


def truth(X: np.ndarray) -> np.ndarray:
    return np.asarray(60 + 30 * np.sin(3 * X[:, 0]) - 20 * X[:, 1])


def table(n: int, seed: int = 0, scatter: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """A smooth property of four features, of which two matter, in GPa."""
    rng = np.random.default_rng(seed)
    X = rng.random((n, 4))
    return X, truth(X) + rng.normal(0, scatter, n)


X40, Y40 = table(40)
NEW = np.random.default_rng(9).random((25, 4))


@every_surrogate
def test_it_keeps_the_protocol_and_is_a_botorch_model(make: Any) -> None:
    assert isinstance(make(), Surrogate)
    assert isinstance(BotorchModel(make()), Model)


@every_surrogate
def test_it_says_no_belief_before_it_is_fitted(make: Any) -> None:
    for ask in (make().predict, make().believe, lambda X: make().posterior(torch.from_numpy(X))):
        with pytest.raises(NotFittedError):
            ask(NEW)


@every_one_that_bends
def test_it_learns(make: Any) -> None:
    mean = make().fit(*table(150)).predict(NEW)
    assert np.sqrt(np.mean((mean - truth(NEW)) ** 2)) < 0.5 * np.std(truth(NEW))


@every_straight_one
def test_it_learns_a_line(make: Any) -> None:
    rows, _ = table(150)
    mean = make().fit(rows, 30 - 20 * rows[:, 1]).predict(NEW)
    assert mean == pytest.approx(30 - 20 * NEW[:, 1], abs=1)


@every_surrogate
def test_predict_and_believe_say_the_same(make: Any) -> None:
    model = make().fit(X40, Y40)
    belief = model.believe(NEW)
    mean, std = model.predict(NEW, return_std=True)
    assert np.array_equal(model.predict(NEW), mean)
    assert np.array_equal(mean, belief.mean)
    assert np.array_equal(std, belief.measured_std)


@every_surrogate
def test_a_prediction_does_not_depend_on_its_neighbours_in_the_table(make: Any) -> None:
    model = make().fit(X40, Y40)
    whole, alone = model.believe(NEW), [model.believe(row[None]) for row in NEW]
    assert whole.mean == pytest.approx(np.concatenate([one.mean for one in alone]), rel=1e-9)
    assert whole.std == pytest.approx(np.concatenate([one.std for one in alone]), rel=1e-6)


@every_surrogate
def test_the_same_data_give_the_same_belief(make: Any) -> None:
    first, second = (make().fit(X40, Y40).believe(NEW) for _ in range(2))
    assert np.array_equal(first.mean, second.mean)
    assert np.array_equal(first.std, second.std)


@every_surrogate
def test_covariance_is_symmetric_positive_and_holds_the_variances(make: Any) -> None:
    model = make().fit(X40, Y40)
    covariance = model.covariance(NEW, NEW)
    assert covariance == pytest.approx(covariance.T)
    assert np.linalg.eigvalsh(covariance).min() > -1e-9 * np.trace(covariance)
    assert np.sqrt(np.diag(covariance)) == pytest.approx(model.believe(NEW).std)
    assert model.covariance(NEW[:3], NEW[3:]) == pytest.approx(covariance[:3, 3:])


@every_surrogate
def test_draws_have_the_mean_and_covariance_that_are_believed(make: Any) -> None:
    model = make().fit(X40, Y40)
    draws = model.sample(NEW[:4], 40_000, np.random.default_rng(0))
    belief = model.believe(NEW[:4])
    assert draws.shape == (40_000, 4)
    assert draws.mean(axis=0) == pytest.approx(belief.mean, abs=5 * belief.std.max() / 200)  # 5 standard errors
    assert np.cov(draws.T) == pytest.approx(model.covariance(NEW[:4], NEW[:4]), abs=0.05 * belief.std.max() ** 2)


@every_surrogate
def test_draws_repeat_with_their_generator(make: Any) -> None:
    model = make().fit(X40, Y40)
    first, second = (model.sample(NEW, 2, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, second)


@every_surrogate
def test_repeats_of_one_alloy_never_make_it_certain(make: Any) -> None:
    X, y = np.repeat(X40[:4], 10, axis=0), np.repeat(Y40[:4], 10)
    belief = make().fit(X, y).believe(X)
    assert (belief.std > 0).all()
    assert (belief.noise >= 0.005 * np.std(y)).all()


@every_surrogate
def test_a_stated_noise_is_never_undercut(make: Any) -> None:
    assert make().fit(X40, Y40, noise=np.full(40, 7.0)).noise_ >= 7.0


@every_surrogate
def test_a_row_said_to_be_noisy_counts_less(make: Any) -> None:
    """By how far it moves the prediction at its place, from where the right value would leave it."""
    wrong, noise = Y40.copy(), np.full(40, 2.0)
    wrong[0] += 8  # not so wrong that it would be disregarded in any case
    moved = []
    for std in (2.0, 20.0):
        noise[0] = std
        right, misled = (make().fit(X40, y, noise=noise).predict(X40[:1])[0] for y in (Y40, wrong))
        moved.append(abs(misled - right))
    assert moved[1] < 0.7 * moved[0]


@every_surrogate
def test_an_unstated_noise_among_stated_ones_is_allowed(make: Any) -> None:
    noise = np.where(np.arange(40) % 2, np.nan, 2.0)
    assert np.isfinite(make().fit(X40, Y40, noise=noise).believe(NEW).measured_std).all()


@every_surrogate
def test_the_usual_scatter_guides_where_rows_are_few(make: Any) -> None:
    small, large = (make(noise_prior=scatter).fit(X40[:3], Y40[:3]).noise_ for scatter in (1.0, 10.0))
    assert small < 3 < large


@every_surrogate
@pytest.mark.parametrize("n", [3, 10, 60])
def test_ninety_per_cent_intervals_hold_about_ninety_per_cent(make: Any, n: int) -> None:
    if n == 3 and getattr(make, "keywords", {}).get("sparse"):
        pytest.skip("few of many features are not sought among three rows")
    X, y = table(400, seed=100)
    held = []
    for seed in range(12):
        low, high = make().fit(*table(n, seed=seed)).believe(X).interval(0.9)
        held.append(np.mean((low <= y) & (y <= high)))
    assert 0.8 <= np.mean(held) <= 0.99


@every_surrogate
@pytest.mark.parametrize("unit", [2.0**-30, 2.0**-10, 2.0**30])  # powers of two: no rounding can flip a tree's cut
def test_another_unit_of_the_property_changes_nothing_else(make: Any, unit: float) -> None:
    plain, scaled = make().fit(X40, Y40).believe(NEW), make().fit(X40, Y40 * unit).believe(NEW)
    assert scaled.mean / unit == pytest.approx(plain.mean, rel=1e-4)
    assert scaled.std / unit == pytest.approx(plain.std, rel=1e-3)
    assert scaled.noise / unit == pytest.approx(plain.noise, rel=1e-3)


@every_surrogate
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("same", [False, True])
def test_a_handful_of_rows_gives_wide_and_finite_intervals(make: Any, n: int, same: bool) -> None:
    y = np.full(n, 60.0) if same else np.array([50.0, 70.0, 65.0])[:n]
    belief = make().fit(X40[:n], y).believe(NEW)
    assert np.isfinite(belief.mean).all()
    assert (belief.std > 0).all()
    assert (belief.measured_std > 1).all()


@every_surrogate
def test_a_column_that_never_varies_teaches_nothing(make: Any) -> None:
    still = np.column_stack([X40, np.full(40, 37.0)])
    model = make().fit(still, Y40)
    belief = model.believe(np.column_stack([NEW, np.full(25, 37.0)]))
    assert belief.mean == pytest.approx(make().fit(X40, Y40).predict(NEW), rel=0.2)
    assert np.isfinite(model.believe(np.column_stack([NEW, np.full(25, 20.0)])).std).all()


@every_surrogate
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    data=st.lists(
        st.tuples(*[st.integers(-3, 3)] * 4, st.integers(-5, 5)),
        min_size=1,
        max_size=12,
    ),
    unit=st.sampled_from([1e-9, 1.0, 1e9]),
    offset=st.sampled_from([0.0, 1e6]),
)
def test_nothing_that_is_finite_breaks_it(make: Any, data: list[tuple[int, ...]], unit: float, offset: float) -> None:
    numbers = np.array(data, dtype=np.float64)
    rows, values = numbers[:, :4], numbers[:, 4]
    y = np.exp2(values) * unit if make is on_a_logarithm else values * unit + offset
    options = {"n_trees": 10} if make is blended or "n_trees" in getattr(make, "keywords", {}) else {}
    belief = make(**options).fit(rows * unit + offset, y).believe(rows + offset)
    assert np.isfinite(belief.mean).all()
    assert np.isfinite(belief.measured_std).all()
    assert (belief.measured_std > 0).all()


@every_surrogate
def test_a_hundred_thousand_rows_need_little_memory(make: Any) -> None:
    model = make().fit(X40, Y40)
    rows = np.random.default_rng(0).random((100_000, 4))
    tracemalloc.start()
    model.predict(rows, return_std=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6  # whole, 40 rows or trees by 100 000 would take 32 MB an array, and several are needed


@every_surrogate
def test_a_data_frame_is_known_by_its_columns(make: Any) -> None:
    frame = pd.DataFrame(X40, columns=["Ti", "Nb", "Zr", "Sn"])
    model = make().fit(frame, pd.Series(Y40))
    assert model.predict(pd.DataFrame(NEW, columns=frame.columns)) == pytest.approx(make().fit(X40, Y40).predict(NEW))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(pd.DataFrame(NEW, columns=["Nb", "Ti", "Zr", "Sn"]))


@every_surrogate
def test_a_feature_that_training_never_saw_or_that_is_gone_is_named(make: Any) -> None:
    frame = pd.DataFrame(X40, columns=["Ti", "Nb", "Zr", "Sn"])
    model = make().fit(frame, Y40)
    with pytest.raises(ValueError, match=r"unseen at fit time:\n- Mo"):
        model.believe(frame.assign(Mo=0.1))
    with pytest.raises(ValueError, match=r"now missing:\n- Zr"):
        model.believe(frame.drop(columns="Zr"))
    with pytest.raises(ValueError, match=r"3 features, but .* 4 features"):
        make().fit(X40, Y40).believe(NEW[:, :3])


@every_surrogate
@pytest.mark.parametrize(
    ("cell", "said"), [(np.nan, "is NaN"), (-np.inf, "is infinity"), ("beta", "is 'beta'")], ids=["NaN", "inf", "text"]
)
def test_a_feature_that_is_no_number_is_named_with_its_row(make: Any, cell: Any, said: str) -> None:
    frame = pd.DataFrame(X40, columns=["Ti", "Nb", "Zr", "Sn"])
    wrong = frame.assign(Zr=[*X40[:2, 2], cell, *X40[3:, 2]])
    model = make().fit(frame, Y40)
    for ask in (partial(make().fit, y=Y40), model.predict, partial(model.covariance, B=frame)):
        with pytest.raises(AlloyloopError, match=f"Zr {said}.*row 3"):
            ask(wrong)
    with pytest.raises(AlloyloopError, match=f"feature 3 {said}.*row 3"):
        make().fit(wrong.to_numpy(), Y40)


@every_surrogate
@pytest.mark.parametrize("cell", [np.nan, np.inf, "soft"], ids=["NaN", "inf", "text"])
def test_a_value_that_is_no_number_is_refused_by_its_place(make: Any, cell: object) -> None:
    wrong = Y40.astype(object)
    wrong[4] = cell
    with pytest.raises(AlloyloopError, match="value 5 of y is"):
        make().fit(X40, wrong)


@every_surrogate
@pytest.mark.parametrize("told", ["noise", "censored"])
def test_what_is_stated_of_too_few_rows_is_refused(make: Any, told: str) -> None:
    with pytest.raises(AlloyloopError, match="40 measured values"):
        make().fit(X40, Y40, **{told: [1] * 3})


@every_surrogate
def test_bounds_and_sources_may_be_stated(make: Any) -> None:
    """Whatever is learned from them: a surrogate that cannot leaves bounds out, and takes all sources for one."""
    sign, source = np.where(Y40 > 80, 1, 0), np.repeat(["a", "b", HERE, ""], 10)
    belief = make().fit(X40, np.minimum(Y40, 80.0), censored=sign, source=source).believe(NEW)
    assert np.sqrt(np.mean((belief.mean - truth(NEW)) ** 2)) < np.std(truth(NEW))


@pytest.mark.parametrize("make", SETTABLE)
def test_settings_alone_make_it_again(make: Any) -> None:
    """As text, of numbers and words: no model is ever stored."""
    model = make(noise_prior=3.0)
    fixed = ("surrogate", "scale", "regressor")  # what a family is made of, and not a setting of it
    told = model.get_params().items()
    named = {name: one for name, one in told if name not in fixed and not name.startswith("regressor__")}
    again = make().set_params(**json.loads(json.dumps(named)))
    assert np.array_equal(again.fit(X40, Y40).predict(NEW), model.fit(X40, Y40).predict(NEW))


@every_surrogate
def test_fitted_again_it_has_forgotten_what_it_learned_before(make: Any) -> None:
    frame = pd.DataFrame(X40[::-1], columns=["Ti", "Nb", "Zr", "Sn"])
    model = make().fit(frame, Y40 + 20, noise=np.full(40, 9.0), source=np.repeat(["a", HERE], 20)).fit(X40, Y40)
    first, second = model.believe(NEW), make().fit(X40, Y40).believe(NEW)
    assert np.array_equal(first.mean, second.mean)
    assert np.array_equal(first.measured_std, second.measured_std)


@pytest.mark.parametrize("make", DIFFERENTIABLE)
def test_the_posterior_has_the_right_gradients(make: Any) -> None:
    model = make().fit(X40, Y40)
    rows = torch.from_numpy(NEW[:2].copy()).requires_grad_()
    assert gradcheck(lambda at: model.posterior(at).mean, rows)
    assert gradcheck(lambda at: model.posterior(at).variance, rows, atol=1e-4)


@every_surrogate
def test_it_is_cloned_copied_pickled_and_cross_validated(make: Any) -> None:
    model = make(noise_prior=3.0).fit(X40, Y40)
    model.posterior(torch.from_numpy(NEW))
    fresh: Any = clone(model)
    assert repr(fresh) == repr(model)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), fresh.fit(X40, Y40)):
        assert np.array_equal(twin.predict(NEW), model.predict(NEW))
    assert cross_val_score(make(), X40, 30 - 20 * X40[:, 1], cv=4, scoring="r2").mean() > 0.2


@parametrize_with_checks(  # type: ignore[untyped-decorator]  # scikit-learn comes without types
    [
        GaussianProcess(),
        GaussianProcess(sparse=True),
        Forest(n_trees=20),
        Forest(kind="extra-trees", n_trees=20),
        Widened(GaussianProcess(), 1.2),
        Blend((Member(GaussianProcess(), (0,), 0.5), Member(Forest(n_trees=5), (0,), 0.5))),
    ]
)
def test_it_has_scikit_learns_manners(estimator: Any, check: Any) -> None:
    check(estimator)


@every_surrogate
def test_its_posterior_is_what_is_believed_in_the_units_of_the_data(make: Any) -> None:
    model = make().fit(X40, Y40)
    posterior, belief = model.posterior(torch.from_numpy(NEW)), model.believe(NEW)
    assert posterior.mean.shape == (25, 1)
    assert posterior.mean.squeeze(-1).numpy() == pytest.approx(belief.mean, rel=1e-8)
    assert posterior.variance.sqrt().squeeze(-1).numpy() == pytest.approx(belief.std, rel=1e-5)
    assert posterior.distribution.covariance_matrix.numpy() == pytest.approx(
        model.covariance(NEW, NEW), rel=1e-5, abs=1e-5
    )
    measured = model.posterior(torch.from_numpy(NEW), observation_noise=True)
    assert measured.variance.sqrt().squeeze(-1).numpy() == pytest.approx(belief.measured_std, rel=1e-5)


@every_surrogate
def test_its_posterior_comes_in_batches(make: Any) -> None:
    model = make().fit(X40, Y40)
    rows = torch.from_numpy(NEW[:24]).reshape(2, 4, 3, 4)
    posterior = model.posterior(rows)
    assert (model.num_outputs, model.batch_shape) == (1, torch.Size())
    assert posterior.rsample(torch.Size([5])).shape == (5, 2, 4, 3, 1)
    assert posterior.mean[1, 2].squeeze(-1).numpy() == pytest.approx(model.predict(rows[1, 2].numpy()))


@every_surrogate
@pytest.mark.filterwarnings("ignore:Optimization failed:RuntimeWarning")  # where trees step, no gradient tells of it
def test_botorchs_acquisitions_work_on_it(make: Any) -> None:
    model = make().fit(X40, Y40)
    box = torch.stack([torch.zeros(4), torch.ones(4)]).double()
    choices = torch.from_numpy(NEW)
    torch.manual_seed(0)
    for acquisition, q in (
        (LogExpectedImprovement(model, best_f=Y40.max()), 1),
        (
            qLogNoisyExpectedImprovement(
                model, torch.from_numpy(X40), sampler=SobolQMCNormalSampler(torch.Size([16]), seed=0)
            ),
            2,
        ),
    ):
        found, value = optimize_acqf(acquisition, box, q=q, num_restarts=2, raw_samples=16)
        assert found.shape == (q, 4)
        assert value is not None
        assert torch.isfinite(value)
        picked, _ = optimize_acqf_discrete(acquisition, q=q, choices=choices)
        assert picked.shape == (q, 4)


@every_one_that_bends
def test_expected_improvement_is_sought_where_the_property_is_high(make: Any) -> None:
    model = make().fit(*table(100))
    acquisition = LogExpectedImprovement(model, best_f=80.0)
    picked, _ = optimize_acqf_discrete(acquisition, q=1, choices=torch.from_numpy(NEW))
    assert truth(picked.numpy())[0] >= np.quantile(truth(NEW), 0.9)


@every_surrogate
def test_a_property_too_small_for_botorch_is_refused_and_not_misjudged(make: Any) -> None:
    model = make().fit(X40, 1e-9 * Y40)
    with pytest.raises(AlloyloopError, match="smaller unit"):
        model.posterior(torch.from_numpy(NEW))
