"""What the designs of a space are worth to a search, each asked once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .diagram import IntArray
from .features import Alloys, alloys_at
from .space import DesignSpace, rows_in

# In nats; a smaller gain is rounding.
LEAST_GAIN = 1e-9
# The logarithm of a gain that is nothing to any computer: what may be had, however little worth, is above what may not.
_NOTHING = -1e100


@dataclass(frozen=True, slots=True, eq=False)
class Worth:
    """What each design of a space that is not taken is worth.

    Parameters
    ----------
    space : what may be made
    value : the log of what alloys are worth, (n,); NaN where one cannot be predicted
    elements : the elements that are known of, the space's own first
    taken : (m, d) points that are not to be had
    """

    space: DesignSpace
    value: Callable[[Alloys], FloatArray]
    elements: tuple[str, ...]
    taken: IntArray
    _looked: dict[bytes, float] = field(default_factory=dict, init=False, repr=False)
    _barred: frozenset[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_barred", frozenset(_names(self.taken)))

    @property
    def n_looked(self) -> int:
        """How many designs have been asked for."""
        return len(self._looked)

    def of(self, points: IntArray) -> FloatArray:
        """The log of what points are worth; -inf where one is taken or cannot be predicted. (n, d) -> (n,)"""
        names = _names(points)
        asked = ((name, point) for name, point in zip(names, points, strict=True) if name not in self._barred)
        new = {name: point for name, point in asked if name not in self._looked}
        if new:
            values = self.value(alloys_at(self.space, np.array(list(new.values())), self.elements))
            values = np.where(np.isnan(values), -np.inf, np.maximum(values, _NOTHING))
            self._looked.update(zip(new, values.tolist(), strict=True))
        return np.array([self._looked.get(name, -np.inf) for name in names])

    def drawn(self, n: int, most: int, rng: np.random.Generator) -> tuple[IntArray, FloatArray]:
        """Different allowed points that are not taken and can be predicted, uniform over the space, and their worth.

        Parameters
        ----------
        n : so many points are drawn and, of a small space, those taken as well: what is left of it is among them
        most : how many of them are looked at
        rng : for the draws

        Returns
        -------
        points : (m, d), none where all is taken
        values : (m,)

        Raises
        ------
        AlloyloopError
            where the space holds no allowed point, or none of those looked at can be predicted
        """
        points = self.space.sample(n + len(self.taken), rng)
        points = points[~rows_in(points, self.taken)][:most]
        values = self.of(points)
        is_known = values > -np.inf
        if len(points) > 0 and not is_known.any():
            raise AlloyloopError(
                f"None of {len(points)} designs can be predicted: features are not known of any",
                "Take the features that cannot be computed out of campaign.yaml.",
            )
        return points[is_known], values[is_known]


def _names(points: IntArray) -> list[bytes]:
    return [point.tobytes() for point in np.ascontiguousarray(points, dtype=np.int64)]
