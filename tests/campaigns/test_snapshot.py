"""What a campaign's files say at one moment: which rows count as inside the space, as taken, and as comparable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.snapshot import IMPURITIES, NEAR, Snapshot

from .folders import QUESTION, make

HEADER = "id,status,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,O_wt_pct,youngs_modulus_GPa\n"


def read(folder: Path, *rows: str, question: str = QUESTION, header: str = HEADER) -> Snapshot:
    return Campaign(make(folder / "campaign", question, header + "".join(f"{row}\n" for row in rows))).snapshot()


@pytest.mark.parametrize(
    ("row", "inside"),
    [
        ("A,known,70,30,0,0,72", True),
        ("A,known,70.3,29.7,0,0,72", True),  # off the step, and yet an alloy that one could be content with
        ("A,known,91,9,0,0,72", False),  # less niobium than the space has
        ("A,known,54,37,9,0,72", False),  # breaks Nb + Zr <= 45
        (f"A,known,{70 - IMPURITIES},30,0,{IMPURITIES},72", True),
        ("A,known,69,30,0,1,72", False),  # more oxygen than an impurity
    ],
)
def test_a_row_is_inside_the_space_by_its_bounds_rules_and_elements(row: str, inside: bool, tmp_path: Path) -> None:
    assert read(tmp_path, row).in_space().tolist() == [inside]


def test_an_alloy_with_its_impurities_stands_on_the_point_it_was_meant_to_be(tmp_path: Path) -> None:
    snapshot = read(tmp_path, "A,known,69.8,30,0,0.2,72", "B,known,65,30,5,0,70", "C,known,60,30,5,5,70")
    assert snapshot.space.percent(snapshot.taken()).tolist() == [[30, 0, 70], [30, 5, 65]]  # Nb, Zr, Ti; not C


def test_rows_of_every_status_are_taken(tmp_path: Path) -> None:
    rows = [f"{i},{status},{80 - i},{20 + i},0,0,72" for i, status in enumerate(("known", "withdrawn", "measured"))]
    assert len(read(tmp_path, *rows).taken()) == 3


TESTED = QUESTION.replace("properties:", "conditions:\n  test_temperature_C: {at: 37}\nproperties:")
TEMPERATURES = HEADER.replace("O_wt_pct", "test_temperature_C")


def test_values_are_compared_where_they_were_tested_alike(tmp_path: Path) -> None:
    slack = NEAR * 1000  # the temperatures run from 0 to 1000
    rows = [
        "A,known,70,30,0,1000,40",
        f"B,known,69,31,0,{37 + slack},60",
        f"C,known,68,32,0,{37.1 + slack},50",
        "D,known,67,33,0,,65",
        "E,known,66,34,0,0,70",
    ]
    snapshot = read(tmp_path, *rows, question=TESTED, header=TEMPERATURES)
    assert snapshot.near_conditions().tolist() == [False, True, False, True, True]
    best = Campaign(tmp_path / "campaign").status().best
    assert best is not None
    assert best.id == "B"  # softer ones were hot


def test_alloys_are_judged_at_the_conditions_asked_for_and_learned_from_at_their_own(tmp_path: Path) -> None:
    snapshot = read(tmp_path, "A,known,70,30,0,500,40", "B,known,69,31,0,,60", question=TESTED, header=TEMPERATURES)
    own = snapshot.alloys().process["test_temperature_C"]
    assert np.array_equal(own, [500, np.nan], equal_nan=True)
    assert snapshot.at_conditions(snapshot.alloys()).process["test_temperature_C"].tolist() == [37, 37]


def test_a_property_without_a_column_is_remarked(tmp_path: Path) -> None:
    header = HEADER.replace("youngs_modulus_GPa", "note")
    remarks = read(tmp_path, "A,known,70,30,0,0,tested", header=header).remarks
    assert "experiments.csv has no column youngs_modulus_GPa yet; `record` adds it." in remarks
