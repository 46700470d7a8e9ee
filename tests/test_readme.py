"""What README.md shows is what happens: its commands and its Python run in order, and what it shows is printed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from .campaigns.folders import alloyloop

pytestmark = pytest.mark.torch

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
# A line of dots stands for output that is left out; what is shown between is compared line by line.
LEFT_OUT = {"...", "…"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def commands(block: str) -> list[tuple[str, list[str]]]:
    """Each command line after `$ `, with the lines that README shows of its output."""
    shown: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            shown.append((line.removeprefix("$ "), []))
        elif line.strip() not in LEFT_OUT:
            shown[-1][1].append(line.rstrip())
    return shown


def missing(shown: list[str], printed: str) -> list[str]:
    """The lines shown that were not printed, in this order."""
    lines = iter([line.rstrip() for line in printed.splitlines()])
    return [line for line in shown if line and line not in lines]  # `in` an iterator goes on from where it was


def test_there_is_something_to_test() -> None:
    assert sum(len(commands(block)) for block in blocks("console")) >= 10
    assert len(blocks("python")) >= 1


@pytest.mark.parametrize("block", blocks("console"))
def test_the_commands_run_and_print_what_is_shown(block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for command, shown in commands(block):
        program, *arguments = shlex.split(command)
        assert program == "alloyloop", command
        told = alloyloop(*arguments)
        assert (told.code, told.err) == (0, ""), command
        assert missing(shown, told.out) == [], command


def test_the_python_runs_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), names)
    assert (tmp_path / "my-ti" / "rounds" / "001").is_dir()


def test_every_picture_and_page_that_it_links_is_there() -> None:
    root = Path(__file__).resolve().parents[1]
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if not link.startswith("http")]
    assert links
    assert [link for link in links if not (root / link).exists()] == []
