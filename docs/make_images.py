"""Draw the pictures of the README anew: `python docs/make_images.py`, some seconds of real computing, nothing typed in.

`images/beta-ti-first-batch.png`: what the first `alloyloop suggest` of the beta-ti campaign makes of its literature.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from alloyloop.campaigns.answers import Answers
from alloyloop.campaigns.campaign import Campaign
from alloyloop.campaigns.plots import EXPECTED, INSIDE, OUTSIDE, STYLE, VERMILLION
from alloyloop.campaigns.snapshot import Snapshot
from alloyloop.campaigns.wording import label
from alloyloop.design.composition import Composition
from alloyloop.design.descriptors import descriptor
from alloyloop.design.rules import Computed

IMAGES = Path(__file__).with_name("images")
PROPERTY, DESCRIPTOR = "youngs_modulus_GPa", "mo_equivalent_wang"
# Numbers nearer to each other than this overlap [wt.%].
APART = 0.7


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
    (least,) = (test.limits.low for test in tests if isinstance(test, Computed) and test.name == DESCRIPTOR)
    settings: Any = {**STYLE, "font.size": 12}
    with rc_context(settings):
        figure = Figure(figsize=(8.4, 5.0), dpi=200, layout="constrained")
        ax = figure.subplots()
        ax.axvspan(0, least, color="#F1F1F1", zorder=0)
        ax.axvline(least, color=VERMILLION, linestyle=(0, (5, 3)), linewidth=1.3)
        at_the_top = ax.get_xaxis_transform()
        words = f"rule: at least {least:g} wt.% "
        ax.text(least, 0.985, words, transform=at_the_top, ha="right", va="top", color=VERMILLION)
        inside = known & snapshot.in_space()
        for rows, (_, look), said in ((inside, INSIDE, ""), (known & ~inside, OUTSIDE, ", outside the space")):
            bars = std[rows] if std[rows].any() else None
            shown: Any = {**look, "markersize": 5.5, "linestyle": "none", "elinewidth": 1}
            ax.errorbar(equivalents[rows], moduli[rows], bars, label=f"literature{said}", **shown)
        expected = [alloy.predicted[PROPERTY] for alloy in proposed]
        at = [equivalent(alloy.composition) for alloy in proposed]
        reach = [[one.mean - one.low for one in expected], [one.high - one.mean for one in expected]]
        shown = {**EXPECTED[1], "markersize": 8, "linestyle": "none", "elinewidth": 2, "capsize": 4, "zorder": 3}
        means = [one.mean for one in expected]
        ax.errorbar(at, means, reach, label="to melt next: expected modulus, 90 % interval", **shown)
        for place, low, numbers in side_by_side(at, [one.low for one in expected]):
            ax.text(place, low - 1, numbers, ha="center", va="top")
        names = [f"{number}  {alloy.name}" for number, alloy in enumerate(proposed, start=1)]
        ax.text(0.995, 0.985, "\n".join(names), transform=ax.transAxes, ha="right", va="top", multialignment="left")
        ax.set_xlim(0, equivalents[known].max() + 1)
        low, high = min(one.low for one in expected) - 10, max(moduli[known].max(), *(one.high for one in expected))
        ax.set_ylim(low, high + 0.25 * (high - low))  # room for the names
        ax.set(xlabel="Molybdenum equivalent of Wang et al. [wt.%]", ylabel=label(PROPERTY))
        figure.legend(loc="outside upper left", ncols=3, fontsize="small", columnspacing=1.2, handletextpad=0.4)
    return figure


def side_by_side(at: list[float], lows: list[float]) -> list[tuple[float, float, str]]:
    """Where the number of each alloy stands; those of alloys too close to tell apart share a place."""
    groups: list[list[int]] = []
    for i in np.argsort(at).tolist():
        if groups and at[i] - at[groups[-1][-1]] < APART:
            groups[-1].append(i)
        else:
            groups.append([i])
    return [
        (
            float(np.mean([at[i] for i in group])),
            min(lows[i] for i in group),
            ", ".join(f"{i + 1}" for i in sorted(group)),
        )
        for group in groups
    ]


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
    figure.savefig(IMAGES / "beta-ti-first-batch.png", metadata={"Software": None})


if __name__ == "__main__":
    main()
