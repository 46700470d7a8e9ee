"""Pictures of how a campaign's models do on rows they had not seen, and of what drives them."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..surrogates.errors import AlloyloopError
from .comparison import WORDS
from .explaining import ModelsExplained
from .explaining_plots import common_range, draw_effect
from .house_style import (
    BLACK,
    BLUE,
    COLUMN,
    GREY,
    ORANGE,
    PAGE,
    SERIES,
    TALLEST,
    VERMILLION,
    axis_label,
    blank_figure,
    legend_above,
    panels,
    styled,
)
from .left_out import LEVEL, LeftOut
from .wording import words_and_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..surrogates.scores import Forecasts
    from .quality import Quality

LEVELS = np.arange(1, 20) / 20  # of the intervals whose shares are drawn
MOST_BARS = 12


def held_out_figure(told: LeftOut, width: float = COLUMN) -> Figure:
    """Measured against predicted, with 90 % intervals: a panel for each property and way of leaving rows out.

    Parameters
    ----------
    width : in print, `COLUMN` or `PAGE` [inch]
    """
    shown = [(name, way) for name, ways in told.of.items() for way in ways]
    with styled():
        figure, axes = panels(width if len(shown) > 1 else COLUMN, len(shown), 3.1, "parity", room=0.3)
        for (name, way), ax in zip(shown, axes, strict=True):
            inside, n = told.held(name, way)
            draw_held_out(ax, name, told.of[name][way].held_out)
            ax.set_title(f"{WORDS[way]}: {inside} of {n} inside")
        legend_above(figure, axes, room=0.3)
    return figure


def unseen_figure(told: Sequence[Quality], width: float = PAGE) -> Figure:
    """Measured against predicted of rows that each model had not seen, with 90 % intervals; a panel for each property.

    Parameters
    ----------
    told : with forecasts, one at least
    width : in print, `COLUMN` or `PAGE` [inch]; the figure is no wider than its panels need
    """
    shown = [(quality, quality.forecasts) for quality in told if quality.forecasts is not None]
    with styled():
        figure, axes = panels(width if len(shown) > 1 else COLUMN, len(shown), 3.1, "unseen", room=0.3)
        for (quality, forecasts), ax in zip(shown, axes, strict=True):
            draw_held_out(ax, quality.name, forecasts)
            ax.set_title(f"{quality.left_out} left out: {quality.held} of {quality.n} inside")
        legend_above(figure, axes, room=0.3)
    return figure


def draw_held_out(ax: Axes, name: str, held: Forecasts) -> None:
    """Measured against predicted, each row by a model that had not seen it; those outside their interval are open.

    The frame is that of the values and means: an interval that goes on beyond it ends in an arrow.
    """
    reach = np.abs(np.stack([held.low, held.high]) - held.mean)
    inside = np.abs(2 * held.rank - 1) <= LEVEL
    for chosen, colour, face, said in (
        (inside, BLUE, BLUE, "inside its 90 % interval"),
        (~inside, VERMILLION, "white", "outside it"),
    ):
        if chosen.any():
            look: Any = {"marker": "o" if face != "white" else "s", "markersize": 3, "color": colour}
            ax.errorbar(
                held.mean[chosen],
                held.y[chosen],
                xerr=reach[:, chosen],
                linestyle="none",
                markerfacecolor=face,
                elinewidth=0.5,
                capsize=0,
                ecolor=f"{colour}60",
                label=said,
                **look,
            )
    ends = np.concatenate([held.y, held.mean])
    margin = 0.06 * (float(np.ptp(ends)) or 1.0)
    scale = (float(ends.min()) - margin, float(ends.max()) + margin)
    ax.plot(scale, scale, color=BLACK, linewidth=0.8)
    for end, goes_on, arrow in ((scale[0], held.low < scale[0], "<"), (scale[1], held.high > scale[1], ">")):
        if goes_on.any():
            tip: Any = {"markersize": 3, "color": GREY, "clip_on": False, "zorder": 3}
            ax.plot(np.full(goes_on.sum(), end), held.y[goes_on], arrow, label="interval goes on", **tip)
    ax.set(xlim=scale, ylim=scale, xlabel=axis_label(name, "predicted "), ylabel=axis_label(name, "measured "))
    ax.set_aspect("equal", adjustable="box")


def calibration_figure(told: LeftOut, width: float = COLUMN) -> Figure:
    """Shares of held-out values inside intervals, level by level, beside what honest intervals would hold.

    Parameters
    ----------
    width : in print, `COLUMN` or `PAGE` [inch]
    """
    with styled({"axes.grid.axis": "both"}):
        figure, axes = panels(width if len(told.of) > 1 else COLUMN, len(told.of), 2.9, "calibration")
        for (name, ways), ax in zip(told.of.items(), axes, strict=True):
            draw_reliability(ax, min(len(one.held_out) for one in ways.values()))
            for i, (way, one) in enumerate(ways.items()):
                draw_shares(ax, one.held_out, i, WORDS[way])
            words = words_and_unit(name)[0]
            ax.set_title(words[:1].upper() + words[1:])
        legend_above(figure, axes)
    return figure


def draw_reliability(ax: Axes, n: int) -> None:
    """Axes for shares of n values inside intervals, with what honest intervals hold, and what chance does to that."""
    levels = np.concatenate([[0.0], LEVELS, [1.0]])
    chance = 196 * np.sqrt(levels * (1 - levels) / n)
    honest = 100 * levels
    said = "chance (95 %)"
    ax.fill_between(honest, honest - chance, honest + chance, color=GREY, alpha=0.25, linewidth=0, label=said)
    ax.plot(honest, honest, color=BLACK, linewidth=0.8, label="honest intervals")
    ax.set(xlim=(0, 100), ylim=(0, 100), xlabel="Level of the interval [%]", ylabel="Values inside [%]")
    ax.set_aspect("equal", adjustable="box")


def draw_shares(ax: Axes, held: Forecasts, series: int, said: str) -> None:
    """Shares of held-out values inside intervals, as one of several series."""
    shares = [100 * held.held(level) for level in LEVELS]
    ax.plot(100 * LEVELS, shares, markersize=3, label=said or None, **SERIES[series])


def effects_figure(explained: ModelsExplained, of: str = "", width: float = COLUMN) -> Figure:
    """What a property is expected to be where one thing after the other is varied, from the best known alloy.

    Parameters
    ----------
    of : the property; the first that is modelled where it is empty
    width : in print, `COLUMN` or `PAGE` [inch]

    Raises
    ------
    AlloyloopError
        where it is not modelled, or nothing can be varied
    """
    name = of or next(iter(explained.models), "")
    if name not in explained.models:
        known = ", ".join(explained.models) or "none"
        raise AlloyloopError(f"{name or 'No property'} is not modelled as a number", f"Modelled are: {known}.")
    model = explained.models[name]
    if not model.effects:
        raise AlloyloopError(f"Nothing that {name} hangs on can be varied", "Enter more results.")
    low, high = common_range(model.effects)
    with styled():
        figure, axes = panels(width, len(model.effects), 1.75, "effects", most=3, room=0.9)
        for effect, ax in zip(model.effects, axes, strict=True):
            draw_effect(ax, explained.snapshot, effect)
            ax.set_ylim(low, high)
            ax.set_ylabel(axis_label(name, letters=22))
        legend_above(figure, axes, f"From {model.base}")
    return figure


def relevances_figure(explained: ModelsExplained, width: float = COLUMN) -> Figure:
    """Of each property, how much the error rises with each thing mixed up, and how much the model attends to each.

    Parameters
    ----------
    width : in print, `COLUMN` or `PAGE` [inch]

    Raises
    ------
    AlloyloopError
        where no model says anything of either
    """
    shown: list[tuple[str, str]] = []
    for name, model in explained.models.items():
        shown += [(name, "importances")] * bool(model.importances) + [(name, "relevances")] * bool(model.relevances)
    if not shown:
        raise AlloyloopError("No model says what matters to it: too few rows", "`alloyloop record` enters results.")
    with styled({"axes.grid.axis": "x"}):
        titles = [_title(explained, name) for name, _ in shown]
        heights = [
            0.7 + 0.14 * (1 + title.count("\n")) + _bar_places(_bars(explained, *each)[0])[1]
            for each, title in zip(shown, titles, strict=True)
        ]
        if len(shown) > 1 and (width > COLUMN or sum(heights) > TALLEST):
            figure, axes = panels(PAGE, len(shown), max(heights), "relevances", room=0.1)
        else:
            figure = blank_figure(COLUMN, sum(heights), "relevances")
            axes = figure.subplots(len(shown), 1, squeeze=False, height_ratios=heights)[:, 0].tolist()
        for (name, what), title, ax in zip(shown, titles, axes, strict=True):
            names, lengths, errors = _bars(explained, name, what)
            places, total = _bar_places(names)
            look: Any = {"color": BLUE} if what == "importances" else {"color": ORANGE, "hatch": "////"}
            ax.barh(places, lengths, xerr=errors, height=0.12, error_kw={"elinewidth": 0.8, "capsize": 2}, **look)
            ax.set_yticks(places, names)
            ax.set_ylim(0, total)
            ax.axvline(0, color=BLACK, linewidth=0.7)
            unit = words_and_unit(name)[1]
            risen = f"Error rises if mixed up{f' [{unit}]' if unit else ''}"
            ax.set_xlabel(risen if what == "importances" else "Relevance [%]")
            ax.set_title(title, loc="left")
    return figure


def _title(explained: ModelsExplained, name: str) -> str:
    """A property and its model, on lines of a column."""
    words = words_and_unit(name)[0]
    return "\n".join(textwrap.wrap(f"{words[:1].upper()}{words[1:]}, by {explained.models[name].choice.name}", 34))


def _bar_places(names: Sequence[str]) -> tuple[list[float], float]:
    """Where each bar stands, from below, and what all take [inch]: a name of two lines takes more than one of one."""
    sizes = np.array([0.17 + 0.12 * name.count("\n") for name in names])
    return (np.cumsum(sizes) - sizes / 2).tolist(), float(sizes.sum())


def _bars(explained: ModelsExplained, name: str, what: str) -> tuple[list[str], list[float], list[float] | None]:
    """Names, lengths and errors of bars, the longest last, which is drawn on top."""
    model = explained.models[name]
    if what == "importances":
        most = model.importances[:MOST_BARS][::-1]
        return [_said(one.thing.name) for one in most], [one.rise.mean for one in most], [one.rise.std for one in most]
    shares = list((model.relevances or {}).items())[:MOST_BARS][::-1]
    return [_said(feature) for feature, _ in shares], [100 * share for _, share in shares], None


def _said(name: str) -> str:
    """What a bar is called, without its unit, on two short lines beside it; what is longer is cut.

    >>> _said("homogenisation_temperature_C"), _said("Nb")
    ('homogenisation\\ntemperature', 'Nb')
    """
    return "\n".join(textwrap.wrap(words_and_unit(name)[0], 18, max_lines=2, placeholder=" …"))
