"""Where a campaign stands, read off its files alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from alloyloop.campaigns.campaign import Campaign

from .folders import EXPERIMENTS, PROPOSED, QUESTION, contents, make, make_with_round


def best_id(folder: Path) -> str | None:
    best = Campaign(folder).status().best
    return None if best is None else best.id


def test_a_campaign_before_its_first_round(tmp_path: Path) -> None:
    status = Campaign(make(tmp_path / "ti")).status()
    assert (status.rounds, status.pending, status.stop) == (0, (), {})
    assert status.measured == {"known": 5, "measured": 0, "failed": 0}


def test_the_best_is_the_lowest_where_low_is_wanted_and_the_highest_where_high_is(tmp_path: Path) -> None:
    # of EXPERIMENTS: E has 61 GPa, A has 85
    assert best_id(make(tmp_path / "low")) == "E"
    assert best_id(make(tmp_path / "high", QUESTION.replace("minimize", "maximize"))) == "A"


def test_proposed_and_made_alloys_are_pending(tmp_path: Path) -> None:
    status = Campaign(make_with_round(tmp_path / "ti")).status()
    assert (status.rounds, status.pending) == (1, ("R001-1", "R001-2"))


def test_what_the_last_round_said_of_going_on_is_told_with_its_round(tmp_path: Path) -> None:
    stop = Campaign(make_with_round(tmp_path / "ti")).status().stop
    assert stop == {"round": 1, "expected_gain": 1.5, "words": "The batch is expected to gain 1.5 GPa."}


@pytest.mark.parametrize("damage", ["", "not json", "missing"])
def test_a_round_without_a_decision_says_nothing_of_going_on(damage: str, tmp_path: Path) -> None:
    folder = make_with_round(tmp_path / "ti")
    decision = folder / "rounds" / "001" / "decision.json"
    decision.unlink() if damage == "missing" else decision.write_text(damage, encoding="utf-8")
    assert Campaign(folder).status().stop == {}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("F,known,,95,5,0,40,,,,", "below the least niobium"),
        ("F,known,,50,40,10,40,,,,", "breaks Nb + Zr <= 45"),
        ("F,failed,,75,25,0,40,,,cracked,", "failed"),
        ("F,withdrawn,,75,25,0,40,,,doubtful,", "withdrawn"),
        ("F,proposed,,75,25,0,,,,,", "not measured"),
        ("F,known,,75,25,0,<40,,,,", "only a bound"),
    ],
)
def test_an_alloy_is_not_the_best_if_it(row: str, why: str, tmp_path: Path) -> None:
    assert best_id(make(tmp_path / "ti", experiments=f"{EXPERIMENTS}{row}\n")) == "E", why


def test_an_alloy_off_the_step_may_be_the_best(tmp_path: Path) -> None:
    assert best_id(make(tmp_path / "ti", experiments=f"{EXPERIMENTS}F,known,,75.3,24.7,0,40,,,,\n")) == "F"


def test_a_limit_must_be_met_by_a_measurement_to_be_kept(tmp_path: Path) -> None:
    question = QUESTION.replace("features:", "  strength_MPa: {goal: above, limit: 500}\nfeatures:")
    header, *rows = EXPERIMENTS.splitlines()
    strengths = {"A": "900", "B": "500", "C": "499", "D": "", "E": ">400"}  # E: only a bound
    table = "\n".join([f"{header},strength_MPa", *(f"{row},{strengths[row[0]]}" for row in rows)]) + "\n"
    ranking = Campaign(make(tmp_path / "ti", question, table)).status().ranking
    assert ranking == (1, 0)  # B, exactly at its limit, then A


def test_a_campaign_that_pursues_nothing_has_no_best_and_still_a_status(tmp_path: Path) -> None:
    folder = make_with_round(tmp_path / "ti", QUESTION.replace("minimize", "report"))
    status = Campaign(folder).status()
    assert (status.best, status.rounds, status.pending) == (None, 1, ("R001-1", "R001-2"))


def test_the_keys_of_the_manual(tmp_path: Path) -> None:
    told = Campaign(make_with_round(tmp_path / "ti")).status().json()
    assert list(told) == ["rounds", "pending", "measured", "best", "stop", "designs"]
    assert told["best"]["id"] == "E"
    assert told["best"]["alloy"] == "Ti-30Nb-10Zr wt"
    assert told["best"]["youngs_modulus_GPa"] == 61


def test_asking_changes_nothing(tmp_path: Path) -> None:
    folder = make_with_round(tmp_path / "ti", experiments=EXPERIMENTS + PROPOSED)
    before = contents(folder)
    Campaign(folder).status()
    Campaign(folder).check()
    assert contents(folder) == before
