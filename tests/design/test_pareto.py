"""Fronts, their hypervolume, and the boxes above them: held to their definitions by brute force, and to BoTorch."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from alloyloop.design.pareto import (
    Boxes,
    boxes,
    hypervolume,
    hypervolume_improvement,
    inferred_reference,
    non_dominated,
    ranks,
)
from alloyloop.surrogates.base import FloatArray


def fronts(most_goals: int = 4, most_alloys: int = 9) -> st.SearchStrategy[FloatArray]:
    """Values of few alloys, on so few levels that many are equal, and some at the reference 0 or below it."""
    level = st.integers(-1, 5).map(float)
    shapes = st.tuples(st.integers(0, most_alloys), st.integers(1, most_goals))
    return shapes.flatmap(lambda shape: arrays(np.float64, shape, elements=level))


def dominates(one: FloatArray, other: FloatArray) -> bool:
    return bool((one >= other).all() and (one > other).any())


def by_inclusion_and_exclusion(front: FloatArray) -> float:
    """Hypervolume above 0 as the volume of a union: those of all alloys, less those of pairs, and so on."""
    corners, volume = np.maximum(front, 0.0), 0.0
    for size in range(1, len(front) + 1):
        for some in combinations(corners, size):
            volume -= (-1) ** size * float(np.min(some, axis=0).prod())
    return volume


def half_way(m: int, most: int = 6) -> FloatArray:
    """Points between all levels of `fronts` above 0, and beyond them."""
    return np.asarray(np.stack(np.meshgrid(*[np.arange(most) + 0.5] * m), axis=-1).reshape(-1, m), dtype=np.float64)


@given(fronts())
def test_the_front_is_what_no_other_alloy_dominates(values: FloatArray) -> None:
    expected = [not any(dominates(other, one) for other in values) for one in values]
    assert non_dominated(values).tolist() == expected


def test_of_equal_alloys_all_are_on_the_front() -> None:
    assert non_dominated(np.array([[2.0, 1.0], [2.0, 1.0], [1.0, 2.0]])).all()


@given(fronts())
def test_a_rank_is_one_more_than_the_highest_of_those_that_dominate(values: FloatArray) -> None:
    found = ranks(values)
    for value, rank in zip(values, found, strict=True):
        above = [r for other, r in zip(values, found, strict=True) if dominates(other, value)]
        assert rank == max(above, default=-1) + 1


@given(fronts())
def test_boxes_hold_what_lies_above_the_reference_and_no_alloy_reaches_once_each(front: FloatArray) -> None:
    m = front.shape[1]
    found, points = boxes(front, np.zeros(m)), half_way(m)
    inside = ((points[:, None] > found.lower) & (points[:, None] < found.upper)).all(axis=2).sum(axis=1)
    reached = np.any(np.all(points[:, None] <= front, axis=2), axis=1)
    assert inside.tolist() == np.where(reached, 0, 1).tolist()
    assert (found.lower >= 0).all()
    assert (found.lower < found.upper).all()


def on_a_sphere(n: int, m: int, seed: int) -> FloatArray:
    """Values of which none dominates another."""
    values = np.abs(np.random.default_rng(seed).normal(size=(n, m)))
    return np.asarray(values / np.linalg.norm(values, axis=1, keepdims=True))


@pytest.mark.parametrize("n", [0, 1, 2, 7, 40])
def test_two_goals_need_one_box_more_than_alloys(n: int) -> None:
    assert len(boxes(on_a_sphere(n, 2, n), np.zeros(2))) == n + 1


@pytest.mark.parametrize("n", [0, 1, 5, 30])
def test_three_goals_need_hardly_more_boxes_than_twice_as_many_as_alloys(n: int) -> None:
    """The fewest there can be are 2 n + 1 [Lacour et al., Comput. Oper. Res. 79 (2017) 347]."""
    assert 2 * n + 1 <= len(boxes(on_a_sphere(n, 3, n), np.zeros(3))) <= 1.25 * (2 * n + 1)


@pytest.mark.torch
def test_four_goals_need_hardly_more_boxes_than_botorch_has() -> None:
    torch = pytest.importorskip("torch")
    from botorch.utils.multi_objective.box_decompositions.non_dominated import FastNondominatedPartitioning

    front = on_a_sphere(10, 4, 0)
    theirs = FastNondominatedPartitioning(torch.zeros(4, dtype=torch.float64), torch.from_numpy(front))
    assert len(boxes(front, np.zeros(4))) <= 1.25 * theirs.get_hypercell_bounds().shape[1]


@given(fronts())
def test_hypervolume_is_that_of_a_union_of_boxes(front: FloatArray) -> None:
    assert hypervolume(front, np.zeros(front.shape[1])) == pytest.approx(by_inclusion_and_exclusion(front), abs=1e-9)


@pytest.mark.torch
@pytest.mark.parametrize(("n", "m"), [(12, 2), (12, 3), (12, 4), (12, 5), (12, 6), (40, 3)])
def test_hypervolume_is_that_of_botorch(n: int, m: int) -> None:
    torch = pytest.importorskip("torch")
    from botorch.utils.multi_objective.hypervolume import Hypervolume

    front, reference = on_a_sphere(n, m, m), np.full(m, -0.2)
    theirs = Hypervolume(torch.from_numpy(reference)).compute(torch.from_numpy(front))
    assert hypervolume(front, reference) == pytest.approx(theirs, rel=1e-12)


@given(fronts(), st.data())
def test_one_more_alloy_never_lowers_the_hypervolume_and_raises_it_by_its_improvement(
    front: FloatArray, data: st.DataObject
) -> None:
    m = front.shape[1]
    point = data.draw(arrays(np.float64, (1, m), elements=st.floats(-1, 8)))
    before, after = (hypervolume(some, np.zeros(m)) for some in (front, np.vstack([front, point])))
    gain = hypervolume_improvement(point, front, np.zeros(m))[0]
    assert gain >= 0
    assert after == pytest.approx(before + gain, rel=1e-12, abs=1e-12)


@given(fronts())
def test_what_the_front_dominates_adds_nothing(front: FloatArray) -> None:
    reference = np.zeros(front.shape[1])
    assert (hypervolume_improvement(front - 0.25, front, reference) == 0).all()
    assert hypervolume(np.vstack([front, front - 0.25]), reference) == hypervolume(front, reference)


def test_improvements_of_many_alloys_are_those_of_each() -> None:
    front, points = on_a_sphere(8, 3, 0), np.random.default_rng(1).uniform(0, 1.2, (50, 3))
    together = hypervolume_improvement(points, front, np.zeros(3))
    assert together == pytest.approx([hypervolume_improvement(p[None], front, np.zeros(3))[0] for p in points])
    assert (together > 0).any()
    assert (together == 0).any()


def test_of_boxes_without_end_only_what_is_below_a_point_counts() -> None:
    everything = Boxes(np.zeros((1, 2)), np.full((1, 2), np.inf))
    assert everything.volume_below(np.array([[2.0, 3.0], [2.0, -1.0]])).tolist() == [6, 0]


def test_the_reference_lies_a_tenth_of_the_front_beyond_its_worst() -> None:
    """By hand: the front is (10, 100), (8, 150), (4, 160), and what it dominates does not count."""
    values = np.array([[10.0, 100], [8, 150], [4, 160], [3, 20], [-50, 120]])
    point, spanned = inferred_reference(values, np.array([1.0, 5.0]))
    assert point == pytest.approx([4 - 0.6, 100 - 6])
    assert spanned.all()


@pytest.mark.torch
def test_the_reference_is_that_of_botorch_where_the_front_spans_something() -> None:
    torch = pytest.importorskip("torch")
    from botorch.utils.multi_objective.hypervolume import infer_reference_point

    front = on_a_sphere(9, 3, 2)
    point, _ = inferred_reference(front, np.zeros(3))
    assert point == pytest.approx(infer_reference_point(torch.from_numpy(front)).numpy())


def test_one_alloy_that_is_best_in_everything_is_given_room_by_the_middle_half_of_all() -> None:
    """By hand: quartiles of 0, 1, 2, 3, 4 are 1 and 3; those of 10 four times and 11 are equal, so scatter counts."""
    values = np.array([[0.0, 10], [1, 10], [2, 10], [3, 10], [4, 11]])
    point, spanned = inferred_reference(values, np.array([0.5, 0.7]))
    assert point == pytest.approx([4 - 2, 11 - 0.7])
    assert not spanned.any()


@pytest.mark.parametrize(("value", "expected"), [(0.0, -1.0), (50.0, 45.0), (-50.0, -55.0)])
def test_a_number_that_is_computed_and_the_same_for_all_still_has_something_worse(
    value: float, expected: float
) -> None:
    point, _ = inferred_reference(np.full((3, 1), value), np.zeros(1))
    assert point == pytest.approx([expected])


@given(fronts().filter(len))
def test_every_alloy_of_the_front_is_better_than_the_reference_in_every_goal(values: FloatArray) -> None:
    point, _ = inferred_reference(values, np.full(values.shape[1], 0.1))
    assert (values[non_dominated(values)] > point).all()


@given(fronts().filter(len), st.floats(-100, 100), st.floats(0.01, 100))
def test_the_reference_moves_with_zero_and_unit(values: FloatArray, shift: float, unit: float) -> None:
    scatter = np.full(values.shape[1], 0.1)
    point, _ = inferred_reference(values, scatter)
    moved, _ = inferred_reference(unit * values + shift, unit * scatter)
    assert moved == pytest.approx(unit * point + shift, rel=1e-9, abs=1e-9)
