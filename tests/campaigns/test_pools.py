"""A table as a pool: which rows are one candidate, what each is judged by, and how goals are said."""

from __future__ import annotations

import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.pools import Fixed, Pool, columns_named, pool_of, table_with_goals
from alloyloop.campaigns.wanting import fixed_of
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


def test_of_repeats_the_class_is_the_one_that_was_found_most_often(tmp_path: Path) -> None:
    again = "".join(f"80,20,air,{hardness},,,alpha\n" for hardness in (190, 195, 205))
    found = pool(tmp_path, HARD, "phases is beta", table=TABLE + again)
    assert found.allowed.tolist() == [
        False,
        True,
        False,
        True,
    ]  # the first design was beta twice, and alpha three times


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


def test_the_hypervolume_is_counted_from_where_campaign_yaml_says(tmp_path: Path) -> None:
    question = """\
alloyloop: 1
name: Referred
composition: {basis: at_pct, balance: Ti, step: 1, elements: {Nb: {min: 0, max: 50}}}
properties:
  hardness_HV: {goal: maximize, reference: 150}
  youngs_modulus_GPa: {goal: minimize, reference: 120}
"""
    rows = "id,status,Ti_at_pct,Nb_at_pct,hardness_HV,youngs_modulus_GPa\n"
    rows += "A,known,90,10,200,110\nB,known,80,20,300,115\nC,known,70,30,180,100\n"
    found = pool_of(Campaign(make(tmp_path / "c", question, rows)).snapshot())
    assert found.reference.tolist() == [150, -120]  # larger is better


def test_the_error_of_a_value_is_that_of_so_many_replicates(tmp_path: Path) -> None:
    table = "Ti_at_pct,Nb_at_pct,hardness_HV,hardness_HV_std,hardness_HV_n\n80,20,200,4,4\n70,30,210,4,\n"
    path = tmp_path / "mine.csv"
    path.write_text(table, encoding="utf-8")
    found = pool_of(table_with_goals(path, "*_at_pct", [HARD]), whole_table=True)
    assert found.evidence["hardness_HV"].noise.tolist() == [2, 4]


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
    rows += "E,known,50,50,500,60\n"  # counted once
    found = pool_of(Campaign(make(tmp_path / "c", CAMPAIGN, rows)).snapshot())
    assert found.names == ("Ti-10Nb at",)
    assert "2 rows outside the space or its rules are left out." in found.remarks
    assert "1 row tested under other conditions than test_temperature_C = 20 is left out." in found.remarks


def test_a_row_that_half_a_step_brings_onto_a_design_is_inside(tmp_path: Path) -> None:
    rows = "id,status,Ti_at_pct,Nb_at_pct,test_temperature_C,hardness_HV\n"
    rows += "A,known,90,10,20,200\nB,known,69.6,30.4,20,300\nC,known,69.4,30.6,20,310\n"
    found = pool_of(Campaign(make(tmp_path / "c", CAMPAIGN, rows)).snapshot())
    assert found.names == ("Ti-10Nb at", "Ti-30.4Nb at")
    assert "1 row outside the space or its rules is left out." in found.remarks
    foreign = "id,status,Ti_at_pct,Nb_at_pct,Zr_at_pct,hardness_HV\nA,known,69.7,29.7,0.6,300\nB,known,70,30,0,310\n"
    alone = pool_of(Campaign(make(tmp_path / "f", CAMPAIGN, foreign)).snapshot())
    assert alone.evidence["hardness_HV"].values.tolist() == [310]  # so much zirconium is no impurity
    ruled = CAMPAIGN.replace("max: 30}}}", "max: 30}}, rules: [Nb <= 20]}")
    assert len(pool_of(Campaign(make(tmp_path / "d", ruled, rows)).snapshot())) == 1  # near a bound, and against a rule


TESTED = """\
Ti_at_pct,Nb_at_pct,quench,test_temperature_C,hardness_HV
80,20,air,20,200
80,20,air,25,210
70,30,air,20,260
70,30,water,25,270
70,30,air,400,90
60,40,air,,300
"""


def fixed_pool(tmp_path: Path, *fix: str) -> Pool:
    """Of a table whose temperature is an input."""
    path = tmp_path / "tested.csv"
    path.write_text(TESTED, encoding="utf-8")
    snapshot = table_with_goals(path, "*_at_pct,quench,test_temperature_C", [HARD])
    return pool_of(snapshot, whole_table=True, fixed=Fixed.of(snapshot, fixed_of(snapshot.space, fix)))


@pytest.mark.parametrize(
    ("fix", "values"),
    [
        ((), [200, 210, 260, 270, 90, 300]),
        (("quench=water",), [270]),
        (("quench=water,air", "Nb=20"), [200, 210]),
        (("Nb=20..30", "test_temperature_C=400"), [90]),
        (("Nb=30..40",), [260, 270, 90, 300]),
        (("test_temperature_C=20..400",), [200, 210, 260, 270, 90]),
        (("test_temperature_C=20..25",), [205, 260, 270]),  # a difference of a twentieth of the span: one value
    ],
)
def test_only_rows_that_fit_what_is_fixed_are_candidates(
    fix: tuple[str, ...], values: list[float], tmp_path: Path
) -> None:
    assert fixed_pool(tmp_path, *fix).evidence["hardness_HV"].values.tolist() == values


def test_what_is_fixed_narrowly_counts_as_one_value_and_it_is_said(tmp_path: Path) -> None:
    found = fixed_pool(tmp_path, "test_temperature_C=20..25", "Nb=30")
    assert found.alloys.process["test_temperature_C"].tolist() == [22.5, 22.5]
    assert "4 rows without test_temperature_C 20 to 25 and Nb 30 are left out." in found.remarks
    assert "test_temperature_C counts as 22.5 in all rows taken." in found.remarks
    wide = fixed_pool(tmp_path, "test_temperature_C=20..400")
    assert "1 row without test_temperature_C 20 to 400 is left out." in wide.remarks
    assert not any("counts as" in remark for remark in wide.remarks)


def test_a_campaign_without_a_known_row_has_nothing_to_replay(tmp_path: Path) -> None:
    rows = "id,status,Ti_at_pct,Nb_at_pct,test_temperature_C,hardness_HV\nA,proposed,90,10,20,\n"
    with pytest.raises(AlloyloopError, match="There is nothing to replay: None has a composition or a treatment"):
        pool_of(Campaign(make(tmp_path / "c", CAMPAIGN, rows)).snapshot())


@pytest.mark.parametrize(
    ("fix", "said"),
    [
        (("Zr=0",), "Zr is not in this space. It has Nb, Ti, quench, test_temperature_C."),
        (("Nb=50..60",), "No row has Nb 50 to 60. Its rows have 20 to 40."),
        (("quench=oil",), "No row has quench oil. Its rows have air, water."),
        (("quench=water", "Nb=20"), "No row has quench water and Nb 20 together. Widen a range, or leave one out."),
        (("Nb=30..20",), "No row has Nb 30 to 20. Its rows have 20 to 40."),
    ],
)
def test_where_no_row_fits_it_is_one_sentence(fix: tuple[str, ...], said: str, tmp_path: Path) -> None:
    with pytest.raises(AlloyloopError) as error:
        fixed_pool(tmp_path, *fix)
    assert str(error.value) == said


def test_a_condition_is_fixed_in_place_of_where_the_campaign_asks_for_it(tmp_path: Path) -> None:
    rows = "id,status,Ti_at_pct,Nb_at_pct,test_temperature_C,hardness_HV\n"
    rows += (
        "A,known,90,10,20,200\nB,known,85,15,,210\nC,known,80,20,500,90\nD,known,75,25,510,80\nE,known,72,28,300,85\n"
    )
    snapshot = Campaign(make(tmp_path / "c", CAMPAIGN, rows)).snapshot()

    def values(fix: str) -> list[float]:
        fixed = Fixed.of(snapshot, fixed_of(snapshot.space, [fix]))
        found: list[float] = pool_of(snapshot, fixed=fixed).evidence["hardness_HV"].values.tolist()
        return found

    assert values("Nb=0..30") == [200, 210]
    assert values("test_temperature_C=250..510") == [90, 80, 85]
    wide = Fixed.of(snapshot, {"test_temperature_C": (250, 510)}).space(snapshot.space)
    assert wide.conditions[0].at == 250  # the nearest to where the campaign asks
    assert values("test_temperature_C=500..510") == [90, 80]
    assert values("test_temperature_C=20..500") == [200, 210, 90, 85]  # where it is not said it is the campaign's
    fixed = Fixed.of(snapshot, {"test_temperature_C": (500, 510), "Nb": (20, 25)})
    part = fixed.space(snapshot.space)
    assert part.conditions[0].at == 505
    assert part.count == 6
    assert Fixed.of(snapshot, {"test_temperature_C": (400, 510)}).space(snapshot.space).conditions[0].at == 505


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
