from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from alloyloop.design import keeping
from alloyloop.design.keeping import Found, Keeper, dominated, pareto
from alloyloop.surrogates.base import FloatArray


def tables(n_columns: int, max_rows: int = 30) -> st.SearchStrategy[FloatArray]:
    """Draw small tables of few different values, so that rows tie on some axes and on all."""
    shapes = st.tuples(st.integers(0, max_rows), st.just(n_columns))
    return arrays(np.float64, shapes, elements=st.sampled_from([-3.0, 0.0, 0.5, 1.0, 2.0, 40.0]))


def found(values: FloatArray, first: int = 0) -> Found:
    return Found((len(values),), np.arange(first, first + len(values)), values)


def passes(p: FloatArray, q: FloatArray) -> bool:
    """Whether p is nowhere below q and somewhere above, by the definition."""
    return bool((p >= q).all() and (p > q).any())


@pytest.mark.parametrize("n_axes", [2, 3, 4])
@given(data=st.data())
def test_a_front_is_what_nothing_passes(n_axes: int, data: st.DataObject) -> None:
    values = data.draw(tables(n_axes))
    assert pareto(values).tolist() == [not any(passes(p, q) for p in values) for q in values]


@pytest.mark.parametrize("n_axes", [2, 3, 4])
@given(data=st.data())
def test_a_design_is_dominated_where_another_is_nowhere_below_it(n_axes: int, data: st.DataObject) -> None:
    values, by = data.draw(tables(n_axes)), data.draw(tables(n_axes))
    assert dominated(values, by).tolist() == [any((p >= q).all() for p in by) for q in values]


@pytest.mark.parametrize("n_axes", [0, 2, 3])
@given(data=st.data(), k=st.integers(1, 8))
def test_the_best_and_the_front_are_kept_however_the_designs_were_parted(
    n_axes: int, k: int, data: st.DataObject
) -> None:
    values = data.draw(tables(1 + n_axes))
    keeper = Keeper(k, (1.0,) * (1 + n_axes))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(values)), max_size=4)))
    parts = [found(part, first) for part, first in zip(np.split(values, cuts), [0, *cuts], strict=True)]
    parts = data.draw(st.permutations(parts))
    one_by_one = parts[0]
    for part in parts[1:]:
        one_by_one = keeper.kept([one_by_one, part])
    for kept in (keeper.kept([found(values)]), keeper.kept(parts), keeper.kept([one_by_one])):
        best = np.argsort(-values[:, 0], kind="stable")[:k]
        on_front = np.flatnonzero(pareto(values[:, 1:])).tolist() if n_axes else []
        assert {*best.tolist(), *on_front} <= set(kept.index.tolist())
        np.testing.assert_array_equal(kept.values, values[kept.index])
        assert kept.index.tolist() == sorted(kept.index)
        assert kept.left == (len(values),)


@pytest.mark.parametrize("n_axes", [0, 2, 3])
@given(data=st.data(), k=st.integers(1, 8))
def test_whom_the_bar_keeps_out_is_neither_best_nor_on_the_front(n_axes: int, k: int, data: st.DataObject) -> None:
    before, after = data.draw(tables(1 + n_axes)), data.draw(tables(1 + n_axes))
    keeper = Keeper(k, (1.0,) * (1 + n_axes))
    bar = keeper.bar(keeper.kept([found(before)]))
    every = np.vstack([before, after])
    best = np.sort(every[:, 0])[::-1][:k].min(initial=np.inf)
    wins = every[:, 0] >= best
    if n_axes:
        wins |= pareto(every[:, 1:])
    assert (bar.lets_in(after) | ~wins[len(before) :]).all()


def test_what_is_clearly_beaten_is_dropped() -> None:
    values = np.array([[5.0, 1.0, 1.0], [4.0, 2.0, 2.0], [3.0, 3.0, 1.0], [2.0, 0.0, 0.0]])
    assert Keeper(1, (1.0, 1.0, 1.0)).kept([found(values)]).index.tolist() == [0, 1, 2]
    assert Keeper(2, (1.0,)).kept([found(values[:, :1])]).index.tolist() == [0, 1]


def test_values_that_rounding_could_swap_are_both_kept() -> None:
    values = np.array([[1.0 + 1e-12], [1.0], [1.0 - 1e-12], [0.99]])
    assert Keeper(1, (1.0,)).kept([found(values)]).index.tolist() == [0, 1, 2]


def test_the_bar_lets_in_what_rounding_could_raise() -> None:
    bar = Keeper(1, (1.0, 1.0, 1.0)).bar(found(np.array([[1.0, 5.0, 5.0]])))
    asked = np.array([[1.0 - 1e-12, 0.0, 0.0], [0.0, 5.0 - 1e-12, 5.0 - 1e-12], [0.99, 4.99, 4.99]])
    assert bar.lets_in(asked).tolist() == [True, True, False]


def test_what_is_not_known_is_not_kept() -> None:
    values = np.array([[np.nan, np.nan, 1.0], [1.0, np.nan, 9.0], [0.0, 1.0, 1.0]])
    assert Keeper(5, (1.0, 1.0, 1.0)).kept([found(values)]).index.tolist() == [1, 2]
    assert not Keeper(1, (1.0,)).bar(found(np.array([[1.0]]))).lets_in(np.array([[np.nan]])).any()


def test_of_too_many_that_tie_the_first_are_kept_and_it_is_said() -> None:
    values = np.array([[1.0]] * 9 + [[2.0]])
    with patch.object(keeping, "MOST_TIED", 3):
        kept = Keeper(2, (1.0,)).kept([found(values)])
        assert kept.index.tolist() == [0, 1, 2, 3, 9]
        assert kept.tied
        assert Keeper(2, (1.0,)).kept([kept]).tied


def test_a_front_that_grows_too_large_is_given_up_and_it_is_said() -> None:
    values = np.column_stack([np.zeros(9), np.arange(9.0), -np.arange(9.0)])
    values[4, 0] = 1.0
    keeper = Keeper(1, (1.0, 1.0, 1.0))
    with patch.object(keeping, "MOST_ON_FRONT", 8):
        kept = keeper.kept([found(values)])
        assert kept.crowded
        assert kept.index.tolist() == [4]
        assert keeper.bar(kept).front is None
        assert keeper.kept([kept, found(values[:2], 9)]).crowded


def test_two_bars_together_keep_out_what_either_does() -> None:
    keeper = Keeper(1, (1.0, 1.0, 1.0))
    first = keeper.bar(found(np.array([[5.0, 0.0, 0.0]])))
    second = keeper.bar(found(np.array([[1.0, 3.0, 3.0]])))
    asked = np.array([[3.0, 2.0, 2.0], [3.0, 4.0, 1.0]])
    assert first.lets_in(asked).all()
    assert second.lets_in(asked).all()
    assert first.raised(second).lets_in(asked).tolist() == [False, True]
