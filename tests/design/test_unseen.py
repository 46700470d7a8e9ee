"""What no alloy learned from had is said of every alloy that has it, and of no other."""

from __future__ import annotations

import numpy as np
import pytest

from alloyloop.design.features import Alloys, Features
from alloyloop.design.process import Choice, Condition, Numeric
from alloyloop.design.unseen import unseen

ELEMENTS = ("Nb", "Ta", "Ti")
FEATURES = Features(
    ELEMENTS,
    process=(
        Numeric("solution_temperature_C", 700, 1100, 50),
        Choice("quench", ("water", "air", "furnace")),
        Condition("test_temperature_C", 37),
    ),
)


def alloys(fractions: list[list[float]], solution: list[float], quench: list[str | None], test: list[float]) -> Alloys:
    process = {
        "solution_temperature_C": np.array(solution),
        "quench": np.array(quench, dtype=object),
        "test_temperature_C": np.array(test),
    }
    return Alloys(ELEMENTS, np.array(fractions), process)


LEARNED = alloys([[0.2, 0, 0.8], [0.3, 0, 0.7]], [850, np.nan], ["water", None], [20, 37])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (alloys([[0.9, 0, 0.1]], [850], ["water"], [25]), []),  # more of an element than ever is not a new element
        (alloys([[0.2, 0.1, 0.7]], [850], ["water"], [37]), ["holds Ta, of which no alloy learned from had any"]),
        (alloys([[0.2, 0, 0.8]], [850], ["air"], [37]), ["quench is air, which it was of no alloy learned from"]),
        (alloys([[0.2, 0, 0.8]], [850], ["oil"], [37]), ["quench is oil, which it was of no alloy learned from"]),
        (
            alloys([[0.2, 0, 0.8]], [900], ["water"], [37]),
            ["solution_temperature_C 900 is outside what was learned from: 850 to 850"],
        ),
        (
            alloys([[0.2, 0, 0.8]], [850], ["water"], [500]),
            ["test_temperature_C 500 is outside what was learned from: 20 to 37"],
        ),
        (alloys([[0.2, 0, 0.8]], [np.nan], [None], [np.nan]), []),
    ],
)
def test_what_was_never_seen_is_named(asked: Alloys, said: list[str]) -> None:
    assert unseen(FEATURES.process, LEARNED, asked) == [said]


def test_each_alloy_is_told_its_own() -> None:
    asked = alloys([[0.2, 0, 0.8], [0.1, 0.1, 0.8]], [850, 1000], ["water", "furnace"], [37, 37])
    nothing, several = unseen(FEATURES.process, LEARNED, asked)
    assert nothing == []
    assert len(several) == 3


def test_what_was_never_known_cannot_be_judged() -> None:
    blind = alloys([[0.2, 0, 0.8]], [np.nan], [None], [37])
    (said,) = unseen(FEATURES.process, blind, alloys([[0.2, 0, 0.8]], [850], ["water"], [37]))
    assert said == [
        "solution_temperature_C was not known of any alloy learned from",
        "quench is water, which it was of no alloy learned from",
    ]


def test_of_what_is_not_known_nothing_is_said() -> None:
    known = LEARNED.rows(np.array([0]))
    assert unseen(FEATURES.process, known, alloys([[0.2, 0, 0.8]], [np.nan], [None], [np.nan])) == [[]]


def test_no_alloy_that_was_learned_from_has_anything_new() -> None:
    assert unseen(FEATURES.process, LEARNED, LEARNED) == [[], []]
