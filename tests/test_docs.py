"""Every example in a docstring runs. pytest cannot import the mapped folders by path, so this goes by module name."""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from pkgutil import walk_packages

import pytest

FLOORS = ("surrogates", "design", "campaigns")
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
    needs_torch = IMPORTS_TORCH.search(Path(spec.origin).read_text(encoding="utf-8"))
    return pytest.param(name, marks=[pytest.mark.torch] if needs_torch else [])


@pytest.mark.parametrize("name", [case(name) for name in modules()])
def test_every_example_in_a_docstring_runs(name: str) -> None:
    failed, _ = doctest.testmod(import_module(name))
    assert failed == 0, "the report is in the captured output"


@pytest.mark.parametrize("floor", FLOORS)
def test_every_floor_has_modules_to_look_at(floor: str) -> None:
    assert [name for name in modules() if name.startswith(f"alloyloop.{floor}.")]
