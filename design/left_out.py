"""What is believed of measured rows by what has not seen them: what a belief is worth where it cannot look."""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import numpy as np

from ..surrogates.base import Prediction
from ..surrogates.left_out import n_parts
from .beliefs import Belief, left_out_together
from .made import Made
from .outlook import Believed

_REMEMBERED = 16  # beliefs, of a few campaigns' properties: who asks again asks of the same


def learned(belief: Believed) -> Belief | None:
    """The belief that was learned, also behind what is believed of what is really made; None of what is computed."""
    inner = belief.belief if isinstance(belief, Made) else belief
    return inner if isinstance(inner, Belief) else None


@lru_cache(maxsize=_REMEMBERED)
def left_out(belief: Belief) -> Prediction | None:
    """What is believed of each row that holds a value, by a belief that has not seen it, nor what is left out with it.

    Where a surrogate has held rows out as it was made, that is told; else the belief is learned again, in the same way,
    from the other parts.

    Parameters
    ----------
    belief : that was learned

    Returns
    -------
    of the rows whose values are no bounds, in their order; None where all rows belong together, so that none is left
    """
    held = getattr(belief.surrogate, "held_out_", None)
    if held is not None:
        return cast(Prediction, held)
    from ..surrogates.scores import group_folds

    evidence = belief.evidence
    groups, exact = left_out_together(evidence)[0], np.flatnonzero(evidence.exact)
    n_groups = int(groups.max()) + 1
    if n_groups == 1 or len(exact) < 2:
        return None
    parts, order = [], []
    for train, test in group_folds(groups, n_parts(len(evidence), n_groups)):
        asked = np.intersect1d(test, exact)
        if len(asked) and not evidence.exact[train].any():
            return None
        if len(asked):
            parts.append(belief.again(evidence.rows(train)).about(evidence.alloys.rows(asked)))
            order.append(asked)
    return Prediction.together(parts).rows(np.argsort(np.concatenate(order)))
