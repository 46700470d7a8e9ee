"""Beliefs about what is really made: held to closed forms, to normal quantiles, and to plain Monte Carlo."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy.special import ndtr, ndtri

from alloyloop.design.beliefs import Belief, Evidence, Option, learn
from alloyloop.design.classes import ClassBelief
from alloyloop.design.computed import ComputedBelief
from alloyloop.design.features import Alloys, Features
from alloyloop.design.goals import Match, Maximize, Minimize, Pursued, Within
from alloyloop.design.made import Made, MadeClasses, side
from alloyloop.design.scatter import Off, Scatter, as_made
from alloyloop.surrogates.base import FloatArray
from alloyloop.surrogates.scales import LOG

ELEMENTS = ("Nb", "Zr", "Ti")
FEATURES = Features(ELEMENTS)
SCATTER = Scatter("at_pct", "Ti", {"Nb": Off(1.0), "Zr": Off(0.5)})


def alloys(*amounts: tuple[float, float]) -> Alloys:
    rows = [(niobium / 100, zirconium / 100, 1 - (niobium + zirconium) / 100) for niobium, zirconium in amounts]
    return Alloys(ELEMENTS, np.array(rows), {})


def linear(of: Alloys) -> FloatArray:
    """Rises by 3 with each at.% of niobium and falls by 2 with each of zirconium."""
    return np.asarray(300 * of.fractions[:, 0] - 200 * of.fractions[:, 1])


def quadratic(of: Alloys) -> FloatArray:
    niobium, zirconium = 100 * of.fractions[:, 0], 100 * of.fractions[:, 1]
    return np.asarray(2 * niobium**2 - 3 * zirconium**2 + niobium * zirconium)


LINEAR, QUADRATIC = ComputedBelief("linear", linear), ComputedBelief("quadratic", quadratic)
STD_OF_LINEAR = np.hypot(3 * 1.0, 2 * 0.5)
WITHIN = st.tuples(st.floats(5, 40), st.floats(5, 40))


@given(WITHIN)
def test_a_linear_property_is_expected_to_be_what_was_aimed_at(amounts: tuple[float, float]) -> None:
    told = Made(LINEAR, SCATTER).about(alloys(amounts))
    assert told.mean[0] == pytest.approx(linear(alloys(amounts))[0], abs=1e-9)
    assert told.noise[0] == pytest.approx(STD_OF_LINEAR)  # melts differ by that
    assert told.std[0] == 0


@given(WITHIN)
def test_a_quadratic_property_is_expected_to_be_off_by_its_curvature(amounts: tuple[float, float]) -> None:
    """E[2 a² - 3 b² + a b] of independent normals is that of the means, plus 2 σ_a² - 3 σ_b²."""
    told = Made(QUADRATIC, SCATTER).about(alloys(amounts))
    assert told.mean[0] == pytest.approx(quadratic(alloys(amounts))[0] + 2 * 1.0**2 - 3 * 0.5**2, abs=1e-8)


@pytest.mark.parametrize("goal", [Maximize(), Minimize()])
@pytest.mark.parametrize("share", [0.8, 0.9])
def test_a_share_reaches_the_quantile_of_a_normal(goal: Maximize | Minimize, share: float) -> None:
    told = Made(LINEAR, SCATTER, share, goal).about(alloys((20, 10)))
    short = goal.sign * (linear(alloys((20, 10)))[0] - told.mean[0])
    assert short == pytest.approx(ndtri(share) * STD_OF_LINEAR, rel=0.1)


@pytest.mark.parametrize("goal", [Match(40.0, 1.0), None])
def test_what_is_to_match_a_target_or_has_limits_alone_is_taken_by_its_mean(goal: Pursued | None) -> None:
    assert Made(LINEAR, SCATTER, 0.9, goal).about(alloys((20, 10))).mean[0] == pytest.approx(40)


@pytest.mark.parametrize("away", [-2.0, -1.0, 0.0, 0.5, 1.5])
def test_a_limit_is_kept_as_often_as_what_is_made_keeps_it(away: float) -> None:
    """Of a property that is known, by the share of a normal; and not by whether its mean does."""
    limit = Within(high=40 + away * STD_OF_LINEAR)
    chance = np.exp(Made(LINEAR, SCATTER).log_inside(limit, alloys((20, 10))))[0]
    assert chance == pytest.approx(ndtr(away), abs=0.13)  # of 16


@pytest.mark.parametrize(("away", "kept"), [(1.0, False), (1.7, True)])
@pytest.mark.parametrize("is_low", [False, True])
def test_a_share_is_inside_where_that_much_of_a_normal_is(away: float, *, kept: bool, is_low: bool) -> None:
    """Nine of ten lie within 1.28 standard deviations of the mean on one side."""
    end = away * STD_OF_LINEAR
    limit = Within(low=40 - end) if is_low else Within(high=40 + end)
    chance = np.exp(Made(LINEAR, SCATTER, 0.9).log_inside(limit, alloys((20, 10))))[0]
    assert chance == pytest.approx(float(kept))


def test_losses_move_what_was_aimed_at_and_not_what_was_made() -> None:
    lost = Scatter("at_pct", "Ti", {"Nb": Off(0.0, shift=-0.1, relative=True)})
    of = as_made(alloys((20, 10))) + alloys((20, 10), (30, 10)) + as_made(alloys((10, 10)))
    np.testing.assert_allclose(Made(LINEAR, lost).about(of).mean, [40, 34, 61, 10])


def test_the_goal_that_goes_with_a_limit_is_away_from_it() -> None:
    assert (side(Within(high=3)), side(Within(low=3)), side(Within(2, 3))) == (Minimize(), Maximize(), None)


# -- classes -----------------------------------------------------------------------------------------------------------


class Edge:
    """A phase that is there for sure above 20 at.% of niobium, and not below."""

    def predict_proba(self, X: ArrayLike) -> FloatArray:
        is_beta = (np.asarray(X)[:, 0] >= 0.2).astype(np.float64)
        return np.column_stack([is_beta, 1 - is_beta])


def edge() -> ClassBelief:
    nothing = np.empty(0)
    evidence = Evidence("phases", alloys((20, 10)).rows(np.array([], dtype=np.int64)), nothing, nothing, np.array([""]))
    return ClassBelief(evidence, ("beta", "other"), FEATURES, Edge())


@pytest.mark.parametrize("away", [-2.0, -0.7, 0.0, 0.7, 2.0])
def test_a_class_comes_out_as_often_as_a_normal_lies_beyond_its_edge(away: float) -> None:
    made = MadeClasses.of(edge(), SCATTER)
    told = made.about(alloys((20 + away, 10)))
    assert told[0, 0] == pytest.approx(ndtr(away), abs=0.13)  # of 16
    assert told.sum() == pytest.approx(1)
    assert np.exp(made.log_probability(alloys((20 + away, 10)), "beta"))[0] == pytest.approx(told[0, 0], abs=1e-9)


@pytest.mark.parametrize(("away", "kept"), [(-1.0, False), (1.0, False), (1.7, True)])
def test_a_share_is_of_a_class_where_that_much_of_a_normal_is(away: float, *, kept: bool) -> None:
    made = MadeClasses.of(edge(), SCATTER, 0.9)
    assert np.exp(made.log_probability(alloys((20 + away, 10)), "beta"))[0] == pytest.approx(float(kept), abs=1e-9)


def test_what_stands_for_a_belief_about_classes_is_one() -> None:
    made = MadeClasses.of(edge(), SCATTER)
    assert (made.labels, made.features) == (("beta", "other"), FEATURES)


# -- of what is modelled -----------------------------------------------------------------------------------------------

MODELS = ("gaussian-process", "extra-trees")


@cache
def belief(model: str, *, is_log: bool = False) -> Belief:
    """Learned from a wavy property and a scatter of a tenth of its spread."""
    rng = np.random.default_rng(0)
    of = alloys(*zip(rng.uniform(5, 40, 25), rng.uniform(5, 30, 25), strict=True))
    wave = np.sin(of.fractions[:, 0] * 18) + np.cos(of.fractions[:, 1] * 11) + rng.normal(0, 0.1, 25)
    values, nothing = np.exp(wave) if is_log else 60 + 10 * wave, np.full(25, np.nan)
    evidence = Evidence("youngs_modulus_GPa", of, values, nothing, np.array([""] * 25))
    return learn(evidence, Option(model, FEATURES, LOG) if is_log else Option(model, FEATURES))


@cache
def drawn() -> FloatArray:
    """(n, 2) scatters of niobium and zirconium."""
    return np.random.default_rng(1).normal(0, 1, (300, 2)) * [1.0, 0.5]


def made_of(niobium: float, zirconium: float) -> Alloys:
    """What comes out where one alloy is aimed at, drawn plainly."""
    return alloys(*np.add(drawn(), [niobium, zirconium]).tolist())


AIMS = ((15.0, 12.0), (22.0, 25.0), (38.0, 7.0))


@pytest.mark.torch
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("aim", AIMS)
def test_mean_and_spread_of_melts_are_those_of_drawn_ones(model: str, aim: tuple[float, float]) -> None:
    plain, told = belief(model).about(made_of(*aim)), Made(belief(model), SCATTER).about(alloys(aim))
    error = plain.mean.std() / np.sqrt(len(plain))
    assert told.mean[0] == pytest.approx(plain.mean.mean(), abs=4 * error + 0.05 * plain.mean.std())
    variance = (plain.std**2 + plain.noise**2).mean() + plain.mean.var()
    assert told.measured_std[0] == pytest.approx(np.sqrt(variance), rel=0.05)


@pytest.mark.torch
@pytest.mark.parametrize("aim", AIMS)
def test_what_is_not_known_of_the_mean_is_close_to_what_the_exact_average_says(aim: tuple[float, float]) -> None:
    made = made_of(*aim)
    exact = np.sqrt(belief("gaussian-process").covariance(made, made).mean())
    assert Made(belief("gaussian-process"), SCATTER).about(alloys(aim)).std[0] == pytest.approx(exact, rel=0.05)


@pytest.mark.torch
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("limit", [Within(high=62.0), Within(low=58.0), Within(55.0, 66.0)])
def test_the_chance_of_a_limit_is_the_mean_chance_of_drawn_melts(model: str, limit: Within) -> None:
    made = Made(belief(model), SCATTER)
    for aim in AIMS:
        melts = made_of(*aim)
        kept = np.exp(belief(model).log_inside(limit, melts)).mean()
        assert np.exp(made.log_inside(limit, alloys(aim)))[0] == pytest.approx(kept, abs=0.08)
        measured = np.exp(belief(model).about(melts).log_probability(limit.low, limit.high)).mean()
        assert np.exp(made.log_measured_inside(limit, alloys(aim)))[0] == pytest.approx(measured, abs=0.08)


@pytest.mark.torch
@pytest.mark.parametrize("model", MODELS)
def test_joint_draws_have_the_mean_and_the_covariance_that_are_told(model: str) -> None:
    lossy = Scatter("at_pct", "Ti", {"Nb": Off(1.0, shift=-0.5)})
    made, of = Made(belief(model), lossy, 0.9, Minimize()), as_made(alloys(AIMS[0])) + alloys(*AIMS[1:])
    draws = made.sample(of, 20_000, np.random.default_rng(2))
    told, covariance = made.about(of), made.covariance(of, of)
    np.testing.assert_allclose(draws.mean(axis=0), told.mean, atol=5 * told.std.max() / np.sqrt(20_000))
    np.testing.assert_allclose(np.sqrt(np.diag(covariance)), told.std, rtol=1e-6)
    np.testing.assert_allclose(np.cov(draws.T), covariance, atol=0.05 * covariance.max())
    np.testing.assert_allclose(made.covariance(of, alloys(*AIMS[1:])), covariance[:, 1:], atol=1e-9 * covariance.max())


@pytest.mark.torch
def test_intervals_of_a_positive_property_stay_positive() -> None:
    made = Made(belief("gaussian-process", is_log=True), SCATTER)
    low, high = made.about(alloys(*AIMS)).interval()
    assert (low > 0).all()
    assert (high > low).all()
    melts = [belief("gaussian-process", is_log=True).about(made_of(*aim)).measurement for aim in AIMS]
    spreads = [np.sqrt((each.std**2).mean() + each.mean.var()) for each in melts]  # of logarithms
    np.testing.assert_allclose(made.about(alloys(*AIMS)).measurement.std, spreads, rtol=0.05)
    on, scale = made.on_scale()
    assert scale == LOG
    assert (on.about(alloys(*AIMS)).mean < np.log(made.about(alloys(*AIMS)).mean)).all()  # Jensen


@pytest.mark.torch
def test_without_a_scatter_nothing_changes() -> None:
    plain, still = belief("gaussian-process"), Made(belief("gaussian-process"), Scatter("at_pct", "Ti", {}))
    expected, told = plain.about(alloys(*AIMS)), still.about(alloys(*AIMS))
    for part in ("mean", "std", "noise"):
        np.testing.assert_allclose(getattr(told, part), getattr(expected, part), rtol=1e-6)
