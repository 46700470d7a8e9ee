"""A table asked without a campaign: what is named is what is used, and it is read as `new --from` would read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from alloyloop.campaigns.learning import evidence
from alloyloop.campaigns.one_table import snapshot_of
from alloyloop.surrogates.errors import AlloyloopError

TABLE = """\
sample,Ti_at_pct,Nb_at_pct,heat treatment,furnace_no,hardness_HV,hardness_HV_std,vec_given,paper,colour
A1,80,20,aged,1,210,4,4.2,Liu,grey
A2,70,30,aged,2,220,5,4.3,Liu,grey
B1,60,40,quenched,1,230,,4.4,Wen,black
B2,90,10,quenched,3,200,3,4.1,Wen,grey
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "mine.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_amounts_are_a_composition_words_become_choices_and_numbers_process_variables(table: Path) -> None:
    snapshot = snapshot_of(table, "*_at_pct,heat treatment,furnace_no", "hardness_HV")
    assert snapshot.space.basis == "at_pct"
    assert set(snapshot.space.elements) == {"Ti", "Nb"}
    assert {variable.name for variable in snapshot.space.process} == {"heat treatment", "furnace_no"}
    found = evidence(snapshot, "hardness_HV")
    assert found.values.tolist() == [210, 220, 230, 200]
    assert found.alloys.fractions[0] == pytest.approx([0.2, 0.8])
    assert found.alloys.process["heat treatment"].tolist() == ["aged", "aged", "quenched", "quenched"]
    assert found.alloys.process["furnace_no"].tolist() == [1, 2, 1, 3]


def test_only_what_is_named_is_seen(table: Path) -> None:
    snapshot = snapshot_of(table, "*_at_pct", "hardness_HV")
    assert (snapshot.space.process, snapshot.space.conditions) == ((), ())
    assert list(snapshot.goals) == ["hardness_HV"]


def test_the_scatter_of_a_target_comes_with_it(table: Path) -> None:
    noise = evidence(snapshot_of(table, "*_at_pct", "hardness_HV"), "hardness_HV").noise
    assert noise[[0, 1, 3]].tolist() == [4, 5, 3]


def test_rows_of_one_group_are_of_one_source(table: Path) -> None:
    sources = evidence(snapshot_of(table, "*_at_pct", "hardness_HV", "paper"), "hardness_HV").sources
    assert sources.tolist() == ["Liu", "Liu", "Wen", "Wen"]
    assert (evidence(snapshot_of(table, "*_at_pct", "hardness_HV"), "hardness_HV").sources == "").all()


def test_without_a_target_what_new_would_take_for_measured_is(table: Path) -> None:
    assert list(snapshot_of(table, "*_at_pct").goals) == ["hardness_HV"]


def test_without_inputs_all_that_new_would_take_for_them_is(table: Path) -> None:
    snapshot = snapshot_of(table, targets="vec_given")
    assert set(snapshot.space.elements) == {"Ti", "Nb"}
    assert [variable.name for variable in snapshot.space.process] == ["heat_treatment"]  # as `new` names it
    assert list(snapshot.goals) == ["vec_given"]


def test_words_that_are_a_target_are_classes(table: Path) -> None:
    snapshot = snapshot_of(table, "*_at_pct", "colour")
    assert dict(snapshot.table.layout.classes) == {"colour": {"grey": ("grey",), "black": ("black",)}}
    assert snapshot.table.class_of("colour") == ["grey", "grey", "black", "grey"]


def test_a_row_with_a_mistake_is_left_out_and_said_with_its_place(table: Path) -> None:
    table.write_text(TABLE.replace("A2,70,30", "A2,70,60"), encoding="utf-8")
    snapshot = snapshot_of(table, "*_at_pct", "hardness_HV")
    assert evidence(snapshot, "hardness_HV").values.tolist() == [210, 230, 200]
    assert "1 row with a mistake is left out: mine.csv, row 3" in " ".join(snapshot.remarks)


def test_nothing_is_written_beside_the_table(table: Path) -> None:
    snapshot_of(table, "*_at_pct", "hardness_HV", "paper")
    assert [file.name for file in table.parent.iterdir()] == ["mine.csv"]


@pytest.mark.parametrize(
    ("inputs", "targets", "group", "said"),
    [
        ("*_wt_pct", "hardness_HV", "", r"--inputs: mine.csv has no column \*_wt_pct. It has sample, Ti_at_pct"),
        ("*_at_pct", "hardness", "", "--target: mine.csv has no column hardness"),
        ("*_at_pct", "hardness_HV", "journal", "--group: mine.csv has no column journal"),
        ("*_at_pct", "hardness_HV", "paper,colour", "--group: Rows are grouped by one column, not by 2"),
        ("*_at_pct,hardness_HV", "hardness_HV", "", "hardness_HV is an input and something else too"),
        ("*_at_pct,hardness*", "", "", "No column was taken for something measured. Name it with --target"),
    ],
)
def test_a_name_that_cannot_be_meant_is_said(inputs: str, targets: str, group: str, said: str, table: Path) -> None:
    with pytest.raises(AlloyloopError, match=said):
        snapshot_of(table, inputs, targets, group)


@pytest.mark.parametrize(("text", "said"), [("", "empty"), ("Ti_at_pct,E\n", "no rows"), ("a,a\n1,2\n", "a")])
def test_a_table_that_cannot_be_read_is_a_mistake_with_its_name(text: str, said: str, table: Path) -> None:
    table.write_text(text, encoding="utf-8")
    with pytest.raises(AlloyloopError, match=rf"mine\.csv.*{said}"):
        snapshot_of(table, "a" if text.startswith("a") else "")
