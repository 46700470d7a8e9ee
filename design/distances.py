"""How far apart two designs are: by the material to be exchanged, or by shares of the process ranges."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import numpy as np

from ..surrogates.base import FloatArray
from .process import Choice
from .space import DesignSpace

if TYPE_CHECKING:
    from .features import Alloys

# Outside what the data support: further from every known alloy than this share of them is from its own nearest.
FAR = 0.95


def places(space: DesignSpace, alloys: Alloys) -> FloatArray:
    """Coordinates (n, d), half of whose absolute differences sum to the distance between two alloys, in shares of 1.

    Those are the atomic fractions. Without a composition the distance is the mean over process variables of the share
    of the range between two numbers, or 1 between two words; a number that is not known is half a range from any.
    """
    if space.elements:
        return alloys.fractions
    columns: list[FloatArray] = []
    for variable in space.process:
        values = alloys.process[variable.name]
        if isinstance(variable, Choice):
            columns.append((variable.levels(values)[:, None] == np.arange(variable.n_levels)).astype(np.float64))
            continue
        numbers = np.asarray(values, dtype=np.float64)
        known = np.isfinite(numbers)
        share = (numbers - variable.low) / ((variable.high - variable.low) or 1.0)
        columns.append(2 * np.column_stack([np.where(known, share, 0.5), np.where(known, 0.25, 0.0)]))
    return np.column_stack(columns) / len(space.process)


def distances(space: DesignSpace, some: Alloys, others: Alloys) -> FloatArray:
    """How far apart designs are. (n_some, n_others)

    Material to be exchanged [at.%]; without a composition the mean share of the process ranges [%].
    """
    a, b = places(space, some), places(space, others)
    return np.asarray(50 * np.abs(a[:, None] - b[None]).sum(axis=2))


def far(space: DesignSpace, known: Alloys) -> float:
    """The distance beyond which a design is far from all that are known, judged by their own; infinite below three."""
    if len(known) < 3:
        return inf
    from scipy.spatial import KDTree

    at = places(space, known)
    to_itself_and_another = np.asarray(KDTree(at).query(at, k=2, p=1)[0])
    return float(np.quantile(50 * to_itself_and_another[:, 1], FAR))
