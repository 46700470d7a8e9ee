"""A suggestion comes in seconds from a fresh machine: it waits for no package that it does not need, nor for a lock."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from alloyloop.campaigns import Campaign
from alloyloop.campaigns.folder import Folder
from alloyloop.design.beliefs import LEAST_COMPARED

from .folders import QUESTION, make

pytestmark = pytest.mark.torch  # whose version a decision records, though it is never imported

# Torch takes longer to import than all fits, BoTorch compiles a kernel behind a lock, and nothing is drawn.
UNWANTED = ("torch", "botorch", "gpytorch", "linear_operator", "matplotlib")
SUGGEST = "import sys; from alloyloop.campaigns.cli import main; sys.argv[0] = 'alloyloop'; main()"
# Says that it has begun to write the round, and waits to be killed.
HANGING = """
import sys, time
from alloyloop.campaigns import Campaign, folder
def hang(path, content):
    path.write_bytes(content)
    print("writing", flush=True)
    time.sleep(600)
folder.write_new = hang
Campaign.open(sys.argv[1]).suggest(1)
"""

AUTO = QUESTION.replace("model: gaussian-process\n", "")
EVERY_FEATURE = AUTO.replace("features: composition\n", "")
SEVERAL = AUTO.replace(
    "  youngs_modulus_GPa: {goal: minimize}\n",
    """\
  youngs_modulus_GPa: {goal: minimize}
  yield_strength_MPa: {goal: maximize}
  martensite_start_K: {goal: below, limit: 400}
  phases: {goal: is, value: beta, classes: {beta: [beta], other: ["*"]}}
""",
).replace("batch: 2\n", "batch: 2\nprepare: [clusters 2]\n")


def experiments(n: int = LEAST_COMPARED + 4) -> str:
    """Alloys enough to compare models on, every fifth of another phase than beta, and two that failed."""
    rng = np.random.default_rng(0)
    niobium, zirconium = rng.integers(10, 36, n), rng.integers(0, 11, n)
    modulus = np.round(110 - 2 * niobium + 0.03 * niobium**2 - zirconium + rng.normal(0, 1, n), 2)
    columns = "youngs_modulus_GPa,yield_strength_MPa,martensite_start_K,phases,reason"
    rows = [f"id,status,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,{columns}"]
    for i, (nb, zr, gpa) in enumerate(zip(niobium, zirconium, modulus, strict=True)):
        told = f"{gpa},{400 + 5 * nb},{900 - 18 * nb - 5 * zr},{'omega' if nb < 16 else 'beta'},"
        rows.append(f"K{i + 1},known,{100 - nb - zr},{nb},{zr},{told}")
    rows += [f"F{i},failed,{100 - nb - 10},{nb},10,,,,,cracked" for i, nb in ((1, 38), (2, 40))]
    return "\n".join(rows) + "\n"


@pytest.mark.parametrize("question", [EVERY_FEATURE, SEVERAL], ids=["one goal", "several goals"])
def test_a_suggestion_imports_no_torch_and_compiles_nothing(question: str, tmp_path: Path) -> None:
    """Models and acquisition at their defaults; packages that must not be imported fail if they are."""
    folder, fakes, compiled = make(tmp_path / "ti", question, experiments()), tmp_path / "fakes", tmp_path / "compiled"
    for name in UNWANTED:
        (fakes / name).mkdir(parents=True)
        (fakes / name / "__init__.py").write_text(f"raise AssertionError('{name} is imported')\n", encoding="utf-8")
    path = os.pathsep.join(filter(None, (str(fakes), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-c", SUGGEST, "suggest", str(folder)],
        env=os.environ | {"PYTHONPATH": path, "TORCH_EXTENSIONS_DIR": str(compiled)},
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "R001-2" in done.stdout
    assert not compiled.exists()


def test_an_import_that_is_not_wanted_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise AssertionError('torch is imported')\n", encoding="utf-8")
    path = os.pathsep.join(filter(None, (str(tmp_path), os.environ.get("PYTHONPATH"))))
    code = "from alloyloop.surrogates.botorch_model import BotorchModel"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert done.stderr.splitlines()[-1] == "AssertionError: torch is imported"


def test_a_suggestion_that_was_killed_while_it_wrote_does_not_block_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alloyloop.campaigns.locking.PATIENCE", 0.05)
    folder, other = make(tmp_path / "ti"), make(tmp_path / "other")
    with subprocess.Popen([sys.executable, "-c", HANGING, str(folder)], stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline().strip() == b"writing"
        with pytest.raises(Exception, match=f"process {running.pid}. has been writing"), Folder(folder).writing():
            raise AssertionError
        running.kill()
    assert (folder / "experiments.csv").read_bytes() == (other / "experiments.csv").read_bytes()
    assert Campaign.open(folder).suggest(1).alloys == Campaign.open(other).suggest(1).alloys


def test_the_same_folder_gives_the_same_batch_whether_a_choice_is_made_or_remembered(tmp_path: Path) -> None:
    campaign = Campaign.open(make(tmp_path / "ti", AUTO, experiments()))
    first = campaign.suggest(dry_run=True)
    assert (campaign.folder.cache / "choices.json").exists()
    assert campaign.suggest(dry_run=True).alloys == first.alloys
