"""Sections of the space: what is drawn there is what the campaign predicts, and what it does not allow is marked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.house_style import COLUMN, figure_svg
from alloyloop.campaigns.map_plots import _triangles, map_figure
from alloyloop.campaigns.maps import Map, mapped, section, slices
from alloyloop.campaigns.snapshot import Snapshot
from alloyloop.surrogates.errors import AlloyloopError

from .folders import EXPERIMENTS, PROPOSED, QUESTION, alloyloop, make

pytestmark = pytest.mark.torch

E_GPa = "youngs_modulus_GPa"
FOUR = QUESTION.replace("    Zr: {min: 0, max: 10}\n", "    Zr: {min: 0, max: 10}\n    Sn: {min: 0, max: 8}\n")
WITH_TIN = """\
id,status,Ti_wt_pct,Nb_wt_pct,Zr_wt_pct,Sn_wt_pct,youngs_modulus_GPa
A,known,76,20,0,4,80
B,known,61,35,0,4,60
"""
LIMITED = QUESTION.replace("{goal: minimize}", "{goal: below, limit: 70}")


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    """Ti with 10 to 40 wt.% Nb and up to 10 Zr; C, of 63 GPa, is not the best: E is, of 61."""
    return Campaign(make(tmp_path_factory.mktemp("maps") / "ti", experiments=EXPERIMENTS + PROPOSED))


@pytest.fixture(scope="module")
def snapshot(campaign: Campaign) -> Snapshot:
    """As it stands on disk."""
    return campaign.snapshot()


@pytest.fixture(scope="module")
def expected(snapshot: Snapshot) -> Map:
    """The modulus that is expected over the whole space."""
    return mapped(snapshot, [section(snapshot, ("Ti", "Nb", "Zr"))])


# -- where ------------------------------------------------------------------------------------------------------------


def test_a_triangle_reaches_as_far_as_the_bounds(snapshot: Snapshot) -> None:
    # By hand: Nb at least 10, Zr at least 0, Ti what 40 of Nb and 10 of Zr leave: 50. Beyond these 100 - 60 = 40.
    place = section(snapshot, ("Ti", "Nb", "Zr"))
    assert place.lows == pytest.approx([50, 10, 0])
    assert place.total == 100
    assert place.span == pytest.approx(40)


def test_amounts_of_a_triangle_sum_to_what_is_left_for_them(tmp_path: Path) -> None:
    snapshot = Campaign(make(tmp_path / "ti", FOUR, WITH_TIN)).snapshot()
    place = section(snapshot, ("Ti", "Nb", "Zr"))
    assert dict(place.held) == {"Sn": 4.0}
    assert place.total == 96
    amounts = place.amounts(6)
    assert len(amounts) == 28  # 1 + 2 + … + 7
    assert amounts.sum(axis=1) == pytest.approx(np.full(28, 96))
    assert place.percent(amounts).sum(axis=1) == pytest.approx(np.full(28, 100))
    assert place.words == "Sn 4 wt.%"
    # A slice has another amount of tin, and the three as much less.
    cut = slices(snapshot, ("Ti", "Nb", "Zr", "Sn"), amounts=(0, 8))
    assert [one.total for one in cut] == [100, 92]
    by_itself = slices(snapshot, ("Ti", "Nb", "Zr", "Sn"))
    assert [one.held["Sn"] for one in by_itself] == [0, 3, 5, 8]  # over its range, on its step


def test_what_is_allowed_is_what_the_space_contains(expected: Map) -> None:
    (layer,) = expected.layers
    nb, zr = layer.amounts[:, 1], layer.amounts[:, 2]
    ours = (nb <= 40 + 1e-9) & (zr <= 10 + 1e-9) & (nb + zr <= 45 + 1e-9)  # bounds and the rule, by hand
    assert (layer.inside == ours).all()
    assert 0 < layer.inside.sum() < len(layer.inside)


def test_small_triangles_tile_the_large_one(expected: Map) -> None:
    (layer,) = expected.layers
    corners = layer.amounts[_triangles(layer)][:, :, 1:]
    sides = corners[:, 1:] - corners[:, :1]
    areas = np.abs(np.linalg.det(sides)) / 2
    assert areas.sum() == pytest.approx(40 * 40 / 2)
    assert np.ptp(areas) < 1e-9


def test_an_alloy_lies_off_a_section_by_what_would_have_to_be_exchanged(snapshot: Snapshot) -> None:
    place = section(snapshot, ("Ti", "Nb", "Zr"))
    assert place.off == pytest.approx(np.zeros(len(snapshot.table)))
    rows = np.array([id == "E" for id in snapshot.table.ids])
    assert place.places(rows) == pytest.approx(np.array([[60, 30, 10]]))


@pytest.mark.parametrize(
    ("elements", "said"),
    [
        (("Ti", "Nb", "Fe"), "Fe is not an element of this space. Its elements are Nb, Zr and Ti"),
        (("Ti", "Nb"), "takes three elements, and not Ti and Nb"),
        (("Ti", "Nb", "Nb"), "takes three elements, and not Ti, Nb and Nb"),
    ],
)
def test_other_than_three_elements_of_the_space_are_refused(
    elements: tuple[str, ...], said: str, snapshot: Snapshot
) -> None:
    with pytest.raises(AlloyloopError, match=said):
        section(snapshot, elements)


def test_a_space_of_two_elements_has_no_triangle(tmp_path: Path) -> None:
    question = QUESTION.replace("    Zr: {min: 0, max: 10}\n", "").replace("    - Nb + Zr <= 45\n", "    - Nb <= 45\n")
    with pytest.raises(AlloyloopError, match="takes three elements, and this space has 2"):
        section(Campaign(make(tmp_path / "ti", question)).snapshot())


def test_a_space_of_three_elements_has_no_slices(snapshot: Snapshot) -> None:
    with pytest.raises(AlloyloopError, match="Slices take four elements, and this space has 3"):
        slices(snapshot)


# -- what -------------------------------------------------------------------------------------------------------------


def test_what_is_shown_is_what_is_predicted(campaign: Campaign, expected: Map) -> None:
    (layer,) = expected.layers
    for row in (0, 100, 700):
        ti, nb, zr = layer.amounts[row]
        (answer,) = campaign.predict(f"Ti{ti!r}Nb{nb!r}Zr{zr!r} wt".replace("np.float64(", "").replace(")", ""))
        assert layer.values[row] == pytest.approx(answer.predicted[E_GPa].mean)
    assert expected.label == "Expected Young's modulus [GPa]"


def test_uncertainty_is_least_where_alloys_were_measured(snapshot: Snapshot) -> None:
    shown = mapped(snapshot, [section(snapshot, ("Ti", "Nb", "Zr"))], "std")
    (layer,) = shown.layers
    at_known = np.abs(layer.amounts - [65, 35, 0]).sum(axis=1).argmin()
    far = np.abs(layer.amounts - [50, 10, 40]).sum(axis=1).argmin()
    assert layer.values[at_known] < layer.values[far]
    assert shown.label == "Uncertainty of the Young's modulus [GPa]"


def test_a_probability_is_that_of_all_goals_together(tmp_path: Path) -> None:
    campaign = Campaign(make(tmp_path / "ti", LIMITED))
    snapshot = campaign.snapshot()
    shown = mapped(snapshot, [section(snapshot, ("Ti", "Nb", "Zr"))], "probability")
    (layer,) = shown.layers
    assert ((layer.values >= 0) & (layer.values <= 100)).all()
    soft = np.abs(layer.amounts - [62, 38, 0]).sum(axis=1).argmin()
    stiff = np.abs(layer.amounts - [90, 10, 0]).sum(axis=1).argmin()
    assert layer.values[soft] > 50 > layer.values[stiff]
    assert shown.label == "Probability that Young's modulus below 70 GPa [%]"


def test_a_goal_without_a_limit_has_no_probability(snapshot: Snapshot) -> None:
    place = section(snapshot, ("Ti", "Nb", "Zr"))
    with pytest.raises(AlloyloopError, match=r"No limit is asked for \(minimize youngs_modulus_GPa\)"):
        mapped(snapshot, [place], "probability")


def test_an_acquisition_is_counted_in_shares_of_the_best_design_here(tmp_path: Path) -> None:
    question = QUESTION + "acquisition: log-expected-improvement\n"
    snapshot = Campaign(make(tmp_path / "ti", question)).snapshot()
    shown = mapped(snapshot, [section(snapshot, ("Ti", "Nb", "Zr"))], "acquisition")
    (layer,) = shown.layers
    assert layer.values[layer.inside].max() == pytest.approx(100)
    assert ((layer.values >= 0) & (layer.values <= 100)).all()
    assert shown.label == "Expected improvement, of the best here [%]"


@pytest.mark.parametrize(
    ("show", "of", "said"),
    [
        ("median", "", "There is no map of 'median'. Those are mean, std, probability and acquisition"),
        ("mean", "hardness_HV", "There is no property 'hardness_HV' in campaign.yaml. Known are youngs_modulus_GPa"),
    ],
)
def test_what_cannot_be_shown_is_said(show: str, of: str, said: str, snapshot: Snapshot) -> None:
    with pytest.raises(AlloyloopError, match=said):
        mapped(snapshot, [section(snapshot, ("Ti", "Nb", "Zr"))], show, of)


def test_before_anything_is_measured_there_is_no_map(tmp_path: Path) -> None:
    empty = EXPERIMENTS.splitlines()[0] + "\n" + PROPOSED
    told = alloyloop("plot", make(tmp_path / "ti", experiments=empty), "ternary")
    assert told.code == 1
    assert told.err == (
        "alloyloop: No property has been measured often enough to model. `alloyloop record` enters measurements.\n"
    )


# -- the picture ------------------------------------------------------------------------------------------------------


def drawn_at(ax: Any, said: str) -> list[list[float]]:
    """Amounts of the three elements where markers were drawn, from their places in the plane of the triangle."""
    (found,) = [each for each in ax.get_lines() if str(each.get_label()).startswith(said)]
    back = np.linalg.solve(
        np.vstack([ax.corners_data.T, np.ones(3)]), np.vstack([found.get_xydata().T, np.ones(len(found.get_xydata()))])
    )
    return [[round(float(part), 6) for part in row] for row in ax.ternary_sum * back.T]


def test_alloys_are_drawn_where_they_are(expected: Map) -> None:
    figure = map_figure(expected, COLUMN)
    ax: Any = figure.axes[0]
    assert drawn_at(ax, "known") == [[80, 20, 0], [70, 30, 0], [65, 35, 0], [60, 40, 0], [60, 30, 10]]
    assert drawn_at(ax, "proposed") == [[58, 32, 10], [77, 18, 5]]
    assert drawn_at(ax, "through E") == [[60, 30, 10]]
    assert [ax.get_tlabel(), ax.get_llabel(), ax.get_rlabel()] == ["Ti [wt.%]", "Nb [wt.%]", "Zr [wt.%]"]
    assert any(each.get_xlabel() == "Expected Young's modulus [GPa]" for each in figure.axes)


def test_a_map_is_the_same_again_and_small_enough_to_send(expected: Map) -> None:
    svg = figure_svg(map_figure(expected))
    assert svg == figure_svg(map_figure(expected))
    assert len(svg) < 400_000
