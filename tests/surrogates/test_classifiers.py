"""What every classifier promises, whatever it is made of: one that is registered has to pass."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from alloyloop.surrogates import AlloyloopError
from alloyloop.surrogates.base import Family
from alloyloop.surrogates.classifiers import CLASSIFIERS, classifier, classifier_names, register_classifier

pytestmark = pytest.mark.torch

ALL = sorted(CLASSIFIERS)
every_classifier = pytest.mark.parametrize("name", ALL)


def tuned(name: str) -> Any:
    """One that leaves each row out once only."""
    return classifier(name, n_repeats=1)


def quick(name: str, **options: Any) -> Any:
    """One that leaves each row out once only, of a single setting and of few trees."""
    model = tuned(name).set_params(**options)
    fewer = {key: 15 for key in model.get_params() if key.endswith("n_estimators")}
    likely = [{key: value for key, value in model.grid[-1].items() if not key.endswith("n_estimators")}]
    return model.set_params(grid=likely, **fewer)


def table(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three classes in a plane, the third rare, of four features; one row in twenty is of any."""
    rng = np.random.default_rng(seed)
    X = rng.random((n, 4))
    y = np.where(X[:, 0] > 0.55, 1, 0)
    y[X[:, 0] + X[:, 1] > 1.6] = 2
    return X, np.where(rng.random(n) < 0.05, rng.integers(0, 3, n), y)


def log_loss(y: np.ndarray, probabilities: np.ndarray) -> float:
    return float(-np.log(probabilities[np.arange(len(y)), y]).mean())


X60, Y60 = table(60)
NEW = np.random.default_rng(9).random((25, 4))


def test_the_families_of_the_literature_are_there() -> None:
    assert {
        "forest",
        "gaussian-process",
        "gradient-boosting",
        "linear-discriminant",
        "logistic",
        "naive-bayes",
        "nearest-neighbours",
        "probabilistic-network",
        "support-vector",
    } <= set(classifier_names())


def test_names_are_known_without_loading_a_model() -> None:
    """`alloyloop check` asks for them, and must not wait for torch or scikit-learn."""
    code = (
        "import sys; from alloyloop.surrogates.classifiers import classifier_names; classifier_names();"
        "sys.exit(bool({'torch', 'sklearn'} & sys.modules.keys()))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_family_says_what_it_is_good_for() -> None:
    assert all(family.about and family.leaves_out for family in CLASSIFIERS.values())


def test_a_name_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(AlloyloopError, match=r"no model of classes named 'k-star'.*naive-bayes"):
        classifier("k-star")


def test_ones_own_is_asked_for_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alloyloop.surrogates.classifiers.CLASSIFIERS", dict(CLASSIFIERS))
    register_classifier("my-own", "for a test")(_Coin)
    assert "my-own" in classifier_names()
    assert isinstance(classifier("my-own"), _Coin)


def test_one_whose_package_is_not_installed_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CLASSIFIERS, "absent", Family(cast(Any, _Coin), needs="no_such_module", extra="absent"))
    with pytest.raises(AlloyloopError, match=r"pip install 'alloyloop\[absent\]'"):
        classifier("absent")


class _Coin(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn comes without types
    """Says of every row, and as firmly as given, that it is of the class whose number stands in its first feature."""

    def __init__(self, sure: float = 0.5) -> None:
        self.sure = sure

    def fit(self, X: Any, y: Any) -> _Coin:
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: Any) -> np.ndarray:
        told = np.full((len(X), len(self.classes_)), (1 - self.sure) / (len(self.classes_) - 1))
        told[np.arange(len(X)), np.searchsorted(self.classes_, np.asarray(X)[:, 0].astype(int))] = self.sure
        return told


@every_classifier
def test_it_says_nothing_before_it_is_fitted(name: str) -> None:
    with pytest.raises(NotFittedError):
        quick(name).predict_proba(NEW)


@every_classifier
def test_it_learns(name: str) -> None:
    """That is, it makes rows likelier that it has not seen than the frequencies of the classes do."""
    X, y = table(400, seed=100)
    fitted = quick(name).fit(*table(120))
    assert log_loss(y, fitted.predict_proba(X)) < 0.75 * log_loss(y, np.tile(fitted.frequencies_, (400, 1)))


@every_classifier
def test_probabilities_come_true_as_often_as_they_say(name: str) -> None:
    """In three bins, within what four tables of 60 rows leave to chance: some 0.06 in each, and twice as much."""
    X, y = table(500, seed=100)
    told = np.vstack([tuned(name).fit(*table(60, seed)).predict_proba(X) for seed in range(4)])
    came = np.tile(np.arange(3) == y[:, None], (4, 1))
    for low, high in ((0.0, 0.3), (0.3, 0.6), (0.6, 1.0)):
        inside = (told >= low) & (told < high)
        assert abs(told[inside].mean() - came[inside].mean()) < 0.12


@every_classifier
def test_what_it_believed_of_rows_left_out_scores_as_new_rows_do(name: str) -> None:
    X, y = table(1000, seed=100)
    kept, new = [], []
    for seed in range(3):
        rows, codes = table(80, seed)
        fitted = quick(name).fit(rows, codes)
        assert fitted.held_out_.shape == (80, 3)
        kept.append(log_loss(codes, fitted.held_out_))
        new.append(log_loss(y, fitted.predict_proba(X)))
    assert np.mean(kept) == pytest.approx(np.mean(new), abs=0.12)


@every_classifier
def test_probabilities_add_up_and_none_is_impossible_or_certain(name: str) -> None:
    told = quick(name).fit(X60, Y60).predict_proba(np.vstack([NEW, 100 * NEW]))
    assert told.sum(axis=1) == pytest.approx(1)
    assert told.min() >= 1 / (2 * 60 + 3) - 1e-12  # half a row of 60, beside half a row for each class
    assert told.max() < 1


@every_classifier
def test_the_likeliest_class_is_predicted(name: str) -> None:
    fitted = quick(name).fit(X60, Y60)
    assert np.array_equal(fitted.predict(NEW), fitted.predict_proba(NEW).argmax(axis=1))


@every_classifier
def test_the_same_data_give_the_same_belief(name: str) -> None:
    first, second = (quick(name).fit(X60, Y60) for _ in range(2))
    assert np.array_equal(first.predict_proba(NEW), second.predict_proba(NEW))
    assert np.array_equal(first.held_out_, second.held_out_)


@every_classifier
def test_a_prediction_does_not_depend_on_its_neighbours_in_the_table(name: str) -> None:
    fitted = quick(name).fit(X60, Y60)
    alone = np.vstack([fitted.predict_proba(row[None]) for row in NEW])
    assert fitted.predict_proba(NEW) == pytest.approx(alone, rel=1e-6)


@every_classifier
def test_settings_alone_make_it_again(name: str) -> None:
    """As text, of numbers and words: no model is ever stored."""
    stated = {"n_classes": 4, "seed": 3, "n_repeats": 1, "tune_seconds": 30.0}
    model = classifier(name, **json.loads(json.dumps(stated)))
    fitted: Any = clone(model)
    assert repr(fitted) == repr(model)
    assert {key: fitted.get_params()[key] for key in stated} == stated
    again = pickle.loads(pickle.dumps(fitted.fit(X60, Y60)))
    assert np.array_equal(again.predict_proba(NEW), fitted.predict_proba(NEW))


@every_classifier
def test_fitted_again_it_has_forgotten_what_it_learned_before(name: str) -> None:
    frame = pd.DataFrame(X60[::-1], columns=["Ti", "Nb", "Zr", "Sn"])
    model = quick(name).fit(frame, 2 - Y60, source=np.repeat(list("abcdef"), 10)).fit(X60, Y60)
    assert np.array_equal(model.predict_proba(NEW), quick(name).fit(X60, Y60).predict_proba(NEW))


@every_classifier
def test_a_class_that_training_never_saw_is_as_likely_as_half_a_row(name: str) -> None:
    told = quick(name, n_classes=4).fit(X60, Y60).predict_proba(NEW)
    assert told.shape == (25, 4)
    assert (told[:, 3] >= 0.5 / (60 + 4 / 2) - 1e-12).all()
    assert (told[:, 3] < 0.1).all()


@every_classifier
def test_one_row_of_a_class_is_learned_from(name: str) -> None:
    y = np.where(np.arange(40) == 7, 1, 0)
    told = quick(name).fit(X60[:40], y).predict_proba(NEW)
    assert (told[:, 1] < 0.5).all()
    assert np.isfinite(told).all()


@every_classifier
@pytest.mark.parametrize("y", [[0, 1], [0, 0, 1], [0, 1, 2], [0, 1, 1, 0]], ids=str)
def test_a_handful_of_rows_moves_it_little_from_the_frequencies(name: str, y: list[int]) -> None:
    fitted = quick(name).fit(X60[: len(y)], y)
    told = fitted.predict_proba(NEW)
    assert told.sum(axis=1) == pytest.approx(1)
    assert np.abs(told - fitted.frequencies_).max() < 0.35
    assert fitted.held_out_.shape == told[: len(y)].shape


@every_classifier
def test_far_from_all_rows_only_the_frequencies_remain(name: str) -> None:
    fitted = quick(name).fit(X60, Y60)
    assert fitted.predict_proba(X60[:3] + 1e4) == pytest.approx(np.tile(fitted.frequencies_, (3, 1)), abs=0.03)


@every_classifier
def test_a_column_that_never_varies_teaches_nothing(name: str) -> None:
    still = np.column_stack([X60, np.full(60, 37.0)])
    told = quick(name).fit(still, Y60).predict_proba(np.column_stack([NEW, np.full(25, 37.0)]))
    without = quick(name).fit(X60, Y60).predict_proba(NEW)
    assert log_loss(*_truth(told)) == pytest.approx(log_loss(*_truth(without)), abs=0.1)


def _truth(told: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y = np.where(NEW[:, 0] > 0.55, 1, 0)
    y[NEW[:, 0] + NEW[:, 1] > 1.6] = 2
    return y, told


@every_classifier
def test_repeats_of_one_alloy_are_left_out_together(name: str) -> None:
    """Each design is of a class by lot: had it seen the twin of a row, it would know."""
    rng = np.random.default_rng(0)
    X, y = np.repeat(rng.random((30, 4)), 4, axis=0), np.repeat(rng.integers(0, 2, 30), 4)
    held_out = quick(name).fit(X, y).held_out_
    assert log_loss(y, held_out) > 0.6  # of a fair coin: 0.69


@every_classifier
def test_whole_sources_are_left_out_together(name: str) -> None:
    """Each source has a place and a class by lot: had it seen another row of the source, it would know."""
    rng = np.random.default_rng(1)
    source = np.repeat(np.arange(24), 5)
    X, y = rng.random((24, 4))[source] + 0.01 * rng.random((120, 4)), rng.integers(0, 2, 24)[source]
    names = np.array([f"paper {i}" for i in source])
    alone, together = (quick(name).fit(X, y, source=of).held_out_ for of in (None, names))
    assert log_loss(y, alone) < log_loss(y, together)
    assert log_loss(y, together) > 0.6  # of a fair coin: 0.69


@every_classifier
@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_another_unit_of_the_features_changes_nothing(name: str, unit: float) -> None:
    plain, scaled = (quick(name).fit(of * X60, Y60).predict_proba(of * NEW) for of in (1.0, unit))
    assert scaled == pytest.approx(plain, abs=0.02)


@every_classifier
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    data=st.lists(st.tuples(*[st.integers(-2, 2)] * 2, st.integers(0, 2)), min_size=2, max_size=9).filter(
        lambda rows: len({row[2] for row in rows}) > 1
    ),
    unit=st.sampled_from([1e-9, 1.0, 1e9]),
    offset=st.sampled_from([0.0, 1e6]),
)
def test_nothing_that_is_finite_breaks_it(name: str, data: list[tuple[int, ...]], unit: float, offset: float) -> None:
    numbers = np.array(data, dtype=np.float64)
    rows = numbers[:, :2] * unit + offset
    told = quick(name, n_classes=3).fit(rows, numbers[:, 2].astype(int)).predict_proba(np.vstack([rows, rows + unit]))
    assert told.sum(axis=1) == pytest.approx(1)
    assert (told >= 1 / (2 * len(data) + 3) - 1e-12).all()


@every_classifier
def test_a_data_frame_is_known_by_its_columns(name: str) -> None:
    frame = pd.DataFrame(X60, columns=["Ti", "Nb", "Zr", "Sn"])
    model = quick(name).fit(frame, pd.Series(Y60))
    assert model.predict_proba(pd.DataFrame(NEW, columns=frame.columns)) == pytest.approx(
        quick(name).fit(X60, Y60).predict_proba(NEW)
    )
    with pytest.raises(ValueError, match="feature names"):
        model.predict_proba(pd.DataFrame(NEW, columns=["Nb", "Ti", "Zr", "Sn"]))


@every_classifier
@pytest.mark.parametrize(("cell", "said"), [(np.nan, "is NaN"), (-np.inf, "is infinity"), ("beta", "is 'beta'")])
def test_a_feature_that_is_no_number_is_named_with_its_row(name: str, cell: Any, said: str) -> None:
    frame = pd.DataFrame(X60, columns=["Ti", "Nb", "Zr", "Sn"])
    wrong = frame.assign(Zr=[*X60[:2, 2], cell, *X60[3:, 2]])
    with pytest.raises(AlloyloopError, match=f"Zr {said}.*row 3"):
        quick(name).fit(wrong, Y60)


# The rest is the adapter's own, whatever it wraps.

nb: Callable[..., Any] = partial(quick, "naive-bayes")


@pytest.mark.parametrize(("cell", "said"), [(np.nan, "NaN"), ("beta", "'beta'"), (-1, "-1"), (0.5, "0.5")])
def test_a_class_that_is_no_number_is_refused_by_its_place(cell: object, said: str) -> None:
    wrong = Y60.astype(object)
    wrong[4] = cell
    with pytest.raises(AlloyloopError, match=f"value 5 of y is {said}"):
        nb().fit(X60, wrong)


def test_a_class_beyond_those_stated_is_refused() -> None:
    with pytest.raises(AlloyloopError, match="class 2, but there are 2 classes"):
        nb(n_classes=2).fit(X60, Y60)


def test_rows_of_one_class_only_teach_nothing_and_it_says_so() -> None:
    with pytest.raises(AlloyloopError, match="of one class, number 1, so that there is nothing to tell apart"):
        nb().fit(X60, np.ones(60, dtype=int))


def test_sources_of_other_rows_are_refused() -> None:
    with pytest.raises(AlloyloopError, match="60 rows but 3 sources"):
        nb().fit(X60, Y60, source=["a", "b", "c"])


def test_numbers_of_classes_may_come_as_floats() -> None:
    assert np.array_equal(nb().fit(X60, Y60.astype(float)).predict(NEW), nb().fit(X60, Y60).predict(NEW))


def _said_by_lot(sure: float, right: float, n: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Rows that say their class in the first feature, of which so many are right; the second tells rows apart."""
    rng = np.random.default_rng(0)
    said = rng.integers(0, 2, n)
    return np.column_stack([said, rng.random(n)]), np.where(rng.random(n) < right, said, 1 - said)


@pytest.mark.parametrize("sure", [0.6, 0.99])
def test_the_strength_makes_probabilities_as_sure_as_they_are_right(sure: float) -> None:
    """What is right in 80 of 100 rows is believed with 0.8, however sure of itself the classifier is."""
    from alloyloop.surrogates.classifying import CrossFittedClassifier

    fitted = CrossFittedClassifier(_Coin(sure), n_repeats=1).fit(*_said_by_lot(sure, right=0.8))
    assert fitted.predict_proba([[0.0, 0.5], [1.0, 0.5]])[[0, 1], [0, 1]] == pytest.approx(0.8, abs=0.05)
    assert (fitted.strength_ > 1) == (sure < 0.8)


def test_what_tells_no_rows_apart_leaves_the_frequencies() -> None:
    from alloyloop.surrogates.classifying import CrossFittedClassifier

    y = np.repeat([0, 0, 0, 1], 25)
    said = CrossFittedClassifier(DummyClassifier(strategy="prior"), n_repeats=1).fit(np.arange(100)[:, None], y)
    # Half a row more for each of two classes, beside 75 and 25; and again, where probabilities are made of it.
    assert said.predict_proba([[3.0]])[0] == pytest.approx([0.75, 0.25], abs=0.01)


def test_margins_serve_where_there_are_no_probabilities() -> None:
    from alloyloop.surrogates.classifying import CrossFittedClassifier

    for codes in (Y60, np.minimum(Y60, 1)):
        fitted = CrossFittedClassifier(SVC()).fit(X60, codes)
        assert (fitted.predict(X60) == codes).mean() > 0.85


def test_a_rare_class_is_not_passed_over() -> None:
    """Five of a hundred, in a corner of their own: without weights no half of a node or a margin would be theirs."""
    rng = np.random.default_rng(0)
    X = rng.random((200, 2))
    y = (X.sum(axis=1) > 1.72).astype(int)
    assert 3 < y.sum() < 12
    told = quick("linear-discriminant").fit(X, y).predict_proba([[0.95, 0.95], [0.3, 0.3]])
    assert told[0, 1] > 0.5 > 10 * told[1, 1]


def test_the_setting_that_makes_rows_left_out_likeliest_is_taken() -> None:
    from alloyloop.surrogates.classifying import CrossFittedClassifier

    X, y = _said_by_lot(0.8, right=0.95, n=100)
    blind, seeing = {"var_smoothing": 1e6}, {"var_smoothing": 1e-2}
    fitted = CrossFittedClassifier(GaussianNB(), [blind, seeing], n_repeats=1).fit(X, y)
    assert (fitted.tuned_, fitted.n_tried_) == (seeing, 2)
    hurried = CrossFittedClassifier(GaussianNB(), [blind, seeing], n_repeats=1, tune_seconds=-1.0).fit(X, y)
    assert (hurried.tuned_, hurried.n_tried_) == (blind, 1)


def test_the_share_of_a_density_leaves_its_own_row_out() -> None:
    """By hand: of rows at 0, 1 and 3 with a width of 1, the first finds no other of its class."""
    from alloyloop.surrogates.classifier_families import SummationLayer

    told = SummationLayer(width=1.0).fit_transform([[0.0], [1.0], [3.0]], [0, 1, 1])
    near, mid, far = np.exp(-0.5), np.exp(-2.0), np.exp(-4.5)
    by_hand = [[0.0, 0.0, 1.0], [1.0, near / (near + mid / 2), 1 - near / (near + mid / 2)]]
    by_hand.append([3.0, far / (far + mid / 2), 1 - far / (far + mid / 2)])
    assert told == pytest.approx(np.array(by_hand))


EXPECTED_TO_FAIL = dict.fromkeys(
    ("check_classifiers_classes", "check_classifiers_regression_target"),
    "classes are numbered from 0, and not named",
)


@parametrize_with_checks(  # type: ignore[untyped-decorator]  # scikit-learn comes without types
    [quick("naive-bayes"), quick("support-vector")],  # with probabilities, and with margins
    expected_failed_checks=lambda estimator: EXPECTED_TO_FAIL,
)
def test_it_has_scikit_learns_manners(estimator: Any, check: Any) -> None:
    check(estimator)
