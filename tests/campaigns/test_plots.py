"""Pictures of a campaign: what is drawn is what the files say, and every axis has its unit."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from alloyloop.campaigns.answers import Predicted
from alloyloop.campaigns.house_style import figure_svg
from alloyloop.campaigns.plots import (
    EXPECTED,
    INSIDE,
    KEPT,
    MADE_UP,
    MEASURED,
    OUT,
    OUTSIDE,
    Comeback,
    comebacks,
    parity,
    progress,
    synthetic_rows,
    trade_off,
)
from alloyloop.campaigns.rounds import past_rounds
from alloyloop.campaigns.standing import standing
from alloyloop.surrogates.errors import AlloyloopError

from .written import EXPERIMENTS, FIRST, HEADER, QUESTION, proposal, written

ONLY_CLASSES = re.sub(r"  (youngs|yield).*\n", "", QUESTION)


def values(ax: Axes, kind: str) -> list[float]:
    """Heights of the markers that the legend calls so."""
    found = [bars for bars in ax.containers if isinstance(bars, ErrorbarContainer) and bars.get_label() == kind]
    return [float(y) for bars in found for y in np.asarray(bars.lines[0].get_ydata())]


def line(ax: Axes, said: str) -> list[float]:
    (found,) = [each for each in ax.get_lines() if each.get_label() == said]
    return [float(y) for y in np.asarray(found.get_ydata())]


def legend(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_every_axis_of_values_has_its_unit(tmp_path: Path) -> None:
    snapshot = written(tmp_path)
    labels = [
        [ax.get_ylabel() for ax in figure.axes if ax.get_ylabel()] for figure in (progress(snapshot), parity(snapshot))
    ]
    assert labels[0] == ["Young's modulus [GPa]", "Yield strength [MPa]"]
    assert labels[1] == ["Measured Young's modulus [GPa]", "Measured yield strength [MPa]"]
    assert parity(snapshot).axes[0].get_xlabel() == "Expected Young's modulus [GPa]"


def test_literature_stands_apart_from_the_rounds(tmp_path: Path) -> None:
    left, right, *_ = progress(written(tmp_path)).axes
    assert values(left, INSIDE[0]) == [70, 55]
    assert values(right, MEASURED[0]) == [60, 90]
    assert values(right, EXPECTED[0]) == [58, 62, 61, 59, 57]


def test_a_known_alloy_outside_the_rules_is_open(tmp_path: Path) -> None:
    weak = EXPERIMENTS.replace("A,known,,10.1000/first,80,20,0", "A,known,,10.1000/first,97,3,0")  # Nb + Zr >= 5
    left = progress(written(tmp_path, experiments=weak)).axes[0]
    assert values(left, OUTSIDE[0]) == [70]
    assert values(left, INSIDE[0]) == [55]


def test_error_bars_are_the_scatter_between_replicates(tmp_path: Path) -> None:
    right = progress(written(tmp_path)).axes[1]
    (bars,) = [each for each in right.containers if each.get_label() == MEASURED[0]]
    assert isinstance(bars, ErrorbarContainer)
    first = bars.lines[2][0].get_segments()[0]
    assert [y for _, y in first] == [58.5, 61.5]


def test_the_best_so_far_keeps_every_limit(tmp_path: Path) -> None:
    # By hand: A (70 GPa, 600 MPa) before any round, since B's 400 MPa are below 500; then R001-1 (60 GPa, 550 MPa).
    left, right, *_ = progress(written(tmp_path)).axes
    assert line(left, "best so far") == [70, 70]
    assert line(right, "best so far") == [70, 60, 60, 60]


def test_a_limit_is_a_line_in_its_panels_alone(tmp_path: Path) -> None:
    axes = progress(written(tmp_path)).axes
    assert [[each.get_ydata() for each in ax.get_lines() if each.get_label() == "limit"] for ax in axes] == [
        *([], []),
        *([[500.0, 500.0]], [[500.0, 500.0]]),
    ]


WIDE = EXPERIMENTS.replace("water,70,", "water,300,").replace("air,60,", "air,2,")


@pytest.mark.parametrize(
    ("scale", "model", "limit", "expected"),
    [
        ("log", "gaussian-process on composition", "", "log"),
        ("auto", "gaussian-process on composition, log", "", "log"),
        ("auto", "gaussian-process on composition, log, together with yield_strength_MPa", "", "log"),
        ("auto", "gaussian-process on composition, logit", "", "linear"),
        ("linear", "gaussian-process on composition, log", "", "linear"),
        ("log", "gaussian-process on composition, log", ", limit: -1", "linear"),
    ],
)
def test_what_is_modelled_as_a_logarithm_is_drawn_so(
    tmp_path: Path, scale: str, model: str, limit: str, expected: str
) -> None:
    goal = f"{{goal: {'above' if limit else 'minimize'}{limit}, scale: {scale}}}"
    question = QUESTION.replace("{goal: minimize}", goal)
    decision = {"proposals": FIRST, "models": {"youngs_modulus_GPa": {"name": model, "why": ""}}}
    snapshot = written(tmp_path, question, WIDE, {1: decision})
    left, right, *others = progress(snapshot).axes
    if limit:  # what is pursued comes first, and nothing is
        assert [ax.get_yscale() for ax in (left, right)] == [expected, expected]
    else:
        assert [left.get_yscale(), right.get_yscale(), others[0].get_yscale()] == [expected, expected, "linear"]
    modulus, strength = parity(snapshot).axes
    assert (modulus.get_xscale(), modulus.get_yscale(), strength.get_yscale()) == (expected, expected, "linear")
    low, high = modulus.get_xlim()
    assert low < 2 < 90 < high


def test_a_logarithmic_axis_has_plain_numbers(tmp_path: Path) -> None:
    question = QUESTION.replace("{goal: minimize}", "{goal: minimize, scale: log}")
    figure = progress(written(tmp_path, question, WIDE))
    figure_svg(figure)
    said = {label.get_text() for label in figure.axes[0].get_yticklabels()}
    assert {"10", "100"} <= said
    assert not any("$" in text for text in said)


def test_what_spans_little_has_a_plain_axis(tmp_path: Path) -> None:
    question = QUESTION.replace("{goal: minimize}", "{goal: minimize, scale: log}")
    assert progress(written(tmp_path, question)).axes[0].get_yscale() == "linear"


def test_what_failed_is_marked_and_what_was_withdrawn_is_not_drawn(tmp_path: Path) -> None:
    withdrawn = EXPERIMENTS.replace("R001-4,made", "R001-4,withdrawn")
    right = progress(written(tmp_path, experiments=withdrawn)).axes[1]
    assert len(line(right, "failed")) == 1
    assert 59 not in values(right, EXPECTED[0])


def test_a_bound_is_no_point(tmp_path: Path) -> None:
    left = progress(written(tmp_path, experiments=EXPERIMENTS.replace("water,70,", "water,>70,"))).axes[0]
    assert values(left, INSIDE[0]) == [55]
    assert line(left, f"{INSIDE[0]}, > only") == [70]


def test_synthetic_results_have_a_name_a_marker_and_a_colour_of_their_own(tmp_path: Path) -> None:
    made_up = EXPERIMENTS.replace("60,1.5,3,550,beta,,", "60,1.5,3,550,beta,,SYNTHETIC: a formula")
    figure = progress(written(tmp_path, experiments=made_up))
    assert values(figure.axes[1], MADE_UP[0]) == [60]
    assert values(figure.axes[1], MEASURED[0]) == [90]
    assert MADE_UP[0].startswith("SYNTHETIC")
    assert MADE_UP[0] in legend(figure)
    assert MADE_UP[0] in legend(parity(written(tmp_path / "again", experiments=made_up)))


@pytest.mark.parametrize(
    ("note", "is_synthetic"),
    [
        ("SYNTHETIC: computed by a formula with noise", True),
        ("from the synthetic laboratory of alloyloop demo", True),
        ("synthetic data", True),
        ("corrosion in synthetic saliva at 37 °C", False),
        ("photosynthetic data", False),
        ("", False),
    ],
)
def test_a_synthetic_medium_does_not_make_a_measurement_synthetic(
    tmp_path: Path, note: str, is_synthetic: bool
) -> None:
    snapshot = written(tmp_path, experiments=EXPERIMENTS.replace("600,beta,,", f"600,beta,,{note}", 1))
    assert synthetic_rows(snapshot).tolist() == [is_synthetic] + [False] * 6


def test_kinds_differ_in_a_grey_print() -> None:
    looks = [
        (look["marker"], look.get("markerfacecolor")) for _, look in (INSIDE, OUTSIDE, MEASURED, MADE_UP, EXPECTED)
    ]
    assert len(set(looks)) == 5


def test_colours_are_those_that_colour_blind_readers_tell_apart() -> None:
    # Okabe and Ito, Color Universal Design (2008): blue, orange and reddish purple in 8-bit RGB.
    palette = {(0, 114, 178), (230, 159, 0), (204, 121, 167)}
    used = {tuple(round(255 * part) for part in to_rgb(look["color"])) for _, look in (MEASURED, MADE_UP, EXPECTED)}
    assert used == palette


SEVERAL = QUESTION.replace("{goal: above, limit: 500}", "{goal: maximize}")
MATCH = QUESTION.replace("{goal: minimize}", "{goal: match, target: 62, tolerance: 3}")
WEIGHED = SEVERAL.replace("minimize}", "minimize, weight: 2}").replace("maximize}", "maximize, weight: 1}")


def points(ax: Axes, kind: str) -> set[tuple[float, float]]:
    """Places of the markers that the legend calls so."""
    found = [each for each in ax.get_lines() if each.get_label() == kind]
    return {(float(x), float(y)) for each in found for x, y in np.asarray(each.get_xydata())}


def test_a_target_is_a_line_in_a_band_as_wide_as_its_tolerance(tmp_path: Path) -> None:
    left, right, *others = progress(written(tmp_path, MATCH)).axes
    for ax in (left, right):
        assert line(ax, "target") == [62, 62]
        (band,) = [each for each in ax.patches if each.get_label() == "its tolerance"]
        bottom, top = band.get_extents().transformed(ax.transData.inverted()).intervaly
        assert (bottom, top) == pytest.approx((59, 65))
    assert all(each.get_label() != "target" for ax in others for each in ax.get_lines())


def test_the_best_so_far_of_a_target_is_the_nearest(tmp_path: Path) -> None:
    # A, 8 GPa off and strong enough, then R001-1, 2 off.
    left, right, *_ = progress(written(tmp_path, MATCH)).axes
    assert line(left, "best so far") == [70, 70]
    assert line(right, "best so far") == [70, 60, 60, 60]


def test_of_several_goals_it_is_the_hypervolume_that_grows(tmp_path: Path) -> None:
    # By hand, see test_standing: 5855 GPa·MPa of A and B, 7705 with R001-1 and R001-2.
    figure = progress(written(tmp_path, SEVERAL))
    left, right, *others = figure.axes
    assert left.get_ylabel() == "Hypervolume\n[GPa·MPa]"
    assert line(left, "hypervolume so far") == pytest.approx([5855, 5855])
    assert line(right, "hypervolume so far") == pytest.approx([5855, 7705, 7705, 7705])
    assert "best so far" not in legend(figure)
    assert [ax.get_ylabel() for ax in others if ax.get_ylabel()] == ["Young's modulus [GPa]", "Yield strength [MPa]"]


def test_of_weighed_goals_each_shows_the_value_of_the_best_by_the_weights(tmp_path: Path) -> None:
    # B before the rounds, then R001-1: see test_standing.
    _, modulus, _, strength = progress(written(tmp_path, WEIGHED)).axes
    assert line(modulus, "best so far") == [55, 60, 60, 60]
    assert line(strength, "best so far") == [400, 550, 550, 550]


def test_a_trade_off_shows_what_was_measured_and_what_is_expected_of_what_waits(tmp_path: Path) -> None:
    (ax,) = trade_off(written(tmp_path, SEVERAL)).axes
    assert points(ax, KEPT[0]) == {(70, 600), (55, 400)}
    assert points(ax, MEASURED[0]) == {(60, 550), (90, 700)}
    assert values(ax, EXPECTED[0]) == [560, 560]  # of R001-4 and R002-1, and not of what came back or failed
    assert points(ax, "on the Pareto front") == {(70, 600), (55, 400), (60, 550), (90, 700)}
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Young's modulus [GPa]", "Yield strength [MPa]")


def test_the_steps_of_a_front_enclose_its_hypervolume(tmp_path: Path) -> None:
    # The reference lies at 93.5 GPa and 370 MPa; nothing is better than the steps, each of them at a measured alloy.
    snapshot = written(tmp_path, SEVERAL)
    (ax,) = trade_off(snapshot).axes
    (steps,) = [each for each in ax.get_lines() if str(each.get_label()).startswith("Pareto front")]
    x, y = np.asarray(steps.get_xydata()).T
    assert (x[0], y[0]) == pytest.approx((93.5, 700))
    assert (x[-1], y[-1]) == pytest.approx((55, 370))
    (area,) = [each for each in ax.patches if isinstance(each, Polygon)]
    x, y = np.asarray(area.get_xy()).T  # closed: the first corner comes last again
    # Shoelace formula: the area of a polygon by its corners.
    enclosed = 0.5 * abs(np.dot(x[:-1], y[1:]) - np.dot(y[:-1], x[1:]))
    stands = standing(snapshot)
    assert stands is not None
    assert enclosed == pytest.approx(stands.hypervolume(stands.reference))


def test_the_front_before_the_first_round_is_dotted(tmp_path: Path) -> None:
    # Of A (70 GPa, 600 MPa) and B (55, 400); the rounds added (60, 550) and (90, 700).
    (ax,) = trade_off(written(tmp_path, SEVERAL)).axes
    (before,) = [each for each in ax.get_lines() if each.get_label() == "front before the first round"]
    x, y = np.asarray(before.get_xydata()).T
    assert list(zip(x, y, strict=True)) == [(93.5, 600), (70, 600), (70, 400), (55, 400), (55, 370)]
    assert before.get_linestyle() == ":"


def test_what_breaks_a_limit_stands_apart_in_a_trade_off(tmp_path: Path) -> None:
    limited = SEVERAL.replace("  phases: {goal: report", "  phases: {goal: is, value: beta")
    (ax,) = trade_off(written(tmp_path, limited)).axes
    # B has omega beside beta.
    assert (55.0, 400.0) in points(ax, OUT[0])
    assert (55.0, 400.0) not in points(ax, "on the Pareto front")


def test_a_property_with_a_target_is_drawn_by_its_distance(tmp_path: Path) -> None:
    both = SEVERAL.replace("{goal: minimize}", "{goal: match, target: 62, tolerance: 3}")
    (ax,) = trade_off(written(tmp_path, both)).axes
    assert points(ax, MEASURED[0]) == {(2, 550), (28, 700)}
    assert ax.get_xlabel().replace("\n", " ") == "Distance from 62, Young's modulus [GPa]"
    # 59 and 57 are expected, each give or take 8.2: both intervals hold the target.
    (bars,) = [each for each in ax.containers if isinstance(each, ErrorbarContainer)]
    ends = [segment[:, 0].tolist() for segment in bars.lines[2][0].get_segments()]
    assert ends == [pytest.approx([0, 62 - 50.775]), pytest.approx([0, 62 - 48.775])]


def test_three_goals_make_three_pictures(tmp_path: Path) -> None:
    header, *rows = EXPERIMENTS.splitlines()
    third = ["elongation_pct", "20", "25", "12", "18", "", "", ""]
    table = "\n".join(f"{row},{cell}" for row, cell in zip([header, *rows], third, strict=True)) + "\n"
    figure = trade_off(
        written(tmp_path, SEVERAL.replace("  phases", "  elongation_pct: {goal: maximize}\n  phases"), table)
    )
    labels = [(ax.get_xlabel(), ax.get_ylabel()) for ax in figure.axes if ax.axison]
    modulus, strength, elongation = "Young's modulus [GPa]", "Yield strength [MPa]", "Elongation [%]"
    assert labels == [(modulus, strength), (modulus, elongation), (strength, elongation)]
    assert not any("encloses" in said for said in legend(figure))


def test_the_best_by_weights_alone_is_ringed(tmp_path: Path) -> None:
    (ax,) = trade_off(written(tmp_path, WEIGHED)).axes
    assert points(ax, "best by the weights") == {(60, 550)}


def test_one_goal_has_no_trade_off(tmp_path: Path) -> None:
    with pytest.raises(AlloyloopError, match="fewer than two properties are pursued"):
        trade_off(written(tmp_path))


def test_synthetic_results_are_labelled_in_a_trade_off(tmp_path: Path) -> None:
    made_up = EXPERIMENTS.replace("60,1.5,3,550,beta,,", "60,1.5,3,550,beta,,SYNTHETIC: a formula")
    figure = trade_off(written(tmp_path, SEVERAL, made_up))
    assert points(figure.axes[0], MADE_UP[0]) == {(60, 550)}
    assert MADE_UP[0] in legend(figure)


def test_a_measurement_is_laid_beside_what_its_round_expected(tmp_path: Path) -> None:
    snapshot = written(tmp_path)
    came = [point for point in comebacks(snapshot, past_rounds(snapshot)) if point.name == "youngs_modulus_GPa"]
    assert [(point.round, point.predicted.mean, point.measured, point.is_inside) for point in came] == [
        (1, 58.0, 60.0, True),
        (1, 62.0, 90.0, False),  # 62 ± 1.645 · 5 ends at 70.2
    ]


@pytest.mark.parametrize("measured", [283, 317])
def test_the_end_of_an_interval_lies_inside_it(measured: float) -> None:
    assert Comeback(0, "hardness_HV", 1, Predicted(300, 10, 283, 317), measured).is_inside


@pytest.mark.parametrize(
    "damage",
    [
        {},
        {"proposals": "none"},
        {"proposals": [{"id": "R001-1"}]},
        {"proposals": [proposal("R001-1", {"Ti": 60.0}, 58.0)]},  # sums to 60
        {"proposals": [proposal("R001-1", {"Ti": 100.0}, float("nan"))]},
        [1],
    ],
    ids=["empty", "no list", "no alloy", "no composition", "no number", "no alloys"],
)
def test_a_round_whose_decision_cannot_be_read_foresaw_nothing(tmp_path: Path, damage: object) -> None:
    snapshot = written(tmp_path, rounds={1: damage})
    assert [(past.number, past.decision, past.proposals) for past in past_rounds(snapshot)] == [
        (1, {}, {}),
        (2, {}, {}),
    ]
    assert values(progress(snapshot).axes[1], MEASURED[0]) == [60, 90]


def test_before_any_round_there_is_one_panel_a_property(tmp_path: Path) -> None:
    known = "".join(EXPERIMENTS.splitlines(keepends=True)[:3])
    figure = progress(written(tmp_path, experiments=known, rounds={}))
    assert [ax.get_ylabel() for ax in figure.axes] == ["Young's modulus [GPa]", "Yield strength [MPa]"]
    assert values(figure.axes[0], INSIDE[0]) == [70, 55]


def test_without_any_row_the_axes_stand_empty(tmp_path: Path) -> None:
    figure = progress(written(tmp_path, experiments=HEADER, rounds={}))
    assert figure.legends == [] or legend(figure) == ["limit"]
    assert figure_svg(figure).startswith("<svg")


def test_without_a_number_there_is_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(AlloyloopError, match="no property with numbers"):
        progress(written(tmp_path, ONLY_CLASSES, rounds={}))


def test_without_a_comeback_there_is_nothing_to_compare(tmp_path: Path) -> None:
    with pytest.raises(AlloyloopError, match="Nothing that was predicted has been measured"):
        parity(written(tmp_path, rounds={2: FIRST}))


def test_the_same_figure_gives_the_same_text(tmp_path: Path) -> None:
    snapshot = written(tmp_path)
    assert figure_svg(progress(snapshot)) == figure_svg(progress(snapshot))


def test_text_in_a_picture_stays_text_and_is_escaped(tmp_path: Path) -> None:
    # Two dollar signs would be a formula to matplotlib, and a bracket the begin of an element to a browser.
    odd = "$a<b>$_modulus_GPa"
    snapshot = written(
        tmp_path, QUESTION.replace("youngs_modulus_GPa", f'"{odd}"'), EXPERIMENTS.replace("youngs_modulus_GPa", odd), {}
    )
    texts = [element.text for element in ElementTree.fromstring(figure_svg(progress(snapshot))).iter() if element.text]
    assert "$a<b>$ modulus [GPa]" in texts


def test_a_sign_that_the_font_lacks_is_left_to_the_reader(tmp_path: Path) -> None:
    odd = "硬度_HV"
    question, experiments = (text.replace("youngs_modulus_GPa", odd) for text in (QUESTION, EXPERIMENTS))
    assert "硬度 [HV]" in figure_svg(progress(written(tmp_path, question, experiments, {})))


def test_a_picture_says_no_date_and_has_no_id_that_another_has(tmp_path: Path) -> None:
    snapshot = written(tmp_path)
    ids = []
    for figure in (progress(snapshot), parity(snapshot)):
        svg = figure_svg(figure)
        assert "metadata" not in svg
        assert not re.search(r"\d{4}-\d\d-\d\dT", svg)
        ids += re.findall(r' id="([^"]*)"', svg)
    assert ids
    assert len(ids) == len(set(ids))


def test_drawing_leaves_matplotlib_as_it_was(tmp_path: Path) -> None:
    before = mpl.rcParams.copy()
    figure_svg(progress(written(tmp_path)))
    assert mpl.rcParams == before


def test_pyplot_and_its_windows_are_never_loaded(tmp_path: Path) -> None:
    folder = written(tmp_path).folder.path
    program = (
        "import sys; from alloyloop.campaigns.campaign import Campaign; "
        "from alloyloop.campaigns import comparing_plots, data_plots, explaining_plots, map_plots, model_plots, plots; "
        "campaign = Campaign(sys.argv[1]); plot = campaign.plot; assert 'matplotlib' not in sys.modules; "
        "plot.progress()._repr_png_(); plot.data()._repr_png_(); "
        "print({'matplotlib.pyplot', 'mpltern', 'torch', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "set()"
