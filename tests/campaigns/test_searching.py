"""How the next batch is looked for: as campaign.yaml says, or as the command does, and the round says which it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from alloyloop.campaigns import Campaign
from alloyloop.campaigns.spec import CampaignSpec
from alloyloop.design.propose import SEARCHES
from alloyloop.surrogates.errors import AlloyloopError

from .folders import alloyloop, contents, make
from .process_study import EXPERIMENTS, QUESTION

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
