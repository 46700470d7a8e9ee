"""What to weigh in: the worked sheets of DOMAIN §4.4, and what holds for every charge."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.charging import Charging
from alloyloop.design.composition import Composition
from alloyloop.design.melt import Charge, Stock, charge
from alloyloop.surrogates.errors import AlloyloopError

from ..strategies import alloys

TI2448 = Composition.parse("Ti-24Nb-4Zr-7.9Sn wt")
MAGNESIUM = Composition.parse("Mg-1Zn-1Mn-0.3Sr-0.1Ca wt")
MASTERS = ("Mg-5Mn", "Mg-20Sr", "Mg-30Ca")
METALS = ("Ti", "Nb", "Zr", "Sn", "Mo", "Ta", "Fe", "Mg", "Zn", "Ca", "Al", "Co", "Cr", "Ni")


def weighed(sheet: Charge) -> dict[str, float]:
    return {line.material: line.exact_g for line in sheet.lines}


def test_a_titanium_button_of_40_g_is_the_worked_sheet() -> None:
    stock = Stock(purity={"Ti": 0.997, "Nb": 0.998, "Zr": 0.995, "Sn": 0.999}, loss={"Sn": 0.01})
    sheet = charge(TI2448, 40, stock=stock, balance_resolution_g=0.0001)
    assert weighed(sheet) == pytest.approx({"Ti": 25.7172, "Nb": 9.6192, "Zr": 1.6080, "Sn": 3.1951}, abs=5e-5)
    assert sheet.exact_g == pytest.approx(40.1395, abs=5e-5)


def test_a_magnesium_melt_of_500_g_from_masters_is_the_worked_sheet() -> None:
    sheet = charge(MAGNESIUM, 500, stock=Stock(masters=MASTERS))
    expected = {"Mg-5Mn": 100.0, "Mg-20Sr": 7.5, "Mg-30Ca": 1.6667, "Zn": 5.0, "Mg": 385.8333}
    assert weighed(sheet) == pytest.approx(expected, abs=5e-5)
    assert {line.material: line.weigh_g for line in sheet.lines}["Mg-30Ca"] == 1.667


# By hand: M c_i A_i / Σ c A, with the masses of DOMAIN §2.1.
def test_an_alloy_in_at_pct_is_weighed_by_mass() -> None:
    masses = {"Al": 0.3 * 26.98154, "Co": 58.93319, "Cr": 51.9961, "Fe": 55.845, "Ni": 58.6934}
    expected = {element: 40 * mass / sum(masses.values()) for element, mass in masses.items()}
    assert weighed(charge(Composition.parse("Al0.3CoCrFeNi"), 40)) == pytest.approx(expected, rel=1e-4)


@given(
    alloys(METALS, min_elements=1),
    st.floats(1, 1000),
    st.dictionaries(st.sampled_from(METALS), st.floats(0.5, 1)),
    st.dictionaries(st.sampled_from(METALS), st.floats(0, 0.5)),
)
def test_what_is_melted_is_what_was_wanted(
    alloy: Composition, mass_g: float, purity: dict[str, float], loss: dict[str, float]
) -> None:
    sheet = charge(alloy, mass_g, stock=Stock(purity=purity, loss=loss), balance_resolution_g=1e-9)
    melted = {m: g * purity.get(m, 1) * (1 - loss.get(m, 0)) for m, g in weighed(sheet).items()}
    assert melted == pytest.approx({e: mass_g * w / 100 for e, w in alloy.wt_pct.items()}, rel=1e-9)
    assert sheet.achieved.distance(alloy, "wt_pct") < 1e-5


@given(alloys(("Mg", "Zn", "Mn", "Ca", "Sr"), min_elements=2), st.sets(st.sampled_from(MASTERS)))
def test_masters_change_the_charge_but_not_the_alloy(alloy: Composition, masters: set[str]) -> None:
    sheet = charge(alloy, 500, stock=Stock(masters=sorted(masters)), balance_resolution_g=1e-9)
    melted: dict[str, float] = {}
    for line in sheet.lines:
        for element, share in line.composition.wt_pct.items():
            melted[element] = melted.get(element, 0) + line.exact_g * share / 100
    assert melted == pytest.approx({e: 5 * w for e, w in alloy.wt_pct.items()}, abs=1e-9)
    assert all(line.exact_g > 0 for line in sheet.lines)


@given(alloys(METALS, min_elements=2), st.sampled_from([0.0001, 0.001, 0.01]))
def test_what_is_weighed_is_a_whole_number_of_balance_steps_nearest_to_exact(alloy: Composition, step_g: float) -> None:
    for line in charge(alloy, 40, balance_resolution_g=step_g).lines:
        assert abs(line.weigh_g - line.exact_g) <= step_g / 2 + 1e-9
        assert line.weigh_g == pytest.approx(step_g * round(line.weigh_g / step_g), abs=1e-12)


def test_the_rounding_error_is_given_back_as_composition() -> None:
    sheet = charge(Composition.parse("Mg-0.3Ca wt"), 1, balance_resolution_g=0.01)  # 3 mg of Ca: none is weighed
    assert sheet.achieved == Composition.parse("Mg")
    assert sheet.error_wt_pct == pytest.approx({"Mg": 0.3, "Ca": -0.3})
    sheet = charge(Composition.parse("Ti-1Mo wt"), 1, balance_resolution_g=0.003)  # 0.990 and 0.009 g, not 0.010
    assert sheet.achieved.wt_pct == pytest.approx({"Ti": 99 / 0.999, "Mo": 0.9 / 0.999})
    assert sheet.weigh_g == pytest.approx(0.999)


def test_pure_metal_makes_up_for_a_master_that_is_too_lean() -> None:
    sheet = charge(Composition.parse("Mg-40Mn wt"), 100, stock=Stock(masters=["Mg-5Mn"]))
    assert weighed(sheet) == pytest.approx({"Mg-5Mn": 60 / 0.95, "Mn": 40 - 60 / 0.95 * 0.05})


def test_of_two_masters_the_richer_is_used_and_the_other_named() -> None:
    sheet = charge(Composition.parse("Mg-0.3Ca wt"), 100, stock=Stock(masters=["Mg-10Ca", "Mg-30Ca"]))
    assert weighed(sheet) == pytest.approx({"Mg": 99, "Mg-30Ca": 1})
    assert "Mg-10Ca is not used." in sheet.warnings


def test_a_master_that_could_not_be_used_is_not_spoken_of() -> None:
    sheet = charge(Composition.parse("Mg-0.3Ca wt"), 100, stock=Stock(masters=["Mg-30Ca", "Ti-50Nb"]))
    assert not any("Ti-50Nb" in warning for warning in sheet.warnings)


def test_a_master_is_in_wt_pct_unless_its_name_says_at_pct() -> None:
    by_weight = charge(Composition.parse("Ti-10Nb wt"), 100, stock=Stock(masters=["Ti-50Nb"]))
    by_atoms = charge(Composition.parse("Ti-10Nb wt"), 100, stock=Stock(masters=["Ti-50Nb at"]))
    assert weighed(by_weight)["Ti-50Nb"] == pytest.approx(20)
    assert weighed(by_atoms)["Ti-50Nb at"] == pytest.approx(10 * (92.90637 + 47.867) / 92.90637)


def test_losses_and_purity_hold_for_masters_too() -> None:
    stock = Stock(masters=["Mg-30Ca"], purity={"Mg-30Ca": 0.9}, loss={"Ca": 0.5})
    sheet = charge(Composition.parse("Mg-0.3Ca wt"), 100, stock=stock)
    assert weighed(sheet)["Mg-30Ca"] == pytest.approx(0.3 / (0.3 * 0.9 * 0.5))
    assert weighed(sheet)["Mg"] == pytest.approx(99.7 - 0.7 * 0.9 * 0.3 / (0.3 * 0.9 * 0.5))


@pytest.mark.parametrize(
    ("pure", "masters", "miss"),
    [
        ({"Mg"}, ["Mg-5Mn"], "too little Zn"),
        ({"Mg", "Zn"}, ["Mg-5Mn", "Mg-20Sr"], "too little Ca"),
        ({"Zn"}, ["Mg-20Sr", "Mg-30Ca", "Mg-5Mn"], "too little Mg"),
    ],
)
def test_a_stock_that_cannot_make_the_alloy_says_which_element_fails(
    pure: set[str], masters: list[str], miss: str
) -> None:
    with pytest.raises(AlloyloopError, match=r"Mg-1Zn-1Mn-0\.3Sr-0\.1Ca wt cannot be made of") as error:
        charge(MAGNESIUM, 500, stock=Stock(masters=masters, pure=frozenset(pure)))
    assert miss in str(error.value)


def test_a_master_that_brings_what_is_not_wanted_is_named_by_that_element() -> None:
    # 99 % magnesium with 5 parts of manganese to 95 of its own
    too_much = rf"cannot be made of Zn, Mg-5Mn: too much Mn, by {99 * 5 / 95:.3g} wt.%, from Mg-5Mn\. Add a master"
    with pytest.raises(AlloyloopError, match=too_much):
        charge(Composition.parse("Mg-1Zn wt"), 500, stock=Stock(masters=["Mg-5Mn"], pure=frozenset({"Zn"})))


def test_an_element_that_no_material_holds_enough_of_is_named_with_what_is_missing() -> None:
    stock = Stock(masters=["Mg-5Mn"], pure=frozenset({"Mg"}))
    with pytest.raises(AlloyloopError, match=rf"too little Mn, by {40 - 60 * 5 / 95:.3g} wt.%\. Add a master"):
        charge(Composition.parse("Mg-40Mn wt"), 100, stock=stock)


# 20 g of a master with 0.2 % iron in 100 g of alloy: 0.04 wt.% of it.
SCRAP = {"scrap": Composition({"Ti": 49.8, "Nb": 50, "Fe": 0.2}, "wt_pct")}
TI_10NB = Composition.parse("Ti-10Nb wt")


def test_an_impurity_that_is_allowed_for_comes_with_its_master_on_top_of_the_alloy() -> None:
    stock = Stock(masters=["scrap"], compositions=SCRAP, impurities={"Fe": 0.05})
    sheet = charge(TI_10NB, 100, stock=stock)
    assert weighed(sheet) == pytest.approx({"scrap": 20, "Ti": 90 - 20 * 0.498})
    assert sheet.error_wt_pct["Fe"] == pytest.approx(0.04 / 1.0004, abs=1e-4)


def test_a_master_is_used_until_its_impurity_is_all_that_is_allowed() -> None:
    stock = Stock(masters=["scrap"], compositions=SCRAP, impurities={"Fe": 0.02})
    assert weighed(charge(TI_10NB, 100, stock=stock)) == pytest.approx(
        {"scrap": 10, "Nb": 5, "Ti": 90 - 10 * 0.498}, rel=1e-9
    )


def test_pure_metal_stands_in_for_a_master_with_a_trace_of_what_may_not_be_there() -> None:
    made = {"scrap": Composition({"Ti": 49.999, "Nb": 50, "Fe": 0.001}, "wt_pct")}
    sheet = charge(TI_10NB, 100, stock=Stock(masters=["scrap"], compositions=made))
    assert weighed(sheet) == pytest.approx({"Ti": 90, "Nb": 10})


@pytest.mark.parametrize("allowed", [{}, {"Fe": 0.01}])
def test_an_impurity_that_a_master_brings_too_much_of_is_named_with_the_master(allowed: dict[str, float]) -> None:
    stock = Stock(masters=["scrap"], compositions=SCRAP, impurities=allowed, pure=frozenset({"Ti"}))
    too_much = 0.04 - allowed.get("Fe", 0)
    message = rf"too much Fe, by {too_much:.3g} wt.%, from scrap\. Add .* or allow Fe as an impurity\."
    with pytest.raises(AlloyloopError, match=message):
        charge(TI_10NB, 100, stock=stock)


@given(st.floats(0, 0.5), st.floats(0, 0.2))
def test_no_melt_holds_more_of_an_impurity_than_is_allowed(in_master: float, allowed: float) -> None:
    made = {"scrap": Composition({"Ti": 50 - in_master, "Nb": 50, "Fe": in_master}, "wt_pct")}
    stock = Stock(masters=["scrap"], compositions=made, impurities={"Fe": allowed})
    sheet = charge(TI_10NB, 100, stock=stock, balance_resolution_g=1e-9)
    assert sheet.achieved.wt_pct.get("Fe", 0.0) <= allowed + 1e-5
    assert sheet.achieved.wt_pct["Nb"] == pytest.approx(10, abs=0.1)


def test_a_charge_costs_what_its_materials_do() -> None:
    stock = Stock(masters=["Ti-50Nb"], price_per_kg={"Ti": 12, "Nb": 80, "Zr": 40})
    sheet = charge(Composition.parse("Ti-10Nb-5Zr wt"), 100, stock=stock)
    # 20 g of the master at (12 + 80) / 2 a kilogram, 75 g titanium, 5 g zirconium
    assert sheet.cost == pytest.approx(0.020 * 46 + 0.075 * 12 + 0.005 * 40)
    assert math.isnan(charge(Composition.parse("Ti-10Sn wt"), 100, stock=stock).cost)


def test_traces_are_met_as_exactly_as_the_base() -> None:
    sheet = charge(Composition.parse("Mg-5ppmNi-1Zn wt"), 1000, stock=Stock(masters=["Mg-30Ca"]))
    assert weighed(sheet)["Ni"] == pytest.approx(0.005, rel=1e-9)


@pytest.mark.parametrize(
    ("alloy", "masters", "order"),
    [
        ("Ti-5Ta-5Nb-5Sn wt", [], ["Ta", "Nb", "Ti", "Sn"]),
        ("Mg-1Zn-1Mn wt", ["Mg-5Mn"], ["Mg", "Mg-5Mn", "Zn"]),
        ("Ti-10Nb-2Ta-2Sn wt", ["Ti-50Nb"], ["Ta", "Ti", "Ti-50Nb", "Sn"]),
    ],
)
def test_the_highest_melting_metal_comes_first_and_masters_after_the_balance(
    alloy: str, masters: list[str], order: list[str]
) -> None:
    sheet = charge(Composition.parse(alloy), 40, stock=Stock(masters=masters))
    assert [line.material for line in sheet.lines] == order


# DOMAIN §4.4: 1 mg on 30 mg of Ca is 3 %.
def test_a_mass_near_the_step_of_the_balance_is_warned_of() -> None:
    sheet = charge(Composition.parse("Mg-0.1Ca wt"), 30)
    assert any(warning.startswith("1 mg on 30 mg Ca is 3.3 %") for warning in sheet.warnings)
    assert not any("Mg is" in warning for warning in sheet.warnings)


def test_a_volatile_element_without_a_loss_is_warned_of() -> None:
    assert any("No loss is allowed for Sn" in warning for warning in charge(TI2448, 40).warnings)
    assert charge(TI2448, 40, stock=Stock(loss={"Sn": 0.01})).warnings == ()
    assert charge(TI2448, 40, stock=Stock(loss={"Sn": 0})).warnings == ()  # that nothing is lost was said


# Zinc boils at 907 °C, titanium melts at 1668 °C.
def test_a_metal_that_boils_before_another_melts_is_warned_of() -> None:
    warnings = charge(Composition.parse("Ti-5Zn wt"), 40, stock=Stock(loss={"Zn": 0.2})).warnings
    assert warnings == ("Zn boils at 1180 K, before Ti melts (1941 K): use a master alloy of Zn, or melt Ti first.",)


@pytest.mark.parametrize(
    ("charging", "order"), [("arc", ["Sn", "Ti", "Nb"]), ("crucible", ["Ti", "Nb", "Sn"]), (None, ["Nb", "Ti", "Sn"])]
)
def test_the_furnace_settles_the_order_of_charging(charging: Charging | None, order: list[str]) -> None:
    sheet = charge(Composition.parse("Ti-20Nb-5Sn wt"), 40, charging=charging)
    assert [line.material for line in sheet.lines] == order


def test_the_sheet_is_rows_for_a_file() -> None:
    assert charge(Composition.parse("Ti-10Nb wt"), 40, stock=Stock(purity={"Ti": 0.99})).rows() == [
        {"order": 1, "material": "Nb", "purity": 1.0, "exact_g": 4.0, "weigh_g": 4.0},
        {"order": 2, "material": "Ti", "purity": 0.99, "exact_g": 36.363636, "weigh_g": 36.364},
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"purity": {"Zr": 99.5}}, r"a purity of 99.5 \(Zr\) is not in \(0, 1\]. Write 99.5 % as 0.995"),
        ({"purity": {"Zr": 0}}, "a purity of 0"),
        ({"purity": {"Zx": 0.9}}, "'Zx' is not an element we know. Did you mean Zn or Zr"),
        ({"loss": {"Sn": 1}}, r"a loss of 1 \(Sn\) is not in \[0, 1\)"),
        ({"loss": {"Mg-30Ca": 0.1}}, "'Mg-30Ca' is not an element"),
        ({"masters": ["Mg"]}, "'Mg' is a pure metal, not a master alloy"),
        ({"impurities": {"Fe": 100}}, r"an impurity of 100 wt.% \(Fe\)"),
        ({"price_per_kg": {"Nb": -1}}, r"-1 is no price \(Nb\)"),
        ({"in_stock_g": {"Nb": float("nan")}}, r"nan is no amount in stock \(Nb\)"),
        ({"in_stock_g": {"Ti-50Nb": 5}}, "'Ti-50Nb' is not an element"),
        ({"masters": ["Mg-30Cx"]}, "'Cx' in 'Mg-30Cx' is not an element"),
    ],
)
def test_a_stock_that_makes_no_sense_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(AlloyloopError, match=message):
        Stock(**wrong)  # type: ignore[arg-type]  # the mistake is the test


@pytest.mark.parametrize("mass_g", [0, -1, float("nan"), float("inf")])
def test_a_melt_has_a_mass(mass_g: float) -> None:
    with pytest.raises(AlloyloopError, match="a mass of the melt of"):
        charge(TI2448, mass_g)


def test_a_melt_below_the_balance_is_refused() -> None:
    with pytest.raises(AlloyloopError, match="too little for this balance"):
        charge(TI2448, 0.0001, balance_resolution_g=0.01)
