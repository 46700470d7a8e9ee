"""report.html: it says what the files say, runs nothing, loads nothing, and can be read by every kind of reader."""

from __future__ import annotations

import hashlib
import html
import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.folder import Folder
from alloyloop.campaigns.journal import write_event
from alloyloop.campaigns.opinion import Opinion
from alloyloop.campaigns.quality import Quality
from alloyloop.campaigns.report import linked, report_html, sought
from alloyloop.campaigns.snapshot import Snapshot, read_snapshot
from alloyloop.design.space import spaced

from . import folders
from .written import EXPERIMENTS, FIRST, HEADER, QUESTION, SECOND, proposal, written

# Elements without an end tag, HTML living standard § 13.1.2.
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
ONLY_CLASSES = re.sub(r"  (youngs|yield).*\n", "", QUESTION)
SEVERAL = QUESTION.replace("{goal: above, limit: 500}", "{goal: maximize}")
ONLY_LIMITS = QUESTION.replace("youngs_modulus_GPa: {goal: minimize}", "youngs_modulus_GPa: {goal: report}")
MELT_SHEET = "id,alloy,order,material,weigh_g\nR002-1,Ti,1,Nb,13\nR002-1,Ti,2,Ti,27\nR002-1,Ti,,total,40\n"


@dataclass
class Element:
    """A tag with its attributes and all the text inside it."""

    tag: str
    attributes: dict[str, str]
    above: tuple[str, ...]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """A page taken apart; an element that is not closed where it should be is an error."""

    source: str
    elements: list[Element] = field(default_factory=list)
    opened: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.source)
        self.close()
        assert self.opened == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), (tag, names)
        above = tuple(element.tag for element in self.opened)
        element = Element(tag, {name: value or "" for name, value in attrs}, above)
        self.elements.append(element)
        if tag not in VOID:
            self.opened.append(element)
        elif tag == "br":
            self.handle_data("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened, tag
        assert self.opened.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for element in self.opened:
            element.text += data

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    def section(self, name: str) -> str:
        """The text of one section, its blanks made one."""
        (found,) = [each for each in self.all("section") if each.attributes.get("aria-labelledby") == name]
        return words(found.text)


def words(text: str) -> str:
    return " ".join(text.split())


def page(snapshot: Snapshot) -> Page:
    return Page(report_html(snapshot))


def states(path: Path) -> dict[str, Snapshot]:
    """One campaign in each state that it can be in."""
    known = "".join(EXPERIMENTS.splitlines(keepends=True)[:3])
    proposed = HEADER + "R001-1,proposed,1,,74,26,0,350,air,,,,,,,\n"
    space_filling = [proposal("R001-1", {"Ti": 74.0, "Nb": 26.0}, 0.0, predicted={}, probability={}, nearest=None)]
    second = written(path / "second")
    (second.folder.round(2) / "melt-sheet.csv").write_text(MELT_SHEET, encoding="utf-8")
    return {
        "in its second round": second,
        "no rounds": written(path / "known", experiments=known, rounds={}),
        "no rows": written(path / "empty", experiments=HEADER, rounds={}),
        "nothing measured": written(path / "filling", experiments=proposed, rounds={1: space_filling}),
        "nothing pursued": written(path / "limits", ONLY_LIMITS),
        "no numbers": written(path / "classes", ONLY_CLASSES),
        "its rounds lost": written(path / "lost", rounds={}),
        "in wt.%": written(path / "wt", QUESTION.replace("at_pct", "wt_pct")),
        "several goals": written(path / "several", SEVERAL),
    }


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Snapshot]:
    return states(tmp_path_factory.mktemp("states"))


@pytest.fixture(scope="module")
def pages(snapshots: dict[str, Snapshot]) -> dict[str, Page]:
    return {state: page(snapshot) for state, snapshot in snapshots.items()}


every_state = pytest.mark.parametrize(
    "state",
    [
        *("in its second round", "no rounds", "no rows", "nothing measured"),
        *("nothing pursued", "no numbers", "its rounds lost", "in wt.%", "several goals"),
    ],
)


@every_state
def test_every_element_is_closed_and_every_reference_has_its_target(pages: dict[str, Page], state: str) -> None:
    report = pages[state]
    ids = [element.attributes["id"] for element in report.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    for element in report.elements:
        for name in ("href", "xlink:href", "aria-labelledby", "clip-path"):
            value = element.attributes.get(name, "")
            if name == "aria-labelledby" and value:
                assert value in ids
            elif "#" in value:
                assert value.partition("#")[2].rstrip(")") in ids


@every_state
def test_the_page_loads_nothing_and_runs_nothing(pages: dict[str, Page], state: str) -> None:
    report = pages[state]
    for element in report.elements:
        assert element.tag not in {"script", "link", "img", "iframe", "object", "embed", "base", "form"}
        assert not [name for name in element.attributes if name.startswith("on") or name in {"src", "srcset", "data"}]
        for name in ("href", "xlink:href"):
            address = element.attributes.get(name, "#")
            assert address.startswith("#") or (element.tag == "a" and address.startswith("https://doi.org/10."))
        for style in (element.attributes.get("style", ""), element.text if element.tag == "style" else ""):
            assert "@import" not in style
            assert not re.search(r"url\((?!#)", style)
    policy = [meta.attributes["content"] for meta in report.all("meta") if "http-equiv" in meta.attributes]
    assert policy == ["default-src 'none'; style-src 'unsafe-inline'"]


@every_state
def test_a_screen_reader_finds_its_way(pages: dict[str, Page], state: str) -> None:
    report = pages[state]
    assert report.all("html")[0].attributes["lang"] == "en-GB"
    assert [len(report.all(tag)) for tag in ("title", "h1", "main", "header", "footer")] == [1, 1, 1, 1, 1]
    assert [heading.tag for heading in report.elements if re.fullmatch("h[3-6]", heading.tag)] == []
    assert len(report.all("caption")) == len(report.all("table"))
    assert all(cell.attributes.get("scope") in {"col", "row", "rowgroup"} for cell in report.all("th"))
    assert len(report.all("figcaption")) == len(report.all("figure"))
    for svg in report.all("svg"):
        assert "aria-hidden" in svg.attributes or (svg.attributes["role"] == "img" and svg.attributes["aria-label"])
    scrolled = [each for each in report.elements if each.attributes.get("class") == "scroll"]
    assert len(scrolled) == len(report.all("table")) + len(report.all("figure"))
    assert all(each.attributes["tabindex"] == "0" and each.attributes["aria-label"] for each in scrolled)
    links = [link.attributes["href"][1:] for link in report.all("a") if "nav" in link.above]
    assert links == [heading.attributes["id"] for heading in report.all("h2")]  # in the order of the page


@every_state
def test_the_same_files_give_the_same_page(snapshots: dict[str, Snapshot], pages: dict[str, Page], state: str) -> None:
    assert report_html(read_snapshot(snapshots[state].folder)) == pages[state].source


def test_the_question_is_one_sentence(tmp_path: Path) -> None:
    wanted = "its Young's modulus as low as possible and its yield strength above 500 MPa"
    asked = f"Sought: an alloy of Ti with Nb and Zr, {wanted}."
    assert sought(written(tmp_path)) == asked
    assert words(page(written(tmp_path / "page")).all("header")[0].text).startswith(f"Strong and soft {asked}")


def test_the_question_in_its_parts(pages: dict[str, Page]) -> None:
    said = pages["in its second round"].section("question")
    assert "Composition [at.%] Ti 0 to 100 (the balance); Nb 0 to 30; Zr 0 to 20; all in steps of 1" in said
    assert "Process Ageing temperature [°C]: 300 to 600 in steps of 50; Quench: water or air" in said
    assert "Rules Nb + Zr >= 5; Density at most 7 g/cm³" in said
    assert "Wanted Young's modulus as low as possible; yield strength above 500 MPa" in said
    assert "Reported phases (beta or other)" in said
    assert "implant-titanium" in said
    assert "bars Be, Cd, Ni, Pb and V" in said
    # By hand: of 31 amounts of Nb and 21 of Zr the 15 that sum to less than 5 go; 7 temperatures and 2 quenches; the
    # heaviest, Ti-30Nb-20Zr, weighs less than 7 g/cm³.
    assert f"Designs {spaced((31 * 21 - 15) * 7 * 2)} designs (counted exactly" in said


def test_steps_that_differ_are_said_of_each_element(tmp_path: Path) -> None:
    said = page(written(tmp_path, QUESTION.replace("Zr: {max: 20}", "Zr: {max: 20, step: 2}"))).section("question")
    assert "Nb 0 to 30 in steps of 1; Zr 0 to 20 in steps of 2" in said


def test_where_it_stands(tmp_path: Path) -> None:
    stop = {"proposals": SECOND, "stop": {"words": "Hardly worth it."}}
    said = page(written(tmp_path, rounds={1: FIRST, 2: stop})).section("stands")
    # By hand: of the alloys with at least 500 MPa, R001-1 is the softest.
    assert "Best so far Ti-26Nb at, Young's modulus [GPa]: 60 ± 1.5 (R001-1)" in said
    assert "Rounds 2" in said
    assert "2 known, 2 measured, 1 failed, 2 waiting for results" in said
    assert "Hardly worth it. (Said by round 2.)" in said


def test_of_several_goals_the_front_is_a_table_and_a_picture(pages: dict[str, Page]) -> None:
    report = pages["several goals"]
    said = report.section("stands")
    # By hand, see test_standing.
    front = report.section("progress")
    assert "Best so far Pareto front: 4 alloys, hypervolume 7705 GPa·MPa beyond Young's modulus 93.5 GPa and" in said
    assert "B Ti-25Nb at 55 ± 2 400 R001-1 Ti-26Nb at 60 ± 1.5 550 A Ti-20Nb at 70 600" in front
    assert "Hypervolume" in report.section("progress")
    assert "what it encloses is grey" in report.section("progress")
    assert "what it encloses is grey" not in pages["in its second round"].section("progress")


def test_a_target_is_said_with_its_unit(tmp_path: Path) -> None:
    question = QUESTION.replace("{goal: minimize}", "{goal: match, target: 62, tolerance: 3}")
    wanted = "Wanted Young's modulus as near to 62 GPa as possible (met within 3 GPa); yield strength above 500 MPa"
    assert wanted in page(written(tmp_path, question)).section("question")


def test_weights_are_part_of_the_question_and_of_the_answer(tmp_path: Path) -> None:
    weighed = SEVERAL.replace("minimize}", "minimize, weight: 2}").replace("maximize}", "maximize, weight: 1}")
    report = page(written(tmp_path, weighed))
    assert "Weights Young's modulus 2; yield strength 1" in report.section("question")
    best = "Best so far Ti-26Nb at, Young's modulus [GPa]: 60 ± 1.5, Yield strength [MPa]: 550 (R001-1, by the weights)"
    assert best in report.section("stands")


def test_what_an_alloy_costs_and_which_came_next_stand_with_its_reason(tmp_path: Path) -> None:
    more: dict[str, Any] = {"gain": 1.5, "teaches": 0.04, "runner_up": "Ti-23Nb-5Zr at", "cost": 45.5}
    rounds = {2: [proposal("R002-1", {"Ti": 71.0, "Nb": 24.0, "Zr": 5.0}, 57.0, **more)]}
    said = page(written(tmp_path, rounds=rounds)).section("next")
    assert "because of R002-1 Costs 45.50. Runner-up: Ti-23Nb-5Zr at." in said


def test_a_budget_is_part_of_where_it_stands(tmp_path: Path) -> None:
    report = page(written(tmp_path, f"{QUESTION}budget: {{melts: 20}}\n"))
    assert "Budget 5 of 20 melts spent, 15 left" in report.section("stands")


def test_a_choice_with_its_reason_is_said_in_one_line(tmp_path: Path) -> None:
    acquisition = {"name": "greedy", "about": "the best mean", "why": "as asked for"}
    report = page(written(tmp_path, rounds={2: {"proposals": SECOND, "acquisition": acquisition}}))
    assert "Choice greedy: the best mean (as asked for)" in report.section("models")


def test_where_nothing_is_pursued_nothing_is_best(pages: dict[str, Page]) -> None:
    assert "Best so far none: no property is minimised, maximised or brought to a target" in pages[
        "nothing pursued"
    ].section("stands")
    assert "Best so far none yet: no measured alloy" in pages["no rows"].section("stands")


def test_the_next_batch_is_what_waits_with_what_its_round_expected(pages: dict[str, Page]) -> None:
    said = pages["in its second round"].section("next")
    # 24 at.% Nb and 5 at.% Zr in 100 atoms, by hand with Ti 47.867, Nb 92.906, Zr 91.224 g/mol:
    # 3398.56 + 2229.74 + 456.12 = 6084.42 g, so 36.647 wt.% Nb and 7.497 wt.% Zr.
    assert "R002-1 Ti-24Nb-5Zr at Ti-36.647Nb-7.497Zr wt 500 water" in said
    assert "57.0 (48.8 to 65.2)" in said
    assert "93% A, 6.0 at.% away because of R002-1 outside the data" in said
    assert "R001-4 made Ti-24Nb-4Zr at" in said  # made, and not yet measured
    assert "R001-1 " not in said


def test_bars_of_one_property_share_their_scale(pages: dict[str, Page]) -> None:
    report = pages["in its second round"]
    bars = [(e.attributes["x1"], e.attributes["x2"]) for e in report.all("line") if "class" not in e.attributes]
    # R001-4: 59 ± 8.225; R002-1: 57 ± 8.225; scale from 48.775 to 67.225, 18.45 long; the strengths are alike.
    assert bars == [("10.8", "100.0"), ("0.0", "100.0"), ("0.0", "89.2"), ("0.0", "100.0")]
    best = [element.attributes["x1"] for element in report.all("line") if "class" in element.attributes]
    assert best == ["60.8", "60.8"]  # 60 GPa, and no best of the limited property


def test_an_alloy_changed_after_it_was_suggested_is_flagged(tmp_path: Path) -> None:
    changed = EXPERIMENTS.replace("R002-1,proposed,2,,71,24,5", "R002-1,proposed,2,,70,24,6")
    said = page(written(tmp_path, experiments=changed)).section("next")
    assert "changed since it was suggested: what is expected is of Ti-24Nb-5Zr at" in said


def test_a_space_filling_round_says_that_nothing_was_predicted(pages: dict[str, Page]) -> None:
    report = pages["nothing measured"]
    assert "Nothing was predicted of them." in report.section("next")
    assert "Nothing has been measured or expected yet" in report.section("progress")


def test_what_a_lost_round_expected_is_not_made_up(pages: dict[str, Page]) -> None:
    report = pages["its rounds lost"]
    assert "Round 1 has no decision.json that can be read" in report.section("warnings")
    assert "Nothing was predicted of them." in report.section("next")


def test_the_melt_sheet_is_the_last_rounds(tmp_path: Path) -> None:
    snapshot = written(tmp_path)
    for number, mass in ((1, "7"), (2, "13.25")):
        text = f"id,alloy,order,material,weigh_g\nR,Ti-24Nb,1,Nb,{mass}\nR,Ti-24Nb,2,Ti,20\nR,Ti-24Nb,,total,33.25\n"
        (snapshot.folder.round(number) / "melt-sheet.csv").write_text(text, encoding="utf-8")
    said = page(snapshot).section("melt-sheet")
    assert "round 2" in said
    assert "To weigh [g]" in said
    assert "1 Nb 13.25 ☐ 2 Ti 20.00 ☐ total 33.25" in said  # masses of one column have the same decimals


def test_what_is_read_at_the_balance_comes_first_in_a_melt_sheet(tmp_path: Path) -> None:
    snapshot = written(tmp_path)
    text = "id,alloy,order,material,purity,exact_g,weigh_g\nR,Ti-24Nb,1,Nb,0.99,13.2468,13.25\n"
    (snapshot.folder.round(2) / "melt-sheet.csv").write_text(text, encoding="utf-8")
    said = page(snapshot).section("melt-sheet")
    assert "Order Material To weigh [g] Weighed Purity Exact [g]" in said
    assert "1 Nb 13.25 ☐ 0.99 13.2468" in said


def test_what_is_to_be_made_comes_before_the_question_in_full(snapshots: dict[str, Snapshot]) -> None:
    html = report_html(snapshots["in its second round"])
    order = [html.index(f'<h2 id="{name}"') for name in ("stands", "next", "melt-sheet", "question", "progress")]
    assert order == sorted(order)


def test_the_users_own_name_of_a_candidate_stands_wherever_its_alloy_is_to_be_made(tmp_path: Path) -> None:
    second = [proposal("R002-1", {"Ti": 71.0, "Nb": 24.0, "Zr": 5.0}, 57.0, candidate="shelf B")]
    snapshot = written(tmp_path, rounds={2: second})
    text = "id,alloy,order,material,weigh_g\nR002-1,Ti-24Nb-5Zr,1,Nb,13.25\n"
    (snapshot.folder.round(2) / "melt-sheet.csv").write_text(text, encoding="utf-8")
    report = page(snapshot)
    assert [report.section(name).count("shelf B") for name in ("next", "melt-sheet", "experiments")] == [1, 1, 1]


def test_many_process_variables_stand_below_each_other_with_their_units(tmp_path: Path) -> None:
    question = QUESTION.replace("  quench: {", "  speed_m_per_s: {min: 0, max: 1}\n  quench: {")
    said = page(written(tmp_path, question)).section("next")
    assert "ageing temperature 500 °C speed not said quench water" in said.replace("\u00a0", " ")
    assert "Ageing temperature [°C]" not in said


@pytest.mark.parametrize("text", ["", "no,such\n1,2\n"], ids=["empty", "no melt sheet"])
def test_a_melt_sheet_that_cannot_be_read_is_left_out(tmp_path: Path, text: str) -> None:
    snapshot = written(tmp_path)
    (snapshot.folder.round(2) / "melt-sheet.csv").write_text(text, encoding="utf-8")
    assert "melt-sheet" not in report_html(snapshot)


def test_a_surprise_is_called_one(pages: dict[str, Page]) -> None:
    said = pages["in its second round"].section("comebacks")
    assert "R001-1 Ti-26Nb at Young's modulus [GPa] 58.0 (49.8 to 66.2) 60 inside" in said
    assert "R001-2 Ti-20Nb-10Zr at Young's modulus [GPa] 62.0 (53.8 to 70.2) 90 outside: a surprise" in said


def test_how_the_last_round_was_chosen_is_said(tmp_path: Path) -> None:
    decision = {
        "proposals": SECOND,
        "models": {"youngs_modulus_GPa": {"name": "forest", "why": "It was likeliest."}},
        "acquisition": "expected improvement",
        "runner_ups": ["Ti-30Nb at", "Ti-29Nb at"],
        "remarks": ["3 rows are left out."],
        "seed": 77,
        "versions": {"numpy": "2.0"},
        "digests": {"campaign.yaml": "abc"},
    }
    report = page(written(tmp_path, rounds={2: decision}))
    assert "Young's modulus [GPa] forest. It was likeliest." in report.section("models")
    assert "Ti-30Nb at; Ti-29Nb at" in report.section("models")
    assert "3 rows are left out." in report.section("remarks")
    for said in ("numpy 2.0", "seed 77", "chosen from campaign.yaml (SHA-256) abc"):
        assert said in report.section("provenance")


@pytest.mark.parametrize("odd", [None, 7, "text", ["a"], {"a": "b"}, [[1]], {"a": {"b": {}}}], ids=repr)
def test_a_decision_of_another_shape_does_not_stop_the_report(tmp_path: Path, odd: object) -> None:
    keys = ("models", "acquisition", "runner_ups", "remarks", "seed", "versions", "digests")
    decision = {"proposals": SECOND, **dict.fromkeys(keys, odd)}
    assert page(written(tmp_path, ONLY_CLASSES, rounds={2: decision})).all("main")


def test_conditions_are_asked_and_shown(tmp_path: Path) -> None:
    question = ONLY_CLASSES.replace("properties:", "conditions:\n  test_temperature_C: {at: 37}\nproperties:")
    header = HEADER.replace("phases", "test_temperature_C,phases")
    row = "A,known,,,80,20,0,400,water,,,,,25,beta,,\n"
    report = page(written(tmp_path, question, header + row, {}))
    assert "Conditions Test temperature [°C]: 37 wanted" in report.section("question")
    assert "A known Ti-20Nb at 400 water 25 beta" in report.section("experiments")


def test_every_experiment_is_there_with_what_was_measured(pages: dict[str, Page]) -> None:
    report = pages["in its second round"]
    said = report.section("experiments")
    assert "A known Ti-20Nb at 400 water 70 600 beta 10.1000/first" in said
    assert "B known Ti-25Nb at 55 ± 2 (n = 3) 400 beta + omega J. Titanium 1 (1999) 7" in said
    assert "R001-3 failed 1 Ti-30Nb-5Zr at 350 air cracked" in said
    assert [link.attributes["href"] for link in report.all("a") if "doi" in link.attributes["href"]] == [
        "https://doi.org/10.1000/first"
    ]


def test_an_alloy_known_only_by_its_analysis_has_its_name(tmp_path: Path) -> None:
    header = HEADER.replace("\n", ",Ti_at_pct_measured,Nb_at_pct_measured\n")
    row = "M,known,,,,,,400,water,,,,,beta,,,79,21\n"
    assert "M known Ti-21Nb at" in page(written(tmp_path, ONLY_CLASSES, header + row, {})).section("experiments")


def test_five_hundred_rows_are_all_there_and_a_small_page(tmp_path: Path) -> None:
    amounts = [f"{75 - i % 20},{25 + i % 20 / 2},{i % 20 / 2}" for i in range(500)]
    rows = [f"K{i},known,,10.1000/{i},{made},400,water,{50 + i % 40},,,,beta,,\n" for i, made in enumerate(amounts)]
    large = page(written(tmp_path / "large", experiments=HEADER + "".join(rows), rounds={}))
    names = {cell.text for cell in large.all("th") if cell.attributes["scope"] == "row"}
    assert names == {f"K{i}" for i in range(500)}
    assert len(large.source.encode()) < 1_000_000


def test_a_question_that_was_changed_since_is_warned_of(tmp_path: Path) -> None:
    digests = {"campaign.yaml": "of another one"}
    report = page(written(tmp_path, rounds={1: FIRST, 2: {"proposals": SECOND, "digests": digests}}))
    assert "campaign.yaml was changed after round 2 was chosen" in report.section("warnings")
    now = hashlib.sha256(QUESTION.encode()).hexdigest()
    decision = {"proposals": SECOND, "digests": {"campaign.yaml": now}}
    as_it_is = written(tmp_path / "now", rounds={1: FIRST, 2: decision})
    assert "warnings" not in [heading.attributes["id"] for heading in page(as_it_is).all("h2")]


@pytest.mark.parametrize(("n_inside", "is_warned"), [(7, True), (8, False)])
def test_intervals_that_hold_fewer_than_eight_of_ten_results_are_warned_of(
    n_inside: int, is_warned: bool, tmp_path: Path
) -> None:
    rows = [f"R001-{i},measured,1,,{90 - i},{10 + i},0,350,air,{60 if i < n_inside else 99},,,,,,\n" for i in range(10)]
    foreseen = [proposal(f"R001-{i}", {"Ti": 90.0 - i, "Nb": 10.0 + i}, 60.0) for i in range(10)]
    report = page(written(tmp_path, experiments=HEADER + "".join(rows), rounds={1: foreseen}))
    assert ("Only 7 of 10 results lie inside" in report.source) == is_warned


TOLD = Quality("youngs_modulus_GPa", "forest on both", "whole sources", 40, 30, -3.0, 9.0, 8.0, is_better=False)
HONEST = Quality("phases", "logistic on both", "rows", 20, 18, 0.0, 0.1, 0.4, is_better=True, has_classes=True)


def test_how_good_the_models_are_is_said_in_words_and_doubts_are_warnings(tmp_path: Path) -> None:
    told = Opinion((TOLD, HONEST), None, "There is no window.", ("3 rows are left out.",))
    report = Page(report_html(written(tmp_path), told))
    said = report.section("quality")
    assert "Young's modulus [GPa] forest on both. Intervals are too narrow: only 30 of 40 values that it had" in said
    assert "it errs by 9 GPa (root mean square), and the mean of the others by 8 GPa: it is not surely better" in said
    assert "Phases logistic on both. With rows left out it is right for 18 of 20 rows" in said
    # By hand: R001-1 came as expected, R001-2 with 90 GPa and 700 MPa did not.
    assert "Rounds 2 of 4 results lie inside the 90 % intervals that their rounds had expected." in said
    assert "The intervals of Young's modulus are too narrow" in report.section("warnings")
    assert "phases" not in report.section("warnings")
    assert "There is no window." in report.section("windows")
    assert "3 rows are left out." in report.section("remarks")


def test_a_quick_one_says_what_it_left_out(pages: dict[str, Page]) -> None:
    report = pages["in its second round"]
    assert "Models not asked (--quick)" in report.section("provenance")
    assert {"quality", "windows"}.isdisjoint(heading.attributes["id"] for heading in report.all("h2"))


@pytest.mark.torch
def test_models_are_asked_how_good_they_are_and_where_the_goals_are_met(tmp_path: Path) -> None:
    amounts = [(10 + i % 6 * 6, i % 5 * 2) for i in range(30)]  # modulus falls with niobium, 80 - Nb + Zr GPa
    rows = [f"K{i},known,,{100 - nb - zr},{nb},{zr},{80 - nb + zr + i % 3},,,,\n" for i, (nb, zr) in enumerate(amounts)]
    header = folders.EXPERIMENTS.splitlines(keepends=True)[0]
    folder = folders.make(tmp_path / "ti", experiments=header + "".join(rows))
    report = Page(Campaign(folder).report().read_text(encoding="utf-8"))
    assert re.search(r"\d\d of 30 values that it had not seen lie inside", report.section("quality"))
    assert "that models had predicted without them" in "".join(
        each.attributes.get("aria-label", "") for each in report.all("svg")
    )
    said = report.section("windows")
    # By hand: the lowest of the 30 moduli are 42, 44, 46, 47, 48, 49, 50, 51, 52 …, of which a quarter is below 51.25.
    assert "Where Young's modulus below 51.2 GPa is met with a chance of 50%" in said
    assert "Nb [wt.%]" in said
    assert "Known alloys inside: K" in said
    assert report.all("pre")


def test_what_somebody_wrote_into_the_folder_is_text_and_never_runs(tmp_path: Path) -> None:
    decision = {
        "models": {"some model": {"name": "its name", "why": "its reason"}},
        "proposals": [proposal("R002-1", {"Ti": 71.0, "Nb": 24.0, "Zr": 5.0}, 57.0, why="for this", flags=["a flag"])],
        "stop": {"words": "go on"},
        "remarks": ["a remark"],
        "runner_ups": ["another alloy"],
        "acquisition": "some choice",
    }
    in_files = (
        "Strong and soft",
        "quench",
        "water",
        "beta",
        "yield",
        "10.1000/first",
        "J. Titanium",
        "cracked",
        "R002-1",
    )
    in_decisions = ("some model", "its name", "its reason", "for this", "a flag", "go on", "a remark", "another alloy")

    def hostile(text: str) -> str:
        for word in (*in_files, *in_decisions):
            text = text.replace(word, f"<script>{word}</script><img src=x onerror=alert(1)>")
        return text

    rounds = {1: FIRST, 2: json.loads(hostile(json.dumps(decision)))}
    snapshot = written(tmp_path, hostile(QUESTION), hostile(EXPERIMENTS), rounds)
    sheet = snapshot.folder.round(2) / "melt-sheet.csv"
    sheet.write_text(hostile("id,alloy,material\nR002-1,cracked,beta\n"), encoding="utf-8")
    report = page(snapshot)
    assert report.all("script") == report.all("img") == []
    for word in (*in_files, *in_decisions):
        assert f"<script>{word}</script>" in report.all("body")[0].text


@given(st.text())
def test_linking_changes_no_text(text: str) -> None:
    assert html.unescape(re.sub(r'<a href="[^"<>]*">|</a>', "", linked(text))) == text


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("10.1016/S0921-5093(98)00123-4", ["https://doi.org/10.1016/S0921-5093(98)00123-4"]),
        ("https://doi.org/10.3390/met12050796.", ["https://doi.org/10.3390/met12050796"]),
        ("10.1000/a; 10.1000/b", ["https://doi.org/10.1000/a", "https://doi.org/10.1000/b"]),
        ('10.1000/a"onclick="x', ["https://doi.org/10.1000/a"]),
        ("https://example.org/10.x and javascript:alert(1)", []),
    ],
)
def test_only_a_doi_is_a_link(text: str, addresses: list[str]) -> None:
    assert [link.attributes["href"] for link in Page(str(linked(text))).all("a")] == addresses


def test_synthetic_results_are_labelled_at_the_top_and_in_every_row(tmp_path: Path) -> None:
    made_up = EXPERIMENTS.replace("60,1.5,3,550,beta,,", "60,1.5,3,550,beta,,SYNTHETIC: a formula")
    report = page(written(tmp_path, experiments=made_up))
    assert words(report.all("body")[0].text).startswith("SYNTHETIC")
    labelled = [cell.text for cell in report.all("th") if "SYNTHETIC" in cell.text]
    assert labelled == ["R001-1 SYNTHETIC", "R001-1 SYNTHETIC", "R001-1\nSYNTHETIC"]  # its two properties, and its row
    assert "(R001-1) SYNTHETIC" in report.section("stands")
    assert "SYNTHETIC, not measured" in report.section("progress")


def test_a_demo_folder_is_labelled_before_any_result(tmp_path: Path) -> None:
    snapshot = written(tmp_path)
    assert "SYNTHETIC" not in report_html(snapshot)
    (snapshot.folder.path / "DEMO.txt").write_text("made by the demo", encoding="utf-8")
    assert "This folder was made by alloyloop demo." in words(page(snapshot).all("header")[0].text)


def test_the_last_change_is_the_journals(tmp_path: Path) -> None:
    snapshot = written(tmp_path)
    event = write_event(snapshot.folder.journal, "record", {})
    assert f"record on {event.content['when']}" in page(snapshot).section("provenance")


def test_a_damaged_journal_is_said_and_does_not_stop_the_report(tmp_path: Path) -> None:
    snapshot = written(tmp_path)
    write_event(snapshot.folder.journal, "record", {})
    (event,) = snapshot.folder.journal.iterdir()
    event.write_text("{}", encoding="utf-8")
    assert "This event is damaged" in page(snapshot).section("warnings")


def test_the_campaign_writes_it_into_its_folder(tmp_path: Path) -> None:
    snapshot = written(tmp_path)
    file = Campaign(snapshot.folder.path).report(quick=True)
    assert file == Folder(snapshot.folder.path).report
    assert file.read_text(encoding="utf-8") == report_html(snapshot)


def test_nothing_is_fitted_for_a_quick_one(tmp_path: Path) -> None:
    program = (
        "import sys; from alloyloop.campaigns.campaign import Campaign; Campaign(sys.argv[1]).report(quick=True); "
        "print({'torch', 'botorch', 'sklearn'} & set(sys.modules))"
    )
    folder = str(written(tmp_path).folder.path)
    done = subprocess.run([sys.executable, "-c", program, folder], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "set()"
