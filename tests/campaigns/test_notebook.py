"""The notebook of the documentation runs from its first cell to its last, in a folder of its own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.torch

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "notebooks" / "first-campaign.ipynb"


def cells(kind: str) -> list[dict[str, Any]]:
    content = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return [cell for cell in content["cells"] if cell["cell_type"] == kind]


def test_no_output_is_kept_in_git() -> None:
    assert [cell for cell in cells("code") if cell["outputs"] or cell["execution_count"] is not None] == []


def test_every_cell_that_touches_an_invented_result_says_so() -> None:
    invented = [cell for cell in cells("code") if re.search(r"synthetic_lab|campaign\.record", "".join(cell["source"]))]
    assert len(invented) == 3
    assert [cell for cell in invented if "SYNTHETIC" not in "".join(cell["source"])] == []


def test_it_runs_and_ends_with_two_rounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert [path.name for path in sorted((tmp_path / "my-ti" / "rounds").iterdir())] == ["001", "002"]
    shown = "".join(
        "".join(output.get("data", {}).get("text/html", ""))
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )
    assert shown.count("R001-4") >= 1
    assert "R002-2" in shown
    assert "Ti-24Nb-4Zr-7.9Sn" in shown  # the alloy of our own, judged beside them
