"""The command line: every command, the manual's keys, and what goes to which stream with which exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alloyloop.campaigns.campaign import Campaign

from .folders import EXPERIMENTS, Told, alloyloop, cells, contents, make, make_with_round

COMMANDS = (
    *("new", "templates", "models", "descriptors", "policies", "describe", "check", "suggest", "melt-sheet", "record"),
    *("status", "best", "predict", "report", "demo", "inverse", "windows", "undo", "withdraw", "verify", "export"),
)
ALLOY_KEYS = (  # the manual, section 4
    *("id", "composition", "basis", "other_basis", "process", "predicted", "probability", "nearest", "flags", "why"),
)


def good(told: Told) -> Told:
    assert (told.code, told.err) == (0, "")
    return told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_with_round(tmp_path / "ti")


def test_help_names_every_command() -> None:
    told = good(alloyloop("--help"))
    assert [name for name in COMMANDS if name not in told.out] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_json(command: str) -> None:
    assert "--json" in good(alloyloop(command, "--help")).out


@pytest.mark.parametrize(
    "arguments",
    [
        ("melt",),
        ("check",),
        ("suggest", "ti", "--count", "4"),
        ("suggest", "ti", "-n", "four"),
        ("new", "ti"),
        ("new", "ti", "--template", "beta-ti", "--from", "data.csv"),
        ("predict", "ti", "Ti-20Nb wt", "--at", "quench"),
        ("melt-sheet", "ti", "--purity", "Zr"),
        ("melt-sheet", "ti", "--loss", "Sn=little"),
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2_and_says_nothing_on_stdout(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = alloyloop(*arguments)
    assert (told.code, told.out) == (2, "")
    assert told.err
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    "arguments",
    [
        ("new", "ti", "--template", "no-such"),
        ("new", "ti", "--from", "no-such.csv"),
        ("templates", "no-such"),
        ("describe", "Ti-12Nb-12Zr-12Sn"),
        ("describe", "Ti-10Xx wt"),
        ("describe", "Ti-10Nb wt", "--policy", "no-such"),
        ("check", "no-such"),
        ("suggest", "no-such"),
        ("record", "no-such", "R001-1", "E=58"),
        ("status", "no-such"),
        ("best", "no-such"),
        ("predict", "no-such", "Ti-10Nb wt"),
        ("melt-sheet", "no-such"),
        ("report", "no-such"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
def test_a_users_mistake_exits_with_1_and_one_sentence_on_stderr(
    arguments: tuple[str, ...], form: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = alloyloop(*arguments, *form)
    assert (told.code, told.out) == (1, "")
    assert told.err.startswith("alloyloop: ")
    assert told.err.count("\n") == 1
    assert contents(tmp_path) == {}


def test_new_from_a_template(tmp_path: Path) -> None:
    told = good(alloyloop("new", tmp_path / "ti", "--template", "beta-ti"))
    assert (
        told.out == f"{tmp_path / 'ti'} is ready: look at campaign.yaml, then `alloyloop suggest {tmp_path / 'ti'}`.\n"
    )
    assert good(alloyloop("new", tmp_path / "again", "--template", "beta-ti", "--json")).json == {
        "campaign": str(tmp_path / "again"),
        "inferred": [],
        "problems": [],
    }


def test_new_from_a_table_says_what_it_took_each_column_for(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("alloy;Ti (wt%);Nb (wt%);E / GPa\nA;70;30;72,5\nB;65;35;63,1\nC;60;40;66\n", encoding="utf-8")
    told = good(alloyloop("new", tmp_path / "ti", "--from", table))
    assert "youngs_modulus_GPa" in told.out
    assert "minimize youngs_modulus_GPa" in told.out
    assert good(alloyloop("check", tmp_path / "ti")).out.endswith("No mistakes found.\n")
    assert Campaign(tmp_path / "ti").status().best is not None


def test_new_from_a_table_with_mistakes_makes_the_folder_and_says_that_there_are(tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    rows = "A;70;30;72,5\nB;65;35;12. Mrz\nC;60;40;66\nD;75;25;80\nE;62;38;64\n"
    table.write_text("alloy;Ti (wt%);Nb (wt%);E / GPa\n" + rows, encoding="utf-8")
    told = good(alloyloop("new", tmp_path / "ti", "--from", table))
    assert told.out.splitlines()[-1].startswith(f"{tmp_path / 'ti'} is made, and its table has one mistake: ")
    (problem,) = good(alloyloop("new", tmp_path / "again", "--from", table, "--json")).json["problems"]
    assert (problem["row"], problem["column"]) == (3, "youngs_modulus_GPa")


def test_templates_lists_the_built_in_campaigns_and_prints_the_page_of_one() -> None:
    assert "beta-ti" in good(alloyloop("templates")).out
    assert "beta-ti" in [entry["name"] for entry in good(alloyloop("templates", "--json")).json["templates"]]
    assert good(alloyloop("templates", "beta-ti")).out.startswith("# Soft beta titanium")
    assert set(good(alloyloop("templates", "beta-ti", "--json")).json) == {"name", "page"}


def test_models_descriptors_and_policies_are_listed() -> None:
    assert {"auto", "gaussian-process", "forest", "extra-trees"} <= set(good(alloyloop("models")).out.split())
    assert "auto" in good(alloyloop("models", "--json")).json["models"]
    assert "mo_equivalent_wang" in good(alloyloop("descriptors")).out
    for entry in good(alloyloop("descriptors", "--json")).json["descriptors"]:
        assert set(entry) == {"name", "unit", "formula", "validity", "source", "verified"}
    assert "implant-titanium" in good(alloyloop("policies")).out
    policies = good(alloyloop("policies", "--json")).json["policies"]
    for rule in policies["implant-titanium"]["rules"]:
        assert set(rule) == {"element", "verdict", "limit_wt_pct", "reason", "source", "verified"}


def test_describe_tells_both_bases_every_descriptor_and_flags() -> None:
    told = good(alloyloop("describe", "Ti-6Al-4V wt", "--policy", "implant-titanium"))
    # DOMAIN 2.1 and any textbook: Ti-6Al-4V is Ti-10.2Al-3.6V in at.%
    assert "Ti-6Al-4V wt" in told.out
    assert "Flag: " in told.out
    content = good(alloyloop("describe", "Ti-6Al-4V wt", "--policy", "implant-titanium", "--json")).json
    assert {"at_pct", "wt_pct", "descriptors", "flags"} <= set(content)
    assert content["at_pct"]["Al"] == pytest.approx(10.2, abs=0.05)
    assert content["flags"]
    for described in content["descriptors"].values():
        assert {"value", "unit", "source", "verified"} <= set(described)


def test_check_has_the_keys_of_the_manual(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti", experiments=EXPERIMENTS.replace("85", "hard"))
    told = alloyloop("check", folder, "--json")
    assert (told.code, told.err) == (1, "")
    (problem,) = told.json["problems"]
    assert set(problem) == {"file", "row", "column", "problem", "remedy"}
    assert (problem["file"], problem["row"], problem["column"]) == ("experiments.csv", 2, "youngs_modulus_GPa")
    content = good(alloyloop("check", make(tmp_path / "good"), "--json")).json
    # By hand: niobium 10 to 40, zirconium 0 to 10, and of those 31 x 11 the 15 whose sum is above 45 are left out.
    designs = {"number": 326, "exact": True, "low": 326, "high": 326, "how": "counted exactly"}
    assert content == {"problems": [], "remarks": [], "designs": designs}


def test_status_in_words_and_with_the_keys_of_the_manual(folder: Path) -> None:
    assert good(alloyloop("status", folder)).out.splitlines() == [
        "Rounds: 1.  Alloys: 5 known, 0 measured, 0 failed.",
        "Space: 326 designs, counted exactly.",
        "Pending: R001-1, R001-2.",
        "Best: E, Ti-30Nb-10Zr wt, youngs_modulus_GPa = 61.",
        "Going on (as of round 1): The batch is expected to gain 1.5 GPa.",
    ]
    keys = {"rounds", "pending", "measured", "best", "stop", "designs"}
    assert set(good(alloyloop("status", folder, "--json")).json) == keys


def test_record_of_one_alloy(folder: Path) -> None:
    told = good(alloyloop("record", folder, "R001-1", "youngs_modulus_GPa=58.2,59.1,57.7"))
    assert told.out.startswith("R001-1: youngs_modulus_GPa = 58.333, youngs_modulus_GPa_std = 0.709")
    assert "as expected (z = -0.8)" in told.out
    told = good(alloyloop("record", folder, "R001-2", "--status", "failed", "--because", "cracked", "--json"))
    (entry,) = told.json["recorded"]
    assert (entry["id"], entry["cells"]) == ("R001-2", {"status": "failed", "reason": "cracked"})
    assert entry["before"] == {"status": "made", "reason": ""}
    nothing = {"new": False, "surprise": [], "z": {}, "outside": [], "remarks": [], "told": {}}
    assert {key: entry[key] for key in nothing} == nothing


def test_record_of_a_table(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "results.csv").write_text("id,youngs_modulus_GPa\nR001-1,58.2\nR001-2,61\n", encoding="utf-8")
    content = good(alloyloop("record", folder, tmp_path / "results.csv", "--json")).json
    assert [entry["id"] for entry in content["recorded"]] == ["R001-1", "R001-2"]
    assert cells(folder, "R001-2")["youngs_modulus_GPa"] == "61"


def test_a_melt_sheet_weighs_every_element_and_closes_with_the_total(folder: Path, tmp_path: Path) -> None:
    told = good(alloyloop("melt-sheet", folder, "--mass", "50", "-o", tmp_path / "sheet.csv"))
    assert " ".join(told.out.splitlines()[0].split()) == "id alloy order material purity exact_g weigh_g"
    content = good(alloyloop("melt-sheet", folder, "--mass", "50", "--json")).json
    first = content["charges"][0]
    assert (first["id"], first["alloy"], first["total_g"]) == ("R001-1", "Ti-32Nb-10Zr wt", pytest.approx(50))
    # 58 % titanium, 32 % niobium and 10 % zirconium of 50 g
    weighed = {line["material"]: line["weigh_g"] for line in first["lines"]}
    assert weighed == {"Ti": pytest.approx(29), "Nb": pytest.approx(16), "Zr": pytest.approx(5)}
    assert "total" in (tmp_path / "sheet.csv").read_text(encoding="utf-8")


def test_a_melt_sheet_counts_purity_and_loss(folder: Path) -> None:
    told = good(alloyloop("melt-sheet", folder, "--mass", "50", "--purity", "Zr=0.5", "--loss", "Nb=0.2", "--json"))
    weighed = {line["material"]: line["weigh_g"] for line in told.json["charges"][0]["lines"]}
    assert weighed["Zr"] == pytest.approx(10)  # 5 g of zirconium of which half is something else
    assert weighed["Nb"] == pytest.approx(20)  # 16 g are to be left when a fifth is gone


def test_a_melt_sheet_of_no_round_is_a_mistake(folder: Path, tmp_path: Path) -> None:
    assert "There is no round 2. The last is 1." in alloyloop("melt-sheet", folder, "--round", "2").err
    assert "There is no round yet" in alloyloop("melt-sheet", make(tmp_path / "new")).err


def keys_of_an_alloy(alloy: dict[str, Any]) -> None:
    assert [key for key in ALLOY_KEYS if key not in alloy] == []
    assert sum(alloy["composition"].values()) == pytest.approx(100)
    assert sum(alloy["other_basis"].values()) == pytest.approx(100)
    for predicted in alloy["predicted"].values():
        assert set(predicted) == {"mean", "std", "low", "high"}
        assert predicted["low"] < predicted["mean"] < predicted["high"]
    assert "all" in alloy["probability"]
    assert set(alloy["nearest"]) == {"id", "distance"}


@pytest.mark.torch
def test_two_rounds_from_the_command_line(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti")
    before = contents(folder)
    dry = good(alloyloop("suggest", folder, "-n", "2", "--dry-run"))
    assert "Nothing was written (--dry-run)." in dry.out
    assert contents(folder) == before
    first = good(alloyloop("suggest", folder, "-n", "2", "--with", "Ti-33Nb-4Zr wt", "--json")).json
    assert set(first) == {"round", "proposals", "beside", "remarks"}
    assert [alloy["id"] for alloy in first["proposals"]] == ["R001-1", "R001-2"]
    for alloy in (*first["proposals"], *first["beside"]):
        keys_of_an_alloy(alloy)
    good(alloyloop("record", folder, "R001-1", "youngs_modulus_GPa=58.2,59.1,57.7"))
    good(alloyloop("record", folder, "R001-2", "--status", "failed", "--because", "cracked"))
    second = good(alloyloop("suggest", folder))
    assert "R002-2" in second.out
    assert "Round 2 is in experiments.csv" in second.out
    assert "Rounds: 2.  Alloys: 5 known, 1 measured, 1 failed." in good(alloyloop("status", folder)).out


@pytest.mark.torch
def test_best_and_predict_have_the_keys_of_the_manual(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti")
    best = good(alloyloop("best", folder, "-n", "2", "--json")).json["alloys"]
    assert [alloy["id"] for alloy in best] == ["E", "C"]
    assert best[0]["measured"] == {"youngs_modulus_GPa": 61}
    (predicted,) = good(alloyloop("predict", folder, "Ti-33Nb-4Zr wt", "--json")).json["alloys"]
    for alloy in (*best, predicted):
        keys_of_an_alloy(alloy)
    assert "E" in good(alloyloop("best", folder)).out
    assert "Ti-33Nb-4Zr wt" in good(alloyloop("predict", folder, "Ti-33Nb-4Zr wt")).out


@pytest.mark.torch
@pytest.mark.parametrize("rows", ["", "A,failed,,80,20,0,,,,cracked,\n"], ids=["no row", "all failed"])
def test_best_of_nothing_is_an_empty_table(rows: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "ti", experiments=EXPERIMENTS.splitlines()[0] + "\n" + rows)
    assert good(alloyloop("best", folder, "--json")).json["alloys"] == []
    (alloy,) = good(alloyloop("predict", folder, "Ti-33Nb-4Zr wt", "--json")).json["alloys"]
    assert (alloy["predicted"], alloy["nearest"]) == ({}, None)


@pytest.mark.torch
def test_report_writes_one_file_and_says_which(folder: Path) -> None:
    assert good(alloyloop("report", folder)).out == f"Wrote {folder / 'report.html'}.\n"
    assert good(alloyloop("report", folder, "--json")).json == {"report": str(folder / "report.html")}
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!")
