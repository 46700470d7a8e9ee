"""How surprising a measurement is hangs on the interval that was told, on the side on which it lies."""

from __future__ import annotations

from math import exp, isnan, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.campaigns.answers import Predicted
from alloyloop.campaigns.cells import Reading
from alloyloop.campaigns.surprise import how_far

ENDS = 1.6448536  # of the central nine tenths of a normal distribution, from a table


def lognormal(sigma: float) -> Predicted:
    """What is expected of a corrosion rate whose logarithm is 0 ± sigma."""
    mean = exp(sigma**2 / 2)
    return Predicted(mean, mean * sqrt(exp(sigma**2) - 1), exp(-ENDS * sigma), exp(ENDS * sigma))


@given(st.floats(0.05, 1.5))
def test_the_ends_of_the_interval_are_as_far_as_those_of_a_normal_one(sigma: float) -> None:
    expected = lognormal(sigma)
    assert how_far(Reading(expected.low), expected) == pytest.approx(-ENDS)
    assert how_far(Reading(expected.high), expected) == pytest.approx(ENDS)
    assert how_far(Reading(expected.mean), expected) == 0


def test_a_rate_below_the_interval_surprises_though_it_is_near_in_standard_deviations() -> None:
    expected = lognormal(1.0)
    came = expected.low / 2
    assert (came - expected.mean) / expected.std > -1
    assert how_far(Reading(came), expected) < -ENDS


def test_a_mean_outside_its_interval_is_judged_by_the_standard_deviation() -> None:
    assert how_far(Reading(12.0), Predicted(10.0, 4.0, 1.0, 9.0)) == pytest.approx(0.5)


def test_what_was_not_in_doubt_is_not_compared() -> None:
    assert isnan(how_far(Reading(12.0), Predicted(10.0, 0.0, 10.0, 10.0)))


@pytest.mark.parametrize(("sign", "value", "far"), [("<", 65, 0), (">", 55, 0), ("<", 55, -2.5), (">", 65, 2.5)])
def test_a_bound_is_as_far_as_the_nearest_value_that_keeps_it(sign: str, value: float, far: float) -> None:
    expected = Predicted(60.0, 2.0, 60 - 2 * ENDS, 60 + 2 * ENDS)
    assert how_far(Reading(value, censored=sign), expected) == pytest.approx(far)
