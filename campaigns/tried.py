"""What was tried, and where it is thin: a flat map of the space with its alloys, and the range of each variable."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..design.alloy_names import BASIS_SIGN
from ..design.distances import distances, places
from ..design.features import alloys_at
from ..design.process import Choice
from ..design.space import DesignSpace
from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .reading import listed
from .snapshot import BoolArray, Snapshot
from .wording import label

N_SAMPLED = 2000  # designs of the space
# Beside the seed, which stream of random numbers they are drawn from.
_SAMPLING = 12
# An element, or process variable, that turns with a direction by less than this share of the one that does most.
_HARDLY = 0.35


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """One element or process variable: what the space has of it, and what was tried.

    Parameters
    ----------
    name : with its unit
    ends : of the range, as text
    shares : (n_rows,) where each row lies in it, from 0 to 1; NaN where it is not known, or outside
    gap : the widest stretch of it in which no known row lies, as shares
    """

    name: str
    ends: tuple[str, str]
    shares: FloatArray
    gap: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """Where the alloys of a campaign lie in its space.

    Parameters
    ----------
    snapshot : the campaign
    rows : (m,) of the table, those that are placed: known, proposed or being made
    at : (m, 2) where they lie in the two directions in which the space is widest
    sample : (n, 2) the same of designs drawn from the space
    apart : (n,) how far each of these is from the nearest known row; see `distances`
    directions : what grows and what shrinks in each of the two, in words
    unit : of `at` and `apart`
    ranges : of each element and process variable
    """

    snapshot: Snapshot
    rows: NDArray[np.intp]
    at: FloatArray
    sample: FloatArray
    apart: FloatArray
    directions: tuple[str, str]
    unit: str
    ranges: tuple[Range, ...]


def tried(snapshot: Snapshot) -> Tried:
    """Lay the space out flat: the two directions in which designs drawn from it differ most (principal components).

    Raises
    ------
    AlloyloopError
        where nothing is known yet, or the space has one design
    """
    space, table = snapshot.space, snapshot.table
    if not snapshot.known.any():
        raise AlloyloopError("No alloy is known yet, so there is no map of what was tried", "Enter some first.")
    points = space.sample(N_SAMPLED, np.random.default_rng([snapshot.spec.seed, _SAMPLING]))
    designs = alloys_at(space, points, table.elements)
    every = snapshot.alloys()
    whole = np.isfinite(every.fractions).all(axis=1)
    rows = np.flatnonzero((snapshot.known | table.pending) & whole)
    own = 100 * places(space, every.rows(rows))
    drawn = 100 * places(space, designs)
    middle = drawn.mean(axis=0)
    _, sizes, axes = np.linalg.svd(drawn - middle, full_matrices=False)
    if not len(sizes) or sizes[0] <= 1e-9:
        raise AlloyloopError("The space has one design, so there is no map of it", "Widen it in campaign.yaml.")
    axes = np.vstack([axes, np.zeros_like(axes[:1])])[:2]  # a space may be a line
    axes *= np.where(axes[np.arange(2), np.abs(axes).argmax(axis=1)] < 0, -1.0, 1.0)[:, None]
    known = every.rows(snapshot.known & whole)
    names = list(table.elements) if space.elements else [variable.name for variable in space.process]
    return Tried(
        snapshot,
        rows,
        (own - middle) @ axes.T,
        (drawn - middle) @ axes.T,
        distances(space, designs, known).min(axis=1),
        (_direction(names, axes[0]), _direction(names, axes[1])),
        "at.%" if space.elements else "% of the ranges",
        _ranges(snapshot),
    )


def _direction(names: list[str], axis: FloatArray) -> str:
    """What grows and what shrinks along a direction.

    >>> _direction(["Nb", "Zr", "Ti"], np.array([0.7, 0.1, -0.7]))
    'more Nb, less Ti'
    """
    if len(axis) != len(names) or not axis.any():  # choices have a coordinate for each level
        return "direction of the process variables" if axis.any() else "no other direction"
    order = np.argsort(-np.abs(axis), kind="stable")
    told = [i for i in order.tolist() if abs(axis[i]) >= _HARDLY * abs(axis[order[0]])]
    more, less = [names[i] for i in told if axis[i] > 0], [names[i] for i in told if axis[i] < 0]
    return ", ".join(f"{word} {listed(some)}" for word, some in (("more", more), ("less", less)) if some)


def _ranges(snapshot: Snapshot) -> tuple[Range, ...]:
    space, table, known = snapshot.space, snapshot.table, snapshot.known
    sign = BASIS_SIGN[space.basis]
    found = [
        _range(f"{element} [{sign}]", table.amounts[:, table.elements.index(element)], low, high, known)
        for element, low, high in zip(space.elements, *_ends(space).tolist(), strict=True)
    ]
    for variable in space.process:
        if isinstance(variable, Choice):
            continue  # a word lies in no range
        found.append(_range(label(variable.name), snapshot.process[variable.name], variable.low, variable.high, known))
    return tuple(found)


def _ends(space: DesignSpace) -> FloatArray:
    """(2, n_elements) The least and the most that designs have of each element [%], its rules counted."""
    return space.percent(space.diagram.ranges) if space.elements else np.empty((2, 0))


def _range(name: str, values: FloatArray, low: float, high: float, known: BoolArray) -> Range:
    shares = (values - low) / ((high - low) or 1.0)
    shares = np.where((shares >= -1e-9) & (shares <= 1 + 1e-9), shares, np.nan)
    stops = np.sort(np.concatenate([[0.0, 1.0], shares[known & np.isfinite(shares)]]))
    widest = int(np.argmax(np.diff(stops)))
    return Range(name, (f"{low:.4g}", f"{high:.4g}"), shares, (float(stops[widest]), float(stops[widest + 1])))
