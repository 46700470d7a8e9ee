"""One style: every picture can be printed in a column, in grey, and is the same at every drawing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from alloyloop.campaigns.data_plots import batch_figure, surprise_figure, tried_figure
from alloyloop.campaigns.house_style import (
    AREAS,
    COLUMN,
    PAGE,
    SCALE,
    SERIES,
    SMALLEST,
    TALLEST,
    area,
    blank_figure,
    check_ending,
    figure_svg,
    legend_above,
    panels,
    picture_of,
    series,
    styled,
)
from alloyloop.campaigns.plots import parity, progress, trade_off
from alloyloop.campaigns.snapshot import Snapshot
from alloyloop.campaigns.tried import tried
from alloyloop.surrogates.errors import AlloyloopError

from .written import QUESTION, written

# Okabe and Ito, Color Universal Design (2008), in 8-bit RGB.
OKABE_ITO = {
    *((0, 0, 0), (230, 159, 0), (86, 180, 233), (0, 158, 115)),
    *((240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167)),
}
SEVERAL = QUESTION.replace("{goal: above, limit: 500}", "{goal: maximize}")


def luminance(colour: Any) -> float:
    """Relative luminance of a colour, as WCAG 2 defines it: what a grey print shows of it."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def drawn(figure: Figure) -> None:
    """Lay a figure out, as on writing it."""
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]


def colour_of(look: dict[str, Any]) -> str:
    return str(look["color"] if "color" in look else look["facecolor"])


def figures(snapshot: Snapshot, width: float) -> Iterator[Figure]:
    """Every picture that is drawn of the files alone."""
    yield progress(snapshot, width)
    yield trade_off(snapshot, width)
    yield parity(snapshot, width)
    yield batch_figure(snapshot, 1, width)
    yield surprise_figure(snapshot, width)
    yield tried_figure(tried(snapshot), width)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A campaign with two goals, two rounds, a failure and alloys that wait."""
    return written(tmp_path_factory.mktemp("style"), SEVERAL)


@pytest.mark.parametrize("looks", [SERIES, AREAS], ids=["series", "areas"])
def test_colours_are_those_that_colour_blind_readers_tell_apart(looks: tuple[dict[str, Any], ...]) -> None:
    used = {tuple(round(255 * part) for part in to_rgb(colour_of(look))) for look in looks}
    greys = {colour for colour in used if len(set(colour)) == 1}
    assert used - greys <= OKABE_ITO
    assert len(used) == len(looks)


def test_series_differ_in_a_grey_print_by_their_markers_and_by_their_lines() -> None:
    for one, other in combinations(SERIES, 2):
        assert one["marker"] != other["marker"]
        assert one["linestyle"] != other["linestyle"]


def test_more_series_than_colours_still_differ_in_a_grey_print() -> None:
    assert len({series(i)["marker"] for i in range(14)}) == 14
    assert len({(series(i)["marker"], str(series(i)["linestyle"])) for i in range(28)}) == 28


def test_areas_differ_in_a_grey_print_by_their_hatches() -> None:
    assert len({area["hatch"] for area in AREAS}) == len(AREAS)


def test_a_map_grows_paler_with_its_values() -> None:
    from matplotlib import colormaps

    shades = [luminance(colormaps[SCALE](place)[:3]) for place in np.linspace(0, 1, 33)]
    assert (np.diff(shades) > 0).all()
    assert shades[-1] - shades[0] > 0.5


@pytest.mark.parametrize(("width", "cm"), [(COLUMN, 8.5), (PAGE, 17.4)])
def test_a_picture_is_as_wide_as_it_is_printed_and_its_type_can_be_read(
    snapshot: Snapshot, width: float, cm: float
) -> None:
    for figure in figures(snapshot, width):
        assert round(2.54 * figure.get_figwidth(), 6) in (8.5, cm)
        drawn(figure)
        texts = [each for each in figure.findobj(Text) if isinstance(each, Text) and each.get_text().strip()]
        assert texts
        assert min(float(text.get_fontsize()) for text in texts) >= SMALLEST


@pytest.mark.parametrize("width", [COLUMN, PAGE], ids=["column", "page"])
def test_nothing_is_cut_off(snapshot: Snapshot, width: float) -> None:
    for figure in figures(snapshot, width):
        drawn(figure)
        tight = figure.get_tightbbox()
        room = 1 / 72  # half the line of an axis may lie on the edge
        assert tight.x0 >= -room, figure.get_label()
        assert tight.y0 >= -room, figure.get_label()
        assert tight.x1 <= figure.get_figwidth() + room, figure.get_label()
        assert tight.y1 <= figure.get_figheight() + room, figure.get_label()


def test_every_axis_says_what_it_is_of(snapshot: Snapshot) -> None:
    for figure in figures(snapshot, COLUMN):
        for ax in figure.axes:
            if not ax.axison or not ax.get_xticks().size or figure.get_label() == "batch":
                continue
            has_unit = [re.search(r"\[.+\]|round|Round", said) for said in (ax.get_xlabel(), ax.get_ylabel()) if said]
            assert all(has_unit) or "known before" in ax.get_xlabel(), (figure.get_label(), ax.get_xlabel())


def test_a_picture_is_whole_xml_and_the_same_again(snapshot: Snapshot) -> None:
    for first, again in zip(figures(snapshot, COLUMN), figures(snapshot, COLUMN), strict=True):
        svg = figure_svg(first)
        assert ElementTree.fromstring(svg).tag.endswith("svg")
        assert svg == figure_svg(again)
        assert "<text" in svg


@pytest.mark.parametrize("ending", [".svg", ".png", ".PDF"])
def test_a_file_says_no_date_and_is_the_same_again(ending: str) -> None:
    def content() -> bytes:
        with styled():
            figure = blank_figure(COLUMN, 1.0, "nothing")
            figure.subplots().plot([1, 2], label="a line")
            legend_above(figure, figure.axes)
        return picture_of(figure, ending)

    assert content() == content()
    assert not re.search(rb"20\d\d-?\d\d-?\d\d", content())


def test_a_legend_of_long_words_has_fewer_columns_than_one_of_short_words() -> None:
    columns = []
    for words in ("Nb", "expected, with its 90 % interval"):
        with styled():
            figure = blank_figure(COLUMN, 1.0, "nothing")
            ax = figure.subplots()
            for i in range(6):
                ax.plot([i], label=f"{words} {i}")
            legend_above(figure, [ax, ax])
        (legend,) = figure.legends
        columns.append(legend._ncols)  # type: ignore[attr-defined]
        assert len(legend.get_texts()) == 6
    assert columns[0] > columns[1] == 1


def test_more_areas_than_colours_still_differ() -> None:
    assert len({(area(i)["facecolor"], area(i)["hatch"]) for i in range(3 * len(AREAS))}) == 3 * len(AREAS)


def test_a_long_legend_makes_a_figure_higher_and_not_its_panel_lower() -> None:
    heights = []
    for n in (1, 9):
        with styled():
            figure = blank_figure(COLUMN, 2.5, "nothing")
            ax = figure.subplots()
            for i in range(n):
                ax.plot([i], label=f"expected, with its 90 % interval {i}")
            legend_above(figure, [ax])
            drawn(figure)
        heights.append(ax.get_position().height * figure.get_figheight())
    assert heights[1] >= heights[0] - 0.35  # two of the lines have their room already


def test_what_is_higher_than_a_page_goes_over_its_width() -> None:
    few, _ = panels(COLUMN, 3, 1.75, "nothing")
    many, axes = panels(COLUMN, 12, 1.75, "nothing", most=3)
    assert few.get_figwidth() == COLUMN
    assert (many.get_figwidth(), len(axes)) == (PAGE, 12)
    assert many.get_figheight() < TALLEST


def test_another_ending_is_refused() -> None:
    with pytest.raises(AlloyloopError, match=r"No picture can be written as '.doc'. Let the name end in .svg"):
        check_ending(".doc")
