"""Taking measurements back: which cells change, what replicates become, and what is refused with nothing changed."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from statistics import mean, stdev

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.campaigns.as_made import unproposed
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.recording import entered, result_from_words
from alloyloop.campaigns.snapshot import Snapshot
from alloyloop.surrogates.errors import AlloyloopError

from . import process_study
from .folders import EXPERIMENTS, PROPOSED, QUESTION, alloyloop, cells, contents, events, make, make_with_round

E_GPa = "youngs_modulus_GPa"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_with_round(tmp_path / "ti")


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return Campaign(make_with_round(tmp_path_factory.mktemp("campaigns") / "ti")).snapshot()


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
def test_replicates_are_summarised_as_the_standard_library_does(snapshot: Snapshot, values: list[float]) -> None:
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
        (("R001-1", f"{E_GPa}=58 ± 1", f"{E_GPa}_std=2"), {}, f"{E_GPa}_std is 2, and {E_GPa} = 58 ± 1 says it, too"),
        (("R001-1",), {"measured": "Ti-32Nb wt"}, "measured composition says nothing of Zr, which was planned"),
        (("R001-1",), {"measured": "Ti-32Nb-10Zr"}, "does not say whether its amounts are wt.% or at.%"),
        (("R001-1",), {"derive": ("E=vickers(1)",)}, "--derive is for the columns of a table"),
        (("NB1", f"{E_GPa}=58"), {}, "There is no alloy NB1"),  # nitrogen and boron, were it a formula
        (("R001-9", "Ti_wt_pct=60", "Nb_wt_pct=40"), {}, "There is no alloy R001-9"),
        (("=1+1", "Ti_wt_pct=60", "Nb_wt_pct=40"), {}, r"'=1\+1' cannot be an id"),
        (("Ti-32Nb-10Zr wt", f"{E_GPa}=58"), {}, "This is R001-1, which waits for its result. Record it as R001-1"),
        (("Ti-35Nb-7Zr", f"{E_GPa}=58"), {}, "does not say whether its amounts are wt.% or at.%"),
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
        (f"id,{E_GPa},Ti_wt_pct\nR001-1,58,\nA,60,70\n", "A: The amounts sum to 90 wt.%.* Nothing was recorded"),
        (f"id,{E_GPa},{E_GPa}_n\nR001-1,58,many\n", f"R001-1, column {E_GPa}_n: 'many' is not a number"),
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


def test_what_stands_behind_plus_minus_is_the_scatter_between_replicates(folder: Path) -> None:
    (result,) = Campaign(folder).record("R001-1", f"{E_GPa}=58.2 ± 1.1 (n=5)")
    row = cells(folder, "R001-1")
    assert (row[E_GPa], row[f"{E_GPa}_std"], row[f"{E_GPa}_n"]) == ("58.2", "1.1", "5")
    assert result.remarks == (f"± 1.1 of {E_GPa} is taken for the standard deviation between replicates.",)


def test_a_bound_is_as_surprising_as_the_nearest_value_that_keeps_it(folder: Path) -> None:
    campaign = Campaign(folder)
    (below,), (above,) = campaign.record("R001-1", f"{E_GPa}=<55"), campaign.record("R001-2", f"{E_GPa}=>55")
    assert cells(folder, "R001-1")[E_GPa] == "<55"
    assert below.surprise[0].endswith("a surprise, lower than expected (z = -2.5 or beyond).")  # (55 - 60) / 2
    assert above.surprise[0].endswith("as expected (z = +0.0).")
    assert below.z[E_GPa] == pytest.approx(-2.5, abs=0.01)


def test_a_correction_says_what_was_there_and_the_journal_keeps_it(folder: Path) -> None:
    campaign = Campaign(folder)
    campaign.record("R001-1", f"{E_GPa}=58.2 ± 1.1", "note=soft")
    (result,) = campaign.record("R001-1", f"{E_GPa}=57.9")
    assert result.corrected == (
        f"R001-1 {E_GPa}: was 58.2, is 57.9.",
        f"R001-1 {E_GPa}_std: was 1.1, is blank.",
    )
    assert events(folder)[-1]["before"]["R001-1"][E_GPa] == "58.2"
    assert cells(folder, "R001-1")["note"] == "soft"


def test_an_alloy_that_failed_and_was_measured_after_all_has_no_reason_left(folder: Path) -> None:
    campaign = Campaign(folder)
    campaign.record("R001-2", status="failed", because="cracked")
    (result,) = campaign.record("R001-2", f"{E_GPa}=75")
    assert (cells(folder, "R001-2")["status"], cells(folder, "R001-2")["reason"]) == ("measured", "")
    assert "R001-2 reason: was cracked, is blank." in result.corrected


def test_a_value_that_is_not_known_makes_nothing_measured(folder: Path) -> None:
    Campaign(folder).record("R001-2", f"{E_GPa}=n/a", "note=to be measured")
    assert cells(folder, "R001-2")["status"] == "made"


def test_the_composition_as_analysed_stands_beside_the_nominal_and_says_that_the_alloy_was_made(folder: Path) -> None:
    campaign = Campaign(folder)
    campaign.record("R001-1", measured="Ti-32.4Nb-9.8Zr wt")
    row = cells(folder, "R001-1")
    assert [row[f"{e}_wt_pct_measured"] for e in ("Ti", "Nb", "Zr")] == ["57.8", "32.4", "9.8"]
    assert [row[f"{e}_wt_pct"] for e in ("Ti", "Nb", "Zr")] == ["58", "32", "10"]
    assert row["status"] == "made"


def test_an_analysis_in_the_other_basis_is_converted_and_a_new_one_takes_the_place_of_the_old(folder: Path) -> None:
    campaign = Campaign(folder)
    campaign.record("R001-1", measured="Ti-32.4Nb-9.7Zr-0.2O wt")
    (result,) = campaign.record("R001-1", measured="Ti-20.7Nb-6.4Zr at")
    row = cells(folder, "R001-1")
    # by hand, masses 47.867, 92.906 and 91.224: 72.9 at.% Ti is 3489.5 of 5996.5 g
    assert [float(row[f"{e}_wt_pct_measured"]) for e in ("Ti", "Nb", "Zr")] == pytest.approx(
        [58.19, 32.07, 9.74], abs=0.01
    )
    assert sum(float(row[f"{e}_wt_pct_measured"]) for e in ("Ti", "Nb", "Zr")) == pytest.approx(100, abs=1e-9)
    assert row["O_wt_pct_measured"] == ""
    assert "R001-1 O_wt_pct_measured: was 0.2, is blank." in result.corrected


def test_raw_readings_become_the_property_and_stay_in_the_note_and_in_the_journal(folder: Path) -> None:
    first, second = (f"ultrasonic(longitudinal={speed} m/s, shear=2100 m/s)" for speed in (5200, 5210))
    (result,) = Campaign(folder).record("R001-1", f"{E_GPa}={first}, {second}", "note=soft")
    with (folder / "experiments.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = [row for row in csv.DictReader(stream) if row["id"] == "R001-1"]
    assert (row[f"{E_GPa}_n"], row[f"{E_GPa}_method"], row["status"]) == ("2", "ultrasonic", "measured")
    assert row["note"] == result.cells["note"]
    told = events(folder)[-1]["told"]["R001-1"]["derived"][E_GPa]
    assert (told["method"], told["source"], len(told["values"])) == ("ultrasonic", "ASTM E494", 2)
    assert told["readings"][0]["longitudinal"] == "5200 m/s"
    assert float(row[E_GPa]) == pytest.approx(sum(told["values"]) / 2, rel=1e-3)


def test_a_corrected_value_leaves_no_readings_of_the_old_one(folder: Path) -> None:
    campaign = Campaign(folder)
    campaign.record("R001-1", "note=soft")
    values = [f"ultrasonic(shear=3 km/s, longitudinal={speed} km/s)" for speed in (6, 7)]
    first, second, last = (campaign.record("R001-1", f"{E_GPa}={value}")[0].cells["note"] for value in (*values, "61"))
    assert first.startswith("soft; youngs_modulus_GPa by ultrasonic (ASTM E494): longitudinal 6 km/s, shear 3 km/s, ")
    assert second.startswith("soft; youngs_modulus_GPa by ultrasonic (ASTM E494): longitudinal 7 km/s, shear 3 km/s, ")
    assert (last, cells(folder, "R001-1")[f"{E_GPa}_method"]) == ("soft", "")


def test_readings_in_columns_of_a_table_become_the_property(folder: Path, tmp_path: Path) -> None:
    text = "id;cL_m_per_s;shear (m/s);note\nR001-1;5200,0;2100,5;soft\nR001-2;;2100,5;lost\n"
    (tmp_path / "sound.csv").write_text(text, encoding="utf-8")
    how = f"{E_GPa}=ultrasonic(longitudinal=cL_m_per_s, shear=shear (m/s))"
    first, second = Campaign(folder).record(tmp_path / "sound.csv", derive=[how])
    assert set(first.cells) == {E_GPa, f"{E_GPa}_method", "note", "status"}
    assert "longitudinal 5200 m/s, shear 2100.5 m/s" in first.cells["note"]
    assert second.cells == {"note": "lost"}
    with pytest.raises(AlloyloopError, match=r"sound\.csv: There is no column cT\. Its columns are id, cL_m_per_s"):
        Campaign(folder).record(tmp_path / "sound.csv", derive=[how.replace("shear (m/s)", "cT")])
    with pytest.raises(AlloyloopError, match="no property HV to be computed"):
        Campaign(folder).record(tmp_path / "sound.csv", derive=["HV=vickers(load=cL)"])


def test_an_alloy_that_was_never_proposed_gets_a_row_of_its_own(folder: Path) -> None:
    campaign = Campaign(folder)
    (first,) = campaign.record("Ti-35Nb-7Zr wt", f"{E_GPa}=55", source="our furnace")
    (second,) = campaign.record("Ti-50Nb wt", "note=button 7")
    assert (first.id, first.new, second.id) == ("X001", True, "X002")
    row = cells(folder, "X001")
    assert [row[name] for name in ("status", "round", "source", "Ti_wt_pct", "Nb_wt_pct", "Zr_wt_pct", E_GPa)] == [
        *("measured", "", "our furnace", "58", "35", "7", "55")
    ]
    assert (cells(folder, "X002")["status"], first.outside) == ("made", ())
    assert second.outside[0] == "Nb is 50 %, outside 10 to 40 %"
    assert events(folder)[-1]["change"]["added"][0]["id"] == "X002"
    assert "X002" in campaign.status().pending


def test_a_new_alloy_in_the_other_basis_is_entered_in_that_of_the_campaign(folder: Path) -> None:
    Campaign(folder).record("Ti-24Nb at", f"{E_GPa}=70")
    row = cells(folder, "X001")
    # 24 × 92.906 / (24 × 92.906 + 76 × 47.867) = 38.0 %
    assert float(row["Nb_wt_pct"]) == pytest.approx(38.0, abs=0.01)
    assert float(row["Ti_wt_pct"]) + float(row["Nb_wt_pct"]) == pytest.approx(100, abs=1e-9)


@given(st.decimals(1, 40, places=2), st.decimals(1, 40, places=2))
def test_what_is_converted_sums_to_100_exactly(snapshot: Snapshot, nb: Decimal, zr: Decimal) -> None:
    found = unproposed(snapshot, f"Ti-{nb}Nb-{zr}Zr at", {})
    assert found is not None
    assert sum(map(Decimal, found[1].values())) == 100


def test_another_melt_of_a_pending_alloy_is_told_by_its_source(folder: Path) -> None:
    Campaign(folder).record("Ti-32Nb-10Zr wt", f"{E_GPa}=58", source="the other furnace")
    assert (cells(folder, "X001")[E_GPa], cells(folder, "R001-1")["status"]) == ("58", "proposed")


def test_a_table_may_bring_alloys_that_were_never_proposed(folder: Path, tmp_path: Path) -> None:
    text = (
        f"id,alloy,Ti_wt_pct,Nb_wt_pct,{E_GPa}\nR001-1,Ti-32Nb-10Zr wt,,,58\nL7,Ti-30Nb wt,,,66\n,Ti-28Nb wt,,,70\n"
        ",Ti-26Nb wt,,,71\nL8,,60,40,67\n"
    )
    (tmp_path / "ours.csv").write_text(text, encoding="utf-8")
    results = Campaign(folder).record(tmp_path / "ours.csv")
    assert [(result.id, result.new) for result in results] == [
        *(("R001-1", False), ("L7", True), ("X001", True), ("X002", True), ("L8", True))
    ]
    assert [cells(folder, id)["Nb_wt_pct"] for id in ("L7", "X001", "X002", "L8")] == ["30", "28", "26", "40"]
    assert "alloy" not in (folder / "experiments.csv").read_text(encoding="utf-8").splitlines()[0]


def test_an_alloy_named_beside_the_id_of_another_is_remarked_on(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "ours.csv").write_text(f"id,alloy,{E_GPa}\nR001-1,Ti-18Nb-5Zr wt,58\n", encoding="utf-8")
    (result,) = Campaign(folder).record(tmp_path / "ours.csv")
    assert result.remarks == ("R001-1 is Ti-32Nb-10Zr wt, and beside it stands Ti-18Nb-5Zr wt: check the id.",)


def test_text_that_a_spreadsheet_would_compute_is_entered_as_text(folder: Path) -> None:
    evil = "=HYPERLINK(1)"
    Campaign(folder).record("R001-1", f"{E_GPa}=58", f"note={evil}", source="@home")
    Campaign(folder).record("R001-2", status="failed", because="-cracked")
    Campaign(folder).record("Ti-30Nb wt", "note=+49 351", source="=1+1")
    for row in csv.reader((folder / "experiments.csv").read_text(encoding="utf-8").splitlines()):
        assert not [cell for cell in row if cell[:1] in "=+-@" and cell[:1]]
    assert cells(folder, "R001-1")["note"] == f"'{evil}"


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


def test_a_process_that_was_never_proposed_is_named_by_its_values(tmp_path: Path) -> None:
    folder = make(tmp_path / "lpbf", process_study.QUESTION, process_study.EXPERIMENTS + "P,proposed,1,150,500,,,,,,\n")
    campaign, density = Campaign(folder), "relative_density_pct"
    (named,) = campaign.record("laser_power_W=200, scan_speed_mm_per_s=800, gas=argon", f"{density}=99.1,99.3")
    assert (named.id, cells(folder, "X001")["laser_power_W"], cells(folder, "X001")[density]) == ("X001", "200", "99.2")
    campaign.record("S17", "laser_power_W=210", "scan_speed_mm_per_s=900", "gas=argon", f"{density}=98")
    assert (cells(folder, "S17")["gas"], cells(folder, "S17")["status"]) == ("argon", "measured")
    with pytest.raises(AlloyloopError, match="There is no alloy S18"):  # no design without its gas
        campaign.record("S18", "laser_power_W=210", "scan_speed_mm_per_s=900", f"{density}=98")
    with pytest.raises(AlloyloopError, match="This is P, which waits for its result"):
        campaign.record("laser_power_W=150, scan_speed_mm_per_s=500, gas=argon", f"{density}=98")
    with pytest.raises(AlloyloopError, match="no composition that could be analysed"):
        campaign.record("A", measured="Ti-24Nb wt")


def test_another_treatment_of_a_pending_alloy_is_an_alloy_of_its_own(tmp_path: Path) -> None:
    question = QUESTION + "process:\n  T_C: {min: 700, max: 900, step: 50}\n"
    header, *rows = (EXPERIMENTS + PROPOSED).splitlines()
    table = "\n".join([f"{header},T_C", *(f"{row},800" for row in rows)]) + "\n"
    campaign = Campaign(make(tmp_path / "ti", question, table))
    assert campaign.record("Ti-32Nb-10Zr wt", "T_C=900", f"{E_GPa}=60")[0].id == "X001"
    with pytest.raises(AlloyloopError, match="This is R001-1"):
        campaign.record("Ti-32Nb-10Zr wt", "T_C=800.0", f"{E_GPa}=60")
