"""What is left out together, and how much at a time, where a model is to be judged by rows that it has not seen."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .base import FloatArray

# Below this many groups of rows nothing can be left out: the mean is all that is learned.
LEAST_GROUPS = 4
# Fewer sources than this are not left out whole: one of them may be most of the table.
LEAST_SOURCES = 5
# Of few rows a tenth is left out at a time, of many a fifth: what four fifths of 100 rows teach is too far from what
# all of them do.
FEW_ROWS, N_FOLDS_OF_FEW, N_FOLDS = 200, 10, 5


def n_parts(n_rows: int, n_groups: int) -> int:
    """In how many parts rows of so many groups are left out.

    Examples
    --------
    >>> n_parts(150, 40), n_parts(300, 40), n_parts(300, 3)
    (10, 5, 3)
    """
    return min(n_groups, N_FOLDS_OF_FEW if n_rows <= FEW_ROWS else N_FOLDS)


def groups_of(
    rows: FloatArray,
    source: Sequence[Hashable] | NDArray[Any] | None = None,
    groups: Sequence[Hashable] | NDArray[Any] | None = None,
) -> NDArray[np.intp]:
    """(n,) a number for what must be left out together: whole sources, where there are some, else rows that are equal.

    Parameters
    ----------
    rows : (n, n_features)
    source : (n,) where each row comes from, "" where not known: it is then a source of its own
    groups : (n,) what must be left out together, where somebody knows better

    Examples
    --------
    >>> groups_of(np.array([[1.0], [2.0], [1.0]])).tolist()
    [0, 1, 0]
    """
    if groups is not None:
        return np.asarray(np.unique(np.asarray(groups), return_inverse=True)[1].ravel(), dtype=np.intp)
    if source is not None:
        names = np.asarray(source, dtype=np.str_)
        if len(np.unique(names[names != ""])) > 0:
            own = np.array([f"row {i}" for i in range(len(names))])
            codes = np.unique(np.where(names != "", names, own), return_inverse=True)[1].ravel()
            if codes.max() + 1 >= LEAST_SOURCES:
                return np.asarray(codes, dtype=np.intp)
    size = np.maximum(np.abs(rows).max(axis=0), np.finfo(float).tiny)
    return np.asarray(np.unique((rows / size).round(9), axis=0, return_inverse=True)[1].ravel(), dtype=np.intp)
