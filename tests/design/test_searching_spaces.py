"""Searches on any space, held to plain listing: local optima, whole batches that share levels, designs told apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from alloyloop.design.acquisition import Acquisition
from alloyloop.design.diagram import IntArray
from alloyloop.design.features import Alloys, alloys_at
from alloyloop.design.lattice import Element, Lattice
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.propose import THOROUGH, Batch, Effort, exchange, propose
from alloyloop.design.space import DesignSpace, rows_in
from alloyloop.design.telling_apart import Apart
from alloyloop.design.worth import LEAST_GAIN, Worth
from alloyloop.surrogates.base import FloatArray

from .strategies_space import allowed, as_set, spaces

seeds = st.integers(0, 2**32 - 1)
# Of spaces of some ten designs few are drawn, so that climbs have a way to go.
CLIMBING = Effort(4, 2, n_members=8, n_hints=4, n_hinted=1, n_beyond=2, n_shared=99, n_together=3)
LISTING = replace(THOROUGH, n_shared=99)
TREATED = (Choice("quench", ("water", "air", "furnace")), Numeric("solution_temperature_C", 750, 1050, 100))


def numbers(alloys: Alloys) -> FloatArray:
    """Alloys as rows of numbers that differ where the alloys do. (n, n_numbers)"""
    words = [values.astype(str) for values in alloys.process.values()]
    codes = [np.array([sum(map(ord, word)) % 17 / 17 for word in each]) for each in words]
    return np.column_stack([alloys.fractions, *codes])


@dataclass(frozen=True, eq=False)
class Fading:
    """A worth of waves, of which less is left near what has been picked: a pick never makes another worth more."""

    seed: int
    picked: tuple[FloatArray, ...] = ()

    def value(self, alloys: Alloys) -> FloatArray:
        rows = numbers(alloys)
        rng = np.random.default_rng(self.seed)
        worth = 3 * np.sin(rows @ rng.normal(0, 8, (rows.shape[1], 3)) + rng.normal(size=3)).sum(axis=1)
        for pick in self.picked:
            worth = worth + np.log1p(-0.99 * np.exp(-10 * ((rows - pick) ** 2).sum(axis=1)))
        return np.asarray(worth)

    def with_pick(self, alloy: Alloys) -> Fading:
        return replace(self, picked=(*self.picked, numbers(alloy)[0]))


def fading(seed: int) -> Acquisition:
    """It, as what is asked for."""
    return cast(Acquisition, Fading(seed))


def nothing_of(space: DesignSpace) -> IntArray:
    """No point."""
    return np.empty((0, space.diagram.n_columns), dtype=np.int64)


def listed(space: DesignSpace) -> IntArray:
    """All allowed points, in an order of their own."""
    return np.array(sorted(allowed(space)), dtype=np.int64)


def greedy(space: DesignSpace, points: IntArray, value: Acquisition, n: int) -> list[float]:
    """The gains of a batch that is picked one after the other, by looking at every point each time."""
    gains = []
    for _ in range(min(n, len(points))):
        worth = value.value(alloys_at(space, points, space.elements))
        best = int(np.argmax(worth))
        gains.append(float(worth[best]))
        value = value.with_pick(alloys_at(space, points[[best]], space.elements))
        points = np.delete(points, best, axis=0)
    return gains


# -- one pick ---------------------------------------------------------------------------------------------------------


@given(spaces(), seeds, st.integers(0, 5))
@settings(max_examples=50)
def test_of_a_space_that_is_asked_for_whole_the_picks_are_the_best_of_all(
    space: DesignSpace, seed: int, n_taken: int
) -> None:
    points = np.random.default_rng(seed).permutation(listed(space))
    assume(len(points) > n_taken)
    batch = propose(space, fading(seed), space.elements, points[:n_taken], 3, np.random.default_rng(seed), LISTING)
    assert batch.log_gains == pytest.approx(greedy(space, points[n_taken:], fading(seed), 3), abs=1e-9)


@given(spaces(), seeds, st.integers(0, 5))
@settings(max_examples=50)
def test_where_climbs_end_no_neighbour_is_better_and_nothing_sampled_either(
    space: DesignSpace, seed: int, n_taken: int
) -> None:
    rng = np.random.default_rng(seed)
    points = rng.permutation(listed(space))
    assume(len(points) > n_taken)
    worth = Worth(space, fading(seed).value, space.elements, points[:n_taken], hints=points[:n_taken])
    ends, values = exchange(worth, CLIMBING, rng)
    looked, heights = worth.looked
    assert values.tolist() == sorted(values.tolist(), reverse=True)
    assert values[0] == heights[0]  # of all that was looked at, the sample among it
    assert len(as_set(ends)) == len(ends)
    assert as_set(ends) <= as_set(points[n_taken:])
    for end, value in zip(ends, values, strict=True):
        assert worth.of(space.neighbours(end)).max(initial=-np.inf) <= value + LEAST_GAIN
    assert as_set(looked) <= as_set(points[n_taken:])


def test_a_peak_beside_a_design_that_is_taken_is_found_from_there() -> None:
    """A needle that no sample of four sees, one step from what has been made."""
    elements = tuple(Element(symbol, 0, 40, 0.5) for symbol in ("Nb", "Zr", "Sn", "Mo"))
    space = DesignSpace(Lattice(elements, "Ti"), "at_pct")
    made = space.snap(np.array([[30.0, 12.5, 5.0, 4.0, 48.5]]), {})[0]
    peak = np.array([0.305, 0.125, 0.05, 0.035, 0.485])

    def value(alloys: Alloys) -> FloatArray:
        return np.asarray(-np.minimum(np.abs(alloys.fractions - peak).sum(axis=1), 0.05))

    for hints, expected in ((made, 0.0), (made[:0], -0.05)):
        _, values = exchange(Worth(space, value, space.elements, made, hints=hints), CLIMBING, np.random.default_rng(0))
        assert values[0] == pytest.approx(expected, abs=1e-12)


def test_a_runner_up_is_another_alloy_and_not_a_neighbour_of_the_pick() -> None:
    elements = tuple(Element(symbol, 0, 40, 0.5) for symbol in ("Nb", "Zr", "Sn"))
    space = DesignSpace(Lattice(elements, "Ti"), "at_pct")
    for seed in range(5):
        batch = propose(space, fading(seed), space.elements, nothing_of(space), 2, np.random.default_rng(seed))
        for pick, other in zip(batch.points, batch.runner_ups, strict=True):
            assert not rows_in(other[None], np.vstack([pick, space.neighbours(pick)]))[0]


# -- a batch that shares levels ---------------------------------------------------------------------------------------


@given(spaces(), seeds, st.data())
@settings(max_examples=60)
def test_a_batch_that_shares_levels_is_the_best_whole_batch_of_any_levels(
    space: DesignSpace, seed: int, data: st.DataObject
) -> None:
    assume(space.process)
    names = [variable.name for variable in space.process]
    shares = tuple(data.draw(st.lists(st.sampled_from(names), unique=True, min_size=1)))
    n = data.draw(st.integers(1, 3))
    rng = np.random.default_rng(seed)
    batch = propose(space, fading(seed), space.elements, nothing_of(space), n, rng, LISTING, shares=shares)
    columns = [space.n_elements + names.index(name) for name in shares]
    points = listed(space)
    levels = np.unique(points[:, columns], axis=0)
    parts = [points[(points[:, columns] == level).all(axis=1)] for level in levels]
    best = max(np.exp(greedy(space, part, fading(seed), n)).sum() for part in parts)
    assert len(np.unique(batch.points[:, columns], axis=0)) == 1
    assert as_set(batch.points) <= allowed(space)
    assert np.exp(batch.log_gain) == pytest.approx(best, rel=1e-9)
    assert np.exp(batch.log_gains).sum() == pytest.approx(best, rel=1e-9)


def test_the_best_first_pick_does_not_decide_at_which_level_a_batch_is_made() -> None:
    """One alloy is best by far when quenched in water, and when cooled in air all are good."""
    space = DesignSpace(Lattice((Element("Nb", 0, 40, 10),), "Ti"), "at_pct", TREATED[:1])

    def value(alloys: Alloys) -> FloatArray:
        is_air, is_water = alloys.process["quench"] == "air", alloys.process["quench"] == "water"
        alone = is_water & (alloys.fractions[:, 0] > 0.39)
        return np.asarray(np.log(np.select([alone, is_air], [5.0, 4.0], 0.1)))

    @dataclass(frozen=True)
    class Worthy:
        value: Callable[[Alloys], FloatArray]

        def with_pick(self, alloy: Alloys) -> Worthy:
            return self

    def batch(n: int) -> Batch:
        asked = cast(Acquisition, Worthy(value))
        rng = np.random.default_rng(0)
        return propose(space, asked, space.elements, nothing_of(space), n, rng, shares=("quench",))

    assert space.process_values(batch(1).points)["quench"].tolist() == ["water"]
    assert space.process_values(batch(3).points)["quench"].tolist() == ["air"] * 3
    assert np.exp(batch(3).log_gain) == pytest.approx(12.0)


@given(spaces(), seeds)
@settings(max_examples=50)
def test_a_part_of_a_space_holds_the_designs_at_its_levels_and_no_others(space: DesignSpace, seed: int) -> None:
    assume(space.process)
    points = np.random.default_rng(seed).permutation(listed(space))
    names = [variable.name for variable in space.process][: 1 + seed % 2]
    columns = [space.n_elements + i for i in range(len(names))]
    part = space.held_at(dict(zip(names, points[0, columns].tolist(), strict=True)))
    expected = as_set(points[(points[:, columns] == points[0, columns]).all(axis=1)])
    held = part.between(0, part.count)
    assert as_set(held[part.allows(held)]) == expected
    assert as_set(part.neighbours(points[0])) == as_set(space.neighbours(points[0])) & expected
    assert as_set(part.sample(10_000, np.random.default_rng(seed))) == expected


# -- designs that are told apart --------------------------------------------------------------------------------------


@given(seeds, st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_no_two_of_a_batch_and_of_what_is_pending_are_mistaken_for_each_other(seed: int, n_pending: int) -> None:
    lattice = Lattice((Element("Nb", 0, 20, 0.5), Element("Zr", 0, 8, 1)), "Ti")
    space = DesignSpace(lattice, "wt_pct", TREATED[:1])
    rng, apart = np.random.default_rng(seed), Apart(space)
    pending = space.sample(n_pending, rng) if n_pending else nothing_of(space)
    for effort in (THOROUGH, CLIMBING):
        batch = propose(space, fading(seed), space.elements, pending, 5, rng, effort, apart=apart, pending=pending)
        made = np.vstack([pending, batch.points])
        for i in range(n_pending, len(made)):
            assert not apart.too_close(made[[i]], made[:i])[0]
        assert len(batch.points) == 5


def test_fewer_are_picked_where_no_other_could_be_told_from_them() -> None:
    lattice = Lattice((Element("Nb", 20, 20.5, 0.1),), "Ti")  # a range that no analysis resolves
    space = DesignSpace(lattice, "wt_pct", TREATED[:1])
    rng = np.random.default_rng(0)
    batch = propose(space, fading(0), space.elements, nothing_of(space), 12, rng, apart=Apart(space))
    assert len(batch.points) == 3  # one for each way to quench
    assert sorted(batch.points[:, 2].tolist()) == [0, 1, 2]


# -- neighbours of many ----------------------------------------------------------------------------------------------


@given(spaces(), seeds)
@settings(max_examples=50)
def test_neighbours_of_many_points_are_those_of_each(space: DesignSpace, seed: int) -> None:
    points = np.random.default_rng(seed).permutation(listed(space))[:7]
    others, which = space.around(points)
    assert which.tolist() == sorted(which.tolist())
    for i, point in enumerate(points):
        assert others[which == i].tolist() == space.neighbours(point).tolist()


def test_points_that_could_not_be_told_apart_are_no_more_asked_for_than_those_taken() -> None:
    space = DesignSpace(Lattice((Element("Nb", 0, 40, 10),), "Ti"), "at_pct")
    asked: list[float] = []

    def value(alloys: Alloys) -> FloatArray:
        asked.extend(alloys.fractions[:, 0].round(2).tolist())
        return alloys.fractions[:, 0]

    def too_close(points: IntArray) -> NDArray[np.bool_]:
        return np.asarray(points[:, 0] == points[:, 0].max())

    every = space.between(0, space.count)
    worth = Worth(space, value, space.elements, every[:1], too_close)
    assert worth.of(every).tolist() == [-np.inf, *every[1:-1, 0] / 10, -np.inf]
    assert asked == [0.1, 0.2, 0.3]
    assert worth.free(every).tolist() == [False, True, True, True, False]
