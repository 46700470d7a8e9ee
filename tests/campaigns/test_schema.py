"""The JSON Schema of campaign.yaml says what the reader accepts; jsonschema is the judge."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from alloyloop.campaigns.problems import CampaignFileError
from alloyloop.campaigns.schema import MEANINGS, campaign_schema
from alloyloop.campaigns.spec import CampaignSpec, read_spec
from alloyloop.campaigns.templates import template, template_names

from .folders import alloyloop

jsonschema = pytest.importorskip("jsonschema")

HERE = Path(__file__).parent
PAGE = (HERE.parent.parent / "docs" / "file-formats.md").read_text(encoding="utf-8")
QUESTION = """\
alloyloop: 1
name: A question with every kind of key
composition:
  basis: wt_pct
  balance: Ti
  step: 0.5
  elements: {Nb: {min: 0, max: 40}, Zr: {max: 10, step: 1}}
  groups: {refractory: {of: [Nb, Zr], max_elements: 1}}
  rules: [Nb + Zr >= 5]
  made_within: {Nb: 0.3}
process:
  solution_temperature_C: {min: 700, max: 1000, step: 25}
  quench: {choices: [water, air]}
conditions: {test_temperature_C: {at: 37}}
properties:
  youngs_modulus_GPa: {goal: match, target: 50, tolerance: 5}
  yield_strength_MPa: {goal: between, low: 600, high: 900}
  phase: {goal: is, value: 1, classes: {1: beta, other: [alpha, "*"]}}
features: [composition, Nb / Zr]
model: {youngs_modulus_GPa: forest}
cost: {per_melt: 10, prices_per_kg: {Nb: 90}, process: {quench: {water: 1}, solution_temperature_C: 0.1}}
budget: {melts: 40}
melting: {losses: {arc: {Sn: 0.01}}, impurities: {O: 0.2}}
batch_shares: [solution_temperature_C]
"""


# Kinds of mistakes that a schema can know.
OF_TYPE = re.compile("_type$|_parsing$|^extra_forbidden$|^missing$")


def document(text: str) -> Any:
    return json.loads(json.dumps(YAML(typ="safe").load(text)))  # keys as text, as editors see them


def examples() -> Iterator[tuple[str, str]]:
    for name in template_names():
        yield name, (template(name).folder / "campaign.yaml").read_text(encoding="utf-8")
    for path in sorted((HERE / "golden").glob("**/campaign.yaml")):
        yield str(path.relative_to(HERE)), path.read_text(encoding="utf-8")
    for path in sorted([*HERE.glob("*.py"), *HERE.parent.parent.glob("docs/*.md")]):
        for i, block in enumerate(re.findall(r"^alloyloop: 1\n(?:.+\n|\n(?! *\n))+", path.read_text("utf-8"), re.M)):
            yield f"{path.name}-{i}", block.partition('"""')[0].partition("```")[0]
    yield "every key", QUESTION


def accepted(text: str, folder: Path) -> bool:
    (folder / "campaign.yaml").write_text(text, encoding="utf-8")
    try:
        read_spec(folder / "campaign.yaml")
    except CampaignFileError:
        return False
    return True


def is_valid(content: Any) -> bool:
    return not list(jsonschema.Draft202012Validator(campaign_schema()).iter_errors(content))


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(campaign_schema())


@pytest.mark.parametrize(("name", "text"), [pytest.param(*example, id=example[0]) for example in examples()])
def test_every_question_that_the_reader_accepts_validates(name: str, text: str, tmp_path: Path) -> None:
    if name == "every key" or name in template_names() or name.startswith("golden"):
        assert accepted(text, tmp_path)
    if accepted(text, tmp_path):
        jsonschema.Draft202012Validator(campaign_schema()).validate(document(text))


def places(node: Any, keys: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a document."""
    yield keys
    inside = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in inside:
        yield from places(value, (*keys, key))


def mutated(content: Any, keys: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at one place; in a dictionary's place a key beside the others for `...`."""
    changed = deepcopy(content)
    node = changed
    for key in keys[:-1]:
        node = node[key]
    if value is ...:
        inside = node[keys[-1]] if keys else changed
        inside["no_such_key"] = 1
    else:
        node[keys[-1]] = value
    return changed


def test_a_value_of_another_type_that_the_reader_refuses_is_refused() -> None:
    content, refused = document(QUESTION), 0
    for keys in list(places(content))[1:]:
        for wrong in ([], {}, [[1]], {"a": {"b": [1]}}, None, "lots"):
            other = mutated(content, keys, wrong)
            try:
                CampaignSpec.model_validate(other)
            except ValidationError as error:
                if any(OF_TYPE.search(detail["type"]) for detail in error.errors()):
                    refused += 1
                    assert not is_valid(other), (keys, wrong)
    assert refused > 100


def test_an_unknown_key_is_refused_wherever_the_reader_refuses_it() -> None:
    content, refused = document(QUESTION), 0
    for keys in places(content):
        node = content
        for key in keys:
            node = node[key]
        if not isinstance(node, dict):
            continue
        other = mutated(content, keys, ...)
        try:
            CampaignSpec.model_validate(other)
        except ValidationError:
            refused += 1
            assert not is_valid(other), keys
    assert refused > 10


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("target: 50, tolerance: 5", "target: 50"),
        ("goal: match", "goal: maximize"),
        ("alloyloop: 1", "alloyloop: 2"),
        ("features:", "candidates: ../elsewhere.csv\nfeatures:"),
        ("step: 0.5", "step: 0"),
        ("max: 40", "max: 140"),
        ("batch_shares", "batch: 97\nbatch_shares"),
    ],
)
def test_numbers_out_of_range_and_goals_without_their_numbers_are_refused_by_both(
    was: str, now: str, tmp_path: Path
) -> None:
    text = QUESTION.replace(was, now)
    assert text != QUESTION
    assert not accepted(text, tmp_path)
    assert not is_valid(document(text))


def test_every_key_is_explained() -> None:
    schema = CampaignSpec.model_json_schema()
    kinds = {"CampaignSpec": schema, **schema["$defs"]}
    assert {kind: set(of["properties"]) for kind, of in kinds.items()} == {k: set(v) for k, v in MEANINGS.items()}


def test_the_keys_of_the_manual_are_those_of_the_schema() -> None:
    named = set(re.findall(r"^\| `([a-z_]+)` \|", PAGE.partition("## campaign.yaml")[2].partition("\n### ")[0], re.M))
    assert named == set(MEANINGS["CampaignSpec"])


def test_the_command_prints_it_or_writes_it(tmp_path: Path) -> None:
    told = alloyloop("schema")
    assert (told.code, told.err, json.loads(told.out)) == (0, "", campaign_schema())
    path = tmp_path / "campaign.schema.json"
    told = alloyloop("schema", "-o", str(path))
    assert "# yaml-language-server: $schema=campaign.schema.json" in told.out
    assert json.loads(path.read_text(encoding="utf-8")) == campaign_schema()
