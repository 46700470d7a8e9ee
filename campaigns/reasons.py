"""Why alloys are proposed, and whether it is worth going on: figures of the floor below in a metallurgist's words."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from ..design.features import Alloys
from ..design.goals import Match
from ..design.prospects import Prospects
from ..surrogates.base import FloatArray
from .answers import Json
from .outlooks import Ahead
from .reading import listed
from .wording import product_unit, words_and_unit


def reasons(ahead: Ahead, chosen: Alloys, may: Prospects, teaches: FloatArray) -> list[str]:
    """One sentence for each pick: what it is expected to be, to gain and to teach."""
    leads = _leads_of_one(ahead, chosen) if len(ahead.outlook.sought) == 1 else [""] * len(chosen)
    return [
        f"{lead}{_amount(ahead, gain)} expected gain; a measurement narrows what is believed over the space by "
        f"{share:.1%}."
        for lead, gain, share in zip(leads, may.gains, teaches, strict=True)
    ]


def _leads_of_one(ahead: Ahead, chosen: Alloys) -> list[str]:
    """How each pick stands to the best known in the one property that is pursued, and its chance to be better."""
    (sought,) = ahead.outlook.sought
    belief, goal, unit = sought.belief.about(chosen), sought.goal, words_and_unit(sought.name)[1]
    best = ahead.best[sought.name]
    rival = f"{ahead.best_id}, the best known, is believed to have {best:.4g} {unit}".rstrip()
    leads = []
    for mean, std in zip(belief.mean, belief.std, strict=True):
        if isinstance(goal, Match):
            near = abs(best - goal.target)
            ends = np.array([goal.target - near - mean, goal.target + near - mean])
            chance = float(np.diff(ndtr(ends / std))[0]) if std > 0 else float(abs(mean - goal.target) < near)
            is_ahead = abs(mean - goal.target) < near
        else:
            gap = goal.sign * (mean - best)
            chance = float(ndtr(gap / std)) if std > 0 else float(gap > 0)
            is_ahead = gap > 0
        lead = f"expected {goal.better}: {mean:.4g} where {rival}" if is_ahead else f"little is known there: {rival}"
        leads.append(f"{lead}; {chance:.0%} chance to be {goal.better}, ")
    return leads


def _amount(ahead: Ahead, gain: float) -> str:
    """A gain with its unit."""
    sought = ahead.outlook.sought
    if len(sought) == 1:
        return f"{_figures(gain)} {words_and_unit(sought[0].name)[1]}".rstrip()
    if ahead.outlook.weighted:
        return f"{_figures(gain)} (in spreads of the weighed properties)"
    return f"{_figures(gain)} {product_unit([each.name for each in sought])} of hypervolume"


def _figures(number: float) -> str:
    """A number to two figures, and to the unit where it is large.

    >>> _figures(0.01234), _figures(1098.7)
    ('0.012', '1099')
    """
    return f"{number:.2g}" if abs(number) < 100 else f"{number:.0f}"


def stop_figures(ahead: Ahead, may: Prospects, cost: float | None) -> Json:
    """Is it worth going on: what the batch, and the best of all that is left, are expected to gain beside the scatter.

    Parameters
    ----------
    ahead, may : what is known, and what may be gained
    cost : of the batch [money]; None where campaign.yaml does not say
    """
    sought = ahead.outlook.sought
    scatter = f"the scatter of one measurement ({_amount(ahead, may.scatter)})"
    over = "the Pareto front"
    if ahead.best_id:
        believed = listed([f"{ahead.best[each.name]:.4g}" for each in sought])
        over = f"the best known ({ahead.best_id}, believed to have {believed})"
    spent = "" if cost is None else f", for {cost:.4g} of money"
    left = f"{_figures(may.left)}, with 90 % between {_figures(may.left_low)} and {_figures(may.left_high)}"
    words = (
        f"The batch is expected to gain {_amount(ahead, may.gain)} on {over}{spent}, with a {may.chance:.0%} chance to "
        f"gain more than {scatter}. All that is left may gain {left}; the chance that something is left that gains "
        f"more than that scatter is {may.left_chance:.0%}. "
    )
    words += "It is worth going on." if may.worth_going_on else "It is hardly worth going on: the best is likely found."
    stop: Json = {
        "properties": [each.name for each in sought],
        "best_known": {"id": ahead.best_id, "believed": ahead.best} if ahead.best_id else None,
        "expected_gain": may.gain,
        "measurement_noise": may.scatter,
        "chance_to_gain_more_than_noise": may.chance,
        "regret": {"mean": may.left, "low": may.left_low, "high": may.left_high},
        "chance_left": may.left_chance,
        "verdict": "go on" if may.worth_going_on else "stop",
        "words": words,
    }
    return stop if cost is None else stop | {"cost": cost}
