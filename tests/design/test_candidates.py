"""A table of candidates is chosen from by rows: these and no others, alone or crossed with what it does not say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.candidates import UNITS_PER_PERCENT, Candidates
from alloyloop.design.lattice import Element, Lattice
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.rules import parse_rule
from alloyloop.design.space import DesignSpace
from alloyloop.surrogates.errors import AlloyloopError

from .strategies_space import as_set

QUENCH = Choice("quench", ("water", "air", "furnace"))
TEMPERATURE = Numeric("temperature_C", 750, 1050, 50)
ALLOYS = ((12.5, 87.5), (30.0, 70.0), (0.0, 100.0), (12.5, 87.5))


def table(percent: Any = None, **process: list[Any]) -> Candidates:
    """Candidates of niobium in titanium, or of treatments alone."""
    values = {name: np.array(said, dtype=object if name == "quench" else np.float64) for name, said in process.items()}
    if percent is None:
        return Candidates((), np.empty((len(next(iter(values.values()))), 0)), values)
    return Candidates(("Nb", "Ti"), np.array(percent, dtype=np.float64), values)


def designs(space: DesignSpace) -> set[tuple[Any, ...]]:
    """What a space holds, as amounts and values."""
    points = space.between(0, space.count)
    values = space.process_values(points)
    return set(zip(*space.percent(points).T.tolist(), *(column.tolist() for column in values.values()), strict=True))


def test_alloys_of_a_table_are_the_designs_each_once() -> None:
    space = DesignSpace(None, "wt_pct", candidates=table(ALLOYS))
    assert space.elements == ("Nb", "Ti")
    assert space.count == 3
    assert designs(space) == {(12.5, 87.5), (30, 70), (0, 100)}
    assert space.bounds.tolist() == [[0, 70], [30, 100]]


def test_alloys_of_a_table_are_crossed_with_every_treatment() -> None:
    space = DesignSpace(None, "wt_pct", (QUENCH,), candidates=table(ALLOYS))
    assert designs(space) == {(*alloy, quench) for alloy in ALLOYS for quench in QUENCH.choices}


def test_what_a_row_says_stays_together() -> None:
    rows = table(ALLOYS, quench=["air", "air", "water", "water"])
    space = DesignSpace(None, "wt_pct", (TEMPERATURE, QUENCH), candidates=rows)
    assert designs(space) == {
        (*alloy, temperature, quench)
        for alloy, quench in zip(ALLOYS, ["air", "air", "water", "water"], strict=True)
        for temperature in range(750, 1100, 50)
    }


@pytest.mark.parametrize("order", [[750, 900, 1050], [1050, 750, 900, 750], [900]])
def test_treatments_of_a_table_are_crossed_with_a_lattice_in_whatever_order_they_stand(order: list[float]) -> None:
    lattice = Lattice((Element("Nb", 0, 20, 10),), "Ti")
    space = DesignSpace(lattice, "at_pct", (TEMPERATURE, QUENCH), candidates=table(temperature_C=order))
    assert designs(space) == {
        (nb, 100 - nb, temperature, quench)
        for nb in (0, 10, 20)
        for temperature in set(order)
        for quench in QUENCH.choices
    }
    assert space.index(space.between(0, space.count)) == list(range(space.count))


def test_rules_choose_among_rows() -> None:
    space = DesignSpace(None, "wt_pct", (QUENCH,), candidates=table(ALLOYS))
    rules = tuple(parse_rule(text, space.names) for text in ("quench is water if Nb > 12.4", "Nb / Ti < 0.4"))
    assert designs(DesignSpace(None, "wt_pct", (QUENCH,), rules, candidates=space.candidates)) == {
        (12.5, 87.5, "water"), (0, 100, "water"), (0, 100, "air"), (0, 100, "furnace"),
    }  # fmt: skip


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 49)), min_size=1, max_size=9))
def test_amounts_are_kept_to_the_millionth_and_sum_to_100_exactly(rows: list[tuple[float, float]]) -> None:
    percent = np.array([[*row, 100 - sum(row)] for row in rows])
    units = Candidates(("Nb", "Zr", "Ti"), percent, {}).units
    assert (units.sum(axis=1) == 100 * UNITS_PER_PERCENT).all()
    assert (units >= 0).all()
    assert units / UNITS_PER_PERCENT == pytest.approx(percent, abs=2e-6)


def test_what_is_measured_near_a_candidate_is_that_candidate() -> None:
    space = DesignSpace(None, "wt_pct", candidates=table(ALLOYS))
    points, near = space.snap(np.array([[12.505, 87.495], [12.6, 87.4], [29.995, 70.005]]), {})
    assert space.percent(points).tolist() == [[12.5, 87.5], [12.5, 87.5], [30, 70]]
    assert near.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("amounts", "quench", "reasons"),
    [
        ([30, 70], "air", []),
        ([20, 80], "air", ["it is not one of the candidates"]),
        ([40, 60], "oil", ["Nb is 40 %, outside 0 to 30 %", "Ti is 60 %, outside 70 to 100 %",
                           "it is not one of the candidates", "quench is oil, not one of its levels"]),
        ([30, 70], "water", ["it is not one of the candidates"]),  # the alloy is, and water is, but not together
    ],
)  # fmt: skip
def test_why_a_design_is_no_candidate(amounts: list[float], quench: str, reasons: list[str]) -> None:
    rows = table(ALLOYS, quench=["air", "air", "water", "water"])
    space = DesignSpace(None, "wt_pct", (QUENCH,), candidates=rows)
    process = {"quench": np.array([quench], dtype=object)}
    assert space.why_not(np.array(amounts, dtype=np.float64), process) == reasons


def test_every_row_is_reached_from_every_other_by_neighbours_nearest_first() -> None:
    percent = np.array([[n / 10, 100 - n / 10] for n in range(0, 1000, 7)])
    space = DesignSpace(None, "at_pct", candidates=Candidates(("Nb", "Ti"), percent, {}))
    around = space.neighbours(space.at([50])[0])
    gaps = np.abs(space.percent(around)[:, 0] - space.percent(space.at([50]))[0, 0])
    assert len(around) == 24
    assert gaps.max() < 12 * 0.7 + 1e-9
    far_apart = table(temperature_C=[750, 1050])
    treatments = DesignSpace(None, "at_pct", (Numeric("temperature_C", 750, 1050, 1),), candidates=far_apart)
    assert as_set(treatments.neighbours(np.array([0]))) == {(300,)}


@pytest.mark.parametrize(
    ("niobium", "quench", "called"),
    [(12.5, "air", "A or B"), (12.5, "water", "C"), (30.0, "water", "D"), (30.0, "air", ""), (31.0, "water", "")],
)
def test_a_design_is_called_what_the_users_rows_are_called(niobium: float, quench: str, called: str) -> None:
    rows = Candidates(
        ("Nb", "Ti"),
        np.array([[12.5, 87.5], [12.5, 87.5], [12.5, 87.5], [30.0, 70.0]]),
        {"quench": np.array(["air", "air", "water", "water"], dtype=object)},
        ("A", "B", "C", "D"),
    )
    space = DesignSpace(None, "wt_pct", (TEMPERATURE, QUENCH), candidates=rows)
    for temperature in (750.0, 751.0, np.nan):  # chosen beside the table, or never told
        process = {"quench": np.array([quench], dtype=object), "temperature_C": np.array([temperature])}
        assert space.called(np.array([[niobium, 100 - niobium]]), process) == [called]


def test_rows_without_names_call_a_design_nothing() -> None:
    space = DesignSpace(None, "wt_pct", candidates=table(ALLOYS))
    assert space.called(np.array([[12.5, 87.5]]), {}) == [""]


def test_treatments_of_a_table_have_names_without_a_composition() -> None:
    rows = Candidates((), np.empty((2, 0)), {"temperature_C": np.array([750.0, 900.0])}, ("cold", "hot"))
    space = DesignSpace(None, "wt_pct", (TEMPERATURE,), candidates=rows)
    assert space.called(np.empty((2, 0)), {"temperature_C": np.array([900.0, 800.0])}) == ["hot", ""]


# -- what is refused --------------------------------------------------------------------------------------------------


def test_a_table_without_rows_is_refused() -> None:
    with pytest.raises(AlloyloopError, match=r"no candidate to choose from\. Give the table at least one row"):
        table([])


def test_a_table_and_a_lattice_that_both_say_compositions_are_refused() -> None:
    with pytest.raises(AlloyloopError, match=r"candidates say compositions, and so does the lattice\. Take"):
        DesignSpace(Lattice((Element("Nb", 0, 20, 10),), "Ti"), "wt_pct", candidates=table(ALLOYS))


@pytest.mark.parametrize(
    ("process", "message"),
    [
        ({"pressure_bar": [1]}, "values of pressure_bar, which is not a process variable. Add it to process"),
        ({"temperature_C": [750, 760]}, "Candidate 2 has temperature_C 760, which is not one of its levels"),
        ({"quench": ["oil"]}, "Candidate 1 has quench oil, which is not one of its levels. Correct the row, or the le"),
        ({"quench": [None]}, "Candidate 1 has quench not known"),
    ],
)
def test_rows_off_the_levels_are_refused(process: dict[str, list[Any]], message: str) -> None:
    with pytest.raises(AlloyloopError, match=message):
        DesignSpace(None, "wt_pct", (TEMPERATURE, QUENCH), candidates=table(**process))
