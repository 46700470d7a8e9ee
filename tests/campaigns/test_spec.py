"""campaign.yaml: what it means, and that every mistake in it is named with its line."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from pathlib import Path

import numpy as np
import pytest

from alloyloop.campaigns.examining import check
from alloyloop.campaigns.folder import Folder
from alloyloop.campaigns.problems import CampaignFileError
from alloyloop.campaigns.snapshot import read_snapshot
from alloyloop.campaigns.spaces import design_space, layout
from alloyloop.campaigns.spec import Written, read_written
from alloyloop.design.goals import Match, Maximize, Minimize, Report, Within
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.space import DesignSpace

from .folders import QUESTION, make

PROCESS = """\
process:
  solution_temperature_C: {min: 750, max: 1050, step: 50}
  quench: {choices: [water, air]}
"""


def read(folder: Path, question: str) -> Written:
    (folder / "campaign.yaml").write_text(question, encoding="utf-8")
    return read_written(folder / "campaign.yaml")


def space_of(folder: Path, question: str) -> DesignSpace:
    return design_space(read(folder, question), folder)[0]


def mistakes(folder: Path, question: str) -> list[str]:
    with pytest.raises(CampaignFileError) as caught:
        space_of(folder, question)
    return [str(problem) for problem in caught.value.problems]


def test_the_space_is_the_one_that_is_described(tmp_path: Path) -> None:
    space = space_of(tmp_path, QUESTION + PROCESS)
    assert space.elements == ("Nb", "Zr", "Ti")  # the balance last
    assert space.basis == "wt_pct"
    assert space.process == (
        Numeric("solution_temperature_C", 750, 1050, 50),
        Choice("quench", ("water", "air")),
    )
    # Nb 10..40, Zr 0..10 in whole per cent, less the 15 that break Nb + Zr <= 45; the balance always fits
    assert space.count == (31 * 11 - 15) * 7 * 2


def test_the_balance_may_have_bounds_of_its_own(tmp_path: Path) -> None:
    bounded = QUESTION.replace("elements:\n", "elements:\n    Ti: {min: 70, max: 75}\n")
    space = space_of(tmp_path, bounded)
    assert space.elements == ("Nb", "Zr", "Ti")
    # Nb + Zr is 25..30 with Zr 0..10: six sums, eleven ways each
    assert space.count == 6 * 11


def whole(space: DesignSpace) -> list[dict[str, float]]:
    """Every composition of a space by element [%], in the whole per cents that QUESTION's step gives."""
    rows = space.percent(space.between(0, space.count))
    return [dict(zip(space.elements, row, strict=True)) for row in rows.tolist()]


# Every composition of QUESTION, by two loops.
EVERY = [
    {"Nb": float(nb), "Zr": float(zr), "Ti": float(100 - nb - zr)}
    for nb in range(10, 41)
    for zr in range(11)
    if nb + zr <= 45
]


@pytest.mark.parametrize(
    ("keys", "keeps"),
    [
        ("present_above: 3", lambda a: all(amount == 0 or amount >= 3 for amount in a.values())),
        ("max_elements: 2", lambda a: sum(amount > 0 for amount in a.values()) <= 2),
        ("min_elements: 3", lambda a: sum(amount > 0 for amount in a.values()) >= 3),
        ("groups: {one: {of: [Nb, Zr], max_elements: 1}}", lambda a: (a["Nb"] > 0) + (a["Zr"] > 0) <= 1),
        ("groups: {both: {of: [Ti, Zr], min_elements: 2}}", lambda a: a["Ti"] > 0 and a["Zr"] > 0),
    ],
)
def test_keys_on_which_elements_are_present_mean_what_they_say(
    keys: str, keeps: Callable[[dict[str, float]], bool], tmp_path: Path
) -> None:
    space = space_of(tmp_path, QUESTION.replace("  rules:", f"  {keys}\n  rules:"))
    expected = [alloy for alloy in EVERY if keeps(alloy)]
    assert 0 < len(expected) < len(EVERY)
    assert sorted(map(str, whole(space))) == sorted(map(str, expected))


def test_rules_between_process_and_composition_are_read(tmp_path: Path) -> None:
    rule = "    - solution_temperature_C >= 1000 if Nb > 39\n    - quench is water if Zr > 9\n"
    space = space_of(tmp_path, QUESTION.replace("  - Nb + Zr <= 45\n", f"  - Nb + Zr <= 45\n{rule}") + PROCESS)
    expected = 0
    for alloy in EVERY:
        temperatures = [t for t in range(750, 1051, 50) if t >= 1000 or alloy["Nb"] <= 39]
        quenches = ["water"] if alloy["Zr"] > 9 else ["water", "air"]
        expected += len(temperatures) * len(quenches)
    assert space.count == expected


def test_a_process_number_without_a_step_takes_any_value(tmp_path: Path) -> None:
    space = space_of(tmp_path, QUESTION + "process:\n  laser_power_W: {min: 100, max: 300}\n")
    (power,) = space.process
    assert isinstance(power, Numeric)
    assert power.step is None
    assert power.takes(np.array([123.456])).all()


def test_the_example_of_the_file_formats_describes_a_space_that_holds_designs(tmp_path: Path) -> None:
    formats = (Path(__file__).parents[2] / "docs" / "file-formats.md").read_text(encoding="utf-8")
    example = formats.partition("```yaml\n")[2].partition("```")[0]
    assert space_of(tmp_path, example).count > 0


def test_bounds_off_the_step_are_rounded_inward_with_a_remark(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti", QUESTION.replace("{min: 0, max: 10}", "{min: 0.4, max: 9.7}"))
    snapshot = read_snapshot(Folder(folder))
    lattice = snapshot.space.lattice
    assert lattice is not None
    assert [float(bound[1] * lattice.unit) for bound in (lattice.lows, lattice.highs)] == [1, 9]
    assert any("Zr" in remark for remark in snapshot.remarks)


@pytest.mark.parametrize(
    ("goal", "meaning"),
    [
        ("{goal: minimize}", Minimize()),
        ("{goal: maximize}", Maximize()),
        ("{goal: report}", Report()),
        ("{goal: below, limit: 80}", Within(high=80)),
        ("{goal: above, limit: 500}", Within(low=500, high=inf)),
        ("{goal: between, low: 48, high: 52}", Within(48, 52)),
    ],
)
def test_a_goal_means_what_it_says(goal: str, meaning: object, tmp_path: Path) -> None:
    spec = read(tmp_path, QUESTION.replace("{goal: minimize}", goal)).spec
    assert spec.goals == {"youngs_modulus_GPa": meaning}


def test_columns_follow_from_the_question(tmp_path: Path) -> None:
    asked = read(tmp_path, QUESTION.replace("features:", "  phases: {goal: report, classes: {beta: beta}}\nfeatures:"))
    meant = layout(asked, design_space(asked)[0])
    assert meant.properties == ("youngs_modulus_GPa",)  # a class is no number
    assert meant.classes == {"phases": {"beta": ("beta",)}}
    assert (meant.basis, meant.balance) == ("wt_pct", "Ti")


@pytest.mark.parametrize(
    ("was", "now", "place", "says"),
    [
        ("step: 1\n", "step: 0\n", "line 6, composition.step", "greater than 0"),
        ("basis: wt_pct\n", "basis: percent\n", "line 4, composition.basis", "'at_pct' or 'wt_pct'"),
        ("  basis: wt_pct\n", "", "line 3, composition.basis", "missing"),
        ("max: 10}", "max: lots}", "line 9, composition.elements.Zr.max", "It says 'lots'"),
        ("max: 10}", "max: 101}", "line 9, composition.elements.Zr.max", "less than or equal to 100"),
        ("{min: 0, max: 10}", "{min: 8, max: 4}", "line 9, composition.elements.Zr", "8"),
        ("    Zr:", "    Zq:", "line 9, composition.elements.Zq", "'Zq'"),
        ("balance: Ti", "balance: Tt", "line 5, composition.balance", "'Tt'"),
        ("Nb: {min: 10, max: 40}", "Nb: {min: 70, max: 80, maxx: 3}", "composition.elements.Nb.maxx", "no such key"),
        ("Nb + Zr <= 45", "Nb + Zx <= 45", "line 11, composition.rules.0", "Zx"),
        ("Nb + Zr <= 45", "Nb + Zr", "line 11, composition.rules.0", "Nb + Zr"),
        ("rules:", "policy: implant-titanum\n  rules:", "line 10, composition.policy", "implant-titanum"),
        ("goal: minimize", "goal: minimise", "line 13, properties.youngs_modulus_GPa.goal", "'minimize'"),
        ("goal: minimize", "goal: below", "line 13, properties.youngs_modulus_GPa", "takes limit"),
        ("{goal: minimize}", "{goal: minimize, limit: 5}", "properties.youngs_modulus_GPa", "takes no number"),
        ("{goal: minimize}", "{goal: between, low: 60, high: 50}", "youngs_modulus_GPa", "nothing lies between"),
        ("model: gaussian-process", "model: gausian-process", "line 15, model", "no model named"),
        ("features: composition", "features: compositon", "line 14, features", "no feature set"),
        (
            "model: gaussian-process",
            "model: {youngs_GPa: forest}",
            "line 15, model.youngs_GPa",
            "no property youngs_GPa",
        ),
        (
            "model: gaussian-process",
            "model:\n  youngs_modulus_GPa: tree",
            "line 16, model.youngs_modulus_GPa",
            "'tree'",
        ),
        ("model: gaussian-process", "model: {youngs_modulus_GPa: 5}", "model.youngs_modulus_GPa", "It says 5"),
        ("model: gaussian-process", "model: [forest]", "line 15, model", "string"),
        ("batch: 2", "prepare: [select 8, scale]", "line 16, prepare.1", "'scale' is no step of preparation"),
        ("batch: 2", "prepare: [pca 5 of 9]", "line 16, prepare.0", "'pca 5 of 9' is no step"),
        ("batch: 2", "prepare:\n  - pca 0", "line 17, prepare.0", "Write merge repeats, select 8, pca 5, ica 5"),
        ("{goal: minimize}", "{goal: minimize, scale: ln}", "properties.youngs_modulus_GPa.scale", "'linear', 'log'"),
        ("{goal: minimize}", "{goal: report, classes: {soft: a}, scale: log}", "youngs_modulus_GPa", "has classes"),
        ("{goal: minimize}", "{goal: minimize, calculated: id}", "youngs_modulus_GPa.calculated", "every table has"),
        (
            "{goal: minimize}",
            "{goal: minimize, calculated: youngs_modulus_GPa}",
            "line 13, properties.youngs_modulus_GPa.calculated",
            "stands under properties",
        ),
        ("batch: 2", "batch: 0", "line 16, batch", "greater than or equal to 1"),
        ("seed: 3", "seed: -1", "line 17, seed", "greater than or equal to 0"),
        ("name: Small", "name: ''", "line 2, name", "at least 1 character"),
        ("name: Small", "name: Small\nname: Twice", "line 3", "duplicate key"),
        ("  step: 1", " step: 1", "line", "not YAML"),
        ("alloyloop: 1\n", "", "campaign.yaml", "alloyloop is missing"),
        ("alloyloop: 1", "alloyloop: 2", "line 1, alloyloop", "Install a newer alloyloop"),
        ("alloyloop: 1", "alloyloop: one", "line 1, alloyloop", "reads format 1"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_key(was: str, now: str, place: str, says: str, tmp_path: Path) -> None:
    assert was in QUESTION
    first = mistakes(tmp_path, QUESTION.replace(was, now))[0]
    assert first.startswith("campaign.yaml")
    assert place in first
    assert says in first


def test_each_property_may_have_a_model_of_its_own(tmp_path: Path) -> None:
    more = "{goal: minimize}\n  hardness_HV: {goal: report}"
    asked = QUESTION.replace("{goal: minimize}", more).replace(
        "model: gaussian-process", "model: {hardness_HV: forest}"
    )
    spec = read(tmp_path, asked).spec
    assert (spec.model_of("hardness_HV"), spec.model_of("youngs_modulus_GPa")) == ("forest", "auto")
    assert read(tmp_path, QUESTION).spec.model_of("anything") == "gaussian-process"


def test_a_property_in_words_has_no_model_of_numbers(tmp_path: Path) -> None:
    more = "{goal: minimize}\n  phases: {goal: report, classes: {beta: beta}}"
    asked = QUESTION.replace("{goal: minimize}", more).replace("model: gaussian-process", "model: {phases: {}}")
    (said,) = mistakes(tmp_path, asked.replace("{}", "extra-trees"))
    assert said.startswith("campaign.yaml, line 16, model.phases: There is no model named 'extra-trees'. Write auto ")
    assert read(tmp_path, asked.replace("{}", "naive-bayes")).spec.model_of("phases") == "naive-bayes"


def test_steps_of_preparation_and_the_scale_of_a_property_are_kept(tmp_path: Path) -> None:
    asked = QUESTION.replace("{goal: minimize}", "{goal: minimize, scale: log}") + "prepare: [select 12, pca 5]\n"
    spec = read(tmp_path, asked).spec
    assert spec.prepare == ("select 12", "pca 5")
    assert spec.properties["youngs_modulus_GPa"].scale == "log"
    plain = read(tmp_path, QUESTION).spec
    assert (plain.prepare, plain.properties["youngs_modulus_GPa"].scale) == ((), "auto")


def test_calculated_values_are_read_and_are_no_result(tmp_path: Path) -> None:
    asked = QUESTION.replace("{goal: minimize}", "{goal: minimize, calculated: dft_GPa}")
    rows = "id,status,Ti_wt_pct,Nb_wt_pct,youngs_modulus_GPa,dft_GPa\nA,known,70,30,72,80\nB,proposed,65,35,,75.5\n"
    table = read_snapshot(Folder(make(tmp_path / "ti", asked, rows))).table
    assert table.extra["dft_GPa"].tolist() == [80, 75.5]
    assert not any("with a result" in remark for remark in table.remarks)
    missing = read_snapshot(Folder(make(tmp_path / "none", asked)))
    assert any("there is no column dft_GPa" in remark for remark in missing.remarks)
    assert np.isnan(missing.table.extra["dft_GPa"]).all()


def test_the_tables_that_a_question_is_asked_with_lie_beside_it(tmp_path: Path) -> None:
    asked = QUESTION.replace("features: composition", "features: [vec, mine.csv, ../yours.csv]")
    assert read(tmp_path, asked).spec.tables == ("mine.csv",)
    assert read(tmp_path, QUESTION + "candidates: shelf.csv\n").spec.tables == ("shelf.csv",)


def test_an_element_that_the_policy_bars_is_refused_with_the_reason(tmp_path: Path) -> None:
    question = QUESTION.replace("Zr: {min", "Ni: {min").replace("Nb + Zr <= 45", "Nb + Ni <= 45")
    (only,) = mistakes(tmp_path, question.replace("rules:", "policy: implant-titanium\n  rules:"))
    assert "Ni is barred by the policy implant-titanium" in only


def test_bounds_that_leave_no_alloy_are_a_mistake(tmp_path: Path) -> None:
    (only,) = mistakes(
        tmp_path, QUESTION.replace("{min: 10, max: 40}", "{min: 95, max: 99}").replace("0, max", "9, max")
    )
    assert "composition.elements" in only


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    both = QUESTION.replace("max: 10}", "max: lots}").replace("batch: 2", "batch: none")
    assert len(mistakes(tmp_path, both)) == 2


def test_mistakes_of_elements_process_and_rules_are_named_at_once(tmp_path: Path) -> None:
    wrong = QUESTION.replace("Zr: {min: 0, max: 10}", "Zr: {min: 10, max: 0}")
    wrong = wrong.replace("Nb + Zr <= 45", "Nb + Cu <= 45") + PROCESS.replace("max: 1050", "max: 50")
    places = ["composition.elements.Zr", "process.solution_temperature_C", "composition.rules.0"]
    assert [said.split(": ")[0].split(", ")[-1] for said in mistakes(tmp_path, wrong)] == places


def test_a_process_variable_is_judged_as_what_it_was_meant_to_be(tmp_path: Path) -> None:
    number = mistakes(tmp_path, QUESTION + "process:\n  T_C: {min: 700, max: 900, stepp: 50}\n")
    assert [line.split(": ")[0] for line in number] == [
        "campaign.yaml, line 19, process.T_C.stepp",
    ]
    (choice,) = mistakes(tmp_path, QUESTION + "process:\n  quench: {choices: []}\n")
    assert choice.startswith("campaign.yaml, line 19, process.quench.choices")


MISTAKES_OF_SPACE = [
    ("{min: 0, max: 10}", "{min: 0.1, max: 0.9}", "line 9, composition.elements.Zr", "No multiple of Zr's step"),
    (
        "{min: 0, max: 10}",
        "{min: 95, max: 96}",
        "line 7, composition.elements",
        "The smallest amounts add up to 105 %, so that nothing is left for Ti.",
    ),
    (
        "Zr: {min: 0, max: 10}",
        "Zr: {min: 45, max: 50}\n    Ti: {min: 50, max: 90}",
        "line 7, composition.elements",
        "add up to 55 %, which leaves 45 % for Ti, and it must be at least 50 %",
    ),
    (
        "  rules:",
        "  present_above: 50\n  rules:",
        "line 10, composition.present_above",
        "Nb must be present, with 40 % at most",
    ),
    ("  rules:", "  min_elements: 4\n  rules:", "line 10, composition.min_elements", "there are 3: Nb, Zr, Ti"),
    (
        "  rules:",
        "  min_elements: 3\n  max_elements: 2\n  rules:",
        "line 10, composition.min_elements",
        "At least 3 elements are asked for, and at most 2",
    ),
    (
        "  rules:",
        "  groups:\n    soft: {of: [Nb, Ta], max_elements: 1}\n  rules:",
        "line 11, composition.groups.soft",
        "The group names Ta, which is not an element of this space (Nb, Zr, Ti)",
    ),
    (
        "  rules:",
        "  groups:\n    soft: {of: [Nb, Zr], min_elements: 3}\n  rules:",
        "line 11, composition.groups.soft",
        "At least 3 elements are asked for, and there are 2: Nb, Zr",
    ),
    (
        "  rules:",
        "  groups:\n    soft: {of: [Nb, Zr]}\n  rules:",
        "line 11, composition.groups.soft",
        "a group takes min_elements, max_elements or both",
    ),
    ("  step: 1\n", "", "line 3, composition.step", "This key is missing"),
    ("Nb + Zr <= 45", "Nb / Tb <= 3", "line 11, composition.rules.0", "names Tb"),
    ("Nb + Zr <= 45", "Nb >= 20 if quench is water", "line 11, composition.rules.0", "quench"),
    ("properties:", "rules: [Nb <= 3]\nproperties:", "line 12, rules", "stand under composition. Move them there."),
    ("properties:", "process:\n  Zr: {min: 1, max: 2}\nproperties:", "line 13, process.Zr", "is an element of this"),
    (
        "properties:",
        "conditions:\n  youngs_modulus_GPa: {at: 3}\nproperties:",
        "line 15, properties.youngs_modulus_GPa",
        "youngs_modulus_GPa stands under conditions too",
    ),
]


@pytest.mark.parametrize(("was", "now", "place", "says"), MISTAKES_OF_SPACE)
def test_a_mistake_of_the_space_is_named_with_its_line(
    was: str, now: str, place: str, says: str, tmp_path: Path
) -> None:
    assert was in QUESTION
    (only,) = mistakes(tmp_path, QUESTION.replace(was, now))
    assert only.startswith(f"campaign.yaml, {place}: ")
    assert says in only


def test_every_mistake_of_the_rules_is_named(tmp_path: Path) -> None:
    rules = "    - Nb + Ta >= 3\n    - quench is water\n    - Nb >= 12\n    - Nb >="
    found = mistakes(tmp_path, QUESTION.replace("    - Nb + Zr <= 45", rules))
    assert [line.split(": ")[0].rpartition(" ")[2] for line in found] == [f"composition.rules.{i}" for i in (0, 1, 3)]


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        (
            "max: 10}",
            "max: 61}",
            "line 7, composition.elements: the largest amounts add up to 101 %, so Ti may fall to 0",
        ),
        ("  rules:", "  present_above: 11\n  rules:", "line 10, composition.present_above: Zr is never present"),
    ],
)
def test_what_may_not_be_meant_is_remarked(was: str, now: str, says: str, tmp_path: Path) -> None:
    remarks = read_snapshot(Folder(make(tmp_path / "ti", QUESTION.replace(was, now)))).remarks
    assert any(says in remark for remark in remarks)
    bounded = QUESTION.replace("max: 10}", "max: 61}\n    Ti: {min: 1, max: 90}")
    assert read_snapshot(Folder(make(tmp_path / "bounded", bounded))).remarks == ()


MODULUS, STRENGTH = "youngs_modulus_GPa", "yield_strength_MPa"


@pytest.mark.parametrize(
    ("goals", "place", "says"),
    [
        ({MODULUS: "goal: match, target: 50"}, MODULUS, "the goal match takes target and tolerance, and here target"),
        ({MODULUS: "goal: match, tolerance: 2"}, MODULUS, "takes target and tolerance, and here tolerance is given"),
        ({MODULUS: "goal: minimize, target: 50"}, MODULUS, "the goal minimize takes no number, and here target is"),
        ({MODULUS: "goal: match, target: 50, tolerance: 0"}, f"{MODULUS}.tolerance", "greater than 0. It says 0"),
        ({MODULUS: "goal: minimize, weight: -1"}, f"{MODULUS}.weight", "greater than 0. It says -1"),
        ({MODULUS: "goal: minimize, weight: 0"}, f"{MODULUS}.weight", "greater than 0. It says 0"),
        ({MODULUS: "goal: report, weight: 1"}, MODULUS, "a weight is for what is wanted"),
        ({MODULUS: "goal: below, limit: 60, reference: 70"}, MODULUS, "a reference is for what is pursued"),
        ({MODULUS: "goal: minimize, reference: 70"}, f"{MODULUS}.reference", "and here one property is pursued"),
        (
            {MODULUS: "goal: minimize, weight: 2", STRENGTH: "goal: maximize"},
            STRENGTH,
            f"{STRENGTH} is pursued without a weight, and {MODULUS} with one",
        ),
        (
            {MODULUS: "goal: minimize, weight: 2, reference: 70", STRENGTH: "goal: maximize, weight: 1"},
            f"{MODULUS}.reference",
            "and here weights make one number",
        ),
    ],
)
def test_goals_that_contradict_themselves_or_each_other_are_named(
    goals: dict[str, str], place: str, says: str, tmp_path: Path
) -> None:
    written = "\n  ".join(f"{name}: {{{goal}}}" for name, goal in goals.items())
    (only,) = mistakes(tmp_path, QUESTION.replace(f"{MODULUS}: {{goal: minimize}}", written))
    assert f"properties.{place}: " in only
    assert says in only


def test_weights_and_references_are_those_given(tmp_path: Path) -> None:
    question = QUESTION.replace(
        "{goal: minimize}",
        "{goal: minimize, weight: 2}\n  yield_strength_MPa: {goal: match, target: 800, tolerance: 20, weight: 0.5}\n"
        "  hardness_HV: {goal: above, limit: 200, weight: 3}\n  elongation_pct: {goal: below, limit: 9}",
    )
    spec = read(tmp_path, question).spec
    assert spec.weights == {"youngs_modulus_GPa": 2, "yield_strength_MPa": 0.5, "hardness_HV": 3}
    assert spec.goals["yield_strength_MPa"] == Match(800, 20)
    front = "{goal: minimize, reference: 90}\n  yield_strength_MPa: {goal: maximize}"
    assert read(tmp_path, QUESTION.replace("{goal: minimize}", front)).spec.references == {"youngs_modulus_GPa": 90}


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a\n- list\n", "just words\n"])
def test_a_file_without_keys_is_refused_whole(text: str, tmp_path: Path) -> None:
    (only,) = mistakes(tmp_path, text)
    assert only.startswith("campaign.yaml: This file is")


def test_a_byte_order_mark_before_the_question_changes_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeff" + QUESTION).spec == read(tmp_path, QUESTION).spec


def test_check_says_when_nothing_can_be_suggested(tmp_path: Path) -> None:
    found = check(Folder(make(tmp_path / "ti", QUESTION.replace("minimize", "report"))))
    assert found.problems == ()
    assert any("No property is minimised, maximised or brought to a target" in remark for remark in found.remarks)
