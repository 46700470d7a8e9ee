"""Campaigns that two people work on: rounds and results that need no model, and git as it is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alloyloop.campaigns.changes import Change
from alloyloop.campaigns.folder import GIT_ATTRIBUTES, Folder
from alloyloop.campaigns.journal import digest
from alloyloop.campaigns.sheet import Sheet
from alloyloop.campaigns.writing import changing

from .folders import make

FOUR = {
    "R001-1": {"Ti_wt_pct": "58", "Nb_wt_pct": "32", "Zr_wt_pct": "10"},
    "R001-2": {"Ti_wt_pct": "77", "Nb_wt_pct": "18", "Zr_wt_pct": "5"},
    "R001-3": {"Ti_wt_pct": "70", "Nb_wt_pct": "25", "Zr_wt_pct": "5"},
    "R001-4": {"Ti_wt_pct": "66", "Nb_wt_pct": "30", "Zr_wt_pct": "4"},
}


def propose(folder: Path, number: int, alloys: Mapping[str, Mapping[str, str]]) -> None:
    """Write a round of given alloys, as `suggest` does, without asking a model."""
    with changing(Folder(folder), "suggest") as writer:
        rows = [{"id": id, "status": "proposed", "round": str(number), **cells} for id, cells in alloys.items()]
        digests = {name: digest(content) for name, content in writer.before.items()}
        proposals: list[dict[str, object]] = [
            {
                "id": id,
                "composition": {name.partition("_")[0]: float(text) for name, text in cells.items()},
                "basis": "wt_pct",
                "process": {},
                "predicted": {},
                "probability": {"all": 1.0},
                "nearest": None,
                "flags": [],
                "why": "",
            }
            for id, cells in alloys.items()
        ]
        decision = json.dumps({"round": number, "digests": digests, "proposals": proposals}, indent=1)
        files = {f"inputs/{name}": content for name, content in writer.before.items()}
        files["decision.json"] = decision.encode()
        change = Change.between(writer.sheet, writer.sheet.with_rows(rows))
        frozen = {name: digest(content) for name, content in files.items()}
        writer.commit("suggest", change, {"round": number, "ids": list(alloys), "frozen": frozen}, files)


def enter(folder: Path, id: str, what: str = "record", **cells: str) -> None:
    """Change some cells of one alloy, as `record` does; a result is `measured` unless a status is given."""
    if "youngs_modulus_GPa" in cells:
        cells = {"status": "measured"} | cells
    with changing(Folder(folder), what) as writer:
        row = writer.snapshot.table.row(id)
        sheet: Sheet = writer.sheet.with_cells({(row, name): text for name, text in cells.items()})
        writer.commit(what, Change.between(writer.sheet, sheet))


@dataclass(frozen=True)
class Repository:
    """A campaign's folder under git."""

    folder: Path

    @classmethod
    def of(cls, folder: Path) -> Repository:
        """Put a campaign under git, with what is in it as the first commit."""
        repository = cls(folder)
        (folder / ".gitattributes").write_text(GIT_ATTRIBUTES, encoding="utf-8")
        repository.git("init", "--quiet", "--initial-branch=main")
        repository.commit()
        return repository

    def git(self, *words: str) -> int:
        """Run git, with no settings but its own; its exit status."""
        own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
        who = {f"GIT_{role}_{key}": "t@example.org" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
        command = [shutil.which("git") or "git", "-C", str(self.folder), *words]
        return subprocess.run(command, env={**os.environ, **own, **who}, capture_output=True, check=False).returncode

    def commit(self) -> None:
        """Commit everything."""
        assert self.git("add", "--all") == 0
        assert self.git("commit", "--quiet", "--message", "x") == 0

    def branch(self, name: str) -> None:
        """Begin a branch where `main` is."""
        assert self.git("checkout", "--quiet", "-b", name, "main") == 0

    def merge(self, *names: str) -> bool:
        """Merge other branches into this one, one after the other; whether git did without a conflict."""
        return all(self.git("merge", "--quiet", "--no-edit", name) == 0 for name in names)


def with_round(path: Path) -> Path:
    """A campaign whose first round, of four alloys, waits for its results."""
    folder = make(path)
    propose(folder, 1, FOUR)
    return folder
