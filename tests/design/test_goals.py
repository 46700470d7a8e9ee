"""A goal says how good a value is, whether it is allowed, and how likely that is, exactly even where it is unlikely."""

from __future__ import annotations

from math import inf, log, nextafter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from alloyloop.design.goals import Goal, Match, Maximize, Minimize, Report, Within, limits, pursued
from alloyloop.surrogates.errors import AlloyloopError
from alloyloop.surrogates.scales import LOG

finite = st.floats(-100, 100)


def log_chance(limit: Within, mean: float, std: float) -> float:
    return float(limit.log_probability(np.array([mean]), np.array([std]))[0])


# log((erfc(-b/√2) - erfc(-a/√2)) / 2) with a = (low - mean) / std, b = (high - mean) / std, by mpmath 1.3 at 60 digits.
FAR = [
    (8, 25, 50, 1, -316.63940800802025894),
    (8, 25, -100, 2, -1462.9082652217813239),
    (50, inf, 0, 1, -1254.8313611394199013),
    (-inf, 310, 500, 1.5, -8027.9827820366404109),
    (60, 60.5, 0, 1, -1805.0135606805672206),
    (0, 1e-6, 3, 1, -19.234447591168738558),
    (0, 1, -3e4, 1, -450000011.22789119496),
    (0, 1, 1e6, 1, -499999000015.23444809),
    (8, 25, 16, 3, -0.0051937427612716332885),
]


@pytest.mark.parametrize(("low", "high", "mean", "std", "expected"), FAR)
def test_a_chance_is_exact_far_in_the_tails(low: float, high: float, mean: float, std: float, expected: float) -> None:
    assert log_chance(Within(low, high), mean, std) == pytest.approx(expected, rel=1e-8)


@given(finite, st.floats(0.5, 50), st.floats(-3, 3), st.floats(0.5, 30))
def test_a_chance_is_the_normal_one(low: float, width: float, off: float, std: float) -> None:
    mean = low + off * std
    expected = norm.cdf(low + width, mean, std) - norm.cdf(low, mean, std)
    assert np.exp(log_chance(Within(low, low + width), mean, std)) == pytest.approx(expected, rel=1e-9)
    assert log_chance(Within(low=low), mean, std) == pytest.approx(norm.logsf(low, mean, std), rel=1e-9)
    assert log_chance(Within(high=low), mean, std) == pytest.approx(norm.logcdf(low, mean, std), rel=1e-9)


def test_a_chance_is_the_share_of_draws_that_are_allowed() -> None:
    limit, n = Within(8, 25), 400_000
    draws = np.random.default_rng(0).normal(7, 6, n)
    share = limit.allows(draws).mean()
    expected = np.exp(log_chance(limit, 7, 6))
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / n)


@given(finite, st.floats(1e-3, 50), finite, st.floats(1e-3, 30))
def test_an_interval_and_what_mirrors_it_are_as_likely(low: float, width: float, mean: float, std: float) -> None:
    high = low + width
    mirrored = log_chance(Within(-high, -low), -mean, std)
    assert log_chance(Within(low, high), mean, std) == pytest.approx(mirrored, rel=1e-9)


@given(finite, st.floats(0.1, 50), finite, st.floats(0.1, 30))
def test_a_wider_limit_is_never_less_likely(low: float, width: float, mean: float, std: float) -> None:
    narrow = log_chance(Within(low, low + width), mean, std)
    assert narrow <= log_chance(Within(low - 1, low + width), mean, std) + 1e-12
    assert narrow <= log_chance(Within(low=low), mean, std) + 1e-12
    assert narrow <= 0


@pytest.mark.parametrize("limit", [Within(8, 25), Within(low=8), Within(high=25), Within()])
@pytest.mark.parametrize("value", [7.0, 8.0, 16.0, 25.0, 26.0])
def test_a_value_that_is_known_is_allowed_or_not_with_certainty(limit: Within, value: float) -> None:
    allowed = bool(limit.allows(np.array([value]))[0])
    assert log_chance(limit, value, 0.0) == (0.0 if allowed else -inf)


def test_the_limits_themselves_are_allowed_and_what_is_not_known_is_not() -> None:
    values = np.array([nextafter(8, 0), 8, 25, nextafter(25, 30), np.nan])
    assert Within(8, 25).allows(values).tolist() == [False, True, True, False, False]


def test_no_limit_is_kept_by_everything() -> None:
    assert log_chance(Within(), 5.0, 2.0) == 0.0


def test_chances_come_for_many_alloys_at_once() -> None:
    chances = Within(0, 1).log_probability(np.array([0.5, 50.0, 0.5]), np.array([1.0, 1.0, 0.0]))
    assert chances.shape == (3,)
    assert chances[0] == pytest.approx(log(norm.cdf(0.5) - norm.cdf(-0.5)))
    assert chances[2] == 0


@pytest.mark.parametrize(("low", "high"), [(25, 8), (8, 8), (float("nan"), 8)])
def test_limits_between_which_nothing_lies_are_refused(low: float, high: float) -> None:
    with pytest.raises(
        AlloyloopError, match=rf"Nothing lies between {low:g} and {high:g}\. Give the lower limit first"
    ):
        Within(low, high)


def test_limits_speak_in_words() -> None:
    assert [limit.words for limit in (Within(8, 25), Within(low=500), Within(high=310))] == [
        "between 8 and 25",
        "above 500",
        "below 310",
    ]


def test_better_is_lower_or_higher_as_the_goal_says() -> None:
    assert (Minimize().sign, Maximize().sign) == (-1, 1)


GOALS: dict[str, Goal] = {
    "youngs_modulus_GPa": Minimize(),
    "martensite_start_K": Within(high=310),
    "density_g_per_cm3": Report(),
    "yield_strength_MPa": Within(low=500),
}


def test_goals_part_into_those_pursued_and_the_limits() -> None:
    assert pursued(GOALS) == {"youngs_modulus_GPa": Minimize()}
    assert limits(GOALS) == {"martensite_start_K": Within(high=310), "yield_strength_MPa": Within(low=500)}


def test_several_properties_may_be_pursued() -> None:
    goals: dict[str, Goal] = {"a": Maximize(), "b": Match(2, 0.5), "c": Report(), "d": Minimize()}
    assert pursued(goals) == {"a": Maximize(), "b": Match(2, 0.5), "d": Minimize()}


def test_where_nothing_is_pursued_it_is_said() -> None:
    with pytest.raises(AlloyloopError, match=r"No property is minimised, maximised or brought to a target.*Give one"):
        pursued({"a": Report(), "b": Within(low=1)})


def test_an_objective_is_larger_where_a_value_is_better() -> None:
    values = np.array([48.0, 50.0, 53.0])
    assert Minimize().objective(values).tolist() == [-48, -50, -53]
    assert Maximize().objective(values).tolist() == [48, 50, 53]
    assert Match(50, 1).objective(values).tolist() == [-2, 0, -3]


def test_a_target_is_met_within_its_tolerance() -> None:
    assert Match(50, 1.5).limit == Within(48.5, 51.5)
    assert Match(50, 1.5).words == "as near to 50 as possible (met within 1.5)"
    with pytest.raises(AlloyloopError, match=r"A tolerance of 0 cannot be met\. Give one above 0"):
        Match(50, 0)


def test_a_limit_on_the_scale_of_a_model_is_the_same_limit() -> None:
    assert Within(1.0, 100.0).on(LOG) == Within(0.0, log(100.0))
    assert Within(low=-5.0, high=-1.0).on(LOG) is None
