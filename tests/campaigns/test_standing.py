"""Which measured alloys are best: by one number, or by Pareto fronts. What is expected was worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.snapshot import Snapshot
from alloyloop.campaigns.standing import Standing, standing

from .folders import alloyloop
from .written import EXPERIMENTS, HEADER, QUESTION, written

MODULUS, STRENGTH = "youngs_modulus_GPa", "yield_strength_MPa"
# Of EXPERIMENTS: A has 70 GPa and 600 MPa, B 55 and 400, R001-1 60 and 550, R001-2 90 and 700.
SEVERAL = QUESTION.replace("{goal: above, limit: 500}", "{goal: maximize}")
WEIGHED = SEVERAL.replace("{goal: minimize}", "{goal: minimize, weight: 2}").replace(
    "{goal: maximize}", "{goal: maximize, weight: 1}"
)
MATCH = SEVERAL.replace("{goal: minimize}", "{goal: match, target: 62, tolerance: 3}")


def of(path: Path, question: str = SEVERAL, experiments: str = EXPERIMENTS) -> Standing:
    stands = standing(written(path, question, experiments))
    assert stands is not None
    return stands


def ids(snapshot: Snapshot) -> list[str]:
    stands = standing(snapshot)
    assert stands is not None
    return [snapshot.table.ids[row] for row in stands.rows]


def test_of_several_goals_those_that_nothing_beats_come_first_in_the_order_of_the_first_goal(tmp_path: Path) -> None:
    # F, with 60 GPa and 500 MPa, is no better than R001-1 in anything; G is worse than F.
    more = "F,known,,,72,28,0,,,60,,,500,,,\nG,known,,,73,27,0,,,61,,,400,,,\n"
    snapshot = written(tmp_path, SEVERAL, EXPERIMENTS + more)
    assert ids(snapshot) == ["B", "R001-1", "A", "R001-2", "F", "G"]
    stands = standing(snapshot)
    assert stands is not None
    assert stands.ranks.tolist() == [0, 0, 0, 0, 1, 2]
    assert len(stands.first.rows) == 4


def test_an_alloy_that_lacks_one_of_the_pursued_is_not_ranked(tmp_path: Path) -> None:
    more = "F,known,,,72,28,0,,,40,,,,,,\nG,known,,,73,27,0,,,,,,900,,,\n"
    assert ids(written(tmp_path, SEVERAL, EXPERIMENTS + more)) == ["B", "R001-1", "A", "R001-2"]


def test_weights_make_one_number_in_units_of_what_is_usual(tmp_path: Path) -> None:
    # The four lie 13.405 GPa and 108.25 MPa apart, as standard deviations: -2 E / 13.405 + R / 108.25 is -4.51 for B,
    # -3.87 for R001-1, -4.90 for A and -6.96 for R001-2.
    assert ids(written(tmp_path, WEIGHED)) == ["R001-1", "B", "A", "R001-2"]
    # With twenty times the weight, the softest wins; with a twentieth, the strongest.
    assert ids(written(tmp_path / "soft", WEIGHED.replace("weight: 2", "weight: 20")))[0] == "B"
    assert ids(written(tmp_path / "strong", WEIGHED.replace("weight: 2", "weight: 0.1")))[0] == "R001-2"


def test_weights_of_limits_make_no_number(tmp_path: Path) -> None:
    limited = QUESTION.replace("limit: 500}", "limit: 500, weight: 3}")
    stands = of(tmp_path, limited)
    assert (stands.weights, stands.is_by_one) == ({}, True)
    assert ids(written(tmp_path / "again", limited)) == ["R001-1", "A", "R001-2"]


def test_one_goal_with_a_weight_is_one_goal(tmp_path: Path) -> None:
    stands = of(tmp_path, QUESTION.replace("minimize}", "minimize, weight: 3}"))
    assert (stands.weights, stands.is_by_one) == ({}, True)


def test_an_alloy_of_another_class_than_is_asked_for_is_not_ranked(tmp_path: Path) -> None:
    # B has omega beside beta.
    asked = SEVERAL.replace("  phases: {goal: report", "  phases: {goal: is, value: beta")
    assert ids(written(tmp_path, asked)) == ["R001-1", "A", "R001-2"]


def test_of_a_target_the_nearest_is_best(tmp_path: Path) -> None:
    only = QUESTION.replace("{goal: minimize}", "{goal: match, target: 68, tolerance: 3}")
    assert ids(written(tmp_path, only)) == ["A", "R001-1", "R001-2"]  # 2, 8 and 22 GPa off; B is too weak
    # 62 GPa: R001-1 is 2 off, B 7, A 8, R001-2 28; B, nearer than A, has less strength than R001-1.
    assert of(tmp_path / "both", MATCH).ranks.tolist() == [0, 0, 0, 1]


def test_the_hypervolume_is_counted_from_a_tenth_beyond_the_front(tmp_path: Path) -> None:
    # 55 to 90 GPa and 400 to 700 MPa: from 93.5 GPa and 370 MPa. In strips of the modulus, 5 · 30 + 10 · 180 + 20 · 230
    # + 3.5 · 330 = 7705.
    stands = of(tmp_path)
    assert stands.reference.point == pytest.approx({MODULUS: 93.5, STRENGTH: 370})
    assert stands.reference.why == "10% of the front's range beyond its worst"
    assert stands.hypervolume(stands.reference) == pytest.approx(7705)
    assert stands.unit == "GPa·MPa"


def test_a_reference_that_is_given_is_kept(tmp_path: Path) -> None:
    # From 80 GPa: 5 · 30 + 10 · 180 + 10 · 230 = 4250, and R001-2 counts nothing.
    given = of(tmp_path, SEVERAL.replace("minimize}", "minimize, reference: 80}"))
    assert given.reference.point == pytest.approx({MODULUS: 80, STRENGTH: 370})
    assert given.reference.why == (
        "Young's modulus: as campaign.yaml says; yield strength: 10% of the front's range beyond its worst"
    )
    assert given.hypervolume(given.reference) == pytest.approx(4250)
    both = SEVERAL.replace("minimize}", "minimize, reference: 80}").replace("maximize}", "maximize, reference: 500}")
    # 10 · 50 + 10 · 100 = 1500; B is too weak to count.
    all_given = of(tmp_path / "both", both)
    assert all_given.reference.why == "as campaign.yaml says"
    assert all_given.hypervolume(all_given.reference) == pytest.approx(1500)


def test_the_reference_of_a_target_is_a_value_as_far_from_it(tmp_path: Path) -> None:
    # The front is R001-1, A and R001-2: 2, 8 and 28 GPa off; a tenth of 26 beyond 28 is 30.6 off 62.
    stands = of(tmp_path, MATCH)
    assert stands.reference.point == pytest.approx({MODULUS: 92.6, STRENGTH: 535})
    # Of 30.6 - 2 GPa by 550 - 535 MPa and so on: 6 · 15 + 20 · 65 + 2.6 · 165 = 1819.
    assert stands.hypervolume(stands.reference) == pytest.approx(1819)


def test_one_alloy_alone_has_a_front_and_a_reference_worse_than_it(tmp_path: Path) -> None:
    stands = of(tmp_path, experiments=HEADER + "A,known,,,80,20,0,400,water,70,,,600,beta,,\n")
    point = stands.reference.point
    assert (point[MODULUS] > 70, point[STRENGTH] < 600) == (True, True)
    assert stands.hypervolume(stands.reference) > 0


def test_what_was_reached_up_to_a_round_never_falls(tmp_path: Path) -> None:
    # Before the rounds A and B: 15 · 30 + 23.5 · 230 = 5855 from the reference of all four.
    stands = of(tmp_path)
    rounds = np.array([0, 0, 1, 1, 1, 1, 2.0])
    reached = [stands.until(rounds, last).hypervolume(stands.reference) for last in (0, 1, 2)]
    assert reached == pytest.approx([5855, 7705, 7705])


def test_nothing_stands_where_nothing_is_pursued(tmp_path: Path) -> None:
    question = QUESTION.replace("{goal: minimize}", "{goal: report}")
    assert standing(written(tmp_path, question)) is None


def test_what_is_computed_is_pursued_like_what_is_measured(tmp_path: Path) -> None:
    # Niobium and zirconium are heavier than titanium: A, Ti-20Nb, is lighter than B, Ti-25Nb, R001-1 and R001-2.
    question = QUESTION.replace("{goal: minimize}", "{goal: report}").replace(
        "properties:", "properties:\n  density_g_per_cm3: {goal: minimize}"
    )
    assert ids(written(tmp_path, question))[0] == "A"


def test_status_says_the_front_in_words_and_in_json(tmp_path: Path) -> None:
    folder = written(tmp_path, SEVERAL).folder.path
    said = alloyloop("status", folder).out
    assert "Pareto front: 4 alloys, hypervolume 7705 GPa·MPa beyond Young's modulus 93.5 GPa and yield strength" in said
    assert "B       Ti-25Nb at       55 ± 2              400" in said
    best = alloyloop("status", folder, "--json").json["best"]
    assert list(best) == ["front", "hypervolume", "unit", "reference", "reference_why"]
    assert best["front"][0] == {"id": "B", "alloy": "Ti-25Nb at", MODULUS: 55, STRENGTH: 400, "std": {MODULUS: 2}}
    assert best["hypervolume"] == pytest.approx(7705)
    assert best["reference"] == pytest.approx({MODULUS: 93.5, STRENGTH: 370})


def test_status_says_the_best_by_weights_with_the_weights(tmp_path: Path) -> None:
    folder = written(tmp_path, WEIGHED).folder.path
    said = alloyloop("status", folder).out
    told = f"Best: R001-1, Ti-26Nb at, {MODULUS} = 60 ± 1.5 and {STRENGTH} = 550 (weights: {MODULUS} 2, {STRENGTH} 1)."
    assert told in said
    best = alloyloop("status", folder, "--json").json["best"]
    assert best == {"id": "R001-1", "alloy": "Ti-26Nb at", MODULUS: 60, STRENGTH: 550, "std": {MODULUS: 1.5}}


def test_a_campaign_of_several_goals_shows_itself_in_a_notebook(tmp_path: Path) -> None:
    assert "best 4 alloys on the Pareto front" in Campaign(written(tmp_path, SEVERAL).folder.path)._repr_html_()


def test_the_budget_is_part_of_the_status_where_there_is_one(tmp_path: Path) -> None:
    folder = written(tmp_path, f"{SEVERAL}budget: {{melts: 20}}\n").folder.path
    assert "Budget: 5 of 20 melts spent, 15 left." in alloyloop("status", folder).out
    assert json.loads(alloyloop("status", folder, "--json").out)["budget"]["left"] == 15
