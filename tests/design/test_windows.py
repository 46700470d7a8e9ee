"""Windows: ranges inside which wants hold, checked against every design of small spaces and boxes known to be there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alloyloop.design.candidates import Candidates
from alloyloop.design.diagram import IntArray
from alloyloop.design.features import Alloys, alloys_at
from alloyloop.design.held import Range
from alloyloop.design.lattice import Element, Lattice
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.rules import Names, parse_rule
from alloyloop.design.space import DesignSpace
from alloyloop.design.windows import MORE_AT_ENDS, Chance, Window, tolerance, windows
from alloyloop.surrogates.base import FloatArray
from alloyloop.surrogates.errors import AlloyloopError

from .strategies_space import allowed, spaces

AGEING, QUENCH = Numeric("ageing_C", 300, 600, 100), Choice("quench", ("water", "air", "furnace"))
P = 0.8


def space_of(*most: float, step: float = 1.0, process: tuple[Numeric | Choice, ...] = ()) -> DesignSpace:
    """Titanium with up to so much of each of the others [at.%]."""
    elements = (Element(symbol, 0, high, step) for symbol, high in zip(("Nb", "Zr", "Sn", "Mo"), most, strict=False))
    return DesignSpace(Lattice(tuple(elements), "Ti"), "at_pct", process)


def found(space: DesignSpace, chance: Chance, p: float = P, seed: int = 0, **told: bool) -> tuple[Window, ...]:
    return windows(space, chance, space.elements, p, np.random.default_rng(seed), **told)


def inside(percent: FloatArray, **ranges: tuple[float, float]) -> FloatArray:
    """0.97 in a box, 0.02 outside. (n, n_elements) at.% -> (n,)"""
    symbols = ("Nb", "Zr", "Sn", "Mo")
    kept = [abs(percent[:, symbols.index(e)] - (a + b) / 2) <= (b - a) / 2 + 1e-6 for e, (a, b) in ranges.items()]
    return np.where(np.all(kept, axis=0), 0.97, 0.02)


# -- every design of small spaces -------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Drawn:
    """Chances drawn for each design of a small space: a bump, and some noise."""

    space: DesignSpace
    seed: int
    asked: list[bytes] = field(default_factory=list)

    def of(self, points: IntArray) -> FloatArray:
        rng = np.random.default_rng(self.seed)
        span = np.maximum(np.ptp(self.every, axis=0), 1)
        middle = self.every[rng.integers(len(self.every))]
        far = (np.abs(points - middle) / span * rng.uniform(0.3, 3, len(span))).sum(axis=1)
        grain = np.random.default_rng(self.seed + 1).uniform(-0.2, 0.2, 997)[(points * 31).sum(axis=1) % 997]
        return np.asarray(np.clip(1.1 - far + grain, 0, 1))

    @property
    def every(self) -> IntArray:
        return np.array(sorted(allowed(self.space)), dtype=np.int64)

    def __call__(self, alloys: Alloys) -> FloatArray:
        """By finding the alloys among all designs."""
        every = alloys_at(self.space, self.every, self.space.elements)
        known = {self._name(every, i): i for i in range(len(every))}
        rows = [known[self._name(alloys, i)] for i in range(len(alloys))]
        self.asked.extend(self.every[row].tobytes() for row in rows)
        return self.of(self.every[rows])

    @staticmethod
    def _name(alloys: Alloys, i: int) -> tuple[object, ...]:
        told = (values[i] for values in alloys.process.values())
        return (
            *alloys.fractions[i].round(9).tolist(),
            *(value if isinstance(value, str) else float(value) for value in told),
        )


def lies_in(space: DesignSpace, ranges: dict[str, Range], point: IntArray) -> bool:
    """Whether a design is inside ranges, one value after the other."""
    amounts = dict(zip(space.elements, space.percent(point[None])[0].tolist(), strict=True))
    values = amounts | {name: each[0] for name, each in space.process_values(point[None]).items()}
    return all(
        values[name] in kept
        if isinstance(kept[0], str)
        else float(kept[0]) - 1e-9 <= values[name] <= float(kept[1]) + 1e-9
        for name, kept in ranges.items()
    )


def ends(space: DesignSpace, points: IntArray) -> list[IntArray]:
    """The designs at each end of each range: those with the least and the most of it, or with one of the choices."""
    layers = []
    chosen = [i for i in range(points.shape[1]) if i != space.n_elements - 1]  # all but the balance
    for i in chosen:
        is_choice = i >= space.n_elements and isinstance(space.process[i - space.n_elements], Choice)
        values = np.unique(points[:, i]) if is_choice else [points[:, i].min(), points[:, i].max()]
        layers += [points[points[:, i] == value] for value in values]
    return layers


@settings(max_examples=60)
@given(spaces(), st.integers(0, 10_000), st.sampled_from([0.5, 0.7, 0.9]))
def test_a_window_is_what_it_says(space: DesignSpace, seed: int, p: float) -> None:
    chance = Drawn(space, seed)
    every = chance.every
    seen = np.zeros(len(every), dtype=int)
    last = len(every) + 1
    for window in found(space, chance, p):
        own = np.array([lies_in(space, window.ranges, point) for point in every])
        chances = chance.of(every[own])
        assert window.n_designs == own.sum() <= last
        assert window.volume_share == pytest.approx(own.mean())
        assert window.probability_mean == pytest.approx(chances.mean())
        assert window.probability_worst == pytest.approx(chances.min())
        assert chance.of(window.worst)[0] == window.probability_worst
        assert chances.mean() >= p - 1e-12
        seen, last = seen + own, window.n_designs
    assert seen.max(initial=0) <= 1  # no design is in two
    assert len(chance.asked) == len(set(chance.asked))  # and none is asked about twice


@settings(max_examples=40)
@given(spaces(), st.integers(0, 10_000), st.sampled_from([0.6, 0.8, 0.9]))
def test_the_chance_to_fail_is_at_an_end_at_most_twice_what_is_allowed(space: DesignSpace, seed: int, p: float) -> None:
    chance = Drawn(space, seed)
    for window in found(space, chance, p):
        points = window.points(space, 10_000, np.random.default_rng(0))
        if len(points) < 20:  # of more, an end may be more than one value
            assert min(chance.of(end).mean() for end in ends(space, points)) >= 1 - MORE_AT_ENDS * (1 - p) - 1e-9


def widest_of_all(chances: FloatArray, p: float) -> int:
    """Designs in the widest window of a grid of chances, by trying every box."""
    best = 0
    for ranges in product(*([(a, b) for a in range(n) for b in range(a + 1, n + 1)] for n in chances.shape)):
        box = chances[tuple(slice(a, b) for a, b in ranges)]
        if box.size <= best or box.mean() < p:
            continue
        layers = [np.take(box, end, axis=i).mean() for i in range(box.ndim) for end in (0, -1)]
        if min(layers) >= 1 - 2 * (1 - p):
            best = box.size
    return best


@pytest.mark.parametrize("most", [(19,), (15, 11), (6, 5, 5)], ids=str)
def test_no_box_of_a_small_space_is_wider(most: tuple[int, ...]) -> None:
    space, sizes, best = space_of(*most), [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        middle, reach = rng.uniform(0.2, 0.8, len(most)) * most, rng.uniform(0.2, 0.7, len(most)) * most

        def bump(percent: FloatArray, middle: FloatArray = middle, reach: FloatArray = reach) -> FloatArray:
            far = (((percent[:, :-1] - middle) / reach) ** 2).sum(axis=1)
            return np.asarray(1 / (1 + np.exp(6 * (far - 1))))

        def chance(alloys: Alloys, bump: Callable[[FloatArray], FloatArray] = bump) -> FloatArray:
            return bump(100 * alloys.fractions)

        of = found(space, chance)
        grid = np.array([*product(*(range(n + 1) for n in most))], dtype=float)
        chances = bump(np.column_stack([grid, 100 - grid.sum(axis=1)])).reshape([n + 1 for n in most])
        sizes.append(of[0].n_designs if of else 0)
        best.append(widest_of_all(chances, P))
    assert np.all(np.array(sizes) <= best)
    assert np.all(np.array(sizes) >= 0.9 * np.array(best))
    assert np.mean(np.array(sizes) == best) >= 0.75


# -- boxes known to be there ------------------------------------------------------------------------------------------


def test_a_planted_box_is_found_to_the_step_among_millions_of_designs() -> None:
    space = space_of(20, 20, 20, 20, step=0.5)
    box = {"Nb": (4.0, 14.5), "Zr": (0.0, 9.0), "Sn": (10.5, 20.0), "Mo": (6.0, 13.0)}
    assert space.count > 2_000_000
    (window,) = found(space, lambda alloys: inside(100 * alloys.fractions, **box))
    assert {name: kept for name, kept in window.ranges.items() if name != "Ti"} == box
    assert window.ranges["Ti"] == (100 - 14.5 - 9 - 20 - 13, 100 - 4 - 0 - 10.5 - 6)
    assert window.n_designs == 22 * 19 * 20 * 15
    assert window.probability_mean == pytest.approx(0.97)
    assert window.probability_worst == pytest.approx(0.97)


def test_a_box_that_no_sample_would_hit_is_climbed_to() -> None:
    space = space_of(20, 20, 20, 20, step=0.25)
    middle = np.array([5.0, 12.0, 15.0, 8.0])

    def chance(alloys: Alloys) -> FloatArray:
        far = np.abs(100 * alloys.fractions[:, :4] - middle).max(axis=1)
        return np.where(far < 1.1, 0.95, np.exp(-far))

    (window,) = found(space, chance)
    assert window.n_designs == 9**4
    assert window.ranges["Nb"] == (4.0, 6.0)
    assert window.volume_share < 2e-4


def test_several_windows_are_told_the_widest_first() -> None:
    def chance(alloys: Alloys) -> FloatArray:
        percent = 100 * alloys.fractions
        small, large = inside(percent, Nb=(0, 4), Zr=(2, 5)), inside(percent, Nb=(12, 18), Zr=(1, 8))
        return np.maximum(small, large)

    first, second = found(space_of(20, 10), chance)
    assert [first.n_designs, second.n_designs] == [7 * 8, 5 * 4]
    assert [first.ranges["Nb"], second.ranges["Nb"]] == [(12, 18), (0, 4)]


def test_a_small_window_in_the_shade_of_a_large_one_is_found() -> None:
    """The likeliest designs, and those that lie farthest from one another, are all in the large one."""

    def chance(alloys: Alloys) -> FloatArray:
        percent = 100 * alloys.fractions
        return np.maximum(inside(percent, Zr=(0, 14)), inside(percent, Nb=(10, 11), Zr=(16, 17)) - 0.1)

    large, small = found(space_of(20, 20), chance)
    assert [large.n_designs, small.n_designs] == [21 * 15, 2 * 2]
    assert small.ranges["Nb"] == (10, 11)


def test_a_window_keeps_the_rules_of_the_space() -> None:
    space = space_of(20, 20)
    rule = parse_rule("Nb + Zr <= 12", Names(space.elements))
    (window,) = found(DesignSpace(space.lattice, "at_pct", rules=(rule,)), lambda alloys: np.ones(len(alloys)))
    assert window.n_designs == 13 * 14 // 2
    assert window.volume_share == 1
    assert window.ranges == {"Nb": (0, 12), "Zr": (0, 12), "Ti": (88, 100)}


def test_a_range_from_nothing_holds_absent_and_enough_where_less_may_not_be() -> None:
    space = DesignSpace(Lattice((Element("Nb", 0, 10, 1),), "Ti", present_above=3), "at_pct")
    (window,) = found(space, lambda alloys: inside(100 * alloys.fractions, Nb=(0, 6)))
    assert (window.ranges["Nb"], window.n_designs) == ((0, 6), 5)  # 0, 3, 4, 5, 6


# -- spaces of other kinds --------------------------------------------------------------------------------------------


def test_choices_are_left_out_and_levels_are_ranges() -> None:
    def chance(alloys: Alloys) -> FloatArray:
        hot = alloys.process["ageing_C"] >= 500
        return np.where(hot & (alloys.process["quench"] != "air"), 0.9, 0.1)

    (window,) = found(space_of(5, process=(AGEING, QUENCH)), chance)
    assert window.ranges == {"Nb": (0, 5), "Ti": (95, 100), "ageing_C": (500, 600), "quench": ("water", "furnace")}
    (treatment,) = found(DesignSpace(None, "at_pct", (AGEING, QUENCH)), chance)
    assert treatment.ranges == {"ageing_C": (500, 600), "quench": ("water", "furnace")}
    assert treatment.n_designs == 4


def test_of_a_table_of_candidates_the_rows_inside_count() -> None:
    niobium = np.array([1.25, 3.5, 7.75, 8.0, 20.0])
    table = Candidates(("Nb", "Ti"), np.column_stack([niobium, 100 - niobium]), {})
    space = DesignSpace(None, "at_pct", candidates=table)
    (window,) = found(space, lambda alloys: inside(100 * alloys.fractions, Nb=(3, 10)))
    assert (window.ranges["Nb"], window.n_designs) == ((3.5, 8.0), 3)


def test_a_space_of_one_design_is_a_window_or_none() -> None:
    alone = DesignSpace(Lattice((), "Ti"), "at_pct")
    (window,) = found(alone, lambda alloys: np.ones(len(alloys)))
    assert (window.n_designs, window.ranges) == (1, {"Ti": (100, 100)})
    assert found(alone, lambda alloys: np.zeros(len(alloys))) == ()


def test_where_nothing_reaches_the_probability_there_is_no_window() -> None:
    assert found(space_of(20, 20), lambda alloys: np.full(len(alloys), 0.79)) == ()
    assert found(space_of(20, 20, 20, 20), lambda alloys: 0.79 - alloys.fractions[:, 0]) == ()


def test_what_is_not_known_does_not_hold() -> None:
    def chance(alloys: Alloys) -> FloatArray:
        return np.where(alloys.fractions[:, 0] > 0.105, np.nan, 0.9)

    (window,) = found(space_of(20), chance, 0.85)
    assert window.ranges["Nb"] == (0, 10)


def test_where_everything_reaches_it_the_space_is_the_window() -> None:
    space = space_of(20, 20, 20, 20, process=(AGEING,))
    (window,) = found(space, lambda alloys: np.full(len(alloys), 0.8))
    assert (window.volume_share, window.n_designs) == (1, space.count)


def test_the_mean_alone_is_met_by_wider_windows() -> None:
    def chance(alloys: Alloys) -> FloatArray:
        return inside(100 * alloys.fractions, Nb=(5, 14))

    space = space_of(20)
    (held,), (mean,) = found(space, chance), found(space, chance, mean_only=True)
    assert held.ranges["Nb"] == (5, 14)
    assert mean.n_designs == 12  # (10 * 0.97 + 2 * 0.02) / 12 = 0.81, with a third 0.75
    assert mean.probability_mean == pytest.approx((10 * 0.97 + 2 * 0.02) / 12)


def test_the_same_numbers_of_chance_give_the_same_windows() -> None:
    space = space_of(20, 20, 20, 20)

    def chance(alloys: Alloys) -> FloatArray:
        return np.asarray(np.exp(-3 * ((alloys.fractions[:, :4] - 0.1) ** 2).sum(axis=1) / 0.02))

    one, other = found(space, chance), found(space, chance)
    assert [window.ranges for window in one] == [window.ranges for window in other]
    assert len(one) > 0


@pytest.mark.parametrize("p", [0.0, -0.1, 1.2, 80.0, np.nan])
def test_a_probability_is_asked_for(p: float) -> None:
    with pytest.raises(AlloyloopError, match="is not a probability"):
        found(space_of(5), lambda alloys: np.ones(len(alloys)), p)


# -- measured alloys --------------------------------------------------------------------------------------------------


def test_a_measured_alloy_is_inside_to_half_a_step_and_where_all_is_known() -> None:
    def chance(alloys: Alloys) -> FloatArray:
        right = (alloys.process["ageing_C"] == 400) & (alloys.process["quench"] == "air")
        return np.where(right, inside(100 * alloys.fractions, Nb=(4, 8)), 0)

    (window,) = found(space_of(20, process=(AGEING, QUENCH)), chance)
    niobium = np.array([3.6, 3.4, 8.5, 8.6, 6.0, 6.0, 6.0, 6.0])
    process = {
        "ageing_C": np.array([400.0, 400, 400, 400, 400, 500, np.nan, 400]),
        "quench": np.array(["air", "air", "air", "air", "air", "air", "air", None], dtype=object),
    }
    told = window.inside(np.column_stack([niobium, 100 - niobium]), process)
    assert told.tolist() == [True, False, True, False, True, False, False, False]


# -- drifting ---------------------------------------------------------------------------------------------------------


def test_an_element_drifts_as_far_as_the_chance_holds_in_exchange_for_the_balance() -> None:
    """By hand: Nb + 2 Zr must stay from 20 to 30 at.%; at 16 Nb and 4 Zr it is 24."""

    def chance(alloys: Alloys) -> FloatArray:
        amount = 100 * (alloys.fractions[:, 0] + 2 * alloys.fractions[:, 1])
        return np.where((amount > 20 - 1e-6) & (amount < 30 + 1e-6), 0.9, 0.1)

    space = space_of(16, 20, step=0.5)  # niobium may drift beyond what may be weighed in
    point = space.snap(np.array([[16.0, 4.0, 80.0]]), {})[0]
    assert tolerance(space, chance, point, space.elements, P) == {"Nb": (12.0, 22.0), "Zr": (2.0, 7.0)}
    assert tolerance(space, chance, point[0], space.elements, P)["Nb"] == (12.0, 22.0)
    assert tolerance(space, chance, point, space.elements, 0.95) == {}


def test_a_drift_ends_where_the_balance_or_the_element_does() -> None:
    space = space_of(20, 20)
    point = space.snap(np.array([[4.0, 6.0, 90.0]]), {})[0]
    drifts = tolerance(space, lambda alloys: np.ones(len(alloys)), point, space.elements, P)
    assert drifts == {"Nb": (0, 94), "Zr": (0, 96)}


def test_a_drift_stops_at_the_first_step_that_falls_short() -> None:
    space = space_of(20)
    point = space.snap(np.array([[10.0, 90.0]]), {})[0]

    def chance(alloys: Alloys) -> FloatArray:
        return np.where(np.rint(100 * alloys.fractions[:, 0]) % 7 == 5, 0.1, 0.9)  # at 5, 12, 19

    assert tolerance(space, chance, point, space.elements, P) == {"Nb": (6, 11)}


def test_process_variables_drift_through_their_levels() -> None:
    def chance(alloys: Alloys) -> FloatArray:
        return np.where((alloys.process["ageing_C"] <= 400) & (alloys.process["quench"] != "air"), 0.9, 0.1)

    space = DesignSpace(None, "at_pct", (AGEING, QUENCH))
    drifts = tolerance(space, chance, np.array([[0, 0]]), (), P)
    assert drifts == {"ageing_C": (300, 400), "quench": ("water", "furnace")}


def test_a_candidate_drifts_in_tenths_of_a_percent() -> None:
    table = Candidates(("Nb", "Ti"), np.array([[3.25, 96.75], [8.0, 92.0]]), {})
    space = DesignSpace(None, "at_pct", candidates=table)
    point = space.snap(np.array([[3.25, 96.75]]), {})[0]
    drifts = tolerance(space, lambda alloys: inside(100 * alloys.fractions, Nb=(3, 10)), point, space.elements, P)
    assert drifts["Nb"] == pytest.approx((3.05, 9.95))
