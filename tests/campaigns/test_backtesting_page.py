"""The page on backtests: its command runs on the built-in campaign, and finds what the page says of the pool."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from alloyloop.campaigns import cli
from alloyloop.campaigns.campaign import Campaign

from .folders import alloyloop

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "backtesting.md").read_text(encoding="utf-8")
COMMANDS = [shlex.split(line)[1:] for line in PAGE.splitlines() if line.startswith("    alloyloop ")]


@pytest.mark.slow
@pytest.mark.torch
def test_the_command_of_the_page_answers_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Campaign.new("my-hea", "hea-hardness")
    (asked,) = (command for command in COMMANDS if "my-hea" in command)
    told = alloyloop(*asked)
    assert told.code == 0, told.err
    lines = told.out.splitlines()
    by_chance = next(line for line in lines if line.startswith("chance, exact"))
    # What strategies find changes whenever they get better; what there is to find, and what chance does of it, do not.
    for line in (*lines[:3], " ".join(by_chance.split())):
        assert line in " ".join(PAGE.split()) or f"    {line}\n" in PAGE
    assert any(re.fullmatch(r"With this data, auto would have found an alloy .* \(.*random: .*\)\.", s) for s in lines)
    assert (tmp_path / "backtest.svg").read_text(encoding="utf-8").startswith("<svg")


def test_every_option_is_on_the_page() -> None:
    command = typer.main.get_command(cli.app).commands["backtest"]  # type: ignore[attr-defined]  # a group has commands
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    assert [option for option in options if option not in PAGE and option not in ("--output", "--json")] == []


def test_every_key_of_the_manual_is_on_the_page() -> None:
    for key in (
        "melts_to_best",
        "melts_to_half",
        "melts_to_top",
        "acceleration",
        "enhancement",
        "hypervolume",
        "traces",
    ):
        assert f"`{key}`" in PAGE
    for key in ("median", "q25", "q75", "reached"):
        assert f"`{key}`" in PAGE
