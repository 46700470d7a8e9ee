"""Whole variables under rows and alternatives: the cheapest are what trying all of them finds."""

from __future__ import annotations

import ctypes
import os
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.milp import Alternatives, Row, Segment, Variables, _quiet

factors = st.lists(st.integers(-5, 5), min_size=3, max_size=3).map(lambda numbers: np.array(numbers, dtype=np.float64))
rows = st.builds(Row, factors, st.integers(-10, 20).map(float))
alternatives = st.lists(st.lists(rows, min_size=1, max_size=2).map(tuple), min_size=1, max_size=3).map(tuple)


def every(variables: Variables) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """All whole numbers within bounds."""
    ranges = (range(low, high + 1) for low, high in zip(variables.low, variables.high, strict=True))
    return [np.array(x, dtype=np.float64) for x in product(*ranges)]


@given(st.lists(alternatives, max_size=4), factors, st.integers(1, 4))
def test_the_cheapest_is_what_trying_all_finds(told: list[Alternatives], costs: np.ndarray, top: int) -> None:
    variables = Variables(np.array([-1, 0, 0]), np.array([top, 3, 4]), equal=((np.array([1.0, 1.0, 2.0]), 6.0),))
    kept = [x for x in every(variables) if variables.hold(x, told)]
    found = variables.cheapest(told, costs)
    assert found.impossible == (not kept)
    if kept:
        assert found.x is not None
        assert variables.hold(found.x, told)
        assert costs @ found.x == pytest.approx(min(costs @ x for x in kept))


@given(st.lists(alternatives, max_size=3), factors)
def test_of_a_group_exactly_one_is_chosen(told: list[Alternatives], costs: np.ndarray) -> None:
    variables = Variables(np.zeros(3, dtype=np.int64), np.ones(3, dtype=np.int64), one_of=(np.arange(3),))
    kept = [x for x in np.eye(3) if variables.hold(x, told)]
    found = variables.cheapest(told, costs)
    assert found.impossible == (not kept)
    if kept:
        assert found.x is not None
        assert costs @ found.x == pytest.approx(min(costs @ x for x in kept))


def test_a_row_and_its_opposite_share_no_whole_numbers_and_leave_out_none() -> None:
    row = Row(np.array([2.0, -3.0]), 4.0)
    for x in product(range(-5, 6), repeat=2):
        assert row.holds(np.array(x)) != row.opposite.holds(np.array(x))


def test_segments_cost_what_the_convex_function_does_that_they_are_of() -> None:
    variables = Variables(np.array([0, 0]), np.array([9, 9]), equal=((np.array([1.0, 1.0]), 9.0),))
    away_from_7 = [Segment(0, 7, -1.0), Segment(0, 2, 1.0)]
    away_from_4 = [Segment(1, 4, -3.0), Segment(1, 5, 3.0)]
    found = variables.cheapest([], np.zeros(2), [*away_from_7, *away_from_4])
    assert found.x is not None
    assert found.x.tolist() == [5, 4]  # two away from 7 costs 2; the other way it would cost 6
    assert 7 + 12 + found.at_least == pytest.approx(2)


@pytest.mark.skipif(os.name != "posix", reason="the C library is found otherwise")
def test_what_the_solver_prints_of_its_own_accord_never_reaches_standard_output(
    capfd: pytest.CaptureFixture[str],
) -> None:
    c_library = ctypes.CDLL(None)
    with _quiet():
        c_library.puts(b"HighsMipSolverData::transformNewIntegerFeasibleSolution tmpSolver.run();")
    c_library.puts(b"after")
    c_library.fflush(None)
    assert capfd.readouterr().out == "after\n"
