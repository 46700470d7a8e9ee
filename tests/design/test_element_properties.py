"""A property of the elements that a user brings says of an alloy what the same descriptor would say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.descriptors import descriptor
from alloyloop.design.element_properties import ElementProperty
from alloyloop.design.elements import values

ELEMENTS = ("Nb", "Zr", "Ti")


def test_mean_and_spread_are_those_of_the_atoms() -> None:
    radius = ElementProperty("radius_pm", ("Nb", "Zr", "Ti"), (147.0, 160.0, 147.0))
    mean, std = radius.mean_and_std(np.array([[0.25, 0.5, 0.25], [1.0, 0.0, 0.0]]), ELEMENTS)
    # Half the atoms have 160, half 147: the mean is between them, and all are 6.5 away from it.
    assert mean == pytest.approx([153.5, 147])
    assert std == pytest.approx([6.5, 0])


fractions = st.lists(st.integers(0, 50), min_size=3, max_size=3).filter(any).map(lambda n: np.array([n]) / sum(n))


@given(fractions)
def test_the_same_table_as_ours_gives_the_same_numbers_as_our_descriptors(alloy: np.ndarray) -> None:
    electrons = ElementProperty("electrons", ELEMENTS, tuple(values("valence_electrons", ELEMENTS).tolist()))
    radius = ElementProperty("radius", ELEMENTS, tuple(values("metallic_radius_pm", ELEMENTS).tolist()))
    assert electrons.mean_and_std(alloy, ELEMENTS)[0] == pytest.approx(descriptor("vec").function(alloy, ELEMENTS))
    mean, std = radius.mean_and_std(alloy, ELEMENTS)
    mismatch = descriptor("size_mismatch_pct").function(alloy, ELEMENTS)
    assert 100 * std / mean == pytest.approx(mismatch, abs=1e-9)


def test_an_element_that_is_lacking_matters_only_where_it_is_present() -> None:
    radius = ElementProperty("radius_pm", ("Nb", "Ti"), (147.0, 147.0))
    mean, std = radius.mean_and_std(np.array([[0.5, 0.0, 0.5], [0.5, 0.1, 0.4]]), ELEMENTS)
    assert mean[0] == pytest.approx(147)
    assert std[0] == pytest.approx(0)
    assert np.isnan([mean[1], std[1]]).all()


def test_the_order_of_elements_is_the_alloys_own() -> None:
    radius = ElementProperty("radius_pm", ("Nb", "Zr", "Ti"), (147.0, 160.0, 147.0))
    alloy = np.array([[0.2, 0.3, 0.5]])
    turned = radius.mean_and_std(alloy[:, ::-1], ELEMENTS[::-1])
    for ours, theirs in zip(radius.mean_and_std(alloy, ELEMENTS), turned, strict=True):
        assert ours == pytest.approx(theirs)
