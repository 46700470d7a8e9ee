"""How the next batch is looked for: as campaign.yaml says, or as the command does, and the round says which it was."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from alloyloop.campaigns import Campaign
from alloyloop.campaigns.spec import CampaignSpec
from alloyloop.design.propose import SEARCHES
from alloyloop.surrogates.errors import AlloyloopError

from .folders import alloyloop, contents, make
from .process_study import EXPERIMENTS, QUESTION

ROOT = Path(__file__).resolve().parents[2]
POPULATION = QUESTION + "search: population\n"


def test_campaign_yaml_may_ask_for_every_search_that_there_is() -> None:
    assert get_args(CampaignSpec.model_fields["search"].annotation) == tuple(SEARCHES)


@pytest.mark.torch
@pytest.mark.parametrize(
    ("question", "asked", "used"),
    [
        (QUESTION, (), "exchange"),
        (QUESTION, ("--search", "population"), "population"),
        (POPULATION, (), "population"),
        (POPULATION, ("--search", "exchange"), "exchange"),
    ],
)
def test_the_search_is_the_one_that_is_asked_for_and_the_round_says_so(
    question: str, asked: tuple[str, ...], used: str, tmp_path: Path
) -> None:
    folder = make(tmp_path / "lpbf", question, EXPERIMENTS)
    assert alloyloop("suggest", folder, *asked, "--json").code == 0
    decision = json.loads((folder / "rounds" / "001" / "decision.json").read_text(encoding="utf-8"))
    assert decision["search"] == used
    assert len(decision["proposals"]) == 2
    assert decision["runner_ups"]


@pytest.mark.torch
def test_both_searches_find_the_best_of_a_small_space(tmp_path: Path) -> None:
    folder = make(tmp_path / "lpbf", QUESTION, EXPERIMENTS)
    found = {search: Campaign(folder).suggest(1, dry_run=True, search=search)[0] for search in SEARCHES}
    assert found["exchange"].process == found["population"].process


@pytest.mark.torch
def test_a_search_that_there_is_not_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    folder = make(tmp_path / "lpbf", QUESTION, EXPERIMENTS)
    before = contents(folder)
    with pytest.raises(AlloyloopError, match=r"There is no search 'swarm'\. Write one of exchange, population\."):
        Campaign(folder).suggest(1, search="swarm")
    assert contents(folder) == before


def test_a_search_that_there_is_not_is_a_mistake_in_campaign_yaml(tmp_path: Path) -> None:
    told = alloyloop("check", make(tmp_path / "lpbf", QUESTION + "search: swarm\n", EXPERIMENTS))
    assert told.code == 1
    assert "search: input should be 'exchange' or 'population'. It says 'swarm'." in told.out.lower().replace(
        "it says", "It says"
    )


def test_the_documentation_describes_every_search_and_quotes_the_benchmark() -> None:
    said = (ROOT / "docs" / "design-space.md").read_text(encoding="utf-8").partition("## Searching it")[2]
    found = (ROOT / "benchmarks" / "results" / "population.txt").read_text(encoding="utf-8")
    assert [search for search in SEARCHES if f"- `{search}`" not in said] == []
    line = r"(\w+): the best in ([\d.]+)% of (\d+) searches, no more than 0.01 short of it in ([\d.]+)%.* worst (.+)"
    runs = {search: [float(number) for number in rest] for search, *rest in re.findall(line, found)}
    (ours, n, near, short), (theirs, _, near_too, short_too) = runs["exchange"], runs["population"]
    assert f"in {n:.0f} searches each" in said
    assert f"found the best design in {ours:.0f} % of them, populations in {theirs:.0f} %" in said
    assert f"were {near:.0f} % and {near_too:.0f} %" in said
    assert f"it ended {short_too:.2f} short at worst, and exchanges {short:.2f}" in said
    (times,) = re.findall(r"look at ([\d.]+) times as many designs, and take ([\d.]+) times as long", found)
    assert f"looked at {times[0]} times as many designs for it, and took {times[1]} times as long" in said
