"""Measurements as a surrogate takes them in: the checked arrays, the noise stated of them, and how far they spread."""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit
from sklearn.utils.validation import check_is_fitted, validate_data

from .base import FloatArray
from .errors import AlloyloopError

Z90 = 1.6448536269514722  # half of a normal 90 % interval, in standard deviations

# Log-normal prior of the variance of the scatter common to all rows, over the squared spread of the property: mean and
# standard deviation of its logarithm. Chosen with the lengthscales' prior; see gaussian_process.py.
SCATTER_PRIOR = (-1.5, 1.0)
SCATTER_BOUNDS = (1e-4, 1e2)  # at least 1 % of the spread: repeats of one alloy never agree exactly


def training_arrays(
    estimator: object, X: ArrayLike, y: ArrayLike, blanks: Sequence[int] = ()
) -> tuple[FloatArray, FloatArray]:
    """X (n, n_features) and y (n,), checked by scikit-learn; the estimator remembers the features' names.

    Both are finite, but for the features among `blanks`, which may be NaN.
    """
    _check_words(X)
    check_values(y)
    checked: Any = validate_data(
        cast(Any, estimator), cast(Any, X), cast(Any, y), dtype=np.float64, y_numeric=True, ensure_all_finite=False
    )
    rows, values = checked
    _check_finite(estimator, rows, blanks)
    return np.asarray(rows, dtype=np.float64), np.asarray(values, dtype=np.float64)


def asked_rows(estimator: object, X: ArrayLike, blanks: Sequence[int] = ()) -> FloatArray:
    """X (n, n_features), of the features that the fitted estimator knows; finite, but for those among `blanks`."""
    check_is_fitted(estimator)
    _check_words(X)
    rows: Any = validate_data(
        cast(Any, estimator), cast(Any, X), dtype=np.float64, reset=False, ensure_all_finite=False
    )
    _check_finite(estimator, rows, blanks)
    return np.asarray(rows, dtype=np.float64)


def check_values(y: ArrayLike | None) -> None:
    """Refuse measured values of which one is text, NaN or infinite."""
    wrong = _words(y)
    if not wrong.any() and np.asarray(y).dtype.kind in "fO" and y is not None:
        wrong = ~np.isfinite(np.asarray(y, dtype=np.float64))
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise AlloyloopError(
            f"value {place + 1} of y is {_said(np.asarray(y).ravel()[place])}",
            "Give a number, and leave out the rows that were not measured.",
        )


def _check_words(X: ArrayLike) -> None:
    """Refuse features of which one is text."""
    wrong = _words(X)
    if wrong.ndim == 2 and wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise AlloyloopError(
            f"{_name(getattr(X, 'columns', None), column)} is {_said(np.asarray(X)[row, column])} in row {row + 1}",
            "Give every feature a number; a choice becomes one feature for each of its levels.",
        )


def _words(values: ArrayLike | None) -> NDArray[np.bool_]:
    """Which values are texts that say no number."""
    cells = np.asarray(values)
    if cells.dtype.kind not in "OUS":
        return np.zeros(cells.shape, dtype=bool)

    def is_word(cell: object) -> bool:
        try:
            float(cell if isinstance(cell, str) else 0)
        except ValueError:
            return True
        return False

    return np.asarray(np.vectorize(is_word, otypes=[bool])(cells), dtype=bool)


def _said(cell: object) -> str:
    """What a cell says instead of a finite number."""
    if isinstance(cell, str):
        return repr(str(cell))
    return "NaN" if cell is None or np.isnan(cast(float, cell)) else "infinity"


def _name(names: Sequence[str] | None, column: int) -> str:
    return f"feature {column + 1}" if names is None else str(names[column])


def _check_finite(estimator: object, rows: FloatArray, blanks: Sequence[int]) -> None:
    wrong = ~np.isfinite(rows)
    wrong[:, list(blanks)] = np.isinf(rows[:, list(blanks)])
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        name = _name(getattr(estimator, "feature_names_in_", None), column)
        raise AlloyloopError(
            f"{name} is {_said(rows[row, column])} in row {row + 1}",
            "Give every feature a number, or leave the row out.",
        )


def bounds_stated(censored: ArrayLike | None, n: int) -> NDArray[np.int64]:
    """Which of n values are bounds: -1 an upper one, 1 a lower one, 0 none."""
    if censored is None:
        return np.zeros(n, dtype=np.int64)
    sign = np.asarray(censored).ravel()
    if len(sign) != n or not np.isin(sign, (-1, 0, 1)).all():
        raise AlloyloopError(
            f"what is said of {len(sign)} bounds does not fit {n} measured values",
            "Give each -1 (an upper bound), 0 (a value) or 1 (a lower bound).",
        )
    return sign.astype(np.int64)


def check_length(noise: ArrayLike | None, n: int) -> None:
    """Refuse standard deviations of other than n values."""
    if noise is not None and np.size(noise) != n:
        raise AlloyloopError(f"there are {n} measured values but {np.size(noise)} standard deviations of them")


def stated_noise(noise: ArrayLike | None, n: int) -> FloatArray:
    """Standard deviations (n,) of measured values; where one is not known, the typical one of the others.

    A cell left empty beside stated ones was most likely measured the same way, so a NaN becomes the root mean square of
    the known; where none is known, 0. Surrogates learn a scatter common to all rows on top, so that 0 claims nothing.

    Examples
    --------
    >>> stated_noise([3.0, np.nan, 4.0], 3).round(2)
    array([3.  , 3.54, 4.  ])
    >>> stated_noise(None, 2)
    array([0., 0.])
    """
    if noise is None:
        return np.zeros(n)
    check_length(noise, n)
    std = np.asarray(noise, dtype=np.float64).ravel()
    if np.isinf(std).any() or (std < 0).any():
        raise AlloyloopError(
            "a standard deviation of a measured value is negative or infinite", "Leave it empty where it is not known."
        )
    known = std[~np.isnan(std)]
    return np.where(np.isnan(std), np.sqrt(np.mean(known**2)) if len(known) else 0.0, std)


def student_factor(n: int) -> float:
    """How much wider a 90 % interval must be because its standard deviation was itself learned from n values.

    Student's t over the normal quantile: 3.84 for two values, 1.78 for three, 1.11 for ten, 1 in the end.

    Examples
    --------
    >>> round(student_factor(3), 2), round(student_factor(1000), 2)
    (1.78, 1.0)
    """
    return float(stdtrit(max(n - 1, 1), 0.95)) / Z90


def spread(y: FloatArray, fallback: float = 0.0) -> float:
    """Standard deviation of the property over alloys such as these, widened for few values; never zero.

    Parameters
    ----------
    y : (n,) measured values, n >= 1
    fallback : a standard deviation to use where the values do not differ, such as the usual scatter; 0 for none

    Returns
    -------
    The sample's standard deviation times `student_factor`. Where there is one value, or all are equal, nothing is known
    of the spread: then `fallback`, or 10 % of the value (more than any property's usual scatter), or 1.

    Examples
    --------
    >>> spread(np.array([50.0, 60.0, 70.0])).__round__(1)
    17.8
    >>> spread(np.array([50.0]))
    5.0
    """
    largest = float(np.abs(y).max())
    std = float(np.std(y / largest, ddof=1)) * largest if len(y) > 1 and largest > 0 else 0.0
    if std > 1e-12 * largest:
        return std * student_factor(len(y))
    return fallback or 0.1 * largest or 1.0


def scatter_prior(usual: float | None, scale: float) -> tuple[float, float]:
    """Prior of the logarithm of the scatter's variance, in units of `scale`: about the usual scatter, where given.

    Examples
    --------
    >>> scatter_prior(2.0, 2.0), scatter_prior(None, 2.0)
    ((0.0, 1.0), (-1.5, 1.0))
    """
    return (2 * log(usual / scale) if usual else SCATTER_PRIOR[0]), SCATTER_PRIOR[1]


def check_resolvable(scale: float) -> None:
    """Refuse a property whose spread is below what BoTorch's absolute tolerances (1e-10 on a variance) can resolve."""
    if scale < 1e-3:
        raise AlloyloopError(
            f"the values spread over {scale:.1g} only, which BoTorch's arithmetic takes for no difference at all",
            "Give the property in a smaller unit, or as a logarithm.",
        )
