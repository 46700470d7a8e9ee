"""Ranges in which what is wanted holds, and how far one alloy may drift: what is told, and what can be done with it."""

from __future__ import annotations

from math import isclose
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.window_plots import picture
from alloyloop.campaigns.windowing import Tolerated, Windowed
from alloyloop.design.features import Alloys
from alloyloop.surrogates.base import FloatArray
from alloyloop.surrogates.errors import AlloyloopError

from . import process_study
from .folders import alloyloop, contents, make
from .test_inverting import PLANTED, E_GPa, YS_MPa, table

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("windowing") / "ti", PLANTED, table())


@pytest.fixture(scope="module")
def soft(folder: Path) -> Windowed:
    """Softer than 70 GPa: 1.2 Nb + 0.8 Zr above 30, a corner of the space cut off."""
    return Campaign(folder).windows(f"{E_GPa} below 70", 0.8, n=2)


@pytest.fixture(scope="module")
def drift(folder: Path) -> Tolerated:
    """30 Nb and 5 Zr make 60 GPa; 65 are reached at 25.8 Nb, and at -1.2 Zr."""
    return Campaign(folder).tolerance("Ti-30Nb-5Zr wt", f"{E_GPa} below 65")


# -- windows ----------------------------------------------------------------------------------------------------------


def test_a_window_tells_ranges_of_every_element_and_how_surely_they_hold(soft: Windowed) -> None:
    window = soft.of[0].window
    assert list(window.ranges) == ["Nb", "Zr", "Ti"]
    assert window.probability_mean >= 0.8
    assert window.probability_worst <= window.probability_mean
    assert soft.of[0].worst.startswith("Ti-")


def test_bounds_that_are_pasted_into_campaign_yaml_leave_the_designs_of_the_window(
    soft: Windowed, tmp_path: Path
) -> None:
    for i, told in enumerate(soft.of):
        yaml = YAML()
        question = yaml.load(PLANTED)
        question["composition"]["elements"] = YAML(typ="safe").load(told.bounds)["composition"]["elements"]
        path = make(tmp_path / f"W{i}", "", table())
        yaml.dump(question, path / "campaign.yaml")
        narrower = Campaign(path).snapshot().space
        assert narrower.count == told.window.n_designs
        assert told.window.n_designs == len(told.window.points(soft.asked.space, 10_000, np.random.default_rng(0)))


def test_the_share_of_the_space_is_that_of_its_designs(soft: Windowed, folder: Path) -> None:
    of_space = Campaign(folder).snapshot().space.count
    assert soft.of[0].window.volume_share == pytest.approx(soft.of[0].window.n_designs / of_space)


def test_what_is_expected_inside_is_read_off_the_designs_inside(soft: Windowed, folder: Path) -> None:
    told = soft.of[1]
    window = told.window
    points = window.points(soft.asked.space, 10_000, np.random.default_rng(0))
    if len(points) > 512:
        pytest.skip("more designs than predictions are read off")
    belief = soft.asked.beliefs.numbers[E_GPa].about(soft.asked.alloys(points))
    expected = told.expected[E_GPa]
    assert expected.mean == pytest.approx(tuple(np.quantile(belief.mean, [0.05, 0.95])))
    rng = np.random.default_rng(0)  # one measurement of a design drawn by lot, many times: an independent way
    which = rng.integers(len(points), size=400_000)
    drawn = belief.mean[which] + belief.measured_std[which] * rng.normal(size=len(which))
    assert (expected.low, expected.high) == pytest.approx(tuple(np.quantile(drawn, [0.05, 0.95])), abs=0.1)


def test_measured_alloys_inside_are_named_with_what_was_measured(soft: Windowed) -> None:
    """A measured alloy half a step beyond an end belongs to the design there, which the balance is as well."""
    (low, high), (lowest, highest) = ((float(a), float(b)) for a, b in list(soft.of[0].window.ranges.values())[:2])
    designs: dict[str, str] = {}
    near: dict[str, str] = {}
    for line in table().splitlines()[1:]:
        id, _, _, niobium, zirconium, modulus, *_ = line.split(",")
        if low <= int(niobium) <= high and lowest <= int(zirconium) <= highest:
            of = designs if int(niobium) + int(zirconium) <= 45 else near  # the rule of the space
            of[id] = f"{E_GPa} {float(modulus):g}"
    measured = dict(soft.of[0].measured)
    assert designs.items() <= measured.items() <= (designs | near).items()
    assert designs


def test_windows_have_no_design_in_common(soft: Windowed) -> None:
    one, other = (told.window.points(soft.asked.space, 10_000, np.random.default_rng(0)) for told in soft.of)
    assert {tuple(point) for point in one.tolist()}.isdisjoint(tuple(point) for point in other.tolist())


def test_what_is_fixed_is_so_in_every_window(folder: Path) -> None:
    for told in Campaign(folder).windows(f"{E_GPa} below 70", fix={"Zr": (2, 6)}).of:
        low, high = told.window.ranges["Zr"]
        assert 2 <= float(low) <= float(high) <= 6


def test_choices_and_levels_of_a_process_are_told_and_written_too(tmp_path: Path) -> None:
    campaign = Campaign(make(tmp_path / "lpbf", process_study.QUESTION, process_study.EXPERIMENTS))
    windowed = campaign.windows("relative_density_pct above 95", 0.6, n=1)
    (told,) = windowed.of
    written = YAML(typ="safe").load(told.bounds)
    assert set(written) == {"process"}
    assert tuple(written["process"]["gas"]["choices"]) == told.window.ranges["gas"]
    assert written["process"]["scan_speed_mm_per_s"]["step"] == 100
    assert "gas" in "\n".join(windowed.lines())


def test_where_no_window_is_the_likeliest_design_is_told_instead(tmp_path: Path) -> None:
    campaign = Campaign(make(tmp_path / "ti", PLANTED, table(noise=4.0)))
    windowed = campaign.windows(f"{E_GPa} between 59.9 and 60.1", 0.95)
    assert windowed.of == ()
    assert windowed.json()["windows"] == []
    said = "\n".join(windowed.lines())
    assert said.startswith("No range of compositions and treatments holds with 95%")
    assert "The likeliest design of the space reaches" in said


def test_the_folder_is_only_read(folder: Path) -> None:
    before = contents(folder)
    Campaign(folder).windows(f"{E_GPa} below 70", n=1)
    assert contents(folder) == before


# -- one alloy --------------------------------------------------------------------------------------------------------


def test_an_alloy_may_drift_until_its_chance_falls_below_what_was_asked_for(drift: Tolerated) -> None:
    """By the planted slope niobium may fall to about 26, and zirconium to nothing."""
    low, high = drift.ranges["Nb"]
    assert 26 <= float(low) <= 28
    assert float(high) > 40  # softer and softer: drifts are not held by the bounds of the space
    assert drift.ranges["Zr"][0] == 0


def test_the_ends_of_a_drift_are_likely_enough_and_a_step_beyond_them_is_not(drift: Tolerated) -> None:
    for niobium, enough in ((float(drift.ranges["Nb"][0]), True), (float(drift.ranges["Nb"][0]) - 1, False)):
        amounts = {"Nb": niobium, "Zr": 5.0, "Ti": 95.0 - niobium}
        elements = drift.asked.snapshot.table.elements
        chance = drift.asked.chance(Alloys(elements, _fractions(amounts, elements), {}))[0]
        assert (chance >= 0.8) == enough


def _fractions(wt_pct: dict[str, float], elements: tuple[str, ...]) -> FloatArray:
    """Atomic fractions by hand, with atomic masses of IUPAC."""
    masses = {"Ti": 47.867, "Nb": 92.90637, "Zr": 91.224}
    atoms = np.array([[wt_pct[element] / masses[element] for element in elements]])
    return np.asarray(atoms / atoms.sum())


def test_a_row_is_asked_by_its_id(folder: Path) -> None:
    rows = dict(line.split(",", 1) for line in table().splitlines()[1:])
    _, titanium, niobium, zirconium, *_ = rows["A3"].split(",")
    drift = Campaign(folder).tolerance("A3", f"{E_GPa} below 65", 0.01)
    named = "".join(f"-{amount}{element}" for element, amount in (("Nb", niobium), ("Zr", zirconium)) if amount != "0")
    assert drift.name == f"Ti{named} wt"
    assert isclose(float(titanium) + float(niobium) + float(zirconium), 100)


def test_an_alloy_that_is_not_likely_enough_may_not_drift_at_all(folder: Path) -> None:
    drift = Campaign(folder).tolerance("Ti-12Nb wt", f"{E_GPa} below 65")
    assert drift.ranges == {}
    assert "That is below 80% already, so that nothing may drift." in list(drift.lines())


def test_an_alloy_between_two_steps_is_asked_for_by_the_nearest_design(folder: Path) -> None:
    drift = Campaign(folder).tolerance("Ti-30.3Nb-5Zr wt", f"{E_GPa} below 65")
    assert drift.name == "Ti-30Nb-5Zr wt"
    assert drift.remarks[0] == "Ti-30.3Nb-5Zr wt lies between steps; asked of the nearest design, Ti-30Nb-5Zr wt."


@pytest.mark.parametrize(
    ("alloy", "said"),
    [
        ("Ti-6Al-4V", "holds elements that are not in the space"),
        ("Ti-45Nb wt", "is no design of this space: Nb is 45 %, outside 10 to 40 %"),
        ("Ti-38Nb-10Zr wt", "is no design of this space: 'Nb . Zr <= 45' is not met"),
    ],
)
def test_an_alloy_that_is_none_of_the_space_is_refused(folder: Path, alloy: str, said: str) -> None:
    with pytest.raises(AlloyloopError, match=said):
        Campaign(folder).tolerance(alloy, f"{E_GPa} below 65")


def test_an_alloy_without_its_treatment_is_refused(tmp_path: Path) -> None:
    question = PLANTED.replace("properties:", "process:\n  quench: {choices: [water, air]}\nproperties:")
    campaign = Campaign(make(tmp_path / "ti", question, table()))
    with pytest.raises(AlloyloopError, match=r"How Ti-30Nb wt is treated is not said: quench\. Say --at quench=water"):
        campaign.tolerance("Ti-30Nb wt", f"{E_GPa} below 65")


# -- how it is shown --------------------------------------------------------------------------------------------------


def test_json_has_the_keys_of_the_manual(folder: Path) -> None:
    told = alloyloop("windows", folder, "--want", f"{E_GPa} below 70", "-n", 1, "--json").json
    (window,) = told["windows"]
    keys = {"ranges", "probability_mean", "probability_worst", "predicted", "alloys", "measured_inside"}
    assert keys | {"volume_share", "bounds", "worst"} == set(window)
    assert set(window["predicted"]) == {E_GPa, YS_MPa, "phases"}
    assert set(window["predicted"][E_GPa]) == {"mean", "low", "high"}
    assert sum(window["predicted"]["phases"]["classes"].values()) == pytest.approx(1)


def test_a_person_reads_a_table_with_a_column_for_each_window(folder: Path) -> None:
    lines = alloyloop("windows", folder, "--want", f"{E_GPa} below 70", "-n", 2).out.splitlines()
    assert lines[0] == f"2 windows in which it holds with 80%: {E_GPa} below 70."
    assert lines[2].split() == ["W1", "W2"]
    first = [line.split("  ")[0] for line in lines[4:11]]
    assert first[:4] == ["Nb [wt.%]", "Zr [wt.%]", "Ti [wt.%]", "chance, mean"]
    assert first[4:] == ["chance, worst design", "designs", "share of the space"]


def test_the_tolerance_of_one_alloy_is_a_table_of_its_elements(folder: Path) -> None:
    arguments = ("windows", folder, "--want", f"{E_GPa} below 65", "--alloy", "Ti-30Nb-5Zr wt")
    told, said = alloyloop(*arguments, "--json").json, alloyloop(*arguments).out
    assert set(told["tolerance"]) == {"Nb", "Zr"}
    assert told["alloy"] == "Ti-30Nb-5Zr wt"
    assert "The chance stays at 80% or above while one of these, and nothing else, is" in said


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--alloy", "A1", "--plot", "w.png"], 2, "--plot draws windows"),
        (["--at", "quench=water"], 2, "--at goes with --alloy"),
        (["--plot", "w.docx"], 1, "No picture can be written as '.docx'"),
        (["-n", "0"], 1, "0 windows cannot be looked for"),
        (["--probability", "1.5"], 1, "A probability of 1.5 cannot be asked for"),
    ],
)
def test_a_mistake_is_said(folder: Path, arguments: list[str], code: int, said: str) -> None:
    told = alloyloop("windows", folder, *arguments)
    assert told.code == code
    assert said in " ".join(told.err.replace("│", " ").split())


def test_it_shows_itself_in_a_notebook(soft: Windowed, drift: Tolerated) -> None:
    assert '<th scope="col">W2</th>' in soft._repr_html_()
    assert repr(soft).startswith("2 windows in which it holds with 80%")
    assert "Ti-30Nb-5Zr wt meets it with" in drift._repr_html_()


# -- pictures ---------------------------------------------------------------------------------------------------------


def test_the_picture_names_every_window_and_every_scale(soft: Windowed, tmp_path: Path) -> None:
    drawn = picture(soft, ".svg").decode()
    for text in ("W1: chance", "W2: chance", "Nb", "Zr", "[wt.%]", "of these, measured to meet it"):
        assert text in drawn


def test_a_picture_of_choices_is_drawn_to_a_file(tmp_path: Path) -> None:
    folder = make(tmp_path / "lpbf", process_study.QUESTION, process_study.EXPERIMENTS)
    asked: Any = ("--want", "relative_density_pct above 95", "--probability", "0.6", "-n", 1)
    told = alloyloop("windows", folder, *asked, "--plot", tmp_path / "w.png")
    assert told.code == 0, told.err
    assert (tmp_path / "w.png").read_bytes().startswith(b"\x89PNG")


def test_no_window_is_no_picture(soft: Windowed) -> None:
    with pytest.raises(AlloyloopError, match="There is no window to draw"):
        picture(Windowed(soft.asked, 0.8, ()), ".svg")
