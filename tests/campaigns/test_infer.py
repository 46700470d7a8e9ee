"""`new --from`: any table is understood as far as its names and numbers tell, or a clear question is asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.campaigns.infer import Inference, Range, infer
from alloyloop.campaigns.problems import CampaignFileError
from alloyloop.campaigns.sheet import parse_sheet, read_sheet, sheet_text
from alloyloop.campaigns.table import ExperimentTable
from alloyloop.surrogates.errors import AlloyloopError

DATA = Path(__file__).parents[2].parent / "shared" / "data"
TABLES = sorted([*DATA.glob("*.csv"), *DATA.glob("shippable/*.csv")])


def inferred(text: str, basis: str | None = None, balance: str | None = None) -> Inference:
    return infer(parse_sheet(text, "my.csv"), basis=basis, balance=balance)  # type: ignore[arg-type]


def roles(inference: Inference) -> dict[str, tuple[str, str]]:
    return {column.old: (column.role, column.new) for column in inference.columns}


def table_of(inference: Inference) -> ExperimentTable:
    return ExperimentTable.read(inference.experiments(), inference.layout)


def test_a_european_spreadsheet_is_understood() -> None:
    text = (
        "Probe;Ti (Gew.-%);Nb (Gew.-%);Solution temp. (°C);quench;E-Modul [GPa];SD;DOI;Bemerkung\r\n"
        "A;60,5;39,5;850;water;61,2;1,1;10.1/a;weich\r\n"
        "B;58,2;41,8;900;air;58;0,7;10.1/a;\r\n"
        "C;58,2;41,8;900;air;58;0,7;10.1/b;\r\n"
    )
    inference = inferred(text)
    assert roles(inference) == {
        "Probe": ("kept", "Probe"),
        "Ti (Gew.-%)": ("composition", "Ti_wt_pct"),
        "Nb (Gew.-%)": ("composition", "Nb_wt_pct"),
        "Solution temp. (°C)": ("process", "solution_temperature_C"),
        "quench": ("process", "quench"),
        "E-Modul [GPa]": ("property", "youngs_modulus_GPa"),
        "SD": ("std", "youngs_modulus_GPa_std"),
        "DOI": ("source", "source"),
        "Bemerkung": ("note", "note"),
    }
    assert (inference.basis, inference.balance) == ("wt_pct", "Ti")
    assert inference.process["quench"] == ("air", "water")
    assert inference.properties == {"youngs_modulus_GPa": "minimize"}
    assert sheet_text(inference.experiments()).splitlines()[:2] == [
        "id;status;round;parent;source;Ti_wt_pct;Nb_wt_pct;solution_temperature_C;quench;youngs_modulus_GPa;youngs_modulus_GPa_std;Probe;reason;note",
        "D001;known;;;10.1/a;60,5;39,5;850;water;61,2;1,1;A;;weich",
    ]
    table = table_of(inference)
    assert table.problems == ()
    assert table.usable.all()
    assert table.std("youngs_modulus_GPa").tolist() == [1.1, 0.7, 0.7]


def test_every_column_has_a_reason_in_words() -> None:
    inference = inferred("Ti (at.%),Nb (at.%),E / GPa,colour\n60,40,61,red\n55,45,58,blue\n")
    assert [str(column) for column in inference.columns] == [
        "Ti (at.%) → Ti_at_pct: composition, because it names the element Ti and at.%",
        "Nb (at.%) → Nb_at_pct: composition, because it names the element Nb and at.%",
        "E / GPa → youngs_modulus_GPa: property, because 'E' is how people name it",
        "colour: kept, because nothing in its name or its cells says more",
    ]


# Compositions


BARE = "Ti,Nb,Zr,HV\n60,30,10,200\n50,40,10,210\n"


def test_amounts_without_a_basis_are_a_question_and_not_a_guess() -> None:
    with pytest.raises(
        CampaignFileError, match=r"Ti, Nb, Zr give amounts, but not whether in at\.% or wt\.%.*--basis wt_pct"
    ):
        inferred(BARE)
    assert roles(inferred(BARE, basis="at_pct"))["Nb"] == ("composition", "Nb_at_pct")


def test_amounts_that_sum_to_1_are_fractions() -> None:
    inference = inferred("Ti,Nb,HV\n0.6,0.4,200\n0.55,0.45,210\n", basis="at_pct")
    assert table_of(inference).nominal.tolist() == [[60, 40], [55, 45]]
    assert "as fractions that sum to 1" in str(inference.columns[0])


def test_a_basis_that_contradicts_the_names_is_refused() -> None:
    with pytest.raises(CampaignFileError, match=r"in at\.% by their names, not in wt\.%"):
        inferred("Ti (at.%),Nb (at.%)\n60,40\n", basis="wt_pct")


def test_of_two_bases_the_first_counts_and_the_other_is_kept() -> None:
    inference = inferred("Ti_at_pct,Ni_at_pct,Ti_wt_pct,Ni_wt_pct,HV\n50,50,44.9,55.1,200\n49,51,44,56,210\n")
    assert (inference.basis, roles(inference)["Ti_wt_pct"]) == ("at_pct", ("kept", "Ti_wt_pct_given"))
    assert table_of(inference).problems == ()


def test_letters_that_are_elements_too_are_amounts_only_if_they_sum_to_a_whole() -> None:
    assert roles(inferred("C,V,I,E\n1,2,3,60\n4,5,6,58\n"))["C"][0] == "kept"
    assert roles(inferred("Fe,C,HV\n99.6,0.4,200\n99.2,0.8,210\n", basis="wt_pct"))["C"][0] == "composition"


def test_a_missing_balance_is_a_question_and_an_answer_to_it_is_used() -> None:
    text = "Nb (wt%),Zr (wt%),E\n35,7,55\n24,4,42\n"
    with pytest.raises(CampaignFileError, match=r"less than 100 wt\.%.*--balance Ti"):
        inferred(text)
    inference = inferred(text, balance="Ti")
    assert inference.elements["Ti"] == Range(58, 72, 1)
    assert table_of(inference).nominal.tolist() == [[58, 35, 7], [72, 24, 4]]


def test_a_balance_column_of_words_takes_the_remainder() -> None:
    inference = inferred("Ti (wt%),Nb (wt%),E\nbal.,35,55\nbal.,24,42\n")
    assert inference.balance == "Ti"
    assert table_of(inference).nominal.tolist() == [[65, 35], [76, 24]]


def test_compositions_are_read_from_the_alloys_names() -> None:
    inference = inferred("alloy,E / GPa\nTi-35Nb-7Zr-5Ta wt,55\nTi-24Nb-4Zr-7.9Sn wt,42\n")
    assert (inference.basis, inference.balance) == ("wt_pct", "Ti")
    assert table_of(inference).nominal[0].tolist() == [53, 35, 7, 5, 0]
    formulas = inferred("formula,HV\nAl0.3CoCrFeNi,150\nCoCrFeNi,130\n")
    np.testing.assert_allclose(table_of(formulas).nominal.sum(axis=1), 100, rtol=1e-15)
    assert table_of(formulas).remarks == ()


def test_alloys_names_without_a_basis_are_a_question() -> None:
    text = "alloy,E / GPa\nTi-35Nb-7Zr,55\nTi-24Nb-4Zr,42\n"
    with pytest.raises(CampaignFileError, match=r"'Ti-35Nb-7Zr' in column alloy may be in at\.% or wt\.%"):
        inferred(text)
    assert table_of(inferred(text, basis="wt_pct")).nominal[0].tolist() == [58, 35, 7]


def test_labels_are_not_taken_for_alloys() -> None:
    assert inferred("alloy,HV\nC1,150\nC2,130\n").basis is None


def test_an_alloy_that_cannot_be_read_is_kept_and_named() -> None:
    inference = inferred("formula,HV\nCoCrFeNi,150\nCoCrNi,130\nwhatever it was,140\n")
    assert "The alloys of row 4 could not be read: fill in their amounts." in inference.remarks
    assert len(inference.experiments().rows) == 3
    assert [problem.row for problem in table_of(inference).problems] == [4]


def test_rare_elements_are_data_and_not_design_variables() -> None:
    elements = ("Ti", "Nb", "Zr", "Sn", "Mo", "Ta", "Fe", "Cr", "V", "Al")
    rows = ["91,1,1,1,1,1,1,1,1,1", *["92,1,1,1,1,1,1,1,1,0"] * 200]
    inference = inferred(
        "\n".join([",".join(f"{element}_wt_pct" for element in elements) + ",E", *[f"{r},60" for r in rows]])
    )
    assert "Al" not in inference.elements
    assert inference.remarks[0].startswith("Al: in fewer than 5 rows, so kept as data")
    assert table_of(inference).elements[-1] == "Al"


def test_ranges_are_rounded_outward_to_a_step_that_suits_them() -> None:
    inference = inferred("Ti wt%,Nb wt%,Sn wt%,speed mm/s,E\n60,35.2,4.8,18,61\n99.7,0,0.3,3380,58\n")
    assert dict(inference.elements) == {"Ti": Range(60, 100, 1), "Nb": Range(0, 36, 1), "Sn": Range(0.2, 4.8, 0.2)}
    assert inference.process["speed_mm_per_s"] == Range(100, 3400, 100)  # never 0 mm/s


# Everything else


def test_ids_are_made_where_there_are_none_and_kept_where_there_are() -> None:
    text = "sample,Ti wt%,Nb wt%,E\n{},60,40,61\n{},55,45,58\n"
    assert table_of(inferred(text.format("x7", "x8"))).ids == ("x7", "x8")
    assert table_of(inferred(text.format("x7", "x7"))).ids == ("D001", "D002")


def test_our_own_table_stays_as_it_is() -> None:
    text = (
        "id,status,round,parent,source,Ti_wt_pct,Nb_wt_pct,youngs_modulus_GPa,mine,reason,note\n"
        'A,known,,,doi,60,40,61,"x, y",,\nB,failed,1,A,lab,55,45,58,,cracked,\n'
    )
    assert sheet_text(inferred(text).experiments()) == text


def test_a_column_with_a_reserved_name_and_another_meaning_is_kept_under_another() -> None:
    inference = inferred("id,status,Ti wt%,Nb wt%,E\nA,as cast,60,40,61\nB,aged,55,45,58\n")
    assert roles(inference)["status"] == ("kept", "status_given")
    assert table_of(inference).status == ("known", "known")


def test_two_columns_of_one_property_are_one_property_and_one_kept_column() -> None:
    inference = inferred("Ti wt%,Nb wt%,YS (MPa),Yield strength (MPa)\n60,40,500,510\n55,45,400,410\n")
    assert roles(inference)["Yield strength (MPa)"] == ("kept", "Yield strength (MPa)")


def test_what_alloyloop_computes_itself_is_no_property() -> None:
    inference = inferred("Ti wt%,Nb wt%,E,density_g_per_cm3,price_usd_per_kg\n60,40,61,5.5,30\n55,45,58,5.7,32\n")
    assert dict(inference.properties) == {"youngs_modulus_GPa": "minimize", "measured_density_g_per_cm3": "report"}
    assert roles(inference)["price_usd_per_kg"] == ("kept", "price_usd_per_kg")


def test_a_text_with_few_levels_is_a_choice_and_one_with_many_is_kept() -> None:
    text = "Ti wt%,Nb wt%,heat treatment,processing,E\n" + "".join(f"60,40,{i % 3} h,text {i},61\n" for i in range(20))
    inference = inferred(text)
    assert inference.process["heat_treatment"] == ("0 h", "1 h", "2 h")
    assert roles(inference)["processing"][0] == "kept"


def test_a_property_may_be_known_by_its_standard_deviation() -> None:
    inference = inferred("Ti wt%,Nb wt%,uts_over_ys,uts_over_ys_std\n60,40,1.2,0.1\n55,45,1.3,0.1\n")
    assert inference.properties == {"uts_over_ys": "report"}


def test_without_any_known_property_the_last_column_of_numbers_is_one() -> None:
    inference = inferred("Ti wt%,Nb wt%,foo,bar\n60,40,1,7\n55,45,2,8\n")
    assert dict(inference.properties) == {"bar": "report"}


def test_bad_cells_are_carried_over_to_be_found_by_check() -> None:
    inference = inferred("Ti wt%,Nb wt%,E\n60,40,61\n55,45,58\n55,45,57\n55,45,56\n50,50,12. Mrz\n")
    assert [(p.row, p.column) for p in table_of(inference).problems] == [(6, "youngs_modulus_GPa")]


def test_a_broken_form_and_a_bare_header_are_refused() -> None:
    with pytest.raises(CampaignFileError, match=r"my\.csv, row 1, column E: Two columns have this name"):
        inferred("Ti wt%,E,E\n60,1,2\n")
    with pytest.raises(CampaignFileError, match=r"my\.csv: The table has a header but no rows"):
        inferred("Ti wt%,E\n")


# Real tables


@pytest.mark.skipif(not TABLES, reason="the tables of ../shared/data are not beside this checkout")
@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_real_table_is_understood_whole(path: Path) -> None:
    sheet = read_sheet(path)
    inference = infer(sheet)
    table = table_of(inference)
    assert table.problems == ()
    assert table.usable.all()
    assert len(table) == len(sheet.rows)
    assert inference.properties
    assert {column.old for column in inference.columns} == set(sheet.columns)
    # Every word of the table is still there, under its column's new name.
    for column in inference.columns:
        assert table.sheet.column(column.new) == sheet.column(column.old)
    is_process_study = path.stem in {"slm_316l_doe_train", "lpbf_density_316l"}
    assert (inference.basis is None) == is_process_study


EXPECTED = {
    "beta_ti_modulus": ("wt_pct", "Ti", {"youngs_modulus_GPa": "minimize", "Ms_K": "report"}),
    "hea_hardness_wen155": ("at_pct", "Ni", {"hardness_HV": "maximize"}),
    "rhea_yield_strength": ("at_pct", "Ti", {"yield_strength_MPa": "maximize"}),
    "lpbf_density_316l": (None, None, {"relative_density_pct": "report"}),
}


@pytest.mark.skipif(not TABLES, reason="the tables of ../shared/data are not beside this checkout")
@pytest.mark.parametrize("name", EXPECTED)
def test_real_tables_get_the_question_that_people_ask_of_them(name: str) -> None:
    inference = infer(read_sheet(DATA / f"{name}.csv"))
    assert (inference.basis, inference.balance, dict(inference.properties)) == EXPECTED[name]


# Invariants


HEADERS = (
    *(
        "id",
        "alloy",
        "Ti",
        "Nb wt%",
        "Zr (at.%)",
        "Ti_wt_pct",
        "C",
        "E / GPa",
        "HV",
        "±",
        "SD",
        "T (°C)",
        "quench",
        "note",
    ),
    *("status", "phases", "Ti_wt_pct_measured", "source", "E n", "", "round", "id_given", "x", "Mg_wt_pct_by_balance"),
)
CELLS = (
    "",
    "0",
    "1",
    "-1e308",
    "5e-324",
    "40",
    "60",
    "100",
    "bal.",
    "n/a",
    "<5",
    "61 ± 2",
    "Ti-35Nb wt",
    "CoCrNi",
    "known",
    "0.5",
    "1e9",
)


@given(
    st.lists(st.sampled_from(HEADERS), min_size=1, max_size=7),
    st.lists(st.lists(st.sampled_from(CELLS), min_size=7, max_size=7), max_size=5),
)
def test_any_table_is_understood_or_refused_and_no_row_is_lost(header: list[str], body: list[list[str]]) -> None:
    text = "\n".join(";".join(row) for row in [header, *(row[: len(header)] for row in body)])
    try:
        inference = inferred(text)
    except AlloyloopError:
        return
    new = [column.new for column in inference.columns]
    assert len(set(new)) == len(new)
    assert len(table_of(inference)) == len(inference.sheet.rows)


def test_an_element_in_the_other_basis_alone_is_refused_and_not_left_out() -> None:
    table = "Ti (wt%),Nb (at%),Zr (wt%),E (GPa)\n65,35,0,62\n60,35,5,60\n"
    with pytest.raises(CampaignFileError, match=r"Amounts are in wt.%, but not those of Nb \(at%\)"):
        infer(parse_sheet(table, "mine.csv"), balance="Ti")


def test_a_column_that_is_kept_for_its_words_names_one_and_an_id_the_one_that_comes_twice() -> None:
    table = "ID,Ti (wt%),Nb (wt%),E (GPa)\nA1,65,35,62.3 GPa\nA2,60,40,60\nA2,70,30,61 GPa\n"
    of = {column.old: str(column) for column in infer(parse_sheet(table, "mine.csv")).columns}
    assert of["E (GPa)"].endswith("but its cells are free text, such as '62.3 GPa'")
    assert of["ID"] == "ID: kept, because it says 'A2' more than once, so it cannot be the id"
