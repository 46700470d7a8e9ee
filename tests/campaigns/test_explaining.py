"""What `explain` says of the models, of one alloy and of a choice, and how it is drawn."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.patches import Rectangle

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.explaining import AlloyExplained, ModelsExplained, explain_alloy, explain_models
from alloyloop.campaigns.explaining_plots import alloy_figure, models_figure, picture
from alloyloop.surrogates.errors import AlloyloopError

from .folders import EXPERIMENTS, PROPOSED, QUESTION, alloyloop, contents, make, make_with_round

pytestmark = pytest.mark.torch

E_GPa = "youngs_modulus_GPa"
PROCESS = "process:\n  quench: {choices: [water, air]}\n  ageing_temperature_C: {min: 300, max: 500, step: 100}\n"
CONDITIONS = "conditions:\n  test_temperature_C: {at: 22}\n"


def rich(path: Path, misprint: float = 0.0) -> Path:
    """Forty alloys of five papers whose modulus falls by 1 GPa per wt.% Nb; A7 may be misprinted by some GPa."""
    rng = np.random.default_rng(0)
    lines = ["id,status,source,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,quench,ageing_temperature_C,test_temperature_C," + E_GPa]
    for i in range(40):
        niobium, zirconium = int(rng.integers(10, 40)), int(rng.integers(0, 5))
        modulus = 100 - niobium + rng.normal(0, 0.5) + (misprint if i == 7 else 0)
        quench, heat = ("water", "air")[i % 2], (300, 400)[i % 3 == 0]
        made = f"{100 - niobium - zirconium},{niobium},{zirconium},{quench},{heat},{20 + i % 4}"
        lines.append(f"A{i},known,paper {i % 5},{made},{modulus:.2f}")
    question = QUESTION.replace("properties:", f"{PROCESS}{CONDITIONS}properties:")
    return make(path, question, "\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> ModelsExplained:
    return explain_models(Campaign(rich(tmp_path_factory.mktemp("models") / "ti")).snapshot())


@pytest.fixture(scope="module")
def alloy(tmp_path_factory: pytest.TempPathFactory) -> AlloyExplained:
    return explain_alloy(Campaign(rich(tmp_path_factory.mktemp("alloy") / "ti")).snapshot(), "A8")


# -- the models -------------------------------------------------------------------------------------------------------


def test_the_element_that_makes_the_property_is_needed_most(models: ModelsExplained) -> None:
    told = models.json()["properties"][E_GPa]
    assert told["left_out"] == "whole sources"
    first, *others = told["importances"]
    assert first["name"] in {"Nb", "Ti"}  # each tells the other, where Zr is a trace
    assert first["rmse_rise"]["mean"] > 3 * max(one["rmse_rise"]["mean"] for one in others if one["name"] not in "NbTi")


def test_the_effect_of_an_element_is_what_it_was_made_to_be(models: ModelsExplained) -> None:
    told = models.json()["properties"][E_GPa]
    effects = {effect["name"]: effect for effect in told["effects"]}
    assert set(effects) == {"Nb", "Zr", "quench", "ageing_temperature_C", "test_temperature_C"}
    niobium = effects["Nb"]
    slope = np.polyfit(niobium["values"], niobium["mean"], 1)[0]
    assert slope == pytest.approx(-1, abs=0.1)
    assert niobium["unit"] == "wt.%"
    assert (np.array(niobium["low"]) < niobium["mean"]).all()
    assert (np.array(niobium["high"]) > niobium["mean"]).all()
    assert effects["quench"]["values"] == ["water", "air"]
    assert effects["ageing_temperature_C"]["inside_data"] == [True, True, False]  # nothing was aged at 500 °C
    assert "the best known" in told["effects_from"]


def test_a_misprinted_row_is_the_first_to_be_checked(tmp_path: Path) -> None:
    told = explain_models(Campaign(rich(tmp_path / "ti", misprint=25.0)).snapshot())
    first = told.json()["properties"][E_GPa]["outliers"][0]
    assert (first["id"], first["source"]) == ("A7", "paper 2")
    assert first["measured"] - first["believed"] == pytest.approx(25, abs=8)
    assert first["deviations"] > 3 or first["discounted"]
    assert re.search(r"Check these rows.*\n.*\n.*\n +A7 .* paper 2 .* std above", "\n".join(told.lines()))


def test_where_no_row_disagrees_that_is_said(models: ModelsExplained) -> None:
    agreeing = replace(models, models={name: replace(model, outliers=()) for name, model in models.models.items()})
    assert "No row disagrees" in "\n".join(agreeing.lines())


def test_the_text_has_units_and_the_same_numbers(models: ModelsExplained) -> None:
    text = "\n".join(models.lines())
    told = models.json()["properties"][E_GPa]
    assert text.startswith("Young's modulus [GPa]: gaussian-process on composition\n")
    assert f"Learned from {told['rows']} rows." in text
    assert float(re.findall(r"errs by ([\d.]+) GPa", text)[0]) == pytest.approx(told["rmse"], rel=0.01)
    assert "Nb [wt.%]" in text
    assert "ageing temperature [°C]" in text
    assert "Ti taking the remainder" in text


def test_json_has_no_number_that_is_none(models: ModelsExplained, alloy: AlloyExplained) -> None:
    for explained in (models, alloy):
        json.dumps(explained.json(), allow_nan=False)


def test_a_model_is_explained_the_same_way_again(tmp_path: Path, models: ModelsExplained) -> None:
    assert explain_models(Campaign(rich(tmp_path / "ti")).snapshot()).json() == models.json()


def test_explaining_changes_no_file(tmp_path: Path) -> None:
    folder = rich(tmp_path / "ti")
    before = contents(folder)
    Campaign(folder).explain()
    assert contents(folder) == before


def test_three_rows_are_explained_without_leaving_any_out(tmp_path: Path) -> None:
    few = "".join(f"{line}\n" for line in EXPERIMENTS.splitlines()[:4])
    told = explain_models(Campaign(make(tmp_path / "ti", experiments=few)).snapshot())
    assert told.json()["properties"][E_GPa]["rmse"] is None
    assert "3 rows: too few to leave some out" in "\n".join(told.lines())
    assert len(told.json()["properties"][E_GPa]["effects"]) == 2
    models_figure(told)


def test_forests_are_explained_as_well(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti", QUESTION.replace("gaussian-process", "extra-trees"))
    told = Campaign(folder).explain().json()["properties"][E_GPa]
    assert told["choice"]["name"] == "extra-trees on composition"
    assert told["relevances"] is None
    assert told["importances"]
    assert Campaign(folder).explain("E").json()["properties"][E_GPa]["neighbours"][0]["id"] == "E"


def test_nothing_measured_is_nothing_to_explain(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti", experiments=EXPERIMENTS.splitlines()[0] + "\n")
    told = alloyloop("explain", folder)
    assert told.code == 1
    assert "There is nothing to explain" in told.err


def test_a_pure_process_study_is_explained(tmp_path: Path) -> None:
    question = (
        f"alloyloop: 1\nname: Powder\n{PROCESS}properties:\n  hardness_HV: {{goal: maximize}}\n"
        "model: gaussian-process\nseed: 1\n"
    )
    rows = [f"P{i},known,{('water', 'air')[i % 2]},{300 + 100 * (i % 3)},{200 + 20 * (i % 3)}" for i in range(8)]
    table = "\n".join(["id,status,quench,ageing_temperature_C,hardness_HV", *rows]) + "\n"
    campaign = Campaign(make(tmp_path / "powder", question, table))
    told = campaign.explain().json()["properties"]["hardness_HV"]
    assert told["importances"][0]["name"] == "ageing_temperature_C"
    one = campaign.explain("quench=water, ageing_temperature_C=500")
    assert one.json()["properties"]["hardness_HV"]["contributions"][0]["name"] == "ageing_temperature_C"
    assert "% of the ranges" in "\n".join(one.lines())


# -- one alloy --------------------------------------------------------------------------------------------------------


def test_contributions_lead_from_the_mean_of_the_data_to_what_is_expected(alloy: AlloyExplained) -> None:
    told = alloy.json()["properties"][E_GPa]
    shifts = sum(part["shift"] for part in told["contributions"])
    assert told["mean_of_data"] + shifts == pytest.approx(told["expected"])
    assert told["expected"] == pytest.approx(alloy.json()["alloy"]["predicted"][E_GPa]["mean"])
    assert told["contributions"][0]["name"] == "Nb"
    assert [part["of"] for part in told["contributions"] if part["name"] == "test_temperature_C"] == ["condition"]


def test_the_nearest_row_of_a_row_is_itself(alloy: AlloyExplained) -> None:
    near = alloy.json()["properties"][E_GPa]["neighbours"]
    assert (near[0]["id"], near[0]["source"]) == ("A8", "paper 3")
    assert near[0]["distance"] == pytest.approx(0, abs=1e-9)
    assert [one["distance"] for one in near] == sorted(one["distance"] for one in near)
    for one in near:
        assert one["expected_without"] + one["shift"] == pytest.approx(alloy.parts[E_GPa].expected)


def test_the_text_of_an_alloy_shows_what_was_measured_and_the_steps(alloy: AlloyExplained) -> None:
    text = "\n".join(alloy.lines())
    assert text.startswith("A8  Ti-")
    assert re.search(r"Young's modulus: .* GPa; measured \d", text)
    assert re.search(r"Nb +[\d.]+ wt\.% +[+-]", text)


def test_a_named_alloy_is_explained_under_the_process_that_is_given(tmp_path: Path) -> None:
    folder = rich(tmp_path / "ti")
    told = alloyloop("explain", folder, "Ti-30Nb wt", "--at", "quench=air", "--json").json
    values = {part["name"]: part["value"] for part in told["properties"][E_GPa]["contributions"]}
    assert values["quench"] == "air"
    assert values["Nb"] == pytest.approx(30)
    assert values["ageing_temperature_C"] is None
    assert told["decision"] is None


def test_a_proposal_is_explained_with_its_round(tmp_path: Path) -> None:
    folder = make_with_round(tmp_path / "ti")
    decision = folder / "rounds" / "001" / "decision.json"
    said = json.loads(decision.read_text(encoding="utf-8"))
    said |= {"expected_gains": [1.5, 0.5], "runner_ups": ["Ti-40Nb wt"], "acquisition": "a made-up one"}
    said["proposals"][1]["why"] = "little is known there"
    decision.write_text(json.dumps(said), encoding="utf-8")
    explained = Campaign(folder).explain("R001-2")
    told = explained.json()["decision"]
    assert (told["round"], told["why"], told["expected_gain"]) == (1, "little is known there", 0.5)
    assert (told["runner_ups"], told["acquisition"]) == (["Ti-40Nb wt"], "a made-up one")
    text = "\n".join(explained.lines())
    assert "Round 1 chose it: little is known there" in text
    assert "Next in line were Ti-40Nb wt." in text


def test_a_proposal_whose_round_is_gone_is_explained_without_it(tmp_path: Path) -> None:
    explained = Campaign(make(tmp_path / "ti", experiments=EXPERIMENTS + PROPOSED)).explain("R001-1")
    assert explained.json()["decision"] is None
    assert "nothing else is kept" in "\n".join(explained.lines())


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("R009-9",), "R009-9"),
        (("A", "--at", "quench=air"), "says its process itself"),
        (("Ti-30Nb wt", "--at", "colour=red"), "colour is not a process variable"),
    ],
)
def test_what_cannot_be_explained_is_said(asked: tuple[str, ...], said: str, tmp_path: Path) -> None:
    told = alloyloop("explain", make(tmp_path / "ti"), *asked)
    assert told.code == 1
    assert said in told.err
    assert "Traceback" not in told.err


# -- pictures ---------------------------------------------------------------------------------------------------------


def test_every_effect_has_a_panel_with_its_unit(models: ModelsExplained) -> None:
    figure = models_figure(models)
    labels = [ax.get_xlabel() for ax in figure.axes if ax.axison]
    assert labels == [
        "error rises if mixed up [GPa]",
        *("Nb [wt.%]", "Zr [wt.%]", "Quench", "Ageing temperature [°C]", "Test temperature [°C]"),
    ]
    assert len({ax.get_ylim() for ax in figure.axes[1:] if ax.axison}) == 1  # they compare at a glance


def test_bars_of_an_alloy_run_from_the_mean_to_what_is_expected(alloy: AlloyExplained) -> None:
    (ax,) = alloy_figure(alloy).axes
    bars = [patch.get_bbox() for patch in ax.patches if isinstance(patch, Rectangle)]
    part = alloy.parts[E_GPa]
    assert min(abs(np.array([bars[0].x0, bars[0].x1]) - part.contributions.shares.base)) < 1e-9
    assert min(abs(np.array([bars[-1].x0, bars[-1].x1]) - part.expected)) < 1e-9
    assert ax.get_xlabel() == "Young's modulus [GPa]"


@pytest.mark.parametrize(
    ("ending", "start"), [(".svg", b"<svg"), (".png", b"\x89PNG"), (".pdf", b"%PDF"), (".PNG", b"\x89PNG")]
)
def test_a_picture_is_written_in_the_format_of_its_name(ending: str, start: bytes, alloy: AlloyExplained) -> None:
    assert picture(alloy, ending).startswith(start)


def test_a_picture_of_no_known_format_is_refused(alloy: AlloyExplained) -> None:
    with pytest.raises(AlloyloopError, match=r"No picture can be written as '.doc'"):
        picture(alloy, ".doc")


def test_the_command_writes_the_picture_and_still_says_the_rest(tmp_path: Path) -> None:
    told = alloyloop("explain", make(tmp_path / "ti"), "-o", tmp_path / "why.svg")
    assert told.code == 0
    assert "Young's modulus" in told.out
    assert "Nb [wt.%]" in (tmp_path / "why.svg").read_text(encoding="utf-8")
