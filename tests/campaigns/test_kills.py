"""Whatever cuts a change short, the campaign is as it was or as it should be, and goes on.

`record`, `suggest`, `undo` and `withdraw` are cut short at every call that changes a file, once in each way;
`benchmarks/kills.py` does it with real kills and full disks, some thousand times.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def crashes() -> Iterator[Any]:
    """benchmarks/crashes.py, and a suggestion that needs no search."""
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        module = import_module("crashes")
        patch.setattr("alloyloop.campaigns.suggesting.suggest", module.quick_suggestion)
        yield module
    for name in {"crashes"} - before:
        del sys.modules[name]


WAYS = ("killed before", "killed within", "killed after", "current lost", "disk full", "call fails")
SHORT, LONG = "record one result", "suggest after edits by hand"


@pytest.mark.parametrize(
    ("name", "way"),
    [
        *((SHORT, way) for way in WAYS),
        *((name, "current lost") for name in ("undo", "withdraw")),
        *(pytest.param(LONG, way, marks=[] if way == "current lost" else pytest.mark.slow) for way in WAYS),
    ],
)
def test_nothing_is_lost_and_nothing_is_halfway(name: str, way: str, crashes: Any, tmp_path: Path) -> None:
    (deed,) = [deed for deed in crashes.DEEDS if deed.name == name]
    deed.prepare(tmp_path / "prepared")
    known = crashes.states(deed, tmp_path / "prepared", tmp_path / "once")
    ends = set()
    for at, call in enumerate(known.calls, 1):
        if way == "killed within" and call != "write":
            continue
        disk = {
            "killed before": lambda at=at: crashes.DyingDisk(at, "before"),
            "killed within": lambda at=at: crashes.DyingDisk(at, "within"),
            "killed after": lambda at=at: crashes.DyingDisk(at, "after"),
            "current lost": lambda at=at: crashes.CurrentlessDisk(at, "after"),
            "disk full": lambda at=at: crashes.FullDisk(at),
            "call fails": lambda at=at: crashes.RefusingDisk(at),
        }[way]()
        folder = tmp_path / "cut"
        shutil.copytree(tmp_path / "prepared", folder)
        outcome = crashes.outcome_of(deed, folder, disk)
        ends.add((folder / "experiments.csv").read_bytes())
        assert crashes.judged(folder, deed, known, outcome) == [], f"{way} at call {at}, {call}"
        shutil.rmtree(folder)
    assert known.old_bytes in ends


def test_the_disk_that_loses_its_current_loses_what_was_not_synced(crashes: Any, tmp_path: Path) -> None:
    """The instrument itself: without syncing, a written file is empty and a new name is gone."""
    from alloyloop.campaigns.files import put_in_place, stage, write_atomically

    path = tmp_path / "a.csv"
    path.write_text("old")
    with crashes.on(crashes.CurrentlessDisk(4, "before")), pytest.raises(crashes.Killed):
        write_atomically(path, "new")  # create, write, sync, [rename]
    assert path.read_text() == "old"
    with crashes.on(crashes.CurrentlessDisk(5, "before")), pytest.raises(crashes.Killed):
        write_atomically(path, "new")  # create, write, sync, allow, rename, [sync of the folder]
    assert path.read_text() == "old"
    with crashes.on(crashes.CurrentlessDisk(7, "before")):
        write_atomically(path, "new")
    assert path.read_text() == "new"
    with crashes.on(crashes.CurrentlessDisk(99)):
        put_in_place(stage(path, b"newer"), path)
    assert path.read_text() == "newer"
