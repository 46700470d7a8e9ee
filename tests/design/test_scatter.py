"""What is made where an alloy is aimed at: near it, whole, of the same elements, and the same every time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alloyloop.design.composition import Basis, Composition, amounts_in
from alloyloop.design.features import Alloys
from alloyloop.design.scatter import Off, Scatter, scatters
from alloyloop.surrogates.errors import AlloyloopError

from ..strategies import BASES, alloys

ELEMENTS = ("Nb", "Zr", "Sn", "Ti")
COMPOSITIONS = alloys(ELEMENTS)
OFFS = st.builds(Off, st.floats(0, 5), st.floats(-2, 2)) | st.builds(
    Off, st.floats(0, 0.5), st.floats(-0.5, 0.5), st.just(True)
)


def as_alloys(*compositions: Composition) -> Alloys:
    rows = [composition.vector(ELEMENTS, "at_pct") / 100 for composition in compositions]
    return Alloys(ELEMENTS, np.array(rows), {})


def made_of(composition: Composition, scatter: Scatter) -> np.ndarray:
    """(n_scatters, n_elements) amounts in the scatter's basis."""
    made = scatter.made(as_alloys(composition), scatters(scatter.n_scattering, 4))
    return amounts_in(made.fractions, ELEMENTS, scatter.basis)


@given(COMPOSITIONS, st.sampled_from(BASES), st.dictionaries(st.sampled_from(ELEMENTS[:3]), OFFS))
def test_what_is_made_is_whole_and_holds_nothing_that_was_not_weighed_in(
    aimed: Composition, basis: Basis, off: dict[str, Off]
) -> None:
    made = made_of(aimed, Scatter(basis, "Ti", off))
    np.testing.assert_allclose(made.sum(axis=1), 100, rtol=1e-12)
    assert (made >= 0).all()
    solute_is_absent = aimed.vector(ELEMENTS, basis)[:3] == 0
    assert (made[:, :3][:, solute_is_absent] == 0).all()


@given(COMPOSITIONS, st.sampled_from(BASES), st.floats(0, 1))
def test_without_losses_the_mean_of_what_is_made_is_what_was_aimed_at(
    aimed: Composition, basis: Basis, std: float
) -> None:
    amounts = aimed.vector(ELEMENTS, basis)
    made = made_of(aimed, Scatter(basis, "Ti", {"Nb": Off(std), "Zr": Off(std)}))
    if amounts[3] > 6 * std:  # the balance takes the remainder; where there is too little of it, all else takes it
        np.testing.assert_allclose(made.mean(axis=0), amounts, atol=1e-9)


def test_an_amount_scatters_as_much_as_was_said_and_the_balance_takes_it() -> None:
    made = made_of(Composition.parse("Ti-20Nb-10Zr wt"), Scatter("wt_pct", "Ti", {"Nb": Off(0.5), "Zr": Off(0.3)}))
    np.testing.assert_allclose(made.std(axis=0), [0.5, 0.3, 0, np.hypot(0.5, 0.3)], rtol=1e-9)


def test_a_loss_is_a_share_of_what_was_weighed_or_an_amount() -> None:
    aimed = Composition.parse("Ti-20Nb-8Sn wt")
    lost = Scatter("wt_pct", "Ti", {"Nb": Off(0.0, shift=-1.0), "Sn": Off(0.02, shift=-0.05, relative=True)})
    made = made_of(aimed, lost)
    np.testing.assert_allclose(made.mean(axis=0), [19, 0, 7.6, 73.4], atol=1e-9)
    np.testing.assert_allclose(made.std(axis=0), [0, 0, 0.16, 0.16], atol=1e-9)


def test_a_loss_of_more_than_there_is_leaves_nothing() -> None:
    made = made_of(Composition.parse("Ti-0.5Nb wt"), Scatter("wt_pct", "Ti", {"Nb": Off(0.1, shift=-1.0)}))
    np.testing.assert_allclose(made, [[0, 0, 0, 100]] * len(made), atol=1e-12)


def test_what_is_not_weighed_in_has_no_scatter() -> None:
    scatter = Scatter("wt_pct", "Ti", {"Nb": Off(0.5), "Zr": Off(0.1, relative=True)})
    std = scatter.std(np.array([[0.0, 5.0, 1.0, 94.0], [20.0, 0.0, 0.0, 80.0]]), ELEMENTS)
    np.testing.assert_allclose(std, [[0, 0.5, 0, 0], [0.5, 0, 0, 0]])


def test_a_trace_scatters_less_than_it_is() -> None:
    made = made_of(Composition.parse("Ti-0.1Nb wt"), Scatter("wt_pct", "Ti", {"Nb": Off(0.5)}))
    assert made[:, 0].min() >= 0
    assert made[:, 0].mean() == pytest.approx(0.1)


@pytest.mark.parametrize(("n", "n_pairs"), [(1, 4), (2, 4), (5, 5), (3, 16), (11, 11)])
def test_scatters_have_the_mean_and_covariance_of_standard_normals(n: int, n_pairs: int) -> None:
    points = scatters(n, n_pairs)
    assert points.shape == (2 * n_pairs, n)
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(points.T @ points / len(points), np.eye(n), atol=1e-9)


def test_nothing_scatters_in_one_way() -> None:
    assert scatters(0, 4).shape == (1, 0)


def test_processes_are_those_of_the_alloys() -> None:
    aimed = Alloys(("Nb", "Ti"), np.array([[0.2, 0.8], [0.3, 0.7]]), {"quench": np.array(["air", None], dtype=object)})
    made = Scatter("at_pct", "Ti", {"Nb": Off(1.0)}).made(aimed, np.array([[-1.0], [1.0]]))
    assert made.process["quench"].tolist() == ["air", "air", None, None]
    np.testing.assert_allclose(made.fractions[:, 0], [0.19, 0.21, 0.29, 0.31])


def test_the_balance_has_no_scatter_of_its_own() -> None:
    with pytest.raises(AlloyloopError, match="Ti takes the remainder"):
        Scatter("at_pct", "Ti", {"Ti": Off(0.5)})


def test_a_negative_scatter_is_refused() -> None:
    with pytest.raises(AlloyloopError, match="no standard deviation"):
        Off(-0.1)
