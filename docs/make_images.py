"""Draw the pictures of the README anew: `python docs/make_images.py`, some seconds of real computing, nothing typed in.

`images/beta-ti-first-batch.png`: what the first `alloyloop suggest` of the beta-ti campaign makes of its literature.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from alloyloop.campaigns.answers import Answers
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.house_style import PAGE, PALE, VERMILLION, blank_figure, legend_above, picture_of, styled
from alloyloop.campaigns.plots import EXPECTED, INSIDE, OUTSIDE
from alloyloop.campaigns.snapshot import Snapshot
from alloyloop.campaigns.wording import label
from alloyloop.design.composition import Composition
from alloyloop.design.descriptors import descriptor
from alloyloop.design.rules import Computed

IMAGES = Path(__file__).with_name("images")
PROPERTY, DESCRIPTOR = "youngs_modulus_GPa", "mo_equivalent_wang"
DOTS_PER_INCH = 245
# Alloys nearer to each other than this overlap [wt.%].
APART = 0.5


def first_round(snapshot: Snapshot, proposed: Answers) -> Figure:
    """The known alloys over their molybdenum equivalent, and the alloys to melt with what is expected of them.

    Parameters
    ----------
    snapshot : of the beta-ti campaign
    proposed : its first batch
    """
    table = snapshot.table
    moduli, std = table.values(PROPERTY), np.nan_to_num(table.std(PROPERTY))
    known = snapshot.known & np.isfinite(moduli)
    alloys = snapshot.alloys()
    equivalents = descriptor(DESCRIPTOR).function(alloys.fractions, alloys.elements)
    tests = (rule.wanted for rule in snapshot.space.rules)
    ((least, most),) = (
        (test.limits.low, test.limits.high) for test in tests if isinstance(test, Computed) and test.name == DESCRIPTOR
    )
    with styled():
        figure = blank_figure(PAGE, 4.1, "first-batch")
        ax = figure.subplots()
        for low, high, limit in ((0.0, least, least), (most, 100.0, most)):
            ax.axvspan(low, high, color=PALE, zorder=0)
            ax.axvline(limit, color=VERMILLION, linestyle=(0, (5, 3)), linewidth=1.3, zorder=0)
        at_the_top = ax.get_xaxis_transform()
        words = f"rule: {least:g} to {most:g} wt.% "
        ax.text(least, 0.985, words, transform=at_the_top, ha="right", va="top", color=VERMILLION)
        inside = known & snapshot.in_space()
        for rows, (_, look), said in ((inside, INSIDE, ""), (known & ~inside, OUTSIDE, ", outside the space")):
            bars = std[rows] if std[rows].any() else None
            shown: Any = {**look, "markersize": 4.5, "linestyle": "none", "elinewidth": 0.8}
            ax.errorbar(equivalents[rows], moduli[rows], bars, label=f"literature{said}", **shown)
        expected = [alloy.predicted[PROPERTY] for alloy in proposed]
        at = side_by_side([equivalent(alloy.composition) for alloy in proposed], most)
        reach = [[one.mean - one.low for one in expected], [one.high - one.mean for one in expected]]
        shown = {**EXPECTED[1], "markersize": 6.5, "linestyle": "none", "elinewidth": 1.5, "zorder": 3}
        means = [one.mean for one in expected]
        ax.errorbar(
            at,
            means,
            reach,
            label="to melt next: expected modulus, 90 % interval (side by side)",
            **shown,
        )
        for number, (place, one) in enumerate(zip(at, expected, strict=True), start=1):
            ax.text(place, one.low - 1, str(number), ha="center", va="top")
        names = [f"{number}  {alloy.name}" for number, alloy in enumerate(proposed, start=1)]
        ax.text(0.995, 0.985, "\n".join(names), transform=ax.transAxes, ha="right", va="top", multialignment="left")
        ax.set_xlim(0, equivalents[known].max() + 1)
        low, high = min(one.low for one in expected) - 10, max(moduli[known].max(), *(one.high for one in expected))
        ax.set_ylim(low, high + 0.25 * (high - low))  # room for the names
        ax.set(xlabel="Molybdenum equivalent of Wang et al. [wt.%]", ylabel=label(PROPERTY))
        legend_above(figure, [ax])
    return figure


def side_by_side(at: list[float], most: float) -> list[float]:
    """The same places, those too close to tell apart moved to either side of their middle, none beyond the most."""
    order = np.argsort(at, kind="stable")
    groups: list[list[int]] = []
    for i in order.tolist():
        if groups and at[i] - at[groups[-1][-1]] < APART:
            groups[-1].append(i)
        else:
            groups.append([i])
    places = list(at)
    for group in groups:
        half = APART * (len(group) - 1) / 2
        middle = min(float(np.mean([at[i] for i in group])), most - half)
        for rank, i in enumerate(group):
            places[i] = middle + APART * rank - half
    return places


def equivalent(composition: Composition) -> float:
    """The molybdenum equivalent of one alloy [wt.%]."""
    fractions = composition.vector(composition.elements, "at_pct")[np.newaxis] / 100
    return float(descriptor(DESCRIPTOR).function(fractions, composition.elements)[0])


def main() -> None:
    """Draw every picture."""
    with TemporaryDirectory() as folder:
        campaign = Campaign.new(Path(folder) / "soft-ti", "beta-ti")
        proposed = campaign.suggest(dry_run=True)
        figure = first_round(campaign.snapshot(), proposed)
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / "beta-ti-first-batch.png").write_bytes(picture_of(figure, ".png", DOTS_PER_INCH))


if __name__ == "__main__":
    main()
