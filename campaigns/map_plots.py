"""Pictures of `maps.py`: ternary diagrams of what is believed, with the alloys that were measured and are proposed."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..design.alloy_names import BASIS_SIGN
from ..surrogates.base import FloatArray
from .house_style import BLACK, COLUMN, ORANGE, SCALE, SMALLEST, blank_figure, colour_bar, legend_above, styled
from .maps import NEAR, Layer, Map
from .plots import synthetic_rows
from .snapshot import BoolArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N_LEVELS = 6
LONG = 5  # signs of a number below the scale of colours
MOST_TICKS = 6  # on a side of a triangle
# How alloys look: pale on a dark map, dark on a pale one, and of their own shape whatever the colour.
KNOWN: dict[str, Any] = {"marker": "o", "markersize": 3.5, "color": "white"}
MEASURED: dict[str, Any] = {"marker": "s", "markersize": 4.5, "color": "white"}
MADE_UP: dict[str, Any] = {"marker": "P", "markersize": 5.0, "color": "white"}
PROPOSED: dict[str, Any] = {"marker": "D", "markersize": 5.0, "color": ORANGE}
THROUGH: dict[str, Any] = {"marker": "*", "markersize": 8.0, "color": "white"}


def map_figure(shown: Map, width: float = COLUMN) -> Figure:
    """A ternary diagram for each section of a map, all on one scale of colours.

    Contours and their numbers say the same as the colours. Hatched is what the space or its rules do not allow: the
    models say something of it all the same.

    Parameters
    ----------
    width : in print, `COLUMN` or `PAGE` [inch]
    """
    import mpltern  # noqa: F401  # makes the projection known
    from matplotlib.ticker import MaxNLocator

    n = len(shown.layers)
    columns = min(n, 2) if width > COLUMN else 1
    lines = -(-n // columns)
    with styled({"axes.grid": False, "axes.grid.axis": "both"}):
        figure = blank_figure(width, 1.2 + 3.2 * lines, f"map-{shown.show}")
        # The layout sees neither the labels at the corners of a triangle nor its title.
        figure.set_layout_engine("constrained", h_pad=0.12 if n == 1 else 0.17)
        levels = np.asarray(MaxNLocator(N_LEVELS).tick_values(*_ends(shown)))
        if shown.show in ("probability", "acquisition"):
            levels = np.unique(np.clip(levels, 0.0, 100.0))
        axes, filled = [], []
        for i, layer in enumerate(shown.layers):
            ax: Any = figure.add_subplot(
                lines, columns, i + 1, projection="ternary", ternary_sum=float(layer.section.total)
            )
            filled.append(_draw_layer(ax, layer, levels))
            _draw_alloys(ax, shown, layer)
            axes.append(ax)
        words = "\n".join(textwrap.wrap(shown.label, 44 if width <= COLUMN else 90))
        colour_bar(figure, filled[0], axes, words, "bottom", _told(levels).tolist())
        held = [layer.section.words for layer in shown.layers]
        legend_above(figure, axes, held[0] if n == 1 else "")
        if n > 1:
            for ax, words in zip(axes, held, strict=True):
                ax.set_title("\n".join(textwrap.wrap(words, 44)), pad=12)
    return figure


def _ends(shown: Map) -> tuple[float, float]:
    """Of the scale of colours: of what the space allows, or else of all; never one value alone."""
    inside = [layer.values[layer.inside & np.isfinite(layer.values)] for layer in shown.layers]
    values = np.concatenate(inside)
    values = values if len(values) > 1 else shown.values
    low, high = float(values.min()), float(values.max())
    if high - low > 1e-9 * max(abs(low), abs(high), 1e-12):
        return low, high
    return low - 0.5, high + 0.5


def _told(levels: FloatArray) -> FloatArray:
    """The levels that have numbers below the scale of colours: every second where all have no room.

    >>> _told(np.array([217.7, 217.75, 217.8])).tolist(), _told(np.array([40.0, 50.0, 60.0])).tolist()
    ([217.7, 217.8], [40.0, 50.0, 60.0])
    """
    return levels[::2] if max(len(f"{level:g}") for level in levels) > LONG else levels


def _draw_layer(ax: Any, layer: Layer, levels: FloatArray) -> Any:
    """One triangle with its axes; what is filled, for the scale of colours."""
    from matplotlib.ticker import MaxNLocator
    from matplotlib.tri import Triangulation

    place, sign = layer.section, BASIS_SIGN[layer.section.snapshot.space.basis]
    top, left, right = layer.section.lows.tolist()
    ax.set_ternary_min(top, left, right)
    for setter, element in zip((ax.set_tlabel, ax.set_llabel, ax.set_rlabel), place.elements, strict=True):
        setter(f"{element} [{sign}]")
    for axis in (ax.taxis, ax.laxis, ax.raxis):
        axis.set_major_locator(MaxNLocator(MOST_TICKS))
    triangles, known = _triangles(layer), np.isfinite(layer.values)
    x, y = ax.transProjection.transform(layer.amounts).T
    every = Triangulation(x, y, triangles)
    told = Triangulation(x, y, triangles, mask=~known[triangles].all(axis=1))
    values = np.where(known, layer.values, levels[0])
    flat: dict[str, Any] = {"levels": levels, "transform": ax.transData}
    filled = ax.tricontourf(told, values, cmap=SCALE, extend="both", **flat)
    lines = ax.tricontour(told, values, colors=BLACK, linewidths=0.5, **flat)
    numbered: set[str] = set()
    for text in ax.clabel(lines, fontsize=SMALLEST, fmt="%g", inline=False):
        if text.get_text() in numbered:  # of a level in many pieces one is enough
            text.remove()
        numbered.add(text.get_text())
        text.set_bbox({"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.4})
    if not layer.inside.all():
        outside = (~layer.inside).astype(np.float64)
        veil: dict[str, Any] = {"levels": [0.5, 1.5], "colors": ["#FFFFFF99"], "hatches": ["///"]}
        ax.tricontourf(every, outside, transform=ax.transData, **veil)
        ax.fill([], [], [], facecolor="white", edgecolor=BLACK, hatch="///", linewidth=0.5, label="not allowed")
    return filled


def _triangles(layer: Layer) -> NDArray[np.int64]:
    """(m, 3) Rows of `amounts` that are the corners of each small triangle; see `Section.amounts`."""
    n_side = round((np.sqrt(8 * len(layer.amounts) + 1) - 3) / 2)
    starts = np.concatenate([[0], np.cumsum(np.arange(n_side + 1, 0, -1))])
    up = [(starts[i] + j, starts[i] + j + 1, starts[i + 1] + j) for i in range(n_side) for j in range(n_side - i)]
    down = [
        (starts[i] + j + 1, starts[i + 1] + j + 1, starts[i + 1] + j)
        for i in range(n_side - 1)
        for j in range(n_side - i - 1)
    ]
    return np.array(up + down, dtype=np.int64)


def _draw_alloys(ax: Any, shown: Map, layer: Layer) -> None:
    """Alloys that lie on the section, or so near that they are shown where they would."""
    snapshot, place = shown.snapshot, layer.section
    table = snapshot.table
    near = np.nan_to_num(place.off, nan=np.inf) <= NEAR
    of_round = np.array([number is not None for number in table.round], dtype=np.bool_)
    made_up = synthetic_rows(snapshot)
    known = near & snapshot.known
    through = np.array([id == place.like for id in table.ids], dtype=np.bool_)
    kinds: tuple[tuple[str, BoolArray, dict[str, Any]], ...] = (
        (f"known, ≤ {NEAR:g} % off", known & ~of_round & ~made_up, KNOWN),
        (f"measured, ≤ {NEAR:g} % off", known & of_round & ~made_up, MEASURED),
        ("SYNTHETIC, not measured", known & made_up, MADE_UP),
        (f"proposed, ≤ {NEAR:g} % off", near & table.pending, PROPOSED),
        (f"through {place.like}", near & through, THROUGH),
    )
    edge: dict[str, Any] = {"linestyle": "none", "markeredgecolor": BLACK, "markeredgewidth": 0.7, "zorder": 5}
    for said, rows, look in kinds:
        at = place.places(rows)
        seen = (at >= place.lows - 1e-6).all(axis=1)
        if seen.any():
            ax.plot(*at[seen].T, label=said, **edge, **look)
