"""A diagram holds exactly the points that keep its total and clauses, in order, however many there are.

What is expected is found by trying every combination of values, or by sums of binomial coefficients.
"""

from __future__ import annotations

from importlib import import_module
from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2

from alloyloop.design.diagram import Atom, Axis, Clause, Diagram, IntArray, TooManyStatesError

from .strategies_space import as_set

diagram_module = import_module("alloyloop.design.diagram")
small = st.integers(-3, 3)
seeds = st.integers(0, 2**32)


@st.composite
def axes_of(draw: st.DrawFn) -> tuple[Axis, ...]:
    """Draw up to four axes, some of two columns, some that take nothing of the total; the columns are in any order."""
    widths = draw(st.lists(st.sampled_from([1, 1, 2]), min_size=1, max_size=4))
    columns = iter(draw(st.permutations(range(sum(widths)))))
    axes = []
    for width in widths:
        rows = sorted(draw(st.sets(st.tuples(*[small] * width), min_size=1, max_size=5)))
        units = sorted(draw(st.lists(st.integers(0, 4), min_size=len(rows), max_size=len(rows))))
        own = tuple(next(columns) for _ in range(width))
        axes.append(Axis(own, np.array(rows, dtype=np.int64), np.array(units, dtype=np.int64)))
    return tuple(axes)


@st.composite
def clauses_over(draw: st.DrawFn, axes: tuple[Axis, ...]) -> tuple[Clause, ...]:
    """Draw up to three clauses of up to three atoms."""

    def atom() -> Atom:
        parts = [draw(st.lists(small, min_size=len(axis.values), max_size=len(axis.values))) for axis in axes]
        return Atom(tuple(np.array(part, dtype=np.int64) for part in parts), draw(st.integers(-6, 4)))

    return tuple(tuple(atom() for _ in range(draw(st.integers(1, 3)))) for _ in range(draw(st.integers(0, 3))))


@st.composite
def diagrams(draw: st.DrawFn) -> Diagram:
    """Draw a diagram, which may be empty."""
    axes = draw(axes_of())
    return Diagram(axes, draw(st.integers(0, 8)), draw(clauses_over(axes)))


def every_point(diagram: Diagram) -> list[tuple[int, ...]]:
    """All points in order: every choice of values, those of the first axis changing last."""
    points = []
    for chosen in product(*(range(len(axis.values)) for axis in diagram.axes)):
        if sum(int(axis.units[i]) for axis, i in zip(diagram.axes, chosen, strict=True)) != diagram.total:
            continue
        if all(any(is_true(atom, chosen) for atom in clause) for clause in diagram.clauses):
            point = [0] * diagram.n_columns
            for axis, i in zip(diagram.axes, chosen, strict=True):
                for column, value in zip(axis.columns, axis.values[i].tolist(), strict=True):
                    point[column] = value
            points.append(tuple(point))
    return points


def is_true(atom: Atom, chosen: tuple[int, ...]) -> bool:
    return sum(int(part[i]) for part, i in zip(atom.contributions, chosen, strict=True)) <= atom.most


@given(diagrams())
def test_points_are_all_that_keep_total_and_clauses_in_order(diagram: Diagram) -> None:
    expected = every_point(diagram)
    assert diagram.count == len(expected)
    assert [tuple(point) for point in diagram.at(range(diagram.count)).tolist()] == expected


@given(diagrams())
def test_the_number_of_a_point_leads_back_to_it(diagram: Diagram) -> None:
    assert diagram.index(diagram.at(range(diagram.count))) == list(range(diagram.count))


@given(diagrams(), st.integers(-3, 700), st.integers(-3, 700))
def test_a_slice_holds_the_points_of_its_numbers_and_may_end_outside(diagram: Diagram, start: int, stop: int) -> None:
    points = [tuple(point) for point in diagram.between(start, stop).tolist()]
    assert points == every_point(diagram)[max(start, 0) : max(stop, 0)]


@given(diagrams(), st.lists(st.tuples(*[st.integers(-4, 4)] * 8), max_size=30), seeds)
def test_what_is_no_point_is_not_held_and_has_no_number(
    diagram: Diagram, rows: list[tuple[int, ...]], seed: int
) -> None:
    expected = every_point(diagram)
    inside = np.array(expected, dtype=np.int64).reshape(-1, diagram.n_columns)
    shaken = inside + np.random.default_rng(seed).integers(-1, 2, size=inside.shape)
    outside = np.array(rows, dtype=np.int64).reshape(-1, 8)[:, : diagram.n_columns]
    points = np.vstack([inside, shaken, outside])
    held = [tuple(point) in expected for point in points.tolist()]
    assert diagram.holds(points).tolist() == held
    assert [number >= 0 for number in diagram.index(points)] == held


@given(diagrams(), seeds)
def test_a_draw_is_a_point(diagram: Diagram, seed: int) -> None:
    if diagram.count:
        assert as_set(diagram.sample(20, np.random.default_rng(seed))) <= set(every_point(diagram))


@given(axes_of(), st.data())
def test_clauses_keep_what_each_keeps_alone(axes: tuple[Axis, ...], data: st.DataObject) -> None:
    total, clauses = data.draw(st.integers(0, 8)), data.draw(clauses_over(axes))
    alone = [as_set(Diagram(axes, total, (clause,)).between(0, 10**6)) for clause in clauses]
    everything = as_set(Diagram(axes, total).between(0, 10**6))
    assert as_set(Diagram(axes, total, clauses).between(0, 10**6)) == everything.intersection(*alone)


def ones(n: int, most: int) -> Diagram:
    """Rows of n noughts and ones, at most so many of them ones."""
    axes = tuple(Axis((i,), np.array([[0], [1]]), np.array([0, 0])) for i in range(n))
    return Diagram(axes, 0, ((Atom((np.array([0, 1]),) * n, most),),))


@pytest.mark.parametrize(("n", "most"), [(20, 7), (61, 61), (62, 62), (63, 40), (64, 31), (120, 60), (400, 150)])
def test_counts_of_any_size_are_exact(n: int, most: int) -> None:
    diagram = ones(n, most)
    assert diagram.count == sum(comb(n, k) for k in range(most + 1))
    some = [0, 1, diagram.count // 3, diagram.count - 2, diagram.count - 1]
    assert diagram.index(diagram.at(some)) == some
    assert (diagram.between(some[2], some[2] + 50) == diagram.at(range(some[2], some[2] + 50))).all()
    assert diagram.between(diagram.count - 1, diagram.count + 9).tolist() == diagram.at([diagram.count - 1]).tolist()


def test_states_are_told_apart_however_large_their_sums_are_together() -> None:
    wide = 2**32 - 1  # sums of two clauses side by side fill 64 bits, and a third is told apart all the same
    bits = np.array(list(product([0, 1], repeat=3)))
    axes = tuple(Axis((i,), np.arange(8)[:, None], np.zeros(8, dtype=np.int64)) for i in range(3))
    clauses: tuple[Clause, ...] = tuple(
        (Atom((most * bits[:, place],) * 3, most),) for place, most in enumerate([1, wide, wide])
    )
    diagram = Diagram(axes, 0, clauses)
    expected = [point for point in product(range(8), repeat=3) if (bits[list(point)].sum(axis=0) <= 1).all()]
    assert [tuple(point) for point in diagram.between(0, 10**3).tolist()] == expected


def test_a_value_that_an_axis_has_not_is_taken_for_none_of_another_state() -> None:
    at_most_two = ones(4, 2)
    assert at_most_two.holds(np.array([[1, 0, 0, 1], [1, 7, 0, 0], [1, -1, 0, 0]])).tolist() == [True, False, False]


# The thresholds below are passed by one in a thousand of fair samplers; the draws are the same at every run.
FALSE_ALARM = 1e-3


@pytest.mark.parametrize(("n", "most"), [(12, 5), (70, 35)], ids=["in int64", "beyond int64"])
def test_draws_are_uniform(n: int, most: int) -> None:
    times = 20_000
    points = ones(n, most).sample(times, np.random.default_rng(0))
    ways = np.array([comb(n, k) for k in range(most + 1)], dtype=np.float64)
    expected = times * ways / ways.sum()
    seen = np.bincount(points.sum(axis=1), minlength=most + 1)
    often = expected >= 5  # rarer ones are put together, as chi-squared asks
    expected = np.array([*expected[often], expected[~often].sum()])
    seen = np.array([*seen[often], seen[~often].sum()])
    kept = expected > 0
    assert (((seen - expected) ** 2)[kept] / expected[kept]).sum() < chi2.isf(FALSE_ALARM, kept.sum() - 1)
    # A one is as likely in each place: of k ones in n, their covariance is k (n - k) / (n (n - 1)) times I - 1/n.
    ones_drawn = points.sum(axis=1)
    variance = (ones_drawn * (n - ones_drawn)).sum() / (n * (n - 1))
    assert ((points.sum(axis=0) - points.sum() / n) ** 2 / variance).sum() < chi2.isf(FALSE_ALARM, n - 1)


def test_every_point_is_drawn_equally_often_under_clauses() -> None:
    values = np.arange(5)
    axes = tuple(Axis((i,), values[:, None], values) for i in range(4))
    unequal: Clause = (Atom((values, -values, 0 * values, 0 * values), -1), Atom((0 * values,) * 3 + (values,), 1))
    diagram = Diagram(axes, 9, (unequal,))
    points = every_point(diagram)
    drawn = np.bincount(diagram.index(diagram.sample(200 * len(points), np.random.default_rng(1))))
    assert len(drawn) == len(points) == diagram.count
    assert ((drawn - 200) ** 2 / 200).sum() < chi2.isf(FALSE_ALARM, len(points) - 1)


def nothing_held(diagram: Diagram, point: IntArray) -> None:
    assert diagram.count == 0
    assert diagram.holds(point).tolist() == [False]
    assert diagram.index(point) == [-1]
    assert diagram.between(0, 5).shape == (0, diagram.n_columns)
    with pytest.raises(IndexError):
        diagram.at([0])


def test_an_empty_diagram_holds_nothing() -> None:
    axes = tuple(Axis((i,), np.array([[0], [2]]), np.array([0, 2])) for i in range(3))
    nothing_held(Diagram(axes, 5), np.array([[2, 2, 0]]))  # no total of fives in twos
    nothing_held(Diagram(axes, 9), np.array([[2, 2, 2]]))  # nor more than there is
    never: Clause = (Atom((np.zeros(2, dtype=np.int64),) * 3, -1),)
    nothing_held(Diagram(axes, 4, (never,)), np.array([[2, 2, 0]]))


def test_without_axes_there_is_one_way_to_take_nothing_and_none_to_take_more() -> None:
    assert (Diagram((), 0).count, Diagram((), 1).count) == (1, 0)


@pytest.mark.parametrize("index", [-1, 16])
def test_a_number_beyond_the_last_is_refused(index: int) -> None:
    with pytest.raises(IndexError, match="from 0 to 15"):
        ones(4, 4).at([0, index])


def test_too_many_states_are_refused_before_they_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    doubles = tuple(np.array([0, 2**i]) for i in range(20))  # every sum so far is another state
    axes = tuple(Axis((i,), np.array([[0], [1]]), np.array([0, 0])) for i in range(20))
    halves: Clause = (Atom(doubles, 2**19),)
    assert Diagram(axes, 0, (halves,)).count == 2**19 + 1
    monkeypatch.setattr(diagram_module, "MOST_STEPS", 100)
    with pytest.raises(TooManyStatesError):
        Diagram(axes, 0, (halves,))
