"""From proposed over made to measured, failed or withdrawn: what each step means for what is suggested next."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from alloyloop.campaigns.budgeting import budget
from alloyloop.campaigns.campaign import Campaign
from alloyloop.surrogates.errors import AlloyloopError

from .branches import enter, with_round
from .folders import EXPERIMENTS, QUESTION, alloyloop, cells, contents, events, make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return with_round(tmp_path / "ti")


def test_a_withdrawn_alloy_keeps_its_row_and_its_reason_and_is_no_longer_pending(folder: Path) -> None:
    told = alloyloop("withdraw", folder, "R001-3", "--because", "no tantalum left")
    assert told.out.startswith("Withdrawn: R001-3.")
    assert (cells(folder, "R001-3")["status"], cells(folder, "R001-3")["reason"]) == ("withdrawn", "no tantalum left")
    assert Campaign(folder).status().pending == ("R001-1", "R001-2", "R001-4")
    assert events(folder)[-1]["change"]["cells"] == {
        "R001-3": {"status": ["proposed", "withdrawn"], "reason": ["", "no tantalum left"]}
    }


def test_several_are_withdrawn_in_one_event_and_come_back_in_one(folder: Path) -> None:
    before = (folder / "experiments.csv").read_bytes()
    Campaign(folder).withdraw("R001-1", "R001-4", because="the furnace is down")
    assert Campaign(folder).status().pending == ("R001-2", "R001-3")
    Campaign(folder).undo()
    assert (folder / "experiments.csv").read_bytes() == before


def test_a_measured_alloy_that_is_withdrawn_is_no_longer_learned_from(folder: Path) -> None:
    enter(folder, "R001-1", youngs_modulus_GPa="58.2")
    known = int(Campaign(folder).snapshot().known.sum())
    Campaign(folder).withdraw("R001-1", because="the wrong bar was tested")
    assert int(Campaign(folder).snapshot().known.sum()) == known - 1
    assert cells(folder, "R001-1")["youngs_modulus_GPa"] == "58.2"


def test_a_withdrawn_alloy_costs_nothing_and_is_not_proposed_again(tmp_path: Path) -> None:
    folder = with_round(tmp_path / "ti")
    (folder / "campaign.yaml").write_text(QUESTION + "budget: {melts: 10}\n", encoding="utf-8")
    campaign = Campaign(folder)
    spent, taken = budget(campaign.snapshot()), campaign.snapshot().taken()
    campaign.withdraw("R001-2", because="no time")
    left = budget(campaign.snapshot())
    assert (spent.spent, left.spent) == (4, 3) if spent and left else False
    assert len(campaign.snapshot().taken()) == len(taken)


@pytest.mark.parametrize(
    ("ids", "because", "said"),
    [
        (("R001-9",), "no time", r"There is no row 'R001-9'\. Did you mean R001-"),
        (("R001-1",), "  ", "A withdrawn alloy needs its reason"),
        ((), "no time", "Nothing is named that could be withdrawn"),
    ],
)
def test_what_cannot_be_withdrawn_is_refused_and_nothing_changes(
    folder: Path, ids: tuple[str, ...], because: str, said: str
) -> None:
    before = contents(folder)
    with pytest.raises(AlloyloopError, match=said):
        Campaign(folder).withdraw(*ids, because=because)
    assert contents(folder) == before


def test_an_alloy_is_withdrawn_once(folder: Path) -> None:
    Campaign(folder).withdraw("R001-1", because="no time")
    with pytest.raises(AlloyloopError, match="R001-1 is withdrawn already"):
        Campaign(folder).withdraw("R001-1", because="no time")


def test_a_reason_that_a_spreadsheet_would_compute_stays_text(folder: Path) -> None:
    Campaign(folder).withdraw("R001-1", because="=HYPERLINK(1)")
    assert not cells(folder, "R001-1")["reason"].startswith("=")
    Campaign(folder).undo()  # what the event says is what the table said
    assert cells(folder, "R001-1")["reason"] == ""


def test_a_table_without_a_reason_column_gets_one(tmp_path: Path) -> None:
    header = "id,status,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,youngs_modulus_GPa"
    folder = make(tmp_path / "ti", experiments=f"{header}\nA,known,80,20,0,85\nP,proposed,70,30,0,\n")
    Campaign(folder).withdraw("P", because="no time")
    assert (folder / "experiments.csv").read_text(encoding="utf-8") == (
        f"{header},reason\nA,known,80,20,0,85,\nP,withdrawn,70,30,0,,no time\n"
    )


@pytest.mark.torch
def test_another_one_is_proposed_in_its_place_as_a_round_of_its_own(folder: Path) -> None:
    campaign = Campaign(folder)
    answers = campaign.withdraw("R001-3", because="no tantalum left", replace=True)
    assert [alloy.id for alloy in answers] == ["R002-1"]
    assert campaign.status().pending == ("R001-1", "R001-2", "R001-4", "R002-1")
    assert answers[0].name != "Ti-25Nb-5Zr wt"  # R001-3
    assert [event["what"] for event in events(folder)] == ["suggest", "withdraw", "suggest"]
    told = alloyloop("withdraw", folder, "R002-1", "--because", "nor now", "--replace", "--json").json
    assert (told["withdrawn"], told["round"], told["proposals"][0]["id"]) == (["R002-1"], 3, "R003-1")


@pytest.mark.torch
@pytest.mark.parametrize(
    "row",
    [
        "P,proposed,,{ti:g},{nb:g},{zr:g},,,,,",
        "P,made,7,{ti:g},{nb:g},{zr:g},,,,,",
        "P,made,,{off:g},{offnb:g},{zr:g},,,,,",
    ],
    ids=["proposed by hand", "made of another round", "made off the step"],
)
def test_everything_that_is_pending_is_known_to_suggest_whoever_entered_it(row: str, tmp_path: Path) -> None:
    """A pending alloy where the next one would be: it is not proposed again, and what is left to gain is less."""
    alone = Campaign(make(tmp_path / "alone")).suggest(1, dry_run=True)[0]
    made = alone.composition.amounts("wt_pct")
    ti, nb, zr = made["Ti"], made["Nb"], made.get("Zr", 0.0)
    pending = row.format(ti=ti, nb=nb, zr=zr, off=ti - 0.3, offnb=nb + 0.3)
    beside = Campaign(make(tmp_path / "beside", experiments=f"{EXPERIMENTS}{pending}\n"))
    assert beside.status().pending == ("P",)
    next_one = beside.suggest(1, dry_run=True)[0]
    assert next_one.gain < alone.gain
    if "made,," not in row:
        assert next_one.name != alone.name


@pytest.mark.torch
def test_results_come_in_parts_and_late(folder: Path) -> None:
    """A round may be made and measured piece by piece, and after the next round was suggested."""
    campaign = Campaign(folder)
    enter(folder, "R001-1", status="made")
    second = campaign.suggest(1)
    enter(folder, "R001-1", youngs_modulus_GPa="58.2")
    enter(folder, "R001-1", phases="beta")
    enter(folder, "R001-2", status="failed", reason="cracked")
    stands = campaign.status()
    assert stands.pending == ("R001-3", "R001-4", second[0].id)
    assert (stands.measured["measured"], stands.measured["failed"]) == (1, 1)
    row = cells(folder, "R001-1")
    assert (row["status"], row["youngs_modulus_GPa"], row["phases"]) == ("measured", "58.2", "beta")
    frozen = json.loads((folder / "rounds" / "002" / "decision.json").read_text(encoding="utf-8"))
    assert frozen["proposals"][0]["id"] == "R002-1"
    assert campaign.suggest(1).round == 3
