"""The shelf: what it holds, costs, and lacks for a batch."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.composition import Composition
from alloyloop.design.stock import Stock, needs
from alloyloop.surrogates.errors import AlloyloopError

GRAMS = st.dictionaries(st.sampled_from(["Ti", "Nb", "Ti-50Nb"]), st.floats(0.001, 100))


@given(st.lists(GRAMS, min_size=1, max_size=4), st.floats(0, 300))
def test_a_batch_takes_of_each_material_what_its_alloys_take(alloys: list[dict[str, float]], left_g: float) -> None:
    taken = needs(alloys, Stock(masters=["Ti-50Nb"], in_stock_g={"Nb": left_g}))
    assert {need.material: need.total_g for need in taken} == pytest.approx(
        {name: sum(alloy.get(name, 0) for alloy in alloys) for alloy in alloys for name in alloy}
    )
    for need in taken:
        short = max(need.total_g - left_g, 0) if need.material == "Nb" else 0
        assert need.short_g == pytest.approx(short, abs=1e-8)


def test_what_is_not_counted_is_not_lacking() -> None:
    (need,) = needs([{"Nb": 10}], Stock())
    assert (need.in_stock_g, need.short_g) == (None, 0)
    assert math.isnan(need.cost)


def test_a_master_costs_what_was_paid_for_it_or_else_what_its_elements_do() -> None:
    by_elements = Stock(masters=["Ti-50Nb"], price_per_kg={"Ti": 12, "Nb": 80})
    assert by_elements.price("Ti-50Nb") == pytest.approx(46)
    assert by_elements.joined(Stock(masters=["Ti-50Nb"], price_per_kg={"Ti-50Nb": 150})).price("Ti-50Nb") == 150
    assert math.isnan(Stock(masters=["Ti-50Nb"], price_per_kg={"Ti": 12}).price("Ti-50Nb"))


def test_of_two_shelves_the_second_has_the_last_word_and_metals_add_up() -> None:
    shelf = Stock(pure=frozenset({"Ti"}), purity={"Ti": 0.99}, loss={"Sn": 0.01})
    both = shelf.joined(Stock(masters=["Ti-50Nb"], purity={"Ti": 0.997}))
    assert (both.pure, both.masters) == (frozenset({"Ti"}), ("Ti-50Nb",))
    assert (both.purity, both.loss) == ({"Ti": 0.997}, {"Sn": 0.01})
    assert Stock().joined(Stock()).pure is None
    assert both.joined(Stock(pure=frozenset({"Nb"}))).pure == frozenset({"Ti", "Nb"})


def test_what_a_certificate_says_goes_before_the_name() -> None:
    lean = Composition({"Mg": 72, "Ca": 28}, "wt_pct")
    stock = Stock(
        masters=["Mg-30Ca", "Ti sponge"], compositions={"Mg-30Ca": lean, "Ti sponge": Composition.parse("Ti")}
    )
    assert stock.composition("Mg-30Ca") == lean
    assert stock.composition("Ti sponge").elements == ("Ti",)


def test_an_empty_shelf_makes_nothing() -> None:
    with pytest.raises(AlloyloopError, match="nothing is on the shelf to make Ti-10Nb wt of"):
        Stock(pure=frozenset()).materials(Composition.parse("Ti-10Nb wt"))
