"""Candidates: a given table of designs to choose from, such as a film library or the powders on a shelf."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from ..surrogates.errors import AlloyloopError
from .diagram import Axis, IntArray

if TYPE_CHECKING:
    from scipy.spatial import KDTree

# Amounts are kept as whole millionths of a percent, far below what any analysis tells apart.
UNITS_PER_PERCENT = 1_000_000


@dataclass(frozen=True, eq=False)
class Candidates:
    """Rows of compositions, of process values or of both; designs are these rows and no others.

    Parameters
    ----------
    elements : of the compositions, none where the rows say nothing of them
    percent : (n, n_elements) amounts in the space's basis [%], each row summing to 100
    process : values of the process variables that the rows say, n of each; all known
    names : what the user calls the rows, n of them; none where the table does not say

    Raises
    ------
    AlloyloopError
        where there is no row
    """

    elements: tuple[str, ...]
    percent: FloatArray
    process: Mapping[str, NDArray[Any]]
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.percent) == 0:
            raise AlloyloopError("There is no candidate to choose from", "Give the table at least one row.")

    @cached_property
    def units(self) -> IntArray:
        """(n, n_elements) amounts in millionths of a percent; the largest takes what rounding leaves."""
        units = np.rint(self.percent * UNITS_PER_PERCENT).astype(np.int64)
        if self.elements:
            largest = units.argmax(axis=1)
            units[np.arange(len(units)), largest] += 100 * UNITS_PER_PERCENT - units.sum(axis=1)
        return units

    @cached_property
    def tree(self) -> KDTree:
        """The rows' compositions [%], to find the nearest in."""
        from scipy.spatial import KDTree

        return KDTree(self.units / UNITS_PER_PERCENT)

    def axis(self, levels: Mapping[int, IntArray]) -> Axis:
        """Its rows as one axis, each once; `levels` are those of process variables, by their column of a point."""
        rows = np.unique(np.column_stack([self.units, *levels.values()]), axis=0)
        columns = (*range(len(self.elements)), *levels)
        return Axis(columns, rows, rows[:, : len(self.elements)].sum(axis=1))
