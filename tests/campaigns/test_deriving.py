"""Raw readings are read in the units a laboratory writes, and become the property in its own unit."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.campaigns.deriving import columns_named, derived, is_derived, with_columns
from alloyloop.design.composition import Composition
from alloyloop.design.derived import METHODS, Method
from alloyloop.surrogates.errors import AlloyloopError

RATE, HARDNESS, MODULUS = "corrosion_rate_mm_per_y", "hardness_HV", "youngs_modulus_GPa"
MAGNESIUM = Composition.parse("Mg-1Zn-1Mn wt")


@pytest.mark.parametrize(
    "text",
    [
        "mass_loss(12 mg, 5 cm2, 168 h, 1.76 g/cm3)",
        "mass_loss(mass=12 mg, area=5 cm2, time=168 h, density=1.76 g/cm3)",
        "mass_loss( density 1.76 g/cm³, time 7 d, area 500 mm², mass 0.012 g )",
        "mass_loss(0.000012 kg, 0.0005 m2, 1 week, 1760 kg/m3)",
        "mass_loss(12,0 mg; 5 cm^2; 168 hours; 1,76 g cm-3)",
        "mass_loss(12e3 µg, 5 cm2, 10080 min, 1.76 g/cc)",
    ],
)
def test_readings_mean_the_same_in_any_order_and_unit(text: str) -> None:
    (rate,) = derived(RATE, text).values
    assert rate == pytest.approx(0.711, abs=5e-4)  # DOMAIN §2.4: 12.0 mg, 5.0 cm2, 168 h, 1.76 g/cm3


def test_density_and_equivalent_weight_are_of_the_alloy_where_they_are_not_given() -> None:
    found = derived(RATE, "mass_loss(12 mg, 5 cm2, 168 h)", MAGNESIUM)
    assert found.values[0] == pytest.approx(87.6 * 12 / (5 * 168 * 1.765), rel=1e-3)  # DOMAIN §2.2: 1.765 g/cm3
    assert found.readings[0]["density"] == "1.765 g/cm3 (computed)"
    (rate,) = derived(RATE, "corrosion_current(25 µA/cm2)", MAGNESIUM).values
    # Mg 2/24.305, Zn 2/65.38 and Mn 2/54.938 electrons a gram, 98, 1 and 1 %, by hand: 12.311 g/mol
    assert rate == pytest.approx(3.27e-3 * 25 * 12.311 / 1.765, rel=2e-3)


def test_a_little_of_an_element_without_a_density_does_not_keep_that_of_the_alloy_from_being_known() -> None:
    with_oxygen = Composition({"Ti": 99.7, "O": 0.3}, "wt_pct")
    found = derived(MODULUS, "ultrasonic(longitudinal=6240 m/s, shear=3215 m/s)", with_oxygen)
    assert found.readings[0]["density"] == "4.506 g/cm3 (computed)"  # of titanium, DOMAIN §2.2
    with pytest.raises(AlloyloopError, match=r"no density of O. Add density=… g/cm3 to ultrasonic"):
        derived(MODULUS, "ultrasonic(longitudinal=6240 m/s, shear=3215 m/s)", Composition({"Ti": 95, "O": 5}, "wt_pct"))


def test_hydrogen_is_counted_at_the_temperature_of_the_gas_and_says_the_pressure_it_took() -> None:
    cold, warm = (derived(RATE, f"hydrogen(1 mL, 1 cm2, 24 h, {t} °C)", MAGNESIUM) for t in (0, 37))
    assert cold.values[0] / warm.values[0] == pytest.approx(310.15 / 273.15)
    assert warm.readings[0]["pressure"] == "101.325 kPa (taken)"
    assert "vapour" not in warm.readings[0]
    assert derived(RATE, "hydrogen(1 mL, 1 cm2, 24 h, 310.15 K)", MAGNESIUM).values == pytest.approx(warm.values)
    with pytest.raises(AlloyloopError, match="lacks temperature: of the gas as its volume was read"):
        derived(RATE, "hydrogen(1 mL, 1 cm2, 24 h)", MAGNESIUM)


@pytest.mark.parametrize("load", ["0.5 kgf", "500 gf", "4.903325 N", "500 g", "0.5 kg"])
def test_a_load_may_be_told_by_its_mass(load: str) -> None:
    (hardness,) = derived(HARDNESS, f"vickers({load}, 61.2 um)").values
    assert hardness == pytest.approx(1.8544 * 0.5 / 0.0612**2, rel=1e-4)


@pytest.mark.parametrize("separator", [", ", "; ", " "])
def test_a_method_said_again_is_a_repetition(separator: str) -> None:
    found = derived(HARDNESS, separator.join(["vickers(1 kgf, 61 um)", "vickers(1 kgf, 63 um)"]))
    assert found.values == pytest.approx([1.8544 / 0.061**2, 1.8544 / 0.063**2], rel=1e-4)
    assert found.note == (
        "hardness_HV by vickers (ISO 6507-1): load 1 kgf, diagonal 61 um and load 1 kgf, diagonal 63 um"
    )


def test_the_property_is_in_the_unit_of_its_name() -> None:
    text = "ultrasonic(longitudinal=5.9 km/s, shear=3230 m/s, density=7.7 g/cm3)"
    (gigapascal,), (megapascal,) = derived(MODULUS, text).values, derived("youngs_modulus_MPa", text).values
    assert megapascal == pytest.approx(1000 * gigapascal)
    assert derived("stiffness", text).values == (gigapascal,)
    microns = derived("corrosion_rate_um_per_y", "mass_loss(12 mg, 5 cm2, 168 h, 1.76 g/cm3)").values
    assert microns == pytest.approx([711.04], rel=1e-4)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (RATE, "weighing(12 mg)", "no method 'weighing'. Those are mass_loss"),
        (RATE, "mass_loss(12 mg, 5 cm2)", "mass_loss lacks time: how long it was exposed. It is mass_loss(mass, area,"),
        (RATE, "mass_loss(12 mg, 5 cm2, 168 h)", "lacks density, and it is not known what the alloy consists of"),
        (RATE, "mass_loss(12 mg, 13 mg, 5 cm2, 168 h)", "mass is given twice to mass_loss. Write repetitions as"),
        (RATE, "mass_loss(12 mg, 5 cm2, 168 N)", "mass_loss takes no reading in 'N'"),
        (RATE, "mass_loss(mass=12 cm, 5 cm2, 168 h)", "mass of mass_loss is given in 'cm': mass lost, after cleaning"),
        (RATE, "mass_loss(mass=12, 5 cm2, 168 h)", "is given without a unit"),
        (RATE, "mass_loss(weight=12 mg, 5 cm2, 168 h)", "mass_loss takes no weight"),
        (RATE, "mass_loss(12,3 mg, 5 cm2, 168 h)", "mass_loss takes no reading in ''"),
        (RATE, "mass_loss(twelve, 5 cm2, 168 h)", "'twelve' is no reading in"),
        (RATE, "mass_loss(12 mg, 5 cm2, 168 h, 1.76 g/cm3) or so", "cannot be read as readings of"),
        (RATE, "mass_loss(-12 mg, 5 cm2, 168 h, 1.76 g/cm3)", "mass -12 mg cannot be (mass lost, after cleaning)"),
        (RATE, "vickers(1 kgf, 61 um)", "vickers gives HV, and corrosion_rate_mm_per_y is in mm/y"),
        (HARDNESS, "vickers(1 kgf, 61 um), ultrasonic(shear 1 m/s)", "is given by vickers and by ultrasonic at once"),
        (MODULUS, "ultrasonic(5900 m/s, 3230 m/s)", "may be any of longitudinal, shear of ultrasonic. Name it"),
    ],
)
def test_readings_that_cannot_be_meant_are_refused(name: str, text: str, says: str) -> None:
    with pytest.raises(AlloyloopError) as error:
        derived(name, text)
    assert says in str(error.value)


@given(st.sampled_from(sorted(METHODS)), st.text("0123456789.,;() =mgcuhs²", max_size=30))
def test_whatever_stands_in_the_brackets_is_computed_or_refused_in_a_sentence(method: str, inside: str) -> None:
    with suppress(AlloyloopError):
        assert derived("x", f"{method}({inside})", MAGNESIUM).values


def test_readings_are_told_from_values() -> None:
    assert is_derived(" vickers (1 kgf, 61 um)")
    assert not any(map(is_derived, ["58.2 ± 1.1 (n=5)", "<12", "58.2,59.1", "", "12. Mrz"]))


def test_columns_of_a_table_stand_for_readings() -> None:
    how = "mass_loss(mass=loss_mg, area=A (cm2), time=t / h, density=1.76 g/cm3)"
    assert columns_named(how) == ("loss_mg", "A (cm2)", "t / h")
    row = {"loss_mg": "12,0", "A (cm2)": "5", "t / h": "168"}
    assert derived(RATE, with_columns(how, row, ",")).values[0] == pytest.approx(0.711, abs=5e-4)
    assert with_columns(how, row | {"t / h": ""}, ",") == ""


PAGE = (Path(__file__).resolve().parents[2] / "docs" / "recording.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("method", METHODS.values(), ids=str)
def test_the_page_tells_of_every_method_what_it_needs_and_its_source(method: Method) -> None:
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{method.name}` |")]
    assert {each.name for each in method.inputs if not each.of_alloy and f"`{each.name}`" not in line} == set()
    assert all(f"({each.default:g}" in line for each in method.inputs if each.default is not None)
    assert method.source.split(" and ")[-1] in line
