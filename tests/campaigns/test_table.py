"""What experiments.csv means: MANUAL §3, and every bad input that the manual's §7 speaks of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.campaigns.sheet import parse_sheet, sheet_text
from alloyloop.campaigns.table import ExperimentTable, Layout
from alloyloop.surrogates.errors import AlloyloopError

LAYOUT = Layout(
    "wt_pct",
    ("Ti", "Nb", "Zr"),
    "Ti",
    numeric=("solution_temperature_C",),
    choices={"quench": ("water", "air", "none")},
    properties=("youngs_modulus_GPa",),
    classes={"phases": {"beta": ("beta", "single beta"), "two-phase": ("beta + *",), "other": ("*",)}},
)
HEADER = "id,status,round,parent,source,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct"
ALLOY = "A,known,,,doi,53,40,7"
NAN = float("nan")


def read(text: str, layout: Layout = LAYOUT, file: str = "experiments.csv") -> ExperimentTable:
    return ExperimentTable.read(parse_sheet(text, file), layout)


def rows(*rows: str, more: str = "", layout: Layout = LAYOUT) -> ExperimentTable:
    """A table of the usual columns, and some more."""
    return read("\n".join([HEADER + more, *rows]) + "\n", layout)


def problems(table: ExperimentTable) -> list[str]:
    return [str(problem) for problem in table.problems]


def only_problem(table: ExperimentTable) -> str:
    (problem,) = problems(table)
    return problem


def only_remark(table: ExperimentTable) -> str:
    (remark,) = [remark for remark in table.remarks if "there is no column" not in remark]
    return remark


def test_a_good_table_is_read_without_a_word() -> None:
    table = rows(
        "A,known,,,10.1016/j.1,53,40,7,850,water,61.2,0.8,3,single beta",
        "B,measured,2,A,lab,60,40,0,,,,,,",
        more=",solution_temperature_C,quench,youngs_modulus_GPa,youngs_modulus_GPa_std,youngs_modulus_GPa_n,phases",
    )
    assert problems(table) == []
    assert (table.ids, table.status, table.round) == (("A", "B"), ("known", "measured"), (None, 2))
    assert (table.parent, table.source) == (("", "A"), ("10.1016/j.1", "lab"))
    np.testing.assert_array_equal(table.nominal, [[53, 40, 7], [60, 40, 0]])
    np.testing.assert_array_equal(table.process["solution_temperature_C"], [850, NAN])
    assert table.process["quench"] == ["water", None]
    np.testing.assert_array_equal(table.values("youngs_modulus_GPa"), [61.2, NAN])
    np.testing.assert_array_equal(table.std("youngs_modulus_GPa"), [0.8, NAN])
    np.testing.assert_array_equal(table.counts("youngs_modulus_GPa"), [3, NAN])
    assert table.class_of("phases") == ["beta", None]
    assert table.usable.tolist() == [True, True]


def test_a_new_table_has_the_columns_of_the_manual_in_its_order() -> None:
    assert LAYOUT.columns == (
        *("id", "status", "round", "parent", "source", "Ti_wt_pct", "Nb_wt_pct", "Zr_wt_pct"),
        *("Ti_wt_pct_measured", "Nb_wt_pct_measured", "Zr_wt_pct_measured", "solution_temperature_C", "quench"),
        *("youngs_modulus_GPa", "youngs_modulus_GPa_std", "youngs_modulus_GPa_n", "phases", "reason", "note"),
    )
    assert problems(read(",".join(LAYOUT.columns) + "\n")) == []


def test_every_mistake_is_collected_and_the_good_rows_stay() -> None:
    table = rows("A,known,,,,53,40,7", "B,knwn,,,,53,40,4", ",known,,,,53,40,-7", "D,known,,,,60,40,0")
    assert [(p.row, p.column) for p in table.problems] == [(3, None), (3, "status"), (4, "id"), (4, "Zr_wt_pct")]
    assert table.ids == ("A", "B", "", "D")
    assert table.usable.tolist() == [True, False, False, True]
    assert np.isnan(table.nominal).all(axis=1).tolist() == [False, True, True, False]


# Compositions


def test_amounts_within_half_a_percent_are_scaled_to_100_with_one_remark() -> None:
    table = rows("A,known,,,,53,40,7", "B,known,,,,53.2,40.2,7", "C,known,,,,52.8,39.8,7")
    np.testing.assert_allclose(table.nominal.sum(axis=1), 100, rtol=1e-15)
    assert table.nominal[1, 2] == pytest.approx(7 / 100.4 * 100)
    assert table.nominal[0].tolist() == [53, 40, 7]
    assert only_remark(table) == "experiments.csv: amounts of rows 3 and 4 sum to 100 ± 0.5 and were scaled to 100."


@pytest.mark.parametrize(
    ("amounts", "total"), [("50,40,7", "97"), ("53,40,7.6", "100.6"), ("70,40,7", "117"), ("0,0,0", "0")]
)
def test_amounts_further_off_are_a_mistake(amounts: str, total: str) -> None:
    assert only_problem(rows(f"A,known,,,,{amounts}")).startswith(
        f"experiments.csv, row 2: The amounts sum to {total} wt.%, not 100. Correct them"
    )


def test_the_remedy_for_a_sum_too_small_is_to_let_the_balance_take_the_rest() -> None:
    assert "or leave that of Ti empty to let it take the remainder." in only_problem(rows("A,known,,,,50,40,7"))


@pytest.mark.parametrize("cell", ["", "bal.", "Bal", "balance", "Rest"])
def test_the_balance_takes_the_remainder(cell: str) -> None:
    table = rows(f"A,known,,,,{cell},40,7", f"B,known,,,,{cell},24.5,")
    np.testing.assert_allclose(table.nominal, [[53.0, 40.0, 7.0], [75.5, 24.5, 0.0]])
    assert ("Ti takes the remainder in 2 rows" in "".join(table.remarks)) == (cell == "")


def test_a_dilute_alloy_whose_solutes_sum_to_1_is_no_fraction() -> None:
    assert rows("A,known,,,,,0.8,0.2").nominal.tolist() == [[99, 0.8, 0.2]]


def test_no_remainder_is_negative() -> None:
    assert "The amounts sum to 117 wt.%, not 100" in only_problem(rows("A,known,,,,bal.,100,17"))


def test_a_missing_balance_column_takes_the_remainder() -> None:
    table = read("id,status,Nb_wt_pct,Zr_wt_pct\nA,known,40,7\n")
    assert table.nominal.tolist() == [[53, 40, 7]]


def test_another_element_may_be_the_balance_of_its_row_but_not_two() -> None:
    assert rows("A,known,,,,10,30,bal.").nominal.tolist() == [[10, 30, 60]]
    assert "Two elements are to take the remainder" in only_problem(rows("A,known,,,,bal.,30,bal."))


def test_other_blank_amounts_are_zero_where_the_rest_sums_to_100() -> None:
    table = rows("A,known,,,,60,40,", "B,known,,,,,93.1,7")
    np.testing.assert_allclose(table.nominal, [[60.0, 40.0, 0.0], [0.0, 93.1 / 1.001, 7 / 1.001]])


def test_a_negative_amount_is_a_mistake_with_its_place() -> None:
    problem = only_problem(rows("A,known,,,,67,40,-7"))
    assert problem.startswith("experiments.csv, row 2, column Zr_wt_pct: An amount of -7 is negative")


def test_an_amount_of_more_than_100_is_a_mistake_with_its_place() -> None:
    problem = only_problem(rows("A,known,,,,53,400,7"))
    assert problem.startswith("experiments.csv, row 2, column Nb_wt_pct: An amount of 400 is more than all")


def test_fractions_are_recognised_as_such() -> None:
    assert "They look like fractions: multiply them by 100." in only_problem(rows("A,known,,,,0.53,0.4,0.07"))


def test_an_unknown_element_is_a_mistake_with_a_suggestion() -> None:
    problem = only_problem(read("id,status,Ti_wt_pct,Nn_wt_pct\nA,known,100,\n"))
    assert problem.startswith("experiments.csv, row 1, column Nn_wt_pct: 'Nn' is not an element we know. Did you mean")


def test_amounts_without_a_basis_are_a_mistake() -> None:
    problem = only_problem(read("id,status,Nb,Ti\nA,known,40,60\n"))
    assert "row 1: Nb, Ti do not say whether in at.% or wt.%. Name them Nb_wt_pct and Ti_wt_pct" in problem


def test_a_condition_may_be_named_as_an_amount() -> None:
    layout = Layout("wt_pct", ("Ti", "Nb"), "Ti", numeric=("O_wt_pct",))
    table = read("id,status,Ti_wt_pct,Nb_wt_pct,O_wt_pct\nA,known,60,40,0.15\n", layout)
    assert table.elements == ("Ti", "Nb")
    np.testing.assert_array_equal(table.process["O_wt_pct"], [0.15])


def test_elements_outside_the_space_are_kept() -> None:
    table = rows("A,known,,,,53,40,7,0,0", "B,known,,,,90,0,0,10,0", more=",Mo_wt_pct,Ta_wt_pct")
    assert table.elements == ("Ti", "Nb", "Zr", "Mo")  # no row has any Ta
    assert table.nominal[1].tolist() == [90, 0, 0, 10]
    assert table.outside.tolist() == [False, True]
    assert table.usable.tolist() == [True, True]


def test_amounts_in_the_other_basis_are_converted() -> None:
    # DOMAIN §2.1: Ti-35Nb-7Zr-5Ta wt.% is 69.711 Ti, 23.718 Nb, 4.831 Zr, 1.740 Ta at.% (periodictable agrees).
    text = "id,status,Ti_at_pct,Nb_at_pct,Zr_at_pct,Ta_at_pct\nA,known,69.711,23.718,4.831,1.740\n"
    table = read(text)
    np.testing.assert_allclose(table.nominal, [[53, 35, 7, 5]], atol=0.002)
    assert (
        only_remark(table) == "experiments.csv: amounts of row 2 in at.% were converted to wt.%, the campaign's basis."
    )


def test_both_bases_in_one_row_are_a_mistake() -> None:
    table = rows("A,known,,,,53,40,7,70,25,5", "B,known,,,,53,40,7,,,", more=",Ti_at_pct,Nb_at_pct,Zr_at_pct")
    assert only_problem(table).startswith("experiments.csv, row 2: This row has amounts in both at.% and wt.%")
    assert table.usable.tolist() == [False, True]


def test_the_measured_composition_counts_where_there_is_one() -> None:
    table = rows(
        "A,measured,,,,53,40,7,54,39.5,6.5",
        "B,measured,,,,53,40,7,,,",
        more=",Ti_wt_pct_measured,Nb_wt_pct_measured,Zr_wt_pct_measured",
    )
    assert table.amounts.tolist() == [[54, 39.5, 6.5], [53, 40, 7]]
    assert np.isnan(table.measured[1]).all()


def test_a_balance_by_difference_needs_every_other_element_analysed() -> None:
    more = ",Ti_wt_pct_measured,Nb_wt_pct_measured,Zr_wt_pct_measured"
    assert rows("A,measured,,,,53,40,7,,39.5,6.5", more=more).measured.tolist() == [[54, 39.5, 6.5]]
    table = rows("A,measured,,,,53,40,7,,39.5,", more=more)
    assert "row 2, column Zr_wt_pct_measured: The measured composition lacks Zr" in only_problem(table)
    assert "remainder" not in "".join(table.remarks)


def test_an_element_below_its_limit_of_detection_is_none() -> None:
    table = rows("A,known,,,,60,40,<0.01")
    assert table.nominal.tolist() == [[60, 40, 0]]
    assert "below a limit of detection in row 2 were read as 0" in only_remark(table)
    assert "is not one amount" in problems(rows("A,known,,,,60,40,<5"))[0]


def test_a_row_without_a_composition_is_a_mistake_once_and_not_in_a_process_study() -> None:
    text = "id,status,solution_temperature_C,quench,youngs_modulus_GPa\nA,known,850,air,61\n"
    assert only_problem(rows("A,known,,,,,,")).startswith("experiments.csv, row 2: This row has no composition")
    assert "row 1: There are no composition columns. Name them Ti_wt_pct and Nb_wt_pct" in only_problem(read(text))
    study = read(text, Layout(numeric=("solution_temperature_C",), properties=("youngs_modulus_GPa",)))
    assert study.problems == ()
    assert study.usable.tolist() == [True]


# Cells


@pytest.mark.parametrize("cell", ["6l.2", "soft", "12. Mrz", "2026-05-01", "1-May", "Jan 12", '"61,2"', '"58.2, 59.1"'])
def test_text_in_a_number_cell_is_a_mistake_with_its_place(cell: str) -> None:
    table = rows(f"{ALLOY},{cell}", "B,known,,,,53,40,7,58.5", more=",youngs_modulus_GPa")
    assert only_problem(table).startswith("experiments.csv, row 2, column youngs_modulus_GPa: ")
    np.testing.assert_array_equal(table.values("youngs_modulus_GPa"), [NAN, 58.5])
    assert table.usable.tolist() == [False, True]


def test_not_known_cells_are_counted_in_one_remark() -> None:
    table = rows(f"{ALLOY},n/a,-", "B,known,,,,53,40,7,-,n/a", more=",youngs_modulus_GPa,quench")
    assert only_remark(table) == "experiments.csv: 4 cells saying '-' or 'n/a': read as not known."


def test_bounds_are_kept_as_censored_values() -> None:
    table = rows(f"{ALLOY},<45", "B,known,,,,53,40,7,>70", "C,known,,,,53,40,7,60", more=",youngs_modulus_GPa")
    assert table.values("youngs_modulus_GPa").tolist() == [45, 70, 60]
    assert table.censored("youngs_modulus_GPa").tolist() == ["<", ">", ""]


def test_a_plus_minus_is_the_spread_unless_the_column_says_another() -> None:
    more = ",youngs_modulus_GPa,youngs_modulus_GPa_std"
    assert rows(f"{ALLOY},61.2 ± 0.8,", more=more).std("youngs_modulus_GPa").tolist() == [0.8]
    assert "says ± 0.8, the column youngs_modulus_GPa_std says 0.9" in only_problem(
        rows(f"{ALLOY},61 ± 0.8,0.9", more=more)
    )


@pytest.mark.parametrize(
    ("more", "cell", "message"),
    [
        ("youngs_modulus_GPa_std", "-1", "A standard deviation of -1 is negative"),
        ("youngs_modulus_GPa_n", "0", "0 is not a number of replicates"),
        ("youngs_modulus_GPa_n", "2.5", "2.5 is not a number of replicates"),
        ("solution_temperature_C", "<900", "'<900' is not one number"),
        ("quench", "oil", "'oil' is none of the words of quench: water, air, none"),
    ],
)
def test_impossible_cells_are_mistakes(more: str, cell: str, message: str) -> None:
    assert f"row 2, column {more}: {message}" in only_problem(rows(f"{ALLOY},{cell}", more=f",{more}"))


def test_a_semicolon_table_with_decimal_commas_means_the_same() -> None:
    text = f"{HEADER},youngs_modulus_GPa\nA,known,1,,doi,53.5,39.5,7,61.2 ± 0.8\n"
    ours = read(text)
    theirs = read(text.replace(",", ";").replace(".", ","))
    np.testing.assert_array_equal(ours.nominal, theirs.nominal)
    np.testing.assert_array_equal(ours.values("youngs_modulus_GPa"), theirs.values("youngs_modulus_GPa"))
    assert theirs.problems == ()


def test_words_find_their_class_exactly_first_then_by_pattern_and_anything_else_last() -> None:
    cells = ["Beta", "single beta", "beta + omega", "alpha", "", "n/a"]
    table = rows(*(f"{i},known,,,,53,40,7,{cell}" for i, cell in enumerate(cells)), more=",phases")
    assert table.class_of("phases") == ["beta", "beta", "two-phase", "other", None, None]


def test_anything_else_comes_last_wherever_it_is_written() -> None:
    classes = {"phases": {"other": ("*",), "beta": ("beta*",)}}
    table = rows(
        f"{ALLOY},beta + omega", more=",phases", layout=Layout("wt_pct", ("Ti", "Nb", "Zr"), "Ti", classes=classes)
    )
    assert table.class_of("phases") == ["beta"]


def test_a_word_of_a_choice_that_sounds_like_nothing_is_still_the_choice() -> None:
    assert rows(f"{ALLOY},None", more=",quench").process["quench"] == ["none"]


# Rows


def test_ids_are_there_and_differ() -> None:
    table = rows(ALLOY, ALLOY, ",known,,,,53,40,7")
    assert problems(table)[0].startswith("experiments.csv, row 3, column id: Row 2 has the id 'A' too")
    assert problems(table)[1].startswith("experiments.csv, row 4, column id: This row has no id")


def test_a_table_without_ids_is_one_mistake() -> None:
    assert "row 1: There is no column id" in only_problem(read("status,Ti_wt_pct\nknown,100\nknown,100\n"))


def test_a_row_with_a_result_but_no_status_is_known() -> None:
    table = rows("A,,,,,53,40,7,61", "B,,,,,53,40,7,", more=",youngs_modulus_GPa")
    assert table.status == ("known", "")
    assert "experiments.csv: row 2 without a status but with a result: read as known." in table.remarks
    assert "row 3, column status: This row has neither a status nor a result. Write known, proposed" in only_problem(
        table
    )


def test_the_status_says_which_rows_are_learned_from_and_which_are_awaited() -> None:
    statuses = ("known", "proposed", "made", "measured", "failed", "withdrawn", "Known")
    table = rows(*(f"{i},{status},,,,53,40,7" for i, status in enumerate(statuses)))
    assert table.usable.tolist() == [True, False, False, True, False, False, True]
    assert table.pending.tolist() == [False, True, True, False, False, False, False]
    assert table.is_row("failed", "withdrawn").sum() == 2


def test_a_result_of_a_row_that_is_not_measured_is_pointed_out() -> None:
    table = rows("A,proposed,,,,53,40,7,61", more=",youngs_modulus_GPa")
    assert "row 2 with a result but not `measured`" in only_remark(table)


@pytest.mark.parametrize("cell", ["-1", "1.5"])
def test_a_round_is_a_whole_number(cell: str) -> None:
    assert "is not the number of a round" in only_problem(rows(f"A,known,{cell},,,53,40,7"))


def test_a_column_whose_name_differs_by_its_capitals_is_a_mistake() -> None:
    problem = only_problem(rows(f"{ALLOY},61", more=",youngs_modulus_Gpa"))
    assert problem.startswith(
        "experiments.csv, row 1, column youngs_modulus_Gpa: This column is nearly named youngs_modulus_GPa"
    )


def test_a_column_that_is_missing_is_said_with_what_may_be_meant() -> None:
    table = rows(f"{ALLOY},850", more=",solution_temprature_C")
    assert (
        "experiments.csv: there is no column solution_temperature_C (is solution_temprature_C meant for it?)"
        in "".join(table.remarks)
    )


def test_duplicated_columns_and_ragged_rows_are_among_the_problems() -> None:
    table = rows(f"{ALLOY},1,2,3", "B,known,,,,53,40,7,1,2", more=",x,x")
    assert "row 1, column x: Two columns have this name" in problems(table)[0]
    assert "row 2: This row has 11 cells, the header 10" in problems(table)[1]
    assert table.usable.tolist() == [False, True]


def test_problems_come_in_the_order_of_the_rows() -> None:
    table = rows("A,x,,,,53,40,7", "A,known,,,,53,40,4")
    assert [problem.row for problem in table.problems] == sorted(problem.row or 0 for problem in table.problems)


# Editing


def test_a_changed_cell_keeps_the_rest_of_the_file() -> None:
    text = "id;status;Ti_wt_pct;Nb_wt_pct;my column\r\nA;made;60;40;=1+1\r\nB;made;55,0;45;x\r\n"
    table = read(text).with_cells("B", {"status": "measured", "youngs_modulus_GPa": "58,2"})
    assert table.values("youngs_modulus_GPa").tolist()[1] == 58.2
    assert sheet_text(table.sheet) == (
        "id;status;Ti_wt_pct;Nb_wt_pct;my column;youngs_modulus_GPa\r\n"
        "A;made;60;40;=1+1;\r\nB;measured;55,0;45;x;58,2\r\n"
    )


def test_many_rows_are_changed_at_once() -> None:
    table = rows("A,made,,,,60,40,", "B,made,,,,53,40,7").with_changes(
        {"A": {"status": "failed"}, "B": {"note": "soft"}}
    )
    assert (table.status, table.sheet.column("note")) == (("failed", "made"), ("", "soft"))


def test_added_rows_go_to_the_end() -> None:
    table = rows(ALLOY).with_rows(
        [{"id": "R001-1", "status": "proposed", "round": "1", "Ti_wt_pct": "60", "Nb_wt_pct": "40"}]
    )
    assert table.ids == ("A", "R001-1")
    assert table.nominal[1].tolist() == [60, 40, 0]


def test_an_id_that_is_not_there_is_an_error_with_the_nearest() -> None:
    with pytest.raises(AlloyloopError, match=r"There is no row 'R001-2'\. Did you mean R001-1\?"):
        rows("R001-1,made,,,,53,40,7").with_cells("R001-2", {"note": "x"})


def test_a_table_is_read_from_a_path(tmp_path: Path) -> None:
    path = tmp_path / "experiments.csv"
    path.write_text(f"{HEADER}\n{ALLOY}\n")
    assert ExperimentTable.read(path, LAYOUT).ids == ("A",)


# Invariants


AMOUNT = st.sampled_from(["", "0", "7", "40", "53", "53.2", "97", "-1", "bal.", "x", "<0.1", "100", "n/a", "1e3"])


@given(st.lists(st.tuples(AMOUNT, AMOUNT, AMOUNT, AMOUNT, st.sampled_from(["", "known", "made", "?"])), max_size=8))
def test_whatever_is_typed_a_row_is_a_composition_or_a_problem(cells: list[tuple[str, ...]]) -> None:
    lines = [f"{i},{status},{','.join(amounts)}" for i, (*amounts, status) in enumerate(cells)]
    table = read("\n".join(["id,status,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,Mo_wt_pct", *lines]))
    assert len(table) == len(cells)
    is_composition = np.isfinite(table.amounts).all(axis=1)
    np.testing.assert_allclose(table.amounts[is_composition].sum(axis=1), 100, rtol=1e-12)
    assert (table.amounts[is_composition] >= 0).all()
    assert (is_composition | table.has_problem).all()
    assert {table.sheet.row_numbers[row] for row in np.flatnonzero(table.has_problem)} <= {
        p.row for p in table.problems
    }


@given(
    st.lists(st.text(alphabet="aTiNb_wtpc ±,;01.<\"'\n", max_size=12), min_size=1, max_size=6),
    st.lists(st.lists(st.text(alphabet='ab01.,<±-;\n"=', max_size=6), max_size=6), max_size=4),
)
def test_no_table_crashes(header: list[str], body: list[list[str]]) -> None:
    text = "\n".join(",".join(row) for row in [["id", "youngs_modulus_GPa", *header], *body])
    table = read(text)
    assert len(table.ids) == len(table.sheet.rows)
