"""The worth of a measurement for the final choice: held to numerical integrals and to imagined measurements."""

from __future__ import annotations

import mpmath  # type: ignore[import-untyped]  # comes with torch
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from alloyloop.design.features import Alloys
from alloyloop.design.goals import Match, Maximize, Minimize, Pursued, Within
from alloyloop.design.knowledge_gradient import knowledge_gradient, log_expected_rise
from alloyloop.design.outlook import Limited, Outlook, Sought
from alloyloop.surrogates.base import FloatArray

from .strategies_outlook import Field, field, looking, some_alloys

CANDIDATES = some_alloys(12, np.random.default_rng(99))
REFERENCE = some_alloys(40, np.random.default_rng(98))

numbers = st.floats(-3, 3)
lines = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=12)


def rise(heights: FloatArray, slopes: FloatArray) -> float:
    """By the trapezium rule, which is good to 1e-5 for a broken line times a normal density."""
    z = np.linspace(-9, 9, 8001)
    highest = (heights[:, None] + slopes[:, None] * z).max(axis=0)
    return float(np.trapezoid((highest - heights.max()) * norm.pdf(z), z))


@given(lines)
def test_the_expected_rise_is_that_of_the_highest_line(drawn: list[tuple[float, float]]) -> None:
    heights, slopes = np.array(drawn).T
    ours, exact = float(np.exp(log_expected_rise(heights[None], slopes[None])[0])), rise(heights, slopes)
    assert ours <= exact + 1e-5
    assert ours >= 0.97 * exact - 1e-5  # of lines that are highest only between two nodes


@pytest.mark.parametrize("ahead", [0.5, 3.0, 9.0, 30.0])
def test_a_rise_of_two_lines_is_exact_however_small(ahead: float) -> None:
    """Δb f(-Δa / Δb) with f(u) = φ(u) + u Φ(u) [Frazier et al. 2009], with 400 digits by mpmath."""
    ours = log_expected_rise(np.array([[ahead, 0.0]]), np.array([[0.2, 0.9]]))[0]
    with mpmath.workdps(400):
        u = -mpmath.mpf(ahead) / (mpmath.mpf(0.9) - mpmath.mpf(0.2))
        exact = mpmath.log((mpmath.mpf(0.9) - mpmath.mpf(0.2)) * (mpmath.npdf(u) + u * mpmath.ncdf(u)))
    assert ours == pytest.approx(float(exact), rel=1e-8)


def test_what_moves_nothing_or_everything_alike_betters_no_choice() -> None:
    assert log_expected_rise(np.array([[1.0, 0.0]]), np.array([[0.0, 0.0]]))[0] == -np.inf
    assert log_expected_rise(np.array([[1.0, 0.0]]), np.array([[0.7, 0.7]]))[0] == -np.inf


def expected(goal: Pursued, belief: Field, alloys: Alloys) -> FloatArray:
    now = belief.about(alloys)
    if not isinstance(goal, Match):
        return goal.objective(now.mean)
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    values = goal.objective(now.mean + now.std * nodes[:, None])
    return np.asarray(weights @ values / weights.sum())


def betterment(ours: Outlook, alloy: Alloys, n: int, rng: np.random.Generator) -> tuple[float, float]:
    """What measuring an alloy betters the final choice by in imagined measurements, and the error of that."""
    belief, goal, choices = ours.sought[0].belief, ours.sought[0].goal, ours.known_so_far + ours.reference + alloy
    assert isinstance(belief, Field)
    gains = []
    for _ in range(n):
        start = belief
        if len(ours.to_come):
            true = start.sample(ours.to_come, 1, rng)[0]
            start = start.once_measured(ours.to_come, true + rng.normal(0, start.scatter, len(true)))
        value = start.sample(alloy, 1, rng)[0] + rng.normal(0, start.scatter, 1)
        then = expected(goal, start.once_measured(alloy, value), choices)
        gains.append(
            then.max() - then[expected(goal, start, choices).argmax()]
        )  # which on average is as good as it was
    return float(np.mean(gains)), float(np.std(gains) / np.sqrt(n))


def lines_of(alloy: Alloys) -> tuple[FloatArray, FloatArray]:
    """What is expected of each choice [GPa], and by how much one standard deviation of a measurement moves it."""
    belief = field(3)
    choices = belief.alloys + REFERENCE + alloy
    now = belief.about(alloy)
    moved = belief.covariance(choices, alloy)[:, 0] / np.hypot(now.std, now.noise)
    return belief.about(choices).mean, moved


@pytest.mark.parametrize("goal", [Minimize(), Maximize()], ids=["minimise", "maximise"])
def test_it_is_the_rise_of_the_best_expected_with_a_measurement(goal: Pursued) -> None:
    gain = knowledge_gradient(looking(Sought("E_GPa", goal, field(3), 10.0), reference=REFERENCE))(CANDIDATES)
    assert (gain > np.log(1e-3)).sum() >= 4
    for i in range(len(CANDIDATES)):
        heights, slopes = lines_of(CANDIDATES.rows(np.array([i])))
        assert np.exp(gain[i]) == pytest.approx(rise(goal.objective(heights), slopes), rel=0.03, abs=2e-5)


def test_of_several_weighed_goals_every_one_is_measured() -> None:
    """Of one property twice over, as if independent: heights add up, and the slopes as the root of their squares."""
    pair = [Sought(name, Minimize(), field(3), 10.0) for name in ("E_GPa", "again")]
    gain = knowledge_gradient(looking(*pair, reference=REFERENCE, weighted=True))(CANDIDATES)
    best = np.argsort(-gain)[:3]
    for i in best:
        heights, slopes = lines_of(CANDIDATES.rows(np.array([i])))
        exact = rise(-2 * heights / 10, np.sqrt(2) * slopes / 10)
        assert gain[i] == pytest.approx(np.log(exact), abs=0.35)  # 64 are imagined: so rough it is


@pytest.mark.parametrize(
    ("goal", "n_to_come"), [(Minimize(), 2), (Match(52, 3), 0), (Match(52, 3), 1)], ids=["pending", "match", "both"]
)
def test_it_is_what_imagined_measurements_better_the_final_choice_by(goal: Pursued, n_to_come: int) -> None:
    to_come = some_alloys(n_to_come, np.random.default_rng(97))
    ours = looking(Sought("E_GPa", goal, field(3), 10.0), reference=REFERENCE, to_come=to_come)
    gain = np.exp(knowledge_gradient(ours)(CANDIDATES))
    best, rng = int(gain.argmax()), np.random.default_rng(4)
    mean, error = betterment(ours, CANDIDATES.rows(np.array([best])), 500, rng)
    assert mean > 4 * error
    # Those to come are imagined 8 times, or together with the alloy 64 times: so rough it is.
    assert gain[best] == pytest.approx(mean, abs=4 * error + 0.2 * mean)


def test_a_choice_counts_with_the_chance_that_it_keeps_its_limits() -> None:
    limited = Limited("Ms_K", Within(high=62), field(5))
    sought = Sought("E_GPa", Minimize(), field(3), 10.0)
    ours = looking(sought, limits=(limited,), reference=REFERENCE, n_draws=8192)
    gain = np.exp(knowledge_gradient(ours)(CANDIDATES))
    for i in np.argsort(-gain)[:4]:
        alloy = CANDIDATES.rows(np.array([i]))
        heights, slopes = lines_of(alloy)
        chance = np.exp(limited.log_probability(field(3).alloys + REFERENCE + alloy))
        above = heights[: len(field(3).alloys)].max() - heights
        assert gain[i] == pytest.approx(rise(chance * above, chance * slopes), rel=0.05)


def test_an_alloy_that_keeps_no_limit_may_yet_teach() -> None:
    """Only what is chosen in the end must be of the class; of the melts, only one that fails teaches nothing."""
    from alloyloop.design.acquisitions import acquisition_rule

    assert acquisition_rule("knowledge-gradient").weighs == "success"


def test_it_does_not_saturate_where_nothing_is_left_to_gain() -> None:
    known = field(0, n=40, spread=5.0, scatter=0.05)
    gain = knowledge_gradient(looking(Sought("E_GPa", Maximize(), known, 10.0), reference=REFERENCE))(CANDIDATES)
    assert gain.min() < -50
    assert len(set(gain)) == len(CANDIDATES)


def test_what_has_been_picked_is_worth_little_a_second_time() -> None:
    ours = looking(Sought("E_GPa", Minimize(), field(3), 10.0), reference=REFERENCE)
    before = knowledge_gradient(ours)(CANDIDATES)
    best = np.array([int(before.argmax())])
    after = knowledge_gradient(ours.with_pick(CANDIDATES.rows(best)))(CANDIDATES)
    assert after[best][0] < before[best][0] - 0.5
