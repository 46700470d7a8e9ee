"""How models do on rows left out, and what drives them: what is drawn is what was found."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure

from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.comparison import BY_SOURCE, RANDOM
from alloyloop.campaigns.explaining import ModelsExplained
from alloyloop.campaigns.house_style import COLUMN, PAGE
from alloyloop.campaigns.left_out import LeftOut, left_out
from alloyloop.campaigns.model_plots import (
    LEVELS,
    calibration_figure,
    draw_held_out,
    effects_figure,
    held_out_figure,
    relevances_figure,
    unseen_figure,
)
from alloyloop.campaigns.quality import Quality
from alloyloop.design.comparing import Judged
from alloyloop.surrogates.base import Prediction
from alloyloop.surrogates.errors import AlloyloopError
from alloyloop.surrogates.scores import Forecasts

from .folders import EXPERIMENTS, make
from .written import written

pytestmark = pytest.mark.torch

E_GPa = "youngs_modulus_GPa"
# Ten values, believed to be 60 ± 2 each: 60.0, 60.5 … 64.5. Of 90 % intervals, ± 3.29, seven hold theirs.
VALUES = 60 + 0.5 * np.arange(10)


def judged(values: np.ndarray, std: float = 2.0) -> Judged:
    n = len(values)
    belief = Prediction(np.full(n, 60.0), np.full(n, std), np.zeros(n))
    return Judged(np.arange(n), Forecasts.of(values, belief), {}, ("as chosen",))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> LeftOut:
    """Of one property, rows left out by lot and, of twice the doubt, whole sources."""
    snapshot = written(tmp_path_factory.mktemp("models"))
    return LeftOut(snapshot, {E_GPa: {RANDOM: judged(VALUES), BY_SOURCE: judged(VALUES, 4.0)}}, ())


def test_values_inside_their_intervals_are_counted(told: LeftOut) -> None:
    assert told.held(E_GPa, RANDOM) == (7, 10)
    assert told.held(E_GPa, BY_SOURCE) == (10, 10)


def test_values_outside_their_intervals_are_open(told: LeftOut) -> None:
    by_lot, by_source = held_out_figure(told, PAGE).axes
    bars = [each for each in by_lot.containers if isinstance(each, ErrorbarContainer)]
    drawn = {str(each.get_label()): sorted(np.asarray(each.lines[0].get_ydata()).tolist()) for each in bars}
    assert drawn == {
        "inside its 90 % interval": VALUES[:7].tolist(),
        "outside it": VALUES[7:].tolist(),
    }
    assert [each.lines[0].get_markerfacecolor() for each in bars] == ["#0072B2", "white"]
    reach = bars[0].lines[2][0].get_segments()[0][:, 0]
    assert reach == pytest.approx([60 - 1.645 * 2, 60 + 1.645 * 2], abs=1e-3)
    assert by_lot.get_title() == "rows left out by lot: 7 of 10 inside"
    assert by_source.get_title() == "whole sources left out: 10 of 10 inside"
    assert by_lot.get_xlabel().replace("\n", " ") == "Predicted Young's modulus [GPa]"


def test_an_interval_longer_than_the_frame_ends_in_an_arrow(told: LeftOut) -> None:
    ((name, ways),) = list(told.of.items())[:1]
    held = next(iter(ways.values())).held_out
    low, high = held.low.copy(), held.high.copy()
    low[0], high[1] = -1e4, 1e4
    ax = Figure().subplots()
    draw_held_out(ax, name, replace(held, low=low, high=high))
    at = {line.get_marker(): line for line in ax.get_lines() if line.get_label() == "interval goes on"}
    assert held.y[0] in np.asarray(at["<"].get_ydata())
    assert held.y[1] in np.asarray(at[">"].get_ydata())
    assert np.unique(at["<"].get_xdata()).tolist() == [ax.get_xlim()[0]]
    assert np.unique(at[">"].get_xdata()).tolist() == [ax.get_xlim()[1]]


def test_no_legend_covers_a_point(told: LeftOut) -> None:
    figure = held_out_figure(told, COLUMN)
    assert [ax.get_legend() for ax in figure.axes] == [None, None]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "interval goes on",
        "inside its 90 % interval",
        "outside it",
    ]


def test_of_models_judged_by_what_was_held_out_each_has_a_panel() -> None:
    forecasts = judged(VALUES).held_out
    number = Quality(E_GPa, "forest", "rows", 10, 7, 0.0, 2.0, 3.0, is_better=True, forecasts=forecasts)
    classes = Quality("phases", "forest", "rows", 10, 7, 0.0, 0.3, 0.4, is_better=True, has_classes=True)
    (ax,) = unseen_figure((number, classes)).axes
    assert ax.get_title() == "rows left out: 7 of 10 inside"
    assert ax.get_ylabel() == "Measured Young's modulus [GPa]"


def test_calibration_is_the_share_of_values_inside_intervals_of_each_level(told: LeftOut) -> None:
    (ax,) = calibration_figure(told).axes
    lines = {str(each.get_label()): np.asarray(each.get_xydata()) for each in ax.get_lines()}
    by_lot = lines["rows left out by lot"]
    # A value z deviations off lies inside intervals of level 2 Φ(z) - 1 and above: 0.5 GPa off, 0.25, of 20 %.
    assert by_lot[:, 0] == pytest.approx(100 * LEVELS)
    assert dict(by_lot.round(6).tolist())[90] == 70
    assert dict(by_lot.round(6).tolist())[20] == 20  # 60.0 and 60.5
    assert (np.diff(by_lot[:, 1]) >= 0).all()
    assert lines["honest intervals"][:, 0] == pytest.approx(lines["honest intervals"][:, 1])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Level of the interval [%]", "Values inside [%]")


def test_models_are_fitted_again_without_what_they_are_asked(tmp_path: Path) -> None:
    snapshot = Campaign(make(tmp_path / "ti")).snapshot()
    found = left_out(snapshot)
    (one,) = found.of[E_GPa].values()  # rows name no source, so that none can be left out whole
    assert one.held_out.y.tolist() == [85, 72, 63, 66, 61]
    # A model that had seen them would err by the noise; the ends of the range are predicted from their inside.
    assert abs(one.held_out.mean - one.held_out.y).max() > 3
    assert f"{E_GPa}, whole sources left out: not judged, since no row names its source." in found.remarks


def test_too_few_rows_are_no_parity(tmp_path: Path) -> None:
    few = "".join(EXPERIMENTS.splitlines(keepends=True)[:4])
    with pytest.raises(AlloyloopError, match=r"No property has rows enough to leave some out \(3 rows can teach\)"):
        left_out(Campaign(make(tmp_path / "ti", experiments=few)).snapshot())


@pytest.fixture(scope="module")
def explained(tmp_path_factory: pytest.TempPathFactory) -> ModelsExplained:
    """What a Gaussian process makes of five alloys of Ti, Nb and Zr."""
    found = Campaign(make(tmp_path_factory.mktemp("explained") / "ti")).explain()
    assert isinstance(found, ModelsExplained)
    return found


def test_an_effect_is_drawn_as_it_was_found(explained: ModelsExplained) -> None:
    axes = effects_figure(explained, E_GPa, COLUMN).axes
    effects = explained.models[E_GPa].effects
    assert [ax.get_xlabel() for ax in axes] == ["Nb [wt.%]", "Zr [wt.%]"]
    for ax, effect in zip(axes, effects, strict=True):
        (whole,) = [each for each in ax.get_lines() if each.get_label() == "outside the data"]
        assert np.asarray(whole.get_ydata()) == pytest.approx(effect.prediction.mean)
        assert ax.get_ylabel() == "Young's modulus [GPa]"
    assert len({ax.get_ylim() for ax in axes}) == 1  # they compare at a glance


def test_bars_are_what_matters_the_most_on_top(explained: ModelsExplained) -> None:
    model = explained.models[E_GPa]
    needs, attends = relevances_figure(explained, PAGE).axes
    (bars,) = [each for each in needs.containers if isinstance(each, BarContainer)]
    assert [bar.get_width() for bar in bars][::-1] == [one.rise.mean for one in model.importances]
    assert needs.get_xlabel() == "Error rises if mixed up [GPa]"
    assert model.relevances is not None
    (bars,) = [each for each in attends.containers if isinstance(each, BarContainer)]
    assert sum(bar.get_width() for bar in bars) == pytest.approx(100)
    assert attends.get_xlabel() == "Relevance [%]"


def test_long_names_beside_bars_keep_apart(explained: ModelsExplained) -> None:
    model = explained.models[E_GPa]
    names = (
        "electronegativity_mismatch",
        "laser_power_W / (scan_speed_mm_per_s * hatch_spacing_mm)",
        "Nb",
        "Zr_at_pct",
    )
    long = replace(model, importances=(), relevances={f"{name} {i}": 0.1 for name in names for i in range(2)})
    figure = relevances_figure(replace(explained, models={E_GPa: long}))
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    labels = figure.axes[0].get_yticklabels()
    assert max(text.get_text().count("\n") for text in labels) == 1
    boxes = [text.get_window_extent() for text in labels]
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]


def test_what_is_not_modelled_has_no_effects(explained: ModelsExplained) -> None:
    with pytest.raises(
        AlloyloopError, match=r"hardness_HV is not modelled as a number\. Modelled are: youngs_modulus_GPa"
    ):
        effects_figure(explained, "hardness_HV")
