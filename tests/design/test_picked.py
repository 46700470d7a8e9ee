"""Answers picked for their probability hold as often as rows left out say: also of beliefs made too sure on purpose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NoReturn, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.special import log_expit, logit
from scipy.stats import norm

from alloyloop.design.beliefs import Belief, Evidence
from alloyloop.design.classes import ClassBelief
from alloyloop.design.computed import computed
from alloyloop.design.features import Alloys, Features
from alloyloop.design.formulas import Formula
from alloyloop.design.goals import Is, Within
from alloyloop.design.left_out import left_out
from alloyloop.design.picked import (
    LEAST_ROWS,
    N_CONSIDERED,
    SEARCHED,
    SHIFT,
    SLOPE,
    Correction,
    Replay,
    correction,
    fitted,
    replay,
)
from alloyloop.design.wants import Want, Wanted
from alloyloop.surrogates.base import FloatArray, Prediction, Surrogate

from .strategies_outlook import ELEMENTS, some_alloys

SOFT = Want("E_GPa between 55 and 65", ("E_GPa",), Within(55, 65))
STRONG = Want("YS_MPa above 600", ("YS_MPa",), Within(low=600))
BETA = Want("phases is beta", ("phases",), Is("beta"))
CLAIMS = np.array([0.2, 0.5, 0.8, 0.95])


@dataclass(frozen=True)
class Held:
    """A surrogate that tells what it believed of each row without it."""

    held_out_: Prediction


@dataclass(frozen=True)
class Judged:
    """A classifier that tells the same."""

    held_out_: FloatArray

    def predict_proba(self, X: Any) -> NoReturn:
        raise AssertionError("It has seen the rows, and is not to be asked of them.")


def never(evidence: Evidence) -> NoReturn:
    raise AssertionError("What the surrogate has told need not be learned again.")


def belief(
    name: str, values: FloatArray, mean: FloatArray, std: float, alloys: Alloys, ids: NDArray[np.str_] | None = None
) -> Belief:
    """What was measured of alloys, and what was believed of each without it."""
    n, told = len(values), ids if ids is not None else np.array([f"A{i}" for i in range(len(values))])
    evidence = Evidence(name, alloys, values, np.full(n, np.nan), np.full(n, ""), ids=told)
    held = Prediction(mean, np.full(n, std), np.zeros(n))
    return Belief(evidence, Features(ELEMENTS), cast(Surrogate, Held(held)), never)


def moduli(sureness: float, n: int = 400, seed: int = 0) -> Belief:
    """Of alloys whose moduli are believed to within 4 GPa, with errors that many times as large."""
    rng = np.random.default_rng(seed)
    mean = rng.uniform(40, 90, n)
    return belief("E_GPa", mean + 4 * sureness * rng.normal(size=n), mean, 4.0, some_alloys(n, rng))


def picks(claimed: FloatArray, chance: FloatArray, seed: int = 0) -> Replay:
    """Picks that hold with a chance of their own."""
    return Replay(claimed, np.random.default_rng(seed).uniform(size=len(claimed)) < chance, np.arange(len(claimed)))


@given(st.floats(-3, 3), st.floats(0.1, 5), st.floats(0.5, 1))
def test_what_is_surer_stays_surer(shift: float, slope: float, left: float) -> None:
    honest = Correction(shift, slope, left=left)(np.linspace(0, 1, 101))
    assert np.all(np.diff(honest) >= 0)
    assert honest[0] == 0
    assert honest[-1] == 1


def test_where_nothing_is_known_nothing_is_told() -> None:
    assert np.isnan(Correction(0.3, 0.8)(np.array([np.nan]))).all()


def test_claims_that_hold_stay_as_they_are() -> None:
    claimed = np.random.default_rng(1).uniform(0.05, 0.95, 40_000)
    np.testing.assert_allclose(fitted(picks(claimed, claimed))(CLAIMS), CLAIMS, atol=0.02)


def test_log_odds_that_are_twice_what_holds_are_halved() -> None:
    odds = np.random.default_rng(2).normal(0, 2, 40_000)
    found = fitted(picks(1 / (1 + np.exp(-2 * odds)), 1 / (1 + np.exp(-odds))))
    assert found.slope == pytest.approx(0.5, abs=0.03)
    assert found.shift == pytest.approx(0.0, abs=0.05)


def test_a_few_rows_say_little_and_many_say_more() -> None:
    said = []
    for n in (10, 100, 1000):
        found = fitted(Replay(np.full(n, 0.9), np.arange(n) < n // 2, np.arange(n)))
        said.append(float(found(np.array([0.9]))[0]))
    assert 0.9 > said[0] > said[1] > said[2] > 0.5
    assert said[0] > 0.75


def test_the_line_is_the_likeliest_of_a_grid_of_lines() -> None:
    seen = picks(np.linspace(0.3, 0.95, 60), np.linspace(0.2, 0.6, 60))
    shift, log_slope = np.meshgrid(np.linspace(-1, 1, 201), np.linspace(-1, 1, 201))
    line = shift[..., None] + np.exp(log_slope)[..., None] * logit(seen.claimed)
    log_density = np.where(seen.met, log_expit(line), log_expit(-line)).sum(axis=2)
    log_density += norm.logpdf(shift, scale=SHIFT) + norm.logpdf(log_slope, scale=SLOPE)
    best = np.unravel_index(log_density.argmax(), log_density.shape)
    found = fitted(seen)
    assert found.shift == pytest.approx(shift[best], abs=0.01)
    assert np.log(found.slope) == pytest.approx(log_slope[best], abs=0.01)


def test_a_row_that_is_picked_again_says_nothing_new() -> None:
    once = picks(np.full(50, 0.8), np.full(50, 0.5))
    again = Replay(np.tile(once.claimed, 20), np.tile(once.met, 20), np.tile(once.groups, 20))
    assert fitted(again).shift == pytest.approx(fitted(once).shift, abs=1e-4)


def test_an_honest_belief_is_left_as_it_is() -> None:
    found = correction(Wanted((SOFT,), {"E_GPa": moduli(1.0)}), np.random.default_rng(0), searched=False)
    np.testing.assert_allclose(found(CLAIMS), CLAIMS, atol=0.08)


def test_what_was_searched_for_in_a_whole_space_is_told_to_be_less_sure_where_it_is_likely() -> None:
    wanted = Wanted((SOFT,), {"E_GPa": moduli(1.0)})
    of_rows, of_all = (correction(wanted, np.random.default_rng(0), searched=each) for each in (False, True))
    odds = logit(of_rows(CLAIMS))
    np.testing.assert_allclose(logit(of_all(CLAIMS)), np.where(odds > 0, SEARCHED * odds, odds))


def test_a_belief_that_is_too_sure_is_told_to_be_less_so() -> None:
    found = correction(Wanted((SOFT,), {"E_GPa": moduli(3.0)}), np.random.default_rng(0))
    assert (found(CLAIMS[2:]) < CLAIMS[2:] - 0.1).all()


def test_correcting_comes_nearer_to_what_holds_on_rows_of_the_same_kind() -> None:
    wanted, new = (Wanted((SOFT,), {"E_GPa": moduli(2.0, seed=seed)}) for seed in (0, 1))
    found, seen = correction(wanted, np.random.default_rng(0), searched=False), replay(new, np.random.default_rng(1))
    assert seen is not None
    plain, corrected = (
        np.mean(np.abs(claims.mean() - seen.met.mean())) for claims in (seen.claimed, found(seen.claimed))
    )
    assert corrected < plain / 2


def test_the_row_that_a_want_was_made_around_is_not_its_answer() -> None:
    values = np.linspace(0, 2900, 30)  # so far apart that no other row is inside
    seen = replay(
        Wanted((SOFT,), {"E_GPa": belief("E_GPa", values, values, 1.0, some_alloys(30, np.random.default_rng(0)))}),
        np.random.default_rng(0),
    )
    assert seen is not None
    assert not seen.met.any()


def test_the_likeliest_rows_are_picked() -> None:
    rng = np.random.default_rng(0)
    shares = np.linspace(0.01, 0.99, 40)
    evidence = Evidence(
        "phases", some_alloys(40, rng), (shares < 0.5).astype(float), np.full(40, np.nan), np.full(40, "")
    )
    judged = Judged(np.column_stack([shares, 1 - shares]))
    classes = {"phases": ClassBelief(evidence, ("beta", "other"), Features(ELEMENTS), judged)}
    seen = replay(Wanted((BETA,), classes=classes), rng)
    assert seen is not None
    assert seen.claimed.min() >= shares[-N_CONSIDERED]
    assert seen.met.all()


def test_wants_are_replayed_on_rows_of_which_all_was_measured() -> None:
    rng = np.random.default_rng(3)
    alloys, ids = some_alloys(60, rng), np.array([f"A{i}" for i in range(60)])
    soft = belief("E_GPa", np.full(60, 60.0), np.full(60, 60.0), 4.0, alloys)
    few = slice(0, 20)
    strong = belief("YS_MPa", np.full(20, 700.0), np.full(20, 700.0), 40.0, alloys.rows(np.arange(20)), ids[few])
    seen = replay(Wanted((SOFT, STRONG), {"E_GPa": soft, "YS_MPa": strong}), rng)
    assert seen is not None
    assert seen.groups.max() < 20
    assert seen.met.mean() > 0.5  # each has what every other has


def test_a_formula_is_replayed_by_what_its_numbers_were_measured_to_be() -> None:
    rng = np.random.default_rng(4)
    modulus, alloys = rng.uniform(50, 100, 80), some_alloys(80, rng)
    numbers = {
        "E_GPa": belief("E_GPa", modulus, modulus, 0.5, alloys),
        "YS_MPa": belief("YS_MPa", 10 * modulus, 10 * modulus, 5.0, alloys),
    }
    ratio = Want("YS_MPa / E_GPa between 9 and 11", ("YS_MPa", "E_GPa"), Within(9, 11), Formula("YS_MPa / E_GPa"))
    seen = replay(Wanted((ratio,), numbers), rng)
    assert seen is not None
    assert seen.met.all()  # of every alloy it is 10


def test_a_bound_is_no_measurement() -> None:
    some = moduli(1.0, n=40)
    bounds = np.where(np.arange(40) < 20, -1, 0)
    held = cast(Held, some.surrogate).held_out_.rows(bounds == 0)
    bounded = replace(some, evidence=replace(some.evidence, censored=bounds), surrogate=cast(Surrogate, Held(held)))
    seen = replay(Wanted((SOFT,), {"E_GPa": bounded}), np.random.default_rng(0))
    assert seen is not None
    assert seen.groups.min() >= 20


@pytest.mark.parametrize("n", [1, N_CONSIDERED, LEAST_ROWS - 1])
def test_a_few_rows_correct_nothing(n: int) -> None:
    wanted = Wanted((SOFT,), {"E_GPa": moduli(5.0, n=n)})
    assert correction(wanted, np.random.default_rng(0)) == Correction(left=SEARCHED)


def test_what_is_computed_needs_no_correction() -> None:
    light = Want("vec below 4.2", ("vec",), Within(high=4.2))
    assert correction(Wanted((light,), {"vec": computed("vec")}), np.random.default_rng(0)) == Correction()


@dataclass(frozen=True)
class Mean:
    """Believes the mean of what it has seen."""

    mean: float

    def believe(self, X: FloatArray) -> Prediction:
        return Prediction(np.full(len(X), self.mean), np.ones(len(X)), np.ones(len(X)))


def mean_of(evidence: Evidence) -> Belief:
    return Belief(evidence, Features(ELEMENTS), cast(Surrogate, Mean(float(evidence.values.mean()))), mean_of)


def test_what_is_said_of_a_row_left_out_does_not_depend_on_it() -> None:
    told = mean_of(moduli(1.0, n=30).evidence)
    changed = mean_of(replace(told.evidence, values=np.where(np.arange(30) == 7, 1e4, told.evidence.values)))
    some, others = left_out(told), left_out(changed)
    assert some is not None
    assert others is not None
    assert some.mean[7] == others.mean[7]
    assert (some.mean != others.mean).any()


def test_rows_of_one_source_are_left_out_together() -> None:
    evidence = moduli(1.0, n=30).evidence
    sources = np.repeat([f"paper {i}" for i in range(10)], 3)
    offset = np.where(sources == "paper 4", 1e6, 0.0)
    held = left_out(mean_of(replace(evidence, values=evidence.values + offset, sources=sources)))
    assert held is not None
    assert (held.mean[sources == "paper 4"] < 1e3).all()


def test_of_one_design_alone_nothing_can_be_left_out() -> None:
    some = moduli(1.0, n=5).evidence
    same = replace(some, alloys=some.alloys.rows(np.zeros(5, dtype=np.intp)))
    assert left_out(mean_of(same)) is None
    assert replay(Wanted((SOFT,), {"E_GPa": mean_of(same)}), np.random.default_rng(0)) is None
