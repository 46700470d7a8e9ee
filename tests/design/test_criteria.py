from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from alloyloop.design.criteria import (
    Bracket,
    Criterion,
    ExpectedApproach,
    ExpectedImprovement,
    ExpectedWeighedImprovement,
    LogOdds,
    PredictedMean,
    PredictedNearness,
)
from alloyloop.design.goals import Within
from alloyloop.surrogates.base import Prediction

LIMITS = (Within(high=1.0), Within(low=-2.0), Within(-1.0, 0.5), Within(-1e-3, 1e-3))
WITHOUT_END: tuple[Criterion, ...] = (
    PredictedMean("a", 1.0, 1.0),
    PredictedMean("a", -1.0, 1.0),
    *(LogOdds((("a", limit),)) for limit in LIMITS),
    LogOdds((("a", LIMITS[0]), ("b", LIMITS[2]))),
    ExpectedImprovement("a", -1.0, 0.3),
    ExpectedImprovement("a", 1.0, -0.2, (("b", LIMITS[2]), ("a", LIMITS[1]))),
    ExpectedWeighedImprovement((("a", -2.0), ("b", 0.5)), 0.3),
    ExpectedWeighedImprovement((("a", 1.0), ("b", 1.0)), -0.2, (("b", LIMITS[2]),)),
)
# On target there is nothing better.
CRITERIA: tuple[Criterion, ...] = (
    *WITHOUT_END,
    PredictedNearness("a", 0.4, 1.0),
    ExpectedApproach("a", 0.4, 0.7),
    ExpectedApproach("a", -1.0, 3.0, (("b", LIMITS[0]),)),
)


def known(mean: float, std: float, noise: float) -> Bracket:
    return Bracket.of(Prediction(np.array([mean]), np.array([std]), np.array([noise])))


@st.composite
def brackets_and_beliefs(draw: st.DrawFn) -> tuple[Bracket, Bracket]:
    """Draw a bracket and, as a bracket of no width, a belief inside it."""
    numbers = st.floats(-8, 8, allow_subnormal=False)
    low, mean, high = sorted(draw(st.tuples(numbers, numbers, numbers)))
    spreads = st.floats(1e-3, 8)
    least, std, most = sorted(draw(st.tuples(spreads, spreads, spreads)))
    least = draw(st.sampled_from([0.0, least]))
    noise = draw(st.sampled_from([0.0, 0.3]))
    return Bracket(*(np.array([number]) for number in (low, high, least, most, noise))), known(mean, std, noise)


@pytest.mark.parametrize("criterion", CRITERIA, ids=str)
@given(a=brackets_and_beliefs(), b=brackets_and_beliefs())
def test_no_belief_in_a_bracket_is_worth_more_than_the_highest_value_it_allows(
    criterion: Criterion, a: tuple[Bracket, Bracket], b: tuple[Bracket, Bracket]
) -> None:
    highest = criterion.highest({"a": a[0], "b": b[0]})
    value = criterion.highest({"a": a[1], "b": b[1]})
    assert value <= highest + 1e-9 * (1 + abs(value))


@pytest.mark.parametrize("criterion", [c for c in CRITERIA if isinstance(c, PredictedMean | LogOdds)], ids=str)
@given(a=brackets_and_beliefs(), b=brackets_and_beliefs())
def test_no_belief_in_a_bracket_is_worth_less_than_the_lowest_value_it_allows(
    criterion: PredictedMean | LogOdds, a: tuple[Bracket, Bracket], b: tuple[Bracket, Bracket]
) -> None:
    inside = {"a": a[1], "b": b[1]}
    value = criterion.highest(inside)
    assert criterion.lowest({"a": a[0], "b": b[0]}) <= value + 1e-9 * (1 + abs(value))
    assert criterion.lowest(inside) == pytest.approx(value, rel=1e-12, abs=1e-12)


@given(belief=brackets_and_beliefs(), limit=st.sampled_from(LIMITS))
def test_the_highest_value_a_bracket_allows_is_reached_in_it(belief: tuple[Bracket, Bracket], limit: Within) -> None:
    bracket, _ = belief
    assume(bracket.std_low > 0)
    odds = LogOdds((("a", limit),))
    # The nearest mean to the middle of the limits, which a grid of ends and middles holds, and any deviation.
    ends = (bracket.mean_low[0], bracket.mean_high[0])
    middle = np.clip((limit.low + limit.high) / 2, *ends)
    stds = np.geomspace(bracket.std_low[0], bracket.std_high[0], 2001)
    mean, std = (part.ravel() for part in np.meshgrid([*ends, middle], stds))
    best = odds.highest({"a": Bracket.of(Prediction(mean, std, np.full(len(mean), bracket.noise[0])))}).max()
    assert odds.highest({"a": bracket})[0] == pytest.approx(best, rel=1e-5, abs=1e-5)


def test_log_odds_are_those_of_a_measurement_and_not_of_the_property() -> None:
    """P(Y <= 60) of a normal Y with mean 55 and standard deviation 5 is 0.8413."""
    odds = LogOdds((("E", Within(high=60.0)),)).highest({"E": known(55.0, 3.0, 4.0)})
    p = norm.cdf(1.0)
    assert odds[0] == pytest.approx(np.log(p / (1 - p)), rel=1e-12)


def test_log_odds_of_two_limits_multiply_their_probabilities() -> None:
    limits = (("E", Within(high=60.0)), ("R", Within(low=500.0)))
    odds = LogOdds(limits).highest({"E": known(55.0, 5.0, 0.0), "R": known(540.0, 20.0, 0.0)})
    p = norm.cdf(1.0) * norm.cdf(2.0)
    assert odds[0] == pytest.approx(np.log(p / (1 - p)), rel=1e-12)


@pytest.mark.parametrize("sigmas", [9.0, 30.0, 45.0])
def test_designs_that_are_all_but_certain_are_told_apart(sigmas: float) -> None:
    """Where P is 1.0 to sixteen digits, 1 - P is still told by the tail."""
    odds = LogOdds((("E", Within(high=0.0)),))
    sure, surer = (odds.highest({"E": known(-away, 1.0, 0.0)})[0] for away in (sigmas, sigmas + 0.01))
    assert sure == pytest.approx(-norm.logsf(sigmas), rel=1e-9)
    assert surer > sure


def test_of_two_limits_the_nearer_decides_where_both_are_all_but_certain() -> None:
    limits = (("E", Within(high=0.0)), ("R", Within(high=0.0)))
    both = LogOdds(limits).highest({"E": known(-40.0, 1.0, 0.0), "R": known(-50.0, 1.0, 0.0)})
    assert both[0] == pytest.approx(-norm.logsf(40.0), rel=1e-9)


def test_a_value_that_is_known_is_inside_limits_or_outside() -> None:
    odds = LogOdds((("price", Within(high=60.0)),))
    assert odds.highest({"price": known(59.0, 0.0, 0.0)}) > 1e3
    assert odds.highest({"price": known(61.0, 0.0, 0.0)}) < -1e3


def test_expected_improvement_is_that_of_the_textbook() -> None:
    """Jones et al. 1998, eq. 15, of a mean of 58 ± 4 with 60 to improve on: (60 - 58) Φ(0.5) + 4 φ(0.5)."""
    value = ExpectedImprovement("E", -1.0, 60.0).highest({"E": known(58.0, 4.0, 7.0)})
    assert np.exp(value[0]) == pytest.approx(2 * norm.cdf(0.5) + 4 * norm.pdf(0.5), rel=1e-12)


def test_expected_improvement_is_times_the_probability_of_the_limits_for_the_property_itself() -> None:
    limited = ExpectedImprovement("E", -1.0, 60.0, (("R", Within(low=500.0)),))
    beliefs = {"E": known(58.0, 4.0, 7.0), "R": known(520.0, 20.0, 99.0)}
    free = ExpectedImprovement("E", -1.0, 60.0).highest(beliefs)
    assert limited.highest(beliefs)[0] - free[0] == pytest.approx(np.log(norm.cdf(1.0)), rel=1e-12)


def test_the_expected_approach_is_the_mean_of_what_is_gained() -> None:
    """Of a normal with mean 53 and standard deviation 4, a target of 50 and a best that is 2 off, by quadrature."""
    value = ExpectedApproach("E", 50.0, 2.0).highest({"E": known(53.0, 4.0, 7.0)})
    gained, _ = quad(lambda y: (2 - abs(y - 50)) * norm.pdf(y, 53, 4), 48, 52, points=[50])
    assert np.exp(value[0]) == pytest.approx(gained, rel=1e-9)


@given(belief=brackets_and_beliefs(), target=st.floats(-6, 6), nearest=st.floats(0.05, 5))
def test_the_highest_approach_a_bracket_allows_is_reached_in_it(
    belief: tuple[Bracket, Bracket], target: float, nearest: float
) -> None:
    bracket, _ = belief
    assume(bracket.std_low > 0)
    approach = ExpectedApproach("a", target, nearest)
    ends = (bracket.mean_low[0], bracket.mean_high[0])
    stds = np.geomspace(bracket.std_low[0], bracket.std_high[0], 2001)
    mean, std = (part.ravel() for part in np.meshgrid([*ends, np.clip(target, *ends)], stds))
    best = approach.highest({"a": Bracket.of(Prediction(mean, std, np.zeros(len(mean))))}).max()
    assert approach.highest({"a": bracket})[0] == pytest.approx(best, rel=1e-4, abs=1e-4)


def test_nearness_is_the_distance_of_the_expected_value_with_a_minus() -> None:
    near = PredictedNearness("E", 50.0, 1.0)
    assert [near.highest({"E": known(mean, 9.0, 9.0)})[0] for mean in (48.0, 50.0, 55.0)] == [-2, 0, -5]


def test_the_improvement_of_a_weighed_sum_is_that_of_a_normal_with_its_moments() -> None:
    """Modulus 58 ± 4 counting -0.1 a GPa, strength 520 ± 30 counting 0.02 a MPa: 4.6 ± √(0.4² + 0.6²); best 5."""
    weighed = ExpectedWeighedImprovement((("E", -0.1), ("R", 0.02)), 5.0)
    value = weighed.highest({"E": known(58.0, 4.0, 7.0), "R": known(520.0, 30.0, 9.0)})
    mean, std = 4.6, np.sqrt(0.16 + 0.36)
    textbook = (mean - 5) * norm.cdf((mean - 5) / std) + std * norm.pdf((mean - 5) / std)
    assert np.exp(value[0]) == pytest.approx(textbook, rel=1e-12)


@pytest.mark.parametrize("criterion", WITHOUT_END, ids=str)
def test_of_what_is_unknown_anything_can_be_hoped(criterion: Criterion) -> None:
    unknown = {name: Bracket.unknown(1) for name in "ab"}
    assert criterion.highest(unknown)[0] > 600  # e^600: no real design comes near


def test_words_name_what_is_ranked_by() -> None:
    limit = (("R", Within(low=500.0)),)
    assert PredictedMean("E", -1.0, 1.0).words == "minimize E"
    assert LogOdds(limit).words == "probability that R is above 500"
    assert ExpectedImprovement("E", -1.0, 60.0, limit).words == "expected improvement of E on 60, where R is above 500"
    assert ExpectedImprovement("E", -1.0, 60.0).words == "expected improvement of E on 60"
    assert PredictedNearness("E", 50.0, 1.0).words == "E near 50"
    assert ExpectedApproach("E", 50.0, 2.5).words == "expected approach of E to 50 (the best known is 2.5 off)"
    together = "expected improvement of E and R together, as weighed, where R is above 500"
    assert ExpectedWeighedImprovement((("E", -1.0), ("R", 1.0)), 0.0, limit).words == together
    assert Within(low=-inf, high=3.0).words == "below 3"
