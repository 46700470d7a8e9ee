"""What drives the chance of a design: steps of one thing at a time, and where designs are likely enough."""

from __future__ import annotations

import numpy as np
import pytest

from alloyloop.design import Choice, DesignSpace, Element, Lattice, Numeric, parse_rule
from alloyloop.design.diagram import IntArray
from alloyloop.design.drivers import cloud, steps, where_enough
from alloyloop.design.features import Alloys, alloys_at
from alloyloop.surrogates.base import FloatArray

QUENCH = Choice("quench", ("water", "air"))
AGEING = Numeric("ageing_temperature_C", 300, 500, 100)
POWER = Numeric("laser_power_W", 100, 400)  # any value in its range
ELEMENTS = (Element("Nb", 10, 40, 1), Element("Zr", 0, 10, 1))


def space(*process: Choice | Numeric, present_above: float = 0.0, rules: tuple[str, ...] = ()) -> DesignSpace:
    bare = DesignSpace(Lattice(ELEMENTS, "Ti", present_above=present_above), "at_pct", process)
    return DesignSpace(bare.lattice, "at_pct", process, tuple(parse_rule(rule, bare.names) for rule in rules))


def at(of: DesignSpace, niobium: float, zirconium: float, **process: object) -> IntArray:
    percent = np.array([[niobium, zirconium, 100 - niobium - zirconium]])
    columns = {
        name: np.array([value], dtype=object if isinstance(value, str) else float) for name, value in process.items()
    }
    points, near = of.snap(percent, columns)
    assert near.all()
    return np.asarray(points[0])


def niobium(alloys: Alloys) -> FloatArray:
    """A chance that is the fraction of niobium, and a twentieth less where it is not quenched in water."""
    chance = alloys.fractions[:, alloys.elements.index("Nb")].copy()
    if "quench" in alloys.process:
        chance[alloys.process["quench"] != "water"] -= 0.05
    return chance


def told(of: DesignSpace, point: IntArray) -> list[tuple[str, object, object, float]]:
    found = steps(of, point, of.elements, niobium)
    return [(step.name, step.was, step.to, round(step.chance, 9)) for step in found]


def test_each_element_goes_a_step_up_and_a_step_down_at_the_cost_of_the_balance() -> None:
    of = space()
    assert sorted(told(of, at(of, 20, 5))) == [
        ("Nb", 20.0, 19.0, 0.19),
        ("Nb", 20.0, 21.0, 0.21),
        ("Zr", 5.0, 4.0, 0.20),
        ("Zr", 5.0, 6.0, 0.20),
    ]


def test_what_costs_most_comes_first() -> None:
    of = space(QUENCH)
    assert [step[:3] for step in told(of, at(of, 20, 5, quench="water"))][:2] == [
        ("quench", "water", "air"),
        ("Nb", 20.0, 19.0),
    ]


def test_nothing_steps_over_its_bounds() -> None:
    of = space()
    assert {(name, to) for name, _, to, _ in told(of, at(of, 40, 0))} == {("Nb", 39.0), ("Zr", 1.0)}


def test_a_step_leads_over_amounts_that_are_too_small_to_be_present() -> None:
    of = space(present_above=4)
    assert {to for name, _, to, _ in told(of, at(of, 20, 4)) if name == "Zr"} == {0.0, 5.0}


def test_a_step_that_a_rule_forbids_is_left_out() -> None:
    of = space(rules=("Nb + Zr <= 25",))
    assert {(name, to) for name, _, to, _ in told(of, at(of, 20, 5))} == {("Nb", 19.0), ("Zr", 4.0)}


def test_a_variable_of_any_value_steps_by_a_twentieth_of_its_range() -> None:
    of = DesignSpace(None, "wt_pct", (POWER,))
    (point,) = of.snap(np.empty((1, 0)), {"laser_power_W": np.array([200.0])})[0]
    found = steps(of, point, (), lambda alloys: np.asarray(alloys.process["laser_power_W"] / 1000))
    assert [step.to for step in found] == pytest.approx([185.0, 215.0])


def test_a_step_to_where_nothing_can_be_predicted_is_left_out() -> None:
    of = space()
    found = steps(of, at(of, 20, 0), of.elements, lambda alloys: np.where(niobium(alloys) > 0.2, np.nan, 0.5))
    assert {(step.name, step.to) for step in found} == {("Nb", 19.0), ("Zr", 1.0)}


def test_a_cloud_holds_each_design_once_and_the_given_ones_among_them() -> None:
    of = space(AGEING, QUENCH)
    given = at(of, 20, 5, quench="air", ageing_temperature_C=400.0)[None]
    points = cloud(of, given, np.random.default_rng(0))
    assert of.allows(points).all()
    assert len(np.unique(points, axis=0)) == len(points)
    assert (points == given).all(axis=1).sum() == 1


def test_rules_of_thumb_find_where_a_planted_box_is_likely_enough() -> None:
    of = space(QUENCH)
    points = of.between(0, of.count)
    alloys = alloys_at(of, points, of.elements)
    inside = (alloys.fractions[:, 0] >= 0.245) & (alloys.process["quench"] == "water")
    found = where_enough(of, points, of.elements, np.where(inside, 0.9, 0.3), 0.8)
    assert found is not None
    (likely,) = [rule for rule in found.of if rule.counts[0] > rule.counts[1]]
    asked = {clause.thing.name: clause for clause in likely.clauses}
    assert asked["Nb"].low == 25  # the first step inside
    assert asked["quench"].among == ("water",)
    assert likely.counts.tolist() == [inside.sum(), 0]
    assert found.right == 1.0


@pytest.mark.parametrize("chance", [0.9, 0.1])
def test_there_is_no_rule_where_all_designs_are_likely_enough_or_none_is(chance: float) -> None:
    of = space()
    points = of.between(0, of.count)
    assert where_enough(of, points, of.elements, np.full(len(points), chance), 0.5) is None
