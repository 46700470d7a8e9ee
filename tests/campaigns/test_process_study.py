"""Campaigns without a composition: what is chosen is how something is made, and every verb knows no alloy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from alloyloop.campaigns.answers import Answer
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.folder import Folder
from alloyloop.campaigns.judging import judge
from alloyloop.campaigns.learning import Beliefs
from alloyloop.campaigns.named import named
from alloyloop.campaigns.rounds import past_round
from alloyloop.campaigns.snapshot import read_snapshot
from alloyloop.surrogates.errors import AlloyloopError

from .folders import alloyloop, cells, contents, make
from .process_study import EXPERIMENTS, QUESTION

DATA = Path(__file__).parents[2].parent / "shared" / "data"
NOTHING = Beliefs({}, {}, ())


def judged(folder: Path, *names: str) -> tuple[Answer, ...]:
    """What is said of designs where nothing is predicted, so that nothing has to be fitted."""
    snapshot = read_snapshot(Folder(folder))
    asked = named(snapshot, names)
    return judge(snapshot, NOTHING, asked.names, asked.compositions, asked.process)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make(tmp_path / "study", QUESTION, EXPERIMENTS)


def test_it_has_no_mistake_and_no_composition(folder: Path) -> None:
    campaign = Campaign.open(folder)
    assert campaign.check()[0] == ()
    snapshot = campaign.snapshot()
    assert snapshot.space.elements == ()
    assert snapshot.space.lattice is None
    assert not [column for column in snapshot.table.layout.columns if column.endswith("_pct_measured")]
    assert snapshot.composition(0) is None


def test_the_number_of_its_designs_is_that_of_its_levels_and_rules(folder: Path) -> None:
    # By hand, one pair of power and speed after the other; a continuous power is proposed in whole watts, the finest
    # round step with 200 levels or more in its range of 300 W.
    argon = sum(power >= 0.2 * speed for power in range(100, 401) for speed in range(200, 1001, 100))
    nitrogen = sum(power >= 0.2 * speed for power in range(100, 301) for speed in range(200, 1001, 100))
    assert Campaign(folder).status().designs.number == argon + nitrogen


def test_a_row_is_named_by_its_process_values(folder: Path) -> None:
    snapshot = Campaign(folder).snapshot()
    assert snapshot.name(0) == "laser_power_W=200, scan_speed_mm_per_s=400, gas=argon"
    assert snapshot.name(3) == "laser_power_W=250, scan_speed_mm_per_s=600"  # nobody wrote down the gas
    best = Campaign(folder).status().best
    assert best is not None
    assert (best.id, best.alloy) == ("B", snapshot.name(1))


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("E,known,,500,400,argon,99.9,,,,", "more power than the bounds have"),
        ("E,known,,100,900,argon,99.9,,,,", "breaks the first rule"),
        ("E,known,,350,400,nitrogen,99.9,,,,", "breaks the second rule"),
    ],
)
def test_a_row_outside_the_bounds_or_the_rules_is_not_the_best(row: str, why: str, tmp_path: Path) -> None:
    best = Campaign(make(tmp_path / "study", QUESTION, f"{EXPERIMENTS}{row}\n")).status().best
    assert best is not None
    assert best.id == "B", why


def test_a_value_between_the_steps_is_none_the_worse(tmp_path: Path) -> None:
    row = "E,known,,300.4,450,argon,99.9,,,,"  # on no step of the speed
    best = Campaign(make(tmp_path / "study", QUESTION, f"{EXPERIMENTS}{row}\n")).status().best
    assert best is not None
    assert best.id == "E"


def test_the_distance_is_the_mean_share_of_the_ranges(tmp_path: Path) -> None:
    only_a = "".join(EXPERIMENTS.splitlines(keepends=True)[:2])
    folder = make(tmp_path / "study", QUESTION, only_a)
    near, other_gas, unknown = judged(
        folder,
        "laser_power_W=245, scan_speed_mm_per_s=400, gas=argon",
        "laser_power_W=200, scan_speed_mm_per_s=400, gas=nitrogen",
        "scan_speed_mm_per_s=400, gas=argon",
    )
    for answer, distance in (
        (near, 100 / 3 * 45 / 300),  # 45 of 300 W in one of three variables
        (other_gas, 100 / 3),  # another word is all of its range
        (unknown, 100 / 3 * (50 / 300 + 0.25)),  # what is not known stands at the middle, 250 W, and a quarter away
    ):
        assert answer.nearest is not None
        assert answer.nearest.distance == pytest.approx(distance)
    assert near.nearest_known == "A, 5.0 % of the process ranges away"


def test_a_number_beyond_all_that_is_known_is_flagged(folder: Path) -> None:
    inside, beyond = judged(folder, "laser_power_W=250", "laser_power_W=390")
    assert not [flag for flag in inside.flags if "laser_power_W" in flag]
    assert "laser_power_W 390 is outside what was learned from: 200 to 300" in beyond.flags


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Ti-20Nb wt", "'Ti-20Nb wt' names no design: this campaign has no composition"),
        ("gas=", "names no design"),
        ("gas=argon, gas=argon", "gives gas twice"),
        ("gas=helium", r"gas is never 'helium'\. Its choices are argon, nitrogen"),
        ("power=3", r"power is not a process variable here\. Those are laser_power_W, scan_speed_mm_per_s, gas"),
        ("laser_power_W=much", "laser_power_W=much is not a number"),
    ],
)
def test_a_name_that_is_none_is_refused_in_one_sentence(name: str, says: str, folder: Path) -> None:
    with pytest.raises(AlloyloopError, match=says):
        named(read_snapshot(Folder(folder)), [name])


def test_process_values_that_all_share_may_stand_apart(folder: Path) -> None:
    snapshot = read_snapshot(Folder(folder))
    both = named(snapshot, ["laser_power_W=200", "laser_power_W=300; gas=argon"], {"gas": "nitrogen"})
    assert both.process["gas"].tolist() == ["nitrogen", "argon"]
    assert both.process["laser_power_W"].tolist() == [200, 300]
    assert np.isnan(both.process["scan_speed_mm_per_s"]).all()
    alone = named(snapshot, [], {"gas": "argon"})
    assert (alone.names, alone.compositions) == (("gas=argon",), (None,))


def test_nothing_is_weighed(folder: Path) -> None:
    told = alloyloop("melt-sheet", folder)
    assert (told.code, told.out) == (1, "")
    assert told.err.startswith("alloyloop: Nothing is melted in this campaign: it has no composition.")


def test_the_report_has_no_alloys(folder: Path) -> None:
    page = Campaign(folder).report(quick=True).read_text(encoding="utf-8")
    assert "Sought: a process, by laser power, scan speed and gas, its relative density as high as possible." in page
    assert "laser_power_W &lt;= 300 if gas is nitrogen" in page
    assert '<th scope="col">Alloy</th>' not in page
    assert "melt-sheet" not in page.replace("alloyloop melt-sheet", "").partition("</style>")[2]


def test_what_was_entered_and_breaks_a_rule_is_said_and_kept(folder: Path) -> None:
    (result,) = Campaign(folder).record("C", "laser_power_W=350")
    assert result.outside == ("'laser_power_W <= 300 if gas is nitrogen' is not met: it is 350",)
    assert cells(folder, "C")["laser_power_W"] == "350"
    (within,) = Campaign(folder).record("C", "laser_power_W=299.5")
    assert within.outside == ()


@pytest.mark.torch
def test_the_first_round_is_spread_and_the_second_learns(tmp_path: Path) -> None:
    folder = make(tmp_path / "study", QUESTION, EXPERIMENTS.splitlines()[0] + "\n")
    first = Campaign(folder).suggest(4)
    assert len({alloy.name for alloy in first}) == 4
    assert {"campaign.yaml", "experiments.csv", "proposals.csv"} == {
        name.rpartition("/")[2] for name in contents(folder / "rounds") if not name.endswith("decision.json")
    }  # no melt sheet
    for i, alloy in enumerate(first):
        Campaign(folder).record(alloy.id, f"relative_density_pct={97 + 0.3 * i}")
    second = Campaign(folder).suggest(2)
    for alloy in (*first, *second):
        power, speed = alloy.process["laser_power_W"], alloy.process["scan_speed_mm_per_s"]
        assert isinstance(power, float)
        assert isinstance(speed, float)
        assert 100 <= power <= 400
        assert speed in range(200, 1001, 100)
        assert power >= 0.2 * speed
        assert alloy.process["gas"] == "argon" or power <= 300
        row = cells(folder, alloy.id)
        assert (float(row["laser_power_W"]), row["gas"]) == (power, alloy.process["gas"])
    assert not {alloy.name for alloy in first} & {alloy.name for alloy in second}
    assert all("relative_density_pct" in alloy.predicted for alloy in second)


@pytest.mark.torch
def test_a_round_is_read_back_as_it_was_written(folder: Path) -> None:
    answers = Campaign(folder).suggest(2, own=["laser_power_W=300, scan_speed_mm_per_s=300, gas=argon"])
    said = json.loads((folder / "rounds" / "001" / "decision.json").read_text(encoding="utf-8"))["proposals"]
    assert [(one["composition"], one["basis"], one["other_basis"]) for one in said] == [(None, None, None)] * 2
    past = past_round(read_snapshot(Folder(folder)), 1)
    assert [past.proposals[alloy.id].name for alloy in answers] == [alloy.name for alloy in answers]
    assert [alloy.id for alloy in answers.beside] == ["laser_power_W=300, scan_speed_mm_per_s=300, gas=argon"]


@pytest.mark.torch
def test_designs_are_predicted_by_their_process_values(folder: Path) -> None:
    told = alloyloop("predict", folder, "laser_power_W=300, scan_speed_mm_per_s=1000", "--at", "gas=argon", "--json")
    assert told.code == 0
    (alloy,) = told.json["alloys"]
    assert alloy["process"] == {"laser_power_W": 300, "scan_speed_mm_per_s": 1000, "gas": "argon"}
    assert 80 < alloy["predicted"]["relative_density_pct"]["mean"] < 110
    assert not [flag for flag in alloy["flags"] if "would not be proposed" in flag]
    (broken,) = alloyloop("predict", folder, "laser_power_W=120, scan_speed_mm_per_s=1000", "--json").json["alloys"]
    assert any("'laser_power_W >= 0.2 scan_speed_mm_per_s' is not met" in flag for flag in broken["flags"])


@pytest.mark.torch
def test_a_batch_shows_itself_in_a_notebook_without_a_column_of_alloys(folder: Path) -> None:
    shown = Campaign(folder).suggest(1)._repr_html_()
    assert '<th scope="col">laser_power_W</th>' in shown
    assert '<th scope="col">alloy</th>' not in shown
    assert "Dense 316L" in Campaign(folder)._repr_html_()


def test_without_a_composition_and_a_process_there_is_nothing_to_choose(tmp_path: Path) -> None:
    bare = "alloyloop: 1\nname: x\nproperties: {a_HV: {goal: maximize}}\n"
    told = alloyloop("check", make(tmp_path / "study", bare, "id,status\n"))
    assert told.out == "campaign.yaml: There is nothing to choose. Write a composition, a process, or both.\n"


@pytest.mark.parametrize("rule", ["density_g_per_cm3 <= 6", "laser_power_W <= 300 if vec >= 4"])
def test_a_descriptor_has_no_composition_to_be_computed_from(rule: str, tmp_path: Path) -> None:
    told = alloyloop(
        "check", make(tmp_path / "study", QUESTION.replace("rules:\n", f"rules:\n  - {rule}\n"), EXPERIMENTS)
    )
    assert told.out.startswith(f"campaign.yaml, line 8, rules.0: The rule '{rule}' bounds the descriptor ")


def test_features_are_those_of_the_process(tmp_path: Path) -> None:
    told = alloyloop("check", make(tmp_path / "study", QUESTION + "features: both\n", EXPERIMENTS))
    assert "campaign.yaml, line 15, features: Without a composition a model sees the process variables" in told.out


def test_a_table_without_amounts_becomes_one(tmp_path: Path) -> None:
    table = tmp_path / "prints.csv"
    rows = "".join(f"{i},{100 + 20 * i},{300 + 50 * i},argon,{150 + i}\n" for i in range(12))
    table.write_text(f"no,laser power (W),scan speed (mm/s),atmosphere,hardness (HV)\n{rows}", encoding="utf-8")
    told = alloyloop("new", tmp_path / "study", "--from", table)
    assert "No composition was found in the table: the campaign is a study of the process alone." in told.out
    question = (tmp_path / "study" / "campaign.yaml").read_text(encoding="utf-8")
    assert "composition" not in question
    assert Campaign(tmp_path / "study").check() == ((), ())


@pytest.mark.parametrize(
    ("more", "says"), [((), ", and no process variable"), (("--balance", "Ti"), "No composition was found")]
)
def test_a_table_that_was_to_have_amounts_or_has_nothing_to_choose_is_refused(
    more: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    power = "laser power (W)," if more else ""
    (tmp_path / "t.csv").write_text(f"id,{power}hardness (HV)\nA,{'1,' if more else ''}200\n", encoding="utf-8")
    told = alloyloop("new", tmp_path / "study", "--from", tmp_path / "t.csv", *more)
    assert told.code == 1
    assert says in told.err
    assert not (tmp_path / "study").exists()


@pytest.mark.skipif(not DATA.exists(), reason="the tables of ../shared/data are not beside this checkout")
@pytest.mark.parametrize("name", ["lpbf_density_316l", "slm_316l_doe_train"])
def test_real_tables_of_laser_melting_become_campaigns_without_a_mistake(name: str, tmp_path: Path) -> None:
    assert alloyloop("new", tmp_path / "study", "--from", DATA / f"{name}.csv").code == 0
    campaign = Campaign(tmp_path / "study")
    assert campaign.check()[0] == ()
    assert campaign.snapshot().known.all()
