"""Reasons as numbers: shares that sum to what they explain, and errors that rise where something is mixed up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from math import log
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.surrogates import explain
from alloyloop.surrogates.base import FloatArray, Prediction
from alloyloop.surrogates.errors import AlloyloopError
from alloyloop.surrogates.explain import (
    MOST_ENUMERATED,
    Asker,
    Inner,
    deviations,
    discounted_by,
    innermost,
    left_out_one_by_one,
    relevances_of,
    rise_of_error,
    shap_shares,
    shapley,
    told_of,
    tuned_of,
)
from alloyloop.surrogates.scales import LINEAR, LOG, Normal


def asker(function: object, point: FloatArray, background: FloatArray) -> Asker:
    """Ask a function of rows for points of which some groups have gone over from a background row."""
    return lambda taken, row: function(np.where(taken, point, background[row]))  # type: ignore[operator]


def curved(X: FloatArray) -> FloatArray:
    """Something with interactions of every order."""
    return np.asarray(X[:, 0] * X[:, 1] + np.exp(X.prod(axis=1)) - X[:, -1] ** 2)


def rows(n: int, d: int, seed: int) -> FloatArray:
    return np.random.default_rng(seed).uniform(-1, 1, (n, d))


def test_the_rise_is_that_of_the_root_mean_square_error() -> None:
    # By hand: errors (3, 4) make sqrt(12.5); mixed up (0, 0) and (6, 8) make 0 and sqrt(50).
    y, mean = np.array([0.0, 0.0]), np.array([3.0, 4.0])
    rise = rise_of_error(y, mean, np.array([[0.0, 0.0], [6.0, 8.0]]))
    assert rise.mean == pytest.approx(50**0.5 / 2 - 12.5**0.5)
    assert rise.std == pytest.approx(50**0.5 / 2**0.5)


def test_shares_are_the_mean_over_every_order_and_every_background_row() -> None:
    """Shapley's own definition, all 24 orders written out."""
    point, background = rows(1, 4, 0)[0], rows(3, 4, 1)
    wanted = np.zeros(4)
    for row in background:
        for order in permutations(range(4)):
            at = row.copy()
            for group in order:
                before = curved(at[None])[0]
                at[group] = point[group]
                wanted[group] += (curved(at[None])[0] - before) / (24 * 3)
    told = shapley(asker(curved, point, background), 4, 3, np.random.default_rng(0))
    np.testing.assert_allclose(told.of, wanted, atol=1e-12)
    assert (told.errors == 0).all()


@given(st.integers(1, MOST_ENUMERATED + 3), st.integers(1, 5), st.integers(0, 100))
def test_shares_and_the_mean_of_the_background_sum_to_the_prediction(d: int, n: int, seed: int) -> None:
    point, background = rows(1, d + 1, seed)[0], rows(n, d + 1, seed + 1)
    told = shapley(asker(curved, point, background), d + 1, n, np.random.default_rng(0))
    assert told.base == pytest.approx(curved(background).mean())
    assert told.base + told.of.sum() == pytest.approx(curved(point[None])[0])


@pytest.mark.parametrize("d", [3, MOST_ENUMERATED + 2])
def test_a_sum_is_shared_as_its_terms_and_what_is_not_asked_for_gets_nothing(d: int) -> None:
    point, background = rows(1, d, 2)[0], rows(4, d, 3)
    weights = np.arange(d, dtype=np.float64)  # the first group is not asked for
    told = shapley(asker(lambda X: X @ weights, point, background), d, 4, np.random.default_rng(0))
    np.testing.assert_allclose(told.of, weights * (point - background.mean(axis=0)), atol=1e-12)
    assert told.of[0] == 0


def test_drawn_orders_come_as_near_to_all_of_them_as_their_error_says(monkeypatch: pytest.MonkeyPatch) -> None:
    d = 7
    ask = asker(curved, rows(1, d, 4)[0], rows(6, d, 5))
    exact = shapley(ask, d, 6, np.random.default_rng(0))
    monkeypatch.setattr(explain, "MOST_ENUMERATED", 0)
    drawn = shapley(ask, d, 6, np.random.default_rng(0))
    assert (drawn.errors > 0).all()
    assert drawn.errors.max() < 0.02
    assert (np.abs(drawn.of - exact.of) < 4 * drawn.errors).all()


def test_deviations_are_counted_on_the_scale_of_the_model() -> None:
    plain = Prediction(np.array([60.0]), np.array([3.0]), np.array([4.0]))
    assert deviations(plain, np.array([50.0])) == pytest.approx([-2])
    behind = Normal(LOG, np.array([0.0]), np.array([log(2)]))
    skewed = Prediction(np.array([1.3]), np.array([1.0]), np.array([0.5]), behind)
    assert deviations(skewed, np.array([8.0])) == pytest.approx([3])  # three doublings


def test_where_nothing_is_uncertain_nothing_deviates() -> None:
    sure = Prediction(np.array([60.0]), np.array([0.0]), np.array([0.0]))
    assert deviations(sure, np.array([60.0])) == [0]


@dataclass(frozen=True)
class Plain:
    relevances_: FloatArray
    outliers_: tuple[int, ...] = (4,)

    def leave_one_out(self) -> Prediction:
        return Prediction(np.array([60.0]), np.array([3.0]), np.array([4.0]))


@dataclass(frozen=True)
class Wrapped:
    """A surrogate on a scale: it doubles what the one inside it says."""

    surrogate_: object

    def leave_one_out(self) -> Prediction:
        inside = cast(Plain, self.surrogate_).leave_one_out()
        return Prediction(2 * inside.mean, 2 * inside.std, 2 * inside.noise)


def test_what_a_surrogate_says_of_itself_is_found_inside_another() -> None:
    model = Wrapped(Plain(np.array([0.25, 0.75])))
    told = relevances_of(model, 2)
    assert told is not None
    assert told.tolist() == [0.25, 0.75]
    assert relevances_of(model, 3) is None  # of features that it made itself, such as principal components
    assert discounted_by(model) == {4}
    left_out = left_out_one_by_one(model)
    assert left_out is not None
    assert left_out.mean.tolist() == [120]  # as the outermost says it: in the property's unit


def test_what_a_surrogate_cannot_say_it_does_not_say() -> None:
    for model in (object(), Wrapped(object())):
        assert relevances_of(model, 2) is None
        assert discounted_by(model) == frozenset()
        assert left_out_one_by_one(model) is None


# -- by the package shap ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [2, 4, MOST_ENUMERATED + 1])
def test_the_package_shap_and_we_share_alike(d: int) -> None:
    pytest.importorskip("shap", reason="shap is not installed: pip install 'alloyloop[shap]'")
    points, background = rows(3, d, 6), rows(5, d, 7)
    told = shap_shares(lambda taken, row, of: curved(np.where(taken, points[of], background[row])), 3, d, 5)
    for point, shares in zip(points, told, strict=True):
        own = shapley(asker(curved, point, background), d, 5, np.random.default_rng(0))
        assert shares.base == pytest.approx(own.base)
        np.testing.assert_allclose(shares.of, own.of, atol=1e-9 if d <= MOST_ENUMERATED else 0.1)
        assert shares.base + shares.of.sum() == pytest.approx(curved(point[None])[0])
        assert (shares.errors > 0).any() == (d > MOST_ENUMERATED)


def test_shap_draws_the_same_orders_again_and_leaves_the_lots_of_others_alone() -> None:
    pytest.importorskip("shap", reason="shap is not installed: pip install 'alloyloop[shap]'")
    d = MOST_ENUMERATED + 1
    points, background = rows(1, d, 6), rows(5, d, 7)
    before = repr(np.random.get_state())  # noqa: NPY002  # what shap draws by
    first, again, other = (
        shap_shares(lambda taken, row, of: curved(np.where(taken, points[of], background[row])), 1, d, 5, seed)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first[0].of, again[0].of)
    assert (first[0].of != other[0].of).any()
    assert repr(np.random.get_state()) == before  # noqa: NPY002


def test_without_the_package_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain, "find_spec", lambda name: None)
    with pytest.raises(AlloyloopError, match=r"not installed. Install it: pip install 'alloyloop\[shap\]'"):
        shap_shares(lambda taken, row, of: np.zeros(len(row)), 1, 2, 3)


# -- what a model says of itself --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chosen:
    tuned_: dict[str, object]
    n_tried_: int | None = None


def test_settings_are_told_without_the_steps_that_they_belong_to() -> None:
    told = tuned_of(Wrapped(Chosen({"svr__C": 10.0, "svr__kernel": "rbf", "mlp__sizes": (32, np.int64(16))}, 12)))
    assert told is not None
    assert told.settings == {"C": 10.0, "kernel": "rbf", "sizes": [32, 16]}
    assert str(told) == "C 10, kernel rbf, sizes 32 × 16 (of 12 settings tried)"


def test_two_steps_with_a_setting_of_one_name_are_told_apart() -> None:
    told = tuned_of(Chosen({"a__alpha": 1.0, "b__alpha": 2.0}))
    assert told is not None
    assert told.words == "a__alpha 1, b__alpha 2"


@pytest.mark.parametrize("model", [object(), Chosen({}), Wrapped(Chosen({}))])
def test_a_model_that_chose_nothing_has_no_settings(model: object) -> None:
    assert tuned_of(model) is None


class Seven:
    """A regressor of unit spread about zero, as the adapter has it."""

    def predict(self, X: FloatArray) -> FloatArray:
        return np.full(len(X), 7.0)


class Formula(Seven):
    def formula(self, names: Sequence[str], centre: float, unit: float) -> str:
        return f"{centre:g} + {unit:g} * ({names[0]} + {names[1]}^2)"


class Rules(Seven):
    def rules(self, names: Sequence[str], centre: float, unit: float) -> list[str]:
        return [f"where {names[0]} is low: {centre - unit:g}"]


@dataclass(frozen=True)
class Pipeline:
    steps: Sequence[tuple[str, Any]]

    def predict(self, X: FloatArray) -> FloatArray:
        return cast(FloatArray, self.steps[-1][1].predict(X))


@dataclass(frozen=True)
class Fitted:
    regressor_: Any
    n_features_in_: int = 2
    scale_: float = 20.0

    def predict(self, X: FloatArray) -> FloatArray:
        return np.asarray(70.0 + self.scale_ * self.regressor_.predict(X))


@pytest.mark.parametrize("wrap", [lambda last: last, lambda last: Pipeline([("scale", object()), ("last", last)])])
def test_a_formula_is_told_in_the_names_of_the_features_and_the_unit_of_the_property(wrap: Any) -> None:
    told = told_of(Inner(Fitted(wrap(Formula())), (2, 0), LOG), ("Nb", "Zr", "Ti"))
    assert told is not None
    assert (told.formula, told.rules) == ("70 + 20 * (Ti + Nb^2)", ())
    assert told.of("corrosion rate") == "log of corrosion rate"


def test_rules_of_features_that_were_made_of_others_name_these_by_number() -> None:
    told = told_of(Inner(Fitted(Rules()), None), ("Nb", "Zr", "Ti"))
    assert told is not None
    assert told.rules == ("where axis 1 is low: 50",)
    assert told.of("hardness") == "hardness"


@pytest.mark.parametrize("model", [object(), Fitted(object())])
def test_a_model_without_a_formula_tells_none(model: object) -> None:
    assert told_of(Inner(model, (0, 1)), ("Nb", "Zr")) is None


@pytest.mark.torch
def test_the_models_inside_are_found_with_the_features_and_the_scale_that_they_have() -> None:
    from sklearn.linear_model import Ridge

    from alloyloop.surrogates.blend import Blend, Member
    from alloyloop.surrogates.cross_fitted import CrossFitted
    from alloyloop.surrogates.preparation import Prepared
    from alloyloop.surrogates.warped import Warped
    from alloyloop.surrogates.widened import Widened

    X, y = rows(20, 3, 0), np.exp(rows(20, 1, 1)[:, 0])
    plain = CrossFitted(Ridge(), n_repeats=1)
    blend = Blend((Member(Widened(plain, 2.0), (2, 0), 0.5), Member(Prepared(plain, ("pca 1",)), (0, 1), 0.5)))
    inside = list(innermost(Widened(Warped(blend, LOG), 1.5).fit(X, y), range(3)))
    assert [(inner.columns, inner.scale) for inner in inside] == [((2, 0), LOG), (None, LOG)]
    assert all(isinstance(inner.model, CrossFitted) for inner in inside)
    (alone,) = innermost(plain.fit(X, y), range(3))
    assert (alone.columns, alone.scale) == ((0, 1, 2), LINEAR)
