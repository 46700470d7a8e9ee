"""Taking measurements back: which cells change, what replicates become, and what is refused with nothing changed."""

from __future__ import annotations

from pathlib import Path
from statistics import mean, stdev

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.recording import entered, result_from_words
from alloyloop.surrogates.errors import AlloyloopError

from .folders import EXPERIMENTS, PROPOSED, QUESTION, alloyloop, cells, contents, events, make, make_with_round

E_GPa = "youngs_modulus_GPa"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_with_round(tmp_path / "ti")


def test_a_value_makes_the_alloy_measured(folder: Path) -> None:
    Campaign(folder).record("R001-1", f"{E_GPa}=58.2")
    row = cells(folder, "R001-1")
    assert (row[E_GPa], row[f"{E_GPa}_std"], row[f"{E_GPa}_n"], row["status"]) == ("58.2", "", "", "measured")


def test_replicates_become_their_mean_their_scatter_and_their_number(folder: Path) -> None:
    Campaign(folder).record("R001-1", f"{E_GPa}=58.2,59.1,57.7")
    row = cells(folder, "R001-1")
    # by hand: (58.2 + 59.1 + 57.7) / 3 = 58.333; the deviations -0.133, 0.767, -0.633 give sqrt(1.00667 / 2) = 0.709
    assert (row[E_GPa], row[f"{E_GPa}_std"], row[f"{E_GPa}_n"]) == ("58.333", "0.709", "3")


@given(st.lists(st.decimals(20, 200, places=1), min_size=2, max_size=6))
def test_replicates_are_summarised_as_the_standard_library_does(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    snapshot = Campaign(make_with_round(tmp_path_factory.mktemp("campaigns") / "ti")).snapshot()
    told = result_from_words(snapshot, "R001-1", [f"{E_GPa}=" + ",".join(f"{value:.1f}" for value in values)]).cells
    assert float(told[E_GPa]) == pytest.approx(float(mean(values)), abs=1e-3)
    assert float(told[f"{E_GPa}_std"]) == pytest.approx(float(stdev(values)), abs=1e-3)
    assert told[f"{E_GPa}_n"] == str(len(values))


def test_only_the_row_that_is_named_changes(folder: Path) -> None:
    before = (folder / "experiments.csv").read_text(encoding="utf-8").splitlines()
    Campaign(folder).record("R001-1", f"{E_GPa}=58.2", "note=soft")
    after = (folder / "experiments.csv").read_text(encoding="utf-8").splitlines()
    assert [number for number, (was, now) in enumerate(zip(before, after, strict=True)) if was != now] == [6]
    assert after[6] == "R001-1,measured,1,58,32,10,58.2,,,,soft"


def test_the_scatter_of_an_earlier_result_does_not_outlive_it(folder: Path) -> None:
    campaign = Campaign(folder)
    campaign.record("R001-1", f"{E_GPa}=58.2,59.1,57.7")
    campaign.record("R001-1", f"{E_GPa}=61")
    row = cells(folder, "R001-1")
    assert (row[E_GPa], row[f"{E_GPa}_std"], row[f"{E_GPa}_n"]) == ("61", "", "")


def test_a_literature_row_that_gets_a_value_stays_known(folder: Path) -> None:
    Campaign(folder).record("A", f"{E_GPa}=84")
    assert cells(folder, "A")["status"] == "known"


def test_a_failed_alloy_keeps_its_reason(folder: Path) -> None:
    (result,) = Campaign(folder).record("R001-2", status="failed", because="cracked on quenching")
    assert result.cells == {"status": "failed", "reason": "cracked on quenching"}
    assert (cells(folder, "R001-2")["status"], cells(folder, "R001-2")["reason"]) == ("failed", "cracked on quenching")


def test_status_and_reason_may_be_written_as_words(folder: Path) -> None:
    Campaign(folder).record("R001-2", "status=failed", "reason=cracked")
    assert (cells(folder, "R001-2")["status"], cells(folder, "R001-2")["reason"]) == ("failed", "cracked")


@pytest.mark.parametrize(
    ("came", "words"),
    [
        # expected 60 ± 2: z = (came - 60) / 2
        ("60.5", "as expected (z = +0.2)"),
        ("57", "somewhat lower than expected (z = -1.5)"),
        ("68", "a surprise, higher than expected (z = +4.0)"),
    ],
)
def test_it_is_said_how_surprising_a_result_is(came: str, words: str, folder: Path) -> None:
    (result,) = Campaign(folder).record("R001-1", f"{E_GPa}={came}")
    (sentence,) = result.surprise
    assert sentence == f"R001-1 {E_GPa}: {came} came, 60 was expected (90 %: 56.7 to 63.3, round 1): {words}."


def test_nothing_is_surprising_where_nothing_was_predicted(folder: Path) -> None:
    assert Campaign(folder).record("A", f"{E_GPa}=200")[0].surprise == ()
    (folder / "rounds" / "001" / "decision.json").unlink()
    assert Campaign(folder).record("R001-1", f"{E_GPa}=200")[0].surprise == ()


def test_the_journal_says_what_was_there_before(folder: Path) -> None:
    campaign = Campaign(folder)
    campaign.record("R001-1", f"{E_GPa}=58.2")
    campaign.record("R001-1", f"{E_GPa}=61")
    first, second = events(folder)
    assert (first["what"], first["before"]) == ("record", {"R001-1": {E_GPa: "", "status": "proposed"}})
    assert second["results"] == {"R001-1": {E_GPa: "61", "status": "measured"}}
    assert second["before"] == {"R001-1": {E_GPa: "58.2", "status": "measured"}}
    assert len(second["after"]) == 1


@pytest.mark.parametrize(
    ("words", "options", "says"),
    [
        (("R001-9", f"{E_GPa}=58.2"), {}, "no alloy R001-9. Those waiting for results are R001-1, R001-2"),
        (("R001-1", "youngs_modulus=58.2"), {}, "no column youngs_modulus"),
        (("R001-1", "round=2"), {}, "no column round"),
        (("R001-1", f"{E_GPa}"), {}, f"'{E_GPa}' is not a result"),
        (("R001-1", f"{E_GPa}="), {}, "is not a result"),
        (("R001-1", f"{E_GPa}=58", f"{E_GPa}=59"), {}, "given twice"),
        (("R001-1", f"{E_GPa}=58,2"), {}, "would be 2 measurements, 58 and 2. Write 58.2 if"),
        (("R001-1", f"{E_GPa}=58,2,59,1"), {}, r"would be 4 measurements.* Write 58.2,59.1 if"),
        (("R001-1", f"{E_GPa}=58.2,,57.7"), {}, "replicates of youngs_modulus_GPa is empty"),
        (("R001-1", f"{E_GPa}=soft"), {}, "'soft' is not a number"),
        (("R001-1", f"{E_GPa}=12. Mrz"), {}, "is a date, not a number"),
        (("R001-1", "Ti_wt_pct=70"), {}, "R001-1: The amounts sum to 112 wt.%, not 100"),
        (("R001-1",), {}, "nothing to record of R001-1"),
        (("R001-1",), {"status": "mesured"}, "no status 'mesured'. Write one of known, proposed"),
        (("R001-1",), {"status": "failed"}, "needs its reason"),
        (("R001-1", f"{E_GPa}=58"), {"because": "cracked"}, "belongs to a failed or withdrawn alloy"),
    ],
)
def test_a_result_that_cannot_be_meant_is_refused_and_nothing_changes(
    words: tuple[str, ...], options: dict[str, str], says: str, folder: Path
) -> None:
    before = contents(folder)
    with pytest.raises(AlloyloopError, match=says):
        Campaign(folder).record(*words, **options)
    assert contents(folder) == before


RESULTS = f"id,{E_GPa},note\nR001-1,58.2,soft\nR001-2,,\n"


def test_blank_cells_of_a_table_say_nothing_but_the_id_must_mean_something(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(RESULTS, encoding="utf-8")
    with pytest.raises(AlloyloopError, match=r"results\.csv, row 3: There is nothing to record of R001-2"):
        Campaign(folder).record(tmp_path / "results.csv")


@pytest.mark.parametrize(
    "table",
    [
        f"id,{E_GPa},{E_GPa}_n\nR001-1,58.2,3\nR001-2,61.5,2\n",
        f"\ufeffid;{E_GPa};{E_GPa}_n\r\nR001-1;58,2;3\r\nR001-2;61,5;2\r\n",
        f"id\t{E_GPa}\t{E_GPa}_n\nR001-1\t58.2\t3\nR001-2\t61.5\t2\n",
    ],
    ids=["commas", "semicolons and decimal commas", "tabs"],
)
def test_a_table_of_results_may_be_of_any_dialect(table: str, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "Results.CSV").write_bytes(table.encode())
    results = Campaign(folder).record(str(tmp_path / "Results.CSV"))
    assert [result.id for result in results] == ["R001-1", "R001-2"]
    assert [cells(folder, id)[E_GPa] for id in ("R001-1", "R001-2")] == ["58.2", "61.5"]
    assert [cells(folder, id)["status"] for id in ("R001-1", "R001-2")] == ["measured", "measured"]


def test_a_workbook_is_read_like_a_table(folder: Path, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["id", E_GPa, "status", "reason"], ["R001-1", 58.2, None, None], ["R001-2", None, "failed", "cracked"]):
        book.active.append(row)
    book.save(tmp_path / "results.xlsx")
    Campaign(folder).record(tmp_path / "results.xlsx")
    assert cells(folder, "R001-1")[E_GPa] == "58.2"
    assert (cells(folder, "R001-2")["status"], cells(folder, "R001-2")["reason"]) == ("failed", "cracked")


def test_a_data_frame_is_read_like_a_table(folder: Path) -> None:
    frame = pd.DataFrame({"id": ["R001-1", "R001-2"], E_GPa: [58.2, 61.0], "note": ["soft", None]})
    Campaign(folder).record(frame)
    assert (cells(folder, "R001-1")[E_GPa], cells(folder, "R001-1")["note"]) == ("58.2", "soft")
    assert float(cells(folder, "R001-2")[E_GPa]) == 61


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (f"{E_GPa}\n58.2\n", "results.csv: There is no column id"),
        (f"id,{E_GPa}\n", "results.csv: There is no row in it"),
        ("", "results.csv"),
        (f"id,{E_GPa}\nR001-1,58\nR001-1,59\n", "results.csv, row 3: R001-1 is there twice"),
        (f"id,{E_GPa}\nR001-1,58\nR009-1,59\n", "results.csv, row 3: There is no alloy R009-1"),
        (f"id,{E_GPa}\nR001-1,58\nR001-2,12. Mrz\n", "results.csv, row 3: '12. Mrz' is a date"),
        (f"id,{E_GPa}\nR001-1,58\nA,12. Mrz\n", f"A, column {E_GPa}: '12. Mrz' is a date.* Nothing was recorded"),
        ("id,modulus\nR001-1,58\n", "results.csv, row 2: There is no column modulus"),
        (f"id,status,{E_GPa}\nR001-1,done,58\n", "results.csv, row 2: There is no status 'done'"),
    ],
)
def test_a_table_with_one_mistake_is_refused_whole(table: str, says: str, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text(table, encoding="utf-8")
    before = contents(folder)
    with pytest.raises(AlloyloopError, match=says):
        Campaign(folder).record(tmp_path / "results.csv")
    assert contents(folder) == before


def test_a_table_of_results_takes_no_further_words(folder: Path) -> None:
    with pytest.raises(AlloyloopError, match="takes no further words"):
        Campaign(folder).record(pd.DataFrame({"id": ["R001-1"]}), status="made")


ANALYSED = ("Ti_wt_pct_measured=57.8", "Nb_wt_pct_measured=32.2", "Zr_wt_pct_measured=10")


def test_a_file_with_decimal_commas_keeps_them_and_its_bytes(tmp_path: Path) -> None:
    theirs = "\ufeff" + (EXPERIMENTS + PROPOSED).replace(",", ";").replace("85;", "85,5;").replace("\n", "\r\n")
    folder = make(tmp_path / "ti", QUESTION, theirs.encode())
    Campaign(folder).record("R001-1", f"{E_GPa}=58.2", *ANALYSED)
    Campaign(folder).record("R001-2", f"{E_GPa}=59.5,60.5", "note=done; with care")
    after = (folder / "experiments.csv").read_bytes().decode()
    header, *literature, first, second, end = after.split("\r\n")
    assert literature == [f"{line};;;" for line in theirs.split("\r\n")[1:6]]  # widened for the new columns
    assert end == ""
    assert header == theirs.split("\r\n")[0] + ";Ti_wt_pct_measured;Nb_wt_pct_measured;Zr_wt_pct_measured"
    assert first == "R001-1;measured;1;58;32;10;58,2;;;;;57,8;32,2;10"
    assert second == 'R001-2;measured;1;77;18;5;60;0,707;2;;"done; with care";;;'


def test_what_an_editor_saved_meanwhile_is_not_written_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def edit_meanwhile(*arguments: object) -> object:
        with (folder / "experiments.csv").open("a", encoding="utf-8") as stream:
            stream.write("F,known,,75,25,0,80,,,,\n")
        return entered(*arguments)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr("alloyloop.campaigns.campaign.entered", edit_meanwhile)
    with pytest.raises(AlloyloopError, match=r"experiments\.csv: It was changed by somebody else meanwhile"):
        Campaign(folder).record("R001-1", f"{E_GPa}=58.2")
    assert cells(folder, "F")["status"] == "known"
    assert cells(folder, "R001-1")["status"] == "proposed"


def test_a_damaged_journal_is_said_before_anything_is_written(folder: Path) -> None:
    (folder / "journal").mkdir()
    (folder / "journal" / "20260701T120000000Z-record-0123456789ab.json").write_text("{}", encoding="utf-8")
    before = contents(folder)
    with pytest.raises(AlloyloopError, match="This event is damaged"):
        Campaign(folder).record("R001-1", f"{E_GPa}=58.2")
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("niobium", "says"),
    [
        ("42.6", ("Nb is 42.6 %, outside 10 to 40 %", "'Nb + Zr <= 45' is not met: it is 52.6")),
        ("36.3", ("'Nb + Zr <= 45' is not met: it is 46.3",)),
        ("34.7", ()),  # on no step, and nothing that an alloy could be blamed for
    ],
)
def test_an_alloy_that_came_out_outside_the_space_is_recorded_and_said_so(
    niobium: str, says: tuple[str, ...], folder: Path
) -> None:
    amounts = {"Nb": niobium, "Zr": "10", "Ti": f"{90 - float(niobium):g}"}
    words = [f"{element}_wt_pct_measured={amount}" for element, amount in amounts.items()]
    (result,) = Campaign(folder).record("R001-1", f"{E_GPa}=58.2", *words)
    assert result.outside == says
    assert cells(folder, "R001-1")["Nb_wt_pct_measured"] == niobium
    told = alloyloop("record", folder, "R001-1", f"Nb_wt_pct_measured={niobium}")
    assert told.out.count("As made it would not be proposed: ") == len(says)


def test_nothing_is_said_of_an_alloy_of_which_only_results_were_entered(tmp_path: Path) -> None:
    outside = make(
        tmp_path / "ti", experiments=EXPERIMENTS + "F,made,,95,5,0,,,,,\n"
    )  # less niobium than the space has
    (result,) = Campaign(outside).record("F", f"{E_GPa}=90")
    assert result.outside == ()


def test_a_process_value_outside_its_range_or_its_rules_is_said(tmp_path: Path) -> None:
    question = (
        QUESTION.replace("Nb + Zr <= 45", "T_C >= 800 if Nb > 30") + "process:\n  T_C: {min: 700, max: 900, step: 50}\n"
    )
    campaign = Campaign(make(tmp_path / "ti", question))  # D has 40 % of niobium
    assert campaign.record("D", "T_C=812")[0].outside == ()  # between two steps
    assert campaign.record("D", "T_C=799")[0].outside == ("'T_C >= 800 if Nb > 30' is not met: it is 799",)
    assert campaign.record("D", "T_C=750")[0].outside == ("'T_C >= 800 if Nb > 30' is not met: it is 750",)
    (reason,) = campaign.record("D", "T_C=1200")[0].outside
    assert reason.startswith("T_C is 1200")


def test_impurities_that_were_analysed_are_not_held_against_an_alloy(tmp_path: Path) -> None:
    header, *rows = EXPERIMENTS.splitlines()
    measured = "Ti_wt_pct_measured,Nb_wt_pct_measured,Zr_wt_pct_measured,O_wt_pct_measured"
    table = "\n".join([f"{header},{measured}", *(f"{row},,,," for row in rows)]) + "\n"
    campaign = Campaign(make(tmp_path / "ti", experiments=table))
    words = ("Ti_wt_pct_measured=64.8", "Nb_wt_pct_measured=35", "Zr_wt_pct_measured=0")
    assert campaign.record("C", *words, "O_wt_pct_measured=0.2")[0].outside == ()
    words = ("Ti_wt_pct_measured=60", "Nb_wt_pct_measured=35", "Zr_wt_pct_measured=0")
    assert campaign.record("C", *words, "O_wt_pct_measured=5")[0].outside == ("O is not in the space",)
