"""A table of candidates: designs are its rows and no others, and its mistakes are named with row and column."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from alloyloop.campaigns.answers import Answer
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.journal import digest
from alloyloop.campaigns.printing import answer_lines
from alloyloop.campaigns.sheet import read_sheet
from alloyloop.design.propose import propose
from alloyloop.surrogates.errors import AlloyloopError

from .folders import alloyloop, contents, events, make
from .process_study import EXPERIMENTS as PRINTS
from .process_study import QUESTION as STUDY

QUESTION = """\
alloyloop: 1
name: Film library
composition:
  basis: at_pct
  balance: Fe
candidates: library.csv
properties:
  coercivity_mT: {goal: minimize}
features: composition
model: gaussian-process
batch: 2
"""
LIBRARY = """\
id,Fe_at_pct,Co_at_pct,Ni_at_pct
a,91.7,3.6,4.7
b,50.1,,49.9
c,33.3,33.3,33.4
d,20,75.55,4.45
"""
EXPERIMENTS = "id,status,Fe_at_pct,Co_at_pct,Ni_at_pct,coercivity_mT\nA,known,91.7,3.6,4.7,2.2\nB,known,50,50,0,3.1\n"


def library(path: Path, question: str = QUESTION, table: str = LIBRARY, experiments: str = EXPERIMENTS) -> Path:
    folder = make(path / "films", question, experiments)
    (folder / "library.csv").write_text(table, encoding="utf-8")
    return folder


def said(folder: Path) -> list[str]:
    return alloyloop("check", folder).out.splitlines()


def test_the_designs_are_its_rows(tmp_path: Path) -> None:
    space = Campaign(library(tmp_path)).snapshot().space
    assert space.elements[-1] == "Fe"  # the balance last
    rows = space.percent(space.between(0, space.count))
    amounts = sorted(dict(zip(space.elements, row, strict=True))["Fe"] for row in rows.tolist())
    assert amounts == [20, 33.3, 50.1, 91.7]
    assert np.allclose(rows.sum(axis=1), 100, rtol=0, atol=1e-12)


def test_rules_are_kept_by_candidates_as_well(tmp_path: Path) -> None:
    ruled = QUESTION.replace("  balance: Fe\n", "  balance: Fe\n  rules: [Ni <= 40, Co / Fe <= 2]\n")
    assert Campaign(library(tmp_path, ruled)).status().designs.number == 2  # a and c


def test_a_table_of_compositions_is_crossed_with_the_process(tmp_path: Path) -> None:
    question = QUESTION.replace("properties:", "process:\n  T_C: {min: 200, max: 400, step: 100}\nproperties:")
    assert Campaign(library(tmp_path, question)).status().designs.number == 4 * 3


def test_process_values_of_a_table_go_together(tmp_path: Path) -> None:
    question = STUDY.replace("rules:", "candidates: library.csv\nrules:")
    table = "laser_power_W,scan_speed_mm_per_s,operator\n150,300,x\n250,900,y\n399.5,700,y\n"
    folder = library(tmp_path, question, table, PRINTS)
    snapshot = Campaign(folder).snapshot()
    space = snapshot.space
    values = space.process_values(space.between(0, space.count))
    pairs = set(zip(values["laser_power_W"].tolist(), values["gas"].tolist(), strict=True))
    # Each power with its own speed, crossed with the gas; nitrogen only up to 300 W.
    assert pairs == {(150, "argon"), (150, "nitrogen"), (250, "argon"), (250, "nitrogen"), (399.5, "argon")}
    assert "library.csv: 1 column not read: operator." in snapshot.remarks


def test_a_table_of_process_values_is_crossed_with_the_lattice(tmp_path: Path) -> None:
    question = QUESTION.replace("balance: Fe\n", "balance: Fe\n  step: 10\n  elements: {Co: {max: 50}}\n").replace(
        "properties:", "process:\n  T_C: {min: 0, max: 500}\n  t_h: {min: 0, max: 9}\nproperties:"
    )
    space = Campaign(library(tmp_path, question, "T_C,t_h\n400,1\n410.5,8\n")).snapshot().space
    assert space.lattice is not None
    assert space.count == 6 * 2


def test_it_is_read_in_any_dialect(tmp_path: Path) -> None:
    german = "Fe_at_pct;Co_at_pct;Ni_at_pct\n91,7;3,6;4,7\nbal.;33,3;33,4\n"
    space = Campaign(library(tmp_path, table=german)).snapshot().space
    assert sorted(space.percent(space.between(0, 2))[:, -1].tolist()) == [33.3, 91.7]


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        ("c,33.3,33.3,33.4", "c,33.3,33.3,23.4", "library.csv, row 4: The amounts sum to 90 at.%, not 100."),
        ("c,33.3", "c,3l.3", "library.csv, row 4, column Fe_at_pct: '3l.3' is not a number."),
        ("c,33.3,33.3,33.4", "c,,,", "library.csv, row 4: This row has no composition."),
        (LIBRARY, "", "library.csv: The file is empty."),
        (LIBRARY, LIBRARY[:32], "library.csv, row 1: There is no candidate in it."),
        ("Fe_at_pct", "Iron", "library.csv, row 3: The amounts sum to 49.9 at.%, not 100."),
        (LIBRARY, "Co_at_pct,Ni_at_pct\n50,50\n", "library.csv, row 1: No candidate has any Fe, the balance."),
        (LIBRARY, "name,price\na,3\n", "campaign.yaml, line 6, candidates: library.csv has neither composition"),
    ],
    ids=["sum", "number", "blank row", "empty", "no row", "no balance in a row", "no balance", "nothing"],
)
def test_its_mistakes_are_named(was: str, now: str, says: str, tmp_path: Path) -> None:
    assert was in LIBRARY
    folder = library(tmp_path, table=LIBRARY.replace(was, now))
    before = contents(folder)
    assert any(line.startswith(says) for line in said(folder)), said(folder)
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("450", "library.csv, row 2, column laser_power_W: '450' is not what laser_power_W may be. Write a number"),
        ("", "library.csv, row 2, column laser_power_W: This candidate has no laser_power_W."),
        ("fast", "library.csv, row 2, column laser_power_W: 'fast' is not a number."),
    ],
)
def test_process_values_are_known_and_in_bounds(cell: str, says: str, tmp_path: Path) -> None:
    question = STUDY.replace("rules:", "candidates: library.csv\nrules:")
    folder = library(tmp_path, question, f"laser_power_W,gas\n{cell},argon\n", PRINTS)
    (only,) = said(folder)
    assert only.startswith(says)


def test_a_word_that_is_no_choice_is_a_mistake(tmp_path: Path) -> None:
    question = STUDY.replace("rules:", "candidates: library.csv\nrules:")
    (only,) = said(library(tmp_path, question, "gas\nArgon\nhelium\n", PRINTS))
    assert only.startswith("library.csv, row 3, column gas: 'helium' is not what gas may be. Write one of argon")


def test_a_choice_that_no_candidate_has_is_no_mistake_in_experiments_csv(tmp_path: Path) -> None:
    question = STUDY.replace("rules:", "candidates: library.csv\nrules:")
    folder = library(tmp_path, question, "gas\nargon\n", PRINTS)  # C was made in nitrogen
    campaign = Campaign(folder)
    assert campaign.check()[0] == ()
    space = campaign.snapshot().space
    assert set(space.process_values(space.between(0, space.count))["gas"]) == {"argon"}


def test_the_report_says_what_is_chosen_from(tmp_path: Path) -> None:
    page = Campaign(library(tmp_path)).report(quick=True).read_text(encoding="utf-8")
    assert "the 4 rows of library.csv" in page


@pytest.mark.parametrize("name", ["../library.csv", "/etc/passwd", "tables/library.csv", "..\\library.csv"])
def test_only_a_file_of_the_folder_is_opened(name: str, tmp_path: Path) -> None:
    folder = library(tmp_path, QUESTION.replace("library.csv", name))
    (only,) = said(folder)
    assert only.startswith("campaign.yaml, line 6, candidates: ")
    assert "this is not the name of a file alone" in only


def test_a_table_that_is_not_there_is_a_mistake_of_campaign_yaml(tmp_path: Path) -> None:
    (only,) = said(make(tmp_path / "films", QUESTION, EXPERIMENTS))
    assert only.startswith("campaign.yaml, line 6, candidates: There is no library.csv beside campaign.yaml.")
    for verb in (("status",), ("suggest",), ("record", "A", "coercivity_mT=2")):
        told = alloyloop(verb[0], tmp_path / "films", *verb[1:])
        assert told.err.startswith("alloyloop: campaign.yaml, line 6, candidates: There is no library.csv"), verb


def test_amounts_need_a_composition_in_the_question(tmp_path: Path) -> None:
    question = STUDY.replace("rules:", "candidates: library.csv\nrules:")
    (only,) = said(library(tmp_path, question, experiments=PRINTS))
    assert "library.csv has amounts of elements, and campaign.yaml has no composition" in only


@pytest.mark.parametrize(
    "key",
    [
        "step: 1",
        "elements: {Co: {max: 5}}",
        "present_above: 2",
        "max_elements: 2",
        "groups: {g: {of: [Co], max_elements: 0}}",
    ],
)
def test_keys_that_shape_a_lattice_are_refused_beside_given_compositions(key: str, tmp_path: Path) -> None:
    (only,) = said(library(tmp_path, QUESTION.replace("balance: Fe\n", f"balance: Fe\n  {key}\n")))
    assert only.startswith(f"campaign.yaml, line 6, composition.{key.partition(':')[0]}: The candidates say which")


def test_an_alloy_that_is_no_candidate_would_not_be_proposed(tmp_path: Path) -> None:
    waiting = EXPERIMENTS.replace("B,known,50,50,0,3.1", "B,proposed,40,40,20,")
    assert any(
        "row 3: B (proposed) would not be proposed" in line for line in said(library(tmp_path, experiments=waiting))
    )


@pytest.mark.torch
def test_a_proposal_says_what_the_user_calls_it(tmp_path: Path) -> None:
    folder = library(tmp_path)
    answers = Campaign(folder).suggest(3)
    columns, rows = answers.table()
    assert columns[:3] == ["id", "candidate", "alloy"]
    called = {alloy.composition.at_pct["Fe"]: alloy.candidate for alloy in answers if alloy.composition}
    assert called == {50.1: "b", 33.3: "c", 20: "d"}
    assert {row[1] for row in rows} == {"b", "c", "d"}
    proposals = read_sheet(folder / "rounds" / "001" / "proposals.csv")
    assert list(proposals.column("candidate")) == [row[1] for row in rows]
    first = answers[0]
    assert f"{first.id}  {first.candidate}, {first.name}" in list(answer_lines(answers))[len(rows) + 2]
    assert first.json()["candidate"] == first.candidate == Answer.from_json(first.json()).candidate


@pytest.mark.parametrize(
    ("header", "cells", "called", "not_read"),
    [
        ("lot", ["one", "two", "three", "four"], "two", ""),
        ("id,lot", ["a,one", "b,two", "c,three", "d,four"], "b", "lot"),
        ("lot,name", ["1,p", "2,q", "3,r", "4,s"], "q", "lot"),
        ("maker", ["X", "X", "Y", "Y"], "", "maker"),  # tells no two lots of one maker apart
        ("maker", ["X", "", "Y", "Z"], "", "maker"),
        ("source", ["p", "q", "r", "s"], "", ""),
    ],
)
def test_a_candidate_is_called_by_its_id_its_name_or_else_the_first_column(
    header: str, cells: list[str], called: str, not_read: str, tmp_path: Path
) -> None:
    amounts = [line.partition(",")[2] for line in LIBRARY.splitlines()]
    rows = [f"{said},{each}" for said, each in zip([header, *cells], amounts, strict=True)]
    folder = library(tmp_path, table="\n".join(rows) + "\n")
    space = Campaign(folder).snapshot().space
    second = np.array([[{"Fe": 50.1, "Ni": 49.9}.get(element, 0) for element in space.elements]])
    assert space.called(second, {}) == [called]
    remarks = [line for line in said(folder) if "not read" in line]
    assert remarks == ([f"Remark: library.csv: 1 column not read: {not_read}."] if not_read else [])


@pytest.mark.torch
def test_a_round_proposes_candidates_and_freezes_the_table(tmp_path: Path) -> None:
    folder = library(tmp_path)
    before = contents(folder)
    answers = Campaign(folder).suggest(3)
    assert {alloy.composition.at_pct["Fe"] for alloy in answers if alloy.composition} == {20, 33.3, 50.1}  # not a
    frozen = contents(folder / "rounds" / "001")
    assert {f"inputs/{name}": data for name, data in before.items()}.items() <= frozen.items()
    told = json.loads(frozen["decision.json"])["digests"]
    assert told == {name: digest(data) for name, data in before.items()}
    assert events(folder)[-1]["digests"]["after"]["library.csv"] == told["library.csv"]
    with pytest.raises(AlloyloopError, match="Every design of the space is taken"):
        Campaign(folder).suggest(1)


@pytest.mark.torch
def test_a_table_that_is_changed_during_the_search_stops_the_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = library(tmp_path)

    def edited_meanwhile(*arguments: object, **named: object) -> object:
        (folder / "library.csv").write_text(LIBRARY + "e,100,0,0\n", encoding="utf-8")
        return propose(*arguments, **named)  # type: ignore[arg-type]  # handed on as they came

    monkeypatch.setattr("alloyloop.campaigns.suggesting.propose", edited_meanwhile)
    with pytest.raises(AlloyloopError, match=r"library\.csv: It was changed by somebody else meanwhile"):
        Campaign(folder).suggest(1)
    assert not (folder / "rounds").exists()
