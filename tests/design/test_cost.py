"""What a melt costs, by hand calculation; what its price takes off a gain; what is spent last is spent greedily."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.composition import Composition
from alloyloop.design.cost import LEAST_EAGERNESS, LEAST_SHARE, PLENTY, Cost, eagerness, price
from alloyloop.design.elements import value
from alloyloop.design.features import Alloys

from ..strategies import alloys


def made_of(*compositions: Composition, elements: tuple[str, ...] = ("Nb", "Zr", "Ti")) -> Alloys:
    return Alloys(elements, np.array([made.vector(elements, "at_pct") / 100 for made in compositions]), {})


def annealed(*hours: float) -> Alloys:
    return Alloys(("Ti",), np.ones((len(hours), 1)), {"anneal_h": np.array(hours)})


def test_a_charge_costs_the_prices_of_its_elements_by_weight() -> None:
    # 50 g of Ti-40Nb wt: 30 g of Ti at 12 a kg and 20 g of Nb at 80 a kg.
    alloys = made_of(Composition({"Ti": 60, "Nb": 40}, "wt_pct"))
    cost = Cost(mass_g=50, prices_per_kg={"Ti": 12, "Nb": 80})
    assert cost.of(alloys) == pytest.approx([0.030 * 12 + 0.020 * 80])


def test_atomic_percent_are_weighed_by_their_masses() -> None:
    # Ti-50Nb at: 47.867 g of Ti for every 92.906 g of Nb (IUPAC), so 34.0 % and 66.0 % of 1 kg.
    alloys = made_of(Composition({"Ti": 50, "Nb": 50}, "at_pct"))
    by_hand = (47.867 * 12 + 92.906 * 80) / (47.867 + 92.906)
    assert Cost(mass_g=1000, prices_per_kg={"Ti": 12, "Nb": 80}).of(alloys) == pytest.approx([by_hand], rel=1e-5)


def test_every_melt_costs_the_melt_itself() -> None:
    alloys = made_of(Composition({"Ti": 100}, "wt_pct"), Composition({"Nb": 100}, "wt_pct"))
    assert Cost(per_melt=40).of(alloys).tolist() == [40, 40]
    assert Cost(per_melt=40, mass_g=100, prices_per_kg={"Ti": 12, "Nb": 80}).of(alloys) == pytest.approx([41.2, 48])


def test_steps_cost_by_choice_and_by_unit() -> None:
    process = {
        "quench": np.array(["water", "furnace"], dtype=object),
        "solution_temperature_C": np.array([850.0, 1000.0]),
    }
    cost = Cost(10, steps={"quench": {"water": 0, "furnace": 20}, "solution_temperature_C": 0.02})
    assert cost.of(Alloys(("Ti",), np.ones((2, 1)), process)).tolist() == [10 + 0 + 17, 10 + 20 + 20]


def test_heat_treatments_of_one_melt_share_the_melt_and_its_charge() -> None:
    alloys = annealed(1, 3)
    cost = Cost(40, mass_g=100, prices_per_kg={"Ti": 12}, steps={"anneal_h": 5})
    assert cost.of_melting(alloys) == pytest.approx([41.2, 41.2])
    assert cost.of_treating(alloys).tolist() == [5, 15]


def test_a_price_that_is_given_goes_before_that_of_the_element_table() -> None:
    alloys, table = made_of(Composition({"Ti": 90, "Zr": 10}, "wt_pct")), value("price_usd_per_kg", "Zr").value
    cost = Cost(mass_g=1000, prices_per_kg={"Ti": 12})
    assert cost.of(alloys) == pytest.approx([0.9 * 12 + 0.1 * table])
    assert cost.from_table(("Ti", "Zr")) == ("Zr",)
    assert Cost(mass_g=1000, prices_per_kg={"Ti": 12, "Zr": 99}).of(alloys) == pytest.approx([0.9 * 12 + 9.9])
    assert Cost(per_melt=40).from_table(("Ti", "Zr")) == ()


def test_what_is_not_known_costs_nobody_knows_how_much() -> None:
    with_oxygen = made_of(
        Composition({"Ti": 99.8, "O": 0.2}, "wt_pct"), Composition({"Ti": 100}, "wt_pct"), elements=("Ti", "O")
    )
    cost = Cost(mass_g=40, prices_per_kg={"Ti": 12})
    assert np.isnan(cost.of(with_oxygen)).tolist() == [True, False]
    assert cost.without_price(("Ti", "O", "Nb")) == ("O",)
    unknown = Alloys(("Ti",), np.ones((2, 1)), {"quench": np.array([None, "air"], dtype=object)})
    assert np.isnan(Cost(steps={"quench": {"air": 1}}).of(unknown)).tolist() == [True, False]
    assert np.isnan(Cost(steps={"anneal_h": 1}).of(annealed(np.nan, 2))).tolist() == [True, False]


@given(alloys(elements=["Ti", "Nb", "Zr", "Mo"]), st.floats(1, 1e3), st.floats(0, 1e3))
def test_an_alloy_costs_no_less_than_its_cheapest_element_and_no_more_than_its_dearest(
    made: Composition, mass: float, per_melt: float
) -> None:
    elements = ("Ti", "Nb", "Zr", "Mo")
    prices = {"Ti": 12.0, "Nb": 80.0, "Zr": 90.0, "Mo": 55.0}
    (cost,) = Cost(per_melt, mass, prices).of(made_of(made, elements=elements))
    of_elements = [prices[element] * mass / 1000 for element in made.elements]
    assert min(of_elements) - 1e-9 <= cost - per_melt <= max(of_elements) + 1e-9


def test_a_gain_is_divided_by_the_cost_to_the_power_of_the_share_left() -> None:
    # Lee et al. 2020: EI-cool, EI / cost ** ((budget - spent) / budget). Costs 10 and 40 and a mean of 25.
    alloys = annealed(1, 4)
    for share in (1.0, 0.5, 0.0):
        off = price(Cost(steps={"anneal_h": 10}), alloys, share)(alloys)
        assert np.exp(-off) == pytest.approx([(25 / 10) ** share, (25 / 40) ** share])


@given(st.lists(st.floats(1, 100), min_size=2, max_size=5), st.floats(0, 1))
def test_the_unit_of_money_changes_no_price(hours: list[float], share: float) -> None:
    alloys = annealed(*hours)
    in_euro, in_cents = (price(Cost(steps={"anneal_h": each}), alloys, share)(alloys) for each in (1.0, 100.0))
    assert in_euro == pytest.approx(in_cents)


def test_what_costs_more_than_is_left_is_not_to_be_had() -> None:
    alloys = annealed(1, 4)
    off = price(Cost(steps={"anneal_h": 10}), alloys, 0.1, left=20)(alloys)
    assert np.isfinite(off).tolist() == [True, False]
    assert off[1] == np.inf


def test_nothing_is_free_and_what_is_unknown_stays_so() -> None:
    alloys = annealed(0, 2, np.nan)
    off = price(Cost(steps={"anneal_h": 10}), alloys, 1.0)(alloys)
    assert off[:2] == pytest.approx([np.log(LEAST_SHARE), np.log(2)])
    assert np.isnan(off[2])
    free = price(Cost(), alloys, 1.0)(alloys)
    assert free.tolist() == [0, 0, 0]


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_less_is_left_the_greedier_the_choice(one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert LEAST_EAGERNESS <= eagerness(less) <= eagerness(more) <= 1


def test_while_plenty_is_left_nothing_changes_and_the_last_melt_is_the_greediest() -> None:
    assert eagerness(1) == eagerness(PLENTY) == 1
    assert eagerness(PLENTY / 2) == pytest.approx((1 + LEAST_EAGERNESS) / 2)
    assert eagerness(0) == LEAST_EAGERNESS
