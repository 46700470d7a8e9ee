"""A process variable takes its levels and nothing else; where it is continuous, any value, proposed on a round step."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from alloyloop.design.process import LEAST_LEVELS, Choice, Condition, Numeric
from alloyloop.surrogates.errors import AlloyloopError

TEMPERATURE = Numeric("solution_temperature_C", 750, 1050, 50)
QUENCH = Choice("quench", ("water", "air", "furnace"))
decimals = st.decimals(-1000, 2000, places=2).map(float)


@given(st.integers(-500, 1500), st.integers(0, 40), st.sampled_from([0.1, 0.3, 12.5, 50]))
def test_levels_and_values_of_a_number_are_one_to_one(low: int, n: int, step: float) -> None:
    variable = Numeric("temperature_C", low, float(Decimal(low) + n * Decimal(str(step))), step)
    levels = np.arange(variable.n_levels)
    assert variable.n_levels == n + 1
    assert variable.levels(variable.values(levels)).tolist() == levels.tolist()
    assert variable.takes(variable.values(levels)).all()
    assert [str(value) for value in variable.values(levels).tolist()] == [
        str(float(Decimal(low) + level * Decimal(str(step)))) for level in levels.tolist()
    ]


def test_levels_end_with_the_last_step_inside_the_range() -> None:
    assert Numeric("temperature_C", 750, 1000, 100).grid.tolist() == [750, 850, 950]
    assert Numeric("hold_h", 0.1, 0.7, 0.2).grid.tolist() == [0.1, 0.3, 0.5, 0.7]  # 0.1 + 3 * 0.2 is more in binary
    assert Numeric("hold_h", 2, 2, 1).grid.tolist() == [2]


def test_a_number_off_its_levels_is_near_one_or_none() -> None:
    values = np.array([724, 726, 874, 1074, 1076, np.nan, np.inf])
    assert TEMPERATURE.levels(values).tolist() == [-1, 0, 2, 6, -1, -1, -1]
    assert not TEMPERATURE.takes(values).any()


def test_between_its_levels_a_number_is_held_though_not_taken() -> None:
    values = np.array([749, 750, 861, 1050, 1051, np.nan])
    assert TEMPERATURE.holds(values).tolist() == [False, True, True, True, False, False]
    assert TEMPERATURE.takes(values).tolist() == [False, True, False, True, False, False]
    assert QUENCH.holds(np.array(["air", "oil", None], dtype=object)).tolist() == [True, False, False]


# -- continuous -------------------------------------------------------------------------------------------------------


@given(decimals, decimals)
def test_a_continuous_number_is_proposed_on_the_coarsest_round_step_with_levels_enough(
    one: float, other: float
) -> None:
    low, high = sorted([one, other])
    assume(low < high)
    variable = Numeric("laser_power_W", low, high)
    span = Decimal(str(high)) - Decimal(str(low))
    digits = Decimal(variable.spacing.numerator) / Decimal(variable.spacing.denominator)
    assert digits.normalize().as_tuple().digits in {(1,), (2,), (5,)}
    assert digits * LEAST_LEVELS <= span
    coarser = digits * (Decimal("2.5") if digits.normalize().as_tuple().digits == (2,) else 2)
    assert coarser * LEAST_LEVELS > span
    assert variable.n_levels == span // digits + 1 > LEAST_LEVELS


@pytest.mark.parametrize(
    ("low", "high", "step"), [(0, 200, "1"), (0, 199.9, "1/2"), (0.1, 0.3, "1/1000"), (120, 370, "1"), (0, 1e6, "5000")]
)
def test_round_steps_by_hand(low: float, high: float, step: str) -> None:
    assert Numeric("x", low, high).spacing == Fraction(step)


@given(decimals, decimals, st.floats(0, 1))
def test_a_continuous_number_takes_any_value_of_its_range_and_stands_on_the_nearest_level(
    one: float, other: float, share: float
) -> None:
    low, high = sorted([one, other])
    variable = Numeric("laser_power_W", low, high)
    value = np.array([min(low + share * (high - low), high)])
    assert variable.takes(value).all()
    level = variable.levels(value)
    assert level[0] >= 0
    assert np.abs(variable.grid - value).argmin() == pytest.approx(level[0], abs=1)
    assert np.abs(variable.grid[level] - value) == pytest.approx(np.abs(variable.grid - value).min(), abs=1e-9)


def test_beyond_its_range_a_continuous_number_takes_nothing() -> None:
    power = Numeric("laser_power_W", 120, 370)
    values = np.array([119.4, 119.6, 120, 151.27, 370, 370.4, 370.6, np.nan])
    assert power.takes(values).tolist() == [False, False, True, True, True, False, False, False]
    assert (power.levels(values) >= 0).tolist() == [False, True, True, True, True, True, False, False]


def test_a_constant_is_continuous_with_one_level() -> None:
    assert Numeric("hold_h", 2, 2).grid.tolist() == [2]


# -- listed -----------------------------------------------------------------------------------------------------------


def test_listed_values_are_the_only_ones() -> None:
    hold = Numeric.of_values("hold_h", np.array([4, 0.5, 1, 4]))
    assert (hold.low, hold.high, hold.continuous) == (0.5, 4, False)
    assert hold.grid.tolist() == [0.5, 1, 4]
    values = np.array([0.2, 0.3, 0.5, 0.8, 2, 3, 4, 5.4, 5.6, np.nan])
    assert hold.levels(values).tolist() == [-1, 0, 0, 1, 1, 2, 2, 2, -1, -1]
    assert np.flatnonzero(hold.takes(values)).tolist() == [2, 6]


# -- choices and conditions -------------------------------------------------------------------------------------------


def test_a_choice_is_one_of_its_names_or_unknown() -> None:
    values = np.array(["air", None, "oil", "furnace"], dtype=object)
    assert QUENCH.levels(values).tolist() == [1, -1, -1, 2]
    assert QUENCH.takes(values).tolist() == [True, False, False, True]
    assert QUENCH.values(np.array([2, 0])).tolist() == ["furnace", "water"]


def test_what_is_not_known_is_none_or_nan_and_stands_in_the_middle() -> None:
    assert QUENCH.unknown(2).tolist() == [None, None]
    assert np.isnan(TEMPERATURE.unknown(2)).all()
    assert TEMPERATURE.middle == 900
    assert Condition("test_temperature_C", 37).middle == 37


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "step", "message"),
    [
        (900, 800, 50, "runs from 900 to 800. Swap the two numbers"),
        (float("nan"), 800, 50, "runs from nan to 800"),
        (800, float("inf"), None, "runs from 800 to inf. Give it two finite bounds"),
        (800, 900, 0, "The step of temperature_C is 0. Give a step above 0"),
        (800, 900, -5, "The step of temperature_C is -5"),
        (800, 900, float("nan"), "The step of temperature_C is nan"),
        (800, 900, float("inf"), "The step of temperature_C is inf"),
        (800, 900, 1e-6, "temperature_C has more than 100,000 levels. Make its step coarser, or leave it out"),
    ],
)
def test_impossible_numbers_are_refused(low: float, high: float, step: float | None, message: str) -> None:
    with pytest.raises(AlloyloopError, match=message):
        Numeric("temperature_C", low, high, step)


@pytest.mark.parametrize("choices", [(), ("air", "air")])
def test_choices_are_different_and_at_least_one(choices: tuple[str, ...]) -> None:
    with pytest.raises(AlloyloopError, match="quench needs different choices"):
        Choice("quench", choices)
