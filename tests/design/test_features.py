"""What a model sees of an alloy: each column under its name, what is not known told apart, nothing idle."""

from __future__ import annotations

import pickle
from functools import partial
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alloyloop.design.descriptors import descriptor
from alloyloop.design.element_properties import ElementProperty
from alloyloop.design.elements import values
from alloyloop.design.features import Alloys, Column, Features, alloys_at, feature_set, telling_descriptors
from alloyloop.design.formulas import Formula
from alloyloop.design.process import Choice, Condition, Numeric
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


# -- what a user names ------------------------------------------------------------------------------------------------

RATIO, TIMED = Formula("Zr / Nb", "wt_pct"), Formula("solution_temperature_C * grain_size_um")
GRAIN = Column("grain_size_um", middle=20.0)
OXYGEN = Condition("oxygen_wt_pct", 0.15)


def named(unknown: Literal["flagged", "integrated"]) -> Features:
    return Features(
        ("Nb", "Zr", "Ti"),
        composition=False,
        descriptors=("vec",),
        process=(TEMPERATURE, QUENCH, OXYGEN),
        formulas=(RATIO, TIMED),
        tables=(ElementProperty("electrons", ("Nb", "Zr", "Ti"), (5.0, 4.0, 4.0), "mine.csv"),),
        columns=(GRAIN,),
        unknown=unknown,
    )


def treated() -> Alloys:
    return Alloys(
        ("Nb", "Zr", "Ti"),
        np.array([[0.1, 0.1, 0.8], [0.2, 0.0, 0.8], [0.0, 0.0, 1.0]]),
        {
            "solution_temperature_C": np.array([850.0, np.nan, 900.0]),
            "quench": np.array(["air", None, "oil"], dtype=object),
            "oxygen_wt_pct": np.array([0.1, np.nan, 0.2]),
            "grain_size_um": np.array([50.0, 60.0, np.nan]),
        },
    )


def test_what_is_not_known_is_flagged_and_stands_in_the_middle() -> None:
    features = named("flagged")
    assert features.names == (
        "vec", "Zr / Nb", "solution_temperature_C * grain_size_um", "electrons_mean", "electrons_std",
        "solution_temperature_C", "solution_temperature_C known", "quench=water", "quench=air",
        "oxygen_wt_pct", "oxygen_wt_pct known", "grain_size_um", "grain_size_um known",
    )  # fmt: skip
    # Equal atoms weigh 91.224 of Zr and 92.906 of Nb; ±0.3 and ±0.4 are what a tenth and a fifth of ones spread.
    ratio = 91.224 / 92.906
    expected = [
        [4.1, ratio, 850 * 50, 4.1, 0.3, 850, 1, 0, 1, 0.1, 1, 50, 1],
        [4.2, 0, 900 * 60, 4.2, 0.4, 900, 0, 0, 0, 0.15, 0, 60, 1],
        [4.0, 0, 900 * 20, 4.0, 0, 900, 1, 0, 0, 0.2, 1, 20, 0],
    ]
    assert features.encode(treated()) == pytest.approx(np.array(expected), rel=1e-4)
    assert features.blanks == ()
    assert features.known(treated()).all()


def test_what_is_not_known_is_left_open_to_be_integrated_out() -> None:
    features = named("integrated")
    assert features.names == (
        "vec", "Zr / Nb", "solution_temperature_C * grain_size_um", "electrons_mean", "electrons_std",
        "solution_temperature_C", "quench=water", "quench=air", "oxygen_wt_pct", "grain_size_um",
    )  # fmt: skip
    open_ = np.nan
    expected = [
        [850 * 50, 850, 0, 1, 0.1, 50],
        [open_, open_, open_, open_, open_, 60],
        [open_, 900, open_, open_, 0.2, open_],  # oil is none of the levels: what it does is not known
    ]
    encoded = features.encode(treated())
    assert features.blanks == (2, 5, 6, 7, 8, 9)
    np.testing.assert_array_equal(encoded[:, features.blanks], expected)
    others = [i for i in range(len(features.names)) if i not in features.blanks]
    assert np.isfinite(encoded[:, others]).all()
    assert features.known(treated()).all()


@pytest.mark.parametrize("unknown", ["flagged", "integrated"])
def test_an_alloy_is_known_if_only_its_process_is_not(unknown: Literal["flagged", "integrated"]) -> None:
    alloys = Alloys(
        ("Nb", "Zr", "Mg"),
        np.array([[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.5, 0.4, 0.1]]),
        {"solution_temperature_C": np.array([np.nan] * 3)},
    )
    ratio, by_process = Formula("Zr / Nb"), Formula("solution_temperature_C * Zr / Nb")
    table = ElementProperty("electrons", ("Nb", "Zr"), (5.0, 4.0))
    seen = partial(Features, alloys.elements, composition=False, process=(TEMPERATURE,), unknown=unknown)
    for features, expected in (
        (seen(formulas=(ratio,)), [True, False, True]),  # 1 / 0
        (seen(tables=(table,)), [True, True, False]),  # no electrons of Mg
        (seen(descriptors=("bond_order",)), [True, True, False]),
    ):
        assert features.known(alloys).tolist() == expected
    if unknown == "integrated":  # the whole formula hangs on what is not known
        assert seen(formulas=(by_process,)).known(alloys).all()


def test_a_column_that_alloys_do_not_have_is_not_known_of_them() -> None:
    features = Features(("Nb", "Ti"), columns=(GRAIN,), unknown="integrated")
    designs = without_process(("Nb", "Ti"), [[0.1, 0.9]])
    np.testing.assert_array_equal(features.encode(designs), [[0.1, 0.9, np.nan]])


def test_alloys_of_which_one_tells_more_are_put_together_with_what_is_not_known() -> None:
    process = {"quench": np.array(["air"], dtype=object), "grain_size_um": np.array([50.0])}
    made = Alloys(("Nb", "Ti"), np.array([[0.1, 0.9]]), process)
    designs = without_process(("Nb", "Ti"), [[0.2, 0.8]])
    for both, order in ((made + designs, [0, 1]), (designs + made, [1, 0])):
        assert [both.process["quench"].tolist()[i] for i in order] == ["air", None]
        np.testing.assert_array_equal(both.process["grain_size_um"][order], [50, np.nan])


def test_a_column_that_only_a_formula_names_is_no_feature_itself() -> None:
    hall_petch = Features(
        ("Nb", "Ti"), False, formulas=(Formula("grain_size_um ** -0.5"),), columns=(Column("grain_size_um", 25, False),)
    )
    assert hall_petch.names == ("grain_size_um ** -0.5",)
    alloys = Alloys(("Nb", "Ti"), np.full((2, 2), 0.5), {"grain_size_um": np.array([100.0, np.nan])})
    assert hall_petch.encode(alloys).tolist() == [[0.1], [0.2]]  # 1/√100, and 1/√25 where it is not known


def test_a_formula_without_a_value_is_told_with_its_numbers_where_they_are_known() -> None:
    features = Features(
        ("Nb", "Zr", "Ti"),
        formulas=(RATIO, TIMED),
        columns=(GRAIN,),
        process=(TEMPERATURE,),
        unknown="integrated",
    )
    alloys = Alloys(
        ("Nb", "Zr", "Ti"), np.array([[0.0, 0.5, 0.5], [0.0, 0.0, 1.0]]), {"solution_temperature_C": np.full(2, np.nan)}
    )
    # wt.% of Zr in equal atoms: 91.224 / (91.224 + 47.867)
    assert features.undefined(alloys) == {0: "'Zr / Nb' has no value where Zr = 65.59 and Nb = 0"}


@pytest.mark.parametrize("unknown", ["flagged", "integrated"])
def test_every_column_has_a_meaning(unknown: Literal["flagged", "integrated"]) -> None:
    features = named(unknown)
    assert all(features.meaning(name) for name in features.names)
    assert features.meaning("Zr / Nb") == "computed; amounts of elements in wt.%"
    assert features.meaning("electrons_std") == "standard deviation of electrons over the atoms (mine.csv)"
    assert features.meaning("solution_temperature_C") == "a process variable, 750 to 1050"
    assert features.meaning("oxygen_wt_pct") == "a condition, predicted at 0.15"
    assert "not known of a new design" in features.meaning("grain_size_um")


def test_two_features_of_one_name_are_refused() -> None:
    with pytest.raises(AlloyloopError, match="two features named vec"):
        Features(("Nb", "Ti"), descriptors=("vec",), formulas=(Formula("vec"),))


def test_features_are_equal_by_value_and_can_be_sent_to_another_process() -> None:
    assert len({named("flagged"), named("integrated"), pickle.loads(pickle.dumps(named("flagged")))}) == 2
