"""`backtest`: the same starts for all, honest figures, one sentence; stopped and gone on with; workers answer alike."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from alloyloop.campaigns.backtest_plots import picture
from alloyloop.campaigns.backtested import Backtested, Plan, Spread
from alloyloop.campaigns.backtesting import Asked, backtest
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.pools import Pool, pool_of, table_with_goals
from alloyloop.campaigns.screening import StoppedError
from alloyloop.campaigns.snapshot import Snapshot
from alloyloop.campaigns.strategies import AtRandom
from alloyloop.design.diagram import IntArray
from alloyloop.design.replay import Picked, Replayed
from alloyloop.surrogates.errors import AlloyloopError

from .folders import QUESTION, Told, alloyloop, make

N = 40
HARD = "maximize hardness_HV"
INPUTS = "*_at_pct"
RANDOM = Asked(("random",), start=3, batch=2, budget=10, seeds=4)


def rows(n: int = N) -> str:
    """Alloys of rising niobium: the harder the more of it, the last by far; elongation falls meanwhile."""
    lines = ["Ti_at_pct,Nb_at_pct,hardness_HV,elongation_pct,phases"]
    lines += [f"{99 - i},{1 + i},{200 + i},{40 - i},{'beta' if i % 2 else 'alpha'}" for i in range(n)]
    return "\n".join(lines) + "\n"


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.csv"
    path.write_text(rows(), encoding="utf-8")
    return path


def asked_of(table: Path, *goals: str) -> Snapshot:
    return table_with_goals(table, INPUTS, goals or (HARD,))


def pool(table: Path, *goals: str) -> Pool:
    return pool_of(asked_of(table, *goals), whole_table=True)


def replayed(table: Path, orders: Sequence[Sequence[int]], *goals: str, **told: Any) -> Backtested:
    """A backtest of one strategy whose runs made these alloys in this order."""
    found = pool(table, *goals)
    plan = Plan(("auto",), 2, 1, len(orders[0]), len(orders))
    runs = tuple(Replayed(np.array(order)) for order in orders)
    return Backtested((found,) * len(runs), plan, {"auto": runs}, told.get("synthetic", False), ())


def words(table: Path, *more: object) -> list[object]:
    return ["backtest", "--data", table, "--inputs", INPUTS, *more]


def run(table: Path, *more: object) -> Told:
    """A quick one on the command line."""
    quick = ("--strategies", "random", "--start", 3, "--budget", 10, "--seeds", 4)
    return alloyloop(*words(table, "--goal", HARD, *quick, *more))


# -- figures ----------------------------------------------------------------------------------------------------------


def test_a_quantile_of_melts_is_the_least_number_that_did_for_so_many_runs() -> None:
    assert Spread.of_melts([4, 2, 8, 6]) == Spread(4, 2, 6, 1.0)
    assert Spread.of_melts([4, None, None, 6]) == Spread(6, 4, inf, 0.5)
    assert Spread.of_melts([None, None]).json() == {"median": None, "q25": None, "q75": None, "reached": 0.0}


def test_figures_are_those_of_a_hand_calculation(table: Path) -> None:
    # Of 40 the top are the last two, 38 and 39; the first run has one of them after 3 melts, both after 4.
    of = replayed(table, [[0, 1, 38, 39, 2], [0, 1, 2, 3, 4]]).spreads["auto"]
    assert of["melts_to_best"] == Spread(4, 4, inf, 0.5)
    assert of["melts_to_half"] == Spread(3, 3, inf, 0.5)
    assert of["melts_to_top"] == Spread(4, 4, inf, 0.5)
    by_chance = 1 * 41 / 3  # melts until one of two of forty is found
    assert of["acceleration"] == Spread(by_chance / 3 / 2, by_chance / 3 / 4, by_chance / 3 * 3 / 4, 0.5)
    assert of["enhancement"].median == pytest.approx((1 / 2) / (3 / 40) / 2)
    assert of["stopped"].reached == 0


def test_traces_are_in_the_unit_of_what_is_pursued(table: Path) -> None:
    told = replayed(table, [[5, 3, 8]], "minimize hardness_HV").json()
    assert told["strategies"]["auto"]["traces"] == [[205, 203, 203]]
    told = replayed(table, [[5, 3, 8]], "match hardness_HV = 204 +- 1").json()
    assert told["strategies"]["auto"]["traces"] == [[1, 1, 1]]


def test_before_anything_that_is_allowed_was_made_there_is_no_best(table: Path) -> None:
    told = replayed(table, [[0, 2, 1]], HARD, "phases is beta").json()
    assert told["strategies"]["auto"]["traces"] == [[None, None, 201]]
    assert told["pool"]["allowed"] == 20


def test_of_several_goals_the_hypervolume_is_a_share_of_that_of_the_pool(table: Path) -> None:
    told = replayed(table, [[0, 39, 20], [1, 2, 3]], HARD, "maximize elongation_pct")
    assert told.spreads["auto"]["hypervolume"].reached == 0
    assert (np.diff(told.traces["auto"], axis=1) >= 0).all()
    whole = replayed(table, [list(range(N))], HARD, "maximize elongation_pct")
    assert whole.spreads["auto"]["hypervolume"] == Spread(1, 1, 1, 1)
    assert "hypervolume" not in replayed(table, [[0, 1]]).spreads["auto"]


def test_chance_counts_every_alloy_that_is_as_good_as_the_best(table: Path) -> None:
    table.write_text(rows().replace(",238,", ",239,"), encoding="utf-8")
    # Neither of two of forty is among the first n with probability (40 - n)(39 - n) / (40 · 39): half at 12.
    assert replayed(table, [[0, 1]]).chance.melts_to_best.median == 12


def test_chance_has_no_mean_where_some_alloys_are_not_allowed(table: Path) -> None:
    assert replayed(table, [[0, 1, 2]], HARD, "phases is beta").json()["random"]["mean"] is None
    assert replayed(table, [[0, 1, 2]]).json()["random"]["mean"][0] == 219.5  # of 200 to 239


# -- the sentence -----------------------------------------------------------------------------------------------------


def test_the_sentence_is_the_manuals(table: Path) -> None:
    assert replayed(table, [[0, 1, 39, 2]] * 3).sentence == (
        "With this data, auto would have found an alloy at least as good as your best after 3 melts (median; random: "
        "20)."
    )


def test_where_half_of_the_runs_never_got_there_it_says_how_many_did(table: Path) -> None:
    told = replayed(table, [[0, 1, 39, 2], [0, 1, 2, 3], [0, 1, 2, 3]])
    assert told.sentence == (
        "With this data, auto would have found an alloy at least as good as your best within 4 melts in 1 of 3 runs "
        "(random: in 10% of them)."
    )


def test_of_several_goals_it_is_about_the_hypervolume(table: Path) -> None:
    told = replayed(table, [list(range(N))], HARD, "maximize elongation_pct")
    assert told.sentence == (
        "With this data, auto would have had 100% of the hypervolume of all 40 alloys after 40 melts (median; random: "
        "100%)."
    )


def test_a_model_that_stands_in_is_called_synthetic_everywhere(table: Path) -> None:
    told = replayed(table, [[0, 1, 39]], synthetic=True)
    assert "SYNTHETIC" in told.sentence
    assert "SYNTHETIC" in next(told.lines())
    assert told.json()["synthetic"] is True
    assert b"SYNTHETIC" in picture(told, ".svg")


# -- runs -------------------------------------------------------------------------------------------------------------


@pytest.mark.torch
def test_all_strategies_begin_with_the_same_alloys_and_seeds_differ(table: Path) -> None:
    asked = Asked(("random", "greedy"), start=3, budget=3 + 1, batch=1, seeds=3)
    told = backtest(asked_of(table), asked, whole_table=True, cache=table.parent)
    starts = {name: [tuple(run.order[:3].tolist()) for run in runs] for name, runs in told.runs.items()}
    assert starts["random"] == starts["greedy"]
    assert len(set(starts["random"])) == 3


def test_json_has_the_keys_of_the_manual(table: Path) -> None:
    told = run(table, "--json").json
    (of,) = told["strategies"].values()
    figures = {"melts_to_best", "melts_to_half", "melts_to_top", "acceleration", "enhancement"}
    assert of.keys() == {*figures, "stopped", "traces"}
    assert {tuple(of[key]) for key in figures} == {("median", "q25", "q75", "reached")}
    assert [len(trace) for trace in of["traces"]] == [10] * 4
    assert told["sentence"].startswith("With this data, random would have found")


def test_nothing_is_left_behind_but_what_is_asked_for(table: Path) -> None:
    told = run(table, "-o", "out.json", "--plot", "out.svg", "--json")
    assert told.code == 0, told.err
    assert told.err == ""
    assert {file.name for file in table.parent.iterdir()} == {"mine.csv", "out.json", "out.svg"}
    assert json.loads(Path("out.json").read_text(encoding="utf-8")) == told.json
    ElementTree.fromstring(Path("out.svg").read_text(encoding="utf-8"))


def test_the_same_question_has_the_same_answer(table: Path) -> None:
    assert run(table).out == run(table).out


def test_a_campaign_is_asked_by_its_own_goals_and_batch(tmp_path: Path) -> None:
    header = "id,status,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,youngs_modulus_GPa\n"
    experiments = header + "".join(f"A{i},known,{90 - i},{10 + i},0,{99 - i}\n" for i in range(31))
    campaign = Campaign(make(tmp_path / "c", QUESTION, experiments))
    told = campaign.backtest(["random"], start=2, budget=8, seeds=2)
    assert told.plan == Plan(("random",), 2, 2, 8, 2)
    assert told.goal == "youngs_modulus_GPa as low as possible"
    quick = ("--strategies", "random", "--start", 2, "--budget", 8, "--seeds", 2, "--json")
    assert alloyloop("backtest", campaign.folder.path, *quick).json == told.json()
    assert "<pre>" in told._repr_html_()


def test_without_a_budget_it_is_sixty_or_all_there_are(table: Path) -> None:
    asked = Asked(("random",), seeds=1)
    assert backtest(asked_of(table), asked, whole_table=True, cache=table.parent).plan.budget == N
    table.write_text(rows(70), encoding="utf-8")
    assert backtest(asked_of(table), asked, whole_table=True, cache=table.parent).plan.budget == 60


@pytest.mark.parametrize("noisy", [True, False])
def test_only_where_it_is_noisy_each_run_sees_measurements_of_its_own(
    noisy: bool, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header, *lines = rows().splitlines()
    table.write_text("\n".join([header, *lines, *(line.replace(",2", ",9") for line in lines)]), encoding="utf-8")
    seen: list[list[float]] = []

    def watched(name: str, of: Pool) -> AtRandom:
        seen.append(of.evidence["hardness_HV"].values.tolist())
        return AtRandom(len(of))

    monkeypatch.setattr("alloyloop.campaigns.backtesting.strategy", watched)
    asked = Asked(("random", "greedy"), start=3, batch=2, budget=10, seeds=2, noisy=noisy)
    told = backtest(asked_of(table), asked, whole_table=True, cache=table.parent)
    whole = told.pool.evidence["hardness_HV"].values.tolist()
    first, same_start, second, _ = seen[2:]  # each name is looked up once before anything is run
    assert first == same_start
    assert (first != second) == (first != whole) == noisy


def test_each_run_chooses_from_the_pool_of_its_seed(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a model that stands in, each seed has a draw of its own."""
    from alloyloop.campaigns import backtesting

    one = pool(table)
    other, seen = replace(one, objectives=-one.objectives), list[Pool]()

    def watched(name: str, of: Pool) -> AtRandom:
        seen.append(of)
        return AtRandom(len(of))

    monkeypatch.setattr(backtesting, "strategy", watched)
    question = backtesting._Question((one, other), Plan(("auto",), 3, 2, 10, 2))
    for seed in (1, 0):
        backtesting._run(question, ("auto", seed))
    assert [of is other for of in seen] == [True, False]


def test_a_file_that_cannot_be_written_is_said_before_anything_is_run(table: Path) -> None:
    for option in ("--output", "--plot"):
        told = run(table, option, "nowhere/told.svg", "--seeds", 10000)
        assert (told.code, told.out) == (1, "")
        assert told.err.startswith("alloyloop: nowhere/told.svg: Its folder does not exist. ")


def test_a_strategy_named_twice_runs_once(table: Path) -> None:
    asked = Asked(("random", "random"), start=3, batch=2, budget=10, seeds=2)
    assert backtest(asked_of(table), asked, whole_table=True, cache=table.parent).plan.strategies == ("random",)


@pytest.mark.torch
def test_a_strategy_that_learns_beats_chance_where_the_best_lies_at_an_end(table: Path) -> None:
    asked = Asked(("gaussian-process", "random"), start=3, batch=1, budget=9, seeds=2)
    told = backtest(asked_of(table), asked, whole_table=True, cache=table.parent)
    assert told.spreads["gaussian-process"]["melts_to_best"].reached == 1
    assert told.sentence.endswith("(median; random: 20).")


def test_where_few_alloys_keep_the_rules_the_whole_table_is_replayed(tmp_path: Path) -> None:
    header = "id,status,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,youngs_modulus_GPa\n"
    experiments = header + "".join(f"A{i},known,{95 - i},{5 + i},0,{99 - i}\n" for i in range(31))
    question = QUESTION.replace("Nb + Zr <= 45", "Nb >= 32")
    told = Campaign(make(tmp_path / "c", question, experiments)).backtest(["random"], start=2, budget=8, seeds=2)
    assert len(told.pool) == 31
    assert not told.synthetic
    assert any(remark.startswith("Only 4 candidates lie inside the space") for remark in told.remarks)


def test_what_is_fixed_narrows_the_table(table: Path) -> None:
    told = run(table, "--fix", "Nb=1..35", "--json").json
    assert told["pool"]["candidates"] == 35
    assert "5 rows without Nb 1 to 35 are left out." in told["remarks"]
    assert run(table, "--fix", "Nb=1..35", "--json").json == told


@pytest.mark.torch
def test_a_model_that_stands_in_is_asked_where_something_is_fixed(tmp_path: Path) -> None:
    header = "id,status,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,youngs_modulus_GPa\n"
    experiments = header + "".join(f"A{i},known,{90 - i},{10 + i},0,{99 - i}\n" for i in range(31))
    campaign = Campaign(make(tmp_path / "c", QUESTION, experiments))
    told = campaign.backtest(["random"], start=2, budget=8, seeds=1, fix={"Zr": 0, "Nb": (20, 30)})
    assert told.synthetic  # of the 31 alloys 11 fit
    nb = told.pool.alloys.fractions[:, told.pool.alloys.elements.index("Nb")]
    assert len(told.pool) == len(np.unique(nb)) == 11
    assert "20 rows without Zr 0 and Nb 20 to 30 are left out." in told.remarks


@pytest.mark.torch
def test_of_too_few_alloys_a_model_stands_in_with_another_draw_for_each_run(tmp_path: Path) -> None:
    header = "id,status,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,youngs_modulus_GPa\n"
    experiments = header + "".join(f"A{i},known,{90 - 2 * i},{10 + 2 * i},0,{99 - i}\n" for i in range(10))
    campaign = Campaign(make(tmp_path / "c", QUESTION, experiments))
    told = campaign.backtest(["random"], start=2, budget=8, seeds=2)
    assert told.synthetic
    assert not np.array_equal(told.pools[0].heights, told.pools[1].heights)
    assert len(told.pool) > 300  # of the 341 designs less what the rule forbids
    said = " ".join(told.remarks)
    assert "10 candidates are too few to choose from: 30 are needed" in said
    assert "SYNTHETIC: a model of the table stands in for it" in said


# -- stopped, and gone on with ----------------------------------------------------------------------------------------


def stop_at(n: int) -> Callable[[int, int], None]:
    def progress(done: int, of: int) -> None:
        if done == n:
            raise KeyboardInterrupt

    return progress


def test_a_backtest_that_was_stopped_goes_on_with_what_is_left(table: Path) -> None:
    asked, cache = asked_of(table), table.parent / ".alloyloop"
    whole = backtest(asked, RANDOM, whole_table=True, cache=cache).json()
    with pytest.raises(StoppedError, match=r"Stopped after 3 of 4 runs\. The same command with --resume goes on"):
        backtest(asked, RANDOM, whole_table=True, cache=cache, progress=stop_at(3))
    seen: list[int] = []
    again = backtest(
        asked, RANDOM, whole_table=True, cache=cache, resume=True, progress=lambda done, of: seen.append(done)
    )
    assert again.json() == whole
    assert seen == [3, 4]
    assert not cache.exists()


def test_when_a_run_would_have_stopped_is_kept_too(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Enough(AtRandom):
        def pick(self, made: IntArray, n: int, rng: np.random.Generator) -> Picked:
            return Picked(AtRandom.pick(self, made, n, rng).rows, len(made) >= 7)

    monkeypatch.setattr("alloyloop.campaigns.backtesting.strategy", lambda name, of: Enough(len(of)))
    asked, cache = asked_of(table), table.parent / "cache"
    with pytest.raises(StoppedError):
        backtest(asked, RANDOM, whole_table=True, cache=cache, progress=stop_at(2))
    told = backtest(asked, RANDOM, whole_table=True, cache=cache, resume=True)
    assert [run.stopped for run in told.runs["random"]] == [7] * 4


def test_every_finished_run_is_on_the_disk_before_the_next_begins(table: Path) -> None:
    cache, kept = table.parent / "cache", list[int]()

    def progress(done: int, of: int) -> None:
        (file,) = (cache / "backtests").glob("*.json")
        kept.append(len(json.loads(file.read_text(encoding="utf-8"))))

    backtest(asked_of(table), RANDOM, whole_table=True, cache=cache, progress=progress)
    assert kept == [0, 1, 2, 3, 4]


def test_more_seeds_and_strategies_go_on_with_what_was_done(table: Path) -> None:
    asked, cache, seen = asked_of(table), table.parent / "cache", list[int]()
    with pytest.raises(StoppedError):
        backtest(asked, RANDOM, whole_table=True, cache=cache, progress=stop_at(2))
    more = Asked(("random",), start=3, batch=2, budget=10, seeds=6)
    backtest(asked, more, whole_table=True, cache=cache, resume=True, progress=lambda done, of: seen.append(done))
    assert seen[0] == 2


@pytest.mark.parametrize("other", [{"budget": 11}, {"start": 4}, {"batch": 1}, {"noisy": True}])
def test_another_question_does_not_go_on_with_what_was_stopped(other: dict[str, Any], table: Path) -> None:
    asked, cache = asked_of(table), table.parent / "cache"
    with pytest.raises(StoppedError):
        backtest(asked, RANDOM, whole_table=True, cache=cache, progress=stop_at(2))
    changed = Asked(**{"strategies": ("random",), "start": 3, "batch": 2, "budget": 10, "seeds": 4, **other})
    with pytest.raises(AlloyloopError, match="No backtest of this question was stopped"):
        backtest(asked, changed, whole_table=True, cache=cache, resume=True)
    table.write_text(rows().replace("200", "201"), encoding="utf-8")
    with pytest.raises(AlloyloopError, match="No backtest of this question was stopped"):
        backtest(asked_of(table), RANDOM, whole_table=True, cache=cache, resume=True)


def test_runs_of_another_version_are_not_gone_on_with(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, cache = asked_of(table), table.parent / "cache"
    with pytest.raises(StoppedError):
        backtest(asked, RANDOM, whole_table=True, cache=cache, progress=stop_at(2))
    monkeypatch.setattr("alloyloop.campaigns.backtesting.version", lambda name: "another")
    with pytest.raises(AlloyloopError, match="No backtest of this question was stopped"):
        backtest(asked, RANDOM, whole_table=True, cache=cache, resume=True)


def test_damage_to_what_was_kept_is_said(table: Path) -> None:
    asked, cache = asked_of(table), table.parent / "cache"
    with pytest.raises(StoppedError):
        backtest(asked, RANDOM, whole_table=True, cache=cache, progress=stop_at(2))
    (kept,) = (cache / "backtests").glob("*.json")
    (name, seed, order, stopped), *others = json.loads(kept.read_text(encoding="utf-8"))
    twice, beyond = ([name, seed, [*order[:-1], last], stopped] for last in (order[0], N))
    for damage in ("{", "[1]", json.dumps([twice, *others]), json.dumps([beyond])):
        kept.write_text(damage, encoding="utf-8")
        with pytest.raises(AlloyloopError, match="What was kept of this backtest is damaged"):
            backtest(asked, RANDOM, whole_table=True, cache=cache, resume=True)


def test_an_interrupt_ends_with_one_sentence_and_the_exit_code_of_one(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("alloyloop.campaigns.backtesting.each_done", interrupted)
    told = run(table)
    assert told.code == 130
    assert told.err == "alloyloop: Stopped after 0 of 4 runs. The same command with --resume goes on.\n"


@pytest.mark.slow
@pytest.mark.torch
def test_workers_of_this_machine_answer_as_one_process_does(table: Path) -> None:
    pytest.importorskip("distributed")
    asked = Asked(("gaussian-process", "random"), start=3, batch=2, budget=9, seeds=2, noisy=True)
    alone, together = (
        backtest(asked_of(table), asked, whole_table=True, cache=table.parent, workers=n).json() for n in (None, 2)
    )
    assert together == alone


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_a_port_that_is_taken_is_no_matter_for_the_user(table: Path) -> None:
    pytest.importorskip("distributed")
    with socket.socket() as other:
        with suppress(OSError):  # taken already: that does as well
            other.bind(("", 8787))
            other.listen()
        told = backtest(asked_of(table), RANDOM, whole_table=True, cache=table.parent, workers=1)
    assert told.plan.seeds == 4


@pytest.mark.slow
@pytest.mark.torch
def test_workers_see_phases_as_one_process_does(tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    pytest.importorskip("pycalphad")
    from .test_calphad_campaign import QUESTION as SOLDER
    from .test_calphad_campaign import TDB

    header = "id,status,Al_at_pct,Zn_at_pct,hardness_HV\n"
    experiments = header + "".join(f"K{zn},known,{100 - zn},{zn},{60 + abs(50 - zn)}\n" for zn in range(5, 92, 2))
    folder = make(tmp_path / "solder", SOLDER, experiments)
    (folder / "my.tdb").write_text(TDB, encoding="utf-8")
    alone, together = (
        Campaign(folder).backtest(["greedy"], start=4, batch=2, budget=10, seeds=2, workers=n).json() for n in (None, 2)
    )
    assert together == alone
    assert list((folder / ".alloyloop").glob("calphad-*.csv"))  # the phases are not computed again


# -- what cannot be asked ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--budget", 41),
            "A budget of 41 melts is more than the 40 candidates of the table. Give --budget",
        ),
        (("--start", 10), "A start of 10 alloys leaves nothing of a budget of 10"),
        (("--start", 0), "--start 0 cannot be. Give 1 or more"),
        (("--batch", 0), "--batch 0 cannot be. Give 1 or more"),
        (("--budget", -1), "--budget -1 cannot be. Give 1 or more"),
        (("--seeds", 0), "--seeds 0 cannot be. Give 1 to 10000"),
        (("--strategies", "randm"), "There is no strategy 'randm'. Did you mean random?"),
        (("--strategies", ","), "No strategy is named"),
        (("--workers", 2, "--cluster", "tcp://127.0.0.1:1"), "--workers and --cluster are both given"),
        (("--workers", 0), "0 workers cannot be started"),
        (("--plot", "a.jpg"), "No picture can be written as '.jpg'"),
        (("--resume",), "No backtest of this question was stopped"),
        (("--noisy", "--oracle"), "--noisy takes a random repeat"),
        (("--fix", "Nb=50..60"), "No row has Nb 50 to 60. Its rows have 1 to 40."),
        (("--fix", "Nb=1..4"), "has 4 different alloys, and 8 are needed: 36 rows without Nb 1 to 4 are left out."),
        (("--fix", "Nb"), "'Nb' fixes nothing. Write it like Ta=0"),
        (("--fix", "Zr=0"), "Zr is not in this space"),
    ],
)
def test_a_question_that_cannot_be_asked_is_one_sentence(options: tuple[object, ...], said: str, table: Path) -> None:
    told = run(table, *options)
    assert (told.code, told.out) == (1, "")
    assert said in told.err
    assert len(told.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: "\n".join(text.splitlines()[:2]), "is one alloy, and 8 are needed"),
        (lambda text: _with(text, "hardness_HV", "200"), "hardness_HV is the same in all rows"),
        (
            lambda text: _with(text, "hardness_HV", "", after=3),
            "37 of 40 alloys are left out, since hardness_HV is not",
        ),
        (lambda text: _with(_with(text, "Ti_at_pct", "60"), "Nb_at_pct", "40"), "is one alloy, and 8 are needed"),
    ],
)
def test_a_table_in_which_nothing_can_be_found_is_one_sentence(
    change: Callable[[str], str], said: str, table: Path
) -> None:
    table.write_text(change(rows()) + "\n", encoding="utf-8")
    told = run(table)
    assert (told.code, told.out) == (1, "")
    assert said in told.err
    assert len(told.err.splitlines()) == 1


def _with(text: str, column: str, value: str, after: int = 0) -> str:
    """The table with one value in a column, from some row on."""
    header, *lines = text.splitlines()
    at = header.split(",").index(column)
    cells = [line.split(",") for line in lines]
    changed = [",".join([*of[:at], value, *of[at + 1 :]]) if i >= after else ",".join(of) for i, of in enumerate(cells)]
    return "\n".join([header, *changed])


def test_a_goal_that_most_rows_lack_is_said_where_enough_are_left(table: Path) -> None:
    table.write_text(_with(rows(98), "elongation_pct", "", after=35) + "\n", encoding="utf-8")
    told = run(table, "--goal", "elongation_pct above 1", "--json").json
    assert "63 of 98 alloys are left out, since elongation_pct is not known of them." in told["remarks"]
    assert told["pool"]["candidates"] == 35


def test_a_campaign_and_a_table_are_not_asked_at_once(table: Path) -> None:
    assert alloyloop(*words(table, "--goal", HARD), "some-folder").code == 2
    assert alloyloop("backtest", "some-folder", "--inputs", "x").code == 2
    assert alloyloop("backtest").code == 2
