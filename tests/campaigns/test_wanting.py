"""What people write of what they want, and what they hold: in words and in Python."""

from __future__ import annotations

from math import inf
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.snapshot import Snapshot
from alloyloop.campaigns.units import converted
from alloyloop.campaigns.wanting import Held, beyond_measured, fixed_of, want_in_words, wants_of, was_met
from alloyloop.design.goals import Goal, Is, Match, Maximize, Minimize, Within
from alloyloop.design.wants import Want
from alloyloop.surrogates.errors import AlloyloopError

from .folders import make

QUESTION = """\
alloyloop: 1
name: Wanted
composition:
  basis: wt_pct
  balance: Ti
  step: 1
  elements:
    Nb: {min: 10, max: 40}
    Zr: {min: 0, max: 10}
process:
  quench: {choices: [water, air, furnace]}
  ageing_temperature_C: {min: 300, max: 500, step: 100}
properties:
  youngs_modulus_GPa: {goal: match, target: 50, tolerance: 2}
  yield_strength_MPa: {goal: above, limit: 500}
  corrosion_rate_mm_per_y: {goal: report}
  phases: {goal: is, value: beta, classes: {beta: [beta], "alpha + beta": ["*"]}}
features: composition
model: gaussian-process
"""
EXPERIMENTS = """\
id,status,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,youngs_modulus_GPa,yield_strength_MPa,hardness_HV,phases
A,known,80,20,0,85,500,200,beta + alpha
B,known,60,40,0,49,450,180,beta
C,known,60,40,0,51,,180,
"""


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return Campaign(make(tmp_path_factory.mktemp("wanting") / "ti", QUESTION, EXPERIMENTS)).snapshot()


# -- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        "youngs_modulus_GPa between 48 and 52",
        "youngs_modulus_GPa is between 48 and 52 GPa",
        "youngs_modulus_GPa in 48..52",
        "youngs_modulus_GPa in [48, 52]",
        "youngs_modulus_GPa from 48 to 52",
        "48 <= youngs_modulus_GPa <= 52",
        "48 ≤ youngs_modulus_GPa ≤ 52 GPa",
        "youngs_modulus_GPa = 50 +- 2",
        "youngs_modulus_GPa = 50 ± 2 GPa",
        "  youngs_modulus_GPa   is 50 +/- 2",
    ],
)
def test_a_range_is_read_however_a_person_writes_it(snapshot: Snapshot, words: str) -> None:
    want = want_in_words(snapshot, words)
    assert (want.names, want.goal, want.formula) == (("youngs_modulus_GPa",), Within(48, 52), None)
    assert want.words == "youngs_modulus_GPa between 48 and 52"


@pytest.mark.parametrize(
    ("words", "name", "goal"),
    [
        ("yield_strength_MPa above 500", "yield_strength_MPa", Within(low=500)),
        ("yield_strength_MPa >= 5e2 MPa", "yield_strength_MPa", Within(low=500)),
        ("yield_strength_MPa at least 500", "yield_strength_MPa", Within(low=500)),
        ("corrosion_rate_mm_per_y < .5", "corrosion_rate_mm_per_y", Within(high=0.5)),
        ("corrosion_rate_mm_per_y is below 0.5 mm/y", "corrosion_rate_mm_per_y", Within(high=0.5)),
        ("maximise yield_strength_MPa", "yield_strength_MPa", Maximize()),
        ("youngs_modulus_GPa as low as possible", "youngs_modulus_GPa", Minimize()),
        ("phases is beta", "phases", Is("beta")),
        ("phases = 'alpha + beta'", "phases", Is("alpha + beta")),
        ("mo_equivalent_wang ≥ 11.8", "mo_equivalent_wang", Within(low=11.8)),
    ],
)
def test_limits_classes_and_what_is_pursued_are_read(snapshot: Snapshot, words: str, name: str, goal: Goal) -> None:
    want = want_in_words(snapshot, words)
    assert (want.names, want.goal) == ((name,), goal)


def test_a_formula_of_properties_and_descriptors_is_wanted_like_a_property(snapshot: Snapshot) -> None:
    want = want_in_words(snapshot, "yield_strength_MPa / (youngs_modulus_GPa * density_g_per_cm3) above 2")
    assert want.names == ("yield_strength_MPa", "youngs_modulus_GPa", "density_g_per_cm3")
    assert want.goal == Within(low=2)
    assert want.formula is not None
    alloy = {"yield_strength_MPa": [600.0], "youngs_modulus_GPa": [60.0], "density_g_per_cm3": [5.0]}
    assert want.formula.values(lambda name: np.array(alloy[name])) == [2.0]


@given(
    name=st.sampled_from(["youngs_modulus_GPa", "vec", "yield_strength_MPa / vec"]),
    ends=st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)).filter(
        lambda ends: f"{ends[0]:.9g}" != f"{ends[1]:.9g}"
    ),
    sides=st.sampled_from(["between", "above", "below"]),
)
def test_what_is_said_of_a_want_is_read_as_the_same_want(
    snapshot: Snapshot, name: str, ends: tuple[float, float], sides: str
) -> None:
    low, high = sorted(float(f"{end:.9g}") for end in ends)
    goal = Within(-inf if sides == "below" else low, inf if sides == "above" else high)
    (want,) = wants_of(snapshot, {name: goal})
    assert want_in_words(snapshot, want.words) == want


# -- Python -----------------------------------------------------------------------------------------------------------


def test_wants_are_given_in_python_by_name(snapshot: Snapshot) -> None:
    wants = wants_of(
        snapshot,
        {
            "youngs_modulus_GPa": (48, 52),
            "corrosion_rate_mm_per_y": (None, 0.5),
            "phases": "beta",
            "yield_strength_MPa": ">= 500",
            "vec": "maximize",
            "density_g_per_cm3": Match(5.0, 0.5),
        },
    )
    assert [want.words for want in wants] == [
        "youngs_modulus_GPa between 48 and 52",
        "corrosion_rate_mm_per_y below 0.5",
        "phases is beta",
        "yield_strength_MPa above 500",
        "maximize vec",
        "density_g_per_cm3 between 4.5 and 5.5",
    ]


def test_one_want_a_list_of_words_and_wants_of_the_floor_below_are_taken(snapshot: Snapshot) -> None:
    own = Want("a light alloy", ("density_g_per_cm3",), Within(high=6))
    assert wants_of(snapshot, "phases is beta") == wants_of(snapshot, ["phases is beta", "phases = beta"])
    assert wants_of(snapshot, ["phases is beta", own])[1] is own
    assert wants_of(snapshot, own) == (own,)


def test_nothing_said_is_what_the_campaign_wants(snapshot: Snapshot) -> None:
    assert [want.words for want in wants_of(snapshot)] == [
        "youngs_modulus_GPa between 48 and 52",  # brought to 50, met within 2
        "yield_strength_MPa above 500",
        "phases is beta",
    ]


def test_a_campaign_that_only_reports_wants_nothing(tmp_path: Path) -> None:
    question = QUESTION[: QUESTION.index("properties:")] + "properties:\n  youngs_modulus_GPa: {goal: report}\n"
    snapshot = Campaign(make(tmp_path / "ti", question, EXPERIMENTS)).snapshot()
    with pytest.raises(AlloyloopError, match="only reports its properties"):
        wants_of(snapshot)


# -- what cannot be read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "'' cannot be read as something wanted"),
        ("soft and strong", "cannot be read as something wanted. Write it like 'youngs_modulus_GPa between 48 and 52'"),
        ("youngs_modulus above 3", "Nothing is measured by the name youngs_modulus. Did you mean youngs_modulus_GPa?"),
        ("E above 3", "Did you mean youngs_modulus_GPa?"),
        ("toughness above 3", "There is youngs_modulus_GPa, yield_strength_MPa, corrosion_rate_mm_per_y and phases"),
        ("hardness_HV above 3", "hardness_HV is a column of experiments.csv and not among the properties"),
        ("melt_cost below 30", "campaign.yaml does not say what a melt costs"),
        ("youngs_modulus_MPa in 48000..52000", "48000 to 52000 MPa are 48 to 52 GPa. Say it of youngs_modulus_GPa"),
        ("youngs_modulus_GPa = 50000 MPa", "youngs_modulus_GPa is in GPa: 50000 MPa are 50 GPa"),
        ("youngs_modulus_K above 3", "youngs_modulus_GPa is in GPa, and K is no unit of it"),
        ("minimize youngs_modulus_MPa", "1 MPa is 0.001 GPa. Say it of youngs_modulus_GPa"),
        ("youngs_modulus_GPa above 3 apples", "'apples' after the number is no unit that is known"),
        ("youngs_modulus_GPa between 52 and 48", "Nothing lies between 52 and 48"),
        ("youngs_modulus_GPa = 50", r"Say how near, as in 'youngs_modulus_GPa = 50 \+- 2'"),
        ("youngs_modulus_GPa is beta", "youngs_modulus_GPa is a number and has no class 'beta'"),
        ("phases is gamma", "phases is never 'gamma'. Write 'phases is CLASS'; its classes are beta and alpha"),
        ("phases above 3", "phases has classes and is no number"),
        ("phases / vec above 3", "counts with phases, which has classes and is no number"),
        ("yield_strength_MPa / foo above 3", "names foo: nothing is measured by the name foo"),
        ("Nb between 20 and 30", "Nb is chosen and not measured.* Write --fix Nb=20..30"),
        ("quench is water", "quench is chosen and not measured.* Write --fix quench=water"),
    ],
)
def test_what_cannot_be_wanted_is_said_in_one_sentence_with_what_to_do(
    snapshot: Snapshot, words: str, said: str
) -> None:
    with pytest.raises(AlloyloopError, match=said):
        want_in_words(snapshot, words)


@pytest.mark.parametrize(("wishes", "said"), [([], "Nothing is wanted"), ({"vec": 5}, "5 says nothing that could be")])
def test_python_that_says_nothing_is_refused(snapshot: Snapshot, wishes: object, said: str) -> None:
    with pytest.raises(AlloyloopError, match=said):
        wants_of(snapshot, wishes)  # type: ignore[arg-type]  # that is the mistake


# Exact by definition: 1 ksi is 1000 pounds of 4.4482216152605 N on the square of 0.0254 m; the freezing point of water.
@pytest.mark.parametrize(
    ("value", "unit", "wanted", "expected"),
    [
        (1.0, "ksi", "MPa", 4.4482216152605e-3 / 0.0254**2),
        (32.0, "F", "C", 0.0),
        (0.0, "C", "K", 273.15),
        (1.0, "mpy", "mm_per_y", 0.0254),
        (7850.0, "kg_per_m3", "g_per_cm3", 7.85),
        (3.0, "HV", "GPa", None),
    ],
)
def test_units_are_converted_by_their_definitions(value: float, unit: str, wanted: str, expected: float | None) -> None:
    assert converted(value, unit, wanted) == (
        None if expected is None else pytest.approx(expected, rel=1e-11, abs=1e-9)
    )


# -- what is fixed ----------------------------------------------------------------------------------------------------


def test_what_is_fixed_is_a_value_a_range_or_choices(snapshot: Snapshot) -> None:
    words = ["Zr=0", "Nb = 20..30", "quench=water,air", "ageing_temperature_C=400 to 500"]
    ranges = {"Zr": (0, 0), "Nb": (20, 30), "quench": ("water", "air"), "ageing_temperature_C": (400, 500)}
    assert fixed_of(snapshot.space, words) == ranges
    by_name: Held = {"Zr": 0, "Nb": (20, 30), "quench": ["water", "air"], "ageing_temperature_C": (400, 500)}
    assert fixed_of(snapshot.space, by_name) == ranges


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["Nb"], "'Nb' fixes nothing. Write it like Ta=0, Nb=20..30 or quench=water"),
        (["Nb=20", "Nb=30"], "Nb is fixed twice"),
        (["Nb=lots"], "Nb cannot be fixed at 'lots'"),
    ],
)
def test_what_cannot_be_fixed_is_said(snapshot: Snapshot, words: list[str], said: str) -> None:
    with pytest.raises(AlloyloopError, match=said):
        fixed_of(snapshot.space, words)


# -- what was measured ------------------------------------------------------------------------------------------------


def test_a_want_beyond_all_that_was_measured_is_said_and_not_refused(snapshot: Snapshot) -> None:
    wants = wants_of(
        snapshot, ["youngs_modulus_GPa below 30", "yield_strength_MPa above 400", "mo_equivalent_wang > 90"]
    )
    soft, rich = beyond_measured(snapshot, wants)
    assert soft.startswith("'youngs_modulus_GPa below 30' lies below all 3 rows of the table, 49 to 85")
    assert rich.startswith("'mo_equivalent_wang above 90' lies above all 3 rows")


def test_a_class_that_no_row_is_of_is_said(tmp_path: Path) -> None:
    snapshot = Campaign(make(tmp_path / "ti", QUESTION, EXPERIMENTS.replace("beta + alpha", "beta"))).snapshot()
    (remark,) = beyond_measured(snapshot, wants_of(snapshot, "phases is alpha + beta"))
    assert remark.startswith("No row was found to be alpha + beta")


def test_a_row_meets_wants_by_what_was_measured_of_it(snapshot: Snapshot) -> None:
    assert was_met(snapshot, wants_of(snapshot, "youngs_modulus_GPa between 48 and 52")).tolist() == [False, True, True]
    both = wants_of(snapshot, ["youngs_modulus_GPa between 48 and 52", "phases is beta"])
    assert was_met(snapshot, both).tolist() == [False, True, False]  # nobody looked at the phases of the last
