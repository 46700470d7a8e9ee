"""Measurements of one name that were made in unlike ways are pointed out, and only these."""

from __future__ import annotations

from pathlib import Path

import pytest

from alloyloop.campaigns.campaign import Campaign

from .folders import QUESTION, alloyloop, make

E_GPa = "youngs_modulus_GPa"


def table(*ways: str, column: str = f"{E_GPa}_method") -> str:
    """One known alloy each, measured in these ways."""
    rows = (f"{'ABCDEF'[i]},known,{80 - i},{20 + i},0,{70 + i},{way}" for i, way in enumerate(ways))
    return "\n".join([f"id,status,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,{E_GPa},{column}", *rows]) + "\n"


def remarks(folder: Path) -> list[str]:
    return [remark for remark in Campaign(folder).check()[1] if "unlike" in remark]


@pytest.mark.parametrize("column", [f"{E_GPa}_method", "test_method"])
def test_check_points_out_a_property_measured_by_several_methods(column: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "ti", experiments=table("Tension", "tension", "ultrasonic", "", column=column))
    (remark,) = remarks(folder)
    assert remark.startswith(
        "experiments.csv: youngs_modulus_GPa mixes measurements of unlike method: tension (2 rows) and ultrasonic "
        "(1 row), and 1 row without one. Models take them for one: give each method a property of its own"
    )


@pytest.mark.parametrize("ways", [("tension", "Tension", "tension"), ("", "", ""), ("tension", "", "")])
def test_nothing_is_said_where_only_one_way_is_named(ways: tuple[str, ...], tmp_path: Path) -> None:
    assert remarks(make(tmp_path / "ti", experiments=table(*ways))) == []


def test_nothing_is_said_of_a_way_that_is_modelled(tmp_path: Path) -> None:
    question = f"{QUESTION}process:\n  test_medium: {{choices: [SBF, Hanks]}}\n"
    experiments = table("SBF", "Hanks", column="test_medium")
    assert remarks(make(tmp_path / "ti", question, experiments)) == []
    assert len(remarks(make(tmp_path / "other", experiments=experiments))) == 1


def test_record_says_so_of_what_it_enters(tmp_path: Path) -> None:
    folder = make(tmp_path / "ti", experiments=table("tension", "tension") + "F,made,70,30,0,,\n")
    told = alloyloop("record", folder, "F", f"{E_GPa}=ultrasonic(longitudinal=5200 m/s, shear=2100 m/s)")
    assert "mixes measurements of unlike method: tension (2 rows) and ultrasonic (1 row)" in told.out
    told = alloyloop("record", folder, "F", "note=again")
    assert "unlike" not in told.out
