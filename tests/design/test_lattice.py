"""Compositions are integers: counted exactly, reached by index, on their steps and summing to 100 by construction.

What is expected is listed by trying every combination (`every_composition`), which shares nothing with the lattice.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from alloyloop.design.lattice import CountLimit, Element, Lattice
from alloyloop.surrogates.errors import AlloyloopError

from .strategies_space import as_set, every_composition, lattices

REFERENCE = {"Nb": 40, "Zr": 30, "Sn": 12, "Mo": 15, "Ta": 20}


def reference(step: float) -> Lattice:
    return Lattice(tuple(Element(symbol, 0, most, step) for symbol, most in REFERENCE.items()), "Ti", 50, 90)


def vast() -> Lattice:
    """Twelve elements at 0.1 %: more compositions than an int64 can count."""
    symbols = ["Nb", "Zr", "Sn", "Mo", "Ta", "Hf", "Fe", "Cr", "Mn", "Al", "Si"]
    return Lattice(tuple(Element(symbol, 0, 100, 0.1) for symbol in symbols), "Ti")


@given(lattices(min_elements=0))
def test_index_and_composition_are_one_to_one_and_in_order(lattice: Lattice) -> None:
    expected = list(every_composition(lattice))
    points = lattice.at(range(lattice.count))
    assert [tuple(int(units) * lattice.unit for units in point) for point in points] == expected
    assert lattice.index(points) == list(range(lattice.count))


# The first four counts are those of the issue; all are had by multiplying out the generating polynomials of the
# elements, Σ x^(k step), with NumPy's convolution.
@pytest.mark.parametrize(
    ("step", "count"),
    [("5", 1513), ("2.5", 25_683), ("2", 72_925), ("1", 1_822_786), ("0.5", 50_349_174), ("0.1", 139_369_794_292)],
)
def test_the_reference_space_of_six_elements_is_counted_exactly(step: str, count: int) -> None:
    ways = np.array([1])
    for most in REFERENCE.values():
        ways = np.convolve(ways, np.ones(int(Fraction(most) / Fraction(step)) + 1, dtype=np.int64))
    taken = [n * Fraction(step) for n in range(len(ways))]  # by the five together; titanium takes the rest
    assert sum(int(n) for n, share in zip(ways, taken, strict=True) if 10 <= share <= 50) == count
    assert reference(float(step)).count == count


@pytest.mark.parametrize("step", [0.1, 0.05])
def test_numbers_of_a_fine_lattice_lead_to_its_compositions_and_back(step: float) -> None:
    lattice = reference(step)
    numbers = [0, 1, lattice.count // 7, lattice.count // 2, lattice.count - 1]
    points = lattice.at(numbers)
    assert lattice.index(points) == numbers
    assert (points.sum(axis=1) == round(100 / step)).all()
    assert lattice.percent(points)[[0, -1]].tolist() == [[0, 0, 0, 0, 10, 90], [40, 10, 0, 0, 0, 50]]


def test_more_compositions_than_int64_holds_are_still_one_to_one() -> None:
    lattice = vast()
    assert lattice.count == comb(1000 + 11, 11) > 2**63  # stars and bars
    assert lattice.at([0, lattice.count - 1]).tolist() == [[0] * 11 + [1000], [1000] + [0] * 11]
    points = lattice.sample(50, np.random.default_rng(0))
    assert lattice.holds(points).all()
    assert len(as_set(points)) == 50
    indices = lattice.index(points)
    assert min(indices) < lattice.count / 4 < 3 * lattice.count / 4 < max(indices)
    assert (lattice.at(indices) == points).all()


def test_few_compositions_of_elements_that_could_share_more_in_very_many_ways_are_counted_too() -> None:
    wide = ["Zr", "Sn", "Mo", "Ta", "Hf", "Fe", "Cr", "Mn", "Al", "Si", "Cu", "Ag"]
    nearly_pure = Element("Nb", 99.8, 100, 0.1)
    lattice = Lattice((nearly_pure, *(Element(symbol, 0, 100, 0.1) for symbol in wide)), "Ti")
    assert lattice.count == sum(comb(left + 12, 12) for left in (0, 1, 2))
    assert lattice.index(lattice.at(range(lattice.count))) == list(range(lattice.count))


def test_every_composition_is_drawn_equally_often() -> None:
    lattice = Lattice((Element("Nb", 0, 30, 10), Element("Zr", 5, 20, 5)), "Ti", 60, 90)
    n = 200 * lattice.count
    drawn = lattice.index(lattice.sample(n, np.random.default_rng(1)))
    assert lattice.count == len(list(every_composition(lattice))) == 13
    assert chisquare(np.bincount(drawn, minlength=lattice.count)).pvalue > 0.01


@given(lattices(), st.integers(0, 2**32))
def test_a_draw_belongs_to_the_lattice(lattice: Lattice, seed: int) -> None:
    points = lattice.sample(20, np.random.default_rng(seed))
    assert lattice.holds(points).all()
    assert as_set(points) <= {tuple(int(a / lattice.unit) for a in row) for row in every_composition(lattice)}


@given(lattices(), st.integers(0, 2**32))
def test_amounts_sum_to_exactly_100_as_the_decimals_that_are_printed(lattice: Lattice, seed: int) -> None:
    for amounts in lattice.percent(lattice.sample(20, np.random.default_rng(seed))).tolist():
        assert sum(Decimal(str(amount)) for amount in amounts) == 100


def test_amounts_on_fine_and_odd_steps_print_as_they_are_weighed() -> None:
    lattice = Lattice((Element("Zn", 0, 3, 0.3), Element("Ca", 0, 0.5, 0.05)), "Mg")
    assert lattice.unit == Fraction(1, 20)
    zinc, calcium, _ = lattice.percent(lattice.at(range(lattice.count))).T
    assert sorted({str(amount) for amount in zinc.tolist()}) == [
        "0.0", "0.3", "0.6", "0.9", "1.2", "1.5", "1.8", "2.1", "2.4", "2.7", "3.0",
    ]  # fmt: skip
    assert {len(str(amount)) for amount in calcium.tolist()} <= {3, 4}


@given(lattices(), st.data())
def test_a_lattice_holds_what_is_in_its_list_and_nothing_else(lattice: Lattice, data: st.DataObject) -> None:
    inside = {tuple(int(a / lattice.unit) for a in row) for row in every_composition(lattice)}
    amount = st.integers(-1, lattice.total + 1)
    row = data.draw(st.lists(amount, min_size=len(lattice.elements), max_size=len(lattice.elements)))
    exact = [*row, lattice.total - sum(row)]
    beside = [*exact[:-1], exact[-1] + 1]
    assert lattice.holds(np.array([exact, beside])).tolist() == [tuple(exact) in inside, False]


@given(lattices(), st.integers(0, 2**32), st.floats(0, 0.49))
def test_the_nearest_composition_undoes_a_deviation_of_less_than_half_a_step(
    lattice: Lattice, seed: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    points = lattice.sample(5, rng)
    percent = lattice.percent(points)
    steps = np.array([element.step for element in lattice.elements])
    off = rng.choice([-share, share], size=(5, len(steps))) * steps
    made = percent + np.column_stack([off, -off.sum(axis=1)])
    assert (lattice.nearest(made) == points).all()


def test_the_nearest_composition_may_lie_outside_and_is_then_not_held() -> None:
    lattice = Lattice((Element("Nb", 0, 10, 5),), "Ti")
    nearest = lattice.nearest(np.array([[14.0, 86.0], [12.0, 88.0]]))
    assert lattice.percent(nearest).tolist() == [[15, 85], [10, 90]]
    assert lattice.holds(nearest).tolist() == [False, True]


@given(lattices())
def test_an_exchange_moves_what_one_element_gives_to_another_in_whole_steps_of_both(lattice: Lattice) -> None:
    size = len(lattice.symbols)
    assert len(as_set(lattice.steps)) == len(lattice.steps) > 0
    assert (lattice.steps.sum(axis=1) == 0).all()
    assert ((lattice.steps != 0).sum(axis=1) == 2).all()
    assert (lattice.steps % np.array(lattice.strides) == 0).all()
    assert as_set(lattice.steps) == as_set(-lattice.steps)
    exchanged = {tuple(np.flatnonzero(move)) for move in lattice.steps}
    assert len(exchanged) == size * (size - 1) / 2


def test_without_a_choice_there_is_one_composition_and_nothing_to_exchange() -> None:
    lattice = Lattice((), "Ti")
    assert lattice.percent(lattice.at([0])).tolist() == [[100]]
    assert (lattice.count, lattice.steps.shape) == (1, (0, 1))


# -- what is present --------------------------------------------------------------------------------------------------


def two(present_above: float = 0.0, *limits: CountLimit) -> Lattice:
    return Lattice((Element("Nb", 0, 30, 10), Element("Zr", 0, 20, 5)), "Ti", 60, 100, present_above, limits)


def amounts(lattice: Lattice) -> set[tuple[float, ...]]:
    return {tuple(row) for row in lattice.percent(lattice.at(range(lattice.count))).tolist()}


def test_what_is_present_is_at_least_so_much_the_balance_too() -> None:
    assert {zr for _, zr, _ in amounts(two(6))} == {0, 10, 15, 20}  # 5 is too little
    pure = Lattice((Element("Nb", 90, 100, 2),), "Ti", present_above=5)
    assert amounts(pure) == {(90, 10), (92, 8), (94, 6), (100, 0)}
    assert pure.least_present == (3, 3)  # 6 % of each, in twos


def test_the_number_of_elements_and_of_those_in_a_group_is_limited() -> None:
    few = two(0, CountLimit("max_elements", ("Nb", "Zr", "Ti"), 0, 2))
    assert amounts(few) == {row for row in amounts(two()) if 0 in row[:2]}
    either = two(0, CountLimit("refractory", ("Nb", "Zr"), 1, 1))
    assert amounts(either) == amounts(few) - {(0, 0, 100)}
    assert (
        two(0, CountLimit("all", ("Nb", "Zr", "Ti"), 3, 3)).count == 2 * 4 + 2
    )  # 10 and 20 Nb with any Zr, 30 with 5, 10


@pytest.mark.parametrize(
    ("least", "most", "text"),
    [
        (0, 1, "at most 1 of Nb, Zr, Ti are present"),
        (2, 3, "at least 2 of Nb, Zr, Ti are present"),
        (1, 2, "1 to 2 of Nb, Zr, Ti are present"),
    ],
)
def test_a_limit_is_said_in_words(least: int, most: int, text: str) -> None:
    assert CountLimit("max_elements", ("Nb", "Zr", "Ti"), least, most).text == text


def test_limits_that_no_composition_keeps_leave_none() -> None:
    empty = Lattice((Element("Nb", 10, 30, 10),), "Ti", 0, 100, 0.0, (CountLimit("pure", ("Nb",), 0, 0),))
    assert empty.count == 0
    assert empty.holds(np.array([[1, 9]])).tolist() == [False]


@pytest.mark.parametrize(
    ("of", "least", "most", "message"),
    [
        (("Nb", "Zr"), 2, 1, "group asks for 2 to 1 elements. Give the smaller number as the minimum"),
        (("Nb", "Zr"), -1, 1, "group asks for -1 to 1 elements"),
        (("Nb", "Zr"), 3, 4, "group asks for at least 3 of 2 elements. Ask for fewer"),
        (("Nb", "Nb"), 0, 1, "group counts Nb, Nb, one of them twice"),
    ],
)
def test_an_impossible_limit_is_refused(of: tuple[str, ...], least: int, most: int, message: str) -> None:
    with pytest.raises(AlloyloopError, match=message):
        CountLimit("group", of, least, most)


def test_a_limit_on_an_element_that_is_not_there_is_refused() -> None:
    with pytest.raises(AlloyloopError, match=r"group names Mo, which is not an element of this space \(Nb, Zr, Ti\)"):
        two(0, CountLimit("group", ("Nb", "Mo"), 0, 1))


def test_an_element_that_cannot_reach_what_is_present_is_refused() -> None:
    with pytest.raises(AlloyloopError, match=r"No amount of Nb is left: what is present must be at least 5 %\. Lower"):
        Lattice((Element("Nb", 1, 4, 1),), "Ti", present_above=5)


# -- what is refused --------------------------------------------------------------------------------------------------


def test_bounds_off_the_step_are_rounded_inward_and_said() -> None:
    off = Element("Sn", 0.3, 13.9, 0.25)
    assert off.off_step == "Sn 0.3 to 13.9 % is not on its step 0.25 %: 0.5 to 13.75 % is used."
    assert Element("Sn", 0.5, 13.75, 0.25).off_step == ""
    assert Element("Ca", 0.1, 0.3, 0.1).off_step == ""  # 0.3 / 0.1 is below 3 in binary


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        ((-1, 10, 1), "Nb has bounds -1 to 10 %"),
        ((20, 10, 1), "the minimum not above the maximum"),
        ((0, 101, 1), "between 0 and 100"),
        ((float("nan"), 10, 1), "Nb has bounds nan"),
        ((0, 10, 0), "The step of Nb is 0 %"),
        ((0, 10, float("inf")), "The step of Nb is inf %"),
        ((11, 14, 5), "No multiple of Nb's step 5 % lies between 11 and 14 %"),
    ],
)
def test_impossible_bounds_and_steps_are_refused(bounds: tuple[float, float, float], message: str) -> None:
    with pytest.raises(AlloyloopError, match=message):
        Element("Nb", *bounds)


def test_an_element_named_twice_is_refused() -> None:
    with pytest.raises(AlloyloopError, match="Ti is named twice"):
        Lattice((Element("Ti", 0, 10, 1),), "Ti")


def test_bounds_that_leave_nothing_say_what_the_others_take() -> None:
    with pytest.raises(AlloyloopError, match=r"the others take 0 to 10 %, and Ti may be 0 to 50 %.*make up 100 %"):
        Lattice((Element("Nb", 0, 10, 1),), "Ti", 0, 50)


def test_steps_too_odd_to_be_shared_are_refused_before_they_are_counted() -> None:
    with pytest.raises(AlloyloopError, match="share no more than 1e-07 %"):
        Lattice((Element("Nb", 0, 10, 1e-7),), "Ti")


def test_steps_too_fine_for_their_bounds_are_refused_before_they_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    lattice = reference(0.5)
    monkeypatch.setattr(import_module("alloyloop.design.diagram"), "MOST_STEPS", 1000)
    with pytest.raises(AlloyloopError, match=r"steps are too fine for such wide bounds: 200 units of 0.5 % are shared"):
        assert lattice.count
