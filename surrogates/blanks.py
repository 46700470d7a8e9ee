"""Rows with blank cells as averages over what the cells may be, so that an unknown level is integrated out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from .base import FloatArray
from .errors import AlloyloopError

MOST = 16  # levels that stand for a row's blank cells: a kernel between rows costs the square of it


@dataclass(frozen=True, slots=True, eq=False)
class Scenarios:
    """What n rows may be, where some have blank cells: N rows without, in the order of the rows they stand for.

    Parameters
    ----------
    rows : (N, d) finite
    owner : (N,) index of the row that each may be, ascending; every row from 0 to n - 1 has at least one
    weight : (N,) probability of each, adding up to 1 for every row
    """

    rows: FloatArray
    owner: NDArray[np.intp]
    weight: FloatArray

    @property
    def mixing(self) -> csr_array:
        """(n, N) sparse matrix that averages over each row's scenarios."""
        N = len(self.owner)
        return csr_array((self.weight, (self.owner, np.arange(N))), shape=(int(self.owner[-1]) + 1 if N else 0, N))


def scenarios(
    X: FloatArray, blanks: Sequence[int], donors: FloatArray, *, names: Sequence[str] | None = None, most: int = MOST
) -> Scenarios:
    """Fill blank cells with what other rows have there, each as probable as it is frequent among them.

    All blank cells of a row are filled from one donor that knows them all, so that the columns of one choice stay one
    choice. Where no donor knows all, columns that are known together are, and each such group is filled by itself; a
    column that no donor knows becomes 0 throughout, since nothing can be learned of its effect. More than `most`
    levels are put together: the group of them that spreads most, each column over its spread among the donors, is cut
    at its mean along the column in which it spreads most, until there are `most` groups; the level nearest to the mean
    of each stands for it. So a level is always one that was made, and the order of the donors does not matter.

    Parameters
    ----------
    X : (n, d) rows; NaN in a column of `blanks` is a blank cell
    blanks : columns in which a cell may be blank
    donors : (n_donors, d) rows to fill from, NaN where blank: those that the surrogate was trained on
    names : (d,) names of the columns, for messages
    most : levels that stand for a row's blank cells, at most

    Raises
    ------
    AlloyloopError
        where a cell is infinite, or missing in another column

    Examples
    --------
    >>> X = np.array([[1.0, 700.0], [2.0, 800.0], [3.0, 800.0], [4.0, np.nan]])
    >>> may_be = scenarios(X, [1], donors=X)
    >>> may_be.rows[may_be.owner == 3].tolist(), may_be.weight[may_be.owner == 3].round(2).tolist()
    ([[4.0, 700.0], [4.0, 800.0]], [0.33, 0.67])
    """
    _check(X, blanks, names)
    blank = np.isnan(X)
    unknown = blank.any(axis=1)
    if not unknown.any():
        return Scenarios(X, np.arange(len(X)), np.ones(len(X)))
    rows, owner, weight = [X[~unknown]], [np.flatnonzero(~unknown)], [np.ones(int((~unknown).sum()))]
    for pattern in np.unique(blank[unknown], axis=0):
        those, columns = np.flatnonzero((blank == pattern).all(axis=1)), np.flatnonzero(pattern)
        levels, probability = _levels(donors[:, columns], most)
        filled = np.repeat(X[those], len(levels), axis=0)
        filled[:, columns] = np.tile(levels, (len(those), 1))
        rows.append(filled)
        owner.append(np.repeat(those, len(levels)))
        weight.append(np.tile(probability, len(those)))
    order = np.argsort(np.concatenate(owner), kind="stable")
    return Scenarios(np.concatenate(rows)[order], np.concatenate(owner)[order], np.concatenate(weight)[order])


def average(K: FloatArray, W: csr_array) -> FloatArray:
    """Prior covariance (n, n) of rows of which each has a level of its own, unknown but for its scenarios.

    Parameters
    ----------
    K : (N, N) prior covariance of the scenarios
    W : (n, N) `Scenarios.mixing`

    Returns
    -------
    W K Wᵀ off the diagonal, where two rows' levels are independent. On it the average of the variances, and not the
    variance of the average: a row has one of the levels, and its measurement does not average over them.

    Examples
    --------
    >>> K = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.3], [0.5, 0.3, 1.0]])
    >>> one_of_two = Scenarios(np.zeros((3, 1)), np.array([0, 0, 1]), np.array([0.5, 0.5, 1.0]))
    >>> average(K, one_of_two.mixing)
    array([[1. , 0.4],
           [0.4, 1. ]])
    """
    if len(K) == W.shape[0]:
        return K
    averaged = np.asarray((W @ (W @ K).T).T)
    np.fill_diagonal(averaged, W @ np.diag(K))
    return averaged


def spread_back(pull: FloatArray, W: csr_array) -> FloatArray:
    """Derivatives (N, N) of a number by the covariance of the scenarios, from those by `average` of it.

    Parameters
    ----------
    pull : (n, n) derivatives of the number by each entry of the averaged covariance
    W : (n, N) `Scenarios.mixing`

    Returns
    -------
    (N, N) derivatives by each entry of the covariance that `average` was given

    Examples
    --------
    >>> one_of_two = Scenarios(np.zeros((3, 1)), np.array([0, 0, 1]), np.array([0.5, 0.5, 1.0]))
    >>> spread_back(np.array([[1.0, 2.0], [2.0, 3.0]]), one_of_two.mixing)
    array([[0.5, 0. , 1. ],
           [0. , 0.5, 1. ],
           [1. , 1. , 3. ]])
    """
    if len(pull) == W.shape[1]:
        return pull
    between = pull - np.diag(np.diag(pull))
    back = np.asarray(W.T @ (W.T @ between.T).T)
    back[np.diag_indices_from(back)] += W.T @ np.diag(pull)
    return back


def _check(X: FloatArray, blanks: Sequence[int], names: Sequence[str] | None) -> None:
    """Refuse an infinite cell, and a missing one in a column where none may be."""
    allowed = np.zeros(X.shape[1], dtype=bool)
    allowed[list(blanks)] = True
    wrong = ~np.isfinite(X) & ~(np.isnan(X) & allowed)
    if not wrong.any():
        return
    row, column = (int(i) for i in np.argwhere(wrong)[0])
    what = "missing" if np.isnan(X[row, column]) else "infinite"
    name = f"column {column}" if names is None else f"column {names[column]}"
    raise AlloyloopError(
        f"a value is {what}",
        "Give a number; only what was declared as possibly blank may be missing.",
        place=f"X, row {row} counted from 0, {name}",
    )


def _levels(donors: FloatArray, most: int) -> tuple[FloatArray, FloatArray]:
    """Levels (k, n_columns) that the donors have in these columns, and how frequent each is (k,)."""
    known = ~np.isnan(donors)
    levels, probability = np.zeros((1, donors.shape[1])), np.ones(1)
    for columns in _known_together(known):
        given = donors[known[:, columns].all(axis=1)][:, columns]
        found, count = np.unique(given, axis=0, return_counts=True)
        levels = np.repeat(levels, len(found), axis=0)
        levels[:, columns] = np.tile(found, (len(probability), 1))
        probability = np.outer(probability, count / len(given)).ravel()
        levels, probability = _representatives(levels, probability, most)
    return levels, probability


def _known_together(known: NDArray[np.bool_]) -> Iterator[NDArray[np.intp]]:
    """Groups of columns such that some donor knows a group whole: all that are known, if one donor knows them all."""
    ever = np.flatnonzero(known.any(axis=0))
    if len(ever) and known[:, ever].all(axis=1).any():
        yield ever
        return
    for by in np.unique(known[:, ever], axis=1).T:
        yield ever[(known[:, ever] == by[:, None]).all(axis=0)]


def _representatives(levels: FloatArray, probability: FloatArray, most: int) -> tuple[FloatArray, FloatArray]:
    """At most `most` of the distinct levels (k, n_columns), each with the probability (k,) of those it stands for."""
    if len(levels) <= most:
        return levels, probability
    std = np.sqrt(probability @ _about_mean(levels, probability) ** 2)
    place = levels / np.where(std > 0, std, 1)
    groups = [np.arange(len(levels))]
    while len(groups) < most:
        scatters = np.stack([probability[one] @ _about_mean(place[one], probability[one]) ** 2 for one in groups])
        widest = int(np.argmax(scatters.sum(axis=1)))
        group, column = groups[widest], int(np.argmax(scatters[widest]))
        along = place[group, column]
        if along.min() == along.max():
            break  # levels left together are told apart by rounding alone
        mean = np.average(along, weights=probability[group])
        cut = np.clip(mean, np.nextafter(along.min(), np.inf), along.max())  # lest rounding leave one side empty
        groups[widest : widest + 1] = [group[along < cut], group[along >= cut]]
    off = [(_about_mean(place[group], probability[group]) ** 2).sum(axis=1) for group in groups]
    nearest = [group[np.argmin(far)] for group, far in zip(groups, off, strict=True)]
    return levels[nearest], np.array([probability[group].sum() for group in groups])


def _about_mean(points: FloatArray, weights: FloatArray) -> FloatArray:
    """Points (k, d) about their weighted mean."""
    return np.asarray(points - np.average(points, axis=0, weights=weights))
