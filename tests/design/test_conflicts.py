"""What conflicts is what cannot hold together and is each needed for that; what is idle excludes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings

import alloyloop.design.conflicts as module
from alloyloop.design.candidates import Candidates
from alloyloop.design.conflicts import Part, always_true, conflicts
from alloyloop.design.lattice import CountLimit, Element, Lattice
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.rules import parse_rule
from alloyloop.design.space import DesignSpace

from .strategies_feasible import CURVED, LINEAR, every_design, limited, spaces

Keys = tuple[str | int, ...]
QUENCH = ("water", "air", "furnace")


def without(space: DesignSpace, *left_out: Keys) -> DesignSpace:
    """A space without some of its parts."""
    lattice = space.lattice
    assert lattice is not None
    elements = [
        replace(element, low=0.0, high=100.0) if ("elements", element.symbol) in left_out else element
        for element in lattice.elements
    ]
    balance = (0.0, 100.0) if ("elements", "Ti") in left_out else (lattice.balance_low, lattice.balance_high)
    present_above = 0.0 if ("present_above",) in left_out else lattice.present_above
    limits = [limit for limit in lattice.limits if not {(limit.name,), ("groups", limit.name)} & set(left_out)]
    wide: dict[str, Numeric | Choice] = {
        "temperature_C": Numeric("temperature_C", -1000, 3000, 100),
        "quench": Choice("quench", (*QUENCH, "another")),
    }
    return DesignSpace(
        Lattice(tuple(elements), "Ti", *balance, present_above, tuple(limits)),
        space.basis,
        tuple(wide[each.name] if ("process", each.name) in left_out else each for each in space.process),
        tuple(rule for i, rule in enumerate(space.rules) if ("rules", i) not in left_out),
        None if ("policy",) in left_out else space.policy,
    )


def every_part(space: DesignSpace) -> list[Keys]:
    """Where all parts of a space stand."""
    lattice = space.lattice
    assert lattice is not None
    keys: list[Keys] = [("elements", symbol) for symbol in lattice.symbols]
    keys += [("present_above",), ("policy",), *(("rules", i) for i in range(len(space.rules)))]
    keys += [("groups", limit.name) if limit.name == "refractory" else (limit.name,) for limit in lattice.limits]
    return keys + [("process", variable.name) for variable in space.process]


@settings(max_examples=60)
@given(spaces(most_rules=5))
def test_conflicting_parts_leave_no_design_and_all_but_any_one_of_them_do(space: DesignSpace) -> None:
    found = conflicts(space)
    if len(every_design(space)):
        assert found == ()
        return
    keys = [part.keys for part in found]
    assert all(part.proved for part in found)
    others = [part for part in every_part(space) if part not in keys]
    assert len(every_design(without(space, *others))) == 0
    for part in keys:
        assert len(every_design(without(space, *others, part))) > 0, part


@settings(max_examples=60)
@given(spaces(most_rules=5))
def test_idle_parts_exclude_nothing_together_and_every_other_rule_or_limit_does(space: DesignSpace) -> None:
    designs = every_design(space)
    assume(len(designs))
    idle = [part.keys for part in always_true(space)]
    assert len(every_design(without(space, *idle))) == len(designs)
    for part in every_part(space):
        if part not in idle and part[0] in ("rules", "groups", "present_above", "min_elements", "max_elements"):
            asked = part[0] != "present_above" or (space.lattice is not None and space.lattice.present_above > 0)
            assert not asked or len(every_design(without(space, *idle, part))) > len(designs), part


@settings(max_examples=60)
@given(spaces(rules=(*LINEAR, *CURVED, *CURVED), most_rules=4))
def test_where_rules_are_curved_no_space_with_a_design_conflicts_and_nothing_that_excludes_is_idle_for_certain(
    space: DesignSpace,
) -> None:
    designs = every_design(space)
    found = conflicts(space)
    assert bool(found) == (len(designs) == 0)
    if any(part.proved for part in found):
        others = [part for part in every_part(space) if part not in [part.keys for part in found]]
        assert len(every_design(without(space, *others))) == 0
    idle = [part.keys for part in always_true(space) if part.proved]
    if not found:
        assert len(every_design(without(space, *idle))) == len(designs)


def titanium(*rules: str, limits: Sequence[CountLimit] = (), present_above: float = 0.0) -> DesignSpace:
    """Niobium up to 40, zirconium to 30 and tin to 12 in at least half titanium."""
    process = (Numeric("temperature_C", 700, 1000, 50), Choice("quench", QUENCH))
    elements = (Element("Nb", 0, 40, 1), Element("Zr", 0, 30, 1), Element("Sn", 0, 12, 1))
    lattice = Lattice(elements, "Ti", 50, 90, present_above, tuple(limits))
    space = DesignSpace(lattice, "at_pct", process)
    return replace(space, rules=tuple(parse_rule(rule, space.names) for rule in rules))


SYMBOLS = ("Nb", "Zr", "Sn", "Ti")


@pytest.mark.parametrize(
    ("space", "said"),
    [
        (titanium("Nb >= 10", "Zr >= 35"), {"Zr 0 to 30 %": ("elements", "Zr"), "Zr >= 35": ("rules", 1)}),
        (titanium("Nb + Zr >= 55"), {"Ti 50 to 90 %": ("elements", "Ti"), "Nb + Zr >= 55": ("rules", 0)}),
        (
            titanium("Zr / Nb >= 2", "Nb >= 25 wt%"),  # 20 at.% of niobium beside 40 of zirconium
            {"Ti 50 to 90 %": ("elements", "Ti"), "Zr / Nb >= 2": ("rules", 0), "Nb >= 25 wt%": ("rules", 1)},
        ),
        (
            titanium("Nb >= 1", "Sn < 4", "Sn > 0", present_above=5),
            {
                "what is present is at least 5 %": ("present_above",),
                "Sn < 4": ("rules", 1),
                "Sn > 0": ("rules", 2),
            },
        ),
        (
            titanium("Nb >= 1", "Zr >= 1", "Sn >= 1", limits=[CountLimit("max_elements", SYMBOLS, 0, 3)]),
            {
                "Ti 50 to 90 %": ("elements", "Ti"),
                "max_elements: at most 3 of Nb, Zr, Sn, Ti are present": ("max_elements",),
                "Nb >= 1": ("rules", 0),
                "Zr >= 1": ("rules", 1),
                "Sn >= 1": ("rules", 2),
            },
        ),
        (
            titanium("Nb >= 1", "Sn >= 1", limits=[CountLimit("stabilisers", ("Nb", "Sn"), 0, 1)]),
            {
                "stabilisers: at most 1 of Nb, Sn are present": ("groups", "stabilisers"),
                "Nb >= 1": ("rules", 0),
                "Sn >= 1": ("rules", 1),
            },
        ),
        (
            titanium("temperature_C >= 1100 if Nb > 5", "Nb >= 10", "Zr >= 5"),
            {
                "temperature_C 700 to 1000": ("process", "temperature_C"),
                "temperature_C >= 1100 if Nb > 5": ("rules", 0),
                "Nb >= 10": ("rules", 1),
            },
        ),
        (
            titanium("quench is not air", "quench is not water", "quench is not furnace"),
            {
                "quench is water or air or furnace": ("process", "quench"),
                "quench is not air": ("rules", 0),
                "quench is not water": ("rules", 1),
                "quench is not furnace": ("rules", 2),
            },
        ),
        (
            replace(titanium("Sn >= 5 wt%"), policy=limited("Sn", 3.0)),
            {"Sn at most 3 wt.% (policy cautious)": ("policy",), "Sn >= 5 wt%": ("rules", 0)},
        ),
        (titanium("vec >= 4.6"), {"Ti 50 to 90 %": ("elements", "Ti"), "vec >= 4.6": ("rules", 0)}),
    ],
    ids=lambda case: " & ".join(rule.text for rule in case.rules) if isinstance(case, DesignSpace) else "",
)
def test_each_conflicting_part_is_named_with_its_numbers_and_its_place(
    space: DesignSpace, said: dict[str, Keys]
) -> None:
    assert {part.text: part.keys for part in conflicts(space)} == said


def test_rows_of_a_table_are_not_in_question() -> None:
    candidates = Candidates(("Nb", "Ti"), np.array([[10.0, 90.0], [20.0, 80.0]]), {})
    space = DesignSpace(None, "wt_pct", candidates=candidates)
    rules = tuple(parse_rule(rule, space.names) for rule in ("Ti >= 70", "Nb > 25"))
    assert conflicts(replace(space, rules=rules)) == (Part("Nb > 25", ("rules", 1)),)


def test_of_two_rules_that_say_the_same_the_later_is_idle() -> None:
    assert always_true(titanium("Nb >= 10", "2 Nb >= 20")) == (Part("2 Nb >= 20", ("rules", 1)),)


def test_every_kind_of_part_that_can_be_idle_is_named() -> None:
    space = titanium(
        "Sn <= 14",
        "Ti >= 10 wt%",
        "Nb >= 10",
        "quench is air if Sn > 13",
        limits=[CountLimit("max_elements", SYMBOLS, 0, 4), CountLimit("early", ("Zr", "Ti"), 1, 2)],
        present_above=1,
    )
    assert [(part.keys, part.proved) for part in always_true(space)] == [
        (keys, True)
        for keys in [("present_above",), ("max_elements",), ("groups", "early"), *(("rules", i) for i in (0, 1, 3))]
    ]


def test_a_space_without_a_design_has_nothing_idle() -> None:
    assert always_true(titanium("Nb >= 45", "Zr <= 50")) == ()


MIXED = titanium("mixing_enthalpy_kJ_per_mol <= 10", "size_mismatch_pct >= 3")


def test_that_a_curved_rule_is_idle_is_proved_only_in_a_space_that_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    space = replace(MIXED, process=())  # 16 000 designs, a mixing enthalpy of -15 to 3 kJ/mol
    (part,) = always_true(space)
    assert (part.keys, part.proved) == (("rules", 0), True)
    monkeypatch.setattr(module, "N_DRAWN", 2000)
    (part,) = always_true(space)
    assert (part.keys, part.proved) == (("rules", 0), False)


def test_a_conflict_that_draws_found_is_said_to_be_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    space = titanium("mixing_enthalpy_kJ_per_mol >= 30", "Nb >= 10")
    monkeypatch.setattr(module, "N_DRAWN", 2000)
    assert conflicts(space) == (Part("mixing_enthalpy_kJ_per_mol >= 30", ("rules", 0), proved=False),)


def test_a_design_that_no_draw_hits_is_come_upon_by_following_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "N_DRAWN", 50)
    rare = titanium("mixing_enthalpy_kJ_per_mol between 1.0 and 1.05", "size_mismatch_pct <= 2.2", "Sn >= 1 wt%")
    assert conflicts(rare) == ()
    assert always_true(rare) == ()  # no draw keeps either rule, which says nothing of the other


def test_a_conflict_of_curved_rules_in_a_space_that_is_listed_is_proved() -> None:
    space = replace(titanium("mixing_enthalpy_kJ_per_mol >= 0", "Sn >= 10"), process=())
    lattice = Lattice((Element("Nb", 0, 40, 10), Element("Sn", 0, 20, 5)), "Ti")
    space = replace(space, lattice=lattice)
    assert [(part.text, part.proved) for part in conflicts(space)] == [
        ("Sn 0 to 20 %", True),  # pure tin would do
        ("mixing_enthalpy_kJ_per_mol >= 0", True),
        ("Sn >= 10", True),
    ]
