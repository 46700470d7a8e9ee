"""The tutorial, step by step: what it shows is what happens, in an empty folder with the table that it names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .campaigns.folders import alloyloop
from .pages import DOCS, blocks, head, played
from .test_site import TUTORIAL

pytestmark = pytest.mark.torch


@pytest.mark.slow
def test_every_step_does_what_the_tutorial_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(DOCS / "examples" / "hardness.csv", tmp_path)
    monkeypatch.chdir(tmp_path)
    for page, text in played(TUTORIAL):
        assert text == page.read_text(encoding="utf-8"), f"python -m tests.pages {' '.join(map(str, TUTORIAL))}"
    assert (tmp_path / "hard" / "report.html").exists()


def test_the_tutorial_has_steps() -> None:
    of = [block for page in TUTORIAL for block in blocks(page.read_text(encoding="utf-8")) if block.kind == "console"]
    steps = [command for block in of for command, _ in block.commands]
    assert len(steps) >= 10
    assert {step.split()[0] for step in steps} == {"alloyloop"}


@pytest.mark.parametrize(
    ("shown", "should_show"),
    [([], []), (["a"], ["x", "y", "z"]), (["a", "..."], ["x", "..."]), (["a", "b", "c", "..."], ["x", "y", "z"])],
)
def test_as_many_lines_are_shown_as_before(shown: list[str], should_show: list[str]) -> None:
    assert head(shown, ["x", "y", "z"]) == should_show


def asked_with(folder: Path, table: str, *options: str) -> str:
    """What `new --from` says of a table, and `check` of what it made."""
    (folder / "mine.csv").write_text(table, encoding="utf-8")
    new = alloyloop("new", str(folder / "mine"), "--from", str(folder / "mine.csv"), *options)
    check = alloyloop("check", str(folder / "mine")) if new.code == 0 else new
    return new.out + check.out + check.err


UNTIDY = {
    "Ti (wt%);Nb (wt%);E (GPa)\n65,5;34,5;61,2\n60;40;n.d.\n70;30;-\n": "No mistakes found",
    "Ti (wt%),Nb (wt%),E (GPa)\n65,35,<70\n60,40,68 ± 2\n70,30,61\n": "No mistakes found",
    "Ti (wt%),Nb (wt%),E (GPa)\n65,35,1\n60,40,2\n62,38,3\n64,36,3\n70,30,LOD\n": "row 6, column youngs_modulus_GPa",
    "Ti (wt%),Nb (wt%),E (GPa)\n65,35,62.3 GPa\n60,40,68\n70,30,61\n": "E (GPa): kept",
    "Ti,Nb,E (GPa)\n65,35,62\n60,40,68\n70,30,61\n": "--basis at_pct or --basis wt_pct",
    "Alloy,E (GPa)\nTi-35Nb,62\nTi-40Nb,68\nTi-30Nb,61\n": "--basis at_pct or --basis wt_pct",
    "Ti (wt%),Nb (wt%),E (GPa)\n65,30,62\n60,40,68\n70,30,61\n": "row 2: The amounts sum to 95 wt.%",
    "Ti (at%),Nb (at%),E (GPa)\n0.65,0.35,62\n0.6,0.4,68\n0.7,0.3,61\n": "as fractions that sum to 1",
    "ID,Ti (wt%),Nb (wt%),E (GPa)\nA,65,35,62\nA,60,40,68\nB,70,30,61\n": "ID: kept",
    "Alloy,Composition,\n,Ti (wt%),Nb (wt%)\nA,65,35\nB,60,40\n": "No composition was found",
    "Ti (wt%),Nb (wt%),E (GPa),UTS (MPa)\n65,35,62,\n60,40,68,\n70,30,61,\n": "UTS (MPa): kept, because it is empty",
}


@pytest.mark.parametrize(("table", "says"), UNTIDY.items(), ids=str)
def test_a_table_that_is_not_tidy_is_taken_as_the_tutorial_says(table: str, says: str, tmp_path: Path) -> None:
    assert says in asked_with(tmp_path, table)


def test_amounts_in_both_bases_are_refused(tmp_path: Path) -> None:
    says = asked_with(tmp_path, "Ti (wt%),Nb (at%),E (GPa)\n65,35,62\n60,40,68\n70,30,61\n")
    assert says.startswith("alloyloop: mine.csv: ")
    assert not (tmp_path / "mine").exists()


def test_one_phase_by_two_words_is_two_classes(tmp_path: Path) -> None:
    rows = "65,35,62,β\n60,40,68,beta\n70,30,61,beta\n66,34,61,β\n"
    asked_with(tmp_path, f"Ti (wt%),Nb (wt%),E (GPa),Phases\n{rows}")
    assert "{β: [β], beta: [beta]}" in (tmp_path / "mine" / "campaign.yaml").read_text(encoding="utf-8")
