"""What a furnace takes away, learned from analyses."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from alloyloop.design.composition import at_to_wt
from alloyloop.design.losses import FittedLoss, charged_for, fit_losses, keepers
from alloyloop.surrogates.base import FloatArray

ELEMENTS: tuple[str, ...] = ("Ti", "Nb", "Sn", "Mn")
BIRDSHOT = Path(__file__).parents[2].parent / "shared" / "data" / "birdshot_hea_year1.csv"
KEPT = {"Ti": 0.0, "Nb": 0.0}
LOSSES = st.fixed_dictionaries({"Sn": st.floats(0, 0.9), "Mn": st.floats(0, 0.9)})


def melts(rng: np.random.Generator, n: int) -> FloatArray:
    """(n, 4) amounts that are charged [wt.%]."""
    solutes = rng.uniform(2, 15, size=(n, 3))
    return np.column_stack([100 - solutes.sum(axis=1), solutes])


def melted(charged: FloatArray, loss: Mapping[str, float]) -> FloatArray:
    """What an analysis without error finds, which sums to 100 again."""
    rest = charged * (1 - np.array([loss.get(element, 0.0) for element in ELEMENTS]))
    return np.asarray(100 * rest / rest.sum(axis=1, keepdims=True))


@given(LOSSES, st.integers(0, 2**32 - 1), st.integers(3, 8))
def test_without_errors_of_analysis_the_losses_come_out_as_they_were(loss: dict[str, float], seed: int, n: int) -> None:
    charged = melts(np.random.default_rng(seed), n)
    fitted = fit_losses(ELEMENTS, charged, melted(charged, loss), kept=KEPT)
    assert {each.element: each.loss for each in fitted} == pytest.approx(loss, abs=1e-9)
    assert all(each.low - 1e-9 <= each.loss <= each.high + 1e-9 for each in fitted)


@given(LOSSES, st.integers(0, 2**32 - 1))
def test_what_was_allowed_for_is_part_of_what_was_charged(allowed: dict[str, float], seed: int) -> None:
    wanted = melts(np.random.default_rng(seed), 3)
    charged = charged_for(wanted, ELEMENTS, allowed)
    fitted = fit_losses(ELEMENTS, charged, wanted, kept=KEPT)  # the alloys came out as they were wanted
    assert {each.element: each.loss for each in fitted} == pytest.approx(allowed, abs=1e-9)


def test_an_interval_holds_the_loss_nine_times_in_ten() -> None:
    rng = np.random.default_rng(8)
    held = 0
    for _ in range(500):
        charged = melts(rng, 5)
        found = melted(charged, {"Sn": 0.03}) * np.exp(rng.normal(0, [0, 0.02, 0.02, 0.02], size=(5, 4)))
        tin, _ = fit_losses(ELEMENTS, charged, found, kept=KEPT)
        held += tin.low <= 0.03 <= tin.high
    assert held == pytest.approx(450, abs=3 * np.sqrt(500 * 0.9 * 0.1))  # of a binomial


def test_what_all_elements_lose_alike_only_a_balance_can_tell() -> None:
    charged = melts(np.random.default_rng(1), 4)
    everywhere = dict.fromkeys(ELEMENTS, 0.1)
    by_composition = fit_losses(ELEMENTS, charged, melted(charged, everywhere), kept=KEPT)
    assert {each.element: each.loss for each in by_composition} == pytest.approx({"Sn": 0, "Mn": 0}, abs=1e-9)
    by_mass = fit_losses(ELEMENTS, charged, melted(charged, everywhere), kept=KEPT, left=np.full(4, 0.9))
    assert {each.element: each.loss for each in by_mass} == pytest.approx(everywhere)


def test_losses_are_counted_from_what_is_known_of_the_reference() -> None:
    charged = melts(np.random.default_rng(2), 3)
    found = melted(charged, {"Ti": 0.05, "Sn": 0.2, "Mn": 0.3})
    fitted = fit_losses(ELEMENTS, charged, found, kept={"Ti": 0.05})
    assert {e.element: e.loss for e in fitted} == pytest.approx({"Nb": 0, "Sn": 0.2, "Mn": 0.3}, abs=1e-9)


def test_fewer_than_three_melts_tell_nothing_and_an_element_that_is_nowhere_is_not_spoken_of() -> None:
    charged = np.array([[90.0, 10, 0, 0], [85.0, 10, 5, 0], [80.0, 10, 10, 0]])
    (tin,) = fit_losses(ELEMENTS, charged, charged, kept=KEPT)
    assert (tin.element, tin.n_melts, tin.is_told) == ("Sn", 2, False)
    assert "it takes 3 melts that were analysed, and there are 2" in tin.words


def test_a_melt_without_the_reference_tells_nothing() -> None:
    charged = np.array([[0.0, 0, 50, 50]] * 3)
    assert fit_losses(ELEMENTS, charged, charged, kept=KEPT) == ()


def test_a_loss_is_told_where_its_interval_lies_above_nothing() -> None:
    assert FittedLoss("Sn", 5, 0.02, 0.001, 0.04).is_told
    assert not FittedLoss("Sn", 5, 0.02, -0.001, 0.04).is_told


@pytest.mark.parametrize(
    ("elements", "balance", "kept"),
    [("Ti Nb Sn", "Ti", ("Ti", "Nb")), ("Mg Zn Zr", "Mg", ("Mg",)), ("Al Ti", "Al", ("Al",))],
)
def test_losses_are_counted_against_what_does_not_evaporate_or_else_the_balance(
    elements: str, balance: str, kept: tuple[str, ...]
) -> None:
    assert keepers(elements.split(), balance) == kept


# BIRDSHOT (arXiv:2405.08900): 76 arc-melted Al-Co-Cr-Fe-Ni-V alloys, as aimed at and as found by EDS.
@pytest.mark.skipif(not BIRDSHOT.exists(), reason="the tables of ../shared/data are not beside this checkout")
def test_eds_of_real_buttons_tells_no_loss_of_aluminium_and_the_interval_is_students() -> None:
    rows = list(csv.DictReader(BIRDSHOT.read_text(encoding="utf-8").splitlines()))
    elements = ("Al", "Co", "Cr", "Fe", "Ni", "V")
    rows = [row for row in rows if all(row[f"{element}_eds_measured_at_pct"] for element in elements)]
    aimed, found = (
        np.array([[float(row[f"{element}{kind}"]) for element in elements] for row in rows])
        for kind in ("_at_pct", "_eds_measured_at_pct")
    )
    charged, analysed = at_to_wt(aimed, elements), at_to_wt(found, elements)
    (aluminium,) = fit_losses(elements, charged, analysed, kept=dict.fromkeys(elements[1:], 0.0))
    with_aluminium = (aimed[:, 0] > 0) & (found[:, 0] > 0)
    before, after = charged[with_aluminium], analysed[with_aluminium]
    # of the rest nothing is lost: aluminium over all that is none, before and after
    logs = np.log(after[:, 0] / (100 - after[:, 0])) - np.log(before[:, 0] / (100 - before[:, 0]))
    interval = stats.ttest_1samp(logs, 0).confidence_interval(0.9)
    assert (len(rows), aluminium.n_melts) == (76, 13)
    assert (aluminium.low, aluminium.high) == pytest.approx((1 - np.exp(interval.high), 1 - np.exp(interval.low)))
    assert aluminium.words == "no loss of Al can be told (-4.6 to 11 %, 13 melts)"
