"""How likely an alloy has what is wanted: against closed forms of one normal, and draws of several."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from alloyloop.design.beliefs import Evidence
from alloyloop.design.classes import ClassBelief
from alloyloop.design.computed import computed
from alloyloop.design.features import Alloys, Features
from alloyloop.design.formulas import Formula
from alloyloop.design.goals import Is, Maximize, Minimize, Within
from alloyloop.design.wants import Want, Wanted
from alloyloop.surrogates.base import FloatArray
from alloyloop.surrogates.errors import AlloyloopError

from .strategies_outlook import ELEMENTS, Everything, Field, field, rate, some_alloys

ALLOYS = some_alloys(12, np.random.default_rng(5))
NUMBERS = {"E_GPa": field(0), "YS_MPa": field(1), "corrosion_mm_per_y": rate(2)}
TOGETHER = np.array([[1.0, 0.6, 0.2], [0.6, 1.0, -0.3], [0.2, -0.3, 1.0]])
SOFT = Want("E_GPa between 52 and 66", ("E_GPa",), Within(52, 66))
STRONG = Want("YS_MPa above 55", ("YS_MPa",), Within(low=55))
LASTING = Want("corrosion_mm_per_y below 1", ("corrosion_mm_per_y",), Within(high=1.0))
SPRINGY = Want("YS_MPa / E_GPa above 1.05", ("YS_MPa", "E_GPa"), Within(low=1.05), Formula("YS_MPa / E_GPa"))
BETA = Want("phases is beta", ("phases",), Is("beta"))


@dataclass(frozen=True)
class Share:
    """Says that the first class is as likely as the fraction of the first element, twice."""

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        share = 2 * np.asarray(X, dtype=np.float64)[:, 0]
        return np.column_stack([share, 1 - share])


def of_class(*labels: str) -> ClassBelief:
    nothing = np.empty(0)
    evidence = Evidence(
        "phases", ALLOYS.rows(np.array([], dtype=np.intp)), nothing, nothing, np.array([], dtype=np.str_)
    )
    return ClassBelief(evidence, labels, Features(ELEMENTS), Share())


def counted(
    wants: tuple[Want, ...], correlation: FloatArray, *, measured: bool, n: int = 100_000
) -> tuple[FloatArray, FloatArray]:
    """The share of draws in which each want, and all of them, are met. (n_alloys, n_wants), (n_alloys,)"""
    normals = np.random.default_rng(1).multivariate_normal(np.zeros(len(correlation)), correlation, size=n)
    values: dict[str, FloatArray] = {}
    for (name, belief), z in zip(NUMBERS.items(), normals.T, strict=True):
        inner, scale = belief.on_scale()
        now = inner.about(ALLOYS)
        std = np.hypot(now.std, now.noise) if measured else now.std
        values[name] = np.asarray(scale.backward(now.mean + std * z[:, None]))
    met = []
    for want in wants:
        of = values[want.names[0]] if want.formula is None else want.formula.values(values.__getitem__)
        assert isinstance(want.goal, Within)
        met.append(want.goal.allows(of))
    return np.mean(met, axis=1).T, np.all(met, axis=0).mean(axis=0)


@pytest.mark.parametrize("measured", [True, False], ids=["a measurement", "the property itself"])
def test_one_want_is_met_with_the_probability_of_a_normal(measured: bool) -> None:
    wanted = Wanted((SOFT,), NUMBERS)
    now = field(0).about(ALLOYS)
    std = np.sqrt(now.std**2 + 2.0**2) if measured else now.std  # the scatter of a measurement of a `Field`
    expected = norm.cdf(66, now.mean, std) - norm.cdf(52, now.mean, std)
    np.testing.assert_allclose(wanted.chance(ALLOYS, measured=measured), expected, rtol=1e-9)


def test_a_logarithm_is_asked_on_its_scale() -> None:
    logs = rate(2).logs.about(ALLOYS)
    expected = norm.cdf(np.log(1.0), logs.mean, np.hypot(logs.std, logs.noise))
    np.testing.assert_allclose(Wanted((LASTING,), NUMBERS).chance(ALLOYS), expected, rtol=1e-9)


def test_what_is_computed_is_met_or_not() -> None:
    want = Want("vec below 4.2", ("vec",), Within(high=4.2))
    expected = ALLOYS.fractions[:, 0] < 0.2  # one valence electron more for each atom of niobium
    np.testing.assert_array_equal(Wanted((want,), {"vec": computed("vec")}).chance(ALLOYS), expected)


@pytest.mark.parametrize("measured", [True, False], ids=["a measurement", "the property itself"])
@pytest.mark.parametrize(
    "wants",
    [(SOFT, STRONG), (SOFT, STRONG, LASTING), (SPRINGY,), (SOFT, SPRINGY, LASTING)],
    ids=["two", "three", "a ratio", "a ratio beside two"],
)
def test_wants_are_met_together_as_often_as_in_draws(wants: tuple[Want, ...], measured: bool) -> None:
    wanted = Wanted(wants, NUMBERS, correlation=TOGETHER)
    alone, together = counted(wants, TOGETHER, measured=measured)
    np.testing.assert_allclose(np.exp(wanted.log_chances(ALLOYS, measured=measured)), alone, atol=0.012)
    np.testing.assert_allclose(wanted.chance(ALLOYS, measured=measured), together, atol=0.012)


def test_a_formula_that_is_a_property_is_met_as_the_property_is() -> None:
    same = Want("E_GPa - 50 between 2 and 16", ("E_GPa",), Within(2, 16), Formula("E_GPa - 50"))
    found, expected = (Wanted((one,), NUMBERS).chance(ALLOYS) for one in (same, SOFT))
    np.testing.assert_allclose(found, expected, atol=0.003)  # by draws, and exactly


def test_errors_that_go_together_change_what_is_likely() -> None:
    apart, tied = (Wanted((SOFT, STRONG), NUMBERS, correlation=r).chance(ALLOYS) for r in (None, TOGETHER))
    assert np.abs(apart - tied).max() > 0.03


def test_properties_that_err_on_their_own_multiply() -> None:
    wanted = Wanted((SOFT, STRONG, LASTING), NUMBERS)
    np.testing.assert_allclose(wanted.log_chance(ALLOYS), wanted.log_chances(ALLOYS).sum(axis=1))


def test_two_limits_of_one_property_are_one() -> None:
    one = Wanted((Want("low", ("E_GPa",), Within(low=52)), Want("high", ("E_GPa",), Within(high=66))), NUMBERS)
    np.testing.assert_allclose(one.log_chance(ALLOYS), Wanted((SOFT,), NUMBERS).log_chance(ALLOYS))


@settings(max_examples=30)
@given(st.floats(70, 5000), st.sampled_from([None, TOGETHER]))
def test_however_unlikely_a_climb_knows_which_way_is_up(off: float, correlation: FloatArray | None) -> None:
    far = Want("E_GPa above", ("E_GPa",), Within(low=60 + off))
    logs = Wanted((far, STRONG, SPRINGY), NUMBERS, correlation=correlation).log_chance(ALLOYS)
    assert np.isfinite(logs).all()
    assert len(np.unique(logs)) == len(logs)


def test_a_wider_want_is_likelier() -> None:
    wider = Want("E_GPa between 50 and 70", ("E_GPa",), Within(50, 70))
    narrow, wide = (Wanted((w, STRONG, SPRINGY), NUMBERS, correlation=TOGETHER) for w in (SOFT, wider))
    assert (wide.log_chance(ALLOYS) > narrow.log_chance(ALLOYS)).all()


def test_classes_and_success_multiply() -> None:
    wanted = Wanted((SOFT, BETA), NUMBERS, {"phases": of_class("beta", "other")}, success=of_class("succeeds", "fails"))
    share = 2 * ALLOYS.fractions[:, 0]
    soft = Wanted((SOFT,), NUMBERS).chance(ALLOYS)
    np.testing.assert_allclose(wanted.chance(ALLOYS), soft * share**2)
    np.testing.assert_allclose(np.exp(wanted.log_chances(ALLOYS)), np.column_stack([soft, share]))


def test_a_want_that_is_left_out_is_as_if_it_had_not_been_said() -> None:
    classes = {"phases": of_class("beta", "other")}
    told = Wanted((SOFT, BETA, STRONG), NUMBERS, classes, correlation=TOGETHER).foresee(ALLOYS)
    for i, rest in enumerate([(BETA, STRONG), (SOFT, STRONG), (SOFT, BETA)]):
        expected = Wanted(rest, NUMBERS, classes, correlation=TOGETHER).log_chance(ALLOYS)
        np.testing.assert_allclose(told.together(without=i), expected)


def test_limits_may_differ_from_alloy_to_alloy() -> None:
    told = Wanted((SOFT, STRONG), NUMBERS, correlation=TOGETHER).foresee(ALLOYS)
    limits = told.limits.copy()
    limits[3, 0] = (50, 70)
    changed, plain = told.together(limits), told.together()
    assert changed[3] > plain[3]
    np.testing.assert_allclose(np.delete(changed, 3), np.delete(plain, 3))


def test_claims_are_corrected_and_logs_are_not() -> None:
    half = Wanted((SOFT,), NUMBERS, correct=lambda claim: claim / 2)
    np.testing.assert_allclose(half.chance(ALLOYS), np.exp(half.log_chance(ALLOYS)) / 2)


class Halfway(Everything):
    """Knows every other alloy."""

    def known(self, alloys: Alloys) -> NDArray[np.bool_]:
        return np.asarray(np.arange(len(alloys)) % 2 == 0)


class Blind(Field):
    @property
    def features(self) -> Everything:
        return Halfway()


def test_of_an_alloy_that_cannot_be_predicted_nothing_is_said() -> None:
    of = field(0)
    blind = Wanted((SOFT, STRONG), NUMBERS | {"E_GPa": Blind(of.alloys, of.values)})
    logs, seeing = blind.log_chance(ALLOYS), Wanted((SOFT, STRONG), NUMBERS).log_chance(ALLOYS)
    assert np.isnan(logs[1::2]).all()
    assert np.isnan(blind.log_chances(ALLOYS)[1::2]).all()
    assert np.isnan(blind.value(ALLOYS)[1::2]).all()
    np.testing.assert_allclose(logs[::2], seeing[::2])


# -- what is pursued ---------------------------------------------------------------------------------------------------


def test_what_is_pursued_is_worth_its_expected_value() -> None:
    wanted = Wanted((SOFT, Want("minimize", ("corrosion_mm_per_y",), Minimize())), NUMBERS)
    np.testing.assert_allclose(wanted.value(ALLOYS), -rate(2).about(ALLOYS).mean, rtol=1e-9)
    np.testing.assert_array_equal(wanted.log_chances(ALLOYS)[:, 1], 0.0)
    np.testing.assert_allclose(wanted.chance(ALLOYS), Wanted((SOFT,), NUMBERS).chance(ALLOYS))


def test_of_several_that_are_pursued_each_counts_in_its_scale() -> None:
    stiff = Want("maximize E_GPa", ("E_GPa",), Maximize(), scale=5.0)
    weak = Want("minimize YS_MPa", ("YS_MPa",), Minimize(), scale=20.0)
    expected = field(0).about(ALLOYS).mean / 5 - field(1).about(ALLOYS).mean / 20
    np.testing.assert_allclose(Wanted((stiff, weak), NUMBERS).value(ALLOYS), expected)


def test_of_a_formula_the_expected_value_is_that_of_draws() -> None:
    highest = Want("maximize", ("YS_MPa", "E_GPa"), Maximize(), Formula("YS_MPa / E_GPa"))
    found = Wanted((highest,), NUMBERS, correlation=TOGETHER).value(ALLOYS)
    normals = np.random.default_rng(1).multivariate_normal(np.zeros(3), TOGETHER, size=200_000)
    e, ys = (NUMBERS[name].about(ALLOYS) for name in ("E_GPa", "YS_MPa"))
    drawn = (ys.mean + ys.measured_std * normals[:, [1]]) / (e.mean + e.measured_std * normals[:, [0]])
    np.testing.assert_allclose(found, drawn.mean(axis=0), rtol=0.01)


def test_nothing_pursued_is_worth_nothing() -> None:
    np.testing.assert_array_equal(Wanted((SOFT,), NUMBERS).value(ALLOYS), np.zeros(len(ALLOYS)))


# -- what cannot be asked ----------------------------------------------------------------------------------------------

CLASSES = {"phases": of_class("beta", "other")}


@pytest.mark.parametrize(
    ("wants", "said"),
    [
        ((), "Nothing is wanted"),
        (
            (SOFT, Want("E_GPa above 80", ("E_GPa",), Within(low=80))),
            "No alloy meets both 'E_GPa between 52 and 66' and",
        ),
        ((BETA, Want("phases is other", ("phases",), Is("other"))), "No alloy meets both 'phases is beta'"),
        ((SPRINGY, Want("low", SPRINGY.names, Within(high=1.0), SPRINGY.formula)), "No alloy meets both"),
        ((Want("a", ("E_GPa",), Maximize()), Want("b", ("E_GPa",), Minimize())), "No alloy meets both 'a' and 'b'"),
        ((Want("HV above 3", ("HV",), Within(low=3)),), "nothing is believed of HV. There is E_GPa, YS_MPa"),
        ((Want("phases above 3", ("phases",), Within(low=3)),), "phases has classes and is no number"),
        ((Want("E_GPa is beta", ("E_GPa",), Is("beta")),), "E_GPa is a number and has no classes"),
        ((Want("phases is hcp", ("phases",), Is("hcp")),), "hcp is not one of the classes of phases. It is beta or"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(wants: tuple[Want, ...], said: str) -> None:
    with pytest.raises(AlloyloopError, match=said):
        Wanted(wants, NUMBERS, CLASSES)


def test_wants_that_touch_in_a_range_do_not_contradict_each_other() -> None:
    wanted = Wanted((SOFT, Want("E_GPa above 60", ("E_GPa",), Within(low=60))), NUMBERS)
    expected = Wanted((Want("both", ("E_GPa",), Within(60, 66)),), NUMBERS).log_chance(ALLOYS)
    np.testing.assert_allclose(wanted.log_chance(ALLOYS), expected)


def test_a_want_without_a_formula_is_about_one_thing() -> None:
    with pytest.raises(AlloyloopError, match="is about 2 properties"):
        Want("both", ("E_GPa", "YS_MPa"), Within(high=inf, low=0))


def test_a_class_of_a_computed_number_is_refused() -> None:
    with pytest.raises(AlloyloopError, match="asks for a class of a computed number"):
        Want("ratio is beta", ("E_GPa",), Is("beta"), Formula("E_GPa"))
