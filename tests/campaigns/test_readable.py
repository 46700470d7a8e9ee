"""What a person reads of a model: rules of thumb as sentences, what was tuned, a formula, and SHAP values."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf
from pathlib import Path

import numpy as np
import pytest

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.readable import (
    Own,
    averages_json,
    averages_lines,
    own_lines,
    tallies_json,
    tallies_lines,
)
from alloyloop.campaigns.snapshot import Snapshot
from alloyloop.design.explaining import Thing
from alloyloop.design.readable import Average, Averages, Clause, Tallies, Tally
from alloyloop.surrogates import explain
from alloyloop.surrogates.explain import Told, Tuned
from alloyloop.surrogates.scales import LOG

from .folders import QUESTION, alloyloop, make

E_GPa = "youngs_modulus_GPa"
PROCESS = (
    "process:\n  quench: {choices: [water, air, furnace]}\n  ageing_temperature_C: {min: 300, max: 500, step: 100}\n"
)
NB, ZR = Thing("Nb", "element"), Thing("Zr", "element")
QUENCH, AGEING = Thing("quench", "process"), Thing("ageing_temperature_C", "process")


def table(n: int = 40) -> str:
    """Alloys whose modulus is 60 GPa from 25 wt.% Nb on, and 80 below; and which are beta from there on too."""
    rng = np.random.default_rng(0)
    lines = [f"id,status,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,quench,ageing_temperature_C,{E_GPa}"]
    for i in range(n):
        niobium, zirconium = int(rng.integers(10, 40)), int(rng.integers(0, 5))
        modulus = (60 if niobium >= 25 else 80) + rng.normal(0, 1)
        made = f"{100 - niobium - zirconium},{niobium},{zirconium},{('water', 'air')[i % 2]},{(300, 400)[i % 3 == 0]}"
        lines.append(f"A{i},known,{made},{modulus:.2f}")
    return "\n".join(lines) + "\n"


def campaign(path: Path, model: str = "gaussian-process") -> Path:
    question = QUESTION.replace("properties:", f"{PROCESS}properties:").replace("gaussian-process", model)
    return make(path, question, table())


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return Campaign(campaign(tmp_path_factory.mktemp("readable") / "ti")).snapshot()


def rule(*clauses: Clause, n: int = 18) -> Average:
    return Average(clauses, np.arange(n), 58.31, 51.2, 66.4, 8.9)


def only(told: Averages, snapshot: Snapshot) -> str:
    """What is said of the one rule of some."""
    return str(averages_json(snapshot, told, E_GPa)["of"][0]["words"])


# -- sentences --------------------------------------------------------------------------------------------------------


def test_a_rule_of_thumb_is_a_sentence_with_its_counts(snapshot: Snapshot) -> None:
    told = Averages((rule(Clause(NB, 22.5), Clause(ZR, high=4)), rule()), "whole sources", 9.14, 17.92, True)
    assert list(averages_lines(snapshot, told, E_GPa))[1:3] == [
        "    Where Nb is at least 22.5 wt.% and Zr is below 4 wt.%: 58.3 GPa (18 alloys, 51.2 to 66.4, 4 in 5 of "
        "them within 8.9 when left out).",
        "    Everywhere: 58.3 GPa (18 alloys, 51.2 to 66.4, 4 in 5 of them within 8.9 when left out).",
    ]


@pytest.mark.parametrize(
    ("clause", "said"),
    [
        (Clause(NB, 10, 22.5), "Nb is 10 to below 22.5 wt.%"),
        (Clause(AGEING, high=350), "ageing temperature is below 350 °C"),
        (Clause(AGEING, 350, or_unknown=True), "ageing temperature is at least 350 °C or not known"),
        (Clause(AGEING, inf), "ageing temperature is not known"),
        (Clause(AGEING), "ageing temperature is known"),
        (Clause(QUENCH, among=("water",)), "quench is water"),
        (Clause(QUENCH, among=("air", "furnace"), or_unknown=True), "quench is air or furnace or not known"),
    ],
)
def test_every_clause_has_its_words(clause: Clause, said: str, snapshot: Snapshot) -> None:
    assert only(Averages((rule(clause),), "rows", 1.0, 2.0, True), snapshot).startswith(f"Where {said}: 58.3 GPa")


@pytest.mark.parametrize(
    ("rmse", "is_sure", "start", "end"),
    [
        (9.14, True, "With whole sources left out they err by 9.1 GPa", "that is more than chance."),
        (16.0, False, "With whole sources left out they err by 16.0 GPa", "that may be chance."),
        (18.0, False, "These rules do not hold on alloys left out: with whole", "the mean by 17.9 GPa."),
    ],
)
def test_rules_are_judged_by_alloys_left_out(
    rmse: float, is_sure: bool, start: str, end: str, snapshot: Snapshot
) -> None:
    told = Averages((rule(Clause(NB, 22.5)), rule(Clause(NB, high=22.5))), "whole sources", rmse, 17.92, is_sure)
    said = list(averages_lines(snapshot, told, E_GPa))[-1].strip()
    assert said.startswith(start)
    assert "the mean by 17.9 GPa" in said
    assert said.endswith(end)


def test_one_rule_for_all_is_none(snapshot: Snapshot) -> None:
    (line,) = averages_lines(snapshot, Averages((rule(),), "rows", 17.9, 17.9), E_GPa)
    assert line.strip() == "No rule of thumb tells more than the mean of all alloys."


def test_too_few_rows_for_rules_are_said(snapshot: Snapshot) -> None:
    few = Averages((replace(rule(), within=None),), "rows")
    assert list(averages_lines(snapshot, few, E_GPa)) == ["\n  Too few rows to read rules of thumb off."]
    assert only(few, snapshot) == "Everywhere: 58.3 GPa (18 alloys, 51.2 to 66.4)."


def test_a_rule_for_a_class_counts(snapshot: Snapshot) -> None:
    tally = Tally((Clause(NB, 25),), np.arange(33), np.array([31, 2, 0]), 29)
    told = Tallies(
        ("beta", "alpha", "omega"), (tally, replace(tally, clauses=(Clause(NB, high=25),))), "rows", 0.88, 0.6
    )
    lines = list(tallies_lines(snapshot, told, "phases"))
    assert lines[0] == "Phases"
    assert (
        lines[2] == "    Where Nb is at least 25 wt.%: beta in 31 of 33, alpha in 2; 29 of 33 foretold when left out."
    )
    assert lines[-1] == "    With rows left out they are right for 88% of the alloys, the most frequent class for 60%."
    assert tallies_json(snapshot, told)["of"][0]["counts"] == {"beta": 31, "alpha": 2, "omega": 0}
    worse = list(tallies_lines(snapshot, replace(told, right=0.6), "phases"))
    assert "do not hold on alloys left out" in worse[-1]


def test_what_was_tuned_and_the_formula_are_said() -> None:
    models = [Own("symbolic on composition", Tuned({"depth": 3}, 4), Told("70 + 20 × (Nb)", (), LOG))]
    assert list(own_lines(models, "corrosion_rate_mm_per_y")) == [
        "  Settings, chosen on rows left out: depth 3 (of 4 settings tried).",
        "\n  Its formula\n    log of corrosion rate = 70 + 20 × (Nb)",
    ]


def test_the_models_of_a_blend_are_told_apart_and_rules_come_in_their_unit() -> None:
    models = [
        Own("ridge on both", Tuned({"alpha": 0.1}, None), None),
        Own("neuro-fuzzy on both", None, Told("", ("where Nb is low: 71",))),
    ]
    assert list(own_lines(models, E_GPa)) == [
        "  Settings of ridge on both, chosen on rows left out: alpha 0.1.",
        "\n  Its rules of neuro-fuzzy on both, for Young's modulus",
        "    where Nb is low: 71",
    ]


# -- asked of a campaign ----------------------------------------------------------------------------------------------


@pytest.mark.torch
def test_explain_tells_the_rules_and_what_was_tuned(tmp_path: Path) -> None:
    explained = Campaign(campaign(tmp_path / "ti", "ridge")).explain()
    told = json.loads(json.dumps(explained.json(), allow_nan=False))["properties"][E_GPa]
    low, high = sorted(told["rules_of_thumb"]["of"], key=lambda one: -one["mean"])
    assert low["where"] == [
        {"name": "Nb", "of": "element", "low": None, "high": high["where"][0]["low"], "among": None, "unknown": "not"}
    ]
    assert low["where"][0]["high"] == pytest.approx(25, abs=1)
    assert low["rows"] + high["rows"] == 40
    assert (round(low["mean"]), round(high["mean"])) == (80, 60)
    assert told["rules_of_thumb"]["surely_better"]
    (model,) = told["models"]
    assert model["model"] == "ridge on composition"
    assert set(model["tuned"]["settings"]) == {"alpha"}
    assert told["shap"] is None
    text = "\n".join(explained.lines())
    assert low["words"] in text
    assert f"chosen on rows left out: alpha {model['tuned']['settings']['alpha']:.4g}" in text


@pytest.mark.torch
def test_shap_values_are_told_where_they_are_asked_for(tmp_path: Path) -> None:
    pytest.importorskip("shap", reason="shap is not installed: pip install 'alloyloop[shap]'")
    folder = campaign(tmp_path / "ti")
    of_models = alloyloop("explain", folder, "--shap", "--json").json["properties"][E_GPa]["shap"]
    assert of_models["rows"] == 40
    assert of_models["contributions"][0]["name"] == "Nb"
    assert {one["name"] for one in of_models["features"]} == {"Ti", "Nb", "Zr", "quench", "ageing_temperature_C"}
    told = alloyloop("explain", folder, "A3", "--shap")
    assert "The same by the features that the model sees (SHAP values)" in told.out
    of_alloy = alloyloop("explain", folder, "A3", "--shap", "--json").json["properties"][E_GPa]
    shifts = sum(one["shift"] for one in of_alloy["shap"]["features"])
    assert of_alloy["shap"]["mean_of_data"] + shifts == pytest.approx(of_alloy["expected"])


@pytest.mark.parametrize("asked", [(), ("A3",)])
def test_without_the_package_shap_one_sentence_says_what_to_install(
    asked: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explain, "find_spec", lambda name: None)
    told = alloyloop("explain", campaign(tmp_path / "ti"), *asked, "--shap")
    assert told.code == 1
    assert "pip install 'alloyloop[shap]'" in told.err


@pytest.mark.torch
def test_compare_tells_what_was_tuned(tmp_path: Path) -> None:
    folder = campaign(tmp_path / "ti")
    done = alloyloop("compare", folder, "--models", "ridge", "--repeats", 1, "--json").json
    (told,) = (of[E_GPa] for name, of in done["tuned"].items() if name == "ridge on composition")
    assert set(told) == {"settings", "folds", "of"}
    assert set(told["settings"]) == {"alpha"}
    assert 1 <= told["folds"] <= told["of"] == 5
    assert "It chose alpha" in done["verdict"][E_GPa]


# -- the list of models -----------------------------------------------------------------------------------------------


def test_the_models_are_listed_with_what_they_are_good_for() -> None:
    told = alloyloop("models", "--json").json
    assert {"auto", "gaussian-process", "ridge"} <= set(told["models"])
    assert told["models"]["gaussian-process"] == {
        "about": told["models"]["gaussian-process"]["about"],
        "bounds": True,
        "blanks": True,
        "together": True,
        "extra": None,
        "installed": True,
    }
    assert {"auto", "gaussian-process", "naive-bayes"} <= set(told["classifiers"])
    assert all(of["about"] for kind in told.values() for of in kind.values())
    out = alloyloop("models").out
    assert all(of["about"] in out for kind in told.values() for of in kind.values())


def test_a_model_that_cannot_be_had_yet_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from alloyloop.surrogates.base import SURROGATES, Family

    monkeypatch.setitem(
        SURROGATES,
        "oracle",
        Family(lambda **settings: pytest.fail("built"), "knows", needs="no_such_package", extra="oracle"),
    )
    assert "knows (pip install 'alloyloop[oracle]')" in alloyloop("models").out
    assert alloyloop("models", "--json").json["models"]["oracle"]["installed"] is False
