"""What a model sees of an alloy: each column under its name, what is not known told apart, nothing idle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alloyloop.design.descriptors import descriptor
from alloyloop.design.elements import values
from alloyloop.design.features import Alloys, Features, alloys_at, feature_set, telling_descriptors
from alloyloop.design.process import Choice, Numeric
from alloyloop.design.space import DesignSpace
from alloyloop.surrogates.errors import AlloyloopError

from .strategies_space import spaces

TEMPERATURE = Numeric("solution_temperature_C", 750, 1050, 50)
QUENCH = Choice("quench", ("water", "air"))


def three() -> Alloys:
    return Alloys(
        ("Nb", "Ti"),
        np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]]),
        {
            "solution_temperature_C": np.array([850.0, np.nan, 862.0]),
            "quench": np.array(["air", None, "oil"], dtype=object),
        },
    )


def test_columns_are_fractions_then_descriptors_then_process_under_their_names() -> None:
    features = Features(("Nb", "Ti"), True, ("vec", "mixing_entropy_J_per_molK"), (TEMPERATURE, QUENCH))
    assert features.names == (
        "Nb_fraction", "Ti_fraction", "vec", "mixing_entropy_J_per_molK",
        "solution_temperature_C", "solution_temperature_C known", "quench=water", "quench=air",
    )  # fmt: skip
    encoded = features.encode(three())
    assert encoded.dtype == np.float64
    assert encoded[:, :2].tolist() == three().fractions.tolist()
    assert encoded[:, 2] == pytest.approx([4.1, 4.2, 4.3])  # five valence electrons of Nb, four of Ti
    # R times the binary entropy of 0.1, 0.2 and 0.3, which are 0.325083, 0.500402 and 0.610864 nats.
    assert encoded[:, 3] == pytest.approx([2.70289, 4.16058, 5.07901], abs=1e-5)


def test_an_unknown_number_stands_in_the_middle_and_says_so() -> None:
    encoded = Features(("Nb", "Ti"), False, (), (TEMPERATURE,)).encode(three())
    assert encoded.tolist() == [[850, 1], [900, 0], [862, 1]]  # 862 was measured on no level and is kept as it is


def test_an_unknown_choice_is_none_of_its_levels() -> None:
    encoded = Features(("Nb", "Ti"), False, (), (QUENCH,)).encode(three())
    assert encoded.tolist() == [[0, 1], [0, 0], [0, 0]]


@settings(max_examples=40)
@given(spaces(), st.booleans(), st.lists(st.sampled_from(["vec", "k_beta", "omega"]), unique=True), st.integers(0, 99))
def test_there_is_a_name_for_every_column_and_rows_are_encoded_one_by_one(
    space: DesignSpace, composition: bool, descriptors: list[str], seed: int
) -> None:
    features = Features(space.elements, composition or not descriptors, tuple(descriptors), space.process)
    alloys = alloys_at(space, space.sample(5, np.random.default_rng(seed)), space.elements)
    encoded = features.encode(alloys)
    assert encoded.shape == (len(alloys), len(features.names))
    assert np.isfinite(encoded).all()
    last = np.array([len(alloys) - 1])
    np.testing.assert_allclose(features.encode(alloys.rows(last)), encoded[last], rtol=1e-12)


@settings(max_examples=40)
@given(spaces(), st.integers(0, 99))
def test_points_of_a_space_are_alloys_without_the_elements_that_only_the_table_has(
    space: DesignSpace, seed: int
) -> None:
    points = space.sample(4, np.random.default_rng(seed))
    alloys = alloys_at(space, points, (*space.elements, "Fe", "O"))
    assert np.array_equal(alloys.fractions[:, : space.n_elements], space.fractions(points))
    assert (alloys.fractions[:, space.n_elements :] == 0).all()
    assert list(alloys.process) == [variable.name for variable in space.process]


def test_alloys_are_put_together_and_taken_apart_with_their_process() -> None:
    twice = three() + three()
    assert len(twice) == 6
    again = twice.rows(np.array([False] * 3 + [True] * 3))
    assert np.array_equal(again.fractions, three().fractions)
    assert again.process["quench"].tolist() == ["air", None, "oil"]
    assert twice.rows(np.array([4, 0])).fractions.tolist() == [[0.2, 0.8], [0.1, 0.9]]


def without_process(elements: tuple[str, ...], fractions: list[list[float]]) -> Alloys:
    return Alloys(elements, np.array(fractions), {})


def test_a_descriptor_tells_if_it_is_known_for_all_and_differs() -> None:
    alloys = without_process(("Nb", "Zr", "Ti"), [[0.1, 0.1, 0.8], [0.2, 0.1, 0.7]])
    told = telling_descriptors(alloys)
    assert {"vec", "mo_equivalent_wang", "density_g_per_cm3"} <= set(told)
    for name in told:
        numbers = descriptor(name).function(alloys.fractions, alloys.elements)
        assert np.isfinite(numbers).all()
        assert numbers[0] != numbers[1]


def test_a_descriptor_that_is_meant_for_other_alloys_is_left_out() -> None:
    steels = without_process(("Fe", "Cr", "Ti"), [[0.7, 0.2, 0.1], [0.75, 0.2, 0.05]])
    told = telling_descriptors(steels)
    assert "pren" in told
    assert "mo_equivalent_wang" not in told  # it is finite and varies, but is one of titanium alloys


def test_a_descriptor_that_does_not_vary_is_left_out() -> None:
    alike = without_process(("Ti", "Zr"), [[0.9, 0.1], [0.5, 0.5]])  # both have four valence electrons
    assert "vec" not in telling_descriptors(alike)
    assert "density_g_per_cm3" in telling_descriptors(alike)


def test_a_descriptor_that_lacks_an_element_of_any_row_is_left_out() -> None:
    assert np.isnan(values("bond_order", ["Mg"])[0])
    assert "bond_order" in telling_descriptors(without_process(("Nb", "Ti"), [[0.1, 0.9], [0.2, 0.8]]))
    with_magnesium = without_process(("Nb", "Ti", "Mg"), [[0.1, 0.9, 0.0], [0.2, 0.7, 0.1]])
    assert "bond_order" not in telling_descriptors(with_magnesium)


def test_no_descriptor_tells_of_a_single_alloy() -> None:
    assert telling_descriptors(without_process(("Nb", "Ti"), [[0.1, 0.9]])) == ()


@pytest.mark.parametrize(
    ("name", "composition", "descriptors"),
    [("composition", True, ()), ("descriptors", False, ("vec",)), ("both", True, ("vec",))],
)
def test_a_feature_set_has_what_its_name_says(name: str, composition: bool, descriptors: tuple[str, ...]) -> None:
    expected = Features(("Nb", "Ti"), composition, descriptors, (TEMPERATURE,))
    assert feature_set(name, ("vec",), ("Nb", "Ti"), (TEMPERATURE,)) == expected


def test_where_no_descriptor_tells_there_is_the_composition() -> None:
    assert feature_set("descriptors", (), ("Nb", "Ti"), ()) == Features(("Nb", "Ti"))


def test_an_unknown_feature_set_and_no_feature_at_all_are_refused() -> None:
    with pytest.raises(AlloyloopError, match=r"no feature set named 'all'.*composition, descriptors, both"):
        feature_set("all", (), ("Nb", "Ti"), ())
    with pytest.raises(AlloyloopError, match="no feature to learn from"):
        Features(("Nb", "Ti"), composition=False)
