"""The picture of a backtest: the best alloy so far over melts, of each strategy and of random choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..design.goals import Match
from ..surrogates.base import FloatArray
from .backtested import N_ORDERS, QUARTILES, Backtested
from .house_style import (
    BLACK,
    COLUMN,
    GREY,
    axis_label,
    blank_figure,
    check_ending,
    legend_above,
    picture_of,
    series,
    styled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def backtested(backtest: Backtested, width: float = COLUMN) -> Figure:
    """Medians over the runs with bands between their quartiles; random choice in closed form beside them.

    Parameters
    ----------
    width : in print, `COLUMN` or `PAGE` [inch]
    """
    plan = backtest.plan
    with styled():
        figure = blank_figure(width, 2.9, "backtest")
        ax = figure.subplots()
        for i, (name, traces) in enumerate(backtest.traces.items()):
            _draw(ax, backtest, name, traces, i)
        _draw_chance(ax, backtest)
        if (best := _best(backtest)) is not None:
            ax.axhline(best, color=GREY, linewidth=0.8, label="best of the table")
        ax.set_xlim(plan.start, plan.budget)
        ax.set(xlabel="Melts, the start counted", ylabel=_label(backtest))
        if backtest.synthetic:
            ax.set_title("SYNTHETIC: a model stands in for the table", loc="left")
        legend_above(figure, [ax])
    return figure


def picture(backtest: Backtested, ending: str) -> bytes:
    """A backtest drawn, as the content of a file with this ending.

    Raises
    ------
    AlloyloopError
        where no picture ends so
    """
    check_ending(ending)
    return picture_of(backtested(backtest), ending)


def _draw(ax: Axes, backtest: Backtested, name: str, traces: FloatArray, i: int) -> None:
    """The i-th strategy: its median and a band between quartiles, where so many runs have anything that is allowed."""
    low, middle, high = (_drawn(backtest, of) for of in np.quantile(traces, QUARTILES, axis=0, method="inverted_cdf"))
    melts, look = _melts(backtest), series(i)
    ax.fill_between(melts, low, high, step="post", color=look["color"], alpha=0.15, linewidth=0)
    # Markers stand at few melts, and at others of each strategy, so that none hides another.
    every = max(len(melts) // 8, 1)
    ax.plot(melts, middle, drawstyle="steps-post", label=name, markevery=(i * every // 3, every), **look)


def _draw_chance(ax: Axes, backtest: Backtested) -> None:
    chance, said = _drawn(backtest, backtest.chance.median), f"random, {N_ORDERS} orders"
    look: Any = {"color": BLACK, "linewidth": 0.9, "linestyle": (0, (1, 1))}
    label = said if backtest.has_volume else "random, exact"
    ax.plot(_melts(backtest), chance, drawstyle="steps-post", label=label, **look)


def _melts(backtest: Backtested) -> FloatArray:
    """(m,) The numbers of melts that are drawn: from the start on, which chance made for all."""
    return np.arange(backtest.plan.start, backtest.plan.budget + 1, dtype=np.float64)


def _drawn(backtest: Backtested, reached: FloatArray) -> FloatArray:
    """(m,) What was reached after each number of melts that is drawn, in its unit; NaN where nothing was."""
    shown = reached[backtest.plan.start - 1 :]
    return np.where(np.isfinite(shown), backtest.in_unit(shown), np.nan)


def _best(backtest: Backtested) -> float | None:
    """What is drawn of the best of the pool; None where every run has a pool of its own."""
    if backtest.synthetic:
        return None
    best = np.ones(1) if backtest.has_volume else backtest.pool.heights.max(keepdims=True)
    return float(backtest.in_unit(best)[0])


def _label(backtest: Backtested) -> str:
    """What is drawn, with its unit."""
    goals = backtest.pool.goals
    if backtest.has_volume:
        return "Share of the hypervolume\nof the whole table"
    if len(goals) > 1:
        return "Best weighed sum so far"
    ((name, goal),) = goals.items()
    return axis_label(name, f"least distance from {goal.target:g}, " if isinstance(goal, Match) else "best ")
