"""The loop: suggest, record, suggest again; what a batch must be, whatever the campaign."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alloyloop.campaigns.answers import Answers
from alloyloop.campaigns.campaign import Campaign
from alloyloop.design.composition import Composition
from alloyloop.design.propose import propose
from alloyloop.surrogates.errors import AlloyloopError

from .folders import EXPERIMENTS, QUESTION, cells, contents, events, make

pytestmark = pytest.mark.torch

HEADER, *ROWS = EXPERIMENTS.splitlines()
WITH_PROCESS = QUESTION + "process:\n  T_C: {min: 700, max: 900, step: 50}\n  quench: {choices: [water, air]}\n"
TREATED = "\n".join([f"{HEADER},T_C,quench", *(f"{row},{treated}" for row, treated in zip(
    ROWS, ("700,water", "800,air", "900,", ",water", ","), strict=True))]) + "\n"  # fmt: skip


def table(*rows: str) -> str:
    return "".join(f"{row}\n" for row in (HEADER, *rows))


def names(answers: Answers) -> list[str]:
    return [alloy.name for alloy in answers]


def test_two_rounds_by_hand(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti")
    campaign = Campaign.open(folder)
    first = campaign.suggest(2)
    assert [alloy.id for alloy in first] == ["R001-1", "R001-2"]
    assert campaign.status().pending == ("R001-1", "R001-2")
    campaign.record("R001-1", "youngs_modulus_GPa=58.2,59.1,57.7")
    campaign.record("R001-2", status="failed", because="cracked")
    second = campaign.suggest(2)
    assert [alloy.id for alloy in second] == ["R002-1", "R002-2"]
    assert not set(names(first)) & set(names(second))
    assert [event["what"] for event in events(folder)] == ["suggest", "record", "record", "suggest"]
    for earlier, later in zip(events(folder), events(folder)[1:], strict=False):
        assert earlier["when"] <= later["when"]
        assert len(later["after"]) == 1
    assert (campaign.status().rounds, campaign.status().measured["failed"]) == (2, 1)


def test_a_round_holds_its_inputs_as_they_were_and_what_follows_from_them(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti")
    before = contents(folder)
    answers = Campaign(folder).suggest(2)
    round_ = contents(folder / "rounds" / "001")
    assert set(round_) == {
        "inputs/campaign.yaml",
        "inputs/experiments.csv",
        "proposals.csv",
        "melt-sheet.csv",
        "decision.json",
    }
    assert {name: round_[f"inputs/{name}"] for name in before} == before
    decision = json.loads(round_["decision.json"])
    assert [proposal["id"] for proposal in decision["proposals"]] == [alloy.id for alloy in answers]
    assert {"digests", "models", "seed", "versions", "runner_ups", "expected_gains", "stop"} <= set(decision)
    assert decision["seed"] == 3
    assert decision["stop"]["expected_gain"] > 0


def test_the_same_folder_and_seed_give_the_same_batch_and_another_seed_another(tmp_path: Path) -> None:
    one, same = make(tmp_path / "one"), make(tmp_path / "same")
    assert Campaign(one).suggest(2).alloys == Campaign(same).suggest(2).alloys
    fine = QUESTION.replace("step: 1\n", "step: 0.1\n")
    spread = [names(Campaign(make(tmp_path / seed, fine.replace("seed: 3", f"seed: {seed}"), table())).suggest(7))
              for seed in ("4", "5")]  # fmt: skip
    assert spread[0] != spread[1]


def test_a_dry_run_writes_nothing_and_says_what_suggest_would(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti")
    before = contents(folder)
    foreseen = Campaign(folder).suggest(2, dry_run=True)
    assert contents(folder) == before
    assert Campaign(folder).suggest(2).alloys == foreseen.alloys


def test_pending_alloys_are_not_proposed_again(tmp_path: Path) -> None:
    campaign = Campaign(make(tmp_path / "ti"))
    every = [*names(campaign.suggest(2)), *names(campaign.suggest(2)), *names(campaign.suggest(2))]
    assert len(set(every)) == len(every) == 6


def test_a_batch_larger_than_the_space_takes_what_is_left_and_says_so(tmp_path: Path) -> None:
    # A with 20 % of niobium and B with 30 % are taken: 22 % and 24 % are left
    small = QUESTION.replace("{min: 10, max: 40}", "{min: 20, max: 24, step: 2}").replace(
        "{min: 0, max: 10}", "{min: 0, max: 0}"
    )
    campaign = Campaign(make(tmp_path / "ti", small, table(*ROWS[:2])))
    answers = campaign.suggest(5)
    assert sorted(names(answers)) == ["Ti-22Nb wt", "Ti-24Nb wt"]
    assert "Only 2 designs are left in the space." in answers.remarks
    with pytest.raises(AlloyloopError, match="Every design of the space is taken"):
        campaign.suggest(1)


def test_rules_that_no_alloy_keeps_are_named(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti", QUESTION.replace("Nb + Zr <= 45", "Nb + Zr <= 5"))
    before = contents(folder)
    with pytest.raises(
        AlloyloopError, match=r"no design that keeps 'Nb 10 to 40 %' .* and 'Nb \+ Zr <= 5' \(line 11\)"
    ):
        Campaign(folder).suggest()
    assert contents(folder) == before


@pytest.mark.parametrize(
    "rows",
    [
        (),
        ("A,known,,80,20,0,,,,,", "B,known,,70,30,0,,,,,"),
        tuple(row.replace("known", "failed") for row in ROWS),
        ("A,known,,80,20,0,<85,,,,",),
    ],
    ids=["no row", "nothing measured", "all failed", "only a bound"],
)
def test_without_a_measurement_the_first_round_fills_the_space_and_says_so(
    rows: tuple[str, ...], tmp_path: Path
) -> None:
    answers = Campaign(make(tmp_path / "ti", experiments=table(*rows))).suggest(3)
    assert len(set(names(answers))) == 3
    assert any("this round is space-filling" in remark for remark in answers.remarks)
    assert all("spread over the space" in alloy.why for alloy in answers)
    assert all(alloy.predicted == {} for alloy in answers)


@pytest.mark.parametrize("start", ["d-optimal", "i-optimal"])
def test_first_designs_are_chosen_as_they_were_asked_for_and_the_round_says_so(start: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "ti", experiments=table())
    answers = Campaign(folder).suggest(6, start=start)
    assert any(f"this round is {start}" in remark for remark in answers.remarks)
    assert all(start[0].upper() + start[1:] in alloy.why for alloy in answers)
    assert json.loads((folder / "rounds" / "001" / "decision.json").read_text(encoding="utf-8"))["start"] == start
    # The six terms of a quadratic in two variables can be told apart by these six alloys.
    nb, zr = (np.array([alloy.composition.wt_pct.get(e, 0.0) for alloy in answers if alloy.composition]) / 40
              for e in ("Nb", "Zr"))  # fmt: skip
    assert np.linalg.matrix_rank(np.column_stack([np.ones(6), nb, zr, nb * zr, nb**2, zr**2])) == 6


def test_a_start_is_for_first_designs_and_one_of_three(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti")
    before = contents(folder)
    with pytest.raises(AlloyloopError, match=r"There is no start 'random'\. Write one of space-filling, d-optimal"):
        Campaign(folder).suggest(2, start="random")
    with pytest.raises(AlloyloopError, match="youngs_modulus_GPa has been measured already"):
        Campaign(folder).suggest(2, start="space-filling")
    assert contents(folder) == before


def test_a_space_filling_round_of_a_full_space_is_refused_like_any_other(tmp_path: Path) -> None:
    small = QUESTION.replace("{min: 10, max: 40}", "{min: 20, max: 20}").replace(
        "{min: 0, max: 10}", "{min: 0, max: 0}"
    )
    folder = make(tmp_path / "ti", small, table("A,failed,,80,20,0,,,,cracked,"))
    with pytest.raises(AlloyloopError, match="Every design of the space is taken"):
        Campaign(folder).suggest(1)


@pytest.mark.parametrize(
    "rows",
    [ROWS[:1], ROWS[:3], [row.rsplit(",", 5)[0] + ",60,,,," for row in ROWS]],
    ids=["one row", "three rows", "all rows equal"],
)
@pytest.mark.parametrize("model", ["gaussian-process", "extra-trees"])
def test_little_data_gives_sane_numbers(rows: list[str], model: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "ti", QUESTION.replace("gaussian-process", model), table(*rows))
    for alloy in Campaign(folder).suggest(2):
        predicted = alloy.predicted["youngs_modulus_GPa"]
        assert 30 < predicted.low < predicted.mean < predicted.high < 150  # what titanium alloys can have
    assert json.loads((folder / "rounds" / "001" / "decision.json").read_text(encoding="utf-8"))["stop"]


def test_process_variables_are_proposed_on_their_levels(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti", WITH_PROCESS, TREATED)
    campaign = Campaign(folder)
    answers = campaign.suggest(2)
    for alloy in answers:
        assert alloy.process["T_C"] in (700, 750, 800, 850, 900)
        assert alloy.process["quench"] in ("water", "air")
        row = cells(folder, alloy.id)
        assert (float(row["T_C"]), row["quench"]) == (alloy.process["T_C"], alloy.process["quench"])
    assert campaign.best(2)[0].process == {"T_C": None, "quench": None}  # E, of which nobody wrote it down
    (told,) = campaign.predict("Ti-20Nb wt", {"T_C": 725, "quench": "water"})
    assert any("T_C" in flag for flag in told.flags)
    with pytest.raises(AlloyloopError, match=r"quench is never 'watr'\. Its choices are water, air"):
        campaign.predict("Ti-20Nb wt", {"quench": "watr"})
    with pytest.raises(AlloyloopError, match="T_C=hot is not a number"):
        campaign.predict("Ti-20Nb wt", {"T_C": "hot"})


def test_limits_are_part_of_the_choice_once_they_are_measured(tmp_path: Path) -> None:
    question = QUESTION.replace("features:", "  strength_MPa: {goal: above, limit: 500}\nfeatures:")
    unmeasured = Campaign(make(tmp_path / "unmeasured", question)).suggest(1)
    assert "strength_MPa has no measurement yet: its limit is not part of this choice." in unmeasured.remarks
    # strong where there is zirconium or little niobium, and so not at the soft end
    strengths = ("900", "700", "450", "300", "700")
    rows = [f"{row},{strength}" for row, strength in zip(ROWS, strengths, strict=True)]
    campaign = Campaign(make(tmp_path / "ti", question, "\n".join([f"{HEADER},strength_MPa", *rows]) + "\n"))
    (alloy,) = campaign.suggest(1)
    assert set(alloy.probability) == {"strength_MPa", "all"}
    assert alloy.probability["all"] == alloy.probability["strength_MPa"] > 0.3


def test_own_alloys_are_judged_beside_the_batch_and_not_entered(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti")
    answers = Campaign(folder).suggest(1, own=["Ti-33Nb-4Zr wt", "Ti-20Nb at"])
    assert [alloy.id for alloy in answers.beside] == ["Ti-33Nb-4Zr wt", Composition.parse("Ti-20Nb at").name("wt_pct")]
    assert len(answers) == 1
    assert "Ti-33Nb-4Zr" not in (folder / "experiments.csv").read_text(encoding="utf-8")


def test_a_prediction_says_why_an_alloy_would_not_be_proposed(tmp_path: Path) -> None:
    campaign = Campaign(make(tmp_path / "ti"))
    (inside, outside) = campaign.predict(["Ti-32Nb-4Zr wt", "Ti-45.5Nb wt"])
    assert not [flag for flag in inside.flags if "would not be proposed" in flag]
    assert any("Nb is 45.5" in flag for flag in outside.flags)
    # Nb ends at 40, and a design is made of whole per cent: 5.5 of niobium are exchanged for titanium
    assert "the nearest design that could be: Ti-40Nb wt (5.5 % away, the nearest there is)" in outside.flags
    assert not [flag for flag in inside.flags if "nearest design" in flag]
    with pytest.raises(AlloyloopError, match="contains Ag"):
        campaign.predict("Ti-10Ag wt")
    with pytest.raises(AlloyloopError, match="is not a process variable here"):
        campaign.predict("Ti-32Nb wt", {"T_C": 800})


def test_a_file_with_semicolons_and_decimal_commas_keeps_its_form_through_a_whole_cycle(tmp_path: Path) -> None:
    theirs = "\ufeff" + EXPERIMENTS.replace(",", ";").replace("85;", "85,5;").replace("\n", "\r\n")
    folder = make(tmp_path / "ti", QUESTION.replace("step: 1\n", "step: 0.5\n"), theirs.encode())
    campaign = Campaign(folder)
    (alloy,) = campaign.suggest(1)
    campaign.record(alloy.id, "youngs_modulus_GPa=58.25")
    campaign.suggest(1)
    data = (folder / "experiments.csv").read_bytes().decode()
    assert data.startswith(theirs)  # what was there is there, to the byte
    added = data.removeprefix(theirs).split("\r\n")
    assert added[0].startswith("R001-1;measured;1;")
    assert ";58,25;" in added[0]
    assert added[1].startswith("R002-1;proposed;2;")
    assert "." not in "".join(added)
    assert campaign.check()[0] == ()


def test_rounds_go_on_counting_after_their_rows_were_taken_out(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti")
    Campaign(folder).suggest(1)
    frozen = contents(folder / "rounds")
    (folder / "experiments.csv").write_text(EXPERIMENTS, encoding="utf-8")
    assert Campaign(folder).suggest(1).round == 2
    assert contents(folder / "rounds" / "001") == {name[4:]: data for name, data in frozen.items()}


def test_a_crash_between_the_round_and_the_table_is_made_good_by_the_next_suggest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, whole = make(tmp_path / "ti"), make(tmp_path / "whole")

    def crash(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("alloyloop.campaigns.writing.put_in_place", crash)
        patch.setattr("alloyloop.campaigns.writing.remove", crash)
        with pytest.raises(KeyboardInterrupt):
            Campaign(folder).suggest(1)
    assert (folder / "experiments.csv").read_text(encoding="utf-8") == EXPERIMENTS
    assert (folder / "rounds" / "001").exists()
    Campaign(folder).suggest(1)
    Campaign(whole).suggest(1)
    assert contents(folder / "rounds") == contents(whole / "rounds")


def test_what_an_editor_saved_during_the_search_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make(tmp_path / "ti")
    saved = EXPERIMENTS + "F,known,,75,25,0,80,,,,\n"

    def edited_meanwhile(*arguments: object, **named: object) -> object:
        (folder / "experiments.csv").write_text(saved, encoding="utf-8")
        return propose(*arguments, **named)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr("alloyloop.campaigns.suggesting.propose", edited_meanwhile)
    with pytest.raises(AlloyloopError, match=r"experiments\.csv: It was changed by somebody else meanwhile"):
        Campaign(folder).suggest(1)
    assert (folder / "experiments.csv").read_text(encoding="utf-8") == saved
    assert not (folder / "rounds").exists()


@pytest.mark.parametrize("n", [0, -1, 97])
def test_a_number_of_alloys_that_no_furnace_makes_is_refused(n: int, tmp_path: Path) -> None:
    with pytest.raises(AlloyloopError, match=f"{n} alloys cannot be suggested"):
        Campaign(make(tmp_path / "ti")).suggest(n)


def test_something_must_be_pursued(tmp_path: Path) -> None:
    with pytest.raises(AlloyloopError, match="No property is minimised, maximised or brought to a target"):
        Campaign(make(tmp_path / "ti", QUESTION.replace("{goal: minimize}", "{goal: report}"))).suggest()


def test_a_campaign_and_its_batch_show_themselves_in_a_notebook(tmp_path: Path) -> None:
    campaign = Campaign(make(tmp_path / "ti", QUESTION.replace("name: Small", "name: A < B & C")))
    assert "<b>A &lt; B &amp; C</b>" in campaign._repr_html_()
    shown = campaign.suggest(1)._repr_html_()
    assert "R001-1" in shown
    assert shown.count("<tr") == 2  # the header and one alloy


@dataclass(frozen=True)
class Drawn:
    """A campaign that nobody thought of."""

    basis: str
    step: float
    niobium: tuple[float, float]
    zirconium: float
    most: float
    rows: tuple[tuple[float, float, float], ...]

    @property
    def question(self) -> str:
        low, high = self.niobium
        return (
            QUESTION.replace("wt_pct", self.basis)
            .replace("step: 1\n", f"step: {self.step:g}\n")
            .replace("{min: 10, max: 40}", f"{{min: {low:g}, max: {high:g}}}")
            .replace("{min: 0, max: 10}", f"{{min: 0, max: {self.zirconium:g}}}")
            .replace("Nb + Zr <= 45", f"Nb + Zr <= {self.most:g}")
        )

    @property
    def experiments(self) -> str:
        lines = [f"L{i},known,,{100 - nb - zr:g},{nb:g},{zr:g},{e:g},,,," for i, (nb, zr, e) in enumerate(self.rows)]
        return "\n".join([HEADER.replace("wt_pct", self.basis), *lines]) + "\n"


@st.composite
def campaigns(draw: st.DrawFn) -> Drawn:
    step = draw(st.sampled_from((0.1, 0.25, 0.5, 1.0, 2.5)))
    low = draw(st.integers(0, 20))
    high = low + draw(st.integers(5, 20))
    rows = draw(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 20), st.integers(40, 120)), max_size=6))
    return Drawn(
        draw(st.sampled_from(("at_pct", "wt_pct"))),
        step,
        (low, high),
        draw(st.integers(5, 15)),
        low + draw(st.integers(8, 30)),
        tuple(rows),
    )


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow])
@given(campaigns())
def test_every_batch_sums_to_100_is_on_the_step_in_bounds_and_new(
    tmp_path_factory: pytest.TempPathFactory, drawn: Drawn
) -> None:
    folder = make(tmp_path_factory.mktemp("drawn") / "ti", drawn.question, drawn.experiments)
    campaign = Campaign(folder)
    known = {(Decimal(str(nb)), Decimal(str(zr))) for nb, zr, _ in drawn.rows}
    made: list[tuple[Decimal, Decimal]] = []
    for _ in range(2):
        for alloy in campaign.suggest(2):
            row = cells(folder, alloy.id)
            nb, zr, ti = (Decimal(row[f"{element}_{drawn.basis}"]) for element in ("Nb", "Zr", "Ti"))
            assert nb + zr + ti == 100
            step = Decimal(str(drawn.step))
            # From 0 upwards, as the balance takes what remains.
            assert nb % step == 0
            assert zr % step == 0
            assert drawn.niobium[0] <= nb <= drawn.niobium[1]
            assert 0 <= zr <= drawn.zirconium
            assert nb + zr <= Decimal(str(drawn.most))
            made.append((nb, zr))
    assert len(set(made)) == len(made) == 4
    assert not set(made) & known


def test_the_numbers_of_a_round_are_finite(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti")
    Campaign(folder).suggest(2)
    decision = json.loads((folder / "rounds" / "001" / "decision.json").read_text(encoding="utf-8"))
    assert np.isfinite(decision["expected_gains"]).all()


def test_predictions_are_made_at_the_conditions_asked_for(tmp_path: Path) -> None:
    """A property that falls by 0.05 a degree whatever the alloy: asked at 37 °C, and at 500 °C when told to."""
    question = QUESTION.replace("properties:", "conditions:\n  test_temperature_C: {at: 37}\nproperties:")
    header = "id,status,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,test_temperature_C,youngs_modulus_GPa\n"
    rows = [f"K{i},known,{80 - i},{20 + i},0,{(i * 137) % 600},{90 - 0.05 * ((i * 137) % 600)}\n" for i in range(20)]
    campaign = Campaign(make(tmp_path / "hot", question, header + "".join(rows)))
    cold = campaign.predict("Ti-30Nb wt")[0]
    hot = campaign.predict("Ti-30Nb wt", {"test_temperature_C": 500})[0]
    assert cold.process["test_temperature_C"] == 37
    assert cold.predicted["youngs_modulus_GPa"].mean == pytest.approx(90 - 0.05 * 37, abs=2)
    assert hot.predicted["youngs_modulus_GPa"].mean == pytest.approx(90 - 0.05 * 500, abs=2)
    proposed = campaign.suggest(1)[0]
    assert proposed.process["test_temperature_C"] == 37
    row = campaign.snapshot().table.row(proposed.id)
    assert np.isnan(campaign.snapshot().process["test_temperature_C"][row])  # not known before it is tested
