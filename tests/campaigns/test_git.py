"""Two people, two branches, one campaign: what git merges, what the journal settles, and what a person must choose."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.folder import Folder
from alloyloop.campaigns.merging import settle
from alloyloop.campaigns.problems import CampaignFileError

from .branches import Repository, enter, propose, with_round
from .folders import cells, contents, events

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository.of(with_round(tmp_path / "ti"))


def ids(folder: Path) -> list[str]:
    return [line.partition(",")[0] for line in (folder / "experiments.csv").read_text(encoding="utf-8").splitlines()]


def problems(folder: Path) -> list[str]:
    return [str(problem) for problem in Campaign(folder).check()[0]]


def test_results_of_adjacent_rows_merge_without_a_conflict_and_none_is_lost(repository: Repository) -> None:
    folder = repository.folder
    repository.branch("anna")
    enter(folder, "R001-1", youngs_modulus_GPa="58.2")
    repository.commit()
    repository.branch("ben")
    enter(folder, "R001-2", youngs_modulus_GPa="71")
    repository.commit()
    assert repository.merge("anna")
    assert len(ids(folder)) > len(set(ids(folder)))  # what git leaves: both rows twice
    assert problems(folder) == []
    assert Campaign(folder).status().measured["measured"] == 2
    assert Campaign(folder).verify(again=False).whole
    enter(folder, "R001-3", youngs_modulus_GPa="66")
    assert len(ids(folder)) == len(set(ids(folder)))
    assert [cells(folder, id)["youngs_modulus_GPa"] for id in ("R001-1", "R001-2", "R001-3")] == ["58.2", "71", "66"]
    assert [cells(folder, id)["status"] for id in ("R001-1", "R001-2", "R001-4")] == [*["measured"] * 2, "proposed"]
    verified = Campaign(folder).verify(again=False)
    assert (verified.whole, verified.differences) == (True, ())


def test_a_branch_that_added_a_column_merges_with_one_that_did_not(repository: Repository) -> None:
    folder = repository.folder
    repository.branch("anna")
    enter(folder, "R001-1", youngs_modulus_GPa="58.2", furnace="arc")
    repository.commit()
    repository.branch("ben")
    enter(folder, "R001-4", youngs_modulus_GPa="71")
    repository.commit()
    assert repository.merge("anna")
    assert ids(folder).count("id") == 2  # git left both tables, one below the other
    assert problems(folder) == []
    enter(folder, "R001-3", youngs_modulus_GPa="66")
    assert ids(folder) == ["id", *"ABCDE", "R001-1", "R001-2", "R001-3", "R001-4"]
    assert cells(folder, "R001-1")["furnace"] == "arc"
    assert cells(folder, "R001-4")["youngs_modulus_GPa"] == "71"


def test_branches_that_added_columns_of_their_own_keep_both(repository: Repository) -> None:
    folder = repository.folder
    for who, id in (("anna", "R001-1"), ("ben", "R001-2")):
        repository.branch(who)
        enter(folder, id, youngs_modulus_GPa="60", **{f"of_{who}": "yes"})
        repository.commit()
    assert repository.merge("anna")
    settle(Folder(folder))
    assert (cells(folder, "R001-1")["of_anna"], cells(folder, "R001-1")["of_ben"]) == ("yes", "")
    assert (cells(folder, "R001-2")["of_anna"], cells(folder, "R001-2")["of_ben"]) == ("", "yes")


def test_three_branches_meet(repository: Repository) -> None:
    folder = repository.folder
    for who, id in (("anna", "R001-1"), ("ben", "R001-2"), ("cleo", "R001-3")):
        repository.branch(who)
        enter(folder, id, youngs_modulus_GPa="60", note=who)
        repository.commit()
    assert repository.merge("anna", "ben")
    enter(folder, "R001-4", youngs_modulus_GPa="61")
    assert [cells(folder, f"R001-{i}")["note"] for i in (1, 2, 3)] == ["anna", "ben", "cleo"]
    merge = next(event for event in events(folder) if event["what"] == "merge")
    assert len(merge["after"]) == 3


def test_the_same_row_may_be_filled_in_by_both_where_they_filled_other_cells(repository: Repository) -> None:
    folder = repository.folder
    repository.branch("anna")
    enter(folder, "R001-1", youngs_modulus_GPa="58.2")
    repository.commit()
    repository.branch("ben")
    enter(folder, "R001-1", status="made", note="poured twice")
    repository.commit()
    assert repository.merge("anna")
    assert problems(folder) == []
    settle(Folder(folder))
    row = cells(folder, "R001-1")
    assert (row["youngs_modulus_GPa"], row["note"], row["status"]) == ("58.2", "poured twice", "measured")


def test_one_cell_with_two_values_is_found_by_check_which_says_whose_they_are_and_what_to_do(
    repository: Repository,
) -> None:
    folder = repository.folder
    for who, value in (("anna", "58.2"), ("ben", "61")):
        repository.branch(who)
        enter(folder, "R001-1", youngs_modulus_GPa=value)
        enter(folder, "R001-3", note=who)
        repository.commit()
    assert repository.merge("anna")
    (problem, other) = Campaign(folder).check()[0]
    assert problem.place.startswith("experiments.csv, row ")
    assert "R001-1 was changed on two branches: youngs_modulus_GPa 61 (" in problem.problem
    assert "or 58.2 (" in problem.problem
    assert "Keep the row of R001-1 that is right and delete the others" in problem.remedy
    assert "R001-3 was changed on two branches: note ben" in other.problem
    before = contents(folder)
    with pytest.raises(CampaignFileError, match="R001-1 was changed on two branches"):
        enter(folder, "R001-2", youngs_modulus_GPa="70")
    assert contents(folder) == before
    assert not Campaign(folder).verify(again=False).whole


def test_whoever_deletes_one_of_the_two_rows_has_chosen(repository: Repository) -> None:
    folder = repository.folder
    for who, value in (("anna", "58.2"), ("ben", "61")):
        repository.branch(who)
        enter(folder, "R001-1", youngs_modulus_GPa=value)
        enter(folder, "R001-2", note=f"seen by {who}") if who == "anna" else None
        repository.commit()
    assert repository.merge("anna")
    table = folder / "experiments.csv"
    kept = [line for line in table.read_text(encoding="utf-8").splitlines() if ",61," not in line]
    table.write_text("\n".join(kept) + "\n", encoding="utf-8")
    assert problems(folder) == []
    enter(folder, "R001-3", youngs_modulus_GPa="66")
    assert cells(folder, "R001-1")["youngs_modulus_GPa"] == "58.2"
    assert cells(folder, "R001-2")["note"] == "seen by anna"
    verified = Campaign(folder).verify(again=False)
    assert (verified.whole, verified.differences) == (True, ())


def by_hand(folder: Path, old: str, new: str) -> None:
    table = folder / "experiments.csv"
    text = table.read_text(encoding="utf-8")
    assert text.count(old) == 1
    table.write_text(text.replace(old, new), encoding="utf-8")


def test_what_was_edited_by_hand_on_a_branch_is_kept(repository: Repository) -> None:
    folder = repository.folder
    repository.branch("anna")
    enter(folder, "R001-1", youngs_modulus_GPa="58.2")
    repository.commit()
    repository.branch("ben")
    by_hand(folder, "R001-3,proposed", "R001-3,made")
    repository.commit()
    assert repository.merge("anna")
    assert Campaign(folder).verify(again=False).differences == (
        "R001-3 status: proposed in the journal, made in experiments.csv; edited by hand?",
    )
    enter(folder, "R001-4", youngs_modulus_GPa="66")
    assert (cells(folder, "R001-1")["youngs_modulus_GPa"], cells(folder, "R001-3")["status"]) == ("58.2", "made")


def test_a_row_edited_by_hand_beside_one_that_was_recorded_is_left_to_a_person(repository: Repository) -> None:
    folder = repository.folder
    repository.branch("anna")
    enter(folder, "R001-1", youngs_modulus_GPa="58.2")
    repository.commit()
    repository.branch("ben")
    by_hand(folder, "R001-2,proposed", "R001-2,made")
    repository.commit()
    assert repository.merge("anna")
    (found,) = problems(folder)  # and none of R001-1, of which the older row is no longer true
    assert "has the id 'R001-2' too" in found


def test_of_two_whole_tables_one_edited_by_hand_the_edited_rows_are_left_to_a_person(repository: Repository) -> None:
    folder = repository.folder
    repository.branch("anna")
    enter(folder, "R001-1", youngs_modulus_GPa="58.2", furnace="arc")
    repository.commit()
    repository.branch("ben")
    by_hand(folder, "R001-4,proposed", "R001-4,made")
    repository.commit()
    assert repository.merge("anna")
    (found,) = problems(folder)
    assert "R001-4 was changed on two branches: status made (by hand) or proposed." in found


def test_a_table_taken_from_one_branch_alone_still_gets_the_other_branch_s_results(repository: Repository) -> None:
    folder = repository.folder
    repository.branch("anna")
    enter(folder, "R001-1", youngs_modulus_GPa="58.2")
    repository.commit()
    repository.branch("ben")
    enter(folder, "R001-2", youngs_modulus_GPa="71")
    repository.commit()
    assert repository.merge("anna")
    assert repository.git("checkout", "HEAD^1", "--", "experiments.csv") == 0
    assert cells(folder, "R001-1")["status"] == "proposed"
    assert Campaign(folder).status().measured["measured"] == 2


def test_a_round_of_the_other_branch_comes_too_where_the_table_was_taken_from_one(repository: Repository) -> None:
    folder = repository.folder
    repository.branch("anna")
    propose(folder, 2, {"R002-1": {"Ti_wt_pct": "67", "Nb_wt_pct": "33", "Zr_wt_pct": "0"}})
    repository.commit()
    repository.branch("ben")
    enter(folder, "R001-2", youngs_modulus_GPa="71")
    repository.commit()
    assert repository.merge("anna")
    assert repository.git("checkout", "HEAD^1", "--", "experiments.csv") == 0
    assert Campaign(folder).status().pending == ("R001-1", "R001-3", "R001-4", "R002-1")


def test_rounds_made_on_two_branches_of_different_alloys_are_found_by_check(repository: Repository) -> None:
    folder = repository.folder
    for who, nb in (("anna", "33"), ("ben", "34")):
        repository.branch(who)
        propose(folder, 2, {"R002-1": {"Ti_wt_pct": str(100 - int(nb)), "Nb_wt_pct": nb, "Zr_wt_pct": "0"}})
        repository.commit()
    assert not repository.merge("anna")  # both wrote rounds/002/decision.json
    found, torn = problems(folder)
    assert torn.startswith("rounds/002/decision.json: It holds what two branches made")
    assert "Round 2 was made on two branches" in found
    assert "R002-1 is two alloys" in found
    assert "Keep one of them in rounds/002 (`git checkout --ours` or `--theirs`)" in found
    assert "ids of their own, such as R002-1b" in found


def test_both_of_two_second_rounds_are_kept_by_doing_what_check_says(repository: Repository) -> None:
    folder = repository.folder
    for who, nb in (("anna", "33"), ("ben", "34")):
        repository.branch(who)
        propose(folder, 2, {"R002-1": {"Ti_wt_pct": str(100 - int(nb)), "Nb_wt_pct": nb, "Zr_wt_pct": "0"}})
        enter(folder, "R002-1", youngs_modulus_GPa=f"6{nb[1]}")
        repository.commit()
    repository.merge("anna")
    assert repository.git("checkout", "--ours", "rounds/002") == 0
    table = folder / "experiments.csv"
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace("R002-1,measured,2,67,33", "R002-1b,measured,2,67,33"), encoding="utf-8")
    assert problems(folder) == []
    repository.commit()
    propose(folder, 3, {"R003-1": {"Ti_wt_pct": "80", "Nb_wt_pct": "20", "Zr_wt_pct": "0"}})
    assert (cells(folder, "R002-1")["Nb_wt_pct"], cells(folder, "R002-1")["youngs_modulus_GPa"]) == ("34", "64")
    assert (cells(folder, "R002-1b")["Nb_wt_pct"], cells(folder, "R002-1b")["youngs_modulus_GPa"]) == ("33", "63")
    verified = Campaign(folder).verify(again=False)
    assert (verified.whole, verified.differences) == (True, ())


def test_the_same_round_made_twice_alike_is_no_conflict(repository: Repository) -> None:
    folder = repository.folder
    for who, cell in (("anna", {"youngs_modulus_GPa": "58.2"}), ("ben", {"note": "poured twice"})):
        repository.branch(who)
        propose(folder, 2, {"R002-1": {"Ti_wt_pct": "67", "Nb_wt_pct": "33", "Zr_wt_pct": "0"}})
        enter(folder, "R002-1", **cell)
        repository.commit()
    assert repository.merge("anna")
    assert problems(folder) == []
    settle(Folder(folder))
    row = cells(folder, "R002-1")
    assert (row["youngs_modulus_GPa"], row["note"], row["status"]) == ("58.2", "poured twice", "measured")


def test_settling_twice_is_settling_once(repository: Repository) -> None:
    folder = repository.folder
    for who, id in (("anna", "R001-1"), ("ben", "R001-2")):
        repository.branch(who)
        enter(folder, id, youngs_modulus_GPa="60", **{f"of_{who}": "yes"})
        repository.commit()
    repository.merge("anna")
    settle(Folder(folder))
    once = contents(folder)
    settle(Folder(folder))
    assert contents(folder) == once


def test_a_merge_whose_marks_a_web_page_left_in_the_table_is_settled_too(repository: Repository) -> None:
    """Some hosts merge without reading .gitattributes, and leave git's marks between the two versions."""
    folder = repository.folder
    (folder / ".gitattributes").unlink()
    repository.commit()
    for who, id in (("anna", "R001-1"), ("ben", "R001-2")):
        repository.branch(who)
        enter(folder, id, youngs_modulus_GPa="60", note=who)
        repository.commit()
    assert not repository.merge("anna")
    assert "<<<<<<<" in (folder / "experiments.csv").read_text(encoding="utf-8")
    assert problems(folder) == []
    settle(Folder(folder))
    assert "<<<<<<<" not in (folder / "experiments.csv").read_text(encoding="utf-8")
    assert [cells(folder, id)["note"] for id in ("R001-1", "R001-2")] == ["anna", "ben"]


def test_an_undo_on_one_branch_and_a_result_on_the_other_are_a_choice(repository: Repository) -> None:
    folder = repository.folder
    repository.branch("anna")
    enter(folder, "R001-1", youngs_modulus_GPa="58.2")
    repository.commit()
    repository.branch("ben")
    Campaign(folder).withdraw("R001-1", because="no time")
    repository.commit()
    assert repository.merge("anna")
    (found,) = problems(folder)
    assert "R001-1 was changed on two branches: status withdrawn (" in found
