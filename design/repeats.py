"""Repeats of one measurement as one row, whose noise is what their scatter says of all rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..surrogates.base import FloatArray
from .beliefs import Evidence
from .diagram import IntArray

JOINED = " + "

# Numbers that differ by less than this part of the largest of them are one: amounts come from divisions.
SAME = 1e-9


def merge_repeats(evidence: Evidence) -> Evidence:
    """Evidence in which rows of one source, one alloy and one treatment are one row, where the first of them stood.

    Its value is their mean, weighted by precision, its noise the standard error of that mean. Where a row states no
    noise, that of one measurement is taken, which the scatter within all groups of repeats, pooled, tells; then single
    rows have it too. Repeats that agree exactly tell none: they are one reading, copied.

    Rows of which no source is told are merged as if they were of one, but their scatter is noise of none: part of it
    may lie between laboratories. What is not known of two treatments is the same: a row differs by what it says. Bounds
    are left as they are. Companions are merged likewise, each by its own scatter. What is one row of the evidence has
    its name in them, so that all of it is left out together.

    Parameters
    ----------
    evidence : of one property, a row for each measurement

    Examples
    --------
    >>> from .features import Alloys
    >>> alloys = Alloys(("Nb", "Ti"), np.array([[0.2, 0.8], [0.2, 0.8], [0.3, 0.7]]), {})
    >>> unknown, source = np.full(3, np.nan), np.array(["here"] * 3)
    >>> rows = Evidence("youngs_modulus_GPa", alloys, np.array([70.0, 74.0, 60.0]), unknown, source)
    >>> merged = merge_repeats(rows)
    >>> merged.ids.tolist(), merged.values.tolist(), merged.noise.round(2).tolist()
    (['row 0 + row 1', 'row 2'], [72.0, 60.0], [2.0, 2.83])
    """
    groups = _groups(evidence)
    names = _names(evidence, groups)
    of = dict(zip(evidence.ids.tolist(), names.tolist(), strict=True))
    companions = tuple(_companion(other, of) for other in evidence.companions)
    return replace(_merged(evidence, groups, names), companions=companions)


def merged_words(before: Evidence, after: Evidence) -> str:
    """How many rows were merged; nothing where none were.

    Parameters
    ----------
    before : to `merge_repeats`
    after : it
    """
    if len(after) == len(before):
        return ""
    return f"{before.property}: {len(before)} rows are {len(after)} without repeats, of which the mean is taken."


def _companion(other: Evidence, of: Mapping[str, str]) -> Evidence:
    """Merge rows of another property that are one row, or none, of the evidence; `of` names the row that each is in."""
    within = np.array([of.get(name, "") for name in other.ids.tolist()], dtype=np.str_)
    groups = _groups(other, within)
    return _merged(other, groups, np.where(within == "", _names(other, groups), within))


def _groups(evidence: Evidence, *labels: NDArray[np.str_]) -> IntArray:
    """The group (n,) of each row, numbered by their first rows: of one source, alloy, treatment and further labels.

    A bound is a group of its own.
    """
    alone = np.where(evidence.exact, 0, 1 + np.arange(len(evidence)))
    amounts, process = evidence.alloys.fractions.T, evidence.alloys.process.values()
    columns = [alone, *map(_levels, (evidence.sources, *amounts, *process, *labels))]
    _, first, groups = np.unique(np.column_stack(columns), axis=0, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[groups.ravel()], dtype=np.int64)


def _levels(values: NDArray[Any]) -> IntArray:
    """Codes (n,) that are the same where values are; those that are not known have one code."""
    if values.dtype.kind in "OU":
        words = {word: code for code, word in enumerate(dict.fromkeys(values.tolist()))}
        return np.array([words[word] for word in values.tolist()], dtype=np.int64)
    numbers = values.astype(np.float64)
    order = np.argsort(numbers)  # unknown ones last
    ascending = numbers[order]
    near = np.diff(ascending) <= SAME * np.max(np.abs(numbers), initial=0.0, where=np.isfinite(numbers))
    codes = np.zeros(len(numbers), dtype=np.int64)
    codes[order[1:]] = np.cumsum(~(near | np.isnan(ascending[:-1])))
    return codes


def _names(evidence: Evidence, groups: IntArray) -> NDArray[np.str_]:
    """What the group of each row (n,) is called: the names of its rows."""
    told: dict[int, str] = {}
    for name, group in zip(evidence.ids.tolist(), groups.tolist(), strict=True):
        told[group] = f"{told[group]}{JOINED}{name}" if group in told else name
    return np.array([told[group] for group in groups.tolist()], dtype=np.str_)


def _merged(evidence: Evidence, groups: IntArray, names: NDArray[np.str_]) -> Evidence:
    """Each group as one row: the first of it, by the group's name, with its mean and noise."""
    first = np.unique(groups, return_index=True)[1]
    of_one_source = evidence.sources != ""
    usual = _pooled_variance(evidence.values[of_one_source], groups[of_one_source])
    variances = evidence.noise**2
    mean, variance = _weighted(evidence.values, np.where(np.isnan(variances), usual, variances), groups)
    return replace(
        evidence,
        alloys=evidence.alloys.rows(first),
        values=mean,
        noise=np.sqrt(variance),
        sources=evidence.sources[first],
        censored=evidence.censored[first],
        ids=names[first],
    )


def _pooled_variance(values: FloatArray, groups: IntArray) -> float:
    """Variance of one value about the mean of its group, by all groups of several; NaN where it cannot be told."""
    _, groups, counts = np.unique(groups, return_inverse=True, return_counts=True)
    residuals = values - (np.bincount(groups, values) / counts)[groups]
    freedom = len(values) - len(counts)
    if not freedom or np.abs(residuals).max() <= SAME * np.abs(values).max():
        return np.nan
    return float(residuals @ residuals) / freedom


def _weighted(values: FloatArray, variances: FloatArray, groups: IntArray) -> tuple[FloatArray, FloatArray]:
    """Mean of each group, weighted by precision, and the variance of that mean. (n_groups,), (n_groups,)

    A variance that is not known is the mean of those known in its group; where none is, all values count alike.
    Values that are said to be exact count alone.
    """
    known = ~np.isnan(variances)
    n_known, total = np.bincount(groups, known), np.bincount(groups, np.where(known, variances, 0.0))
    usual = np.divide(total, n_known, out=np.full(len(total), np.nan), where=n_known > 0)
    variances = np.where(known, variances, usual[groups])
    least = np.full(len(total), np.nan)
    np.fmin.at(least, groups, variances)
    smallest = least[groups]
    weights = np.where(np.isnan(smallest), 1.0, variances == smallest)
    np.divide(smallest, variances, out=weights, where=variances > 0)
    weight = np.bincount(groups, weights)
    return np.bincount(groups, weights * values) / weight, least / weight
