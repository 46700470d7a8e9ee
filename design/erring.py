"""How beliefs about different properties of one alloy err together, by rows that they had not seen."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import combinations
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray, Prediction
from ..surrogates.errors import AlloyloopError
from .beliefs import Belief, left_out_together
from .diagram import IntArray
from .left_out import learned, left_out
from .outlook import Believed

# Errors further off than this many standard deviations count as so far: one gross error is not to make a correlation.
FARTHEST = 3.0
# No eigenvalue of a correlation is smaller, so that it has a root.
_LEAST_EIGENVALUE = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class _Errors:
    """How far rows were off what was believed of them without them.

    Parameters
    ----------
    ids : (n,) of the rows
    errors : (n,) in standard deviations of a measurement, on the scale that the property is modelled on
    groups : (n,) what was left out together
    """

    ids: NDArray[np.str_]
    errors: FloatArray
    groups: IntArray


def together(numbers: Mapping[str, Believed]) -> FloatArray:
    """Correlation of the errors of beliefs, from rows of which several properties were measured.

    Parameters
    ----------
    numbers : k beliefs, by name; what is computed and not learned does not err

    Returns
    -------
    (k, k) in the order of `numbers`, with eigenvalues above 0

    Notes
    -----
    Each row is asked of a belief that had not seen it: the process's own closed form, or what a surrogate held out as
    it was made, or else one set of folds. Of m sources, compositions or rows, whichever are left out whole, a pair's
    correlation r has a standard error of s = (1 - r²) / √(m - 1). It is drawn towards none, to r (1 - (2 s / r)²), and
    is none where chance alone would bring it so far once in twenty times: so a few rows say nothing.
    """
    correlation, names = np.eye(len(numbers)), list(numbers)
    told = {name: belief for name in names if (belief := learned(numbers[name])) is not None}
    pairs = [pair for pair in combinations(told, 2) if _shared(told[pair[0]], told[pair[1]]) > 2]
    errors = {name: _errors(told[name]) for name in dict.fromkeys(name for pair in pairs for name in pair)}
    for one, other in pairs:
        i, j = names.index(one), names.index(other)
        correlation[i, j] = correlation[j, i] = _correlation(errors[one], errors[other])
    return _with_a_root(correlation)


def _shared(one: Belief, other: Belief) -> int:
    """How many rows both have learned from."""
    return len(np.intersect1d(one.evidence.ids, other.evidence.ids))


def _correlation(one: _Errors, other: _Errors) -> float:
    """Of errors, about 0 and not about their means, drawn towards none."""
    _, i, j = np.intersect1d(one.ids, other.ids, return_indices=True)
    a, b = (np.clip(each, -FARTHEST, FARTHEST) for each in (one.errors[i], other.errors[j]))
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    n_groups = min(len(np.unique(one.groups[i])), len(np.unique(other.groups[j])))
    if n_groups < 3 or size == 0:
        return 0.0
    r = float((a * b).sum()) / size
    by_chance = 2 * (1 - r**2) / (n_groups - 1) ** 0.5
    return r * max(0.0, 1 - (by_chance / r) ** 2) if r else 0.0


def _errors(belief: Belief) -> _Errors:
    """How far rows that hold a value were off what was believed of them without them."""
    evidence, exact = belief.evidence, belief.evidence.exact
    groups, values = left_out_together(evidence)[0][exact], evidence.values[exact]
    normal, scale = belief.on_scale()
    told = _by_itself(normal.surrogate)
    if told is not None:
        errors = (told.rows(exact) if len(told) == len(exact) else told).measurement.residuals(scale.forward(values))
    elif (held := left_out(belief)) is not None:
        errors = held.measurement.residuals(values)
    else:  # nothing tells
        return _Errors(evidence.ids[:0], values[:0], groups[:0])
    return _Errors(evidence.ids[exact], errors, groups)


def _by_itself(surrogate: Any) -> Prediction | None:
    """What a surrogate tells of rows without them: of all that it learned from, or of those that hold a value.

    Of a blend its largest member that can tell speaks: whether two properties err together is no matter of the model.
    """
    with suppress(AlloyloopError):  # of too many rows for its closed form
        if hasattr(surrogate, "leave_one_out"):
            return cast(Prediction, surrogate.leave_one_out())
    if (held := getattr(surrogate, "held_out_", None)) is not None:
        return cast(Prediction, held)
    inside = [surrogate.surrogate_] if hasattr(surrogate, "surrogate_") else getattr(surrogate, "members_", ())
    return next((told for one in inside if (told := _by_itself(one)) is not None), None)


def _with_a_root(correlation: FloatArray) -> FloatArray:
    """A correlation drawn towards none until it has a root: pairs that were seen apart need not fit together."""
    apart = correlation - np.eye(len(correlation))
    least = float(np.linalg.eigvalsh(apart).min(initial=0.0))
    return np.eye(len(correlation)) + apart * min(1.0, (1 - _LEAST_EIGENVALUE) / max(-least, 1e-12))
