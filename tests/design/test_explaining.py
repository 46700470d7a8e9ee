"""Explanations in alloys: amounts keep their sum, held-out rows judge, and shares are those of a known formula."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design import explaining
from alloyloop.design.beliefs import Belief, Evidence
from alloyloop.design.explaining import (
    HeldOut,
    Thing,
    contributions,
    effects,
    held_out,
    importances,
    mean_alloy,
    neighbours,
    outliers,
    percent,
    relevances,
    things,
    with_shuffled,
)
from alloyloop.design.features import Alloys, Features
from alloyloop.design.lattice import Element, Lattice
from alloyloop.design.process import Choice, Condition, Numeric
from alloyloop.design.space import DesignSpace
from alloyloop.surrogates.base import FloatArray, Prediction

ELEMENTS = ("Nb", "Zr", "Ti")
AGEING, QUENCH = Numeric("ageing_C", 300, 600, 100), Choice("quench", ("water", "air"))
OXYGEN = Condition("oxygen_wt_pct", 0.1)
LATTICE = Lattice((Element("Nb", 0, 40, 1), Element("Zr", 0, 20, 1)), "Ti", 50, 100)
SPACE = DesignSpace(LATTICE, "at_pct", (AGEING, QUENCH), conditions=(OXYGEN,))
FEATURES = Features(ELEMENTS, process=(AGEING, QUENCH, OXYGEN))
NB, ZR, TI = (Thing(element, "element") for element in ELEMENTS)


def alloys(n: int, seed: int = 0) -> Alloys:
    rng = np.random.default_rng(seed)
    niobium, zirconium = rng.uniform(0.05, 0.3, n), rng.uniform(0.05, 0.15, n)
    process = {
        "ageing_C": rng.choice([300.0, 400.0, 500.0], n),
        "quench": np.array(rng.choice(["water", "air"], n), dtype=object),
        "oxygen_wt_pct": rng.uniform(0.05, 0.2, n),
    }
    return Alloys(ELEMENTS, np.column_stack([niobium, zirconium, 1 - niobium - zirconium]), process)


NOTHING = object()  # a surrogate that says nothing of itself


@dataclass(frozen=True)
class Formula:
    """A belief that is a formula: it learns nothing, and is the same whatever it is learned from."""

    evidence: Evidence
    formula: Any
    features: Features = FEATURES
    surrogate: object = NOTHING

    def about(self, asked: Alloys) -> Prediction:
        n = len(asked)
        return Prediction(np.asarray(self.formula(asked), dtype=np.float64), np.full(n, 3.0), np.full(n, 4.0))


def formula_belief(
    known: Alloys, formula: Any, values: FloatArray | None = None, surrogate: object = NOTHING
) -> Belief:
    measured = np.asarray(formula(known), dtype=np.float64) if values is None else values
    nothing = np.full(len(known), np.nan)
    told = Evidence("hardness_HV", known, measured, nothing, np.array([""] * len(known)))
    return cast(Belief, Formula(told, formula, surrogate=surrogate))


def of_formula(known: Alloys, formula: Any) -> HeldOut:
    held = held_out(formula_belief(known, formula).evidence, lambda part: formula_belief(part.alloys, formula))
    assert held is not None
    return held


# -- what matters -----------------------------------------------------------------------------------------------------


@given(st.integers(2, 8), st.integers(0, 100), st.sampled_from([NB, ZR, TI]))
def test_an_element_comes_from_another_alloy_and_the_others_keep_their_proportions(
    n: int, seed: int, thing: Thing
) -> None:
    known, order = alloys(n, seed), np.random.default_rng(seed).permutation(n)
    column = ELEMENTS.index(thing.name)
    others = [i for i in range(3) if i != column]
    made = with_shuffled(known, thing, order).fractions
    np.testing.assert_allclose(made.sum(axis=1), 1)
    np.testing.assert_allclose(made[:, column], known.fractions[order, column])
    np.testing.assert_allclose(
        made[:, others[0]] / made[:, others[1]], known.fractions[:, others[0]] / known.fractions[:, others[1]]
    )


def test_a_pure_element_has_no_others_to_make_room_and_stays() -> None:
    known = Alloys(("Nb", "Ti"), np.array([[0.0, 1.0], [0.3, 0.7]]), {})
    made = with_shuffled(known, Thing("Ti", "element"), np.array([1, 0])).fractions
    assert made.tolist() == [[0, 1], [0, 1]]


def test_a_process_value_is_shuffled_alone() -> None:
    known = alloys(5)
    made = with_shuffled(known, Thing("quench", "process"), np.array([4, 3, 2, 1, 0]))
    assert made.process["quench"].tolist() == known.process["quench"][::-1].tolist()
    assert made.process["ageing_C"] is known.process["ageing_C"]
    assert made.fractions is known.fractions


def test_what_a_model_does_not_use_is_not_needed_and_what_it_uses_is() -> None:
    """Nb / (Nb + Ti) does not know zirconium: with the others in proportion, no amount of it changes anything."""
    held = of_formula(alloys(30), lambda asked: 100 * asked.fractions[:, 0] / (asked.fractions[:, [0, 2]].sum(axis=1)))
    rise = {one.thing.name: one.rise.mean for one in importances(SPACE, held, np.random.default_rng(0))}
    assert rise.pop("Nb") > 1
    assert rise.pop("Ti") > 0.5
    assert list(rise.values()) == pytest.approx([0] * 4, abs=1e-9)


def test_the_rise_of_a_number_is_known_beforehand() -> None:
    """Mixing up x where y = x makes errors x_i - x_j: their mean square is twice the variance of x."""
    known = alloys(200)
    held = of_formula(known, lambda asked: asked.process["ageing_C"])
    rise = {one.thing.name: one.rise for one in importances(SPACE, held, np.random.default_rng(0))}["ageing_C"]
    assert rise.mean == pytest.approx(2**0.5 * known.process["ageing_C"].std(), rel=0.02)
    assert 0 < rise.std < 0.1 * rise.mean


def test_bounds_are_no_values_to_be_judged_by() -> None:
    known, seen = alloys(10), lambda asked: asked.process["ageing_C"]
    told = formula_belief(known, seen).evidence
    wrong = Evidence(
        told.property, known, np.where(np.arange(10) == 3, 1e6, told.values), told.noise, told.sources,
        censored=np.where(np.arange(10) == 3, 1, 0),
    )  # fmt: skip
    held = held_out(wrong, lambda part: formula_belief(part.alloys, seen))
    assert held is not None
    assert importances(SPACE, held, np.random.default_rng(0))[0].rise.mean < 1000


def test_every_row_is_judged_by_a_model_that_did_not_see_it_nor_its_source() -> None:
    known = alloys(30)
    seen: list[set[str]] = []
    values = np.arange(30.0)
    sources = np.array([f"paper {i % 6}" for i in range(30)])

    def learner(part: Evidence) -> Belief:
        assert len(part) < 30
        seen.append(set(part.sources.tolist()))
        number = len(seen)
        return formula_belief(part.alloys, lambda asked: np.full(len(asked), number))

    held = held_out(Evidence("hardness_HV", known, values, np.full(30, np.nan), sources), learner)
    assert held is not None
    assert held.left_out == "whole sources"
    for row, model in enumerate(held.means(known).astype(int)):
        assert sources[row] not in seen[model - 1], row


def test_too_few_rows_are_not_parted() -> None:
    few = Evidence("hardness_HV", alloys(4), np.zeros(4), np.full(4, np.nan), np.array([""] * 4))
    assert held_out(few, lambda part: pytest.fail("nothing is to be learned")) is None


def test_what_never_differs_is_not_asked_about() -> None:
    known = alloys(6)
    same = Alloys(ELEMENTS, known.fractions, {**known.process, "quench": np.array(["air"] * 6, dtype=object)})
    assert [thing.name for thing in things(SPACE, same, FEATURES)] == ["Nb", "Zr", "Ti", "ageing_C", "oxygen_wt_pct"]
    assert [thing.kind for thing in things(SPACE, same, FEATURES, balance=False)][-2:] == ["process", "condition"]


@dataclass(frozen=True)
class Attentive:
    relevances_: FloatArray


def test_the_columns_of_one_variable_are_one_feature() -> None:
    # Nb, Zr, Ti; ageing and whether it is known; water, air; oxygen and whether it is known
    n = len(FEATURES.names)
    shares = np.arange(1.0, n + 1) / np.arange(1.0, n + 1).sum()
    told = relevances(formula_belief(alloys(3), lambda asked: np.zeros(len(asked)), surrogate=Attentive(shares)))
    assert told is not None
    assert set(told) == {"Nb", "Zr", "Ti", "ageing_C", "quench", "oxygen_wt_pct"}
    assert sum(told.values()) == pytest.approx(1)
    columns = [i for i, name in enumerate(FEATURES.names) if name.startswith("quench")]
    assert told["quench"] == pytest.approx(shares[columns].sum())
    assert list(told.values()) == sorted(told.values(), reverse=True)


def test_a_model_that_does_not_say_what_it_attends_to_is_not_asked() -> None:
    assert relevances(formula_belief(alloys(3), lambda asked: np.zeros(len(asked)))) is None


# -- what each thing does ---------------------------------------------------------------------------------------------


def test_an_element_is_varied_over_its_bounds_and_the_balance_pays() -> None:
    known = alloys(40)
    belief = formula_belief(known, lambda asked: 1000 * asked.fractions[:, 0] - 100 * asked.fractions[:, 2])
    base = Alloys(ELEMENTS, np.array([[0.1, 0.1, 0.8]]), known.rows(np.array([0])).process)
    found = {effect.thing.name: effect for effect in effects(SPACE, belief, base)}
    niobium = found["Nb"]
    assert (niobium.values[0], niobium.values[-1]) == pytest.approx((0, 40))
    np.testing.assert_allclose(niobium.prediction.mean, 10 * niobium.values - (90 - niobium.values))
    assert set(found) == {"Nb", "Zr", "ageing_C", "quench", "oxygen_wt_pct"}


def test_a_curve_ends_where_the_balance_reaches_its_least() -> None:
    known = alloys(40)
    base = Alloys(ELEMENTS, np.array([[0.1, 0.2, 0.7]]), known.rows(np.array([0])).process)
    found = effects(SPACE, formula_belief(known, lambda asked: np.zeros(len(asked))), base)
    assert found[0].values[-1] == pytest.approx(30)  # Ti at its least of 50, Zr at 20


def test_a_curve_leaves_the_data_beyond_what_any_row_has() -> None:
    known = alloys(40)
    belief = formula_belief(known, lambda asked: np.zeros(len(asked)))
    base = mean_alloy(SPACE, known)
    for effect in effects(SPACE, belief, base):
        if effect.thing.kind == "element":
            had = percent(SPACE, known)[:, ELEMENTS.index(effect.thing.name)]
            assert not effect.inside[(effect.values < had.min() - 0.1) | (effect.values > had.max() + 0.1)].any()
            assert effect.inside[len(effect.values) // 2]
        if effect.thing.name == "ageing_C":
            assert effect.values.tolist() == [300, 400, 500, 600]
            assert effect.inside.tolist() == [True, True, True, False]


def test_the_mean_alloy_is_in_the_middle_under_the_conditions_asked_for() -> None:
    process = {
        "ageing_C": np.array([300.0, 500.0, np.nan]),
        "quench": np.array(["air", None, "air"], dtype=object),
        "oxygen_wt_pct": np.array([0.3, 0.3, 0.3]),
    }
    known = Alloys(ELEMENTS, np.array([[0.1, 0.1, 0.8], [0.2, 0.0, 0.8], [0.3, 0.2, 0.5]]), process)
    middle = mean_alloy(SPACE, known)
    np.testing.assert_allclose(middle.fractions, [[0.2, 0.1, 0.7]])
    assert {name: values[0] for name, values in middle.process.items()} == {
        "ageing_C": 400,
        "quench": "air",
        "oxygen_wt_pct": 0.1,
    }


# -- one alloy --------------------------------------------------------------------------------------------------------


def test_what_is_linear_in_amounts_and_process_is_shared_as_its_terms() -> None:
    known, asked = alloys(20), alloys(1, seed=9)

    def formula(of: Alloys) -> FloatArray:
        air = np.array([10.0 if quench == "air" else 0.0 for quench in of.process["quench"]])
        return np.asarray(200 * of.fractions[:, 0] - 50 * of.fractions[:, 1] + of.process["ageing_C"] / 10 + air)

    told = contributions(SPACE, formula_belief(known, formula), asked, np.random.default_rng(0))
    shares = dict(zip([thing.name for thing in told.things], told.shares.of.tolist(), strict=True))
    apart = asked.fractions[0] - known.fractions.mean(axis=0)
    air = np.mean([quench == "air" for quench in known.process["quench"]])
    assert shares["Nb"] == pytest.approx(200 * apart[0])
    assert shares["Zr"] == pytest.approx(-50 * apart[1])
    assert shares["ageing_C"] == pytest.approx((asked.process["ageing_C"][0] - known.process["ageing_C"].mean()) / 10)
    assert shares["quench"] == pytest.approx(10 * ((asked.process["quench"][0] == "air") - air))
    assert shares["oxygen_wt_pct"] == pytest.approx(0, abs=1e-12)
    assert told.shares.base == pytest.approx(formula(known).mean())


def test_many_rows_are_represented_by_some_of_them() -> None:
    known = alloys(explaining.MOST_BACKGROUND + 50)
    belief = formula_belief(known, lambda asked: 100 * asked.fractions[:, 0])
    told = contributions(SPACE, belief, alloys(1, seed=9), np.random.default_rng(0))
    assert told.shares.base == pytest.approx(100 * known.fractions[:, 0].mean(), abs=1)


def test_mixtures_are_alloys() -> None:
    """An asked alloy rich in one element and a row rich in another have no balance left: they are scaled to 100."""
    fractions = np.array([[0.0, 0.9, 0.1], [0.1, 0.8, 0.1]])
    one = {"ageing_C": np.full(2, 300.0), "quench": np.array(["air"] * 2, dtype=object), "oxygen_wt_pct": np.zeros(2)}
    known = Alloys(ELEMENTS, fractions, one)
    asked = Alloys(ELEMENTS, np.array([[0.9, 0.0, 0.1]]), {name: values[:1] for name, values in one.items()})
    seen = []

    def formula(of: Alloys) -> FloatArray:
        seen.append(of.fractions)
        return of.fractions[:, 0]

    contributions(SPACE, formula_belief(known, formula), asked, np.random.default_rng(0))
    every = np.vstack(seen)
    np.testing.assert_allclose(every.sum(axis=1), 1)
    assert (every >= 0).all()


def test_a_neighbour_is_judged_by_what_is_expected_without_it() -> None:
    known = Alloys(ELEMENTS, np.array([[0.3, 0.0, 0.7], [0.1, 0.0, 0.9], [0.2, 0.0, 0.8]]), alloys(3).process)
    told = formula_belief(known, lambda asked: np.zeros(len(asked)), values=np.array([30.0, 60.0, 90.0]))

    def average(part: Evidence) -> Belief:
        return formula_belief(part.alloys, lambda asked: np.full(len(asked), part.values.mean()), part.values)

    asked = Alloys(ELEMENTS, np.array([[0.12, 0.0, 0.88]]), alloys(1).process)
    first, second = neighbours(SPACE, told, asked, average, n=2)
    assert (first.row, second.row) == (1, 2)
    assert (first.distance, second.distance) == pytest.approx((2, 8))
    assert (first.without, second.without) == pytest.approx((60, 45))  # (30 + 90) / 2 and (30 + 60) / 2


# -- rows that disagree -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Careful:
    """A model that says what it believes of each row without it: 60, give or take 5."""

    n: int
    outliers_: tuple[int, ...] = ()

    def leave_one_out(self) -> Prediction:
        return Prediction(np.full(self.n, 60.0), np.full(self.n, 3.0), np.full(self.n, 4.0))


def test_rows_more_than_three_standard_deviations_off_are_to_be_checked_worst_first() -> None:
    values = np.array([60.0, 76.0, 44.0, 74.0, 40.0])  # off by 0, 3.2, -3.2, 2.8 and -4 times 5
    belief = formula_belief(alloys(5), len, values=values, surrogate=Careful(5))
    found = outliers(belief, None)
    assert [(one.row, round(one.deviations, 6)) for one in found] == [(4, -4), (1, 3.2), (2, -3.2)]
    assert (found[0].believed, found[0].std, found[0].is_discounted) == (60, 5, False)


def test_a_row_that_the_model_discounted_is_to_be_checked_however_far_off() -> None:
    belief = formula_belief(alloys(3), len, values=np.array([60.0, 61.0, 62.0]), surrogate=Careful(3, (1,)))
    assert [(one.row, one.is_discounted) for one in outliers(belief, None)] == [(1, True)]


def test_of_a_model_that_cannot_say_held_out_rows_are_asked() -> None:
    known = alloys(10)
    values = np.where(np.arange(10) == 7, 100.0, 60.0)

    def learner(part: Evidence) -> Belief:
        return formula_belief(part.alloys, lambda asked: np.full(len(asked), 60.0), part.values)

    belief = learner(Evidence("hardness_HV", known, values, np.full(10, np.nan), np.array([""] * 10)))
    assert [one.row for one in outliers(belief, held_out(belief.evidence, learner))] == [7]
    assert outliers(belief, None) == ()
