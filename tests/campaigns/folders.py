"""Small campaign folders that are quick to model, and the command line run in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

from alloyloop.campaigns import cli

# One model and plain features, so that nothing has to be cross-validated: a batch takes a second.
QUESTION = """\
alloyloop: 1
name: Small
composition:
  basis: wt_pct
  balance: Ti
  step: 1
  elements:
    Nb: {min: 10, max: 40}
    Zr: {min: 0, max: 10}
  rules:
    - Nb + Zr <= 45
properties:
  youngs_modulus_GPa: {goal: minimize}
features: composition
model: gaussian-process
batch: 2
seed: 3
"""

EXPERIMENTS = """\
id,status,round,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,youngs_modulus_GPa,youngs_modulus_GPa_std,youngs_modulus_GPa_n,reason,note
A,known,,80,20,0,85,,,,
B,known,,70,30,0,72,,,,
C,known,,65,35,0,63,,,,
D,known,,60,40,0,66,,,,
E,known,,60,30,10,61,,,,
"""

PROPOSED = """\
R001-1,proposed,1,58,32,10,,,,,
R001-2,made,1,77,18,5,,,,,
"""


def make(path: Path, question: str = QUESTION, experiments: str | bytes = EXPERIMENTS) -> Path:
    """Write a campaign folder by hand, as a user would."""
    path.mkdir(parents=True)
    (path / "campaign.yaml").write_text(question, encoding="utf-8")
    data = experiments.encode() if isinstance(experiments, str) else experiments
    (path / "experiments.csv").write_bytes(data)
    return path


def make_with_round(path: Path, question: str = QUESTION, experiments: str = EXPERIMENTS + PROPOSED) -> Path:
    """The same with a first round, of which 60 GPa ± 2 was expected, and no model needed to make it."""
    make(path, question, experiments)
    expected = {"youngs_modulus_GPa": {"mean": 60.0, "std": 2.0, "low": 56.7, "high": 63.3}}
    alloy: dict[str, Any] = {
        "composition": {"Ti": 58.0, "Nb": 32.0, "Zr": 10.0},
        "basis": "wt_pct",
        "process": {},
        "predicted": expected,
        "probability": {"all": 1.0},
        "nearest": None,
        "flags": [],
        "why": "",
    }
    decision = {
        "proposals": [{"id": id, **alloy} for id in ("R001-1", "R001-2")],
        "stop": {"expected_gain": 1.5, "words": "The batch is expected to gain 1.5 GPa."},
    }
    (path / "rounds" / "001").mkdir(parents=True)
    (path / "rounds" / "001" / "decision.json").write_text(json.dumps(decision), encoding="utf-8")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its path, but for the caches that may be deleted at any time."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and ".alloyloop" not in file.parts
    }


def cells(folder: Path, id: str) -> dict[str, str]:
    """The row of one alloy in experiments.csv, read without our own reader; for plain files with commas."""
    header, *rows = (folder / "experiments.csv").read_text(encoding="utf-8").splitlines()
    (row,) = [row for row in rows if row.startswith(f"{id},")]
    return dict(zip(header.split(","), row.split(","), strict=True))


def events(folder: Path) -> list[dict[str, Any]]:
    """What the journal holds, in the order of the names of its files."""
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted((folder / "journal").glob("*.json"))]


@dataclass(frozen=True)
class Told:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def alloyloop(*arguments: object) -> Told:
    """Run one command line in this process."""
    words: Sequence[str] = ["alloyloop", *map(str, arguments)]
    code: object = 0
    with patch.object(sys, "argv", words), redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0
    assert isinstance(code, int)
    return Told(code, out.getvalue(), err.getvalue())
