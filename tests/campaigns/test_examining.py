"""What `check` says of a space as a whole, and of the rows that lie outside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.examining import FEW_BATCHES, Checked, check, refuse_if_empty
from alloyloop.campaigns.folder import Folder
from alloyloop.campaigns.problems import CampaignFileError
from alloyloop.campaigns.snapshot import read_snapshot
from alloyloop.design.conflicts import Part

from .folders import EXPERIMENTS, PROPOSED, QUESTION, alloyloop, contents, make
from .process_study import EXPERIMENTS as PRINTS
from .process_study import QUESTION as STUDY

RULE = "    - Nb + Zr <= 45\n"


def checked(path: Path, *rules: str, question: str = QUESTION, experiments: str = EXPERIMENTS) -> Checked:
    ruled = question.replace(RULE, "".join(f"    - {rule}\n" for rule in rules) or RULE)
    return check(Folder(make(path / "campaign", ruled, experiments)))


def test_a_good_space_is_counted_and_nothing_is_said_of_it(tmp_path: Path) -> None:
    found = checked(tmp_path)
    assert (found.problems, found.remarks) == ((), ())
    assert found.designs is not None
    # By hand: 31 amounts of niobium and 11 of zirconium, less the 15 pairs above 45.
    assert (found.designs.number, found.designs.exact) == (31 * 11 - 15, True)


def test_bounds_and_rules_that_exclude_each_other_are_named_with_their_lines(tmp_path: Path) -> None:
    found = checked(tmp_path, "Nb <= 30", "Nb + Zr <= 12", "Zr >= 5")
    (only,) = found.problems
    # Zr from 5 on leaves Nb at most 7; its own bounds begin at 10. 'Nb <= 30' has no part in it.
    assert (only.file, only.row, only.column) == ("campaign.yaml", 8, "composition.elements.Nb")
    assert only.problem.startswith("The space is empty: there is no design that keeps ")
    for part in ("(line 8)", "'Nb + Zr <= 12' (line 12)", "'Zr >= 5' (line 13)"):
        assert part in only.problem
    assert "Nb <= 30" not in only.problem
    assert only.remedy == "Relax any one of these."
    assert found.designs is not None
    assert found.designs.number == 0


@pytest.mark.parametrize(("proved", "says"), [(True, "there is no design that keeps"), (False, "no design was found")])
def test_a_space_is_said_to_be_empty_only_where_that_was_proved(
    proved: bool, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Part("mo_equivalent_wang >= 60", ("rules", 0), proved)
    monkeypatch.setattr("alloyloop.design.conflicts.conflicts", lambda space: (part,))
    fine = QUESTION.replace("step: 1\n", "step: 0.02\n")  # too many designs for each to be asked
    (only,) = checked(tmp_path, part.text, question=fine).problems
    assert (only.row, only.column) == (11, "composition.rules.0")
    assert only.problem.startswith(f"The space is empty: {says}")
    assert ("were drawn" in only.problem) == (not proved)


def test_rules_of_a_process_study_that_exclude_each_other_are_named(tmp_path: Path) -> None:
    question = STUDY.replace("rules:\n", "rules:\n  - gas is nitrogen\n  - laser_power_W > 350\n")
    (only,) = check(Folder(make(tmp_path / "study", question, PRINTS))).problems
    for part in ("'gas is nitrogen' (line 8)", "'laser_power_W > 350' (line 9)", "if gas is nitrogen' (line 11)"):
        assert part in only.problem
    assert (only.row, only.column) == (8, "rules.0")


def test_nothing_is_suggested_from_an_empty_space(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti", QUESTION.replace("Nb + Zr <= 45", "Nb + Zr <= 5"))
    before = contents(folder)
    told = alloyloop("suggest", folder)
    assert (told.code, told.out) == (1, "")
    assert told.err.startswith("alloyloop: campaign.yaml, line ")
    assert "The space is empty" in told.err
    assert contents(folder) == before
    with pytest.raises(CampaignFileError, match=r"Nb \+ Zr <= 5"):
        refuse_if_empty(read_snapshot(Folder(folder)))


def test_an_empty_space_still_has_a_status_and_takes_results(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti", QUESTION.replace("Nb + Zr <= 45", "Nb + Zr <= 5"), EXPERIMENTS + PROPOSED)
    assert Campaign(folder).status().designs.number == 0
    (result,) = Campaign(folder).record("R001-1", "youngs_modulus_GPa=58")
    assert result.cells["youngs_modulus_GPa"] == "58"


def test_a_space_of_fewer_designs_than_ten_batches_is_remarked(tmp_path: Path) -> None:
    few = QUESTION.replace("{min: 0, max: 10}", "{min: 0, max: 0}")  # leaves 31 designs
    at_four, at_three = (
        checked(tmp_path / batch, question=few.replace("batch: 2", f"batch: {batch}")).remarks for batch in ("4", "3")
    )
    assert FEW_BATCHES == 10
    assert any("the space holds only 31 designs (counted exactly): fewer than 10 batches of 4" in r for r in at_four)
    assert not any("holds only" in remark for remark in at_three)


def test_a_rule_that_excludes_nothing_is_remarked_with_its_line(tmp_path: Path) -> None:
    remarks = checked(tmp_path, "Nb + Zr <= 45", "Nb >= 10", "Zr <= 9").remarks
    assert [remark for remark in remarks if "excludes nothing" in remark] == [
        "campaign.yaml, line 12, composition.rules.1: 'Nb >= 10' excludes nothing that the rest allows."
    ]


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("present_above: 1", "present_above"),
        ("max_elements: 3", "max_elements"),
        ("groups: {some: {of: [Nb, Zr], max_elements: 2}}", "groups.some"),
    ],
)
def test_a_key_that_excludes_nothing_is_remarked_with_its_line(key: str, place: str, tmp_path: Path) -> None:
    remarks = checked(tmp_path, question=QUESTION.replace("  rules:", f"  {key}\n  rules:")).remarks
    assert any(f"campaign.yaml, line 10, composition.{place}: " in remark for remark in remarks), remarks


def test_a_waiting_alloy_that_the_space_no_longer_allows_is_remarked_with_every_reason(tmp_path: Path) -> None:
    remarks = checked(tmp_path, "Nb <= 30", "Zr <= 9", experiments=EXPERIMENTS + PROPOSED).remarks
    (only,) = [remark for remark in remarks if "R001-" in remark]
    # R001-1 has Nb 32 and Zr 10, R001-2 Nb 18 and Zr 5.
    assert only == (
        "experiments.csv, row 7: R001-1 (proposed) would not be proposed as the space is now: "
        "'Nb <= 30' is not met: it is 32; 'Zr <= 9' is not met: it is 10."
    )


def test_known_rows_outside_are_counted(tmp_path: Path) -> None:
    remarks = checked(tmp_path, "Nb <= 30").remarks  # C has 35 and D has 40
    assert [remark for remark in remarks if "known or measured" in remark] == [
        "experiments.csv: of 5 known or measured rows, 2 lie outside the space or its rules: learned from all the "
        "same, and never the best."
    ]


def test_the_count_says_whether_it_is_an_estimate(tmp_path: Path) -> None:
    fine = QUESTION.replace("step: 1\n", "step: 0.02\n").replace("Nb + Zr <= 45", "mo_equivalent_wang >= 9")
    folder = make(tmp_path / "ti", fine)
    told = alloyloop("check", folder)
    assert "Space: about " in told.out
    assert "estimated" in told.out
    designs = alloyloop("check", folder, "--json").json["designs"]
    # Every design of the lattice is one of 1501 x 501; some are not stable enough.
    assert 0 < designs["low"] < designs["number"] < designs["high"] < 1501 * 501
    quick = Campaign(folder).status().designs
    assert (quick.exact, quick.number, quick.high) == (False, 1501 * 501, 1501 * 501)
    assert "before 1 rule that can only be asked" in quick.how
