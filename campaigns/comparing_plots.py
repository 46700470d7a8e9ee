"""The picture of a comparison: held-out predictions of the best model, the errors of all, and what intervals hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..surrogates.errors import AlloyloopError
from .comparison import NO_PROCESS, WORDS, Compared, Comparison
from .house_style import (
    BLACK,
    BLUE,
    COLUMN,
    FORMATS,
    ORANGE,
    PAGE,
    axis_label,
    blank_figure,
    check_ending,
    legend_above,
    picture_of,
    styled,
)
from .model_plots import draw_held_out, draw_reliability, draw_shares

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = 20  # models in the bars; more would not be read


def compared(comparison: Compared, width: float = PAGE) -> Figure:
    """Of each property three panels: held-out predictions, errors of all models, and what intervals hold.

    Parameters
    ----------
    width : in print, `COLUMN` or `PAGE` [inch]

    Raises
    ------
    AlloyloopError
        where no property was compared
    """
    shown = [one for one in comparison.of.values() if one.best is not None]
    if not shown:
        raise AlloyloopError("No model was compared that could be drawn", "Enter more results, or give more --minutes.")
    with styled():
        heights = [_height_of_errors(one) for one in shown]
        own = [height + (3.3 if width > COLUMN else 6.2) for height in heights]
        figure = blank_figure(width, sum(own), "compared")
        blocks = figure.subfigures(len(shown), 1, squeeze=False, height_ratios=own)[:, 0]
        for one, block, height in zip(shown, blocks, heights, strict=True):
            if width > COLUMN:
                grid = block.add_gridspec(2, 2, height_ratios=[3.0, height])
                places = grid[0, 0], grid[1, :], grid[0, 1]
            else:
                grid = block.add_gridspec(3, 1, height_ratios=[2.9, height, 2.7])
                places = grid[0, 0], grid[1, 0], grid[2, 0]
            held_out, errors, reliability = (block.add_subplot(place) for place in places)
            name, way = str(one.best), one.ways[0]
            repeats = [repeat.held_out for repeat in one.repeats[name][way]]
            draw_held_out(held_out, one.evidence.property, repeats[0])
            held_out.set_title(f"{name},\n{WORDS[way]}")
            _draw_errors(errors, one)
            draw_reliability(reliability, len(repeats[0]))
            for i, held in enumerate(repeats):
                draw_shares(reliability, held, 0, name if i == 0 else "")
            legend_above(block, [held_out, reliability])
    return figure


def picture(comparison: Compared, ending: str) -> bytes:
    """A comparison drawn, as the content of a file with this ending.

    Raises
    ------
    AlloyloopError
        where no picture ends so, or there is nothing to draw
    """
    check_ending(ending, FORMATS)
    return picture_of(compared(comparison), ending)


def _names_shown(one: Comparison) -> list[str]:
    """The models in the bars, the best first; of those without process columns, that of the best alone."""
    return [n for n in one.ranked if not n.endswith(NO_PROCESS) or n == f"{one.best}{NO_PROCESS}"][:SHOWN]


def _height_of_errors(one: Comparison) -> float:
    """Of the panel with a bar for each model [inch]."""
    return 1.0 + 0.24 * len(_names_shown(one))


def _draw_errors(ax: Axes, one: Comparison) -> None:
    """The error of every model on rows left out, in each way, and on its own training rows."""
    way = one.ways[0]
    names = _names_shown(one)
    at = np.arange(len(names), dtype=np.float64)
    errors = [one.scores(name, way)["rmse"] for name in names]
    spread = np.nan_to_num([error.std for error in errors])
    ax.barh(at - 0.2, [error.mean for error in errors], 0.4, xerr=spread, color=BLUE, label=WORDS[way])
    ax.barh(at + 0.2, [error.train for error in errors], 0.4, color=ORANGE, hatch="//", label="own training rows")
    if one.ways[-1] != way:
        by_lot = [one.scores(name, one.ways[-1]).get("rmse") for name in names]
        means = [np.nan if error is None else error.mean for error in by_lot]
        ax.plot(means, at - 0.2, "D", color=BLACK, markerfacecolor="white", markersize=4, label=WORDS[one.ways[-1]])
    ax.set_yticks(at, names)
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x")
    ax.set_xlabel(axis_label(one.evidence.property, "error (RMSE) of "))
    ax.set_ylim(len(names) - 0.5, -1.9)  # room for the legend above the first
    ax.legend(loc="upper right")
