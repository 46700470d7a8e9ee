"""The picture of a comparison: held-out predictions of the best model, the errors of all, and what intervals hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..surrogates.errors import AlloyloopError
from .comparison import NO_PROCESS, WORDS, Compared, Comparison
from .plots import BLACK, BLUE, GREY, ORANGE, VERMILLION, axis_label, blank_figure, check_ending, picture_of, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".svg", ".png")
LEVELS = np.arange(1, 20) / 20  # of the intervals whose shares are drawn
SHOWN = 20  # models in the bars; more would not be read
DOTS_PER_INCH = 150
HELD_OUT: dict[str, Any] = {"marker": "o", "color": BLUE, "markersize": 3.5}


def compared(comparison: Compared) -> Figure:
    """A row of three panels for each property.

    Raises
    ------
    AlloyloopError
        where no property was compared
    """
    shown = [one for one in comparison.of.values() if one.best is not None]
    if not shown:
        raise AlloyloopError("No model was compared that could be drawn", "Enter more results, or give more --minutes.")
    with styled():
        figure = blank_figure(13.0, 0.3 + 4.2 * len(shown), "compared")
        axes = figure.subplots(len(shown), 3, squeeze=False, width_ratios=[1.0, 1.25, 1.0])
        for one, (left, middle, right) in zip(shown, axes, strict=True):
            _draw_held_out(left, one)
            _draw_errors(middle, one)
            _draw_reliability(right, one)
    return figure


def picture(comparison: Compared, ending: str) -> bytes:
    """A comparison drawn, as the content of a file with this ending.

    Raises
    ------
    AlloyloopError
        where no picture ends so, or there is nothing to draw
    """
    check_ending(ending, FORMATS)
    return picture_of(compared(comparison), ending, DOTS_PER_INCH)


def _draw_held_out(ax: Axes, one: Comparison) -> None:
    """Measured against predicted, each row by a model that had not seen it; of the first repeat."""
    name = str(one.best)
    held = one.repeats[name][one.ways[0]][0].held_out
    reach = np.abs(np.stack([held.low, held.high]) - held.mean)
    inside = np.abs(2 * held.rank - 1) <= 0.9
    for chosen, colour, said in ((inside, BLUE, "inside its 90 % interval"), (~inside, VERMILLION, "outside it")):
        if chosen.any():
            look = {**HELD_OUT, "color": colour, "markerfacecolor": colour if said.startswith("inside") else "white"}
            ax.errorbar(
                held.mean[chosen],
                held.y[chosen],
                xerr=reach[:, chosen],
                linestyle="none",
                elinewidth=0.5,
                ecolor=f"{colour}60",
                label=f"{said}: {chosen.sum()}",
                **look,
            )
    ends = np.concatenate([held.y, held.mean])
    margin = 0.06 * (float(np.ptp(ends)) or 1.0)
    scale = (float(ends.min()) - margin, float(ends.max()) + margin)
    ax.plot(scale, scale, color=BLACK, linewidth=1)
    ax.set(xlim=scale, ylim=scale, title=f"{name},\n{WORDS[one.ways[0]]}")
    ax.title.set_fontsize("medium")
    ax.set_xlabel(axis_label(one.evidence.property, "predicted "))
    ax.set_ylabel(axis_label(one.evidence.property, "measured "))
    ax.legend(loc="best", fontsize="small")


def _draw_errors(ax: Axes, one: Comparison) -> None:
    """The error of every model on rows left out, in each way, and on its own training rows."""
    way = one.ways[0]
    # Of the models without process columns, that of the best alone: the others say the same.
    names = [n for n in one.ranked if not n.endswith(NO_PROCESS) or n == f"{one.best}{NO_PROCESS}"][:SHOWN]
    at = np.arange(len(names), dtype=np.float64)
    errors = [one.scores(name, way)["rmse"] for name in names]
    spread = np.nan_to_num([error.std for error in errors])
    ax.barh(at - 0.2, [error.mean for error in errors], 0.4, xerr=spread, color=BLUE, label=WORDS[way])
    ax.barh(at + 0.2, [error.train for error in errors], 0.4, color=ORANGE, hatch="//", label="own training rows")
    if one.ways[-1] != way:
        by_lot = [one.scores(name, one.ways[-1]).get("rmse") for name in names]
        means = [np.nan if error is None else error.mean for error in by_lot]
        ax.plot(means, at - 0.2, "D", color=BLACK, markerfacecolor="white", markersize=5, label=WORDS[one.ways[-1]])
    ax.set_yticks(at, names)
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.grid(axis="x")
    ax.set_xlabel(axis_label(one.evidence.property, "error (RMSE) of "))
    ax.set_ylim(len(names) - 0.5, -1.9)  # room for the legend above the first
    ax.legend(loc="upper right", fontsize="small")


def _draw_reliability(ax: Axes, one: Comparison) -> None:
    """Shares of held-out values inside central intervals, level by level, and what chance would do to honest ones."""
    name, way = str(one.best), one.ways[0]
    n = len(one.repeats[name][way][0].held_out)
    levels = np.concatenate([[0.0], LEVELS, [1.0]])
    chance = 2 * np.sqrt(levels * (1 - levels) / n)
    ax.fill_between(levels, levels - chance, levels + chance, color=GREY, alpha=0.25, linewidth=0, label="chance, 95 %")
    ax.plot(levels, levels, color=BLACK, linewidth=1, label="honest")
    for repeat in one.repeats[name][way]:
        ax.plot(LEVELS, [repeat.held_out.held(level) for level in LEVELS], "-o", color=BLUE, markersize=3, label=name)
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="level of the interval", ylabel="share of held-out values inside")
    handles, labels = ax.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    ax.legend(once.values(), once.keys(), loc="lower right", fontsize="small")
