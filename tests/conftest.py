"""What every test stands on: examples that repeat, plots without a window, and honest skips where torch is missing."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

os.environ.setdefault("MPLBACKEND", "Agg")  # before anything imports matplotlib

# The same examples on every machine, and no clock: a test that fails here fails everywhere.
# `pytest --hypothesis-profile=explore` looks further, with new examples each time.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("repeatable")

WITHOUT_TORCH = find_spec("torch") is None
REASON = "torch is not installed"


class ModuleThatNeedsTorch(pytest.Module):
    """A test file marked whole, which may import torch at its top: skipped without being imported."""

    def collect(self) -> NoReturn:
        pytest.skip(REASON, allow_module_level=True)


def pytest_configure(config: pytest.Config) -> None:
    # Warnings are errors, but for one that is not ours to mend: linear_operator uses a decorator that torch warns of.
    config.addinivalue_line("filterwarnings", "ignore:`torch.jit.script` is deprecated:DeprecationWarning")


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    if WITHOUT_TORCH and "\npytestmark = pytest.mark.torch\n" in module_path.read_text(encoding="utf-8"):
        return ModuleThatNeedsTorch.from_parent(parent, path=module_path)
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if WITHOUT_TORCH and item.get_closest_marker("torch") is not None:
            item.add_marker(pytest.mark.skip(reason=REASON))
