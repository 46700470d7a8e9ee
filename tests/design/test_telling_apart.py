"""Two alloys are told apart where two analyses are seldom taken for each other's: held to analyses drawn at random."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.composition import Basis
from alloyloop.design.lattice import Element, Lattice
from alloyloop.design.process import Choice
from alloyloop.design.scatter import Off, Scatter
from alloyloop.design.space import DesignSpace
from alloyloop.design.telling_apart import MOST_MISTAKEN, Apart
from alloyloop.surrogates.base import FloatArray

QUENCH = Choice("quench", ("water", "air"))


def space(step: float, basis: Basis = "wt_pct", *, most: float = 40, with_process: bool = False) -> DesignSpace:
    lattice = Lattice((Element("Nb", 0, most, step), Element("Zr", 0, most / 2, step)), "Ti")
    return DesignSpace(lattice, basis, (QUENCH,) if with_process else ())


def point(of: DesignSpace, niobium: float, zirconium: float, quench: str = "water") -> np.ndarray:
    process = {"quench": np.array([quench], dtype=object)} if of.process else {}
    return of.snap(np.array([[niobium, zirconium, 100 - niobium - zirconium]]), process)[0]


def mistaken(some: FloatArray, other: FloatArray, std_of_some: FloatArray, std_of_other: FloatArray) -> float:
    """How often two alloys are assigned to each other's analyses, by which assignment is likelier; drawn."""
    rng = np.random.default_rng(0)
    analyses = [
        rng.normal(mean, std, (200_000, len(mean))) for mean, std in ((some, std_of_some), (other, std_of_other))
    ]
    # Of the two assignments the difference of the analyses says which is likelier.
    towards = (other - some) / (std_of_some**2 + std_of_other**2)
    return float(((analyses[1] - analyses[0]) @ towards < 0).mean())


@pytest.mark.parametrize("made", [None, 0.5])
@pytest.mark.parametrize("apart", [(0.5, 0.0), (1.5, 0.0), (2.5, 0.0), (0.0, 0.5), (1.0, 1.0), (2.0, 1.5)])
def test_alloys_are_too_close_where_analyses_are_mistaken_more_often_than_is_said(
    apart: tuple[float, float], made: float | None
) -> None:
    of = space(0.5)
    scatter = None if made is None else Scatter("wt_pct", "Ti", {"Nb": Off(made), "Zr": Off(made)})
    some, other = np.array([36.0, 8.0]), np.array([36.0, 8.0]) + apart
    stds = [np.hypot(0.02 * amounts, made or 0.0) for amounts in (some, other)]  # 2 % of ICP, and what is made
    expected = mistaken(some, other, *stds) > MOST_MISTAKEN
    assert Apart(of, scatter).too_close(point(of, *other), point(of, *some)).tolist() == [expected]


@given(st.integers(0, 80), st.integers(0, 40), st.integers(0, 80), st.integers(0, 40))
def test_if_one_alloy_is_too_close_to_another_so_is_that_to_it(a: int, b: int, c: int, d: int) -> None:
    of = space(0.5)
    some, other = point(of, a / 2, b / 2), point(of, c / 2, d / 2)
    told = Apart(of)
    assert told.too_close(some, other).tolist() == told.too_close(other, some).tolist()
    assert told.too_close(some, some).all()


@pytest.mark.parametrize("basis", ["at_pct", "wt_pct"])
def test_a_space_with_a_step_coarser_than_the_error_is_not_touched(basis: Basis) -> None:
    of = space(2.5, basis)
    points = of.between(0, of.count)
    told = Apart(of)
    for i in range(0, len(points), 7):
        assert told.too_close(points, points[[i]]).tolist() == [j == i for j in range(len(points))]


def test_nothing_of_an_element_is_told_from_a_little_of_it() -> None:
    of = space(0.5)
    assert not Apart(of).too_close(point(of, 0, 0.5), point(of, 0, 0))[0]


def test_a_coarse_balance_or_a_small_melt_tells_less_apart() -> None:
    of = space(0.01, most=0.1)
    some, other = point(of, 0.02, 0), point(of, 0.01, 0)
    assert not Apart(of).too_close(some, other)[0]
    assert Apart(of, balance_g=0.1, mass_g=5).too_close(some, other)[0]


def test_alloys_that_are_treated_differently_are_told_apart() -> None:
    of = space(0.5, with_process=True)
    picked = point(of, 36, 8, "water")
    near = np.vstack([point(of, 36.5, 8, "water"), point(of, 36.5, 8, "air"), point(of, 36, 8, "air")])
    assert Apart(of).too_close(near, picked).tolist() == [True, False, False]


def test_without_a_composition_or_a_pick_nothing_is_too_close() -> None:
    of = DesignSpace(None, "at_pct", (QUENCH,))
    points = of.between(0, 2)
    assert not Apart(of).too_close(points, points).any()
    alloys = space(0.5).between(0, 9)
    assert not Apart(space(0.5)).too_close(alloys, alloys[:0]).any()


def test_points_are_judged_by_every_pick() -> None:
    of = space(0.5)
    picks = np.vstack([point(of, 36, 8), point(of, 20, 4)])
    points = np.vstack([point(of, 36.5, 8), point(of, 20, 4), point(of, 28, 8)])
    assert Apart(of).too_close(points, picks).tolist() == [True, True, False]
