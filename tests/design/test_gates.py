from __future__ import annotations

from math import inf, log

import pytest

from alloyloop.design.criteria import LogOdds, PredictedMean
from alloyloop.design.gates import Predicted, cheap_first, parse_gate
from alloyloop.design.goals import Goal, Minimize, Within
from alloyloop.design.rules import Names, Rule
from alloyloop.surrogates.errors import AlloyloopError

NAMES = Names(("Nb", "Zr", "Ti"), ("temperature_C",), {"quench": ("water", "air")})
SCALES = {"youngs_modulus_GPa": 12.0, "yield_strength_MPa": 90.0}
GOALS: dict[str, Goal] = {
    "youngs_modulus_GPa": Minimize(),
    "yield_strength_MPa": Within(low=500.0),
    "elongation_pct": Within(low=10.0),  # never measured
}


def gate(text: str) -> Rule | Predicted:
    return parse_gate(text, NAMES, SCALES, GOALS)


@pytest.mark.parametrize(
    "text",
    ["Nb + Zr >= 10", "Zr / Nb <= 2", "price_usd_per_kg ≤ 60", "quench is water", "temperature_C >= 900 if Nb > 5"],
)
def test_a_gate_may_be_any_rule_of_the_space(text: str) -> None:
    read = gate(text)
    assert isinstance(read, Rule)
    assert read.text == text.replace("≤", "<=")


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("youngs_modulus_GPa <= 60", -inf, 60.0),
        ("youngs_modulus_GPa > 60", 60.0, inf),
        ("youngs_modulus_GPa between 40 and 60", 40.0, 60.0),
    ],
)
def test_a_gate_may_bound_what_is_predicted(text: str, least: float, most: float) -> None:
    assert gate(text) == Predicted(text, PredictedMean("youngs_modulus_GPa", 1.0, 12.0), least, most)


@pytest.mark.parametrize(
    ("text", "limits", "least"),
    [
        ("P(youngs_modulus_GPa <= 60) >= 0.8", (("youngs_modulus_GPa", Within(high=60.0)),), 0.8),
        ("P( youngs_modulus_GPa between 40 and 60 ) >= 80 %", (("youngs_modulus_GPa", Within(40.0, 60.0)),), 0.8),
        ("P(yield_strength_MPa) >= .9", (("yield_strength_MPa", Within(low=500.0)),), 0.9),
        ("P(all) >= 0.5", (("yield_strength_MPa", Within(low=500.0)),), 0.5),
    ],
)
def test_a_gate_may_bound_a_probability(text: str, limits: tuple[tuple[str, Within], ...], least: float) -> None:
    read = gate(text)
    assert isinstance(read, Predicted)
    assert (read.criterion, read.most) == (LogOdds(limits), inf)
    assert read.least == pytest.approx(log(least / (1 - least)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("P(youngs_modulus_GPa <= 60) >= 1.5", "a share between 0 and 1, not >= 1.5"),
        ("P(youngs_modulus_GPa <= 60) >= 1", "a share between 0 and 1"),
        ("P(youngs_modulus_GPa <= 60) <= 0.5", "at least a share"),
        ("P(youngs_modulus_GPa) >= 0.5", "youngs_modulus_GPa has no limit of its own"),
        (
            "P(hardness_HV <= 60) >= 0.5",
            "hardness_HV is not a property that can be predicted here. Those are ",
        ),
        ("P(hardness_HV) >= 0.5", "hardness_HV is not a property that can be predicted here"),
        ("P(phases is beta) >= 0.8", "phases is asked for a class, and it has none that could be predicted here"),
        ("phases is beta", "phases is asked for a class"),
        ("P(Nb + Zr and so on) >= 0.8", "'Nb \\+ Zr and so on' cannot be read as a goal"),
        ("P(youngs_modulus_GPa between 60 and 40) >= 0.8", "Nothing lies between 60 and 40"),
        ("hardness_HV <= 60", "hardness_HV"),
        ("quench is fire", "not a choice of quench"),
        ("softer", "cannot be read"),
    ],
)
def test_a_gate_that_cannot_be_read_is_said_with_its_place(text: str, said: str) -> None:
    with pytest.raises(AlloyloopError, match=said) as error:
        gate(text)
    assert error.value.place == f"--stage '{text}'"


def test_p_of_all_needs_a_limit() -> None:
    with pytest.raises(AlloyloopError, match=r"P\(all\) is always 1"):
        parse_gate("P(all) >= 0.5", NAMES, SCALES, {"youngs_modulus_GPa": Minimize()})


def test_what_costs_least_is_asked_first_and_the_rest_as_written() -> None:
    texts = (
        "P(all) >= 0.5",
        "youngs_modulus_GPa <= 60",
        "vec >= 4.2 if Nb > 5",
        "price_usd_per_kg <= 60",
        "Nb >= 5",
        "quench is air",
        "Nb >= 5 if vec > 4.1",
    )
    assert [each.text for each in cheap_first([gate(text) for text in texts])] == [
        "Nb >= 5",
        "quench is air",
        "vec >= 4.2 if Nb > 5",
        "price_usd_per_kg <= 60",
        "Nb >= 5 if vec > 4.1",
        "youngs_modulus_GPa <= 60",
        "P(all) >= 0.5",
    ]
