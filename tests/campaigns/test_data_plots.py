"""What was tried, what a batch consists of, how surprising results were: drawn as the files say it."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import Rectangle

from alloyloop.campaigns.data_plots import batch_figure, surprise_figure, tried_figure
from alloyloop.campaigns.tried import tried
from alloyloop.surrogates.errors import AlloyloopError

from .process_study import EXPERIMENTS as STUDIED
from .process_study import QUESTION as STUDY
from .written import EXPERIMENTS, FIRST, HEADER, proposal, written


def test_bars_of_a_batch_are_the_amounts_beside_the_balance(tmp_path: Path) -> None:
    (ax,) = batch_figure(written(tmp_path), 1).axes
    bars = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    widths: dict[float, list[float]] = {}
    for bar in bars:
        widths.setdefault(round(bar.get_y() + bar.get_height() / 2), []).append(bar.get_width())
    # R001-1 … R001-4 of experiments.csv: Nb, then Zr.
    assert list(widths.values()) == [[26, 0], [20, 10], [30, 5], [24, 4]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["R001-1", "R001-2", "R001-3", "R001-4"]
    assert ax.get_xlabel() == "Amount [at.%]; the rest is Ti"
    # Said inside, so that a grey print needs no legend.
    assert [text.get_text() for text in ax.texts][:3] == ["Nb\n26", "Nb\n20", "Zr\n10"]


def test_a_batch_says_what_the_user_calls_its_alloys(tmp_path: Path) -> None:
    first = [proposal("R001-1", {"Ti": 74.0, "Nb": 26.0}, 58.0, candidate="shelf A")]
    ax = batch_figure(written(tmp_path, rounds={1: first}), 1).axes[0]
    assert [text.get_text() for text in ax.get_yticklabels()][:2] == ["R001-1\nshelf A", "R001-2"]


def test_the_last_batch_is_drawn_where_none_is_named(tmp_path: Path) -> None:
    (ax,) = batch_figure(written(tmp_path)).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["R002-1"]


def test_a_batch_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AlloyloopError, match=r"There is no round 3\. Rounds go from 1 to 2"):
        batch_figure(written(tmp_path), 3)
    with pytest.raises(AlloyloopError, match="There is no round yet"):
        batch_figure(written(tmp_path / "none", experiments=HEADER, rounds={}))


def test_designs_without_a_composition_have_no_bars(tmp_path: Path) -> None:
    proposed = STUDIED.splitlines()[0].count(",")
    table = STUDIED + "R001-1,proposed,1" + "," * (proposed - 2) + "\n"
    with pytest.raises(AlloyloopError, match="Round 1 has designs without a composition"):
        batch_figure(written(tmp_path, STUDY, table, {}))


def test_a_surprise_is_counted_in_standard_deviations(tmp_path: Path) -> None:
    # Expected 58 ± 5 and 62 ± 5 GPa, came 60 and 90; expected 560 ± 40 MPa, came 550 and 700.
    (ax,) = surprise_figure(written(tmp_path)).axes
    off = {
        str(each.get_label()): np.asarray(each.get_ydata()) for each in ax.get_lines() if each.get_linestyle() == "None"
    }
    assert off["Young's modulus"] == pytest.approx([0.4, 5.6], abs=0.01)
    assert off["yield strength"] == pytest.approx([-0.25, 3.5], abs=0.01)
    assert ax.get_ylabel() == "Measured less expected\n[standard deviations]"


def test_results_as_expected_are_seen_to_lie_inside(tmp_path: Path) -> None:
    calm = EXPERIMENTS.replace("350,air,90,,,700", "350,air,62,,,560")
    low, high = surprise_figure(written(tmp_path, experiments=calm)).axes[0].get_ylim()
    assert low < -2
    assert high > 2


def test_nothing_that_came_back_is_no_surprise(tmp_path: Path) -> None:
    with pytest.raises(AlloyloopError, match="Nothing that was predicted has been measured yet"):
        surprise_figure(written(tmp_path, rounds={2: FIRST}))


def test_the_map_has_every_alloy_at_its_place(tmp_path: Path) -> None:
    snapshot = written(tmp_path)
    told = tried(snapshot)
    flat = tried_figure(told).axes[0]
    drawn = {str(each.get_label()): np.asarray(each.get_xydata()) for each in flat.get_lines()}
    # A, B | R001-1, R001-2 | R001-4 and R002-1 wait; R001-3 failed, and is nowhere.
    assert [len(drawn[said]) for said in ("known", "measured", "proposed")] == [2, 2, 2]
    assert [snapshot.table.ids[row] for row in told.rows] == ["A", "B", "R001-1", "R001-2", "R001-4", "R002-1"]
    # With three elements the plane of the map is that of all compositions: distances on it are those in at.%.
    amounts = np.array([[80, 20, 0], [75, 25, 0], [74, 26, 0], [70, 20, 10], [72, 24, 4], [71, 24, 5]], dtype=float)
    apart = np.linalg.norm(amounts[:, None] - amounts[None], axis=2)
    assert np.linalg.norm(told.at[:, None] - told.at[None], axis=2) == pytest.approx(apart)


def test_the_map_is_of_the_space_and_counts_what_lies_far_beyond(tmp_path: Path) -> None:
    far = EXPERIMENTS.replace("A,known,,10.1000/first,80,20,0", "A,known,,10.1000/first,5,5,90")
    told = tried(written(tmp_path, experiments=far))
    flat = tried_figure(told).axes[0]
    drawn = {str(each.get_label()): np.asarray(each.get_xydata()) for each in flat.get_lines()}
    assert len(drawn["known (1 beyond the map)"]) == 1
    width = np.ptp(told.sample, axis=0)
    assert (np.ptp([flat.get_xlim(), flat.get_ylim()], axis=1) <= 2.2 * width).all()


def test_a_distance_of_nothing_has_a_scale_without_negative_distances(tmp_path: Path) -> None:
    told = tried(written(tmp_path))
    for apart in (told.apart, np.zeros_like(told.apart)):
        figure = tried_figure(replace(told, apart=apart))
        low, high = figure.axes[0].collections[0].get_clim()
        assert low == 0
        assert high > 0


def test_names_beside_ranges_keep_apart(tmp_path: Path) -> None:
    told = tried(written(tmp_path))
    amount, ageing = told.ranges[0], told.ranges[-1]
    long = replace(ageing, name="Homogenisation temperature [°C]", ends=("16.39", "34.43"))
    figure = tried_figure(replace(told, ranges=(amount, long, long, replace(amount, ends=("16.39", "34.43")), long)))
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    ranges = figure.axes[1]
    boxes = [text.get_window_extent() for text in (*ranges.get_yticklabels(), *ranges.texts)]
    assert all(boxes)
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]


def test_directions_of_the_map_say_what_grows_and_what_shrinks(tmp_path: Path) -> None:
    told = tried(written(tmp_path))
    assert told.unit == "at.%"
    assert set(" ".join(told.directions).replace(",", "").split()) <= {"more", "less", "and", "Nb", "Zr", "Ti"}
    assert all(words.count("more") == words.count("less") == 1 for words in told.directions)


def test_the_widest_gap_of_a_range_holds_no_known_alloy(tmp_path: Path) -> None:
    told = tried(written(tmp_path))
    by_name = {one.name: one for one in told.ranges}
    # Zr from 0 to 20: known are 0, 0, 0 and 10. Between them and above are gaps of 10; the first counts.
    assert by_name["Zr [at.%]"].gap == (0.0, 0.5)
    assert by_name["Zr [at.%]"].ends == ("0", "20")
    # Ageing from 300 to 600 °C: known are 350 twice and 400 twice.
    assert by_name["Ageing temperature [°C]"].gap == pytest.approx((1 / 3, 1))
    assert "quench" not in " ".join(by_name).lower()  # a word lies in no range


def test_a_process_is_laid_out_in_shares_of_its_ranges(tmp_path: Path) -> None:
    told = tried(written(tmp_path, STUDY, STUDIED, {}))
    assert told.unit == "% of the ranges"
    assert len(told.at) == int(told.snapshot.known.sum())
    tried_figure(told)


def test_nothing_known_is_no_map(tmp_path: Path) -> None:
    with pytest.raises(AlloyloopError, match="No alloy is known yet"):
        tried(written(tmp_path, experiments=HEADER, rounds={}))
