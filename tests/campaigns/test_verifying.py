"""Whether what is on disk is what happened, told as a person would read it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from alloyloop.campaigns import writing
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.files import put_in_place
from alloyloop.campaigns.journal import read_event
from alloyloop.campaigns.verifying import made_again

from .branches import enter, propose, with_round
from .folders import QUESTION, alloyloop, contents, make

GOLDEN = Path(__file__).parent / "golden" / "v1" / "beta-ti"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = with_round(tmp_path / "ti")
    enter(folder, "R001-3", youngs_modulus_GPa="58.2")
    return folder


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_bytes().decode()
    assert old in text
    file.write_bytes(text.replace(old, new).encode())


def quick(folder: Path) -> list[str]:
    return alloyloop("verify", folder, "--quick").out.splitlines()


def test_a_campaign_that_nobody_touched_is_whole_and_verifying_writes_nothing(folder: Path) -> None:
    before = contents(folder)
    told = alloyloop("verify", folder, "--quick")
    assert (told.code, told.out) == (0, "Journal: 2 events, whole.\n")
    assert contents(folder) == before


def test_a_campaign_without_a_journal_is_whole(tmp_path: Path) -> None:
    assert quick(make(tmp_path / "ti")) == ["Journal: 0 events, whole."]


def test_a_cell_that_was_edited_by_hand_is_told_with_both_values(folder: Path) -> None:
    edit(folder / "experiments.csv", "58.2", "85.2")
    told = alloyloop("verify", folder, "--quick")
    assert told.code == 0  # it is the campaign's owner who may do that
    assert told.out.splitlines() == [
        "Journal: 2 events, whole.",
        "R001-3 youngs_modulus_GPa: 58.2 in the journal, 85.2 in experiments.csv; edited by hand?",
    ]


def test_rows_that_came_or_went_by_hand_are_told_by_their_ids(folder: Path) -> None:
    edit(folder / "experiments.csv", "A,known,,80,20,0,85", "X,known,,81,19,0,86")
    assert quick(folder)[1:] == [
        "X: in experiments.csv and not in the journal; entered by hand?",
        "A: in the journal and not in experiments.csv; taken out by hand?",
    ]


def test_a_table_that_a_spreadsheet_saved_in_another_form_is_told_to_hold_the_same_cells(folder: Path) -> None:
    edit(folder / "experiments.csv", ",", ";")
    assert quick(folder)[1:] == ["experiments.csv was written in another form, with the same cells."]


def test_a_question_that_was_edited_is_told_by_line(folder: Path) -> None:
    edit(folder / "campaign.yaml", "seed: 3", "seed: 4")
    line = QUESTION.splitlines().index("seed: 3") + 1
    assert quick(folder)[1:] == [
        f"campaign.yaml, line {line}: 'seed: 3' in the journal, 'seed: 4' now; edited by hand?"
    ]


def test_what_was_edited_is_in_the_journal_after_the_next_event_and_no_longer_told(folder: Path) -> None:
    edit(folder / "experiments.csv", "58.2", "85.2")
    enter(folder, "R001-1", youngs_modulus_GPa="70")
    assert quick(folder) == ["Journal: 4 events, whole."]


def first_event(folder: Path) -> Path:
    return sorted((folder / "journal").iterdir())[0]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: first_event(folder).unlink(), "The event before this one is missing"),
        (lambda folder: edit(first_event(folder), "R001-1", "R001-7"), "its content is not the one its name was made"),
        (lambda folder: first_event(folder).write_text("{", encoding="utf-8"), "This event is damaged: it is not JSON"),
        (lambda folder: shutil.rmtree(folder / "rounds" / "001"), "rounds/001: The round is missing"),
        (
            lambda folder: edit(folder / "rounds" / "001" / "inputs" / "experiments.csv", "72", "27"),
            "rounds/001/inputs/experiments.csv: It was changed after the round was made",
        ),
        (
            lambda folder: (folder / "rounds" / "001" / "inputs" / "campaign.yaml").unlink(),
            "rounds/001/inputs/campaign.yaml: The file is missing",
        ),
        (
            lambda folder: edit(folder / "rounds" / "001" / "decision.json", "proposals", "disposals"),
            "rounds/001/decision.json: It does not say what was proposed",
        ),
    ],
    ids=["event gone", "event edited", "event cut", "round gone", "input edited", "input gone", "decision edited"],
)
def test_a_campaign_of_which_something_was_lost_or_falsified_is_not_whole(
    damage: Callable[[Path], object], said: str, folder: Path
) -> None:
    damage(folder)
    told = alloyloop("verify", folder, "--quick")
    assert told.code == 1
    assert "NOT whole" in told.out
    assert said in told.out
    assert "Restore it from" in told.out
    assert alloyloop("verify", folder, "--quick", "--json").json["whole"] is False


def test_every_damaged_event_is_named_and_not_only_the_first(folder: Path) -> None:
    enter(folder, "R001-1", youngs_modulus_GPa="70")
    first, second, _ = sorted((folder / "journal").iterdir())
    first.write_text("{", encoding="utf-8")
    second.write_text("[]", encoding="utf-8")
    found = Campaign(folder).verify(again=False).problems
    assert [problem.file for problem in found] == [f"journal/{first.name}", f"journal/{second.name}"]


def test_a_decision_that_was_falsified_is_found_where_the_event_knows_its_digest(folder: Path) -> None:
    campaign = Campaign(folder)
    assert campaign.verify(again=False).whole
    edit(folder / "rounds" / "001" / "decision.json", '"Nb": 32.0', '"Nb": 31.0')
    (problem,) = campaign.verify(again=False).problems
    assert problem.file == "rounds/001/decision.json"


@pytest.mark.parametrize("name", ["../../secret.csv", "/etc/passwd", "..", "a\\b"])
def test_a_decision_that_names_files_elsewhere_is_refused_and_they_are_not_read(name: str, tmp_path: Path) -> None:
    folder = with_round(tmp_path / "ti")
    decision = folder / "rounds" / "001" / "decision.json"
    said = json.loads(decision.read_text(encoding="utf-8"))
    said["digests"][name] = "0" * 64
    decision.write_text(json.dumps(said), encoding="utf-8")
    told = quick(folder)
    assert any("It names a file outside the round" in line for line in told)


@pytest.mark.torch
def test_a_round_comes_out_again_to_the_last_digit_from_what_it_froze(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti")
    campaign = Campaign(folder)
    campaign.suggest(2, explore=0.5)  # and in the manner that was asked for
    campaign.suggest(1)
    (folder / "campaign.yaml").write_text(QUESTION.replace("seed: 3", "seed: 5"), encoding="utf-8")
    told = alloyloop("verify", folder, "--json")
    assert told.code == 0
    assert told.json["rounds"] == [{"round": n, "reproduced": True, "difference": ""} for n in (1, 2)]


@pytest.mark.torch
def test_a_round_that_comes_out_otherwise_is_told_with_both_alloys_and_the_versions(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti")
    (alloy,) = Campaign(folder).suggest(1)
    decision = folder / "rounds" / "001" / "decision.json"
    said = json.loads(decision.read_text(encoding="utf-8"))
    said["versions"]["numpy"] = "1.0"
    said["proposals"][0]["composition"] = {"Ti": 60.0, "Nb": 40.0}
    decision.write_text(json.dumps(said), encoding="utf-8")
    found = made_again(decision.parent, 1)
    assert not found.reproduced
    assert found.difference.startswith(f"R001-1 was Ti-40Nb wt, now {alloy.name}. It was made with numpy 1.0 (here ")


@pytest.mark.torch
def test_predictions_that_differ_are_told_in_units_of_their_uncertainty(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti")
    (alloy,) = Campaign(folder).suggest(1)
    decision = folder / "rounds" / "001" / "decision.json"
    text = decision.read_text(encoding="utf-8")
    expected = alloy.predicted["youngs_modulus_GPa"]
    for shift, reproduced, said in (
        (1e-9, True, "Predictions differ by rounding alone"),
        (0.5, False, "The same alloys, but predictions differ by up to 0.5 of their standard deviation"),
    ):
        moved = json.loads(text)
        moved["proposals"][0]["predicted"]["youngs_modulus_GPa"]["mean"] = expected.mean + shift * expected.std
        decision.write_text(json.dumps(moved), encoding="utf-8")
        found = made_again(decision.parent, 1)
        assert found.reproduced is reproduced
        assert found.difference.startswith(said)


def test_what_cannot_be_made_again_is_said(folder: Path) -> None:
    """The inputs of a round are a stranger's: here a format that this version does not know."""
    edit(folder / "rounds" / "001" / "inputs" / "campaign.yaml", "alloyloop: 1", "alloyloop: 99")
    found = made_again(folder / "rounds" / "001", 1)
    assert not found.reproduced
    assert found.difference.startswith("It cannot be made again: campaign.yaml")


def test_a_campaign_of_the_first_format_is_whole(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(GOLDEN, tmp_path / "copy"))
    verified = Campaign(folder).verify(again=False)
    assert (verified.whole, verified.differences, verified.events) == (True, (), 7)
    edit(folder / "experiments.csv", "R001-1,measured", "R001-1,made")
    (difference,) = Campaign(folder).verify(again=False).differences
    assert difference.startswith("experiments.csv is not as the last event left it (edited by hand?)")


def test_a_change_that_a_crash_kept_from_the_table_is_no_loss(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(staged: Path, path: Path) -> None:
        if path.name == "experiments.csv":
            raise KeyboardInterrupt
        put_in_place(staged, path)

    monkeypatch.setattr(writing, "put_in_place", crash)
    with pytest.raises(KeyboardInterrupt):
        enter(folder, "R001-1", youngs_modulus_GPa="70")
    verified = Campaign(folder).verify(again=False)
    assert verified.whole
    (difference,) = verified.differences
    assert difference.startswith("experiments.csv lacks what the last `record` brought")


def test_a_table_that_was_put_back_to_an_older_one_is_told(folder: Path) -> None:
    before = (folder / "experiments.csv").read_bytes()
    enter(folder, "R001-1", youngs_modulus_GPa="70")
    (folder / "experiments.csv").write_bytes(before)
    assert "R001-1 youngs_modulus_GPa: 70 in the journal, blank in experiments.csv; edited by hand?" in quick(folder)


def test_a_round_without_its_suggestion_does_not_matter(folder: Path) -> None:
    """What a suggestion that was cut off leaves, which the next one replaces."""
    shutil.copytree(folder / "rounds" / "001", folder / "rounds" / "002")
    assert Campaign(folder).verify(again=False).whole
    propose(folder, 2, {"R002-1": {"Ti_wt_pct": "80", "Nb_wt_pct": "20", "Zr_wt_pct": "0"}})
    assert Campaign(folder).verify(again=False).whole


def test_the_event_on_the_page_of_the_journal_is_one_that_its_name_was_made_from(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "journal.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^```json\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    (name,) = re.findall(r"`(\S+-record-\S+\.json)`", page)
    (tmp_path / name).write_bytes(text.encode())
    event = read_event(tmp_path / name)
    assert {key for key in event.content if f"`{key}`" not in page} == set()
