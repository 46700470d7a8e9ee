"""Names of columns as a person writes them."""

from __future__ import annotations

import pytest

from alloyloop.campaigns.wording import label, product_unit, words_and_unit


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
