"""What the designs of a space are worth to a search, each asked once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .diagram import IntArray
from .features import Alloys, alloys_at
from .space import DesignSpace

# In nats; a smaller gain is rounding.
LEAST_GAIN = 1e-9
# The logarithm of a gain that is nothing to any computer: what may be had, however little worth, is above what may not.
_NOTHING = -1e100


@dataclass(frozen=True, slots=True, eq=False)
class Worth:
    """What each design of a space that is to be had is worth.

    Parameters
    ----------
    space : what may be made
    value : the log of what alloys are worth, (n,); NaN where one cannot be predicted
    elements : the elements that are known of, the space's own first
    taken : (m, d) points that are not to be had
    too_close : which points (n, d) are not to be had either, since they could not be told from what is made
    hints : (k, d) points of the space, taken or not, near which the best may be
    """

    space: DesignSpace
    value: Callable[[Alloys], FloatArray]
    elements: tuple[str, ...]
    taken: IntArray
    too_close: Callable[[IntArray], NDArray[np.bool_]] | None = None
    hints: IntArray = field(default_factory=lambda: np.empty((0, 0), dtype=np.int64))
    _looked: dict[bytes, float] = field(default_factory=dict, init=False, repr=False)
    _barred: frozenset[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_barred", frozenset(_names(self.taken)))

    @property
    def n_looked(self) -> int:
        """How many designs have been asked for."""
        return len(self._looked)

    @property
    def looked(self) -> tuple[IntArray, FloatArray]:
        """The points that have been asked for, best first, and their worth; those that cannot be predicted left out."""
        points = np.frombuffer(b"".join(self._looked), dtype=np.int64).reshape(-1, self.taken.shape[1])
        values = np.array(list(self._looked.values()))
        order = np.argsort(-values, kind="stable")
        order = order[values[order] > -np.inf]
        return points[order], values[order]

    def free(self, points: IntArray) -> NDArray[np.bool_]:
        """Which points are to be had. (n, d) -> (n,)"""
        free = np.array([name not in self._barred for name in _names(points)], dtype=bool)
        if self.too_close is not None and free.any():
            free[free] = ~self.too_close(points[free])
        return free

    def of(self, points: IntArray) -> FloatArray:
        """The log of what points are worth; -inf where one is not to be had or cannot be predicted. (n, d) -> (n,)"""
        names = _names(points)
        asked = {name: i for i, name in enumerate(names) if name not in self._looked and name not in self._barred}
        new = np.fromiter(asked.values(), dtype=np.intp, count=len(asked))
        if self.too_close is not None and len(new):
            new = new[~self.too_close(points[new])]
        if len(new):
            values = self._valued(points[new])
            self._looked.update(zip([names[i] for i in new.tolist()], values.tolist(), strict=True))
        return np.array([self._looked.get(name, -np.inf) for name in names])

    def hinted(self) -> tuple[IntArray, FloatArray]:
        """The hints that can be predicted, and what they would be worth if they were to be had."""
        if len(self.hints) == 0:
            return np.empty((0, self.taken.shape[1]), dtype=np.int64), np.empty(0)
        values = self._valued(self.hints)
        return self.hints[values > -np.inf], values[values > -np.inf]

    def drawn(self, n: int, most: int, rng: np.random.Generator) -> tuple[IntArray, FloatArray]:
        """Different allowed points that are to be had and can be predicted, uniform over the space, and their worth.

        Parameters
        ----------
        n : so many points are drawn and, of a small space, those taken as well: what is left of it is among them
        most : how many of them are looked at
        rng : for the draws

        Returns
        -------
        points : (m, d), none where nothing is to be had
        values : (m,)

        Raises
        ------
        AlloyloopError
            where the space holds no allowed point, or none of those looked at can be predicted
        """
        points = self.space.sample(n + len(self.taken), rng)
        points = points[self.free(points)][:most]
        values = self.of(points)
        is_known = values > -np.inf
        if len(points) > 0 and not is_known.any():
            raise AlloyloopError(
                f"None of {len(points)} designs can be predicted: features are not known of any",
                "Take the features that cannot be computed out of campaign.yaml.",
            )
        return points[is_known], values[is_known]

    def _valued(self, points: IntArray) -> FloatArray:
        values = self.value(alloys_at(self.space, points, self.elements))
        return np.where(np.isnan(values), -np.inf, np.maximum(values, _NOTHING))


def _names(points: IntArray) -> list[bytes]:
    whole = np.ascontiguousarray(points, dtype=np.int64)
    size = whole.itemsize * whole.shape[1]
    told = whole.tobytes()
    return [told[start : start + size] for start in range(0, len(told), size)]
