"""Commands that predict nothing start without the heavy packages: a laboratory's laptop answers at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "botorch", "gpytorch", "linear_operator", "sklearn", "matplotlib")

# Runs one command line in this process and says, as the last line, which heavy packages it has loaded.
RUN = f"""
import json, sys
from alloyloop.campaigns.cli import main
sys.argv = ["alloyloop", *sys.argv[1:]]
try:
    main()
    code = 0
except SystemExit as stop:
    code = stop.code or 0
print()
print(json.dumps([code, sorted(set({HEAVY}) & set(sys.modules))]))
"""


def run(*arguments: str) -> tuple[int, list[str]]:
    """The exit code of a command line, and the heavy packages that it loaded."""
    done = subprocess.run([sys.executable, "-c", RUN, *arguments], capture_output=True, check=True, encoding="utf-8")
    code, loaded = json.loads(done.stdout.splitlines()[-1])
    return code, loaded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built-in campaign, as a user begins it."""
    path = tmp_path_factory.mktemp("campaigns") / "soft-ti"
    assert run("new", str(path), "--template", "beta-ti") == (0, [])
    return path


def test_importing_the_command_line_loads_no_heavy_package() -> None:
    script = f"import sys, alloyloop.campaigns.cli; print(sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, encoding="utf-8")
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["describe", "Ti-35Nb-7Zr-5Ta wt"], ["templates"], ["policies"]], ids=" ".join
)
def test_a_command_that_needs_no_campaign_loads_no_heavy_package(arguments: list[str]) -> None:
    assert run(*arguments) == (0, [])


@pytest.mark.parametrize("command", ["check", "status"])
def test_looking_at_a_campaign_loads_no_heavy_package(command: str, folder: Path) -> None:
    assert run(command, str(folder)) == (0, [])


def test_a_heavy_package_would_be_seen() -> None:
    script = RUN.replace("from alloyloop.campaigns.cli import main", "import matplotlib; main = lambda: None")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, encoding="utf-8")
    assert json.loads(done.stdout.splitlines()[-1]) == [0, ["matplotlib"]]
