"""What a campaign's files say, as pictures: progress, trade-offs, and what came beside what a round had expected.

Nothing is fitted for them. Pictures of what models believe are in `maps.py` and `model_plots.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..design.goals import Goal, Match, Maximize, Pursued, Report, Within
from ..design.pareto import non_dominated
from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .answers import Answer, Predicted
from .house_style import (
    BLACK,
    BLUE,
    COLUMN,
    GREY,
    ORANGE,
    PAGE,
    PALE,
    PURPLE,
    VERMILLION,
    axis_label,
    blank_figure,
    legend_above,
    logarithmic,
    panels,
    styled,
)
from .rounds import PastRound, past_rounds
from .snapshot import BoolArray, Snapshot
from .standing import Standing, standing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Kind = tuple[str, dict[str, Any]]

# What a legend calls each kind of value, and how it looks.
INSIDE: Kind = ("known, inside the space", {"marker": "o", "color": GREY, "markersize": 3.5})
OUTSIDE: Kind = ("known, outside it or its rules", {**INSIDE[1], "markerfacecolor": "white"})
MEASURED: Kind = ("measured", {"marker": "s", "color": BLUE, "markersize": 4.5})
MADE_UP: Kind = ("SYNTHETIC, not measured", {"marker": "P", "color": PURPLE, "markersize": 5.5})
EXPECTED: Kind = (
    "expected, 90 % interval",
    {"marker": "D", "color": ORANGE, "markersize": 4.5, "markerfacecolor": "white"},
)
KEPT: Kind = ("known, keeps the limits", INSIDE[1])
OUT: Kind = ("breaks a limit, or outside the space", {**OUTSIDE[1], "color": "#B4B4B4"})
MOST_TICKED_ROUNDS = 16
# From the least to the most, on a logarithmic axis: what spans less looks the same on a plain one.
LEAST_SPAN = 5.0

# What a decision.json calls a model that learned the logarithm of its property.
_ON_LOG = re.compile(r", log(?:,| \+|$)")
_SYNTHETIC = re.compile(r"\bSYNTHETIC\b|\b[Ss]ynthetic (?:laboratory|data|result|value)")


# -- what past rounds foresaw -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comeback:
    """A measurement beside what its round had expected of it.

    Parameters
    ----------
    row : of the table
    name : of the property
    round : that foresaw it
    predicted, measured : in the property's unit
    """

    row: int
    name: str
    round: int
    predicted: Predicted
    measured: float

    @property
    def is_inside(self) -> bool:
        """Whether it fell inside the 90 % interval."""
        return self.predicted.low <= self.measured <= self.predicted.high


def comebacks(snapshot: Snapshot, rounds: Sequence[PastRound]) -> tuple[Comeback, ...]:
    """Every measured value that a round had predicted, in the table's order; bounds (`<12`) are left out."""
    table = snapshot.table
    foreseen = {(past.number, id): alloy for past in rounds for id, alloy in past.proposals.items()}
    return tuple(
        Comeback(row, name, number, predicted, float(table.values(name)[row]))
        for row, (number, id) in enumerate(zip(table.round, table.ids, strict=True))
        if number is not None and (number, id) in foreseen and snapshot.known[row]
        for name, predicted in foreseen[number, id].predicted.items()
        if name in snapshot.learned and np.isfinite(table.values(name)[row]) and table.censored(name)[row] == ""
    )


def came_back(snapshot: Snapshot, rounds: Sequence[PastRound]) -> dict[str, list[Comeback]]:
    """The same by property, of each that has some.

    Raises
    ------
    AlloyloopError
        where nothing that was predicted has been measured yet
    """
    points = comebacks(snapshot, rounds)
    if not points:
        raise AlloyloopError("Nothing that was predicted has been measured yet", "`alloyloop record` enters results.")
    return {name: [point for point in points if point.name == name] for name in dict.fromkeys(p.name for p in points)}


def candidate_names(snapshot: Snapshot, rounds: Sequence[PastRound]) -> dict[int, str]:
    """What the user's table of candidates calls the alloy of a row, of those that rounds proposed from it."""
    called = {(past.number, id): alloy.candidate for past in rounds for id, alloy in past.proposals.items()}
    keys = zip(snapshot.table.round, snapshot.table.ids, strict=True)
    return {row: called[number or 0, id] for row, (number, id) in enumerate(keys) if called.get((number or 0, id))}


def synthetic_rows(snapshot: Snapshot) -> BoolArray:
    """(n,) Whether a row's source or note says that a SYNTHETIC laboratory made it up.

    The word in small letters alone does not say so: synthetic saliva is a real medium of real corrosion tests.
    """
    sheet = snapshot.table.sheet
    columns = [sheet.column(name) for name in ("source", "note") if name in sheet.positions]
    said = [" ".join(cells) for cells in zip(*columns, strict=True)] or [""] * len(snapshot.table)
    return np.array([_SYNTHETIC.search(words) is not None for words in said], dtype=np.bool_)


def is_logarithmic(snapshot: Snapshot, name: str, rounds: Sequence[PastRound]) -> bool:
    """Whether a property is drawn on a logarithmic axis: where it is modelled so, and what is drawn spans so much.

    That it is so modelled is what campaign.yaml says, or else what the last round with a model chose by itself.
    """
    chosen = [said for past in rounds if isinstance(said := _model_names(past).get(name), str)]
    scale = snapshot.spec.properties[name].scale
    if not (scale == "log" or (scale == "auto" and chosen and _ON_LOG.search(chosen[-1]))):
        return False
    expected = [
        alloy.predicted[name] for past in rounds for alloy in past.proposals.values() if name in alloy.predicted
    ]
    goal = snapshot.goals[name]
    drawn = [*snapshot.values(name).tolist(), *(end for one in expected for end in (one.low, one.high))]
    if isinstance(goal, Within | Match):
        limit = goal.limit if isinstance(goal, Match) else goal
        drawn += [limit.low, limit.high]
    drawn = [value for value in drawn if isfinite(value)]
    return bool(drawn) and min(drawn) > 0 and max(drawn) >= LEAST_SPAN * min(drawn)


def _model_names(past: PastRound) -> dict[str, object]:
    """What a round calls the model of each property, as far as its decision.json says."""
    models = past.decision.get("models")
    told = models.items() if isinstance(models, dict) else ()
    return {name: model.get("name") for name, model in told if isinstance(model, dict)}


# -- pictures ---------------------------------------------------------------------------------------------------------


def progress(snapshot: Snapshot, width: float = PAGE) -> Figure:
    """What was known, expected and measured, round by round, of each property that is pursued or has a limit.

    Where several are pursued and nothing weighs them, how their hypervolume grew comes first.

    Parameters
    ----------
    width : in print, `COLUMN` or `PAGE` [inch]

    Raises
    ------
    AlloyloopError
        where the campaign has no property with numbers
    """
    names = _shown(snapshot)
    if not names:
        raise AlloyloopError("There is no property with numbers to draw", "Add one to campaign.yaml.")
    rounds, stands = past_rounds(snapshot), standing(snapshot)
    before = snapshot.known & np.array([number is None for number in snapshot.table.round], dtype=np.bool_)
    columns = [1.0, 2.0] if before.any() and rounds else [1.0]
    has_volume = stands is not None and not stands.is_by_one and len(stands.rows) > 0
    with styled():
        lines = len(names) + has_volume
        figure = blank_figure(width, 0.8 + (1.9 if width > COLUMN else 1.7) * lines, "progress")
        axes = figure.subplots(lines, len(columns), squeeze=False, sharey="row", width_ratios=columns)
        pairs = [(row[0], row[-1]) for row in axes]
        for name, (left, right) in zip(names, pairs[has_volume:], strict=True):
            left.set_ylabel(axis_label(name, letters=24))
            if before.any() or not rounds:
                _draw_before(left, snapshot, name, np.flatnonzero(before))
            if rounds:
                _draw_rounds(right, snapshot, name, rounds)
            if stands is not None and stands.is_by_one and name in stands.goals:
                _draw_so_far(left, right, snapshot, rounds, _best_values(stands, name), "best so far")
            for ax in {left, right}:
                _draw_goal(ax, snapshot.goals[name])
            if is_logarithmic(snapshot, name, rounds):
                logarithmic(left)
        if has_volume and stands is not None:
            left, right = pairs[0]
            left.set_ylabel(f"Hypervolume\n[{stands.unit}]" if stands.unit else "Hypervolume")
            left.set_xticks([])
            reference = stands.reference
            _draw_so_far(left, right, snapshot, rounds, lambda some: some.hypervolume(reference), "hypervolume so far")
            tick_rounds(right, rounds)
        if before.any() or not rounds:
            axes[-1][0].set_xlabel("known before,\nin the table's order")
        if rounds:
            axes[-1][-1].set_xlabel("round")
        legend_above(figure, axes.ravel().tolist())
    return figure


def trade_off(snapshot: Snapshot, width: float = PAGE) -> Figure:
    """What was measured and is expected of the pursued properties, each against each other, with the Pareto front.

    A property that is brought to a target is drawn by how far off it is. With two goals, the front's steps enclose its
    hypervolume, and those of the front before the first round are dotted.

    Parameters
    ----------
    width : in print, `COLUMN` or `PAGE` [inch]; the figure is no wider than its panels need

    Raises
    ------
    AlloyloopError
        where fewer than two properties are pursued
    """
    stands = standing(snapshot)
    if stands is None or len(stands.goals) < 2:
        raise AlloyloopError("There is no trade-off: fewer than two properties are pursued", "`progress` shows one.")
    pairs = list(combinations(stands.goals, 2))
    with styled({"axes.grid.axis": "both"}):
        figure, axes = panels(width if len(pairs) > 1 else COLUMN, len(pairs), 2.6, "trade-off")
        for pair, ax in zip(pairs, axes, strict=True):
            _draw_pair(ax, snapshot, stands, pair)
        legend_above(figure, axes)
    return figure


def parity(snapshot: Snapshot, width: float = PAGE) -> Figure:
    """What was measured against what the round had expected, with its 90 % interval; a panel for each property.

    Parameters
    ----------
    width : in print, `COLUMN` or `PAGE` [inch]; the figure is no wider than its panels need

    Raises
    ------
    AlloyloopError
        where nothing that was predicted has been measured yet
    """
    rounds = past_rounds(snapshot)
    came = came_back(snapshot, rounds)
    with styled():
        figure, axes = panels(width if len(came) > 1 else COLUMN, len(came), 2.8, "parity")
        for (name, points), ax in zip(came.items(), axes, strict=True):
            _draw_parity(ax, snapshot, name, points, on_log=is_logarithmic(snapshot, name, rounds))
        legend_above(figure, axes)
    return figure


def _shown(snapshot: Snapshot) -> list[str]:
    """The pursued properties first, then the limited; those only reported where there are no others.

    A limit on what is computed is a rule of the space, which no design breaks.
    """
    goals = snapshot.goals
    wanted = [name for name, goal in goals.items() if isinstance(goal, Pursued)]
    limited = [name for name, goal in snapshot.learned.items() if isinstance(goal, Within)]
    return wanted + limited or [name for name, goal in goals.items() if isinstance(goal, Report)]


def _draw_goal(ax: Axes, goal: Goal) -> None:
    if isinstance(goal, Within):
        for bound in filter(isfinite, (goal.low, goal.high)):
            ax.axhline(bound, color=VERMILLION, linestyle=(0, (5, 3)), linewidth=1.3, label="limit")
    if isinstance(goal, Match):
        ax.axhline(goal.target, color=VERMILLION, linewidth=1.3, label="target")
        ax.axhspan(goal.limit.low, goal.limit.high, color=VERMILLION, alpha=0.12, linewidth=0, label="its tolerance")


def _draw_before(ax: Axes, snapshot: Snapshot, name: str, rows: NDArray[np.intp]) -> None:
    ax.set_xticks([])
    ax.set_xlim(-1, max(len(rows), 1))
    inside, made_up = snapshot.in_space()[rows], synthetic_rows(snapshot)[rows]
    at = np.arange(len(rows), dtype=np.float64)
    for chosen, kind in ((inside & ~made_up, INSIDE), (~inside & ~made_up, OUTSIDE), (made_up, MADE_UP)):
        _draw_values(ax, snapshot, name, rows[chosen], at[chosen], kind)


def _draw_rounds(ax: Axes, snapshot: Snapshot, name: str, rounds: Sequence[PastRound]) -> None:
    table = snapshot.table
    at = row_places(snapshot)
    expected = {
        row: alloy.predicted[name]
        for past in rounds
        for row in np.flatnonzero(at > 0).tolist()
        if table.round[row] == past.number and table.status[row] != "withdrawn"
        if (alloy := past.proposals.get(table.ids[row])) is not None and name in alloy.predicted
    }
    if expected:
        said, look = EXPECTED
        means, reach = _intervals(list(expected.values()))
        ax.errorbar(at[list(expected)], means, reach, linestyle="none", elinewidth=1.2, label=said, **look)
    made_up = synthetic_rows(snapshot)
    measured = snapshot.known & np.isfinite(at)
    for chosen, kind in ((measured & ~made_up, MEASURED), (measured & made_up, MADE_UP)):
        _draw_values(ax, snapshot, name, np.flatnonzero(chosen), at[chosen], kind)
    failed = at[table.is_row("failed") & np.isfinite(at)]
    if len(failed):
        foot = np.full(len(failed), 0.03)
        ax.plot(failed, foot, "x", color=BLACK, transform=ax.get_xaxis_transform(), label="failed")
    tick_rounds(ax, rounds)


def tick_rounds(ax: Axes, rounds: Sequence[PastRound]) -> None:
    """The numbers of the rounds below an axis, as far as there is room."""
    numbers = [past.number for past in rounds]
    if not numbers:
        return
    ax.set_xlim(numbers[0] - 0.55, numbers[-1] + 0.55)
    if len(numbers) <= MOST_TICKED_ROUNDS:
        ax.set_xticks(numbers)
    else:
        from matplotlib.ticker import MaxNLocator

        ax.xaxis.set_major_locator(MaxNLocator(integer=True))


def row_places(snapshot: Snapshot) -> FloatArray:
    """(n,) Where each row stands among the rounds, those of one side by side; NaN where it is of none."""
    at = np.full(len(snapshot.table), np.nan)
    for number in {number for number in snapshot.table.round if number is not None}:
        rows = [row for row, own in enumerate(snapshot.table.round) if own == number]
        at[rows] = number + (np.arange(len(rows)) - (len(rows) - 1) / 2) * min(0.18, 0.8 / len(rows))
    return at


def _intervals(predicted: Sequence[Predicted]) -> tuple[FloatArray, FloatArray]:
    """(n,) means and (2, n) lengths down and up to the ends of the intervals, as error bars are given."""
    means = np.array([one.mean for one in predicted])
    ends = np.array([(one.low, one.high) for one in predicted]).T
    return means, np.abs(ends - means)


def _draw_values(ax: Axes, snapshot: Snapshot, name: str, rows: NDArray[np.intp], at: FloatArray, kind: Kind) -> None:
    """Measured values with the standard deviation between their replicates; a bound points the way it is open."""
    said, look = kind
    values, exact = snapshot.values(name)[rows], snapshot.with_value(name)[rows]
    if exact.any():
        std = np.nan_to_num(snapshot.std(name)[rows][exact])
        bars = std if std.any() else None
        ax.errorbar(at[exact], values[exact], bars, linestyle="none", elinewidth=0.8, label=said, **look)
    for sign, marker in (("<", "v"), (">", "^")) if name in snapshot.learned else ():
        bounds = snapshot.table.censored(name)[rows] == sign
        if bounds.any():
            ax.plot(at[bounds], values[bounds], marker, color=look["color"], label=f"{said}, {sign} only")


def _best_values(stands: Standing, name: str) -> Callable[[Standing], float]:
    """What a property was measured to be of the first of some alloys."""
    column = list(stands.goals).index(name)
    return lambda some: float(some.values[0, column])


def _draw_so_far(
    left: Axes,
    right: Axes,
    snapshot: Snapshot,
    rounds: Sequence[PastRound],
    height: Callable[[Standing], float],
    said: str,
) -> None:
    """A number of the measured alloys that keep every limit, of those known before the rounds and after each."""
    stands, numbers = standing(snapshot), [past.number for past in rounds]
    if stands is None or not len(stands.rows):
        return
    own = np.array([number or 0 for number in snapshot.table.round], dtype=np.float64)
    look: Any = {"color": BLACK, "linewidth": 1.3, "label": said}

    def after(number: int) -> float:
        until = stands.until(own, number)
        return height(until) if len(until.rows) else np.nan

    first = after(min(numbers, default=1) - 1)
    if isfinite(first) and (left is not right or not numbers):
        left.axhline(first, **look)
    heights = [first, *map(after, numbers)]
    if numbers and any(map(isfinite, heights)):
        at = [numbers[0] - 0.55, *numbers, numbers[-1] + 0.55]
        right.step(at, [*heights, heights[-1]], where="post", **look)


def _draw_pair(ax: Axes, snapshot: Snapshot, stands: Standing, pair: tuple[str, str]) -> None:
    """Two pursued properties against each other."""
    goals = [stands.goals[name] for name in pair]
    x, y = (_drawn(goal, snapshot.values(name)) for name, goal in zip(pair, goals, strict=True))
    if len(stands.goals) == 2:
        _draw_steps(ax, snapshot, stands)
    exact = snapshot.with_value(pair[0]) & snapshot.with_value(pair[1])
    kept, of_round = np.isin(np.arange(len(exact)), stands.rows), np.isfinite(row_places(snapshot))
    made_up = synthetic_rows(snapshot)
    measured = kept & ~made_up
    of_kind = (
        (~kept & ~made_up, OUT),
        (measured & ~of_round, KEPT),
        (measured & of_round, MEASURED),
        (made_up, MADE_UP),
    )
    for chosen, (said, look) in of_kind:
        if (chosen & exact).any():
            ax.plot(x[chosen & exact], y[chosen & exact], linestyle="none", label=said, **look)
    if expected := [alloy for alloy in _expected(snapshot) if set(pair) <= alloy.predicted.keys()]:
        (xs, x_reach), (ys, y_reach) = (
            _intervals([_predicted_drawn(goal, alloy.predicted[name]) for alloy in expected])
            for name, goal in zip(pair, goals, strict=True)
        )
        said, look = EXPECTED
        ax.errorbar(xs, ys, y_reach, x_reach, linestyle="none", elinewidth=0.8, label=said, **look)
    first, said = stands.first.rows, "best by the weights" if stands.is_by_one else "on the Pareto front"
    if len(first):
        ring: Any = {"marker": "o", "markersize": 8.5, "markerfacecolor": "none", "color": BLACK}
        ax.plot(x[first], y[first], linestyle="none", label=said, **ring)
    x_label, y_label = (
        axis_label(name, f"distance from {goal.target:g}, " if isinstance(goal, Match) else "")
        for name, goal in zip(pair, goals, strict=True)
    )
    ax.set(xlabel=x_label, ylabel=y_label)


def _draw_steps(ax: Axes, snapshot: Snapshot, stands: Standing) -> None:
    """The steps of a front of two goals, what it encloses with its reference, and those of the front before round 1."""
    if not len(stands.rows):
        return
    corner = stands.corner(stands.reference)
    signs = np.array([1.0 if isinstance(goal, Maximize) else -1.0 for goal in stands.goals.values()])
    steps = _steps(stands.objectives, corner)
    if len(steps):
        x, y = (signs * steps).T
        ax.fill([*x, signs[0] * corner[0]], [*y, signs[1] * corner[1]], color=PALE, zorder=0)
        ax.plot(x, y, color=BLACK, linewidth=1.0, label="Pareto front; what it encloses is grey")
    of_round = np.array([number or 0 for number in snapshot.table.round], dtype=np.float64)
    before = _steps(stands.until(of_round, 0).objectives, corner)
    if len(before) and not np.array_equal(before, steps):
        x, y = (signs * before).T
        ax.plot(x, y, color=BLACK, linewidth=1.0, linestyle=":", label="front before the first round")


def _steps(objectives: FloatArray, corner: FloatArray) -> FloatArray:
    """The corners (m, 2) of what a front of two objectives (n, 2) dominates beyond a point, from side to side."""
    beyond = objectives[(objectives > corner).all(axis=1)]
    front = np.unique(beyond[non_dominated(beyond)], axis=0)  # from the worst in x, which is the best in y, to the best
    if not len(front):
        return np.empty((0, 2))
    x = np.concatenate([corner[:1], np.repeat(front[:, 0], 2)])
    y = np.concatenate([np.repeat(front[:, 1], 2), corner[1:]])
    return np.column_stack([x, y])


def _expected(snapshot: Snapshot) -> list[Answer]:
    """What was expected of the alloys that wait for their results."""
    foreseen = {(past.number, id): alloy for past in past_rounds(snapshot) for id, alloy in past.proposals.items()}
    table = snapshot.table
    waiting = [(table.round[row] or 0, table.ids[row]) for row in np.flatnonzero(table.pending).tolist()]
    return [foreseen[each] for each in waiting if each in foreseen]


def _drawn(goal: Pursued, values: FloatArray) -> FloatArray:
    """Values as they are drawn: how far off they are, where there is a target."""
    return -goal.objective(values) if isinstance(goal, Match) else values


def _predicted_drawn(goal: Pursued, predicted: Predicted) -> Predicted:
    """The same of what is expected; the interval of a distance begins at 0 where the target is inside."""
    mean, low, high = _drawn(goal, np.array([predicted.mean, *predicted.interval])).tolist()
    if isinstance(goal, Match):
        inside = predicted.low <= goal.target <= predicted.high
        low, high = 0.0 if inside else min(low, high), max(low, high)
    return Predicted(mean, predicted.std, low, high)


def _draw_parity(ax: Axes, snapshot: Snapshot, name: str, points: Sequence[Comeback], *, on_log: bool) -> None:
    ends = [end for point in points for end in (point.predicted.low, point.predicted.high, point.measured)]
    scale = _around(ends, on_log=on_log)
    ax.plot(scale, scale, color=BLACK, linewidth=1, label="as expected")
    made_up = synthetic_rows(snapshot)
    for kind in (MEASURED, MADE_UP):
        chosen = [point for point in points if made_up[point.row] == (kind is MADE_UP)]
        if chosen:
            means, reach = _intervals([point.predicted for point in chosen])
            std = np.nan_to_num(snapshot.std(name)[[point.row for point in chosen]])
            bars = std if std.any() else None
            measured = [point.measured for point in chosen]
            said, look = kind
            ax.errorbar(means, measured, bars, reach, linestyle="none", elinewidth=0.8, label=said, **look)
    ax.set_xlabel(axis_label(name, "expected "))
    ax.set_ylabel(axis_label(name, "measured "))
    ax.set(xlim=scale, ylim=scale)
    if on_log:
        logarithmic(ax, "xy")
    ax.set_aspect("equal", adjustable="box")


def _around(ends: Sequence[float], *, on_log: bool) -> tuple[float, float]:
    """The ends of an axis on which all of these lie, with a margin beside them."""
    at = np.log10(ends) if on_log else np.array(ends)
    margin = 0.05 * float(np.ptp(at)) or (0.2 if on_log else 1.0)
    low, high = float(at.min()) - margin, float(at.max()) + margin
    return (10**low, 10**high) if on_log else (low, high)
