"""The page and the notebook on inverse design: what they say is run, on the built-in campaign."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from alloyloop.campaigns.campaign import Campaign

from .folders import alloyloop

pytestmark = pytest.mark.torch

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "inverse.md").read_text(encoding="utf-8")
NOTEBOOK = DOCS / "notebooks" / "inverse_design.ipynb"
COMMANDS = [shlex.split(line)[1:] for line in PAGE.splitlines() if line.startswith("    alloyloop ")]


@pytest.mark.slow
def test_every_command_of_the_page_runs_and_answers_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Campaign.new("my-ti", "beta-ti")
    asked = [command for command in COMMANDS if "my-ti" in command]
    assert len(asked) == 4
    for command in asked:
        told = alloyloop(*command)
        assert told.code == 0, told.err
        if "--fix" not in command:  # of this one the page shows no answer
            assert f"    {told.out.splitlines()[0]}\n" in PAGE
    assert (tmp_path / "windows.svg").read_text(encoding="utf-8").startswith("<svg")


def test_every_option_of_the_commands_is_on_the_page() -> None:
    for option in ("--want", "--fix", "--no-noise", "--data", "--inputs", "--probability", "--alloy", "--at", "--plot"):
        assert option in PAGE


def test_the_notebook_is_kept_with_its_answers_and_its_picture() -> None:
    cells = [cell for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"]
    kept = [output for cell in cells for output in cell["outputs"]]
    assert [cell["id"] for cell in cells[1:] if not cell["outputs"]] == []
    assert any("image/svg+xml" in output.get("data", {}) for output in kept)
    assert [output for output in kept if output["output_type"] == "error"] == []


@pytest.mark.slow
def test_the_notebook_runs_without_the_tables_that_are_not_in_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = json.dumps([cell.get("outputs", []) for cell in notebook.cells])
    assert "beta_ti_ms.csv is not on this machine" in shown
    assert "mg_stent_literature.csv is not on this machine" in shown
