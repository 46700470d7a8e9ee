"""The nearest design is the nearest: what trying every design finds, or else it says how sure it is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import alloyloop.design.nearest as module
from alloyloop.design.candidates import Candidates
from alloyloop.design.diagram import IntArray
from alloyloop.design.lattice import CountLimit, Element, Lattice
from alloyloop.design.nearest import Nearest, nearest
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.rules import Names, parse_rule
from alloyloop.design.space import DesignSpace
from alloyloop.surrogates.base import FloatArray
from alloyloop.surrogates.errors import AlloyloopError

from .strategies_feasible import CURVED, every_design, keep_rules, spaces

Wanted = Mapping[str, float | str]

alloys = st.lists(st.integers(0, 60), min_size=4, max_size=4).filter(any).map(lambda a: 100 * np.array(a) / sum(a))
wanted = st.fixed_dictionaries(
    {},
    optional={
        "temperature_C": st.integers(600, 1100).map(float),
        "quench": st.sampled_from(["water", "air", "furnace"]),
    },
)


def found(space: DesignSpace, percent: FloatArray, process: Wanted | None = None) -> Nearest:
    return nearest(space, percent, process, np.random.default_rng(0))


def of_the_space(space: DesignSpace, process: Wanted) -> Wanted:
    """Only the values of variables that the space has."""
    return {name: value for name, value in process.items() if name in {variable.name for variable in space.process}}


def distances(space: DesignSpace, points: IntArray, percent: FloatArray, process: Wanted) -> FloatArray:
    """Of each point, from the definition. (n,)"""
    far = []
    for amounts, levels in zip(space.percent(points), points[:, space.n_elements :], strict=True):
        distance = sum(abs(amount - aim) for amount, aim in zip(amounts, percent, strict=True)) / 2
        for variable, level in zip(space.process, levels, strict=True):
            if variable.name in process:
                value = variable.values(np.array([level]))[0]
                if isinstance(variable, Choice):
                    distance += 100 * (value != process[variable.name])
                else:
                    distance += 100 * abs(value - process[variable.name]) / (variable.high - variable.low)
        far.append(distance)
    return np.array(far)


@given(spaces(), alloys, wanted)
def test_no_design_is_nearer_under_sums_ratios_means_counts_and_conditions(
    space: DesignSpace, percent: FloatArray, process: Wanted
) -> None:
    designs, process = every_design(space), of_the_space(space, process)
    assume(len(designs))
    near = found(space, percent, process)
    assert near.exact
    assert near.distance == pytest.approx(distances(space, designs, percent, process).min(), abs=3e-6)
    assert near.distance == pytest.approx(distances(space, near.point[None], percent, process)[0])
    assert (designs == near.point).all(axis=1).any()


@given(spaces(rules=CURVED, most_rules=2), alloys)
def test_no_design_is_nearer_under_curved_rules_in_a_space_that_can_be_listed(
    space: DesignSpace, percent: FloatArray
) -> None:
    designs = every_design(space)
    assume(len(designs))
    near = found(space, percent)
    assert near.exact
    assert near.distance == pytest.approx(distances(space, designs, percent, {}).min(), abs=3e-6)
    assert (designs == near.point).all(axis=1).any()


@given(spaces(rules=CURVED, most_rules=2), alloys)
def test_in_a_large_space_with_curved_rules_it_says_how_near_any_design_can_be(
    space: DesignSpace, percent: FloatArray
) -> None:
    designs = every_design(space)
    assume(len(designs))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_LISTED", 0)
        near = found(space, percent)
    least = distances(space, designs, percent, {}).min()
    assert (designs == near.point).all(axis=1).any()
    assert near.distance >= least - 3e-6
    if near.exact:
        assert near.distance == pytest.approx(least, abs=3e-6)
        assert near.words == f"{near.distance:.4g} % away, the nearest there is"
    else:
        assert near.words.startswith(f"{near.distance:.4g} % away, the nearest that was found; none is nearer than ")
        assert float(near.words.split()[-2]) <= least + 1e-3


@given(spaces())
def test_a_space_without_a_design_has_no_nearest(space: DesignSpace) -> None:
    assume(not len(every_design(space)))
    with pytest.raises(AlloyloopError, match="No design keeps every bound and rule"):
        found(space, np.array([25.0, 25.0, 25.0, 25.0]))


TABLE = np.array([[10.0, 0.0, 90.0], [12.34, 5.5, 82.16], [20.0, 3.3, 76.7], [35.0, 15.0, 50.0], [0.0, 0.0, 100.0]])


@pytest.mark.parametrize("most_listed", [0, 1000])  # as a program, and listed
@given(
    rule=st.sampled_from([None, "Nb > 5", "Ti <= 70 at%", "vec >= 4.15", "temperature_C >= 800 if Zr > 1"]),
    percent=st.lists(st.integers(0, 60), min_size=3, max_size=3).filter(any).map(lambda a: 100 * np.array(a) / sum(a)),
    process=wanted,
)
def test_of_a_table_of_candidates_the_nearest_row_that_keeps_the_rules_is_found(
    most_listed: int, rule: str | None, percent: FloatArray, process: Wanted
) -> None:
    variables = (Numeric("temperature_C", 700, 900, 100), Choice("quench", ("water", "air", "furnace")))
    quench = np.array(["water", "air", "air", "water", "furnace"], dtype=object)
    candidates = Candidates(("Nb", "Zr", "Ti"), TABLE, {"quench": quench})
    space = DesignSpace(None, "wt_pct", variables, candidates=candidates)
    if rule is not None:
        space = DesignSpace(None, "wt_pct", variables, (parse_rule(rule, space.names),), candidates=candidates)
    rows = [
        (*np.rint(1e6 * row), level, ("water", "air", "furnace").index(said))
        for row, said in zip(TABLE, quench, strict=True)
        for level in range(3)
    ]
    points = np.array(rows, dtype=np.int64)
    points = points[keep_rules(space, points)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MOST_LISTED", most_listed)
        near = found(space, percent, process)
    assert near.exact
    assert near.distance == pytest.approx(distances(space, points, percent, process).min(), abs=3e-6)
    assert (points == near.point).all(axis=1).any()


def test_where_the_number_of_elements_binds_it_swaps_instead_of_only_rounding() -> None:
    lattice = Lattice(
        (Element("Nb", 0, 40, 1), Element("Zr", 0, 30, 1), Element("Sn", 4, 12, 1)),
        "Ti",
        limits=(CountLimit("max_elements", ("Nb", "Zr", "Sn", "Ti"), 0, 3),),
    )
    near = found(DesignSpace(lattice, "at_pct"), np.array([24.2, 3.9, 7.9, 64.0]))
    assert near.point[1] == 0  # and no more than the zirconium goes elsewhere: rounding first would move 4.1 %
    assert near.distance == pytest.approx(3.9)


def test_each_element_keeps_its_own_step() -> None:
    lattice = Lattice((Element("Zn", 0, 6, 0.5), Element("Ca", 0, 1, 0.05)), "Mg")
    space = DesignSpace(lattice, "wt_pct")
    near = found(space, np.array([3.13, 0.48, 96.39]))
    assert space.percent(near.point[None])[0].tolist() == [3.0, 0.5, 96.5]
    assert near.distance == pytest.approx((0.13 + 0.02 + 0.11) / 2)


def test_a_strict_bound_in_the_other_basis_is_not_met_by_equality() -> None:
    lattice = Lattice((Element("Nb", 0, 40, 0.1),), "Ti")
    space = DesignSpace(lattice, "at_pct", rules=(parse_rule("Nb > 0 wt%", Names(lattice.symbols)),))
    near = found(space, np.array([0.0, 100.0]))
    assert near.point.tolist() == [1, 999]
    assert near.exact


@pytest.mark.parametrize("element", ["Nb", "Zr", "Sn"])
def test_a_bound_in_the_other_basis_that_is_met_exactly_holds_unless_it_is_strict(element: str) -> None:
    lattice = Lattice((Element("Nb", 0, 40, 0.1), Element("Zr", 0, 30, 0.1), Element("Sn", 0, 12, 0.1)), "Ti")
    others = " + ".join(symbol for symbol in lattice.symbols if symbol != element)
    names, percent, column = Names(lattice.symbols), np.array([0.0, 0.0, 0.0, 100.0]), lattice.symbols.index(element)
    percent[column], percent[3] = 3.0, 97.0
    without = found(DesignSpace(lattice, "at_pct", rules=(parse_rule(f"{others} >= 100 wt%", names),)), percent)
    assert (without.point[column], without.exact) == (0, True)
    percent[column], percent[3] = 0.0, 100.0
    least = found(DesignSpace(lattice, "at_pct", rules=(parse_rule(f"{others} < 100 wt%", names),)), percent)
    assert (least.point[column], least.exact) == (1, True)


@pytest.mark.parametrize(("rule", "niobium"), [("vec <= 4.25", 25), ("vec < 4.25", 24)])
def test_a_bound_on_a_mean_that_is_met_exactly_holds_unless_it_is_strict(rule: str, niobium: int) -> None:
    lattice = Lattice((Element("Nb", 0, 40, 1),), "Ti")  # of five and four valence electrons
    near = found(DesignSpace(lattice, "at_pct", rules=(parse_rule(rule, Names(lattice.symbols)),)), np.array([30, 70]))
    assert (near.point[0], near.exact) == (niobium, True)


@pytest.mark.parametrize("percent", [(30, 10, 0, 60), (0, 25, 10, 65), (10, 5, 5, 80), (38, 0, 12, 50)], ids=str)
def test_in_a_large_space_the_search_comes_as_near_as_listing_does(
    percent: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    elements = (Element("Nb", 0, 40, 1), Element("Zr", 0, 30, 1), Element("Sn", 0, 12, 1))
    lattice = Lattice(elements, "Ti")
    names = Names(lattice.symbols)
    rules = ("mixing_enthalpy_kJ_per_mol between 0.5 and 1", "size_mismatch_pct <= 2")
    space = DesignSpace(lattice, "at_pct", rules=tuple(parse_rule(rule, names) for rule in rules))
    listed = found(space, np.array(percent))
    monkeypatch.setattr(module, "MOST_LISTED", 0)
    searched = found(space, np.array(percent))
    assert searched.distance == pytest.approx(listed.distance)
    assert listed.exact
    assert not searched.exact


def test_what_is_a_design_is_its_own_nearest() -> None:
    lattice = Lattice((Element("Nb", 0, 40, 0.5), Element("Zr", 0, 30, 0.5)), "Ti")
    space = DesignSpace(lattice, "wt_pct", (Numeric("temperature_C", 700, 900, 50),))
    near = found(space, np.array([35.0, 7.5, 57.5]), {"temperature_C": 850.0})
    assert near.point.tolist() == [70, 15, 115, 3]
    assert near.distance == 0


def test_a_tenth_of_a_range_weighs_as_much_as_ten_percent_exchanged() -> None:
    rule = "temperature_C >= 800 if Nb >= 20"
    variables = (Numeric("temperature_C", 700, 1000, 30),)
    lattice = Lattice((Element("Nb", 0, 40, 1),), "Ti")
    space = DesignSpace(lattice, "wt_pct", variables, (parse_rule(rule, Names(lattice.symbols, ("temperature_C",))),))
    hotter = found(space, np.array([32.0, 68.0]), {"temperature_C": 790.0})
    assert hotter.point.tolist() == [32, 68, 4]  # at 820, a tenth of the range off
    assert hotter.distance == pytest.approx(10)
    leaner = found(space, np.array([32.0, 68.0]), {"temperature_C": 760.0})
    assert leaner.point.tolist() == [19, 81, 2]  # 13 % exchanged, which is less than a fifth of the range
    assert leaner.distance == pytest.approx(13)


def test_a_process_variable_that_is_not_given_becomes_what_the_rules_need() -> None:
    lattice = Lattice((Element("Nb", 0, 40, 5),), "Ti")
    variables = (Numeric("temperature_C", 700, 1000, 50), Choice("quench", ("water", "air")))
    names = Names(lattice.symbols, ("temperature_C",), {"quench": ("water", "air")})
    rules = ("temperature_C >= 960 if Nb > 10", "quench is air if Nb > 10")
    space = DesignSpace(lattice, "at_pct", variables, tuple(parse_rule(rule, names) for rule in rules))
    for process in (None, {"temperature_C": np.nan}):
        near = found(space, np.array([20.0, 80.0]), process)
        assert (near.point.tolist(), near.distance) == ([4, 16, 6, 1], 0)


def test_a_pure_process_space_has_a_nearest_setting() -> None:
    variables = (Numeric("power_W", 100, 400, 10), Numeric("speed_mm_per_s", 200, 2000))
    names = Names((), ("power_W", "speed_mm_per_s"))
    space = DesignSpace(None, "at_pct", variables, (parse_rule("speed_mm_per_s <= 4 power_W", names),))
    near = found(space, np.empty(0), {"power_W": 204.0, "speed_mm_per_s": 900.0})
    # 200 W and 800 mm/s would cost 4/3 and 100/18 %, 220 W and 880 mm/s 16/3 and 20/18 %.
    assert [values[0] for values in space.process_values(near.point[None]).values()] == [210.0, 840.0]
    assert near.distance == pytest.approx(6 / 3 + 60 / 18)


@pytest.mark.parametrize(
    ("process", "said"),
    [
        ({"pressure_MPa": 3.0}, "pressure_MPa is not a process variable of this space. It has quench"),
        ({"quench": "oil"}, "'oil' is not a choice of quench. Its choices are water, air"),
    ],
)
def test_a_process_value_that_the_space_does_not_know_is_refused(process: Wanted, said: str) -> None:
    space = DesignSpace(Lattice((Element("Nb", 0, 40, 5),), "Ti"), "at_pct", (Choice("quench", ("water", "air")),))
    with pytest.raises(AlloyloopError, match=said):
        found(space, np.array([20.0, 80.0]), process)
