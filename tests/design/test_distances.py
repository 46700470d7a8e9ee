"""How far apart two designs are: material to exchange, or shares of process ranges."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from alloyloop.design.distances import distances, far
from alloyloop.design.features import Alloys
from alloyloop.design.lattice import Element, Lattice
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.space import DesignSpace

ALLOYS = DesignSpace(Lattice((Element("Nb", 0, 40, 1),), "Ti"), "at_pct")
PROCESS = DesignSpace(None, "at_pct", (Numeric("power_W", 100, 300), Choice("gas", ("Ar", "N2"))))


def alloys(*niobium: float) -> Alloys:
    return Alloys(("Nb", "Ti"), np.array([[share, 1 - share] for share in niobium]), {})


def runs(powers: list[float], gases: list[str | None]) -> Alloys:
    process = {"power_W": np.array(powers), "gas": np.array(gases, dtype=object)}
    return Alloys((), np.empty((len(powers), 0)), process)


def test_alloys_are_as_far_apart_as_the_atoms_to_be_exchanged() -> None:
    np.testing.assert_allclose(distances(ALLOYS, alloys(0.1, 0.3), alloys(0.1, 0.25)), [[0, 15], [20, 5]], atol=1e-12)


@pytest.mark.parametrize(
    ("power", "gas", "apart"),
    [(150, "Ar", 0), (250, "Ar", 25), (150, "N2", 50), (float("nan"), "Ar", 25), (150, None, 25)],
)
def test_runs_are_as_far_apart_as_the_mean_share_of_their_ranges(power: float, gas: str | None, apart: float) -> None:
    """A number that is not known is half a range from any near the middle, and a word half its way from another."""
    assert distances(PROCESS, runs([150], ["Ar"]), runs([power], [gas]))[0, 0] == pytest.approx(apart)


def test_what_is_far_is_judged_by_the_distances_of_the_known_ones() -> None:
    # By hand: nearest distances 10, 10 and 20; their 95th percentile lies 0.9 of the way from the second to the third.
    assert far(ALLOYS, alloys(0.0, 0.1, 0.3)) == pytest.approx(19)
    assert far(ALLOYS, alloys(0.0, 0.1)) == inf
