"""The tutorial, step by step: what it shows is what happens, in an empty folder with the table that it names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

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
