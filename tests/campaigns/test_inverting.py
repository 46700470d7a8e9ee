"""From wanted properties to alloys: what is answered, how likely that is, and what is said where nothing is."""

from __future__ import annotations

import re
from math import erf, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alloyloop.campaigns.asking import question
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.inverting import Inverted
from alloyloop.campaigns.snapshot import Snapshot
from alloyloop.design.goals import Within
from alloyloop.surrogates.errors import AlloyloopError

from . import process_study
from .folders import QUESTION, alloyloop, contents, make

pytestmark = pytest.mark.torch

E_GPa, YS_MPa = "youngs_modulus_GPa", "yield_strength_MPa"
PROPERTIES = f"""\
properties:
  {E_GPa}: {{goal: between, low: 58, high: 62}}
  {YS_MPa}: {{goal: report}}
  phases: {{goal: report, classes: {{beta: [beta], other: ["*"]}}}}
"""
PLANTED = QUESTION[: QUESTION.index("properties:")] + PROPERTIES + QUESTION[QUESTION.index("features:") :]


def modulus(niobium: float, zirconium: float) -> float:
    """SYNTHETIC: a slope in both elements, 60 GPa along a line through the space."""
    return 100 - 1.2 * niobium - 0.8 * zirconium


def table(n: int = 30, noise: float = 0.5) -> str:
    """SYNTHETIC alloys: the modulus as above, the strength rising with niobium, beta from 22 wt.% Nb on."""
    rng = np.random.default_rng(3)
    lines = [f"id,status,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,{E_GPa},{YS_MPa},phases"]
    for i in range(n):
        niobium, zirconium = int(rng.integers(10, 41)), int(rng.integers(0, 11))
        measured = modulus(niobium, zirconium) + rng.normal(0, noise)
        strength, found = 400 + 10 * niobium + rng.normal(0, 5), "beta" if niobium >= 22 else "alpha"
        amounts = f"{100 - niobium - zirconium},{niobium},{zirconium}"
        lines.append(f"A{i},known,{amounts},{measured:.2f},{strength:.1f},{found}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("inverting") / "ti", PLANTED, table())


@pytest.fixture(scope="module")
def soft(folder: Path) -> Inverted:
    """What is asked of most: the campaign's own modulus, which the planted slope meets."""
    return Campaign(folder).inverse({E_GPa: (58, 62), "phases": "beta"}, 3)


@pytest.fixture(scope="module")
def impossible(folder: Path) -> Inverted:
    """Softer than any design of the space: 40 Nb and 5 Zr make 48 GPa."""
    return Campaign(folder).inverse([f"{E_GPa} between 36 and 40", f"{YS_MPa} above 500"], 2)


def amounts(alloy: Any) -> tuple[float, float]:
    held = alloy.composition.wt_pct
    return held.get("Nb", 0.0), held.get("Zr", 0.0)


# -- what is answered -------------------------------------------------------------------------------------------------


def test_answers_have_what_is_wanted_where_the_truth_is_known(soft: Inverted) -> None:
    assert [alloy.id for alloy in soft] == ["A1", "A2", "A3"]
    for alloy in soft:
        niobium, zirconium = amounts(alloy)
        assert 58 <= modulus(niobium, zirconium) <= 62
        assert niobium >= 22
    assert soft.reach.reachable


def test_answers_are_different_designs_on_the_step_inside_the_rules(soft: Inverted) -> None:
    made = {amounts(alloy) for alloy in soft}
    assert len(made) == 3
    assert all(niobium % 1 == 0 and zirconium % 1 == 0 and niobium + zirconium <= 45 for niobium, zirconium in made)


def test_the_probability_is_told_of_every_want_and_of_all_together(soft: Inverted) -> None:
    for alloy in soft:
        assert list(alloy.probability) == [f"{E_GPa} between 58 and 62", "phases is beta", "all"]
        assert alloy.probability["all"] <= min(alloy.probability.values())


def test_answers_come_likeliest_first(soft: Inverted) -> None:
    percents = [round(alloy.probability["all"], 2) for alloy in soft]
    assert percents == sorted(percents, reverse=True)


def test_what_is_fixed_holds_in_every_answer(folder: Path) -> None:
    for alloy in Campaign(folder).inverse(fix=["Zr=10", "Nb=20..26"], n=3):
        niobium, zirconium = amounts(alloy)
        assert zirconium == 10
        assert 20 <= niobium <= 26


def test_nothing_said_asks_for_the_goals_of_the_campaign(folder: Path) -> None:
    assert Campaign(folder).inverse(n=1).asked.words == (f"{E_GPa} between 58 and 62",)


def test_what_is_pursued_is_pushed_while_the_rest_stays_likely_enough(folder: Path) -> None:
    """Stronger is more niobium, and above 55 GPa at most 37 of it: the best lies by that end, the worst at 10."""
    hard, weak = (
        Campaign(folder).inverse([f"{E_GPa} above 55", f"{way} {YS_MPa}"], 1)[0] for way in ("maximize", "minimize")
    )
    assert 33 <= amounts(hard)[0] <= 37
    assert amounts(weak)[0] == 10
    assert hard.probability["all"] >= 0.8
    assert list(hard.probability) == [f"{E_GPa} above 55", "all"]


def test_a_formula_is_wanted_like_a_property(folder: Path) -> None:
    """A specific strength: 400 + 10 Nb over 100 - 1.2 Nb - 0.8 Zr reaches 12 from about 33 Nb and 8 Zr on."""
    inverted = Campaign(folder).inverse(f"{YS_MPa} / {E_GPa} above 12", 2)
    for alloy in inverted:
        niobium, zirconium = amounts(alloy)
        assert (400 + 10 * niobium) / modulus(niobium, zirconium) > 12
    assert inverted[0].probability["all"] > 0.8


def test_without_noise_the_alloy_itself_is_asked_for(folder: Path, soft: Inverted) -> None:
    (itself,) = Campaign(folder).inverse({E_GPa: (59, 61)}, 1, noise=False)
    (measured,) = Campaign(folder).inverse({E_GPa: (59, 61)}, 1)
    assert itself.probability["all"] > measured.probability["all"]


def test_the_same_folder_gives_the_same_answer(folder: Path, soft: Inverted) -> None:
    again = Campaign(folder).inverse({E_GPa: (58, 62), "phases": "beta"}, 3)
    assert again.json() == soft.json()


def test_the_folder_is_only_read(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti", PLANTED, table(12))
    before = contents(folder)
    Campaign(folder).inverse(n=1)
    assert contents(folder) == before


def test_failed_melts_make_their_like_unlikely(tmp_path: Path) -> None:
    failed = "".join(f"F{i},failed,{60 - i},{40 - i},{2 * i},,,\n" for i in range(5))
    inverted = Campaign(make(tmp_path / "ti", PLANTED, table(24) + failed)).inverse(n=1)
    (alloy,) = inverted
    assert alloy.probability["all"] <= alloy.probability["succeeds"]
    assert alloy.probability["succeeds"] < 1


def test_scatter_of_what_is_made_lowers_what_is_promised(tmp_path: Path) -> None:
    exact = make(tmp_path / "exact", PLANTED, table())
    loose = make(tmp_path / "loose", PLANTED.replace("  rules:", "  made_within: {Nb: 2}\n  rules:"), table())
    (sure,), (less,) = (Campaign(each).inverse(n=1) for each in (exact, loose))
    assert less.probability["all"] < sure.probability["all"] - 0.1


def test_a_process_study_answers_with_treatments(tmp_path: Path) -> None:
    folder = make(tmp_path / "lpbf", process_study.QUESTION, process_study.EXPERIMENTS)
    inverted = Campaign(folder).inverse("relative_density_pct above 97", 2, fix=["gas=argon"])
    assert {alloy.process["gas"] for alloy in inverted} == {"argon"}
    assert {step.name for step in inverted.solutions[0].steps} <= {"laser_power_W", "scan_speed_mm_per_s"}


# -- drivers ----------------------------------------------------------------------------------------------------------


def test_a_step_is_told_with_the_chance_of_the_design_that_it_leads_to(folder: Path, soft: Inverted) -> None:
    snapshot = Campaign(folder).snapshot()
    asked = question(snapshot, {E_GPa: (58, 62), "phases": "beta"})
    niobium, zirconium = amounts(soft[0])
    for step in soft.solutions[0].steps:
        moved = {"Nb": niobium, "Zr": zirconium, step.name: float(step.to)}
        percent = np.array([[moved["Nb"], moved["Zr"], 100 - moved["Nb"] - moved["Zr"]]])
        point, near = snapshot.space.snap(percent, {})
        assert near.all()
        assert step.chance == pytest.approx(asked.chance(asked.alloys(point))[0])
    assert {step.name for step in soft.solutions[0].steps} == {"Nb", "Zr"}


def test_rules_of_thumb_say_where_it_is_likely(folder: Path) -> None:
    """The planted alloys are beta from 22 wt.% Nb on."""
    rules = Campaign(folder).inverse("phases is beta", 1).rule_words
    assert 1 <= len(rules) <= 4
    for words in rules:
        found = re.fullmatch(r"Where Nb is (?:at least )?(\S+) .*wt.%.*: (\d+) of (\d+) designs\.", words)
        assert found is not None, words
        assert float(found[1]) >= 20
        assert 2 * int(found[2]) > int(found[3])


# -- where nothing reaches it -----------------------------------------------------------------------------------------


def test_what_is_in_the_way_is_named(impossible: Inverted) -> None:
    assert not impossible.reach.reachable
    assert impossible.reach.bottleneck == f"{E_GPa} between 36 and 40"
    said = "\n".join(impossible.lines())
    assert "Nothing in this space reaches 80%" in said
    assert f"The bottleneck is '{E_GPa} between 36 and 40'." in said


def test_asked_with_the_wider_limits_that_are_told_it_is_reached(folder: Path, impossible: Inverted) -> None:
    low, high = impossible.reach.relaxed[f"{E_GPa} between 36 and 40"]
    assert low <= 36
    assert high >= 40
    again = Campaign(folder).inverse({E_GPa: (low - 0.5, high + 0.5), YS_MPa: (500, None)}, 1)
    assert again.reach.reachable


def test_that_tests_scatter_more_than_the_limits_are_apart_is_said(tmp_path: Path) -> None:
    """Half a GPa to either side of what scatters by σ is met with erf(0.5 / σ√2), however well the alloy is known."""
    campaign = Campaign(make(tmp_path / "ti", PLANTED, table(noise=4.0)))
    inverted = campaign.inverse({E_GPa: (59.5, 60.5)}, 1)
    noise = inverted.asked.wanted.numbers[E_GPa].about(inverted.asked.alloys(_points(campaign.snapshot()))).noise[0]
    assert inverted.limits_of_testing[f"{E_GPa} between 59.5 and 60.5"] == pytest.approx(erf(0.5 / noise / sqrt(2)))
    assert inverted.reach.best < 0.5
    assert any(line.startswith("Tests scatter: even an alloy that truly lies amid") for line in inverted.lines())
    assert campaign.inverse({E_GPa: (59.5, 60.5)}, 1, noise=False).limits_of_testing == {}


def _points(snapshot: Snapshot) -> Any:
    """Any design: the scatter of a test is the same for all, where the property is not on another scale."""
    return snapshot.space.between(0, 1)


def test_what_lies_beyond_the_data_is_remarked_on(impossible: Inverted) -> None:
    assert any("lies below all 30 rows of the table" in remark for remark in impossible.asked.remarks)


# -- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--want", f"{E_GPa} above 60", "--want", f"{E_GPa} below 50"], "No alloy meets both"),
        (["--want", "phases is beta", "--want", "phases is other"], "No alloy meets both"),
        (["--fix", "Ta=0"], "Ta is not in this space"),
        (["--fix", "Nb=60..70"], "Nb is to be 60 to 70 %, and the space has it from 10 to 40 %"),
        (["--fix", "Nb=20.5"], "No multiple of Nb's step 1 % lies between 20.5 and 20.5 %"),
        (["--probability", "80"], "A probability of 80 cannot be asked for"),
        (["-n", "0"], "0 alloys cannot be answered with"),
        (["--want", "youngs_modulus_MPa below 60000"], "60000 MPa are 60 GPa"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_1(folder: Path, arguments: list[str], said: str) -> None:
    told = alloyloop("inverse", folder, *arguments)
    assert told.code == 1
    assert told.out == ""
    assert re.search(said, told.err), told.err
    assert len(told.err.splitlines()) == 1


def test_what_is_not_measured_yet_is_said_in_one_sentence(tmp_path: Path) -> None:
    bare = "id,status,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct\nA,proposed,80,20,0\n"
    with pytest.raises(AlloyloopError, match=f"Of {E_GPa} nothing is measured yet that could be learned from"):
        Campaign(make(tmp_path / "ti", PLANTED, bare)).inverse()


@pytest.mark.parametrize("arguments", [[], ["DIR", "--data", "t.csv"], ["DIR", "--inputs", "*_wt_pct"]])
def test_a_campaign_or_a_table_is_asked_and_not_both(folder: Path, arguments: list[str]) -> None:
    told = alloyloop("inverse", *[str(folder) if each == "DIR" else each for each in arguments])
    assert told.code == 2


# -- how it is shown --------------------------------------------------------------------------------------------------


def test_json_has_the_keys_of_the_manual(folder: Path) -> None:
    told = alloyloop(
        "inverse", folder, "--want", f"{E_GPa} in 58..62", "--want", "phases is beta", "-n", 1, "--json"
    ).json
    assert told["reachable"] is True
    assert set(told) >= {"answers", "bottleneck", "relaxed", "chance_left", "where", "rules", "remarks"}
    (answer,) = told["answers"]
    assert set(answer) >= {"id", "composition", "basis", "other_basis", "process", "predicted", "nearest"}
    assert set(answer["probability"]) == {f"{E_GPa} between 58 and 62", "phases is beta", "all"}
    assert set(answer["predicted"]) == {E_GPa, YS_MPa, "phases"}
    assert set(answer["surer"]) >= {"want", "measure", "confirmed", "other"}
    assert {"name", "from", "to", "probability"} == set(answer["drivers"][0])
    assert sum(answer["composition"].values()) == pytest.approx(100)


def test_a_table_without_a_campaign_is_asked_the_same(tmp_path: Path) -> None:
    data = tmp_path / "mine.csv"
    data.write_text(table(8), encoding="utf-8")
    asked = ("--inputs", "*_wt_pct", "--want", f"{E_GPa} between 58 and 62", "-n", 1, "--json")
    (answer,) = alloyloop("inverse", "--data", data, *asked).json["answers"]
    held = answer["composition"]
    assert modulus(held.get("Nb", 0), held.get("Zr", 0)) == pytest.approx(60, abs=2)


def test_a_person_reads_a_table_then_each_alloy_then_what_follows(folder: Path) -> None:
    lines = alloyloop("inverse", folder, "-n", 2).out.splitlines()
    assert lines[0] == f"2 alloys for: {E_GPa} between 58 and 62."
    assert lines[2].split()[:2] == ["id", "alloy"]
    told = "\n".join(lines)
    assert "\nA1  Ti-" in told
    assert "The space reaches 80%" in told
    assert "ule of thumb tells where the chance reaches 80%" in told  # the band is narrow, and oblique


def test_a_known_alloy_among_the_answers_is_said_to_be_known(tmp_path: Path) -> None:
    known = table() + "GOOD,known,64,30,6,59.2,700,beta\n"  # 100 - 36 - 4.8
    inverted = Campaign(make(tmp_path / "ti", PLANTED, known)).inverse(fix=["Nb=30", "Zr=6"], n=1)
    said = f"It is the composition of GOOD, of which was measured: {E_GPa} 59.2, {YS_MPa} 700, phases beta."
    assert any(said in line for line in inverted.lines())


def test_it_shows_itself_in_a_notebook(soft: Inverted) -> None:
    shown = soft._repr_html_()
    assert len(soft) == 3
    assert all(alloy.name in shown for alloy in soft)
    assert "The space reaches 80%" in shown


def test_what_is_wanted_becomes_the_goal_that_is_learned_for(soft: Inverted) -> None:
    goals = soft.asked.snapshot.goals
    assert goals[E_GPa] == Within(58, 62)
    assert type(goals[YS_MPa]).__name__ == "Report"
