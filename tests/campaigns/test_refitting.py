"""What `record --refit` says: what was believed before, and what is believed with the result."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from alloyloop.campaigns.snapshot import Snapshot
from alloyloop.surrogates.errors import AlloyloopError

from .folders import EXPERIMENTS, PROPOSED, alloyloop, cells, make, make_with_round

pytestmark = pytest.mark.torch

E_GPa = "youngs_modulus_GPa"


def test_a_result_moves_what_is_believed_of_its_alloy_towards_it(tmp_path: Path) -> None:
    folder = make_with_round(tmp_path / "ti")
    told = alloyloop("record", folder, "R001-2", f"{E_GPa}=50", "--refit", "--json").json
    shifts = {alloy["id"]: alloy for alloy in told["refit"]["alloys"]}
    assert {id: alloy["role"] for id, alloy in shifts.items()} == {"R001-2": "recorded", "R001-1": "pending"}
    mine = shifts["R001-2"]
    before, after = (mine[when][E_GPa]["mean"] for when in ("before", "after"))
    assert abs(after - 50) < abs(before - 50)
    assert mine["after"][E_GPa]["std"] > 0


def test_the_best_alloy_is_shown_where_it_is_not_the_one_recorded(tmp_path: Path) -> None:
    folder = make_with_round(tmp_path / "ti")
    told = alloyloop("record", folder, "R001-2", f"{E_GPa}=75", "--refit")
    assert told.code == 0
    lines = told.out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("id"))
    assert lines[at].split() == ["id", "property", "believed", "before", "believed", "now"]
    assert [line.split()[:2] for line in lines[at + 2 : at + 5]] == [
        ["R001-2", "recorded"],
        ["R001-1", "pending"],
        ["E", "best"],  # 61 GPa
    ]


def test_an_element_that_was_never_seen_was_not_believed_anything_of(tmp_path: Path) -> None:
    folder = make_with_round(tmp_path / "ti")
    told = alloyloop("record", folder, "Ti-30Nb-5Sn wt", f"{E_GPa}=60", "--refit", "--json").json
    (mine,) = [alloy for alloy in told["refit"]["alloys"] if alloy["id"] == "X001"]
    assert mine["before"] == {}


def test_of_the_first_result_of_all_nothing_was_believed_before(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti", experiments=f"{EXPERIMENTS.splitlines()[0]}\n{PROPOSED}")
    told = alloyloop("record", folder, "R001-1", f"{E_GPa}=60", "--refit")
    (row,) = [line for line in told.out.splitlines() if line.startswith("R001-1  recorded")]
    assert row.split()[2:5] == [E_GPa, "-", "60.0"]


def test_a_result_is_recorded_even_where_nothing_can_be_fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(snapshot: Snapshot) -> NoReturn:
        raise AlloyloopError("There are too few rows", "Measure more.")

    monkeypatch.setattr("alloyloop.campaigns.refitting.believe", refuse)
    folder = make_with_round(tmp_path / "ti")
    told = alloyloop("record", folder, "R001-1", f"{E_GPa}=60", "--refit")
    assert (told.code, cells(folder, "R001-1")[E_GPa]) == (0, "60")
    assert "Remark: The results are recorded, and nothing can be believed yet: There are too few rows." in told.out


def test_without_refit_no_model_is_loaded(tmp_path: Path) -> None:
    folder = make_with_round(tmp_path / "ti")
    script = (
        "import sys; from alloyloop.campaigns.campaign import Campaign; "
        f"Campaign({str(folder)!r}).record('R001-1', '{E_GPa}=ultrasonic(longitudinal=5200 m/s, shear=2100 m/s)');"
        "heavy = {'torch', 'sklearn', 'matplotlib', 'pandas', 'scipy.optimize', 'scipy.stats'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, encoding="utf-8")
    assert done.stdout.strip() == "[]"
