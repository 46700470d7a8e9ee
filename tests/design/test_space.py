"""A design space gives out only what may be made, says of anything else why not, and covers itself evenly."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from alloyloop.design.composition import Basis, Composition
from alloyloop.design.descriptors import descriptor
from alloyloop.design.lattice import Element, IntArray, Lattice
from alloyloop.design.policies import Policy, policy
from alloyloop.design.rules import parse_rule
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.space import DesignSpace, rows_in
from alloyloop.surrogates.errors import AlloyloopError

from .strategies_space import BASES, as_set, every_composition, every_point, limited, spaces

seeds = st.integers(0, 2**32)
TEMPERATURE = Numeric("solution_temperature_C", 750, 1050, 50)
QUENCH = Choice("quench", ("water", "air", "furnace"))


def titanium(
    *rules: str, basis: Basis = "wt_pct", process: tuple[Numeric | Choice, ...] = (), followed: Policy | None = None
) -> DesignSpace:
    """Niobium up to 30 and zirconium up to 10 in titanium, by fives."""
    lattice = Lattice((Element("Nb", 0, 30, 5), Element("Zr", 0, 10, 5)), "Ti")
    names = (*lattice.symbols, *(variable.name for variable in process))
    return DesignSpace(lattice, basis, process, tuple(parse_rule(rule, names) for rule in rules), followed)


def one(process: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """Process values of one alloy."""
    return {
        name: np.array([value]) if isinstance(value, float) else np.array([value], dtype=object)
        for name, value in process.items()
    }


def is_allowed(space: DesignSpace, point: IntArray) -> bool:
    """Whether one point keeps rules and policy, decided alloy by alloy with `Composition` and plain arithmetic."""
    amounts = dict(zip(space.elements, space.percent(point[None])[0].tolist(), strict=True))
    alloy = Composition(amounts, space.basis)
    known: dict[str, float] = dict(amounts)
    for variable, level in zip(space.process, point[space.n_elements :].tolist(), strict=True):
        if isinstance(variable, Numeric):
            known[variable.name] = variable.low + level * variable.step
    for rule in space.rules:
        if rule.of_descriptor:
            fractions = np.array([list(alloy.at_pct.values())]) / 100
            quantity = float(descriptor(rule.terms[0][0]).function(fractions, list(alloy.at_pct))[0])
        else:
            quantity = sum(factor * known[name] for name, factor in rule.terms)
        if not rule.low - 1e-6 <= quantity <= rule.high + 1e-6:
            return False
    if space.policy is None:
        return True
    (limit,) = space.policy.rules
    assert limit.limit_wt_pct is not None
    return alloy.wt_pct.get(limit.element, 0.0) <= limit.limit_wt_pct + 1e-6


@settings(max_examples=40)
@given(spaces())
def test_exactly_the_points_that_keep_rules_and_policy_are_allowed(space: DesignSpace) -> None:
    points = every_point(space)
    assert space.count == len(points)
    chosen = points[:: max(1, len(points) // 60)]
    assert space.allows(chosen).tolist() == [is_allowed(space, point) for point in chosen]


@given(spaces(), seeds)
def test_a_sample_is_of_different_allowed_points_that_sum_to_100(space: DesignSpace, seed: int) -> None:
    points = space.sample(30, np.random.default_rng(seed))
    assert len(as_set(points)) == len(points) <= 30
    assert space.allows(points).all()
    assert as_set(points) <= as_set(every_point(space))
    for amounts in space.percent(points).tolist():
        assert sum(Decimal(str(amount)) for amount in amounts) == 100


@settings(max_examples=30)
@given(spaces(), seeds)
def test_a_sample_as_large_as_the_space_is_all_that_is_allowed(space: DesignSpace, seed: int) -> None:
    everything = every_point(space)
    allowed = everything[space.allows(everything)]
    assume(len(allowed) <= 300)
    assert as_set(space.sample(len(allowed) + 1, np.random.default_rng(seed))) == as_set(allowed)


@pytest.mark.parametrize("n", [7, 8])  # of 63 points in all: drawn until there are enough, and listed whole
def test_every_allowed_point_is_sampled_equally_often(n: int) -> None:
    space = titanium("Nb + Zr >= 10", process=(QUENCH,))
    allowed = every_point(space)[space.allows(every_point(space))]
    rng, times = np.random.default_rng(0), 500
    counts = dict.fromkeys(as_set(allowed), 0)
    for _ in range(times):
        for point in space.sample(n, rng).tolist():
            counts[tuple(point)] += 1
    expected = n * times / len(allowed)
    assert len(allowed) == 3 * (7 * 3 - 3)  # without pure titanium, 5 Nb and 5 Zr
    chi_squared = sum((count - expected) ** 2 / expected for count in counts.values())
    assert chi_squared < 85  # the 99.6 % quantile of chi-squared with 53 degrees of freedom, and no repeats lower it


@settings(max_examples=40)
@given(spaces(), seeds)
def test_why_not_is_silent_about_allowed_points_and_names_every_rule_that_another_breaks(
    space: DesignSpace, seed: int
) -> None:
    points = every_point(space)
    for point in points[np.random.default_rng(seed).integers(len(points), size=5)]:
        percent, process = space.percent(point[None]), space.process_values(point[None])
        reasons = space.why_not(percent[0], process)
        assert (reasons == []) == is_allowed(space, point)
        for rule in space.rules:
            alone = DesignSpace(space.lattice, space.basis, space.process, (rule,))
            assert any(f"'{rule.text}' is not met: it is " in each for each in reasons) != is_allowed(alone, point)


@pytest.mark.parametrize(
    ("amounts", "process", "reasons"),
    [
        ([10, 5, 85], {"solution_temperature_C": 850.0, "quench": "air"}, []),
        ([35, 5, 60], {"solution_temperature_C": 850.0, "quench": "air"}, ["Nb is 35 %, outside 0 to 30 %"]),
        ([12, 5, 83], {"solution_temperature_C": 850.0, "quench": "air"}, ["it does not lie on the step"]),
        (
            [5, 0, 95],
            {"solution_temperature_C": 850.0, "quench": "air"},
            ["'Nb + Zr >= 10' is not met: it is 5"],
        ),
        (
            [10, 5, 85],
            {"solution_temperature_C": 870.0, "quench": "oil"},
            ["solution_temperature_C is 870, not one of its levels", "quench is oil, not one of its levels"],
        ),
        (
            [10, 5, 85],
            {"solution_temperature_C": float("nan"), "quench": None},
            [
                "solution_temperature_C is not known, not one of its levels",
                "quench is not known, not one of its levels",
                "'solution_temperature_C >= 800' is not met: it is not known",
            ],
        ),
        (
            [2.5, -1, 98.5],
            {"solution_temperature_C": 750.0, "quench": "air"},
            [
                "Zr is -1 %, outside 0 to 10 %",
                "it does not lie on the step",
                "'Nb + Zr >= 10' is not met: it is 1.5",
                "'solution_temperature_C >= 800' is not met: it is 750",
            ],
        ),
    ],
)
def test_why_not_says_everything_at_once_with_numbers(
    amounts: list[float], process: dict[str, Any], reasons: list[str]
) -> None:
    space = titanium("Nb + Zr >= 10", "solution_temperature_C >= 800", process=(TEMPERATURE, QUENCH))
    assert space.why_not(np.array(amounts, dtype=np.float64), one(process)) == reasons


def test_an_alloy_between_the_steps_is_contained_but_not_proposed() -> None:
    space = titanium("Nb + Zr >= 10")
    percent = np.array([[12.3, 4.4, 83.3], [31, 0, 69], [5, 0, 95], [np.nan, 0, 95]])
    assert space.contains(percent, {}).tolist() == [True, False, False, False]
    assert space.keeps_rules(percent, {}).tolist() == [True, True, False, False]


@pytest.mark.parametrize(("basis", "most"), [("wt_pct", 15), ("at_pct", 5)])
def test_a_limit_of_the_policy_is_in_wt_pct_whatever_the_basis(basis: Basis, most: float) -> None:
    # By hand: Ti-5Nb at.% holds 92.91 x 5 / (92.91 x 5 + 47.87 x 95) = 9.3 wt.% Nb, and Ti-10Nb at.% 17.7.
    space = titanium(basis=basis, followed=limited("Nb", 15.0))
    percent = np.array([[nb, 0, 100 - nb] for nb in (0, 5, 10, 15, 20)], dtype=np.float64)
    kept = percent[space.keeps_rules(percent, {}), 0]
    assert kept.max() == most
    (reason,) = space.why_not(np.array([20.0, 0, 80]), {})
    assert reason.startswith("'Nb at most 15 wt.% (policy cautious)' is not met: it is ")


def test_an_element_that_the_policy_bars_is_refused_with_its_reason() -> None:
    lattice = Lattice((Element("V", 0, 10, 1),), "Ti")
    with pytest.raises(AlloyloopError, match=r"V is barred by the policy implant-titanium: cytotoxic.*Take V out"):
        DesignSpace(lattice, "wt_pct", policy=policy("implant-titanium"))


def test_a_rule_that_bounds_a_choice_is_refused() -> None:
    with pytest.raises(AlloyloopError, match="'quench <= 3' bounds quench, whose values are names"):
        titanium("quench <= 3", process=(QUENCH,))


@pytest.mark.parametrize("basis", BASES)
def test_fractions_are_atomic_in_either_basis(basis: Basis) -> None:
    space = titanium(basis=basis)
    for amounts, fractions in zip(space.percent(every_point(space)), space.fractions(every_point(space)), strict=True):
        alloy = Composition(dict(zip(space.elements, amounts.tolist(), strict=True)), basis)
        assert fractions * 100 == pytest.approx(alloy.vector(space.elements, "at_pct"), abs=1e-9)


@given(spaces(), seeds)
def test_neighbours_are_allowed_points_one_change_away_and_reach_back(space: DesignSpace, seed: int) -> None:
    point = space.sample(1, np.random.default_rng(seed))[0]
    around = space.neighbours(point)
    assert as_set(around) <= as_set(every_point(space)) - as_set(point[None])
    assert len(as_set(around)) == len(around)
    assert space.allows(around).all()
    moved = around != point
    elements, process = moved[:, : space.n_elements].sum(axis=1), moved[:, space.n_elements :].sum(axis=1)
    assert (((elements == 2) & (process == 0)) | ((elements == 0) & (process == 1))).all()
    for neighbour in around[:3]:
        assert tuple(point.tolist()) in as_set(space.neighbours(neighbour))


def test_neighbours_are_one_step_or_one_level_away_and_any_other_choice() -> None:
    space = titanium(process=(TEMPERATURE, QUENCH))
    point = np.array([0, 0, 20, 3, 0])  # in fives: pure titanium at 900 °C, quenched in water
    assert as_set(space.neighbours(point)) == {
        (1, 0, 19, 3, 0), (2, 0, 18, 3, 0), (4, 0, 16, 3, 0),
        (0, 1, 19, 3, 0), (0, 2, 18, 3, 0),
        (0, 0, 20, 2, 0), (0, 0, 20, 4, 0),
        (0, 0, 20, 3, 1), (0, 0, 20, 3, 2),
    }  # fmt: skip


@given(spaces(), seeds)
def test_a_point_is_snapped_to_itself(space: DesignSpace, seed: int) -> None:
    points = space.sample(10, np.random.default_rng(seed))
    snapped, near = space.snap(space.percent(points), space.process_values(points))
    assert (snapped == points).all()
    assert near.all()


def test_what_was_made_a_little_off_is_snapped_and_what_is_not_of_the_space_is_told_apart() -> None:
    space = titanium(process=(TEMPERATURE, QUENCH))
    percent = np.array([[12.3, 7.3, 80.4], [36, 0, 64], [10, 5, 60], [10, 5, 85], [10, 5, 85], [np.nan, 5, 85]])
    process = {
        "solution_temperature_C": np.array([860, 850, 850, np.nan, 850, 850]),
        "quench": np.array(["air", "air", "air", "air", "oil", "air"], dtype=object),
    }
    points, near = space.snap(percent, process)
    assert points[0].tolist() == [2, 1, 17, 2, 1]
    assert near.tolist() == [True, False, False, False, False, False]


@given(spaces(), st.integers(1, 12), seeds)
def test_a_spread_is_of_different_allowed_points_none_of_them_taken(space: DesignSpace, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    taken = space.sample(3, rng)
    for points, beside in ((space.spread(n, rng), 0), (space.spread(n, rng, taken), len(taken))):
        assert len(as_set(points)) == len(points)
        assert space.allows(points).all()
        everything = every_point(space)
        assert len(points) == min(n, int(space.allows(everything).sum()) - beside)
    assert not rows_in(points, taken).any()


def least_gap(space: DesignSpace, points: IntArray) -> float:
    """The least share of atoms exchanged between any two."""
    fractions = space.fractions(points)
    gaps = np.abs(fractions[:, None] - fractions[None]).sum(axis=2) / 2
    return float(gaps[np.triu_indices(len(points), 1)].min())


@pytest.mark.parametrize("basis", BASES)
def test_a_spread_keeps_further_apart_than_random_designs_do(basis: Basis) -> None:
    tops = {"Nb": 40, "Zr": 30, "Sn": 12, "Mo": 15, "Ta": 20}
    lattice = Lattice(tuple(Element(symbol, 0, top, 1) for symbol, top in tops.items()), "Ti", 50, 90)
    space = DesignSpace(lattice, basis)
    rng = np.random.default_rng(0)
    spread = least_gap(space, space.spread(8, rng))
    assert spread > max(least_gap(space, space.sample(8, rng)) for _ in range(100))


def test_a_spread_keeps_away_from_what_is_taken() -> None:
    space = titanium(basis="at_pct")
    corner = np.array([[0, 0, 20]])
    assert space.spread(1, np.random.default_rng(0), corner).tolist() == [[6, 2, 12]]


def test_a_spread_visits_every_choice() -> None:
    points = titanium(process=(QUENCH,)).spread(3, np.random.default_rng(0))
    assert sorted(points[:, -1]) == [0, 1, 2]


def test_what_is_left_of_a_space_is_found_however_much_is_taken() -> None:
    space = DesignSpace(Lattice((Element("Nb", 0, 30, 0.5), Element("Zr", 0, 30, 0.5)), "Ti"), "at_pct")
    everything = every_point(space)
    left = 1234
    points = space.spread(2, np.random.default_rng(0), np.delete(everything, left, axis=0))
    assert points.tolist() == [everything[left].tolist()]
    assert len(space.spread(2, np.random.default_rng(0), everything)) == 0


def test_an_empty_space_says_which_rule_leaves_how_much() -> None:
    space = titanium("Nb >= 25", "Nb + Zr <= 20")
    with pytest.raises(AlloyloopError, match="None of 21 designs looked at keeps every rule; alone, ") as error:
        space.sample(5, np.random.default_rng(0))
    shares = {"Nb >= 25": 2 * 3 / 21, "Nb [+] Zr <= 20": (5 + 4 + 3) / 21}
    for text, share in shares.items():
        (told,) = [part for part in str(error.value).split(", ") if text.replace("[+]", "+") in part]
        percentage = float(told.partition("holds for ")[2].partition("%")[0])
        assert percentage == pytest.approx(100 * share, abs=1.5)


@given(st.integers(-500, 1500), st.integers(0, 40), st.sampled_from([0.1, 0.3, 12.5, 50]))
def test_levels_and_values_of_a_number_are_one_to_one(low: int, n: int, step: float) -> None:
    variable = Numeric("temperature_C", low, float(Decimal(low) + n * Decimal(str(step))), step)
    levels = np.arange(variable.n_levels)
    assert variable.n_levels == n + 1
    assert variable.levels(variable.values(levels)).tolist() == levels.tolist()
    assert variable.takes(variable.values(levels)).all()
    assert [str(value) for value in variable.values(levels).tolist()] == [
        str(float(Decimal(low) + level * Decimal(str(step)))) for level in levels.tolist()
    ]


def test_a_number_off_its_levels_is_near_one_or_none() -> None:
    values = np.array([724, 726, 874, 1074, 1076, np.nan, np.inf])
    assert TEMPERATURE.levels(values).tolist() == [-1, 0, 2, 6, -1, -1, -1]
    assert not TEMPERATURE.takes(values).any()


def test_a_choice_is_one_of_its_names_or_unknown() -> None:
    values = np.array(["air", None, "oil", "furnace"], dtype=object)
    assert QUENCH.levels(values).tolist() == [1, -1, -1, 2]
    assert QUENCH.takes(values).tolist() == [True, False, False, True]
    assert QUENCH.values(np.array([2, 0])).tolist() == ["furnace", "water"]
    assert QUENCH.unknown(2).tolist() == [None, None]
    assert np.isnan(TEMPERATURE.unknown(2)).all()


def test_impossible_process_variables_are_refused() -> None:
    with pytest.raises(AlloyloopError, match="runs from 900 to 800"):
        Numeric("temperature_C", 900, 800, 50)
    with pytest.raises(AlloyloopError, match="The step of temperature_C is 0"):
        Numeric("temperature_C", 800, 900, 0)
    for choices in ((), ("air", "air")):
        with pytest.raises(AlloyloopError, match="quench needs different choices"):
            Choice("quench", choices)


def test_a_space_is_counted_with_its_process() -> None:
    space = titanium(process=(TEMPERATURE, QUENCH))
    assert space.count == len(list(every_composition(space.lattice))) * 7 * 3


def test_rows_are_found_among_others_by_value() -> None:
    points = np.array([[1, 2], [3, 4], [5, 6]])
    others = np.array([[9, 5, 6], [9, 1, 2]])[:, 1:]  # not contiguous
    assert rows_in(points, others).tolist() == [True, False, True]
    assert rows_in(points, np.empty((0, 2), dtype=np.int64)).tolist() == [False] * 3
