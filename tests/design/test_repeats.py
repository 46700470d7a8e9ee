"""Repeats of one measurement become one row, and their scatter the noise of all rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.beliefs import Evidence
from alloyloop.design.features import Alloys
from alloyloop.design.repeats import merge_repeats, merged_words

UNKNOWN = np.nan
ELEMENTS = ("Nb", "Sn", "Ti")


def measured(
    values: list[float],
    niobium: list[float] | None = None,
    noise: list[float] | None = None,
    sources: list[str] | None = None,
    censored: list[int] | None = None,
    ids: list[str] | None = None,
    temperature: list[float] | None = None,
    quench: list[str | None] | None = None,
) -> Evidence:
    """Rows of Ti-Nb alloys; of one alloy, source and treatment where nothing else is said."""
    n = len(values)
    fractions = np.zeros((n, 3))
    fractions[:, 0] = niobium if niobium is not None else [0.25] * n
    fractions[:, 2] = 1 - fractions[:, 0]
    process = {
        "solution_temperature_C": np.array(temperature or [900.0] * n),
        "quench": np.array(quench or ["water"] * n, dtype=object),
    }
    return Evidence(
        "youngs_modulus_GPa",
        Alloys(ELEMENTS, fractions, process),
        np.array(values, dtype=np.float64),
        np.array(noise if noise is not None else [UNKNOWN] * n),
        np.array(sources if sources is not None else ["one laboratory"] * n, dtype=np.str_),
        np.array(censored if censored is not None else [0] * n),
        np.array(ids if ids is not None else [f"A{i}" for i in range(n)], dtype=np.str_),
    )


def same(one: Evidence, other: Evidence) -> None:
    """Both say the same, row by row."""
    assert one.ids.tolist() == other.ids.tolist()
    assert one.values == pytest.approx(other.values, rel=1e-12)
    assert one.noise == pytest.approx(other.noise, rel=1e-12, nan_ok=True)
    assert one.alloys.fractions.tolist() == other.alloys.fractions.tolist()
    assert one.sources.tolist() == other.sources.tolist()
    assert one.censored.tolist() == other.censored.tolist()


def test_a_merged_row_is_the_mean_where_the_first_stood_and_names_all() -> None:
    merged = merge_repeats(measured([70, 60, 74, 72], niobium=[0.2, 0.3, 0.2, 0.2]))
    assert merged.values.tolist() == [72, 60]
    assert merged.ids.tolist() == ["A0 + A2 + A3", "A1"]
    assert merged.alloys.fractions[:, 0].tolist() == [0.2, 0.3]


def test_pooled_scatter_is_the_noise_of_means_and_of_single_rows() -> None:
    # By hand: squares about the groups' means add up to 8 and 14, with 1 and 2 degrees of freedom.
    merged = merge_repeats(measured([70, 74, 61, 60, 65, 60, 50], niobium=[0.1, 0.1, 0.2, 0.3, 0.2, 0.2, 0.4]))
    assert merged.values == pytest.approx([72, 62, 60, 50])
    assert merged.noise == pytest.approx(np.sqrt((8 + 14) / 3 / np.array([2, 3, 1, 1])))


def test_stated_noise_weighs_the_mean_and_is_pooled() -> None:
    # The textbook's inverse-variance mean: weights 1 and 1/4.
    merged = merge_repeats(measured([70, 75], noise=[1.0, 2.0]))
    assert merged.values == pytest.approx([71.0])
    assert merged.noise == pytest.approx([np.sqrt(0.8)])


def test_an_unstated_noise_among_stated_ones_is_that_of_the_scatter() -> None:
    # The scatter of 70 and 75 has the variance 12.5; the other states 2.5² = 6.25, and weighs twice as much.
    merged = merge_repeats(measured([70, 75, 40, 41], niobium=[0.2, 0.2, 0.3, 0.4], noise=[2.5, UNKNOWN, 3.0, UNKNOWN]))
    assert merged.values == pytest.approx([215 / 3, 40, 41])
    assert merged.noise == pytest.approx([np.sqrt(12.5 / 3), 3.0, np.sqrt(12.5)])


def test_repeats_that_agree_exactly_are_copies_and_make_no_row_certain() -> None:
    merged = merge_repeats(measured([0.1, 0.1, 0.1, 60], niobium=[0.2, 0.2, 0.2, 0.3]))
    assert merged.values == pytest.approx([0.1, 60])
    assert np.isnan(merged.noise).all()


def test_scatter_between_sources_that_are_not_told_is_no_noise() -> None:
    """Strengths of one alloy in a review scatter by hundreds of MPa: a model told so would be sure of nothing."""
    rows = measured(
        [500, 900, 60, 64, 70, 70], niobium=[0.2, 0.2, 0.3, 0.3, 0.4, 0.1], sources=["", "", *["one paper"] * 4]
    )
    merged = merge_repeats(rows)
    assert merged.values.tolist() == [700, 62, 70, 70]
    assert merged.noise == pytest.approx([2, 2, np.sqrt(8), np.sqrt(8)])  # of 60 and 64: 8
    untold = merge_repeats(replace(rows, sources=np.array([""] * 6)))
    assert untold.values.tolist() == merged.values.tolist()
    assert np.isnan(untold.noise).all()


def test_where_no_scatter_is_told_unstated_noise_is_like_what_is_stated_beside_it() -> None:
    # Variances 4 and 16, and their mean, 10: weights 1, 1/4 and 2/5.
    merged = merge_repeats(measured([70, 75, 80], noise=[2.0, 4.0, UNKNOWN], sources=[""] * 3))
    assert merged.values == pytest.approx([(70 + 75 / 4 + 80 * 2 / 5) / 1.65])
    assert merged.noise == pytest.approx([np.sqrt(4 / 1.65)])


def test_what_is_said_to_be_exact_is_not_averaged_away() -> None:
    merged = merge_repeats(measured([70, 80, 72], noise=[0.0, 1.0, 0.0]))
    assert (merged.values.tolist(), merged.noise.tolist()) == ([71], [0])


@pytest.mark.parametrize(
    "different",
    [
        {"sources": ["one paper", "another"]},
        {"niobium": [0.25, 0.2501]},
        {"temperature": [900.0, 901.0]},
        {"temperature": [900.0, UNKNOWN]},
        {"quench": ["water", "air"]},
        {"quench": ["water", None]},
        {"censored": [0, 1]},
        {"censored": [-1, -1]},
    ],
    ids=str,
)
def test_rows_that_say_different_things_are_kept_apart(different: dict[str, list[object]]) -> None:
    rows = measured([70, 74], **different)  # type: ignore[arg-type]  # each has the type of its argument
    same(merge_repeats(rows), rows)


@pytest.mark.parametrize(
    "alike",
    [
        {"sources": [""] * 2},
        {"niobium": [0.25, 0.25 + 2e-10]},
        {"temperature": [900.0, 900.0 + 2e-7]},
        {"temperature": [UNKNOWN] * 2},
        {"quench": [None] * 2},
    ],
    ids=str,
)
def test_rows_that_say_the_same_are_merged(alike: dict[str, list[object]]) -> None:
    assert len(merge_repeats(measured([70, 74], **alike))) == 1  # type: ignore[arg-type]  # as above


def test_a_small_number_is_compared_in_its_own_size() -> None:
    rows = measured([70, 74], temperature=[1e-12, 2e-12])  # such as a permeability in m²
    assert len(merge_repeats(rows)) == 2


def test_a_bound_has_the_noise_of_a_measurement_and_stays() -> None:
    merged = merge_repeats(measured([70, 74, 90], censored=[0, 0, 1]))
    assert (merged.values.tolist(), merged.censored.tolist()) == ([72, 90], [0, 1])
    assert merged.noise == pytest.approx([2, np.sqrt(8)])


def with_strength(of: Evidence, names: list[str], values: list[float], **said: list[float]) -> Evidence:
    strength = replace(measured(values, ids=names, **said), property="yield_strength_MPa")  # type: ignore[arg-type]
    return replace(of, companions=(strength,))


def test_companions_are_merged_by_their_own_scatter() -> None:
    moduli = measured([70, 74, 60], niobium=[0.2, 0.2, 0.3])
    merged = merge_repeats(with_strength(moduli, ["A0", "A1"], [500, 540], niobium=[0.2, 0.2]))
    (strength,) = merged.companions
    assert (strength.values.tolist(), strength.ids.tolist()) == ([520], ["A0 + A1"])
    assert strength.noise == pytest.approx([20])  # of 500 and 540: 800 / 2
    assert strength.property == "yield_strength_MPa"


def test_no_other_property_of_a_row_left_out_is_learned_from() -> None:
    """Also where the row is in several, or where what is merged of one property is not of the other."""
    moduli = measured([70, 74, 60, 90, 66], niobium=[0.2, 0.2, 0.3, 0.2, 0.4], censored=[0, 0, 0, 1, 0])
    strength = {"niobium": [0.2, 0.3, 0.2, 0.2]}
    merged = merge_repeats(with_strength(moduli, ["A1", "A2", "A3", "B7"], [500, 600, 520, 510], **strength))
    assert merged.ids.tolist() == ["A0 + A1", "A2", "A3", "A4"]
    assert merged.companions[0].ids.tolist() == ["A0 + A1", "A2", "A3", "B7"]
    assert merged.rows(np.array([1, 2, 3])).companions[0].ids.tolist() == ["A2", "A3", "B7"]
    assert merged.rows(np.array([0, 3])).companions[0].ids.tolist() == ["A0 + A1", "B7"]


def test_nothing_at_all_is_merged_into_nothing() -> None:
    nothing = measured([70, 74]).rows(np.zeros(2, dtype=bool))
    assert len(merge_repeats(nothing)) == 0


def test_the_count_is_said_in_words() -> None:
    rows = measured([70, 74, 60], niobium=[0.2, 0.2, 0.3])
    merged = merge_repeats(rows)
    assert merged_words(rows, merged) == "youngs_modulus_GPa: 3 rows are 2 without repeats, of which the mean is taken."
    assert merged_words(merged, merged) == ""


@st.composite
def tables(draw: st.DrawFn, *, noise_is_stated: bool = True) -> Evidence:
    """Up to twelve rows of few alloys, treatments and sources, so that many repeat others."""
    n = draw(st.integers(1, 12))

    def of(some: st.SearchStrategy[object]) -> list[object]:
        return draw(st.lists(some, min_size=n, max_size=n))

    noises = [UNKNOWN, 0.5, 2.0] if noise_is_stated else [UNKNOWN]
    return measured(
        of(st.floats(50, 100)),  # type: ignore[arg-type]  # what each strategy draws
        niobium=of(st.sampled_from([0.2, 0.3])),  # type: ignore[arg-type]
        noise=of(st.sampled_from(noises)),  # type: ignore[arg-type]
        sources=of(st.sampled_from(["", "one paper"])),  # type: ignore[arg-type]
        censored=of(st.sampled_from([0, 0, 0, 1])),  # type: ignore[arg-type]
        temperature=of(st.sampled_from([900.0, UNKNOWN])),  # type: ignore[arg-type]
    )


@given(tables())
def test_merging_again_changes_nothing(rows: Evidence) -> None:
    once = merge_repeats(rows)
    same(merge_repeats(once), once)


@given(tables(), st.data())
def test_the_order_of_rows_does_not_matter(rows: Evidence, data: st.DataObject) -> None:
    order = np.array(data.draw(st.permutations(range(len(rows)))))
    found, again = (
        {frozenset(name.split(" + ")): (value, noise) for name, value, noise in zip(*of, strict=True)}
        for of in ((one.ids, one.values, one.noise) for one in map(merge_repeats, (rows, rows.rows(order))))
    )
    assert found.keys() == again.keys()
    for group, told in found.items():
        assert told == pytest.approx(again[group], rel=1e-9, nan_ok=True)


@given(tables())
def test_every_row_is_in_one_row_and_no_mean_lies_outside_its_repeats(rows: Evidence) -> None:
    merged, place = merge_repeats(rows), {name: i for i, name in enumerate(rows.ids)}
    of = [[place[name] for name in whole.split(" + ")] for whole in merged.ids]
    assert sorted(row for repeats in of for row in repeats) == list(range(len(rows)))
    for value, repeats in zip(merged.values, of, strict=True):
        assert rows.values[repeats].min() - 1e-9 <= value <= rows.values[repeats].max() + 1e-9
        assert len({(rows.sources[row], rows.alloys.fractions[row, 0]) for row in repeats}) == 1


@given(tables(noise_is_stated=False))
def test_without_stated_noise_totals_are_kept_and_noise_falls_with_the_root_of_the_count(rows: Evidence) -> None:
    merged = merge_repeats(rows)
    counts = np.array([name.count(" + ") + 1 for name in merged.ids])
    assert counts @ merged.values == pytest.approx(rows.values.sum())
    one = merged.noise * np.sqrt(counts)
    assert one == pytest.approx(np.full(len(merged), one[0]), nan_ok=True)


@given(tables())
def test_a_mean_is_no_less_sure_than_the_surest_of_its_repeats(rows: Evidence) -> None:
    stated = replace(rows, noise=np.where(np.isnan(rows.noise), 1.0, rows.noise))
    merged, place = merge_repeats(stated), {name: i for i, name in enumerate(rows.ids)}
    for noise, whole in zip(merged.noise, merged.ids, strict=True):
        assert noise <= stated.noise[[place[name] for name in whole.split(" + ")]].min() + 1e-12
