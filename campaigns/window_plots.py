"""The picture of windows: what each thing that is chosen may be, side by side, with the measured alloys as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..design.alloy_names import BASIS_SIGN
from ..design.process import Choice
from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .house_style import (
    AREAS,
    COLUMN,
    FORMATS,
    GREY,
    PAGE,
    VERMILLION,
    axis_label,
    blank_figure,
    check_ending,
    legend_above,
    picture_of,
    styled,
)
from .plots import synthetic_rows
from .snapshot import BoolArray
from .wanting import was_met
from .windowing import Told, Windowed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT = 3.0  # [inch]
MOST_IN_A_COLUMN = 5  # scales
MEETS: dict[str, Any] = {"alpha": 0.85, "marker": "o", "markersize": 2.5}
HALF = 0.16  # of the width of a bar, in the distance of two scales
_LETTER = 0.062  # of the name below a scale [inch]
SPARE = 0.06  # beside the ends of every scale, as a share of it


def picture(windowed: Windowed, ending: str) -> bytes:
    """Windows drawn, as the content of a file with this ending.

    Raises
    ------
    AlloyloopError
        where no picture ends so, or there is no window
    """
    check_ending(ending, FORMATS)
    return picture_of(windows_figure(windowed), ending)


def windows_figure(windowed: Windowed, width: float | None = None) -> Figure:
    """A scale for every element and process variable, from the lowest to the highest that the space has.

    Bars are what a window leaves of it, and each line is a known alloy of the space: those that were measured to meet
    what is wanted stand out.

    Parameters
    ----------
    width : in print [inch]; a column of print, or a page where the scales are many, if it is not given
    """
    if not windowed.of:
        raise AlloyloopError("There is no window to draw", "A lower --probability may have one.")
    names = list(windowed.of[0].window.ranges)
    with styled({"axes.grid": False}):
        width = width or (COLUMN if len(names) <= MOST_IN_A_COLUMN else PAGE)
        figure = blank_figure(width, HEIGHT, "windows")
        ax = figure.subplots()
        scales = [_Scale.of(windowed, name) for name in names]
        _draw_scales(ax, windowed, names, scales)
        _draw_alloys(ax, windowed, names, scales)
        for i, told in enumerate(windowed.of):
            _draw_window(ax, told, i, len(windowed.of), names, scales)
        legend_above(figure, [ax])
    return figure


class _Scale:
    """Where values of one element or process variable lie between 0 and 1.

    Parameters
    ----------
    low, high : what the space has, of a number
    choices : of a choice
    """

    def __init__(self, low: float, high: float, choices: tuple[str, ...] = ()) -> None:
        self.low, self.high, self.choices = low, high, choices

    @classmethod
    def of(cls, windowed: Windowed, name: str) -> _Scale:
        space = windowed.asked.snapshot.space
        if name in space.elements:
            at = space.elements.index(name)
            low, high = space.diagram.ranges[:, at : at + 1]
            points = np.tile(space.diagram.ranges[0], (2, 1))
            points[:, at] = (low[0], high[0])
            lowest, highest = space.percent(points)[:, at].tolist()
            return cls(lowest, highest)
        (variable,) = [each for each in space.process if each.name == name]
        if isinstance(variable, Choice):
            return cls(0.0, max(variable.n_levels - 1.0, 1.0), variable.choices)
        return cls(variable.low, variable.high)

    def at(self, values: FloatArray) -> FloatArray:
        """Numbers, or the numbers of choices, as places. (n,)"""
        return np.asarray((values - self.low) / ((self.high - self.low) or 1.0))

    def numbers(self, values: object) -> FloatArray:
        """Values as numbers, choices as theirs; NaN where not known. (n,)"""
        if self.choices:
            known = np.asarray(values, dtype=object)
            return np.array([self.choices.index(each) if each in self.choices else np.nan for each in known])
        return np.asarray(values, dtype=np.float64)


def _draw_scales(ax: Axes, windowed: Windowed, names: list[str], scales: list[_Scale]) -> None:
    space = windowed.asked.space
    sign = BASIS_SIGN[space.basis]
    labels = [
        f"{name}\n[{sign}]" if name in space.elements else axis_label(name).replace(" [", "\n[") for name in names
    ]
    ax.set_xticks(range(len(names)), labels)
    ax.tick_params(axis="x", length=0)
    longest = max(len(line) for each in labels for line in each.split("\n"))
    figure = ax.get_figure(root=True)
    if figure is not None and longest * _LETTER > figure.get_figwidth() / len(names):
        for name_below in ax.get_xticklabels():
            name_below.set(rotation=35, ha="right", rotation_mode="anchor", multialignment="right")
        ax.tick_params(axis="x", pad=10)
        figure.set_figheight(figure.get_figheight() + 0.6 * longest * _LETTER)
    ax.set_yticks([])
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.set_ylim(-SPARE - 0.03, 1 + SPARE + 0.03)
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    for place, scale in enumerate(scales):
        ax.plot([place, place], [0, 1], color=GREY, linewidth=0.8, zorder=1)
        if scale.choices:
            ends = [(choice, float(number)) for number, choice in enumerate(scale.choices)]
        else:
            ends = [(f"{scale.low:.6g}", scale.low), (f"{scale.high:.6g}", scale.high)]
        for text, number in ends:
            at = float(scale.at(np.array([number], dtype=np.float64))[0])
            side, off = ("bottom", 4) if at == 1 else ("top", -4) if at == 0 else ("center", 0)
            ax.annotate(text, (place, at), (0, off), textcoords="offset points", ha="center", va=side, color=GREY)


def _draw_alloys(ax: Axes, windowed: Windowed, names: list[str], scales: list[_Scale]) -> None:
    """Known alloys of the space as lines; where a process value is not known, a line has a gap."""
    snapshot = windowed.asked.snapshot
    rows, made_up = snapshot.known & snapshot.in_space(), synthetic_rows(snapshot)
    met = was_met(snapshot, windowed.asked.wanted.wants)
    kinds: tuple[tuple[BoolArray, dict[str, Any], str], ...] = (
        (rows & ~met & ~made_up, {"color": GREY, "alpha": 0.3}, "known alloys of the space"),
        (rows & made_up, {"color": GREY, "alpha": 0.6, "linestyle": ":"}, "SYNTHETIC, not measured"),
        (
            rows & met & ~made_up,
            {"color": VERMILLION, "alpha": 0.85, "marker": "o", "markersize": 2.5},
            "of these, measured to meet it",
        ),
    )
    for chosen, look, said in kinds:
        columns = []
        for name, scale in zip(names, scales, strict=True):
            if name in snapshot.space.elements:
                values = snapshot.table.amounts[chosen, snapshot.table.elements.index(name)]
            else:
                values = snapshot.process[name][chosen]
            columns.append(scale.at(scale.numbers(values)))
        for i, line in enumerate(np.column_stack(columns)):
            ax.plot(range(len(names)), line, linewidth=0.9, zorder=3, label=said if i == 0 else None, **look)


def _draw_window(ax: Axes, told: Told, number: int, n: int, names: list[str], scales: list[_Scale]) -> None:
    window = told.window
    label = f"W{number + 1}: chance {window.probability_mean:.0%}, at worst {window.probability_worst:.0%}"
    width = 2 * HALF / n
    for place, (name, scale) in enumerate(zip(names, scales, strict=True)):
        left, kept = place - HALF + number * width, window.ranges[name]
        spans = [(each, each) for each in scale.numbers(list(kept))] if scale.choices else [kept]
        for low, high in spans:
            bottom, top = scale.at(np.array([low, high], dtype=np.float64))
            ax.bar(
                left + width / 2,
                max(top - bottom, 0.012),
                width,
                bottom if top - bottom >= 0.012 else (bottom + top) / 2 - 0.006,
                **AREAS[number % len(AREAS)],
                edgecolor="white",
                alpha=0.6,
                linewidth=0.5,
                zorder=2,
                label=label,
            )
