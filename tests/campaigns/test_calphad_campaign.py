"""The key `calphad` of campaign.yaml: its mistakes have lines, models see its columns, and what is computed is kept.

The database is one of two ideal solutions of aluminium and zinc, whose equilibria can be worked out by hand: where both
are ideal, x_L/x_S = exp(-ΔG/RT) for each element (van Laar, 1908), and the shares follow by the lever rule.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pycalphad", reason="pycalphad is not installed: pip install 'alloyloop[calphad]'")

from alloyloop.campaigns import learning, suggesting
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.examining import check
from alloyloop.campaigns.folder import Folder
from alloyloop.campaigns.learning import options
from alloyloop.campaigns.snapshot import Snapshot, read_snapshot
from alloyloop.design import calphad as calphad_module
from alloyloop.design.equilibrium import Equilibrium, System
from alloyloop.design.propose import SPARING, THOROUGH, Batch, Effort, propose
from alloyloop.surrogates.base import FloatArray
from alloyloop.surrogates.errors import AlloyloopError

from .folders import alloyloop, contents, make

R = 8.3145  # J/(mol K), as pycalphad has it
T = 400 + 273.15
LIQUID = {"Al": 5000.0, "Zn": -2000.0}  # above the solid [J/mol]
TDB = f"""\
ELEMENT AL FCC_A1 26.98 4577.3 28.32 !
ELEMENT ZN HCP_A3 65.39 5656.8 41.63 !
TYPE_DEFINITION % SEQ *1 !
PHASE FCC_A1 % 1 1 !
CONSTITUENT FCC_A1 :AL,ZN: !
PARAMETER G(FCC_A1,AL;0) 298.15 0; 3000 N !
PARAMETER G(FCC_A1,ZN;0) 298.15 0; 3000 N !
PHASE LIQUID % 1 1 !
CONSTITUENT LIQUID :AL,ZN: !
PARAMETER G(LIQUID,AL;0) 298.15 {LIQUID["Al"]}; 3000 N !
PARAMETER G(LIQUID,ZN;0) 298.15 {LIQUID["Zn"]}; 3000 N !
PHASE ZN_ONLY % 1 1 !
CONSTITUENT ZN_ONLY :ZN: !
PARAMETER G(ZN_ONLY,ZN;0) 298.15 900; 3000 N !
"""
CALPHAD = """\
calphad:
  database: my.tdb
  temperature_C: [400]
  phases: [LIQUID]
  driving_forces: [FCC_A1]
"""
SHARE, FORCE = "fraction_LIQUID_400C", "driving_force_FCC_A1_400C_J_per_mol"
QUESTION = f"""\
alloyloop: 1
name: Soft solder
composition:
  basis: at_pct
  balance: Al
  step: 1
  elements:
    Zn: {{min: 5, max: 95}}
properties:
  hardness_HV: {{goal: maximize}}
features: descriptors
model: gaussian-process
{CALPHAD}"""
ROWS = [5, 20, 35, 50, 65, 80, 95]
EXPERIMENTS = "id,status,Al_at_pct,Zn_at_pct,hardness_HV\n" + "".join(
    f"K{zn},known,{100 - zn},{zn},{50 + zn - 0.012 * (zn - 60) ** 2:.1f}\n" for zn in ROWS
)


def asked(features: str = "descriptors", calphad: str = CALPHAD) -> str:
    return QUESTION.replace("features: descriptors", f"features: {features}").replace(CALPHAD, calphad)


def written(path: Path, question: str = QUESTION, experiments: str = EXPERIMENTS, database: str = TDB) -> Folder:
    made = make(path / "solder", question, experiments)
    (made / "my.tdb").write_text(database, encoding="utf-8")
    return Folder(made)


def problems(path: Path, question: str, database: str = TDB) -> list[str]:
    return [str(problem) for problem in check(written(path, question, database=database)).problems]


def offered(snapshot: Snapshot) -> dict[str, tuple[str, ...]]:
    """What each option would see, by name."""
    options_, _ = options(snapshot, learning.evidence(snapshot, "hardness_HV"))
    return {name: option.features.names for name, option in options_.items()}


def share_of_liquid(zn: float) -> float:
    """By hand."""
    k_al, k_zn = (np.exp(-LIQUID[element] / (R * T)) for element in ("Al", "Zn"))
    solid = (1 - k_al) / (k_zn - k_al)  # of zinc, from x_S + ... = 1 in both phases
    return float(np.clip((zn - solid) / (k_zn * solid - solid), 0, 1))


def refuse_to_solve(*_: object, **__: object) -> None:
    raise AssertionError("nothing was to be computed here")


# -- what may be asked ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "line", "said"),
    [
        (("my.tdb", "../my.tdb"), 14, "calphad.database: the database lies beside campaign.yaml"),
        (("my.tdb", "yours.tdb"), None, "yours.tdb: There is no such file"),
        (("[400]", "[]"), 15, "calphad.temperature_C"),
        (("[400]", "[-300]"), 15, "-300 °C is below absolute zero"),
        (("[400]", "[400, 400.0]"), 13, "400 °C is asked for twice"),
        (("[400]", "[400, 5000]"), 15, "my.tdb does not reach 5000 °C"),
        (("[LIQUID]", "[LIQIUD]"), 16, "my.tdb has no phase LIQIUD. Did you mean LIQUID?"),
        (("[LIQUID]", "[LIQUID, LIQUID]"), 13, "LIQUID is asked for twice"),
        (("[FCC_A1]", "[FCC_A1, BCC]"), 17, "my.tdb has no phase BCC"),
        (("[FCC_A1]", "[FCC_A1]\n  suspended: [HCP]"), 18, "my.tdb has no phase HCP"),
        (("[FCC_A1]", "[FCC_A1]\n  suspended: [FCC_A1]"), 13, "FCC_A1 is asked for and suspended at once"),
        (("[FCC_A1]", "[FCC_A1]\n  most_alloys: 0"), 18, "calphad.most_alloys"),
        (("[FCC_A1]", "[FCC_A1]\n  pressure_Pa: 1"), 18, "calphad.pressure_Pa: There is no such key"),
        (("  phases: [LIQUID]\n  driving_forces: [FCC_A1]\n", ""), 13, "it asks for nothing"),
    ],
)
def test_a_mistake_of_the_question_has_its_line(
    wrong: tuple[str, str], line: int | None, said: str, tmp_path: Path
) -> None:
    (only,) = problems(tmp_path, asked(calphad=CALPHAD.replace(*wrong)))
    assert said in only
    assert line is None or only.startswith(f"campaign.yaml, line {line},")


def test_every_mistake_is_said_at_once(tmp_path: Path) -> None:
    wrong = CALPHAD.replace("[LIQUID]", "[LIQIUD, HCP]").replace("[400]", "[5000]")
    assert len(problems(tmp_path, asked(calphad=wrong))) == 3


def test_an_element_that_the_database_lacks_is_named(tmp_path: Path) -> None:
    question = QUESTION.replace("    Zn:", "    Ca: {max: 1}\n    Zn:")
    (only,) = problems(tmp_path, question)
    assert only.startswith("campaign.yaml, line 15, calphad.database: my.tdb has no Ca: it describes Al, Zn")


def test_a_file_that_is_no_database_is_said_with_its_own_line(tmp_path: Path) -> None:
    (only,) = problems(tmp_path, QUESTION, TDB.replace("298.15 900;", "298.15 9**;"))
    assert only.startswith("campaign.yaml, line 14, calphad.database: my.tdb, line 14: This is not a TDB")


def test_without_pycalphad_the_key_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path, database=TDB + "$ read anew\n")
    monkeypatch.setattr("alloyloop.design.phase_database.find_spec", lambda name: None)
    (only,) = map(str, check(folder).problems)
    assert 'pip install "alloyloop[calphad]"' in only


@pytest.mark.parametrize(
    ("features", "said"),
    [
        ("composition", "line 13, calphad: Nothing would see its columns: features says composition alone"),
        ("[Zn]", "line 13, calphad: Nothing would see its columns: features is a list that names none of them"),
    ],
)
def test_a_key_that_no_model_would_see_is_refused(features: str, said: str, tmp_path: Path) -> None:
    (only,) = problems(tmp_path, asked(features))
    assert said in only


def test_a_list_that_names_calphad_without_the_key_is_refused(tmp_path: Path) -> None:
    (only,) = problems(tmp_path, asked("[Zn, calphad]", calphad=""))
    assert "There is no key calphad" in only


def test_without_a_composition_there_are_no_phases(tmp_path: Path) -> None:
    question = f"""\
alloyloop: 1
name: No melt
process: {{power_W: {{min: 1, max: 5, step: 1}}}}
properties: {{density_pct: {{goal: maximize}}}}
{CALPHAD}"""
    folder = make(tmp_path / "process", question, "id,status,power_W,density_pct\nA,known,1,99\n")
    (only,) = map(str, check(Folder(folder)).problems)
    assert "line 5, calphad: Without a composition there are no phases to compute" in only


def test_what_was_passed_over_on_reading_is_remarked_upon(tmp_path: Path) -> None:
    database = TDB.replace("PHASE FCC_A1 % 1", "PHASE FCC_A1 %Q 1")
    assert any(remark.startswith("my.tdb:") for remark in check(written(tmp_path, database=database)).remarks)
    assert not any(remark.startswith("my.tdb:") for remark in check(written(tmp_path / "plain")).remarks)


def test_the_example_of_the_documentation_is_answered_by_a_real_database(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "calphad.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^    (calphad:\n(?:    .*\n)+)", page, re.MULTILINE)
    question = QUESTION.replace("balance: Al", "balance: Ti").replace("Zn: {min: 5, max: 95}", "V: {max: 40}")
    database = (files("pycalphad.tests.databases") / "COST507.tdb").read_text()  # which pycalphad installs
    folder = written(
        tmp_path,
        question.replace(CALPHAD, re.sub("^    ", "", example, flags=re.MULTILINE)),
        "id,status,Ti_at_pct,V_at_pct,hardness_HV\nA,known,80,20,300\n",
        database,
    )
    assert check(folder).problems == ()
    spec = read_snapshot(folder).spec.calphad
    assert spec is not None
    named = re.findall(r"^\| `((?:fraction|driving_force)_\w+)` \|", page, re.MULTILINE)
    assert len(named) == 2
    assert set(named) <= set(spec.columns)


# -- what models see --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("features", "name", "columns"),
    [
        ("descriptors", "descriptors with calphad", (SHARE, FORCE)),
        ("both", "both with calphad", (SHARE, FORCE)),
        ("[Zn, calphad]", "the features named", (SHARE, FORCE)),
        ("[calphad]", "the features named", (SHARE, FORCE)),
        (f"[Zn, {SHARE}]", "the features named", (SHARE,)),
        (f"[{FORCE}]", "the features named", (FORCE,)),
    ],
)
def test_the_columns_stand_beside_the_features_or_are_those_named(
    features: str, name: str, columns: tuple[str, ...], tmp_path: Path
) -> None:
    seen = offered(read_snapshot(written(tmp_path, asked(features))))
    names = seen[f"gaussian-process on {name}"]
    assert tuple(column for column in names if "LIQUID" in column or "FCC" in column) == columns


def test_auto_compares_with_the_composition_alone(tmp_path: Path) -> None:
    seen = offered(read_snapshot(written(tmp_path, asked("auto"))))
    assert seen["gaussian-process on composition"] == ("Zn_fraction", "Al_fraction")
    assert set(seen["gaussian-process on both with calphad"]) > {"Zn_fraction", SHARE, FORCE}


def test_the_values_are_those_of_the_hand_calculation(tmp_path: Path) -> None:
    snapshot = read_snapshot(written(tmp_path, asked(f"[{SHARE}]")))
    found, _ = options(snapshot, learning.evidence(snapshot, "hardness_HV"))
    (option,) = {option.features: option for option in found.values()}.values()
    expected = [share_of_liquid(zn / 100) for zn in ROWS]
    assert 0 < sum(0 < share < 1 for share in expected) < len(ROWS)  # inside and outside the two-phase field
    np.testing.assert_allclose(option.features.encode(snapshot.alloys())[:, 0], expected, atol=1e-4)


def test_a_column_that_is_named_alone_has_its_own_values(tmp_path: Path) -> None:
    encoded: dict[str, FloatArray] = {}
    for features in ("[calphad]", f"[{SHARE}]", f"[{FORCE}]"):
        snapshot = read_snapshot(written(tmp_path / str(len(encoded)), asked(features)))
        found, _ = options(snapshot, learning.evidence(snapshot, "hardness_HV"))
        encoded[features] = next(iter(found.values())).features.encode(snapshot.alloys())
    both, *alone = encoded.values()
    np.testing.assert_array_equal(both, np.hstack(alone))
    assert (both[:, 1] < 0).any()


def test_a_row_with_an_element_that_the_database_lacks_is_left_out_with_a_count(tmp_path: Path) -> None:
    header, _, *others = EXPERIMENTS.splitlines()
    rows = "\n".join((f"{header},Ca_at_pct", "K5,known,94,5,20.0,1", *(f"{row},0" for row in others)))
    snapshot = read_snapshot(written(tmp_path, asked("[Zn, calphad]"), rows))
    found = learning.evidence(snapshot, "hardness_HV")
    _, left_out = options(snapshot, found)
    assert found.ids[left_out].tolist() == ["K5"]
    assert learning.why_left_out(snapshot, found.rows(left_out)) == [
        "hardness_HV: 1 row is left out: phases are not known of alloys that hold elements that my.tdb was not asked "
        "about: it was about Zn, Al."
    ]


def test_an_impurity_that_the_database_knows_is_part_of_the_equilibrium(tmp_path: Path) -> None:
    header, _, *others = EXPERIMENTS.splitlines()
    rows = "\n".join((f"{header},Ca_at_pct", "K5,known,94,5,20.0,1", *(f"{row},0" for row in others)))
    described = TDB.replace("TYPE_DEF", "ELEMENT CA FCC_A1 40.08 5736 41.6 !\nTYPE_DEF")
    calphad = read_snapshot(written(tmp_path, experiments=rows, database=described)).calphad
    assert calphad is not None
    assert calphad.elements == ("Zn", "Al", "Ca")
    plain = read_snapshot(written(tmp_path / "without", experiments=rows)).calphad
    assert plain is not None
    assert plain.elements == ("Zn", "Al")


# -- what it costs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["status", "record"])
def test_what_predicts_nothing_does_not_read_the_database(command: str, tmp_path: Path) -> None:
    folder = written(tmp_path, database="this is no database")
    words = ("K5", "hardness_HV=60") if command == "record" else ()
    assert alloyloop(command, folder.path, *words).code == 0


@pytest.mark.torch
def test_what_was_computed_is_not_computed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path)
    first = Campaign(folder.path).suggest(1, dry_run=True)
    monkeypatch.setattr(calphad_module, "system", refuse_to_solve)
    again = Campaign(folder.path).suggest(1, dry_run=True)
    assert [alloy.json() for alloy in again.alloys] == [alloy.json() for alloy in first.alloys]


@pytest.mark.torch
def test_what_was_computed_before_a_stop_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path)
    solve = System.equilibrium
    solved: list[FloatArray] = []

    def stopped(
        self: System, fractions: FloatArray, temperature_K: float, driving_forces: tuple[str, ...] = ()
    ) -> Equilibrium | None:
        if len(solved) == 3:
            raise KeyboardInterrupt
        solved.append(fractions)
        return solve(self, fractions, temperature_K, driving_forces)

    monkeypatch.setattr(System, "equilibrium", stopped)
    with pytest.raises(KeyboardInterrupt):
        Campaign(folder.path).predict("Al-30Zn at")
    calphad = read_snapshot(folder).calphad
    assert calphad is not None
    assert len(calphad.known) == 3


@pytest.mark.torch
def test_a_choice_made_with_another_database_is_not_taken_over(tmp_path: Path) -> None:
    folder = written(tmp_path)
    kept = []
    for database in (TDB, TDB.replace("5000.0", "4000.0"), TDB):
        (folder.path / "my.tdb").write_text(database, encoding="utf-8")
        Campaign(folder.path).predict("Al-30Zn at")
        kept.append((folder.cache / "choices.json").read_text(encoding="utf-8").count('"why"'))
    assert kept == [1, 2, 2]


# -- suggest, predict, screen -----------------------------------------------------------------------------------------


@pytest.mark.torch
def test_a_round_freezes_the_database_and_says_which_version_solved_it(tmp_path: Path) -> None:
    folder = written(tmp_path)
    answers = Campaign(folder.path).suggest(2)
    files = contents(folder.path)
    assert files["rounds/001/inputs/my.tdb"] == TDB.encode()
    decision = alloyloop("suggest", folder.path, "-n", 1, "--json")
    assert decision.code == 0
    said = (folder.round(1) / "decision.json").read_text(encoding="utf-8")
    assert '"my.tdb": "' in said
    assert '"pycalphad": "' in said
    assert any(remark.startswith("Phases take time to compute") for remark in answers.remarks)


@pytest.mark.torch
@pytest.mark.parametrize(("features", "effort"), [("descriptors", SPARING), ("[Zn]", THOROUGH)])
def test_the_search_is_sparing_where_phases_are_seen(
    features: str, effort: Effort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = written(tmp_path, asked(features, CALPHAD if effort is SPARING else ""))
    asked_for: list[Effort] = []

    def noted(*arguments: Any, **named: Any) -> Batch:
        asked_for.extend(argument for argument in arguments if isinstance(argument, Effort))
        return propose(*arguments, **named)

    monkeypatch.setattr(suggesting, "propose", noted)
    Campaign(folder.path).suggest(1, dry_run=True)
    assert asked_for == [effort]


@pytest.mark.torch
def test_a_database_that_is_changed_meanwhile_is_not_frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path)
    solve = System.equilibrium

    def changed(
        self: System, fractions: FloatArray, temperature_K: float, driving_forces: tuple[str, ...] = ()
    ) -> Equilibrium | None:
        (folder.path / "my.tdb").write_text(TDB + "$ by somebody else\n", encoding="utf-8")
        return solve(self, fractions, temperature_K, driving_forces)

    monkeypatch.setattr(System, "equilibrium", changed)
    with pytest.raises(AlloyloopError, match=r"my\.tdb: It was changed by somebody else"):
        Campaign(folder.path).suggest(1)
    assert not folder.round(1).exists()


def failing(bad: set[int]) -> object:
    """Equilibria that do not converge at some contents of zinc [at.%]."""
    solve = System.equilibrium

    def solved(
        self: System, fractions: FloatArray, temperature_K: float, driving_forces: tuple[str, ...] = ()
    ) -> Equilibrium | None:
        zinc = round(100 * fractions[-1])
        return None if zinc in bad else solve(self, fractions, temperature_K, driving_forces)

    return solved


@pytest.mark.torch
def test_a_design_whose_equilibrium_failed_is_not_proposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path)
    (best,) = Campaign(folder.path).suggest(1, dry_run=True).alloys
    assert best.composition is not None
    zinc = round(best.composition.at_pct["Zn"])
    assert zinc not in ROWS
    (folder.path / ".alloyloop").rename(tmp_path / "forgotten")
    monkeypatch.setattr(System, "equilibrium", failing({zinc}))
    (other,) = Campaign(folder.path).suggest(1, dry_run=True).alloys
    assert other.composition is not None
    assert round(other.composition.at_pct["Zn"]) != zinc


@pytest.mark.torch
def test_where_every_equilibrium_but_the_rows_failed_nothing_is_proposed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(System, "equilibrium", failing(set(range(101)) - set(ROWS)))
    with pytest.raises(AlloyloopError, match="None of 84 designs can be predicted"):
        Campaign(written(tmp_path).path).suggest(1, dry_run=True)


@pytest.mark.torch
def test_an_alloy_whose_phases_are_not_known_is_not_predicted_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(System, "equilibrium", failing({30}))
    known, unknown = Campaign(written(tmp_path).path).predict(["Al-40Zn at", "Al-30Zn at"]).alloys
    assert "hardness_HV" in known.predicted
    assert not unknown.predicted
    assert unknown.flags[0] == (
        "hardness_HV cannot be predicted: its features need phases, and those are not known of alloys that have an "
        "equilibrium that did not converge with my.tdb"
    )


@pytest.mark.torch
def test_a_screen_counts_the_designs_whose_phases_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(System, "equilibrium", failing({30, 31}))
    screened = Campaign(written(tmp_path).path).screen(91, stages=["Zn <= 40", "hardness_HV >= 0"])
    assert screened.looked == 91
    assert screened.stages == (("Zn <= 40", 36), ("their phases are known", 34), ("hardness_HV >= 0", 34))
    assert len(screened.alloys) == 34


@pytest.mark.torch
def test_a_screen_that_would_take_too_long_is_refused_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = written(tmp_path, QUESTION + "  most_alloys: 20\n")
    with pytest.raises(AlloyloopError, match=r"The phases of 84 alloys that are not known yet would take about 1 min"):
        Campaign(folder.path).screen(5)  # 91 designs, of which the 7 rows are known
    screened = Campaign(folder.path).screen(5, range=(0, 20))
    assert screened.looked == 20


@pytest.mark.torch
def test_a_screen_by_what_sees_no_phases_computes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path, QUESTION + "  most_alloys: 20\n")
    screened = Campaign(folder.path).screen(5, "maximize density_g_per_cm3", front=False)
    assert [stage for stage, _ in screened.stages] == []
    assert screened.looked == 91


MANY = EXPERIMENTS + "".join(f"L{zn},known,{100 - zn},{zn},{60 + zn / 2}\n" for zn in range(6, 95, 8))


@pytest.mark.torch
def test_the_columns_are_among_what_a_model_attends_to(tmp_path: Path) -> None:
    folder = written(tmp_path, asked("[calphad]"), MANY)
    told = Campaign(folder.path).explain().json()["properties"]["hardness_HV"]["relevances"]
    assert set(told) == {SHARE, FORCE}


@pytest.mark.torch
def test_a_comparison_has_models_with_phases_and_without(tmp_path: Path) -> None:
    compared = Campaign(written(tmp_path, experiments=MANY).path).compare(1, ["gaussian-process"]).json()
    assert {
        "gaussian-process on composition",
        "gaussian-process on descriptors with calphad",
        "gaussian-process on both with calphad",
    } <= set(compared["models"])
