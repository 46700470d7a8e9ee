"""Names of columns as a person writes them."""

from __future__ import annotations

import pytest

from alloyloop.campaigns.answers import Predicted
from alloyloop.campaigns.windowing import Expected
from alloyloop.campaigns.wording import label, product_unit, rounded, words_and_unit


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("youngs_modulus_GPa", "Young's modulus [GPa]"),
        ("hardness_HV", "Hardness [HV]"),
        ("elongation_pct", "Elongation [%]"),
        ("oxygen_wt_pct", "Oxygen [wt.%]"),
        ("ageing_temperature_C", "Ageing temperature [°C]"),
        ("corrosion_rate_mm_per_y", "Corrosion rate [mm/y]"),
        ("heating_rate_C_per_min", "Heating rate [°C/min]"),
        ("strain_rate_per_s", "Strain rate [1/s]"),
        ("density_g_per_cm3", "Density [g/cm³]"),
        ("degradation_mg_per_cm2_per_d", "Degradation [mg/(cm² d)]"),
        ("price_usd_per_kg", "Price [usd/kg]"),
        ("grain_size_um", "Grain size [µm]"),
        ("radiopacity_60keV_per_cm", "Radiopacity 60keV per cm"),  # a number is no unit
        ("phases", "Phases"),
        ("vec", "Vec"),
    ],
)
def test_a_name_is_written_out_with_its_unit_in_brackets(name: str, said: str) -> None:
    assert label(name) == said


def test_a_unit_in_the_middle_of_a_name_is_a_word() -> None:
    assert words_and_unit("k_value_of_fit") == ("k value of fit", "")


def test_the_unit_of_a_product_passes_over_what_has_none() -> None:
    assert product_unit(["corrosion_rate_mm_per_y", "vec", "hardness_HV"]) == "mm/y·HV"
    assert product_unit(["vec"]) == ""


@pytest.mark.parametrize(
    ("digits", "numbers", "shown"),
    [
        (1, (52.04, 44.8, 59.3), ["52.0", "44.8", "59.3"]),
        (0, (5.2, 0.0312, 21.4), ["5", "0.031", "21"]),  # a corrosion rate is never 0
        (2, (0.0004, 0.00003, 0.004), ["0.0004", "3e-05", "0.004"]),
        (1, (-0.04, -0.2, -0.01), ["-0.04", "-0.2", "-0.01"]),
        (1, (0.2, -0.01, 0.4), ["0.2", "0.0", "0.4"]),  # 0 is among them: no sign is sure
        (1, (0.0, 0.0), ["0.0", "0.0"]),
    ],
)
def test_what_is_surely_not_zero_is_not_shown_as_zero(
    digits: int, numbers: tuple[float, ...], shown: list[str]
) -> None:
    assert rounded(digits, *numbers) == shown


def test_an_interval_of_a_rate_shows_its_low_end() -> None:
    assert str(Predicted(mean=5.2, std=18.0, low=0.0312, high=21.4)) == "5 (0.031 to 21)"
    assert str(Expected(mean=(0.02, 4.1), low=0.003, high=9.2)) == "0.02 to 4.1 (new measurements 0.003 to 9.2)"
