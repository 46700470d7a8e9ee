"""Pictures of explanations: what a model needs to know and what each thing does; what a prediction is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..surrogates.errors import AlloyloopError
from .explaining import AlloyExplained, Model, ModelsExplained, Parts, unit
from .house_style import (
    BLACK,
    BLUE,
    COLUMN,
    FORMATS,
    GREY,
    ORANGE,
    PAGE,
    VERMILLION,
    axis_label,
    blank_figure,
    check_ending,
    legend_above,
    picture_of,
    styled,
)
from .snapshot import Snapshot
from .wording import label, words_and_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from ..design.explaining import Effect

COLUMNS = 3  # panels side by side on a page
HEIGHT = 1.75  # of a panel [inch]
MOST_BARS = 12


def picture(explained: ModelsExplained | AlloyExplained, ending: str) -> bytes:
    """An explanation drawn, as the content of a file with this ending.

    Raises
    ------
    AlloyloopError
        where no picture ends so
    """
    check_ending(ending, FORMATS)
    figure = models_figure(explained) if isinstance(explained, ModelsExplained) else alloy_figure(explained)
    return picture_of(figure, ending)


def models_figure(explained: ModelsExplained) -> Figure:
    """Of every property: how much the error rises with each thing mixed up, and the effect of each thing."""
    models = explained.models
    lines = [-(-(1 + len(model.effects)) // COLUMNS) for model in models.values()]
    with styled():
        figure = blank_figure(PAGE, HEIGHT * sum(lines) + 0.6 * len(lines), "explained")
        blocks = figure.subfigures(len(models), 1, squeeze=False, height_ratios=lines)[:, 0]
        for block, (name, model), n_lines in zip(blocks, models.items(), lines, strict=True):
            _draw_model(block, explained, name, model, n_lines)
    return figure


def _draw_model(block: SubFigure, explained: ModelsExplained, name: str, model: Model, n_lines: int) -> None:
    title = f"{label(name)}: {model.choice.name}; effects from {model.base}"
    bars, *panels = block.subplots(n_lines, COLUMNS, squeeze=False).ravel().tolist()
    _draw_importances(bars, name, model)
    low, high = common_range(model.effects)
    for ax, effect in zip(panels, model.effects, strict=False):
        draw_effect(ax, explained.snapshot, effect)
        ax.set_ylim(low, high)
    for i, ax in enumerate(panels):
        if (i + 1) % COLUMNS == 0 or i == 0:
            ax.set_ylabel(axis_label(name, letters=24))
        if i >= len(model.effects):
            ax.set_axis_off()
    legend_above(block, panels[: len(model.effects)], title)


def common_range(effects: Sequence[Effect]) -> tuple[float, float]:
    """One range of the property for every effect, so that they compare at a glance."""
    ends = [end for effect in effects for end in effect.prediction.interval()]
    if not ends:
        return 0.0, 1.0
    every = np.concatenate(ends)
    margin = 0.05 * float(np.ptp(every)) or 1.0
    return float(every.min()) - margin, float(every.max()) + margin


def _draw_importances(ax: Axes, name: str, model: Model) -> None:
    shown = model.importances[:MOST_BARS][::-1]
    if not shown:
        ax.set_axis_off()
        return
    means = np.array([one.rise.mean for one in shown])
    ax.barh([one.thing.name for one in shown], means, xerr=[one.rise.std for one in shown], color=BLUE, height=0.7)
    ax.axvline(0, color=BLACK, linewidth=0.8)
    ax.grid(visible=False, axis="y")
    sign = words_and_unit(name)[1]
    ax.set_xlabel(f"error rises if mixed up{f' [{sign}]' if sign else ''}")


def draw_effect(ax: Axes, snapshot: Snapshot, effect: Effect) -> None:
    """What a property is expected to be where one thing is varied, and where the data lie."""
    sign = unit(snapshot, effect.thing)
    ax.set_xlabel(f"{effect.thing.name} [{sign}]" if effect.thing.kind == "element" else label(effect.thing.name))
    low, high = effect.prediction.interval()
    mean, values = effect.prediction.mean, effect.values
    if values.dtype == object:
        at = np.arange(len(values))
        for chosen, color, said in ((effect.inside, BLUE, "expected"), (~effect.inside, GREY, "outside the data")):
            if chosen.any():
                reach = np.abs(np.stack([low, high]) - mean)[:, chosen]
                ax.errorbar(at[chosen], mean[chosen], reach, fmt="o", color=color, label=said)
        ax.set_xticks(at, values.tolist())
        ax.set_xlim(-0.5, len(values) - 0.5)
        return
    ax.fill_between(values, low, high, color=BLUE, alpha=0.15, linewidth=0, label="90 % of measurements")
    ax.plot(values, mean, color=GREY, linestyle=":", linewidth=1.5, label="outside the data")
    ax.plot(values, np.where(effect.inside, mean, np.nan), color=BLUE, label="expected")
    inside = effect.data[(effect.data >= values[0]) & (effect.data <= values[-1])].astype(np.float64)
    foot = np.full(len(inside), 0.02)
    ax.plot(inside, foot, "|", color=ORANGE, transform=ax.get_xaxis_transform(), label="rows of the data")


def alloy_figure(explained: AlloyExplained) -> Figure:
    """Of every property: the steps from the mean of the data to what is expected of the alloy."""
    if not explained.parts:
        raise AlloyloopError("No property of this alloy can be predicted, so there is nothing to draw")
    n = len(explained.parts)
    with styled():
        most = max(len(part.contributions.things) for part in explained.parts.values())
        width = COLUMN if n == 1 else PAGE
        figure = blank_figure(width, -(-n // 2) * (1.1 + 0.2 * min(most, MOST_BARS)), "explained")
        axes = figure.subplots(-(-n // 2), min(n, 2), squeeze=False).ravel().tolist()
        figure.suptitle(explained.title)
        for ax, (name, part) in zip(axes, explained.parts.items(), strict=False):
            _draw_parts(ax, explained, name, part)
        for ax in axes[n:]:
            ax.set_axis_off()
    return figure


def _draw_parts(ax: Axes, explained: AlloyExplained, name: str, part: Parts) -> None:
    shared = part.contributions
    order = np.argsort(-np.abs(shared.shares.of), kind="stable")
    shown, rest = order[:MOST_BARS], order[MOST_BARS:]
    shifts = shared.shares.of[shown].tolist() + ([float(shared.shares.of[rest].sum())] if len(rest) else [])
    names = [explained.had(shared.things[i]) for i in shown] + ([f"{len(rest)} others"] if len(rest) else [])
    starts = shared.shares.base + np.concatenate([[0.0], np.cumsum(shifts)[:-1]]) if shifts else np.empty(0)
    at = np.arange(len(shifts))[::-1]
    hatches = ["///" if shift > 0 else "" for shift in shifts]  # a grey print shows no colour
    colours = [VERMILLION if shift > 0 else BLUE for shift in shifts]
    ax.barh(at, shifts, left=starts, color=colours, hatch=hatches, edgecolor="white", linewidth=0, height=0.7)
    ax.set_yticks(at, names)
    ax.axvline(shared.shares.base, color=GREY, linestyle=":", label="mean of the data")
    ax.axvline(part.expected, color=BLACK, label="expected")
    ax.use_sticky_edges = False  # the bars end at both lines
    ax.margins(x=0.06)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.set_xlabel(axis_label(name))
    ax.legend(loc="best", frameon=True)
