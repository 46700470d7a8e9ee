"""What is asked of a batch beyond one goal: several goals, targets, failed melts, knobs, and whether to go on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alloyloop.campaigns.campaign import Campaign
from alloyloop.surrogates.errors import AlloyloopError

from .folders import EXPERIMENTS, QUESTION, make

TWO_ELEMENTS = """alloyloop: 1
name: trial
composition:
  basis: wt_pct
  balance: Ti
  step: 1
  elements: {Nb: {min: 0, max: 40}, Sn: {min: 0, max: 20}}
properties:
  youngs_modulus_GPa: {goal: %s}
  yield_strength_MPa: {goal: %s}
model: gaussian-process
features: composition
seed: 3
"""
COLUMNS = "id,status,source,Ti_wt_pct,Nb_wt_pct,Sn_wt_pct,youngs_modulus_GPa,yield_strength_MPa,reason"


def modulus(niobium: float, tin: float) -> float:
    """A SYNTHETIC valley at 26 % of niobium, rising with tin."""
    return 60 + 0.08 * (niobium - 26) ** 2 + 0.5 * tin


def strength(niobium: float, tin: float) -> float:
    """A SYNTHETIC strength that rises with tin and falls with niobium."""
    return 500 + 15 * tin - 3 * niobium


ROWS = [(4, 2), (10, 12), (16, 6), (22, 15), (30, 3), (36, 10), (40, 18), (12, 0), (28, 8), (34, 19)]


def row(i: int, niobium: float, tin: float, failed: bool = False) -> str:
    amounts = f"{100 - niobium - tin},{niobium},{tin}"
    if failed:
        return f"F{i},failed,,{amounts},,,cracked"
    return f"K{i},known,,{amounts},{modulus(niobium, tin):.2f},{strength(niobium, tin):.1f},"


def folder(
    path: Path, goals: tuple[str, str] = ("minimize", "report"), more: str = "", rows: list[str] | None = None
) -> Campaign:
    lines = [row(i, *each) for i, each in enumerate(ROWS)] if rows is None else rows
    question = TWO_ELEMENTS % goals + more
    return Campaign(make(path / "trial", question, "\n".join([COLUMNS, *lines, ""])))


def test_the_best_is_found_where_one_goal_is_pursued(tmp_path: Path) -> None:
    (pick,) = folder(tmp_path).suggest(1, dry_run=True)
    assert pick.composition is not None
    assert abs(pick.composition.wt_pct["Nb"] - 26) <= 3
    assert pick.composition.wt_pct.get("Sn", 0) <= 3
    assert pick.gain is not None
    assert pick.gain > 0
    assert pick.teaches is not None
    assert 0 < pick.teaches < 1
    assert pick.runner_up.startswith("Ti-")
    assert pick.runner_up != pick.name


def test_a_target_is_approached_and_its_chance_is_told(tmp_path: Path) -> None:
    campaign = folder(tmp_path, ("match, target: 75, tolerance: 1", "report"))
    (pick,) = campaign.suggest(1, dry_run=True)
    assert abs(pick.predicted["youngs_modulus_GPa"].mean - 75) < 1
    assert 0.1 < pick.probability["youngs_modulus_GPa"] <= 1
    assert "nearer" in pick.why


def test_several_goals_spread_a_batch_over_their_front(tmp_path: Path) -> None:
    campaign = folder(tmp_path, ("minimize", "maximize"))
    batch = campaign.suggest(4, dry_run=True)
    strengths = [pick.predicted["yield_strength_MPa"].mean for pick in batch]
    assert max(strengths) - min(strengths) > 60
    assert all("hypervolume" in pick.why for pick in batch)


def test_weights_make_one_number_of_several_goals(tmp_path: Path) -> None:
    stiff = folder(tmp_path / "a", ("minimize, weight: 10", "maximize, weight: 1")).suggest(1, dry_run=True)[0]
    strong = folder(tmp_path / "b", ("minimize, weight: 1", "maximize, weight: 10")).suggest(1, dry_run=True)[0]
    assert stiff.predicted["youngs_modulus_GPa"].mean < strong.predicted["youngs_modulus_GPa"].mean - 5
    assert strong.predicted["yield_strength_MPa"].mean > stiff.predicted["yield_strength_MPa"].mean + 50


def test_alloys_like_those_that_failed_are_chosen_less(tmp_path: Path) -> None:
    # Everything near the best of the valley cracked, on both sides of it.
    near = [(26, 0), (25, 1), (27, 0), (26, 2), (24, 0)]
    failed = [row(i, *each, failed=True) for i, each in enumerate(near)]
    rows = [row(i, *each) for i, each in enumerate(ROWS)]
    before = folder(tmp_path / "before").suggest(1, dry_run=True)[0]
    answers = folder(tmp_path / "after", rows=[*rows, *failed]).suggest(1, dry_run=True)
    assert before.composition is not None
    assert answers[0].composition is not None
    assert "succeeds" not in before.probability
    assert 0 < answers[0].probability["succeeds"] < 1
    assert answers[0].probability["all"] == pytest.approx(answers[0].probability["succeeds"])
    assert "5 melts failed: alloys like them are chosen less." in answers.remarks

    def apart(made: Any) -> float:
        return float(np.hypot(made.wt_pct["Nb"] - 26, made.wt_pct.get("Sn", 0) - 0.5))

    assert apart(answers[0].composition) > apart(before.composition)


def test_where_every_melt_failed_the_next_are_spread_and_that_is_said(tmp_path: Path) -> None:
    failed = [row(i, *each, failed=True) for i, each in enumerate(ROWS[:3])]
    answers = folder(tmp_path, rows=failed).suggest(2, dry_run=True)
    assert len(answers) == 2
    assert any(said.startswith("All 3 melts failed so far") for said in answers.remarks)
    assert any("space-filling" in said for said in answers.remarks)


def test_one_row_is_enough_to_begin(tmp_path: Path) -> None:
    answers = folder(tmp_path, rows=[row(0, 16, 6)]).suggest(3, dry_run=True)
    assert len({pick.name for pick in answers}) == 3


def test_explore_goes_from_what_is_expected_to_be_best_to_what_is_least_known(tmp_path: Path) -> None:
    campaign = folder(tmp_path)
    greedy, curious = (campaign.suggest(1, dry_run=True, explore=explore)[0] for explore in (0.0, 1.0))
    assert greedy.predicted["youngs_modulus_GPa"].mean < curious.predicted["youngs_modulus_GPa"].mean
    assert greedy.predicted["youngs_modulus_GPa"].std < curious.predicted["youngs_modulus_GPa"].std


@pytest.mark.parametrize("name", ["knowledge-gradient", "thompson-sampling", "integrated-variance", "greedy"])
def test_an_acquisition_is_taken_by_its_name(name: str, tmp_path: Path) -> None:
    campaign = folder(tmp_path)
    campaign.suggest(2, acquisition=name)
    assert _decision(tmp_path)["acquisition"]["name"] == name


def _decision(path: Path) -> Any:
    return json.loads((path / "trial" / "rounds" / "001" / "decision.json").read_text(encoding="utf-8"))


def test_why_an_acquisition_was_taken_is_kept(tmp_path: Path) -> None:
    folder(tmp_path).suggest(1)
    told = _decision(tmp_path)["acquisition"]
    assert told["name"] == "upper-confidence-bound"
    assert "one property is pursued: each alloy is judged by what it may be" in told["why"]
    assert "10 known alloys to beat" in told["why"]


def test_a_target_is_approached_by_what_is_expected_since_anything_unknown_may_be_on_it(tmp_path: Path) -> None:
    folder(tmp_path, ("match, target: 75, tolerance: 1", "report")).suggest(1)
    told = _decision(tmp_path)["acquisition"]
    assert told["name"] == "log-expected-improvement"
    assert told["why"].startswith("a target is to be approached")


def test_an_unknown_acquisition_and_a_useless_knob_are_refused(tmp_path: Path) -> None:
    campaign = folder(tmp_path)
    with pytest.raises(AlloyloopError, match=r"There is no acquisition named 'best'\. Write auto or one of greedy"):
        campaign.suggest(1, acquisition="best")
    with pytest.raises(AlloyloopError, match="greedy has no use for it"):
        campaign.suggest(1, acquisition="greedy", explore=0.5)
    with pytest.raises(AlloyloopError, match="explore is a number between 0 and 1, and not 2"):
        campaign.suggest(1, explore=2.0)


def test_goals_that_cannot_all_be_met_are_told_with_the_best_compromise(tmp_path: Path) -> None:
    campaign = folder(tmp_path, ("minimize", "above, limit: 1500"))
    answers = campaign.suggest(1, dry_run=True)
    (said,) = (each for each in answers.remarks if each.startswith("No design is likely to meet"))
    assert "yield_strength_MPa" in said
    assert "best compromise" in said


def test_a_batch_shares_its_furnace(tmp_path: Path) -> None:
    rows = [f"{line},{700 + 50 * (i % 3)}" for i, line in enumerate(row(i, *each) for i, each in enumerate(ROWS))]
    more = "process: {anneal_C: {min: 700, max: 800, step: 50}}\nbatch_shares: [anneal_C]\n"
    path = make(
        tmp_path / "trial", TWO_ELEMENTS % ("minimize", "report") + more, "\n".join([f"{COLUMNS},anneal_C", *rows, ""])
    )
    batch = Campaign(path).suggest(4, dry_run=True)
    assert len({pick.process["anneal_C"] for pick in batch}) == 1
    assert len({pick.name for pick in batch}) == 4


def test_only_a_process_variable_can_be_shared(tmp_path: Path) -> None:
    with pytest.raises(AlloyloopError, match="A batch can share a process variable, and Nb is none"):
        folder(tmp_path, more="batch_shares: [Nb]\n").suggest(1, dry_run=True)


def test_a_campaign_that_has_found_the_best_is_told_to_stop(tmp_path: Path) -> None:
    # Every tenth of the space is known, and so is the bottom of the valley: nothing is left but scatter.
    known = [*((n, s) for n in range(0, 41, 4) for s in range(0, 21, 5)), (26, 0), (25, 0), (27, 0), (26, 1)]
    folder(tmp_path / "late", rows=[row(i, *each) for i, each in enumerate(known)]).suggest(1)
    folder(tmp_path / "early", rows=[row(i, *each) for i, each in enumerate(ROWS[:4])]).suggest(1)
    late, early = (_decision(tmp_path / when)["stop"] for when in ("late", "early"))
    assert (late["verdict"], early["verdict"]) == ("stop", "go on")
    assert late["regret"]["mean"] < early["regret"]["mean"]
    assert late["regret"]["low"] <= late["regret"]["mean"] <= late["regret"]["high"]
    assert "hardly worth going on" in late["words"]
    assert "It is worth going on." in early["words"]


def phased(niobium: float, tin: float) -> str:
    """What an alloy of the SYNTHETIC laboratory is, and how stiff: with little niobium another phase, far softer."""
    beta = niobium >= 18
    return (
        f"{modulus(niobium, tin) - (0 if beta else 40):.2f},{strength(niobium, tin):.1f},,{'beta' if beta else 'omega'}"
    )


def test_what_is_pursued_is_learned_from_alloys_of_the_class_that_is_asked_for(tmp_path: Path) -> None:
    asked = "  phases: {goal: is, value: beta, classes: {beta: [beta], omega: [omega]}}\nmodel: "
    question = (TWO_ELEMENTS % ("minimize", "report")).replace("model: ", asked)
    known = [*ROWS, (20, 2), (24, 12), (26, 6), (32, 14), (38, 4), (3, 9), (7, 16), (14, 14)]
    rows = [f"K{i},known,,{100 - nb - sn},{nb},{sn},{phased(nb, sn)}" for i, (nb, sn) in enumerate(known)]
    campaign = Campaign(make(tmp_path / "trial", question, "\n".join([f"{COLUMNS},phases", *rows, ""])))
    answers = campaign.suggest(2, dry_run=True)
    n_beta = sum(nb >= 18 for nb, _ in known)
    said = f"youngs_modulus_GPa is learned from {n_beta} rows of which it may be that phases is beta"
    assert any(remark.startswith(said) for remark in answers.remarks)
    # The softest alloys by far are omega; of the beta ones the softest lie at 26 % of niobium.
    for pick in answers:
        assert pick.composition is not None
        assert pick.composition.wt_pct["Nb"] >= 16
        assert pick.probability["phases"] > 0.4


def test_a_first_batch_shares_what_a_furnace_run_shares(tmp_path: Path) -> None:
    treated = "process:\n  T_C: {min: 700, max: 1000, step: 50}\n  quench: {choices: [water, air]}\n"
    question = QUESTION.replace("properties:", f"{treated}batch_shares: [T_C]\nproperties:", 1)
    header = EXPERIMENTS.splitlines()[0] + ",T_C,quench\n"
    batch = Campaign(make(tmp_path / "furnace", question, header)).suggest(4)
    assert len({alloy.process["T_C"] for alloy in batch}) == 1
    assert len({alloy.process["quench"] for alloy in batch}) == 2
    assert len({(alloy.name, alloy.process["quench"]) for alloy in batch}) == 4


def test_before_the_first_measurement_it_says_which_goals_a_chance_leaves_out(tmp_path: Path) -> None:
    limited = "  density_g_per_cm3: {goal: below, limit: 7}\n  elongation_pct: {goal: above, limit: 10}\nfeatures"
    question = QUESTION.replace("features", limited, 1)
    header = EXPERIMENTS.splitlines()[0] + ",elongation_pct\n"
    batch = Campaign(make(tmp_path / "first", question, header)).suggest(2)
    assert any("Nothing is known of elongation_pct yet" in remark for remark in batch.remarks)
    assert not any("density_g_per_cm3" in remark for remark in batch.remarks)
