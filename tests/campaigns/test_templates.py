"""Every built-in campaign: it opens, explains itself, has a space to choose from, answers or says why it cannot."""

from __future__ import annotations

import csv
import re
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.examining import check
from alloyloop.campaigns.folder import Folder
from alloyloop.campaigns.spec import CampaignSpec, read_spec
from alloyloop.campaigns.templates import FAMILIES, PAGE, Template, template, template_names
from alloyloop.surrogates.errors import AlloyloopError

from .folders import alloyloop

NAMES = template_names()
WITH_ROWS = [name for name in NAMES if not template(name).first_design_only]
WITHOUT_ROWS = [name for name in NAMES if template(name).first_design_only]

# One heading of a page holds one of these words. The page of beta-ti, of one table and no single study, has fewer.
EVERY_PAGE = ("question", "values come from", "terms")
OF_A_STUDY = ("study", "different", "measure", "first")

FIELD = Path(__file__).resolve().parents[2] / "docs" / "field.md"

BOUND = re.compile(r"\b(min|max|limit|low|high|at|target|tolerance): *-?[\d.]")


def page(name: str) -> str:
    return (template(name).folder / PAGE).read_text(encoding="utf-8")


@cache
def spec(name: str) -> CampaignSpec:
    return read_spec(template(name).folder / "campaign.yaml")


def header(offered: Template) -> list[str]:
    with (offered.folder / "experiments.csv").open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file))


def unexplained(text: str) -> list[str]:
    """The lines of campaign.yaml that bound something, and of which no comment speaks.

    A comment speaks of its own line, or of what stands below it, no further left and before the next blank line.
    """
    lines, found = text.splitlines(), []
    for i, line in enumerate(lines):
        if BOUND.search(line.partition("#")[0]) and not _spoken_of(line, lines[:i]):
            found.append(line)
    return found


def _spoken_of(line: str, before: list[str]) -> bool:
    reach = _indent(line)
    if "#" in line:
        return True
    for above in reversed(before):
        if not above.strip():
            return False
        if _indent(above) <= reach and (above.lstrip().startswith("#") or (_indent(above) < reach and "#" in above)):
            return True
        reach = min(reach, _indent(above))
    return False


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def test_each_belongs_to_one_family() -> None:
    assert Counter(name for names in FAMILIES.values() for name in names) == Counter(NAMES)


def test_the_list_names_each_with_its_family_and_what_has_no_table() -> None:
    told = alloyloop("templates", "--json").json["templates"]
    assert {each["name"]: (each["family"], each["first_design_only"]) for each in told} == {
        name: (template(name).family, name in WITHOUT_ROWS) for name in NAMES
    }
    lines = alloyloop("templates").out.splitlines()
    for name in NAMES:
        (line,) = (line for line in lines if line.split()[:1] == [name])
        assert template(name).title in line
        assert line.endswith("first design only") == (name in WITHOUT_ROWS)


def test_the_page_on_the_field_has_one_row_for_each() -> None:
    table = FIELD.read_text(encoding="utf-8").partition("<!-- begin templates -->")[2].partition("<!-- end")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.strip().splitlines()[2:]]
    assert [(family, name.strip("`"), comes) for family, name, _, comes in rows] == [
        (family, name, "table" if name in WITH_ROWS else "first designs")
        for family, names in FAMILIES.items()
        for name in names
    ]


@pytest.mark.parametrize("name", NAMES)
def test_its_page_is_printed(name: str) -> None:
    assert alloyloop("templates", name).out.rstrip() == page(name).rstrip()


@pytest.mark.parametrize("name", NAMES)
def test_its_page_says_what_is_asked_where_values_come_from_and_on_what_terms(name: str) -> None:
    offered, headings = template(name), re.findall(r"^## (.*)$", page(name), re.M)
    assert re.match(r"# \S", page(name))
    assert len(offered.title) <= 60
    assert offered.summary.endswith(".")
    for word in (*EVERY_PAGE, *(() if name == "beta-ti" else OF_A_STUDY)):
        assert any(word in heading.lower() for heading in headings), f"no heading says '{word}': {headings}"


@pytest.mark.parametrize("name", NAMES)
def test_every_bound_has_a_comment_that_says_where_it_comes_from(name: str) -> None:
    assert unexplained((template(name).folder / "campaign.yaml").read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a: {min: 0}\n", ["a: {min: 0}"]),
        ("a: {min: 0}  # ours\n", []),
        ("# ours\na: {min: 0}\nb: {max: 1}\n", []),
        ("a:  # ours\n  b: {min: 0}\n", []),
        ("# ours\na:\n  b: {min: 0}\n", []),
        ("# ours\n\na: {min: 0}\n", ["a: {min: 0}"]),
        ("a:\n  # of c\n  c: 1\nd:\n  b: {at: 37}\n", ["  b: {at: 37}"]),
    ],
)
def test_a_bound_that_no_comment_explains_is_seen(text: str, lines: list[str]) -> None:
    assert unexplained(text) == lines


@pytest.mark.parametrize("name", NAMES)
def test_its_table_has_a_column_for_all_that_is_asked(name: str) -> None:
    asked, columns = spec(name), set(header(template(name)))
    wanted = {"id", "status", *asked.process, *asked.conditions, *asked.learned, *asked.class_goals}
    if asked.composition is not None:
        symbols = {asked.composition.balance, *asked.composition.elements}
        wanted |= {f"{symbol}_{asked.composition.basis}" for symbol in symbols}
    assert wanted <= columns


@pytest.mark.parametrize("name", WITH_ROWS)
def test_every_row_of_a_table_names_its_source_and_a_withdrawn_one_its_reason(name: str) -> None:
    with (template(name).folder / "experiments.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            assert re.match(r"10\.\d{4,}/|https?://", row["source"]), row["id"]
            assert (row["status"] == "withdrawn") == bool(row["reason"]), row["id"]


def test_no_two_ask_the_same_of_the_same_space() -> None:
    questions = {}
    for name in NAMES:
        asked = spec(name)
        space = asked.composition and (asked.composition.basis, sorted(asked.composition.elements))
        questions[name] = str(
            (space, sorted(asked.process), asked.candidates, sorted(asked.properties.items(), key=str))
        )
    assert len(set(questions.values())) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_copied_whole_without_a_mistake_and_with_a_space_to_choose_from(name: str, tmp_path: Path) -> None:
    campaign = Campaign.new(tmp_path / "new", name)
    assert {file.name for file in template(name).files} <= {file.name for file in (tmp_path / "new").iterdir()}
    checked = check(Folder(tmp_path / "new"))
    assert [str(problem) for problem in checked.problems] == []
    assert checked.designs is not None
    assert checked.designs.number >= 10 * spec(name).batch
    assert not [remark for remark in checked.remarks if "excludes nothing" in remark]
    assert campaign.status().rounds == 0


@pytest.mark.parametrize("name", [name for name in NAMES if spec(name).candidates])
def test_what_it_chooses_from_a_list_has_a_name_that_a_person_knows_it_by(name: str, tmp_path: Path) -> None:
    space = Campaign.new(tmp_path / "new", name).snapshot().space
    assert space.candidates is not None
    assert len(set(space.candidates.names)) == len(space.candidates.names) > 1


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize("name", NAMES)
def test_its_first_proposals_are_inside_differ_and_sum_to_100(name: str, tmp_path: Path) -> None:
    campaign = Campaign.new(tmp_path / "new", name)
    space = campaign.snapshot().space
    batch = campaign.suggest(4, dry_run=True)
    designs = [(alloy.composition, alloy.process) for alloy in batch]
    assert len(designs) == 4
    assert len({str(design) for design in designs}) == 4
    for composition, process in designs:
        amounts = np.zeros(0) if composition is None else composition.vector(space.elements, space.basis)
        if composition is not None:
            assert sum(composition.at_pct.values()) == pytest.approx(100, abs=0.01)
        treated = {
            key: np.array([value], dtype=object if isinstance(value, str) else np.float64)
            for key, value in process.items()
            if key in spec(name).process
        }
        assert space.contains(amounts[np.newaxis], treated).all()


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize("name", WITH_ROWS)
def test_asked_which_alloys_meet_its_goals_it_answers_with_a_chance(name: str, tmp_path: Path) -> None:
    answer = Campaign.new(tmp_path / "new", name).inverse(n=1)
    (alloy,) = answer.json()["answers"]
    assert 0 <= alloy["probability"]["all"] <= 1


@pytest.mark.torch
@pytest.mark.parametrize("name", WITHOUT_ROWS)
def test_asked_the_same_without_a_table_it_refuses_in_one_sentence(name: str, tmp_path: Path) -> None:
    campaign = Campaign.new(tmp_path / "new", name)
    with pytest.raises(AlloyloopError) as refused:
        campaign.inverse(n=1)
    assert "\n" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize("name", [name for name in WITH_ROWS if name != "mg-stent"])
def test_gone_through_again_its_table_says_what_choosing_by_lot_would_have_cost(name: str, tmp_path: Path) -> None:
    told = Campaign.new(tmp_path / "new", name).backtest(["random"], seeds=2, budget=10)
    assert list(told.json()["strategies"]) == ["random"]


@pytest.mark.torch
def test_the_stents_table_cannot_be_gone_through_since_no_alloy_has_all_that_is_asked(tmp_path: Path) -> None:
    with pytest.raises(AlloyloopError, match=r"nothing to replay.*ultimate_compressive_strength_MPa is not known"):
        Campaign.new(tmp_path / "new", "mg-stent").backtest(["random"], seeds=2, budget=10)
