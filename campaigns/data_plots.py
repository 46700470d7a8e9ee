"""Pictures of what was tried, of a batch, and of how surprising its results were; nothing is fitted for them."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from ..design.alloy_names import BASIS_SIGN
from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .cells import Reading
from .house_style import (
    BLACK,
    COLUMN,
    GREY,
    ORANGE,
    SCALE,
    area,
    blank_figure,
    colour_bar,
    legend_above,
    series,
    styled,
)
from .plots import came_back, candidate_names, row_places, synthetic_rows, tick_rounds
from .rounds import past_rounds
from .snapshot import Snapshot
from .surprise import how_far
from .tried import Tried
from .wording import words_and_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

# Ends of the interval that nine of ten results lie in, in standard deviations.
NINE_OF_TEN = 1.645
LEAST_SHOWN = 2.5  # on both sides, so that what lies inside is seen to
LONG = 14  # letters, of the name of a variable
_LONGEST_LABEL = 26  # letters, in a line beside an axis
N_CELLS = 18  # from side to side of the map
BESIDE = 0.5  # of the width of the space, that the map shows beside it
NOTHING = 1e-6  # of a distance
_LINE, _MORE = 1.0, 0.6  # of a name beside a range, and each further one, in what a range takes
# A part of a bar narrower than this share of the axis has no room for its element, and for its amount below that.
ROOM_FOR_ELEMENT, ROOM_FOR_AMOUNT = 0.055, 0.085


def tried_figure(told: Tried, width: float = COLUMN) -> Figure:
    """A flat map of the space, the paler the farther from known alloys, with these on it; and each variable's range.

    Parameters
    ----------
    width : in print, `COLUMN` or `PAGE` [inch]
    """
    with styled({"axes.grid": False}):
        heights = [0.8 * min(width, 5.0), 0.55 + 0.19 * _places(told)[1]]
        figure = blank_figure(width, 0.5 + sum(heights), "data")
        upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=heights)[:, 0]
        flat, ranges = upper.subplots(), lower.subplots()
        _draw_flat(upper, flat, told)
        _draw_ranges(ranges, told)
        legend_above(upper, [flat, ranges])
    return figure


def _looks(told: Tried) -> list[tuple[str, Any, dict[str, Any]]]:
    """Of each kind of row what a legend calls it, which of `rows` they are (m,), and how they look."""
    table = told.snapshot.table
    rows, made_up = told.rows, synthetic_rows(told.snapshot)[told.rows]
    pending = table.pending[rows]
    of_round = np.array([table.round[row] is not None for row in rows.tolist()], dtype=np.bool_)
    edge = {"linestyle": "none", "markeredgecolor": BLACK, "markeredgewidth": 0.6, "zorder": 4}
    return [
        ("known", ~pending & ~of_round & ~made_up, {**edge, "marker": "o", "markersize": 3, "color": "white"}),
        ("measured", ~pending & of_round & ~made_up, {**edge, "marker": "s", "markersize": 4, "color": "white"}),
        ("SYNTHETIC, not measured", ~pending & made_up, {**edge, "marker": "P", "markersize": 5, "color": "white"}),
        ("proposed", pending, {**edge, "marker": "D", "markersize": 4.5, "color": ORANGE}),
    ]


def _draw_flat(figure: SubFigure, ax: Axes, told: Tried) -> None:
    x, y = told.sample.T
    farthest = float(told.apart.max())
    look: Any = {"cmap": SCALE, "vmin": 0.0, "vmax": farthest if farthest > NOTHING else 1.0}
    near = ax.hexbin(x, y, C=told.apart, gridsize=N_CELLS, linewidths=0.1, mincnt=1, **look)
    colour_bar(figure, near, ax, f"To the nearest known [{told.unit}]", "right")
    ends = _shown_ends(told)
    seen = ((told.at >= ends[0]) & (told.at <= ends[1])).all(axis=1)
    for said, chosen, look in _looks(told):
        if chosen.any():
            beyond = int((chosen & ~seen).sum())
            said += f" ({beyond} beyond the map)" if beyond else ""
            ax.plot(*told.at[chosen & seen].T, label=said, **look)
    ax.set(xlim=ends[:, 0], ylim=ends[:, 1])
    x_words, y_words = (f"{words[:1].upper()}{words[1:]} [{told.unit}]" for words in told.directions)
    ax.set(xlabel=x_words, ylabel=fill(y_words, _LONGEST_LABEL))


def _shown_ends(told: Tried) -> FloatArray:
    """(2, 2) The least and the most of each direction on the map: the space's, and as much as half of it beside them.

    What lies farther off would press the space into a corner.
    """
    low, high = told.sample.min(axis=0), told.sample.max(axis=0)
    half = BESIDE * np.maximum(high - low, 0.1 * (high - low).max())
    rows = told.at if len(told.at) else told.sample
    margin = 0.1 * half
    least = np.maximum(np.minimum(rows.min(axis=0), low), low - half)
    most = np.minimum(np.maximum(rows.max(axis=0), high), high + half)
    return np.asarray(np.stack([least - margin, most + margin]))


def _draw_ranges(ax: Axes, told: Tried) -> None:
    """Each variable from one end of its range to the other, with what was tried, and the widest gap."""
    places, total = _places(told)
    for i, (one, at) in enumerate(zip(told.ranges, places, strict=True)):
        ax.plot([0, 100], [at, at], color=GREY, linewidth=0.7, zorder=1)
        low, high = (100 * end for end in one.gap)
        gap: Any = {"facecolor": "white", "edgecolor": BLACK, "hatch": "//////", "linewidth": 0.6, "zorder": 2}
        ax.barh(at, high - low, 0.5, low, label="widest gap" if i == 0 else None, **gap)
        shares = 100 * one.shares[told.rows]
        for _, chosen, look in _looks(told):
            ax.plot(shares[chosen], np.full(chosen.sum(), at), **{**look, "markersize": look["markersize"] - 0.5})
        for end, text, side in ((0, one.ends[0], "right"), (100, one.ends[1], "left")):
            ax.annotate(text, (end, at), (-4 if end == 0 else 4, 0), textcoords="offset points", ha=side, va="center")
    ax.set_yticks(places, [_name(one.name) for one in told.ranges])
    digits = max(len(one.ends[0]) for one in told.ranges)
    ax.tick_params(axis="y", length=0, pad=6 + 5 * digits)
    ax.set(xlim=(-4, 104), ylim=(total, 0), xlabel="Where in its range [%]")
    ax.spines["left"].set_visible(False)


def _name(name: str) -> str:
    """Of a range: the unit of a long name stands on a line of its own."""
    return name.replace(" [", "\n[") if len(name) > LONG else name


def _places(told: Tried) -> tuple[list[float], float]:
    """Where the line of each range stands, from the top, and what all take: a name of two lines takes more."""
    sizes = [_LINE + _MORE * _name(one.name).count("\n") for one in told.ranges]
    ends = np.cumsum(sizes)
    return (ends - np.array(sizes) / 2).tolist(), float(ends[-1])


def batch_figure(snapshot: Snapshot, round: int | None = None, width: float = COLUMN) -> Figure:
    """What the alloys of a round consist of beside the balance.

    Parameters
    ----------
    round : its number; the last where it is not given
    width : in print, `COLUMN` or `PAGE` [inch]

    Raises
    ------
    AlloyloopError
        where there is no such round, or its designs have no composition
    """
    table, elements = snapshot.table, snapshot.space.elements
    numbers = sorted({number for number in table.round if number is not None})
    if not numbers:
        raise AlloyloopError("There is no round yet whose batch could be drawn", "`alloyloop suggest` makes one.")
    number = numbers[-1] if round is None else round
    if number not in numbers:
        raise AlloyloopError(f"There is no round {number}", f"Rounds go from {numbers[0]} to {numbers[-1]}.")
    made = {row: snapshot.composition(row) for row, own in enumerate(table.round) if own == number}
    alloys = {row: composition.amounts(snapshot.space.basis) for row, composition in made.items() if composition}
    if not alloys:
        raise AlloyloopError(f"Round {number} has designs without a composition", "`progress` shows its results.")
    balance, sign = elements[-1], BASIS_SIGN[snapshot.space.basis]
    shown = [each for each in table.elements if each != balance and any(a.get(each, 0.0) for a in alloys.values())]
    longest = max(100 - amounts.get(balance, 0.0) for amounts in alloys.values()) or 1.0
    with styled({"axes.grid.axis": "x"}):
        figure = blank_figure(width, 1.0 + 0.34 * len(alloys), "batch")
        ax = figure.subplots()
        for at, amounts in enumerate(alloys.values()):
            left = 0.0
            for i, element in enumerate(shown):
                amount = amounts.get(element, 0.0)
                look: Any = {**area(i), "edgecolor": "white", "linewidth": 0.4}
                ax.barh(at, amount, 0.84, left, label=element if at == 0 else None, **look)
                if amount >= ROOM_FOR_ELEMENT * longest:
                    said = f"{element}\n{amount:.3g}" if amount >= ROOM_FOR_AMOUNT * longest else element
                    paper = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
                    inside: Any = {"ha": "center", "va": "center", "fontsize": 7, "linespacing": 0.95, "bbox": paper}
                    ax.text(left + amount / 2, at, said, **inside)
                left += amount
        called = candidate_names(snapshot, past_rounds(snapshot))
        ids = [table.ids[row] + (f"\n{fill(called[row], LONG)}" if row in called else "") for row in alloys]
        ax.set_yticks(range(len(alloys)), ids)
        ax.invert_yaxis()
        ax.set_xlim(0, 1.02 * longest)
        ax.set_xlabel(f"Amount [{sign}]; the rest is {balance}")
        legend_above(figure, [ax])
    return figure


def surprise_figure(snapshot: Snapshot, width: float = COLUMN) -> Figure:
    """How far results were off what their rounds had expected, in standard deviations, round by round.

    Parameters
    ----------
    width : in print, `COLUMN` or `PAGE` [inch]

    Raises
    ------
    AlloyloopError
        where nothing that was predicted has been measured yet
    """
    rounds = past_rounds(snapshot)
    came = came_back(snapshot, rounds)
    at, made_up = row_places(snapshot), synthetic_rows(snapshot)
    with styled():
        figure = blank_figure(width, 2.5 + 0.12 * len(came), "surprise")
        ax = figure.subplots()
        said = "nine of ten lie here"
        ax.axhspan(-NINE_OF_TEN, NINE_OF_TEN, color=GREY, alpha=0.2, linewidth=0, label=said)
        ax.axhline(0, color=BLACK, linewidth=0.8)
        for i, (name, of_it) in enumerate(came.items()):
            look = {**series(i), "linestyle": "none"}
            words = words_and_unit(name)[0]
            for is_made_up, said in ((False, words), (True, f"{words}: SYNTHETIC")):
                points = [point for point in of_it if made_up[point.row] == is_made_up]
                off = [how_far(Reading(point.measured), point.predicted) for point in points]
                if points:
                    look["fillstyle"] = "none" if is_made_up else "full"
                    ax.plot([at[point.row] for point in points], off, label=said, **look)
        tick_rounds(ax, rounds)
        low, high = ax.get_ylim()
        ax.set_ylim(min(low, -LEAST_SHOWN), max(high, LEAST_SHOWN))
        ax.set_xlabel("Round")
        ax.set_ylabel("Measured less expected\n[standard deviations]")
        legend_above(figure, [ax])
    return figure
