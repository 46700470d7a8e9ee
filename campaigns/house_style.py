"""One style for every picture: what is drawn can be printed 8.5 cm wide, in grey, and told apart by any eyes.

Colours are those of Okabe and Ito, which people with colour-blind eyes tell apart; markers, lines and hatches differ
too, so that a grey print can be read. Sizes are those of the print: type is 8 points there, and never below 7.
matplotlib is loaded by the functions that draw, and pyplot never: nothing is left behind.
"""

from __future__ import annotations

import io
import math
import re
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..surrogates.errors import AlloyloopError
from .wording import words_and_unit

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito, Color Universal Design (2008), and a grey.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILLION, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#7A7A7A"
PALE = "#F1F1F1"  # a region
# Of several series the first, the second …: no two share a marker or a line, so that colour is never needed.
SERIES: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "marker": "o", "linestyle": "-"},
    {"color": VERMILLION, "marker": "s", "linestyle": (0, (5, 2))},
    {"color": BLACK, "marker": "^", "linestyle": (0, (1, 1.2))},
    {"color": ORANGE, "marker": "D", "linestyle": (0, (6, 2, 1, 2))},
    {"color": GREEN, "marker": "v", "linestyle": (0, (3, 1, 1, 1, 1, 1))},
    {"color": PURPLE, "marker": "P", "linestyle": (0, (8, 2))},
    {"color": SKY, "marker": "X", "linestyle": (0, (2, 3))},
)
# Markers of the series beyond these.
MORE_MARKERS = ("<", ">", "*", "p", "d", "h", "8")
# Of filled areas likewise: a light and a dark one in turn, each with a hatch of its own.
AREAS: tuple[dict[str, Any], ...] = (
    {"facecolor": BLUE, "hatch": ""},
    {"facecolor": ORANGE, "hatch": "///"},
    {"facecolor": GREEN, "hatch": ".."},
    {"facecolor": SKY, "hatch": "\\\\\\"},
    {"facecolor": VERMILLION, "hatch": "xx"},
    {"facecolor": PURPLE, "hatch": "||"},
    {"facecolor": "#F0E442", "hatch": "--"},
    {"facecolor": GREY, "hatch": "++"},
)
# Of maps: as dark in grey as it is low, and made for colour-blind eyes [Nuñez et al., PLoS One 13 (2018) e0199239].
SCALE = "cividis"

COLUMN, PAGE = 8.5 / 2.54, 17.4 / 2.54  # widths in print [inch]
WIDTHS = {"column": COLUMN, "page": PAGE}
TALLEST = 24.7 / 2.54  # what a page of print has room for below each other [inch]
SMALLEST = 7.0  # type [pt]
FORMATS = (".svg", ".png", ".pdf")
DOTS_PER_INCH = 300
# A letter, and what stands before the words in a legend with the room between columns, in sizes of its type.
_LETTER, _HANDLE = 0.55, 4.2
ROOM = 0.45  # above panels, for a legend of two lines [inch]
_LINE = 0.165  # of a legend [inch]
MOST_LETTERS = 60  # of an axis label; a longer name is cut

# Text stays text (searchable, and in the reader's own font), ids do not change from run to run, and a "$" in a
# property's name is no formula.
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "alloyloop",
    "pdf.fonttype": 42,
    "text.parse_math": False,
    "font.size": 8.0,
    **dict.fromkeys(("axes.titlesize", "axes.labelsize", "figure.titlesize", "figure.labelsize"), 8.0),
    **dict.fromkeys(("xtick.labelsize", "ytick.labelsize", "legend.fontsize", "legend.title_fontsize"), 7.5),
    "lines.linewidth": 1.3,
    "lines.markersize": 4.5,
    "errorbar.capsize": 2.0,
    "hatch.linewidth": 0.5,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "legend.columnspacing": 1.2,
}


def styled(more: Mapping[str, Any] | None = None) -> AbstractContextManager[None]:
    """A figure is made and written in this style; matplotlib's own settings are as before afterwards."""
    from matplotlib import rc_context

    settings: Any = {**STYLE, **(more or {})}
    return rc_context(settings)


def blank_figure(width: float, height: float, name: str) -> Figure:
    """A figure of this size in print [inch], to be drawn on; its name makes the ids in its SVG."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", label=name)


def area(i: int) -> dict[str, Any]:
    """How the i-th of many filled areas looks: beyond `AREAS` a colour comes again with another hatch.

    Examples
    --------
    >>> len({(area(i)["facecolor"], area(i)["hatch"]) for i in range(30)})
    30
    """
    n = len(AREAS)
    return {**AREAS[i % n], "hatch": AREAS[(i + 3 * (i // n)) % n]["hatch"]}


def series(i: int) -> dict[str, Any]:
    """How the i-th of many series looks: beyond `SERIES` a colour comes again with another marker and another line.

    Examples
    --------
    >>> len({series(i)["marker"] for i in range(14)}), len({tuple(series(i).values()) for i in range(49)})
    (14, 49)
    """
    n = len(SERIES)
    lap, place = divmod(i, n)
    markers = [look["marker"] for look in SERIES] if lap % 2 == 0 else MORE_MARKERS
    line = SERIES[(place + 3 * lap) % n]["linestyle"]
    return {**SERIES[place], "marker": markers[(place + lap // 2) % n], "linestyle": line}


def panels(width: float, n: int, height: float, name: str, most: int = 2, room: float = ROOM) -> tuple[Figure, Any]:
    """A figure with n panels, one below the other in a column of print and up to `most` side by side on a page.

    What would be taller in a column than a page is goes over the page's width.

    Parameters
    ----------
    width : of the figure, `COLUMN` or `PAGE` [inch]
    height : of a panel [inch]
    name : of the figure
    most : panels side by side on a page
    room : above them, for a legend [inch]

    Returns
    -------
    the figure, and the axes of its n panels; a place that is left stays empty
    """
    width = PAGE if room + height * n > TALLEST else width
    columns = min(n, most) if width > COLUMN else 1
    lines = -(-n // columns)
    figure = blank_figure(width, room + height * lines, name)
    axes = figure.subplots(lines, columns, squeeze=False).ravel().tolist()
    for ax in axes[n:]:
        ax.set_axis_off()
    return figure, axes[:n]


def axis_label(name: str, before: str = "", letters: int = 30) -> str:
    """A label on lines of so many letters, short enough to stay beside its axis; the unit is never cut.

    Examples
    --------
    >>> axis_label("youngs_modulus_GPa", "expected ")
    "Expected Young's modulus [GPa]"
    """
    words, unit = words_and_unit(name)
    said = textwrap.shorten(before + words, MOST_LETTERS, placeholder=" …") + (f" [{unit}]" if unit else "")
    return "\n".join(textwrap.wrap(said[:1].upper() + said[1:], letters))


def legend_above(figure: Any, axes: Sequence[Axes], title: str = "", room: float = ROOM) -> None:
    """One legend above the panels of a figure or subfigure, in as many columns as its words leave room for.

    What has the same words is there once. A title stands above it. A figure grows by what the legend takes beyond the
    room that is left for it [inch], so that its panels stay as high as they are.
    """
    handles: dict[str, Any] = {}
    for ax in axes:
        for handle, said in zip(*ax.get_legend_handles_labels(), strict=True):
            handles.setdefault(said, handle)
    if not handles and not title:
        return
    width = figure.get_figure(root=True).get_figwidth()
    letter = STYLE["legend.fontsize"] / 72
    columns = int(width / ((_LETTER * max(map(len, handles), default=1) + _HANDLE) * letter))
    columns = max(1, min(columns, 8))
    titled = textwrap.wrap(title, int(width / letter / (_LETTER + 0.05)))
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside upper left",
        ncols=columns,
        title="\n".join(titled) or None,
        alignment="left",
    )
    if figure is figure.get_figure(root=True):
        needed = _LINE * (len(titled) - (-len(handles) // columns))
        figure.set_figheight(figure.get_figheight() + max(0.0, needed - room))


def logarithmic(ax: Axes, axes: str = "y") -> None:
    """Make axes logarithmic, after all is drawn on them; their numbers are plain: 0.1, 0.2, 0.5, 1.

    Parameters
    ----------
    axes : which of them, "y" or "xy"
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    for name in axes:
        ax.set(**{f"{name}scale": "log"})
        axis = ax.yaxis if name == "y" else ax.xaxis
        low, high = axis.get_view_interval()
        decades = math.log10(high / low)
        of_ten = (1.0, 2.0, 5.0) if decades < 2 else (1.0, 3.0) if decades < 3 else (1.0,)
        axis.set_major_locator(LogLocator(subs=of_ten))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())


def colour_bar(
    figure: Any, drawn: Any, axes: Any, words: str, location: str, ticks: Sequence[float] | None = None
) -> None:
    """The scale of the colours of what was drawn, beside or below some axes of a figure or subfigure."""
    bar = figure.colorbar(drawn, ax=axes, location=location, aspect=28, pad=0.03, ticks=ticks)
    bar.set_label(words)
    bar.outline.set_visible(False)


def check_ending(ending: str, endings: Sequence[str] = FORMATS) -> None:
    """Refuse the ending of a file that no picture can be written as."""
    if ending.lower() not in endings:
        raise AlloyloopError(f"No picture can be written as '{ending}'", f"Let the name end in {', '.join(endings)}.")


def picture_of(figure: Figure, ending: str, dots_per_inch: float = DOTS_PER_INCH) -> bytes:
    """A figure as the content of a file with this ending: the same bytes for the same figure."""
    if ending.lower() == ".svg":
        return f"{figure_svg(figure)}\n".encode()
    out = io.BytesIO()
    undated = {"Software": None} if ending.lower() == ".png" else {"CreationDate": None, "Producer": None}
    with styled(), _any_sign():
        figure.savefig(out, format=ending[1:].lower(), dpi=dots_per_inch, metadata=undated)
    return out.getvalue()


def figure_svg(figure: Figure) -> str:
    """A figure as an SVG element, the same text for the same figure: no date, and no ids but those it refers to."""
    out = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with styled({"svg.hashsalt": figure.get_label()}), _any_sign():
        figure.savefig(out, format="svg", metadata=nothing)
    drawn = out.getvalue()
    svg = drawn[drawn.index("<svg") :]
    wanted = set(re.findall(r"#([\w-]+)", svg))
    return re.sub(r' id="([^"]*)"', lambda match: match[0] if match[1] in wanted else "", svg)


@contextmanager
def _any_sign() -> Iterator[None]:
    """Let a text hold signs that the font measured with lacks: the reader's own font may have them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        yield
