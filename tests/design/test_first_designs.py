"""First designs are allowed and new, as far apart as they can be, or those that textbooks and trying all show best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from alloyloop.design.composition import Basis, Composition
from alloyloop.design.diagram import IntArray
from alloyloop.design.first_designs import FIRST_DESIGNS, first_designs, model_for
from alloyloop.design.lattice import Element, Lattice
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.rules import parse_rule
from alloyloop.design.space import DesignSpace, rows_in
from alloyloop.surrogates.base import FloatArray
from alloyloop.surrogates.errors import AlloyloopError

from .strategies_space import BASES, Point, allowed, as_set, design, every_point, spaces

seeds = st.integers(0, 2**32)
kinds = st.sampled_from(FIRST_DESIGNS)
QUENCH = Choice("quench", ("water", "air", "furnace"))
PROCESS = tuple(Numeric(name, 0, 10, 1) for name in ("power", "speed", "hatch"))


def mixture(
    tops: dict[str, int], *rules: str, step: float = 5, basis: Basis = "at_pct", process: tuple[Numeric, ...] = ()
) -> DesignSpace:
    """Elements from nothing up to their tops in titanium."""
    lattice = Lattice(tuple(Element(symbol, 0, top, step) for symbol, top in tops.items()), "Ti")
    space = DesignSpace(lattice, basis, process)
    return replace(space, rules=tuple(parse_rule(rule, space.names) for rule in rules))


def simplex(n_elements: int, step: float) -> DesignSpace:
    """All mixtures of so many elements."""
    return mixture(dict.fromkeys(("Nb", "Zr", "Sn", "Mo")[: n_elements - 1], 100), step=step)


def found(space: DesignSpace, n: int, kind: str, seed: int = 0, taken: IntArray | None = None) -> IntArray:
    return first_designs(space, n, kind, np.random.default_rng(seed), taken)


# -- of every kind ----------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(spaces(), st.integers(1, 8), kinds, st.integers(0, 5), seeds)
def test_they_are_different_allowed_points_that_nobody_has_taken_as_many_as_are_left(
    space: DesignSpace, n: int, kind: str, n_taken: int, seed: int
) -> None:
    taken = space.sample(n_taken, np.random.default_rng(seed))
    points = found(space, n, kind, seed, taken)
    left = allowed(space) - as_set(taken)
    assert as_set(points) <= left
    assert len(as_set(points)) == len(points) == min(n, len(left))


@pytest.mark.parametrize("kind", FIRST_DESIGNS)
def test_what_is_left_of_a_space_is_found_however_much_is_taken(kind: str) -> None:
    space = mixture({"Nb": 30, "Zr": 30}, step=0.5)
    everything = every_point(space)
    points = found(space, 2, kind, taken=np.delete(everything, 1234, axis=0))
    assert points.tolist() == [everything[1234].tolist()]
    assert len(found(space, 2, kind, taken=everything)) == 0


@pytest.mark.parametrize("kind", FIRST_DESIGNS)
def test_none_is_repeated_where_there_are_more_than_a_model_needs(kind: str) -> None:
    assert len(as_set(found(simplex(2, 5), 12, kind))) == 12


@pytest.mark.parametrize("kind", FIRST_DESIGNS)
def test_a_design_that_was_made_several_times_is_one(kind: str) -> None:
    corner = np.array([[0, 0, 20]])
    once, often = (found(simplex(3, 5), 3, kind, taken=np.tile(corner, (times, 1))) for times in (1, 5))
    assert once.tolist() == often.tolist()


@pytest.mark.parametrize("kind", FIRST_DESIGNS)
def test_the_same_chance_gives_the_same_designs(kind: str) -> None:
    space = mixture({"Nb": 40, "Zr": 30, "Sn": 12}, step=0.5)
    assert found(space, 5, kind, 3).tolist() == found(space, 5, kind, 3).tolist()


def test_a_kind_that_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(AlloyloopError, match=r"no 'a-optimal' first designs.* space-filling, d-optimal, i-optimal"):
        found(simplex(3, 25), 3, "a-optimal")


@pytest.mark.parametrize("kind", FIRST_DESIGNS)
def test_of_an_empty_space_there_are_none(kind: str) -> None:
    with pytest.raises(AlloyloopError, match="No design keeps every bound and rule"):
        found(mixture({"Nb": 20}, "Nb >= 30"), 3, kind)


# -- spread over the space --------------------------------------------------------------------------------------------


def difference(space: DesignSpace, one: IntArray, other: IntArray) -> float:
    """The share of atoms exchanged, half of each share of a range, and one for each other choice; design by design."""
    made, beside = design(space, one), design(space, other)
    total = 0.0
    if space.elements:
        alloys = [Composition({e: float(x[e]) for e in space.elements}, space.basis) for x in (made, beside)]
        amounts = [alloy.vector(space.elements, "at_pct") / 100 for alloy in alloys]
        total = float(np.abs(amounts[0] - amounts[1]).sum()) / 2
    for variable in space.process:
        a, b = made[variable.name], beside[variable.name]
        if isinstance(variable, Choice):
            total += a != b
        elif variable.n_levels > 1:
            total += float(abs(a - b)) / (variable.grid[-1] - variable.grid[0]) / 2
    return total


def differences(space: DesignSpace, points: IntArray) -> FloatArray:
    """Of every point from every other, infinite from itself. (n, d) -> (n, n)"""
    return np.array([[difference(space, a, b) if i != j else np.inf for j, b in enumerate(points)]
                     for i, a in enumerate(points)])  # fmt: skip


@pytest.mark.parametrize("n_elements", [2, 3, 4])
def test_of_mixtures_the_pure_elements_are_furthest_apart(n_elements: int) -> None:
    space = simplex(n_elements, 5)
    assert as_set(found(space, n_elements, "space-filling")) == pure(n_elements, 20)


def pure(n_elements: int, total: int) -> set[Point]:
    """All of one element."""
    return {tuple(row) for row in (np.eye(n_elements, dtype=np.int64) * total).tolist()}


def test_of_four_treatments_with_three_numbers_every_two_differ_in_two_whole_ranges() -> None:
    # The half fraction of the 2³ factorial: no four corners, and so no four points, can be further apart.
    space = DesignSpace(None, "at_pct", PROCESS)
    assert differences(space, found(space, 4, "space-filling")).min() == 1.0


SMALL = {
    "a corner": mixture({"Nb": 40, "Zr": 30}, step=10),
    "in wt.%": mixture({"Nb": 40, "Zr": 30}, step=10, basis="wt_pct"),
    "under rules": mixture({"Nb": 40, "Zr": 40}, "Nb + Zr >= 10", "Zr / Nb <= 2", step=10),
    "with a process": mixture({"Nb": 20}, step=10, process=(Numeric("temperature_C", 750, 1000, 50),)),
    "uneven": DesignSpace(None, "at_pct", (Numeric.of_values("hold_h", np.array([1, 2, 3, 8, 20])), QUENCH)),
}


@pytest.mark.parametrize("n", [2, 3, 4, 5])
@pytest.mark.parametrize("name", SMALL)
def test_no_other_choice_of_points_keeps_further_apart(name: str, n: int) -> None:
    space = SMALL[name]
    apart = differences(space, np.array(sorted(allowed(space))))
    best = max(apart[np.ix_(chosen, chosen)].min() for chosen in combinations(range(len(apart)), n))
    assert differences(space, found(space, n, "space-filling")).min() == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("basis", BASES)
def test_a_wide_space_is_spread_over_further_than_by_taking_the_furthest_one_by_one(basis: Basis) -> None:
    tops = {"Nb": 40, "Zr": 30, "Sn": 12, "Mo": 15, "Ta": 20}
    space = mixture(tops, "Ti between 50 and 90", step=1, basis=basis)
    rng = np.random.default_rng(0)
    one_by_one = max(differences(space, farthest_first(space, space.sample(200, rng), 8)).min() for _ in range(3))
    assert differences(space, found(space, 8, "space-filling")).min() > 1.1 * one_by_one


def farthest_first(space: DesignSpace, pool: IntArray, n: int) -> IntArray:
    """Points each the furthest from those before it [Gonzalez, Theor. Comput. Sci. 38 (1985) 293]."""
    chosen = [0]
    while len(chosen) < n:
        gaps = [min(difference(space, point, pool[i]) for i in chosen) for point in pool]
        chosen.append(int(np.argmax(gaps)))
    return pool[chosen]


@pytest.mark.parametrize("seed", range(5))
def test_no_other_choice_keeps_further_from_what_is_taken(seed: int) -> None:
    space = SMALL["a corner"]
    points = np.array(sorted(allowed(space)))
    taken = space.sample(4, np.random.default_rng(seed))
    apart = differences(space, points)
    there = np.flatnonzero(rows_in(points, taken))
    left = np.setdiff1d(np.arange(len(points)), there)
    best = max(least_new(apart, [*chosen, *there]) for chosen in combinations(left, 3))
    ours = found(space, 3, "space-filling", seed, taken)
    assert least_new(differences(space, np.vstack([ours, taken])), [*range(7)]) == pytest.approx(best, abs=1e-12)


def least_new(apart: FloatArray, chosen: Sequence[Any]) -> float:
    """The least difference of the first three from one another and from the rest."""
    return float(apart[np.ix_(chosen[:3], chosen)].min())


def test_a_single_design_lies_in_the_middle() -> None:
    space = DesignSpace(None, "at_pct", PROCESS)
    assert found(space, 1, "space-filling").tolist() == [[5, 5, 5]]


def test_a_spread_visits_every_choice() -> None:
    lattice = Lattice((Element("Nb", 0, 30, 5), Element("Zr", 0, 10, 5)), "Ti")
    points = found(DesignSpace(lattice, "wt_pct", (QUENCH,)), 3, "space-filling")
    assert sorted(points[:, -1]) == [0, 1, 2]


@pytest.mark.parametrize("seed", range(3))
def test_each_of_them_is_the_furthest_from_those_before_it(seed: int) -> None:
    space = mixture({"Nb": 40, "Zr": 30, "Sn": 12}, step=1)
    apart = differences(space, found(space, 7, "space-filling", seed))
    for i in range(1, 7):
        to_come = apart[i:, :i].min(axis=1)
        assert to_come[0] == pytest.approx(to_come.max(), abs=1e-12)


# -- best for a model -------------------------------------------------------------------------------------------------
# D-optimal designs of Scheffé's models: Kiefer, Ann. Math. Stat. 32 (1961) 298; Cornell, Experiments with Mixtures.


@pytest.mark.parametrize("n_elements", [2, 3, 4])
def test_for_the_linear_mixture_model_the_pure_elements_are_d_optimal(n_elements: int) -> None:
    space = simplex(n_elements, 5)
    assert as_set(found(space, n_elements, "d-optimal")) == pure(n_elements, 20)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n_elements", "step"), [(2, 5), (3, 5), (3, 0.5), (4, 5), (4, 2)])  # up to 23 426 alloys
def test_for_the_quadratic_mixture_model_the_simplex_lattice_is_d_optimal(
    n_elements: int, step: float, seed: int
) -> None:
    space = simplex(n_elements, step)
    corners = pure(n_elements, round(100 / step))
    halves = np.array([(np.array(a) + np.array(b)) // 2 for a, b in combinations(sorted(corners), 2)])
    n = n_elements * (n_elements + 1) // 2
    assert as_set(found(space, n, "d-optimal", seed)) == corners | as_set(halves)


def test_for_three_numbers_four_runs_are_orthogonal_corners() -> None:
    # No design has a larger determinant, by Hadamard's bound; the half fraction of the 2³ factorial reaches it.
    points = found(DesignSpace(None, "at_pct", PROCESS), 4, "d-optimal") / 5 - 1
    assert (np.abs(points) == 1).all()
    terms = np.column_stack([np.ones(4), points])
    assert (terms.T @ terms == 4 * np.eye(4)).all()


@pytest.mark.parametrize(
    ("space", "linear", "all_terms"),
    [
        (simplex(3, 5), 3, 6),  # q and q (q + 1) / 2 [Scheffé 1958]
        (simplex(4, 10), 4, 10),
        (DesignSpace(None, "at_pct", PROCESS), 4, 10),  # (k + 1) (k + 2) / 2
        (DesignSpace(None, "at_pct", (QUENCH,)), 3, 3),
        (DesignSpace(None, "at_pct", (PROCESS[0], QUENCH)), 4, 7),  # a parabola, and a line for each further choice
        # x_i, x_i x_j, x_i z_k, z_k², z_k z_l: 3 + 3 + 6 + 2 + 1 [Kowalski, Cornell and Vining 2000]
        (mixture({"Nb": 20, "Zr": 20}, process=PROCESS[:2]), 5, 15),
        (mixture({"Nb": 20, "Zr": 0}), 2, 3),  # an element that is never there
        (mixture({"Nb": 20, "Zr": 20}, "20 <= Nb + Zr <= 20"), 2, 3),  # on a line
        (mixture({"Nb": 20, "Zr": 20}, "20 <= Nb + Zr <= 20", basis="wt_pct"), 2, 3),  # … which is straight in at.% too
        (mixture({"Nb": 5}), 2, 2),  # two alloys
        (mixture({"Nb": 0}), 1, 1),
        (DesignSpace(None, "at_pct", (Choice("quench", ("water",)), Numeric("power", 5, 5, 1))), 1, 1),
    ],
)
def test_a_model_has_the_terms_of_the_textbook_but_those_that_others_explain(
    space: DesignSpace, linear: int, all_terms: int
) -> None:
    model = model_for(space, all_terms, np.random.default_rng(0))
    assert model.n_terms == all_terms
    assert model.text == f"quadratic model of {all_terms} terms"
    if all_terms > linear:
        fewer = model_for(space, all_terms - 1, np.random.default_rng(0))
        assert fewer.text.startswith(f"linear model of {linear} terms, with {all_terms - linear} quadratic terms")


def test_the_designs_taken_count_as_runs() -> None:
    # All but one of the points of the simplex lattice are there.
    space = simplex(3, 5)
    lattice = found(space, 6, "d-optimal")
    for i in range(6):
        assert found(space, 1, "d-optimal", taken=np.delete(lattice, i, axis=0)).tolist() == [lattice[i].tolist()]


def monomials(space: DesignSpace, points: IntArray) -> tuple[FloatArray, FloatArray]:
    """The columns of the linear model, and all their products: nothing left out, nothing scaled."""
    rows = []
    for point in points:
        made = design(space, point)
        row = [1.0]
        if space.elements:
            alloy = Composition({e: float(made[e]) for e in space.elements}, space.basis)
            row = (alloy.vector(space.elements, "at_pct") / 100).tolist()
        for variable in space.process:
            value = made[variable.name]
            row += [float(value) / 1000] if isinstance(variable, Numeric) else [value == c for c in variable.choices]
        rows.append(row)
    first = np.array(rows, dtype=np.float64)
    return first, np.column_stack([a * b for a in first.T for b in first.T])


def independent(columns: FloatArray) -> FloatArray:
    """An orthogonal basis of what columns span, of mean square 1."""
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, sizes > 1e-8 * sizes[0]] * np.sqrt(len(columns)))


class Textbook:
    """The information of subsets of all designs of a space, by the formulas, over every design there is."""

    def __init__(self, space: DesignSpace, n_runs: int) -> None:
        self.points = np.array(sorted(allowed(space)))
        first, second = monomials(space, self.points)
        linear, every = independent(first), independent(second)
        self.n_terms = every.shape[1]
        if n_runs >= self.n_terms:
            self.terms, self.prior = every, np.full(self.n_terms, 1e-9)
        else:
            rest = second - linear @ linear.T @ second / len(second)
            curved = independent(rest)[:, : self.n_terms - linear.shape[1]]
            self.terms = np.column_stack([linear, curved])
            self.prior = np.repeat([1e-4, 1.0], [linear.shape[1], curved.shape[1]])

    def value(self, kind: str, chosen: IntArray) -> FloatArray:
        """Log det M, or minus the average variance, of sets of designs by number. (..., n) -> (...)"""
        x = self.terms[chosen]
        information = np.swapaxes(x, -1, -2) @ x + np.diag(self.prior)
        if kind == "d-optimal":
            return np.asarray(np.linalg.slogdet(information)[1])
        return np.asarray(-np.trace(np.linalg.inv(information), axis1=-2, axis2=-1))

    def number(self, points: IntArray) -> IntArray:
        """The numbers of designs."""
        where = {tuple(point): i for i, point in enumerate(self.points.tolist())}
        return np.array([where[tuple(point)] for point in points.tolist()])


@cache
def subsets(n_points: int, n: int) -> IntArray:
    return np.array(list(combinations(range(n_points), n)))


@pytest.mark.parametrize("kind", ["d-optimal", "i-optimal"])
@pytest.mark.parametrize("n", [3, 4, 5, 6])
@pytest.mark.parametrize("name", SMALL)
def test_no_other_choice_of_points_tells_more(name: str, n: int, kind: str) -> None:
    space = SMALL[name]
    textbook = Textbook(space, n)
    best = textbook.value(kind, subsets(len(textbook.points), n)).max()
    ours = float(textbook.value(kind, textbook.number(found(space, n, kind))))
    assert ours == pytest.approx(best, abs=1e-3)


@pytest.mark.parametrize("kind", ["d-optimal", "i-optimal"])
@pytest.mark.parametrize("seed", range(10))
def test_no_other_choice_adds_more_to_what_is_taken(seed: int, kind: str) -> None:
    space = SMALL["a corner"]
    taken = space.sample(4, np.random.default_rng(seed))
    textbook = Textbook(space, 7)
    others = subsets(len(textbook.points), 3)
    there = textbook.number(taken)
    others = others[~np.isin(others, there).any(axis=1)]
    best = textbook.value(kind, np.column_stack([others, np.tile(there, (len(others), 1))])).max()
    ours = textbook.value(kind, np.r_[textbook.number(found(space, 3, kind, seed, taken)), there])
    assert float(ours) == pytest.approx(best, abs=1e-3)


@settings(max_examples=12)
@given(spaces(), st.integers(0, 4), st.sampled_from(["d-optimal", "i-optimal"]), seeds)
def test_they_tell_no_less_of_their_model_than_a_spread_does(
    space: DesignSpace, more: int, kind: str, seed: int
) -> None:
    assume(len(allowed(space)) <= 500)
    textbook = Textbook(space, 10**9)
    n = textbook.n_terms + more
    assume(n < len(textbook.points))
    spread, ours = (
        float(textbook.value(kind, textbook.number(found(space, n, each, seed)))) for each in ("space-filling", kind)
    )
    assert ours >= spread - 1e-3 * abs(spread)


def test_with_too_few_runs_for_the_quadratic_terms_none_repeats_another_a_step_away() -> None:
    # A linear model alone would put the fourth design next to a pure element, where it tells nothing of curvature.
    space = simplex(3, 5)
    points = found(space, 4, "d-optimal")
    assert as_set(points) > pure(3, 20)
    (fourth,) = points[~rows_in(points, np.eye(3, dtype=np.int64) * 20)].tolist()
    assert sorted(fourth) == [0, 10, 10]
