"""A table as a pool: which rows are one candidate, what each is judged by, and how goals are said."""

from __future__ import annotations

import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.pools import Pool, columns_named, pool_of, table_with_goals
from alloyloop.design.goals import Is, Match, Maximize, Minimize, Report, Within
from alloyloop.surrogates.errors import AlloyloopError

from .folders import make

TABLE = """\
Ti_at_pct,Nb_at_pct,quench,hardness_HV,hardness_HV_std,elongation_pct,phases
80,20,air,200,4,20,beta
70,30,air,260,,10,beta
80,20,water,230,,5,alpha
80,20,air,210,3,22,beta
60,40,air,300,,2,beta
50,50,air,,,30,beta
"""
INPUTS = "*_at_pct,quench"
HARD = "maximize hardness_HV"


def pool(tmp_path: Path, *goals: str, table: str = TABLE) -> Pool:
    path = tmp_path / "mine.csv"
    path.write_text(table, encoding="utf-8")
    return pool_of(table_with_goals(path, INPUTS, goals), whole_table=True)


def test_rows_of_one_composition_and_treatment_are_one_candidate_with_their_mean(tmp_path: Path) -> None:
    found = pool(tmp_path, HARD)
    assert found.evidence["hardness_HV"].values.tolist() == [205, 260, 230, 300]
    assert found.alloys.process["quench"].tolist() == ["air", "air", "water", "air"]
    assert found.names == ("Ti-20Nb at", "Ti-30Nb at", "Ti-20Nb at", "Ti-40Nb at")
    assert any("5 rows are 4 candidates" in remark for remark in found.remarks)


def test_the_error_of_a_mean_is_that_of_its_repeats_together(tmp_path: Path) -> None:
    noise = pool(tmp_path, HARD).evidence["hardness_HV"].noise
    assert noise[0] == pytest.approx(2.5)  # √(3² + 4²) / 2
    assert np.isnan(noise[1:]).all()


def test_a_row_without_what_is_wanted_is_left_out_and_counted(tmp_path: Path) -> None:
    found = pool(tmp_path, HARD, "elongation_pct above 4")
    assert len(found) == 4
    assert "1 of 5 alloys are left out, since hardness_HV is not known of them." in found.remarks


def test_what_breaks_a_limit_or_is_of_another_class_is_no_find(tmp_path: Path) -> None:
    found = pool(tmp_path, HARD, "elongation_pct above 4", "phases is beta")
    assert found.allowed.tolist() == [True, True, False, False]
    assert found.heights.tolist() == [205, 260, -np.inf, -np.inf]
    assert found.classes["phases"].values.tolist() == [0, 0, 1, 0]
    assert any("2 of 4 candidates keep every limit" in remark for remark in found.remarks)


def test_what_is_minimised_or_matched_is_higher_the_better_it_is(tmp_path: Path) -> None:
    assert pool(tmp_path, "minimize hardness_HV").heights.tolist() == [-205, -260, -230, -300]
    assert pool(tmp_path, "match hardness_HV = 250 +- 5").heights.tolist() == [-45, -10, -20, -50]


def test_of_several_goals_the_fronts_are_the_heights(tmp_path: Path) -> None:
    found = pool(tmp_path, HARD, "maximize elongation_pct")
    assert not found.is_by_one
    assert found.objectives.tolist() == [[205, 21], [260, 10], [230, 5], [300, 2]]
    assert found.heights.tolist() == [0, 0, -1, 0]
    assert (found.reference < found.objectives[found.heights == 0].min(axis=0)).all()


def test_weights_make_one_height_of_several_goals(tmp_path: Path) -> None:
    question = """\
alloyloop: 1
name: Weighed
composition: {basis: at_pct, balance: Ti, step: 1, elements: {Nb: {min: 0, max: 50}}}
properties:
  hardness_HV: {goal: maximize, weight: 2}
  elongation_pct: {goal: maximize, weight: 1}
"""
    rows = "id,status,Ti_at_pct,Nb_at_pct,hardness_HV,elongation_pct\n"
    rows += "A,known,90,10,200,20\nB,known,80,20,300,20\nC,known,70,30,200,30\n"
    found = pool_of(Campaign(make(tmp_path / "c", question, rows)).snapshot())
    assert found.is_by_one
    # Each in its standard deviation over the pool, of three values of which two are alike: √2/3 of the difference.
    assert np.diff(found.heights)[0] == pytest.approx(2 * 3 / np.sqrt(2))
    assert found.heights[2] - found.heights[0] == pytest.approx(1 * 3 / np.sqrt(2))


def test_a_visit_sees_one_of_the_repeats_and_is_judged_by_their_mean(tmp_path: Path) -> None:
    found = pool(tmp_path, HARD, "elongation_pct above 4", "phases is beta")
    seen = Counter[float]()
    for seed in range(40):
        visited = found.visited(np.random.default_rng(seed))
        assert visited.heights.tolist() == found.heights.tolist()
        assert visited.evidence["hardness_HV"].values[1:].tolist() == [260, 230, 300]
        first = visited.evidence["hardness_HV"]
        assert (first.values[0], first.noise[0]) in ((200, 4), (210, 3))
        seen[first.values[0]] += 1
    assert set(seen) == {200, 210}


def test_what_is_known_is_what_was_made_and_its_usual_scatter_is_of_that_alone(tmp_path: Path) -> None:
    found = pool(tmp_path, HARD)
    known = found.known("hardness_HV", np.array([3, 1]))
    assert known.values.tolist() == [300, 260]
    assert known.usual_scatter == pytest.approx(0.071 * 280)  # a share of the median, by Borg et al. 2020
    assert found.evidence["hardness_HV"].usual_scatter is None


def test_a_pool_travels_to_another_process(tmp_path: Path) -> None:
    found = pool(tmp_path, HARD, "elongation_pct above 4")
    assert pickle.loads(pickle.dumps(found)).heights.tolist() == found.heights.tolist()


CAMPAIGN = """\
alloyloop: 1
name: Ruled
composition: {basis: at_pct, balance: Ti, step: 1, elements: {Nb: {min: 0, max: 30}}}
conditions: {test_temperature_C: {at: 20}}
properties: {hardness_HV: {goal: maximize}}
"""


def test_of_a_campaign_rows_outside_its_space_or_tested_otherwise_are_no_candidates(tmp_path: Path) -> None:
    rows = "id,status,Ti_at_pct,Nb_at_pct,test_temperature_C,hardness_HV\n"
    rows += "A,known,90,10,20,200\nB,known,60,40,20,300\nC,known,80,20,500,90\nD,proposed,75,25,20,\n"
    found = pool_of(Campaign(make(tmp_path / "c", CAMPAIGN, rows)).snapshot())
    assert found.names == ("Ti-10Nb at",)
    assert "1 row outside the space or its rules is left out." in found.remarks
    assert "1 row tested under other conditions than test_temperature_C = 20 is left out." in found.remarks


@pytest.mark.parametrize(
    ("words", "goal"),
    [
        ("maximize hardness_HV", Maximize()),
        ("minimise hardness_HV", Minimize()),
        ("match hardness_HV = 250 +- 5", Match(250, 5)),
        ("hardness_HV above 200", Within(low=200)),
        ("hardness_HV <= 200", Within(high=200)),
        ("hardness_HV between 200 and 250", Within(200, 250)),
        ("phases is beta", Is("beta")),
        ("minimize density_g_per_cm3", Minimize()),
    ],
)
def test_goals_are_said_as_wants_are(words: str, goal: object, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(TABLE, encoding="utf-8")
    snapshot = table_with_goals(path, INPUTS, [words, "maximize elongation_pct"])
    goals = {**snapshot.goals, **snapshot.class_goals}
    name = next(name for name in (*goals, "") if name in words)
    assert goals.pop(name) == goal
    assert goals.pop("elongation_pct") == Maximize()
    assert set(goals.values()) <= {Report()}


@pytest.mark.parametrize(
    ("goals", "said"),
    [
        (["maximize hardnes_HV"], "Nothing is measured by the name hardnes_HV. Did you mean hardness_HV"),
        (["maximize hardness_HV / elongation_pct"], "is about a formula, and a goal is about one property"),
        ([HARD, "hardness_HV above 10"], "hardness_HV is given two goals"),
        (["match hardness_HV above 3"], "names no target"),
        (["hardness_HV above 3"], "so that no alloy is better than another. Say it with --goal"),
        ([HARD, "elongation_pct above 90"], "No candidate keeps what is asked of elongation_pct"),
        ([HARD, "harder"], "cannot be read as something wanted"),
    ],
)
def test_a_goal_that_cannot_be_meant_is_said(goals: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(AlloyloopError) as error:
        pool(tmp_path, *goals)
    assert said in str(error.value)


def test_a_computed_goal_needs_no_measurement(tmp_path: Path) -> None:
    found = pool(tmp_path, "minimize density_g_per_cm3", "hardness_HV above 0")
    assert list(found.evidence) == ["hardness_HV"]
    assert int(np.argmax(found.heights)) == 0  # niobium is denser than titanium: the least of it


def test_columns_are_found_in_goals_as_whole_words() -> None:
    assert columns_named(["E_GPa", "GPa", "hardness (HV)"], ["minimize E_GPa", "hardness (HV) above 3"]) == (
        "E_GPa",
        "hardness (HV)",
    )
