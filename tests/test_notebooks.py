"""The notebooks of the documentation: kept with what they showed, and each runs from its first cell to its last."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from .notebooks import NOTEBOOKS, executed, shown

pytestmark = pytest.mark.torch

# What a run must show, beside running at all.
SHOWS = {
    "first-campaign": ["R001-4", "R002-2", "Ti-24Nb-4Zr-7.9Sn"],  # the last is an alloy of our own, judged beside
    "own_spreadsheet": ["hardness_HV", "R001-4"],
    "several_goals": ["price_usd_per_kg", "R001-4"],
    "mg_stent_window": ["ultimate_compressive_strength_MPa", "R001-4"],
    "replay": ["gaussian-process", "greedy"],
    "your_own": ["R001-2"],
    "dask_screen": ["200 000 designs", "True"],
}


def code_cells(file: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def test_every_notebook_says_what_it_must_show() -> None:
    assert {file.stem for file in NOTEBOOKS} == {*SHOWS, "inverse_design"}


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_is_kept_with_what_it_shows_and_without_errors(file: Path) -> None:
    outputs = [output for cell in code_cells(file) for output in cell["outputs"]]
    assert outputs
    assert [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"] == []
    assert [cell["source"] for cell in code_cells(file) if cell["execution_count"] is None] == []


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_every_cell_that_touches_an_invented_result_says_so(file: Path) -> None:
    invented = [
        text
        for cell in code_cells(file)
        if re.search(r"synthetic_lab|campaign\.record\(|youngs_modulus_GPa,note", text := "".join(cell["source"]))
    ]
    assert [text for text in invented if "SYNTHETIC" not in text] == []


@pytest.mark.slow  # inverse_design is run by tests/campaigns/test_inverse_page.py
@pytest.mark.parametrize("file", [file for file in NOTEBOOKS if file.stem in SHOWS], ids=lambda file: file.stem)
def test_a_notebook_runs_from_its_first_cell_to_its_last(file: Path, tmp_path: Path) -> None:
    pytest.importorskip("nbclient")
    told = shown(executed(file, tmp_path))
    assert [words for words in SHOWS[file.stem] if words not in told] == []
