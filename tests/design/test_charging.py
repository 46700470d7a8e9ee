"""What goes into the furnace when and where."""

from __future__ import annotations

import pytest

from alloyloop.design.charging import BOILING_POINT_K, Charging, boils_off, charging_of, in_order, is_volatile, places
from alloyloop.design.composition import Composition
from alloyloop.design.elements import SYMBOLS, values


def made(*names: str) -> list[Composition]:
    return [Composition.parse(name, None if name in SYMBOLS else "wt_pct") for name in names]


def ordered(names: list[str], balance: str, charging: Charging | None) -> list[str]:
    return [names[i] for i in in_order(made(*names), balance, charging)]


@pytest.mark.parametrize(
    ("names", "balance", "from_below"),
    [
        (["Ti", "Nb", "Zr", "Sn"], "Ti", ["Sn", "Ti", "Zr", "Nb"]),
        (["Ti", "Ti-50Nb", "Ta", "Sn", "Mn"], "Ti", ["Mn", "Sn", "Ti-50Nb", "Ti", "Ta"]),  # manganese boils first
    ],
)
def test_on_a_hearth_what_melts_highest_lies_on_top_and_what_evaporates_at_the_bottom(
    names: list[str], balance: str, from_below: list[str]
) -> None:
    order = ordered(names, balance, "arc")
    assert order == from_below
    told = dict(zip(order, places(made(*order), balance, "arc"), strict=True))
    assert told[order[-1]] == "on top, under the arc"
    assert told["Sn"] == "at the bottom, covered by the rest"


def test_in_a_crucible_the_balance_melts_first_and_what_evaporates_goes_in_last() -> None:
    order = ordered(["Zn", "Mn", "Mg-30Ca", "Mg"], "Mg", "crucible")
    assert order == ["Mg", "Mg-30Ca", "Mn", "Zn"]
    assert places(made(*order), "Mg", "crucible") == [
        "first",
        "into the melt",
        "into the melt, in small pieces: it has to dissolve",
        "last, wrapped and held under",
    ]


def test_what_is_lighter_than_the_melt_is_held_under_it() -> None:
    # Silicon has 2.3 g/cm³, iron 7.9
    assert places(made("Fe", "Si"), "Fe", "crucible")[1] == "wrapped and held under: it floats"


def test_one_metal_alone_needs_no_place() -> None:
    assert places(made("Ti"), "Ti", "arc") == [""]


def test_a_sponge_with_traces_counts_as_its_metal() -> None:
    sponge = Composition({"Ti": 99.83, "Fe": 0.07, "O": 0.1}, "wt_pct")
    assert in_order([*made("Sn"), sponge, *made("Nb")], "Ti", "arc") == [0, 1, 2]
    assert places([sponge, *made("Ti-50Nb")], "Ti", "crucible") == ["first", "into the melt"]


@pytest.mark.parametrize(
    ("name", "charging"),
    [
        ("arc", "arc"),
        ("Vacuum arc-melter", "arc"),
        ("induction", "crucible"),
        ("muffle no. 2", "crucible"),
        ("search", None),
        ("", None),
    ],
)
def test_a_furnace_is_known_by_its_name(name: str, charging: str | None) -> None:
    assert charging_of(name) == charging


def test_every_metal_boils_above_its_melting_point() -> None:
    melts = values("melting_point_K", list(BOILING_POINT_K))
    assert (melts < list(BOILING_POINT_K.values())).all()


# DOMAIN §4.4: Mn, Zn, Mg, Sn, Al, Ca and Sr evaporate or burn; Nb, Ta and Mo do not.
def test_the_elements_of_the_domain_evaporate_from_titanium_and_refractories_do_not() -> None:
    assert [e for e in ("Mn", "Zn", "Mg", "Sn", "Al", "Ca", "Sr") if not is_volatile(e, "Ti")] == []
    assert [e for e in ("Nb", "Ta", "Mo", "Zr") if is_volatile(e, "Ti")] == []


def test_only_pure_metals_boil_off_before_others_melt() -> None:
    assert boils_off(made("Ti", "Ta", "Sn"), "Ti") == [
        "Sn boils at 2875 K, before Ta melts (3290 K): use a master alloy of one of them, or melt Ta with Ti first."
    ]
    assert boils_off(made("Ti", "Ti-50Ta", "Sn"), "Ti") == []
    assert boils_off(made("Mg", "Zn"), "Mg") == []
