"""A part of a space: narrower ranges of elements and process variables, on the same steps under the same rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alloyloop.design.candidates import Candidates
from alloyloop.design.held import Range, held
from alloyloop.design.lattice import Element, Lattice
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.space import DesignSpace
from alloyloop.surrogates.errors import AlloyloopError

from .strategies_space import allowed, as_set, design, spaces

QUENCH = Choice("quench", ("water", "air", "furnace"))
SPACE = DesignSpace(
    Lattice((Element("Nb", 0, 40, 2), Element("Zr", 5, 15, 1)), "Ti", 50, 90),
    "wt_pct",
    (QUENCH, Numeric("ageing_C", 300, 600, 100)),
)


@settings(max_examples=60)
@given(spaces(), st.data())
def test_a_part_has_the_designs_of_the_space_inside_the_ranges_and_no_others(
    space: DesignSpace, data: st.DataObject
) -> None:
    every = sorted(allowed(space))
    one, other = (design(space, data.draw(st.sampled_from(every))) for _ in range(2))
    ranges: dict[str, Range] = {}
    for name in data.draw(st.lists(st.sampled_from([*one.values]), unique=True)):
        ends = one[name], other[name]
        if isinstance(ends[0], str):
            ranges[name] = tuple(map(str, dict.fromkeys(ends)))
        else:
            ranges[name] = float(min(ends)), float(max(ends))

    def is_inside(point: tuple[int, ...]) -> bool:
        made = design(space, point)
        return all(
            made[name] in kept if isinstance(kept[0], str) else kept[0] <= float(made[name]) <= float(kept[1])
            for name, kept in ranges.items()
        )

    try:
        part = held(space, ranges)
    except AlloyloopError:
        assert not any(map(is_inside, every))
        return
    points = part.between(0, part.count)
    assert as_set(points[part.allows(points)]) == {point for point in every if is_inside(point)}


def test_one_value_is_held_as_a_range_of_no_width() -> None:
    part = held(SPACE, {"Nb": (20, 20), "Zr": (6, 8), "quench": ("air",), "ageing_C": (400, 500)})
    assert part.count == 3 * 2
    assert part.elements == SPACE.elements
    assert SPACE.allows(part.between(0, part.count)).all()


def test_the_balance_is_held_too() -> None:
    assert held(SPACE, {"Ti": (70, 70), "Zr": (10, 10), "quench": ("air",), "ageing_C": (300, 300)}).count == 1


def test_rows_of_a_table_are_held_by_their_amounts() -> None:
    table = Candidates(("Nb", "Ti"), np.array([[3.25, 96.75], [8.0, 92.0], [12.5, 87.5]]), {})
    assert held(DesignSpace(None, "at_pct", candidates=table), {"Nb": (3.25, 8)}).count == 2


@pytest.mark.parametrize(
    ("ranges", "said"),
    [
        ({"Ta": (0.0, 0.0)}, "Ta is not in this space. It has Nb, Zr, Ti, quench, ageing_C"),
        ({"quench": ("oil",)}, "quench has no choice oil. Its choices are water, air, furnace"),
        ({"Zr": (20.0, 30.0)}, "Zr is to be 20 to 30 %, and the space has it from 5 to 15 %"),
        ({"Nb": (3.0, 3.5)}, "No multiple of Nb's step 2 % lies between 3 and 3.5 %"),
        ({"ageing_C": (700.0, 800.0)}, "The space has no design with ageing_C 700 to 800"),
        ({"Nb": (40.0, 40.0), "Zr": (15.0, 15.0)}, "No composition is left"),
        ({"Nb": ("lots",)}, "Nb is a number, and is to be lots"),
    ],
    ids=str,
)
def test_what_cannot_be_held_is_said_in_a_sentence(ranges: dict[str, Range], said: str) -> None:
    with pytest.raises(AlloyloopError) as raised:
        held(SPACE, ranges)
    assert str(raised.value).startswith(said)
