"""Rules of thumb in alloys: amounts of what is chosen, process values by name, and honest counts."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from alloyloop.design.beliefs import Evidence
from alloyloop.design.explaining import percent
from alloyloop.design.features import Alloys, Column, Features
from alloyloop.design.lattice import Element, Lattice
from alloyloop.design.process import Choice, Condition, Numeric
from alloyloop.design.readable import Average, Clause, averages, tallies
from alloyloop.design.space import DesignSpace
from alloyloop.surrogates.base import FloatArray
from alloyloop.surrogates.scales import LOG

ELEMENTS = ("Nb", "Zr", "Ti")
AGEING, QUENCH = Numeric("ageing_C", 300, 600, 100), Choice("quench", ("water", "air", "furnace"))
OXYGEN = Condition("oxygen_wt_pct", 0.1)
LATTICE = Lattice((Element("Nb", 0, 40, 0.5), Element("Zr", 0, 20, 1)), "Ti", 40, 100)
SPACE = DesignSpace(LATTICE, "wt_pct", (AGEING, QUENCH), conditions=(OXYGEN,))
GRAIN = Column("grain_size_um")
FEATURES = Features(ELEMENTS, process=(AGEING, QUENCH, OXYGEN), columns=(GRAIN,))
N = 60


def alloys(n: int = N, seed: int = 0) -> Alloys:
    rng = np.random.default_rng(seed)
    niobium, zirconium = rng.uniform(0.0, 0.25, n), rng.uniform(0.0, 0.1, n)
    process = {
        "ageing_C": rng.choice([300.0, 400.0, 500.0], n),
        "quench": np.array(rng.choice(["water", "air", "furnace"], n), dtype=object),
        "oxygen_wt_pct": rng.uniform(0.05, 0.2, n),
        "grain_size_um": rng.uniform(10, 100, n),
    }
    return Alloys(ELEMENTS, np.column_stack([niobium, zirconium, 1 - niobium - zirconium]), process)


def evidence(known: Alloys, values: FloatArray, sources: list[str] | None = None) -> Evidence:
    nothing = np.full(len(known), np.nan)
    return Evidence("hardness_HV", known, values, nothing, np.array(sources or [""] * len(known)))


def scattered(values: FloatArray) -> FloatArray:
    return np.asarray(values + np.tile([-1.0, 1.0], N)[: len(values)])


def only(rules: tuple[Average, ...]) -> list[Clause]:
    """The one clause of each rule."""
    assert {len(rule.clauses) for rule in rules} == {1}
    return [rule.clauses[0] for rule in rules]


def told(known: Alloys, values: FloatArray, space: DesignSpace = SPACE) -> tuple[Average, ...]:
    return averages(space, evidence(known, values), FEATURES, np.random.default_rng(0)).of


def test_an_amount_is_told_in_the_basis_of_the_campaign_and_on_its_step() -> None:
    known = alloys()
    niobium = percent(SPACE, known)[:, 0]
    below, above = only(told(known, scattered(np.where(niobium < 20, 80.0, 60.0))))
    assert (below.thing.name, below.thing.kind, below.low, above.high) == ("Nb", "element", -inf, inf)
    assert below.high == above.low
    assert niobium[niobium < 20].max() < below.high <= niobium[niobium >= 20].min()
    assert below.high % 0.5 == 0


def test_rules_are_told_of_what_is_chosen_and_the_balance_follows() -> None:
    known = alloys()
    titanium = percent(SPACE, known)[:, 2]
    rules = told(known, scattered(np.where(titanium < 75, 80.0, 60.0)))
    assert {clause.thing.name for rule in rules for clause in rule.clauses} <= {"Nb", "Zr"}


def test_a_choice_is_told_by_its_levels() -> None:
    known = alloys()
    water = known.process["quench"] == "water"
    clauses = only(told(known, scattered(np.where(water, 60.0, 80.0))))
    first, others = sorted(clauses, key=lambda clause: len(clause.among))
    assert (first.thing.name, first.thing.kind, first.among) == ("quench", "process", ("water",))
    assert others.among == ("air", "furnace")


@pytest.mark.parametrize(
    ("name", "kind", "cut"),
    [("ageing_C", "process", 450), ("oxygen_wt_pct", "condition", 0.12), ("grain_size_um", "column", 50)],
)
def test_numbers_of_every_kind_may_be_named(name: str, kind: str, cut: float) -> None:
    known = alloys()
    values = known.process[name]
    below, above = only(told(known, scattered(np.where(values < cut, 60.0, 80.0))))
    assert (below.thing.name, below.thing.kind) == (name, kind)
    assert values[values < cut].max() < below.high == above.low <= values[values >= cut].min()


def test_alloys_of_which_it_is_not_known_are_told_where_they_are_counted() -> None:
    known = alloys()
    unknown = np.arange(N) % 7 == 0
    air = known.process["quench"] == "air"
    known.process["quench"][unknown] = None
    values = scattered(np.where(air | unknown, 60.0, 80.0))
    rules = told(known, values)
    by_mean = sorted(rules, key=lambda rule: rule.mean)
    assert (by_mean[0].clauses[0].among, by_mean[0].clauses[0].or_unknown) == (("air",), True)
    assert (by_mean[1].clauses[0].among, by_mean[1].clauses[0].or_unknown) == (("water", "furnace"), False)
    assert sorted(by_mean[0].rows.tolist()) == np.flatnonzero(air | unknown).tolist()


def test_the_counts_are_those_of_the_rows() -> None:
    known = alloys()
    niobium = percent(SPACE, known)[:, 0]
    values = scattered(np.where(niobium < 20, 80.0, 60.0))
    for rule in told(known, values):
        own = values[rule.rows]
        assert (rule.mean, rule.lowest, rule.highest) == (own.mean(), own.min(), own.max())
        assert rule.within is not None
        assert rule.within < 2  # the scatter is 1


def test_bounds_are_passed_over_and_rows_are_numbered_as_in_the_evidence() -> None:
    known = alloys()
    niobium = percent(SPACE, known)[:, 0]
    values = scattered(np.where(niobium < 20, 80.0, 60.0))
    found = evidence(known, np.where(np.arange(N) == 5, 1e6, values))
    found.censored[5] = 1
    rules = averages(SPACE, found, FEATURES, np.random.default_rng(0)).of
    assert max(rule.highest for rule in rules) == 81
    assert sorted(row for rule in rules for row in rule.rows.tolist()) == [row for row in range(N) if row != 5]


def test_whole_sources_judge_the_rules_and_rows_where_there_are_none() -> None:
    """What holds within each paper, but by an offset of its own, holds less of a paper that was left out."""
    known = alloys()
    niobium = percent(SPACE, known)[:, 0]
    papers = [f"paper {i % 6}" for i in range(N)]
    values = scattered(np.where(niobium < 20, 80.0, 60.0)) + 3.0 * (np.arange(N) % 6)
    by_source = averages(SPACE, evidence(known, values, papers), FEATURES, np.random.default_rng(0))
    by_row = averages(SPACE, evidence(known, values), FEATURES, np.random.default_rng(0))
    assert (by_source.left_out, by_row.left_out) == ("whole sources", "rows")
    assert by_source.rmse is not None
    assert by_source.mean_rmse is not None
    assert by_row.rmse is not None
    assert by_row.rmse < by_source.rmse < by_source.mean_rmse
    assert by_source.is_sure


def test_repeats_of_a_design_are_left_out_together() -> None:
    known = alloys(N // 2)
    twice = np.tile(np.arange(N // 2), 2)
    found = evidence(known.rows(twice), scattered(percent(SPACE, known)[twice, 0]))
    assert averages(SPACE, found, FEATURES, np.random.default_rng(0)).left_out == "whole designs"


def test_noise_is_told_by_one_rule_without_a_clause() -> None:
    values = np.random.default_rng(1).normal(60, 5, N)
    found = averages(SPACE, evidence(alloys(), values), FEATURES, np.random.default_rng(0))
    assert [rule.clauses for rule in found.of] == [()]
    assert (found.rmse, found.is_sure) == (found.mean_rmse, False)


def test_a_small_advantage_over_the_mean_is_not_sure() -> None:
    known = alloys()
    values = 0.04 * percent(SPACE, known)[:, 0] + np.random.default_rng(11).normal(0, 1, N)
    found = averages(SPACE, evidence(known, values), FEATURES, np.random.default_rng(0))
    assert found.rmse is not None
    assert found.mean_rmse is not None
    assert 0.9 * found.mean_rmse < found.rmse < found.mean_rmse
    assert not found.is_sure


def test_a_few_alloys_teach_no_rule() -> None:
    found = averages(SPACE, evidence(alloys(4), np.arange(4.0)), FEATURES, np.random.default_rng(0))
    assert (len(found.of), found.rmse, found.of[0].within) == (1, None, None)


def test_a_property_on_a_scale_is_told_in_its_unit() -> None:
    known = alloys()
    values = 10 ** (percent(SPACE, known)[:, 0] / 10)
    found = averages(SPACE, evidence(known, values), FEATURES, np.random.default_rng(0), LOG)
    assert sum(rule.mean * len(rule.rows) for rule in found.of) == pytest.approx(values.sum())


def test_a_process_study_without_a_composition_has_rules() -> None:
    space = DesignSpace(None, "at_pct", (AGEING, QUENCH))
    known = alloys()
    bare = Alloys((), np.empty((N, 0)), {name: known.process[name] for name in ("ageing_C", "quench")})
    features = Features((), composition=False, process=(AGEING, QUENCH))
    found = averages(space, evidence(bare, scattered(bare.process["ageing_C"])), features, np.random.default_rng(0))
    assert {clause.thing.name for rule in found.of for clause in rule.clauses} == {"ageing_C"}


def test_a_class_is_told_by_its_counts_and_by_how_many_were_foretold() -> None:
    known = alloys()
    niobium = percent(SPACE, known)[:, 0]
    codes = (niobium < 20).astype(np.float64)
    codes[3] = 1 - codes[3]  # one alloy that breaks the rule
    found = tallies(SPACE, evidence(known, codes), ("beta", "other"), FEATURES)
    assert sorted(rule.counts.tolist() for rule in found.of) == sorted(
        np.bincount(codes[there].astype(int), minlength=2).tolist() for there in (niobium < 20, niobium >= 20)
    )
    rights = [rule.right for rule in found.of if rule.right is not None]
    assert found.right == pytest.approx(sum(rights) / N)
    assert found.right is not None
    assert found.most_frequent_right is not None
    assert found.right > 0.9 > found.most_frequent_right


def test_classes_by_lot_have_no_rule() -> None:
    codes = np.random.default_rng(0).integers(0, 2, N).astype(np.float64)
    found = tallies(SPACE, evidence(alloys(), codes), ("beta", "other"), FEATURES)
    assert [rule.clauses for rule in found.of] == [()]
    assert found.of[0].counts.tolist() == np.bincount(codes.astype(int)).tolist()
