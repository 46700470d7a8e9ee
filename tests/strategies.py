"""Alloys that nobody thought of, for tests of what holds for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from hypothesis import strategies as st

from alloyloop.design.composition import Basis, Composition
from alloyloop.design.elements import SYMBOLS

BASES: Final[tuple[Basis, ...]] = ("at_pct", "wt_pct")
UNITS = 10_000  # the amounts drawn are whole hundredths of a per cent, as people write them


@st.composite
def amounts(
    draw: st.DrawFn, elements: Sequence[str] = SYMBOLS, *, min_elements: int = 1, max_elements: int = 7
) -> dict[str, float]:
    """Draw element -> per cent, to two decimals, none of them zero, summing to 100."""
    chosen = draw(st.lists(st.sampled_from(elements), min_size=min_elements, max_size=max_elements, unique=True))
    n_cuts = len(chosen) - 1
    cuts = draw(st.lists(st.integers(1, UNITS - 1), min_size=n_cuts, max_size=n_cuts, unique=True))
    shares = [high - low for low, high in pairwise([0, *sorted(cuts), UNITS])]
    return {element: share / 100 for element, share in zip(chosen, shares, strict=True)}


@st.composite
def alloys(
    draw: st.DrawFn,
    elements: Sequence[str] = SYMBOLS,
    *,
    basis: Basis | None = None,
    min_elements: int = 1,
    max_elements: int = 7,
) -> Composition:
    """Draw an alloy of some of the elements, in the basis given or in either."""
    drawn = draw(amounts(elements, min_elements=min_elements, max_elements=max_elements))
    return Composition(drawn, draw(st.sampled_from(BASES)) if basis is None else basis)
