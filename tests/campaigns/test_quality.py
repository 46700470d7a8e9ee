"""What models are worth is said in the words that the numbers carry, and no better."""

from __future__ import annotations

import numpy as np
import pytest

from alloyloop.campaigns.learning import Beliefs
from alloyloop.campaigns.quality import Quality, qualities
from alloyloop.design.beliefs import Belief, Choice, Evidence
from alloyloop.design.classes import ClassBelief
from alloyloop.design.features import Alloys, Features
from alloyloop.surrogates.base import FloatArray, Prediction


def number(n: int, held: int, off: float, *, is_better: bool = True) -> Quality:
    return Quality("hardness_HV", "forest", "rows", n, held, off, 20.0, 45.0, is_better)


def test_intervals_are_honest_where_they_hold_about_nine_of_ten() -> None:
    told = number(30, 27, 0.0)
    assert told.honesty == "Intervals are honest: 27 of 30 values that it had not seen lie inside their 90 % intervals."
    assert told.warnings == ()


def test_intervals_that_hold_too_few_are_said_to_be_too_narrow_and_warned_of() -> None:
    told = number(30, 20, -6.1)
    assert told.honesty.startswith("Intervals are too narrow: only 20 of 30 values")
    assert told.honesty.endswith("where 27 should.")
    (warning,) = told.warnings
    assert warning == "The intervals of hardness are too narrow: results will surprise more often than they say."


def test_intervals_that_hold_too_many_are_wider_than_they_need_be() -> None:
    assert number(100, 100, 3.3).honesty.startswith("Intervals are wider than they need be: 100 of 100")
    assert number(100, 100, 3.3).warnings == ()


def test_of_few_values_nothing_is_said_of_honesty() -> None:
    told = number(9, 4, -5.0)
    assert told.honesty.startswith("4 of 9 values")
    assert told.honesty.endswith("too few to tell whether these are honest.")
    assert told.warnings == ()


def test_a_model_that_is_not_surely_better_than_the_mean_is_warned_of() -> None:
    told = number(30, 27, 0.0, is_better=False)
    assert told.telling.endswith("and the mean of the others by 45 HV: it is not surely better than that.")
    (warning,) = told.warnings
    assert warning.endswith("the model of hardness is not surely better than the mean of all.")


class Held:
    """A surrogate that tells what it had held out."""

    def __init__(self, held: Prediction) -> None:
        self.held_out_ = held


class HeldClasses:
    """The same of classes."""

    def __init__(self, held: FloatArray) -> None:
        self.held_out_ = held

    def predict_proba(self, X: object) -> FloatArray:
        raise AssertionError(X)


def refuse(found: Evidence) -> Belief:
    raise AssertionError(found)


def evidence(values: FloatArray) -> Evidence:
    n = len(values)
    niobium = np.linspace(0.1, 0.4, n)
    alloys = Alloys(("Nb", "Ti"), np.column_stack([niobium, 1 - niobium]), {})
    ids = np.array([f"A{i}" for i in range(n)])
    return Evidence("hardness_HV", alloys, values, np.full(n, np.nan), np.full(n, ""), ids=ids)


def test_it_is_judged_by_what_the_surrogate_had_held_out() -> None:
    values = np.repeat([100.0, 200.0], 10)
    mean = values + np.where(np.arange(20) < 2, 40.0, 0.0)  # two are off by 40, with a standard deviation of 10
    held = Prediction(mean, np.zeros(20), np.full(20, 10.0))
    features = Features(("Nb", "Ti"))
    belief = Belief(evidence(values), features, Held(held), refuse)  # type: ignore[arg-type]  # is not asked
    (told,) = qualities(Beliefs({"hardness_HV": belief}, {"hardness_HV": Choice("forest", "")}, ()))
    assert (told.n, told.held) == (20, 18)
    assert told.error == pytest.approx(np.sqrt(2 * 40.0**2 / 20))  # by hand
    # By hand: without a row of 100 the others are (9 · 100 + 10 · 200) / 19 in the mean, and likewise.
    assert told.plain == pytest.approx(2900 / 19 - 100)
    assert told.forecasts is not None
    assert (told.forecasts.y.tolist(), told.forecasts.mean.tolist()) == (values.tolist(), mean.tolist())
    assert told.is_better


def test_classes_are_judged_beside_the_commonest_of_the_others() -> None:
    codes = np.array([0.0] * 12 + [1.0] * 8)
    held = np.where(codes[:, None] == np.arange(2), 0.8, 0.2)
    held[0] = [0.2, 0.8]
    belief = ClassBelief(evidence(codes), ("beta", "other"), Features(("Nb", "Ti")), HeldClasses(held))
    (told,) = qualities(Beliefs({}, {"hardness_HV": Choice("forest", "")}, (), {"hardness_HV": belief}))
    of_others = "and the commonest class of the others for 12"
    assert told.telling == f"With rows left out it is right for 19 of 20 rows, {of_others}."
    assert told.honesty == ""
