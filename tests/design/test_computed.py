"""What is computed of an alloy is known: it is asked as a belief is, and never in doubt."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from alloyloop.design.composition import Composition
from alloyloop.design.computed import MELT_COST, computed, is_computed, lacking
from alloyloop.design.cost import Cost
from alloyloop.design.descriptors import DESCRIPTORS, descriptor
from alloyloop.design.features import Alloys
from alloyloop.design.goals import Within
from alloyloop.surrogates.errors import AlloyloopError
from alloyloop.surrogates.scales import LINEAR

from ..strategies import alloys

# Ti-25Nb at: 4 and 5 valence electrons, so 4.25 (Guo & Liu 2011).
TWO = Alloys(("Nb", "Ti"), np.array([[0.25, 0.75], [0.5, 0.5]]), {"anneal_h": np.array([1.0, 2.0])})


def test_a_descriptor_is_believed_without_a_doubt() -> None:
    belief = computed("vec").about(TWO)
    assert belief.mean == pytest.approx([4.25, 4.5])
    assert belief.std.tolist() == belief.noise.tolist() == [0, 0]
    low, high = belief.interval()
    assert low.tolist() == high.tolist() == belief.mean.tolist()


def test_nothing_of_it_varies() -> None:
    belief = computed("vec")
    assert belief.covariance(TWO, TWO.rows(np.array([0]))).tolist() == [[0], [0]]
    draws = belief.sample(TWO, 3, np.random.default_rng(0))
    assert draws == pytest.approx(np.array([[4.25, 4.5]] * 3))
    assert belief.on_scale() == (belief, LINEAR)


def test_a_limit_is_kept_or_it_is_not() -> None:
    belief = computed("vec")
    with np.errstate(all="raise"):
        assert np.exp(belief.log_inside(Within(high=4.3), TWO)).tolist() == [1, 0]
        assert np.exp(belief.log_inside(Within(4.25, 4.5), TWO)).tolist() == [1, 1]  # its ends are in it
        assert np.exp(belief.about(TWO).log_probability(-np.inf, 4.3)).tolist() == [1, 0]


@given(alloys(min_elements=2))
def test_every_descriptor_may_be_believed(made: Composition) -> None:
    alloy = Alloys(made.elements, made.fractions[None], {})
    for name, each in DESCRIPTORS.items():
        belief, number = computed(name), each.function(alloy.fractions, alloy.elements)
        assert np.array_equal(belief.about(alloy).mean, number, equal_nan=True)
        assert belief.features.known(alloy).tolist() == [bool(np.isfinite(number[0]))]


def test_of_a_row_without_a_composition_no_descriptor_is_known() -> None:
    rows = Alloys(("Nb", "Ti"), np.array([[np.nan, np.nan], [0.25, 0.75]]), {})
    assert not any(computed(name).features.known(rows)[0] for name in DESCRIPTORS)
    assert np.isnan(computed("vec").of(rows)).tolist() == [True, False]


def test_the_cost_of_a_melt_is_computed_as_well() -> None:
    belief = computed(MELT_COST, Cost(40, steps={"anneal_h": 5}))
    assert belief.about(TWO).mean.tolist() == [45, 50]
    assert belief.features.known(TWO).all()
    assert not belief.features.known(Alloys(("Ti",), np.ones((1, 1)), {"anneal_h": np.array([np.nan])})).any()
    with pytest.raises(AlloyloopError, match="does not say what a melt costs"):
        computed(MELT_COST)


def test_descriptors_and_the_cost_of_a_melt_are_computed_and_measurements_are_not() -> None:
    assert all(map(is_computed, (*DESCRIPTORS, MELT_COST)))
    assert not is_computed("youngs_modulus_GPa")


@pytest.mark.parametrize(
    ("name", "elements", "without"),
    [
        ("density_g_per_cm3", ("Ti", "Nb"), ()),
        ("density_g_per_cm3", ("Ti", "Nb", "O"), ("O",)),  # the element table has no density of oxygen
        ("mixing_enthalpy_kJ_per_mol", ("Ti", "Nb", "O"), ("Ti-O", "Nb-O")),  # Miedema has no pair with O
        ("fe_mn_ratio", ("Mg", "Fe", "Mn"), ()),  # without Mn there is none, but most alloys have some
    ],
)
def test_what_stands_in_the_way_of_a_descriptor_is_named(
    name: str, elements: tuple[str, ...], without: tuple[str, ...]
) -> None:
    assert lacking(name, elements) == without
    whole = descriptor(name).function(np.full((1, len(elements)), 1 / len(elements)), elements)
    assert np.isfinite(whole)[0] == (not without)
