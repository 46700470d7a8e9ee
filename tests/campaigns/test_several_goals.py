"""Campaigns that pursue several goals, through every verb: a process study, and the built-in campaign."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scipy.stats import norm

from alloyloop.campaigns.campaign import Campaign

from .folders import alloyloop, make
from .process_study import QUESTION as STUDY

pytestmark = pytest.mark.torch

STRENGTH, ELONGATION = "yield_strength_MPa", "elongation_pct"
QUESTION = STUDY.replace(
    "relative_density_pct: {goal: maximize}", f"{STRENGTH}: {{goal: maximize}}\n  {ELONGATION}: {{goal: maximize}}"
)
EXPERIMENTS = f"""\
id,status,round,laser_power_W,scan_speed_mm_per_s,gas,{STRENGTH},{ELONGATION},reason,note
A,known,,200,400,argon,480,42,,
B,known,,300,400,argon,455,51,,
C,known,,300,800,nitrogen,560,38,,
D,known,,250,600,,530,33,,
E,known,,350,900,argon,575,30,,
"""
WEIGHED = QUESTION.replace("{goal: maximize}", "{goal: maximize, weight: 2}", 1).replace(
    f"{ELONGATION}: {{goal: maximize}}", f"{ELONGATION}: {{goal: maximize, weight: 1}}"
)
MATCHED = QUESTION.replace(
    f"{STRENGTH}: {{goal: maximize}}", f"{STRENGTH}: {{goal: match, target: 520, tolerance: 15}}"
)


def decision(folder: Path, number: int = 1) -> dict[str, object]:
    read: dict[str, object] = json.loads((folder / "rounds" / f"{number:03d}" / "decision.json").read_text("utf-8"))
    return read


@pytest.mark.parametrize("question", [QUESTION, WEIGHED, MATCHED], ids=["a front", "weights", "a target"])
def test_a_process_study_of_strength_and_ductility(question: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "study", question, EXPERIMENTS)
    assert alloyloop("check", folder).code == 0

    proposed = alloyloop("suggest", folder, "-n", 2, "--json").json["proposals"]
    assert [alloy["id"] for alloy in proposed] == ["R001-1", "R001-2"]
    for alloy in proposed:
        assert set(alloy["predicted"]) == {STRENGTH, ELONGATION}
        assert alloy["gain"] >= 0
        assert "expected gain" in alloy["why"]
    stop = alloyloop("status", folder, "--json").json["stop"]
    assert {"round", "expected_gain", "measurement_noise", "chance_to_gain_more_than_noise", "regret"} <= set(stop)

    told = alloyloop("record", folder, "R001-1", f"{STRENGTH}=600", f"{ELONGATION}=52")
    assert f"R001-1 {STRENGTH}: 600 came" in told.out
    assert f"R001-1 {ELONGATION}: 52 came" in told.out

    status = alloyloop("status", folder, "--json").json
    assert status["pending"] == ["R001-2"]
    best = alloyloop("best", folder, "--json").json["alloys"]
    if question == QUESTION:  # it is better than any other in both
        assert [alloy["id"] for alloy in status["best"]["front"]] == ["R001-1"]
        assert (best[0]["id"], best[0]["why"]) == ("R001-1", "On the Pareto front.")
        assert best[1]["why"].startswith("Not on the Pareto front")
    elif question == WEIGHED:
        assert status["best"]["id"] == best[0]["id"] == "R001-1"
    else:  # D is 10 MPa off, C 40, A 40, E 55, B 65 and R001-1 80; C is as near as A and less ductile
        assert [alloy["id"] for alloy in status["best"]["front"]] == ["D", "A", "B", "R001-1"]
        assert set(best[0]["probability"]) == {STRENGTH, "all"}
        strength = best[0]["predicted"][STRENGTH]  # all but normal, whatever scale it was modelled on
        normal = norm(strength["mean"], strength["std"])
        assert best[0]["probability"]["all"] == pytest.approx(normal.cdf(535) - normal.cdf(505), abs=0.02)

    named = "laser_power_W=200, scan_speed_mm_per_s=800, gas=argon"
    assert set(alloyloop("predict", folder, named, "--json").json["alloys"][0]["predicted"]) == {STRENGTH, ELONGATION}
    explained = alloyloop("explain", folder, "R001-1")
    assert explained.code == 0
    assert "Round 1 chose it: " in explained.out
    assert "Runner-up: " in explained.out
    screened = alloyloop("screen", folder, "--top", 2, "--json").json
    assert len(screened["front_axes"]) == 2
    assert alloyloop("melt-sheet", folder).code == 1  # nothing is melted
    assert alloyloop("report", folder).code == 0
    assert "Expected and measured" in (folder / "report.html").read_text("utf-8")

    again = alloyloop("suggest", folder, "-n", 1, "--json").json
    assert again["round"] == 2
    assert again["proposals"][0]["id"] == "R002-1"


def test_the_built_in_campaign_with_a_second_goal(tmp_path: Path) -> None:
    folder = tmp_path / "ti"
    Campaign.new(folder, "beta-ti")
    file = folder / "campaign.yaml"
    file.write_text(
        file.read_text("utf-8")
        .replace("{goal: minimize}", "{goal: minimize}\n  ultimate_tensile_strength_MPa: {goal: maximize}")
        .replace("features: auto\nmodel: auto", "features: composition\nmodel: gaussian-process")
        .replace("explore: 0.68\n", ""),
        "utf-8",
    )
    assert alloyloop("check", folder).code == 0
    before = alloyloop("status", folder, "--json").json["best"]
    assert before["unit"] == "GPa·MPa"
    assert all({"youngs_modulus_GPa", "ultimate_tensile_strength_MPa"} <= set(alloy) for alloy in before["front"])

    assert len(alloyloop("suggest", folder, "--json").json["proposals"]) == 4
    rule = decision(folder)["acquisition"]
    assert isinstance(rule, dict)
    assert rule["name"] == "log-expected-hypervolume-improvement"
    assert alloyloop("melt-sheet", folder).code == 0

    # SYNTHETIC: softer and stronger than anything known, so that it is the whole front.
    results = ("youngs_modulus_GPa=30", "ultimate_tensile_strength_MPa=2000")
    assert alloyloop("record", folder, "R001-1", *results).code == 0
    assert alloyloop("record", folder, "R001-2", "--status", "failed", "--because", "cracked").code == 0
    after = alloyloop("status", folder, "--json").json["best"]
    assert [alloy["id"] for alloy in after["front"]] == ["R001-1"]
    assert alloyloop("best", folder, "-n", 2, "--json").json["alloys"][0]["id"] == "R001-1"
    assert alloyloop("explain", folder, "R001-1").code == 0
    assert alloyloop("screen", folder, "--range", "0:20000", "--top", 1, "--json").json["front_axes"]
    assert alloyloop("report", folder).code == 0
