"""A design space gives out only what may be made, says of anything else why not, and covers itself evenly."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom, chi2

from alloyloop.design.composition import Basis, Composition
from alloyloop.design.lattice import CountLimit, Element, Lattice
from alloyloop.design.policies import Policy, policy
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.rules import Computed, Rule, Sum, parse_rule
from alloyloop.design.space import Count, DesignSpace, rows_in, spaced
from alloyloop.surrogates.errors import AlloyloopError

from .strategies_space import BASES, Point, allowed, as_set, every_point, is_allowed, limited, spaces

seeds = st.integers(0, 2**32)
TEMPERATURE = Numeric("solution_temperature_C", 750, 1050, 50)
QUENCH = Choice("quench", ("water", "air", "furnace"))


def titanium(
    *rules: str, basis: Basis = "wt_pct", process: tuple[Numeric | Choice, ...] = (), followed: Policy | None = None
) -> DesignSpace:
    """Niobium up to 30 and zirconium up to 10 in titanium, by fives."""
    lattice = Lattice((Element("Nb", 0, 30, 5), Element("Zr", 0, 10, 5)), "Ti")
    return under(DesignSpace(lattice, basis, process, policy=followed), *rules)


def under(space: DesignSpace, *rules: str) -> DesignSpace:
    """The same space with rules."""
    return replace(space, rules=tuple(parse_rule(rule, space.names) for rule in rules))


def one(process: dict[str, Any]) -> dict[str, NDArray[Any]]:
    """Process values of one alloy."""
    return {
        name: np.array([value]) if isinstance(value, float) else np.array([value], dtype=object)
        for name, value in process.items()
    }


# -- which points there are -------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(spaces())
def test_exactly_the_points_that_keep_rules_and_policy_are_allowed(space: DesignSpace) -> None:
    points = every_point(space)
    expected = allowed(space)
    assert as_set(points[space.allows(points)]) == expected
    listed = space.between(0, space.count)
    assert as_set(listed[space.allows(listed)]) == expected


@settings(max_examples=60)
@given(spaces())
def test_all_that_whole_numbers_can_say_is_counted_and_the_rest_is_asked(space: DesignSpace) -> None:
    def in_other_units(rule: Rule) -> bool:
        return any(
            isinstance(test, Computed) or (isinstance(test, Sum) and test.basis not in (None, space.basis))
            for test in (rule.wanted, *rule.given)
        )

    everything = (*space.rules, *space.policy_limits)
    assert space.asked == tuple(rule for rule in everything if in_other_units(rule))
    counted = replace(
        space,
        rules=tuple(rule for rule in space.rules if not in_other_units(rule)),
        policy=space.policy if space.basis == "wt_pct" else None,
    )
    assert space.count == len(allowed(counted))
    assert as_set(space.between(0, space.count)) == allowed(counted)


@settings(max_examples=40)
@given(spaces(), seeds)
def test_points_and_their_numbers_are_one_to_one(space: DesignSpace, seed: int) -> None:
    points = space.at(range(space.count))
    assert space.index(points) == list(range(space.count))
    start, stop = sorted(np.random.default_rng(seed).integers(0, space.count + 1, size=2).tolist())
    assert (space.between(start, stop) == points[start:stop]).all()
    beside = points.copy()
    beside[:, 0] += 1
    if space.n_elements > 1:
        assert space.index(beside) == [-1] * len(beside)  # they sum to more than 100


@settings(max_examples=40)
@given(spaces(), st.sampled_from([30, 100, 300]))
def test_rules_that_do_not_fit_are_asked_and_allow_the_same(space: DesignSpace, most: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(import_module("alloyloop.design.diagram"), "MOST_STEPS", most)
        narrow = replace(space)
        try:
            listed = narrow.between(0, narrow.count)
        except AlloyloopError:  # the lattice alone is too large
            assume(False)
        assert set(space.asked) <= set(narrow.asked)
        assert as_set(listed[narrow.allows(listed)]) == allowed(space)


def test_of_rules_that_do_not_fit_together_those_of_few_values_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    lattice = Lattice(tuple(Element(symbol, 0, 20, 1) for symbol in ("Nb", "Zr", "Sn", "Mo")), "Ti")
    space = under(
        DesignSpace(lattice, "at_pct"), "1.37 Nb + 0.91 Zr + 0.53 Sn >= 9.1", "Nb + Zr >= 5", "Mo <= 7 if Sn > 4"
    )
    assert space.asked == ()
    monkeypatch.setattr(import_module("alloyloop.design.diagram"), "MOST_STEPS", 4_000)
    narrow = replace(space)
    assert narrow.asked == space.rules[:1]
    assert narrow.count > space.count == narrow.counted().number
    assert (
        narrow.counted().how
        == f"counted exactly, each of {spaced(narrow.count)} asked for 1 rule that can only be asked"
    )


def test_fine_levels_tied_to_an_element_do_not_make_a_space_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    lattice = Lattice((Element("Nb", 0, 50, 0.5), Element("Zr", 0, 1, 0.5)), "Ti")
    process = (Numeric("temperature_C", 700, 900), Numeric("hold_h", 0.5, 4))
    space = under(DesignSpace(lattice, "at_pct", process), "temperature_C + 10 Nb >= 850")
    monkeypatch.setattr(import_module("alloyloop.design.diagram"), "MOST_STEPS", 5000)
    n_holds = process[1].n_levels
    assert space.asked == space.rules
    assert space.count == 101 * 3 * 201 * n_holds
    points = space.between(10**6, 10**6 + 1000)
    hot = space.process_values(points)["temperature_C"] + 10 * space.percent(points)[:, 0] >= 850
    assert (space.allows(points) == hot).all()


@pytest.mark.parametrize("basis", BASES)
def test_a_space_too_large_to_be_counted_is_refused_in_words(basis: Basis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("alloyloop.design.diagram"), "MOST_STEPS", 5)
    with pytest.raises(AlloyloopError, match="The steps are too fine for such wide bounds: 20 units of 5 %"):
        assert titanium(basis=basis).count


def test_a_pure_process_space_is_counted_and_ruled() -> None:
    space = under(DesignSpace(None, "at_pct", (TEMPERATURE, QUENCH)), "solution_temperature_C > 900 if quench is air")
    assert (space.elements, space.count) == ((), 7 + 3 + 7)
    assert space.percent(space.at([0])).shape == (1, 0)
    assert space.why_not(np.empty(0), one({"solution_temperature_C": 800.0, "quench": "air"})) == [
        "'solution_temperature_C > 900 if quench is air' is not met: it is 800"
    ]


def test_a_descriptor_of_no_elements_is_refused() -> None:
    space = DesignSpace(None, "at_pct", (TEMPERATURE, QUENCH))
    for rule in ("vec <= 4.2", "solution_temperature_C > 900 if vec <= 4.2"):
        with pytest.raises(AlloyloopError, match="bounds a descriptor, and this space has no elements to compute it"):
            under(space, rule)


def test_a_space_without_anything_to_choose_is_refused() -> None:
    with pytest.raises(AlloyloopError, match="There is nothing to choose"):
        DesignSpace(None, "at_pct")


# -- samples ----------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(spaces(), seeds)
def test_a_sample_is_of_different_allowed_points_that_sum_to_100(space: DesignSpace, seed: int) -> None:
    points = space.sample(30, np.random.default_rng(seed))
    assert len(as_set(points)) == len(points) <= 30
    assert as_set(points) <= allowed(space)
    for amounts in space.percent(points).tolist():
        assert not amounts or sum(Decimal(str(amount)) for amount in amounts) == 100


@settings(max_examples=40)
@given(spaces(), seeds)
def test_a_sample_as_large_as_the_space_is_all_that_is_allowed(space: DesignSpace, seed: int) -> None:
    expected = allowed(space)
    assert as_set(space.sample(len(expected) + 1, np.random.default_rng(seed))) == expected


def test_no_sample_is_asked_for_and_none_comes_back() -> None:
    assert titanium().sample(0, np.random.default_rng(0)).shape == (0, 3)


# Drawn until there are enough, and listed whole; with a rule that is counted, and one that is asked.
@pytest.mark.parametrize("rule", ["Nb + Zr >= 10", "Nb + Zr >= 7.1 at.%"])
@pytest.mark.parametrize("n", [5, 8])
def test_every_allowed_point_is_sampled_equally_often(n: int, rule: str) -> None:
    space = titanium(rule, process=(QUENCH,))
    points = every_point(titanium(process=(QUENCH,)))
    points = points[space.allows(points)]
    rng, times = np.random.default_rng(0), 500
    counts = dict.fromkeys(as_set(points), 0)
    for _ in range(times):
        for point in space.sample(n, rng).tolist():
            counts[tuple(point)] += 1
    expected = n * times / len(points)
    chi_squared = sum((count - expected) ** 2 / expected for count in counts.values())
    # One fair sampler in two hundred exceeds this with repeats, and fewer without. The draws are the same at every run.
    assert chi_squared < chi2.isf(0.005, len(points) - 1)


def test_an_empty_space_says_which_rule_that_is_asked_leaves_how_much() -> None:
    space = titanium("Nb >= 19.7 at.%", "Zr <= 10", "Nb + Zr <= 10.1 at.%", basis="wt_pct")
    with pytest.raises(AlloyloopError, match="None of the designs looked at keeps every rule; alone, ") as error:
        space.sample(5, np.random.default_rng(0))
    # Of 7 x 3 alloys none has 30 wt.% Nb or less and 19.7 at.% of it; by hand: 92.906 x 19.7 is 32.3 % of the mass.
    assert "'Nb >= 19.7 at.%' holds for 0.0%" in str(error.value)
    assert "of 21" in str(error.value)
    assert "Zr <= 10'" not in str(error.value)  # it is counted with, and leaves what was looked at
    with pytest.raises(AlloyloopError, match="No design keeps every bound and rule"):
        titanium("Nb >= 25", "Nb + Zr <= 20").sample(5, np.random.default_rng(0))


# -- counts -----------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(spaces())
def test_a_space_that_can_be_looked_at_whole_is_counted_exactly(space: DesignSpace) -> None:
    counted = space.counted()
    assert counted.number == counted.low == counted.high == len(allowed(space))
    assert counted.exact
    assert counted.how.startswith("counted exactly")
    assert ("asked for" in counted.how) == bool(space.asked)


def by_asking(top: int, bound: str) -> DesignSpace:
    """Niobium up to so much, and zirconium, under a rule that is asked."""
    lattice = Lattice((Element("Nb", 0, top, 0.5), Element("Zr", 0, 20, 0.5)), "Ti")
    return under(DesignSpace(lattice, "at_pct"), bound)


@pytest.mark.parametrize(
    "bound",
    ["vec <= 4.0512", "vec <= 4.153", "vec <= 4.29", "Nb + 0.7 Zr >= 27.71 wt.%", "Zr >= 1.37 wt.%", "Nb <= 30.3 wt.%"],
)
def test_nineteen_intervals_of_twenty_hold_the_true_count(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng
    monkeypatch.setattr(import_module("alloyloop.design.space"), "MOST_ASKED", 400)
    held = []
    for seed, top in enumerate(range(16, 56)):
        space = by_asking(top, bound)
        truth = int(space.allows(space.between(0, space.count)).sum())
        monkeypatch.setattr(np.random, "default_rng", lambda _, seed=seed: draw(seed))  # or all draws would be alike
        count = space.counted()
        assert not count.exact
        held.append(count.low <= truth <= count.high)
    # Were each held with 95 %, fewer would be held once in a thousand times. The draws are the same at every run.
    assert sum(held) >= binom.isf(0.999, len(held), 0.95)


def reference(bound: str, step: float = 1) -> DesignSpace:
    """The reference space of the issue, under a rule that is asked."""
    tops = {"Nb": 40, "Zr": 30, "Sn": 12, "Mo": 15, "Ta": 20}
    lattice = Lattice(tuple(Element(symbol, 0, top, step) for symbol, top in tops.items()), "Ti", 50, 90)
    return under(DesignSpace(lattice, "at_pct"), bound)


def test_a_large_space_is_estimated_and_says_so_the_same_way_each_time() -> None:
    counted = reference("vec <= 4.25").counted()
    # Niobium and tantalum have a fifth electron, molybdenum a sixth: the same rule, in whole numbers.
    truth = reference("Nb + Ta + 2 Mo <= 25").count
    assert counted.low <= truth <= counted.high
    assert counted.high - counted.low < 0.03 * truth
    assert counted.how.startswith("estimated: of 1 822 786 points, 50 000 were drawn and asked for 1 rule")
    assert reference("vec <= 4.25").counted() == counted


def test_an_estimate_of_nothing_or_everything_is_no_certainty() -> None:
    none, everything = reference("vec <= 3", step=0.1).counted(), reference("vec <= 9").counted()
    assert (none.number, none.low) == (0, 0)
    assert none.high > 0
    assert everything.number == everything.high == 1_822_786 > everything.low
    assert not none.exact
    assert not everything.exact


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (Count(1822786, 1822786, 1822786, "counted exactly"), "1 822 786 designs (counted exactly)"),
        (Count(607316, 599802, 614865, "estimated"), "about 607 000 designs (599 000 to 615 000; estimated)"),
        (Count(0, 0, 91, "estimated"), "about 0 designs (0 to 91; estimated)"),
        (Count(0, 0, 13_002, "estimated"), "about 0 designs (0 to 13 100; estimated)"),
    ],
)
def test_a_count_is_read_with_no_more_digits_than_are_known(count: Count, text: str) -> None:
    assert str(count) == text


# -- why not ----------------------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(spaces(), seeds)
def test_why_not_is_silent_about_allowed_points_alone_and_names_every_rule_that_is_broken(
    space: DesignSpace, seed: int
) -> None:
    lattice = space.lattice
    free = replace(space, lattice=replace(lattice, present_above=0.0, limits=())) if lattice is not None else space
    points, expected = every_point(free), allowed(space)
    for point in points[np.random.default_rng(seed).integers(len(points), size=12)]:
        percent, process = space.percent(point[None])[0], space.process_values(point[None])
        reasons = space.why_not(percent, process)
        assert (reasons == []) == (tuple(point.tolist()) in expected)
        for rule in space.rules:
            assert any(f"'{rule.text}' is not met: it is " in each for each in reasons) != is_allowed(
                replace(space, rules=(rule,), policy=None), point
            )


@pytest.mark.parametrize(
    ("amounts", "reasons"),
    [
        ([20, 0, 80], []),
        ([20, 10, 70], ["'max_elements: at most 2 of Nb, Zr, Ti are present' is not met: it is 3"]),
        (
            [2.5, 5, 92.5],
            [
                "'what is present is at least 7 %' is not met: it is Nb 2.5, Zr 5",
                "'max_elements: at most 2 of Nb, Zr, Ti are present' is not met: it is 3",
            ],
        ),
        ([95, 0, 5], ["'what is present is at least 7 %' is not met: it is Ti 5"]),
        # Half a step is scatter, or a trace: the alloy lies off the step and breaks no rule.
        ([7, 0, 93], ["it does not lie on the step"]),
        ([20, 2, 78], ["it does not lie on the step"]),
    ],
)
def test_why_not_tells_which_elements_are_too_many_or_too_little(amounts: list[float], reasons: list[str]) -> None:
    most = CountLimit("max_elements", ("Nb", "Zr", "Ti"), 0, 2)
    lattice = Lattice((Element("Nb", 0, 100, 2.5), Element("Zr", 0, 10, 5)), "Ti", 0, 100, 7.0, (most,))
    assert DesignSpace(lattice, "at_pct").why_not(np.array(amounts, dtype=np.float64), {}) == reasons


def test_a_balance_finer_than_every_step_counts_as_present() -> None:
    one_only = CountLimit("max_elements", ("Zn", "Mg"), 0, 1)
    space = DesignSpace(Lattice((Element("Zn", 0, 100, 0.3),), "Mg", limits=(one_only,)), "wt_pct")
    assert space.count == 1  # pure magnesium; 99.9 Zn leaves it 0.1 %
    assert space.why_not(np.array([99.9, 0.1]), {}) == [
        "'max_elements: at most 1 of Zn, Mg are present' is not met: it is 2"
    ]


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


@pytest.mark.parametrize(
    ("amounts", "temperature", "reasons"),
    [
        ([12.3, 4.4, 83.3], 861.0, []),
        ([31, 0, 69], 861.0, ["Nb is 31 %, outside 0 to 30 %"]),
        ([5.2, 0.4, 94.4], 1060.0, [
            "solution_temperature_C is 1060, not one of its levels", "'Nb + Zr >= 10' is not met: it is 5.6",
        ]),
        ([12.3, 4.4, 83.3], float("nan"), ["solution_temperature_C is not known, not one of its levels"]),
    ],
)  # fmt: skip
def test_what_was_made_is_not_blamed_for_lying_between_the_steps(
    amounts: list[float], temperature: float, reasons: list[str]
) -> None:
    space = titanium("Nb + Zr >= 10", process=(TEMPERATURE,))
    process = one({"solution_temperature_C": temperature})
    assert space.why_not(np.array(amounts, dtype=np.float64), process, made=True) == reasons


def test_points_are_told_as_compositions_of_what_is_present() -> None:
    (alloy,) = titanium().compositions(np.array([[4, 0, 16]]))
    assert alloy is not None
    assert (alloy.elements, alloy.basis, alloy.wt_pct) == (("Ti", "Nb"), "wt_pct", {"Ti": 80, "Nb": 20})
    assert DesignSpace(None, "at_pct", (QUENCH,)).compositions(np.array([[0], [1]])) == [None, None]


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


@pytest.mark.parametrize("basis", BASES)
def test_fractions_are_atomic_in_either_basis(basis: Basis) -> None:
    space = titanium(basis=basis)
    for amounts, fractions in zip(space.percent(every_point(space)), space.fractions(every_point(space)), strict=True):
        alloy = Composition(dict(zip(space.elements, amounts.tolist(), strict=True)), basis)
        assert fractions * 100 == pytest.approx(alloy.vector(space.elements, "at_pct"), abs=1e-9)


@settings(max_examples=60)
@given(spaces(), seeds)
def test_neighbours_are_other_allowed_points_one_exchange_or_one_level_away(space: DesignSpace, seed: int) -> None:
    point = space.sample(1, np.random.default_rng(seed))[0]
    around = space.neighbours(point)
    assert as_set(around) <= allowed(space) - as_set(point[None])
    assert len(as_set(around)) == len(around)
    moved = around != point
    elements, process = moved[:, : space.n_elements].sum(axis=1), moved[:, space.n_elements :].sum(axis=1)
    if space.candidates is None:  # the balance takes what two elements' steps do not share
        assert (((elements >= 2) & (elements <= 3) & (process == 0)) | ((elements == 0) & (process == 1))).all()


def reached(links: dict[Point, set[Point]]) -> set[Point]:
    """Where links lead from the first point, however many of them."""
    found = to_visit = {next(iter(links))}
    while to_visit:
        to_visit = set().union(*(links[point] for point in to_visit)) - found
        found = found | to_visit
    return found


# So little tin as there may be makes no step of another element.
FINE_TIN = DesignSpace(
    Lattice(
        (Element("Nb", 0, 30, 5), Element("Zr", 0, 30, 5), Element("Sn", 0, 2, 0.3)),
        "Ti",
        30,
        limits=(CountLimit("elements", ("Nb", "Zr", "Sn", "Ti"), 3, 3),),
    ),
    "at_pct",
)


@settings(max_examples=60)
@example(FINE_TIN)
@given(spaces())
def test_any_point_is_reached_from_any_other_by_neighbours_whatever_the_limits_on_elements(space: DesignSpace) -> None:
    space = replace(space, rules=(), policy=None)
    points = allowed(space)
    assume(len(points) <= 150)
    ahead = {point: as_set(space.neighbours(np.array(point))) for point in points}
    back = {point: {other for other in points if point in ahead[other]} for point in points}
    assert reached(ahead) == reached(back) == points


@pytest.mark.parametrize("present_above", [0.0, 5.0])
def test_an_element_that_must_come_in_with_much_or_go_out_whole_is_no_trap(present_above: float) -> None:
    groups = (CountLimit("one of", ("Nb", "Zr"), 1, 1),)
    lattice = Lattice((Element("Nb", 0, 30, 2.5), Element("Zr", 0, 30, 5)), "Ti", 0, 100, present_above, groups)
    space = DesignSpace(lattice, "at_pct")
    niobium, zirconium = np.array([12, 0, 28]), np.array([0, 6, 34])
    assert any(units[1] > 0 for units in as_set(space.neighbours(niobium)))
    assert any(units[0] > 0 for units in as_set(space.neighbours(zirconium)))


def test_an_element_comes_in_with_the_least_that_it_may_have_however_many_steps_that_are() -> None:
    lattice = Lattice((Element("Nb", 0, 40, 1), Element("Zr", 0, 40, 1)), "Ti", present_above=20)
    around = as_set(DesignSpace(lattice, "at_pct").neighbours(np.array([25, 0, 75])))
    assert {(25, 20, 55), (0, 25, 75), (0, 0, 100)} <= around


def test_neighbours_are_one_step_or_one_level_away_and_any_other_choice() -> None:
    space = titanium(process=(TEMPERATURE, QUENCH))
    point = np.array([0, 0, 20, 3, 0])  # in fives: pure titanium at 900 °C, quenched in water
    assert as_set(space.neighbours(point)) == {
        (1, 0, 19, 3, 0), (2, 0, 18, 3, 0), (4, 0, 16, 3, 0),
        (0, 1, 19, 3, 0), (0, 2, 18, 3, 0),
        (0, 0, 20, 2, 0), (0, 0, 20, 4, 0),
        (0, 0, 20, 3, 1), (0, 0, 20, 3, 2),
    }  # fmt: skip


@settings(max_examples=40)
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


def test_a_space_is_counted_with_its_process() -> None:
    assert titanium(process=(TEMPERATURE, QUENCH)).count == titanium().count * 7 * 3 == 7 * 3 * 7 * 3


def test_rows_are_found_among_others_by_value() -> None:
    points = np.array([[1, 2], [3, 4], [5, 6]])
    others = np.array([[9, 5, 6], [9, 1, 2]])[:, 1:]  # not contiguous
    assert rows_in(points, others).tolist() == [True, False, True]
    assert rows_in(points, np.empty((0, 2), dtype=np.int64)).tolist() == [False] * 3
