"""A space as a linear program says of each point what the space's rules say, and leaves out only what is curved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from alloyloop.design.composition import Basis
from alloyloop.design.descriptors import DESCRIPTORS
from alloyloop.design.diagram import IntArray
from alloyloop.design.lattice import Element, Lattice
from alloyloop.design.milp import Found, Variables
from alloyloop.design.program import Program
from alloyloop.design.rules import Names, parse_rule
from alloyloop.design.space import DesignSpace
from alloyloop.surrogates.base import FloatArray

from .strategies_feasible import BASES, CURVED, LINEAR, every_design, spaces

# Read off their formulas: Σ c v over atoms, Σ w v over mass, Σ v over volume.
MEANS = {
    *("vec", "electrons_per_atom", "melting_point_K", "bond_order", "d_orbital_energy_eV", "bulk_modulus_GPa"),
    *("youngs_modulus_rule_of_mixtures_GPa", "first_ionisation_eV", "work_function_eV"),
    *("price_usd_per_kg", "mo_equivalent_bania", "mo_equivalent_wang", "k_beta", "pren", "cr_plus_3_3_mo"),
    *("chromium_equivalent", "nickel_equivalent"),
    *("density_g_per_cm3", "radiopacity_60keV_per_cm"),  # its attenuation is a mean over mass, times the density
}


@pytest.mark.parametrize("basis", BASES)
@pytest.mark.parametrize("name", sorted(DESCRIPTORS))
def test_rules_on_means_over_atoms_mass_or_volume_are_linear_and_all_others_curved(name: str, basis: Basis) -> None:
    lattice = Lattice((Element("Nb", 0, 40, 1), Element("Mo", 0, 30, 1), Element("Sn", 0, 20, 1)), "Ti")
    rule = parse_rule(f"{name} <= 3", Names(lattice.symbols))
    program = Program.of(DesignSpace(lattice, basis, rules=(rule,)))
    assert program.curved == (() if name in MEANS else (rule,))


@given(spaces(rules=(*LINEAR, *CURVED)))
def test_a_program_has_a_point_exactly_where_the_linear_rules_leave_a_design(space: DesignSpace) -> None:
    program = Program.of(space)
    assert {rule.text.split()[0] for rule in program.curved} == {
        rule.text.split()[0] for rule in space.rules if rule.text.startswith(("mixing", "size"))
    }
    linear = DesignSpace(
        space.lattice,
        space.basis,
        space.process,
        tuple(rule for rule in space.rules if rule not in program.curved),
        space.policy,
    )
    designs = {tuple(point) for point in every_design(linear).tolist()}
    solution = program.solve()
    assert solution.proved
    assert (solution.point is None) == (not designs)
    if solution.point is not None:
        assert tuple(solution.point.tolist()) in designs


@given(spaces(most_rules=1), st.integers(0, 2**32))
def test_rows_say_a_rule_or_that_it_is_broken_as_the_rule_itself_does(space: DesignSpace, seed: int) -> None:
    free = DesignSpace(space.lattice, space.basis, space.process)
    points, program = every_design(free), Program.of(free)
    assume(len(points) and space.rules)
    (rule,) = space.rules
    said, broken = program.said(rule), program.broken(rule)
    assert said is not None
    assert broken is not None
    point = points[seed % len(points)]

    def away(column: int, values: IntArray) -> FloatArray:
        return np.asarray(np.abs(values - point[column]), dtype=np.float64)

    kept, against = program.solve(away, [said]).point, program.solve(away, [broken]).point
    held = bool(rule.holds(free.designs(point[None]))[0])
    assert (kept is not None and (kept == point).all()) == held
    assert (against is not None and (against == point).all()) != held


@pytest.mark.parametrize(("at_least", "proved"), [(2.0, False), (3.0, True)])
def test_what_may_cost_more_than_something_else_is_not_proved(
    at_least: float, proved: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Program.of(DesignSpace(Lattice((Element("Nb", 0, 40, 10),), "Ti"), "at_pct"))

    def stopped_early(*_: object) -> Found:
        return Found(np.array([3.0, 7.0]), impossible=False, at_least=at_least)

    monkeypatch.setattr(Variables, "cheapest", stopped_early)
    solution = program.solve(lambda column, units: np.asarray(units * (column == 0), dtype=np.float64))
    assert solution.point is not None
    assert solution.point.tolist() == [3, 7]
    assert solution.proved is proved
