"""What the documentation says is so: every example in a docstring runs, and the file formats are described whole.

pytest cannot import the mapped folders by path, so the docstrings are found by the names of their modules.
"""

from __future__ import annotations

import doctest
import re
import shlex
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, cast

import pytest
import typer.main
from pydantic import BaseModel
from ruamel.yaml import YAML

from alloyloop.campaigns import cli
from alloyloop.campaigns.spec import CampaignSpec, CompositionSpec, read_spec
from alloyloop.campaigns.table import FIRST_COLUMNS, LAST_COLUMNS, STATUSES
from alloyloop.surrogates import SURROGATES

FLOORS = ("surrogates", "design", "campaigns")
BESIDE = re.compile(r"^from \.(\w+) import", re.MULTILINE)
IMPORTS_TORCH = re.compile(r"^\s*(?:>>> )?(?:from|import) (?:torch|botorch|gpytorch|linear_operator)\b", re.MULTILINE)


def modules() -> Iterator[str]:
    for floor in FLOORS:
        name = f"alloyloop.{floor}"
        yield name
        yield from (module.name for module in walk_packages(import_module(name).__path__, f"{name}."))


def case(name: str) -> object:
    """A module to look at: marked before it is imported, so that one that needs torch can be skipped."""
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return pytest.param(name, marks=[pytest.mark.torch] if needs_torch(Path(spec.origin)) else [])


@cache
def needs_torch(file: Path) -> bool:
    """Whether a module imports torch, or at its top one beside it that does."""
    text = file.read_text(encoding="utf-8")
    beside = [file.with_name(f"{name}.py") for name in BESIDE.findall(text)]
    return bool(IMPORTS_TORCH.search(text)) or any(needs_torch(one) for one in beside if one.exists())


@pytest.mark.parametrize("name", [case(name) for name in modules()])
def test_every_example_in_a_docstring_runs(name: str) -> None:
    failed, _ = doctest.testmod(import_module(name))
    assert failed == 0, "the report is in the captured output"


@pytest.mark.parametrize("floor", FLOORS)
def test_every_floor_has_modules_to_look_at(floor: str) -> None:
    assert [name for name in modules() if name.startswith(f"alloyloop.{floor}.")]


ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("*/*.md")]
)
FORMATS = (ROOT / "docs" / "file-formats.md").read_text(encoding="utf-8")
# Of a page: a line of commands, indented or after `$ `, and code within a line.
COMMAND = re.compile(r"^(?: {4,}|\$ )alloyloop (.+)$|`alloyloop ([^`]+)`", re.MULTILINE)
COMMANDS = cast(Any, typer.main.get_command(cli.app)).commands


def commands(page: Path) -> list[str]:
    """Every command that a page shows, without `alloyloop` and what may be left out of it."""
    shown = [line or within for line, within in COMMAND.findall(page.read_text(encoding="utf-8"))]
    return [re.sub(r"[\[\]]|\s…$", "", command) for command in shown]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_that_a_page_shows_is_one_that_there_is(page: Path) -> None:
    """With the options that there are; what it prints is tested page by page."""
    for shown in commands(page):
        name, *words = shlex.split(shown, comments=True)
        assert name in COMMANDS, shown
        command = COMMANDS[name]
        command.make_parser(command.context_class(command)).parse_args(words)  # raises where there is no such option


EXAMPLES = [
    (page, text)
    for page in PAGES
    for text in re.findall(r"^```yaml\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
]


@pytest.mark.parametrize(("page", "text"), EXAMPLES, ids=lambda one: one.stem if isinstance(one, Path) else "")
def test_every_example_of_campaign_yaml_has_keys_that_there_are(page: Path, text: str) -> None:
    written = YAML(typ="safe").load(text)
    assert set(written) <= set(CampaignSpec.model_fields), page
    assert set(written.get("composition", {})) <= set(CompositionSpec.model_fields), page


def test_the_example_of_the_file_formats_is_a_campaign_that_can_be_read(tmp_path: Path) -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", FORMATS, re.DOTALL | re.MULTILINE)
    (tmp_path / "campaign.yaml").write_text(example, encoding="utf-8")
    assert read_spec(tmp_path / "campaign.yaml").batch == 4


@pytest.mark.parametrize(("model", "above"), [(CampaignSpec, ""), (CompositionSpec, "composition.")])
def test_every_key_of_campaign_yaml_is_explained(model: type[BaseModel], above: str) -> None:
    keys = {f"{above}{key}" for key in model.model_fields if key != "composition"}
    assert {key for key in keys if f"| `{key}` |" not in FORMATS} == set()


def test_every_column_and_status_of_experiments_csv_is_explained() -> None:
    first_and_last = {*FIRST_COLUMNS, *LAST_COLUMNS, *STATUSES}
    assert {word for word in first_and_last if f"`{word}`" not in FORMATS} == set()


def test_the_page_of_families_tells_of_every_family() -> None:
    page = (Path(__file__).resolve().parents[1] / "docs" / "families.md").read_text(encoding="utf-8")
    summary = page.partition("<!-- begin summary -->")[2].partition("<!-- end summary -->")[0]
    told = {line.split("|")[1].strip() for line in summary.strip().splitlines()[2:]}
    assert told - {"mean", "linear mixture"} == set(SURROGATES)
